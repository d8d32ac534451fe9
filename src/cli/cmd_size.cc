#include "cli/commands.h"
#include "cli/tool_command.h"
#include "tools/portfolio/risk.h"

namespace tb::cli {

namespace {

const ToolCommand& command() {
    static const ToolCommand kCommand = {
        .name = "size",
        .summary = "show how much capital the past would have justified",
        .description =
            "Kelly fractions and the allocation they give for your capital, for the block and for "
            "each of its strategies, capped by --max-allocation-pct.",
        .tool = tools::get_position_sizing_tool,
        .positionals = {{"BLOCK", "blockId", "the block (its folder name)"}},
        .aliases = {{"--capital", "capitalBase", "USD", "the capital to allocate (needed)"}},
        .examples = {
            {"size ~/Trades MEIC --capital 100000", "half Kelly, at most a quarter of the capital"},
            {"size ~/Trades MEIC --capital 100000 --kelly-fraction full", "full Kelly"}}};
    return kCommand;
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    return run_tool_command(command(), invocation, session);
}

}  // namespace

Command size_command() {
    return tool_command(command(), run);
}

}  // namespace tb::cli
