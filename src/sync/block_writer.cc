#include "sync/block_writer.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "db/database.h"
#include "db/row_sums.h"

namespace tb::sync {

namespace {

constexpr std::int64_t kGroupRows = 50'000;  // 08 §3: commits of this size cost least a row
constexpr std::size_t kGroupBlocks = 512;
// A block that was stored before is replaced in a transaction of its own. Each costs one pass over
// the table for its old rows, so when more blocks than this changed at once they share passes.
constexpr std::int64_t kKnownBlocksAlone = 8;
constexpr int kMovedTries = 3;

std::int64_t rows_of(const BlockJob& job) {
    std::int64_t rows = 0;
    for (const FileJob& file : job.files) {
        rows += file.changed ? file.report.rows_stored : 0;
    }
    return rows;
}

double elapsed_ms(std::chrono::steady_clock::time_point since) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since)
        .count();
}

void add_stored_warnings(const BlockJob& job, BlockSyncResult& result) {
    for (const FileJob& file : job.files) {
        const auto before = job.stored.files.find(file.file.role);
        const bool rejected_before = !file.changed && before != job.stored.files.end() &&
                                     !before->second.report.rejection.empty() &&
                                     file.file.role != blocks::FileRole::kTradeLog;
        if (rejected_before) {
            result.warnings.push_back(fmt::format("{} is not in the database: {}",
                                                  file.file.file_name,
                                                  before->second.report.rejection));
        }
    }
}

}  // namespace

BlockSyncResult result_without_writing(const BlockJob& job) {
    BlockSyncResult result;
    result.block_id = job.block_id;
    result.trade_count = job.stored.trade_count();
    result.rows_skipped = job.stored.rows_skipped();
    result.rows_repaired = job.stored.rows_repaired();
    result.warnings = job.warnings;
    result.duration_ms = job.inspect_ms;
    result.error = job.error;
    if (job.kind == JobKind::kKnownReject) {
        result.status = SyncStatus::kError;
    } else if (job.kind == JobKind::kDefer) {
        result.status = job.deferred_as;
    }
    add_stored_warnings(job, result);
    return result;
}

Result<void> BlockWriter::add(BlockJob job) {
    if (job.kind == JobKind::kNotABlock) {
        return {};
    }
    remember_stamps(job);
    results_.push_back(result_without_writing(job));
    Pending item{std::move(job), results_.size() - 1};
    switch (item.job.kind) {
        case JobKind::kNotABlock:
        case JobKind::kUnchanged:
        case JobKind::kKnownReject:
        case JobKind::kDefer:
            return {};
        case JobKind::kReplace:
        case JobKind::kReject:
        case JobKind::kDelete:
            break;
    }
    if (goes_alone(item.job)) {
        TB_RETURN_IF_ERROR(flush());
        return write_alone(item);
    }
    group_rows_ += rows_of(item.job);
    group_.push_back(std::move(item));
    if (group_rows_ >= kGroupRows || group_.size() >= kGroupBlocks) {
        return flush();
    }
    return {};
}

bool BlockWriter::goes_alone(const BlockJob& job) {
    const bool streams = std::any_of(job.files.begin(), job.files.end(),
                                     [](const FileJob& f) { return f.changed && f.streamed; });
    if (streams || rows_of(job) >= kGroupRows) {
        return true;
    }
    const bool known = !job.stored.files.empty() || job.stored.metadata.has_value();
    return known && known_blocks_written_++ < kKnownBlocksAlone;
}

bool BlockWriter::is_fatal(const Error& error) const {
    return unusable_ || error.code == ErrorCode::kInterrupted || db::is_damage(error);
}

// A COMMIT that failed (disk full) takes its blocks down, not the ones after them.
Result<void> BlockWriter::make_usable() {
    if (!connection_.must_reopen()) {
        return {};
    }
    if (gave_up_) {
        return make_error(ErrorCode::kBusy, "the database could not be opened anew");
    }
    auto reopened = env_.reopen();
    // Readers that do not go: what they read is in order, it is only writing that has to wait.
    gave_up_ = !reopened.has_value() && reopened.error().code == ErrorCode::kBusy;
    unusable_ = !reopened.has_value() && !gave_up_;
    return reopened;
}

Result<void> BlockWriter::flush() {
    if (group_.empty()) {
        return {};
    }
    std::vector<Pending> group = std::move(group_);
    group_.clear();
    group_rows_ = 0;
    std::vector<Pending*> items;
    for (Pending& item : group) {
        items.push_back(&item);
    }
    const auto outcome = write(items);
    if (outcome.has_value()) {
        return {};
    }
    if (is_fatal(outcome.error())) {
        return tl::unexpected<Error>(outcome.error());
    }
    // Something in the group cannot be written: block by block, so that it harms only itself.
    for (Pending& item : group) {
        TB_RETURN_IF_ERROR(write_alone(item));
    }
    return {};
}

Result<WriteOutcome> BlockWriter::write(const std::vector<Pending*>& items) {
    TB_RETURN_IF_ERROR(make_usable());
    const auto started = std::chrono::steady_clock::now();
    std::vector<BlockJob*> jobs;
    for (Pending* item : items) {
        jobs.push_back(&item->job);
    }
    BlockTransaction transaction(connection_, env_, jobs);
    TB_TRY(const WriteOutcome outcome, transaction.run());
    if (outcome != WriteOutcome::kCommitted) {
        return outcome;
    }
    wrote_ = true;
    for (Pending* item : items) {
        written_ids_.push_back(item->job.block_id);
        note_committed(*item, transaction.take_reports(item->job));
        results_[item->result_index].duration_ms +=
            elapsed_ms(started) / static_cast<double>(items.size());
    }
    return outcome;
}

Result<void> BlockWriter::write_alone(Pending& item) {
    for (int attempt = 1;; ++attempt) {
        const auto outcome = write({&item});
        if (!outcome.has_value()) {
            if (is_fatal(outcome.error()) ||
                (env_.max_trades > 0 && outcome.error().code == ErrorCode::kResourceExhausted)) {
                return tl::unexpected<Error>(outcome.error());
            }
            note_deferred(item, SyncStatus::kStale, outcome.error());
            return {};
        }
        switch (*outcome) {
            case WriteOutcome::kCommitted:
                return {};
            case WriteOutcome::kIncomplete: {
                const auto file = std::find_if(
                    item.job.files.begin(), item.job.files.end(), [](const FileJob& f) {
                        return f.report.outcome == blocks::IngestOutcome::kIncomplete;
                    });
                note_deferred(
                    item, SyncStatus::kIncomplete,
                    Error{ErrorCode::kBusy, file->report.rejection, file->file.file_name});
                return {};
            }
            case WriteOutcome::kTradeLogRejected:
                item.job.kind = JobKind::kReject;
                item.job.error = Error{ErrorCode::kParse, item.job.files.front().report.rejection,
                                       item.job.files.front().file.file_name};
                break;
            case WriteOutcome::kReadAgain:
                break;
            case WriteOutcome::kMoved: {
                if (attempt >= kMovedTries) {
                    note_deferred(item, SyncStatus::kBusy,
                                  Error{ErrorCode::kBusy,
                                        "the file kept changing while it was being read; it will "
                                        "be read again at the next sync",
                                        item.job.block_id});
                    return {};
                }
                TB_TRY(item.job, inspect_again_(item.job));
                if (item.job.kind != JobKind::kReplace && item.job.kind != JobKind::kReject &&
                    item.job.kind != JobKind::kDelete) {
                    results_[item.result_index] = result_without_writing(item.job);
                    return {};
                }
                break;
            }
        }
    }
}

void BlockWriter::note_committed(Pending& item, std::vector<FileSyncReport> reports) {
    BlockSyncResult& result = results_[item.result_index];
    result.error = item.job.error;
    result.warnings = item.job.warnings;
    add_stored_warnings(item.job, result);
    result.rows_inserted = 0;
    result.rows_skipped = 0;
    result.rows_repaired = 0;
    switch (item.job.kind) {
        case JobKind::kDelete:
            result.status = SyncStatus::kDeleted;
            result.trade_count = 0;
            break;
        case JobKind::kReject:
            result.status = SyncStatus::kError;
            result.trade_count = 0;
            break;
        default:
            result.status = SyncStatus::kSynced;
            break;
    }
    for (const FileSyncReport& report : reports) {
        const bool trade_log = report.role == blocks::FileRole::kTradeLog;
        if (trade_log && result.status == SyncStatus::kSynced) {
            result.trade_count = report.rows_stored;
        }
        result.rows_inserted += report.rows_stored;
        if (!report.rejection.empty() && !trade_log) {
            result.warnings.push_back(
                fmt::format("{} is not in the database: {}", report.file_name, report.rejection));
        }
        result.rows_skipped += report.rows_skipped;
        result.rows_repaired += report.rows_repaired;
    }
    // Files of the block that did not change keep counting.
    for (const FileJob& file : item.job.files) {
        const auto before = item.job.stored.files.find(file.file.role);
        if (!file.changed && before != item.job.stored.files.end() &&
            result.status == SyncStatus::kSynced) {
            result.rows_skipped += before->second.report.rows_skipped;
            result.rows_repaired += before->second.report.rows_repaired;
        }
    }
    result.files = std::move(reports);
}

void BlockWriter::note_deferred(Pending& item, SyncStatus status, Error error) {
    BlockSyncResult& result = results_[item.result_index];
    result = result_without_writing(item.job);
    result.status = status;
    result.error = std::move(error);
}

// An unchanged file whose stored stamps could not prove it: once they can, store them, so that the
// next sync need not read the file.
void BlockWriter::remember_stamps(const BlockJob& job) {
    for (const FileJob& file : job.files) {
        const auto before = job.stored.files.find(file.file.role);
        if (file.changed || before == job.stored.files.end() ||
            stat_proves_unchanged(before->second.stat, before->second.looked_at, file.stat)) {
            continue;
        }
        if (stat_proves_unchanged(file.stat, file.looked_at, file.stat)) {
            stamps_.push_back({job.block_id, file.file.role, file.stat, file.looked_at});
        }
    }
}

Result<void> BlockWriter::write_stamps() {
    if (stamps_.empty()) {
        return {};
    }
    TB_TRY(db::Transaction transaction, db::Transaction::begin(connection_));
    TB_TRY(db::Statement update,
           connection_.prepare("UPDATE trades._sync_files SET size = $1, mtime_ns = $2, ctime_ns = "
                               "$3, inode = $4, device = $5, stat_checked_at = $6 "
                               "WHERE block_id = $7 AND role = $8"));
    for (const Stamp& stamp : stamps_) {
        TB_RETURN_IF_ERROR(
            update.bind_all(static_cast<std::int64_t>(stamp.stat.size), stamp.stat.mtime_ns,
                            stamp.stat.ctime_ns, static_cast<std::int64_t>(stamp.stat.inode),
                            static_cast<std::int64_t>(stamp.stat.device), stamp.looked_at,
                            stamp.block_id, blocks::role_name(stamp.role)));
        TB_TRY([[maybe_unused]] const std::int64_t count, update.run());
    }
    stamps_.clear();
    return transaction.commit();
}

Result<void> BlockWriter::finish() {
    TB_RETURN_IF_ERROR(flush());
    if (const auto usable = make_usable(); !usable.has_value()) {
        return gave_up_ ? Result<void>() : usable;  // each block says so
    }
    if (!written_ids_.empty()) {
        // Without them a look through the file proves less: no reason to fail on a full disk.
        const auto summed = db::complete_block_sums(connection_, written_ids_);
        if (!summed.has_value() && is_fatal(summed.error())) {
            return summed;
        }
        TB_RETURN_IF_ERROR(make_usable());
    }
    // Without them the next sync reads the files once more: no reason to fail on a full disk.
    const auto stamped = write_stamps();
    return stamped.has_value() || !is_fatal(stamped.error()) ? Result<void>() : stamped;
}

}  // namespace tb::sync
