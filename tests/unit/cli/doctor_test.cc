#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/doctor_report.h"
#include "core/version.h"
#include "serve/claim.h"
#include "serve/greeting.h"
#include "support/temp_dir.h"

namespace tb::cli {
namespace {

namespace fs = std::filesystem;

DoctorOptions options_of(const test::TempDir& temp) {
    DoctorOptions options;
    options.data_dir = temp.path() / "data";
    fs::create_directories(*options.data_dir);
    options.runtime_root = temp.path() / "run";
    options.program = "/opt/tb/tradeblocks";
    const std::string home = (temp.path() / "home").string();
    options.environment = [home](std::string_view name) {
        return name == "HOME" ? std::optional(home) : std::nullopt;
    };
    return options;
}

// Answers one greeting as a server of that version would.
DoctorReport examine_with_owner(const test::TempDir& temp, const std::string& version) {
    const DoctorOptions options = options_of(temp);
    const auto place = serve::place_of(*options.data_dir, options.runtime_root).value();
    auto claim = serve::try_claim(place).value();
    EXPECT_TRUE(claim.has_value());
    DoctorReport report;
    std::thread doctor([&] { report = examine(options); });
    UniqueFd peer;
    while (!peer.valid()) {
        peer = serve::accept_peer(claim->listener());
        std::this_thread::yield();
    }
    EXPECT_TRUE(serve::read_line(peer.get(), 65'536, std::chrono::seconds(60)).has_value());
    serve::Greeting answer;
    answer.version = version;
    answer.pid = 4711;
    EXPECT_TRUE(serve::write_line(peer.get(), serve::greeting_line(answer, true)).has_value());
    doctor.join();
    return report;
}

TEST(Doctor, AnOwnerOfThisVersionIsNoProblem) {
    const test::TempDir temp;
    const DoctorReport report = examine_with_owner(temp, std::string(kVersion));
    ASSERT_TRUE(report.owner.has_value());
    EXPECT_EQ(report.owner->pid, 4711);
    EXPECT_TRUE(report.problems.empty());
}

TEST(Doctor, AnOwnerOfAnotherVersionIsAProblem) {
    const test::TempDir temp;
    const DoctorReport report = examine_with_owner(temp, "0.0.9");
    ASSERT_EQ(report.problems.size(), 1U);
    EXPECT_NE(report.problems[0].what.find("process 4711) is version 0.0.9"), std::string::npos);
    EXPECT_NE(report.problems[0].advice.find("restart"), std::string::npos);
}

TEST(Doctor, NothingIsMadeWhereNothingIs) {
    const test::TempDir temp;
    const DoctorReport report = examine(options_of(temp));
    EXPECT_TRUE(report.problems.empty());
    EXPECT_FALSE(report.owner.has_value());
    EXPECT_EQ(report.clients.size(), clients().size());
    EXPECT_FALSE(fs::exists(temp.path() / "run"));
    EXPECT_FALSE(fs::exists(temp.path() / "home"));
    EXPECT_TRUE(fs::is_empty(temp.path() / "data"));
}

TEST(Doctor, EveryCsvIsAccountedFor) {
    const test::TempDir temp;
    const DoctorOptions options = options_of(temp);
    (void)temp.write("data/B/tradelog.csv", "x\n");
    (void)temp.write("data/B/half.csv", "Date Open");
    (void)temp.write("data/B/odd.csv", "a,b\n1,2\n");
    (void)temp.write("data/_marketdata/other.csv", "time\n");
    const DoctorReport report = examine(options);
    ASSERT_EQ(report.folders.size(), 2U);
    const auto& files = report.folders[0].files;
    ASSERT_EQ(files.size(), 3U);
    EXPECT_EQ(files[0].name, "half.csv");
    EXPECT_NE(files[0].note.find("still being written"), std::string::npos);
    EXPECT_NE(files[1].note.find("not recognised"), std::string::npos);
    EXPECT_EQ(files[2].role, "tradelog");
    EXPECT_EQ(files[2].recognised_by, "name");
    EXPECT_NE(report.folders[1].files[0].note.find("no market data file"), std::string::npos);
    EXPECT_TRUE(report.problems.empty());
}

TEST(Doctor, AClientWhoseProgramIsGoneIsAProblem) {
    const test::TempDir temp;
    const DoctorOptions options = options_of(temp);
    (void)temp.write("home/.codex/config.toml",
                     "[mcp_servers.tradeblocks]\ncommand = \"/gone/tradeblocks\"\nargs = []\n");
    const DoctorReport report = examine(options);
    ASSERT_EQ(report.problems.size(), 1U);
    EXPECT_NE(report.problems[0].what.find("/gone/tradeblocks"), std::string::npos);
    EXPECT_EQ(report.clients[2].state, "broken");
    EXPECT_TRUE(report.clients[2].installed);
    EXPECT_FALSE(report.clients[0].installed);
}

TEST(Doctor, EntriesWithRelativeFoldersOrSwitchedOffAreProblems) {
    const test::TempDir temp;
    const DoctorOptions options = options_of(temp);
    const auto codex = [&](const std::string& args, const std::string& more) {
        (void)temp.write(
            "home/.codex/config.toml",
            "[mcp_servers.tradeblocks]\ncommand = \"/bin/sh\"\nargs = " + args + "\n" + more);
        const DoctorReport report = examine(options);
        return report.clients[2].state + ": " +
               (report.problems.empty() ? "" : report.problems[0].what);
    };
    const std::string data = options.data_dir.value_or("").string();
    EXPECT_EQ(codex("[\"serve\", \"" + data + "\"]", ""), "configured: ");
    EXPECT_NE(codex("[\"serve\", \"Trades\"]", "")
                  .find("broken: Codex serves \"Trades\": what a relative path means"),
              std::string::npos);
    EXPECT_NE(codex("[\"serve\", \"./Trades\", \"--read-only\"]", "").find("relative"),
              std::string::npos);
    EXPECT_NE(codex("[\"serve\", \"" + data + "\"]", "enabled = false\n")
                  .find("switched off: the entry of Codex is switched off"),
              std::string::npos);
}

TEST(Doctor, AClientThatUsesAServerOverHttpIsNoProblem) {
    const test::TempDir temp;
    const DoctorOptions options = options_of(temp);
    (void)temp.write("home/.codex/config.toml",
                     "[mcp_servers.tradeblocks]\nurl = \"http://127.0.0.1:3100/mcp\"\n");
    (void)temp.write("home/.gemini/settings.json",
                     R"({"mcpServers":{"tradeblocks":{"httpUrl":"http://127.0.0.1:3100/mcp"}}})");
    const DoctorReport report = examine(options);
    EXPECT_TRUE(report.problems.empty());
    for (const std::size_t client : {2U, 3U}) {
        EXPECT_EQ(report.clients[client].state, "configured");
        EXPECT_EQ(report.clients[client].entry->url, "http://127.0.0.1:3100/mcp");
    }
}

}  // namespace
}  // namespace tb::cli
