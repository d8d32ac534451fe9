#include "db/query_runner.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "db/engine.h"
#include "db/query_delivery.h"
#include "db/schema.h"
#include "db/sql_guard.h"
#include "db/sql_sandbox.h"
#include "db/transaction.h"

namespace tb::db {

namespace {

using SteadyClock = std::chrono::steady_clock;

// Stops what the connection runs when time is up or the caller cancels. It keeps interrupting until
// the query is over: the engine forgets an interrupt that arrives just before it starts.
class Watchdog {
  public:
    enum class Reason { kNone, kDeadline, kCancelled, kMemory };

    Watchdog(InterruptHandle handle, const QueryLimits& limits, const CancelToken& cancel)
        : handle_(std::move(handle)),
          deadline_(SteadyClock::now() +
                    std::min<std::chrono::milliseconds>(limits.timeout, kLongest)),
          max_bytes_(limits.max_process_bytes) {
        registration_ = cancel.on_cancel([this] {
            const std::lock_guard lock(mutex_);
            cancelled_ = true;
            changed_.notify_all();
        });
        thread_ = std::thread([this] { run(); });
    }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    ~Watchdog() {
        registration_ = {};
        {
            const std::lock_guard lock(mutex_);
            over_ = true;
            changed_.notify_all();
        }
        thread_.join();
    }

    [[nodiscard]] Reason reason() const {
        const std::lock_guard lock(mutex_);
        return reason_;
    }

  private:
    // So that no timeout overflows the clock.
    static constexpr std::chrono::hours kLongest{24 * 365};

    void run() {
        constexpr std::chrono::milliseconds kAgain{20};
        std::unique_lock lock(mutex_);
        bool too_large = false;
        while (!over_ && !cancelled_ && !too_large && SteadyClock::now() < deadline_) {
            changed_.wait_until(lock, max_bytes_ == 0 ? deadline_ : next_look(),
                                [this] { return over_ || cancelled_; });
            too_large = !over_ && is_too_large();
        }
        if (over_) {
            return;
        }
        reason_ = cancelled_ ? Reason::kCancelled : too_large ? Reason::kMemory : Reason::kDeadline;
        while (!over_) {
            handle_.interrupt();
            changed_.wait_for(lock, kAgain, [this] { return over_; });
        }
    }

    [[nodiscard]] SteadyClock::time_point next_look() const {
        constexpr std::chrono::milliseconds kLook{20};
        return std::min(deadline_, SteadyClock::now() + kLook);
    }

    // Not what the allocator merely keeps.
    [[nodiscard]] bool is_too_large() const {
        const auto larger = [this] {
            return detail::process_memory(detail::ProcessMemory::kResident) > max_bytes_;
        };
        if (max_bytes_ == 0 || !larger()) {
            return false;
        }
        release_unused_memory();
        return larger();
    }

    InterruptHandle handle_;
    SteadyClock::time_point deadline_;
    const std::uint64_t max_bytes_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool cancelled_ = false;
    bool over_ = false;
    Reason reason_ = Reason::kNone;
    CancelToken::Registration registration_;
    std::thread thread_;
};

Error stopped(Watchdog::Reason reason, const QueryLimits& limits) {
    return reason == Watchdog::Reason::kMemory
               ? detail::memory_error(limits.max_process_bytes)
               : detail::stopped_error(reason == Watchdog::Reason::kCancelled, limits.timeout);
}

class QueryRun {
  public:
    QueryRun(Connection& connection, const QueryLimits& limits, RowConsumer& consumer,
             const Watchdog& watchdog)
        : connection_(connection),
          limits_(limits),
          delivery_(limits, consumer),
          watchdog_(watchdog) {}

    Result<QueryOutcome> run(const GuardedSql& guarded) {
        TB_RETURN_IF_ERROR(check_time());
        TB_TRY(Transaction transaction, Transaction::begin(connection_, Access::kReadOnly));
        TB_TRY(Statement statement, connection_.prepare(guarded.sql));
        const duckdb_statement_type type = duckdb_prepared_statement_type(raw(statement));
        if (type !=
            (guarded.explain ? DUCKDB_STATEMENT_TYPE_EXPLAIN : DUCKDB_STATEMENT_TYPE_SELECT)) {
            return make_error(ErrorCode::kRefused, "only queries are allowed");
        }
        TB_RETURN_IF_ERROR(check_time());
        TB_TRY(Rows rows, statement.query());
        TB_RETURN_IF_ERROR(deliver(rows));
        return std::move(delivery_.outcome());
    }

  private:
    Result<void> check_time() const {
        const Watchdog::Reason reason = watchdog_.reason();
        return reason == Watchdog::Reason::kNone ? Result<void>{}
                                                 : tl::unexpected<Error>(stopped(reason, limits_));
    }

    Result<void> deliver(Rows& rows) {
        TB_TRY(ValueRenderer values, ValueRenderer::create(rows));
        TB_RETURN_IF_ERROR(delivery_.begin(with_distinct_names(rows.columns())));
        while (!delivery_.outcome().truncated) {
            TB_TRY(const bool more, rows.next_chunk());
            TB_RETURN_IF_ERROR(check_time());
            if (!more) {
                break;
            }
            values.load_chunk(rows);
            TB_RETURN_IF_ERROR(deliver_chunk(values, rows.chunk().row_count()));
        }
        return {};
    }

    Result<void> deliver_chunk(const ValueRenderer& values, std::size_t row_count) {
        for (std::size_t row = 0; row < row_count; ++row) {
            TB_TRY(const bool taken, delivery_.take(values, row));
            if (!taken) {
                return {};
            }
        }
        return {};
    }

    Connection& connection_;
    const QueryLimits& limits_;
    detail::Delivery delivery_;
    const Watchdog& watchdog_;
};

Result<std::vector<std::string>> known_tables(Connection& connection) {
    TB_TRY(Rows rows, connection.collect(
                          "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE NOT "
                          "internal AND NOT starts_with(table_name, '_') ORDER BY ALL LIMIT 100"));
    std::vector<std::string> tables;
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return tables;
        }
        tables.emplace_back(rows.get<std::string_view>(0));
    }
}

// The engine's message with what helps to write the query anew.
Error explain_error(Connection& connection, Error error) {
    if (error.code != ErrorCode::kDatabase && error.code != ErrorCode::kInvalidArgument) {
        return error;
    }
    const std::string& text = error.message;
    const auto says = [&](std::string_view part) { return text.find(part) != std::string::npos; };
    if (says("Table with name") || says("Referenced table") || says("Schema with name")) {
        const auto tables = known_tables(connection);
        if (tables.has_value() && !tables->empty()) {
            error.message += fmt::format("\nTables: {}", fmt::join(*tables, ", "));
        }
    } else if (says("Referenced column") || says("does not have a column") ||
               says("Could not find key")) {
        error.message +=
            "\nTip: DESCRIBE trades.trade_data (or another table) lists the columns; text stands "
            "in "
            "'single quotes'";
    }
    return error;
}

class JsonRows final : public RowConsumer {
  public:
    Result<void> begin(const std::vector<ColumnInfo>& columns) override {
        for (const ColumnInfo& column : columns) {
            keys_.push_back(column.name);
        }
        return {};
    }

    Result<std::size_t> row(const ValueRenderer& values, std::size_t row) override {
        nlohmann::ordered_json object = nlohmann::ordered_json::object();
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            text_.clear();
            values.append_json(text_, i, row);
            bytes += keys_[i].size() + text_.size() + 4;
            object[keys_[i]] = nlohmann::ordered_json::parse(text_, nullptr, false);
        }
        rows->push_back(std::move(object));
        return bytes;
    }

    std::shared_ptr<nlohmann::ordered_json> rows =
        std::make_shared<nlohmann::ordered_json>(nlohmann::ordered_json::array());

  private:
    std::vector<std::string> keys_;
    std::string text_;
};

}  // namespace

std::string non_finite_note(std::int64_t count) {
    return count == 0 ? std::string()
                      : fmt::format("{} {} infinite or not a number and left empty (null)", count,
                                    count == 1 ? "value is" : "values are");
}

Result<QueryOutcome> run_query(Connection& connection, std::string_view sql,
                               const QueryLimits& limits, RowConsumer& consumer,
                               const CancelToken& cancel) {
    const auto started = SteadyClock::now();
    TB_TRY(const GuardedSql guarded, guard_sql(connection, sql));
    TB_TRY(QueryOutcome outcome, run_guarded(connection, guarded, limits, consumer, cancel));
    outcome.elapsed_ms =
        std::chrono::duration<double, std::milli>(SteadyClock::now() - started).count();
    return outcome;
}

Result<QueryOutcome> run_guarded(Connection& connection, const GuardedSql& guarded,
                                 const QueryLimits& limits, RowConsumer& consumer,
                                 const CancelToken& cancel) {
    if (connection.in_transaction()) {
        return make_error(ErrorCode::kInternal, "a query needs a connection of its own");
    }
    const auto started = SteadyClock::now();
    std::optional<Watchdog> watchdog;
    watchdog.emplace(connection.interrupt_handle(), limits, cancel);
    auto outcome = QueryRun(connection, limits, consumer, *watchdog).run(guarded);
    const Watchdog::Reason reason = watchdog->reason();
    // Before anything else runs on the connection.
    watchdog.reset();
    if (outcome.has_value()) {
        outcome->elapsed_ms =
            std::chrono::duration<double, std::milli>(SteadyClock::now() - started).count();
        return outcome;
    }
    if (outcome.error().code == ErrorCode::kInterrupted && reason != Watchdog::Reason::kNone) {
        return tl::unexpected<Error>(stopped(reason, limits));
    }
    return tl::unexpected<Error>(explain_error(connection, std::move(outcome.error())));
}

Result<JsonQueryResult> run_query_to_json(Connection& connection, std::string_view sql,
                                          const QueryLimits& limits, const CancelToken& cancel) {
    JsonRows consumer;
    TB_TRY(QueryOutcome outcome, run_query(connection, sql, limits, consumer, cancel));
    return JsonQueryResult{std::move(outcome), std::move(consumer.rows)};
}

}  // namespace tb::db
