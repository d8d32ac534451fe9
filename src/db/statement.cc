#include "db/statement.h"

#include <utility>

#include <fmt/format.h>

#include "db/engine_state.h"

namespace tb::db {

namespace {

struct PendingDeleter {
    using pointer = duckdb_pending_result;
    void operator()(duckdb_pending_result pending) const { duckdb_destroy_pending(&pending); }
};

Result<void> bound(const detail::StatementState& statement, std::size_t parameter,
                   duckdb_state outcome) {
    if (outcome == DuckDBSuccess) {
        return {};
    }
    const char* const text = duckdb_prepare_error(statement.handle);
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("parameter {} of {} cannot be bound: {}", parameter,
                                  statement.parameter_count, text != nullptr ? text : "refused"));
}

std::vector<ColumnInfo> describe_columns(detail::RowsState& rows) {
    std::vector<ColumnInfo> columns;
    const idx_t count = duckdb_column_count(&rows.result);
    columns.reserve(count);
    for (idx_t i = 0; i < count; ++i) {
        UniqueLogicalType type(duckdb_column_logical_type(&rows.result, i));
        columns.push_back({duckdb_column_name(&rows.result, i),
                           type_id(duckdb_get_type_id(type.get())), logical_type_name(type.get())});
        rows.types.push_back(std::move(type));
    }
    return columns;
}

Result<std::unique_ptr<detail::RowsState>> start(
    const std::shared_ptr<detail::StatementState>& statement, bool streamed) {
    detail::ConnectionState& connection = *statement->connection;
    auto rows = std::make_unique<detail::RowsState>(statement);
    rows->started_as = ++connection.statements_started;
    duckdb_pending_result raw_pending = nullptr;
    const duckdb_state prepared =
        streamed ? duckdb_pending_prepared_streaming(statement->handle, &raw_pending)
                 : duckdb_pending_prepared(statement->handle, &raw_pending);
    const std::unique_ptr<void, PendingDeleter> pending(raw_pending);
    if (prepared != DuckDBSuccess) {
        const char* const text =
            raw_pending != nullptr ? duckdb_pending_error(raw_pending) : nullptr;
        return connection.fail(engine_error(text != nullptr ? text : "cannot start the statement"));
    }
    // From here on the engine no longer forgets an interrupt: a cancellation that came earlier is
    // seen now, a later one ends the execution.
    if (auto cancelled = connection.check_cancelled(); !cancelled.has_value()) {
        return connection.fail(cancelled.error());
    }
    if (duckdb_execute_pending(raw_pending, &rows->result) != DuckDBSuccess) {
        const char* const text = duckdb_result_error(&rows->result);
        return connection.fail(engine_error(text != nullptr ? text : "the statement failed",
                                            duckdb_result_error_type(&rows->result)));
    }
    rows->streamed = duckdb_result_is_streaming(rows->result);
    rows->columns = describe_columns(*rows);
    return rows;
}

}  // namespace

Result<void> Statement::bind_null(std::size_t parameter) {
    return bound(*state_, parameter, duckdb_bind_null(state_->handle, parameter));
}
Result<void> Statement::bind_bool(std::size_t parameter, bool value) {
    return bound(*state_, parameter, duckdb_bind_boolean(state_->handle, parameter, value));
}
Result<void> Statement::bind_int32(std::size_t parameter, std::int32_t value) {
    return bound(*state_, parameter, duckdb_bind_int32(state_->handle, parameter, value));
}
Result<void> Statement::bind_int64(std::size_t parameter, std::int64_t value) {
    return bound(*state_, parameter, duckdb_bind_int64(state_->handle, parameter, value));
}
Result<void> Statement::bind_double(std::size_t parameter, double value) {
    return bound(*state_, parameter, duckdb_bind_double(state_->handle, parameter, value));
}
Result<void> Statement::bind_string(std::size_t parameter, std::string_view value) {
    // An empty view may point nowhere, which the engine would take for a broken string.
    const char* const text = value.data() != nullptr ? value.data() : "";
    return bound(*state_, parameter,
                 duckdb_bind_varchar_length(state_->handle, parameter, text, value.size()));
}
Result<void> Statement::bind_date(std::size_t parameter, Date value) {
    return bound(*state_, parameter,
                 duckdb_bind_date(state_->handle, parameter, duckdb_date{value.days()}));
}
Result<void> Statement::bind_timestamp(std::size_t parameter, Timestamp value) {
    return bound(*state_, parameter,
                 duckdb_bind_timestamp(state_->handle, parameter, duckdb_timestamp{value.micros}));
}

std::size_t Statement::parameter_count() const {
    return state_->parameter_count;
}

Result<void> Statement::check_count(std::size_t given) const {
    if (given != state_->parameter_count) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("the statement has {} parameters, {} were given",
                                      state_->parameter_count, given));
    }
    return {};
}

Result<std::int64_t> Statement::run() {
    TB_TRY(const auto rows, start(state_, false));
    return static_cast<std::int64_t>(duckdb_rows_changed(&rows->result));
}

Result<Rows> Statement::query() {
    TB_TRY(auto rows, start(state_, true));
    return Rows(std::move(rows));
}

Result<Rows> Statement::collect() {
    TB_TRY(auto rows, start(state_, false));
    return Rows(std::move(rows));
}

}  // namespace tb::db
