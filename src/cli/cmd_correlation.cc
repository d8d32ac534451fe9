#include "cli/commands.h"
#include "cli/tool_command.h"
#include "tools/portfolio/risk.h"

namespace tb::cli {

namespace {

const ToolCommand& command() {
    static const ToolCommand kCommand = {
        .name = "correlation",
        .summary = "show how the strategies of a block move together",
        .description =
            "The correlation of every pair of strategies over the days (weeks, months) both "
            "traded, with the number of such days. Pairs with too few days have no value.",
        .tool = tools::get_correlation_matrix_tool,
        .positionals = {{"BLOCK", "blockId", "the block (its folder name)"}},
        .aliases = {{"--from", "dateRangeFrom", "DAY", "first day realized, YYYY-MM-DD"},
                    {"--to", "dateRangeTo", "DAY", "last day realized, YYYY-MM-DD"},
                    {"--ticker", "tickerFilter", "TICKER",
                     "only this underlying, for instance SPX"}},
        .examples = {
            {"correlation ~/Trades MEIC", "Kendall's tau over days"},
            {"correlation ~/Trades MEIC --method pearson --time-period weekly", "over weeks"}}};
    return kCommand;
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    return run_tool_command(command(), invocation, session);
}

}  // namespace

Command correlation_command() {
    return tool_command(command(), run);
}

}  // namespace tb::cli
