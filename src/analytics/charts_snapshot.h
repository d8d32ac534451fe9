// The chart family of exports (02 §5 "Performance snapshot") and the older chart calculator, where
// they differ from charts.h: the equity curve may come from the daily log, months and weekdays
// group by opening day, and the reference uses the reported P/L throughout. Under kCorrect P/L is
// net and months and weekdays group by realization day, so that an export agrees with the charts.
// Rolling metrics, excursions and exposure are those of charts.h (window 30), excursion.h and
// exposure.h.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/charts.h"
#include "analytics/statistics.h"
#include "analytics/streaks.h"
#include "analytics/trade.h"

namespace tb::analytics {

inline constexpr std::size_t kSnapshotRollingWindow = 30;

struct SnapshotPoint {
    Date date;
    std::int32_t offset_seconds = 0;  // 0, 1, 2, ... within a day: makes instants unique
    double equity = 0;
    double high_water_mark = 0;
};
struct SnapshotDrawdown {
    Date date;
    double drawdown_pct = 0;  // <= 0
};
struct SnapshotCurve {
    ReturnSource source = ReturnSource::kRealizedTrades;
    std::vector<SnapshotPoint> equity;
    // Per log entry, or at the end of each realization day.
    std::vector<SnapshotDrawdown> drawdown;
};
// `whole_account`: neither a strategy filter nor one-lot is active. Then the log is used where
// there is one (drawdown: its own percent under kReference, of the flow-adjusted balance under
// kCorrect), else the stated funds of each trade (kReference) or start capital plus net P/L
// (kCorrect). For a part of the account: running P/L from the capital of the trades given.
[[nodiscard]] SnapshotCurve snapshot_curve(std::span<const Trade> trades,
                                           std::span<const DailyLogEntry> log, bool whole_account,
                                           Conventions conventions);

struct SnapshotWeekday {
    const char* day = "";
    std::int64_t count = 0;
    double avg_pl = 0;
};
[[nodiscard]] MonthTable snapshot_monthly(std::span<const Trade> trades, Conventions conventions);
// 100*month P/L over the first log balance of the month (kReference: an end-of-day value that
// already holds the first day's P/L; kCorrect: the balance before that day). Months the log does
// not have, and all without one: over the running capital from `start`.
[[nodiscard]] MonthTable snapshot_monthly_percent(std::span<const Trade> trades,
                                                  std::span<const DailyLogEntry> log, double start,
                                                  Conventions conventions);
[[nodiscard]] std::vector<SnapshotWeekday> snapshot_weekdays(std::span<const Trade> trades,
                                                             Conventions conventions);
// As realized (kReference: LOAD order), runs test from two trades on.
[[nodiscard]] StreakChart snapshot_streaks(std::span<const Trade> trades, Conventions conventions);

// Middle element of the sorted values, the upper one of two: what exports call median. nullopt when
// empty.
[[nodiscard]] std::optional<double> upper_median(std::vector<double> values);

// --- older chart calculator ---------------------------------------------------------------------

struct CumulativePoint {
    Date date;  // opening day
    double cumulative_pl = 0;
    double drawdown_pct = 0;  // of the peak of cumulative P/L, 0 while that is not positive; <= 0
};
// Running reported P/L per opening day: relative to profits, not to the account.
[[nodiscard]] std::vector<CumulativePoint> cumulative_pl(std::span<const Trade> trades);

struct RollingSharpePoint {
    Date date;
    std::optional<double> sharpe_ratio;
};
// Statistics' Sharpe ratio over the trades of the last `days` distinct realization days, per such
// day.
[[nodiscard]] std::vector<RollingSharpePoint> rolling_sharpe(std::span<const Trade> trades,
                                                             std::size_t days,
                                                             const StatisticsOptions& options);

}  // namespace tb::analytics
