// What stands behind the public handles of src/db. For .cc files of src/db only.
//
// Each object keeps what it needs alive: rows their statement, statements their connection,
// connections the database instance. A file is closed when nothing refers to it any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/cancel.h"
#include "core/file_system.h"
#include "core/unique_fd.h"
#include "db/appender.h"
#include "db/database.h"
#include "db/engine.h"
#include "db/file_lock.h"
#include "db/transaction.h"

namespace tb::db::detail {

struct DatabaseState {
    DatabaseState() = default;
    DatabaseState(const DatabaseState&) = delete;
    DatabaseState& operator=(const DatabaseState&) = delete;
    DatabaseState(DatabaseState&&) = delete;
    DatabaseState& operator=(DatabaseState&&) = delete;
    ~DatabaseState();

    duckdb_database handle = nullptr;
    std::filesystem::path path;  // empty: in memory
    std::optional<DatabaseFileGuard> guard;
    std::filesystem::path temp_directory;  // of a database in memory; removed at the end
    UniqueFd temp_lock;                    // on it
    DatabaseOptions options;
    std::atomic<std::int64_t> connections{0};
    std::atomic<bool> must_reopen{false};  // Connection::must_reopen
    std::atomic<bool> suspected{false};    // Database::suspected
    std::optional<FileLock> lock;          // of a file open for writing
    int engine_fd = -1;                    // the engine's own, see file_lock.h
};

// Lets other threads interrupt a connection without keeping it alive.
struct InterruptSlot {
    std::mutex mutex;
    duckdb_connection connection = nullptr;  // nullptr: gone
    bool masked = false;                     // COMMIT, ROLLBACK or CHECKPOINT is running

    void interrupt();
};

struct ConnectionState {
    explicit ConnectionState(std::shared_ptr<DatabaseState> owner);
    ConnectionState(const ConnectionState&) = delete;
    ConnectionState& operator=(const ConnectionState&) = delete;
    ConnectionState(ConnectionState&&) = delete;
    ConnectionState& operator=(ConnectionState&&) = delete;
    ~ConnectionState();

    // The same error, after noting that the transaction, if any, cannot be committed any more.
    [[nodiscard]] tl::unexpected<Error> fail(Error error);
    // Runs SQL that no cancellation may stop (COMMIT and kin).
    [[nodiscard]] Result<void> execute_masked(const char* sql);
    [[nodiscard]] Result<void> check_cancelled() const;
    // A COMMIT failed: the instance must not be written to any more, nor write its memory over the
    // file when it is closed.
    void give_up_instance();
    void note_failure(const Error& error);

    std::shared_ptr<DatabaseState> database;
    duckdb_connection handle = nullptr;
    std::shared_ptr<InterruptSlot> slot = std::make_shared<InterruptSlot>();
    std::uint64_t statements_started = 0;  // a streamed result is dead once this moves on
    bool in_transaction = false;
    bool transaction_failed = false;
    CancelToken cancel;
    CancelToken::Registration cancel_registration;
};

struct StatementState {
    explicit StatementState(std::shared_ptr<ConnectionState> owner)
        : connection(std::move(owner)) {}
    StatementState(const StatementState&) = delete;
    StatementState& operator=(const StatementState&) = delete;
    StatementState(StatementState&&) = delete;
    StatementState& operator=(StatementState&&) = delete;
    ~StatementState() { duckdb_destroy_prepare(&handle); }

    std::shared_ptr<ConnectionState> connection;
    duckdb_prepared_statement handle = nullptr;
    std::size_t parameter_count = 0;
};

struct RowsState {
    explicit RowsState(std::shared_ptr<StatementState> owner) : statement(std::move(owner)) {}
    RowsState(const RowsState&) = delete;
    RowsState& operator=(const RowsState&) = delete;
    RowsState(RowsState&&) = delete;
    RowsState& operator=(RowsState&&) = delete;
    ~RowsState();

    std::shared_ptr<StatementState> statement;
    duckdb_result result{};
    duckdb_data_chunk chunk = nullptr;
    std::vector<ColumnInfo> columns;
    std::vector<UniqueLogicalType> types;
    std::uint64_t started_as = 0;  // statements_started when this result began
    bool streamed = false;
    bool ended = false;
};

struct ChunkHandle {
    ChunkHandle() = default;
    ChunkHandle(const ChunkHandle&) = delete;
    ChunkHandle& operator=(const ChunkHandle&) = delete;
    ChunkHandle(ChunkHandle&&) = delete;
    ChunkHandle& operator=(ChunkHandle&&) = delete;
    ~ChunkHandle() { duckdb_destroy_data_chunk(&chunk); }
    duckdb_data_chunk chunk = nullptr;
};

struct AppenderState {
    AppenderState() = default;
    AppenderState(const AppenderState&) = delete;
    AppenderState& operator=(const AppenderState&) = delete;
    AppenderState(AppenderState&&) = delete;
    AppenderState& operator=(AppenderState&&) = delete;
    ~AppenderState() { discard(); }

    // Ends the engine's appender without looking at the outcome.
    void discard();

    std::shared_ptr<ConnectionState> connection;
    duckdb_appender handle = nullptr;  // nullptr: closed, failed, or its transaction ended
    std::string table;
    std::int64_t rows = 0;           // given to the engine
    std::int64_t rows_inserted = 0;  // of these, already in the table
    bool closed = false;             // by close(), successfully
};

struct TransactionState {
    explicit TransactionState(Connection own) : connection(std::move(own)) {}
    Connection connection;
    std::vector<std::shared_ptr<AppenderState>> appenders;
    bool open = true;
};

}  // namespace tb::db::detail
