// Numbers as people type them: 100000, 100,000, $100k, 1.5m, 2b.
//
// Thread-safe; all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tb::cli {

// A sign, a dollar sign, digits with or without commas between groups of three, a decimal part and
// k (thousand), m (million) or b (billion) in any case, each of them optional but the digits; or a
// plain number with an exponent. Correctly rounded: 0.1m is 100000. nullopt for anything else, also
// "1,5": whether that is 1.5 or 15 is not for us to guess.
[[nodiscard]] std::optional<double> read_amount(std::string_view text);

// The same for whole numbers; nullopt too when there is a fraction left ("1.5") or it does not fit.
[[nodiscard]] std::optional<std::int64_t> read_whole_amount(std::string_view text);

}  // namespace tb::cli
