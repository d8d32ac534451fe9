// The sync layer: makes the database say exactly what the CSV files of a data directory say.
//
// A block is a folder; its trade, daily and reporting logs are the truth, the tables a cache of
// them. Content hashes (SHA-256 of the file's bytes) decide what changed; each block is replaced in
// one transaction together with its metadata, so that a stored hash equal to the file's hash always
// means that exactly those rows are in the tables. Opening a database never syncs; every call here
// does its whole job and returns what it did. The design and what can go wrong: docs/sync.md.
//
// Calls on one data directory are serialised inside; calls from several threads are safe.
// Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blocks/records.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "core/file_system.h"
#include "core/progress.h"
#include "core/result.h"
#include "db/data_store.h"
#include "sync/not_read.h"

namespace tb::sync {

enum class SyncStatus {
    kSynced,      // new or changed, now stored
    kUnchanged,   // stored rows already match the files
    kDeleted,     // folder or trade log gone: rows removed
    kError,       // structural failure: rows removed, reason given
    kIncomplete,  // a file is half-written: what was stored before stays
    kStale,       // the operating system failed us: what was stored before stays
    kBusy,        // a file kept changing while being read: what was stored before stays
};

// "synced", "unchanged", ... as in every answer.
[[nodiscard]] std::string_view status_name(SyncStatus status);

// What one file of a block brought.
struct FileSyncReport {
    blocks::FileRole role = blocks::FileRole::kTradeLog;
    std::string file_name;
    std::string recognised_by;
    std::int64_t data_rows = 0;  // == rows_stored + rows_skipped
    std::int64_t rows_stored = 0;
    std::int64_t rows_skipped = 0;
    std::int64_t rows_repaired = 0;
    std::int64_t rows_added = 0;  // against what was stored before, as multisets
    std::int64_t rows_removed = 0;
    std::int64_t rows_kept = 0;
    std::int64_t issues_total = 0;
    std::vector<blocks::RowIssue> first_issues;  // at most kReportedIssues
    std::vector<std::string> notes;
    std::string rejection;  // why this file is not in the database, empty if it is
};
inline constexpr std::size_t kReportedIssues = 5;

struct BlockSyncResult {
    std::string block_id;
    SyncStatus status = SyncStatus::kUnchanged;
    std::int64_t trade_count = 0;    // rows now stored in trades.trade_data
    std::int64_t rows_inserted = 0;  // over all files, in this call
    std::int64_t rows_skipped = 0;   // of the files as they are now
    std::int64_t rows_repaired = 0;
    std::vector<FileSyncReport> files;  // empty when unchanged
    std::vector<std::string> warnings;
    std::optional<Error> error;  // for kError and the three deferred statuses
    double duration_ms = 0;
};

struct SyncErrorEntry {
    std::string block_id;  // or file name, for market data
    SyncStatus status = SyncStatus::kError;
    Error error;
};

struct SyncResult {
    std::int64_t processed = 0;  // all eligible + deleted
    std::int64_t synced = 0;
    std::int64_t unchanged = 0;
    std::int64_t deleted = 0;
    std::int64_t failed = 0;    // kError
    std::int64_t deferred = 0;  // kIncomplete + kStale + kBusy
    std::int64_t rows_inserted = 0;
    std::int64_t rows_skipped = 0;
    std::int64_t rows_repaired = 0;
    std::vector<BlockSyncResult> blocks;  // byte order of ids
    std::vector<std::string> warnings;    // about the directory or the database
    std::vector<NotRead> not_read;        // all of them; `warnings` has the first
    std::vector<SyncErrorEntry> errors;
    double duration_ms = 0;
};

struct MarketFileResult {
    std::string file_name;
    SyncStatus status = SyncStatus::kUnchanged;
    std::int64_t rows_inserted = 0;
    std::int64_t rows_updated = 0;
    std::int64_t rows_kept = 0;
    std::int64_t rows_skipped = 0;   // of the file as it is now
    std::int64_t rows_repaired = 0;  // likewise
    std::optional<std::string> max_date;
    std::vector<std::string> warnings;
    std::optional<Error> error;
    double duration_ms = 0;
};

struct MarketSyncResult {
    std::int64_t processed = 0;
    std::int64_t synced = 0;
    std::int64_t unchanged = 0;
    std::int64_t failed = 0;
    std::int64_t deferred = 0;
    std::int64_t rows_inserted = 0;
    std::int64_t rows_updated = 0;
    std::int64_t rows_skipped = 0;
    std::int64_t rows_repaired = 0;
    std::vector<MarketFileResult> files;
    std::vector<std::string> warnings;
    std::vector<NotRead> not_read;  // below _marketdata; `warnings` has the first
    std::vector<SyncErrorEntry> errors;
    double duration_ms = 0;
};

struct SyncOptions {
    bool verify = false;  // hash every file, whatever its size and times say
    CancelToken cancel;   // between blocks and batches; finished blocks stay, the rest is untouched
    ProgressCallback progress;
    FileSystem* file_system = nullptr;  // default: the real one
    const Clock* clock = nullptr;       // default: the system's
    // Testing: called at named points inside transactions.
    std::function<void(std::string_view point)> probe;
};

// Lower-case hex SHA-256 of a file's bytes.
[[nodiscard]] Result<std::string> hash_file_content(const std::filesystem::path& path);

// Brings every block of the directory up to date. One bad block never stops the others: look at
// `errors`. An Error only when nothing could be done (no such directory, database locked,
// cancelled).
[[nodiscard]] Result<SyncResult> sync_all_blocks(const std::filesystem::path& data_dir,
                                                 const SyncOptions& options = {});
// One block by id. kNotFound when neither a folder nor stored rows of that name exist;
// kInvalidArgument for names that cannot be a block.
[[nodiscard]] Result<BlockSyncResult> sync_block(std::string_view block_id,
                                                 const std::filesystem::path& data_dir,
                                                 const SyncOptions& options = {});
// The files below `_marketdata`. Missing files are no error; stored history is never removed.
[[nodiscard]] Result<MarketSyncResult> sync_market_data(const std::filesystem::path& data_dir,
                                                        const SyncOptions& options = {});

// The same on a store the caller holds (a server, or the in-memory stand-in of a locked one).
[[nodiscard]] Result<SyncResult> sync_all_blocks(db::DataStore& store, const SyncOptions& options);
[[nodiscard]] Result<BlockSyncResult> sync_block(std::string_view block_id, db::DataStore& store,
                                                 const SyncOptions& options);
[[nodiscard]] Result<MarketSyncResult> sync_market_data(db::DataStore& store,
                                                        const SyncOptions& options);

}  // namespace tb::sync
