// What clients can read without calling a tool (06 T16): the answers of tools in full, and the rows
// of a block page by page.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "blocks/discovery.h"
#include "db/schema.h"
#include "mcp/fit.h"
#include "mcp/json_text.h"
#include "mcp/render.h"
#include "mcp/tool_docs.h"
#include "tools/content.h"
#include "tools/data/backtest_guide.h"
#include "tools/json.h"
#include "tools/result_store.h"

namespace tb::tools {

namespace {

using mcp::Json;
using mcp::ResourceContents;
using mcp::UriVariables;

constexpr std::string_view kJson = "application/json";
constexpr std::size_t kRowsPerPage = 100;
constexpr std::size_t kHashInCursor = 12;

const std::vector<std::string> for_both{"user", "assistant"};

ResourceContents json_content(std::string uri, const Json& value) {
    return {{std::move(uri), std::string(kJson), mcp::to_json_text(value), ""}};
}

// The answer of a tool, complete as far as anybody reads one: clients ask for resources by name.
mcp::Outcome<ResourceContents> answer_of(const Registry& registry, std::string_view tool,
                                         mcp::ToolContext& context, const Json& arguments,
                                         std::string uri) {
    context.set_budget_chars(0);
    TB_TRY_TOOL(mcp::ToolResult result, mcp::call_tool(*registry->find(tool), context, arguments));
    static_cast<void>(mcp::fit_object(*result.structured, mcp::kMaxRaisedResultChars));
    return json_content(std::move(uri), *result.structured);
}

// kNotFound of a block becomes "no such resource".
mcp::Outcome<FreshBlock> block_of(App& app, mcp::ToolContext& context, const std::string& uri,
                                  const UriVariables& variables) {
    auto fresh = app.fresh_block(variables.at("blockId"), context.token());
    if (fresh.has_value()) {
        return std::move(*fresh);
    }
    if (fresh.error().code == ErrorCode::kNotFound ||
        fresh.error().code == ErrorCode::kInvalidArgument) {
        return tl::unexpected<mcp::ToolError>(mcp::resource_not_found(uri));
    }
    return tl::unexpected<mcp::ToolError>(fresh.error());
}

// ---- pages of rows ----

// A cursor names a row and the content it belongs to, so that a page after a change of the file is
// refused instead of repeating or leaving out rows.
std::string cursor_of(std::size_t offset, const std::string& hash) {
    return fmt::format("{}-{}", offset, hash.substr(0, kHashInCursor));
}

std::optional<std::size_t> offset_of(const UriVariables& variables, const std::string& hash) {
    const auto cursor = variables.find("cursor");
    if (cursor == variables.end()) {
        return 0;
    }
    const std::string& text = cursor->second;
    std::size_t offset = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), offset);
    return parsed.ec == std::errc() && text == cursor_of(offset, hash) ? std::optional(offset)
                                                                       : std::nullopt;
}

using RowAt = std::function<Json(std::size_t)>;

mcp::Outcome<ResourceContents> page_of(const std::string& uri, const UriVariables& variables,
                                       const FreshBlock& fresh, const std::string& hash,
                                       std::size_t total, const RowAt& row_at) {
    const auto offset = offset_of(variables, hash);
    if (!offset) {
        return tl::unexpected<mcp::ToolError>(mcp::resource_not_found(uri));
    }
    Json rows = Json::array();
    for (std::size_t i = *offset; i < total && rows.size() < kRowsPerPage; ++i) {
        rows.push_back(row_at(i));
    }
    const std::size_t next = *offset + rows.size();
    Json page = {{"blockId", fresh.data->block_id},
                 {"totalRows", total},
                 {"offset", *offset},
                 {"nextCursor", next < total ? Json(cursor_of(next, hash)) : Json(nullptr)},
                 {"dataVersion", fresh.data->data_version()},
                 {"rows", std::move(rows)}};
    add_block_sync(page, fresh.sync);
    return json_content(uri, page);
}

Json trade_row(const BlockData& block, std::size_t i) {
    const analytics::Trade& trade = block.trades.trades[i];
    return {{"dateOpened", trade.date_opened.to_iso()},
            {"timeOpened", time_json(trade.time_opened)},
            {"dateClosed", date_json(trade.date_closed)},
            {"timeClosed", time_json(trade.time_closed)},
            {"strategy", block.trades.strategies[trade.strategy]},
            {"ticker", cell_json(trade.ticker)},
            {"legs", cell_json(trade.legs)},
            {"pl", number_json(trade.pl)},
            {"netPl", number_json(trade.net_pl())},
            {"premium", trade.premium},
            {"numContracts", trade.contracts},
            {"marginReq", trade.margin_req},
            {"openingFees", trade.opening_fees},
            {"closingFees", trade.closing_fees},
            {"reasonForClose", cell_json(trade.reason_for_close)}};
}

Json daily_row(const BlockData& block, std::size_t i) {
    const analytics::DailyLogEntry& entry = block.daily_log[i];
    return {{"date", entry.date.to_iso()},
            {"netLiquidity", entry.net_liquidity},
            {"pl", entry.daily_pl},
            {"drawdownPct", entry.drawdown_pct},
            {"withdrawn", number_json(entry.withdrawn)}};
}

Json reporting_row(const BlockData& block, std::size_t i) {
    const analytics::ReportingTrade& trade = block.reporting.trades[i];
    return {{"dateOpened", trade.date_opened.to_iso()},
            {"timeOpened", time_json(trade.time_opened)},
            {"dateClosed", date_json(trade.date_closed)},
            {"timeClosed", time_json(trade.time_closed)},
            {"strategy", block.reporting.strategies[trade.strategy]},
            {"legs", cell_json(trade.legs)},
            {"pl", trade.pl},
            {"initialPremium", number_json(trade.initial_premium)},
            {"numContracts", trade.contracts},
            {"reasonForClose", cell_json(trade.reason_for_close)}};
}

struct RowKind {
    std::string_view name;
    std::string_view title;
    std::string_view description;
    std::size_t (*count)(const BlockData&);
    Json (*row)(const BlockData&, std::size_t);
    std::optional<std::string> (*hash)(const BlockData&);
};

constexpr std::array kRowKinds{
    RowKind{"trades", "Trades of a block",
            "Rows of the trade log by opening time, 100 a page; empty amounts are 0",
            [](const BlockData& block) { return block.trades.trades.size(); }, trade_row,
            [](const BlockData& block) { return std::optional(block.metadata.tradelog_hash); }},
    RowKind{"daily", "Daily log of a block",
            "Rows of the daily log by day, 100 a page; empty amounts are 0",
            [](const BlockData& block) { return block.daily_log.size(); }, daily_row,
            [](const BlockData& block) { return block.metadata.dailylog_hash; }},
    RowKind{"reporting", "Live fills of a block", "Rows of the reporting log, 100 a page",
            [](const BlockData& block) { return block.reporting.trades.size(); }, reporting_row,
            [](const BlockData& block) { return block.metadata.reportinglog_hash; }},
};

mcp::ResourceTemplateSpec rows_template(App& app, const RowKind& kind) {
    mcp::ResourceTemplateSpec spec;
    spec.uri_template = fmt::format("tradeblocks://blocks/{{blockId}}/{}{{?cursor}}", kind.name);
    spec.name = fmt::format("block-{}", kind.name);
    spec.title = kind.title;
    spec.description = kind.description;
    spec.mime_type = kJson;
    spec.audience = for_both;
    spec.scope = "blocks:read";
    spec.completers["blockId"] = block_completer(app);
    spec.read = [&app, &kind](mcp::ToolContext& context, const std::string& uri,
                              const UriVariables& variables) -> mcp::Outcome<ResourceContents> {
        TB_TRY_TOOL(const FreshBlock fresh, block_of(app, context, uri, variables));
        const BlockData& block = *fresh.data;
        const auto hash = kind.hash(block);
        if (!hash) {
            return tl::unexpected<mcp::ToolError>(mcp::resource_not_found(uri));
        }
        return page_of(uri, variables, fresh, *hash, kind.count(block),
                       [&](std::size_t i) { return kind.row(block, i); });
    };
    return spec;
}

std::vector<std::string> table_names() {
    std::vector<std::string> names;
    for (const db::TableSpec& table : db::all_tables()) {
        if (!table.internal()) {
            names.push_back(table.qualified_name());
        }
    }
    return names;
}

mcp::ResourceTemplateSpec table_template(const Registry& registry) {
    mcp::ResourceTemplateSpec spec;
    spec.uri_template = "tradeblocks://schema/{table}";
    spec.name = "table";
    spec.title = "Columns of a table";
    spec.description = "One table as describe_database tells it, such as trades.trade_data";
    spec.mime_type = kJson;
    spec.audience = for_both;
    spec.scope = "sql:read";
    spec.completers["table"] = [](mcp::ToolContext&, std::string_view, const UriVariables&) {
        return table_names();
    };
    spec.read = [registry](mcp::ToolContext& context, const std::string& uri,
                           const UriVariables& variables) -> mcp::Outcome<ResourceContents> {
        const std::string& table = variables.at("table");
        const auto known = table_names();
        if (std::find(known.begin(), known.end(), table) == known.end()) {
            return tl::unexpected<mcp::ToolError>(mcp::resource_not_found(uri));
        }
        return answer_of(registry, "describe_database", context, {{"table", table}}, uri);
    };
    return spec;
}

// The manual of one tool: lists of tools hold only an outline of results.
mcp::ResourceTemplateSpec manual_template(const Registry& registry) {
    mcp::ResourceTemplateSpec spec;
    spec.uri_template = "tradeblocks://tools/{tool}";
    spec.name = "tool-manual";
    spec.title = "Manual of a tool";
    spec.description = "Arguments and every member of the result with meaning and unit";
    spec.mime_type = "text/markdown";
    spec.audience = for_both;
    spec.completers["tool"] = [registry](mcp::ToolContext&, std::string_view, const UriVariables&) {
        std::vector<std::string> names;
        for (const auto& tool : registry->tools()) {
            names.push_back(tool->name);
        }
        return names;
    };
    spec.read = [registry](mcp::ToolContext&, const std::string& uri,
                           const UriVariables& variables) -> mcp::Outcome<ResourceContents> {
        const mcp::ToolSpec* const tool = registry->find(variables.at("tool"));
        if (tool == nullptr) {
            return tl::unexpected<mcp::ToolError>(mcp::resource_not_found(uri));
        }
        TB_TRY_TOOL(const mcp::ToolRegistry one, mcp::ToolRegistry::make({*tool}));
        return ResourceContents{{uri, "text/markdown", mcp::tools_markdown(one), ""}};
    };
    return spec;
}

mcp::ResourceTemplateSpec block_template(App& app, const Registry& registry) {
    mcp::ResourceTemplateSpec spec;
    spec.uri_template = "tradeblocks://blocks/{blockId}";
    spec.name = "block";
    spec.title = "A block";
    spec.description = "Counts, dates and strategies of one block, as get_block_info tells them";
    spec.mime_type = kJson;
    spec.audience = for_both;
    spec.scope = "blocks:read";
    spec.completers["blockId"] = block_completer(app);
    spec.read = [&app, registry](mcp::ToolContext& context, const std::string& uri,
                                 const UriVariables& variables) -> mcp::Outcome<ResourceContents> {
        TB_TRY_TOOL([[maybe_unused]] const FreshBlock fresh,
                    block_of(app, context, uri, variables));
        return answer_of(registry, "get_block_info", context,
                         {{"blockId", variables.at("blockId")}}, uri);
    };
    return spec;
}

mcp::ResourceSpec tool_resource(const Registry& registry, std::string_view tool,
                                mcp::ResourceInfo info, std::string scope) {
    const std::string uri = info.uri;
    return {std::move(info), std::move(scope), [registry, tool, uri](mcp::ToolContext& context) {
                return answer_of(registry, tool, context, Json::object(), uri);
            }};
}

mcp::ResourceInfo fixed_info(std::string uri, std::string name, std::string title,
                             std::string description, std::string mime_type, double priority) {
    mcp::ResourceInfo info;
    info.uri = std::move(uri);
    info.name = std::move(name);
    info.title = std::move(title);
    info.description = std::move(description);
    info.mime_type = std::move(mime_type);
    info.audience = for_both;
    info.priority = priority;
    return info;
}

}  // namespace

std::string block_uri(std::string_view block_id) {
    static const auto kTemplate = mcp::UriTemplate::parse("tradeblocks://blocks/{blockId}");
    return kTemplate->expand({{"blockId", std::string(block_id)}});
}

std::vector<std::string> schema_uris(bool blocks, bool market) {
    std::vector<std::string> uris{"tradeblocks://schema"};
    for (const std::string& table : table_names()) {
        if ((blocks && table.starts_with("trades.")) || (market && table.starts_with("market."))) {
            uris.push_back("tradeblocks://schema/" + table);
        }
    }
    return uris;
}

std::vector<mcp::ResourceSpec> fixed_resources(App& app, const Registry& registry) {
    static_cast<void>(app);
    const std::string guide = guide_document();
    mcp::ResourceInfo guide_info =
        fixed_info("tradeblocks://guides/optionomega", "optionomega-guide", "Backtester guide",
                   "How Option Omega backtests are set up and exported", "text/markdown", 0.3);
    guide_info.size = static_cast<std::int64_t>(guide.size());
    return {
        tool_resource(registry, "list_blocks",
                      fixed_info("tradeblocks://blocks", "blocks", "All blocks",
                                 "Every block with its key figures, as list_blocks tells them",
                                 std::string(kJson), 1),
                      "blocks:read"),
        tool_resource(
            registry, "describe_database",
            fixed_info("tradeblocks://schema", "schema", "Tables and columns",
                       "What run_sql can ask about, with example queries", std::string(kJson), 0.7),
            "sql:read"),
        {guide_info, "",
         [guide, uri = guide_info.uri](mcp::ToolContext&) -> mcp::Outcome<ResourceContents> {
             return ResourceContents{{uri, "text/markdown", guide, ""}};
         }},
    };
}

std::vector<mcp::ResourceTemplateSpec> resource_templates(App& app, const Registry& registry) {
    std::vector<mcp::ResourceTemplateSpec> templates = {block_template(app, registry)};
    for (const RowKind& kind : kRowKinds) {
        templates.push_back(rows_template(app, kind));
    }
    templates.push_back(table_template(registry));
    templates.push_back(manual_template(registry));
    templates.push_back(result_template(app));
    return templates;
}

std::vector<mcp::ResourceInfo> block_resources(App& app) {
    std::vector<mcp::ResourceInfo> resources;
    const auto listing = blocks::list_block_folders(app.file_system(), app.options().data_dir);
    if (!listing.has_value()) {
        return resources;  // the tools say what is wrong with the directory
    }
    for (const blocks::BlockFolder& folder : listing->folders) {
        const auto files = blocks::discover_files(app.file_system(), folder.path);
        if (!files.has_value() || !files->tradelog.has_value()) {
            continue;
        }
        mcp::ResourceInfo info;
        info.uri = block_uri(folder.id);
        info.name = mcp::visible_text(folder.id);
        info.title = "Block " + info.name;
        info.mime_type = kJson;
        info.audience = for_both;
        info.priority = 0.5;
        if (const auto stat = app.file_system().stat(folder.path / files->tradelog->file_name)) {
            info.last_modified = Timestamp{stat->mtime_ns / 1000}.to_rfc3339();
        }
        resources.push_back(std::move(info));
    }
    std::sort(resources.begin(), resources.end(),
              [](const auto& a, const auto& b) { return a.uri < b.uri; });
    return resources;
}

mcp::Completer block_completer(App& app) {
    return [&app](mcp::ToolContext&, std::string_view, const UriVariables&) {
        std::vector<std::string> ids;
        if (const auto listing =
                blocks::list_block_folders(app.file_system(), app.options().data_dir)) {
            for (const blocks::BlockFolder& folder : listing->folders) {
                ids.push_back(folder.id);
            }
        }
        return ids;
    };
}

mcp::Completer strategy_completer(App& app, const std::string& block_argument) {
    return [&app, block_argument](mcp::ToolContext& context, std::string_view,
                                  const UriVariables& known) {
        const auto block = known.find(block_argument);
        if (block == known.end()) {
            return std::vector<std::string>{};
        }
        const auto fresh = app.fresh_block(block->second, context.token());
        if (!fresh.has_value()) {
            return std::vector<std::string>{};
        }
        std::vector<std::string> names = fresh->data->trades.strategies;
        std::sort(names.begin(), names.end());
        return names;
    };
}

}  // namespace tb::tools
