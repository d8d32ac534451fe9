#include "analytics/returns.h"

#include <algorithm>
#include <cmath>

#include <rapidcheck.h>

#include "analytics/returns_order.h"
#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::close_to;
using test::day;
using test::log_entry;
using test::make_trade;
using test::with_funds;

constexpr auto kCorrect = Conventions::kCorrect;
constexpr auto kReference = Conventions::kReference;

TEST(TradeOrder, CountingSortEqualsStableSort) {
    EXPECT_TRUE(rc::check([](std::vector<std::pair<std::uint8_t, std::uint8_t>> raw, bool large) {
        std::vector<std::int32_t> days;
        std::vector<std::int32_t> seconds;
        for (std::size_t copy = 0; copy < (large ? 60U : 1U); ++copy) {
            for (const auto& [d, s] : raw) {
                days.push_back(d % 7 + 20000);
                seconds.push_back(s % 11);
            }
        }
        TradeOrder expected(days.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            expected[i] = static_cast<std::uint32_t>(i);
        }
        std::stable_sort(expected.begin(), expected.end(), [&](std::uint32_t a, std::uint32_t b) {
            return std::pair(days[a], seconds[a]) < std::pair(days[b], seconds[b]);
        });
        RC_ASSERT(order_by_day_and_seconds(days, seconds) == expected);
    }));
}

TEST(TradeOrder, OpenTradesStandAtTheirOpeningAndLeaveTheCloses) {
    std::vector<Trade> trades = {make_trade("2025-01-02", "2025-01-09", 1),
                                 make_trade("2025-01-03", "2025-01-06", 2),
                                 make_trade("2025-01-07", "2025-01-07", 3)};
    trades[2].date_closed.reset();
    EXPECT_EQ(closefull_order(trades), (TradeOrder{1, 2, 0}));
    EXPECT_EQ(close_order(trades), (TradeOrder{1, 0}));
    EXPECT_EQ(realday_order(trades), (TradeOrder{1, 2, 0}));
}

TEST(InitialCapital, I14_TiedLosersDoNotShiftTheStart) {
    // 100,000 lost 100 twice in one minute; the file lists the later one first.
    std::vector<Trade> trades = {make_trade("2025-03-03", "2025-03-03", -100),
                                 make_trade("2025-03-03", "2025-03-03", -100)};
    trades[0].funds_at_close = 99800;
    trades[1].funds_at_close = 99900;
    EXPECT_EQ(initial_capital(trades, {}, kCorrect).dollars, 100000);
    EXPECT_EQ(initial_capital(trades, {}, kReference).dollars, 99900);
}

TEST(InitialCapital, I14_ACircleOfTiesIsEnteredWhereTheNextTradeSays) {
    // +70 and -70 at one minute end where they began; the next trade starts from 50,000.
    std::vector<Trade> trades = {make_trade("2025-03-03", "2025-03-03", 70),
                                 make_trade("2025-03-03", "2025-03-03", -70),
                                 make_trade("2025-03-04", "2025-03-04", 25)};
    trades[0].funds_at_close = 50000;
    trades[1].funds_at_close = 49930;
    trades[2].funds_at_close = 50025;
    EXPECT_EQ(initial_capital(trades, {}, kCorrect).dollars, 50000);
    EXPECT_EQ(initial_capital(trades, {}, kReference).dollars, 49930);
}

TEST(InitialCapital, FollowsWhicheverPlTheFundsColumnFollows) {
    std::vector<Trade> trades = {make_trade("2025-03-03", "2025-03-03", 210),
                                 make_trade("2025-03-04", "2025-03-04", -90),
                                 make_trade("2025-03-05", "2025-03-05", 35)};
    double fees = 1.5;
    for (Trade& t : trades) {
        t.basis = PlBasis::kGrossBeforeFees;
        t.opening_fees = fees++;
    }
    const std::vector<Trade> by_net = with_funds(trades, 20000);
    EXPECT_TRUE(close_to(initial_capital(by_net, {}, kCorrect).dollars, 20000));
    std::vector<Trade> by_file = trades;
    double balance = 20000;
    for (Trade& t : by_file) {
        balance += t.pl;
        t.funds_at_close = balance;
    }
    EXPECT_TRUE(close_to(initial_capital(by_file, {}, kCorrect).dollars, 20000));
    EXPECT_TRUE(close_to(initial_capital(by_file, {}, kReference).dollars, 20001.5));
}

TEST(InitialCapital, UndoesTradesBeforeTheFirstStatedBalance) {
    std::vector<Trade> trades = with_funds(
        {make_trade("2025-03-03", "2025-03-03", 400), make_trade("2025-03-04", "2025-03-04", -150)},
        30000);
    trades[0].funds_at_close.reset();
    EXPECT_EQ(initial_capital(trades, {}, kCorrect).dollars, 30000);
    trades[1].funds_at_close.reset();
    EXPECT_EQ(initial_capital(trades, {}, kCorrect).dollars, std::nullopt);
    EXPECT_EQ(initial_capital(trades, {}, kCorrect).source, CapitalSource::kNone);
}

TEST(InitialCapital, ComesFromTheLogWhereThereIsOne) {
    const std::vector<DailyLogEntry> log = {log_entry("2025-01-02", 100756, 756)};
    EXPECT_EQ(initial_capital({}, log, kCorrect).dollars, 100000);
    EXPECT_EQ(initial_capital({}, log, kCorrect).source, CapitalSource::kDailyLog);
    EXPECT_EQ(initial_capital({}, {}, kReference).dollars, 0);
    EXPECT_EQ(initial_capital({}, {}, kCorrect).dollars, std::nullopt);
}

TEST(InitialCapital, LibraryVariants) {
    std::vector<Trade> trades = {make_trade("2025-01-02", "2025-01-09", 1),
                                 make_trade("2025-01-03", "2025-01-06", 40)};
    trades[0].funds_at_close = 1041;
    trades[1].funds_at_close = 1040;
    trades[1].contracts = 4;
    EXPECT_EQ(initial_capital_by_open(trades, {}), 1040);
    EXPECT_EQ(initial_capital_by_open({}, {}), std::nullopt);
    EXPECT_EQ(initial_capital_one_lot(trades), 250);  // (1040-40)/4, the first to close
    EXPECT_EQ(initial_capital_one_lot({}), 100000);
}

TEST(DailyEquity, I10_HolidaysAreNotIdleDays) {
    // Wednesday 2025-12-24 to Friday 2025-12-26: Christmas lies between.
    const std::vector<Trade> trades = {make_trade("2025-12-24", "2025-12-24", 1000),
                                       make_trade("2025-12-26", "2025-12-26", -505)};
    const DailyEquity ours = daily_equity_from_trades(trades, 100000, kCorrect);
    const DailyEquity reference = daily_equity_from_trades(trades, 100000, kReference);
    EXPECT_EQ(ours.returns.size(), 2);
    EXPECT_EQ(reference.returns.size(), 3);
    EXPECT_EQ(reference.returns[1], 0);
    EXPECT_TRUE(close_to(ours.returns[0], 0.01));
    EXPECT_TRUE(close_to(ours.returns[1], -505.0 / 101000));
    EXPECT_TRUE(close_to(ours.end_of_day.back(), 100495));
    EXPECT_EQ(ours.idle_days, IdleDays::kExchangeDays);
    EXPECT_EQ(reference.idle_days, IdleDays::kBusinessDays);
}

TEST(DailyEquity, KeepsWeekendDaysThatRealizeSomething) {
    const std::vector<Trade> trades = {make_trade("2025-06-06", "2025-06-07", 10),   // Saturday
                                       make_trade("2025-06-06", "2025-06-09", 20)};  // Monday
    EXPECT_EQ(daily_equity_from_trades(trades, 1000, kCorrect).dates,
              (std::vector<Date>{day("2025-06-06"), day("2025-06-07"), day("2025-06-09")}));
    EXPECT_EQ(daily_equity_from_trades(trades, 1000, kCorrect, true).dates.size(), 4);
}

TEST(DailyEquity, ReturnsEndWhenTheBalanceIsUsedUp) {
    const std::vector<Trade> trades = {make_trade("2025-06-02", "2025-06-02", -1200),
                                       make_trade("2025-06-03", "2025-06-03", 500),
                                       make_trade("2025-06-04", "2025-06-04", 900)};
    const DailyEquity daily = daily_equity_from_trades(trades, 1000, kCorrect);
    EXPECT_EQ(daily.returns, std::vector<double>{-1.2});
    EXPECT_EQ(daily.exhausted_on, day("2025-06-03"));
    EXPECT_EQ(daily.end_of_day, (std::vector<double>{-200, 300, 1200}));
}

TEST(DailyEquity, I57_AWithdrawalIsNotADrawdown) {
    // 10 percent gained, then half of it taken out with no P/L, then 1 percent lost.
    const std::vector<DailyLogEntry> log = {log_entry("2025-01-02", 110000, 10000),
                                            log_entry("2025-01-03", 55000, 0),
                                            log_entry("2025-01-06", 54450, -550)};
    const DailyEquity ours = daily_equity_from_log(log, kCorrect);
    const DailyEquity reference = daily_equity_from_log(log, kReference);
    EXPECT_TRUE(close_to(max_drawdown_pct(ours.start, ours.end_of_day), 1));
    EXPECT_TRUE(close_to(max_drawdown_pct(reference.start, reference.end_of_day), 50.5));
    EXPECT_EQ(ours.returns, reference.returns);
    EXPECT_TRUE(close_to(ours.end_of_day.back(), 100000 * 1.1 * 0.99));
}

TEST(DailyEquity, ALogDayWithoutABaseReturnsZero) {
    const std::vector<DailyLogEntry> log = {log_entry("2025-01-02", 500, 500),
                                            log_entry("2025-01-03", 550, 50)};
    EXPECT_EQ(daily_equity_from_log(log, kReference).returns, (std::vector<double>{0, 0.1}));
}

TEST(Ratios, SharpeAndSortinoByHand) {
    const std::vector<double> x = {0.02, -0.01, 0.03, 0.0};
    // mean 0.01; squared deviations 1e-4 * (1+4+4+1); downside 1e-4 / 4.
    EXPECT_TRUE(
        close_to(sharpe_ratio(x, kCorrect), 0.01 / std::sqrt(10e-4 / 3) * std::sqrt(252.0)));
    EXPECT_TRUE(
        close_to(sortino_ratio(x, kCorrect), 0.01 / std::sqrt(1e-4 / 4) * std::sqrt(252.0)));
    EXPECT_EQ(sharpe_ratio(std::vector<double>{0.1}, kCorrect), std::nullopt);
    EXPECT_EQ(sortino_ratio(std::vector<double>{0.1, 0.2}, kCorrect), std::nullopt);
}

TEST(Ratios, I11_RoundingNoiseIsNoDeviation) {
    const std::vector<double> equal(10, 0.001);
    EXPECT_EQ(sharpe_ratio(equal, kCorrect), std::nullopt);
    EXPECT_GT(sharpe_ratio(equal, kReference).value(), 1e16);  // 02 §6: 6.9e16
}

TEST(Ratios, DrawdownFromThePeakIncludingTheStart) {
    EXPECT_TRUE(close_to(max_drawdown_pct(100, std::vector<double>{90, 120, 60, 110}), 50));
    EXPECT_TRUE(close_to(max_drawdown_pct(100, std::vector<double>{75, 80}), 25));
    EXPECT_EQ(max_drawdown_pct(100, std::vector<double>{101, 102}), 0);
    EXPECT_EQ(max_drawdown_pct(100, {}), 0);
    EXPECT_TRUE(close_to(max_drawdown_pct(100, std::vector<double>{-50}), 150));
    EXPECT_TRUE(close_to(max_drawdown_pct_of_returns(std::vector<double>{0.5, -0.4, 0.1}), 40));
    EXPECT_EQ(max_drawdown_pct_of_returns(std::vector<double>{-1.5}), std::nullopt);
}

TEST(Ratios, TailMeanAndUlcerIndex) {
    std::vector<double> returns;
    for (int i = 0; i < 21; ++i) {
        returns.push_back(-0.10 + 0.01 * i);
    }
    // Position 0.05*20 = 1: cutoff is the second smallest, mean of the two smallest.
    EXPECT_TRUE(close_to(conditional_value_at_risk(returns), -0.095));
    EXPECT_EQ(conditional_value_at_risk({}), std::nullopt);
    // 1 -> 0.9 -> 0.99: falls of 10 and 1 percent.
    const double ulcer = std::sqrt((100 + 1) / 2.0);
    EXPECT_TRUE(close_to(ulcer_performance_index(std::vector<double>{-0.1, 0.1}),
                         (std::pow(0.99, 126) - 1) / (ulcer / 100)));
    EXPECT_EQ(ulcer_performance_index(std::vector<double>{0.1}), std::nullopt);
    EXPECT_EQ(ulcer_performance_index(std::vector<double>{-1}), std::nullopt);
}

TEST(Ratios, GrowthOfTwoYears) {
    EXPECT_TRUE(close_to(compound_annual_growth_pct(100, 121, 2), 10));
    EXPECT_EQ(compound_annual_growth_pct(100, 0, 2), std::nullopt);
    EXPECT_EQ(compound_annual_growth_pct(100, 121, 0), std::nullopt);
}

TEST(ExcessReturns, DeductTheDaysRateAndCountResolutions) {
    DailyEquity daily;
    daily.dates = {day("2025-01-02"), day("2030-01-02")};
    daily.returns = {0.01, 0.02};
    const ExcessReturns fixed = excess_returns(daily, RiskFreeRates::fixed(2.52).value(), kCorrect);
    EXPECT_TRUE(close_to(fixed.values[0], 0.01 - 0.0001));
    EXPECT_TRUE(close_to(fixed.values[1], 0.02 - 0.0001));
    EXPECT_EQ(fixed.resolution, ResolutionCounts());
    const ExcessReturns monthly = excess_returns(daily, RiskFreeRates(), kReference);
    EXPECT_TRUE(close_to(monthly.values[0], 0.01 - 4.21 / 100 / 252, 1e-15));
    EXPECT_EQ(monthly.resolution.exact, 1);
    EXPECT_EQ(monthly.resolution.stale_after_latest, 1);
}

}  // namespace
}  // namespace tb::analytics
