// get_statistics through the registry: filters, empty results, notes, rates, explanations, and the
// corrected figures beside the reference's (02 §6).
#include <cmath>
#include <map>
#include <string>

#include "tool_fixture.h"

namespace tb::tools {
namespace {

using ::testing::Test;

class StatisticsTool : public ToolTest {};

TEST_F(StatisticsTool, FiguresOfASmallBlockAreTheHandComputedOnes) {
    write_block("A",
                {{.closed = "2024-01-02",
                  .pl = "100",
                  .funds = "10100",
                  .opening_fees = "1",
                  .closing_fees = "2"},
                 {.opened = "2024-01-03",
                  .closed = "2024-01-03",
                  .pl = "-40",
                  .funds = "10060",
                  .strategy = "beta",
                  .opening_fees = "3"},
                 {.opened = "2024-01-04", .closed = "2024-01-04", .pl = "60", .funds = "10120"}});
    const Json answer = call("get_statistics", {{"blockId", "A"}});
    const Json& stats = answer["stats"];
    EXPECT_EQ(stats["totalTrades"], 3);
    EXPECT_EQ(stats["winningTrades"], 2);
    EXPECT_EQ(stats["losingTrades"], 1);
    EXPECT_DOUBLE_EQ(stats["winRate"].get<double>(), 2.0 / 3);
    EXPECT_EQ(stats["netPl"], 120);
    EXPECT_EQ(stats["totalCommissions"], 6);
    EXPECT_EQ(stats["avgWin"], 80);
    EXPECT_EQ(stats["avgLoss"], -40);
    EXPECT_EQ(stats["profitFactor"], 4);
    EXPECT_EQ(stats["initialCapital"], 10000);
    EXPECT_NEAR(stats["maxDrawdown"].get<double>(), 100.0 * 40 / 10100, 1e-12);
    EXPECT_EQ(answer["conventions"], "correct");
    EXPECT_EQ(answer["syncInfo"]["status"], "synced");
    EXPECT_EQ(answer["filters"]["strategy"], nullptr);
}

TEST_F(StatisticsTool, TextStandsAloneWithTheFigures) {
    write_block(
        "A", {{.pl = "1234.5", .funds = "101234.5"},
              {.opened = "2024-01-03", .closed = "2024-01-03", .pl = "-34.5", .funds = "101200"}});
    const Json answer = call("get_statistics", {{"blockId", "A"}});
    EXPECT_NE(text().find("$1,200.00"), std::string::npos) << text();
    EXPECT_NE(text().find("50.00%"), std::string::npos);
    EXPECT_NE(text().find("35.7826"), std::string::npos);  // profit factor 1234.5/34.5
    EXPECT_NE(text().find("Conventions: correct"), std::string::npos);
    EXPECT_NE(text().find("monthly averages"), std::string::npos);
}

TEST_F(StatisticsTool, StrategyFilterIgnoresCaseAndStartsFromTheAccountBeforeIt) {
    write_block("A", {{.pl = "500", .funds = "10500"},
                      {.opened = "2024-01-03",
                       .closed = "2024-01-03",
                       .pl = "-100",
                       .funds = "10400",
                       .strategy = "beta"},
                      {.opened = "2024-01-04",
                       .closed = "2024-01-04",
                       .pl = "20",
                       .funds = "10420",
                       .strategy = "beta"}});
    const Json answer = call("get_statistics", {{"blockId", "A"}, {"strategy", "BETA"}});
    EXPECT_EQ(answer["stats"]["totalTrades"], 2);
    EXPECT_EQ(answer["stats"]["initialCapital"], 10500);
    EXPECT_NEAR(answer["stats"]["maxDrawdown"].get<double>(), 100.0 * 100 / 10500, 1e-12);
    EXPECT_EQ(answer["filters"]["strategy"], "BETA");
}

TEST_F(StatisticsTool, DatesFilterByTheDayRealizedInclusively) {
    write_block("A",
                {{.opened = "2024-01-02", .closed = "2024-01-09", .pl = "1", .funds = "1001"},
                 {.opened = "2024-01-03", .closed = "2024-01-10", .pl = "2", .funds = "1003"},
                 {.opened = "2024-01-04", .closed = "2024-01-11", .pl = "4", .funds = "1007"}});
    const auto net = [&](const char* from, const char* to) {
        Json arguments = {{"blockId", "A"}};
        if (from != nullptr) {
            arguments["startDate"] = from;
        }
        if (to != nullptr) {
            arguments["endDate"] = to;
        }
        return call("get_statistics", arguments)["stats"]["netPl"].get<double>();
    };
    EXPECT_EQ(net("2024-01-10", nullptr), 6);
    EXPECT_EQ(net(nullptr, "2024-01-10"), 3);
    EXPECT_EQ(net("2024-01-10", "2024-01-10"), 2);
}

TEST_F(StatisticsTool, TickerFilterKeepsTheUnderlying) {
    write_block("A", {{.pl = "5", .funds = "1005", .symbol = "^SPX"},
                      {.opened = "2024-01-03",
                       .closed = "2024-01-03",
                       .pl = "7",
                       .funds = "1012",
                       .symbol = "QQQ"}});
    EXPECT_EQ(call("get_statistics", {{"blockId", "A"}, {"tickerFilter", "qqq"}})["stats"]["netPl"],
              7);
}

TEST_F(StatisticsTool, NothingFoundSaysWhatThereIs) {
    write_block("A", {{.pl = "1", .funds = "1001", .strategy = "iron condor"}});
    EXPECT_EQ(error_of("get_statistics", {{"blockId", "A"}, {"strategy", "iron kondor"}}),
              "no strategy 'iron kondor' in block 'A'; did you mean 'iron condor'?");
    const std::string range =
        error_of("get_statistics", {{"blockId", "A"}, {"startDate", "2030-01-01"}});
    EXPECT_NE(range.find("2030-01-01"), std::string::npos) << range;
    EXPECT_NE(range.find("realized 2024-01-02 to 2024-01-02"), std::string::npos) << range;
    EXPECT_NE(error_of("get_statistics", {{"blockId", "A"}, {"tickerFilter", "XYZ"}}), "");
    write_block("Iron Flies", {{.pl = "1", .funds = "1001"}});
    EXPECT_NE(error_of("get_statistics", {{"blockId", "iron flys"}}).find("'Iron Flies'"),
              std::string::npos);
}

// 02 I-8: the reference ignores a malformed date.
TEST_F(StatisticsTool, MalformedDatesAreRefusedAndIgnoredByTheReference) {
    write_block("A", {{.pl = "1", .funds = "1001"}});
    EXPECT_NE(error_of("get_statistics", {{"blockId", "A"}, {"startDate", "01/02/2024"}}), "");
    EXPECT_NE(error_of("get_statistics", {{"blockId", "A"}, {"startDate", "2024-02-30"}}), "");
    EXPECT_NE(error_of("get_statistics",
                       {{"blockId", "A"}, {"startDate", "2024-03-01"}, {"endDate", "2024-02-01"}}),
              "");
    EXPECT_EQ(reference("get_statistics",
                        {{"blockId", "A"}, {"startDate", "01/02/2030"}})["stats"]["totalTrades"],
              1);
}

TEST_F(StatisticsTool, ArgumentsAreCheckedTogether) {
    const std::string error = error_of(
        "get_statistics", {{"conventions", "sloppy"}, {"explain", "maybe"}, {"blockid", "A"}});
    for (const char* name : {"blockId", "conventions", "explain", "blockid"}) {
        EXPECT_NE(error.find(name), std::string::npos) << error;
    }
}

// 02 I-3: the reference writes null for infinity and leaves other undefined figures out.
TEST_F(StatisticsTool, FiguresWithoutAValueAreNullWithANote) {
    write_block("A", {{.pl = "10", .funds = "1010"}});
    const Json answer = call("get_statistics", {{"blockId", "A"}});
    for (const char* figure :
         {"profitFactor", "sharpeRatio", "sortinoRatio", "calmarRatio", "kellyPercentage"}) {
        EXPECT_EQ(answer["stats"][figure], nullptr) << figure;
        EXPECT_TRUE(has_note(answer, figure)) << figure;
    }
    EXPECT_NE(text().find("Note: sharpeRatio"), std::string::npos);
    const Json other = reference("get_statistics", {{"blockId", "A"}});
    EXPECT_EQ(other["stats"]["profitFactor"], nullptr);
    EXPECT_FALSE(other["stats"].contains("sharpeRatio"));
}

TEST_F(StatisticsTool, OpenTradesAndNoTradesAreNoFailure) {
    write_block("A", {{.closed = "", .closed_at = "", .pl = "", .margin = "700"}});
    const Json answer = call("get_statistics", {{"blockId", "A"}});
    EXPECT_EQ(answer["stats"]["openTrades"], 1);
    EXPECT_EQ(answer["stats"]["breakEvenTrades"], 0);
    EXPECT_NE(text().find("0 even, 1 open"), std::string::npos);
    const Json other = reference("get_statistics", {{"blockId", "A"}});
    EXPECT_EQ(other["stats"]["breakEvenTrades"], 1);
    EXPECT_FALSE(other["stats"].contains("openTrades"));
    dir_.write("Empty/tradelog.csv", trade_log({}));
    const std::string error = error_of("get_statistics", {{"blockId", "Empty"}});
    EXPECT_NE(error.find("no trades"), std::string::npos) << error;
}

TEST_F(StatisticsTool, HugeAmountsGiveNotesNeverInfinities) {
    write_block("A", {{.pl = "1e308", .funds = "1e308"},
                      {.opened = "2024-01-03", .closed = "2024-01-03", .pl = "1e308"},
                      {.opened = "2024-01-04", .closed = "2024-01-04", .pl = "-1e308"},
                      {.opened = "2024-01-05", .closed = "2024-01-05", .pl = "1e-308"}});
    const Json answer = call("get_statistics", {{"blockId", "A"}, {"explain", true}});
    for (const auto& [figure, value] : answer["stats"].items()) {
        if (value.is_null()) {
            EXPECT_TRUE(has_note(answer, figure) || has_note(answer, "*")) << figure;
        }
    }
    EXPECT_TRUE(has_note(answer, "*"));
    for (const char* conventions : {"correct", "reference"}) {
        call("get_statistics", {{"blockId", "A"}, {"conventions", conventions}});
    }
}

// ---- rates ----

class StatisticsRates : public ToolTest {
  protected:
    StatisticsRates() {
        std::vector<Row> rows;
        for (int day = 2; day < 30; ++day) {
            const std::string date =
                "2024-05-" + std::string(day < 10 ? "0" : "") + std::to_string(day);
            rows.push_back(
                {.opened = date, .closed = date, .pl = std::to_string((day * 7919) % 401 - 190)});
        }
        rows[0].funds = "100000";
        write_block("A", rows);
    }
    double sharpe(const Json& arguments) {
        const Json answer = call("get_statistics", arguments);
        rate_ = answer["calculationMethodology"]["sharpe"]["riskFreeRate"];
        return answer["stats"]["sharpeRatio"].get<double>();
    }
    Json rate_;
};

TEST_F(StatisticsRates, SourceIsMonthlyThenDailyThenFixedAndNamed) {
    const double monthly = sharpe({{"blockId", "A"}});
    EXPECT_EQ(rate_["series"], "FRED_DTB3_MONTHLY_AVERAGE");
    EXPECT_EQ(rate_["rateIs"], "bond_equivalent_yield");
    dir_.write("_marketdata/treasury_rates.csv",
               "date,rate_percent\n2024-05-01,1.5\n2024-05-20,2.5\n");
    const double daily = sharpe({{"blockId", "A"}});
    EXPECT_EQ(rate_["series"], "FRED_DTB3");
    EXPECT_EQ(rate_["dataThrough"], "2024-05-20");
    EXPECT_NE(monthly, daily);
    EXPECT_GT(rate_["resolutionCounts"]["staleAfterLatest"].get<int>(), 0);
    const double fixed = sharpe({{"blockId", "A"}, {"riskFreeRateAnnualPct", 2}});
    EXPECT_EQ(rate_, (Json{{"mode", "fixed"}, {"annualRatePct", 2}}));
    EXPECT_NE(fixed, daily);
    EXPECT_NE(error_of("get_statistics", {{"blockId", "A"}, {"riskFreeRateAnnualPct", -100}}), "");
    EXPECT_NE(error_of("get_statistics", {{"blockId", "A"}, {"riskFreeRateAnnualPct", 100.5}}), "");
}

// A fixed rate of zero leaves the plain mean over deviation of the returns.
TEST_F(StatisticsRates, FixedRateShiftsTheExcessReturnByItsDailyPart) {
    const double zero = sharpe({{"blockId", "A"}, {"riskFreeRateAnnualPct", 0}});
    const double one = sharpe({{"blockId", "A"}, {"riskFreeRateAnnualPct", 1}});
    const double two = sharpe({{"blockId", "A"}, {"riskFreeRateAnnualPct", 2}});
    EXPECT_NEAR(zero - one, one - two, 1e-12);
    EXPECT_GT(zero, two);
}

// 02 I-24: 5.36 on discount basis is 5.51 as a yield; Saturdays are not published.
TEST_F(StatisticsRates, DiscountRateCountsAsYieldAndSaturdaysAreIgnored) {
    dir_.write("_marketdata/treasury_rates.csv",
               "date,rate_percent\n2024-05-01,5.36\n2024-05-04,80\n");
    const double ours = sharpe({{"blockId", "A"}});
    const double yield = 365 * 0.0536 / (360 - 91 * 0.0536) * 100;
    EXPECT_NEAR(ours, sharpe({{"blockId", "A"}, {"riskFreeRateAnnualPct", yield}}), 1e-12);
    const Json other = reference("get_statistics", {{"blockId", "A"}});
    EXPECT_EQ(other["calculationMethodology"]["sharpe"]["riskFreeRate"]["rateIs"], "discount_rate");
    EXPECT_LT(other["stats"]["sharpeRatio"].get<double>(), ours);  // 80 % from the Saturday on
}

TEST_F(StatisticsRates, UnreadableRatesFileIsSaidAndDoesNotStopTheAnswer) {
    dir_.write("_marketdata/treasury_rates.csv", "when,how much\nyesterday,lots\n");
    const Json answer = call("get_statistics", {{"blockId", "A"}});
    ASSERT_TRUE(answer.contains("warnings"));
    EXPECT_NE(answer["warnings"].dump().find("treasury_rates.csv"), std::string::npos);
    EXPECT_NE(text().find("treasury_rates.csv"), std::string::npos);
}

// ---- explain ----

TEST_F(StatisticsTool, ExplainNamesFormulaInputsRowsAndTheContentHash) {
    write_block("A",
                {{.pl = "10", .funds = "1010"},
                 {.opened = "2024-01-03", .closed = "2024-01-03", .pl = "-5", .funds = "1005"}});
    const Json plain = call("get_statistics", {{"blockId", "A"}});
    EXPECT_FALSE(plain.contains("explain"));
    EXPECT_FALSE(plain.contains("dataVersion"));
    const Json answer = call("get_statistics", {{"blockId", "A"}, {"explain", true}});
    EXPECT_EQ(answer["dataVersion"]["A"], *sync::hash_file_content(dir_.path() / "A/tradelog.csv"));
    std::vector<std::string> explained;
    for (const Json& entry : answer["explain"]) {
        explained.push_back(entry["figure"]);
        EXPECT_FALSE(entry["formula"].get<std::string>().empty());
        EXPECT_TRUE(entry["inputs"].is_object());
        EXPECT_GT(entry["rows"].get<int>(), 0);
        EXPECT_FALSE(entry["basis"].get<std::string>().empty());
    }
    for (const char* figure :
         {"stats.netPl", "stats.sharpeRatio", "stats.maxDrawdown", "stats.cagr", "peakExposure"}) {
        EXPECT_NE(std::find(explained.begin(), explained.end(), figure), explained.end()) << figure;
    }
    EXPECT_EQ(answer["stats"], plain["stats"]);
    EXPECT_NE(text().find("Explain stats.netPl"), std::string::npos);
}

TEST_F(StatisticsTool, ExplanationFollowsTheConventions) {
    write_block("A", {{.pl = "10", .funds = "1010"}});
    const auto formula = [](const Json& answer) {
        for (const Json& entry : answer["explain"]) {
            if (entry["figure"] == "stats.maxDrawdown") {
                return entry["formula"].get<std::string>();
            }
        }
        return std::string();
    };
    EXPECT_NE(formula(call("get_statistics", {{"blockId", "A"}, {"explain", true}})),
              formula(reference("get_statistics", {{"blockId", "A"}, {"explain", true}})));
}

// What explains a figure must lead to it: computed again from the named inputs.
TEST_F(StatisticsTool, ExplainedInputsReproduceTheFigures) {
    TB_REQUIRE_SHARED();
    copy_shared_block("EMA Test Data");
    copy_shared_block("MEIC Test Data");
    for (const char* block : {"EMA Test Data", "MEIC Test Data"}) {
        for (const bool as_reference : {false, true}) {
            const Json arguments = {{"blockId", block}, {"explain", true}};
            const Json answer = as_reference ? reference("get_statistics", arguments)
                                             : call("get_statistics", arguments);
            std::map<std::string, Json> explained;
            for (const Json& entry : answer["explain"]) {
                explained[entry["figure"]] = entry;
            }
            const Json& stats = answer["stats"];
            for (const auto& [name, value] : stats.items()) {
                EXPECT_TRUE(explained.contains("stats." + name)) << name;
            }
            const Json growth = explained["stats.cagr"]["inputs"];
            EXPECT_NEAR(stats["cagr"].get<double>(),
                        100 * (std::pow(growth["end"].get<double>() / growth["start"].get<double>(),
                                        1 / growth["years"].get<double>()) -
                               1),
                        1e-9)
                << block << as_reference;
            const Json days = explained["stats.avgDailyPl"]["inputs"];
            EXPECT_NEAR(stats["avgDailyPl"].get<double>(),
                        days["pl"].get<double>() / days["days"].get<double>(), 1e-9);
            // A share of the balances named.
            const double below = stats["timeInDrawdown"].get<double>() / 100 *
                                 explained["stats.timeInDrawdown"]["rows"].get<double>();
            EXPECT_NEAR(below, std::round(below), 1e-6);
        }
    }
    // The EMA log is the base of everything, growth included; MEIC's is not used at all.
    const auto basis = [&](const char* block) {
        const Json answer = call("get_statistics", {{"blockId", block}, {"explain", true}});
        for (const Json& entry : answer["explain"]) {
            if (entry["figure"] == "stats.cagr") {
                return entry["basis"].get<std::string>();
            }
        }
        return std::string();
    };
    EXPECT_EQ(basis("EMA Test Data"), "daily log");
    EXPECT_EQ(basis("MEIC Test Data"), "trades");
}

}  // namespace
}  // namespace tb::tools
