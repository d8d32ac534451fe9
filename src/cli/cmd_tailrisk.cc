#include "cli/commands.h"
#include "cli/tool_command.h"
#include "tools/portfolio/risk.h"

namespace tb::cli {

namespace {

const ToolCommand& command() {
    static const ToolCommand kCommand = {
        .name = "tailrisk",
        .summary = "show which strategies lose together on bad days",
        .description =
            "How often one strategy has one of its worst days when another has, which share of the "
            "common risk each strategy carries, and how many independent bets there are.",
        .tool = tools::get_tail_risk_tool,
        .positionals = {{"BLOCK", "blockId", "the block (its folder name)"}},
        .aliases = {{"--from", "dateRangeFrom", "DAY", "first day realized, YYYY-MM-DD"},
                    {"--to", "dateRangeTo", "DAY", "last day realized, YYYY-MM-DD"},
                    {"--ticker", "tickerFilter", "TICKER",
                     "only this underlying, for instance SPX"}},
        .examples = {{"tailrisk ~/Trades MEIC", "worst tenth of the days"},
                     {"tailrisk ~/Trades MEIC --tail-threshold 0.05", "worst twentieth"}}};
    return kCommand;
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    return run_tool_command(command(), invocation, session);
}

}  // namespace

Command tailrisk_command() {
    return tool_command(command(), run);
}

}  // namespace tb::cli
