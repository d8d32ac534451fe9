#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/parser.h"
#include "support/temp_dir.h"

namespace tb::cli {
namespace {

ParsedLine parsed(const std::vector<std::string>& words) {
    auto line = parse_command_line(words);
    EXPECT_TRUE(line.has_value()) << line.error().to_string();
    return line.value_or(ParsedLine{});
}

TEST(ServeWords, AFolderAloneIsServed) {
    const test::TempDir temp;
    for (const std::string& folder : {temp.path().string(), std::string("/not/there")}) {
        const ParsedLine line = parsed({folder, "--read-only"});
        ASSERT_NE(line.command, nullptr) << folder;
        EXPECT_EQ(line.command->name, "serve");
        EXPECT_EQ(line.invocation.text("DIR"), folder);
        EXPECT_TRUE(line.invocation.has("--read-only"));
    }
    EXPECT_FALSE(parse_command_line({"no-such-folder-here"}).has_value());
    EXPECT_EQ(parsed({"sync", "/data"}).command->name, "sync");
}

TEST(ServeWords, TheAddressMayBeLeftOut) {
    for (const auto& words : {std::vector<std::string>{"serve", "--http", "/data"},
                              std::vector<std::string>{"serve", "/data", "--http"},
                              std::vector<std::string>{"serve", "/data", "--http", "--read-only"},
                              std::vector<std::string>{"/data", "--http"}}) {
        const ParsedLine line = parsed(words);
        EXPECT_EQ(line.invocation.text("--http"), "127.0.0.1:3100");
        EXPECT_EQ(line.invocation.text("DIR"), "/data");
    }
    EXPECT_EQ(parsed({"serve", "--http", "8080", "/data"}).invocation.text("--http"), "8080");
    EXPECT_EQ(parsed({"serve", "--http=[::1]:9", "/data"}).invocation.text("--http"), "[::1]:9");
    EXPECT_FALSE(parse_command_line({"serve", "/data", "--http=99999"}).has_value());
}

TEST(ServeWords, WordsOfACallAreLeftToTheTool) {
    const ParsedLine line =
        parsed({"call", "/data", "get_trades", "{}", "--block-id", "a b", "--help-me", "-"});
    EXPECT_EQ(line.invocation.text("DIR"), "/data");
    EXPECT_EQ(line.invocation.text("TOOL"), "get_trades");
    EXPECT_EQ(line.invocation.rest,
              (std::vector<std::string>{"{}", "--block-id", "a b", "--help-me", "-"}));
    EXPECT_EQ(parsed({"call", "--help"}).kind, ParsedLine::Kind::kHelp);
    for (const auto& words :
         {std::vector<std::string>{"call"}, std::vector<std::string>{"call", "/data"},
          std::vector<std::string>{"call", "--block-id", "x"}}) {
        EXPECT_FALSE(parse_command_line(words).has_value());
    }
}

TEST(ServeWords, WhatUsesTheDatabaseRunsWhereItIs) {
    for (const Command& command : commands()) {
        const bool wants_folder =
            !command.arguments.empty() && command.arguments.front().name == "DIR";
        if (command.relay != Relay::kNever) {
            EXPECT_TRUE(wants_folder && command.arguments.front().required) << command.name;
        } else if (wants_folder) {
            EXPECT_TRUE(command.name == "serve" || command.name == "demo" ||
                        command.name == "doctor")
                << command.name << ": does it run in the owner of the database?";
        }
    }
    EXPECT_EQ(find_command("import")->relay, Relay::kOnce);
    EXPECT_EQ(find_command("sync")->relay, Relay::kRepeat);
}

}  // namespace
}  // namespace tb::cli
