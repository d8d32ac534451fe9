#include "db/data_store.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "core/file_system.h"
#include "core/log.h"
#include "db/engine_state.h"
#include "db/file_check.h"
#include "db/file_lock.h"
#include "db/query_service.h"

namespace tb::db {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstLockPause{50};
constexpr std::chrono::milliseconds kLongestLockPause{2000};
constexpr std::chrono::milliseconds kCancelPoll{20};
constexpr std::chrono::seconds kReaderWait{5};

struct StoreRegistry {
    std::mutex mutex;
    std::map<std::filesystem::path, std::weak_ptr<DataStore>> stores;

    // Never destroyed: stores may be closed by other static objects at the end of the process.
    static StoreRegistry& instance() {
        static auto* const registry = new StoreRegistry;
        return *registry;
    }
};

void pause(SteadyClock::duration length, const CancelToken& cancel) {
    const auto end = SteadyClock::now() + length;
    while (!cancel.cancelled() && SteadyClock::now() < end) {
        std::this_thread::sleep_for(
            std::min<SteadyClock::duration>(kCancelPoll, end - SteadyClock::now()));
    }
}

}  // namespace

struct DataStore::Impl {
    std::mutex opening;  // taken before `mutex`; held while the engine opens, replaces, closes

    mutable std::mutex mutex;
    std::optional<DatabaseFileGuard> guard;
    std::condition_variable writer_free;
    std::optional<Database> database;
    std::optional<Connection> writer;  // between leases
    std::optional<FileIdentity> file;  // the one that is open
    bool writer_out = false;
    StoreMode mode = StoreMode::kClosed;
    std::uint64_t generation = 0;
    std::string reason;
    SchemaChange change;
    std::optional<RecoveryReport> recovery;
    SteadyClock::time_point last_used = SteadyClock::now();
    // What the next opening does about a look through the file. Guarded by `opening`.
    enum class Look { kIfNotMarked, kAlways, kNever } look = Look::kIfNotMarked;
    std::unique_ptr<QueryService> queries;

    // The connections that users hold: all but the writer connection that waits here.
    [[nodiscard]] std::int64_t in_use() const {
        return database.has_value() ? database->connection_count() - (writer.has_value() ? 1 : 0)
                                    : 0;
    }
    void forget_database() {
        writer.reset();
        database.reset();
        file.reset();
        mode = StoreMode::kClosed;
        reason.clear();
    }
};

DataStore::DataStore(std::filesystem::path directory, StoreOptions options)
    : directory_(std::move(directory)),
      database_file_(options.database_file.empty() ? directory_ / kDatabaseFileName
                                                   : options.database_file),
      options_(std::move(options)),
      impl_(std::make_unique<Impl>()) {
    impl_->guard.emplace(database_file_);
    impl_->queries = std::make_unique<QueryService>(*this);
}

DataStore::~DataStore() {
    impl_->queries.reset();  // while the store is whole
}

QueryService& DataStore::queries() {
    return *impl_->queries;
}

Result<std::shared_ptr<DataStore>> DataStore::for_directory(const std::filesystem::path& directory,
                                                            const StoreOptions& options) {
    std::error_code failed;
    const auto canonical = std::filesystem::canonical(directory, failed);
    if (failed || !std::filesystem::is_directory(canonical, failed)) {
        return make_error(ErrorCode::kNotFound,
                          fmt::format("{} is not a directory", directory.string()));
    }
    auto& registry = StoreRegistry::instance();
    const std::lock_guard lock(registry.mutex);
    std::erase_if(registry.stores, [](const auto& entry) { return entry.second.expired(); });
    if (auto alive = registry.stores[canonical].lock(); alive != nullptr) {
        return alive;
    }
    std::shared_ptr<DataStore> store(new DataStore(canonical, options));
    registry.stores[canonical] = store;
    return store;
}

Result<void> DataStore::open(const CancelToken& cancel) {
    // Looked at first without `opening`: who holds the writer may ask for a reader while another
    // thread waits in close().
    if (is_connected()) {
        return {};
    }
    const std::lock_guard opening(impl_->opening);
    return is_connected() ? Result<void>() : open_file(cancel);
}

Result<void> DataStore::open_stand_in(std::string reason) {
    const std::lock_guard opening(impl_->opening);
    return is_connected() ? Result<void>() : make_stand_in(std::move(reason));
}

// With `opening` held.
Result<void> DataStore::make_stand_in(std::string reason) {
    TB_TRY(Database database, Database::open_in_memory(options_.database));
    TB_TRY(Connection writer, database.connect());
    const Clock& clock = options_.clock != nullptr ? *options_.clock : system_clock();
    TB_TRY(SchemaChange change, ensure_schema(writer, clock.now()));
    const std::lock_guard lock(impl_->mutex);
    install(std::move(database), std::move(writer), std::move(change));
    impl_->mode = StoreMode::kMemory;
    impl_->reason = std::move(reason);
    return {};
}

Result<void> DataStore::open_or_stand_in(const CancelToken& cancel) {
    auto opened = open(cancel);
    if (opened.has_value() || !stand_in_helps(opened.error())) {
        return opened;
    }
    return open_stand_in(opened.error().message);
}

bool DataStore::stand_in_helps(const Error& error) {
    return error.code == ErrorCode::kLocked || error.code == ErrorCode::kIo ||
           error.code == ErrorCode::kResourceExhausted || is_newer_schema(error) ||
           is_newer_engine_file(error);
}

// With `opening` held. Tries again while another process holds the file.
Result<void> DataStore::open_file(const CancelToken& cancel) {
    const auto deadline = SteadyClock::now() + options_.lock_wait;
    SteadyClock::duration wait = kFirstLockPause;
    while (true) {
        auto opened = try_open_file();
        const auto left = deadline - SteadyClock::now();
        if (opened.has_value() || opened.error().code != ErrorCode::kLocked ||
            left <= SteadyClock::duration::zero()) {
            return opened;
        }
        pause(std::min(wait, left), cancel);
        if (cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled while waiting for the database");
        }
        wait = std::min<SteadyClock::duration>(wait * 2, kLongestLockPause);
    }
}

// A look through the file, where one is due. Damage is dealt with here; what is given back is what
// differs.
Result<std::optional<FileFindings>> DataStore::look_if_due(
    std::optional<RecoveryReport>& recovery) {
    std::error_code failed;
    if (const auto there = std::filesystem::status(database_file_, failed);
        std::filesystem::is_directory(there)) {
        return make_error(ErrorCode::kIo,
                          fmt::format("{} is a folder, the database would be a file of that name: "
                                      "move the folder away or rename it",
                                      database_file_.string()));
    } else if (!std::filesystem::is_regular_file(there) || is_open_here(database_file_)) {
        return std::optional<FileFindings>();
    }
    const auto look = std::exchange(impl_->look, Impl::Look::kIfNotMarked);
    if (look == Impl::Look::kNever ||
        (look == Impl::Look::kIfNotMarked && is_as_marked(database_file_))) {
        return std::optional<FileFindings>();
    }
    const auto seen = identity_of(database_file_);
    auto findings = look_through_file(database_file_, options_.database);
    if (!findings.has_value()) {  // no child process: as it was before there were any
        log(LogLevel::kWarning, findings.error().to_string());
        return std::optional<FileFindings>();
    }
    if (findings->error.has_value() && findings->error->code == ErrorCode::kLocked) {
        return tl::unexpected<Error>(*findings->error);
    }
    if (!findings->damage.empty()) {
        log(LogLevel::kInfo, "the database is damaged: " + findings->damage);
        const Clock& clock = options_.clock != nullptr ? *options_.clock : system_clock();
        const Error damage{ErrorCode::kDatabase, findings->damage, {}};
        TB_TRY(auto replaced,
               replace_damaged(database_file_, damage, true, options_.database, clock.now(), seen));
        if (replaced.has_value()) {
            recovery = std::move(replaced);
        }
        return std::optional<FileFindings>();
    }
    return std::optional<FileFindings>(std::move(*findings));
}

Result<void> DataStore::try_open_file() {
    const Clock& clock = options_.clock != nullptr ? *options_.clock : system_clock();
    TB_TRY(auto recovery,
           finish_interrupted_replacement(database_file_, options_.database, clock.now()));
    TB_TRY(const auto findings, look_if_due(recovery));
    Error damage;
    // Once as it is, once after a replacement.
    for (int attempt = 0; attempt < 2; ++attempt) {
        auto database = Database::open(database_file_, options_.database);
        Result<SchemaChange> change = make_error(ErrorCode::kInternal, "not open");
        if (database.has_value()) {
            TB_TRY(Connection writer, database->connect());
            change = ensure_schema(writer, clock.now());
            if (change.has_value() && findings.has_value()) {
                if (const auto put = put_right(writer, findings->differences, *change);
                    !put.has_value()) {
                    change = tl::unexpected<Error>(put.error());
                }
            }
            if (change.has_value()) {
                const std::lock_guard lock(impl_->mutex);
                install(std::move(*database), std::move(writer), std::move(*change));
                impl_->recovery = std::move(recovery);
                impl_->mode = StoreMode::kFile;
                impl_->file = identity_of(database_file_);
                return {};
            }
        }
        const bool opens = database.has_value();
        damage = opens ? change.error() : database.error();
        if (!is_damage_at_open(damage) || attempt > 0) {
            break;
        }
        database = make_error(ErrorCode::kInternal, "closed");
        TB_TRY(auto replaced,
               replace_damaged(database_file_, damage, opens, options_.database, clock.now()));
        if (replaced.has_value()) {
            recovery = std::move(replaced);
        }
    }
    return tl::unexpected<Error>(std::move(damage));
}

// With `mutex` held.
void DataStore::install(Database database, Connection writer, SchemaChange change) {
    impl_->database.emplace(std::move(database));
    ++impl_->generation;
    impl_->writer.emplace(std::move(writer));
    impl_->change = std::move(change);
    impl_->recovery.reset();
    impl_->reason.clear();
    impl_->last_used = SteadyClock::now();
}

Result<void> DataStore::close() {
    while (true) {
        {
            // Not under `opening`: the holder of the lease may need it to finish.
            std::unique_lock lock(impl_->mutex);
            impl_->writer_free.wait(lock, [&] { return !impl_->writer_out; });
        }
        const std::lock_guard opening(impl_->opening);
        std::optional<Database> closing;  // closed outside the lock: that may write the log back
        bool in_use = false;
        {
            const std::lock_guard lock(impl_->mutex);
            if (impl_->writer_out) {
                continue;  // taken again in between
            }
            in_use = impl_->in_use() > 0;
            impl_->writer.reset();
            closing = std::move(impl_->database);
            impl_->forget_database();
        }
        closing.reset();
        if (in_use) {
            return make_error(
                ErrorCode::kBusy,
                "connections are still in use; the file is released when they are gone");
        }
        return {};
    }
}

bool DataStore::close_if_idle(SteadyClock::duration idle) {
    const std::unique_lock opening(impl_->opening, std::try_to_lock);
    if (!opening.owns_lock()) {
        return false;
    }
    std::optional<Database> closing;
    {
        const std::lock_guard lock(impl_->mutex);
        if (impl_->mode == StoreMode::kClosed) {
            return true;
        }
        if (impl_->writer_out || impl_->in_use() > 0 ||
            SteadyClock::now() - impl_->last_used < idle) {
            return false;
        }
        impl_->writer.reset();
        closing = std::move(impl_->database);
        impl_->forget_database();
    }
    return true;
}

bool DataStore::is_connected() const {
    return mode() != StoreMode::kClosed;
}

std::uint64_t DataStore::generation() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->generation;
}

bool DataStore::has_lost_its_file() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->mode == StoreMode::kFile && impl_->file != identity_of(database_file_);
}

StoreMode DataStore::mode() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->mode;
}

std::string DataStore::mode_reason() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->reason;
}

SchemaChange DataStore::schema_change() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->change;
}

std::optional<RecoveryReport> DataStore::recovery() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->recovery;
}

Result<Connection> DataStore::reader() {
    while (true) {
        TB_RETURN_IF_ERROR(open());
        std::unique_lock lock(impl_->mutex);
        if (impl_->database.has_value() && !impl_->writer_out) {
            // Lost to another process: what is in memory may differ from the file by now.
            const bool lost = !impl_->database->renew_lock().has_value();
            const bool unusable = impl_->database->must_reopen() || impl_->database->suspected();
            if (unusable && (lost || impl_->in_use() == 0)) {
                const bool suspected = impl_->database->suspected();
                lock.unlock();
                std::optional<Connection> none;
                TB_RETURN_IF_ERROR(open_anew(none, {}, suspected));
                continue;
            }
        }
        if (impl_->database.has_value()) {  // not closed again in between
            impl_->last_used = SteadyClock::now();
            return impl_->database->connect();
        }
    }
}

struct DataStore::Writer::Lease {
    std::shared_ptr<DataStore> store;
    std::optional<Connection> connection;  // nothing only after a failed reopen()

    Lease(std::shared_ptr<DataStore> owner, Connection own)
        : store(std::move(owner)), connection(std::move(own)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Lease(Lease&&) = delete;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
        if (connection.has_value()) {
            connection->cancel_with({});
        }
        Impl& impl = *store->impl_;
        {
            const std::lock_guard lock(impl.mutex);
            impl.writer_out = false;
            impl.last_used = SteadyClock::now();
            // A transaction that outlives its lease must not be found by the next writer.
            if (impl.database.has_value() && connection.has_value() &&
                !connection->in_transaction()) {
                impl.writer = std::move(connection);
            }
        }
        impl.writer_free.notify_all();
    }
};

DataStore::Writer::Writer(std::unique_ptr<Lease> lease) : lease_(std::move(lease)) {}
DataStore::Writer::Writer(Writer&&) noexcept = default;
DataStore::Writer::~Writer() = default;
Connection& DataStore::Writer::connection() {
    return *lease_->connection;
}

Result<DataStore::Writer> DataStore::writer(const CancelToken& cancel,
                                            std::optional<SteadyClock::time_point> until) {
    while (true) {
        TB_RETURN_IF_ERROR(open(cancel));
        std::unique_lock lock(impl_->mutex);
        while (impl_->writer_out) {
            if (cancel.cancelled()) {
                return make_error(ErrorCode::kInterrupted,
                                  "cancelled while waiting for the writer");
            }
            if (until.has_value() && SteadyClock::now() >= *until) {
                return make_error(ErrorCode::kInterrupted,
                                  "the time limit passed while the tables were being written");
            }
            impl_->writer_free.wait_for(lock, kCancelPoll);
        }
        if (!impl_->database.has_value()) {
            continue;  // closed in between
        }
        static_cast<void>(impl_->database->renew_lock());  // if that fails, it must be reopened
        if (impl_->database->must_reopen() || impl_->database->suspected()) {
            const bool suspected = impl_->database->suspected();
            lock.unlock();
            std::optional<Connection> none;
            TB_RETURN_IF_ERROR(open_anew(none, cancel, suspected));
            continue;
        }
        if (!impl_->writer.has_value()) {
            TB_TRY(Connection fresh, impl_->database->connect());
            impl_->writer.emplace(std::move(fresh));
        }
        Connection connection = std::move(*impl_->writer);
        impl_->writer.reset();
        impl_->writer_out = true;
        impl_->last_used = SteadyClock::now();
        lock.unlock();  // the lease's own destructor takes it
        return Writer(std::make_unique<Writer::Lease>(shared_from_this(), std::move(connection)));
    }
}

// Closes the instance as soon as `own` is the last connection of users, and opens the file anew.
Result<void> DataStore::open_anew(std::optional<Connection>& own, const CancelToken& cancel,
                                  bool look) {
    const std::lock_guard opening(impl_->opening);
    std::optional<Database> closing;
    std::string reason;
    SchemaChange change;
    std::optional<RecoveryReport> recovery;
    StoreMode mode = StoreMode::kClosed;
    decltype(impl_->file) file;
    std::uint64_t generation = 0;
    {
        const std::lock_guard lock(impl_->mutex);
        if (!impl_->database.has_value() ||
            !(impl_->database->must_reopen() || impl_->database->suspected() || look)) {
            return {};  // somebody was here first
        }
        if (look && impl_->writer_out && !own.has_value()) {
            return make_error(ErrorCode::kBusy, "connections are still in use");
        }
        if (impl_->mode == StoreMode::kMemory && own.has_value()) {
            return make_error(ErrorCode::kResourceExhausted,
                              "the in-memory stand-in could not take the rows");
        }
        // From here on whoever wants a connection waits for `opening`.
        impl_->writer.reset();
        closing = std::move(impl_->database);
        mode = impl_->mode;
        reason = impl_->reason;
        change = impl_->change;
        recovery = impl_->recovery;
        file = impl_->file;
        generation = impl_->generation;
        impl_->forget_database();
    }
    const std::int64_t users = own.has_value() ? 1 : 0;
    const auto deadline = SteadyClock::now() + kReaderWait;
    while (closing->connection_count() > users) {
        const bool late = SteadyClock::now() >= deadline;
        if (late || cancel.cancelled()) {
            const std::lock_guard lock(impl_->mutex);
            impl_->database = std::move(closing);
            impl_->mode = mode;
            impl_->file = file;
            impl_->reason = std::move(reason);
            return late ? make_error(ErrorCode::kBusy,
                                     "the database has to be opened anew, but connections are "
                                     "still in use")
                        : make_error(ErrorCode::kInterrupted,
                                     "cancelled while waiting for the database");
        }
        std::this_thread::sleep_for(kCancelPoll);
    }
    own.reset();
    closing.reset();
    if (mode == StoreMode::kMemory) {
        return make_stand_in(std::move(reason));
    }
    // After a COMMIT that failed the file is what it was, and the disk perhaps full.
    impl_->look = look ? Impl::Look::kAlways : Impl::Look::kNever;
    TB_RETURN_IF_ERROR(open_file(cancel));
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->recovery.has_value() && impl_->change.notes.empty() &&
        impl_->file == file) {  // the same rows as before
        impl_->generation = generation;
    }
    // What the first opening did is still to be told.
    change.notes.insert(change.notes.end(), impl_->change.notes.begin(), impl_->change.notes.end());
    change.reload_history = change.reload_history || impl_->change.reload_history;
    impl_->change = std::move(change);
    if (!impl_->recovery.has_value()) {
        impl_->recovery = std::move(recovery);
    }
    return {};
}

bool DataStore::suspected() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->database.has_value() && impl_->database->suspected();
}

void DataStore::suspect() {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->database.has_value() && impl_->mode == StoreMode::kFile) {
        impl_->database->suspect();
    }
}

Result<bool> DataStore::look_again(const CancelToken& cancel) {
    if (mode() != StoreMode::kFile) {
        return false;
    }
    const std::uint64_t before = generation();
    std::optional<Connection> none;
    TB_RETURN_IF_ERROR(open_anew(none, cancel, true));
    return generation() != before;
}

Result<void> DataStore::reopen(Writer& writer, const CancelToken& cancel) {
    std::optional<Connection>& own = writer.lease_->connection;
    const CancelToken token = own->state()->cancel;
    TB_RETURN_IF_ERROR(open_anew(own, cancel));
    const std::lock_guard lock(impl_->mutex);
    if (!own.has_value()) {
        own = std::move(impl_->writer);
        impl_->writer.reset();
        own->cancel_with(token);
    }
    return {};
}

Result<void> DataStore::checkpoint(const CancelToken& cancel) {
    TB_TRY(Writer lease, writer(cancel));
    return checkpoint(lease);
}

Result<void> DataStore::checkpoint(Writer& writer) {
    if (mode() == StoreMode::kMemory) {
        return {};
    }
    if (writer.connection().must_reopen()) {
        return make_error(ErrorCode::kDatabase, "a COMMIT failed before");
    }
    auto done = writer.connection().state()->execute_masked("CHECKPOINT");
    if (!done.has_value() &&
        done.error().message.find("other write transactions") != std::string::npos) {
        return make_error(ErrorCode::kBusy, done.error().message);
    }
    return done;
}

std::uint64_t DataStore::wal_bytes() const {
    if (mode() != StoreMode::kFile) {
        return 0;
    }
    std::filesystem::path wal = database_file_;
    wal += ".wal";
    std::error_code failed;
    const auto size = std::filesystem::file_size(wal, failed);
    return failed ? 0 : size;
}

Result<RecoveryReport> DataStore::recover(const Error& damage) {
    const std::lock_guard opening(impl_->opening);
    std::optional<Database> closing;
    {
        const std::lock_guard lock(impl_->mutex);
        if (impl_->mode == StoreMode::kMemory) {
            return make_error(ErrorCode::kInvalidArgument,
                              "a database in memory cannot be recovered");
        }
        if (impl_->writer_out || impl_->in_use() > 0) {
            return make_error(ErrorCode::kBusy, "connections are still in use");
        }
        impl_->writer.reset();
        closing = std::move(impl_->database);
        impl_->forget_database();
    }
    closing.reset();
    const Clock& clock = options_.clock != nullptr ? *options_.clock : system_clock();
    TB_TRY(auto report,
           replace_damaged(database_file_, damage, true, options_.database, clock.now()));
    TB_RETURN_IF_ERROR(try_open_file());
    if (!report.has_value()) {
        return make_error(ErrorCode::kInternal, "there was nothing to replace");
    }
    const std::lock_guard lock(impl_->mutex);
    impl_->recovery = *report;
    return std::move(*report);
}

}  // namespace tb::db
