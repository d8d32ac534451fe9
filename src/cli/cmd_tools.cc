#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "mcp/nearest.h"
#include "mcp/tool_docs.h"
#include "tools/registry.h"

namespace tb::cli {

namespace {

using mcp::Json;

// The first sentence, which says what the tool does.
std::string first_sentence(const std::string& text) {
    const std::size_t end = text.find(". ");
    return end == std::string::npos ? text : text.substr(0, end + 1);
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    tools::AppOptions options;
    options.data_dir = ".";
    tools::App app(std::move(options));  // the tools are only described: nothing is opened
    TB_TRY(const mcp::ToolRegistry registry, tools::make_registry(app));
    Output& out = session.terminal.out();
    const std::string name = invocation.text("TOOL");
    const mcp::ToolSpec* const wanted = registry.find(name);
    if (!name.empty() && wanted == nullptr) {
        return make_error(ErrorCode::kNotFound,
                          fmt::format("there is no tool \"{}\"{}", name,
                                      mcp::did_you_mean(name, registry.nearest(name))));
    }
    if (invocation.has("--json")) {
        Json json = Json::array();
        for (const auto& tool : registry.tools()) {
            if (wanted == nullptr || tool.get() == wanted) {
                json.push_back(mcp::tool_json(*tool));
            }
        }
        out.write_data((wanted == nullptr ? json : json[0]).dump(2) + "\n");
        return ExitCode::kDone;
    }
    if (wanted != nullptr) {
        mcp::ToolSelection only;
        only.tools = {name};
        TB_TRY(const mcp::ToolRegistry one, registry.select(only));
        out.write(mcp::tools_markdown(one));
        return ExitCode::kDone;
    }
    std::string toolset;
    for (const auto& tool : registry.tools()) {
        if (tool->toolset != toolset) {
            toolset = tool->toolset;
            out.write(fmt::format("{}{}\n", session.terminal.paint(Style::kBold, toolset), ":"));
        }
        out.write(fmt::format("  {:<28} {}{}\n", tool->name, first_sentence(tool->description),
                              tool->annotations.read_only ? "" : " (writes)"));
    }
    return ExitCode::kDone;
}

}  // namespace

Command tools_command() {
    return {.name = "tools",
            .summary = "list the tools that an assistant (and tradeblocks call) can use",
            .description =
                "The same tools as an assistant sees over MCP, by toolset. With a name: what the "
                "tool does, its arguments with their flags for tradeblocks call, and the members "
                "of its result.",
            .arguments = {{"TOOL", ValueKind::kTool, "only this tool, in full", false}},
            .options =
                {{"--json", ValueKind::kFlag, "", "as MCP describes tools, with schemas", {}, ""}},
            .examples = {{"tools", "what there is"},
                         {"tools get_block_info", "what one tool takes and gives"}},
            .run = run};
}

}  // namespace tb::cli
