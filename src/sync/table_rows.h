// Rows of a bookkeeping table, cell by cell and by column name, appended in bulk or changed in
// place.
//
// Single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

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

// One row that is there already. An append costs the engine a quarter of a megabyte per column,
// which for a single row is more than looking the row up.
class RowUpdate {
  public:
    // The columns `key` find the row.
    RowUpdate(std::string_view schema, std::string_view table, std::vector<std::string_view> key)
        : spec_(&db::table_spec(schema, table)),
          key_(std::move(key)),
          cells_(spec_->columns.size()) {}

    // As in TableRows.
    void text(std::string_view column, std::string_view value);
    void integer(std::string_view column, std::int64_t value) { set(column, value); }
    void small_integer(std::string_view column, std::int32_t value) { set(column, value); }
    void number(std::string_view column, double value) { set(column, value); }
    void instant(std::string_view column, Timestamp value) { set(column, value); }
    // Writes all other columns; how many rows that changed.
    [[nodiscard]] Result<std::int64_t> run(db::Connection& connection);

  private:
    using Cell =
        std::variant<std::nullptr_t, std::string, std::int64_t, std::int32_t, double, Timestamp>;
    void set(std::string_view column, Cell value) {
        cells_[spec_->column_index(column)] = std::move(value);
    }

    const db::TableSpec* spec_;
    std::vector<std::string_view> key_;
    std::vector<Cell> cells_;
};

// The running number of the next row of trades._sync_log, inside the writer's transaction.
[[nodiscard]] Result<std::int64_t> next_log_id(db::Connection& connection);

}  // namespace tb::sync
