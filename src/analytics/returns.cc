#include "analytics/returns.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <unordered_set>

#include "analytics/calendar.h"
#include "analytics/numerics.h"
#include "analytics/realization.h"
#include "analytics/returns_order.h"

namespace tb::analytics {

namespace {

constexpr double kDefaultCapital = 100000;

double close_instant(const Trade& t) {
    return t.realized_on().days() * 86400.0 +
           t.time_closed.value_or(t.time_opened.value_or(TimeOfDay())).seconds();
}

bool is_untimed(const Trade& t) {
    return t.date_closed && !t.time_closed;
}

// Within a minute the funds column decides (realization.h), not the second.
double close_minute(const Trade& t) {
    return t.realized_on().days() * 1440.0 +
           t.time_closed.value_or(t.time_opened.value_or(TimeOfDay())).minutes();
}

// The one start that is nobody's end, if there is exactly one.
std::optional<double> unmatched_start(std::vector<double> starts, std::vector<double> ends) {
    std::sort(starts.begin(), starts.end());
    std::sort(ends.begin(), ends.end());
    std::optional<double> found;
    std::size_t at = 0;
    for (const double start : starts) {
        while (at < ends.size() && ends[at] < start && !same_balance(ends[at], start)) {
            ++at;
        }
        if (at < ends.size() && same_balance(ends[at], start)) {
            ++at;
        } else if (found) {
            return std::nullopt;
        } else {
            found = start;
        }
    }
    return found;
}

bool all_ranked(std::span<const Trade> trades) {
    return std::all_of(trades.begin(), trades.end(),
                       [](const Trade& t) { return t.realization_rank != Trade::kUnranked; });
}

std::optional<double> capital_by_chain(std::span<const Trade> trades) {
    FirstInstantCapital quick;  // saves sorting the file
    for (const Trade& t : trades) {
        quick.add(t);
    }
    if (const auto start = quick.dollars()) {
        return start;
    }
    const bool ranked = all_ranked(trades);
    const TradeOrder order = ranked ? realization_order(trades) : closefull_order(trades);
    const bool net = funds_follow_net(trades, order);
    const auto step = [&](const Trade& t) { return net ? t.net_pl() : t.pl; };
    CompensatedSum before;  // P/L of the trades ahead of the first stated balance
    std::size_t first = 0;
    while (first < order.size() && !trades[order[first]].funds_at_close) {
        before.add(step(trades[order[first]]));
        ++first;
    }
    if (first == order.size()) {
        return std::nullopt;
    }
    // Take in whole groups of equal closing times (whole days where closing times are missing)
    // until one start is left over: a group whose P/L sums to zero is a circle, and only the next
    // one says where it was entered.
    std::unordered_set<std::int32_t> untimed_days;
    for (const Trade& t : trades) {
        if (!ranked && is_untimed(t)) {
            untimed_days.insert(t.realized_on().days());
        }
    }
    const auto group_of = [&](const Trade& t) {
        return untimed_days.contains(t.realized_on().days()) ? t.realized_on().days() * 1440.0
                                                             : close_minute(t);
    };
    std::vector<double> starts;
    std::vector<double> ends;
    constexpr std::size_t kMostTied = 256;
    for (std::size_t i = first; !ranked && i < order.size() && starts.size() < kMostTied;) {
        const double group = group_of(trades[order[i]]);
        for (; i < order.size() && group_of(trades[order[i]]) == group; ++i) {
            const Trade& t = trades[order[i]];
            if (t.funds_at_close) {
                starts.push_back(*t.funds_at_close - step(t));
                ends.push_back(*t.funds_at_close);
            }
        }
        if (const auto start = unmatched_start(starts, ends)) {
            return *start - before.value();
        }
    }
    const Trade& t = trades[order[first]];
    return *t.funds_at_close - step(t) - before.value();
}

std::vector<double> compounded(std::span<const double> returns) {
    std::vector<double> growth;
    growth.reserve(returns.size());
    double value = 1;
    for (const double r : returns) {
        value *= 1 + r;
        growth.push_back(value);
    }
    return growth;
}

}  // namespace

void FirstInstantCapital::add(const Trade& trade) {
    only_net_ = only_net_ && trade.basis == PlBasis::kNetIncludesFees;
    if (trade.realization_rank == Trade::kUnranked) {
        ranked_ = false;
    } else if (first_ranked_ == nullptr ||
               trade.realization_rank < first_ranked_->realization_rank) {
        first_ranked_ = &trade;
    }
    if (is_untimed(trade)) {
        first_untimed_ = std::min(first_untimed_, trade.realized_on().days() * 1440.0);
    }
    const double instant = close_minute(trade);
    if (instant < earliest_) {
        earliest_ = instant;
        first_.clear();
    }
    if (instant == earliest_) {
        first_.push_back(&trade);
    }
}

std::optional<double> FirstInstantCapital::dollars() const {
    if (!only_net_) {
        return std::nullopt;
    }
    if (ranked_ && first_ranked_ != nullptr) {
        const auto& funds = first_ranked_->funds_at_close;
        return funds ? std::optional(*funds - first_ranked_->pl) : std::nullopt;
    }
    if (first_untimed_ <= earliest_) {
        return std::nullopt;  // the day's trades are one group
    }
    std::vector<double> starts;
    std::vector<double> ends;
    for (const Trade* const t : first_) {
        if (!t->funds_at_close) {
            return std::nullopt;
        }
        starts.push_back(*t->funds_at_close - t->pl);
        ends.push_back(*t->funds_at_close);
    }
    return unmatched_start(std::move(starts), std::move(ends));
}

Capital initial_capital(std::span<const Trade> trades, std::span<const DailyLogEntry> log,
                        Conventions conventions) {
    if (!log.empty()) {
        return {log.front().net_liquidity - log.front().daily_pl, CapitalSource::kDailyLog};
    }
    if (conventions == Conventions::kReference) {
        if (trades.empty()) {
            return {0.0, CapitalSource::kNone};
        }
        const Trade& first = *std::min_element(
            trades.begin(), trades.end(),
            [](const Trade& a, const Trade& b) { return close_instant(a) < close_instant(b); });
        return {first.funds_at_close.value_or(0) - first.net_pl(), CapitalSource::kTrades};
    }
    const std::optional<double> start = capital_by_chain(trades);
    return {start, start ? CapitalSource::kTrades : CapitalSource::kNone};
}

std::optional<double> initial_capital_by_open(std::span<const Trade> trades,
                                              std::span<const DailyLogEntry> log) {
    if (!log.empty()) {
        return log.front().net_liquidity - log.front().daily_pl;
    }
    if (trades.empty()) {
        return std::nullopt;
    }
    const auto key = [](const Trade& t) {
        return std::tuple(t.date_opened, t.time_opened.value_or(TimeOfDay()),
                          t.funds_at_close.value_or(0));
    };
    const auto first =
        std::min_element(trades.begin(), trades.end(),
                         [&](const Trade& a, const Trade& b) { return key(a) < key(b); });
    return first->funds_at_close.value_or(0) - first->pl;
}

double initial_capital_one_lot(std::span<const Trade> trades) {
    for (const std::uint32_t index : closefull_order(trades)) {
        const Trade& t = trades[index];
        if (t.date_closed) {
            const double lot =
                (t.funds_at_close.value_or(0) - t.pl) / std::max(1, std::abs(t.contracts));
            return std::isfinite(lot) && lot > 0 ? lot : kDefaultCapital;
        }
    }
    return kDefaultCapital;
}

DailyEquity daily_equity_from_trades(std::span<const Trade> trades, double initial_capital,
                                     Conventions conventions, bool calendar_days) {
    std::vector<std::int32_t> realized;
    std::vector<double> net_pl;
    std::optional<Date> opened;
    realized.reserve(trades.size());
    net_pl.reserve(trades.size());
    for (const Trade& t : trades) {
        realized.push_back(t.realized_on().days());
        net_pl.push_back(t.net_pl());
        opened = std::min(opened.value_or(t.date_opened), t.date_opened);
    }
    return daily_equity_from_columns(realized, net_pl, initial_capital, conventions, calendar_days,
                                     opened);
}

DailyEquity daily_equity_from_columns(std::span<const std::int32_t> realized,
                                      std::span<const double> net_pl, double initial_capital,
                                      Conventions conventions, bool calendar_days,
                                      std::optional<Date> opened) {
    DailyEquity daily;
    daily.start = initial_capital;
    const bool exchange = conventions == Conventions::kCorrect;
    daily.idle_days = calendar_days ? IdleDays::kCalendarDays
                      : exchange    ? IdleDays::kExchangeDays
                                    : IdleDays::kBusinessDays;
    if (realized.empty()) {
        return daily;
    }
    const auto [low, high] = std::minmax_element(realized.begin(), realized.end());
    const std::int32_t first = exchange && opened ? std::min(*low, opened->days()) : *low;
    const std::int32_t last = *high;
    struct Day {
        CompensatedSum pl;
        bool traded = false;
    };
    std::vector<Day> days(static_cast<std::size_t>(last - first) + 1);
    for (std::size_t i = 0; i < realized.size(); ++i) {
        Day& day = days[static_cast<std::size_t>(realized[i] - first)];
        day.pl.add(net_pl[i]);
        day.traded = true;
    }
    ExchangeDays open_days;
    CompensatedSum balance(initial_capital);
    double at_start = initial_capital;
    for (std::int32_t d = first; d <= last; ++d) {
        const Day& day = days[static_cast<std::size_t>(d - first)];
        const Date date(d);
        const bool observed =
            calendar_days || day.traded || (exchange ? open_days.contains(date) : is_weekday(date));
        if (!observed) {
            continue;
        }
        const double pl = day.pl.value();
        if (at_start <= 0 && !daily.exhausted_on) {
            daily.exhausted_on = date;
        }
        if (!daily.exhausted_on) {
            daily.returns.push_back(pl / at_start);
        }
        balance.add(pl);
        at_start = balance.value();
        daily.dates.push_back(date);
        daily.pl.push_back(pl);
        daily.end_of_day.push_back(at_start);
    }
    return daily;
}

DailyEquity daily_equity_from_log(std::span<const DailyLogEntry> log, Conventions conventions) {
    DailyEquity daily;
    daily.source = ReturnSource::kDailyLog;
    daily.idle_days = IdleDays::kAsProvided;
    if (log.empty()) {
        return daily;
    }
    daily.start = log.front().net_liquidity - log.front().daily_pl;
    double balance = daily.start;
    for (const DailyLogEntry& e : log) {
        const double base = e.net_liquidity - e.daily_pl;
        const double r = base > 0 ? e.daily_pl / base : 0;
        balance *= 1 + r;
        daily.dates.push_back(e.date);
        daily.pl.push_back(e.daily_pl);
        daily.returns.push_back(r);
        daily.end_of_day.push_back(conventions == Conventions::kReference ? e.net_liquidity
                                                                          : balance);
    }
    return daily;
}

ExcessReturns excess_returns(const DailyEquity& daily, const RiskFreeRates& rates,
                             Conventions conventions) {
    ExcessReturns excess;
    excess.values.reserve(daily.returns.size());
    for (std::size_t i = 0; i < daily.returns.size(); ++i) {
        const ResolvedRate rate = rates.resolve(daily.dates[i], conventions);
        if (rates.mode() != RateMode::kFixed) {
            excess.resolution.add(rate.resolution);
        }
        excess.values.push_back(daily.returns[i] - rate.annual_pct / 100 / kAnnualization);
    }
    return excess;
}

std::optional<double> sharpe_ratio(std::span<const double> excess, Conventions conventions) {
    if (excess.size() < 2) {
        return std::nullopt;
    }
    if (conventions == Conventions::kReference) {
        // Plain sums: whether a constant series has a deviation of exactly zero depends on them.
        const auto n = static_cast<double>(excess.size());
        const double m = plain_sum(excess) / n;
        double squares = 0;
        for (const double x : excess) {
            squares += (x - m) * (x - m);
        }
        const double s = std::sqrt(squares / (n - 1));
        return s == 0 ? std::nullopt : std::optional(m / s * std::sqrt(kAnnualization));
    }
    const double s = *sample_sd(excess);
    if (is_negligible_deviation(s, max_abs(excess)) || !std::isfinite(s)) {
        return std::nullopt;
    }
    return *mean(excess) / s * std::sqrt(kAnnualization);
}

std::optional<double> sortino_ratio(std::span<const double> excess, Conventions conventions) {
    if (excess.size() < 2) {
        return std::nullopt;
    }
    CompensatedSum squares;
    bool any_negative = false;
    for (const double x : excess) {
        if (x < 0) {
            any_negative = true;
            squares.add(x * x);
        }
    }
    const double d = std::sqrt(squares.value() / static_cast<double>(excess.size()));
    const bool negligible = conventions == Conventions::kReference
                                ? d < 1e-10
                                : is_negligible_deviation(d, max_abs(excess));
    if (!any_negative || negligible || !std::isfinite(d)) {
        return std::nullopt;
    }
    return *mean(excess) / d * std::sqrt(kAnnualization);
}

double max_drawdown_pct(double start, std::span<const double> balances) {
    double peak = start;
    double deepest = 0;
    for (const double balance : balances) {
        peak = std::max(peak, balance);
        if (peak > 0) {
            deepest = std::max(deepest, 100 * ((peak - balance) / peak));
        }
    }
    return deepest;
}

std::optional<double> max_drawdown_pct_of_returns(std::span<const double> returns) {
    const std::vector<double> growth = compounded(returns);
    if (std::any_of(growth.begin(), growth.end(), [](double e) { return e < 0; })) {
        return std::nullopt;
    }
    return max_drawdown_pct(1, growth);
}

std::optional<double> conditional_value_at_risk(std::span<const double> returns, double tail) {
    const auto cutoff = quantile(std::vector<double>(returns.begin(), returns.end()), tail);
    if (!cutoff) {
        return std::nullopt;
    }
    std::vector<double> worst;
    for (const double r : returns) {
        if (r <= *cutoff) {
            worst.push_back(r);
        }
    }
    return mean(worst);
}

std::optional<double> ulcer_performance_index(std::span<const double> returns) {
    const std::vector<double> growth = compounded(returns);
    if (growth.empty()) {
        return std::nullopt;
    }
    CompensatedSum squares;
    double peak = 1;
    for (const double e : growth) {
        if (e <= 0) {
            return std::nullopt;
        }
        peak = std::max(peak, e);
        const double fall = 100 * (peak - e) / peak;
        squares.add(fall * fall);
    }
    const auto n = static_cast<double>(growth.size());
    const double ulcer_index = std::sqrt(squares.value() / n);
    if (ulcer_index == 0) {
        return std::nullopt;
    }
    return (std::pow(growth.back(), kAnnualization / n) - 1) / (ulcer_index / 100);
}

std::optional<double> compound_annual_growth_pct(double start, double end, double years) {
    if (!(start > 0) || !(end > 0) || !(years > 0)) {
        return std::nullopt;
    }
    return 100 * (std::pow(end / start, 1 / years) - 1);
}

}  // namespace tb::analytics
