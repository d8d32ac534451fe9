#include "report/report.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "report/page.h"

namespace tb::report {

namespace {

using mcp::Json;

constexpr std::int32_t kMostPoints = 1000;  // of a series: more than pixels across the page
constexpr std::int32_t kBandPoints = 100;
constexpr double kRuin = 0.5;  // of the start capital; the page says "half"

Json common_arguments(const ReportRequest& request) {
    return {{"blockId", request.block_id},
            {"conventions", request.reference ? "reference" : "correct"}};
}

void set_if(Json& arguments, const char* name, const std::optional<std::string>& value) {
    if (value) {
        arguments[name] = *value;
    }
}

mcp::Outcome<Json> call(const mcp::ToolRegistry& registry, mcp::ToolContext& context,
                        const char* name, const Json& arguments) {
    const mcp::ToolSpec* const tool = registry.find(name);
    if (tool == nullptr) {
        return mcp::tool_error(std::string(name) + " is not offered here");
    }
    TB_TRY_TOOL(mcp::ToolResult result, mcp::call_tool(*tool, context, arguments));
    return std::move(*result.structured);
}

// A section that cannot be had says why; a cancelled call ends the report.
mcp::Outcome<Json> section(const mcp::ToolRegistry& registry, mcp::ToolContext& context,
                           const char* name, const Json& arguments, std::string& error) {
    auto answer = call(registry, context, name, arguments);
    if (answer.has_value() || context.cancelled()) {
        return answer;
    }
    error = answer.error().message;
    return Json();
}

// Null without a reason for a block that has no live fills.
mcp::Outcome<Json> live_fills(const mcp::ToolRegistry& registry, mcp::ToolContext& context,
                              const ReportRequest& request, std::string& error) {
    TB_TRY_TOOL(const Json block, section(registry, context, "get_block_info",
                                          {{"blockId", request.block_id}}, error));
    const auto rows = block.is_object() ? block.find("reportingLogCount") : block.end();
    if (rows == block.end() || !rows->is_number() || rows->get<double>() <= 0) {
        return Json();
    }
    Json arguments = common_arguments(request);
    set_if(arguments, "strategy", request.strategy);
    if (request.from || request.to) {
        arguments["dateRange"] = Json::object();
        set_if(arguments["dateRange"], "from", request.from);
        set_if(arguments["dateRange"], "to", request.to);
    }
    return section(registry, context, "compare_backtest_to_actual", arguments, error);
}

}  // namespace

mcp::Outcome<std::string> make_report(const mcp::ToolRegistry& registry, mcp::ToolContext& context,
                                      const ReportRequest& request) {
    Json statistics = common_arguments(request);
    set_if(statistics, "strategy", request.strategy);
    set_if(statistics, "startDate", request.from);
    set_if(statistics, "endDate", request.to);
    statistics["explain"] = true;  // for the version of the data
    ReportData data;
    TB_TRY_TOOL(data.statistics, call(registry, context, "get_statistics", statistics));

    const Json block = {{"blockId", request.block_id}};
    TB_TRY_TOOL(data.issues,
                section(registry, context, "get_data_issues", block, data.issues_error));

    Json charts = common_arguments(request);
    set_if(charts, "strategy", request.strategy);
    if (request.from || request.to) {
        charts["dateRange"] = Json::object();
        set_if(charts["dateRange"], "from", request.from);
        set_if(charts["dateRange"], "to", request.to);
    }
    charts["charts"] = {
        "equity_curve",        "drawdown",        "monthly_returns", "monthly_returns_percent",
        "return_distribution", "rolling_metrics", "day_of_week",     "exit_reason_breakdown"};
    charts["bucketCount"] = 40;
    charts["maxDataPoints"] = kMostPoints;
    TB_TRY_TOOL(data.charts,
                section(registry, context, "get_performance_charts", charts, data.charts_error));

    Json strategies = common_arguments(request);
    set_if(strategies, "startDate", request.from);
    set_if(strategies, "endDate", request.to);
    TB_TRY_TOOL(data.strategies, section(registry, context, "get_strategy_comparison", strategies,
                                         data.strategies_error));

    TB_TRY_TOOL(data.live_fills, live_fills(registry, context, request, data.live_fills_error));

    Json simulation = common_arguments(request);
    set_if(simulation, "strategy", request.strategy);
    simulation["randomSeed"] = request.seed;
    simulation["numSimulations"] = request.simulations;
    simulation["bandPoints"] = kBandPoints;
    simulation["ruinThresholdPct"] = kRuin;
    TB_TRY_TOOL(data.monte_carlo,
                section(registry, context, "run_monte_carlo", simulation, data.monte_carlo_error));
    return render_page(request, data);
}

}  // namespace tb::report
