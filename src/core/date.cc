#include "core/date.h"

#include <array>
#include <chrono>

#include <fmt/format.h>

namespace tb {

namespace {

std::optional<std::int32_t> digits(std::string_view text, std::size_t at, std::size_t count) {
    std::int32_t value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        const char c = text[i];
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        value = value * 10 + (c - '0');
    }
    return value;
}

}  // namespace

std::optional<Date> Date::from_ymd(std::int32_t year, std::int32_t month, std::int32_t day) {
    if (month < 1 || month > 12 || day < 1 || day > 31 || year < -32767 || year > 32767) {
        return std::nullopt;
    }
    const std::chrono::year_month_day ymd{std::chrono::year(year),
                                          std::chrono::month(static_cast<unsigned>(month)),
                                          std::chrono::day(static_cast<unsigned>(day))};
    if (!ymd.ok()) {
        return std::nullopt;
    }
    return Date(static_cast<std::int32_t>(std::chrono::sys_days(ymd).time_since_epoch().count()));
}

std::optional<Date> Date::from_iso(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
        return std::nullopt;
    }
    const auto year = digits(text, 0, 4);
    const auto month = digits(text, 5, 2);
    const auto day = digits(text, 8, 2);
    if (!year || !month || !day) {
        return std::nullopt;
    }
    return from_ymd(*year, *month, *day);
}

YearMonthDay Date::ymd() const {
    const std::chrono::year_month_day ymd{std::chrono::sys_days(std::chrono::days(days_))};
    return {static_cast<int>(ymd.year()), static_cast<std::int32_t>(unsigned(ymd.month())),
            static_cast<std::int32_t>(unsigned(ymd.day()))};
}

IsoWeek Date::iso_week() const {
    // The ISO week belongs to the year that holds its Thursday.
    const Date thursday = plus_days(3 - weekday());
    const std::int32_t year = thursday.ymd().year;
    const Date new_year = *from_ymd(year, 1, 1);
    return {year, (thursday - new_year) / 7 + 1};
}

std::string Date::to_iso() const {
    const auto [year, month, day] = ymd();
    return fmt::format("{:04}-{:02}-{:02}", year, month, day);
}

std::optional<TimeOfDay> TimeOfDay::from_iso(std::string_view text) {
    if (text.size() != 8 || text[2] != ':' || text[5] != ':') {
        return std::nullopt;
    }
    const auto hour = digits(text, 0, 2);
    const auto minute = digits(text, 3, 2);
    const auto second = digits(text, 6, 2);
    if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59) {
        return std::nullopt;
    }
    return TimeOfDay(*hour * 3600 + *minute * 60 + *second);
}

std::string TimeOfDay::to_iso() const {
    return fmt::format("{:02}:{:02}:{:02}", seconds_ / 3600, seconds_ / 60 % 60, seconds_ % 60);
}

}  // namespace tb
