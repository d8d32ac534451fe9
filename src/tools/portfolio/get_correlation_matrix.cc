// get_correlation_matrix: how the strategies of a block move together (02 §4.7).
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/correlation.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/portfolio/risk.h"
#include "tools/portfolio/risk_common.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using analytics::CorrelationMethod;
using analytics::CorrelationPair;
using analytics::CorrelationResult;
using mcp::Json;

std::vector<mcp::Field> argument_fields() {
    std::vector<mcp::Field> fields = {
        block_argument(),
        field::choice("method", {"kendall", "spearman", "pearson"}, "Kind of correlation")
            .default_value("kendall"),
        field::choice("alignment", {"shared", "zero-pad"},
                      "Periods both traded, or all with 0 where absent")
            .default_value("shared"),
        normalization_argument(),
        date_basis_argument(),
        field::choice("timePeriod", {"daily", "weekly", "monthly"}, "P/L is summed by")
            .default_value("daily"),
        field::integer("minSamples", "Shared periods a pair needs to count")
            .range(2, 1e9)
            .default_value(10),
        field::list("strategyFilter", field::text_schema(), "Only these strategies (any case)"),
        ticker_argument(),
        field::number("highlightThreshold", "List pairs above it").range(0, 1).default_value(0.7),
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
        field::list("strategies", field::text_schema(), "Rows and columns"),
        matrix_field("correlationMatrix", "null: undefined"),
        matrix_field("sampleSizes", "Shared periods"),
        open_object("analytics", "averageCorrelation, strongest, weakest"),
        open_list("highlyCorrelatedPairs", "pair, value, sampleSize"),
    });
}

analytics::CorrelationOptions read_options(const Json& arguments) {
    analytics::CorrelationOptions options;
    const std::string method = *text_argument(arguments, "method");
    options.method = method == "kendall"    ? CorrelationMethod::kKendall
                     : method == "spearman" ? CorrelationMethod::kSpearman
                                            : CorrelationMethod::kPearson;
    options.alignment = text_argument(arguments, "alignment") == "zero-pad"
                            ? analytics::Alignment::kZeroPad
                            : analytics::Alignment::kShared;
    options.series.normalization = normalization_of(arguments);
    options.series.date_basis = date_basis_of(arguments);
    const std::string period = *text_argument(arguments, "timePeriod");
    options.series.time_period = period == "daily"    ? analytics::TimePeriod::kDaily
                                 : period == "weekly" ? analytics::TimePeriod::kWeekly
                                                      : analytics::TimePeriod::kMonthly;
    options.min_samples = static_cast<std::size_t>(*integer_argument(arguments, "minSamples"));
    options.highlight_threshold = *number_argument(arguments, "highlightThreshold");
    return options;
}

Json names_json(const CorrelationResult& result, std::size_t first, std::size_t second) {
    return {result.strategies[first], result.strategies[second]};
}

Json pair_json(const CorrelationResult& result, const CorrelationPair& pair) {
    return {{"value", figure_json(pair.value)},
            {"pair", names_json(result, pair.first, pair.second)},
            {"sampleSize", pair.sample_size}};
}

// Without a valid pair: null, or what the reference shows for it.
Json extreme_json(const CorrelationResult& result, const std::optional<CorrelationPair>& pair,
                  Conventions conventions) {
    if (pair) {
        return pair_json(result, *pair);
    }
    return conventions == Conventions::kReference
               ? Json({{"value", nullptr}, {"pair", {"", ""}}, {"sampleSize", 0}})
               : Json(nullptr);
}

Json result_json(const Json& arguments, const RiskSelection& selection,
                 const CorrelationResult& result) {
    Json options =
        echo_all(arguments, {"method", "alignment", "normalization", "dateBasis", "timePeriod",
                             "minSamples", "highlightThreshold", "strategyFilter", "tickerFilter",
                             "dateRangeFrom", "dateRangeTo"});
    options["dateFilterBy"] = date_filter_name(selection.conventions);
    Json high = Json::array();
    for (const CorrelationPair& pair : result.highly_correlated) {
        high.push_back(pair_json(result, pair));
    }
    Json undefined = Json::array();
    for (const analytics::UndefinedPair& pair : result.undefined_pairs) {
        undefined.push_back({{"pair", names_json(result, pair.first, pair.second)},
                             {"reason", pair.reason == analytics::UndefinedReason::kTooFewSamples
                                            ? "fewer than two shared periods"
                                            : "one side never changes"}});
    }
    return {{"blockId", arguments["blockId"]},
            {"options", std::move(options)},
            {"tradesAnalyzed", result.trades_analyzed},
            {"strategies", result.strategies},
            {"correlationMatrix", matrix_json(result.matrix)},
            {"sampleSizes", result.sample_sizes},
            {"analytics",
             {{"averageCorrelation", figure_json(result.average)},
              {"strongest", extreme_json(result, result.strongest, selection.conventions)},
              {"weakest", extreme_json(result, result.weakest, selection.conventions)},
              {"strategyCount", result.strategies.size()},
              {"insufficientDataPairs", result.insufficient_data_pairs}}},
            {"highlyCorrelatedPairs", std::move(high)},
            {"undefinedPairs", std::move(undefined)}};
}

std::string pair_text(const CorrelationResult& result, const std::optional<CorrelationPair>& pair) {
    return pair ? fmt::format("{} ({} / {}, {} shared periods)", mcp::ratio_text(pair->value),
                              mcp::cell_text(result.strategies[pair->first]),
                              mcp::cell_text(result.strategies[pair->second]), pair->sample_size)
                : "none: no pair has enough shared periods";
}

std::string result_text(const Json& arguments, const CorrelationResult& result,
                        Conventions conventions, std::size_t budget) {
    const std::string method = *text_argument(arguments, "method");
    std::string text = fmt::format(
        "{} correlation of {} strategies, {} {} P/L, {} ({} trades)\n"
        "Average: {}\nStrongest: {}\nWeakest: {}\nPairs with too little data: {}\n\n",
        method == "kendall"
            ? (conventions == Conventions::kReference ? "Kendall tau-a" : "Kendall tau-b")
        : method == "spearman" ? "Spearman"
                               : "Pearson",
        result.strategies.size(), *text_argument(arguments, "timePeriod"),
        *text_argument(arguments, "normalization"), *text_argument(arguments, "alignment"),
        mcp::count_text(static_cast<std::int64_t>(result.trades_analyzed)),
        mcp::ratio_text(result.average), pair_text(result, result.strongest),
        pair_text(result, result.weakest), result.insufficient_data_pairs);
    std::vector<std::string> titles = {"#", "Strategy"};
    for (std::size_t i = 0; i < result.strategies.size(); ++i) {
        titles.push_back(std::to_string(i + 1));
    }
    mcp::MarkdownTable table(titles, budget);
    for (std::size_t i = 0; i < result.matrix.size(); ++i) {
        std::vector<std::string> cells = {std::to_string(i + 1), result.strategies[i]};
        for (std::size_t j = 0; j < result.matrix[i].size(); ++j) {
            const auto& value = result.matrix[i][j];
            cells.push_back(!value   ? "N/A"
                            : i == j ? "1"
                                     : fmt::format("{} ({})", mcp::ratio_text(value),
                                                   result.sample_sizes[i][j]));
        }
        table.add_row(cells);
    }
    return text + "Value (shared periods):\n" +
           table.text("strategyFilter narrows it, maxChars raises the limit") + "\n";
}

std::vector<Explanation> explain(const Json& arguments, const RiskSelection& selection,
                                 const CorrelationResult& result) {
    const bool reference = selection.conventions == Conventions::kReference;
    const std::string method = *text_argument(arguments, "method");
    const std::string formula = method == "pearson"    ? "sum(dx*dy) / sqrt(sum(dx^2)*sum(dy^2))"
                                : method == "spearman" ? "Pearson correlation of average ranks"
                                : reference
                                    ? "tau-a: (C - D) / (n*(n-1)/2)"
                                    : "tau-b: (C - D) / sqrt((n0 - Tx)*(n0 - Ty)), n0 = n*(n-1)/2";
    const std::string basis =
        fmt::format("{} {} P/L by {} day, {} periods", *text_argument(arguments, "timePeriod"),
                    reference ? "reported" : "net", *text_argument(arguments, "dateBasis"),
                    *text_argument(arguments, "alignment"));
    const std::size_t pairs = result.strategies.size() * (result.strategies.size() - 1) / 2;
    const Json counted = {{"pairs", pairs},
                          {"left out", result.insufficient_data_pairs},
                          {"minSamples", arguments["minSamples"]}};
    return {
        explanation("correlationMatrix", formula,
                    echo_all(arguments, {"method", "alignment", "normalization"}),
                    result.trades_analyzed, basis),
        explanation("sampleSizes", "periods both strategies traded; on the diagonal those of one",
                    echo_all(arguments, {"timePeriod", "dateBasis"}), result.trades_analyzed,
                    basis),
        explanation("analytics.averageCorrelation",
                    "mean over pairs with a value and at least minSamples shared periods", counted,
                    result.trades_analyzed, basis),
        explanation("analytics.strongest, weakest",
                    "largest and smallest signed value of the same pairs", counted,
                    result.trades_analyzed, basis),
        explanation("highlyCorrelatedPairs", "the same pairs with |value| above highlightThreshold",
                    echo_all(arguments, {"highlightThreshold", "minSamples"}),
                    result.trades_analyzed, basis)};
}

mcp::Outcome<mcp::ToolResult> get_correlation_matrix(App& app, mcp::ToolContext& context,
                                                     const Json& arguments) {
    const analytics::CorrelationOptions options = read_options(arguments);
    TB_TRY_TOOL(const RiskSelection selection,
                select_trades(app, context, arguments, "strategyFilter"));
    if (auto refused = too_many_to_pair(selection)) {
        return tl::unexpected<mcp::ToolError>(std::move(*refused));
    }
    TB_TRY_TOOL(const CorrelationResult result,
                analytics::correlation_matrix(selection.trades, options, selection.conventions,
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
        context, result_json(arguments, selection, result), frame,
        result_text(arguments, result, selection.conventions,
                    answer_budget(context, selection.conventions) / 2),
        {"undefinedPairs", "highlyCorrelatedPairs", "sampleSizes", "correlationMatrix"});
}

}  // namespace

mcp::ToolSpec get_correlation_matrix_tool(App& app) {
    return {.name = "get_correlation_matrix",
            .title = "Strategy correlations",
            .description =
                "Pairwise correlation of the P/L of a block's strategies (at least "
                "two). For joint losses use get_tail_risk.",
            .toolset = "risk",
            .annotations = mcp::Annotations::reads(),
            .scope = "blocks:read",
            .arguments = argument_fields(),
            .results = result_fields(),
            .max_result_chars = mcp::kMaxRaisedResultChars,
            .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
                return get_correlation_matrix(app, context, arguments);
            }};
}

}  // namespace tb::tools
