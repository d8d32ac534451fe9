#include "analytics/comparison.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

#include "analytics/selection.h"
#include "core/unicode.h"

namespace tb::analytics {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr std::array kBlockMetrics = {BlockMetric::kTotalTrades,  BlockMetric::kWinRate,
                                      BlockMetric::kNetPl,        BlockMetric::kSharpeRatio,
                                      BlockMetric::kSortinoRatio, BlockMetric::kMaxDrawdown,
                                      BlockMetric::kProfitFactor, BlockMetric::kCalmarRatio};

double sortable_profit_factor(std::optional<double> value, bool infinite) {
    return infinite ? kInfinity : value.value_or(0);
}

double pl_of(const StrategyStatistics& s, Conventions conventions) {
    return conventions == Conventions::kReference ? s.total_pl : s.net_pl;
}

DateField date_field_for(Conventions conventions) {
    return conventions == Conventions::kReference ? DateField::kOpened : DateField::kRealized;
}

bool row_less(const StrategyRow& a, const StrategyRow& b, StrategySort by) {
    switch (by) {
        case StrategySort::kWinRate:
            return a.win_rate < b.win_rate;
        case StrategySort::kTrades:
            return a.trades < b.trades;
        case StrategySort::kProfitFactor:
            return sortable_profit_factor(a.profit_factor, a.profit_factor_infinite) <
                   sortable_profit_factor(b.profit_factor, b.profit_factor_infinite);
        case StrategySort::kName:
            return name_order_less(a.name, b.name);
        case StrategySort::kNetPl:
            break;
    }
    return a.net_pl < b.net_pl;
}

DiffTotals totals_of(const PortfolioStatistics& stats) {
    const auto value = [&](BlockMetric m) { return block_metric_value(stats, m); };
    return {value(BlockMetric::kTotalTrades), value(BlockMetric::kNetPl),
            value(BlockMetric::kWinRate),     value(BlockMetric::kProfitFactor),
            value(BlockMetric::kSharpeRatio), value(BlockMetric::kMaxDrawdown)};
}

std::optional<double> difference(std::optional<double> a, std::optional<double> b) {
    return a && b ? std::optional(*b - *a) : std::nullopt;
}

struct DiffSide {
    DiffBlock block;
    std::vector<StrategyStatistics> strategies;
};

DiffSide diff_side(const BlockInput& input, const DateRange& dates,
                   const StatisticsOptions& options) {
    TradeFilter filter;
    filter.dates = dates;
    filter.date_field = date_field_for(options.conventions);
    DiffSide side;
    Selection part;
    if (options.conventions == Conventions::kCorrect) {
        part = select_part(*input.set, input.log, filter);
        [[maybe_unused]] const Capital capital = fund_part(*input.set, input.log, part);
    } else {
        part.trades = filter_trades(*input.set, filter);
        part.log = filter_log(input.log, dates);
    }
    const TradeSet& trades = part.trades;
    side.block.trade_count = static_cast<std::int64_t>(trades.trades.size());
    side.block.strategies = strategies_in_use(trades);
    std::sort(side.block.strategies.begin(), side.block.strategies.end());
    side.block.statistics = portfolio_statistics(trades.trades, part.log, options);
    side.strategies = strategy_statistics(trades);
    return side;
}

std::optional<DiffStrategySide> strategy_side(const DiffSide& side, const std::string& name,
                                              Conventions conventions) {
    const auto at = std::find_if(side.strategies.begin(), side.strategies.end(),
                                 [&](const StrategyStatistics& s) { return s.strategy == name; });
    if (at == side.strategies.end()) {
        return std::nullopt;
    }
    return DiffStrategySide{at->trade_count, pl_of(*at, conventions), at->win_rate,
                            at->profit_factor, at->profit_factor_infinite};
}

// Names of B that differ from one of A in case only are that one, as a filter would have it; a name
// spelled alike on both sides stays.
void use_spelling_of(const DiffSide& a, DiffSide& b) {
    const std::vector<std::string> names = b.block.strategies;
    const auto has = [](const std::vector<std::string>& all, const std::string& name) {
        return std::find(all.begin(), all.end(), name) != all.end();
    };
    for (const std::string& other : a.block.strategies) {
        const NameWanted wanted(other, names);
        const auto same = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
            return wanted.matches(name) && !has(a.block.strategies, name);
        });
        if (has(names, other) || same == names.end()) {
            continue;
        }
        std::replace(b.block.strategies.begin(), b.block.strategies.end(), *same, other);
        for (StrategyStatistics& s : b.strategies) {
            s.strategy = s.strategy == *same ? other : s.strategy;
        }
    }
    std::sort(b.block.strategies.begin(), b.block.strategies.end());
}

}  // namespace

std::optional<StrategyComparison> strategy_comparison(const TradeSet& set,
                                                      const StrategyComparisonRequest& request) {
    TradeFilter filter;
    filter.dates = request.dates;
    filter.ticker = request.ticker;
    filter.date_field = date_field_for(request.conventions);
    const bool filtering = filter.is_subset() || filter.dates.bounded();
    const TradeSet filtered = filtering ? filter_trades(set, filter) : TradeSet();
    const TradeSet& used = filtering ? filtered : set;
    if (used.trades.empty()) {
        return std::nullopt;
    }
    StrategyComparison result;
    result.date_field = filter.date_field;
    result.trades_analyzed = static_cast<std::int64_t>(used.trades.size());
    for (const StrategyStatistics& s : strategy_statistics(used)) {
        if (s.trade_count >= request.min_trades.value_or(0)) {
            result.strategies.push_back({s.strategy, s.trade_count, s.win_rate,
                                         pl_of(s, request.conventions), s.avg_win, s.avg_loss,
                                         s.profit_factor, s.profit_factor_infinite});
        }
    }
    std::stable_sort(result.strategies.begin(), result.strategies.end(),
                     [&](const StrategyRow& a, const StrategyRow& b) {
                         return request.descending ? row_less(b, a, request.sort_by)
                                                   : row_less(a, b, request.sort_by);
                     });
    result.total_strategies = static_cast<std::int64_t>(result.strategies.size());
    if (request.limit && result.strategies.size() > *request.limit) {
        result.strategies.resize(*request.limit);
    }
    return result;
}

std::string_view block_metric_name(BlockMetric metric) {
    switch (metric) {
        case BlockMetric::kTotalTrades:
            return "totalTrades";
        case BlockMetric::kWinRate:
            return "winRate";
        case BlockMetric::kNetPl:
            return "netPl";
        case BlockMetric::kSharpeRatio:
            return "sharpeRatio";
        case BlockMetric::kSortinoRatio:
            return "sortinoRatio";
        case BlockMetric::kMaxDrawdown:
            return "maxDrawdown";
        case BlockMetric::kProfitFactor:
            return "profitFactor";
        case BlockMetric::kCalmarRatio:
            break;
    }
    return "calmarRatio";
}

std::optional<BlockMetric> block_metric_from_name(std::string_view name) {
    for (const BlockMetric metric : kBlockMetrics) {
        if (block_metric_name(metric) == name) {
            return metric;
        }
    }
    return std::nullopt;
}

std::span<const BlockMetric> all_block_metrics() {
    return kBlockMetrics;
}

std::optional<double> block_metric_value(const PortfolioStatistics& stats, BlockMetric metric) {
    switch (metric) {
        case BlockMetric::kTotalTrades:
            return static_cast<double>(stats.total_trades);
        case BlockMetric::kWinRate:
            return stats.win_rate;
        case BlockMetric::kNetPl:
            return stats.net_pl;
        case BlockMetric::kSharpeRatio:
            return stats.sharpe_ratio;
        case BlockMetric::kSortinoRatio:
            return stats.sortino_ratio;
        case BlockMetric::kMaxDrawdown:
            return stats.max_drawdown_pct;
        case BlockMetric::kProfitFactor:
            return stats.profit_factor;
        case BlockMetric::kCalmarRatio:
            break;
    }
    return stats.calmar_ratio;
}

BlockComparison compare_blocks(std::span<const BlockInput> blocks,
                               std::optional<BlockMetric> sort_by, bool descending,
                               const StatisticsOptions& options) {
    BlockComparison result;
    for (const BlockInput& block : blocks) {
        if (block.set == nullptr) {
            result.failed.push_back(
                {block.block_id,
                 block.error.value_or(Error{ErrorCode::kNotFound, "the block has no trades", ""})});
            continue;
        }
        result.blocks.push_back(
            {block.block_id, portfolio_statistics(block.set->trades, block.log, options)});
    }
    const auto key = [&](const BlockComparisonRow& row) {
        const PortfolioStatistics& s = row.statistics.stats;
        return *sort_by == BlockMetric::kProfitFactor
                   ? sortable_profit_factor(s.profit_factor, s.profit_factor_infinite)
                   : block_metric_value(s, *sort_by).value_or(0);
    };
    const auto less = [&](const BlockComparisonRow& a, const BlockComparisonRow& b) {
        return sort_by ? key(a) < key(b) : name_order_less(a.block_id, b.block_id);
    };
    std::stable_sort(result.blocks.begin(), result.blocks.end(),
                     [&](const BlockComparisonRow& a, const BlockComparisonRow& b) {
                         return descending ? less(b, a) : less(a, b);
                     });
    return result;
}

BlockDiff block_diff(const BlockInput& a, const BlockInput& b, const DateRange& dates,
                     const StatisticsOptions& options) {
    DiffSide side_a = diff_side(a, dates, options);
    DiffSide side_b = diff_side(b, dates, options);
    if (options.conventions == Conventions::kCorrect) {
        use_spelling_of(side_a, side_b);
    }
    BlockDiff diff;
    diff.date_field = date_field_for(options.conventions);
    const std::vector<std::string>& names_a = side_a.block.strategies;
    const std::vector<std::string>& names_b = side_b.block.strategies;
    std::set_intersection(names_a.begin(), names_a.end(), names_b.begin(), names_b.end(),
                          std::back_inserter(diff.shared));
    std::set_difference(names_a.begin(), names_a.end(), names_b.begin(), names_b.end(),
                        std::back_inserter(diff.unique_to_a));
    std::set_difference(names_b.begin(), names_b.end(), names_a.begin(), names_a.end(),
                        std::back_inserter(diff.unique_to_b));
    const std::size_t all = diff.shared.size() + diff.unique_to_a.size() + diff.unique_to_b.size();
    if (all > 0) {
        diff.overlap_percent =
            100 * (static_cast<double>(diff.shared.size()) / static_cast<double>(all));
    }
    for (const auto* names : {&diff.shared, &diff.unique_to_a, &diff.unique_to_b}) {
        for (const std::string& name : *names) {
            DiffStrategyRow row;
            row.strategy = name;
            row.a = strategy_side(side_a, name, options.conventions);
            row.b = strategy_side(side_b, name, options.conventions);
            if (row.a && row.b) {
                row.delta_trades = row.b->trades - row.a->trades;
                row.delta_net_pl = row.b->net_pl - row.a->net_pl;
                row.delta_win_rate = row.b->win_rate - row.a->win_rate;
            }
            diff.strategies.push_back(std::move(row));
        }
    }
    diff.totals_a = totals_of(side_a.block.statistics.stats);
    diff.totals_b = totals_of(side_b.block.statistics.stats);
    const DiffTotals& x = diff.totals_a;
    const DiffTotals& y = diff.totals_b;
    diff.delta = {difference(x.total_trades, y.total_trades),
                  difference(x.net_pl, y.net_pl),
                  difference(x.win_rate, y.win_rate),
                  difference(x.profit_factor, y.profit_factor),
                  difference(x.sharpe_ratio, y.sharpe_ratio),
                  difference(x.max_drawdown_pct, y.max_drawdown_pct)};
    diff.a = std::move(side_a.block);
    diff.b = std::move(side_b.block);
    return diff;
}

}  // namespace tb::analytics
