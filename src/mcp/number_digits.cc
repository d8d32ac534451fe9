#include "mcp/number_digits.h"

#include <array>
#include <charconv>
#include <cmath>

namespace tb::mcp {

ShortestDigits shortest_digits(double value) {
    ShortestDigits out;
    out.negative = std::signbit(value);
    if (value == 0) {
        out.digits = "0";
        out.exponent = 1;
        return out;
    }
    std::array<char, 40> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value),
                                   std::chars_format::scientific)
                         .ptr;
    // d.ddde±XX
    const char* at = buffer.data();
    for (; at != end && *at != 'e'; ++at) {
        if (*at != '.') {
            out.digits.push_back(*at);
        }
    }
    ++at;
    if (at != end && *at == '+') {
        ++at;
    }
    int exponent = 0;
    std::from_chars(at, end, exponent);
    out.exponent = exponent + 1;
    while (out.digits.size() > 1 && out.digits.back() == '0') {
        out.digits.pop_back();
    }
    return out;
}

}  // namespace tb::mcp
