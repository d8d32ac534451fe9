// What is decided for a whole file: order of dates, decimal sign, unit of the premium, P/L basis,
// where its header stands and what it is at all.
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "collect.h"

namespace tb::blocks {
namespace {

using test::Ingested;
using testing::Contains;
using testing::HasSubstr;

struct Trades : Ingested<TradeRecord> {
    Trades(std::string_view text, IngestOptions options) {
        test::ingest_into<TradeRecord>(*this, text, std::move(options));
    }
};

Trades read(std::string_view text, IngestOptions options = {}) {
    return {text, std::move(options)};
}

std::vector<std::string> days_of(const Trades& got) {
    std::vector<std::string> days;
    for (const TradeRecord& trade : got.rows) {
        days.push_back(trade.date_opened.to_iso());
    }
    return days;
}

TEST(FileReading, OneRowThatProvesTheDayFirstDecidesForAll) {
    const Trades got = read("Date Opened,P/L\n01/12/2025,5\n15/12/2025,6\n");
    EXPECT_EQ(days_of(got), (std::vector<std::string>{"2025-12-01", "2025-12-15"}));
    EXPECT_EQ(got.report.rows_skipped, 0);
    EXPECT_THAT(got.report.notes, Contains("dates read with the day first, as line 3 proves"));
}

TEST(FileReading, PointsAreTheDayFirstAndProveIt) {
    EXPECT_EQ(days_of(read("Date Opened,P/L\n01.12.2025,5\n02/12/2025,6\n")),
              (std::vector<std::string>{"2025-12-01", "2025-12-02"}));
}

TEST(FileReading, TheClosingDateProvesToo) {
    const Trades got = read("Date Opened,Date Closed,P/L\n01/12/2025,15/12/2025,5\n");
    EXPECT_EQ(days_of(got), (std::vector<std::string>{"2025-12-01"}));
    EXPECT_EQ(got.rows.at(0).date_closed->to_iso(), "2025-12-15");
}

TEST(FileReading, ProofOfBothOrdersRefusesTheFile) {
    const Trades got = read("Date Opened,P/L\n01/12/2025,5\n15/12/2025,6\n12/16/2025,7\n");
    EXPECT_EQ(got.report.outcome, IngestOutcome::kRejected);
    EXPECT_THAT(got.report.rejection, HasSubstr("line 3"));
    EXPECT_THAT(got.report.rejection, HasSubstr("line 4"));
    EXPECT_TRUE(got.rows.empty());
    EXPECT_EQ(got.report.rows_stored, 0);
}

TEST(FileReading, WithoutProofTheMonthIsFirstAndTheDoubtIsNoted) {
    const Trades got = read("Date Opened,P/L\n01/12/2025,5\n05/05/2025,6\n");
    EXPECT_EQ(days_of(got), (std::vector<std::string>{"2025-01-12", "2025-05-05"}));
    EXPECT_THAT(got.report.notes, Contains(HasSubstr("1 of them, first on line 2")));
    EXPECT_TRUE(read("Date Opened,P/L\n2025-01-12,5\n05/05/2025,6\n").report.notes.size() == 1);
}

TEST(FileReading, DailyAndReportingLogsAreDecidedAlike) {
    Ingested<DailyRecord> daily;
    test::ingest_into(daily, "Date,Net Liquidity\n01/12/2025,5\n15/12/2025,6\n");
    EXPECT_EQ(daily.rows.at(0).date.to_iso(), "2025-12-01");
    Ingested<ReportingRecord> fills;
    test::ingest_into(fills, "Date Opened,P/L\n01/12/2025 10:00:00,5\n15/12/2025 10:00:00,6\n");
    EXPECT_EQ(fills.rows.at(0).opened_at, "2025-12-01T10:00:00");
    Ingested<ReportingRecord> tat;
    test::ingest_into(tat,
                      "TradeID,ProfitLoss,BuyingPower,OpenDate,CloseDate\n1,5,9,01/12/2025,\n"
                      "2,6,9,02/12/2025,15/12/2025\n");
    EXPECT_EQ(tat.rows.at(0).date_opened.to_iso(), "2025-12-01");
}

TEST(FileReading, ADecimalCommaIsDecidedFromTheWholeFile) {
    const Trades got = read("Date Opened;P/L\n2025-12-01;1,234\n2025-12-02;-12,5\n");
    EXPECT_EQ(got.rows.at(0).pl, 1.234);
    EXPECT_EQ(got.rows.at(1).pl, -12.5);
    EXPECT_THAT(got.report.notes, Contains("numbers read with a decimal comma"));
    EXPECT_EQ(read("Date Opened;P/L\n2025-12-01;1,234\n2025-12-02;12.5\n").rows.at(0).pl, 1234);
    const Trades quoted = read(
        "Date Opened,P/L\n2025-12-01,\"1,234\"\n2025-12-02,\"-12,5\"\n"
        "2025-12-03,\"7,25\"\n");
    EXPECT_EQ(quoted.rows.at(0).pl, 1.234);
}

TEST(FileReading, SpreadsheetNumbersFollowTheFile) {
    const Trades german = read(
        "Date Opened;P/L;Premium\n01.12.2025;39,30 $;1 234,56 \xE2\x82\xAC\n"
        "02.12.2025; -110,7 \xE2\x82\xAC;\n");
    EXPECT_EQ(german.rows.at(0).pl, 39.3);
    EXPECT_EQ(german.rows.at(0).premium, 1234.56);
    EXPECT_EQ(german.rows.at(1).pl, -110.7);
    const Trades excel = read(
        "Date Opened,P/L\n2025-12-01,$(20.00)\n2025-12-02, $ (50.50)\n"
        "2025-12-03, $ -   \n2025-12-04,1'234.56\n");
    ASSERT_EQ(excel.rows.size(), 4U);
    EXPECT_EQ(excel.rows[0].pl, -20);
    EXPECT_EQ(excel.rows[1].pl, -50.5);
    EXPECT_EQ(excel.rows[2].pl, 0);
    EXPECT_EQ(excel.rows[3].pl, 1234.56);
    EXPECT_EQ(excel.report.issues_total, 0);
}

constexpr std::string_view kPremiumHeader =
    "Date Opened,Legs,Premium,Avg. Closing Cost,Date Closed,P/L,No. of Contracts\n";

PremiumUnit unit_of(const std::string& rows) {
    return read(std::string(kPremiumHeader) + rows).rows.at(0).premium_unit;
}

TEST(FileReading, PricesOfTheLegsProveTheUnitOfThePremium) {
    const std::string legs = "2025-10-08,3 Oct 8 6725 P STO 4.45 | 3 Oct 8 6575 P BTO 0.25,";
    EXPECT_EQ(unit_of(legs + "420,,,5,3\n"), PremiumUnit::kCents);
    EXPECT_EQ(unit_of(legs + "420.00,,,5,3\n"), PremiumUnit::kCents);
    EXPECT_EQ(unit_of(legs + "4.2,,,5,3\n"), PremiumUnit::kDollars);
    EXPECT_EQ(unit_of(legs + "4,,,5,3\n"), PremiumUnit::kDollars);
    EXPECT_EQ(unit_of(legs + "1260,,,5,3\n"), PremiumUnit::kTotal);
    EXPECT_EQ(unit_of(legs + "410,,,5,3\n"), PremiumUnit::kCents);  // slippage
    EXPECT_TRUE(read(std::string(kPremiumHeader) + legs + "420,,,5,3\n").report.notes.empty());
    const Trades got = read(std::string(kPremiumHeader) + legs + "420.00,,,5,3\n");
    EXPECT_THAT(got.report.notes,
                Contains("the premium is in dollars of one contract: 1 of 1 rows that can prove it "
                         "do so, by the prices of their legs"));
}

TEST(FileReading, ProofOfSomeRowsHoldsForTheOthers) {
    const Trades got =
        read(std::string(kPremiumHeader) +
             "2025-10-07,put spread,3,,,5,1\n"
             "2025-10-08,1 Oct 8 6725 P STO 4.45 | 1 Oct 8 6575 P BTO 0.25,4.2,,,5,1\n");
    EXPECT_EQ(got.rows.at(0).premium_unit, PremiumUnit::kDollars);
}

TEST(FileReading, ProfitAndClosingCostProveTheUnitWhereLegsDoNot) {
    EXPECT_EQ(unit_of("2024-01-15,x,2.50,1.25,2024-01-15,125,1\n"), PremiumUnit::kDollars);
    EXPECT_EQ(unit_of("2024-01-15,x,250,125,2024-01-15,250,2\n"), PremiumUnit::kCents);
    EXPECT_EQ(unit_of("2024-01-15,x,250.5,125.5,2024-01-15,250,2\n"), PremiumUnit::kCents);
    EXPECT_EQ(unit_of("2024-01-15,x,500,250,2024-01-15,250,2\n"), PremiumUnit::kTotal);
}

TEST(FileReading, WithoutProofTheDecimalPointOfTheFileDecides) {
    EXPECT_EQ(unit_of("2024-01-15,x,250,,,5,2\n"), PremiumUnit::kCents);
    EXPECT_EQ(unit_of("2024-01-15,x,3,,,5,2\n2024-01-16,x,2.5,,,5,2\n"), PremiumUnit::kDollars);
}

TEST(FileReading, PremiumsOfLiveFillsAreStoredInPoints) {
    Ingested<ReportingRecord> dollars;
    test::ingest_into(dollars,
                      "Date Opened,Legs,Initial Premium ($),No. of Contracts,P/L\n"
                      "2025-10-08,3 Oct 8 6725 P STO 4.45 | 3 Oct 8 6575 P BTO 0.25,420,3,5\n"
                      "2025-10-09,condor,300,3,5\n");
    EXPECT_EQ(dollars.rows.at(0).initial_premium, 4.2);
    EXPECT_EQ(dollars.rows.at(1).initial_premium, 3);
    Ingested<ReportingRecord> points;
    test::ingest_into(points,
                      "Date Opened,Legs,Initial Premium,No. of Contracts,P/L\n"
                      "2025-10-08,3 Oct 8 6725 P STO 4.45 | 3 Oct 8 6575 P BTO 0.25,4.2,3,5\n"
                      "2025-10-09,condor,300,3,5\n");
    EXPECT_TRUE(points.report.notes.empty());
    EXPECT_EQ(points.rows.at(0).initial_premium, 4.2);
    EXPECT_EQ(points.rows.at(1).initial_premium, 300);
}

TEST(FileReading, AToolboxExportStatesNoPriceOfTheUnderlying) {
    Ingested<ReportingRecord> got;
    test::ingest_into(got,
                      "TradeID,ProfitLoss,BuyingPower,OpenDate,Qty,PriceOpen,PriceClose,"
                      "TotalPremium\n1,893.2,8000,2025-10-08,2,-40,44.5,-8000\n"
                      "2,893.2,8000,2025-10-08,2,-40,44.5,\n");
    ASSERT_EQ(got.rows.size(), 2U);
    EXPECT_EQ(got.rows[0].opening_price, std::nullopt);
    EXPECT_EQ(got.rows[0].closing_price, std::nullopt);
    EXPECT_EQ(got.rows[0].initial_premium, -40);  // points, as Option Omega's live log
    EXPECT_EQ(got.rows[0].extra_json, R"({"PriceOpen":"-40","PriceClose":"44.5"})");
    EXPECT_EQ(got.rows[1].initial_premium, -40);
}

TEST(FileReading, DrawdownsAreNegativeHoweverTheFileWritesThem) {
    const auto drawdowns = [](const std::string& first, const std::string& second) {
        Ingested<DailyRecord> got;
        test::ingest_into(got, "Date,Net Liquidity,Drawdown %\n2024-01-02,100," + first +
                                   "\n2024-01-03,99," + second + "\n");
        return std::pair(got.rows.at(0).drawdown_pct, got.rows.at(1).drawdown_pct);
    };
    EXPECT_EQ(drawdowns("0", "1.5"), std::pair(std::optional(0.0), std::optional(-1.5)));
    EXPECT_FALSE(std::signbit(*drawdowns("0", "1.5").first));
    EXPECT_EQ(drawdowns("0", "-1.5"), std::pair(std::optional(0.0), std::optional(-1.5)));
    EXPECT_EQ(drawdowns("0.1", "-1.5"), std::pair(std::optional(0.1), std::optional(-1.5)));
}

TEST(FileReading, BlankBasesAreWhatAllOthersSay) {
    const std::string header =
        "Date Opened,P/L,P/L Basis,Opening Commissions + Fees,"
        "Closing Commissions + Fees\n";
    const Trades got = read(header + "2024-01-02,100,,3,4\n2024-01-03,200,gross_before_fees,5,6\n");
    EXPECT_EQ(got.rows.at(0).net_pl, 93);
    EXPECT_THAT(got.report.notes, Contains(HasSubstr("1 rows name no P/L basis")));
}

TEST(FileReading, TheHeaderIsFoundBelowASeparatorLineATitleOrBlanks) {
    for (const std::string above :
         {"sep=;\r\n", "Table 1\n", "\n\n", "Backtest of 12345678;;\n;;\n", "\"My trades\"\n"}) {
        const Trades got = read(above + "Date Opened;P/L\n2025-12-01;12,5\n");
        ASSERT_EQ(got.rows.size(), 1U) << above << got.report.rejection;
        EXPECT_EQ(got.rows[0].pl, 12.5);
        EXPECT_EQ(got.rows[0].source_line, 2 + std::count(above.begin(), above.end(), '\n'));
        for (const std::string& note : got.report.notes) {
            EXPECT_EQ(note.find("12345678"), std::string::npos);
        }
    }
    EXPECT_THAT(read("Table 1\nDate Opened,P/L\n2025-12-01,1\n").report.notes,
                Contains("the header is on line 2; one line above it is not read"));
}

TEST(FileReading, AStatementIsNamedAndNeverQuoted) {
    const Trades got = read(
        "Account Statement for 4711-0815 (margin) since 1/5/26 through 1/6/26\n\nCash Balance\n"
        "DATE,TIME,TYPE\n1/5/26,09:45:11,TRD\n");
    EXPECT_EQ(got.report.outcome, IngestOutcome::kRejected);
    EXPECT_EQ(got.report.rejection.find("4711"), std::string::npos);
    EXPECT_EQ(got.report.rejection.find("margin"), std::string::npos);
    EXPECT_THAT(got.report.rejection, HasSubstr("an account statement"));
    EXPECT_THAT(got.report.rejection, HasSubstr("Date Opened and P/L"));
}

TEST(FileReading, WhatAFileReallyIsIsSaid) {
    using namespace std::string_view_literals;
    for (const auto& [bytes, words] : std::vector<std::pair<std::string_view, const char*>>{
             {"PK\x03\x04\x14\0\x06\0[Content_Types].xml"sv, "an Excel workbook"},
             {"<!DOCTYPE html><html></html>"sv, "a web page"},
             {"\x1F\x8B\x08\0\0"sv, "a gzip archive"},
             {"%PDF-1.4\n"sv, "a PDF document"},
             {"\x89PNG\r\n\x1A\n"sv, "a picture"}}) {
        for (const bool changing : {false, true}) {
            const Trades got = read(bytes, {.still_changing = changing});
            EXPECT_EQ(got.report.outcome, IngestOutcome::kRejected) << words;
            EXPECT_THAT(got.report.rejection, HasSubstr(words));
            EXPECT_EQ(got.report.rejection.find("still being written"), std::string::npos);
        }
    }
}

TEST(FileReading, ALastRecordWithoutALineEndWaitsUntilTheFileIsStill) {
    const std::string text = "Date Opened,Strategy,P/L\n2025-12-01,A,5\n2025-12-02,A,-12";
    const Trades changing = read(text, {.still_changing = true});
    EXPECT_EQ(changing.report.outcome, IngestOutcome::kIncomplete);
    EXPECT_THAT(changing.report.rejection, HasSubstr("on line 3, has no line end"));
    const Trades still = read(text);
    EXPECT_EQ(still.report.outcome, IngestOutcome::kComplete);
    EXPECT_EQ(still.rows.at(1).pl, -12);
    EXPECT_THAT(still.report.notes,
                Contains("the last record, on line 3, has no line end: read as it is"));
    EXPECT_EQ(read(text + ".50\n", {.still_changing = true}).rows.at(1).pl, -12.5);
}

TEST(FileReading, NoPrefixOfAGrowingFileIsStoredWithACutValue) {
    const std::string text =
        "Date Opened,P/L,Strategy,Gap\n2024-01-02,1,A,10.25\n2024-01-03,-12.5,B,77\n";
    for (std::size_t size = 0; size < text.size(); ++size) {
        const Trades got = read(text.substr(0, size), {.still_changing = true});
        if (got.report.outcome == IngestOutcome::kComplete) {
            for (const TradeRecord& trade : got.rows) {
                EXPECT_TRUE(trade.gap == 10.25 || trade.gap == 77) << size;
            }
        } else {
            EXPECT_EQ(got.report.outcome, IngestOutcome::kIncomplete) << size;
        }
    }
}

TEST(FileReading, OneBadByteInAMarkedFileIsOneNote) {
    const Trades got = read(
        "\xEF\xBB\xBF"
        "Date Opened,P/L,Strategy\n2025-12-01,5,Caf\xC3\xA9\n"
        "2025-12-02,6,B\xE9"
        "ta\n2025-12-03,\xFF"
        "7,C\n2025-12-04,8,D\n");
    ASSERT_EQ(got.rows.size(), 3U);
    EXPECT_EQ(got.rows[0].strategy, "Caf\xC3\xA9");
    EXPECT_EQ(got.rows[1].strategy, "B\xEF\xBF\xBDta");
    ASSERT_EQ(got.report.issues.size(), 2U);
    EXPECT_EQ(got.report.issues[0].column, "Strategy");
    EXPECT_EQ(got.report.issues[0].line, 3);
    EXPECT_THAT(got.report.issues[0].reason, HasSubstr("damaged"));
    EXPECT_EQ(got.report.issues[1].action, IssueAction::kSkipped);
    EXPECT_EQ(got.report.rows_skipped, 1);
}

TEST(FileReading, RejectedFilesStoreNothingAndCountEveryRecordAsSkipped) {
    const Trades got = read("Date Opened,P/L\nbad,1\n2024-01-02,2\nworse,3\n");
    EXPECT_EQ(got.report.outcome, IngestOutcome::kRejected);
    EXPECT_EQ(got.report.data_rows, 3);
    EXPECT_EQ(got.report.rows_stored, 0);
    EXPECT_EQ(got.report.rows_skipped, 3);
    EXPECT_EQ(got.report.rows_repaired, 0);
}

TEST(FileReading, LongNamesAreCutWhereTheyEnter) {
    const Trades got =
        read("Date Opened,P/L," + std::string(700'000, 'x') + "\n2025-12-01,1,note\n");
    ASSERT_EQ(got.rows.size(), 1U);
    EXPECT_EQ(got.rows[0].extra_json, "{\"" + std::string(200, 'x') + "… (column 3)\":\"note\"}");
}

// More than 256 KiB, so that the end comes after the first rows were handed over.
std::string large_file(const std::string& row, const std::string& last) {
    std::string text = "Date Opened,P/L\n";
    while (text.size() < 300'000) {
        text += row + "\n";
    }
    return text + last + "\n";
}

TEST(FileReading, TheEndOfALargeFileDecidesAsItsFront) {
    const std::string text = large_file("01/12/2025,5", "15/12/2025,6");
    const Trades first = read(text);
    ASSERT_EQ(first.report.outcome, IngestOutcome::kReadAgain);
    const Trades again = read(text, {.reading = first.report.reading});
    ASSERT_EQ(again.report.outcome, IngestOutcome::kComplete);
    for (const TradeRecord& trade : again.rows) {
        ASSERT_EQ(trade.date_opened.ymd().month, 12);
    }
    EXPECT_EQ(again.report.rows_skipped, 0);
    EXPECT_THAT(again.report.notes, Contains(HasSubstr("day first")));
}

TEST(FileReading, TheEndOfALargeFileCanRefuseIt) {
    EXPECT_EQ(read(large_file("12/15/2025,5", "16/12/2025,6")).report.outcome,
              IngestOutcome::kRejected);
    const Trades plain = read(large_file("01/12/2025,5", "02/12/2025,6"));
    EXPECT_EQ(plain.report.outcome, IngestOutcome::kComplete);
    EXPECT_EQ(plain.report.notes.size(), 2U);  // no contracts, month first without proof
}

TEST(FileReading, OurOwnNamesOfColumnsAreRead) {
    Trades got = read(
        "date_opened,pl,num_contracts,opening_commissions,closing_commissions,"
        "opening_short_long_ratio,closing_short_long_ratio\n2025-12-01,5,3,1.5,2.5,4,6\n");
    ASSERT_EQ(got.rows.size(), 1U);
    EXPECT_EQ(got.rows[0].num_contracts, 3);
    EXPECT_EQ(got.rows[0].opening_commissions, 1.5);
    EXPECT_EQ(got.rows[0].closing_commissions, 2.5);
    EXPECT_EQ(got.rows[0].opening_short_long_ratio, 4);
    EXPECT_EQ(got.rows[0].closing_short_long_ratio, 6);
    EXPECT_EQ(got.rows[0].extra_json, "");
    for (const std::string name : {"Contracts", "Qty", "Quantity", "QTY"}) {
        EXPECT_EQ(read("Date Opened,P/L," + name + "\n2025-12-01,5,7\n").rows.at(0).num_contracts,
                  7);
    }
    // A single such name in another file is just a column.
    EXPECT_EQ(read("Date Opened,P/L,Block ID\n2025-12-01,5,x\n").rows.at(0).extra_json,
              R"({"Block ID":"x"})");
}

}  // namespace
}  // namespace tb::blocks
