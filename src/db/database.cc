#include "db/database.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <condition_variable>
#include <ctime>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/check.h"
#include "db/connection.h"
#include "db/engine_state.h"

namespace tb::db {

namespace {

constexpr std::string_view kSpillFolder = "tradeblocks-spill-";

struct FileId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    bool operator==(const FileId&) const = default;
};

// stat, never open: opening and closing the file would drop the engine's lock.
std::optional<FileId> file_id(const std::filesystem::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) {
        return std::nullopt;
    }
    return FileId{static_cast<std::uint64_t>(info.st_dev), static_cast<std::uint64_t>(info.st_ino)};
}

// The files this process has open, is opening, or is still closing.
class OpenFiles {
  public:
    // Never destroyed: databases may be closed by other static objects at the end of the process.
    static OpenFiles& instance() {
        static auto* const files = new OpenFiles;
        return *files;
    }

    // The live instance of this file, or nullptr after reserving the path for the caller, who must
    // call opened() or abandon().
    std::shared_ptr<detail::DatabaseState> find_or_reserve(const std::filesystem::path& path) {
        std::unique_lock lock(mutex_);
        while (true) {
            const auto entry = find(path);
            if (entry == entries_.end()) {
                entries_.emplace(path, Entry{});
                return nullptr;
            }
            if (auto state = entry->second.state.lock(); state != nullptr) {
                return state;
            }
            changed_.wait(lock);  // being opened or closed by another thread
        }
    }
    bool is_open(const std::filesystem::path& path) {
        const std::lock_guard lock(mutex_);
        return find(path) != entries_.end();
    }
    void opened(const std::shared_ptr<detail::DatabaseState>& state) {
        {
            const std::lock_guard lock(mutex_);
            entries_[state->path] = Entry{state, file_id(state->path)};
        }
        changed_.notify_all();
    }
    void forget(const std::filesystem::path& path) {
        {
            const std::lock_guard lock(mutex_);
            entries_.erase(path);
        }
        changed_.notify_all();
    }

  private:
    struct Entry {
        std::weak_ptr<detail::DatabaseState> state;
        std::optional<FileId> id;
    };
    using Entries = std::map<std::filesystem::path, Entry>;

    Entries::iterator find(const std::filesystem::path& path) {
        if (const auto same_path = entries_.find(path); same_path != entries_.end()) {
            return same_path;
        }
        const auto id = file_id(path);
        return std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
            return id.has_value() && entry.second.id == id;  // a hard link
        });
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    Entries entries_;
};

struct ConfigDeleter {
    using pointer = duckdb_config;
    void operator()(duckdb_config config) const { duckdb_destroy_config(&config); }
};
using UniqueConfig = std::unique_ptr<void, ConfigDeleter>;

constexpr std::string_view kMemory = ":memory:";

using Settings = std::vector<std::pair<const char*, const char*>>;

Settings without_extensions() {
    return {{"autoinstall_known_extensions", "false"},
            {"autoload_known_extensions", "false"},
            {"allow_community_extensions", "false"},
            {"allow_persistent_secrets", "false"}};
}
// Closed to the outside, and nobody may change that.
Settings locked() {
    Settings settings = without_extensions();
    settings.insert(settings.begin(), {"enable_external_access", "false"});
    settings.emplace_back("lock_configuration", "true");
    return settings;
}

Result<UniqueConfig> make_config(const DatabaseOptions& options, const std::string& temp_directory,
                                 const Settings& more) {
    duckdb_config raw_config = nullptr;
    if (duckdb_create_config(&raw_config) != DuckDBSuccess) {
        return make_error(ErrorCode::kInternal, "the engine could not make a configuration");
    }
    UniqueConfig config(raw_config);
    const std::string threads = std::to_string(options.threads);
    Settings settings;
    if (!temp_directory.empty()) {
        settings.emplace_back("temp_directory", temp_directory.c_str());
    }
    // In this order: no folder can be set once external access is off.
    const Settings fixed = {
        {"threads", threads.c_str()},
        {"memory_limit", options.memory_limit.c_str()},
        {"max_temp_directory_size", options.temp_directory_limit.c_str()},
        {"wal_autocheckpoint", options.wal_limit.c_str()},
        {"access_mode", options.read_only ? "read_only" : "automatic"},
        // New files only. What the engine would choose is a form for its versions of 2023, which
        // costs a third more to write (docs/adr/003).
        {"storage_compatibility_version", "v1.4.0"},
    };
    settings.insert(settings.end(), fixed.begin(), fixed.end());
    settings.insert(settings.end(), more.begin(), more.end());
    for (const auto& [name, value] : settings) {
        if (duckdb_set_config(config.get(), name, value) != DuckDBSuccess) {
            return make_error(ErrorCode::kInternal,
                              fmt::format("the engine does not know the setting {}", name));
        }
    }
    return config;
}

Result<void> open_engine(detail::DatabaseState& state, const std::string& name,
                         const Settings& more) {
    TB_TRY(const UniqueConfig config,
           make_config(state.options, state.temp_directory.string(), more));
    char* raw_error = nullptr;
    const duckdb_state outcome =
        duckdb_open_ext(name.c_str(), &state.handle, config.get(), &raw_error);
    const EngineString text(raw_error);
    if (outcome != DuckDBSuccess) {
        state.handle = nullptr;
        Error error = engine_error(text != nullptr ? text.get() : "the engine could not open it");
        error.context = name == kMemory ? "" : std::filesystem::path(name).filename().string();
        return tl::unexpected<Error>(std::move(error));
    }
    return {};
}

// What a process that was killed has left in the file's spill folder.
void remove_spilled(const std::filesystem::path& folder) {
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
        if (entry.path().filename().string().starts_with("duckdb_temp_")) {
            std::filesystem::remove(entry.path(), failed);
        }
    }
    std::filesystem::remove(folder, failed);  // only if it is empty now
}

// Spill folders of databases in memory whose process is gone: nobody holds their lock. The minute
// is for one that has just been made and is not locked yet.
void remove_abandoned_folders(const std::filesystem::path& temporary) {
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(temporary, failed)) {
        struct stat status {};
        if (!entry.path().filename().string().starts_with(kSpillFolder) ||
            ::lstat(entry.path().c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
            status.st_uid != ::geteuid() || std::time(nullptr) - status.st_ctime < 60) {
            continue;
        }
        const UniqueFd folder(
            ::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
        if (folder.valid() && ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0) {
            remove_spilled(entry.path());
        }
    }
}

Result<void> open_locked(detail::DatabaseState& state, const std::filesystem::path& path) {
    if (!state.options.read_only) {
        TB_TRY(FileLock lock, FileLock::take(path));
        state.lock.emplace(std::move(lock));
    }
    TB_RETURN_IF_ERROR(open_engine(state, path.string(), locked()));
    if (!state.options.read_only) {
        state.engine_fd = engine_descriptor(path);
        std::filesystem::path spilled = path;
        remove_spilled(spilled += ".tmp");  // ours alone now: nobody spills there yet
    }
    return {};
}

bool valid_size(std::string_view text) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits > 12 || digits == std::string_view::npos) {
        return false;
    }
    static constexpr std::array<std::string_view, 8> kUnits = {"KB",  "MB",  "GB",  "TB",
                                                               "KiB", "MiB", "GiB", "TiB"};
    return text.substr(0, digits).find_first_not_of('0') != std::string_view::npos &&
           std::find(kUnits.begin(), kUnits.end(), text.substr(digits)) != kUnits.end();
}

Result<void> check_options(const DatabaseOptions& options) {
    for (const auto& [name, value] :
         {std::pair("memory limit", &options.memory_limit),
          std::pair("temporary space limit", &options.temp_directory_limit),
          std::pair("write-ahead log limit", &options.wal_limit)}) {
        if (!valid_size(*value)) {
            return make_error(ErrorCode::kInvalidArgument,
                              fmt::format("{} is \"{}\", wanted a whole number and a unit (KB, MB, "
                                          "GB, TB, KiB, MiB, GiB, TiB), as in 512MB",
                                          name, *value));
        }
    }
    if (options.threads < 1 || options.threads > 256) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("threads is {}, wanted 1 to 256", options.threads));
    }
    return {};
}

std::filesystem::path canonical_path(const std::filesystem::path& file) {
    std::error_code failed;
    auto canonical = std::filesystem::weakly_canonical(file, failed);
    return failed ? std::filesystem::absolute(file, failed) : canonical;
}

// The storage version the engine found and cannot read, out of its message.
std::optional<std::int64_t> file_version(std::string_view text) {
    constexpr std::string_view kVersion = "Trying to read a database file with version number ";
    const std::size_t at = text.find(kVersion);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    std::int64_t version = 0;
    std::from_chars(text.data() + at + kVersion.size(), text.data() + text.size(), version);
    return version;
}

// Storage versions of engine 1.4 end in the sixties and grow by one with each incompatible release.
bool newer_file_version(std::int64_t version) {
    return version > 64 && version <= 256;
}

}  // namespace

namespace detail {

DatabaseState::~DatabaseState() {
    const bool opened = handle != nullptr;
    if (opened) {
        duckdb_close(&handle);
    }
    if (!path.empty()) {
        if (opened && !options.read_only && !must_reopen && !suspected) {
            leave_mark(path);
        }
        lock.reset();
        OpenFiles::instance().forget(path);
    }
    if (!temp_directory.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(temp_directory, ignored);
    }
}

}  // namespace detail

std::optional<std::uint64_t> size_bytes(std::string_view text) {
    if (!valid_size(text)) {
        return std::nullopt;
    }
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit(parsed.ptr,
                                static_cast<std::size_t>(text.data() + text.size() - parsed.ptr));
    const std::uint64_t step = unit.size() == 3 ? 1024 : 1000;
    constexpr std::string_view kPrefixes = "KMGT";
    for (std::size_t i = 0; i <= kPrefixes.find(unit.front()); ++i) {
        number = number > UINT64_MAX / step ? UINT64_MAX : number * step;
    }
    return number;
}

DatabaseOptions DatabaseOptions::for_loading() {
    DatabaseOptions options;
    options.threads = 1;
    options.memory_limit = "192MB";
    return options;
}

Result<DatabaseOptions> DatabaseOptions::from_environment(const Environment& environment) {
    return from_environment(environment, {});
}

Result<DatabaseOptions> DatabaseOptions::from_environment(const Environment& environment,
                                                          DatabaseOptions options) {
    if (const auto limit = environment("DUCKDB_MEMORY_LIMIT");
        limit.has_value() && !limit->empty()) {
        if (!valid_size(*limit)) {
            return make_error(
                ErrorCode::kInvalidArgument,
                fmt::format("DUCKDB_MEMORY_LIMIT is \"{}\", wanted a whole number and "
                            "a unit (KB, MB, GB, TB, KiB, MiB, GiB, TiB), as in 512MB",
                            *limit));
        }
        options.memory_limit = *limit;
    }
    if (const auto threads = environment("DUCKDB_THREADS");
        threads.has_value() && !threads->empty()) {
        const char* const end = threads->data() + threads->size();
        const auto parsed = std::from_chars(threads->data(), end, options.threads);
        if (parsed.ec != std::errc() || parsed.ptr != end || options.threads < 1 ||
            options.threads > 256) {
            return make_error(ErrorCode::kInvalidArgument,
                              fmt::format("DUCKDB_THREADS is \"{}\", wanted a whole number from 1 "
                                          "to 256",
                                          *threads));
        }
    }
    return options;
}

Result<Database> Database::open(const std::filesystem::path& file, const DatabaseOptions& options) {
    TB_RETURN_IF_ERROR(check_engine_version(engine_version()));
    TB_RETURN_IF_ERROR(check_options(options));
    const std::filesystem::path path = canonical_path(file);
    auto& files = OpenFiles::instance();
    if (auto state = files.find_or_reserve(path); state != nullptr) {
        if (state->options != options) {
            return make_error(ErrorCode::kInvalidArgument,
                              "the database is already open in this process with other options",
                              path.filename().string());
        }
        return Database(std::move(state));
    }
    auto state = std::make_shared<detail::DatabaseState>();
    state->options = options;
    state->guard.emplace(path);
    if (auto opened = open_locked(*state, path); !opened.has_value()) {
        state.reset();  // with its lock
        files.forget(path);
        return tl::unexpected<Error>(opened.error());
    }
    state->path = path;
    files.opened(state);
    return Database(std::move(state));
}

Result<Database> Database::open_private(const std::filesystem::path& file,
                                        const DatabaseOptions& options) {
    auto state = std::make_shared<detail::DatabaseState>();
    state->options = options;
    TB_RETURN_IF_ERROR(open_engine(*state, file.string(), locked()));
    return Database(std::move(state));
}

Result<Database> Database::open_in_memory(const DatabaseOptions& options) {
    TB_RETURN_IF_ERROR(check_engine_version(engine_version()));
    TB_RETURN_IF_ERROR(check_options(options));
    auto state = std::make_shared<detail::DatabaseState>();
    state->options = options;
    // A private folder for spilling: without one the engine would make `.tmp` in the current
    // folder.
    std::error_code failed;
    const auto temporary = std::filesystem::temp_directory_path(failed);
    if (!failed) {
        remove_abandoned_folders(temporary);
    }
    std::string pattern = (temporary / fmt::format("{}XXXXXX", kSpillFolder)).string();
    if (failed || ::mkdtemp(pattern.data()) == nullptr) {
        return make_error(ErrorCode::kIo,
                          "cannot make a temporary folder for a database in memory");
    }
    state->temp_directory = pattern;
    // Locked as long as this process lives: remove_abandoned_folders() asks.
    state->temp_lock = UniqueFd(::open(pattern.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (state->temp_lock.valid()) {
        static_cast<void>(::flock(state->temp_lock.get(), LOCK_SH | LOCK_NB));
    }
    // The one folder it may write to: for a snapshot of itself (sql_snapshot.h).
    TB_RETURN_IF_ERROR(open_engine(*state, std::string(kMemory), without_extensions()));
    Database database(std::move(state));
    TB_TRY(Connection connection, database.connect());
    TB_RETURN_IF_ERROR(connection.execute(
        fmt::format("SET allowed_directories = [{}]; SET enable_external_access = false; SET "
                    "lock_configuration = true",
                    quoted_text(pattern + "/"))));
    return database;
}

Result<Database> Database::open_for_worker(const DatabaseOptions& options) {
    TB_RETURN_IF_ERROR(check_engine_version(engine_version()));
    TB_RETURN_IF_ERROR(check_options(options));
    auto state = std::make_shared<detail::DatabaseState>();
    state->options = options;
    Settings settings = without_extensions();
    settings.emplace_back("temp_directory", "");
    TB_RETURN_IF_ERROR(open_engine(*state, std::string(kMemory), settings));
    return Database(std::move(state));
}

Result<Connection> Database::connect() const {
    auto connection = std::make_shared<detail::ConnectionState>(state_);
    if (connection->handle == nullptr) {
        return make_error(ErrorCode::kDatabase, "the engine gave no connection",
                          state_->path.filename().string());
    }
    return Connection(std::move(connection));
}

const std::filesystem::path& Database::path() const {
    return state_->path;
}
std::int64_t Database::connection_count() const {
    return state_->connections.load();
}
bool Database::must_reopen() const {
    return state_->must_reopen;
}
void Database::suspect() const {
    state_->suspected = true;
}
bool Database::suspected() const {
    return state_->suspected;
}

Result<void> Database::renew_lock() const {
    auto renewed = renew_engine_lock(state_->engine_fd);
    if (!renewed.has_value()) {
        state_->must_reopen = true;
        if (detail::ConnectionState connection(state_); connection.handle != nullptr) {
            connection.give_up_instance();
        }
    }
    return renewed;
}

bool is_open_here(const std::filesystem::path& file) {
    return OpenFiles::instance().is_open(canonical_path(file));
}

std::string engine_version() {
    return duckdb_library_version();
}

Result<void> check_engine_version(std::string_view version) {
    if (version.starts_with("v1.4.") || version.starts_with("v1.5.")) {
        return {};
    }
    return make_error(ErrorCode::kDatabase,
                      fmt::format("the DuckDB library found at run time is {}, this program works "
                                  "with v1.4.x and v1.5.x",
                                  version));
}

bool is_damage(const Error& error) {
    if (error.code != ErrorCode::kDatabase) {
        return false;  // a lock, a full disk or a missing permission is no damage
    }
    const std::string_view text = error.message;
    // Only what the engine says by itself: error('...') in a user's SQL is an Invalid Input Error.
    static constexpr std::array<std::string_view, 5> kSources = {
        "IO Error", "TransactionContext Error", "FATAL Error", "Serialization Error",
        "Failed to append"};
    if (std::none_of(kSources.begin(), kSources.end(),
                     [&](std::string_view source) { return text.starts_with(source); })) {
        return false;
    }
    if (text.starts_with("Serialization Error")) {
        return true;
    }
    if (const auto version = file_version(text); version.has_value()) {
        // A number near ours is a newer engine's file, which is in order; any other is nonsense.
        return !newer_file_version(*version);
    }
    static constexpr std::array<std::string_view, 7> kSigns = {
        "not a valid DuckDB database file",
        "Corrupt database file",
        "corrupt database file",
        "Corrupt WAL",
        "Failure while replaying WAL",
        "Could not read enough bytes from file",
        "orrupt file?"};
    return std::any_of(kSigns.begin(), kSigns.end(), [&](std::string_view sign) {
        return text.find(sign) != std::string_view::npos;
    });
}

bool is_damage_at_open(const Error& error) {
    return is_damage(error) ||
           (error.code == ErrorCode::kDatabase && (error.message.starts_with("INTERNAL Error") ||
                                                   error.message.starts_with("FATAL Error")));
}

bool is_newer_engine_file(const Error& error) {
    if (error.code != ErrorCode::kDatabase) {
        return false;
    }
    const auto version = file_version(error.message);
    return (version.has_value() && newer_file_version(*version)) ||
           error.message.find("storage version greater than the latest version supported") !=
               std::string::npos;
}

std::optional<std::int64_t> lock_holder(const Error& error) {
    constexpr std::string_view kHolder = "in use by process ";
    const std::size_t at = error.message.find(kHolder);
    if (error.code != ErrorCode::kLocked || at == std::string::npos) {
        return std::nullopt;
    }
    std::int64_t pid = 0;
    const auto* const begin = error.message.data() + at + kHolder.size();
    const auto parsed = std::from_chars(begin, error.message.data() + error.message.size(), pid);
    return parsed.ec == std::errc() ? std::optional(pid) : std::nullopt;
}

}  // namespace tb::db
