#include "core/output_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/temp_dir.h"

namespace tb {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = "<meta name=\"generator\" content=\"tradeblocks report\">";
constexpr std::string_view kLog = "Date Opened,P/L\n2024-01-02,10\n";

struct Folders {
    test::TempDir dir;
    fs::path data = dir.path() / "Trades";
    OutputRules rules{.own_mark = kMark, .force = false, .data_dirs = {data}};

    Folders() { dir.write("Trades/MEIC/tradelog.csv", kLog); }

    ErrorCode refusal(const fs::path& path) const {
        const auto done = write_output_file(path, "new", rules);
        if (done.has_value()) {
            ADD_FAILURE() << path << " was written";
            return ErrorCode::kInternal;
        }
        const auto target = find_output_target(path, rules);
        EXPECT_FALSE(target.has_value());
        EXPECT_EQ(target.error().code, done.error().code);
        return done.error().code;
    }
    std::set<std::string> names() const {
        std::set<std::string> names;
        for (const auto& entry : fs::recursive_directory_iterator(dir.path())) {
            names.insert(fs::relative(entry.path(), dir.path()).string());
        }
        return names;
    }
};

TEST(OutputFile, WritesANewFileAndReplacesItsOwn) {
    const Folders folders;
    const fs::path page = folders.dir.path() / "meic.html";
    const std::string first = "<!DOCTYPE html>" + std::string(kMark) + "one";
    ASSERT_TRUE(write_output_file(page, first, folders.rules).has_value());
    EXPECT_EQ(folders.dir.read("meic.html"), first);
    ASSERT_EQ(::chmod(page.c_str(), 0640), 0);
    const std::string second = "<!DOCTYPE html>" + std::string(kMark) + "two";
    ASSERT_TRUE(write_output_file(page, second, folders.rules).has_value());
    EXPECT_EQ(folders.dir.read("meic.html"), second);
    EXPECT_EQ(fs::status(page).permissions(), fs::perms(0640));
    EXPECT_EQ(folders.names(), (std::set<std::string>{"Trades", "Trades/MEIC",
                                                      "Trades/MEIC/tradelog.csv", "meic.html"}));
}

TEST(OutputFile, AFileOfOthersNeedsForce) {
    Folders folders;
    const fs::path page = folders.dir.write("notes.html", "<!DOCTYPE html>my notes");
    EXPECT_EQ(folders.refusal(page), ErrorCode::kRefused);
    EXPECT_EQ(folders.dir.read("notes.html"), "<!DOCTYPE html>my notes");
    // A mark somewhere deep in a file makes it no page of ours.
    const fs::path far =
        folders.dir.write("far.html", std::string(kOwnMarkBytes, ' ') + std::string(kMark));
    EXPECT_EQ(folders.refusal(far), ErrorCode::kRefused);
    EXPECT_EQ(folders.refusal(folders.dir.write("empty.html", "")), ErrorCode::kRefused);
    // Ours, but its user has locked it.
    const fs::path locked = folders.dir.write("locked.html", kMark);
    ASSERT_EQ(::chmod(locked.c_str(), 0444), 0);
    EXPECT_EQ(folders.refusal(locked), ErrorCode::kRefused);
    folders.rules.force = true;
    ASSERT_TRUE(write_output_file(page, "new", folders.rules).has_value());
    EXPECT_EQ(folders.dir.read("notes.html"), "new");
}

TEST(OutputFile, NothingIsWrittenIntoADataDirectory) {
    Folders folders;
    folders.dir.write("Other/analytics.duckdb", "db");
    folders.dir.write("Own/.tradeblocks/pl-basis/x", "");
    folders.dir.write("Market/_marketdata/spx_daily.csv", "");
    fs::create_directories(folders.dir.path() / "Other/A/B");
    fs::create_directory_symlink(folders.data, folders.dir.path() / "link");
    fs::create_symlink(folders.data / "MEIC" / "tradelog.csv",
                       folders.dir.path() / "innocent.html");
    fs::create_symlink("Trades/MEIC/not-yet.html", folders.dir.path() / "dangling.html");
    const auto before = folders.names();
    for (const bool force : {false, true}) {
        folders.rules.force = force;
        for (const char* const name :
             {"Trades/MEIC/tradelog.csv", "Trades/MEIC/report.html", "Trades/report.html",
              "Trades/./MEIC/../report.html", "Other/../Trades/MEIC/tradelog.csv",
              "link/MEIC/tradelog.csv", "link/new.html", "innocent.html", "dangling.html",
              "Other/analytics.duckdb", "Other/A/B/new.html", "Own/new.html",
              "Own/.tradeblocks/new.html", "Market/_marketdata/spx_daily.csv"}) {
            EXPECT_EQ(folders.refusal(folders.dir.path() / name), ErrorCode::kRefused) << name;
        }
    }
    EXPECT_EQ(folders.names(), before);
    EXPECT_EQ(folders.dir.read("Trades/MEIC/tradelog.csv"), kLog);
}

TEST(OutputFile, WhatADataDirectoryLinksToBelongsToIt) {
    Folders folders;
    folders.rules.force = true;
    folders.dir.write("elsewhere/Flies/log.csv", kLog);
    folders.dir.write("exports/one.csv", kLog);
    fs::create_directory_symlink(folders.dir.path() / "elsewhere/Flies", folders.data / "Flies");
    fs::create_symlink(folders.dir.path() / "exports/one.csv", folders.data / "MEIC" / "more.csv");
    for (const char* const name :
         {"elsewhere/Flies/log.csv", "elsewhere/Flies/new.html", "exports/one.csv"}) {
        EXPECT_EQ(folders.refusal(folders.dir.path() / name), ErrorCode::kRefused) << name;
    }
    EXPECT_TRUE(write_output_file(folders.dir.path() / "exports/page.html", "x", folders.rules)
                    .has_value());
}

TEST(OutputFile, OnlyFilesAreReplaced) {
    Folders folders;
    folders.rules.force = true;
    const fs::path root = folders.dir.path();
    ASSERT_EQ(::mkfifo((root / "pipe").c_str(), 0600), 0);
    fs::create_symlink("nowhere/at/all", root / "broken");
    fs::create_symlink("loop", root / "loop");
    fs::create_directory(root / "folder");
    for (const char* const name : {"pipe", "folder", "folder/", "folder/..", "."}) {
        EXPECT_EQ(folders.refusal(root / name), ErrorCode::kInvalidArgument) << name;
    }
    EXPECT_EQ(folders.refusal(""), ErrorCode::kInvalidArgument);
    for (const char* const device : {"/dev/null", "/dev/stdout", "/dev/fd/1", "/dev/new.html",
                                     "/proc/self/fd/1", "../../../../../../../../dev/stdout"}) {
        EXPECT_EQ(folders.refusal(device), ErrorCode::kInvalidArgument) << device;
    }
    EXPECT_EQ(folders.refusal(root / "broken"), ErrorCode::kNotFound);
    EXPECT_EQ(folders.refusal(root / "loop"), ErrorCode::kIo);
    EXPECT_EQ(folders.refusal(root / "no" / "page.html"), ErrorCode::kNotFound);
    EXPECT_EQ(folders.refusal(root / std::string(300, 'n')), ErrorCode::kIo);
    EXPECT_TRUE(fs::is_fifo(root / "pipe"));
}

TEST(OutputFile, ALinkStaysALink) {
    Folders folders;
    folders.dir.write("pages/real.html", kMark);
    const fs::path link = folders.dir.path() / "link.html";
    fs::create_symlink("pages/real.html", link);
    ASSERT_TRUE(write_output_file(link, "new page", folders.rules).has_value());
    EXPECT_TRUE(fs::is_symlink(link));
    EXPECT_EQ(folders.dir.read("pages/real.html"), "new page");
}

TEST(OutputFile, ALongNameIsWritten) {
    const Folders folders;
    const std::string name(255, 'n');
    ASSERT_TRUE(write_output_file(folders.dir.path() / name, "x", folders.rules).has_value());
    EXPECT_EQ(folders.dir.read(name), "x");
}

TEST(OutputFile, ALogIsAppendedToOnlyWhenItIsOursOrEmpty) {
    const Folders folders;
    const fs::path root = folders.dir.path();
    const auto append = [&](const fs::path& file) {
        const auto fd = open_output_log(file, folders.rules);
        return fd.has_value() && ::write(fd->get(), "x", 1) == 1;
    };
    EXPECT_TRUE(append(root / "new.log"));
    EXPECT_EQ(fs::status(root / "new.log").permissions(), fs::perms(0600));
    EXPECT_FALSE(append(root / "new.log"));  // "x" is nothing of ours
    folders.dir.write("empty.log", "");
    EXPECT_TRUE(append(root / "empty.log"));
    folders.dir.write("own.log", kMark);
    EXPECT_TRUE(append(root / "own.log"));
    EXPECT_EQ(folders.dir.read("own.log"), std::string(kMark) + "x");
    EXPECT_TRUE(append("/dev/null"));
    folders.dir.write("Trades/empty.log", "");
    for (const char* const name : {"Trades/MEIC/tradelog.csv", "Trades/MEIC/new.log",
                                   "Trades/empty.log", "Trades", "no/new.log"}) {
        EXPECT_FALSE(append(root / name)) << name;
    }
    EXPECT_EQ(folders.dir.read("Trades/MEIC/tradelog.csv"), kLog);
}

TEST(OutputFile, FindsTheDataDirectoryAround) {
    const Folders folders;
    const fs::path root = fs::canonical(folders.dir.path());
    EXPECT_EQ(data_directory_around(folders.data / "x" / "y", {folders.data}), folders.data);
    EXPECT_EQ(data_directory_around(folders.data / "x", {}), std::nullopt);
    folders.dir.write("Trades/analytics.duckdb", "");
    EXPECT_EQ(data_directory_around(root / "Trades" / "new"), root / "Trades");
    EXPECT_EQ(data_directory_around(root / "Trades"), root / "Trades");
    EXPECT_EQ(data_directory_around(root / "Tradesman"), std::nullopt);
}

}  // namespace
}  // namespace tb
