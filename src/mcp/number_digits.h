// The shortest decimal digits that read back as the same double, taken apart: value =
// 0.d1d2d3… × 10^exponent. Shared by JSON numbers and money texts. Thread-safe.
#pragma once

#include <string>

namespace tb::mcp {

struct ShortestDigits {
    bool negative = false;
    std::string digits;  // no leading or trailing zero; "0" for zero
    int exponent = 0;    // of 0.d1d2…: 123.4 has digits "1234", exponent 3; zero has 1
};

// `value` must be finite.
[[nodiscard]] ShortestDigits shortest_digits(double value);

}  // namespace tb::mcp
