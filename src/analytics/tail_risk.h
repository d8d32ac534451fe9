// How strategies lose together: joint tail probabilities and a Gaussian-copula factor analysis of
// daily P/L (get_tail_risk, 02 §4.8).
//
// The two conventions differ (kCorrect / kReference):
// - a pair is compared on days both traded, at least min_trading_days of them (I-39, I-40) /
//   tau and ranks count idle days as zero P/L, and min_trading_days is held against the union;
// - tail membership is decided on ranks (I-41) / on interpolated normal scores, which can lose a
//   whole group of equal losses to rounding;
// - too little data gives nullopt, a status and a warning / zeros and "low risk";
// - a copula matrix that is not positive semi-definite is replaced by the nearest correlation
//   matrix (Higham 2002, tail_risk_eigen.h) / used as it is, so that explained variance can exceed
//   1;
// - tail risk contributions add up to 100 % / do not.
//
// Thread-safe: tail_risk is pure and uses its own threads.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/correlation_series.h"
#include "analytics/filters.h"
#include "analytics/parallel.h"
#include "analytics/trade.h"
#include "core/result.h"

namespace tb::analytics {

inline constexpr std::size_t kMaxTailRiskStrategies = 300;

struct TailRiskOptions {
    double tail_threshold = 0.1;        // share of a strategy's days that is its tail; 0.01..0.5
    std::size_t min_trading_days = 30;  // >= 10
    Normalization normalization = Normalization::kRaw;
    DateBasis date_basis = DateBasis::kOpened;
    double variance_threshold = 0.8;  // explained share that counts as "all"; 0.5..0.99
};

enum class TailRiskStatus {
    kComplete,          // every pair has a figure
    kPartial,           // some pairs lack shared days or tail days and have none
    kInsufficientData,  // no pair has one
};

enum class TailRiskLevel { kLow, kModerate, kHigh };  // highest joint risk <= 0.3, <= 0.5, above

// Indices into TailRiskResult::strategies, first < second.
struct TailRiskPair {
    std::size_t first = 0;
    std::size_t second = 0;
    double value = 0;  // probability 0..1
};

struct TailRiskContribution {
    std::size_t strategy = 0;
    // Percent. w = 0.5 concentration + 0.5 avg_tail_dependence; kCorrect: 100 w / sum of all w, so
    // that the strategies with one add up to 100; kReference: 100 w. nullopt if a part is missing.
    std::optional<double> tail_risk_contribution;
    std::optional<double> concentration;        // |v1_i| / sum |v1|, share of the first factor
    std::optional<double> avg_tail_dependence;  // mean pair value with the others
};

using OptionalMatrix = std::vector<std::vector<std::optional<double>>>;

struct TailRiskResult {
    TailRiskStatus status = TailRiskStatus::kInsufficientData;
    std::vector<std::string> strategies;  // UTF-16 order; those with at least one value
    std::size_t trading_days = 0;         // union; kReference: 0 below two strategies
    std::optional<Date> first_day;
    std::optional<Date> last_day;
    std::vector<std::vector<std::size_t>> shared_days;  // diagonal = own days
    std::vector<std::size_t> tail_days;                 // days in each strategy's tail

    // [i][j] = P(j in tail | i in tail) on days both traded; diagonal 1; nullopt where i has fewer
    // than max(5, ceil(0.1 * tail_threshold * shared days)) tail days, or too few shared days.
    OptionalMatrix joint_tail_risk;
    // sin(pi * tau_b / 2), diagonal 1. kCorrect: nullopt for a pair with too few shared days or a
    // constant side; such a pair counts as 0 in the factor analysis. After a repair these are the
    // repaired values.
    OptionalMatrix copula_correlation;

    // Over pairs, each the mean of its two directions; nullopt if no pair has both. kReference:
    // then average and share are 0 and the pairs are nullopt (rendered as value 0, pair ["",""]).
    std::optional<TailRiskPair> highest;
    std::optional<TailRiskPair> lowest;
    std::optional<double> average;
    std::optional<double> high_risk_pairs_share;  // fraction of valid pairs above 0.5
    std::optional<TailRiskLevel> level;

    // Factor analysis of the copula matrix; empty / nullopt in kCorrect when no pair has a value.
    std::vector<double> eigenvalues;         // descending, sum = number of strategies
    std::vector<double> explained_variance;  // cumulative shares
    std::optional<std::size_t> effective_factors;
    double smallest_raw_eigenvalue = 0;  // before a repair; below 0 where one was needed
    bool copula_repaired = false;
    double repair_distance = 0;    // Frobenius norm of the change
    bool repair_converged = true;  // else the nearest matrix is approached only

    std::vector<TailRiskContribution> contributions;  // descending, undefined last
    std::size_t insufficient_directions = 0;          // ordered pairs without a joint risk
    std::size_t insufficient_pairs = 0;               // unordered pairs without a value
    std::vector<std::string> warnings;
};

// The reference's own filter for this tool (02 I-7): names compare case-sensitively, the ticker is
// looked for inside the text of the legs (without regard to case), dates are opening days. For
// kCorrect use filter_trades.
struct ReferenceTailRiskFilter {
    std::vector<std::string> strategies;  // empty = no filter
    std::optional<std::string> ticker;    // blank = no filter
    DateRange dates;
};
[[nodiscard]] TradeSet filter_tail_risk_reference(const TradeSet& trades,
                                                  const ReferenceTailRiskFilter& filter);

// `trades` is filtered already. kInvalidArgument: an option out of bounds; kResourceExhausted: more
// than kMaxTailRiskStrategies strategies; kInterrupted: cancelled.
[[nodiscard]] Result<TailRiskResult> tail_risk(const TradeSet& trades,
                                               const TailRiskOptions& options,
                                               Conventions conventions,
                                               const RunContext& context = {});

}  // namespace tb::analytics
