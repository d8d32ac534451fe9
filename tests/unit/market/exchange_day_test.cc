#include "market/exchange_day.h"

#include <array>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "core/date.h"

namespace tb::market {
namespace {

// Every instant at which New York changed its clocks from 1918 to 2037, as the IANA time zone
// database (2024a) has them: an independent second source for the rules built in.
constexpr std::array<std::int64_t, 234> kTransitions{
    -1633280400, -1615140000, -1601830800, -1583690400, -1570381200, -1551636000, -1536512400,
    -1523210400, -1504458000, -1491760800, -1473008400, -1459706400, -1441558800, -1428256800,
    -1410109200, -1396807200, -1378659600, -1365357600, -1347210000, -1333908000, -1315155600,
    -1301853600, -1283706000, -1270404000, -1252256400, -1238954400, -1220806800, -1207504800,
    -1189357200, -1176055200, -1157302800, -1144605600, -1125853200, -1112551200, -1094403600,
    -1081101600, -1062954000, -1049652000, -1031504400, -1018202400, -1000054800, -986752800,
    -968000400,  -955303200,  -936550800,  -923248800,  -905101200,  -891799200,  -880218000,
    -765396000,  -747248400,  -733946400,  -715798800,  -702496800,  -684349200,  -671047200,
    -652899600,  -639597600,  -620845200,  -608148000,  -589395600,  -576093600,  -557946000,
    -544644000,  -526496400,  -513194400,  -495046800,  -481744800,  -463597200,  -447271200,
    -431542800,  -415821600,  -400093200,  -384372000,  -368643600,  -352922400,  -337194000,
    -321472800,  -305744400,  -289418400,  -273690000,  -257968800,  -242240400,  -226519200,
    -210790800,  -195069600,  -179341200,  -163620000,  -147891600,  -131565600,  -116442000,
    -100116000,  -84387600,   -68666400,   -52938000,   -37216800,   -21488400,   -5767200,
    9961200,     25682400,    41410800,    57736800,    73465200,    89186400,    104914800,
    120636000,   126687600,   152085600,   162370800,   183535200,   199263600,   215589600,
    230713200,   247039200,   262767600,   278488800,   294217200,   309938400,   325666800,
    341388000,   357116400,   372837600,   388566000,   404892000,   420015600,   436341600,
    452070000,   467791200,   483519600,   499240800,   514969200,   530690400,   544604400,
    562140000,   576054000,   594194400,   607503600,   625644000,   638953200,   657093600,
    671007600,   688543200,   702457200,   719992800,   733906800,   752047200,   765356400,
    783496800,   796806000,   814946400,   828860400,   846396000,   860310000,   877845600,
    891759600,   909295200,   923209200,   941349600,   954658800,   972799200,   986108400,
    1004248800,  1018162800,  1035698400,  1049612400,  1067148000,  1081062000,  1099202400,
    1112511600,  1130652000,  1143961200,  1162101600,  1173596400,  1194156000,  1205046000,
    1225605600,  1236495600,  1257055200,  1268550000,  1289109600,  1299999600,  1320559200,
    1331449200,  1352008800,  1362898800,  1383458400,  1394348400,  1414908000,  1425798000,
    1446357600,  1457852400,  1478412000,  1489302000,  1509861600,  1520751600,  1541311200,
    1552201200,  1572760800,  1583650800,  1604210400,  1615705200,  1636264800,  1647154800,
    1667714400,  1678604400,  1699164000,  1710054000,  1730613600,  1741503600,  1762063200,
    1772953200,  1793512800,  1805007600,  1825567200,  1836457200,  1857016800,  1867906800,
    1888466400,  1899356400,  1919916000,  1930806000,  1951365600,  1962860400,  1983420000,
    1994310000,  2014869600,  2025759600,  2046319200,  2057209200,  2077768800,  2088658800,
    2109218400,  2120108400,  2140668000,
};

std::string day_of(std::string_view cell) {
    const MarketTime time = parse_market_time(cell);
    return time.day ? time.day->to_iso() : "none: " + std::string(time.problem);
}

TEST(NewYorkDay, ChangesItsOffsetExactlyWhenTheZoneDatabaseSays) {
    bool daylight = true;
    for (const std::int64_t instant : kTransitions) {
        EXPECT_EQ(new_york_lag_seconds(instant - 1), daylight ? 18000 : 14400) << instant;
        EXPECT_EQ(new_york_lag_seconds(instant), daylight ? 14400 : 18000) << instant;
        daylight = !daylight;
    }
}

TEST(NewYorkDay, KeepsItsOffsetBetweenTwoTransitions) {
    EXPECT_TRUE(rc::check("offset depends only on the half-year", [] {
        const auto index = *rc::gen::inRange<std::size_t>(0, kTransitions.size() - 1);
        const auto instant =
            *rc::gen::inRange<std::int64_t>(kTransitions[index], kTransitions[index + 1]);
        RC_ASSERT(new_york_lag_seconds(instant) == (index % 2 == 0 ? 14400 : 18000));
    }));
}

TEST(NewYorkDay, BeginsAtMidnightOfNewYork) {
    // 2024-01-03 05:00:00 UTC is midnight in winter, 2024-07-03 04:00:00 UTC in summer.
    EXPECT_EQ(new_york_day(1704258000).to_iso(), "2024-01-03");
    EXPECT_EQ(new_york_day(1704257999).to_iso(), "2024-01-02");
    EXPECT_EQ(new_york_day(1719979200).to_iso(), "2024-07-03");
    EXPECT_EQ(new_york_day(1719979199).to_iso(), "2024-07-02");
}

TEST(MarketTime, ReadsUnixSecondsAsNewYorkDays) {
    EXPECT_EQ(day_of("1704205800"), "2024-01-02");  // 09:30 EST
    EXPECT_EQ(day_of("1704205800.0"), "2024-01-02");
    EXPECT_EQ(day_of("1710163800"), "2024-03-11");  // 09:30 EDT, first day after the change
    EXPECT_EQ(day_of("1704240000"), "2024-01-02");  // midnight UTC of the 3rd: evening before
}

TEST(MarketTime, ReadsUnixSecondsBefore1990) {
    EXPECT_EQ(day_of("-126522000"), "1965-12-28");  // 10:00 EST
    EXPECT_EQ(day_of("152285400"), "1974-10-29");   // 08:30 EST, winter again
    EXPECT_EQ(day_of("-1704205800"), "1915-12-31");
    TimeFormat format;
    format.unit = UnixUnit::kSeconds;
    EXPECT_FALSE(parse_market_time("52581000", format).day.has_value());
    format.long_history = true;
    EXPECT_EQ(parse_market_time("52581000", format).day->to_iso(), "1971-09-01");
}

TEST(MarketTime, UnitOfNumbersIsDecidedByAllOfThem) {
    TimeSurvey survey;
    survey.see("1704205800");
    survey.see("1704205800000");
    TimeFormat format = survey.decide(csv::DateOrder::kMonthFirst);
    EXPECT_EQ(format.unit, UnixUnit::kMilliseconds);
    EXPECT_TRUE(parse_market_time("1704205800000", format).day.has_value());
    EXPECT_FALSE(parse_market_time("1704205800", format).day.has_value())
        << "seconds among milliseconds, not a day of January 1970";
    survey.see("31536000000");  // 1971: a history in milliseconds
    format = survey.decide(csv::DateOrder::kMonthFirst);
    EXPECT_EQ(parse_market_time("1704205800", format).day->to_iso(), "1970-01-20");
    for (const char* const cell : {"1704205800000000", "1704205800000000000"}) {
        EXPECT_EQ(day_of(cell), "2024-01-02") << cell;
    }
}

TEST(TradingDay, BeginsAtSixInTheEveningBefore) {
    const auto trading = [](std::string_view cell) {
        return trading_day(parse_market_time(cell)).to_iso();
    };
    EXPECT_EQ(trading("1767567600"), "2026-01-05");                 // Sunday 18:00
    EXPECT_EQ(trading("1767567599"), "2026-01-04");                 // a second before
    EXPECT_EQ(trading("1767654000"), "2026-01-06");                 // Monday 18:00
    EXPECT_EQ(trading("2026-01-16T18:00:00-05:00"), "2026-01-20");  // over a holiday
    EXPECT_EQ(trading("2026-07-14T22:00:00Z"), "2026-07-15");       // 18:00 in summer
    EXPECT_EQ(trading("2026-07-14T18:00:00"), "2026-07-15");
    EXPECT_EQ(trading("2026-07-14T17:59:59"), "2026-07-14");
    EXPECT_EQ(trading("2026-07-14"), "2026-07-14");
}

TEST(MarketTime, ReadsUnixMilliseconds) {
    EXPECT_EQ(day_of("1704205800000"), "2024-01-02");
    EXPECT_EQ(day_of("1704205800999"), "2024-01-02");
    EXPECT_EQ(day_of("1704257999999"), "2024-01-02");
    EXPECT_EQ(day_of("1704258000000"), "2024-01-03");
}

TEST(MarketTime, ReadsPlainDatesAsThatDay) {
    EXPECT_EQ(day_of("2024-02-29"), "2024-02-29");
    EXPECT_EQ(day_of("2024-2-9"), "2024-02-09");
    EXPECT_EQ(day_of("3/4/2024"), "2024-03-04");
    EXPECT_EQ(day_of("Jan 5, 2024"), "2024-01-05");
}

TEST(MarketTime, ReadsLocalTimesAsThatDay) {
    EXPECT_EQ(day_of("2024-01-02T23:59:59"), "2024-01-02");
    EXPECT_EQ(day_of("2024-01-02 00:00"), "2024-01-02");
    EXPECT_EQ(day_of("2024-01-02T09:30:00.1059"), "2024-01-02");
}

TEST(MarketTime, ReadsZonedTimesAsInstants) {
    EXPECT_EQ(day_of("2024-01-03T04:59:59Z"), "2024-01-02");
    EXPECT_EQ(day_of("2024-01-03T05:00:00Z"), "2024-01-03");
    EXPECT_EQ(day_of("2024-01-02T23:30:00-05:00"), "2024-01-02");
    EXPECT_EQ(day_of("2024-01-03T08:00:00+09:00"), "2024-01-02");
    EXPECT_EQ(day_of("2024-01-03T00:30+0530"), "2024-01-02");
    EXPECT_EQ(day_of("2024-07-03T04:00:00+00"), "2024-07-03");
}

TEST(MarketTime, RefusesWhatIsNotATimeOfAnExchangeDay) {
    for (const std::string_view cell : {"",
                                        "0",
                                        "2024",
                                        "20240102",
                                        "45293",
                                        "1e9",
                                        "time",
                                        "NaN",
                                        "2024-02-30",
                                        "2024-13-01",
                                        "1849-12-31",
                                        "2101-01-01",
                                        "2024-01-02 abc",
                                        "2024-01-02T25:00:00",
                                        "2024-01-02T09:30:00+99:00",
                                        "2024-01-02T09:30:00+5",
                                        "2024-01-02Z",
                                        "2024-01-02T09:30:00+",
                                        "99999999999999999999999",
                                        "Total"}) {
        const MarketTime time = parse_market_time(cell);
        EXPECT_FALSE(time.day.has_value()) << cell;
        EXPECT_FALSE(time.problem.empty()) << cell;
    }
}

TEST(MarketTime, RefusesSecondsJustOutsideTheRange) {
    EXPECT_FALSE(parse_market_time("-3786825601").day.has_value());  // 1849-12-31T23:59:59Z
    EXPECT_TRUE(parse_market_time("-3786800000").day.has_value());   // 1850-01-01 in New York
    EXPECT_FALSE(parse_market_time("4133980800").day.has_value());   // 2101-01-01T00:00:00Z
}

TEST(MarketTime, EveryFormOfOneInstantIsTheSameDay) {
    EXPECT_TRUE(rc::check("seconds, milliseconds and ISO text agree", [] {
        const auto seconds = *rc::gen::inRange<std::int64_t>(631200000, 4133900000);
        const std::int64_t days = seconds / 86400;
        const std::int64_t rest = seconds % 86400;
        const std::string iso =
            fmt::format("{}T{}Z", Date(static_cast<std::int32_t>(days)).to_iso(),
                        TimeOfDay(static_cast<std::int32_t>(rest)).to_iso());
        const std::string expected = new_york_day(seconds).to_iso();
        RC_ASSERT(day_of(fmt::format("{}", seconds)) == expected);
        RC_ASSERT(day_of(fmt::format("{}", seconds * 1000 + 7)) == expected);
        RC_ASSERT(day_of(iso) == expected);
    }));
}

}  // namespace
}  // namespace tb::market
