#include "analytics/monte_carlo.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "analytics/monte_carlo_path.h"
#include "analytics/monte_carlo_summary.h"
#include "analytics/monte_carlo_worst_case.h"
#include "analytics/numerics.h"
#include "random_trades.h"

namespace tb::analytics {
namespace {

using test::day;
using test::TradesBuilder;

// Distinct, autocorrelated, one trade a day.
TradesBuilder drifting_block(int trades = 60, double start = 100'000) {
    TradesBuilder b;
    for (int i = 0; i < trades; ++i) {
        b.add(day("2024-01-01").plus_days(i), 900 * std::sin(i / 4.0) + 35 * (i % 5) - 25);
    }
    b.fund(start);
    return b;
}

MonteCarloParameters quick(std::uint64_t seed = 42) {
    MonteCarloParameters p;
    p.seed = seed;
    p.simulations = 1000;
    p.band_points = 0;
    return p;
}

// Circular autocovariance with divisor N (02 §8).
double autocovariance(const std::vector<double>& pool, std::size_t lag) {
    const double center = *mean(pool);
    double sum = 0;
    for (std::size_t i = 0; i < pool.size(); ++i) {
        sum += (pool[i] - center) * (pool[(i + lag) % pool.size()] - center);
    }
    return sum / static_cast<double>(pool.size());
}

// Exact variance of the sum of L steps: L*(g(0) + 2 sum (1-k/L)(1-1/b)^k g(k)); iid is b = 1.
double exact_variance(const std::vector<double>& pool, std::size_t length, double block) {
    double sum = autocovariance(pool, 0);
    const auto l = static_cast<double>(length);
    for (std::size_t k = 1; k < length; ++k) {
        const auto lag = static_cast<double>(k);
        sum += 2 * (1 - lag / l) * std::pow(1 - 1 / block, lag) * autocovariance(pool, k);
    }
    return l * sum;
}

std::vector<double> net_results(const TradeSet& set) {
    std::vector<double> pool;
    for (const Trade& trade : set.trades) {
        pool.push_back(trade.net_pl());
    }
    return pool;
}

TEST(MonteCarlo, MeanAndDeviationAgreeWithTheClosedFormsOfBothBootstraps) {
    const TradesBuilder block = drifting_block();
    const std::vector<double> pool = net_results(block.set());
    for (const bool iid : {true, false}) {
        for (const std::size_t length : {25U, 90U}) {
            MonteCarloParameters p = quick();
            p.simulations = 4000;
            p.simulation_length = length;
            p.mode = iid ? ResampleMode::kIid : ResampleMode::kStationaryBlock;
            p.mean_block_length = 6;
            const auto result = run_monte_carlo(block.set(), p, Conventions::kCorrect).value();
            const auto& s = result.outcome.statistics;
            const double center = 100'000 + static_cast<double>(length) * *mean(pool);
            const double sd = std::sqrt(exact_variance(pool, length, iid ? 1 : 6));
            EXPECT_NEAR(*s.mean_final_value.value, center, 5 * *s.mean_final_value.standard_error);
            EXPECT_NEAR(*s.std_final_value.value, sd, 5 * *s.std_final_value.standard_error);
            EXPECT_NEAR(*s.mean_final_value.standard_error, sd / std::sqrt(4000),
                        0.1 * sd / std::sqrt(4000));
        }
    }
}

// The claimed errors against the spread of repeated runs.
TEST(MonteCarlo, StandardErrorsDescribeTheSpreadBetweenSeeds) {
    const TradesBuilder block = drifting_block();
    std::vector<double> medians;
    std::vector<double> shares;
    std::vector<double> deviations;
    std::vector<double> shortfalls;
    MonteCarloOutcome last;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        MonteCarloParameters p = quick(seed);
        p.simulations = 300;
        p.simulation_length = 30;
        last = run_monte_carlo(block.set(), p, Conventions::kCorrect)->outcome;
        medians.push_back(*last.statistics.median_total_return.value);
        shares.push_back(*last.statistics.probability_of_profit.value);
        deviations.push_back(*last.statistics.std_final_value.value);
        shortfalls.push_back(*last.expected_shortfall_95.value);
    }
    const auto ratio = [](const std::vector<double>& seen, const Estimate& claimed) {
        return *claimed.standard_error / *sample_sd(seen);
    };
    EXPECT_NEAR(ratio(medians, last.statistics.median_total_return), 1, 0.6);
    EXPECT_NEAR(ratio(shares, last.statistics.probability_of_profit), 1, 0.4);
    EXPECT_NEAR(ratio(deviations, last.statistics.std_final_value), 1, 0.4);
    EXPECT_NEAR(ratio(shortfalls, last.expected_shortfall_95), 1, 0.6);
}

TEST(MonteCarlo, TheSameSeedGivesTheSameResultForAnyThreads) {
    const TradesBuilder block = drifting_block();
    MonteCarloParameters p = quick(0xfedcba9876543210);
    p.simulations = 777;
    p.band_points = 13;
    p.include_worst_case = true;
    const auto one = run_monte_carlo(block.set(), p, Conventions::kCorrect, {1, {}, {}}).value();
    const auto many = run_monte_carlo(block.set(), p, Conventions::kCorrect, {5, {}, {}}).value();
    EXPECT_EQ(one.outcome.statistics.mean_final_value.value,
              many.outcome.statistics.mean_final_value.value);
    EXPECT_EQ(one.outcome.statistics.mean_sharpe_ratio.value,
              many.outcome.statistics.mean_sharpe_ratio.value);
    EXPECT_EQ(one.outcome.return_p5.value, many.outcome.return_p5.value);
    ASSERT_EQ(one.outcome.bands.size(), 13U);
    for (std::size_t i = 0; i < 13; ++i) {
        EXPECT_EQ(one.outcome.bands[i].p25, many.outcome.bands[i].p25);
    }
    EXPECT_EQ(one.settings.seed, 0xfedcba9876543210);
    p.seed = 1;
    EXPECT_NE(run_monte_carlo(block.set(), p, Conventions::kCorrect)
                  ->outcome.statistics.mean_final_value.value,
              one.outcome.statistics.mean_final_value.value);
}

// With N = 384 the reference's first index over 1000 paths of one seed takes 150 contiguous values;
// independent draws take N(1 - (1 - 1/N)^1000) = 356.
TEST(MonteCarlo, I37_FirstDrawsOfNeighbouringPathsAreIndependent) {
    std::vector<double> pool(384);
    std::iota(pool.begin(), pool.end(), 0.0);
    for (const std::uint64_t seed :
         {std::uint64_t{42}, std::uint64_t{0}, static_cast<std::uint64_t>(-100'000)}) {
        PathPlan plan;
        plan.pool = pool;
        plan.length = 1;
        plan.seed = seed;
        plan.initial_capital = 1;
        plan.steps_per_year = 252;
        plan.absorb_at_zero = false;
        plan.mean_block_length = 7;
        const PathSimulator simulator(plan);
        PathBuffers buffers;
        std::vector<int> hits(384, 0);
        int neighbours = 0;
        double previous = -10;
        for (std::uint64_t path = 0; path < 1000; ++path) {
            const double index = simulator.run(path, buffers, {}).final_value - 1;
            ++hits[static_cast<std::size_t>(index)];
            neighbours += std::fabs(index - previous) <= 1 ? 1 : 0;
            previous = index;
        }
        const auto distinct = std::count_if(hits.begin(), hits.end(), [](int h) { return h > 0; });
        EXPECT_NEAR(static_cast<double>(distinct), 356, 30);
        EXPECT_LT(neighbours, 30);  // expected 1000 * 3/384 = 8
    }
}

TEST(MonteCarlo, I34_WorstCasesAreOffByDefaultAndNeverHideThePlainFigures) {
    const TradesBuilder block = drifting_block();
    const auto plain = run_monte_carlo(block.set(), quick(), Conventions::kCorrect).value();
    EXPECT_FALSE(plain.settings.worst_case_enabled);
    EXPECT_EQ(plain.settings.worst_case_pct, 0);
    EXPECT_TRUE(plain.worst_case_losses.empty());
    EXPECT_FALSE(plain.without_worst_case);

    MonteCarloParameters stressed = quick();
    stressed.include_worst_case = true;
    const auto both = run_monte_carlo(block.set(), stressed, Conventions::kCorrect).value();
    ASSERT_TRUE(both.without_worst_case);
    EXPECT_EQ(both.without_worst_case->statistics.mean_final_value.value,
              plain.outcome.statistics.mean_final_value.value);
    EXPECT_LT(*both.outcome.statistics.mean_final_value.value,
              *plain.outcome.statistics.mean_final_value.value);

    const auto reference = run_monte_carlo(block.set(), quick(), Conventions::kReference).value();
    EXPECT_TRUE(reference.settings.worst_case_enabled);
    EXPECT_EQ(reference.settings.worst_case_pct, 5);
    EXPECT_FALSE(reference.without_worst_case);
}

// A strategy that always loses 9,000: ten steps from 50,000 ruin every account.
TradesBuilder ruinous_block() {
    TradesBuilder b;
    for (int i = 0; i < 20; ++i) {
        b.add(day("2024-01-01").plus_days(i), i % 10 == 0 ? 500 : -9000.0 - i);
    }
    b.fund(50'000);
    return b;
}

TEST(MonteCarlo, I36_AnAccountStopsAtZeroWhereTheReferenceTradesOn) {
    MonteCarloParameters p = quick();
    p.include_worst_case = false;
    p.initial_capital = 50'000;
    const auto ours = run_monte_carlo(ruinous_block().set(), p, Conventions::kCorrect)->outcome;
    EXPECT_EQ(ours.statistics.mean_final_value.value, 0);
    EXPECT_EQ(ours.statistics.mean_annualized_return.value, -1);
    EXPECT_EQ(ours.statistics.median_annualized_return.value, -1);
    EXPECT_EQ(ours.statistics.mean_max_drawdown.value, 1);
    EXPECT_EQ(ours.statistics.zero_balance_paths.value, 1);
    EXPECT_EQ(ours.value_at_risk_95.value, 1);
    EXPECT_EQ(ours.expected_shortfall_95.value, 1);
    const auto theirs = run_monte_carlo(ruinous_block().set(), p, Conventions::kReference).value();
    EXPECT_LT(*theirs.outcome.statistics.mean_final_value.value, -50'000);
    EXPECT_GT(*theirs.outcome.statistics.mean_max_drawdown.value, 2);
    EXPECT_FALSE(theirs.outcome.statistics.mean_annualized_return.value);
    EXPECT_TRUE(std::any_of(theirs.notes.begin(), theirs.notes.end(),
                            [](const Note& n) { return n.figure == "meanAnnualizedReturn"; }));
}

TEST(MonteCarlo, I17_ResamplesNetResults) {
    TradesBuilder b = drifting_block();
    for (Trade& trade : b.trades()) {
        trade.basis = PlBasis::kGrossBeforeFees;
        trade.opening_fees = 30;
    }
    MonteCarloParameters p = quick();
    p.include_worst_case = false;
    p.initial_capital = 100'000;
    const auto ours = run_monte_carlo(b.set(), p, Conventions::kCorrect)->outcome.statistics;
    const auto theirs = run_monte_carlo(b.set(), p, Conventions::kReference)->outcome.statistics;
    // The same draws, each step 30 dollars apart, 60 steps.
    EXPECT_NEAR(*theirs.mean_final_value.value - *ours.mean_final_value.value, 1800, 1e-6);
}

TEST(MonteCarlo, I48_DailyResamplingCountsItsYearAndHorizonInDays) {
    TradesBuilder b;
    for (int i = 0; i < 50; ++i) {
        for (int k = 0; k < 2; ++k) {
            b.add(day("2024-01-01").plus_days(2 * i), 100.0 * ((i * 7) % 11) - 450 + k);
        }
    }
    b.fund(100'000);
    MonteCarloParameters p = quick();
    p.method = ResampleMethod::kDaily;
    const auto ours = run_monte_carlo(b.set(), p, Conventions::kCorrect)->settings;
    EXPECT_EQ(ours.simulation_length, 50U);
    EXPECT_EQ(ours.pool_size, 50U);
    EXPECT_NEAR(ours.steps_per_year, 50.0 / 98 * 365, 1e-12);
    const auto theirs = run_monte_carlo(b.set(), p, Conventions::kReference)->settings;
    EXPECT_EQ(theirs.simulation_length, 100U);
    EXPECT_NEAR(theirs.steps_per_year, 100.0 / 98 * 365, 1e-12);
}

// Two trades in one minute, newest first as exported: only the chain tells the start.
TEST(MonteCarlo, I56_TheStartCapitalComesFromTheChainOfFunds) {
    TradesBuilder b;
    b.add(day("2024-01-01"), 300).funds_at_close = 100'100;
    b.add(day("2024-01-01"), -200).funds_at_close = 99'800;
    double funds = 100'100;
    for (int i = 1; i < 12; ++i) {
        funds += 10.0 * i;
        b.add(day("2024-01-01").plus_days(i), 10.0 * i).funds_at_close = funds;
    }
    b.trades()[0].date_closed = day("2024-01-01");
    const auto capital = [&](Conventions conventions) {
        return run_monte_carlo(b.set(), quick(), conventions)->settings.initial_capital;
    };
    EXPECT_DOUBLE_EQ(capital(Conventions::kCorrect), 100'000);
    EXPECT_DOUBLE_EQ(capital(Conventions::kReference), 99'800);
}

TEST(MonteCarlo, WithoutFundsTheStartCapitalIsAssumedAndSaidSo) {
    TradesBuilder b = drifting_block();
    for (Trade& trade : b.trades()) {
        trade.funds_at_close.reset();
    }
    const auto result = run_monte_carlo(b.set(), quick(), Conventions::kCorrect).value();
    EXPECT_EQ(result.settings.initial_capital, 100'000);
    EXPECT_FALSE(result.warnings.empty());
}

TEST(MonteCarlo, I53_SharpeDeductsTheRateAndValueAtRiskIsAPositiveLoss) {
    const TradesBuilder block = drifting_block();
    MonteCarloParameters p = quick();
    const auto zero = run_monte_carlo(block.set(), p, Conventions::kCorrect)->outcome;
    p.risk_free_annual_pct = 5;
    const auto five = run_monte_carlo(block.set(), p, Conventions::kCorrect)->outcome;
    EXPECT_LT(*five.statistics.mean_sharpe_ratio.value, *zero.statistics.mean_sharpe_ratio.value);
    EXPECT_EQ(five.value_at_risk_95.value, std::max(0.0, -*five.return_p5.value));
    EXPECT_GE(*five.expected_shortfall_95.value, -*five.return_p5.value);
    p.include_worst_case = false;
    const auto reference = run_monte_carlo(block.set(), p, Conventions::kReference).value();
    EXPECT_EQ(reference.settings.risk_free_annual_pct, 0);
    EXPECT_NEAR(*reference.outcome.statistics.mean_sharpe_ratio.value,
                *zero.statistics.mean_sharpe_ratio.value, 1e-12);
}

TEST(MonteCarlo, PathsWithoutDispersionHaveNoSharpeRatio) {
    TradesBuilder b;
    for (int i = 0; i < 12; ++i) {
        b.add(day("2024-01-01").plus_days(i), 0);
    }
    b.fund(100'000);
    const auto ours = run_monte_carlo(b.set(), quick(), Conventions::kCorrect).value();
    EXPECT_FALSE(ours.outcome.statistics.mean_sharpe_ratio.value);
    EXPECT_EQ(ours.outcome.statistics.paths_without_sharpe, 1000U);
    EXPECT_FALSE(ours.notes.empty());
    MonteCarloParameters p = quick();
    p.include_worst_case = false;
    EXPECT_EQ(run_monte_carlo(b.set(), p, Conventions::kReference)
                  ->outcome.statistics.mean_sharpe_ratio.value,
              0);
}

MonteCarloSettings settings_of(std::size_t length, double pct) {
    MonteCarloSettings s;
    s.simulation_length = length;
    s.initial_capital = 100'000;
    s.worst_case_pct = pct;
    return s;
}

TEST(WorstCaseLosses, SplitTheBudgetByLargestRemainder) {
    TradesBuilder b({"A", "B", "C"});
    for (int i = 0; i < 10; ++i) {
        b.add(day("2024-01-01").plus_days(i), 5, i < 6 ? 0 : i < 9 ? 1 : 2).funds_at_close = 50'005;
    }
    MonteCarloSettings s = settings_of(100, 4.1);  // budget ceil(4.1) = 5
    const auto equal = worst_case_losses(b.set(), s, Conventions::kCorrect);
    ASSERT_EQ(equal.size(), 3U);
    EXPECT_EQ(equal[0].entries, 2U);  // 1.67 each: the two spare ones to the first
    EXPECT_EQ(equal[1].entries, 2U);
    EXPECT_EQ(equal[2].entries, 1U);
    s.worst_case_basis = WorstCaseBasis::kHistorical;  // quotas 3, 1.5, 0.5
    const auto historical = worst_case_losses(b.set(), s, Conventions::kCorrect);
    EXPECT_EQ(historical[0].entries, 3U);
    EXPECT_EQ(historical[1].entries, 2U);
    EXPECT_EQ(historical[2].entries, 0U);
    EXPECT_DOUBLE_EQ(historical[0].loss_ratio, 0.05);  // margin 2500 of 50,000
    EXPECT_DOUBLE_EQ(historical[0].value, -5000);
    EXPECT_TRUE(worst_case_losses(b.set(), settings_of(100, 0), Conventions::kCorrect).empty());
}

TEST(WorstCaseLosses, I35_MaxLossIsPercentOfPremiumAndOneLotDividesTheRatio) {
    TradesBuilder b;
    Trade& trade = b.add(day("2024-01-01"), -50);
    trade.contracts = 4;
    trade.margin_req = 8000;
    trade.premium = 700;  // cents a share: 4 * 7.00 * 100 = 2,800 dollars
    trade.premium_unit = PremiumUnit::kCents;
    trade.max_loss = -400;  // percent of that: 11,200 dollars
    trade.funds_at_close = 99'950;
    MonteCarloSettings s = settings_of(10, 10);
    EXPECT_DOUBLE_EQ(worst_case_losses(b.set(), s, Conventions::kCorrect)[0].loss_usd, 11'200);
    EXPECT_DOUBLE_EQ(worst_case_losses(b.set(), s, Conventions::kReference)[0].loss_usd, 8000);
    s.normalize_to_one_lot = true;
    const auto ours = worst_case_losses(b.set(), s, Conventions::kCorrect)[0];
    EXPECT_DOUBLE_EQ(ours.loss_ratio, 0.028);
    EXPECT_DOUBLE_EQ(ours.value, -2800);
    const auto theirs = worst_case_losses(b.set(), s, Conventions::kReference)[0];
    EXPECT_DOUBLE_EQ(theirs.value, -8000);  // the whole account's loss for one lot
    s.worst_case_sizing = WorstCaseSizing::kAbsolute;
    EXPECT_DOUBLE_EQ(worst_case_losses(b.set(), s, Conventions::kReference)[0].value, -2000);
}

TEST(MonteCarloPath, GuaranteeInsertsEveryEntryOnceAtUniformPlaces) {
    const std::vector<double> pool = {1, 1, 1};
    const std::vector<double> losses = {-100, -7000};
    PathPlan plan;
    plan.pool = pool;
    plan.worst_case = losses;
    plan.worst_case_mode = WorstCaseMode::kGuarantee;
    plan.length = 8;
    plan.seed = 11;
    plan.absorb_at_zero = false;
    plan.initial_capital = 1e6;
    plan.steps_per_year = 252;
    plan.band_steps = {1, 2, 3, 4, 5, 6, 7, 8};
    const PathSimulator simulator(plan);
    PathBuffers buffers;
    std::vector<double> bands(8);
    std::vector<int> at(8, 0);
    const int paths = 8000;
    for (std::uint64_t path = 0; path < paths; ++path) {
        const auto figures = simulator.run(path, buffers, bands);
        ASSERT_NEAR(figures.final_value, 1e6 + 6 - 7100, 1e-6);
        for (std::size_t i = 0; i < 8; ++i) {
            const double before = i == 0 ? 0 : bands[i - 1];
            at[i] += bands[i] - before < -0.005 ? 1 : 0;
        }
    }
    for (const int count : at) {
        EXPECT_NEAR(count, paths / 8, 6 * std::sqrt(paths / 8.0));
    }
}

TEST(MonteCarloPath, PercentageReturnsCompoundAndAbsorbAtZero) {
    PathPlan plan;
    const std::vector<double> steps = {0.1, -0.5, -1.5, 0.4};
    plan.compounding = true;
    plan.length = steps.size();
    plan.initial_capital = 1000;
    plan.steps_per_year = 4;
    plan.ruin_level = 600;
    plan.band_steps = {2, 4};
    std::vector<double> bands(2);
    PathBuffers buffers;
    const auto figures = PathSimulator(plan).follow(steps, buffers, bands);
    EXPECT_NEAR(bands[0], -0.45, 1e-15);
    EXPECT_EQ(bands[1], -1);
    EXPECT_EQ(figures.final_value, 0);
    EXPECT_EQ(figures.max_drawdown, 1);
    EXPECT_EQ(figures.annualized_return, -1);
    EXPECT_TRUE(figures.touched_zero);
    EXPECT_TRUE(figures.ruined);
}

TEST(MonteCarlo, RuinIsAShareOfPathsThatEverFellThatFar) {
    MonteCarloParameters p = quick();
    p.ruin_threshold = 0.02;
    const auto some = run_monte_carlo(drifting_block().set(), p, Conventions::kCorrect)->outcome;
    p.ruin_threshold = 0.05;
    const auto fewer = run_monte_carlo(drifting_block().set(), p, Conventions::kCorrect)->outcome;
    EXPECT_GT(*some.statistics.probability_of_ruin.value, 0);
    EXPECT_LT(*some.statistics.probability_of_ruin.value, 1);
    EXPECT_LT(*fewer.statistics.probability_of_ruin.value,
              *some.statistics.probability_of_ruin.value);
}

TEST(BandPoint, EqualsTheQuantilesOfTheSortedValues) {
    EXPECT_TRUE(rc::check([](std::vector<double> values) {
        values.erase(std::remove_if(values.begin(), values.end(),
                                    [](double v) { return !std::isfinite(v) || v > 1e100; }),
                     values.end());
        RC_PRE(!values.empty());
        std::vector<double> sorted = values;
        std::sort(sorted.begin(), sorted.end());
        const BandPoint point = band_point(values, 3);
        RC_ASSERT(point.p5 == *quantile_sorted(sorted, 0.05));
        RC_ASSERT(point.p25 == *quantile_sorted(sorted, 0.25));
        RC_ASSERT(point.p50 == *quantile_sorted(sorted, 0.5));
        RC_ASSERT(point.p75 == *quantile_sorted(sorted, 0.75));
        RC_ASSERT(point.p95 == *quantile_sorted(sorted, 0.95));
    }));
}

TEST(MonteCarlo, BandsWidenAndEndAtTheQuantilesOfTheTotalReturn) {
    MonteCarloParameters p = quick();
    p.simulations = 300;
    p.simulation_length = 500;
    p.band_points = kMaxBandPoints;
    const auto outcome = run_monte_carlo(drifting_block().set(), p, Conventions::kCorrect)->outcome;
    ASSERT_EQ(outcome.bands.size(), 200U);
    const BandPoint& last = outcome.bands.back();
    EXPECT_EQ(last.step, 500U);
    EXPECT_EQ(last.p5, *outcome.return_p5.value);
    EXPECT_EQ(last.p50, *outcome.return_p50.value);
    EXPECT_EQ(last.p95, *outcome.return_p95.value);
    for (const BandPoint& point : outcome.bands) {
        EXPECT_LE(point.p5, point.p25);
        EXPECT_LE(point.p25, point.p50);
        EXPECT_LE(point.p75, point.p95);
    }
    EXPECT_GT(last.p95 - last.p5, outcome.bands.front().p95 - outcome.bands.front().p5);
}

TEST(MonteCarlo, ScalingResultsAndCapitalScalesDollarsAndLeavesReturns) {
    TradesBuilder b = drifting_block();
    const auto once = run_monte_carlo(b.set(), quick(), Conventions::kCorrect)->outcome;
    for (Trade& trade : b.trades()) {
        trade.pl *= 4;
    }
    b.fund(400'000);
    const auto fourfold = run_monte_carlo(b.set(), quick(), Conventions::kCorrect)->outcome;
    EXPECT_NEAR(*fourfold.statistics.mean_final_value.value,
                4 * *once.statistics.mean_final_value.value, 1e-5);
    EXPECT_NEAR(*fourfold.return_p5.value, *once.return_p5.value, 1e-12);
    EXPECT_NEAR(*fourfold.statistics.mean_sharpe_ratio.value,
                *once.statistics.mean_sharpe_ratio.value, 1e-9);
}

TEST(MonteCarlo, TheWindowKeepsTheMostRecentEntries) {
    TradesBuilder b;
    for (int i = 0; i < 30; ++i) {
        b.add(day("2024-01-01").plus_days(i), i < 20 ? -1000 : 10);
    }
    b.fund(100'000);
    MonteCarloParameters p = quick();
    p.resample_window = 10;
    p.simulation_length = 12;
    const auto result = run_monte_carlo(b.set(), p, Conventions::kCorrect).value();
    EXPECT_EQ(result.settings.pool_size, 10U);
    EXPECT_EQ(result.settings.mean_block_length, 2U);  // round(cbrt(10))
    EXPECT_NEAR(*result.outcome.statistics.mean_final_value.value, 80'000 - 80'000 + 100'120, 1e-6);
}

TEST(MonteCarlo, OriginalOrderFollowsTheHistoryItself) {
    const TradesBuilder block = drifting_block(12);
    const auto path = original_order_path(block.set(), quick(), Conventions::kCorrect).value();
    ASSERT_EQ(path.size(), 12U);
    for (std::size_t i = 0; i < 12; ++i) {
        EXPECT_NEAR(100'000 * (1 + path[i]), *block.set().trades[i].funds_at_close, 1e-6);
    }
}

TEST(MonteCarlo, PercentageReturnsRelateEachTradeToTheAccountBeforeIt) {
    const TradesBuilder block = drifting_block(12);
    MonteCarloParameters p = quick();
    p.method = ResampleMethod::kPercentage;
    const auto path = original_order_path(block.set(), p, Conventions::kCorrect).value();
    // Compounding the historical shares retraces the historical account.
    EXPECT_NEAR(100'000 * (1 + path.back()), *block.set().trades.back().funds_at_close, 1e-6);
}

TEST(MonteCarlo, TheSimulatedStartDoesNotChangeHistoricalReturns) {
    const TradesBuilder block = drifting_block();
    MonteCarloParameters p = quick();
    p.method = ResampleMethod::kPercentage;
    const auto own = run_monte_carlo(block.set(), p, Conventions::kCorrect)->outcome;
    p.initial_capital = 7000;
    const auto small = run_monte_carlo(block.set(), p, Conventions::kCorrect)->outcome;
    EXPECT_NEAR(*small.return_p5.value, *own.return_p5.value, 1e-12);
    EXPECT_NEAR(*small.statistics.mean_final_value.value * 100 / 7,
                *own.statistics.mean_final_value.value, 1e-6);
}

TEST(MonteCarlo, ProgressOfStressedAndPlainPathsRunsThroughOnce) {
    std::vector<std::uint64_t> reports;
    MonteCarloParameters p = quick();
    p.include_worst_case = true;
    const RunContext context{1, {}, [&](const Progress& progress) {
                                 EXPECT_EQ(progress.total, 2000U);
                                 reports.push_back(progress.done);
                             }};
    ASSERT_TRUE(run_monte_carlo(drifting_block().set(), p, Conventions::kCorrect, context));
    EXPECT_TRUE(std::is_sorted(reports.begin(), reports.end()));
    EXPECT_EQ(reports.back(), 2000U);
    EXPECT_GT(reports.size(), 20U);
}

TEST(MonteCarlo, OneLotDividesResultsByContracts) {
    TradesBuilder b = drifting_block();
    const auto one = run_monte_carlo(b.set(), quick(), Conventions::kCorrect)->outcome;
    for (Trade& trade : b.trades()) {
        trade.pl *= 3;
        trade.contracts = 3;
    }
    MonteCarloParameters p = quick();
    p.normalize_to_one_lot = true;
    p.initial_capital = 100'000;
    const auto normalized = run_monte_carlo(b.set(), p, Conventions::kCorrect)->outcome;
    EXPECT_NEAR(*normalized.statistics.mean_final_value.value,
                *one.statistics.mean_final_value.value, 1e-6);
}

TEST(MonteCarlo, RefusesWhatItCannotSimulate) {
    const TradesBuilder block = drifting_block();
    const auto code = [&](const auto& change, const TradeSet& set) {
        MonteCarloParameters p = quick();
        change(p);
        const auto result = run_monte_carlo(set, p, Conventions::kCorrect);
        return result ? std::optional<ErrorCode>() : result.error().code;
    };
    using P = MonteCarloParameters;
    const auto bad = ErrorCode::kInvalidArgument;
    const TradeSet& set = block.set();
    EXPECT_EQ(code([](P& p) { p.simulations = 99; }, set), bad);
    EXPECT_EQ(code([](P& p) { p.simulations = 10'001; }, set), bad);
    EXPECT_EQ(code([](P& p) { p.simulation_length = 9; }, set), bad);
    EXPECT_EQ(code([](P& p) { p.resample_window = 4; }, set), bad);
    EXPECT_EQ(code([](P& p) { p.mean_block_length = 0; }, set), bad);
    EXPECT_EQ(code([](P& p) { p.ruin_threshold = 0; }, set), bad);
    EXPECT_EQ(code([](P& p) { p.initial_capital = -1; }, set), bad);
    EXPECT_EQ(code([](P& p) { p.initial_capital = 1e-320; }, set), bad);
    EXPECT_EQ(code([](P& p) { p.historical_capital = std::nan(""); }, set), bad);
    EXPECT_EQ(code([](P& p) { p.steps_per_year = 0.5; }, set), bad);
    EXPECT_EQ(code([](P& p) { p.worst_case_pct = 101; }, set), bad);
    EXPECT_EQ(code([](P& p) { p.band_points = 201; }, set), bad);
    EXPECT_EQ(code(
                  [](P& p) {
                      p.method = ResampleMethod::kPercentage;
                      p.worst_case_sizing = WorstCaseSizing::kAbsolute;
                  },
                  set),
              bad);
    EXPECT_EQ(code([](P& p) { p.simulation_length = kMaxSimulationLength + 1; }, set), bad);
    EXPECT_EQ(code(
                  [](P& p) {
                      p.simulation_length = kMaxSimulationLength;
                      p.simulations = 1001;
                  },
                  set),
              ErrorCode::kResourceExhausted);
    EXPECT_EQ(code([](P&) {}, drifting_block(9).set()), bad);
    TradesBuilder one_day;
    for (int i = 0; i < 12; ++i) {
        one_day.add(day("2024-01-01"), i);
    }
    EXPECT_EQ(code([](P& p) { p.method = ResampleMethod::kDaily; }, one_day.set()), bad);
}

TEST(MonteCarlo, StopsWhenCancelledAndReportsProgress) {
    CancelSource source;
    std::uint64_t reports = 0;
    const RunContext context{1, source.token(), [&](const Progress& p) {
                                 EXPECT_EQ(p.unit, "simulations");
                                 if (++reports == 2) {
                                     source.cancel();
                                 }
                             }};
    const auto result =
        run_monte_carlo(drifting_block().set(), quick(), Conventions::kCorrect, context);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
    EXPECT_EQ(reports, 2U);
}

void expect_finite(const std::optional<double>& value) {
    EXPECT_TRUE(!value || std::isfinite(*value));
}

TEST(MonteCarlo, ExtremeResultsGiveFiniteFiguresOrNotes) {
    for (const double size : {1e-308, 1e150, 1e300, 1.7e308}) {
        for (const auto method :
             {ResampleMethod::kTrades, ResampleMethod::kDaily, ResampleMethod::kPercentage}) {
            for (const auto conventions : {Conventions::kCorrect, Conventions::kReference}) {
                TradesBuilder b;
                for (int i = 0; i < 24; ++i) {
                    b.add(day("2024-01-01").plus_days(i / 2), i % 3 == 0 ? -size : size);
                }
                MonteCarloParameters p = quick();
                p.simulations = 200;
                p.method = method;
                p.band_points = 5;
                const auto result = run_monte_carlo(b.set(), p, conventions);
                if (!result) {
                    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
                    continue;
                }
                const auto& s = result->outcome.statistics;
                for (const Estimate& e :
                     {s.mean_final_value, s.median_final_value, s.std_final_value,
                      s.mean_total_return, s.mean_annualized_return, s.median_annualized_return,
                      s.mean_max_drawdown, s.mean_sharpe_ratio, result->outcome.return_p5}) {
                    expect_finite(e.value);
                    expect_finite(e.standard_error);
                }
                expect_finite(result->outcome.expected_shortfall_95.value);
                for (const BandPoint& point : result->outcome.bands) {
                    EXPECT_TRUE(std::isfinite(point.p5) && std::isfinite(point.p95));
                }
                EXPECT_EQ(s.std_final_value.value.has_value(),
                          std::none_of(result->notes.begin(), result->notes.end(),
                                       [](const Note& n) { return n.figure == "stdFinalValue"; }));
            }
        }
    }
}

}  // namespace
}  // namespace tb::analytics
