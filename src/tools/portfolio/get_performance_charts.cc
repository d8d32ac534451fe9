// get_performance_charts: the series behind a block's charts (02 §4.10).
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/equity.h"
#include "analytics/log_flows.h"
#include "analytics/realization.h"
#include "analytics/selection.h"
#include "analytics/statistics.h"
#include "core/number.h"
#include "mcp/json_text.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/json.h"
#include "tools/portfolio/chart_series.h"
#include "tools/portfolio/common.h"
#include "tools/portfolio/statistics_json.h"
#include "tools/portfolio/tools.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using mcp::Json;

constexpr std::size_t kTextPoints = 24;         // of a series in the text
constexpr std::size_t kFewestPoints = 8;        // before the budget is given up
constexpr std::int64_t kReferencePoints = 500;  // maxDataPoints when left out
constexpr std::size_t kTextRoom = 1'500;        // for what stands around the tables

std::string cell_of(const Json& value) {
    if (value.is_null() || (value.is_number_float() && !std::isfinite(value.get<double>()))) {
        return "n/a";
    }
    if (value.is_number_float()) {
        return fixed_text(value.get<double>(), 2);
    }
    return value.is_string() ? value.get<std::string>() : mcp::to_json_text(value);
}

// A chart as text, whatever its shape: rows of objects, years of months, or single figures.
void add_chart_text(std::string& text, const std::string& title, const Json& chart) {
    if (chart.is_array() && !chart.empty() && chart.front().is_object()) {
        std::vector<std::string> titles;
        for (const auto& [name, value] : chart.front().items()) {
            titles.push_back(name);
        }
        mcp::MarkdownTable table(titles);
        for (const Json& row : chart) {
            std::vector<std::string> cells;
            for (const auto& [name, value] : row.items()) {
                cells.push_back(cell_of(value));
            }
            table.add_row(cells);
        }
        text += title + "\n" + table.text("") + "\n";
        return;
    }
    if (!chart.is_object()) {
        text += title + ": " + (chart.empty() ? "no values" : cell_of(chart)) + "\n";
        return;
    }
    std::string singles;
    for (const auto& [name, value] : chart.items()) {
        if (value.is_object() && !value.empty() && value.begin()->is_primitive()) {
            std::string line;
            for (const auto& [key, entry] : value.items()) {
                line += (line.empty() ? "" : ", ") + key + " " + cell_of(entry);
            }
            text += title + "." + name + ": " + line + "\n";
        } else if (value.is_array() || value.is_object()) {
            add_chart_text(text, title + "." + name, value);
        } else {
            singles +=
                (singles.empty() ? "" : ", ") + name + " " + mcp::visible_text(cell_of(value));
        }
    }
    if (!singles.empty()) {
        text += title + ": " + singles + "\n";
    }
}

std::string charts_text(const ChartSet& charts, const Json& answer, std::size_t budget) {
    Rendering rendering;
    rendering.most = kTextPoints;
    Json few = Json::object();
    charts.render(few, rendering);
    std::string text;
    for (const auto& [key, chart] : few.items()) {
        add_chart_text(text, key, chart);
    }
    if (!rendering.thinned.is_null()) {
        text += fmt::format(
            "Series are shown with at most {} points here: first, last and "
            "extremes of equal stretches.\n",
            kTextPoints);
    }
    std::string head = fmt::format("Charts of {}: {} trades\n",
                                   mcp::cell_text(answer["blockId"].get<std::string>()),
                                   mcp::count_text(answer["tradesAnalyzed"].get<std::int64_t>()));
    if (budget > kTextRoom) {
        text = mcp::cut_at_line(std::move(text), budget - kTextRoom,
                                "(cut here: ask for fewer charts)\n");
    }
    return head + text;
}

// What the caller asked for.
struct Request {
    ChartInput input;
    std::vector<std::string> names;
    analytics::TradeFilter filter;
    bool one_lot = false;
    bool full = false;
    std::int64_t max_points = 0;  // 0 = not given
};

mcp::Outcome<Request> request_of(const Json& arguments) {
    Request request;
    request.input.conventions = conventions_of(arguments);
    TB_TRY_TOOL(const auto dates, date_range_object_argument(arguments, request.input.conventions));
    request.filter.dates = dates.value_or(analytics::DateRange());
    request.filter.strategy = text_argument(arguments, "strategy");
    request.filter.reference_names = request.input.conventions == Conventions::kReference;
    request.names = texts_argument(arguments, "charts");
    request.one_lot = flag_argument(arguments, "normalizeTo1Lot").value_or(false);
    request.full = text_argument(arguments, "points") == "full";
    request.max_points = integer_argument(arguments, "maxDataPoints").value_or(0);
    request.input.bucket_count =
        static_cast<std::int32_t>(integer_argument(arguments, "bucketCount").value_or(20));
    request.input.rolling_window =
        static_cast<std::size_t>(integer_argument(arguments, "rollingWindowSize").value_or(30));
    request.input.excursion_bucket = number_argument(arguments, "mfeMaeBucketSize").value_or(10);
    request.input.strategy_filter = request.filter.is_subset();
    return request;
}

// The trades the charts are drawn from. Their equity starts from the capital get_statistics has,
// and their drawdowns stand beside those of get_statistics. What is wrong with the funds is a
// warning.
std::vector<std::string> select_trades(Request& request, const BlockData& block) {
    const Conventions conventions = request.input.conventions;
    if (conventions == Conventions::kReference) {
        request.input.trades = analytics::filter_trades(block.trades, request.filter);
        if (request.one_lot) {
            analytics::normalize_to_one_lot(request.input.trades.trades, conventions);
        }
        request.input.all_trades = &block.trades;
        return {};
    }
    analytics::Selection part =
        analytics::select_part(block.trades, block.daily_log, request.filter);
    const analytics::Capital start = analytics::fund_part(block.trades, block.daily_log, part);
    const bool from_log = start.source == analytics::CapitalSource::kDailyLog;
    auto& trades = part.trades.trades;
    std::vector<std::string> warnings;
    if (part.whole_account) {
        const auto order = analytics::realization_order(trades);
        warnings.push_back(analytics::check_funds_chain(trades, order).warning());
    }
    request.input.start_capital = start.dollars;
    if (from_log && part.whole_account && !request.one_lot) {
        request.input.flows = analytics::log_flows(part.log).flows(part.log);
        request.input.account_by_day = analytics::equity_by_day(part.log);
    }
    if (request.one_lot) {
        analytics::normalize_to_one_lot(trades, conventions);
    } else if (std::find(request.names.begin(), request.names.end(), "drawdown") !=
               request.names.end()) {
        analytics::StatisticsRequest statistics;
        statistics.filter = request.filter;
        if (auto report = analytics::statistics_report(block.trades, block.daily_log, statistics)) {
            request.input.drawdowns_by_day = std::move(report->result.drawdowns);
        }
    }
    request.input.trades = std::move(part.trades);
    std::erase(warnings, "");
    return warnings;
}

// Renders with as many points as the budget allows.
void render_within(const ChartSet& charts, Json& answer, const Request& request,
                   std::size_t budget) {
    Rendering rendering;
    rendering.reference = request.input.conventions == Conventions::kReference;
    if (rendering.reference) {
        rendering.most = static_cast<std::size_t>(request.max_points == 0 ? kReferencePoints
                                                                          : request.max_points);
    } else if (request.full || (budget == 0 && request.max_points == 0)) {
        rendering.most = 0;
    } else {
        rendering.most =
            request.max_points == 0 ? kDefaultPoints : static_cast<std::size_t>(request.max_points);
    }
    const Json before = answer;
    while (true) {
        charts.render(answer, rendering);
        answer["truncationApplied"] = rendering.truncated;
        if (!rendering.thinned.is_null()) {
            answer["downsampled"] = *rendering.thinned;
        }
        if (budget == 0 || rendering.most <= kFewestPoints ||
            mcp::char_count(mcp::to_json_text(answer)) <= budget) {
            return;
        }
        answer = before;
        rendering.most = std::max(kFewestPoints, rendering.most * 3 / 4);
        rendering.thinned = Json();
        rendering.truncated = false;
    }
}

mcp::Outcome<mcp::ToolResult> get_performance_charts(App& app, mcp::ToolContext& context,
                                                     const Json& arguments) {
    TB_TRY_TOOL(Request request, request_of(arguments));
    TB_TRY_TOOL(const FreshBlock fresh,
                app.fresh_block(*text_argument(arguments, "blockId"), context.token()));
    const BlockData& block = *fresh.data;
    std::vector<std::string> about_funds = select_trades(request, block);
    if (request.input.trades.trades.empty()) {
        return tl::unexpected<mcp::ToolError>(no_trades(block, request.filter));
    }
    const std::size_t trade_count = request.input.trades.trades.size();
    const ChartSet charts(request.input, request.names);
    AnswerFrame frame{.conventions = request.input.conventions,
                      .blocks = {&fresh},
                      .warnings = std::move(about_funds),
                      .counted_by = CountedBy::kClosingDay,
                      .explain = wants_explanation(arguments)};
    if (charts.curve().start_assumed) {
        frame.warnings.emplace_back(
            "no usable account balance in the trades: the equity starts from an assumed 100,000");
    }
    frame.warnings.insert(frame.warnings.end(), charts.warnings().begin(), charts.warnings().end());
    for (const ChartSet::Entry& entry : charts.entries()) {
        frame.explanations.push_back({entry.key, entry.formula,
                                      Json{{"startCapital", number_json(charts.curve().start)}},
                                      static_cast<std::int64_t>(trade_count), "trades"});
    }
    Json answer = {{"blockId", block.block_id},
                   {"strategy", echo(arguments, "strategy")},
                   {"dateRange", echo(arguments, "dateRange")},
                   {"normalizeTo1Lot", request.one_lot},
                   {"bucketCount", request.input.bucket_count},
                   {"rollingWindowSize", request.input.rolling_window},
                   {"mfeMaeBucketSize", request.input.excursion_bucket},
                   {"maxDataPoints",
                    request.max_points == 0 && request.input.conventions == Conventions::kReference
                        ? Json(kReferencePoints)
                        : echo(arguments, "maxDataPoints")},
                   {"tradesAnalyzed", trade_count},
                   {"chartsIncluded", request.names},
                   {"truncationApplied", false}};
    add_frame(answer, frame);
    const std::size_t text_room = context.budget_chars();
    if (request.full) {
        context.set_budget_chars(0);
    }
    const std::size_t budget = answer_budget(context, request.input.conventions);
    render_within(charts, answer, request, budget);
    std::string text = charts_text(charts, answer, text_room) + frame_text(frame);
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(answer)};
}

}  // namespace

mcp::ToolSpec get_performance_charts_tool(App& app) {
    return {
        .name = "get_performance_charts",
        .title = "Chart series",
        .description =
            "Results by weekday, VIX at opening (volatility), exit reason, MFE/MAE, holding time, "
            "exposure; series of equity, drawdown, months, distribution, streaks, rolling metrics. "
            "Keys like equityCurve. Long series are thinned to 200 points (see downsampled); "
            "points: full gives all. For key figures use get_statistics.",
        .toolset = "portfolio",
        .annotations = mcp::Annotations::reads(),
        .scope = "blocks:read",
        .arguments = {block_argument(), strategy_argument(),
                      field::list("charts", field::choice_schema(chart_names()), "Which charts")
                          .default_value(Json{"equity_curve", "drawdown", "monthly_returns"}),
                      date_range_object(), one_lot_argument(),
                      field::integer("bucketCount", "Ranges of return_distribution")
                          .range(5, 100)
                          .default_value(20),
                      field::integer("rollingWindowSize", "Trades of a rolling window")
                          .range(10, 100)
                          .default_value(30),
                      field::number("mfeMaeBucketSize", "Percent a bucket of mfe_mae")
                          .range(1, 50)
                          .default_value(10),
                      field::integer("maxDataPoints", "Most points of a series; default 200")
                          .range(50, 10'000),
                      field::choice("points", {"auto", "full"}, "full: no thinning, however long")
                          .default_value("auto"),
                      max_chars_argument(), conventions_argument(), explain_argument()},
        .results = with_frame(
            {field::text("blockId", "The block"),
             field::integer("tradesAnalyzed", "After the filters"),
             field::list("chartsIncluded", field::text_schema(), "Charts below"),
             field::boolean("truncationApplied", "Some series is not complete"),
             open_object("drawdowns", "With the chart drawdown: the five worst").optional(),
             open_object("downsampled", "Series key: shown, total").optional()}),
        .max_result_chars = mcp::kMaxRaisedResultChars,
        .handler = [&app](mcp::ToolContext& context, const Json& given) {
            return get_performance_charts(app, context, given);
        }};
}

}  // namespace tb::tools
