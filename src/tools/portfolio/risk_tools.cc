#include "tools/portfolio/risk.h"
#include "tools/portfolio/tools.h"

namespace tb::tools {

std::vector<mcp::ToolSpec> risk_tools(App& app) {
    return {run_walk_forward_tool(app), run_monte_carlo_tool(app), get_correlation_matrix_tool(app),
            get_tail_risk_tool(app), get_position_sizing_tool(app)};
}

}  // namespace tb::tools
