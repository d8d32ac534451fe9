// One-to-one pairing of backtest trades with live fills by time and legs.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <rapidcheck.h>

#include "analytics/backtest_vs_actual.h"
#include "analytics/backtest_vs_actual_match.h"
#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::at;
using test::day;
using test::make_set;

Trade model(std::string_view date, std::string_view time, std::string_view legs, double pl,
            std::int32_t contracts = 1) {
    Trade t = test::make_trade(date, date, pl);
    t.time_opened = at(time);
    t.legs = legs;
    t.contracts = contracts;
    return t;
}

ReportingTrade fill(std::string_view date, std::string_view time, std::string_view legs, double pl,
                    double contracts = 1) {
    ReportingTrade t;
    t.date_opened = day(date);
    if (!time.empty()) {
        t.time_opened = at(time);
    }
    t.legs = legs;
    t.pl = pl;
    t.contracts = contracts;
    return t;
}

ReportingSet fills(std::vector<ReportingTrade> trades, std::vector<std::string> names = {"one"}) {
    return ReportingSet{std::move(trades), std::move(names), nullptr};
}

BacktestComparison compare(const TradeSet& backtest, const ReportingSet& actual,
                           DetailLevel detail = DetailLevel::kTrades) {
    BacktestComparisonRequest request;
    request.detail = detail;
    const auto result = compare_backtest_to_actual(backtest, actual, request);
    EXPECT_TRUE(result.has_value());
    return result.value_or(BacktestComparison());
}

std::vector<double> sorted_slippage(const BacktestComparison& comparison) {
    std::vector<double> slippage;
    for (const SlippageRow& row : comparison.rows) {
        if (row.matched) {
            slippage.push_back(row.slippage);
        }
    }
    std::sort(slippage.begin(), slippage.end());
    return slippage;
}

constexpr const char* kPuts = "1 Mar 13 6710 P BTO 19.18 | 1 Mar 13 6630 P STO 3.35";
constexpr const char* kCalls = "1 Mar 13 6725 C BTO 18.54 | 1 Mar 13 6765 C STO 5.12";
constexpr const char* kLiveCalls = "1 Mar 13 6730 C BTO 18.54 | 1 Mar 13 6770 C STO 5.12";
constexpr const char* kLivePuts = "1 Mar 13 6715 P BTO 19.18 | 1 Mar 13 6635 P STO 3.35";

// Both sides of an entry in one second, strikes other than in the backtest.
TEST(FillPairing, PutsGoWithPutsInEitherOrder) {
    const TradeSet backtest = make_set({model("2026-03-13", "09:42:00", kPuts, 3700),
                                        model("2026-03-13", "09:42:00", kCalls, -900)});
    std::vector<ReportingTrade> live = {fill("2026-03-13", "09:42:11", kLiveCalls, -867),
                                        fill("2026-03-13", "09:42:11", kLivePuts, 3797)};
    for (int order = 0; order < 2; ++order) {
        const BacktestComparison c = compare(backtest, fills(live));
        EXPECT_EQ(sorted_slippage(c), (std::vector<double>{33, 97}));
        EXPECT_EQ(c.summary.total_slippage, 130);
        EXPECT_EQ(c.summary.high_confidence, 2);
        EXPECT_EQ(c.rows[0].evidence->strikes_apart, 5);
        EXPECT_EQ(c.rows[0].evidence->expiry_days_apart, 0);
        std::reverse(live.begin(), live.end());
    }
}

TEST(FillPairing, LegsOfAnotherTypeAreNoPair) {
    const TradeSet backtest = make_set({model("2026-03-13", "09:42:00", kPuts, 100)});
    // Sold instead of bought; calls; a leg more.
    for (const char* legs :
         {"1 Mar 13 6710 P STO 19.18 | 1 Mar 13 6630 P BTO 3.35", kLiveCalls,
          "1 Mar 13 6710 P BTO 19 | 1 Mar 13 6630 P STO 3 | 1 Mar 13 6500 P BTO 1"}) {
        const BacktestComparison c =
            compare(backtest, fills({fill("2026-03-13", "09:42:11", legs, 90)}));
        EXPECT_EQ(c.summary.matched_comparisons, 0) << legs;
        EXPECT_FALSE(c.summary.total_slippage) << legs;
        EXPECT_FALSE(c.summary.avg_slippage) << legs;
        EXPECT_EQ(c.warnings.front(), "no live fill matches the backtest, so no slippage is known");
    }
    // A leg filled in two parts is one leg.
    const BacktestComparison parts = compare(
        backtest,
        fills({fill("2026-03-13", "09:42:11",
                    "1 Mar 13 6710 P BTO 19 | 2 Mar 13 6710 P BTO 19.1 | 3 Mar 13 6630 P STO 3", 90,
                    3)}));
    EXPECT_EQ(parts.summary.matched_comparisons, 1);
}

TEST(FillPairing, StrikesThenExpiriesThenContractsDecideAtEqualTimes) {
    const auto spread = [](int strike, const char* expiry) {
        return fmt::format("1 {0} {1} P STO 5 | 1 {0} {2} P BTO 2", expiry, strike, strike - 50);
    };
    const std::string a = spread(6700, "Mar 13");
    const std::string b = spread(6650, "Mar 13");
    const std::string near_a = spread(6690, "Mar 13");
    const std::string near_b = spread(6640, "Mar 13");
    const TradeSet strikes = make_set(
        {model("2026-03-13", "10:00:00", a, 100), model("2026-03-13", "10:00:00", b, 200)});
    EXPECT_EQ(
        sorted_slippage(compare(strikes, fills({fill("2026-03-13", "10:00:30", near_b, 201),
                                                fill("2026-03-13", "10:00:20", near_a, 102)}))),
        (std::vector<double>{1, 2}));
    const std::string later = spread(6700, "Mar 20");
    const TradeSet expiries = make_set(
        {model("2026-03-13", "10:00:00", a, 100), model("2026-03-13", "10:00:00", later, 200)});
    EXPECT_EQ(sorted_slippage(compare(expiries, fills({fill("2026-03-13", "10:00:30", later, 201),
                                                       fill("2026-03-13", "10:00:30", a, 102)}))),
              (std::vector<double>{1, 2}));
    const TradeSet contracts = make_set(
        {model("2026-03-13", "10:00:00", a, 100, 1), model("2026-03-13", "10:00:00", a, 500, 5)});
    const BacktestComparison c =
        compare(contracts, fills({fill("2026-03-13", "10:00:30", a, 505, 5),
                                  fill("2026-03-13", "10:00:30", a, 102, 1)}));
    EXPECT_EQ(sorted_slippage(c), (std::vector<double>{2, 5}));
    EXPECT_EQ(c.summary.high_confidence, 2);
}

TEST(FillPairing, WhatCouldAsWellBeOtherwiseIsDoubtful) {
    const TradeSet backtest = make_set(
        {model("2026-03-13", "10:00:00", kPuts, 100), model("2026-03-13", "10:00:00", kPuts, 300)});
    std::vector<ReportingTrade> live = {fill("2026-03-13", "10:00:30", kPuts, 90),
                                        fill("2026-03-13", "10:00:30", kPuts, 280)};
    const BacktestComparison c = compare(backtest, fills(live));
    EXPECT_EQ(c.summary.low_confidence, 2);
    EXPECT_TRUE(c.rows[0].evidence->ambiguous);
    std::reverse(live.begin(), live.end());
    EXPECT_EQ(sorted_slippage(compare(backtest, fills(live))), sorted_slippage(c));
    // Far in time and strikes: the best there is, but not sure.
    const TradeSet one = make_set({model("2026-03-13", "10:00:00", kPuts, 100)});
    const BacktestComparison late =
        compare(one, fills({fill("2026-03-13", "10:20:00", kLivePuts, 90)}));
    EXPECT_EQ(late.summary.medium_confidence, 1);
    const BacktestComparison blind =
        compare(one, fills({fill("2026-03-13", "", "Iron Condor", 90)}));
    EXPECT_EQ(blind.summary.low_confidence, 1);
}

TEST(FillPairing, ToolboxLegsCompareWithoutSidesTheOtherDoesNotSay) {
    const TradeSet backtest = make_set({model("2026-03-13", "12:05:00", "SPX 5100P/5000P", 10),
                                        model("2026-03-13", "12:05:00", "SPX 5200C/5300C", 20)});
    const BacktestComparison c =
        compare(backtest, fills({fill("2026-03-13", "12:05:31", "SPX 5210C | 5310C DC", 23),
                                 fill("2026-03-13", "12:05:31", "SPX 5090P | 4990P DC", 11)}));
    EXPECT_EQ(sorted_slippage(c), (std::vector<double>{1, 3}));
    EXPECT_EQ(c.rows[0].evidence->strikes_apart, 10);
}

TEST(FillPairing, ABlankStrategyIsNotTheBlocksName) {
    TradeSet backtest = make_set({model("2026-03-13", "09:42:00", kPuts, 3700),
                                  model("2026-03-13", "09:42:00", kCalls, -900)});
    backtest.strategies = {"My block"};
    backtest.unnamed = 0;
    const ReportingSet live = fills({fill("2026-03-13", "09:42:11", kLiveCalls, -867),
                                     fill("2026-03-13", "09:42:11", kLivePuts, 3797)},
                                    {"RIC"});
    const BacktestComparison c = compare(backtest, live);
    EXPECT_EQ(sorted_slippage(c), (std::vector<double>{33, 97}));
    EXPECT_EQ(c.rows[0].strategy, "RIC");
    EXPECT_EQ(c.summary.medium_confidence, 2);  // the names say nothing
    const BacktestComparison days = compare(backtest, live, DetailLevel::kSummary);
    ASSERT_EQ(days.rows.size(), 1);
    EXPECT_EQ(days.rows[0].strategy, "RIC");
    EXPECT_EQ(days.rows[0].slippage, 130);
    // Asked for by the name that only the fills have.
    BacktestComparisonRequest request;
    request.strategy = "ric";
    EXPECT_EQ(compare_backtest_to_actual(backtest, live, request)->summary.total_slippage, 130);
    // Where the name is written, it is a name.
    backtest.unnamed.reset();
    EXPECT_EQ(compare(backtest, live).summary.matched_comparisons, 0);
}

TEST(FillPairing, ABlankStrategyGoesWithTheLegsOfSeveralNames) {
    TradeSet backtest = make_set({model("2026-03-13", "09:42:00", kPuts, 100),
                                  model("2026-03-13", "09:42:00", kCalls, 200)});
    backtest.unnamed = 0;
    ReportingSet live = fills({fill("2026-03-13", "09:42:11", kLiveCalls, 202),
                               fill("2026-03-13", "09:42:11", kLivePuts, 101)},
                              {"Calls", "Puts"});
    live.trades[1].strategy = 1;
    const BacktestComparison days = compare(backtest, live, DetailLevel::kSummary);
    ASSERT_EQ(days.rows.size(), 2);
    for (const SlippageRow& row : days.rows) {
        EXPECT_TRUE(row.matched);
        EXPECT_EQ(row.slippage, row.strategy == "Calls" ? 2 : 1);
    }
}

TEST(FillPairing, NamesThatDifferInCaseAreOneAndTheSameSpellingIsPreferred) {
    TradeSet backtest = make_set(
        {model("2026-03-13", "09:42:00", kPuts, 100), model("2026-03-13", "09:42:00", kPuts, 200)});
    backtest.strategies = {"\u00c9cart", "\u00e9cart"};
    backtest.trades[1].strategy = 1;
    ReportingSet live = fills(
        {fill("2026-03-13", "09:42:11", kPuts, 207), fill("2026-03-13", "09:42:11", kPuts, 103)},
        {"\u00e9cart", "\u00c9CART"});
    live.trades[1].strategy = 1;
    EXPECT_EQ(sorted_slippage(compare(backtest, live)), (std::vector<double>{3, 7}));
    const BacktestComparison days = compare(backtest, live, DetailLevel::kSummary);
    EXPECT_EQ(days.summary.matched_comparisons, 2);
}

TEST(FillPairing, ManyRowsOfAKindArePairedInOrderOfTimeAndItIsSaid) {
    std::vector<Trade> backtest;
    std::vector<ReportingTrade> live;
    for (std::size_t i = 0; i < kMaxAssignmentSide + 1; ++i) {
        const std::string time = TimeOfDay(static_cast<std::int32_t>(36'000 + 60 * i)).to_iso();
        backtest.push_back(model("2026-03-13", time, kPuts, 0));
        live.push_back(fill("2026-03-13", time, kPuts, static_cast<double>(i)));
    }
    std::reverse(live.begin(), live.end());
    const BacktestComparison c = compare(make_set(backtest), fills(live));
    EXPECT_EQ(c.summary.matched_comparisons, static_cast<std::int64_t>(kMaxAssignmentSide + 1));
    for (const SlippageRow& row : c.rows) {
        EXPECT_EQ(row.slippage, *row.minute - 600);
    }
    ASSERT_EQ(c.warnings.size(), 1);
    EXPECT_NE(c.warnings[0].find("in order of time"), std::string::npos);
}

TEST(FillPairing, SumsOfUnequalNumbersOfTradesAreAnnounced) {
    const TradeSet backtest = make_set({model("2026-03-13", "09:42:00", kPuts, 3700),
                                        model("2026-03-13", "09:42:00", kCalls, -900)});
    const ReportingSet live = fills({fill("2026-03-13", "09:42:11", kLiveCalls, -867)});
    const BacktestComparison days = compare(backtest, live, DetailLevel::kSummary);
    ASSERT_EQ(days.warnings.size(), 1);
    EXPECT_NE(days.warnings[0].find("detailLevel trades"), std::string::npos);
}

// The documented distance of a pair of two-leg spreads, nullopt when they are no pair.
std::optional<std::array<double, 5>> distance_of(const Trade& b, const ReportingTrade& a) {
    const bool puts = b.legs.find(" P ") != std::string_view::npos;
    if (puts != (a.legs.find(" P ") != std::string_view::npos)) {
        return std::nullopt;
    }
    const int apart = std::abs(b.time_opened->seconds() - a.time_opened->seconds());
    if (apart > 30 * 60) {
        return std::nullopt;
    }
    const auto strike = [](std::string_view legs) {
        return std::stod(std::string(legs.substr(9, 4)));
    };
    const double strikes = 2 * std::fabs(strike(b.legs) - strike(a.legs));
    return std::array<double, 5>{static_cast<double>(apart / 60), strikes, 0,
                                 std::fabs(b.contracts - a.contracts),
                                 static_cast<double>(apart % 60)};
}

TEST(FillPairing, IsTheBestOfAllPermutations) {
    rc::check("least total distance by brute force", [] {
        const auto spread = [] {
            const int strike = *rc::gen::inRange(6600, 6604);
            const char* right = *rc::gen::arbitrary<bool>() ? "P" : "C";
            return fmt::format("1 Mar 13 {} {} STO 5 | 1 Mar 13 {} {} BTO 2", strike, right,
                               strike + 50, right);
        };
        const auto time = [] { return TimeOfDay(*rc::gen::inRange(36'000, 39'600)).to_iso(); };
        const std::size_t trades = *rc::gen::inRange<std::size_t>(1, 6);
        const std::size_t live_count = *rc::gen::inRange<std::size_t>(1, 6);
        std::vector<std::string> texts;
        texts.reserve(trades + live_count);
        std::vector<Trade> backtest;
        std::vector<ReportingTrade> live;
        for (std::size_t i = 0; i < trades; ++i) {
            texts.push_back(spread());
            backtest.push_back(model("2026-03-13", time(), texts.back(), static_cast<double>(i),
                                     *rc::gen::inRange(1, 3)));
        }
        for (std::size_t j = 0; j < live_count; ++j) {
            texts.push_back(spread());
            live.push_back(fill("2026-03-13", time(), texts.back(), static_cast<double>(j),
                                *rc::gen::inRange(1, 3)));
        }
        const auto total = [&](const std::vector<std::optional<std::size_t>>& fill_of) {
            std::pair<int, std::array<double, 5>> sum{0, {}};
            for (std::size_t i = 0; i < trades; ++i) {
                const auto d =
                    fill_of[i] ? distance_of(backtest[i], live[*fill_of[i]]) : std::nullopt;
                sum.first -= d ? 1 : 0;  // more pairs first
                for (std::size_t k = 0; d && k < 5; ++k) {
                    sum.second[k] += (*d)[k];
                }
            }
            return sum;
        };
        std::vector<std::size_t> order(std::max(trades, live_count));
        std::iota(order.begin(), order.end(), 0U);
        std::optional<std::pair<int, std::array<double, 5>>> best;
        do {
            std::vector<std::optional<std::size_t>> fill_of(trades);
            for (std::size_t i = 0; i < trades; ++i) {
                if (order[i] < live_count) {
                    fill_of[i] = order[i];
                }
            }
            const auto sum = total(fill_of);
            best = best ? std::min(*best, sum) : sum;
        } while (std::next_permutation(order.begin(), order.end()));
        BacktestComparisonRequest request;
        const auto matching = match_trades(make_set(backtest), fills(live), request);
        RC_ASSERT(matching.has_value());
        std::vector<std::optional<std::size_t>> fill_of(trades);
        std::vector<int> used(live_count, 0);
        for (const FillPair& pair : matching->pairs) {
            if (pair.actual) {
                RC_ASSERT(++used[*pair.actual] == 1);
            }
            if (pair.backtest) {
                fill_of[*pair.backtest] = pair.actual;
                if (pair.actual) {
                    RC_ASSERT(distance_of(backtest[*pair.backtest], live[*pair.actual]));
                }
            }
        }
        RC_ASSERT(total(fill_of) == *best);
    });
}

}  // namespace
}  // namespace tb::analytics
