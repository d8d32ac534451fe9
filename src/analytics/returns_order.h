// Orders of trades by day and time as index vectors, sorted once on integer keys. What follows
// realized results takes realization_order (realization.h), which starts from closefull_order.
//
// All inputs are in LOAD order (TradeSet), so ties on (day, time) fall back to (date opened, time
// opened, file order) without being compared.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analytics/trade.h"

namespace tb::analytics {

using TradeOrder = std::vector<std::uint32_t>;  // indices into the span of trades

// Stable ascending order of (day, seconds) pairs: two counting passes, O(n + days + seconds), for
// many rows within a trading career; otherwise a comparison sort.
[[nodiscard]] TradeOrder order_by_day_and_seconds(std::span<const std::int32_t> days,
                                                  std::span<const std::int32_t> seconds);

// Realization day, then closing time, or opening time where there is none ("CLOSEFULL").
[[nodiscard]] TradeOrder closefull_order(std::span<const Trade> trades);
// Closed trades only: closing day, then closing time, none first ("CLOSE").
[[nodiscard]] TradeOrder close_order(std::span<const Trade> trades);
// Realization day only ("REALDAY").
[[nodiscard]] TradeOrder realday_order(std::span<const Trade> trades);

}  // namespace tb::analytics
