// The one visible list of everything the program can be asked: MCP tools, which are also the
// commands `tradeblocks call` and `tradeblocks tools`.
//
// A tool is one file below tools/data (the blocks, their rows, SQL, imports) or tools/portfolio
// (analytics): a factory that returns its table entry. Adding a tool means writing that file,
// declaring the factory in the folder's tools.h and adding one line to the list of the folder.
//
// Thread-compatible; the registry made here is immutable and thread-safe.
#pragma once

#include <vector>

#include "core/result.h"
#include "mcp/tool.h"
#include "tools/app.h"

namespace tb::tools {

// In the order of tools/list. `app` outlives the table.
[[nodiscard]] std::vector<mcp::ToolSpec> all_tools(App& app);

// The table, checked (mcp::ToolRegistry::make). With AppOptions::read_only the tools that write are
// not in it.
[[nodiscard]] Result<mcp::ToolRegistry> make_registry(App& app);

}  // namespace tb::tools
