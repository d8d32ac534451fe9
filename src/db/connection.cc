#include "db/connection.h"

#include <string>
#include <utility>

#include "db/database.h"
#include "db/engine_state.h"

namespace tb::db {

namespace detail {

void InterruptSlot::interrupt() {
    const std::lock_guard lock(mutex);
    if (connection != nullptr && !masked) {
        duckdb_interrupt(connection);
    }
}

ConnectionState::ConnectionState(std::shared_ptr<DatabaseState> owner)
    : database(std::move(owner)) {
    if (duckdb_connect(database->handle, &handle) != DuckDBSuccess) {
        handle = nullptr;
        return;
    }
    database->connections.fetch_add(1);
    slot->connection = handle;
}

ConnectionState::~ConnectionState() {
    cancel_registration = {};
    if (handle == nullptr) {
        return;
    }
    {
        const std::lock_guard lock(slot->mutex);
        slot->connection = nullptr;
    }
    duckdb_disconnect(&handle);
    database->connections.fetch_sub(1);
}

tl::unexpected<Error> ConnectionState::fail(Error error) {
    transaction_failed = transaction_failed || in_transaction;
    note_failure(error);
    return tl::unexpected<Error>(std::move(error));
}

void ConnectionState::give_up_instance() {
    database->must_reopen = true;
    static_cast<void>(execute_masked("PRAGMA disable_checkpoint_on_shutdown"));
}

void ConnectionState::note_failure(const Error& error) {
    // A full disk or too little memory says nothing about the file.
    if (error.code == ErrorCode::kDatabase && is_damage_at_open(error)) {
        database->suspected = true;
    }
    if (error.message.starts_with("FATAL Error")) {
        database->must_reopen = true;  // the engine answers nothing any more, nor writes anything
    } else if (error.message.starts_with("TransactionContext Error: Failed to commit")) {
        give_up_instance();  // a statement that was a transaction of its own
    }
}

Result<void> ConnectionState::check_cancelled() const {
    if (cancel.cancelled()) {
        return make_error(ErrorCode::kInterrupted, "cancelled");
    }
    return {};
}

Result<void> ConnectionState::execute_masked(const char* sql) {
    {
        const std::lock_guard lock(slot->mutex);
        slot->masked = true;
    }
    ++statements_started;
    duckdb_result result{};
    const duckdb_state outcome = duckdb_query(handle, sql, &result);
    Result<void> answer;
    if (outcome != DuckDBSuccess) {
        const char* const text = duckdb_result_error(&result);
        answer = tl::unexpected<Error>(engine_error(text != nullptr ? text : "unknown error",
                                                    duckdb_result_error_type(&result)));
        note_failure(answer.error());
    }
    duckdb_destroy_result(&result);
    {
        const std::lock_guard lock(slot->mutex);
        slot->masked = false;
    }
    return answer;
}

}  // namespace detail

void InterruptHandle::interrupt() const {
    slot_->interrupt();
}

Result<void> Connection::execute(std::string_view sql) {
    detail::ConnectionState& state = *state_;
    TB_RETURN_IF_ERROR(state.check_cancelled());
    ++state.statements_started;
    duckdb_result result{};
    const std::string text(sql);
    const duckdb_state outcome = duckdb_query(state.handle, text.c_str(), &result);
    Result<void> answer;
    if (outcome != DuckDBSuccess) {
        const char* const message = duckdb_result_error(&result);
        answer = state.fail(engine_error(message != nullptr ? message : "unknown error",
                                         duckdb_result_error_type(&result)));
    }
    duckdb_destroy_result(&result);
    return answer;
}

Result<Statement> Connection::prepare(std::string_view sql) {
    auto statement = std::make_shared<detail::StatementState>(state_);
    const std::string text(sql);
    // Preparing looks tables up in the catalogue, which ends a streamed result as any statement
    // does.
    ++state_->statements_started;
    if (duckdb_prepare(state_->handle, text.c_str(), &statement->handle) != DuckDBSuccess) {
        const char* const message =
            statement->handle != nullptr ? duckdb_prepare_error(statement->handle) : nullptr;
        return state_->fail(engine_error(message != nullptr ? message : "cannot prepare"));
    }
    statement->parameter_count = duckdb_nparams(statement->handle);
    return Statement(std::move(statement));
}

void Connection::cancel_with(const CancelToken& token) {
    state_->cancel_registration = {};
    state_->cancel = token;
    state_->cancel_registration = token.on_cancel([slot = state_->slot] { slot->interrupt(); });
}

InterruptHandle Connection::interrupt_handle() const {
    return InterruptHandle(state_->slot);
}
bool Connection::in_transaction() const {
    return state_->in_transaction;
}
bool Connection::must_reopen() const {
    return state_->database->must_reopen;
}

}  // namespace tb::db
