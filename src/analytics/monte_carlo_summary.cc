#include "analytics/monte_carlo_summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

std::optional<double> finite(double value) {
    return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

Estimate mean_estimate(std::span<const double> values) {
    Estimate result;
    const auto average = mean(values);
    if (!average || !std::isfinite(*average)) {
        return result;
    }
    result.value = average;
    if (const auto sd = sample_sd(values)) {
        result.standard_error = finite(*sd / std::sqrt(static_cast<double>(values.size())));
    }
    return result;
}

// Standard error by the delta method on the fourth central moment; distribution-free.
Estimate deviation_estimate(std::span<const double> values) {
    Estimate result;
    const auto sd = sample_sd(values);
    const auto center = mean(values);
    if (!sd || !std::isfinite(*sd)) {
        return result;
    }
    result.value = sd;
    if (*sd == 0) {
        result.standard_error = 0;
        return result;
    }
    CompensatedSum fourth;
    for (const double v : values) {
        const double z = (v - *center) / *sd;
        fourth.add(z * z * z * z);
    }
    const auto n = static_cast<double>(values.size());
    const double kurtosis = fourth.value() / n;
    result.standard_error = finite(*sd * std::sqrt(std::max(0.0, kurtosis - 1) / n) / 2);
    return result;
}

Estimate share_estimate(std::size_t count, std::size_t total) {
    const auto n = static_cast<double>(total);
    const double p = static_cast<double>(count) / n;
    return {p, std::sqrt(p * (1 - p) / n)};
}

Estimate quantile_estimate(std::span<const double> ascending, double q) {
    Estimate result;
    const auto value = quantile_sorted(ascending, q);
    if (!value || !std::isfinite(*value)) {
        return result;
    }
    result.value = value;
    const auto n = static_cast<double>(ascending.size());
    const double half = std::sqrt(n * q * (1 - q));
    const double last = n - 1;
    const auto low = static_cast<std::size_t>(std::clamp(std::floor(n * q - half), 0.0, last));
    const auto high = static_cast<std::size_t>(std::clamp(std::ceil(n * q + half), 0.0, last));
    result.standard_error = finite((ascending[high] - ascending[low]) / 2);
    return result;
}

struct Columns {
    std::vector<double> final_value;
    std::vector<double> total_return;
    std::vector<double> annualized;
    std::vector<double> drawdown;
    std::vector<double> sharpe;
    std::size_t undefined_annualized = 0;
    std::size_t profitable = 0;
    std::size_t touched_zero = 0;
    std::size_t ruined = 0;
};

Columns collect(std::span<const PathFigures> paths) {
    Columns columns;
    for (const PathFigures& path : paths) {
        columns.final_value.push_back(path.final_value);
        columns.total_return.push_back(path.total_return);
        columns.drawdown.push_back(path.max_drawdown);
        if (std::isnan(path.annualized_return)) {
            ++columns.undefined_annualized;
        } else {
            columns.annualized.push_back(path.annualized_return);
        }
        if (!std::isnan(path.sharpe)) {
            columns.sharpe.push_back(path.sharpe);
        }
        columns.profitable += path.total_return > 0 ? 1U : 0U;
        columns.touched_zero += path.touched_zero ? 1U : 0U;
        columns.ruined += path.ruined ? 1U : 0U;
    }
    return columns;
}

void add_note(std::vector<Note>& notes, const std::string& prefix, const char* figure,
              const Estimate& estimate, const char* reason) {
    if (!estimate.value) {
        notes.push_back({prefix + figure, reason});
    }
}

void fill_losses(std::span<const double> ascending_returns, MonteCarloOutcome& outcome) {
    if (outcome.return_p5.value) {
        outcome.value_at_risk_95 = std::max(0.0, -*outcome.return_p5.value);
    }
    if (outcome.return_p10.value) {
        outcome.value_at_risk_90 = std::max(0.0, -*outcome.return_p10.value);
    }
    constexpr double kTail = 0.05;
    const auto worst =
        static_cast<std::size_t>(std::ceil(kTail * static_cast<double>(ascending_returns.size())));
    if (const auto shortfall = mean(ascending_returns.first(worst))) {
        outcome.expected_shortfall_95 = finite(-*shortfall);
    }
}

// Places the order statistics at `wanted` (ascending) of values[begin, end) by halving the list.
void select_all(std::span<double> values, std::span<const std::size_t> wanted, std::size_t begin,
                std::size_t end) {
    if (wanted.empty() || end - begin < 2) {
        return;
    }
    const std::size_t middle = wanted.size() / 2;
    const std::size_t at = wanted[middle];
    std::nth_element(values.begin() + static_cast<std::ptrdiff_t>(begin),
                     values.begin() + static_cast<std::ptrdiff_t>(at),
                     values.begin() + static_cast<std::ptrdiff_t>(end));
    select_all(values, wanted.first(middle), begin, at);
    select_all(values, wanted.subspan(middle + 1), at + 1, end);
}

}  // namespace

BandPoint band_point(std::span<double> values, std::size_t step) {
    constexpr std::array<double, 5> kLevels = {0.05, 0.25, 0.5, 0.75, 0.95};
    const double last = static_cast<double>(values.size() - 1);
    std::vector<std::size_t> wanted;
    for (const double q : kLevels) {
        const auto low = static_cast<std::size_t>(std::floor(q * last));
        for (const std::size_t at : {low, std::min(low + 1, values.size() - 1)}) {
            if (wanted.empty() || wanted.back() < at) {
                wanted.push_back(at);
            }
        }
    }
    select_all(values, wanted, 0, values.size());
    const auto level = [&](double q) {
        const double position = q * last;
        const auto low = static_cast<std::size_t>(std::floor(position));
        const double high = values[std::min(low + 1, values.size() - 1)];
        return values[low] + (position - std::floor(position)) * (high - values[low]);
    };
    return {step,
            level(kLevels[0]),
            level(kLevels[1]),
            level(kLevels[2]),
            level(kLevels[3]),
            level(kLevels[4])};
}

MonteCarloOutcome summarize_paths(std::span<const PathFigures> paths,
                                  const MonteCarloSettings& settings, Conventions conventions,
                                  const std::string& prefix, std::vector<Note>& notes) {
    Columns columns = collect(paths);
    const std::size_t n = paths.size();
    MonteCarloOutcome outcome;
    MonteCarloStatistics& s = outcome.statistics;
    s.mean_final_value = mean_estimate(columns.final_value);
    s.std_final_value = deviation_estimate(columns.final_value);
    s.mean_total_return = mean_estimate(columns.total_return);
    s.mean_max_drawdown = mean_estimate(columns.drawdown);
    s.mean_sharpe_ratio = mean_estimate(columns.sharpe);
    s.paths_without_sharpe = n - columns.sharpe.size();
    s.probability_of_profit = share_estimate(columns.profitable, n);
    s.zero_balance_paths = share_estimate(columns.touched_zero, n);
    if (settings.ruin_threshold) {
        s.probability_of_ruin = share_estimate(columns.ruined, n);
    }
    // One undefined path poisons both figures under kReference; kCorrect has none below -100 %,
    // only those beyond the range of numbers, and a figure over the rest would be biased.
    const bool annualized = columns.undefined_annualized == 0;
    if (annualized) {
        s.mean_annualized_return = mean_estimate(columns.annualized);
    }

    for (auto* column :
         {&columns.final_value, &columns.total_return, &columns.annualized, &columns.drawdown}) {
        std::sort(column->begin(), column->end());
    }
    s.median_final_value = quantile_estimate(columns.final_value, 0.5);
    s.median_total_return = quantile_estimate(columns.total_return, 0.5);
    s.median_max_drawdown = quantile_estimate(columns.drawdown, 0.5);
    if (annualized) {
        s.median_annualized_return = quantile_estimate(columns.annualized, 0.5);
    }
    outcome.return_p5 = quantile_estimate(columns.total_return, 0.05);
    outcome.return_p10 = quantile_estimate(columns.total_return, 0.10);
    outcome.return_p25 = quantile_estimate(columns.total_return, 0.25);
    outcome.return_p50 = s.median_total_return;
    outcome.return_p75 = quantile_estimate(columns.total_return, 0.75);
    outcome.return_p95 = quantile_estimate(columns.total_return, 0.95);
    fill_losses(columns.total_return, outcome);

    const char* range = "beyond the range of numbers";
    const char* below = conventions == Conventions::kReference
                            ? "a path lost more than 100 %, whose annualized return is not a number"
                            : range;
    add_note(notes, prefix, "meanFinalValue", s.mean_final_value, range);
    add_note(notes, prefix, "stdFinalValue", s.std_final_value, range);
    add_note(notes, prefix, "meanTotalReturn", s.mean_total_return, range);
    add_note(notes, prefix, "meanAnnualizedReturn", s.mean_annualized_return, below);
    add_note(notes, prefix, "medianAnnualizedReturn", s.median_annualized_return, below);
    add_note(notes, prefix, "meanSharpeRatio", s.mean_sharpe_ratio,
             "no path has returns that vary");
    add_note(notes, prefix, "probabilityOfRuin", s.probability_of_ruin,
             "no ruin threshold was given");
    return outcome;
}

}  // namespace tb::analytics
