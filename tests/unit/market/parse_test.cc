#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "core/text.h"
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
        std::vector<double> expected;
        for (const db::ColumnSpec& column : market_table(file).columns) {
            if (column.name != "date") {
                // A possible candle: all else lies between.
                const double value = equals_ignoring_case(column.name, "high") ? 1000
                                     : equals_ignoring_case(column.name, "low")
                                         ? 1
                                         : static_cast<double>(expected.size() + 2);
                header += fmt::format(",{}", column.name);
                row += fmt::format(",{}", value);
                expected.push_back(value);
            }
        }
        const MarketParse result = parse(file.file_name, header + "\n" + row + "\n");
        EXPECT_EQ(result.outcome, ParseOutcome::kComplete) << file.file_name << result.rejection;
        ASSERT_EQ(result.rows.columns.size(), market_table(file).columns.size() - 1);
        for (std::size_t i = 0; i < result.rows.columns.size(); ++i) {
            EXPECT_EQ(result.rows.columns[i], i + 1);
            EXPECT_EQ(result.rows.values[i], expected[i]);
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
                                     "2024-01-03,2,4,1,3\n");
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("2024-01-02: Open=null High=null Low=null Close=null",
                            "2024-01-03: Open=2 High=4 Low=1 Close=3"));
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
    EXPECT_THAT(no_time.rejection, HasSubstr("no column named \"time\""));
    EXPECT_THAT(no_time.rejection, HasSubstr("takes time, Prior_Close, Open, High"));
    EXPECT_THAT(no_time.rejection, HasSubstr("of these it has Open"));
    const MarketParse no_values =
        parse("spx_daily.csv", "time,volume of account 4711\n2024-01-02,1\n");
    EXPECT_EQ(no_values.outcome, ParseOutcome::kRejected);
    EXPECT_THAT(no_values.rejection, HasSubstr("market.spx_daily"));
    EXPECT_THAT(no_values.rejection, testing::Not(HasSubstr("4711")))
        << "what is no header is not quoted";
}

TEST(MarketParsing, SaysWhichColumnsARateFileNeedsAndReadsTheUsualOnes) {
    const MarketParse unknown = parse("treasury_rates.csv", "date,rate\n2026-01-05,3.54\n");
    EXPECT_EQ(unknown.outcome, ParseOutcome::kRejected);
    EXPECT_THAT(unknown.rejection, HasSubstr("takes date, rate_percent"));
    EXPECT_THAT(unknown.rejection, testing::Not(HasSubstr("Export the chart")));
    const MarketParse fred =
        parse("treasury_rates.csv", "observation_date,DTB3\n2026-01-01,\n2026-01-05,3.54\n");
    EXPECT_THAT(days("treasury_rates.csv", fred.rows),
                ElementsAre("2026-01-01: rate_percent=null", "2026-01-05: rate_percent=3.54"));
    EXPECT_THAT(fred.issues, IsEmpty());
    // The Treasury's own par curve: newest first, a column that is new and empty before 2025.
    const MarketParse curve =
        parse("treasury_rates.csv",
              "Date,\"1 Mo\",\"1.5 Month\",\"2 Mo\",\"3 Mo\",\"4 Mo\"\n"
              "01/06/2026,3.21,3.22,3.23,3.24,3.25\n01/05/2026,3.20,,3.22,3.23,3.24\n");
    EXPECT_THAT(days("treasury_rates.csv", curve.rows),
                ElementsAre("2026-01-05: rate_percent=3.23", "2026-01-06: rate_percent=3.24"));
    EXPECT_THAT(curve.notes, testing::Contains(HasSubstr("rate_percent is read from")));
}

TEST(MarketParsing, MissingValuesOfPublicSourcesAreNoIssues) {
    const MarketParse result =
        parse("treasury_rates.csv",
              "DATE,rate_percent\n2026-01-01,.\n2026-01-02,ND\n2026-01-05,#N/A\n2026-01-06,3.5\n");
    EXPECT_THAT(days("treasury_rates.csv", result.rows),
                ElementsAre("2026-01-01: rate_percent=null", "2026-01-02: rate_percent=null",
                            "2026-01-05: rate_percent=null", "2026-01-06: rate_percent=3.5"));
    EXPECT_THAT(result.issues, IsEmpty());
    EXPECT_EQ(result.rows_repaired, 0);
}

TEST(MarketParsing, SaysWhatAFileIsThatIsNoTable) {
    const MarketParse page = parse("spx_daily.csv",
                                   "<!DOCTYPE html>\n<html><head><title>x</title></head>\n"
                                   "<body>Exceeded the daily hits limit</body></html>\n");
    EXPECT_EQ(page.outcome, ParseOutcome::kRejected);
    EXPECT_THAT(page.rejection, HasSubstr("a web page"));
    const MarketParse packed = parse("spx_daily.csv", std::string("\x1F\x8B\x08\0\0\0", 6));
    EXPECT_EQ(packed.outcome, ParseOutcome::kRejected);
    EXPECT_THAT(packed.rejection, HasSubstr("gzip"));
}

TEST(MarketParsing, FindsTheHeaderBelowDisclaimers) {
    const MarketParse result = parse("spx_daily.csv",
                                     "A disclaimer, of some length\n\nAnother line\n"
                                     "Date,Open,High,Low,Close\n01/05/2026,6900,6921,6880,6912\n");
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("2026-01-05: Open=6900 High=6921 Low=6880 Close=6912"));
    EXPECT_THAT(result.notes, testing::Contains(HasSubstr("the header is on line 4")));
}

// A chart with the history of the index since the fifties, in seconds before and after 1970.
TEST(MarketParsing, ReadsHistoriesThatBeginBefore1970) {
    const MarketParse result = parse("spx_daily.csv",
                                     "time,open,high,low,close\n"
                                     "-126522000,63,63.5,62.8,63.2\n"
                                     "52581000,90,91,89,90.5\n"
                                     "152285400,70.1,71,69.4,70.6\n"
                                     "1767623400,6900,6921,6880,6912\n");
    EXPECT_EQ(result.outcome, ParseOutcome::kComplete) << result.rejection;
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("1965-12-28: Open=63 High=63.5 Low=62.8 Close=63.2",
                            "1971-09-01: Open=90 High=91 Low=89 Close=90.5",
                            "1974-10-29: Open=70.1 High=71 Low=69.4 Close=70.6",
                            "2026-01-05: Open=6900 High=6921 Low=6880 Close=6912"));
    EXPECT_THAT(result.notes, IsEmpty());
    const MarketParse dates =
        parse("spx_daily.csv", "date,Close\n1950-01-03,16.66\n12/31/1954,35.98\n");
    EXPECT_THAT(days("spx_daily.csv", dates.rows),
                ElementsAre("1950-01-03: Close=16.66", "1954-12-31: Close=35.98"));
}

TEST(MarketParsing, MergesTheBarsOfADay) {
    const MarketParse result = parse("spx_15min.csv",
                                     "time,open,high,low,close,P_0930,P_1545\n"
                                     "1710163800,5100,5112,5095,5110,5110,\n"
                                     "1710180000,5120,5140,5118,5130,5110,\n"
                                     "1710186900,5125,5126,5121,5122,5110,5123\n");
    EXPECT_THAT(days("spx_15min.csv", result.rows),
                ElementsAre("2024-03-11: open=5100 high=5140 low=5095 close=5122 P_0930=5110 "
                            "P_1545=5123"));
    EXPECT_THAT(result.issues, IsEmpty());
    EXPECT_EQ(result.rows_skipped, 0);
    EXPECT_EQ(result.rows_merged, 2);
    EXPECT_THAT(result.notes, ElementsAre(HasSubstr("3 bars make 1 day")));
    // In another order of the lines, and saved under the names of the other files.
    for (const std::string name : {"spx_daily.csv", "spx_highlow.csv", "vix_intraday.csv"}) {
        const MarketParse other = parse(name,
                                        "time,open,high,low,close\n"
                                        "1710186900,51.25,51.26,51.21,51.22\n"
                                        "1710163800,51.00,51.12,50.95,51.10\n"
                                        "1710180000,51.20,51.40,51.18,51.30\n");
        ASSERT_EQ(other.rows.dates.size(), 1U) << name;
        EXPECT_THAT(other.rows.values, ElementsAre(51, 51.4, 50.95, 51.22)) << name;
    }
}

// A futures chart: the evening before, the night and the day, in bars of half an hour.
TEST(MarketParsing, TheDayOfAnIndexIsItsRegularHours) {
    const std::string_view text =
        "time,open,high,low,close\n"
        "1767567600,6800,6990,6700,6801\n"   // Sunday 18:00
        "1767607200,6850,6860,6840,6855\n"   // Monday 05:00
        "1767621600,6855,6870,6850,6860\n"   // 09:00
        "1767623400,6900,6910,6890,6905\n"   // 09:30
        "1767645000,6905,6930,6880,6920\n"   // 15:30
        "1767648600,6920,6999,6600,6930\n";  // 16:30
    const MarketParse result = parse("spx_daily.csv", text);
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("2026-01-05: Open=6900 High=6930 Low=6880 Close=6920"));
    EXPECT_THAT(result.notes,
                testing::Contains(HasSubstr("4 bars outside of regular hours (09:30 to 16:15")));
    EXPECT_EQ(result.data_rows, 6);
    EXPECT_EQ(result.rows_skipped, 4);
    EXPECT_THAT(result.issues, IsEmpty());
    // The VIX: its own daily history counts the night.
    const MarketParse whole = parse("vix_intraday.csv",
                                    "time,open,high,low,close\n"
                                    "1767567600,15,16,14,15.5\n"
                                    "1767607200,15.5,18,15,17\n"
                                    "1767623400,17,17.5,13,14\n");
    EXPECT_THAT(days("vix_intraday.csv", whole.rows),
                ElementsAre("2026-01-05: open=15 high=18 low=13 close=14"));
}

TEST(MarketParsing, BarsThatSpanTheOpeningAreRefused) {
    const MarketParse result = parse("spx_daily.csv",
                                     "time,open,high,low,close\n"
                                     "1767618000,6850,6860,6840,6855\n"  // 08:00
                                     "1767621600,6855,6870,6850,6860\n"  // 09:00, an hour
                                     "1767625200,6900,6910,6890,6905\n");
    EXPECT_EQ(result.outcome, ParseOutcome::kRejected);
    EXPECT_THAT(result.rejection, HasSubstr("bars of 60 minutes"));
    EXPECT_THAT(result.rejection, HasSubstr("09:00 on line 3"));
    // The index itself in hours: from 09:30, 10:30, ... nothing spans anything.
    const MarketParse index = parse("spx_daily.csv",
                                    "time,open,high,low,close\n"
                                    "1767623400,6900,6910,6890,6905\n"
                                    "1767627000,6905,6930,6880,6920\n");
    EXPECT_THAT(days("spx_daily.csv", index.rows),
                ElementsAre("2026-01-05: Open=6900 High=6930 Low=6880 Close=6920"));
}

TEST(MarketParsing, ADayWhoseBeginningTheFileLacksIsLeftOut) {
    std::string text = "time,open,high,low,close\n1767637800,6905,6930,6880,6920\n";  // 13:30
    for (const std::int64_t opening : {1767709800, 1767796200}) {
        text += fmt::format("{},6900,6910,6890,6905\n{},6905,6930,6880,6920\n", opening,
                            opening + 3600);
    }
    const MarketParse result = parse("spx_daily.csv", text);
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("2026-01-06: Open=6900 High=6930 Low=6880 Close=6920",
                            "2026-01-07: Open=6900 High=6930 Low=6880 Close=6920"));
    EXPECT_THAT(result.notes,
                testing::Contains(HasSubstr("begins in the middle of 2026-01-05, at 13:30")));
}

// As a chart of futures gives its days: the evening of the day before.
TEST(MarketParsing, EveningBarsBelongToTheNextTradingDay) {
    const std::string rows[] = {",6800,6921,6780,6912\n", ",6912,6940,6900,6933\n",
                                ",6933,6950,6920,6940\n"};
    const auto daily = [&](const std::vector<std::string>& times) {
        std::string text = "time,open,high,low,close\n";
        for (std::size_t i = 0; i < times.size(); ++i) {
            text += times[i] + rows[i];
        }
        std::vector<std::string> dates;
        for (const Date date : parse("spx_daily.csv", text).rows.dates) {
            dates.push_back(date.to_iso());
        }
        return dates;
    };
    const auto expected = ElementsAre("2026-01-05", "2026-01-06", "2026-01-07");
    EXPECT_THAT(daily({"1767567600", "1767654000", "1767740400"}), expected);  // 18:00 New York
    EXPECT_THAT(daily({"1767571200", "1767657600", "1767744000"}), expected);  // midnight UTC
    EXPECT_THAT(daily({"2026-01-04T18:00:00-05:00", "2026-01-05T18:00:00-05:00",
                       "2026-01-06T18:00:00-05:00"}),
                expected);
    EXPECT_THAT(daily({"2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z"}),
                expected);
    EXPECT_THAT(daily({"2026-01-05T00:00:00+01:00", "2026-01-06T00:00:00+01:00",
                       "2026-01-07T00:00:00+01:00"}),
                expected);
    EXPECT_THAT(daily({"1767623400", "1767709800", "1767796200"}), expected);  // 09:30
    // Midnight UTC over a weekend and a holiday stays the written day.
    EXPECT_THAT(daily({"1768521600", "1768780800", "1768867200"}),
                ElementsAre("2026-01-16", "2026-01-19", "2026-01-20"));
}

TEST(MarketParsing, NotesHolidays) {
    const MarketParse result = parse("spx_daily.csv",
                                     "date,Close\n2026-01-16,6900\n2026-01-19,6900\n"
                                     "2026-01-20,6910\n2026-11-26,6920\n");
    EXPECT_EQ(result.rows.dates.size(), 4U);
    EXPECT_THAT(result.notes, ElementsAre(HasSubstr("2 of 4 days are holidays of the exchange "
                                                    "(2026-01-19, 2026-11-26)")));
    EXPECT_THAT(parse("treasury_rates.csv", "date,rate_percent\n2026-01-19,3.5\n").notes,
                IsEmpty());
}

TEST(MarketParsing, RefusesRowsWithoutPricesAndBrokenOnes) {
    for (const std::string name : {"spx_daily.csv", "vix_intraday.csv"}) {
        const MarketParse result = parse(name,
                                         "time,open,high,low,close\n"
                                         "2024-01-02,0,0,0,0\n"
                                         "2024-01-03,20,21,22,20.5\n"
                                         "2024-01-04,20,21,19,-1\n"
                                         "2024-01-05,20,21,19,20.5\n");
        EXPECT_EQ(result.outcome, ParseOutcome::kComplete) << result.rejection;
        ASSERT_EQ(result.rows.dates.size(), 1U) << name;
        EXPECT_EQ(result.rows.dates[0].to_iso(), "2024-01-05");
        EXPECT_THAT(reasons(result), ElementsAre("2 [2024-01-02] skipped", "3 [2024-01-03] skipped",
                                                 "4 [2024-01-04] skipped"));
        EXPECT_THAT(result.issues[0].reason, HasSubstr("0 or below"));
        EXPECT_THAT(result.issues[1].reason, HasSubstr("high is below the low"));
    }
    const MarketParse rates =
        parse("treasury_rates.csv", "date,rate_percent\n2020-03-25,-0.05\n2020-03-26,0\n");
    EXPECT_EQ(rates.rows.dates.size(), 2U) << "rates may be";
}

TEST(MarketParsing, APriceOfZeroBesideOthersIsNull) {
    const MarketParse result = parse("spx_15min.csv",
                                     "time,open,high,low,close,P_0930,Pct_0930_to_1000\n"
                                     "2024-01-02,4745,4754,4722,4742,0,0\n"
                                     "2024-01-03,,,,,0,0\n");
    EXPECT_THAT(days("spx_15min.csv", result.rows),
                ElementsAre("2024-01-02: open=4745 high=4754 low=4722 close=4742 P_0930=null "
                            "Pct_0930_to_1000=0"));
    EXPECT_THAT(reasons(result), ElementsAre("2 P_0930[0] repaired", "3 [2024-01-03] skipped"));
}

TEST(MarketParsing, KeepsAndNamesDaysWhoseOpenLiesOutsideOfTheirRange) {
    // As Cboe's own history has it.
    const MarketParse result = parse("vix_intraday.csv",
                                     "DATE,OPEN,HIGH,LOW,CLOSE\n"
                                     "01/02/1992,19.310000,19.300000,18.500000,18.600000\n"
                                     "01/03/1992,18.600000,18.600000,18.600000,18.600000\n");
    EXPECT_THAT(days("vix_intraday.csv", result.rows),
                ElementsAre("1992-01-02: open=19.31 high=19.3 low=18.5 close=18.6",
                            "1992-01-03: open=18.6 high=18.6 low=18.6 close=18.6"));
    EXPECT_THAT(result.notes,
                testing::Contains(HasSubstr("1 day has an open or close outside of low to high, "
                                            "stored as written (1992-01-02)")));
}

TEST(MarketParsing, NotesAFileUnderAnotherOnesName) {
    const std::string_view vix =
        "DATE,OPEN,HIGH,LOW,CLOSE\n"
        "01/05/2026,14.510000,15.020000,14.300000,14.900000\n"
        "01/06/2026,14.900000,15.100000,14.600000,14.750000\n";
    EXPECT_THAT(parse("spx_daily.csv", vix).notes,
                testing::Contains(HasSubstr("the closes are around 14.9")));
    EXPECT_THAT(parse("vix_intraday.csv", vix).notes,
                testing::Contains(HasSubstr("none of the columns for the course of the day "
                                            "(VIX_0930, ...)")));
    const std::string_view spy = "date,close\n2025-06-02,592\n2025-06-03,595\n";
    EXPECT_THAT(parse("spx_daily.csv", spy).notes, testing::Contains(HasSubstr("around 595")));
    EXPECT_THAT(parse("spx_daily.csv", "date,close\n2009-03-09,676.53\n2025-06-03,5970\n").notes,
                IsEmpty());
}

TEST(MarketParsing, DecidesTheOrderOfDatesByTheWholeFile) {
    const MarketParse result =
        parse("spx_daily.csv", "date,Close\n01/12/2025,6800\n15/12/2025,6810\n");
    EXPECT_THAT(days("spx_daily.csv", result.rows),
                ElementsAre("2025-12-01: Close=6800", "2025-12-15: Close=6810"));
    const MarketParse points = parse("spx_daily.csv", "date,Close\n01.12.2025,6800\n");
    EXPECT_THAT(days("spx_daily.csv", points.rows), ElementsAre("2025-12-01: Close=6800"));
    const MarketParse unsure = parse("spx_daily.csv", "date,Close\n02/12/2025,6800\n");
    EXPECT_THAT(days("spx_daily.csv", unsure.rows), ElementsAre("2025-02-12: Close=6800"));
    EXPECT_THAT(unsure.notes, ElementsAre(HasSubstr("dates read with the month first")));
    const MarketParse both =
        parse("spx_daily.csv", "date,Close\n13/12/2025,6800\n12/15/2025,6810\n");
    EXPECT_EQ(both.outcome, ParseOutcome::kRejected);
    const MarketParse commas = parse(
        "spx_daily.csv", "date;Open;Close\n2025-12-01;6.800,5;6810,25\n2025-12-02;6801;6811\n");
    EXPECT_THAT(
        days("spx_daily.csv", commas.rows),
        ElementsAre("2025-12-01: Open=6800.5 Close=6810.25", "2025-12-02: Open=6801 Close=6811"));
    EXPECT_THAT(commas.issues, IsEmpty()) << "said once for the file";
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
        RC_ASSERT((whole.has_value() && pieces.has_value()));
        RC_ASSERT(days("spx_daily.csv", whole->rows) == days("spx_daily.csv", pieces->rows));
        if (whole->outcome == ParseOutcome::kComplete) {
            RC_ASSERT(whole->data_rows == static_cast<std::int64_t>(whole->rows.dates.size()) +
                                              whole->rows_merged + whole->rows_skipped);
        }
    }));
}

}  // namespace
}  // namespace tb::market
