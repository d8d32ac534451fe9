#include "analytics/calendar.h"

#include <algorithm>
#include <array>

namespace tb::analytics {

namespace {

constexpr std::int32_t kMonday = 0;
constexpr std::int32_t kThursday = 3;
constexpr std::int32_t kSaturday = 5;
constexpr std::int32_t kSunday = 6;

Date day_of(std::int32_t year, std::int32_t month, std::int32_t day) {
    return *Date::from_ymd(year, month, day);
}

// The nth (1-based) given weekday of a month.
Date nth_weekday(std::int32_t year, std::int32_t month, std::int32_t weekday, std::int32_t nth) {
    const Date first = day_of(year, month, 1);
    return first.plus_days((weekday - first.weekday() + 7) % 7 + 7 * (nth - 1));
}

Date last_monday_of_may(std::int32_t year) {
    const Date last = day_of(year, 5, 31);
    return last.plus_days(-((last.weekday() - kMonday + 7) % 7));
}

// A fixed holiday on Saturday is kept on Friday, on Sunday on Monday.
Date observed(Date holiday) {
    if (holiday.weekday() == kSaturday) {
        return holiday.plus_days(-1);
    }
    return holiday.weekday() == kSunday ? holiday.plus_days(1) : holiday;
}

constexpr std::array<YearMonthDay, 10> kSpecialClosures = {{{2001, 9, 11},
                                                            {2001, 9, 12},
                                                            {2001, 9, 13},
                                                            {2001, 9, 14},
                                                            {2004, 6, 11},
                                                            {2007, 1, 2},
                                                            {2012, 10, 29},
                                                            {2012, 10, 30},
                                                            {2018, 12, 5},
                                                            {2025, 1, 9}}};

}  // namespace

Date easter_sunday(std::int32_t year) {
    const std::int32_t a = year % 19;
    const std::int32_t b = year / 100;
    const std::int32_t c = year % 100;
    const std::int32_t d = b / 4;
    const std::int32_t e = b % 4;
    const std::int32_t g = (8 * b + 13) / 25;
    const std::int32_t h = (19 * a + b - d - g + 15) % 30;
    const std::int32_t i = c / 4;
    const std::int32_t k = c % 4;
    const std::int32_t l = (32 + 2 * e + 2 * i - h - k) % 7;
    const std::int32_t m = (a + 11 * h + 19 * l) / 433;
    const std::int32_t month = (h + l - 7 * m + 90) / 25;
    const std::int32_t day = (h + l - 7 * m + 33 * month + 19) % 32;
    return day_of(year, month, day);
}

std::vector<Date> exchange_closures(std::int32_t year) {
    std::vector<Date> closures;
    const Date new_year = day_of(year, 1, 1);
    if (new_year.weekday() != kSaturday) {
        closures.push_back(observed(new_year));
    }
    if (year >= 1998) {
        closures.push_back(nth_weekday(year, 1, kMonday, 3));
    }
    closures.push_back(nth_weekday(year, 2, kMonday, 3));
    closures.push_back(easter_sunday(year).plus_days(-2));
    closures.push_back(last_monday_of_may(year));
    if (year >= 2022) {
        closures.push_back(observed(day_of(year, 6, 19)));
    }
    closures.push_back(observed(day_of(year, 7, 4)));
    closures.push_back(nth_weekday(year, 9, kMonday, 1));
    closures.push_back(nth_weekday(year, 11, kThursday, 4));
    closures.push_back(observed(day_of(year, 12, 25)));
    for (const YearMonthDay& special : kSpecialClosures) {
        if (special.year == year) {
            closures.push_back(day_of(year, special.month, special.day));
        }
    }
    std::sort(closures.begin(), closures.end());
    return closures;
}

bool is_exchange_day(Date day) {
    return ExchangeDays().contains(day);
}

bool ExchangeDays::contains(Date day) {
    if (!is_weekday(day)) {
        return false;
    }
    if (day.days() < first_ || day.days() > last_) {
        const std::int32_t year = day.ymd().year;
        first_ = day_of(year, 1, 1).days();
        last_ = day_of(year, 12, 31).days();
        closures_ = exchange_closures(year);
    }
    return !std::binary_search(closures_.begin(), closures_.end(), day);
}

}  // namespace tb::analytics
