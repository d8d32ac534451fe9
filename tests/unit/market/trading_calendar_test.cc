#include "market/trading_calendar.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tb::market {
namespace {

using testing::ElementsAre;

std::vector<std::string> holidays_of(int year) {
    std::vector<std::string> days;
    for (Date day = *Date::from_ymd(year, 1, 1); day.ymd().year == year; day = day.plus_days(1)) {
        if (!holiday_name(day).empty()) {
            days.push_back(day.to_iso());
        }
    }
    return days;
}

// The exchange's published calendars of these years.
TEST(TradingCalendar, HasTheHolidaysOfThePublishedCalendars) {
    EXPECT_THAT(holidays_of(2026),
                ElementsAre("2026-01-01", "2026-01-19", "2026-02-16", "2026-04-03", "2026-05-25",
                            "2026-06-19", "2026-07-03", "2026-09-07", "2026-11-26", "2026-12-25"));
    EXPECT_THAT(holidays_of(2025),
                ElementsAre("2025-01-01", "2025-01-09", "2025-01-20", "2025-02-17", "2025-04-18",
                            "2025-05-26", "2025-06-19", "2025-07-04", "2025-09-01", "2025-11-27",
                            "2025-12-25"));
    // New Year's Day on a Saturday is not kept; Juneteenth and Christmas on a Sunday are, after it.
    EXPECT_THAT(holidays_of(2022),
                ElementsAre("2022-01-17", "2022-02-21", "2022-04-15", "2022-05-30", "2022-06-20",
                            "2022-07-04", "2022-09-05", "2022-11-24", "2022-12-26"));
    EXPECT_THAT(holidays_of(1997),
                ElementsAre("1997-01-01", "1997-02-17", "1997-03-28", "1997-05-26", "1997-07-04",
                            "1997-09-01", "1997-11-27", "1997-12-25"));
    EXPECT_EQ(holidays_of(2001).size(), 13U) << "nine by the rules, four in September";
}

TEST(TradingCalendar, NextTradingDaySkipsWeekendsAndHolidays) {
    EXPECT_EQ(next_trading_day(*Date::from_iso("2026-01-05")).to_iso(), "2026-01-06");
    EXPECT_EQ(next_trading_day(*Date::from_iso("2026-01-02")).to_iso(), "2026-01-05");
    EXPECT_EQ(next_trading_day(*Date::from_iso("2026-01-04")).to_iso(), "2026-01-05");
    EXPECT_EQ(next_trading_day(*Date::from_iso("2026-01-16")).to_iso(), "2026-01-20");
    EXPECT_EQ(next_trading_day(*Date::from_iso("2026-07-02")).to_iso(), "2026-07-06");
    EXPECT_TRUE(is_trading_day(*Date::from_iso("2026-11-27"))) << "a half day";
    EXPECT_TRUE(is_trading_day(*Date::from_iso("1989-12-25"))) << "not known before 1990";
}

}  // namespace
}  // namespace tb::market
