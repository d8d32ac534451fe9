// The five risk tools of 02 §4.5-§4.9. Each reads its arguments, takes the rows of one fresh block
// and renders what the library `analytics` computes; conventions, freshness and explanations come
// from the frame of tools/portfolio/common.h.
#pragma once

#include "mcp/tool.h"
#include "tools/app.h"

namespace tb::tools {

[[nodiscard]] mcp::ToolSpec run_monte_carlo_tool(App& app);
[[nodiscard]] mcp::ToolSpec run_walk_forward_tool(App& app);
[[nodiscard]] mcp::ToolSpec get_correlation_matrix_tool(App& app);
[[nodiscard]] mcp::ToolSpec get_tail_risk_tool(App& app);
[[nodiscard]] mcp::ToolSpec get_position_sizing_tool(App& app);

}  // namespace tb::tools
