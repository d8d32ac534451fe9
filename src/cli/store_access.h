// How commands get at the database of a data directory. In the process of a server
// (Session::app) it is that server's, and stays open.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "core/result.h"
#include "db/data_store.h"
#include "sync/sync.h"

namespace tb::cli {

// What a command opens the database for.
enum class Work : std::uint8_t { kQueries, kLoading };

// kNotFound with advice if there is no folder of this name.
[[nodiscard]] Result<void> check_data_directory(const std::string& directory);

// The store of a directory with the options of the environment; opened by nobody yet. kNotFound
// says so in words for people when there is no such folder.
[[nodiscard]] Result<std::shared_ptr<db::DataStore>> store_of(const std::string& directory,
                                                              Work work = Work::kQueries);

// Options of the database engine, from the environment of this process.
[[nodiscard]] Result<db::StoreOptions> store_options(Work work = Work::kQueries);

// Opens the file; kLocked when another process keeps it for longer than a short sync takes.
[[nodiscard]] Result<void> open_for_writing(db::DataStore& store, Session& session);

// Opens the file or, where it is locked or the folder cannot be written, a stand-in in memory that
// is filled from the CSV files; says so on standard error. True = stand-in: without the history of
// changes and of market data that the file holds.
[[nodiscard]] Result<bool> open_for_reading(db::DataStore& store, Session& session);

// Whether the directory was ever synced.
[[nodiscard]] bool has_database(const std::string& directory);

struct WholeSync {
    sync::SyncResult blocks;
    sync::MarketSyncResult market;
};
// Blocks and market data, with progress on the terminal.
[[nodiscard]] Result<WholeSync> sync_everything(db::DataStore& store, Session& session,
                                                bool verify);
// One block, with progress where the command runs in a process of its own.
[[nodiscard]] Result<sync::BlockSyncResult> sync_one(std::string_view block_id,
                                                     db::DataStore& store, Session& session,
                                                     bool verify);
// kDone, or kPartly when something failed or was deferred.
[[nodiscard]] ExitCode exit_code_of(const WholeSync& result);

// Says on standard error what recovery of a damaged database had to do, if anything.
void report_recovery(const db::DataStore& store, Session& session);

// Releases the file, unless it is the one of the server the command runs in; what stands in the way
// is said on standard error.
void close_store(db::DataStore& store, Session& session);

}  // namespace tb::cli
