// Rows of a bookkeeping table, cell by cell and by column name, appended in bulk.
//
// Single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "db/schema.h"
#include "db/transaction.h"

namespace tb::sync {

class TableRows {
  public:
    [[nodiscard]] static Result<TableRows> open(db::Transaction& transaction,
                                                std::string_view schema, std::string_view table);

    // Cells of the current row; what is not set is NULL. An empty text is NULL too.
    void text(std::string_view column, std::string_view value);
    void integer(std::string_view column, std::int64_t value);
    void small_integer(std::string_view column, std::int32_t value);
    void number(std::string_view column, double value);
    void instant(std::string_view column, Timestamp value);
    [[nodiscard]] Result<void> end_row();
    [[nodiscard]] Result<void> close();

  private:
    TableRows(db::Appender appender, const db::TableSpec& spec)
        : appender_(std::move(appender)), spec_(&spec) {}
    db::Appender appender_;
    const db::TableSpec* spec_;
    std::size_t row_ = 0;
};

// The running number of the next row of trades._sync_log, inside the writer's transaction.
[[nodiscard]] Result<std::int64_t> next_log_id(db::Connection& connection);

}  // namespace tb::sync
