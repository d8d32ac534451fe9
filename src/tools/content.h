// Everything a server of one data directory offers: tools, resources, templates, prompts, and the
// text that introduces them to an assistant.
//
// Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "mcp/resource.h"
#include "mcp/server.h"
#include "tools/app.h"

namespace tb::tools {

// The selected tools with all resources and prompts. `app` outlives the content. kInvalidArgument
// names unknown toolsets and tools.
[[nodiscard]] Result<mcp::ServerContent> make_content(App& app,
                                                      const mcp::ToolSelection& selection);

// For ServerOptions::instructions; no data from files, and no tool that is not in `tools`.
[[nodiscard]] std::string instructions(App& app, const mcp::ToolRegistry& tools);

// Uris that a change of these blocks touches (`_marketdata`: of the market tables): for
// Notifier::resource_updated.
[[nodiscard]] std::vector<std::string> changed_resource_uris(
    const std::vector<std::string>& block_ids);

// The reference of all tools, docs/tools.md.
[[nodiscard]] std::string render_tools_markdown();

// ---- parts, for make_content ----

// Resources read what tools answer, in full: the registry is the one of all tools.
using Registry = std::shared_ptr<const mcp::ToolRegistry>;

// tradeblocks://blocks, tradeblocks://schema, tradeblocks://guides/optionomega
[[nodiscard]] std::vector<mcp::ResourceSpec> fixed_resources(App& app, const Registry& registry);
// tradeblocks://blocks/{blockId}, its trades, daily and reporting rows,
// tradeblocks://schema/{table}, tradeblocks://tools/{tool}, tradeblocks://result/{id}
[[nodiscard]] std::vector<mcp::ResourceTemplateSpec> resource_templates(App& app,
                                                                        const Registry& registry);
// The blocks whose folders hold a trade log now, by uri; reads no rows.
[[nodiscard]] std::vector<mcp::ResourceInfo> block_resources(App& app);
[[nodiscard]] std::string block_uri(std::string_view block_id);
// tradeblocks://schema and the tables that are filled from blocks, from market files, or from both.
[[nodiscard]] std::vector<std::string> schema_uris(bool blocks, bool market);

// They name no tool that is not in `registry`.
[[nodiscard]] std::vector<mcp::PromptSpec> prompts(App& app, const mcp::ToolRegistry& registry);

// Values for completion (06 T15): blocks of the directory, strategies of the block chosen as
// `block_argument`.
[[nodiscard]] mcp::Completer block_completer(App& app);
[[nodiscard]] mcp::Completer strategy_completer(App& app, const std::string& block_argument);

}  // namespace tb::tools
