#include "analytics/streaks.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analytics/numerics.h"

namespace tb::analytics {

StreakCounts streak_counts(std::span<const double> pl) {
    StreakCounts counts;
    for (const double p : pl) {
        if (p > 0) {
            counts.current = std::max<std::int64_t>(counts.current, 0) + 1;
            counts.max_win = std::max(counts.max_win, counts.current);
        } else if (p < 0) {
            counts.current = std::min<std::int64_t>(counts.current, 0) - 1;
            counts.max_loss = std::max(counts.max_loss, -counts.current);
        } else {
            counts.current = 0;
        }
    }
    return counts;
}

StreakDistribution streak_distribution(std::span<const double> pl) {
    StreakDistribution result;
    for (std::size_t i = 0; i < pl.size();) {
        const bool win = pl[i] > 0;
        std::size_t end = i + 1;
        while (end < pl.size() && (pl[end] > 0) == win) {
            ++end;
        }
        ++(win ? result.wins : result.losses)[static_cast<std::int64_t>(end - i)];
        i = end;
    }
    const auto summarize = [](const std::map<std::int64_t, std::int64_t>& lengths,
                              std::int64_t& longest, double& average) {
        std::int64_t total = 0;
        std::int64_t count = 0;
        for (const auto& [length, times] : lengths) {
            longest = std::max(longest, length);
            total += length * times;
            count += times;
        }
        average = count == 0 ? 0 : static_cast<double>(total) / static_cast<double>(count);
    };
    summarize(result.wins, result.max_win, result.avg_win);
    summarize(result.losses, result.max_loss, result.avg_loss);
    return result;
}

const char* runs_pattern_name(RunsPattern pattern) {
    switch (pattern) {
        case RunsPattern::kClustered:
            return "clustered";
        case RunsPattern::kAlternating:
            return "alternating";
        case RunsPattern::kRandom:
            break;
    }
    return "random";
}

std::optional<RunsTest> runs_test(std::span<const double> pl, std::int64_t min_size,
                                  Conventions conventions) {
    RunsTest test;
    test.sample_size = static_cast<std::int64_t>(pl.size());
    double wins = 0;
    for (std::size_t i = 0; i < pl.size(); ++i) {
        wins += pl[i] > 0 ? 1 : 0;
        test.runs += i == 0 || (pl[i] > 0) != (pl[i - 1] > 0) ? 1 : 0;
    }
    const auto n = static_cast<double>(pl.size());
    const double others = n - wins;
    if (test.sample_size < min_size || wins == 0 || others == 0) {
        return std::nullopt;
    }
    const double twice = 2 * wins * others;
    test.expected_runs = twice / n + 1;
    const double variance = twice * (twice - n) / (n * n * (n - 1));
    if (variance > 0) {
        test.z_score = (static_cast<double>(test.runs) - test.expected_runs) / std::sqrt(variance);
    }
    test.p_value = normal_p_two_sided(test.z_score, conventions);
    test.is_non_random = test.p_value < 0.05;
    if (test.is_non_random) {
        test.pattern = static_cast<double>(test.runs) < test.expected_runs
                           ? RunsPattern::kClustered
                           : RunsPattern::kAlternating;
    }
    test.is_sufficient_sample = test.sample_size >= 20;
    return test;
}

std::string runs_interpretation(const RunsTest& test) {
    const std::string base = fmt::format("{} runs where {:.1f} are expected (p = {:.4f})",
                                         test.runs, test.expected_runs, test.p_value);
    std::string text;
    switch (test.pattern) {
        case RunsPattern::kRandom:
            text = base + ": no sign that a result depends on the one before.";
            break;
        case RunsPattern::kClustered:
            text = base + ": wins and losses come in clusters.";
            break;
        case RunsPattern::kAlternating:
            text = base + ": wins and losses alternate more than chance would.";
            break;
    }
    return test.is_sufficient_sample ? text : text + " Fewer than 20 trades: weak evidence.";
}

}  // namespace tb::analytics
