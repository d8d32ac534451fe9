// Which trading day an instant belongs to, by the clock of New York and the daylight-saving rules
// that held there, built in here, so that the answer depends neither on the machine's zone nor on
// an installed zone database.
//
// The trading day runs from 18:00 of the evening before to 18:00: a bar that opens at 18:00 New
// York or later belongs to the next trading day, as the exchanges with evening sessions count. A
// row that were filed under the evening's date would let "the day before" hold the close of the day
// itself.
//
// Daylight saving: in wartime all year (1942-02-09 to 1945-09-30); from the last Sunday of March to
// the last of October (1918-1920), of April to the last of September (1921-1954) or October
// (1955-1986; in 1974 from January 6, in 1975 from February 23), from the first Sunday of April to
// the last of October (1987-2006), from the second Sunday of March to the first of November since
// 2007 (15 U.S.C. 260a); always at 02:00. None before 1918.
//
// Thread-safe; all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/date.h"
#include "csv/cell.h"

namespace tb::market {

// Days a market file may speak of; an instant or date outside is a mistake of the file.
inline constexpr std::int32_t kFirstYear = 1850;
inline constexpr std::int32_t kLastYear = 2100;

// Where an evening session begins the next trading day.
inline constexpr std::int32_t kEveningSeconds = 18 * 3600;

// Seconds New York is behind UTC at that instant: 14400 (EDT) or 18000 (EST).
[[nodiscard]] std::int32_t new_york_lag_seconds(std::int64_t unix_seconds);

[[nodiscard]] Date new_york_day(std::int64_t unix_seconds);

// What the numbers in a column of times count, since 1970-01-01T00:00:00Z.
enum class UnixUnit : std::uint8_t { kSeconds, kMilliseconds, kMicroseconds, kNanoseconds };

// How one file writes its times: decided from all of its rows (TimeSurvey), never by a cell.
struct TimeFormat {
    csv::DateOrder date_order = csv::DateOrder::kMonthFirst;
    std::optional<UnixUnit> unit;  // nullopt: numbers are no times in this file
    // Numbers of seconds between -1e8 and 1e8 are times, of the years around 1970. They are only in
    // a file that reaches back to these years in other rows, too.
    bool long_history = false;
    // A file of milliseconds that holds no days between 1970-02-18 and 1973: numbers that would be
    // days of early 1970 are seconds that got into it, and refused.
    bool refuse_early_1970 = false;
};

struct MarketTime {
    std::optional<Date> day;  // of the New York clock, or the written date
    // Of that day on the New York clock; nullopt: the cell holds a date alone.
    std::optional<std::int32_t> seconds;
    // The date written in the cell, when its own clock (UTC for numbers) stands at midnight.
    std::optional<Date> midnight_of;
    std::string_view problem;  // static text, set when there is no day
};

// A cell of the `time` column (trimmed):
//   1704205800, -126522000, 1704205800.0   Unix seconds, negative before 1970
//   1704205800000 ...                      Unix milliseconds, microseconds, nanoseconds
//   2024-01-02                             that day
//   2024-01-02T09:30[:00[.123]]            wall clock of the exchange
//   ...with Z, +hh:mm, -hhmm, -hh          an instant: its clock in New York
//   1/2/2024, Jan 2, 2024                  that day, in the file's order (csv/cell.h)
[[nodiscard]] MarketTime parse_market_time(std::string_view cell, const TimeFormat& format);
// A file of this one cell.
[[nodiscard]] MarketTime parse_market_time(std::string_view cell);

// The trading day of a time that has a day.
[[nodiscard]] Date trading_day(const MarketTime& time);

// Looks at every cell of a file's time column, then says how to read them.
class TimeSurvey {
  public:
    // Cells that hold a number say what it counts.
    void see(std::string_view cell);
    // `date_order` as csv::LocaleSurvey decided it.
    [[nodiscard]] TimeFormat decide(csv::DateOrder date_order) const;

  private:
    std::uint64_t largest_ = 0;    // of the numbers, without their sign
    bool before_1990_ = false;     // a number of seconds of 1973-1989, or before 1966-10-31
    bool around_1970_ms_ = false;  // a number that as milliseconds is a day of 1970-02 to 1973
};

}  // namespace tb::market
