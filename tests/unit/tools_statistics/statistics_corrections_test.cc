// get_statistics under both conventions on minimal inputs: each wrong result of the reference (02
// §6) beside the right one, which is worked out by hand in the comment.
#include <cmath>
#include <string>

#include "tool_fixture.h"

namespace tb::tools {
namespace {

class StatisticsCorrections : public ToolTest {
  protected:
    // The figure under "correct" and under "reference".
    struct Pair {
        Json ours;
        Json theirs;
    };
    Pair stat(const std::string& figure, Json arguments = {{"blockId", "A"}}) {
        const Json ours = call("get_statistics", arguments);
        const Json theirs = reference("get_statistics", arguments);
        ours_ = ours;
        theirs_ = theirs;
        return {ours["stats"].value(figure, Json()), theirs["stats"].value(figure, Json())};
    }
    Json ours_;
    Json theirs_;
};

// I-12: growth runs to the last realized day, not to the close of the trade opened last.
TEST_F(StatisticsCorrections, GrowthRunsToTheLastRealizedDay) {
    write_block(
        "A", {{.opened = "2024-01-02", .closed = "2024-12-31", .pl = "10000", .funds = "111000"},
              {.opened = "2024-01-03", .closed = "2024-01-05", .pl = "1000", .funds = "101000"}});
    const Pair cagr = stat("cagr");
    // 100,000 -> 111,000 in 364 days.
    EXPECT_NEAR(cagr.ours.get<double>(), 100 * (std::pow(1.11, 365.25 / 364) - 1), 1e-9);
    EXPECT_GT(cagr.theirs.get<double>(), 1e6);
}

// I-14: two losers of the same minute, newest first in the file; the account starts from 100,000.
TEST_F(StatisticsCorrections, TiedClosesStillChainToTheRightCapitalAndDrawdown) {
    write_block("A", {{.pl = "-100", .funds = "99800", .strategy = "second"},
                      {.pl = "-100", .funds = "99900", .strategy = "first"}});
    const Pair capital = stat("initialCapital");
    EXPECT_EQ(capital.ours, 100000);
    EXPECT_EQ(capital.theirs, 99900);
    const Pair drawdown = stat("maxDrawdown");
    EXPECT_NEAR(drawdown.ours.get<double>(), 0.2, 1e-12);
    EXPECT_EQ(drawdown.theirs, 0);
}

// I-11: ten equal returns have no deviation, only rounding; the reference divides by it.
TEST_F(StatisticsCorrections, ConstantReturnsHaveNoSharpeRatio) {
    std::vector<Row> rows;
    double funds = 100000;
    for (const int day : {1, 2, 3, 4, 5, 8, 9, 10, 11, 12}) {  // two whole weeks of April 2024
        const double pl = funds * 0.001;
        funds += pl;
        const std::string date =
            "2024-04-" + std::string(day < 10 ? "0" : "") + std::to_string(day);
        rows.push_back(
            {.opened = date, .closed = date, .pl = Json(pl).dump(), .funds = Json(funds).dump()});
    }
    write_block("A", rows);
    const Pair sharpe = stat("sharpeRatio", {{"blockId", "A"}, {"riskFreeRateAnnualPct", 0}});
    EXPECT_EQ(sharpe.ours, nullptr);
    EXPECT_TRUE(has_note(ours_, "sharpeRatio"));
    EXPECT_EQ(ours_["calculationMethodology"]["returns"]["observations"], 10);
    EXPECT_GT(sharpe.theirs.get<double>(), 1e12);
}

// I-10: 2024-01-15 is Martin Luther King day. Two trades around it make three weekdays, but only
// two exchange days.
TEST_F(StatisticsCorrections, HolidaysAreNoIdleDays) {
    write_block("A",
                {{.opened = "2024-01-12", .closed = "2024-01-12", .pl = "100", .funds = "10100"},
                 {.opened = "2024-01-16", .closed = "2024-01-16", .pl = "50", .funds = "10150"}});
    const Pair sharpe = stat("sharpeRatio", {{"blockId", "A"}, {"riskFreeRateAnnualPct", 0}});
    // Returns r = 1/100 and s = 50/10100: mean/sd * sqrt(252), without and with an idle zero.
    const double r = 0.01;
    const double s = 50.0 / 10100;
    EXPECT_NEAR(sharpe.ours.get<double>(),
                (r + s) / 2 / (std::abs(r - s) / std::sqrt(2)) * std::sqrt(252), 1e-9);
    const double mean = (r + s) / 3;
    const double squares = (r - mean) * (r - mean) + (s - mean) * (s - mean) + mean * mean;
    EXPECT_NEAR(sharpe.theirs.get<double>(), mean / std::sqrt(squares / 2) * std::sqrt(252), 1e-9);
    EXPECT_EQ(ours_["calculationMethodology"]["returns"]["observations"], 2);
    EXPECT_EQ(ours_["calculationMethodology"]["returns"]["idleDays"], "included_exchange_days");
    EXPECT_EQ(theirs_["calculationMethodology"]["returns"]["observations"], 3);
}

// I-15: 2024-12-30 and 2025-01-02 are one ISO week: -10 and +30 make one winning week of one.
TEST_F(StatisticsCorrections, WeeksAreNotCutAtNewYear) {
    write_block("A",
                {{.opened = "2024-12-30", .closed = "2024-12-30", .pl = "-10", .funds = "9990"},
                 {.opened = "2025-01-02", .closed = "2025-01-02", .pl = "30", .funds = "10020"}});
    const Pair weeks = stat("weeklyWinRate");
    EXPECT_EQ(weeks.ours, 100);
    EXPECT_EQ(weeks.theirs, 50);
}

// I-49: of the exchange days 2, 3, 4 and 5 January two end below the peak.
TEST_F(StatisticsCorrections, TimeInDrawdownCountsDaysNotTrades) {
    write_block("A",
                {{.opened = "2024-01-02", .closed = "2024-01-02", .pl = "100", .funds = "10100"},
                 {.opened = "2024-01-03", .closed = "2024-01-03", .pl = "-60", .funds = "10040"},
                 {.opened = "2024-01-05", .closed = "2024-01-05", .pl = "80", .funds = "10120"}});
    const Pair time = stat("timeInDrawdown");
    EXPECT_EQ(time.ours, 50);
    EXPECT_NEAR(time.theirs.get<double>(), 100.0 / 3, 1e-9);
    const Pair day = stat("avgDailyPl");
    EXPECT_EQ(day.ours, 30);    // 120 over four days
    EXPECT_EQ(day.theirs, 40);  // 120 over three days with a trade
}

// I-22: margin of a trade that closed at 11:00 is free for one that opens at 11:00.
TEST_F(StatisticsCorrections, ClosesComeBeforeOpensOfTheSameMinute) {
    write_block("A", {{.closed_at = "11:00:00", .pl = "1", .funds = "50001", .margin = "5000"},
                      {.opened_at = "11:00:00",
                       .closed_at = "12:00:00",
                       .pl = "2",
                       .funds = "50003",
                       .margin = "4000"}});
    stat("netPl");
    EXPECT_EQ(ours_["peakExposure"]["byDollars"]["exposure"], 5000);
    EXPECT_EQ(theirs_["peakExposure"]["byDollars"]["exposure"], 9000);
    // The reference's dates are instants (02 §1.2), ours days.
    EXPECT_EQ(ours_["peakExposure"]["byDollars"]["date"], "2024-01-02");
    EXPECT_EQ(theirs_["peakExposure"]["byDollars"]["date"], "2024-01-02T00:00:00.000Z");
}

// I-23: before the first close the start capital is at stake.
TEST_F(StatisticsCorrections, ExposureBeforeTheFirstCloseIsOfTheStartCapital) {
    write_block("A", {{.opened = "2024-01-02",
                       .closed = "2024-01-09",
                       .pl = "100",
                       .funds = "100100",
                       .margin = "50000"}});
    stat("netPl");
    EXPECT_EQ(ours_["peakExposure"]["byPercent"]["exposurePercent"], 50);
    EXPECT_EQ(theirs_["peakExposure"]["byPercent"]["date"], "2024-01-09T00:00:00.000Z");
}

// I-2: 9:32 AM comes before 10:00 however it is written. The reference compares the texts, by which
// "9:32 AM" is the later one; our database holds times, not texts, so that "reference" cannot
// repeat it: block B is A with the times in the order in which the reference takes them.
TEST_F(StatisticsCorrections, TimesOrderByTheClockNotByTheirText) {
    const Row won = {.opened_at = "9:32 AM", .closed_at = "9:45 AM", .pl = "10", .funds = "1010"};
    const Row lost = {
        .opened_at = "10:00:00", .closed_at = "10:30:00", .pl = "-20", .funds = "990"};
    write_block("A", {won, lost});
    Row late = won;
    late.opened_at = "11:32:00";
    late.closed_at = "11:45:00";
    write_block("B", {late, lost});
    const Pair streak = stat("currentStreak");
    EXPECT_EQ(streak.ours, -1);
    EXPECT_EQ(streak.theirs, -1);
    EXPECT_EQ(stat("currentStreak", {{"blockId", "B"}}).theirs, 1);
    EXPECT_EQ(stat("initialCapital").ours, 1000);
    EXPECT_EQ(stat("initialCapital").theirs, 1000);
    EXPECT_EQ(stat("initialCapital", {{"blockId", "B"}}).theirs, 1010);
}

// I-55: six returns make an annual figure, but no evidence. The reference says nothing of it.
TEST_F(StatisticsCorrections, AnnualFiguresOfFewDaysAreFlagged) {
    std::vector<Row> rows;
    double funds = 10000;
    for (const int day : {1, 2, 3, 4, 5, 8}) {
        const int pl = 40 + 7 * (day % 3);
        funds += pl;
        const std::string date = "2024-04-0" + std::to_string(day);
        rows.push_back({.opened = date,
                        .closed = date,
                        .pl = std::to_string(pl),
                        .funds = Json(funds).dump()});
    }
    write_block("A", rows);
    const Pair sharpe = stat("sharpeRatio");
    call("get_statistics", {{"blockId", "A"}});  // for its text
    EXPECT_GT(sharpe.ours.get<double>(), 11.7);
    EXPECT_GT(sharpe.theirs.get<double>(), 11.7);
    EXPECT_NE(ours_["notes"].dump().find("only 6 daily returns"), std::string::npos)
        << ours_["notes"];
    EXPECT_NE(text().find("only 6 daily returns"), std::string::npos);
    EXPECT_EQ(theirs_.dump().find("daily returns: not reliable"), std::string::npos);
}

// ---- with a daily log ----

class StatisticsWithLog : public StatisticsCorrections {
  protected:
    void write_log(const std::string& rows) {
        dir_.write("A/dailylog.csv",
                   "Date,Net Liquidity,Current Funds,Withdrawn,Trading Funds,P/L,P/L %,Drawdown "
                   "%\n" +
                       rows);
    }
};

// I-13 on real data: MEIC's log starts from 100,000 and ends before the trades, which start from
// 125,000. A filter that every trade passes must not bring the log's capital back in.
TEST_F(StatisticsCorrections, AFilterThatKeepsEveryTradeKeepsEveryFigure) {
    TB_REQUIRE_SHARED();
    copy_shared_block("MEIC Test Data");
    const Json whole = call("get_statistics", {{"blockId", "MEIC Test Data"}});
    const Json part =
        call("get_statistics", {{"blockId", "MEIC Test Data"}, {"tickerFilter", "SPX"}});
    EXPECT_EQ(part["stats"]["initialCapital"], 125000);
    for (const auto& [name, value] : whole["stats"].items()) {
        EXPECT_NEAR(part["stats"][name].get<double>(), value.get<double>(), 1e-9) << name;
    }
    EXPECT_EQ(part["peakExposure"], whole["peakExposure"]);
    const Json charts = call("get_performance_charts", {{"blockId", "MEIC Test Data"},
                                                        {"strategy", "MEIC Test Data"},
                                                        {"charts", {"equity_curve"}}});
    EXPECT_EQ(charts["equityCurve"][0]["equity"], 125000);
}

// I-13: the log starts from 100,000, the trades from 125,000: the reference takes the drawdown of
// one and the growth of the other.
TEST_F(StatisticsWithLog, OneBaseForAllFiguresAndAWarningWhenTheyDisagree) {
    write_block(
        "A", {{.pl = "1000", .funds = "126000"},
              {.opened = "2024-01-03", .closed = "2024-01-03", .pl = "-500", .funds = "125500"}});
    write_log("2024-01-02,101000,0,0,0,1000,1,0\n2024-01-03,100500,0,0,0,-500,-0.5,-0.5\n");
    const Pair capital = stat("initialCapital");
    EXPECT_EQ(capital.ours, 125000);
    EXPECT_EQ(capital.theirs, 100000);
    EXPECT_EQ(ours_["calculationMethodology"]["returns"]["source"], "realized_trade_pl");
    EXPECT_EQ(theirs_["calculationMethodology"]["returns"]["source"], "daily_log");
    ASSERT_TRUE(ours_.contains("warnings"));
    EXPECT_NE(ours_["warnings"].dump().find("100000"), std::string::npos) << ours_["warnings"];
}

// I-25: of the range 2024-01-04..05 the fall is 1,000 of 109,000, whatever the peak before it was.
TEST_F(StatisticsWithLog, DrawdownOfARangeForgetsThePeakBeforeIt) {
    write_block("A",
                {{.opened = "2024-01-02", .closed = "2024-01-02", .pl = "10000", .funds = "110000"},
                 {.opened = "2024-01-03", .closed = "2024-01-03", .pl = "-1000", .funds = "109000"},
                 {.opened = "2024-01-04", .closed = "2024-01-04", .pl = "-1000", .funds = "108000"},
                 {.opened = "2024-01-05", .closed = "2024-01-05", .pl = "500", .funds = "108500"}});
    write_log(
        "2024-01-02,110000,0,0,0,10000,10,0\n2024-01-03,109000,0,0,0,-1000,-0.91,-0.91\n"
        "2024-01-04,108000,0,0,0,-1000,-0.92,-1.82\n2024-01-05,108500,0,0,0,500,0.46,-1.36\n");
    const Pair drawdown = stat(
        "maxDrawdown", {{"blockId", "A"}, {"startDate", "2024-01-04"}, {"endDate", "2024-01-05"}});
    EXPECT_NEAR(drawdown.ours.get<double>(), 100.0 * 1000 / 109000, 1e-9);
    EXPECT_EQ(drawdown.theirs, 1.82);
}

// I-57: a withdrawal is no loss.
TEST_F(StatisticsWithLog, WithdrawalsAreSaidAndAreNoDrawdown) {
    write_block("A",
                {{.opened = "2024-01-02", .closed = "2024-01-02", .pl = "1000", .funds = "101000"},
                 {.opened = "2024-01-03", .closed = "2024-01-03", .pl = "500", .funds = "101500"}});
    write_log("2024-01-02,101000,0,0,0,1000,1,0\n2024-01-03,91500,0,10000,0,500,0.5,-9.41\n");
    const Pair drawdown = stat("maxDrawdown");
    EXPECT_EQ(drawdown.ours, 0);
    EXPECT_EQ(drawdown.theirs, 9.41);
    EXPECT_NE(ours_["warnings"].dump().find("ithdraw"), std::string::npos) << ours_["warnings"];
}

// ---- the real blocks: figures of 02 §6 and §8 ----

TEST_F(StatisticsCorrections, KeyFiguresOfTheRealBlocks) {
    TB_REQUIRE_SHARED();
    copy_shared_block("EMA Test Data");
    copy_shared_block("EMA NoLog");
    copy_shared_block("MEIC Test Data");
    const Json ema = reference("get_statistics", {{"blockId", "EMA Test Data"}})["stats"];
    EXPECT_NEAR(ema["sharpeRatio"].get<double>(), 1.04596174659, 1e-9);
    EXPECT_NEAR(ema["cagr"].get<double>(), 26.5908681692, 1e-9);
    EXPECT_EQ(ema["netPl"], 19735);
    const Json bare = reference("get_statistics", {{"blockId", "EMA NoLog"}})["stats"];
    EXPECT_NEAR(bare["sharpeRatio"].get<double>(), 1.01650975816, 1e-9);
    EXPECT_NEAR(bare["maxDrawdown"].get<double>(), 12.8920900446, 1e-9);
    const Json meic = reference("get_statistics", {{"blockId", "MEIC Test Data"}})["stats"];
    EXPECT_NEAR(meic["netPl"].get<double>(), 408.08, 1e-9);
    EXPECT_NEAR(meic["sharpeRatio"].get<double>(), 0.103157963034, 1e-9);
    EXPECT_NEAR(meic["cagr"].get<double>(), 0.370394704189, 1e-9);
}

// I-10 and I-24 on real data: without the log, on 192 exchange days instead of 200 weekdays, the
// ratio is that of the log; the bond-equivalent yield lowers it by another half percent.
TEST_F(StatisticsCorrections, ExchangeDaysBringTheTradesToTheLogsSharpeRatio) {
    TB_REQUIRE_SHARED();
    copy_shared_block("EMA NoLog");
    const Json ours = call("get_statistics", {{"blockId", "EMA NoLog"}});
    EXPECT_EQ(ours["calculationMethodology"]["returns"]["observations"], 192);
    EXPECT_NEAR(ours["stats"]["sharpeRatio"].get<double>(), 1.0410, 5e-5);
    const Json theirs = reference("get_statistics", {{"blockId", "EMA NoLog"}});
    EXPECT_EQ(theirs["calculationMethodology"]["returns"]["observations"], 200);
    EXPECT_NEAR(theirs["stats"]["sharpeRatio"].get<double>(), 1.0165, 5e-5);
}

}  // namespace
}  // namespace tb::tools
