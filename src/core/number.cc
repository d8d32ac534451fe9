#include "core/number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace tb {

namespace {

// Powers of ten that a double holds exactly; dividing or multiplying an integer below 2^53 by one
// of them rounds once, so the result is the correctly rounded one (Clinger 1990).
constexpr std::array<double, 23> kExactPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr std::uint64_t kExactIntegers = std::uint64_t{1} << 53U;
constexpr int kMaxDigits = 19;  // of a 64-bit integer

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Checks the grammar that from_chars is more liberal about ("inf", "nan"), then lets it convert.
std::optional<double> parse_slowly(const char* first, const char* last) {
    const char* p = first;
    if (p != last && *p == '-') {
        ++p;
    }
    if (p == last || (!is_digit(*p) && *p != '.')) {
        return std::nullopt;
    }
    double value = 0;
    const auto [end, error] = std::from_chars(first, last, value);
    if (error != std::errc() || end != last) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

std::optional<double> parse_double(std::string_view text) {
    const char* p = text.data();
    const char* const last = p + text.size();
    bool negative = false;
    if (p != last && (*p == '-' || *p == '+')) {
        negative = *p == '-';
        ++p;
    }
    const char* const unsigned_part = p;
    std::uint64_t mantissa = 0;
    while (p != last && is_digit(*p)) {
        mantissa = mantissa * 10 + static_cast<std::uint64_t>(*p - '0');
        ++p;
    }
    auto digits = p - unsigned_part;
    std::ptrdiff_t decimals = 0;
    if (p != last && *p == '.') {
        const char* const fraction = ++p;
        while (p != last && is_digit(*p)) {
            mantissa = mantissa * 10 + static_cast<std::uint64_t>(*p - '0');
            ++p;
        }
        decimals = p - fraction;
        digits += decimals;
    }
    if (p == last && digits > 0 && digits <= kMaxDigits && mantissa <= kExactIntegers) {
        const double value =
            static_cast<double>(mantissa) / kExactPowers[static_cast<std::size_t>(decimals)];
        return negative ? -value : value;
    }
    if (digits == 0) {
        return std::nullopt;
    }
    // from_chars knows no plus sign.
    return parse_slowly(negative ? unsigned_part - 1 : unsigned_part, last);
}

std::string without_negative_zero(std::string text) {
    const bool negative = !text.empty() && text.front() == '-';
    if (negative &&
        std::none_of(text.begin(), text.end(), [](char c) { return c >= '1' && c <= '9'; })) {
        text.erase(0, 1);
    }
    return text;
}

std::string fixed_text(double value, int decimals) {
    if (!std::isfinite(value)) {
        return "n/a";
    }
    std::array<char, 400> buffer{};  // the longest double has 309 digits before the point
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::fixed, std::clamp(decimals, 0, 20))
                         .ptr;
    return without_negative_zero({buffer.data(), end});
}

}  // namespace tb
