// Reading what another process of ours has written: the same as json_text.h and json_rpc.h, without
// the limit of members. A map of an answer may have one for every strategy of a block.
//
// Thread-safe (no state).
#pragma once

#include <string_view>

#include "core/result.h"
#include "mcp/json_box.h"
#include "mcp/json_rpc.h"

namespace tb::mcp {

// As parse_json.
[[nodiscard]] Result<Json> parse_peer_json(std::string_view text);
// As decode_text.
[[nodiscard]] Inbound decode_peer_text(std::string_view text);

}  // namespace tb::mcp
