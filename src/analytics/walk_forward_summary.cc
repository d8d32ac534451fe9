#include "analytics/walk_forward_summary.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

constexpr double kStableVariation = 0.3;

struct Targets {
    std::vector<double> in_sample;
    std::vector<double> out_of_sample;  // finite ones only
    // The same in a unit that does not depend on the length of the stretch.
    std::vector<double> comparable_in;
    std::vector<double> comparable_out;
};

Targets collect_targets(const WalkForwardOptions& options, Conventions conventions,
                        const WalkForwardResult& result) {
    const bool per_day =
        conventions == Conventions::kCorrect && options.target == WalkForwardTarget::kNetPl;
    Targets targets;
    for (const WalkForwardPeriod& period : result.periods) {
        const double is_days = per_day ? result.in_sample_days : 1;
        const double oos_days =
            per_day ? std::max(1.0, result.out_of_sample_days * period.out_of_sample_coverage) : 1;
        targets.in_sample.push_back(period.target_in_sample);
        targets.comparable_in.push_back(period.target_in_sample / is_days);
        if (period.target_out_of_sample) {
            targets.out_of_sample.push_back(*period.target_out_of_sample);
            targets.comparable_out.push_back(*period.target_out_of_sample / oos_days);
        }
    }
    return targets;
}

std::vector<double> values_of(const WalkForwardResult& result, std::size_t parameter) {
    std::vector<double> values;
    for (const WalkForwardPeriod& period : result.periods) {
        values.push_back(period.parameters[parameter]);
    }
    return values;
}

// 1 - coefficient of variation, clamped to [0,1], averaged over the parameters.
std::optional<double> parameter_stability(const WalkForwardResult& result,
                                          Conventions conventions) {
    const bool undefined = result.periods.size() < 2 || result.parameter_names.empty();
    if (undefined && conventions == Conventions::kCorrect) {
        return std::nullopt;
    }
    if (result.periods.empty()) {
        return 0;
    }
    if (undefined) {
        return 1;
    }
    double sum = 0;
    for (std::size_t p = 0; p < result.parameter_names.size(); ++p) {
        const std::vector<double> values = values_of(result, p);
        const double center = mean(values).value_or(0);
        const double sd = sample_sd(values).value_or(0);
        sum += 1 - std::min(center == 0 ? sd : std::fabs(sd / center), 1.0);
    }
    return std::clamp(sum / static_cast<double>(result.parameter_names.size()), 0.0, 1.0);
}

std::vector<RecommendedParameter> recommend(const WalkForwardResult& result) {
    std::vector<RecommendedParameter> recommended;
    if (result.periods.empty()) {
        return recommended;
    }
    for (std::size_t p = 0; p < result.parameter_names.size(); ++p) {
        const std::vector<double> values = values_of(result, p);
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        const double center = mean(values).value_or(0);
        const double sd = population_sd(values).value_or(0);
        const double variation = center == 0 ? 0 : sd / std::fabs(center);
        recommended.push_back({result.parameter_names[p], round_fixed(center, 3),
                               round_fixed(*low, 3), round_fixed(*high, 3),
                               variation < kStableVariation});
    }
    return recommended;
}

Rating rate(double percent, double good, double moderate) {
    return percent >= good       ? Rating::kGood
           : percent >= moderate ? Rating::kModerate
                                 : Rating::kConcerning;
}

int points(Rating rating) {
    return rating == Rating::kGood ? 2 : rating == Rating::kModerate ? 1 : 0;
}

std::string why_no_verdict(const WalkForwardResult& result) {
    if (result.periods.size() < kFewestVerdictWindows) {
        return fmt::format("no verdict: {} of the {} windows that are needed could be evaluated",
                           result.periods.size(), kFewestVerdictWindows);
    }
    if (result.combinations < 2) {
        return "no verdict: nothing was optimized; give parameterRanges with several values";
    }
    return {};
}

bool lost_out_of_sample(const WalkForwardResult& result) {
    CompensatedSum net;
    for (const WalkForwardPeriod& period : result.periods) {
        net.add(period.out_of_sample_net_pl);
    }
    return net.value() < 0 || result.summary.comparable_out_of_sample.value_or(0) < 0;
}

WalkForwardVerdict judge(const WalkForwardResult& result, Conventions conventions) {
    const WalkForwardSummary& summary = result.summary;
    const bool correct = conventions == Conventions::kCorrect;
    WalkForwardVerdict verdict;
    if (correct) {
        verdict.reason = why_no_verdict(result);
        if (!verdict.reason.empty()) {
            return verdict;
        }
    }
    if (summary.degradation_factor) {
        verdict.efficiency = rate(100 * *summary.degradation_factor, 80, 60);
    }
    verdict.stability = rate(100 * summary.parameter_stability.value_or(0), 70, 50);
    verdict.consistency = rate(100 * summary.consistency_score.value_or(0), 70, 50);
    const int total = points(verdict.efficiency.value_or(Rating::kConcerning)) +
                      points(*verdict.stability) + points(*verdict.consistency);
    verdict.overall = rate(total, 5, 3);
    if (correct && lost_out_of_sample(result)) {
        verdict.overall = Rating::kConcerning;
        verdict.reason = "the out-of-sample result is negative";
    }
    return verdict;
}

void summarize_diversification(WalkForwardResult& result) {
    std::vector<double> correlation;
    std::vector<double> tail;
    std::vector<double> factors;
    for (const WalkForwardPeriod& period : result.periods) {
        if (!period.diversification) {
            continue;
        }
        if (period.diversification->avg_correlation) {
            correlation.push_back(*period.diversification->avg_correlation);
        }
        if (period.diversification->avg_tail_dependence) {
            tail.push_back(*period.diversification->avg_tail_dependence);
        }
        factors.push_back(period.diversification->effective_factors);
    }
    result.summary.avg_correlation = mean(correlation);
    result.summary.avg_tail_dependence = mean(tail);
    result.summary.avg_effective_factors = mean(factors);
}

void fill_efficiency(const Targets& targets, Conventions conventions, WalkForwardResult& result) {
    WalkForwardSummary& summary = result.summary;
    const bool reference = conventions == Conventions::kReference;
    summary.avg_in_sample = mean(targets.in_sample);
    summary.avg_out_of_sample = mean(targets.out_of_sample);
    const auto is = mean(targets.comparable_in);
    const auto oos = mean(targets.comparable_out);
    summary.comparable_in_sample = is;
    summary.comparable_out_of_sample = oos;
    if (is && oos) {
        summary.performance_delta = *oos - *is;
    }
    if (reference) {
        summary.avg_in_sample = summary.avg_in_sample.value_or(0);
        summary.avg_out_of_sample = summary.avg_out_of_sample.value_or(0);
        summary.degradation_factor =
            *summary.avg_in_sample == 0 ? 0 : *summary.avg_out_of_sample / *summary.avg_in_sample;
    } else if (is && oos && *is > 0) {
        summary.degradation_factor = *oos / *is;
    }
    // Sums of very large targets can overflow; such a figure is absent, not infinite.
    for (auto* figure : {&summary.avg_in_sample, &summary.avg_out_of_sample,
                         &summary.performance_delta, &summary.degradation_factor,
                         &summary.comparable_in_sample, &summary.comparable_out_of_sample}) {
        if (*figure && !std::isfinite(**figure)) {
            figure->reset();
        }
    }
    if (!summary.avg_in_sample) {
        result.notes.push_back({"avgInSamplePerformance", "no window could be evaluated"});
    }
    if (!summary.avg_out_of_sample) {
        result.notes.push_back(
            {"avgOutOfSamplePerformance", "no window has a finite out-of-sample target"});
    }
    if (!summary.performance_delta) {
        result.notes.push_back({"performanceDelta", "needs targets on both sides"});
    }
    if (!summary.degradation_factor) {
        result.notes.push_back({"degradationFactor, robustnessScore, verdict.efficiency",
                                !is || !oos
                                    ? "needs targets on both sides"
                                    : "undefined unless the mean in-sample target is positive"});
    }
}

}  // namespace

void summarize_walk_forward(const WalkForwardOptions& options, Conventions conventions,
                            WalkForwardResult& result) {
    fill_efficiency(collect_targets(options, conventions, result), conventions, result);
    WalkForwardSummary& summary = result.summary;
    summary.parameter_stability = parameter_stability(result, conventions);
    const auto consistent = std::count_if(result.periods.begin(), result.periods.end(),
                                          [](const WalkForwardPeriod& p) { return p.consistent; });
    if (!result.periods.empty()) {
        summary.consistency_score =
            static_cast<double>(consistent) / static_cast<double>(result.periods.size());
    } else if (conventions == Conventions::kReference) {
        summary.consistency_score = 0;
    }
    if (summary.degradation_factor && summary.parameter_stability && summary.consistency_score) {
        summary.robustness_score = (std::clamp(*summary.degradation_factor, 0.0, 2.0) / 2 +
                                    *summary.parameter_stability + *summary.consistency_score) /
                                   3;
    }
    if (!summary.parameter_stability) {
        result.notes.push_back(
            {"parameterStability, robustnessScore", "needs two windows and a parameter to choose"});
    }
    result.verdict = judge(result, conventions);
    if (!result.verdict.reason.empty()) {
        result.notes.push_back({"verdict", result.verdict.reason});
    }
    result.recommended = recommend(result);
    if (options.diversification.enabled()) {
        summarize_diversification(result);
    }
}

}  // namespace tb::analytics
