// One order, one capital, one drawdown: what the tools say of the same trades agrees.
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "support/temp_dir.h"
#include "tool_fixture.h"

namespace tb::tools {
namespace {

class OneTruth : public ToolTest {
  protected:
    double stat(const char* name, const Json& arguments) {
        return call("get_statistics", arguments)["stats"][name].get<double>();
    }
    Json charts(Json arguments, const std::vector<std::string>& names) {
        arguments["charts"] = names;
        arguments["points"] = "full";
        return call("get_performance_charts", arguments);
    }
};

// Positions open at the end: the daily P/L marks them to the market, current funds do not know.
TEST_F(OneTruth, ADailyLogIsJudgedByItsCurrentFunds) {
    dir_.write("A/t.csv",
               "Date Opened,Date Closed,P/L,No. of Contracts,Funds at Close,Margin Req.,Strategy\n"
               "2024-01-05,2024-01-09,1500,1,105500,1500,Cal\n"
               "2024-01-05,2024-01-05,1500,1,104000,2000,A\n"
               "2024-01-04,2024-01-04,-500,1,102500,2000,A\n"
               "2024-01-03,2024-01-03,2000,1,103000,2000,A\n"
               "2024-01-02,2024-01-02,1000,1,101000,2000,A\n");
    dir_.write("A/dailylog.csv",
               "Date,Net Liquidity,Current Funds,Withdrawn,Trading Funds,P/L,P/L %,Drawdown %\n"
               "2024-01-02,101000,101000,0,101000,1000,1.0,0\n"
               "2024-01-03,103000,103000,0,103000,2000,1.98,0\n"
               "2024-01-04,102500,102500,0,102500,-500,-0.49,-0.49\n"
               "2024-01-05,104000,104000,0,104000,1500,1.46,0\n"
               "2024-01-08,98000,104000,0,104000,-6000,-5.77,-5.77\n"
               "2024-01-09,103800,105500,0,105500,5800,5.92,-0.19\n");
    const Json answer = call("get_statistics", {{"blockId", "A"}});
    EXPECT_NEAR(answer["stats"]["maxDrawdown"].get<double>(), 100.0 * 6000 / 104000, 1e-9);
    const Json& drawdowns = answer["drawdowns"];
    EXPECT_EQ(drawdowns["basis"], "daily_log");
    const Json& worst = drawdowns["worst"][0];
    EXPECT_EQ(worst["dollars"], 6000);
    EXPECT_EQ(worst["peakDate"], "2024-01-05");
    EXPECT_EQ(worst["troughDate"], "2024-01-08");
    EXPECT_TRUE(worst["recoveryDate"].is_null());
    EXPECT_NE(text().find("Max drawdown, daily log | 5.77% ($6,000.00) from 2024-01-05 to "
                          "2024-01-08, not recovered"),
              std::string::npos)
        << text();
    const Json chart = charts({{"blockId", "A"}}, {"drawdown"});
    EXPECT_EQ(chart["drawdowns"], drawdowns);
    EXPECT_FALSE(reference("get_statistics", {{"blockId", "A"}}).contains("drawdowns"));
}

// `Withdrawn` is what has been withdrawn so far: two withdrawals, 5,000 in all.
TEST_F(OneTruth, WithdrawalsCountOnceAndAreNoLossInAnyTool) {
    dir_.write("A/t.csv",
               "Date Opened,Date Closed,P/L,No. of Contracts,Funds at Close,Margin Req.,Strategy\n"
               "2024-01-09,2024-01-09,500,1,105500,2000,A\n"
               "2024-01-08,2024-01-08,1500,1,105000,2000,A\n"
               "2024-01-05,2024-01-05,1000,1,103500,2000,A\n"
               "2024-01-04,2024-01-04,-500,1,102500,2000,A\n"
               "2024-01-03,2024-01-03,2000,1,103000,2000,A\n"
               "2024-01-02,2024-01-02,1000,1,101000,2000,A\n");
    dir_.write("A/dailylog.csv",
               "Date,Net Liquidity,Current Funds,Withdrawn,Trading Funds,P/L,P/L %,Drawdown %\n"
               "2024-01-02,101000,101000,0,101000,1000,1.0,0\n"
               "2024-01-03,103000,103000,0,103000,2000,1.98,0\n"
               "2024-01-04,99500,99500,3000,99500,-500,-0.49,-3.4\n"
               "2024-01-05,100500,100500,3000,100500,1000,1.0,-2.4\n"
               "2024-01-08,102000,102000,3000,102000,1500,1.49,0\n"
               "2024-01-09,100500,100500,5000,100500,500,0.49,-1.5\n");
    const Json answer = call("get_statistics", {{"blockId", "A"}});
    EXPECT_NE(answer["warnings"].dump().find("withdrawals on 2 days (5000.00 in all"),
              std::string::npos)
        << answer["warnings"];
    EXPECT_NEAR(answer["stats"]["maxDrawdown"].get<double>(), 0.5, 1e-9);
    const Json chart = charts({{"blockId", "A"}}, {"drawdown", "daily_exposure"});
    double deepest = 0;
    for (const Json& point : chart["drawdown"]) {
        deepest = std::min(deepest, point["drawdownPct"].get<double>());
    }
    EXPECT_NEAR(deepest, -0.5, 1e-9);
    EXPECT_NEAR(chart["dailyExposure"]["peakByPercent"]["exposurePercent"].get<double>(),
                answer["peakExposure"]["byPercent"]["exposurePercent"].get<double>(), 1e-9);
}

TEST_F(OneTruth, AllKellyFieldsTakeTiesForWhatTheyAre) {
    std::vector<Row> rows;
    double funds = 100000;
    for (int i = 0; i < 60; ++i) {
        const double pl = i < 20 ? 100 : i < 30 ? -100 : 0;
        funds += pl;
        rows.push_back({.closed_at = "15:00:00",
                        .pl = std::to_string(pl),
                        .funds = std::to_string(funds),
                        .margin = "1000"});
    }
    write_block("A", rows);
    EXPECT_NEAR(stat("kellyPercentage", {{"blockId", "A"}}), 100.0 / 3, 1e-9);
    EXPECT_NEAR(
        reference("get_statistics", {{"blockId", "A"}})["stats"]["kellyPercentage"].get<double>(),
        -100.0 / 3, 1e-9);
}

// ---- the real blocks ----

std::set<long> funds_column(const std::filesystem::path& file) {
    std::set<long> cents;
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
        // Column 13; legs hold no comma outside quotes in these files.
        std::vector<std::string> cells;
        std::string cell;
        bool quoted = false;
        for (const char c : line) {
            if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                cells.push_back(std::exchange(cell, {}));
            } else {
                cell.push_back(c);
            }
        }
        cents.insert(std::lround(100 * std::stod(cells.at(12))));
    }
    return cents;
}

TEST_F(OneTruth, TheRealBlocksFollowTheirFundsColumn) {
    TB_REQUIRE_SHARED();
    const auto blocks = test::shared_dir() / "data" / "blocks";
    for (const auto& [id, file, trades] : {std::tuple{"MEIC Test Data", "meic-tradelog.csv", 532},
                                           std::tuple{"EMA Test Data", "ema-tradelog.csv", 384}}) {
        copy_shared_block(id);
        const std::set<long> stated = funds_column(blocks / id / file);
        const Json chart = charts({{"blockId", id}}, {"equity_curve"});
        ASSERT_EQ(chart["equityCurve"].size(), static_cast<std::size_t>(trades) + 1);
        for (std::size_t i = 1; i < chart["equityCurve"].size(); ++i) {
            const double equity = chart["equityCurve"][i]["equity"].get<double>();
            EXPECT_TRUE(stated.contains(std::lround(100 * equity))) << id << " " << i;
        }
        EXPECT_EQ(chart.value("warnings", Json::array()).dump().find("funds column"),
                  std::string::npos);
    }
}

TEST_F(OneTruth, MeicAsRealized) {
    TB_REQUIRE_SHARED();
    copy_shared_block("MEIC Test Data");
    const Json block = {{"blockId", "MEIC Test Data"}};
    const Json answer = call("get_statistics", block);
    EXPECT_EQ(answer["stats"]["maxWinStreak"], 11);
    EXPECT_EQ(answer["stats"]["maxLossStreak"], 7);
    EXPECT_NEAR(answer["drawdowns"]["afterEachTrade"]["worst"][0]["percent"].get<double>(),
                5.414549507094464, 1e-9);
    const Json chart = charts(block, {"drawdown", "streak_data"});
    EXPECT_EQ(chart["streakData"]["statistics"]["maxWinStreak"], 11);
    EXPECT_NEAR(chart["streakData"]["runsTest"]["pValue"].get<double>(), 0.005258649293406991,
                1e-12);
    EXPECT_EQ(chart["drawdowns"], answer["drawdowns"]);
    double deepest = 0;
    for (const Json& point : chart["drawdown"]) {
        deepest = std::min(deepest, point["drawdownPct"].get<double>());
    }
    EXPECT_NEAR(deepest, -5.414549507094464, 1e-9);
    EXPECT_EQ(answer["drawdowns"]["worst"].size(), 5U);
    EXPECT_EQ(answer["drawdowns"]["worst"][0]["percent"], answer["stats"]["maxDrawdown"]);
}

TEST_F(OneTruth, AFilterThatKeepsARangeWholeKeepsItsFigures) {
    TB_REQUIRE_SHARED();
    for (const char* const id : {"MEIC Test Data", "EMA Test Data"}) {
        copy_shared_block(id);
        Json range = {{"blockId", id}, {"startDate", "2025-06-01"}};
        const Json plain = call("get_statistics", range);
        range["tickerFilter"] = "SPX";
        const Json ticker = call("get_statistics", range);
        EXPECT_EQ(plain["stats"], ticker["stats"]) << id;
        EXPECT_EQ(plain["drawdowns"], ticker["drawdowns"]) << id;
        EXPECT_EQ(plain["peakExposure"], ticker["peakExposure"]) << id;
        const Json curve = charts({{"blockId", id}, {"dateRange", {{"from", "2025-06-01"}}}},
                                  {"equity_curve", "drawdown"});
        EXPECT_NEAR(curve["equityCurve"][0]["equity"].get<double>(),
                    plain["stats"]["initialCapital"].get<double>(), 1e-9)
            << id;
        EXPECT_EQ(curve["drawdowns"], plain["drawdowns"]) << id;
    }
}

}  // namespace
}  // namespace tb::tools
