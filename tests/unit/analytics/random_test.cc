#include "analytics/random.h"

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace tb::analytics {
namespace {

using Words4 = std::array<std::uint32_t, 4>;

// Known answers published with Random123 (kat_vectors, philox4x32 with 10 rounds).
TEST(RandomPhilox, GivesThePublishedKnownAnswers) {
    EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
              (Words4{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    const std::uint32_t ones = 0xffffffff;
    EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
              (Words4{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(
        philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
        (Words4{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, HandsOutTheBlocksOfItsCounterInOrder) {
    const std::uint64_t seed = 0x0123456789abcdef;
    RandomStream random(seed, 5, RandomPurpose::kWorstCase);
    for (std::uint32_t block = 0; block < 9; ++block) {
        for (const std::uint32_t word : philox4x32({block, 1, 5, 0}, {0x89abcdef, 0x01234567})) {
            ASSERT_EQ(random.next_bits(), word) << block;
        }
    }
}

TEST(RandomStream, IsReproducibleAndDiffersBySeedStreamAndPurpose) {
    const auto first = [](std::uint64_t seed, std::uint64_t stream, RandomPurpose purpose) {
        return RandomStream(seed, stream, purpose).next_bits();
    };
    const auto base = first(42, 7, RandomPurpose::kResample);
    EXPECT_EQ(base, first(42, 7, RandomPurpose::kResample));
    std::set<std::uint32_t> seen{base};
    seen.insert(first(43, 7, RandomPurpose::kResample));
    seen.insert(first(42, 8, RandomPurpose::kResample));
    seen.insert(first(42, 7, RandomPurpose::kWorstCase));
    seen.insert(first(42 + (std::uint64_t{1} << 32), 7, RandomPurpose::kResample));
    seen.insert(first(42, 7 + (std::uint64_t{1} << 32), RandomPurpose::kResample));
    EXPECT_EQ(seen.size(), 6U);
}

// Pearson's statistic against its normal limit: mean k-1, variance 2(k-1); 6 sigma.
TEST(RandomStream, NextBelowIsUniformAlsoForBoundsThatDoNotDivideThePowerOfTwo) {
    for (const std::uint32_t bound : {1U, 3U, 7U, 384U}) {
        RandomStream random(5, bound, RandomPurpose::kResample);
        const std::size_t draws = 40'000;
        std::vector<double> counts(bound, 0);
        for (std::size_t i = 0; i < draws; ++i) {
            const std::uint32_t value = random.next_below(bound);
            ASSERT_LT(value, bound);
            counts[value] += 1;
        }
        const double expected = static_cast<double>(draws) / bound;
        double statistic = 0;
        for (const double count : counts) {
            statistic += (count - expected) * (count - expected) / expected;
        }
        EXPECT_LE(std::fabs(statistic - (bound - 1)), 6 * std::sqrt(2.0 * bound)) << bound;
    }
}

TEST(RandomStream, NextBelowAcceptsTheLargestBound) {
    RandomStream random(1, 1, RandomPurpose::kResample);
    EXPECT_LT(random.next_below(std::numeric_limits<std::uint32_t>::max()),
              std::numeric_limits<std::uint32_t>::max());
}

TEST(RandomStream, NextUnitHasMeanOneHalfAndVarianceOneTwelfth) {
    RandomStream random(0xffffffffffffffff, 3, RandomPurpose::kWorstCase);
    const int n = 100'000;
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < n; ++i) {
        const double u = random.next_unit();
        ASSERT_GE(u, 0);
        ASSERT_LT(u, 1);
        sum += u;
        squares += (u - 0.5) * (u - 0.5);
    }
    EXPECT_NEAR(sum / n, 0.5, 6 * std::sqrt(1.0 / 12 / n));
    EXPECT_NEAR(squares / n, 1.0 / 12, 6 * std::sqrt(1.0 / 180 / n));
}

TEST(RandomStream, EventThresholdIsExactAtTheEndsAndNearTheProbabilityBetween) {
    EXPECT_EQ(event_threshold(0), 0U);
    EXPECT_EQ(event_threshold(-1), 0U);
    EXPECT_EQ(event_threshold(std::numeric_limits<double>::quiet_NaN()), 0U);
    EXPECT_EQ(event_threshold(1), std::uint64_t{1} << 32);
    EXPECT_EQ(event_threshold(2), std::uint64_t{1} << 32);
    EXPECT_EQ(event_threshold(0.25), std::uint64_t{1} << 30);
    RandomStream random(9, 9, RandomPurpose::kResample);
    int hits = 0;
    for (int i = 0; i < 50'000; ++i) {
        hits += random.next_event(event_threshold(1.0 / 7)) ? 1 : 0;
        ASSERT_TRUE(random.next_event(event_threshold(1)));
        ASSERT_FALSE(random.next_event(event_threshold(0)));
    }
    EXPECT_NEAR(hits / 50'000.0, 1.0 / 7, 6 * std::sqrt(6.0 / 49 / 50'000));
}

}  // namespace
}  // namespace tb::analytics
