#include "analytics/backtest_vs_actual.h"

#include <algorithm>

#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::at;
using test::close_to;
using test::day;
using test::make_set;

constexpr auto kReference = Conventions::kReference;

Trade model(std::string_view date, std::string_view time, double pl, std::int32_t contracts = 1) {
    Trade t = test::make_trade(date, date, pl);
    t.time_opened = at(time);
    t.contracts = contracts;
    return t;
}

ReportingTrade fill(std::string_view date, std::string_view time, double pl, double contracts = 1) {
    ReportingTrade t;
    t.date_opened = day(date);
    if (!time.empty()) {
        t.time_opened = at(time);
    }
    t.pl = pl;
    t.contracts = contracts;
    return t;
}

ReportingSet fills(std::vector<ReportingTrade> trades, std::vector<std::string> names = {"one"}) {
    return ReportingSet{std::move(trades), std::move(names), nullptr};
}

BacktestComparison compare(const TradeSet& backtest, const ReportingSet& actual,
                           const BacktestComparisonRequest& request = {}) {
    const auto result = compare_backtest_to_actual(backtest, actual, request);
    EXPECT_TRUE(result.has_value());
    return result.value_or(BacktestComparison());
}

BacktestComparisonRequest at_trade_level() {
    BacktestComparisonRequest request;
    request.detail = DetailLevel::kTrades;
    return request;
}

TEST(BacktestVsActual, ALiveDebitMayWinAnyMultipleAndLoseItsFees) {
    const auto doubts = [](double pl, double premium) {
        Trade b = model("2025-03-03", "10:00:00", 100, 2);
        b.margin_req = 220;
        ReportingTrade a = fill("2025-03-03", "10:01:00", pl, 2);
        a.initial_premium = premium;
        const auto warnings = compare(make_set({b}), fills({a})).warnings;
        return std::any_of(warnings.begin(), warnings.end(), [](const std::string& warning) {
            return warning.find("more than the largest margin") != std::string::npos;
        });
    };
    EXPECT_FALSE(doubts(-226.8, -1.1));
    EXPECT_FALSE(doubts(1980, -1.1));
    EXPECT_TRUE(doubts(-300, -1.1));
    EXPECT_TRUE(doubts(1980, 1.1));
}

TEST(BacktestVsActual, SummaryAddsUpADayAndScales) {
    const TradeSet backtest =
        make_set({model("2025-03-03", "10:00:00", 300, 3), model("2025-03-03", "11:00:00", 90, 1),
                  model("2025-03-04", "10:00:00", -50, 2)});
    const ReportingSet actual =
        fills({fill("2025-03-03", "10:01:00", 180, 2), fill("2025-03-04", "10:02:00", -35, 1)});
    BacktestComparisonRequest request;
    const BacktestComparison raw = compare(backtest, actual, request);
    ASSERT_EQ(raw.rows.size(), 2);
    EXPECT_EQ(raw.rows[0].slippage, 180 - 390);
    EXPECT_EQ(raw.rows[0].backtest_contracts, 4);
    EXPECT_TRUE(close_to(raw.rows[0].slippage_percent, -100 * 210.0 / 390));
    EXPECT_EQ(raw.rows[1].slippage, 15);
    EXPECT_EQ(raw.rows[0].time_opened(), "");
    EXPECT_EQ(raw.summary.total_slippage, -195);
    EXPECT_EQ(raw.summary.avg_slippage, -97.5);
    EXPECT_EQ(raw.coverage.matched_actual_percent, 100);
    request.scaling = SlippageScaling::kPerContract;
    const BacktestComparison per = compare(backtest, actual, request);
    EXPECT_EQ(per.rows[0].scaled_backtest_pl, -25);
    EXPECT_EQ(per.rows[0].slippage, -10);
    EXPECT_EQ(per.rows[1].slippage, 90 - 97.5);
    request.scaling = SlippageScaling::kToReported;
    const BacktestComparison to = compare(backtest, actual, request);
    EXPECT_EQ(to.rows[0].scaling_factor, 0.5);
    EXPECT_EQ(to.rows[0].slippage, 180 - 195);
}

TEST(BacktestVsActual, I46_OneSidedRowsAreNoSlippage) {
    const TradeSet backtest =
        make_set({model("2025-03-03", "10:00:00", 1180), model("2025-03-05", "10:00:00", 100),
                  model("2025-03-06", "10:00:00", 0)});
    const ReportingSet actual =
        fills({fill("2025-03-05", "10:00:00", 80), fill("2025-03-04", "10:00:00", 55),
               fill("2025-03-06", "10:00:00", 0)},
              {"one"});
    BacktestComparisonRequest request;
    request.dates = DateRange{day("2025-03-01"), day("2025-03-31")};
    const BacktestComparison ours = compare(backtest, actual, request);
    EXPECT_EQ(ours.summary.total_slippage, -20);
    EXPECT_EQ(ours.summary.total_backtest_pl, 100);
    EXPECT_EQ(ours.summary.total_comparisons, 4);
    EXPECT_EQ(ours.summary.matched_comparisons, 2);
    EXPECT_EQ(ours.summary.unmatched_backtest_pl, 1180);
    EXPECT_EQ(ours.summary.unmatched_actual_pl, 55);
    EXPECT_EQ(ours.coverage.backtest_rows, 3);
    EXPECT_EQ(ours.coverage.actual_rows, 3);
    EXPECT_TRUE(close_to(ours.coverage.matched_backtest_percent, 200.0 / 3));
    request.conventions = kReference;
    const BacktestComparison theirs = compare(backtest, actual, request);
    EXPECT_EQ(theirs.summary.total_slippage, 80 + 55 - 1180 - 100);
}

TEST(BacktestVsActual, I46_NothingToCompareIsNotAPerfectFill) {
    const TradeSet backtest = make_set({model("2025-03-03", "10:00:00", 100)});
    const auto warned = [&](const ReportingSet& actual, std::string_view text) {
        const BacktestComparison result = compare(backtest, actual);
        return std::any_of(
            result.warnings.begin(), result.warnings.end(),
            [&](const std::string& warning) { return warning.find(text) != std::string::npos; });
    };
    const ReportingTrade same_day = fill("2025-03-03", "10:01:00", 90);
    EXPECT_TRUE(warned(fills({same_day}, {"another name"}), "no strategy name in common"));
    EXPECT_FALSE(warned(fills({same_day}), "no slippage is known"));
    BacktestComparisonRequest later = at_trade_level();
    later.dates = DateRange{day("2025-03-01"), day("2025-03-31")};
    const BacktestComparison apart =
        compare(backtest, fills({fill("2025-03-03", "15:00:00", 90)}), later);
    ASSERT_EQ(apart.warnings.size(), 1);
    EXPECT_EQ(apart.warnings[0], "no live fill matches the backtest, so no slippage is known");
}

TEST(BacktestVsActual, I46_UnmatchedRowsWithoutPlAreCountedToo) {
    const TradeSet backtest =
        make_set({model("2025-03-03", "10:00:00", 0), model("2025-03-04", "10:00:00", 20)});
    const ReportingSet actual = fills({fill("2025-03-04", "10:00:00", 25)});
    BacktestComparisonRequest request;
    request.dates = DateRange{};
    EXPECT_EQ(compare(backtest, actual, request).summary.unmatched_backtest_count, 1);
    request.conventions = kReference;
    EXPECT_EQ(compare(backtest, actual, request).summary.unmatched_backtest_count, 0);
}

TEST(BacktestVsActual, I46_ShowingOnlyOutliersDoesNotChangeTheTotals) {
    std::vector<Trade> backtest;
    std::vector<ReportingTrade> actual;
    for (int i = 0; i < 12; ++i) {
        const Date d = day("2025-03-03").plus_days(i);
        backtest.push_back(model(d.to_iso(), "10:00:00", 100));
        actual.push_back(fill(d.to_iso(), "10:00:00", i == 7 ? -900 : 100.0 - i));
    }
    BacktestComparisonRequest request;
    const BacktestComparison all = compare(make_set(backtest), fills(actual), request);
    request.outliers_only = true;
    const BacktestComparison shown = compare(make_set(backtest), fills(actual), request);
    ASSERT_EQ(shown.rows.size(), 1);
    EXPECT_EQ(shown.rows[0].severity, OutlierSeverity::kHigh);
    EXPECT_EQ(shown.summary.total_slippage, all.summary.total_slippage);
    EXPECT_EQ(all.summary.outliers->count, 1);
    EXPECT_EQ(all.summary.outliers->total_slippage, -1000);
    request.conventions = kReference;
    EXPECT_EQ(compare(make_set(backtest), fills(actual), request).summary.total_slippage, -1000);
}

TEST(BacktestVsActual, I47_FillsAreMatchedByDistanceInTime) {
    // As exported: the model at 10:15:00, the fill at 10:23:59 inside Date Opened.
    const TradeSet backtest =
        make_set({model("2025-05-01", "10:15:00", 100), model("2025-05-01", "12:27:00", 200)});
    const ReportingSet actual =
        fills({fill("2025-05-01", "10:23:59", 90), fill("2025-05-01", "12:39:17", 170)});
    BacktestComparisonRequest request = at_trade_level();
    const BacktestComparison ours = compare(backtest, actual, request);
    EXPECT_EQ(ours.summary.matched_comparisons, 2);
    EXPECT_EQ(ours.summary.total_slippage, -40);
    EXPECT_EQ(ours.rows[0].slippage, -30);
    EXPECT_EQ(ours.rows[0].evidence->minutes_apart, 12);
    EXPECT_EQ(ours.rows[0].time_opened(), "12:27");
    request.conventions = kReference;
    const BacktestComparison theirs = compare(backtest, actual, request);
    EXPECT_EQ(theirs.summary.matched_comparisons, 0);
    EXPECT_EQ(theirs.rows.size(), 4);
    request.fill_times_from_timestamp = false;  // a Time Opened column, minutes differ
    EXPECT_EQ(compare(backtest, actual, request).summary.matched_comparisons, 0);
}

TEST(BacktestVsActual, TheLeastTotalDistanceWinsAndNothingIsUsedTwice) {
    const TradeSet backtest =
        make_set({model("2025-05-01", "10:00:00", 1), model("2025-05-01", "10:20:00", 2)});
    // The first fill is nearest to the second trade (1 minute), but that would leave 21 for the
    // other pair; 19 and 1 are less.
    const ReportingSet actual =
        fills({fill("2025-05-01", "10:19:00", 20), fill("2025-05-01", "10:21:30", 10)});
    const BacktestComparison c = compare(backtest, actual, at_trade_level());
    ASSERT_EQ(c.rows.size(), 2);
    for (const SlippageRow& row : c.rows) {
        EXPECT_EQ(row.actual_pl, row.backtest_pl == 1 ? 20 : 10);
    }
    BacktestComparisonRequest strict = at_trade_level();
    strict.match_tolerance_minutes = 5;
    EXPECT_EQ(compare(backtest, actual, strict).summary.matched_comparisons, 1);
}

TEST(BacktestVsActual, I47_LegsDecideBetweenFillsOfOneMinute) {
    std::vector<Trade> backtest = {model("2025-05-30", "10:15:00", -305),
                                   model("2025-05-30", "10:15:00", 231)};
    backtest[0].legs = "1 May 30 5945 C STO 2.90 | 1 May 30 6025 C BTO 0.20";
    backtest[1].legs = "1 May 30 5855 P STO 3.20 | 1 May 30 5775 P BTO 0.25";
    std::vector<ReportingTrade> actual = {fill("2025-05-30", "10:15:40", 220),
                                          fill("2025-05-30", "10:15:40", -311)};
    actual[0].legs = "1 May 30 5855 P STO 3.24 | 1 May 30 5775 P BTO 0.22";
    actual[1].legs = "1 May 30 5945 C STO 2.80 | 1 May 30 6025 C BTO 0.17";
    const BacktestComparison c = compare(make_set(backtest), fills(actual), at_trade_level());
    EXPECT_EQ(c.summary.matched_comparisons, 2);
    EXPECT_EQ(c.rows[0].slippage, -11);
    EXPECT_EQ(c.rows[1].slippage, -6);
}

TEST(BacktestVsActual, MatchedTradesListWhatDiffers) {
    std::vector<Trade> backtest = {model("2025-03-03", "10:00:00", 100, 2)};
    backtest[0].reason_for_close = "Expired";
    backtest[0].opening_price = 5800.5;
    backtest[0].gap = 1.25;
    std::vector<ReportingTrade> actual = {fill("2025-03-03", "10:00:20", 70, 1)};
    actual[0].reason_for_close = "Stop Loss";
    actual[0].opening_price = 5800.5;
    BacktestComparisonRequest request = at_trade_level();
    const SlippageRow row = compare(make_set(backtest), fills(actual), request).rows.at(0);
    ASSERT_EQ(row.differences.size(), 3);
    EXPECT_EQ(row.differences[0].field, "numContracts");
    EXPECT_EQ(row.differences[0].delta, -1);
    EXPECT_EQ(row.differences[1].field, "reasonForClose");
    EXPECT_EQ(row.differences[1].actual, "Stop Loss");
    EXPECT_EQ(row.differences[2].field, "pl");
    EXPECT_EQ(row.differences[2].delta, -30);
    EXPECT_EQ(row.context.gap, 1.25);
    EXPECT_FALSE(row.context.empty());
}

TEST(BacktestVsActual, I54_ImpossibleFillsAreAnnounced) {
    std::vector<Trade> backtest = {model("2025-04-07", "10:00:00", -8025, 6)};
    backtest[0].margin_req = 90000;
    std::vector<ReportingTrade> actual = {fill("2025-04-07", "10:01:00", -1458876, 6)};
    actual[0].initial_premium = 4.2;
    actual[0].avg_closing_cost = -2435.5;
    const BacktestComparison c = compare(make_set(backtest), fills(actual));
    ASSERT_EQ(c.warnings.size(), 2);
    EXPECT_NE(c.warnings[0].find("margin"), std::string::npos);
    EXPECT_NE(c.warnings[1].find("20 times"), std::string::npos);
    actual[0].avg_closing_cost = -17.5;
    EXPECT_NE(compare(make_set(backtest), fills(actual)).warnings[1].find("does not follow"),
              std::string::npos);
    BacktestComparisonRequest request;
    request.conventions = kReference;
    EXPECT_TRUE(compare(make_set(backtest), fills(actual), request).warnings.empty());
}

TEST(BacktestVsActual, I15_WeekGroupsCarryTheIsoYear) {
    const TradeSet backtest =
        make_set({model("2024-12-30", "10:00:00", 10), model("2025-01-02", "10:00:00", 20),
                  model("2025-01-06", "10:00:00", 30)});
    const ReportingSet actual =
        fills({fill("2024-12-30", "10:00:00", 11), fill("2025-01-02", "10:00:00", 22),
               fill("2025-01-06", "10:00:00", 35)});
    BacktestComparisonRequest request;
    request.group_by = SlippageGroupBy::kWeek;
    const BacktestComparison ours = compare(backtest, actual, request);
    ASSERT_EQ(ours.groups.size(), 2);
    EXPECT_EQ(ours.groups[0].key, "2025-W02");
    EXPECT_EQ(ours.groups[0].total_slippage, 5);
    EXPECT_EQ(ours.groups[1].key, "2025-W01");
    EXPECT_EQ(ours.groups[1].avg_slippage, 1.5);
    EXPECT_TRUE(ours.rows.empty());
    request.conventions = kReference;
    EXPECT_EQ(compare(backtest, actual, request).groups.size(), 3);
    request.group_by = SlippageGroupBy::kMonth;
    EXPECT_EQ(compare(backtest, actual, request).groups[0].key, "2025-01");
    request.group_by = SlippageGroupBy::kDate;
    EXPECT_EQ(compare(backtest, actual, request).groups[0].key, "2025-01-06");
    request.group_by = SlippageGroupBy::kStrategy;
    EXPECT_EQ(compare(backtest, actual, request).groups[0].count, 3);
}

TEST(BacktestVsActual, TheBacktestIsCutToTheFillsDaysUnlessAskedOtherwise) {
    const TradeSet backtest =
        make_set({model("2025-03-03", "10:00:00", 10), model("2025-03-04", "10:00:00", 20)});
    const ReportingSet actual = fills({fill("2025-03-04", "10:00:00", 22)});
    EXPECT_TRUE(compare(backtest, actual).auto_filter_applied);
    EXPECT_EQ(compare(backtest, actual).backtest_trades, 1);
    BacktestComparisonRequest request;
    request.dates = DateRange{};
    EXPECT_FALSE(compare(backtest, actual, request).auto_filter_applied);
    EXPECT_EQ(compare(backtest, actual, request).backtest_trades, 2);
    request.matched_only = true;
    EXPECT_EQ(compare(backtest, actual, request).rows.size(), 1);
}

TEST(BacktestVsActual, TheReferenceComparesDateTextsAsTheyStand) {
    const auto from = [](std::string_view text) {
        return reference_date_bound(text, BoundSide::kFrom)->to_iso();
    };
    const auto to = [](std::string_view text) {
        return reference_date_bound(text, BoundSide::kTo)->to_iso();
    };
    EXPECT_EQ(from("2025-03-04"), "2025-03-04");
    EXPECT_EQ(to("2025-03-04"), "2025-03-04");
    EXPECT_EQ(from("2025-03"), "2025-03-01");
    EXPECT_EQ(to("2025-03"), "2025-02-28");
    EXPECT_EQ(from("2025-6-1"), "2026-01-01");  // '6' is above every month's '0' or '1'
    EXPECT_EQ(to("2025-6-1"), "2025-12-31");
    EXPECT_EQ(from("2025-04-15T10:00:00"), "2025-04-16");
    EXPECT_EQ(to("2025-04-15T10:00:00"), "2025-04-15");
    EXPECT_EQ(to("2025-02-30"), "2025-02-28");
    EXPECT_EQ(from("June"), "9999-12-31");
    EXPECT_EQ(to(" 2025-04-01"), "1000-01-01");
    EXPECT_FALSE(reference_date_bound("", BoundSide::kTo).has_value());
}

TEST(BacktestVsActual, AnEmptySideIsAnError) {
    const TradeSet backtest = make_set({model("2025-03-03", "10:00:00", 10)});
    EXPECT_EQ(compare_backtest_to_actual(backtest, {}, {}).error().code, ErrorCode::kNotFound);
    const ReportingSet later = fills({fill("2025-03-04", "10:00:00", 22)});
    EXPECT_EQ(compare_backtest_to_actual(backtest, later, {}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tb::analytics
