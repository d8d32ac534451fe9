// run_walk_forward through the tool: each item of 02 §6 that is its own.
#include <gtest/gtest.h>

#include "mcp/json_text.h"
#include "risk_fixture.h"

namespace tb::tools::test {
namespace {

using WalkForwardToolTest = RiskToolsTest;
constexpr const char* kTool = "run_walk_forward";
const Json kEma = {{"blockId", "EMA Test Data"}};
const Json kMeic = {{"blockId", "MEIC Test Data"}};

TEST_F(WalkForwardToolTest, LossInSampleGivesNoEfficiency) {  // I-31
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json windows = with(kMeic, {{"inSampleDays", 60}, {"outOfSampleDays", 20}});
    const Json theirs = call(kTool, reference(windows));
    EXPECT_NEAR(theirs["summary"]["avgInSamplePerformance"].get<double>(), -0.136, 5e-4);
    EXPECT_NEAR(theirs["summary"]["avgOutOfSamplePerformance"].get<double>(), -0.771, 5e-4);
    EXPECT_NEAR(theirs["summary"]["degradationFactor"].get<double>(), 5.67, 5e-3);
    EXPECT_EQ(theirs["verdict"]["efficiency"], "good");
    const Json meic = call(kTool, windows);
    EXPECT_LT(meic["summary"]["degradationFactor"], 0);
    // Nothing was optimized: no verdict, and the reason for it.
    EXPECT_TRUE(meic["verdict"]["overall"].is_null());
    EXPECT_TRUE(meic["verdict"]["efficiency"].is_null());
    EXPECT_TRUE(mentions(meic["notes"], "nothing was optimized"));
    const Json chosen =
        call(kTool, with(windows, {{"parameterRanges", {{"kellyMultiplier", {0.5, 1, 0.5}}}}}));
    EXPECT_EQ(chosen["verdict"]["efficiency"], "poor");
    EXPECT_EQ(chosen["verdict"]["overall"], "poor");
    EXPECT_EQ(theirs["verdict"]["stability"], "good");
    // Losing in sample already: there is nothing to keep.
    write_block("loser", with_funds(trades_of("alpha", 120, {10, -20, 15, -25, 5}), 10'000));
    const Json ours =
        call(kTool, {{"blockId", "loser"}, {"inSampleDays", 28}, {"outOfSampleDays", 14}});
    ASSERT_LT(ours["summary"]["avgInSamplePerformance"], 0);
    EXPECT_TRUE(ours["summary"]["degradationFactor"].is_null());
    EXPECT_TRUE(ours["verdict"]["efficiency"].is_null());
    EXPECT_TRUE(mentions(ours["notes"], "degradationFactor"));
    EXPECT_NEAR(ours["summary"]["performanceDelta"].get<double>(),
                ours["summary"]["avgOutOfSamplePerformance"].get<double>() -
                    ours["summary"]["avgInSamplePerformance"].get<double>(),
                1e-12);
}

TEST_F(WalkForwardToolTest, ManyWindowsWithoutATargetAreCountedNotListed) {
    // A Sharpe ratio of one day does not exist.
    write_block("A", with_funds(trades_of("alpha", 120, {10, -20, 15, 5}), 10'000));
    const Json answer = call(kTool, {{"blockId", "A"},
                                     {"inSampleDays", 7},
                                     {"outOfSampleDays", 1},
                                     {"minInSampleTrades", 5},
                                     {"minOutOfSampleTrades", 1}});
    std::size_t undefined = 0;
    for (const Json& period : answer["periods"]) {
        undefined += period["targetMetricOutOfSample"].is_null() ? 1 : 0;
    }
    ASSERT_GT(undefined, 60U);
    EXPECT_LE(answer["notes"].size(), 30U);
    EXPECT_TRUE(mentions(answer["notes"], std::to_string(undefined - 20) + " further windows"));
}

TEST_F(WalkForwardToolTest, NetProfitIsComparedPerDay) {  // I-31
    // The same 10 dollars on every weekday: in and out of sample perform alike.
    write_block("A", trades_of("alpha", 260, {10}));
    const Json arguments = {{"blockId", "A"},
                            {"inSampleDays", 56},
                            {"outOfSampleDays", 14},
                            {"optimizationTarget", "netPl"},
                            {"minOutOfSampleTrades", 5}};
    EXPECT_NEAR(call(kTool, reference(arguments))["summary"]["degradationFactor"].get<double>(),
                0.25, 0.01);
    EXPECT_EQ(call(kTool, arguments)["summary"]["degradationFactor"], 1);
}

// What explains a figure must lead to it.
TEST_F(WalkForwardToolTest, EveryFigureIsExplainedAndFollowsFromItsInputs) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    for (const char* const target : {"netPl", "sharpeRatio"}) {
        for (const bool as_reference : {false, true}) {
            const Json arguments = with(kEma, {{"inSampleDays", 60},
                                               {"outOfSampleDays", 20},
                                               {"optimizationTarget", target},
                                               {"enableCorrelationConstraint", true},
                                               {"explain", true}});
            const Json answer = call(kTool, as_reference ? reference(arguments) : arguments);
            const Json& summary = answer["summary"];
            for (const auto& [name, value] : summary.items()) {
                EXPECT_FALSE(explanation_of(answer, "summary." + name).is_null()) << name;
            }
            for (const char* const figure :
                 {"stats.consistencyScore", "verdict", "recommendedParameters",
                  "periods[].targetMetricInSample", "periods[].targetMetricOutOfSample"}) {
                EXPECT_FALSE(explanation_of(answer, figure).is_null()) << figure;
            }
            const Json inputs = explanation_of(answer, "summary.degradationFactor")["inputs"];
            const double is = inputs["inSample"];
            const double oos = inputs["outOfSample"];
            EXPECT_NEAR(summary["degradationFactor"].get<double>(), oos / is, 1e-12);
            EXPECT_NEAR(summary["performanceDelta"].get<double>(), oos - is, 1e-9);
            const Json share = explanation_of(answer, "stats.consistencyScore")["inputs"];
            EXPECT_EQ(answer["stats"]["consistencyScore"].get<double>(),
                      share["consistent"].get<double>() / share["windows"].get<double>());
        }
    }
    // The difference of daily means is no difference of the means beside it.
    const Json by_day = with(kEma, {{"optimizationTarget", "netPl"}});
    EXPECT_NE(text_of(kTool, by_day).find(" a day; parameter stability"), std::string::npos);
    EXPECT_EQ(text_of(kTool, reference(by_day)).find(" a day"), std::string::npos);
}

TEST_F(WalkForwardToolTest, StretchTheDataDoesNotCoverIsLeftOut) {  // I-30, I-33
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json theirs = call(kTool, reference(kEma));
    EXPECT_EQ(theirs["periods"].size(), 2U);
    EXPECT_NEAR(theirs["summary"]["avgOutOfSamplePerformance"].get<double>(), 17.6, 0.05);
    EXPECT_NEAR(theirs["summary"]["degradationFactor"].get<double>(), 22.13, 0.01);
    const Json ours =
        call(kTool, with(kEma, {{"inSampleDays", theirs["config"]["inSampleDays"]},
                                {"outOfSampleDays", theirs["config"]["outOfSampleDays"]}}));
    ASSERT_EQ(ours["periods"].size(), 1U);
    EXPECT_NEAR(ours["summary"]["avgOutOfSamplePerformance"].get<double>(), 2.95, 0.1);
    ASSERT_EQ(ours["skippedWindows"].size(), 1U);
    EXPECT_NE(ours["skippedWindows"][0]["reason"].get<std::string>().find("the data ends"),
              std::string::npos);
    EXPECT_GT(ours["skippedWindows"][0]["outOfSampleTrades"], 0);
    EXPECT_EQ(ours["stats"]["skippedPeriods"], 1);
    EXPECT_TRUE(mentions(ours["warnings"], "too few for a verdict"));
    // Instants under the reference's rules, plain days under ours.
    EXPECT_EQ(theirs["periods"][0]["inSampleStart"], "2025-01-02T00:00:00.000Z");
    EXPECT_EQ(ours["periods"][0]["inSampleStart"], "2025-01-02");
}

TEST_F(WalkForwardToolTest, WindowIsConsistentOnlyWithAProfit) {  // I-32
    // Alternating weeks of gains and losses; every window loses out of sample.
    std::vector<Row> rows = trades_of("alpha", 120, {10, -20, 15, -25, 5});
    write_block("A", rows);
    for (const char* const target : {"profitFactor", "winRate"}) {
        const Json arguments = {{"blockId", "A"},
                                {"inSampleDays", 28},
                                {"outOfSampleDays", 14},
                                {"optimizationTarget", target}};
        EXPECT_EQ(call(kTool, reference(arguments))["stats"]["consistencyScore"], 1) << target;
        const Json ours = call(kTool, arguments);
        EXPECT_EQ(ours["stats"]["consistencyScore"], 0) << target;
        EXPECT_LT(ours["periods"][0]["outOfSampleNetPl"], 0);
        EXPECT_EQ(ours["periods"][0]["consistent"], false);
    }
}

TEST_F(WalkForwardToolTest, OneLotIsApplied) {  // I-28
    std::vector<Row> rows = trades_of("alpha", 100, {100, -40, 60});
    for (Row& row : rows) {
        row.contracts = 4;
    }
    write_block("A", rows);
    const Json whole = {{"blockId", "A"},
                        {"inSampleDays", 28},
                        {"outOfSampleDays", 14},
                        {"optimizationTarget", "avgDailyPl"}};
    const Json one_lot = with(whole, {{"normalizeTo1Lot", true}});
    EXPECT_EQ(call(kTool, reference(one_lot))["summary"], call(kTool, reference(whole))["summary"]);
    EXPECT_NEAR(call(kTool, one_lot)["summary"]["avgInSamplePerformance"].get<double>() * 4,
                call(kTool, whole)["summary"]["avgInSamplePerformance"].get<double>(), 1e-9);
}

TEST_F(WalkForwardToolTest, OneGivenLengthImpliesTheOther) {  // I-29
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json arguments = with(kEma, {{"inSampleDays", 60}});
    EXPECT_EQ(call(kTool, reference(arguments))["config"]["inSampleDays"], 230);
    const Json ours = call(kTool, arguments);
    EXPECT_EQ(ours["config"]["inSampleDays"], 60);
    EXPECT_EQ(ours["config"]["outOfSampleDays"], 12);
    EXPECT_EQ(ours["config"]["stepSizeDays"], 12);
}

TEST_F(WalkForwardToolTest, ChosenParametersComeAlongAndLimitsAreNoAxes) {  // I-33, I-51
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json arguments =
        with(kEma, {{"inSampleDays", 60},
                    {"outOfSampleDays", 30},
                    {"stepSizeDays", 15},
                    {"parameterRanges",
                     {{"kellyMultiplier", {0.25, 1, 0.25}}, {"maxDrawdownPct", {4, 12, 4}}}}});
    const Json theirs = call(kTool, reference(arguments));
    EXPECT_EQ(theirs["config"]["combinations"], 12);
    EXPECT_EQ(theirs["recommendedParameters"]["maxDrawdownPct"]["value"], 8.8);  // the ties' first
    const Json ours = call(kTool, arguments);
    EXPECT_EQ(ours["config"]["combinations"], 4);
    EXPECT_FALSE(ours["recommendedParameters"].contains("maxDrawdownPct"));
    EXPECT_TRUE(mentions(ours["warnings"], "maxDrawdownPct"));
    for (const Json& period : ours["periods"]) {
        EXPECT_EQ(period["parameters"].size(), 1U);
        EXPECT_TRUE(period["parameters"].contains("kellyMultiplier"));
    }
    EXPECT_TRUE(ours["stats"]["outOfSampleOverlaps"]);  // I-58
    EXPECT_TRUE(mentions(ours["warnings"], "overlap"));
}

TEST_F(WalkForwardToolTest, UnknownParametersAreRefused) {  // I-51
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json arguments = with(kEma, {{"parameterRanges", {{"kellyMultiplyer", {1, 2, 1}}}}});
    EXPECT_EQ(call(kTool, reference(arguments))["config"]["combinations"], 2);
    EXPECT_NE(error_of(kTool, arguments).find("kellyMultiplyer"), std::string::npos);
    for (const Json& range : {Json({1}), Json({0.5, 1}), Json({0.5, 1, 0.5, 0})}) {
        EXPECT_NE(error_of(kTool, with(kEma, {{"parameterRanges", {{"kellyMultiplier", range}}}}))
                      .find("[min, max, step]"),
                  std::string::npos);
    }
    EXPECT_NE(error_of(kTool, with(kEma, {{"parameterRanges", {{"kellyMultiplier", {2, 1, 1}}}}})),
              "");
    EXPECT_NE(
        error_of(kTool,
                 with(kEma, {{"parameterRanges", {{"kellyMultiplier", {0, 1e308, 1e-308}}}}})),
        "");
}

TEST_F(WalkForwardToolTest, FloorsBelowZeroAreHonoured) {  // I-52
    // Every stretch loses: no Sharpe ratio reaches 0.
    write_block("A", with_funds(trades_of("alpha", 120, {10, -20, 15, -25, 5}), 10'000));
    const Json arguments = {
        {"blockId", "A"}, {"inSampleDays", 28}, {"outOfSampleDays", 14}, {"minSharpeRatio", 0}};
    const Json theirs = call(kTool, reference(arguments));
    EXPECT_GT(theirs["stats"]["evaluatedPeriods"], 3);
    EXPECT_EQ(theirs["performanceFloor"]["minSharpeRatio"], 0);
    EXPECT_TRUE(theirs["performanceFloor"]["minProfitFactor"].is_null());
    const Json ours = call(kTool, arguments);
    EXPECT_EQ(ours["stats"]["evaluatedPeriods"], 0);
    EXPECT_TRUE(mentions(ours["skippedWindows"], "no combination"));
    EXPECT_TRUE(ours["summary"]["avgInSamplePerformance"].is_null());
}

TEST_F(WalkForwardToolTest, ResultKnownLaterStaysOutOfTheFit) {  // I-58
    std::vector<Row> rows = with_funds(trades_of("alpha", 100, {20, -10}), 10'000);
    // Opened in the first in-sample stretch (28 days), closed in the following one.
    rows[15].closed = weekday(24);
    write_block("A", rows);
    const Json arguments = {{"blockId", "A"}, {"inSampleDays", 28}, {"outOfSampleDays", 14}};
    const Json theirs = call(kTool, reference(arguments))["periods"][0];
    const Json ours = call(kTool, arguments)["periods"][0];
    EXPECT_EQ(theirs["inSampleTrades"], 20);
    EXPECT_EQ(theirs["outOfSampleTrades"], 10);
    EXPECT_EQ(ours["inSampleTrades"], 19);
    EXPECT_EQ(ours["outOfSampleTrades"], 11);
}

TEST_F(WalkForwardToolTest, KeepingNoTradeIsNoCombination) {  // I-59
    write_block("A", trades_of("alpha", 120, {10, -20, 15, -25, 5}));
    const Json arguments = {{"blockId", "A"},
                            {"inSampleDays", 28},
                            {"outOfSampleDays", 14},
                            {"optimizationTarget", "netPl"},
                            {"parameterRanges", {{"strategy:alpha", {0, 1, 0.5}}}}};
    EXPECT_EQ(call(kTool, reference(arguments))["recommendedParameters"]["strategy:alpha"]["value"],
              0);
    const Json ours = call(kTool, arguments);
    EXPECT_EQ(ours["recommendedParameters"]["strategy:alpha"]["value"], 0.5);
    EXPECT_LT(ours["periods"][0]["targetMetricInSample"], 0);
}

TEST_F(WalkForwardToolTest, PartOfABlockRunsOnTheWholeAccount) {
    std::vector<Row> rows = trades_of("alpha", 100, {200, -100});
    std::vector<Row> more = trades_of("beta", 100, {-300, 400});
    rows.insert(rows.end(), more.begin(), more.end());
    double funds = 50'000;
    for (Row& row : rows) {
        funds += row.pl;  // not in closing order: the chain starts at 50,000 all the same
        row.funds = funds;
    }
    write_block("A", rows);
    const Json arguments = {{"blockId", "A"},
                            {"strategy", "BETA"},
                            {"inSampleDays", 28},
                            {"outOfSampleDays", 14},
                            {"optimizationTarget", "cagr"}};
    const Json by_list = {{"blockId", "A"},
                          {"selectedStrategies", {"Beta"}},
                          {"inSampleDays", 28},
                          {"outOfSampleDays", 14},
                          {"optimizationTarget", "cagr"}};
    const Json one = call(kTool, arguments);
    EXPECT_EQ(one["periods"], call(kTool, by_list)["periods"]);
    EXPECT_EQ(one["stats"]["analyzedTrades"], 100);
    // 20 trades of 50 on average in 28 days: 1,000 dollars of 50,000.
    const double growth = one["periods"][0]["targetMetricInSample"].get<double>();
    EXPECT_GT(growth, 25);
    EXPECT_LT(growth, 35);
}

TEST_F(WalkForwardToolTest, InfiniteFiguresAreNullWithAReason) {  // I-3
    std::vector<Row> rows = trades_of("alpha", 100, {10, -5});
    for (std::size_t i = 20; i < 30; ++i) {
        rows[i].pl = 10;  // the first out-of-sample stretch has winners only
    }
    write_block("A", rows);
    const Json arguments = {{"blockId", "A"},
                            {"inSampleDays", 28},
                            {"outOfSampleDays", 14},
                            {"optimizationTarget", "profitFactor"}};
    const Json ours = call(kTool, arguments);
    EXPECT_TRUE(ours["periods"][0]["targetMetricOutOfSample"].is_null());
    EXPECT_TRUE(mentions(ours["notes"], "infinite"));
}

TEST_F(WalkForwardToolTest, ConstraintsReportDiversification) {
    std::vector<Row> rows = trades_of("alpha", 100, {20, -10, 5, 8, -12, 30, -7});
    std::vector<Row> more = trades_of("beta", 100, {20, -10, 5, 8, -12, 30, -7});
    rows.insert(rows.end(), more.begin(), more.end());
    write_block("A", rows);
    const Json arguments = {{"blockId", "A"},
                            {"inSampleDays", 56},
                            {"outOfSampleDays", 14},
                            {"enableCorrelationConstraint", true}};
    // The same results every day: correlation 1, above every limit below it.
    const Json strict = call(kTool, arguments);
    EXPECT_EQ(strict["stats"]["evaluatedPeriods"], 0);
    EXPECT_EQ(strict["diversificationConstraints"]["maxCorrelationThreshold"], 0.7);
    const Json loose = call(kTool, with(arguments, {{"maxCorrelationThreshold", 1}}));
    ASSERT_GT(loose["stats"]["evaluatedPeriods"], 0);
    EXPECT_EQ(loose["periods"][0]["diversificationMetrics"]["maxCorrelation"], 1);
    EXPECT_EQ(loose["periods"][0]["diversificationMetrics"]["maxCorrelationPair"],
              Json({"alpha", "beta"}));
    EXPECT_EQ(loose["summary"]["avgCorrelationAcrossPeriods"], 1);
    EXPECT_TRUE(call(kTool, {{"blockId", "A"}})["diversificationConstraints"].is_null());
}

TEST_F(WalkForwardToolTest, ConstraintsAreEchoedUnderTheReferencesNames) {
    write_block("A", trades_of("alpha", 100, {20, -10, 5}));
    const Json arguments = {{"blockId", "A"},
                            {"enableTailRiskConstraint", true},
                            {"diversificationNormalization", "margin"},
                            {"diversificationDateBasis", "closed"}};
    for (const Json& call_arguments : {arguments, reference(arguments)}) {
        const Json constraints = call(kTool, call_arguments)["diversificationConstraints"];
        EXPECT_EQ(constraints.value("normalization", ""), "margin");
        EXPECT_EQ(constraints.value("dateBasis", ""), "closed");
    }
}

TEST_F(WalkForwardToolTest, OneStrategyAloneHasNoDiversification) {
    std::vector<Row> rows = trades_of("alpha", 100, {20, -10, 5, 8, -12, 30, -7});
    std::vector<Row> more = trades_of("beta", 50, {3, 9, -10, -4, 16});  // ends half way
    rows.insert(rows.end(), more.begin(), more.end());
    write_block("A", rows);
    const Json arguments = {{"blockId", "A"},
                            {"inSampleDays", 28},
                            {"outOfSampleDays", 14},
                            {"optimizationTarget", "netPl"},
                            {"enableCorrelationConstraint", true},
                            {"maxCorrelationThreshold", 1}};
    for (const Json& call_arguments : {arguments, reference(arguments)}) {
        const Json answer = call(kTool, call_arguments);
        ASSERT_GE(answer["periods"].size(), 3U);
        EXPECT_TRUE(answer["periods"][0]["diversificationMetrics"].is_object());
        EXPECT_TRUE(answer["periods"].back()["diversificationMetrics"].is_null());
        EXPECT_EQ(answer["summary"]["avgEffectiveFactors"], 2);
    }
}

TEST_F(WalkForwardToolTest, ReferenceScalesMarginAndPriceAway) {
    std::vector<Row> rows = trades_of("alpha", 60, {20, -10, 5, 8, -12, 30, -7});
    std::vector<Row> more = trades_of("beta", 60, {3, 9, -10, -4, 16});
    rows.insert(rows.end(), more.begin(), more.end());
    write_block("A", rows);
    const Json arguments = {{"blockId", "A"},
                            {"inSampleDays", 28},
                            {"outOfSampleDays", 14},
                            {"optimizationTarget", "netPl"},
                            {"enableCorrelationConstraint", true},
                            {"diversificationNormalization", "margin"}};
    const Json none = {
        {"avgCorrelation", 0},    {"maxCorrelation", 0},    {"maxCorrelationPair", {"", ""}},
        {"avgTailDependence", 0}, {"maxTailDependence", 0}, {"maxTailDependencePair", {"", ""}},
        {"effectiveFactors", 0},  {"highRiskPairsPct", 0},  {"insufficientTailDataPairs", 0},
        {"totalPairs", 0}};
    EXPECT_EQ(call(kTool, reference(arguments))["periods"][0]["diversificationMetrics"], none);
    const Json ours = call(kTool, arguments)["periods"][0]["diversificationMetrics"];
    EXPECT_EQ(ours["totalPairs"], 1);
    EXPECT_TRUE(ours["maxTailDependencePair"].is_null());
}

TEST_F(WalkForwardToolTest, ReferenceIsCompleteWithinTheLargestAnswer) {
    write_block("A", trades_of("alpha", 260, {20, -10, 5, 8, -12, 30, -7}));
    const Json arguments = {{"blockId", "A"},
                            {"inSampleDays", 28},
                            {"outOfSampleDays", 1},
                            {"minOutOfSampleTrades", 1}};
    const Json all = call(kTool, reference(arguments));
    ASSERT_GT(mcp::to_json_text(all).size(), mcp::kMaxResultChars);
    EXPECT_EQ(call(kTool, reference(arguments), mcp::kDefaultResultChars)["periods"],
              all["periods"]);
    EXPECT_TRUE(call(kTool, arguments, mcp::kDefaultResultChars).contains("shortened"));
}

TEST_F(WalkForwardToolTest, RateIsNamedAndGivenOnesCount) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    EXPECT_EQ(call(kTool, kEma)["riskFreeRate"]["series"], "FRED_DTB3");
    EXPECT_EQ(call(kTool, kEma)["riskFreeRate"]["rateIs"], "bond_equivalent_yield");
    const Json fixed = call(kTool, with(kEma, {{"riskFreeRateAnnualPct", 20}}));
    EXPECT_EQ(fixed["riskFreeRate"], Json({{"mode", "fixed"}, {"annualRatePct", 20}}));
    EXPECT_LT(fixed["summary"]["avgInSamplePerformance"],
              call(kTool, kEma)["summary"]["avgInSamplePerformance"]);
}

TEST_F(WalkForwardToolTest, LongListsAreShortenedAndSaySo) {
    write_block("A", trades_of("alpha", 500, {20, -10, 5}));
    const Json arguments = {
        {"blockId", "A"}, {"inSampleDays", 28}, {"outOfSampleDays", 7}, {"stepSizeDays", 2}};
    const Json whole = call(kTool, arguments);
    ASSERT_GT(whole["periods"].size(), 200U);
    const Json cut = call(kTool, arguments, 24'000);
    EXPECT_LE(mcp::to_json_text(cut).size(), 24'000U);
    EXPECT_EQ(cut["shortened"].back()["list"], "periods");
    EXPECT_EQ(cut["shortened"].back()["total"], whole["periods"].size());
    EXPECT_EQ(cut["summary"], whole["summary"]);
    const std::string text = text_of(kTool, arguments, 24'000);
    EXPECT_LE(text.size(), 24'000U);
    EXPECT_NE(text.find("Conventions: correct"), std::string::npos);
    // The reference's form is complete whatever the budget.
    EXPECT_FALSE(call(kTool, reference(arguments), 24'000).contains("shortened"));
}

}  // namespace
}  // namespace tb::tools::test
