#include "analytics/tail_risk.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <fmt/format.h>

#include "analytics/correlation_kendall.h"
#include "analytics/numerics.h"
#include "analytics/tail_risk_eigen.h"
#include "core/text.h"

namespace tb::analytics {

namespace {

constexpr double kHighRisk = 0.5;
constexpr double kModerateRisk = 0.3;
constexpr std::size_t kMinTailDays = 5;
// A tail holding more than this multiple of its nominal share is dominated by one repeated value.
constexpr double kCrowdedTail = 2.0;
// Eigenvalues this far below zero are rounding, not a defect of the matrix.
constexpr double kEigenNoise = -1e-12;

using Flags = std::vector<char>;

// The tail days of one strategy by the reference: normal scores of the zero-padded series, type-7
// threshold over own days, interpolated with its rounding.
Flags tail_by_scores(const std::vector<double>& padded, const Flags& present, double threshold) {
    const auto n = static_cast<double>(padded.size());
    std::vector<double> scores = average_ranks(padded);
    for (double& score : scores) {
        // A lone observation is defined as 0; else (rank - 0.5)/n lies strictly inside (0,1).
        score = padded.size() == 1 ? 0 : normal_quantile_acklam((score - 0.5) / n).value_or(0);
    }
    std::vector<double> own;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (present[i] != 0) {
            own.push_back(scores[i]);
        }
    }
    const auto cut = quantile(std::move(own), threshold, Conventions::kReference);
    Flags in_tail(padded.size(), 0);
    for (std::size_t i = 0; i < padded.size(); ++i) {
        in_tail[i] = static_cast<char>(present[i] != 0 && cut && scores[i] <= *cut);
    }
    return in_tail;
}

// The same set decided on ranks: interpolating between the order statistics lo and hi can only cut
// at lo, so every day at or below the value of rank floor(q(n-1)) is in the tail.
Flags tail_by_rank(const std::vector<double>& padded, const Flags& present, double threshold) {
    constexpr double kPositionNoise = 1e-9;  // 0.29 * 100 is 28.999999999999996
    std::vector<double> own;
    for (std::size_t i = 0; i < padded.size(); ++i) {
        if (present[i] != 0) {
            own.push_back(padded[i]);
        }
    }
    Flags in_tail(padded.size(), 0);
    if (own.empty()) {
        return in_tail;
    }
    const double position = threshold * static_cast<double>(own.size() - 1);
    const auto rank = static_cast<std::ptrdiff_t>(std::floor(position + kPositionNoise));
    std::nth_element(own.begin(), own.begin() + rank, own.end());
    const double cut = own[static_cast<std::size_t>(rank)];
    for (std::size_t i = 0; i < padded.size(); ++i) {
        in_tail[i] = static_cast<char>(present[i] != 0 && padded[i] <= cut);
    }
    return in_tail;
}

struct PairFigures {
    std::size_t shared = 0;
    std::optional<double> copula;
    std::optional<double> second_given_first;
    std::optional<double> first_given_second;
};

class PairAnalyzer {
  public:
    PairAnalyzer(const AlignedSeries& aligned, const TailRiskOptions& options,
                 Conventions conventions)
        : aligned_(aligned), options_(options), reference_(conventions == Conventions::kReference) {
        for (std::size_t s = 0; s < aligned.values.size(); ++s) {
            const auto& values = aligned.values[s];
            const auto& present = aligned.present[s];
            ranked_.push_back(reference_ ? rank_series(values) : rank_series(values, present));
            tails_.push_back(reference_ ? tail_by_scores(values, present, options.tail_threshold)
                                        : tail_by_rank(values, present, options.tail_threshold));
        }
    }

    [[nodiscard]] const Flags& tail(std::size_t strategy) const { return tails_[strategy]; }

    [[nodiscard]] PairFigures figures(std::size_t i, std::size_t j, KendallScratch& scratch) const {
        PairFigures pair;
        std::size_t tail_i = 0;
        std::size_t tail_j = 0;
        std::size_t both = 0;
        for (std::size_t day = 0; day < aligned_.periods.size(); ++day) {
            if ((aligned_.present[i][day] & aligned_.present[j][day]) != 0) {
                ++pair.shared;
                tail_i += static_cast<std::size_t>(tails_[i][day]);
                tail_j += static_cast<std::size_t>(tails_[j][day]);
                both += static_cast<std::size_t>(tails_[i][day] & tails_[j][day]);
            }
        }
        if (!reference_ && pair.shared < options_.min_trading_days) {
            return pair;
        }
        const auto tau = kendall_counts(ranked_[i], ranked_[j], scratch).tau_b();
        if (tau || reference_) {
            pair.copula = std::sin(std::numbers::pi * tau.value_or(0) / 2);
        }
        const double share = 0.1 * options_.tail_threshold * static_cast<double>(pair.shared);
        const std::size_t needed =
            std::max(kMinTailDays, static_cast<std::size_t>(std::ceil(share)));
        if (tail_i >= needed) {
            pair.second_given_first = static_cast<double>(both) / static_cast<double>(tail_i);
        }
        if (tail_j >= needed) {
            pair.first_given_second = static_cast<double>(both) / static_cast<double>(tail_j);
        }
        return pair;
    }

  private:
    const AlignedSeries& aligned_;
    const TailRiskOptions& options_;
    bool reference_;
    std::vector<KendallSeries> ranked_;
    std::vector<Flags> tails_;
};

OptionalMatrix identity(std::size_t n) {
    OptionalMatrix matrix(n, std::vector<std::optional<double>>(n, 0.0));
    for (std::size_t i = 0; i < n; ++i) {
        matrix[i][i] = 1;
    }
    return matrix;
}

// What the reference answers when it has too little data: no dependence at all (I-39).
void make_neutral(TailRiskResult& result) {
    const std::size_t n = result.strategies.size();
    const auto count = static_cast<double>(n);
    result.joint_tail_risk = identity(n);
    result.copula_correlation = identity(n);
    result.average = 0;
    result.high_risk_pairs_share = 0;
    result.level = TailRiskLevel::kLow;
    result.eigenvalues.assign(n, 1);
    result.effective_factors = n;
    for (std::size_t i = 0; i < n; ++i) {
        result.explained_variance.push_back(static_cast<double>(i + 1) / count);
        result.contributions.push_back({i, 100 / count, 1 / count, 0});
    }
}

std::optional<double> pair_value(const OptionalMatrix& joint, std::size_t i, std::size_t j) {
    if (!joint[i][j] || !joint[j][i]) {
        return std::nullopt;
    }
    return (*joint[i][j] + *joint[j][i]) / 2;
}

void summarize_pairs(TailRiskResult& result, bool reference) {
    const std::size_t n = result.strategies.size();
    CompensatedSum sum;
    std::size_t valid = 0;
    std::size_t high = 0;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = i + 1; j < n; ++j) {
            result.insufficient_directions +=
                (result.joint_tail_risk[i][j] ? 0U : 1U) + (result.joint_tail_risk[j][i] ? 0U : 1U);
            const auto value = pair_value(result.joint_tail_risk, i, j);
            if (!value) {
                ++result.insufficient_pairs;
                continue;
            }
            ++valid;
            sum.add(*value);
            high += *value > kHighRisk ? 1U : 0U;
            if (!result.highest || *value > result.highest->value) {
                result.highest = TailRiskPair{i, j, *value};
            }
            if (!result.lowest || *value < result.lowest->value) {
                result.lowest = TailRiskPair{i, j, *value};
            }
        }
    }
    if (valid > 0) {
        result.average = sum.value() / static_cast<double>(valid);
        result.high_risk_pairs_share = static_cast<double>(high) / static_cast<double>(valid);
    } else if (reference) {
        result.average = 0;
        result.high_risk_pairs_share = 0;
    }
    if (result.highest || reference) {
        const double highest = result.highest ? result.highest->value : 0;
        result.level = highest > kHighRisk       ? TailRiskLevel::kHigh
                       : highest > kModerateRisk ? TailRiskLevel::kModerate
                                                 : TailRiskLevel::kLow;
    }
    result.status = valid == 0                      ? TailRiskStatus::kInsufficientData
                    : result.insufficient_pairs > 0 ? TailRiskStatus::kPartial
                                                    : TailRiskStatus::kComplete;
}

// Eigenvalues, explained variance and the first eigenvector; repairs the matrix in kCorrect.
Result<std::vector<double>> analyze_factors(const TailRiskOptions& options, bool reference,
                                            const CancelToken& cancel, TailRiskResult& result) {
    const std::size_t n = result.strategies.size();
    SquareMatrix matrix(n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            matrix.at(i, j) = result.copula_correlation[i][j].value_or(0);
        }
    }
    TB_TRY(Eigen eigen, symmetric_eigen(matrix, cancel));
    result.smallest_raw_eigenvalue = eigen.values.back();
    if (!reference && eigen.values.back() < kEigenNoise) {
        TB_TRY(const NearestCorrelation nearest, nearest_correlation(matrix, cancel));
        matrix = nearest.matrix;
        result.repair_distance = nearest.distance;
        result.repair_converged = nearest.converged;
        TB_TRY(eigen, symmetric_eigen(matrix, cancel));
        result.copula_repaired = true;
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                if (result.copula_correlation[i][j]) {
                    result.copula_correlation[i][j] = matrix.at(i, j);
                }
            }
        }
    }
    double total = 0;
    for (double& value : eigen.values) {
        if (!reference) {
            value = std::max(0.0, value);
        }
        total += value;
    }
    result.eigenvalues = eigen.values;
    double cumulative = 0;
    for (std::size_t k = 0; k < n; ++k) {
        cumulative += eigen.values[k];
        result.explained_variance.push_back(cumulative / total);
        if (!result.effective_factors && cumulative / total >= options.variance_threshold) {
            result.effective_factors = k + 1;
        }
    }
    if (!result.effective_factors) {
        result.effective_factors = n;
    }
    double norm = 0;
    std::vector<double> concentration(n);
    for (std::size_t i = 0; i < n; ++i) {
        concentration[i] = std::fabs(eigen.vectors.at(0, i));
        norm += concentration[i];
    }
    for (double& share : concentration) {
        share /= norm;
    }
    return concentration;
}

// As shares of 100 % of the strategies that have one. kReference: as they are.
void share_out(std::vector<TailRiskContribution>& contributions) {
    CompensatedSum total;
    for (const TailRiskContribution& one : contributions) {
        total.add(one.tail_risk_contribution.value_or(0));
    }
    for (TailRiskContribution& one : contributions) {
        if (one.tail_risk_contribution && total.value() > 0) {
            *one.tail_risk_contribution *= 100 / total.value();
        }
    }
}

void add_contributions(const std::vector<double>& concentration, bool reference,
                       TailRiskResult& result) {
    const std::size_t n = result.strategies.size();
    for (std::size_t i = 0; i < n; ++i) {
        TailRiskContribution one;
        one.strategy = i;
        if (!concentration.empty()) {
            one.concentration = concentration[i];
        }
        double sum = 0;
        std::size_t count = 0;
        for (std::size_t j = 0; j < n; ++j) {
            const auto value = i == j ? std::nullopt : pair_value(result.joint_tail_risk, i, j);
            if (value) {
                sum += *value;
                ++count;
            }
        }
        if (count > 0) {
            one.avg_tail_dependence = sum / static_cast<double>(count);
        } else if (reference) {
            one.avg_tail_dependence = 0;
        }
        if (one.concentration && one.avg_tail_dependence) {
            one.tail_risk_contribution =
                100 * (0.5 * *one.concentration + 0.5 * *one.avg_tail_dependence);
        }
        result.contributions.push_back(one);
    }
    if (!reference) {
        share_out(result.contributions);
    }
    std::stable_sort(result.contributions.begin(), result.contributions.end(),
                     [](const TailRiskContribution& a, const TailRiskContribution& b) {
                         return a.tail_risk_contribution.value_or(-1) >
                                b.tail_risk_contribution.value_or(-1);
                     });
}

void add_warnings(const StrategySeriesSet& set, const TailRiskOptions& options,
                  TailRiskResult& result) {
    const std::size_t n = result.strategies.size();
    if (n < 2) {
        result.warnings.push_back(
            fmt::format("tail risk needs at least 2 strategies with values, there are {}", n));
    }
    if (result.insufficient_pairs > 0) {
        result.warnings.push_back(fmt::format(
            "{} of {} pairs have no joint tail risk: fewer than {} shared days, or too few of them "
            "in the tail",
            result.insufficient_pairs, n * (n - 1) / 2, options.min_trading_days));
    }
    std::size_t missing = 0;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = i + 1; j < n; ++j) {
            missing += result.copula_correlation[i][j] ? 0U : 1U;
        }
    }
    if (missing > 0 && !result.eigenvalues.empty()) {
        result.warnings.push_back(fmt::format(
            "{} pairs have no copula correlation and count as 0 in the factor analysis", missing));
    }
    if (result.copula_repaired) {
        result.warnings.push_back(
            fmt::format("the copula matrix was not positive semi-definite (smallest eigenvalue "
                        "{:.4g}); {} is used, at a Frobenius distance of {:.4g}",
                        result.smallest_raw_eigenvalue,
                        result.repair_converged ? "the nearest correlation matrix (Higham 2002)"
                                                : "a correlation matrix near to it",
                        result.repair_distance));
    }
    for (std::size_t s = 0; s < n; ++s) {
        const auto own = static_cast<double>(result.shared_days[s][s]);
        const auto nominal = std::max(1.0, options.tail_threshold * own);
        if (static_cast<double>(result.tail_days[s]) > kCrowdedTail * nominal) {
            result.warnings.push_back(
                fmt::format("the tail of {} holds {} of {} days because its worst values are equal",
                            result.strategies[s], result.tail_days[s], result.shared_days[s][s]));
        }
    }
    if (set.trades_without_value > 0) {
        result.warnings.push_back(
            fmt::format("{} trades have no value under this normalization and date basis and are "
                        "left out",
                        set.trades_without_value));
    }
    if (set.non_finite > 0) {
        result.warnings.push_back(
            fmt::format("{} trades or days with a value beyond the range of numbers are left out",
                        set.non_finite));
    }
}

Result<void> check_options(const TailRiskOptions& options) {
    if (!(options.tail_threshold >= 0.01 && options.tail_threshold <= 0.5) ||
        !(options.variance_threshold >= 0.5 && options.variance_threshold <= 0.99) ||
        options.min_trading_days < 10) {
        return make_error(ErrorCode::kInvalidArgument,
                          "tailThreshold must be within 0.01 to 0.5, varianceThreshold within 0.5 "
                          "to 0.99, minTradingDays at least 10");
    }
    return {};
}

}  // namespace

TradeSet filter_tail_risk_reference(const TradeSet& trades, const ReferenceTailRiskFilter& filter) {
    const std::string ticker = ascii_lower(filter.ticker.value_or(""));
    TradeSet result;
    result.strategies = trades.strategies;
    result.text = trades.text;
    for (const Trade& trade : trades.trades) {
        const bool named = filter.strategies.empty() ||
                           std::find(filter.strategies.begin(), filter.strategies.end(),
                                     trades.strategies[trade.strategy]) != filter.strategies.end();
        const bool in_legs =
            ticker.empty() || ascii_lower(trade.legs).find(ticker) != std::string::npos;
        if (named && in_legs && filter.dates.contains(trade.date_opened)) {
            result.trades.push_back(trade);
        }
    }
    return result;
}

Result<TailRiskResult> tail_risk(const TradeSet& trades, const TailRiskOptions& options,
                                 Conventions conventions, const RunContext& context) {
    TB_RETURN_IF_ERROR(check_options(options));
    const bool reference = conventions == Conventions::kReference;
    const StrategySeriesSet set = strategy_series(
        trades, {options.normalization, options.date_basis, TimePeriod::kDaily}, conventions);
    const std::size_t n = set.series.size();
    if (n > kMaxTailRiskStrategies) {
        return make_error(ErrorCode::kResourceExhausted,
                          fmt::format("tail risk is limited to {} strategies, there are {}; use "
                                      "strategyFilter",
                                      kMaxTailRiskStrategies, n));
    }
    TailRiskResult result;
    for (const auto& series : set.series) {
        result.strategies.push_back(series.name);
    }
    const AlignedSeries aligned = align_series(set.series);
    result.shared_days.assign(n, std::vector<std::size_t>(n, 0));
    for (std::size_t i = 0; i < n; ++i) {
        result.shared_days[i][i] = set.series[i].periods.size();
    }
    result.tail_days.assign(n, 0);
    if (n >= 2 || !reference) {
        result.trading_days = aligned.periods.size();
    }
    if (!aligned.periods.empty() && (n >= 2 || !reference)) {
        result.first_day = Date(aligned.periods.front());
        result.last_day = Date(aligned.periods.back());
    }
    if (reference && (n < 2 || aligned.periods.size() < options.min_trading_days)) {
        make_neutral(result);
        return result;
    }

    const PairAnalyzer analyzer(aligned, options, conventions);
    OptionalMatrix empty(n, std::vector<std::optional<double>>(n));
    for (std::size_t i = 0; i < n; ++i) {
        empty[i][i] = 1;
        result.tail_days[i] = static_cast<std::size_t>(
            std::count(analyzer.tail(i).begin(), analyzer.tail(i).end(), char{1}));
    }
    result.joint_tail_risk = empty;
    result.copula_correlation = empty;
    TB_RETURN_IF_ERROR(parallel_for(
        context, {n, 1, "strategies", "comparing tails"}, [&](std::size_t begin, std::size_t end) {
            KendallScratch scratch;
            for (std::size_t i = begin; i < end; ++i) {
                for (std::size_t j = i + 1; j < n; ++j) {
                    const PairFigures pair = analyzer.figures(i, j, scratch);
                    result.shared_days[i][j] = result.shared_days[j][i] = pair.shared;
                    result.copula_correlation[i][j] = result.copula_correlation[j][i] = pair.copula;
                    result.joint_tail_risk[i][j] = pair.second_given_first;
                    result.joint_tail_risk[j][i] = pair.first_given_second;
                }
            }
        }));
    summarize_pairs(result, reference);
    bool any_copula = false;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = i + 1; j < n; ++j) {
            any_copula = any_copula || result.copula_correlation[i][j].has_value();
        }
    }
    std::vector<double> concentration;
    if (any_copula) {
        TB_TRY(concentration, analyze_factors(options, reference, context.cancel, result));
    }
    add_contributions(concentration, reference, result);
    add_warnings(set, options, result);
    return result;
}

}  // namespace tb::analytics
