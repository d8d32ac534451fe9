// Strategies side by side, blocks side by side, and the difference of two blocks (02 §4.2-§4.4).
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/filters.h"
#include "analytics/statistics.h"
#include "analytics/trade.h"
#include "core/result.h"

namespace tb::analytics {

// --- get_strategy_comparison --------------------------------------------------------------------

enum class StrategySort { kNetPl, kWinRate, kTrades, kProfitFactor, kName };

struct StrategyComparisonRequest {
    DateRange dates;  // by opening day under kReference, realization day under kCorrect (I-4)
    std::optional<std::string> ticker;
    std::optional<std::int64_t> min_trades;
    StrategySort sort_by = StrategySort::kNetPl;
    bool descending = true;
    std::optional<std::size_t> limit;
    Conventions conventions = Conventions::kCorrect;
};

struct StrategyRow {
    std::string name;
    std::int64_t trades = 0;
    double win_rate = 0;  // fraction
    double net_pl = 0;    // after fees; under kReference the sum of the reported P/L (I-26)
    double avg_win = 0;
    double avg_loss = 0;                  // negative
    std::optional<double> profit_factor;  // nullopt: no loss, but a profit (infinite)
    bool profit_factor_infinite = false;
};

struct StrategyComparison {
    std::vector<StrategyRow> strategies;  // sorted and cut to the limit; ties by first appearance
    std::int64_t total_strategies = 0;    // before the limit
    std::int64_t trades_analyzed = 0;
    DateField date_field = DateField::kRealized;  // what `dates` was applied to
};

// nullopt when the filters leave no trade.
[[nodiscard]] std::optional<StrategyComparison> strategy_comparison(
    const TradeSet& set, const StrategyComparisonRequest& request);

// --- compare_blocks -----------------------------------------------------------------------------

enum class BlockMetric {
    kTotalTrades,
    kWinRate,
    kNetPl,
    kSharpeRatio,
    kSortinoRatio,
    kMaxDrawdown,
    kProfitFactor,
    kCalmarRatio,
};
// JSON name ("sharpeRatio"), its inverse, and all of them in the tool's order.
[[nodiscard]] std::string_view block_metric_name(BlockMetric metric);
[[nodiscard]] std::optional<BlockMetric> block_metric_from_name(std::string_view name);
[[nodiscard]] std::span<const BlockMetric> all_block_metrics();
// nullopt where undefined (also an infinite profit factor).
[[nodiscard]] std::optional<double> block_metric_value(const PortfolioStatistics& stats,
                                                       BlockMetric metric);

// One block, or why it could not be read: a bad block does not fail the others (02 I-27).
struct BlockInput {
    std::string block_id;
    const TradeSet* set = nullptr;  // borrowed; null with `error`
    std::span<const DailyLogEntry> log;
    std::optional<Error> error;
};

struct BlockComparisonRow {
    std::string block_id;
    StatisticsResult statistics;
};
struct FailedBlock {
    std::string block_id;
    Error error;
};
struct BlockComparison {
    std::vector<BlockComparisonRow> blocks;  // sorted; undefined metrics sort as 0
    std::vector<FailedBlock> failed;         // in input order
};

// Statistics of whole blocks. `sort_by` nullopt = by name. Ties keep input order.
[[nodiscard]] BlockComparison compare_blocks(std::span<const BlockInput> blocks,
                                             std::optional<BlockMetric> sort_by, bool descending,
                                             const StatisticsOptions& options);

// --- block_diff ---------------------------------------------------------------------------------

struct DiffStrategySide {
    std::int64_t trades = 0;
    double net_pl = 0;  // as in StrategyRow
    double win_rate = 0;
    std::optional<double> profit_factor;
    bool profit_factor_infinite = false;
};
struct DiffStrategyRow {
    std::string strategy;
    std::optional<DiffStrategySide> a;
    std::optional<DiffStrategySide> b;
    // B - A; meaningful only when both sides exist.
    std::int64_t delta_trades = 0;
    double delta_net_pl = 0;
    double delta_win_rate = 0;
};
// Portfolio figures; each delta is B - A, nullopt if either is.
struct DiffTotals {
    std::optional<double> total_trades;
    std::optional<double> net_pl;
    std::optional<double> win_rate;
    std::optional<double> profit_factor;
    std::optional<double> sharpe_ratio;
    std::optional<double> max_drawdown_pct;
};
struct DiffBlock {
    std::int64_t trade_count = 0;
    std::vector<std::string> strategies;  // sorted by code
    StatisticsResult statistics;
};
struct BlockDiff {
    DiffBlock a;
    DiffBlock b;
    std::vector<std::string> shared;  // sorted by code
    std::vector<std::string> unique_to_a;
    std::vector<std::string> unique_to_b;
    double overlap_percent = 0;               // 100*shared/union; 0 when there is no strategy
    std::vector<DiffStrategyRow> strategies;  // shared, then A's, then B's
    DiffTotals totals_a;
    DiffTotals totals_b;
    DiffTotals delta;
    DateField date_field = DateField::kRealized;
};

// Trades cut by opening day (kReference) or realization day (kCorrect, I-4), logs by their date.
[[nodiscard]] BlockDiff block_diff(const BlockInput& a, const BlockInput& b, const DateRange& dates,
                                   const StatisticsOptions& options);

}  // namespace tb::analytics
