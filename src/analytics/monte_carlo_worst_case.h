// Synthetic worst-case losses for Monte Carlo paths (02 §4.6).
//
// Thread-safe: all functions are pure.
#pragma once

#include <span>
#include <vector>

#include "analytics/monte_carlo.h"

namespace tb::analytics {

// The losses of each strategy that has a positive one, and how many entries of the budget
// min(L, max(1, ceil(L * pct/100))) fall to it: equal shares, or in proportion to trade counts, by
// largest remainder. The size of a strategy's loss is the largest, over its trades, of the margin,
// the MaxLoss column and the realized loss.
//
// kCorrect converts MaxLoss from percent of premium to dollars (02 §2.10), takes net P/L, relates
// each loss to the account before its trade (F - P, or the start capital where F is blank), and
// divides by the contracts for one-lot. kReference takes MaxLoss as dollars, reported P/L and
// max(1, F - pl), and divides only absolute sizes, by the rounded mean of contracts.
[[nodiscard]] std::vector<WorstCaseLoss> worst_case_losses(const TradeSet& trades,
                                                           const MonteCarloSettings& settings,
                                                           Conventions conventions);

// The losses written out, one value per entry.
[[nodiscard]] std::vector<double> worst_case_values(std::span<const WorstCaseLoss> losses);

}  // namespace tb::analytics
