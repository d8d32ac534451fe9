// One start capital, one horizon, one base: which account the statistics speak of.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "analytics/kelly.h"
#include "analytics/position_sizing.h"
#include "analytics/selection.h"
#include "analytics/statistics.h"
#include "analytics/statistics_checks.h"
#include "random_trades.h"

namespace tb::analytics {
namespace {

using test::day;

constexpr auto kCorrect = Conventions::kCorrect;

::testing::AssertionResult near(std::optional<double> value, double expected) {
    const double off = value ? std::fabs(*value - expected) : INFINITY;
    return off <= 1e-9 * std::max(1.0, std::fabs(expected))
               ? ::testing::AssertionSuccess()
               : ::testing::AssertionFailure() << value.value_or(NAN) << ", expected " << expected;
}

StatisticsOptions options() {
    StatisticsOptions o;
    o.rates = RiskFreeRates::fixed(0).value();
    return o;
}

Trade trade(const char* opened, const char* closed, double pl) {
    Trade t;
    t.date_opened = day(opened);
    t.date_closed = day(closed);
    t.time_opened = TimeOfDay(10 * 3600);
    t.time_closed = TimeOfDay(15 * 3600);
    t.pl = pl;
    t.ticker = "SPX";
    return t;
}

std::vector<Trade> funded(std::vector<Trade> trades, double start) {
    for (Trade& t : trades) {
        start += t.pl;
        t.funds_at_close = start;
    }
    return trades;
}

bool mentions(const StatisticsResult& result, std::string_view part) {
    const auto has = [&](const std::string& text) { return text.find(part) != std::string::npos; };
    return std::any_of(result.warnings.begin(), result.warnings.end(), has) ||
           std::any_of(result.notes.begin(), result.notes.end(),
                       [&](const Note& note) { return has(note.reason); });
}

// ---- Kelly ----

TEST(KellyWithTies, BreakEvenTradesMoveNothing) {
    std::vector<Trade> trades;
    for (int i = 0; i < 60; ++i) {
        trades.push_back(trade("2025-01-06", "2025-01-06", i < 20 ? 100 : i < 30 ? -100 : 0));
        trades.back().margin_req = 1000;
    }
    trades = funded(trades, 100000);
    const KellyMetrics kelly = kelly_metrics(trades, {});
    EXPECT_TRUE(near(kelly.percent, 100.0 / 3));
    EXPECT_TRUE(near(kelly.normalized_kelly_pct, 100.0 / 3));
    EXPECT_TRUE(near(portfolio_statistics(trades, {}, options()).stats.kelly_pct, 100.0 / 3));
    TradeSet set{trades, {"one"}, nullptr};
    PositionSizingOptions sizing;
    sizing.capital_base = 90000;
    sizing.kelly_fraction = KellyFraction::kFull;
    sizing.max_allocation_pct = 100;
    const auto sized = position_sizing(set, sizing, kCorrect).value();
    EXPECT_TRUE(near(sized.portfolio.recommended_allocation, 30000));
    EXPECT_TRUE(near(sized.strategies.at(0).adjusted_allocation, 30000));
    // The reference takes a tie for a loss.
    KellyOptions reference;
    reference.conventions = Conventions::kReference;
    EXPECT_TRUE(near(kelly_metrics(trades, reference).percent, -100.0 / 3));
}

TEST(KellyWithTies, TheFractionMaximizesTheExpectedLogGrowth) {
    EXPECT_TRUE(rc::check("no neighbour grows faster", [] {
        const int wins = *rc::gen::inRange(1, 40);
        const int losses = *rc::gen::inRange(1, 40);
        const int ties = *rc::gen::inRange(0, 40);
        const int win = *rc::gen::inRange(1, 300);
        std::vector<Trade> trades;
        for (int i = 0; i < wins + losses + ties; ++i) {
            trades.push_back(trade("2025-01-06", "2025-01-06",
                                   i < wins            ? win
                                   : i < wins + losses ? -100
                                                       : 0));
        }
        const double f = kelly_metrics(trades, {}).fraction;
        const double n = wins + losses + ties;
        // In units of the loss, which is what the fraction is staked on.
        const auto growth = [&](double share) {
            return wins / n * std::log1p(share * win / 100.0) + losses / n * std::log1p(-share);
        };
        RC_PRE(f > -0.9 * 100.0 / win && f < 0.99);
        const double step = 1e-3;
        RC_ASSERT(growth(f) >= growth(std::min(0.999, f + step)) - 1e-15);
        RC_ASSERT(growth(f) >= growth(f - step) - 1e-15);
        RC_ASSERT(near(portfolio_statistics(trades, {}, options()).stats.kelly_pct, 100 * f));
    }));
}

// ---- horizon ----

TEST(Horizon, ATradeHeldForAYearIsAYearOfReturns) {
    const auto trades = funded({trade("2024-01-02", "2025-01-02", 3000)}, 100000);
    const StatisticsResult r = portfolio_statistics(trades, {}, options());
    // 252 exchange days of 2024 (January 2 to December 31) and January 2.
    EXPECT_EQ(r.methodology.observations, 253);
    EXPECT_EQ(r.methodology.first_observation, day("2024-01-02"));
    EXPECT_EQ(r.methodology.last_observation, day("2025-01-02"));
    // One return of x among n: mean x/n, variance x^2/n: sqrt(252)/sqrt(n).
    EXPECT_TRUE(near(r.stats.sharpe_ratio, std::sqrt(252.0 / 253)));
    EXPECT_TRUE(near(r.stats.cagr_pct, 100 * (std::pow(1.03, 365.25 / 366) - 1)));
    StatisticsOptions reference = options();
    reference.conventions = Conventions::kReference;
    EXPECT_EQ(portfolio_statistics(trades, {}, reference).methodology.observations, 1);
}

// ---- insolvency ----

TEST(Insolvency, NothingGrowsOnceTheMoneyRanOut) {
    const auto trades = funded(
        {trade("2025-01-06", "2025-01-06", -1200), trade("2025-01-07", "2025-01-07", 2550)}, 1000);
    const StatisticsResult r = portfolio_statistics(trades, {}, options());
    EXPECT_EQ(r.stats.cagr_pct, std::nullopt);
    EXPECT_EQ(r.stats.calmar_ratio, std::nullopt);
    EXPECT_EQ(r.methodology.growth_end, std::nullopt);
    EXPECT_EQ(r.methodology.ran_out_on, day("2025-01-06"));
    EXPECT_TRUE(mentions(r, "0 or less on 2025-01-06"));
}

TEST(Insolvency, WithinADayIsEnough) {
    auto trades =
        funded({trade("2025-01-06", "2025-01-06", -1200), trade("2025-01-06", "2025-01-06", 1500),
                trade("2025-01-08", "2025-01-08", 100)},
               1000);
    trades[1].time_closed = TimeOfDay(16 * 3600);
    const StatisticsResult r = portfolio_statistics(trades, {}, options());
    EXPECT_EQ(r.methodology.ran_out_on, day("2025-01-06"));
    EXPECT_EQ(r.stats.cagr_pct, std::nullopt);
    EXPECT_TRUE(near(r.stats.max_drawdown_pct, 0));  // at the end of the days nothing fell
    EXPECT_TRUE(near(r.drawdowns_by_trade.worst.at(0).percent, 120));
}

TEST(Capital, NothingIsSaidAboutABalanceThatIsNotKnown) {
    const std::vector<Trade> trades = {trade("2025-01-06", "2025-01-06", -1200),
                                       trade("2025-01-07", "2025-01-07", 2550),
                                       trade("2025-01-08", "2025-01-08", -50)};
    const StatisticsResult r = portfolio_statistics(trades, {}, options());
    EXPECT_FALSE(mentions(r, "used up"));
    EXPECT_FALSE(mentions(r, "0 or less"));
    EXPECT_FALSE(mentions(r, "not positive"));
    EXPECT_TRUE(mentions(r, "no start capital is known"));
    EXPECT_EQ(r.stats.sharpe_ratio, std::nullopt);
    EXPECT_EQ(r.stats.max_drawdown_pct, std::nullopt);
    EXPECT_TRUE(r.drawdowns.worst.empty());
}

// ---- daily log ----

DailyLogEntry entry(const char* date, double net_liquidity, double funds, double pl) {
    DailyLogEntry e;
    e.date = day(date);
    e.net_liquidity = net_liquidity;
    e.current_funds = funds;
    e.daily_pl = pl;
    e.withdrawn = 0;
    return e;
}

std::vector<Trade> calendar_trades() {
    auto trades =
        funded({trade("2024-01-02", "2024-01-02", 1000), trade("2024-01-03", "2024-01-03", 2000),
                trade("2024-01-04", "2024-01-04", -500), trade("2024-01-05", "2024-01-05", 1500),
                trade("2024-01-05", "2024-01-09", 1500)},
               100000);
    for (Trade& t : trades) {
        t.time_opened.reset();
        t.time_closed.reset();
    }
    return trades;
}

std::vector<DailyLogEntry> calendar_log() {
    return {entry("2024-01-02", 101000, 101000, 1000), entry("2024-01-03", 103000, 103000, 2000),
            entry("2024-01-04", 102500, 102500, -500), entry("2024-01-05", 104000, 104000, 1500),
            entry("2024-01-08", 98000, 104000, -6000), entry("2024-01-09", 103800, 105500, 5800)};
}

TEST(DailyLogBase, OpenPositionsAtTheEndDoNotThrowTheLogAway) {
    const StatisticsResult r = portfolio_statistics(calendar_trades(), calendar_log(), options());
    EXPECT_EQ(r.methodology.return_source, ReturnSource::kDailyLog);
    EXPECT_TRUE(near(r.stats.max_drawdown_pct, 100.0 * 6000 / 104000));
    const Drawdown& worst = r.drawdowns.worst.at(0);
    EXPECT_EQ(r.drawdowns.basis, DrawdownBasis::kDailyLog);
    EXPECT_TRUE(near(worst.dollars, 6000));
    EXPECT_EQ(worst.peak_day, day("2024-01-05"));
    EXPECT_EQ(worst.trough_day, day("2024-01-08"));
    EXPECT_EQ(worst.recovery_day, std::nullopt);
    // By the realized results the worst is another one, and is named as what it is.
    EXPECT_EQ(r.drawdowns_by_trade.basis, DrawdownBasis::kEachTrade);
    EXPECT_TRUE(near(r.drawdowns_by_trade.worst.at(0).percent, 100.0 * 500 / 103000));
    EXPECT_TRUE(mentions(r, "on 1 days, first on 2024-01-09"));
}

TEST(DailyLogBase, AnotherAccountsLogIsNotUsed) {
    auto log = calendar_log();
    for (DailyLogEntry& e : log) {
        *e.current_funds += 3000 + 500 * (e.date - day("2024-01-02"));
    }
    const StatisticsResult r = portfolio_statistics(calendar_trades(), log, options());
    EXPECT_EQ(r.methodology.return_source, ReturnSource::kRealizedTrades);
    EXPECT_TRUE(mentions(r, "current funds differ"));
}

TEST(DailyLogBase, ToleranceIsOfWhatIsComparedNotOfTheStart) {
    // 1,000 grows to a hundred thousand; the log rounds to ten dollars.
    std::vector<Trade> trades;
    std::vector<DailyLogEntry> log;
    double balance = 1000;
    for (int i = 0; i < 100; ++i) {
        const Date date = day("2024-01-01").plus_days(i);
        const std::string iso = date.to_iso();
        trades.push_back(trade(iso.c_str(), iso.c_str(), 1003));
        balance += 1003;
        DailyLogEntry e =
            entry(iso.c_str(), std::round(balance / 10) * 10, std::round(balance / 10) * 10, 1000);
        log.push_back(e);
    }
    trades = funded(trades, 1000);
    log[0].net_liquidity = log[0].daily_pl + 1000;
    const auto used = [&] {
        return portfolio_statistics(trades, log, options()).methodology.return_source;
    };
    EXPECT_EQ(used(), ReturnSource::kDailyLog);
    for (DailyLogEntry& e : log) {
        e.current_funds.reset();
    }
    EXPECT_EQ(used(), ReturnSource::kDailyLog);
}

TEST(DailyLogBase, WithdrawalsAreNoLossInAnyBase) {
    const std::vector<double> withdrawn = {0, 0, 3000, 3000, 3000, 5000};
    for (const bool funds_fall : {false, true}) {
        auto log = calendar_log();
        log[4] = entry("2024-01-08", 104000, 104000, 0);
        log[5] = entry("2024-01-09", 105500, 105500, 1500);
        for (std::size_t i = 0; i < log.size(); ++i) {
            log[i].withdrawn = withdrawn[i];
            log[i].net_liquidity -= withdrawn[i];
            *log[i].current_funds -= funds_fall ? withdrawn[i] : 0;
        }
        const StatisticsResult r = portfolio_statistics(calendar_trades(), log, options());
        ASSERT_EQ(r.methodology.return_source, ReturnSource::kDailyLog) << funds_fall;
        EXPECT_TRUE(mentions(r, "withdrawals on 2 days (5000.00 in all, first on 2024-01-04"));
        EXPECT_FALSE(mentions(r, "moves by other than its P/L"));
        // 500 lost of the 100,000 left after 3,000 of 103,000 were taken out.
        EXPECT_TRUE(near(r.stats.max_drawdown_pct, 0.5));
        EXPECT_TRUE(near(r.drawdowns_by_trade.worst.at(0).percent, 0.5));
        EXPECT_TRUE(near(r.drawdowns_by_trade.worst.at(0).dollars, 500));
    }
}

TEST(DailyLogBase, PeakExposureCountsNoWithdrawalAsALoss) {
    auto trades = calendar_trades();
    trades.back().margin_req = 10000;
    std::vector<DailyLogEntry> log = calendar_log();
    log[4] = entry("2024-01-08", 104000, 104000, 0);
    log[5] = entry("2024-01-09", 105500, 105500, 1500);
    for (DailyLogEntry& e : log) {
        if (e.date >= day("2024-01-04")) {
            e.withdrawn = 50000;
            e.net_liquidity -= 50000;
        }
    }
    StatisticsRequest request;
    request.options = options();
    const TradeSet set{trades, {"one"}, nullptr};
    const auto report = statistics_report(set, log, request);
    ASSERT_EQ(report->result.methodology.return_source, ReturnSource::kDailyLog);
    // Of the 102,500 at the start of January 5, as the chart says.
    EXPECT_TRUE(near(report->peak_by_percent->exposure_percent, 100.0 * 10000 / 102500));
    const EquityCurve curve = equity_curve(trades, kCorrect);
    const auto chart = daily_exposure(trades, equity_by_day(curve), kCorrect);
    EXPECT_TRUE(near(chart.by_percent->exposure_percent, 100.0 * 10000 / 102500));
}

TEST(Rates, DaysOutsideTheTableAreSaidOnBothSides) {
    StatisticsOptions historical;
    const StatisticsResult before = portfolio_statistics(
        funded({trade("2012-12-27", "2012-12-27", 5), trade("2013-01-03", "2013-01-03", 7)}, 1000),
        {}, historical);
    EXPECT_TRUE(
        mentions(before, "3 daily returns lie before the first risk-free rate (2013-01-01)"));
    const StatisticsResult after = portfolio_statistics(
        funded({trade("2030-01-03", "2030-01-03", 5), trade("2030-01-04", "2030-01-04", 7)}, 1000),
        {}, historical);
    EXPECT_TRUE(mentions(after, "2 daily returns lie after the last risk-free rate"));
}

// ---- selections ----

std::vector<double> figures(const StatisticsReport& report) {
    const PortfolioStatistics& s = report.result.stats;
    const auto or_nan = [](std::optional<double> v) { return v.value_or(-12345.0); };
    std::vector<double> values = {or_nan(s.initial_capital),
                                  or_nan(s.sharpe_ratio),
                                  or_nan(s.sortino_ratio),
                                  or_nan(s.cagr_pct),
                                  or_nan(s.calmar_ratio),
                                  or_nan(s.max_drawdown_pct),
                                  s.avg_daily_pl,
                                  or_nan(s.time_in_drawdown_pct),
                                  s.net_pl,
                                  static_cast<double>(s.max_win_streak)};
    for (const Drawdown& d : report.result.drawdowns_by_trade.worst) {
        values.push_back(d.percent);
    }
    if (report.peak_by_percent) {
        values.push_back(or_nan(report.peak_by_percent->exposure_percent));
    }
    return values;
}

TEST(Selections, TheSameTradesHaveTheSameFiguresByWhateverFilter) {
    EXPECT_TRUE(rc::check("date, ticker and strategy filters agree", [] {
        test::RandomBlock spec;
        spec.seed = *rc::gen::inRange<std::uint64_t>(1, 1'000'000);
        spec.trades = *rc::gen::inRange<std::size_t>(5, 60);
        spec.start = 20'000;
        TradeSet set = test::random_block(spec);
        std::vector<DailyLogEntry> log;
        if (*rc::gen::inRange(0, 2) == 1) {
            const auto daily = daily_equity_from_trades(
                set.trades, *initial_capital(set.trades, {}, kCorrect).dollars, kCorrect);
            for (std::size_t i = 0; i < daily.dates.size(); ++i) {
                DailyLogEntry e;
                e.date = daily.dates[i];
                e.net_liquidity = daily.end_of_day[i];
                e.current_funds = daily.end_of_day[i];
                e.daily_pl = daily.pl[i];
                log.push_back(e);
            }
        }
        // Everything realized from a day on is one strategy: three filters for the same trades.
        const Date from =
            set.trades[*rc::gen::inRange<std::size_t>(0, set.trades.size())].realized_on();
        set.strategies = {"early", "late"};
        for (Trade& t : set.trades) {
            t.strategy = t.realized_on() >= from ? 1 : 0;
        }
        StatisticsRequest by_date;
        by_date.options = options();
        by_date.filter.dates.from = from;
        StatisticsRequest by_both = by_date;
        by_both.filter.ticker = "SPX";
        StatisticsRequest by_name;
        by_name.options = options();
        by_name.filter.strategy = "late";
        const auto one = figures(*statistics_report(set, log, by_date));
        RC_ASSERT(figures(*statistics_report(set, log, by_both)) == one);
        RC_ASSERT(figures(*statistics_report(set, log, by_name)) == one);
        by_date.filter.dates.from = set.trades.front().date_opened.plus_days(-10);
        by_name.filter.strategy.reset();
        by_name.filter.ticker = "spx";
        RC_ASSERT(figures(*statistics_report(set, log, by_date)) ==
                  figures(*statistics_report(set, log, by_name)));
    }));
}

TEST(Selections, APartStartsWithWhatTheAccountHeldBeforeItsFirstResult) {
    auto trades =
        funded({trade("2025-01-06", "2025-01-06", 300), trade("2025-01-07", "2025-01-07", -120),
                trade("2025-01-08", "2025-01-08", 50)},
               10000);
    trades[1].strategy = 1;
    TradeSet set{trades, {"a", "b"}, nullptr};
    TradeFilter filter;
    filter.strategy = "b";
    EXPECT_TRUE(near(part_capital(set, {}, select_part(set, {}, filter)).dollars, 10300));
    // Without funds: the log's start and what was realized before.
    for (Trade& t : set.trades) {
        t.funds_at_close.reset();
    }
    const std::vector<DailyLogEntry> log = {entry("2025-01-06", 10300, 10300, 300),
                                            entry("2025-01-07", 10180, 10180, -120),
                                            entry("2025-01-08", 10230, 10230, 50)};
    EXPECT_TRUE(near(part_capital(set, log, select_part(set, log, filter)).dollars, 10300));
    filter.strategy.reset();
    filter.dates.to = day("2025-01-07");
    const Selection part = select_part(set, log, filter);
    EXPECT_TRUE(part.whole_account);
    EXPECT_EQ(part.log.size(), 2);
    EXPECT_EQ(part_capital(set, log, part).source, CapitalSource::kDailyLog);
}

}  // namespace
}  // namespace tb::analytics
