#include <algorithm>

#include "cli/commands.h"
#include "cli/record_output.h"
#include "cli/store_access.h"
#include "tools/data/sync_records.h"

namespace tb::cli {

namespace {

constexpr std::int64_t kDefaultLimit = 50;

std::string short_hash(const std::optional<std::string>& hash) {
    return hash ? hash->substr(0, 12) : std::string("-");
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    const std::string directory = invocation.text("DIR");
    TB_TRY(const auto store, store_of(directory));
    if (!has_database(directory)) {
        return make_error(ErrorCode::kNotFound,
                          "nothing was synced here yet: run tradeblocks sync first", directory);
    }
    // The log lives only in the file: a stand-in would show an empty past.
    TB_RETURN_IF_ERROR(open_for_writing(*store, session));
    TB_TRY(auto connection, store->reader());
    connection.cancel_with(session.cancel);
    tools::SyncLogFilter filter;
    filter.block_id = invocation.text("BLOCK");
    filter.limit = invocation.number("--limit").value_or(kDefaultLimit);
    TB_RETURN_IF_ERROR(tools::check_remembered(connection, filter.block_id));
    TB_TRY(tools::SyncLogPage page, tools::read_sync_log(connection, filter));
    std::reverse(page.entries.begin(), page.entries.end());  // as it happened
    RecordOutput records({{"changedAt", "WHEN (UTC)", Align::kLeft, 19},
                          {"blockId", "BLOCK", Align::kLeft, 10},
                          {"event", "EVENT"},
                          {"role", "", Align::kLeft},
                          {"fileName", "FILE", Align::kLeft, 12},
                          {"oldHash", "", Align::kLeft},
                          {"newHash", "", Align::kLeft},
                          {"", "CONTENT", Align::kLeft, 27, true},
                          {"rowsAdded", "ADDED", Align::kRight},
                          {"rowsRemoved", "REMOVED", Align::kRight},
                          {"rowsKept", "KEPT", Align::kRight, 8, true},
                          {"rowsSkipped", "SKIPPED", Align::kRight},
                          {"rowsRepaired", "REPAIRED", Align::kRight, 8, true},
                          {"durationMs", "MS", Align::kRight, 8, true},
                          {"message", "MESSAGE", Align::kLeft, 10}});
    const bool as_json = invocation.has("--json");
    for (const tools::SyncLogEntry& entry : page.entries) {
        std::string when = entry.changed_at.to_rfc3339();
        if (!as_json) {
            when = when.substr(0, 10) + " " + when.substr(11, 8);
        }
        records.add({when, entry.block_id, entry.event, text_or_null(entry.role),
                     text_or_null(entry.file_name), text_or_null(entry.old_hash),
                     text_or_null(entry.new_hash),
                     short_hash(entry.old_hash) + " > " + short_hash(entry.new_hash),
                     number_or_null(entry.rows_added), number_or_null(entry.rows_removed),
                     number_or_null(entry.rows_kept), number_or_null(entry.rows_skipped),
                     number_or_null(entry.rows_repaired),
                     entry.duration_ms ? RecordValue(*entry.duration_ms) : RecordValue(),
                     text_or_null(entry.message)});
    }
    if (as_json || records.size() > 0) {
        records.print(session.terminal, as_json);
    } else {
        session.terminal.out().write("no changes\n");
    }
    return ExitCode::kDone;
}

}  // namespace

Command history_command() {
    return {
        .name = "history",
        .summary = "show what changed when, from the log of all syncs",
        .description =
            "Every sync that changed something leaves one line per file: when, which content "
            "was replaced by which (the beginning of the SHA-256 hash), and how many rows came, "
            "went and stayed. The oldest of the lines shown comes first.",
        .arguments = {{"DIR", ValueKind::kDirectory, "the data directory"},
                      {"BLOCK", ValueKind::kBlock, "only this block (its folder name)", false}},
        .options = {{"--limit", ValueKind::kNumber, "N", "how many of the latest lines", {}, "50"},
                    {"--json", ValueKind::kFlag, "", "as JSON, hashes in full", {}, ""}},
        .examples = {{"history ~/Trades", "the latest changes"},
                     {"history ~/Trades MEIC --limit 5", "the latest changes of one block"}},
        .run = run,
        .relay = Relay::kRepeat};
}

}  // namespace tb::cli
