// Commands that are tools in other clothes: their options and their text on a terminal.
#include "cli/tool_command.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "cli/commands.h"

namespace tb::cli {
namespace {

Terminal plain_terminal() {
    TerminalSettings settings;
    settings.out_fd = -1;
    settings.err_fd = -1;
    return Terminal(settings);
}

TEST(TerminalText, TablesAreAlignedAndEverythingElseStays) {
    const Terminal terminal = plain_terminal();
    EXPECT_EQ(terminal_text("Title\n| Name | P/L |\n|---|---|\n| a\\|b | $5.00 |\n| long name | "
                            "-$1,200.00 |\nafter\n",
                            terminal),
              "Title\n"
              "Name              P/L\n"
              "a|b             $5.00\n"
              "long name  -$1,200.00\n"
              "after\n");
}

TEST(TerminalText, NamesThatBeginWithADigitStandLeftInTheFirstColumn) {
    const std::string text = terminal_text(
        "x\n| Strategy | n |\n|---|---|\n| 0DTE | 1 |\n| 1DTE long | 22 |\n", plain_terminal());
    EXPECT_NE(text.find("\n0DTE "), std::string::npos) << text;
}

TEST(TerminalText, TailLinesAreAsPeopleReadThem) {
    const Terminal terminal = plain_terminal();
    EXPECT_EQ(terminal_text("Blocks\nFAILED 'a\\|b': no block\n", terminal),
              "Blocks\nFAILED 'a|b': no block\n");
    EXPECT_EQ(terminal_text("x\n8 rows left out; get_data_issues says which, my_get_data_issues\n",
                            terminal),
              "x\n8 rows left out; tradeblocks issues says which, my_get_data_issues\n");
}

TEST(TerminalText, ControlCharactersAndBrokenTablesAreHarmless) {
    const Terminal terminal = plain_terminal();
    EXPECT_EQ(terminal_text("a\x1b[31mred\n", terminal).find('\x1b'), std::string::npos);
    EXPECT_EQ(terminal_text("| a |\n|---|\n| \x1b[2J |\n", terminal).find('\x1b'),
              std::string::npos);
    EXPECT_EQ(terminal_text("", terminal), "");
    for (const char* broken : {"| a | b |\n|---|---|\n| only one |\n| 1 | 2 | 3 |\n", "|\n|",
                               "| ends in a backslash \\"}) {
        EXPECT_EQ(terminal_text(broken, terminal).find('|'), std::string::npos) << broken;
    }
}

// What an alias or a positional word fills has no second flag; everything else of the tool has one.
TEST(ToolCommands, OptionsAreTheToolsArgumentsOnce) {
    const auto has = [](const Command& command, const std::string& name) {
        return std::count_if(command.options.begin(), command.options.end(),
                             [&](const Option& option) { return option.name == name; });
    };
    const Command stats = stats_command();
    for (const char* name : {"--from", "--to", "--strategy", "--conventions", "--json"}) {
        EXPECT_EQ(has(stats, name), 1) << name;
    }
    for (const char* name : {"--block-id", "--start-date", "--max-chars"}) {
        EXPECT_EQ(has(stats, name), 0) << name;
    }
    EXPECT_EQ(has(returns_command(), "--date-range"), 0);
    EXPECT_EQ(has(compare_command(), "--sort-by"), 1);
    EXPECT_EQ(has(compare_command(), "--diff"), 1);
}

// The help of a command speaks of its own flags, with units and limits.
TEST(ToolCommands, HelpIsInTheWordsOfTheCommand) {
    const auto help = [](const Command& command, const std::string& name) {
        const auto found = std::find_if(command.options.begin(), command.options.end(),
                                        [&](const Option& option) { return option.name == name; });
        return found == command.options.end() ? std::string() : found->help;
    };
    EXPECT_EQ(help(walkforward_command(), "--step-size-days").find("outOfSample"),
              std::string::npos);
    EXPECT_NE(help(walkforward_command(), "--step-size-days").find("--out-of-sample-days"),
              std::string::npos);
    EXPECT_EQ(help(returns_command(), "--year").find("dateRange"), std::string::npos);
    EXPECT_NE(help(returns_command(), "--year").find("--from/--to"), std::string::npos);
    EXPECT_TRUE(help(correlation_command(), "--normalization").starts_with("P/L in dollars"));
    EXPECT_NE(help(montecarlo_command(), "--ruin-threshold-pct").find("0 to 1"), std::string::npos);
}

}  // namespace
}  // namespace tb::cli
