// run_monte_carlo through the tool: each item of 02 §6 that is its own, seeds, bands.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "analytics/monte_carlo.h"
#include "mcp/json_text.h"
#include "mcp/render.h"
#include "risk_fixture.h"

namespace tb::tools::test {
namespace {

using MonteCarloToolTest = RiskToolsTest;
constexpr const char* kTool = "run_monte_carlo";
const Json kEma = {{"blockId", "EMA Test Data"}, {"randomSeed", 7}};
const Json kMeic = {{"blockId", "MEIC Test Data"}, {"randomSeed", 7}};

// |figure - expected| within four standard errors of the figure's own.
void expect_near(const Json& answer, const std::string& figure, double expected) {
    const double value = answer["statistics"][figure];
    const double error = answer["standardErrors"][figure];
    EXPECT_LE(std::abs(value - expected), 4 * error) << figure << " " << value;
    EXPECT_GT(error, 0) << figure;
}

TEST_F(MonteCarloToolTest, WorstCasesAreOnlyInTheReferencesDefault) {  // I-34
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json theirs = call(kTool, reference(kEma));
    EXPECT_TRUE(theirs["parameters"]["worstCaseEnabled"]);
    EXPECT_NEAR(theirs["statistics"]["meanFinalValue"].get<double>(), -710'639, 40'000);
    EXPECT_EQ(theirs["statistics"]["probabilityOfProfit"], 0);
    const Json ours = call(kTool, kEma);
    EXPECT_FALSE(ours["parameters"]["worstCaseEnabled"]);
    expect_near(ours, "meanFinalValue", 119'735);  // C0 + L*m exactly
    EXPECT_GT(ours["statistics"]["probabilityOfProfit"], 0.7);
    EXPECT_TRUE(ours["withoutWorstCase"].is_null());
    // Asked for, the figures without them come along: those of the same paths.
    const Json stressed = call(kTool, with(kEma, {{"includeWorstCase", true}}));
    EXPECT_LT(stressed["statistics"]["meanFinalValue"], 10'000);
    EXPECT_EQ(stressed["withoutWorstCase"]["statistics"], ours["statistics"]);
    EXPECT_EQ(stressed["withoutWorstCase"]["standardErrors"], ours["standardErrors"]);
    EXPECT_TRUE(mentions(stressed["warnings"], "withoutWorstCase"));
    EXPECT_EQ(stressed["worstCaseLosses"].size(), 2U);
}

TEST_F(MonteCarloToolTest, NothingIsLostBeyondTheAccount) {  // I-36
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json arguments = with(kEma, {{"includeWorstCase", true}});
    const Json theirs = call(kTool, reference(arguments));
    EXPECT_TRUE(theirs["statistics"]["meanAnnualizedReturn"].is_null());
    EXPECT_TRUE(mentions(theirs["notes"], "meanAnnualizedReturn"));
    EXPECT_GT(theirs["statistics"]["meanMaxDrawdown"], 7);
    EXPECT_LT(theirs["valueAtRisk"]["p5"], -1);
    const Json ours = call(kTool, arguments);
    EXPECT_EQ(ours["statistics"]["medianAnnualizedReturn"], -1);
    EXPECT_GE(ours["statistics"]["meanAnnualizedReturn"], -1);
    EXPECT_LE(ours["statistics"]["meanMaxDrawdown"], 1);
    EXPECT_EQ(ours["valueAtRisk"]["p5"], -1);
    EXPECT_EQ(ours["lossAtRisk"]["var95"], 1);
    EXPECT_GT(ours["statistics"]["zeroBalancePaths"], 0.5);
}

TEST_F(MonteCarloToolTest, EverySeedIsAsGoodAsAnyOtherAndGivesTheSameAgain) {  // I-37
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    // -100000 makes the reference's generator leave the unit interval.
    const Json seeds = {-100'000,
                        0,
                        42,
                        43,
                        std::numeric_limits<std::int64_t>::min(),
                        std::numeric_limits<std::uint64_t>::max()};
    Json means = Json::array();
    ASSERT_TRUE(app().fresh_block("EMA Test Data", {}).has_value());
    for (const Json& seed : seeds) {
        const Json arguments = with(kEma, {{"randomSeed", seed}});
        const Json ours = call(kTool, arguments);
        EXPECT_EQ(ours["seed"], seed);
        expect_near(ours, "meanFinalValue", 119'735);
        expect_near(ours, "stdFinalValue", 21'330.7);  // 02 §8, exact variance
        EXPECT_EQ(call(kTool, arguments), ours);
        EXPECT_FALSE(mentions(means, ours["statistics"]["meanFinalValue"].dump()));
        means.push_back(ours["statistics"]["meanFinalValue"]);
    }
    EXPECT_NE(error_of(kTool, with(kEma, {{"randomSeed", 1e300}})).find("64 bits"),
              std::string::npos);
    // Without one every call has another, and the answer names it.
    // The same number wherever it is said.
    const Json negative = with(kEma, {{"randomSeed", -5}, {"explain", true}});
    EXPECT_NE(text_of(kTool, negative).find("seed -5."), std::string::npos);
    EXPECT_EQ(call(kTool, negative)["explain"][0]["inputs"]["seed"], -5);
    Json unseeded = kEma;
    unseeded.erase("randomSeed");
    const Json first = call(kTool, unseeded);
    EXPECT_NE(first["seed"], call(kTool, unseeded)["seed"]);
    EXPECT_TRUE(first["parameters"]["randomSeed"].is_null());
    EXPECT_EQ(call(kTool, with(kEma, {{"randomSeed", first["seed"]}}))["statistics"],
              first["statistics"]);
}

TEST_F(MonteCarloToolTest, FiguresDoNotDependOnTheNumberOfThreads) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json ours =
        call(kTool, with(kEma, {{"riskFreeRateAnnualPct", 3}, {"includeWorstCase", true}}));
    const auto block = app().fresh_block("EMA Test Data", {});
    ASSERT_TRUE(block.has_value());
    analytics::MonteCarloParameters parameters;
    parameters.seed = 7;
    parameters.risk_free_annual_pct = 3;
    parameters.include_worst_case = true;
    parameters.band_points = 20;
    for (const unsigned threads : {1U, 2U, 5U}) {
        const auto direct = analytics::run_monte_carlo(
            block->data->trades, parameters, analytics::Conventions::kCorrect, {threads, {}, {}});
        ASSERT_TRUE(direct.has_value());
        const auto& s = direct->outcome.statistics;
        EXPECT_EQ(ours["statistics"]["meanFinalValue"], *s.mean_final_value.value);
        EXPECT_EQ(ours["statistics"]["meanSharpeRatio"], *s.mean_sharpe_ratio.value);
        EXPECT_EQ(ours["standardErrors"]["medianMaxDrawdown"],
                  *s.median_max_drawdown.standard_error);
        EXPECT_EQ(ours["bands"][7]["p25"], direct->outcome.bands[7].p25);
    }
}

TEST_F(MonteCarloToolTest, StartCapitalIsTheAccountsNotTheFirstRows) {  // I-56
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json small = with(kMeic, {{"numSimulations", 100}});
    EXPECT_NEAR(call(kTool, reference(small))["parameters"]["initialCapital"].get<double>(),
                123'954.64, 1e-9);
    EXPECT_NEAR(call(kTool, small)["parameters"]["initialCapital"].get<double>(), 125'000, 1e-9);
    // A part of the account starts with what the account held before its first result.
    const Json part = call(kTool, with(kEma, {{"strategy", "0dte pcs - ema entry"}}));
    EXPECT_EQ(part["parameters"]["initialCapital"], 99'346);
    EXPECT_EQ(part["parameters"]["simulationLength"], 179);
}

TEST_F(MonteCarloToolTest, DailyStepsAreCountedInDays) {  // I-48
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json daily = with(kEma, {{"resampleMethod", "daily"}, {"includeWorstCase", false}});
    const Json theirs = call(kTool, reference(daily));
    EXPECT_EQ(theirs["parameters"]["simulationLength"], 384);
    EXPECT_NEAR(theirs["statistics"]["medianAnnualizedReturn"].get<double>(), 0.58, 0.08);
    EXPECT_NEAR(theirs["statistics"]["meanSharpeRatio"].get<double>(), 1.77, 0.2);
    const Json ours = call(kTool, with(daily, {{"riskFreeRateAnnualPct", 0}}));
    EXPECT_EQ(ours["parameters"]["simulationLength"], 185);
    EXPECT_EQ(ours["actualResamplePoolSize"], 185);
    EXPECT_NEAR(ours["parameters"]["tradesPerYear"].get<double>(), 185 / 279.0 * 365, 1e-9);
    EXPECT_NEAR(ours["statistics"]["medianAnnualizedReturn"].get<double>(), 0.24, 0.05);
    EXPECT_NEAR(ours["statistics"]["meanSharpeRatio"].get<double>(), 1.22, 0.2);
}

TEST_F(MonteCarloToolTest, FeesAreDeductedWhereTheFileHasThemApart) {  // I-17
    std::vector<Row> rows = trades_of("alpha", 40, {100, -50, 30, -20});
    for (Row& row : rows) {
        row.fees = 10;
        row.gross = true;
        row.funds = 50'000;
    }
    write_block("A", rows);
    const Json arguments = {
        {"blockId", "A"}, {"randomSeed", 1}, {"resampleMode", "iid"}, {"initialCapital", 10'000}};
    // Mean of the results 15 with fees left in, 5 without; 40 steps.
    expect_near(call(kTool, reference(with(arguments, {{"includeWorstCase", false}}))),
                "meanFinalValue", 10'600);
    expect_near(call(kTool, arguments), "meanFinalValue", 10'200);
}

TEST_F(MonteCarloToolTest, StrategyIsFilteredOnceWithoutRegardToCase) {  // I-6
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json lower = with(kEma, {{"strategy", "0dte pcs - ema entry"}, {"numSimulations", 100}});
    EXPECT_NE(error_of(kTool, reference(lower)).find("10 trades"), std::string::npos);
    EXPECT_EQ(call(kTool, lower)["actualResamplePoolSize"], 179);
    const std::string unknown = error_of(kTool, with(kEma, {{"strategy", "0DTE PCS EMA Entry"}}));
    EXPECT_NE(unknown.find("did you mean '0DTE PCS - EMA Entry'"), std::string::npos) << unknown;
    EXPECT_FALSE(error_of(kTool, with(kEma, {{"strategy", "all"}})).empty());  // no magic name
}

TEST_F(MonteCarloToolTest, SyntheticLossTakesMaxLossAsPercentOfPremium) {  // I-35
    std::vector<Row> rows = trades_of("alpha", 20, {12, -8, 6});
    for (Row& row : rows) {
        row.margin.reset();
        row.max_loss = -50;  // of 2.00 * 100 dollars
        row.funds = 10'000;
    }
    write_block("A", rows);
    const Json arguments = {{"blockId", "A"},
                            {"randomSeed", 3},
                            {"includeWorstCase", true},
                            {"worstCaseSizing", "absolute"},
                            {"numSimulations", 100}};
    EXPECT_EQ(call(kTool, reference(arguments))["worstCaseLosses"][0]["lossUsd"], 50);
    const Json ours = call(kTool, arguments);
    EXPECT_EQ(ours["worstCaseLosses"][0]["lossUsd"], 100);
    EXPECT_EQ(ours["worstCaseLosses"][0]["value"], -100);
}

TEST_F(MonteCarloToolTest, SharpeDeductsTheRateAndLossesArePositive) {  // I-53
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const auto sharpe = [&](const Json& more) {
        return call(kTool, with(kEma, more))["statistics"]["meanSharpeRatio"].get<double>();
    };
    const Json ours = call(kTool, kEma);
    EXPECT_EQ(ours["riskFreeRate"]["series"], "FRED_DTB3");
    const double mean_rate = ours["riskFreeRate"]["annualRatePct"];
    EXPECT_GT(mean_rate, 4);
    EXPECT_LT(mean_rate, 4.5);
    EXPECT_EQ(sharpe({{"riskFreeRateAnnualPct", mean_rate}}),
              ours["statistics"]["meanSharpeRatio"]);
    EXPECT_GT(sharpe({{"riskFreeRateAnnualPct", 0}}), sharpe({{"riskFreeRateAnnualPct", 5}}));
    const Json theirs =
        reference(with(kEma, {{"includeWorstCase", false}, {"riskFreeRateAnnualPct", 5}}));
    const Json free =
        reference(with(kEma, {{"includeWorstCase", false}, {"riskFreeRateAnnualPct", 0}}));
    EXPECT_EQ(call(kTool, theirs)["statistics"]["meanSharpeRatio"],
              call(kTool, free)["statistics"]["meanSharpeRatio"]);
    EXPECT_LT(ours["valueAtRisk"]["p5"], 0);
    EXPECT_EQ(ours["lossAtRisk"]["var95"].get<double>(), -ours["valueAtRisk"]["p5"].get<double>());
    EXPECT_GT(ours["lossAtRisk"]["expectedShortfall95"], ours["lossAtRisk"]["var95"]);
}

TEST_F(MonteCarloToolTest, BandsEndInTheQuantilesAndStayInTheBudget) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json arguments = with(kEma, {{"bandPoints", 200}});
    const Json whole = call(kTool, arguments);
    ASSERT_EQ(whole["bands"].size(), 200U);
    EXPECT_EQ(whole["bands"][0]["step"], 1);
    Json last = whole["bands"].back();
    EXPECT_EQ(last["step"], 384);
    last.erase("step");
    EXPECT_EQ(last, whole["percentileBands"]);
    EXPECT_FALSE(whole.contains("shortened"));
    const Json cut = call(kTool, arguments, 8'000);
    EXPECT_LE(mcp::to_json_text(cut).size(), 8'000U);
    EXPECT_EQ(cut["shortened"][0]["list"], "bands");
    EXPECT_EQ(cut["shortened"][0]["total"], 200);
    EXPECT_EQ(cut["shortened"][0]["shown"], cut["bands"].size());
    ASSERT_GT(cut["bands"].size(), 10U);
    EXPECT_EQ(cut["bands"][0], whole["bands"][0]);
    EXPECT_EQ(cut["bands"].back(), whole["bands"].back());
    const auto spacing = 384 / static_cast<std::int64_t>(cut["bands"].size());
    for (std::size_t i = 1; i < cut["bands"].size(); ++i) {
        const auto step = [&](std::size_t k) {
            return cut["bands"][k]["step"].get<std::int64_t>();
        };
        EXPECT_GT(step(i), step(i - 1));
        EXPECT_LE(step(i) - step(i - 1), 2 * spacing + 2);
    }
    EXPECT_TRUE(mentions(cut["warnings"], "maxChars"));
    EXPECT_EQ(cut["statistics"], whole["statistics"]);
    EXPECT_TRUE(call(kTool, with(kEma, {{"bandPoints", 0}}))["bands"].empty());
}

TEST_F(MonteCarloToolTest, TextStandsAloneAndExplanationsChangeNoFigure) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const std::string text = text_of(kTool, kEma);
    Json plain = call(kTool, kEma);
    for (const char* const figure : {"meanFinalValue", "stdFinalValue"}) {
        EXPECT_NE(text.find(mcp::money_text(plain["statistics"][figure])), std::string::npos);
        EXPECT_NE(text.find(mcp::money_text(plain["standardErrors"][figure])), std::string::npos);
    }
    EXPECT_NE(text.find("seed 7"), std::string::npos);
    EXPECT_NE(text.find("Conventions: correct"), std::string::npos);
    EXPECT_FALSE(plain.contains("explain"));
    Json explained = call(kTool, with(kEma, {{"explain", true}}));
    ASSERT_GE(explained["explain"].size(), 5U);
    EXPECT_EQ(explained["explain"][0]["figure"], "statistics.meanFinalValue");
    EXPECT_EQ(explained["explain"][0]["rows"], 384);
    EXPECT_EQ(explained["explain"][0]["inputs"]["seed"], 7);
    EXPECT_EQ(explained["dataVersion"]["EMA Test Data"].get<std::string>().size(), 64U);
    EXPECT_EQ(explained["units"]["meanFinalValue"], "USD");
    explained.erase("explain");
    explained.erase("units");
    explained.erase("dataVersion");
    EXPECT_EQ(explained, plain);
}

TEST_F(MonteCarloToolTest, EveryFigureIsExplained) {
    write_block("A", with_funds(trades_of("alpha", 40, {5, -3}), 1000));
    for (const bool as_reference : {false, true}) {
        const Json arguments = {{"blockId", "A"},
                                {"numSimulations", 100},
                                {"includeWorstCase", true},
                                {"ruinThresholdPct", 0.2},
                                {"explain", true}};
        const Json answer = call(kTool, as_reference ? reference(arguments) : arguments);
        for (const char* const object : {"statistics", "lossAtRisk"}) {
            for (const auto& [name, value] : answer[object].items()) {
                EXPECT_FALSE(explanation_of(answer, std::string(object) + "." + name).is_null())
                    << object << "." << name;
            }
        }
        for (const char* const figure :
             {"valueAtRisk", "percentileBands", "bands", "standardErrors", "worstCaseLosses"}) {
            EXPECT_FALSE(explanation_of(answer, figure).is_null()) << figure;
        }
    }
}

TEST_F(MonteCarloToolTest, LossesHaveStandardErrorsToo) {
    write_block("A", with_funds(trades_of("alpha", 40, {5, -3, 8, -12}), 1000));
    const Json answer = call(kTool, {{"blockId", "A"}, {"randomSeed", 1}});
    const Json& errors = answer["standardErrors"];
    EXPECT_EQ(errors["var95"], errors["p5"]);
    EXPECT_EQ(errors["var90"], errors["p10"]);
    for (const auto& [name, value] : answer["lossAtRisk"].items()) {
        EXPECT_GT(errors[name].get<double>(), 0) << name;
    }
}

// 02 I-13, I-56: the start capital of get_statistics, also where only a daily log states it.
TEST_F(MonteCarloToolTest, StartsFromTheCapitalOfTheStatistics) {
    std::vector<Row> rows = trades_of("alpha", 20, {50, -30});
    for (std::size_t i = 1; i < rows.size(); i += 2) {
        rows[i].strategy = "beta";
    }
    write_block("A", rows);
    std::string log = "Date,Net Liquidity,P/L,Drawdown %\n";
    double balance = 50'000;
    for (const Row& row : rows) {
        balance += row.pl;
        log += row.opened.to_iso() + "," + std::to_string(balance) + "," + std::to_string(row.pl) +
               ",0\n";
    }
    dir_.write("A/dailylog.csv", log);
    for (const Json& more :
         {Json::object(), Json{{"strategy", "alpha"}}, Json{{"resampleMethod", "percentage"}}}) {
        const Json answer = call(kTool, with({{"blockId", "A"}, {"numSimulations", 100}}, more));
        EXPECT_EQ(answer["parameters"]["initialCapital"], 50'000) << more.dump();
        EXPECT_FALSE(mentions(answer["warnings"], "assumed")) << more.dump();
    }
    EXPECT_FALSE(mentions(call("run_walk_forward", {{"blockId", "A"}})["warnings"], "assumed"));
}

TEST_F(MonteCarloToolTest, AnAssumedCapitalIsSaidOnce) {
    write_block("A", trades_of("alpha", 40, {5, -3}));
    const Json answer = call(kTool, {{"blockId", "A"}, {"resampleMethod", "percentage"}});
    std::size_t said = 0;
    for (const Json& warning : answer["warnings"]) {
        said += warning.get<std::string>().find("are assumed") != std::string::npos ? 1U : 0U;
    }
    EXPECT_EQ(said, 1U);
}

TEST_F(MonteCarloToolTest, ImpossibleRequestsSayWhatIsAllowed) {
    write_block("A", trades_of("alpha", 9, {5, -3}));
    const auto error = [&](const Json& more) {
        return error_of(kTool, with({{"blockId", "A"}}, more));
    };
    EXPECT_NE(error(Json::object()).find("at least 10 trades"), std::string::npos);
    EXPECT_NE(error({{"numSimulations", 50}}).find("from 100 to 10000"), std::string::npos);
    EXPECT_NE(error({{"ruinThresholdPct", 0}}).find("above 0"), std::string::npos);
    EXPECT_NE(error({{"initialCapital", 0}}).find("positive"), std::string::npos);
    EXPECT_NE(error({{"numSimulation", 500}}).find("did you mean 'numSimulations'"),
              std::string::npos);
    // Before the block is looked for, as a wrong argument.
    EXPECT_NE(error_of(kTool, {{"blockId", "none"},
                               {"resampleMethod", "percentage"},
                               {"worstCaseSizing", "absolute"}})
                  .find("worstCaseSizing"),
              std::string::npos);
    write_block("B", trades_of("alpha", 10, {5, -3}));
    EXPECT_NE(
        error_of(kTool,
                 {{"blockId", "B"}, {"numSimulations", 10'000}, {"simulationLength", 200'000}})
            .find("exceed the limit"),
        std::string::npos);
}

}  // namespace
}  // namespace tb::tools::test
