#include "tools/app.h"

#include <algorithm>

#include <fmt/format.h>

#include "blocks/discovery.h"
#include "mcp/nearest.h"

namespace tb::tools {

namespace {

constexpr std::size_t kCacheBytes = 256U << 20U;
// How often a server on a stand-in looks whether the file is free again.
constexpr std::chrono::seconds kLockRetry{5};

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
    if (store_ == nullptr) {
        TB_TRY(store_, db::DataStore::for_directory(options_.data_dir, options_.store));
    }
    TB_RETURN_IF_ERROR(open(*store_, cancel));
    return store_;
}

Result<void> App::open(db::DataStore& store, const CancelToken& cancel) {
    const auto now = std::chrono::steady_clock::now();
    if (store.mode() == db::StoreMode::kMemory && now - last_lock_try_ > kLockRetry) {
        // Drop the stand-in and try the file; whoever still reads from it keeps it alive.
        last_lock_try_ = now;
        if (store.close_if_idle(std::chrono::steady_clock::duration::zero())) {
            cache_.clear();
        }
    }
    if (store.is_connected()) {
        return {};
    }
    last_lock_try_ = now;
    return options_.allow_stand_in ? store.open_or_stand_in(cancel) : store.open(cancel);
}

Result<db::Connection> App::reader(const CancelToken& cancel) {
    TB_TRY(const auto store, this->store(cancel));
    return store->reader();
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
    TB_TRY(result.blocks, sync::sync_all_blocks(*store, options));
    TB_TRY(result.market, sync::sync_market_data(*store, options));
    std::vector<std::string> ids;
    for (const sync::BlockSyncResult& block : result.blocks.blocks) {
        if (changed(block)) {
            ids.push_back(block.block_id);
        }
    }
    announce(ids);
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
    auto synced = sync::sync_block(block_id, *store, options);
    if (!synced.has_value()) {
        const ErrorCode code = synced.error().code;
        if (code == ErrorCode::kNotFound || code == ErrorCode::kInvalidArgument) {
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
    TB_TRY(const auto store, this->store(cancel));
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
    TB_TRY(db::Connection connection, store->reader());
    auto data = cache_.get(connection, block_id);
    if (!data.has_value()) {
        if (data.error().code == ErrorCode::kNotFound && synced->error.has_value()) {
            return make_error(ErrorCode::kBusy, fmt::format("block '{}' has no stored rows yet: {}",
                                                            block_id, synced->error->to_string()));
        }
        return tl::unexpected<Error>(data.error());
    }
    return FreshBlock{std::move(*data), std::move(*synced)};
}

Result<std::vector<std::string>> App::stored_block_ids() {
    TB_TRY(db::Connection connection, reader());
    return sync::get_all_synced_block_ids(connection);
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
