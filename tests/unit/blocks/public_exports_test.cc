// Header lines that programs and public files give by default, each with an invented row: every one
// is recognised by its header alone and read without a single issue.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "blocks/head.h"
#include "collect.h"

namespace tb::blocks {
namespace {

using test::Ingested;

struct Export {
    const char* what;
    FileRole role;
    const char* text;
    const char* extra;  // extra_json of its row
};

const std::vector<Export>& exports() {
    static const std::vector<Export> all = {
        {"Option Omega, backtest of 2026", FileRole::kTradeLog,
         "Date Opened,Time Opened,Opening Price,Legs,Premium,Closing Price,Date Closed,Time "
         "Closed,Days in Trade,Avg. Closing Cost,Reason For Close,P/L,P/L %,No. of Contracts,Funds "
         "at Close,Margin Req.,Underlying,Strategy,Opening Commissions + Fees,Closing Commissions "
         "+ Fees,Opening Short/Long Ratio,Closing Short/Long Ratio,Opening VIX,Closing "
         "VIX,Gap,Movement,Max Profit,Max Loss\n"
         "2026-05-04,15:56:00,7100.5,2 May 4 7105 C STO 1.85 | 2 May 4 7125 C BTO 0.10,170,7099.25,"
         "2026-05-04,16:00:00,0,0,Expired,332.88,97.9,2,100332.88,3660,SPX,ORB,7.12,0,18.5,1,24.75,"
         "24.8,-14.36,16.57,100,0\n",
         R"({"Days in Trade":"0","P/L %":"97.9"})"},
        {"Option Omega, backtest of 2025 with a mark and quotes", FileRole::kTradeLog,
         "\xEF\xBB\xBF\"Date Opened\",\"Time Opened\",\"Opening Price\",\"Legs\",\"Premium\","
         "\"Closing Price\",\"Date Closed\",\"Time Closed\",\"Avg. Closing Cost\",\"Reason For "
         "Close\",\"P/L\",\"No. of Contracts\",\"Funds at Close\",\"Margin Req.\",\"Strategy\","
         "\"Opening Commissions + Fees\",\"Closing Commissions + Fees\",\"Opening Short/Long "
         "Ratio\",\"Closing Short/Long Ratio\",\"Gap\",\"Movement\",\"Max Profit\",\"Max Loss\"\n"
         "\"2025-10-08\",\"10:15:00\",6740.5,\"3 Oct 8 6725 P STO 4.45 | 3 Oct 8 6575 P BTO 0.25\","
         "420,6753.5,\"2025-10-08\",\"16:00:00\",0,\"Expired\",1251,3,119735,43740,\"PCS\",9,0,17."
         "8,"
         "1,9.28,16.92,100,-17.86\n",
         ""},
        {"a debit spread, legs in quotes", FileRole::kTradeLog,
         "Date Opened,Time Opened,Opening Price,Legs,Premium,Closing Price,Date Closed,Time "
         "Closed,Avg. Closing Cost,Reason For Close,P/L,No. of Contracts,Funds at Close,Margin "
         "Req.,Strategy,Opening Commissions + Fees,Closing Commissions + Fees,Opening Short/Long "
         "Ratio,Closing Short/Long Ratio,Opening VIX,Closing VIX,Gap,Movement,Max Profit,Max Loss\n"
         "2025-09-18,10:31:00,6655.25,\"5 Sep 18 6625 C BTO 32.95 | 5 Sep 18 6685 C STO 1.00\","
         "-3195,6639.5,2025-09-18,10:53:00,-1840,Underlying Price Move,-6800.6,5,93199.4,16025,DS,"
         "17.8,7.8,0.03,0.016,15.5,15.69,26.5,28.32,1.09,-41.97\n",
         ""},
        {"without closing fees, VIX and times", FileRole::kTradeLog,
         "Date Opened,Time Opened,Opening Price,Legs,Premium,P/L,No. of Contracts,Funds at "
         "Close,Margin Req.,Strategy,Opening Commissions + Fees,Opening Short/Long Ratio,Opening "
         "VIX\n2025-09-23,09:32:00,6694.5,Sample Legs,55,493.2,9,94511.8,9355,S,51.8,1.48,15.5\n",
         ""},
        {"template of a program for whole trades", FileRole::kTradeLog,
         "Date Opened,Time Opened,Opening Price,Legs,Premium,Closing Price,Date Closed,Time "
         "Closed,Avg. Closing Cost,Reason For Close,P/L,No. of Contracts,Funds at Close,Margin "
         "Req.,Strategy\n2024-01-16,09:30:00,4542.75,SPX 19JAN24 4600C/4650C,3.25,,,,,,275.00,1,"
         "10400.00,1200.00,Bear Call Spread\n",
         ""},
        {"portfolio file without fees", FileRole::kTradeLog,
         "Date Opened,Time Opened,Opening Price,Legs,Premium,Closing Price,Date Closed,Time "
         "Closed,P/L,Strategy,No. of Contracts\n2024-05-01,09:30:00,4200.5,1 May 1 4200 C STO "
         "3.50,350,4190.25,2024-05-01,16:00:00,120,S,1\n",
         ""},
        {"daily log", FileRole::kDailyLog,
         "\xEF\xBB\xBF\"Date\",\"Net Liquidity\",\"Current Funds\",\"Withdrawn\",\"Trading "
         "Funds\",\"P/L\",\"P/L %\",\"Drawdown %\"\n\"2025-01-03\",99346,99346,0,99346,-1410,-1.4,"
         "-1.4\n",
         ""},
        {"daily log with columns of one's own", FileRole::kDailyLog,
         "Date,Net Liquidity,Current Funds,Withdrawn,Trading Funds,P/L,P/L %,Drawdown "
         "%,vixOpen\n2024-01-15,100000,95000,0,95000,500,0.5,-1.0,15.5\n",
         R"({"vixOpen":"15.5"})"},
        {"live log of Option Omega", FileRole::kReportingLog,
         "Strategy,Date Opened,Opening Price,Legs,Initial Premium,No. of Contracts,P/L,Closing "
         "Price,Date Closed,Avg. Closing Cost,Reason For Close\nPCS,2025-10-08T10:23:59.10540,"
         "6757.25,3 Oct 8 6725 P STO 4.45 | 3 Oct 8 6575 P BTO 0.25,4.2,3,1251.0,6732.75,"
         "2025-10-08T16:12:10.82370,0.0,Expired\n",
         ""},
        {"live log with times of their own", FileRole::kReportingLog,
         "Strategy,Date Opened,Time Opened,Opening Price,Legs,Initial Premium,No. of "
         "Contracts,P/L,Closing Price,Date Closed,Time Closed,Avg. Closing Cost,Reason For "
         "Close\nBull Put Spread,2024-01-15,09:30:00,4535.25,SPX 15JAN24 4500P/4450P,2.50,1,125.00,"
         "4540.25,2024-01-15,15:45:00,-1.25,Profit Target\n",
         ""},
        {"Trade Automation Toolbox", FileRole::kReportingLog,
         "TradeID,Strategy,Template,OpenDate,OpenTime,CloseDate,CloseTime,PriceOpen,PriceClose,"
         "TotalPremium,Qty,ContractCount,ProfitLoss,Commission,Status,ShortPut,LongPut,ShortCall,"
         "LongCall,UnderlyingSymbol,TradeType,BuyingPower\n1001,Group A,DC,2024-03-05,12:05:31,"
         "2024-03-08,15:29:10,-40,44.5,-8000,2,8,893.2,6.8,Expired,5100,5000,5200,5300,SPX,"
         "DoubleCalendar,8000\n",
         R"({"PriceOpen":"-40","PriceClose":"44.5","ContractCount":"8","Commission":"6.8"})"},
        {"our own SQL output of live fills", FileRole::kReportingLog,
         "date_opened,time_opened,strategy,legs,initial_premium,num_contracts,pl,date_closed,"
         "time_closed,closing_price,avg_closing_cost,reason_for_close,opening_price,ticker\n"
         "2025-10-08,10:23:59,PCS,,4.2,3,1251.0,2025-10-08,16:12:10,6732.75,0.0,Expired,6757.25,"
         "SPX\n",
         ""},
    };
    return all;
}

template <class Record>
void expect_clean(const Export& one) {
    Ingested<Record> got;
    test::ingest_into(got, one.text);
    ASSERT_EQ(got.report.outcome, IngestOutcome::kComplete) << got.report.rejection;
    ASSERT_EQ(got.rows.size(), 1U);
    EXPECT_EQ(got.report.issues_total, 0) << got.report.issues.front().reason;
    EXPECT_EQ(got.rows[0].extra_json, one.extra);
}

TEST(PublicExports, EachIsRecognisedAndReadWithoutAnIssue) {
    for (const Export& one : exports()) {
        SCOPED_TRACE(one.what);
        const std::string_view text = one.text;
        const auto head = look_at_head(std::as_bytes(std::span(text)), true);
        ASSERT_TRUE(head.has_value());
        ASSERT_EQ(head->kind, FileHead::Kind::kRole);
        ASSERT_EQ(head->role, one.role);
        EXPECT_EQ(head->lacks, "");
        switch (one.role) {
            case FileRole::kTradeLog:
                expect_clean<TradeRecord>(one);
                break;
            case FileRole::kDailyLog:
                expect_clean<DailyRecord>(one);
                break;
            case FileRole::kReportingLog:
                expect_clean<ReportingRecord>(one);
                break;
        }
    }
}

}  // namespace
}  // namespace tb::blocks
