#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/number.h"
#include "mcp/render.h"
#include "report/chart_rows.h"
#include "report/html.h"
#include "report/sections.h"

namespace tb::report {

namespace {

using mcp::Json;

constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::size_t kIssuesShown = 5;

std::string card(std::string_view name, const std::string& value, const std::string& below = {},
                 std::string_view css = {}) {
    return fmt::format("<div class=\"card\"><dt>{}</dt><dd class=\"{}\">{}</dd>{}</div>\n", name,
                       css, value,
                       below.empty() ? "" : fmt::format("<dd class=\"below\">{}</dd>", below));
}

// "3 won", "1 lost": the streak at the end.
std::string streak_text(const Json& value) {
    const auto length = value.is_number() ? value.get<std::int64_t>() : 0;
    return length == 0 ? "none"
                       : mcp::count_text(std::abs(length)) + (length > 0 ? " won" : " lost");
}

// Items of a list, each sentence once.
class Sentences {
  public:
    void add(const std::string& text) {
        if (!text.empty() && seen_.insert(text).second) {
            html_ += "<li>" + html_text(text) + "</li>\n";
        }
    }
    void add_all(const Json& texts) {
        for (const Json& text : texts) {
            if (text.is_string()) {
                add(text.get<std::string>());
            }
        }
    }
    [[nodiscard]] const std::string& html() const { return html_; }

  private:
    std::set<std::string> seen_;
    std::string html_;
};

std::string rows_text(std::int64_t rows, const char* done) {
    return rows == 0
               ? std::string()
               : fmt::format("{} {} {}", mcp::count_text(rows), rows == 1 ? "row" : "rows", done);
}

std::string issue_text(const Json& issue) {
    std::string text = fmt::format(
        "{} line {}", text_of(issue, "fileName"),
        member(issue, "line").is_number() ? member(issue, "line").get<std::int64_t>() : 0);
    if (!text_of(issue, "column").empty()) {
        text += ", " + text_of(issue, "column");
    }
    if (!text_of(issue, "value").empty()) {
        text += " '" + mcp::first_chars(text_of(issue, "value"), 60) + "'";
    }
    return text + ": " + text_of(issue, "reason") + " (" + text_of(issue, "action") + ")";
}

void add_issues(Sentences& sentences, const Json& answer) {
    const auto rows = [&](const char* name) {
        const Json& value = member(answer, name);
        return value.is_number() ? value.get<std::int64_t>() : 0;
    };
    const std::string skipped = rows_text(rows("rowsSkipped"), "skipped");
    const std::string repaired = rows_text(rows("rowsRepaired"), "repaired");
    if (skipped.empty() && repaired.empty()) {
        return;
    }
    sentences.add("Of the files of this block " + skipped +
                  (skipped.empty() || repaired.empty() ? "" : " and ") + repaired +
                  "; tradeblocks issues lists them all.");
    // What was left out first: it is missing from every figure.
    std::size_t shown = 0;
    for (const char* const action : {"skipped", "repaired"}) {
        for (const Json& issue : member(answer, "issues")) {
            if (shown < kIssuesShown && text_of(issue, "action") == action) {
                sentences.add(issue_text(issue));
                ++shown;
            }
        }
    }
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

std::array<const mcp::JsonBox*, 5> answers(const ReportData& data) {
    return {&data.statistics, &data.charts, &data.strategies, &data.live_fills, &data.monte_carlo};
}

// One month: its share of the account over its dollars, shaded by size against the largest.
std::string month_cell(const Json& percent_value, const Json& dollars, double largest) {
    const double share = number(percent_value).value_or(0);
    const double amount = number(dollars).value_or(0);
    if (share == 0 && amount == 0) {
        return "<td class=\"none\">–</td>";
    }
    const double strength = largest > 0 ? 0.12 + 0.68 * std::fabs(share) / largest : 0.12;
    const std::string shown = fixed_text(share, 1);
    return fmt::format("<td class=\"{}\" style=\"--a:{:.2f}\" title=\"{}\"><b>{}%</b><br>{}</td>",
                       amount >= 0 ? "up" : "down", std::min(strength, 0.8),
                       html_text(mcp::money_text(amount)), shown, short_money(amount));
}

std::string basis_text(const Json& drawdowns) {
    const std::string basis = text_of(drawdowns, "basis");
    return basis == "daily_log"    ? "daily log"
           : basis == "each_trade" ? "after each trade"
                                   : "by day";
}

// "$5,000 from 2024-01-02 to 2024-02-01, not recovered; by the daily log".
std::string worst_drawdown(const ReportData& data) {
    const Json& drawdowns = member(*data.statistics, "drawdowns");
    const Json& worst = member(drawdowns, "worst");
    if (!worst.is_array() || worst.empty()) {
        return percent(member(member(*data.statistics, "stats"), "timeInDrawdown")) +
               " of days below a peak";
    }
    return card_money(member(worst[0], "dollars")) + ", " +
           html_text(text_of(worst[0], "peakDate")) + " to " +
           html_text(text_of(worst[0], "troughDate")) + "; " + basis_text(drawdowns);
}

std::string drawdown_table(const Json& drawdowns) {
    const Json& worst = member(drawdowns, "worst");
    if (!worst.is_array() || worst.empty()) {
        return {};
    }
    Table table({"Peak", "Lowest", "Recovered", "Percent", "Dollars"});
    for (const Json& one : worst) {
        const std::string recovered = text_of(one, "recoveryDate");
        table.row(html_text(text_of(one, "peakDate")),
                  {html_text(text_of(one, "troughDate")),
                   recovered.empty() ? std::string("not yet") : html_text(recovered),
                   percent(member(one, "percent")), money(member(one, "dollars"))});
    }
    return "<div><h3>Worst drawdowns, " + basis_text(drawdowns) + "</h3>" + table.html() + "</div>";
}

// Where the daily balance and the trades disagree, both are named as what they are.
std::string drawdown_tables(const ReportData& data) {
    const Json& drawdowns = member(*data.statistics, "drawdowns");
    const std::string tables =
        drawdown_table(drawdowns) + drawdown_table(member(drawdowns, "afterEachTrade"));
    return tables.empty() ? tables : "<div class=\"beside tables\">\n" + tables + "</div>\n";
}

// The year's months one after the other: (1 + r1)(1 + r2)... - 1, in percent.
double compounded(const Json& percents) {
    double growth = 1;
    for (const auto& [month, value] : percents.items()) {
        growth *= 1 + number(value).value_or(0) / 100;
    }
    return 100 * (growth - 1);
}

}  // namespace

std::string attention(const ReportData& data) {
    Sentences sentences;
    for (const mcp::JsonBox* const answer : answers(data)) {
        for (const Json& error : member(**answer, "syncErrors")) {
            sentences.add("Not up to date: " + text_of(error, "error"));
        }
    }
    if (!data.issues.is_null()) {
        add_issues(sentences, *data.issues);
    } else if (!data.issues_error.empty()) {
        sentences.add("Skipped and repaired rows are not known: " + data.issues_error);
    }
    for (const mcp::JsonBox* const answer : answers(data)) {
        sentences.add_all(member(**answer, "warnings"));
    }
    return sentences.html().empty() ? std::string()
                                    : "<section class=\"attention\"><h2>Before you read on</h2><ul "
                                      "class=\"remarks\">\n" +
                                          sentences.html() + "</ul></section>\n";
}

std::string key_figures(const ReportData& data) {
    const Json& s = member(*data.statistics, "stats");
    const Json& peak = member(member(*data.statistics, "peakExposure"), "byDollars");
    const Json& streak = member(s, "currentStreak");
    std::string html = "<section><h2>Key figures</h2>\n<dl class=\"cards\">\n";
    html +=
        card("Net P/L", card_money(member(s, "netPl")),
             "fees " + card_money(member(s, "totalCommissions")), sign_class(member(s, "netPl")));
    html += card(
        "Trades", count(member(s, "totalTrades")),
        count(member(s, "winningTrades")) + " won, " + count(member(s, "losingTrades")) + " lost");
    html += card("Win rate", percent(member(s, "winRate"), 100),
                 percent(member(s, "monthlyWinRate")) + " of months");
    html += card(
        "Profit factor", profit_factor(s),
        card_money(member(s, "avgWin")) + " / " + card_money(member(s, "avgLoss")) + " on average");
    html += card("CAGR, growth a year", percent(member(s, "cagr")),
                 "from " + card_money(member(s, "initialCapital")), sign_class(member(s, "cagr")));
    html += card("Largest drawdown", percent(member(s, "maxDrawdown")), worst_drawdown(data));
    html += card("Sharpe ratio", ratio(member(s, "sharpeRatio")), "annualized, daily returns");
    html += card("Sortino ratio", ratio(member(s, "sortinoRatio")),
                 "Calmar " + ratio(member(s, "calmarRatio")));
    html += card("Kelly fraction", percent(member(s, "kellyPercentage")), "full, by trades");
    html += card("Best and worst trade", card_money(member(s, "maxWin")),
                 card_money(member(s, "maxLoss")));
    html += card("Longest streaks",
                 count(member(s, "maxWinStreak")) + " / " + count(member(s, "maxLossStreak")),
                 "won / lost in a row, now " + streak_text(streak));
    html += card("Largest exposure", card_money(member(peak, "exposure")),
                 peak.is_object() ? percent(member(peak, "exposurePercent")) + " of the account, " +
                                        html_text(text_of(peak, "date").substr(0, 10))
                                  : std::string());
    return html + "</dl></section>\n";
}

std::string account(const ReportData& data) {
    if (data.charts.is_null()) {
        return "<section><h2>Account</h2>" + problem(data.charts_error) + "</section>\n";
    }
    std::string html = "<section><h2>Account</h2>\n";
    html += figure("chart-equity", "Equity", "after each realized trade, with its highest level");
    html += figure("chart-drawdown", "Drawdown",
                   "after each realized trade, percent below the highest level", "low");
    return html + drawdown_tables(data) + "</section>\n";
}

std::string months(const ReportData& data) {
    if (data.charts.is_null()) {
        return {};
    }
    const Json& percents = member(*data.charts, "monthlyReturnsPercent");
    const Json& dollars = member(*data.charts, "monthlyReturns");
    if (!percents.is_object() || !dollars.is_object()) {
        return {};
    }
    double largest = 0;
    for (const auto& [year, shares] : percents.items()) {
        for (const auto& [month, value] : shares.items()) {
            largest = std::max(largest, std::fabs(number(value).value_or(0)));
        }
    }
    std::string html =
        "<section><h2>Months</h2><p class=\"hint\">Net P/L by month of closing: percent of the "
        "account at the month's start over dollars. The year: its months compounded, and their sum "
        "in dollars.</p>\n"
        "<div class=\"scroll\"><table class=\"heat\"><thead><tr><th scope=\"col\">Year</th>";
    for (const char* const month : kMonths) {
        html += fmt::format("<th scope=\"col\">{}</th>", month);
    }
    html += "<th scope=\"col\">Year</th></tr></thead><tbody>\n";
    for (const auto& [year, amounts] : dollars.items()) {
        html += "<tr><th scope=\"row\">" + html_text(year) + "</th>";
        double sum = 0;
        for (std::size_t m = 1; m <= kMonths.size(); ++m) {
            const std::string key = std::to_string(m);
            const Json& amount = member(amounts, key);
            sum += number(amount).value_or(0);
            html += month_cell(member(member(percents, year), key), amount, largest);
        }
        html += fmt::format("<td class=\"sum {}\" title=\"{}\"><b>{}</b><br>{}</td></tr>\n",
                            sign_class(Json(sum)), html_text(mcp::money_text(sum)),
                            percent(Json(compounded(member(percents, year)))), short_money(sum));
    }
    return html + "</tbody></table></div></section>\n";
}

std::string remarks(const ReportData& data) {
    Sentences sentences;
    for (const mcp::JsonBox* const answer : answers(data)) {
        for (const Json& note : member(**answer, "notes")) {
            sentences.add(figure_names(text_of(note, "figure")) + ": " + text_of(note, "reason"));
        }
    }
    return sentences.html().empty()
               ? std::string()
               : "<section><h2>Figures without a value</h2><ul class=\"remarks\">\n" +
                     sentences.html() + "</ul></section>\n";
}

}  // namespace tb::report
