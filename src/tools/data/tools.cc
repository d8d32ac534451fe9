#include "tools/data/tools.h"

namespace tb::tools {

std::vector<mcp::ToolSpec> data_tools(App& app) {
    return {
        get_block_info_tool(app),
    };
}

}  // namespace tb::tools
