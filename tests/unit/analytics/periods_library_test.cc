// Segments and rolling windows of edge-decay analysis.
#include "analytics/periods_rolling.h"
#include "analytics/periods_segments.h"
#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::close_to;
using test::day;
using test::make_set;
using test::make_trade;
using test::with_funds;

StatisticsOptions options(Conventions conventions = Conventions::kCorrect) {
    StatisticsOptions o;
    o.conventions = conventions;
    o.rates = RiskFreeRates::fixed(0).value();
    return o;
}

// Six winners of 100 and one loser per month given, from January 2024; the loser makes the month's
// net P/L what is asked for.
std::vector<Trade> months(const std::vector<double>& net_pl) {
    std::vector<Trade> trades;
    for (std::size_t m = 0; m < net_pl.size(); ++m) {
        const auto year = 2024 + static_cast<std::int32_t>(m) / 12;
        const auto month = static_cast<std::int32_t>(m) % 12 + 1;
        for (std::int32_t i = 0; i < 7; ++i) {
            const std::string d = Date::from_ymd(year, month, 3 + i)->to_iso();
            trades.push_back(make_trade(d, d, i < 6 ? 100 : net_pl[m] - 600));
        }
    }
    return with_funds(trades, 20000);
}

TEST(Segments, KeysCountsAndPartialPeriods) {
    const PeriodSegmentation s =
        segment_periods(make_set(months({50, -20, 30, 40, 60, 10, 80})), options());
    ASSERT_EQ(s.months.size(), 7);
    ASSERT_EQ(s.quarters.size(), 3);
    ASSERT_EQ(s.years.size(), 1);
    EXPECT_EQ(s.months[1].key, "2024-02");
    EXPECT_EQ(s.months[1].label, "February 2024");
    EXPECT_EQ(s.quarters[1].key, "2024-Q2");
    EXPECT_EQ(s.quarters[1].net_pl, 110);
    EXPECT_EQ(s.years[0].label, "2024");
    EXPECT_EQ(s.years[0].trade_count, 49);
    EXPECT_EQ(s.months[0].partial_reason, "first period");
    EXPECT_FALSE(s.months[3].is_partial);
    EXPECT_EQ(s.months[6].partial_reason, "last period");
    EXPECT_EQ(s.months[3].start_date, day("2024-04-03"));
    EXPECT_EQ(s.months[3].end_date, day("2024-04-09"));
    // April starts from 20,060; a quarter's return is the mean of its months'.
    EXPECT_TRUE(close_to(s.months[3].avg_monthly_return_pct, 100 * 40.0 / 20060));
    EXPECT_TRUE(close_to(s.quarters[1].avg_monthly_return_pct,
                         100 * (40.0 / 20060 + 60.0 / 20100 + 10.0 / 20160) / 3));
    EXPECT_TRUE(s.quality.sufficient_for_trends);
    EXPECT_EQ(s.quality.warnings.size(), 1);
}

TEST(Segments, TrendOfTheQuarters) {
    const PeriodSegmentation s = segment_periods(
        make_set(months({10, 10, 10, 20, 20, 20, 30, 30, 30, 45, 45, 45})), options());
    ASSERT_TRUE(s.quarterly_trends.net_pl.has_value());
    // 30, 60, 90, 135: slope (3*105 + 30)/10.
    EXPECT_TRUE(close_to(s.quarterly_trends.net_pl->slope, 34.5));
    EXPECT_EQ(s.quarterly_trends.trade_count->slope, 0);
    EXPECT_FALSE(s.yearly_trends.net_pl.has_value());
}

TEST(Segments, I21_UndefinedPeriodsKeepTheirPlace) {
    // The second quarter has no loser: its profit factor is infinite.
    std::vector<Trade> trades = months({10, 10, 10, 600, 600, 600, 30, 30, 30});
    std::erase_if(trades, [](const Trade& t) { return t.pl == 0; });
    const TradeSet set = make_set(trades);
    const PeriodSegmentation ours = segment_periods(set, options());
    const PeriodSegmentation theirs = segment_periods(set, options(Conventions::kReference));
    EXPECT_TRUE(ours.quarters[1].profit_factor_infinite);
    EXPECT_EQ(ours.quarterly_trends.profit_factor->sample_size, 2);
    const double first = 600.0 / 590;
    const double third = 600.0 / 570;
    EXPECT_TRUE(close_to(ours.quarterly_trends.profit_factor->slope, (third - first) / 2));
    EXPECT_EQ(theirs.quarterly_trends.profit_factor->sample_size, 3);  // taken as 0
}

TEST(Segments, RunsOfLosingMonths) {
    const PeriodSegmentation s =
        segment_periods(make_set(months({-10, -20, 30, -5, -6, 40, -1})), options());
    ASSERT_EQ(s.losing_months.runs.size(), 3);
    EXPECT_EQ(s.losing_months.worst->first_month, "2024-01");
    EXPECT_EQ(s.losing_months.worst->net_pl, -30);  // two runs of two: the more negative
    EXPECT_EQ(s.losing_months.current->months, 1);
    EXPECT_EQ(s.losing_months.current->last_month, "2024-07");
    EXPECT_FALSE(
        segment_periods(make_set(months({-1, 2})), options()).losing_months.current.has_value());
    EXPECT_TRUE(segment_periods({}, options()).months.empty());
}

TEST(RollingEdge, WindowsStepsAndSeasons) {
    const std::vector<Trade> trades = months({50, -20, 30, 40});  // 28 trades
    const RollingEdge edge = rolling_edge(trades, 7, 7, options());
    ASSERT_EQ(edge.points.size(), 4);
    EXPECT_EQ(edge.points[1].metrics.net_pl, -20);
    EXPECT_TRUE(close_to(edge.points[1].metrics.profit_factor, 600.0 / 620));
    EXPECT_EQ(edge.points[3].date, day("2024-04-09"));
    ASSERT_EQ(edge.seasons.size(), 2);
    EXPECT_EQ(edge.seasons[0].windows, 3);
    EXPECT_TRUE(close_to(edge.seasons[0].net_pl, 20));
    EXPECT_EQ(rolling_edge(trades, std::nullopt, 1, options()).window, 20);
    EXPECT_TRUE(rolling_edge(trades, 29, 1, options()).points.empty());
}

TEST(RecentComparison, I50_NetPlIsComparedPerTrade) {
    const std::vector<Trade> trades = months({70, 70, 70, -14});
    RecentOptions recent;
    recent.trades = 7;
    const auto ours = compare_recent(trades, recent, options());
    ASSERT_TRUE(ours.has_value());
    const auto find = [](const RecentComparison& c, std::string_view name) {
        for (const MetricChange& change : c.changes) {
            if (change.metric == name) {
                return change;
            }
        }
        return MetricChange();
    };
    EXPECT_TRUE(close_to(find(*ours, "netPlPerTrade").recent, -2));
    EXPECT_TRUE(close_to(find(*ours, "netPlPerTrade").historical, 10));
    EXPECT_TRUE(close_to(find(*ours, "netPlPerTrade").percent_change, -120));
    const auto theirs = compare_recent(trades, recent, options(Conventions::kReference));
    EXPECT_EQ(find(*theirs, "netPl").historical, 210);
    EXPECT_TRUE(ours->profit_factor_below_one);
    EXPECT_FALSE(ours->win_rate_below_half);
    recent.trades.reset();
    recent.days = 6;
    EXPECT_EQ(compare_recent(trades, recent, options())->recent_trades, 7);
    recent.days = 1000;
    EXPECT_FALSE(compare_recent(trades, recent, options()).has_value());
    EXPECT_FALSE(compare_recent({}, recent, options()).has_value());
}

}  // namespace
}  // namespace tb::analytics
