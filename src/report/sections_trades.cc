#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mcp/json_text.h"
#include "report/chart_rows.h"
#include "report/html.h"
#include "report/sections.h"

namespace tb::report {

namespace {

using mcp::Json;

std::string weekdays(const Json& charts) {
    Table table({"Opened on", "Trades", "Net P/L", "Average", "On margin"});
    for (const Json& row : rows_of(charts, "dayOfWeek")) {
        if (number(member(row, "count")).value_or(0) > 0) {
            table.row(html_text(text_of(row, "day")),
                      {count(member(row, "count")),
                       {money(member(row, "totalPl")), sign_class(member(row, "totalPl"))},
                       money(member(row, "avgPl")),
                       percent(member(row, "avgPlPercent"))});
        }
    }
    return table.empty() ? std::string() : "<div><h3>Weekdays</h3>" + table.html() + "</div>";
}

std::string exit_reasons(const Json& charts) {
    Table table({"Closed by", "Trades", "Net P/L", "Average", "On margin"});
    for (const Json& row : rows_of(charts, "exitReasonBreakdown")) {
        table.row(html_text(text_of(row, "reason")),
                  {count(member(row, "count")),
                   {money(member(row, "totalPl")), sign_class(member(row, "totalPl"))},
                   money(member(row, "avgPl")),
                   percent(member(row, "avgRom"))});
    }
    return table.empty() ? std::string()
                         : "<div><h3>Reasons for closing</h3>" + table.html() + "</div>";
}

void simulation_row(Table& table, const Json& answer, const char* name, const char* label,
                    bool is_money) {
    const auto shown = [&](const char* part) {
        const Json& value = member(member(answer, part), name);
        return is_money ? money(value) : percent(value, 100);
    };
    table.row(label, {shown("statistics"), "± " + shown("standardErrors")});
}

// Figures of live trading beside those of the backtest, of the pairs found.
std::string live_table(const Json& answer) {
    const Json& summary = member(answer, "summary");
    const Json& coverage = member(answer, "coverage");
    Table table({"Live fills", "Value"});
    table.row("Pairs of backtest and live trade", {count(member(summary, "matchedComparisons"))});
    table.row("Backtest trades paired", {percent(member(coverage, "matchedBacktestPercent")) +
                                         " of " + count(member(answer, "backtestTradeCount"))});
    table.row("Live trades paired", {percent(member(coverage, "matchedActualPercent")) + " of " +
                                     count(member(answer, "actualTradeCount"))});
    table.row("Backtest P/L of the pairs", {{money(member(summary, "totalBacktestPl")),
                                             sign_class(member(summary, "totalBacktestPl"))}});
    table.row("Live P/L of the pairs", {{money(member(summary, "totalActualPl")),
                                         sign_class(member(summary, "totalActualPl"))}});
    table.row("Slippage, live less backtest", {{money(member(summary, "totalSlippage")),
                                                sign_class(member(summary, "totalSlippage"))}});
    table.row("Slippage of a pair on average", {money(member(summary, "avgSlippage"))});
    return table.html();
}

}  // namespace

std::string trades(const ReportData& data) {
    if (data.charts.is_null()) {
        return {};
    }
    std::string html = "<section><h2>Trades</h2><div class=\"beside\">\n";
    html += figure("chart-distribution", "Distribution", "trades by net P/L");
    const Json& window = member(*data.charts, "rollingWindowSize");
    if (rows_of(*data.charts, "rollingMetrics").empty()) {
        html += "<p class=\"problem\">Rolling metrics need at least " + count(window) +
                " trades.</p>\n";
    } else {
        html += "<div>";
        html += figure("chart-winrate", "Win rate", "of the last " + count(window) + " trades, %",
                       "low");
        html += figure("chart-average", "Average P/L",
                       "of the last " + count(window) + " trades, dollars", "low");
        html += "</div>";
    }
    html += "</div>\n<div class=\"beside tables\">\n";
    html += weekdays(*data.charts);
    html += exit_reasons(*data.charts);
    return html + "</div></section>\n";
}

std::string strategies(const ReportData& data) {
    std::string html = "<section><h2>Strategies</h2>\n";
    if (data.strategies.is_null()) {
        return html + problem(data.strategies_error) + "</section>\n";
    }
    Table table({"Strategy", "Trades", "Win rate", "Average win", "Average loss", "Profit factor",
                 "Net P/L"});
    for (const Json& row : member(*data.strategies, "strategies")) {
        table.row(html_text(text_of(row, "name")),
                  {count(member(row, "trades")),
                   percent(member(row, "winRate"), 100),
                   money(member(row, "avgWin")),
                   money(member(row, "avgLoss")),
                   profit_factor(row),
                   {money(member(row, "netPl")), sign_class(member(row, "netPl"))}});
    }
    return html + table.html() + "</section>\n";
}

std::string live_fills(const ReportData& data) {
    if (data.live_fills.is_null() && data.live_fills_error.empty()) {
        return {};
    }
    std::string html = "<section><h2>Live fills</h2>\n";
    if (data.live_fills.is_null()) {
        return html + problem(data.live_fills_error) + "</section>\n";
    }
    return html +
           "<p class=\"hint\">Trades of the live log paired with those of the backtest, P/L as "
           "written in both.</p>\n" +
           "<div class=\"narrow\">" + live_table(*data.live_fills) + "</div></section>\n";
}

std::string simulation(const ReportRequest& request, const ReportData& data) {
    std::string html = "<section><h2>Monte Carlo</h2>\n";
    if (data.monte_carlo.is_null()) {
        return html + problem(data.monte_carlo_error) + "</section>\n";
    }
    const Json& answer = *data.monte_carlo;
    const Json& used = member(answer, "parameters");
    html += fmt::format(
        "<p class=\"hint\">{} possible futures of {} trades each, drawn from the results of the "
        "past in blocks that keep streaks together{}. Seed {}: the same again.</p>\n",
        count(member(used, "numSimulations")), count(member(used, "simulationLength")),
        request.from || request.to ? " (of the whole history, not only of the days above)" : "",
        html_text(mcp::to_json_text(member(answer, "seed"))));
    html += "<div class=\"beside\">";
    html += figure("chart-fan", "Return along the way",
                   "median, middle half and middle 90 % of the futures");
    Table table({"Figure", "Value", "Standard error"});
    simulation_row(table, answer, "medianFinalValue", "Median final value", true);
    simulation_row(table, answer, "meanFinalValue", "Mean final value", true);
    simulation_row(table, answer, "medianTotalReturn", "Median total return", false);
    simulation_row(table, answer, "probabilityOfProfit", "Chance of a profit", false);
    simulation_row(table, answer, "medianMaxDrawdown", "Median largest drawdown", false);
    simulation_row(table, answer, "probabilityOfRuin", "Chance of being down by half", false);
    simulation_row(table, answer, "zeroBalancePaths", "Chance of losing everything", false);
    table.row("Loss not exceeded with 95 %",
              {percent(member(member(answer, "lossAtRisk"), "var95"), 100),
               "± " + percent(member(member(answer, "standardErrors"), "var95"), 100)});
    return html + table.html() + "</div></section>\n";
}

}  // namespace tb::report
