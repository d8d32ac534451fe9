#include "tools/portfolio/risk_common.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mcp/json_text.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/json.h"

namespace tb::tools {

namespace field = mcp::field;
using mcp::Field;
using mcp::Json;

namespace {

// Numbers that JSON cannot hold become null; their paths ("periods[3].netPl") go to `paths`.
// NOLINTNEXTLINE(misc-no-recursion): as deep as our own results
void replace_non_finite(Json& value, const std::string& path, std::vector<std::string>& paths) {
    if (value.is_number_float() && !std::isfinite(value.get<double>())) {
        value = nullptr;
        paths.push_back(path);
    } else if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            replace_non_finite(value[i], fmt::format("{}[{}]", path, i), paths);
        }
    } else if (value.is_object()) {
        for (const auto& [name, unused] : value.items()) {
            replace_non_finite(value[name], path.empty() ? name : path + "." + name, paths);
        }
    }
}

// Points of a curve spread evenly over its length, both ends among them, as many as fit.
std::size_t thin_curve(Json& curve, std::size_t budget) {
    const std::size_t total = curve.size();
    std::size_t shown = total;
    for (std::size_t size = mcp::char_count(mcp::to_json_text(curve)); size > budget && shown > 2;
         size = mcp::char_count(mcp::to_json_text(curve))) {
        const Json whole = std::move(curve);
        const std::size_t before = shown;
        shown = std::clamp<std::size_t>(before * budget / size, 2, before - 1);
        curve = Json::array();
        for (std::size_t i = 0; i < shown; ++i) {
            curve.push_back(whole[i * (before - 1) / (shown - 1)]);
        }
    }
    return shown;
}

std::string shorten_lists(Json& result, const std::vector<std::string>& names,
                          std::string_view curve, std::size_t budget) {
    constexpr std::size_t kRoomForNotice = 600;
    Json cut = Json::array();
    std::string warning;
    for (const std::string& name : names) {
        const std::size_t size = mcp::char_count(mcp::to_json_text(result));
        if (budget == 0 || size <= budget) {
            break;
        }
        Json& list = result[name];
        const std::size_t own = mcp::char_count(mcp::to_json_text(list));
        const std::size_t others = size - own + kRoomForNotice;
        const std::size_t total = list.size();
        const std::size_t room = budget > others ? budget - others : 1;
        const bool is_curve = name == curve;
        const std::size_t shown = is_curve ? thin_curve(list, room) : mcp::fit_rows(list, room);
        if (shown < total) {
            cut.push_back({{"list", name}, {"shown", shown}, {"total", total}});
            warning += fmt::format("{}{}: {}{} of {}{}", warning.empty() ? "" : "; ", name,
                                   is_curve ? "" : "the first ", shown, total,
                                   is_curve ? " points, spread evenly" : "");
        }
    }
    if (!cut.empty()) {
        result["shortened"] = std::move(cut);
        warning += "; a narrower filter or a larger maxChars shows the rest";
    }
    return warning;
}

}  // namespace

mcp::Outcome<RiskSelection> select_trades(App& app, mcp::ToolContext& context,
                                          const Json& arguments, std::string_view names) {
    RiskSelection selection;
    selection.conventions = conventions_of(arguments);
    const bool correct = selection.conventions == Conventions::kCorrect;
    analytics::TradeFilter& filter = selection.filter;
    filter.strategy = text_argument(arguments, "strategy");
    filter.reference_names = !correct;
    if (!names.empty()) {
        filter.strategies = texts_argument(arguments, names);
    }
    filter.ticker = text_argument(arguments, "tickerFilter");
    filter.date_field = correct ? analytics::DateField::kRealized : analytics::DateField::kOpened;
    TB_TRY_TOOL(filter.dates, date_range_argument(arguments, "dateRangeFrom", "dateRangeTo",
                                                  selection.conventions));
    TB_TRY_TOOL(selection.fresh,
                app.fresh_block(*text_argument(arguments, "blockId"), context.token()));
    const BlockData& block = *selection.fresh.data;
    if (correct) {
        for (const std::string& name : filter.strategies) {
            if (auto unknown = unknown_strategy(name, block.trades.strategies, block.block_id)) {
                return tl::unexpected<mcp::ToolError>(std::move(*unknown));
            }
        }
    }
    selection.trades = analytics::filter_trades(block.trades, filter);
    if (correct && selection.trades.trades.empty()) {
        return tl::unexpected<mcp::ToolError>(no_trades(block, filter));
    }
    return selection;
}

std::optional<mcp::ToolError> too_many_to_pair(const RiskSelection& selection) {
    std::set<std::uint32_t> used;
    for (const analytics::Trade& trade : selection.trades.trades) {
        used.insert(trade.strategy);
    }
    if (used.size() <= kMostPairedStrategies) {
        return std::nullopt;
    }
    return mcp::ToolError(fmt::format(
        "{} strategies are too many to hold each against each (at most {}): name those of interest "
        "in strategyFilter; get_strategy_comparison lists them with their trades",
        mcp::count_text(static_cast<std::int64_t>(used.size())), kMostPairedStrategies));
}

std::optional<double> account_start_capital(const RiskSelection& selection) {
    if (selection.conventions == Conventions::kReference) {
        return std::nullopt;
    }
    const analytics::Capital capital = start_capital(*selection.fresh.data, selection.filter);
    return capital.dollars && *capital.dollars > 0 ? capital.dollars : std::nullopt;
}

std::string_view date_filter_name(Conventions conventions) {
    return conventions == Conventions::kReference ? "date_opened" : "date_realized";
}

analytics::RunContext run_context(mcp::ToolContext& context) {
    return {0, context.token(), context.progress_callback()};
}

std::vector<Field> date_bound_arguments() {
    return {day_argument("dateRangeFrom", "First day"), day_argument("dateRangeTo", "Last day")};
}

Field normalization_argument(std::string name) {
    return field::choice(std::move(name), {"raw", "margin", "notional"},
                         "P/L in dollars, by margin, or by price * contracts")
        .default_value("raw");
}

Field date_basis_argument(std::string name) {
    return field::choice(std::move(name), {"opened", "closed"}, "Day a trade counts on")
        .default_value("opened");
}

analytics::Normalization normalization_of(const Json& arguments, std::string_view name) {
    const std::string text = text_argument(arguments, name).value_or("raw");
    if (text == "margin") {
        return analytics::Normalization::kMargin;
    }
    return text == "notional" ? analytics::Normalization::kNotional
                              : analytics::Normalization::kRaw;
}

analytics::DateBasis date_basis_of(const Json& arguments, std::string_view name) {
    return text_argument(arguments, name) == "closed" ? analytics::DateBasis::kClosed
                                                      : analytics::DateBasis::kOpened;
}

Json echo_all(const Json& arguments, const std::vector<std::string_view>& names) {
    Json object = Json::object();
    for (const std::string_view name : names) {
        object[std::string(name)] = echo(arguments, name);
    }
    return object;
}

Json rate_json(const analytics::RiskFreeRates& rates, Conventions conventions) {
    Json json = rate_source_json(rates, {}, conventions);
    json.erase("resolutionCounts");
    return json;
}

Field matrix_field(std::string name, std::string description) {
    mcp::Schema cell = field::number_schema();
    cell.nullable = true;
    return field::list(std::move(name), field::list_schema(std::move(cell)),
                       std::move(description));
}

Json matrix_json(const std::vector<std::vector<std::optional<double>>>& matrix) {
    Json rows = Json::array();
    for (const auto& row : matrix) {
        Json cells = Json::array();
        for (const auto& value : row) {
            cells.push_back(number_json(value));
        }
        rows.push_back(std::move(cells));
    }
    return rows;
}

Explanation explanation(std::string figure, std::string formula, Json inputs, std::size_t rows,
                        std::string basis) {
    return {std::move(figure), std::move(formula), std::move(inputs),
            static_cast<std::int64_t>(rows), std::move(basis)};
}

Json figure_json(std::optional<double> value) {
    return value ? Json(*value) : Json(nullptr);
}

mcp::ToolResult risk_result(mcp::ToolContext& context, Json result, AnswerFrame frame,
                            std::string text, const std::vector<std::string>& lists,
                            std::string_view curve) {
    std::vector<std::string> paths;
    replace_non_finite(result, "", paths);
    for (std::string& path : paths) {
        frame.notes.push_back({std::move(path), "beyond the range of numbers"});
    }
    const std::size_t budget = answer_budget(context, frame.conventions);
    add_frame(result, frame);
    const std::string cut = shorten_lists(result, lists, curve, budget);
    if (!cut.empty()) {
        result["warnings"].push_back(cut);
        frame.warnings.push_back(cut);
    }
    const std::string about = frame_text(frame);
    if (budget > 0) {
        const std::size_t room = budget > about.size() ? budget - about.size() : 1;
        text = mcp::cut_at_line(std::move(text), room, "(cut; a larger maxChars shows the rest)");
    }
    return {.text = text + about, .structured = std::move(result)};
}

}  // namespace tb::tools
