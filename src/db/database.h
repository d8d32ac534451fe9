// One instance of the embedded engine: a database file, or a database in memory.
//
// A file may be opened only once per process, whatever the engine allows: its lock is a POSIX lock
// of the process, and when a second handle of the same file goes away, the lock goes with it and
// another process can write into the file we are writing. So Database::open gives the instance that
// is already open for the same file (however its path is spelt), and nobody else may open, hash or
// copy that file while it is open here.
//
// Beside the engine's lock the process holds one of its own (file_lock.h) as long as the file is
// open for writing.
//
// A Database is a cheap handle; connections keep the instance alive. The file is closed (and its
// write-ahead log folded in) when the last handle and the last connection are gone.
//
// Every instance is closed to the outside: no external files, no extensions fetched, settings
// locked. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tb::db {

namespace detail {
struct DatabaseState;
}
class Connection;

// Looks a variable up; nullopt when it is not set. The environment is passed in, never read here.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

struct DatabaseOptions {
    std::string memory_limit = "512MB";  // number and unit: KB MB GB TB KiB MiB GiB TiB
    std::int32_t threads = 2;            // 1..256
    // Spill space beside the file (or in the system's temporary folder for a database in memory).
    std::string temp_directory_limit = "8GB";
    // The write-ahead log is folded into the file by the COMMIT that makes it grow beyond this.
    std::string wal_limit = "64MB";
    bool read_only = false;
    bool operator==(const DatabaseOptions&) const = default;

    // For a process that only brings tables up to date (docs/adr/003): one thread, because a second
    // one costs a sixth more processor time without being done earlier, and less memory, because a
    // load fills it with what it has written already.
    [[nodiscard]] static DatabaseOptions for_loading();

    // DUCKDB_MEMORY_LIMIT and DUCKDB_THREADS over the defaults given. kInvalidArgument names the
    // variable and what it may hold; an empty value counts as not set.
    [[nodiscard]] static Result<DatabaseOptions> from_environment(const Environment& environment,
                                                                  DatabaseOptions options);
    [[nodiscard]] static Result<DatabaseOptions> from_environment(const Environment& environment);
};

// "512MB" in bytes; nullopt for what check_options would refuse.
[[nodiscard]] std::optional<std::uint64_t> size_bytes(std::string_view text);

class Database {
  public:
    // Opens the file, making it if it is missing (not with read_only).
    //   kLocked           another process holds it; the message names the holder's process id
    //   kDatabase         not a database, damaged, or of an engine version we cannot use
    //   kIo               folder missing, no permission, disk full
    //   kInvalidArgument  bad options, or already open in this process with other options
    [[nodiscard]] static Result<Database> open(const std::filesystem::path& file,
                                               const DatabaseOptions& options = {});
    // A fresh database that lives as long as its handles and connections.
    [[nodiscard]] static Result<Database> open_in_memory(const DatabaseOptions& options = {});

    // Beside any other handle of the file, without locks of our own: in a child process that does
    // nothing else (isolated.h).
    [[nodiscard]] static Result<Database> open_private(const std::filesystem::path& file,
                                                       const DatabaseOptions& options);

    // One in memory that may open files and is not locked yet: for a worker process, which locks it
    // after it has opened what it is to read (sql_worker_main.cc). It never spills.
    [[nodiscard]] static Result<Database> open_for_worker(const DatabaseOptions& options);

    [[nodiscard]] Result<Connection> connect() const;
    // Empty for a database in memory.
    [[nodiscard]] const std::filesystem::path& path() const;
    // Connections alive now.
    [[nodiscard]] std::int64_t connection_count() const;
    // As Connection::must_reopen.
    [[nodiscard]] bool must_reopen() const;
    // A statement has failed in a way that speaks of a damaged file.
    [[nodiscard]] bool suspected() const;
    void suspect() const;
    // Asks for the engine's lock again, in case something in this process has lost it.
    //   kLocked  another process holds it now: nothing in memory will be written any more
    [[nodiscard]] Result<void> renew_lock() const;

  private:
    explicit Database(std::shared_ptr<detail::DatabaseState> state) : state_(std::move(state)) {}
    std::shared_ptr<detail::DatabaseState> state_;
};

// Whether an instance of this file is open in this process: nothing else may open it then.
[[nodiscard]] bool is_open_here(const std::filesystem::path& file);

// Version text of the engine's library, for instance "v1.4.5".
[[nodiscard]] std::string engine_version();

// kDatabase unless the version is one we are tested with (1.4.x, 1.5.x). Database::open asks it.
[[nodiscard]] Result<void> check_engine_version(std::string_view version);

// Whether an error says that the database file itself is damaged or not a database (as opposed to
// locked, unreachable, or a mistake in a statement).
[[nodiscard]] bool is_damage(const Error& error);

// An engine that fails on its own internal checks while it opens a file has been given nonsense.
[[nodiscard]] bool is_damage_at_open(const Error& error);

// Whether the file is in order but of an engine version that came after ours.
[[nodiscard]] bool is_newer_engine_file(const Error& error);

// The process that holds the file, out of a kLocked error of ours; nullopt if it is not known.
[[nodiscard]] std::optional<std::int64_t> lock_holder(const Error& error);

}  // namespace tb::db
