// compare_backtest_to_actual: what live fills made of the backtest.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/backtest_vs_actual.h"
#include "core/number.h"
#include "mcp/json_text.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/json.h"
#include "tools/portfolio/common.h"
#include "tools/portfolio/statistics_json.h"
#include "tools/portfolio/tools.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using analytics::BacktestComparison;
using analytics::BacktestComparisonRequest;
using analytics::SlippageRow;
using mcp::Json;

constexpr std::size_t kTextRoom = 3'000;  // for what stands around the table

template <class Value>
Value choice_of(const Json& arguments, std::string_view name,
                const std::vector<std::pair<std::string_view, Value>>& values) {
    const auto given = text_argument(arguments, name);
    for (const auto& [text, value] : values) {
        if (given == text) {
            return value;
        }
    }
    return values.front().second;
}

// Whether the fills' opening times stand inside Date Opened: the reference does not see those.
Result<bool> times_from_timestamps(App& app, const CancelToken& cancel, std::string_view block_id) {
    TB_TRY(db::Connection connection, app.reader(cancel));
    TB_TRY(db::Rows rows,
           connection.query(
               "SELECT count(opened_at) FROM trades.reporting_data WHERE block_id = $1", block_id));
    TB_TRY([[maybe_unused]] const bool more, rows.next());
    return rows.get<std::int64_t>(0) > 0;
}

mcp::Outcome<BacktestComparisonRequest> request_of(const Json& arguments) {
    using analytics::DetailLevel;
    using analytics::SlippageGroupBy;
    using analytics::SlippageScaling;
    BacktestComparisonRequest request;
    request.conventions = conventions_of(arguments);
    request.strategy = text_argument(arguments, "strategy");
    TB_TRY_TOOL(request.dates, date_range_object_argument(arguments, request.conventions));
    if (request.dates && request.conventions == Conventions::kReference) {
        const Json& range = arguments["dateRange"];
        request.dates->from = analytics::reference_date_bound(
            text_argument(range, "from").value_or(""), analytics::BoundSide::kFrom);
        request.dates->to = analytics::reference_date_bound(text_argument(range, "to").value_or(""),
                                                            analytics::BoundSide::kTo);
    }
    request.scaling = choice_of<SlippageScaling>(arguments, "scaling",
                                                 {{"raw", SlippageScaling::kRaw},
                                                  {"perContract", SlippageScaling::kPerContract},
                                                  {"toReported", SlippageScaling::kToReported}});
    request.detail = choice_of<DetailLevel>(
        arguments, "detailLevel",
        {{"summary", DetailLevel::kSummary}, {"trades", DetailLevel::kTrades}});
    request.group_by = choice_of<SlippageGroupBy>(arguments, "groupBy",
                                                  {{"none", SlippageGroupBy::kNone},
                                                   {"strategy", SlippageGroupBy::kStrategy},
                                                   {"date", SlippageGroupBy::kDate},
                                                   {"week", SlippageGroupBy::kWeek},
                                                   {"month", SlippageGroupBy::kMonth}});
    request.matched_only = flag_argument(arguments, "matchedOnly").value_or(false);
    request.outliers_only = flag_argument(arguments, "outliersOnly").value_or(false);
    request.outlier_threshold = number_argument(arguments, "outliersThreshold").value_or(2);
    request.match_tolerance_minutes = static_cast<std::int32_t>(
        integer_argument(arguments, "matchToleranceMinutes").value_or(30));
    return request;
}

std::string_view severity_name(analytics::OutlierSeverity severity) {
    switch (severity) {
        case analytics::OutlierSeverity::kLow:
            return "low";
        case analytics::OutlierSeverity::kMedium:
            return "medium";
        case analytics::OutlierSeverity::kHigh:
            break;
    }
    return "high";
}

std::string_view confidence_name(analytics::MatchConfidence confidence) {
    switch (confidence) {
        case analytics::MatchConfidence::kLow:
            return "low";
        case analytics::MatchConfidence::kMedium:
            return "medium";
        case analytics::MatchConfidence::kHigh:
            break;
    }
    return "high";
}

// What a pair rests on: how sure it is, and how far its two sides are apart.
void add_evidence(Json& row, const analytics::PairEvidence& evidence) {
    row["matchConfidence"] = confidence_name(evidence.confidence);
    if (evidence.ambiguous) {
        row["matchAmbiguous"] = true;
    }
    if (evidence.minutes_apart) {
        row["minutesApart"] = *evidence.minutes_apart;
    }
    if (evidence.strikes_apart) {
        row["strikesApart"] = number_json(evidence.strikes_apart);
        row["expiryDaysApart"] = *evidence.expiry_days_apart;
    }
}

Json differences_json(const SlippageRow& row) {
    Json out = Json::array();
    for (const analytics::FieldDifference& difference : row.differences) {
        Json entry = {{"field", difference.field}};
        if (difference.delta) {
            entry["backtest"] = number_json(difference.backtest_value);
            entry["actual"] = number_json(difference.actual_value);
            entry["delta"] = number_json(difference.delta);
        } else {
            entry["backtest"] = difference.backtest;
            entry["actual"] = difference.actual;
        }
        out.push_back(std::move(entry));
    }
    return out;
}

Json context_json(const analytics::SlippageContext& context) {
    Json out = Json::object();
    const auto number = [&](const char* name, std::optional<double> value) {
        if (value) {
            out[name] = number_json(value);
        }
    };
    number("openingVix", context.opening_vix);
    number("closingVix", context.closing_vix);
    number("gap", context.gap);
    number("movement", context.movement);
    if (!context.backtest_reason_for_close.empty()) {
        out["backtestReasonForClose"] = context.backtest_reason_for_close;
    }
    if (!context.actual_reason_for_close.empty()) {
        out["actualReasonForClose"] = context.actual_reason_for_close;
    }
    return out;
}

Json row_json(const SlippageRow& row, Conventions conventions) {
    Json out = {{"date", row.date.to_iso()},
                {"strategy", row.strategy},
                {"timeOpened", row.time_opened()},
                {"matched", row.matched},
                {"backtestPl", number_json(row.backtest_pl)},
                {"actualPl", number_json(row.actual_pl)},
                {"scaledBacktestPl", number_json(row.scaled_backtest_pl)},
                {"slippage", row.matched || conventions == Conventions::kReference
                                 ? number_json(row.slippage)
                                 : Json(nullptr)},
                {"slippagePercent", number_json(row.slippage_percent)},
                {"backtestContracts", number_json(row.backtest_contracts)},
                {"actualContracts", number_json(row.actual_contracts)},
                {"scalingFactor", number_json(row.scaling_factor)},
                {"backtestLegs", text_json(row.backtest_legs)},
                {"actualLegs", text_json(row.actual_legs)},
                {"differences", differences_json(row)},
                {"isOutlier", row.is_outlier}};
    if (row.severity) {
        out["outlierSeverity"] = severity_name(*row.severity);
    }
    if (row.z_score) {
        out["zScore"] = number_json(row.z_score);
    }
    if (!row.context.empty()) {
        out["context"] = context_json(row.context);
    }
    if (conventions == Conventions::kCorrect) {
        out["scaledActualPl"] = number_json(row.scaled_actual_pl);
        if (row.evidence) {
            add_evidence(out, *row.evidence);
        }
    }
    return out;
}

Json rows_json(const std::vector<SlippageRow>& rows, Conventions conventions) {
    Json out = Json::array();
    for (const SlippageRow& row : rows) {
        out.push_back(row_json(row, conventions));
    }
    return out;
}

Json summary_json(const analytics::SlippageSummary& summary,
                  const BacktestComparisonRequest& request) {
    Json outliers = nullptr;
    if (summary.outliers) {
        const analytics::OutlierStats& stats = *summary.outliers;
        outliers = {{"meanSlippage", number_json(stats.mean_slippage)},
                    {"stdDevSlippage", number_json(stats.sd_slippage)},
                    {"threshold", stats.threshold},
                    {"outlierCount", stats.count},
                    {"outlierPercent", number_json(stats.percent)},
                    {"outlierTotalSlippage", number_json(stats.total_slippage)},
                    {"outlierAvgSlippage", number_json(stats.avg_slippage)}};
    }
    Json out = {{"totalComparisons", summary.total_comparisons},
                {"matchedComparisons", summary.matched_comparisons},
                {"unmatchedBacktestCount", summary.unmatched_backtest_count},
                {"unmatchedActualCount", summary.unmatched_actual_count},
                {"unmatchedBacktestPl", number_json(summary.unmatched_backtest_pl)},
                {"unmatchedActualPl", number_json(summary.unmatched_actual_pl)},
                {"totalBacktestPl", number_json(summary.total_backtest_pl)},
                {"totalActualPl", number_json(summary.total_actual_pl)},
                {"totalSlippage", number_json(summary.total_slippage)},
                {"avgSlippage", number_json(summary.avg_slippage)},
                {"avgSlippagePercent", number_json(summary.avg_slippage_percent)},
                {"outlierStats", std::move(outliers)},
                {"note", summary.note}};
    if (request.conventions == Conventions::kCorrect &&
        request.detail == analytics::DetailLevel::kTrades) {
        out["matchConfidence"] = {{"high", summary.high_confidence},
                                  {"medium", summary.medium_confidence},
                                  {"low", summary.low_confidence}};
    }
    return out;
}

Json unmatched_json(const std::optional<analytics::UnmatchedSide>& side) {
    if (!side) {
        return nullptr;
    }
    return {{"count", side->count},
            {"dateRange", {{"from", side->from.to_iso()}, {"to", side->to.to_iso()}}},
            {"totalPl", number_json(side->total_pl)},
            {"strategies", side->strategies}};
}

Json group_json(const analytics::SlippageGroup& group, Conventions conventions) {
    return {{"groupKey", group.key},
            {"count", group.count},
            {"matchedCount", group.matched_count},
            {"totalSlippage", number_json(group.total_slippage)},
            {"avgSlippage", number_json(group.avg_slippage)},
            {"outlierCount", group.outlier_count},
            {"comparisons", rows_json(group.rows, conventions)}};
}

// Rows inside groups give way first: a group's sums say more than its rows.
void shorten_groups(Json& answer, std::size_t budget) {
    for (const std::size_t most : {20U, 5U, 1U, 0U}) {
        if (budget == 0 || mcp::char_count(mcp::to_json_text(answer)) <= budget) {
            return;
        }
        for (Json& group : answer["groups"]) {
            Json& rows = group["comparisons"];
            if (rows.size() > most) {
                rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(most), rows.end());
                group["comparisonsShown"] = most;
            }
        }
    }
}

// What is wrong with the inputs comes first: all that follows is worth no more than they are.
std::string input_trouble_text(const BacktestComparison& comparison) {
    std::string text;
    for (const std::string& warning : comparison.warnings) {
        text += "Warning: " + mcp::visible_text(warning) + "\n";
    }
    return text.empty() ? text : text + "\n";
}

std::string summary_text(const BacktestComparison& comparison, const BlockData& block) {
    const analytics::SlippageSummary& summary = comparison.summary;
    mcp::MarkdownTable table({"Figure", "Value"});
    const auto row = [&](const char* name, const std::string& value) {
        table.add_row({name, value});
    };
    row("Backtest trades / live fills",
        fmt::format("{} / {}", mcp::count_text(comparison.backtest_trades),
                    mcp::count_text(comparison.actual_trades)));
    row("Rows compared / matched",
        fmt::format("{} / {}", mcp::count_text(summary.total_comparisons),
                    mcp::count_text(summary.matched_comparisons)));
    row("Only in the backtest",
        fmt::format("{} ({})", mcp::count_text(summary.unmatched_backtest_count),
                    dollars_text(summary.unmatched_backtest_pl)));
    row("Only live", fmt::format("{} ({})", mcp::count_text(summary.unmatched_actual_count),
                                 dollars_text(summary.unmatched_actual_pl)));
    row("Backtest P/L", dollars_text(summary.total_backtest_pl));
    row("Live P/L", dollars_text(summary.total_actual_pl));
    row("Slippage", summary.total_slippage
                        ? fmt::format("{} ({})", dollars_text(summary.total_slippage),
                                      share_text(summary.avg_slippage_percent))
                        : std::string("not known: nothing matched"));
    row("Slippage per matched row", dollars_text(summary.avg_slippage));
    row("Outliers", summary.outliers ? fmt::format("{} of |z| >= {}, {}",
                                                   mcp::count_text(summary.outliers->count),
                                                   mcp::number_text(summary.outliers->threshold),
                                                   dollars_text(summary.outliers->total_slippage))
                                     : std::string("n/a"));
    const std::int64_t judged =
        summary.high_confidence + summary.medium_confidence + summary.low_confidence;
    if (judged > 0) {
        row("Pairs that are sure / likely / doubtful",
            fmt::format("{} / {} / {}", mcp::count_text(summary.high_confidence),
                        mcp::count_text(summary.medium_confidence),
                        mcp::count_text(summary.low_confidence)));
    }
    std::string text = fmt::format("Backtest against live fills of {}\n{}",
                                   mcp::cell_text(block.block_id), table.text(""));
    if (comparison.auto_filter_applied) {
        text += "The backtest was cut to the days of the live fills.\n";
    }
    return text + summary.note + "\n";
}

std::string rows_text(const Json& answer, std::size_t budget) {
    const std::size_t room = budget > kTextRoom ? budget - kTextRoom : budget;
    if (answer.contains("groups")) {
        mcp::MarkdownTable table({"Group", "Rows", "Matched", "Slippage", "Per row", "Outliers"},
                                 room);
        for (const Json& group : answer["groups"]) {
            const auto money = [&](const char* name) {
                return group[name].is_null() ? "n/a" : mcp::money_text(group[name].get<double>());
            };
            table.add_row({group["groupKey"].get<std::string>(), group["count"].dump(),
                           group["matchedCount"].dump(), money("totalSlippage"),
                           money("avgSlippage"), group["outlierCount"].dump()});
        }
        return table.text("use offset or a shorter dateRange");
    }
    mcp::MarkdownTable table(
        {"Date", "Time", "Strategy", "Match", "Backtest", "Live", "Slippage", "z"}, room);
    for (const Json& row : answer["comparisons"]) {
        const auto money = [&](const char* name) {
            return row[name].is_null() ? "n/a" : mcp::money_text(row[name].get<double>());
        };
        table.add_row({row["date"].get<std::string>(), row["timeOpened"].get<std::string>(),
                       row["strategy"].get<std::string>(),
                       !row["matched"].get<bool>()       ? "no"
                       : row.contains("matchConfidence") ? row["matchConfidence"].get<std::string>()
                                                         : "yes",
                       money("backtestPl"), money("actualPl"), money("slippage"),
                       row.contains("zScore") && row["zScore"].is_number()
                           ? fixed_text(row["zScore"].get<double>(), 2)
                           : ""});
    }
    return table.text("use offset, matchedOnly, outliersOnly, groupBy or a shorter dateRange");
}

std::vector<Explanation> explanations(const BacktestComparison& comparison,
                                      const BacktestComparisonRequest& request,
                                      const Json& arguments) {
    const bool reference = request.conventions == Conventions::kReference;
    const analytics::SlippageSummary& summary = comparison.summary;
    const Json inputs = {{"scaling", arguments["scaling"]},
                         {"detailLevel", arguments["detailLevel"]},
                         {"backtestTrades", comparison.backtest_trades},
                         {"actualTrades", comparison.actual_trades}};
    const Json totals = {{"totalBacktestPl", number_json(summary.total_backtest_pl)},
                         {"totalActualPl", number_json(summary.total_actual_pl)},
                         {"totalSlippage", number_json(summary.total_slippage)},
                         {"matched", summary.matched_comparisons}};
    const std::int64_t matched = summary.matched_comparisons;
    const std::int64_t summed = reference ? summary.total_comparisons : matched;
    const std::string basis = "trade log and reporting log";
    std::vector<Explanation> out = {
        {"summary.totalSlippage",
         reference ? "actual - backtest P/L over the rows shown, one-sided rows included"
                   : "sum of actual - backtest P/L over all matched rows",
         totals, summed, basis},
        {"summary.totalBacktestPl, totalActualPl",
         reference ? "sums of the scaled P/L of the rows shown, one-sided rows included"
                   : "sums of scaledBacktestPl and scaledActualPl over all matched rows",
         inputs, summed, basis},
        {"summary.avgSlippage", "mean slippage of matched rows", totals, matched, basis},
        {"summary.avgSlippagePercent", "100*totalSlippage/|totalBacktestPl|", totals, matched,
         basis},
        {"summary.outlierStats",
         "matched rows with |z| >= threshold: count, percent of matched rows, slippage",
         Json{{"threshold", request.outlier_threshold}}, matched, basis},
        {"summary.unmatchedBacktestCount, unmatchedActualCount, unmatchedBacktestPl, "
         "unmatchedActualPl",
         reference ? "one-sided rows with a P/L other than 0, not scaled"
                   : "one-sided rows, P/L not scaled",
         inputs, summary.unmatched_backtest_count + summary.unmatched_actual_count, basis},
        {"comparisons[].scaledBacktestPl",
         "raw: backtestPl; perContract: backtestPl/backtestContracts; toReported: "
         "backtestPl*actualContracts/backtestContracts",
         inputs, summary.total_comparisons, basis},
        {"comparisons[].slippage",
         reference ? "scaled actual - scaled backtest P/L; 0 on one-sided rows"
                   : "scaled actual - scaled backtest P/L; null on one-sided rows",
         inputs, matched, basis},
        {"comparisons[].slippagePercent", "100*slippage/|scaledBacktestPl|", inputs, matched,
         basis},
        {"comparisons[].zScore", "(slippage - mean)/population sd over matched rows",
         summary.outliers ? Json{{"mean", number_json(summary.outliers->mean_slippage)},
                                 {"sd", number_json(summary.outliers->sd_slippage)}}
                          : Json::object(),
         matched, basis}};
    if (!reference && request.detail == analytics::DetailLevel::kTrades) {
        out.push_back({"comparisons[].matchConfidence",
                       "pairs of one day, strategy and type of legs at least total distance "
                       "(minutes, then strikes, expiries, contracts); high: at most 5 minutes and "
                       "1 % of the strike apart, same expiries; low: another pairing is as near, "
                       "or neither times nor legs can be compared; medium: the rest",
                       Json{{"high", summary.high_confidence},
                            {"medium", summary.medium_confidence},
                            {"low", summary.low_confidence}},
                       matched, basis});
    }
    if (!reference) {
        const analytics::SlippageCoverage& coverage = comparison.coverage;
        out.push_back({"coverage", "rows of a side, and 100 * matched rows / rows of the side",
                       Json{{"matched", matched},
                            {"backtestRows", coverage.backtest_rows},
                            {"actualRows", coverage.actual_rows}},
                       coverage.backtest_rows + coverage.actual_rows, basis});
    }
    return out;
}

Json answer_json(const BacktestComparison& comparison, const BacktestComparisonRequest& request,
                 const BlockData& block, const Json& arguments) {
    Json answer = {{"blockId", block.block_id},
                   {"strategy", echo(arguments, "strategy")},
                   {"scalingMode", echo(arguments, "scaling")},
                   {"dateRange", echo(arguments, "dateRange")},
                   {"autoFilterApplied", comparison.auto_filter_applied},
                   {"filters",
                    {{"matchedOnly", request.matched_only},
                     {"detailLevel", echo(arguments, "detailLevel")},
                     {"groupBy", echo(arguments, "groupBy")},
                     {"outliersOnly", request.outliers_only},
                     {"outliersThreshold", request.outlier_threshold}}},
                   {"backtestTradeCount", comparison.backtest_trades},
                   {"actualTradeCount", comparison.actual_trades},
                   {"backtestStrategies", comparison.backtest_strategies},
                   {"actualStrategies", comparison.actual_strategies},
                   {"summary", summary_json(comparison.summary, request)},
                   {"unmatchedSummary",
                    {{"backtest", unmatched_json(comparison.unmatched_backtest)},
                     {"actual", unmatched_json(comparison.unmatched_actual)}}}};
    if (request.conventions == Conventions::kCorrect) {
        const analytics::SlippageCoverage& coverage = comparison.coverage;
        answer["coverage"] = {
            {"backtestRows", coverage.backtest_rows},
            {"actualRows", coverage.actual_rows},
            {"matchedBacktestPercent", number_json(coverage.matched_backtest_percent)},
            {"matchedActualPercent", number_json(coverage.matched_actual_percent)}};
    }
    if (request.group_by == analytics::SlippageGroupBy::kNone) {
        answer["comparisons"] = rows_json(comparison.rows, request.conventions);
        return answer;
    }
    Json groups = Json::array();
    for (const analytics::SlippageGroup& group : comparison.groups) {
        groups.push_back(group_json(group, request.conventions));
    }
    answer["groups"] = std::move(groups);
    return answer;
}

mcp::Outcome<mcp::ToolResult> compare(App& app, mcp::ToolContext& context, const Json& arguments) {
    TB_TRY_TOOL(BacktestComparisonRequest request, request_of(arguments));
    TB_TRY_TOOL(const FreshBlock fresh,
                app.fresh_block(*text_argument(arguments, "blockId"), context.token()));
    const BlockData& block = *fresh.data;
    if (!block.has_reporting_log()) {
        return mcp::tool_error(fmt::format(
            "block '{}' has no reporting log (live fills): this comparison needs one beside the "
            "trade log; get_block_info says what a block has",
            block.block_id));
    }
    std::vector<std::string> known = block.trades.strategies;
    known.insert(known.end(), block.reporting.strategies.begin(), block.reporting.strategies.end());
    if (auto unknown = unknown_strategy(request.strategy, known, block.block_id)) {
        return tl::unexpected<mcp::ToolError>(std::move(*unknown));
    }
    if (request.conventions == Conventions::kReference) {
        TB_TRY_TOOL(request.fill_times_from_timestamp,
                    times_from_timestamps(app, context.token(), block.block_id));
    }
    TB_TRY_TOOL(const BacktestComparison comparison,
                analytics::compare_backtest_to_actual(block.trades, block.reporting, request,
                                                      context.token()));
    AnswerFrame frame{.conventions = request.conventions,
                      .blocks = {&fresh},
                      .warnings = comparison.warnings,
                      .counted_by = CountedBy::kOpeningDay,
                      .explain = wants_explanation(arguments)};
    if (frame.explain) {
        frame.explanations = explanations(comparison, request, arguments);
    }
    Json answer = answer_json(comparison, request, block, arguments);
    add_frame(answer, frame);
    const std::size_t text_room = context.budget_chars();
    const std::size_t budget = answer_budget(context, request.conventions);
    if (answer.contains("groups")) {
        shorten_groups(answer, budget);
    }
    page_list(answer, answer.contains("groups") ? "groups" : "comparisons", arguments, budget);
    frame.warnings.clear();  // of the text: they stand at its top
    std::string text = input_trouble_text(comparison) + summary_text(comparison, block) + "\n" +
                       rows_text(answer, text_room) + frame_text(frame);
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(answer)};
}

std::vector<mcp::Field> argument_fields() {
    std::vector<mcp::Field> fields = {
        block_argument(),
        strategy_argument(),
        field::choice("scaling", {"raw", "perContract", "toReported"},
                      "toReported: backtest scaled to the live contracts")
            .default_value("raw"),
        date_range_object(),
        field::boolean("matchedOnly", "Leave out one-sided rows").default_value(false),
        field::choice("detailLevel", {"summary", "trades"}, "summary: per day and strategy")
            .default_value("summary"),
        field::boolean("outliersOnly", "Only outliers").default_value(false),
        field::number("outliersThreshold", "|z| of an outlier").at_least(0).default_value(2),
        field::choice("groupBy", {"none", "strategy", "date", "week", "month"}, "Sum rows up")
            .default_value("none"),
        field::integer("matchToleranceMinutes", "Most minutes between a trade and its fill")
            .range(0, 1440)
            .default_value(30)};
    for (mcp::Field& page : page_arguments()) {
        fields.push_back(std::move(page));
    }
    fields.push_back(conventions_argument());
    fields.push_back(explain_argument());
    return fields;
}

}  // namespace

mcp::ToolSpec compare_backtest_to_actual_tool(App& app) {
    return {.name = "compare_backtest_to_actual",
            .title = "Backtest against live fills",
            .description =
                "Pairs the trade log with the reporting log and reports slippage (live minus "
                "backtest P/L, dollars; negative is worse), how sure each pair is, outliers and "
                "what has no partner. "
                "Needs a block with both logs; for counts alone use get_reporting_log_stats.",
            .toolset = "portfolio",
            .annotations = mcp::Annotations::reads(),
            .scope = "blocks:read",
            .arguments = argument_fields(),
            .results =
                with_frame({field::text("blockId", "The block"),
                            open_object("summary", "Totals of the matched rows"),
                            open_object("unmatchedSummary", "backtest, actual"),
                            open_list("comparisons", "Largest |slippage| first").optional(),
                            open_list("groups", "With groupBy, instead").optional(), page_field()}),
            .max_result_chars = mcp::kMaxRaisedResultChars,
            .handler = [&app](mcp::ToolContext& context, const Json& given) {
                return compare(app, context, given);
            }};
}

}  // namespace tb::tools
