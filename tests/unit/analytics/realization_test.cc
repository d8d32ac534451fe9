#include "analytics/realization.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <rapidcheck.h>

#include "analytics/charts.h"
#include "analytics/equity.h"
#include "analytics/returns.h"
#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::at;
using test::close_to;
using test::day;
using test::make_trade;

constexpr auto kCorrect = Conventions::kCorrect;

// A trade of 2025-01-06 closed at `closed`, with the account's funds after it.
Trade trade(double pl, double funds, std::string_view closed,
            std::string_view opened = "10:00:00") {
    Trade t = make_trade("2025-01-06", "2025-01-06", pl);
    t.time_opened = at(opened);
    t.time_closed = closed.empty() ? std::nullopt : std::optional(at(closed));
    t.funds_at_close = funds;
    return t;
}

std::vector<double> funds_in_order(const std::vector<Trade>& trades) {
    std::vector<double> funds;
    for (const std::uint32_t index : realization_order(trades)) {
        funds.push_back(*trades[index].funds_at_close);
    }
    return funds;
}

TEST(RealizationOrder, ClosingMinuteFirstThenTheFundsColumnThenOpening) {
    // Opened in this order; the last two close in one minute, the later row first.
    const std::vector<Trade> trades = {trade(300, 10250, "16:00:00", "09:31:00"),
                                       trade(-150, 9950, "16:00:00", "09:32:00"),
                                       trade(100, 10100, "11:00:00", "09:33:00")};
    EXPECT_EQ(funds_in_order(trades), (std::vector<double>{10100, 9950, 10250}));
    std::vector<Trade> unstated = trades;
    for (Trade& t : unstated) {
        t.funds_at_close.reset();
    }
    EXPECT_EQ(realization_order(unstated), (TradeOrder{2, 0, 1}));
}

TEST(RealizationOrder, SecondsWithinAMinuteAreNoProofAgainstTheFunds) {
    const std::vector<Trade> trades = {trade(300, 10250, "15:59:10"), trade(-50, 9950, "15:59:50"),
                                       trade(1000, 11250, "16:00:00")};
    EXPECT_EQ(funds_in_order(trades), (std::vector<double>{9950, 10250, 11250}));
}

TEST(RealizationOrder, ACircleIsEnteredWhereTheNextMinuteLeavesIt) {
    // +100 and -100 return to a balance; the next minute starts from 10000.
    const std::vector<Trade> trades = {trade(-100, 10000, "15:00:00"),
                                       trade(100, 10100, "15:00:00"), trade(50, 10050, "15:30:00")};
    EXPECT_EQ(funds_in_order(trades), (std::vector<double>{10100, 10000, 10050}));
    EXPECT_EQ(initial_capital(trades, {}, kCorrect).dollars, 10000);
}

TEST(RealizationOrder, DetoursAreTakenWhereTheyCloseAndOnlyThere) {
    // 0 -> 100 -> 0 -> 50, with a circle over -30: a walk by opening alone would be stuck at 50.
    const std::vector<Trade> trades = {
        trade(50, 10050, "15:00:00", "09:31:00"),   trade(100, 10100, "15:00:00", "09:32:00"),
        trade(-100, 10000, "15:00:00", "09:33:00"), trade(-30, 9970, "15:00:00", "09:34:00"),
        trade(30, 10000, "15:00:00", "09:35:00"),   trade(7, 10057, "15:01:00")};
    const auto order = realization_order(trades);
    EXPECT_EQ(check_funds_chain(trades, order).broken, 0);
    EXPECT_EQ(*trades[order.back()].funds_at_close, 10057);
}

TEST(RealizationOrder, ADayWithoutClosingTimesIsOneGroup) {
    std::vector<Trade> trades = {trade(50, 10020, "", "09:31:00"),
                                 trade(-30, 9970, "", "09:32:00")};
    EXPECT_EQ(funds_in_order(trades), (std::vector<double>{9970, 10020}));
    EXPECT_EQ(initial_capital(trades, {}, kCorrect).dollars, 10000);
    // One trade without a time among others goes where the funds put it.
    trades = {trade(50, 10050, "10:00:00", "09:31:00"), trade(20, 10040, "15:00:00", "09:32:00"),
              trade(-30, 10020, "", "15:30:00")};
    EXPECT_EQ(funds_in_order(trades), (std::vector<double>{10050, 10020, 10040}));
}

TEST(RealizationOrder, AFilteredSelectionKeepsTheOrderOfTheWhole) {
    std::vector<Trade> trades = {trade(300, 10250, "16:00:00", "09:31:00"),
                                 trade(-150, 9950, "16:00:00", "09:32:00"),
                                 trade(100, 10100, "11:00:00", "09:33:00")};
    rank_realizations(trades);
    trades.pop_back();
    EXPECT_EQ(realization_order(trades), (TradeOrder{1, 0}));
    EXPECT_EQ(initial_capital(trades, {}, kCorrect).dollars, 10100);
    trades.erase(trades.begin() + 1);
    EXPECT_EQ(initial_capital(trades, {}, kCorrect).dollars, 9950);
}

TEST(FundsChain, SaysWhereItBreaksFirst) {
    std::vector<Trade> trades = {trade(100, 10100, "10:00:00"), trade(100, 7200, "11:00:00"),
                                 trade(-50, 7150, "12:00:00"), trade(10, 8000, "13:00:00")};
    trades[1].source_line = 17;
    const FundsChain chain = check_funds_chain(trades, realization_order(trades));
    EXPECT_EQ(chain.steps, 3);
    EXPECT_EQ(chain.broken, 2);
    ASSERT_TRUE(chain.first.has_value());
    EXPECT_EQ(chain.first->source_line, 17);
    EXPECT_EQ(chain.first->expected, 10200);
    EXPECT_EQ(chain.first->stated, 7200);
    EXPECT_NE(chain.warning().find("2 of 3 trades, first at the one closed 2025-01-06 (line 17), "
                                   "where 10200.00 was expected and 7200.00 is stated"),
              std::string::npos)
        << chain.warning();
    trades[1].funds_at_close = -1e-9;
    const std::string zero = check_funds_chain(trades, realization_order(trades)).warning();
    EXPECT_NE(zero.find("and 0.00 is stated"), std::string::npos) << zero;
    EXPECT_EQ(check_funds_chain({}, {}).warning(), "");
}

TEST(RealizationOrder, TheCurveStatesWhatTheFileStatesWhateverTheOrderOfTheRows) {
    EXPECT_TRUE(rc::check("every charted balance is one of the funds column", [] {
        const auto count = *rc::gen::inRange<std::size_t>(1, 40);
        const auto seed = *rc::gen::arbitrary<std::uint32_t>();
        std::mt19937 random(seed);
        std::vector<Trade> trades;
        double balance = 50000;
        std::int32_t minute = 600;
        for (std::size_t i = 0; i < count; ++i) {
            minute += random() % 3 == 0 ? 1 : 0;
            const double pl = static_cast<double>(static_cast<int>(random() % 400) - 200) * 2.5;
            balance += pl;
            Trade t = trade(pl, balance, "10:00:00");
            t.time_closed = TimeOfDay(minute * 60 + static_cast<std::int32_t>(random() % 60));
            t.time_opened = TimeOfDay(9 * 3600 + static_cast<std::int32_t>(random() % 3000));
            trades.push_back(t);
        }
        std::shuffle(trades.begin(), trades.end(), random);
        std::stable_sort(trades.begin(), trades.end(), [](const Trade& a, const Trade& b) {
            return *a.time_opened < *b.time_opened;
        });
        const TradeOrder order = realization_order(trades);
        const EquityCurve curve = equity_curve(trades, kCorrect);
        // A circle as the first minute may be entered anywhere, when nothing follows it.
        RC_PRE(close_to(initial_capital(trades, {}, kCorrect).dollars, 50000));
        RC_ASSERT(check_funds_chain(trades, order).broken == 0);
        for (std::size_t i = 0; i < order.size(); ++i) {
            RC_ASSERT(close_to(curve.points[i + 1].equity, *trades[order[i]].funds_at_close));
        }
        std::vector<Trade> ranked = trades;
        rank_realizations(ranked);
        RC_ASSERT(realization_order(ranked) == order);
    }));
}

TEST(RealizationOrder, ManyTradesOfOneMinuteTakeLinearTime) {
    // Stars, circles and breaks: what a search by trying would never finish.
    std::vector<Trade> trades;
    std::mt19937 random(7);
    for (std::size_t i = 0; i < 60000; ++i) {
        const double from = 1000.0 * static_cast<double>(random() % 20);
        const double to = 1000.0 * static_cast<double>(random() % 20);
        trades.push_back(trade(to - from, to, "16:00:00"));
        trades.push_back(
            trade(5000 + static_cast<double>(i), 5000 + static_cast<double>(i), "16:00:00"));
    }
    TradeOrder order = realization_order(trades);
    EXPECT_EQ(order, realization_order(trades));
    std::sort(order.begin(), order.end());
    TradeOrder all(trades.size());
    std::iota(all.begin(), all.end(), 0U);
    EXPECT_EQ(order, all);
}

TEST(ResultSeries, FollowTheRealizationAndEntriesTheOpening) {
    const std::vector<Trade> trades = {trade(300, 10250, "16:00:00", "09:31:00"),
                                       trade(-150, 9950, "16:00:00", "09:32:00"),
                                       trade(100, 10100, "11:00:00", "09:33:00")};
    const auto sequence = trade_sequence(trades);
    EXPECT_EQ(sequence[0].pl, 100);
    EXPECT_EQ(sequence[1].pl, -150);
    EXPECT_EQ(trade_sequence(trades, Conventions::kReference)[0].pl, 300);
    EXPECT_EQ(rolling_metrics(trades, 2, kCorrect)[0].avg_pl, -25);
    EXPECT_EQ(rolling_metrics(trades, 2, Conventions::kReference)[0].avg_pl, 75);
    EXPECT_EQ(streak_chart(trades, kCorrect).distribution.max_win, 1);
    const EquityCurve curve = equity_curve(trades, kCorrect);
    const auto margin = margin_utilization(trades, curve, kCorrect);
    EXPECT_EQ(margin[0].funds_at_close, 10250);  // entries: the first to open, after it closed
    EXPECT_EQ(holding_periods(trades, kCorrect)[0].pl, 300);
}

}  // namespace
}  // namespace tb::analytics
