#include "tools/portfolio/tools.h"

namespace tb::tools {

std::vector<mcp::ToolSpec> statistics_tools(App& app) {
    return {
        get_statistics_tool(app),
        get_strategy_comparison_tool(app),
        compare_blocks_tool(app),
        block_diff_tool(app),
        get_period_returns_tool(app),
        get_performance_charts_tool(app),
        compare_backtest_to_actual_tool(app),
    };
}

}  // namespace tb::tools
