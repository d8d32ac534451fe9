// compare_backtest_to_actual through the registry.
#include <string>

#include "tool_fixture.h"

namespace tb::tools {
namespace {

class LiveFills : public ToolTest {
  protected:
    void write_fills(const std::string& rows) {
        dir_.write("A/strategy-trade-log.csv",
                   "Strategy,Date Opened,Opening Price,Legs,Initial Premium,No. of Contracts,P/L,"
                   "Closing Price,Date Closed,Avg. Closing Cost,Reason For Close\n" +
                       rows);
    }
    // Two days of one strategy, and a third day on each side alone.
    void write_example() {
        write_block("A", {{.opened = "2024-01-02", .closed = "2024-01-02", .pl = "100"},
                          {.opened = "2024-01-03", .closed = "2024-01-03", .pl = "-50"},
                          {.opened = "2024-01-04", .closed = "2024-01-04", .pl = "30"}});
        write_fills(
            "alpha,2024-01-02T10:02:11.5,4700,x,1,1,80,4701,2024-01-02T15:00:00,0,Expired\n"
            "alpha,2024-01-03T10:00:40,4700,x,1,1,-65,4701,2024-01-03T15:00:00,0,Expired\n"
            "alpha,2024-01-05T10:00:00,4700,x,1,1,11,4701,2024-01-05T15:00:00,0,Expired\n");
    }
    Json compare(Json arguments = Json::object()) {
        arguments["blockId"] = "A";
        return call("compare_backtest_to_actual", arguments);
    }
};

// 02 I-46: slippage is that of the matched rows: (80-100) + (-65+50) = -35.
TEST_F(LiveFills, SlippageComesFromMatchedRowsOnly) {
    write_example();
    const Json range = {{"from", "2024-01-02"}, {"to", "2024-01-05"}};
    const Json ours = compare({{"dateRange", range}});
    EXPECT_EQ(ours["summary"]["matchedComparisons"], 2);
    EXPECT_EQ(ours["summary"]["totalSlippage"], -35);
    EXPECT_EQ(ours["summary"]["unmatchedBacktestPl"], 30);
    EXPECT_EQ(ours["summary"]["unmatchedActualPl"], 11);
    EXPECT_NEAR(ours["coverage"]["matchedBacktestPercent"].get<double>(), 200.0 / 3, 1e-9);
    EXPECT_NE(text().find("-$35.00"), std::string::npos);
    const Json theirs =
        reference("compare_backtest_to_actual", {{"blockId", "A"}, {"dateRange", range}});
    EXPECT_EQ(theirs["summary"]["totalSlippage"], (80 - 65 + 11) - (100 - 50 + 30));
}

// 02 I-8 and §1.5: ours refuses a malformed day, the reference compares its text.
TEST_F(LiveFills, TheReferenceComparesMalformedDaysAsText) {
    write_example();
    const auto theirs = [&](const Json& range) {
        return reference("compare_backtest_to_actual", {{"blockId", "A"}, {"dateRange", range}});
    };
    EXPECT_EQ(theirs({{"to", "2024-01-02T23:00"}})["actualTradeCount"], 1);
    EXPECT_EQ(theirs({{"from", "2024-01-02T23:00"}})["actualTradeCount"], 2);
    EXPECT_EQ(theirs({{"from", ""}, {"to", "2024-1-1"}})["actualTradeCount"], 3);
    EXPECT_EQ(theirs(Json::object())["actualTradeCount"], 3);
    EXPECT_FALSE(error_of("compare_backtest_to_actual",
                          {{"blockId", "A"}, {"dateRange", {{"to", "2024-1-1"}}}})
                     .empty());
}

// 02 I-47: the fills' times stand inside Date Opened.
TEST_F(LiveFills, TradesMatchByTheTimeInsideTheTimestamp) {
    write_example();
    const Json ours = compare({{"detailLevel", "trades"}});
    EXPECT_EQ(ours["summary"]["matchedComparisons"], 2);
    bool seen = false;
    for (const Json& row : ours["comparisons"]) {
        if (row["date"] == "2024-01-02") {
            EXPECT_EQ(row["minutesApart"], 2);
            seen = true;
        }
    }
    EXPECT_TRUE(seen);
    EXPECT_EQ(compare({{"detailLevel", "trades"},
                       {"matchToleranceMinutes", 1}})["summary"]["matchedComparisons"],
              1);
    const Json theirs =
        reference("compare_backtest_to_actual", {{"blockId", "A"}, {"detailLevel", "trades"}});
    EXPECT_EQ(theirs["summary"]["matchedComparisons"], 0);
}

TEST_F(LiveFills, GroupsHoldTheirRowsAndSumUpToTheWhole) {
    write_example();
    const Json answer = compare({{"groupBy", "month"}, {"matchedOnly", true}});
    EXPECT_FALSE(answer.contains("comparisons"));
    ASSERT_EQ(answer["groups"].size(), 1U);
    EXPECT_EQ(answer["groups"][0]["groupKey"], "2024-01");
    EXPECT_EQ(answer["countedBy"], "opening day");
    EXPECT_NE(text().find("weeks and months are by opening day"), std::string::npos);
    EXPECT_EQ(answer["groups"][0]["totalSlippage"], answer["summary"]["totalSlippage"]);
    EXPECT_EQ(answer["groups"][0]["comparisons"].size(), 2U);
}

TEST_F(LiveFills, RowsPageToTheEndWithinTheBudget) {
    std::vector<Row> rows;
    std::string fills;
    for (int i = 0; i < 300; ++i) {
        const std::string day = Date(19'000 + i).to_iso();
        rows.push_back({.opened = day, .closed = day, .pl = std::to_string(i)});
        fills += "alpha," + day + "T10:00:00,4700,x,1,1," + std::to_string(i * 2) + ",4701," + day +
                 "T15:00:00,0,Expired\n";
    }
    write_block("A", rows);
    write_fills(fills);
    std::size_t offset = 0;
    std::size_t seen = 0;
    for (int page = 0; page < 50; ++page) {
        const Json answer =
            call("compare_backtest_to_actual", {{"blockId", "A"}, {"offset", offset}}, 24'000);
        EXPECT_LE(json_chars(answer), 24'000U);
        EXPECT_LE(text().size(), 24'000U);
        EXPECT_EQ(answer["summary"]["matchedComparisons"], 300);
        seen += answer["comparisons"].size();
        if (!answer["page"].contains("nextOffset")) {
            break;
        }
        offset = answer["page"]["nextOffset"];
    }
    EXPECT_EQ(seen, 300U);
    const Json grouped =
        call("compare_backtest_to_actual", {{"blockId", "A"}, {"groupBy", "strategy"}}, 24'000);
    EXPECT_LE(json_chars(grouped), 24'000U);
    EXPECT_EQ(grouped["groups"][0]["count"], 300);
    EXPECT_EQ(grouped["groups"][0]["comparisonsShown"], grouped["groups"][0]["comparisons"].size());
}

// Both sides of an entry were filled in one second at other strikes than in the backtest.
TEST_F(LiveFills, PutsArePairedWithPutsInEitherOrderOfTheRows) {
    dir_.write("A/tradelog.csv",
               "Date Opened,Time Opened,Legs,Date Closed,P/L,No. of Contracts,Funds at Close,"
               "Margin Req.,Strategy\n"
               "2026-03-13,09:42:00,1 Mar 13 6710 P BTO 19.18 | 1 Mar 13 6630 P STO "
               "3.35,2026-03-13,3700,1,102800,2000,RIC\n"
               "2026-03-13,09:42:00,1 Mar 13 6725 C BTO 18.54 | 1 Mar 13 6765 C STO "
               "5.12,2026-03-13,-900,1,99100,2000,RIC\n");
    const std::string header =
        "Strategy,Date Opened,Time Opened,Legs,Initial Premium,No. of Contracts,P/L,Date Closed\n";
    const std::string calls =
        "RIC,2026-03-13,09:42:11.79,1 Mar 13 6730 C BTO 18.54 | 1 Mar 13 6770 C STO "
        "5.12,-13.42,1,-867,2026-03-13\n";
    const std::string puts =
        "RIC,2026-03-13,09:42:11.79,1 Mar 13 6715 P BTO 19.18 | 1 Mar 13 6635 P STO "
        "3.35,-15.83,1,3797,2026-03-13\n";
    for (const std::string& rows : {calls + puts, puts + calls}) {
        dir_.write("A/strategy-trade-log.csv", header + rows);
        const Json answer = compare({{"detailLevel", "trades"}});
        ASSERT_EQ(answer["comparisons"].size(), 2U);
        EXPECT_EQ(answer["comparisons"][0]["slippage"], 97);
        EXPECT_EQ(answer["comparisons"][1]["slippage"], 33);
        EXPECT_EQ(answer["comparisons"][0]["matchConfidence"], "high");
        EXPECT_EQ(answer["comparisons"][0]["strikesApart"], 5);
        EXPECT_EQ(answer["summary"]["matchConfidence"],
                  (Json{{"high", 2}, {"medium", 0}, {"low", 0}}));
    }
}

// The trade log names no strategy, the live log does.
TEST_F(LiveFills, ABlankStrategyIsComparedWithTheNamedOne) {
    dir_.write("A/tradelog.csv",
               "Date Opened,Time Opened,Legs,Date Closed,P/L,No. of Contracts,Funds at Close,"
               "Margin Req.,Strategy\n"
               "2026-03-13,09:42:00,1 Mar 13 6710 P STO 5 | 1 Mar 13 6630 P BTO 3.35,2026-03-13,"
               "100,1,100100,2000,\n");
    write_fills(
        "MEIC,2026-03-13T09:42:20.5,6700,1 Mar 13 6705 P STO 5 | 1 Mar 13 6625 P BTO "
        "3,1,1,90,6701,2026-03-13T15:00:00,0,Expired\n");
    for (const char* level : {"summary", "trades"}) {
        const Json answer = compare({{"detailLevel", level}});
        EXPECT_EQ(answer["summary"]["matchedComparisons"], 1) << level;
        EXPECT_EQ(answer["summary"]["totalSlippage"], -10) << level;
        EXPECT_EQ(answer["comparisons"][0]["strategy"], "MEIC") << level;
    }
    EXPECT_EQ(compare({{"strategy", "meic"}})["summary"]["totalSlippage"], -10);
}

TEST_F(LiveFills, NothingMatchedIsNoSlippageAndStandsInTheFirstLine) {
    write_block("A", {{.opened = "2024-01-02", .closed = "2024-01-02", .pl = "100"}});
    write_fills("beta,2024-01-02T10:02:11.5,4700,x,1,1,80,4701,2024-01-02T15:00:00,0,Expired\n");
    const Json answer = compare({{"groupBy", "strategy"}});
    for (const char* name : {"totalSlippage", "avgSlippage", "avgSlippagePercent",
                             "totalBacktestPl", "totalActualPl"}) {
        EXPECT_TRUE(answer["summary"][name].is_null()) << name;
    }
    EXPECT_TRUE(answer["groups"][0]["totalSlippage"].is_null());
    EXPECT_EQ(text().rfind("Warning: no live fill matches", 0), 0U) << text();
    EXPECT_EQ(text().find("Slippage | $0.00"), std::string::npos) << text();
}

TEST_F(LiveFills, TheRealBlockWithoutNamesIsMatched) {
    TB_REQUIRE_SHARED();
    copy_shared_block("MEIC Test Data");
    const Json answer = call("compare_backtest_to_actual",
                             {{"blockId", "MEIC Test Data"}, {"detailLevel", "trades"}});
    EXPECT_GE(answer["summary"]["matchedComparisons"], 20) << answer["summary"];
    EXPECT_TRUE(answer["summary"]["totalSlippage"].is_number());
}

// 205 of 384 fills have a closing cost a hundred times too large; the reference adds them
// up to a slippage of -36 million without a word.
TEST_F(LiveFills, ImplausibleFillsAreWarnedAbout) {
    TB_REQUIRE_SHARED();
    copy_shared_block("EMA Test Data");
    const Json arguments = {{"blockId", "EMA Test Data"}};
    const Json theirs = reference("compare_backtest_to_actual", arguments);
    EXPECT_LT(theirs["summary"]["totalSlippage"], -36e6);
    EXPECT_FALSE(theirs.contains("warnings")) << theirs["warnings"];
    const Json answer = call("compare_backtest_to_actual", arguments);
    ASSERT_TRUE(answer.contains("warnings"));
    EXPECT_NE(answer["warnings"].dump().find("not meaningful"), std::string::npos)
        << answer["warnings"];
    // First of all, and not once more at the end.
    EXPECT_EQ(text().rfind("Warning: ", 0), 0U);
    EXPECT_NE(text().substr(0, 300).find("sums to -3"), std::string::npos) << text().substr(0, 300);
    EXPECT_EQ(text().find("not meaningful"), text().rfind("not meaningful"));
}

TEST_F(LiveFills, MissingLogAndUnknownStrategySayWhatToDo) {
    write_block("A", {{.pl = "1"}});
    EXPECT_NE(error_of("compare_backtest_to_actual", {{"blockId", "A"}}).find("reporting log"),
              std::string::npos);
    write_example();
    EXPECT_NE(error_of("compare_backtest_to_actual", {{"blockId", "A"}, {"strategy", "alpah"}})
                  .find("'alpha'"),
              std::string::npos);
    EXPECT_NE(error_of("compare_backtest_to_actual",
                       {{"blockId", "A"}, {"dateRange", {{"from", "2031-01-01"}}}}),
              "");
}

TEST_F(LiveFills, HugeFillsGiveANoteNeverAnInfinity) {
    write_block(
        "A", {{.pl = "1e308"}, {.opened = "2024-01-03", .closed = "2024-01-03", .pl = "-1e308"}});
    write_fills(
        "alpha,2024-01-02T10:00:00,1,x,1e308,1,-1e308,1,2024-01-02T15:00:00,1e308,E\n"
        "alpha,2024-01-03T10:00:00,1,x,1,1e-300,1e308,1,2024-01-03T15:00:00,0,E\n");
    for (const char* scaling : {"raw", "perContract", "toReported"}) {
        for (const char* detail : {"summary", "trades"}) {
            const Json answer = compare({{"scaling", scaling}, {"detailLevel", detail}});
            EXPECT_TRUE(has_note(answer, "*"));
        }
    }
}

TEST_F(LiveFills, ExplanationsNameTheRowsTheyRestOn) {
    write_example();
    const Json answer = compare({{"explain", true}});
    EXPECT_EQ(answer["explain"][0]["figure"], "summary.totalSlippage");
    EXPECT_EQ(answer["explain"][0]["rows"], answer["summary"]["matchedComparisons"]);
    EXPECT_TRUE(answer["dataVersion"].contains("A"));
    const std::string explained = answer["explain"].dump();
    for (const auto& [name, value] : answer["summary"].items()) {
        const bool is_text_or_count =
            name == "note" || name == "totalComparisons" || name == "matchedComparisons";
        EXPECT_TRUE(is_text_or_count || explained.find(name) != std::string::npos) << name;
    }
    for (const char* const figure : {"comparisons[].slippage\"", "comparisons[].slippagePercent",
                                     "comparisons[].scaledBacktestPl", "coverage"}) {
        EXPECT_NE(explained.find(figure), std::string::npos) << figure;
    }
}

}  // namespace
}  // namespace tb::tools
