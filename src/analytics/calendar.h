// Full-day closures of the US stock and options exchanges.
//
// Rules (source: 04 §2 as widened by 00 §3): New Year (Sunday -> Monday; a Saturday is not moved),
// Martin Luther King from 1998, Washington, Good Friday, Memorial Day, Juneteenth from 2022,
// Independence Day, Labor Day, Thanksgiving, Christmas (Saturday -> Friday, Sunday -> Monday), and
// the special closures 2001-09-11..14, 2004-06-11, 2007-01-02, 2012-10-29/30, 2018-12-05,
// 2025-01-09. Early closes are ordinary days. The rules are complete from 2001 on and are applied
// to every year; before that special closures are missing.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <vector>

#include "core/date.h"

namespace tb::analytics {

// Monday to Friday.
[[nodiscard]] constexpr bool is_weekday(Date day) {
    return day.weekday() < 5;
}

// Easter Sunday of a Gregorian year (Meeus/Jones/Butcher).
[[nodiscard]] Date easter_sunday(std::int32_t year);

// The closures of one calendar year in ascending order; weekdays only.
[[nodiscard]] std::vector<Date> exchange_closures(std::int32_t year);

// Monday to Friday and not closed. Computes the year's closures: for a sweep use ExchangeDays.
[[nodiscard]] bool is_exchange_day(Date day);

// is_exchange_day for sweeps over ascending days: keeps the closures of the year it is in.
class ExchangeDays {
  public:
    [[nodiscard]] bool contains(Date day);

  private:
    std::int32_t first_ = 1;  // days of the cached year: [first_, last_]
    std::int32_t last_ = 0;
    std::vector<Date> closures_;
};

}  // namespace tb::analytics
