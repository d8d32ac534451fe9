#include "analytics/tail_risk.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "analytics/tail_risk_eigen.h"
#include "random_trades.h"

namespace tb::analytics {
namespace {

using test::day;
using test::TradesBuilder;

SquareMatrix matrix_of(std::initializer_list<std::initializer_list<double>> rows) {
    SquareMatrix m(rows.size());
    std::size_t i = 0;
    for (const auto& row : rows) {
        std::size_t j = 0;
        for (const double value : row) {
            m.at(i, j++) = value;
        }
        ++i;
    }
    return m;
}

TEST(SymmetricEigen, RebuildsAnySymmetricMatrixFromOrthonormalVectors) {
    EXPECT_TRUE(rc::check([](const std::vector<int>& raw) {
        const auto n = static_cast<std::size_t>(std::sqrt(static_cast<double>(raw.size())));
        SquareMatrix m(n);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j <= i; ++j) {
                m.at(i, j) = m.at(j, i) = raw[i * n + j] % 100;
            }
        }
        const Eigen eigen = symmetric_eigen(m, {}).value();
        for (std::size_t i = 0; i < n; ++i) {
            if (i > 0) {
                RC_ASSERT(eigen.values[i] <= eigen.values[i - 1]);
            }
            for (std::size_t j = 0; j < n; ++j) {
                double rebuilt = 0;
                double dot = 0;
                for (std::size_t k = 0; k < n; ++k) {
                    rebuilt += eigen.values[k] * eigen.vectors.at(k, i) * eigen.vectors.at(k, j);
                    dot += eigen.vectors.at(i, k) * eigen.vectors.at(j, k);
                }
                RC_ASSERT(std::fabs(rebuilt - m.at(i, j)) < 1e-10 * 100 * static_cast<double>(n));
                RC_ASSERT(std::fabs(dot - (i == j ? 1 : 0)) < 1e-12);
            }
        }
    }));
}

TEST(SymmetricEigen, KnowsTheClosedFormOfEqualCorrelations) {
    const Eigen eigen =
        symmetric_eigen(matrix_of({{1, .3, .3}, {.3, 1, .3}, {.3, .3, 1}}), {}).value();
    EXPECT_NEAR(eigen.values[0], 1.6, 1e-15);
    EXPECT_NEAR(eigen.values[1], 0.7, 1e-15);
    EXPECT_NEAR(eigen.values[2], 0.7, 1e-15);
}

TEST(ClipToCorrelation, GivesUnitDiagonalAndNoNegativeEigenvalue) {
    const auto broken = matrix_of({{1, .9, .9}, {.9, 1, -.9}, {.9, -.9, 1}});
    const Eigen before = symmetric_eigen(broken, {}).value();
    ASSERT_LT(before.values.back(), -0.5);
    const SquareMatrix repaired = clip_to_correlation(before);
    const Eigen after = symmetric_eigen(repaired, {}).value();
    EXPECT_GT(after.values.back(), -1e-14);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(repaired.at(i, i), 1);
    }
    EXPECT_GT(repaired.at(0, 1), 0);
    EXPECT_LT(repaired.at(1, 2), 0);
}

// Higham 2002, section 4.1, and the tridiagonal matrix of his nearest-correlation notes.
TEST(NearestCorrelation, AgreesWithPublishedExamples) {
    const auto small =
        nearest_correlation(matrix_of({{1, 1, 0}, {1, 1, 1}, {0, 1, 1}}), {}).value();
    EXPECT_TRUE(small.converged);
    EXPECT_NEAR(small.matrix.at(0, 1), 0.7607, 5e-5);
    EXPECT_NEAR(small.matrix.at(0, 2), 0.1573, 5e-5);
    EXPECT_NEAR(small.matrix.at(1, 2), 0.7607, 5e-5);
    EXPECT_NEAR(small.distance, 0.5278, 5e-5);
    const auto tridiagonal =
        nearest_correlation(
            matrix_of({{2, -1, 0, 0}, {-1, 2, -1, 0}, {0, -1, 2, -1}, {0, 0, -1, 2}}), {})
            .value();
    EXPECT_NEAR(tridiagonal.matrix.at(0, 1), -0.8084, 5e-5);
    EXPECT_NEAR(tridiagonal.matrix.at(0, 2), 0.1916, 5e-5);
    EXPECT_NEAR(tridiagonal.matrix.at(0, 3), 0.1068, 5e-5);
    EXPECT_NEAR(tridiagonal.matrix.at(1, 2), -0.6562, 5e-5);
}

TEST(NearestCorrelation, IsACorrelationMatrixAndNearerThanClipping) {
    rc::check([] {
        const auto n = *rc::gen::inRange<std::size_t>(2, 7);
        SquareMatrix matrix(n);
        for (std::size_t i = 0; i < n; ++i) {
            matrix.at(i, i) = 1;
            for (std::size_t j = 0; j < i; ++j) {
                matrix.at(i, j) = *rc::gen::inRange(-100, 101) / 100.0;
                matrix.at(j, i) = matrix.at(i, j);
            }
        }
        const auto nearest = nearest_correlation(matrix, {}).value();
        RC_ASSERT(nearest.converged);
        const Eigen eigen = symmetric_eigen(nearest.matrix, {}).value();
        RC_ASSERT(eigen.values.back() > -1e-9);
        const SquareMatrix clipped = clip_to_correlation(symmetric_eigen(matrix, {}).value());
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
            RC_ASSERT(nearest.matrix.at(i, i) == 1);
            for (std::size_t j = 0; j < n; ++j) {
                sum += std::pow(clipped.at(i, j) - matrix.at(i, j), 2);
            }
        }
        RC_ASSERT(nearest.distance <= std::sqrt(sum) + 1e-7);
        // A correlation matrix is its own nearest one.
        const auto again = nearest_correlation(nearest.matrix, {}).value();
        RC_ASSERT(again.distance <= 1e-7);
    });
}

TEST(TailRisk, ContributionsAddUpToAHundredPercent) {
    const auto first = [](int i) { return static_cast<double>(i); };
    const auto second = [](int i) { return i >= 3 && i <= 8 ? i - 500.0 : i * 1.5; };
    TradesBuilder b({"First", "Second", "Third"});
    for (int i = 0; i < 60; ++i) {
        b.add(day("2024-01-01").plus_days(i), first(i), 0);
        b.add(day("2024-01-01").plus_days(i), second(i), 1);
        b.add(day("2024-01-01").plus_days(i), (i * 37) % 60, 2);
    }
    const auto result = tail_risk(b.set(), {}, Conventions::kCorrect).value();
    double sum = 0;
    for (const TailRiskContribution& one : result.contributions) {
        sum += *one.tail_risk_contribution;
        EXPECT_GT(*one.tail_risk_contribution, 0);
    }
    EXPECT_NEAR(sum, 100, 1e-9);
}

// Two strategies on the same `days` days with the given results.
template <class F, class G>
TradesBuilder pair_of(int days, F first, G second) {
    TradesBuilder b({"First", "Second"});
    for (int i = 0; i < days; ++i) {
        b.add(day("2024-01-01").plus_days(i), first(i), 0);
        b.add(day("2024-01-01").plus_days(i), second(i), 1);
    }
    return b;
}

TEST(TailRisk, TellsIdenticalTailsFromDisjointOnes) {
    const auto rising = [](int i) { return 10.0 * i - 300; };
    const auto same = tail_risk(pair_of(60, rising, rising).set(), {}, Conventions::kCorrect);
    ASSERT_TRUE(same.has_value());
    EXPECT_EQ(same->status, TailRiskStatus::kComplete);
    EXPECT_DOUBLE_EQ(same->highest->value, 1);
    EXPECT_DOUBLE_EQ(*same->copula_correlation[0][1], 1);
    EXPECT_EQ(same->level, TailRiskLevel::kHigh);
    EXPECT_EQ(same->effective_factors, 1U);
    EXPECT_NEAR(same->eigenvalues[0], 2, 1e-14);
    EXPECT_EQ(same->tail_days, (std::vector<std::size_t>{6, 6}));  // ranks 0..5 of 0..59

    const auto falling = [](int i) { return 290 - 10.0 * i; };
    const auto apart = tail_risk(pair_of(60, rising, falling).set(), {}, Conventions::kCorrect);
    EXPECT_DOUBLE_EQ(apart->highest->value, 0);
    EXPECT_EQ(apart->level, TailRiskLevel::kLow);
    EXPECT_DOUBLE_EQ(*apart->copula_correlation[0][1], -1);
}

TEST(TailRisk, JointRiskIsTheConditionalShareInBothDirections) {
    // First's worst six days are 0..5; Second's are 3..8.
    const auto first = [](int i) { return static_cast<double>(i); };
    const auto second = [](int i) { return i >= 3 && i <= 8 ? i - 500.0 : i * 1.5; };
    const auto result = tail_risk(pair_of(60, first, second).set(), {}, Conventions::kCorrect);
    EXPECT_DOUBLE_EQ(*result->joint_tail_risk[0][1], 0.5);
    EXPECT_DOUBLE_EQ(*result->joint_tail_risk[1][0], 0.5);
    EXPECT_DOUBLE_EQ(*result->average, 0.5);
    EXPECT_EQ(result->high_risk_pairs_share, 0);
    EXPECT_EQ(result->level, TailRiskLevel::kModerate);
    ASSERT_EQ(result->contributions.size(), 2U);
    EXPECT_NEAR(*result->contributions[0].tail_risk_contribution, 50, 1e-9);
}

// For 15 equal losses the reference's threshold can round below the tie group; which layouts do
// depends on the normal score of the tied rank. Ours never does.
TEST(TailRisk, I41_ATailOfEqualLossesStaysInTheTail) {
    int vanished = 0;
    for (int losses = 8; losses < 40; ++losses) {
        const auto results = [&](int i) { return i < losses ? -250.0 : 40.0 + i; };
        const TradeSet set = pair_of(40, results, results).set();
        const auto ours = tail_risk(set, {}, Conventions::kCorrect).value();
        ASSERT_TRUE(ours.highest) << losses;
        EXPECT_DOUBLE_EQ(ours.highest->value, 1) << losses;
        EXPECT_EQ(ours.tail_days[0], static_cast<std::size_t>(losses));
        const auto theirs = tail_risk(set, {}, Conventions::kReference).value();
        if (!theirs.highest) {
            ++vanished;
            EXPECT_EQ(theirs.average, 0);
            EXPECT_EQ(theirs.level, TailRiskLevel::kLow);
        }
    }
    EXPECT_GT(vanished, 0);
}

TEST(TailRisk, I39_TooFewSharedDaysGiveNoFigureInsteadOfLowRisk) {
    // 50 days in the union, only 20 of them shared.
    TradesBuilder b({"First", "Second"});
    for (int i = 0; i < 35; ++i) {
        b.add(day("2024-01-01").plus_days(i), i * 3.0 - 20, 0);
        b.add(day("2024-01-01").plus_days(i + 15), i * 2.0 - 30, 1);
    }
    TailRiskOptions options;
    options.min_trading_days = 30;
    const auto ours = tail_risk(b.set(), options, Conventions::kCorrect).value();
    EXPECT_EQ(ours.status, TailRiskStatus::kInsufficientData);
    EXPECT_EQ(ours.shared_days[0][1], 20U);
    EXPECT_FALSE(ours.highest);
    EXPECT_FALSE(ours.average);
    EXPECT_FALSE(ours.level);
    EXPECT_FALSE(ours.effective_factors);
    EXPECT_TRUE(ours.eigenvalues.empty());
    EXPECT_FALSE(ours.contributions[0].tail_risk_contribution);
    EXPECT_FALSE(ours.warnings.empty());

    options.min_trading_days = 500;
    const auto theirs = tail_risk(b.set(), options, Conventions::kReference).value();
    EXPECT_EQ(theirs.average, 0);
    EXPECT_EQ(theirs.level, TailRiskLevel::kLow);
    EXPECT_EQ(theirs.insufficient_directions, 0U);
    EXPECT_EQ(theirs.eigenvalues, (std::vector<double>{1, 1}));
    EXPECT_EQ(tail_risk(b.set(), options, Conventions::kCorrect)->average, std::nullopt);
}

// A moves with B on one stretch and with C on another, while B and C oppose each other on a third:
// no joint distribution has these pairwise correlations.
TEST(TailRisk, I40_AMatrixThatIsNoCorrelationMatrixIsRepairedAndSaidSo) {
    TradesBuilder b({"A", "B", "C"});
    for (int i = 0; i < 40; ++i) {
        const double x = (i * 17) % 41 - 20;
        b.add(day("2024-01-01").plus_days(i), x, 0);
        b.add(day("2024-01-01").plus_days(i), x, 1);
        b.add(day("2024-03-01").plus_days(i), x, 0);
        b.add(day("2024-03-01").plus_days(i), x, 2);
        b.add(day("2024-05-01").plus_days(i), x, 1);
        b.add(day("2024-05-01").plus_days(i), -x, 2);
    }
    const auto ours = tail_risk(b.set(), {}, Conventions::kCorrect).value();
    EXPECT_TRUE(ours.copula_repaired);
    EXPECT_NEAR(ours.smallest_raw_eigenvalue, -1, 1e-12);  // 1,1,-1 off the diagonal
    EXPECT_GE(ours.eigenvalues.back(), 0);
    EXPECT_NEAR(*ours.copula_correlation[0][1], 0.5, 1e-12);
    EXPECT_NEAR(ours.explained_variance.back(), 1, 1e-12);
    EXPECT_LE(ours.explained_variance[1], 1 + 1e-12);
    // Idle days of the reference count as zero P/L: concordance falls, so does each entry.
    const auto theirs = tail_risk(b.set(), {}, Conventions::kReference).value();
    EXPECT_FALSE(theirs.copula_repaired);
    EXPECT_LT(*theirs.copula_correlation[0][1], 0.99);
}

TEST(TailRisk, I40_TauIsTakenOverDaysBothTraded) {
    // Shared days agree perfectly; each also trades alone for a long time.
    TradesBuilder b({"First", "Second"});
    for (int i = 0; i < 40; ++i) {
        b.add(day("2024-01-01").plus_days(i), i - 10.5, 0);
        b.add(day("2024-01-01").plus_days(i), 2.0 * i - 21, 1);
        b.add(day("2024-06-01").plus_days(i), i - 20.5, 0);
        b.add(day("2024-09-01").plus_days(i), 20.5 - i, 1);
    }
    const auto ours = tail_risk(b.set(), {}, Conventions::kCorrect).value();
    EXPECT_DOUBLE_EQ(*ours.copula_correlation[0][1], 1);
    const auto theirs = tail_risk(b.set(), {}, Conventions::kReference).value();
    EXPECT_LT(*theirs.copula_correlation[0][1], 0.7);
}

TEST(TailRisk, I17_UsesNetResults) {
    // The same gross results; fees alone decide which days are Second's worst.
    TradesBuilder b({"First", "Second"});
    for (int i = 0; i < 60; ++i) {
        b.add(day("2024-01-01").plus_days(i), i, 0);
        Trade& trade = b.add(day("2024-01-01").plus_days(i), i, 1);
        trade.basis = PlBasis::kGrossBeforeFees;
        trade.closing_fees = 2.0 * i;
    }
    EXPECT_DOUBLE_EQ(tail_risk(b.set(), {}, Conventions::kCorrect)->highest->value, 0);
    EXPECT_DOUBLE_EQ(tail_risk(b.set(), {}, Conventions::kReference)->highest->value, 1);
}

TEST(TailRisk, I7_TheReferenceFilterIsCaseSensitiveAndSearchesLegs) {
    TradesBuilder b({"Iron Condor", "Put Spread"});
    b.add(day("2024-01-02"), 1, 0).legs = "1 Jan 2 4700 P STO 1.20";
    b.add(day("2024-01-03"), 2, 1).legs = "SPX 1 Jan 3 4650 P STO 1.10";
    const auto named = filter_tail_risk_reference(b.set(), {{"iron condor"}, {}, {}});
    EXPECT_TRUE(named.trades.empty());
    TradeFilter ours;
    ours.strategies = {"iron condor"};
    EXPECT_EQ(filter_trades(b.set(), ours).trades.size(), 1U);
    EXPECT_EQ(filter_tail_risk_reference(b.set(), {{}, "SPX", {}}).trades.size(), 1U);
    ours = {};
    ours.ticker = "spx";
    EXPECT_EQ(filter_trades(b.set(), ours).trades.size(), 2U);
}

TEST(TailRisk, AnswersForNoTradesAndOneStrategy) {
    const auto none = tail_risk(TradeSet{}, {}, Conventions::kCorrect).value();
    EXPECT_TRUE(none.strategies.empty());
    EXPECT_FALSE(none.first_day);
    EXPECT_FALSE(none.warnings.empty());
    TradesBuilder b;
    b.add(day("2024-01-02"), -5);
    const auto one = tail_risk(b.set(), {}, Conventions::kReference).value();
    EXPECT_EQ(one.trading_days, 0U);
    EXPECT_EQ(one.eigenvalues, std::vector<double>{1});
    EXPECT_EQ(one.contributions[0].tail_risk_contribution, 100);
    EXPECT_EQ(tail_risk(b.set(), {}, Conventions::kCorrect)->trading_days, 1U);
}

TEST(TailRisk, RefusesOptionsOutOfBoundsAndTooManyStrategies) {
    const TradeSet set = pair_of(
                             40, [](int i) { return i; }, [](int i) { return -i; })
                             .set();
    for (const auto& [tail, variance, days] :
         {std::tuple{0.6, 0.8, 30}, {0.1, 0.3, 30}, {0.1, 0.8, 9}, {std::nan(""), 0.8, 30}}) {
        TailRiskOptions options;
        options.tail_threshold = tail;
        options.variance_threshold = variance;
        options.min_trading_days = static_cast<std::size_t>(days);
        EXPECT_EQ(tail_risk(set, options, Conventions::kCorrect).error().code,
                  ErrorCode::kInvalidArgument);
    }
    std::vector<std::string> names;
    for (std::size_t s = 0; s <= kMaxTailRiskStrategies; ++s) {
        names.push_back("s" + std::to_string(s));
    }
    TradesBuilder many(names);
    for (std::uint32_t s = 0; s < names.size(); ++s) {
        many.add(day("2024-01-02"), s, s);
    }
    EXPECT_EQ(tail_risk(many.set(), {}, Conventions::kCorrect).error().code,
              ErrorCode::kResourceExhausted);
}

TEST(TailRisk, IsTheSameForAnyThreadsAndStopsWhenCancelled) {
    test::RandomBlock spec;
    spec.trades = 900;
    spec.strategies = {"a", "b", "c", "d", "e"};
    const TradeSet set = test::random_block(spec);
    const auto one = tail_risk(set, {}, Conventions::kCorrect, {1, {}, {}}).value();
    const auto many = tail_risk(set, {}, Conventions::kCorrect, {4, {}, {}}).value();
    EXPECT_EQ(one.joint_tail_risk, many.joint_tail_risk);
    EXPECT_EQ(one.eigenvalues, many.eigenvalues);
    double total = 0;
    for (const auto& part : one.contributions) {
        total += *part.concentration;
    }
    EXPECT_NEAR(total, 1, 1e-12);
    CancelSource source;
    source.cancel();
    EXPECT_EQ(tail_risk(set, {}, Conventions::kCorrect, {2, source.token(), {}}).error().code,
              ErrorCode::kInterrupted);
}

TEST(TailRisk, ExtremeResultsNeverGiveANonFiniteFigure) {
    const auto wild = [](int i) { return i % 2 == 0 ? 1.7e308 : -1.7e308; };
    TradesBuilder b = pair_of(60, wild, wild);
    b.add(day("2024-01-01"), 1.7e308, 0);  // overflows the day
    for (const auto conventions : {Conventions::kCorrect, Conventions::kReference}) {
        const auto result = tail_risk(b.set(), {}, conventions).value();
        EXPECT_TRUE(std::isfinite(*result.copula_correlation[0][1]));
        EXPECT_TRUE(std::isfinite(*result.average));
        EXPECT_FALSE(result.warnings.empty());
    }
}

}  // namespace
}  // namespace tb::analytics
