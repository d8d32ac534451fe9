// Which statements run in this process, which elsewhere, and which never reach the engine.
#include "db/sql_bounds.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/database.h"
#include "db/sql_guard.h"
#include "db/sql_nesting.h"
#include "db_support.h"

namespace tb::db {
namespace {

using test::must;
using test::texts;

class SqlBounds : public testing::Test {
  protected:
    SqlBounds()
        : database_(must(Database::open_in_memory())), connection_(must(database_.connect())) {}

    std::string unbounded(std::string_view sql) {
        return must(guard_sql(connection_, sql)).unbounded;
    }

    Database database_;
    Connection connection_;
};

TEST_F(SqlBounds, OrdinaryQueriesOfTradersStayHere) {
    for (const std::string_view sql :
         {"SELECT 1",
          "SELECT * FROM trades.trade_data ORDER BY pl DESC LIMIT 3",
          "SELECT COUNT(*), SUM(pl), AVG(pl), MEDIAN(pl), stddev_samp(pl) FROM trades.trade_data",
          "SELECT block_id, count(*) AS n, round(sum(pl), 2) AS total FROM trades.trade_data GROUP "
          "BY block_id ORDER BY total",
          "SELECT strategy, sum(pl) FROM trades.trade_data GROUP BY ROLLUP (strategy)",
          "SELECT count(*) FILTER (WHERE pl > 0) * 100.0 / count(*) FROM trades.trade_data",
          "SELECT DISTINCT strategy FROM trades.trade_data",
          "SELECT * FROM trades.trade_data WHERE strategy ILIKE '%condor%' AND date_opened >= DATE "
          "'2024-01-01'",
          "SELECT * FROM trades.trade_data WHERE strategy LIKE '%Iron%Condor%'",
          "SELECT * FROM trades.trade_data WHERE strategy IN ('Iron Condor', 'Put Spread')",
          "SELECT date_trunc('month', date_opened) AS month, sum(pl) FROM trades.trade_data GROUP "
          "BY 1 ORDER BY 1",
          "SELECT dayname(date_opened), strftime(date_opened, '%Y-%m'), extract(year FROM "
          "date_opened) FROM trades.trade_data",
          "SELECT date_opened + INTERVAL 1 DAY, date_diff('day', date_opened, date_closed) FROM "
          "trades.trade_data",
          "SELECT sum(pl) OVER (ORDER BY date_opened ROWS UNBOUNDED PRECEDING) AS equity FROM "
          "trades.trade_data",
          "SELECT pl, lag(pl) OVER w, rank() OVER w FROM trades.trade_data WINDOW w AS (PARTITION "
          "BY strategy ORDER BY pl)",
          "SELECT * FROM trades.trade_data QUALIFY row_number() OVER (PARTITION BY strategy ORDER "
          "BY pl DESC) = 1",
          "SELECT quantile_cont(pl, 0.95) FROM trades.trade_data",
          "SELECT CASE WHEN pl > 0 THEN 'win' WHEN pl < 0 THEN 'loss' ELSE 'flat' END, count(*) "
          "FROM trades.trade_data GROUP BY 1",
          "WITH daily AS (SELECT date_opened AS d, sum(pl) AS pl FROM trades.trade_data GROUP BY "
          "1) SELECT avg(pl), median(pl) FROM daily",
          "WITH equity AS (SELECT date_opened, sum(pl) OVER (ORDER BY date_opened) AS e FROM "
          "trades.trade_data), peaks AS (SELECT *, max(e) OVER (ORDER BY date_opened) AS peak FROM "
          "equity) SELECT min(e - peak) AS drawdown FROM peaks",
          "SELECT t.date_opened, t.pl, m.VIX_Close FROM trades.trade_data t JOIN market.spx_daily "
          "m "
          "ON m.date = CAST(t.date_opened AS VARCHAR)",
          "SELECT corr(t.pl, m.VIX_Close) FROM trades.trade_data t LEFT JOIN market.spx_daily m ON "
          "m.date = strftime(t.date_opened, '%Y-%m-%d') WHERE coalesce(m.VIX_Close, 0) > 20",
          "SELECT * FROM trades.trade_data a WHERE EXISTS (SELECT 1 FROM market.spx_daily m WHERE "
          "m.date = CAST(a.date_opened AS VARCHAR))",
          "SELECT strategy || ' / ' || block_id, upper(legs), substr(legs, 1, 5), replace(legs, "
          "'STO', 'sold') FROM trades.trade_data",
          "SELECT string_agg(strategy, ', ') FROM trades.trade_data",
          "SELECT pl FROM trades.trade_data UNION SELECT 0 ORDER BY 1",
          "SELECT greatest(1, 2), coalesce(NULL, 3), nullif(1, 2), ifnull(NULL, 4), if(true, 1, 2)",
          "SELECT TRY_CAST('abc' AS DOUBLE), CAST('1.5' AS DECIMAL(10, 2)), 1::BIGINT, 2::HUGEINT",
          "SELECT now() AT TIME ZONE 'America/New_York', current_date, today()",
          "SELECT count(*) FROM range(1000000000) WHERE range % 1000000 = 0",
          "DESCRIBE trades.trade_data",
          "SHOW ALL TABLES",
          "SUMMARIZE trades.trade_data",
          "SELECT table_name, estimated_size FROM duckdb_tables() WHERE schema_name = 'trades'",
          "EXPLAIN SELECT * FROM trades.trade_data WHERE pl > 0"}) {
        EXPECT_EQ(unbounded(sql), "") << sql;
    }
}

TEST_F(SqlBounds, WhatNobodyCanBoundRunsElsewhere) {
    for (const std::string_view sql :
         {"SELECT json_contains('[1]', '1')",
          "SELECT '{}'::JSON",
          "SELECT x -> 'a' FROM (SELECT "
          "1 AS x)",
          "SELECT 'a' ILIKE '%a%a%b'",
          "SELECT 'a' LIKE '%a_a%b%c'",
          "SELECT legs LIKE strategy "
          "FROM trades.trade_data",
          "SELECT 'a' GLOB '*a'",
          "SELECT 'a' SIMILAR TO 'a'",
          "SELECT 'a' LIKE 'a' ESCAPE '!'",
          "SELECT levenshtein('a', 'b')",
          "SELECT jaccard('a', 'b')",
          "SELECT regexp_matches('a', 'a')",
          "SELECT repeat('x', 3)",
          "SELECT lpad('x', 3, 'y')",
          "SELECT format('{}', 1)",
          "SELECT printf('%d', 1)",
          "SELECT [1, 2]",
          "SELECT {'a': 1}",
          "SELECT list_resize([1], 3, 0)",
          "SELECT range(3)",
          "SELECT unnest([1, 2])",
          "SELECT * FROM json_each('[1]')",
          "SELECT * FROM repeat_row(1, num_rows=3)",
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT "
          "max(i) FROM n",
          "SELECT median(a.pl) FROM trades.trade_data a, trades.trade_data b",
          "SELECT string_agg(a.strategy, '') FROM trades.trade_data a, range(100)",
          "SELECT upper(x) FROM (SELECT string_agg(strategy, '') AS x FROM trades.trade_data)",
          "SELECT median(pl) OVER (ORDER BY pl) FROM trades.trade_data",
          "SELECT count(DISTINCT pl) OVER (ORDER BY pl) FROM trades.trade_data",
          "SELECT sum(pl) OVER (ORDER BY pl ROWS BETWEEN 5 PRECEDING AND CURRENT ROW EXCLUDE "
          "CURRENT ROW) FROM trades.trade_data",
          "SELECT arg_max(pl, pl, 1000000) FROM trades.trade_data",
          "SELECT max(pl, 1000000) FROM trades.trade_data",
          "SELECT legs || legs AS a, a || a AS b, b || b AS c, c || c AS d, d || d AS e, e || e "
          "AS f, f || f AS g FROM trades.trade_data",
          "SELECT replace(legs, 'a', 'bbbb') FROM trades.trade_data",
          "SELECT contains(legs, strategy) FROM trades.trade_data",
          "SELECT '1'::INTEGER[]",
          "SELECT '101'::BIT",
          "SELECT 'a' COLLATE NOCASE",
          "SELECT COLUMNS('pl') FROM trades.trade_data",
          "SELECT * FROM trades.trade_data USING SAMPLE 10",
          "SELECT histogram(pl) FROM trades.trade_data",
          "SELECT sum(pl) FROM trades.trade_data GROUP BY CUBE(block_id, strategy, ticker, legs)",
          "PIVOT trades.trade_data ON strategy IN ('A') USING sum(pl)"}) {
        EXPECT_NE(unbounded(sql), "") << sql;
    }
}

TEST_F(SqlBounds, LargeQueriesRunElsewhere) {
    std::string nested = "1";
    for (int i = 0; i < 60; ++i) {
        nested = "abs(" + nested + ")";
    }
    std::string joins = "SELECT count(*) FROM market.spx_daily t0";
    for (int i = 1; i < 12; ++i) {
        joins += " JOIN market.spx_daily t" + std::to_string(i) + " USING (date)";
    }
    std::string texts_made = "SELECT 1";
    for (int i = 0; i < 30; ++i) {
        texts_made += ", upper(legs)";
    }
    for (const std::string& sql :
         {"SELECT " + nested, joins, texts_made + " FROM trades.trade_data",
          "SELECT '" + std::string(300, 'x') + "'", "SELECT 1" + std::string(20'000, ' ')}) {
        EXPECT_NE(unbounded(sql), "") << sql.substr(0, 100);
    }
}

// Nothing is on the list by a slip of the pen, and nothing of the engine's that is known to be
// without bound.
TEST_F(SqlBounds, NamesOnlyFunctionsTheEngineHas) {
    std::vector<std::string> known =
        texts(connection_, "SELECT DISTINCT function_name FROM duckdb_functions()");
    for (const std::string_view window :
         {"row_number", "rank", "rank_dense", "dense_rank", "percent_rank", "cume_dist", "ntile",
          "lag", "lead", "first_value", "last_value", "nth_value"}) {
        known.emplace_back(window);  // not in the engine's own list
    }
    for (const std::string_view special : {"position", "count_star"}) {
        known.emplace_back(special);  // of the grammar
    }
    const auto bounded = detail::bounded_functions();
    EXPECT_GE(bounded.size(), 200U);
    for (const std::string_view name : bounded) {
        EXPECT_THAT(known, testing::Contains(name)) << name;
    }
    for (const std::string_view never : {"repeat",         "lpad",
                                         "rpad",           "format",
                                         "printf",         "json_contains",
                                         "json_structure", "json_merge_patch",
                                         "levenshtein",    "damerau_levenshtein",
                                         "jaccard",        "regexp_matches",
                                         "list_resize",    "range",
                                         "list_value",     "~~~",
                                         "like_escape",    "bar",
                                         "to_base64",      "bitstring",
                                         "array_resize",   "histogram",
                                         "translate",      "to_json",
                                         "struct_pack"}) {
        EXPECT_THAT(bounded, testing::Not(testing::Contains(never)));
    }
}

TEST(SqlNesting, CountsBracketsOutsideOfTextAndInside) {
    EXPECT_EQ(nesting_of("SELECT (1 + (2))").code, 2U);
    EXPECT_EQ(nesting_of("SELECT [{'a': (1)}]").code, 3U);
    EXPECT_EQ(nesting_of("SELECT CASE WHEN (a) THEN CASE WHEN 1 THEN 2 END END").code, 2U);
    EXPECT_EQ(nesting_of("SELECT '((((' , \"((((\" -- ((((\n /* (((( /* [[[ */ ( */").code, 0U);
    EXPECT_EQ(nesting_of("SELECT '((((' ").text, 4U);
    EXPECT_EQ(nesting_of("SELECT 'it''s ((' || ')'").text, 2U);
    EXPECT_EQ(nesting_of("SELECT E'\\'((', (1)").text, 2U);
    EXPECT_EQ(nesting_of("SELECT E'\\'((', (1)").code, 1U);
    EXPECT_EQ(nesting_of("SELECT $$ (( ' $$ , $a$ [[[ $$ $a$, ((1))").code, 2U);
    EXPECT_EQ(nesting_of("SELECT $$ (( ' $$ , $a$ [[[ $$ $a$, ((1))").text, 3U);
    EXPECT_EQ(nesting_of(")))((").code, 2U);
    EXPECT_EQ(nesting_of("SELECT case_x, the_end, (1)").code, 1U);
    EXPECT_EQ(nesting_of("'((").text, 2U);
}

TEST_F(SqlBounds, DeepTextsNeverReachTheEngine) {
    const auto refused = [&](const std::string& sql) {
        const auto verdict = guard_sql(connection_, sql);
        return verdict.has_value() ? ErrorCode::kInternal : verdict.error().code;
    };
    EXPECT_EQ(refused("SELECT " + std::string(300, '(') + "1" + std::string(300, ')')),
              ErrorCode::kResourceExhausted);
    EXPECT_EQ(refused("SELECT '" + std::string(20'000, '[') + std::string(20'000, ']') + "'::JSON"),
              ErrorCode::kResourceExhausted);
    std::string cases = "1";
    for (int i = 0; i < 300; ++i) {
        cases = "CASE WHEN true THEN " + cases + " END";
    }
    EXPECT_EQ(refused("SELECT " + cases), ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace tb::db
