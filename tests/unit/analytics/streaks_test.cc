#include "analytics/streaks.h"

#include <cmath>

#include "analytics/numerics.h"
#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::close_to;

TEST(StreakCounts, AZeroEndsEitherStreak) {
    const StreakCounts counts = streak_counts(std::vector<double>{5, 3, 0, 2, -1, -4, -2, 0, -7});
    EXPECT_EQ(counts.max_win, 2);
    EXPECT_EQ(counts.max_loss, 3);
    EXPECT_EQ(counts.current, -1);
    EXPECT_EQ(streak_counts(std::vector<double>{1, 1, 0}).current, 0);
    EXPECT_EQ(streak_counts({}).max_win, 0);
}

TEST(StreakDistribution, CountsLengthsAndTakesZeroAsLoss) {
    const StreakDistribution d =
        streak_distribution(std::vector<double>{1, 2, -1, 3, 4, 0, -2, -3, 5});
    EXPECT_EQ(d.wins, (std::map<std::int64_t, std::int64_t>{{1, 1}, {2, 2}}));
    EXPECT_EQ(d.losses, (std::map<std::int64_t, std::int64_t>{{1, 1}, {3, 1}}));
    EXPECT_EQ(d.max_win, 2);
    EXPECT_EQ(d.max_loss, 3);
    EXPECT_TRUE(close_to(d.avg_win, 5.0 / 3));
    EXPECT_EQ(d.avg_loss, 2);
    EXPECT_EQ(streak_distribution({}).avg_win, 0);
}

TEST(RunsTest, ByHand) {
    // + + - - - + - + + -: 6 runs of 5 wins and 5 losses. E = 6, Var = 50*40/(100*9).
    const std::vector<double> pl = {1, 2, -1, -2, -3, 4, -5, 6, 7, -8};
    const auto test = runs_test(pl, 2, Conventions::kCorrect);
    ASSERT_TRUE(test.has_value());
    EXPECT_EQ(test->runs, 6);
    EXPECT_EQ(test->expected_runs, 6);
    EXPECT_EQ(test->z_score, 0);
    EXPECT_EQ(test->p_value, 1);
    EXPECT_EQ(test->pattern, RunsPattern::kRandom);
    EXPECT_FALSE(test->is_sufficient_sample);
    EXPECT_FALSE(runs_interpretation(*test).empty());
}

TEST(RunsTest, FindsClustersAndAlternation) {
    std::vector<double> clusters;
    std::vector<double> alternating;
    for (int i = 0; i < 40; ++i) {
        clusters.push_back(i / 10 % 2 == 0 ? 10 + i : -10 - i);
        alternating.push_back(i % 2 == 0 ? 10 + i : -10 - i);
    }
    const auto c = runs_test(clusters, 20, Conventions::kCorrect);
    EXPECT_EQ(c->runs, 4);
    EXPECT_EQ(c->pattern, RunsPattern::kClustered);
    EXPECT_TRUE(c->is_non_random);
    // E = 21, Var = 800*760/(1600*39).
    EXPECT_TRUE(close_to(c->z_score, (4 - 21) / std::sqrt(800.0 * 760 / (1600 * 39))));
    EXPECT_TRUE(close_to(c->p_value, std::erfc(-c->z_score / std::sqrt(2.0)), 1e-15));
    EXPECT_EQ(runs_test(alternating, 20, Conventions::kCorrect)->pattern,
              RunsPattern::kAlternating);
}

TEST(RunsTest, I19_PValueByErfc) {
    const std::vector<double> pl = {1,  2, 3, -1, -2, -3, -4, 5, 6, -5,
                                    -6, 7, 8, 9,  -7, -8, -9, 1, 2, 3};
    const auto ours = runs_test(pl, 20, Conventions::kCorrect);
    const auto reference = runs_test(pl, 20, Conventions::kReference);
    EXPECT_TRUE(close_to(ours->p_value, normal_p_two_sided(ours->z_score, Conventions::kCorrect)));
    EXPECT_NE(ours->p_value, reference->p_value);
    EXPECT_NEAR(ours->p_value, reference->p_value, 3e-7);
}

TEST(RunsTest, NeedsBothSidesAndEnoughTrades) {
    EXPECT_EQ(runs_test(std::vector<double>{1, 2, 3}, 2, Conventions::kCorrect), std::nullopt);
    EXPECT_EQ(runs_test(std::vector<double>{1, -2, 3}, 20, Conventions::kCorrect), std::nullopt);
    EXPECT_EQ(runs_test({}, 0, Conventions::kCorrect), std::nullopt);
}

}  // namespace
}  // namespace tb::analytics
