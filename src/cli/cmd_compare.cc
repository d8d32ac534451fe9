#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/tool_command.h"
#include "tools/portfolio/tools.h"

namespace tb::cli {

namespace {

// One command, three questions: the strategies of one block, several blocks side by side, or the
// difference of two.
const ToolCommand& strategies_of_a_block() {
    static const ToolCommand kCommand = {.name = "compare",
                                         .summary = {},
                                         .description = {},
                                         .tool = tools::get_strategy_comparison_tool,
                                         .positionals = {{"BLOCK", "blockId", ""}},
                                         .aliases = {{"--from", "startDate", "DAY", ""},
                                                     {"--to", "endDate", "DAY", ""},
                                                     {"--ticker", "tickerFilter", "TICKER", ""}}};
    return kCommand;
}

std::vector<std::string> failed_blocks(const mcp::Json& answer) {
    std::vector<std::string> messages;
    for (const mcp::Json& block : answer.value("failedBlocks", mcp::Json::array())) {
        messages.push_back(block.value("error", ""));
    }
    return messages;
}

const ToolCommand& blocks_side_by_side() {
    static const ToolCommand kCommand = {
        .name = "compare",
        .summary = {},
        .description = {},
        .tool = tools::compare_blocks_tool,
        .positionals = {{"BLOCK", "blockIds[]", ""},
                        {"BLOCK2", "blockIds[]", ""},
                        {"BLOCK3", "blockIds[]", ""},
                        {"BLOCK4", "blockIds[]", ""},
                        {"BLOCK5", "blockIds[]", ""}},
        .aliases = {{"--rate", "riskFreeRateAnnualPct", "PERCENT", ""}},
        .failures = failed_blocks};
    return kCommand;
}

const ToolCommand& difference_of_two() {
    static const ToolCommand kCommand = {
        .name = "compare",
        .summary = {},
        .description = {},
        .tool = tools::block_diff_tool,
        .positionals = {{"BLOCK", "blockIdA", ""}, {"BLOCK2", "blockIdB", ""}},
        .aliases = {{"--from", "startDate", "DAY", ""},
                    {"--to", "endDate", "DAY", ""},
                    {"--rate", "riskFreeRateAnnualPct", "PERCENT", ""}}};
    return kCommand;
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    const bool several = invocation.has("BLOCK2");
    const ToolCommand* question = several ? &blocks_side_by_side() : &strategies_of_a_block();
    if (invocation.has("--diff")) {
        if (!several || invocation.has("BLOCK3")) {
            return make_error(ErrorCode::kInvalidArgument, "--diff wants exactly two blocks");
        }
        question = &difference_of_two();
    }
    // An option that the question does not have would otherwise be dropped without a word.
    const Command known = tool_command(*question, run);
    for (const auto& [name, value] : invocation.values()) {
        const bool is_known =
            !name.starts_with("--") || name == "--diff" ||
            std::any_of(known.options.begin(), known.options.end(),
                        [&](const Option& option) { return option.name == name; });
        if (!is_known) {
            return make_error(ErrorCode::kInvalidArgument,
                              fmt::format("{} has no meaning {}", name,
                                          invocation.has("--diff") ? "with --diff"
                                          : several ? "for several blocks; two with --diff may "
                                                      "take it"
                                                    : "for one block"));
        }
    }
    return run_tool_command(*question, invocation, session);
}

}  // namespace

Command compare_command() {
    Command command = tool_command(strategies_of_a_block(), run);
    for (const ToolCommand* more : {&blocks_side_by_side(), &difference_of_two()}) {
        for (Option& option : tool_command(*more, run).options) {
            const bool is_new =
                std::none_of(command.options.begin(), command.options.end(),
                             [&](const Option& known) { return known.name == option.name; });
            if (is_new) {
                command.options.push_back(std::move(option));
            }
        }
    }
    for (Option& option : command.options) {
        if (option.name == "--sort-by" || option.name == "--sort-order") {
            // Each question has its own orders and its own default.
            option.kind = ValueKind::kText;
            option.choices.clear();
            option.value_name = option.name == "--sort-by" ? "FIGURE" : "ORDER";
            option.help =
                option.name == "--sort-by" ? "name or a figure, e.g. netPl" : "asc or desc";
            option.default_text.clear();
        }
    }
    constexpr std::array kHelp = {
        std::pair{"--from", "first day realized, YYYY-MM-DD (one block, or --diff)"},
        std::pair{"--to", "last day realized, YYYY-MM-DD (one block, or --diff)"},
        std::pair{"--ticker", "only this underlying (one block)"},
        std::pair{"--rate", "fixed risk-free rate a year (several blocks)"}};
    for (const auto& [name, help] : kHelp) {
        const auto found = std::find_if(command.options.begin(), command.options.end(),
                                        [&](const Option& option) { return option.name == name; });
        found->help = help;
    }
    command.options.push_back(
        {"--diff", ValueKind::kFlag, "", "what two blocks share and how they differ", {}, ""});
    command.name = "compare";
    command.summary = "compare the strategies of a block, or several blocks";
    command.description =
        "With one block: its strategies side by side. With two to five: the key figures of the "
        "blocks side by side, with the period of each; one that cannot be read is an error, but "
        "the others are compared all the same. With --diff and "
        "two blocks: which strategies they share, and every figure's difference, second minus "
        "first.";
    command.arguments = {{"DIR", ValueKind::kDirectory, "the data directory"},
                         {"BLOCK", ValueKind::kBlock, "a block (its folder name)"},
                         {"BLOCK2", ValueKind::kBlock, "another block", false},
                         {"BLOCK3", ValueKind::kBlock, "another block", false},
                         {"BLOCK4", ValueKind::kBlock, "another block", false},
                         {"BLOCK5", ValueKind::kBlock, "another block", false}};
    command.examples = {{"compare ~/Trades MEIC", "its strategies"},
                        {"compare ~/Trades MEIC Flies", "two blocks"},
                        {"compare ~/Trades Before After --diff", "what changed"}};
    return command;
}

}  // namespace tb::cli
