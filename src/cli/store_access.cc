#include "cli/store_access.h"

#include <chrono>
#include <cstdlib>

#include <fmt/format.h>

#include "cli/relay.h"

namespace tb::cli {

namespace fs = std::filesystem;

namespace {

// Longer than another command of ours needs for an ordinary re-sync; a server holds it for hours.
constexpr auto kLockWait = std::chrono::milliseconds(1500);

std::optional<std::string> environment(std::string_view name) {
    const char* const value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

Result<void> check_data_directory(const std::string& directory) {
    std::error_code problem;
    if (fs::is_directory(directory, problem)) {
        return {};
    }
    return make_error(
        ErrorCode::kNotFound,
        fs::exists(directory, problem)
            ? "not a folder; name the data directory that holds one folder per block"
            : "no such folder; name the data directory that holds one folder per block",
        directory);
}

Result<std::shared_ptr<db::DataStore>> store_of(const std::string& directory, Work work) {
    TB_RETURN_IF_ERROR(check_data_directory(directory));
    TB_TRY(const db::StoreOptions options, store_options(work));
    return db::DataStore::for_directory(directory, options);
}

Result<db::StoreOptions> store_options(Work work) {
    db::StoreOptions options;
    const db::DatabaseOptions defaults =
        work == Work::kLoading ? db::DatabaseOptions::for_loading() : db::DatabaseOptions();
    TB_TRY(options.database, db::DatabaseOptions::from_environment(environment, defaults));
    options.lock_wait = kLockWait;
    return options;
}

Result<void> open_for_writing(db::DataStore& store, Session& session) {
    TB_RETURN_IF_ERROR(store.open(session.cancel));
    if (store.mode() == db::StoreMode::kMemory) {  // of the server we run in
        return make_error(ErrorCode::kLocked, store.mode_reason());
    }
    report_recovery(store, session);
    return {};
}

Result<bool> open_for_reading(db::DataStore& store, Session& session) {
    const auto opened = open_for_writing(store, session);
    if (opened) {
        return false;
    }
    // Locked by a server that came up just now: the command goes there instead.
    if (!db::DataStore::stand_in_helps(opened.error()) ||
        is_owned_elsewhere(store.directory(), session)) {
        return tl::unexpected<Error>(opened.error());
    }
    session.terminal.warning(opened.error().to_string());
    session.terminal.warning(
        "answering from the CSV files and the journals of market history instead, in memory; the "
        "history of changes is not available");
    if (!store.is_connected()) {
        TB_RETURN_IF_ERROR(store.open_stand_in(opened.error().message));
    }
    TB_TRY([[maybe_unused]] const auto synced, sync_everything(store, session, false));
    return true;
}

bool has_database(const std::string& directory) {
    std::error_code problem;
    return fs::exists(fs::path(directory) / db::kDatabaseFileName, problem);
}

Result<WholeSync> sync_everything(db::DataStore& store, Session& session, bool verify) {
    sync::SyncOptions options;
    options.verify = verify;
    options.cancel = session.cancel;
    options.progress = [&](const Progress& progress) { session.terminal.progress(progress); };
    WholeSync result;
    if (session.app != nullptr) {  // so that its clients hear of what has changed
        auto all = session.app->sync_all(session.cancel, options.progress, verify);
        session.terminal.clear_progress();
        if (!all) {
            return tl::unexpected<Error>(all.error());
        }
        result.blocks = std::move(all->blocks);
        result.market = std::move(all->market);
        return result;
    }
    auto blocks = sync::sync_all_blocks(store, options);
    if (blocks) {
        result.blocks = std::move(*blocks);
        auto market = sync::sync_market_data(store, options);
        if (market) {
            result.market = std::move(*market);
        }
        session.terminal.clear_progress();
        if (!market) {
            return tl::unexpected<Error>(market.error());
        }
        return result;
    }
    session.terminal.clear_progress();
    return tl::unexpected<Error>(blocks.error());
}

Result<sync::BlockSyncResult> sync_one(std::string_view block_id, db::DataStore& store,
                                       Session& session, bool verify) {
    if (session.app != nullptr) {  // so that its clients hear of what has changed
        return session.app->sync_one(block_id, session.cancel, verify);
    }
    sync::SyncOptions options;
    options.verify = verify;
    options.cancel = session.cancel;
    options.progress = [&](const Progress& progress) { session.terminal.progress(progress); };
    auto block = sync::sync_block(block_id, store, options);
    session.terminal.clear_progress();
    return block;
}

ExitCode exit_code_of(const WholeSync& result) {
    const bool complete = result.blocks.failed == 0 && result.blocks.deferred == 0 &&
                          result.market.failed == 0 && result.market.deferred == 0;
    return complete ? ExitCode::kDone : ExitCode::kPartly;
}

void report_recovery(const db::DataStore& store, Session& session) {
    if (const auto recovery = store.recovery()) {
        session.terminal.warning(recovery->to_string());
    }
}

void close_store(db::DataStore& store, Session& session) {
    if (session.app != nullptr) {
        return;
    }
    if (const auto closed = store.close(); !closed) {
        session.terminal.warning(closed.error().to_string());
    }
}

}  // namespace tb::cli
