#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "blocks/import_basis.h"
#include "sync/block_job.h"

namespace tb::sync {

namespace {

using blocks::FileRole;

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return result;
}

// Sees the files of one block, decides what changed and reads what has to be read.
class Inspection {
  public:
    Inspection(const InspectContext& context, const blocks::BlockFolder& folder, BlockJob& job)
        : context_(context), folder_(folder), job_(job) {}

    Result<void> run() {
        TB_TRY(blocks::BlockFiles files, discover());
        job_.warnings = files.warnings;
        if (!files.undecided.empty() && misses_a_known_role(files)) {
            // What is missing may be the file that is just being written.
            not_whole(fmt::format("'{}' is empty or ends within its first line; it will be read "
                                  "when it is whole",
                                  files.undecided.front()),
                      files.undecided.front());
            return {};
        }
        if (!files.tradelog.has_value()) {
            without_trade_log(files);
            return {};
        }
        for (const auto* file : {&files.tradelog, &files.dailylog, &files.reportinglog}) {
            if (file->has_value()) {
                TB_RETURN_IF_ERROR(look_at(**file));
            }
        }
        for (const auto& [role, stored] : job_.stored.files) {
            const bool present = std::any_of(job_.files.begin(), job_.files.end(),
                                             [&](const FileJob& f) { return f.file.role == role; });
            if (!present) {
                job_.gone_roles.push_back(role);
            }
        }
        decide();
        return {};
    }

  private:
    // Header-based discovery opens every CSV without a standard name. When the folder holds exactly
    // the files it held last time, and their stamps prove them unchanged, the roles are still the
    // same and no file is opened.
    Result<blocks::BlockFiles> discover() {
        if (context_.verify || job_.stored.files.empty()) {
            return blocks::discover_files(context_.fs, folder_.path);
        }
        TB_TRY(const auto entries, context_.fs.list_inside(context_.data_dir, folder_.path));
        std::size_t csv_count = 0;
        for (const DirectoryEntry& entry : entries) {
            if (lower(entry.name) == "block.json") {
                return blocks::discover_files(context_.fs, folder_.path);
            }
            csv_count += entry.is_regular && blocks::is_csv_name(entry.name) ? 1U : 0U;
        }
        if (csv_count != job_.stored.files.size()) {
            return blocks::discover_files(context_.fs, folder_.path);
        }
        blocks::BlockFiles files;
        for (const auto& [role, stored] : job_.stored.files) {
            const auto stat = context_.fs.stat(folder_.path / stored.report.file_name);
            if (!stat.has_value() || !stat_proves_unchanged(stored.stat, stored.looked_at, *stat)) {
                return blocks::discover_files(context_.fs, folder_.path);
            }
            known_stats_.emplace(stored.report.file_name, *stat);
            const blocks::RoleFile file{role, stored.report.file_name, stored.report.recognised_by};
            slot(files, role) = file;
        }
        return files;
    }

    static std::optional<blocks::RoleFile>& slot(blocks::BlockFiles& files, FileRole role) {
        switch (role) {
            case FileRole::kTradeLog:
                return files.tradelog;
            case FileRole::kDailyLog:
                return files.dailylog;
            case FileRole::kReportingLog:
                break;
        }
        return files.reportinglog;
    }

    bool misses_a_known_role(blocks::BlockFiles& files) {
        return std::any_of(
            job_.stored.files.begin(), job_.stored.files.end(),
            [&](const auto& stored) { return !slot(files, stored.first).has_value(); });
    }

    void not_whole(std::string why, std::string file_name) {
        job_.kind = JobKind::kDefer;
        job_.deferred_as = SyncStatus::kIncomplete;
        job_.error = Error{ErrorCode::kBusy, std::move(why), std::move(file_name)};
    }

    // A header without a line end and without rows: perhaps the first bytes of a file being
    // written. Over older rows it is not believed.
    bool is_not_whole(const FileJob& item) const {
        if (!item.changed || item.streamed || context_.stat_only) {
            return false;
        }
        const auto before = job_.stored.files.find(item.file.role);
        const bool has_rows =
            before != job_.stored.files.end() && before->second.report.rows_stored > 0;
        return item.report.outcome == blocks::IngestOutcome::kIncomplete ||
               (item.report.unterminated_header && has_rows);
    }

    void without_trade_log(const blocks::BlockFiles& files) {
        if (!job_.stored.files.empty() || job_.stored.metadata.has_value()) {
            job_.kind = JobKind::kDelete;
            return;
        }
        job_.kind = JobKind::kNotABlock;
        job_.warnings = blocks::reasons_for_no_block(job_.block_id, files);
    }

    Result<void> look_at(const blocks::RoleFile& file) {
        FileJob item;
        item.file = file;
        item.path = folder_.path / file.file_name;
        item.settings = fmt::format("rules {}", blocks::kReadingRules);
        if (file.role == FileRole::kTradeLog) {
            TB_TRY(item.default_pl_basis,
                   blocks::read_import_pl_basis(context_.fs, context_.data_dir, job_.block_id));
            if (item.default_pl_basis == blocks::PlBasis::kGrossBeforeFees) {
                item.settings += " gross_before_fees";
            }
        }
        const auto stored = job_.stored.files.find(file.role);
        const bool same_file = stored != job_.stored.files.end() &&
                               stored->second.report.file_name == file.file_name &&
                               stored->second.settings == item.settings &&
                               job_.stored.agrees_on(file.role);
        if (same_file && !context_.verify) {
            TB_TRY(const FileStat stat, stat_of(item));
            if (stat_proves_unchanged(stored->second.stat, stored->second.looked_at, stat)) {
                item.stat = stored->second.stat;
                item.looked_at = stored->second.looked_at;
                item.hash = stored->second.content_hash;
                job_.files.push_back(std::move(item));
                return {};
            }
        }
        if (context_.stat_only) {
            item.changed = true;
            job_.files.push_back(std::move(item));
            return {};
        }
        return read(std::move(item), same_file ? &stored->second : nullptr);
    }

    Result<FileStat> stat_of(const FileJob& item) {
        const auto known = known_stats_.find(item.file.file_name);
        return known != known_stats_.end() ? Result<FileStat>(known->second)
                                           : context_.fs.stat(item.path);
    }

    Result<void> read(FileJob item, const StoredFile* stored) {
        TB_TRY(FileContent content, read_file_content(context_.fs, context_.data_dir, item.path,
                                                      context_.clock, context_.cancel));
        item.stat = content.stat;
        item.looked_at = content.looked_at;
        item.hash = std::move(content.hash);
        item.encoding = content.encoding;
        item.still_changing = may_still_change(content.stat, content.looked_at);
        item.changed = stored == nullptr || stored->content_hash != item.hash;
        item.streamed = !content.bytes.has_value();
        if (item.changed && content.bytes.has_value()) {
            TB_RETURN_IF_ERROR(parse(item, *content.bytes));
            job_.memory_bytes += content.bytes->size() * 3;
        }
        job_.files.push_back(std::move(item));
        return {};
    }

    template <class Record>
    class Collector final : public blocks::RecordSink<Record> {
      public:
        Result<void> on_batch(blocks::RecordBatch<Record> batch) override {
            batches.push_back(std::move(batch));
            return {};
        }
        Batches<Record> batches;
    };

    Result<void> parse(FileJob& item, std::string_view bytes) {
        switch (item.file.role) {
            case FileRole::kTradeLog:
                return parse_into<blocks::TradeRecord>(item, bytes, blocks::ingest_trade_log);
            case FileRole::kDailyLog:
                return parse_into<blocks::DailyRecord>(item, bytes, blocks::ingest_daily_log);
            case FileRole::kReportingLog:
                break;
        }
        return parse_into<blocks::ReportingRecord>(item, bytes, blocks::ingest_reporting_log);
    }

    // Twice where only the end of the file shows how it has to be read.
    template <class Record, class Ingest>
    Result<void> parse_into(FileJob& item, std::string_view bytes, Ingest ingest) {
        while (true) {
            blocks::MemorySource source(std::as_bytes(std::span(bytes)));
            Collector<Record> collector;
            TB_TRY(item.report, ingest(source, ingest_options(item, context_.cancel), collector));
            if (item.report.outcome != blocks::IngestOutcome::kReadAgain || item.reading) {
                item.batches = std::move(collector.batches);
                return {};
            }
            item.reading = item.report.reading;
        }
    }

    void decide() {
        bool changed = !job_.gone_roles.empty();
        for (const FileJob& item : job_.files) {
            changed = changed || item.changed;
            if (is_not_whole(item)) {
                not_whole(item.report.rejection.empty()
                              ? "the header has no line end and no row follows it; what was stored "
                                "before is kept"
                              : item.report.rejection,
                          item.file.file_name);
                return;
            }
        }
        const FileJob& trade_log = job_.files.front();
        const auto stored = job_.stored.files.find(FileRole::kTradeLog);
        if (!trade_log.changed && stored != job_.stored.files.end() &&
            !stored->second.report.rejection.empty()) {
            job_.kind = JobKind::kKnownReject;
            job_.error =
                Error{ErrorCode::kParse, stored->second.report.rejection, trade_log.file.file_name};
            return;
        }
        if (trade_log.changed && !trade_log.streamed && !context_.stat_only &&
            trade_log.report.outcome == blocks::IngestOutcome::kRejected) {
            job_.kind = JobKind::kReject;
            job_.error =
                Error{ErrorCode::kParse, trade_log.report.rejection, trade_log.file.file_name};
            return;
        }
        job_.kind = changed ? JobKind::kReplace : JobKind::kUnchanged;
    }

    const InspectContext& context_;
    const blocks::BlockFolder& folder_;
    BlockJob& job_;
    std::map<std::string, FileStat> known_stats_;
};

void defer(BlockJob& job, Error error) {
    job.kind = JobKind::kDefer;
    // A file that vanished between listing and opening is being moved about: look again later.
    const bool busy = error.code == ErrorCode::kBusy || error.code == ErrorCode::kNotFound;
    job.deferred_as = busy ? SyncStatus::kBusy : SyncStatus::kStale;
    job.error = std::move(error);
    job.files.clear();
}

}  // namespace

Result<BlockJob> inspect_block(const InspectContext& context, const blocks::BlockFolder& folder,
                               StoredBlock stored) {
    const auto started = std::chrono::steady_clock::now();
    BlockJob job;
    job.block_id = folder.id;
    job.stored = std::move(stored);
    if (auto result = Inspection(context, folder, job).run(); !result.has_value()) {
        if (result.error().code == ErrorCode::kInterrupted) {
            return tl::unexpected<Error>(result.error());
        }
        defer(job, result.error());
    }
    job.inspect_ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started)
            .count();
    return job;
}

BlockJob deletion_job(std::string block_id, StoredBlock stored) {
    BlockJob job;
    job.block_id = std::move(block_id);
    job.stored = std::move(stored);
    job.kind = JobKind::kDelete;
    return job;
}

}  // namespace tb::sync
