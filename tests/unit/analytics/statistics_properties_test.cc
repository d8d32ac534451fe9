// What must hold for any block: properties over random blocks, and data at the edge of what a
// double can hold.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>

#include <rapidcheck.h>

#include "analytics/backtest_vs_actual.h"
#include "analytics/charts.h"
#include "analytics/comparison.h"
#include "analytics/kelly.h"
#include "analytics/periods.h"
#include "analytics/returns_order.h"
#include "analytics/statistics.h"
#include "analytics/statistics_checks.h"
#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::day;
using test::make_set;
using test::with_funds;

constexpr std::array kBoth = {Conventions::kCorrect, Conventions::kReference};

StatisticsOptions options(Conventions conventions) {
    StatisticsOptions o;
    o.conventions = conventions;
    o.rates = RiskFreeRates::fixed(0).value();
    return o;
}

bool same(std::optional<double> a, std::optional<double> b, double tolerance = 1e-9) {
    if (!a || !b) {
        return a.has_value() == b.has_value();
    }
    return std::fabs(*a - *b) <= tolerance * std::max({1.0, std::fabs(*a), std::fabs(*b)});
}

// A block of up to 40 trades on a few days, several at one minute, in LOAD order with chained
// funds.
std::vector<Trade> random_trades() {
    const auto count = *rc::gen::inRange<std::size_t>(1, 40);
    std::vector<Trade> trades;
    for (std::size_t i = 0; i < count; ++i) {
        Trade t;
        t.date_opened = day("2024-12-16").plus_days(*rc::gen::inRange(0, 30));
        t.time_opened = TimeOfDay(60 * (600 + *rc::gen::inRange(0, 3)));
        t.date_closed = t.date_opened;
        t.time_closed = TimeOfDay(60 * (700 + *rc::gen::inRange(0, 2)));
        t.pl = *rc::gen::inRange(-40000, 40001) / 100.0;
        t.opening_fees = static_cast<double>(i) / 4;
        t.closing_fees = 1.25;
        t.contracts = *rc::gen::inRange(1, 5);
        t.margin_req = 500.0 * *rc::gen::inRange(0, 5);
        t.premium = *rc::gen::inRange(0, 500);
        t.strategy = *rc::gen::inRange<std::uint32_t>(0, 3);
        t.ticker = "SPX";
        trades.push_back(t);
    }
    std::stable_sort(trades.begin(), trades.end(), [](const Trade& a, const Trade& b) {
        return std::tuple(a.date_opened, a.time_opened) < std::tuple(b.date_opened, b.time_opened);
    });
    double funds = 50000;
    for (const std::uint32_t index : closefull_order(trades)) {
        funds += trades[index].net_pl();
        trades[index].funds_at_close = funds;
    }
    return trades;
}

TEST(Properties, ScalingPlScalesDollarsAndLeavesRatios) {
    EXPECT_TRUE(rc::check([] {
        const std::vector<Trade> trades = random_trades();
        const double k = *rc::gen::element(0.5, 3.0, 1000.0);
        std::vector<Trade> scaled = trades;
        for (Trade& t : scaled) {
            t.pl *= k;
            t.opening_fees *= k;
            t.closing_fees *= k;
            *t.funds_at_close *= k;
        }
        const PortfolioStatistics a =
            portfolio_statistics(trades, {}, options(Conventions::kCorrect)).stats;
        const PortfolioStatistics b =
            portfolio_statistics(scaled, {}, options(Conventions::kCorrect)).stats;
        RC_ASSERT(same(k * a.net_pl, b.net_pl));
        RC_ASSERT(same(k * a.avg_win, b.avg_win));
        RC_ASSERT(same(k * a.avg_daily_pl, b.avg_daily_pl));
        RC_ASSERT(same(k * *a.initial_capital, b.initial_capital));
        RC_ASSERT(a.win_rate == b.win_rate);
        RC_ASSERT(same(a.profit_factor, b.profit_factor));
        RC_ASSERT(same(a.sharpe_ratio, b.sharpe_ratio));
        RC_ASSERT(same(a.sortino_ratio, b.sortino_ratio));
        RC_ASSERT(same(a.max_drawdown_pct, b.max_drawdown_pct));
        RC_ASSERT(same(a.cagr_pct, b.cagr_pct));
        RC_ASSERT(same(a.kelly_pct, b.kelly_pct));
        RC_ASSERT(same(kelly_metrics(trades, {}).fraction, kelly_metrics(scaled, {}).fraction));
    }));
}

TEST(Properties, PermutingRowsOfOneMinuteChangesOnlyStreaks) {
    EXPECT_TRUE(rc::check([] {
        std::vector<Trade> trades = random_trades();
        const PortfolioStatistics a =
            portfolio_statistics(trades, {}, options(Conventions::kCorrect)).stats;
        const auto report_a =
            daily_exposure(trades, equity_by_day(trades, a.initial_capital, Conventions::kCorrect),
                           Conventions::kCorrect);
        for (std::size_t first = 0; first < trades.size();) {
            std::size_t end = first + 1;
            while (end < trades.size() && trades[end].date_opened == trades[first].date_opened &&
                   trades[end].time_opened == trades[first].time_opened) {
                ++end;
            }
            std::reverse(trades.begin() + static_cast<std::ptrdiff_t>(first),
                         trades.begin() + static_cast<std::ptrdiff_t>(end));
            first = end;
        }
        const PortfolioStatistics b =
            portfolio_statistics(trades, {}, options(Conventions::kCorrect)).stats;
        RC_ASSERT(same(a.initial_capital, b.initial_capital));
        RC_ASSERT(same(a.net_pl, b.net_pl, 1e-13));
        RC_ASSERT(same(a.sharpe_ratio, b.sharpe_ratio));
        RC_ASSERT(same(a.max_drawdown_pct, b.max_drawdown_pct));
        RC_ASSERT(a.time_in_drawdown_pct == b.time_in_drawdown_pct);
        RC_ASSERT(same(a.cagr_pct, b.cagr_pct));
        RC_ASSERT(a.monthly_win_rate_pct == b.monthly_win_rate_pct);
        const auto report_b =
            daily_exposure(trades, equity_by_day(trades, b.initial_capital, Conventions::kCorrect),
                           Conventions::kCorrect);
        RC_ASSERT(report_a.days.size() == report_b.days.size());
        for (std::size_t i = 0; i < report_a.days.size(); ++i) {
            RC_ASSERT(report_a.days[i].exposure == report_b.days[i].exposure);
            RC_ASSERT(report_a.days[i].peak_minute == report_b.days[i].peak_minute);
        }
    }));
}

TEST(Properties, StrategiesSumToThePortfolio) {
    EXPECT_TRUE(rc::check([] {
        const std::vector<Trade> trades = random_trades();
        for (const Conventions conventions : kBoth) {
            const TradeSet set = make_set(trades, {"a", "b", "c"});
            const PortfolioStatistics whole =
                portfolio_statistics(trades, {}, options(conventions)).stats;
            double net = 0;
            double reported = 0;
            std::int64_t count = 0;
            for (const StrategyStatistics& s : strategy_statistics(set)) {
                net += s.net_pl;
                reported += s.total_pl;
                count += s.trade_count;
            }
            RC_ASSERT(same(net, whole.net_pl));
            RC_ASSERT(same(reported, whole.total_pl));
            RC_ASSERT(count == whole.total_trades);
        }
    }));
}

TEST(Properties, DisjointPeriodsAddUp) {
    EXPECT_TRUE(rc::check([] {
        const TradeSet set = make_set(random_trades(), {"a", "b", "c"});
        const Date cut = day("2024-12-16").plus_days(*rc::gen::inRange(0, 30));
        const auto net = [&](DateRange dates) {
            StatisticsRequest request;
            request.options = options(Conventions::kCorrect);
            request.filter.dates = dates;
            const auto report = statistics_report(set, {}, request);
            return report ? report->result.stats : PortfolioStatistics();
        };
        const PortfolioStatistics before = net({std::nullopt, cut});
        const PortfolioStatistics after = net({cut.plus_days(1), std::nullopt});
        const PortfolioStatistics all = net({});
        RC_ASSERT(before.total_trades + after.total_trades == all.total_trades);
        RC_ASSERT(same(before.net_pl + after.net_pl, all.net_pl));
        RC_ASSERT(before.winning_trades + after.winning_trades == all.winning_trades);
        RC_ASSERT(std::max(before.max_win, after.max_win) == all.max_win);
        for (const PeriodType type :
             {PeriodType::kDaily, PeriodType::kWeekly, PeriodType::kMonthly}) {
            PeriodReturnsRequest request;
            request.type = type;
            const auto periods = period_returns(set, request);
            double sum = 0;
            std::set<std::string> keys;
            for (const PeriodReturn& p : periods->periods) {
                sum += p.sums.net_pl;
                keys.insert(p.period);
            }
            RC_ASSERT(same(sum, all.net_pl));
            RC_ASSERT(keys.size() == periods->periods.size());
        }
    }));
}

TEST(Properties, ATradeWithoutResultChangesOnlyCounts) {
    EXPECT_TRUE(rc::check([] {
        const std::vector<Trade> trades = random_trades();
        std::vector<Trade> more = trades;
        Trade zero = more.back();
        zero.pl = 0;
        zero.opening_fees = 0;
        zero.closing_fees = 0;
        zero.date_closed = std::max_element(trades.begin(), trades.end(), [](auto& x, auto& y) {
                               return x.realized_on() < y.realized_on();
                           })->realized_on();
        zero.time_closed = TimeOfDay(23 * 3600);
        zero.funds_at_close.reset();
        more.push_back(zero);
        const PortfolioStatistics a =
            portfolio_statistics(trades, {}, options(Conventions::kCorrect)).stats;
        const PortfolioStatistics b =
            portfolio_statistics(more, {}, options(Conventions::kCorrect)).stats;
        RC_ASSERT(b.total_trades == a.total_trades + 1);
        RC_ASSERT(b.break_even_trades == a.break_even_trades + 1);
        RC_ASSERT(a.net_pl == b.net_pl);
        RC_ASSERT(a.avg_win == b.avg_win);
        RC_ASSERT(a.profit_factor == b.profit_factor);
        RC_ASSERT(same(a.sharpe_ratio, b.sharpe_ratio));
        RC_ASSERT(same(a.max_drawdown_pct, b.max_drawdown_pct));
        RC_ASSERT(same(a.cagr_pct, b.cagr_pct));
        RC_ASSERT(b.current_streak == 0);
    }));
}

TEST(Properties, AFillEqualToItsTradeHasNoSlippage) {
    EXPECT_TRUE(rc::check([] {
        const std::vector<Trade> trades = random_trades();
        ReportingSet actual;
        actual.strategies = {"a", "b", "c"};
        for (const Trade& t : trades) {
            ReportingTrade fill;
            fill.date_opened = t.date_opened;
            fill.time_opened = t.time_opened;
            fill.pl = t.net_pl();
            fill.contracts = t.contracts;
            fill.strategy = t.strategy;
            actual.trades.push_back(fill);
        }
        BacktestComparisonRequest request;
        request.detail = *rc::gen::element(DetailLevel::kSummary, DetailLevel::kTrades);
        request.scaling = *rc::gen::element(SlippageScaling::kRaw, SlippageScaling::kPerContract,
                                            SlippageScaling::kToReported);
        const auto c =
            compare_backtest_to_actual(make_set(trades, {"a", "b", "c"}), actual, request);
        RC_ASSERT(c.has_value());
        RC_ASSERT(c->coverage.matched_backtest_percent == 100);
        RC_ASSERT(c->summary.unmatched_actual_count == 0);
        if (request.detail == DetailLevel::kSummary) {
            RC_ASSERT(std::fabs(*c->summary.total_slippage) <= 1e-7);
        }
        RC_ASSERT((request.scaling != SlippageScaling::kRaw ||
                   std::fabs(*c->summary.total_slippage) <= 1e-7));
    }));
}

// --- extreme data -------------------------------------------------------------------------------

bool noted(const std::vector<Note>& notes, std::string_view figure) {
    return std::any_of(notes.begin(), notes.end(),
                       [&](const Note& n) { return n.figure.find(figure) != std::string::npos; });
}

void expect_finite_or_noted(const StatisticsResult& r) {
    const PortfolioStatistics& s = r.stats;
    const auto optional_figure = [&](const char* name, std::optional<double> value) {
        RC_ASSERT((value ? std::isfinite(*value) : noted(r.notes, name)));
    };
    optional_figure("profitFactor", s.profit_factor);
    optional_figure("sharpeRatio", s.sharpe_ratio);
    optional_figure("sortinoRatio", s.sortino_ratio);
    optional_figure("calmarRatio", s.calmar_ratio);
    optional_figure("maxDrawdown", s.max_drawdown_pct);
    optional_figure("timeInDrawdown", s.time_in_drawdown_pct);
    optional_figure("kellyPercentage", s.kelly_pct);
    optional_figure("cagr", s.cagr_pct);
    optional_figure("initialCapital", s.initial_capital);
    const auto total = [&](const char* name, double value) {
        RC_ASSERT((std::isfinite(value) || noted(r.notes, name)));
    };
    total("totalPl", s.total_pl);
    total("netPl", s.net_pl);
    total("totalCommissions", s.total_commissions);
    total("maxWin", s.max_win);
    total("maxLoss", s.max_loss);
    total("avgWin", s.avg_win);
    total("avgLoss", s.avg_loss);
    total("avgDailyPl", s.avg_daily_pl);
    for (const double always : {s.win_rate, s.monthly_win_rate_pct, s.weekly_win_rate_pct}) {
        RC_ASSERT(std::isfinite(always));
    }
}

std::vector<Trade> extreme_trades(const std::vector<double>& amounts) {
    const auto amount = [&] { return *rc::gen::elementOf(amounts); };
    const auto count = *rc::gen::inRange<std::size_t>(0, 6);
    std::vector<Trade> trades;
    for (std::size_t i = 0; i < count; ++i) {
        Trade t = test::make_trade("2025-01-06", "2025-01-06", amount());
        t.date_opened = t.date_opened.plus_days(static_cast<std::int32_t>(i) / 2);
        t.date_closed = t.date_opened.plus_days(*rc::gen::inRange(0, 2));
        if (*rc::gen::inRange(0, 6) == 0) {
            t.date_closed.reset();
        }
        t.opening_fees = std::fabs(amount());
        t.margin_req = std::fabs(amount());
        t.premium = amount();
        t.max_profit = amount();
        t.max_loss = amount();
        t.basis = *rc::gen::element(PlBasis::kNetIncludesFees, PlBasis::kGrossBeforeFees);
        if (*rc::gen::inRange(0, 4) != 0) {
            t.funds_at_close = amount();
        }
        trades.push_back(t);
    }
    return trades;
}

TEST(ExtremeData, StatisticsAreFiniteOrSayWhyNot) {
    const double largest = std::numeric_limits<double>::max();
    const std::vector<double> amounts = {0,      1,     -1,     100,     1e308,    -1e308,
                                         1e-308, 1e155, -1e155, largest, -largest, 5e-324};
    EXPECT_TRUE(rc::check([&] {
        const std::vector<Trade> trades = extreme_trades(amounts);
        for (const Conventions conventions : kBoth) {
            StatisticsRequest request;
            request.options = options(conventions);
            const auto report = statistics_report(make_set(trades), {}, request);
            RC_ASSERT(report.has_value() == !trades.empty());
            if (report) {
                expect_finite_or_noted(report->result);
            }
            expect_finite_or_noted(portfolio_statistics(trades, {}, request.options));
        }
    }));
}

TEST(ExtremeData, UnderTheAnnouncedLimitsEverySeriesIsFinite) {
    const std::vector<double> amounts = {0, 1, -1, 5000, 1e74, -1e74, 1e-74, -1e-74, 0.01, -37.25};
    EXPECT_TRUE(rc::check([&] {
        const std::vector<Trade> trades = extreme_trades(amounts);
        RC_ASSERT(!extreme_amounts_note(trades).has_value());
        if (trades.empty()) {
            return;
        }
        const auto finite = [](std::optional<double> value) {
            RC_ASSERT((!value || std::isfinite(*value)));
        };
        const EquityCurve curve = equity_curve(trades, Conventions::kCorrect);
        for (const DrawdownPoint& p : drawdown_series(curve)) {
            finite(p.drawdown_pct);
        }
        for (const auto& [year, months] : monthly_returns_percent(trades, curve.start)) {
            for (const double percent : months) {
                finite(percent);
            }
        }
        for (const RollingPoint& p : rolling_metrics(trades, 2, Conventions::kCorrect)) {
            finite(p.avg_pl);
            finite(p.volatility);
            finite(p.profit_factor);
            finite(p.signal_to_noise);
        }
        for (const DistributionBucket& b : return_distribution(trades, 5, Conventions::kCorrect)) {
            finite(b.from);
            finite(b.to);
        }
        for (const SequencePoint& p : trade_sequence(trades)) {
            finite(p.rom);
        }
        for (const MarginPoint& p : margin_utilization(trades, curve, Conventions::kCorrect)) {
            finite(p.utilization_pct);
        }
        const ExcursionChart excursions = excursion_chart(trades, 10, Conventions::kCorrect);
        finite(excursions.avg_profit_capture);
        RC_ASSERT(excursions.buckets.size() <= kMaxExcursionBuckets);
        const DailyExposure exposure =
            daily_exposure(trades, equity_by_day(curve), Conventions::kCorrect);
        finite(exposure.avg_exposure);
        for (const ExposureDay& d : exposure.days) {
            finite(d.exposure_percent);
        }
        const KellyMetrics kelly = kelly_metrics(trades, {});
        finite(kelly.fraction);
        finite(kelly.normalized_kelly_pct);
        const auto returns = period_returns(make_set(trades), {});
        for (const PeriodReturn& p : returns->periods) {
            finite(p.sums.net_pl);
            finite(p.sums.gross_pl);
        }
    }));
}

TEST(ExtremeData, OrdinaryFiguresOfOneAndTwoTrades) {
    const std::vector<Trade> two = with_funds({test::make_trade("2025-01-06", "2025-01-06", 100),
                                               test::make_trade("2025-01-07", "2025-01-07", 100)},
                                              1000);
    const StatisticsResult r = portfolio_statistics(two, {}, options(Conventions::kCorrect));
    EXPECT_EQ(r.stats.win_rate, 1);
    EXPECT_EQ(r.stats.max_drawdown_pct, 0);
    EXPECT_EQ(r.stats.sortino_ratio, std::nullopt);
    EXPECT_TRUE(noted(r.notes, "sortinoRatio"));
    EXPECT_TRUE(noted(r.notes, "calmarRatio"));
    const std::vector<Trade> one(two.begin(), two.begin() + 1);
    EXPECT_EQ(portfolio_statistics(one, {}, options(Conventions::kCorrect)).stats.cagr_pct,
              std::nullopt);
}

TEST(ExtremeData, ExtremeAmountsAreAnnounced) {
    std::vector<Trade> trades = {test::make_trade("2025-01-06", "2025-01-06", 1e76)};
    ASSERT_TRUE(extreme_amounts_note(trades).has_value());
    trades[0].pl = 5;
    EXPECT_FALSE(extreme_amounts_note(trades).has_value());
    trades[0].margin_req = 1e-200;
    EXPECT_TRUE(extreme_amounts_note(trades).has_value());
}

}  // namespace
}  // namespace tb::analytics
