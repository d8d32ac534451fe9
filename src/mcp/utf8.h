// One code point at a time, strict: overlong forms, surrogates and values above U+10FFFF are
// invalid. Thread-safe (no state).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tb::mcp::utf8 {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Decoded {
    std::uint32_t code_point = 0;
    std::size_t length = 1;  // bytes to step over: of the code point, or of the invalid part
    bool valid = false;
};

// `text` must not be empty.
[[nodiscard]] Decoded decode(std::string_view text);

}  // namespace tb::mcp::utf8
