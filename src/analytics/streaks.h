// Winning and losing streaks, and the Wald-Wolfowitz runs test on them (02 §2.5, §2.8).
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/trade.h"

namespace tb::analytics {

// The three counters of the statistics: a result of zero ends both kinds of streak.
struct StreakCounts {
    std::int64_t max_win = 0;
    std::int64_t max_loss = 0;
    std::int64_t current = 0;  // +wins or -losses at the end, 0 after a break-even
};
[[nodiscard]] StreakCounts streak_counts(std::span<const double> pl);

// Streaks of a sequence in which everything but a profit is a loss.
struct StreakDistribution {
    std::map<std::int64_t, std::int64_t> wins;    // length -> how often
    std::map<std::int64_t, std::int64_t> losses;  // length -> how often
    std::int64_t max_win = 0;
    std::int64_t max_loss = 0;
    double avg_win = 0;  // mean length, 0 when there is none
    double avg_loss = 0;
};
[[nodiscard]] StreakDistribution streak_distribution(std::span<const double> pl);

enum class RunsPattern { kRandom, kClustered, kAlternating };
[[nodiscard]] const char* runs_pattern_name(RunsPattern pattern);  // "random", ...

// n1 profits, n0 others, n = n1+n0: E = 2 n1 n0/n + 1, Var = 2 n1 n0 (2 n1 n0 - n)/(n^2 (n-1)),
// z = (runs - E)/sqrt(Var) (0 if Var is 0). The p-value is two-sided by the normal law: erfc under
// kCorrect, the reference's approximation under kReference (02 I-19). Source: Wald and Wolfowitz
// 1940.
struct RunsTest {
    std::int64_t runs = 0;
    double expected_runs = 0;
    double z_score = 0;
    double p_value = 1;
    bool is_non_random = false;  // p < 0.05
    RunsPattern pattern = RunsPattern::kRandom;
    std::int64_t sample_size = 0;
    bool is_sufficient_sample = false;  // n >= 20
};
// nullopt when n < min_size or when one side is empty.
[[nodiscard]] std::optional<RunsTest> runs_test(std::span<const double> pl, std::int64_t min_size,
                                                Conventions conventions);
// One sentence for people.
[[nodiscard]] std::string runs_interpretation(const RunsTest& test);

}  // namespace tb::analytics
