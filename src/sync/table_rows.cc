#include "sync/table_rows.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/check.h"

namespace tb::sync {

Result<TableRows> TableRows::open(db::Transaction& transaction, std::string_view schema,
                                  std::string_view table) {
    TB_TRY(db::Appender appender, transaction.appender(schema, table));
    return TableRows(std::move(appender), db::table_spec(schema, table));
}

void TableRows::text(std::string_view column, std::string_view value) {
    if (!value.empty()) {
        appender_.chunk().set_string(spec_->column_index(column), row_, value);
    }
}

void TableRows::integer(std::string_view column, std::int64_t value) {
    appender_.chunk().set_int64(spec_->column_index(column), row_, value);
}

void TableRows::small_integer(std::string_view column, std::int32_t value) {
    appender_.chunk().set_int32(spec_->column_index(column), row_, value);
}

void TableRows::number(std::string_view column, double value) {
    appender_.chunk().set_double(spec_->column_index(column), row_, value);
}

void TableRows::instant(std::string_view column, Timestamp value) {
    appender_.chunk().set_timestamp(spec_->column_index(column), row_, value);
}

Result<void> TableRows::end_row() {
    ++row_;
    if (row_ < db::DataChunk::kCapacity) {
        return {};
    }
    const std::size_t full = row_;
    row_ = 0;
    return appender_.flush_chunk(full);
}

Result<void> TableRows::close() {
    TB_RETURN_IF_ERROR(appender_.flush_chunk(row_));
    row_ = 0;
    return appender_.close();
}

void RowUpdate::text(std::string_view column, std::string_view value) {
    if (!value.empty()) {
        set(column, std::string(value));
    }
}

Result<std::int64_t> RowUpdate::run(db::Connection& connection) {
    std::string values;
    std::string row;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        const std::string_view name = spec_->columns[i].name;
        const bool is_key = std::find(key_.begin(), key_.end(), name) != key_.end();
        std::string& target = is_key ? row : values;
        target += fmt::format("{}{} = ${}",
                              target.empty() ? ""
                              : is_key       ? " AND "
                                             : ", ",
                              name, i + 1);
    }
    TB_TRY(db::Statement statement,
           connection.prepare(
               fmt::format("UPDATE {} SET {} WHERE {}", spec_->qualified_name(), values, row)));
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        TB_RETURN_IF_ERROR(
            std::visit([&](const auto& value) { return statement.bind(i + 1, value); }, cells_[i]));
    }
    return statement.run();
}

Result<std::int64_t> next_log_id(db::Connection& connection) {
    TB_TRY(db::Rows rows,
           connection.query("SELECT coalesce(max(id), 0) + 1 FROM trades._sync_log"));
    TB_TRY(const bool found, rows.next());
    TB_CHECK(found, "an aggregate has one row");
    return rows.get<std::int64_t>(0);
}

}  // namespace tb::sync
