#include "db/query_service.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "db/data_store.h"
#include "db/engine.h"
#include "db/query_delivery.h"
#include "db/sql_guard.h"
#include "db/sql_sandbox.h"
#include "db/sql_snapshot.h"
#include "db/sql_worker.h"

namespace tb::db {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kCancelPoll{20};
constexpr std::chrono::hours kLongest{24 * 365};  // so that no timeout overflows the clock

// A statement may make this process and its worker together as large as the engine's limit and 256
// MB. Of these, a worker that does nothing takes some, and some is left for the unforeseen.
constexpr std::uint64_t kBeyondLimit = 256U << 20U;
constexpr std::uint64_t kIdleWorker = 48U << 20U;
constexpr std::uint64_t kUnforeseen = 48U << 20U;
// Where a statement in this process is stopped: it grows on for a moment.
constexpr std::uint64_t kStopBeyondLimit = 128U << 20U;

// After a statement, and before a worker is told what it may have. Costs nothing while this process
// is small.
void release_memory_if_large(const DatabaseOptions& options) {
    const std::uint64_t limit = size_bytes(options.memory_limit).value_or(512U << 20U);
    if (detail::process_memory(detail::ProcessMemory::kResident) > limit / 4) {
        release_unused_memory();
    }
}

// What is left for a worker: the engine's limit, or less where this process is large already.
std::uint64_t worker_memory(const DatabaseOptions& options) {
    const std::uint64_t limit = size_bytes(options.memory_limit).value_or(512U << 20U);
    const std::uint64_t taken =
        detail::process_memory(detail::ProcessMemory::kResident) + kIdleWorker + kUnforeseen;
    const std::uint64_t all = limit + kBeyondLimit;
    return std::min(limit, all > taken ? all - taken : 0);
}

}  // namespace

struct QueryService::Job {
    const GuardedSql& sql;
    const QueryLimits& limits;
    RowConsumer& consumer;
    const CancelToken& cancel;
    detail::SteadyTime deadline;
};

// A place among those that run at once.
class QueryService::Slot {
  public:
    static Result<std::unique_ptr<Slot>> wait(QueryService& service, std::size_t& taken,
                                              std::size_t most, const Job& job) {
        std::unique_lock lock(service.mutex_);
        while (taken >= most) {
            if (job.cancel.cancelled()) {
                return tl::unexpected<Error>(detail::stopped_error(true, job.limits.timeout));
            }
            const auto now = SteadyClock::now();
            if (now >= job.deadline) {
                return make_error(
                    ErrorCode::kInterrupted,
                    fmt::format("the query waited for other queries until its time "
                                "limit of {:g} s: ask again later",
                                static_cast<double>(job.limits.timeout.count()) / 1000.0));
            }
            service.freed_.wait_for(
                lock, std::min<SteadyClock::duration>(kCancelPoll, job.deadline - now));
        }
        ++taken;
        return std::make_unique<Slot>(service, taken);
    }
    Slot(QueryService& service, std::size_t& taken) : service_(service), taken_(taken) {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    Slot(Slot&&) = delete;
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
        {
            const std::lock_guard lock(service_.mutex_);
            --taken_;
        }
        service_.freed_.notify_all();
    }

  private:
    QueryService& service_;
    std::size_t& taken_;
};

QueryService::QueryService(DataStore& store, std::chrono::milliseconds idle)
    : store_(store), idle_(idle), last_used_(SteadyClock::now()) {}

QueryService::~QueryService() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    idle_changed_.notify_all();
    if (watcher_.joinable()) {
        watcher_.join();
    }
}

Result<QueryOutcome> QueryService::run(Connection& connection, std::string_view sql,
                                       const QueryLimits& limits, RowConsumer& consumer,
                                       const CancelToken& cancel) {
    const auto started = SteadyClock::now();
    TB_TRY(const GuardedSql guarded, guard_sql(connection, sql));
    const Job job{guarded, limits, consumer, cancel,
                  started + std::min<std::chrono::milliseconds>(limits.timeout, kLongest)};
    std::unique_ptr<Slot> place;
    {
        const std::lock_guard lock(mutex_);
        if (queries_ >= kMaxQueries) {
            return make_error(ErrorCode::kBusy,
                              fmt::format("{} queries are running or waiting already: ask again "
                                          "later",
                                          kMaxQueries));
        }
        ++queries_;
        place = std::make_unique<Slot>(*this, queries_);
    }
    auto outcome = [&]() -> Result<QueryOutcome> {
        if (!guarded.unbounded.empty()) {
            return run_elsewhere(job);
        }
        TB_TRY([[maybe_unused]] const auto slot, Slot::wait(*this, here_, kMaxQueriesHere, job));
        QueryLimits left = limits;
        left.timeout = std::max(
            std::chrono::milliseconds(1),
            std::chrono::ceil<std::chrono::milliseconds>(job.deadline - SteadyClock::now()));
        left.max_process_bytes =
            size_bytes(store_.options().database.memory_limit).value_or(512U << 20U) +
            kStopBeyondLimit;
        auto here = run_guarded(connection, guarded, left, consumer, cancel);
        release_memory_if_large(store_.options().database);
        if (!here.has_value() && here.error().code == ErrorCode::kInterrupted &&
            !cancel.cancelled()) {
            return tl::unexpected<Error>(detail::stopped_error(false, limits.timeout));
        }
        return here;
    }();
    if (outcome.has_value()) {
        outcome->elapsed_ms =
            std::chrono::duration<double, std::milli>(SteadyClock::now() - started).count();
    }
    return outcome;
}

Result<QueryOutcome> QueryService::run_elsewhere(const Job& job) {
    TB_TRY([[maybe_unused]] const auto slot, Slot::wait(*this, elsewhere_, kMaxQueryWorkers, job));
    TB_TRY(const detail::Patience patience, detail::Patience::until(job.deadline, job.cancel));
    TB_TRY(detail::SqlWorker worker, take_worker());
    TB_TRY(const auto snapshot, snapshot_for(job, worker, patience));
    release_memory_if_large(store_.options().database);
    const detail::SqlWorker::Job work{job.sql, job.limits, snapshot->file.get(), snapshot->catalog,
                                      worker_memory(store_.options().database)};
    make_ready();  // gets ready while this one works
    return worker.run(work, job.consumer, patience);
}

Result<std::shared_ptr<const detail::Snapshot>> QueryService::snapshot_for(
    const Job& job, detail::SqlWorker& copier, const detail::Patience& patience) {
    std::unique_lock copying(copying_, std::defer_lock);
    while (!copying.try_lock_for(kCancelPoll)) {
        if (job.cancel.cancelled() || SteadyClock::now() >= job.deadline) {
            return tl::unexpected<Error>(
                detail::stopped_error(job.cancel.cancelled(), job.limits.timeout));
        }
    }
    const std::string state = detail::database_state(store_);
    {
        const std::lock_guard lock(mutex_);
        if (snapshot_ != nullptr && !state.empty() && snapshot_->state == state) {
            return snapshot_;
        }
    }
    TB_TRY(auto snapshot, detail::take_snapshot(store_, copier, job.cancel, patience));
    const std::lock_guard lock(mutex_);
    snapshot_ = snapshot->state.empty() ? nullptr : snapshot;
    return snapshot;
}

Result<detail::SqlWorker> QueryService::take_worker() {
    std::unique_ptr<detail::SqlWorker> ready;
    {
        const std::lock_guard lock(mutex_);
        ++worker_runs_;
        last_used_ = SteadyClock::now();
        ready = std::move(ready_);
    }
    if (ready != nullptr && ready->alive()) {
        return std::move(*ready);
    }
    return detail::SqlWorker::start(store_.options().database);
}

// For the next query; nobody is told when that fails.
void QueryService::make_ready() {
    {
        const std::lock_guard lock(mutex_);
        last_used_ = SteadyClock::now();
        if (stopping_ || ready_ != nullptr) {
            return;
        }
    }
    auto started = detail::SqlWorker::start(store_.options().database);
    std::thread over;
    {
        const std::lock_guard lock(mutex_);
        if (started.has_value() && ready_ == nullptr && !stopping_) {
            ready_ = std::make_unique<detail::SqlWorker>(std::move(*started));
        }
        if (!is_watching_ && !stopping_) {
            is_watching_ = true;
            over = std::exchange(watcher_, std::thread([this] { watch_idleness(); }));
        }
    }
    if (over.joinable()) {
        over.join();
    }
}

void QueryService::watch_idleness() {
    std::unique_ptr<detail::SqlWorker> leaving;
    std::shared_ptr<const detail::Snapshot> forgotten;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        const auto until = last_used_ + idle_;
        if (SteadyClock::now() >= until) {
            leaving = std::move(ready_);
            forgotten = std::move(snapshot_);
            break;
        }
        idle_changed_.wait_until(lock, until);
    }
    is_watching_ = false;
}

void QueryService::release() {
    std::unique_ptr<detail::SqlWorker> leaving;
    std::shared_ptr<const detail::Snapshot> forgotten;
    const std::lock_guard lock(mutex_);  // given back before the two above go
    leaving = std::move(ready_);
    forgotten = std::move(snapshot_);
}

std::uint64_t QueryService::worker_runs() const {
    const std::lock_guard lock(mutex_);
    return worker_runs_;
}

}  // namespace tb::db
