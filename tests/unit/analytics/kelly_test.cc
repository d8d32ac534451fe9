#include "analytics/kelly.h"

#include <cmath>
#include <limits>

#include <rapidcheck.h>

#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::close_to;
using test::make_set;
using test::make_trade;

// Three wins of 200, two losses of 150, one break-even; margins 1000, 2000, 1000, 500, 4000, 100.
std::vector<Trade> sample() {
    std::vector<Trade> trades = {
        make_trade("2025-01-02", "2025-01-02", 200),  make_trade("2025-01-03", "2025-01-03", 200),
        make_trade("2025-01-06", "2025-01-06", 200),  make_trade("2025-01-07", "2025-01-07", -150),
        make_trade("2025-01-08", "2025-01-08", -150), make_trade("2025-01-09", "2025-01-09", 0)};
    const double margins[] = {1000, 2000, 1000, 500, 4000, 100};
    for (std::size_t i = 0; i < trades.size(); ++i) {
        trades[i].margin_req = margins[i];
    }
    return trades;
}

TEST(Kelly, FractionByHand) {
    const KellyMetrics kelly = kelly_metrics(sample(), {});
    const double b = 200.0 / 150;
    EXPECT_TRUE(kelly.has_valid_kelly);
    EXPECT_EQ(kelly.win_rate, 0.5);
    EXPECT_TRUE(close_to(kelly.payoff_ratio, b));
    EXPECT_TRUE(close_to(kelly.fraction, (0.6 * b - 0.4) / b));  // of the decided trades
    EXPECT_TRUE(close_to(kelly.percent, 100 * (0.6 * b - 0.4) / b));
    // Of margin: wins 20, 10, 20 percent; losses 30 and 3.75; the break-even does not count.
    EXPECT_TRUE(close_to(kelly.avg_win_pct, 50.0 / 3));
    EXPECT_TRUE(close_to(kelly.avg_loss_pct, 33.75 / 2));
    const double bm = (50.0 / 3) / (33.75 / 2);
    EXPECT_TRUE(close_to(kelly.normalized_kelly_pct, 100 * (0.6 * bm - 0.4) / bm));
    EXPECT_EQ(kelly.method, KellyMethod::kAbsolute);
}

TEST(Kelly, I18_MarginReturnsAreUsedAndLabelledWhenAsked) {
    KellyOptions options;
    options.use_margin_returns = true;
    const KellyMetrics ours = kelly_metrics(sample(), options);
    EXPECT_EQ(ours.method, KellyMethod::kPercentage);
    EXPECT_TRUE(close_to(ours.percent, *ours.normalized_kelly_pct));
    EXPECT_EQ(ours.win_rate, 0.6);
    options.conventions = Conventions::kReference;
    const KellyMetrics reference = kelly_metrics(sample(), options);
    EXPECT_EQ(reference.method, KellyMethod::kPercentage);  // the label, not the figure
    const double b = 200.0 / 150;
    EXPECT_TRUE(close_to(reference.fraction, (0.5 * b - 0.5) / b));  // a tie is a loss
}

TEST(Kelly, SaysWhenMarginReturnsCannotBeUsed) {
    KellyOptions options;
    options.use_margin_returns = true;
    std::vector<Trade> trades = sample();
    for (Trade& t : trades) {
        t.margin_req = 0;
    }
    const KellyMetrics kelly = kelly_metrics(trades, options);
    EXPECT_EQ(kelly.method, KellyMethod::kAbsolute);
    EXPECT_FALSE(kelly.warning.empty());
    EXPECT_EQ(kelly.avg_win_pct, std::nullopt);
}

TEST(Kelly, I17_FeesCount) {
    std::vector<Trade> trades = {make_trade("2025-01-02", "2025-01-02", 100),
                                 make_trade("2025-01-03", "2025-01-03", -50)};
    for (Trade& t : trades) {
        t.basis = PlBasis::kGrossBeforeFees;
        t.opening_fees = 10;
    }
    EXPECT_EQ(kelly_metrics(trades, {}).avg_win, 90);
    EXPECT_EQ(kelly_metrics(trades, {}).avg_loss, 60);
    KellyOptions reference;
    reference.conventions = Conventions::kReference;
    EXPECT_EQ(kelly_metrics(trades, reference).avg_win, 100);
    EXPECT_EQ(kelly_metrics(trades, reference).avg_loss, 50);
}

TEST(Kelly, IsNotValidWithoutBothSides) {
    EXPECT_FALSE(kelly_metrics({}, {}).has_valid_kelly);
    const std::vector<Trade> winner = {make_trade("2025-01-02", "2025-01-02", 100)};
    const KellyMetrics kelly = kelly_metrics(winner, {});
    EXPECT_FALSE(kelly.has_valid_kelly);
    EXPECT_EQ(kelly.fraction, 0);
    EXPECT_EQ(kelly.payoff_ratio, 0);
    EXPECT_EQ(kelly.normalized_kelly_pct, std::nullopt);
}

TEST(Kelly, FlagsUnrealisticAmounts) {
    KellyOptions options;
    EXPECT_FALSE(kelly_metrics(sample(), options).has_unrealistic_values);
    options.capital = 1.9;  // 100 * 1.9 < 200
    EXPECT_TRUE(kelly_metrics(sample(), options).has_unrealistic_values);
}

TEST(Kelly, PerStrategyInOrderOfAppearance) {
    std::vector<Trade> trades = sample();
    for (std::size_t i = 0; i < trades.size(); ++i) {
        trades[i].strategy = i % 2 == 0 ? 1 : 0;
    }
    const auto kelly = strategy_kelly(make_set(trades, {"", "fly"}), {});
    ASSERT_EQ(kelly.size(), 2);
    EXPECT_EQ(kelly[0].strategy, "fly");
    EXPECT_EQ(kelly[1].strategy, "Uncategorized");
    EXPECT_EQ(kelly[0].trade_count, 3);
    EXPECT_TRUE(close_to(kelly[0].metrics.win_rate, 2.0 / 3));
}

TEST(Kelly, MeansOfTheLargestNumbersAreTheirMeans) {
    const std::vector<Trade> trades = {make_trade("2025-01-02", "2025-01-02", 1.5e308),
                                       make_trade("2025-01-03", "2025-01-03", 1.3e308),
                                       make_trade("2025-01-06", "2025-01-06", -0.7e308)};
    const KellyMetrics kelly = kelly_metrics(trades, {});
    EXPECT_TRUE(close_to(kelly.avg_win / 1e308, 1.4));
    EXPECT_EQ(kelly.avg_loss, 0.7e308);
    EXPECT_TRUE(close_to(kelly.payoff_ratio, 2));
    EXPECT_TRUE(close_to(kelly.fraction, 2.0 / 3 - (1.0 / 3) / 2));
    EXPECT_TRUE(kelly.warning.empty());
}

TEST(Kelly, RatioBeyondTheRangeOfNumbersGivesNoFigureAndSaysSo) {
    for (const auto& [win, loss] : {std::pair(1e300, -1e-300), std::pair(1e-300, -1e300)}) {
        const std::vector<Trade> trades = {make_trade("2025-01-02", "2025-01-02", win),
                                           make_trade("2025-01-03", "2025-01-03", loss)};
        for (const Conventions conventions : {Conventions::kCorrect, Conventions::kReference}) {
            KellyOptions options;
            options.conventions = conventions;
            const KellyMetrics kelly = kelly_metrics(trades, options);
            EXPECT_FALSE(kelly.has_valid_kelly);
            EXPECT_EQ(kelly.fraction, 0);
            EXPECT_NE(kelly.warning.find("range of numbers"), std::string::npos);
        }
    }
}

TEST(Kelly, IsFiniteForAnyAmountsAndSaysWhatIsMissing) {
    const double largest = std::numeric_limits<double>::max();
    const std::vector<double> amounts = {0,      1,       -1,       250,  -80,    1e308,
                                         -1e308, largest, -largest, 1e-9, 5e-324, -1e-308};
    EXPECT_TRUE(rc::check([&] {
        std::vector<Trade> trades;
        for (auto count = *rc::gen::inRange(0, 8); count > 0; --count) {
            Trade t = make_trade("2025-01-02", "2025-01-02", *rc::gen::elementOf(amounts));
            t.margin_req = std::fabs(*rc::gen::elementOf(amounts));
            t.opening_fees = std::fabs(*rc::gen::elementOf(amounts));
            t.basis = *rc::gen::element(PlBasis::kNetIncludesFees, PlBasis::kGrossBeforeFees);
            trades.push_back(t);
        }
        KellyOptions options;
        options.conventions = *rc::gen::element(Conventions::kCorrect, Conventions::kReference);
        options.use_margin_returns = *rc::gen::arbitrary<bool>();
        const KellyMetrics kelly = kelly_metrics(trades, options);
        for (const double figure : {kelly.fraction, kelly.percent, kelly.win_rate}) {
            RC_ASSERT(std::isfinite(figure));
        }
        for (const double figure : {kelly.avg_win, kelly.avg_loss, kelly.payoff_ratio}) {
            RC_ASSERT((std::isfinite(figure) || !kelly.warning.empty()));
        }
        for (const auto& figure :
             {kelly.avg_win_pct, kelly.avg_loss_pct, kelly.normalized_kelly_pct}) {
            RC_ASSERT((!figure || std::isfinite(*figure)));
        }
        bool wins = false;
        bool losses = false;
        for (const Trade& t : trades) {
            const double pl = options.conventions == Conventions::kReference ? t.pl : t.net_pl();
            wins = wins || pl > 0;
            losses = losses || pl < 0;
        }
        if (wins && losses && !kelly.has_valid_kelly) {
            RC_ASSERT(!kelly.warning.empty());
        }
    }));
}

}  // namespace
}  // namespace tb::analytics
