#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/date.h"
#include "report/chart_rows.h"
#include "report/html.h"
#include "report/sections.h"

namespace tb::report {

namespace {

using mcp::Json;

std::int64_t seconds_of(const Json& day) {
    const auto date =
        day.is_string() ? Date::from_iso(day.get<std::string>().substr(0, 10)) : std::nullopt;
    return date ? std::int64_t{date->days()} * 86'400 : 0;
}

Json column(const Json& rows, std::string_view name) {
    Json values = Json::array();
    for (const Json& row : rows) {
        values.push_back(member(row, name));
    }
    return values;
}

Json times(const Json& rows) {
    Json values = Json::array();
    for (const Json& row : rows) {
        values.push_back(seconds_of(member(row, "date")));
    }
    return values;
}

}  // namespace

std::string figure(const char* id, std::string_view title, std::string_view about,
                   const char* css) {
    return fmt::format(
        "<figure class=\"{}\"><figcaption><strong>{}</strong> {}</figcaption>"
        "<div class=\"chart\" id=\"{}\" role=\"img\" aria-label=\"{}\"></div></figure>\n",
        css, title, about, id, title);
}

const Json& rows_of(const Json& charts, std::string_view name) {
    const Json& series = member(charts, name);
    return series.is_object() ? member(series, "data") : series;
}

mcp::JsonBox chart_data(const ReportData& data) {
    Json result = Json::object();
    if (!data.charts.is_null()) {
        const Json& equity = rows_of(*data.charts, "equityCurve");
        result["equity"] = {times(equity), column(equity, "equity"),
                            column(equity, "highWaterMark")};
        const Json& drawdown = rows_of(*data.charts, "drawdown");
        result["drawdown"] = {times(drawdown), column(drawdown, "drawdownPct")};
        const Json& buckets = rows_of(*data.charts, "returnDistribution");
        result["distribution"] = {column(buckets, "rangeStart"), column(buckets, "rangeEnd"),
                                  column(buckets, "count")};
        const Json& rolling = rows_of(*data.charts, "rollingMetrics");
        result["rolling"] = {times(rolling), column(rolling, "winRate"), column(rolling, "avgPl")};
    }
    if (!data.monte_carlo.is_null()) {
        const Json& bands = member(*data.monte_carlo, "bands");
        Json fan = Json::array({column(bands, "step")});
        for (const char* const level : {"p95", "p75", "p50", "p25", "p5"}) {
            fan.push_back(column(bands, level));
        }
        result["fan"] = std::move(fan);
    }
    return result;
}

}  // namespace tb::report
