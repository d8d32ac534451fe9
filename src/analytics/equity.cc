#include "analytics/equity.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "analytics/numerics.h"
#include "analytics/realization.h"
#include "analytics/returns_order.h"

namespace tb::analytics {

namespace {

constexpr double kAssumedCapital = 100000;
constexpr double kRebuildDefault = 1'000'000;

double pl_of(const Trade& t, PlKind kind) {
    return kind == PlKind::kNet ? t.net_pl() : t.pl;
}

void divide_amounts(Trade& t, double by) {
    t.pl /= by;
    t.opening_fees /= by;
    t.closing_fees /= by;
}

void rank_if_unranked(std::vector<Trade>& trades) {
    if (std::any_of(trades.begin(), trades.end(),
                    [](const Trade& t) { return t.realization_rank == Trade::kUnranked; })) {
        rank_realizations(trades);
    }
}

}  // namespace

void rebuild_equity(std::vector<Trade>& trades, std::optional<double> start, PlKind kind) {
    const TradeOrder order = close_order(trades);
    if (!start) {
        start = kRebuildDefault;
        for (const std::uint32_t index : order) {
            if (trades[index].funds_at_close) {
                start = *trades[index].funds_at_close - trades[index].net_pl();
                break;
            }
        }
    }
    CompensatedSum balance(*start);
    for (const std::uint32_t index : order) {
        balance.add(pl_of(trades[index], kind));
        trades[index].funds_at_close = balance.value();
    }
}

void chain_funds(std::vector<Trade>& trades, double start) {
    rank_if_unranked(trades);
    CompensatedSum balance(start);
    for (const std::uint32_t index : realization_order(trades)) {
        balance.add(trades[index].net_pl());
        trades[index].funds_at_close = balance.value();
    }
}

void scale_trades(std::vector<Trade>& trades, double factor) {
    for (Trade& t : trades) {
        t.pl *= factor;
        t.opening_fees *= factor;
        t.closing_fees *= factor;
    }
    rebuild_equity(trades, std::nullopt, PlKind::kNet);
}

void normalize_to_one_lot(std::vector<Trade>& trades, Conventions conventions) {
    const bool correct = conventions == Conventions::kCorrect;
    std::optional<double> start;
    if (correct) {
        rank_if_unranked(trades);  // by the funds of the whole trades
        start = initial_capital(trades, {}, conventions).dollars;
    }
    for (Trade& t : trades) {
        const double lots = t.contracts == 0 ? 1 : t.contracts;
        divide_amounts(t, lots);
        if (correct) {
            t.margin_req /= lots;
        }
        t.contracts = 1;
    }
    if (correct) {
        if (start) {
            chain_funds(trades, *start);
        }
        return;
    }
    // The default start of the rebuild is what the reference does: full funds less the divided P/L.
    rebuild_equity(trades, std::nullopt, PlKind::kAsReported);
}

void normalize_to_one_lot_snapshot(std::vector<Trade>& trades) {
    const double start = initial_capital_one_lot(trades);
    for (Trade& t : trades) {
        const double lots = std::abs(t.contracts);
        if (lots > 1) {
            divide_amounts(t, lots);
            t.margin_req /= lots;
            t.contracts = 1;
        }
    }
    CompensatedSum balance(start);
    for (const std::uint32_t index : closefull_order(trades)) {
        if (trades[index].date_closed) {
            balance.add(trades[index].pl);
            trades[index].funds_at_close = balance.value();
        }
    }
}

EquityCurve equity_curve(std::span<const Trade> trades, Conventions conventions,
                         std::span<const AccountFlow> flows, std::optional<double> start) {
    EquityCurve curve;
    if (trades.empty()) {
        return curve;
    }
    if (!start) {
        start = initial_capital(trades, {}, conventions).dollars;
    }
    curve.start_assumed = !start || !(*start > 0);
    curve.start = curve.start_assumed ? kAssumedCapital : *start;
    const TradeOrder order =
        conventions == Conventions::kReference ? realday_order(trades) : realization_order(trades);
    curve.points.reserve(trades.size() + 1);
    curve.equity_of_trade.resize(trades.size());
    curve.points.push_back(
        {trades[order.front()].realized_on(), curve.start, curve.start, 0, curve.start});
    CompensatedSum balance(curve.start);
    CompensatedSum withdrawn;
    std::size_t next_flow = 0;
    double peak = curve.start;
    double without_flows = curve.start;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Trade& t = trades[order[i]];
        for (; next_flow < flows.size() && flows[next_flow].date <= t.realized_on(); ++next_flow) {
            withdrawn.add(flows[next_flow].withdrawn);
        }
        const double held = balance.value() - withdrawn.value();
        balance.add(t.net_pl());
        peak = std::max(peak, balance.value());
        if (flows.empty()) {
            without_flows = balance.value();
        } else if (held > 0) {
            without_flows *= 1 + t.net_pl() / held;
        }
        curve.points.push_back({t.realized_on(), balance.value(), peak,
                                static_cast<std::int64_t>(i + 1), without_flows});
        curve.equity_of_trade[order[i]] = balance.value();
    }
    return curve;
}

std::vector<DrawdownPoint> drawdown_series(const EquityCurve& curve) {
    std::vector<DrawdownPoint> series;
    series.reserve(curve.points.size());
    double peak = curve.start;
    for (const EquityPoint& p : curve.points) {
        // The start is positive, so the peak is.
        peak = std::max(peak, p.balance_without_flows);
        series.push_back({p.date, 100 * (p.balance_without_flows - peak) / peak});
    }
    return series;
}

std::optional<double> portfolio_value_at(std::span<const Trade> trades,
                                         std::span<const DailyLogEntry> log, Date day,
                                         ValueBasis basis, Conventions conventions) {
    const bool realized = basis == ValueBasis::kByRealizationDay;
    const std::optional<double> start = realized ? initial_capital(trades, log, conventions).dollars
                                                 : initial_capital_by_open(trades, log);
    if (!start) {
        return std::nullopt;
    }
    CompensatedSum value(*start);
    for (const Trade& t : trades) {
        if ((realized ? t.realized_on() : t.date_opened) <= day) {
            value.add(realized ? t.net_pl() : t.pl);
        }
    }
    return value.value();
}

std::vector<TimelinePoint> portfolio_timeline(std::span<const Trade> trades,
                                              std::span<const DailyLogEntry> log,
                                              Conventions conventions) {
    std::vector<TimelinePoint> timeline;
    if (!log.empty()) {
        const double start = log.front().net_liquidity - log.front().daily_pl;
        for (const DailyLogEntry& e : log) {
            timeline.push_back(
                {e.date, e.net_liquidity, e.net_liquidity - start, ReturnSource::kDailyLog});
        }
        return timeline;
    }
    const bool correct = conventions == Conventions::kCorrect;
    const double start = correct ? initial_capital(trades, {}, conventions).dollars.value_or(0)
                                 : initial_capital_by_open(trades, {}).value_or(0);
    std::map<Date, CompensatedSum> days;
    for (const Trade& t : trades) {
        days[correct ? t.realized_on() : t.date_opened].add(correct ? t.net_pl() : t.pl);
    }
    CompensatedSum running;
    for (const auto& [date, pl] : days) {
        running.add(pl.value());
        timeline.push_back(
            {date, start + running.value(), running.value(), ReturnSource::kRealizedTrades});
    }
    return timeline;
}

}  // namespace tb::analytics
