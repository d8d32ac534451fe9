// Kelly metrics: the fraction of capital that maximizes expected log growth E log(1 + f X) for a
// bet that wins b with probability p, loses 1 with probability q and else (1 - p - q) returns the
// stake: f = (b p - q)/(b (p + q)). Source: Kelly 1956; Thorp 2006, The Kelly criterion, for ties.
// A result of zero moves nothing, so it changes how fast the capital grows, not the fraction.
//
// kReference uses the reported P/L and takes a result of zero for a loss, f = (b p - (1-p))/b;
// kCorrect the net P/L after fees (02 I-17), and labels the method by the figure that was really
// used (02 I-18).
//
// Thread-safe: all functions are pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/trade.h"

namespace tb::analytics {

enum class KellyMethod { kAbsolute, kPercentage };

struct KellyMetrics {
    double fraction = 0;  // of capital, 0.05 = 5 percent; 0 if not valid; may be negative
    double percent = 0;   // 100*fraction
    double win_rate = 0;  // winners / all trades (kPercentage: winners / (winners + losers))
    double decided_win_rate = 0;   // winners / (winners + losers), what `fraction` rests on;
                                   // kReference, or without both: win_rate
    double avg_win = 0;            // dollars
    double avg_loss = 0;           // dollars, positive
    double payoff_ratio = 0;       // b = avg_win/avg_loss; 0 without losers
    bool has_valid_kelly = false;  // both winners and losers exist
    // The same from P/L as percent of margin, over trades with margin > 0.
    std::optional<double> avg_win_pct;           // nullopt: no trade has margin
    std::optional<double> avg_loss_pct;          // positive
    std::optional<double> normalized_kelly_pct;  // nullopt unless winners and losers with margin
    // kReference: kPercentage if both versions are valid although `fraction` is the absolute one.
    // kCorrect: what `fraction` holds, see KellyOptions::use_margin_returns.
    KellyMethod method = KellyMethod::kAbsolute;
    // A mean win or loss above 100 times the capital (10,000,000 dollars without one).
    bool has_unrealistic_values = false;
    // The amounts give no fraction that a number can hold: not valid although both sides exist.
    bool out_of_range = false;
    // Why the wish for margin returns could not be met (kCorrect), or which figures are missing or
    // infinite because they are beyond the range of numbers; empty otherwise. Without a warning
    // every figure is finite.
    std::string warning;
};

struct KellyOptions {
    Conventions conventions = Conventions::kCorrect;
    std::optional<double> capital;    // dollars, for has_unrealistic_values
    bool use_margin_returns = false;  // kCorrect: fraction from the margin version where it exists
};

// All zero and not valid for no trades.
[[nodiscard]] KellyMetrics kelly_metrics(std::span<const Trade> trades,
                                         const KellyOptions& options);

struct StrategyKelly {
    std::string strategy;
    std::int64_t trade_count = 0;
    KellyMetrics metrics;
};
// Per strategy in order of first appearance.
[[nodiscard]] std::vector<StrategyKelly> strategy_kelly(const TradeSet& set,
                                                        const KellyOptions& options);

}  // namespace tb::analytics
