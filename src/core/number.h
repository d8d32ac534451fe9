// Numbers as text, without a locale: the plain decimal form every export is cleaned down to.
// Forms with currency signs, grouping or parentheses are csv/cell.h.
//
// Thread-safe; all functions are pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tb {

// The whole text as `[+-]digits[.digits][e[+-]digits]` with at least one digit in front of the
// exponent ("5.", ".5" and "1e3" are numbers); correctly rounded, as std::from_chars. nullopt for
// anything else, and for values too large or too small for a double.
[[nodiscard]] std::optional<double> parse_double(std::string_view text);

// "1234.50": `decimals` (0 to 20) digits behind the point, rounded from the exact binary value.
// What rounds to zero has no sign; "n/a" if not finite. Every text of a figure is written by this
// or by the formats of mcp/render.h, which keep to the same rule.
[[nodiscard]] std::string fixed_text(double value, int decimals);
// The text of a number without the sign of a zero: "-0.00" -> "0.00"; signs of currency may stand
// between ("-$0.00").
[[nodiscard]] std::string without_negative_zero(std::string text);

}  // namespace tb
