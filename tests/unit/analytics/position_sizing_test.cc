#include "analytics/position_sizing.h"

#include <cmath>

#include <gtest/gtest.h>

#include "random_trades.h"

namespace tb::analytics {
namespace {

using test::day;
using test::TradesBuilder;

// Wins and losses of fixed size: f = p - (1-p)/b.
void add_record(TradesBuilder& b, std::uint32_t strategy, int wins, double win, int losses,
                double loss) {
    for (int i = 0; i < wins + losses; ++i) {
        b.add(day("2024-01-01").plus_days(i), i < wins ? win : -loss, strategy);
    }
}

PositionSizingOptions base_options() {
    PositionSizingOptions options;
    options.capital_base = 80'000;
    return options;
}

TEST(PositionSizing, AppliesMultiplierAndCap) {
    TradesBuilder b;
    add_record(b, 0, 12, 150, 8, 100);  // p 0.6, b 1.5: f = 0.6 - 0.4/1.5 = 1/3
    auto options = base_options();
    const auto half = position_sizing(b.set(), options, Conventions::kCorrect).value();
    EXPECT_NEAR(half.portfolio.kelly.fraction, 1.0 / 3, 1e-12);
    EXPECT_NEAR(*half.portfolio.adjusted_fraction, 1.0 / 6, 1e-12);
    EXPECT_NEAR(*half.portfolio.recommended_allocation, 80'000.0 / 6, 1e-9);
    EXPECT_DOUBLE_EQ(*half.portfolio.full_kelly, 0.25);  // capped
    EXPECT_NEAR(*half.portfolio.quarter_kelly, 1.0 / 12, 1e-12);
    EXPECT_NEAR(half.strategies[0].raw_allocation, 80'000.0 / 3, 1e-9);
    EXPECT_FALSE(half.warnings.empty());  // 33 % is aggressive
    options.kelly_fraction = KellyFraction::kQuarter;
    options.max_allocation_pct = 5;
    const auto capped = position_sizing(b.set(), options, Conventions::kCorrect).value();
    EXPECT_DOUBLE_EQ(*capped.portfolio.adjusted_fraction, 0.05);
    EXPECT_DOUBLE_EQ(capped.strategies[0].adjusted_allocation, 4000);
}

TEST(PositionSizing, NegativeKellyAllocatesNothingAndCanBeDropped) {
    TradesBuilder b({"Good", "Bad"});
    add_record(b, 0, 12, 150, 8, 100);
    add_record(b, 1, 8, 100, 12, 150);
    auto options = base_options();
    const auto kept = position_sizing(b.set(), options, Conventions::kCorrect).value();
    ASSERT_EQ(kept.strategies.size(), 2U);
    EXPECT_EQ(kept.strategies[1].name, "Bad");
    EXPECT_LT(kept.strategies[1].kelly.fraction, 0);
    EXPECT_EQ(kept.strategies[1].adjusted_allocation, 0);
    options.include_negative_kelly = false;
    EXPECT_EQ(position_sizing(b.set(), options, Conventions::kCorrect)->strategies.size(), 1U);
}

TEST(PositionSizing, I42_AllocationsAboveTheCapitalAreScaledToFit) {
    TradesBuilder b({"A", "B", "C", "D", "E", "F"});
    for (std::uint32_t s = 0; s < 6; ++s) {
        add_record(b, s, 15 + static_cast<int>(s % 2), 200, 5, 100);
    }
    auto options = base_options();
    options.kelly_fraction = KellyFraction::kFull;
    const auto result = position_sizing(b.set(), options, Conventions::kCorrect).value();
    EXPECT_DOUBLE_EQ(result.total_allocation, 120'000);  // six times the cap of 25 %
    EXPECT_DOUBLE_EQ(result.total_allocation_pct, 150);
    double scaled = 0;
    for (const auto& strategy : result.strategies) {
        EXPECT_DOUBLE_EQ(strategy.adjusted_allocation, 20'000);
        scaled += strategy.scaled_allocation;
    }
    EXPECT_NEAR(scaled, 80'000, 1e-9);
    EXPECT_FALSE(result.warnings.empty());
}

TEST(PositionSizing, I18_MarginReturnsAreUsedWhenAskedFor) {
    TradesBuilder b;
    add_record(b, 0, 12, 150, 8, 100);
    for (Trade& trade : b.trades()) {
        trade.margin_req = trade.pl > 0 ? 3000 : 1000;  // wins 5 %, losses 10 % of margin
    }
    auto options = base_options();
    options.use_margin_returns = true;
    const auto ours = position_sizing(b.set(), options, Conventions::kCorrect).value();
    EXPECT_NEAR(ours.portfolio.kelly.fraction, 0.6 - 0.4 / 0.5, 1e-12);
    EXPECT_EQ(ours.portfolio.kelly.method, KellyMethod::kPercentage);
    const auto theirs = position_sizing(b.set(), options, Conventions::kReference).value();
    EXPECT_NEAR(theirs.portfolio.kelly.fraction, 1.0 / 3, 1e-12);
    EXPECT_EQ(theirs.portfolio.kelly.method,
              KellyMethod::kPercentage);  // its label, not its figure
}

TEST(PositionSizing, I17_KellyIsTakenFromNetResults) {
    TradesBuilder b;
    add_record(b, 0, 12, 150, 8, 100);
    for (Trade& trade : b.trades()) {
        trade.basis = PlBasis::kGrossBeforeFees;
        trade.opening_fees = 50;
    }
    const auto ours = position_sizing(b.set(), base_options(), Conventions::kCorrect).value();
    EXPECT_NEAR(ours.portfolio.kelly.fraction, 0.6 - 0.4 / (100.0 / 150), 1e-12);
    const auto theirs = position_sizing(b.set(), base_options(), Conventions::kReference).value();
    EXPECT_NEAR(theirs.portfolio.kelly.fraction, 1.0 / 3, 1e-12);
}

TEST(PositionSizing, WithoutALossThereIsNoFractionAndANote) {
    TradesBuilder b;
    add_record(b, 0, 12, 150, 0, 0);
    const auto result = position_sizing(b.set(), base_options(), Conventions::kCorrect).value();
    EXPECT_FALSE(result.portfolio.kelly.has_valid_kelly);
    EXPECT_FALSE(result.portfolio.adjusted_fraction);
    EXPECT_FALSE(result.portfolio.quarter_kelly);
    EXPECT_EQ(result.notes.size(), 5U);
    EXPECT_EQ(result.strategies[0].adjusted_allocation, 0);
}

TEST(PositionSizing, SkipsStrategiesWithFewTradesAndSortsTheRest) {
    TradesBuilder b({"zeta", "Alpha", "Tiny"});
    add_record(b, 0, 12, 150, 8, 100);
    add_record(b, 1, 11, 150, 9, 100);
    add_record(b, 2, 3, 50, 2, 40);
    auto options = base_options();
    const auto names = [&] {
        std::vector<std::string> result;
        const auto sized = position_sizing(b.set(), options, Conventions::kCorrect).value();
        for (const auto& s : sized.strategies) {
            result.push_back(s.name);
        }
        return result;
    };
    EXPECT_EQ(names(), (std::vector<std::string>{"zeta", "Alpha"}));
    options.descending = false;
    EXPECT_EQ(names(), (std::vector<std::string>{"Alpha", "zeta"}));
    options.sort_by = SizingSort::kName;
    EXPECT_EQ(names(), (std::vector<std::string>{"Alpha", "zeta"}));
    options.descending = true;
    options.sort_by = SizingSort::kPayoffRatio;  // equal: order of first appearance
    EXPECT_EQ(names(), (std::vector<std::string>{"zeta", "Alpha"}));
    const auto result = position_sizing(b.set(), options, Conventions::kCorrect).value();
    ASSERT_EQ(result.skipped.size(), 1U);
    EXPECT_EQ(result.skipped[0].name, "Tiny");
    EXPECT_EQ(result.skipped[0].trade_count, 5);
}

TEST(PositionSizing, RefusesOptionsOutOfBoundsAndNoTrades) {
    TradesBuilder b;
    add_record(b, 0, 2, 10, 1, 5);
    for (const double capital : {0.0, -5.0, std::nan(""), HUGE_VAL}) {
        auto options = base_options();
        options.capital_base = capital;
        EXPECT_EQ(position_sizing(b.set(), options, Conventions::kCorrect).error().code,
                  ErrorCode::kInvalidArgument);
    }
    auto options = base_options();
    options.max_allocation_pct = 101;
    EXPECT_FALSE(position_sizing(b.set(), options, Conventions::kCorrect));
    options = base_options();
    options.min_trades = 0;
    EXPECT_FALSE(position_sizing(b.set(), options, Conventions::kCorrect));
    EXPECT_FALSE(position_sizing(TradeSet{}, base_options(), Conventions::kCorrect));
}

TEST(PositionSizing, ExtremeResultsStayFinite) {
    for (const double size : {1e-300, 1e200, 1.7e308}) {
        TradesBuilder b;
        add_record(b, 0, 12, size, 8, size / 2);
        const auto result = position_sizing(b.set(), base_options(), Conventions::kCorrect).value();
        EXPECT_TRUE(std::isfinite(result.portfolio.kelly.fraction)) << size;
        EXPECT_TRUE(std::isfinite(result.total_allocation)) << size;
        EXPECT_EQ(result.notes.empty(), result.portfolio.kelly.has_valid_kelly) << size;
    }
}

}  // namespace
}  // namespace tb::analytics
