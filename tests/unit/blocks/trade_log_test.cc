// Rows of a trade log: the cell table of 00 §2, the traps of 01 §2 and items 3-13 of 01 §8.1.
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>

#include "collect.h"

namespace tb::blocks {
namespace {

using test::Ingested;
using Trades = Ingested<TradeRecord>;

void ingest(Trades& result, std::string_view text, IngestOptions options = {}) {
    ASSERT_NO_FATAL_FAILURE(test::ingest_into(result, text, std::move(options)));
    if (result.report.outcome == IngestOutcome::kComplete) {
        EXPECT_EQ(result.report.data_rows, result.report.rows_stored + result.report.rows_skipped);
        EXPECT_EQ(static_cast<std::size_t>(result.report.rows_stored), result.rows.size());
    }
}

// Good rows around the one under test keep a file with one bad row below the limit of one half.
constexpr const char* kGood = "2024-03-01,11,2024-03-01,7\n2024-03-04,-12,2024-03-04,8\n";

// A file `Date Opened,P/L,Date Closed,<column>` with one row under test, on line 2.
struct OneRow {
    OneRow(const std::string& column, const std::string& row) {
        ingest(got, "Date Opened,P/L,Date Closed," + column + "\n" + row + "\n" + kGood);
    }
    [[nodiscard]] bool stored() const { return got.report.rows_stored == 3; }
    [[nodiscard]] const TradeRecord& row() const { return got.rows.front(); }
    // The issue of line 2; a test fails on its fields if there is none.
    [[nodiscard]] RowIssue issue() const {
        for (const RowIssue& issue : got.report.issues) {
            if (issue.line == 2) {
                return issue;
            }
        }
        return {};
    }
    Trades got;
};

void expect_skipped(const OneRow& one, const char* column, const char* value) {
    EXPECT_FALSE(one.stored());
    EXPECT_EQ(one.got.report.rows_skipped, 1);
    EXPECT_EQ(one.issue().action, IssueAction::kSkipped);
    EXPECT_EQ(one.issue().column, column);
    EXPECT_EQ(one.issue().value, value);
    EXPECT_FALSE(one.issue().reason.empty());
}

void expect_repaired(const OneRow& one, const char* column, const char* value) {
    EXPECT_TRUE(one.stored());
    EXPECT_EQ(one.got.report.rows_repaired, 1);
    EXPECT_EQ(one.issue().action, IssueAction::kRepaired);
    EXPECT_EQ(one.issue().column, column);
    EXPECT_EQ(one.issue().value, value);
    EXPECT_FALSE(one.issue().reason.empty());
}

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

TEST(TradeLog, EveryColumnGoesToItsField) {
    Trades got;
    ingest(got,
           "Date Opened,Time Opened,Opening Price,Legs,Premium,Closing Price,Date Closed,Time "
           "Closed,Avg. Closing Cost,Reason For Close,P/L,No. of Contracts,Funds at Close,Margin "
           "Req.,Strategy,Opening Commissions + Fees,Closing Commissions + Fees,Opening Short/Long "
           "Ratio,Closing Short/Long Ratio,Opening VIX,Closing VIX,Gap,Movement,Max Profit,Max "
           "Loss,Ticker\n"
           "2024-01-02,09:35:00,4700.5,1 Jan 2 4650 P STO 1.10,110,4710.25,2024-01-03,15:59:01,55,"
           "Profit Target,105.5,2,100105.5,9300,Iron Fly,3.5,1.25,4.75,2.5,13.1,14.2,-5.5,6.6,77,"
           "-88,^ndx\n");
    ASSERT_EQ(got.rows.size(), 1U);
    const TradeRecord& t = got.rows[0];
    EXPECT_EQ(t.source_line, 2);
    EXPECT_EQ(t.date_opened.to_iso(), "2024-01-02");
    EXPECT_EQ(t.time_opened->to_iso(), "09:35:00");
    EXPECT_EQ(t.opening_price, 4700.5);
    EXPECT_EQ(t.legs, "1 Jan 2 4650 P STO 1.10");
    EXPECT_EQ(t.premium, 110);
    EXPECT_EQ(t.premium_unit, PremiumUnit::kCents);
    EXPECT_EQ(t.closing_price, 4710.25);
    EXPECT_EQ(t.date_closed->to_iso(), "2024-01-03");
    EXPECT_EQ(t.time_closed->to_iso(), "15:59:01");
    EXPECT_EQ(t.avg_closing_cost, 55);
    EXPECT_EQ(t.reason_for_close, "Profit Target");
    EXPECT_EQ(t.pl, 105.5);
    EXPECT_EQ(t.net_pl, 105.5);
    EXPECT_EQ(t.pl_basis, PlBasis::kNetIncludesFees);
    EXPECT_EQ(t.num_contracts, 2);
    EXPECT_EQ(t.funds_at_close, 100105.5);
    EXPECT_EQ(t.margin_req, 9300);
    EXPECT_EQ(t.strategy, "Iron Fly");
    EXPECT_EQ(t.opening_commissions, 3.5);
    EXPECT_EQ(t.closing_commissions, 1.25);
    EXPECT_EQ(t.opening_short_long_ratio, 4.75);
    EXPECT_EQ(t.closing_short_long_ratio, 2.5);
    EXPECT_EQ(t.opening_vix, 13.1);
    EXPECT_EQ(t.closing_vix, 14.2);
    EXPECT_EQ(t.gap, -5.5);
    EXPECT_EQ(t.movement, 6.6);
    EXPECT_EQ(t.max_profit, 77);
    EXPECT_EQ(t.max_loss, -88);
    EXPECT_EQ(t.ticker, "NDX");
    EXPECT_EQ(t.extra_json, "");
    EXPECT_EQ(got.report.issues_total, 0);
}

TEST(TradeLog, CleanedMoneyIsNotNoted) {
    const OneRow one("Premium", "2024-01-02,\"-$1,200.50\",2024-01-02,\"$1,420\"");
    EXPECT_EQ(one.row().pl, -1200.5);
    EXPECT_EQ(one.row().premium, 1420);
    EXPECT_EQ(one.row().premium_unit, PremiumUnit::kCents);
    EXPECT_EQ(one.got.report.rows_repaired, 0);
}

TEST(TradeLog, ParenthesesInProfitAreALoss) {
    EXPECT_EQ(OneRow("Gap", "2024-01-02,(200.50),2024-01-02,1").row().pl, -200.5);
}

TEST(TradeLog, EuropeanNumberInACommaFileIsReadAndNoted) {
    const OneRow one("Gap", "2024-01-02,\"1.234,56\",2024-01-02,1");
    EXPECT_EQ(one.row().pl, 1234.56);
    expect_repaired(one, "P/L", "1.234,56");
}

TEST(TradeLog, GarbageInProfitSkipsTheRow) {
    for (const std::string cell :
         {"abc", "N/A", "NaN", "Infinity", "1e309", "0x10", "1_000", "12abc", "--5"}) {
        expect_skipped(OneRow("Gap", "2024-01-02," + cell + ",2024-01-02,1"), "P/L", cell.c_str());
    }
}

TEST(TradeLog, GarbageInAnotherNumberIsEmptyAndNoted) {
    for (const std::string column : {"Premium", "Margin Req.", "Closing Price", "Opening VIX"}) {
        const OneRow one(column, "2024-01-02,5,2024-01-02,12abc");
        expect_repaired(one, column.c_str(), "12abc");
        EXPECT_EQ(one.row().premium, std::nullopt);
        EXPECT_EQ(one.row().margin_req, std::nullopt);
        EXPECT_EQ(one.row().closing_price, std::nullopt);
        EXPECT_EQ(one.row().opening_vix, std::nullopt);
    }
}

TEST(TradeLog, EmptyProfitIsAnOpenTradeOnlyWithoutACloseDate) {
    const OneRow open("Gap", "2024-01-02,,,1");
    expect_repaired(open, "P/L", "");
    EXPECT_EQ(open.row().pl, 0);
    EXPECT_EQ(open.row().date_closed, std::nullopt);
    expect_skipped(OneRow("Gap", "2024-01-02,,2024-01-03,1"), "P/L", "2024-01-02,,2024-01-03,1");
    expect_skipped(OneRow("Gap", "2024-01-02,,junk,1"), "P/L", "2024-01-02,,junk,1");
}

TEST(TradeLog, ContractsFollowTheCellTable) {
    const auto contracts = [](const std::string& cell) {
        return OneRow("No. of Contracts", "2024-01-02,5,2024-01-02," + cell);
    };
    EXPECT_EQ(contracts("3").row().num_contracts, 3);
    EXPECT_EQ(contracts("3").got.report.rows_repaired, 0);
    expect_repaired(contracts(""), "No. of Contracts", "");
    EXPECT_EQ(contracts("").row().num_contracts, 1);
    expect_repaired(contracts("2.5"), "No. of Contracts", "2.5");
    EXPECT_EQ(contracts("2.5").row().num_contracts, 3);
    for (const auto* cell : {"0", "-1", "2147483648", "many"}) {
        expect_repaired(contracts(cell), "No. of Contracts", cell);
        EXPECT_EQ(contracts(cell).row().num_contracts, std::nullopt);
    }
}

TEST(TradeLog, EmptyFeesMarginAndPremiumAreEmptyWithoutANote) {
    for (const auto* column : {"Opening Commissions + Fees", "Margin Req.", "Premium"}) {
        const OneRow one(column, "2024-01-02,5,2024-01-02,");
        EXPECT_EQ(one.got.report.issues_total, 0);
        EXPECT_EQ(one.row().opening_commissions, std::nullopt);
        EXPECT_EQ(one.row().margin_req, std::nullopt);
        EXPECT_EQ(one.row().premium, std::nullopt);
    }
}

TEST(TradeLog, UnusableOpeningDateSkipsTheRow) {
    for (const std::string cell : {"2024-02-30", "45293", "Trade 12", "31/31/2024", "Total"}) {
        expect_skipped(OneRow("Gap", cell + ",5,2024-01-02,1"), "Date Opened", cell.c_str());
    }
    expect_skipped(OneRow("Gap", ",5,2024-01-02,1"), "Date Opened", ",5,2024-01-02,1");
}

TEST(TradeLog, UnusableClosingDateIsEmptyAndNoted) {
    const OneRow one("Gap", "2024-01-02,5,2024-02-30,1");
    expect_repaired(one, "Date Closed", "2024-02-30");
    EXPECT_EQ(one.row().date_closed, std::nullopt);
    EXPECT_EQ(one.row().pl, 5);
}

TEST(TradeLog, TimestampInTheDateFillsTheTime) {
    const OneRow one("Gap", "2024-01-02T10:23:59.10540,5,2024-01-02 11:00,1");
    EXPECT_EQ(one.row().time_opened->to_iso(), "10:23:59");
    EXPECT_EQ(one.row().time_closed->to_iso(), "11:00:00");
    EXPECT_EQ(one.got.report.issues_total, 0);
}

TEST(TradeLog, OffsetOfATimestampIsDroppedAndNoted) {
    const OneRow one("Gap", "2024-01-02T23:30:00-05:00,5,2024-01-03,1");
    expect_repaired(one, "Date Opened", "2024-01-02T23:30:00-05:00");
    EXPECT_EQ(one.row().date_opened.to_iso(), "2024-01-02");
    EXPECT_EQ(one.row().time_opened->to_iso(), "23:30:00");
}

TEST(TradeLog, TimesAreNormalisedAndNonsenseIsEmptyAndNoted) {
    EXPECT_EQ(OneRow("Time Opened", "2024-01-02,5,2024-01-02,9:35 AM").row().time_opened->to_iso(),
              "09:35:00");
    for (const auto* cell : {"25:99:00", "noon"}) {
        const OneRow one("Time Opened", std::string("2024-01-02,5,2024-01-02,") + cell);
        EXPECT_EQ(one.issue().column, "Time Opened");
        EXPECT_EQ(one.issue().value, cell);
        EXPECT_EQ(one.row().time_opened, std::nullopt);
    }
}

TEST(TradeLog, TooFewCellsAreTakenAsEmptyAndNoted) {
    const OneRow one("Gap", "2024-01-02,5");
    EXPECT_TRUE(one.stored());
    EXPECT_EQ(one.issue().value, "2024-01-02,5");
    EXPECT_EQ(one.row().date_closed, std::nullopt);
    EXPECT_EQ(one.row().gap, std::nullopt);
}

TEST(TradeLog, TooManyCellsAreNotedWhileTheValuesFit) {
    const OneRow one("Gap", "2024-01-02,5,2024-01-02,1.5,left over");
    EXPECT_TRUE(one.stored());
    EXPECT_EQ(one.got.report.rows_repaired, 1);
    EXPECT_EQ(one.row().gap, 1.5);
    EXPECT_EQ(one.row().extra_json, R"({"column 5":"left over"})");
}

TEST(TradeLog, TooManyCellsSkipTheRowWhenValuesAreShifted) {
    // An unquoted 1,234.56 falls apart into 1 and 234.56.
    const OneRow money("Gap", "2024-01-02,1,234.56,2024-01-02,3");
    EXPECT_FALSE(money.stored());
    Trades last;
    ingest(last,
           "Date Opened,P/L,Strategy\n2024-01-02,1,234.56,Alpha\n2024-01-03,2,Beta\n"
           "2024-01-04,3,Gamma\n");
    EXPECT_EQ(last.report.rows_skipped, 1);
    EXPECT_EQ(last.rows[0].pl, 2);
    for (const std::string pl : {"-1,234.56",
                                 "\xE2\x88\x92"
                                 "1,234.56",
                                 "+1,234.56", "-$1,234", "$ 1,234.56", "( 1,234.56)", "12,345%"}) {
        Trades signs;
        ingest(signs, "Date Opened,Strategy,P/L\n2024-01-02,Alpha," + pl +
                          "\n2024-01-03,Beta,2\n2024-01-04,Gamma,3\n");
        EXPECT_EQ(signs.report.rows_skipped, 1) << pl;
    }
}

TEST(TradeLog, RepeatedHeaderAndFooterAreSkippedWithAReason) {
    Trades got;
    ingest(got,
           "Date Opened,P/L\n2024-01-02,1\nDate Opened,P/L\n2024-01-03,2\n\n   \nTotal,3\n"
           "2024-01-04,4\n");
    EXPECT_EQ(got.report.data_rows, 5);
    EXPECT_EQ(got.report.rows_stored, 3);
    ASSERT_EQ(got.report.issues.size(), 2U);
    EXPECT_EQ(got.report.issues[0].line, 3);
    EXPECT_EQ(got.report.issues[0].reason, "the header line again");
    EXPECT_EQ(got.report.issues[1].line, 7);
    EXPECT_EQ(got.report.issues[1].value, "Total");
    EXPECT_EQ(got.rows[2].source_line, 8);
}

TEST(TradeLog, BlankLinesAreSkippedSilently) {
    Trades got;
    ingest(got, "\n\nDate Opened,P/L\n\n2024-01-02,1\n \n2024-01-03,2\n\n");
    EXPECT_EQ(got.report.data_rows, 2);
    EXPECT_EQ(got.report.issues_total, 0);
}

TEST(TradeLog, RowsWithoutAnyValueAreSkippedButNeverCondemnTheFile) {
    Trades got;
    ingest(got, "Date Opened,P/L\n2024-01-02,1\n,\n,\n,\n,\n");
    EXPECT_EQ(got.report.outcome, IngestOutcome::kComplete);
    EXPECT_EQ(got.report.rows_skipped, 4);
}

TEST(TradeLog, FirstOfTwoEqualHeadersWinsAndIsNotedOnce) {
    Trades got;
    ingest(got, "Date Opened,P/L,Gap,Gap\n2024-01-02,1,5,6\n2024-01-03,2,7,8\n");
    EXPECT_EQ(got.rows[0].gap, 5);
    EXPECT_EQ(got.report.issues_total, 1);
    EXPECT_EQ(got.report.issues[0].line, 1);
    EXPECT_EQ(got.report.rows_repaired, 0);
    EXPECT_EQ(got.rows[0].extra_json, "");
}

TEST(TradeLog, CanonicalColumnIsPreferredToAnAliasWhichIsKept) {
    Trades got;
    ingest(got, "Date Opened,Contracts,P/L,No. of Contracts\n2024-01-02,4,1,9\n");
    EXPECT_EQ(got.rows[0].num_contracts, 9);
    EXPECT_EQ(got.rows[0].extra_json, R"({"Contracts":"4"})");
    EXPECT_EQ(got.report.issues_total, 1);
}

TEST(TradeLog, NulBytesSkipTheRow) {
    Trades got;
    ingest(got,
           std::string("Date Opened,P/L\n2024-01-02,1\n2024-01-03,2") + '\0' + "\n2024-01-04,3\n");
    EXPECT_EQ(got.report.rows_stored, 2);
    ASSERT_EQ(got.report.issues.size(), 1U);
    EXPECT_EQ(got.report.issues[0].line, 3);
    EXPECT_EQ(got.report.issues[0].value.find('\0'), std::string::npos);
}

TEST(TradeLog, RowsGluedByALostQuoteAreSkippedNotMisread) {
    Trades got;
    ingest(got,
           "Date Opened,Strategy,P/L\n2024-01-02,\"Alpha,100\n2024-01-03,\"Beta\",200\n"
           "2024-01-04,Gamma,300\n2024-01-05,Delta,400\n");
    EXPECT_EQ(got.report.rows_stored, 2);
    EXPECT_EQ(got.report.rows_skipped, 1);
    EXPECT_EQ(got.rows[0].pl, 300);
    EXPECT_EQ(got.rows[0].source_line, 4);
}

TEST(TradeLog, QuotedLineEndsBelongToTheCell) {
    Trades got;
    ingest(got, "Date Opened,Legs,P/L\r\n2024-01-02,\"put\r\ncall\",1\r\n2024-01-03,x,2\r\n");
    ASSERT_EQ(got.rows.size(), 2U);
    EXPECT_EQ(got.rows[0].legs, "put\r\ncall");
    EXPECT_EQ(got.rows[1].source_line, 4);
}

TEST(TradeLog, HeadersAreFoundWhateverTheirCaseBlanksAndAliases) {
    Trades got;
    ingest(got,
           "\xEF\xBB\xBF date  OPENED ,p&l,NO OF CONTRACTS,opening comms & fees,Closing "
           "Commissions & Fees,avg_closing_cost,MARGIN REQ\n2024-01-02,1.5,3,4,5,6,7\n");
    ASSERT_EQ(got.rows.size(), 1U);
    EXPECT_EQ(got.rows[0].pl, 1.5);
    EXPECT_EQ(got.rows[0].num_contracts, 3);
    EXPECT_EQ(got.rows[0].opening_commissions, 4);
    EXPECT_EQ(got.rows[0].closing_commissions, 5);
    EXPECT_EQ(got.rows[0].avg_closing_cost, 6);
    EXPECT_EQ(got.rows[0].margin_req, 7);
    for (const std::string name : {"PL", "Profit/Loss", "P&L", "p/l"}) {
        Trades each;
        ingest(each, "Date Opened," + name + "\n2024-01-02,42\n");
        EXPECT_EQ(each.rows.at(0).pl, 42) << name;
    }
}

TEST(TradeLog, BasisColumnDecidesPerRowAndUnknownWordsAreNoted) {
    Trades got;
    ingest(
        got,
        "Date Opened,P/L,P/L Basis,Opening Commissions + Fees,Closing Commissions + Fees\n"
        "2024-01-02,100,gross_before_fees,3,4\n2024-01-03,200,net_includes_fees,5,6\n"
        "2024-01-04,300,whatever,7,8\n2024-01-05,400,Gross_Before_Fees,9,\n2024-01-06,500,,1,2\n");
    ASSERT_EQ(got.rows.size(), 5U);
    EXPECT_EQ(got.rows[0].net_pl, 93);
    EXPECT_EQ(got.rows[0].pl, 100);
    EXPECT_EQ(got.rows[1].net_pl, 200);
    EXPECT_EQ(got.rows[2].net_pl, 300);
    EXPECT_EQ(got.rows[3].net_pl, 391);
    EXPECT_EQ(got.rows[4].net_pl, 500);
    ASSERT_EQ(got.report.issues.size(), 2U);
    EXPECT_EQ(got.report.issues[0].column, "P/L Basis");
    EXPECT_EQ(got.report.issues[1].column, "Closing Commissions + Fees");
    EXPECT_EQ(got.report.issues[1].line, 5);
}

TEST(TradeLog, DefaultBasisHoldsForBlankCells) {
    Trades got;
    ingest(got,
           "Date Opened,P/L,P/L Basis,Opening Commissions + Fees,Closing Commissions + Fees\n"
           "2024-01-02,100,,3,4\n2024-01-03,200,net_includes_fees,5,6\n",
           {.default_pl_basis = PlBasis::kGrossBeforeFees});
    ASSERT_EQ(got.rows.size(), 2U);
    EXPECT_EQ(got.rows[0].net_pl, 93);
    EXPECT_EQ(got.rows[1].net_pl, 200);
}

TEST(TradeLog, DefaultBasisHoldsForFilesWithoutTheColumn) {
    Trades got;
    ingest(got, "Date Opened,P/L,Opening Commissions + Fees\n2024-01-02,100,3\n",
           {.default_pl_basis = PlBasis::kGrossBeforeFees});
    EXPECT_EQ(got.rows[0].pl_basis, PlBasis::kGrossBeforeFees);
    EXPECT_EQ(got.rows[0].net_pl, 97);
    EXPECT_EQ(got.report.notes.size(), 2U);  // no contracts, no closing commissions
}

TEST(TradeLog, PremiumWithADecimalPointIsInDollars) {
    EXPECT_EQ(OneRow("Premium", "2024-01-02,5,2024-01-02,4.20").row().premium_unit,
              PremiumUnit::kDollars);
    EXPECT_EQ(OneRow("Premium", "2024-01-02,5,2024-01-02,\"$1,420\"").row().premium_unit,
              PremiumUnit::kCents);
}

TEST(TradeLog, TickerComesFromTheFirstColumnThatHasOne) {
    Trades got;
    ingest(got,
           "Date Opened,P/L,Underlying Symbol,symbol,TICKER,Legs\n2024-01-02,1,AAA,BBB,^spx,legs\n"
           "2024-01-03,2,AAA,$bbb 240119C,,\n2024-01-04,3,brk.b,,,\n2024-01-05,4,,123,,x\n"
           "2024-01-06,5,,,,y\n");
    ASSERT_EQ(got.rows.size(), 5U);
    EXPECT_EQ(got.rows[0].ticker, "SPX");
    EXPECT_EQ(got.rows[0].legs, "legs");
    EXPECT_EQ(got.rows[0].extra_json, R"({"Underlying Symbol":"AAA","symbol":"BBB"})");
    EXPECT_EQ(got.rows[1].ticker, "BBB");
    EXPECT_EQ(got.rows[1].legs, "$bbb 240119C");  // Symbol stands in for empty legs
    EXPECT_EQ(got.rows[2].ticker, "BRK.B");
    EXPECT_EQ(got.rows[3].ticker, "SPX");  // no letter in it
    EXPECT_EQ(got.rows[4].ticker, "SPX");
}

TEST(TradeLog, UnknownColumnsBecomeJsonInFileOrder) {
    Trades got;
    ingest(
        got,
        "Date Opened,Zeta,P/L,\"Al\"\"pha\",,Empty\n2024-01-02,\"say \"\"hi\"\"\\\n\",1,caf\xC3\xA9"
        ",no name,\n");
    ASSERT_EQ(got.rows.size(), 1U);
    EXPECT_EQ(got.rows[0].extra_json,
              "{\"Zeta\":\"say \\\"hi\\\"\\\\\",\"Al\\\"pha\":\"caf\xC3\xA9\",\"column 5\":\"no "
              "name\"}");
    EXPECT_TRUE(nlohmann::json::accept(got.rows[0].extra_json));
}

TEST(TradeLog, UnknownColumnsReadBackFromTheirJson) {
    EXPECT_TRUE(rc::check([] {
        const auto inner = *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
        const std::string cell = "x" + inner + "y";
        std::string escaped;
        for (const char c : cell) {
            escaped += c == '"' ? "\"\"" : std::string(1, c);
        }
        Trades got;
        test::ingest_into(got, "Date Opened,P/L,Note\n2024-01-02,1,\"" + escaped + "\"\n");
        RC_ASSERT(got.rows.size() == 1U);
        RC_ASSERT(nlohmann::json::parse(got.rows[0].extra_json).at("Note") == cell);
    }));
}

TEST(TradeLog, BlankStrategyIsAnEmptyView) {
    EXPECT_TRUE(OneRow("Strategy", "2024-01-02,5,2024-01-02,  ").row().strategy.empty());
}

TEST(TradeLog, SemicolonFileWithDecimalCommasThroughout) {
    Trades got;
    ingest(
        got,
        "Date Opened;P/L;Premium;Gap\n2024-01-02;1.234,56;420;1,5\n2024-01-03;-7,25;4,2;2.000\n");
    ASSERT_EQ(got.rows.size(), 2U);
    EXPECT_EQ(got.rows[0].pl, 1234.56);
    // One of the two has a decimal sign, so both are dollars of one share.
    EXPECT_EQ(got.rows[0].premium_unit, PremiumUnit::kDollars);
    EXPECT_EQ(got.rows[1].pl, -7.25);
    EXPECT_EQ(got.rows[1].premium, 4.2);
    EXPECT_EQ(got.rows[1].premium_unit, PremiumUnit::kDollars);
    EXPECT_EQ(got.rows[1].gap, 2000);
    EXPECT_EQ(got.report.rows_repaired, 2);
    EXPECT_EQ(got.report.issues_total, 5);
}

TEST(TradeLog, SemicolonFileWithDecimalPointsRefusesAStrayComma) {
    Trades got;
    ingest(got, "Date Opened;P/L\n2024-01-02;1,234.5\n2024-01-03;7.25\n2024-01-04;1.234,56\n");
    ASSERT_EQ(got.rows.size(), 3U);
    EXPECT_EQ(got.rows[0].pl, 1234.5);
    EXPECT_EQ(got.rows[2].pl, 1234.56);
    // Neither 125 nor 12.5 is certain, nor then what 1.234 in another row would be.
    Trades stray;
    ingest(stray, "Date Opened;P/L\n2024-01-02;1.5\n2024-01-03;7.25\n2024-01-04;12,5\n");
    EXPECT_EQ(stray.report.outcome, IngestOutcome::kRejected);
    EXPECT_NE(stray.report.rejection.find("'12,5' on line 4 and '1.5' on line 2"),
              std::string::npos)
        << stray.report.rejection;
}

TEST(TradeLog, TabFilesAreRead) {
    Trades got;
    ingest(got, "Date Opened\tP/L\tStrategy\n2024-01-02\t1,234.5\tA, B\n");
    EXPECT_EQ(got.rows.at(0).pl, 1234.5);
    EXPECT_EQ(got.rows.at(0).strategy, "A, B");
}

TEST(TradeLog, Latin1TextIsDecodedAndNoted) {
    Trades got;
    ingest(got, "Date Opened,P/L,Strategy\n2024-01-02,1,Caf\xE9 \x80\n");
    EXPECT_EQ(got.rows.at(0).strategy, "Caf\xC3\xA9 \xE2\x82\xAC");
    EXPECT_EQ(got.report.notes.back(), "decoded as Windows-1252");
}

TEST(TradeLog, Utf16FilesAreRead) {
    std::string bytes = "\xFF\xFE";
    for (const char c : std::string("Date Opened,P/L\r\n2024-01-02,12.5\r\n")) {
        bytes += c;
        bytes += '\0';
    }
    Trades got;
    ingest(got, bytes);
    EXPECT_EQ(got.rows.at(0).pl, 12.5);
}

TEST(TradeLog, MoreThanHalfBadRowsRejectTheFileWithReasons) {
    Trades got;
    ingest(got, "Date Opened,P/L\nbad,1\n2024-01-02,2\nworse,3\n");
    EXPECT_EQ(got.report.outcome, IngestOutcome::kRejected);
    EXPECT_NE(got.report.rejection.find("2 of 3"), std::string::npos) << got.report.rejection;
    EXPECT_NE(got.report.rejection.find("line 2"), std::string::npos);
    EXPECT_NE(got.report.rejection.find("line 4"), std::string::npos);
    Trades half;
    ingest(half, "Date Opened,P/L\nbad,1\n2024-01-02,2\n");
    EXPECT_EQ(half.report.outcome, IngestOutcome::kComplete);
}

TEST(TradeLog, UnusableHeaderSaysWhatIsMissingAndWhatIsThere) {
    Trades got;
    ingest(got, "Opened,Profit,Strategy\n2024-01-02,1,A\n");
    EXPECT_EQ(got.report.outcome, IngestOutcome::kRejected);
    for (const auto* part : {"lacks Date Opened, P/L", "of its 3 columns", "known: Strategy."}) {
        EXPECT_NE(got.report.rejection.find(part), std::string::npos) << got.report.rejection;
    }
    // What is no column of ours may be anything, also a secret.
    EXPECT_EQ(got.report.rejection.find("Profit"), std::string::npos) << got.report.rejection;
    EXPECT_TRUE(got.rows.empty());
}

TEST(TradeLog, HeaderAloneIsCompleteWithoutRows) {
    Trades got;
    ingest(got, "Date Opened,P/L\n");
    EXPECT_EQ(got.report.outcome, IngestOutcome::kComplete);
    EXPECT_EQ(got.report.data_rows, 0);
    EXPECT_FALSE(got.report.unterminated_header);
    EXPECT_EQ(got.report.first_date, std::nullopt);
    Trades bare;
    ingest(bare, "Date Opened,P/L");
    EXPECT_EQ(bare.report.outcome, IngestOutcome::kComplete);
    EXPECT_TRUE(bare.report.unterminated_header);
}

TEST(TradeLog, EmptyFilesAreIncomplete) {
    for (const auto* text : {"", "\n\r\n", "\xEF\xBB\xBF"}) {
        Trades got;
        ingest(got, text);
        EXPECT_EQ(got.report.outcome, IngestOutcome::kIncomplete);
        EXPECT_FALSE(got.report.rejection.empty());
    }
}

TEST(TradeLog, HalfWrittenLastRecordIsIncomplete) {
    for (const auto* tail : {"2024-01-0", "2024-01-03,12", "2024-01-03,12,\"Al"}) {
        Trades got;
        ingest(got, std::string("Date Opened,P/L,Strategy\n2024-01-02,1,A\n") + tail);
        EXPECT_EQ(got.report.outcome, IngestOutcome::kIncomplete) << tail;
        EXPECT_NE(got.report.rejection.find("line 3"), std::string::npos);
    }
    Trades whole;
    ingest(whole, "Date Opened,P/L,Strategy\n2024-01-02,1,A\n2024-01-03,2,B");
    EXPECT_EQ(whole.report.outcome, IngestOutcome::kComplete);
    EXPECT_EQ(whole.report.rows_stored, 2);
}

TEST(TradeLog, HalfWrittenHeaderIsIncompleteButAStrangeOneIsRejected) {
    for (const auto* text : {"D", "Date Open", "Date Opened,", "Date Opened,P/L,Strat"}) {
        Trades got;
        ingest(got, text);
        EXPECT_EQ(got.report.outcome, IngestOutcome::kIncomplete) << text;
    }
    for (const auto* text : {"not a csv", "Date Open\n", "foo,bar"}) {
        Trades got;
        ingest(got, text);
        EXPECT_EQ(got.report.outcome, IngestOutcome::kRejected) << text;
    }
}

TEST(TradeLog, NoPrefixOfAFileLosesItsRowsSilently) {
    const std::string text = "Date Opened,P/L,Strategy\r\n2024-01-02,1,A\r\n2024-01-03,2,B\r\n";
    for (std::size_t size = 0; size < text.size(); ++size) {
        Trades got;
        ingest(got, text.substr(0, size));
        EXPECT_NE(got.report.outcome, IngestOutcome::kRejected) << size;
        // Where complete, every line that has begun is a row.
        if (got.report.outcome == IngestOutcome::kComplete && size > 26) {
            EXPECT_EQ(got.report.rows_stored, size > 42 ? 2 : 1) << size;
        }
    }
}

TEST(TradeLog, RecordsBeyondTheLimitRejectTheFile) {
    Trades got;
    ingest(got, "Date Opened,P/L\n2024-01-02,\"" + std::string(kMaxRecordBytes + 10, 'x') + "\"\n");
    EXPECT_EQ(got.report.outcome, IngestOutcome::kRejected);
    EXPECT_NE(got.report.rejection.find("line 2"), std::string::npos);
}

TEST(TradeLog, StoredIssuesAreCappedButCountedExactly) {
    std::string text = "Date Opened,P/L,Gap\n";
    for (int i = 0; i < 1500; ++i) {
        text += "2024-01-02," + std::to_string(i) + ",junk\n";
    }
    Trades got;
    ingest(got, text);
    EXPECT_EQ(got.report.issues_total, 1500);
    EXPECT_EQ(got.report.issues.size(), kMaxStoredIssues);
    EXPECT_EQ(got.report.rows_repaired, 1500);
}

TEST(TradeLog, LongValuesInIssuesAreCutBetweenCharacters) {
    std::string cell;
    for (int i = 0; i < 150; ++i) {
        cell += "\xC3\xA9";
    }
    const OneRow one("Gap", "2024-01-02," + cell + ",2024-01-02,1");
    EXPECT_EQ(one.issue().value, cell.substr(0, 200) + "\xE2\x80\xA6");
}

TEST(TradeLog, RowsComeInBatchesWhoseTextOutlivesTheSource) {
    std::string text = "Date Opened,P/L,Legs,Strategy\n";
    for (int i = 0; i < 5000; ++i) {
        text += "2024-01-02," + std::to_string(i) + ",leg " + std::to_string(i) + ",S" +
                std::to_string(i % 2) + "\n";
    }
    Trades got;
    ingest(got, text);
    text.assign(text.size(), '#');
    ASSERT_EQ(got.sink.batches().size(), 3U);
    EXPECT_EQ(got.sink.batches()[0].records.size(), kBatchRows);
    for (std::size_t i = 0; i < 5000; ++i) {
        ASSERT_EQ(got.rows[i].legs, "leg " + std::to_string(i));
        ASSERT_EQ(got.rows[i].strategy, i % 2 == 0 ? "S0" : "S1");
    }
}

TEST(TradeLog, CancellingEndsWithInterrupted) {
    const CancelSource cancel;
    cancel.cancel();
    MemorySource source(bytes_of("Date Opened,P/L\n2024-01-02,1\n"));
    test::Collector<TradeRecord> sink;
    const auto report = ingest_trade_log(source, {.cancel = cancel.token()}, sink);
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code, ErrorCode::kInterrupted);
}

class FailingSink final : public RecordSink<TradeRecord> {
  public:
    Result<void> on_batch(RecordBatch<TradeRecord> /*batch*/) override {
        return make_error(ErrorCode::kDatabase, "full");
    }
};

class FailingSource final : public ByteSource {
  public:
    Result<std::span<const std::byte>> next() override {
        return make_error(ErrorCode::kIo, "unplugged");
    }
};

TEST(TradeLog, ErrorsOfSourceAndSinkArePassedOn) {
    MemorySource source(bytes_of("Date Opened,P/L\n2024-01-02,1\n"));
    FailingSink full;
    EXPECT_EQ(ingest_trade_log(source, {}, full).error().code, ErrorCode::kDatabase);
    FailingSource unplugged;
    test::Collector<TradeRecord> sink;
    EXPECT_EQ(ingest_trade_log(unplugged, {}, sink).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace tb::blocks
