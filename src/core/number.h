// Numbers as text, without a locale: the plain decimal form every export is cleaned down to.
// Forms with currency signs, grouping or parentheses are csv/cell.h.
//
// Thread-safe; all functions are pure.
#pragma once

#include <optional>
#include <string_view>

namespace tb {

// The whole text as `[+-]digits[.digits][e[+-]digits]` with at least one digit in front of the
// exponent ("5.", ".5" and "1e3" are numbers); correctly rounded, as std::from_chars. nullopt for
// anything else, and for values too large or too small for a double.
[[nodiscard]] std::optional<double> parse_double(std::string_view text);

}  // namespace tb
