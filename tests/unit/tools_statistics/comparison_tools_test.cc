// get_strategy_comparison, compare_blocks and block_diff through the registry.
#include <string>

#include "tool_fixture.h"

namespace tb::tools {
namespace {

class ComparisonTools : public ToolTest {
  protected:
    ComparisonTools() {
        write_block("Gross", {{.pl = "100",
                               .funds = "10100",
                               .opening_fees = "3",
                               .closing_fees = "4",
                               .basis = "gross_before_fees"},
                              {.opened = "2024-01-03",
                               .closed = "2024-02-05",
                               .pl = "-50",
                               .funds = "10050",
                               .strategy = "beta",
                               .opening_fees = "5",
                               .basis = "gross_before_fees"},
                              {.opened = "2024-01-04",
                               .closed = "2024-01-04",
                               .pl = "20",
                               .funds = "10070",
                               .strategy = "beta",
                               .basis = "gross_before_fees"}});
        write_block("Net", {{.pl = "70", .funds = "20070"},
                            {.opened = "2024-01-05",
                             .closed = "2024-01-05",
                             .pl = "-30",
                             .funds = "20040",
                             .strategy = "gamma"}});
    }
};

// 02 I-26: the reference calls the reported total net.
TEST_F(ComparisonTools, StrategyNetPlIsAfterFeesAndAddsUpToTheBlock) {
    const Json ours = call("get_strategy_comparison", {{"blockId", "Gross"}});
    ASSERT_EQ(ours["strategies"].size(), 2U);
    EXPECT_EQ(ours["strategies"][0]["name"], "alpha");
    EXPECT_EQ(ours["strategies"][0]["netPl"], 93);
    EXPECT_EQ(ours["strategies"][1]["netPl"], -35);
    const Json whole = call("get_statistics", {{"blockId", "Gross"}});
    EXPECT_EQ(whole["stats"]["netPl"], 93 - 35);
    const Json theirs = reference("get_strategy_comparison", {{"blockId", "Gross"}});
    EXPECT_EQ(theirs["strategies"][0]["netPl"], 100);
    EXPECT_EQ(theirs["strategies"][1]["netPl"], -30);
}

// 02 I-4: one rule for dates. The trade opened on 2024-01-03 is realized in February.
TEST_F(ComparisonTools, DatesAreThoseOfRealization) {
    const Json arguments = {{"blockId", "Gross"}, {"endDate", "2024-01-31"}};
    const Json ours = call("get_strategy_comparison", arguments);
    EXPECT_EQ(ours["tradesAnalyzed"], 2);
    EXPECT_EQ(ours["dateField"], "date_closed_fallback_date_opened");
    EXPECT_EQ(call("get_statistics", arguments)["stats"]["totalTrades"], 2);
    const Json theirs = reference("get_strategy_comparison", arguments);
    EXPECT_EQ(theirs["tradesAnalyzed"], 3);
    EXPECT_EQ(theirs["dateField"], "date_opened");
}

TEST_F(ComparisonTools, RowsAreSortedCutAndCounted) {
    const auto first = [&](const char* sort, const char* order) {
        const Json answer =
            call("get_strategy_comparison",
                 {{"blockId", "Gross"}, {"sortBy", sort}, {"sortOrder", order}, {"limit", 1}});
        EXPECT_EQ(answer["count"], 1);
        EXPECT_EQ(answer["totalStrategies"], 2);
        return answer["strategies"][0]["name"].get<std::string>();
    };
    EXPECT_EQ(first("netPl", "asc"), "beta");
    EXPECT_EQ(first("pl", "desc"), "alpha");
    EXPECT_EQ(first("trades", "desc"), "beta");
    EXPECT_EQ(first("name", "desc"), "beta");
    EXPECT_EQ(first("winRate", "desc"), "alpha");
    EXPECT_EQ(
        call("get_strategy_comparison", {{"blockId", "Gross"}, {"minTrades", 2}})["strategies"]
            .size(),
        1U);
}

TEST_F(ComparisonTools, ProfitFactorWithoutALossIsNullWithANote) {
    const Json answer = call("get_strategy_comparison", {{"blockId", "Net"}});
    EXPECT_EQ(answer["strategies"][0]["profitFactor"], nullptr);
    EXPECT_TRUE(has_note(answer, "alpha: profitFactor"));
    EXPECT_NE(text().find("infinite"), std::string::npos);
    EXPECT_EQ(answer["strategies"][1]["profitFactor"], 0);
}

// A note may be about several figures at once; the one that is shown must not lose it.
TEST_F(ComparisonTools, NotesAboutSeveralFiguresReachTheComparedOne) {
    write_block("few",
                {{.pl = "10", .funds = "1010"},
                 {.opened = "2024-01-03", .closed = "2024-01-03", .pl = "-5", .funds = "1005"}});
    write_block("broke", {{.pl = "10", .funds = "-90"}});
    const Json compared = call("compare_blocks", {{"blockIds", {"few", "broke"}}});
    EXPECT_TRUE(has_note(compared, "few: sharpeRatio, sortinoRatio"));  // 2 returns: I-55
    EXPECT_TRUE(has_note(compared, "broke: maxDrawdown"));
    const Json diff = call("block_diff", {{"blockIdA", "few"}, {"blockIdB", "broke"}});
    EXPECT_TRUE(has_note(diff, "blockA: sharpeRatio"));
    EXPECT_TRUE(has_note(diff, "blockB: maxDrawdown"));
    const Json empty = call(
        "block_diff", {{"blockIdA", "few"}, {"blockIdB", "broke"}, {"startDate", "2024-01-03"}});
    EXPECT_TRUE(has_note(empty, "blockB: sharpeRatio, maxDrawdown"));  // no trade at all
}

TEST_F(ComparisonTools, ADifferenceSaysWhichProfitFactorsAreInfinite) {
    write_block("A", {{.pl = "10", .funds = "1010", .strategy = "x"}});
    write_block("B", {{.pl = "-10", .funds = "990", .strategy = "x"}});
    const Json diff = call("block_diff", {{"blockIdA", "A"}, {"blockIdB", "B"}, {"explain", true}});
    EXPECT_EQ(diff["perStrategyComparison"][0]["blockA"]["profitFactor"], nullptr);
    EXPECT_TRUE(has_note(diff, "x, blockA: profitFactor"));
    EXPECT_FALSE(has_note(diff, "x, blockB: profitFactor"));
}

TEST_F(ComparisonTools, ManyStrategiesFitTheBudgetAndSaySo) {
    std::vector<Row> rows;
    for (int i = 0; i < 400; ++i) {
        rows.push_back({.pl = std::to_string(i), .strategy = "strategy " + std::to_string(i)});
    }
    write_block("Many", rows);
    const Json answer = call("get_strategy_comparison", {{"blockId", "Many"}}, 24'000);
    EXPECT_LE(json_chars(answer), 24'000U);
    EXPECT_LE(text().size(), 24'000U);
    EXPECT_EQ(answer["page"]["total"], 400);
    EXPECT_EQ(answer["page"]["shown"], answer["strategies"].size());
    EXPECT_EQ(answer["count"], answer["strategies"].size());
    EXPECT_EQ(call("get_strategy_comparison", {{"blockId", "Many"}})["strategies"].size(), 400U);
}

// ---- compare_blocks ----

// 02 I-27: one bad block does not fail the others.
TEST_F(ComparisonTools, UnknownBlockIsAmongTheFailedOnes) {
    const Json arguments = {{"blockIds", {"Net", "Nett", "Gross"}}};
    const Json answer = call("compare_blocks", arguments);
    ASSERT_EQ(answer["comparisons"].size(), 2U);
    EXPECT_EQ(answer["comparisons"][0]["blockId"], "Gross");  // by name
    EXPECT_EQ(answer["comparisons"][1]["stats"]["netPl"], 40);
    ASSERT_EQ(answer["failedBlocks"].size(), 1U);
    EXPECT_EQ(answer["failedBlocks"][0]["blockId"], "Nett");
    EXPECT_NE(text().find("FAILED 'Nett'"), std::string::npos);
    EXPECT_EQ(answer["syncInfo"]["Gross"]["status"], "synced");
    Json theirs = arguments;
    theirs["conventions"] = "reference";
    EXPECT_NE(error_of("compare_blocks", theirs), "");
}

TEST_F(ComparisonTools, FiguresAreRowsAndEachBlockHasItsPeriod) {
    const Json answer = call("compare_blocks", {{"blockIds", {"Net", "Gross"}}});
    EXPECT_EQ(answer["comparisons"][0]["period"],
              (Json{{"start", "2024-01-02"}, {"end", "2024-02-05"}}));
    EXPECT_EQ(answer["comparisons"][1]["period"],
              (Json{{"start", "2024-01-02"}, {"end", "2024-01-05"}}));
    EXPECT_NE(text().find("| Figure | Gross | Net |"), std::string::npos) << text();
    EXPECT_NE(text().find("| To | 2024-02-05 | 2024-01-05 |"), std::string::npos) << text();
    EXPECT_NE(text().find("| Net P/L | $58.00 | $40.00 |"), std::string::npos) << text();
}

TEST_F(ComparisonTools, AllBlocksUnknownIsAnErrorNamingEach) {
    const std::string error = error_of("compare_blocks", {{"blockIds", {"X1", "X2"}}});
    EXPECT_NE(error.find("X1"), std::string::npos);
    EXPECT_NE(error.find("X2"), std::string::npos);
    EXPECT_NE(error_of("compare_blocks", {{"blockIds", Json::array()}}).find("1 to 5"),
              std::string::npos);
    EXPECT_NE(error_of("compare_blocks", {{"blockIds", {"a", "b", "c", "d", "e", "f"}}}), "");
    EXPECT_NE(error_of("compare_blocks", {{"blockIds", {"Net"}}, {"metrics", {"alpha"}}}), "");
}

TEST_F(ComparisonTools, MetricsAndOrderAreThoseAskedFor) {
    const Json answer = call("compare_blocks", {{"blockIds", {"Net", "Gross"}},
                                                {"metrics", {"netPl", "totalTrades"}},
                                                {"sortBy", "netPl"},
                                                {"sortOrder", "desc"}});
    EXPECT_EQ(answer["comparisons"][0]["blockId"], "Gross");
    EXPECT_EQ(answer["comparisons"][0]["stats"], (Json{{"netPl", 58}, {"totalTrades", 3}}));
    // A bare word stands for a list of one.
    EXPECT_EQ(call("compare_blocks", {{"blockIds", "Net"}})["comparisons"].size(), 1U);
    const Json explained =
        call("compare_blocks",
             {{"blockIds", {"Net", "Gross"}}, {"metrics", {"netPl"}}, {"explain", true}});
    EXPECT_EQ(explained["explain"].size(), 2U);
    EXPECT_EQ(explained["dataVersion"].size(), 2U);
}

// One strategy typed with an accent of its own and with a composed letter, and two that differ in
// case: a filter selects what the comparison lists under that name.
TEST_F(ComparisonTools, FilterAndComparisonGroupNamesAlike) {
    write_block("A", {{.pl = "10", .strategy = "Cafe\u0301"},
                      {.pl = "20", .strategy = "Caf\u00e9"},
                      {.pl = "40", .strategy = "Iron Condor"},
                      {.pl = "80", .strategy = "iron condor"}});
    const Json listed = call("get_strategy_comparison", {{"blockId", "A"}})["strategies"];
    ASSERT_EQ(listed.size(), 3U);
    for (const Json& row : listed) {
        const std::string name = row.contains("strategy") ? row["strategy"] : row["name"];
        EXPECT_EQ(call("get_statistics", {{"blockId", "A"}, {"strategy", name}})["stats"]["netPl"],
                  row["netPl"])
            << name;
    }
    const auto net_of = [&](const char* name) {
        return call("get_statistics", {{"blockId", "A"}, {"strategy", name}})["stats"]["netPl"];
    };
    EXPECT_EQ(net_of("CAFE\u0301"), 30);
    EXPECT_EQ(net_of("Iron Condor"), 40);
    EXPECT_EQ(net_of("iron condor"), 80);
    EXPECT_EQ(net_of("IRON CONDOR"), 120);
    EXPECT_EQ(call("get_trades", {{"blockId", "A"}, {"strategy", "iron condor"}})["trades"].size(),
              1U);
    EXPECT_EQ(call("get_trades", {{"blockId", "A"}, {"strategy", "caf\u00e9"}})["trades"].size(),
              2U);
}

// Filters that leave nothing: the same error from every tool.
TEST_F(ComparisonTools, AnEmptySelectionIsTheSameErrorEverywhere) {
    write_block("A", {{.opened = "2024-01-02", .closed = "2024-01-02", .pl = "100"}});
    const Json range = {{"from", "2030-01-01"}, {"to", "2030-01-31"}};
    const std::vector<std::pair<const char*, Json>> calls = {
        {"get_statistics",
         {{"blockId", "A"}, {"startDate", "2030-01-01"}, {"endDate", "2030-01-31"}}},
        {"get_strategy_comparison",
         {{"blockId", "A"}, {"startDate", "2030-01-01"}, {"endDate", "2030-01-31"}}},
        {"block_diff",
         {{"blockIdA", "A"},
          {"blockIdB", "A"},
          {"startDate", "2030-01-01"},
          {"endDate", "2030-01-31"}}},
        {"get_period_returns", {{"blockId", "A"}, {"dateRange", range}}},
        {"get_performance_charts", {{"blockId", "A"}, {"dateRange", range}}},
        {"run_walk_forward",
         {{"blockId", "A"}, {"dateRangeFrom", "2030-01-01"}, {"dateRangeTo", "2030-01-31"}}},
        {"get_correlation_matrix",
         {{"blockId", "A"}, {"dateRangeFrom", "2030-01-01"}, {"dateRangeTo", "2030-01-31"}}}};
    for (const auto& [name, arguments] : calls) {
        EXPECT_EQ(error_of(name, arguments).rfind("no trades match: ", 0), 0U)
            << name << ": " << error_of(name, arguments);
    }
}

// ---- block_diff ----

TEST_F(ComparisonTools, EveryFigureOfADifferenceIsExplained) {
    const Json answer =
        call("block_diff", {{"blockIdA", "Gross"}, {"blockIdB", "Net"}, {"explain", true}});
    const std::string explained = answer["explain"].dump();
    for (const auto& [name, value] : answer["portfolioTotals"]["blockA"].items()) {
        EXPECT_NE(explained.find("portfolioTotals.blockA." + name), std::string::npos) << name;
        EXPECT_NE(explained.find("portfolioTotals.blockB." + name), std::string::npos) << name;
    }
    for (const Json& row : answer["perStrategyComparison"]) {
        for (const auto& [name, value] : row["blockA"].items()) {
            EXPECT_NE(explained.find("perStrategyComparison[]." + name), std::string::npos) << name;
        }
    }
    EXPECT_NE(explained.find("portfolioTotals.delta"), std::string::npos);
    EXPECT_NE(explained.find("strategyOverlap.overlapPercent"), std::string::npos);
    const Json strategies =
        call("get_strategy_comparison", {{"blockId", "Gross"}, {"explain", true}});
    for (const auto& [name, value] : strategies["strategies"][0].items()) {
        EXPECT_TRUE(name == "name" || strategies["explain"].dump().find(name) != std::string::npos)
            << name;
    }
}

TEST_F(ComparisonTools, DifferenceIsSecondMinusFirst) {
    const Json answer = call("block_diff", {{"blockIdA", "Gross"}, {"blockIdB", "Net"}});
    EXPECT_EQ(answer["strategyOverlap"]["shared"], Json::array({"alpha"}));
    EXPECT_EQ(answer["strategyOverlap"]["uniqueToA"], Json::array({"beta"}));
    EXPECT_EQ(answer["strategyOverlap"]["uniqueToB"], Json::array({"gamma"}));
    EXPECT_NEAR(answer["strategyOverlap"]["overlapPercent"].get<double>(), 100.0 / 3, 1e-12);
    const Json& alpha = answer["perStrategyComparison"][0];
    EXPECT_EQ(alpha["strategy"], "alpha");
    EXPECT_EQ(alpha["delta"]["netPl"], 70 - 93);
    EXPECT_EQ(answer["perStrategyComparison"][1]["blockB"], nullptr);
    EXPECT_EQ(answer["perStrategyComparison"][1]["delta"], nullptr);
    EXPECT_EQ(answer["portfolioTotals"]["delta"]["netPl"], 40 - 58);
    EXPECT_EQ(answer["portfolioTotals"]["delta"]["totalTrades"], -1);
}

TEST_F(ComparisonTools, DifferenceOfABlockWithItselfIsNothing) {
    const Json answer = call("block_diff", {{"blockIdA", "Net"}, {"blockIdB", "Net"}});
    for (const auto& [figure, value] : answer["portfolioTotals"]["delta"].items()) {
        EXPECT_TRUE(value.is_null() || value == 0) << figure;
    }
    EXPECT_EQ(answer["strategyOverlap"]["overlapPercent"], 100);
}

TEST_F(ComparisonTools, OnlyTheFiguresAskedForAreInTheDifference) {
    const Json answer =
        call("block_diff",
             {{"blockIdA", "Gross"}, {"blockIdB", "Net"}, {"metricsToCompare", {"pl", "trades"}}});
    EXPECT_EQ(answer["portfolioTotals"]["blockA"], (Json{{"totalTrades", 3}, {"netPl", 58}}));
    EXPECT_EQ(answer["perStrategyComparison"][0]["blockB"], (Json{{"trades", 1}, {"netPl", 70}}));
}

TEST_F(ComparisonTools, RangeWithoutTradesGivesZerosUnderTheReferenceOnly) {
    const Json arguments = {
        {"blockIdA", "Gross"}, {"blockIdB", "Net"}, {"startDate", "2030-01-01"}};
    const Json answer = reference("block_diff", arguments);
    EXPECT_EQ(answer["portfolioTotals"]["blockA"]["totalTrades"], 0);
    EXPECT_EQ(answer["blockB"]["tradeCount"], 0);
    EXPECT_EQ(error_of("block_diff", arguments).rfind("no trades match", 0), 0U);
    EXPECT_NE(error_of("block_diff", {{"blockIdA", "Gross"}, {"blockIdB", "Nope"}}), "");
}

// ---- get_period_returns ----

// 02 I-15: 2024-12-31 belongs to the first ISO week of 2025.
TEST_F(ComparisonTools, WeeksCarryTheIsoYear) {
    write_block("Y", {{.opened = "2024-01-10", .closed = "2024-01-10", .pl = "1"},
                      {.opened = "2024-12-31", .closed = "2024-12-31", .pl = "2"}});
    const Json ours = call("get_period_returns", {{"blockId", "Y"}, {"period", "weekly"}});
    EXPECT_EQ(ours["periods"][0]["period"], "2024-W02");
    EXPECT_EQ(ours["periods"][1]["period"], "2025-W01");
    const Json theirs = reference("get_period_returns", {{"blockId", "Y"}, {"period", "weekly"}});
    EXPECT_EQ(theirs["periods"][0]["period"], "2024-W01");
}

TEST_F(ComparisonTools, PeriodsAddUpToTheTotalsAndToTheStatistics) {
    const Json answer = call("get_period_returns", {{"blockId", "Gross"}});
    ASSERT_EQ(answer["periods"].size(), 2U);
    EXPECT_EQ(answer["periods"][0]["period"], "2024-01");
    EXPECT_EQ(answer["periods"][0]["netPl"], 113);
    EXPECT_EQ(answer["periods"][0]["grossPl"], 120);
    EXPECT_EQ(answer["periods"][0]["commissions"], 7);
    EXPECT_EQ(answer["periods"][1]["netPl"], -55);
    EXPECT_EQ(answer["totals"]["netPl"], 58);
    EXPECT_EQ(answer["totals"]["netPl"],
              call("get_statistics", {{"blockId", "Gross"}})["stats"]["netPl"]);
}

TEST_F(ComparisonTools, YearAndRangeSelectAndTheRangeWins) {
    write_block("Y", {{.opened = "2023-05-01", .closed = "2023-05-01", .pl = "1"},
                      {.opened = "2024-05-01", .closed = "2024-05-01", .pl = "2"}});
    EXPECT_EQ(call("get_period_returns", {{"blockId", "Y"}, {"year", 2023}})["totals"]["netPl"], 1);
    EXPECT_EQ(
        call("get_period_returns", {{"blockId", "Y"},
                                    {"year", 2023},
                                    {"dateRange", {{"from", "2024-01-01"}}}})["totals"]["netPl"],
        2);
    EXPECT_NE(error_of("get_period_returns", {{"blockId", "Y"}, {"year", 1999}}), "");
    EXPECT_NE(
        error_of("get_period_returns", {{"blockId", "Y"}, {"dateRange", {{"from", "tomorrow"}}}}),
        "");
}

TEST_F(ComparisonTools, PagesOfDaysLeadToTheEndAndTheTotalsStay) {
    std::vector<Row> rows;
    for (int i = 0; i < 500; ++i) {
        const std::string day = Date(19'800 + i).to_iso();
        rows.push_back({.opened = day, .closed = day, .pl = std::to_string(i * 3 - 500)});
    }
    write_block("Days", rows);
    double sum = 0;
    std::size_t offset = 0;
    std::size_t pages = 0;
    while (true) {
        const Json page =
            call("get_period_returns",
                 {{"blockId", "Days"}, {"period", "daily"}, {"offset", offset}}, 24'000);
        EXPECT_LE(json_chars(page), 24'000U);
        EXPECT_LE(text().size(), 24'000U);
        EXPECT_EQ(page["periodCount"], 500);
        EXPECT_EQ(page["totals"]["tradeCount"], 500);
        for (const Json& row : page["periods"]) {
            sum += row["netPl"].get<double>();
        }
        ++pages;
        if (!page["page"].contains("nextOffset")) {
            break;
        }
        offset = page["page"]["nextOffset"];
        ASSERT_LT(pages, 20U);
    }
    EXPECT_GT(pages, 2U);
    EXPECT_EQ(sum, 499 * 500 / 2 * 3 - 500 * 500);
    // The reference's answers are complete whatever the budget.
    Json whole = {{"blockId", "Days"}, {"period", "daily"}, {"conventions", "reference"}};
    EXPECT_EQ(call("get_period_returns", whole, 24'000)["periods"].size(), 500U);
}

}  // namespace
}  // namespace tb::tools
