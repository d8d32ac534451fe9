#include "core/date.h"

#include <gtest/gtest.h>

namespace tb {
namespace {

TEST(Date, RoundTripsEveryDayOfTwoCenturies) {
    for (std::int32_t day = -36'525; day < 36'525; ++day) {
        const Date date(day);
        const auto parsed = Date::from_iso(date.to_iso());
        ASSERT_TRUE(parsed.has_value()) << date.to_iso();
        ASSERT_EQ(parsed->days(), day);
    }
}

TEST(Date, RefusesDaysThatDoNotExist) {
    EXPECT_FALSE(Date::from_iso("2024-02-30"));
    EXPECT_FALSE(Date::from_iso("2023-02-29"));
    EXPECT_FALSE(Date::from_iso("2024-13-01"));
    EXPECT_FALSE(Date::from_iso("2024-1-02"));
    EXPECT_TRUE(Date::from_iso("2024-02-29"));
}

TEST(Date, WeekdayStartsOnMonday) {
    EXPECT_EQ(Date::from_iso("1970-01-01")->weekday(), 3);
    EXPECT_EQ(Date::from_iso("2024-01-01")->weekday(), 0);
    EXPECT_EQ(Date::from_iso("1969-12-28")->weekday(), 6);
}

// Dates and weeks from ISO 8601's own corner cases.
TEST(Date, IsoWeekBelongsToTheYearOfItsThursday) {
    EXPECT_EQ(Date::from_iso("2024-12-31")->iso_week(), (IsoWeek{2025, 1}));
    EXPECT_EQ(Date::from_iso("2021-01-03")->iso_week(), (IsoWeek{2020, 53}));
    EXPECT_EQ(Date::from_iso("2021-01-04")->iso_week(), (IsoWeek{2021, 1}));
}

TEST(TimeOfDay, ReadsAndWritesWallClock) {
    EXPECT_EQ(TimeOfDay::from_iso("09:35:07")->seconds(), 34'507);
    EXPECT_EQ(TimeOfDay(34'507).to_iso(), "09:35:07");
    EXPECT_FALSE(TimeOfDay::from_iso("24:00:00"));
}

}  // namespace
}  // namespace tb
