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

}  // namespace tb::tools
