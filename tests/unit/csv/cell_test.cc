// Every form of a number, date or time in one cell.
#include "csv/cell.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "core/number.h"

namespace tb::csv {
namespace {

constexpr auto kPoint = NumberStyle::kPoint;
constexpr auto kComma = NumberStyle::kDecimalComma;
constexpr auto kUnsure = NumberStyle::kUnsure;

void expect_number(std::string_view cell, double value, CellState state = CellState::kValue,
                   NumberStyle style = kPoint) {
    const auto got = parse_number(cell, style);
    EXPECT_EQ(got.state, state) << cell;
    EXPECT_EQ(got.value, value) << cell;
    EXPECT_EQ(got.note.empty(), state == CellState::kValue) << cell;
}

void expect_no_number(std::string_view cell, NumberStyle style = kPoint) {
    const auto got = parse_number(cell, style);
    EXPECT_EQ(got.state, CellState::kInvalid) << cell << " gave " << got.value;
    EXPECT_FALSE(got.note.empty()) << cell;
}

TEST(Number, CurrencyGroupingPercentAndBlanksAreCleanedWithoutANote) {
    expect_number("1,234.56", 1234.56);
    expect_number("$200.50", 200.5);
    expect_number("-$1,200.50", -1200.5);
    expect_number("$-7.25", -7.25);
    expect_number("12.5%", 12.5);
    expect_number(" 12.5 ", 12.5);
    expect_number(
        "\xC2\xA0"
        "12.75",
        12.75);
    expect_number("$ 1,234,567.8", 1234567.8);
    expect_number("+4", 4);
}

TEST(Number, PlainFormsOfParseFloatAreKept) {
    expect_number("1e3", 1000);
    expect_number("5.", 5);
    expect_number(".5", 0.5);
    expect_number("-0.25E-2", -0.0025);
    expect_number("-504.25115999999997", -504.25115999999997);
    expect_number("$1.5e3", 1500);
}

TEST(Number, ParenthesesAndTheMinusSignAreNegative) {
    expect_number("(200.50)", -200.5);
    expect_number("($1,200.25)", -1200.25);
    expect_number(
        "\xE2\x88\x92"
        "3.5",
        -3.5);
    expect_number(
        "-\x24"
        "9",
        -9);
    expect_no_number("(-200.50)");
    expect_no_number("(200.50");
    expect_no_number("()");
}

TEST(Number, SpreadsheetsDressNumbersInManyWays) {
    expect_number("$(20.00)", -20);
    expect_number(" $ (50.50)", -50.5);
    expect_number("($ 50.50)", -50.5);
    expect_number("(50.50 $)", -50.5);
    expect_number(" $ -   ", 0);
    expect_number("-   \xE2\x82\xAC", 0);
    expect_number("200.50$", 200.5);
    expect_number(" -110.7 \xE2\x82\xAC", -110.7);
    expect_number("\xE2\x82\xAC-110.7", -110.7);
    expect_number("USD 1,250.25", 1250.25);
    expect_number("1,250.25 CHF", 1250.25);
    expect_number("(5%)", -5);
    expect_number("(5)%", -5);
    expect_number("39,30 $", 39.3, CellState::kRepaired, kComma);
    expect_number("-1.250,5 \xE2\x82\xAC", -1250.5, CellState::kRepaired, kComma);
    expect_no_number("39,30 $");
}

TEST(Number, BlanksAndApostrophesGroup) {
    for (const std::string blank :
         {" ", "\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89", "'", "\xE2\x80\x99"}) {
        expect_number("1" + blank + "234.56", 1234.56);
        expect_number("-1" + blank + "234" + blank + "567", -1234567);
        expect_number("1" + blank + "234", 1234, CellState::kValue, kComma);
        expect_number("1" + blank + "234,56", 1234.56, CellState::kRepaired);
        expect_number("1" + blank + "234,56", 1234.56, CellState::kRepaired, kComma);
        expect_number("1" + blank + "234,5", 1234.5, CellState::kRepaired, kUnsure);
        expect_no_number("1" + blank + "234.56", kComma);
        expect_no_number("1" + blank + "23");
        expect_no_number("1" + blank + "2345");
        expect_no_number("1" + blank + blank + "234");
        expect_no_number("1,234" + blank + "567");
        EXPECT_EQ(number_evidence("1" + blank + "234,56"), kComma);
        EXPECT_EQ(number_evidence("1" + blank + "234.5"), kPoint);
        EXPECT_EQ(number_evidence("1" + blank + "234"), std::nullopt);
    }
}

TEST(Number, SelfEvidentNumbersHaveBothSigns) {
    for (const auto* cell : {"1.234,56", "1,234.5", "1'234.5", "1 234,5", "$(1.234,5)"}) {
        EXPECT_TRUE(is_self_evident_number(cell)) << cell;
    }
    for (const auto* cell : {"12,5", "12.5", "1'234", "1,234", "12", "abc", ""}) {
        EXPECT_FALSE(is_self_evident_number(cell)) << cell;
    }
}

TEST(Number, EuropeanShapeIsReadWithANote) {
    expect_number("1.234,56", 1234.56, CellState::kRepaired);
    expect_number("-1.234.567,8", -1234567.8, CellState::kRepaired);
    expect_number("($1.234,56)", -1234.56, CellState::kRepaired);
}

TEST(Number, NonFiniteHexJunkAndWordsAreNotNumbers) {
    for (const auto* cell : {"Infinity",
                             "-Infinity",
                             "inf",
                             "NaN",
                             "nan",
                             "1e309",
                             "-1e309",
                             "0x10",
                             "1_000",
                             "12abc",
                             "N/A",
                             "abc",
                             "--5",
                             "-",
                             "$",
                             "%",
                             ".",
                             ",",
                             "1 00",
                             "1 000'000",
                             "$5$",
                             "5 CHF EUR",
                             "$(-5)",
                             "-(5)",
                             "((5))",
                             "5%%",
                             "-",
                             "- -",
                             "5-",
                             "1e",
                             "1e+",
                             "1.2.3",
                             "\xE2\x80\x93"
                             "5"}) {
        expect_no_number(cell);
    }
}

TEST(Number, CommasThatDoNotGroupByThreesAreNotNumbers) {
    for (const auto* cell : {"12,5", "1,23", "1234,567", "1,2345", ",123", "1,,234", "1,234,5",
                             "1.234,567.8", "12,34,567"}) {
        expect_no_number(cell);
    }
}

TEST(Number, BlanksAroundVeryLongNumbersChangeNothing) {
    const std::string digits(500, '6');
    EXPECT_EQ(parse_number("0." + digits).value, parse_number(" 0." + digits + "\t").value);
    EXPECT_EQ(parse_number(" 0." + digits).state, CellState::kValue);
}

TEST(Number, EmptyCellsAreEmpty) {
    EXPECT_EQ(parse_number("").state, CellState::kEmpty);
    EXPECT_EQ(parse_number("  \t").state, CellState::kEmpty);
}

TEST(Number, DecimalCommaFilesReadCommasWithANoteAndRefusePoints) {
    expect_number("12,5", 12.5, CellState::kRepaired, kComma);
    expect_number("1.234,56", 1234.56, CellState::kRepaired, kComma);
    expect_number("1.234", 1234, CellState::kRepaired, kComma);
    expect_number("-1234", -1234, CellState::kValue, kComma);
    expect_no_number("12.5", kComma);
    expect_no_number("1,234.56", kComma);
}

TEST(Number, AmbiguousSeparatorsInAnUndecidedFileAreNoted) {
    expect_number("1,234", 1234, CellState::kRepaired, kUnsure);
    expect_number("1.234", 1.234, CellState::kRepaired, kUnsure);
    expect_number("12.5", 12.5, CellState::kValue, kUnsure);
    expect_number("1234", 1234, CellState::kValue, kUnsure);
}

TEST(Number, EvidenceTellsPointFromComma) {
    EXPECT_EQ(number_evidence("12,5"), kComma);
    EXPECT_EQ(number_evidence("1.234,56"), kComma);
    EXPECT_EQ(number_evidence("-$12.5"), kPoint);
    EXPECT_EQ(number_evidence("1,234.56"), kPoint);
    EXPECT_EQ(number_evidence("1,234"), std::nullopt);
    EXPECT_EQ(number_evidence("1.234"), std::nullopt);
    EXPECT_EQ(number_evidence("12"), std::nullopt);
    EXPECT_EQ(number_evidence("abc"), std::nullopt);
    EXPECT_EQ(number_evidence(""), std::nullopt);
}

std::string render(double value) {
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
    return {buffer, end};
}

TEST(Number, ReadsBackEveryRenderedDouble) {
    EXPECT_TRUE(rc::check([] {
        const auto bits = *rc::gen::arbitrary<std::uint64_t>();
        double value = 0;
        std::memcpy(&value, &bits, sizeof(value));
        RC_PRE(std::isfinite(value));
        RC_ASSERT(parse_number(render(value)).value == value);
    }));
}

TEST(Number, ShortDecimalsAgreeWithFromChars) {
    EXPECT_TRUE(rc::check([] {
        const auto digits = *rc::gen::container<std::string>(rc::gen::inRange('0', ':'));
        const auto fraction = *rc::gen::container<std::string>(rc::gen::inRange('0', ':'));
        const std::string text = *rc::gen::element<std::string>("", "-") + digits + "." + fraction;
        double expected = 0;
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), expected);
        const auto got = parse_double(text);
        RC_ASSERT(got.has_value() ==
                  (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()));
        RC_ASSERT(got.value_or(expected) == expected);
    }));
}

TEST(Number, CleaningAgreesWithFromCharsOnTheCleanedText) {
    EXPECT_TRUE(rc::check([] {
        const auto whole = *rc::gen::inRange<std::int64_t>(0, 999'999'999'999);
        const auto cents = *rc::gen::inRange(0, 100);
        std::string grouped = std::to_string(whole);
        for (auto at = static_cast<std::ptrdiff_t>(grouped.size()) - 3; at > 0; at -= 3) {
            grouped.insert(static_cast<std::size_t>(at), ",");
        }
        const std::string decimals =
            "." + std::string(cents < 10 ? "0" : "") + std::to_string(cents);
        double expected = 0;
        const std::string plain = std::to_string(whole) + decimals;
        std::from_chars(plain.data(), plain.data() + plain.size(), expected);
        RC_ASSERT(parse_number("$" + grouped + decimals).value == expected);
        RC_ASSERT(parse_number("(" + grouped + decimals + ")").value == -expected);
    }));
}

void expect_contracts(std::string_view cell, std::int32_t count,
                      CellState state = CellState::kValue) {
    const auto got = parse_contracts(cell);
    EXPECT_EQ(got.state, state) << cell;
    EXPECT_EQ(got.value, count) << cell;
}

TEST(Contracts, WholeNumbersAreKeptAndEmptyIsOneNoted) {
    expect_contracts("3", 3);
    expect_contracts("1,500", 1500);
    expect_contracts("2147483647", 2147483647);
    expect_contracts("4.0", 4);
    expect_contracts("", 1, CellState::kRepaired);
}

TEST(Contracts, FractionsAreRoundedHalfUpAndNoted) {
    expect_contracts("2.5", 3, CellState::kRepaired);
    expect_contracts("3.5", 4, CellState::kRepaired);
    expect_contracts("2.4", 2, CellState::kRepaired);
    expect_contracts("0.5", 1, CellState::kRepaired);
}

TEST(Contracts, ImpossibleCountsAreInvalid) {
    for (const auto* cell : {"0", "-2", "0.4", "2147483648", "2147483647.5", "1e12", "abc", "2x"}) {
        const auto got = parse_contracts(cell);
        EXPECT_EQ(got.state, CellState::kInvalid) << cell;
        EXPECT_FALSE(got.note.empty());
    }
}

void expect_date(std::string_view cell, const char* iso, const char* time = nullptr,
                 CellState state = CellState::kValue) {
    const auto got = parse_date(cell);
    ASSERT_EQ(got.state, state) << cell;
    EXPECT_EQ(got.value.date.to_iso(), iso) << cell;
    ASSERT_EQ(got.value.time.has_value(), time != nullptr) << cell;
    if (time != nullptr) {
        EXPECT_EQ(got.value.time->to_iso(), time) << cell;
    }
}

void expect_no_date(std::string_view cell) {
    const auto got = parse_date(cell);
    EXPECT_EQ(got.state, CellState::kInvalid) << cell << " gave " << got.value.date.to_iso();
    EXPECT_FALSE(got.note.empty());
}

TEST(DateCell, IsoFormsWithOneOrTwoDigitsAreRead) {
    expect_date("2024-01-02", "2024-01-02");
    expect_date("2024-1-2", "2024-01-02");
    expect_date("2024/1/12", "2024-01-12");
    expect_date(" 2024-03-04 ", "2024-03-04");
}

TEST(DateCell, UsFormsAreMonthFirst) {
    expect_date("1/2/2024", "2024-01-02");
    expect_date("12-25-2024", "2024-12-25");
    expect_date("12/31/24", "2024-12-31");
    expect_no_date("25/12/2024");
}

void expect_day_first(std::string_view cell, const char* iso, DateEvidence evidence) {
    const auto got = parse_date(cell, DateOrder::kDayFirst);
    EXPECT_EQ(got.state, CellState::kValue) << cell;
    EXPECT_EQ(got.value.date.to_iso(), iso) << cell;
    EXPECT_EQ(got.value.evidence, evidence) << cell;
    EXPECT_EQ(parse_date(cell).value.evidence, evidence) << cell;
}

TEST(DateCell, DayFirstFormsAreReadWhereTheFileIsDayFirst) {
    expect_day_first("01/12/2025", "2025-12-01", DateEvidence::kAmbiguous);
    expect_day_first("15/12/2025", "2025-12-15", DateEvidence::kDayFirst);
    expect_day_first("15-12-2025", "2025-12-15", DateEvidence::kDayFirst);
    expect_day_first("1/12/25", "2025-12-01", DateEvidence::kAmbiguous);
    expect_day_first("31/12/25 09:45:00", "2025-12-31", DateEvidence::kDayFirst);
    expect_day_first("5/5/2025", "2025-05-05", DateEvidence::kNone);
    expect_day_first("2025-12-01", "2025-12-01", DateEvidence::kNone);
    expect_day_first("2025/12/01", "2025-12-01", DateEvidence::kNone);
    expect_day_first("Dec 1, 2025", "2025-12-01", DateEvidence::kNone);
    const auto us = parse_date("12/15/2025", DateOrder::kDayFirst);
    EXPECT_EQ(us.state, CellState::kInvalid);
    EXPECT_EQ(us.value.evidence, DateEvidence::kMonthFirst);
    for (const auto* cell : {"30/02/2025", "31/04/2025", "13/13/2025", "1/2/1889", "junk", ""}) {
        EXPECT_EQ(parse_date(cell).value.evidence, DateEvidence::kNone) << cell;
    }
    // Perhaps a year in front: nothing that decides for a file.
    EXPECT_EQ(parse_date("24-01-02").value.evidence, DateEvidence::kNone);
}

TEST(DateCell, PointsAlwaysMeanTheDayFirst) {
    for (const DateOrder order : {DateOrder::kMonthFirst, DateOrder::kDayFirst}) {
        EXPECT_EQ(parse_date("01.12.2025", order).value.date.to_iso(), "2025-12-01");
        EXPECT_EQ(parse_date("1.12.25", order).value.date.to_iso(), "2025-12-01");
        EXPECT_EQ(parse_date("01.12.2025 09:45", order).value.evidence, DateEvidence::kDayFirst);
        EXPECT_EQ(parse_date("5.5.2025", order).value.evidence, DateEvidence::kDayFirst);
        EXPECT_EQ(parse_date("12.25.2025", order).state, CellState::kInvalid);
        EXPECT_EQ(parse_date("2025.12.01", order).value.date.to_iso(), "2025-12-01");
    }
}

TEST(DateCell, OrderOnlyChangesWhatIsAmbiguous) {
    EXPECT_TRUE(rc::check([] {
        const auto a = *rc::gen::inRange(0, 35);
        const auto b = *rc::gen::inRange(0, 35);
        const auto sign = *rc::gen::element<std::string>("/", "-");
        const std::string cell = std::to_string(a) + sign + std::to_string(b) + sign + "2025";
        const auto month_first = parse_date(cell);
        const auto day_first = parse_date(cell, DateOrder::kDayFirst);
        const auto evidence = month_first.value.evidence;
        RC_ASSERT(day_first.value.evidence == evidence);
        RC_ASSERT((evidence == DateEvidence::kMonthFirst) ==
                  (month_first.has_value() && !day_first.has_value()));
        RC_ASSERT((evidence == DateEvidence::kDayFirst) ==
                  (!month_first.has_value() && day_first.has_value()));
        RC_ASSERT((evidence == DateEvidence::kAmbiguous) ==
                  (month_first.has_value() && day_first.has_value() && a != b));
    }));
}

TEST(DateCell, TwoDigitYearsTurnAtSeventy) {
    expect_date("1/2/24", "2024-01-02");
    expect_date("1/2/69", "2069-01-02");
    expect_date("1/2/99", "1999-01-02");
    expect_no_date("1/2/70");  // 1970, before 1990
}

TEST(DateCell, NamedMonthsAreRead) {
    expect_date("Jan 2, 2024", "2024-01-02");
    expect_date("january 12 2024", "2024-01-12");
    expect_date("SEPT. 3, 2024", "2024-09-03");
    expect_no_date("Ja 2, 2024");
    expect_no_date("Foo 2, 2024");
    expect_no_date("Jan 2, 24");
    expect_date("2 Jan 2024", "2024-01-02");
    expect_date("02-Jan-2024", "2024-01-02");
    expect_date("2-jan-24 9:35 PM", "2024-01-02", "21:35:00");
    expect_date("2/Jan/2024", "2024-01-02");
    expect_no_date("32 Jan 2024");
    expect_no_date("2 Jan 24");
    expect_no_date("2024 Jan 2");
}

TEST(DateCell, IsoTimestampsOfAnyFractionKeepTheWallTimeTruncated) {
    expect_date("2024-01-02T10:23:59.1059999", "2024-01-02", "10:23:59");
    expect_date("2024-01-02 10:23:59", "2024-01-02", "10:23:59");
    expect_date("2024-01-02T10:23", "2024-01-02", "10:23:00");
    expect_date("1/2/2024 9:35 PM", "2024-01-02", "21:35:00");
    EXPECT_EQ(parse_date("2024-01-02T10:23:59.10540").value.fraction, "10540");
    EXPECT_EQ(parse_date("2024-01-02T10:23:59").value.fraction, "");
    EXPECT_EQ(parse_date("2024-01-02T10:23:59-05:00").value.offset_minutes, -300);
    EXPECT_EQ(parse_date("2024-01-02T10:23:59+0530").value.offset_minutes, 330);
    EXPECT_EQ(parse_date("2024-01-02T10:23:59Z").value.offset_minutes, 0);
    EXPECT_EQ(parse_date("2024-01-02T10:23:59").value.offset_minutes, std::nullopt);
}

TEST(DateCell, OffsetsAreDroppedTheWallClockKeptAndNoted) {
    for (const auto* cell :
         {"2024-01-02T23:23:59.10540Z", "2024-01-02T23:23:59+05:30", "2024-01-02T23:23:59-0500",
          "2024-01-02 23:23:59+09", "2024-01-02T23:23:59 Z"}) {
        expect_date(cell, "2024-01-02", "23:23:59", CellState::kRepaired);
    }
    expect_no_date("2024-01-02T23:23:59+5");
    expect_no_date("2024-01-02T23:23:59Zulu");
}

TEST(DateCell, CalendarIsStrict) {
    for (const auto* cell : {"2024-02-30", "2024-13-45", "2023-02-29", "2024-00-10", "2024-10-00",
                             "2/30/2024", "Feb 30, 2024"}) {
        expect_no_date(cell);
    }
    expect_date("2024-02-29", "2024-02-29");
}

TEST(DateCell, OnlyTheYears1990To2100) {
    expect_date("1990-01-01", "1990-01-01");
    expect_date("2100-12-31", "2100-12-31");
    for (const auto* cell : {"1989-12-31", "2101-01-01", "0001-02-24", "1/2/1989"}) {
        expect_no_date(cell);
    }
}

TEST(DateCell, SerialsWordsAndTrailingTextAreNotDates) {
    for (const auto* cell :
         {"45293", "Trade 12", "Total", "2024-01-02 abc", "2024-01-02T25:00:00", "2024-01-021",
          "2024-01", "2024-01-02T", "02.01", "1.2", "2024-01/02", "20240102", "1/2/024", "--"}) {
        expect_no_date(cell);
    }
    EXPECT_EQ(parse_date("").state, CellState::kEmpty);
}

TEST(DateCell, EveryDayReadsBackInEveryForm) {
    const Date first = *Date::from_ymd(1990, 1, 1);
    const Date last = *Date::from_ymd(2100, 12, 31);
    for (Date day = first; day <= last; day = day.plus_days(1)) {
        const auto [year, month, dom] = day.ymd();
        const std::string us =
            std::to_string(month) + "/" + std::to_string(dom) + "/" + std::to_string(year);
        ASSERT_EQ(parse_date(day.to_iso()).value.date, day);
        ASSERT_EQ(parse_date(us).value.date, day);
        ASSERT_EQ(parse_date(day.to_iso() + "T09:30:00.5Z").value.date, day);
    }
}

void expect_time(std::string_view cell, const char* iso) {
    const auto got = parse_time(cell);
    ASSERT_EQ(got.state, CellState::kValue) << cell;
    EXPECT_EQ(got.value.to_iso(), iso) << cell;
}

TEST(TimeCell, AllFormsBecomeHoursMinutesSeconds) {
    expect_time("9:35 AM", "09:35:00");
    expect_time("9:35", "09:35:00");
    expect_time("09:35:00.1", "09:35:00");
    expect_time("12:00 AM", "00:00:00");
    expect_time("12:05pm", "12:05:00");
    expect_time("1:02:03 PM", "13:02:03");
    expect_time("23:59:59", "23:59:59");
}

TEST(TimeCell, NonsenseIsInvalid) {
    for (const auto* cell : {"25:99:00", "noon", "24:00:00", "9:5", "935", "13:00 PM", "0:30 AM",
                             "09:35:60", "09:35:", "09:35:00.", "9:35 XM", "-9:35"}) {
        EXPECT_EQ(parse_time(cell).state, CellState::kInvalid) << cell;
    }
    EXPECT_EQ(parse_time("").state, CellState::kEmpty);
}

TEST(TimeCell, EverySecondReadsBack) {
    for (std::int32_t second = 0; second < 86400; ++second) {
        ASSERT_EQ(parse_time(TimeOfDay(second).to_iso()).value.seconds(), second);
    }
}

}  // namespace
}  // namespace tb::csv
