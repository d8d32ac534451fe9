#include "db/value_render_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "core/date.h"
#include "core/number.h"
#include "db/value_render.h"

namespace tb::db {

namespace {

constexpr std::int64_t kNanos = 1'000'000'000;

std::string fraction_text(std::int64_t nanoseconds) {
    if (nanoseconds == 0) {
        return {};
    }
    std::string text = fmt::format(".{:09}", nanoseconds);
    text.resize(text.find_last_not_of('0') + 1);
    return text;
}

// A number of 1 to 17 significant digits and its decimal exponent: 0.digits * 10^point.
struct Digits {
    bool negative = false;
    std::string digits;
    int point = 0;
};

Digits shortest_digits(double value) {
    std::array<char, 40> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::scientific);
    std::string_view text(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
    Digits result;
    if (text.starts_with('-')) {
        result.negative = true;
        text.remove_prefix(1);
    }
    const std::size_t e = text.find('e');
    for (const char c : text.substr(0, e)) {
        if (c != '.') {
            result.digits += c;
        }
    }
    std::string_view exponent = text.substr(e + 1);
    if (exponent.starts_with('+')) {
        exponent.remove_prefix(1);
    }
    int power = 0;
    std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);
    result.point = power + 1;
    return result;
}

}  // namespace

// ECMA-262 Number::toString, with k = digits and n = point.
void append_js_number(std::string& out, double value) {
    if (value == 0) {
        out += '0';
        return;
    }
    const Digits number = shortest_digits(value);
    const int count = static_cast<int>(number.digits.size());
    const int point = number.point;
    out += number.negative ? "-" : "";
    if (point > 0 && point <= 21) {
        const int whole = std::min(count, point);
        out.append(number.digits, 0, static_cast<std::size_t>(whole));
        out.append(static_cast<std::size_t>(point - whole), '0');
        if (count > point) {
            out += '.';
            out.append(number.digits, static_cast<std::size_t>(point));
        }
    } else if (point > -6 && point <= 0) {
        out += "0.";
        out.append(static_cast<std::size_t>(-point), '0');
        out += number.digits;
    } else {
        out += number.digits.front();
        if (count > 1) {
            out += '.';
            out.append(number.digits, 1);
        }
        out += fmt::format("e{}{}", point - 1 < 0 ? '-' : '+', std::abs(point - 1));
    }
}

namespace detail {

Int128 to_int128(duckdb_hugeint value) {
    return static_cast<Int128>(
        (static_cast<UInt128>(static_cast<std::uint64_t>(value.upper)) << 64) | value.lower);
}

UInt128 to_uint128(duckdb_uhugeint value) {
    return (static_cast<UInt128>(value.upper) << 64) | value.lower;
}

std::string uint128_text(UInt128 value) {
    std::string text;
    do {
        text += static_cast<char>('0' + static_cast<int>(value % 10));
        value /= 10;
    } while (value != 0);
    std::reverse(text.begin(), text.end());
    return text;
}

std::string int128_text(Int128 value) {
    if (value >= 0) {
        return uint128_text(static_cast<UInt128>(value));
    }
    return "-" + uint128_text(UInt128{0} - static_cast<UInt128>(value));
}

std::string decimal_text(Int128 unscaled, std::uint8_t scale) {
    std::string digits = int128_text(unscaled);
    const bool negative = digits.front() == '-';
    digits.erase(0, negative ? 1 : 0);
    if (digits.size() <= scale) {
        digits.insert(0, scale + 1 - digits.size(), '0');
    }
    if (scale > 0) {
        digits.insert(digits.size() - scale, ".");
        digits.resize(digits.find_last_not_of('0') + 1);
        if (digits.back() == '.') {
            digits.pop_back();
        }
    }
    return negative && unscaled != 0 ? "-" + digits : digits;
}

bool double_holds(std::string_view decimal) {
    const auto value = parse_double(decimal);
    if (!value) {
        return false;
    }
    std::string text;
    append_js_number(text, *value);
    return text == decimal;
}

std::string date_text(std::int32_t days) {
    if (days == INT32_MAX) {
        return "infinity";
    }
    if (days == -INT32_MAX) {
        return "-infinity";
    }
    const duckdb_date_struct parts = duckdb_from_date({days});
    if (parts.year > 0) {
        return fmt::format("{:04}-{:02}-{:02}", parts.year, parts.month, parts.day);
    }
    return fmt::format("{:04}-{:02}-{:02} (BC)", 1 - parts.year, parts.month, parts.day);
}

std::string time_text(std::int64_t nanoseconds_of_day) {
    const std::int64_t seconds = nanoseconds_of_day / kNanos;
    return fmt::format("{:02}:{:02}:{:02}{}", seconds / 3600, seconds / 60 % 60, seconds % 60,
                       fraction_text(nanoseconds_of_day % kNanos));
}

std::string time_tz_text(std::uint64_t bits) {
    const duckdb_time_tz_struct parts = duckdb_from_time_tz({bits});
    const std::int64_t micros =
        ((parts.time.hour * std::int64_t{60} + parts.time.min) * 60 + parts.time.sec) * 1'000'000 +
        parts.time.micros;
    const std::int32_t offset = std::abs(parts.offset);
    std::string text = time_text(micros * 1000);
    text +=
        fmt::format("{}{:02}:{:02}", parts.offset < 0 ? '-' : '+', offset / 3600, offset / 60 % 60);
    if (offset % 60 != 0) {
        text += fmt::format(":{:02}", offset % 60);
    }
    return text;
}

std::string timestamp_text(std::int64_t ticks, std::int64_t per_second, std::string_view suffix) {
    if (ticks == INT64_MAX) {
        return "infinity";
    }
    if (ticks == -INT64_MAX) {
        return "-infinity";
    }
    const std::int64_t per_day = 86'400 * per_second;
    std::int64_t day = ticks / per_day;
    std::int64_t rest = ticks % per_day;
    if (rest < 0) {
        rest += per_day;
        --day;
    }
    std::string date = date_text(static_cast<std::int32_t>(day));
    std::string_view era;
    if (date.ends_with(" (BC)")) {
        date.resize(date.size() - 5);
        era = " (BC)";
    }
    return fmt::format("{}T{}{}{}", date, time_text(rest * (kNanos / per_second)), suffix, era);
}

std::string interval_text(duckdb_interval value) {
    std::string date;
    std::string time;
    const auto part = [](std::string& out, std::int64_t count, char unit) {
        if (count != 0) {
            out += fmt::format("{}{}", count, unit);
        }
    };
    part(date, value.months / 12, 'Y');
    part(date, value.months % 12, 'M');
    part(date, value.days, 'D');
    const std::int64_t seconds = value.micros / 1'000'000;
    const std::int64_t micros = value.micros % 1'000'000;
    part(time, seconds / 3600, 'H');
    part(time, seconds / 60 % 60, 'M');
    if (seconds % 60 != 0 || micros != 0) {
        time += fmt::format("{}{}{}S", value.micros < 0 ? "-" : "", std::abs(seconds % 60),
                            fraction_text(std::abs(micros) * 1000));
    }
    if (date.empty() && time.empty()) {
        return "PT0S";
    }
    return "P" + date + (time.empty() ? "" : "T" + time);
}

std::string uuid_text(duckdb_hugeint value) {
    // Stored with the top bit flipped, so that signed order is text order.
    const std::uint64_t upper = static_cast<std::uint64_t>(value.upper) ^ (std::uint64_t{1} << 63);
    const std::uint64_t lower = value.lower;
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", upper >> 32, (upper >> 16) & 0xFFFF,
                       upper & 0xFFFF, lower >> 48, lower & 0xFFFFFFFFFFFF);
}

std::string blob_text(std::string_view bytes) {
    std::string text = "\\x";
    for (const char c : bytes) {
        text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    }
    return text;
}

std::string bit_text(std::string_view bytes) {
    // First byte: number of padding bits in front of the first bit.
    std::string text;
    if (bytes.empty()) {
        return text;
    }
    const auto padding = static_cast<std::size_t>(static_cast<unsigned char>(bytes.front()));
    for (std::size_t bit = padding; bit < 8 * (bytes.size() - 1); ++bit) {
        const auto byte = static_cast<unsigned char>(bytes[1 + bit / 8]);
        text += (byte >> (7 - bit % 8)) & 1U ? '1' : '0';
    }
    return text;
}

std::string bignum_text(std::string_view bytes) {
    // Three header bytes (sign and length), then the magnitude, most significant byte first; all of
    // it complemented when the number is negative.
    constexpr std::size_t kHeader = 3;
    if (bytes.size() <= kHeader) {
        return "0";
    }
    const bool negative = (static_cast<unsigned char>(bytes.front()) & 0x80U) == 0;
    std::vector<std::uint32_t> limbs{0};  // base 10^9, least significant first
    for (const char c : bytes.substr(kHeader)) {
        std::uint64_t carry =
            negative ? 0xFFU ^ static_cast<unsigned char>(c) : static_cast<unsigned char>(c);
        for (std::uint32_t& limb : limbs) {
            const std::uint64_t value = std::uint64_t{limb} * 256 + carry;
            limb = static_cast<std::uint32_t>(value % kNanos);
            carry = value / kNanos;
        }
        if (carry != 0) {
            limbs.push_back(static_cast<std::uint32_t>(carry));
        }
    }
    std::string text = std::to_string(limbs.back());
    for (std::size_t i = limbs.size() - 1; i-- > 0;) {
        text += fmt::format("{:09}", limbs[i]);
    }
    return negative && text != "0" ? "-" + text : text;
}

}  // namespace detail

}  // namespace tb::db
