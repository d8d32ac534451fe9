// Reading and writing JSON text, with the limits and number rules of this program.
//
// Writing never fails: numbers follow ECMAScript (shortest digits that read back the same, `1e-7`,
// `1e+21`, no `.0`, -0 as 0), NaN and infinities become null, invalid UTF-8 becomes U+FFFD, and
// there is no newline anywhere in the text. Reading is strict and bounded.
//
// Thread-safe (no state).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"
#include "mcp/json_box.h"

namespace tb::mcp {

inline constexpr std::size_t kMaxJsonDepth = 128;
// Members of one object. Nothing in the protocol comes near; without it a hostile message could
// make member look-up quadratic.
inline constexpr std::size_t kMaxJsonMembers = 1024;

// kParse: not JSON, invalid UTF-8, or a number outside the range of a double.
// kResourceExhausted: deeper than kMaxJsonDepth or an object above kMaxJsonMembers.
[[nodiscard]] Result<Json> parse_json(std::string_view text);

[[nodiscard]] std::string to_json_text(const Json& value);
void append_json_text(std::string& out, const Json& value);
// The string with quotes and escapes.
void append_json_string(std::string& out, std::string_view text);
// ECMAScript number text; "null" for NaN and infinities.
void append_json_number(std::string& out, double value);

// Replaces NaN and infinities anywhere in `value` by null; returns how many there were, so that a
// result can carry a note instead of a silent gap.
std::size_t replace_non_finite(Json& value);

}  // namespace tb::mcp
