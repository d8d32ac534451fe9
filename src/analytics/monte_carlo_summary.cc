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

// Half the distance of the whole ranks around n*q -+ h.
double reference_quantile_error(std::span<const double> ascending, double q) {
    const auto n = static_cast<double>(ascending.size());
    const double half = std::sqrt(n * q * (1 - q));
    const double last = n - 1;
    const auto low = static_cast<std::size_t>(std::clamp(std::floor(n * q - half), 0.0, last));
    const auto high = static_cast<std::size_t>(std::clamp(std::ceil(n * q + half), 0.0, last));
    return (ascending[high] - ascending[low]) / 2;
}

// The deviation of the rank times the slope of the order statistics around it. At the ends of the
// sample the slope is that of the side that exists.
double quantile_error(std::span<const double> ascending, double q) {
    const auto n = static_cast<double>(ascending.size());
    const double last = n - 1;
    const double half = std::sqrt(n * q * (1 - q));
    const double low = std::max(0.0, q * last - half);
    const double high = std::min(last, q * last + half);
    if (!(high > low)) {
        return 0;
    }
    const auto at = [&](double rank) { return *quantile_sorted(ascending, rank / last); };
    return half * (at(high) - at(low)) / (high - low);
}

Estimate quantile_estimate(std::span<const double> ascending, double q, Conventions conventions) {
    Estimate result;
    const auto value = quantile_sorted(ascending, q);
    if (!value || !std::isfinite(*value)) {
        return result;
    }
    result.value = value;
    result.standard_error =
        finite(conventions == Conventions::kReference ? reference_quantile_error(ascending, q)
                                                      : quantile_error(ascending, q));
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

// The quantile itself as a loss, with its error.
Estimate loss_of(const Estimate& quantile) {
    return {quantile.value ? std::optional(std::max(0.0, -*quantile.value)) : std::nullopt,
            quantile.standard_error};
}

Estimate shortfall_estimate(std::span<const double> ascending, const Estimate& quantile) {
    constexpr double kTail = 0.05;
    Estimate result;
    const double expected = kTail * static_cast<double>(ascending.size());
    const auto tail = ascending.first(static_cast<std::size_t>(std::ceil(expected)));
    const auto shortfall = mean(tail);
    const auto sd = sample_sd(tail);
    result.value = shortfall ? finite(-*shortfall) : std::nullopt;
    if (result.value && sd && quantile.value) {
        const double beyond = *shortfall - *quantile.value;
        result.standard_error =
            finite(std::sqrt((*sd * *sd + (1 - kTail) * beyond * beyond) / expected));
    }
    return result;
}

void fill_losses(std::span<const double> ascending_returns, MonteCarloOutcome& outcome) {
    outcome.value_at_risk_95 = loss_of(outcome.return_p5);
    outcome.value_at_risk_90 = loss_of(outcome.return_p10);
    outcome.expected_shortfall_95 = shortfall_estimate(ascending_returns, outcome.return_p5);
}

void fill_ruin(std::span<const PathFigures> paths, double initial_capital,
               MonteCarloOutcome& outcome) {
    for (std::size_t i = 0; i < kRuinLevels.size(); ++i) {
        const double level = initial_capital * (1 - kRuinLevels[i]);
        const auto ruined = std::count_if(paths.begin(), paths.end(),
                                          [&](const PathFigures& p) { return p.lowest <= level; });
        outcome.ruin[i] = share_estimate(static_cast<std::size_t>(ruined), paths.size());
    }
}

// Order statistics by one counting pass: values fall into bins that keep their order, and only the
// few bins holding a wanted rank are sorted. About n operations, where selecting the ranks one
// after the other takes ten times as long.
class RankSelector {
  public:
    explicit RankSelector(std::span<const double> values) : values_(values) {
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        low_ = *low;
        const double width = *high - *low;
        scale_ =
            width > 0 && std::isfinite(kBins / width) && std::isfinite(width) ? kBins / width : 0;
        first_rank_.assign(kBins + 1, 0);
        for (const double v : values) {
            ++first_rank_[bin_of(v) + 1];
        }
        for (std::size_t b = 0; b < kBins; ++b) {
            first_rank_[b + 1] += first_rank_[b];
        }
    }

    // The values of ascending ranks.
    [[nodiscard]] std::vector<double> at(std::span<const std::size_t> ranks) const {
        std::array<std::vector<double>, kBins> members;
        std::array<char, kBins> wanted{};
        std::vector<std::size_t> bins;
        for (const std::size_t rank : ranks) {
            const auto after = std::upper_bound(first_rank_.begin(), first_rank_.end(), rank);
            bins.push_back(static_cast<std::size_t>(after - first_rank_.begin()) - 1);
            wanted[bins.back()] = 1;
        }
        for (const double v : values_) {
            const std::size_t bin = bin_of(v);
            if (wanted[bin] != 0) {
                members[bin].push_back(v);
            }
        }
        std::vector<double> result;
        for (std::size_t i = 0; i < ranks.size(); ++i) {
            auto& candidates = members[bins[i]];
            if (i == 0 || bins[i] != bins[i - 1]) {
                std::sort(candidates.begin(), candidates.end());
            }
            result.push_back(candidates[ranks[i] - first_rank_[bins[i]]]);
        }
        return result;
    }

  private:
    static constexpr std::size_t kBins = 1024;
    // Never decreases with v, whatever the rounding; all in one bin where the range has no scale.
    [[nodiscard]] std::size_t bin_of(double v) const {
        return std::min(kBins - 1, static_cast<std::size_t>((v - low_) * scale_));
    }

    std::span<const double> values_;
    double low_ = 0;
    double scale_ = 0;
    std::vector<std::size_t> first_rank_;
};

}  // namespace

BandPoint band_point(std::span<const double> values, std::size_t step) {
    constexpr std::array<double, 5> kLevels = {0.05, 0.25, 0.5, 0.75, 0.95};
    const double last = static_cast<double>(values.size() - 1);
    std::vector<std::size_t> ranks;
    for (const double q : kLevels) {
        const auto low = static_cast<std::size_t>(std::floor(q * last));
        ranks.push_back(low);
        ranks.push_back(std::min(low + 1, values.size() - 1));
    }
    // Neighbouring levels of few values interleave their ranks; asked for in order, each once.
    std::vector<std::size_t> ascending = ranks;
    std::sort(ascending.begin(), ascending.end());
    const std::vector<double> found = RankSelector(values).at(ascending);
    const auto value_of = [&](std::size_t rank) {
        const auto at = std::lower_bound(ascending.begin(), ascending.end(), rank);
        return found[static_cast<std::size_t>(at - ascending.begin())];
    };
    const auto level = [&](std::size_t k) {
        const double position = kLevels[k] * last;
        const double low = value_of(ranks[2 * k]);
        const double high = value_of(ranks[2 * k + 1]);
        return low + (position - std::floor(position)) * (high - low);
    };
    return {step, level(0), level(1), level(2), level(3), level(4)};
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
    s.median_final_value = quantile_estimate(columns.final_value, 0.5, conventions);
    s.median_total_return = quantile_estimate(columns.total_return, 0.5, conventions);
    s.median_max_drawdown = quantile_estimate(columns.drawdown, 0.5, conventions);
    if (annualized) {
        s.median_annualized_return = quantile_estimate(columns.annualized, 0.5, conventions);
    }
    outcome.return_p5 = quantile_estimate(columns.total_return, 0.05, conventions);
    outcome.return_p10 = quantile_estimate(columns.total_return, 0.10, conventions);
    outcome.return_p25 = quantile_estimate(columns.total_return, 0.25, conventions);
    outcome.return_p50 = s.median_total_return;
    outcome.return_p75 = quantile_estimate(columns.total_return, 0.75, conventions);
    outcome.return_p95 = quantile_estimate(columns.total_return, 0.95, conventions);
    fill_losses(columns.total_return, outcome);
    for (std::size_t i = 0; i < kDrawdownLevels.size(); ++i) {
        outcome.max_drawdown[i] =
            quantile_estimate(columns.drawdown, kDrawdownLevels[i], conventions);
    }
    fill_ruin(paths, settings.initial_capital, outcome);

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
