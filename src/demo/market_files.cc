// The chart exports below _marketdata, derived from the made-up market. Indicators use their
// textbook definitions; only +, -, *, / and comparisons on doubles, so the bytes are the same
// everywhere.
#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "demo/exports.h"

namespace tb::demo {

namespace {

constexpr std::size_t kWarmUp = 60;  // days before the first one shown, for the indicators

double dollars(std::int64_t cents) {
    return static_cast<double>(cents) / 100.0;
}

std::string number(double value, int decimals = 4) {
    double scale = 1;
    for (int i = 0; i < decimals; ++i) {
        scale *= 10;
    }
    return decimal_text(std::llround(value * scale), decimals);
}

std::string price(std::int64_t cents) {
    return decimal_text(cents, 2);
}

// Seconds since 1970 of 09:30 in New York, which is four hours behind UTC from the second Sunday
// of March to the first Sunday of November, else five.
std::int64_t open_instant(Date date) {
    const auto [year, month, day] = date.ymd();
    const auto nth_sunday = [y = year](std::int32_t m, std::int32_t n) {
        const Date first = *Date::from_ymd(y, m, 1);
        return first.plus_days(6 - first.weekday() + 7 * (n - 1));
    };
    const bool summer = date >= nth_sunday(3, 2) && date < nth_sunday(11, 1);
    return std::int64_t{date.days()} * 86'400 + kOpenSeconds + (summer ? 4 : 5) * 3600;
}

struct Bar {
    std::int64_t open = 0, high = 0, low = 0, close = 0;
    std::size_t high_at = 0, low_at = 0;  // point of the day
};

Bar bar_of(const std::array<std::int64_t, kPointsPerDay>& points) {
    const auto high = std::max_element(points.begin(), points.end());
    const auto low = std::min_element(points.begin(), points.end());
    return {points.front(),
            *high,
            *low,
            points.back(),
            static_cast<std::size_t>(high - points.begin()),
            static_cast<std::size_t>(low - points.begin())};
}

// Smoothed by 2/(n+1) (exponential) or 1/n (Wilder), started with the first value.
class Smoother {
  public:
    explicit Smoother(double weight) : weight_(weight) {}
    double add(double value) {
        state_ = started_ ? state_ + weight_ * (value - state_) : value;
        started_ = true;
        return state_;
    }

  private:
    double weight_;
    double state_ = 0;
    bool started_ = false;
};

double mean(std::span<const double> values) {
    double sum = 0;
    for (const double value : values) {
        sum += value;
    }
    return sum / static_cast<double>(values.size());
}

double deviation(std::span<const double> values) {
    const double center = mean(values);
    double sum = 0;
    for (const double value : values) {
        sum += (value - center) * (value - center);
    }
    return std::sqrt(sum / static_cast<double>(values.size()));
}

double percent(double part, double whole) {
    return whole == 0 ? 0 : part / whole * 100.0;
}

bool is_third_friday(Date date) {
    const std::int32_t day = date.ymd().day;
    return date.weekday() == 4 && day >= 15 && day <= 21;
}

Row daily_header() {
    return {"time",
            "Prior_Close",
            "Open",
            "High",
            "Low",
            "Close",
            "Gap_Pct",
            "Intraday_Range_Pct",
            "Intraday_Return_Pct",
            "Total_Return_Pct",
            "Close_Position_In_Range",
            "Gap_Filled",
            "VIX_Open",
            "VIX_Close",
            "VIX_Change_Pct",
            "VIX_Spike_Pct",
            "VIX_Percentile",
            "Vol_Regime",
            "VIX9D_Close",
            "VIX3M_Close",
            "VIX9D_VIX_Ratio",
            "VIX_VIX3M_Ratio",
            "Term_Structure_State",
            "ATR_Pct",
            "RSI_14",
            "Price_vs_EMA21_Pct",
            "Price_vs_SMA50_Pct",
            "Trend_Score",
            "BB_Position",
            "Return_5D",
            "Return_20D",
            "Consecutive_Days",
            "Day_of_Week",
            "Month",
            "Is_Opex",
            "Prev_Return_Pct"};
}

// Indicators carried from day to day while spx_daily is written.
struct Indicators {
    Smoother atr{1.0 / 14};
    Smoother gain{1.0 / 14};
    Smoother loss{1.0 / 14};
    Smoother ema{2.0 / 22};
    int consecutive = 0;
    double previous_return = 0;
};

Row daily_row(std::span<const TradingDay> days, std::size_t i, std::span<const double> closes,
              Indicators& state) {
    const Bar bar = bar_of(days[i].index);
    const Bar vix = bar_of(days[i].vix);
    const double prior = closes[i - 1];
    const double open = dollars(bar.open);
    const double high = dollars(bar.high);
    const double low = dollars(bar.low);
    const double close = dollars(bar.close);
    const double total = percent(close - prior, prior);
    const double range = std::max(high, prior) - std::min(low, prior);
    const double atr = state.atr.add(range);
    const double gain = state.gain.add(std::max(close - prior, 0.0));
    const double loss = state.loss.add(std::max(prior - close, 0.0));
    const double ema = state.ema.add(close);
    const int direction = close > prior ? 1 : -1;
    state.consecutive =
        state.consecutive * direction > 0 ? state.consecutive + direction : direction;
    const double previous_return = state.previous_return;
    state.previous_return = total;
    if (i < kWarmUp) {
        return {};
    }
    const auto last = [&](std::size_t n) { return closes.subspan(i + 1 - n, n); };
    const double sma50 = mean(last(50));
    const double band = deviation(last(20));
    const double vix_close = dollars(vix.close);
    const double vix_prior = dollars(days[i - 1].vix.back());
    int below = 0;
    for (std::size_t back = 0; back < kWarmUp; ++back) {
        below += days[i - back].vix.back() <= vix.close ? 1 : 0;
    }
    const double near = vix_close * 0.55 + vix_prior * 0.42;
    const double far = vix_close * 0.6 + 7.2;
    const int regime = vix_close < 13   ? 1
                       : vix_close < 16 ? 2
                       : vix_close < 20 ? 3
                       : vix_close < 25 ? 4
                       : vix_close < 30 ? 5
                                        : 6;
    const int term =
        near < vix_close && vix_close < far ? 1 : (near > vix_close && vix_close > far ? -1 : 0);
    const int trend = (close > ema ? 1 : -1) + (close > sma50 ? 1 : -1) + (ema > sma50 ? 1 : -1);
    const bool filled = (open >= prior && low <= prior) || (open < prior && high >= prior);
    const auto count = [](std::int64_t value) { return decimal_text(value, 0); };
    return {count(open_instant(days[i].date)),
            number(prior, 2),
            price(bar.open),
            price(bar.high),
            price(bar.low),
            price(bar.close),
            number(percent(open - prior, prior)),
            number(percent(high - low, open)),
            number(percent(close - open, open)),
            number(total),
            number(high > low ? (close - low) / (high - low) : 0.5),
            count(filled ? 1 : 0),
            price(vix.open),
            price(vix.close),
            number(percent(vix_close - vix_prior, vix_prior)),
            number(percent(dollars(vix.high) - dollars(vix.open), dollars(vix.open))),
            number(100.0 * below / static_cast<double>(kWarmUp), 2),
            count(regime),
            number(near, 2),
            number(far, 2),
            number(near / vix_close),
            number(vix_close / far),
            count(term),
            number(percent(atr, close)),
            number(gain + loss == 0 ? 50 : 100.0 * gain / (gain + loss), 2),
            number(percent(close - ema, ema)),
            number(percent(close - sma50, sma50)),
            count(trend),
            number(band == 0 ? 0.5 : (close - mean(last(20)) + 2 * band) / (4 * band)),
            number(percent(close - closes[i - 5], closes[i - 5])),
            number(percent(close - closes[i - 20], closes[i - 20])),
            count(state.consecutive),
            count(days[i].date.weekday() + 2),
            count(days[i].date.ymd().month),
            count(is_third_friday(days[i].date) ? 1 : 0),
            number(previous_return)};
}

std::string spx_daily(std::span<const TradingDay> days, std::size_t first_day) {
    std::vector<double> closes;
    for (const TradingDay& day : days) {
        closes.push_back(dollars(day.index.back()));
    }
    std::vector<Row> rows{daily_header()};
    Indicators state;
    for (std::size_t i = 1; i < days.size(); ++i) {
        Row row = daily_row(days, i, closes, state);
        if (i >= std::max(first_day, kWarmUp)) {
            rows.push_back(std::move(row));
        }
    }
    return to_csv(rows, "\n");
}

std::string spx_15min(std::span<const TradingDay> days, std::size_t first_day) {
    Row header{"time", "open", "high", "low", "close"};
    for (int point = 0; point < kPointsPerDay - 1; ++point) {
        const int minutes = 9 * 60 + 30 + point * 15;
        header.push_back(fmt::format("P_{:02}{:02}", minutes / 60, minutes % 60));
    }
    header.insert(header.end(),
                  {"Pct_0930_to_1000", "Pct_0930_to_1200", "Pct_0930_to_1500", "Pct_0930_to_Close",
                   "MOC_15min", "MOC_30min", "MOC_45min", "MOC_60min", "Afternoon_Move"});
    std::vector<Row> rows{header};
    for (std::size_t i = first_day; i < days.size(); ++i) {
        const auto& points = days[i].index;
        const Bar bar = bar_of(points);
        Row row{decimal_text(open_instant(days[i].date), 0), price(bar.open), price(bar.high),
                price(bar.low), price(bar.close)};
        for (int point = 0; point < kPointsPerDay - 1; ++point) {
            row.push_back(price(points[static_cast<std::size_t>(point)]));
        }
        const auto move = [&](std::size_t from, std::size_t to) {
            return number(percent(dollars(points[to] - points[from]), dollars(points[from])));
        };
        for (const std::size_t to : {2U, 10U, 22U, 26U}) {
            row.push_back(move(0, to));
        }
        for (const std::size_t from : {25U, 24U, 23U, 22U, 10U}) {
            row.push_back(move(from, 26));
        }
        rows.push_back(std::move(row));
    }
    return to_csv(rows, "\n");
}

std::string spx_highlow(std::span<const TradingDay> days, std::size_t first_day) {
    std::vector<Row> rows{{"time", "open", "high", "low", "close", "High_Time", "Low_Time",
                           "High_Before_Low", "High_In_First_Hour", "Low_In_First_Hour",
                           "High_In_Last_Hour", "Low_In_Last_Hour", "Reversal_Type",
                           "High_Low_Spread", "Early_Extreme", "Late_Extreme", "Intraday_High",
                           "Intraday_Low"}};
    for (std::size_t i = first_day; i < days.size(); ++i) {
        const Bar bar = bar_of(days[i].index);
        const auto flag = [](bool value) { return std::string(value ? "1" : "0"); };
        const auto hour = [](std::size_t point) {  // 10.25 = quarter past ten
            return decimal_text(950 + 25 * static_cast<std::int64_t>(point), 2);
        };
        const bool high_early = bar.high_at <= 4;
        const bool low_early = bar.low_at <= 4;
        const bool high_late = bar.high_at >= 22;
        const bool low_late = bar.low_at >= 22;
        const int reversal = high_early && low_late ? 1 : (low_early && high_late ? -1 : 0);
        rows.push_back({decimal_text(open_instant(days[i].date), 0), price(bar.open),
                        price(bar.high), price(bar.low), price(bar.close), hour(bar.high_at),
                        hour(bar.low_at), flag(bar.high_at < bar.low_at), flag(high_early),
                        flag(low_early), flag(high_late), flag(low_late), decimal_text(reversal, 0),
                        number(percent(dollars(bar.high - bar.low), dollars(bar.open))),
                        flag(high_early || low_early), flag(high_late || low_late), price(bar.high),
                        price(bar.low)});
    }
    return to_csv(rows, "\n");
}

std::string vix_intraday(std::span<const TradingDay> days, std::size_t first_day) {
    Row header{"time", "open", "high", "low", "close"};
    for (int point = 0; point <= 24; point += 2) {
        const int minutes = 9 * 60 + 30 + point * 15;
        header.push_back(fmt::format("VIX_{:02}{:02}", minutes / 60, minutes % 60));
    }
    header.insert(header.end(), {"VIX_1545", "VIX_Day_High", "VIX_Day_Low", "VIX_Morning_Move",
                                 "VIX_Afternoon_Move", "VIX_Power_Hour_Move", "VIX_Last_30min_Move",
                                 "VIX_Full_Day_Move", "VIX_First_Hour_Move",
                                 "VIX_Intraday_Range_Pct", "VIX_Spike_From_Open", "VIX_Spike_Flag",
                                 "VIX_Crush_From_Open", "VIX_Crush_Flag", "VIX_Close_In_Range"});
    std::vector<Row> rows{header};
    for (std::size_t i = first_day; i < days.size(); ++i) {
        const auto& points = days[i].vix;
        const Bar bar = bar_of(points);
        Row row{decimal_text(open_instant(days[i].date), 0), price(bar.open), price(bar.high),
                price(bar.low), price(bar.close)};
        for (std::size_t point = 0; point <= 24; point += 2) {
            row.push_back(price(points[point]));
        }
        const auto move = [&](std::size_t from, std::size_t to) {
            return number(percent(dollars(points[to] - points[from]), dollars(points[from])));
        };
        const double spike = percent(dollars(bar.high - bar.open), dollars(bar.open));
        const double crush = percent(dollars(bar.open - bar.low), dollars(bar.open));
        row.insert(row.end(),
                   {price(points[25]), price(bar.high), price(bar.low), move(0, 10), move(10, 26),
                    move(22, 26), move(24, 26), move(0, 26), move(0, 4),
                    number(percent(dollars(bar.high - bar.low), dollars(bar.open))), number(spike),
                    spike > 10 ? "1" : "0", number(crush), crush > 10 ? "1" : "0",
                    number(bar.high > bar.low ? static_cast<double>(bar.close - bar.low) /
                                                    static_cast<double>(bar.high - bar.low)
                                              : 0.5)});
        rows.push_back(std::move(row));
    }
    return to_csv(rows, "\n");
}

std::string treasury_rates(std::span<const TradingDay> days, std::size_t first_day) {
    std::vector<Row> rows{{"date", "rate_percent"}};
    for (std::size_t i = first_day; i < days.size(); ++i) {
        // Falls from 5.30 by a hundredth of a percent every third day.
        const auto rate = 530 - static_cast<std::int64_t>(i - first_day) / 3;
        rows.push_back({days[i].date.to_iso(), decimal_text(std::max<std::int64_t>(rate, 25), 2)});
    }
    return to_csv(rows, "\n");
}

}  // namespace

std::vector<MarketFile> market_files(const MarketPath& path, std::size_t first_day) {
    const auto days = path.days();
    return {{"spx_daily.csv", spx_daily(days, first_day)},
            {"spx_15min.csv", spx_15min(days, first_day)},
            {"spx_highlow.csv", spx_highlow(days, first_day)},
            {"vix_intraday.csv", vix_intraday(days, first_day)},
            {"treasury_rates.csv", treasury_rates(days, first_day)}};
}

}  // namespace tb::demo
