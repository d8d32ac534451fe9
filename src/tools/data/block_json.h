// A block in a few fields, as get_block_info and prompts tell it. Thread-safe.
#pragma once

#include "mcp/json_box.h"
#include "tools/app.h"

namespace tb::tools {

// With syncInfo, and syncErrors and warnings where there are any.
[[nodiscard]] mcp::Json block_info_json(const FreshBlock& fresh);

}  // namespace tb::tools
