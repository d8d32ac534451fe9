#include "analytics/periods.h"

#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::day;
using test::make_set;
using test::make_trade;
using test::with_funds;

TEST(PeriodKey, I15_WeeksCarryTheirIsoYear) {
    const auto key = [](const char* d, Conventions c) {
        return period_key(day(d), PeriodType::kWeekly, c);
    };
    EXPECT_EQ(key("2024-12-31", Conventions::kCorrect), "2025-W01");
    EXPECT_EQ(key("2024-12-31", Conventions::kReference), "2024-W01");
    EXPECT_EQ(key("2027-01-01", Conventions::kCorrect), "2026-W53");
    EXPECT_EQ(key("2027-01-01", Conventions::kReference), "2027-W53");
    EXPECT_EQ(key("2025-07-09", Conventions::kCorrect), "2025-W28");
}

TradeSet sample() {
    std::vector<Trade> trades = {
        make_trade("2024-12-30", "2024-12-31", 100), make_trade("2025-01-02", "2025-01-02", -40),
        make_trade("2025-01-02", "2025-02-03", 70), make_trade("2025-02-04", "2025-02-04", 9)};
    double fee = 1;
    for (Trade& t : trades) {
        t.opening_fees = fee;
        t.closing_fees = 2 * fee;
        t.contracts = 2;
        fee *= 2;
    }
    trades[2].basis = PlBasis::kGrossBeforeFees;
    trades[3].strategy = 1;
    return make_set(with_funds(trades, 1000), {"a", "b"});
}

TEST(PeriodReturns, GroupByRealizationWithAllFourSums) {
    const auto r = period_returns(sample(), {});
    ASSERT_TRUE(r.has_value());
    ASSERT_EQ(r->periods.size(), 3);
    EXPECT_EQ(r->periods[0].period, "2024-12");
    EXPECT_EQ(r->periods[2].period, "2025-02");
    const PeriodSums& february = r->periods[2].sums;
    EXPECT_EQ(february.reported_pl, 79);
    EXPECT_EQ(february.gross_pl, 70 + 9 + 24);
    EXPECT_EQ(february.commissions, 12 + 24);
    EXPECT_EQ(february.net_pl, 70 - 12 + 9);
    EXPECT_EQ(february.trade_count, 2);
    EXPECT_EQ(r->totals.net_pl, 100 - 40 + 58 + 9);
    EXPECT_EQ(r->trades_analyzed, 4);
}

TEST(PeriodReturns, I15_WeeksStandInOrder) {
    PeriodReturnsRequest request;
    request.type = PeriodType::kWeekly;
    const auto ours = period_returns(sample(), request);
    ASSERT_EQ(ours->periods.size(), 2);
    EXPECT_EQ(ours->periods[0].period, "2025-W01");
    EXPECT_EQ(ours->periods[0].sums.trade_count, 2);
    request.conventions = Conventions::kReference;
    const auto theirs = period_returns(sample(), request);
    ASSERT_EQ(theirs->periods.size(), 3);
    EXPECT_EQ(theirs->periods[0].period, "2024-W01");
}

TEST(PeriodReturns, FiltersByYearRangeAndStrategy) {
    PeriodReturnsRequest request;
    request.type = PeriodType::kDaily;
    request.year = 2025;
    EXPECT_EQ(period_returns(sample(), request)->periods.size(), 3);
    request.dates = DateRange{day("2024-12-31"), day("2025-01-02")};  // disables the year
    EXPECT_EQ(period_returns(sample(), request)->periods[0].period, "2024-12-31");
    EXPECT_EQ(period_returns(sample(), request)->periods.size(), 2);
    request.strategy = "B";
    EXPECT_FALSE(period_returns(sample(), request).has_value());
    request.dates.reset();
    EXPECT_EQ(period_returns(sample(), request)->totals.net_pl, 9);
    request.year = 1'000'000;
    EXPECT_FALSE(period_returns(sample(), request).has_value());
}

TEST(PeriodReturns, OneLotDividesEverySum) {
    PeriodReturnsRequest request;
    request.one_lot = true;
    const auto r = period_returns(sample(), request);
    EXPECT_EQ(r->totals.reported_pl, 139.0 / 2);
    EXPECT_EQ(r->totals.commissions, 45.0 / 2);
}

}  // namespace
}  // namespace tb::analytics
