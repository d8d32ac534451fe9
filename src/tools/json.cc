#include "tools/json.h"

#include <algorithm>
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

// More than these are counted, not listed: the counters of syncInfo are always complete.
constexpr std::size_t kListedErrors = 20;
constexpr std::size_t kListedLines = 20;
// Of the lines of one kind together: so many odd messages must not crowd out the answer.
constexpr std::size_t kListedChars = 6'000;

Json error_entry(std::string_view id, SyncStatus status, const std::string& error) {
    return {{"blockId", id}, {"status", sync::status_name(status)}, {"error", quoted_line(error)}};
}

std::vector<sync::SyncErrorEntry> errors_of(const App::SyncAll& sync) {
    std::vector<sync::SyncErrorEntry> errors = sync.blocks.errors;
    errors.insert(errors.end(), sync.market.errors.begin(), sync.market.errors.end());
    return errors;
}

// Of the directory, then block by block and file by file.
std::vector<std::string> warnings_of(const App::SyncAll& sync) {
    std::vector<std::string> warnings = sync.blocks.warnings;
    // What is said of the database as a whole is said by both halves of a sync.
    for (const std::string& warning : sync.market.warnings) {
        if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) {
            warnings.push_back(warning);
        }
    }
    const auto add = [&](const std::string& name, const std::vector<std::string>& more) {
        for (const std::string& warning : more) {
            warnings.push_back(fmt::format("{}: {}", name, warning));
        }
    };
    for (const sync::BlockSyncResult& block : sync.blocks.blocks) {
        add(block.block_id, block.warnings);
    }
    for (const sync::MarketFileResult& file : sync.market.files) {
        add(file.file_name, file.warnings);
    }
    return warnings;
}

constexpr std::string_view kWhereAllAre = "the tool sync, asked for a block, lists its own";

std::string trouble_text(const std::vector<sync::SyncErrorEntry>& errors,
                         const std::vector<std::string>& warnings) {
    std::string text;
    std::size_t lines = 0;
    bool full = false;
    const auto add = [&](const std::string& line) {
        full = full || lines == kListedLines || text.size() + line.size() > 2 * kListedChars;
        if (!full) {
            text += line;
            ++lines;
        }
    };
    for (const sync::SyncErrorEntry& entry : errors) {
        add(fmt::format("{} '{}': {}\n", is_deferred(entry.status) ? "NOT UP TO DATE" : "FAILED",
                        mcp::cell_text(entry.block_id),
                        mcp::cell_text(entry.error.to_string(), kQuotedLineChars)));
    }
    for (const std::string& warning : warnings) {
        add(fmt::format("Note: {}\n", mcp::cell_text(warning, kQuotedLineChars)));
    }
    const std::size_t total = errors.size() + warnings.size();
    if (lines < total) {
        text += fmt::format("... and {} more; {}\n", total - lines, kWhereAllAre);
    }
    return text;
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

Json cell_json(std::string_view text) {
    return mcp::first_chars(text, kQuotedCellChars);
}

Json optional_cell_json(const std::optional<std::string>& text) {
    return text.has_value() ? cell_json(std::string_view(*text)) : Json(nullptr);
}

std::string quoted_line(std::string_view text) {
    return mcp::first_chars(text, kQuotedLineChars);
}

Json lines_json(const std::vector<std::string>& lines, std::string_view where) {
    Json list = Json::array();
    std::size_t bytes = 0;
    for (const std::string& line : lines) {
        std::string quoted = quoted_line(line);
        bytes += quoted.size();
        if (list.size() == kListedLines || (bytes > kListedChars && !list.empty())) {
            break;
        }
        list.push_back(std::move(quoted));
    }
    if (list.size() < lines.size()) {
        list.push_back(fmt::format("... and {} more; {}", lines.size() - list.size(), where));
    }
    return list;
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
    add_if_any(result, "warnings", lines_json(sync.warnings, kWhereAllAre));
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
    std::size_t bytes = 0;
    const std::vector<sync::SyncErrorEntry> all = errors_of(sync);
    for (const sync::SyncErrorEntry& entry : all) {
        const std::string text = entry.error.to_string();
        bytes += std::min(text.size(), kQuotedLineChars) + entry.block_id.size();
        if (errors.size() == kListedErrors || (bytes > kListedChars && !errors.empty())) {
            break;
        }
        errors.push_back(error_entry(entry.block_id, entry.status, text));
    }
    std::vector<std::string> warnings = warnings_of(sync);
    if (errors.size() < all.size()) {
        warnings.insert(warnings.begin(),
                        fmt::format("syncErrors shows {} of {}; get_data_issues lists every "
                                    "rejected file",
                                    errors.size(), all.size()));
    }
    add_if_any(result, "syncErrors", std::move(errors));
    add_if_any(result, "warnings", lines_json(warnings, kWhereAllAre));
}

std::string sync_trouble_text(const sync::BlockSyncResult& sync) {
    std::vector<sync::SyncErrorEntry> errors;
    if (sync.error.has_value()) {
        errors.push_back({sync.block_id, sync.status, *sync.error});
    }
    std::vector<std::string> warnings = sync.warnings;
    if (sync.rows_skipped > 0) {
        warnings.push_back(fmt::format(
            "{} of the files of '{}' left out as unusable; get_data_issues says which and why",
            sync.rows_skipped == 1 ? "1 row" : mcp::count_text(sync.rows_skipped) + " rows",
            mcp::visible_text(sync.block_id)));
    }
    return trouble_text(errors, warnings);
}

std::string sync_trouble_text(const App::SyncAll& sync) {
    std::vector<std::string> warnings = warnings_of(sync);
    if (sync.blocks.rows_skipped > 0) {
        warnings.push_back(fmt::format(
            "{} of the files left out as unusable; get_data_issues says which and why",
            sync.blocks.rows_skipped == 1 ? "1 row"
                                          : mcp::count_text(sync.blocks.rows_skipped) + " rows"));
    }
    return trouble_text(errors_of(sync), warnings);
}

}  // namespace tb::tools
