// How much capital a strategy's record supports, by the Kelly criterion (get_position_sizing,
// 02 §4.9). Kelly figures themselves: kelly.h.
//
// A Kelly fraction f is multiplied (full 1, half 0.5, quarter 0.25) and capped; a negative one
// means "do not trade" and allocates nothing. Kelly takes each strategy as if it were alone:
// strategies that run at the same time share one account, so kCorrect also reports the sum and
// amounts scaled to at most 100 % of the capital (02 I-42), honours use_margin_returns (I-18) and
// uses net P/L (I-17). kReference does none of these.
//
// Thread-safe: position_sizing is pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analytics/kelly.h"
#include "analytics/statistics_types.h"
#include "analytics/trade.h"
#include "core/result.h"

namespace tb::analytics {

enum class KellyFraction { kFull, kHalf, kQuarter };
// 1, 0.5, 0.25
[[nodiscard]] double kelly_multiplier(KellyFraction fraction);

enum class SizingSort { kKelly, kName, kWinRate, kPayoffRatio, kAllocation };

struct PositionSizingOptions {
    double capital_base = 0;  // dollars, > 0
    KellyFraction kelly_fraction = KellyFraction::kHalf;
    double max_allocation_pct = 25;  // 1..100, per strategy and for the portfolio
    bool include_negative_kelly = true;
    bool use_margin_returns = false;
    std::int64_t min_trades = 10;  // >= 1; strategies below it are skipped, not the portfolio
    SizingSort sort_by = SizingSort::kKelly;
    bool descending = true;
};

// nullopt fields: no winner or no loser, so there is no Kelly fraction (a Note says so).
struct PortfolioSizing {
    KellyMetrics kelly;
    std::optional<double> adjusted_fraction;       // min(f * multiplier, cap); may be negative
    std::optional<double> recommended_allocation;  // dollars: capital * max(0, adjusted)
    std::optional<double> full_kelly;              // min(f, cap)
    std::optional<double> half_kelly;              // min(f/2, cap)
    std::optional<double> quarter_kelly;           // min(f/4, cap)
};

struct StrategySizing {
    std::string name;
    std::int64_t trade_count = 0;
    KellyMetrics kelly;
    double raw_allocation = 0;       // dollars: capital * max(0, f)
    double adjusted_allocation = 0;  // dollars: capital * max(0, min(f * multiplier, cap))
    // adjusted_allocation, reduced in proportion when all of them exceed the capital.
    double scaled_allocation = 0;
};

struct SkippedStrategy {
    std::string name;
    std::int64_t trade_count = 0;
};

struct PositionSizingResult {
    double kelly_multiplier = 0;
    double max_allocation_fraction = 0;
    PortfolioSizing portfolio;
    std::vector<StrategySizing> strategies;
    std::vector<SkippedStrategy> skipped;  // fewer than min_trades, in order of first appearance
    double total_allocation = 0;           // dollars: sum of adjusted_allocation
    double total_allocation_pct = 0;       // percent of the capital
    std::vector<Note> notes;
    std::vector<std::string> warnings;
};

// `trades` is filtered already. kInvalidArgument: no trades, or an option out of bounds.
[[nodiscard]] Result<PositionSizingResult> position_sizing(const TradeSet& trades,
                                                           const PositionSizingOptions& options,
                                                           Conventions conventions);

}  // namespace tb::analytics
