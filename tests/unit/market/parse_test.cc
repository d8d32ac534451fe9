#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "csv/encoding.h"
#include "market/market_files.h"

namespace tb::market {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<MarketParse> parse_result(std::string_view file_name, std::string_view text,
                                 std::size_t piece = 1 << 20) {
    const auto bytes = std::as_bytes(std::span(text));
    csv::EncodingDetector detector;
    detector.update(bytes);
    std::size_t at = 0;
    return parse_market_file(*find_market_file(file_name), detector.finish(),
                             [&]() -> Result<std::span<const std::byte>> {
                                 const auto next =
                                     bytes.subspan(at, std::min(piece, bytes.size() - at));
                                 at += next.size();
                                 return next;
                             });
}

MarketParse parse(std::string_view file_name, std::string_view text) {
    auto result = parse_result(file_name, text);
    EXPECT_TRUE(result.has_value()) << result.error().to_string();
    return std::move(*result);
}

// "2024-01-02: Close=4742.83 Vol_Regime=null | ..." with the names of the table.
std::vector<std::string> days(std::string_view file_name, const MarketRows& rows) {
    const db::TableSpec& table = market_table(*find_market_file(file_name));
    std::vector<std::string> result;
    for (std::size_t i = 0; i < rows.dates.size(); ++i) {
        std::string text = rows.dates[i].to_iso() + ":";
        for (std::size_t k = 0; k < rows.columns.size(); ++k) {
            const double value = rows.row(i)[k];
            text += fmt::format(" {}={}", table.columns[rows.columns[k]].name,
                                std::isnan(value) ? "null" : fmt::format("{}", value));
        }
        result.push_back(text);
    }
    return result;
}

std::vector<std::string> reasons(const MarketParse& parse) {
    std::vector<std::string> result;
    for (const MarketIssue& issue : parse.issues) {
        result.push_back(fmt::format("{} {}[{}] {}", issue.line, issue.column, issue.value,
                                     issue.skipped ? "skipped" : "repaired"));
    }
    return result;
}

TEST(MarketFiles, AreTheFourChartExportsAndTheTreasuryRates) {
    std::vector<std::string> names;
    for (const MarketFile& file : market_files()) {
        names.emplace_back(file.file_name);
        EXPECT_EQ(market_table(file).columns[0].name, "date") << file.table;
        EXPECT_EQ(find_market_file(file.file_name), &file);
    }
    EXPECT_THAT(names, ElementsAre("spx_daily.csv", "spx_15min.csv", "spx_highlow.csv",
                                   "vix_intraday.csv", "treasury_rates.csv"));
    EXPECT_EQ(find_market_file("SPX_daily.csv"), nullptr);
}

TEST(MarketParsing, TurnsUnixSecondsIntoNewYorkDaysInDateOrder) {
    const MarketParse result = parse("spx_daily.csv",
                                     "time,Open,Close,Vol_Regime\n"
                                     "1704292200,4725.07,4704.81,2\n"
                                     "1704205800,4745.2,4742.83,3\n");
    EXPECT_EQ(result.outcome, ParseOutcome::kComplete);
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("2024-01-02: Open=4745.2 Close=4742.83 Vol_Regime=3",
                            "2024-01-03: Open=4725.07 Close=4704.81 Vol_Regime=2"));
    EXPECT_EQ(result.data_rows, 2);
    EXPECT_EQ(result.rows_skipped, 0);
    EXPECT_THAT(result.issues, IsEmpty());
    EXPECT_THAT(result.notes, IsEmpty());
}

TEST(MarketParsing, ReadsEveryTableOfItsOwnColumns) {
    for (const MarketFile& file : market_files()) {
        std::string header(file.time_column);
        std::string row = "2024-01-02";
        double value = 1;
        for (const db::ColumnSpec& column : market_table(file).columns) {
            if (column.name != "date") {
                header += fmt::format(",{}", column.name);
                row += fmt::format(",{}", value++);
            }
        }
        const MarketParse result = parse(file.file_name, header + "\n" + row + "\n");
        EXPECT_EQ(result.outcome, ParseOutcome::kComplete) << file.file_name << result.rejection;
        ASSERT_EQ(result.rows.columns.size(), market_table(file).columns.size() - 1);
        for (std::size_t i = 0; i < result.rows.columns.size(); ++i) {
            EXPECT_EQ(result.rows.columns[i], i + 1);
            EXPECT_EQ(result.rows.values[i], static_cast<double>(i + 1));
        }
    }
}

TEST(MarketParsing, ReadsTreasuryRates) {
    const MarketParse result =
        parse("treasury_rates.csv", "date,rate_percent\r\n2013-01-02,0.08\r\n2024-01-02,5.46\r\n");
    EXPECT_THAT(days("treasury_rates.csv", result.rows),
                ElementsAre("2013-01-02: rate_percent=0.08", "2024-01-02: rate_percent=5.46"));
}

TEST(MarketParsing, StoresEmptyAndMissingValuesAsNullWithoutAWord) {
    const MarketParse result = parse("spx_daily.csv",
                                     "time,Open,High,Low,Close\n"
                                     "2024-01-02,,NaN,NA,nan\n");
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("2024-01-02: Open=null High=null Low=null Close=null"));
    EXPECT_THAT(result.issues, IsEmpty());
}

TEST(MarketParsing, NotesValuesThatAreNoNumbersAndStoresThemAsNull) {
    const MarketParse result = parse("spx_daily.csv",
                                     "time,Open,High,Low,Close\n"
                                     "2024-01-02,12abc,Infinity,0x10,1e309\n"
                                     "2024-01-03,1,2,3,4\n");
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("2024-01-02: Open=null High=null Low=null Close=null",
                            "2024-01-03: Open=1 High=2 Low=3 Close=4"));
    EXPECT_THAT(reasons(result), ElementsAre("2 Open[12abc] repaired", "2 High[Infinity] repaired",
                                             "2 Low[0x10] repaired", "2 Close[1e309] repaired"));
    EXPECT_EQ(result.rows_repaired, 1);
    EXPECT_EQ(result.issues_total, 4);
}

TEST(MarketParsing, RoundsWholeNumberColumnsAndSaysSoWhenThatChangesThem) {
    const MarketParse result = parse("spx_daily.csv",
                                     "time,Vol_Regime,Trend_Score,Month,Is_Opex\n"
                                     "2024-01-02,2.7,-1.0,1e10,2.5\n");
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("2024-01-02: Vol_Regime=3 Trend_Score=-1 Month=null Is_Opex=3"));
    EXPECT_THAT(reasons(result), ElementsAre("2 Vol_Regime[2.7] repaired", "2 Month[1e10] repaired",
                                             "2 Is_Opex[2.5] repaired"));
}

TEST(MarketParsing, IgnoresUnknownColumnsAndNamesThem) {
    const MarketParse result =
        parse("spx_daily.csv", "time,Open,volume,My Plot\n2024-01-02,10,999,7\n");
    EXPECT_THAT(days("spx_daily.csv", result.rows), ElementsAre("2024-01-02: Open=10"));
    EXPECT_THAT(result.notes, ElementsAre(HasSubstr("volume, My Plot")));
}

TEST(MarketParsing, FindsColumnsInAnyCase) {
    const MarketParse result = parse("spx_daily.csv", "TIME,oPEN,rsi_14\n2024-01-02,10,55.5\n");
    EXPECT_THAT(days("spx_daily.csv", result.rows), ElementsAre("2024-01-02: Open=10 RSI_14=55.5"));
}

TEST(MarketParsing, PrefersTheOneOfTwoColumnsThatHasData) {
    const MarketParse first =
        parse("spx_daily.csv", "time,open,Open\n2024-01-02,10,NaN\n2024-01-03,11,12\n");
    EXPECT_THAT(days("spx_daily.csv", first.rows),
                ElementsAre("2024-01-02: Open=10", "2024-01-03: Open=11"));
    EXPECT_THAT(first.notes, ElementsAre(HasSubstr("position 2, with 2 values")));
    const MarketParse second =
        parse("spx_daily.csv", "time,open,Open\n2024-01-02,,20\n2024-01-03,,22\n");
    EXPECT_THAT(days("spx_daily.csv", second.rows),
                ElementsAre("2024-01-02: Open=20", "2024-01-03: Open=22"));
    const MarketParse equal = parse("spx_daily.csv", "time,open,Open\n2024-01-02,10,20\n");
    EXPECT_THAT(days("spx_daily.csv", equal.rows), ElementsAre("2024-01-02: Open=20"))
        << "with equally much data the exact name decides";
}

TEST(MarketParsing, LetsTheLastRowOfADayWinAndAccountsForTheOthers) {
    const MarketParse result = parse("spx_daily.csv",
                                     "time,Close\n"
                                     "2024-01-02,1\n"
                                     "2024-01-03,2\n"
                                     "2024-01-02,3x\n"
                                     "2024-01-02,4\n");
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("2024-01-02: Close=4", "2024-01-03: Close=2"));
    EXPECT_EQ(result.data_rows, 4);
    EXPECT_EQ(result.rows_skipped, 2);
    EXPECT_EQ(result.rows_repaired, 0) << "the repaired row was replaced";
    EXPECT_THAT(reasons(result), ElementsAre("2 [2024-01-02] skipped", "4 [2024-01-02] skipped"));
}

TEST(MarketParsing, SkipsBadRowsAndExplainsThem) {
    const MarketParse result = parse("spx_daily.csv",
                                     "time,Open,Close\n"
                                     "2024-01-02,1,2\n"
                                     "time,Open,Close\n"
                                     "2024-01-03,3,4\n"
                                     "\n"
                                     "2024-01-04,5,6,7\n"
                                     "2024-01-05,8,9,\n"
                                     "2024-01-08,10\n"
                                     "Total,,\n"
                                     "2024-01-09,\"1\"x,2\n"
                                     "2024-01-10,11,12\n");
    EXPECT_EQ(result.outcome, ParseOutcome::kComplete) << result.rejection;
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("2024-01-02: Open=1 Close=2", "2024-01-03: Open=3 Close=4",
                            "2024-01-05: Open=8 Close=9", "2024-01-08: Open=10 Close=null",
                            "2024-01-10: Open=11 Close=12"));
    EXPECT_THAT(reasons(result),
                ElementsAre("3 [time] skipped", "6 [2024-01-04] skipped", "8 [2] repaired",
                            "9 [Total] skipped", "10 [2024-01-09] skipped"));
    EXPECT_EQ(result.data_rows, 9);
    EXPECT_EQ(result.rows_skipped, 4);
}

TEST(MarketParsing, RejectsAFileOfMostlyUnreadableRows) {
    const MarketParse result = parse("spx_daily.csv", "time,Open\nx,1\ny,2\n2024-01-02,3\n");
    EXPECT_EQ(result.outcome, ParseOutcome::kRejected);
    EXPECT_THAT(result.rejection, HasSubstr("2 of 3 rows"));
    EXPECT_THAT(result.rejection, HasSubstr("the first on line 2: not a time"));
    const MarketParse later =
        parse("spx_daily.csv", "time,Open\n2024-01-02,a\n2024-01-02,1\nx,1\ny,2\nz,3\n");
    EXPECT_THAT(later.rejection, HasSubstr("3 of 5 rows cannot be read, the first on line 4"));
    EXPECT_THAT(result.rows.dates, IsEmpty());
    const MarketParse half = parse("spx_daily.csv", "time,Open\nx,1\n2024-01-02,3\n");
    EXPECT_EQ(half.outcome, ParseOutcome::kComplete) << "exactly half is not more than half";
}

TEST(MarketParsing, RejectsAHeaderWithoutTimeOrWithoutAnyColumnOfTheTable) {
    const MarketParse no_time = parse("spx_daily.csv", "when,Open\n2024-01-02,1\n");
    EXPECT_EQ(no_time.outcome, ParseOutcome::kRejected);
    EXPECT_THAT(no_time.rejection, HasSubstr("when, Open"));
    const MarketParse no_values = parse("spx_daily.csv", "time,volume\n2024-01-02,1\n");
    EXPECT_EQ(no_values.outcome, ParseOutcome::kRejected);
    EXPECT_THAT(no_values.rejection, HasSubstr("market.spx_daily"));
}

TEST(MarketParsing, SeesHalfWrittenFiles) {
    for (const std::string_view text :
         {"", "time,\"Op", "time,Open,Close\n2024-01-02,1,2\n2024-01-03,4",
          "time,Open,Close\n2024-01-02,1,\"2\n"}) {
        EXPECT_EQ(parse("spx_daily.csv", text).outcome, ParseOutcome::kIncomplete) << text;
    }
    EXPECT_EQ(parse("spx_daily.csv", "time,Open\n2024-01-02,1").outcome, ParseOutcome::kComplete)
        << "a last row without a line end but with all of its cells";
    EXPECT_EQ(parse("spx_daily.csv", "time,Open\n").outcome, ParseOutcome::kComplete);
}

TEST(MarketParsing, ReadsByteOrderMarksUtf16AndWindows1252) {
    EXPECT_THAT(
        days("spx_daily.csv", parse("spx_daily.csv", "\xEF\xBB\xBFtime,Open\n2024-01-02,5\n").rows),
        ElementsAre("2024-01-02: Open=5"));
    std::string wide = "\xFF\xFE";
    for (const char c : std::string_view("time,Open\r\n2024-01-02,6\r\n")) {
        wide += {c, '\0'};
    }
    EXPECT_THAT(days("spx_daily.csv", parse("spx_daily.csv", wide).rows),
                ElementsAre("2024-01-02: Open=6"));
    const MarketParse latin = parse("spx_daily.csv",
                                    "time,Open,\xDC"
                                    "ber\n2024-01-02,7,1\n");
    EXPECT_THAT(days("spx_daily.csv", latin.rows), ElementsAre("2024-01-02: Open=7"));
    EXPECT_THAT(latin.notes, testing::Contains(HasSubstr("Über")));
}

TEST(MarketParsing, ReadsSemicolonFilesWithDecimalCommas) {
    const MarketParse result =
        parse("spx_daily.csv", "time;Open;Close\n2024-01-02;4745,2;4742,83\n");
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("2024-01-02: Open=4745.2 Close=4742.83"));
    EXPECT_THAT(
        days("spx_daily.csv", parse("spx_daily.csv", "time;Open\n2024-01-02;4745.25\n").rows),
        ElementsAre("2024-01-02: Open=4745.25"));
}

TEST(MarketParsing, WarnsAboutDaysOnWhichTheExchangeIsClosed) {
    const MarketParse result = parse("spx_daily.csv", "time,Open\n1704585600,1\n1704844800,2\n");
    EXPECT_THAT(result.notes, ElementsAre(HasSubstr("1 of 2 days are a Saturday or Sunday")));
}

TEST(MarketParsing, CapsStoredIssuesAndKeepsTheTotal) {
    std::string text = "time,Open\n";
    for (int i = 0; i < 3000; ++i) {
        text += fmt::format("2024-01-02,{}\n", i);
    }
    const MarketParse result = parse("spx_daily.csv", text);
    EXPECT_EQ(result.issues.size(), kMaxStoredIssues);
    EXPECT_EQ(result.issues_total, 2999);
    EXPECT_EQ(result.rows_skipped, 2999);
    EXPECT_THAT(days("spx_daily.csv", result.rows), ElementsAre("2024-01-02: Open=2999"));
}

TEST(MarketParsing, StopsAtItsLimitAndWhenCancelled) {
    const std::string piece(1 << 20, ' ');
    const auto endless = [&]() -> Result<std::span<const std::byte>> {
        return std::as_bytes(std::span(piece));
    };
    const MarketFile& file = *find_market_file("spx_daily.csv");
    const auto large = parse_market_file(file, csv::Encoding::kUtf8, endless);
    ASSERT_FALSE(large.has_value());
    EXPECT_EQ(large.error().code, ErrorCode::kResourceExhausted);
    EXPECT_THAT(large.error().message, HasSubstr("64 MiB"));
    CancelSource source;
    source.cancel();
    const auto cancelled = parse_market_file(file, csv::Encoding::kUtf8, endless, source.token());
    ASSERT_FALSE(cancelled.has_value());
    EXPECT_EQ(cancelled.error().code, ErrorCode::kInterrupted);
}

TEST(MarketParsing, PassesOnReadErrors) {
    const auto failing = []() -> Result<std::span<const std::byte>> {
        return make_error(ErrorCode::kIo, "disk on fire");
    };
    const auto result =
        parse_market_file(*find_market_file("spx_daily.csv"), csv::Encoding::kUtf8, failing);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kIo);
}

TEST(MarketParsing, AccountsForEveryRowOfArbitraryText) {
    EXPECT_TRUE(rc::check("data rows = days + skipped rows, however the bytes arrive", [] {
        const auto cell = rc::gen::element<std::string>("2024-01-02", "2024-01-03", "1704205800",
                                                        "1704205800000", "x", "", "1", "2.5", "NaN",
                                                        "\"", "a,b", "2024-01-02T09:30:00Z", "9,9");
        const auto rows = *rc::gen::container<std::vector<std::pair<std::string, std::string>>>(
            rc::gen::pair(cell, cell));
        std::string text = "time,Open\n";
        for (const auto& [time, value] : rows) {
            text += time + "," + value + "\n";
        }
        const auto whole = parse_result("spx_daily.csv", text);
        const auto pieces = parse_result("spx_daily.csv", text, 3);
        RC_ASSERT(whole.has_value() && pieces.has_value());
        RC_ASSERT(days("spx_daily.csv", whole->rows) == days("spx_daily.csv", pieces->rows));
        if (whole->outcome == ParseOutcome::kComplete) {
            RC_ASSERT(whole->data_rows ==
                      static_cast<std::int64_t>(whole->rows.dates.size()) + whole->rows_skipped);
        }
    }));
}

}  // namespace
}  // namespace tb::market
