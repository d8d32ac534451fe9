// Queries that nobody can bound: each is answered, or ends as an error of its own, while this
// process and other queries go on.
#include "db/query_service.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "db/data_store.h"
#include "db/transaction.h"
#include "db_support.h"
#include "support/temp_dir.h"

namespace tb::db {
namespace {

using namespace std::chrono_literals;
using test::must;
using testing::AnyOf;
using testing::HasSubstr;

using SteadyClock = std::chrono::steady_clock;

// A loaded machine gets this much on top of any time limit before a query counts as stuck.
constexpr auto kStuck = 30s;

std::string repeated(std::string_view text, int count) {
    std::string result;
    for (int i = 0; i < count; ++i) {
        result += text;
    }
    return result;
}

class JsonRows final : public RowConsumer {
  public:
    Result<void> begin(const std::vector<ColumnInfo>& columns) override {
        for (const ColumnInfo& column : columns) {
            names_.push_back(column.name);
        }
        return {};
    }
    Result<std::size_t> row(const ValueRenderer& values, std::size_t row) override {
        nlohmann::ordered_json object;
        std::string text;
        for (std::size_t i = 0; i < names_.size(); ++i) {
            text.clear();
            values.append_json(text, i, row);
            object[names_[i]] = nlohmann::ordered_json::parse(text);
            text.clear();
            values.append_text(text, i, row);
            texts.push_back(text);
        }
        rows.push_back(object);
        return object.dump().size();
    }
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    std::vector<std::string> texts;

  private:
    std::vector<std::string> names_;
};

std::set<pid_t> children() {
    std::set<pid_t> found;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream list(task.path() / "children");
        for (pid_t pid = 0; list >> pid;) {
            found.insert(pid);
        }
    }
    return found;
}

class QueryServiceTest : public testing::Test {
  protected:
    QueryServiceTest() : store_(must(DataStore::for_directory(temp_.path()))) {
        must(store_->open());
        fill(*store_);
    }

    static void fill(DataStore& store) {
        auto writer = must(store.writer());
        auto transaction = must(Transaction::begin(writer.connection()));
        must(transaction.connection().execute(
            "INSERT INTO trades.trade_data BY NAME SELECT 'A' AS block_id, DATE '2024-01-02' + "
            "CAST(i AS INTEGER) AS date_opened, i::DOUBLE AS pl, i::DOUBLE AS net_pl, 1 AS "
            "num_contracts, 'S' || (i % 3) AS strategy, i + 2 AS source_line, "
            "'net_includes_fees' AS pl_basis FROM range(100) r(i)"));
        must(transaction.commit());
    }

    Result<QueryOutcome> ask(DataStore& store, std::string_view sql, RowConsumer& rows,
                             const QueryLimits& limits = {}, const CancelToken& cancel = {}) {
        Connection connection = must(store.reader());
        must(connection.execute("SET search_path = 'trades,market,main'"));
        return store.queries().run(connection, sql, limits, rows, cancel);
    }
    Result<std::string> ask(std::string_view sql, const QueryLimits& limits = {},
                            const CancelToken& cancel = {}) {
        JsonRows rows;
        TB_TRY([[maybe_unused]] const QueryOutcome outcome,
               ask(*store_, sql, rows, limits, cancel));
        return rows.rows.dump();
    }

    // The worker processes there are now: children that other tests may have left are none.
    [[nodiscard]] std::set<pid_t> workers() const {
        std::set<pid_t> found = children();
        std::erase_if(found, [&](pid_t pid) { return before_.contains(pid); });
        return found;
    }

    const std::set<pid_t> before_ = children();
    ::tb::test::TempDir temp_;
    std::shared_ptr<DataStore> store_;
};

TEST_F(QueryServiceTest, BoundedStatementsRunHere) {
    EXPECT_EQ(must(ask("SELECT sum(pl) AS s, count(*) AS n FROM trade_data")),
              R"([{"s":4950,"n":100}])");
    EXPECT_EQ(store_->queries().worker_runs(), 0U);
}

TEST_F(QueryServiceTest, AWorkerGivesTheSameRowsAsTheEngineHere) {
    const std::string values =
        "SELECT * FROM (VALUES (1, 'a\"b', 1.5::DOUBLE, DATE '2024-01-02', NULL, true, [1, 2], "
        "{'x': 'y', 'n': NULL}, MAP {'k': 1}, 'nan'::DOUBLE, TIME '09:30:00', "
        "union_value(t := 'u'), union_value(t := NULL::VARCHAR), 123456789012345678::BIGINT, "
        "1.50::DECIMAL(9,2), '\xE2\x80\x8B'), (2, '', -0.0, NULL, NULL, NULL, NULL, NULL, NULL, "
        "1, NULL, NULL, NULL, NULL, NULL, NULL)) v";
    JsonRows here;
    JsonRows there;
    Connection connection = must(store_->reader());
    const QueryOutcome expected = must(run_query(connection, values, {}, here));
    const QueryOutcome outcome = must(ask(*store_, values, there));
    EXPECT_EQ(store_->queries().worker_runs(), 1U);
    EXPECT_EQ(there.rows, here.rows);
    EXPECT_EQ(there.texts, here.texts);
    EXPECT_EQ(outcome.row_count, 2);
    EXPECT_EQ(outcome.non_finite, expected.non_finite);
    EXPECT_EQ(outcome.non_finite, 1);
    ASSERT_EQ(outcome.columns.size(), expected.columns.size());
    for (std::size_t i = 0; i < outcome.columns.size(); ++i) {
        EXPECT_EQ(outcome.columns[i].name, expected.columns[i].name);
        EXPECT_EQ(outcome.columns[i].type, expected.columns[i].type);
        EXPECT_EQ(outcome.columns[i].type_name, expected.columns[i].type_name);
    }
}

TEST_F(QueryServiceTest, AWorkerKeepsTheLimitsOnRowsAndBytes) {
    JsonRows rows;
    const QueryOutcome few =
        must(ask(*store_, "SELECT list_value(pl) AS l FROM trade_data", rows, {.max_rows = 7}));
    EXPECT_EQ(few.row_count, 7);
    EXPECT_TRUE(few.truncated);
    EXPECT_FALSE(few.stopped_by_bytes);
    JsonRows exact;
    const QueryOutcome all =
        must(ask(*store_, "SELECT list_value(pl) AS l FROM trade_data", exact, {.max_rows = 100}));
    EXPECT_EQ(all.row_count, 100);
    EXPECT_FALSE(all.truncated);
    JsonRows some;
    const QueryOutcome cut = must(
        ask(*store_, "SELECT repeat('x', 1000) AS t FROM range(100)", some, {.max_bytes = 10'000}));
    EXPECT_TRUE(cut.truncated);
    EXPECT_TRUE(cut.stopped_by_bytes);
    EXPECT_EQ(cut.row_count, 9);
    const auto huge = ask("SELECT repeat('x', 20000) AS t", {.max_bytes = 10'000});
    ASSERT_FALSE(huge.has_value());
    EXPECT_EQ(huge.error().code, ErrorCode::kResourceExhausted);
}

TEST_F(QueryServiceTest, AWorkerSeesWhatIsCommitted) {
    const std::string_view sum = "SELECT list_sum(list(pl)) AS s FROM trade_data";
    EXPECT_EQ(must(ask(sum)), R"([{"s":4950}])");
    {
        auto writer = must(store_->writer());
        must(writer.connection().execute("UPDATE trades.trade_data SET pl = 1 WHERE pl = 0"));
    }
    EXPECT_EQ(must(ask(sum)), R"([{"s":4951}])");
    {
        auto writer = must(store_->writer());
        must(store_->checkpoint(writer));
    }
    EXPECT_EQ(must(ask(sum)), R"([{"s":4951}])");
    EXPECT_EQ(
        must(ask("SELECT count(*) AS n, list_value(1) AS l FROM analytics.trades.trade_data")),
        R"([{"n":100,"l":[1]}])");
    EXPECT_EQ(store_->queries().worker_runs(), 4U);
}

TEST_F(QueryServiceTest, AWorkerSeesTheStandInInMemory) {
    const ::tb::test::TempDir other;
    const auto store = must(DataStore::for_directory(other.path()));
    must(store->open_stand_in("for a test"));
    fill(*store);
    for (int again = 0; again < 2; ++again) {
        JsonRows rows;
        must(ask(*store, "SELECT list_sum(list(pl)) AS s FROM trade_data", rows));
        EXPECT_EQ(rows.rows.dump(), R"([{"s":4950}])");
    }
    EXPECT_EQ(store->queries().worker_runs(), 2U);
}

// What overflows the engine's stack, alone or as stored text.
TEST_F(QueryServiceTest, NestedTextEndsOnlyItsWorker) {
    for (const std::string_view sql :
         {"SELECT json_contains(repeat('[',40000)||repeat(']',40000),'1')",
          "SELECT json_structure((repeat('[',40000)||repeat(']',40000))::JSON)",
          "SELECT json_merge_patch(repeat('{\"a\":',9000)||'1'||repeat('}',9000), "
          "repeat('{\"a\":',9000)||'2'||repeat('}',9000))",
          "SELECT json_structure(repeat('{\"a\":', 12000) || '1' || repeat('}', 12000))",
          "SELECT (repeat('[',40000)||repeat(']',40000))::JSON[]",
          "SELECT json_keys(repeat('[',40000)||repeat(']',40000))",
          "SELECT json_transform(repeat('[',40000)||repeat(']',40000), '[\"VARCHAR\"]')"}) {
        const auto outcome = ask(sql, {.timeout = 20s});
        if (!outcome.has_value()) {
            EXPECT_THAT(
                outcome.error().code,
                AnyOf(ErrorCode::kDatabase, ErrorCode::kResourceExhausted, ErrorCode::kInterrupted))
                << sql << outcome.error().message;
        }
        EXPECT_EQ(must(ask("SELECT sum(pl) AS s FROM trade_data")), R"([{"s":4950}])") << sql;
    }
    const auto crash = ask("SELECT json_contains(repeat('[',40000)||repeat(']',40000),'1')");
    ASSERT_FALSE(crash.has_value());
    EXPECT_THAT(crash.error().message, HasSubstr("this query ended its worker process"));
    EXPECT_THAT(crash.error().message, HasSubstr("other queries are unaffected"));
}

TEST_F(QueryServiceTest, OneCallThatNobodyCanInterruptEndsAtTheLimit) {
    for (const std::string& sql :
         {std::string("SELECT repeat('a',60) ILIKE '%a%a%a%a%a%a%a%a%a%a%a%b'"),
          std::string("SELECT repeat('a',60) LIKE '%a_a%a%a_%a%a%a%_a%a%a%a%b'"),
          std::string("SELECT repeat('a',60) GLOB '*a*a*a*a*a*a*a*a*a*a*a*b'"),
          std::string("SELECT '" + repeated("a", 60) + "' ILIKE '%a%a%a%a%a%a%a%a%a%a%a%b'"),
          std::string("SELECT max(x) FROM (SELECT '" + repeated("a", 200) +
                      "' || range AS x FROM range(3)) WHERE x NOT ILIKE '%a%a%a%a%a%a%a%a%a%b'")}) {
        const auto started = SteadyClock::now();
        const auto outcome = ask(sql, {.timeout = 500ms});
        const auto took = SteadyClock::now() - started;
        ASSERT_FALSE(outcome.has_value()) << sql;
        EXPECT_EQ(outcome.error().code, ErrorCode::kInterrupted) << outcome.error().message;
        EXPECT_THAT(outcome.error().message, HasSubstr("stopped after 0.5 s"));
        EXPECT_LT(took, kStuck) << sql;
    }
}

TEST_F(QueryServiceTest, ValuesThatGrowWithoutLiteralsTakeNoMemoryHere) {
    for (const std::string_view sql :
         {"SELECT length(repeat('x', reverse('0000000002')::BIGINT))",
          "SELECT length(list_resize([1],(hash('x')>>34)::BIGINT,0))",
          "SELECT length(lpad('x', reverse('000000002')::INTEGER, 'y'))",
          "SELECT length(string_agg(x, '')) FROM (SELECT repeat('x', 60000) AS x FROM "
          "range(1000000))"}) {
        const auto started = SteadyClock::now();
        const auto outcome = ask(sql, {.timeout = 10s});
        EXPECT_LT(SteadyClock::now() - started, 10s + kStuck) << sql;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        // A sanitizer needs all addresses, so there is no limit on them: a worker may get through.
        if (outcome.has_value()) {
            continue;
        }
#endif
        ASSERT_FALSE(outcome.has_value()) << sql;
        EXPECT_THAT(outcome.error().code, AnyOf(ErrorCode::kDatabase, ErrorCode::kResourceExhausted,
                                                ErrorCode::kInterrupted))
            << sql << ": " << outcome.error().message;
    }
    rusage usage{};
    ASSERT_EQ(::getrusage(RUSAGE_CHILDREN, &usage), 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    // The default limit of 512 MB and 256 MB; measured in kilobytes.
    EXPECT_LT(usage.ru_maxrss, (512 + 256) * 1024) << "a worker's peak";
    ASSERT_EQ(::getrusage(RUSAGE_SELF, &usage), 0);
    EXPECT_LT(usage.ru_maxrss, (512 + 256) * 1024) << "our own peak";
#endif
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// The engine does not count the texts that min() keeps, one for each of a billion groups.
TEST_F(QueryServiceTest, AStatementThatOutgrowsThisProcessIsStopped) {
    const auto outcome =
        ask("SELECT min('a text of some length ' || a.range::VARCHAR) FROM range(100000) a, "
            "range(100000) b GROUP BY a.range * b.range, random()",
            {.timeout = 100s});
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().code, ErrorCode::kResourceExhausted) << outcome.error().message;
    EXPECT_EQ(store_->queries().worker_runs(), 0U);
    rusage usage{};
    ASSERT_EQ(::getrusage(RUSAGE_SELF, &usage), 0);
    EXPECT_LT(usage.ru_maxrss, (512 + 256) * 1024);
    EXPECT_EQ(must(ask("SELECT sum(pl) AS s FROM trade_data")), R"([{"s":4950}])");
}
#endif

TEST_F(QueryServiceTest, SlowQueriesDoNotHoldOthersUp) {
    std::vector<std::future<bool>> slow;
    for (int i = 0; i < 6; ++i) {
        slow.push_back(std::async(std::launch::async, [&] {
            return ask("SELECT repeat('a',60) ILIKE '%a%a%a%a%a%a%a%a%a%a%a%b'", {.timeout = 2s})
                .has_value();
        }));
    }
    EXPECT_EQ(must(ask("SELECT sum(pl) AS s FROM trade_data", {.timeout = 60s})),
              R"([{"s":4950}])");
    for (auto& outcome : slow) {
        EXPECT_FALSE(outcome.get());
    }
}

TEST_F(QueryServiceTest, CancellingEndsTheWorkerAtOnce) {
    CancelSource source;
    std::thread canceller([&] {
        std::this_thread::sleep_for(200ms);
        source.cancel();
    });
    const auto outcome =
        ask("SELECT repeat('a',60) ILIKE '%a%a%a%a%a%a%a%a%a%a%a%b'", {}, source.token());
    canceller.join();
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().code, ErrorCode::kInterrupted);
    EXPECT_THAT(outcome.error().message, HasSubstr("cancelled"));
}

TEST_F(QueryServiceTest, AWorkerKilledFromOutsideIsAnErrorThatSaysSo) {
    std::thread killer([&] {
        // The query is at work once its worker has used some processor time.
        const auto until = SteadyClock::now() + kStuck;
        while (SteadyClock::now() < until) {
            for (const pid_t pid : workers()) {
                std::ifstream stat(fmt::format("/proc/{}/stat", pid));
                std::string word;
                std::vector<std::string> words;
                while (stat >> word) {
                    words.push_back(word);
                }
                if (words.size() > 14 && std::stol(words[13]) > 60) {
                    ::kill(pid, SIGKILL);
                    return;
                }
            }
            std::this_thread::sleep_for(20ms);
        }
    });
    const auto outcome =
        ask("SELECT repeat('a',60) ILIKE '%a%a%a%a%a%a%a%a%a%a%a%b'", {.timeout = 60s});
    killer.join();
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().code, ErrorCode::kDatabase) << outcome.error().message;
    EXPECT_THAT(outcome.error().message, HasSubstr("killed from outside"));
    EXPECT_EQ(must(ask("SELECT list_sum(list(pl)) AS s FROM trade_data")), R"([{"s":4950}])");
}

TEST_F(QueryServiceTest, ErrorsOfTheEngineComeThroughWithTheirAdvice) {
    const auto unknown = ask("SELECT list_value(nothing) FROM trade_data");
    ASSERT_FALSE(unknown.has_value());
    EXPECT_EQ(unknown.error().code, ErrorCode::kDatabase);
    EXPECT_THAT(unknown.error().message, HasSubstr("DESCRIBE trades.trade_data"));
    const auto refused = ask("SELECT * FROM read_csv('/etc/passwd')");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
}

TEST_F(QueryServiceTest, NothingIsLeftBehind) {
    must(ask("SELECT list_value(1)"));
    store_->queries().release();
    EXPECT_TRUE(workers().empty());
    for (const auto& entry : std::filesystem::directory_iterator(temp_.path())) {
        EXPECT_THAT(entry.path().filename().string(), testing::StartsWith("analytics.duckdb"));
    }
}

TEST_F(QueryServiceTest, AnIdleServiceLetsItsWorkerGo) {
    QueryService service(*store_, 50ms);
    Connection connection = must(store_->reader());
    JsonRows rows;
    must(service.run(connection, "SELECT list_value(1)", {}, rows));
    const auto until = SteadyClock::now() + kStuck;
    while (!workers().empty() && SteadyClock::now() < until) {
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_TRUE(workers().empty());
    JsonRows again;
    must(service.run(connection, "SELECT list_value(1)", {}, again));
    EXPECT_EQ(again.rows.size(), 1U);
}

}  // namespace
}  // namespace tb::db
