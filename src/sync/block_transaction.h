// One transaction over a group of block jobs: everything of every block in it, or nothing.
//
// Order inside: count what was there, remove it, append the new rows, compare, then bookkeeping
// (trades._sync_files, _sync_issues, _sync_metadata, _sync_log), commit. Rows and the hash that
// vouches for them are therefore never apart.
//
// Single-thread, used once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/progress.h"
#include "db/connection.h"
#include "db/transaction.h"
#include "sync/block_job.h"

namespace tb::sync {

struct WriteEnvironment {
    FileSystem& fs;
    const Clock& clock;
    const CancelToken& cancel;
    std::function<void(std::string_view)> probe;  // may be empty
    std::int64_t max_trades = 0;                  // 0 = no limit; the in-memory stand-in has one
    std::int64_t trades_written = 0;              // by the transactions committed so far
    // Opens the database anew under the same connection (db::DataStore::reopen).
    std::function<Result<void>()> reopen;
    ProgressCallback progress;  // within a large file; may be empty
};

enum class WriteOutcome {
    kCommitted,
    kIncomplete,  // a streamed file turned out half-written; nothing was written
    kReadAgain,   // a streamed file has to be read another way (FileJob::reading); nothing was
                  // written
    kMoved,       // a streamed file is not the one that was hashed; nothing was written
    kTradeLogRejected,  // a streamed trade log turned out unusable; nothing was written
};

class BlockTransaction {
  public:
    // Jobs of kind kReplace, kReject or kDelete. Reports of streamed files are put into their jobs.
    BlockTransaction(db::Connection& connection, WriteEnvironment& environment,
                     std::span<BlockJob* const> jobs)
        : connection_(connection), env_(environment), jobs_(jobs) {}

    [[nodiscard]] Result<WriteOutcome> run();

    // After kCommitted: what happened to each file, by job, in the job's order of files and then
    // its removed ones.
    [[nodiscard]] std::vector<FileSyncReport> take_reports(const BlockJob& job) {
        return std::move(reports_[&job]);
    }

  private:
    using FileKey = std::pair<blocks::FileRole, std::string>;  // role, block id
    using RowHashes = std::map<FileKey, std::vector<std::uint64_t>>;

    [[nodiscard]] Result<void> collect_hashes(RowHashes& hashes);
    [[nodiscard]] Result<void> remove_old_rows();
    // Rows of these blocks; with a role, only those of that file.
    [[nodiscard]] Result<void> delete_rows(const std::string& table,
                                           const std::vector<std::string>& ids,
                                           std::optional<blocks::FileRole> role = std::nullopt);
    [[nodiscard]] Result<WriteOutcome> append_new_rows();
    template <class Record>
    [[nodiscard]] Result<WriteOutcome> append_role(blocks::FileRole role);
    template <class Record>
    [[nodiscard]] Result<WriteOutcome> append_file(db::Appender& appender, BlockJob& job,
                                                   FileJob& file);
    template <class Record>
    [[nodiscard]] Result<WriteOutcome> stream_file(db::Appender& appender, BlockJob& job,
                                                   FileJob& file);
    [[nodiscard]] Result<void> drop_rejected_streams();
    void make_reports();
    [[nodiscard]] bool changes_in_place(const BlockJob& job, blocks::FileRole role) const;
    // The files that get a row of _sync_files in this transaction, with their blocks.
    [[nodiscard]] std::vector<std::pair<const BlockJob*, const FileJob*>> recorded_files() const;
    [[nodiscard]] Result<void> write_files();
    [[nodiscard]] Result<void> write_issues();
    [[nodiscard]] Result<void> write_metadata();
    [[nodiscard]] Result<void> write_log();
    [[nodiscard]] Result<void> count_trades(std::size_t rows);
    void probe(std::string_view point) const;

    db::Connection& connection_;
    WriteEnvironment& env_;
    std::span<BlockJob* const> jobs_;
    db::Transaction* transaction_ = nullptr;
    RowHashes old_hashes_;
    RowHashes new_hashes_;
    std::vector<FileKey> rejected_streams_;
    std::map<const BlockJob*, std::vector<FileSyncReport>> reports_;
    std::int64_t trades_here_ = 0;
    std::chrono::steady_clock::time_point started_;
};

// Whether the content of this file is (to be) in its table.
[[nodiscard]] bool is_stored(const BlockJob& job, const FileJob& file);

// Roles whose old rows and bookkeeping this job takes away.
[[nodiscard]] std::vector<blocks::FileRole> roles_to_clear(const BlockJob& job);

}  // namespace tb::sync
