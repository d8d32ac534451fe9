#include "db/query_runner.h"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "db/database.h"
#include "db/transaction.h"
#include "db_support.h"

namespace tb::db {
namespace {

using namespace std::chrono_literals;
using test::cell;
using test::must;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Runs until it is stopped: no limit of the engine ends it.
constexpr std::string_view kEndless =
    "SELECT count(*) FROM range(1000000000000) a, range(1000000000000) b";

class QueryRunner : public testing::Test {
  protected:
    QueryRunner()
        : database_(must(Database::open_in_memory())), connection_(must(database_.connect())) {
        must(connection_.execute(
            "CREATE SCHEMA trades; CREATE SCHEMA market; CREATE TABLE trades.trade_data AS SELECT "
            "i "
            "AS pl, 'S' || i AS strategy FROM range(10) r(i); CREATE TABLE trades._sync_log(a "
            "INTEGER); CREATE TABLE market.spx_daily(date VARCHAR)"));
    }

    Result<JsonQueryResult> run(std::string_view sql, const QueryLimits& limits = {},
                                const CancelToken& cancel = {}) {
        return run_query_to_json(connection_, sql, limits, cancel);
    }

    Database database_;
    Connection connection_;
};

TEST_F(QueryRunner, GivesRowsAsObjectsWithColumnTypes) {
    const auto result =
        must(run("SELECT pl, strategy, pl / 4 AS q FROM trades.trade_data WHERE pl < 2"));
    EXPECT_EQ(result.rows().dump(),
              R"([{"pl":0,"strategy":"S0","q":0},{"pl":1,"strategy":"S1","q":0.25}])");
    EXPECT_EQ(result.outcome.row_count, 2);
    EXPECT_FALSE(result.outcome.truncated);
    ASSERT_EQ(result.outcome.columns.size(), 3U);
    EXPECT_EQ(result.outcome.columns[0].name, "pl");
    EXPECT_EQ(result.outcome.columns[0].type_name, "BIGINT");
    EXPECT_EQ(result.outcome.columns[1].type_name, "VARCHAR");
    EXPECT_EQ(result.outcome.columns[2].type_name, "DOUBLE");
    EXPECT_GT(result.outcome.elapsed_ms, 0);
}

TEST_F(QueryRunner, KnowsColumnsOfAnEmptyResult) {
    const auto result = must(run("SELECT pl FROM trades.trade_data WHERE pl > 99"));
    EXPECT_EQ(result.rows().dump(), "[]");
    EXPECT_EQ(result.outcome.columns.size(), 1U);
}

TEST_F(QueryRunner, FetchesOneRowMoreThanTheLimitToKnowWhetherThereAreMore) {
    const auto exact = must(run("SELECT * FROM trades.trade_data", {.max_rows = 10}));
    EXPECT_EQ(exact.outcome.row_count, 10);
    EXPECT_FALSE(exact.outcome.truncated);
    const auto cut = must(run("SELECT * FROM trades.trade_data", {.max_rows = 9}));
    EXPECT_EQ(cut.outcome.row_count, 9);
    EXPECT_TRUE(cut.outcome.truncated);
    EXPECT_FALSE(cut.outcome.stopped_by_bytes);
}

TEST_F(QueryRunner, LimitsRowsWhateverTheTextSays) {
    for (const std::string_view sql :
         {"SELECT * FROM range(100000000)", "SELECT * FROM range(100000000) LIMIT 5000000",
          "SELECT 'limit 5' FROM range(100000000) -- LIMIT 5", "SELECT * FROM range(100000000);",
          "FROM range(100000000)"}) {
        const auto result = must(run(sql, {.max_rows = 5}));
        EXPECT_EQ(result.outcome.row_count, 5) << sql;
        EXPECT_TRUE(result.outcome.truncated) << sql;
    }
}

TEST_F(QueryRunner, StopsAtItsByteLimit) {
    const auto result =
        must(run("SELECT repeat('x', 1000) AS t FROM range(100)", {.max_bytes = 10'000}));
    EXPECT_TRUE(result.outcome.truncated);
    EXPECT_TRUE(result.outcome.stopped_by_bytes);
    EXPECT_EQ(result.outcome.row_count, 9);
    const auto huge = run("SELECT repeat('x', 20000) AS t", {.max_bytes = 10'000});
    ASSERT_FALSE(huge.has_value());
    EXPECT_EQ(huge.error().code, ErrorCode::kResourceExhausted);
    EXPECT_THAT(huge.error().message, HasSubstr("10000"));
}

TEST_F(QueryRunner, MakesDuplicateColumnNamesDistinct) {
    const auto result = must(run("SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a"));
    EXPECT_EQ(result.rows().dump(), R"([{"a":1,"a_3":2,"a_2":3,"a_4":4}])");
}

TEST_F(QueryRunner, StopsAtTheDeadline) {
    const auto result = run(kEndless, {.timeout = 100ms});
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
    EXPECT_THAT(result.error().message, HasSubstr("stopped after 0.1 s"));
    EXPECT_EQ(must(run("SELECT 1 AS a")).rows().dump(), R"([{"a":1}])")
        << "the connection is usable at once";
}

TEST_F(QueryRunner, StopsAnEndlessStreamAtTheDeadline) {
    class Forgetful final : public RowConsumer {
      public:
        Result<void> begin(const std::vector<ColumnInfo>&) override { return {}; }
        Result<std::size_t> row(const ValueRenderer&, std::size_t) override { return 1; }
    } consumer;
    const QueryLimits limits{.max_rows = SIZE_MAX, .max_bytes = SIZE_MAX, .timeout = 100ms};
    const auto result =
        run_query(connection_, "SELECT * FROM range(1000000000000)", limits, consumer);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
}

TEST_F(QueryRunner, StopsWhenCancelled) {
    CancelSource source;
    std::thread canceller([&] {
        std::this_thread::sleep_for(50ms);
        source.cancel();
    });
    const auto result = run(kEndless, {.timeout = 1h}, source.token());
    canceller.join();
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
    EXPECT_THAT(result.error().message, HasSubstr("cancelled"));
    EXPECT_EQ(cell<std::int32_t>(connection_, "SELECT 1"), 1);
}

TEST_F(QueryRunner, DoesNotStartWhenCancelledBefore) {
    CancelSource source;
    source.cancel();
    const auto result = run(kEndless, {.timeout = 1h}, source.token());
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
}

TEST_F(QueryRunner, LeavesNoTransactionBehind) {
    static_cast<void>(must(run("SELECT 1 AS a")));
    EXPECT_FALSE(connection_.in_transaction());
    EXPECT_FALSE(run("SELECT no_such_column FROM trades.trade_data").has_value());
    EXPECT_FALSE(connection_.in_transaction());
    EXPECT_FALSE(run("SELECT error('stop') FROM range(5)").has_value());
    EXPECT_FALSE(connection_.in_transaction());
    must(connection_.execute("CREATE TABLE t(a INTEGER)"));
    Transaction transaction = must(Transaction::begin(connection_));
    const auto nested = run("SELECT 1");
    ASSERT_FALSE(nested.has_value());
    EXPECT_EQ(nested.error().code, ErrorCode::kInternal);
}

TEST_F(QueryRunner, ListsTheTablesWhenOneIsUnknown) {
    const auto result = run("SELECT * FROM trades.trade_dat");
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kDatabase);
    EXPECT_THAT(result.error().message, HasSubstr("Tables: market.spx_daily, trades.trade_data"));
    EXPECT_THAT(result.error().message, Not(HasSubstr("_sync_log")));
}

TEST_F(QueryRunner, AdvisesToDescribeWhenAColumnIsUnknown) {
    for (const std::string_view sql :
         {"SELECT profit FROM trades.trade_data", "SELECT t.profit FROM trades.trade_data t"}) {
        const auto result = run(sql);
        ASSERT_FALSE(result.has_value());
        EXPECT_THAT(result.error().message, HasSubstr("Tip: DESCRIBE")) << sql;
    }
}

TEST_F(QueryRunner, PassesOnWhatTheEngineSaysWhileRowsAreRead) {
    const auto result = run("SELECT CAST('x' || range AS INTEGER) FROM range(3)");
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kDatabase);
    EXPECT_THAT(result.error().message, HasSubstr("x0"));
}

TEST_F(QueryRunner, EndsWithTheErrorOfItsConsumer) {
    class Failing final : public RowConsumer {
      public:
        Result<void> begin(const std::vector<ColumnInfo>&) override { return {}; }
        Result<std::size_t> row(const ValueRenderer&, std::size_t row) override {
            if (row == 3) {
                return make_error(ErrorCode::kIo, "the pipe is closed");
            }
            return 1;
        }
    } consumer;
    const auto result = run_query(connection_, "SELECT * FROM range(10000000)", {}, consumer);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kIo);
    EXPECT_FALSE(connection_.in_transaction());
}

TEST_F(QueryRunner, SurvivesQueriesThatNeedMoreMemoryThanThereIs) {
    DatabaseOptions options;
    options.memory_limit = "50MB";
    options.temp_directory_limit = "1MB";
    Database small = must(Database::open_in_memory(options));
    Connection connection = must(small.connect());
    const auto result =
        run_query_to_json(connection, "SELECT list(hash(range)) AS l FROM range(100000000)", {});
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kResourceExhausted) << result.error().message;
    EXPECT_EQ(cell<std::int32_t>(connection, "SELECT 1"), 1);
}

}  // namespace
}  // namespace tb::db
