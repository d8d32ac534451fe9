// Which trading day an instant belongs to: the calendar day in New York, by the daylight-saving
// rules of the United States built in here, so that the answer depends neither on the machine's
// zone nor on an installed zone database.
//
// Rules (15 U.S.C. 260a): clocks are an hour ahead from 02:00 on the second Sunday of March to
// 02:00 on the first Sunday of November since 2007, before that from the first Sunday of April to
// the last Sunday of October (1987-2006). Years before 1987 are outside of what this module reads.
//
// Thread-safe; all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/date.h"

namespace tb::market {

// Days a market file may speak of; an instant or date outside is a mistake of the file.
inline constexpr std::int32_t kFirstYear = 1990;
inline constexpr std::int32_t kLastYear = 2100;

// Seconds New York is behind UTC at that instant: 14400 (EDT) or 18000 (EST).
[[nodiscard]] std::int32_t new_york_lag_seconds(std::int64_t unix_seconds);

[[nodiscard]] Date new_york_day(std::int64_t unix_seconds);

struct MarketTime {
    std::optional<Date> day;
    std::string_view problem;  // static text, set when there is no day
};

// A cell of the `time` column (trimmed) to its New York day:
//   1704205800, 1704205800.0       Unix seconds
//   1704205800000                  Unix milliseconds (the ranges of 1990-2100 do not overlap)
//   2024-01-02                     that day
//   2024-01-02T09:30[:00[.123]]    wall clock of the exchange: that day
//   ...with Z, +hh:mm, -hhmm, -hh  an instant: its day in New York
//   1/2/2024, Jan 2, 2024          that day, month first (csv/cell.h)
[[nodiscard]] MarketTime parse_market_time(std::string_view cell);

}  // namespace tb::market
