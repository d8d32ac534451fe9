// A transaction on one connection: all of it or nothing. Ends by commit(), rollback(), or by being
// destroyed, which rolls back (and first closes appenders that are still alive: appender.h).
//
// The Connection may be moved meanwhile, but nobody else may begin a transaction on it.
//
// Single-thread, move-only.
#pragma once

#include <memory>
#include <string_view>

#include "core/result.h"
#include "db/appender.h"
#include "db/connection.h"

namespace tb::db {

namespace detail {
struct TransactionState;
}

enum class Access {
    kReadWrite,
    kReadOnly,  // the engine refuses every write to the database, whatever the statement looks like
};

class Transaction {
  public:
    // kInternal when the connection already has a transaction; kDatabase for one that writes while
    // Connection::must_reopen().
    [[nodiscard]] static Result<Transaction> begin(Connection& connection,
                                                   Access access = Access::kReadWrite);
    Transaction(Transaction&&) noexcept;
    Transaction& operator=(Transaction&&) noexcept;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();

    // The connection the transaction runs on, for statements inside it.
    [[nodiscard]] Connection& connection();

    // Several appenders may be alive at once, on different tables.
    [[nodiscard]] Result<Appender> appender(std::string_view schema, std::string_view table);

    // kInternal, and nothing committed, while an appender has not been closed or after a statement
    // or an appender failed (the engine would answer such a COMMIT with success and store nothing);
    // the transaction is then still open. An error of the engine's own COMMIT has rolled back.
    [[nodiscard]] Result<void> commit();
    // Idempotent after commit or rollback.
    void rollback();
    [[nodiscard]] bool is_open() const;

  private:
    explicit Transaction(std::unique_ptr<detail::TransactionState> state);
    std::unique_ptr<detail::TransactionState> state_;
};

}  // namespace tb::db
