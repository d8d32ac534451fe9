// run_monte_carlo: what may happen, by resampling what happened (02 §4.6).
#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/monte_carlo.h"
#include "mcp/json_text.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/portfolio/figure_title.h"
#include "tools/portfolio/risk.h"
#include "tools/portfolio/risk_common.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using analytics::Estimate;
using analytics::MonteCarloOutcome;
using analytics::MonteCarloParameters;
using analytics::MonteCarloResult;
using analytics::MonteCarloSettings;
using mcp::Json;

constexpr double kMostEntries = 1e7;  // of the pool

std::vector<mcp::Field> argument_fields() {
    return {
        block_argument(),
        strategy_argument(),
        field::integer("numSimulations", "Paths")
            .range(analytics::kMinSimulations, analytics::kMaxSimulations)
            .default_value(1000),
        field::integer("simulationLength", "Steps; default: as the history")
            .range(analytics::kMinSimulationLength, analytics::kMaxSimulationLength),
        field::integer("resampleWindow", "Only the last N results")
            .range(analytics::kMinResampleWindow, kMostEntries),
        field::choice("resampleMethod", {"trades", "daily", "percentage"},
                      "Dollars by trade or day, or returns")
            .default_value("trades"),
        field::choice("resampleMode", {"stationary-block", "iid"}, "Keep streaks, or not")
            .default_value("stationary-block"),
        field::integer("meanBlockLength", "Default: cube root of the pool").range(1, kMostEntries),
        field::number("ruinThresholdPct", "Share lost that is ruin").range(0, 1),
        field::number("initialCapital", "Dollars at the start").at_least(0),
        field::number("historicalInitialCapital", "When the history began").at_least(0),
        field::number("tradesPerYear", "Steps per year").at_least(1),
        field::integer("randomSeed", "Default: a new one"),
        one_lot_argument(),
        field::boolean("includeWorstCase", "Add synthetic largest losses; default: no"),
        field::number("worstCasePercentage", "Share of steps").range(0, 100).default_value(5),
        field::choice("worstCaseMode", {"probabilistic", "pool", "guarantee"},
                      "pool = probabilistic")
            .default_value("probabilistic"),
        field::choice("worstCaseSizing", {"relative", "absolute"}, "Of the account, or dollars")
            .default_value("relative"),
        field::choice("worstCaseBasedOn", {"simulation", "historical"},
                      "Split equally, or by trades")
            .default_value("simulation"),
        field::integer("bandPoints", "Points of `bands`")
            .range(0, analytics::kMaxBandPoints)
            .default_value(20),
        risk_free_argument(),
        conventions_argument(),
        explain_argument(),
        max_chars_argument(),
    };
}

// The rest of what is returned is named in the answer itself: tools/list stays small (06 T13).
std::vector<mcp::Field> result_fields() {
    return with_frame({
        field::text("blockId", "The block"),
        field::integer("seed", "As randomSeed: the same paths"),
        open_object("parameters", "As used"),
        open_object("statistics", "Returns, drawdowns and shares are fractions"),
        open_object("standardErrors", "Of statistics and quantiles"),
        open_object("valueAtRisk", "p5, p10, p25 of the total return, signed"),
        open_object("percentileBands", "p5 to p95 of the total return"),
        open_list("bands", "The same by step"),
        open_object("maxDrawdownPercentiles", "p50 to p99 of the paths' largest drawdowns, shares")
            .optional(),
        open_list("ruin", "Per share of the start capital lost: probability").optional(),
        open_object("lossAtRisk", "var95, var90, expectedShortfall95: positive losses"),
        field::integer("actualResamplePoolSize", "Results in the pool"),
        open_object("riskFreeRate", "Deducted by the Sharpe ratio"),
        open_object("withoutWorstCase", "The same paths without synthetic losses").nullable(),
        open_list("worstCaseLosses", "Synthetic losses by strategy"),
    });
}

analytics::ResampleMethod method_of(const std::string& text) {
    return text == "daily"        ? analytics::ResampleMethod::kDaily
           : text == "percentage" ? analytics::ResampleMethod::kPercentage
                                  : analytics::ResampleMethod::kTrades;
}

std::optional<std::size_t> count_argument(const Json& arguments, std::string_view name) {
    const auto value = integer_argument(arguments, name);
    return value ? std::optional(static_cast<std::size_t>(*value)) : std::nullopt;
}

// Any 64-bit integer, signed or not; else a fresh seed that every JSON reader can hold exactly.
mcp::Outcome<std::uint64_t> read_seed(const Json& arguments) {
    const auto found = arguments.find("randomSeed");
    if (found == arguments.end()) {
        std::random_device source;
        return (std::uint64_t{source()} << 20U) ^ source();
    }
    if (found->is_number_float()) {
        return mcp::tool_error("randomSeed must be an integer of at most 64 bits");
    }
    return found->is_number_unsigned() ? found->get<std::uint64_t>()
                                       : static_cast<std::uint64_t>(found->get<std::int64_t>());
}

mcp::Outcome<MonteCarloParameters> read_parameters(const Json& arguments) {
    MonteCarloParameters p;
    TB_TRY_TOOL(p.seed, read_seed(arguments));
    p.simulations = *count_argument(arguments, "numSimulations");
    p.simulation_length = count_argument(arguments, "simulationLength");
    p.resample_window = count_argument(arguments, "resampleWindow");
    p.method = method_of(*text_argument(arguments, "resampleMethod"));
    p.mode = text_argument(arguments, "resampleMode") == "iid"
                 ? analytics::ResampleMode::kIid
                 : analytics::ResampleMode::kStationaryBlock;
    p.mean_block_length = count_argument(arguments, "meanBlockLength");
    p.ruin_threshold = number_argument(arguments, "ruinThresholdPct");
    p.initial_capital = number_argument(arguments, "initialCapital");
    p.historical_capital = number_argument(arguments, "historicalInitialCapital");
    p.steps_per_year = number_argument(arguments, "tradesPerYear");
    p.normalize_to_one_lot = *flag_argument(arguments, "normalizeTo1Lot");
    p.include_worst_case = flag_argument(arguments, "includeWorstCase");
    p.worst_case_pct = *number_argument(arguments, "worstCasePercentage");
    p.worst_case_mode = text_argument(arguments, "worstCaseMode") == "guarantee"
                            ? analytics::WorstCaseMode::kGuarantee
                            : analytics::WorstCaseMode::kProbabilistic;
    p.worst_case_sizing = text_argument(arguments, "worstCaseSizing") == "absolute"
                              ? analytics::WorstCaseSizing::kAbsolute
                              : analytics::WorstCaseSizing::kRelative;
    p.worst_case_basis = text_argument(arguments, "worstCaseBasedOn") == "historical"
                             ? analytics::WorstCaseBasis::kHistorical
                             : analytics::WorstCaseBasis::kSimulation;
    p.band_points = *count_argument(arguments, "bandPoints");
    if (p.method == analytics::ResampleMethod::kPercentage &&
        p.worst_case_sizing == analytics::WorstCaseSizing::kAbsolute) {
        // Before any data is looked at, as the other argument errors.
        return mcp::tool_error(
            "worstCaseSizing 'absolute' is not available with resampleMethod 'percentage': use "
            "'relative', or resample 'trades' or 'daily'");
    }
    return p;
}

// The reference filters by name a second time, now with regard to case, unless the name is "all"
// (02 I-6).
void filter_again_as_reference(RiskSelection& selection) {
    const auto& name = selection.filter.strategy;
    if (!name || name->empty() || *name == "all") {
        return;
    }
    std::erase_if(selection.trades.trades, [&](const analytics::Trade& trade) {
        return selection.trades.strategies[trade.strategy] != *name;
    });
}

// Mean annual rate over the days from the first opening to the last realization, so that this
// Sharpe ratio deducts what get_statistics deducts, and what to know about it.
double mean_rate(const RiskSelection& selection, const analytics::RiskFreeRates& rates,
                 std::vector<std::string>& warnings) {
    if (rates.mode() == analytics::RateMode::kFixed) {
        return *rates.fixed_annual_pct();
    }
    Date first = selection.trades.trades.front().date_opened;
    Date last = first;
    for (const analytics::Trade& trade : selection.trades.trades) {
        first = std::min({first, trade.date_opened, trade.realized_on()});
        last = std::max(last, trade.realized_on());
    }
    double sum = 0;
    std::int32_t days = 0;
    analytics::ResolutionCounts counts;
    for (Date day = first; day <= last; day = day.plus_days(1)) {
        const analytics::ResolvedRate rate = rates.resolve(day, selection.conventions);
        counts.add(rate.resolution);
        sum += rate.annual_pct;
        ++days;
    }
    for (std::string& text :
         analytics::clamped_rate_warnings(counts, rates, "days of the history")) {
        warnings.push_back(std::move(text));
    }
    return sum / days;
}

// ---- rendering ----

struct NamedEstimate {
    const char* name;
    const Estimate& estimate;
};

std::vector<NamedEstimate> statistics_of(const MonteCarloOutcome& outcome) {
    const analytics::MonteCarloStatistics& s = outcome.statistics;
    return {{"meanFinalValue", s.mean_final_value},
            {"medianFinalValue", s.median_final_value},
            {"stdFinalValue", s.std_final_value},
            {"meanTotalReturn", s.mean_total_return},
            {"medianTotalReturn", s.median_total_return},
            {"meanAnnualizedReturn", s.mean_annualized_return},
            {"medianAnnualizedReturn", s.median_annualized_return},
            {"meanMaxDrawdown", s.mean_max_drawdown},
            {"medianMaxDrawdown", s.median_max_drawdown},
            {"meanSharpeRatio", s.mean_sharpe_ratio},
            {"probabilityOfProfit", s.probability_of_profit},
            {"zeroBalancePaths", s.zero_balance_paths},
            {"probabilityOfRuin", s.probability_of_ruin}};
}

std::vector<NamedEstimate> quantiles_of(const MonteCarloOutcome& outcome) {
    return {{"p5", outcome.return_p5},   {"p10", outcome.return_p10}, {"p25", outcome.return_p25},
            {"p50", outcome.return_p50}, {"p75", outcome.return_p75}, {"p95", outcome.return_p95}};
}

std::vector<NamedEstimate> losses_of(const MonteCarloOutcome& outcome) {
    return {{"var95", outcome.value_at_risk_95},
            {"var90", outcome.value_at_risk_90},
            {"expectedShortfall95", outcome.expected_shortfall_95}};
}

std::vector<NamedEstimate> drawdowns_of(const MonteCarloOutcome& outcome) {
    static_assert(analytics::kDrawdownLevels == std::array{0.5, 0.75, 0.9, 0.95, 0.99});
    const auto& d = outcome.max_drawdown;
    return {{"p50", d[0]}, {"p75", d[1]}, {"p90", d[2]}, {"p95", d[3]}, {"p99", d[4]}};
}

// Named by the share of the start capital that was lost.
std::vector<NamedEstimate> ruin_of(const MonteCarloOutcome& outcome) {
    static_assert(analytics::kRuinLevels == std::array{0.1, 0.2, 0.3, 0.5, 0.75, 1.0});
    const auto& r = outcome.ruin;
    return {{"10%", r[0]}, {"20%", r[1]}, {"30%", r[2]},
            {"50%", r[3]}, {"75%", r[4]}, {"100%", r[5]}};
}

Json values_json(const std::vector<NamedEstimate>& estimates,
                 std::initializer_list<std::string_view> names = {}) {
    Json json = Json::object();
    for (const auto& [name, estimate] : estimates) {
        if (names.size() == 0 || std::find(names.begin(), names.end(), name) != names.end()) {
            json[name] = figure_json(estimate.value);
        }
    }
    return json;
}

Json errors_json(const MonteCarloOutcome& outcome) {
    Json json = Json::object();
    for (const auto& estimates :
         {statistics_of(outcome), quantiles_of(outcome), losses_of(outcome)}) {
        for (const auto& [name, estimate] : estimates) {
            json[name] = figure_json(estimate.standard_error);
        }
    }
    return json;
}

// What the reference does not have: the drawdown's distribution and ruin at stated thresholds.
void add_risk_of_paths(Json& json, const MonteCarloOutcome& outcome) {
    json["maxDrawdownPercentiles"] = values_json(drawdowns_of(outcome));
    json["ruin"] = Json::array();
    for (std::size_t i = 0; i < analytics::kRuinLevels.size(); ++i) {
        json["ruin"].push_back({{"lost", analytics::kRuinLevels[i]},
                                {"probability", figure_json(outcome.ruin[i].value)},
                                {"standardError", figure_json(outcome.ruin[i].standard_error)}});
    }
    Json& errors = json["standardErrors"];
    errors["maxDrawdownPercentiles"] = Json::object();
    for (const auto& [name, estimate] : drawdowns_of(outcome)) {
        errors["maxDrawdownPercentiles"][name] = figure_json(estimate.standard_error);
    }
}

void add_outcome(Json& json, const MonteCarloOutcome& outcome, bool reference) {
    const auto quantiles = quantiles_of(outcome);
    json["statistics"] = values_json(statistics_of(outcome));
    json["standardErrors"] = errors_json(outcome);
    json["valueAtRisk"] = values_json(quantiles, {"p5", "p10", "p25"});
    json["lossAtRisk"] = values_json(losses_of(outcome));
    json["percentileBands"] = values_json(quantiles, {"p5", "p25", "p50", "p75", "p95"});
    Json bands = Json::array();
    for (const analytics::BandPoint& point : outcome.bands) {
        bands.push_back({{"step", point.step},
                         {"p5", point.p5},
                         {"p25", point.p25},
                         {"p50", point.p50},
                         {"p75", point.p75},
                         {"p95", point.p95}});
    }
    json["bands"] = std::move(bands);
    if (!reference) {
        add_risk_of_paths(json, outcome);
    }
}

// As given, with its sign, or the one drawn.
Json seed_json(const Json& arguments, const MonteCarloSettings& used) {
    return arguments.contains("randomSeed") ? arguments["randomSeed"] : Json(used.seed);
}

Json parameters_json(const Json& arguments, const MonteCarloSettings& used) {
    Json json = echo_all(arguments, {"numSimulations"});
    json["simulationLength"] = used.simulation_length;
    json.update(echo_all(arguments, {"resampleWindow", "resampleMethod", "resampleMode"}));
    json["meanBlockLength"] =
        used.mean_block_length ? Json(*used.mean_block_length) : Json(nullptr);
    json["ruinThresholdPct"] = echo(arguments, "ruinThresholdPct");
    json["initialCapital"] = used.initial_capital;
    json["historicalInitialCapital"] = figure_json(used.historical_capital);
    json["tradesPerYear"] = used.steps_per_year;
    json.update(echo_all(arguments, {"randomSeed", "normalizeTo1Lot"}));
    json["worstCaseEnabled"] = used.worst_case_enabled;
    json["worstCasePercentage"] = used.worst_case_pct;
    json.update(echo_all(arguments, {"worstCaseMode", "worstCaseBasedOn", "worstCaseSizing"}));
    return json;
}

Json result_json(const Json& arguments, const MonteCarloResult& result, const Json& rate) {
    Json json = {{"blockId", arguments["blockId"]},
                 {"strategy", echo(arguments, "strategy")},
                 {"seed", seed_json(arguments, result.settings)},
                 {"parameters", parameters_json(arguments, result.settings)}};
    add_outcome(json, result.outcome, is_reference(arguments));
    json["actualResamplePoolSize"] = result.settings.pool_size;
    json["riskFreeRate"] = rate;
    json["withoutWorstCase"] = nullptr;
    if (result.without_worst_case) {
        Json without = Json::object();
        add_outcome(without, *result.without_worst_case, is_reference(arguments));
        without.erase("bands");
        json["withoutWorstCase"] = std::move(without);
    }
    Json losses = Json::array();
    for (const analytics::WorstCaseLoss& loss : result.worst_case_losses) {
        losses.push_back({{"strategy", loss.strategy},
                          {"entries", loss.entries},
                          {"lossUsd", loss.loss_usd},
                          {"lossRatio", loss.loss_ratio},
                          {"value", loss.value}});
    }
    json["worstCaseLosses"] = std::move(losses);
    return json;
}

void add_lines(mcp::MarkdownTable& table, const MonteCarloOutcome& outcome,
               const MonteCarloOutcome* without, bool reference) {
    const auto shown = [](const std::string& name, const std::optional<double>& value) {
        if (!value) {
            return std::string("N/A");
        }
        if (name.find("FinalValue") != std::string::npos) {
            return mcp::money_text(*value);
        }
        return name == "meanSharpeRatio" ? mcp::ratio_text(*value)
                                         : mcp::percent_text(100 * *value);
    };
    const auto rows = [&](const std::vector<NamedEstimate>& main,
                          const std::vector<NamedEstimate>& other, const std::string& prefix) {
        for (std::size_t i = 0; i < main.size(); ++i) {
            const std::string name = main[i].name;
            if (name == "probabilityOfRuin" && !main[i].estimate.value) {
                continue;
            }
            std::vector<std::string> cells = {prefix.empty() ? figure_title(name) : prefix + name,
                                              shown(name, main[i].estimate.value),
                                              shown(name, main[i].estimate.standard_error)};
            if (without != nullptr) {
                cells.push_back(shown(name, other[i].estimate.value));
            }
            table.add_row(cells);
        }
    };
    const MonteCarloOutcome& second = without != nullptr ? *without : outcome;
    rows(statistics_of(outcome), statistics_of(second), "");
    rows(quantiles_of(outcome), quantiles_of(second), "Total return ");
    if (!reference) {
        rows(drawdowns_of(outcome), drawdowns_of(second), "Max drawdown ");
        rows(ruin_of(outcome), ruin_of(second), "Chance to lose ");
    }
}

std::string result_text(const Json& arguments, const MonteCarloResult& result, std::size_t budget) {
    const MonteCarloSettings& used = result.settings;
    std::string text = fmt::format(
        "Monte Carlo of block {}: {} paths of {} steps ({} resampled, {}), pool of {} results, "
        "seed {}.\nStart capital {}, {} steps a year, risk-free {} % a year.{}\n\n",
        mcp::cell_text(arguments["blockId"].get<std::string>()),
        mcp::count_text(static_cast<std::int64_t>(used.simulations)),
        mcp::count_text(static_cast<std::int64_t>(used.simulation_length)),
        *text_argument(arguments, "resampleMethod"),
        used.mean_block_length ? fmt::format("blocks of {} on average", *used.mean_block_length)
                               : "independent draws",
        mcp::count_text(static_cast<std::int64_t>(used.pool_size)),
        mcp::to_json_text(seed_json(arguments, used)), mcp::money_text(used.initial_capital),
        mcp::ratio_text(used.steps_per_year), mcp::ratio_text(used.risk_free_annual_pct),
        used.worst_case_enabled ? fmt::format(" {} % of the steps are synthetic worst cases.",
                                              mcp::number_text(used.worst_case_pct))
                                : "");
    const MonteCarloOutcome* without =
        result.without_worst_case ? &*result.without_worst_case : nullptr;
    std::vector<std::string> titles = {"Figure", "Value", "Standard error"};
    if (without != nullptr) {
        titles.emplace_back("Without worst cases");
    }
    mcp::MarkdownTable table(titles, budget);
    add_lines(table, result.outcome, without, is_reference(arguments));
    return text + table.text("raise maxChars") + "\n";
}

// Every figure of add_outcome, with what it is computed from.
std::vector<Explanation> explain(const Json& arguments, const RiskSelection& selection,
                                 const MonteCarloResult& result) {
    const bool reference = selection.conventions == Conventions::kReference;
    const MonteCarloSettings& used = result.settings;
    const std::string basis = reference ? "trades, reported P/L" : "trades, net P/L";
    const Json path = {{"simulations", used.simulations},
                       {"steps", used.simulation_length},
                       {"pool", used.pool_size},
                       {"startCapital", used.initial_capital},
                       {"seed", seed_json(arguments, used)}};
    const Json year = {{"stepsPerYear", used.steps_per_year}, {"steps", used.simulation_length}};
    const std::string annualized = reference
                                       ? "(1 + total return)^(stepsPerYear/steps) - 1"
                                       : "(1 + total return)^(stepsPerYear/steps) - 1; -1 after "
                                         "losing everything";
    const std::string drawdown = "max (peak - r)/(1 + peak), r = cumulative return";
    const std::string quantiles = "quantiles of the total return, linear between order statistics";
    std::vector<Explanation> out;
    const auto add = [&](const char* figure, std::string formula, const Json& inputs) {
        out.push_back(
            explanation(figure, std::move(formula), inputs, selection.trades.trades.size(), basis));
    };
    add("statistics.meanFinalValue", "mean over paths of the capital after all steps", path);
    add("statistics.medianFinalValue", "median over paths of the capital after all steps", path);
    add("statistics.stdFinalValue", "sample sd (n-1) over paths of the capital after all steps",
        path);
    add("statistics.meanTotalReturn", "mean over paths of (final - start)/start", path);
    add("statistics.medianTotalReturn", "median over paths of (final - start)/start", path);
    add("statistics.meanAnnualizedReturn", "mean of " + annualized, year);
    add("statistics.medianAnnualizedReturn", "median of " + annualized, year);
    add("statistics.meanMaxDrawdown", "mean over paths of " + drawdown, path);
    add("statistics.medianMaxDrawdown", "median over paths of " + drawdown, path);
    add("statistics.meanSharpeRatio",
        "mean over paths of (mean - rf)/sd of the step returns * sqrt(stepsPerYear), rf = "
        "riskFreeAnnualPct/100/stepsPerYear",
        {{"stepsPerYear", used.steps_per_year}, {"riskFreeAnnualPct", used.risk_free_annual_pct}});
    add("statistics.probabilityOfProfit", "share of paths with a total return above 0", path);
    add("statistics.zeroBalancePaths", "share of paths whose capital touched 0", path);
    add("statistics.probabilityOfRuin",
        "share of paths whose capital fell to startCapital*(1 - ruinThresholdPct)",
        {{"startCapital", used.initial_capital},
         {"ruinThresholdPct", figure_json(used.ruin_threshold)}});
    add("valueAtRisk", quantiles, path);
    add("percentileBands", quantiles, path);
    add("bands", "quantiles of the cumulative return of all paths after the step", path);
    add("lossAtRisk.var95", "max(0, -p5) of the total return",
        {{"p5", figure_json(result.outcome.return_p5.value)}});
    add("lossAtRisk.var90", "max(0, -p10) of the total return",
        {{"p10", figure_json(result.outcome.return_p10.value)}});
    add("lossAtRisk.expectedShortfall95", "minus the mean total return of the worst 5 %", path);
    add("standardErrors",
        reference
            ? "mean: s/sqrt(n); share: sqrt(p(1-p)/n); sd: sqrt((m4 - s^4)/n)/(2s); quantile: "
              "half the distance of the order statistics nq -+ sqrt(nq(1-q)); shortfall: "
              "sqrt((s^2 of the worst 5 % + 0.95*(shortfall - p5)^2)/(0.05n))"
            : "mean: s/sqrt(n); share: sqrt(p(1-p)/n); sd: sqrt((m4 - s^4)/n)/(2s); quantile: h "
              "= sqrt(nq(1-q)) times the slope of the order statistics between q(n-1) -+ h; "
              "shortfall: sqrt((s^2 of the worst 5 % + 0.95*(shortfall - p5)^2)/(0.05n))",
        {{"n", used.simulations}});
    if (!reference) {
        add("maxDrawdownPercentiles", "quantiles over paths of " + drawdown, path);
        add("ruin", "share of paths whose capital ever fell to startCapital*(1 - lost)", path);
    }
    if (used.worst_case_enabled) {
        add("worstCaseLosses",
            reference ? "largest of margin, max loss as written and realized loss of the strategy; "
                        "ratio: to the account before the trade"
                      : "largest of margin, max loss in dollars and realized loss of the strategy; "
                        "ratio: to the account before the trade",
            {{"worstCasePercentage", used.worst_case_pct}, {"steps", used.simulation_length}});
    }
    return out;
}

mcp::Outcome<mcp::ToolResult> run_monte_carlo(App& app, mcp::ToolContext& context,
                                              const Json& arguments) {
    TB_TRY_TOOL(MonteCarloParameters parameters, read_parameters(arguments));
    TB_TRY_TOOL(RiskSelection selection, select_trades(app, context, arguments, ""));
    AnswerFrame frame;
    frame.conventions = selection.conventions;
    frame.blocks = {&selection.fresh};
    Json rate = {{"mode", "fixed"}, {"annualRatePct", 0}};
    if (selection.conventions == Conventions::kReference) {
        filter_again_as_reference(selection);
    } else {
        TB_TRY_TOOL(const RateSource source,
                    rate_source(app, context, number_argument(arguments, "riskFreeRateAnnualPct")));
        frame.warnings = source.warnings;
        parameters.risk_free_annual_pct = mean_rate(selection, source.rates, frame.warnings);
        rate = rate_json(source.rates, selection.conventions);
        rate["annualRatePct"] = parameters.risk_free_annual_pct;
        parameters.account_capital = account_start_capital(selection);
    }
    TB_TRY_TOOL(const MonteCarloResult result,
                analytics::run_monte_carlo(selection.trades, parameters, selection.conventions,
                                           run_context(context)));
    frame.notes = result.notes;
    frame.warnings.insert(frame.warnings.end(), result.warnings.begin(), result.warnings.end());
    frame.explain = wants_explanation(arguments);
    if (frame.explain) {
        frame.explanations = explain(arguments, selection, result);
    }
    return risk_result(
        context, result_json(arguments, result, rate), frame,
        result_text(arguments, result, answer_budget(context, selection.conventions) / 2),
        {"bands", "worstCaseLosses"}, "bands");
}

}  // namespace

mcp::ToolSpec run_monte_carlo_tool(App& app) {
    return {.name = "run_monte_carlo",
            .title = "Monte Carlo simulation",
            .description =
                "Resamples a block's results into many possible futures: final value, drawdown, "
                "ruin and return quantiles, each with its standard error. A new seed each call "
                "unless randomSeed is given.",
            .toolset = "risk",
            .annotations = mcp::Annotations::reads(),
            .scope = "blocks:read",
            .arguments = argument_fields(),
            .results = result_fields(),
            .max_result_chars = mcp::kMaxRaisedResultChars,
            .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
                return run_monte_carlo(app, context, arguments);
            }};
}

}  // namespace tb::tools
