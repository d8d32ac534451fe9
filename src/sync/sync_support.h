// What the entry points of sync share. Not for use outside this module.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "blocks/discovery.h"
#include "db/data_store.h"
#include "sync/block_transaction.h"
#include "sync/sync.h"

namespace tb::sync {

// Options with their defaults filled in, for one run over one store.
struct SyncRun {
    SyncRun(const db::DataStore& store, const SyncOptions& sync_options);

    [[nodiscard]] InspectContext inspect_context() const;
    [[nodiscard]] WriteEnvironment write_environment() const;
    [[nodiscard]] blocks::BlockFolder folder_of(std::string_view block_id) const;
    [[nodiscard]] Result<void> check_cancelled() const;
    // kInvalidArgument for a name that cannot be a block.
    [[nodiscard]] Result<bool> has_folder(std::string_view block_id) const;

    const SyncOptions& options;
    FileSystem& fs;
    const Clock& clock;
    std::filesystem::path data_dir;
    bool stand_in;
};

[[nodiscard]] inline double elapsed_ms_since(std::chrono::steady_clock::time_point since) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since)
        .count();
}

// Says what the reader of an answer must know about the database it came from.
void add_store_notes(const db::DataStore& store, std::vector<std::string>& warnings);

// Runs `work`; when it meets a damaged database, has that looked through or sets it aside
// (db/recovery.h) and runs `work` once more on what is there then.
template <class Work>
auto with_recovery(db::DataStore& store, Work work) -> decltype(work()) {
    TB_RETURN_IF_ERROR(store.open());
    auto result = work();
    if (result.has_value() || store.mode() != db::StoreMode::kFile || !store.suspected()) {
        return result;
    }
    const auto healed = store.look_again();
    if (!healed.has_value()) {
        return result;
    }
    // Not every block of a file belongs to rows: where all of those can be read, and our statement
    // still failed on a damaged one, an index is what is damaged.
    if (!*healed &&
        (!db::is_damage(result.error()) || !store.recover(result.error()).has_value())) {
        return result;
    }
    return work();
}

}  // namespace tb::sync
