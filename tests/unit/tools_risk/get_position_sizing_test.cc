// get_position_sizing through the tool: each item of 02 §6 that is its own.
#include <algorithm>

#include <gtest/gtest.h>

#include "risk_fixture.h"

namespace tb::tools::test {
namespace {

using SizingToolTest = RiskToolsTest;
constexpr const char* kTool = "get_position_sizing";
const Json kEma = {{"blockId", "EMA Test Data"}, {"capitalBase", 100'000}};

TEST_F(SizingToolTest, MarginReturnsAreUsedWhenAskedForAndNamed) {  // I-18
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json by_margin = with(kEma, {{"useMarginReturns", true}});
    const Json theirs = call(kTool, reference(by_margin))["portfolio"];
    EXPECT_EQ(theirs["calculationMethod"], "percentage");
    EXPECT_NEAR(theirs["rawKellyFraction"].get<double>(), 0.04988, 5e-6);
    EXPECT_EQ(theirs, call(kTool, reference(kEma))["portfolio"]);
    const Json ours = call(kTool, by_margin)["portfolio"];
    EXPECT_EQ(ours["calculationMethod"], "percentage");
    EXPECT_NEAR(ours["rawKellyFraction"].get<double>(), 0.04787, 5e-6);
    EXPECT_NEAR(ours["recommendedAllocation"].get<double>(), 100'000 * 0.04787 / 2, 0.5);
    const Json plain = call(kTool, kEma)["portfolio"];
    EXPECT_EQ(plain["calculationMethod"], "absolute");
    EXPECT_NEAR(plain["rawKellyFraction"].get<double>(), 0.05221, 5e-6);  // ties left out
}

TEST_F(SizingToolTest, ExplanationNamesTheMarginVersionWhereItIsUsed) {
    std::vector<Row> rows = trades_of("alpha", 40, {30, -20, 0, 10, -5});
    rows[0].margin = 0;
    write_block("A", rows);
    const Json plain = {{"blockId", "A"}, {"capitalBase", 10'000}, {"explain", true}};
    const Json by_margin = with(plain, {{"useMarginReturns", true}});
    const auto fraction_of = [&](const Json& arguments) {
        const Json answer = call(kTool, arguments);
        const Json explanation = answer["explain"][0];
        EXPECT_EQ(explanation["figure"], "portfolio.rawKellyFraction");
        const double p = explanation["inputs"]["p"].get<double>();
        const double b = explanation["inputs"]["b"].get<double>();
        EXPECT_NEAR((b * p - (1 - p)) / b, answer["portfolio"]["rawKellyFraction"].get<double>(),
                    1e-12);
        return explanation;
    };
    const Json dollars = fraction_of(plain);
    EXPECT_NE(dollars["formula"].get<std::string>().find("winners/(winners + losers) and b = "
                                                         "avgWin/avgLoss"),
              std::string::npos);
    EXPECT_EQ(dollars["rows"], 40);
    EXPECT_EQ(dollars["inputs"]["p"], 16.0 / 32);
    // By margin neither the break-evens count nor the trade without margin.
    const Json margin = fraction_of(by_margin);
    EXPECT_NE(margin["formula"].get<std::string>().find("winners/(winners + losers)"),
              std::string::npos);
    EXPECT_EQ(margin["rows"], 39);
    EXPECT_EQ(margin["inputs"]["p"], 15.0 / 31);
    // The reference ignores the wish whatever its label says.
    EXPECT_EQ(fraction_of(reference(by_margin))["formula"],
              "(b*p - (1-p))/b with p = winners/trades and b = avgWin/avgLoss");
}

TEST_F(SizingToolTest, EveryFigureIsExplained) {
    write_block("A", trades_of("alpha", 40, {30, -20, 10}));
    const Json answer = call(kTool, {{"blockId", "A"}, {"capitalBase", 10'000}, {"explain", true}});
    for (const auto& [name, value] : answer["portfolio"].items()) {
        if (value.is_number()) {
            EXPECT_FALSE(explanation_of(answer, "portfolio." + name).is_null()) << name;
        }
    }
    for (const char* const figure : {"strategies[].rawAllocation", "strategies[].scaledAllocation",
                                     "totalAllocation", "totalAllocationPct"}) {
        EXPECT_FALSE(explanation_of(answer, figure).is_null()) << figure;
    }
    const Json inputs = explanation_of(answer, "portfolio.recommendedAllocation")["inputs"];
    EXPECT_EQ(answer["portfolio"]["recommendedAllocation"].get<double>(),
              inputs["capital"].get<double>() *
                  std::max(0.0, std::min(inputs["kelly"].get<double>() *
                                             inputs["multiplier"].get<double>(),
                                         inputs["cap"].get<double>())));
}

TEST_F(SizingToolTest, AllocationsAreSummedAndScaled) {  // I-42
    std::vector<Row> rows;
    for (const char* const name : {"a", "b", "c", "d", "e", "f"}) {
        for (Row& row : trades_of(name, 20, {100, 100, 100, -50})) {
            rows.push_back(row);
        }
    }
    write_block("A", rows);
    const Json arguments = {{"blockId", "A"}, {"capitalBase", 10'000}, {"kellyFraction", "full"}};
    const Json ours = call(kTool, arguments);
    // f = 0.75 - 0.25/2 = 0.625, capped at 0.25: six times a quarter.
    EXPECT_EQ(ours["totalAllocation"], 15'000);
    EXPECT_EQ(ours["totalAllocationPct"], 150);
    double sum = 0;
    for (const Json& strategy : ours["strategies"]) {
        EXPECT_EQ(strategy["rawKellyFraction"], 0.625);
        EXPECT_EQ(strategy["adjustedAllocation"], 2'500);
        sum += strategy["scaledAllocation"].get<double>();
    }
    EXPECT_NEAR(sum, 10'000, 1e-9);
    EXPECT_TRUE(mentions(ours["warnings"], "150"));
    EXPECT_EQ(call(kTool, reference(arguments))["strategies"][5]["adjustedAllocation"], 2'500);
}

TEST_F(SizingToolTest, FeesCount) {  // I-17
    std::vector<Row> rows = trades_of("alpha", 20, {30, -20});
    for (Row& row : rows) {
        row.gross = true;
        row.fees = 10;
    }
    write_block("A", rows);
    const Json arguments = {{"blockId", "A"}, {"capitalBase", 1'000}};
    // Reported: b = 1.5, f = 1/6. Net: 20 and -30, b = 2/3, f = -0.25.
    EXPECT_NEAR(call(kTool, reference(arguments))["portfolio"]["rawKellyFraction"].get<double>(),
                1.0 / 6, 1e-12);
    const Json ours = call(kTool, arguments);
    EXPECT_NEAR(ours["portfolio"]["rawKellyFraction"].get<double>(), -0.25, 1e-12);
    EXPECT_EQ(ours["portfolio"]["recommendedAllocation"], 0);
    EXPECT_TRUE(mentions(ours["warnings"], "negative"));
    EXPECT_EQ(call(kTool, with(arguments, {{"includeNegativeKelly", false}}))["strategies"].size(),
              0U);
}

TEST_F(SizingToolTest, WithoutALoserThereIsNoFractionAndItSaysWhy) {
    write_block("A", trades_of("alpha", 20, {30}));
    const Json ours = call(kTool, {{"blockId", "A"}, {"capitalBase", 1'000}});
    EXPECT_FALSE(ours["portfolio"]["hasValidKelly"]);
    EXPECT_TRUE(ours["portfolio"]["fullKelly"].is_null());
    EXPECT_TRUE(mentions(ours["notes"], "fullKelly") || mentions(ours["notes"], "Kelly"));
}

TEST_F(SizingToolTest, FewTradesAreSkippedByNameAndOrderFollowsTheWish) {
    std::vector<Row> rows = trades_of("big", 30, {30, 10, -20});
    for (const Row& row : trades_of("Able", 12, {50, -20})) {
        rows.push_back(row);
    }
    for (const Row& row : trades_of("few", 3, {50, -20})) {
        rows.push_back(row);
    }
    write_block("A", rows);
    const auto names = [&](const Json& more) {
        const Json answer = call(kTool, with({{"blockId", "A"}, {"capitalBase", 1'000}}, more));
        std::string text;
        for (const Json& strategy : answer["strategies"]) {
            text += strategy["name"].get<std::string>() + " ";
        }
        return text + answer["skippedStrategies"].dump();
    };
    EXPECT_EQ(names({{"sortBy", "name"}, {"sortOrder", "asc"}}), "Able big [\"few (3 trades)\"]");
    EXPECT_EQ(names({{"sortBy", "winRate"}}), "big Able [\"few (3 trades)\"]");
    EXPECT_EQ(names({{"minTrades", 3}, {"sortBy", "name"}}), "few big Able []");
    EXPECT_EQ(names({{"strategy", "BIG"}}), "big []");
    EXPECT_NE(error_of(kTool, {{"blockId", "A"}, {"capitalBase", 0}}).find("capital"),
              std::string::npos);
    EXPECT_NE(error_of(kTool, {{"blockId", "A"}}).find("'capitalBase' is required"),
              std::string::npos);
    EXPECT_NE(error_of(kTool, {{"blockId", "A"}, {"capitalBase", 5}, {"strategy", "bigg"}})
                  .find("did you mean 'big'"),
              std::string::npos);
}

}  // namespace
}  // namespace tb::tools::test
