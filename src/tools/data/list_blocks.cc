// list_blocks: what there is in the data directory (01 §6.1).
#include <algorithm>
#include <cmath>
#include <limits>
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
constexpr std::size_t kCharsInText = 40;  // of a strategy's name
// Of one block in a list of blocks; get_block_info has more of them.
constexpr std::size_t kStrategiesListed = 50;
constexpr std::size_t kStrategiesChars = 2'000;

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
        field::list(
            "blocks",
            field::object_schema(
                {field::text("id", "Block id"), field::text("name", "Folder name"),
                 field::integer("tradeCount", "Trades"),
                 field::object("dateRange", date_range(), "Days opened"),
                 field::list("strategies", field::text_schema(), "Sorted"),
                 field::integer("strategiesOmitted", "More: see get_block_info"),
                 field::number("totalPl", "Sum of the P/L column").unit("USD").nullable(),
                 field::number("netPl", "Sum of P/L after all fees").unit("USD").nullable(),
                 field::boolean("hasDailyLog", "It has one"),
                 field::boolean("hasReportingLog", "It has one"),
                 field::object("reportingLog",
                               {field::integer("tradeCount", "Fills"),
                                field::integer("strategyCount", "Strategies"),
                                field::number("totalPL", "As in the file").unit("USD").nullable(),
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

// The first ones that fit into a list of blocks, all of them when there is no budget.
Json strategies_json(const BlockSummary& block, bool all) {
    Json names = Json::array();
    std::size_t chars = 0;
    for (const std::string& name : block.strategies) {
        chars += name.size();
        if (!all && !names.empty() &&
            (names.size() == kStrategiesListed || chars > kStrategiesChars)) {
            break;
        }
        names.push_back(name);
    }
    return names;
}

Json block_json(const BlockSummary& block, bool stale, bool all_strategies) {
    Json strategies = strategies_json(block, all_strategies);
    const std::size_t omitted = block.strategies.size() - strategies.size();
    Json json = {{"id", block.id()},
                 {"name", block.id()},
                 {"tradeCount", block.trade_count},
                 {"dateRange", range_json(block.first_opened, block.last_opened)},
                 {"strategies", std::move(strategies)},
                 {"strategiesOmitted", omitted},
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

// A sum beyond the range of numbers is none, and comes first.
double order_of(double sum) {
    return std::isfinite(sum) ? sum : -std::numeric_limits<double>::infinity();
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
            return order_of(a->net_pl) < order_of(b->net_pl);
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

std::string amount(const Json& sum) {
    return sum.is_null() ? std::string("N/A") : mcp::money_text(sum.get<double>());
}

std::vector<std::string> cells(const Json& block) {
    std::string strategies;
    const std::size_t listed = block["strategies"].size();
    const std::size_t count = listed + block["strategiesOmitted"].get<std::size_t>();
    for (std::size_t i = 0; i < std::min(listed, kStrategiesInText); ++i) {
        strategies += (i == 0 ? "" : ", ") +
                      mcp::first_chars(block["strategies"][i].get<std::string>(), kCharsInText);
    }
    if (const std::size_t shown = std::min(listed, kStrategiesInText); count > shown) {
        strategies += fmt::format(" and {} more", count - shown);
    }
    std::string logs = block["hasDailyLog"].get<bool>() ? "daily" : "";
    const Json& reporting = block["reportingLog"];
    if (!reporting.is_null()) {
        logs += fmt::format("{}reporting ({} fills, {})", logs.empty() ? "" : ", ",
                            mcp::count_text(reporting["tradeCount"].get<std::int64_t>()),
                            amount(reporting["totalPL"]));
    }
    return {block["id"].get<std::string>(),
            mcp::count_text(block["tradeCount"].get<std::int64_t>()),
            day(block["dateRange"]["start"]),
            day(block["dateRange"]["end"]),
            amount(block["netPl"]),
            amount(block["totalPl"]),
            std::move(strategies),
            std::move(logs)};
}

// Why sums are null; empty when none is.
std::string missing_sums(const Json& blocks) {
    std::size_t count = 0;
    std::string first;
    for (const Json& block : blocks) {
        const Json& log = block["reportingLog"];
        if (block["totalPl"].is_null() || block["netPl"].is_null() ||
            (!log.is_null() && log["totalPL"].is_null())) {
            first = count++ == 0 ? block["id"].get<std::string>() : first;
        }
    }
    return count == 0 ? ""
                      : fmt::format(
                            "sums of {} block{} are beyond the range of numbers and shown "
                            "as null, first '{}'",
                            count, count == 1 ? "" : "s", first);
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
        page.push_back(
            block_json(*blocks[i], is_stale(sync, blocks[i]->id()), context.budget_chars() == 0));
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
    if (const std::string note = missing_sums(result["blocks"]); !note.empty()) {
        text += "Note: " + mcp::visible_text(note) + "\n";
        result["warnings"].push_back(note);
    }
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
