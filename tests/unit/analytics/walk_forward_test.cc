#include "analytics/walk_forward.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "analytics/numerics.h"
#include "analytics/returns.h"
#include "analytics/returns_order.h"
#include "analytics/statistics.h"
#include "analytics/walk_forward_grid.h"
#include "random_trades.h"

namespace tb::analytics {
namespace {

using test::day;
using test::TradesBuilder;

constexpr double kUndefined = -std::numeric_limits<double>::infinity();

double target_of(const PortfolioStatistics& s, WalkForwardTarget target) {
    switch (target) {
        case WalkForwardTarget::kNetPl:
            return s.net_pl;
        case WalkForwardTarget::kProfitFactor:
            return s.profit_factor.value_or(kUndefined);
        case WalkForwardTarget::kSharpeRatio:
            return s.sharpe_ratio.value_or(kUndefined);
        case WalkForwardTarget::kSortinoRatio:
            return s.sortino_ratio.value_or(kUndefined);
        case WalkForwardTarget::kCalmarRatio:
            return s.calmar_ratio.value_or(kUndefined);
        case WalkForwardTarget::kCagr:
            return s.cagr_pct.value_or(kUndefined);
        case WalkForwardTarget::kAvgDailyPl:
            return s.avg_daily_pl;
        case WalkForwardTarget::kWinRate:
            return s.win_rate;
    }
    return kUndefined;
}

// The whole analysis once more, slowly: every combination scales a copy of the trades, rebuilds
// their funds and runs the full portfolio statistics.
class SlowWalkForward {
  public:
    SlowWalkForward(const TradeSet& set, const WalkForwardOptions& options, Conventions conventions)
        : set_(set), options_(options), conventions_(conventions) {}

    struct Window {
        double in_sample = kUndefined;
        double out_of_sample = kUndefined;
        std::vector<double> parameters;
    };

    Window run(const WalkForwardWindow& w, const ParameterGrid& grid) {
        Window best;
        const auto is = within(w.in_sample_start, w.in_sample_end);
        double contracts = 0;
        for (const Trade& trade : is) {
            contracts += trade.contracts / static_cast<double>(is.size());
        }
        for (std::size_t c = 0; c < grid.size(); ++c) {
            const auto values = grid.values(c);
            const Scenario scenario = grid.scenario(values, contracts);
            const auto scaled = scale(is, capital(is, w.in_sample_start), scenario);
            const auto s = statistics(scaled);
            double longest = 0;
            double run = 0;
            for (const Trade& trade : scaled) {
                run = trade.pl < 0 ? run + 1 : 0;
                longest = std::max(longest, run);
            }
            const bool refused =
                s.max_drawdown_pct.value_or(1e9) > scenario.limits.max_drawdown_pct.value_or(1e9) ||
                longest > scenario.limits.consecutive_losses.value_or(1e9) ||
                (conventions_ == Conventions::kCorrect &&
                 scaled.size() < options_.min_in_sample_trades);
            const double target = target_of(s, options_.target);
            if (!refused && std::isfinite(target) && target > best.in_sample) {
                best.in_sample = target;
                best.parameters = values;
                const auto oos = within(w.out_of_sample_start, w.out_of_sample_end);
                best.out_of_sample =
                    target_of(statistics(scale(oos, capital(oos, w.out_of_sample_start), scenario)),
                              options_.target);
            }
        }
        return best;
    }

  private:
    [[nodiscard]] std::vector<Trade> within(Date from, Date to) const {
        std::vector<Trade> result;
        for (const Trade& t : set_.trades) {
            const Date d =
                conventions_ == Conventions::kReference ? t.date_opened : t.realized_on();
            if (d >= from && d <= to) {
                result.push_back(t);
            }
        }
        return result;
    }
    [[nodiscard]] double capital(const std::vector<Trade>& trades, Date from) const {
        if (conventions_ == Conventions::kReference) {
            return *initial_capital(trades, {}, conventions_).dollars;
        }
        double sum = *initial_capital(set_.trades, {}, conventions_).dollars;
        for (const Trade& t : set_.trades) {
            sum += t.realized_on() < from ? t.net_pl() : 0;
        }
        return sum;
    }
    [[nodiscard]] std::vector<Trade> scale(const std::vector<Trade>& trades, double start,
                                           const Scenario& scenario) const {
        std::vector<Trade> scaled;
        for (Trade t : trades) {
            const double factor = scenario.scale * scenario.weights[t.strategy];
            if (factor > 0) {
                t.pl *= factor;
                t.opening_fees *= factor;
                t.closing_fees *= factor;
                scaled.push_back(t);
            }
        }
        if (conventions_ == Conventions::kReference) {
            for (Trade& t : scaled) {
                t.funds_at_close = start += t.net_pl();
            }
        } else {
            for (const std::uint32_t i : closefull_order(scaled)) {
                scaled[i].funds_at_close = start += scaled[i].net_pl();
            }
        }
        return scaled;
    }
    [[nodiscard]] PortfolioStatistics statistics(const std::vector<Trade>& trades) const {
        return portfolio_statistics(trades, {}, {conventions_, options_.rates}).stats;
    }

    const TradeSet& set_;
    const WalkForwardOptions& options_;
    Conventions conventions_;
};

TEST(WalkForward, AgreesWithTheSlowImplementationForEveryTargetAndConvention) {
    test::RandomBlock spec;
    spec.trades = 260;
    spec.gross_basis = true;
    const TradeSet set = test::random_block(spec);
    for (const auto conventions : {Conventions::kCorrect, Conventions::kReference}) {
        for (int target = 0; target < 8; ++target) {
            WalkForwardOptions options;
            options.in_sample_days = 70;
            options.out_of_sample_days = 30;
            options.target = static_cast<WalkForwardTarget>(target);
            options.parameter_ranges = {{"strategy:beta", 0, 1, 0.5},
                                        {"kellyMultiplier", 0.5, 1.4, 0.6},
                                        {"fixedContracts", 0, 3, 3},
                                        {"maxDrawdownPct", 5, 5, 1},
                                        {"consecutiveLossLimit", 6, 6, 1}};
            const auto result = run_walk_forward(set, options, conventions).value();
            const auto grid =
                ParameterGrid::make(options.parameter_ranges, set.strategies, conventions).value();
            EXPECT_EQ(result.combinations, 18U);
            ASSERT_GE(result.periods.size(), 2U) << target;
            SlowWalkForward slow(set, options, conventions);
            for (const WalkForwardPeriod& period : result.periods) {
                const auto expected = slow.run(period.window, grid);
                const double tolerance = 1e-9 * std::max(1.0, std::fabs(expected.in_sample));
                EXPECT_NEAR(period.target_in_sample, expected.in_sample, tolerance) << target;
                ASSERT_EQ(period.target_out_of_sample.has_value(),
                          std::isfinite(expected.out_of_sample));
                if (period.target_out_of_sample) {
                    EXPECT_NEAR(*period.target_out_of_sample, expected.out_of_sample,
                                1e-9 * std::max(1.0, std::fabs(expected.out_of_sample)));
                }
            }
            for (const SkippedWindow& skipped : result.skipped) {
                if (skipped.reason == SkipReason::kNoAdmissibleCombination) {
                    EXPECT_EQ(slow.run(skipped.window, grid).in_sample, kUndefined);
                }
            }
        }
    }
}

// One trade a weekday for `days` days; results by day number.
template <class F>
TradesBuilder daily_block(int days, F result, std::vector<std::string> names = {"Alpha"}) {
    TradesBuilder b(std::move(names));
    for (int i = 0; i < days; ++i) {
        b.add(day("2024-01-01").plus_days(i), result(i));
    }
    b.fund(100'000);
    return b;
}

WalkForwardOptions windows(std::int32_t in_sample, std::int32_t out_of_sample,
                           WalkForwardTarget target = WalkForwardTarget::kNetPl) {
    WalkForwardOptions options;
    options.in_sample_days = in_sample;
    options.out_of_sample_days = out_of_sample;
    options.target = target;
    return options;
}

double zigzag(int i) {
    return i % 2 == 0 ? 300 : -200 - i % 7;
}

TEST(WalkForward, I31_EfficiencyIsUndefinedUnlessInSampleIsPositive) {
    // Losing everywhere, twice as fast out of sample.
    const auto losing =
        daily_block(120, [](int i) { return (i % 60 < 40 ? -100.0 : -200.0) + (i % 3) * 10; });
    auto options = windows(40, 20, WalkForwardTarget::kAvgDailyPl);
    options.step_days = 60;
    const auto ours = run_walk_forward(losing.set(), options, Conventions::kCorrect).value();
    EXPECT_FALSE(ours.summary.degradation_factor);
    EXPECT_FALSE(ours.summary.robustness_score);
    EXPECT_FALSE(ours.verdict.efficiency);
    EXPECT_LT(*ours.summary.performance_delta, -50);
    EXPECT_FALSE(ours.verdict.overall);  // of two windows
    EXPECT_FALSE(ours.notes.empty());
    const auto theirs = run_walk_forward(losing.set(), options, Conventions::kReference).value();
    EXPECT_GT(*theirs.summary.degradation_factor, 1.9);
    EXPECT_EQ(theirs.verdict.efficiency, Rating::kGood);
}

TEST(WalkForward, I31_NetProfitIsComparedPerDay) {
    const auto steady = daily_block(160, [](int i) { return i % 2 == 0 ? 300 : -200; });
    const auto options = windows(60, 20);
    const auto ours = run_walk_forward(steady.set(), options, Conventions::kCorrect).value();
    EXPECT_NEAR(*ours.summary.degradation_factor, 1, 1e-12);
    EXPECT_NEAR(*ours.summary.performance_delta, 0, 1e-12);
    const auto theirs = run_walk_forward(steady.set(), options, Conventions::kReference).value();
    EXPECT_LT(*theirs.summary.degradation_factor, 0.34);
    EXPECT_EQ(theirs.verdict.efficiency, Rating::kConcerning);
}

TEST(WalkForward, I30_ATruncatedLastWindowIsSkippedWithItsReason) {
    const auto block = daily_block(86, zigzag);  // the second OOS stretch has 6 of 20 days
    const auto options = windows(60, 20);
    const auto ours = run_walk_forward(block.set(), options, Conventions::kCorrect).value();
    ASSERT_EQ(ours.periods.size(), 1U);
    ASSERT_EQ(ours.skipped.size(), 1U);
    EXPECT_EQ(ours.skipped[0].reason, SkipReason::kOutOfSampleNotCovered);
    EXPECT_EQ(ours.skipped[0].out_of_sample_trades, 6U);
    EXPECT_EQ(run_walk_forward(block.set(), options, Conventions::kReference)->periods.size(), 2U);
    auto lenient = options;
    lenient.min_oos_coverage = 0.25;
    const auto kept = run_walk_forward(block.set(), lenient, Conventions::kCorrect).value();
    EXPECT_DOUBLE_EQ(kept.periods.at(1).out_of_sample_coverage, 0.3);
}

TEST(WalkForward, I32_ConsistencyNeedsAProfit) {
    // Two wins of three, and still a loss every three days.
    const auto losing = daily_block(140, [](int i) { return i % 3 == 0 ? -500.0 - i : 100; });
    for (const auto target : {WalkForwardTarget::kProfitFactor, WalkForwardTarget::kWinRate}) {
        const auto options = windows(60, 20, target);
        EXPECT_EQ(run_walk_forward(losing.set(), options, Conventions::kCorrect)
                      ->summary.consistency_score,
                  0);
        EXPECT_EQ(run_walk_forward(losing.set(), options, Conventions::kReference)
                      ->summary.consistency_score,
                  1);
    }
}

TEST(WalkForward, I28_OneLotDividesResultsByContracts) {
    TradesBuilder b;
    for (int i = 0; i < 100; ++i) {
        Trade& trade = b.add(day("2024-01-01").plus_days(i), zigzag(i));
        trade.contracts = i < 60 ? 1 : 5;
        trade.pl *= trade.contracts;
    }
    b.fund(100'000);
    auto options = windows(60, 20, WalkForwardTarget::kAvgDailyPl);
    options.normalize_to_one_lot = true;
    const auto ours = run_walk_forward(b.set(), options, Conventions::kCorrect).value();
    double one_lot = 0;
    for (int i = 60; i < 80; ++i) {
        one_lot += zigzag(i);
    }
    EXPECT_NEAR(ours.periods[0].out_of_sample_net_pl, one_lot, 1e-9);
    const auto theirs = run_walk_forward(b.set(), options, Conventions::kReference).value();
    EXPECT_NEAR(theirs.periods[0].out_of_sample_net_pl, 5 * one_lot, 1e-9);
}

TEST(WalkForward, I29_OneLengthImpliesTheOther) {
    const auto block = daily_block(200, zigzag);
    WalkForwardOptions options;
    options.in_sample_days = 50;  // 5 windows in sample to 1 out of sample
    EXPECT_EQ(run_walk_forward(block.set(), options, Conventions::kCorrect)->out_of_sample_days,
              10);
    const auto theirs = run_walk_forward(block.set(), options, Conventions::kReference).value();
    EXPECT_EQ(theirs.in_sample_days, 165);  // floor(199/6) * 5, the 50 days are forgotten
    EXPECT_EQ(theirs.out_of_sample_days, 33);
    options.in_sample_days.reset();
    options.out_of_sample_days = 8;
    EXPECT_EQ(run_walk_forward(block.set(), options, Conventions::kCorrect)->in_sample_days, 40);
}

TEST(WalkForward, I33_ReturnsChosenParametersAndReasonsForSkippedWindows) {
    // In sample the first strategy wins for 60 days, later the second does.
    TradesBuilder b({"Alpha", "Beta"});
    for (int i = 0; i < 160; ++i) {
        b.add(day("2024-01-01").plus_days(i), (i < 60 ? 200.0 : -150.0) + i % 3, 0);
        b.add(day("2024-01-01").plus_days(i), (i < 60 ? -120.0 : 260.0) - i % 4, 1);
    }
    b.fund(100'000);
    auto options = windows(60, 20);
    options.parameter_ranges = {{"strategy:Alpha", 0, 1, 1}, {"strategy:Beta", 0, 1, 1}};
    options.require_positive_net_pl = true;
    const auto result = run_walk_forward(b.set(), options, Conventions::kCorrect).value();
    EXPECT_EQ(result.parameter_names,
              (std::vector<std::string>{"strategy:Alpha", "strategy:Beta"}));
    EXPECT_EQ(result.periods.front().parameters, (std::vector<double>{1, 0}));
    EXPECT_EQ(result.periods.back().parameters, (std::vector<double>{0, 1}));
    ASSERT_EQ(result.recommended.size(), 2U);
    EXPECT_FALSE(result.recommended[0].stable);
    options.min_profit_factor = 1e6;
    options.parameter_ranges.clear();
    const auto none = run_walk_forward(b.set(), options, Conventions::kCorrect).value();
    EXPECT_TRUE(none.periods.empty());
    EXPECT_EQ(none.skipped.at(0).reason, SkipReason::kNoAdmissibleCombination);
    EXPECT_FALSE(none.summary.parameter_stability);
    EXPECT_FALSE(none.summary.consistency_score);
    EXPECT_FALSE(none.summary.avg_in_sample);
}

TEST(WalkForward, I51_UnknownNamesAreRefusedAndLimitsAreConstraints) {
    const auto block = daily_block(140, zigzag);
    auto options = windows(60, 20);
    options.parameter_ranges = {{"kelyMultiplier", 1, 3, 1}};
    const auto ours = run_walk_forward(block.set(), options, Conventions::kCorrect);
    ASSERT_FALSE(ours.has_value());
    EXPECT_EQ(ours.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(ours.error().message.find("kelyMultiplier"), std::string::npos);
    EXPECT_EQ(run_walk_forward(block.set(), options, Conventions::kReference)->combinations, 3U);
    options.parameter_ranges = {{"strategy:Nobody", 0, 1, 1}};
    EXPECT_FALSE(run_walk_forward(block.set(), options, Conventions::kCorrect));

    options.parameter_ranges = {{"maxDrawdownPct", 2, 10, 4}, {"kellyMultiplier", 1, 2, 1}};
    const auto limited = run_walk_forward(block.set(), options, Conventions::kCorrect).value();
    EXPECT_EQ(limited.combinations, 2U);
    EXPECT_EQ(limited.parameter_names, std::vector<std::string>{"kellyMultiplier"});
    EXPECT_FALSE(limited.warnings.empty());
    const auto theirs = run_walk_forward(block.set(), options, Conventions::kReference).value();
    EXPECT_EQ(theirs.combinations, 6U);
    EXPECT_EQ(theirs.recommended[0].value, 2);  // the tightest limit, by the order of ties
}

TEST(WalkForward, I52_FloorsAtOrBelowZeroAreHonoured) {
    const auto losing = daily_block(140, [](int i) { return -40.0 + (i % 5) * 3; });
    auto options = windows(60, 20);
    options.min_sharpe_ratio = 0;
    const auto ours = run_walk_forward(losing.set(), options, Conventions::kCorrect).value();
    EXPECT_TRUE(ours.periods.empty());
    EXPECT_FALSE(run_walk_forward(losing.set(), options, Conventions::kReference)->periods.empty());
}

TEST(WalkForward, I58_ResultsRealizedOutOfSampleStayOutOfTheFit) {
    TradesBuilder b({"Alpha"});
    for (int i = 0; i < 100; ++i) {
        Trade& trade = b.add(day("2024-01-01").plus_days(i), i == 59 ? 50'000 : 10.0 + i % 3);
        if (i == 59) {
            trade.date_closed = day("2024-01-01").plus_days(65);  // opened IS, closed OOS
        }
    }
    b.fund(100'000);
    const auto options = windows(60, 20);
    const auto ours = run_walk_forward(b.set(), options, Conventions::kCorrect).value();
    EXPECT_LT(ours.periods[0].target_in_sample, 1000);
    EXPECT_EQ(ours.periods[0].in_sample_trades, 59U);
    EXPECT_GT(*ours.periods[0].target_out_of_sample, 50'000);
    const auto theirs = run_walk_forward(b.set(), options, Conventions::kReference).value();
    EXPECT_GT(theirs.periods[0].target_in_sample, 50'000);

    auto overlapping = options;
    overlapping.step_days = 10;
    EXPECT_TRUE(
        run_walk_forward(b.set(), overlapping, Conventions::kCorrect)->out_of_sample_overlaps);
    EXPECT_FALSE(ours.out_of_sample_overlaps);
}

TEST(WalkForward, I59_TheEmptyCombinationCannotWin) {
    const auto losing = daily_block(140, [](int i) { return -100.0 - i % 9; });
    auto options = windows(60, 20);
    options.parameter_ranges = {{"strategy:alpha", 0, 1, 1}};
    const auto ours = run_walk_forward(losing.set(), options, Conventions::kCorrect).value();
    EXPECT_EQ(ours.periods.at(0).parameters, std::vector<double>{1});
    EXPECT_LT(ours.periods.at(0).target_in_sample, 0);
    const auto theirs = run_walk_forward(losing.set(), options, Conventions::kReference).value();
    EXPECT_EQ(theirs.periods.at(0).parameters, std::vector<double>{0});
    EXPECT_EQ(theirs.periods.at(0).target_in_sample, 0);
}

TEST(WalkForward, I17_TheDailyLossLimitSeesFees) {
    TradesBuilder b;
    for (int i = 0; i < 100; ++i) {
        Trade& trade = b.add(day("2024-01-01").plus_days(i), i % 4 == 0 ? -500 : 400);
        trade.basis = PlBasis::kGrossBeforeFees;
        trade.closing_fees = i == 20 ? 3000 : 1;
    }
    b.fund(100'000);
    auto options = windows(60, 20);
    options.parameter_ranges = {{"maxDailyLossPct", 2, 2, 1}};
    EXPECT_TRUE(run_walk_forward(b.set(), options, Conventions::kCorrect)->periods.empty());
    EXPECT_FALSE(run_walk_forward(b.set(), options, Conventions::kReference)->periods.empty());
}

// The profit factor of the IS trades as the reference works it out: P/L and fees scaled apart.
double reference_profit_factor(const TradeSet& set, const WalkForwardWindow& window,
                               double factor) {
    double profit = 0;
    double loss = 0;
    for (const Trade& t : set.trades) {
        if (t.date_opened < window.in_sample_start || t.date_opened > window.in_sample_end) {
            continue;
        }
        double net = t.pl * factor;
        if (t.basis == PlBasis::kGrossBeforeFees) {
            net = net - t.opening_fees * factor - t.closing_fees * factor;
        }
        profit += net > 0 ? net : 0;
        loss += net < 0 ? net : 0;
    }
    return profit / std::fabs(loss);
}

TEST(WalkForward, ReferenceLetsRoundingDecideBetweenScales) {
    test::RandomBlock spec;
    spec.gross_basis = true;
    auto options = windows(60, 20, WalkForwardTarget::kProfitFactor);
    options.parameter_ranges = {{"fixedFractionPct", 1, 4, 1.5}, {"kellyMultiplier", 0.1, 1, 0.3}};
    std::size_t later_than_first = 0;
    for (spec.seed = 1; spec.seed <= 5; ++spec.seed) {
        const TradeSet set = test::random_block(spec);
        const auto result = run_walk_forward(set, options, Conventions::kReference).value();
        ASSERT_FALSE(result.periods.empty());
        for (const WalkForwardPeriod& period : result.periods) {
            double best = 0;
            std::vector<double> chosen;
            for (const double fraction : {1.0, 2.5, 4.0}) {
                for (const double kelly : {0.1, 0.4, 0.7, 1.0}) {
                    const double figure =
                        reference_profit_factor(set, period.window, kelly * (fraction / 2));
                    if (figure > best) {
                        best = figure;
                        chosen = {fraction, kelly};
                    }
                }
            }
            EXPECT_EQ(period.parameters, chosen) << spec.seed;
            EXPECT_EQ(period.target_in_sample, best) << spec.seed;
            later_than_first += chosen == std::vector<double>{1, 0.1} ? 0 : 1;
        }
    }
    EXPECT_GT(later_than_first, 0U);
}

TEST(WalkForward, ReferenceCorrelatesTheScaledResults) {
    // Days of several small amounts: their sums tie, and no longer do when each part is scaled.
    constexpr double kAmounts[] = {0.1, 0.2, 0.3, -0.1, 0.4, -0.2, 0.7};
    TradesBuilder b({"Alpha", "Beta"});
    RandomStream random(3, 1, RandomPurpose::kResample);
    for (int i = 0; i < 120; ++i) {
        for (int trade = 0; trade < 4; ++trade) {
            b.add(day("2024-01-01").plus_days(i), kAmounts[random.next_below(7)],
                  static_cast<std::uint32_t>(trade % 2));
        }
    }
    b.fund(100'000);
    auto options = windows(60, 20, WalkForwardTarget::kNetPl);
    options.parameter_ranges = {{"kellyMultiplier", 0.7, 0.7, 1}};
    options.diversification.limit_correlation = true;
    options.diversification.max_correlation = 1;
    options.diversification.method = CorrelationMethod::kSpearman;
    const auto result = run_walk_forward(b.set(), options, Conventions::kReference).value();
    ASSERT_FALSE(result.periods.empty());
    bool rounding_counts = false;
    for (const WalkForwardPeriod& period : result.periods) {
        const auto average = [&](double factor) {
            TradeSet scaled;
            scaled.strategies = b.set().strategies;
            for (Trade trade : b.set().trades) {
                if (trade.date_opened >= period.window.out_of_sample_start &&
                    trade.date_opened <= period.window.out_of_sample_end) {
                    trade.pl *= factor;
                    scaled.trades.push_back(trade);
                }
            }
            CorrelationOptions correlation;
            correlation.method = CorrelationMethod::kSpearman;
            correlation.min_samples = 2;
            return *correlation_matrix(scaled, correlation, Conventions::kReference)->average;
        };
        EXPECT_EQ(*period.diversification->avg_correlation, average(0.7));
        rounding_counts = rounding_counts || average(0.7) != average(1);
    }
    EXPECT_TRUE(rounding_counts);
}

TEST(WalkForward, RoundingDoesNotDecideBetweenScales) {
    test::RandomBlock spec;
    spec.gross_basis = true;
    for (const auto target : {WalkForwardTarget::kProfitFactor, WalkForwardTarget::kWinRate}) {
        auto options = windows(60, 20, target);
        options.parameter_ranges = {{"strategy:Alpha", 1, 2, 1}, {"kellyMultiplier", 0.1, 1, 0.3}};
        for (spec.seed = 1; spec.seed <= 5; ++spec.seed) {
            const auto result =
                run_walk_forward(test::random_block(spec), options, Conventions::kCorrect).value();
            ASSERT_FALSE(result.periods.empty());
            for (const WalkForwardPeriod& period : result.periods) {
                EXPECT_EQ(period.parameters[1], 0.1);  // the first of equals
            }
            EXPECT_TRUE(std::any_of(
                result.warnings.begin(), result.warnings.end(),
                [](const std::string& w) { return w.starts_with("kellyMultiplier: the target"); }));
        }
        options.target = WalkForwardTarget::kNetPl;
        const auto sized =
            run_walk_forward(test::random_block(spec), options, Conventions::kCorrect).value();
        for (const std::string& warning : sized.warnings) {
            EXPECT_FALSE(warning.starts_with("kellyMultiplier")) << warning;
        }
    }
}

TEST(WalkForward, DiversificationLimitsRefuseStrategiesThatMoveTogether) {
    TradesBuilder b({"Alpha", "Beta"});
    for (int i = 0; i < 120; ++i) {
        b.add(day("2024-01-01").plus_days(i), zigzag(i), 0);
        b.add(day("2024-01-01").plus_days(i), 0.5 * zigzag(i) + 20, 1);
    }
    b.fund(100'000);
    auto options = windows(60, 20);
    options.diversification.limit_correlation = true;
    options.diversification.limit_tail_risk = true;
    for (const auto conventions : {Conventions::kCorrect, Conventions::kReference}) {
        EXPECT_TRUE(run_walk_forward(b.set(), options, conventions)->periods.empty());
        auto lenient = options;
        lenient.diversification.max_correlation = 1;
        lenient.diversification.max_tail_dependence = 1;
        const auto kept = run_walk_forward(b.set(), lenient, conventions).value();
        ASSERT_FALSE(kept.periods.empty());
        const auto& metrics = kept.periods[0].diversification;
        ASSERT_TRUE(metrics);
        EXPECT_GT(*metrics->max_correlation, 0.7);
        EXPECT_EQ(metrics->max_correlation_second, "Beta");
        EXPECT_EQ(metrics->total_pairs, 1U);
        EXPECT_GT(*kept.summary.avg_correlation, 0.7);
        // Leaving one strategy out satisfies both limits.
        auto weighted = options;
        weighted.parameter_ranges = {{"strategy:Beta", 0, 1, 1}};
        const auto alone = run_walk_forward(b.set(), weighted, conventions).value();
        ASSERT_FALSE(alone.periods.empty());
        EXPECT_EQ(alone.periods[0].parameters, std::vector<double>{0});
    }
}

TEST(WalkForward, ScalingAllResultsAndCapitalScalesDollarsAndLeavesRatios) {
    test::RandomBlock spec;
    spec.trades = 200;
    TradeSet set = test::random_block(spec);
    auto options = windows(60, 20, WalkForwardTarget::kSharpeRatio);
    const auto once = run_walk_forward(set, options, Conventions::kCorrect).value();
    for (Trade& trade : set.trades) {
        trade.pl *= 8;
        trade.opening_fees *= 8;
        trade.closing_fees *= 8;
        trade.funds_at_close = *trade.funds_at_close * 8;
    }
    const auto eight = run_walk_forward(set, options, Conventions::kCorrect).value();
    ASSERT_EQ(once.periods.size(), eight.periods.size());
    for (std::size_t i = 0; i < once.periods.size(); ++i) {
        EXPECT_NEAR(eight.periods[i].target_in_sample, once.periods[i].target_in_sample, 1e-9);
        EXPECT_NEAR(eight.periods[i].out_of_sample_net_pl, 8 * once.periods[i].out_of_sample_net_pl,
                    1e-6);
    }
}

TEST(WalkForward, IsTheSameForAnyThreadsAndStopsWhenCancelled) {
    test::RandomBlock spec;
    spec.trades = 160;
    const TradeSet set = test::random_block(spec);
    auto options = windows(50, 20, WalkForwardTarget::kCalmarRatio);
    options.parameter_ranges = {{"kellyMultiplier", 0.1, 3, 0.01}, {"strategy:Gamma", 0, 2, 1}};
    const auto one = run_walk_forward(set, options, Conventions::kCorrect, {1, {}, {}}).value();
    const auto many = run_walk_forward(set, options, Conventions::kCorrect, {6, {}, {}}).value();
    EXPECT_EQ(one.combinations, 873U);
    ASSERT_EQ(one.periods.size(), many.periods.size());
    for (std::size_t i = 0; i < one.periods.size(); ++i) {
        EXPECT_EQ(one.periods[i].parameters, many.periods[i].parameters);
        EXPECT_EQ(one.periods[i].target_in_sample, many.periods[i].target_in_sample);
    }
    CancelSource source;
    source.cancel();
    EXPECT_EQ(
        run_walk_forward(set, options, Conventions::kCorrect, {2, source.token(), {}}).error().code,
        ErrorCode::kInterrupted);
}

TEST(WalkForward, RefusesWhatItCannotAnalyze) {
    const auto block = daily_block(100, zigzag);
    const auto code = [&](const auto& change) {
        auto options = windows(60, 20);
        change(options);
        const auto result = run_walk_forward(block.set(), options, Conventions::kCorrect);
        return result ? std::optional<ErrorCode>() : result.error().code;
    };
    using O = WalkForwardOptions;
    const auto bad = ErrorCode::kInvalidArgument;
    EXPECT_EQ(code([](O& o) { o.is_window_count = 1; }), bad);
    EXPECT_EQ(code([](O& o) { o.in_sample_days = 6; }), bad);
    EXPECT_EQ(code([](O& o) { o.min_in_sample_trades = 4; }), bad);
    EXPECT_EQ(code([](O& o) { o.min_profit_factor = -1; }), bad);
    EXPECT_EQ(code([](O& o) { o.diversification.max_correlation = 2; }), bad);
    EXPECT_EQ(code([](O& o) { o.parameter_ranges = {{"kellyMultiplier", 2, 1, 1}}; }), bad);
    EXPECT_EQ(code([](O& o) { o.parameter_ranges = {{"kellyMultiplier", 1, 2, 0}}; }), bad);
    EXPECT_EQ(code([](O& o) {
                  o.parameter_ranges = {{"kellyMultiplier", 1, 2, std::nan("")}};
              }),
              bad);
    // Found by arithmetic: a grid of 1e18 values is never built.
    EXPECT_EQ(code([](O& o) {
                  o.parameter_ranges = {{"kellyMultiplier", 0, 1e9, 1e-9}};
              }),
              ErrorCode::kResourceExhausted);
    EXPECT_EQ(
        code([](O& o) {
            o.parameter_ranges = {{"kellyMultiplier", 1, 200, 1}, {"fixedContracts", 1, 200, 1}};
        }),
        ErrorCode::kResourceExhausted);
    const auto few = run_walk_forward(daily_block(19, zigzag).set(), {}, Conventions::kCorrect);
    EXPECT_EQ(few.error().code, bad);
    WalkForwardOptions many;
    many.is_window_count = 500;
    EXPECT_EQ(run_walk_forward(block.set(), many, Conventions::kCorrect).error().code, bad);
}

TEST(ParameterGrid, LastAxisVariesFastestAndAlwaysReachesTheMaximum) {
    const std::vector<ParameterRange> ranges = {{"kellyMultiplier", 0.1, 1, 0.4},
                                                {"fixedFractionPct", 1, 2, 1}};
    const auto grid = ParameterGrid::make(ranges, {}, Conventions::kCorrect).value();
    ASSERT_EQ(grid.size(), 8U);
    EXPECT_EQ(grid.values(0), (std::vector<double>{0.1, 1}));
    EXPECT_EQ(grid.values(1), (std::vector<double>{0.1, 2}));
    EXPECT_EQ(grid.values(5), (std::vector<double>{0.9, 2}));
    EXPECT_EQ(grid.values(7), (std::vector<double>{1, 2}));
    EXPECT_DOUBLE_EQ(grid.scenario(grid.values(5), 1).scale, 0.9);
    EXPECT_DOUBLE_EQ(grid.scenario(grid.values(0), 1).scale, 0.05);
}

TEST(WalkForward, ExtremeResultsGiveFiniteFiguresOrNotes) {
    for (const double size : {1e-308, 1e200, 1.7e308}) {
        for (const auto conventions : {Conventions::kCorrect, Conventions::kReference}) {
            for (int target = 0; target < 8; ++target) {
                const auto block =
                    daily_block(140, [&](int i) { return i % 3 == 0 ? -size : size; });
                const auto options = windows(60, 20, static_cast<WalkForwardTarget>(target));
                const auto result = run_walk_forward(block.set(), options, conventions).value();
                const auto& s = result.summary;
                for (const auto& figure : {s.avg_in_sample, s.avg_out_of_sample,
                                           s.degradation_factor, s.robustness_score}) {
                    EXPECT_TRUE(!figure || std::isfinite(*figure));
                }
                if (!s.degradation_factor) {
                    EXPECT_FALSE(result.notes.empty());
                }
                for (const auto& period : result.periods) {
                    EXPECT_TRUE(std::isfinite(period.target_in_sample));
                }
            }
        }
    }
}

}  // namespace
}  // namespace tb::analytics
