// The one version constant: --version, the server identity and the bundle manifest all print it.
#pragma once

#include <string_view>

namespace tb {
inline constexpr std::string_view kVersion = "0.1.0";
}  // namespace tb
