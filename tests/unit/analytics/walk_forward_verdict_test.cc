// A verdict on a walk-forward analysis needs evidence.
#include <algorithm>

#include <gtest/gtest.h>

#include "analytics/walk_forward.h"
#include "random_trades.h"

namespace tb::analytics {
namespace {

using test::day;
using test::TradesBuilder;

constexpr auto kCorrect = Conventions::kCorrect;
constexpr auto kReference = Conventions::kReference;

template <class F>
TradesBuilder daily_block(int days, F result) {
    TradesBuilder b({"Alpha", "Beta"});
    for (int i = 0; i < days; ++i) {
        b.add(day("2024-01-01").plus_days(i), result(i), 0);
        b.add(day("2024-01-01").plus_days(i), result(i) / 2 + i % 3, 1);
    }
    b.fund(100'000);
    return b;
}

double winning(int i) {
    return i % 2 == 0 ? 300 : -200 - i % 7;
}

WalkForwardOptions optimizing(std::int32_t in_sample = 60, std::int32_t out_of_sample = 20) {
    WalkForwardOptions options;
    options.in_sample_days = in_sample;
    options.out_of_sample_days = out_of_sample;
    options.target = WalkForwardTarget::kNetPl;
    options.parameter_ranges = {{"strategy:Alpha", 0.5, 1, 0.5}, {"strategy:Beta", 0.5, 1, 0.5}};
    return options;
}

TEST(WalkForwardVerdict, BelowThreeWindowsThereIsNone) {
    const auto block = daily_block(110, winning);  // two whole windows
    const auto ours = run_walk_forward(block.set(), optimizing(), kCorrect).value();
    ASSERT_EQ(ours.periods.size(), 2U);
    EXPECT_FALSE(ours.verdict.overall);
    EXPECT_FALSE(ours.verdict.efficiency);
    EXPECT_FALSE(ours.verdict.stability);
    EXPECT_FALSE(ours.verdict.consistency);
    EXPECT_EQ(ours.verdict.reason,
              "no verdict: 2 of the 3 windows that are needed could be evaluated");
    const auto more = daily_block(120, winning);
    EXPECT_TRUE(run_walk_forward(more.set(), optimizing(), kCorrect)->verdict.overall);
    // The reference judges by one window.
    const auto one = daily_block(81, winning);
    EXPECT_TRUE(run_walk_forward(one.set(), optimizing(), kReference)->verdict.overall);
}

TEST(WalkForwardVerdict, WithoutAChoiceThereIsNone) {
    const auto block = daily_block(200, winning);
    auto options = optimizing();
    for (const auto& ranges :
         {std::vector<ParameterRange>(), std::vector<ParameterRange>{{"kellyMultiplier", 1, 1, 1}},
          std::vector<ParameterRange>{{"maxDrawdownPct", 50, 90, 10}}}) {
        options.parameter_ranges = ranges;
        const auto ours = run_walk_forward(block.set(), options, kCorrect).value();
        EXPECT_GE(ours.periods.size(), 3U);
        EXPECT_FALSE(ours.verdict.overall);
        EXPECT_NE(ours.verdict.reason.find("nothing was optimized"), std::string::npos);
        EXPECT_TRUE(run_walk_forward(block.set(), options, kReference)->verdict.overall);
    }
    options.parameter_ranges.clear();
    EXPECT_FALSE(run_walk_forward(block.set(), options, kCorrect)->summary.parameter_stability);
    EXPECT_FALSE(run_walk_forward(block.set(), options, kCorrect)->summary.robustness_score);
}

TEST(WalkForwardVerdict, ALossOutOfSampleIsNeverBetterThanPoor) {
    // Three of four stretches gain a little, the last loses more than all of them.
    const auto block = daily_block(140, [](int i) { return i < 120 ? winning(i) : -2'000.0 - i; });
    const auto ours = run_walk_forward(block.set(), optimizing(), kCorrect).value();
    ASSERT_EQ(ours.periods.size(), 4U);
    EXPECT_EQ(ours.verdict.consistency, Rating::kGood);  // 3 of 4
    EXPECT_EQ(ours.verdict.overall, Rating::kConcerning);
    EXPECT_EQ(ours.verdict.reason, "the out-of-sample result is negative");
    // Without that stretch it is good.
    const auto good = daily_block(120, winning);
    EXPECT_EQ(run_walk_forward(good.set(), optimizing(), kCorrect)->verdict.overall, Rating::kGood);
}

TEST(WalkForwardVerdict, DefaultsGiveFiveWindowsWhereTheDataAllowIt) {
    for (const int days : {60, 61, 100, 365, 800}) {
        const auto block = daily_block(days, winning);
        const auto ours = run_walk_forward(block.set(), {}, kCorrect).value();
        EXPECT_GE(ours.periods.size(), 5U) << days;
        EXPECT_FALSE(ours.out_of_sample_overlaps) << days;
        EXPECT_EQ(ours.in_sample_days, 5 * (days / 10)) << days;
        EXPECT_EQ(ours.out_of_sample_days, days / 10) << days;
    }
    WalkForwardOptions options;
    options.is_window_count = 3;
    options.oos_window_count = 2;
    const auto block = daily_block(130, winning);
    const auto ours = run_walk_forward(block.set(), options, kCorrect).value();
    EXPECT_EQ(ours.in_sample_days, 30);  // 130 / (3 + 5*2) = 10 days a part
    EXPECT_EQ(ours.out_of_sample_days, 20);
    EXPECT_EQ(ours.periods.size(), 5U);
    EXPECT_LT(run_walk_forward(block.set(), {}, kReference)->periods.size(), 3U);
}

TEST(WalkForwardVerdict, WhatWouldGiveFiveWindowsIsSaid) {
    // A trade every tenth day: 5 windows of 10 + 3 trades need 100 + 5*30 days.
    TradesBuilder sparse;
    for (int i = 0; i < 21; ++i) {
        sparse.add(day("2024-01-01").plus_days(10 * i), winning(i));
    }
    sparse.fund(100'000);
    const auto few = run_walk_forward(sparse.set(), {}, kCorrect).value();
    EXPECT_LT(few.periods.size(), 5U);
    EXPECT_TRUE(std::any_of(few.warnings.begin(), few.warnings.end(), [](const std::string& w) {
        return w.find("need about") != std::string::npos &&
               w.find("there are 201") != std::string::npos;
    }));
    const auto block = daily_block(200, winning);
    const auto wide = run_walk_forward(block.set(), optimizing(150, 40), kCorrect).value();
    EXPECT_TRUE(std::any_of(wide.warnings.begin(), wide.warnings.end(), [](const std::string& w) {
        return w.find("would leave room for 5") != std::string::npos;
    }));
}

}  // namespace
}  // namespace tb::analytics
