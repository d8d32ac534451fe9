// A process of our own that runs one query and can be killed: for statements that call what nobody
// can bound or interrupt (sql_bounds.h). Whatever such a statement does to its process, this one
// only sees a socket that closes.
//
// The process is this program again (sql_worker_main.h): it is started ahead of time, has the
// engine loaded, and waits. It gets a copy of the database as an open descriptor, gives up files,
// sockets and processes (sql_sandbox.h), and streams the rows back (sql_wire.h).
//
// For .cc files of src/db only. Single-thread, move-only; the destructor kills the process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/cancel.h"
#include "core/result.h"
#include "core/unique_fd.h"
#include "db/database.h"
#include "db/query_runner.h"
#include "db/sql_guard.h"

namespace tb::db::detail {

using SteadyTime = std::chrono::steady_clock::time_point;

// Until when to wait for another process, and what ends the wait before.
class Patience {
  public:
    // kIo when the system gives no descriptors.
    [[nodiscard]] static Result<Patience> until(SteadyTime deadline, const CancelToken& cancel);

    [[nodiscard]] SteadyTime deadline() const { return deadline_; }
    [[nodiscard]] int stop_fd() const { return stop_.get(); }

  private:
    Patience(SteadyTime deadline, UniqueFd stop) : deadline_(deadline), stop_(std::move(stop)) {}
    SteadyTime deadline_;
    UniqueFd stop_;  // eventfd, readable once cancelled
    CancelToken::Registration registration_;
};

class SqlWorker {
  public:
    // Does not wait until it is ready.
    //   kIo  no process to be had; the message says why
    [[nodiscard]] static Result<SqlWorker> start(const DatabaseOptions& options);
    SqlWorker(SqlWorker&& other) noexcept;
    SqlWorker& operator=(SqlWorker&& other) noexcept;
    SqlWorker(const SqlWorker&) = delete;
    SqlWorker& operator=(const SqlWorker&) = delete;
    ~SqlWorker();

    [[nodiscard]] pid_t pid() const { return pid_; }
    // False once the process has ended.
    [[nodiscard]] bool alive();

    // A copy of a database file that nobody writes meanwhile, its log folded in, as a descriptor.
    // `folder` is the caller's to make and to remove.
    [[nodiscard]] Result<UniqueFd> copy(const std::filesystem::path& database,
                                        const std::filesystem::path& folder,
                                        const Patience& patience);

    struct Job {
        const GuardedSql& sql;
        const QueryLimits& limits;  // `timeout`: what is said in messages
        int snapshot = -1;
        std::string catalog;
        std::uint64_t memory_bytes = 0;  // for the engine and all else that the statement needs
    };
    // Runs it and ends the process. Errors as run_query's, and kDatabase when the process ended
    // before its answer: what happened to it, and that others are unaffected.
    [[nodiscard]] Result<QueryOutcome> run(const Job& job, RowConsumer& consumer,
                                           const Patience& patience);

  private:
    SqlWorker(pid_t pid, UniqueFd socket) : pid_(pid), socket_(std::move(socket)) {}
    void end();
    [[nodiscard]] Error lost();
    [[nodiscard]] Result<void> take_rows(std::string_view rows, class Delivery& delivery,
                                         ValueRenderer& values);

    pid_t pid_ = -1;
    UniqueFd socket_;
};

}  // namespace tb::db::detail
