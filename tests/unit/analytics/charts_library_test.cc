// Field distributions, tables, snapshot charts, grouped entries and cost reconciliation.
#include <cmath>
#include <span>

#include "analytics/backtest_vs_actual_costs.h"
#include "analytics/charts_distribution.h"
#include "analytics/charts_snapshot.h"
#include "analytics/statistics_groups.h"
#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::at;
using test::close_to;
using test::day;
using test::log_entry;
using test::make_trade;
using test::with_funds;

constexpr auto kCorrect = Conventions::kCorrect;
constexpr auto kReference = Conventions::kReference;
using Values = std::vector<std::optional<double>>;

std::vector<Trade> twelve_trades() {
    std::vector<Trade> trades;
    for (int i = 0; i < 12; ++i) {
        trades.push_back(make_trade("2025-01-06", "2025-01-06", i < 6 ? 10.0 + i : -20.0 - i));
        trades.back().margin_req = i % 2 == 0 ? 100 : 0;
    }
    return trades;
}

TEST(FieldDistribution, SidesOfEveryThreshold) {
    const std::vector<Trade> trades = twelve_trades();
    Values vix;
    for (int i = 0; i < 12; ++i) {
        vix.push_back(10.0 + i);
    }
    vix[11].reset();
    const auto d = field_distribution(trades, vix, 5, kCorrect);
    ASSERT_TRUE(d.has_value());
    ASSERT_EQ(d->rows.size(), 6);
    EXPECT_EQ(d->count, 11);
    EXPECT_EQ(d->mean, 15);
    EXPECT_EQ(d->median, 15);
    EXPECT_TRUE(close_to(d->population_sd, std::sqrt(10.0)));
    EXPECT_EQ(d->rows[2].threshold, 14);
    EXPECT_EQ(d->rows[2].at_or_above.count, 7);
    EXPECT_EQ(d->rows[2].at_or_below.count, 5);
    EXPECT_EQ(d->rows[2].at_or_below.total_pl, 10 + 11 + 12 + 13 + 14);
    EXPECT_EQ(d->rows[2].at_or_below.win_rate_pct, 100);
    EXPECT_EQ(d->rows[2].at_or_below.avg_rom, 12);
    EXPECT_EQ(d->rows[5].at_or_above.count, 1);
    const double total = 75 - 26 - 27 - 28 - 29 - 30;
    EXPECT_TRUE(close_to(d->rows[2].at_or_below.pl_percent, 100 * 60 / total));
    EXPECT_FALSE(field_distribution(trades, Values(12), 5, kCorrect).has_value());
}

TEST(FieldDistribution, BestThresholdNeedsTenTrades) {
    const std::vector<Trade> trades = twelve_trades();
    Values field;
    for (int i = 0; i < 12; ++i) {
        field.push_back(i);
    }
    const auto d = field_distribution(trades, field, 11, kCorrect);
    const auto below = best_threshold(*d, ThresholdMetric::kTotalPl, false);
    ASSERT_TRUE(below.has_value());
    EXPECT_EQ(below->threshold, 9);
    EXPECT_EQ(best_threshold(*d, ThresholdMetric::kWinRate, true)->threshold, 0);
}

TEST(FieldDistribution, TheBoundaryIsOnOneSideOnly) {
    const std::vector<Trade> trades = twelve_trades();
    Values field;
    for (int i = 0; i < 12; ++i) {
        field.push_back(i < 5 ? 1.0 : 2.0);
    }
    const auto d = field_distribution(trades, field, 1, kCorrect);
    const auto ours = threshold_trade_off(trades, field, *d, 1.9, kCorrect);
    EXPECT_EQ(ours->threshold, 2);
    EXPECT_EQ(ours->kept.count, 7);
    EXPECT_EQ(ours->excluded.count, 5);
    EXPECT_EQ(ours->excluded.win_rate_pct, 100);
    const auto theirs = threshold_trade_off(trades, field, *d, 1.9, kReference);
    EXPECT_EQ(theirs->excluded.win_rate_pct, 50);  // of all twelve, the kept ones included
}

TEST(AggregateTable, RowsByEdgesWithFunctions) {
    const std::vector<Trade> trades = twelve_trades();
    Values field;
    Values other;
    for (int i = 0; i < 12; ++i) {
        field.push_back(i);
        other.push_back(i % 3 == 0 ? std::nullopt : std::optional(100.0 + i));
    }
    const std::vector<double> edges = {2, 8};
    const std::vector<TableColumn> columns = {{"sum", other, TableFunction::kSum},
                                              {"avg", other, TableFunction::kAverage},
                                              {"min", other, TableFunction::kMin},
                                              {"max", other, TableFunction::kMax}};
    const auto rows = aggregate_table(trades, field, edges, columns, kCorrect);
    ASSERT_EQ(rows.size(), 3);
    EXPECT_EQ(rows[0].count, 2);
    EXPECT_EQ(rows[0].columns, (std::vector<double>{101, 101, 101, 101}));
    EXPECT_EQ(rows[1].count, 6);
    EXPECT_EQ(rows[1].columns, (std::vector<double>{418, 104.5, 102, 107}));
    EXPECT_TRUE(close_to(rows[1].win_rate_pct, 100 * 4.0 / 6));
    EXPECT_EQ(rows[2].from, 8);
    EXPECT_EQ(rows[2].win_rate_pct, 0);
    EXPECT_EQ(default_table_edges("gap"), (std::vector<double>{-2, -1, 0, 1, 2}));
    EXPECT_EQ(default_table_edges("anything").size(), 5);
}

std::vector<Trade> snapshot_trades() {
    std::vector<Trade> trades = with_funds(
        {make_trade("2025-01-31", "2025-02-03", 200), make_trade("2025-02-03", "2025-02-03", -80),
         make_trade("2025-02-04", "2025-02-04", -60)},
        10000);
    trades[0].time_closed = at("14:00:00");
    return trades;
}

TEST(Snapshot, CurveFromTradesHasUniqueInstantsAndDailyDrawdown) {
    const SnapshotCurve c = snapshot_curve(snapshot_trades(), {}, true, kCorrect);
    ASSERT_EQ(c.equity.size(), 3);
    EXPECT_EQ(c.equity[0].offset_seconds, 0);
    EXPECT_EQ(c.equity[1].offset_seconds, 1);
    EXPECT_EQ(c.equity[2].equity, 10060);
    EXPECT_EQ(c.equity[2].high_water_mark, 10200);
    ASSERT_EQ(c.drawdown.size(), 2);
    EXPECT_EQ(c.drawdown[0].drawdown_pct, 0);  // the day ends above its start
    EXPECT_TRUE(close_to(c.drawdown[1].drawdown_pct, -100 * 60.0 / 10120));
}

TEST(Snapshot, CurveFromTheLogAdjustsForFlows) {
    std::vector<DailyLogEntry> log = {log_entry("2025-01-02", 10100, 100),
                                      log_entry("2025-01-03", 5050, 0)};
    log[1].drawdown_pct = -50;
    const SnapshotCurve ours = snapshot_curve({}, log, true, kCorrect);
    EXPECT_EQ(ours.source, ReturnSource::kDailyLog);
    EXPECT_EQ(ours.equity[1].equity, 5050);
    EXPECT_EQ(ours.drawdown[1].drawdown_pct, 0);
    EXPECT_EQ(snapshot_curve({}, log, true, kReference).drawdown[1].drawdown_pct, -50);
}

TEST(Snapshot, MonthsWeekdaysAndStreaks) {
    const std::vector<Trade> trades = snapshot_trades();
    EXPECT_EQ(snapshot_monthly(trades, kCorrect).at(2025)[1], 60);
    EXPECT_EQ(snapshot_monthly(trades, kReference).at(2025)[0], 200);
    const std::vector<DailyLogEntry> log = {log_entry("2025-02-03", 10120, 120)};
    EXPECT_TRUE(close_to(snapshot_monthly_percent(trades, log, 1, kCorrect).at(2025)[1], 0.6));
    EXPECT_TRUE(close_to(snapshot_monthly_percent(trades, log, 10000, kReference).at(2025)[1],
                         -100 * 140.0 / 10120));
    EXPECT_EQ(snapshot_weekdays(trades, kCorrect)[0].count, 2);
    EXPECT_EQ(snapshot_weekdays(trades, kCorrect)[0].avg_pl, 60);
    EXPECT_EQ(snapshot_weekdays(trades, kReference)[4].avg_pl, 200);
    EXPECT_EQ(snapshot_streaks(trades, kCorrect).distribution.max_loss, 2);
    EXPECT_TRUE(snapshot_streaks(trades, kCorrect).runs_test.has_value());
    EXPECT_EQ(upper_median({4, 1, 3, 2}), 3);
    EXPECT_EQ(upper_median({}), std::nullopt);
}

TEST(ChartCalculator, DrawdownOfProfitsOnly) {
    const auto points = cumulative_pl(std::vector<Trade>{
        make_trade("2025-01-02", "2025-01-02", -50), make_trade("2025-01-03", "2025-01-03", 150),
        make_trade("2025-01-06", "2025-01-06", -25)});
    EXPECT_EQ(points[0].drawdown_pct, 0);  // no profit yet to fall from
    EXPECT_EQ(points[2].cumulative_pl, 75);
    EXPECT_EQ(points[2].drawdown_pct, -25);
}

TEST(ChartCalculator, RollingSharpeOverDistinctDays) {
    StatisticsOptions options;
    options.rates = RiskFreeRates::fixed(0).value();
    std::vector<Trade> trades;
    for (int i = 0; i < 6; ++i) {
        const std::string d = day("2025-01-13").plus_days(i / 2).to_iso();
        trades.push_back(make_trade(d, d, i % 3 == 0 ? -40.0 - i : 60.0 + i));
    }
    trades = with_funds(trades, 5000);
    const auto points = rolling_sharpe(trades, 2, options);
    ASSERT_EQ(points.size(), 2);
    EXPECT_EQ(points[1].date, day("2025-01-15"));
    const std::vector<Trade> tail(trades.begin() + 2, trades.end());
    EXPECT_EQ(points[1].sharpe_ratio, portfolio_statistics(tail, {}, options).stats.sharpe_ratio);
    EXPECT_TRUE(rolling_sharpe(trades, 4, options).empty());
}

TEST(GroupedEntries, LegsEnteredTogetherByOutcome) {
    std::vector<Trade> trades = {
        make_trade("2025-01-06", "2025-01-06", -10), make_trade("2025-01-06", "2025-01-06", -15),
        make_trade("2025-01-07", "2025-01-07", 20),  make_trade("2025-01-07", "2025-01-07", -5),
        make_trade("2025-01-08", "2025-01-08", 7),   make_trade("2025-01-09", "2025-01-09", 0),
        make_trade("2025-01-09", "2025-01-09", 4)};
    const GroupedEntries g = group_entries(trades, kCorrect);
    ASSERT_EQ(g.groups.size(), 3);
    EXPECT_EQ(g.all_losses, 1);
    EXPECT_EQ(g.all_losses_amount, 25);
    EXPECT_EQ(g.groups[1].outcome, EntryOutcome::kMixed);
    EXPECT_EQ(g.groups[1].combined_pl, 15);
    EXPECT_EQ(g.neutral, 1);
    EXPECT_EQ(g.all_wins, 0);
    trades[1].strategy = 1;
    EXPECT_EQ(group_entries(trades, kCorrect).all_losses, 0);
}

TEST(TradeFrequency, PerYearWithAFloor) {
    std::vector<Trade> trades(50, make_trade("2024-01-02", "2024-01-02", 1));
    trades.push_back(make_trade("2025-01-01", "2025-01-01", 1));
    EXPECT_EQ(trades_per_year(trades, 7), 51);
    EXPECT_EQ(trades_per_year(std::span(trades).last(2), 7), 10);
    EXPECT_EQ(trades_per_year(std::span(trades).first(20), 7), 7);
    EXPECT_EQ(trades_per_year({}, 7), 7);
}

TEST(CostReconciliation, SplitsTheDifferenceIntoExecutionAndFees) {
    Trade model = make_trade("2025-05-30", "2025-05-30", 94);
    model.contracts = 2;
    model.opening_fees = 4;
    model.closing_fees = 2;
    ReportingTrade actual;
    actual.initial_premium = 2.63;
    actual.avg_closing_cost = -2.10;
    actual.contracts = 4;
    actual.pl = 200;
    const CostResult r = reconcile_costs(model, actual, CostScaling::kToActualContracts);
    ASSERT_TRUE(r.costs.has_value());
    EXPECT_EQ(r.costs->model_gross, 200);
    EXPECT_EQ(r.costs->model_fees, 12);
    EXPECT_TRUE(close_to(r.costs->actual_gross, 212));
    EXPECT_TRUE(close_to(r.costs->inferred_fees, 12));
    EXPECT_TRUE(close_to(r.costs->gross_execution_residual, 12));
    EXPECT_TRUE(
        close_to(r.costs->net_residual, r.costs->gross_execution_residual - r.costs->fee_residual));
    const CostResult per = reconcile_costs(model, actual, CostScaling::kPerContract);
    EXPECT_TRUE(close_to(per.costs->net_residual, r.costs->net_residual / 4));
}

TEST(CostReconciliation, SaysWhyItCannot) {
    const Trade model = make_trade("2025-05-30", "2025-05-30", 94);
    ReportingTrade actual;
    actual.initial_premium = 2;
    actual.avg_closing_cost = -1;
    actual.pl = 150;  // more than the gross of 100
    const auto reason = [&](double tolerance = 0.01) {
        return reconcile_costs(model, actual, CostScaling::kPerContract, tolerance).unavailable;
    };
    EXPECT_EQ(reason(), CostUnavailable::kNegativeInferredFees);
    EXPECT_EQ(reason(60), std::nullopt);
    EXPECT_EQ(reason(-1), CostUnavailable::kInvalidTolerance);
    actual.avg_closing_cost.reset();
    EXPECT_EQ(reason(), CostUnavailable::kMissingClosingCost);
    actual.contracts = 0;
    EXPECT_EQ(reason(), CostUnavailable::kInvalidContracts);
    EXPECT_STREQ(cost_unavailable_name(CostUnavailable::kMissingClosingCost),
                 "missing_closing_cost");
}

}  // namespace
}  // namespace tb::analytics
