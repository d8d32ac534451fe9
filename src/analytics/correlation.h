// How the strategies of a block move together: the matrix of pairwise correlations
// (get_correlation_matrix, 02 §4.7).
//
// Thread-safe: correlation_matrix is pure and uses its own threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/correlation_series.h"
#include "analytics/parallel.h"
#include "analytics/trade.h"
#include "core/result.h"

namespace tb::analytics {

inline constexpr std::size_t kMaxCorrelationStrategies = 1000;

enum class CorrelationMethod {
    kKendall,   // tau-b; tau-a under kReference (02 I-20)
    kSpearman,  // Pearson of average ranks
    kPearson,
};

enum class Alignment {
    kShared,   // periods in which both strategies have a value
    kZeroPad,  // all periods of any strategy, missing = 0
};

struct CorrelationOptions {
    CorrelationMethod method = CorrelationMethod::kKendall;
    Alignment alignment = Alignment::kShared;
    SeriesOptions series;
    std::size_t min_samples = 10;      // shared periods a pair needs to enter the summary; >= 2
    double highlight_threshold = 0.7;  // |value| above it is listed; 0..1
};

// Two strategies by their index in CorrelationResult::strategies, first < second.
struct CorrelationPair {
    std::size_t first = 0;
    std::size_t second = 0;
    double value = 0;  // -1..1
    std::size_t sample_size = 0;
};

enum class UndefinedReason {
    kTooFewSamples,   // fewer than two common periods
    kConstantSeries,  // one side never changes (02 I-38); the reference calls that 0
};

struct UndefinedPair {
    std::size_t first = 0;
    std::size_t second = 0;
    UndefinedReason reason = UndefinedReason::kTooFewSamples;
};

struct CorrelationResult {
    std::size_t trades_analyzed = 0;      // trades given
    std::vector<std::string> strategies;  // UTF-16 order; those with at least one value
    // [i][j], symmetric, diagonal 1; nullopt where undefined (see undefined_pairs).
    std::vector<std::vector<std::optional<double>>> matrix;
    // Periods both traded, under either alignment; diagonal = own periods.
    std::vector<std::vector<std::size_t>> sample_sizes;
    // Over pairs with a value and sample size >= min_samples; nullopt if there are none.
    std::optional<double> average;
    std::optional<CorrelationPair> strongest;  // largest signed value, first on ties
    std::optional<CorrelationPair> weakest;    // smallest signed value, first on ties
    std::size_t insufficient_data_pairs = 0;   // all other pairs
    std::vector<CorrelationPair> highly_correlated;
    std::vector<UndefinedPair> undefined_pairs;
    std::vector<std::string> warnings;
};

// `trades` is filtered already. kInvalidArgument: fewer than two strategies among the trades, or an
// option out of its bounds; kResourceExhausted: more than kMaxCorrelationStrategies;
// kInterrupted: cancelled.
[[nodiscard]] Result<CorrelationResult> correlation_matrix(const TradeSet& trades,
                                                           const CorrelationOptions& options,
                                                           Conventions conventions,
                                                           const RunContext& context = {});

// Product-moment correlation sum(dx dy)/sqrt(sum dx^2 * sum dy^2), two passes; spans of equal
// length. nullopt below two values and for a constant side (deviation within rounding of zero);
// kReference gives 0 for a constant side or non-finite input. In kCorrect each side is scaled by
// its largest magnitude, so that 1e308 does not overflow.
[[nodiscard]] std::optional<double> pearson(std::span<const double> x, std::span<const double> y,
                                            Conventions conventions);

}  // namespace tb::analytics
