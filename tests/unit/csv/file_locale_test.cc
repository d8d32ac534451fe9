// What a file's cells prove together about its dates and numbers.
#include "csv/file_locale.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tb::csv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

FileLocale of_dates(const std::vector<std::string>& cells) {
    LocaleSurvey survey;
    std::int64_t line = 2;
    for (const std::string& cell : cells) {
        survey.see_date(cell, line++);
    }
    return survey.decide();
}

FileLocale of_numbers(const std::vector<std::string>& cells, char delimiter) {
    LocaleSurvey survey(delimiter);
    std::int64_t line = 2;
    for (const std::string& cell : cells) {
        survey.see_number(cell, line++);
    }
    return survey.decide();
}

TEST(FileLocale, OneDayBeyondTwelveMakesTheFileDayFirst) {
    const auto locale = of_dates({"01/12/2025", "15/12/2025"});
    EXPECT_EQ(locale.date_order, DateOrder::kDayFirst);
    EXPECT_THAT(locale.notes, ElementsAre("dates read with the day first, as line 3 proves"));
    EXPECT_EQ(locale.refusal, "");
}

TEST(FileLocale, PointsProveTheDayFirst) {
    EXPECT_EQ(of_dates({"01/12/2025", "02.12.2025"}).date_order, DateOrder::kDayFirst);
}

TEST(FileLocale, ProofOfTheMonthFirstNeedsNoNote) {
    const auto locale = of_dates({"01/12/2025", "12/15/2025", "2025-12-31"});
    EXPECT_EQ(locale.date_order, DateOrder::kMonthFirst);
    EXPECT_THAT(locale.notes, IsEmpty());
}

TEST(FileLocale, NoProofIsMonthFirstWithANoteIfDaysWouldDiffer) {
    const auto locale = of_dates({"05/05/2025", "01/12/2025", "03/12/2025"});
    EXPECT_EQ(locale.date_order, DateOrder::kMonthFirst);
    ASSERT_EQ(locale.notes.size(), 1U);
    EXPECT_THAT(locale.notes[0], HasSubstr("2 of them, first on line 3"));
    EXPECT_THAT(of_dates({"05/05/2025", "2025-12-01"}).notes, IsEmpty());
}

TEST(FileLocale, ProofBothWaysIsRefusedWithALineForEach) {
    const auto locale = of_dates({"01/12/2025", "15/12/2025", "12/16/2025"});
    EXPECT_THAT(locale.refusal, HasSubstr("line 3"));
    EXPECT_THAT(locale.refusal, HasSubstr("line 4"));
    EXPECT_NE(of_dates({"01.12.2025", "12/16/2025"}).refusal, "");
}

TEST(FileLocale, OneCommaDecidesForASemicolonFile) {
    EXPECT_EQ(of_numbers({"1,234", "12,5"}, ';').number_style, NumberStyle::kDecimalComma);
    EXPECT_EQ(of_numbers({"1,234", "12.5"}, ';').number_style, NumberStyle::kPoint);
    EXPECT_EQ(of_numbers({"1,234", "12"}, ';').number_style, NumberStyle::kUnsure);
    EXPECT_EQ(of_numbers({"1.234,56", "12"}, ';').number_style, NumberStyle::kDecimalComma);
    EXPECT_EQ(of_numbers({"1,234", "12,5"}, '\t').number_style, NumberStyle::kDecimalComma);
    EXPECT_EQ(of_numbers({"1,234", "12"}, '\t').number_style, NumberStyle::kPoint);
}

TEST(FileLocale, ProofOfBothDecimalSignsIsRefused) {
    const auto locale = of_numbers({"12,5", "1", "7.25"}, ';');
    EXPECT_THAT(locale.refusal, HasSubstr("'12,5' on line 2"));
    EXPECT_THAT(locale.refusal, HasSubstr("'7.25' on line 4"));
}

TEST(FileLocale, NumbersThatReadOneWayOnlyContradictNothing) {
    const auto locale = of_numbers({"1,234.5", "7.25", "1.234,56"}, ';');
    EXPECT_EQ(locale.number_style, NumberStyle::kPoint);
    EXPECT_EQ(locale.refusal, "");
}

TEST(FileLocale, InACommaFileASlipProvesNothing) {
    EXPECT_EQ(of_numbers({"12,5", "11"}, ',').number_style, NumberStyle::kPoint);
    EXPECT_EQ(of_numbers({"12,5", "7,25"}, ',').number_style, NumberStyle::kDecimalComma);
    const auto mixed = of_numbers({"12,5", "7,25", "7.25"}, ',');
    EXPECT_EQ(mixed.number_style, NumberStyle::kPoint);
    EXPECT_EQ(mixed.refusal, "");
}

TEST(FileLocale, ZonesAreToldOfOnce) {
    const auto mixed = of_dates({"2025-12-01T10:00:00-05:00", "2025-12-02T10:00:00"});
    ASSERT_EQ(mixed.notes.size(), 1U);
    EXPECT_THAT(mixed.notes[0], HasSubstr("1 times carry a time zone and 1 do not"));
    const auto berlin = of_dates({"2025-12-01T16:00:00+01:00", "2025-07-01T16:00:00+02:00"});
    ASSERT_EQ(berlin.notes.size(), 1U);
    EXPECT_THAT(berlin.notes[0], HasSubstr("UTC+01:00"));
    EXPECT_THAT(of_dates({"2025-12-01T10:00:00-05:00", "2025-07-01T10:00-0400"}).notes, IsEmpty());
}

TEST(FileLocale, TheOrderOfTheRowsDoesNotMatter) {
    EXPECT_TRUE(rc::check([] {
        auto cells = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
            "1/2/2025", "5/5/2025", "13/2/2025", "2/13/2025", "1.2.2025", "2025-01-02", "junk"));
        const auto there = of_dates(cells);
        std::reverse(cells.begin(), cells.end());
        const auto back = of_dates(cells);
        RC_ASSERT(there.date_order == back.date_order);
        RC_ASSERT(there.refusal.empty() == back.refusal.empty());
    }));
}

}  // namespace
}  // namespace tb::csv
