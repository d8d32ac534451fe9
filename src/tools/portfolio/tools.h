// Portfolio analytics as tools (02 §2-§4): each loads a fresh block, calls the pure library
// `analytics` and renders its structs.
#pragma once

#include <vector>

#include "mcp/tool.h"
#include "tools/app.h"

namespace tb::tools {

// What happened: statistics, strategies, blocks against each other, periods, charts, live fills.
[[nodiscard]] std::vector<mcp::ToolSpec> statistics_tools(App& app);
// What may happen: Monte Carlo, walk-forward, correlation, tail risk, position sizing.
[[nodiscard]] std::vector<mcp::ToolSpec> risk_tools(App& app);

// One per file.
[[nodiscard]] mcp::ToolSpec get_statistics_tool(App& app);
[[nodiscard]] mcp::ToolSpec get_strategy_comparison_tool(App& app);
[[nodiscard]] mcp::ToolSpec compare_blocks_tool(App& app);
[[nodiscard]] mcp::ToolSpec block_diff_tool(App& app);
[[nodiscard]] mcp::ToolSpec get_period_returns_tool(App& app);
[[nodiscard]] mcp::ToolSpec get_performance_charts_tool(App& app);
[[nodiscard]] mcp::ToolSpec compare_backtest_to_actual_tool(App& app);

}  // namespace tb::tools
