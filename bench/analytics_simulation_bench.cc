// Simulations and rank correlations at the sizes of the performance goals: Monte Carlo 10,000 paths
// of 1,000 steps (150 ms on two cores), Kendall of 20 strategies over 2,500 days (100 ms), default
// walk-forward on 3,000 trades (200 ms), margin timeline of 20,000 trades (20 ms).
#include <cmath>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "analytics/correlation.h"
#include "analytics/margin_timeline.h"
#include "analytics/monte_carlo.h"
#include "analytics/random.h"
#include "analytics/tail_risk.h"
#include "analytics/walk_forward.h"

namespace {

using namespace tb::analytics;

// `per_day` trades on every day, spread over the strategies, cents in every result.
TradeSet make_block(std::size_t days, std::size_t per_day, std::size_t strategies) {
    RandomStream random(7, 1, RandomPurpose::kResample);
    TradeSet set;
    for (std::size_t s = 0; s < strategies; ++s) {
        set.strategies.push_back("strategy " + std::to_string(s));
    }
    double funds = 1'000'000;
    const tb::Date first = tb::Date::from_ymd(2013, 1, 2).value();
    for (std::size_t d = 0; d < days; ++d) {
        for (std::size_t k = 0; k < per_day; ++k) {
            Trade trade;
            trade.date_opened = first.plus_days(static_cast<std::int32_t>(d));
            trade.date_closed = trade.date_opened.plus_days(random.next_below(3) == 0 ? 2 : 0);
            trade.time_opened = tb::TimeOfDay(34'200 + static_cast<std::int32_t>(60 * k));
            trade.time_closed = tb::TimeOfDay(57'600);
            trade.pl = std::round(100 * (1200 * random.next_unit() - 570)) / 100;
            trade.margin_req = 5000;
            trade.strategy = static_cast<std::uint32_t>(k % strategies);
            funds += trade.pl;
            trade.funds_at_close = funds;
            set.trades.push_back(trade);
        }
    }
    return set;
}

void monte_carlo(benchmark::State& state) {
    const TradeSet set = make_block(1000, 1, 1);
    MonteCarloParameters parameters;
    parameters.simulations = 10'000;
    parameters.simulation_length = 1000;
    parameters.mode = state.range(0) == 0 ? ResampleMode::kIid : ResampleMode::kStationaryBlock;
    parameters.method = state.range(1) == 0 ? ResampleMethod::kTrades : ResampleMethod::kPercentage;
    parameters.band_points = static_cast<std::size_t>(state.range(2));
    const RunContext context{static_cast<unsigned>(state.range(3)), {}, {}};
    for (auto _ : state) {
        ++parameters.seed;
        benchmark::DoNotOptimize(run_monte_carlo(set, parameters, Conventions::kCorrect, context));
    }
}
BENCHMARK(monte_carlo)
    ->ArgNames({"block", "percentage", "bands", "threads"})
    ->Args({1, 0, 200, 2})
    ->Args({1, 0, 0, 2})
    ->Args({1, 0, 200, 1})
    ->Args({0, 0, 200, 2})
    ->Args({1, 1, 200, 2})
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void kendall(benchmark::State& state) {
    const TradeSet set = make_block(2500, 20, 20);
    CorrelationOptions options;
    options.alignment = state.range(0) == 0 ? Alignment::kShared : Alignment::kZeroPad;
    for (auto _ : state) {
        benchmark::DoNotOptimize(correlation_matrix(set, options, Conventions::kCorrect));
    }
}
BENCHMARK(kendall)
    ->ArgName("zero_pad")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void joint_tails(benchmark::State& state) {
    const TradeSet set = make_block(2500, 20, 20);
    for (auto _ : state) {
        benchmark::DoNotOptimize(tail_risk(set, {}, Conventions::kCorrect));
    }
}
BENCHMARK(joint_tails)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

// range(0) = combinations of the grid.
void walk_forward(benchmark::State& state) {
    const TradeSet set = make_block(1500, 2, 2);
    WalkForwardOptions options;
    if (state.range(0) > 1) {
        options.parameter_ranges = {
            {"kellyMultiplier", 1, static_cast<double>(state.range(0)) / 4, 1},
            {"strategy:strategy 1", 0.25, 1, 0.25}};
        options.in_sample_days = 500;
        options.out_of_sample_days = 250;
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(run_walk_forward(set, options, Conventions::kCorrect));
    }
}
BENCHMARK(walk_forward)
    ->ArgName("combinations")
    ->Arg(1)
    ->Arg(4000)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void margin(benchmark::State& state) {
    const TradeSet set = make_block(4000, 5, 5);
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            margin_timeline(set, {}, {100'000, MarginBase::kCompounding}, Conventions::kCorrect));
    }
}
BENCHMARK(margin)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
