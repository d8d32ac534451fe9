// The market half of the sync layer: files below `_marketdata/` are merged by date into tables that
// only grow (market/market_files.h), and into journals that outlive the database
// (market/journal.h).
#include <algorithm>
#include <chrono>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "db/row_sums.h"
#include "market/journal.h"
#include "market/market_files.h"
#include "sync/file_content.h"
#include "sync/not_read.h"
#include "sync/stored_state.h"
#include "sync/sync.h"
#include "sync/sync_support.h"
#include "sync/table_rows.h"

namespace tb::sync {

namespace {

using market::MarketFile;

// One market file as it is now.
struct MarketJob {
    const MarketFile* file = nullptr;
    FileContent content;
    market::MarketParse parse;
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

std::string settings() {
    return fmt::format("rules {}", market::kReadingRules);
}

bool is_fatal(const Error& error) {
    return error.code == ErrorCode::kInterrupted || db::is_damage(error);
}

SyncStatus deferred_status(const Error& error) {
    return error.code == ErrorCode::kBusy || error.code == ErrorCode::kNotFound
               ? SyncStatus::kBusy
               : SyncStatus::kStale;
}

void count(const MarketFileResult& file, MarketSyncResult& result) {
    ++result.processed;
    switch (file.status) {
        case SyncStatus::kSynced:
            ++result.synced;
            break;
        case SyncStatus::kUnchanged:
        case SyncStatus::kDeleted:
            ++result.unchanged;
            break;
        case SyncStatus::kError:
            ++result.failed;
            break;
        case SyncStatus::kIncomplete:
        case SyncStatus::kStale:
        case SyncStatus::kBusy:
            ++result.deferred;
            break;
    }
    result.rows_inserted += file.rows_inserted;
    result.rows_updated += file.rows_updated;
    result.rows_skipped += file.rows_skipped;
    result.rows_repaired += file.rows_repaired;
    if (file.error.has_value()) {
        result.errors.push_back({file.file_name, file.status, *file.error});
    }
}

class MarketSync {
  public:
    MarketSync(db::DataStore& store, const SyncOptions& options)
        : store_(store),
          run_(store, options),
          folder_(store.directory() / market::kMarketFolder),
          journal_(store.directory(), run_.fs),
          journals_(journal_.usable()) {
        find_files();
    }

    // The result when stamps prove that every file is merged already; nullopt otherwise.
    Result<std::optional<MarketSyncResult>> try_without_writing() {
        if (run_.options.verify) {
            return std::optional<MarketSyncResult>();
        }
        TB_TRY(db::Connection connection, store_.reader());
        TB_TRY(const auto stored, load_stored_market_files(connection));
        MarketSyncResult result = begin();
        for (const MarketFile& file : market::market_files()) {
            const auto stat = stat_of(file);
            if (!stat.has_value() && stat.error().code == ErrorCode::kNotFound) {
                continue;
            }
            const auto before = stored.find(file.file_name);
            if (!stat.has_value() || before == stored.end() ||
                before->second.settings != settings() ||
                !stat_proves_unchanged(before->second.stat, before->second.looked_at, *stat)) {
                return std::optional<MarketSyncResult>();
            }
            add(result, unchanged(file, before->second));
        }
        TB_TRY(const bool load, journals_wanted(connection));
        bool heal = keeps_journals() && journal_.behind();
        if (keeps_journals() && !heal) {
            TB_TRY(heal, lacks_a_journal(connection));
        }
        return load || heal ? std::optional<MarketSyncResult>()
                            : std::optional<MarketSyncResult>(std::move(result));
    }

    Result<MarketSyncResult> run() {
        TB_TRY(db::DataStore::Writer writer, store_.writer(run_.options.cancel));
        db::Connection& connection = writer.connection();
        connection.cancel_with(run_.options.cancel);
        MarketSyncResult result = begin();
        if (const auto restored = restore_history(connection, result); !restored.has_value()) {
            if (is_fatal(restored.error())) {
                return tl::unexpected<Error>(restored.error());
            }
            put_off(restored.error(), result);
            return result;
        }
        TB_TRY(const auto stored, load_stored_market_files(connection));
        std::uint64_t done = 0;
        for (const MarketFile& file : market::market_files()) {
            TB_RETURN_IF_ERROR(run_.check_cancelled());
            if (connection.must_reopen()) {  // the COMMIT of the file before failed
                if (const auto reopened = store_.reopen(writer, run_.options.cancel);
                    !reopened.has_value()) {
                    if (reopened.error().code != ErrorCode::kBusy) {
                        return tl::unexpected<Error>(reopened.error());
                    }
                    // Readers that do not go: what is stored stays, for this file and the rest.
                    if (run_.fs.stat(folder_ / file.file_name).has_value()) {
                        add(result, stale(file, reopened.error()));
                    }
                    continue;
                }
            }
            const auto started = std::chrono::steady_clock::now();
            const auto before = stored.find(file.file_name);
            auto outcome =
                sync_file(connection, file, before == stored.end() ? nullptr : &before->second);
            if (!outcome.has_value()) {
                if (is_fatal(outcome.error())) {
                    return tl::unexpected<Error>(outcome.error());
                }
                outcome = std::optional<MarketFileResult>(deferred(file, outcome.error()));
            }
            if (outcome->has_value()) {
                (*outcome)->duration_ms = elapsed_ms_since(started);
                add(result, std::move(**outcome));
            }
            if (run_.options.progress) {
                run_.options.progress({++done, market::market_files().size(), "market files",
                                       std::string(file.file_name)});
            }
        }
        if (!connection.must_reopen()) {
            // A look through the file proves less without them; the next sync tries again.
            const auto summed = db::complete_market_sums(connection);
            if (!summed.has_value() && is_fatal(summed.error())) {
                return tl::unexpected<Error>(summed.error());
            }
        }
        return result;
    }

  private:
    // Links that lead out of the data directory, and the database under another name, are as if
    // they were not there; not_read.h has the words about them.
    void find_files() {
        const auto leads_out = [&](const std::filesystem::path& path) {
            const auto checked = check_inside(store_.directory(), path);
            return !checked.has_value() && checked.error().code == ErrorCode::kRefused;
        };
        const bool folder_leads_out = leads_out(folder_);
        for (const MarketFile& file : market::market_files()) {
            const auto path = folder_ / file.file_name;
            const auto stat = run_.fs.stat(path);
            if (folder_leads_out || leads_out(path) ||
                (stat.has_value() && is_database_file(*stat))) {
                ignored_.insert(file.file_name);
            }
        }
    }

    // kNotFound for a file that is ignored.
    [[nodiscard]] Result<FileStat> stat_of(const MarketFile& file) const {
        if (ignored_.contains(file.file_name)) {
            return make_error(ErrorCode::kNotFound, "ignored", std::string(file.file_name));
        }
        return run_.fs.stat(folder_ / file.file_name);
    }

    [[nodiscard]] bool keeps_journals() const { return journals_ && !run_.stand_in; }

    [[nodiscard]] MarketSyncResult begin() const {
        MarketSyncResult result;
        if (!journals_) {
            result.warnings.emplace_back(
                "market history is kept in the database only: '.tradeblocks/market-history' leads "
                "out of the data directory; move the folder itself here");
        }
        result.not_read = market_files_not_read(run_.fs, store_.directory());
        for (std::string& line : not_read_lines(result.not_read)) {
            result.warnings.push_back(std::move(line));
        }
        return result;
    }

    static void add(MarketSyncResult& result, MarketFileResult file) {
        count(file, result);
        result.files.push_back(std::move(file));
    }

    static MarketFileResult deferred(const MarketFile& file, const Error& error) {
        MarketFileResult result;
        result.file_name = file.file_name;
        result.status = deferred_status(error);
        result.error = error;
        return result;
    }

    static MarketFileResult stale(const MarketFile& file, const Error& error) {
        MarketFileResult result = deferred(file, error);
        result.status = SyncStatus::kStale;
        return result;
    }

    // History that cannot be loaded from the journals now: rows merged before it would hide that a
    // new database still lacks it.
    void put_off(const Error& error, MarketSyncResult& result) {
        for (const MarketFile& file : market::market_files()) {
            if (stat_of(file).has_value() || !journal_.missing(file.table)) {
                add(result, deferred(file, error));
            }
        }
    }

    static MarketFileResult unchanged(const MarketFile& file, const StoredFile& stored) {
        MarketFileResult result;
        result.file_name = file.file_name;
        result.rows_skipped = stored.report.rows_skipped;
        result.rows_repaired = stored.report.rows_repaired;
        if (!stored.report.rejection.empty()) {
            result.status = SyncStatus::kError;
            result.error =
                Error{ErrorCode::kParse, stored.report.rejection, std::string(file.file_name)};
        }
        return result;
    }

    [[nodiscard]] static Result<bool> has_rows(db::Connection& connection, const MarketFile& file) {
        TB_TRY(db::Rows rows,
               connection.query(fmt::format("SELECT 1 FROM {} LIMIT 1",
                                            market::market_table(file).qualified_name())));
        return rows.next();
    }

    // History of which nothing is kept a second time.
    [[nodiscard]] Result<bool> lacks_a_journal(db::Connection& connection) const {
        for (const MarketFile& file : market::market_files()) {
            if (journal_.missing(file.table)) {
                TB_TRY(const bool any, has_rows(connection, file));
                if (any) {
                    return true;
                }
            }
        }
        return false;
    }

    // A database without market rows beside journals: it was made anew and has history to load.
    Result<bool> journals_wanted(db::Connection& connection) {
        bool journals = false;
        for (const MarketFile& file : market::market_files()) {
            journals =
                journals || (journals_ && run_.fs.stat(journal_.path(file.table)).has_value());
        }
        if (!journals) {
            return false;
        }
        for (const MarketFile& file : market::market_files()) {
            TB_TRY(const bool any, has_rows(connection, file));
            if (any) {
                return false;
            }
        }
        return true;
    }

    Result<void> restore_history(db::Connection& connection, MarketSyncResult& result) {
        TB_TRY(const bool empty, journals_wanted(connection));
        // What was salvaged from a damaged file may lack days that the journals have; loading only
        // inserts.
        if (journals_ && (empty || store_.schema_change().created ||
                          store_.schema_change().reload_history || store_.recovery().has_value())) {
            TB_TRY(db::Transaction transaction, db::Transaction::begin(connection));
            TB_TRY(const auto loads, market::load_journals(transaction, journal_));
            for (const market::JournalLoad& load : loads) {
                if (load.rows_loaded > 0) {
                    TB_RETURN_IF_ERROR(
                        db::forget_row_sums_of_table(connection, "market." + load.table));
                }
            }
            TB_RETURN_IF_ERROR(transaction.commit());
            for (const market::JournalLoad& load : loads) {
                if (load.rows_loaded > 0) {
                    result.warnings.push_back(
                        fmt::format("market history of {} restored from its journal: {} days",
                                    load.table, load.rows_loaded));
                }
                if (load.lines_ignored > 0) {
                    result.warnings.push_back(
                        fmt::format("{} damaged {} of the journal of {} could not be read; days "
                                    "that no file has any more are missing with them: {}",
                                    load.lines_ignored, load.lines_ignored == 1 ? "line" : "lines",
                                    load.table, load.ignored));
                }
            }
        }
        if (keeps_journals()) {
            if (const auto healed = journal_.heal(connection); !healed.has_value()) {
                result.warnings.push_back("market journal not updated: " +
                                          healed.error().to_string());
            }
        }
        return {};
    }

    Result<std::optional<MarketFileResult>> sync_file(db::Connection& connection,
                                                      const MarketFile& file,
                                                      const StoredFile* stored) {
        MarketJob job;
        job.file = &file;
        if (ignored_.contains(file.file_name)) {
            return std::optional<MarketFileResult>();
        }
        const std::filesystem::path path = folder_ / file.file_name;
        auto content =
            read_file_content(run_.fs, store_.directory(), path, run_.clock, run_.options.cancel);
        if (!content.has_value()) {
            if (content.error().code == ErrorCode::kNotFound) {
                return std::optional<MarketFileResult>();
            }
            return tl::unexpected<Error>(content.error());
        }
        job.content = std::move(*content);
        if (stored != nullptr && stored->content_hash == job.content.hash &&
            stored->settings == settings()) {
            TB_RETURN_IF_ERROR(refresh_stamps(connection, job, *stored));
            return std::optional<MarketFileResult>(unchanged(file, *stored));
        }
        TB_RETURN_IF_ERROR(parse(job, path));
        if (job.parse.outcome == market::ParseOutcome::kIncomplete) {
            MarketFileResult result;
            result.file_name = file.file_name;
            result.status = SyncStatus::kIncomplete;
            result.error =
                Error{ErrorCode::kBusy, job.parse.rejection, std::string(file.file_name)};
            return std::optional<MarketFileResult>(std::move(result));
        }
        TB_TRY(MarketFileResult result, store(connection, job, stored));
        return std::optional<MarketFileResult>(std::move(result));
    }

    // A file beyond the limits is as unusable tomorrow as it is now: rejected, not deferred.
    Result<void> parse_from(MarketJob& job, const market::NextBytes& next) const {
        auto parsed =
            market::parse_market_file(*job.file, job.content.encoding, next, run_.options.cancel);
        if (parsed.has_value()) {
            job.parse = std::move(*parsed);
            return {};
        }
        if (parsed.error().code != ErrorCode::kResourceExhausted) {
            return tl::unexpected<Error>(parsed.error());
        }
        job.parse.outcome = market::ParseOutcome::kRejected;
        job.parse.rejection = parsed.error().message;
        return {};
    }

    Result<void> parse(MarketJob& job, const std::filesystem::path& path) {
        if (job.content.bytes.has_value()) {
            blocks::MemorySource source(std::as_bytes(std::span(*job.content.bytes)));
            return parse_from(job, [&] { return source.next(); });
        }
        TB_TRY(const auto source, HashingFileSource::open(run_.fs, store_.directory(), path));
        TB_RETURN_IF_ERROR(parse_from(job, [&] { return source->next(); }));
        TB_TRY(const std::string hash, source->finish());
        if (hash != job.content.hash) {
            return make_error(ErrorCode::kBusy, "the file changed while it was being read",
                              std::string(job.file->file_name));
        }
        return {};
    }

    // The very bytes that were stored by other rules, and by those their days were other ones.
    static bool made_anew(const MarketJob& job, const StoredFile* stored) {
        return stored != nullptr && stored->content_hash == job.content.hash &&
               job.parse.makes_days;
    }

    Result<MarketFileResult> store(db::Connection& connection, MarketJob& job,
                                   const StoredFile* stored) {
        const db::TableSpec& table = market::market_table(*job.file);
        const bool rejected = job.parse.outcome == market::ParseOutcome::kRejected;
        MarketFileResult result;
        result.file_name = job.file->file_name;
        result.rows_skipped = rejected ? job.parse.data_rows : job.parse.rows_skipped;
        result.rows_repaired = job.parse.rows_repaired;
        result.warnings = job.parse.notes;
        market::MergeResult merge;
        TB_TRY(db::Transaction transaction, db::Transaction::begin(connection));
        if (rejected) {
            result.status = SyncStatus::kError;
            result.error = Error{ErrorCode::kParse, job.parse.rejection, result.file_name};
        } else {
            TB_TRY(merge, market::merge_market_rows(transaction, table, job.parse.rows,
                                                    made_anew(job, stored)
                                                        ? market::MergeRule::kSameFileAnew
                                                        : market::MergeRule::kHistory));
            if (!merge.changed.dates.empty()) {
                TB_RETURN_IF_ERROR(
                    db::forget_row_sums_of_table(connection, table.qualified_name()));
            }
            result.status = SyncStatus::kSynced;
            result.rows_inserted = merge.rows_inserted;
            result.rows_updated = merge.rows_updated;
            result.rows_kept = merge.rows_kept;
            result.warnings.insert(result.warnings.end(), merge.notes.begin(), merge.notes.end());
            if (merge.max_date.has_value()) {
                result.max_date = merge.max_date->to_iso();
            }
            TB_RETURN_IF_ERROR(upsert_market_sync_metadata(
                connection,
                {result.file_name, job.content.hash, result.max_date, run_.clock.now()}));
        }
        TB_RETURN_IF_ERROR(write_bookkeeping(transaction, job, result, stored));
        const bool journal =
            keeps_journals() && (!merge.changed.dates.empty() || merge.rows_removed > 0);
        if (journal) {
            if (const auto marked = journal_.mark(job.file->table); !marked.has_value()) {
                result.warnings.push_back("market journal not updated: " +
                                          marked.error().to_string());
            }
        }
        if (run_.options.probe) {
            run_.options.probe("market_before_commit");
        }
        TB_RETURN_IF_ERROR(transaction.commit());
        if (run_.options.probe) {
            run_.options.probe("market_after_commit");
        }
        if (journal) {
            if (const auto kept = keep(connection, job.file->table, merge); !kept.has_value()) {
                result.warnings.push_back("market journal not updated: " +
                                          kept.error().to_string());
            }
        }
        return result;
    }

    // A journal only grows; where days went, it is made again from the table.
    Result<void> keep(db::Connection& connection, std::string_view table,
                      const market::MergeResult& merge) {
        if (merge.rows_removed == 0) {
            return journal_.append(table, merge.changed);
        }
        TB_RETURN_IF_ERROR(journal_.remove(table));
        TB_TRY([[maybe_unused]] const std::int64_t days, journal_.heal(connection));
        return {};
    }

    Result<void> write_bookkeeping(db::Transaction& transaction, const MarketJob& job,
                                   const MarketFileResult& result, const StoredFile* stored) {
        db::Connection& connection = transaction.connection();
        for (const std::string_view name : {"_sync_files", "_sync_issues"}) {
            TB_TRY([[maybe_unused]] const std::int64_t count,
                   connection.run(
                       fmt::format("DELETE FROM trades.{} WHERE block_id = $1 AND file_name = $2",
                                   name),
                       kMarketBlockId, result.file_name));
        }
        TB_RETURN_IF_ERROR(write_file_row(transaction, job, result));
        TB_TRY(TableRows issues, TableRows::open(transaction, "trades", "_sync_issues"));
        for (const market::MarketIssue& issue : job.parse.issues) {
            issues.text("block_id", kMarketBlockId);
            issues.text("role", kMarketRole);
            issues.text("file_name", result.file_name);
            issues.text("file_hash", job.content.hash);
            issues.integer("line", issue.line);
            issues.text("column_name", issue.column);
            issues.text("value", issue.value);
            issues.text("reason", issue.reason);
            issues.text("action", issue.skipped ? "skipped" : "repaired");
            TB_RETURN_IF_ERROR(issues.end_row());
        }
        TB_RETURN_IF_ERROR(issues.close());
        TB_TRY(const std::int64_t log_id, next_log_id(connection));
        TB_TRY(TableRows log, TableRows::open(transaction, "trades", "_sync_log"));
        std::string_view event = stored == nullptr ? "added" : "changed";
        if (result.status == SyncStatus::kError) {
            event = "rejected";
        }
        log.integer("id", log_id);
        log.instant("changed_at", run_.clock.now());
        log.text("block_id", kMarketBlockId);
        log.text("event", event);
        log.text("role", kMarketRole);
        log.text("file_name", result.file_name);
        log.text("old_hash", stored == nullptr ? std::string() : stored->content_hash);
        log.text("new_hash", job.content.hash);
        // Merged by date: what was added or changed, and what stayed as it was. Nothing is removed.
        log.integer("rows_added", result.rows_inserted + result.rows_updated);
        log.integer("rows_removed", 0);
        log.integer("rows_kept", result.rows_kept);
        log.integer("rows_skipped", result.rows_skipped);
        log.integer("rows_repaired", job.parse.rows_repaired);
        log.number("duration_ms", elapsed_ms_since(job.started));
        log.text("message", job.parse.rejection);
        TB_RETURN_IF_ERROR(log.end_row());
        return log.close();
    }

    static Result<void> write_file_row(db::Transaction& transaction, const MarketJob& job,
                                       const MarketFileResult& result) {
        TB_TRY(TableRows files, TableRows::open(transaction, "trades", "_sync_files"));
        files.text("block_id", kMarketBlockId);
        files.text("role", kMarketRole);
        files.text("file_name", result.file_name);
        files.integer("size", static_cast<std::int64_t>(job.content.stat.size));
        files.integer("mtime_ns", job.content.stat.mtime_ns);
        files.integer("ctime_ns", job.content.stat.ctime_ns);
        files.integer("inode", static_cast<std::int64_t>(job.content.stat.inode));
        files.integer("device", static_cast<std::int64_t>(job.content.stat.device));
        files.text("content_hash", job.content.hash);
        files.integer("data_rows", job.parse.data_rows);
        files.integer("rows_stored", result.status == SyncStatus::kError
                                         ? 0
                                         : job.parse.data_rows - job.parse.rows_skipped);
        files.integer("rows_skipped", result.rows_skipped);
        files.integer("rows_repaired", job.parse.rows_repaired);
        files.integer("issues_total", job.parse.issues_total);
        files.text("recognised_by", "name");
        files.text("rejection", job.parse.rejection);
        files.text("settings", settings());
        files.instant("stat_checked_at", job.content.looked_at);
        TB_RETURN_IF_ERROR(files.end_row());
        return files.close();
    }

    Result<void> refresh_stamps(db::Connection& connection, const MarketJob& job,
                                const StoredFile& stored) {
        const FileStat& stat = job.content.stat;
        if (stat_proves_unchanged(stored.stat, stored.looked_at, stat) ||
            !stat_proves_unchanged(stat, job.content.looked_at, stat)) {
            return {};
        }
        TB_TRY([[maybe_unused]] const std::int64_t count,
               connection.run("UPDATE trades._sync_files SET size = $1, mtime_ns = $2, ctime_ns = "
                              "$3, inode = $4, device = $5, stat_checked_at = $6 "
                              "WHERE block_id = $7 AND file_name = $8",
                              static_cast<std::int64_t>(stat.size), stat.mtime_ns, stat.ctime_ns,
                              static_cast<std::int64_t>(stat.inode),
                              static_cast<std::int64_t>(stat.device), job.content.looked_at,
                              kMarketBlockId, job.file->file_name));
        return {};
    }

    db::DataStore& store_;
    SyncRun run_;
    std::filesystem::path folder_;
    market::MarketJournal journal_;
    bool journals_;                       // whether journals may be read and written
    std::set<std::string_view> ignored_;  // files that are not to be followed
};

}  // namespace

Result<MarketSyncResult> sync_market_data(db::DataStore& store, const SyncOptions& options) {
    const auto started = std::chrono::steady_clock::now();
    auto result = with_recovery(store, [&]() -> Result<MarketSyncResult> {
        MarketSync sync(store, options);
        TB_TRY(std::optional<MarketSyncResult> quick, sync.try_without_writing());
        return quick.has_value() ? Result<MarketSyncResult>(std::move(*quick)) : sync.run();
    });
    if (result.has_value()) {
        result->duration_ms = elapsed_ms_since(started);
    }
    return result;
}

Result<MarketSyncResult> sync_market_data(const std::filesystem::path& data_dir,
                                          const SyncOptions& options) {
    TB_TRY(const auto store, db::DataStore::for_directory(data_dir));
    return sync_market_data(*store, options);
}

}  // namespace tb::sync
