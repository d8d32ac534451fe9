// Pools of realized results, the error of quantiles, drawdown percentiles and ruin.
#include <cmath>

#include <gtest/gtest.h>

#include "analytics/monte_carlo.h"
#include "analytics/monte_carlo_summary.h"
#include "analytics/numerics.h"
#include "analytics/random.h"
#include "random_trades.h"

namespace tb::analytics {
namespace {

using test::day;
using test::TradesBuilder;

constexpr auto kCorrect = Conventions::kCorrect;

MonteCarloParameters parameters(std::uint64_t seed) {
    MonteCarloParameters p;
    p.seed = seed;
    p.band_points = 0;
    return p;
}

TEST(MonteCarloPool, HoldsResultsAsRealized) {
    // Opened first, closed last; two results of one day are one daily result.
    TradesBuilder b;
    for (int i = 0; i < 12; ++i) {
        b.add(day("2024-01-01").plus_days(i), 100.0 * (i + 1));
    }
    b.trades()[0].date_closed = day("2024-01-20");
    b.trades()[1].date_closed = day("2024-01-03");
    const auto path = original_order_path(b.set(), parameters(1), kCorrect).value();
    ASSERT_EQ(path.size(), 12U);
    EXPECT_NEAR(path[0] * 100'000, 200, 1e-6);  // with the assumed capital
    EXPECT_NEAR((path[11] - path[10]) * 100'000, 100, 1e-6);
    MonteCarloParameters daily = parameters(1);
    daily.method = ResampleMethod::kDaily;
    const auto days = original_order_path(b.set(), daily, kCorrect).value();
    ASSERT_EQ(days.size(), 11U);
    EXPECT_NEAR(days[0] * 100'000, 200 + 300, 1e-6);
    EXPECT_NEAR((days[10] - days[9]) * 100'000, 100, 1e-6);
    // From the first opening to the last realization.
    const auto settings = run_monte_carlo(b.set(), daily, kCorrect)->settings;
    EXPECT_NEAR(settings.steps_per_year, 11.0 / 19 * 365, 1e-9);
}

// The summary of paths that end uniformly within [0, 1]: the q-quantile of n of them has the
// deviation sqrt(q(1-q)/n).
TEST(MonteCarloErrors, OfTheFivePercentQuantileAreThoseOfTheOrderStatistics) {
    for (const std::size_t n : {100U, 200U, 1000U}) {
        double claimed = 0;
        double squares = 0;
        const int runs = 400;
        for (int run = 0; run < runs; ++run) {
            RandomStream random(static_cast<std::uint64_t>(run), n, RandomPurpose::kResample);
            std::vector<PathFigures> paths(n);
            for (PathFigures& path : paths) {
                path.total_return = random.next_unit();
            }
            MonteCarloSettings settings;
            settings.initial_capital = 1;
            std::vector<Note> notes;
            const auto p5 = summarize_paths(paths, settings, kCorrect, "", notes).return_p5;
            claimed += *p5.standard_error / runs;
            squares += (*p5.value - 0.05) * (*p5.value - 0.05) / runs;
        }
        EXPECT_NEAR(claimed / std::sqrt(0.05 * 0.95 / static_cast<double>(n)), 1, 0.08) << n;
        EXPECT_NEAR(claimed / std::sqrt(squares), 1, 0.15) << n;
    }
}

TEST(MonteCarloRisk, DrawdownPercentilesAndRuinComeWithoutBeingAskedFor) {
    std::vector<PathFigures> paths(101);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        paths[i].max_drawdown = static_cast<double>(i) / 100;
        paths[i].lowest = 1000 - 10.0 * static_cast<double>(i);
    }
    MonteCarloSettings settings;
    settings.initial_capital = 1000;
    std::vector<Note> notes;
    const MonteCarloOutcome outcome = summarize_paths(paths, settings, kCorrect, "", notes);
    for (std::size_t i = 0; i < kDrawdownLevels.size(); ++i) {
        EXPECT_NEAR(*outcome.max_drawdown[i].value, kDrawdownLevels[i], 1e-12);
    }
    const double touched[] = {91, 81, 71, 51, 26, 1};
    for (std::size_t i = 0; i < kRuinLevels.size(); ++i) {
        const double p = touched[i] / 101;
        EXPECT_NEAR(*outcome.ruin[i].value, p, 1e-12) << kRuinLevels[i];
        EXPECT_NEAR(*outcome.ruin[i].standard_error, std::sqrt(p * (1 - p) / 101), 1e-12);
    }
}

}  // namespace
}  // namespace tb::analytics
