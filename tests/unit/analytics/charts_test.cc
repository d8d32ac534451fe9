#include "analytics/charts.h"

#include <cmath>

#include <rapidcheck.h>

#include "analytics/numerics.h"
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

std::vector<Trade> sample() {
    std::vector<Trade> trades = {
        make_trade("2024-12-30", "2025-01-03", 300), make_trade("2024-12-31", "2024-12-31", -120),
        make_trade("2025-01-06", "2025-01-06", 90), make_trade("2025-02-03", "2025-02-03", -60)};
    const double margins[] = {1500, 1200, 0, 600};
    const char* reasons[] = {" Expired ", "Stop", "", "Expired"};
    for (std::size_t i = 0; i < trades.size(); ++i) {
        trades[i].margin_req = margins[i];
        trades[i].reason_for_close = reasons[i];
    }
    trades[1].funds_at_close = 9880;
    trades[0].funds_at_close = 10180;
    trades[2].funds_at_close = 10270;
    trades[3].funds_at_close = 10210;
    return trades;
}

TEST(MonthlyReturns, DollarsAndPercentOfTheRunningCapital) {
    const MonthTable dollars = monthly_returns(sample());
    EXPECT_EQ(dollars.size(), 2);
    EXPECT_EQ(dollars.at(2024)[11], -120);
    EXPECT_EQ(dollars.at(2025)[0], 390);
    EXPECT_EQ(dollars.at(2025)[5], 0);
    const MonthTable percent = monthly_returns_percent(sample(), 10000);
    EXPECT_TRUE(close_to(percent.at(2024)[11], -1.2));
    EXPECT_TRUE(close_to(percent.at(2025)[0], 100 * 390.0 / 9880));
    EXPECT_TRUE(close_to(percent.at(2025)[1], 100 * -60.0 / 10270));
    EXPECT_EQ(monthly_returns_percent(sample(), -5, kReference).at(2025)[0], 0);
    EXPECT_TRUE(std::isnan(monthly_returns_percent(sample(), -5).at(2025)[0]));
}

TEST(ReturnDistribution, CountsEveryTradeOnce) {
    EXPECT_TRUE(rc::check([](std::vector<std::int16_t> raw) {
        RC_PRE(!raw.empty());
        std::vector<Trade> trades;
        for (const std::int16_t value : raw) {
            trades.push_back(make_trade("2025-01-02", "2025-01-02", value / 100.0));
        }
        const auto buckets = return_distribution(trades, *rc::gen::inRange(1, 30), kCorrect);
        std::int64_t counted = 0;
        for (const DistributionBucket& b : buckets) {
            counted += b.count;
        }
        RC_ASSERT(counted == static_cast<std::int64_t>(raw.size()));
    }));
}

TEST(ReturnDistribution, BucketsAreHalfOpenAndTheLastIsClosed) {
    std::vector<Trade> trades;
    for (const double pl : {0.0, 1.0, 2.5, 5.0, 9.999, 10.0}) {
        trades.push_back(make_trade("2025-01-02", "2025-01-02", pl));
    }
    const auto buckets = return_distribution(trades, 4, kCorrect);
    EXPECT_EQ(buckets[0].count, 2);
    EXPECT_EQ(buckets[1].count, 1);
    EXPECT_EQ(buckets[2].count, 1);
    EXPECT_EQ(buckets[3].count, 2);
    const std::vector<Trade> equal(3, make_trade("2025-01-02", "2025-01-02", 7));
    EXPECT_EQ(return_distribution(equal, 5, kCorrect)[0].count, 3);
    EXPECT_EQ(return_distribution(equal, 5, kCorrect)[4].to, 8);
    EXPECT_TRUE(return_distribution({}, 5, kCorrect).empty());
}

TEST(ReturnDistribution, TheBestTradeIsNotLostToRounding) {
    // min + 20*((max-min)/20) falls one rounding short of this maximum.
    const std::vector<Trade> trades = {make_trade("2025-01-02", "2025-01-02", -770.7),
                                       make_trade("2025-01-03", "2025-01-03", 1011.06)};
    ASSERT_LT(return_distribution(trades, 20, kCorrect).back().to, 1011.06);
    EXPECT_EQ(return_distribution(trades, 20, kCorrect).back().count, 1);
    EXPECT_EQ(return_distribution(trades, 20, kReference).back().count, 0);
}

TEST(DayOfWeek, SevenRowsByRealization) {
    const auto rows = day_of_week(sample());
    ASSERT_EQ(rows.size(), 7);
    EXPECT_STREQ(rows[0].day, "Monday");
    EXPECT_EQ(rows[0].count, 2);
    EXPECT_EQ(rows[0].avg_pl, 15);
    EXPECT_EQ(rows[0].avg_rom_percent, -10);  // only the one with margin
    EXPECT_EQ(rows[4].total_pl, 300);         // Friday, not the Monday it was opened on
    EXPECT_EQ(rows[4].avg_rom_percent, 20);
    EXPECT_EQ(rows[5].avg_pl, 0);
}

TEST(Sequences, NumberTradesAsRealizedAndForTheReferenceInLoadOrder) {
    const std::vector<Trade> trades = sample();
    EXPECT_EQ(trade_sequence(trades)[0].pl, -120);
    const auto sequence = trade_sequence(trades, kReference);
    EXPECT_EQ(sequence[0].trade_number, 1);
    EXPECT_EQ(sequence[0].date, day("2025-01-03"));
    EXPECT_EQ(sequence[0].rom, 20);
    EXPECT_EQ(sequence[2].rom, std::nullopt);
    const auto rom = rom_timeline(trades, kReference);
    ASSERT_EQ(rom.size(), 3);
    EXPECT_EQ(rom[2].trade_number, 4);
    EXPECT_EQ(rom[2].rom, -10);
}

TEST(StreakChart, FollowsRealizationAndNeedsTwentyTrades) {
    const StreakChart chart = streak_chart(sample(), kCorrect);
    EXPECT_EQ(chart.distribution.max_win, 2);  // -120, 300, 90, -60
    EXPECT_EQ(chart.distribution.losses.at(1), 2);
    EXPECT_FALSE(chart.runs_test.has_value());
}

TEST(RollingMetrics, WindowsByHand) {
    const auto points = rolling_metrics(sample(), 3, kCorrect);
    ASSERT_EQ(points.size(), 2);
    EXPECT_EQ(points[0].trade_number, 3);
    EXPECT_EQ(points[0].date, day("2025-01-06"));
    EXPECT_EQ(points[0].avg_pl, 90);
    EXPECT_TRUE(close_to(points[0].win_rate_pct, 200.0 / 3));
    EXPECT_TRUE(close_to(points[0].volatility, std::sqrt((210.0 * 210 * 2) / 3)));
    EXPECT_TRUE(close_to(points[0].profit_factor, 390.0 / 120));
    EXPECT_TRUE(close_to(points[0].signal_to_noise, 90 / std::sqrt(29400.0)));
    EXPECT_TRUE(close_to(points[1].avg_pl, 110));
    EXPECT_TRUE(close_to(points[1].profit_factor, 6.5));
    EXPECT_TRUE(rolling_metrics(sample(), 5, kCorrect).empty());
    EXPECT_TRUE(rolling_metrics(sample(), 0, kCorrect).empty());
}

TEST(RollingMetrics, I3_NoLossIsInfiniteNot999) {
    const std::vector<Trade> wins(4, make_trade("2025-01-02", "2025-01-02", 0.1));
    EXPECT_EQ(rolling_metrics(wins, 3, kCorrect)[1].profit_factor, std::nullopt);
    EXPECT_EQ(rolling_metrics(wins, 3, kReference)[1].profit_factor, 999);
    EXPECT_EQ(rolling_metrics(wins, 3, kCorrect)[1].volatility, 0);
    EXPECT_EQ(rolling_metrics(wins, 3, kCorrect)[1].signal_to_noise, std::nullopt);
    EXPECT_EQ(rolling_metrics(wins, 3, kReference)[1].signal_to_noise, 0);
}

TEST(RollingMetrics, SweepEqualsRecomputingEveryWindow) {
    EXPECT_TRUE(rc::check([](std::vector<std::int32_t> raw) {
        const auto window = *rc::gen::inRange<std::size_t>(1, 9);
        std::vector<Trade> trades;
        // A large offset makes differences of sums cancel.
        for (const std::int32_t value : raw) {
            trades.push_back(make_trade("2025-01-02", "2025-01-02", 1e7 + value % 1000 / 8.0));
        }
        const auto points = rolling_metrics(trades, window, kCorrect);
        for (std::size_t i = 0; i < points.size(); ++i) {
            std::vector<double> pl;
            for (std::size_t j = i; j < i + window; ++j) {
                pl.push_back(trades[j].pl);
            }
            RC_ASSERT(std::fabs(points[i].avg_pl - *mean(pl)) <= 1e-7);
            RC_ASSERT(std::fabs(points[i].volatility - *population_sd(pl)) <= 1e-6);
        }
    }));
}

TEST(ExitReasons, TrimmedAndMostFrequentFirst) {
    const auto rows = exit_reasons(sample());
    ASSERT_EQ(rows.size(), 3);
    EXPECT_EQ(rows[0].reason, "Expired");
    EXPECT_EQ(rows[0].count, 2);
    EXPECT_EQ(rows[0].avg_pl, 120);
    EXPECT_EQ(rows[0].avg_rom, 5);
    EXPECT_EQ(rows[1].reason, "Stop");
    EXPECT_EQ(rows[2].reason, "Unknown");
    EXPECT_EQ(rows[2].avg_rom, std::nullopt);
}

TEST(HoldingPeriods, I44_ClockTimesCount) {
    std::vector<Trade> trades = {
        make_trade("2025-01-06", "2025-01-06", 1), make_trade("2025-01-06", "2025-01-08", 2),
        make_trade("2025-01-07", "2025-01-07", 3), make_trade("2025-01-08", "2025-01-09", 4)};
    trades[0].time_opened = at("09:35:00");
    trades[0].time_closed = at("11:05:00");
    trades[2].date_closed.reset();
    trades[3].time_closed.reset();
    const auto ours = holding_periods(trades, kCorrect);
    const auto theirs = holding_periods(trades, kReference);
    EXPECT_EQ(ours[0].duration_hours, 1.5);
    EXPECT_EQ(theirs[0].duration_hours, 0);
    EXPECT_EQ(ours[1].duration_hours, 53);
    EXPECT_EQ(theirs[1].duration_hours, 48);
    EXPECT_EQ(ours[2].date_closed, std::nullopt);
    EXPECT_EQ(ours[2].duration_hours, 0);
    EXPECT_EQ(ours[3].duration_hours, 24);  // whole days where a time is missing
    EXPECT_EQ(ours[1].duration_days, 2);
}

TEST(MarginUtilization, I43_JoinsATradeWithItsOwnBalance) {
    // The first trade closes after the second, so curve numbers and trade numbers differ.
    const std::vector<Trade> trades = sample();
    const EquityCurve curve = equity_curve(trades, kCorrect);
    const auto ours = margin_utilization(trades, curve, kCorrect);
    const auto theirs = margin_utilization(trades, curve, kReference);
    EXPECT_EQ(ours[0].funds_at_close, 10180);
    EXPECT_EQ(theirs[0].funds_at_close, 9880);
    EXPECT_TRUE(close_to(ours[0].utilization_pct, 100 * 1500.0 / 10180));
    EXPECT_EQ(ours[1].funds_at_close, 9880);
    EXPECT_EQ(ours[3].funds_at_close, theirs[3].funds_at_close);
}

TEST(VolatilityRegimes, TradesWithEitherVix) {
    std::vector<Trade> trades = sample();
    trades[1].closing_vix = 17.5;
    trades[3].opening_vix = 21;
    const auto points = volatility_regimes(trades);
    ASSERT_EQ(points.size(), 2);
    EXPECT_EQ(points[0].trade_number, 2);
    EXPECT_EQ(points[0].opening_vix, std::nullopt);
    EXPECT_EQ(points[0].date, day("2024-12-31"));
    EXPECT_EQ(points[1].opening_vix, 21);
}

Trade real_row() {
    Trade t = make_trade("2025-01-02", "2025-01-02", 756);
    t.premium = 255;
    t.premium_unit = PremiumUnit::kCents;
    t.contracts = 3;
    t.margin_req = 44235;
    t.max_profit = 100;
    t.max_loss = -1.96;
    return t;
}

TEST(PremiumEfficiencySeries, I45_ContractsAndCentsCount) {
    const std::vector<Trade> trades = {real_row()};
    const auto ours = premium_efficiency_series(trades, kCorrect);
    const auto theirs = premium_efficiency_series(trades, kReference);
    EXPECT_NEAR(*ours[0].efficiency_pct, 98.8, 0.05);
    EXPECT_NEAR(*theirs[0].efficiency_pct, 296.5, 0.05);
    EXPECT_EQ(ours[0].premium, 255);
}

TEST(ExcursionChart, I45_PercentsAreNotDollars) {
    const std::vector<Trade> trades = {real_row()};
    const ExcursionChart ours = excursion_chart(trades, 10, kCorrect);
    const ExcursionChart theirs = excursion_chart(trades, 10, kReference);
    EXPECT_NEAR(*ours.points[0].profit_capture_percent, 98.8, 0.05);
    EXPECT_EQ(*theirs.points[0].profit_capture_percent, 756);
    EXPECT_TRUE(close_to(ours.points[0].mfe, 765));
    EXPECT_EQ(theirs.points[0].mfe, 100);
    EXPECT_EQ(ours.trades_with_mae, 1);
    EXPECT_EQ(ours.buckets.size(), 10);
    const std::vector<Trade> none = {make_trade("2025-01-02", "2025-01-02", 1)};
    EXPECT_EQ(excursion_chart(none, 10, kCorrect).avg_profit_capture, std::nullopt);
    EXPECT_EQ(excursion_chart(none, 10, kReference).avg_profit_capture, 0);
}

// One row decides the range: 1e9 percent is ten thousand million percents over 10 a bucket.
TEST(Charts, HugeExcursionsDoNotMultiplyTheBuckets) {
    for (const double extreme : {12'345'678.0, 1e9, 1e300}) {
        std::vector<Trade> trades = {test::make_trade("2025-01-02", "2025-01-02", 50),
                                     test::make_trade("2025-01-03", "2025-01-03", 60)};
        trades[0].premium = 200;
        trades[0].max_profit = 40;
        trades[0].max_loss = -30;
        trades[1].premium = 100;
        trades[1].max_profit = extreme;
        trades[1].max_loss = -20;
        EXPECT_LE(excursion_chart(trades, 10, kCorrect).buckets.size(), kMaxExcursionBuckets);
        EXPECT_LE(excursion_chart(trades, 10, kReference).buckets.size(), kMaxReferenceBuckets);
        EXPECT_LE(excursion_chart(trades, 1e-9, kReference).buckets.size(), kMaxReferenceBuckets);
        EXPECT_EQ(excursion_chart(trades, 10, kCorrect).points.size(), 2U);
    }
}

}  // namespace
}  // namespace tb::analytics
