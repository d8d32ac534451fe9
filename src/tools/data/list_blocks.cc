// list_blocks: what there is in the data directory (01 §6.1).
#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "core/unicode.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/data/block_summaries.h"
#include "tools/data/pages.h"
#include "tools/data/tools.h"
#include "tools/json.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using mcp::Json;
using Summary = std::shared_ptr<const BlockSummary>;

constexpr std::size_t kStrategiesInText = 4;

std::vector<mcp::Field> argument_fields() {
    return {
        field::choice("sortBy", {"name", "tradeCount", "netPl", "dateRange"},
                      "dateRange: by last day")
            .default_value("name"),
        field::choice("sortOrder", {"asc", "desc"}, "Direction").default_value("asc"),
        field::text("containsStrategy", "Text in a strategy's name"),
        field::number("minTrades", "Least trades").at_least(1),
        field::boolean("hasDailyLog", "With or without one"),
        field::boolean("hasReportingLog", "With or without one"),
        field::integer("limit", "Most blocks").range(1, 100),
        field::integer("offset", "Skip so many").at_least(0).default_value(0),
    };
}

std::vector<mcp::Field> date_range() {
    return {field::date("start", "First day").nullable(),
            field::date("end", "Last day").nullable()};
}

std::vector<mcp::Field> result_fields() {
    std::vector<mcp::Field> fields = {
        field::object("options", {}, "The arguments as understood"),
        field::integer("totalMatching", "Blocks that match the filters"),
        field::list("blocks",
                    field::object_schema(
                        {field::text("id", "Block id"), field::text("name", "Folder name"),
                         field::integer("tradeCount", "Trades"),
                         field::object("dateRange", date_range(), "Days opened"),
                         field::list("strategies", field::text_schema(), "Sorted"),
                         field::number("totalPl", "Sum of the P/L column").unit("USD"),
                         field::number("netPl", "Sum of P/L after all fees").unit("USD"),
                         field::boolean("hasDailyLog", "It has one"),
                         field::boolean("hasReportingLog", "It has one"),
                         field::object("reportingLog",
                                       {field::integer("tradeCount", "Fills"),
                                        field::integer("strategyCount", "Strategies"),
                                        field::number("totalPL", "As in the file").unit("USD"),
                                        field::object("dateRange", date_range(), "Days opened"),
                                        field::boolean("stale", "Older than the file")},
                                       "Live fills")
                             .nullable()}),
                    "This page"),
        field::integer("count", "Blocks on this page"),
        field::integer("nextOffset", "offset of the next page").nullable(),
    };
    for (mcp::Field& sync : directory_sync_fields()) {
        fields.push_back(std::move(sync));
    }
    return fields;
}

Json range_json(std::optional<Date> first, std::optional<Date> last) {
    return {{"start", date_json(first)}, {"end", date_json(last)}};
}

Json block_json(const BlockSummary& block, bool stale) {
    Json json = {{"id", block.id()},
                 {"name", block.id()},
                 {"tradeCount", block.trade_count},
                 {"dateRange", range_json(block.first_opened, block.last_opened)},
                 {"strategies", block.strategies},
                 {"totalPl", number_json(block.total_pl)},
                 {"netPl", number_json(block.net_pl)},
                 {"hasDailyLog", block.has_daily_log()},
                 {"hasReportingLog", block.reporting.has_value()},
                 {"reportingLog", nullptr}};
    if (block.reporting.has_value()) {
        const ReportingSummary& log = *block.reporting;
        json["reportingLog"] = {{"tradeCount", log.trade_count},
                                {"strategyCount", log.strategy_count},
                                {"totalPL", number_json(log.total_pl)},
                                {"dateRange", range_json(log.first_opened, log.last_opened)},
                                {"stale", stale}};
    }
    return json;
}

bool matches(const BlockSummary& block, const Json& arguments) {
    if (const auto wanted = text_argument(arguments, "containsStrategy")) {
        const std::string text = fold_case(*wanted);
        const auto contains = [&](const std::string& name) {
            return fold_case(name).find(text) != std::string::npos;
        };
        if (std::none_of(block.strategies.begin(), block.strategies.end(), contains)) {
            return false;
        }
    }
    const auto at_least = number_argument(arguments, "minTrades");
    const auto daily = flag_argument(arguments, "hasDailyLog");
    const auto reporting = flag_argument(arguments, "hasReportingLog");
    return (!at_least || static_cast<double>(block.trade_count) >= *at_least) &&
           (!daily || *daily == block.has_daily_log()) &&
           (!reporting || *reporting == block.reporting.has_value());
}

void sort_blocks(std::vector<Summary>& blocks, const Json& arguments) {
    const std::string by = *text_argument(arguments, "sortBy");
    const bool descending = *text_argument(arguments, "sortOrder") == "desc";
    // Ties stay in the order of names, whatever the direction.
    std::sort(blocks.begin(), blocks.end(),
              [](const Summary& a, const Summary& b) { return name_order_less(a->id(), b->id()); });
    const auto less = [&](const Summary& a, const Summary& b) {
        if (by == "tradeCount") {
            return a->trade_count < b->trade_count;
        }
        if (by == "netPl") {
            return a->net_pl < b->net_pl;
        }
        return by == "dateRange" ? a->last_opened < b->last_opened
                                 : name_order_less(a->id(), b->id());
    };
    std::stable_sort(blocks.begin(), blocks.end(), [&](const Summary& a, const Summary& b) {
        return descending ? less(b, a) : less(a, b);
    });
}

Json options_json(const Json& arguments) {
    Json options = Json::object();
    for (const char* const name : {"sortBy", "sortOrder", "containsStrategy", "minTrades",
                                   "hasDailyLog", "hasReportingLog", "limit"}) {
        options[name] = arguments.value(name, Json(nullptr));
    }
    return options;
}

std::string day(const Json& date) {
    return date.is_null() ? "" : date.get<std::string>();
}

std::vector<std::string> cells(const Json& block) {
    std::string strategies;
    const std::size_t count = block["strategies"].size();
    for (std::size_t i = 0; i < std::min(count, kStrategiesInText); ++i) {
        strategies += (i == 0 ? "" : ", ") + block["strategies"][i].get<std::string>();
    }
    if (count > kStrategiesInText) {
        strategies += fmt::format(" and {} more", count - kStrategiesInText);
    }
    std::string logs = block["hasDailyLog"].get<bool>() ? "daily" : "";
    const Json& reporting = block["reportingLog"];
    if (!reporting.is_null()) {
        logs += fmt::format("{}reporting ({} fills, {})", logs.empty() ? "" : ", ",
                            mcp::count_text(reporting["tradeCount"].get<std::int64_t>()),
                            mcp::money_text(reporting["totalPL"].get<double>()));
    }
    return {block["id"].get<std::string>(),
            mcp::count_text(block["tradeCount"].get<std::int64_t>()),
            day(block["dateRange"]["start"]),
            day(block["dateRange"]["end"]),
            mcp::money_text(block["netPl"].get<double>()),
            mcp::money_text(block["totalPl"].get<double>()),
            std::move(strategies),
            std::move(logs)};
}

bool is_stale(const App::SyncAll& sync, const std::string& id) {
    return std::any_of(sync.blocks.errors.begin(), sync.blocks.errors.end(),
                       [&](const sync::SyncErrorEntry& entry) { return entry.block_id == id; });
}

mcp::Outcome<mcp::ToolResult> list_blocks(App& app, BlockSummaries& summaries,
                                          mcp::ToolContext& context, const Json& arguments) {
    TB_TRY_TOOL(const App::SyncAll sync,
                app.sync_all(context.token(), context.progress_callback()));
    TB_TRY_TOOL(db::Connection connection, app.reader(context.token()));
    TB_TRY_TOOL(std::vector<Summary> blocks, summaries.get(connection));
    std::erase_if(blocks, [&](const Summary& block) { return !matches(*block, arguments); });
    sort_blocks(blocks, arguments);

    const auto offset = static_cast<std::size_t>(*integer_argument(arguments, "offset"));
    const auto limit =
        static_cast<std::size_t>(integer_argument(arguments, "limit").value_or(INT64_MAX));
    Json page = Json::array();
    for (std::size_t i = offset; i < blocks.size() && page.size() < limit; ++i) {
        page.push_back(block_json(*blocks[i], is_stale(sync, blocks[i]->id())));
    }
    const std::string trouble = sync_trouble_text(sync);
    const std::string table = fit_page(page,
                                       {"Block", "Trades", "First opened", "Last opened", "Net P/L",
                                        "P/L as in file", "Strategies", "Further logs"},
                                       cells, context.budget_chars(), trouble);
    const std::size_t next = offset + page.size();
    const bool more = next < blocks.size();
    std::string text = trouble;
    text += fmt::format("{} of {} matching blocks\n", page.size(), blocks.size());
    text += page.empty() ? "" : table;
    if (more) {
        text += fmt::format("(more: offset {})\n", next);
    }
    Json result = {{"options", options_json(arguments)},
                   {"totalMatching", blocks.size()},
                   {"blocks", page},
                   {"count", page.size()},
                   {"nextOffset", more ? Json(next) : Json(nullptr)}};
    add_directory_sync(result, sync);
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(result)};
}

}  // namespace

mcp::ToolSpec list_blocks_tool(App& app) {
    const auto summaries = std::make_shared<BlockSummaries>();
    return {
        .name = "list_blocks",
        .title = "List blocks",
        .description =
            "Every portfolio (\"block\": a folder of trading logs) with trades, dates, strategies "
            "and profit. Call it first: its ids are the blockId of all other tools.",
        .toolset = "core",
        .annotations = mcp::Annotations::reads(),
        .scope = "blocks:read",
        .arguments = argument_fields(),
        .results = result_fields(),
        .handler = [&app, summaries](mcp::ToolContext& context, const Json& arguments) {
            return list_blocks(app, *summaries, context, arguments);
        }};
}

}  // namespace tb::tools
