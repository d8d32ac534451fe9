#include "cli/commands.h"
#include "cli/tool_command.h"
#include "tools/portfolio/tools.h"

namespace tb::cli {

namespace {

const ToolCommand& command() {
    static const ToolCommand kCommand = {
        .name = "stats",
        .summary = "show the key figures of a block",
        .description =
            "P/L, win rate, profit factor, Sharpe and Sortino ratio, drawdown, growth, Kelly, "
            "streaks and the largest exposure, of the whole block or of a strategy, an underlying "
            "or a range of days. Figures without a value say why. With --conventions reference the "
            "figures are those of the original program, its known mistakes included.",
        .tool = tools::get_statistics_tool,
        .positionals = {{"BLOCK", "blockId", "the block (its folder name)"}},
        .aliases = {{"--from", "startDate", "DAY", "first day realized, YYYY-MM-DD"},
                    {"--to", "endDate", "DAY", "last day realized, YYYY-MM-DD"},
                    {"--ticker", "tickerFilter", "TICKER",
                     "only this underlying, for instance SPX"},
                    {"--rate", "riskFreeRateAnnualPct", "PERCENT",
                     "fixed risk-free rate a year instead of treasury rates"}},
        .examples = {
            {"stats ~/Trades MEIC", "all of it"},
            {"stats ~/Trades MEIC --from 2025-01-01 --strategy Morning",
             "one strategy, from that day"},
            {"stats ~/Trades MEIC --explain", "with the formula and inputs of each figure"}}};
    return kCommand;
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    return run_tool_command(command(), invocation, session);
}

}  // namespace

Command stats_command() {
    return tool_command(command(), run);
}

}  // namespace tb::cli
