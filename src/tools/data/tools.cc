#include "tools/data/tools.h"

namespace tb::tools {

std::vector<mcp::ToolSpec> data_tools(App& app) {
    return {
        list_blocks_tool(app),
        get_block_info_tool(app),
        get_trades_tool(app),
        get_reporting_log_stats_tool(app),
    };
}

}  // namespace tb::tools
