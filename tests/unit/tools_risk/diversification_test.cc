// get_correlation_matrix and get_tail_risk through the tools: each item of 02 §6 that is theirs.
#include <gtest/gtest.h>

#include "mcp/json_text.h"
#include "mcp/render.h"
#include "risk_fixture.h"

namespace tb::tools::test {
namespace {

using CorrelationToolTest = RiskToolsTest;
using TailRiskToolTest = RiskToolsTest;
constexpr const char* kCorrelation = "get_correlation_matrix";
constexpr const char* kTailRisk = "get_tail_risk";
const Json kEma = {{"blockId", "EMA Test Data"}};

std::vector<Row> joined(std::vector<Row> rows, const std::vector<Row>& more) {
    rows.insert(rows.end(), more.begin(), more.end());
    return rows;
}

TEST_F(CorrelationToolTest, TiesDoNotDeflateKendall) {  // I-20
    const std::vector<double> tied = {1, 1, 1, 1, 1, 2, 2, 2, 3, 3};
    write_block("A", joined(trades_of("alpha", 10, tied), trades_of("beta", 10, tied)));
    const Json theirs = call(kCorrelation, reference({{"blockId", "A"}}));
    EXPECT_NEAR(theirs["correlationMatrix"][0][1].get<double>(), 0.689, 5e-4);
    EXPECT_EQ(call(kCorrelation, {{"blockId", "A"}})["correlationMatrix"][0][1], 1);
}

TEST_F(CorrelationToolTest, ConstantSeriesHasNoCorrelation) {  // I-38
    write_block("A", joined(joined(trades_of("alpha", 12, {5}), trades_of("beta", 12, {1, 2, 3})),
                            trades_of("gamma", 12, {3, 1, 2})));
    const Json theirs = call(kCorrelation, reference({{"blockId", "A"}, {"method", "pearson"}}));
    EXPECT_EQ(theirs["correlationMatrix"][0][1], 0);
    EXPECT_NEAR(theirs["analytics"]["averageCorrelation"].get<double>(), -0.5 / 3, 1e-12);
    const Json ours = call(kCorrelation, {{"blockId", "A"}, {"method", "pearson"}});
    EXPECT_TRUE(ours["correlationMatrix"][0][1].is_null());
    EXPECT_NEAR(ours["analytics"]["averageCorrelation"].get<double>(), -0.5, 1e-12);
    EXPECT_EQ(ours["undefinedPairs"].size(), 2U);
    EXPECT_EQ(ours["undefinedPairs"][0]["reason"], "one side never changes");
}

TEST_F(CorrelationToolTest, PairWithoutFigureIsNullOrTheReferencesBlank) {
    write_block("A", joined(trades_of("alpha", 3, {1, 2}), trades_of("beta", 3, {2, 1})));
    const Json theirs = call(kCorrelation, reference({{"blockId", "A"}}));
    EXPECT_EQ(theirs["analytics"]["strongest"],
              Json({{"value", nullptr}, {"pair", {"", ""}}, {"sampleSize", 0}}));
    const Json ours = call(kCorrelation, {{"blockId", "A"}});
    EXPECT_TRUE(ours["analytics"]["strongest"].is_null());
    EXPECT_EQ(ours["analytics"]["insufficientDataPairs"], 1);
    EXPECT_TRUE(mentions(ours["warnings"], "not in the averages"));
}

TEST_F(CorrelationToolTest, FeesCount) {  // I-17
    std::vector<Row> rows =
        joined(trades_of("alpha", 12, {10, 20, 30}), trades_of("beta", 12, {10, 20, 30}));
    for (std::size_t i = 12; i < 24; ++i) {
        rows[i].gross = true;
        rows[i].fees = 3 * (rows[i].pl - 10);  // net 10, -10, -30: the other way round
    }
    write_block("A", rows);
    EXPECT_NEAR(call(kCorrelation, reference({{"blockId", "A"},
                                              {"method", "pearson"}}))["correlationMatrix"][0][1]
                    .get<double>(),
                1, 1e-12);
    EXPECT_NEAR(
        call(kCorrelation, {{"blockId", "A"}, {"method", "pearson"}})["correlationMatrix"][0][1]
            .get<double>(),
        -1, 1e-12);
}

TEST_F(CorrelationToolTest, RangeIsOfRealizationDays) {  // I-4, I-8
    std::vector<Row> rows =
        joined(trades_of("alpha", 12, {1, 2, 3}), trades_of("beta", 12, {2, 3, 1}));
    rows[11].closed = day("2024-03-01");
    write_block("A", rows);
    const Json arguments = {{"blockId", "A"}, {"dateRangeTo", "2024-02-01"}};
    EXPECT_EQ(call(kCorrelation, reference(arguments))["tradesAnalyzed"], 24);
    const Json ours = call(kCorrelation, arguments);
    EXPECT_EQ(ours["tradesAnalyzed"], 23);
    EXPECT_EQ(ours["options"]["dateFilterBy"], "date_realized");
    const Json malformed = {{"blockId", "A"}, {"dateRangeTo", "1 Feb 2024"}};
    EXPECT_EQ(call(kCorrelation, reference(malformed))["tradesAnalyzed"], 24);
    EXPECT_NE(error_of(kCorrelation, malformed).find("dateRangeTo"), std::string::npos);
    EXPECT_NE(
        error_of(kCorrelation,
                 {{"blockId", "A"}, {"dateRangeFrom", "2024-03-01"}, {"dateRangeTo", "2024-02-01"}})
            .find("after"),
        std::string::npos);
}

TEST_F(CorrelationToolTest, OptionsReachTheLibrary) {
    std::vector<Row> rows = joined(trades_of("alpha", 30, {1, 5, 3, -4}),
                                   trades_of("beta", 30, {2, 3, 1, 9, -7, 4, 0}));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].margin = 500 + 100 * static_cast<double>(i % 3);
    }
    write_block("A", rows);
    const auto value = [&](const Json& more) {
        const Json answer = call(kCorrelation, with({{"blockId", "A"}}, more));
        EXPECT_EQ(answer["correlationMatrix"][0][1], answer["correlationMatrix"][1][0]);
        return answer["correlationMatrix"][0][1].get<double>();
    };
    const double plain = value(Json::object());
    EXPECT_NE(value({{"method", "spearman"}}), plain);
    EXPECT_NE(value({{"method", "pearson"}}), value({{"method", "spearman"}}));
    EXPECT_NE(value({{"normalization", "margin"}}), plain);
    EXPECT_NE(value({{"timePeriod", "weekly"}}), plain);
    const Json weekly = call(kCorrelation, {{"blockId", "A"}, {"timePeriod", "weekly"}});
    EXPECT_EQ(weekly["sampleSizes"][0][1], 6);
    EXPECT_EQ(weekly["analytics"]["insufficientDataPairs"], 1);  // below minSamples 10
    const Json two = call(kCorrelation, {{"blockId", "A"}, {"highlightThreshold", 0}});
    EXPECT_EQ(two["highlyCorrelatedPairs"].size(), 1U);
    EXPECT_NE(error_of(kCorrelation, {{"blockId", "A"}, {"strategyFilter", {"alpha"}}})
                  .find("at least 2 strategies"),
              std::string::npos);
    EXPECT_NE(error_of(kCorrelation, {{"blockId", "A"}, {"strategyFilter", {"alpha", "betta"}}})
                  .find("did you mean 'beta'"),
              std::string::npos);
}

TEST_F(CorrelationToolTest, ManyStrategiesStayInTheBudget) {
    std::vector<Row> rows;
    for (int s = 0; s < 40; ++s) {
        const std::string name = "strategy | " + std::to_string(s);
        rows = joined(std::move(rows),
                      trades_of(name, 12, {1.0 * s, 5 - s % 7 * 1.5, 3, s % 5 * 2.5, 2}));
    }
    write_block("A", rows);
    const Json whole = call(kCorrelation, {{"blockId", "A"}});
    EXPECT_EQ(whole["correlationMatrix"].size(), 40U);
    const Json cut = call(kCorrelation, {{"blockId", "A"}}, 24'000);
    EXPECT_LE(mcp::char_count(mcp::to_json_text(cut)), 24'000U);
    EXPECT_EQ(cut["strategies"].size(), 40U);
    EXPECT_EQ(cut["analytics"], whole["analytics"]);
    EXPECT_TRUE(mentions(cut["shortened"], "correlationMatrix"));
    const std::string text = text_of(kCorrelation, {{"blockId", "A"}}, 24'000);
    EXPECT_LE(mcp::char_count(text), 24'000U);
    EXPECT_NE(text.find("strategy \\| 0"), std::string::npos);  // a name cannot break the table
}

// ---- tail risk ----

TEST_F(TailRiskToolTest, MatrixNoPortfolioCanHaveIsRepaired) {  // I-40
    // alpha = beta on the first days, beta = gamma on the next, alpha = -gamma on the last.
    std::vector<Row> rows;
    const auto add = [&](int first, const std::string& a, const std::string& b, double sign) {
        for (int i = first; i < first + 20; ++i) {
            const double pl = (i * 7) % 20 - 9.5;
            for (const auto& [name, value] : {std::pair(a, pl), std::pair(b, sign * pl)}) {
                Row row;
                row.opened = weekday(i);
                row.strategy = name;
                row.pl = value;
                rows.push_back(row);
            }
        }
    };
    add(0, "alpha", "beta", 1);
    add(20, "beta", "gamma", 1);
    add(40, "alpha", "gamma", -1);
    write_block("A", rows);
    const Json ours =
        call(kTailRisk, {{"blockId", "A"}, {"minTradingDays", 20}, {"tailThreshold", 0.3}});
    EXPECT_TRUE(ours["copulaRepaired"]);
    EXPECT_NEAR(ours["smallestRawEigenvalue"].get<double>(), -1, 1e-9);
    for (const Json& value : ours["eigenvalues"]) {
        EXPECT_GE(value.get<double>(), -1e-12);
    }
    EXPECT_NEAR(ours["explainedVariance"].back().get<double>(), 1, 1e-12);
    EXPECT_NE(text_of(kTailRisk, {{"blockId", "A"}, {"minTradingDays", 20}})
                  .find("nearest correlation matrix (Higham 2002)"),
              std::string::npos);
    // The reference counts idle days as agreement, so that nothing looks wrong.
    const Json theirs = call(kTailRisk, reference({{"blockId", "A"}, {"minTradingDays", 20}}));
    EXPECT_FALSE(theirs["copulaRepaired"]);
    EXPECT_LT(theirs["copulaCorrelationMatrix"][0][1].get<double>(), 0.7);
    EXPECT_GT(ours["copulaCorrelationMatrix"][0][1].get<double>(), 0.4);
}

TEST_F(TailRiskToolTest, GroupOfEqualLossesIsATail) {  // I-41
    std::vector<double> results(40, 0);
    for (std::size_t i = 0; i < results.size(); ++i) {
        results[i] = i < 15 ? -100 : 10 + static_cast<double>(i);
    }
    write_block("A", joined(trades_of("alpha", 40, results), trades_of("beta", 40, results)));
    const Json theirs = call(kTailRisk, reference({{"blockId", "A"}}));
    EXPECT_EQ(theirs["analytics"]["highestJointTailRisk"],
              Json({{"value", 0}, {"pair", {"", ""}}}));
    EXPECT_EQ(theirs["analytics"]["averageJointTailRisk"], 0);
    const Json ours = call(kTailRisk, {{"blockId", "A"}});
    EXPECT_EQ(ours["analytics"]["highestJointTailRisk"]["value"], 1);
    EXPECT_EQ(ours["analytics"]["highestJointTailRisk"]["pair"], Json({"alpha", "beta"}));
    EXPECT_EQ(ours["level"], "high");
    EXPECT_EQ(ours["tailDays"], Json({15, 15}));
}

TEST_F(TailRiskToolTest, TooLittleSharedDataIsSaidNotCalledLow) {  // I-39
    std::vector<Row> rows = trades_of("alpha", 40, {5, -3, 2});
    for (Row row : trades_of("beta", 40, {1, -2, 4})) {
        row.opened = row.opened.plus_days(365);  // never on the same day
        row.closed = row.opened;
        rows.push_back(row);
    }
    write_block("A", rows);
    const Json theirs = call(kTailRisk, reference({{"blockId", "A"}}));
    EXPECT_EQ(theirs["tradingDaysUsed"], 80);
    EXPECT_EQ(theirs["analytics"]["averageJointTailRisk"], 0);
    const Json ours = call(kTailRisk, {{"blockId", "A"}});
    EXPECT_EQ(ours["status"], "insufficient_data");
    EXPECT_TRUE(ours["level"].is_null());
    EXPECT_TRUE(ours["analytics"]["averageJointTailRisk"].is_null());
    EXPECT_TRUE(ours["effectiveFactors"].is_null());
    EXPECT_TRUE(mentions(ours["warnings"], "shared days"));
    EXPECT_EQ(text_of(kTailRisk, {{"blockId", "A"}}).find(": low"), std::string::npos);
}

TEST_F(TailRiskToolTest, FiltersAreThoseOfAllTools) {  // I-7
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json spx = with(kEma, {{"tickerFilter", "spx"}});
    EXPECT_EQ(call(kTailRisk, reference(spx))["strategies"].size(), 0U);
    EXPECT_EQ(call(kTailRisk, spx)["strategies"].size(), 2U);
    const Json lower =
        with(kEma, {{"strategyFilter", {"0dte ccs - ema entry", "0dte pcs - ema entry"}}});
    EXPECT_EQ(call(kTailRisk, reference(lower))["strategies"].size(), 0U);
    EXPECT_EQ(call(kTailRisk, lower)["analytics"], call(kTailRisk, kEma)["analytics"]);
    EXPECT_NE(error_of(kTailRisk, with(kEma, {{"tickerFilter", "QQQ"}})).find("QQQ"),
              std::string::npos);
}

TEST_F(TailRiskToolTest, EveryFigureIsExplained) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json arguments = {{"blockId", "EMA Test Data"}, {"explain", true}};
    const Json tail = call("get_tail_risk", arguments);
    for (const auto& [name, value] : tail["analytics"].items()) {
        EXPECT_FALSE(explanation_of(tail, "analytics." + name).is_null()) << name;
    }
    for (const auto& [name, value] : tail["marginalContributions"][0].items()) {
        EXPECT_TRUE(value.is_string() ||
                    !explanation_of(tail, "marginalContributions[]." + name).is_null())
            << name;
    }
    const Json matrix = call("get_correlation_matrix", arguments);
    for (const char* const figure :
         {"correlationMatrix", "sampleSizes", "analytics.averageCorrelation", "analytics.strongest",
          "analytics.weakest", "highlyCorrelatedPairs"}) {
        EXPECT_FALSE(explanation_of(matrix, figure).is_null()) << figure;
    }
}

TEST_F(TailRiskToolTest, OneStrategyIsAnErrorOrHasNoPair) {
    write_block("A", trades_of("alpha", 40, {5, -3, 2}));
    EXPECT_NE(error_of(kTailRisk, {{"blockId", "A"}}).find("two strategies"), std::string::npos);
    EXPECT_FALSE(error_of(kTailRisk, reference({{"blockId", "A"}})).empty());
    write_block("B", joined(trades_of("alpha", 40, {5, -3, 2}), trades_of("beta", 40, {1, -1})));
    const Json one = call(kTailRisk, {{"blockId", "B"}, {"strategyFilter", {"alpha"}}});
    EXPECT_EQ(one["status"], "insufficient_data");
    const Json none = call(kTailRisk, reference({{"blockId", "B"}, {"strategyFilter", {"ALPHA"}}}));
    EXPECT_EQ(none["effectiveFactors"], 0);
    EXPECT_TRUE(none["dateRange"]["start"].is_null());
}

}  // namespace
}  // namespace tb::tools::test
