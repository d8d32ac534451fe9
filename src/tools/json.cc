#include "tools/json.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mcp/render.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using mcp::Field;
using mcp::Json;
using sync::SyncStatus;

bool is_deferred(SyncStatus status) {
    return status == SyncStatus::kIncomplete || status == SyncStatus::kStale ||
           status == SyncStatus::kBusy;
}

Field errors_field() {
    return field::list(
               "syncErrors",
               field::object_schema(
                   {field::text("blockId", "Block, or market file"),
                    field::choice("status", {"error", "incomplete", "stale", "busy"},
                                  "error: its rows were removed; others: older rows are shown"),
                    field::text("error", "What is wrong and where")}),
               "What could not be brought up to date")
        .optional();
}

Field warnings_field() {
    return field::list("warnings", field::text_schema(), "What else a reader should know")
        .optional();
}

Json error_entry(std::string_view id, SyncStatus status, const std::string& error) {
    return {{"blockId", id}, {"status", sync::status_name(status)}, {"error", error}};
}

void add_entries(Json& errors, const std::vector<sync::SyncErrorEntry>& entries) {
    for (const sync::SyncErrorEntry& entry : entries) {
        errors.push_back(error_entry(entry.block_id, entry.status, entry.error.to_string()));
    }
}

void add_lines(std::string& text, const std::vector<sync::SyncErrorEntry>& entries) {
    for (const sync::SyncErrorEntry& entry : entries) {
        text +=
            fmt::format("{} '{}': {}\n", is_deferred(entry.status) ? "NOT UP TO DATE" : "FAILED",
                        mcp::cell_text(entry.block_id), mcp::visible_text(entry.error.to_string()));
    }
}

void add_if_any(Json& result, const char* name, Json list) {
    if (!list.empty()) {
        result[name] = std::move(list);
    }
}

}  // namespace

Json number_json(std::optional<double> value) {
    return value.has_value() && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

Json text_json(const std::optional<std::string>& value) {
    return value.has_value() ? Json(*value) : Json(nullptr);
}

Json date_json(std::optional<Date> value) {
    return value.has_value() ? Json(value->to_iso()) : Json(nullptr);
}

Json time_json(std::optional<TimeOfDay> value) {
    return value.has_value() ? Json(value->to_iso()) : Json(nullptr);
}

std::vector<Field> block_sync_fields() {
    return {field::object(
                "syncInfo",
                {field::choice("status", {"synced", "unchanged", "incomplete", "stale", "busy"},
                               "synced: the files had changed; the last three: older rows shown"),
                 field::integer("rowsInserted", "Rows stored by this call"),
                 field::integer("rowsSkipped", "Unusable rows of the files (get_data_issues)"),
                 field::integer("rowsRepaired", "Rows with a repaired cell (get_data_issues)")},
                "How fresh the figures are"),
            errors_field(), warnings_field()};
}

void add_block_sync(Json& result, const sync::BlockSyncResult& sync) {
    result["syncInfo"] = {{"status", sync::status_name(sync.status)},
                          {"rowsInserted", sync.rows_inserted},
                          {"rowsSkipped", sync.rows_skipped},
                          {"rowsRepaired", sync.rows_repaired}};
    if (sync.error.has_value()) {
        result["syncErrors"] =
            Json::array({error_entry(sync.block_id, sync.status, sync.error->to_string())});
    }
    add_if_any(result, "warnings", Json(sync.warnings));
}

std::vector<Field> directory_sync_fields() {
    return {field::object("syncInfo",
                          {field::integer("blocksProcessed", "Blocks found, and deleted ones"),
                           field::integer("blocksSynced", "New or changed"),
                           field::integer("blocksUnchanged", "Already up to date"),
                           field::integer("blocksDeleted", "Folder or trade log gone"),
                           field::integer("blocksFailed", "Unreadable: no rows"),
                           field::integer("blocksDeferred", "Older rows shown"),
                           field::integer("marketFilesSynced", "Market files merged")},
                          "What this call brought up to date"),
            errors_field(), warnings_field()};
}

void add_directory_sync(Json& result, const App::SyncAll& sync) {
    result["syncInfo"] = {
        {"blocksProcessed", sync.blocks.processed}, {"blocksSynced", sync.blocks.synced},
        {"blocksUnchanged", sync.blocks.unchanged}, {"blocksDeleted", sync.blocks.deleted},
        {"blocksFailed", sync.blocks.failed},       {"blocksDeferred", sync.blocks.deferred},
        {"marketFilesSynced", sync.market.synced}};
    Json errors = Json::array();
    add_entries(errors, sync.blocks.errors);
    add_entries(errors, sync.market.errors);
    add_if_any(result, "syncErrors", std::move(errors));
    Json warnings = sync.blocks.warnings;
    for (const std::string& warning : sync.market.warnings) {
        warnings.push_back(warning);
    }
    add_if_any(result, "warnings", std::move(warnings));
}

std::string sync_trouble_text(const sync::BlockSyncResult& sync) {
    if (!sync.error.has_value()) {
        return {};
    }
    std::string text;
    add_lines(text, {{sync.block_id, sync.status, *sync.error}});
    return text;
}

std::string sync_trouble_text(const App::SyncAll& sync) {
    std::string text;
    add_lines(text, sync.blocks.errors);
    add_lines(text, sync.market.errors);
    return text;
}

}  // namespace tb::tools
