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
[[nodiscard]] mcp::ToolSpec sync_tool(App& app);
[[nodiscard]] mcp::ToolSpec get_sync_history_tool(App& app);
[[nodiscard]] mcp::ToolSpec get_data_issues_tool(App& app);
[[nodiscard]] mcp::ToolSpec run_sql_tool(App& app);
[[nodiscard]] mcp::ToolSpec describe_database_tool(App& app);
[[nodiscard]] mcp::ToolSpec import_csv_tool(App& app);
[[nodiscard]] mcp::ToolSpec purge_market_table_tool(App& app);
[[nodiscard]] mcp::ToolSpec get_backtest_help_tool();

}  // namespace tb::tools
