#include "tools/app.h"

#include <algorithm>

#include <fmt/format.h>

#include "blocks/discovery.h"
#include "core/log.h"
#include "market/market_files.h"
#include "mcp/nearest.h"
#include "mcp/render.h"

namespace tb::tools {

namespace {

constexpr std::size_t kCacheBytes = 256U << 20U;
// How often a server on a stand-in looks whether the file is free again.
constexpr std::chrono::seconds kLockRetry{5};
// How often a reader begins anew because the database was exchanged under it.
constexpr int kMostExchanges = 5;

bool changed(const sync::BlockSyncResult& block) {
    return block.status == sync::SyncStatus::kDeleted || !block.files.empty();
}

}  // namespace

App::App(AppOptions options) : options_(std::move(options)), cache_(kCacheBytes) {}

App::~App() = default;

FileSystem& App::file_system() const {
    return options_.file_system != nullptr ? *options_.file_system : real_file_system();
}

const Clock& App::clock() const {
    return options_.clock != nullptr ? *options_.clock : system_clock();
}

Result<std::shared_ptr<db::DataStore>> App::store(const CancelToken& cancel) {
    const std::lock_guard lock(mutex_);
    TB_RETURN_IF_ERROR(make_store());
    exchange_if_due(*store_);
    TB_RETURN_IF_ERROR(open(*store_, cancel));
    return store_;
}

Result<void> App::make_store() {
    if (store_ == nullptr) {
        TB_TRY(store_, db::DataStore::for_directory(options_.data_dir, options_.store));
    }
    return {};
}

// Closes what is open; whoever still reads from it keeps it alive.
void App::exchange_if_due(db::DataStore& store) {
    const bool retry = store.mode() == db::StoreMode::kMemory &&
                       std::chrono::steady_clock::now() - last_lock_try_ > kLockRetry;
    if ((retry || store.has_lost_its_file()) &&
        store.close_if_idle(std::chrono::steady_clock::duration::zero())) {
        cache_.clear();
    }
}

Result<void> App::open(db::DataStore& store, const CancelToken& cancel) {
    if (store.is_connected()) {
        return {};
    }
    auto opened = options_.allow_stand_in ? store.open_or_stand_in(cancel) : store.open(cancel);
    last_lock_try_ = std::chrono::steady_clock::now();  // opening waits for the lock itself
    return opened;
}

void App::note_sync(const db::DataStore& store, std::uint64_t generation, bool of_everything) {
    const std::lock_guard lock(mutex_);
    if (store.generation() == generation && (of_everything || synced_generation_ == 0)) {
        synced_generation_ = generation;
    }
}

Result<db::Connection> App::reader(const CancelToken& cancel) {
    for (int attempt = 0; attempt < kMostExchanges; ++attempt) {
        std::shared_ptr<db::DataStore> store;
        std::uint64_t synced = 0;
        {
            const std::lock_guard lock(mutex_);
            TB_RETURN_IF_ERROR(make_store());
            TB_RETURN_IF_ERROR(open(*store_, cancel));
            store = store_;
            synced = synced_generation_;
        }
        {
            const std::uint64_t generation = store->generation();
            TB_TRY(db::Connection connection, store->reader());
            if (store->generation() != generation) {
                continue;
            }
            if (synced == 0 || synced == generation) {
                return connection;
            }
        }
        // Without a connection in hand: the sync may have to open the database anew, which waits
        // for its readers.
        TB_TRY([[maybe_unused]] const SyncAll all, sync_all(cancel, {}));
    }
    return make_error(ErrorCode::kBusy,
                      "the database was exchanged again and again while it was read: ask again");
}

Result<db::Connection> App::unsynced_reader(const CancelToken& cancel) {
    const std::lock_guard lock(mutex_);
    TB_RETURN_IF_ERROR(make_store());
    TB_RETURN_IF_ERROR(open(*store_, cancel));
    return store_->reader();
}

Result<App::SyncAll> App::sync_all(const CancelToken& cancel, const ProgressCallback& progress,
                                   bool verify) {
    TB_TRY(const auto store, this->store(cancel));
    sync::SyncOptions options;
    options.verify = verify;
    options.cancel = cancel;
    options.progress = progress;
    options.file_system = &file_system();
    options.clock = &clock();
    SyncAll result;
    const std::uint64_t generation = store->generation();
    TB_TRY(result.blocks, sync::sync_all_blocks(*store, options));
    TB_TRY(result.market, sync::sync_market_data(*store, options));
    note_sync(*store, generation, true);
    std::vector<std::string> ids;
    for (const sync::BlockSyncResult& block : result.blocks.blocks) {
        if (changed(block)) {
            ids.push_back(block.block_id);
        }
    }
    announce(ids);
    announce_market(result.market.rows_inserted + result.market.rows_updated);
    return result;
}

Result<sync::BlockSyncResult> App::sync_one(std::string_view block_id, const CancelToken& cancel,
                                            bool verify) {
    TB_TRY(const auto store, this->store(cancel));
    sync::SyncOptions options;
    options.verify = verify;
    options.cancel = cancel;
    options.file_system = &file_system();
    options.clock = &clock();
    const std::uint64_t generation = store->generation();
    auto synced = sync::sync_block(block_id, *store, options);
    note_sync(*store, generation, false);
    if (!synced.has_value()) {
        const ErrorCode code = synced.error().code;
        if (code == ErrorCode::kNotFound || code == ErrorCode::kInvalidArgument) {
            if (const auto meant = block_shown_as(block_id)) {
                return sync_one(*meant, cancel, verify);
            }
            return tl::unexpected<Error>(unknown_block(block_id, synced.error()));
        }
        return tl::unexpected<Error>(synced.error());
    }
    if (changed(*synced)) {
        announce({std::string(block_id)});
    }
    return synced;
}

Result<FreshBlock> App::fresh_block(std::string_view block_id, const CancelToken& cancel) {
    auto synced = sync_one(block_id, cancel);
    if (!synced.has_value()) {
        return tl::unexpected<Error>(synced.error());
    }
    if (synced->status == sync::SyncStatus::kDeleted) {
        return tl::unexpected<Error>(unknown_block(
            block_id,
            Error{ErrorCode::kNotFound,
                  fmt::format("block '{}' is gone: its folder or trade log was removed", block_id),
                  ""}));
    }
    if (synced->status == sync::SyncStatus::kError) {
        return make_error(ErrorCode::kParse,
                          fmt::format("block '{}' cannot be read: {}", block_id,
                                      synced->error.has_value() ? synced->error->to_string() : ""));
    }
    TB_TRY(db::Connection connection, reader(cancel));
    auto data = cache_.get(connection, synced->block_id);
    if (!data.has_value()) {
        if (data.error().code == ErrorCode::kNotFound && synced->error.has_value()) {
            return make_error(ErrorCode::kBusy, fmt::format("block '{}' has no stored rows yet: {}",
                                                            block_id, synced->error->to_string()));
        }
        return tl::unexpected<Error>(data.error());
    }
    return FreshBlock{std::move(*data), std::move(*synced)};
}

bool App::heal_if_suspected(const CancelToken& cancel) {
    std::shared_ptr<db::DataStore> store;
    {
        const std::lock_guard lock(mutex_);
        store = store_;
    }
    if (store == nullptr || !store->suspected()) {
        return false;
    }
    const auto healed = store->look_again(cancel);
    if (!healed.has_value()) {
        log(LogLevel::kWarning, healed.error().to_string());
        return false;
    }
    if (*healed) {
        cache_.clear();
    }
    return *healed;
}

bool App::release_if_idle(std::chrono::steady_clock::duration idle) {
    std::shared_ptr<db::DataStore> store;
    {
        const std::lock_guard lock(mutex_);
        // Others may have opened it: the object is the same for everybody in this process.
        if (!make_store().has_value()) {
            return false;
        }
        store = store_;
    }
    return store->mode() == db::StoreMode::kFile && store->close_if_idle(idle);
}

Result<std::vector<std::string>> App::stored_block_ids() {
    TB_TRY(db::Connection connection, unsynced_reader());
    return sync::get_all_synced_block_ids(connection);
}

// Answers show a folder's name without the characters that hide or command (mcp/render.h); who
// gives the shown name back means that folder.
std::optional<std::string> App::block_shown_as(std::string_view shown) {
    auto folders = blocks::list_block_folders(file_system(), options_.data_dir);
    if (!folders.has_value()) {
        return std::nullopt;
    }
    for (const blocks::BlockFolder& folder : folders->folders) {
        if (folder.id != shown && mcp::harmless_text(folder.id) == shown) {
            return folder.id;
        }
    }
    return std::nullopt;
}

Error App::unknown_block(std::string_view block_id, Error cause) {
    std::vector<std::string> known;
    if (auto folders = blocks::list_block_folders(file_system(), options_.data_dir);
        folders.has_value()) {
        for (const blocks::BlockFolder& folder : folders->folders) {
            known.push_back(folder.id);
        }
    }
    const std::string hint = mcp::did_you_mean(block_id, known);
    cause.message += hint.empty() ? "; list_blocks names the blocks there are" : hint;
    return cause;
}

void App::set_change_listener(ChangeListener listener) {
    const std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
}

void App::announce_market(std::int64_t rows_changed) {
    if (rows_changed > 0) {
        announce({std::string(market::kMarketFolder)});
    }
}

void App::announce(const std::vector<std::string>& changed) {
    if (changed.empty()) {
        return;
    }
    ChangeListener listener;
    {
        const std::lock_guard lock(mutex_);
        listener = listener_;
    }
    if (listener) {
        listener(changed);
    }
}

void App::close() {
    const std::lock_guard lock(mutex_);
    cache_.clear();
    if (store_ != nullptr) {
        // Readers that are still out keep the file; they are about to go.
        [[maybe_unused]] const auto closed = store_->close();
    }
}

}  // namespace tb::tools
