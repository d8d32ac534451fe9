#include "analytics/exposure.h"

#include <map>

#include <rapidcheck.h>

#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::at;
using test::close_to;
using test::day;
using test::make_trade;
using test::with_funds;

constexpr auto kCorrect = Conventions::kCorrect;
constexpr auto kReference = Conventions::kReference;

Trade held(std::string_view opened, std::string_view from, std::string_view closed,
           std::string_view until, double margin) {
    Trade t = make_trade(opened, closed, 10);
    t.time_opened = at(from);
    t.time_closed = at(until);
    t.margin_req = margin;
    return t;
}

TEST(DailyExposure, I22_AMarginFreedAtTheSameMinuteIsNotHeldTwice) {
    const std::vector<Trade> trades = {
        held("2025-01-06", "09:35:00", "2025-01-06", "11:00:00", 5000),
        held("2025-01-06", "11:00:00", "2025-01-06", "15:00:00", 4000)};
    const EquityByDay equity = equity_by_day(trades, 100000.0, kCorrect);
    const DailyExposure ours = daily_exposure(trades, equity, kCorrect);
    const DailyExposure theirs = daily_exposure(trades, equity, kReference);
    EXPECT_EQ(ours.by_dollars->exposure, 5000);
    EXPECT_EQ(ours.days[0].open_positions, 1);
    EXPECT_EQ(ours.days[0].peak_time(), "09:35:00");
    EXPECT_EQ(theirs.by_dollars->exposure, 9000);
    EXPECT_EQ(theirs.days[0].peak_time(), "11:00:00");
}

TEST(DailyExposure, I22_AOneMinuteTradeStillCounts) {
    const std::vector<Trade> trades = {
        held("2025-01-06", "10:00:10", "2025-01-06", "10:00:50", 700)};
    const DailyExposure ours =
        daily_exposure(trades, equity_by_day(trades, 1000.0, kCorrect), kCorrect);
    ASSERT_EQ(ours.days.size(), 1);
    EXPECT_EQ(ours.days[0].exposure, 700);
    EXPECT_EQ(ours.days[0].exposure_percent, 70);
}

TEST(DailyExposure, I23_PercentsAreOfTheEquityAtTheStartOfTheDay) {
    std::vector<Trade> trades = {held("2025-01-06", "10:00:00", "2025-01-08", "11:00:00", 50000)};
    trades[0].pl = 25000;
    const EquityByDay equity = equity_by_day(trades, 100000.0, kCorrect);
    const DailyExposure ours = daily_exposure(trades, equity, kCorrect);
    ASSERT_EQ(ours.days.size(), 3);
    for (const ExposureDay& d : ours.days) {
        EXPECT_EQ(d.exposure_percent, 50);
    }
    EXPECT_EQ(ours.avg_exposure_percent, 50);
    const DailyExposure theirs =
        daily_exposure(trades, equity_by_day(trades, 100000.0, kReference), kReference);
    EXPECT_EQ(theirs.days[0].exposure_percent, 0);  // no equity is known before the first close
    EXPECT_EQ(theirs.days[1].exposure_percent, 0);
    EXPECT_EQ(theirs.days[2].exposure_percent, 40);  // of the evening's 125,000
}

TEST(DailyExposure, ReferencePercentsAreOfTheDaysOwnEquityEvenIfNothingIsLeft) {
    // 02 §2.9: the curve's value of that day; only a day without one takes the last positive value.
    std::vector<Trade> trades = {held("2025-01-06", "10:00:00", "2025-01-06", "11:00:00", 300),
                                 held("2025-01-07", "10:00:00", "2025-01-07", "11:00:00", 500),
                                 held("2025-01-08", "10:00:00", "2025-01-09", "11:00:00", 400)};
    trades[0].pl = 500;
    trades[1].pl = -2000;
    trades[2].pl = 3000;
    const DailyExposure theirs =
        daily_exposure(trades, equity_by_day(trades, 1000.0, kReference), kReference);
    ASSERT_EQ(theirs.days.size(), 4);
    EXPECT_EQ(theirs.days[0].exposure_percent, 20);
    EXPECT_EQ(theirs.days[1].exposure_percent, 0);  // the day ends at -500
    EXPECT_TRUE(close_to(theirs.days[2].exposure_percent, 100 * 400.0 / 1500));
    EXPECT_EQ(theirs.days[3].exposure_percent, 16);
    EXPECT_EQ(theirs.by_dollars->exposure_percent, 0);
}

TEST(DailyExposure, ReferenceKnowsNoEquityFromBeforeTheFirstMargin) {
    // The sweep starts with the first margin held; what a trade without margin closed earlier is
    // not on any of its days.
    const std::vector<Trade> trades = {
        held("2025-01-06", "10:00:00", "2025-01-06", "11:00:00", 0),
        held("2025-01-08", "10:00:00", "2025-01-09", "11:00:00", 400)};
    const DailyExposure theirs =
        daily_exposure(trades, equity_by_day(trades, 1000.0, kReference), kReference);
    ASSERT_EQ(theirs.days.size(), 2);
    EXPECT_EQ(theirs.days[0].exposure_percent, 0);
    EXPECT_TRUE(close_to(theirs.days[1].exposure_percent, 100 * 400.0 / 1020));
}

TEST(DailyExposure, CarriesOverNightAndIdleDays) {
    std::vector<Trade> trades = {held("2025-01-06", "10:00:00", "2025-01-09", "11:00:00", 300),
                                 held("2025-01-07", "10:30:00", "2025-01-07", "12:00:00", 500)};
    trades.push_back(held("2025-01-12", "09:00:00", "2025-01-12", "09:30:00", 0));
    const DailyExposure e =
        daily_exposure(trades, equity_by_day(trades, 10000.0, kCorrect), kCorrect);
    ASSERT_EQ(e.days.size(), 4);
    EXPECT_EQ(e.days[1].exposure, 800);
    EXPECT_EQ(e.days[1].open_positions, 2);
    EXPECT_EQ(e.days[1].peak_minute, 630);
    EXPECT_EQ(e.days[2].exposure, 300);  // nothing happens on the 8th
    EXPECT_EQ(e.days[2].peak_time(), "00:00:00");
    EXPECT_EQ(e.days[3].date, day("2025-01-09"));
    EXPECT_EQ(e.avg_exposure, (300 + 800 + 300 + 300) / 4.0);
    EXPECT_EQ(e.avg_open_positions, 1.25);
}

TEST(DailyExposure, OpenTradesHoldTheirMarginToTheEnd) {
    std::vector<Trade> trades = {held("2025-01-06", "10:00:00", "2025-01-06", "11:00:00", 300),
                                 held("2025-01-08", "10:00:00", "2025-01-08", "11:00:00", 40)};
    trades[0].date_closed.reset();
    const DailyExposure e =
        daily_exposure(trades, equity_by_day(trades, 10000.0, kCorrect), kCorrect);
    ASSERT_EQ(e.days.size(), 3);
    EXPECT_EQ(e.days[2].exposure, 340);
}

TEST(DailyExposure, ACloseStampedBeforeItsOpeningIsAnnounced) {
    const std::vector<Trade> trades = {
        held("2024-12-02", "14:05:00", "2024-12-02", "13:25:00", 1500)};
    const DailyExposure e =
        daily_exposure(trades, equity_by_day(trades, 10000.0, kCorrect), kCorrect);
    ASSERT_EQ(e.warnings.size(), 1);
    EXPECT_EQ(e.by_dollars->exposure, 1500);
}

TEST(DailyExposure, WithoutEquityThereAreDollarsButNoPercents) {
    const std::vector<Trade> trades = {
        held("2025-01-06", "10:00:00", "2025-01-06", "11:00:00", 300)};
    const DailyExposure e =
        daily_exposure(trades, equity_by_day(trades, std::nullopt, kCorrect), kCorrect);
    EXPECT_EQ(e.by_dollars->exposure, 300);
    EXPECT_FALSE(e.by_percent.has_value());
    EXPECT_EQ(e.avg_exposure_percent, std::nullopt);
    EXPECT_TRUE(daily_exposure({}, {}, kCorrect).days.empty());
}

// Naive second implementation: for every minute of every day, who holds margin?
double naive_peak(const std::vector<Trade>& trades, Date d) {
    double peak = 0;
    for (std::int32_t minute = 0; minute < 24 * 60; ++minute) {
        double held_now = 0;
        for (const Trade& t : trades) {
            const auto open = std::pair(t.date_opened, t.time_opened->minutes());
            const auto close = std::pair(*t.date_closed, t.time_closed->minutes());
            const auto now = std::pair(d, minute);
            // Held from the opening minute to before the closing minute, at least that one minute.
            const bool holding = open <= now && (now < close || now == open);
            held_now += holding ? t.margin_req : 0;
        }
        peak = std::max(peak, held_now);
    }
    return peak;
}

TEST(DailyExposure, SweepEqualsCheckingEveryMinute) {
    EXPECT_TRUE(rc::check([] {
        const auto count = *rc::gen::inRange<std::size_t>(1, 9);
        std::vector<Trade> trades;
        for (std::size_t i = 0; i < count; ++i) {
            Trade t;
            t.date_opened = day("2025-01-06").plus_days(*rc::gen::inRange(0, 3));
            t.time_opened = TimeOfDay(60 * *rc::gen::inRange(600, 606));
            t.date_closed = t.date_opened.plus_days(*rc::gen::inRange(0, 3));
            t.time_closed = TimeOfDay(60 * *rc::gen::inRange(600, 606));
            if (t.date_closed == t.date_opened && t.time_closed < t.time_opened) {
                t.time_closed = t.time_opened;
            }
            t.margin_req = 100.0 * static_cast<double>(1 << i);
            trades.push_back(t);
        }
        std::stable_sort(trades.begin(), trades.end(), [](const Trade& a, const Trade& b) {
            return std::pair(a.date_opened, a.time_opened) <
                   std::pair(b.date_opened, b.time_opened);
        });
        std::map<Date, double> swept;
        for (const ExposureDay& d : daily_exposure(trades, {}, kCorrect).days) {
            swept[d.date] = d.exposure;
        }
        for (Date d = day("2025-01-06"); d <= day("2025-01-11"); d = d.plus_days(1)) {
            RC_ASSERT(swept[d] == naive_peak(trades, d));
        }
    }));
}

TEST(DailyExposure, ManyEventsAreSortedAlikeByEitherMethod) {
    // More than the comparison sort takes: the same trades as two halves give the same days.
    std::vector<Trade> trades;
    for (int i = 0; i < 3000; ++i) {
        const Date opened = day("2015-01-05").plus_days(i / 3);
        Trade t = make_trade(opened.to_iso(), opened.plus_days(i * 7919 % 5).to_iso(), 1);
        t.time_opened = TimeOfDay(60 * (571 + i % 3));
        t.time_closed = TimeOfDay(60 * (600 + i * 104729 % 300));
        t.margin_req = 1 + i % 11;
        trades.push_back(t);
    }
    const DailyExposure all = daily_exposure(trades, {}, kCorrect);
    const std::vector<Trade> first(trades.begin(), trades.begin() + 900);
    const DailyExposure part = daily_exposure(first, {}, kCorrect);
    ASSERT_GT(part.days.size(), 290U);
    for (std::size_t i = 0; i < 290; ++i) {
        ASSERT_EQ(all.days[i].exposure, part.days[i].exposure) << i;
        ASSERT_EQ(all.days[i].peak_minute, part.days[i].peak_minute) << i;
    }
}

TEST(ExposureAtOpen, ClosesComeFirstAtTheSameMinute) {
    const std::vector<Trade> trades = {
        held("2025-01-06", "09:35:00", "2025-01-06", "11:00:00", 5000),
        held("2025-01-06", "10:00:00", "2025-01-07", "11:00:00", 1000),
        held("2025-01-06", "11:00:00", "2025-01-06", "11:00:00", 4000),
        held("2025-01-08", "09:00:00", "2025-01-08", "10:00:00", 0)};
    const auto at_open = exposure_at_open(trades, 20000.0);
    ASSERT_EQ(at_open.size(), 4);
    EXPECT_EQ(at_open[0].before, 0);
    EXPECT_EQ(at_open[1].before, 5000);
    EXPECT_EQ(at_open[1].after, 6000);
    EXPECT_EQ(at_open[1].after_percent, 30);
    EXPECT_EQ(at_open[2].before, 1000);
    EXPECT_TRUE(close_to(at_open[2].after_percent, 100 * 5000.0 / 20010));
    EXPECT_EQ(at_open[3].before, 0);
    EXPECT_EQ(exposure_at_open(trades, std::nullopt)[1].after_percent, std::nullopt);
}

}  // namespace
}  // namespace tb::analytics
