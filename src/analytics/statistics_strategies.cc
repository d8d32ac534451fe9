// The smaller tables of statistics.h: per strategy, per slice, and figures as fractions.
#include <cmath>
#include <tuple>

#include "analytics/numerics.h"
#include "analytics/statistics.h"
#include "analytics/statistics_tally.h"

namespace tb::analytics {

std::vector<StrategyStatistics> strategy_statistics(const TradeSet& set) {
    struct Group {
        Tally tally;
        double days = 0;
        std::int64_t closed = 0;
    };
    std::vector<Group> groups(set.strategies.size());
    std::vector<std::uint32_t> order;
    for (const Trade& t : set.trades) {
        if (!is_usable(t)) {
            continue;
        }
        Group& group = groups[t.strategy];
        if (group.tally.trades == 0) {
            order.push_back(t.strategy);
        }
        group.tally.add(t);
        if (t.date_closed) {
            group.days += *t.date_closed - t.date_opened;
            ++group.closed;
        }
    }
    std::vector<StrategyStatistics> result;
    for (const std::uint32_t index : order) {
        const Group& group = groups[index];
        StrategyStatistics s;
        s.strategy = set.strategies[index];
        s.trade_count = group.tally.trades;
        s.total_pl = group.tally.reported.value();
        s.net_pl = group.tally.net.value();
        s.win_rate = group.tally.win_rate();
        s.avg_win = group.tally.avg_win();
        s.avg_loss = group.tally.avg_loss();
        s.max_win = group.tally.max_win;
        s.max_loss = group.tally.max_loss;
        std::tie(s.profit_factor, s.profit_factor_infinite) = group.tally.profit_factor();
        if (s.profit_factor && !std::isfinite(*s.profit_factor)) {
            s.profit_factor.reset();
        }
        if (group.closed > 0) {
            s.avg_days_in_trade = group.days / static_cast<double>(group.closed);
        }
        result.push_back(std::move(s));
    }
    return result;
}

SliceStatistics slice_statistics(std::span<const double> pl) {
    SliceStatistics s;
    if (pl.empty()) {
        s.profit_factor = 0;
        return s;
    }
    CompensatedSum profit;
    CompensatedSum loss;
    std::int64_t wins = 0;
    for (const double p : pl) {
        (p > 0 ? profit : loss).add(p);
        wins += p > 0 ? 1 : 0;
    }
    const auto two_decimals = [](double x) { return round_half_up(100 * x) / 100; };
    const auto n = static_cast<double>(pl.size());
    const double losses = n - static_cast<double>(wins);
    s.trades = static_cast<std::int64_t>(pl.size());
    s.win_rate_pct = two_decimals(100 * static_cast<double>(wins) / n);
    s.total_pl = two_decimals(profit.value() + loss.value());
    s.avg_pl = two_decimals((profit.value() + loss.value()) / n);
    s.avg_win = wins == 0 ? 0 : two_decimals(profit.value() / static_cast<double>(wins));
    s.avg_loss = losses == 0 ? 0 : two_decimals(loss.value() / losses);
    if (wins == 0) {
        s.profit_factor = 0;
    } else if (loss.value() < 0) {
        s.profit_factor = two_decimals(profit.value() / -loss.value());
    }
    return s;
}

DecimalStatistics to_decimal(const PortfolioStatistics& stats, Conventions conventions) {
    const auto hundredth = [](std::optional<double> pct) {
        return pct ? std::optional(*pct / 100) : std::nullopt;
    };
    DecimalStatistics decimal;
    decimal.max_drawdown = hundredth(stats.max_drawdown_pct);
    decimal.time_in_drawdown = hundredth(stats.time_in_drawdown_pct);
    if (conventions == Conventions::kReference) {
        decimal.cagr = stats.cagr_pct;
        decimal.monthly_win_rate = stats.monthly_win_rate_pct;
        decimal.weekly_win_rate = stats.weekly_win_rate_pct;
    } else {
        decimal.cagr = hundredth(stats.cagr_pct);
        decimal.monthly_win_rate = stats.monthly_win_rate_pct / 100;
        decimal.weekly_win_rate = stats.weekly_win_rate_pct / 100;
    }
    return decimal;
}

}  // namespace tb::analytics
