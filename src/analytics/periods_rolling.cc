#include "analytics/periods_rolling.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analytics/kelly.h"
#include "analytics/numerics.h"
#include "analytics/realization.h"

namespace tb::analytics {

namespace {

std::size_t default_window(std::size_t trades) {
    const double fifth = round_half_up(0.2 * static_cast<double>(trades));
    return std::clamp<std::size_t>(static_cast<std::size_t>(fifth), 20, 200);
}

std::vector<SeasonalAverage> seasonal_averages(const std::vector<RollingWindowPoint>& points) {
    std::vector<SeasonalAverage> seasons;
    for (std::int32_t quarter = 1; quarter <= 4; ++quarter) {
        std::array<std::vector<double>, 6> values;
        std::int64_t windows = 0;
        for (const RollingWindowPoint& p : points) {
            if ((p.date.ymd().month - 1) / 3 + 1 != quarter) {
                continue;
            }
            ++windows;
            const WindowMetrics& m = p.metrics;
            const std::array<std::optional<double>, 6> row = {
                m.win_rate, m.profit_factor, m.kelly_pct, m.sharpe_ratio, m.avg_return, m.net_pl};
            for (std::size_t i = 0; i < row.size(); ++i) {
                if (row[i] && std::isfinite(*row[i])) {
                    values[i].push_back(*row[i]);
                }
            }
        }
        if (windows > 0) {
            seasons.push_back({quarter, windows, mean(values[0]), mean(values[1]), mean(values[2]),
                               mean(values[3]), mean(values[4]), mean(values[5])});
        }
    }
    return seasons;
}

MetricChange change(const char* metric, std::optional<double> recent,
                    std::optional<double> historical) {
    MetricChange c{metric, recent, historical, std::nullopt, std::nullopt};
    if (recent && historical) {
        c.delta = *recent - *historical;
        if (*historical != 0) {
            c.percent_change = 100 * *c.delta / std::fabs(*historical);
        }
    }
    return c;
}

// As realized; kReference: as given.
std::vector<Trade> in_result_order(std::span<const Trade> trades, Conventions conventions) {
    std::vector<Trade> ordered(trades.begin(), trades.end());
    if (conventions == Conventions::kCorrect) {
        const TradeOrder order = realization_order(trades);
        std::transform(order.begin(), order.end(), ordered.begin(),
                       [&](std::uint32_t i) { return trades[i]; });
    }
    return ordered;
}

std::size_t recent_count(std::span<const Trade> trades, const RecentOptions& recent,
                         Conventions conventions) {
    if (recent.trades) {
        return std::min(*recent.trades, trades.size());
    }
    if (recent.days) {
        const auto day = [&](const Trade& t) {
            return conventions == Conventions::kReference ? t.date_opened : t.realized_on();
        };
        const Date first = day(trades.back()).plus_days(-*recent.days);
        return static_cast<std::size_t>(std::count_if(
            trades.begin(), trades.end(), [&](const Trade& t) { return day(t) >= first; }));
    }
    return std::min(default_window(trades.size()), trades.size());
}

}  // namespace

WindowMetrics window_metrics(std::span<const Trade> trades, const StatisticsOptions& options) {
    WindowMetrics m;
    if (trades.empty()) {
        m.profit_factor = 0;
        return m;
    }
    KellyOptions kelly_options;
    kelly_options.conventions = options.conventions;
    const KellyMetrics kelly = kelly_metrics(trades, kelly_options);
    CompensatedSum profit;
    CompensatedSum loss;
    for (const Trade& t : trades) {
        const double pl = options.conventions == Conventions::kReference ? t.pl : t.net_pl();
        (pl > 0 ? profit : loss).add(pl);
    }
    const auto n = static_cast<double>(trades.size());
    m.trades = static_cast<std::int64_t>(trades.size());
    m.win_rate = kelly.win_rate;
    m.kelly_pct = kelly.percent;
    m.avg_win = kelly.avg_win;
    m.avg_loss = kelly.avg_loss;
    m.net_pl = profit.value() + loss.value();
    m.avg_return = m.net_pl / n;
    if (loss.value() < 0) {
        m.profit_factor = profit.value() / -loss.value();
    } else if (profit.value() == 0) {
        m.profit_factor = 0;
    }
    m.sharpe_ratio = portfolio_statistics(trades, {}, options).stats.sharpe_ratio;
    return m;
}

RollingEdge rolling_edge(std::span<const Trade> given, std::optional<std::size_t> window,
                         std::size_t step, const StatisticsOptions& options) {
    const std::vector<Trade> ordered = in_result_order(given, options.conventions);
    const std::span<const Trade> trades = ordered;
    const bool reference = options.conventions == Conventions::kReference;
    RollingEdge edge;
    edge.window = std::max<std::size_t>(1, window.value_or(default_window(trades.size())));
    for (std::size_t end = edge.window; end <= trades.size();
         end += std::max<std::size_t>(1, step)) {
        edge.points.push_back(
            {reference ? trades[end - 1].date_opened : trades[end - 1].realized_on(),
             static_cast<std::int64_t>(end),
             window_metrics(trades.subspan(end - edge.window, edge.window), options)});
    }
    edge.seasons = seasonal_averages(edge.points);
    return edge;
}

std::optional<RecentComparison> compare_recent(std::span<const Trade> given,
                                               const RecentOptions& recent,
                                               const StatisticsOptions& options) {
    if (given.empty()) {
        return std::nullopt;
    }
    const std::vector<Trade> ordered = in_result_order(given, options.conventions);
    const std::span<const Trade> trades = ordered;
    const std::size_t count = recent_count(trades, recent, options.conventions);
    if (count == 0 || count >= trades.size()) {
        return std::nullopt;
    }
    RecentComparison result;
    result.recent = window_metrics(trades.last(count), options);
    result.historical = window_metrics(trades.first(trades.size() - count), options);
    const WindowMetrics& r = result.recent;
    const WindowMetrics& h = result.historical;
    result.recent_trades = r.trades;
    result.historical_trades = h.trades;
    const bool reference = options.conventions == Conventions::kReference;
    const auto sharpe = [&](const WindowMetrics& m) {
        return reference ? std::optional(m.sharpe_ratio.value_or(0)) : m.sharpe_ratio;
    };
    const auto net_pl = [&](const WindowMetrics& m) {
        return reference ? m.net_pl : m.net_pl / static_cast<double>(m.trades);
    };
    result.changes = {change("winRate", r.win_rate, h.win_rate),
                      change("profitFactor", r.profit_factor, h.profit_factor),
                      change("kellyPercent", r.kelly_pct, h.kelly_pct),
                      change("sharpeRatio", sharpe(r), sharpe(h)),
                      change("avgReturn", r.avg_return, h.avg_return),
                      change(reference ? "netPl" : "netPlPerTrade", net_pl(r), net_pl(h)),
                      change("avgWin", r.avg_win, h.avg_win),
                      change("avgLoss", r.avg_loss, h.avg_loss)};
    const auto inverted = [](const WindowMetrics& m) {
        return m.avg_loss > m.avg_win && m.avg_win > 0;
    };
    const auto below_one = [](const WindowMetrics& m) {
        return m.profit_factor && *m.profit_factor < 1;
    };
    result.payoff_inversion = inverted(r) && !inverted(h);
    result.win_rate_below_half = r.win_rate < 0.5 && h.win_rate >= 0.5;
    result.profit_factor_below_one = below_one(r) && !below_one(h);
    result.kelly_negative = r.kelly_pct < 0 && h.kelly_pct >= 0;
    return result;
}

}  // namespace tb::analytics
