// The order in which people look names up: capitals beside small letters, digits before letters,
// signs before digits, as a file manager lists them (the Unicode root order for ASCII; other
// characters come after, by code point).
//
// Thread-safe.
#pragma once

#include <string_view>

namespace tb::tools {

// Strict weak order; names that differ only in case stand together, the small letter first.
[[nodiscard]] bool name_less(std::string_view a, std::string_view b);

}  // namespace tb::tools
