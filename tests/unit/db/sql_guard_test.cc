#include "db/sql_guard.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/database.h"
#include "db/query_runner.h"
#include "db/schema.h"
#include "db/transaction.h"
#include "db_support.h"
#include "support/temp_dir.h"

namespace tb::db {
namespace {

using test::cell;
using test::must;
using test::texts;
using testing::AnyOf;
using testing::HasSubstr;

// The statements of a corpus file; `\n` in them is a line break.
std::vector<std::string> corpus(const std::string& name) {
    std::ifstream file(::tb::test::source_dir().string() + "/tests/unit/db/sql_guard_corpus/" +
                       name);
    EXPECT_TRUE(file.is_open()) << name;
    std::vector<std::string> statements;
    std::string line;
    while (std::getline(file, line)) {
        if (line.empty() || line.front() == '#') {
            continue;
        }
        for (std::size_t at = line.find("\\n"); at != std::string::npos;
             at = line.find("\\n", at)) {
            line.replace(at, 2, "\n");
        }
        statements.push_back(line);
    }
    return statements;
}

class SqlGuard : public testing::Test {
  protected:
    SqlGuard()
        : database_(must(Database::open(temp_.path() / "analytics.duckdb"))),
          connection_(must(database_.connect())) {
        static_cast<void>(must(ensure_schema(connection_, Timestamp{1'700'000'000'000'000})));
        must(connection_.execute(R"(
            INSERT INTO trades.trade_data BY NAME
            SELECT * FROM (VALUES
              ('A', DATE '2024-01-02', '09:35:00', 'Iron Condor', '1 P STO', 120.0, 1, 55.5,
               DATE '2024-01-02', '{"Note":"x"}', 'net_includes_fees', 55.5, 'cents', 'SPX', 2),
              ('A', DATE '2024-01-03', '10:15:00', 'Put Spread', '2 P STO', 80.0, 2, -310.25,
               DATE '2024-01-03', NULL, 'net_includes_fees', -310.25, 'cents', 'SPX', 3),
              ('B', DATE '2024-02-05', '09:32:00', 'Iron Condor', '3 C STO', 95.0, 3, 71.0,
               NULL, '{"Note":"z"}', 'net_includes_fees', 71.0, 'cents', 'SPX', 2))
              v(block_id, date_opened, time_opened, strategy, legs, premium, num_contracts, pl,
                date_closed, extra_json, pl_basis, net_pl, premium_unit, ticker, source_line);
            INSERT INTO market.spx_daily BY NAME
            SELECT * FROM (VALUES ('2024-01-02', 4742.83, 13.2), ('2024-01-03', 4704.81, 14.04),
              ('2024-02-05', 4942.81, 13.67)) v(date, Close, VIX_Close);
            INSERT INTO trades._sync_metadata
            VALUES ('A', 'aa', NULL, NULL, TIMESTAMP '2024-03-01', 1))"));
    }

    // Everything a statement could have changed.
    std::vector<std::string> fingerprint() {
        std::vector<std::string> facts = texts(
            connection_,
            "SELECT concat_ws(' ', 'table', schema_name, table_name, estimated_size, column_count) "
            "FROM duckdb_tables() UNION ALL SELECT concat_ws(' ', 'view', view_name) FROM "
            "duckdb_views() WHERE NOT internal UNION ALL SELECT concat_ws(' ', 'setting', name, "
            "value) FROM duckdb_settings() WHERE name <> 'duckdb_api' UNION ALL SELECT concat_ws(' "
            "', 'database', database_name, path) FROM duckdb_databases() UNION ALL SELECT 'logs ' "
            "|| "
            "count(*) FROM duckdb_logs() UNION ALL SELECT concat_ws(' ', 'function', "
            "function_name) "
            "FROM duckdb_functions() WHERE NOT internal UNION ALL SELECT concat_ws(' ', 'rows', "
            "count(*), sum(pl), sum(hash(t)) % 1000007) FROM trades.trade_data t ORDER BY 1");
        for (const auto& entry : std::filesystem::directory_iterator(temp_.path())) {
            facts.push_back("file " + entry.path().filename().string());
        }
        std::sort(facts.begin(), facts.end());
        return facts;
    }

    Result<GuardedSql> guard(std::string_view sql) { return guard_sql(connection_, sql); }

    ::tb::test::TempDir temp_;
    Database database_;
    Connection connection_;
};

TEST_F(SqlGuard, RefusesEveryAttackWithAHelpfulTextAndNoEffect) {
    const std::vector<std::string> attacks = corpus("attacks.sql");
    ASSERT_GE(attacks.size(), 100U);
    const auto before = fingerprint();
    for (const std::string& attack : attacks) {
        const auto verdict = guard(attack);
        ASSERT_FALSE(verdict.has_value()) << attack;
        EXPECT_THAT(verdict.error().code, AnyOf(ErrorCode::kRefused, ErrorCode::kInvalidArgument))
            << attack << "\n"
            << verdict.error().message;
        EXPECT_GE(verdict.error().message.size(), 18U) << attack << "\n" << verdict.error().message;
        EXPECT_FALSE(run_query_to_json(connection_, attack, {}).has_value()) << attack;
    }
    EXPECT_EQ(fingerprint(), before);
}

TEST_F(SqlGuard, AnswersEveryLegitimateQuery) {
    const std::vector<std::string> queries = corpus("legitimate.sql");
    ASSERT_GE(queries.size(), 60U);
    for (const std::string& query : queries) {
        const auto result = run_query_to_json(connection_, query, {});
        ASSERT_TRUE(result.has_value()) << query << "\n" << result.error().to_string();
        EXPECT_GE(result->outcome.row_count, 1) << query;
    }
}

TEST_F(SqlGuard, SaysWhatToDoInstead) {
    const auto message = [&](std::string_view sql) {
        const auto verdict = guard(sql);
        return verdict.has_value() ? "passed" : verdict.error().message;
    };
    EXPECT_THAT(message("DELETE FROM trades.trade_data"), HasSubstr("DELETE is not allowed"));
    EXPECT_THAT(message("DELETE FROM trades.trade_data"), HasSubstr("CSV files"));
    EXPECT_THAT(message("PRAGMA table_info('x')"), HasSubstr("DESCRIBE trades.trade_data"));
    EXPECT_THAT(message("SET threads = 1"), HasSubstr("settings are fixed"));
    EXPECT_THAT(message("COPY t TO 'x'"), HasSubstr("output format"));
    EXPECT_THAT(message("SELECT * FROM read_csv('a.csv')"), HasSubstr("SHOW ALL TABLES"));
    EXPECT_THAT(message("SELECT * FROM 'a.csv'"), HasSubstr("looks like a file"));
    EXPECT_THAT(message("SELECT * FROM \"trades.trade_data\""), HasSubstr("without quotes"));
    EXPECT_THAT(message("SELECT * FROM trade.trade_data"), HasSubstr("no schema \"trade\""));
    EXPECT_THAT(message("SELECT 1; SELECT 2"), HasSubstr("2 statements: send one at a time"));
    EXPECT_THAT(message("SELECT 1; DROP TABLE trades.trade_data"),
                HasSubstr("2 statements: send one at a time"));
    EXPECT_THAT(message("WITH x AS (DELETE FROM trades.trade_data RETURNING *) FROM x"),
                HasSubstr("this WITH holds or ends in something that is no query"));
    EXPECT_THAT(message("EXPLAIN ANALYZE SELECT 1"), HasSubstr("use EXPLAIN"));
    EXPECT_THAT(message("EXPLAIN (FORMAT JSON) SELECT 1"), HasSubstr("EXPLAIN has no options"));
    EXPECT_THAT(message("EXPLAIN VERBOSE SELECT 1"), HasSubstr("EXPLAIN has no options"));
    EXPECT_THAT(message("SELECT 1e999"), HasSubstr("too large: the largest is 1.79e308"));
    EXPECT_THAT(message("SELECT -1e999 FROM trades.trade_data"), HasSubstr("too large"));
    EXPECT_THAT(message("PIVOT trades.trade_data ON strategy USING sum(pl)"),
                HasSubstr("IN ('A', 'B')"));
    EXPECT_THAT(message("SELECT * FROM (PIVOT trades.trade_data ON strategy USING sum(pl))"),
                HasSubstr("IN ('A', 'B')"));
    EXPECT_THAT(message("SELECT * FROM query('SELECT 1')"), HasSubstr("write the query itself"));
    EXPECT_THAT(message("SELECT * FROM duckdb_settings()"), HasSubstr("duckdb_tables"));
    EXPECT_THAT(message("SELECT ?"), HasSubstr("write the values into the query"));
    EXPECT_THAT(message("SELEC 1"), HasSubstr("syntax error"));
    EXPECT_THAT(message(" -- nothing"), HasSubstr("empty"));
    EXPECT_THAT(message("SELECT current_setting('memory_limit')"), HasSubstr("current_setting()"));
}

TEST_F(SqlGuard, KeepsTheTextOfWhatMayRun) {
    EXPECT_EQ(must(guard(" SELECT 1 -- x")).sql, " SELECT 1 -- x");
    const GuardedSql plan = must(guard("/* a */ Explain/* b */SELECT 1"));
    EXPECT_TRUE(plan.explain);
    EXPECT_EQ(plan.sql, "EXPLAIN /* b */SELECT 1");
}

TEST_F(SqlGuard, RefusesTextThatTheEngineWouldReadOnlyInPart) {
    const auto verdict = guard(std::string_view("SELECT 1\0; DROP TABLE trades.trade_data", 37));
    ASSERT_FALSE(verdict.has_value());
    EXPECT_EQ(verdict.error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(guard("SELECT '\xFF\xFE'").has_value());
}

// Texts that would keep the engine busy, or eat its memory, before any row is read.
std::vector<std::pair<std::string, std::string>> bombs() {
    std::vector<std::pair<std::string, std::string>> list;
    std::string ctes = "WITH x0 AS (SELECT 1)";
    std::string doubling = "WITH x0 AS (SELECT * FROM trades.trade_data)";
    for (int i = 1; i < 200; ++i) {
        ctes += fmt::format(", x{} AS/**/(SELECT 1)", i);
    }
    for (int i = 1; i < 16; ++i) {
        doubling += fmt::format(", x{} AS (SELECT * FROM x{} a, x{} b)", i, i - 1, i - 1);
    }
    list.emplace_back("many common tables", ctes + " SELECT 1");
    list.emplace_back("doubling columns", doubling + " SELECT 1 FROM x15");
    std::string many_values = "1";
    for (int i = 0; i < 2000; ++i) {
        many_values += ",1";
    }
    std::string large = "WITH ";
    for (int i = 0; i < 15; ++i) {
        large += fmt::format("x{} AS MATERIALIZED (SELECT 1 IN ({})),", i, many_values);
    }
    list.emplace_back("large common tables",
                      large + " y AS (SELECT 1) SELECT 1" + std::string(9000, ' '));
    std::string stars = "trades.trade_data";
    for (int i = 0; i < 4; ++i) {
        stars = "(SELECT *,*,*,*,*,*,*,*,*,* FROM " + stars + ")";
    }
    list.emplace_back("stars of stars", "SELECT count(*) FROM " + stars);
    std::string qualified = "SELECT x.*";
    for (int i = 0; i < 200; ++i) {
        qualified += ",x.*";
    }
    list.emplace_back("many stars", qualified + " FROM trades.trade_data x");
    std::string deep = "1";
    for (int i = 0; i < 24; ++i) {
        deep = fmt::format("(SELECT max(x{}.pl) FROM trades.trade_data x{} WHERE x{}.pl = {})", i,
                           i, i, deep);
    }
    list.emplace_back("deep subqueries", "SELECT " + deep);
    std::string joins = "SELECT 1 FROM trades.trade_data t0";
    for (int i = 1; i < 150; ++i) {
        joins += fmt::format(" JOIN trades.trade_data t{} ON t{}.pl = t{}.pl", i, i, i - 1);
    }
    list.emplace_back("many joins", joins);
    std::string chain = "SELECT 1 FROM (SELECT * FROM range(2) JOIN range(2) r USING (range)) t0";
    for (int i = 1; i < 40; ++i) {
        chain += fmt::format(" JOIN range(2) t{} USING (range)", i);
    }
    list.emplace_back("tables joined at once", chain);
    std::string days;
    for (int i = 0; i < 200; ++i) {
        days += fmt::format("{}{}", i == 0 ? "" : ",", i);
    }
    list.emplace_back("wide pivot",
                      fmt::format("PIVOT trades.trade_data ON pl IN ({}), num_contracts IN ({}) "
                                  "USING sum(pl)",
                                  days, days));
    for (const std::string_view large_value :
         {"repeat('x', 4000000000)",
          "repeat(repeat('x', 10000), 10000)",
          "lpad('x', 1000000000, 'y')",
          "repeat('x', 1000 * 1000 * 1000)",
          "repeat('x', 10 ** 9)",
          "repeat('x', 1 << 30)",
          "repeat('x', '1000000000'::BIGINT)",
          "range(1000000000)",
          "generate_series(1, 100000000)",
          "list_resize([1], 1000000000)",
          "list_transform(range(10000), lambda x: range(10000))",
          "[range(10000) FOR x IN range(10000)]",
          "format('{:1000000000}', 1)",
          "printf('%1000000000d', 1)",
          "bar(1, 0, 1, 1000000000)",
          "replace(repeat('a', 50000), 'a', repeat('b', 50000))",
          "bitstring('1', 2000000000)",
          "levenshtein(repeat('ab', 5000), repeat('ba', 5000))",
          "damerau_levenshtein(repeat('ab', 5000), repeat('ba', 5000))",
          "string_split(repeat('a,', 40000), ',')",
          "bin(bin(bin(bin(bin(repeat('a', 10))))))",
          "regexp_escape(hex(to_base64(repeat('+', 50000)::BLOB)))",
          "repeat('x', length(repeat('x', 50000)) * 50000)"}) {
        list.emplace_back(large_value, fmt::format("SELECT length({}::VARCHAR)", large_value));
    }
    list.emplace_back("count from a column",
                      "WITH a AS (SELECT 4000000000 AS n) SELECT length(repeat('x', n)) FROM a");
    list.emplace_back("sum of many", "SELECT repeat('x', 60000), repeat('y', 60000)");
    list.emplace_back("long text", "SELECT 1" + std::string(100'000, ' '));
    return list;
}

TEST_F(SqlGuard, KeepsTextsAwayThatTheEngineCouldNotBound) {
    for (const auto& [name, sql] : bombs()) {
        const auto verdict = guard(sql);
        ASSERT_FALSE(verdict.has_value()) << name;
        EXPECT_EQ(verdict.error().code, ErrorCode::kResourceExhausted)
            << name << ": " << verdict.error().message;
        EXPECT_THAT(verdict.error().message, testing::ContainsRegex("limit|more than|too many"))
            << name;
    }
}

TEST_F(SqlGuard, SurvivesDeepNesting) {
    const auto repeated = [](std::string_view text, int count) {
        std::string result;
        for (int i = 0; i < count; ++i) {
            result += text;
        }
        return result;
    };
    for (const int depth : {300, 2000}) {
        for (const std::string& sql :
             {"SELECT " + repeated("(", depth) + "1" + repeated(")", depth),
              "SELECT " + repeated("NOT ", depth) + "true",
              "SELECT " + repeated("[", depth) + repeated("]", depth),
              "SELECT 1" + repeated(" + 1", depth), "SELECT " + repeated("- ", depth) + "1",
              "SELECT true" + repeated(" AND true", depth),
              "SELECT * FROM " + repeated("(SELECT * FROM ", depth) + "trades.trade_data" +
                  repeated(")", depth),
              "SELECT * FROM " + repeated("(DESCRIBE ", depth) + "SELECT 1" + repeated(")", depth),
              "SELECT 1" + repeated(" UNION ALL SELECT 1", depth),
              repeated("EXPLAIN ", depth) + "SELECT 1", "SELECT 1" + repeated(";", depth)}) {
            static_cast<void>(guard(sql));
        }
    }
    EXPECT_EQ(cell<std::int32_t>(connection_, "SELECT 1"), 1);
}

TEST_F(SqlGuard, LetsGenerousQueriesThrough) {
    std::string ctes = "WITH x0 AS (SELECT * FROM trades.trade_data)";
    for (int i = 1; i < 30; ++i) {
        ctes += fmt::format(", x{} AS (SELECT * FROM x{})", i, i - 1);
    }
    EXPECT_TRUE(guard(ctes + " SELECT * FROM x29").has_value());
    std::string values;
    for (int i = 0; i < 5000; ++i) {
        values += fmt::format("{}'2024-01-{:02}'", i == 0 ? "" : ",", i % 31);
    }
    EXPECT_TRUE(guard("SELECT * FROM trades.trade_data WHERE date_opened IN (" +
                      values.substr(0, 60'000) + "')")
                    .has_value());
    std::string joins = "SELECT * FROM market.spx_daily t0";
    for (int i = 1; i < 40; ++i) {
        joins += fmt::format(" JOIN market.spx_daily t{} USING (date)", i);
    }
    EXPECT_TRUE(guard(joins).has_value());
    std::string unions = "SELECT block_id, strategy FROM trades.trade_data";
    for (int i = 1; i < 90; ++i) {
        unions += " UNION ALL SELECT block_id, strategy FROM trades.trade_data";
    }
    EXPECT_TRUE(guard(unions).has_value());
    for (const std::string_view sql :
         {"SELECT repeat('#', CAST(pl / 100 AS INTEGER)) FROM trades.trade_data WHERE pl < 1000",
          "SELECT repeat('#', least(20, CAST(pl AS INTEGER))) FROM trades.trade_data WHERE pl < "
          "1e9",
          "SELECT bar(pl, -100000000, 100000000, 40) FROM trades.trade_data",
          "SELECT repeat(legs, 2), lpad(strategy, 30, ' '), format('{:>12.2f}', pl) FROM "
          "trades.trade_data WHERE premium < 100000000",
          "SELECT list_transform(range(100), lambda x: x * 1000000000)",
          "SELECT count(*) FROM range(1000000000) WHERE range % 1000000 = 0",
          "SELECT string_split(legs, '|'), hex(legs), bin(num_contracts), levenshtein(strategy, "
          "'a') "
          "FROM trades.trade_data WHERE premium < 100000000",
          "SELECT unnest(range(1000)), 123456789012, replace(legs, 'STO', 'sold') FROM "
          "trades.trade_data"}) {
        const auto verdict = guard(sql);
        EXPECT_TRUE(verdict.has_value()) << sql << verdict.error().message;
    }
    std::string columns = "SELECT 1";
    for (int i = 0; i < 1000; ++i) {
        columns += fmt::format(", {} AS c{}", i, i);
    }
    EXPECT_TRUE(guard(columns).has_value());
}

TEST_F(SqlGuard, IsOnlyOneLayerTheTransactionIsTheNext) {
    for (const std::string_view sql :
         {"DELETE FROM trades.trade_data", "CREATE TABLE trades.evil(a INTEGER)",
          "EXPLAIN ANALYZE DELETE FROM trades.trade_data"}) {
        Transaction transaction = must(Transaction::begin(connection_, Access::kReadOnly));
        auto outcome = connection_.execute(sql);
        EXPECT_FALSE(outcome.has_value()) << sql;
    }
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM trades.trade_data"), 3);
}

TEST_F(SqlGuard, NamesOnlyTableFunctionsTheEngineHas) {
    const std::vector<std::string> known =
        texts(connection_,
              "SELECT function_name FROM duckdb_functions() WHERE function_type LIKE 'table%'");
    for (const std::string_view name : table_functions()) {
        EXPECT_THAT(known, testing::Contains(name));
    }
}

}  // namespace
}  // namespace tb::db
