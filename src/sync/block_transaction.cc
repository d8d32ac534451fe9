#include "sync/block_transaction.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/check.h"
#include "sync/file_progress.h"
#include "sync/file_stream.h"
#include "sync/record_rows.h"
#include "sync/table_rows.h"

namespace tb::sync {

namespace {

using blocks::FileRole;

std::string_view table_of(FileRole role) {
    switch (role) {
        case FileRole::kTradeLog:
            return "trade_data";
        case FileRole::kDailyLog:
            return "daily_data";
        case FileRole::kReportingLog:
            break;
    }
    return "reporting_data";
}

// "$1, $2, ... $n"
std::string placeholders(std::size_t count, std::size_t first = 1) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += fmt::format("{}${}", i == 0 ? "" : ", ", first + i);
    }
    return text;
}

Result<void> bind_ids(db::Statement& statement, const std::vector<std::string>& ids) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
        TB_RETURN_IF_ERROR(statement.bind(i + 1, ids[i]));
    }
    return {};
}

// Every column that makes two rows of a table the same trade: all but the block and the position in
// the file.
std::string content_columns(FileRole role) {
    std::string text;
    for (const db::ColumnSpec& column : db::table_spec("trades", table_of(role)).columns) {
        if (column.name != "block_id" && column.name != "source_line") {
            text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", column.name);
        }
    }
    return text;
}

// Size of the intersection of two multisets.
std::int64_t rows_in_both(std::vector<std::uint64_t>& a, std::vector<std::uint64_t>& b) {
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    std::int64_t common = 0;
    auto left = a.begin();
    auto right = b.begin();
    while (left != a.end() && right != b.end()) {
        if (*left < *right) {
            ++left;
        } else if (*right < *left) {
            ++right;
        } else {
            ++common;
            ++left;
            ++right;
        }
    }
    return common;
}

const StoredFile* stored_file(const BlockJob& job, FileRole role) {
    const auto found = job.stored.files.find(role);
    return found == job.stored.files.end() ? nullptr : &found->second;
}

FileSyncReport report_of(const FileJob& file) {
    FileSyncReport report;
    report.role = file.file.role;
    report.file_name = file.file.file_name;
    report.recognised_by = file.file.recognised_by;
    report.data_rows = file.report.data_rows;
    report.rows_stored = file.report.rows_stored;
    report.rows_skipped = file.report.rows_skipped;
    report.rows_repaired = file.report.rows_repaired;
    report.issues_total = file.report.issues_total;
    const std::size_t shown = std::min(kReportedIssues, file.report.issues.size());
    report.first_issues.assign(file.report.issues.begin(),
                               file.report.issues.begin() + static_cast<std::ptrdiff_t>(shown));
    report.notes = file.report.notes;
    if (file.report.outcome == blocks::IngestOutcome::kRejected) {
        report.rejection = file.report.rejection;
        report.rows_stored = 0;
    }
    return report;
}

// Whether a row of _sync_files tells of this file now. A rejected block keeps the record of its
// trade log only: that is what was rejected.
bool is_recorded(const BlockJob& job, const FileJob& file) {
    return file.changed && job.kind != JobKind::kDelete &&
           (job.kind == JobKind::kReplace || file.file.role == FileRole::kTradeLog);
}

template <class Row>
void fill_file_row(Row& row, const BlockJob& job, const FileJob& file) {
    const FileSyncReport report = report_of(file);
    row.text("block_id", job.block_id);
    row.text("role", blocks::role_name(file.file.role));
    row.text("file_name", file.file.file_name);
    row.integer("size", static_cast<std::int64_t>(file.stat.size));
    row.integer("mtime_ns", file.stat.mtime_ns);
    row.integer("ctime_ns", file.stat.ctime_ns);
    row.integer("inode", static_cast<std::int64_t>(file.stat.inode));
    row.integer("device", static_cast<std::int64_t>(file.stat.device));
    row.text("content_hash", file.hash);
    row.integer("data_rows", report.data_rows);
    row.integer("rows_stored", report.rows_stored);
    row.integer("rows_skipped", report.rows_skipped);
    row.integer("rows_repaired", report.rows_repaired);
    row.integer("issues_total", report.issues_total);
    row.text("recognised_by", report.recognised_by);
    row.text("notes", fmt::format("{}", fmt::join(report.notes, "\n")));
    row.text("rejection", report.rejection);
    row.text("settings", file.settings);
    row.instant("stat_checked_at", file.looked_at);
}

template <class Row>
void fill_metadata_row(Row& row, const BlockJob& job, Timestamp now) {
    row.text("block_id", job.block_id);
    for (const FileJob& file : job.files) {
        if (is_stored(job, file)) {
            row.text(fmt::format("{}_hash", blocks::role_name(file.file.role)), file.hash);
        }
    }
    row.instant("synced_at", now);
    row.small_integer("sync_version",
                      job.stored.metadata.has_value() ? job.stored.metadata->sync_version + 1 : 1);
}

}  // namespace

bool is_stored(const BlockJob& job, const FileJob& file) {
    if (file.changed) {
        return file.report.outcome == blocks::IngestOutcome::kComplete;
    }
    const StoredFile* const before = stored_file(job, file.file.role);
    return before != nullptr && before->report.rejection.empty();
}

std::vector<FileRole> roles_to_clear(const BlockJob& job) {
    std::vector<FileRole> roles;
    for (const FileRole role : kRoles) {
        // Metadata without file rows: written by a program that only knows the metadata table.
        const bool known = stored_file(job, role) != nullptr ||
                           (job.stored.files.empty() && job.stored.metadata.has_value());
        if (!known) {
            continue;
        }
        const bool all = job.kind == JobKind::kDelete || job.kind == JobKind::kReject;
        const bool gone =
            std::find(job.gone_roles.begin(), job.gone_roles.end(), role) != job.gone_roles.end();
        const bool changed = std::any_of(
            job.files.begin(), job.files.end(),
            [role](const FileJob& file) { return file.file.role == role && file.changed; });
        if (all || gone || changed) {
            roles.push_back(role);
        }
    }
    return roles;
}

void BlockTransaction::probe(std::string_view point) const {
    if (env_.probe) {
        env_.probe(point);
    }
}

Result<WriteOutcome> BlockTransaction::run() {
    started_ = std::chrono::steady_clock::now();
    TB_TRY(db::Transaction transaction, db::Transaction::begin(connection_));
    transaction_ = &transaction;
    TB_RETURN_IF_ERROR(collect_hashes(old_hashes_));
    TB_RETURN_IF_ERROR(remove_old_rows());
    std::vector<std::string> ids;
    for (const BlockJob* job : jobs_) {
        ids.push_back(job->block_id);
    }
    TB_RETURN_IF_ERROR(delete_rows("trades._row_sums", ids));
    probe("after_delete");
    TB_TRY(const WriteOutcome outcome, append_new_rows());
    if (outcome != WriteOutcome::kCommitted) {
        return outcome;
    }
    probe("after_append");
    TB_RETURN_IF_ERROR(collect_hashes(new_hashes_));
    make_reports();
    TB_RETURN_IF_ERROR(write_files());
    TB_RETURN_IF_ERROR(write_issues());
    TB_RETURN_IF_ERROR(write_metadata());
    TB_RETURN_IF_ERROR(write_log());
    probe("before_commit");
    TB_RETURN_IF_ERROR(transaction.commit());
    env_.trades_written += trades_here_;
    probe("after_commit");
    return WriteOutcome::kCommitted;
}

// One hash per row of every file that replaces stored rows, so that the log can tell how many rows
// are new, gone and the same. A first load has nothing to compare and costs nothing.
Result<void> BlockTransaction::collect_hashes(RowHashes& hashes) {
    for (const FileRole role : kRoles) {
        std::vector<std::string> ids;
        for (const BlockJob* job : jobs_) {
            const StoredFile* const before = stored_file(*job, role);
            if (job->kind != JobKind::kReplace || before == nullptr ||
                before->report.rows_stored == 0) {
                continue;
            }
            for (const FileJob& file : job->files) {
                if (file.file.role == role && file.changed) {
                    ids.push_back(job->block_id);
                }
            }
        }
        if (ids.empty()) {
            continue;
        }
        TB_TRY(db::Statement statement,
               connection_.prepare(fmt::format(
                   "SELECT block_id, hash({})::VARCHAR FROM trades.{} WHERE block_id IN ({})",
                   content_columns(role), table_of(role), placeholders(ids.size()))));
        TB_RETURN_IF_ERROR(bind_ids(statement, ids));
        TB_TRY(db::Rows rows, statement.query());
        while (true) {
            TB_TRY(const bool more, rows.next_chunk());
            if (!more) {
                break;
            }
            const auto& id = rows.chunk().column(0);
            const auto& hash = rows.chunk().column(1);
            std::vector<std::uint64_t>* target = nullptr;
            std::string_view current;
            for (std::size_t i = 0; i < rows.chunk().row_count(); ++i) {
                if (target == nullptr || id.string(i) != current) {
                    current = id.string(i);
                    target = &hashes[{role, std::string(current)}];
                }
                std::uint64_t value = 0;
                const std::string_view text = hash.string(i);
                std::from_chars(text.data(), text.data() + text.size(), value);
                target->push_back(value);
            }
        }
    }
    return {};
}

Result<void> BlockTransaction::delete_rows(const std::string& table,
                                           const std::vector<std::string>& ids,
                                           std::optional<FileRole> role) {
    if (ids.empty()) {
        return {};
    }
    // As text: the table, one of our own, and how many values there are. The values are bound.
    std::string sql =
        fmt::format("DELETE FROM {} WHERE block_id IN ({})", table, placeholders(ids.size()));
    if (role.has_value()) {
        sql += fmt::format(" AND role = ${}", ids.size() + 1);
    }
    TB_TRY(db::Statement statement, connection_.prepare(sql));
    TB_RETURN_IF_ERROR(bind_ids(statement, ids));
    if (role.has_value()) {
        TB_RETURN_IF_ERROR(statement.bind(ids.size() + 1, blocks::role_name(*role)));
    }
    TB_TRY([[maybe_unused]] const std::int64_t count, statement.run());
    return {};
}

Result<void> BlockTransaction::remove_old_rows() {
    for (const FileRole role : kRoles) {
        std::vector<std::string> ids;
        std::vector<std::string> ids_with_rows;
        std::vector<std::string> ids_of_records;
        for (const BlockJob* job : jobs_) {
            const auto roles = roles_to_clear(*job);
            if (std::find(roles.begin(), roles.end(), role) == roles.end()) {
                continue;
            }
            ids.push_back(job->block_id);
            if (!changes_in_place(*job, role)) {
                ids_of_records.push_back(job->block_id);
            }
            const StoredFile* const before = stored_file(*job, role);
            // Not by the count of rows alone, which others may have changed: rows that stay would
            // count twice.
            if (before == nullptr || before->report.rows_stored > 0 ||
                before->report.rejection.empty()) {
                ids_with_rows.push_back(job->block_id);
            }
        }
        TB_RETURN_IF_ERROR(delete_rows(fmt::format("trades.{}", table_of(role)), ids_with_rows));
        TB_RETURN_IF_ERROR(delete_rows("trades._sync_files", ids_of_records, role));
        TB_RETURN_IF_ERROR(delete_rows("trades._sync_issues", ids, role));
    }
    return {};
}

Result<WriteOutcome> BlockTransaction::append_new_rows() {
    TB_TRY(WriteOutcome outcome, append_role<blocks::TradeRecord>(FileRole::kTradeLog));
    if (outcome != WriteOutcome::kCommitted) {
        return outcome;
    }
    TB_TRY(outcome, append_role<blocks::DailyRecord>(FileRole::kDailyLog));
    if (outcome != WriteOutcome::kCommitted) {
        return outcome;
    }
    TB_TRY(outcome, append_role<blocks::ReportingRecord>(FileRole::kReportingLog));
    if (outcome == WriteOutcome::kCommitted) {
        TB_RETURN_IF_ERROR(drop_rejected_streams());
    }
    return outcome;
}

template <class Record>
Result<WriteOutcome> BlockTransaction::append_role(FileRole role) {
    std::optional<db::Appender> appender;
    for (BlockJob* job : jobs_) {
        for (FileJob& file : job->files) {
            const bool wanted = job->kind == JobKind::kReplace && file.file.role == role &&
                                file.changed && (file.streamed || is_stored(*job, file));
            if (!wanted) {
                continue;
            }
            if (!appender.has_value()) {
                TB_TRY(db::Appender opened, transaction_->appender("trades", table_of(role)));
                appender.emplace(std::move(opened));
            }
            TB_TRY(const WriteOutcome outcome, append_file<Record>(*appender, *job, file));
            if (outcome != WriteOutcome::kCommitted) {
                return outcome;
            }
        }
    }
    if (appender.has_value()) {
        TB_RETURN_IF_ERROR(appender->close());
    }
    return WriteOutcome::kCommitted;
}

template <class Record>
Result<WriteOutcome> BlockTransaction::append_file(db::Appender& appender, BlockJob& job,
                                                   FileJob& file) {
    if (file.streamed) {
        return stream_file<Record>(appender, job, file);
    }
    for (const auto& batch : std::get<Batches<Record>>(file.batches)) {
        if (env_.cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled", job.block_id);
        }
        if constexpr (std::is_same_v<Record, blocks::TradeRecord>) {
            TB_RETURN_IF_ERROR(count_trades(batch.records.size()));
        }
        TB_RETURN_IF_ERROR(append_batch(appender, job.block_id, batch));
    }
    return WriteOutcome::kCommitted;
}

template <class Record>
Result<WriteOutcome> BlockTransaction::stream_file(db::Appender& appender, BlockJob& job,
                                                   FileJob& file) {
    const auto ingest = [](blocks::ByteSource& source, const blocks::IngestOptions& options,
                           blocks::RecordSink<Record>& sink) {
        if constexpr (std::is_same_v<Record, blocks::TradeRecord>) {
            return blocks::ingest_trade_log(source, options, sink);
        } else if constexpr (std::is_same_v<Record, blocks::DailyRecord>) {
            return blocks::ingest_daily_log(source, options, sink);
        } else {
            return blocks::ingest_reporting_log(source, options, sink);
        }
    };
    bool first = true;
    FileProgress progress(env_.progress, job.block_id + ": " + file.file.file_name, file.stat.size,
                          FileProgress::Clock::now());
    const auto write = [&](const blocks::RecordBatch<Record>& batch) -> Result<void> {
        if (first) {
            first = false;
            probe("mid_stream");
        }
        if constexpr (std::is_same_v<Record, blocks::TradeRecord>) {
            TB_RETURN_IF_ERROR(count_trades(batch.records.size()));
        }
        progress.add_rows(batch.records.size(), FileProgress::Clock::now());
        return append_batch(appender, job.block_id, batch);
    };
    auto streamed =
        stream_file_records<Record>(env_.fs, file, env_.cancel, progress.bytes_read, ingest, write);
    if (!streamed.has_value()) {
        // Bytes that do not fit the encoding the first pass found: another file than was hashed.
        if (streamed.error().code == ErrorCode::kBusy) {
            return WriteOutcome::kMoved;
        }
        return tl::unexpected<Error>(streamed.error());
    }
    if (streamed->hash != file.hash) {
        return WriteOutcome::kMoved;
    }
    file.report = std::move(streamed->report);
    if (file.report.outcome == blocks::IngestOutcome::kReadAgain) {
        file.reading = std::move(file.report.reading);
        return WriteOutcome::kReadAgain;
    }
    if (file.report.outcome == blocks::IngestOutcome::kIncomplete) {
        return WriteOutcome::kIncomplete;
    }
    if (file.report.outcome == blocks::IngestOutcome::kRejected) {
        if (file.file.role == FileRole::kTradeLog) {
            return WriteOutcome::kTradeLogRejected;
        }
        rejected_streams_.emplace_back(file.file.role, job.block_id);
    }
    return WriteOutcome::kCommitted;
}

// Rows of a large daily or reporting log that turned out unusable only at its end.
Result<void> BlockTransaction::drop_rejected_streams() {
    for (const auto& [role, block_id] : rejected_streams_) {
        TB_RETURN_IF_ERROR(delete_rows(fmt::format("trades.{}", table_of(role)), {block_id}));
    }
    return {};
}

Result<void> BlockTransaction::count_trades(std::size_t rows) {
    trades_here_ += static_cast<std::int64_t>(rows);
    if (env_.max_trades > 0 && env_.trades_written + trades_here_ > env_.max_trades) {
        return make_error(
            ErrorCode::kResourceExhausted,
            fmt::format("more than {} trades do not fit into the in-memory stand-in; free the "
                        "database file (another program holds it, or the folder cannot be "
                        "written) and try again",
                        env_.max_trades));
    }
    return {};
}

void BlockTransaction::make_reports() {
    for (const BlockJob* job : jobs_) {
        auto& reports = reports_[job];
        for (const FileJob& file : job->files) {
            if (!file.changed) {
                continue;
            }
            FileSyncReport report = report_of(file);
            const StoredFile* const before = stored_file(*job, report.role);
            const std::int64_t rows_before = before == nullptr ? 0 : before->report.rows_stored;
            const FileKey key{report.role, job->block_id};
            report.rows_kept = rows_in_both(old_hashes_[key], new_hashes_[key]);
            report.rows_added = report.rows_stored - report.rows_kept;
            report.rows_removed = rows_before - report.rows_kept;
            reports.push_back(std::move(report));
        }
        for (const FileRole role : roles_to_clear(*job)) {
            const StoredFile* const before = stored_file(*job, role);
            const bool replaced = std::any_of(reports.begin(), reports.end(),
                                              [role](const auto& r) { return r.role == role; });
            if (before == nullptr || replaced) {
                continue;
            }
            FileSyncReport report;
            report.role = role;
            report.file_name = before->report.file_name;
            report.rows_removed = before->report.rows_stored;
            reports.push_back(std::move(report));
        }
    }
}

// Whether the record of this file is there already and only changes. Alone in its transaction a row
// is cheapest where it is; rows of many blocks are deleted and appended together.
bool BlockTransaction::changes_in_place(const BlockJob& job, FileRole role) const {
    return jobs_.size() == 1 && stored_file(job, role) != nullptr &&
           std::any_of(job.files.begin(), job.files.end(), [&](const FileJob& file) {
               return file.file.role == role && is_recorded(job, file);
           });
}

std::vector<std::pair<const BlockJob*, const FileJob*>> BlockTransaction::recorded_files() const {
    std::vector<std::pair<const BlockJob*, const FileJob*>> files;
    for (const BlockJob* job : jobs_) {
        for (const FileJob& file : job->files) {
            if (is_recorded(*job, file)) {
                files.emplace_back(job, &file);
            }
        }
    }
    return files;
}

Result<void> BlockTransaction::write_files() {
    TB_TRY(TableRows appended, TableRows::open(*transaction_, "trades", "_sync_files"));
    for (const auto& [job, file] : recorded_files()) {
        const FileRole role = file->file.role;
        if (changes_in_place(*job, role)) {
            RowUpdate row("trades", "_sync_files", {"block_id", "role"});
            fill_file_row(row, *job, *file);
            TB_TRY(const std::int64_t changed, row.run(connection_));
            if (changed == 1) {
                continue;
            }
            TB_RETURN_IF_ERROR(delete_rows("trades._sync_files", {job->block_id}, role));
        }
        fill_file_row(appended, *job, *file);
        TB_RETURN_IF_ERROR(appended.end_row());
    }
    return appended.close();
}

Result<void> BlockTransaction::write_issues() {
    TB_TRY(TableRows issues, TableRows::open(*transaction_, "trades", "_sync_issues"));
    for (const auto& [job, file] : recorded_files()) {
        for (const blocks::RowIssue& issue : file->report.issues) {
            issues.text("block_id", job->block_id);
            issues.text("role", blocks::role_name(file->file.role));
            issues.text("file_name", file->file.file_name);
            issues.text("file_hash", file->hash);
            issues.integer("line", issue.line);
            issues.text("column_name", issue.column);
            issues.text("value", issue.value);
            issues.text("reason", issue.reason);
            issues.text("action",
                        issue.action == blocks::IssueAction::kSkipped ? "skipped" : "repaired");
            TB_RETURN_IF_ERROR(issues.end_row());
        }
    }
    return issues.close();
}

Result<void> BlockTransaction::write_metadata() {
    if (jobs_.size() == 1 && jobs_.front()->kind == JobKind::kReplace &&
        jobs_.front()->stored.metadata.has_value()) {
        RowUpdate row("trades", "_sync_metadata", {"block_id"});
        fill_metadata_row(row, *jobs_.front(), env_.clock.now());
        TB_TRY(const std::int64_t changed, row.run(connection_));
        if (changed == 1) {
            return {};
        }
    }
    std::vector<std::string> known;
    for (const BlockJob* job : jobs_) {
        if (job->stored.metadata.has_value()) {
            known.push_back(job->block_id);
        }
    }
    TB_RETURN_IF_ERROR(delete_rows("trades._sync_metadata", known));
    TB_TRY(TableRows rows, TableRows::open(*transaction_, "trades", "_sync_metadata"));
    const Timestamp now = env_.clock.now();
    for (const BlockJob* job : jobs_) {
        if (job->kind == JobKind::kReplace) {
            fill_metadata_row(rows, *job, now);
            TB_RETURN_IF_ERROR(rows.end_row());
        }
    }
    return rows.close();
}

Result<void> BlockTransaction::write_log() {
    TB_TRY(std::int64_t id, next_log_id(connection_));
    TB_TRY(TableRows rows, TableRows::open(*transaction_, "trades", "_sync_log"));
    const Timestamp now = env_.clock.now();
    const double write_ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started_)
            .count() /
        static_cast<double>(jobs_.size());
    for (const BlockJob* job : jobs_) {
        for (const FileSyncReport& report : reports_[job]) {
            const StoredFile* const before = stored_file(*job, report.role);
            const auto file = std::find_if(
                job->files.begin(), job->files.end(),
                [&](const FileJob& f) { return f.file.role == report.role && f.changed; });
            const bool has_file =
                file != job->files.end() && job->kind != JobKind::kDelete &&
                (job->kind == JobKind::kReplace || report.role == FileRole::kTradeLog);
            std::string_view event = before == nullptr ? "added" : "changed";
            if (!has_file) {
                event = "removed";
            } else if (!report.rejection.empty()) {
                event = "rejected";
            }
            rows.integer("id", id++);
            rows.instant("changed_at", now);
            rows.text("block_id", job->block_id);
            rows.text("event", event);
            rows.text("role", blocks::role_name(report.role));
            rows.text("file_name", report.file_name);
            rows.text("old_hash", before == nullptr ? std::string() : before->content_hash);
            rows.text("new_hash", has_file ? file->hash : std::string());
            rows.integer("rows_added", report.rows_added);
            rows.integer("rows_removed", report.rows_removed);
            rows.integer("rows_kept", report.rows_kept);
            rows.integer("rows_skipped", report.rows_skipped);
            rows.integer("rows_repaired", report.rows_repaired);
            rows.number("duration_ms", job->inspect_ms + write_ms);
            rows.text("message", report.rejection);
            TB_RETURN_IF_ERROR(rows.end_row());
        }
    }
    return rows.close();
}

}  // namespace tb::sync
