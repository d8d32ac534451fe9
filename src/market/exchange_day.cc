#include "market/exchange_day.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "market/trading_calendar.h"

namespace tb::market {

namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    const std::int64_t quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

Date day_of(std::int32_t year, std::int32_t month, std::int32_t day) {
    return *Date::from_ymd(year, month, day);
}

// The first Sunday on or after a day.
Date sunday_from(Date day) {
    return day.plus_days(6 - day.weekday());
}

std::int64_t midnight(Date day) {
    return day.days() * kSecondsPerDay;
}

bool in_range(Date day) {
    const std::int32_t year = day.ymd().year;
    return year >= kFirstYear && year <= kLastYear;
}

// Up to this size a number of seconds is a time around 1970, and more often no time at all: a year,
// a date without dashes, a spreadsheet's day number.
constexpr std::uint64_t kSmallSeconds = 100'000'000;
// Seconds of the year 5138, milliseconds of 1973, and so on by thousands.
constexpr std::uint64_t kMostSeconds = 100'000'000'000;
// 1990-01-01 and 2103 in seconds; as milliseconds these are days of January and February 1970.
constexpr std::uint64_t kModernSeconds = 631'152'000;
constexpr std::uint64_t kLastModernSeconds = 4'200'000'000;

std::int64_t per_second(UnixUnit unit) {
    switch (unit) {
        case UnixUnit::kSeconds:
            return 1;
        case UnixUnit::kMilliseconds:
            return 1'000;
        case UnixUnit::kMicroseconds:
            return 1'000'000;
        case UnixUnit::kNanoseconds:
            break;
    }
    return 1'000'000'000;
}

std::uint64_t magnitude(std::int64_t value) {
    return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The integer in front of an optional fraction of digits; nullopt if the text is anything else.
std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop == text.data()) {
        return std::nullopt;
    }
    const char* rest = stop;
    if (rest != end && *rest == '.') {
        ++rest;
        while (rest != end && is_digit(*rest)) {
            ++rest;
        }
    }
    return rest == end ? std::optional(value) : std::nullopt;
}

MarketTime no_time(std::string_view problem) {
    MarketTime time;
    time.problem = problem;
    return time;
}

MarketTime at_instant(std::int64_t unix_seconds) {
    const std::int64_t local = unix_seconds - new_york_lag_seconds(unix_seconds);
    MarketTime time;
    time.day = Date(static_cast<std::int32_t>(floor_div(local, kSecondsPerDay)));
    time.seconds = static_cast<std::int32_t>(local - midnight(*time.day));
    return time;
}

MarketTime from_unix(std::int64_t value, const TimeFormat& format) {
    constexpr std::string_view kNoTime =
        "a number, but neither Unix seconds nor milliseconds of the years 1850 to 2100";
    if (!format.unit) {
        return no_time(kNoTime);
    }
    const std::int64_t seconds = floor_div(value, per_second(*format.unit));
    const bool in_seconds = *format.unit == UnixUnit::kSeconds;
    const bool early = value >= static_cast<std::int64_t>(kModernSeconds) &&
                       value <= static_cast<std::int64_t>(kLastModernSeconds);
    if ((in_seconds && magnitude(value) < kSmallSeconds && !format.long_history) ||
        (format.refuse_early_1970 && early) || seconds < midnight(day_of(kFirstYear, 1, 1)) ||
        seconds >= midnight(day_of(kLastYear + 1, 1, 1))) {
        return no_time(kNoTime);
    }
    MarketTime time = at_instant(seconds);
    if (floor_div(seconds, kSecondsPerDay) * kSecondsPerDay == seconds) {
        time.midnight_of = Date(static_cast<std::int32_t>(floor_div(seconds, kSecondsPerDay)));
    }
    return time;
}

// Offset from UTC in seconds of a text that ends in `Z` or `[+-]hh[[:]mm]`, with the text in front
// of it.
struct Zoned {
    std::string_view local;
    std::int32_t offset_seconds = 0;
};

std::optional<Zoned> split_offset(std::string_view text) {
    if (text.ends_with('Z') || text.ends_with('z')) {
        text.remove_suffix(1);
        return Zoned{text, 0};
    }
    const std::size_t sign = text.find_last_of("+-");
    // An offset stands behind a time, hence behind a colon; a date's own dashes do not.
    if (sign == std::string_view::npos || text.find(':') > sign) {
        return std::nullopt;
    }
    std::string_view digits = text.substr(sign + 1);
    std::int32_t parts[2] = {0, 0};
    for (std::int32_t& part : parts) {
        if (digits.empty()) {
            break;
        }
        if (digits.size() < 2 || !is_digit(digits[0]) || !is_digit(digits[1])) {
            return std::nullopt;
        }
        part = (digits[0] - '0') * 10 + (digits[1] - '0');
        digits.remove_prefix(2);
        if (digits.starts_with(':') && digits.size() > 1) {
            digits.remove_prefix(1);
        }
    }
    if (!digits.empty() || parts[0] > 18 || parts[1] > 59 || sign + 1 == text.size()) {
        return std::nullopt;
    }
    const std::int32_t seconds = parts[0] * 3600 + parts[1] * 60;
    return Zoned{text.substr(0, sign), text[sign] == '-' ? -seconds : seconds};
}

// The days on which New York's clocks went forward and back in a year; equal where they did not.
struct Summer {
    Date begin;
    Date end;
};

Date last_sunday(std::int32_t year, std::int32_t month) {
    return sunday_from(day_of(year, month, month == 9 ? 24 : month == 4 ? 24 : 25));
}

Summer summer_of(std::int32_t year) {
    if (year >= 2007) {
        return {sunday_from(day_of(year, 3, 8)), sunday_from(day_of(year, 11, 1))};
    }
    if (year >= 1987) {
        return {sunday_from(day_of(year, 4, 1)), last_sunday(year, 10)};
    }
    if (year == 1974 || year == 1975) {
        return {year == 1974 ? day_of(1974, 1, 6) : day_of(1975, 2, 23), last_sunday(year, 10)};
    }
    if (year >= 1955) {
        return {last_sunday(year, 4), last_sunday(year, 10)};
    }
    if (year >= 1942 && year <= 1945) {
        return {year == 1942 ? day_of(1942, 2, 9) : day_of(year, 1, 1),
                year == 1945 ? day_of(1945, 9, 30) : day_of(year + 1, 1, 1)};
    }
    if (year >= 1921) {
        return {last_sunday(year, 4), last_sunday(year, 9)};
    }
    return year >= 1918 ? Summer{last_sunday(year, 3), last_sunday(year, 10)}
                        : Summer{day_of(year, 1, 1), day_of(year, 1, 1)};
}

}  // namespace

std::int32_t new_york_lag_seconds(std::int64_t unix_seconds) {
    constexpr std::int32_t kStandard = 5 * 3600;
    constexpr std::int32_t kDaylight = 4 * 3600;
    // The year in standard time decides: no change of clocks is near New Year.
    const Date standard_day(
        static_cast<std::int32_t>(floor_div(unix_seconds - kStandard, kSecondsPerDay)));
    const Summer summer = summer_of(standard_day.ymd().year);
    if (summer.begin == summer.end) {
        return kStandard;
    }
    const std::int64_t begin = midnight(summer.begin) + 2 * 3600 + kStandard;
    const std::int64_t end = midnight(summer.end) + 2 * 3600 + kDaylight;
    return unix_seconds >= begin && unix_seconds < end ? kDaylight : kStandard;
}

Date new_york_day(std::int64_t unix_seconds) {
    return Date(static_cast<std::int32_t>(
        floor_div(unix_seconds - new_york_lag_seconds(unix_seconds), kSecondsPerDay)));
}

MarketTime parse_market_time(std::string_view cell, const TimeFormat& format) {
    if (cell.empty()) {
        return no_time("no time in this row");
    }
    if (const auto number = whole_number(cell)) {
        return from_unix(*number, format);
    }
    constexpr std::string_view kProblem =
        "not a time: Unix seconds, Unix milliseconds and dates like 2024-01-02 are read";
    const auto zoned = split_offset(cell);
    const auto parsed = csv::parse_date(zoned ? zoned->local : cell, format.date_order, kFirstYear);
    // A note would be an assumption about the day: the offset is dealt with here.
    if (parsed.state != csv::CellState::kValue || !in_range(parsed.value.date)) {
        return no_time(kProblem);
    }
    MarketTime time;
    if (!zoned) {
        time.day = parsed.value.date;
        if (parsed.value.time.has_value()) {
            time.seconds = parsed.value.time->seconds();
        }
    } else if (!parsed.value.time.has_value()) {
        return no_time(kProblem);
    } else {
        time = at_instant(midnight(parsed.value.date) + parsed.value.time->seconds() -
                          zoned->offset_seconds);
        if (!in_range(*time.day)) {
            return no_time(kProblem);
        }
    }
    if (parsed.value.time.has_value() && parsed.value.time->seconds() == 0) {
        time.midnight_of = parsed.value.date;
    }
    return time;
}

MarketTime parse_market_time(std::string_view cell) {
    TimeSurvey survey;
    survey.see(cell);
    return parse_market_time(cell, survey.decide(csv::DateOrder::kMonthFirst));
}

Date trading_day(const MarketTime& time) {
    return time.seconds.value_or(0) >= kEveningSeconds ? next_trading_day(*time.day) : *time.day;
}

void TimeSurvey::see(std::string_view cell) {
    const auto number = whole_number(cell);
    if (!number) {
        return;
    }
    const std::uint64_t size = magnitude(*number);
    largest_ = std::max(largest_, size);
    before_1990_ = before_1990_ || (size >= kSmallSeconds && size < kMostSeconds &&
                                    *number < static_cast<std::int64_t>(kModernSeconds));
    around_1970_ms_ = around_1970_ms_ || (size > kLastModernSeconds && size < kMostSeconds);
}

TimeFormat TimeSurvey::decide(csv::DateOrder date_order) const {
    TimeFormat format;
    format.date_order = date_order;
    if (largest_ < kSmallSeconds) {
        return format;
    }
    format.unit = largest_ < kMostSeconds               ? UnixUnit::kSeconds
                  : largest_ < kMostSeconds * 1'000     ? UnixUnit::kMilliseconds
                  : largest_ < kMostSeconds * 1'000'000 ? UnixUnit::kMicroseconds
                                                        : UnixUnit::kNanoseconds;
    format.long_history = *format.unit == UnixUnit::kSeconds && before_1990_;
    format.refuse_early_1970 = *format.unit != UnixUnit::kSeconds && !around_1970_ms_;
    return format;
}

}  // namespace tb::market
