#include "report/page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base64.h"
#include "core/sha256.h"
#include "core/version.h"
#include "mcp/json_text.h"
#include "mcp/render.h"
#include "report/assets.h"

namespace tb::report {

namespace {

using mcp::Json;

constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Member of an object, or null.
const Json& member(const Json& object, std::string_view name) {
    static const Json kNull;
    if (!object.is_object()) {
        return kNull;
    }
    const auto found = object.find(name);
    return found == object.end() ? kNull : *found;
}

std::optional<double> number(const Json& value) {
    return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

// ---- figures as people read them ----

std::string missing() {
    return "<span class=\"na\">n/a</span>";
}

std::string money(const Json& value) {
    return value.is_number() ? html_text(mcp::money_text(value.get<double>())) : missing();
}
std::string ratio(const Json& value) {
    return value.is_number() ? html_text(mcp::ratio_text(value.get<double>())) : missing();
}
std::string percent(const Json& value, double factor = 1) {
    return value.is_number() ? html_text(mcp::percent_text(factor * value.get<double>()))
                             : missing();
}
std::string count(const Json& value) {
    return value.is_number() ? html_text(mcp::count_text(value.get<std::int64_t>())) : missing();
}

// A profit factor without a value is infinite where something was won and nothing lost.
std::string profit_factor(const Json& figures) {
    const bool infinite = member(figures, "profitFactor").is_null() &&
                          number(member(figures, "avgWin")).value_or(0) > 0 &&
                          number(member(figures, "avgLoss")).value_or(-1) == 0;
    return infinite ? std::string("infinite") : ratio(member(figures, "profitFactor"));
}

// "3 won", "1 lost": the streak at the end.
std::string streak_text(const Json& value) {
    const auto length = value.is_number() ? value.get<std::int64_t>() : 0;
    return length == 0 ? "none"
                       : mcp::count_text(std::abs(length)) + (length > 0 ? " won" : " lost");
}

// Figures as the page calls them: "sharpeRatio, cagr", "Iron Condor: profitFactor".
std::string figure_names(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kNames = {{
        {"profitFactor", "profit factor"},
        {"kellyPercentage", "Kelly fraction"},
        {"sharpeRatio", "Sharpe ratio"},
        {"sortinoRatio", "Sortino ratio"},
        {"calmarRatio", "Calmar ratio"},
        {"cagr", "CAGR"},
        {"maxDrawdown", "largest drawdown"},
        {"timeInDrawdown", "time in drawdown"},
        {"monthlyWinRate", "winning months"},
        {"probabilityOfRuin", "chance of being down by half"},
    }};
    std::string result;
    while (true) {
        const std::size_t end = text.find(", ");
        std::string one(text.substr(0, end));
        const std::size_t colon = one.rfind(": ");
        const std::size_t begin = colon == std::string::npos ? 0 : colon + 2;
        for (const auto& [name, shown] : kNames) {
            if (std::string_view(one).substr(begin) == name) {
                one.replace(begin, std::string::npos, shown);
                break;
            }
        }
        result += one;
        if (end == std::string_view::npos) {
            return result;
        }
        result += ", ";
        text.remove_prefix(end + 2);
    }
}

// "gain" or "loss" by the sign, to colour an amount.
const char* sign_class(const Json& value) {
    const double amount = number(value).value_or(0);
    return amount > 0 ? "gain" : amount < 0 ? "loss" : "";
}

// ---- sections ----

std::string card(std::string_view name, const std::string& value, const std::string& below = {},
                 std::string_view css = {}) {
    return fmt::format("<div class=\"card\"><dt>{}</dt><dd class=\"{}\">{}</dd>{}</div>\n", name,
                       css, value,
                       below.empty() ? "" : fmt::format("<dd class=\"below\">{}</dd>", below));
}

std::string key_figures(const Json& answer) {
    const Json& s = member(answer, "stats");
    const Json& peak = member(member(answer, "peakExposure"), "byDollars");
    const Json& streak = member(s, "currentStreak");
    std::string html = "<section><h2>Key figures</h2>\n<dl class=\"cards\">\n";
    html += card("Net P/L", money(member(s, "netPl")),
                 "fees " + money(member(s, "totalCommissions")), sign_class(member(s, "netPl")));
    html += card(
        "Trades", count(member(s, "totalTrades")),
        count(member(s, "winningTrades")) + " won, " + count(member(s, "losingTrades")) + " lost");
    html += card("Win rate", percent(member(s, "winRate"), 100),
                 percent(member(s, "monthlyWinRate")) + " of months");
    html += card("Profit factor", profit_factor(s),
                 money(member(s, "avgWin")) + " / " + money(member(s, "avgLoss")) + " on average");
    html += card("CAGR, growth a year", percent(member(s, "cagr")),
                 "from " + money(member(s, "initialCapital")), sign_class(member(s, "cagr")));
    html += card("Largest drawdown", percent(member(s, "maxDrawdown")),
                 "end of day; " + percent(member(s, "timeInDrawdown")) + " of days below a peak");
    html += card("Sharpe ratio", ratio(member(s, "sharpeRatio")), "annualized, daily returns");
    html += card("Sortino ratio", ratio(member(s, "sortinoRatio")),
                 "Calmar " + ratio(member(s, "calmarRatio")));
    html += card("Kelly fraction", percent(member(s, "kellyPercentage")), "full, by trades");
    html += card("Best and worst trade", money(member(s, "maxWin")), money(member(s, "maxLoss")));
    html += card("Longest streaks",
                 count(member(s, "maxWinStreak")) + " / " + count(member(s, "maxLossStreak")),
                 "won / lost in a row, now " + streak_text(streak));
    html +=
        card("Largest exposure", money(member(peak, "exposure")),
             peak.is_object() ? percent(member(peak, "exposurePercent")) + " of the account, " +
                                    html_text(member(peak, "date").get<std::string>().substr(0, 10))
                              : std::string());
    return html + "</dl></section>\n";
}

std::string figure(const char* id, std::string_view title, std::string_view about,
                   const char* css = "") {
    return fmt::format(
        "<figure class=\"{}\"><figcaption><strong>{}</strong> {}</figcaption>"
        "<div class=\"chart\" id=\"{}\" role=\"img\" aria-label=\"{}\"></div></figure>\n",
        css, title, about, id, title);
}

std::string problem(const std::string& error) {
    return "<p class=\"problem\">" + html_text(error) + "</p>\n";
}

// One month: its share of the account, shaded by size against the largest.
std::string month_cell(const Json& percent_value, const Json& dollars, double largest) {
    const double share = number(percent_value).value_or(0);
    const double amount = number(dollars).value_or(0);
    if (share == 0 && amount == 0) {
        return "<td class=\"none\">–</td>";
    }
    const double strength = largest > 0 ? 0.12 + 0.68 * std::fabs(share) / largest : 0.12;
    const std::string shown = fmt::format("{:.1f}", share);
    return fmt::format("<td class=\"{}\" style=\"--a:{:.2f}\" title=\"{}\">{}</td>",
                       amount >= 0 ? "up" : "down", std::min(strength, 0.8),
                       html_text(mcp::money_text(amount)), shown == "-0.0" ? "0.0" : shown);
}

std::string heat_map(const Json& charts) {
    const Json& percents = member(charts, "monthlyReturnsPercent");
    const Json& dollars = member(charts, "monthlyReturns");
    if (!percents.is_object() || !dollars.is_object()) {
        return {};
    }
    double largest = 0;
    for (const auto& [year, months] : percents.items()) {
        for (const auto& [month, value] : months.items()) {
            largest = std::max(largest, std::fabs(number(value).value_or(0)));
        }
    }
    std::string html =
        "<section><h2>Months</h2><p class=\"hint\">Net P/L by month of realization, percent of "
        "the account at its start; the year's sum in dollars.</p>\n"
        "<div class=\"scroll\"><table class=\"heat\"><thead><tr><th scope=\"col\">Year</th>";
    for (const char* const month : kMonths) {
        html += fmt::format("<th scope=\"col\">{}</th>", month);
    }
    html += "<th scope=\"col\">Sum</th></tr></thead><tbody>\n";
    for (const auto& [year, months] : dollars.items()) {
        html += "<tr><th scope=\"row\">" + html_text(year) + "</th>";
        double sum = 0;
        for (std::size_t m = 1; m <= kMonths.size(); ++m) {
            const std::string key = std::to_string(m);
            const Json& amount = member(months, key);
            sum += number(amount).value_or(0);
            html += month_cell(member(member(percents, year), key), amount, largest);
        }
        html += fmt::format("<td class=\"sum {}\">{}</td></tr>\n", sign_class(Json(sum)),
                            html_text(mcp::money_text(sum)));
    }
    return html + "</tbody></table></div></section>\n";
}

std::string strategy_table(const ReportData& data) {
    std::string html = "<section><h2>Strategies</h2>\n";
    if (data.strategies.is_null()) {
        return html + problem(data.strategies_error) + "</section>\n";
    }
    html +=
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Strategy</th>"
        "<th scope=\"col\">Trades</th><th scope=\"col\">Win rate</th>"
        "<th scope=\"col\">Average win</th><th scope=\"col\">Average loss</th>"
        "<th scope=\"col\">Profit factor</th><th scope=\"col\">Net P/L</th></tr></thead><tbody>\n";
    for (const Json& row : member(*data.strategies, "strategies")) {
        html += fmt::format(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
            "<td class=\"{}\">{}</td></tr>\n",
            html_text(member(row, "name").get<std::string>()), count(member(row, "trades")),
            percent(member(row, "winRate"), 100), money(member(row, "avgWin")),
            money(member(row, "avgLoss")), profit_factor(row), sign_class(member(row, "netPl")),
            money(member(row, "netPl")));
    }
    return html + "</tbody></table></div></section>\n";
}

std::string simulation_row(const Json& answer, const char* name, std::string_view label,
                           bool is_money) {
    const auto shown = [&](const char* part) {
        const Json& value = member(member(answer, part), name);
        return is_money ? money(value) : percent(value, 100);
    };
    return fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>± {}</td></tr>\n", label,
                       shown("statistics"), shown("standardErrors"));
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
    html +=
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Figure</th>"
        "<th scope=\"col\">Value</th><th scope=\"col\">Standard error</th></tr></thead><tbody>\n";
    html += simulation_row(answer, "medianFinalValue", "Median final value", true);
    html += simulation_row(answer, "meanFinalValue", "Mean final value", true);
    html += simulation_row(answer, "medianTotalReturn", "Median total return", false);
    html += simulation_row(answer, "probabilityOfProfit", "Chance of a profit", false);
    html += simulation_row(answer, "medianMaxDrawdown", "Median largest drawdown", false);
    html += simulation_row(answer, "probabilityOfRuin", "Chance of being down by half", false);
    html += simulation_row(answer, "zeroBalancePaths", "Chance of losing everything", false);
    const Json& loss = member(member(answer, "lossAtRisk"), "var95");
    const Json& error = member(member(answer, "standardErrors"), "var95");
    html += fmt::format(
        "<tr><th scope=\"row\">Loss not exceeded with 95 %</th><td>{}</td><td>± {}</td></tr>\n",
        percent(loss, 100), percent(error, 100));
    return html + "</tbody></table></div></div></section>\n";
}

// What a reader must know, each sentence once.
std::string remarks(const ReportData& data) {
    std::set<std::string> seen;
    std::string html;
    const auto add = [&](const std::string& text) {
        if (seen.insert(text).second) {
            html += "<li>" + html_text(text) + "</li>\n";
        }
    };
    for (const mcp::JsonBox* const answer :
         {&data.statistics, &data.charts, &data.strategies, &data.monte_carlo}) {
        if (answer->is_null()) {
            continue;
        }
        for (const Json& error : member(**answer, "syncErrors")) {
            add("Not up to date: " + member(error, "error").get<std::string>());
        }
        for (const Json& warning : member(**answer, "warnings")) {
            add(warning.get<std::string>());
        }
        for (const Json& note : member(**answer, "notes")) {
            add(figure_names(member(note, "figure").get<std::string>()) + ": " +
                member(note, "reason").get<std::string>());
        }
    }
    return html.empty()
               ? html
               : "<section><h2>Remarks</h2><ul class=\"remarks\">\n" + html + "</ul></section>\n";
}

std::string basis(const ReportRequest& request, const Json& answer) {
    const Json& method = member(answer, "calculationMethodology");
    const Json& rate = member(member(method, "sharpe"), "riskFreeRate");
    const Json& returns = member(method, "returns");
    std::string text =
        fmt::format("Conventions: {}. P/L is net of fees{}. Returns from {}, {} observations.",
                    request.reference ? "reference" : "correct",
                    request.reference ? ", of strategies and in the simulation as written" : "",
                    member(returns, "source") == "daily_log" ? "the daily log" : "realized trades",
                    count(member(returns, "observations")));
    if (member(rate, "mode") == "fixed") {
        text += " Risk-free rate fixed at " + percent(member(rate, "annualRatePct")) + " a year.";
    } else if (member(rate, "series").is_string()) {
        text += " Risk-free rate: " + html_text(member(rate, "series").get<std::string>()) + ".";
    }
    for (const auto& [block, version] : member(answer, "dataVersion").items()) {
        text += " Trade log SHA-256 " + html_text(version.get<std::string>()) + ".";
    }
    return text;
}

std::string header(const ReportRequest& request, const Json& answer) {
    std::string about;
    const Json& days =
        member(member(member(answer, "calculationMethodology"), "returns"), "dateRange");
    if (member(days, "start").is_string() && member(days, "end").is_string()) {
        about += html_text(member(days, "start").get<std::string>()) + " to " +
                 html_text(member(days, "end").get<std::string>());
    }
    if (request.strategy) {
        about += (about.empty() ? "" : " · ") + ("strategy " + html_text(*request.strategy));
    }
    if (request.reference) {
        about += (about.empty() ? "" : " · ") + std::string("the original program's figures");
    }
    return fmt::format("<header><h1>{}</h1><p>{}</p></header>\n", html_text(request.block_id),
                       about);
}

// ---- data of the charts ----

std::int64_t seconds_of(const Json& day) {
    const auto date =
        day.is_string() ? Date::from_iso(day.get<std::string>().substr(0, 10)) : std::nullopt;
    return date ? std::int64_t{date->days()} * 86'400 : 0;
}

// Series under the reference's conventions may come in an envelope {data, truncated}.
const Json& rows_of(const Json& charts, std::string_view name) {
    const Json& series = member(charts, name);
    return series.is_object() ? member(series, "data") : series;
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

Json chart_data(const ReportData& data) {
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

std::string charts_html(const ReportData& data) {
    if (data.charts.is_null()) {
        return "<section><h2>Account</h2>" + problem(data.charts_error) + "</section>\n";
    }
    std::string html = "<section><h2>Account</h2>\n";
    html += figure("chart-equity", "Equity", "after each realized trade, with its highest level");
    html += figure("chart-drawdown", "Drawdown",
                   "after each realized trade, percent below the highest level", "low");
    html += "</section>\n" + heat_map(*data.charts);
    html += "<section><h2>Trades</h2><div class=\"beside\">\n";
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
    return html + "</div></section>\n";
}

// 'sha256-…' of a script, for the content security policy.
std::string script_hash(std::string_view script) {
    const std::string hex = sha256_hex(std::as_bytes(std::span(script)));
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        const auto nibble = [&](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
        bytes.push_back(static_cast<char>(nibble(hex[i]) * 16 + nibble(hex[i + 1])));
    }
    return "sha256-" + base64_encode(bytes);
}

}  // namespace

std::string html_text(std::string_view text) {
    std::string html;
    for (const char c : mcp::visible_text(text)) {
        switch (c) {
            case '&':
                html += "&amp;";
                break;
            case '<':
                html += "&lt;";
                break;
            case '>':
                html += "&gt;";
                break;
            case '"':
                html += "&quot;";
                break;
            case '\'':
                html += "&#39;";
                break;
            default:
                html += c;
        }
    }
    return html;
}

std::string script_json(const Json& value) {
    const std::string json = mcp::to_json_text(value);
    constexpr std::string_view kLineSeparator = "\xE2\x80\xA8";       // U+2028
    constexpr std::string_view kParagraphSeparator = "\xE2\x80\xA9";  // U+2029
    std::string out;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const std::string_view rest = std::string_view(json).substr(i);
        if (rest.starts_with(kLineSeparator) || rest.starts_with(kParagraphSeparator)) {
            out += rest.starts_with(kLineSeparator) ? "\\u2028" : "\\u2029";
            i += 2;
        } else if (json[i] == '<' || json[i] == '>' || json[i] == '&') {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(json[i]));
        } else {
            out += json[i];
        }
    }
    return out;
}

std::string render_page(const ReportRequest& request, const ReportData& data) {
    const std::string script =
        fmt::format("/* Charts: uPlot.\n{}*/\n{}\n{}", chart_library_licence(),
                    chart_library_script(), page_script());
    const std::string title = html_text(request.block_id);
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "script-src '{}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n",
        script_hash(script), title);
    html += chart_library_style();
    html += page_style();
    html += "</style></head>\n<body><main>\n";
    html += header(request, *data.statistics);
    html += key_figures(*data.statistics);
    html +=
        "<noscript><p class=\"problem\">The charts need JavaScript; all figures are here "
        "without.</p></noscript>\n";
    html += charts_html(data);
    html += strategy_table(data);
    html += simulation(request, data);
    html += remarks(data);
    html += "<footer><p>" + basis(request, *data.statistics) + "</p><p>tradeblocks " +
            html_text(kVersion) +
            (request.made_on ? ", " + html_text(request.made_on->to_iso()) : std::string()) +
            ". Past results say nothing certain about future ones.</p></footer>\n";
    html += "</main>\n<script type=\"application/json\" id=\"chart-data\">" +
            script_json(chart_data(data)) + "</script>\n<script>";
    html += script;
    return html + "</script>\n</body></html>\n";
}

}  // namespace tb::report
