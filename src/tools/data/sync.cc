// sync: brings the database up to date now and tells everything about it.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/data/pages.h"
#include "tools/data/tools.h"
#include "tools/json.h"
#include "tools/sync_report.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using mcp::Json;

std::vector<mcp::Field> result_fields() {
    std::vector<mcp::Field> fields = sync_report_fields();
    fields.push_back(
        field::integer("blocksOmitted", "Blocks left out of `blocks`, unchanged ones first"));
    return fields;
}

bool is_plain(const Json& block) {
    return block["status"] == "unchanged" && block["warnings"].empty();
}

std::vector<std::string> cells(const Json& block) {
    const auto count = [&](const char* name) {
        return mcp::count_text(block[name].get<std::int64_t>());
    };
    std::int64_t added = 0;
    std::int64_t removed = 0;
    std::string remarks;
    const auto remark = [&](const std::string& text) {
        remarks += (remarks.empty() ? "" : "; ") + text;
    };
    if (block.contains("error")) {
        remark(block["error"]["message"].get<std::string>());
    }
    for (const Json& file : block["files"]) {
        added += file["rowsAdded"].get<std::int64_t>();
        removed += file["rowsRemoved"].get<std::int64_t>();
        if (file.contains("rejection")) {
            remark(file["rejection"].get<std::string>());
        }
    }
    for (const Json& warning : block["warnings"]) {
        remark(warning.get<std::string>());
    }
    return {block["blockId"].get<std::string>(),
            block["status"].get<std::string>(),
            count("tradeCount"),
            mcp::count_text(added),
            mcp::count_text(removed),
            count("rowsSkipped"),
            count("rowsRepaired"),
            remarks};
}

std::string head_text(const Json& report) {
    const auto count = [](const Json& from, const char* name) {
        return mcp::count_text(from[name].get<std::int64_t>());
    };
    std::string text = fmt::format(
        "{} blocks: {} synced, {} unchanged, {} deleted, {} failed, {} deferred; {} rows stored, "
        "{} skipped, {} repaired\n",
        count(report, "blocksProcessed"), count(report, "blocksSynced"),
        count(report, "blocksUnchanged"), count(report, "blocksDeleted"),
        count(report, "blocksFailed"), count(report, "blocksDeferred"),
        count(report, "rowsInserted"), count(report, "rowsSkipped"), count(report, "rowsRepaired"));
    const Json& market = report["market"];
    for (const Json& file : market["files"]) {
        text += fmt::format("_marketdata/{}: {}, {} new days, {} updated, {} kept, {} skipped",
                            mcp::cell_text(file["fileName"].get<std::string>()),
                            file["status"].get<std::string>(), count(file, "rowsInserted"),
                            count(file, "rowsUpdated"), count(file, "rowsKept"),
                            count(file, "rowsSkipped"));
        if (file.contains("error")) {
            text += ": " + mcp::cell_text(file["error"]["message"].get<std::string>());
        }
        for (const Json& warning : file["warnings"]) {
            text += "; " + mcp::cell_text(warning.get<std::string>());
        }
        text += "\n";
    }
    for (const Json* const warnings : {&report["warnings"], &market["warnings"]}) {
        for (const Json& warning : *warnings) {
            text += "Note: " + mcp::cell_text(warning.get<std::string>()) + "\n";
        }
    }
    return text;
}

mcp::Outcome<mcp::ToolResult> run_sync(App& app, mcp::ToolContext& context, const Json& arguments) {
    const bool verify = *flag_argument(arguments, "verify");
    App::SyncAll sync;
    if (const auto block_id = text_argument(arguments, "blockId")) {
        TB_TRY_TOOL(sync::BlockSyncResult block, app.sync_one(*block_id, context.token(), verify));
        sync.blocks = as_sync_result(std::move(block));
    } else {
        TB_TRY_TOOL(sync, app.sync_all(context.token(), context.progress_callback(), verify));
    }
    Json report =
        sync_report_json(sync.blocks, sync.market,
                         context.budget_chars() == 0 ? ReportDetail::kWhole : ReportDetail::kBrief);
    Json& blocks = report["blocks"];
    std::stable_sort(blocks.begin(), blocks.end(),
                     [](const Json& a, const Json& b) { return !is_plain(a) && is_plain(b); });
    const std::size_t total = blocks.size();
    std::string text = head_text(report);
    const std::string table = fit_page(
        blocks,
        {"Block", "Status", "Trades", "Rows added", "Removed", "Skipped", "Repaired", "Remarks"},
        cells, context.budget_chars(), text);
    text += blocks.empty() ? "" : table;
    report["blocksOmitted"] = total - blocks.size();
    if (blocks.size() < total) {
        text +=
            fmt::format("({} further blocks are not shown; get_sync_history has every change)\n",
                        mcp::count_text(static_cast<std::int64_t>(total - blocks.size())));
    }
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(report)};
}

}  // namespace

mcp::ToolSpec sync_tool(App& app) {
    return {
        .name = "sync",
        .title = "Sync now",
        .description =
            "Brings the database up to date and reports per block and file what came, went and was "
            "left out. Reading tools sync by themselves; call it for the report.",
        .toolset = "core",
        .annotations = mcp::Annotations::reads(),
        .scope = "blocks:read",
        .arguments = {field::text("blockId", "Only this block"),
                      field::boolean("verify", "Read every file, whatever its time stamps say")
                          .default_value(false)},
        .results = result_fields(),
        .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
            return run_sync(app, context, arguments);
        }};
}

}  // namespace tb::tools
