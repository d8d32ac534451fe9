#include "sync/sync.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "blocks/discovery.h"
#include "core/log.h"
#include "sync/block_writer.h"
#include "sync/bounded_queue.h"
#include "sync/sync_support.h"

namespace tb::sync {

namespace {

constexpr std::size_t kMaxBytesAhead = 32U << 20U;
// More than this belongs into a file, not into memory (00 §2).
constexpr std::int64_t kMaxStandInTrades = 2'000'000;
// Above this the write-ahead log is folded into the file at the end of a sync, so that no later
// COMMIT has to do it in the middle of somebody's question.
constexpr std::uint64_t kCheckpointWalBytes = 8U << 20U;

struct Folders {
    std::vector<blocks::BlockFolder> present;
    std::vector<std::string> gone;  // stored, but no such folder
    std::vector<std::string> warnings;
};

Result<Folders> list_folders(FileSystem& fs, const std::filesystem::path& data_dir,
                             const StoredState& state) {
    TB_TRY(blocks::BlockListing listing, blocks::list_block_folders(fs, data_dir));
    Folders folders{std::move(listing.folders), {}, std::move(listing.warnings)};
    for (const auto& [id, stored] : state) {
        const bool here = std::binary_search(
            folders.present.begin(), folders.present.end(), id, [](const auto& a, const auto& b) {
                if constexpr (std::is_same_v<std::decay_t<decltype(a)>, blocks::BlockFolder>) {
                    return a.id < b;
                } else {
                    return a < b.id;
                }
            });
        if (!here) {
            folders.gone.push_back(id);
        }
    }
    return folders;
}

StoredBlock stored_of(StoredState& state, const std::string& id) {
    const auto found = state.find(id);
    return found == state.end() ? StoredBlock{} : std::move(found->second);
}

void count(const BlockSyncResult& block, SyncResult& result) {
    ++result.processed;
    switch (block.status) {
        case SyncStatus::kSynced:
            ++result.synced;
            break;
        case SyncStatus::kUnchanged:
            ++result.unchanged;
            break;
        case SyncStatus::kDeleted:
            ++result.deleted;
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
    result.rows_inserted += block.rows_inserted;
    result.rows_skipped += block.rows_skipped;
    result.rows_repaired += block.rows_repaired;
    if (block.error.has_value()) {
        result.errors.push_back({block.block_id, block.status, *block.error});
    }
}

SyncResult summarise(std::vector<BlockSyncResult> blocks, std::vector<std::string> warnings) {
    SyncResult result;
    std::sort(blocks.begin(), blocks.end(),
              [](const auto& a, const auto& b) { return a.block_id < b.block_id; });
    for (const BlockSyncResult& block : blocks) {
        count(block, result);
    }
    result.blocks = std::move(blocks);
    result.warnings = std::move(warnings);
    return result;
}

// One whole run over a data directory.
class DirectorySync {
  public:
    DirectorySync(db::DataStore& store, const SyncOptions& options)
        : store_(store), run_(store, options) {}

    // The result when stamps alone prove that nothing changed; nullopt when somebody has to look.
    // What they prove of single blocks holds for run() too: only the others are looked at again.
    Result<std::optional<SyncResult>> try_without_writing() {
        if (run_.options.verify) {
            return std::optional<SyncResult>();
        }
        TB_TRY(db::Connection connection, store_.reader());
        TB_TRY(StoredState state, load_stored_state(connection));
        TB_TRY(const Folders folders, list_folders(run_.fs, store_.directory(), state));
        InspectContext context = run_.inspect_context();
        context.stat_only = true;
        bool all_proven = folders.gone.empty();
        std::vector<std::string> warnings = folders.warnings;
        for (const blocks::BlockFolder& folder : folders.present) {
            TB_RETURN_IF_ERROR(run_.check_cancelled());
            TB_TRY(const BlockJob job, inspect_block(context, folder, stored_of(state, folder.id)));
            if (job.kind == JobKind::kNotABlock) {
                warnings.insert(warnings.end(), job.warnings.begin(), job.warnings.end());
            } else if (job.kind == JobKind::kUnchanged || job.kind == JobKind::kKnownReject) {
                proven_.emplace(folder.id, result_without_writing(job));
            } else {
                all_proven = false;
            }
        }
        if (!all_proven) {
            return std::optional<SyncResult>();
        }
        return std::optional<SyncResult>(summarise(take_proven(), std::move(warnings)));
    }

    Result<SyncResult> run() {
        TB_TRY(db::DataStore::Writer writer, store_.writer(run_.options.cancel));
        db::Connection& connection = writer.connection();
        connection.cancel_with(run_.options.cancel);
        TB_TRY(StoredState state, load_stored_state(connection));
        TB_TRY(Folders folders, list_folders(run_.fs, store_.directory(), state));
        total_ = folders.present.size() + folders.gone.size();
        for (const std::string& gone_since : folders.gone) {
            proven_.erase(gone_since);
        }
        std::erase_if(folders.present, [&](const blocks::BlockFolder& folder) {
            return proven_.contains(folder.id);
        });
        done_ = total_ - folders.present.size() - folders.gone.size();

        WriteEnvironment environment = run_.write_environment();
        environment.reopen = [&] { return store_.reopen(writer, run_.options.cancel); };
        BlockWriter block_writer(connection, environment, [&](const BlockJob& job) {
            return inspect_block(run_.inspect_context(), run_.folder_of(job.block_id), job.stored);
        });
        TB_RETURN_IF_ERROR(feed(folders, state, block_writer));
        TB_RETURN_IF_ERROR(block_writer.finish());
        if (store_.wal_bytes() > kCheckpointWalBytes && !connection.must_reopen()) {
            // The rows are committed; a checkpoint that fails (disk full) is tried again later.
            if (const auto folded = store_.checkpoint(writer); !folded.has_value()) {
                folders.warnings.push_back("checkpoint put off: " + folded.error().to_string());
            }
        }
        std::vector<BlockSyncResult> results = block_writer.take_results();
        for (BlockSyncResult& unchanged : take_proven()) {
            results.push_back(std::move(unchanged));
        }
        return summarise(std::move(results), std::move(folders.warnings));
    }

  private:
    std::vector<BlockSyncResult> take_proven() {
        std::vector<BlockSyncResult> results;
        for (auto& [id, result] : proven_) {
            results.push_back(std::move(result));
        }
        proven_.clear();
        return results;
    }

    // Looks, hashes and parses ahead on a second thread while this one writes.
    Result<void> feed(Folders& folders, StoredState& state, BlockWriter& block_writer) {
        BoundedQueue<Result<BlockJob>> queue(kMaxBytesAhead);
        const InspectContext context = run_.inspect_context();
        const std::jthread reader([&] {
            for (const blocks::BlockFolder& folder : folders.present) {
                if (run_.options.cancel.cancelled()) {
                    break;
                }
                auto job = inspect_block(context, folder, stored_of(state, folder.id));
                const std::size_t cost = 4096 + (job.has_value() ? job->memory_bytes : 0);
                if (!queue.push(std::move(job), cost)) {
                    break;
                }
            }
            for (const std::string& id : folders.gone) {
                if (!queue.push(deletion_job(id, stored_of(state, id)), 4096)) {
                    break;
                }
            }
            queue.close();
        });
        Result<void> outcome;
        while (auto job = queue.pop()) {
            outcome = take(std::move(*job), folders, block_writer);
            if (!outcome.has_value()) {
                queue.close();
                break;
            }
        }
        return outcome.has_value() ? run_.check_cancelled() : outcome;
    }

    Result<void> take(Result<BlockJob> job, Folders& folders, BlockWriter& block_writer) {
        TB_RETURN_IF_ERROR(run_.check_cancelled());
        if (!job.has_value()) {
            return tl::unexpected<Error>(job.error());
        }
        if (job->kind == JobKind::kNotABlock) {
            folders.warnings.insert(folders.warnings.end(), job->warnings.begin(),
                                    job->warnings.end());
        }
        ++done_;
        if (run_.options.progress) {
            run_.options.progress({done_, total_, "blocks", job->block_id});
        }
        return block_writer.add(std::move(*job));
    }

    db::DataStore& store_;
    SyncRun run_;
    std::map<std::string, BlockSyncResult, std::less<>> proven_;  // unchanged, by their stamps
    std::uint64_t done_ = 0;
    std::uint64_t total_ = 0;
};

Result<SyncResult> sync_directory_once(db::DataStore& store, const SyncOptions& options) {
    DirectorySync sync(store, options);
    TB_TRY(std::optional<SyncResult> quick, sync.try_without_writing());
    return quick.has_value() ? Result<SyncResult>(std::move(*quick)) : sync.run();
}

Result<BlockSyncResult> sync_one_once(std::string_view block_id, db::DataStore& store,
                                      const SyncOptions& options) {
    const SyncRun run(store, options);
    const blocks::BlockFolder folder = run.folder_of(block_id);
    TB_TRY(const bool present, run.has_folder(block_id));
    if (present && !options.verify) {
        TB_TRY(db::Connection connection, store.reader());
        TB_TRY(StoredBlock stored, load_stored_block(connection, block_id));
        InspectContext context = run.inspect_context();
        context.stat_only = true;
        TB_TRY(const BlockJob job, inspect_block(context, folder, std::move(stored)));
        if (job.kind == JobKind::kUnchanged || job.kind == JobKind::kKnownReject) {
            return result_without_writing(job);
        }
    }
    TB_TRY(db::DataStore::Writer writer, store.writer(options.cancel));
    writer.connection().cancel_with(options.cancel);
    TB_TRY(StoredBlock stored, load_stored_block(writer.connection(), block_id));
    const bool known = !stored.files.empty() || stored.metadata.has_value();
    BlockJob job;
    if (present) {
        TB_TRY(job, inspect_block(run.inspect_context(), folder, std::move(stored)));
    } else if (known) {
        job = deletion_job(std::string(block_id), std::move(stored));
    }
    if (job.kind == JobKind::kNotABlock || (!present && !known)) {
        return make_error(
            ErrorCode::kNotFound,
            present ? fmt::format("folder '{}' holds no trade log", block_id)
                    : fmt::format("no block '{}' in {}", block_id, store.directory().string()));
    }
    WriteEnvironment environment = run.write_environment();
    environment.reopen = [&] { return store.reopen(writer, options.cancel); };
    BlockWriter block_writer(writer.connection(), environment, [&](const BlockJob& again) {
        return inspect_block(run.inspect_context(), folder, again.stored);
    });
    TB_RETURN_IF_ERROR(block_writer.add(std::move(job)));
    TB_RETURN_IF_ERROR(block_writer.finish());
    std::vector<BlockSyncResult> results = block_writer.take_results();
    return std::move(results.front());
}

}  // namespace

std::string_view status_name(SyncStatus status) {
    switch (status) {
        case SyncStatus::kSynced:
            return "synced";
        case SyncStatus::kUnchanged:
            return "unchanged";
        case SyncStatus::kDeleted:
            return "deleted";
        case SyncStatus::kError:
            return "error";
        case SyncStatus::kIncomplete:
            return "incomplete";
        case SyncStatus::kStale:
            return "stale";
        case SyncStatus::kBusy:
            return "busy";
    }
    return "error";
}

SyncRun::SyncRun(const db::DataStore& store, const SyncOptions& sync_options)
    : options(sync_options),
      fs(sync_options.file_system != nullptr ? *sync_options.file_system : real_file_system()),
      clock(sync_options.clock != nullptr ? *sync_options.clock : system_clock()),
      data_dir(store.directory()),
      stand_in(store.mode() == db::StoreMode::kMemory) {}

InspectContext SyncRun::inspect_context() const {
    return {fs, clock, options.cancel, options.verify, false, data_dir};
}

WriteEnvironment SyncRun::write_environment() const {
    return {fs, clock, options.cancel,  options.probe, stand_in ? kMaxStandInTrades : 0,
            0,  {},    options.progress};
}

blocks::BlockFolder SyncRun::folder_of(std::string_view block_id) const {
    return {std::string(block_id), data_dir / std::filesystem::path(block_id)};
}

Result<void> SyncRun::check_cancelled() const {
    if (options.cancel.cancelled()) {
        return make_error(ErrorCode::kInterrupted,
                          "sync cancelled; blocks finished before stay as they are");
    }
    return {};
}

Result<bool> SyncRun::has_folder(std::string_view block_id) const {
    if (!blocks::is_eligible_folder_name(block_id)) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("'{}' cannot be a block: an id is the name of one folder, "
                                      "without separators, not starting with '.' or '_' and not "
                                      "ending in .tmp or .duckdb",
                                      block_id));
    }
    TB_TRY(const blocks::BlockListing listing, blocks::list_block_folders(fs, data_dir));
    return std::any_of(listing.folders.begin(), listing.folders.end(),
                       [&](const blocks::BlockFolder& f) { return f.id == block_id; });
}

Result<std::string> hash_file_content(const std::filesystem::path& path) {
    TB_TRY(std::unique_ptr<File> file, real_file_system().open(path));
    return HashingFileSource(std::move(file)).finish();
}

Result<SyncResult> sync_all_blocks(db::DataStore& store, const SyncOptions& options) {
    const auto started = std::chrono::steady_clock::now();
    TB_RETURN_IF_ERROR(store.open(options.cancel));
    std::vector<std::string> warnings;
    if (options.verify) {
        // Every block of the database as well, with fresh eyes. While others read it, the rest has
        // to do.
        if (const auto looked = store.look_again(options.cancel); !looked.has_value()) {
            if (looked.error().code != ErrorCode::kBusy) {
                return tl::unexpected<Error>(looked.error());
            }
            warnings.push_back("the database file was not looked through: " +
                               looked.error().to_string());
        }
    }
    auto result = with_recovery(store, [&] { return sync_directory_once(store, options); });
    if (result.has_value()) {
        result->not_read = files_not_read(SyncRun(store, options).fs, store.directory());
        for (std::string& line : not_read_lines(result->not_read)) {
            result->warnings.push_back(std::move(line));
        }
        result->warnings.insert(result->warnings.end(), warnings.begin(), warnings.end());
        add_store_notes(store, result->warnings);
        result->duration_ms = elapsed_ms_since(started);
    }
    return result;
}

Result<BlockSyncResult> sync_block(std::string_view block_id, db::DataStore& store,
                                   const SyncOptions& options) {
    const auto started = std::chrono::steady_clock::now();
    auto result = with_recovery(store, [&] { return sync_one_once(block_id, store, options); });
    if (result.has_value()) {
        if (options.progress) {
            options.progress({1, 1, "blocks", std::string(block_id)});
        }
        add_store_notes(store, result->warnings);
        result->duration_ms = elapsed_ms_since(started);
    }
    return result;
}

Result<SyncResult> sync_all_blocks(const std::filesystem::path& data_dir,
                                   const SyncOptions& options) {
    TB_TRY(const auto store, db::DataStore::for_directory(data_dir));
    return sync_all_blocks(*store, options);
}

Result<BlockSyncResult> sync_block(std::string_view block_id, const std::filesystem::path& data_dir,
                                   const SyncOptions& options) {
    TB_TRY(const auto store, db::DataStore::for_directory(data_dir));
    return sync_block(block_id, *store, options);
}

}  // namespace tb::sync
