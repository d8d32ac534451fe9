#include "analytics/charts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "analytics/numerics.h"
#include "analytics/realization.h"
#include "analytics/returns_order.h"

namespace tb::analytics {

namespace {

constexpr double kInfiniteProfitFactor = 999;
constexpr std::int64_t kRunsTestTrades = 20;
constexpr const char* kWeekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                     "Friday", "Saturday", "Sunday"};

std::int64_t number(std::size_t index) {
    return static_cast<std::int64_t>(index) + 1;
}

// Sums of P by realization month, ascending.
std::map<std::pair<std::int32_t, std::int32_t>, CompensatedSum> month_sums(
    std::span<const Trade> trades) {
    std::map<std::pair<std::int32_t, std::int32_t>, CompensatedSum> months;
    std::optional<Date> day;
    CompensatedSum* sum = nullptr;
    for (const Trade& t : trades) {
        if (day != t.realized_on()) {
            day = t.realized_on();
            const YearMonthDay ymd = day->ymd();
            sum = &months[{ymd.year, ymd.month}];
        }
        sum->add(t.net_pl());
    }
    return months;
}

double& cell(MonthTable& table, std::int32_t year, std::int32_t month) {
    return table[year][static_cast<std::size_t>(month - 1)];
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n\v\f";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// As realized; kReference: in LOAD order.
TradeOrder result_order(std::span<const Trade> trades, Conventions conventions) {
    if (conventions == Conventions::kCorrect) {
        return realization_order(trades);
    }
    TradeOrder order(trades.size());
    std::iota(order.begin(), order.end(), 0U);
    return order;
}

// Sums over a moving window of P.
class RollingWindow {
  public:
    RollingWindow(std::vector<double> pl, std::size_t window)
        : pl_(std::move(pl)), window_(window) {}

    // Moves the window to end at `last` (inclusive); called with last = window-1, window, ...
    void move_to(std::size_t last) {
        equal_run_ = last > 0 && pl_[last] == pl_[last - 1] ? equal_run_ + 1 : 1;
        if ((last + 1) % window_ == 0) {
            rebuild(last + 1 - window_, last);
        } else {
            enter(pl_[last], 1);
            enter(pl_[last - window_], -1);
        }
    }
    void skip(std::size_t index) {
        equal_run_ = index > 0 && pl_[index] == pl_[index - 1] ? equal_run_ + 1 : 1;
    }
    [[nodiscard]] double mean() const { return center_ + deviation_.value() / size(); }
    [[nodiscard]] double population_sd() const {
        if (equal_run_ >= window_) {
            return 0;  // exactly constant
        }
        const double shift = deviation_.value() / size();
        return std::sqrt(std::max(0.0, squares_.value() / size() - shift * shift));
    }
    [[nodiscard]] double win_rate_pct() const { return 100 * static_cast<double>(wins_) / size(); }
    [[nodiscard]] double profit() const { return wins_ == 0 ? 0 : profit_.value(); }
    [[nodiscard]] double loss() const { return losses_ == 0 ? 0 : loss_.value(); }

  private:
    [[nodiscard]] double size() const { return static_cast<double>(window_); }

    void enter(double p, int sign) {
        deviation_.add(sign * (p - center_));
        squares_.add(sign * ((p - center_) * (p - center_)));
        if (p > 0) {
            profit_.add(sign * p);
            wins_ += sign;
        } else if (p < 0) {
            loss_.add(sign * -p);
            losses_ += sign;
        }
    }
    void rebuild(std::size_t first, std::size_t last) {
        const std::span<const double> values(pl_.data() + first, last - first + 1);
        center_ = *analytics::mean(values);
        deviation_ = squares_ = profit_ = loss_ = CompensatedSum();
        wins_ = losses_ = 0;
        for (const double p : values) {
            enter(p, 1);
        }
    }

    std::vector<double> pl_;
    std::size_t window_;
    std::size_t equal_run_ = 0;
    double center_ = 0;  // the window's mean when it was last rebuilt
    CompensatedSum deviation_;
    CompensatedSum squares_;
    CompensatedSum profit_;
    CompensatedSum loss_;  // positive
    std::int64_t wins_ = 0;
    std::int64_t losses_ = 0;
};

std::optional<double> rolling_profit_factor(double profit, double loss, Conventions conventions) {
    if (loss > 0) {
        return profit / loss;
    }
    if (profit == 0) {
        return 0.0;
    }
    return conventions == Conventions::kReference ? std::optional(kInfiniteProfitFactor)
                                                  : std::nullopt;
}

// The reference's reading: percents as dollars, premium as written.
std::vector<ExcursionPoint> reference_excursions(std::span<const Trade> trades) {
    std::vector<ExcursionPoint> points;
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        const double mfe = std::fabs(t.max_profit.value_or(0));
        const double mae = std::fabs(t.max_loss.value_or(0));
        if (mfe == 0 && mae == 0) {
            continue;
        }
        ExcursionPoint p;
        p.trade_number = number(i);
        p.date = t.date_opened;
        p.strategy = t.strategy;
        p.mfe = mfe;
        p.mae = mae;
        p.pl = t.net_pl();
        p.is_winner = p.pl > 0;
        double denominator = 0;
        if (t.premium != 0) {
            denominator = std::fabs(t.premium);
            p.basis = ExcursionBasis::kPremium;
        } else if (t.margin_req != 0) {
            denominator = std::fabs(t.margin_req);
            p.basis = ExcursionBasis::kMargin;
        } else {
            denominator = mfe;
            p.basis = mfe > 0 ? ExcursionBasis::kMaxProfit : ExcursionBasis::kUnknown;
        }
        if (denominator > 0) {
            p.mfe_percent = 100 * mfe / denominator;
            p.mae_percent = 100 * mae / denominator;
        }
        if (mfe > 0) {
            p.profit_capture_percent = 100 * p.pl / mfe;
        }
        if (mfe > 0 && mae > 0) {
            p.excursion_ratio = mfe / mae;
        }
        points.push_back(p);
    }
    return points;
}

std::vector<ExcursionBucket> reference_buckets(std::span<const ExcursionPoint> points,
                                               double size) {
    double highest = 0;
    for (const ExcursionPoint& p : points) {
        highest = std::max({highest, p.mfe_percent.value_or(0), p.mae_percent.value_or(0)});
    }
    // A width that would give more buckets than anybody can use is widened, as under kCorrect.
    if (!std::isfinite(highest) || !(size > 0)) {
        return {};
    }
    if (std::ceil(highest / size) > static_cast<double>(kMaxReferenceBuckets)) {
        size = highest / static_cast<double>(kMaxExcursionBuckets);
    }
    std::vector<ExcursionBucket> buckets(
        std::min(kMaxReferenceBuckets, static_cast<std::size_t>(std::ceil(highest / size))));
    for (std::size_t i = 0; i < buckets.size(); ++i) {
        buckets[i].from = static_cast<double>(i) * size;
        buckets[i].to = static_cast<double>(i + 1) * size;
    }
    for (const ExcursionPoint& p : points) {
        const auto count = [&](std::optional<double> percent, std::int64_t ExcursionBucket::*side) {
            const auto index = static_cast<std::size_t>(percent.value_or(0) / size);
            if (percent.value_or(0) > 0 && index < buckets.size()) {
                ++(buckets[index].*side);
            }
        };
        count(p.mfe_percent, &ExcursionBucket::mfe_count);
        count(p.mae_percent, &ExcursionBucket::mae_count);
    }
    return buckets;
}

void summarize(ExcursionChart& chart, Conventions conventions) {
    std::vector<double> mfe;
    std::vector<double> mae;
    std::vector<double> capture;
    std::vector<double> ratio;
    for (const ExcursionPoint& p : chart.points) {
        if (p.mfe.value_or(0) > 0) {
            ++chart.trades_with_mfe;
            mfe.push_back(p.mfe_percent.value_or(0));
        }
        if (p.mae.value_or(0) > 0) {
            ++chart.trades_with_mae;
            mae.push_back(p.mae_percent.value_or(0));
        }
        if (p.profit_capture_percent) {
            capture.push_back(*p.profit_capture_percent);
        }
        if (p.excursion_ratio) {
            ratio.push_back(*p.excursion_ratio);
        }
    }
    const auto average = [&](const std::vector<double>& values) {
        const std::optional<double> m = mean(values);
        return m || conventions == Conventions::kCorrect ? m : std::optional(0.0);
    };
    chart.total_trades = static_cast<std::int64_t>(chart.points.size());
    chart.avg_mfe_percent = average(mfe);
    chart.avg_mae_percent = average(mae);
    chart.avg_profit_capture = average(capture);
    chart.avg_excursion_ratio = average(ratio);
}

}  // namespace

std::optional<double> return_on_margin(const Trade& trade) {
    return trade.margin_req > 0 ? std::optional(100 * trade.net_pl() / trade.margin_req)
                                : std::nullopt;
}

MonthTable monthly_returns(std::span<const Trade> trades) {
    MonthTable table;
    for (const auto& [month, sum] : month_sums(trades)) {
        cell(table, month.first, month.second) = sum.value();
    }
    return table;
}

MonthTable monthly_returns_percent(std::span<const Trade> trades, double start,
                                   Conventions conventions) {
    MonthTable table;
    const double none =
        conventions == Conventions::kReference ? 0 : std::numeric_limits<double>::quiet_NaN();
    CompensatedSum capital(start);
    for (const auto& [month, sum] : month_sums(trades)) {
        const double before = capital.value();
        cell(table, month.first, month.second) = before > 0 ? 100 * sum.value() / before : none;
        capital.add(sum.value());
    }
    return table;
}

std::vector<DistributionBucket> return_distribution(std::span<const Trade> trades,
                                                    std::int32_t bucket_count,
                                                    Conventions conventions) {
    if (trades.empty() || bucket_count < 1) {
        return {};
    }
    double low = trades.front().net_pl();
    double high = low;
    for (const Trade& t : trades) {
        low = std::min(low, t.net_pl());
        high = std::max(high, t.net_pl());
    }
    const double range = high > low ? high - low : 1;
    const double width = range / bucket_count;
    const auto count = static_cast<std::size_t>(bucket_count);
    std::vector<DistributionBucket> buckets(count);
    for (std::size_t i = 0; i < count; ++i) {
        buckets[i].from = low + static_cast<double>(i) * width;
        buckets[i].to = low + static_cast<double>(i + 1) * width;
    }
    for (const Trade& t : trades) {
        const double p = t.net_pl();
        const double position = (p - low) / width;
        std::size_t i =
            position < static_cast<double>(count) ? static_cast<std::size_t>(position) : count - 1;
        // The bounds decide, not the division.
        while (i > 0 && p < buckets[i].from) {
            --i;
        }
        while (i + 1 < count && p >= buckets[i].to) {
            ++i;
        }
        const bool lost = conventions == Conventions::kReference && p > buckets[i].to;
        buckets[i].count += lost ? 0 : 1;
    }
    return buckets;
}

std::vector<WeekdayRow> day_of_week(std::span<const Trade> trades) {
    struct Day {
        CompensatedSum pl;
        CompensatedSum rom;
        std::int64_t count = 0;
        std::int64_t with_margin = 0;
    };
    std::array<Day, 7> days;
    for (const Trade& t : trades) {
        Day& day = days[static_cast<std::size_t>(t.realized_on().weekday())];
        day.pl.add(t.net_pl());
        ++day.count;
        if (const auto rom = return_on_margin(t)) {
            day.rom.add(*rom);
            ++day.with_margin;
        }
    }
    std::vector<WeekdayRow> rows;
    for (std::size_t i = 0; i < days.size(); ++i) {
        const Day& day = days[i];
        rows.push_back(
            {kWeekdays[i], day.count,
             day.count == 0 ? 0 : day.pl.value() / static_cast<double>(day.count), day.pl.value(),
             day.with_margin == 0 ? 0 : day.rom.value() / static_cast<double>(day.with_margin)});
    }
    return rows;
}

StreakChart streak_chart(std::span<const Trade> trades, Conventions conventions) {
    std::vector<double> pl;
    pl.reserve(trades.size());
    for (const std::uint32_t index : conventions == Conventions::kReference
                                         ? realday_order(trades)
                                         : realization_order(trades)) {
        pl.push_back(trades[index].net_pl());
    }
    return {streak_distribution(pl), runs_test(pl, kRunsTestTrades, conventions)};
}

std::vector<SequencePoint> trade_sequence(std::span<const Trade> trades, Conventions conventions) {
    std::vector<SequencePoint> points;
    points.reserve(trades.size());
    const TradeOrder order = result_order(trades, conventions);
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Trade& t = trades[order[i]];
        points.push_back({number(i), t.net_pl(), return_on_margin(t), t.realized_on(), t.margin_req,
                          t.strategy});
    }
    return points;
}

std::vector<RomPoint> rom_timeline(std::span<const Trade> trades, Conventions conventions) {
    std::vector<RomPoint> points;
    const TradeOrder order = result_order(trades, conventions);
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Trade& t = trades[order[i]];
        if (const auto rom = return_on_margin(t)) {
            points.push_back({t.realized_on(), *rom, number(i)});
        }
    }
    return points;
}

std::vector<RollingPoint> rolling_metrics(std::span<const Trade> trades, std::size_t window,
                                          Conventions conventions) {
    std::vector<RollingPoint> points;
    if (window == 0 || trades.size() < window) {
        return points;
    }
    const TradeOrder order = result_order(trades, conventions);
    std::vector<double> pl;
    pl.reserve(trades.size());
    for (const std::uint32_t index : order) {
        pl.push_back(trades[index].net_pl());
    }
    points.reserve(trades.size() - window + 1);
    RollingWindow rolling(std::move(pl), window);
    for (std::size_t i = 0; i + 1 < window; ++i) {
        rolling.skip(i);
    }
    for (std::size_t last = window - 1; last < trades.size(); ++last) {
        rolling.move_to(last);
        RollingPoint p;
        p.date = trades[order[last]].realized_on();
        p.trade_number = number(last);
        p.win_rate_pct = rolling.win_rate_pct();
        p.avg_pl = rolling.mean();
        p.volatility = rolling.population_sd();
        p.profit_factor = rolling_profit_factor(rolling.profit(), rolling.loss(), conventions);
        if (p.volatility > 0) {
            p.signal_to_noise = p.avg_pl / p.volatility;
        } else if (conventions == Conventions::kReference) {
            p.signal_to_noise = 0;
        }
        points.push_back(p);
    }
    return points;
}

std::vector<ExitReasonRow> exit_reasons(std::span<const Trade> trades) {
    struct Group {
        CompensatedSum pl;
        CompensatedSum rom;
        std::int64_t count = 0;
        std::int64_t with_margin = 0;
    };
    std::unordered_map<std::string_view, std::size_t> known;
    std::vector<std::pair<std::string_view, Group>> groups;
    for (const Trade& t : trades) {
        std::string_view reason = trimmed(t.reason_for_close);
        if (reason.empty()) {
            reason = "Unknown";
        }
        const auto [at, added] = known.try_emplace(reason, groups.size());
        if (added) {
            groups.emplace_back(reason, Group());
        }
        Group& group = groups[at->second].second;
        group.pl.add(t.net_pl());
        ++group.count;
        if (const auto rom = return_on_margin(t)) {
            group.rom.add(*rom);
            ++group.with_margin;
        }
    }
    std::vector<ExitReasonRow> rows;
    for (const auto& [reason, group] : groups) {
        ExitReasonRow row{std::string(reason), group.count, group.pl.value(),
                          group.pl.value() / static_cast<double>(group.count), std::nullopt};
        if (group.with_margin > 0) {
            row.avg_rom = group.rom.value() / static_cast<double>(group.with_margin);
        }
        rows.push_back(std::move(row));
    }
    std::stable_sort(rows.begin(), rows.end(), [](const ExitReasonRow& a, const ExitReasonRow& b) {
        return a.count > b.count;
    });
    return rows;
}

std::vector<HoldingPoint> holding_periods(std::span<const Trade> trades, Conventions conventions) {
    std::vector<HoldingPoint> points;
    points.reserve(trades.size());
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        HoldingPoint p;
        p.trade_number = number(i);
        p.date_opened = t.date_opened;
        p.date_closed = t.date_closed;
        p.pl = t.net_pl();
        p.strategy = t.strategy;
        if (t.date_closed) {
            p.duration_days = *t.date_closed - t.date_opened;
            p.duration_hours = 24 * p.duration_days;
            if (conventions == Conventions::kCorrect && t.time_opened && t.time_closed) {
                p.duration_hours += (t.time_closed->seconds() - t.time_opened->seconds()) / 3600.0;
            }
        }
        points.push_back(p);
    }
    return points;
}

std::vector<EfficiencyPoint> premium_efficiency_series(std::span<const Trade> trades,
                                                       Conventions conventions) {
    std::vector<EfficiencyPoint> points;
    points.reserve(trades.size());
    const TradeOrder order = result_order(trades, conventions);
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Trade& t = trades[order[i]];
        EfficiencyPoint p;
        p.trade_number = number(i);
        p.date = t.realized_on();
        p.pl = t.net_pl();
        p.premium = t.premium;
        p.strategy = t.strategy;
        double base = std::fabs(t.premium);
        if (conventions == Conventions::kCorrect) {
            p.premium_dollars = premium_dollars(t);
            base = p.premium_dollars.value_or(0);
        }
        if (base > 0) {
            p.efficiency_pct = 100 * p.pl / base;
        }
        points.push_back(p);
    }
    return points;
}

std::vector<MarginPoint> margin_utilization(std::span<const Trade> trades, const EquityCurve& curve,
                                            Conventions conventions) {
    std::vector<MarginPoint> points;
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        MarginPoint p;
        p.trade_number = number(i);
        p.date = t.date_opened;
        p.margin_req = t.margin_req;
        p.funds_at_close = conventions == Conventions::kReference ? curve.points[i + 1].equity
                                                                  : curve.equity_of_trade[i];
        p.contracts = t.contracts;
        p.pl = t.net_pl();
        if (p.margin_req == 0 && p.funds_at_close == 0) {
            continue;
        }
        if (p.funds_at_close > 0) {
            p.utilization_pct = 100 * p.margin_req / p.funds_at_close;
        }
        points.push_back(p);
    }
    return points;
}

std::vector<VolatilityPoint> volatility_regimes(std::span<const Trade> trades) {
    std::vector<VolatilityPoint> points;
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        if (t.opening_vix || t.closing_vix) {
            points.push_back({number(i), t.date_opened, t.opening_vix, t.closing_vix, t.net_pl(),
                              return_on_margin(t)});
        }
    }
    return points;
}

ExcursionChart excursion_chart(std::span<const Trade> trades, double bucket_size,
                               Conventions conventions) {
    ExcursionChart chart;
    if (conventions == Conventions::kReference) {
        chart.points = reference_excursions(trades);
        chart.buckets = reference_buckets(chart.points, bucket_size);
        summarize(chart, conventions);
        return chart;
    }
    const std::vector<ExcursionRecord> records = excursion_records(trades, conventions);
    for (const ExcursionRecord& r : records) {
        const Trade& t = trades[r.trade_index];
        chart.points.push_back({number(r.trade_index), t.date_opened, t.strategy, r.mfe, r.mae,
                                r.pl, r.mfe_percent, r.mae_percent, r.profit_capture_percent,
                                r.excursion_ratio, r.basis, r.is_winner});
    }
    chart.buckets = excursion_distribution(records, bucket_size);
    summarize(chart, conventions);
    return chart;
}

}  // namespace tb::analytics
