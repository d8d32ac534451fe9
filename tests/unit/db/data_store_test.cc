// The store of a data directory: lazy, one writer, several readers, locked and unwritable places.
#include "db/data_store.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "db/transaction.h"
#include "db_support.h"
#include "support/full_disk.h"
#include "support/temp_dir.h"

namespace tb::db {
namespace {

namespace fs = std::filesystem;
using test::cell;
using test::HoldingProcess;
using test::must;

class DataStoreTest : public ::testing::Test {
  protected:
    std::shared_ptr<DataStore> store(const StoreOptions& options = {}) {
        return must(DataStore::for_directory(dir_.path(), options));
    }
    static void add_rate(DataStore& store, const std::string& date, double rate) {
        DataStore::Writer writer = must(store.writer());
        must(writer.connection().run("INSERT INTO market.treasury_rates VALUES ($1, $2)", date,
                                     rate));
    }
    static std::int64_t rates(DataStore& store) {
        Connection reader = must(store.reader());
        return cell<std::int64_t>(reader, "SELECT count(*) FROM market.treasury_rates");
    }
    bool another_process_can_open() {
        try {
            const HoldingProcess other(file_, "SELECT 1");
            return true;
        } catch (const std::runtime_error&) {
            return false;
        }
    }
    tb::test::TempDir dir_;
    fs::path file_ = dir_.path() / "analytics.duckdb";
};

TEST_F(DataStoreTest, NoticesThatItsFileWasMovedReplacedOrRemoved) {
    const auto s = store();
    EXPECT_FALSE(s->has_lost_its_file());
    add_rate(*s, "2024-01-02", 5.2);
    EXPECT_FALSE(s->has_lost_its_file());
    fs::rename(file_, dir_.path() / "elsewhere");
    EXPECT_TRUE(s->has_lost_its_file());
    dir_.write("analytics.duckdb", "");
    EXPECT_TRUE(s->has_lost_its_file()) << "another file has its name";
    fs::rename(dir_.path() / "elsewhere", file_);
    EXPECT_FALSE(s->has_lost_its_file());
    fs::rename(file_, dir_.path() / "elsewhere");
    EXPECT_TRUE(s->close_if_idle(std::chrono::seconds(0)));
    EXPECT_FALSE(s->has_lost_its_file());
    EXPECT_EQ(rates(*s), 0) << "a new file";
}

TEST_F(DataStoreTest, OpensOnFirstUseAndMakesTheTables) {
    const auto s = store();
    EXPECT_FALSE(s->is_connected());
    EXPECT_EQ(s->mode(), StoreMode::kClosed);
    EXPECT_FALSE(fs::exists(file_));
    EXPECT_EQ(rates(*s), 0);
    EXPECT_TRUE(s->is_connected());
    EXPECT_EQ(s->mode(), StoreMode::kFile);
    EXPECT_TRUE(s->schema_change().created);
    EXPECT_EQ(s->recovery(), std::nullopt);
    EXPECT_TRUE(fs::exists(file_));
}

TEST_F(DataStoreTest, ClosesAgainAndAgainAndKeepsWhatWasWritten) {
    const auto s = store();
    must(s->close());
    add_rate(*s, "2024-01-02", 5.25);
    must(s->close());
    must(s->close());
    EXPECT_FALSE(s->is_connected());
    EXPECT_TRUE(another_process_can_open());
    EXPECT_EQ(rates(*s), 1);
    EXPECT_FALSE(s->schema_change().created);
}

TEST_F(DataStoreTest, OneStorePerDirectoryHoweverItIsSpelt) {
    const auto first = store();
    fs::create_directory_symlink(dir_.path(), dir_.path() / "self");
    EXPECT_EQ(must(DataStore::for_directory(dir_.path() / "self" / ".")), first);
    EXPECT_EQ(first->directory(), dir_.path());
    const tb::test::TempDir other;
    EXPECT_NE(must(DataStore::for_directory(other.path())), first);
    EXPECT_EQ(DataStore::for_directory(dir_.path() / "none").error().code, ErrorCode::kNotFound);
    dir_.write("file", "x");
    EXPECT_EQ(DataStore::for_directory(dir_.path() / "file").error().code, ErrorCode::kNotFound);
}

TEST_F(DataStoreTest, TheDatabaseFileCanBeElsewhere) {
    const tb::test::TempDir elsewhere;
    StoreOptions options;
    options.database_file = elsewhere.path() / "mine.duckdb";
    const auto s = store(options);
    must(s->open());
    EXPECT_TRUE(fs::exists(elsewhere.path() / "mine.duckdb"));
    EXPECT_FALSE(fs::exists(file_));
}

TEST_F(DataStoreTest, OneWriterAtATime) {
    const auto s = store();
    must(s->open());
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 5; ++i) {
                auto writer = s->writer();
                ASSERT_TRUE(writer.has_value());
                most = std::max(most.load(), ++inside);
                auto transaction = Transaction::begin(writer->connection());
                ASSERT_TRUE(transaction.has_value());
                const auto run =
                    writer->connection().run("INSERT INTO market.treasury_rates VALUES ($1, 1)",
                                             std::to_string(t) + "-" + std::to_string(i));
                EXPECT_TRUE(run.has_value());
                EXPECT_TRUE(transaction->commit().has_value());
                --inside;
            }
        });
    }
    for (int i = 0; i < 20; ++i) {
        EXPECT_GE(rates(*s), 0);  // readers do not wait for writers
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(most, 1);
    EXPECT_EQ(rates(*s), 20);
}

TEST_F(DataStoreTest, ReadersKeepTheirSnapshot) {
    const auto s = store();
    add_rate(*s, "2024-01-02", 1);
    Connection reader = must(s->reader());
    const Transaction snapshot = must(Transaction::begin(reader, Access::kReadOnly));
    EXPECT_EQ(cell<std::int64_t>(reader, "SELECT count(*) FROM market.treasury_rates"), 1);
    add_rate(*s, "2024-01-03", 2);
    must(s->checkpoint());
    EXPECT_EQ(cell<std::int64_t>(reader, "SELECT count(*) FROM market.treasury_rates"), 1);
    EXPECT_EQ(rates(*s), 2);
}

TEST_F(DataStoreTest, WaitingForTheWriterCanBeCancelled) {
    const auto s = store();
    const DataStore::Writer held = must(s->writer());
    const CancelSource source;
    std::thread canceller([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        source.cancel();
    });
    EXPECT_EQ(s->writer(source.token()).error().code, ErrorCode::kInterrupted);
    canceller.join();
}

TEST_F(DataStoreTest, ALeaseStartsClean) {
    const auto s = store();
    std::optional<Transaction> left_behind;
    {
        DataStore::Writer first = must(s->writer());
        const CancelSource cancelled;
        cancelled.cancel();
        left_behind = must(Transaction::begin(first.connection()));
        first.connection().cancel_with(cancelled.token());
    }
    DataStore::Writer second = must(s->writer());
    EXPECT_FALSE(second.connection().in_transaction());
    EXPECT_EQ(cell<std::int32_t>(second.connection(), "SELECT 1"), 1);
    left_behind.reset();
}

TEST_F(DataStoreTest, CloseWaitsForTheWriter) {
    const auto s = store();
    std::optional<DataStore::Writer> writer(must(s->writer()));
    std::thread closer([&] { EXPECT_TRUE(s->close().has_value()); });
    must(writer->connection().run("INSERT INTO market.treasury_rates VALUES ('2024-01-02', 4)"));
    writer.reset();
    closer.join();
    EXPECT_FALSE(s->is_connected());
    EXPECT_EQ(rates(*s), 1);
}

TEST_F(DataStoreTest, TheHolderOfTheWriterMayReadWhileAnotherThreadWaitsInClose) {
    const auto s = store();
    std::optional<DataStore::Writer> writer(must(s->writer()));
    std::thread closer([&] { EXPECT_TRUE(s->close().has_value()); });
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(rates(*s), 0);
    }
    writer.reset();
    closer.join();
    EXPECT_FALSE(s->is_connected());
}

TEST_F(DataStoreTest, AReaderKeepsTheFileUntilItIsGone) {
    const auto s = store();
    std::optional<Connection> reader(must(s->reader()));
    EXPECT_EQ(s->close().error().code, ErrorCode::kBusy);
    EXPECT_FALSE(s->is_connected());
    EXPECT_FALSE(another_process_can_open());
    add_rate(*s, "2024-01-02", 1);  // opens anew, on the same instance
    EXPECT_EQ(cell<std::int64_t>(*reader, "SELECT count(*) FROM market.treasury_rates"), 1);
    reader.reset();
    must(s->close());
    EXPECT_TRUE(another_process_can_open());
}

TEST_F(DataStoreTest, ClosesWhenIdleButNotUnderAUser) {
    const auto s = store();
    EXPECT_TRUE(s->close_if_idle(std::chrono::hours(1)));  // is closed
    std::optional<Connection> reader(must(s->reader()));
    EXPECT_FALSE(s->close_if_idle(std::chrono::seconds(0)));
    reader.reset();
    {
        const DataStore::Writer writer = must(s->writer());
        EXPECT_FALSE(s->close_if_idle(std::chrono::seconds(0)));
    }
    EXPECT_FALSE(s->close_if_idle(std::chrono::hours(1)));
    EXPECT_TRUE(s->close_if_idle(std::chrono::seconds(0)));
    EXPECT_FALSE(s->is_connected());
    EXPECT_TRUE(another_process_can_open());
}

TEST_F(DataStoreTest, CheckpointFoldsTheLogIntoTheFile) {
    const auto s = store();
    must(s->open());
    must(s->checkpoint());
    EXPECT_EQ(s->wal_bytes(), 0U);
    add_rate(*s, "2024-01-02", 1);
    EXPECT_GT(s->wal_bytes(), 0U);
    DataStore::Writer writer = must(s->writer());
    must(s->checkpoint(writer));
    EXPECT_EQ(s->wal_bytes(), 0U);
}

TEST_F(DataStoreTest, TheLogDoesNotGrowBeyondItsLimit) {
    StoreOptions options;
    options.database.wal_limit = "2MB";
    const auto s = store(options);
    std::uint64_t most = 0;
    for (int i = 0; i < 30; ++i) {
        DataStore::Writer writer = must(s->writer());
        must(
            writer.connection().run("INSERT INTO market.treasury_rates SELECT $1 || range, range "
                                    "FROM range(5000)",
                                    std::to_string(i) + "-"));
        most = std::max(most, s->wal_bytes());
    }
    EXPECT_GT(most, 0U);
    EXPECT_LT(most, 2'500'000U);
}

TEST_F(DataStoreTest, ALockedDatabaseIsAnErrorOrAStandIn) {
    HoldingProcess holder(file_, "SELECT 1");
    const auto s = store();
    const auto opened = s->open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::kLocked);
    EXPECT_EQ(lock_holder(opened.error()), holder.pid());
    EXPECT_EQ(s->writer().error().code, ErrorCode::kLocked);
    EXPECT_FALSE(s->is_connected());

    must(s->open_or_stand_in());
    EXPECT_EQ(s->mode(), StoreMode::kMemory);
    EXPECT_NE(s->mode_reason().find(std::to_string(holder.pid())), std::string::npos);
    add_rate(*s, "2024-01-02", 1);
    must(s->checkpoint());
    EXPECT_EQ(rates(*s), 1);
    EXPECT_EQ(s->wal_bytes(), 0U);
    must(s->open());  // stays what it is until it is closed

    holder.end(HoldingProcess::Ending::kClosesFile);
    EXPECT_EQ(s->mode(), StoreMode::kMemory);
    must(s->close());
    must(s->open_or_stand_in());
    EXPECT_EQ(s->mode(), StoreMode::kFile);
    EXPECT_EQ(rates(*s), 0);
}

TEST_F(DataStoreTest, WaitsForALockThatGoesAway) {
    HoldingProcess holder(file_, "SELECT 1");
    StoreOptions options;
    options.lock_wait = std::chrono::minutes(2);
    const auto s = store(options);
    std::thread ender([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(120));
        holder.end(HoldingProcess::Ending::kClosesFile);
    });
    EXPECT_TRUE(s->open().has_value());
    ender.join();
}

TEST_F(DataStoreTest, WaitingForALockCanBeCancelled) {
    const HoldingProcess holder(file_, "SELECT 1");
    StoreOptions options;
    options.lock_wait = std::chrono::hours(1);
    const auto s = store(options);
    const CancelSource source;
    std::thread canceller([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(80));
        source.cancel();
    });
    EXPECT_EQ(s->open(source.token()).error().code, ErrorCode::kInterrupted);
    canceller.join();
}

TEST_F(DataStoreTest, AnUnwritableFolderIsAnErrorOrAStandIn) {
    const test::UnwritableFolder unwritable(dir_.path());
    const auto s = store();
    const auto opened = s->open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::kIo) << opened.error().to_string();
    must(s->open_or_stand_in());
    EXPECT_EQ(s->mode(), StoreMode::kMemory);
    EXPECT_EQ(rates(*s), 0);
    EXPECT_TRUE(fs::is_empty(dir_.path()));
}

TEST_F(DataStoreTest, AnUnwritableFolderWithADatabaseIsAStandInToo) {
    must(store()->open());
    {
        const test::UnwritableFolder unwritable(dir_.path());
        const auto s = store();
        ASSERT_EQ(s->open().error().code, ErrorCode::kIo);
        must(s->open_or_stand_in());
        EXPECT_EQ(s->mode(), StoreMode::kMemory);
    }
    EXPECT_EQ(rates(*store()), 0);
}

TEST_F(DataStoreTest, AFileOfANewerProgramIsLeftAloneAndAStandInServes) {
    {
        const auto s = store();
        DataStore::Writer writer = must(s->writer());
        must(writer.connection().execute(
            "INSERT INTO trades._schema_info VALUES (1000, now()::TIMESTAMP, 'later')"));
    }
    const auto s = store();
    const auto opened = s->open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_TRUE(is_newer_schema(opened.error()));
    must(s->open_or_stand_in());
    EXPECT_EQ(s->mode(), StoreMode::kMemory);
    EXPECT_NE(s->mode_reason().find("newer"), std::string::npos);
    EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path()), fs::directory_iterator()), 1);
}

TEST_F(DataStoreTest, OtherErrorsAreNotHiddenByAStandIn) {
    StoreOptions options;
    options.database.threads = 1000;
    const auto s = store(options);
    EXPECT_EQ(s->open_or_stand_in().error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(s->is_connected());
}

// The engine does not take everything back when it fails to write a COMMIT down.
class FailedCommitTest : public DataStoreTest {
  protected:
    static Result<void> add(Connection& connection, const std::string& keys) {
        Transaction transaction = must(Transaction::begin(connection));
        must(connection.execute("INSERT INTO main.t SELECT k, k || ' text' FROM (VALUES " + keys +
                                ") AS new(k)"));
        return transaction.commit();
    }
    static std::vector<std::string> rows(DataStore& store) {
        Connection reader = must(store.reader());
        return test::texts(reader, "SELECT k || ': ' || s FROM main.t ORDER BY k");
    }
    static void make_table(DataStore& store) {
        DataStore::Writer writer = must(store.writer());
        must(writer.connection().execute("CREATE TABLE main.t(k VARCHAR PRIMARY KEY, s VARCHAR)"));
        must(add(writer.connection(), "('a')"));
        must(store.checkpoint(writer));
        must(add(writer.connection(), "('b')"));
    }
};

TEST_F(FailedCommitTest, LeavesNothingInTheRowsThatAreWrittenAfterReopening) {
    const auto s = store();
    make_table(*s);
    {
        DataStore::Writer writer = must(s->writer());
        Connection& connection = writer.connection();
        for (int i = 0; i < 2; ++i) {
            const tb::test::FullDisk full(s->wal_bytes() + 20);
            EXPECT_EQ(add(connection, "('x')").error().code, ErrorCode::kResourceExhausted);
            EXPECT_TRUE(connection.must_reopen());
            EXPECT_FALSE(Transaction::begin(connection).has_value());
            EXPECT_FALSE(s->checkpoint(writer).has_value());
            must(s->reopen(writer));
            EXPECT_FALSE(connection.must_reopen());
        }
        must(add(connection, "('c'), ('x')"));
    }
    const std::vector<std::string> expected = {"a: a text", "b: b text", "c: c text", "x: x text"};
    EXPECT_EQ(rows(*s), expected);
    must(s->close());
    EXPECT_EQ(rows(*s), expected);
}

TEST_F(FailedCommitTest, IsOverForTheNextReaderAndWriter) {
    const auto s = store();
    make_table(*s);
    const auto fail = [&] {
        DataStore::Writer writer = must(s->writer());
        const tb::test::FullDisk full(s->wal_bytes() + 20);
        EXPECT_FALSE(add(writer.connection(), "('x')").has_value());
    };
    fail();
    EXPECT_EQ(rows(*s), (std::vector<std::string>{"a: a text", "b: b text"}));
    fail();
    DataStore::Writer writer = must(s->writer());
    must(add(writer.connection(), "('x')"));
    EXPECT_EQ(rows(*s), (std::vector<std::string>{"a: a text", "b: b text", "x: x text"}));
    EXPECT_TRUE(s->schema_change().created);  // of the first opening, still to be told
}

TEST_F(FailedCommitTest, IsNoticedForAStatementOutsideATransaction) {
    const auto s = store();
    make_table(*s);
    {
        DataStore::Writer writer = must(s->writer());
        const tb::test::FullDisk full(s->wal_bytes() + 20);
        EXPECT_FALSE(writer.connection().run("INSERT INTO main.t VALUES ('x', 'y')").has_value());
        EXPECT_TRUE(writer.connection().must_reopen());
    }
    add_rate(*s, "2024-01-02", 5.25);
    EXPECT_EQ(rows(*s), (std::vector<std::string>{"a: a text", "b: b text"}));
}

TEST_F(FailedCommitTest, WhileFoldingInTheLogLosesNothingWhenTheFileIsClosed) {
    StoreOptions options;
    options.database.wal_limit = "1MB";
    const auto s = store(options);
    make_table(*s);
    const auto add_many = [](Connection& connection, int from, int to) -> Result<void> {
        Transaction transaction = must(Transaction::begin(connection));
        must(
            connection.run("INSERT INTO main.t SELECT i, 'some text ' || i FROM range($1, $2) "
                           "AS new(i)",
                           from, to));
        return transaction.commit();
    };
    {
        DataStore::Writer writer = must(s->writer());
        must(add_many(writer.connection(), 0, 5'000));
        ASSERT_GT(s->wal_bytes(), 0U);
        const tb::test::FullDisk full(fs::file_size(file_));
        EXPECT_FALSE(add_many(writer.connection(), 5'000, 60'000).has_value());
    }
    must(s->close());
    EXPECT_EQ(rows(*s).size(), 5'002U);
}

TEST_F(FailedCommitTest, CheckpointThatFailsIsOverForTheNextUser) {
    const auto s = store();
    make_table(*s);
    {
        DataStore::Writer writer = must(s->writer());
        const tb::test::FullDisk full(fs::file_size(file_));
        EXPECT_FALSE(s->checkpoint(writer).has_value());
    }
    EXPECT_EQ(rows(*s), (std::vector<std::string>{"a: a text", "b: b text"}));
    DataStore::Writer writer = must(s->writer());
    must(add(writer.connection(), "('x')"));
    must(s->checkpoint(writer));
}

TEST_F(FailedCommitTest, ReopeningWaitsForReaders) {
    const auto s = store();
    make_table(*s);
    DataStore::Writer writer = must(s->writer());
    auto reader = std::make_unique<Connection>(must(s->reader()));
    {
        const tb::test::FullDisk full(s->wal_bytes() + 20);
        EXPECT_FALSE(add(writer.connection(), "('x')").has_value());
    }
    const CancelSource source;
    source.cancel();
    EXPECT_EQ(s->reopen(writer, source.token()).error().code, ErrorCode::kInterrupted);
    EXPECT_FALSE(s->has_lost_its_file());
    EXPECT_TRUE(writer.connection().must_reopen());
    EXPECT_EQ(cell<std::int64_t>(*reader, "SELECT count(*) FROM main.t"), 2);
    std::jthread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        reader.reset();
    });
    must(s->reopen(writer));
    must(add(writer.connection(), "('x')"));
}

}  // namespace
}  // namespace tb::db
