#include "market/trading_calendar.h"

#include <array>
#include <cstdint>

namespace tb::market {

namespace {

constexpr std::int32_t kFirstYear = 1990;
constexpr std::int32_t kMonday = 0;
constexpr std::int32_t kThursday = 3;
constexpr std::int32_t kSaturday = 5;
constexpr std::int32_t kSunday = 6;

struct Closing {
    std::int32_t year, month, day;
    std::string_view why;
};

// Whole days without trading outside of the rules, from the exchange's own list of closings.
constexpr std::array<Closing, 11> kClosings{{
    {1994, 4, 27, "mourning for Richard Nixon"},
    {2001, 9, 11, "closed after September 11"},
    {2001, 9, 12, "closed after September 11"},
    {2001, 9, 13, "closed after September 11"},
    {2001, 9, 14, "closed after September 11"},
    {2004, 6, 11, "mourning for Ronald Reagan"},
    {2007, 1, 2, "mourning for Gerald Ford"},
    {2012, 10, 29, "closed for hurricane Sandy"},
    {2012, 10, 30, "closed for hurricane Sandy"},
    {2018, 12, 5, "mourning for George H. W. Bush"},
    {2025, 1, 9, "mourning for Jimmy Carter"},
}};

// Sunday of Easter by the Gregorian computus in the form of Meeus, Jones and Butcher.
Date easter(std::int32_t year) {
    const std::int32_t a = year % 19;
    const std::int32_t b = year / 100;
    const std::int32_t c = year % 100;
    const std::int32_t g = (8 * b + 13) / 25;
    const std::int32_t h = (19 * a + b - b / 4 - g + 15) % 30;
    const std::int32_t l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    const std::int32_t m = (a + 11 * h + 22 * l) / 451;
    const std::int32_t month = (h + l - 7 * m + 114) / 31;
    const std::int32_t day = (h + l - 7 * m + 114) % 31 + 1;
    return *Date::from_ymd(year, month, day);
}

// The n-th such weekday of the month, n from 1.
bool is_nth(Date day, std::int32_t weekday, std::int32_t n) {
    return day.weekday() == weekday && (day.ymd().day - 1) / 7 + 1 == n;
}

// Whether the exchange keeps the holiday of that month and day on this day.
bool is_kept_on(Date day, std::int32_t month, std::int32_t month_day) {
    const std::int32_t year = day.ymd().year;
    const auto holiday = Date::from_ymd(year, month, month_day);
    const std::int32_t weekday = holiday->weekday();
    const std::int32_t shift = weekday == kSunday ? 1 : weekday == kSaturday ? -1 : 0;
    return holiday->plus_days(shift) == day;
}

bool is_new_year(Date day) {
    const auto [year, month, month_day] = day.ymd();
    return month == 1 && ((month_day == 1 && day.weekday() < kSaturday) ||
                          (month_day == 2 && day.weekday() == kMonday));
}

}  // namespace

std::string_view holiday_name(Date day) {
    const auto [year, month, month_day] = day.ymd();
    if (year < kFirstYear || day.weekday() >= kSaturday) {
        return {};
    }
    for (const Closing& closing : kClosings) {
        if (closing.year == year && closing.month == month && closing.day == month_day) {
            return closing.why;
        }
    }
    if (is_new_year(day)) {
        return "New Year's Day";
    }
    if (year >= 1998 && month == 1 && is_nth(day, kMonday, 3)) {
        return "Martin Luther King Day";
    }
    if (month == 2 && is_nth(day, kMonday, 3)) {
        return "Washington's Birthday";
    }
    if (day.plus_days(2) == easter(year)) {
        return "Good Friday";
    }
    if (month == 5 && day.weekday() == kMonday && month_day > 24) {
        return "Memorial Day";
    }
    if (year >= 2022 && is_kept_on(day, 6, 19)) {
        return "Juneteenth";
    }
    if (is_kept_on(day, 7, 4)) {
        return "Independence Day";
    }
    if (month == 9 && is_nth(day, kMonday, 1)) {
        return "Labor Day";
    }
    if (month == 11 && is_nth(day, kThursday, 4)) {
        return "Thanksgiving";
    }
    return is_kept_on(day, 12, 25) ? "Christmas" : std::string_view();
}

bool is_trading_day(Date day) {
    return day.weekday() < kSaturday && holiday_name(day).empty();
}

Date next_trading_day(Date day) {
    do {
        day = day.plus_days(1);
    } while (!is_trading_day(day));
    return day;
}

}  // namespace tb::market
