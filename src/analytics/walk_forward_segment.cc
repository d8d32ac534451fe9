#include "analytics/walk_forward_segment.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "analytics/calendar.h"
#include "analytics/correlation_series.h"
#include "analytics/returns.h"
#include "analytics/returns_order.h"
#include "analytics/tail_risk.h"

namespace tb::analytics {

namespace {

constexpr double kDaysPerYear = 365.25;
// Samples a pair needs before its correlation counts as a limit. The reference's library default is
// 2, at which a correlation is always +1 or -1.
constexpr std::size_t kReferencePairSamples = 2;
constexpr std::size_t kPairSamples = 10;
// Trades that the kept layouts of one segment may hold together, three numbers each: every thread
// has a segment of its own, and a grid over weights can leave out strategies in many ways.
constexpr std::size_t kMaxLayoutTrades = 1'000'000;

constexpr std::size_t kMaxPatterns = 256;  // kept rank patterns of one layout

// How the daily results of each strategy compare with each other and with a day without trades. Two
// scalings with the same pattern have the same rank correlations and tails (and the same linear
// correlations but for rounding).
std::vector<std::uint32_t> rank_pattern(const StrategySeriesSet& set) {
    std::vector<std::uint32_t> pattern;
    std::vector<double> sorted;
    for (const StrategySeries& series : set.series) {
        sorted = series.values;
        sorted.push_back(0);
        std::sort(sorted.begin(), sorted.end());
        const auto rank = [&](double value) {
            return static_cast<std::uint32_t>(
                std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
        };
        pattern.push_back(static_cast<std::uint32_t>(series.values.size()));
        pattern.push_back(rank(0));
        for (const double value : series.values) {
            pattern.push_back(rank(value));
        }
    }
    return pattern;
}

std::optional<double> finite(std::optional<double> value) {
    return value && std::isfinite(*value) ? value : std::nullopt;
}

}  // namespace

double target_value(const SegmentFigures& figures, WalkForwardTarget target) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const auto or_undefined = [](const std::optional<double>& v) { return v.value_or(-kInfinity); };
    switch (target) {
        case WalkForwardTarget::kNetPl:
            return figures.net_pl;
        case WalkForwardTarget::kProfitFactor:
            return figures.profit_factor_infinite ? kInfinity : or_undefined(figures.profit_factor);
        case WalkForwardTarget::kSharpeRatio:
            return or_undefined(figures.sharpe_ratio);
        case WalkForwardTarget::kSortinoRatio:
            return or_undefined(figures.sortino_ratio);
        case WalkForwardTarget::kCalmarRatio:
            return or_undefined(figures.calmar_ratio);
        case WalkForwardTarget::kCagr:
            return or_undefined(figures.cagr_pct);
        case WalkForwardTarget::kAvgDailyPl:
            return figures.avg_daily_pl;
        case WalkForwardTarget::kWinRate:
            return figures.win_rate;
    }
    return -kInfinity;
}

Segment::Segment(std::vector<Trade> trades, const std::vector<std::string>& strategies,
                 double start_capital, const RiskFreeRates& rates, Conventions conventions,
                 CancelToken cancel)
    : trades_(std::move(trades)),
      strategies_(strategies),
      start_capital_(start_capital),
      rates_(rates),
      conventions_(conventions),
      alone_{1, std::move(cancel), {}} {}

double Segment::mean_contracts() const {
    double sum = 0;
    for (const Trade& trade : trades_) {
        sum += std::abs(trade.contracts);
    }
    return sum > 0 ? sum / static_cast<double>(trades_.size()) : 1;
}

std::vector<char> Segment::strategies_left(const Scenario& scenario) const {
    std::vector<char> left(strategies_.size());
    for (std::size_t s = 0; s < left.size(); ++s) {
        left[s] = scenario.weights[s] > 0 ? 1 : 0;
    }
    return left;
}

Segment::Layout& Segment::layout_for(const Scenario& scenario) {
    std::vector<char> left = strategies_left(scenario);
    auto found = layouts_.find(left);
    if (found == layouts_.end()) {
        Layout layout = make_layout(left);
        layout_trades_ += layout.net.size();
        if (layout_trades_ > kMaxLayoutTrades) {
            layouts_.clear();
            layout_trades_ = layout.net.size();
        }
        found = layouts_.emplace(std::move(left), std::move(layout)).first;
    }
    return found->second;
}

Segment::Layout Segment::make_layout(const std::vector<char>& left) const {
    const bool reference = conventions_ == Conventions::kReference;
    Layout layout;
    std::vector<Trade> kept;
    for (const Trade& trade : trades_) {
        if (left[trade.strategy] != 0) {
            kept.push_back(trade);
            layout.strategy.push_back(trade.strategy);
            layout.net.push_back(trade.net_pl());
            layout.reported.push_back(trade.pl);
            if (reference) {
                const bool gross = trade.basis != PlBasis::kNetIncludesFees;
                layout.opening_fees.push_back(gross ? trade.opening_fees : 0);
                layout.closing_fees.push_back(gross ? trade.closing_fees : 0);
            }
        }
    }
    if (kept.empty()) {
        return layout;
    }
    std::int32_t first = kept.front().realized_on().days();
    std::int32_t last = first;
    for (const Trade& trade : kept) {
        first = std::min(first, trade.realized_on().days());
        // One horizon for every ratio: days on which a position is only held count too.
        first = reference ? first : std::min(first, trade.date_opened.days());
        last = std::max(last, trade.realized_on().days());
    }
    std::vector<char> traded(static_cast<std::size_t>(last - first) + 1, 0);
    for (const Trade& trade : kept) {
        traded[static_cast<std::size_t>(trade.realized_on().days() - first)] = 1;
    }
    // Observed days: those with a result, and idle exchange days (reference: idle weekdays).
    ExchangeDays exchange;
    std::vector<std::uint32_t> day_index(traded.size(), 0);
    for (std::int32_t d = first; d <= last; ++d) {
        const auto at = static_cast<std::size_t>(d - first);
        const Date date(d);
        layout.traded_days += traded[at] != 0 ? 1U : 0U;
        if (traded[at] != 0 || (reference ? is_weekday(date) : exchange.contains(date))) {
            day_index[at] = static_cast<std::uint32_t>(layout.rate.size());
            layout.rate.push_back(rates_.resolve(date, conventions_).annual_pct / 100 /
                                  kAnnualization);
        }
    }
    for (const Trade& trade : kept) {
        layout.day.push_back(
            day_index[static_cast<std::size_t>(trade.realized_on().days() - first)]);
    }
    const Date end = reference ? kept.back().realized_on() : Date(last);
    layout.years = (end - kept.front().date_opened) / kDaysPerYear;
    if (reference) {
        layout.first_to_close = closefull_order(kept).front();
        const TradeOrder closed = close_order(kept);
        if (!closed.empty()) {
            layout.first_closed = closed.front();
        }
        for (std::size_t i = 0; i < closed.size(); ++i) {
            if (i + 1 == closed.size() ||
                kept[closed[i + 1]].date_closed != kept[closed[i]].date_closed) {
                layout.last_of_day.push_back(closed[i]);
            }
        }
    }
    return layout;
}

// The reference scales P/L and fees apart. A profit factor is the same at every scale but for
// rounding, and that decides which of its combinations is best.
double Segment::scaled_net(const Layout& layout, std::size_t trade, double factor) const {
    return conventions_ == Conventions::kReference
               ? layout.reported[trade] * factor - layout.opening_fees[trade] * factor -
                     layout.closing_fees[trade] * factor
               : layout.net[trade] * factor;
}

SegmentFigures Segment::evaluate(const Scenario& scenario) {
    const bool reference = conventions_ == Conventions::kReference;
    const Layout& layout = layout_for(scenario);
    const std::size_t n = layout.net.size();
    SegmentFigures figures;
    figures.trades = n;
    if (n == 0) {
        figures.profit_factor = 0;
        figures.max_drawdown_pct = 0;
        return figures;
    }
    pl_.resize(n);
    funds_.resize(n);
    day_pl_.assign(layout.rate.size(), 0);
    day_reported_.assign(reference ? layout.rate.size() : 0, 0);
    double profit = 0;
    double loss = 0;
    std::size_t wins = 0;
    std::size_t losses = 0;
    std::size_t run = 0;
    double funds = start_capital_;
    for (std::size_t i = 0; i < n; ++i) {
        const double factor = scenario.scale * scenario.weights[layout.strategy[i]];
        const double p = scaled_net(layout, i, factor);
        pl_[i] = p;
        figures.net_pl += p;
        funds += p;  // step by step, as the reference does
        funds_[i] = funds;
        day_pl_[layout.day[i]] += p;
        profit += p > 0 ? p : 0;
        loss += p < 0 ? -p : 0;
        wins += p > 0 ? 1U : 0U;
        losses += p < 0 ? 1U : 0U;
        const double tested = reference ? layout.reported[i] * factor : p;
        if (reference) {
            day_reported_[layout.day[i]] += tested;
        }
        run = tested < 0 ? run + 1 : 0;
        figures.longest_losing_run = std::max(figures.longest_losing_run, run);
    }
    figures.win_rate = static_cast<double>(wins) / static_cast<double>(n);
    if (losses > 0) {
        figures.profit_factor = finite(profit / loss);
    } else if (wins > 0) {
        figures.profit_factor_infinite = true;
    } else {
        figures.profit_factor = 0;
    }
    figures.start_capital =
        reference ? funds_[layout.first_to_close] - pl_[layout.first_to_close] : start_capital_;
    const double days = static_cast<double>(reference ? layout.traded_days : layout.rate.size());
    figures.avg_daily_pl = figures.net_pl / days;
    const auto& tested_days = reference ? day_reported_ : day_pl_;
    if (figures.start_capital != 0) {
        const double worst = *std::min_element(tested_days.begin(), tested_days.end());
        figures.largest_daily_loss_pct = std::max(0.0, -worst / figures.start_capital * 100);
    }
    fill_ratios(layout, figures);
    fill_drawdown(layout, figures);
    return figures;
}

void Segment::fill_ratios(const Layout& layout, SegmentFigures& figures) {
    double balance = figures.start_capital;
    bool exhausted = false;
    balance_.clear();
    excess_.clear();
    for (std::size_t d = 0; d < day_pl_.size(); ++d) {
        exhausted = exhausted || !(balance > 0);
        if (!exhausted) {
            excess_.push_back(day_pl_[d] / balance - layout.rate[d]);
        }
        balance += day_pl_[d];
        balance_.push_back(balance);
    }
    figures.sharpe_ratio = finite(sharpe_ratio(excess_, conventions_));
    figures.sortino_ratio = finite(sortino_ratio(excess_, conventions_));
    if (conventions_ == Conventions::kReference && figures.trades < 2) {
        figures.sortino_ratio.reset();
    }
    figures.cagr_pct = finite(compound_annual_growth_pct(
        figures.start_capital, figures.start_capital + figures.net_pl, layout.years));
    const bool ran_out =
        std::any_of(balance_.begin(), balance_.end(), [](double b) { return !(b > 0); });
    if (ran_out && conventions_ == Conventions::kCorrect) {
        figures.cagr_pct.reset();  // what was lost cannot grow
    }
}

void Segment::fill_drawdown(const Layout& layout, SegmentFigures& figures) {
    const bool reference = conventions_ == Conventions::kReference;
    if (reference) {
        figures.max_drawdown_pct = 0;
        if (layout.first_closed) {
            balance_.clear();
            for (const std::uint32_t i : layout.last_of_day) {
                balance_.push_back(funds_[i]);
            }
            const double first_start = funds_[*layout.first_closed] - pl_[*layout.first_closed];
            const double start = figures.start_capital > 0 ? figures.start_capital : first_start;
            figures.max_drawdown_pct = finite(max_drawdown_pct(start, balance_));
        }
    } else if (figures.start_capital > 0) {
        figures.max_drawdown_pct = finite(max_drawdown_pct(figures.start_capital, balance_));
    }
    if (figures.cagr_pct && figures.max_drawdown_pct && *figures.max_drawdown_pct != 0 &&
        (!reference || *figures.cagr_pct != 0)) {
        figures.calmar_ratio = finite(*figures.cagr_pct / *figures.max_drawdown_pct);
    }
}

TradeSet Segment::trade_set(const Scenario& scenario) const {
    TradeSet set;
    set.strategies = strategies_;
    for (const Trade& trade : trades_) {
        const double weight = scenario.weights[trade.strategy];
        if (weight > 0) {
            set.trades.push_back(trade);
            if (conventions_ == Conventions::kReference) {
                // The reference's scaled trades carry neither margin nor opening price, and
                // rounding of their results can part days that tied.
                Trade& scaled = set.trades.back();
                scaled.margin_req = 0;
                scaled.opening_price = 0;
                scaled.pl *= scenario.scale * weight;
            }
        }
    }
    return set;
}

std::optional<PairLimits> Segment::pair_limits(const Scenario& scenario,
                                               const DiversificationOptions& options) {
    Layout& layout = layout_for(scenario);
    std::vector<std::uint32_t> pattern;
    if (conventions_ == Conventions::kReference) {
        pattern = rank_pattern(strategy_series(
            trade_set(scenario), {options.normalization, options.date_basis, TimePeriod::kDaily},
            conventions_));
    }
    auto known = layout.pair_limits.find(pattern);
    if (known == layout.pair_limits.end()) {
        const auto metrics = diversification(scenario, options);
        std::optional<PairLimits> limits;
        if (metrics && metrics->total_pairs > 0) {
            limits = {metrics->max_correlation.value_or(0),
                      metrics->max_tail_dependence.value_or(0)};
        }
        if (layout.pair_limits.size() == kMaxPatterns) {
            layout.pair_limits.clear();
        }
        known = layout.pair_limits.emplace(std::move(pattern), limits).first;
    }
    return known->second;
}

std::optional<DiversificationMetrics> Segment::diversification(
    const Scenario& scenario, const DiversificationOptions& options) {
    const bool reference = conventions_ == Conventions::kReference;
    const TradeSet set = trade_set(scenario);
    CorrelationOptions correlation;
    correlation.method = options.method;
    correlation.series = {options.normalization, options.date_basis, TimePeriod::kDaily};
    correlation.min_samples = reference ? kReferencePairSamples : kPairSamples;
    const auto matrix = correlation_matrix(set, correlation, conventions_, alone_);
    if (!matrix) {
        return std::nullopt;  // fewer than two strategies
    }
    DiversificationMetrics metrics;
    const std::size_t n = matrix->strategies.size();
    metrics.total_pairs = n < 2 ? 0 : n * (n - 1) / 2;
    metrics.effective_factors = static_cast<double>(n);
    metrics.insufficient_tail_pairs = metrics.total_pairs;
    metrics.avg_correlation = matrix->average;
    if (matrix->strongest) {
        metrics.max_correlation = matrix->strongest->value;
        metrics.max_correlation_first = matrix->strategies[matrix->strongest->first];
        metrics.max_correlation_second = matrix->strategies[matrix->strongest->second];
    }
    if (reference) {
        metrics.avg_correlation = metrics.avg_correlation.value_or(0);
        metrics.max_correlation = metrics.max_correlation.value_or(0);
    }
    if (!options.limit_tail_risk) {
        metrics.avg_tail_dependence = 0;
        metrics.max_tail_dependence = 0;
        return metrics;
    }
    TailRiskOptions tail;
    tail.tail_threshold = options.tail_threshold;
    tail.normalization = options.normalization;
    tail.date_basis = options.date_basis;
    const auto joint = tail_risk(set, tail, conventions_, alone_);
    if (!joint) {
        return metrics;  // too many strategies for this figure
    }
    metrics.avg_tail_dependence = joint->average;
    metrics.high_risk_pairs_share = joint->high_risk_pairs_share.value_or(0);
    metrics.effective_factors =
        static_cast<double>(joint->effective_factors.value_or(joint->strategies.size()));
    metrics.insufficient_tail_pairs =
        reference ? joint->insufficient_directions : joint->insufficient_pairs;
    if (joint->highest) {
        metrics.max_tail_dependence = joint->highest->value;
        metrics.max_tail_first = joint->strategies[joint->highest->first];
        metrics.max_tail_second = joint->strategies[joint->highest->second];
    } else if (reference) {
        metrics.max_tail_dependence = 0;
    }
    return metrics;
}

}  // namespace tb::analytics
