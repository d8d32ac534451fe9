// From when to when the trades of a block are. Two years and one month are no fair comparison, and
// nobody sees it in the figures.
//
// Thread-safe.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "analytics/trade.h"
#include "core/date.h"

namespace tb::tools {

struct TradePeriod {
    std::optional<Date> from;  // first opening; none without trades
    std::optional<Date> to;    // last realization: closing, else opening
};

[[nodiscard]] inline TradePeriod trade_period(const analytics::TradeSet& set) {
    TradePeriod period;
    for (const analytics::Trade& trade : set.trades) {
        const Date end = trade.date_closed.value_or(trade.date_opened);
        period.from = std::min(period.from.value_or(trade.date_opened), trade.date_opened);
        period.to = std::max(period.to.value_or(end), end);
    }
    return period;
}

[[nodiscard]] inline std::string day_text(const std::optional<Date>& day) {
    return day.has_value() ? day->to_iso() : "n/a";
}

}  // namespace tb::tools
