#include "analytics/numerics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <rapidcheck.h>

#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::close_to;

TEST(CompensatedSum, KeepsWhatPlainAdditionLoses) {
    const std::vector<double> values = {1, 1e100, 1, -1e100};
    EXPECT_EQ(compensated_sum(values), 2);
    EXPECT_EQ(plain_sum(values), 0);
}

TEST(CompensatedSum, StaysInfiniteAfterOverflow) {
    EXPECT_EQ(compensated_sum(std::vector<double>{1e308, 1e308}),
              std::numeric_limits<double>::infinity());
}

TEST(Moments, OfKnownSample) {
    const std::vector<double> values = {2, 4, 4, 4, 5, 5, 7, 9};
    EXPECT_EQ(mean(values), 5);
    EXPECT_EQ(population_sd(values), 2);
    EXPECT_TRUE(close_to(sample_sd(values), std::sqrt(32.0 / 7)));
}

TEST(Moments, HaveNoValueForTooFewAndAreZeroForConstants) {
    EXPECT_EQ(mean({}), std::nullopt);
    EXPECT_EQ(sample_sd(std::vector<double>{3}), std::nullopt);
    EXPECT_EQ(population_sd(std::vector<double>{3}), 0);
    EXPECT_EQ(sample_sd(std::vector<double>{3, 3, 3}), 0);
}

TEST(Moments, MeanOfHugeValuesDoesNotOverflow) {
    EXPECT_TRUE(close_to(mean(std::vector<double>{1.5e308, 1.5e308, 1.2e308}), 1.4e308));
}

TEST(Quantile, Type7AsNumpyPercentile) {
    // numpy.percentile([1,2,4,8,16], [10,25,50,90]) = 1.4, 2, 4, 12.8
    const std::vector<double> values = {16, 1, 8, 2, 4};
    EXPECT_TRUE(close_to(quantile(values, 0.10), 1.4));
    EXPECT_TRUE(close_to(quantile(values, 0.25), 2));
    EXPECT_TRUE(close_to(median(values), 4));
    EXPECT_TRUE(close_to(quantile(values, 0.90), 12.8));
    EXPECT_EQ(quantile({}, 0.5), std::nullopt);
    EXPECT_EQ(quantile({7}, 0.3), 7);
}

TEST(Quantile, I41_InterpolationStaysInsideATieGroup) {
    // With weights that do not add up in binary the blended form falls below the tied value.
    const std::vector<double> tied = {-0.7, -0.7, -0.7, -0.7, -0.7, -0.7, -0.7};
    bool reference_fell_below = false;
    for (int i = 1; i < 1000; ++i) {
        const double q = i / 1000.0;
        EXPECT_EQ(quantile_sorted(tied, q), -0.7);
        reference_fell_below |= *quantile_sorted(tied, q, Conventions::kReference) < -0.7;
    }
    EXPECT_TRUE(reference_fell_below);
}

TEST(Quantile, SelectionEqualsSorting) {
    EXPECT_TRUE(rc::check([](std::vector<std::int16_t> raw) {
        RC_PRE(!raw.empty());
        std::vector<double> values(raw.begin(), raw.end());
        const double q = *rc::gen::inRange(0, 1001) / 1000.0;
        std::vector<double> sorted = values;
        std::sort(sorted.begin(), sorted.end());
        RC_ASSERT(quantile(values, q) == quantile_sorted(sorted, q));
    }));
}

TEST(Ranks, TiesGetTheMeanRank) {
    const std::vector<double> values = {30, 10, 20, 20, 40, 20};
    EXPECT_EQ(average_ranks(values), (std::vector<double>{5, 1, 3, 3, 6, 3}));
    EXPECT_TRUE(average_ranks({}).empty());
}

TEST(Rounding, HalvesGoUp) {
    EXPECT_EQ(round_half_up(2.5), 3);
    EXPECT_EQ(round_half_up(-2.5), -2);
    EXPECT_EQ(round_half_up(-2.6), -3);
}

TEST(Rounding, FixedUsesTheExactBinaryValue) {
    EXPECT_EQ(round_fixed(1.005, 2), 1.0);  // the double is below 1.005
    EXPECT_EQ(round_fixed(2.5, 0), 3);      // an exact tie goes away from zero
    EXPECT_EQ(round_fixed(-2.5, 0), -3);
    EXPECT_EQ(round_fixed(0.125, 2), 0.13);
    EXPECT_EQ(round_fixed(1.45, 1), 1.4);    // the double is below 1.45
    EXPECT_EQ(round_fixed(8.345, 2), 8.35);  // the double is above 8.345
    EXPECT_EQ(round_fixed(1e21, 2), 1e21);
}

TEST(Normal, DistributionMatchesTables) {
    // Abramowitz and Stegun table 26.1.
    EXPECT_TRUE(close_to(normal_cdf(1.96), 0.975002104851780, 1e-14));
    EXPECT_TRUE(close_to(normal_cdf(0), 0.5));
    EXPECT_NEAR(normal_cdf(-10) / 7.619853024160527e-24, 1, 1e-12);
}

TEST(Normal, I19_ReferenceApproximationIsOffBySevenDecimals) {
    const double exact = normal_p_two_sided(1.0, Conventions::kCorrect);
    const double reference = normal_p_two_sided(1.0, Conventions::kReference);
    EXPECT_TRUE(close_to(exact, 0.317310507862914, 1e-14));
    EXPECT_NE(reference, exact);
    EXPECT_NEAR(reference, exact, 3e-7);
    // Far out only erfc keeps a value at all.
    EXPECT_EQ(normal_p_two_sided(10, Conventions::kReference), 0);
    EXPECT_NEAR(normal_p_two_sided(10, Conventions::kCorrect) / 1.5239706048321e-23, 1, 1e-10);
}

TEST(Normal, QuantileInvertsTheDistribution) {
    for (const double p : {1e-300, 1e-12, 0.001, 0.02425, 0.3, 0.5, 0.77, 0.99, 1 - 1e-9}) {
        EXPECT_NEAR(normal_cdf(*normal_quantile(p)) / p, 1, 1e-12) << p;
        EXPECT_NEAR(*normal_quantile_acklam(p), *normal_quantile(p),
                    2e-9 * std::max(1.0, std::fabs(*normal_quantile(p))))
            << p;
    }
    EXPECT_TRUE(close_to(normal_quantile(0.975), 1.959963984540054, 1e-14));
    EXPECT_EQ(normal_quantile(0), std::nullopt);
    EXPECT_EQ(normal_quantile(1), std::nullopt);
    EXPECT_EQ(normal_quantile_acklam(-0.1), std::nullopt);
}

TEST(StudentT, ClosedFormsForOneTwoAndFourDegrees) {
    for (const double t : {0.0, 0.1, 0.7, 1.0, 2.5, 12.706, 400.0}) {
        const double one = 1 - 2 / std::numbers::pi * std::atan(t);
        EXPECT_NEAR(*student_t_p_two_sided(t, 1), one, 1e-13) << t;
        EXPECT_NEAR(*student_t_p_two_sided(-t, 2), 1 - t / std::sqrt(2 + t * t), 1e-13) << t;
        const double s = t / std::sqrt(4 + t * t);
        EXPECT_NEAR(*student_t_p_two_sided(t, 4), 1 - 1.5 * s + 0.5 * s * s * s, 1e-13) << t;
    }
    EXPECT_EQ(student_t_p_two_sided(std::numeric_limits<double>::infinity(), 3), 0);
    EXPECT_EQ(student_t_p_two_sided(1, 0), std::nullopt);
}

TEST(StudentT, ApproachesTheNormalLaw) {
    EXPECT_NEAR(*student_t_p_two_sided(1.5, 1e7), normal_p_two_sided(1.5, Conventions::kCorrect),
                1e-7);
}

TEST(Trend, OfNoisyLine) {
    // x = 0..4, y = 1,3,2,5,4: slope 0.8, intercept 1.4, SSres 3.6, SStot 10 by hand.
    const std::vector<double> y = {1, 3, 2, 5, 4};
    const auto trend = ols_trend(y, Conventions::kCorrect);
    ASSERT_TRUE(trend.has_value());
    EXPECT_TRUE(close_to(trend->slope, 0.8));
    EXPECT_TRUE(close_to(trend->intercept, 1.4));
    EXPECT_TRUE(close_to(trend->r_squared, 0.64));
    EXPECT_TRUE(close_to(trend->std_error, std::sqrt(1.2 / 10)));
    // scipy.stats.linregress: p = 0.10408803866182788
    EXPECT_TRUE(close_to(trend->p_value, 0.10408803866182788, 1e-12));
}

TEST(Trend, I21_PerfectLineIsCertainNotRandom) {
    const std::vector<double> line = {1, 2, 3, 4, 5};
    EXPECT_EQ(ols_trend(line, Conventions::kCorrect)->p_value, 0);
    EXPECT_NEAR(*ols_trend(line, Conventions::kReference)->p_value, 1, 1e-8);
}

TEST(Trend, I21_ThreePointsFollowStudentNotTheNormalLaw) {
    const std::vector<double> y = {1, 2, 2.5};
    EXPECT_NEAR(*ols_trend(y, Conventions::kCorrect)->p_value, 0.121, 5e-4);
    EXPECT_LT(*ols_trend(y, Conventions::kReference)->p_value, 3e-7);
}

TEST(Trend, HasNoTestWhereNothingCanBeTested) {
    EXPECT_EQ(ols_trend(std::vector<double>{1}, Conventions::kCorrect), std::nullopt);
    const auto two = ols_trend(std::vector<double>{1, 4}, Conventions::kCorrect);
    EXPECT_TRUE(close_to(two->slope, 3));
    EXPECT_EQ(two->p_value, std::nullopt);
    const auto flat = ols_trend(std::vector<double>{2, 2, 2}, Conventions::kCorrect);
    EXPECT_EQ(flat->p_value, std::nullopt);
    EXPECT_EQ(flat->r_squared, 0);
}

TEST(Trend, I21_KeepsThePositionsOfASeriesWithGaps) {
    const std::vector<double> x = {0, 1, 4};
    const std::vector<double> y = {0, 2, 8};
    EXPECT_TRUE(close_to(ols_trend(x, y, Conventions::kCorrect)->slope, 2));
    // Re-indexed, as the reference does, the same data would rise by 4 a step.
    EXPECT_TRUE(close_to(ols_trend(y, Conventions::kReference)->slope, 4));
}

}  // namespace
}  // namespace tb::analytics
