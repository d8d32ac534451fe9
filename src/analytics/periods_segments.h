// Month, quarter and year segments of a block for edge-decay analysis (02 §5 "Period
// segmentation"): statistics per segment, trends across segments, runs of losing months.
//
// Segments group by opening day (kReference) or realization day (kCorrect, 02 I-4). Percent and
// dollar fields as in statistics.h.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analytics/numerics.h"
#include "analytics/statistics.h"
#include "analytics/trade.h"

namespace tb::analytics {

enum class SegmentLength { kMonth, kQuarter, kYear };

struct PeriodSegment {
    std::string key;            // "2025-01", "2025-Q1", "2025"
    std::string label;          // "January 2025", "Q1 2025", "2025"
    std::int32_t position = 0;  // whole periods since the first segment's
    Date start_date;            // first and last grouping day with a trade
    Date end_date;
    std::int64_t trade_count = 0;
    bool is_partial = false;     // fewer than 5 trades, or the first or last period
    std::string partial_reason;  // empty unless partial
    double win_rate = 0;         // fraction
    std::optional<double> profit_factor;
    bool profit_factor_infinite = false;
    double kelly_pct = 0;  // 0 when not valid
    std::optional<double> sharpe_ratio;
    double net_pl = 0;
    double total_pl = 0;
    double total_commissions = 0;
    // Month: 100*net_pl/start capital of the month's trades; quarter and year: mean of its months.
    // kReference: 0 where the capital is not positive; kCorrect: nullopt.
    std::optional<double> avg_monthly_return_pct;
};

// OLS over the segments; kReference: infinite profit factors count 0 and undefined Sharpe ratios
// are re-indexed; kCorrect (02 I-21): undefined values are left out at their own position.
struct SegmentTrends {
    std::optional<Trend> win_rate;
    std::optional<Trend> profit_factor;
    std::optional<Trend> kelly_pct;
    std::optional<Trend> avg_monthly_return_pct;
    std::optional<Trend> net_pl;
    std::optional<Trend> trade_count;
    std::optional<Trend> sharpe_ratio;
};

struct LosingRun {
    std::string first_month;
    std::string last_month;
    std::int64_t months = 0;
    double net_pl = 0;
};
struct LosingMonths {
    std::vector<LosingRun> runs;       // months with trades and net P/L below zero, in order
    std::optional<LosingRun> worst;    // longest, then most negative
    std::optional<LosingRun> current;  // the one ending with the last month
};

struct SegmentationQuality {
    std::int64_t trades = 0;
    std::int64_t months = 0;
    std::int64_t quarters = 0;
    std::int64_t years = 0;
    bool sufficient_for_trends = false;  // 3 years or 3 quarters
    std::vector<std::string> warnings;
};

struct PeriodSegmentation {
    std::vector<PeriodSegment> months;
    std::vector<PeriodSegment> quarters;
    std::vector<PeriodSegment> years;
    SegmentTrends quarterly_trends;
    SegmentTrends yearly_trends;
    LosingMonths losing_months;
    SegmentationQuality quality;
};

[[nodiscard]] PeriodSegmentation segment_periods(const TradeSet& set,
                                                 const StatisticsOptions& options);

}  // namespace tb::analytics
