#include "analytics/monte_carlo.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "analytics/monte_carlo_path.h"
#include "analytics/monte_carlo_summary.h"
#include "analytics/monte_carlo_worst_case.h"
#include "analytics/numerics.h"
#include "analytics/realization.h"
#include "analytics/returns.h"

namespace tb::analytics {

namespace {

constexpr double kFallbackCapital = 100'000;
constexpr double kLeastCapital = 0.01;  // a cent: returns on less could leave the range of numbers
constexpr double kFallbackStepsPerYear = 252;
constexpr double kDaysPerYear = 365;
constexpr std::size_t kPathsPerChunk = 64;
// Fewer paths a chunk when they are long: between two chunks a run can be cancelled.
constexpr std::size_t kStepsPerChunk = 1'000'000;
// Steps of the paths that threads follow at the same time; each takes up to three numbers.
constexpr std::size_t kStepsUnderWay = 2'000'000;
static_assert(kMaxSimulations * kMaxBandPoints + 3 * kStepsUnderWay < 10'000'000);
static_assert(kMaxSimulationLength <= kStepsPerChunk && kMaxSimulationLength <= kStepsUnderWay);
constexpr std::size_t kSmallPool = 30;

struct Pool {
    std::vector<double> values;
    std::size_t steps = 0;  // entries before the window: what a year and the horizon count in
};

struct Setup {
    MonteCarloSettings settings;
    std::vector<double> pool;
    std::vector<std::string> warnings;
};

bool all_finite(std::span<const double> values) {
    return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

Result<void> check_parameters(const MonteCarloParameters& p) {
    const auto invalid = [](std::string message) {
        return make_error(ErrorCode::kInvalidArgument, std::move(message));
    };
    if (p.method == ResampleMethod::kPercentage &&
        p.worst_case_sizing == WorstCaseSizing::kAbsolute) {
        return invalid(
            "worstCaseSizing 'absolute' is not available with resampleMethod 'percentage': a "
            "dollar "
            "amount has no fixed share of a compounding account; use 'relative', or resample "
            "'trades' or 'daily'");
    }
    if (p.simulations < kMinSimulations || p.simulations > kMaxSimulations) {
        return invalid(fmt::format("numSimulations must be within {} to {}, not {}",
                                   kMinSimulations, kMaxSimulations, p.simulations));
    }
    if (p.simulation_length && *p.simulation_length < kMinSimulationLength) {
        return invalid(fmt::format("simulationLength must be at least {}", kMinSimulationLength));
    }
    if (p.simulation_length && *p.simulation_length > kMaxSimulationLength) {
        return invalid(fmt::format("simulationLength must be at most {}, not {}",
                                   kMaxSimulationLength, *p.simulation_length));
    }
    if (p.resample_window && *p.resample_window < kMinResampleWindow) {
        return invalid(fmt::format("resampleWindow must be at least {}", kMinResampleWindow));
    }
    if (p.mean_block_length && *p.mean_block_length < 1) {
        return invalid("meanBlockLength must be at least 1");
    }
    if (p.ruin_threshold && !(*p.ruin_threshold > 0 && *p.ruin_threshold <= 1)) {
        return invalid("ruinThresholdPct must be above 0 and at most 1 (a share)");
    }
    for (const auto& capital : {p.initial_capital, p.historical_capital}) {
        if (capital && !(*capital >= kLeastCapital && *capital <= kCapitalLimit)) {
            return invalid("initialCapital and historicalInitialCapital must be positive amounts");
        }
    }
    if (p.steps_per_year && !(*p.steps_per_year >= 1 && std::isfinite(*p.steps_per_year))) {
        return invalid("tradesPerYear must be at least 1");
    }
    if (!(p.worst_case_pct >= 0 && p.worst_case_pct <= 100)) {
        return invalid("worstCasePercentage must be within 0 to 100");
    }
    if (!(p.risk_free_annual_pct > -100 && p.risk_free_annual_pct <= 100)) {
        return invalid("the risk-free rate must be above -100 and at most 100 percent");
    }
    if (p.band_points > kMaxBandPoints) {
        return invalid(fmt::format("at most {} band points", kMaxBandPoints));
    }
    return {};
}

// Trades as realized; kReference: by opening day, inside a day they keep their order.
std::vector<const Trade*> in_order(const TradeSet& trades, Conventions conventions) {
    std::vector<const Trade*> order;
    if (conventions == Conventions::kCorrect) {
        for (const std::uint32_t index : realization_order(trades.trades)) {
            order.push_back(&trades.trades[index]);
        }
        return order;
    }
    for (const Trade& trade : trades.trades) {
        order.push_back(&trade);
    }
    std::stable_sort(order.begin(), order.end(), [](const Trade* a, const Trade* b) {
        return a->date_opened < b->date_opened;
    });
    return order;
}

double pool_pl(const Trade& trade, bool one_lot, Conventions conventions) {
    const double pl = conventions == Conventions::kCorrect ? trade.net_pl() : trade.pl;
    return one_lot && trade.contracts > 0 ? pl / trade.contracts : pl;
}

double default_capital(const TradeSet& trades, std::span<const Trade* const> order,
                       const MonteCarloParameters& p, Conventions conventions,
                       std::vector<std::string>& warnings) {
    double stated = 0;
    if (conventions == Conventions::kReference) {
        stated = order.front()->funds_at_close.value_or(0) - order.front()->pl;
    } else if (p.account_capital) {
        stated = *p.account_capital;
    } else {
        stated = initial_capital(trades.trades, {}, conventions).dollars.value_or(0);
    }
    if (stated >= kLeastCapital && stated <= kCapitalLimit) {
        return stated;
    }
    warnings.push_back(fmt::format(
        "the trades give no positive start capital; {:.0f} dollars are assumed", kFallbackCapital));
    return kFallbackCapital;
}

// Where the simulation starts and, for percentage returns, where the history did.
struct StartCapitals {
    double simulation = 0;
    double history = 0;
};

StartCapitals start_capitals(const TradeSet& trades, std::span<const Trade* const> order,
                             const MonteCarloParameters& p, Conventions conventions,
                             std::vector<std::string>& warnings) {
    const bool percentage = p.method == ResampleMethod::kPercentage;
    const bool reference = conventions == Conventions::kReference;
    std::optional<double> by_default;
    if (!p.initial_capital || (percentage && !p.historical_capital && !reference)) {
        by_default = default_capital(trades, order, p, conventions, warnings);
    }
    StartCapitals start;
    start.simulation = p.initial_capital ? *p.initial_capital : *by_default;
    if (percentage && p.historical_capital) {
        start.history = *p.historical_capital;
    } else if (percentage) {
        start.history =
            reference ? order.front()->funds_at_close.value_or(0) - order.front()->pl : *by_default;
    }
    return start;
}

Pool make_pool(std::span<const Trade* const> order, const MonteCarloParameters& p,
               double history_capital, Conventions conventions) {
    Pool pool;
    double capital = history_capital;
    const auto day = [&](const Trade& t) {
        return conventions == Conventions::kCorrect ? t.realized_on() : t.date_opened;
    };
    for (std::size_t i = 0; i < order.size(); ++i) {
        const double pl = pool_pl(*order[i], p.normalize_to_one_lot, conventions);
        switch (p.method) {
            case ResampleMethod::kTrades:
                pool.values.push_back(pl);
                break;
            case ResampleMethod::kDaily:
                if (i > 0 && day(*order[i]) == day(*order[i - 1])) {
                    pool.values.back() += pl;
                } else {
                    pool.values.push_back(pl);
                }
                break;
            case ResampleMethod::kPercentage:
                // Once the account is used up nothing more can be lost or won.
                pool.values.push_back(capital > 0 ? pl / capital : 0);
                capital += capital > 0 ? pl : 0;
                break;
        }
    }
    pool.steps = pool.values.size();
    return pool;
}

// From the first opening to the last realization; kReference: to the last opening.
std::int32_t days_spanned(std::span<const Trade* const> order, Conventions conventions) {
    Date first = order.front()->date_opened;
    Date last = first;
    for (const Trade* const t : order) {
        first = std::min(first, t->date_opened);
        last = std::max(last,
                        conventions == Conventions::kCorrect ? t->realized_on() : t->date_opened);
    }
    return last - first;
}

Result<Setup> prepare(const TradeSet& trades, const MonteCarloParameters& p,
                      Conventions conventions) {
    TB_RETURN_IF_ERROR(check_parameters(p));
    if (trades.trades.size() < kMinMonteCarloTrades) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("a simulation needs at least {} trades, the selection has {}",
                                      kMinMonteCarloTrades, trades.trades.size()));
    }
    Setup setup;
    MonteCarloSettings& s = setup.settings;
    const auto order = in_order(trades, conventions);
    s.seed = p.seed;
    s.simulations = p.simulations;
    s.resample_window = p.resample_window;
    s.method = p.method;
    s.mode = p.mode;
    s.ruin_threshold = p.ruin_threshold;
    s.historical_capital = p.historical_capital;
    s.normalize_to_one_lot = p.normalize_to_one_lot;
    const StartCapitals start = start_capitals(trades, order, p, conventions, setup.warnings);
    s.initial_capital = start.simulation;
    Pool pool = make_pool(order, p, start.history, conventions);
    const bool in_days = p.method == ResampleMethod::kDaily && conventions == Conventions::kCorrect;
    const std::size_t steps = in_days ? pool.steps : trades.trades.size();
    if (p.resample_window && *p.resample_window < pool.values.size()) {
        pool.values.erase(pool.values.begin(),
                          pool.values.end() - static_cast<std::ptrdiff_t>(*p.resample_window));
    }
    if (pool.values.size() < kMinPoolSize) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("the resample pool needs at least {} entries, it has {}",
                                      kMinPoolSize, pool.values.size()));
    }
    if (!all_finite(pool.values)) {
        return make_error(ErrorCode::kInvalidArgument,
                          "a profit or loss is beyond the range of numbers");
    }
    const std::int32_t span = days_spanned(order, conventions);
    s.steps_per_year = p.steps_per_year.value_or(
        span > 0 ? static_cast<double>(steps) / span * kDaysPerYear : kFallbackStepsPerYear);
    s.simulation_length = p.simulation_length.value_or(std::max(steps, kMinSimulationLength));
    if (s.simulation_length > kMaxSimulationLength) {
        return make_error(ErrorCode::kResourceExhausted,
                          fmt::format("the history has {} steps, a path at most {}: give "
                                      "simulationLength",
                                      s.simulation_length, kMaxSimulationLength));
    }
    if (s.simulation_length > kMaxSimulationSteps / s.simulations) {
        return make_error(ErrorCode::kResourceExhausted,
                          fmt::format("{} simulations of {} steps exceed the limit of {} steps",
                                      s.simulations, s.simulation_length, kMaxSimulationSteps));
    }
    s.pool_size = pool.values.size();
    if (p.mode == ResampleMode::kStationaryBlock) {
        const double root = round_half_up(std::cbrt(static_cast<double>(s.pool_size)));
        s.mean_block_length =
            p.mean_block_length.value_or(std::max<std::size_t>(1, static_cast<std::size_t>(root)));
    }
    s.worst_case_enabled = p.include_worst_case.value_or(conventions == Conventions::kReference);
    s.worst_case_pct = s.worst_case_enabled ? p.worst_case_pct : 0;
    s.worst_case_mode = p.worst_case_mode;
    s.worst_case_sizing = p.worst_case_sizing;
    s.worst_case_basis = p.worst_case_basis;
    s.risk_free_annual_pct = conventions == Conventions::kCorrect ? p.risk_free_annual_pct : 0;
    setup.pool = std::move(pool.values);
    return setup;
}

PathPlan make_plan(const Setup& setup, std::span<const double> worst_case,
                   Conventions conventions) {
    const MonteCarloSettings& s = setup.settings;
    PathPlan plan;
    plan.pool = setup.pool;
    plan.worst_case = worst_case;
    plan.worst_case_mode = s.worst_case_mode;
    plan.worst_case_pct = s.worst_case_pct;
    plan.iid = s.mode == ResampleMode::kIid;
    plan.mean_block_length = s.mean_block_length.value_or(1);
    plan.length = s.simulation_length;
    plan.seed = s.seed;
    plan.compounding = s.method == ResampleMethod::kPercentage;
    plan.absorb_at_zero = conventions == Conventions::kCorrect || plan.compounding;
    plan.initial_capital = s.initial_capital;
    plan.steps_per_year = s.steps_per_year;
    plan.risk_free_per_step = s.risk_free_annual_pct / 100 / s.steps_per_year;
    plan.zero_sharpe_without_dispersion = conventions == Conventions::kReference;
    if (s.ruin_threshold) {
        plan.ruin_level = s.initial_capital * (1 - *s.ruin_threshold);
    }
    return plan;
}

// At most `points` steps, evenly spaced, ending with the last.
std::vector<std::size_t> spread_steps(std::size_t length, std::size_t points) {
    const std::size_t count = std::min(length, points);
    std::vector<std::size_t> steps;
    for (std::size_t k = 1; k <= count; ++k) {
        steps.push_back(k * length / count);
    }
    return steps;
}

struct Simulated {
    std::vector<PathFigures> paths;
    std::vector<BandPoint> bands;
};

Result<Simulated> simulate(const PathSimulator& simulator, std::size_t simulations,
                           const RunContext& context) {
    const auto& steps = simulator.plan().band_steps;
    const std::size_t points = steps.size();
    Simulated result;
    result.paths.resize(simulations);
    std::vector<double> bands(points * simulations);  // [point][path]
    const std::size_t chunk =
        std::clamp<std::size_t>(kStepsPerChunk / simulator.plan().length, 1, kPathsPerChunk);
    RunContext bounded = context;
    bounded.threads = static_cast<unsigned>(
        std::min<std::size_t>(thread_count(context), kStepsUnderWay / simulator.plan().length));
    TB_RETURN_IF_ERROR(parallel_for(
        bounded, {simulations, chunk, "simulations", "simulating paths"},
        [&](std::size_t begin, std::size_t end) {
            PathBuffers buffers;
            // A chunk is transposed as a block: storing each path straight into its column would
            // touch a new cache line for every single value.
            std::vector<double> block(points * (end - begin));
            for (std::size_t path = begin; path < end; ++path) {
                const auto row = std::span(block).subspan((path - begin) * points, points);
                result.paths[path] = simulator.run(path, buffers, row);
            }
            for (std::size_t point = 0; point < points; ++point) {
                double* column = bands.data() + point * simulations;
                for (std::size_t path = begin; path < end; ++path) {
                    column[path] = block[(path - begin) * points + point];
                }
            }
        }));
    result.bands.resize(points);
    TB_RETURN_IF_ERROR(parallel_for(
        {context.threads, context.cancel, {}}, {points, 4, "points", "ranking paths"},
        [&](std::size_t begin, std::size_t end) {
            for (std::size_t point = begin; point < end; ++point) {
                const auto column = std::span(bands).subspan(point * simulations, simulations);
                result.bands[point] = band_point(column, steps[point]);
            }
        }));
    return result;
}

Result<MonteCarloOutcome> outcome_of(const Setup& setup, std::span<const double> worst_case,
                                     std::size_t band_points, Conventions conventions,
                                     const RunContext& context, const std::string& prefix,
                                     MonteCarloResult& result) {
    PathPlan plan = make_plan(setup, worst_case, conventions);
    plan.band_steps = spread_steps(plan.length, band_points);
    const PathSimulator simulator(std::move(plan));
    TB_TRY(Simulated simulated, simulate(simulator, setup.settings.simulations, context));
    MonteCarloOutcome outcome =
        summarize_paths(simulated.paths, setup.settings, conventions, prefix, result.notes);
    outcome.bands = std::move(simulated.bands);
    const auto saturated = std::count_if(simulated.paths.begin(), simulated.paths.end(),
                                         [](const PathFigures& p) { return p.saturated; });
    if (saturated > 0) {
        result.warnings.push_back(
            fmt::format("{} paths were held at a capital of {:g} dollars, the largest the "
                        "simulation follows",
                        saturated, kCapitalLimit));
    }
    return outcome;
}

// Progress of the `part`-th of `parts` equal simulations as part of the whole.
RunContext part_of(const RunContext& context, std::uint64_t part, std::uint64_t parts) {
    if (!context.progress || parts == 1) {
        return context;
    }
    RunContext scaled = context;
    scaled.progress = [&context, part, parts](const Progress& p) {
        Progress whole = p;
        whole.done += part * p.total;
        whole.total *= parts;
        context.progress(whole);
    };
    return scaled;
}

}  // namespace

Result<MonteCarloResult> run_monte_carlo(const TradeSet& trades,
                                         const MonteCarloParameters& parameters,
                                         Conventions conventions, const RunContext& context) {
    TB_TRY(Setup setup, prepare(trades, parameters, conventions));
    MonteCarloResult result;
    result.settings = setup.settings;
    result.warnings = setup.warnings;
    std::vector<double> worst_case;
    if (setup.settings.worst_case_enabled) {
        result.worst_case_losses = worst_case_losses(trades, setup.settings, conventions);
        worst_case = worst_case_values(result.worst_case_losses);
        if (!all_finite(worst_case)) {
            return make_error(ErrorCode::kInvalidArgument,
                              "a worst-case loss is beyond the range of numbers");
        }
        if (worst_case.empty()) {
            result.warnings.emplace_back("no strategy has a loss to build worst cases from");
        }
    }
    const bool both = conventions == Conventions::kCorrect && !worst_case.empty();
    const std::uint64_t parts = both ? 2 : 1;
    TB_TRY(result.outcome, outcome_of(setup, worst_case, parameters.band_points, conventions,
                                      part_of(context, 0, parts), "", result));
    if (conventions == Conventions::kCorrect) {
        if (both) {
            TB_TRY(result.without_worst_case,
                   outcome_of(setup, {}, parameters.band_points, conventions,
                              part_of(context, 1, parts), "withoutWorstCase.", result));
            result.warnings.emplace_back(
                "the main figures contain synthetic worst-case losses; withoutWorstCase holds the "
                "same paths without them");
        }
        if (setup.settings.pool_size < kSmallPool) {
            result.warnings.push_back(
                fmt::format("the pool holds only {} results: the simulation can show nothing that "
                            "is not in them",
                            setup.settings.pool_size));
        }
    }
    return result;
}

Result<std::vector<double>> original_order_path(const TradeSet& trades,
                                                const MonteCarloParameters& parameters,
                                                Conventions conventions) {
    TB_TRY(Setup setup, prepare(trades, parameters, conventions));
    PathPlan plan = make_plan(setup, {}, conventions);
    plan.length = setup.pool.size();
    plan.band_steps = spread_steps(plan.length, plan.length);
    std::vector<double> path(plan.length);
    PathBuffers buffers;
    [[maybe_unused]] const PathFigures figures =
        PathSimulator(std::move(plan)).follow(setup.pool, buffers, path);
    return path;
}

}  // namespace tb::analytics
