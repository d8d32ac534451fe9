// import_csv, purge_market_table, get_backtest_help: what writes, what it asks first, and paths.
#include <sys/stat.h>

#include "market/journal.h"
#include "support/file_lock.h"
#include "tool_support.h"
#include "tools/data/import_path.h"
#include "tools/registry.h"

namespace tb::tools {
namespace {

using mcp::Json;

constexpr std::string_view kTwoTrades =
    "2024-01-02,10:00:00,a,1,2024-01-02,11:00:00,50,1,10,S1,2,1,x,SPX\n"
    "2024-01-03,10:00:00,b,1,2024-01-03,11:00:00,-20,1,10,S1,2,1,x,SPX\n";

class Import : public ToolTest {
  protected:
    std::string file(std::string_view name, std::string_view rows) {
        return elsewhere_.write(name, std::string(kTradeHeader) + std::string(rows)).string();
    }
    tb::test::TempDir elsewhere_;
};

TEST_F(Import, MakesABlockThatIsListedAtOnce) {
    const std::string source = file("t.csv", kTwoTrades);
    const Json answer =
        json_of("import_csv", {{"csvPath", source}, {"blockName", "My Strategy 2024"}});
    EXPECT_EQ(answer["blockId"], "my-strategy-2024");
    EXPECT_EQ(answer["name"], "My Strategy 2024");
    EXPECT_EQ(answer["csvType"], "tradelog");
    EXPECT_EQ(answer["plBasis"], "net_includes_fees");
    EXPECT_EQ(answer["recordCount"], 2);
    EXPECT_EQ(answer["dateRange"], (Json{{"start", "2024-01-02"}, {"end", "2024-01-03"}}));
    EXPECT_EQ(answer["strategies"], Json::array({"S1"}));
    EXPECT_EQ(answer["syncInfo"]["rowsInserted"], 2);
    EXPECT_EQ(dir_.read("my-strategy-2024/tradelog.csv"),
              std::string(kTradeHeader) + std::string(kTwoTrades));
    EXPECT_EQ(json_of("list_blocks")["blocks"][0]["netPl"], 30);
    const Answer again =
        call("import_csv", {{"csvPath", source}, {"blockName", "My Strategy 2024"}});
    EXPECT_NE(again.error.find("exists already"), std::string::npos) << again.error;
}

TEST_F(Import, GrossBasisIsRemembered) {
    ASSERT_TRUE(call("import_csv",
                     {{"csvPath", file("gross.csv", kTwoTrades)}, {"plBasis", "gross_before_fees"}})
                    .ok());
    const Json block = json_of("list_blocks")["blocks"][0];
    EXPECT_EQ(block["id"], "gross");
    EXPECT_EQ(block["totalPl"], 30);
    EXPECT_EQ(block["netPl"], 24);
}

TEST_F(Import, LogsWithoutTradesSayWhatIsMissing) {
    const std::string daily =
        elsewhere_.write("d.csv", "Date,Net Liquidity,P/L,Drawdown %\n2024-01-02,100,1,0\n")
            .string();
    const Json answer = json_of("import_csv", {{"csvPath", daily}, {"blockName", "only daily"}});
    EXPECT_EQ(answer["csvType"], "dailylog");
    EXPECT_TRUE(answer["plBasis"].is_null());
    EXPECT_NE(answer["nextSteps"][0].get<std::string>().find("trade log"), std::string::npos);
    EXPECT_EQ(json_of("list_blocks")["count"], 0);
}

TEST_F(Import, UnusableFilesLeaveNothingBehind) {
    const std::string junk = elsewhere_.write("junk.csv", "a,b\n1,2\n").string();
    EXPECT_FALSE(call("import_csv", {{"csvPath", junk}, {"blockName", "x"}}).ok());
    EXPECT_FALSE(
        call("import_csv", {{"csvPath", junk}, {"blockName", "x"}, {"csvType", "tradelog"}}).ok());
    EXPECT_FALSE(std::filesystem::exists(dir_.path() / "x"));
    EXPECT_FALSE(call("import_csv", {{"csvPath", elsewhere_.path().string()}}).ok());
    EXPECT_FALSE(call("import_csv", {{"csvPath", "sub/t.csv"}}).ok());
    EXPECT_FALSE(
        call("import_csv", {{"csvPath", file("t.csv", kTwoTrades)}, {"blockName", "../"}}).ok());
}

TEST_F(Import, ARefusalNamesWhatIsMissingAndNothingOfWhatIsThere) {
    for (const char* const content :
         {"sk-secret-4711", "sk-secret-4711\n", "user,sk-secret-4711\nroot,sk-secret-4711\n",
          "Date,sk-secret-4711\n", "P/L,Strategy,sk-secret-4711\n1,A,2\n",
          "\xEF\xBB\xBFsk-secret-4711;x\n1;2\n"}) {
        const std::string source = elsewhere_.write("id_rsa", content).string();
        for (const char* const type : {"", "tradelog", "dailylog", "reportinglog"}) {
            Json arguments = {{"csvPath", source}, {"blockName", "x"}};
            if (*type != '\0') {
                arguments["csvType"] = type;
            }
            const Answer answer = call("import_csv", arguments);
            ASSERT_FALSE(answer.ok()) << content << type;
            EXPECT_EQ(answer.error.find("secret"), std::string::npos) << answer.error;
        }
    }
    const std::string source = elsewhere_.write("t.csv", "Strategy,P/L,mine\n").string();
    EXPECT_NE(call("import_csv", {{"csvPath", source}, {"csvType", "tradelog"}})
                  .error.find("lacks Date Opened; of its 3 columns only these are known: Strategy, "
                              "P/L."),
              std::string::npos);
    EXPECT_NE(call("import_csv", {{"csvPath", elsewhere_.write("u.csv", "key\nx\n").string()},
                                  {"csvType", "dailylog"}})
                  .error.find("lacks Date, Net Liquidity; of its 1 column none is known."),
              std::string::npos);
}

TEST_F(Import, BareNamesAreLookedForInTheGivenFolders) {
    const std::string source = file("deep/t.csv", kTwoTrades);
    const std::string folder = (elsewhere_.path() / "deep").string();
    EXPECT_FALSE(
        call("import_csv", {{"csvPath", "t.csv"}, {"searchPaths", {"/nonexistent"}}}).ok());
    const Json answer = json_of("import_csv", {{"csvPath", "t.csv"}, {"searchPaths", folder}});
    EXPECT_EQ(answer["sourcePath"], std::filesystem::canonical(source).string());
}

TEST_F(Import, PathsOutsideTheRootsAreRefusedWithoutSayingWhatIsThere) {
    const std::string source = file("t.csv", kTwoTrades);
    ImportPathRequest request;
    request.data_dir = dir_.path();
    request.roots = {elsewhere_.path() / "allowed"};
    std::filesystem::create_directories(elsewhere_.path() / "allowed");
    std::filesystem::create_symlink(source, elsewhere_.path() / "allowed/link.csv");
    std::vector<std::string> texts;
    for (const std::string& path :
         {source, elsewhere_.path().string() + "/missing.csv",
          elsewhere_.path().string() + "/allowed/../t.csv",
          elsewhere_.path().string() + "/allowed/link.csv", std::string("/etc/passwd")}) {
        request.path = path;
        const auto refused = resolve_import_path(request);
        ASSERT_FALSE(refused.has_value()) << path;
        EXPECT_EQ(refused.error().code, ErrorCode::kRefused) << path;
        texts.push_back(refused.error().message);
    }
    EXPECT_EQ(std::set<std::string>(texts.begin(), texts.end()).size(), 1U);
    request.path = elsewhere_.write("allowed/in.csv", "x").string();
    EXPECT_TRUE(resolve_import_path(request).has_value());
    // A folder whose name only begins like a root is not below it.
    request.path = elsewhere_.write("allowed2/in.csv", "x").string();
    EXPECT_FALSE(resolve_import_path(request).has_value());
    request.path = dir_.write("own.csv", "x").string();
    EXPECT_TRUE(resolve_import_path(request).has_value());
}

// Closing any descriptor of the database in this process drops the engine's lock on it.
TEST_F(Import, TheDatabaseIsRefusedUnderAnyNameAndItsLockStays) {
    ASSERT_TRUE(json_of("list_blocks").is_object());
    const auto database = dir_.path() / "analytics.duckdb";
    ASSERT_FALSE(tb::test::another_process_can_lock(database));
    std::filesystem::create_symlink(database, elsewhere_.path() / "link.csv");
    for (const std::filesystem::path& path :
         {database, dir_.path() / "analytics.duckdb.wal", elsewhere_.path() / "link.csv"}) {
        EXPECT_FALSE(call("import_csv", {{"csvPath", path.string()}, {"blockName", "x"}}).ok());
        EXPECT_FALSE(std::filesystem::exists(dir_.path() / "x"));
    }
    EXPECT_FALSE(tb::test::another_process_can_lock(database));
}

TEST_F(Import, NoPipesNoGiants) {
    ImportPathRequest request;
    request.path = (elsewhere_.path() / "pipe.csv").string();
    ASSERT_EQ(::mkfifo(request.path.c_str(), 0600), 0);
    const auto pipe = resolve_import_path(request);
    ASSERT_FALSE(pipe.has_value());
    EXPECT_EQ(pipe.error().code, ErrorCode::kInvalidArgument);
    request.path = elsewhere_.write("big.csv", "12345").string();
    request.max_bytes = 4;
    EXPECT_EQ(resolve_import_path(request).error().code, ErrorCode::kResourceExhausted);
    request.max_bytes = 5;
    EXPECT_TRUE(resolve_import_path(request).has_value());
}

class Purge : public ToolTest {
  protected:
    void write_market() const {
        dir_.write("_marketdata/spx_daily.csv",
                   "time,open,high,low,close\n2024-01-02,10,12,9,11\n2024-01-03,11,13,10,12\n");
    }
    std::int64_t days() {
        return json_of("run_sql",
                       {{"query", "SELECT count(*) AS n FROM market.spx_daily"}})["rows"][0]["n"]
            .get<std::int64_t>();
    }
};

TEST_F(Purge, NeedsATokenThatNamesTheTable) {
    write_market();
    ASSERT_EQ(days(), 2);
    const Answer asked = call("purge_market_table", {{"table", "spx_daily"}});
    EXPECT_NE(asked.error.find("2 days of market.spx_daily"), std::string::npos) << asked.error;
    EXPECT_NE(asked.error.find("purge market.spx_daily"), std::string::npos) << asked.error;
    for (const char* const token : {"true", "spx_daily", "purge market.vix_intraday"}) {
        EXPECT_FALSE(call("purge_market_table", {{"table", "spx_daily"}, {"confirm", token}}).ok());
    }
    EXPECT_FALSE(call("purge_market_table", {{"table", "trade_data"}}).ok());
    EXPECT_EQ(days(), 2);
}

TEST_F(Purge, PurgedRowsStayAwayUnlessTheirFileIsThere) {
    write_market();
    ASSERT_EQ(days(), 2);
    market::MarketJournal journal(dir_.path());
    ASSERT_TRUE(std::filesystem::exists(journal.path("spx_daily")));
    // A shorter export: the older day is only in the table and the journal.
    dir_.write("_marketdata/spx_daily.csv", "time,open,high,low,close\n2024-01-03,11,13,10,12\n");
    ASSERT_EQ(days(), 2);
    const Json purged = json_of("purge_market_table",
                                {{"table", "spx_daily"}, {"confirm", "purge market.spx_daily"}});
    EXPECT_EQ(purged["rowsDeleted"], 2);
    EXPECT_TRUE(purged["syncMetadataCleared"].get<bool>());
    EXPECT_TRUE(purged["fileExists"].get<bool>());
    EXPECT_FALSE(std::filesystem::exists(journal.path("spx_daily")));
    EXPECT_FALSE(journal.behind());
    EXPECT_EQ(days(), 1);  // read anew from what is there
    std::filesystem::remove(dir_.path() / "_marketdata/spx_daily.csv");
    ASSERT_TRUE(
        call("purge_market_table", {{"table", "spx_daily"}, {"confirm", "purge market.spx_daily"}})
            .ok());
    EXPECT_EQ(days(), 0);
    app_.close();
    EXPECT_EQ(days(), 0);  // nor does the journal bring them back
    const Json log =
        json_of("get_sync_history", {{"blockId", "_marketdata"}, {"event", "removed"}});
    EXPECT_EQ(log["total"], 2);
    EXPECT_EQ(log["entries"][1]["rowsRemoved"], 2);
}

// A client that shows a form and gives one answer.
class AnsweringClient final : public mcp::ClientChannel {
  public:
    explicit AnsweringClient(bool yes) : yes_(yes) {}
    void progress(const Progress&) override {}
    void log(mcp::LoggingLevel, std::string_view, const Json&) override {}
    bool can_ask(mcp::InputKind kind) const override { return kind == mcp::InputKind::kForm; }
    mcp::Outcome<std::vector<mcp::InputAnswer>> ask(
        const std::vector<mcp::InputRequest>& requests) override {
        question = requests.front().params->at("message").get<std::string>();
        return std::vector{
            mcp::InputAnswer{Json{{"action", "accept"}, {"content", {{"confirm", yes_}}}}}};
    }
    void close_stream() override {}
    std::string question;

  private:
    bool yes_;
};

TEST_F(Purge, Q10_AsksThePersonWhereTheClientCan) {
    write_market();
    ASSERT_EQ(days(), 2);
    for (const bool yes : {false, true}) {
        AnsweringClient client(yes);
        mcp::ContextOptions options;
        options.channel = &client;
        mcp::ToolContext context(std::move(options));
        const Answer answer = call("purge_market_table", {{"table", "spx_daily"}}, context);
        EXPECT_EQ(answer.ok(), yes) << answer.error;
        EXPECT_NE(client.question.find("2 days of market.spx_daily"), std::string::npos);
    }
}

TEST(StandIn, AnswersFromTheFilesSaysSoAndPurgesNothing) {
    tb::test::TempDir dir;
    dir.write("A/tradelog.csv", std::string(kTradeHeader) + std::string(kTwoTrades));
    AppOptions options;
    options.data_dir = dir.path();
    options.store.database_file = "/nonexistent/folder/analytics.duckdb";
    App app(std::move(options));
    const auto registry = make_registry(app);
    ASSERT_TRUE(registry.has_value());
    const auto call = [&](const char* tool, const Json& arguments) {
        mcp::ToolContext context;
        return mcp::call_tool(*registry->find(tool), context, arguments);
    };
    const auto list = call("list_blocks", Json::object());
    ASSERT_TRUE(list.has_value()) << list.error().message;
    EXPECT_EQ(list->structured->at("blocks")[0]["netPl"], 30);
    EXPECT_NE(list->text.find("stand-in"), std::string::npos) << list->text;
    const auto history = call("get_sync_history", Json::object());
    ASSERT_TRUE(history.has_value());
    EXPECT_NE(history->text.find("the log of past syncs is not available"), std::string::npos)
        << history->text;
    const auto purge =
        call("purge_market_table", {{"table", "spx_daily"}, {"confirm", "purge market.spx_daily"}});
    ASSERT_FALSE(purge.has_value());
    EXPECT_NE(purge.error().message.find("nothing can be purged"), std::string::npos)
        << purge.error().message;
}

TEST(ReadOnly, ToolsThatWriteAreNotThereAndRefuse) {
    tb::test::TempDir dir;
    App app({.data_dir = dir.path(), .store = {}, .read_only = true, .import_roots = {}});
    const auto registry = make_registry(app);
    ASSERT_TRUE(registry.has_value());
    EXPECT_EQ(registry->find("import_csv"), nullptr);
    EXPECT_EQ(registry->find("purge_market_table"), nullptr);
    EXPECT_NE(registry->find("list_blocks"), nullptr);
    for (const mcp::ToolSpec& spec : all_tools(app)) {
        if (spec.name == "purge_market_table") {
            mcp::ToolContext context;
            const auto refused = mcp::call_tool(
                spec, context, {{"table", "spx_daily"}, {"confirm", "purge market.spx_daily"}});
            ASSERT_FALSE(refused.has_value());
            EXPECT_NE(refused.error().message.find("read-only"), std::string::npos);
        }
    }
}

class BacktestHelp : public ToolTest {};

TEST_F(BacktestHelp, HasNineTopicsAndFindsSections) {
    const Json exits = json_of("get_backtest_help", {{"topic", "exit_conditions"}});
    EXPECT_EQ(exits["title"], "Exit Conditions");
    EXPECT_EQ(exits["availableTopics"].size(), 9U);
    for (const Json& topic : exits["availableTopics"]) {
        EXPECT_GT(
            json_of("get_backtest_help", {{"topic", topic}})["content"].get<std::string>().size(),
            200U);
    }
    const Json trailing =
        json_of("get_backtest_help", {{"topic", "exit_conditions"}, {"subtopic", "TRAILING"}});
    EXPECT_EQ(trailing["content"].get<std::string>().find("## Trailing stop"), 0U);
    EXPECT_LT(trailing["content"].get<std::string>().size(), 300U);
    const Json nothing =
        json_of("get_backtest_help", {{"topic", "exit_conditions"}, {"subtopic", "zebra"}});
    EXPECT_EQ(nothing["content"], exits["content"]);
    EXPECT_NE(call("get_backtest_help", {{"topic", "exits"}}).error.find("exit_conditions"),
              std::string::npos);
}

}  // namespace
}  // namespace tb::tools
