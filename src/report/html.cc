#include "report/html.h"

#include <cmath>
#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mcp/json_text.h"
#include "mcp/render.h"

namespace tb::report {

using mcp::Json;

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

std::string text_of(const Json& object, std::string_view name) {
    const Json& value = member(object, name);
    return value.is_string() ? value.get<std::string>() : std::string();
}

std::string missing() {
    return "<span class=\"na\">n/a</span>";
}

std::string money(const Json& value) {
    return value.is_number() ? html_text(mcp::money_text(value.get<double>())) : missing();
}

std::string card_money(const Json& value) {
    constexpr double kWithCents = 100'000;  // from here on they would not fit
    constexpr double kWholeDollars = 1e9;
    const auto dollars = number(value);
    if (!dollars || std::fabs(*dollars) < kWithCents) {
        return money(value);
    }
    const std::string shown =
        std::fabs(*dollars) < kWholeDollars
            ? (*dollars < 0 ? "-$" : "$") + mcp::count_text(std::llround(std::fabs(*dollars)))
            : short_money(*dollars);
    return fmt::format("<span title=\"{}\">{}</span>", html_text(mcp::money_text(*dollars)), shown);
}

std::string short_money(double dollars) {
    if (!std::isfinite(dollars)) {
        return "n/a";
    }
    const double size = std::fabs(dollars);
    std::string text;
    // Bounds are where the shorter form would round up to the next one.
    if (size < 9'999.5) {
        const auto whole = static_cast<std::int64_t>(std::llround(size));
        text = mcp::count_text(whole);
        if (whole == 0) {
            return "$0";
        }
    } else if (size < 999'950) {
        text = fmt::format("{:.{}f}k", size / 1e3, size < 99'950 ? 1 : 0);
    } else if (size < 999.95e6) {
        text = fmt::format("{:.{}f}M", size / 1e6, size < 99.995e6 ? 2 : 1);
    } else if (size < 1e15) {
        text = fmt::format("{:.2f}B", size / 1e9);
    } else {
        text = fmt::format("{:.2e}", size);
    }
    return (dollars < 0 ? "-$" : "$") + text;
}

std::string ratio(const Json& value) {
    return value.is_number() ? html_text(mcp::ratio_text(value.get<double>())) : missing();
}

std::string percent(const Json& value, double factor) {
    return value.is_number() ? html_text(mcp::percent_text(factor * value.get<double>()))
                             : missing();
}

std::string count(const Json& value) {
    return value.is_number() ? html_text(mcp::count_text(value.get<std::int64_t>())) : missing();
}

std::string profit_factor(const Json& figures) {
    const bool infinite = member(figures, "profitFactor").is_null() &&
                          number(member(figures, "avgWin")).value_or(0) > 0 &&
                          number(member(figures, "avgLoss")).value_or(-1) == 0;
    return infinite ? std::string("infinite") : ratio(member(figures, "profitFactor"));
}

const char* sign_class(const Json& value) {
    const double amount = number(value).value_or(0);
    return amount > 0 ? "gain" : amount < 0 ? "loss" : "";
}

std::string problem(const std::string& error) {
    return "<p class=\"problem\">" + html_text(error) + "</p>\n";
}

Table::Table(const std::vector<std::string>& head, std::string_view css_class) {
    html_ = fmt::format("<div class=\"scroll\"><table class=\"{}\"><thead><tr>", css_class);
    for (const std::string& name : head) {
        html_ += "<th scope=\"col\">" + name + "</th>";
    }
    html_ += "</tr></thead><tbody>\n";
}

void Table::row(const std::string& name, const std::vector<Cell>& cells) {
    html_ += "<tr><th scope=\"row\">" + name + "</th>";
    for (const Cell& cell : cells) {
        html_ += *cell.css_class == '\0'
                     ? "<td>" + cell.html + "</td>"
                     : fmt::format("<td class=\"{}\">{}</td>", cell.css_class, cell.html);
    }
    html_ += "</tr>\n";
    ++rows_;
}

std::string Table::html() const {
    return html_ + "</tbody></table></div>\n";
}

}  // namespace tb::report
