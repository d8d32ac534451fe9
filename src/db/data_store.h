// The database of one data directory: opened on first use, one per directory and process, one
// writer at a time, any number of readers.
//
// Opening creates `<dir>/analytics.duckdb` with the schemas and tables of schema.h; it never syncs.
// What stands in the way of the file is an Error the caller decides about: another process
// (kLocked), a folder one cannot write (kIo), a file of a newer program (kDatabase). The caller may
// then ask for a stand-in: an empty database in memory with the same tables, to be filled from the
// CSV files, without history (00 §2). No other process is ever signalled.
//
// A damaged file is set aside with its write-ahead log as `analytics.duckdb.corrupt-<time>` (and
// `.wal`), never deleted. A fresh file takes its place; what can still be read of the tables that
// the CSV files cannot bring back is copied over, and recovery() says what was lost.
//
// Before a file is used that was not closed in order by us, or whose rows could not be read, it is
// looked through (file_check.h): a damaged one is replaced like one that does not open, and rows
// that are not the stored ones are read again by the next sync.
//
// Thread-safe. Leases and connections may outlive close(): the file is then released when the last
// of them is gone.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/result.h"
#include "db/connection.h"
#include "db/database.h"
#include "db/file_check.h"
#include "db/recovery.h"
#include "db/schema.h"

namespace tb::db {

class QueryService;

inline constexpr std::string_view kDatabaseFileName = "analytics.duckdb";

enum class StoreMode {
    kClosed,
    kFile,    // analytics.duckdb
    kMemory,  // the stand-in: see mode_reason()
};

struct StoreOptions {
    DatabaseOptions database;
    // Instead of `<dir>/analytics.duckdb` (`--db`).
    std::filesystem::path database_file;
    // How long to try again while another process holds the file (50 ms, doubling to 2 s).
    std::chrono::milliseconds lock_wait{0};
    const Clock* clock = nullptr;  // default: the system's
};

class DataStore : public std::enable_shared_from_this<DataStore> {
  public:
    // The store of a directory, named by its canonical path; the same object for everybody who
    // asks while one is alive (the options of the first one hold). Opens nothing yet.
    //   kNotFound  no such directory
    [[nodiscard]] static Result<std::shared_ptr<DataStore>> for_directory(
        const std::filesystem::path& directory, const StoreOptions& options = {});

    DataStore(const DataStore&) = delete;
    DataStore& operator=(const DataStore&) = delete;
    DataStore(DataStore&&) = delete;
    DataStore& operator=(DataStore&&) = delete;
    ~DataStore();

    // Opens the file if the store is closed; at once when it is open already, in either mode.
    [[nodiscard]] Result<void> open(const CancelToken& cancel = {});
    // Opens the stand-in if the store is closed. `reason` is for people: "locked by process 123".
    [[nodiscard]] Result<void> open_stand_in(std::string reason);
    // open(), or the stand-in where the file is locked, unreachable or of a newer program.
    [[nodiscard]] Result<void> open_or_stand_in(const CancelToken& cancel = {});
    // Whether open()'s error is one that a stand-in helps against.
    [[nodiscard]] static bool stand_in_helps(const Error& error);

    // Folds in the log and releases the file. Safe to call again and again; the next use opens
    // anew. Waits for the writer. kBusy: closed for new users, but connections of readers keep the
    // file open until they are dropped.
    [[nodiscard]] Result<void> close();
    // close(), but only if nobody has used the store for that long and no lease or reader is out.
    // True when it is closed now.
    [[nodiscard]] bool close_if_idle(std::chrono::steady_clock::duration idle);

    [[nodiscard]] bool is_connected() const;
    // Counts the openings: another number means another database, with other rows perhaps.
    [[nodiscard]] std::uint64_t generation() const;
    // Whether the open file has been moved away, replaced or removed: what is written to it is not
    // in the directory. False in memory and when closed.
    [[nodiscard]] bool has_lost_its_file() const;
    [[nodiscard]] StoreMode mode() const;
    [[nodiscard]] std::string mode_reason() const;
    [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
    [[nodiscard]] const std::filesystem::path& database_file() const { return database_file_; }
    [[nodiscard]] const StoreOptions& options() const { return options_; }

    // A connection of one's own for reading; opens the store (file only) if need be.
    [[nodiscard]] Result<Connection> reader();

    // The one writer connection, for as long as the lease lives. May be handed to another thread.
    // Move-only.
    class Writer {
      public:
        Writer(Writer&&) noexcept;
        Writer& operator=(Writer&&) = delete;
        Writer(const Writer&) = delete;
        Writer& operator=(const Writer&) = delete;
        ~Writer();
        [[nodiscard]] Connection& connection();

      private:
        friend class DataStore;
        struct Lease;
        explicit Writer(std::unique_ptr<Lease> lease);
        std::unique_ptr<Lease> lease_;
    };
    // Waits for its turn; opens the store (file only) if need be. kInterrupted when cancelled while
    // waiting. Do not ask again on the thread that holds one.
    // With `until`: kInterrupted when it is not its turn by then either.
    [[nodiscard]] Result<Writer> writer(
        const CancelToken& cancel = {},
        std::optional<std::chrono::steady_clock::time_point> until = std::nullopt);

    // After a COMMIT that failed (Connection::must_reopen): closes the instance, which loses
    // nothing that was committed, and opens the file anew for the same lease, whose connection()
    // stays where it is. Call it outside a transaction and without statements or rows alive.
    // reader() and writer() do the same by themselves where nobody else uses the instance.
    //   kBusy               readers still use it after five seconds; nothing has changed
    //   kResourceExhausted  the stand-in cannot be opened anew; the next writer() gets an empty one
    // After any other error the lease has no connection any more and must be dropped.
    [[nodiscard]] Result<void> reopen(Writer& writer, const CancelToken& cancel = {});

    // Runs users' queries on this store's database.
    [[nodiscard]] QueryService& queries();

    // Folds the write-ahead log into the file; nothing to do in memory. The first form waits for
    // the writer, the second is for whoever holds it (outside a transaction).
    [[nodiscard]] Result<void> checkpoint(const CancelToken& cancel = {});
    [[nodiscard]] Result<void> checkpoint(Writer& writer);
    // Bytes in the write-ahead log now (0 in memory).
    [[nodiscard]] std::uint64_t wal_bytes() const;

    // What open() did to the tables, and what it had to recover from; until the next open().
    [[nodiscard]] SchemaChange schema_change() const;
    [[nodiscard]] std::optional<RecoveryReport> recovery() const;

    // A statement on the open file has failed in a way that speaks of damage. reader() and writer()
    // then look_again() by themselves where nobody else uses the file.
    [[nodiscard]] bool suspected() const;
    // The same, of a copy of the file that was read elsewhere (a worker process).
    void suspect();
    // Closes the file, looks through all of it and opens it again, healed if need be: see
    // recovery() and schema_change(). True if there was something to heal. Nothing happens to a
    // database in memory.
    //   kBusy  readers still use it after five seconds, or the writer is out
    [[nodiscard]] Result<bool> look_again(const CancelToken& cancel = {});

    // For damage that shows only when rows are read (is_damage): closes, replaces the file and
    // opens the new one, as open() does. kBusy while leases or readers are out.
    [[nodiscard]] Result<RecoveryReport> recover(const Error& damage);

  private:
    struct Impl;
    DataStore(std::filesystem::path directory, StoreOptions options);
    [[nodiscard]] Result<void> open_file(const CancelToken& cancel);
    [[nodiscard]] Result<void> try_open_file();
    [[nodiscard]] Result<void> make_stand_in(std::string reason);
    [[nodiscard]] Result<void> open_anew(std::optional<Connection>& own, const CancelToken& cancel,
                                         bool look = false);
    [[nodiscard]] Result<std::optional<FileFindings>> look_if_due(
        std::optional<RecoveryReport>& recovery);
    void install(Database database, Connection writer, SchemaChange change);

    std::filesystem::path directory_;
    std::filesystem::path database_file_;
    StoreOptions options_;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tb::db
