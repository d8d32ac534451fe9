// JSON from strangers where two readings of one text would be a hole: tokens and key sets.
//
// Thread-safe (no state).
#pragma once

#include <cstddef>
#include <string_view>

#include "core/result.h"
#include "mcp/json_box.h"

namespace tb::mcp {

inline constexpr std::size_t kMaxOauthJsonDepth = 16;
inline constexpr std::size_t kMaxOauthJsonMembers = 256;

// An object, with every member name once at each level. kParse: anything else, invalid UTF-8 or a
// number outside the range of a double; kResourceExhausted: deeper than kMaxOauthJsonDepth or an
// object above kMaxOauthJsonMembers. No part of the text is in the message.
[[nodiscard]] Result<Json> parse_oauth_json(std::string_view text);

// The member if it is a string; else null.
[[nodiscard]] const std::string* oauth_text(const Json& object, const char* name);

}  // namespace tb::mcp
