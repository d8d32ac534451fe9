// What the database remembers of its syncs, page by page: the log of changes and the issues found
// in the files. For tools and commands alike; nothing here syncs.
//
// Thread-compatible: the connection's rule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "db/connection.h"

namespace tb::tools {

// ---- trades._sync_log: one entry per change of a file, never removed ----

struct SyncLogEntry {
    std::int64_t id = 0;  // grows with every entry
    Timestamp changed_at;
    std::string block_id;  // "_marketdata" for market files
    std::string event;     // added, changed, removed, rejected
    std::optional<std::string> role;
    std::optional<std::string> file_name;
    std::optional<std::string> old_hash;
    std::optional<std::string> new_hash;
    std::optional<std::int64_t> rows_added;
    std::optional<std::int64_t> rows_removed;
    std::optional<std::int64_t> rows_kept;
    std::optional<std::int64_t> rows_skipped;
    std::optional<std::int64_t> rows_repaired;
    std::optional<double> duration_ms;
    std::optional<std::string> message;
};

struct SyncLogFilter {
    std::string block_id{};  // empty = all
    std::string event{};     // empty = all
    std::optional<Timestamp> since{};
    // Only entries older than this one: entries that come later do not move the pages.
    std::optional<std::int64_t> before_id{};
    std::int64_t limit = 50;
};

struct SyncLogPage {
    std::vector<SyncLogEntry> entries;  // newest first
    std::int64_t total = 0;             // that match, without before_id and limit
    std::int64_t left = 0;              // of these, older than the last one of the page
};

[[nodiscard]] Result<SyncLogPage> read_sync_log(db::Connection& connection,
                                                const SyncLogFilter& filter);

// ---- trades._sync_issues: skipped rows and repaired cells of the files as they are stored ----

struct DataIssue {
    std::string block_id;
    std::string role;
    std::string file_name;
    std::int64_t line = 0;              // header = 1
    std::optional<std::string> column;  // empty = the whole row
    std::optional<std::string> value;   // as written
    std::string reason;
    std::string action;  // skipped, repaired
};

struct DataIssueFilter {
    std::string block_id{};  // empty = all
    std::string role{};      // tradelog, dailylog, reportinglog, market; empty = all
    std::string action{};    // skipped, repaired; empty = both
    std::int64_t offset = 0;
    std::int64_t limit = 200;
};

struct RejectedFile {
    std::string block_id;
    std::string file_name;
    std::string reason;
};

struct DataIssuePage {
    std::vector<DataIssue> issues;       // by block, file, line, column
    std::int64_t total = 0;              // stored ones that match, without offset and limit
    std::int64_t found = 0;              // by block and role, with those beyond 1,000 of a file
    std::int64_t rows_skipped = 0;       // of the files of block and role
    std::int64_t rows_repaired = 0;      // of the files of block and role
    std::vector<RejectedFile> rejected;  // files that are not stored at all
};

[[nodiscard]] Result<DataIssuePage> read_data_issues(db::Connection& connection,
                                                     const DataIssueFilter& filter);

// ---- names ----

// Every block (and "_marketdata") that has left a trace: stored now, or in the log. Byte order.
[[nodiscard]] Result<std::vector<std::string>> remembered_block_ids(db::Connection& connection);

// kNotFound with the nearest names for a block that has left none; fine for an empty id.
[[nodiscard]] Result<void> check_remembered(db::Connection& connection, std::string_view block_id);

}  // namespace tb::tools
