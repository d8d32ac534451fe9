#include "cli/commands.h"
#include "cli/tool_command.h"
#include "tools/portfolio/tools.h"

namespace tb::cli {

namespace {

const ToolCommand& command() {
    static const ToolCommand kCommand = {
        .name = "returns",
        .summary = "show P/L by month, week or day",
        .description =
            "Net and gross P/L, fees and the number of trades per month, ISO week or day, by the "
            "day the result was realized, with totals.",
        .tool = tools::get_period_returns_tool,
        .positionals = {{"BLOCK", "blockId", "the block (its folder name)"}},
        .aliases = {{"--from", "dateRange.from", "DAY", "first day realized, YYYY-MM-DD"},
                    {"--to", "dateRange.to", "DAY", "last day realized, YYYY-MM-DD"},
                    {"--one-lot", "normalizeTo1Lot", "", "as if every trade had one contract"}},
        .examples = {{"returns ~/Trades MEIC", "by month"},
                     {"returns ~/Trades MEIC --period weekly --year 2025", "the weeks of a year"}}};
    return kCommand;
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    return run_tool_command(command(), invocation, session);
}

}  // namespace

Command returns_command() {
    return tool_command(command(), run);
}

}  // namespace tb::cli
