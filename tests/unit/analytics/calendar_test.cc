#include "analytics/calendar.h"

#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::day;

std::vector<std::string> closures(std::int32_t year) {
    std::vector<std::string> texts;
    for (const Date d : exchange_closures(year)) {
        texts.push_back(d.to_iso());
    }
    return texts;
}

TEST(ExchangeCalendar, YearsAsPublishedByTheExchange) {
    // Holiday schedules of the New York Stock Exchange.
    EXPECT_EQ(closures(2025),
              (std::vector<std::string>{"2025-01-01", "2025-01-09", "2025-01-20", "2025-02-17",
                                        "2025-04-18", "2025-05-26", "2025-06-19", "2025-07-04",
                                        "2025-09-01", "2025-11-27", "2025-12-25"}));
    EXPECT_EQ(closures(2021), (std::vector<std::string>{"2021-01-01", "2021-01-18", "2021-02-15",
                                                        "2021-04-02", "2021-05-31", "2021-07-05",
                                                        "2021-09-06", "2021-11-25", "2021-12-24"}));
    // 2022-01-01 was a Saturday: not moved to 2021-12-31.
    EXPECT_EQ(closures(2022), (std::vector<std::string>{"2022-01-17", "2022-02-21", "2022-04-15",
                                                        "2022-05-30", "2022-06-20", "2022-07-04",
                                                        "2022-09-05", "2022-11-24", "2022-12-26"}));
    EXPECT_EQ(closures(2023).front(), "2023-01-02");
}

TEST(ExchangeCalendar, SpecialClosuresAndJuneteenth) {
    EXPECT_FALSE(is_exchange_day(day("2018-12-05")));
    EXPECT_FALSE(is_exchange_day(day("2012-10-29")));
    EXPECT_FALSE(is_exchange_day(day("2001-09-14")));
    EXPECT_TRUE(is_exchange_day(day("2021-06-18")));  // observed only from 2022 on
    EXPECT_TRUE(is_exchange_day(day("2020-06-19")));
    EXPECT_FALSE(is_exchange_day(day("2024-06-19")));
    EXPECT_TRUE(is_exchange_day(day("2024-11-29")));   // an early close is an ordinary day
    EXPECT_FALSE(is_exchange_day(day("2024-11-30")));  // Saturday
}

TEST(ExchangeCalendar, EasterOfKnownYears) {
    EXPECT_EQ(easter_sunday(2000).to_iso(), "2000-04-23");
    EXPECT_EQ(easter_sunday(2008).to_iso(), "2008-03-23");
    EXPECT_EQ(easter_sunday(2024).to_iso(), "2024-03-31");
    EXPECT_EQ(easter_sunday(2038).to_iso(), "2038-04-25");
}

TEST(ExchangeCalendar, SweepAgreesWithSingleQueriesInAnyOrder) {
    ExchangeDays sweep;
    for (Date d = day("2030-12-31"); d >= day("2024-12-20"); d = d.plus_days(-1)) {
        ASSERT_EQ(sweep.contains(d), is_exchange_day(d)) << d.to_iso();
    }
    int open = 0;
    for (Date d = day("2024-01-01"); d <= day("2024-12-31"); d = d.plus_days(1)) {
        open += is_exchange_day(d) ? 1 : 0;
    }
    EXPECT_EQ(open, 252);
}

}  // namespace
}  // namespace tb::analytics
