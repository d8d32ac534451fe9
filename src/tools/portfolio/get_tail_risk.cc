// get_tail_risk: how strategies lose together (02 §4.8).
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/tail_risk.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/json.h"
#include "tools/portfolio/risk.h"
#include "tools/portfolio/risk_common.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using analytics::TailRiskPair;
using analytics::TailRiskResult;
using mcp::Json;

std::vector<mcp::Field> argument_fields() {
    std::vector<mcp::Field> fields = {
        block_argument(),
        field::number("tailThreshold", "Share of days that is a strategy's tail")
            .range(0.01, 0.5)
            .default_value(0.1),
        field::integer("minTradingDays", "Shared days a pair needs")
            .range(10, 1e9)
            .default_value(30),
        normalization_argument(),
        date_basis_argument(),
        field::list("strategyFilter", field::text_schema(), "Only these strategies (any case)"),
        ticker_argument(),
        field::number("varianceThreshold", "Explained share that counts as all")
            .range(0.5, 0.99)
            .default_value(0.8),
        conventions_argument(),
        explain_argument(),
        max_chars_argument()};
    for (mcp::Field& bound : date_bound_arguments()) {
        fields.push_back(std::move(bound));
    }
    return fields;
}

// The rest of what is returned is named in the answer itself: tools/list stays small (06 T13).
std::vector<mcp::Field> result_fields() {
    return with_frame({
        field::text("blockId", "The block"),
        field::text("status", "complete, partial or insufficient_data"),
        field::list("strategies", field::text_schema(), "Rows and columns"),
        open_object("analytics", "Highest, lowest, average joint tail risk"),
        field::integer("effectiveFactors", "Independent factors").nullable(),
        open_list("marginalContributions", "By strategy"),
        matrix_field("jointTailRiskMatrix", "P(column in tail | row in tail)"),
    });
}

analytics::TailRiskOptions read_options(const Json& arguments) {
    analytics::TailRiskOptions options;
    options.tail_threshold = *number_argument(arguments, "tailThreshold");
    options.min_trading_days =
        static_cast<std::size_t>(*integer_argument(arguments, "minTradingDays"));
    options.normalization = normalization_of(arguments);
    options.date_basis = date_basis_of(arguments);
    options.variance_threshold = *number_argument(arguments, "varianceThreshold");
    return options;
}

std::string_view status_name(analytics::TailRiskStatus status) {
    switch (status) {
        case analytics::TailRiskStatus::kComplete:
            return "complete";
        case analytics::TailRiskStatus::kPartial:
            return "partial";
        case analytics::TailRiskStatus::kInsufficientData:
            break;
    }
    return "insufficient_data";
}

std::string_view level_name(analytics::TailRiskLevel level) {
    switch (level) {
        case analytics::TailRiskLevel::kLow:
            return "low";
        case analytics::TailRiskLevel::kModerate:
            return "moderate";
        case analytics::TailRiskLevel::kHigh:
            break;
    }
    return "high";
}

// Without a valid pair: null, or what the reference shows for it.
Json pair_json(const TailRiskResult& result, const std::optional<TailRiskPair>& pair,
               Conventions conventions) {
    if (pair) {
        return {{"value", figure_json(pair->value)},
                {"pair", {result.strategies[pair->first], result.strategies[pair->second]}}};
    }
    return conventions == Conventions::kReference ? Json({{"value", 0}, {"pair", {"", ""}}})
                                                  : Json(nullptr);
}

Json contributions_json(const TailRiskResult& result) {
    Json list = Json::array();
    for (const analytics::TailRiskContribution& one : result.contributions) {
        list.push_back({{"strategy", result.strategies[one.strategy]},
                        {"tailRiskContribution", figure_json(one.tail_risk_contribution)},
                        {"concentrationScore", figure_json(one.concentration)},
                        {"avgTailDependence", figure_json(one.avg_tail_dependence)}});
    }
    return list;
}

Json result_json(const Json& arguments, Conventions conventions, const TailRiskResult& result) {
    Json options = echo_all(arguments, {"tailThreshold", "minTradingDays", "normalization",
                                        "dateBasis", "strategyFilter", "tickerFilter",
                                        "dateRangeFrom", "dateRangeTo", "varianceThreshold"});
    options["dateFilterBy"] = date_filter_name(conventions);
    return {
        {"blockId", arguments["blockId"]},
        {"options", std::move(options)},
        {"status", status_name(result.status)},
        {"level", result.level ? Json(level_name(*result.level)) : Json(nullptr)},
        {"strategies", result.strategies},
        {"tradingDaysUsed", result.trading_days},
        {"dateRange",
         {{"start", instant_json(result.first_day, conventions)},
          {"end", instant_json(result.last_day, conventions)}}},
        {"tailThreshold", arguments["tailThreshold"]},
        {"varianceThreshold", arguments["varianceThreshold"]},
        {"analytics",
         {{"highestJointTailRisk", pair_json(result, result.highest, conventions)},
          {"lowestJointTailRisk", pair_json(result, result.lowest, conventions)},
          {"averageJointTailRisk", figure_json(result.average)},
          {"highRiskPairsPct", figure_json(result.high_risk_pairs_share)}}},
        {"effectiveFactors",
         result.effective_factors ? Json(*result.effective_factors) : Json(nullptr)},
        {"eigenvalues", result.eigenvalues},
        {"explainedVariance", result.explained_variance},
        {"marginalContributions", contributions_json(result)},
        {"insufficientDataPairs", result.insufficient_directions},
        {"pairsWithoutValue", result.insufficient_pairs},
        {"jointTailRiskMatrix", matrix_json(result.joint_tail_risk)},
        {"copulaCorrelationMatrix", matrix_json(result.copula_correlation)},
        {"copulaRepaired", result.copula_repaired},
        {"smallestRawEigenvalue", figure_json(result.smallest_raw_eigenvalue)},
        {"sharedDays", result.shared_days},
        {"tailDays", result.tail_days},
    };
}

std::string pair_text(const TailRiskResult& result, const std::optional<TailRiskPair>& pair) {
    return pair ? fmt::format("{} ({} / {})", mcp::ratio_text(pair->value),
                              mcp::cell_text(result.strategies[pair->first]),
                              mcp::cell_text(result.strategies[pair->second]))
                : "unknown: no pair has enough data";
}

std::string result_text(const TailRiskResult& result, double threshold, std::size_t budget) {
    std::string text = fmt::format(
        "Joint tail risk (worst {} of days) of {} strategies over {} days{}: {}\n"
        "Highest: {}\nLowest: {}\nAverage: {}\nEffective factors: {}\n\n",
        mcp::percent_text(100 * threshold), result.strategies.size(), result.trading_days,
        result.first_day && result.last_day
            ? " from " + result.first_day->to_iso() + " to " + result.last_day->to_iso()
            : "",
        result.level ? level_name(*result.level) : "not enough data for a judgement",
        pair_text(result, result.highest), pair_text(result, result.lowest),
        mcp::ratio_text(result.average),
        result.effective_factors ? std::to_string(*result.effective_factors) : "N/A");
    mcp::MarkdownTable table({"Strategy", "Risk contribution", "Concentration", "Tail dependence"},
                             budget);
    for (const analytics::TailRiskContribution& one : result.contributions) {
        table.add_row(
            {result.strategies[one.strategy], mcp::percent_text(one.tail_risk_contribution),
             mcp::ratio_text(one.concentration), mcp::ratio_text(one.avg_tail_dependence)});
    }
    if (table.rows_total() > 0) {
        text += table.text("strategyFilter narrows it, maxChars raises the limit") + "\n";
    }
    if (result.copula_repaired) {
        text += fmt::format(
            "The pairwise correlations fit no joint distribution (smallest eigenvalue {}); {} is "
            "used.\n",
            mcp::number_text(result.smallest_raw_eigenvalue),
            result.repair_converged ? "the nearest correlation matrix (Higham 2002)"
                                    : "a correlation matrix near to it");
    }
    return text;
}

std::vector<Explanation> explain(const Json& arguments, const RiskSelection& selection,
                                 const TailRiskResult& result) {
    const bool reference = selection.conventions == Conventions::kReference;
    const std::string days = reference ? "daily reported P/L, idle days as 0 for ranks"
                                       : "daily net P/L on days both traded";
    const std::string tail_days = reference ? "daily reported P/L" : days;
    std::vector<Explanation> out;
    const auto add = [&](const char* figure, std::string formula, const Json& inputs,
                         const std::string& basis) {
        out.push_back(
            explanation(figure, std::move(formula), inputs, selection.trades.trades.size(), basis));
    };
    const std::size_t n = result.strategies.size();
    const Json pairs = {{"pairs", n < 2 ? 0 : n * (n - 1) / 2},
                        {"pairsWithoutValue", result.insufficient_pairs}};
    add("jointTailRiskMatrix",
        "days both are in their tail / days the row is, over days both traded",
        {{"tailThreshold", arguments["tailThreshold"]},
         {"tailDays", result.tail_days},
         {"leastTailDays", "max(5, ceil(0.1*tailThreshold*shared days))"}},
        tail_days);
    add("analytics.highestJointTailRisk, lowestJointTailRisk, averageJointTailRisk",
        "of the pairs' values, each the mean of both directions in jointTailRiskMatrix", pairs,
        tail_days);
    add("analytics.highRiskPairsPct", "share (fraction) of the pairs with a value above 0.5", pairs,
        tail_days);
    add("level", "of the highest pair: high above 0.5, moderate above 0.3, else low", pairs,
        tail_days);
    add("copulaCorrelationMatrix",
        reference
            ? "sin(pi*tau_b/2)"
            : "sin(pi*tau_b/2); if not positive semi-definite, the correlation matrix nearest in "
              "the Frobenius norm (Higham 2002)",
        {{"repaired", result.copula_repaired},
         {"smallestRawEigenvalue", figure_json(result.smallest_raw_eigenvalue)}},
        days);
    add("eigenvalues, explainedVariance",
        "of copulaCorrelationMatrix, largest first, and their cumulative share", pairs, days);
    add("effectiveFactors", "fewest eigenvalues whose cumulative share reaches varianceThreshold",
        {{"varianceThreshold", arguments["varianceThreshold"]},
         {"eigenvalues", result.eigenvalues}},
        days);
    add("marginalContributions[].concentrationScore",
        "|v1_i|/sum|v1|, v1 = first eigenvector of copulaCorrelationMatrix",
        {{"eigenvalues", result.eigenvalues}}, days);
    add("marginalContributions[].avgTailDependence",
        "mean value of the strategy's pairs with the others", pairs, tail_days);
    add("marginalContributions[].tailRiskContribution",
        reference
            ? "100*(0.5*concentrationScore + 0.5*avgTailDependence)"
            : "w = 0.5*concentrationScore + 0.5*avgTailDependence; 100*w/sum of all w, so that "
              "the strategies with one add up to 100 %",
        pairs, days);
    return out;
}

mcp::Outcome<mcp::ToolResult> get_tail_risk(App& app, mcp::ToolContext& context,
                                            const Json& arguments) {
    const analytics::TailRiskOptions options = read_options(arguments);
    TB_TRY_TOOL(RiskSelection selection, select_trades(app, context, arguments, "strategyFilter"));
    const BlockData& block = *selection.fresh.data;
    if (block.trades.strategies.size() < 2) {
        return mcp::tool_error(
            fmt::format("tail risk needs at least two strategies, block '{}' has {}",
                        block.block_id, block.trades.strategies.size()));
    }
    if (selection.conventions == Conventions::kReference) {
        selection.trades = analytics::filter_tail_risk_reference(
            block.trades,
            {selection.filter.strategies, selection.filter.ticker, selection.filter.dates});
    }
    if (auto refused = too_many_to_pair(selection)) {
        return tl::unexpected<mcp::ToolError>(std::move(*refused));
    }
    TB_TRY_TOOL(const TailRiskResult result,
                analytics::tail_risk(selection.trades, options, selection.conventions,
                                     run_context(context)));
    AnswerFrame frame;
    frame.conventions = selection.conventions;
    frame.counted_by = text_argument(arguments, "dateBasis") == "opened" ? CountedBy::kOpeningDay
                                                                         : CountedBy::kClosingDay;
    frame.blocks = {&selection.fresh};
    frame.warnings = result.warnings;
    frame.explain = wants_explanation(arguments);
    if (frame.explain) {
        frame.explanations = explain(arguments, selection, result);
    }
    return risk_result(
        context, result_json(arguments, selection.conventions, result), frame,
        result_text(result, options.tail_threshold,
                    answer_budget(context, selection.conventions) / 2),
        {"sharedDays", "copulaCorrelationMatrix", "jointTailRiskMatrix", "marginalContributions"});
}

}  // namespace

mcp::ToolSpec get_tail_risk_tool(App& app) {
    return {.name = "get_tail_risk",
            .title = "Joint tail risk",
            .description =
                "How often a block's strategies (at least two) have their worst days "
                "together, and how many independent factors they amount to.",
            .toolset = "risk",
            .annotations = mcp::Annotations::reads(),
            .scope = "blocks:read",
            .arguments = argument_fields(),
            .results = result_fields(),
            .max_result_chars = mcp::kMaxRaisedResultChars,
            .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
                return get_tail_risk(app, context, arguments);
            }};
}

}  // namespace tb::tools
