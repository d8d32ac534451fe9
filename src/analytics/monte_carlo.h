// Monte Carlo simulation of an account by resampling its own history (run_monte_carlo, 02 §4.6).
//
// A pool of past results (per trade in dollars, per day in dollars, or per trade as a share of the
// account) is resampled with replacement into many paths, either entry by entry (iid) or in blocks
// of random length that keep the order of neighbours (stationary bootstrap, Politis and Romano
// 1994: at every step a new random position with probability 1/b, else the next entry, circular).
// Optionally synthetic worst-case losses are added.
//
// Every path has its own random stream keyed by (seed, path), so a result depends on the seed and
// the arguments only: not on the number of threads, and on the machine only through the C
// library's pow in the annualized figures.
//
// What kCorrect changes against the reference:
// - worst-case losses are off unless asked for, and figures without them always come along (I-34);
// - an account that reaches zero stays there: total and annualized return are -100 %, drawdown is
//   at most 100 % (I-36);
// - P/L is net of fees (I-17); the start capital is that of 02 §2.1 (I-56);
// - results are pooled in the order they were realized (realization.h), daily ones by the day they
//   were realized, and a year is measured from the first opening to the last realization;
// - daily resampling has its horizon and its year in days (I-48);
// - worst-case sizes: MaxLoss is converted from percent of premium, one-lot divides the loss
// (I-35);
// - Sharpe deducts the risk-free rate given by the caller and leaves out paths without dispersion;
//   value at risk is also given as a positive loss (I-53).
//
// Thread-safe: run_monte_carlo is pure and uses its own threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/parallel.h"
#include "analytics/statistics_types.h"
#include "analytics/trade.h"
#include "core/result.h"

namespace tb::analytics {

inline constexpr std::size_t kMinSimulations = 100;
inline constexpr std::size_t kMaxSimulations = 10'000;
inline constexpr std::size_t kMinSimulationLength = 10;
// A run looks at its cancel token between paths, so this bounds the work between two looks.
inline constexpr std::size_t kMaxSimulationLength = 1'000'000;
inline constexpr std::size_t kMaxSimulationSteps = 1'000'000'000;  // simulations * length
inline constexpr std::size_t kMinResampleWindow = 5;
inline constexpr std::size_t kMinMonteCarloTrades = 10;
inline constexpr std::size_t kMinPoolSize = 5;
inline constexpr std::size_t kMaxBandPoints = 200;

// Shares of the start capital whose loss is reported without being asked for.
inline constexpr std::array kRuinLevels = {0.1, 0.2, 0.3, 0.5, 0.75, 1.0};
// Levels of the drawdown's distribution over paths.
inline constexpr std::array kDrawdownLevels = {0.5, 0.75, 0.9, 0.95, 0.99};

enum class ResampleMethod {
    kTrades,      // dollars per trade, added
    kDaily,       // dollars per realization day (kReference: opening day), added
    kPercentage,  // P/L as a share of the account before the trade, compounded
};
enum class ResampleMode { kStationaryBlock, kIid };
enum class WorstCaseMode {
    kProbabilistic,  // every step is replaced with probability pct/100
    kGuarantee,      // exactly the budgeted number of steps, at random places
};
enum class WorstCaseSizing {
    kRelative,  // the loss as a share of the account of its time
    kAbsolute,  // the loss in dollars; not with kPercentage
};
enum class WorstCaseBasis {
    kSimulation,  // strategies share the losses equally
    kHistorical,  // in proportion to their trade counts
};

struct MonteCarloParameters {
    std::uint64_t seed = 0;
    std::size_t simulations = 1000;                // kMinSimulations..kMaxSimulations
    std::optional<std::size_t> simulation_length;  // steps; 10..kMaxSimulationLength. Default:
                                                   // number of trades (daily in kCorrect: of days)
    std::optional<std::size_t> resample_window;    // most recent pool entries; >= 5
    ResampleMethod method = ResampleMethod::kTrades;
    ResampleMode mode = ResampleMode::kStationaryBlock;
    std::optional<std::size_t> mean_block_length;  // >= 1; default max(1, round(cbrt(pool size)))
    std::optional<double> ruin_threshold;          // share of the start capital lost; (0, 1]
    // kCorrect: ruin is reported at kRuinLevels too.
    std::optional<double> initial_capital;     // dollars, > 0
    std::optional<double> historical_capital;  // dollars at the start of the history, > 0
    // kCorrect: what both default to where `trades` do not say it (a part of the block, a daily log
    // beside trades without funds); default 02 §2.1 over `trades`.
    std::optional<double> account_capital;
    std::optional<double> steps_per_year;    // >= 1; default steps / span days * 365, or 252
    bool normalize_to_one_lot = false;       // P/L divided by contracts
    std::optional<bool> include_worst_case;  // default: kCorrect no, kReference yes
    double worst_case_pct = 5;               // 0..100
    WorstCaseMode worst_case_mode = WorstCaseMode::kProbabilistic;
    WorstCaseSizing worst_case_sizing = WorstCaseSizing::kRelative;
    WorstCaseBasis worst_case_basis = WorstCaseBasis::kSimulation;
    double risk_free_annual_pct = 0;           // for Sharpe; ignored by kReference (there 0)
    std::size_t band_points = kMaxBandPoints;  // 0..kMaxBandPoints
};

// The parameters after defaults, as used.
struct MonteCarloSettings {
    std::uint64_t seed = 0;
    std::size_t simulations = 0;
    std::size_t simulation_length = 0;
    std::optional<std::size_t> resample_window;
    ResampleMethod method = ResampleMethod::kTrades;
    ResampleMode mode = ResampleMode::kStationaryBlock;
    std::optional<std::size_t> mean_block_length;  // nullopt for iid
    std::optional<double> ruin_threshold;
    double initial_capital = 0;
    std::optional<double> historical_capital;
    double steps_per_year = 0;
    bool normalize_to_one_lot = false;
    bool worst_case_enabled = false;
    double worst_case_pct = 0;  // 0 when disabled
    WorstCaseMode worst_case_mode = WorstCaseMode::kProbabilistic;
    WorstCaseSizing worst_case_sizing = WorstCaseSizing::kRelative;
    WorstCaseBasis worst_case_basis = WorstCaseBasis::kSimulation;
    double risk_free_annual_pct = 0;
    std::size_t pool_size = 0;  // after the window
};

// A figure with its sampling error. value is nullopt where it is undefined (a Note says why).
struct Estimate {
    std::optional<double> value;
    // Mean: s/sqrt(n). Share: sqrt(p(1-p)/n). Standard deviation: sqrt((m4 - s^4)/n)/(2s). Quantile
    // q: the rank of the order statistic is binomial with deviation h = sqrt(n*q*(1-q)), so the
    // error is h times the slope of the order statistics around it, (X(r+h) - X(r-h))/(2h) with r =
    // q*(n-1) and X linear between neighbours (David and Nagaraja 2003, Order Statistics 2.5).
    // kReference: half the distance of the whole ranks around n*q -+ h.
    std::optional<double> standard_error;
};

// Across paths. Returns and drawdowns are fractions.
struct MonteCarloStatistics {
    Estimate mean_final_value;  // dollars
    Estimate median_final_value;
    Estimate std_final_value;  // divisor n-1
    Estimate mean_total_return;
    Estimate median_total_return;
    // (1 + total return)^(steps per year / length) - 1. kReference: NaN below -100 %, which makes
    // mean and median undefined.
    Estimate mean_annualized_return;
    Estimate median_annualized_return;
    Estimate mean_max_drawdown;
    Estimate median_max_drawdown;
    // Mean over paths of mean/sd (n-1) of the period returns * sqrt(steps per year).
    Estimate mean_sharpe_ratio;
    Estimate probability_of_profit;  // share of paths with total return > 0
    Estimate zero_balance_paths;     // share of paths that touched zero
    Estimate probability_of_ruin;    // nullopt without ruin_threshold
    std::size_t paths_without_sharpe = 0;
};

// Quantiles of the cumulative return over all paths after `step` steps (1-based).
struct BandPoint {
    std::size_t step = 0;
    double p5 = 0;
    double p25 = 0;
    double p50 = 0;
    double p75 = 0;
    double p95 = 0;
};

struct MonteCarloOutcome {
    MonteCarloStatistics statistics;
    // Signed quantiles of the total return ("valueAtRisk" of the reference).
    Estimate return_p5;
    Estimate return_p10;
    Estimate return_p25;
    Estimate return_p50;
    Estimate return_p75;
    Estimate return_p95;
    // The loss not exceeded with 95 % (90 %) probability, as a positive share of the start capital;
    // 0 when the quantile is a gain.
    Estimate value_at_risk_95;
    Estimate value_at_risk_90;
    // Mean loss of the worst 5 % of paths, same sign rule as above but not cut at 0. Standard
    // error: sqrt((s^2 + (1-q)(mean - quantile)^2)/(nq)), s of the tail, q = 0.05 (Manistre and
    // Hancock 2005, Variance of the CTE Estimator).
    Estimate expected_shortfall_95;
    // Quantiles of the largest drawdown of a path, parallel to kDrawdownLevels; shares.
    std::array<Estimate, kDrawdownLevels.size()> max_drawdown;
    // Shares of paths that ever lost kRuinLevels of the start capital (kCorrect).
    std::array<Estimate, kRuinLevels.size()> ruin;
    std::vector<BandPoint> bands;  // at most band_points, evenly spaced, the last at the last step
};

struct WorstCaseLoss {
    std::string strategy;
    std::size_t entries = 0;  // synthetic losses of this strategy
    double loss_usd = 0;
    double loss_ratio = 0;  // share of the account
    double value = 0;       // what one entry adds to a path: dollars, or a return for kPercentage
};

struct MonteCarloResult {
    MonteCarloSettings settings;
    MonteCarloOutcome outcome;  // with worst-case losses if they are enabled
    // The same paths without worst-case losses; only when they are enabled, and in kCorrect (I-34).
    std::optional<MonteCarloOutcome> without_worst_case;
    std::vector<WorstCaseLoss> worst_case_losses;
    std::vector<Note> notes;  // for every absent figure
    std::vector<std::string> warnings;
};

// `trades` is filtered already (once: I-6). Start capital default: account_capital, else 02 §2.1
// over `trades`, or 100,000 with a warning if that is not positive. kInvalidArgument: fewer than 10
// trades, pool below 5, percentage with absolute sizing, a parameter out of bounds;
// kResourceExhausted: too many steps; kInterrupted: cancelled. What is out of bounds is found
// before paths are stored; what is stored of them (bands, and the steps of the paths under way)
// stays below 10^7 numbers.
[[nodiscard]] Result<MonteCarloResult> run_monte_carlo(const TradeSet& trades,
                                                       const MonteCarloParameters& parameters,
                                                       Conventions conventions,
                                                       const RunContext& context = {});

// The history itself in chronological order under the same arithmetic: the cumulative return after
// each pool entry. The line to draw into the fan of bands.
[[nodiscard]] Result<std::vector<double>> original_order_path(
    const TradeSet& trades, const MonteCarloParameters& parameters, Conventions conventions);

}  // namespace tb::analytics
