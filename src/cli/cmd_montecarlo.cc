#include "cli/commands.h"
#include "cli/tool_command.h"
#include "tools/portfolio/risk.h"

namespace tb::cli {

namespace {

const ToolCommand& command() {
    static const ToolCommand kCommand = {
        .name = "montecarlo",
        .summary = "simulate what may happen, from the block's own trades",
        .description =
            "Resamples the block's trades many times and shows the spread of final values, "
            "drawdowns and returns. The seed is part of the answer: with --random-seed the same "
            "simulation runs again.",
        .tool = tools::run_monte_carlo_tool,
        .positionals = {{"BLOCK", "blockId", "the block (its folder name)"}},
        .aliases = {},
        .examples = {{"montecarlo ~/Trades MEIC", "1,000 paths as long as the history"},
                     {"montecarlo ~/Trades MEIC --num-simulations 5000 --random-seed 7",
                      "more paths, repeatable"}}};
    return kCommand;
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    return run_tool_command(command(), invocation, session);
}

}  // namespace

Command montecarlo_command() {
    return tool_command(command(), run);
}

}  // namespace tb::cli
