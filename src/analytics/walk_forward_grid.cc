#include "analytics/walk_forward_grid.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "analytics/filters.h"
#include "analytics/numerics.h"
#include "core/text.h"
#include "core/unicode.h"

namespace tb::analytics {

namespace {

constexpr std::string_view kStrategyPrefix = "strategy:";
constexpr int kDecimals = 6;

ParameterKind kind_of(std::string_view name) {
    constexpr std::pair<std::string_view, ParameterKind> kNames[] = {
        {"kellyMultiplier", ParameterKind::kKellyMultiplier},
        {"fixedFractionPct", ParameterKind::kFixedFraction},
        {"fixedContracts", ParameterKind::kFixedContracts},
        {"maxDrawdownPct", ParameterKind::kMaxDrawdown},
        {"maxDailyLossPct", ParameterKind::kMaxDailyLoss},
        {"consecutiveLossLimit", ParameterKind::kConsecutiveLosses},
    };
    for (const auto& [known, kind] : kNames) {
        if (name == known) {
            return kind;
        }
    }
    return name.substr(0, kStrategyPrefix.size()) == kStrategyPrefix
               ? ParameterKind::kStrategyWeight
               : ParameterKind::kUnknown;
}

bool is_limit(ParameterKind kind) {
    return kind == ParameterKind::kMaxDrawdown || kind == ParameterKind::kMaxDailyLoss ||
           kind == ParameterKind::kConsecutiveLosses;
}

Result<void> check_range(const ParameterRange& range) {
    if (!std::isfinite(range.min) || !std::isfinite(range.max) || !std::isfinite(range.step) ||
        range.max < range.min || !(range.step > 0)) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("range of {} must be [min, max, step] with max >= min and "
                                      "step > 0, not [{}, {}, {}]",
                                      range.name, range.min, range.max, range.step));
    }
    return {};
}

// Steps from min that do not pass max; a double, because it may exceed any integer.
double whole_steps(const ParameterRange& range) {
    return std::floor((range.max - range.min) / range.step);
}

std::vector<double> range_values(const ParameterRange& range) {
    std::vector<double> values;
    const auto steps = static_cast<std::size_t>(whole_steps(range));
    for (std::size_t i = 0; i <= steps; ++i) {
        const double raw = range.min + static_cast<double>(i) * range.step;
        values.push_back(round_fixed(raw, kDecimals));
    }
    const double last = round_fixed(range.max, kDecimals);
    if (std::find(values.begin(), values.end(), last) == values.end()) {
        values.push_back(last);
    }
    return values;
}

void apply_limit(ParameterKind kind, double value, RiskLimits& limits) {
    if (kind == ParameterKind::kMaxDrawdown) {
        limits.max_drawdown_pct = value;
    } else if (kind == ParameterKind::kMaxDailyLoss) {
        limits.max_daily_loss_pct = value;
    } else {
        limits.consecutive_losses = value;
    }
}

}  // namespace

Result<ParameterGrid> ParameterGrid::make(std::span<const ParameterRange> ranges,
                                          std::span<const std::string> strategies,
                                          Conventions conventions) {
    const bool correct = conventions == Conventions::kCorrect;
    ParameterGrid grid;
    grid.strategy_count_ = strategies.size();
    double product = 1;
    for (const ParameterRange& range : ranges) {
        TB_RETURN_IF_ERROR(check_range(range));
        const bool constraint = correct && is_limit(kind_of(range.name));
        product *= constraint ? 1 : whole_steps(range) + 1;
    }
    const auto too_large = [](double count) {
        return make_error(ErrorCode::kResourceExhausted,
                          fmt::format("the parameter grid has {:.0f} combinations, at most {} are "
                                      "allowed; shorten the ranges or enlarge the steps",
                                      count, kMaxWalkForwardCombinations));
    };
    if (product > static_cast<double>(kMaxWalkForwardCombinations)) {
        return too_large(product);
    }
    for (const ParameterRange& range : ranges) {
        ParameterAxis axis;
        axis.name = range.name;
        axis.kind = kind_of(range.name);
        if (axis.kind == ParameterKind::kStrategyWeight) {
            const std::string wanted = range.name.substr(kStrategyPrefix.size());
            const NameWanted name(wanted, strategies);
            for (std::size_t s = 0; s < strategies.size(); ++s) {
                if (correct ? name.matches(strategies[s])
                            : equals_ignoring_case(strategies[s], wanted)) {
                    axis.strategies.push_back(s);
                }
            }
        }
        if (correct && (axis.kind == ParameterKind::kUnknown ||
                        (axis.kind == ParameterKind::kStrategyWeight && axis.strategies.empty()))) {
            return make_error(
                ErrorCode::kInvalidArgument,
                fmt::format("unknown parameter '{}'; known are kellyMultiplier, fixedFractionPct, "
                            "fixedContracts, maxDrawdownPct, maxDailyLossPct, consecutiveLossLimit "
                            "and strategy:<name of a strategy in the selection>",
                            range.name));
        }
        if (correct && is_limit(axis.kind)) {
            apply_limit(axis.kind, round_fixed(range.max, kDecimals), grid.limits_);
            grid.constraints_.push_back(range.name);
            continue;
        }
        axis.values = range_values(range);
        grid.size_ *= axis.values.size();
        if (grid.size_ > kMaxWalkForwardCombinations) {
            return too_large(static_cast<double>(grid.size_));
        }
        grid.axes_.push_back(std::move(axis));
    }
    return grid;
}

std::vector<double> ParameterGrid::values(std::size_t index) const {
    std::vector<double> result(axes_.size());
    for (std::size_t a = axes_.size(); a-- > 0;) {
        const std::size_t count = axes_[a].values.size();
        result[a] = axes_[a].values[index % count];
        index /= count;
    }
    return result;
}

Scenario ParameterGrid::scenario(std::span<const double> values, double mean_contracts) const {
    Scenario scenario;
    scenario.weights.assign(strategy_count_, 1);
    scenario.limits = limits_;
    // Multiplied in this order whatever that of the axes, as the reference does: rounding decides
    // between combinations that differ in scale only.
    double kelly = 1;
    double fraction = 1;
    double contracts = 1;
    for (std::size_t a = 0; a < axes_.size(); ++a) {
        const double value = values[a];
        switch (axes_[a].kind) {
            case ParameterKind::kKellyMultiplier:
                kelly = value > 0 ? value : 1;
                break;
            case ParameterKind::kFixedFraction:
                fraction = value > 0 ? value / 2 : 1;
                break;
            case ParameterKind::kFixedContracts:
                contracts = value > 0 ? value / mean_contracts : 1;
                break;
            case ParameterKind::kStrategyWeight:
                for (const std::size_t s : axes_[a].strategies) {
                    scenario.weights[s] = std::max(0.0, value);
                }
                break;
            case ParameterKind::kMaxDrawdown:
            case ParameterKind::kMaxDailyLoss:
            case ParameterKind::kConsecutiveLosses:
                apply_limit(axes_[a].kind, value, scenario.limits);
                break;
            case ParameterKind::kUnknown:
                break;
        }
    }
    scenario.scale = kelly * fraction * contracts;
    return scenario;
}

}  // namespace tb::analytics
