// get_period_returns: P/L by month, week or day (02 §4.11).
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/periods.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/json.h"
#include "tools/portfolio/common.h"
#include "tools/portfolio/statistics_json.h"
#include "tools/portfolio/tools.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using analytics::PeriodReturns;
using analytics::PeriodSums;
using analytics::PeriodType;
using mcp::Json;

constexpr std::size_t kTextRoom = 2'000;  // for what stands around the table

PeriodType type_of(const std::string& name) {
    if (name == "weekly") {
        return PeriodType::kWeekly;
    }
    return name == "daily" ? PeriodType::kDaily : PeriodType::kMonthly;
}

Json sums_json(const PeriodSums& sums) {
    return {{"reportedPl", number_json(sums.reported_pl)},
            {"grossPl", number_json(sums.gross_pl)},
            {"commissions", number_json(sums.commissions)},
            {"netPl", number_json(sums.net_pl)},
            {"tradeCount", sums.trade_count}};
}

std::vector<std::string> cells_of(const std::string& name, const PeriodSums& sums) {
    return {name,
            mcp::count_text(sums.trade_count),
            dollars_text(sums.net_pl),
            dollars_text(sums.gross_pl),
            dollars_text(sums.commissions),
            dollars_text(sums.reported_pl)};
}

std::string table_text(const PeriodReturns& returns, std::size_t offset, std::size_t rows,
                       std::size_t budget) {
    mcp::MarkdownTable table({"Period", "Trades", "Net P/L", "Gross P/L", "Fees", "As written"},
                             budget > kTextRoom ? budget - kTextRoom : budget);
    for (std::size_t i = offset; i < offset + rows && i < returns.periods.size(); ++i) {
        table.add_row(cells_of(returns.periods[i].period, returns.periods[i].sums));
    }
    // The total is no row of the list: it must stand even where rows do not fit.
    mcp::MarkdownTable total({"Total", "Trades", "Net P/L", "Gross P/L", "Fees", "As written"});
    total.add_row(cells_of(fmt::format("{} periods", mcp::count_text(static_cast<std::int64_t>(
                                                         returns.periods.size()))),
                           returns.totals));
    std::string text = table.text("use offset, a shorter dateRange or a longer period");
    if (rows < returns.periods.size()) {
        text +=
            fmt::format("Rows {} to {} of {}\n", offset + 1, offset + rows, returns.periods.size());
    }
    return text + "\n" + total.text("");
}

std::vector<Explanation> explanations(const PeriodReturns& returns, bool one_lot) {
    const Json inputs = {{"attribution", "date_closed_fallback_date_opened"},
                         {"normalizeTo1Lot", one_lot}};
    const std::int64_t rows = returns.trades_analyzed;
    return {
        {"periods[].netPl", "sum of P/L after fees, deducted exactly once", inputs, rows, "trades"},
        {"periods[].grossPl", "sum of P/L before fees", inputs, rows, "trades"},
        {"periods[].commissions", "sum of opening and closing fees", inputs, rows, "trades"},
        {"periods[].reportedPl", "sum of the P/L column as written", inputs, rows, "trades"},
        {"periods[].tradeCount", "trades realized in the period", inputs, rows, "trades"},
        {"totals", "the same over all periods", inputs, rows, "trades"}};
}

mcp::Outcome<mcp::ToolResult> get_period_returns(App& app, mcp::ToolContext& context,
                                                 const Json& arguments) {
    analytics::PeriodReturnsRequest request;
    request.conventions = conventions_of(arguments);
    request.strategy = text_argument(arguments, "strategy");
    request.type = type_of(text_argument(arguments, "period").value_or("monthly"));
    request.one_lot = flag_argument(arguments, "normalizeTo1Lot").value_or(false);
    TB_TRY_TOOL(request.dates, date_range_object_argument(arguments, request.conventions));
    if (const auto year = integer_argument(arguments, "year")) {
        request.year = static_cast<std::int32_t>(*year);
    }
    TB_TRY_TOOL(const FreshBlock fresh,
                app.fresh_block(*text_argument(arguments, "blockId"), context.token()));
    const BlockData& block = *fresh.data;
    const auto returns = analytics::period_returns(block.trades, request);
    if (!returns) {
        analytics::TradeFilter filter;
        filter.strategy = request.strategy;
        filter.dates = request.dates.value_or(analytics::DateRange());
        if (!request.dates && request.year) {
            filter.dates = {Date::from_ymd(*request.year, 1, 1),
                            Date::from_ymd(*request.year, 12, 31)};
        }
        return tl::unexpected<mcp::ToolError>(no_trades(block, filter));
    }
    AnswerFrame frame{.conventions = request.conventions,
                      .blocks = {&fresh},
                      .notes = returns->notes,
                      .counted_by = CountedBy::kClosingDay,
                      .explain = wants_explanation(arguments)};
    if (frame.explain) {
        frame.explanations = explanations(*returns, request.one_lot);
    }
    Json periods = Json::array();
    for (const analytics::PeriodReturn& period : returns->periods) {
        Json row = {{"period", period.period}};
        row.update(sums_json(period.sums));
        periods.push_back(std::move(row));
    }
    Json answer = {{"blockId", block.block_id},
                   {"strategy", echo(arguments, "strategy")},
                   {"periodType", echo(arguments, "period")},
                   {"yearFilter", echo(arguments, "year")},
                   {"dateRange", echo(arguments, "dateRange")},
                   {"normalizeTo1Lot", request.one_lot},
                   {"tradesAnalyzed", returns->trades_analyzed},
                   {"periodCount", returns->periods.size()},
                   {"periods", std::move(periods)},
                   {"totals", sums_json(returns->totals)},
                   {"calculationMethodology",
                    {{"attribution", "date_closed_fallback_date_opened"},
                     {"reportedPl", "source_reported_basis"},
                     {"grossPl", "gross_before_fees_reconstructed_from_declared_basis"},
                     {"netPl", "net_after_fees_deducted_exactly_once"}}}};
    add_frame(answer, frame);
    const std::size_t budget = answer_budget(context, request.conventions);
    page_list(answer, "periods", arguments, budget);
    const std::size_t shown = answer["periods"].size();
    const auto offset = shown == returns->periods.size()
                            ? std::size_t{0}
                            : answer["page"]["offset"].get<std::size_t>();
    std::string text =
        fmt::format("Returns of {} by the day realized\n", mcp::cell_text(block.block_id)) +
        table_text(*returns, offset, shown, budget) + frame_text(frame);
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(answer)};
}

}  // namespace

mcp::ToolSpec get_period_returns_tool(App& app) {
    std::vector<mcp::Field> arguments = {
        block_argument(),
        strategy_argument(),
        field::choice("period", {"monthly", "weekly", "daily"}, "Length of a row")
            .default_value("monthly"),
        field::integer("year", "Only this year of realization; without dateRange")
            .range(1900, 2200),
        date_range_object(),
        one_lot_argument()};
    for (mcp::Field& page : page_arguments()) {
        arguments.push_back(std::move(page));
    }
    arguments.push_back(conventions_argument());
    arguments.push_back(explain_argument());
    return {.name = "get_period_returns",
            .title = "Returns per month, week or day",
            .description =
                "Net, gross and reported P/L, fees and trade count per month, ISO week or day of "
                "realization, with totals. Periods without trades are absent. For ratios use "
                "get_statistics.",
            .toolset = "portfolio",
            .annotations = mcp::Annotations::reads(),
            .scope = "blocks:read",
            .arguments = std::move(arguments),
            .results =
                with_frame({field::text("blockId", "The block"),
                            field::integer("tradesAnalyzed", "After the filters"),
                            field::integer("periodCount", "Before paging"),
                            field::list("periods",
                                        field::object_schema({field::text("period", ""),
                                                              field::number("netPl", "").nullable(),
                                                              field::integer("tradeCount", "")}),
                                        "Also grossPl, reportedPl, commissions"),
                            open_object("totals", "Over all periods"), page_field()}),
            .max_result_chars = mcp::kMaxRaisedResultChars,
            .handler = [&app](mcp::ToolContext& context, const Json& given) {
                return get_period_returns(app, context, given);
            }};
}

}  // namespace tb::tools
