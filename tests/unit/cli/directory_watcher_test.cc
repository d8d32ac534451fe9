#include "core/directory_watcher.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace tb {
namespace {

using std::chrono::milliseconds;
namespace fs = std::filesystem;

// Long enough that a loaded machine does not fail a test; nothing waits for it when all is well.
constexpr milliseconds kPatience{20'000};
// Long enough to see that nothing comes.
constexpr milliseconds kSilence{400};

class Watch : public ::testing::Test {
  protected:
    void SetUp() override { dir.write("block/tradelog.csv", "a\n"); }

    DirectoryWatcher start() {
        auto watcher = DirectoryWatcher::start(dir.path());
        EXPECT_TRUE(watcher.has_value()) << watcher.error().to_string();
        return std::move(*watcher);
    }
    static bool changed(DirectoryWatcher& watcher, milliseconds timeout = kPatience) {
        const auto result = watcher.wait(timeout, {});
        EXPECT_TRUE(result.has_value()) << result.error().to_string();
        return result.value_or(false);
    }

    test::TempDir dir;
};

TEST_F(Watch, SaysNothingWhileNothingChanges) {
    auto watcher = start();
    EXPECT_FALSE(changed(watcher, kSilence));
}

TEST_F(Watch, SeesEveryKindOfChange) {
    auto watcher = start();
    dir.write("block/tradelog.csv", "b\n");
    EXPECT_TRUE(changed(watcher)) << "rewritten";
    dir.write("block/dailylog.csv", "c\n");
    EXPECT_TRUE(changed(watcher)) << "new file";
    fs::rename(dir.path() / "block/dailylog.csv", dir.path() / "block/other.csv");
    EXPECT_TRUE(changed(watcher)) << "renamed file";
    fs::remove(dir.path() / "block/other.csv");
    EXPECT_TRUE(changed(watcher)) << "removed file";
    fs::last_write_time(dir.path() / "block/tradelog.csv", fs::file_time_type::clock::now());
    EXPECT_TRUE(changed(watcher)) << "touched";
    EXPECT_FALSE(changed(watcher, kSilence));
}

TEST_F(Watch, SeesNewAndRenamedFoldersAndWhatComesIntoThem) {
    auto watcher = start();
    fs::create_directory(dir.path() / "second");
    EXPECT_TRUE(changed(watcher));
    dir.write("second/tradelog.csv", "x\n");
    EXPECT_TRUE(changed(watcher)) << "file in the new folder";
    fs::rename(dir.path() / "second", dir.path() / "third");
    EXPECT_TRUE(changed(watcher));
    dir.write("third/tradelog.csv", "y\n");
    EXPECT_TRUE(changed(watcher)) << "file in the renamed folder";
    fs::remove_all(dir.path() / "third");
    EXPECT_TRUE(changed(watcher));
    dir.write("_marketdata/spx_daily.csv", "z\n");
    EXPECT_TRUE(changed(watcher));
}

TEST_F(Watch, SeesChangesOfLinkedFilesHoweverDeepTheyLie) {
    const fs::path deep = dir.write("_archive/2026/june/trades.csv", "a\n");
    fs::create_symlink(deep, dir.path() / "block/dailylog.csv");
    auto watcher = start();
    dir.write("_archive/2026/june/trades.csv", "b\n");
    EXPECT_TRUE(changed(watcher)) << "a link that was there";
    const fs::path later = dir.write("_archive/2026/july/trades.csv", "a\n");
    fs::create_symlink("../_archive/2026/july/trades.csv", dir.path() / "block/reportinglog.csv");
    EXPECT_TRUE(changed(watcher)) << "the link itself";
    fs::rename(dir.write("_archive/2026/july/new.csv", "b\n"), later);
    EXPECT_TRUE(changed(watcher)) << "a link made later, its target replaced";
    dir.write("june.csv", "a\n");
    EXPECT_TRUE(changed(watcher));
    fs::create_symlink("../june.csv", dir.path() / "block/x.csv");
    EXPECT_TRUE(changed(watcher));
    dir.write("june.csv", "b\n");
    EXPECT_TRUE(changed(watcher)) << "a target in the directory itself";
    dir.write("analytics.duckdb", "pages");
    EXPECT_FALSE(changed(watcher, kSilence)) << "the database is still nobody's business";
}

TEST_F(Watch, FollowsFoldersBehindLinks) {
    const test::TempDir elsewhere;
    fs::create_directory_symlink(elsewhere.path(), dir.path() / "linked");
    auto watcher = start();
    elsewhere.write("tradelog.csv", "x\n");
    EXPECT_TRUE(changed(watcher));
}

TEST_F(Watch, IgnoresOurOwnDatabaseAndHiddenFiles) {
    auto watcher = start();
    dir.write("analytics.duckdb", "not really");
    dir.write("analytics.duckdb.wal", "not really");
    dir.write(".tradeblocks/market-history/spx_daily.csv", "x");
    dir.write("block/.tradelog.csv.swp", "x");
    EXPECT_FALSE(changed(watcher, kSilence));
}

TEST_F(Watch, ABurstIsOneChange) {
    auto watcher = start();
    for (int i = 0; i < 50; ++i) {
        dir.write("block/tradelog.csv", "row " + std::to_string(i) + "\n");
    }
    EXPECT_TRUE(changed(watcher));
    EXPECT_FALSE(changed(watcher, kSilence));
}

TEST_F(Watch, WaitsForAWriterToFinish) {
    auto watcher = start();
    std::ofstream out(dir.path() / "block/tradelog.csv");
    out << "half a li" << std::flush;
    std::thread writer([&] {
        std::this_thread::sleep_for(DirectoryWatcher::kBurst + milliseconds(300));
        out << "ne\n";
        out.close();
    });
    EXPECT_TRUE(changed(watcher));
    EXPECT_EQ(dir.read("block/tradelog.csv"), "half a line\n");
    writer.join();
}

TEST_F(Watch, ChangesBeforeWaitingAreNotLost) {
    auto watcher = start();
    dir.write("block/tradelog.csv", "b\n");
    std::this_thread::sleep_for(milliseconds(20));
    EXPECT_TRUE(changed(watcher));
}

TEST_F(Watch, CancelEndsTheWait) {
    auto watcher = start();
    const CancelSource source;
    std::thread canceller([&] {
        std::this_thread::sleep_for(milliseconds(50));
        source.cancel();
    });
    const auto result = watcher.wait(milliseconds(-1), source.token());
    canceller.join();
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
}

TEST_F(Watch, SaysWhenTheDirectoryIsGone) {
    auto watcher = start();
    const auto aside = dir.path().string() + ".moved";
    fs::rename(dir.path(), aside);
    const auto result = watcher.wait(kPatience, {});
    fs::rename(aside, dir.path());
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
}

TEST_F(Watch, NeedsADirectory) {
    const auto result = DirectoryWatcher::start(dir.path() / "missing");
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tb
