// On which days the New York Stock Exchange trades: what a market file's rows are held against.
//
// Closed are Saturdays, Sundays, the holidays of the exchange's rule 7.2 (New Year's Day, Martin
// Luther King Day since 1998, Washington's Birthday, Good Friday, Memorial Day, Juneteenth since
// 2022, Independence Day, Labor Day, Thanksgiving, Christmas; on a Sunday kept on the Monday, on a
// Saturday on the Friday before, New Year's Day excepted, which is not kept then) and the full days
// it closed for mourning and catastrophes. Half days are trading days. Holidays of the years before
// 1990 are not known here: such a day counts as a trading day.
//
// Thread-safe; all functions are pure.
#pragma once

#include <string_view>

#include "core/date.h"

namespace tb::market {

// "Thanksgiving"; empty on any other day, weekends included.
[[nodiscard]] std::string_view holiday_name(Date day);

[[nodiscard]] bool is_trading_day(Date day);

[[nodiscard]] Date next_trading_day(Date day);

}  // namespace tb::market
