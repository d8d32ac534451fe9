// A session on a Database: transactions, statements and results belong to one connection and see
// its snapshot. Use one connection per thread; only an InterruptHandle may be used from elsewhere.
//
// Errors (all calls that run SQL): kInterrupted after interrupt(), kResourceExhausted when memory
// or disk limits are hit, kLocked for a foreign lock, kDatabase for everything else the engine
// says. After an error inside a transaction the engine refuses every further statement: roll back.
//
// Single-thread, move-only. A moved-from connection may only be destroyed or assigned to.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/cancel.h"
#include "core/result.h"
#include "db/rows.h"
#include "db/statement.h"

namespace tb::db {

namespace detail {
struct ConnectionState;
struct InterruptSlot;
}  // namespace detail

// Stops what a connection is running now, from any thread. Harmless when nothing runs or when the
// connection is gone; a COMMIT or CHECKPOINT is never stopped half-way. A statement that starts
// after the call is not affected: use Connection::cancel_with where that matters. Thread-safe,
// copyable.
class InterruptHandle {
  public:
    void interrupt() const;

  private:
    friend class Connection;
    explicit InterruptHandle(std::shared_ptr<detail::InterruptSlot> slot)
        : slot_(std::move(slot)) {}
    std::shared_ptr<detail::InterruptSlot> slot_;
};

class Connection {
  public:
    Connection(Connection&&) noexcept = default;
    Connection& operator=(Connection&&) noexcept = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() = default;

    // Runs one or more statements to the end and forgets their rows. Only for SQL of our own.
    [[nodiscard]] Result<void> execute(std::string_view sql);
    // Exactly one statement; parameters are $1, $2, ... or ?.
    [[nodiscard]] Result<Statement> prepare(std::string_view sql);

    // Prepare, bind $1.. in order, run. Rows arrive as the engine makes them (see Rows); nothing
    // else may run on this connection until they have been read or dropped.
    template <class... Args>
    [[nodiscard]] Result<Rows> query(std::string_view sql, const Args&... args) {
        TB_TRY(Statement statement, prepare(sql));
        TB_RETURN_IF_ERROR(statement.bind_all(args...));
        return statement.query();
    }
    // The same with the whole result held in memory: for small results that are read while other
    // statements run.
    template <class... Args>
    [[nodiscard]] Result<Rows> collect(std::string_view sql, const Args&... args) {
        TB_TRY(Statement statement, prepare(sql));
        TB_RETURN_IF_ERROR(statement.bind_all(args...));
        return statement.collect();
    }
    // The same for INSERT, UPDATE, DELETE: number of rows changed.
    template <class... Args>
    [[nodiscard]] Result<std::int64_t> run(std::string_view sql, const Args&... args) {
        TB_TRY(Statement statement, prepare(sql));
        TB_RETURN_IF_ERROR(statement.bind_all(args...));
        return statement.run();
    }

    // From now on statements end with kInterrupted as soon as the token is cancelled, and none is
    // started afterwards (COMMIT, ROLLBACK and CHECKPOINT are). A default token ends that.
    void cancel_with(const CancelToken& token);
    [[nodiscard]] InterruptHandle interrupt_handle() const;
    [[nodiscard]] bool in_transaction() const;
    // A COMMIT or a CHECKPOINT has failed on some connection of this instance (a full disk, for
    // instance). What the engine takes back then is not all that it put into the tables' memory:
    // texts written afterwards come out longer than they are, keys count as taken, and closing the
    // instance would put that into the file. So no transaction that writes can begin any more until
    // the file, which is in order, has been opened anew (DataStore::reopen).
    [[nodiscard]] bool must_reopen() const;

    // For src/db only (engine.h).
    [[nodiscard]] const std::shared_ptr<detail::ConnectionState>& state() const { return state_; }

  private:
    friend class Database;
    friend class Transaction;
    // Another handle of the same session.
    [[nodiscard]] Connection share() const { return Connection(state_); }
    explicit Connection(std::shared_ptr<detail::ConnectionState> state)
        : state_(std::move(state)) {}
    std::shared_ptr<detail::ConnectionState> state_;
};

}  // namespace tb::db
