#include "db/transaction.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "db/engine_state.h"

namespace tb::db {

Transaction::Transaction(std::unique_ptr<detail::TransactionState> state)
    : state_(std::move(state)) {}
Transaction::Transaction(Transaction&&) noexcept = default;

Transaction& Transaction::operator=(Transaction&& other) noexcept {
    if (this != &other) {
        rollback();
        state_ = std::move(other.state_);
    }
    return *this;
}

Transaction::~Transaction() {
    rollback();
}

Result<Transaction> Transaction::begin(Connection& connection, Access access) {
    detail::ConnectionState& state = *connection.state();
    if (state.in_transaction) {
        return make_error(ErrorCode::kInternal, "the connection already has a transaction");
    }
    if (access == Access::kReadWrite && connection.must_reopen()) {
        return make_error(ErrorCode::kDatabase,
                          "a COMMIT failed before: the database has to be opened anew");
    }
    TB_RETURN_IF_ERROR(connection.execute(
        access == Access::kReadOnly ? "BEGIN TRANSACTION READ ONLY" : "BEGIN TRANSACTION"));
    state.in_transaction = true;
    state.transaction_failed = false;
    return Transaction(std::make_unique<detail::TransactionState>(connection.share()));
}

Connection& Transaction::connection() {
    return state_->connection;
}
bool Transaction::is_open() const {
    return state_ != nullptr && state_->open;
}

Result<Appender> Transaction::appender(std::string_view schema, std::string_view table) {
    if (!is_open()) {
        return make_error(ErrorCode::kInternal, "the transaction has ended");
    }
    const auto& connection = state_->connection.state();
    auto appender = std::make_shared<detail::AppenderState>();
    appender->connection = connection;
    appender->table = fmt::format("{}.{}", schema, table);
    ++connection->statements_started;
    const std::string schema_text(schema);
    const std::string table_text(table);
    if (duckdb_appender_create(connection->handle, schema_text.c_str(), table_text.c_str(),
                               &appender->handle) != DuckDBSuccess) {
        const char* const text =
            appender->handle != nullptr ? duckdb_appender_error(appender->handle) : nullptr;
        Error error = engine_error(text != nullptr ? text : "cannot append");
        error.context = appender->table;
        return connection->fail(std::move(error));
    }
    std::vector<TypeId> types;
    const idx_t count = duckdb_appender_column_count(appender->handle);
    for (idx_t i = 0; i < count; ++i) {
        const UniqueLogicalType type(duckdb_appender_column_type(appender->handle, i));
        types.push_back(type_id(duckdb_get_type_id(type.get())));
    }
    TB_TRY(DataChunk chunk, DataChunk::create(types));
    state_->appenders.push_back(appender);
    return Appender(std::move(appender), std::move(chunk));
}

Result<void> Transaction::commit() {
    if (!is_open()) {
        return make_error(ErrorCode::kInternal, "the transaction has ended");
    }
    for (const auto& appender : state_->appenders) {
        if (appender->handle != nullptr) {
            return make_error(ErrorCode::kInternal, "an appender has not been closed before commit",
                              appender->table);
        }
    }
    detail::ConnectionState& connection = *state_->connection.state();
    if (connection.transaction_failed) {
        return make_error(
            ErrorCode::kInternal,
            "a statement or an appender of this transaction failed: nothing of it can "
            "be committed");
    }
    auto committed = connection.execute_masked("COMMIT");
    if (!committed.has_value()) {
        connection.give_up_instance();
        rollback();
        return committed;
    }
    state_->open = false;
    connection.in_transaction = false;
    return {};
}

void Transaction::rollback() {
    if (!is_open()) {
        return;
    }
    for (const auto& appender : state_->appenders) {
        appender->discard();  // inside the transaction, so that what it flushes is rolled back
    }
    detail::ConnectionState& connection = *state_->connection.state();
    // Fails only where the engine has already ended the transaction.
    static_cast<void>(connection.execute_masked("ROLLBACK"));
    state_->open = false;
    connection.in_transaction = false;
    connection.transaction_failed = false;
}

}  // namespace tb::db
