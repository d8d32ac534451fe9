// Bulk append into one table, within the transaction that made the appender.
//
// The engine flushes what an appender still holds when its handle goes away, even outside a
// transaction that was rolled back. Hence the rules: close() an appender before Transaction::commit
// (which refuses otherwise); a transaction that ends without commit closes its appenders first, so
// that their rows are rolled back with everything else.
//
// The engine checks NOT NULL, keys and UTF-8 only when it flushes: at close(), or earlier at some
// append(). After any error the transaction can only be rolled back.
//
// Single-thread, move-only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/result.h"
#include "db/data_chunk.h"

namespace tb::db {

namespace detail {
struct AppenderState;
}

class Appender {
  public:
    Appender(Appender&&) noexcept;
    Appender& operator=(Appender&&) noexcept;
    Appender(const Appender&) = delete;
    Appender& operator=(const Appender&) = delete;
    // Without close() the rows are not known to be stored: the transaction then refuses to commit.
    ~Appender();

    // A chunk of the table's column types, in table order, owned by the appender.
    [[nodiscard]] DataChunk& chunk() { return chunk_; }
    // Hands the first `rows` rows of chunk() over and clears it. 0 rows: nothing happens.
    [[nodiscard]] Result<void> flush_chunk(std::size_t rows);
    // Hands over a chunk filled elsewhere (same column types). It is not cleared.
    [[nodiscard]] Result<void> append(DataChunk& chunk);

    // Flushes and ends the appender. Further appends are kInternal errors.
    [[nodiscard]] Result<void> close();
    [[nodiscard]] std::int64_t rows_appended() const;

  private:
    friend class Transaction;
    Appender(std::shared_ptr<detail::AppenderState> state, DataChunk chunk);

    std::shared_ptr<detail::AppenderState> state_;
    DataChunk chunk_;
};

}  // namespace tb::db
