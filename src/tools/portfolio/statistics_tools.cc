#include "tools/portfolio/tools.h"

namespace tb::tools {

std::vector<mcp::ToolSpec> statistics_tools([[maybe_unused]] App& app) {
    return {};
}

}  // namespace tb::tools
