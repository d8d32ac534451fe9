// run_walk_forward: choose sizing on one stretch of history, test it on the next (02 §4.5).
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/walk_forward.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/portfolio/risk.h"
#include "tools/portfolio/risk_common.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using analytics::Rating;
using analytics::WalkForwardOptions;
using analytics::WalkForwardPeriod;
using analytics::WalkForwardResult;
using analytics::WalkForwardTarget;
using mcp::Json;

constexpr double kMostDays = 50'000;

struct TargetName {
    const char* name;
    WalkForwardTarget target;
};
constexpr std::array<TargetName, 8> kTargets = {{
    {"netPl", WalkForwardTarget::kNetPl},
    {"profitFactor", WalkForwardTarget::kProfitFactor},
    {"sharpeRatio", WalkForwardTarget::kSharpeRatio},
    {"sortinoRatio", WalkForwardTarget::kSortinoRatio},
    {"calmarRatio", WalkForwardTarget::kCalmarRatio},
    {"cagr", WalkForwardTarget::kCagr},
    {"avgDailyPl", WalkForwardTarget::kAvgDailyPl},
    {"winRate", WalkForwardTarget::kWinRate},
}};

std::vector<mcp::Field> window_arguments() {
    return {
        field::integer("isWindowCount", "In-sample parts").range(2, kMostDays).default_value(5),
        field::integer("oosWindowCount", "Out-of-sample parts")
            .range(1, kMostDays)
            .default_value(1),
        field::integer("inSampleDays", "Instead of parts").range(7, kMostDays),
        field::integer("outOfSampleDays", "Instead of parts").range(1, kMostDays),
        field::integer("stepSizeDays", "Default: outOfSampleDays or a part").range(1, kMostDays),
    };
}

std::vector<mcp::Field> diversification_arguments() {
    return {
        field::boolean("enableCorrelationConstraint", "Limit strategy correlation")
            .default_value(false),
        field::number("maxCorrelationThreshold", "Its limit").range(0, 1).default_value(0.7),
        field::choice("correlationMethod", {"kendall", "spearman", "pearson"}, "Its kind")
            .default_value("kendall"),
        field::boolean("enableTailRiskConstraint", "Limit joint tail risk").default_value(false),
        field::number("maxTailDependenceThreshold", "Its limit").range(0, 1).default_value(0.5),
        field::number("tailThreshold", "Tail share").range(0.01, 0.5).default_value(0.1),
        field::choice("diversificationNormalization", {"raw", "margin", "notional"}, "Of the P/L")
            .default_value("raw"),
        field::choice("diversificationDateBasis", {"opened", "closed"}, "Of the P/L")
            .default_value("opened"),
    };
}

std::vector<mcp::Field> argument_fields() {
    std::vector<std::string> targets;
    for (const TargetName& target : kTargets) {
        targets.emplace_back(target.name);
    }
    std::vector<mcp::Field> fields = {
        block_argument(), strategy_argument(), ticker_argument(),
        field::list("selectedStrategies", field::text_schema(), "Only these strategies")};
    const auto append = [&](std::vector<mcp::Field> more) {
        for (mcp::Field& one : more) {
            fields.push_back(std::move(one));
        }
    };
    append(date_bound_arguments());
    append(window_arguments());
    append({
        field::choice("optimizationTarget", targets, "What to maximize")
            .default_value("sharpeRatio"),
        field::integer("minInSampleTrades", "Skip windows with fewer")
            .range(5, 1e9)
            .default_value(10),
        field::integer("minOutOfSampleTrades", "Skip windows with fewer")
            .range(1, 1e9)
            .default_value(3),
        one_lot_argument(),
        field::number("minSharpeRatio", "In-sample floor"),
        field::number("minProfitFactor", "In-sample floor").at_least(0),
        field::boolean("requirePositiveNetPl", "In-sample floor").default_value(false),
    });
    append(diversification_arguments());
    mcp::Field ranges = field::map_of(
        "parameterRanges", field::list_schema(field::number_schema()),
        "[min, max, step] by name: kellyMultiplier, fixedFractionPct, fixedContracts, "
        "strategy:<name>; limits maxDrawdownPct, maxDailyLossPct, consecutiveLossLimit");
    append({std::move(ranges), risk_free_argument(), conventions_argument(), explain_argument(),
            max_chars_argument()});
    return fields;
}

// The rest of what is returned is named in the answer itself: tools/list stays small (06 T13).
std::vector<mcp::Field> result_fields() {
    return with_frame({
        field::text("blockId", "The block"),
        open_object("summary", "Means, degradationFactor (OOS/IS), stability, robustness"),
        open_object("stats", "Window counts, consistencyScore"),
        open_object("verdict", "good, moderate, poor, or null with the reason"),
        open_object("recommendedParameters", "value, range, stable"),
        open_list("periods", "Evaluated windows"),
        open_list("skippedWindows", "Windows without a result and why"),
        open_object("filters", "As asked for"),
        open_object("config", "As used"),
        open_object("performanceFloor", "In-sample floors").nullable(),
        open_object("diversificationConstraints", "Limits between strategies").nullable(),
    });
}

// ---- reading ----

mcp::Outcome<std::vector<analytics::ParameterRange>> read_ranges(const Json& arguments) {
    std::vector<analytics::ParameterRange> ranges;
    const auto given = arguments.find("parameterRanges");
    if (given == arguments.end()) {
        return ranges;
    }
    for (const auto& [name, range] : given->items()) {
        if (range.size() != 3) {
            return mcp::tool_error(
                fmt::format("parameterRanges.{} must be [min, max, step], for example [0.5, 2, "
                            "0.5]; it has {} numbers",
                            mcp::cell_text(name), range.size()));
        }
        ranges.push_back(
            {name, range[0].get<double>(), range[1].get<double>(), range[2].get<double>()});
    }
    return ranges;
}

std::optional<std::int32_t> days_argument(const Json& arguments, std::string_view name) {
    const auto value = integer_argument(arguments, name);
    return value ? std::optional(static_cast<std::int32_t>(*value)) : std::nullopt;
}

analytics::DiversificationOptions read_diversification(const Json& arguments) {
    analytics::DiversificationOptions options;
    options.limit_correlation = *flag_argument(arguments, "enableCorrelationConstraint");
    options.max_correlation = *number_argument(arguments, "maxCorrelationThreshold");
    const std::string method = *text_argument(arguments, "correlationMethod");
    options.method = method == "kendall"    ? analytics::CorrelationMethod::kKendall
                     : method == "spearman" ? analytics::CorrelationMethod::kSpearman
                                            : analytics::CorrelationMethod::kPearson;
    options.limit_tail_risk = *flag_argument(arguments, "enableTailRiskConstraint");
    options.max_tail_dependence = *number_argument(arguments, "maxTailDependenceThreshold");
    options.tail_threshold = *number_argument(arguments, "tailThreshold");
    options.normalization = normalization_of(arguments, "diversificationNormalization");
    options.date_basis = date_basis_of(arguments, "diversificationDateBasis");
    return options;
}

mcp::Outcome<WalkForwardOptions> read_options(const Json& arguments) {
    WalkForwardOptions options;
    options.is_window_count = *days_argument(arguments, "isWindowCount");
    options.oos_window_count = *days_argument(arguments, "oosWindowCount");
    options.in_sample_days = days_argument(arguments, "inSampleDays");
    options.out_of_sample_days = days_argument(arguments, "outOfSampleDays");
    options.step_days = days_argument(arguments, "stepSizeDays");
    const std::string target = *text_argument(arguments, "optimizationTarget");
    for (const TargetName& known : kTargets) {
        if (target == known.name) {
            options.target = known.target;
        }
    }
    options.min_in_sample_trades =
        static_cast<std::size_t>(*integer_argument(arguments, "minInSampleTrades"));
    options.min_out_of_sample_trades =
        static_cast<std::size_t>(*integer_argument(arguments, "minOutOfSampleTrades"));
    options.normalize_to_one_lot = *flag_argument(arguments, "normalizeTo1Lot");
    options.min_sharpe_ratio = number_argument(arguments, "minSharpeRatio");
    options.min_profit_factor = number_argument(arguments, "minProfitFactor");
    options.require_positive_net_pl = *flag_argument(arguments, "requirePositiveNetPl");
    options.diversification = read_diversification(arguments);
    TB_TRY_TOOL(options.parameter_ranges, read_ranges(arguments));
    return options;
}

// ---- rendering ----

std::string_view rating_name(std::optional<Rating> rating, Conventions conventions) {
    if (!rating) {
        return "undefined";
    }
    switch (*rating) {
        case Rating::kGood:
            return "good";
        case Rating::kModerate:
            return "moderate";
        case Rating::kConcerning:
            break;
    }
    return conventions == Conventions::kReference ? "concerning" : "poor";
}

std::string verdict_title(const analytics::WalkForwardVerdict& verdict) {
    if (!verdict.overall) {
        return verdict.reason;
    }
    switch (*verdict.overall) {
        case Rating::kGood:
            return "What was chosen in sample held up out of sample";
        case Rating::kModerate:
            return "Out-of-sample results are mixed";
        case Rating::kConcerning:
            break;
    }
    return "What was chosen in sample did not hold up out of sample";
}

std::string_view reason_text(analytics::SkipReason reason) {
    switch (reason) {
        case analytics::SkipReason::kTooFewInSampleTrades:
            return "too few in-sample trades";
        case analytics::SkipReason::kTooFewOutOfSampleTrades:
            return "too few out-of-sample trades";
        case analytics::SkipReason::kOutOfSampleNotCovered:
            return "the data ends inside the out-of-sample stretch";
        case analytics::SkipReason::kNoAdmissibleCombination:
            break;
    }
    return "no combination kept the limits and had a target figure";
}

Json window_json(const analytics::WalkForwardWindow& window, Conventions conventions) {
    return {{"inSampleStart", instant_json(window.in_sample_start, conventions)},
            {"inSampleEnd", instant_json(window.in_sample_end, conventions)},
            {"outOfSampleStart", instant_json(window.out_of_sample_start, conventions)},
            {"outOfSampleEnd", instant_json(window.out_of_sample_end, conventions)}};
}

Json diversification_json(const analytics::DiversificationMetrics& metrics,
                          Conventions conventions) {
    const auto pair_names = [&](const std::string& first, const std::string& second) {
        const bool none = first.empty() && second.empty();
        return none && conventions == Conventions::kCorrect ? Json(nullptr) : Json({first, second});
    };
    return {{"avgCorrelation", figure_json(metrics.avg_correlation)},
            {"maxCorrelation", figure_json(metrics.max_correlation)},
            {"maxCorrelationPair",
             pair_names(metrics.max_correlation_first, metrics.max_correlation_second)},
            {"avgTailDependence", figure_json(metrics.avg_tail_dependence)},
            {"maxTailDependence", figure_json(metrics.max_tail_dependence)},
            {"maxTailDependencePair", pair_names(metrics.max_tail_first, metrics.max_tail_second)},
            {"effectiveFactors", figure_json(metrics.effective_factors)},
            {"highRiskPairsPct", figure_json(metrics.high_risk_pairs_share)},
            {"insufficientTailDataPairs", metrics.insufficient_tail_pairs},
            {"totalPairs", metrics.total_pairs}};
}

Json period_json(const WalkForwardResult& result, const WalkForwardPeriod& period,
                 Conventions conventions) {
    Json json = window_json(period.window, conventions);
    json["targetMetricInSample"] = figure_json(period.target_in_sample);
    json["targetMetricOutOfSample"] = figure_json(period.target_out_of_sample);
    json["diversificationMetrics"] =
        period.diversification ? diversification_json(*period.diversification, conventions)
                               : Json(nullptr);
    json["inSampleTrades"] = period.in_sample_trades;
    json["outOfSampleTrades"] = period.out_of_sample_trades;
    json["outOfSampleCoverage"] = period.out_of_sample_coverage;
    json["outOfSampleNetPl"] = figure_json(period.out_of_sample_net_pl);
    json["consistent"] = period.consistent;
    Json parameters = Json::object();
    for (std::size_t i = 0; i < result.parameter_names.size(); ++i) {
        parameters[result.parameter_names[i]] = period.parameters[i];
    }
    json["parameters"] = std::move(parameters);
    return json;
}

Json config_json(const Json& arguments, const WalkForwardResult& result) {
    Json json = {{"inSampleDays", result.in_sample_days},
                 {"outOfSampleDays", result.out_of_sample_days},
                 {"stepSizeDays", result.step_days}};
    json.update(echo_all(
        arguments, {"optimizationTarget", "isWindowCount", "oosWindowCount", "minInSampleTrades",
                    "minOutOfSampleTrades", "normalizeTo1Lot", "parameterRanges"}));
    json["combinations"] = result.combinations;
    return json;
}

Json floor_json(const Json& arguments, const WalkForwardOptions& options) {
    const bool asked =
        options.min_sharpe_ratio || options.min_profit_factor || options.require_positive_net_pl;
    return asked
               ? echo_all(arguments, {"minSharpeRatio", "minProfitFactor", "requirePositiveNetPl"})
               : Json(nullptr);
}

Json constraints_json(const Json& arguments, const WalkForwardOptions& options) {
    if (!options.diversification.enabled()) {
        return nullptr;
    }
    Json json = echo_all(
        arguments, {"enableCorrelationConstraint", "maxCorrelationThreshold", "correlationMethod",
                    "enableTailRiskConstraint", "maxTailDependenceThreshold", "tailThreshold"});
    json["normalization"] = echo(arguments, "diversificationNormalization");
    json["dateBasis"] = echo(arguments, "diversificationDateBasis");
    return json;
}

Json summary_json(const analytics::WalkForwardSummary& summary) {
    return {{"avgInSamplePerformance", figure_json(summary.avg_in_sample)},
            {"avgOutOfSamplePerformance", figure_json(summary.avg_out_of_sample)},
            {"degradationFactor", figure_json(summary.degradation_factor)},
            {"performanceDelta", figure_json(summary.performance_delta)},
            {"parameterStability", figure_json(summary.parameter_stability)},
            {"robustnessScore", figure_json(summary.robustness_score)},
            {"avgCorrelationAcrossPeriods", figure_json(summary.avg_correlation)},
            {"avgTailDependenceAcrossPeriods", figure_json(summary.avg_tail_dependence)},
            {"avgEffectiveFactors", figure_json(summary.avg_effective_factors)}};
}

Json verdict_json(const analytics::WalkForwardVerdict& verdict, Conventions conventions) {
    const auto rating = [&](std::optional<Rating> one) {
        return one ? Json(rating_name(one, conventions)) : Json(nullptr);
    };
    return {{"overall", rating(verdict.overall)},
            {"efficiency", rating(verdict.efficiency)},
            {"stability", rating(verdict.stability)},
            {"consistency", rating(verdict.consistency)},
            {"title", verdict_title(verdict)}};
}

Json result_json(const Json& arguments, const WalkForwardOptions& options,
                 const WalkForwardResult& result, Conventions conventions) {
    Json recommended = Json::object();
    for (const analytics::RecommendedParameter& parameter : result.recommended) {
        recommended[parameter.name] = {{"value", parameter.value},
                                       {"range", {parameter.min, parameter.max}},
                                       {"stable", parameter.stable}};
    }
    Json periods = Json::array();
    for (const WalkForwardPeriod& period : result.periods) {
        periods.push_back(period_json(result, period, conventions));
    }
    Json skipped = Json::array();
    for (const analytics::SkippedWindow& window : result.skipped) {
        Json json = window_json(window.window, conventions);
        json["reason"] = reason_text(window.reason);
        json["inSampleTrades"] = window.in_sample_trades;
        json["outOfSampleTrades"] = window.out_of_sample_trades;
        skipped.push_back(std::move(json));
    }
    Json filters = echo_all(arguments, {"strategy", "selectedStrategies", "tickerFilter",
                                        "dateRangeFrom", "dateRangeTo"});
    filters["dateFilterBy"] = date_filter_name(conventions);
    return {{"blockId", arguments["blockId"]},
            {"filters", std::move(filters)},
            {"config", config_json(arguments, result)},
            {"performanceFloor", floor_json(arguments, options)},
            {"diversificationConstraints", constraints_json(arguments, options)},
            {"summary", summary_json(result.summary)},
            {"stats",
             {{"totalPeriods", result.total_windows},
              {"evaluatedPeriods", result.periods.size()},
              {"skippedPeriods", result.skipped.size()},
              {"analyzedTrades", result.analyzed_trades},
              {"consistencyScore", figure_json(result.summary.consistency_score)},
              {"outOfSampleOverlaps", result.out_of_sample_overlaps}}},
            {"verdict", verdict_json(result.verdict, conventions)},
            {"recommendedParameters", std::move(recommended)},
            {"periods", std::move(periods)},
            {"skippedWindows", std::move(skipped)},
            {"riskFreeRate", rate_json(options.rates, conventions)}};
}

std::string parameters_text(const WalkForwardResult& result, const WalkForwardPeriod& period) {
    std::string text;
    for (std::size_t i = 0; i < result.parameter_names.size(); ++i) {
        text += fmt::format("{}{} {}", i == 0 ? "" : ", ", result.parameter_names[i],
                            mcp::number_text(period.parameters[i]));
    }
    return text.empty() ? "none" : text;
}

// Whether OOS and IS are compared per day of their stretch (02 I-31).
bool compared_per_day(const Json& arguments) {
    return !is_reference(arguments) && text_argument(arguments, "optimizationTarget") == "netPl";
}

std::string result_text(const Json& arguments, const WalkForwardOptions& options,
                        const WalkForwardResult& result, std::size_t budget) {
    const analytics::WalkForwardSummary& summary = result.summary;
    const analytics::WalkForwardVerdict& verdict = result.verdict;
    const Conventions conventions = conventions_of(arguments);
    std::string text = fmt::format(
        "Walk-forward of block {} on {}: {} days in sample, {} out, step {}; {} of {} windows "
        "evaluated, {} trades, {} combination(s); risk-free rate {}.\n"
        "Verdict: {} (efficiency {}, stability {}, consistency {}): {}.\n"
        "Mean in sample {}, out of sample {}, OOS/IS {}, OOS - IS {}{}; parameter stability {}, "
        "consistency {}, robustness {}.\n\n",
        mcp::cell_text(arguments["blockId"].get<std::string>()),
        *text_argument(arguments, "optimizationTarget"), result.in_sample_days,
        result.out_of_sample_days, result.step_days, result.periods.size(), result.total_windows,
        mcp::count_text(static_cast<std::int64_t>(result.analyzed_trades)), result.combinations,
        rate_source_text(options.rates), rating_name(verdict.overall, conventions),
        rating_name(verdict.efficiency, conventions), rating_name(verdict.stability, conventions),
        rating_name(verdict.consistency, conventions), verdict_title(verdict),
        mcp::ratio_text(summary.avg_in_sample), mcp::ratio_text(summary.avg_out_of_sample),
        mcp::ratio_text(summary.degradation_factor), mcp::ratio_text(summary.performance_delta),
        compared_per_day(arguments) && summary.performance_delta ? " a day" : "",
        mcp::ratio_text(summary.parameter_stability), mcp::ratio_text(summary.consistency_score),
        mcp::ratio_text(summary.robustness_score));
    for (const analytics::RecommendedParameter& parameter : result.recommended) {
        text += fmt::format("Recommended {}: {} (chosen between {} and {}{})\n",
                            mcp::cell_text(parameter.name), mcp::number_text(parameter.value),
                            mcp::number_text(parameter.min), mcp::number_text(parameter.max),
                            parameter.stable ? "" : "; unstable");
    }
    mcp::MarkdownTable table({"In sample", "Out of sample", "Trades in/out", "Target in",
                              "Target out", "Net P/L out", "Parameters"},
                             budget);
    for (const WalkForwardPeriod& period : result.periods) {
        const analytics::WalkForwardWindow& window = period.window;
        table.add_row(
            {window.in_sample_start.to_iso() + " to " + window.in_sample_end.to_iso(),
             window.out_of_sample_start.to_iso() + " to " + window.out_of_sample_end.to_iso(),
             fmt::format("{}/{}", period.in_sample_trades, period.out_of_sample_trades),
             mcp::ratio_text(period.target_in_sample), mcp::ratio_text(period.target_out_of_sample),
             mcp::money_text(period.out_of_sample_net_pl), parameters_text(result, period)});
    }
    if (table.rows_total() > 0) {
        text += table.text("raise maxChars or stepSizeDays") + "\n";
    }
    std::map<std::string_view, std::size_t> reasons;
    for (const analytics::SkippedWindow& window : result.skipped) {
        ++reasons[reason_text(window.reason)];
    }
    for (const auto& [reason, count] : reasons) {
        text += fmt::format("Skipped {} window(s): {}\n", count, reason);
    }
    return text;
}

std::vector<Explanation> explain(const Json& arguments, const WalkForwardResult& result,
                                 Conventions conventions) {
    const bool reference = conventions == Conventions::kReference;
    const std::string basis =
        reference ? "trades by the day opened" : "trades by the day realized, net P/L";
    const analytics::WalkForwardSummary& summary = result.summary;
    const std::size_t windows = result.periods.size();
    const auto consistent =
        std::count_if(result.periods.begin(), result.periods.end(),
                      [](const WalkForwardPeriod& period) { return period.consistent; });
    const std::string per_day = compared_per_day(arguments) ? ", both per day" : "";
    const Json target = {{"target", arguments["optimizationTarget"]}, {"windows", windows}};
    const Json means = {{"inSample", figure_json(summary.comparable_in_sample)},
                        {"outOfSample", figure_json(summary.comparable_out_of_sample)},
                        {"target", arguments["optimizationTarget"]}};
    std::vector<Explanation> out;
    const auto add = [&](const char* figure, std::string formula, const Json& inputs) {
        out.push_back(
            explanation(figure, std::move(formula), inputs, result.analyzed_trades, basis));
    };
    add("summary.avgInSamplePerformance",
        "mean over windows of the target in sample at the chosen parameters", target);
    add("summary.avgOutOfSamplePerformance",
        "mean over windows of the finite targets out of sample at the same parameters", target);
    add("summary.degradationFactor",
        "mean OOS target / mean IS target" + per_day +
            (reference ? " (0 if IS is 0)" : "; only where IS > 0"),
        means);
    add("summary.performanceDelta", "mean OOS target - mean IS target" + per_day, means);
    add("summary.parameterStability",
        reference ? "mean over parameters of 1 - min(|sd/mean|, 1) of the chosen values; 1 without "
                    "parameters"
                  : "mean over parameters of 1 - min(|sd/mean|, 1) of the chosen values; needs two "
                    "windows and a parameter",
        {{"windows", windows}, {"parameters", result.parameter_names.size()}});
    add("stats.consistencyScore",
        reference ? "share of windows with OOS target >= 0"
                  : "share of windows with OOS net P/L > 0 and target above neutral",
        {{"windows", windows}, {"consistent", consistent}});
    add("summary.robustnessScore",
        "mean of clamp(degradationFactor, 0, 2)/2, parameterStability, consistencyScore",
        {{"degradationFactor", figure_json(summary.degradation_factor)},
         {"parameterStability", figure_json(summary.parameter_stability)},
         {"consistencyScore", figure_json(summary.consistency_score)}});
    add("verdict",
        "degradationFactor: good from 0.8, moderate from 0.6; stability, consistency: from 0.7, "
        "0.5; overall by 2 points a good, 1 a moderate: good from 5, moderate from 3" +
            std::string(reference ? ""
                                  : "; none below 3 windows or without a choice of parameters; "
                                    "poor when the out-of-sample result is negative"),
        {{"degradationFactor", figure_json(summary.degradation_factor)},
         {"parameterStability", figure_json(summary.parameter_stability)},
         {"consistencyScore", figure_json(summary.consistency_score)}});
    add("recommendedParameters",
        "mean of the chosen values, 3 decimals; stable: population sd/|mean| < 0.3",
        {{"combinations", result.combinations}});
    add("periods[].targetMetricInSample",
        "target of the in-sample trades, best of the combinations within the limits",
        {{"combinations", result.combinations}});
    add("periods[].targetMetricOutOfSample",
        "target of the out-of-sample trades at the parameters chosen in sample",
        {{"target", arguments["optimizationTarget"]}});
    if (summary.avg_effective_factors) {
        add("summary.avgCorrelationAcrossPeriods, avgTailDependenceAcrossPeriods, "
            "avgEffectiveFactors",
            "mean over windows of the out-of-sample figures in periods[].diversificationMetrics",
            {{"windows", windows}});
    }
    return out;
}

// Figures without a value, which the reference leaves unexplained (02 I-3). There can be as many as
// windows: after some, the rest is counted.
std::vector<analytics::Note> notes_of(const WalkForwardResult& result) {
    constexpr std::size_t kWindowsNamed = 20;
    std::vector<analytics::Note> notes = result.notes;
    std::size_t windows = 0;
    for (std::size_t i = 0; i < result.periods.size(); ++i) {
        const WalkForwardPeriod& period = result.periods[i];
        if (!period.target_out_of_sample && ++windows <= kWindowsNamed) {
            notes.push_back({fmt::format("periods[{}].targetMetricOutOfSample", i),
                             period.target_out_of_sample_infinite
                                 ? "infinite: no loss out of sample"
                                 : "undefined for the trades of this stretch"});
        }
    }
    if (windows > kWindowsNamed) {
        notes.push_back(
            {"periods[].targetMetricOutOfSample",
             fmt::format("undefined or infinite in {} further windows", windows - kWindowsNamed)});
    }
    return notes;
}

mcp::Outcome<mcp::ToolResult> run_walk_forward(App& app, mcp::ToolContext& context,
                                               const Json& arguments) {
    TB_TRY_TOOL(WalkForwardOptions options, read_options(arguments));
    TB_TRY_TOOL(const RiskSelection selection,
                select_trades(app, context, arguments, "selectedStrategies"));
    TB_TRY_TOOL(const RateSource source,
                rate_source(app, context, number_argument(arguments, "riskFreeRateAnnualPct")));
    options.rates = source.rates;
    options.initial_capital = account_start_capital(selection);
    TB_TRY_TOOL(const WalkForwardResult result,
                analytics::run_walk_forward(selection.trades, options, selection.conventions,
                                            run_context(context)));
    AnswerFrame frame;
    frame.conventions = selection.conventions;
    frame.blocks = {&selection.fresh};
    frame.notes = notes_of(result);
    frame.warnings = source.warnings;
    frame.warnings.insert(frame.warnings.end(), result.warnings.begin(), result.warnings.end());
    frame.explain = wants_explanation(arguments);
    if (frame.explain) {
        frame.explanations = explain(arguments, result, selection.conventions);
    }
    return risk_result(
        context, result_json(arguments, options, result, selection.conventions), frame,
        result_text(arguments, options, result, answer_budget(context, selection.conventions) / 2),
        {"skippedWindows", "periods"});
}

}  // namespace

mcp::ToolSpec run_walk_forward_tool(App& app) {
    return {.name = "run_walk_forward",
            .title = "Walk-forward analysis",
            .description =
                "Optimizes sizing on in-sample windows and tests it on those that follow. "
                "Says how much in-sample performance survives. Needs 20 trades.",
            .toolset = "walkforward",
            .annotations = mcp::Annotations::reads(),
            .scope = "blocks:read",
            .arguments = argument_fields(),
            .results = result_fields(),
            .max_result_chars = mcp::kMaxRaisedResultChars,
            .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
                return run_walk_forward(app, context, arguments);
            }};
}

}  // namespace tb::tools
