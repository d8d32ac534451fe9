#include "db/sql_snapshot.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "db/engine_state.h"

namespace tb::db::detail {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolderPrefix = "tradeblocks-sql-";
// Left free on the disk, and taken to be needed by what the engine writes when it folds a log in.
constexpr std::uint64_t kSpareBytes = 16U << 20U;
// In a file system that lies in memory a copy may take that much.
constexpr std::uint64_t kMostInMemory = 64U << 20U;

std::uint64_t size_of(const fs::path& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

bool lies_in_memory([[maybe_unused]] const fs::path& folder) {
#if defined(__linux__)
    struct statfs status {};
    return ::statfs(folder.c_str(), &status) == 0 &&
           (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
#else
    return false;
#endif
}

bool has_room(const fs::path& folder, std::uint64_t bytes) {
    if (bytes > kMostInMemory && lies_in_memory(folder)) {
        return false;
    }
    struct statvfs status {};
    return ::statvfs(folder.c_str(), &status) == 0 &&
           static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize >= bytes + kSpareBytes;
}

// A folder of ours for as long as the object lives. It is locked, so that another process can tell
// it from one whose maker was killed.
class CopyFolder {
  public:
    static std::optional<CopyFolder> make(const fs::path& parent) {
        remove_left_over(parent);
        std::string pattern = (parent / (std::string(kFolderPrefix) + "XXXXXX")).string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            return std::nullopt;
        }
        CopyFolder folder(pattern);
        folder.lock_.reset(::open(pattern.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!folder.lock_.valid() || ::flock(folder.lock_.get(), LOCK_EX | LOCK_NB) != 0) {
            return std::nullopt;
        }
        return folder;
    }
    CopyFolder(CopyFolder&& other) noexcept
        : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
    CopyFolder& operator=(CopyFolder&&) = delete;
    CopyFolder(const CopyFolder&) = delete;
    CopyFolder& operator=(const CopyFolder&) = delete;
    ~CopyFolder() {
        if (!path_.empty()) {
            std::error_code ignored;
            fs::remove_all(path_, ignored);
        }
    }
    [[nodiscard]] const fs::path& path() const { return path_; }

  private:
    explicit CopyFolder(fs::path path) : path_(std::move(path)) {}

    static void remove_left_over(const fs::path& parent) {
        std::error_code failed;
        for (fs::directory_iterator entry(parent, failed), end; !failed && entry != end;
             entry.increment(failed)) {
            if (!entry->path().filename().string().starts_with(kFolderPrefix)) {
                continue;
            }
            const UniqueFd lock(
                ::open(entry->path().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            struct stat status {};
            if (lock.valid() && ::fstat(lock.get(), &status) == 0 && status.st_uid == ::geteuid() &&
                ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
                std::error_code ignored;
                fs::remove_all(entry->path(), ignored);
            }
        }
    }

    fs::path path_;
    UniqueFd lock_;
};

// Where there is room: the system's temporary folder, or beside the database.
Result<CopyFolder> folder_for(const fs::path& database, std::uint64_t bytes) {
    std::error_code failed;
    std::vector<fs::path> parents = {fs::temp_directory_path(failed)};
    parents.push_back(database.parent_path() / ".tradeblocks");
    for (std::size_t i = failed ? 1 : 0; i < parents.size(); ++i) {
        fs::create_directory(parents[i], failed);
        if (!has_room(parents[i], bytes)) {
            continue;
        }
        if (auto folder = CopyFolder::make(parents[i]); folder.has_value()) {
            return std::move(*folder);
        }
    }
    return make_error(
        ErrorCode::kResourceExhausted,
        fmt::format("this query runs on a copy of the database, and there is no room for its {} "
                    "bytes in {} or beside the database; statements with ordinary functions run "
                    "without one",
                    bytes, parents.front().string()));
}

void append_stamp(std::string& out, const fs::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        out += " none";
        return;
    }
    out += fmt::format(" {}:{}:{}:{}.{}:{}.{}", status.st_dev, status.st_ino, status.st_size,
                       status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                       status.st_ctim.tv_nsec);
}

fs::path log_of(const fs::path& database) {
    fs::path log = database;
    log += ".wal";
    return log;
}

Result<UniqueFd> copy_of_file(const fs::path& database, SqlWorker& copier,
                              const Patience& patience) {
    TB_TRY(const CopyFolder folder,
           folder_for(database, size_of(database) + 2 * size_of(log_of(database))));
    return copier.copy(database, folder.path(), patience);
}

Result<UniqueFd> copy_of_memory(Connection& connection) {
    // The one folder that an instance in memory may write to (Database::open_in_memory).
    const fs::path file = connection.state()->database->temp_directory / "snapshot.duckdb";
    std::error_code ignored;
    fs::remove(file, ignored);
    auto written = connection.execute(
        fmt::format("ATTACH {} AS snapshot; COPY FROM DATABASE memory TO snapshot; CHECKPOINT "
                    "snapshot",
                    quoted_text(file.string())));
    const auto detached = connection.execute("DETACH snapshot");
    UniqueFd copy(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    fs::remove(file, ignored);
    fs::remove(log_of(file), ignored);
    if (!written.has_value() || !detached.has_value()) {
        return with_context(written.has_value() ? detached.error() : written.error(),
                            "copying the database in memory");
    }
    if (!copy.valid()) {
        return make_error(ErrorCode::kIo, "the copy of the database in memory cannot be opened");
    }
    return copy;
}

Result<std::string> catalog_of(Connection& connection) {
    TB_TRY(Rows rows, connection.collect("SELECT current_database()"));
    TB_TRY(const bool any, rows.next());
    return any ? std::string(rows.get<std::string_view>(0)) : std::string("analytics");
}

}  // namespace

std::string database_state(const DataStore& store) {
    if (store.mode() != StoreMode::kFile) {
        return {};
    }
    std::string state;
    append_stamp(state, store.database_file());
    append_stamp(state, log_of(store.database_file()));
    return state;
}

Result<std::shared_ptr<const Snapshot>> take_snapshot(DataStore& store, SqlWorker& copier,
                                                      const CancelToken& cancel,
                                                      const Patience& patience) {
    // Nobody commits, and the engine folds nothing, while this lives.
    TB_TRY(DataStore::Writer writer, store.writer(cancel, patience.deadline()));
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->state = database_state(store);
    TB_TRY(snapshot->catalog, catalog_of(writer.connection()));
    if (store.mode() == StoreMode::kMemory) {
        snapshot->catalog = "analytics";  // "memory" is the worker's own
        TB_TRY(snapshot->file, copy_of_memory(writer.connection()));
    } else {
        TB_TRY(snapshot->file, copy_of_file(store.database_file(), copier, patience));
    }
    return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

}  // namespace tb::db::detail
