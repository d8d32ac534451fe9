#include "report/page.h"

#include <cstdint>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base64.h"
#include "core/sha256.h"
#include "core/version.h"
#include "report/assets.h"
#include "report/html.h"
#include "report/sections.h"

namespace tb::report {

namespace {

using mcp::Json;

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
        text += " Risk-free rate: " + html_text(text_of(rate, "series")) + ".";
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
        about += html_text(text_of(days, "start")) + " to " + html_text(text_of(days, "end"));
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

std::string render_page(const ReportRequest& request, const ReportData& data) {
    const std::string script =
        fmt::format("/* Charts: uPlot.\n{}*/\n{}\n{}", chart_library_licence(),
                    chart_library_script(), page_script());
    const std::string title = html_text(request.block_id);
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n{}\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "script-src '{}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n",
        kPageMark, script_hash(script), title);
    html += chart_library_style();
    html += page_style();
    html += "</style></head>\n<body><main>\n";
    html += header(request, *data.statistics);
    html += attention(data);
    html += key_figures(data);
    html +=
        "<noscript><p class=\"problem\">The charts need JavaScript; all figures are here "
        "without.</p></noscript>\n";
    html += account(data);
    html += months(data);
    html += trades(data);
    html += strategies(data);
    html += live_fills(data);
    html += simulation(request, data);
    html += remarks(data);
    html += "<footer><p>" + basis(request, *data.statistics) + "</p><p>tradeblocks " +
            html_text(kVersion) +
            (request.made_on ? ", " + html_text(request.made_on->to_iso()) : std::string()) +
            ". Past results say nothing certain about future ones.</p></footer>\n";
    html += "</main>\n<script type=\"application/json\" id=\"chart-data\">" +
            script_json(*chart_data(data)) + "</script>\n<script>";
    html += script;
    return html + "</script>\n</body></html>\n";
}

}  // namespace tb::report
