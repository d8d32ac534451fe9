#include "analytics/walk_forward.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "analytics/equity.h"
#include "analytics/numerics.h"
#include "analytics/returns.h"
#include "analytics/tail_risk.h"
#include "analytics/walk_forward_grid.h"
#include "analytics/walk_forward_segment.h"
#include "analytics/walk_forward_summary.h"

namespace tb::analytics {

namespace {

constexpr double kFallbackCapital = 100'000;
// Combinations one task tries: large enough to pay for preparing the window's trades.
constexpr std::size_t kCombinationsPerTask = 256;
constexpr double kUndefinedTarget = -std::numeric_limits<double>::infinity();

struct Sizes {
    std::int32_t in_sample = 0;
    std::int32_t out_of_sample = 0;
    std::int32_t step = 0;
};

// The data of one call, shared read-only by all threads.
struct Analysis {
    const WalkForwardOptions& options;
    Conventions conventions;
    ParameterGrid grid;
    std::vector<Trade> trades;  // LOAD order, one-lot if asked
    const std::vector<std::string>& strategies;
    double start_capital = 0;
    // Trades by the day they belong to, so that a window costs its own trades only.
    std::vector<std::uint32_t> by_day;  // indices, LOAD order within a day
    std::vector<Date> days;             // of by_day
    std::vector<double> balance;        // kCorrect: before each of by_day, and after the last
    Date first_day;
    Date last_day;
    Sizes sizes;

    [[nodiscard]] bool reference() const { return conventions == Conventions::kReference; }
    // The day by which a trade belongs to a stretch.
    [[nodiscard]] Date day_of(const Trade& trade) const {
        return reference() ? trade.date_opened : trade.realized_on();
    }
};

Result<void> check_options(const WalkForwardOptions& o) {
    const auto invalid = [](std::string message) {
        return make_error(ErrorCode::kInvalidArgument, std::move(message));
    };
    if (o.is_window_count < 2 || o.oos_window_count < 1) {
        return invalid("isWindowCount must be at least 2 and oosWindowCount at least 1");
    }
    if (o.in_sample_days.value_or(7) < 7 || o.out_of_sample_days.value_or(1) < 1 ||
        o.step_days.value_or(1) < 1) {
        return invalid(
            "inSampleDays must be at least 7, outOfSampleDays and stepSizeDays at least 1");
    }
    if (o.min_in_sample_trades < 5 || o.min_out_of_sample_trades < 1) {
        return invalid("minInSampleTrades must be at least 5 and minOutOfSampleTrades at least 1");
    }
    if (o.min_profit_factor && !(*o.min_profit_factor >= 0)) {
        return invalid("minProfitFactor must not be negative");
    }
    const DiversificationOptions& d = o.diversification;
    if (!(d.max_correlation >= 0 && d.max_correlation <= 1) ||
        !(d.max_tail_dependence >= 0 && d.max_tail_dependence <= 1) ||
        !(d.tail_threshold >= 0.01 && d.tail_threshold <= 0.5)) {
        return invalid(
            "maxCorrelationThreshold and maxTailDependenceThreshold must be within 0 to 1, "
            "tailThreshold within 0.01 to 0.5");
    }
    return {};
}

Result<Sizes> window_sizes(const WalkForwardOptions& o, std::int32_t span_days,
                           Conventions conventions) {
    const bool correct = conventions == Conventions::kCorrect;
    const std::int64_t parts = std::int64_t{o.is_window_count} +
                               std::int64_t{o.oos_window_count} * (correct ? kDefaultWindows : 1);
    std::optional<std::int32_t> in_sample = o.in_sample_days;
    std::optional<std::int32_t> out_of_sample = o.out_of_sample_days;
    if (correct && in_sample.has_value() != out_of_sample.has_value()) {
        const double ratio = static_cast<double>(o.oos_window_count) / o.is_window_count;
        if (in_sample) {
            out_of_sample = std::max(1, static_cast<std::int32_t>(std::lround(*in_sample * ratio)));
        } else {
            in_sample = std::max(7, static_cast<std::int32_t>(std::lround(*out_of_sample / ratio)));
        }
    }
    Sizes sizes;
    if (in_sample && out_of_sample) {
        sizes = {*in_sample, *out_of_sample, o.step_days.value_or(*out_of_sample)};
    } else {
        const auto unit = static_cast<std::int32_t>((span_days + (correct ? 1 : 0)) / parts);
        sizes = {unit * o.is_window_count, unit * o.oos_window_count,
                 o.step_days.value_or(correct ? unit * o.oos_window_count : unit)};
    }
    if (sizes.in_sample <= 0 || sizes.out_of_sample <= 0 || sizes.step <= 0) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("{} days of data are too few for {} parts; ask for fewer "
                                      "parts or give inSampleDays and outOfSampleDays",
                                      span_days, parts));
    }
    return sizes;
}

Result<std::vector<WalkForwardWindow>> make_windows(const Analysis& a) {
    std::vector<WalkForwardWindow> windows;
    for (Date cursor = a.first_day; cursor < a.last_day; cursor = cursor.plus_days(a.sizes.step)) {
        WalkForwardWindow window;
        window.in_sample_start = cursor;
        window.in_sample_end = cursor.plus_days(a.sizes.in_sample - 1);
        window.out_of_sample_start = cursor.plus_days(a.sizes.in_sample);
        window.out_of_sample_end = window.out_of_sample_start.plus_days(a.sizes.out_of_sample - 1);
        if (window.out_of_sample_start > a.last_day) {
            break;
        }
        if (windows.size() == kMaxWalkForwardWindows) {
            return make_error(
                ErrorCode::kResourceExhausted,
                fmt::format("more than {} windows; enlarge stepSizeDays", kMaxWalkForwardWindows));
        }
        windows.push_back(window);
    }
    return windows;
}

void index_days(Analysis& a) {
    a.by_day.resize(a.trades.size());
    std::iota(a.by_day.begin(), a.by_day.end(), 0U);
    std::stable_sort(a.by_day.begin(), a.by_day.end(), [&](std::uint32_t x, std::uint32_t y) {
        return a.day_of(a.trades[x]) < a.day_of(a.trades[y]);
    });
    CompensatedSum balance(a.start_capital);
    for (const std::uint32_t index : a.by_day) {
        a.days.push_back(a.day_of(a.trades[index]));
        a.balance.push_back(balance.value());
        balance.add(a.trades[index].net_pl());
    }
    a.balance.push_back(balance.value());
}

// Positions in by_day of the trades from `from` to `to`.
std::pair<std::size_t, std::size_t> positions_within(const Analysis& a, Date from, Date to) {
    const auto begin = std::lower_bound(a.days.begin(), a.days.end(), from);
    const auto end = std::upper_bound(begin, a.days.end(), to);
    return {static_cast<std::size_t>(begin - a.days.begin()),
            static_cast<std::size_t>(end - a.days.begin())};
}

std::vector<Trade> trades_within(const Analysis& a, Date from, Date to) {
    const auto [begin, end] = positions_within(a, from, to);
    std::vector<std::uint32_t> indices(a.by_day.begin() + static_cast<std::ptrdiff_t>(begin),
                                       a.by_day.begin() + static_cast<std::ptrdiff_t>(end));
    std::sort(indices.begin(), indices.end());  // LOAD order
    std::vector<Trade> selected;
    selected.reserve(indices.size());
    for (const std::uint32_t index : indices) {
        selected.push_back(a.trades[index]);
    }
    return selected;
}

std::size_t count_within(const Analysis& a, Date from, Date to) {
    const auto [begin, end] = positions_within(a, from, to);
    return end - begin;
}

// kReference: from the stretch's own funds column; kCorrect: the block's start plus what was
// realized before the stretch.
double capital_before(const Analysis& a, std::span<const Trade> segment, Date start) {
    if (a.reference()) {
        return initial_capital(segment, {}, Conventions::kReference).dollars.value_or(0);
    }
    return a.balance[positions_within(a, start, start).first];
}

Segment make_segment(const Analysis& a, Date from, Date to, const CancelToken& cancel) {
    std::vector<Trade> trades = trades_within(a, from, to);
    const double capital = capital_before(a, trades, from);
    return {std::move(trades), a.strategies, capital, a.options.rates, a.conventions, cancel};
}

bool exceeds(const std::optional<double>& figure, const std::optional<double>& limit) {
    return limit && !(figure && *figure <= *limit);
}

// Below a floor. The reference honours positive floors only (I-52); an infinite profit factor
// clears every one.
bool misses_floor(const Analysis& a, const SegmentFigures& figures) {
    const auto applies = [&](const std::optional<double>& floor) {
        return floor && (!a.reference() || *floor > 0);
    };
    const WalkForwardOptions& o = a.options;
    if (applies(o.min_sharpe_ratio) &&
        !(figures.sharpe_ratio && *figures.sharpe_ratio >= *o.min_sharpe_ratio)) {
        return true;
    }
    if (applies(o.min_profit_factor) && !figures.profit_factor_infinite &&
        !(figures.profit_factor && *figures.profit_factor >= *o.min_profit_factor)) {
        return true;
    }
    return o.require_positive_net_pl && !(figures.net_pl > 0);
}

bool too_concentrated(const Analysis& a, Segment& segment, const Scenario& scenario) {
    const DiversificationOptions& d = a.options.diversification;
    if (!d.enabled()) {
        return false;
    }
    const auto pair = segment.pair_limits(scenario, d);
    return pair && ((d.limit_correlation && pair->max_correlation > d.max_correlation) ||
                    (d.limit_tail_risk && pair->max_tail_dependence > d.max_tail_dependence));
}

// The target of an admissible combination, else kUndefinedTarget.
double try_combination(const Analysis& a, Segment& segment, const Scenario& scenario) {
    const SegmentFigures figures = segment.evaluate(scenario);
    if (!a.reference() && figures.trades < a.options.min_in_sample_trades) {
        return kUndefinedTarget;  // I-59
    }
    const RiskLimits& limits = scenario.limits;
    const bool refused =
        exceeds(figures.max_drawdown_pct, limits.max_drawdown_pct) ||
        exceeds(static_cast<double>(figures.longest_losing_run), limits.consecutive_losses) ||
        exceeds(figures.largest_daily_loss_pct, limits.max_daily_loss_pct) ||
        misses_floor(a, figures) || too_concentrated(a, segment, scenario);
    const double target = target_value(figures, a.options.target);
    return refused || !std::isfinite(target) ? kUndefinedTarget : target;
}

struct Best {
    double target = kUndefinedTarget;
    std::size_t combination = 0;
};

struct Task {
    std::size_t window = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    Best best;
};

// Relative difference below which kCorrect takes two targets for equal: a profit factor does not
// depend on the size of the trades, so that only rounding tells apart combinations that differ in
// size alone.
constexpr double kEqualTargets = 1e-12;

bool is_better(const Analysis& a, double target, double best) {
    const double margin =
        a.reference() || !std::isfinite(best) ? 0 : kEqualTargets * std::fabs(best);
    return target > best + margin;
}

void run_task(const Analysis& a, const WalkForwardWindow& window, const CancelToken& cancel,
              Task& task) {
    Segment segment = make_segment(a, window.in_sample_start, window.in_sample_end, cancel);
    const double contracts = segment.mean_contracts();
    for (std::size_t c = task.begin; c < task.end && !cancel.cancelled(); ++c) {
        const Scenario scenario = a.grid.scenario(a.grid.values(c), contracts);
        const double target = try_combination(a, segment, scenario);
        if (is_better(a, target, task.best.target)) {
            task.best = {target, c};
        }
    }
}

// The best combination of each window: the first in grid order among equals.
Result<std::vector<Best>> optimize(const Analysis& a, std::span<const WalkForwardWindow> windows,
                                   const RunContext& context) {
    std::vector<Task> tasks;
    for (std::size_t w = 0; w < windows.size(); ++w) {
        for (std::size_t begin = 0; begin < a.grid.size(); begin += kCombinationsPerTask) {
            tasks.push_back({w, begin, std::min(a.grid.size(), begin + kCombinationsPerTask), {}});
        }
    }
    TB_RETURN_IF_ERROR(parallel_for(context, {tasks.size(), 1, "batches", "optimizing windows"},
                                    [&](std::size_t begin, std::size_t end) {
                                        for (std::size_t t = begin; t < end; ++t) {
                                            run_task(a, windows[tasks[t].window], context.cancel,
                                                     tasks[t]);
                                        }
                                    }));
    if (context.cancel.cancelled()) {
        return make_error(ErrorCode::kInterrupted, "cancelled");
    }
    std::vector<Best> best(windows.size());
    for (const Task& task : tasks) {
        if (is_better(a, task.best.target, best[task.window].target)) {
            best[task.window] = task.best;
        }
    }
    return best;
}

double neutral_level(WalkForwardTarget target) {
    return target == WalkForwardTarget::kProfitFactor ? 1 : 0;
}

WalkForwardPeriod evaluate_out_of_sample(const Analysis& a, const WalkForwardWindow& window,
                                         const Best& best, const CancelToken& cancel) {
    const double contracts =
        make_segment(a, window.in_sample_start, window.in_sample_end, cancel).mean_contracts();
    WalkForwardPeriod period;
    period.window = window;
    period.target_in_sample = best.target;
    period.parameters = a.grid.values(best.combination);
    const Scenario scenario = a.grid.scenario(period.parameters, contracts);
    Segment segment = make_segment(a, window.out_of_sample_start, window.out_of_sample_end, cancel);
    const SegmentFigures figures = segment.evaluate(scenario);
    const double target = target_value(figures, a.options.target);
    if (std::isfinite(target)) {
        period.target_out_of_sample = target;
    }
    period.target_out_of_sample_infinite = target == std::numeric_limits<double>::infinity();
    period.out_of_sample_net_pl = figures.net_pl;
    // A win rate has no neutral level of its own: a net profit is all it can show.
    period.consistent = a.reference()
                            ? target >= 0
                            : figures.net_pl > 0 && target > neutral_level(a.options.target);
    if (a.options.diversification.enabled()) {
        period.diversification = segment.diversification(scenario, a.options.diversification);
    }
    return period;
}

double coverage(const Analysis& a, const WalkForwardWindow& window) {
    const Date end = std::min(window.out_of_sample_end, a.last_day);
    const double covered = end - window.out_of_sample_start + 1;
    return covered / a.sizes.out_of_sample;
}

std::optional<SkipReason> reason_to_skip(const Analysis& a, const SkippedWindow& window) {
    if (!a.reference() && coverage(a, window.window) < a.options.min_oos_coverage) {
        return SkipReason::kOutOfSampleNotCovered;
    }
    if (window.in_sample_trades < a.options.min_in_sample_trades) {
        return SkipReason::kTooFewInSampleTrades;
    }
    if (window.out_of_sample_trades < a.options.min_out_of_sample_trades) {
        return SkipReason::kTooFewOutOfSampleTrades;
    }
    return std::nullopt;
}

// A limit that cannot be worked out must not pass for one that is kept.
Result<void> check_strategies(const TradeSet& set, const DiversificationOptions& options) {
    if (!options.enabled()) {
        return {};
    }
    std::vector<char> used(set.strategies.size(), 0);
    for (const Trade& trade : set.trades) {
        used[trade.strategy] = 1;
    }
    const auto count = static_cast<std::size_t>(std::count(used.begin(), used.end(), char{1}));
    const std::size_t limit =
        options.limit_tail_risk ? kMaxTailRiskStrategies : kMaxCorrelationStrategies;
    if (count > limit) {
        return make_error(
            ErrorCode::kResourceExhausted,
            fmt::format("a {} constraint is limited to {} strategies, there are {}; "
                        "select some",
                        options.limit_tail_risk ? "tail risk" : "correlation", limit, count));
    }
    return {};
}

Result<Analysis> prepare(const TradeSet& set, const WalkForwardOptions& options,
                         Conventions conventions, WalkForwardResult& result) {
    TB_RETURN_IF_ERROR(check_options(options));
    TB_TRY(ParameterGrid grid,
           ParameterGrid::make(options.parameter_ranges, set.strategies, conventions));
    if (set.trades.size() < kMinWalkForwardTrades) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("walk-forward needs at least {} trades, the selection has {}",
                                      kMinWalkForwardTrades, set.trades.size()));
    }
    TB_RETURN_IF_ERROR(check_strategies(set, options.diversification));
    Analysis a{options, conventions, std::move(grid), set.trades, set.strategies, 0, {}, {}, {}, {},
               {},      {}};
    const auto earlier = [](const Trade& x, const Trade& y) {
        return x.date_opened < y.date_opened;
    };
    a.first_day = std::min_element(set.trades.begin(), set.trades.end(), earlier)->date_opened;
    a.last_day = a.day_of(*std::max_element(
        set.trades.begin(), set.trades.end(),
        [&](const Trade& x, const Trade& y) { return a.day_of(x) < a.day_of(y); }));
    TB_TRY(a.sizes, window_sizes(options, a.last_day - a.first_day, conventions));
    if (!a.reference()) {
        const auto stated = options.initial_capital
                                ? options.initial_capital
                                : initial_capital(set.trades, {}, conventions).dollars;
        a.start_capital = stated && *stated > 0 ? *stated : kFallbackCapital;
        if (!(stated && *stated > 0)) {
            result.warnings.push_back(
                fmt::format("the trades give no positive start capital; {:.0f} dollars are assumed",
                            kFallbackCapital));
        }
        if (options.normalize_to_one_lot) {
            normalize_to_one_lot(a.trades, conventions);
        }
    }
    index_days(a);
    return a;
}

// Axes that scale all trades alike, where the target is a ratio that such scaling leaves as it is.
std::vector<std::string> sizes_without_effect(const Analysis& a) {
    std::vector<std::string> names;
    if (a.options.target != WalkForwardTarget::kProfitFactor &&
        a.options.target != WalkForwardTarget::kWinRate) {
        return names;
    }
    for (const ParameterAxis& axis : a.grid.axes()) {
        const bool scales_all = axis.kind == ParameterKind::kKellyMultiplier ||
                                axis.kind == ParameterKind::kFixedFraction ||
                                axis.kind == ParameterKind::kFixedContracts;
        if (scales_all && axis.values.size() > 1) {
            names.push_back(axis.name);
        }
    }
    return names;
}

// What would give kDefaultWindows windows: lengths that hold the trades a window needs at the rate
// at which they come, or a longer history.
std::string how_to_get_windows(const Analysis& a) {
    const double days = a.last_day - a.first_day + 1;
    const double rate = static_cast<double>(a.trades.size()) / days;
    const auto holding = [&](std::size_t trades, std::int32_t least) {
        return std::max<std::int64_t>(
            least, static_cast<std::int64_t>(std::ceil(static_cast<double>(trades) / rate)));
    };
    const std::int64_t in = holding(a.options.min_in_sample_trades, 7);
    const std::int64_t out = holding(a.options.min_out_of_sample_trades, 1);
    const std::int64_t needed = in + kDefaultWindows * out;
    if (static_cast<double>(needed) <= days) {
        return fmt::format(
            "at {:.2g} trades a day, inSampleDays {} and outOfSampleDays {} would "
            "leave room for {}",
            rate, (static_cast<std::int64_t>(days) - kDefaultWindows * out), out, kDefaultWindows);
    }
    return fmt::format(
        "at {:.2g} trades a day, {} windows of at least {} and {} trades need about "
        "{} days; there are {:.0f}",
        rate, kDefaultWindows, a.options.min_in_sample_trades, a.options.min_out_of_sample_trades,
        needed, days);
}

void add_warnings(const Analysis& a, WalkForwardResult& result) {
    if (a.reference()) {
        return;
    }
    if (result.out_of_sample_overlaps) {
        result.warnings.push_back(
            fmt::format("out-of-sample stretches overlap (step {} < {} days): their averages count "
                        "some trades more than once",
                        a.sizes.step, a.sizes.out_of_sample));
    }
    if (!a.grid.constraint_names().empty()) {
        result.warnings.push_back(
            fmt::format("{}: applied as a limit at the largest value of the range, not optimized",
                        fmt::join(a.grid.constraint_names(), ", ")));
    }
    const std::vector<std::string> idle = sizes_without_effect(a);
    if (!idle.empty()) {
        result.warnings.push_back(
            fmt::format("{}: the target does not depend on the size of all trades; the first value "
                        "of the range "
                        "stands for all of them",
                        fmt::join(idle, ", ")));
    }
    if (result.periods.size() < static_cast<std::size_t>(kDefaultWindows)) {
        result.warnings.push_back(fmt::format(
            "only {} windows could be evaluated: too few for {}; {}", result.periods.size(),
            result.periods.size() < kFewestVerdictWindows ? "a verdict" : "a verdict to rely on",
            how_to_get_windows(a)));
    }
}

}  // namespace

Result<WalkForwardResult> run_walk_forward(const TradeSet& trades,
                                           const WalkForwardOptions& options,
                                           Conventions conventions, const RunContext& context) {
    WalkForwardResult result;
    TB_TRY(const Analysis a, prepare(trades, options, conventions, result));
    TB_TRY(const std::vector<WalkForwardWindow> windows, make_windows(a));
    result.in_sample_days = a.sizes.in_sample;
    result.out_of_sample_days = a.sizes.out_of_sample;
    result.step_days = a.sizes.step;
    result.analyzed_trades = trades.trades.size();
    result.combinations = a.grid.size();
    result.total_windows = windows.size();
    result.out_of_sample_overlaps = a.sizes.step < a.sizes.out_of_sample && windows.size() > 1;
    for (const ParameterAxis& axis : a.grid.axes()) {
        result.parameter_names.push_back(axis.name);
    }

    std::vector<SkippedWindow> all;
    std::vector<WalkForwardWindow> usable;
    for (const WalkForwardWindow& window : windows) {
        SkippedWindow one;
        one.window = window;
        one.in_sample_trades = count_within(a, window.in_sample_start, window.in_sample_end);
        one.out_of_sample_trades =
            count_within(a, window.out_of_sample_start, window.out_of_sample_end);
        all.push_back(one);
        if (!reason_to_skip(a, one)) {
            usable.push_back(window);
        }
    }
    TB_TRY(const std::vector<Best> best, optimize(a, usable, context));
    std::vector<WalkForwardPeriod> periods(usable.size());
    TB_RETURN_IF_ERROR(parallel_for(
        {context.threads, context.cancel, {}}, {usable.size(), 1, "windows", "out of sample"},
        [&](std::size_t begin, std::size_t end) {
            for (std::size_t w = begin; w < end; ++w) {
                if (std::isfinite(best[w].target)) {
                    periods[w] = evaluate_out_of_sample(a, usable[w], best[w], context.cancel);
                }
            }
        }));
    if (context.cancel.cancelled()) {  // inside the last windows: their pairs may lack figures
        return make_error(ErrorCode::kInterrupted, "cancelled");
    }

    std::size_t next = 0;
    for (SkippedWindow& one : all) {
        const auto reason = reason_to_skip(a, one);
        if (!reason && std::isfinite(best[next].target)) {
            WalkForwardPeriod& period = periods[next];
            period.in_sample_trades = one.in_sample_trades;
            period.out_of_sample_trades = one.out_of_sample_trades;
            period.out_of_sample_coverage = std::min(1.0, coverage(a, one.window));
            result.periods.push_back(std::move(period));
        } else {
            one.reason = reason.value_or(SkipReason::kNoAdmissibleCombination);
            result.skipped.push_back(one);
        }
        next += reason ? 0U : 1U;
    }
    summarize_walk_forward(options, conventions, result);
    add_warnings(a, result);
    return result;
}

}  // namespace tb::analytics
