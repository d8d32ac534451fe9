#include "db/appender.h"

#include <utility>

#include "db/engine_state.h"

namespace tb::db {

namespace detail {

void AppenderState::discard() {
    if (handle != nullptr) {
        static_cast<void>(duckdb_appender_destroy(&handle));
        handle = nullptr;
    }
}

}  // namespace detail

namespace {

// The engine collects what it is given, by itself up to 204,800 rows, before it inserts them. A
// tenth of that costs the same processor time and, for rows of two hundred bytes, 100 MB less.
constexpr std::int64_t kRowsCollected = 20'480;

// The engine's text must be read before its handle goes away.
tl::unexpected<Error> append_error(detail::AppenderState& state) {
    const duckdb_error_data data = duckdb_appender_error_data(state.handle);
    const duckdb_error_type type =
        data != nullptr ? duckdb_error_data_error_type(data) : DUCKDB_ERROR_INVALID;
    const char* const text = duckdb_appender_error(state.handle);
    Error error = engine_error(text != nullptr ? text : "Failed to append", type);
    error.context = state.table;
    duckdb_error_data owned = data;
    duckdb_destroy_error_data(&owned);
    state.discard();
    return state.connection->fail(std::move(error));
}

tl::unexpected<Error> ended(const detail::AppenderState& state) {
    return make_error(ErrorCode::kInternal,
                      "the appender was closed, has failed, or its transaction has ended",
                      state.table);
}

}  // namespace

Appender::Appender(std::shared_ptr<detail::AppenderState> state, DataChunk chunk)
    : state_(std::move(state)), chunk_(std::move(chunk)) {}
Appender::Appender(Appender&&) noexcept = default;

Appender& Appender::operator=(Appender&& other) noexcept {
    if (this != &other) {
        const Appender dropped(std::move(*this));
        state_ = std::move(other.state_);
        chunk_ = std::move(other.chunk_);
    }
    return *this;
}

Appender::~Appender() {
    if (state_ != nullptr && state_->handle != nullptr) {
        // Whether all its rows arrived is unknown now. Inside the transaction the rows are still
        // covered by its rollback, and it must end that way.
        state_->discard();
        state_->connection->transaction_failed = true;
    }
}

Result<void> Appender::flush_chunk(std::size_t rows) {
    chunk_.set_row_count(rows);
    TB_RETURN_IF_ERROR(append(chunk_));
    if (rows > 0) {
        chunk_.clear();
    }
    return {};
}

Result<void> Appender::append(DataChunk& chunk) {
    if (state_->handle == nullptr) {
        return ended(*state_);
    }
    if (chunk.row_count() == 0) {
        return {};
    }
    if (chunk.column_count() != chunk_.column_count()) {
        return make_error(ErrorCode::kInternal, "the chunk has another number of columns",
                          state_->table);
    }
    for (std::size_t i = 0; i < chunk.columns_.size(); ++i) {
        if (chunk.columns_[i].type != chunk_.columns_[i].type) {
            return make_error(ErrorCode::kInternal, "the chunk has other column types",
                              state_->table);
        }
    }
    TB_RETURN_IF_ERROR(state_->connection->check_cancelled());
    chunk.publish();
    if (duckdb_append_data_chunk(state_->handle, chunk.handle_->chunk) != DuckDBSuccess) {
        return append_error(*state_);
    }
    state_->rows += static_cast<std::int64_t>(chunk.row_count());
    if (state_->rows - state_->rows_inserted < kRowsCollected) {
        return {};
    }
    if (duckdb_appender_flush(state_->handle) != DuckDBSuccess) {
        return append_error(*state_);
    }
    state_->rows_inserted = state_->rows;
    return {};
}

Result<void> Appender::close() {
    if (state_->handle == nullptr) {
        return ended(*state_);
    }
    if (duckdb_appender_close(state_->handle) != DuckDBSuccess) {
        return append_error(*state_);
    }
    state_->closed = true;
    state_->discard();
    return {};
}

std::int64_t Appender::rows_appended() const {
    return state_->rows;
}

}  // namespace tb::db
