// The series of get_performance_charts (02 §4.10). One function per chart; the caller filters the
// trades (filters.h), normalizes them when asked (equity.h) and cuts or thins long series.
//
// Series that follow results (equity curve, streaks, sequence, return on margin, rolling metrics,
// premium efficiency: those dated by realization) count trades from 1 as realized (realization.h);
// those dated by opening (holding periods, margin utilization, VIX, excursions) in LOAD order,
// which kReference has for all but the equity curve. P/L is net. Rom is 100*P/margin, absent
// without margin. A figure that is infinite or undefined is nullopt.
//
// Thread-safe: all functions are pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/equity.h"
#include "analytics/excursion.h"
#include "analytics/exposure.h"
#include "analytics/filters.h"
#include "analytics/streaks.h"
#include "analytics/trade.h"

namespace tb::analytics {

// 100*P/M; nullopt unless M > 0.
[[nodiscard]] std::optional<double> return_on_margin(const Trade& trade);

// Year -> January..December.
using MonthTable = std::map<std::int32_t, std::array<double, 12>>;
// Sum of P by realization month; 0 in months without trades of years that have some.
[[nodiscard]] MonthTable monthly_returns(std::span<const Trade> trades);
// 100*P_month/capital; capital starts at `start` and takes each month's P; 0 in months without
// trades. Once the capital is 0 or less a month with trades has no percent: NaN (kReference: 0).
[[nodiscard]] MonthTable monthly_returns_percent(std::span<const Trade> trades, double start,
                                                 Conventions conventions = Conventions::kCorrect);

struct DistributionBucket {
    double from = 0;  // dollars, inclusive
    double to = 0;    // exclusive, but inclusive in the last bucket
    std::int64_t count = 0;
};
// `bucket_count` equal buckets over [min P, max P] (a range of 1 when all are equal). The computed
// end of the last one can lie below the maximum by a rounding: the reference then loses the best
// trades, ours counts them in the last bucket.
[[nodiscard]] std::vector<DistributionBucket> return_distribution(std::span<const Trade> trades,
                                                                  std::int32_t bucket_count,
                                                                  Conventions conventions);

struct WeekdayRow {
    const char* day = "";  // "Monday" .. "Sunday"
    std::int64_t count = 0;
    double avg_pl = 0;
    double total_pl = 0;
    double avg_rom_percent = 0;  // mean over trades with margin, 0 without any
};
[[nodiscard]] std::vector<WeekdayRow> day_of_week(std::span<const Trade> trades);

struct StreakChart {
    StreakDistribution distribution;
    std::optional<RunsTest> runs_test;  // nullopt below 20 trades or with one kind of result only
};
// As realized; kReference: in order of realization days only.
[[nodiscard]] StreakChart streak_chart(std::span<const Trade> trades, Conventions conventions);

struct SequencePoint {
    std::int64_t trade_number = 0;
    double pl = 0;
    std::optional<double> rom;
    Date date;  // realization day
    double margin_req = 0;
    std::uint32_t strategy = 0;
};
[[nodiscard]] std::vector<SequencePoint> trade_sequence(
    std::span<const Trade> trades, Conventions conventions = Conventions::kCorrect);

struct RomPoint {
    Date date;  // realization day
    double rom = 0;
    std::int64_t trade_number = 0;
};
// Trades with margin only.
[[nodiscard]] std::vector<RomPoint> rom_timeline(std::span<const Trade> trades,
                                                 Conventions conventions = Conventions::kCorrect);

struct RollingPoint {
    Date date;  // realization day of the window's last trade
    std::int64_t trade_number = 0;
    double win_rate_pct = 0;
    // Mean P/L of a trade over its population sd, not annualized: not the Sharpe ratio of the
    // statistics. 0 (kReference) or nullopt (kCorrect) when the P/L does not vary.
    std::optional<double> signal_to_noise;
    // No loss: 999 (kReference) or nullopt (kCorrect, infinite); 0 without a profit.
    std::optional<double> profit_factor;
    double volatility = 0;  // population sd of P, dollars
    double avg_pl = 0;
};
// Windows of `window` trades as realized (kReference: LOAD order); empty when there are fewer
// trades. One sweep: sums are updated by the trade that enters and the one that leaves, and rebuilt
// around the window's own mean every `window` steps, so that neither drift nor cancellation grows.
[[nodiscard]] std::vector<RollingPoint> rolling_metrics(std::span<const Trade> trades,
                                                        std::size_t window,
                                                        Conventions conventions);

struct ExitReasonRow {
    std::string reason;  // trimmed; "Unknown" when blank
    std::int64_t count = 0;
    double total_pl = 0;
    double avg_pl = 0;
    std::optional<double> avg_rom;  // over trades with margin
};
// Most frequent first, ties by first appearance.
[[nodiscard]] std::vector<ExitReasonRow> exit_reasons(std::span<const Trade> trades);

struct HoldingPoint {
    std::int64_t trade_number = 0;
    Date date_opened;
    std::optional<Date> date_closed;
    // kReference: 24 * days (02 I-44). kCorrect: with the times of day, wall clock; whole days
    // where a time is missing. 0 while open.
    double duration_hours = 0;
    double duration_days = 0;  // difference of the dates
    double pl = 0;
    std::uint32_t strategy = 0;
};
[[nodiscard]] std::vector<HoldingPoint> holding_periods(std::span<const Trade> trades,
                                                        Conventions conventions);

struct EfficiencyPoint {
    std::int64_t trade_number = 0;
    Date date;  // realization day
    double pl = 0;
    double premium = 0;                     // as in the file
    std::optional<double> premium_dollars;  // kCorrect: of the whole position
    // kReference: 100*P/|premium| as written; kCorrect: of the dollars (02 I-45).
    std::optional<double> efficiency_pct;
    std::uint32_t strategy = 0;
};
[[nodiscard]] std::vector<EfficiencyPoint> premium_efficiency_series(std::span<const Trade> trades,
                                                                     Conventions conventions);

struct MarginPoint {
    std::int64_t trade_number = 0;
    Date date;  // opening day
    double margin_req = 0;
    double funds_at_close = 0;              // balance of the equity curve, see below
    std::optional<double> utilization_pct;  // nullopt unless the balance is positive
    std::int32_t contracts = 1;
    double pl = 0;
};
// Margin in percent of the equity curve's balance: after this trade (kCorrect), or at the point
// with the same number although the curve is in another order (kReference, 02 I-43). Rows with
// neither margin nor balance are left out.
[[nodiscard]] std::vector<MarginPoint> margin_utilization(std::span<const Trade> trades,
                                                          const EquityCurve& curve,
                                                          Conventions conventions);

struct VolatilityPoint {
    std::int64_t trade_number = 0;
    Date date;  // opening day
    std::optional<double> opening_vix;
    std::optional<double> closing_vix;
    double pl = 0;
    std::optional<double> rom;
};
// Trades with a VIX value on either side.
[[nodiscard]] std::vector<VolatilityPoint> volatility_regimes(std::span<const Trade> trades);

struct ExcursionPoint {
    std::int64_t trade_number = 0;
    Date date;  // opening day
    std::uint32_t strategy = 0;
    std::optional<double> mfe;  // kReference: the percent as given; kCorrect: dollars
    std::optional<double> mae;
    double pl = 0;
    std::optional<double> mfe_percent;
    std::optional<double> mae_percent;
    std::optional<double> profit_capture_percent;
    std::optional<double> excursion_ratio;
    ExcursionBasis basis = ExcursionBasis::kUnknown;
    bool is_winner = false;
};
struct ExcursionChart {
    std::vector<ExcursionPoint> points;
    std::vector<ExcursionBucket> buckets;
    std::int64_t total_trades = 0;
    std::int64_t trades_with_mfe = 0;
    std::int64_t trades_with_mae = 0;
    // Means over points with the figure; kReference: 0 without any.
    std::optional<double> avg_mfe_percent;
    std::optional<double> avg_mae_percent;
    std::optional<double> avg_profit_capture;
    std::optional<double> avg_excursion_ratio;
};
// kReference: give it all trades of the block (it ignores filters) - percents are taken as dollars
// and related to the premium as written (02 I-45). kCorrect: give it the filtered trades; dollars
// by excursion.h; at most 500 buckets.
[[nodiscard]] ExcursionChart excursion_chart(std::span<const Trade> trades, double bucket_size,
                                             Conventions conventions);

}  // namespace tb::analytics
