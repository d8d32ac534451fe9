// What every tool stands on: one data directory, its database, its freshness and its loaded blocks.
//
// Making an App opens nothing and reads nothing, so that a server can answer its first handshake at
// once; the first tool that needs data opens the database. Tools ask for fresh data and get either
// it or an Error that says what to do.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/file_system.h"
#include "core/progress.h"
#include "core/result.h"
#include "db/data_store.h"
#include "sync/sync.h"
#include "tools/block_data.h"

namespace tb::tools {

struct AppOptions {
    std::filesystem::path data_dir;
    db::StoreOptions store;
    // Work on an in-memory stand-in when the file is locked or cannot be written (00 §2); else such
    // a situation is an error.
    bool allow_stand_in = true;
    bool read_only = false;  // no tool that writes (imports, purges)
    // Folders that import may read from besides the data directory; empty = anywhere (stdio, CLI).
    std::vector<std::filesystem::path> import_roots;
    FileSystem* file_system = nullptr;  // default: the real one
    const Clock* clock = nullptr;       // default: the system's
};

// A block whose rows are what its files say now, or the last good rows and the reason.
struct FreshBlock {
    std::shared_ptr<const BlockData> data;
    sync::BlockSyncResult sync;
};

class App {
  public:
    // kNotFound when the directory does not exist at the first use, not here.
    explicit App(AppOptions options);
    App(const App&) = delete;
    App& operator=(const App&) = delete;
    App(App&&) = delete;
    App& operator=(App&&) = delete;
    ~App();

    [[nodiscard]] const AppOptions& options() const { return options_; }
    [[nodiscard]] FileSystem& file_system() const;
    [[nodiscard]] const Clock& clock() const;

    // The open store of the directory, for whoever syncs before reading: a stand-in is exchanged
    // here for the file once that is free, and a file that has gone for the one that is there.
    [[nodiscard]] Result<std::shared_ptr<db::DataStore>> store(const CancelToken& cancel = {});
    // A connection of one's own for reading. If the database was opened anew since the last sync
    // (exchanged by another call, or closed), everything is synced first: the caller's own sync was
    // of another database.
    //   kBusy  that happened again and again
    [[nodiscard]] Result<db::Connection> reader(const CancelToken& cancel = {});
    // One for whatever is stored now, synced or not.
    [[nodiscard]] Result<db::Connection> unsynced_reader(const CancelToken& cancel = {});

    // Blocks and market files, in that order. Failing blocks are in the results, not errors.
    struct SyncAll {
        sync::SyncResult blocks;
        sync::MarketSyncResult market;
    };
    [[nodiscard]] Result<SyncAll> sync_all(const CancelToken& cancel,
                                           const ProgressCallback& progress, bool verify = false);

    // One block, whatever comes of it: a failing or deleted block is in the result, not an error.
    //   kNotFound  no such block; the message names the nearest ids
    [[nodiscard]] Result<sync::BlockSyncResult> sync_one(std::string_view block_id,
                                                         const CancelToken& cancel,
                                                         bool verify = false);

    // Syncs the block, then loads it (from the cache when nothing changed).
    //   kNotFound  no such block; the message names the nearest ids
    //   kParse     its trade log is unusable; the message says why
    //   kBusy      half-written or changing, and nothing older is stored
    // Otherwise a deferred block comes with its last good rows and sync.status saying so.
    [[nodiscard]] Result<FreshBlock> fresh_block(std::string_view block_id,
                                                 const CancelToken& cancel);

    // After work that failed: if the database is suspected of damage, has it looked through and
    // healed (DataStore::look_again). True when there was something to heal, so that trying once
    // more may help.
    [[nodiscard]] bool heal_if_suspected(const CancelToken& cancel);
    // Lets the database file go, so that other programs can have it, if nobody has used it for that
    // long; the next use opens it again. True if it is closed now.
    bool release_if_idle(std::chrono::steady_clock::duration idle);

    // Ids of the blocks that are in the database now, byte order; without a sync.
    [[nodiscard]] Result<std::vector<std::string>> stored_block_ids();

    // Called with the ids of blocks a sync of this App changed or removed; `_marketdata`, which no
    // block can be called, stands for the market tables.
    using ChangeListener = std::function<void(const std::vector<std::string>& block_ids)>;
    void set_change_listener(ChangeListener listener);
    // For who changes rows of the market tables himself: tells the listener if there were any.
    void announce_market(std::int64_t rows_changed);

    // Closes the database (checkpointed). The App can be used again afterwards.
    void close();

  private:
    [[nodiscard]] Result<void> open(db::DataStore& store, const CancelToken& cancel);
    // With the mutex held.
    [[nodiscard]] Result<void> make_store();
    void exchange_if_due(db::DataStore& store);
    void note_sync(const db::DataStore& store, std::uint64_t generation, bool of_everything);
    [[nodiscard]] std::optional<std::string> block_shown_as(std::string_view shown);
    [[nodiscard]] Error unknown_block(std::string_view block_id, Error cause);
    void announce(const std::vector<std::string>& changed);

    AppOptions options_;
    std::mutex mutex_;
    std::shared_ptr<db::DataStore> store_;
    std::chrono::steady_clock::time_point last_lock_try_;
    std::uint64_t synced_generation_ = 0;  // of the store, when it was last synced; 0 = never
    ChangeListener listener_;
    BlockCache cache_;
};

}  // namespace tb::tools
