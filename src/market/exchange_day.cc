#include "market/exchange_day.h"

#include <charconv>
#include <system_error>

#include "csv/cell.h"

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

// [first second of kFirstYear, first second after kLastYear)
bool is_unix_seconds(std::int64_t value) {
    return value >= midnight(day_of(kFirstYear, 1, 1)) &&
           value < midnight(day_of(kLastYear + 1, 1, 1));
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

MarketTime from_unix(std::int64_t value) {
    if (is_unix_seconds(value)) {
        return {new_york_day(value), {}};
    }
    const std::int64_t seconds = floor_div(value, 1000);
    if (is_unix_seconds(seconds)) {
        return {new_york_day(seconds), {}};
    }
    return {std::nullopt,
            "a number, but neither Unix seconds nor milliseconds of the years 1990 to 2100"};
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

}  // namespace

std::int32_t new_york_lag_seconds(std::int64_t unix_seconds) {
    constexpr std::int32_t kStandard = 5 * 3600;
    constexpr std::int32_t kDaylight = 4 * 3600;
    // The year in standard time decides: no change of clocks is near New Year.
    const Date standard_day(
        static_cast<std::int32_t>(floor_div(unix_seconds - kStandard, kSecondsPerDay)));
    const std::int32_t year = standard_day.ymd().year;
    const bool since_2007 = year >= 2007;
    const Date begin_day = sunday_from(since_2007 ? day_of(year, 3, 8) : day_of(year, 4, 1));
    const Date end_day = sunday_from(since_2007 ? day_of(year, 11, 1) : day_of(year, 10, 25));
    const std::int64_t begin = midnight(begin_day) + 2 * 3600 + kStandard;
    const std::int64_t end = midnight(end_day) + 2 * 3600 + kDaylight;
    return unix_seconds >= begin && unix_seconds < end ? kDaylight : kStandard;
}

Date new_york_day(std::int64_t unix_seconds) {
    return Date(static_cast<std::int32_t>(
        floor_div(unix_seconds - new_york_lag_seconds(unix_seconds), kSecondsPerDay)));
}

MarketTime parse_market_time(std::string_view cell) {
    if (cell.empty()) {
        return {std::nullopt, "no time in this row"};
    }
    if (const auto number = whole_number(cell)) {
        return from_unix(*number);
    }
    constexpr std::string_view kProblem =
        "not a time: Unix seconds, Unix milliseconds and dates like 2024-01-02 are read";
    const auto zoned = split_offset(cell);
    const auto parsed = csv::parse_date(zoned ? zoned->local : cell);
    // A note would be an assumption about the day: the offset is dealt with here.
    if (parsed.state != csv::CellState::kValue || !in_range(parsed.value.date)) {
        return {std::nullopt, kProblem};
    }
    if (!zoned) {
        return {parsed.value.date, {}};
    }
    if (!parsed.value.time.has_value()) {
        return {std::nullopt, kProblem};
    }
    const std::int64_t instant =
        midnight(parsed.value.date) + parsed.value.time->seconds() - zoned->offset_seconds;
    const Date day = new_york_day(instant);
    return in_range(day) ? MarketTime{day, {}} : MarketTime{std::nullopt, kProblem};
}

}  // namespace tb::market
