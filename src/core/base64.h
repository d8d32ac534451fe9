// Base64 (RFC 4648): standard alphabet with padding, and the URL alphabet without.
//
// Thread-safe (no state).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tb {

[[nodiscard]] std::string base64_encode(std::string_view bytes);
// Strict: standard alphabet, correct padding, no white space, no stray bits; else empty.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

[[nodiscard]] std::string base64url_encode(std::string_view bytes);
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace tb
