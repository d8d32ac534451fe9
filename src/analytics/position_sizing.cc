#include "analytics/position_sizing.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "analytics/filters.h"
#include "analytics/numerics.h"
#include "core/unicode.h"

namespace tb::analytics {

namespace {

constexpr double kBoldPortfolio = 0.25;
constexpr double kBoldStrategy = 0.5;

Result<void> check_options(const PositionSizingOptions& options) {
    if (!(options.capital_base > 0) || !std::isfinite(options.capital_base)) {
        return make_error(ErrorCode::kInvalidArgument, "capitalBase must be a positive amount");
    }
    if (!(options.max_allocation_pct >= 1 && options.max_allocation_pct <= 100)) {
        return make_error(ErrorCode::kInvalidArgument, "maxAllocationPct must be within 1 to 100");
    }
    if (options.min_trades < 1) {
        return make_error(ErrorCode::kInvalidArgument, "minTrades must be at least 1");
    }
    return {};
}

// Amounts beyond the range of numbers give no fraction: such a record sizes nothing, and says so.
void note_missing_fraction(const KellyMetrics& kelly, const std::string& figure,
                           std::vector<Note>& notes) {
    if (kelly.out_of_range && !kelly.has_valid_kelly) {
        notes.push_back({figure, "the amounts are too large for this figure"});
    }
}

PortfolioSizing size_portfolio(const KellyMetrics& kelly, const PositionSizingOptions& options,
                               std::vector<Note>& notes) {
    PortfolioSizing sizing;
    sizing.kelly = kelly;
    if (!kelly.has_valid_kelly) {
        for (const char* figure : {"adjustedKellyFraction", "recommendedAllocation", "fullKelly",
                                   "halfKelly", "quarterKelly"}) {
            notes.push_back(
                {figure, kelly.out_of_range
                             ? "the amounts are too large for this figure"
                             : "Kelly needs at least one winning and one losing trade"});
        }
        return sizing;
    }
    const double cap = options.max_allocation_pct / 100;
    const double f = kelly.fraction;
    sizing.adjusted_fraction = std::min(f * kelly_multiplier(options.kelly_fraction), cap);
    sizing.recommended_allocation = options.capital_base * std::max(0.0, *sizing.adjusted_fraction);
    sizing.full_kelly = std::min(f, cap);
    sizing.half_kelly = std::min(f / 2, cap);
    sizing.quarter_kelly = std::min(f / 4, cap);
    return sizing;
}

double sort_value(const StrategySizing& strategy, SizingSort sort_by) {
    switch (sort_by) {
        case SizingSort::kKelly:
            return strategy.kelly.fraction;
        case SizingSort::kWinRate:
            return strategy.kelly.win_rate;
        case SizingSort::kPayoffRatio:
            return strategy.kelly.payoff_ratio;
        case SizingSort::kAllocation:
            return strategy.adjusted_allocation;
        case SizingSort::kName:
            break;
    }
    return 0;
}

// Stable; descending reverses the comparison, so ties keep their order of first appearance.
void sort_strategies(const PositionSizingOptions& options, std::vector<StrategySizing>& list) {
    const auto less = [&](const StrategySizing& a, const StrategySizing& b) {
        return options.sort_by == SizingSort::kName
                   ? name_order_less(a.name, b.name)
                   : sort_value(a, options.sort_by) < sort_value(b, options.sort_by);
    };
    std::stable_sort(list.begin(), list.end(),
                     [&](const StrategySizing& a, const StrategySizing& b) {
                         return options.descending ? less(b, a) : less(a, b);
                     });
}

void add_kelly_warnings(const PositionSizingOptions& options, PositionSizingResult& result) {
    const KellyMetrics& portfolio = result.portfolio.kelly;
    if (portfolio.has_valid_kelly && portfolio.fraction > kBoldPortfolio) {
        result.warnings.push_back(
            fmt::format("portfolio Kelly of {:.1f} % is aggressive; a half or quarter of it is "
                        "usual",
                        portfolio.percent));
    }
    for (const StrategySizing& strategy : result.strategies) {
        if (strategy.kelly.has_valid_kelly && strategy.kelly.fraction > kBoldStrategy) {
            result.warnings.push_back(
                fmt::format("{}: Kelly of {:.1f} % is very high, check "
                            "whether the sample is typical",
                            strategy.name, strategy.kelly.percent));
        } else if (strategy.kelly.has_valid_kelly && strategy.kelly.fraction < 0) {
            result.warnings.push_back(
                fmt::format("{}: negative Kelly of {:.1f} %, the record "
                            "supports no allocation",
                            strategy.name, strategy.kelly.percent));
        }
    }
    if (result.total_allocation > options.capital_base) {
        result.warnings.push_back(fmt::format(
            "the strategies' allocations add up to {:.1f} % of the capital; scaledAllocation holds "
            "amounts that fit",
            result.total_allocation_pct));
    }
    if (!portfolio.warning.empty()) {
        result.warnings.push_back(portfolio.warning);
    }
}

}  // namespace

double kelly_multiplier(KellyFraction fraction) {
    switch (fraction) {
        case KellyFraction::kFull:
            return 1;
        case KellyFraction::kHalf:
            return 0.5;
        case KellyFraction::kQuarter:
            return 0.25;
    }
    return 1;
}

Result<PositionSizingResult> position_sizing(const TradeSet& trades,
                                             const PositionSizingOptions& options,
                                             Conventions conventions) {
    TB_RETURN_IF_ERROR(check_options(options));
    if (trades.trades.empty()) {
        return make_error(ErrorCode::kInvalidArgument, "no trades are left to size positions from");
    }
    const KellyOptions kelly_options{conventions, options.capital_base, options.use_margin_returns};
    PositionSizingResult result;
    result.kelly_multiplier = kelly_multiplier(options.kelly_fraction);
    result.max_allocation_fraction = options.max_allocation_pct / 100;
    const KellyMetrics whole = kelly_metrics(trades.trades, kelly_options);
    note_missing_fraction(whole, "portfolio.rawKellyFraction", result.notes);
    result.portfolio = size_portfolio(whole, options, result.notes);

    CompensatedSum total;
    for (const auto& [name, count, kelly] : strategy_kelly(trades, kelly_options)) {
        if (count < options.min_trades) {
            result.skipped.push_back({name, count});
            continue;
        }
        note_missing_fraction(kelly, name + ".rawKellyFraction", result.notes);
        if (!options.include_negative_kelly && kelly.has_valid_kelly && kelly.fraction < 0) {
            continue;
        }
        StrategySizing strategy;
        strategy.name = name;
        strategy.trade_count = count;
        strategy.kelly = kelly;
        if (kelly.has_valid_kelly) {
            const double f = kelly.fraction;
            const double capped =
                std::min(f * result.kelly_multiplier, result.max_allocation_fraction);
            strategy.raw_allocation = options.capital_base * std::max(0.0, f);
            strategy.adjusted_allocation = options.capital_base * std::max(0.0, capped);
        }
        total.add(strategy.adjusted_allocation);
        result.strategies.push_back(std::move(strategy));
    }
    result.total_allocation = total.value();
    result.total_allocation_pct = 100 * result.total_allocation / options.capital_base;
    const double scale = result.total_allocation > options.capital_base
                             ? options.capital_base / result.total_allocation
                             : 1;
    for (StrategySizing& strategy : result.strategies) {
        strategy.scaled_allocation = strategy.adjusted_allocation * scale;
    }
    sort_strategies(options, result.strategies);
    add_kelly_warnings(options, result);
    return result;
}

}  // namespace tb::analytics
