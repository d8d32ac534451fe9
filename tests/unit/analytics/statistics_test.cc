#include "analytics/statistics.h"

#include <cmath>
#include <limits>

#include "analytics/statistics_checks.h"
#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::close_to;
using test::day;
using test::log_entry;
using test::make_set;
using test::make_trade;
using test::with_funds;

StatisticsOptions correct() {
    StatisticsOptions options;
    options.rates = RiskFreeRates::fixed(0).value();
    return options;
}
StatisticsOptions reference() {
    StatisticsOptions options = correct();
    options.conventions = Conventions::kReference;
    return options;
}
bool has_note(const StatisticsResult& result, std::string_view figure) {
    for (const Note& note : result.notes) {
        if (note.figure.find(figure) != std::string::npos) {
            return true;
        }
    }
    return false;
}
bool warns(const StatisticsResult& result, std::string_view part) {
    for (const std::string& warning : result.warnings) {
        if (warning.find(part) != std::string::npos) {
            return true;
        }
    }
    return false;
}

std::vector<Trade> five_trades() {
    std::vector<Trade> trades = {
        make_trade("2025-01-06", "2025-01-06", 300), make_trade("2025-01-07", "2025-01-07", -120),
        make_trade("2025-01-08", "2025-01-08", 0), make_trade("2025-01-10", "2025-01-10", 210),
        make_trade("2025-02-03", "2025-02-04", -90)};
    double fee = 1;
    for (Trade& t : trades) {
        t.opening_fees = fee;
        t.closing_fees = fee / 2;
        fee += 1;
    }
    return with_funds(trades, 10000);
}

TEST(Statistics, CountsSumsAndExtremesByHand) {
    const StatisticsResult r = portfolio_statistics(five_trades(), {}, correct());
    const PortfolioStatistics& s = r.stats;
    EXPECT_EQ(s.total_trades, 5);
    EXPECT_EQ(s.winning_trades, 2);
    EXPECT_EQ(s.losing_trades, 2);
    EXPECT_EQ(s.break_even_trades, 1);
    EXPECT_EQ(s.win_rate, 0.4);
    EXPECT_EQ(s.total_pl, 300);
    EXPECT_EQ(s.net_pl, 300);
    EXPECT_EQ(s.total_commissions, 22.5);
    EXPECT_EQ(s.avg_win, 255);
    EXPECT_EQ(s.avg_loss, -105);
    EXPECT_EQ(s.max_win, 300);
    EXPECT_EQ(s.max_loss, -120);
    EXPECT_TRUE(close_to(s.profit_factor, 510.0 / 210));
    EXPECT_EQ(s.initial_capital, 10000);
    const double b = 255.0 / 105;
    EXPECT_TRUE(close_to(s.kelly_pct, 100 * (0.5 * b - 0.5) / b));
    EXPECT_EQ(s.max_win_streak, 1);
    EXPECT_EQ(s.max_loss_streak, 1);
    EXPECT_EQ(s.current_streak, -1);
    EXPECT_EQ(s.monthly_win_rate_pct, 50);
    EXPECT_EQ(s.weekly_win_rate_pct, 50);
    EXPECT_TRUE(close_to(s.max_drawdown_pct, 100 * 120.0 / 10300));
    // 2025-01-06 to 2025-02-04 without January 9 (closed) and 20 (holiday): 20 days. Below the peak
    // on January 7 and 8 and on February 4.
    EXPECT_EQ(r.methodology.observations, 20);
    EXPECT_TRUE(close_to(s.time_in_drawdown_pct, 100 * 3.0 / 20));
    EXPECT_TRUE(close_to(s.avg_daily_pl, 15));
    const double cagr = 100 * (std::pow(1.03, 365.25 / 29) - 1);
    EXPECT_TRUE(close_to(s.cagr_pct, cagr));
    EXPECT_TRUE(close_to(s.calmar_ratio, cagr / (100 * 120.0 / 10300)));
    EXPECT_EQ(r.methodology.source_basis, SourceBasis::kNetIncludesFees);
    EXPECT_EQ(r.methodology.first_observation, day("2025-01-06"));
    EXPECT_EQ(r.methodology.last_observation, day("2025-02-04"));
}

TEST(Statistics, OpenTradesAreCountedApartAndAreNoResultsOfZero) {
    Trade open = make_trade("2024-01-05", "2024-01-05", 0);
    open.date_closed.reset();
    Trade dated_by_hand = make_trade("2024-01-05", "2024-01-05", -40);  // lost, day unreadable
    dated_by_hand.date_closed.reset();
    const std::vector<Trade> trades = {make_trade("2024-01-02", "2024-01-02", 100),
                                       make_trade("2024-01-03", "2024-01-03", 0), open,
                                       dated_by_hand};
    const PortfolioStatistics ours = portfolio_statistics(trades, {}, correct()).stats;
    EXPECT_EQ(ours.open_trades, 1);
    EXPECT_EQ(ours.break_even_trades, 1);
    EXPECT_EQ(ours.losing_trades, 1);
    EXPECT_EQ(ours.total_trades, 4);
    const PortfolioStatistics theirs = portfolio_statistics(trades, {}, reference()).stats;
    EXPECT_EQ(theirs.open_trades, 0);
    EXPECT_EQ(theirs.break_even_trades, 2);
}

TEST(Statistics, ReferenceCountsTradesAndTradingDays) {
    const PortfolioStatistics s = portfolio_statistics(five_trades(), {}, reference()).stats;
    EXPECT_TRUE(close_to(s.avg_daily_pl, 60));          // per day with a trade
    EXPECT_TRUE(close_to(s.time_in_drawdown_pct, 60));  // 3 of 5 trades
}

TEST(Statistics, I49_DrawdownShareAndDailyPlUseOneDefinition) {
    // The same account with and without its log gives the same answer by our rule.
    const std::vector<Trade> trades = five_trades();
    std::vector<DailyLogEntry> log;
    const DailyEquity daily = daily_equity_from_trades(trades, 10000, Conventions::kCorrect);
    double peak = 10000;
    for (std::size_t i = 0; i < daily.dates.size(); ++i) {
        peak = std::max(peak, daily.end_of_day[i]);
        DailyLogEntry e;
        e.date = daily.dates[i];
        e.net_liquidity = daily.end_of_day[i];
        e.daily_pl = daily.pl[i];
        e.drawdown_pct = std::round(10000 * (daily.end_of_day[i] / peak - 1)) / 100;
        log.push_back(e);
    }
    const PortfolioStatistics with = portfolio_statistics(trades, log, correct()).stats;
    const PortfolioStatistics without = portfolio_statistics(trades, {}, correct()).stats;
    EXPECT_TRUE(close_to(with.time_in_drawdown_pct, *without.time_in_drawdown_pct));
    EXPECT_TRUE(close_to(with.avg_daily_pl, without.avg_daily_pl));
    EXPECT_TRUE(close_to(with.max_drawdown_pct, *without.max_drawdown_pct));
    EXPECT_TRUE(close_to(with.sharpe_ratio, *without.sharpe_ratio));
    EXPECT_TRUE(close_to(with.cagr_pct, *without.cagr_pct));
    EXPECT_EQ(portfolio_statistics(trades, log, correct()).methodology.return_source,
              ReturnSource::kDailyLog);
    const PortfolioStatistics ref_with = portfolio_statistics(trades, log, reference()).stats;
    const PortfolioStatistics ref_without = portfolio_statistics(trades, {}, reference()).stats;
    EXPECT_GT(std::fabs(ref_with.avg_daily_pl - ref_without.avg_daily_pl), 40);
    EXPECT_GT(std::fabs(*ref_with.time_in_drawdown_pct - *ref_without.time_in_drawdown_pct), 40);
    EXPECT_EQ(*ref_with.max_drawdown_pct, 1.17);  // two decimals of the log
}

TEST(Statistics, I12_CagrRunsToTheLastRealizedDay) {
    const std::vector<Trade> trades = {make_trade("2024-01-02", "2024-12-31", 10000),
                                       make_trade("2024-01-03", "2024-01-05", 1000)};
    std::vector<Trade> funded = trades;
    funded[1].funds_at_close = 101000;
    funded[0].funds_at_close = 111000;
    const auto ours = portfolio_statistics(funded, {}, correct()).stats.cagr_pct;
    EXPECT_TRUE(close_to(ours, 100 * (std::pow(1.11, 365.25 / 364) - 1)));
    EXPECT_NEAR(*ours, 11, 0.1);
    const auto theirs = portfolio_statistics(funded, {}, reference()).stats.cagr_pct;
    EXPECT_NEAR(*theirs, 32966387, 1);  // 02 §6
}

TEST(Statistics, I13_ALogThatDisagreesIsNotMixedIn) {
    // The log starts from another capital and ends before the trades do, as MEIC's does.
    std::vector<Trade> trades = with_funds(
        {make_trade("2025-01-06", "2025-01-06", 500), make_trade("2025-01-07", "2025-01-07", -800),
         make_trade("2025-01-08", "2025-01-08", 200)},
        125000);
    const std::vector<DailyLogEntry> log = {log_entry("2025-01-06", 101000, 1000),
                                            log_entry("2025-01-07", 100500, -500)};
    const StatisticsResult ours = portfolio_statistics(trades, log, correct());
    EXPECT_EQ(ours.stats.initial_capital, 125000);
    EXPECT_EQ(ours.methodology.return_source, ReturnSource::kRealizedTrades);
    EXPECT_TRUE(close_to(ours.stats.max_drawdown_pct, 100 * 800.0 / 125500));
    EXPECT_TRUE(warns(ours, "ends on 2025-01-07"));
    EXPECT_TRUE(warns(ours, "100000.00"));
    const StatisticsResult mixed = portfolio_statistics(trades, log, reference());
    EXPECT_EQ(mixed.stats.initial_capital, 100000);
    EXPECT_EQ(mixed.methodology.return_source, ReturnSource::kDailyLog);
    // Its growth is that of the trades all the same.
    EXPECT_TRUE(
        close_to(mixed.stats.cagr_pct, 100 * (std::pow(124900.0 / 125000, 365.25 / 2) - 1)));
}

TEST(Statistics, I14_DrawdownDoesNotDependOnTheOrderOfTies) {
    std::vector<Trade> trades = {make_trade("2025-03-03", "2025-03-03", -100),
                                 make_trade("2025-03-03", "2025-03-03", -100)};
    trades[0].funds_at_close = 99800;
    trades[1].funds_at_close = 99900;
    const PortfolioStatistics ours = portfolio_statistics(trades, {}, correct()).stats;
    EXPECT_EQ(ours.initial_capital, 100000);
    EXPECT_TRUE(close_to(ours.max_drawdown_pct, 0.2));
    trades[0].funds_at_close = 99800;
    const PortfolioStatistics theirs = portfolio_statistics(trades, {}, reference()).stats;
    EXPECT_EQ(theirs.initial_capital, 99900);
    EXPECT_EQ(theirs.max_drawdown_pct, 0);  // 02 §6
}

TEST(Statistics, I15_WeeksDoNotEndWithTheYear) {
    // Tuesday and Thursday of one ISO week, on both sides of New Year.
    const std::vector<Trade> trades = with_funds(
        {make_trade("2024-12-31", "2024-12-31", 100), make_trade("2025-01-02", "2025-01-02", -30)},
        5000);
    EXPECT_EQ(portfolio_statistics(trades, {}, correct()).stats.weekly_win_rate_pct, 100);
    EXPECT_EQ(portfolio_statistics(trades, {}, reference()).stats.weekly_win_rate_pct, 50);
}

TEST(Statistics, I4_PeriodicWinRatesCountByRealization) {
    const std::vector<Trade> trades = with_funds(
        {make_trade("2025-01-30", "2025-02-03", 100), make_trade("2025-02-04", "2025-02-04", -130)},
        5000);
    const StatisticsResult ours = portfolio_statistics(trades, {}, correct());
    EXPECT_EQ(ours.stats.monthly_win_rate_pct, 0);
    EXPECT_EQ(ours.methodology.win_rate_attribution, WinRateAttribution::kRealizationDate);
    EXPECT_EQ(portfolio_statistics(trades, {}, reference()).stats.monthly_win_rate_pct, 50);
}

TEST(Statistics, I25_ARangesDrawdownStartsInTheRange) {
    // The account fell by half before the range and by 1 percent inside it.
    std::vector<DailyLogEntry> log = {
        log_entry("2025-01-06", 100000, 0), log_entry("2025-01-07", 50000, -50000),
        log_entry("2025-02-03", 50500, 500), log_entry("2025-02-04", 49995, -505)};
    log[1].drawdown_pct = -50;
    log[2].drawdown_pct = -49.5;
    log[3].drawdown_pct = -50.01;
    const TradeSet set = make_set(with_funds(
        {make_trade("2025-01-07", "2025-01-07", -50000),
         make_trade("2025-02-03", "2025-02-03", 500), make_trade("2025-02-04", "2025-02-04", -505)},
        100000));
    StatisticsRequest request;
    request.options = correct();
    request.filter.dates = {day("2025-02-01"), day("2025-02-28")};
    const auto ours = statistics_report(set, log, request);
    EXPECT_EQ(ours->result.methodology.return_source, ReturnSource::kDailyLog);
    EXPECT_TRUE(close_to(ours->result.stats.max_drawdown_pct, 1));
    request.options = reference();
    EXPECT_EQ(statistics_report(set, log, request)->result.stats.max_drawdown_pct, 50.01);
}

TEST(Statistics, I24_BondEquivalentYieldLowersTheRatio) {
    StatisticsOptions ours;
    StatisticsOptions theirs;
    theirs.conventions = Conventions::kReference;
    // 20 weekdays without a holiday, so that only the rate differs.
    std::vector<Trade> trades;
    for (int i = 0; i < 20; ++i) {
        const Date d = day("2025-03-03").plus_days(i + i / 5 * 2);
        trades.push_back(make_trade(d.to_iso(), d.to_iso(), i % 3 == 0 ? -41.0 - i : 37.0 + i));
    }
    trades = with_funds(trades, 20000);
    const StatisticsResult a = portfolio_statistics(trades, {}, ours);
    const StatisticsResult b = portfolio_statistics(trades, {}, theirs);
    EXPECT_EQ(a.methodology.observations, b.methodology.observations);
    EXPECT_TRUE(a.methodology.rate_is_bond_equivalent);
    EXPECT_FALSE(b.methodology.rate_is_bond_equivalent);
    EXPECT_LT(*a.stats.sharpe_ratio, *b.stats.sharpe_ratio);
    // March 2025: 4.20 discount is 4.31 bond-equivalent; the mean excess differs by the daily gap.
    const DailyEquity daily = daily_equity_from_trades(trades, 20000, Conventions::kCorrect);
    const double gap = (bond_equivalent_yield_pct(4.20) - 4.20) / 100 / 252;
    const double sd = std::sqrt(252.0) * gap / (*b.stats.sharpe_ratio - *a.stats.sharpe_ratio);
    double m = 0;
    double squares = 0;
    for (const double r : daily.returns) {
        m += r / 20;
    }
    for (const double r : daily.returns) {
        squares += (r - m) * (r - m);
    }
    EXPECT_TRUE(close_to(sd, std::sqrt(squares / 19), 1e-8));
}

TEST(Statistics, I3_AnInfiniteProfitFactorHasAReason) {
    const StatisticsResult r = portfolio_statistics(
        with_funds({make_trade("2025-01-06", "2025-01-06", 30)}, 1000), {}, correct());
    EXPECT_EQ(r.stats.profit_factor, std::nullopt);
    EXPECT_TRUE(r.stats.profit_factor_infinite);
    EXPECT_TRUE(has_note(r, "profitFactor"));
    EXPECT_TRUE(has_note(r, "sharpeRatio"));
    EXPECT_TRUE(has_note(r, "cagr"));
    EXPECT_TRUE(has_note(r, "kellyPercentage"));
    EXPECT_TRUE(has_note(r, "calmarRatio"));
    const StatisticsResult losers = portfolio_statistics(
        with_funds({make_trade("2025-01-06", "2025-01-06", -30)}, 1000), {}, correct());
    EXPECT_EQ(losers.stats.profit_factor, 0);
}

TEST(Statistics, I55_FewObservationsAreFlagged) {
    EXPECT_TRUE(
        has_note(portfolio_statistics(with_funds({make_trade("2025-01-06", "2025-01-06", 30),
                                                  make_trade("2025-01-08", "2025-01-08", -10)},
                                                 1000),
                                      {}, correct()),
                 "sharpeRatio, sortinoRatio, cagr"));
    EXPECT_FALSE(has_note(portfolio_statistics(five_trades(), {}, correct()),
                          "sharpeRatio, sortinoRatio, cagr"));  // 20 observations
}

TEST(Statistics, I57_WithdrawalsAreAnnounced) {
    std::vector<Trade> trades = with_funds({make_trade("2025-01-06", "2025-01-06", 500)}, 10000);
    std::vector<DailyLogEntry> log = {log_entry("2025-01-06", 10500, 500),
                                      log_entry("2025-01-07", 8000, 0)};
    log[1].withdrawn = 2500;
    const StatisticsResult r = portfolio_statistics(trades, log, correct());
    EXPECT_TRUE(warns(r, "withdrawals on 1 days (2500.00 in all, first on 2025-01-07"));
    EXPECT_FALSE(warns(r, "moves by other than its P/L"));  // explained
    EXPECT_EQ(r.stats.max_drawdown_pct, 0);
}

TEST(Statistics, I54_ImplausibleRowsAreAnnounced) {
    std::vector<Trade> trades = with_funds(
        {make_trade("2025-01-06", "2025-01-06", -5000), make_trade("2025-01-07", "2025-01-07", 99)},
        100000);
    trades[0].margin_req = 1000;
    trades[1].margin_req = 1000;
    trades[1].premium = 420;
    trades[1].premium_unit = PremiumUnit::kCents;
    trades[1].avg_closing_cost = 0;
    const StatisticsResult r = portfolio_statistics(trades, {}, correct());
    EXPECT_TRUE(warns(r, "1 of 2 trades gain or lose more than their margin"));
    EXPECT_TRUE(warns(r, "1 of 2 trades have a P/L that does not follow from premium"));
    // A row as exported: 420 cents a share, three contracts, fees of 9.
    Trade honest = make_trade("2025-10-08", "2025-10-08", 1251);
    honest.contracts = 3;
    honest.premium = 420;
    honest.premium_unit = PremiumUnit::kCents;
    honest.avg_closing_cost = 0;
    honest.opening_fees = 9;
    honest.margin_req = 43740;
    TradeSanity sanity;
    sanity.add(honest);
    EXPECT_TRUE(sanity.warnings().empty());
}

TEST(Statistics, ALossOfDebitAndFeesIsNoDoubtAndADebitMayWinAnyMultiple) {
    const auto doubts = [](double pl, double premium, double margin, double fees) {
        Trade t = make_trade("2025-10-08", "2025-10-08", pl);
        t.contracts = 2;
        t.premium = premium;
        t.premium_unit = PremiumUnit::kCents;
        t.margin_req = margin;
        t.opening_fees = fees;
        TradeSanity sanity;
        sanity.add(t);
        return sanity.warnings().size();
    };
    EXPECT_EQ(doubts(-226.8, -110, 220, 6.8), 0U);
    EXPECT_EQ(doubts(1980, -110, 220, 6.8), 0U);
    EXPECT_EQ(doubts(-300, -110, 220, 6.8), 1U);
    // The margin of a credit spread may be less than its credit.
    EXPECT_EQ(doubts(893.2, 450, 100, 6.8), 0U);
    EXPECT_EQ(doubts(950, 450, 100, 6.8), 1U);
    EXPECT_EQ(doubts(-106.8, 450, 100, 6.8), 0U);
    EXPECT_EQ(doubts(-950, 450, 100, 6.8), 1U);
    EXPECT_EQ(doubts(-950, 450, 0, 6.8), 0U);
}

TEST(Statistics, WithoutAnyCapitalNothingIsSaidOfABalance) {
    const std::vector<Trade> trades = {make_trade("2025-01-06", "2025-01-06", -500),
                                       make_trade("2025-01-07", "2025-01-07", 300)};
    const StatisticsResult r = portfolio_statistics(trades, {}, correct());
    EXPECT_EQ(r.stats.initial_capital, std::nullopt);
    EXPECT_FALSE(warns(r, "balance"));
    EXPECT_FALSE(warns(r, "used up"));
    EXPECT_TRUE(warns(portfolio_statistics(with_funds(trades, 100), {}, correct()), "used up"));
}

TEST(Statistics, RowsThatAreNotNumbersAreLeftOutAndCounted) {
    std::vector<Trade> trades = five_trades();
    Trade bad = make_trade("2025-01-09", "2025-01-09", std::numeric_limits<double>::quiet_NaN());
    trades.insert(trades.begin() + 3, bad);
    const StatisticsResult r = portfolio_statistics(trades, {}, correct());
    EXPECT_EQ(r.dropped_trades, 1);
    EXPECT_EQ(r.stats.total_trades, 5);
    EXPECT_EQ(r.stats.net_pl, 300);
    EXPECT_TRUE(warns(r, "1 trades"));
}

TEST(Statistics, NoTradesGiveZeroCountsAndNoRatios) {
    const StatisticsResult r = portfolio_statistics({}, {}, correct());
    EXPECT_EQ(r.stats.total_trades, 0);
    EXPECT_EQ(r.stats.sharpe_ratio, std::nullopt);
    EXPECT_EQ(r.stats.max_drawdown_pct, std::nullopt);
    EXPECT_TRUE(has_note(r, "initialCapital"));
    EXPECT_EQ(portfolio_statistics({}, {}, reference()).stats.max_drawdown_pct, 0);
}

TEST(Statistics, WithoutStatedFundsCapitalFiguresAreAbsentNotInvented) {
    std::vector<Trade> trades = five_trades();
    for (Trade& t : trades) {
        t.funds_at_close.reset();
    }
    const StatisticsResult r = portfolio_statistics(trades, {}, correct());
    EXPECT_EQ(r.stats.net_pl, 300);
    EXPECT_EQ(r.stats.initial_capital, std::nullopt);
    EXPECT_EQ(r.stats.cagr_pct, std::nullopt);
    EXPECT_EQ(r.stats.max_drawdown_pct, std::nullopt);
    EXPECT_TRUE(has_note(r, "initialCapital"));
    EXPECT_TRUE(has_note(r, "cagr"));
    EXPECT_TRUE(has_note(r, "maxDrawdown"));
    EXPECT_TRUE(close_to(r.stats.avg_daily_pl, 15));
}

TEST(Statistics, GrossRowsHaveTheirFeesDeductedOnce) {
    std::vector<Trade> trades = five_trades();
    trades[0].basis = PlBasis::kGrossBeforeFees;
    const StatisticsResult r = portfolio_statistics(trades, {}, correct());
    EXPECT_EQ(r.stats.total_pl, 300);
    EXPECT_EQ(r.stats.net_pl, 298.5);
    EXPECT_EQ(r.methodology.source_basis, SourceBasis::kMixed);
    EXPECT_EQ(r.methodology.gross_before_fees, 1);
}

TEST(StrategyStatistics, I26_NetPlIsAfterFees) {
    std::vector<Trade> trades = five_trades();
    for (Trade& t : trades) {
        t.basis = PlBasis::kGrossBeforeFees;
        t.strategy = t.pl > 0 ? 1 : 0;
    }
    const auto groups = strategy_statistics(make_set(trades, {"rest", "winners"}));
    ASSERT_EQ(groups.size(), 2);
    EXPECT_EQ(groups[0].strategy, "winners");
    EXPECT_EQ(groups[0].total_pl, 510);
    EXPECT_EQ(groups[0].net_pl, 510 - 1.5 - 6);
    EXPECT_TRUE(groups[0].profit_factor_infinite);
    EXPECT_EQ(groups[1].trade_count, 3);
    EXPECT_TRUE(close_to(groups[1].avg_days_in_trade, 1.0 / 3));
}

TEST(SliceStatistics, RoundsToCentsAndTakesZeroAsLoss) {
    const SliceStatistics s = slice_statistics(std::vector<double>{10.005, -3.333, 0, 20});
    EXPECT_EQ(s.trades, 4);
    EXPECT_EQ(s.win_rate_pct, 50);
    EXPECT_EQ(s.total_pl, 26.67);
    EXPECT_EQ(s.avg_win, 15);
    EXPECT_EQ(s.avg_loss, -1.67);
    EXPECT_EQ(s.profit_factor, 9);
    EXPECT_EQ(slice_statistics(std::vector<double>{1, 0}).profit_factor, std::nullopt);
    EXPECT_EQ(slice_statistics(std::vector<double>{-1, 0}).profit_factor, 0);
    EXPECT_EQ(slice_statistics({}).win_rate_pct, 0);
}

TEST(DecimalStatistics, I16_EveryPercentIsConverted) {
    PortfolioStatistics s;
    s.max_drawdown_pct = 12.89;
    s.cagr_pct = 26.59;
    s.monthly_win_rate_pct = 60;
    s.weekly_win_rate_pct = 58.5;
    const DecimalStatistics ours = to_decimal(s, Conventions::kCorrect);
    EXPECT_TRUE(close_to(ours.cagr, 0.2659));
    EXPECT_TRUE(close_to(ours.max_drawdown, 0.1289));
    EXPECT_EQ(ours.monthly_win_rate, 0.6);
    EXPECT_TRUE(close_to(ours.weekly_win_rate, 0.585));
    EXPECT_EQ(ours.time_in_drawdown, std::nullopt);
    const DecimalStatistics theirs = to_decimal(s, Conventions::kReference);
    EXPECT_EQ(theirs.cagr, 26.59);
    EXPECT_EQ(theirs.weekly_win_rate, 58.5);
    EXPECT_TRUE(close_to(theirs.max_drawdown, 0.1289));
}

TEST(StatisticsReport, AStrategyFilterRebuildsFundsFromTheAccountBeforeIt) {
    std::vector<Trade> trades = five_trades();
    trades[1].strategy = 1;
    trades[3].strategy = 1;
    for (Trade& t : trades) {
        t.margin_req = 1030;
    }
    const TradeSet set = make_set(trades, {"a", "B"});
    StatisticsRequest request;
    request.options = correct();
    request.filter.strategy = "b";
    const auto report = statistics_report(set, {}, request);
    ASSERT_TRUE(report.has_value());
    EXPECT_TRUE(report->rebuilt_equity);
    EXPECT_EQ(report->result.stats.initial_capital, 10300);  // after the other strategy's 300
    EXPECT_EQ(report->result.stats.net_pl, 90);
    EXPECT_TRUE(close_to(report->result.stats.max_drawdown_pct, 100 * 120.0 / 10300));
    EXPECT_EQ(report->peak_by_dollars->exposure, 1030);
    EXPECT_EQ(report->peak_by_percent->date, day("2025-01-10"));  // the lower balance
    EXPECT_TRUE(close_to(report->peak_by_percent->exposure_percent, 100 * 1030.0 / 10180));
    request.filter.strategy = "none such";
    EXPECT_FALSE(statistics_report(set, {}, request).has_value());
}

TEST(StatisticsReport, I13_APartStartsFromTheCapitalTheWholeBlockIsMeasuredBy) {
    // The log disagrees with the trades on capital, so the whole block is measured from the
    // trades' 125,000; a filter that leaves every trade in must not change a figure.
    const TradeSet set = make_set(with_funds({make_trade("2025-01-06", "2025-01-06", 500),
                                              make_trade("2025-01-07", "2025-01-07", -800),
                                              make_trade("2025-01-08", "2025-01-08", 200)},
                                             125000),
                                  {"a"});
    const std::vector<DailyLogEntry> log = {log_entry("2025-01-06", 101000, 1000),
                                            log_entry("2025-01-08", 100500, -500)};
    StatisticsRequest request;
    request.options = correct();
    const auto whole = statistics_report(set, log, request);
    request.filter.strategy = "A";
    const auto part = statistics_report(set, log, request);
    ASSERT_TRUE(whole && part);
    EXPECT_EQ(whole->result.stats.initial_capital, 125000);
    EXPECT_EQ(part->result.stats.initial_capital, 125000);
    EXPECT_EQ(part->result.stats.max_drawdown_pct, whole->result.stats.max_drawdown_pct);
    EXPECT_EQ(part->result.stats.sharpe_ratio, whole->result.stats.sharpe_ratio);
    EXPECT_EQ(part->result.stats.cagr_pct, whole->result.stats.cagr_pct);
    // The reference takes the log's capital all the same (02 §2.2).
    request.options = reference();
    EXPECT_EQ(statistics_report(set, log, request)->result.stats.initial_capital, 100000);
}

TEST(StatisticsReport, I13_APartOfABlockWithAMatchingLogStartsFromTheLog) {
    const TradeSet set = make_set(with_funds({make_trade("2025-01-06", "2025-01-06", 500),
                                              make_trade("2025-01-07", "2025-01-07", -800)},
                                             100100),
                                  {"a"});
    const std::vector<DailyLogEntry> log = {log_entry("2025-01-06", 100500, 500),
                                            log_entry("2025-01-07", 99700, -800)};
    StatisticsRequest request;
    request.options = correct();
    request.filter.strategy = "a";
    EXPECT_EQ(statistics_report(set, log, request)->result.stats.initial_capital, 100000);
}

TEST(StatisticsReport, APartThatBeginsWithAnOpenTradeStartsFromTheAccountBeforeIt) {
    std::vector<Trade> trades = with_funds(
        {make_trade("2025-01-06", "2025-01-06", 500), make_trade("2025-01-07", "2025-01-07", -40),
         make_trade("2025-01-08", "2025-01-08", 200)},
        10000);
    trades[1].date_closed.reset();
    trades[1].strategy = trades[2].strategy = 1;
    StatisticsRequest request;
    request.options = correct();
    request.filter.strategy = "b";
    const auto report = statistics_report(make_set(trades, {"a", "b"}), {}, request);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->result.stats.initial_capital, 10500);
    EXPECT_TRUE(close_to(report->result.stats.max_drawdown_pct, 100 * 40.0 / 10500));
}

TEST(StatisticsReport, I57_ExposureIsAShareOfTheMoneyInTheAccountDepositsIncluded) {
    // 100,000 paid in before the second day: returns leave it out, but it stands behind the margin.
    std::vector<Trade> trades = with_funds(
        {make_trade("2025-01-06", "2025-01-06", 0), make_trade("2025-01-07", "2025-01-07", 0),
         make_trade("2025-01-08", "2025-01-08", 0)},
        100000);
    trades[0].margin_req = 10000;
    trades[2].margin_req = 50000;
    const std::vector<DailyLogEntry> log = {log_entry("2025-01-06", 100000, 0),
                                            log_entry("2025-01-07", 200000, 0),
                                            log_entry("2025-01-08", 200000, 0)};
    StatisticsRequest request;
    request.options = correct();
    const auto report = statistics_report(make_set(trades, {"a"}), log, request);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->result.methodology.return_source, ReturnSource::kDailyLog);
    EXPECT_EQ(report->peak_by_percent->date, day("2025-01-08"));
    EXPECT_EQ(report->peak_by_percent->exposure_percent, 25);
    EXPECT_EQ(report->result.stats.max_drawdown_pct, 0);
}

}  // namespace
}  // namespace tb::analytics
