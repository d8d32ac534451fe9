#include <sys/stat.h>

#include <filesystem>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/client_config.h"
#include "cli/toml_edit.h"
#include "support/temp_dir.h"

namespace tb::cli {
namespace {

namespace fs = std::filesystem;

const ServerEntry kEntry{"/opt/tb/bin/tradeblocks",
                         {"serve", "/data/My \"Trades\"", "--read-only"}};

Environment variables(std::map<std::string, std::string, std::less<>> values) {
    return [values](std::string_view name) {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
}

const ClientSpec& client(std::string_view id) {
    return *find_client(id);
}

std::string merged(std::string_view id, std::string_view content) {
    const auto result = merge_entry(client(id), content, kEntry);
    EXPECT_TRUE(result.has_value()) << result.error().to_string();
    return result.value_or("");
}

std::string file_of(std::string_view id, Os os, const Environment& environment) {
    const auto file = client_file(client(id), os, environment);
    return file ? file->generic_string() : "error: " + file.error().message;
}

TEST(Setup, EveryClientKeepsItsFileWhereItsMakerSays) {
    const auto linux_home = variables({{"HOME", "/home/ann"}});
    EXPECT_EQ(file_of("claude-desktop", Os::kLinux, linux_home),
              "/home/ann/.config/Claude/claude_desktop_config.json");
    EXPECT_EQ(file_of("claude-code", Os::kLinux, linux_home), "/home/ann/.claude.json");
    EXPECT_EQ(file_of("codex", Os::kLinux, linux_home), "/home/ann/.codex/config.toml");
    EXPECT_EQ(file_of("gemini", Os::kLinux, linux_home), "/home/ann/.gemini/settings.json");
    EXPECT_EQ(file_of("vscode", Os::kLinux, linux_home), "/home/ann/.config/Code/User/mcp.json");
    EXPECT_EQ(file_of("cursor", Os::kLinux, linux_home), "/home/ann/.cursor/mcp.json");
    EXPECT_EQ(file_of("claude-desktop", Os::kMac, linux_home),
              "/home/ann/Library/Application Support/Claude/claude_desktop_config.json");
    EXPECT_EQ(file_of("vscode", Os::kWindows,
                      variables({{"USERPROFILE", "C:/Users/ann"}, {"APPDATA", "C:/Roam"}})),
              "C:/Roam/Code/User/mcp.json");
}

TEST(Setup, TheEnvironmentMovesFilesAndARelativeXdgFolderDoesNotCount) {
    const auto moved = variables({{"HOME", "/home/bob"},
                                  {"XDG_CONFIG_HOME", "/etc/xdg-bob"},
                                  {"CODEX_HOME", "/codex"},
                                  {"CLAUDE_CONFIG_DIR", "/claude"}});
    EXPECT_EQ(file_of("vscode", Os::kLinux, moved), "/etc/xdg-bob/Code/User/mcp.json");
    EXPECT_EQ(file_of("codex", Os::kLinux, moved), "/codex/config.toml");
    EXPECT_EQ(file_of("claude-code", Os::kLinux, moved), "/claude/.claude.json");
    EXPECT_EQ(
        file_of("vscode", Os::kLinux, variables({{"HOME", "/h"}, {"XDG_CONFIG_HOME", "relative"}})),
        "/h/.config/Code/User/mcp.json");
    EXPECT_EQ(client_file(client("cursor"), Os::kLinux, variables({})).error().code,
              ErrorCode::kNotFound);
}

TEST(Setup, ASnippetReadsBackAsTheEntryInEveryFormat) {
    for (const ClientSpec& one : clients()) {
        const std::string text = client_snippet(one, kEntry);
        EXPECT_EQ(read_entry(one, text).value().value(), kEntry) << one.id << "\n" << text;
        EXPECT_EQ(merge_entry(one, text, kEntry).value(), text) << one.id;
        EXPECT_EQ(merge_entry(one, "", kEntry).value(), text) << one.id;
    }
    const auto json = nlohmann::json::parse(client_snippet(client("vscode"), kEntry));
    EXPECT_EQ(json["servers"]["tradeblocks"]["type"], "stdio");
}

TEST(Setup, JsonKeepsEverythingElseItsOrderAndItsIndentation) {
    const std::string before =
        "{\n\t\"zeta\": 1,\n\t\"mcpServers\": {\n\t\t\"other\": {\n\t\t\t\"command\": \"x\",\n"
        "\t\t\t\"args\": []\n\t\t}\n\t},\n\t\"alpha\": \"\u00e9\"\n}\n";
    const std::string after = merged("cursor", before);
    EXPECT_LT(after.find("zeta"), after.find("mcpServers"));
    EXPECT_LT(after.find("tradeblocks"), after.find("alpha"));
    EXPECT_NE(after.find("\n\t\t\"tradeblocks\": {"), std::string::npos) << after;
    auto expected = nlohmann::json::parse(before);
    expected["mcpServers"]["tradeblocks"] = {{"command", kEntry.command}, {"args", kEntry.args}};
    EXPECT_EQ(nlohmann::json::parse(after), expected);
    EXPECT_EQ(merged("cursor", after), after);
}

TEST(Setup, JsonKeepsWhatTheUserPutIntoOurEntryButNotAnAddress) {
    const auto after = nlohmann::json::parse(merged(
        "claude-code",
        R"({"mcpServers":{"tradeblocks":{"type":"http","url":"http://x","env":{"A":"b"},"args":["old"]}}})"));
    const auto& own = after["mcpServers"]["tradeblocks"];
    EXPECT_EQ(own["env"]["A"], "b");
    EXPECT_EQ(own["type"], "stdio");
    EXPECT_FALSE(own.contains("url"));
    EXPECT_EQ(own["args"], kEntry.args);
}

TEST(Setup, JsonThatAClientWouldNotReadIsRefused) {
    for (const char* const text :
         {"{ // comment\n}", "[]", "{\"mcpServers\": []}", "{\"mcpServers\": {\"tradeblocks\": 1}}",
          "{\"a\": 1", "{\"a\": \"\xff\"}"}) {
        EXPECT_EQ(merge_entry(client("gemini"), text, kEntry).error().code, ErrorCode::kParse)
            << text;
    }
}

constexpr std::string_view kToml =
    "# mine\r\nmodel = \"o\" # why\r\n\r\n[mcp_servers.other]\r\ncommand = '''\r\n"
    "[mcp_servers.tradeblocks]\r\n'''\r\nargs = [ # list\r\n  \"[x]\", # one\r\n]\r\n";

TEST(Setup, TomlIsAppendedAndNoOtherByteChanges) {
    const std::string after = merged("codex", kToml);
    EXPECT_TRUE(after.starts_with(kToml)) << after;
    EXPECT_EQ(after.substr(kToml.size()),
              "\r\n[mcp_servers.tradeblocks]\r\ncommand = \"/opt/tb/bin/tradeblocks\"\r\n"
              "args = [\"serve\", \"/data/My \\\"Trades\\\"\", \"--read-only\"]\r\n");
    EXPECT_EQ(merged("codex", after), after);
}

TEST(Setup, TomlReplacesOnlyItsOwnValues) {
    const std::string before =
        "[mcp_servers.\"tradeblocks\"] # ours\nstartup_timeout_sec = 20\nargs = [\n \"old\",\n] # "
        "a\n"
        "url = \"http://x\"\n[mcp_servers.tradeblocks.env]\nargs = \"not ours\"\n[z]\nargs = 3\n";
    EXPECT_EQ(merged("codex", before),
              "[mcp_servers.\"tradeblocks\"] # ours\ncommand = \"/opt/tb/bin/tradeblocks\"\n"
              "startup_timeout_sec = 20\nargs = [\"serve\", \"/data/My \\\"Trades\\\"\", "
              "\"--read-only\"] # a\n[mcp_servers.tradeblocks.env]\nargs = \"not ours\"\n[z]\n"
              "args = 3\n");
    EXPECT_EQ(merged("codex", "[mcp_servers.tradeblocks]").find("[mcp_servers.tradeblocks]\ncom"),
              0U);
}

TEST(Setup, TomlThatDefinesOurTableInAnotherWayIsRefused) {
    for (const char* const text :
         {"mcp_servers = {}", "[mcp_servers]\ntradeblocks = { command = \"x\" }",
          "mcp_servers.tradeblocks.command = \"x\"", "[mcp_servers]\ntradeblocks.args = []",
          "[[mcp_servers]]\na = 1", "[mcp_servers.tradeblocks]\n[mcp_servers.tradeblocks]"}) {
        EXPECT_EQ(merge_entry(client("codex"), text, kEntry).error().code, ErrorCode::kRefused)
            << text;
    }
}

TEST(Setup, WhatIsNoTomlIsRefusedWithItsLine) {
    for (const char* const text :
         {"\na = ", "\n[open", "\na = \"x", "\na = [1, 2", "\na = yes", "\na b = 1",
          "\na = { b = 1", "\na = 1 2", "\na = \"\\q\"", "\n= 1"}) {
        const auto result = scan_toml(text);
        ASSERT_FALSE(result.has_value()) << text;
        EXPECT_EQ(result.error().code, ErrorCode::kParse);
        EXPECT_NE(result.error().message.find("line "), std::string::npos);
    }
}

TEST(Setup, TomlStringsReadBackWhateverTheyHold) {
    std::string all;
    for (int byte = 1; byte < 128; ++byte) {
        all += static_cast<char>(byte);
    }
    all += "\u00e9\u20ac\U0001f600";
    const auto scanned = scan_toml("x = " + toml_string(all));
    ASSERT_TRUE(scanned.has_value()) << scanned.error().to_string();
    EXPECT_EQ(scanned->front().value.text, all);
    EXPECT_EQ(scan_toml("x = \"\\u00e9\\U0001F600\\t\"")->front().value.text, "\u00e9\U0001f600\t");
    EXPECT_EQ(scan_toml("x = \"\"\"\na\\\n   b\"\"\"\"")->front().value.text, "ab\"");
}

TEST(Setup, AFileIsReplacedWithABackupAndItsPermissions) {
    const test::TempDir temp;
    const auto file = temp.write(".cursor/mcp.json", "{\"keep\": 7}\n");
    ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
    const auto done = install_entry(client("cursor"), file, kEntry, system_clock().now());
    ASSERT_TRUE(done.has_value()) << done.error().to_string();
    EXPECT_TRUE(done->changed);
    EXPECT_EQ(temp.read(done->backup.lexically_relative(fs::canonical(temp.path()))),
              "{\"keep\": 7}\n");
    for (const fs::path& path : {file, done->backup}) {
        struct stat status {};
        ASSERT_EQ(::stat(path.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0640U) << path;
    }
    const auto again = install_entry(client("cursor"), file, kEntry, system_clock().now());
    EXPECT_FALSE(again->changed);
    EXPECT_EQ(std::distance(fs::directory_iterator(file.parent_path()), {}), 2);

    ServerEntry other = kEntry;
    other.args = {"serve", "/elsewhere"};
    const auto third = install_entry(client("cursor"), file, other, system_clock().now());
    EXPECT_EQ(third->replaced, kEntry);
    EXPECT_NE(third->backup, done->backup);
    EXPECT_EQ(std::distance(fs::directory_iterator(file.parent_path()), {}), 3);
}

TEST(Setup, ANewFileIsPrivateAndALinkStaysALink) {
    const test::TempDir temp;
    const fs::path target = temp.path() / "dotfiles" / "settings.json";
    const auto fresh = install_entry(client("gemini"), target, kEntry, system_clock().now());
    ASSERT_TRUE(fresh.has_value()) << fresh.error().to_string();
    EXPECT_TRUE(fresh->backup.empty());
    struct stat status {};
    ASSERT_EQ(::stat(target.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);

    const fs::path link = temp.path() / "settings.json";
    fs::create_symlink(target, link);
    ServerEntry other = kEntry;
    other.command = "/usr/bin/tradeblocks";
    ASSERT_TRUE(install_entry(client("gemini"), link, other, system_clock().now())->changed);
    EXPECT_TRUE(fs::is_symlink(link));
    EXPECT_EQ(read_entry(client("gemini"), temp.read("dotfiles/settings.json")).value(), other);
}

TEST(Setup, AFileThatCannotBeUnderstoodIsNotTouched) {
    const test::TempDir temp;
    const auto file = temp.write("mcp.json", "{ /* mine */ }");
    EXPECT_EQ(install_entry(client("vscode"), file, kEntry, system_clock().now()).error().code,
              ErrorCode::kParse);
    EXPECT_EQ(temp.read("mcp.json"), "{ /* mine */ }");
    EXPECT_EQ(std::distance(fs::directory_iterator(temp.path()), {}), 1);
}

TEST(Setup, SaysWhereAnEntryIsSwitchedOff) {
    const auto off = [](std::string_view id, std::string_view content) {
        return switched_off(client(id), content).value_or("no");
    };
    const std::string ours = R"({"mcpServers":{"tradeblocks":{"command":"x","args":[])";
    EXPECT_EQ(off("cursor", ours + "}}}"), "no");
    EXPECT_EQ(off("cursor", ours + R"(,"disabled":true}}})"), R"("disabled": true in the entry)");
    EXPECT_EQ(off("cursor", ours + R"(,"disabled":false}}})"), "no");
    EXPECT_EQ(off("claude-desktop", ours + R"(,"enabled":false}}})"),
              R"("enabled": false in the entry)");
    EXPECT_EQ(off("gemini", ours + R"(}},"mcp":{"excluded":["a","tradeblocks"]}})"),
              "it is in the list mcp.excluded");
    EXPECT_EQ(off("gemini", ours + R"(}},"mcp":{"allowed":["a"]}})"),
              "it is missing in the list mcp.allowed");
    EXPECT_EQ(off("gemini", ours + R"(}},"mcp":{"allowed":["tradeblocks"]}})"), "no");
    EXPECT_EQ(off("claude-code",
                  ours + R"(}},"projects":{"/p":{"disabledMcpServers":["tradeblocks"]}}})"),
              "for the project /p");
    EXPECT_EQ(off("codex", "[mcp_servers.tradeblocks]\ncommand = \"x\"\nenabled = false\n"),
              "enabled = false in its table");
    EXPECT_EQ(off("codex", "[mcp_servers.tradeblocks]\nenabled = true\n"), "no");
    EXPECT_EQ(off("cursor", "not JSON"), "no");
}

}  // namespace
}  // namespace tb::cli
