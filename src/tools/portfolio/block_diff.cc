// block_diff: what two blocks share and how they differ (02 §4.4).
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/comparison.h"
#include "core/number.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/json.h"
#include "tools/portfolio/common.h"
#include "tools/portfolio/statistics_json.h"
#include "tools/portfolio/tools.h"
#include "tools/portfolio/trade_period.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using analytics::BlockDiff;
using analytics::DiffTotals;
using mcp::Json;

constexpr std::size_t kTextRoom = 3'000;  // for what stands around the table

// The figures asked for; none named = all. "pl" is another name of "netPl".
class Wanted {
  public:
    explicit Wanted(const Json& arguments)
        : names_(texts_argument(arguments, "metricsToCompare")) {}
    [[nodiscard]] bool has(std::string_view name) const {
        return names_.empty() || listed(name) || (name == "netPl" && listed("pl")) ||
               (name == "totalTrades" && listed("trades"));
    }

  private:
    [[nodiscard]] bool listed(std::string_view name) const {
        return std::find(names_.begin(), names_.end(), name) != names_.end();
    }
    std::vector<std::string> names_;
};

Json only(const Wanted& wanted, const Json& figures) {
    Json out = Json::object();
    for (const auto& [name, value] : figures.items()) {
        if (wanted.has(name)) {
            out[name] = value;
        }
    }
    return out;
}

Json side_json(const Wanted& wanted, const std::optional<analytics::DiffStrategySide>& side) {
    if (!side) {
        return nullptr;
    }
    return only(wanted, {{"trades", side->trades},
                         {"netPl", number_json(side->net_pl)},
                         {"winRate", number_json(side->win_rate)},
                         {"profitFactor", number_json(side->profit_factor)}});
}

Json totals_json(const Wanted& wanted, const DiffTotals& totals) {
    return only(wanted, {{"totalTrades", number_json(totals.total_trades)},
                         {"netPl", number_json(totals.net_pl)},
                         {"winRate", number_json(totals.win_rate)},
                         {"profitFactor", number_json(totals.profit_factor)},
                         {"sharpeRatio", number_json(totals.sharpe_ratio)},
                         {"maxDrawdown", number_json(totals.max_drawdown_pct)}});
}

Json strategies_json(const Wanted& wanted, const BlockDiff& diff) {
    Json rows = Json::array();
    for (const analytics::DiffStrategyRow& row : diff.strategies) {
        Json delta = nullptr;
        if (row.a && row.b) {
            delta = only(wanted, {{"trades", row.delta_trades},
                                  {"netPl", number_json(row.delta_net_pl)},
                                  {"winRate", number_json(row.delta_win_rate)}});
        }
        rows.push_back({{"strategy", row.strategy},
                        {"blockA", side_json(wanted, row.a)},
                        {"blockB", side_json(wanted, row.b)},
                        {"delta", std::move(delta)}});
    }
    return rows;
}

Json block_json(const std::string& id, const analytics::DiffBlock& block) {
    return {{"id", id}, {"tradeCount", block.trade_count}, {"strategies", block.strategies}};
}

// `periods` of A and B where the caller did not give one for both.
std::string totals_text(const BlockDiff& diff, const std::string& a, const std::string& b,
                        const std::optional<std::pair<TradePeriod, TradePeriod>>& periods) {
    mcp::MarkdownTable table(
        {"Portfolio", "A: " + mcp::cell_text(a), "B: " + mcp::cell_text(b), "B - A"});
    if (periods.has_value()) {
        table.add_row({"From", day_text(periods->first.from), day_text(periods->second.from), ""});
        table.add_row({"To", day_text(periods->first.to), day_text(periods->second.to), ""});
    }
    const auto row = [&](const char* name, std::optional<double> DiffTotals::*figure,
                         const auto& text, const auto& delta_text) {
        table.add_row({name, text(diff.totals_a.*figure), text(diff.totals_b.*figure),
                       delta_text(diff.delta.*figure)});
    };
    // The difference of two shares is no share: 53 % - 48 % are 5 points.
    const auto points = [](std::optional<double> value) {
        return value && std::isfinite(*value) ? fixed_text(*value, 2) + " points"
                                              : std::string("n/a");
    };
    const auto count = [](std::optional<double> value) {
        return value ? mcp::number_text(*value) : std::string("n/a");
    };
    const auto percent = [](std::optional<double> fraction) {
        return share_text(fraction ? std::optional(*fraction * 100) : std::nullopt);
    };
    const auto percent_points = [&](std::optional<double> fraction) {
        return points(fraction ? std::optional(*fraction * 100) : std::nullopt);
    };
    row("Trades", &DiffTotals::total_trades, count, count);
    row("Net P/L", &DiffTotals::net_pl, dollars_text, dollars_text);
    row("Win rate", &DiffTotals::win_rate, percent, percent_points);
    row("Profit factor", &DiffTotals::profit_factor, figure_text, figure_text);
    row("Sharpe ratio", &DiffTotals::sharpe_ratio, figure_text, figure_text);
    row("Max drawdown", &DiffTotals::max_drawdown_pct, share_text, points);
    return table.text("");
}

std::string strategies_text(const BlockDiff& diff, std::size_t budget) {
    mcp::MarkdownTable table(
        {"Strategy", "Trades A", "Trades B", "Net P/L A", "Net P/L B", "Win rate A", "Win rate B"},
        budget > kTextRoom ? budget - kTextRoom : budget);
    for (const analytics::DiffStrategyRow& row : diff.strategies) {
        const auto cell = [](const std::optional<analytics::DiffStrategySide>& side,
                             const auto& text) { return side ? text(*side) : std::string("-"); };
        const auto trades = [](const auto& side) { return mcp::count_text(side.trades); };
        const auto pl = [](const auto& side) { return dollars_text(side.net_pl); };
        const auto rate = [](const auto& side) { return share_text(side.win_rate * 100); };
        table.add_row({row.strategy, cell(row.a, trades), cell(row.b, trades), cell(row.a, pl),
                       cell(row.b, pl), cell(row.a, rate), cell(row.b, rate)});
    }
    return table.text("use a shorter date range or get_strategy_comparison") +
           fmt::format("Strategies: {} shared, {} only in A, {} only in B ({} overlap)\n",
                       diff.shared.size(), diff.unique_to_a.size(), diff.unique_to_b.size(),
                       share_text(diff.overlap_percent));
}

void add_side(AnswerFrame& frame, const std::string& name, const analytics::DiffBlock& block,
              const Wanted& wanted) {
    const auto shown = [&](std::string_view figure) {
        constexpr std::array<std::string_view, 6> kShown = {
            "totalTrades", "winRate", "netPl", "profitFactor", "sharpeRatio", "maxDrawdown"};
        return std::find(kShown.begin(), kShown.end(), figure) != kShown.end() &&
               wanted.has(figure);
    };
    for (const analytics::Note& note : block.statistics.notes) {
        const std::string figures = analytics::figures_among(note, shown);
        if (!figures.empty()) {
            frame.notes.push_back({name + ": " + figures, note.reason});
        }
    }
    for (const std::string& warning : block.statistics.warnings) {
        frame.warnings.push_back(name + ": " + warning);
    }
    if (frame.explain) {
        for (Explanation& entry : explain_statistics(block.statistics, "")) {
            if (shown(entry.figure)) {
                entry.figure = "portfolioTotals." + name + "." + entry.figure;
                frame.explanations.push_back(std::move(entry));
            }
        }
    }
}

// Of perStrategyComparison: where its profit factors are infinite, and how its figures come about.
void add_strategies(AnswerFrame& frame, const BlockDiff& diff, const Wanted& wanted) {
    constexpr std::size_t kMostNotes = 10;
    std::vector<analytics::Note> infinite;
    const auto check = [&](const char* side, const analytics::DiffStrategyRow& row,
                           const std::optional<analytics::DiffStrategySide>& figures) {
        if (figures && figures->profit_factor_infinite && wanted.has("profitFactor")) {
            infinite.push_back({fmt::format("{}, {}: profitFactor", row.strategy, side),
                                "infinite: no losing trade"});
        }
    };
    for (const analytics::DiffStrategyRow& row : diff.strategies) {
        check("blockA", row, row.a);
        check("blockB", row, row.b);
    }
    if (infinite.size() > kMostNotes) {
        infinite = {{"perStrategyComparison[].profitFactor",
                     fmt::format("infinite where it is null: no losing trade in {} cases",
                                 infinite.size())}};
    }
    std::move(infinite.begin(), infinite.end(), std::back_inserter(frame.notes));
    if (!frame.explain) {
        return;
    }
    const auto explain = [&](const char* figure, const char* path, const char* formula) {
        if (wanted.has(figure)) {
            frame.explanations.push_back({path, formula,
                                          Json{{"strategies", diff.strategies.size()}},
                                          diff.a.trade_count + diff.b.trade_count, "trades"});
        }
    };
    explain("totalTrades", "perStrategyComparison[].trades",
            "trades of the strategy that pass the filters");
    explain("netPl", "perStrategyComparison[].netPl",
            frame.conventions == Conventions::kReference ? "sum of the P/L column as written"
                                                         : "sum of P = P/L after fees");
    explain("winRate", "perStrategyComparison[].winRate", "trades with P > 0 / trades (fraction)");
    explain("profitFactor", "perStrategyComparison[].profitFactor",
            "sum of P > 0 / |sum of P < 0|; null without a loss");
    frame.explanations.push_back({"perStrategyComparison[].delta, portfolioTotals.delta",
                                  "blockB - blockA; null where a side has no value",
                                  Json{{"strategies", diff.strategies.size()}},
                                  diff.a.trade_count + diff.b.trade_count, "trades"});
    frame.explanations.push_back(
        {"strategyOverlap.overlapPercent", "100 * shared strategies / strategies of both blocks",
         Json{{"shared", diff.shared.size()}, {"strategies", diff.strategies.size()}},
         diff.a.trade_count + diff.b.trade_count, "trades"});
}

mcp::Outcome<mcp::ToolResult> diff_blocks(App& app, mcp::ToolContext& context,
                                          const Json& arguments) {
    analytics::StatisticsOptions options;
    options.conventions = conventions_of(arguments);
    TB_TRY_TOOL(const analytics::DateRange dates,
                date_range_argument(arguments, "startDate", "endDate", options.conventions));
    TB_TRY_TOOL(RateSource rates,
                rate_source(app, context, number_argument(arguments, "riskFreeRateAnnualPct")));
    options.rates = rates.rates;
    const std::string id_a = *text_argument(arguments, "blockIdA");
    const std::string id_b = *text_argument(arguments, "blockIdB");
    TB_TRY_TOOL(const FreshBlock a, app.fresh_block(id_a, context.token()));
    TB_TRY_TOOL(const FreshBlock b, app.fresh_block(id_b, context.token()));
    const BlockDiff diff = analytics::block_diff(
        {id_a, &a.data->trades, a.data->daily_log, std::nullopt},
        {id_b, &b.data->trades, b.data->daily_log, std::nullopt}, dates, options);
    // As in every other tool: nothing selected is no answer of zeros.
    if (options.conventions == Conventions::kCorrect && diff.a.trade_count == 0 &&
        diff.b.trade_count == 0) {
        analytics::TradeFilter filter;
        filter.dates = dates;
        return tl::unexpected<mcp::ToolError>(no_trades(*a.data, filter));
    }
    const Wanted wanted(arguments);
    // The reference selects the portfolio's figures only; each strategy keeps all of its own.
    const Wanted strategy_figures(options.conventions == Conventions::kReference ? Json::object()
                                                                                 : arguments);
    AnswerFrame frame{.conventions = options.conventions,
                      .blocks = {&a},
                      .warnings = std::move(rates.warnings),
                      .explain = wants_explanation(arguments)};
    if (id_b != id_a) {
        frame.blocks.push_back(&b);
    }
    add_side(frame, "blockA", diff.a, wanted);
    add_side(frame, "blockB", diff.b, wanted);
    add_strategies(frame, diff, strategy_figures);
    Json answer = {{"blockA", block_json(id_a, diff.a)},
                   {"blockB", block_json(id_b, diff.b)},
                   {"strategyOverlap",
                    {{"shared", diff.shared},
                     {"uniqueToA", diff.unique_to_a},
                     {"uniqueToB", diff.unique_to_b},
                     {"overlapPercent", diff.overlap_percent}}},
                   {"perStrategyComparison", strategies_json(strategy_figures, diff)},
                   {"portfolioTotals",
                    {{"blockA", totals_json(wanted, diff.totals_a)},
                     {"blockB", totals_json(wanted, diff.totals_b)},
                     {"delta", totals_json(wanted, diff.delta)}}},
                   {"filters",
                    {{"startDate", echo(arguments, "startDate")},
                     {"endDate", echo(arguments, "endDate")},
                     {"metricsToCompare", echo(arguments, "metricsToCompare")}}},
                   {"dateField", diff.date_field == analytics::DateField::kOpened
                                     ? "date_opened"
                                     : "date_closed_fallback_date_opened"},
                   {"riskFreeRate", rate_source_text(rates.rates)}};
    add_frame(answer, frame);
    const std::size_t budget = answer_budget(context, options.conventions);
    page_list(answer, "perStrategyComparison", arguments, budget);
    const bool whole = !dates.from.has_value() && !dates.to.has_value();
    const auto periods =
        whole ? std::optional(std::pair(trade_period(a.data->trades), trade_period(b.data->trades)))
              : std::nullopt;
    std::string text = "Difference of two blocks\n" + totals_text(diff, id_a, id_b, periods) +
                       "\n" + strategies_text(diff, budget) +
                       "Risk-free rate: " + rate_source_text(rates.rates) + "\n" +
                       frame_text(frame);
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(answer)};
}

}  // namespace

mcp::ToolSpec block_diff_tool(App& app) {
    return {
        .name = "block_diff",
        .title = "Difference of two blocks",
        .description =
            "Strategies two blocks share or not, figures of each side and B - A, per strategy and "
            "in total (winRate is a fraction, maxDrawdown percent). For more blocks use "
            "compare_blocks.",
        .toolset = "portfolio",
        .annotations = mcp::Annotations::reads(),
        .scope = "blocks:read",
        .arguments =
            {field::text("blockIdA", "Baseline block").required(),
             field::text("blockIdB", "Block compared with it").required(),
             day_argument("startDate", "First realization day"),
             day_argument("endDate", "Last realization day"),
             field::list("metricsToCompare",
                         field::choice_schema({"trades", "pl", "netPl", "winRate", "profitFactor",
                                               "sharpeRatio", "maxDrawdown"}),
                         "Only these; default all"),
             risk_free_argument(),
             field::integer("offset", "Strategies to pass over").at_least(0).default_value(0),
             max_chars_argument(), conventions_argument(), explain_argument()},
        .results = with_frame(
            {open_object("blockA", "id, tradeCount, strategies"), open_object("blockB", "The same"),
             open_object("strategyOverlap", "shared, uniqueToA, uniqueToB, overlapPercent"),
             open_list("perStrategyComparison",
                       "strategy, blockA, blockB, delta (null if one-sided)"),
             open_object("portfolioTotals", "blockA, blockB, delta = B - A"),
             open_object("filters", "As asked"), page_field()}),
        .max_result_chars = mcp::kMaxRaisedResultChars,
        .handler = [&app](mcp::ToolContext& context, const Json& given) {
            return diff_blocks(app, context, given);
        }};
}

}  // namespace tb::tools
