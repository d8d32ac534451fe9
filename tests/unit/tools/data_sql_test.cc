// run_sql and describe_database: pages, types, refusals, and a description whose examples run.
#include "db/query_runner.h"
#include "db/schema.h"
#include "tool_support.h"

namespace tb::tools {
namespace {

using mcp::Json;

class Sql : public ToolTest {
  protected:
    Json rows(const std::string& query) { return json_of("run_sql", {{"query", query}})["rows"]; }
    std::string refusal(const std::string& query) {
        return call("run_sql", {{"query", query}}).error;
    }
};

TEST_F(Sql, RealDataAnswersAsTheReferenceButWithPlainDates) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json answer = json_of(
        "run_sql", {{"query",
                     "SELECT block_id, count(*) AS n, sum(pl) AS s, min(date_opened) AS mn FROM "
                     "trades.trade_data WHERE block_id LIKE 'EMA%' GROUP BY 1"}});
    EXPECT_EQ(
        answer["rows"],
        Json::array(
            {{{"block_id", "EMA Test Data"}, {"n", 384}, {"s", 19735}, {"mn", "2025-01-02"}}}));
    EXPECT_EQ(answer["columns"][3], (Json{{"name", "mn"}, {"type", "DATE"}}));
    EXPECT_EQ(answer["totalRows"], 1);
    EXPECT_FALSE(answer["truncated"].get<bool>());
    EXPECT_EQ(answer["syncInfo"]["blocksProcessed"], 2);
}

TEST_F(Sql, S8_InfinitiesAndNanAreNullWithANote) {
    const Json answer =
        json_of("run_sql", {{"query",
                             "SELECT x, (x / 0)::FLOAT AS f FROM (VALUES ('nan'::DOUBLE), (1.5), "
                             "(NULL), ('-infinity'::DOUBLE)) t(x)"}});
    EXPECT_EQ(answer["rows"][0], (Json{{"x", nullptr}, {"f", nullptr}}));
    EXPECT_EQ(answer["rows"][1], (Json{{"x", 1.5}, {"f", nullptr}}));
    ASSERT_EQ(answer["notes"].size(), 1U) << answer.dump();
    EXPECT_EQ(answer["notes"][0], db::non_finite_note(5));
    EXPECT_FALSE(json_of("run_sql", {{"query", "SELECT NULL::DOUBLE AS x"}}).contains("notes"));
}

TEST_F(Sql, AFilteredColumnWithoutValuesIsSaid) {
    write_block("A", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    const Json answer =
        json_of("run_sql",
                {{"query", "SELECT count(*) AS n FROM trades.trade_data WHERE opening_vix > 20"}});
    EXPECT_EQ(answer["rows"][0]["n"], 0);
    ASSERT_EQ(answer["notes"].size(), 1U) << answer.dump();
    EXPECT_EQ(answer["notes"][0],
              "opening_vix has a value in 0 of 1 rows of trades.trade_data; no comparison with it "
              "is ever true");
}

TEST_F(Sql, ShortTableNamesAndShowTablesWork) {
    write_block("A", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    EXPECT_EQ(rows("SELECT count(*) AS n FROM trade_data")[0]["n"], 1);
    EXPECT_EQ(rows("SELECT count(*) AS n FROM spx_daily")[0]["n"], 0);
    const Json tables = rows("SHOW TABLES");
    std::set<std::string> names;
    for (const Json& table : tables) {
        names.insert(table["name"].get<std::string>());
    }
    EXPECT_TRUE(names.contains("trade_data") && names.contains("spx_15min"));
    EXPECT_FALSE(rows("DESCRIBE trade_data").empty());
}

TEST_F(Sql, RowsBeyondTheLimitAreAnnouncedAndPagedTo) {
    const std::string query = "SELECT range AS i FROM range(250) ORDER BY i";
    std::vector<int> seen;
    Json offset = 0;
    int pages = 0;
    while (!offset.is_null()) {
        const Json page = json_of("run_sql", {{"query", query}, {"offset", offset}});
        for (const Json& row : page["rows"]) {
            seen.push_back(row["i"].get<int>());
        }
        EXPECT_EQ(page["totalRows"].is_null(), pages < 2);
        EXPECT_EQ(page["truncated"].get<bool>(), pages < 2);
        offset = page["nextOffset"];
        ++pages;
    }
    EXPECT_EQ(pages, 3);
    ASSERT_EQ(seen.size(), 250U);
    EXPECT_EQ(seen.back(), 249);
    const Json exact = json_of("run_sql", {{"query", query}, {"limit", 250}});
    EXPECT_EQ(exact["totalRows"], 250);
    EXPECT_FALSE(exact["truncated"].get<bool>());
}

TEST_F(Sql, BudgetCutsWholeRowsAndTheNextPageGoesOn) {
    const std::string query =
        "SELECT range AS i, repeat('x', 90) AS text FROM range(300) ORDER BY i";
    std::size_t seen = 0;
    Json offset = 0;
    while (!offset.is_null()) {
        const Answer page =
            call("run_sql", {{"query", query}, {"limit", 300}, {"offset", offset}}, 8'000);
        ASSERT_TRUE(page.ok()) << page.error;
        EXPECT_LE(page.text.size(), 8'000U);
        EXPECT_LE(page.json.dump().size(), 8'000U);
        ASSERT_FALSE(page.json["rows"].empty());
        EXPECT_EQ(page.json["rows"][0]["i"].get<std::size_t>(), seen);
        EXPECT_EQ(page.json["totalRows"], 300);
        seen += page.json["rows"].size();
        offset = page.json["nextOffset"];
    }
    EXPECT_EQ(seen, 300U);
}

TEST_F(Sql, CsvTextHoldsWholeCellsWithinTheBudget) {
    const Answer answer = call("run_sql", {{"query",
                                            "SELECT 'a,\"b\"' AS \"x,y\", 1.5 AS v, NULL AS n, "
                                            "repeat('z', 300) AS l"},
                                           {"format", "csv"}});
    EXPECT_NE(answer.text.find("\"x,y\",v,n,l\n\"a,\"\"b\"\"\",1.5,," + std::string(300, 'z')),
              std::string::npos)
        << answer.text;
    const Answer many = call("run_sql",
                             {{"query",
                               "SELECT repeat('x', 190) || repeat('y', 190) AS l FROM "
                               "range(100)"},
                              {"format", "csv"}},
                             6'000);
    EXPECT_LE(many.text.size(), 6'000U);
    EXPECT_GT(many.json["rows"].size(), 3U);
    EXPECT_FALSE(many.json["nextOffset"].is_null());
}

TEST_F(Sql, EveryTypeComesAsPlainJson) {
    const Json row = rows(
        "SELECT DATE '2024-01-02' AS d, TIME '09:30:00' AS t, TIMESTAMP "
        "'2024-01-02 09:30:00' AS ts, 1.10::DECIMAL(5,2) AS dec, "
        "9007199254740993 AS big, 'NaN'::DOUBLE AS nan, [1,2] AS l, {'a': 1} AS "
        "st, INTERVAL 1 DAY AS iv")[0];
    EXPECT_EQ(row["d"], "2024-01-02");
    EXPECT_EQ(row["t"], "09:30:00");
    EXPECT_EQ(row["ts"], "2024-01-02T09:30:00");
    EXPECT_EQ(row["big"], "9007199254740993");
    EXPECT_TRUE(row["nan"].is_null());
    EXPECT_EQ(row["l"], Json::array({1, 2}));
    EXPECT_EQ(row["st"], (Json{{"a", 1}}));
    EXPECT_EQ(row["iv"], "P1D");
}

TEST_F(Sql, RefusesBeforeAnythingIsSynced) {
    write_block("A", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    for (const char* const query :
         {"DELETE FROM trades.trade_data", "SELECT 1; SELECT 2", "SELECT * FROM '/etc/passwd'",
          "SET threads = 9", "SELECT * FROM read_csv('/etc/passwd')", "SELEC 1", ""}) {
        EXPECT_FALSE(refusal(query).empty()) << query;
    }
    EXPECT_TRUE(app_.stored_block_ids().value().empty());
    EXPECT_NE(refusal("SELECT * FROM nowhere").find("trades.trade_data"), std::string::npos);
    EXPECT_NE(refusal("SELECT profit FROM trades.trade_data").find("DESCRIBE"), std::string::npos);
}

TEST_F(Sql, EndsAtItsTimeLimitAndWhenCancelled) {
    const std::string endless =
        "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range % 7 = b.range % "
        "5";
    const Answer late = call("run_sql", {{"query", endless}, {"timeoutSeconds", 1}});
    EXPECT_NE(late.error.find("stopped after 1 s"), std::string::npos) << late.error;
    CancelSource cancelled;
    mcp::ContextOptions options;
    options.cancel = cancelled.token();
    mcp::ToolContext context(std::move(options));
    cancelled.cancel();
    EXPECT_FALSE(call("run_sql", {{"query", endless}}, context).ok());
}

TEST_F(Sql, DescriptionCoversEveryTableAndCountsRows) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json answer = json_of("describe_database", {{"detail", "full"}});
    for (const db::TableSpec& table : db::all_tables()) {
        const Json& tables = answer["schemas"][std::string(table.schema)]["tables"];
        EXPECT_EQ(tables.contains(std::string(table.name)), !table.internal()) << table.name;
    }
    const Json& trades = answer["schemas"]["trades"]["tables"]["trade_data"];
    EXPECT_EQ(trades["rowCount"], 916);
    EXPECT_EQ(trades["blockBreakdown"],
              Json::array({{{"blockId", "MEIC Test Data"}, {"rowCount", 532}},
                           {{"blockId", "EMA Test Data"}, {"rowCount", 384}}}));
    EXPECT_EQ(answer["schemas"]["trades"]["tables"]["reporting_data"]["rowCount"], 410);
    EXPECT_EQ(trades["columns"].size(), db::table_spec("trades", "trade_data").columns.size());
    for (const Json& column : trades["columns"]) {
        if (column["name"] == "pl") {
            EXPECT_EQ(column["type"], "DOUBLE");
            EXPECT_FALSE(column["nullable"].get<bool>());
            EXPECT_TRUE(column["hypothesis"].get<bool>());
        }
        if (column["name"] == "legs") {
            EXPECT_FALSE(column["hypothesis"].get<bool>());
        }
    }
    EXPECT_EQ(answer["syncInfo"]["blocksProcessed"], 2);
}

TEST_F(Sql, DescriptionFitsItsBudgetAndGivesASingleTableInFull) {
    write_block("A", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    const Answer all = call("describe_database", {{"detail", "full"}}, mcp::kDefaultResultChars);
    ASSERT_TRUE(all.ok());
    EXPECT_LE(all.text.size(), mcp::kDefaultResultChars);
    EXPECT_LE(all.json.dump().size(), mcp::kDefaultResultChars);
    // What holds rows is described first.
    EXPECT_FALSE(all.json["schemas"]["trades"]["tables"]["trade_data"]["columns"].empty());
    const Json one =
        call("describe_database", {{"table", "market.spx_15min"}}, mcp::kDefaultResultChars).json;
    ASSERT_EQ(one["schemas"].size(), 1U);
    EXPECT_EQ(one["schemas"]["market"]["tables"]["spx_15min"]["columns"].size(), 40U);
    EXPECT_NE(call("describe_database", {{"table", "market.spx_15"}}).error.find("spx_15min"),
              std::string::npos);
}

TEST_F(Sql, DescriptionIsBriefAtFirst) {
    write_block("A", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    const Answer brief = call("describe_database", Json::object(), mcp::kDefaultResultChars);
    ASSERT_TRUE(brief.ok());
    EXPECT_LE(brief.text.size(), 4'000U);
    EXPECT_LE(brief.json.dump().size(), 4'000U);
    const Json& trades = brief.json["schemas"]["trades"]["tables"]["trade_data"];
    EXPECT_EQ(trades["rowCount"], 1);
    EXPECT_EQ(trades["columnNames"].size(), db::table_spec("trades", "trade_data").columns.size());
    for (const db::ColumnSpec& column : db::table_spec("trades", "trade_data").columns) {
        EXPECT_NE(brief.text.find(column.name), std::string::npos) << column.name;
    }
    EXPECT_NE(brief.text.find("detail full"), std::string::npos);
}

TEST_F(Sql, AStatementCannotEndTheServerOrStallIt) {
    write_block("A", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    for (const char* const sql : {"SELECT json_contains(repeat('[',40000)||repeat(']',40000),'1')",
                                  "SELECT repeat('a',60) ILIKE '%a%a%a%a%a%a%a%a%a%a%a%b'",
                                  "SELECT repeat('x', reverse('0000000002')::BIGINT)",
                                  "SELECT list_resize([1],(hash('x')>>34)::BIGINT,0)"}) {
        const Answer answer = call("run_sql", {{"query", sql}, {"timeoutSeconds", 1}});
        EXPECT_FALSE(answer.ok()) << sql;
        EXPECT_FALSE(answer.error.empty()) << sql;
        EXPECT_EQ(json_of("run_sql", {{"query", "SELECT sum(pl) AS s FROM trade_data"}})["rows"],
                  Json::parse(R"([{"s":50}])"))
            << sql;
    }
}

TEST_F(Sql, TellsHowLongAQueryHasBeenRunning) {
    struct Listener final : mcp::ClientChannel {
        void progress(const Progress& progress) override {
            const std::lock_guard lock(mutex);
            seen.push_back(progress);
        }
        void log(mcp::LoggingLevel, std::string_view, const Json&) override {}
        bool can_ask(mcp::InputKind) const override { return false; }
        mcp::Outcome<std::vector<mcp::InputAnswer>> ask(
            const std::vector<mcp::InputRequest>&) override {
            return std::vector<mcp::InputAnswer>();
        }
        void close_stream() override {}
        std::mutex mutex;
        std::vector<Progress> seen;
    };
    Listener listener;
    mcp::ContextOptions options;
    options.channel = &listener;
    mcp::ToolContext context(std::move(options));
    const std::string slow =
        "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range % 7 = b.range";
    EXPECT_FALSE(call("run_sql", {{"query", slow}, {"timeoutSeconds", 3}}, context).ok());
    const std::lock_guard lock(listener.mutex);
    std::size_t seconds = 0;
    for (const Progress& progress : listener.seen) {
        seconds += progress.unit == "seconds" ? 1 : 0;
    }
    EXPECT_GE(seconds, 1U);
    EXPECT_EQ(listener.seen.back().total, 3U);
}

TEST_F(Sql, EveryExampleOfTheDescriptionRuns) {
    write_block("my-block", "2024-01-02,10:00:00,a,1,2024-01-02,11:00:00,50,1,10,s,1,1,x,SPX\n");
    const Json examples = json_of("describe_database", {{"detail", "full"}})["examples"];
    std::size_t count = 0;
    for (const Json& group : examples) {
        for (const Json& example : group) {
            const Answer answer = call("run_sql", {{"query", example["sql"]}});
            EXPECT_TRUE(answer.ok()) << example.dump() << "\n" << answer.error;
            ++count;
        }
    }
    EXPECT_GE(count, 16U);
}

}  // namespace
}  // namespace tb::tools
