#include "analytics/margin_timeline.h"

#include <cmath>

#include <gtest/gtest.h>

#include "random_trades.h"

namespace tb::analytics {
namespace {

using test::day;
using test::TradesBuilder;

TEST(MarginTimeline, AddsMarginOnEveryDayFromOpeningToClosing) {
    TradesBuilder b({"Alpha", "Beta"});
    Trade& first = b.add(day("2024-03-01"), 40, 0);
    first.margin_req = 1000;
    first.date_closed = day("2024-03-03");
    Trade& second = b.add(day("2024-03-03"), 70, 1);
    second.margin_req = 3000;
    second.date_closed = day("2024-03-04");
    b.add(day("2024-03-09"), 10, 1).margin_req = 500;
    const auto result =
        margin_timeline(b.set(), {}, {20'000, MarginBase::kFixed}, Conventions::kCorrect).value();
    ASSERT_EQ(result.points.size(), 5U);  // March 5 to 8 hold nothing
    EXPECT_EQ(result.points[2].date, day("2024-03-03"));
    EXPECT_EQ(result.points[2].margin, 4000);
    EXPECT_DOUBLE_EQ(*result.points[2].margin_pct, 20);
    EXPECT_EQ(result.points[2].strategy_margin, (std::vector<double>{1000, 3000}));
    EXPECT_EQ(result.points[3].strategy_margin, (std::vector<double>{0, 3000}));
    EXPECT_EQ(result.points[4].date, day("2024-03-09"));
    EXPECT_EQ(result.max_margin, 4000);
    EXPECT_DOUBLE_EQ(*result.strategy_max_pct[0], 5);
    EXPECT_DOUBLE_EQ(*result.strategy_max_pct[1], 15);
}

TEST(MarginTimeline, CompoundingUsesTheLogElseWhatWasClosedByThen) {
    TradesBuilder b;
    Trade& first = b.add(day("2024-03-01"), 1000);
    first.basis = PlBasis::kGrossBeforeFees;
    first.opening_fees = 200;
    b.add(day("2024-03-02"), -300);
    b.add(day("2024-03-03"), 50);
    const std::vector<DailyLogEntry> log = {{day("2024-03-02"), 12'345, 0, 0, {}}};
    const MarginTimelineOptions options{10'000, MarginBase::kCompounding};
    const auto ours = margin_timeline(b.set(), log, options, Conventions::kCorrect).value();
    EXPECT_DOUBLE_EQ(ours.points[0].capital, 10'800);  // net of fees, I-17
    EXPECT_DOUBLE_EQ(ours.points[1].capital, 12'345);
    EXPECT_DOUBLE_EQ(ours.points[2].capital, 10'550);
    const auto theirs = margin_timeline(b.set(), {}, options, Conventions::kReference).value();
    EXPECT_DOUBLE_EQ(theirs.points[0].capital, 11'000);
    EXPECT_DOUBLE_EQ(theirs.points[1].capital, 10'700);
}

TEST(MarginTimeline, OpenTradesCountOnTheirOpeningDayAndAreNamed) {
    TradesBuilder b;
    b.add(day("2024-03-01"), 5).date_closed.reset();
    b.add(day("2024-03-04"), 6);
    const auto result =
        margin_timeline(b.set(), {}, {10'000, MarginBase::kFixed}, Conventions::kCorrect).value();
    ASSERT_EQ(result.points.size(), 2U);
    EXPECT_EQ(result.open_trades, 1U);
    EXPECT_EQ(result.warnings.size(), 1U);
}

// Every day from its definition.
TEST(MarginTimeline, AgreesWithTheDefinitionOnARandomBlock) {
    test::RandomBlock spec;
    spec.trades = 150;
    const TradeSet set = test::random_block(spec);
    const auto result =
        margin_timeline(set, {}, {50'000, MarginBase::kCompounding}, Conventions::kCorrect).value();
    for (const auto& point : result.points) {
        double margin = 0;
        double capital = 50'000;
        for (const Trade& t : set.trades) {
            margin +=
                t.date_opened <= point.date && point.date <= *t.date_closed ? t.margin_req : 0;
            capital += *t.date_closed <= point.date ? t.net_pl() : 0;
        }
        ASSERT_NEAR(point.margin, margin, 1e-9);
        ASSERT_NEAR(point.capital, capital, 1e-6);
        double parts = 0;
        for (const double part : point.strategy_margin) {
            parts += part;
        }
        ASSERT_NEAR(parts, margin, 1e-9);
    }
}

TEST(MarginTimeline, AnAccountBelowZeroHasNoPercentage) {
    TradesBuilder b;
    b.add(day("2024-03-01"), -15'000);
    const auto result =
        margin_timeline(b.set(), {}, {10'000, MarginBase::kCompounding}, Conventions::kCorrect)
            .value();
    EXPECT_FALSE(result.points[0].margin_pct);
    EXPECT_FALSE(result.max_margin_pct);
    EXPECT_EQ(result.notes.size(), 1U);
}

TEST(MarginTimeline, RefusesNoCapitalAndEndlessSeries) {
    TradesBuilder b({"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"});
    EXPECT_FALSE(margin_timeline(b.set(), {}, {0, MarginBase::kFixed}, Conventions::kCorrect));
    const auto none =
        margin_timeline(b.set(), {}, {1, MarginBase::kFixed}, Conventions::kCorrect).value();
    EXPECT_TRUE(none.points.empty());
    EXPECT_EQ(none.notes.size(), 1U);
    std::vector<std::string> names;
    for (int s = 0; s < 2000; ++s) {
        names.push_back("s" + std::to_string(s));
    }
    TradesBuilder wide(names);
    for (std::uint32_t s = 0; s < names.size(); ++s) {
        wide.add(day("1990-01-01"), 1, s).date_closed = day("2100-01-01");
    }
    EXPECT_EQ(margin_timeline(wide.set(), {}, {1, MarginBase::kFixed}, Conventions::kCorrect)
                  .error()
                  .code,
              ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace tb::analytics
