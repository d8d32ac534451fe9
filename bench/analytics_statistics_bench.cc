// Statistics, comparison and chart sweeps over cached rows. Targets: statistics of 100,000 trades
// within 15 ms and of 1,000,000 within 200 ms; rolling metrics and exposure of 20,000 trades within
// 20 ms; the two-thousand-trade tools far below a millisecond a call.
#include <algorithm>
#include <cstdint>
#include <random>

#include <benchmark/benchmark.h>

#include "analytics/charts.h"
#include "analytics/comparison.h"
#include "analytics/periods.h"
#include "analytics/statistics.h"

namespace {

using namespace tb;             // NOLINT(google-build-using-namespace): a benchmark, not a library
using namespace tb::analytics;  // NOLINT(google-build-using-namespace)

// Several trades a trading day over about ten years, some held for days, four strategies.
TradeSet make_block(std::size_t count) {
    std::mt19937_64 random(20261122);
    std::uniform_int_distribution<std::int32_t> day(0, 3650);
    std::vector<std::int32_t> days(count);
    for (std::int32_t& d : days) {
        d = 16000 + day(random);
    }
    std::sort(days.begin(), days.end());
    std::normal_distribution<double> pl(20, 400);
    std::uniform_int_distribution<std::int32_t> minute(570, 950);
    TradeSet set;
    set.strategies = {"alpha", "beta", "gamma", "delta"};
    double funds = 100000;
    std::int32_t opened = 570;
    for (std::size_t i = 0; i < count; ++i) {
        Trade t;
        t.date_opened = Date(days[i]);
        opened = i > 0 && days[i] == days[i - 1] ? std::min(opened + 1, 950) : 570;
        t.time_opened = TimeOfDay(opened * 60);
        t.date_closed = t.date_opened.plus_days(i % 5 == 0 ? 3 : 0);
        t.time_closed = TimeOfDay(std::max(opened, minute(random)) * 60);
        t.pl = pl(random);
        funds += t.pl;
        t.funds_at_close = funds;
        t.margin_req = 2000 + static_cast<double>(i % 7) * 500;
        t.opening_fees = 1.5;
        t.closing_fees = 1.25;
        t.premium = 315;
        t.premium_unit = PremiumUnit::kCents;
        t.strategy = static_cast<std::uint32_t>(i % 4);
        t.ticker = "SPX";
        set.trades.push_back(t);
    }
    return set;
}

void BM_StatisticsReport(benchmark::State& state) {
    const TradeSet set = make_block(static_cast<std::size_t>(state.range(0)));
    StatisticsRequest request;
    request.options.conventions =
        state.range(1) == 0 ? Conventions::kCorrect : Conventions::kReference;
    for (auto _ : state) {
        benchmark::DoNotOptimize(statistics_report(set, {}, request));
    }
    state.SetComplexityN(state.range(0));
}
BENCHMARK(BM_StatisticsReport)
    ->Unit(benchmark::kMillisecond)
    ->ArgsProduct({{2'000, 100'000, 1'000'000}, {0, 1}});

void BM_PortfolioStatistics(benchmark::State& state) {
    const TradeSet set = make_block(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(portfolio_statistics(set.trades, {}, {}));
    }
}
BENCHMARK(BM_PortfolioStatistics)->Unit(benchmark::kMillisecond)->Arg(100'000)->Arg(1'000'000);

void BM_FilteredByStrategy(benchmark::State& state) {
    const TradeSet set = make_block(static_cast<std::size_t>(state.range(0)));
    StatisticsRequest request;
    request.filter.strategy = "Beta";
    for (auto _ : state) {
        benchmark::DoNotOptimize(statistics_report(set, {}, request));
    }
}
BENCHMARK(BM_FilteredByStrategy)->Unit(benchmark::kMillisecond)->Arg(100'000);

void BM_StrategyComparison(benchmark::State& state) {
    const TradeSet set = make_block(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(strategy_comparison(set, {}));
    }
}
BENCHMARK(BM_StrategyComparison)->Unit(benchmark::kMillisecond)->Arg(2'000)->Arg(100'000);

void BM_PeriodReturns(benchmark::State& state) {
    const TradeSet set = make_block(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(period_returns(set, {}));
    }
}
BENCHMARK(BM_PeriodReturns)->Unit(benchmark::kMillisecond)->Arg(2'000)->Arg(100'000);

void BM_RollingMetrics(benchmark::State& state) {
    const TradeSet set = make_block(20'000);
    for (auto _ : state) {
        benchmark::DoNotOptimize(rolling_metrics(
            set.trades, static_cast<std::size_t>(state.range(0)), Conventions::kCorrect));
    }
}
BENCHMARK(BM_RollingMetrics)->Unit(benchmark::kMillisecond)->Arg(10)->Arg(100)->Arg(5'000);

void BM_DailyExposure(benchmark::State& state) {
    const TradeSet set = make_block(20'000);
    const EquityCurve curve = equity_curve(set.trades, Conventions::kCorrect);
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            daily_exposure(set.trades, equity_by_day(curve), Conventions::kCorrect));
    }
}
BENCHMARK(BM_DailyExposure)->Unit(benchmark::kMillisecond);

}  // namespace
