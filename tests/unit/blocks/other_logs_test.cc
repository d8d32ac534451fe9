// Daily logs, reporting logs and Trade Automation Toolbox exports (01 §1.6, §1.7, §2).
#include <string>

#include <gtest/gtest.h>

#include "collect.h"

namespace tb::blocks {
namespace {

using test::Ingested;

TEST(DailyLog, EveryColumnGoesToItsField) {
    Ingested<DailyRecord> got;
    test::ingest_into(got,
                      "Date,Net Liquidity,Current Funds,Withdrawn,Trading Funds,P/L,P/L %,Drawdown "
                      "%,Comment\n2024-01-02,100756,100755,1,100754,756,0.76,-1.5,fine\n");
    ASSERT_EQ(got.rows.size(), 1U);
    const DailyRecord& day = got.rows[0];
    EXPECT_EQ(day.source_line, 2);
    EXPECT_EQ(day.date.to_iso(), "2024-01-02");
    EXPECT_EQ(day.net_liquidity, 100756);
    EXPECT_EQ(day.current_funds, 100755);
    EXPECT_EQ(day.withdrawn, 1);
    EXPECT_EQ(day.trading_funds, 100754);
    EXPECT_EQ(day.pl, 756);
    EXPECT_EQ(day.pl_pct, 0.76);
    EXPECT_EQ(day.drawdown_pct, -1.5);
    EXPECT_EQ(day.extra_json, R"({"Comment":"fine"})");
}

TEST(DailyLog, GarbageSkipsOrEmptiesAsInATradeLog) {
    Ingested<DailyRecord> got;
    test::ingest_into(got,
                      "Date,Net Liquidity,P/L\n2024-01-02,100,abc\n2024-01-03,x,5\n2024-01-04,300,"
                      "\nTotal,1,2\n2024-01-05,\"$1,400.5\",6\n");
    EXPECT_EQ(got.report.rows_skipped, 2);
    ASSERT_EQ(got.rows.size(), 3U);
    EXPECT_EQ(got.rows[0].net_liquidity, std::nullopt);
    EXPECT_EQ(got.rows[0].pl, 5);
    EXPECT_EQ(got.rows[1].pl, std::nullopt);
    EXPECT_EQ(got.rows[2].net_liquidity, 1400.5);
    EXPECT_EQ(got.report.rows_repaired, 1);
}

TEST(DailyLog, OtherNamesOfNetLiquidityAreAccepted) {
    for (const std::string name : {"netliquidity", "PORTFOLIO VALUE", "Equity", "value"}) {
        Ingested<DailyRecord> got;
        test::ingest_into(got, "date," + name + "\n2024-01-02,77\n");
        EXPECT_EQ(got.rows.at(0).net_liquidity, 77) << name;
    }
}

TEST(DailyLog, LackingNetLiquidityIsRejected) {
    Ingested<DailyRecord> got;
    test::ingest_into(got, "Date,P/L\n2024-01-02,5\n");
    EXPECT_EQ(got.report.outcome, IngestOutcome::kRejected);
    EXPECT_NE(got.report.rejection.find("Net Liquidity"), std::string::npos);
}

TEST(ReportingLog, EveryColumnGoesToItsField) {
    Ingested<ReportingRecord> got;
    test::ingest_into(
        got,
        "Strategy,Date Opened,Opening Price,Legs,Initial Premium,No. of Contracts,P/L,Closing "
        "Price,Date Closed,Avg. Closing Cost,Reason For "
        "Close,Symbol\nMEIC,2025-05-30T10:15:40.546199,"
        "5903.27,2 May 30 5945 C "
        "STO,2.63,2.5,-504.25,5916.77,2025-05-30T15:26:20.4094922,-5.1,Stop "
        "Loss,xsp\n");
    ASSERT_EQ(got.rows.size(), 1U);
    const ReportingRecord& fill = got.rows[0];
    EXPECT_EQ(fill.strategy, "MEIC");
    EXPECT_EQ(fill.date_opened.to_iso(), "2025-05-30");
    EXPECT_EQ(fill.time_opened->to_iso(), "10:15:40");
    EXPECT_EQ(fill.opened_at, "2025-05-30T10:15:40.546199");
    EXPECT_EQ(fill.opening_price, 5903.27);
    EXPECT_EQ(fill.legs, "2 May 30 5945 C STO");
    EXPECT_EQ(fill.initial_premium, 2.63);
    EXPECT_EQ(fill.num_contracts, 2.5);
    EXPECT_EQ(fill.pl, -504.25);
    EXPECT_EQ(fill.closing_price, 5916.77);
    EXPECT_EQ(fill.date_closed->to_iso(), "2025-05-30");
    EXPECT_EQ(fill.time_closed->to_iso(), "15:26:20");
    EXPECT_EQ(fill.avg_closing_cost, -5.1);
    EXPECT_EQ(fill.reason_for_close, "Stop Loss");
    EXPECT_EQ(fill.ticker, "XSP");
    ASSERT_EQ(got.report.issues_total, 1);
    EXPECT_EQ(got.report.issues[0].column, "No. of Contracts");
    EXPECT_EQ(got.report.issues[0].value, "2.5");
    EXPECT_EQ(got.report.issues[0].action, IssueAction::kRepaired);
}

TEST(ReportingLog, AliasReplacesTheCanonicalColumnWhichIsKeptAndNoted) {
    Ingested<ReportingRecord> got;
    test::ingest_into(got,
                      "Date Opened,P/L,PL,Initial Premium,Initial Credit,Contracts Traded\n"
                      "2024-01-02,1,2,3,4,5\n");
    ASSERT_EQ(got.rows.size(), 1U);
    EXPECT_EQ(got.rows[0].pl, 2);
    EXPECT_EQ(got.rows[0].initial_premium, 4);
    EXPECT_EQ(got.rows[0].num_contracts, 5);
    EXPECT_EQ(got.rows[0].extra_json, R"({"P/L":"1","Initial Premium":"3"})");
    EXPECT_EQ(got.report.issues_total, 2);
}

TEST(ReportingLog, EachAliasAloneIsRead) {
    for (const std::string name : {"Initial Premium ($)", "initial credit"}) {
        Ingested<ReportingRecord> got;
        test::ingest_into(got, "date_opened,pl,contracts," + name + "\n2024-01-02,1,3,2.5\n");
        EXPECT_EQ(got.rows.at(0).initial_premium, 2.5) << name;
        EXPECT_EQ(got.rows.at(0).num_contracts, 3);
    }
}

TEST(ReportingLog, TimeColumnGoesBeforeTheTimestamp) {
    Ingested<ReportingRecord> got;
    test::ingest_into(got,
                      "Date Opened,Time Opened,P/L\n2024-01-02T10:00:01,9:35 AM,1\n"
                      "2024-01-03,,2\n");
    EXPECT_EQ(got.rows[0].time_opened->to_iso(), "09:35:00");
    EXPECT_EQ(got.rows[0].opened_at, "2024-01-02T10:00:01");
    EXPECT_EQ(got.rows[1].time_opened, std::nullopt);
    EXPECT_EQ(got.rows[1].opened_at, "");
}

TEST(ReportingLog, ImpossibleContractsAreEmptyAndMissingOnesAreOne) {
    Ingested<ReportingRecord> got;
    test::ingest_into(got,
                      "Date Opened,P/L,No. of Contracts\n2024-01-02,1,0\n2024-01-03,2,\n"
                      "2024-01-04,3,x\n");
    EXPECT_EQ(got.rows[0].num_contracts, std::nullopt);
    EXPECT_EQ(got.rows[1].num_contracts, 1);
    EXPECT_EQ(got.rows[2].num_contracts, std::nullopt);
    EXPECT_EQ(got.report.rows_repaired, 3);
}

TEST(ReportingLog, EmptyProfitIsAnOpenTradeOnlyWithoutACloseDate) {
    Ingested<ReportingRecord> got;
    test::ingest_into(got,
                      "Date Opened,P/L,Date Closed\n2024-01-02,,\n2024-01-03,,2024-01-04\n"
                      "2024-01-05,7,2024-01-05\n");
    ASSERT_EQ(got.rows.size(), 2U);
    EXPECT_EQ(got.rows[0].pl, 0);
    EXPECT_EQ(got.report.rows_skipped, 1);
}

constexpr const char* kTatHeader =
    "TRADEID,ProfitLoss,buyingPower,OpenDate,Date,CloseDate,OpenTime,TimeOpened,CloseTime,"
    "TimeClosed,Template,Strategy,Qty,ContractCount,TotalPremium,PriceClose,Status,TradeType,"
    "ShortPut,ShortCall,LongPut,LongCall,Symbol\n";

TEST(TatLog, EveryColumnGoesToItsField) {
    Ingested<ReportingRecord> got;
    test::ingest_into(got,
                      std::string(kTatHeader) +
                          "17,\"$1,105.50\",5000,2024-01-02,2024-01-09,1/3/2024,9:35:30,,15:59,,"
                          "Fly,Other,2,8,430,1.25,Expired,Iron Condor,4650,4800,4600,4850,SPX\n");
    ASSERT_EQ(got.rows.size(), 1U) << got.report.rejection;
    const ReportingRecord& fill = got.rows[0];
    EXPECT_EQ(fill.pl, 1105.5);
    EXPECT_EQ(fill.date_opened.to_iso(), "2024-01-02");
    EXPECT_EQ(fill.date_closed->to_iso(), "2024-01-03");
    EXPECT_EQ(fill.time_opened->to_iso(), "09:35:30");
    EXPECT_EQ(fill.time_closed->to_iso(), "15:59:00");
    EXPECT_EQ(fill.strategy, "Fly");
    EXPECT_EQ(fill.num_contracts, 2);
    EXPECT_EQ(fill.initial_premium, 2.15);  // dollars of one share
    EXPECT_EQ(fill.opening_price, std::nullopt);
    EXPECT_EQ(fill.closing_price, std::nullopt);
    EXPECT_NE(fill.extra_json.find("\"PriceClose\":\"1.25\""), std::string_view::npos);
    EXPECT_EQ(fill.reason_for_close, "Expired");
    EXPECT_EQ(fill.legs, "SPX 4650P/4800C | 4600P/4850C Iron Condor");
    EXPECT_EQ(fill.ticker, "SPX");
    EXPECT_EQ(fill.extra_json.find("\"SPX\""), std::string_view::npos);
}

TEST(TatLog, FallbackColumnsAndDefaultsAreUsed) {
    Ingested<ReportingRecord> got;
    test::ingest_into(got, std::string(kTatHeader) +
                               "1,10,1,,1/2/2024,,,10:15 AM,,4:00 PM,,Second,0,,99,,Closed,,0,,,,\n"
                               "2,20,1,2024-01-05,,,,,,,,,,,55,,,Put Spread,4500,0,,,\n"
                               "3,30,1,,,,,,,,,,,,,,,,,,,,\n4,,1,2024-01-06,,,,,,,,,,,,,,,,,,,\n");
    EXPECT_EQ(got.report.rows_skipped, 2);  // no date; no profit
    EXPECT_EQ(got.report.issues.back().reason, "no profit or loss");
    ASSERT_EQ(got.rows.size(), 2U);
    EXPECT_EQ(got.rows[0].date_opened.to_iso(), "2024-01-02");
    EXPECT_EQ(got.rows[0].time_opened->to_iso(), "10:15:00");
    EXPECT_EQ(got.rows[0].time_closed->to_iso(), "16:00:00");
    EXPECT_EQ(got.rows[0].date_closed, std::nullopt);
    EXPECT_EQ(got.rows[0].strategy, "Second");
    EXPECT_EQ(got.rows[0].initial_premium, std::nullopt);  // of how many contracts?
    EXPECT_EQ(got.rows[0].closing_price, std::nullopt);
    EXPECT_EQ(got.rows[0].legs, "Unknown");
    EXPECT_EQ(got.rows[1].strategy, "Unknown");
    EXPECT_EQ(got.rows[1].num_contracts, 1);
    EXPECT_EQ(got.rows[1].legs, "4500P Put Spread");
    EXPECT_EQ(got.rows[1].ticker, "SPX");
}

TEST(TatLog, QuantitiesThatAreNoWholeContractsAreNoted) {
    Ingested<ReportingRecord> got;
    std::string text = "TradeID,ProfitLoss,BuyingPower,OpenDate,Qty,TotalPremium\n";
    for (const char* qty : {"0", "-2", "abc", "1.5", "2147483648", "0.3", "3"}) {
        text += std::string("1,10,1,2024-01-02,") + qty + ",300\n";
    }
    test::ingest_into(got, text);
    ASSERT_EQ(got.rows.size(), 7U);
    for (const std::size_t i : {0U, 1U, 2U, 4U}) {
        EXPECT_EQ(got.rows[i].num_contracts, std::nullopt) << i;
    }
    EXPECT_EQ(got.rows[3].num_contracts, 1.5);
    EXPECT_EQ(got.rows[5].num_contracts, 0.3);
    EXPECT_EQ(got.rows[6].num_contracts, 3);
    EXPECT_EQ(got.rows[0].initial_premium, std::nullopt);  // of how many contracts?
    EXPECT_EQ(got.rows[2].initial_premium, std::nullopt);
    EXPECT_EQ(got.rows[3].initial_premium, 2);
    ASSERT_EQ(got.report.issues_total, 6);
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(got.report.issues[i].column, "Qty");
        EXPECT_EQ(got.report.issues[i].line, static_cast<std::int64_t>(i) + 2);
    }
}

}  // namespace
}  // namespace tb::blocks
