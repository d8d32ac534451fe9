#include "cli/parser.h"

#include <cstdlib>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "cli/amount.h"
#include "cli/commands.h"
#include "cli/help.h"

namespace tb::cli {
namespace {

ParsedLine parsed(const std::vector<std::string>& words) {
    auto line = parse_command_line(words);
    EXPECT_TRUE(line.has_value()) << line.error().to_string();
    return line.value_or(ParsedLine{});
}

std::string refused(const std::vector<std::string>& words) {
    const auto line = parse_command_line(words);
    EXPECT_FALSE(line.has_value());
    if (line.has_value()) {
        return {};
    }
    EXPECT_EQ(line.error().code, ErrorCode::kInvalidArgument);
    return line.error().message;
}

TEST(Parser, ReadsArgumentsAndOptionsInAnyOrder) {
    for (const auto& words :
         {std::vector<std::string>{"sync", "/data", "--block", "My Block", "--json"},
          std::vector<std::string>{"sync", "--json", "--block=My Block", "/data"}}) {
        const ParsedLine line = parsed(words);
        ASSERT_NE(line.command, nullptr);
        EXPECT_EQ(line.command->name, "sync");
        EXPECT_EQ(line.invocation.text("DIR"), "/data");
        EXPECT_EQ(line.invocation.text("--block"), "My Block");
        EXPECT_TRUE(line.invocation.has("--json"));
        EXPECT_FALSE(line.invocation.has("--verify"));
    }
}

TEST(Parser, WordsAfterTheDoubleDashAreArguments) {
    EXPECT_EQ(parsed({"history", "/data", "--", "--odd-block"}).invocation.text("BLOCK"),
              "--odd-block");
}

TEST(Parser, NumbersAreChecked) {
    EXPECT_EQ(parsed({"history", "/d", "--limit", "25"}).invocation.number("--limit"), 25);
    EXPECT_EQ(parsed({"history", "/d"}).invocation.number("--limit"), std::nullopt);
    EXPECT_NE(refused({"history", "/d", "--limit="}).find("--limit"), std::string::npos);
    EXPECT_EQ(parsed({"sql", "/d", "SELECT 1", "--limit", "10k"}).invocation.number("--limit"),
              10'000);
    EXPECT_EQ(parsed({"demo", "--trades", "1,500"}).invocation.text("--trades"), "1500");
    for (const char* const bad :
         {"-1", "ten", "1.5", "99999999999999999999", "1,5", "-1k", "1.5000k5"}) {
        EXPECT_NE(refused({"history", "/d", std::string("--limit=") + bad}).find("whole number"),
                  std::string::npos)
            << bad;
    }
}

TEST(Parser, TextThatIsNoUtf8IsRefusedAndPathsMayBeAnyBytes) {
    EXPECT_NE(refused({"stats", "/d", "b\xff"}).find("folders with such names are ignored"),
              std::string::npos);
    EXPECT_NE(refused({"sync", "/d", "--block", "b\xff"}).find("--block is not valid UTF-8"),
              std::string::npos);
    EXPECT_EQ(parsed({"sync", "/d\xff"}).invocation.text("DIR"), "/d\xff");
}

TEST(Amount, IsReadAsPeopleTypeIt) {
    const std::vector<std::pair<const char*, double>> good = {
        {"100k", 100'000}, {"100K", 100'000},  {"1.5m", 1'500'000}, {"0.1m", 100'000},
        {"2b", 2e9},       {"$100,000", 1e5},  {"-$2.5k", -2'500},  {"1,234,567.89", 1'234'567.89},
        {"+7", 7},         {" 12 ", 12},       {".5m", 500'000},    {"1e5", 1e5},
        {"1.1k", 1'100},   {"100000", 100'000}};
    for (const auto& [text, value] : good) {
        EXPECT_EQ(read_amount(text), value) << text;
    }
    for (const char* const bad :
         {"", "k", "$", "-", "1,5", "1,23,456", ",123", "1234,567", "10kk", "1e5k", "1 000", "--5",
          "0x10", "nan", "inf", "12abc", "1,000,"}) {
        EXPECT_EQ(read_amount(bad), std::nullopt) << bad;
    }
    EXPECT_EQ(read_whole_amount("1.5k"), 1'500);
    EXPECT_EQ(read_whole_amount("1.5"), std::nullopt);
    EXPECT_EQ(read_whole_amount("9223372036854775807"), 9'223'372'036'854'775'807);
    EXPECT_EQ(read_whole_amount("99999999b"), std::nullopt);
}

TEST(Parser, ATildeIsTheHomeFolderAlsoWhereNoShellSaidSo) {
    if (std::getenv("HOME") == nullptr) {
        ::setenv("HOME", "/home/ann", 1);
    }
    const std::string home = std::getenv("HOME");
    EXPECT_EQ(parsed({"serve", "~/Trades"}).invocation.text("DIR"), home + "/Trades");
    EXPECT_EQ(parsed({"~/Trades"}).invocation.text("DIR"), home + "/Trades");
    EXPECT_EQ(parsed({"call", "~/Trades", "list_blocks"}).invocation.text("DIR"), home + "/Trades");
    EXPECT_EQ(parsed({"report", "/d", "A", "--output=~/r.html"}).invocation.text("--output"),
              home + "/r.html");
    EXPECT_EQ(parsed({"report", "/d", "~/A"}).invocation.text("BLOCK"), "~/A");
    EXPECT_EQ(parsed({"report", "/d", "A", "-o", "-"}).invocation.text("--output"), "-");
}

TEST(Parser, SaysWhatIsMissingOrTooMuch) {
    EXPECT_NE(refused({"sync"}).find("DIR is missing"), std::string::npos);
    EXPECT_NE(refused({"sync", ""}).find("DIR is empty"), std::string::npos);
    EXPECT_NE(refused({"status", "/a", "/b"}).find("/b"), std::string::npos);
    EXPECT_EQ(refused({"sync", "/d", "--block"}),
              "--block wants ID: only this block (its folder name). See tradeblocks sync --help");
    EXPECT_EQ(refused({"history", "/d", "--limit", "1", "--limit", "2"}),
              "--limit is there more than once. See tradeblocks history --help");
}

TEST(Parser, SuggestsTheNearestName) {
    EXPECT_NE(refused({"snyc", "/d"}).find("Did you mean \"sync\"?"), std::string::npos);
    EXPECT_NE(refused({"sync", "/d", "--verfy"}).find("Did you mean \"--verify\"?"),
              std::string::npos);
    EXPECT_EQ(refused({"xyzzy"}).find("Did you mean"), std::string::npos);
    EXPECT_NE(refused({"--portt"}).find("unknown option"), std::string::npos);
}

TEST(Parser, HelpAndVersionWinOverEverything) {
    EXPECT_EQ(parsed({}).kind, ParsedLine::Kind::kHelp);
    EXPECT_EQ(parsed({"--help"}).kind, ParsedLine::Kind::kHelp);
    EXPECT_EQ(parsed({"--version"}).kind, ParsedLine::Kind::kVersion);
    for (const auto& words :
         {std::vector<std::string>{"sync", "--help"}, std::vector<std::string>{"help", "sync"},
          std::vector<std::string>{"sync", "/d", "-h"}}) {
        const ParsedLine line = parsed(words);
        EXPECT_EQ(line.kind, ParsedLine::Kind::kHelp);
        ASSERT_NE(line.command, nullptr);
        EXPECT_EQ(line.command->name, "sync");
    }
}

TEST(Commands, TeachThemselves) {
    std::set<std::string> names;
    for (const Command& command : commands()) {
        EXPECT_TRUE(names.insert(command.name).second) << command.name;
        EXPECT_NE(command.run, nullptr) << command.name;
        EXPECT_FALSE(command.summary.empty() || command.summary.ends_with('.')) << command.name;
        EXPECT_GT(command.description.size(), 60U) << command.name;
        EXPECT_FALSE(command.examples.empty()) << command.name;
        bool optional_seen = false;
        for (const Argument& argument : command.arguments) {
            EXPECT_FALSE(argument.required && optional_seen)
                << command.name << ": a required argument after an optional one";
            optional_seen = optional_seen || !argument.required;
        }
        for (const Option& option : command.options) {
            EXPECT_TRUE(option.name.starts_with("--")) << command.name << " " << option.name;
            EXPECT_EQ(option.kind == ValueKind::kFlag, option.value_name.empty()) << option.name;
            EXPECT_EQ(option.kind == ValueKind::kChoice, !option.choices.empty()) << option.name;
        }
    }
}

// Examples are promises: each must be a line the parser takes.
TEST(Commands, ExamplesAreValidCommandLines) {
    for (const Command& command : commands()) {
        for (const Example& example : command.examples) {
            std::vector<std::string> words;
            std::string word;
            bool quoted = false;
            const std::string text = example.command.substr(0, example.command.find_first_of("|>"));
            for (const char c : text + " ") {
                if (c == '"') {
                    quoted = !quoted;
                } else if (c == ' ' && !quoted) {
                    if (!word.empty()) {
                        words.push_back(std::exchange(word, {}));
                    }
                } else {
                    word += c;
                }
            }
            const auto line = parse_command_line(words);
            EXPECT_TRUE(line.has_value())
                << example.command << ": " << (line ? "" : line.error().to_string());
            EXPECT_TRUE(!line || line->command == find_command(command.name)) << example.command;
        }
    }
}

TEST(Help, MentionsEverythingAndFitsTheScreen) {
    const std::string all = program_help();
    for (const Command& command : commands()) {
        EXPECT_NE(all.find("  " + command.name + " "), std::string::npos);
        const std::string text = command_help(command);
        for (const Option& option : command.options) {
            EXPECT_NE(text.find(option.name), std::string::npos) << command.name;
        }
        for (const Example& example : command.examples) {
            EXPECT_NE(text.find(example.command), std::string::npos);
        }
    }
    for (const ExitCode code : {ExitCode::kDone, ExitCode::kFailed, ExitCode::kUsage,
                                ExitCode::kPartly, ExitCode::kBusy, ExitCode::kInterrupted}) {
        EXPECT_NE(all.find("  " + std::to_string(static_cast<int>(code)) + " "), std::string::npos);
    }
    std::istringstream lines(all);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(display_width(line), 80U) << line;
        EXPECT_FALSE(line.ends_with(' ')) << line;
    }
}

TEST(Help, WrapsAtWords) {
    EXPECT_EQ(wrapped("one two three four", 2, 11), "  one two\n  three\n  four\n");
    EXPECT_EQ(wrapped("unbreakable-word x", 0, 5), "unbreakable-word\nx\n");
    EXPECT_EQ(wrapped("", 4, 10), "");
}

TEST(ManPage, ProtectsTroffsSpecialCharacters) {
    const std::string page = man_page();
    EXPECT_TRUE(page.starts_with(".TH TRADEBLOCKS 1"));
    EXPECT_NE(page.find("\\-\\-verify"), std::string::npos);
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_FALSE(line.starts_with(". ") || line.starts_with("..")) << line;
    }
}

TEST(Completion, KnowsEveryCommandInEveryShell) {
    for (const char* const shell : {"bash", "zsh", "fish"}) {
        const auto script = completion_script(shell);
        ASSERT_TRUE(script.has_value());
        for (const Command& command : commands()) {
            EXPECT_NE(script->find(command.name), std::string::npos) << shell;
            for (const Option& option : command.options) {
                EXPECT_NE(script->find(option.name.substr(2)), std::string::npos) << shell;
            }
        }
    }
    EXPECT_FALSE(completion_script("tcsh").has_value());
}

}  // namespace
}  // namespace tb::cli
