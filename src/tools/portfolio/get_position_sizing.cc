// get_position_sizing: how much capital each strategy's record supports (02 §4.9).
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/position_sizing.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/json.h"
#include "tools/portfolio/risk.h"
#include "tools/portfolio/risk_common.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using analytics::KellyMethod;
using analytics::KellyMetrics;
using analytics::PositionSizingResult;
using analytics::StrategySizing;
using mcp::Json;

std::vector<mcp::Field> argument_fields() {
    return {
        block_argument(),
        field::number("capitalBase", "Account in dollars, above 0").at_least(0).required(),
        strategy_argument(),
        field::choice("kellyFraction", {"full", "half", "quarter"}, "Share of Kelly to use")
            .default_value("half"),
        field::number("maxAllocationPct", "Cap for each, percent of capital")
            .range(1, 100)
            .default_value(25),
        field::boolean("includeNegativeKelly", "List strategies that lose").default_value(true),
        field::boolean("useMarginReturns", "By P/L per margin, not dollars").default_value(false),
        field::integer("minTrades", "Skip strategies with fewer").range(1, 1e9).default_value(10),
        field::choice("sortBy", {"kelly", "name", "winRate", "payoffRatio", "allocation"},
                      "Order of strategies")
            .default_value("kelly"),
        field::choice("sortOrder", {"desc", "asc"}, "Direction").default_value("desc"),
        conventions_argument(),
        explain_argument(),
        max_chars_argument()};
}

// The rest of what is returned is named in the answer itself: tools/list stays small (06 T13).
std::vector<mcp::Field> result_fields() {
    return with_frame({
        field::text("blockId", "The block"),
        open_object("portfolio", "All trades together"),
        open_list("strategies", "Kelly figures and allocations"),
        field::number("totalAllocationPct", "Their sum, percent of capital").nullable(),
    });
}

analytics::PositionSizingOptions read_options(const Json& arguments) {
    using analytics::KellyFraction;
    using analytics::SizingSort;
    analytics::PositionSizingOptions options;
    options.capital_base = *number_argument(arguments, "capitalBase");
    const std::string fraction = *text_argument(arguments, "kellyFraction");
    options.kelly_fraction = fraction == "full"   ? KellyFraction::kFull
                             : fraction == "half" ? KellyFraction::kHalf
                                                  : KellyFraction::kQuarter;
    options.max_allocation_pct = *number_argument(arguments, "maxAllocationPct");
    options.include_negative_kelly = *flag_argument(arguments, "includeNegativeKelly");
    options.use_margin_returns = *flag_argument(arguments, "useMarginReturns");
    options.min_trades = *integer_argument(arguments, "minTrades");
    const std::string sort = *text_argument(arguments, "sortBy");
    options.sort_by = sort == "name"          ? SizingSort::kName
                      : sort == "winRate"     ? SizingSort::kWinRate
                      : sort == "payoffRatio" ? SizingSort::kPayoffRatio
                      : sort == "allocation"  ? SizingSort::kAllocation
                                              : SizingSort::kKelly;
    options.descending = text_argument(arguments, "sortOrder") == "desc";
    return options;
}

// Members shared by the portfolio and each strategy.
void add_kelly(Json& json, const KellyMetrics& kelly) {
    json["winRate"] = figure_json(kelly.win_rate);
    json["avgWin"] = figure_json(kelly.avg_win);
    json["avgLoss"] = figure_json(kelly.avg_loss);
    json["payoffRatio"] = figure_json(kelly.payoff_ratio);
    json["rawKellyFraction"] = figure_json(kelly.fraction);
    json["rawKellyPercent"] = figure_json(kelly.percent);
    json["hasValidKelly"] = kelly.has_valid_kelly;
}

void add_kelly_by_margin(Json& json, const KellyMetrics& kelly) {
    json["avgWinPct"] = figure_json(kelly.avg_win_pct);
    json["avgLossPct"] = figure_json(kelly.avg_loss_pct);
    json["normalizedKellyPct"] = figure_json(kelly.normalized_kelly_pct);
    json["calculationMethod"] =
        kelly.method == KellyMethod::kPercentage ? "percentage" : "absolute";
    json["hasUnrealisticValues"] = kelly.has_unrealistic_values;
}

Json portfolio_json(const analytics::PortfolioSizing& portfolio) {
    Json json = Json::object();
    add_kelly(json, portfolio.kelly);
    json["adjustedKellyFraction"] = figure_json(portfolio.adjusted_fraction);
    json["recommendedAllocation"] = figure_json(portfolio.recommended_allocation);
    json["fullKelly"] = figure_json(portfolio.full_kelly);
    json["halfKelly"] = figure_json(portfolio.half_kelly);
    json["quarterKelly"] = figure_json(portfolio.quarter_kelly);
    add_kelly_by_margin(json, portfolio.kelly);
    return json;
}

Json strategy_json(const StrategySizing& strategy) {
    Json json = {{"name", strategy.name}, {"tradeCount", strategy.trade_count}};
    add_kelly(json, strategy.kelly);
    json["rawAllocation"] = figure_json(strategy.raw_allocation);
    json["adjustedAllocation"] = figure_json(strategy.adjusted_allocation);
    json["scaledAllocation"] = figure_json(strategy.scaled_allocation);
    add_kelly_by_margin(json, strategy.kelly);
    return json;
}

Json result_json(const Json& arguments, const PositionSizingResult& sizing) {
    Json options = echo_all(arguments, {"capitalBase", "strategy", "kellyFraction",
                                        "maxAllocationPct", "includeNegativeKelly",
                                        "useMarginReturns", "minTrades", "sortBy", "sortOrder"});
    options["kellyMultiplier"] = sizing.kelly_multiplier;
    options["maxAllocationFraction"] = sizing.max_allocation_fraction;
    Json strategies = Json::array();
    for (const StrategySizing& strategy : sizing.strategies) {
        strategies.push_back(strategy_json(strategy));
    }
    Json skipped = Json::array();
    for (const analytics::SkippedStrategy& strategy : sizing.skipped) {
        skipped.push_back(fmt::format("{} ({} trades)", strategy.name, strategy.trade_count));
    }
    return {{"blockId", arguments["blockId"]},
            {"options", std::move(options)},
            {"portfolio", portfolio_json(sizing.portfolio)},
            {"strategies", std::move(strategies)},
            {"skippedStrategies", std::move(skipped)},
            {"totalAllocation", figure_json(sizing.total_allocation)},
            {"totalAllocationPct", figure_json(sizing.total_allocation_pct)}};
}

std::string result_text(const PositionSizingResult& sizing, double capital, std::size_t budget) {
    const analytics::PortfolioSizing& all = sizing.portfolio;
    const auto percent = [](const std::optional<double>& fraction) {
        return mcp::percent_text(fraction ? std::optional(100 * *fraction) : std::nullopt);
    };
    std::string text = fmt::format(
        "Position sizing for {} by Kelly * {}, at most {} each.\n"
        "All trades together: win rate {}, payoff ratio {}, Kelly {}, allocate {}.\n\n",
        mcp::money_text(capital), mcp::number_text(sizing.kelly_multiplier),
        percent(sizing.max_allocation_fraction), percent(all.kelly.win_rate),
        mcp::ratio_text(all.kelly.payoff_ratio),
        all.kelly.has_valid_kelly ? percent(all.kelly.fraction) : "undefined",
        all.recommended_allocation ? mcp::money_text(*all.recommended_allocation) : "nothing");
    mcp::MarkdownTable table({"Strategy", "Trades", "Win rate", "Avg win", "Avg loss", "Payoff",
                              "Kelly", "Allocation", "Scaled to 100 %"},
                             budget);
    for (const StrategySizing& strategy : sizing.strategies) {
        table.add_row({strategy.name, mcp::count_text(strategy.trade_count),
                       percent(strategy.kelly.win_rate), mcp::money_text(strategy.kelly.avg_win),
                       mcp::money_text(strategy.kelly.avg_loss),
                       mcp::ratio_text(strategy.kelly.payoff_ratio),
                       strategy.kelly.has_valid_kelly ? percent(strategy.kelly.fraction) : "N/A",
                       mcp::money_text(strategy.adjusted_allocation),
                       mcp::money_text(strategy.scaled_allocation)});
    }
    if (table.rows_total() > 0) {
        text += table.text("a larger maxChars shows all") + "\n";
        text += fmt::format("Sum of the allocations: {} ({} of the capital).\n",
                            mcp::money_text(sizing.total_allocation),
                            mcp::percent_text(sizing.total_allocation_pct));
    }
    for (const analytics::SkippedStrategy& strategy : sizing.skipped) {
        text += fmt::format("Skipped, too few trades: {} ({})\n", mcp::cell_text(strategy.name),
                            mcp::count_text(strategy.trade_count));
    }
    return text;
}

std::vector<Explanation> explain(const RiskSelection& selection,
                                 const analytics::PositionSizingOptions& options,
                                 const PositionSizingResult& sizing) {
    const bool reference = selection.conventions == Conventions::kReference;
    const std::string pl = reference ? "reported P/L" : "net P/L after fees";
    const KellyMetrics& kelly = sizing.portfolio.kelly;
    const auto& trades = selection.trades.trades;
    const std::size_t rows = trades.size();
    const auto with_margin = static_cast<std::size_t>(std::count_if(
        trades.begin(), trades.end(), [](const auto& t) { return t.margin_req > 0; }));
    const std::string by_margin = pl + " by margin, trades with margin";
    // By the reference's rules the label says percentage although the fraction is in dollars.
    const bool from_margin = !reference && kelly.method == analytics::KellyMethod::kPercentage;
    const std::string& fraction_basis = from_margin ? by_margin : pl;
    const std::size_t fraction_rows = from_margin ? with_margin : rows;
    const Json odds = {{"p", figure_json(kelly.decided_win_rate)},
                       {"b", figure_json(kelly.payoff_ratio)}};
    const Json each = {{"capital", figure_json(options.capital_base)},
                       {"multiplier", sizing.kelly_multiplier},
                       {"cap", sizing.max_allocation_fraction}};
    Json allocation = each;
    allocation["kelly"] = figure_json(kelly.fraction);
    const Json sum = {{"capital", figure_json(options.capital_base)},
                      {"sum", figure_json(sizing.total_allocation)}};
    return {
        explanation("portfolio.rawKellyFraction",
                    from_margin ? "(b*p - (1-p))/b with p = winners/(winners + losers) and b = "
                                  "avgWinPct/avgLossPct"
                    : reference ? "(b*p - (1-p))/b with p = winners/trades and b = avgWin/avgLoss"
                                : "(b*p - (1-p))/b with p = winners/(winners + losers) and b = "
                                  "avgWin/avgLoss; a result of zero moves nothing",
                    odds, fraction_rows, fraction_basis),
        explanation("portfolio.rawKellyPercent", "100*rawKellyFraction", odds, fraction_rows,
                    fraction_basis),
        explanation("portfolio.winRate, payoffRatio", "share of winners, and b of rawKellyFraction",
                    odds, fraction_rows, fraction_basis),
        explanation("portfolio.avgWin, avgLoss", "mean of P/L > 0; mean size of P/L < 0",
                    Json::object(), rows, pl),
        explanation("portfolio.avgWinPct, avgLossPct",
                    "mean of 100*P/L / margin over winners, of its size over losers",
                    Json::object(), with_margin, by_margin),
        explanation("portfolio.normalizedKellyPct",
                    "100*(b*p - (1-p))/b with p = winners/(winners + losers) and b = "
                    "avgWinPct/avgLossPct",
                    {{"avgWinPct", figure_json(kelly.avg_win_pct)},
                     {"avgLossPct", figure_json(kelly.avg_loss_pct)}},
                    with_margin, by_margin),
        explanation("portfolio.adjustedKellyFraction", "min(kelly * multiplier, cap)", allocation,
                    fraction_rows, fraction_basis),
        explanation("portfolio.fullKelly, halfKelly, quarterKelly",
                    "min(kelly, cap), min(kelly/2, cap), min(kelly/4, cap)", allocation,
                    fraction_rows, fraction_basis),
        explanation("portfolio.recommendedAllocation",
                    "capital * max(0, min(kelly * multiplier, cap))", allocation, fraction_rows,
                    fraction_basis),
        explanation("strategies[]", "Kelly figures as for the portfolio, of the strategy's trades",
                    {{"strategies", sizing.strategies.size()}}, rows, pl),
        explanation("strategies[].rawAllocation", "capital * max(0, rawKellyFraction)", each, rows,
                    pl),
        explanation("strategies[].adjustedAllocation",
                    "capital * max(0, min(rawKellyFraction * multiplier, cap))", each, rows, pl),
        explanation("strategies[].scaledAllocation",
                    "adjustedAllocation * min(1, capital / sum of adjustedAllocation)", sum, rows,
                    pl),
        explanation("totalAllocation, totalAllocationPct",
                    "sum of adjustedAllocation; percent of the capital", sum, rows, pl),
    };
}

mcp::Outcome<mcp::ToolResult> get_position_sizing(App& app, mcp::ToolContext& context,
                                                  const Json& arguments) {
    const analytics::PositionSizingOptions options = read_options(arguments);
    TB_TRY_TOOL(const RiskSelection selection, select_trades(app, context, arguments, ""));
    TB_TRY_TOOL(PositionSizingResult sizing,
                analytics::position_sizing(selection.trades, options, selection.conventions));
    AnswerFrame frame;
    frame.conventions = selection.conventions;
    frame.blocks = {&selection.fresh};
    frame.notes = sizing.notes;
    frame.warnings = sizing.warnings;
    frame.explain = wants_explanation(arguments);
    if (frame.explain) {
        frame.explanations = explain(selection, options, sizing);
    }
    return risk_result(context, result_json(arguments, sizing), frame,
                       result_text(sizing, options.capital_base,
                                   answer_budget(context, selection.conventions) / 2),
                       {"strategies", "skippedStrategies"});
}

}  // namespace

mcp::ToolSpec get_position_sizing_tool(App& app) {
    return {.name = "get_position_sizing",
            .title = "Position sizing",
            .description =
                "Kelly fractions and dollar allocations for a block and each of its "
                "strategies. Kelly takes each strategy as if alone: mind the sum.",
            .toolset = "risk",
            .annotations = mcp::Annotations::reads(),
            .scope = "blocks:read",
            .arguments = argument_fields(),
            .results = result_fields(),
            .max_result_chars = mcp::kMaxRaisedResultChars,
            .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
                return get_position_sizing(app, context, arguments);
            }};
}

}  // namespace tb::tools
