#include "analytics/correlation.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "analytics/correlation_kendall.h"
#include "random_trades.h"

namespace tb::analytics {
namespace {

using test::day;
using test::TradesBuilder;

// Straight from the definition, O(n^2).
KendallCounts count_pairs_slowly(const std::vector<double>& x, const std::vector<double>& y) {
    KendallCounts counts;
    for (std::size_t i = 0; i < x.size(); ++i) {
        for (std::size_t j = i + 1; j < x.size(); ++j) {
            ++counts.pairs;
            const bool tied_x = x[i] == x[j];
            const bool tied_y = y[i] == y[j];
            counts.ties_x += tied_x ? 1 : 0;
            counts.ties_y += tied_y ? 1 : 0;
            counts.ties_both += tied_x && tied_y ? 1 : 0;
            counts.discordant += !tied_x && !tied_y && ((x[i] < x[j]) != (y[i] < y[j])) ? 1 : 0;
        }
    }
    return counts;
}

KendallCounts count_pairs(const std::vector<double>& x, const std::vector<double>& y) {
    KendallScratch scratch;
    return kendall_counts(rank_series(x), rank_series(y), scratch);
}

TEST(Kendall, CountsAsTheDefinitionForAnySeriesWithTies) {
    EXPECT_TRUE(rc::check([](const std::vector<std::pair<int, int>>& raw) {
        std::vector<double> x;
        std::vector<double> y;
        for (const auto& [a, b] : raw) {
            x.push_back(a % 7);
            y.push_back(b % 11);
        }
        const KendallCounts fast = count_pairs(x, y);
        const KendallCounts slow = count_pairs_slowly(x, y);
        RC_ASSERT(fast.pairs == slow.pairs);
        RC_ASSERT(fast.ties_x == slow.ties_x);
        RC_ASSERT(fast.ties_y == slow.ties_y);
        RC_ASSERT(fast.ties_both == slow.ties_both);
        RC_ASSERT(fast.discordant == slow.discordant);
    }));
}

TEST(Kendall, CountsLongSeriesWithoutTiesAsTheDefinition) {
    std::vector<double> x;
    std::vector<double> y;
    RandomStream random(3, 1, RandomPurpose::kResample);
    for (int i = 0; i < 700; ++i) {
        x.push_back(random.next_unit());
        y.push_back(0.3 * x.back() + random.next_unit());
    }
    const auto slow = count_pairs_slowly(x, y);
    EXPECT_EQ(count_pairs(x, y).discordant, slow.discordant);
    EXPECT_EQ(count_pairs(x, y).numerator(), slow.pairs - 2 * slow.discordant);
}

TEST(Kendall, ComparesOnlyPositionsBothHave) {
    const std::vector<double> x = {1, 2, 3, 4, 5};
    const std::vector<double> y = {5, 1, 2, 9, 3};
    const std::vector<char> has_x = {1, 1, 1, 0, 1};
    const std::vector<char> has_y = {0, 1, 1, 1, 1};
    KendallScratch scratch;
    const auto counts = kendall_counts(rank_series(x, has_x), rank_series(y, has_y), scratch);
    EXPECT_EQ(counts.pairs, 3);  // positions 1, 2, 4
    EXPECT_DOUBLE_EQ(*counts.tau_b(), 1);
}

// Example of SciPy's kendalltau documentation: tau-b = -0.4714045207910316.
TEST(Kendall, MatchesThePublishedTauBExample) {
    EXPECT_NEAR(*count_pairs({12, 2, 1, 12, 2}, {1, 4, 7, 1, 0}).tau_b(), -0.4714045207910316,
                1e-15);
}

TEST(Kendall, I20_TauBOfIdenticalTiedSeriesIsOneWhereTauAIsDeflated) {
    const std::vector<double> tied = {-5, -5, -5, -5, -5, 2, 2, 2, 8, 8};
    const auto counts = count_pairs(tied, tied);
    EXPECT_DOUBLE_EQ(*counts.tau_b(), 1);
    EXPECT_DOUBLE_EQ(*counts.tau_a(), 31.0 / 45);
}

TEST(Kendall, HasNoValueForAConstantSideOrFewerThanTwoPoints) {
    EXPECT_FALSE(count_pairs({1, 1, 1}, {1, 2, 3}).tau_b());
    EXPECT_FALSE(count_pairs({1}, {2}).tau_a());
    EXPECT_FALSE(count_pairs({}, {}).tau_b());
    EXPECT_DOUBLE_EQ(*count_pairs({1, 1, 1}, {1, 2, 3}).tau_a(), 0);
}

TEST(Pearson, IsOneForALineAndKnowsNoConstantSide) {
    const std::vector<double> x = {1, 2, 4, 8};
    const std::vector<double> line = {-1, -3, -7, -15};
    const std::vector<double> flat = {3, 3, 3, 3};
    EXPECT_NEAR(*pearson(x, line, Conventions::kCorrect), -1, 1e-15);
    EXPECT_FALSE(pearson(x, flat, Conventions::kCorrect));
    EXPECT_EQ(pearson(x, flat, Conventions::kReference), 0);
    EXPECT_FALSE(pearson(std::vector<double>{1}, std::vector<double>{2}, Conventions::kCorrect));
}

TEST(Pearson, SurvivesTheLargestNumbers) {
    const std::vector<double> x = {1e308, -1e308, 5e307, 0};
    const std::vector<double> y = {1e308, -9e307, 4e307, 1e306};
    EXPECT_GT(*pearson(x, y, Conventions::kCorrect), 0.99);
    EXPECT_EQ(pearson(x, y, Conventions::kReference), 0);  // squares overflow
}

TEST(Pearson, StaysWithinOneAndIsUnchangedByScaling) {
    EXPECT_TRUE(rc::check([](const std::vector<std::pair<int, int>>& raw) {
        std::vector<double> x;
        std::vector<double> y;
        std::vector<double> scaled;
        for (const auto& [a, b] : raw) {
            x.push_back(a);
            y.push_back(b % 1000);
            scaled.push_back(3.5 * a);
        }
        const auto value = pearson(x, y, Conventions::kCorrect);
        const auto other = pearson(scaled, y, Conventions::kCorrect);
        RC_ASSERT(value.has_value() == other.has_value());
        if (value) {
            RC_ASSERT(std::fabs(*value) <= 1);
            RC_ASSERT(std::fabs(*value - *other) < 1e-9);
        }
    }));
}

// Two strategies over six days; Beta misses the third, Alpha the last.
TradesBuilder two_strategies() {
    TradesBuilder b({"Beta", "Alpha"});
    const Date monday = day("2024-12-30");
    const double alpha[] = {10, -20, 30, 5, -7};
    const double beta[] = {3, -9, 0, 4, -8, 6};
    for (int i = 0; i < 5; ++i) {
        b.add(monday.plus_days(i), alpha[i], 1);
    }
    for (int i = 0; i < 6; ++i) {
        if (i != 2) {
            b.add(monday.plus_days(i), beta[i], 0);
        }
    }
    return b;
}

TEST(CorrelationMatrix, SharedDaysAndZeroPaddingUseTheirOwnObservations) {
    CorrelationOptions options;
    options.min_samples = 2;
    const auto shared =
        correlation_matrix(two_strategies().set(), options, Conventions::kCorrect).value();
    EXPECT_EQ(shared.strategies, (std::vector<std::string>{"Alpha", "Beta"}));
    EXPECT_EQ(shared.sample_sizes[0][1], 4U);
    EXPECT_EQ(shared.sample_sizes[0][0], 5U);
    // Pairs of (10,3) (-20,-9) (5,4) (-7,-8): five concordant, (10,3)-(5,4) discordant.
    EXPECT_DOUBLE_EQ(*shared.matrix[0][1], 4.0 / 6);
    EXPECT_EQ(shared.trades_analyzed, 10U);

    options.alignment = Alignment::kZeroPad;
    const auto padded =
        correlation_matrix(two_strategies().set(), options, Conventions::kCorrect).value();
    const auto slow = count_pairs_slowly({10, -20, 30, 5, -7, 0}, {3, -9, 0, 4, -8, 6});
    EXPECT_DOUBLE_EQ(*padded.matrix[0][1], *slow.tau_b());
    EXPECT_EQ(padded.sample_sizes[0][1], 4U);
}

TEST(CorrelationMatrix, WeeksAreIsoWeeksAcrossNewYear) {
    const auto set = strategy_series(two_strategies().set(),
                                     {Normalization::kRaw, DateBasis::kOpened, TimePeriod::kWeekly},
                                     Conventions::kCorrect);
    ASSERT_EQ(set.series.size(), 2U);
    // 2024-12-30 .. 2025-01-04 is one week, 2025-W01, which starts on Monday 2024-12-30.
    ASSERT_EQ(set.series[0].periods.size(), 1U);
    EXPECT_EQ(period_start(set.series[0].periods[0], TimePeriod::kWeekly), day("2024-12-30"));
    EXPECT_DOUBLE_EQ(set.series[0].values[0], 18);
    const auto months = strategy_series(
        two_strategies().set(), {Normalization::kRaw, DateBasis::kOpened, TimePeriod::kMonthly},
        Conventions::kCorrect);
    ASSERT_EQ(months.series[0].periods.size(), 2U);
    EXPECT_EQ(period_start(months.series[0].periods[1], TimePeriod::kMonthly), day("2025-01-01"));
}

TEST(CorrelationMatrix, I17_ComparesNetResultsWhereTheReferenceIgnoresFees) {
    TradesBuilder b({"A", "B"});
    const double fees[] = {1, 40, 3, 25, 2, 11};
    for (int i = 0; i < 6; ++i) {
        b.add(day("2025-03-03").plus_days(i), 10.0 * (i % 4), 0);
        Trade& trade = b.add(day("2025-03-03").plus_days(i), 5.0 * (i % 4) + i, 1);
        trade.basis = PlBasis::kGrossBeforeFees;
        trade.opening_fees = fees[i];
    }
    CorrelationOptions options;
    options.method = CorrelationMethod::kPearson;
    options.min_samples = 2;
    std::vector<double> a;
    std::vector<double> net;
    std::vector<double> gross;
    for (int i = 0; i < 6; ++i) {
        a.push_back(10.0 * (i % 4));
        gross.push_back(5.0 * (i % 4) + i);
        net.push_back(gross.back() - fees[i]);
    }
    EXPECT_NEAR(*correlation_matrix(b.set(), options, Conventions::kCorrect)->matrix[0][1],
                *pearson(a, net, Conventions::kCorrect), 1e-12);
    EXPECT_NEAR(*correlation_matrix(b.set(), options, Conventions::kReference)->matrix[0][1],
                *pearson(a, gross, Conventions::kCorrect), 1e-12);
}

TEST(CorrelationMatrix, I38_AConstantSeriesHasNoCorrelationAndLeavesTheAverage) {
    TradesBuilder b({"A", "B", "Flat"});
    for (int i = 0; i < 12; ++i) {
        const Date d = day("2025-05-01").plus_days(i);
        b.add(d, 10.0 * i, 0);
        b.add(d, 4.0 * i + i % 3, 1);
        b.add(d, 25, 2);
    }
    for (const auto method :
         {CorrelationMethod::kKendall, CorrelationMethod::kSpearman, CorrelationMethod::kPearson}) {
        CorrelationOptions options;
        options.method = method;
        const auto ours = correlation_matrix(b.set(), options, Conventions::kCorrect).value();
        EXPECT_FALSE(ours.matrix[0][2]);
        EXPECT_EQ(ours.undefined_pairs.size(), 2U);
        EXPECT_EQ(ours.undefined_pairs[0].reason, UndefinedReason::kConstantSeries);
        EXPECT_EQ(ours.insufficient_data_pairs, 2U);
        EXPECT_DOUBLE_EQ(*ours.average, *ours.matrix[0][1]);
        EXPECT_FALSE(ours.warnings.empty());
        const auto theirs = correlation_matrix(b.set(), options, Conventions::kReference).value();
        EXPECT_EQ(*theirs.matrix[0][2], 0);
        EXPECT_NEAR(*theirs.average, *theirs.matrix[0][1] / 3, 1e-15);
    }
}

TEST(CorrelationMatrix, NormalizationLeavesOutTradesWithoutMarginOrPrice) {
    TradesBuilder b({"A", "B"});
    for (int i = 0; i < 4; ++i) {
        b.add(day("2025-03-03").plus_days(i), 7.0 + i, 0);
        b.add(day("2025-03-03").plus_days(i), 3.0 - i, 1).margin_req = 0;
    }
    CorrelationOptions options;
    options.series.normalization = Normalization::kMargin;
    const auto one = correlation_matrix(b.set(), options, Conventions::kReference).value();
    EXPECT_EQ(one.strategies, std::vector<std::string>{"A"});
    ASSERT_EQ(one.matrix.size(), 1U);
    EXPECT_EQ(one.sample_sizes[0][0], 4U);
    EXPECT_FALSE(one.average);
    options.series.normalization = Normalization::kNotional;
    EXPECT_TRUE(correlation_matrix(b.set(), options, Conventions::kCorrect)->strategies.empty());
}

TEST(CorrelationMatrix, RefusesOneStrategyAndOptionsOutOfBounds) {
    TradesBuilder b;
    b.add(day("2025-03-03"), 1);
    const auto one = correlation_matrix(b.set(), {}, Conventions::kCorrect);
    ASSERT_FALSE(one.has_value());
    EXPECT_EQ(one.error().code, ErrorCode::kInvalidArgument);
    CorrelationOptions options;
    options.min_samples = 1;
    EXPECT_FALSE(correlation_matrix(two_strategies().set(), options, Conventions::kCorrect));
    options.min_samples = 2;
    options.highlight_threshold = std::numeric_limits<double>::quiet_NaN();
    EXPECT_FALSE(correlation_matrix(two_strategies().set(), options, Conventions::kCorrect));
}

TEST(CorrelationMatrix, ListsPairsAboveTheThresholdByMagnitude) {
    TradesBuilder b({"A", "B", "C"});
    for (int i = 0; i < 10; ++i) {
        const Date d = day("2025-05-01").plus_days(i);
        b.add(d, i, 0);
        b.add(d, -2.0 * i, 1);
        b.add(d, (i * 7) % 10, 2);
    }
    const auto result = correlation_matrix(b.set(), {}, Conventions::kCorrect).value();
    ASSERT_EQ(result.highly_correlated.size(), 1U);
    EXPECT_DOUBLE_EQ(result.highly_correlated[0].value, -1);
    EXPECT_DOUBLE_EQ(result.weakest->value, -1);
    EXPECT_EQ(result.weakest->first, 0U);
    EXPECT_EQ(result.weakest->second, 1U);
}

TEST(CorrelationMatrix, DoesNotDependOnTheNumberOfThreads) {
    test::RandomBlock spec;
    spec.trades = 900;
    spec.strategies = {"a", "b", "c", "d", "e", "f", "g"};
    const TradeSet set = test::random_block(spec);
    const auto one = correlation_matrix(set, {}, Conventions::kCorrect, {1, {}, {}}).value();
    const auto many = correlation_matrix(set, {}, Conventions::kCorrect, {7, {}, {}}).value();
    EXPECT_EQ(one.matrix, many.matrix);
    EXPECT_EQ(one.average, many.average);
}

TEST(CorrelationMatrix, IsInterruptedByCancellation) {
    CancelSource source;
    source.cancel();
    const auto result = correlation_matrix(two_strategies().set(), {}, Conventions::kCorrect,
                                           {2, source.token(), {}});
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
}

TEST(CorrelationMatrix, ExtremeResultsNeverGiveANonFiniteFigure) {
    TradesBuilder b({"A", "B"});
    for (int i = 0; i < 12; ++i) {
        b.add(day("2025-05-01").plus_days(i), i % 2 == 0 ? 1e308 : -1e308, 0);
        b.add(day("2025-05-01").plus_days(i), i % 3 == 0 ? 1.7e308 : -1e308, 1);
        b.add(day("2025-05-01").plus_days(i), 1.7e308, 1);
    }
    for (const auto method :
         {CorrelationMethod::kKendall, CorrelationMethod::kSpearman, CorrelationMethod::kPearson}) {
        for (const auto conventions : {Conventions::kCorrect, Conventions::kReference}) {
            CorrelationOptions options;
            options.method = method;
            options.min_samples = 2;
            const auto result = correlation_matrix(b.set(), options, conventions).value();
            EXPECT_TRUE(!result.matrix[0][1] || std::isfinite(*result.matrix[0][1]));
            EXPECT_FALSE(result.warnings.empty());  // four days overflow and are left out
        }
    }
}

TEST(Utf16Less, PutsCharactersAboveTheBasicPlaneBeforePrivateUse) {
    EXPECT_TRUE(utf16_less("A", "B"));
    EXPECT_TRUE(utf16_less("A", "AA"));
    EXPECT_FALSE(utf16_less("A", "A"));
    EXPECT_TRUE(utf16_less("Z", "a"));
    EXPECT_TRUE(utf16_less("\xF0\x9F\x98\x80", "\xEF\xBF\xBD"));  // U+1F600 and U+FFFD
    EXPECT_FALSE(utf16_less("\xEF\xBF\xBD", "\xF0\x9F\x98\x80"));
    EXPECT_TRUE(utf16_less("\xC3\xA9", "\xF0\x9F\x98\x80"));
}

}  // namespace
}  // namespace tb::analytics
