// Small things done to bytes of text everywhere: trimming, ASCII case, JSON quoting. Text is UTF-8;
// nothing here depends on a locale.
//
// Thread-safe; all functions are pure.
#pragma once

#include <string>
#include <string_view>

namespace tb {

// Without blanks at both ends: space, tab, vertical tab, form feed, carriage return, line feed and
// the no-break space (U+00A0).
[[nodiscard]] std::string_view trim(std::string_view text);

[[nodiscard]] constexpr char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
// A-Z to a-z, every other byte untouched.
[[nodiscard]] std::string ascii_lower(std::string_view text);
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);

// Appends `text` (valid UTF-8) as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

// The first `max_bytes` bytes of valid UTF-8, shortened so that no character is cut.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes);

}  // namespace tb
