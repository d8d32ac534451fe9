// Locks beside the engine's, and what a killed process leaves behind.
#include "db/file_lock.h"

#include <sys/wait.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "db/data_store.h"
#include "db_support.h"
#include "support/temp_dir.h"

namespace tb::db {
namespace {

namespace fs = std::filesystem;
using test::cell;
using test::HoldingProcess;
using test::must;

// What another process finds: who holds the engine's lock on the file, 0 = nobody.
pid_t holder_seen_by_another_process(const fs::path& file) {
    std::array<int, 2> fds{};
    EXPECT_EQ(::pipe(fds.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        struct flock lock {};
        lock.l_type = F_WRLCK;
        const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
        pid_t holder = -1;
        if (::fcntl(fd, F_GETLK, &lock) == 0) {
            holder = lock.l_type == F_UNLCK ? 0 : lock.l_pid;
        }
        const bool told = ::write(fds[1], &holder, sizeof holder) == sizeof holder;
        ::_exit(told ? 0 : 1);
    }
    ::close(fds[1]);
    pid_t holder = -1;
    EXPECT_EQ(::read(fds[0], &holder, sizeof holder), static_cast<ssize_t>(sizeof holder));
    ::close(fds[0]);
    ::waitpid(child, nullptr, 0);
    return holder;
}

void open_and_close(const fs::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    ::close(fd);
}

class FileLockTest : public ::testing::Test {
  protected:
    std::shared_ptr<DataStore> store() { return must(DataStore::for_directory(dir_.path())); }
    tb::test::TempDir dir_;
    fs::path file_ = dir_.path() / "analytics.duckdb";
};

TEST_F(FileLockTest, AnotherProcessOfOursIsKeptOutAlthoughTheEnginesLockIsLost) {
    const auto s = store();
    must(s->open());
    EXPECT_EQ(holder_seen_by_another_process(file_), ::getpid());
    open_and_close(file_);
    EXPECT_EQ(holder_seen_by_another_process(file_), 0);  // what the engine's lock is worth
    EXPECT_THROW(HoldingProcess(file_, "SELECT 1"), std::runtime_error);
}

TEST_F(FileLockTest, TheEnginesLockIsTakenAgainBeforeTheNextUse) {
    const auto s = store();
    must(s->open());
    open_and_close(file_);
    {
        Connection reader = must(s->reader());
        EXPECT_EQ(holder_seen_by_another_process(file_), ::getpid());
        open_and_close(file_);
    }
    const DataStore::Writer writer = must(s->writer());
    EXPECT_EQ(holder_seen_by_another_process(file_), ::getpid());
}

TEST_F(FileLockTest, WhoHasTakenTheFileMeanwhileIsNamedAndNothingIsWritten) {
    const auto s = store();
    {
        DataStore::Writer writer = must(s->writer());
        must(writer.connection().execute(
            "INSERT INTO market.treasury_rates VALUES ('2024-01-02', 1)"));
    }
    open_and_close(file_);
    std::array<int, 2> ready{};
    std::array<int, 2> release{};
    ASSERT_EQ(::pipe(ready.data()), 0);
    ASSERT_EQ(::pipe(release.data()), 0);
    const pid_t other = ::fork();
    if (other == 0) {  // a program that knows the engine's lock only
        ::close(release[1]);
        struct flock lock {};
        lock.l_type = F_WRLCK;
        const int fd = ::open(file_.c_str(), O_RDWR | O_CLOEXEC);
        const char got = ::fcntl(fd, F_SETLK, &lock) == 0 ? 'y' : 'n';
        char byte = 0;
        const bool done = ::write(ready[1], &got, 1) == 1 && ::read(release[0], &byte, 1) >= 0;
        ::_exit(done ? 0 : 1);
    }
    ::close(release[0]);
    char got = 0;
    ASSERT_EQ(::read(ready[0], &got, 1), 1);
    ASSERT_EQ(got, 'y');
    const std::string before = dir_.read("analytics.duckdb");
    const auto reader = s->reader();
    ASSERT_FALSE(reader.has_value());
    EXPECT_EQ(reader.error().code, ErrorCode::kLocked);
    EXPECT_EQ(lock_holder(reader.error()), other) << reader.error().message;
    EXPECT_EQ(dir_.read("analytics.duckdb"), before);
    ::close(release[1]);
    ::waitpid(other, nullptr, 0);
    Connection again = must(s->reader());
    EXPECT_EQ(cell<std::int64_t>(again, "SELECT count(*) FROM market.treasury_rates"), 1);
}

TEST_F(FileLockTest, LeavesNoFileBehindAndASecondOneOfOursIsRefusedByName) {
    {
        const auto s = store();
        must(s->open());
        EXPECT_TRUE(fs::exists(FileLock::name_for(file_)));
        const auto second = FileLock::take(file_);
        ASSERT_FALSE(second.has_value());
        EXPECT_EQ(second.error().code, ErrorCode::kLocked);
        EXPECT_EQ(lock_holder(second.error()), ::getpid());
    }
    EXPECT_FALSE(fs::exists(FileLock::name_for(file_)));
    dir_.write("analytics.duckdb.lock", "4711\n");  // of a process that was killed
    must(store()->open());
    EXPECT_FALSE(fs::exists(FileLock::name_for(file_)));
}

TEST_F(FileLockTest, TheMarkHoldsUntilSomebodyElseWritesIntoTheFile) {
    must(store()->open());
    EXPECT_TRUE(is_as_marked(file_));
    must(store()->open());
    EXPECT_TRUE(is_as_marked(file_));
    dir_.write("analytics.duckdb", dir_.read("analytics.duckdb"));
    EXPECT_FALSE(is_as_marked(file_));
}

TEST_F(FileLockTest, SpillFoldersOfAKilledProcessAreRemoved) {
    must(store()->open());
    dir_.write("analytics.duckdb.tmp/duckdb_temp_storage_DEFAULT-0.tmp", "spilled");
    must(store()->open());
    EXPECT_FALSE(fs::exists(dir_.path() / "analytics.duckdb.tmp"));
    dir_.write("analytics.duckdb.tmp/duckdb_temp_block-7.block", "spilled");
    dir_.write("analytics.duckdb.tmp/notes.txt", "not the engine's");
    must(store()->open());
    EXPECT_FALSE(fs::exists(dir_.path() / "analytics.duckdb.tmp/duckdb_temp_block-7.block"));
    EXPECT_EQ(dir_.read("analytics.duckdb.tmp/notes.txt"), "not the engine's");
}

TEST_F(FileLockTest, AFolderOfTheDatabasesNameIsSaidToBeOne) {
    fs::create_directory(file_);
    const auto s = store();
    const auto opened = s->open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::kIo);
    EXPECT_NE(opened.error().message.find("is a folder"), std::string::npos);
    must(s->open_or_stand_in());
    EXPECT_EQ(s->mode(), StoreMode::kMemory);
    EXPECT_TRUE(fs::is_empty(file_));
}

}  // namespace
}  // namespace tb::db
