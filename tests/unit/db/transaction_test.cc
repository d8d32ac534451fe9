// Transactions, appenders and data chunks.
#include "db/transaction.h"

#include <gtest/gtest.h>

#include "db/database.h"
#include "db_support.h"

namespace tb::db {
namespace {

using test::cell;
using test::must;

class TransactionTest : public ::testing::Test {
  protected:
    void SetUp() override {
        must(
            connection_.execute("CREATE TABLE t(a INTEGER NOT NULL, b BIGINT, c DOUBLE, d VARCHAR, "
                                "e DATE, f TIMESTAMP, "
                                "g BOOLEAN); CREATE TABLE keyed(k VARCHAR PRIMARY KEY, v DOUBLE)"));
    }
    std::int64_t count(std::string_view table = "t") {
        Connection other = must(database_.connect());
        return cell<std::int64_t>(other, "SELECT count(*) FROM " + std::string(table));
    }
    static void fill(DataChunk& chunk, std::size_t rows) {
        for (std::size_t row = 0; row < rows; ++row) {
            chunk.set_int32(0, row, static_cast<std::int32_t>(row));
        }
    }

    Database database_ = must(Database::open_in_memory());
    Connection connection_ = must(database_.connect());
};

TEST_F(TransactionTest, CommitsAllOrNothing) {
    {
        Transaction transaction = must(Transaction::begin(connection_));
        must(connection_.execute("INSERT INTO keyed VALUES ('x', 1)"));
        must(transaction.commit());
        EXPECT_FALSE(transaction.is_open());
        EXPECT_EQ(transaction.commit().error().code, ErrorCode::kInternal);
    }
    {
        const Transaction dropped = must(Transaction::begin(connection_));
        must(connection_.execute("INSERT INTO keyed VALUES ('y', 2)"));
    }
    EXPECT_EQ(count("keyed"), 1);
    EXPECT_FALSE(connection_.in_transaction());
}

TEST_F(TransactionTest, OnlyOneAtATimeOnAConnection) {
    Transaction first = must(Transaction::begin(connection_));
    EXPECT_EQ(Transaction::begin(connection_).error().code, ErrorCode::kInternal);
    first.rollback();
    first.rollback();
    EXPECT_TRUE(Transaction::begin(connection_).has_value());
}

TEST_F(TransactionTest, AFailedStatementMakesCommitRefuse) {
    Transaction transaction = must(Transaction::begin(connection_));
    must(connection_.execute("INSERT INTO keyed VALUES ('x', 1)"));
    EXPECT_FALSE(connection_.execute("INSERT INTO keyed VALUES ('x', 2)").has_value());
    const auto committed = transaction.commit();
    ASSERT_FALSE(committed.has_value());
    EXPECT_TRUE(transaction.is_open());
    transaction.rollback();
    EXPECT_EQ(count("keyed"), 0);
}

TEST_F(TransactionTest, SurvivesMovesOfItselfAndOfItsConnection) {
    auto holder = std::make_unique<Connection>(must(database_.connect()));
    Transaction first = must(Transaction::begin(*holder));
    must(holder->execute("INSERT INTO keyed VALUES ('x', 1)"));
    const Connection moved = std::move(*holder);
    holder.reset();
    Transaction second = std::move(first);
    must(second.connection().execute("INSERT INTO keyed VALUES ('y', 1)"));
    must(second.commit());
    EXPECT_EQ(count("keyed"), 2);
}

TEST_F(TransactionTest, ReadOnlyRefusesWritesOfEveryShape) {
    for (const char* const sql :
         {"INSERT INTO keyed VALUES ('x', 1)", "UPDATE keyed SET v = 2", "DELETE FROM keyed",
          "CREATE TABLE u(a INTEGER)", "DROP TABLE keyed",
          "EXPLAIN ANALYZE INSERT INTO keyed VALUES ('x', 1)"}) {
        const Transaction transaction = must(Transaction::begin(connection_, Access::kReadOnly));
        EXPECT_EQ(connection_.execute(sql).error().code, ErrorCode::kDatabase) << sql;
    }
    EXPECT_EQ(count("keyed"), 0);
}

TEST_F(TransactionTest, AppendsEveryTypeAndNullsWhereNothingWasSet) {
    const Date day = *Date::from_iso("2024-05-06");
    Transaction transaction = must(Transaction::begin(connection_));
    Appender appender = must(transaction.appender("main", "t"));
    DataChunk& chunk = appender.chunk();
    ASSERT_EQ(chunk.column_count(), 7U);
    for (std::size_t row = 0; row < 3; ++row) {
        chunk.set_int32(0, row, static_cast<std::int32_t>(row));
    }
    chunk.set_int64(1, 0, -5'000'000'000);
    chunk.set_double(2, 0, 0.25);
    chunk.set_string(3, 0, "short");
    chunk.set_date(4, 0, day);
    chunk.set_timestamp(5, 0, Timestamp{1'234'567});
    chunk.set_bool(6, 0, true);
    chunk.set_string(3, 1, "a text of more than twelve bytes, \xc3\xa9");
    chunk.set_double(2, 1, std::optional<double>());
    chunk.set_double(2, 2, 9.5);
    chunk.set_null(2, 2);
    const std::string referred = "referred to, not copied, until flushed";
    chunk.set_string_ref(3, 2, referred);
    must(appender.flush_chunk(3));
    // Nothing of the first chunk may shine through in the second.
    chunk.set_int32(0, 0, 3);
    must(appender.flush_chunk(1));
    must(appender.flush_chunk(0));
    EXPECT_EQ(appender.rows_appended(), 4);
    must(appender.close());
    must(transaction.commit());

    Rows rows = must(connection_.query("SELECT * FROM t ORDER BY a"));
    ASSERT_TRUE(must(rows.next()));
    EXPECT_EQ(rows.get<std::int64_t>(1), -5'000'000'000);
    EXPECT_EQ(rows.get<double>(2), 0.25);
    EXPECT_EQ(rows.get<std::string>(3), "short");
    EXPECT_EQ(rows.get<Date>(4), day);
    EXPECT_EQ(rows.get<Timestamp>(5).micros, 1'234'567);
    EXPECT_TRUE(rows.get<bool>(6));
    ASSERT_TRUE(must(rows.next()));
    EXPECT_EQ(rows.get<std::string>(3), "a text of more than twelve bytes, \xc3\xa9");
    EXPECT_TRUE(rows.is_null(1));
    EXPECT_TRUE(rows.is_null(2));
    ASSERT_TRUE(must(rows.next()));
    EXPECT_TRUE(rows.is_null(2));
    EXPECT_EQ(rows.get<std::string>(3), referred);
    ASSERT_TRUE(must(rows.next()));
    for (std::size_t column = 1; column < 7; ++column) {
        EXPECT_TRUE(rows.is_null(column)) << column;
    }
    EXPECT_FALSE(must(rows.next()));
}

TEST_F(TransactionTest, ManyChunksKeepOrderAndNulls) {
    constexpr std::size_t kRows = 10 * DataChunk::kCapacity + 17;
    Transaction transaction = must(Transaction::begin(connection_));
    Appender appender = must(transaction.appender("main", "t"));
    std::size_t next = 0;
    while (next < kRows) {
        const std::size_t rows = std::min(DataChunk::kCapacity, kRows - next);
        for (std::size_t row = 0; row < rows; ++row, ++next) {
            appender.chunk().set_int32(0, row, static_cast<std::int32_t>(next));
            // One chunk without NULL between chunks with some.
            if (next % 7 != 0 || next / DataChunk::kCapacity == 4) {
                appender.chunk().set_string(3, row, "row number " + std::to_string(next));
            }
        }
        must(appender.flush_chunk(rows));
    }
    must(appender.close());
    must(transaction.commit());
    Rows rows = must(connection_.query("SELECT a, d FROM t"));
    for (std::size_t i = 0; i < kRows; ++i) {
        ASSERT_TRUE(must(rows.next()));
        ASSERT_EQ(rows.get<std::int32_t>(0), static_cast<std::int32_t>(i));
        if (i % 7 != 0 || i / DataChunk::kCapacity == 4) {
            ASSERT_EQ(rows.get<std::string_view>(1), "row number " + std::to_string(i));
        } else {
            ASSERT_TRUE(rows.is_null(1));
        }
    }
    EXPECT_FALSE(must(rows.next()));
}

TEST_F(TransactionTest, ChunksMayBeFilledWithoutAConnection) {
    const std::vector<TypeId> types = {TypeId::kVarchar, TypeId::kDouble};
    DataChunk chunk = must(DataChunk::create(types));
    chunk.set_string(0, 0, "k1");
    chunk.set_double(1, 0, 1.5);
    chunk.set_string(0, 1, "k2");
    chunk.set_row_count(2);
    Transaction transaction = must(Transaction::begin(connection_));
    Appender keyed = must(transaction.appender("main", "keyed"));
    Appender other = must(transaction.appender("main", "t"));
    must(keyed.append(chunk));
    EXPECT_EQ(other.append(chunk).error().code, ErrorCode::kInternal);  // other columns
    must(keyed.close());
    must(other.close());
    must(transaction.commit());
    EXPECT_EQ(cell<std::string>(
                  connection_, "SELECT string_agg(k || coalesce(v, 0), ' ' ORDER BY k) FROM keyed"),
              "k11.5 k20.0");
    EXPECT_EQ(DataChunk::create(std::vector<TypeId>{TypeId::kList}).error().code,
              ErrorCode::kInvalidArgument);
}

TEST_F(TransactionTest, WritingAnotherTypeOrBeyondTheChunkIsAProgrammerError) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    DataChunk chunk = must(DataChunk::create(std::vector<TypeId>{TypeId::kInteger}));
    EXPECT_DEATH(chunk.set_double(0, 0, 1.0), "another type");
    EXPECT_DEATH(chunk.set_int32(1, 0, 1), "no such cell");
    EXPECT_DEATH(chunk.set_int32(0, DataChunk::kCapacity, 1), "no such cell");
    EXPECT_DEATH(chunk.set_row_count(DataChunk::kCapacity + 1), "at most 2048");
}

TEST_F(TransactionTest, RowsPendingInAnAppenderAreRolledBack) {
    {
        Transaction transaction = must(Transaction::begin(connection_));
        Appender appender = must(transaction.appender("main", "t"));
        fill(appender.chunk(), 1);
        must(appender.flush_chunk(1));
        transaction.rollback();
        EXPECT_EQ(appender.flush_chunk(1).error().code, ErrorCode::kInternal);
        EXPECT_EQ(appender.close().error().code, ErrorCode::kInternal);
    }
    EXPECT_EQ(count(), 0);
    {
        auto transaction = std::make_unique<Transaction>(must(Transaction::begin(connection_)));
        Appender outlives = must(transaction->appender("main", "t"));
        fill(outlives.chunk(), 1);
        must(outlives.flush_chunk(1));
        transaction.reset();
    }
    EXPECT_EQ(count(), 0);
    // An appender of a dead transaction does not spoil the next one.
    Transaction next = must(Transaction::begin(connection_));
    EXPECT_TRUE(next.commit().has_value());
}

TEST_F(TransactionTest, CommitRefusesWhileAnAppenderLives) {
    Transaction transaction = must(Transaction::begin(connection_));
    Appender appender = must(transaction.appender("main", "t"));
    fill(appender.chunk(), 2);
    must(appender.flush_chunk(2));
    EXPECT_EQ(transaction.commit().error().code, ErrorCode::kInternal);
    must(appender.close());
    must(transaction.commit());
    EXPECT_EQ(count(), 2);
}

TEST_F(TransactionTest, CommitRefusesAfterAnAppenderWasDroppedUnclosed) {
    Transaction transaction = must(Transaction::begin(connection_));
    {
        Appender appender = must(transaction.appender("main", "t"));
        fill(appender.chunk(), 2);
        must(appender.flush_chunk(2));
    }
    EXPECT_EQ(transaction.commit().error().code, ErrorCode::kInternal);
    transaction.rollback();
    EXPECT_EQ(count(), 0);
}

class AppendErrorTest : public TransactionTest {
  protected:
    // Flushes one chunk and closes; the error of either.
    static Error append_error(Appender& appender, std::size_t rows) {
        if (auto flushed = appender.flush_chunk(rows); !flushed.has_value()) {
            return flushed.error();
        }
        const auto closed = appender.close();
        return closed.has_value() ? Error{} : closed.error();
    }
};

TEST_F(AppendErrorTest, NullInANotNullColumnIsReported) {
    Transaction transaction = must(Transaction::begin(connection_));
    Appender appender = must(transaction.appender("main", "t"));
    appender.chunk().set_double(2, 0, 1.0);  // column 0 stays NULL
    const Error error = append_error(appender, 1);
    EXPECT_EQ(error.code, ErrorCode::kDatabase);
    EXPECT_NE(error.message.find("NOT NULL constraint failed: t.a"), std::string::npos)
        << error.message;
    EXPECT_EQ(error.context, "main.t");
    EXPECT_FALSE(transaction.commit().has_value());
    transaction.rollback();
    EXPECT_EQ(count(), 0);
    EXPECT_EQ(cell<std::int32_t>(connection_, "SELECT 1"), 1);
}

TEST_F(AppendErrorTest, TextThatIsNotUtf8IsReported) {
    for (const std::string_view bad :
         {std::string_view("a\xff"), std::string_view("a long text with a broken \xc3 byte")}) {
        Transaction transaction = must(Transaction::begin(connection_));
        Appender appender = must(transaction.appender("main", "t"));
        fill(appender.chunk(), 1);
        appender.chunk().set_string_ref(3, 0, bad);
        const Error error = append_error(appender, 1);
        EXPECT_NE(error.message.find("unicode"), std::string::npos) << error.message;
        EXPECT_FALSE(transaction.commit().has_value());
    }
    EXPECT_EQ(count(), 0);
}

TEST_F(AppendErrorTest, ADuplicateKeyIsReported) {
    must(connection_.execute("INSERT INTO keyed VALUES ('old', 1)"));
    Transaction transaction = must(Transaction::begin(connection_));
    Appender appender = must(transaction.appender("main", "keyed"));
    appender.chunk().set_string(0, 0, "new");
    appender.chunk().set_string(0, 1, "old");
    const Error error = append_error(appender, 2);
    EXPECT_NE(error.message.find("uplicate key"), std::string::npos) << error.message;
    EXPECT_FALSE(transaction.commit().has_value());
    transaction.rollback();
    EXPECT_EQ(count("keyed"), 1);
}

TEST_F(AppendErrorTest, ReplacingRowsOfOneKeyInOneTransactionWorks) {
    must(connection_.execute("INSERT INTO keyed VALUES ('x', 1), ('y', 2)"));
    Transaction transaction = must(Transaction::begin(connection_));
    EXPECT_EQ(must(connection_.run("DELETE FROM keyed WHERE k = $1", "x")), 1);
    Appender appender = must(transaction.appender("main", "keyed"));
    appender.chunk().set_string(0, 0, "x");
    appender.chunk().set_double(1, 0, 3.5);
    must(appender.flush_chunk(1));
    must(appender.close());
    must(transaction.commit());
    EXPECT_EQ(cell<double>(connection_, "SELECT v FROM keyed WHERE k = 'x'"), 3.5);
}

TEST_F(AppendErrorTest, AnUnknownTableIsAnError) {
    Transaction transaction = must(Transaction::begin(connection_));
    EXPECT_EQ(transaction.appender("main", "nowhere").error().code, ErrorCode::kDatabase);
    EXPECT_EQ(transaction.appender("main", "nowhere").error().context, "main.nowhere");
}

TEST_F(TransactionTest, CancellationStopsAnAppendButNotACommit) {
    const CancelSource source;
    connection_.cancel_with(source.token());
    Transaction transaction = must(Transaction::begin(connection_));
    Appender appender = must(transaction.appender("main", "t"));
    fill(appender.chunk(), 2);
    must(appender.flush_chunk(1));
    must(appender.close());
    Appender second = must(transaction.appender("main", "keyed"));
    must(second.close());
    source.cancel();
    must(transaction.commit());
    EXPECT_EQ(count(), 1);
    EXPECT_EQ(Transaction::begin(connection_).error().code, ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace tb::db
