// compare_blocks: up to five blocks side by side (02 §4.3).
#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/comparison.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/json.h"
#include "tools/portfolio/common.h"
#include "tools/portfolio/figure_title.h"
#include "tools/portfolio/statistics_json.h"
#include "tools/portfolio/tools.h"
#include "tools/portfolio/trade_period.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using analytics::BlockComparison;
using analytics::BlockMetric;
using mcp::Json;

constexpr std::size_t kMaxBlocks = 5;

std::vector<std::string> metric_names() {
    std::vector<std::string> names;
    for (const BlockMetric metric : analytics::all_block_metrics()) {
        names.emplace_back(analytics::block_metric_name(metric));
    }
    return names;
}

// All of them when the argument is left out; an empty list is empty under kReference, else all.
std::vector<BlockMetric> wanted_metrics(const Json& arguments) {
    const std::vector<std::string> names = texts_argument(arguments, "metrics");
    std::vector<BlockMetric> metrics;
    if (names.empty() && (!is_reference(arguments) || !arguments.contains("metrics"))) {
        const auto all = analytics::all_block_metrics();
        metrics.assign(all.begin(), all.end());
    }
    for (const std::string& name : names) {
        if (const auto metric = analytics::block_metric_from_name(name)) {
            metrics.push_back(*metric);
        }
    }
    return metrics;
}

std::string metric_text(const analytics::PortfolioStatistics& stats, BlockMetric metric) {
    const auto value = analytics::block_metric_value(stats, metric);
    switch (metric) {
        case BlockMetric::kTotalTrades:
            return mcp::count_text(stats.total_trades);
        case BlockMetric::kWinRate:
            return share_text(stats.win_rate * 100);
        case BlockMetric::kNetPl:
            return dollars_text(value);
        case BlockMetric::kMaxDrawdown:
            return share_text(value);
        case BlockMetric::kProfitFactor:
            return stats.profit_factor_infinite ? "infinite" : figure_text(value);
        default:
            return figure_text(value);
    }
}

using Periods = std::map<std::string, TradePeriod, std::less<>>;

Periods periods_of(const std::vector<analytics::BlockInput>& blocks) {
    Periods periods;
    for (const analytics::BlockInput& block : blocks) {
        if (block.set != nullptr) {
            periods.emplace(block.block_id, trade_period(*block.set));
        }
    }
    return periods;
}

// Figures as rows, blocks as columns.
std::string comparison_text(const BlockComparison& comparison, const Periods& periods,
                            const std::vector<BlockMetric>& metrics, const RateSource& rates) {
    std::vector<std::string> titles = {"Figure"};
    std::vector<std::string> from = {"From"};
    std::vector<std::string> to = {"To"};
    for (const analytics::BlockComparisonRow& row : comparison.blocks) {
        titles.push_back(mcp::cell_text(row.block_id));
        from.push_back(day_text(periods.at(row.block_id).from));
        to.push_back(day_text(periods.at(row.block_id).to));
    }
    mcp::MarkdownTable table(titles);
    table.add_row(from);
    table.add_row(to);
    for (const BlockMetric metric : metrics) {
        std::vector<std::string> cells = {figure_title(analytics::block_metric_name(metric))};
        for (const analytics::BlockComparisonRow& row : comparison.blocks) {
            cells.push_back(metric_text(row.statistics.stats, metric));
        }
        table.add_row(cells);
    }
    std::string text = "Blocks compared\n" + table.text("");
    for (const analytics::FailedBlock& failed : comparison.failed) {
        text += fmt::format("FAILED '{}': {}\n", mcp::cell_text(failed.block_id),
                            mcp::visible_text(failed.error.to_string()));
    }
    return text + "Risk-free rate: " + rate_source_text(rates.rates) + "\n";
}

// Notes, warnings and explanations of each block under its name.
void add_blocks(AnswerFrame& frame, const BlockComparison& comparison,
                const std::vector<BlockMetric>& metrics) {
    const auto shown = [&](std::string_view figure) {
        return std::any_of(metrics.begin(), metrics.end(), [&](BlockMetric metric) {
            return analytics::block_metric_name(metric) == figure;
        });
    };
    for (const analytics::BlockComparisonRow& row : comparison.blocks) {
        for (const analytics::Note& note : row.statistics.notes) {
            const std::string figures = analytics::figures_among(note, shown);
            if (!figures.empty()) {
                frame.notes.push_back({row.block_id + ": " + figures, note.reason});
            }
        }
        for (const std::string& warning : row.statistics.warnings) {
            frame.warnings.push_back(row.block_id + ": " + warning);
        }
        if (!frame.explain) {
            continue;
        }
        for (Explanation& entry : explain_statistics(row.statistics, "")) {
            if (shown(entry.figure)) {
                entry.figure = row.block_id + ": " + entry.figure;
                frame.explanations.push_back(std::move(entry));
            }
        }
    }
}

Json comparisons_json(const BlockComparison& comparison, const Periods& periods,
                      const std::vector<BlockMetric>& metrics) {
    Json rows = Json::array();
    for (const analytics::BlockComparisonRow& row : comparison.blocks) {
        Json stats = Json::object();
        for (const BlockMetric metric : metrics) {
            stats[std::string(analytics::block_metric_name(metric))] =
                metric == BlockMetric::kTotalTrades
                    ? Json(row.statistics.stats.total_trades)
                    : number_json(analytics::block_metric_value(row.statistics.stats, metric));
        }
        const TradePeriod& period = periods.at(row.block_id);
        rows.push_back(
            {{"blockId", row.block_id},
             {"period", {{"start", date_json(period.from)}, {"end", date_json(period.to)}}},
             {"stats", std::move(stats)}});
    }
    return rows;
}

// The blocks that could be read, and why the others could not. Under kReference the first failure
// is the answer.
struct Loaded {
    std::vector<FreshBlock> fresh;
    std::vector<analytics::BlockInput> inputs;
};

mcp::Outcome<Loaded> load(App& app, mcp::ToolContext& context, const Json& arguments) {
    const std::vector<std::string> ids = texts_argument(arguments, "blockIds");
    if (ids.empty() || ids.size() > kMaxBlocks) {
        return mcp::tool_error(
            fmt::format("blockIds: {} given, 1 to {} are possible", ids.size(), kMaxBlocks));
    }
    Loaded loaded;
    loaded.fresh.reserve(ids.size());
    std::string failures;
    for (const std::string& id : ids) {
        auto fresh = app.fresh_block(id, context.token());
        if (fresh.has_value()) {
            loaded.fresh.push_back(std::move(*fresh));
            const BlockData& block = *loaded.fresh.back().data;
            loaded.inputs.push_back({id, &block.trades, block.daily_log, std::nullopt});
            continue;
        }
        if (is_reference(arguments) || fresh.error().code == ErrorCode::kInterrupted) {
            return tl::unexpected<mcp::ToolError>(fresh.error());
        }
        failures += (failures.empty() ? "" : "\n") + fresh.error().message;
        loaded.inputs.push_back({id, nullptr, {}, std::move(fresh.error())});
    }
    if (loaded.fresh.empty()) {
        return mcp::tool_error(std::move(failures));
    }
    return loaded;
}

mcp::Outcome<mcp::ToolResult> compare(App& app, mcp::ToolContext& context, const Json& arguments) {
    analytics::StatisticsOptions options;
    options.conventions = conventions_of(arguments);
    TB_TRY_TOOL(RateSource rates,
                rate_source(app, context, number_argument(arguments, "riskFreeRateAnnualPct")));
    options.rates = rates.rates;
    TB_TRY_TOOL(const Loaded loaded, load(app, context, arguments));
    const std::vector<BlockMetric> metrics = wanted_metrics(arguments);
    const BlockComparison comparison = analytics::compare_blocks(
        loaded.inputs,
        analytics::block_metric_from_name(text_argument(arguments, "sortBy").value_or("name")),
        text_argument(arguments, "sortOrder") == "desc", options);
    const Periods periods = periods_of(loaded.inputs);
    AnswerFrame frame{.conventions = options.conventions,
                      .warnings = std::move(rates.warnings),
                      .explain = wants_explanation(arguments)};
    for (const FreshBlock& fresh : loaded.fresh) {
        frame.blocks.push_back(&fresh);
    }
    add_blocks(frame, comparison, metrics);
    Json failed = Json::array();
    for (const analytics::FailedBlock& block : comparison.failed) {
        failed.push_back({{"blockId", block.block_id}, {"error", block.error.to_string()}});
    }
    Json answer = {{"options",
                    {{"metrics", echo(arguments, "metrics")},
                     {"sortBy", echo(arguments, "sortBy")},
                     {"sortOrder", echo(arguments, "sortOrder")},
                     {"riskFreeRateAnnualPct", echo(arguments, "riskFreeRateAnnualPct")}}},
                   {"comparisons", comparisons_json(comparison, periods, metrics)},
                   {"failedBlocks", std::move(failed)},
                   {"riskFreeRate", rate_source_text(rates.rates)}};
    std::string text = comparison_text(comparison, periods, metrics, rates) + frame_text(frame);
    add_frame(answer, frame);
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(answer)};
}

}  // namespace

mcp::ToolSpec compare_blocks_tool(App& app) {
    std::vector<std::string> orders = metric_names();
    orders.insert(orders.begin(), "name");
    return {
        .name = "compare_blocks",
        .title = "Blocks side by side",
        .description =
            "Key figures of one to five blocks (winRate is a fraction, maxDrawdown percent). A "
            "block that cannot be read is in failedBlocks. For strategy overlap and differences "
            "of two blocks use block_diff.",
        .toolset = "portfolio",
        .annotations = mcp::Annotations::reads(),
        .scope = "blocks:read",
        .arguments =
            {field::list("blockIds", field::text_schema(), "One to five block ids").required(),
             field::list("metrics", field::choice_schema(metric_names()), "Only these figures"),
             field::choice("sortBy", orders, "Order of the blocks").default_value("name"),
             field::choice("sortOrder", {"asc", "desc"}, "Direction").default_value("asc"),
             risk_free_argument(), conventions_argument(), explain_argument()},
        .results = with_frame(
            {open_object("options", "As asked"),
             field::list("comparisons",
                         field::object_schema({field::text("blockId", "The block"),
                                               field::object("period",
                                                             {field::date("start", "").nullable(),
                                                              field::date("end", "").nullable()},
                                                             "First opening, last realization"),
                                               open_object("stats", "null: see notes")}),
                         "One per block"),
             open_list("failedBlocks", "blockId, error"),
             field::text("riskFreeRate", "Source of the rate")}),
        .handler = [&app](mcp::ToolContext& context, const Json& given) {
            return compare(app, context, given);
        }};
}

}  // namespace tb::tools
