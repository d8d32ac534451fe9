// Where queries of users are run on a data directory's database: in this process what is bounded by
// nature (sql_bounds.h), everything else in a process of its own that can be killed (sql_worker.h),
// on a copy of the database that is made once for each state (sql_snapshot.h). docs/sql-safety.md
// says what that promises, docs/adr/004 why it is so.
//
// A process is kept ready after the first such query; it and the copy go half a minute after the
// last one.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "core/cancel.h"
#include "core/result.h"
#include "db/connection.h"
#include "db/query_runner.h"

namespace tb::db {

class DataStore;

namespace detail {
class Patience;
class SqlWorker;
struct Snapshot;
}  // namespace detail

// At once on one directory; more wait, and their waiting counts as their time.
inline constexpr std::size_t kMaxQueriesHere = 4;
inline constexpr std::size_t kMaxQueryWorkers = 4;
// Running and waiting together; beyond: kBusy.
inline constexpr std::size_t kMaxQueries = 24;
inline constexpr std::chrono::seconds kQueryWorkerIdle{30};

class QueryService {
  public:
    // `store` outlives it, and gives it out (DataStore::queries).
    explicit QueryService(DataStore& store, std::chrono::milliseconds idle = kQueryWorkerIdle);
    QueryService(const QueryService&) = delete;
    QueryService& operator=(const QueryService&) = delete;
    QueryService(QueryService&&) = delete;
    QueryService& operator=(QueryService&&) = delete;
    ~QueryService();

    // As run_query, with its errors and those of another process: kDatabase with what ended it,
    // kResourceExhausted without room for a copy, kIo when no process can be had, kBusy when too
    // many queries wait. `connection` is a reader of the store's database, with short table names.
    [[nodiscard]] Result<QueryOutcome> run(Connection& connection, std::string_view sql,
                                           const QueryLimits& limits, RowConsumer& consumer,
                                           const CancelToken& cancel = {});

    // Gives up the process that waits and the copy of the database.
    void release();

    // For tests and doctors: queries that ran in a process of their own so far.
    [[nodiscard]] std::uint64_t worker_runs() const;

  private:
    class Slot;
    struct Job;
    [[nodiscard]] Result<QueryOutcome> run_elsewhere(const Job& job);
    [[nodiscard]] Result<std::shared_ptr<const detail::Snapshot>> snapshot_for(
        const Job& job, detail::SqlWorker& copier, const detail::Patience& patience);
    [[nodiscard]] Result<detail::SqlWorker> take_worker();
    void make_ready();
    void watch_idleness();

    DataStore& store_;
    const std::chrono::milliseconds idle_;

    mutable std::mutex mutex_;
    std::condition_variable freed_;
    std::condition_variable idle_changed_;
    std::size_t queries_ = 0;
    std::size_t here_ = 0;
    std::size_t elsewhere_ = 0;
    std::uint64_t worker_runs_ = 0;
    std::unique_ptr<detail::SqlWorker> ready_;
    std::shared_ptr<const detail::Snapshot> snapshot_;
    std::chrono::steady_clock::time_point last_used_;
    bool stopping_ = false;
    bool is_watching_ = false;
    std::thread watcher_;
    std::timed_mutex copying_;  // one copy at a time; before mutex_
};

}  // namespace tb::db
