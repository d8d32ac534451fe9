// Walk-forward analysis: choose sizing parameters on one stretch of history, apply them to the next
// one, slide on (run_walk_forward, 02 §4.5).
//
// A window is an in-sample stretch (IS) followed by an out-of-sample one (OOS). Every combination
// of the parameter grid scales the IS trades; the admissible one with the best target figure is
// applied to the OOS trades. Scaling is linear, so a combination costs one pass over vectors.
//
// What kCorrect changes against the reference:
// - trades belong to a window by the day their result is realized, so that no result known only
//   later enters a fit (I-58); overlapping OOS stretches are flagged;
// - an OOS stretch must lie within the data, min_oos_coverage of it (I-30);
// - efficiency is undefined unless the mean IS target is positive, net P/L is compared per day, and
//   the difference OOS - IS is given too (I-31);
// - a window is consistent if its OOS net P/L is positive (and profit factor above 1) (I-32);
// - one-lot normalization is applied, margin included (I-28); IS or OOS days given alone imply the
//   other by the window counts (I-29);
// - where no length is given, the history is divided so that kDefaultWindows out-of-sample
// stretches
//   of oos parts each follow one in-sample stretch of is parts: a part is days / (is + 5 oos), the
//   step one out-of-sample stretch; the reference divides by is + oos, which leaves one window;
// - a verdict needs evidence (WalkForwardVerdict);
// - chosen parameters and reasons of skipped windows are returned (I-33); unknown parameter names
//   are refused, and risk limits are constraints instead of axes: the loosest value of the range
//   applies, since a tighter one can only exclude (I-51); floors at or below 0 are honoured (I-52);
//   a combination must keep the minimum of trades (I-59); targets that differ by rounding only are
//   equal, and the first of them in grid order is chosen;
// - P/L is net in every test (I-17); figures follow kCorrect of statistics.h; the start capital of
// a
//   window is the block's plus what was realized before it.
//
// Thread-safe: run_walk_forward is pure and uses its own threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analytics/correlation.h"
#include "analytics/parallel.h"
#include "analytics/rates.h"
#include "analytics/statistics_types.h"
#include "analytics/trade.h"
#include "core/result.h"

namespace tb::analytics {

inline constexpr std::size_t kMaxWalkForwardCombinations = 20'000;
inline constexpr std::size_t kMinWalkForwardTrades = 20;
inline constexpr std::size_t kMaxWalkForwardWindows = 20'000;

enum class WalkForwardTarget {
    kNetPl,  // dollars
    kProfitFactor,
    kSharpeRatio,
    kSortinoRatio,
    kCalmarRatio,
    kCagr,        // percent a year
    kAvgDailyPl,  // dollars
    kWinRate,     // fraction
};

// One axis of the grid: min, min+step, ... and max, each rounded to 6 decimals. Names:
//   kellyMultiplier, fixedFractionPct (/2), fixedContracts (/ mean contracts of the IS trades):
//     factors of all P/L, ignored where not positive;
//   strategy:<name>: weight of one strategy, negative = 0 = left out;
//   maxDrawdownPct, maxDailyLossPct, consecutiveLossLimit: limits a combination must keep.
struct ParameterRange {
    std::string name;
    double min = 0;
    double max = 0;
    double step = 1;
};

struct DiversificationOptions {
    bool limit_correlation = false;
    double max_correlation = 0.7;  // 0..1
    CorrelationMethod method = CorrelationMethod::kKendall;
    bool limit_tail_risk = false;
    double max_tail_dependence = 0.5;  // 0..1
    double tail_threshold = 0.1;       // 0.01..0.5
    Normalization normalization = Normalization::kRaw;
    DateBasis date_basis = DateBasis::kOpened;
    [[nodiscard]] bool enabled() const { return limit_correlation || limit_tail_risk; }
};

struct WalkForwardOptions {
    std::int32_t is_window_count = 5;                // >= 2
    std::int32_t oos_window_count = 1;               // >= 1
    std::optional<std::int32_t> in_sample_days;      // >= 7
    std::optional<std::int32_t> out_of_sample_days;  // >= 1
    std::optional<std::int32_t> step_days;           // >= 1
    WalkForwardTarget target = WalkForwardTarget::kSharpeRatio;
    std::size_t min_in_sample_trades = 10;     // >= 5
    std::size_t min_out_of_sample_trades = 3;  // >= 1
    bool normalize_to_one_lot = false;
    std::optional<double> min_sharpe_ratio;
    std::optional<double> min_profit_factor;  // >= 0
    bool require_positive_net_pl = false;
    DiversificationOptions diversification;
    std::vector<ParameterRange> parameter_ranges;  // in the order given; the last varies fastest
    RiskFreeRates rates;
    // kCorrect only: the account's start capital where `trades` do not say it (a part of the block,
    // a daily log beside trades without funds); default 02 §2.1 over `trades`, else 100,000 with a
    // warning.
    std::optional<double> initial_capital;
    double min_oos_coverage = 0.9;  // kCorrect only: share of OOS days up to the last day of data
};

// All days inclusive.
struct WalkForwardWindow {
    Date in_sample_start;
    Date in_sample_end;
    Date out_of_sample_start;
    Date out_of_sample_end;
};

// Of the OOS trades as scaled, which must be of two strategies at least; nullopt where no pair has
// a figure (kReference: 0).
struct DiversificationMetrics {
    std::optional<double> avg_correlation;
    std::optional<double> max_correlation;
    std::string max_correlation_first;  // names of the pair, empty if there is none
    std::string max_correlation_second;
    std::optional<double>
        avg_tail_dependence;  // 0 without the tail constraint, as in the reference
    std::optional<double> max_tail_dependence;
    std::string max_tail_first;
    std::string max_tail_second;
    double effective_factors = 0;
    double high_risk_pairs_share = 0;  // fraction
    std::size_t insufficient_tail_pairs = 0;
    std::size_t total_pairs = 0;
};

struct WalkForwardPeriod {
    WalkForwardWindow window;
    std::size_t in_sample_trades = 0;
    std::size_t out_of_sample_trades = 0;
    double out_of_sample_coverage = 1;           // share of its days up to the last day of data
    double target_in_sample = 0;                 // always finite
    std::optional<double> target_out_of_sample;  // nullopt: undefined, or infinite
    bool target_out_of_sample_infinite = false;  // profit factor without a loss
    double out_of_sample_net_pl = 0;             // dollars, as scaled
    bool consistent = false;
    std::vector<double> parameters;  // chosen, parallel to WalkForwardResult::parameter_names
    std::optional<DiversificationMetrics> diversification;  // with a constraint on
};

enum class SkipReason {
    kTooFewInSampleTrades,
    kTooFewOutOfSampleTrades,
    kOutOfSampleNotCovered,    // kCorrect: the data ends inside the OOS stretch
    kNoAdmissibleCombination,  // every combination broke a limit, floor or had no finite target
};

struct SkippedWindow {
    WalkForwardWindow window;
    SkipReason reason = SkipReason::kTooFewInSampleTrades;
    std::size_t in_sample_trades = 0;
    std::size_t out_of_sample_trades = 0;
};

enum class Rating { kGood, kModerate, kConcerning };

// A judgement needs evidence. kCorrect: none (all nullopt, with the reason) below
// kFewestVerdictWindows evaluated windows or when there was nothing to choose from; kConcerning
// overall when the out-of-sample stretches lost money together or their mean target is negative.
struct WalkForwardVerdict {
    std::optional<Rating> overall;
    std::optional<Rating> efficiency;  // nullopt: efficiency undefined; counts no points
    std::optional<Rating> stability;
    std::optional<Rating> consistency;
    std::string reason;  // why there is none, or what alone decided it; else empty
};
inline constexpr std::size_t kFewestVerdictWindows = 3;
// Out-of-sample stretches the history is divided for where no length is given (kCorrect).
inline constexpr std::int32_t kDefaultWindows = 5;

struct RecommendedParameter {
    std::string name;
    double value = 0;  // mean over the windows, 3 decimals
    double min = 0;
    double max = 0;
    bool stable = false;  // population sd / |mean| < 0.3
};

struct WalkForwardSummary {
    std::optional<double> avg_in_sample;  // means of the finite targets; kReference: 0 for none
    std::optional<double> avg_out_of_sample;
    // OOS / IS. kReference: 0 when IS is 0. kCorrect: per day for net P/L; nullopt unless IS > 0.
    std::optional<double> degradation_factor;
    std::optional<double> performance_delta;  // OOS - IS, in the unit of degradation_factor's parts
    // The two parts: the means above or, in kCorrect for net P/L, means per day of the stretch.
    std::optional<double> comparable_in_sample;
    std::optional<double> comparable_out_of_sample;
    // 0..1; kCorrect: nullopt below two windows or without a parameter.
    std::optional<double> parameter_stability;
    std::optional<double> consistency_score;  // 0..1 of evaluated windows; kCorrect: nullopt for 0
    std::optional<double> robustness_score;   // mean of clamp(degradation,0,2)/2 and the two above
    std::optional<double> avg_correlation;    // over windows with diversification figures
    std::optional<double> avg_tail_dependence;
    std::optional<double> avg_effective_factors;
};

struct WalkForwardResult {
    std::int32_t in_sample_days = 0;  // as used
    std::int32_t out_of_sample_days = 0;
    std::int32_t step_days = 0;
    std::size_t analyzed_trades = 0;
    std::size_t combinations = 1;  // grid size
    std::size_t total_windows = 0;
    bool out_of_sample_overlaps = false;       // step < OOS days: windows are not independent
    std::vector<std::string> parameter_names;  // axes, in order
    std::vector<WalkForwardPeriod> periods;    // evaluated windows
    std::vector<SkippedWindow> skipped;
    WalkForwardSummary summary;
    WalkForwardVerdict verdict;
    std::vector<RecommendedParameter> recommended;
    std::vector<Note> notes;
    std::vector<std::string> warnings;
};

// `trades` is filtered already. kInvalidArgument: fewer than 20 trades, an option out of bounds, a
// bad range, in kCorrect an unknown parameter; kResourceExhausted: more than 20,000 combinations or
// windows, or more strategies than a diversification limit can compare (found before anything is
// built); kInterrupted: cancelled (looked at before each combination and each pair of strategies).
[[nodiscard]] Result<WalkForwardResult> run_walk_forward(const TradeSet& trades,
                                                         const WalkForwardOptions& options,
                                                         Conventions conventions,
                                                         const RunContext& context = {});

}  // namespace tb::analytics
