// get_strategy_comparison: the strategies of a block side by side (02 §4.2).
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/comparison.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/json.h"
#include "tools/portfolio/common.h"
#include "tools/portfolio/statistics_json.h"
#include "tools/portfolio/tools.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using analytics::StrategyComparison;
using analytics::StrategySort;
using mcp::Json;

constexpr std::size_t kTextRoom = 2'000;  // for what stands around the table

StrategySort sort_of(const std::string& name) {
    if (name == "winRate") {
        return StrategySort::kWinRate;
    }
    if (name == "trades") {
        return StrategySort::kTrades;
    }
    if (name == "profitFactor") {
        return StrategySort::kProfitFactor;
    }
    return name == "name" ? StrategySort::kName : StrategySort::kNetPl;  // "pl" = "netPl"
}

mcp::Outcome<analytics::StrategyComparisonRequest> request_of(const Json& arguments) {
    analytics::StrategyComparisonRequest request;
    request.conventions = conventions_of(arguments);
    TB_TRY_TOOL(request.dates,
                date_range_argument(arguments, "startDate", "endDate", request.conventions));
    request.ticker = text_argument(arguments, "tickerFilter");
    request.min_trades = integer_argument(arguments, "minTrades");
    request.sort_by = sort_of(text_argument(arguments, "sortBy").value_or("netPl"));
    request.descending = text_argument(arguments, "sortOrder") != "asc";
    if (const auto limit = integer_argument(arguments, "limit")) {
        request.limit = static_cast<std::size_t>(*limit);
    }
    return request;
}

Json strategies_json(const StrategyComparison& comparison) {
    Json rows = Json::array();
    for (const analytics::StrategyRow& row : comparison.strategies) {
        rows.push_back({{"name", row.name},
                        {"trades", row.trades},
                        {"winRate", number_json(row.win_rate)},
                        {"netPl", number_json(row.net_pl)},
                        {"avgWin", number_json(row.avg_win)},
                        {"avgLoss", number_json(row.avg_loss)},
                        {"profitFactor", number_json(row.profit_factor)}});
    }
    return rows;
}

std::string table_text(const StrategyComparison& comparison, std::size_t rows, std::size_t budget) {
    mcp::MarkdownTable table({"Strategy", "Trades", "Net P/L", "Win rate", "Average win",
                              "Average loss", "Profit factor"},
                             budget > kTextRoom ? budget - kTextRoom : budget);
    for (std::size_t i = 0; i < comparison.strategies.size() && i < rows; ++i) {
        const analytics::StrategyRow& row = comparison.strategies[i];
        table.add_row({row.name, mcp::count_text(row.trades), dollars_text(row.net_pl),
                       share_text(row.win_rate * 100), dollars_text(row.avg_win),
                       dollars_text(row.avg_loss),
                       row.profit_factor_infinite ? "infinite" : figure_text(row.profit_factor)});
    }
    return table.text("minTrades or limit narrow the list, maxChars widens the answer") +
           fmt::format(
               "{} of {} strategies, {} trades, by the day {}\n",
               mcp::count_text(static_cast<std::int64_t>(rows)),
               mcp::count_text(comparison.total_strategies),
               mcp::count_text(comparison.trades_analyzed),
               comparison.date_field == analytics::DateField::kOpened ? "opened" : "realized");
}

// A note per strategy without a loss, or one for all where they are many.
std::vector<analytics::Note> infinite_factors(const StrategyComparison& comparison) {
    constexpr std::size_t kMostNotes = 10;
    std::vector<analytics::Note> notes;
    for (const analytics::StrategyRow& row : comparison.strategies) {
        if (row.profit_factor_infinite) {
            notes.push_back({row.name + ": profitFactor", "infinite: no losing trade"});
        }
    }
    if (notes.size() > kMostNotes) {
        return {{"strategies[].profitFactor",
                 fmt::format("infinite where it is null: {} strategies have no losing trade",
                             notes.size())}};
    }
    return notes;
}

std::vector<Explanation> explanations(const StrategyComparison& comparison,
                                      Conventions conventions) {
    const Json inputs = {{"strategies", comparison.total_strategies}};
    const std::int64_t rows = comparison.trades_analyzed;
    return {
        {"strategies[].trades", "trades of the strategy that pass the filters", inputs, rows,
         "trades"},
        {"strategies[].netPl",
         conventions == Conventions::kReference ? "sum of the P/L column as written"
                                                : "sum of P = P/L after fees",
         inputs, rows, "trades"},
        {"strategies[].winRate", "trades with P > 0 / trades (fraction)", inputs, rows, "trades"},
        {"strategies[].avgWin, avgLoss", "mean of P over P > 0, over P < 0", inputs, rows,
         "trades"},
        {"strategies[].profitFactor", "sum of P > 0 / |sum of P < 0|; null without a loss", inputs,
         rows, "trades"}};
}

mcp::Outcome<mcp::ToolResult> get_strategy_comparison(App& app, mcp::ToolContext& context,
                                                      const Json& arguments) {
    TB_TRY_TOOL(const analytics::StrategyComparisonRequest request, request_of(arguments));
    TB_TRY_TOOL(const FreshBlock fresh,
                app.fresh_block(*text_argument(arguments, "blockId"), context.token()));
    const BlockData& block = *fresh.data;
    const auto comparison = analytics::strategy_comparison(block.trades, request);
    if (!comparison) {
        analytics::TradeFilter filter;
        filter.ticker = request.ticker;
        filter.dates = request.dates;
        if (request.conventions == Conventions::kReference) {
            filter.date_field = analytics::DateField::kOpened;
        }
        return tl::unexpected<mcp::ToolError>(no_trades(block, filter));
    }
    AnswerFrame frame{.conventions = request.conventions,
                      .blocks = {&fresh},
                      .explain = wants_explanation(arguments)};
    frame.notes = infinite_factors(*comparison);
    if (frame.explain) {
        frame.explanations = explanations(*comparison, request.conventions);
    }
    Json answer = {{"blockId", block.block_id},
                   {"options",
                    {{"startDate", echo(arguments, "startDate")},
                     {"endDate", echo(arguments, "endDate")},
                     {"tickerFilter", echo(arguments, "tickerFilter")},
                     {"minTrades", echo(arguments, "minTrades")},
                     {"sortBy", echo(arguments, "sortBy")},
                     {"sortOrder", echo(arguments, "sortOrder")},
                     {"limit", echo(arguments, "limit")}}},
                   {"strategies", strategies_json(*comparison)},
                   {"totalStrategies", comparison->total_strategies},
                   {"count", comparison->strategies.size()},
                   {"tradesAnalyzed", comparison->trades_analyzed},
                   {"dateField", comparison->date_field == analytics::DateField::kOpened
                                     ? "date_opened"
                                     : "date_closed_fallback_date_opened"}};
    add_frame(answer, frame);
    const std::size_t budget = answer_budget(context, request.conventions);
    page_list(answer, "strategies", Json::object(), budget);
    answer["count"] = answer["strategies"].size();
    std::string text = "Strategies of " + mcp::cell_text(block.block_id) + "\n" +
                       table_text(*comparison, answer["strategies"].size(), budget) +
                       frame_text(frame);
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(answer)};
}

}  // namespace

mcp::ToolSpec get_strategy_comparison_tool(App& app) {
    return {
        .name = "get_strategy_comparison",
        .title = "Strategies side by side",
        .description =
            "Trades, win rate (fraction), net P/L, average win and loss and profit factor of "
            "each strategy of a block. For one strategy in depth use get_statistics with "
            "strategy; for blocks against each other compare_blocks.",
        .toolset = "portfolio",
        .annotations = mcp::Annotations::reads(),
        .scope = "blocks:read",
        .arguments =
            {block_argument(), day_argument("startDate", "First realization day"),
             day_argument("endDate", "Last realization day"), ticker_argument(),
             field::integer("minTrades", "Leave out strategies with fewer").at_least(1),
             field::choice("sortBy", {"netPl", "pl", "winRate", "trades", "profitFactor", "name"},
                           "pl = netPl")
                 .default_value("netPl"),
             field::choice("sortOrder", {"asc", "desc"}, "Direction").default_value("desc"),
             field::integer("limit", "Most strategies").at_least(1), max_chars_argument(),
             conventions_argument(), explain_argument()},
        .results =
            with_frame({field::text("blockId", "The block"), open_object("options", "As asked"),
                        field::list("strategies",
                                    field::object_schema({field::text("name", ""),
                                                          field::integer("trades", ""),
                                                          field::number("netPl", "").nullable()}),
                                    "Also winRate, avgWin, avgLoss, profitFactor"),
                        field::integer("totalStrategies", "Before limit"),
                        field::integer("count", "Rows shown"), page_field()}),
        .max_result_chars = mcp::kMaxRaisedResultChars,
        .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
            return get_strategy_comparison(app, context, arguments);
        }};
}

}  // namespace tb::tools
