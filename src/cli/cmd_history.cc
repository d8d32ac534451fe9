#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/record_output.h"
#include "cli/store_access.h"

namespace tb::cli {

namespace {

constexpr std::int64_t kDefaultLimit = 50;

std::string short_hash(const std::optional<std::string>& hash) {
    return hash ? hash->substr(0, 12) : std::string("-");
}

// A block that has left no trace is most likely a misspelt name.
Result<void> check_known(db::Connection& connection, const std::string& block) {
    TB_TRY(auto rows, connection.query("SELECT count(*) FROM trades._sync_log WHERE block_id = $1",
                                       std::string_view(block)));
    TB_TRY([[maybe_unused]] const bool more, rows.next());
    if (rows.get<std::int64_t>(0) > 0) {
        return {};
    }
    return make_error(
        ErrorCode::kNotFound,
        "no change of this block is recorded; tradeblocks status DIR lists the blocks", block);
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
    const std::string block = invocation.text("BLOCK");
    if (!block.empty()) {
        TB_RETURN_IF_ERROR(check_known(connection, block));
    }
    TB_TRY(auto rows,
           connection.query(
               "SELECT * FROM (SELECT rowid AS id, changed_at, block_id, event, role, file_name, "
               "old_hash, new_hash, rows_added, rows_removed, rows_kept, rows_skipped, "
               "rows_repaired, duration_ms, message FROM trades._sync_log "
               "WHERE $1 = '' OR block_id = $1 ORDER BY rowid DESC LIMIT $2) ORDER BY id",
               std::string_view(block), invocation.number("--limit").value_or(kDefaultLimit)));
    RecordOutput records({{"changedAt", "WHEN (UTC)", Align::kLeft, 19},
                          {"blockId", "BLOCK", Align::kLeft, 12},
                          {"event", "EVENT"},
                          {"role", "", Align::kLeft},
                          {"fileName", "FILE", Align::kLeft, 12},
                          {"oldHash", "", Align::kLeft},
                          {"newHash", "", Align::kLeft},
                          {"", "CONTENT", Align::kLeft, 27},
                          {"rowsAdded", "ADDED", Align::kRight},
                          {"rowsRemoved", "REMOVED", Align::kRight},
                          {"rowsKept", "KEPT", Align::kRight},
                          {"rowsSkipped", "SKIPPED", Align::kRight},
                          {"rowsRepaired", "REPAIRED", Align::kRight},
                          {"durationMs", "MS", Align::kRight},
                          {"message", "MESSAGE", Align::kLeft, 10}});
    const bool as_json = invocation.has("--json");
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            break;
        }
        const auto text = [&](std::size_t column) {
            return rows.get_optional<std::string>(column);
        };
        const auto number = [&](std::size_t column) {
            return number_or_null(rows.get_optional<std::int64_t>(column));
        };
        std::string when = rows.get<Timestamp>(1).to_rfc3339();
        if (!as_json) {
            when = when.substr(0, 10) + " " + when.substr(11, 8);
        }
        const auto duration = rows.get_optional<double>(13);
        records.add({when, rows.get<std::string>(2), rows.get<std::string>(3),
                     text_or_null(text(4)), text_or_null(text(5)), text_or_null(text(6)),
                     text_or_null(text(7)), short_hash(text(6)) + " > " + short_hash(text(7)),
                     number(8), number(9), number(10), number(11), number(12),
                     duration ? RecordValue(*duration) : RecordValue(), text_or_null(text(14))});
    }
    records.print(session.terminal, as_json);
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
                      {"BLOCK", ValueKind::kText, "only this block (its folder name)", false}},
        .options = {{"--limit", ValueKind::kNumber, "N", "how many of the latest lines", {}, "50"},
                    {"--json", ValueKind::kFlag, "", "as JSON, hashes in full", {}, ""}},
        .examples = {{"history ~/Trades", "the latest changes"},
                     {"history ~/Trades MEIC --limit 5", "the latest changes of one block"}},
        .run = run,
        .relay = Relay::kRepeat};
}

}  // namespace tb::cli
