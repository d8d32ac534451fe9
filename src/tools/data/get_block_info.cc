// get_block_info: one block in a few lines (01 §6.2).
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/data/block_json.h"
#include "tools/data/tools.h"
#include "tools/json.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using mcp::Json;

std::vector<mcp::Field> result_fields() {
    std::vector<mcp::Field> fields = {
        field::text("blockId", "The block"),
        field::integer("tradeCount", "Rows of the trade log"),
        field::integer("dailyLogCount", "Rows of the daily log"),
        field::integer("reportingLogCount", "Rows of the reporting log (live fills)"),
        field::list("strategies", field::text_schema(), "Strategy names, sorted"),
        field::integer("strategiesOmitted", "Left out of strategies for size: use run_sql"),
        field::object("dateRange",
                      {field::date("start", "First day opened").nullable(),
                       field::date("end", "Last day opened").nullable()},
                      "Over the days trades were opened"),
        field::text("dataVersion", "Version of all logs of the block that these figures come from"),
    };
    for (mcp::Field& sync : block_sync_fields()) {
        fields.push_back(std::move(sync));
    }
    return fields;
}

std::string block_text(const Json& block) {
    const auto day = [&](const char* which) {
        const Json& date = block["dateRange"][which];
        return date.is_null() ? std::string("no trades") : date.get<std::string>();
    };
    std::string strategies;
    for (const Json& name : block["strategies"]) {
        strategies += (strategies.empty() ? "" : ", ") + mcp::cell_text(name.get<std::string>());
    }
    if (const auto omitted = block["strategiesOmitted"].get<std::int64_t>(); omitted > 0) {
        strategies += fmt::format(" and {} more (run_sql on trades.trade_data has them)",
                                  mcp::count_text(omitted));
    }
    mcp::KeyValueText text;
    text.add("Block", block["blockId"].get<std::string>())
        .add("Trades", mcp::count_text(block["tradeCount"].get<std::int64_t>()))
        .add("Opened", day("start") + " to " + day("end"))
        .add("Strategies", strategies)
        .add("Daily log rows", mcp::count_text(block["dailyLogCount"].get<std::int64_t>()))
        .add("Reporting log rows", mcp::count_text(block["reportingLogCount"].get<std::int64_t>()));
    return text.text();
}

mcp::Outcome<mcp::ToolResult> get_block_info(App& app, mcp::ToolContext& context,
                                             const Json& arguments) {
    TB_TRY_TOOL(const FreshBlock fresh,
                app.fresh_block(*text_argument(arguments, "blockId"), context.token()));
    Json block = block_info_json(fresh);
    Json& names = block["strategies"];
    const std::size_t total = names.size();
    block["strategiesOmitted"] = total - mcp::fit_rows(names, context.budget_chars() / 2);
    std::string text = sync_trouble_text(fresh.sync) + block_text(block);
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(block)};
}

}  // namespace

Json block_info_json(const FreshBlock& fresh) {
    const BlockData& block = *fresh.data;
    std::vector<std::string> strategies = block.trades.strategies;
    std::sort(strategies.begin(), strategies.end());
    // Load order: by the day opened.
    const auto& trades = block.trades.trades;
    std::optional<Date> first;
    std::optional<Date> last;
    if (!trades.empty()) {
        first = trades.front().date_opened;
        last = trades.back().date_opened;
    }
    Json json = {{"blockId", block.block_id},
                 {"tradeCount", trades.size()},
                 {"dailyLogCount", block.daily_log.size()},
                 {"reportingLogCount", block.reporting.trades.size()},
                 {"strategies", strategies},
                 {"dateRange", {{"start", date_json(first)}, {"end", date_json(last)}}},
                 {"dataVersion", block.data_version()}};
    add_block_sync(json, fresh.sync);
    return json;
}

mcp::ToolSpec get_block_info_tool(App& app) {
    return {.name = "get_block_info",
            .title = "Block summary",
            .description =
                "Counts, date range and strategies of one block. For figures use "
                "get_statistics, for rows get_trades.",
            .toolset = "core",
            .annotations = mcp::Annotations::reads(),
            .scope = "blocks:read",
            .arguments = {block_argument()},
            .results = result_fields(),
            .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
                return get_block_info(app, context, arguments);
            }};
}

}  // namespace tb::tools
