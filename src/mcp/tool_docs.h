// The manual of a set of tools as Markdown, from the same table that runs them (docs/tools.md).
// Thread-safe.
#pragma once

#include <string>

#include "mcp/tool.h"

namespace tb::mcp {

// One section per tool in registry order: title, description, hints, a table of arguments with
// their flags, a table of result members (nested ones as `rows[].date`). The same bytes every time.
[[nodiscard]] std::string tools_markdown(const ToolRegistry& registry);

}  // namespace tb::mcp
