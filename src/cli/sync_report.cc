#include "cli/sync_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/table.h"

namespace tb::cli {

namespace {

using Json = nlohmann::ordered_json;
using sync::BlockSyncResult;
using sync::SyncStatus;

constexpr std::size_t kShownIssues = 5;

Style style_of(SyncStatus status) {
    switch (status) {
        case SyncStatus::kSynced:
            return Style::kGreen;
        case SyncStatus::kUnchanged:
        case SyncStatus::kDeleted:
            return Style::kPlain;
        case SyncStatus::kError:
            return Style::kRed;
        case SyncStatus::kIncomplete:
        case SyncStatus::kStale:
        case SyncStatus::kBusy:
            return Style::kYellow;
    }
    return Style::kPlain;
}

std::string joined(const std::vector<std::string>& parts) {
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string summary(const WholeSync& result) {
    std::vector<std::string> parts;
    const auto add = [&](std::int64_t count, std::string_view what) {
        if (count > 0) {
            parts.push_back(grouped(count) + " " + std::string(what));
        }
    };
    const sync::SyncResult& blocks = result.blocks;
    add(blocks.synced, "synced");
    add(blocks.unchanged, "unchanged");
    add(blocks.deleted, "removed");
    add(blocks.failed, "failed");
    add(blocks.deferred, "deferred");
    std::string text = counted(blocks.processed, "block");
    if (!parts.empty()) {
        text += ": " + joined(parts);
    }
    parts.clear();
    add(blocks.rows_inserted, "rows written");
    add(blocks.rows_skipped, "skipped");
    add(blocks.rows_repaired, "repaired");
    if (!parts.empty()) {
        text += " (" + joined(parts) + ")";
    }
    if (result.market.processed > 0) {
        parts.clear();
        add(result.market.synced, "synced");
        add(result.market.unchanged, "unchanged");
        add(result.market.failed, "failed");
        add(result.market.deferred, "deferred");
        text += "; " + counted(result.market.processed, "market file") + ": " + joined(parts);
    }
    return text + ", in " + duration_text(blocks.duration_ms + result.market.duration_ms);
}

bool needs_attention(const BlockSyncResult& block) {
    return block.status != SyncStatus::kUnchanged || !block.warnings.empty();
}

void print_reasons(Terminal& terminal, const BlockSyncResult& block) {
    Output& out = terminal.out();
    const auto line = [&](std::string_view text) {
        out.write(fmt::format("  {}: {}\n", printable(block.block_id), printable(text)));
    };
    if (block.error.has_value()) {
        line(block.error->to_string());
    }
    for (const std::string& warning : block.warnings) {
        line(warning);
    }
    for (const sync::FileSyncReport& file : block.files) {
        for (const std::string& note : file.notes) {
            line(file.file_name + ": " + note);
        }
        std::size_t shown = 0;
        for (const blocks::RowIssue& issue : file.first_issues) {
            if (shown++ == kShownIssues) {
                break;
            }
            line(fmt::format(
                "{} line {}{}{}: {} ({})", file.file_name, issue.line,
                issue.column.empty() ? "" : ", " + issue.column,
                issue.value.empty() ? "" : ", \"" + issue.value + "\"", issue.reason,
                issue.action == blocks::IssueAction::kSkipped ? "row skipped" : "repaired"));
        }
        if (file.issues_total > static_cast<std::int64_t>(shown)) {
            line(fmt::format("{}: {} more; see tradeblocks issues", file.file_name,
                             grouped(file.issues_total - static_cast<std::int64_t>(shown))));
        }
    }
}

void print_market(Terminal& terminal, const sync::MarketSyncResult& market) {
    for (const sync::MarketFileResult& file : market.files) {
        const auto line = [&](std::string_view text) {
            terminal.out().write(
                fmt::format("  _marketdata/{}: {}\n", printable(file.file_name), printable(text)));
        };
        if (file.status == SyncStatus::kSynced) {
            line(fmt::format("{} new, {} updated, {} kept, {} skipped{}",
                             grouped(file.rows_inserted), grouped(file.rows_updated),
                             grouped(file.rows_kept), grouped(file.rows_skipped),
                             file.max_date ? ", newest " + *file.max_date : ""));
        }
        if (file.error.has_value()) {
            line(fmt::format("{}: {}", sync::status_name(file.status), file.error->to_string()));
        }
        for (const std::string& warning : file.warnings) {
            line(warning);
        }
    }
    for (const std::string& warning : market.warnings) {
        terminal.out().write("  " + printable(warning) + "\n");
    }
}

Json error_json(const Error& error) {
    return Json{{"code", error_code_name(error.code)}, {"message", error.to_string()}};
}

Json issue_json(const blocks::RowIssue& issue) {
    return Json{{"line", issue.line},
                {"column", issue.column.empty() ? Json(nullptr) : Json(issue.column)},
                {"value", issue.value},
                {"reason", issue.reason},
                {"action", issue.action == blocks::IssueAction::kSkipped ? "skipped" : "repaired"}};
}

Json file_json(const sync::FileSyncReport& file) {
    Json json{{"role", blocks::role_name(file.role)},
              {"fileName", file.file_name},
              {"recognisedBy", file.recognised_by},
              {"dataRows", file.data_rows},
              {"rowsStored", file.rows_stored},
              {"rowsSkipped", file.rows_skipped},
              {"rowsRepaired", file.rows_repaired},
              {"rowsAdded", file.rows_added},
              {"rowsRemoved", file.rows_removed},
              {"rowsKept", file.rows_kept},
              {"issuesTotal", file.issues_total},
              {"firstIssues", Json::array()},
              {"notes", file.notes}};
    for (const blocks::RowIssue& issue : file.first_issues) {
        json["firstIssues"].push_back(issue_json(issue));
    }
    if (!file.rejection.empty()) {
        json["rejection"] = file.rejection;
    }
    return json;
}

Json block_json(const BlockSyncResult& block) {
    Json json{{"blockId", block.block_id},
              {"status", sync::status_name(block.status)},
              {"tradeCount", block.trade_count},
              {"rowsInserted", block.rows_inserted},
              {"rowsSkipped", block.rows_skipped},
              {"rowsRepaired", block.rows_repaired},
              {"files", Json::array()},
              {"warnings", block.warnings},
              {"durationMs", block.duration_ms}};
    for (const sync::FileSyncReport& file : block.files) {
        json["files"].push_back(file_json(file));
    }
    if (block.error.has_value()) {
        json["error"] = error_json(*block.error);
    }
    return json;
}

Json errors_json(const std::vector<sync::SyncErrorEntry>& errors, const char* name) {
    Json list = Json::array();
    for (const sync::SyncErrorEntry& entry : errors) {
        Json json{{name, entry.block_id}, {"status", sync::status_name(entry.status)}};
        json.update(error_json(entry.error));
        list.push_back(std::move(json));
    }
    return list;
}

Json market_json(const sync::MarketSyncResult& market) {
    Json json{{"filesProcessed", market.processed}, {"filesSynced", market.synced},
              {"filesUnchanged", market.unchanged}, {"filesFailed", market.failed},
              {"filesDeferred", market.deferred},   {"files", Json::array()}};
    for (const sync::MarketFileResult& file : market.files) {
        Json item{{"fileName", file.file_name},
                  {"status", sync::status_name(file.status)},
                  {"rowsInserted", file.rows_inserted},
                  {"rowsUpdated", file.rows_updated},
                  {"rowsKept", file.rows_kept},
                  {"rowsSkipped", file.rows_skipped},
                  {"maxDate", file.max_date ? Json(*file.max_date) : Json(nullptr)},
                  {"warnings", file.warnings}};
        if (file.error.has_value()) {
            item["error"] = error_json(*file.error);
        }
        json["files"].push_back(std::move(item));
    }
    json["warnings"] = market.warnings;
    json["errors"] = errors_json(market.errors, "fileName");
    return json;
}

}  // namespace

void print_sync_report(Terminal& terminal, const WholeSync& result, bool everything) {
    Output& out = terminal.out();
    out.write(terminal.paint(Style::kBold, summary(result)) + "\n");
    Table table({{"BLOCK", Align::kLeft, 16},
                 {"STATUS"},
                 {"TRADES", Align::kRight},
                 {"ROWS WRITTEN", Align::kRight},
                 {"SKIPPED", Align::kRight},
                 {"REPAIRED", Align::kRight}});
    for (const BlockSyncResult& block : result.blocks.blocks) {
        if (everything || needs_attention(block)) {
            table.add({block.block_id, std::string(sync::status_name(block.status)),
                       grouped(block.trade_count), grouped(block.rows_inserted),
                       grouped(block.rows_skipped), grouped(block.rows_repaired)},
                      style_of(block.status));
        }
    }
    if (!table.empty()) {
        out.write("\n");
        table.print(terminal);
        out.write("\n");
    }
    for (const BlockSyncResult& block : result.blocks.blocks) {
        print_reasons(terminal, block);
    }
    print_market(terminal, result.market);
    for (const std::string& warning : result.blocks.warnings) {
        out.write("  " + printable(warning) + "\n");
    }
}

std::string sync_report_json(const WholeSync& result, bool pretty) {
    const sync::SyncResult& sync = result.blocks;
    Json json{{"blocksProcessed", sync.processed},
              {"blocksSynced", sync.synced},
              {"blocksUnchanged", sync.unchanged},
              {"blocksDeleted", sync.deleted},
              {"blocksFailed", sync.failed},
              {"blocksDeferred", sync.deferred},
              {"rowsInserted", sync.rows_inserted},
              {"rowsSkipped", sync.rows_skipped},
              {"rowsRepaired", sync.rows_repaired},
              {"durationMs", sync.duration_ms + result.market.duration_ms},
              {"blocks", Json::array()}};
    for (const BlockSyncResult& block : sync.blocks) {
        json["blocks"].push_back(block_json(block));
    }
    json["market"] = market_json(result.market);
    json["warnings"] = sync.warnings;
    json["errors"] = errors_json(sync.errors, "blockId");
    // Folder names may be any bytes; JSON may not.
    return json.dump(pretty ? 2 : -1, ' ', false, Json::error_handler_t::replace) + "\n";
}

WholeSync as_whole_sync(BlockSyncResult block) {
    WholeSync whole;
    sync::SyncResult& sync = whole.blocks;
    sync.processed = 1;
    switch (block.status) {
        case SyncStatus::kSynced:
            sync.synced = 1;
            break;
        case SyncStatus::kUnchanged:
            sync.unchanged = 1;
            break;
        case SyncStatus::kDeleted:
            sync.deleted = 1;
            break;
        case SyncStatus::kError:
            sync.failed = 1;
            break;
        case SyncStatus::kIncomplete:
        case SyncStatus::kStale:
        case SyncStatus::kBusy:
            sync.deferred = 1;
            break;
    }
    sync.rows_inserted = block.rows_inserted;
    sync.rows_skipped = block.rows_skipped;
    sync.rows_repaired = block.rows_repaired;
    sync.duration_ms = block.duration_ms;
    if (block.error.has_value()) {
        sync.errors.push_back({block.block_id, block.status, *block.error});
    }
    sync.blocks.push_back(std::move(block));
    return whole;
}

}  // namespace tb::cli
