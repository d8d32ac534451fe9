// Pairing of backtest trades with live fills, used by backtest_vs_actual.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analytics/backtest_vs_actual.h"
#include "analytics/trade.h"

namespace tb::analytics {

// Index pairs; one side may be absent.
struct FillPair {
    std::optional<std::size_t> backtest;
    std::optional<std::size_t> actual;
};

// Trade level: pairs in order of the backtest trades, then the fills left over.
[[nodiscard]] std::vector<FillPair> match_trades(const TradeSet& backtest,
                                                 const ReportingSet& actual,
                                                 const BacktestComparisonRequest& request);

}  // namespace tb::analytics
