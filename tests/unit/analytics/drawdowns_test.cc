#include "analytics/drawdowns.h"

#include <algorithm>
#include <cmath>

#include <rapidcheck.h>

#include "analytics/log_flows.h"
#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::close_to;
using test::day;
using test::log_entry;
using test::make_trade;
using test::with_funds;

constexpr auto kCorrect = Conventions::kCorrect;

TEST(Drawdowns, PeakTroughAndRecoveryByHand) {
    // 100 110 99 105 110 104.5 120 90
    std::vector<Date> days;
    std::vector<double> balances = {110, 99, 105, 110, 104.5, 120, 90};
    std::vector<double> pl;
    double before = 100;
    for (std::size_t i = 0; i < balances.size(); ++i) {
        days.push_back(day("2025-01-06").plus_days(static_cast<std::int32_t>(i)));
        pl.push_back(balances[i] - before);
        before = balances[i];
    }
    const DrawdownTable table =
        worst_drawdowns(DrawdownBasis::kTradesByDay, 100, day("2025-01-05"), days, balances, pl);
    ASSERT_EQ(table.worst.size(), 3);
    EXPECT_TRUE(close_to(table.worst[0].percent, 25));
    EXPECT_TRUE(close_to(table.worst[0].dollars, 30));
    EXPECT_EQ(table.worst[0].peak_day, day("2025-01-11"));
    EXPECT_EQ(table.worst[0].trough_day, day("2025-01-12"));
    EXPECT_EQ(table.worst[0].recovery_day, std::nullopt);
    EXPECT_TRUE(close_to(table.worst[1].percent, 10));
    EXPECT_EQ(table.worst[1].peak_day, day("2025-01-06"));
    EXPECT_EQ(table.worst[1].trough_day, day("2025-01-07"));
    EXPECT_EQ(table.worst[1].recovery_day, day("2025-01-09"));
    EXPECT_TRUE(close_to(table.worst[2].percent, 5));
    EXPECT_EQ(table.worst[2].peak_day, day("2025-01-09"));
    EXPECT_EQ(table.worst[2].peak_balance, 110);
    EXPECT_EQ(table.worst[2].trough_balance, 104.5);
}

TEST(Drawdowns, AFallFromTheStartHasTheFirstDayAsItsPeak) {
    const auto trades = with_funds({make_trade("2025-01-02", "2025-01-06", -100)}, 1000);
    const DailyEquity daily = daily_equity_from_trades(trades, 1000, kCorrect);
    const DrawdownTable table = worst_drawdowns(daily);
    ASSERT_EQ(table.worst.size(), 1);
    EXPECT_EQ(table.worst[0].peak_day, day("2025-01-02"));  // opened: the horizon begins
    EXPECT_EQ(table.worst[0].trough_day, day("2025-01-06"));
    EXPECT_TRUE(close_to(table.worst[0].percent, 10));
    EXPECT_TRUE(worst_drawdowns(DailyEquity()).worst.empty());
}

TEST(Drawdowns, TheDeepestIsTheMaximumDrawdownAndFiveAtMostDescend) {
    EXPECT_TRUE(rc::check("worst_drawdowns agrees with max_drawdown_pct", [] {
        const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-90, 100));
        std::vector<Date> days;
        std::vector<double> balances;
        std::vector<double> pl;
        double balance = 10000;
        for (const int step : steps) {
            days.push_back(day("2025-01-06").plus_days(static_cast<std::int32_t>(days.size())));
            pl.push_back(step);
            balance += step;
            balances.push_back(balance);
        }
        const auto table = worst_drawdowns(DrawdownBasis::kTradesByDay, 10000, day("2025-01-06"),
                                           days, balances, pl);
        RC_ASSERT(table.worst.size() <= kWorstDrawdowns);
        const double deepest = table.worst.empty() ? 0 : table.worst[0].percent;
        RC_ASSERT(close_to(deepest, max_drawdown_pct(10000, balances)));
        for (std::size_t i = 0; i < table.worst.size(); ++i) {
            const Drawdown& d = table.worst[i];
            RC_ASSERT(close_to(d.dollars, d.peak_balance - d.trough_balance));
            RC_ASSERT(d.peak_day <= d.trough_day);
            RC_ASSERT((!d.recovery_day || *d.recovery_day > d.trough_day));
            RC_ASSERT((i == 0 || table.worst[i - 1].percent >= d.percent));
        }
    }));
}

std::vector<DailyLogEntry> log_with(const std::vector<double>& balances,
                                    const std::vector<double>& pl,
                                    const std::vector<double>& withdrawn) {
    std::vector<DailyLogEntry> log;
    for (std::size_t i = 0; i < balances.size(); ++i) {
        DailyLogEntry e = log_entry("2024-01-02", balances[i], pl[i]);
        e.date = day("2024-01-02").plus_days(static_cast<std::int32_t>(i));
        e.withdrawn = withdrawn[i];
        log.push_back(e);
    }
    return log;
}

TEST(LogFlows, TheColumnStatesWhatIsWithdrawnSoFar) {
    const std::vector<double> withdrawn = {0, 0, 3000, 3000, 3000, 5000};
    for (const bool in_balance : {true, false}) {
        std::vector<double> balances = {101000, 103000, 102500, 104000, 98000, 103800};
        for (std::size_t i = 0; in_balance && i < balances.size(); ++i) {
            balances[i] -= withdrawn[i];
        }
        const auto log = log_with(balances, {1000, 2000, -500, 1500, -6000, 5800}, withdrawn);
        const LogFlows flows = log_flows(log);
        EXPECT_EQ(flows.column, LogFlows::Column::kSoFar);
        EXPECT_EQ(flows.in_balance, in_balance);
        EXPECT_EQ(flows.withdrawals, 2);
        EXPECT_EQ(flows.total, 5000);
        EXPECT_EQ(flows.first, day("2024-01-04"));
        EXPECT_EQ(flows.flows(log).size(), in_balance ? 2U : 0U);
    }
}

TEST(LogFlows, AmountsOfTheDayAreKnownByTheBalance) {
    const auto log = log_with({101000, 100000, 97000, 97000}, {1000, 0, 0, 0}, {0, 1000, 3000, 0});
    const LogFlows flows = log_flows(log);
    EXPECT_EQ(flows.column, LogFlows::Column::kPerDay);
    EXPECT_EQ(flows.withdrawals, 2);
    EXPECT_EQ(flows.total, 4000);
    // The same amounts, no less often: what rises only is "so far" where the balance is silent.
    EXPECT_EQ(log_flows(log_with({1, 1, 1}, {0, 0, 0}, {0, 100, 50})).column,
              LogFlows::Column::kPerDay);
    EXPECT_EQ(log_flows(log_with({1, 1, 1}, {0, 0, 0}, {0, 0, 0})).column,
              LogFlows::Column::kEmpty);
    EXPECT_EQ(log_flows({}).withdrawals, 0);
}

TEST(EquityCurve, AWithdrawalIsNoLossAndWhatIsLeftFallsFurther) {
    // 10,000 gained on 100,000; 55,000 taken out; a loss of 5,500 is a tenth of what was left.
    const auto trades = with_funds({make_trade("2024-01-02", "2024-01-02", 10000),
                                    make_trade("2024-01-04", "2024-01-04", -5500)},
                                   100000);
    const std::vector<AccountFlow> flows = {{day("2024-01-03"), 55000}};
    const EquityCurve curve = equity_curve(trades, kCorrect, flows);
    EXPECT_EQ(curve.points.back().equity, 104500);
    EXPECT_TRUE(close_to(drawdown_series(curve).back().drawdown_pct, -10));
    EXPECT_TRUE(close_to(worst_drawdowns(curve).worst.at(0).percent, 10));
    EXPECT_EQ(worst_drawdowns(curve).worst.at(0).dollars, 5500);
    EXPECT_TRUE(close_to(drawdown_series(equity_curve(trades, kCorrect)).back().drawdown_pct, -5));
    // The same as the daily log says.
    const auto log = log_with({110000, 55000, 49500}, {10000, 0, -5500}, {0, 55000, 55000});
    const DailyEquity daily = daily_equity_from_log(log, kCorrect);
    EXPECT_TRUE(close_to(worst_drawdowns(daily).worst.at(0).percent, 10));
}

}  // namespace
}  // namespace tb::analytics
