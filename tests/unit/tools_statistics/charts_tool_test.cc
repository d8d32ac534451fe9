// get_performance_charts through the registry: thinning, the reference's cut, corrected charts.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "tool_fixture.h"
#include "tools/portfolio/common.h"

namespace tb::tools {
namespace {

class ChartsTool : public ToolTest {
  protected:
    Json chart(const std::string& name, const std::string& key, Json arguments = Json::object()) {
        arguments["blockId"] = "A";
        arguments["charts"] = Json::array({name});
        return call("get_performance_charts", arguments)[key];
    }
    Json reference_chart(const std::string& name, const std::string& key) {
        return reference("get_performance_charts", {{"blockId", "A"}, {"charts", {name}}})[key];
    }
    void write_many(int count) {
        std::vector<Row> rows;
        double funds = 100'000;
        for (int i = 0; i < count; ++i) {
            const double pl = (i * 7919) % 1001 - 480;
            funds += pl;
            const std::string day = Date(18'000 + i).to_iso();
            rows.push_back({.opened = day,
                            .closed = day,
                            .pl = Json(pl).dump(),
                            .funds = Json(funds).dump(),
                            .margin = std::to_string(1000 + i),
                            .premium = "2.5",
                            .vix = std::to_string(12 + i % 20)});
        }
        write_block("A", rows);
    }
};

TEST_F(ChartsTool, ThinningKeepsFirstLastAndExtremes) {
    std::vector<double> values(10'000);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = std::sin(static_cast<double>(i) * 0.37) + static_cast<double>(i % 97);
    }
    values[7'123] = -1e6;
    values[7'124] = 1e6;
    const auto kept = thin_out(values, 200);
    EXPECT_LE(kept.size(), 200U);
    EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end()));
    EXPECT_EQ(std::adjacent_find(kept.begin(), kept.end()), kept.end());
    EXPECT_EQ(kept.front(), 0U);
    EXPECT_EQ(kept.back(), values.size() - 1);
    EXPECT_NE(std::find(kept.begin(), kept.end(), 7'123U), kept.end());
    EXPECT_NE(std::find(kept.begin(), kept.end(), 7'124U), kept.end());
    EXPECT_EQ(thin_out(std::span(values).first(5), 200).size(), 5U);
    EXPECT_TRUE(thin_out({}, 200).empty());
    for (std::size_t count = 1; count < 40; ++count) {
        const auto few = thin_out(std::span(values).first(count), 8);
        EXPECT_LE(few.size(), 8U);
        EXPECT_EQ(few.back(), count - 1);
    }
}

// The daily log may start from another balance than the trades; then it is not used.
TEST_F(ChartsTool, TheOnlyStrategyHasTheCurveOfItsBlock) {
    TB_REQUIRE_SHARED();
    copy_shared_block("MEIC Test Data");
    const auto curve = [&](Json arguments) {
        arguments["blockId"] = "MEIC Test Data";
        arguments["charts"] = {"equity_curve"};
        return call("get_performance_charts", arguments)["equityCurve"];
    };
    const Json all = curve(Json::object());
    EXPECT_EQ(all.front()["equity"], 125'000);
    EXPECT_EQ(curve({{"strategy", "MEIC Test Data"}}), all);
}

TEST_F(ChartsTool, WithoutFundsEveryCurveStartsFromTheAnnouncedAssumption) {
    write_block("A", {{.pl = "10", .strategy = "alpha", .contracts = "2"},
                      {.pl = "-5", .strategy = "beta", .contracts = "2"}});
    for (const Json& more :
         {Json::object(), Json{{"strategy", "alpha"}}, Json{{"normalizeTo1Lot", true}},
          Json{{"strategy", "beta"}, {"normalizeTo1Lot", true}}}) {
        Json arguments = more;
        arguments["blockId"] = "A";
        arguments["charts"] = Json::array({"equity_curve"});
        const Json answer = call("get_performance_charts", arguments);
        EXPECT_EQ(answer["equityCurve"].front()["equity"], 100'000) << more.dump();
        ASSERT_EQ(answer["warnings"].size(), 1U) << more.dump();
        EXPECT_NE(answer["warnings"][0].get<std::string>().find("assumed"), std::string::npos);
    }
}

// 02 I-13: one start capital for the figures of a block, whoever asks.
TEST_F(ChartsTool, WithoutFundsEveryCurveStartsFromTheDailyLogThatMatches) {
    write_block("A",
                {{.pl = "10", .strategy = "alpha"},
                 {.opened = "2024-01-03", .closed = "2024-01-03", .pl = "-5", .strategy = "beta"}});
    dir_.write("A/dailylog.csv",
               "Date,Net Liquidity,Current Funds,Withdrawn,Trading Funds,P/L,P/L %,Drawdown %\n"
               "2024-01-02,50010,50010,0,50010,10,0,0\n2024-01-03,50005,50005,0,50005,-5,0,0\n");
    for (const char* const strategy : {"", "alpha", "beta"}) {
        const Json arguments = {{"blockId", "A"}, {"strategy", strategy}};
        const Json answer = call("get_performance_charts", arguments);
        // A part starts with what the account held before its first result.
        const double start = std::string_view(strategy) == "beta" ? 50'010 : 50'000;
        EXPECT_EQ(answer["equityCurve"].front()["equity"], start) << strategy;
        EXPECT_FALSE(answer.contains("warnings")) << strategy;
        EXPECT_EQ(call("get_statistics", arguments)["stats"]["initialCapital"], start) << strategy;
    }
    const Json part = {{"dateRange", {{"from", "2024-01-03"}}}};
    EXPECT_EQ(chart("equity_curve", "equityCurve", part).front()["equity"], 50'010);
    const Json theirs = reference("get_performance_charts", {{"blockId", "A"}});
    EXPECT_EQ(theirs["equityCurve"].front()["equity"], 100'000);
}

// Of a strategy the margin is its own: two strategies of 1,000 each make no 2,000.
TEST_F(ChartsTool, ExposureOfAStrategySaysWhatItsPercentsAreOf) {
    write_block("A", {{.pl = "500", .funds = "10500", .margin = "1000"},
                      {.pl = "-100", .funds = "10400", .strategy = "beta", .margin = "1000"}});
    const Json exposure = chart("daily_exposure", "dailyExposure", {{"strategy", "beta"}});
    EXPECT_EQ(exposure["peakByDollars"]["exposure"], 1000);
    EXPECT_EQ(exposure["peakByDollars"]["exposurePercent"], 100.0 * 1000 / 10500);
    EXPECT_NE(exposure["warning"].get<std::string>().find(
                  "margin and P/L are those of this strategy alone"),
              std::string::npos);
    EXPECT_FALSE(chart("daily_exposure", "dailyExposure").contains("warning"));
}

TEST_F(ChartsTool, EchoedMaxDataPointsAreThoseAskedFor) {
    write_many(600);
    Json arguments = {{"blockId", "A"}, {"charts", {"equity_curve"}}};
    const Json plain = call("get_performance_charts", arguments, 24'000);
    EXPECT_LE(plain["equityCurve"].size(), 200U);
    EXPECT_TRUE(plain["maxDataPoints"].is_null());
    EXPECT_EQ(reference("get_performance_charts", arguments)["maxDataPoints"], 500);
    arguments["maxDataPoints"] = 60;
    EXPECT_EQ(call("get_performance_charts", arguments)["maxDataPoints"], 60);
}

TEST_F(ChartsTool, ClosesBeforeTheirOpeningAreAnnounced) {
    write_block("A", {{.opened = "2024-01-02",
                       .opened_at = "11:00:00",
                       .closed = "2024-01-02",
                       .closed_at = "10:00:00",
                       .pl = "10",
                       .funds = "1010",
                       .margin = "500"}});
    for (const char* const name : {"holding_periods", "daily_exposure"}) {
        const Json ours =
            call("get_performance_charts", {{"blockId", "A"}, {"charts", Json::array({name})}});
        ASSERT_EQ(ours["warnings"].size(), 1U) << name;
        EXPECT_NE(ours["warnings"][0].get<std::string>().find("close before they open"),
                  std::string::npos);
    }
}

TEST_F(ChartsTool, ThinningKeepsTheExtremesOfEveryFigure) {
    write_many(900);
    const std::map<std::string, std::string> keys = {{"rolling_metrics", "rollingMetrics"},
                                                     {"trade_sequence", "tradeSequence"},
                                                     {"margin_utilization", "marginUtilization"},
                                                     {"holding_periods", "holdingPeriods"},
                                                     {"volatility_regimes", "volatilityRegimes"}};
    for (const auto& [name, key] : keys) {
        const Json full = chart(name, key, {{"points", "full"}});
        const Json thin = chart(name, key, {{"maxDataPoints", 50}});
        ASSERT_LE(thin.size(), 50U) << name;
        ASSERT_GT(full.size(), 800U) << name;
        EXPECT_EQ(thin.front(), full.front()) << name;
        EXPECT_EQ(thin.back(), full.back()) << name;
        const auto extremes = [](const Json& rows, const std::string& figure) {
            std::pair<double, double> range(INFINITY, -INFINITY);
            for (const Json& row : rows) {
                if (row[figure].is_number()) {
                    range.first = std::min(range.first, row[figure].get<double>());
                    range.second = std::max(range.second, row[figure].get<double>());
                }
            }
            return range;
        };
        for (const auto& [figure, value] : full.front().items()) {
            EXPECT_EQ(extremes(thin, figure), extremes(full, figure)) << name << " " << figure;
        }
    }
}

TEST_F(ChartsTool, AllChartsOfALongBlockFitTheBudget) {
    write_many(1500);
    const Json names = tool("get_performance_charts").arguments[2].schema.element[0].enum_values;
    const Json answer =
        call("get_performance_charts", {{"blockId", "A"}, {"charts", names}}, 24'000);
    EXPECT_LE(json_chars(answer), 24'000U);
    EXPECT_LE(text().size(), 24'000U);
    EXPECT_EQ(answer["truncationApplied"], true);
    EXPECT_EQ(answer["downsampled"]["equityCurve"]["total"], 1501);
    EXPECT_EQ(answer["downsampled"]["equityCurve"]["shown"], answer["equityCurve"].size());
    EXPECT_EQ(answer["equityCurve"].back()["tradeNumber"], 1500);
    for (const char* key : {"equityCurve", "drawdown", "monthlyReturns", "streakData", "mfeMae",
                            "dailyExposure", "holdingPeriods", "volatilityRegimes"}) {
        EXPECT_TRUE(answer.contains(key)) << key;
    }
}

TEST_F(ChartsTool, FullPointsAndTheCommandLineAreComplete) {
    write_many(600);
    Json arguments = {{"blockId", "A"}, {"charts", {"equity_curve"}}};
    EXPECT_LE(call("get_performance_charts", arguments, 24'000)["equityCurve"].size(), 200U);
    EXPECT_EQ(call("get_performance_charts", arguments)["equityCurve"].size(), 601U);
    arguments["points"] = "full";
    const Json full = call("get_performance_charts", arguments, 24'000);
    EXPECT_EQ(full["equityCurve"].size(), 601U);
    EXPECT_EQ(full["truncationApplied"], false);
    EXPECT_FALSE(full.contains("downsampled"));
}

TEST_F(ChartsTool, ReferenceCutsTheFirstPointsIntoAnEnvelope) {
    write_many(120);
    const Json answer = reference(
        "get_performance_charts",
        {{"blockId", "A"}, {"charts", {"trade_sequence", "equity_curve"}}, {"maxDataPoints", 50}});
    EXPECT_EQ(answer["tradeSequence"]["data"].size(), 50U);
    EXPECT_EQ(answer["tradeSequence"]["totalPoints"], 120);
    EXPECT_EQ(answer["tradeSequence"]["data"][49]["tradeNumber"], 50);
    EXPECT_EQ(answer["equityCurve"].size(), 121U);
    EXPECT_EQ(answer["truncationApplied"], true);
}

TEST_F(ChartsTool, EquityOfAStrategyStartsFromTheAccountBeforeItsFirstResult) {
    write_block("A", {{.pl = "500", .funds = "10500"},
                      {.opened = "2024-01-03",
                       .closed = "2024-01-03",
                       .pl = "-100",
                       .funds = "10400",
                       .strategy = "beta"}});
    const Json curve = chart("equity_curve", "equityCurve", {{"strategy", "beta"}});
    ASSERT_EQ(curve.size(), 2U);
    EXPECT_EQ(curve[0]["equity"], 10500);
    EXPECT_EQ(curve[1]["equity"], 10400);
}

// 02 I-9: two contracts, margin 3,000, P/L -60: one lot made -30 on 1,500 = -2 percent.
TEST_F(ChartsTool, OneLotDividesMarginAndKeepsTheStartCapital) {
    write_block("A", {{.pl = "-60", .funds = "9940", .contracts = "2", .margin = "3000"}});
    const Json one_lot = {{"normalizeTo1Lot", true}};
    EXPECT_EQ(chart("rom_timeline", "romTimeline", one_lot)[0]["rom"], -2);
    EXPECT_EQ(chart("equity_curve", "equityCurve", one_lot)[0]["equity"], 10000);
    const Json theirs =
        reference("get_performance_charts", {{"blockId", "A"},
                                             {"normalizeTo1Lot", true},
                                             {"charts", {"rom_timeline", "equity_curve"}}});
    EXPECT_EQ(theirs["romTimeline"][0]["rom"], -1);
    EXPECT_EQ(theirs["equityCurve"][0]["equity"], 9970);
}

// 02 I-44: from 10:00 to 14:30 are four and a half hours.
TEST_F(ChartsTool, HoldingTimeCountsClockTimes) {
    write_block("A", {{.opened_at = "10:00:00", .closed_at = "14:30:00", .pl = "1"}});
    EXPECT_EQ(chart("holding_periods", "holdingPeriods")[0]["durationHours"], 4.5);
    EXPECT_EQ(reference_chart("holding_periods", "holdingPeriods")[0]["durationHours"], 0);
}

// 02 I-19: the p-value of the runs test is erfc(|z|/sqrt(2)); the reference's approximation of the
// normal law is off by up to 1.5e-7.
TEST_F(ChartsTool, PValueOfTheRunsTestIsExact) {
    std::vector<Row> rows;
    for (const char result : std::string("WLLWWLWWWLLWLWLLWWWLWLLLWWLWWWLL")) {
        const std::string day = Date(19'000 + static_cast<int>(rows.size())).to_iso();
        rows.push_back({.opened = day, .closed = day, .pl = result == 'W' ? "12" : "-9"});
    }
    write_block("A", rows);
    const Json ours = chart("streak_data", "streakData")["runsTest"];
    const Json theirs = reference_chart("streak_data", "streakData")["runsTest"];
    const double z = ours["zScore"];
    EXPECT_NEAR(theirs["zScore"].get<double>(), z, 1e-12);
    const double exact = std::erfc(std::abs(z) / std::sqrt(2.0));
    ASSERT_GT(exact, 1e-3);
    EXPECT_NEAR(ours["pValue"].get<double>(), exact, 1e-15);
    const double error = std::abs(theirs["pValue"].get<double>() - exact);
    EXPECT_GT(error, 1e-12);
    EXPECT_LE(error, 3.1e-7);  // twice that of the distribution function
}

// 02 I-43: a trade that closes later than the next one is joined with its own balance.
TEST_F(ChartsTool, MarginIsOfTheTradesOwnBalance) {
    write_block("A", {{.opened = "2024-01-02",
                       .closed = "2024-01-10",
                       .pl = "1000",
                       .funds = "11500",
                       .margin = "2300"},
                      {.opened = "2024-01-03",
                       .closed = "2024-01-04",
                       .pl = "500",
                       .funds = "10500",
                       .margin = "2100"}});
    const Json ours = chart("margin_utilization", "marginUtilization");
    EXPECT_EQ(ours[0]["fundsAtClose"], 11500);
    EXPECT_EQ(ours[0]["utilizationPct"], 20);
    EXPECT_EQ(ours[1]["fundsAtClose"], 10500);
    const Json theirs = reference_chart("margin_utilization", "marginUtilization");
    EXPECT_EQ(theirs[0]["fundsAtClose"], 10500);
}

// 02 I-45: premium 2.55 dollars a share, 3 contracts = 765 dollars; the profit of 756 is 98.8
// percent of it. The filter holds for the excursions too.
TEST_F(ChartsTool, PremiumIsThatOfThePositionAndFiltersHoldForExcursions) {
    write_block("A", {{.pl = "756",
                       .funds = "100756",
                       .contracts = "3",
                       .margin = "44235",
                       .premium = "255",
                       .max_profit = "100",
                       .max_loss = "-1.96"},
                      {.opened = "2024-01-03",
                       .closed = "2024-01-03",
                       .pl = "-300",
                       .funds = "100456",
                       .strategy = "beta",
                       .contracts = "3",
                       .margin = "44235",
                       .premium = "255",
                       .max_profit = "10",
                       .max_loss = "-40"}});
    const Json efficiency = chart("premium_efficiency", "premiumEfficiency");
    EXPECT_EQ(efficiency[0]["premiumDollars"], 765);
    EXPECT_NEAR(efficiency[0]["efficiencyPct"].get<double>(), 100.0 * 756 / 765, 1e-9);
    const Json theirs = reference_chart("premium_efficiency", "premiumEfficiency");
    EXPECT_NEAR(theirs[0]["efficiencyPct"].get<double>(), 100.0 * 756 / 255, 1e-9);
    const Json ours = chart("mfe_mae", "mfeMae", {{"strategy", "alpha"}});
    EXPECT_EQ(ours["statistics"]["totalTrades"], 1);
    EXPECT_EQ(ours["dataPoints"][0]["mfe"], 765);
    EXPECT_NEAR(ours["dataPoints"][0]["profitCapturePercent"].get<double>(), 100.0 * 756 / 765,
                1e-9);
    const Json all = reference("get_performance_charts",
                               {{"blockId", "A"}, {"strategy", "alpha"}, {"charts", {"mfe_mae"}}});
    EXPECT_EQ(all["mfeMae"]["statistics"]["totalTrades"], 2);
    EXPECT_EQ(all["mfeMae"]["dataPoints"][0]["profitCapturePercent"], 756);
}

TEST_F(ChartsTool, TextHoldsTheFiguresOfSmallCharts) {
    write_block("A", {{.pl = "100", .funds = "1100", .reason = "Stop | Loss"},
                      {.opened = "2024-01-05",
                       .closed = "2024-01-05",
                       .pl = "-40",
                       .funds = "1060",
                       .reason = "Expired"}});
    call("get_performance_charts",
         {{"blockId", "A"},
          {"charts", {"monthly_returns", "day_of_week", "exit_reason_breakdown"}}});
    EXPECT_NE(text().find("60.00"), std::string::npos) << text();
    EXPECT_NE(text().find("Tuesday"), std::string::npos);
    EXPECT_NE(text().find("Stop \\| Loss"), std::string::npos);
}

TEST_F(ChartsTool, OneTradeTwoTradesAndHugeOnesGiveEveryChart) {
    const Json names = tool("get_performance_charts").arguments[2].schema.element[0].enum_values;
    write_block("A", {{.pl = "5"}});
    write_block("B", {{.pl = "5", .funds = "105"}, {.closed = "", .closed_at = "", .pl = ""}});
    write_block("C", {{.pl = "1e308",
                       .funds = "1e308",
                       .margin = "1e308",
                       .premium = "1e308",
                       .max_profit = "1e308",
                       .max_loss = "-1e308"},
                      {.pl = "-1e308", .margin = "1e-308", .premium = "1e-308"},
                      {.pl = "1e308", .margin = "1e308"}});
    for (const char* block : {"A", "B", "C"}) {
        for (const char* conventions : {"correct", "reference"}) {
            const Json answer =
                call("get_performance_charts",
                     {{"blockId", block}, {"charts", names}, {"conventions", conventions}});
            EXPECT_EQ(answer["chartsIncluded"].size(), names.size());
        }
    }
    EXPECT_TRUE(has_note(call("get_performance_charts", {{"blockId", "C"}}), "*"));
}

TEST_F(ChartsTool, ArgumentsOutOfRangeAreRefused) {
    write_block("A", {{.pl = "5"}});
    for (const Json& wrong :
         {Json{{"bucketCount", 4}}, Json{{"rollingWindowSize", 101}}, Json{{"maxDataPoints", 49}},
          Json{{"charts", {"pie"}}}, Json{{"points", "some"}}, Json{{"mfeMaeBucketSize", 0}}}) {
        Json arguments = wrong;
        arguments["blockId"] = "A";
        EXPECT_NE(error_of("get_performance_charts", arguments), "") << wrong.dump();
    }
    EXPECT_NE(error_of("get_performance_charts", {{"blockId", "A"}, {"strategy", "zzz"}}), "");
}

}  // namespace
}  // namespace tb::tools
