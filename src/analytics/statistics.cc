#include "analytics/statistics.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>

#include <fmt/format.h>

#include "analytics/equity.h"
#include "analytics/log_flows.h"
#include "analytics/numerics.h"
#include "analytics/realization.h"
#include "analytics/returns_order.h"
#include "analytics/statistics_checks.h"
#include "analytics/statistics_equity.h"
#include "analytics/statistics_tally.h"
#include "analytics/streaks.h"

namespace tb::analytics {

namespace {

constexpr double kDaysPerYear = 365.25;

// The reference's week number: ceil((day of year from 0 + weekday of January 1 + 1)/7), weekday
// Sunday = 0.
std::int64_t reference_week(Date day) {
    const std::int32_t year = day.ymd().year;
    const Date new_year = *Date::from_ymd(year, 1, 1);
    const std::int32_t sunday_based = (new_year.weekday() + 1) % 7;
    const std::int32_t week = (day - new_year + sunday_based + 1 + 6) / 7;
    return static_cast<std::int64_t>(year) * 100 + week;
}

std::int64_t distinct_count(std::vector<std::int32_t> days) {
    std::sort(days.begin(), days.end());
    return std::unique(days.begin(), days.end()) - days.begin();
}

// The fields that several figures need, taken out of the wide rows in one pass.
struct Columns {
    std::vector<std::int32_t> opened;
    std::vector<std::int32_t> realized;
    std::vector<double> net;

    explicit Columns(std::size_t count) {
        opened.reserve(count);
        realized.reserve(count);
        net.reserve(count);
    }
    void add(const Trade& t) {
        opened.push_back(t.date_opened.days());
        realized.push_back(t.realized_on().days());
        net.push_back(t.net_pl());
    }
};

struct PeriodWinRates {
    double monthly_pct = 0;
    double weekly_pct = 0;
};

PeriodWinRates period_win_rates(std::span<const std::int32_t> days, std::span<const double> net,
                                Conventions conventions) {
    const bool correct = conventions == Conventions::kCorrect;
    const auto [low, high] = std::minmax_element(days.begin(), days.end());
    const std::int32_t first = *low;
    const std::int32_t last = *high;
    std::vector<CompensatedSum> pl(static_cast<std::size_t>(last - first) + 1);
    std::vector<char> traded(pl.size(), 0);
    for (std::size_t i = 0; i < days.size(); ++i) {
        const auto at = static_cast<std::size_t>(days[i] - first);
        pl[at].add(net[i]);
        traded[at] = 1;
    }
    // Periods are runs of days with one key, because the days ascend.
    struct Periods {
        std::int64_t key = -1;
        CompensatedSum sum;
        std::int64_t count = 0;
        std::int64_t won = 0;
        void close() { won += key >= 0 && sum.value() > 0 ? 1 : 0; }
        void add(std::int64_t k, double value) {
            if (k != key) {
                close();
                key = k;
                sum = CompensatedSum();
                ++count;
            }
            sum.add(value);
        }
        [[nodiscard]] double pct() {
            close();
            return 100 * (static_cast<double>(won) / static_cast<double>(count));
        }
    };
    Periods months;
    Periods weeks;
    for (std::size_t i = 0; i < pl.size(); ++i) {
        if (traded[i] == 0) {
            continue;
        }
        const Date day(first + static_cast<std::int32_t>(i));
        const YearMonthDay ymd = day.ymd();
        months.add(ymd.year * 12LL + ymd.month, pl[i].value());
        const IsoWeek iso = day.iso_week();
        weeks.add(correct ? iso.year * 100LL + iso.week : reference_week(day), pl[i].value());
    }
    return {months.pct(), weeks.pct()};
}

// Everything that depends on where the account's balance comes from.
struct Base {
    DailyEquity daily;
    Capital capital;
};

class Builder {
  public:
    // `exposure`, if given, is shown every trade too.
    Builder(std::span<const Trade> trades, std::span<const DailyLogEntry> log,
            const StatisticsOptions& options, ExposureSweep* exposure)
        : trades_(trades),
          log_(log),
          options_(options),
          exposure_(exposure),
          reference_(options.conventions == Conventions::kReference),
          columns_(trades.size()) {}

    // False, at once, if a trade has a P/L or fee that is not a number.
    bool read() {
        for (const Trade& t : trades_) {
            if (!is_usable(t)) {
                return false;
            }
            tally_.add(t);
            columns_.add(t);
            sanity_.add(t);
            first_instant_.add(t);
            if (exposure_ != nullptr) {
                exposure_->add(t);
            }
            result_.methodology.net_includes_fees += t.basis == PlBasis::kNetIncludesFees ? 1 : 0;
        }
        return true;
    }

    // After read() of at least one trade.
    StatisticsResult build() {
        fill_totals();
        choose_base();
        fill_ratios();
        if (reference_) {
            fill_reference_drawdown();
            fill_reference_growth();
        } else {
            follow_trades();
            fill_drawdown();
            fill_growth();
        }
        fill_calmar();
        fill_periods();
        fill_methodology();
        replace_non_finite();
        return std::move(result_);
    }

    // The balance the figures came from, after build().
    DailyEquity daily() && { return std::move(base_.daily); }

  private:
    void note(const char* figure, std::string reason) {
        result_.notes.push_back({figure, std::move(reason)});
    }
    void warn(std::vector<std::string> texts) {
        for (std::string& text : texts) {
            result_.warnings.push_back(std::move(text));
        }
    }

    void fill_totals() {
        PortfolioStatistics& s = result_.stats;
        s.total_trades = tally_.trades;
        s.winning_trades = tally_.wins;
        s.losing_trades = tally_.losses;
        // A position still open is no result of zero; the reference takes it for one.
        s.open_trades = reference_ ? 0 : tally_.open;
        s.break_even_trades = tally_.trades - tally_.wins - tally_.losses - s.open_trades;
        s.win_rate = tally_.win_rate();
        s.total_pl = tally_.reported.value();
        s.net_pl = tally_.net.value();
        s.total_commissions = tally_.fees.value();
        s.avg_win = tally_.avg_win();
        s.avg_loss = tally_.avg_loss();
        s.max_win = tally_.max_win;
        s.max_loss = tally_.max_loss;
        std::tie(s.profit_factor, s.profit_factor_infinite) = tally_.profit_factor();
        if (s.profit_factor_infinite) {
            note("profitFactor", "no losing trade: gross profit over zero is infinite");
        }
        if (tally_.wins > 0 && tally_.losses > 0) {
            // Kelly's bet is between a win and a loss: a result of zero moves nothing (kelly.h).
            const double p = reference_ ? s.win_rate
                                        : static_cast<double>(tally_.wins) /
                                              static_cast<double>(tally_.wins + tally_.losses);
            const double b = s.avg_win / std::fabs(s.avg_loss);
            s.kelly_pct = 100 * (p * b - (1 - p)) / b;
        } else {
            note("kellyPercentage", "needs at least one winning and one losing trade");
        }
        std::vector<double> pl = columns_.net;
        if (!reference_) {
            order_ = realization_order(trades_);
            std::transform(order_.begin(), order_.end(), pl.begin(),
                           [&](std::uint32_t i) { return columns_.net[i]; });
        }
        const StreakCounts streaks = streak_counts(pl);
        s.max_win_streak = streaks.max_win;
        s.max_loss_streak = streaks.max_loss;
        s.current_streak = streaks.current;
    }

    // The log where it may stand for the trades, else the trades.
    void choose_base() {
        const auto quick = reference_ ? std::nullopt : first_instant_.dollars();
        const Capital of_trades = quick ? Capital{quick, CapitalSource::kTrades}
                                        : initial_capital(trades_, {}, options_.conventions);
        bool use_log = !log_.empty();
        if (!reference_) {
            warn(sanity_.warnings());
            const RealizedTrades realized{columns_.opened, columns_.realized, columns_.net,
                                          of_trades.dollars};
            const auto reasons = log_disagreements(realized, log_);
            if (!reasons.empty()) {
                use_log = false;
                result_.warnings.push_back(fmt::format(
                    "the daily log is not used because it does not match the trades: {}",
                    fmt::join(reasons, "; ")));
            } else if (use_log) {
                warn(log_sanity_warnings(log_));
                warn(log_position_warnings(realized, log_));
            }
            const std::string chain = check_funds_chain(trades_, order_).warning();
            if (!chain.empty()) {
                result_.warnings.push_back(chain);
            }
        }
        base_.capital = use_log ? initial_capital(trades_, log_, options_.conventions) : of_trades;
        const Date opened(*std::min_element(columns_.opened.begin(), columns_.opened.end()));
        base_.daily = use_log ? daily_equity_from_log(log_, options_.conventions)
                              : daily_equity_from_columns(columns_.realized, columns_.net,
                                                          base_.capital.dollars.value_or(0),
                                                          options_.conventions, false, opened);
        result_.stats.initial_capital = base_.capital.dollars;
        if (!use_log && reference_) {
            result_.warnings.emplace_back(
                "No daily log was available; realized trade P/L is grouped by close date and "
                "zero-P/L weekdays are inserted. Exchange holidays are not modeled.");
        }
        say_capital();
    }

    void say_capital() {
        if (!base_.capital.dollars) {
            note("initialCapital", "no trade states the account's funds and there is no daily log");
            if (!reference_) {
                return;  // nothing can be said about a balance that is not known
            }
        } else if (!(*base_.capital.dollars > 0)) {
            result_.warnings.emplace_back(
                "the start capital is not positive, so returns and drawdown have no meaning");
        }
        if (base_.daily.exhausted_on && base_.capital.dollars) {
            result_.warnings.push_back(
                fmt::format("the account's balance was used up before {}; daily returns end there",
                            base_.daily.exhausted_on->to_iso()));
        }
    }

    // The balance after each trade, from the capital of the base.
    void follow_trades() {
        if (!has_capital()) {
            return;
        }
        const bool from_log = base_.daily.source == ReturnSource::kDailyLog;
        const auto flows = from_log ? log_flows(log_).flows(log_) : std::vector<AccountFlow>();
        const EquityCurve curve =
            equity_curve(trades_, options_.conventions, flows, base_.capital.dollars);
        result_.drawdowns = worst_drawdowns(base_.daily);
        result_.drawdowns_by_trade = worst_drawdowns(curve);
        std::optional<Date>& ran_out = result_.methodology.ran_out_on;
        const auto say = [&](Date day) { ran_out = std::min(ran_out.value_or(day), day); };
        if (from_log) {
            const auto at = std::find_if(log_.begin(), log_.end(), [](const DailyLogEntry& e) {
                return !(e.net_liquidity > 0);
            });
            if (at != log_.end()) {
                say(at->date);
            }
            return;
        }
        const auto at = std::find_if(curve.points.begin(), curve.points.end(),
                                     [](const EquityPoint& p) { return !(p.equity > 0); });
        if (at != curve.points.end()) {
            say(at->date);
        }
    }

    [[nodiscard]] bool has_capital() const {
        return base_.capital.dollars && *base_.capital.dollars > 0;
    }

    void fill_ratios() {
        PortfolioStatistics& s = result_.stats;
        ExcessReturns excess = excess_returns(base_.daily, options_.rates, options_.conventions);
        result_.methodology.rate_resolution = excess.resolution;
        const std::size_t n = excess.values.size();
        s.sharpe_ratio = sharpe_ratio(excess.values, options_.conventions);
        s.sortino_ratio = sortino_ratio(excess.values, options_.conventions);
        if (reference_ && trades_.size() < 2) {
            s.sortino_ratio.reset();
        }
        const std::string few = n >= 2 ? ""
                                : reference_ || base_.capital.dollars
                                    ? fmt::format("{} daily returns; needs at least 2", n)
                                    : "no start capital is known to measure returns by";
        if (!s.sharpe_ratio) {
            note("sharpeRatio", n < 2 ? few : "the daily returns do not vary");
        }
        if (!s.sortino_ratio) {
            note("sortinoRatio", n < 2 ? few : "no day returned less than the risk-free rate");
        }
        if (!reference_ && n >= 2 && n < kFewObservations) {
            note("sharpeRatio, sortinoRatio, cagr",
                 fmt::format("annualized from only {} daily returns: not reliable below {}", n,
                             kFewObservations));
        }
        if (reference_) {
            if (excess.resolution.stale_after_latest > 0) {
                result_.warnings.push_back(fmt::format(
                    "{} daily returns lie after the last "
                    "risk-free rate ({}); that last rate was used",
                    excess.resolution.stale_after_latest, options_.rates.data_through()->to_iso()));
            }
        } else {
            warn(clamped_rate_warnings(excess.resolution, options_.rates, "daily returns"));
        }
    }

    void fill_drawdown() {
        PortfolioStatistics& s = result_.stats;
        const std::vector<double>& balances = base_.daily.end_of_day;
        result_.methodology.balances = static_cast<std::int64_t>(balances.size());
        if (balances.empty() || !has_capital()) {
            note("maxDrawdown, timeInDrawdown", "no balance to measure from");
            return;
        }
        s.max_drawdown_pct = max_drawdown_pct(base_.daily.start, balances);
        double peak = base_.daily.start;
        std::int64_t below = 0;
        for (const double balance : balances) {
            peak = std::max(peak, balance);
            below += balance < peak ? 1 : 0;
        }
        s.time_in_drawdown_pct =
            100 * (static_cast<double>(below) / static_cast<double>(balances.size()));
        if (*s.max_drawdown_pct > 100) {
            note("maxDrawdown", "the balance fell below zero");
        }
    }

    void fill_growth() {
        PortfolioStatistics& s = result_.stats;
        s.avg_daily_pl = mean(base_.daily.pl).value_or(0);
        result_.methodology.daily_pl_total = compensated_sum(base_.daily.pl);
        result_.methodology.daily_pl_days = static_cast<std::int64_t>(base_.daily.pl.size());
        if (base_.daily.dates.empty() || !has_capital()) {
            note("cagr", "no start capital to grow from");
            return;
        }
        // The log's own span; for the trades from the first opening to the last realized day.
        const Date from = base_.daily.source == ReturnSource::kDailyLog
                              ? base_.daily.dates.front()
                              : trades_.front().date_opened;
        const double years = (base_.daily.dates.back() - from) / kDaysPerYear;
        const double end = base_.daily.end_of_day.back();
        if (const auto day = result_.methodology.ran_out_on) {
            const std::string text =
                fmt::format("the account's balance was 0 or less on {}: there is no growth rate",
                            day->to_iso());
            note("cagr", text);
            result_.warnings.push_back(text);
            return;
        }
        set_growth(base_.daily.start, end, years, base_.daily.source);
        s.cagr_pct = compound_annual_growth_pct(base_.daily.start, end, years);
        if (!s.cagr_pct) {
            note("cagr", years > 0 ? "nothing is left of the start capital"
                                   : "first and last day are the same");
        }
    }

    void set_growth(double start, double end, double years, ReturnSource source) {
        Methodology& m = result_.methodology;
        m.growth_start = start;
        m.growth_end = end;
        m.growth_years = years;
        m.growth_source = source;
    }

    void fill_reference_drawdown() {
        PortfolioStatistics& s = result_.stats;
        Methodology& m = result_.methodology;
        s.max_drawdown_pct = 0;
        s.time_in_drawdown_pct = 0;
        if (!log_.empty()) {
            std::int64_t below = 0;
            CompensatedSum daily_pl;
            for (const DailyLogEntry& e : log_) {
                s.max_drawdown_pct = std::max(*s.max_drawdown_pct, std::fabs(e.drawdown_pct));
                below += e.drawdown_pct < 0 ? 1 : 0;
                daily_pl.add(e.daily_pl);
            }
            const auto n = static_cast<double>(log_.size());
            s.time_in_drawdown_pct = 100 * (static_cast<double>(below) / n);
            s.avg_daily_pl = daily_pl.value() / n;
            m.balances = m.daily_pl_days = static_cast<std::int64_t>(log_.size());
            m.daily_pl_total = daily_pl.value();
            return;
        }
        m.daily_pl_total = tally_.net.value();
        m.daily_pl_days = distinct_count(columns_.realized);
        s.avg_daily_pl = m.daily_pl_total / static_cast<double>(m.daily_pl_days);
        const TradeOrder order = close_order(trades_);
        m.balances = static_cast<std::int64_t>(order.size());
        if (order.empty()) {
            return;
        }
        const auto funds = [&](std::uint32_t i) { return trades_[i].funds_at_close.value_or(0); };
        const double first_start = funds(order.front()) - trades_[order.front()].net_pl();
        std::vector<double> end_of_day;
        double peak = first_start;
        std::int64_t below = 0;
        for (std::size_t i = 0; i < order.size(); ++i) {
            const double f = funds(order[i]);
            below += f < peak ? 1 : 0;
            peak = std::max(peak, f);
            if (i + 1 == order.size() ||
                trades_[order[i + 1]].date_closed != trades_[order[i]].date_closed) {
                end_of_day.push_back(f);
            }
        }
        const double start = base_.capital.dollars.value_or(0);
        s.max_drawdown_pct = max_drawdown_pct(start > 0 ? start : first_start, end_of_day);
        s.time_in_drawdown_pct =
            100 * (static_cast<double>(below) / static_cast<double>(order.size()));
    }

    void fill_reference_growth() {
        PortfolioStatistics& s = result_.stats;
        const Capital capital = initial_capital(trades_, {}, options_.conventions);
        const double years =
            (trades_.back().realized_on() - trades_.front().date_opened) / kDaysPerYear;
        const double start = capital.dollars.value_or(0);
        set_growth(start, start + tally_.net.value(), years, ReturnSource::kRealizedTrades);
        s.cagr_pct = compound_annual_growth_pct(start, start + tally_.net.value(), years);
        if (!s.cagr_pct) {
            note("cagr", "needs positive capital and more than one day");
        }
    }

    void fill_calmar() {
        PortfolioStatistics& s = result_.stats;
        const bool drawdown = s.max_drawdown_pct && *s.max_drawdown_pct != 0;
        if (s.cagr_pct && drawdown && (!reference_ || *s.cagr_pct != 0)) {
            s.calmar_ratio = *s.cagr_pct / *s.max_drawdown_pct;
        } else {
            note("calmarRatio", !s.cagr_pct ? "there is no growth rate" : "there is no drawdown");
        }
    }

    void fill_periods() {
        const PeriodWinRates rates = period_win_rates(
            reference_ ? columns_.opened : columns_.realized, columns_.net, options_.conventions);
        result_.stats.monthly_win_rate_pct = rates.monthly_pct;
        result_.stats.weekly_win_rate_pct = rates.weekly_pct;
    }

    void fill_methodology() {
        Methodology& m = result_.methodology;
        m.gross_before_fees = tally_.trades - m.net_includes_fees;
        m.source_basis = m.gross_before_fees == 0   ? SourceBasis::kNetIncludesFees
                         : m.net_includes_fees == 0 ? SourceBasis::kGrossBeforeFees
                                                    : SourceBasis::kMixed;
        m.return_source = base_.daily.source;
        m.idle_days = base_.daily.idle_days;
        m.observations = static_cast<std::int64_t>(base_.daily.returns.size());
        if (m.observations > 0) {
            m.first_observation = base_.daily.dates.front();
            m.last_observation = base_.daily.dates[base_.daily.returns.size() - 1];
        }
        m.rate_mode = options_.rates.mode();
        m.fixed_rate_pct = options_.rates.fixed_annual_pct();
        m.rate_series = options_.rates.series_name();
        m.rate_data_through = options_.rates.data_through();
        m.rate_is_bond_equivalent = !reference_ && m.rate_mode != RateMode::kFixed;
        m.capital_source = base_.capital.source;
        m.win_rate_attribution =
            reference_ ? WinRateAttribution::kDateOpened : WinRateAttribution::kRealizationDate;
        m.conventions = options_.conventions;
    }

    // Amounts near the limit of a double overflow: an undefined ratio, an infinite total.
    void replace_non_finite() {
        PortfolioStatistics& s = result_.stats;
        const auto check = [&](const char* figure, std::optional<double>& value) {
            if (value && !std::isfinite(*value)) {
                value.reset();
                note(figure, "the amounts are too large for this figure");
            }
        };
        check("profitFactor", s.profit_factor);
        check("sharpeRatio", s.sharpe_ratio);
        check("sortinoRatio", s.sortino_ratio);
        check("calmarRatio", s.calmar_ratio);
        check("maxDrawdown", s.max_drawdown_pct);
        check("timeInDrawdown", s.time_in_drawdown_pct);
        check("kellyPercentage", s.kelly_pct);
        check("cagr", s.cagr_pct);
        check("initialCapital", s.initial_capital);
        const auto check_total = [&](const char* figure, double value) {
            if (!std::isfinite(value)) {
                note(figure, "the sum is too large to be represented");
            }
        };
        check_total("totalPl", s.total_pl);
        check_total("netPl", s.net_pl);
        check_total("totalCommissions", s.total_commissions);
        check_total("maxWin", s.max_win);
        check_total("maxLoss", s.max_loss);
        check_total("avgWin", s.avg_win);
        check_total("avgLoss", s.avg_loss);
        check_total("avgDailyPl", s.avg_daily_pl);
    }

    std::span<const Trade> trades_;
    std::span<const DailyLogEntry> log_;
    const StatisticsOptions& options_;
    ExposureSweep* exposure_;
    bool reference_;
    FirstInstantCapital first_instant_;
    Columns columns_;
    TradeOrder order_;  // kCorrect: as realized
    Tally tally_;
    TradeSanity sanity_;
    Base base_;
    StatisticsResult result_;
};

StatisticsResult empty_statistics(const StatisticsOptions& options) {
    StatisticsResult result;
    result.stats.profit_factor = 0;
    result.methodology.conventions = options.conventions;
    result.methodology.rate_mode = options.rates.mode();
    result.methodology.fixed_rate_pct = options.rates.fixed_annual_pct();
    result.methodology.rate_series = options.rates.series_name();
    result.methodology.rate_data_through = options.rates.data_through();
    if (options.conventions == Conventions::kReference) {
        result.stats.max_drawdown_pct = 0;
        result.stats.time_in_drawdown_pct = 0;
        result.stats.initial_capital = 0;
    }
    result.notes.push_back(
        {"sharpeRatio, sortinoRatio, calmarRatio, cagr, kellyPercentage, "
         "maxDrawdown, timeInDrawdown, initialCapital",
         "there is no trade"});
    return result;
}

}  // namespace

StatisticsWithEquity statistics_with_equity(std::span<const Trade> trades,
                                            std::span<const DailyLogEntry> log,
                                            const StatisticsOptions& options,
                                            ExposureSweep* exposure) {
    if (trades.empty()) {
        return {empty_statistics(options), {}};
    }
    Builder all(trades, log, options, exposure);
    if (all.read()) {
        StatisticsResult result = all.build();
        return {std::move(result), std::move(all).daily()};
    }
    std::vector<Trade> usable;
    std::copy_if(trades.begin(), trades.end(), std::back_inserter(usable), is_usable);
    StatisticsWithEquity statistics = statistics_with_equity(usable, log, options, nullptr);
    statistics.result.dropped_trades = static_cast<std::int64_t>(trades.size() - usable.size());
    statistics.result.warnings.push_back(
        fmt::format("{} trades whose P/L or fees are not numbers were left out",
                    statistics.result.dropped_trades));
    return statistics;
}

StatisticsResult portfolio_statistics(std::span<const Trade> trades,
                                      std::span<const DailyLogEntry> log,
                                      const StatisticsOptions& options) {
    return statistics_with_equity(trades, log, options, nullptr).result;
}

}  // namespace tb::analytics
