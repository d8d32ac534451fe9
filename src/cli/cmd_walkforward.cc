#include "cli/commands.h"
#include "cli/tool_command.h"
#include "tools/portfolio/risk.h"

namespace tb::cli {

namespace {

const ToolCommand& command() {
    static const ToolCommand kCommand = {
        .name = "walkforward",
        .summary = "check whether what worked kept working afterwards",
        .description =
            "Picks the best parameters on one stretch of days, applies them to the days that "
            "follow, and moves on through the history: how much of the result survives tells how "
            "far the block is fitted to its past.",
        .tool = tools::run_walk_forward_tool,
        .positionals = {{"BLOCK", "blockId", "the block (its folder name)"}},
        .aliases = {{"--from", "dateRangeFrom", "DAY", "first day realized, YYYY-MM-DD"},
                    {"--to", "dateRangeTo", "DAY", "last day realized, YYYY-MM-DD"},
                    {"--ticker", "tickerFilter", "TICKER",
                     "only this underlying, for instance SPX"}},
        .examples = {{"walkforward ~/Trades MEIC", "five windows, by Sharpe ratio"},
                     {"walkforward ~/Trades MEIC --in-sample-days 60 --out-of-sample-days 20 "
                      "--optimization-target netPl",
                      "windows of days"}}};
    return kCommand;
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    return run_tool_command(command(), invocation, session);
}

}  // namespace

Command walkforward_command() {
    return tool_command(command(), run);
}

}  // namespace tb::cli
