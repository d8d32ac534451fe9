// get_statistics: the figures of a block, or of a part of it (02 §4.1).
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/statistics.h"
#include "core/text.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/json.h"
#include "tools/portfolio/common.h"
#include "tools/portfolio/statistics_json.h"
#include "tools/portfolio/tools.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using analytics::StatisticsReport;
using mcp::Json;

std::string statistics_text(const Json& answer, const StatisticsReport& report,
                            const RateSource& rates) {
    const auto& stats = report.result.stats;
    mcp::MarkdownTable table({"Figure", "Value"});
    const auto row = [&](const char* name, const std::string& value) {
        table.add_row({name, value});
    };
    row("Trades",
        fmt::format(
            "{} ({} won, {} lost, {} even{})", mcp::count_text(stats.total_trades),
            mcp::count_text(stats.winning_trades), mcp::count_text(stats.losing_trades),
            mcp::count_text(stats.break_even_trades),
            stats.open_trades > 0 ? ", " + mcp::count_text(stats.open_trades) + " open" : ""));
    row("Net P/L", dollars_text(stats.net_pl));
    row("P/L as written", dollars_text(stats.total_pl));
    row("Fees", dollars_text(stats.total_commissions));
    row("Start capital", dollars_text(stats.initial_capital));
    row("CAGR", share_text(stats.cagr_pct));
    row("Win rate", share_text(stats.win_rate * 100));
    row("Profit factor",
        stats.profit_factor_infinite ? "infinite (no loss)" : figure_text(stats.profit_factor));
    row("Sharpe ratio", figure_text(stats.sharpe_ratio));
    row("Sortino ratio", figure_text(stats.sortino_ratio));
    row("Calmar ratio", figure_text(stats.calmar_ratio));
    if (report.result.methodology.conventions == Conventions::kReference ||
        !stats.max_drawdown_pct) {
        row("Max drawdown", share_text(stats.max_drawdown_pct));
    } else {
        for (const auto* const drawdowns :
             {&report.result.drawdowns, &report.result.drawdowns_by_trade}) {
            table.add_row({fmt::format("Max drawdown, {}", drawdown_basis_text(drawdowns->basis)),
                           drawdown_text(*drawdowns)});
        }
    }
    row("Time in drawdown", share_text(stats.time_in_drawdown_pct));
    row("Kelly", share_text(stats.kelly_pct));
    row("Average win / loss", dollars_text(stats.avg_win) + " / " + dollars_text(stats.avg_loss));
    row("Largest win / loss", dollars_text(stats.max_win) + " / " + dollars_text(stats.max_loss));
    row("Average day", dollars_text(stats.avg_daily_pl));
    row("Longest streak won / lost",
        fmt::format("{} / {}", stats.max_win_streak, stats.max_loss_streak));
    row("Current streak", fmt::format("{:+}", stats.current_streak));
    row("Winning months / weeks",
        share_text(stats.monthly_win_rate_pct) + " / " + share_text(stats.weekly_win_rate_pct));
    for (const auto& [name, peak] :
         {std::pair{"Peak exposure in dollars", &report.peak_by_dollars},
          std::pair{"Peak exposure in percent", &report.peak_by_percent}}) {
        row(name, *peak ? fmt::format("{}, {} of equity, on {}", dollars_text((*peak)->exposure),
                                      share_text((*peak)->exposure_percent), (*peak)->date.to_iso())
                        : std::string("n/a"));
    }
    const auto& method = report.result.methodology;
    return fmt::format(
        "Statistics of {}\n{}Returns: {} daily observations from the {}; "
        "risk-free rate: {}\n",
        mcp::cell_text(answer["blockId"].get<std::string>()), table.text(""),
        mcp::count_text(method.observations),
        method.return_source == analytics::ReturnSource::kDailyLog ? "daily log" : "trades",
        rate_source_text(rates.rates));
}

std::vector<Explanation> explanations(const StatisticsReport& report, Conventions conventions) {
    std::vector<Explanation> out = explain_statistics(report.result, "stats.");
    out.push_back({"peakExposure",
                   conventions == Conventions::kReference
                       ? "largest running sum of margin; at one minute opens come before closes; "
                         "percent of the end-of-day equity"
                       : "largest running sum of margin; at one minute closes come before opens; "
                         "percent of the equity at the start of the day",
                   Json{{"initialCapital", number_json(report.result.stats.initial_capital)}},
                   report.result.stats.total_trades, "trades"});
    if (conventions == Conventions::kCorrect) {
        out.push_back(
            {"drawdowns",
             "from a peak to the first day at that peak again; percent of the peak, money "
             "paid in or taken out left out; dollars: P/L between peak and trough",
             Json{{"initialCapital", number_json(report.result.stats.initial_capital)}},
             report.result.methodology.balances,
             std::string(drawdown_basis_text(report.result.drawdowns.basis))});
    }
    return out;
}

mcp::Outcome<mcp::ToolResult> get_statistics(App& app, mcp::ToolContext& context,
                                             const Json& arguments) {
    const Conventions conventions = conventions_of(arguments);
    analytics::StatisticsRequest request;
    request.options.conventions = conventions;
    request.filter.strategy = text_argument(arguments, "strategy");
    request.filter.reference_names = is_reference(arguments);
    request.filter.ticker = text_argument(arguments, "tickerFilter");
    TB_TRY_TOOL(request.filter.dates,
                date_range_argument(arguments, "startDate", "endDate", conventions));
    TB_TRY_TOOL(RateSource rates,
                rate_source(app, context, number_argument(arguments, "riskFreeRateAnnualPct")));
    request.options.rates = rates.rates;
    TB_TRY_TOOL(const FreshBlock fresh,
                app.fresh_block(*text_argument(arguments, "blockId"), context.token()));
    const BlockData& block = *fresh.data;
    const auto report = analytics::statistics_report(block.trades, block.daily_log, request);
    if (!report) {
        return tl::unexpected<mcp::ToolError>(no_trades(block, request.filter));
    }
    AnswerFrame frame{.conventions = conventions,
                      .blocks = {&fresh},
                      .notes = report->result.notes,
                      .warnings = std::move(rates.warnings),
                      .explain = wants_explanation(arguments)};
    frame.warnings.insert(frame.warnings.end(), report->result.warnings.begin(),
                          report->result.warnings.end());
    if (conventions == Conventions::kCorrect &&
        ascii_lower(request.filter.ticker.value_or("")) == "spx") {
        frame.warnings.emplace_back(
            "tickerFilter SPX: trades of files that name no underlying are taken for SPX");
    }
    if (frame.explain) {
        frame.explanations = explanations(*report, conventions);
    }
    Json answer = {
        {"blockId", block.block_id},
        {"filters",
         {{"strategy", echo(arguments, "strategy")},
          {"tickerFilter", echo(arguments, "tickerFilter")},
          {"startDate", echo(arguments, "startDate")},
          {"endDate", echo(arguments, "endDate")},
          {"riskFreeRateAnnualPct", echo(arguments, "riskFreeRateAnnualPct")}}},
        {"stats", statistics_json(report->result.stats, conventions)},
        {"peakExposure",
         {{"byDollars", exposure_peak_json(report->peak_by_dollars, conventions, true)},
          {"byPercent", exposure_peak_json(report->peak_by_percent, conventions, true)}}},
        {"calculationMethodology", methodology_json(report->result, rates.rates)}};
    if (conventions == Conventions::kCorrect) {
        answer["drawdowns"] =
            drawdowns_json(report->result.drawdowns, report->result.drawdowns_by_trade);
    }
    std::string text = statistics_text(answer, *report, rates) + frame_text(frame);
    add_frame(answer, frame);
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(answer)};
}

}  // namespace

mcp::ToolSpec get_statistics_tool(App& app) {
    return {
        .name = "get_statistics",
        .title = "Portfolio statistics",
        .description =
            "P/L, win rate, profit factor, Sharpe, Sortino, drawdown, CAGR, Kelly, streaks and "
            "peak exposure of a block or a part of it; winRate is a fraction, drawdown, cagr, "
            "kelly and periodic win rates are percent. Per strategy: get_strategy_comparison; "
            "per month: get_period_returns.",
        .toolset = "portfolio",
        .annotations = mcp::Annotations::reads(),
        .scope = "blocks:read",
        .arguments = {block_argument(), strategy_argument(), ticker_argument(),
                      day_argument("startDate", "First realization day"),
                      day_argument("endDate", "Last realization day"), risk_free_argument(),
                      conventions_argument(), explain_argument()},
        .results = with_frame(
            {field::text("blockId", "The block"), open_object("filters", "As asked"),
             open_object("stats", "Figures by name; null: see notes"),
             open_object("drawdowns", "The five worst by the daily balance (basis), and by trade")
                 .optional(),
             open_object("peakExposure", "byDollars, byPercent"),
             open_object("calculationMethodology", "Sources and rules of the ratios")}),
        .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
            return get_statistics(app, context, arguments);
        }};
}

}  // namespace tb::tools
