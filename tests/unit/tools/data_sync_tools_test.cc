// sync, get_sync_history, get_data_issues: what a sync did, what changed when, what was unusable.
#include <set>
#include <string>

#include <fmt/format.h>

#include "tool_support.h"

namespace tb::tools {
namespace {

using mcp::Json;

constexpr std::string_view kGood =
    "2024-01-02,10:00:00,a,1,2024-01-02,11:00:00,50,1,10,s,1,1,x,SPX\n";

class SyncTools : public ToolTest {};

TEST_F(SyncTools, ReportTellsEveryFile) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json report = json_of("sync");
    EXPECT_EQ(report["blocksSynced"], 2);
    EXPECT_EQ(report["rowsInserted"], 384 + 192 + 384 + 532 + 192 + 26);
    ASSERT_EQ(report["blocks"].size(), 2U);
    const Json& ema = report["blocks"][0];
    EXPECT_EQ(ema["status"], "synced");
    EXPECT_EQ(ema["tradeCount"], 384);
    EXPECT_EQ(ema["files"].size(), 3U);
    EXPECT_EQ(ema["files"][0]["rowsAdded"], 384);
    EXPECT_EQ(report["blocksOmitted"], 0);
    const Json one = json_of("sync", {{"blockId", "EMA Test Data"}, {"verify", true}});
    EXPECT_EQ(one["blocksProcessed"], 1);
    EXPECT_EQ(one["blocksUnchanged"], 1);
    EXPECT_EQ(one["blocks"][0]["blockId"], "EMA Test Data");
}

TEST_F(SyncTools, FailingBlockComesFirstWithItsReason) {
    write_block("a good one", kGood);
    dir_.write("b bad/tradelog.csv", "this,is,no,trade,log\n1,2,3,4,5\n");
    const Answer answer = call("sync");
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer.json["blocksFailed"], 1);
    EXPECT_EQ(answer.json["errors"][0]["blockId"], "b bad");
    EXPECT_NE(answer.text.find("b bad | error"), std::string::npos) << answer.text;
    const Answer again = call("sync");
    EXPECT_EQ(again.json["blocks"][0]["blockId"], "b bad");  // the unchanged one comes after it
    EXPECT_EQ(again.json["blocksUnchanged"], 1);
    const Answer unknown = call("sync", {{"blockId", "a god one"}});
    EXPECT_NE(unknown.error.find("a good one"), std::string::npos) << unknown.error;
}

TEST_F(SyncTools, ReportStaysWithinItsBudget) {
    for (int i = 0; i < 40; ++i) {
        write_block("block " + std::to_string(10 + i), kGood);
    }
    const Answer answer = call("sync", Json::object(), 6'000);
    ASSERT_TRUE(answer.ok());
    EXPECT_LE(answer.text.size(), 6'000U);
    EXPECT_LE(answer.json.dump().size(), 6'000U);
    EXPECT_EQ(answer.json["blocks"].size() + answer.json["blocksOmitted"].get<std::size_t>(), 40U);
}

TEST_F(SyncTools, HistoryHasEveryChangeNewestFirst) {
    write_block("A", kGood);
    ASSERT_TRUE(call("sync").ok());
    write_block("A", std::string(kGood) +
                         "2024-01-03,10:00:00,b,1,2024-01-03,11:00:00,-5,1,10,s,1,1,x,SPX\n");
    const Answer changed = call("get_sync_history", {{"blockId", "A"}});  // syncs by itself
    ASSERT_TRUE(changed.ok()) << changed.error;
    ASSERT_EQ(changed.json["entries"].size(), 2U);
    const Json& newest = changed.json["entries"][0];
    EXPECT_EQ(newest["event"], "changed");
    EXPECT_EQ(newest["rowsAdded"], 1);
    EXPECT_EQ(newest["rowsKept"], 1);
    EXPECT_EQ(newest["oldHash"], changed.json["entries"][1]["newHash"]);
    std::filesystem::remove_all(dir_.path() / "A");
    write_block("B", kGood);
    const Json gone = json_of("get_sync_history", {{"blockId", "A"}, {"event", "removed"}});
    EXPECT_EQ(gone["total"], 1);
    EXPECT_EQ(gone["entries"][0]["rowsRemoved"], 2);
    const Json all = json_of("get_sync_history");
    EXPECT_EQ(all["total"], 4);
}

TEST_F(SyncTools, HistoryPagesToTheEnd) {
    for (int i = 0; i < 23; ++i) {
        write_block("block " + std::to_string(10 + i), kGood);
    }
    std::set<std::int64_t> ids;
    Json arguments = {{"limit", 10}};
    while (true) {
        const Json page = json_of("get_sync_history", arguments);
        EXPECT_EQ(page["total"], 23);
        for (const Json& entry : page["entries"]) {
            EXPECT_TRUE(ids.insert(entry["id"].get<std::int64_t>()).second);
        }
        if (page["nextBefore"].is_null()) {
            break;
        }
        arguments["before"] = page["nextBefore"];
    }
    EXPECT_EQ(ids.size(), 23U);
    const Answer cut = call("get_sync_history", Json::object(), 5'000);
    EXPECT_LE(cut.json.dump().size(), 5'000U);
    EXPECT_LE(cut.text.size(), 5'000U);
    EXPECT_FALSE(cut.json["nextBefore"].is_null());
}

TEST_F(SyncTools, HistorySinceADayOrAnInstant) {
    write_block("A", kGood);
    EXPECT_EQ(json_of("get_sync_history", {{"since", "2020-01-01"}})["total"], 1);
    EXPECT_EQ(json_of("get_sync_history", {{"since", "2100-01-01"}})["total"], 0);
    EXPECT_EQ(json_of("get_sync_history", {{"since", "2020-01-01T10:00:00.5Z"}})["total"], 1);
    // As precise as what it is compared with.
    const Json all = json_of("get_sync_history", Json::object());
    const std::string at = all["entries"][0]["changedAt"];
    EXPECT_EQ(json_of("get_sync_history", {{"since", at}})["total"], 1);
    const std::string day_and_time = at.substr(0, 19);
    const int next_milli = std::stoi(at.substr(20, 3)) + 1;
    if (next_milli < 1'000) {
        EXPECT_EQ(json_of("get_sync_history",
                          {{"since", fmt::format("{}.{:03}Z", day_and_time, next_milli)}})["total"],
                  0);
    }
    for (const char* const wrong :
         {"yesterday", "2020-13-01", "2020-01-01T10", "2020-01-01T10:00:00+02:00", ""}) {
        EXPECT_NE(call("get_sync_history", {{"since", wrong}}).error.find("since"),
                  std::string::npos)
            << wrong;
    }
    EXPECT_NE(call("get_sync_history", {{"blockId", "AA"}}).error.find("'A'"), std::string::npos);
}

TEST_F(SyncTools, IssuesHaveLineValueAndReason) {
    write_block("A", std::string(kGood) +
                         "2024-02-30,10:00:00,b,1,,,7,1,10,s,1,1,x,SPX\n"
                         "2024-01-04,noon,c,1,,,8,2.5,10,s,1,1,x,SPX\n"
                         "2024-01-05,10:00:00,d,1,,,9,1,10,s,1,1,x,SPX\n");
    const Answer answer = call("get_data_issues", {{"blockId", "A"}});
    ASSERT_TRUE(answer.ok()) << answer.error;
    EXPECT_EQ(answer.json["rowsSkipped"], 1);
    EXPECT_EQ(answer.json["rowsRepaired"], 1);
    EXPECT_EQ(answer.json["total"], answer.json["issuesFound"]);
    const Json& first = answer.json["issues"][0];
    EXPECT_EQ(first["line"], 3);
    EXPECT_EQ(first["action"], "skipped");
    EXPECT_EQ(first["value"], "2024-02-30");
    EXPECT_NE(answer.text.find("2024-02-30"), std::string::npos);
    const Json repaired = json_of("get_data_issues", {{"action", "repaired"}});
    for (const Json& issue : repaired["issues"]) {
        EXPECT_EQ(issue["action"], "repaired");
        EXPECT_EQ(issue["line"], 4);
    }
    EXPECT_EQ(repaired["total"].get<int>() + 1, answer.json["total"].get<int>());
    const Answer past = call("get_data_issues", {{"offset", 50}});
    EXPECT_NE(past.text.find("Past the end: "), std::string::npos) << past.text;
    EXPECT_EQ(past.text.find("50"), std::string::npos) << past.text;
    EXPECT_EQ(json_of("get_data_issues", {{"role", "dailylog"}})["issuesFound"], 0);
    EXPECT_NE(call("get_data_issues", {{"blockId", "AA"}}).error.find("'A'"), std::string::npos);
}

TEST_F(SyncTools, IssuesPageToTheEndAndCountWhatIsNotStored) {
    std::string rows;
    for (int i = 0; i < 1'300; ++i) {
        rows += std::string(kGood);
        rows += "2024-01-04,noon," + std::to_string(i) + ",1,,,8,1,10,s,1,1,x,SPX\n";
    }
    write_block("A", rows);
    std::size_t seen = 0;
    Json offset = 0;
    while (!offset.is_null()) {
        const Json page = json_of("get_data_issues", {{"limit", 300}, {"offset", offset}});
        EXPECT_EQ(page["total"], 1'000);
        EXPECT_GE(page["issuesFound"].get<int>(), 1'300);
        EXPECT_EQ(page["rowsRepaired"], 1'300);
        seen += page["issues"].size();
        offset = page["nextOffset"];
    }
    EXPECT_EQ(seen, 1'000U);
}

TEST_F(SyncTools, IssuesNameRejectedFiles) {
    dir_.write("bad/tradelog.csv", "this,is,no,trade,log\n1,2,3,4,5\n");
    const Answer answer = call("get_data_issues", {{"blockId", "bad"}});
    ASSERT_TRUE(answer.ok()) << answer.error;
    ASSERT_EQ(answer.json["rejectedFiles"].size(), 1U);
    EXPECT_EQ(answer.json["rejectedFiles"][0]["fileName"], "tradelog.csv");
    EXPECT_NE(answer.text.find("FAILED 'bad'"), std::string::npos) << answer.text;
}

}  // namespace
}  // namespace tb::tools
