#include "analytics/equity.h"

#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::close_to;
using test::day;
using test::log_entry;
using test::make_trade;
using test::with_funds;

constexpr auto kCorrect = Conventions::kCorrect;
constexpr auto kReference = Conventions::kReference;

// Opened in order, closed in another.
std::vector<Trade> crossing_trades() {
    std::vector<Trade> trades = {make_trade("2025-01-02", "2025-01-08", 300),
                                 make_trade("2025-01-03", "2025-01-03", -120),
                                 make_trade("2025-01-06", "2025-01-07", 45)};
    trades[0].contracts = 3;
    trades[1].contracts = 2;
    for (Trade& t : trades) {
        t.margin_req = 1000.0 * t.contracts;
        t.opening_fees = 0.5 * t.contracts;
    }
    trades[1].funds_at_close = 9880;
    trades[2].funds_at_close = 9925;
    trades[0].funds_at_close = 10225;
    return trades;
}

TEST(RebuildEquity, RunsInClosingOrderAndKeepsOpenTrades) {
    std::vector<Trade> trades = crossing_trades();
    trades.push_back(make_trade("2025-01-09", "2025-01-09", 7));
    trades.back().date_closed.reset();
    trades.back().funds_at_close = 123;
    rebuild_equity(trades, 500.0, PlKind::kNet);
    EXPECT_EQ(trades[1].funds_at_close, 380);
    EXPECT_EQ(trades[2].funds_at_close, 425);
    EXPECT_EQ(trades[0].funds_at_close, 725);
    EXPECT_EQ(trades[3].funds_at_close, 123);
    rebuild_equity(trades, std::nullopt, PlKind::kNet);
    EXPECT_EQ(trades[1].funds_at_close, 380);  // start taken back from the first closed trade
}

TEST(RebuildEquity, ScalingScalesDollarsAndFees) {
    std::vector<Trade> trades = crossing_trades();
    scale_trades(trades, 0.5);
    EXPECT_EQ(trades[0].pl, 150);
    EXPECT_EQ(trades[0].opening_fees, 0.75);
    // The start is what the scaled first trade leaves of its old balance.
    EXPECT_EQ(trades[1].funds_at_close, 9880);
    EXPECT_EQ(trades[0].funds_at_close, 9880 + 22.5 + 150);
}

TEST(OneLot, I9_MarginIsDividedAndTheStartIsNotShifted) {
    std::vector<Trade> ours = crossing_trades();
    std::vector<Trade> reference = crossing_trades();
    normalize_to_one_lot(ours, kCorrect);
    normalize_to_one_lot(reference, kReference);
    EXPECT_EQ(ours[0].margin_req, 1000);
    EXPECT_EQ(reference[0].margin_req, 3000);
    EXPECT_EQ(ours[0].pl, 100);
    EXPECT_EQ(reference[0].pl, 100);
    // 100*pl/margin does not depend on the number of lots.
    EXPECT_EQ(100 * ours[1].pl / ours[1].margin_req, -6);
    EXPECT_EQ(100 * reference[1].pl / reference[1].margin_req, -3);
    EXPECT_EQ(initial_capital(ours, {}, kCorrect).dollars, 10000);
    EXPECT_EQ(initial_capital(reference, {}, kReference).dollars, 9940);  // 9880 + 120/2
    EXPECT_EQ(ours[0].contracts, 1);
}

TEST(OneLot, UnknownFundsStayUnknown) {
    std::vector<Trade> ours = {make_trade("2025-01-02", "2025-01-02", 50)};
    std::vector<Trade> reference = ours;
    normalize_to_one_lot(ours, kCorrect);
    normalize_to_one_lot(reference, kReference);
    EXPECT_EQ(initial_capital(ours, {}, kCorrect).dollars, std::nullopt);
    EXPECT_TRUE(equity_curve(ours, kCorrect).start_assumed);  // said, not a silent 1,000,000
    EXPECT_EQ(initial_capital(reference, {}, kReference).dollars, 1'000'000);
}

TEST(ChainFunds, TheStartIsFoundAgainBehindOpenTradesAndMissingClosingTimes) {
    // The earliest P/L is an open trade's, and the next day's first row by file order closes last.
    std::vector<Trade> trades = {make_trade("2025-01-02", "2025-01-02", -40),
                                 make_trade("2025-01-03", "2025-01-03", 300),
                                 make_trade("2025-01-03", "2025-01-03", -70)};
    trades[0].date_closed.reset();
    trades[0].time_closed.reset();
    trades[0].funds_at_close = 77000;  // the whole account's, not this part's
    trades[1].time_opened = test::at("12:00:00");
    trades[1].time_closed.reset();
    chain_funds(trades, 10000);
    EXPECT_EQ(initial_capital(trades, {}, kCorrect).dollars, 10000);
    EXPECT_EQ(trades[0].funds_at_close, 9960);
    EXPECT_EQ(trades[1].funds_at_close, 10260);  // 12:00, its opening time
    EXPECT_EQ(trades[2].funds_at_close, 9960 + 300 - 70);
    trades.erase(trades.begin());
    chain_funds(trades, 10000);
    EXPECT_EQ(initial_capital(trades, {}, kCorrect).dollars, 10000);
}

TEST(OneLot, SnapshotVariantLeavesSingleLotsAndStartsFromOneLotOfCapital) {
    std::vector<Trade> trades = crossing_trades();
    trades[2].contracts = 1;
    normalize_to_one_lot_snapshot(trades);
    EXPECT_EQ(trades[1].pl, -60);
    EXPECT_EQ(trades[1].margin_req, 1000);
    EXPECT_EQ(trades[2].pl, 45);
    EXPECT_EQ(trades[1].funds_at_close, 5000 - 60);  // (9880+120)/2 is the start
    EXPECT_EQ(trades[0].funds_at_close, 5000 - 60 + 45 + 100);
}

TEST(EquityCurve, StartsWithTheCapitalAndNumbersByRealization) {
    const EquityCurve curve = equity_curve(crossing_trades(), kCorrect);
    ASSERT_EQ(curve.points.size(), 4);
    EXPECT_EQ(curve.points[0].trade_number, 0);
    EXPECT_EQ(curve.points[0].date, day("2025-01-03"));
    EXPECT_EQ(curve.points[0].equity, 10000);
    EXPECT_EQ(curve.points[1].equity, 9880);
    EXPECT_EQ(curve.points[1].high_water_mark, 10000);
    EXPECT_EQ(curve.points[3].equity, 10225);
    EXPECT_EQ(curve.points[3].high_water_mark, 10225);
    EXPECT_EQ(curve.equity_of_trade, (std::vector<double>{10225, 9880, 9925}));
    EXPECT_FALSE(curve.start_assumed);
    EXPECT_TRUE(close_to(drawdown_series(curve)[1].drawdown_pct, -1.2));
    EXPECT_EQ(drawdown_series(curve)[3].drawdown_pct, 0);
}

TEST(EquityCurve, SaysWhenTheStartIsAssumed) {
    std::vector<Trade> trades = {make_trade("2025-01-02", "2025-01-02", 5)};
    EXPECT_TRUE(equity_curve(trades, kCorrect).start_assumed);
    EXPECT_EQ(equity_curve(trades, kCorrect).start, 100000);
    EXPECT_TRUE(equity_curve({}, kCorrect).points.empty());
}

TEST(PortfolioValue, AtADateByRealizationOrByOpening) {
    const std::vector<Trade> trades = crossing_trades();
    const auto value = [&](const char* d, ValueBasis basis) {
        return portfolio_value_at(trades, {}, day(d), basis, kCorrect);
    };
    EXPECT_EQ(value("2025-01-02", ValueBasis::kByRealizationDay), 10000);
    EXPECT_EQ(value("2025-01-07", ValueBasis::kByRealizationDay), 9925);
    EXPECT_EQ(value("2025-01-02", ValueBasis::kByOpenDay), 10225);  // 9925 + 300
    EXPECT_EQ(portfolio_value_at({}, {}, day("2025-01-02"), ValueBasis::kByOpenDay, kCorrect),
              std::nullopt);
}

TEST(PortfolioTimeline, RowsPerLogEntryOrPerTradeDay) {
    const std::vector<DailyLogEntry> log = {log_entry("2025-01-02", 1010, 10),
                                            log_entry("2025-01-03", 1035, 25)};
    const auto from_log = portfolio_timeline({}, log, kCorrect);
    ASSERT_EQ(from_log.size(), 2);
    EXPECT_EQ(from_log[1].cumulative_pl, 35);
    EXPECT_EQ(from_log[1].source, ReturnSource::kDailyLog);
    const auto from_trades = portfolio_timeline(crossing_trades(), {}, kCorrect);
    ASSERT_EQ(from_trades.size(), 3);
    EXPECT_EQ(from_trades[0].date, day("2025-01-03"));
    EXPECT_EQ(from_trades[2].portfolio_value, 10225);
    EXPECT_EQ(portfolio_timeline(crossing_trades(), {}, kReference)[0].date, day("2025-01-02"));
}

}  // namespace
}  // namespace tb::analytics
