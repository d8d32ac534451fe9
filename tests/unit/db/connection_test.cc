// Statements, parameters, results, errors and interruption on one connection.
#include "db/connection.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "core/cancel.h"
#include "db/database.h"
#include "db/engine_error.h"
#include "db_support.h"

namespace tb::db {
namespace {

using test::cell;
using test::must;

class ConnectionTest : public ::testing::Test {
  protected:
    Database database_ = must(Database::open_in_memory());
    Connection connection_ = must(database_.connect());
};

TEST_F(ConnectionTest, BindsEveryTypeAndReadsItBack) {
    const Date day = *Date::from_iso("2024-02-29");
    const Timestamp instant{1'700'000'000'123'456};
    Rows rows = must(connection_.query(
        "SELECT $1::BOOLEAN, $2::INTEGER, $3::BIGINT, $4::DOUBLE, $5::VARCHAR, $6::DATE, "
        "$7::TIMESTAMP, $8::VARCHAR, $9::DOUBLE, $10::VARCHAR",
        true, std::int32_t{-7}, std::int64_t{1} << 40, 0.1, "it's 'quoted'", day, instant,
        std::nullopt, std::optional<double>(), std::string_view()));
    ASSERT_TRUE(must(rows.next()));
    EXPECT_TRUE(rows.get<bool>(0));
    EXPECT_EQ(rows.get<std::int32_t>(1), -7);
    EXPECT_EQ(rows.get<std::int64_t>(2), std::int64_t{1} << 40);
    EXPECT_EQ(rows.get<double>(3), 0.1);
    EXPECT_EQ(rows.get<std::string>(4), "it's 'quoted'");
    EXPECT_EQ(rows.get<Date>(5), day);
    EXPECT_EQ(rows.get<Timestamp>(6), instant);
    EXPECT_TRUE(rows.is_null(7));
    EXPECT_EQ(rows.get_optional<double>(8), std::nullopt);
    EXPECT_EQ(rows.get_optional<std::string>(9), std::string());  // empty is not NULL
    EXPECT_FALSE(must(rows.next()));
    EXPECT_FALSE(must(rows.next()));
}

TEST_F(ConnectionTest, WidensNumbersOfEveryWidth) {
    Rows rows = must(connection_.query(
        "SELECT 1::TINYINT, -2::SMALLINT, 3::INTEGER, 4::BIGINT, 5::UTINYINT, 6::USMALLINT, "
        "7::UINTEGER, 8::UBIGINT, -9::HUGEINT, 1.5::FLOAT, 12.345::DECIMAL(5,3), "
        "-123456789012345678.90::DECIMAL(30,2), -0.07::DECIMAL(4,2)"));
    ASSERT_TRUE(must(rows.next()));
    const std::vector<std::int64_t> whole = {1, -2, 3, 4, 5, 6, 7, 8, -9};
    for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_EQ(rows.get<std::int64_t>(i), whole[i]) << i;
        EXPECT_EQ(rows.get<double>(i), static_cast<double>(whole[i])) << i;
    }
    EXPECT_EQ(rows.get<double>(9), 1.5);
    EXPECT_DOUBLE_EQ(rows.get<double>(10), 12.345);
    EXPECT_DOUBLE_EQ(rows.get<double>(11), -123456789012345678.90);
    EXPECT_DOUBLE_EQ(rows.get<double>(12), -0.07);
}

TEST_F(ConnectionTest, NamesAndTypesOfColumnsAreKnown) {
    const Rows rows = must(connection_.query(
        "SELECT 1.5 AS price, [1, 2] AS list, {'a': 1, 'B b': ['x']} AS s, MAP {'k': 1} AS m, "
        "NULL AS nothing, DATE '2024-01-02' AS \"Day\", TIMESTAMPTZ '2024-01-02 00:00:00+00' AS "
        "tz, "
        "[1, 2]::INTEGER[2] AS pair"));
    std::vector<std::string> seen;
    for (const ColumnInfo& column : rows.columns()) {
        seen.push_back(column.name + " " + column.type_name);
    }
    EXPECT_EQ(seen,
              (std::vector<std::string>{"price DECIMAL(2,1)", "list INTEGER[]",
                                        "s STRUCT(a INTEGER, \"B b\" VARCHAR[])",
                                        "m MAP(VARCHAR, INTEGER)", "nothing INTEGER", "Day DATE",
                                        "tz TIMESTAMP WITH TIME ZONE", "pair INTEGER[2]"}));
    EXPECT_EQ(rows.columns()[0].type, TypeId::kDecimal);
    EXPECT_EQ(rows.columns()[1].type, TypeId::kList);
}

TEST_F(ConnectionTest, ReadsColumnsChunkByChunk) {
    Rows rows = must(connection_.query(
        "SELECT range AS i, range * 0.5::DOUBLE AS d, CASE WHEN range % 3 = 0 THEN NULL ELSE "
        "range::INTEGER END AS n, 'text number ' || range AS t, DATE '2024-01-01' + range::INTEGER "
        "AS day FROM range(5000)"));
    std::size_t seen = 0;
    while (must(rows.next_chunk())) {
        const ChunkView& chunk = rows.chunk();
        for (std::size_t row = 0; row < chunk.row_count(); ++row, ++seen) {
            const auto i = static_cast<std::int64_t>(seen);
            ASSERT_EQ(chunk.column(0).int64s()[row], i);
            ASSERT_EQ(chunk.column(1).doubles()[row], static_cast<double>(i) * 0.5);
            ASSERT_EQ(chunk.column(2).is_null(row), i % 3 == 0);
            if (i % 3 != 0) {
                ASSERT_EQ(chunk.column(2).int32s()[row], i);
            }
            ASSERT_EQ(chunk.column(3).string(row), "text number " + std::to_string(i));
            ASSERT_EQ(Date(chunk.column(4).date_days()[row]),
                      Date::from_iso("2024-01-01")->plus_days(static_cast<std::int32_t>(i)));
        }
    }
    EXPECT_EQ(seen, 5000U);
}

TEST_F(ConnectionTest, AskingForAnotherTypeIsAProgrammerError) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    Rows rows = must(connection_.query("SELECT 'text'"));
    ASSERT_TRUE(must(rows.next()));
    EXPECT_DEATH(static_cast<void>(rows.get<double>(0)), "not an integer");
    EXPECT_DEATH(static_cast<void>(rows.get<bool>(1)), "no such column");
}

TEST_F(ConnectionTest, AStreamedResultIsNeverShortWithoutAnError) {
    Rows rows = must(connection_.query("SELECT range FROM range(100000)"));
    ASSERT_TRUE(must(rows.next_chunk()));
    must(connection_.execute("SELECT 1"));
    const auto more = rows.next_chunk();
    ASSERT_FALSE(more.has_value());
    EXPECT_EQ(more.error().code, ErrorCode::kInternal);
}

TEST_F(ConnectionTest, ACollectedResultLivesBesideOtherStatements) {
    Rows rows = must(connection_.collect("SELECT range FROM range(10000)"));
    std::int64_t sum = 0;
    while (must(rows.next())) {
        sum += rows.get<std::int64_t>(0);
        if (sum % 1000 == 0) {
            must(connection_.execute("SELECT 1"));
        }
    }
    EXPECT_EQ(sum, 10000 * 9999 / 2);
}

TEST_F(ConnectionTest, RowsOutliveStatementAndConnectionHandles) {
    auto rows = [] {
        const Database database = must(Database::open_in_memory());
        Connection connection = must(database.connect());
        return must(connection.query("SELECT range FROM range(50000)"));
    }();
    std::int64_t count = 0;
    while (must(rows.next())) {
        ++count;
    }
    EXPECT_EQ(count, 50000);
}

TEST_F(ConnectionTest, AFailureHalfwayThroughTheRowsIsAnError) {
    auto rows = connection_.query(
        "SELECT CASE WHEN range = 900000 THEN error('boom') ELSE range::VARCHAR END FROM "
        "range(1000000)");
    Result<bool> more = true;
    while (rows.has_value() && more.has_value() && *more) {
        more = rows->next_chunk();
    }
    const Error error = rows.has_value() ? more.error() : rows.error();
    EXPECT_EQ(error.code, ErrorCode::kDatabase);
    EXPECT_NE(error.message.find("boom"), std::string::npos);
}

TEST_F(ConnectionTest, PreparedStatementsAreBoundAgain) {
    must(connection_.execute("CREATE TABLE t(a INTEGER, b VARCHAR)"));
    Statement insert = must(connection_.prepare("INSERT INTO t VALUES ($1, $2)"));
    for (int i = 0; i < 3; ++i) {
        must(insert.bind_all(i, std::string(1, static_cast<char>('x' + i))));
        EXPECT_EQ(must(insert.run()), 1);
    }
    EXPECT_EQ(cell<std::string>(connection_, "SELECT string_agg(a || b, ',' ORDER BY a) FROM t"),
              "0x,1y,2z");
    EXPECT_EQ(must(connection_.run("DELETE FROM t WHERE a > $1", 0)), 2);
}

TEST_F(ConnectionTest, WrongParametersAreRefused) {
    Statement statement = must(connection_.prepare("SELECT $1::INTEGER + $2::INTEGER"));
    EXPECT_EQ(statement.parameter_count(), 2U);
    EXPECT_EQ(statement.bind_all(1).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(statement.bind(3, 1).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(statement.bind(0, 1).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(connection_.prepare("SELECT 1; SELECT 2").error().code, ErrorCode::kDatabase);
    EXPECT_EQ(connection_.prepare("").error().code, ErrorCode::kDatabase);
    EXPECT_EQ(connection_.prepare("SELEKT").error().code, ErrorCode::kDatabase);
}

TEST_F(ConnectionTest, TextThatIsNotUtf8IsRefused) {
    const auto result = connection_.query("SELECT $1::VARCHAR", std::string_view("a\xff z"));
    ASSERT_FALSE(result.has_value());
}

TEST_F(ConnectionTest, InterruptFromAnotherThreadEndsTheStatement) {
    const InterruptHandle handle = connection_.interrupt_handle();
    std::atomic<bool> done{false};
    std::thread other([&] {
        while (!done) {
            handle.interrupt();
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    });
    const auto result =
        connection_.collect("SELECT count(*) FROM range(10000000) a, range(10000000) b");
    done = true;
    other.join();
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
    EXPECT_EQ(cell<std::int32_t>(connection_, "SELECT 42"), 42);  // usable at once
}

TEST_F(ConnectionTest, CancelledTokenEndsWhatRunsAndStartsNothingMore) {
    const CancelSource source;
    connection_.cancel_with(source.token());
    EXPECT_EQ(cell<std::int32_t>(connection_, "SELECT 1"), 1);
    std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        source.cancel();
    });
    const auto running =
        connection_.collect("SELECT count(*) FROM range(10000000) a, range(10000000) b");
    other.join();
    EXPECT_EQ(running.error().code, ErrorCode::kInterrupted);
    EXPECT_EQ(connection_.collect("SELECT 1").error().code, ErrorCode::kInterrupted);
    EXPECT_EQ(connection_.execute("SELECT 1").error().code, ErrorCode::kInterrupted);
    connection_.cancel_with({});
    EXPECT_EQ(cell<std::int32_t>(connection_, "SELECT 2"), 2);
}

TEST_F(ConnectionTest, CancellingEndsAStreamedResultWithAnError) {
    const CancelSource source;
    connection_.cancel_with(source.token());
    Rows rows = must(connection_.query("SELECT range FROM range(1000000000)"));
    ASSERT_TRUE(must(rows.next_chunk()));
    source.cancel();
    Result<bool> more = true;
    while (more.has_value() && *more) {
        more = rows.next_chunk();
    }
    ASSERT_FALSE(more.has_value());
    EXPECT_EQ(more.error().code, ErrorCode::kInterrupted);
}

TEST_F(ConnectionTest, InterruptHandleOutlivesItsConnection) {
    const InterruptHandle handle = [&] {
        const Connection short_lived = must(database_.connect());
        return short_lived.interrupt_handle();
    }();
    handle.interrupt();
    EXPECT_EQ(database_.connection_count(), 1);
}

TEST(EngineError, CodesFollowTheEnginesWords) {
    const std::string lock =
        "IO Error: Could not set lock on file \"/d/analytics.duckdb\": Conflicting lock is held in "
        "/usr/bin/duckdb (PID 4711). See also https://duckdb.org/docs/concurrency";
    const Error locked = error_from_text(lock);
    EXPECT_EQ(locked.code, ErrorCode::kLocked);
    EXPECT_EQ(lock_holder(locked), 4711);
    EXPECT_NE(locked.message.find("process 4711"), std::string::npos);
    EXPECT_EQ(error_from_text("IO Error: Could not set lock on file \"/d\": busy").code,
              ErrorCode::kLocked);
    EXPECT_EQ(lock_holder(error_from_text("IO Error: Could not set lock on file \"/d\": busy")),
              std::nullopt);
    EXPECT_EQ(
        error_from_text("INTERNAL Error: broken\n\nStack Trace:\n\n/home/x/libduckdb.so(+0x1)")
            .message,
        "INTERNAL Error: broken")
        << "no call stack, no path of the program";
    EXPECT_EQ(error_from_text("INTERRUPT Error: Interrupted!").code, ErrorCode::kInterrupted);
    EXPECT_EQ(error_from_text("Out of Memory Error: ...").code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(error_from_text("IO Error: Could not write file: No space left on device").code,
              ErrorCode::kResourceExhausted);
    EXPECT_EQ(error_from_text("IO Error: Cannot open file \"F\": Permission denied").code,
              ErrorCode::kIo);
    EXPECT_EQ(error_from_text("Catalog Error: Table with name x does not exist").code,
              ErrorCode::kDatabase);
}

TEST(EngineError, DamageIsToldFromOtherTrouble) {
    for (const char* const text :
         {"IO Error: The file \"F\" exists, but it is not a valid DuckDB database file!",
          "IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2",
          "TransactionContext Error: Failure while replaying WAL file \"F.wal\": Failed to commit: "
          "Corrupt database file",
          "IO Error: Failure while replaying WAL file \"F.wal\": Corrupt WAL file: entry",
          "IO Error: Could not read enough bytes from file \"F\": attempted to read 8 bytes",
          "Serialization Error: Failed to deserialize",
          "IO Error: Trying to read a database file with version number 7, but we can only read "
          "versions between 64 and 67."}) {
        EXPECT_TRUE(is_damage(error_from_text(text))) << text;
    }
    for (const char* const text :
         {"Invalid Input Error: Corrupt database file",  // error('...') in somebody's SQL
          "IO Error: Could not set lock on file \"F\": Corrupt database file",
          "IO Error: Failure while replaying WAL file \"F.wal\": No space left on device",
          "IO Error: Cannot open file \"F\": Permission denied",
          "Out of Memory Error: could not allocate block"}) {
        EXPECT_FALSE(is_damage(error_from_text(text))) << text;
    }
    const Error newer = error_from_text(
        "IO Error: Trying to read a database file with version number 99, but we can only read "
        "versions between 64 and 67.");
    EXPECT_FALSE(is_damage(newer));
    EXPECT_TRUE(is_newer_engine_file(newer));
}

TEST_F(ConnectionTest, WhatCannotBeInACellIsAnErrorAndNeverAnEnd) {
    Connection connection = must(must(Database::open_in_memory()).connect());
    Rows rows = must(connection.collect(
        "SELECT NULL::INTEGER AS a, NULL::VARCHAR AS b, NULL::DATE AS c, 3000000000::BIGINT AS d, "
        "18446744073709551615::UBIGINT AS e, 170141183460469231731687303715884105727::HUGEINT AS f "
        "UNION ALL SELECT 1, 'x', DATE '2024-01-02', 1, 1, 1"));
    ASSERT_TRUE(must(rows.next()));
    EXPECT_TRUE(rows.check().has_value());
    EXPECT_EQ(rows.get<std::int32_t>(0), 0);
    EXPECT_EQ(rows.get<std::string>(1), "");
    EXPECT_EQ(rows.get<Date>(2), Date());
    EXPECT_EQ(rows.get<std::int64_t>(3), 3'000'000'000);
    EXPECT_EQ(rows.get<std::int32_t>(3), 0);
    EXPECT_EQ(rows.get<std::int64_t>(4), 0);
    EXPECT_EQ(rows.get<std::int64_t>(5), 0);
    const auto more = rows.next();
    ASSERT_FALSE(more.has_value());
    EXPECT_EQ(more.error().code, ErrorCode::kDatabase);
    EXPECT_NE(more.error().message.find("holds NULL in column \"a\""), std::string::npos);
    EXPECT_FALSE(rows.check().has_value());
}

}  // namespace
}  // namespace tb::db
