#include "core/file_system.h"

#include <sys/stat.h>

#include <atomic>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/unique_fd.h"
#include "support/file_lock.h"
#include "support/temp_dir.h"

namespace tb {
namespace {

namespace stdfs = std::filesystem;

FileSystem& real() {
    return real_file_system();
}

// What opening says: the text, or the code of the error.
std::string outcome(Result<std::unique_ptr<File>> opened) {
    if (!opened.has_value()) {
        return std::string(error_code_name(opened.error().code));
    }
    return read_whole_file(**opened, "", 1 << 20).value_or("unreadable");
}

std::string inside(const test::TempDir& root, const stdfs::path& relative) {
    return outcome(real().open_inside(root.path(), root.path() / relative));
}

TEST(OpeningInside, FollowsLinksOnlyWhereTheyStayInside) {
    const test::TempDir root;
    const test::TempDir elsewhere;
    root.write("a/own.csv", "own");
    elsewhere.write("b/theirs.csv", "theirs");
    stdfs::create_symlink("own.csv", root.path() / "a/relative.csv");
    stdfs::create_symlink(root.path() / "a/own.csv", root.path() / "a/absolute.csv");
    stdfs::create_symlink(elsewhere.path() / "b/theirs.csv", root.path() / "a/out.csv");
    stdfs::create_symlink("../../" + elsewhere.path().filename().string() + "/b/theirs.csv",
                          root.path() / "a/up.csv");
    stdfs::create_directory_symlink(root.path() / "a", root.path() / "folder");
    stdfs::create_directory_symlink(elsewhere.path() / "b", root.path() / "away");
    stdfs::create_symlink("nowhere", root.path() / "a/broken.csv");
    EXPECT_EQ(inside(root, "a/own.csv"), "own");
    EXPECT_EQ(inside(root, "a/relative.csv"), "own");
    EXPECT_EQ(inside(root, "a/absolute.csv"), "own");
    EXPECT_EQ(inside(root, "folder/own.csv"), "own");
    EXPECT_EQ(inside(root, "a/out.csv"), "refused");
    EXPECT_EQ(inside(root, "a/up.csv"), "refused");
    EXPECT_EQ(inside(root, "away/theirs.csv"), "refused");
    EXPECT_EQ(inside(root, "../" + elsewhere.path().filename().string() + "/b/theirs.csv"),
              "refused");
    EXPECT_EQ(inside(root, "a/broken.csv"), "not_found");
    EXPECT_EQ(outcome(real().open(root.path() / "a/out.csv")), "theirs") << "anywhere is open()";
    EXPECT_TRUE(real().list_inside(root.path(), root.path() / "folder").has_value());
    EXPECT_EQ(real().list_inside(root.path(), root.path() / "away").error().code,
              ErrorCode::kRefused);
    for (const char* const name : {"..", ".", "a/../.."}) {
        EXPECT_EQ(real().list_inside(root.path(), root.path() / name).error().code,
                  ErrorCode::kRefused)
            << name;
    }
    EXPECT_TRUE(real().list_inside(root.path(), root.path() / "a").has_value());
    EXPECT_EQ(check_inside(root.path(), root.path()).error().code, ErrorCode::kRefused)
        << "the root is not below itself";
}

TEST(OpeningInside, ARootWhoseNameBeginsAnotherIsNotThatOne) {
    const test::TempDir parent;
    parent.write("data/x.csv", "in");
    parent.write("data-old/x.csv", "out");
    stdfs::create_symlink(parent.path() / "data-old/x.csv", parent.path() / "data/link.csv");
    const stdfs::path root = parent.path() / "data";
    EXPECT_EQ(outcome(real().open_inside(root, root / "x.csv")), "in");
    EXPECT_EQ(outcome(real().open_inside(root, root / "link.csv")), "refused");
    EXPECT_EQ(outcome(real().open_inside(root / "", root / "x.csv")), "in");
}

TEST(OpeningInside, ALinkExchangedBetweenLookAndOpeningLetsNothingIn) {
    const test::TempDir root;
    const test::TempDir elsewhere;
    root.write("a/own.csv", "own");
    const stdfs::path secret = elsewhere.write("secret.csv", "secret");
    const stdfs::path link = root.path() / "a/link.csv";
    stdfs::create_symlink("own.csv", link);
    std::atomic<bool> stop{false};
    std::thread swapper([&] {
        for (bool out = true; !stop; out = !out) {
            const stdfs::path fresh = root.path() / "a/.fresh";
            stdfs::create_symlink(out ? secret : stdfs::path("own.csv"), fresh);
            stdfs::rename(fresh, link);
        }
    });
    std::size_t read = 0;
    std::size_t refused = 0;
    for (int i = 0; i < 4000; ++i) {
        const std::string text = inside(root, "a/link.csv");
        EXPECT_TRUE(text == "own" || text == "refused") << text;
        read += text == "own" ? 1 : 0;
        refused += text == "refused" ? 1 : 0;
    }
    stop = true;
    swapper.join();
    EXPECT_GT(read, 0U);
    EXPECT_GT(refused, 0U);
}

TEST(Opening, TouchesNeitherPipesNorDevicesNorFolders) {
    const test::TempDir root;
    ASSERT_EQ(::mkfifo((root.path() / "pipe.csv").c_str(), 0600), 0);
    stdfs::create_symlink("/dev/zero", root.path() / "device.csv");
    EXPECT_EQ(outcome(real().open(root.path() / "pipe.csv")), "io");
    EXPECT_EQ(outcome(real().open(root.path() / "device.csv")), "io");
    EXPECT_EQ(outcome(real().open(root.path())), "io");
}

TEST(DatabaseGuard, NoWayToTheFileOpensItAndItsLockStays) {
    const test::TempDir dir;
    const stdfs::path database = dir.write("analytics.duckdb", "pages");
    dir.write("analytics.duckdb.wal", "log");
    dir.write("b/real.csv", "Date\n");
    stdfs::create_symlink(database, dir.path() / "b/link.csv");
    stdfs::create_hard_link(database, dir.path() / "b/second.csv");
    stdfs::create_symlink(dir.path() / "analytics.duckdb.wal", dir.path() / "b/log.csv");
    const UniqueFd engine(::open(database.c_str(), O_RDWR | O_CLOEXEC));
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    ASSERT_EQ(::fcntl(engine.get(), F_SETLK, &lock), 0);
    {
        const DatabaseFileGuard guard(database);
        for (const char* const name : {"analytics.duckdb", "analytics.duckdb.wal", "b/link.csv",
                                       "b/second.csv", "b/log.csv", "b/../analytics.duckdb"}) {
            EXPECT_EQ(outcome(real().open(dir.path() / name)), "refused") << name;
            EXPECT_EQ(inside(dir, name), "refused") << name;
            EXPECT_EQ(write_file_atomically(dir.path() / name, "x").error().code,
                      ErrorCode::kRefused)
                << name;
            EXPECT_FALSE(check_not_database(dir.path() / name).has_value()) << name;
        }
        EXPECT_EQ(outcome(real().open(dir.path() / "b/real.csv")), "Date\n");
        EXPECT_FALSE(test::another_process_can_lock(database));
    }
    EXPECT_EQ(outcome(real().open(database)), "pages") << "nobody keeps it any more";
    EXPECT_TRUE(test::another_process_can_lock(database)) << "which drops the lock, as it must";
}

TEST(DatabaseGuard, HoldsForAFileMadeLaterAndForTwoAtOnce) {
    const test::TempDir dir;
    const stdfs::path database = dir.path() / "analytics.duckdb";
    const DatabaseFileGuard first(database);
    { const DatabaseFileGuard second(database); }
    dir.write("analytics.duckdb", "pages");
    EXPECT_EQ(outcome(real().open(database)), "refused");
}

TEST(WritingAtomically, NeverWritesThroughWhatLiesUnderItsTemporaryName) {
    const test::TempDir dir;
    const stdfs::path other = dir.write("other", "other's");
    const stdfs::path file = dir.path() / "file";
    stdfs::create_hard_link(other, file.string() + ".tmp~" + std::to_string(::getpid()));
    ASSERT_TRUE(write_file_atomically(file, "ours").has_value());
    EXPECT_EQ(dir.read("other"), "other's");
    EXPECT_EQ(dir.read("file"), "ours");
}

TEST(FoldersInside, AreMadeStepByStepAndNeverThroughALinkThatLeadsOut) {
    const test::TempDir root;
    const test::TempDir elsewhere;
    EXPECT_TRUE(make_folders_inside(root.path(), "a/b").has_value());
    EXPECT_TRUE(make_folders_inside(root.path(), "a/b").has_value());
    EXPECT_TRUE(stdfs::is_directory(root.path() / "a/b"));
    stdfs::create_directory_symlink(elsewhere.path(), root.path() / "out");
    EXPECT_EQ(make_folders_inside(root.path(), "out/c").error().code, ErrorCode::kRefused);
    EXPECT_TRUE(stdfs::is_empty(elsewhere.path()));
}

}  // namespace
}  // namespace tb
