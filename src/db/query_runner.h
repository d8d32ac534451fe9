// Runs one query that somebody else wrote, so that it cannot hurt: judged by sql_guard.h, inside a
// read-only transaction that is always rolled back, stopped by the engine's interrupt at a deadline
// or on cancellation, and never reading more rows than asked for.
//
// Runs in this process, whatever the statement calls: query_service.h decides which ones may.
//
// The text is never edited. One row more than the limit is fetched to know whether there are more.
//
// Thread-compatible: one query at a time per connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/cancel.h"
#include "core/result.h"
#include "db/connection.h"
#include "db/sql_guard.h"
#include "db/types.h"
#include "db/value_render.h"

namespace tb::db {

struct QueryLimits {
    std::size_t max_rows = 1000;
    std::size_t max_bytes = 64U << 20U;  // of rendered rows, as the consumer counts them
    std::chrono::milliseconds timeout{30'000};
    // The query is stopped when this process is larger: what aggregates keep of texts is not in the
    // engine's own account. 0 = not looked at.
    std::uint64_t max_process_bytes = 0;
};

struct QueryOutcome {
    std::vector<ColumnInfo> columns;  // with distinct names
    std::int64_t row_count = 0;       // delivered
    bool truncated = false;           // there are more rows than were delivered
    bool stopped_by_bytes = false;    // ... because of max_bytes, not of max_rows
    std::int64_t non_finite = 0;      // NaN and infinities among the delivered cells: rendered null
    double elapsed_ms = 0;
};

// What a reader must be told of them (06 S8); empty if there are none.
[[nodiscard]] std::string non_finite_note(std::int64_t count);

// Takes the rows as they come. Errors end the query.
class RowConsumer {
  public:
    RowConsumer() = default;
    RowConsumer(const RowConsumer&) = delete;
    RowConsumer& operator=(const RowConsumer&) = delete;
    virtual ~RowConsumer() = default;
    // Before the first row; also when there is none.
    [[nodiscard]] virtual Result<void> begin(const std::vector<ColumnInfo>& columns) = 0;
    // Bytes the row took.
    [[nodiscard]] virtual Result<std::size_t> row(const ValueRenderer& values, std::size_t row) = 0;
};

// Errors: those of guard_sql; kInterrupted (cancelled, or the deadline passed; the message says
// which), kResourceExhausted (memory, or a single row larger than max_bytes), kDatabase (the
// engine's message; with the list of tables where a table is unknown, and a DESCRIBE tip where a
// column is), and whatever the consumer fails with. kInternal if the connection is in a
// transaction. Rows that were delivered before an error are part of no result.
[[nodiscard]] Result<QueryOutcome> run_query(Connection& connection, std::string_view sql,
                                             const QueryLimits& limits, RowConsumer& consumer,
                                             const CancelToken& cancel = {});

// The same for a statement that guard_sql has judged already, on this engine's version of the
// rules.
[[nodiscard]] Result<QueryOutcome> run_guarded(Connection& connection, const GuardedSql& guarded,
                                               const QueryLimits& limits, RowConsumer& consumer,
                                               const CancelToken& cancel = {});

struct JsonQueryResult {
    QueryOutcome outcome;
    // Array of row objects, keys as outcome.columns. Never null.
    [[nodiscard]] const nlohmann::ordered_json& rows() const { return *rows_; }

    std::shared_ptr<nlohmann::ordered_json> rows_;
};

// The same with all rows held as JSON.
[[nodiscard]] Result<JsonQueryResult> run_query_to_json(Connection& connection,
                                                        std::string_view sql,
                                                        const QueryLimits& limits,
                                                        const CancelToken& cancel = {});

}  // namespace tb::db
