#include "analytics/correlation.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "analytics/correlation_kendall.h"
#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

struct PairIndex {
    std::size_t first;
    std::size_t second;
};

std::vector<PairIndex> upper_triangle(std::size_t n) {
    std::vector<PairIndex> pairs;
    pairs.reserve(n * (n - 1) / 2);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = i + 1; j < n; ++j) {
            pairs.push_back({i, j});
        }
    }
    return pairs;
}

std::size_t shared_count(const std::vector<char>& a, const std::vector<char>& b) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        count += static_cast<std::size_t>(a[i] & b[i]);
    }
    return count;
}

// Everything pairs are computed from; ranks are made once per strategy.
class PairCorrelator {
  public:
    PairCorrelator(const AlignedSeries& aligned, const CorrelationOptions& options,
                   Conventions conventions)
        : aligned_(aligned), options_(options), conventions_(conventions) {
        if (options.method != CorrelationMethod::kKendall) {
            return;
        }
        for (std::size_t s = 0; s < aligned.values.size(); ++s) {
            ranked_.push_back(options.alignment == Alignment::kShared
                                  ? rank_series(aligned.values[s], aligned.present[s])
                                  : rank_series(aligned.values[s]));
        }
    }

    [[nodiscard]] std::optional<double> value(PairIndex pair, KendallScratch& scratch) const {
        if (options_.method == CorrelationMethod::kKendall) {
            const KendallCounts counts =
                kendall_counts(ranked_[pair.first], ranked_[pair.second], scratch);
            return conventions_ == Conventions::kCorrect ? counts.tau_b() : counts.tau_a();
        }
        std::vector<double> x;
        std::vector<double> y;
        for (std::size_t i = 0; i < aligned_.periods.size(); ++i) {
            if (options_.alignment == Alignment::kZeroPad ||
                (aligned_.present[pair.first][i] & aligned_.present[pair.second][i]) != 0) {
                x.push_back(aligned_.values[pair.first][i]);
                y.push_back(aligned_.values[pair.second][i]);
            }
        }
        if (options_.method == CorrelationMethod::kSpearman) {
            x = average_ranks(x);
            y = average_ranks(y);
        }
        return pearson(x, y, conventions_);
    }

    // Observations a pair is compared on.
    [[nodiscard]] std::size_t compared(std::size_t shared) const {
        return options_.alignment == Alignment::kZeroPad ? aligned_.periods.size() : shared;
    }

  private:
    const AlignedSeries& aligned_;
    const CorrelationOptions& options_;
    Conventions conventions_;
    std::vector<KendallSeries> ranked_;
};

void summarize(const std::vector<PairIndex>& pairs, const CorrelationOptions& options,
               CorrelationResult& result) {
    CompensatedSum sum;
    std::size_t count = 0;
    for (const auto [i, j] : pairs) {
        const auto& value = result.matrix[i][j];
        const std::size_t samples = result.sample_sizes[i][j];
        if (!value || samples < options.min_samples) {
            ++result.insufficient_data_pairs;
            continue;
        }
        const CorrelationPair pair{i, j, *value, samples};
        sum.add(*value);
        ++count;
        if (!result.strongest || *value > result.strongest->value) {
            result.strongest = pair;
        }
        if (!result.weakest || *value < result.weakest->value) {
            result.weakest = pair;
        }
        if (std::fabs(*value) > options.highlight_threshold) {
            result.highly_correlated.push_back(pair);
        }
    }
    if (count > 0) {
        result.average = sum.value() / static_cast<double>(count);
    }
}

void add_warnings(const StrategySeriesSet& set, const CorrelationOptions& options,
                  CorrelationResult& result) {
    if (set.trades_without_value > 0) {
        result.warnings.push_back(fmt::format(
            "{} of {} trades have no value under this normalization and date basis and are left "
            "out",
            set.trades_without_value, result.trades_analyzed));
    }
    if (set.non_finite > 0) {
        result.warnings.push_back(fmt::format(
            "{} trades or periods with a value beyond the range of numbers are left out",
            set.non_finite));
    }
    if (!result.undefined_pairs.empty()) {
        result.warnings.push_back(
            fmt::format("{} pairs have no correlation (fewer than two common periods, or a series "
                        "that never changes)",
                        result.undefined_pairs.size()));
    }
    if (result.insufficient_data_pairs > 0) {
        result.warnings.push_back(
            fmt::format("{} pairs are not in the averages: undefined or fewer than {} shared "
                        "periods",
                        result.insufficient_data_pairs, options.min_samples));
    }
}

}  // namespace

std::optional<double> pearson(std::span<const double> x, std::span<const double> y,
                              Conventions conventions) {
    const std::size_t n = x.size();
    if (n < 2) {
        return std::nullopt;
    }
    const bool reference = conventions == Conventions::kReference;
    const double scale_x = reference ? 1 : max_abs(x);
    const double scale_y = reference ? 1 : max_abs(y);
    if (scale_x == 0 || scale_y == 0) {
        return std::nullopt;
    }
    CompensatedSum sum_x;
    CompensatedSum sum_y;
    for (std::size_t i = 0; i < n; ++i) {
        sum_x.add(x[i] / scale_x);
        sum_y.add(y[i] / scale_y);
    }
    const double mean_x = sum_x.value() / static_cast<double>(n);
    const double mean_y = sum_y.value() / static_cast<double>(n);
    CompensatedSum sxy;
    CompensatedSum sxx;
    CompensatedSum syy;
    for (std::size_t i = 0; i < n; ++i) {
        const double dx = x[i] / scale_x - mean_x;
        const double dy = y[i] / scale_y - mean_y;
        sxy.add(dx * dy);
        sxx.add(dx * dx);
        syy.add(dy * dy);
    }
    if (reference) {
        const double denominator = std::sqrt(sxx.value() * syy.value());
        const double value = sxy.value() / denominator;
        return denominator == 0 || !std::isfinite(value) ? 0 : value;
    }
    const double root_n = std::sqrt(static_cast<double>(n));
    if (is_negligible_deviation(std::sqrt(sxx.value()) / root_n, 1) ||
        is_negligible_deviation(std::sqrt(syy.value()) / root_n, 1)) {
        return std::nullopt;
    }
    const double value = sxy.value() / (std::sqrt(sxx.value()) * std::sqrt(syy.value()));
    return std::clamp(value, -1.0, 1.0);
}

Result<CorrelationResult> correlation_matrix(const TradeSet& trades,
                                             const CorrelationOptions& options,
                                             Conventions conventions, const RunContext& context) {
    if (options.min_samples < 2 ||
        !(options.highlight_threshold >= 0 && options.highlight_threshold <= 1)) {
        return make_error(ErrorCode::kInvalidArgument,
                          "minSamples must be at least 2 and highlightThreshold within 0 to 1");
    }
    std::set<std::uint32_t> used;
    for (const Trade& trade : trades.trades) {
        used.insert(trade.strategy);
    }
    if (used.size() < 2) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("correlation needs at least 2 strategies, the selected "
                                      "trades have {}",
                                      used.size()));
    }
    if (used.size() > kMaxCorrelationStrategies) {
        return make_error(ErrorCode::kResourceExhausted,
                          fmt::format("correlation is limited to {} strategies, the selected "
                                      "trades have {}; filter by strategy",
                                      kMaxCorrelationStrategies, used.size()));
    }

    const StrategySeriesSet set = strategy_series(trades, options.series, conventions);
    const AlignedSeries aligned = align_series(set.series);
    const std::size_t n = set.series.size();
    CorrelationResult result;
    result.trades_analyzed = trades.trades.size();
    result.matrix.assign(n, std::vector<std::optional<double>>(n));
    result.sample_sizes.assign(n, std::vector<std::size_t>(n, 0));
    for (std::size_t s = 0; s < n; ++s) {
        result.strategies.push_back(set.series[s].name);
        result.matrix[s][s] = 1;
        result.sample_sizes[s][s] = set.series[s].periods.size();
    }

    const PairCorrelator correlator(aligned, options, conventions);
    const std::vector<PairIndex> pairs = upper_triangle(n);
    TB_RETURN_IF_ERROR(parallel_for(
        context, {pairs.size(), 4, "pairs", "correlating strategies"},
        [&](std::size_t begin, std::size_t end) {
            KendallScratch scratch;
            for (std::size_t p = begin; p < end; ++p) {
                const auto [i, j] = pairs[p];
                result.sample_sizes[i][j] = shared_count(aligned.present[i], aligned.present[j]);
                result.sample_sizes[j][i] = result.sample_sizes[i][j];
                if (correlator.compared(result.sample_sizes[i][j]) >= 2) {
                    result.matrix[i][j] = correlator.value(pairs[p], scratch);
                    result.matrix[j][i] = result.matrix[i][j];
                }
            }
        }));
    for (const auto [i, j] : pairs) {
        if (!result.matrix[i][j]) {
            result.undefined_pairs.push_back({i, j,
                                              correlator.compared(result.sample_sizes[i][j]) < 2
                                                  ? UndefinedReason::kTooFewSamples
                                                  : UndefinedReason::kConstantSeries});
        }
    }
    summarize(pairs, options, result);
    add_warnings(set, options, result);
    return result;
}

}  // namespace tb::analytics
