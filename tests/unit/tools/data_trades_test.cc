// get_trades and get_reporting_log_stats: rows, filters, order, pages, and sums by strategy.
#include "tool_support.h"

namespace tb::tools {
namespace {

using mcp::Json;

class Trades : public ToolTest {
  protected:
    void write_some() const {
        // Newest first, as exports are; one open trade, one at break-even, three tickers.
        write_block(
            "A",
            "2024-01-05,09:45:00,leg e,110,,,0,1,900,Beta,0,0,,QQQ\n"
            "2024-01-04,15:00:00,leg d,120,2024-01-04,16:00:00,0,2,800,alpha,1,1,Time,SPX\n"
            "2024-01-03,10:15:00,leg c,130,2024-01-04,12:00:00,-40,3,700,Beta,2,1,Stop,SPX\n"
            "2024-01-03,9:05 AM,leg b,140,2024-01-03,16:00:00,25,4,600,alpha,3,1,Target,SPY\n"
            "2024-01-02,11:00:00,leg a,150,2024-01-02,16:00:00,70,5,500,,4,1,Target,SPX\n");
    }
    std::vector<std::string> legs(const Json& arguments) {
        Json all = arguments;
        all["blockId"] = "A";
        std::vector<std::string> legs;
        const Json answer = json_of("get_trades", all);
        for (const Json& trade : answer["trades"]) {
            legs.push_back(trade["legs"].get<std::string>().substr(4));
        }
        return legs;
    }
    using Legs = std::vector<std::string>;
};

TEST_F(Trades, RealPageIsTheReferencesExample) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json answer = json_of("get_trades", {{"blockId", "EMA Test Data"}, {"pageSize", 2}});
    const Json& trade = answer["trades"][0];
    EXPECT_EQ(trade["dateOpened"], "2025-10-08");
    EXPECT_EQ(trade["timeOpened"], "10:15:00");
    EXPECT_EQ(trade["strategy"], "0DTE PCS - EMA Entry");
    EXPECT_EQ(trade["legs"], "3 Oct 8 6725 P STO 4.45 | 3 Oct 8 6575 P BTO 0.25");
    EXPECT_EQ(trade["pl"], 1251);
    EXPECT_EQ(trade["netPl"], 1251);
    EXPECT_EQ(trade["numContracts"], 3);
    EXPECT_EQ(trade["commissions"], 9);
    EXPECT_EQ(answer["pagination"]["totalPages"], 192);
    EXPECT_EQ(answer["pagination"]["totalTrades"], 384);
    EXPECT_EQ(answer["options"]["sortOrder"], "desc");
    EXPECT_TRUE(answer["options"]["minPl"].is_null());
}

TEST_F(Trades, PagesToTheEndGiveEveryTradeOnce) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    double sum = 0;
    std::size_t count = 0;
    for (Json offset = 0; !offset.is_null();) {
        // A budget that cuts pages short.
        const Answer page =
            call("get_trades",
                 {{"blockId", "MEIC Test Data"}, {"pageSize", 100}, {"offset", offset}}, 12'000);
        ASSERT_TRUE(page.ok()) << page.error;
        EXPECT_LE(page.text.size(), 12'000U);
        EXPECT_LE(page.json.dump().size(), 12'000U);
        ASSERT_FALSE(page.json["trades"].empty());
        for (const Json& trade : page.json["trades"]) {
            sum += trade["netPl"].get<double>();
            ++count;
        }
        EXPECT_EQ(page.json["pagination"]["totalTrades"], 532);
        offset = page.json["pagination"]["nextOffset"];
    }
    EXPECT_EQ(count, 532U);
    EXPECT_NEAR(sum, 408.08, 1e-9 * 408.08);
    std::size_t by_page = 0;
    for (int page = 1; page <= 11; ++page) {
        by_page +=
            json_of("get_trades", {{"blockId", "MEIC Test Data"}, {"page", page}})["trades"].size();
    }
    EXPECT_EQ(by_page, 532U);
}

TEST_F(Trades, FiltersAndSorts) {
    write_some();
    EXPECT_EQ(legs({}), (Legs{"e", "d", "b", "c", "a"}));  // a day's trades stay in its order
    EXPECT_EQ(legs({{"sortOrder", "asc"}}), (Legs{"a", "b", "c", "d", "e"}));
    EXPECT_EQ(legs({{"strategy", "ALPHA"}}), (Legs{"d", "b"}));
    EXPECT_EQ(legs({{"strategy", "a"}}), (Legs{"a"}));  // the blank one is the block's id
    EXPECT_EQ(legs({{"tickerFilter", "spx"}}), (Legs{"d", "c", "a"}));
    EXPECT_EQ(legs({{"startDate", "2024-01-03"}, {"endDate", "2024-01-04"}}),
              (Legs{"d", "b", "c"}));
    EXPECT_EQ(legs({{"outcome", "winners"}}), (Legs{"b", "a"}));
    EXPECT_EQ(legs({{"outcome", "losers"}}), (Legs{"c"}));
    EXPECT_EQ(legs({{"outcome", "breakeven"}}), (Legs{"e", "d"}));
    EXPECT_EQ(legs({{"minPl", 0}, {"maxPl", 25}}), (Legs{"e", "d", "b"}));
    EXPECT_EQ(legs({{"sortBy", "pl"}}), (Legs{"a", "b", "d", "e", "c"}));
    EXPECT_EQ(legs({{"sortBy", "ticker"}, {"sortOrder", "asc"}}), (Legs{"e", "a", "c", "d", "b"}));
    EXPECT_EQ(legs({{"page", 2}, {"pageSize", 2}}), (Legs{"b", "c"}));
    EXPECT_EQ(legs({{"page", 4}, {"pageSize", 2}}), (Legs{}));
}

TEST_F(Trades, OpenTradesAndMissingTimesAreNull) {
    write_block("A", "2024-01-05,,leg e,110,,,0,1,900,Beta,0,0,,QQQ\n");
    const Answer answer = call("get_trades", {{"blockId", "A"}});
    const Json& trade = answer.json["trades"][0];
    EXPECT_TRUE(trade["timeOpened"].is_null());
    EXPECT_TRUE(trade["dateClosed"].is_null());
    EXPECT_TRUE(trade["reasonForClose"].is_null());
    EXPECT_NE(answer.text.find("| open |"), std::string::npos) << answer.text;
}

TEST_F(Trades, GrossBlocksShowBothAmountsAndFilterByNet) {
    dir_.write("A/tradelog.csv",
               "Date Opened,Legs,Premium,P/L,No. of Contracts,Margin Req.,Strategy,Opening "
               "Commissions + Fees,Closing Commissions + Fees,P/L Basis\n"
               "2024-01-05,x,110,10,1,900,Beta,7,4,gross_before_fees\n");
    const Json trade = json_of("get_trades", {{"blockId", "A"}})["trades"][0];
    EXPECT_EQ(trade["pl"], 10);
    EXPECT_EQ(trade["netPl"], -1);
    EXPECT_EQ(json_of("get_trades",
                      {{"blockId", "A"}, {"outcome", "losers"}})["pagination"]["totalTrades"],
              1);
}

TEST_F(Trades, MistakesAreExplained) {
    write_some();
    const auto error = [&](Json arguments) {
        arguments["blockId"] = "A";
        return call("get_trades", arguments).error;
    };
    EXPECT_NE(error({{"strategy", "alpa"}}).find("did you mean 'alpha'"), std::string::npos);
    EXPECT_NE(error({{"startDate", "2024-02-01"}, {"endDate", "2024-01-01"}}).find("after"),
              std::string::npos);
    EXPECT_NE(error({{"startDate", "2024-02-30"}}).find("startDate"), std::string::npos);
    EXPECT_NE(error({{"minPl", 5}, {"maxPl", 4}}).find("minPl"), std::string::npos);
    EXPECT_NE(error({{"page", 0}}).find("page"), std::string::npos);
    EXPECT_NE(error({{"pageSize", 101}}).find("pageSize"), std::string::npos);
}

TEST_F(Trades, HostileTextsStayData) {
    write_block("A",
                "2024-01-05,10:00:00,leg | with \xE2\x80\xAE pipe,110,2024-01-05,11:00:00,5,1,900,"
                "ignore | all,0,0,Done,SPX\n");
    const Answer answer = call("get_trades", {{"blockId", "A"}});
    EXPECT_NE(answer.text.find("leg \\| with <U+202E> pipe"), std::string::npos) << answer.text;
    EXPECT_EQ(answer.text.find("\xE2\x80\xAE"), std::string::npos);
}

TEST_F(Trades, HalfWrittenFileKeepsOldRowsAndSaysSo) {
    write_some();
    ASSERT_EQ(legs({}).size(), 5U);
    dir_.write("A/tradelog.csv", std::string(kTradeHeader) + "2024-01-03,10:00:00,b");
    const Answer answer = call("get_trades", {{"blockId", "A"}});
    ASSERT_TRUE(answer.ok()) << answer.error;
    EXPECT_EQ(answer.json["pagination"]["totalTrades"], 5);
    EXPECT_EQ(answer.json["syncInfo"]["status"], "incomplete");
    EXPECT_EQ(answer.json["syncErrors"].size(), 1U);
    EXPECT_NE(answer.text.find("NOT UP TO DATE 'A'"), std::string::npos) << answer.text;
}

class ReportingStats : public ToolTest {};

TEST_F(ReportingStats, RealLogsHaveTheirGoldenFigures) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json meic = json_of("get_reporting_log_stats", {{"blockId", "MEIC Test Data"}});
    EXPECT_EQ(meic["totalTrades"], 26);
    EXPECT_EQ(meic["invalidTrades"], 0);
    EXPECT_NEAR(meic["totalPL"].get<double>(), -2045.51436, 1e-9 * 2046);
    EXPECT_EQ(meic["dateRange"], (Json{{"start", "2025-05-14"}, {"end", "2025-05-30"}}));
    const Json& strategy = meic["byStrategy"]["MEIC"];
    EXPECT_EQ(strategy["tradeCount"], 26);
    EXPECT_DOUBLE_EQ(strategy["winRate"].get<double>(), 0.46153846153846156);
    EXPECT_NEAR(strategy["avgPL"].get<double>(), -78.67362923076922, 1e-9 * 79);
    EXPECT_EQ(strategy["contractCount"], 52);
    EXPECT_FALSE(meic["stale"].get<bool>());
    const Json ema = json_of("get_reporting_log_stats", {{"blockId", "EMA Test Data"}});
    EXPECT_EQ(ema["strategyCount"], 2);
    const Json& ccs = ema["byStrategy"]["0DTE CCS - EMA Entry"];
    EXPECT_EQ(ccs["tradeCount"], 205);
    EXPECT_DOUBLE_EQ(ccs["winRate"].get<double>(), 0.4682926829268293);
    EXPECT_NEAR(ccs["totalPL"].get<double>(), -14310789, 1e-9 * 14310789);
    const Json& pcs = ema["byStrategy"]["0DTE PCS - EMA Entry"];
    EXPECT_EQ(pcs["tradeCount"], 179);
    EXPECT_DOUBLE_EQ(pcs["winRate"].get<double>(), 0.46368715083798884);
    EXPECT_NEAR(pcs["totalPL"].get<double>(), -22020597, 1e-9 * 22020597);
}

TEST_F(ReportingStats, ManyStrategiesFitTheBudgetAndAreCounted) {
    write_block("A", "2024-01-05,10:00:00,x,110,,,0,1,900,Beta,0,0,,QQQ\n");
    std::string rows = "Strategy,Date Opened,Legs,Initial Premium,No. of Contracts,P/L\n";
    for (int i = 0; i < 150; ++i) {
        rows += "S" + std::to_string(1000 + i) + ",2024-01-05 10:00:00,a,1.5,2," +
                std::to_string(i) + "\n";
    }
    dir_.write("A/reportinglog.csv", rows);
    const Answer answer = call("get_reporting_log_stats", {{"blockId", "A"}}, 12'000);
    ASSERT_TRUE(answer.ok()) << answer.error;
    EXPECT_LE(answer.json.dump().size(), 12'000U);
    EXPECT_LE(answer.text.size(), 12'000U);
    EXPECT_EQ(answer.json["strategyCount"], 150);
    EXPECT_GT(answer.json["strategiesOmitted"], 0);
    EXPECT_EQ(
        answer.json["byStrategy"].size() + answer.json["strategiesOmitted"].get<std::size_t>(),
        150U);
    EXPECT_EQ(json_of("get_reporting_log_stats", {{"blockId", "A"}})["byStrategy"].size(), 150U);
}

TEST_F(ReportingStats, CountsUnusableRowsAndTellsABlockWithoutALog) {
    write_block("A", "2024-01-05,10:00:00,x,110,,,0,1,900,Beta,0,0,,QQQ\n");
    const Answer none = call("get_reporting_log_stats", {{"blockId", "A"}});
    ASSERT_TRUE(none.ok()) << none.error;
    EXPECT_FALSE(none.json["hasReportingLog"].get<bool>());
    EXPECT_EQ(none.json["totalTrades"], 0);
    EXPECT_NE(none.text.find("no reporting log"), std::string::npos);
    dir_.write("A/reportinglog.csv",
               "Strategy,Date Opened,Legs,Initial Premium,No. of Contracts,P/L\n"
               "S,2024-01-05 10:00:00,a,1.5,2,30\n"
               "S,2024-01-06 10:00:00,a,1.5,3,-10\n"
               "T,2024-01-07 10:00:00,a,1.5,1,abc\n");
    const Answer some = call("get_reporting_log_stats", {{"blockId", "A"}});
    ASSERT_TRUE(some.ok()) << some.error;
    EXPECT_EQ(some.json["totalTrades"], 2);
    EXPECT_EQ(some.json["invalidTrades"], 1);
    EXPECT_EQ(some.json["byStrategy"]["S"]["winRate"], 0.5);
    EXPECT_EQ(some.json["byStrategy"]["S"]["avgPL"], 10);
    EXPECT_NE(some.text.find("get_data_issues"), std::string::npos) << some.text;
}

}  // namespace
}  // namespace tb::tools
