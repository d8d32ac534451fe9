// Tools about what is in the data directory: blocks, their rows, the database, imports.
#pragma once

#include <vector>

#include "mcp/tool.h"
#include "tools/app.h"

namespace tb::tools {

[[nodiscard]] std::vector<mcp::ToolSpec> data_tools(App& app);

[[nodiscard]] mcp::ToolSpec list_blocks_tool(App& app);
[[nodiscard]] mcp::ToolSpec get_block_info_tool(App& app);
[[nodiscard]] mcp::ToolSpec get_trades_tool(App& app);
[[nodiscard]] mcp::ToolSpec get_reporting_log_stats_tool(App& app);

}  // namespace tb::tools
