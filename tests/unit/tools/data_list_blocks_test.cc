// list_blocks and get_block_info: what there is, in which order, and what could not be read.
#include "tool_support.h"

namespace tb::tools {
namespace {

using mcp::Json;

std::vector<std::string> ids_of(const Json& answer) {
    std::vector<std::string> ids;
    for (const Json& block : answer["blocks"]) {
        ids.push_back(block["id"].get<std::string>());
    }
    return ids;
}

class ListBlocks : public ToolTest {};

TEST_F(ListBlocks, RealBlocksHaveTheirGoldenFigures) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json answer = json_of("list_blocks");
    ASSERT_EQ(ids_of(answer), (std::vector<std::string>{"EMA Test Data", "MEIC Test Data"}));
    const Json& ema = answer["blocks"][0];
    EXPECT_EQ(ema["tradeCount"], 384);
    EXPECT_EQ(ema["dateRange"], (Json{{"start", "2025-01-02"}, {"end", "2025-10-08"}}));
    EXPECT_EQ(ema["strategies"], Json::array({"0DTE CCS - EMA Entry", "0DTE PCS - EMA Entry"}));
    EXPECT_EQ(ema["totalPl"], 19735);
    EXPECT_EQ(ema["netPl"], 19735);
    EXPECT_EQ(ema["reportingLog"]["tradeCount"], 384);
    EXPECT_EQ(ema["reportingLog"]["strategyCount"], 2);
    EXPECT_NEAR(ema["reportingLog"]["totalPL"].get<double>(), -36331386, 1e-9 * 36331386);
    EXPECT_EQ(ema["reportingLog"]["dateRange"],
              (Json{{"start", "2025-01-02"}, {"end", "2025-10-08"}}));
    const Json& meic = answer["blocks"][1];
    EXPECT_EQ(meic["tradeCount"], 532);
    EXPECT_NEAR(meic["netPl"].get<double>(), 408.08, 1e-9 * 408.08);
    EXPECT_EQ(meic["strategies"], Json::array({"MEIC Test Data"}));
    EXPECT_EQ(meic["dateRange"]["end"], "2025-11-21");
    EXPECT_EQ(meic["reportingLog"]["tradeCount"], 26);
    EXPECT_NEAR(meic["reportingLog"]["totalPL"].get<double>(), -2045.51436, 1e-9 * 2046);
    EXPECT_TRUE(meic["hasDailyLog"].get<bool>() && meic["hasReportingLog"].get<bool>());
    EXPECT_EQ(answer["syncInfo"]["blocksProcessed"], 2);
    EXPECT_EQ(answer["syncInfo"]["blocksSynced"], 2);
    EXPECT_FALSE(answer.contains("syncErrors"));
    const Json again = json_of("list_blocks");
    EXPECT_EQ(again["blocks"], answer["blocks"]);
    EXPECT_EQ(again["syncInfo"]["blocksUnchanged"], 2);
}

TEST_F(ListBlocks, RealBlockInfoHasItsCounts) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json meic = json_of("get_block_info", {{"blockId", "MEIC Test Data"}});
    EXPECT_EQ(meic["tradeCount"], 532);
    EXPECT_EQ(meic["dailyLogCount"], 192);
    EXPECT_EQ(meic["reportingLogCount"], 26);
    EXPECT_EQ(meic["strategies"], Json::array({"MEIC Test Data"}));
    EXPECT_EQ(meic["dateRange"], (Json{{"start", "2025-01-03"}, {"end", "2025-11-21"}}));
    EXPECT_EQ(meic["dataVersion"].get<std::string>().substr(0, 16), "9644e00c110e9ef9");
}

TEST_F(ListBlocks, SortsFiltersAndPages) {
    write_block("beta", "2024-01-02,10:00:00,a,1,2024-01-02,11:00:00,50,1,10,Iron Fly,1,1,x,SPX\n");
    write_block("Alpha",
                "2024-03-02,10:00:00,a,1,2024-03-02,11:00:00,-70,1,10,Condor,1,1,x,SPX\n"
                "2024-02-02,10:00:00,a,1,2024-02-02,11:00:00,10,1,10,,1,1,x,SPX\n");
    write_block("_no block", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    write_block("gamma2", "");
    dir_.write("gamma2/dailylog.csv", "Date,Net Liquidity,P/L,Drawdown %\n2024-01-02,100,1,0\n");
    EXPECT_EQ(ids_of(json_of("list_blocks")),
              (std::vector<std::string>{"Alpha", "beta", "gamma2"}));
    EXPECT_EQ(ids_of(json_of("list_blocks", {{"sortOrder", "desc"}})),
              (std::vector<std::string>{"gamma2", "beta", "Alpha"}));
    EXPECT_EQ(ids_of(json_of("list_blocks", {{"sortBy", "netPl"}})),
              (std::vector<std::string>{"Alpha", "gamma2", "beta"}));
    EXPECT_EQ(ids_of(json_of("list_blocks", {{"sortBy", "tradeCount"}, {"sortOrder", "desc"}})),
              (std::vector<std::string>{"Alpha", "beta", "gamma2"}));
    EXPECT_EQ(ids_of(json_of("list_blocks", {{"sortBy", "dateRange"}})),
              (std::vector<std::string>{"gamma2", "beta", "Alpha"}));
    // A blank strategy is called by the block's id.
    EXPECT_EQ(ids_of(json_of("list_blocks", {{"containsStrategy", "ALPH"}})),
              (std::vector<std::string>{"Alpha"}));
    EXPECT_EQ(ids_of(json_of("list_blocks", {{"minTrades", 1.5}})),
              (std::vector<std::string>{"Alpha"}));
    EXPECT_EQ(ids_of(json_of("list_blocks", {{"hasDailyLog", true}})),
              (std::vector<std::string>{"gamma2"}));
    EXPECT_EQ(ids_of(json_of("list_blocks", {{"hasReportingLog", true}})),
              (std::vector<std::string>{}));
    const Json first = json_of("list_blocks", {{"limit", 2}});
    EXPECT_EQ(first["totalMatching"], 3);
    EXPECT_EQ(first["count"], 2);
    EXPECT_EQ(first["nextOffset"], 2);
    const Json rest = json_of("list_blocks", {{"limit", 2}, {"offset", first["nextOffset"]}});
    EXPECT_EQ(ids_of(rest), (std::vector<std::string>{"gamma2"}));
    EXPECT_TRUE(rest["nextOffset"].is_null());
    EXPECT_EQ(rest["blocks"][0]["dateRange"], (Json{{"start", nullptr}, {"end", nullptr}}));
}

TEST_F(ListBlocks, TellsDeletedFailingAndHalfWrittenBlocks) {
    write_block("gone", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    write_block("half", "2024-01-02,10:00:00,a,1,,,60,1,10,s,1,1,x,SPX\n");
    write_block("bad", "2024-01-02,10:00:00,a,1,,,70,1,10,s,1,1,x,SPX\n");
    ASSERT_EQ(json_of("list_blocks")["count"], 3);
    std::filesystem::remove_all(dir_.path() / "gone");
    dir_.write("half/tradelog.csv", std::string(kTradeHeader) + "2024-01-03,10:00:00,b");
    dir_.write("bad/tradelog.csv", "this,is,no,trade,log\n1,2,3,4,5\n");
    const Answer answer = call("list_blocks");
    ASSERT_TRUE(answer.ok()) << answer.error;
    EXPECT_EQ(ids_of(answer.json), (std::vector<std::string>{"half"}));
    EXPECT_EQ(answer.json["blocks"][0]["netPl"], 60);
    EXPECT_EQ(answer.json["syncInfo"]["blocksDeleted"], 1);
    EXPECT_EQ(answer.json["syncInfo"]["blocksFailed"], 1);
    EXPECT_EQ(answer.json["syncInfo"]["blocksDeferred"], 1);
    ASSERT_EQ(answer.json["syncErrors"].size(), 2U);
    EXPECT_EQ(answer.json["syncErrors"][0]["blockId"], "bad");
    EXPECT_EQ(answer.json["syncErrors"][0]["status"], "error");
    EXPECT_EQ(answer.json["syncErrors"][1]["status"], "incomplete");
    EXPECT_NE(answer.text.find("FAILED 'bad'"), std::string::npos) << answer.text;
    EXPECT_NE(answer.text.find("NOT UP TO DATE 'half'"), std::string::npos) << answer.text;
}

TEST_F(ListBlocks, UnknownBlockAndWrongArgumentsAreExplained) {
    write_block("EMA Test Data", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    const Answer unknown = call("get_block_info", {{"blockId", "EMA"}});
    EXPECT_NE(unknown.error.find("did you mean 'EMA Test Data'"), std::string::npos)
        << unknown.error;
    for (const char* const path : {"../EMA Test Data", "/etc", "..", "EMA Test Data/.", "a\\b"}) {
        EXPECT_FALSE(call("get_block_info", {{"blockId", path}}).ok()) << path;
    }
    const Answer wrong = call("list_blocks", {{"limit", 101}, {"sortBy", "profit"}, {"nope", 1}});
    EXPECT_NE(wrong.error.find("limit"), std::string::npos) << wrong.error;
    EXPECT_NE(wrong.error.find("sortBy"), std::string::npos) << wrong.error;
    EXPECT_NE(wrong.error.find("nope"), std::string::npos) << wrong.error;
}

TEST_F(ListBlocks, ManyFailuresAreCountedAndSomeNamed) {
    for (int i = 0; i < 70; ++i) {
        dir_.write("bad block number " + std::to_string(100 + i) + "/tradelog.csv",
                   "this,is,no,trade,log\n1,2,3,4,5\n");
    }
    write_block("good", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    const Answer answer = call("list_blocks", Json::object(), mcp::kDefaultResultChars);
    ASSERT_TRUE(answer.ok()) << answer.error;
    EXPECT_EQ(ids_of(answer.json), (std::vector<std::string>{"good"}));
    EXPECT_EQ(answer.json["syncInfo"]["blocksFailed"], 70);
    EXPECT_EQ(answer.json["syncErrors"].size(), 20U);
    EXPECT_LE(answer.json.dump().size(), mcp::kDefaultResultChars);
    EXPECT_LE(answer.text.size(), mcp::kDefaultResultChars);
    EXPECT_NE(answer.text.find("and 50 more"), std::string::npos) << answer.text;
}

TEST_F(ListBlocks, StaysWithinItsBudgetAndSaysHowToGoOn) {
    for (int i = 0; i < 60; ++i) {
        const std::string id = "block number " + std::to_string(100 + i);
        write_block(id, "2024-01-02,10:00:00,a,1,,,5" + std::to_string(i) +
                            ",1,10,A strategy with quite a long name,1,1,x,SPX\n");
    }
    std::size_t seen = 0;
    Json offset = 0;
    int pages = 0;
    while (!offset.is_null()) {
        const Answer page = call("list_blocks", {{"offset", offset}}, 6'000);
        ASSERT_TRUE(page.ok()) << page.error;
        EXPECT_LE(page.text.size(), 6'000U);
        EXPECT_LE(page.json.dump().size(), 6'000U);
        EXPECT_EQ(page.json["totalMatching"], 60);
        seen += page.json["blocks"].size();
        offset = page.json["nextOffset"];
        ASSERT_LT(++pages, 60);
    }
    EXPECT_EQ(seen, 60U);
    EXPECT_GT(pages, 1);
}

}  // namespace
}  // namespace tb::tools
