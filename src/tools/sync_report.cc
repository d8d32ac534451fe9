#include "tools/sync_report.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "tools/json.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using mcp::Field;
using mcp::Json;
using sync::BlockSyncResult;
using sync::SyncStatus;

// More are counted; each is in its block's entry as well.
constexpr std::size_t kListedErrors = 20;

Json lines(const std::vector<std::string>& all, ReportDetail detail) {
    return detail == ReportDetail::kWhole ? Json(all)
                                          : lines_json(all, "tradeblocks sync --json has them all");
}

Json line(const std::string& text, ReportDetail detail) {
    return detail == ReportDetail::kWhole ? text : quoted_line(text);
}

Json cell(const std::string& text, ReportDetail detail) {
    return detail == ReportDetail::kWhole ? Json(text) : cell_json(text);
}

Json error_json(const Error& error, ReportDetail detail) {
    return {{"code", error_code_name(error.code)}, {"message", line(error.to_string(), detail)}};
}

Json issue_json(const blocks::RowIssue& issue, ReportDetail detail) {
    return {{"line", issue.line},
            {"column", issue.column.empty() ? Json(nullptr) : cell(issue.column, detail)},
            {"value", cell(issue.value, detail)},
            {"reason", line(issue.reason, detail)},
            {"action", issue.action == blocks::IssueAction::kSkipped ? "skipped" : "repaired"}};
}

Json file_json(const sync::FileSyncReport& file, ReportDetail detail) {
    Json json{{"role", blocks::role_name(file.role)}, {"fileName", file.file_name},
              {"recognisedBy", file.recognised_by},   {"dataRows", file.data_rows},
              {"rowsStored", file.rows_stored},       {"rowsSkipped", file.rows_skipped},
              {"rowsRepaired", file.rows_repaired},   {"rowsAdded", file.rows_added},
              {"rowsRemoved", file.rows_removed},     {"rowsKept", file.rows_kept},
              {"issuesTotal", file.issues_total},     {"firstIssues", Json::array()},
              {"notes", lines(file.notes, detail)}};
    for (const blocks::RowIssue& issue : file.first_issues) {
        json["firstIssues"].push_back(issue_json(issue, detail));
    }
    if (!file.rejection.empty()) {
        json["rejection"] = line(file.rejection, detail);
    }
    return json;
}

Json block_json(const BlockSyncResult& block, ReportDetail detail) {
    Json json{{"blockId", block.block_id},
              {"status", sync::status_name(block.status)},
              {"tradeCount", block.trade_count},
              {"rowsInserted", block.rows_inserted},
              {"rowsSkipped", block.rows_skipped},
              {"rowsRepaired", block.rows_repaired},
              {"files", Json::array()},
              {"warnings", lines(block.warnings, detail)},
              {"durationMs", block.duration_ms}};
    for (const sync::FileSyncReport& file : block.files) {
        json["files"].push_back(file_json(file, detail));
    }
    if (block.error.has_value()) {
        json["error"] = error_json(*block.error, detail);
    }
    return json;
}

Json errors_json(const std::vector<sync::SyncErrorEntry>& errors, const char* name,
                 ReportDetail detail) {
    Json list = Json::array();
    for (const sync::SyncErrorEntry& entry : errors) {
        if (detail == ReportDetail::kBrief && list.size() == kListedErrors) {
            break;
        }
        Json json{{name, entry.block_id}, {"status", sync::status_name(entry.status)}};
        json.update(error_json(entry.error, detail));
        list.push_back(std::move(json));
    }
    return list;
}

Json market_json(const sync::MarketSyncResult& market, ReportDetail detail) {
    Json json{{"filesProcessed", market.processed}, {"filesSynced", market.synced},
              {"filesUnchanged", market.unchanged}, {"filesFailed", market.failed},
              {"filesDeferred", market.deferred},   {"files", Json::array()}};
    for (const sync::MarketFileResult& file : market.files) {
        Json item{
            {"fileName", file.file_name},          {"status", sync::status_name(file.status)},
            {"rowsInserted", file.rows_inserted},  {"rowsUpdated", file.rows_updated},
            {"rowsKept", file.rows_kept},          {"rowsSkipped", file.rows_skipped},
            {"rowsRepaired", file.rows_repaired},  {"durationMs", file.duration_ms},
            {"maxDate", text_json(file.max_date)}, {"warnings", lines(file.warnings, detail)}};
        if (file.error.has_value()) {
            item["error"] = error_json(*file.error, detail);
        }
        json["files"].push_back(std::move(item));
    }
    json["warnings"] = lines(market.warnings, detail);
    json["errors"] = errors_json(market.errors, "fileName", detail);
    return json;
}

Field text_list(std::string name, std::string description) {
    return field::list(std::move(name), field::text_schema(), std::move(description));
}

Field errors_field(const char* name) {
    return field::list("errors",
                       field::object_schema({field::text(name, "Which"),
                                             field::text("status", "error or a deferred status"),
                                             field::text("code", "Kind of error"),
                                             field::text("message", "What is wrong and where")}),
                       "What could not be brought up to date; at most 20");
}

Field error_field() {
    return field::object("error",
                         {field::text("code", "Kind of error"), field::text("message", "Why")},
                         "Unless all went well")
        .optional();
}

Field file_field() {
    return field::list(
        "files",
        field::object_schema(
            {field::text("role", "tradelog, dailylog or reportinglog"),
             field::text("fileName", "File"), field::text("recognisedBy", "Why it has the role"),
             field::integer("dataRows", "Stored and skipped"),
             field::integer("rowsStored", "In the database"),
             field::integer("rowsSkipped", "Unusable"),
             field::integer("rowsRepaired", "With a repaired cell"),
             field::integer("rowsAdded", "Not there before"),
             field::integer("rowsRemoved", "No longer there"),
             field::integer("rowsKept", "As before"), field::integer("issuesTotal", "All issues"),
             field::list("firstIssues",
                         field::object_schema({field::integer("line", "Header = 1"),
                                               field::text("column", "Empty: the row").nullable(),
                                               field::text("value", "As written"),
                                               field::text("reason", "Why"),
                                               field::text("action", "skipped or repaired")}),
                         "See get_data_issues"),
             text_list("notes", "About the file"),
             field::text("rejection", "Why none of it is stored").optional()}),
        "None when unchanged");
}

}  // namespace

Json sync_report_json(const sync::SyncResult& blocks, const sync::MarketSyncResult& market,
                      ReportDetail detail) {
    Json json{{"blocksProcessed", blocks.processed},
              {"blocksSynced", blocks.synced},
              {"blocksUnchanged", blocks.unchanged},
              {"blocksDeleted", blocks.deleted},
              {"blocksFailed", blocks.failed},
              {"blocksDeferred", blocks.deferred},
              {"rowsInserted", blocks.rows_inserted},
              {"rowsSkipped", blocks.rows_skipped},
              {"rowsRepaired", blocks.rows_repaired},
              {"durationMs", blocks.duration_ms + market.duration_ms},
              {"blocks", Json::array()}};
    for (const BlockSyncResult& block : blocks.blocks) {
        json["blocks"].push_back(block_json(block, detail));
    }
    json["market"] = market_json(market, detail);
    json["warnings"] = lines(blocks.warnings, detail);
    json["errors"] = errors_json(blocks.errors, "blockId", detail);
    return json;
}

std::vector<Field> sync_report_fields() {
    return {
        field::integer("blocksProcessed", "Blocks found, and deleted ones"),
        field::integer("blocksSynced", "New or changed"),
        field::integer("blocksUnchanged", "Up to date"),
        field::integer("blocksDeleted", "Gone"),
        field::integer("blocksFailed", "Unreadable: no rows"),
        field::integer("blocksDeferred", "Older rows stay for now"),
        field::integer("rowsInserted", "Rows stored"),
        field::integer("rowsSkipped", "Unusable rows"),
        field::integer("rowsRepaired", "Rows with a repaired cell"),
        field::number("durationMs", "Time taken").unit("ms"),
        field::list("blocks",
                    field::object_schema(
                        {field::text("blockId", "Block"), field::text("status", "What happened"),
                         field::integer("tradeCount", "Trades now stored"),
                         field::integer("rowsInserted", "Over all files"),
                         field::integer("rowsSkipped", "Over all files"),
                         field::integer("rowsRepaired", "Over all files"), file_field(),
                         text_list("warnings", "Else to know"),
                         field::number("durationMs", "Time taken").unit("ms"), error_field()}),
                    "Each block"),
        field::object(
            "market",
            {field::integer("filesProcessed", "Found"), field::integer("filesSynced", "Merged"),
             field::integer("filesUnchanged", "Up to date"),
             field::integer("filesFailed", "Unreadable"),
             field::integer("filesDeferred", "Put off"),
             field::list(
                 "files",
                 field::object_schema({field::text("fileName", "File"),
                                       field::text("status", "What happened"),
                                       field::integer("rowsInserted", "New days"),
                                       field::integer("rowsUpdated", "Changed days"),
                                       field::integer("rowsKept", "Same days"),
                                       field::integer("rowsSkipped", "Unusable"),
                                       field::date("maxDate", "Newest day").nullable(),
                                       text_list("warnings", "Else to know"), error_field()}),
                 "Each market file"),
             text_list("warnings", "Else to know"), errors_field("fileName")},
            "Files of _marketdata"),
        text_list("warnings", "About directory and database"),
        errors_field("blockId"),
    };
}

sync::SyncResult as_sync_result(BlockSyncResult block) {
    sync::SyncResult result;
    result.processed = 1;
    switch (block.status) {
        case SyncStatus::kSynced:
            result.synced = 1;
            break;
        case SyncStatus::kUnchanged:
            result.unchanged = 1;
            break;
        case SyncStatus::kDeleted:
            result.deleted = 1;
            break;
        case SyncStatus::kError:
            result.failed = 1;
            break;
        case SyncStatus::kIncomplete:
        case SyncStatus::kStale:
        case SyncStatus::kBusy:
            result.deferred = 1;
            break;
    }
    result.rows_inserted = block.rows_inserted;
    result.rows_skipped = block.rows_skipped;
    result.rows_repaired = block.rows_repaired;
    result.duration_ms = block.duration_ms;
    if (block.error.has_value()) {
        result.errors.push_back({block.block_id, block.status, *block.error});
    }
    result.blocks.push_back(std::move(block));
    return result;
}

}  // namespace tb::tools
