#include "analytics/charts_snapshot.h"

#include <algorithm>
#include <array>
#include <map>

#include "analytics/numerics.h"
#include "analytics/realization.h"
#include "analytics/returns_order.h"

namespace tb::analytics {

namespace {

bool is_reference(Conventions conventions) {
    return conventions == Conventions::kReference;
}

double pl_of(const Trade& t, Conventions conventions) {
    return is_reference(conventions) ? t.pl : t.net_pl();
}
Date day_of(const Trade& t, Conventions conventions) {
    return is_reference(conventions) ? t.date_opened : t.realized_on();
}

double drawdown_of(double equity, double peak) {
    return peak > 0 ? 100 * (equity - peak) / peak : 0;
}

SnapshotCurve curve_from_log(std::span<const DailyLogEntry> log, Conventions conventions) {
    SnapshotCurve curve;
    curve.source = ReturnSource::kDailyLog;
    const DailyEquity daily = daily_equity_from_log(log, conventions);
    double equity_peak = 0;
    double adjusted_peak = daily.start;
    for (std::size_t i = 0; i < log.size(); ++i) {
        equity_peak = std::max(equity_peak, log[i].net_liquidity);
        adjusted_peak = std::max(adjusted_peak, daily.end_of_day[i]);
        curve.equity.push_back({log[i].date, 0, log[i].net_liquidity, equity_peak});
        curve.drawdown.push_back(
            {log[i].date, is_reference(conventions)
                              ? log[i].drawdown_pct
                              : drawdown_of(daily.end_of_day[i], adjusted_peak)});
    }
    return curve;
}

using MonthSums = std::map<std::pair<std::int32_t, std::int32_t>, CompensatedSum>;

MonthSums month_sums(std::span<const Trade> trades, Conventions conventions) {
    MonthSums months;
    for (const Trade& t : trades) {
        const YearMonthDay ymd = day_of(t, conventions).ymd();
        months[{ymd.year, ymd.month}].add(pl_of(t, conventions));
    }
    return months;
}

double& cell(MonthTable& table, std::pair<std::int32_t, std::int32_t> month) {
    return table[month.first][static_cast<std::size_t>(month.second - 1)];
}

}  // namespace

SnapshotCurve snapshot_curve(std::span<const Trade> trades, std::span<const DailyLogEntry> log,
                             bool whole_account, Conventions conventions) {
    if (whole_account && !log.empty()) {
        return curve_from_log(log, conventions);
    }
    SnapshotCurve curve;
    const double start = initial_capital(trades, {}, conventions).dollars.value_or(0);
    CompensatedSum balance(start);
    double peak = start;
    double day_peak = start;
    for (const std::uint32_t index :
         is_reference(conventions) ? closefull_order(trades) : realization_order(trades)) {
        const Trade& t = trades[index];
        const Date date = t.realized_on();
        balance.add(pl_of(t, conventions));
        const bool stated = is_reference(conventions) && whole_account && t.funds_at_close;
        const double equity = stated ? *t.funds_at_close : balance.value();
        peak = std::max(peak, equity);
        const bool new_day = curve.equity.empty() || curve.equity.back().date != date;
        const std::int32_t offset = new_day ? 0 : curve.equity.back().offset_seconds + 1;
        curve.equity.push_back({date, offset, equity, peak});
        if (new_day) {
            // The day before is complete: its last balance may be a peak.
            day_peak = curve.equity.size() < 2
                           ? day_peak
                           : std::max(day_peak, curve.equity[curve.equity.size() - 2].equity);
            curve.drawdown.push_back({date, 0});
        }
        curve.drawdown.back().drawdown_pct = drawdown_of(equity, std::max(day_peak, equity));
    }
    return curve;
}

MonthTable snapshot_monthly(std::span<const Trade> trades, Conventions conventions) {
    MonthTable table;
    for (const auto& [month, sum] : month_sums(trades, conventions)) {
        cell(table, month) = sum.value();
    }
    return table;
}

MonthTable snapshot_monthly_percent(std::span<const Trade> trades,
                                    std::span<const DailyLogEntry> log, double start,
                                    Conventions conventions) {
    std::map<std::pair<std::int32_t, std::int32_t>, double> logged;
    for (const DailyLogEntry& e : log) {
        const YearMonthDay ymd = e.date.ymd();
        const double balance =
            is_reference(conventions) ? e.net_liquidity : e.net_liquidity - e.daily_pl;
        logged.try_emplace({ymd.year, ymd.month}, balance);
    }
    MonthTable table;
    CompensatedSum capital(start);
    for (const auto& [month, sum] : month_sums(trades, conventions)) {
        const auto at = logged.find(month);
        const double base = at != logged.end() ? at->second : capital.value();
        cell(table, month) = base > 0 ? 100 * sum.value() / base : 0;
        capital.add(sum.value());
    }
    return table;
}

std::vector<SnapshotWeekday> snapshot_weekdays(std::span<const Trade> trades,
                                               Conventions conventions) {
    constexpr std::array kNames = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                   "Friday", "Saturday", "Sunday"};
    std::array<CompensatedSum, 7> sums;
    std::array<std::int64_t, 7> counts{};
    for (const Trade& t : trades) {
        const auto weekday = static_cast<std::size_t>(day_of(t, conventions).weekday());
        sums[weekday].add(pl_of(t, conventions));
        ++counts[weekday];
    }
    std::vector<SnapshotWeekday> rows;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        const double average =
            counts[i] == 0 ? 0 : sums[i].value() / static_cast<double>(counts[i]);
        rows.push_back({kNames[i], counts[i], average});
    }
    return rows;
}

StreakChart snapshot_streaks(std::span<const Trade> trades, Conventions conventions) {
    std::vector<double> pl;
    pl.reserve(trades.size());
    if (is_reference(conventions)) {
        for (const Trade& t : trades) {
            pl.push_back(pl_of(t, conventions));
        }
    } else {
        for (const std::uint32_t index : realization_order(trades)) {
            pl.push_back(pl_of(trades[index], conventions));
        }
    }
    return {streak_distribution(pl), runs_test(pl, 2, conventions)};
}

std::optional<double> upper_median(std::vector<double> values) {
    if (values.empty()) {
        return std::nullopt;
    }
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

std::vector<CumulativePoint> cumulative_pl(std::span<const Trade> trades) {
    std::map<Date, CompensatedSum> days;
    for (const Trade& t : trades) {
        days[t.date_opened].add(t.pl);
    }
    std::vector<CumulativePoint> points;
    CompensatedSum running;
    double peak = 0;
    for (const auto& [date, sum] : days) {
        running.add(sum.value());
        peak = std::max(peak, running.value());
        points.push_back({date, running.value(), drawdown_of(running.value(), peak)});
    }
    return points;
}

std::vector<RollingSharpePoint> rolling_sharpe(std::span<const Trade> trades, std::size_t days,
                                               const StatisticsOptions& options) {
    std::vector<RollingSharpePoint> points;
    const TradeOrder order = realday_order(trades);
    std::vector<std::size_t> first_of_day;
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (i == 0 || trades[order[i]].realized_on() != trades[order[i - 1]].realized_on()) {
            first_of_day.push_back(i);
        }
    }
    for (std::size_t d = 0; days > 0 && d + days <= first_of_day.size(); ++d) {
        const std::size_t end =
            d + days < first_of_day.size() ? first_of_day[d + days] : order.size();
        TradeOrder window(order.begin() + static_cast<std::ptrdiff_t>(first_of_day[d]),
                          order.begin() + static_cast<std::ptrdiff_t>(end));
        const Date date = trades[window.back()].realized_on();
        std::sort(window.begin(), window.end());  // back to LOAD order
        std::vector<Trade> rows;
        rows.reserve(window.size());
        for (const std::uint32_t index : window) {
            rows.push_back(trades[index]);
        }
        points.push_back({date, portfolio_statistics(rows, {}, options).stats.sharpe_ratio});
    }
    return points;
}

}  // namespace tb::analytics
