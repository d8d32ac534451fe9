#include "analytics/monte_carlo_path.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "analytics/numerics.h"
#include "analytics/random.h"

namespace tb::analytics {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

void draw_from_pool(const PathPlan& plan, std::uint64_t jump_threshold, RandomStream& random,
                    std::span<double> out) {
    const auto size = static_cast<std::uint32_t>(plan.pool.size());
    if (plan.iid) {
        for (double& value : out) {
            value = plan.pool[random.next_below(size)];
        }
        return;
    }
    std::uint32_t index = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (i == 0 || random.next_event(jump_threshold)) {
            index = random.next_below(size);
        } else {
            ++index;
            index = index == size ? 0 : index;
        }
        out[i] = plan.pool[index];
    }
}

// Four running sums: one alone waits for each addition to finish. The order of additions is fixed,
// so the result is the same everywhere.
template <class F>
double sum_of(std::span<const double> values, F term) {
    std::array<double, 4> sums{};
    const std::size_t whole = values.size() - values.size() % sums.size();
    for (std::size_t i = 0; i < whole; i += sums.size()) {
        for (std::size_t k = 0; k < sums.size(); ++k) {
            sums[k] += term(values[i + k]);
        }
    }
    for (std::size_t i = whole; i < values.size(); ++i) {
        sums[0] += term(values[i]);
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

double sharpe_of(std::span<const double> returns, const PathPlan& plan) {
    const auto n = static_cast<double>(returns.size());
    const double mean_return = sum_of(returns, [](double r) { return r; }) / n;
    const double squares =
        sum_of(returns, [&](double r) { return (r - mean_return) * (r - mean_return); });
    const double sd = returns.size() < 2 ? 0 : std::sqrt(squares / (n - 1));
    if (plan.zero_sharpe_without_dispersion) {
        if (sd == 0) {
            return 0;
        }
    } else if (sd <= 1e-6 * std::fabs(mean_return) || sd == 0) {
        // Only here can the deviation be rounding beside the largest return, which is at most
        // |mean| + sd * sqrt(n).
        if (is_negligible_deviation(sd, max_abs(returns))) {
            return kUndefined;
        }
    }
    const double sharpe =
        (mean_return - plan.risk_free_per_step) / sd * std::sqrt(plan.steps_per_year);
    return std::isfinite(sharpe) ? sharpe : kUndefined;
}

double annualize(double total_return, const PathPlan& plan) {
    if (total_return <= -1 && plan.absorb_at_zero) {
        return -1;
    }
    // Below -100 % the power of a negative number is NaN, as in the reference.
    const double years = static_cast<double>(plan.length) / plan.steps_per_year;
    const double annualized = std::pow(1 + total_return, 1 / years) - 1;
    return std::isfinite(annualized) ? annualized : kUndefined;
}

}  // namespace

PathSimulator::PathSimulator(PathPlan plan)
    : plan_(std::move(plan)),
      jump_threshold_(event_threshold(1 / static_cast<double>(plan_.mean_block_length))),
      worst_case_threshold_(event_threshold(std::min(1.0, plan_.worst_case_pct / 100))) {}

void PathSimulator::draw(std::uint64_t path, PathBuffers& buffers) const {
    RandomStream resample(plan_.seed, path, RandomPurpose::kResample);
    auto& steps = buffers.steps;
    steps.resize(plan_.length);
    if (plan_.worst_case.empty()) {
        draw_from_pool(plan_, jump_threshold_, resample, steps);
        return;
    }
    RandomStream injection(plan_.seed, path, RandomPurpose::kWorstCase);
    if (plan_.worst_case_mode == WorstCaseMode::kProbabilistic) {
        draw_from_pool(plan_, jump_threshold_, resample, steps);
        const auto entries = static_cast<std::uint32_t>(plan_.worst_case.size());
        for (double& value : steps) {
            if (injection.next_event(worst_case_threshold_)) {
                value = plan_.worst_case[injection.next_below(entries)];
            }
        }
        return;
    }
    // Inserting entries one after the other at uniform places of a growing path makes every
    // assignment of entries to places equally likely. The same law in one pass: the first places of
    // a partly shuffled list of all places take the entries, the drawn steps fill the rest in
    // order.
    const std::size_t inserted = std::min(plan_.worst_case.size(), plan_.length);
    draw_from_pool(plan_, jump_threshold_, resample,
                   std::span(steps).first(plan_.length - inserted));
    auto& slots = buffers.slots;
    slots.resize(plan_.length);
    std::iota(slots.begin(), slots.end(), 0U);
    for (std::size_t k = 0; k < inserted; ++k) {
        const auto rest = static_cast<std::uint32_t>(plan_.length - k);
        std::swap(slots[k], slots[k + injection.next_below(rest)]);
    }
    auto& merged = buffers.returns;  // free until the path is followed
    merged.assign(plan_.length, kUndefined);
    for (std::size_t k = 0; k < inserted; ++k) {
        merged[slots[k]] = plan_.worst_case[k];
    }
    std::size_t next = 0;
    for (double& value : merged) {
        if (std::isnan(value)) {
            value = steps[next++];
        }
    }
    steps.swap(merged);
}

PathFigures PathSimulator::run(std::uint64_t path, PathBuffers& buffers,
                               std::span<double> band_values) const {
    draw(path, buffers);
    return follow(buffers.steps, buffers, band_values);
}

PathFigures PathSimulator::follow(std::span<const double> steps, PathBuffers& buffers,
                                  std::span<double> band_values) const {
    PathFigures figures;
    auto& returns = buffers.returns;
    returns.resize(steps.size());
    const double start = plan_.initial_capital;
    double capital = start;
    double peak = start;
    double lowest = start;
    std::size_t band = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const double before = capital;
        if (plan_.compounding) {
            capital = before > 0 ? std::max(0.0, before * (1 + std::max(steps[i], -1.0))) : before;
        } else if (before > 0 || !plan_.absorb_at_zero) {
            capital = before + steps[i];
            if (plan_.absorb_at_zero && capital < 0) {
                capital = 0;
            }
        }
        if (std::fabs(capital) > kCapitalLimit) {
            capital = std::copysign(kCapitalLimit, capital);
            figures.saturated = true;
        }
        returns[i] = before > 0 ? capital / before - 1 : 0;
        lowest = std::min(lowest, capital);
        if (capital > peak) {
            peak = capital;
        } else if (peak - capital > figures.max_drawdown * peak) {
            figures.max_drawdown = (peak - capital) / peak;
        }
        if (band < plan_.band_steps.size() && plan_.band_steps[band] == i + 1) {
            band_values[band++] = (capital - start) / start;
        }
    }
    figures.final_value = capital;
    figures.total_return = (capital - start) / start;
    figures.annualized_return = annualize(figures.total_return, plan_);
    figures.sharpe = sharpe_of(returns, plan_);
    figures.lowest = lowest;
    figures.touched_zero = lowest <= 0;
    figures.ruined = plan_.ruin_level >= 0 && lowest <= plan_.ruin_level;
    return figures;
}

}  // namespace tb::analytics
