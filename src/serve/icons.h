// The server's own icon for clients that show one (06 T18): three bars, as SVG and PNG, each below
// 2 kB. Tools have none; they would bloat the list.
//
// Thread-safe.
#pragma once

#include "mcp/json_box.h"

namespace tb::serve {

// For Implementation::icons.
[[nodiscard]] mcp::JsonBox icons();

}  // namespace tb::serve
