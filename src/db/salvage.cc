#include "db/salvage.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "db/database.h"
#include "db/row_sums.h"
#include "db/schema.h"
#include "db/transaction.h"

namespace tb::db {

namespace {

using ColumnIndexes = std::vector<std::size_t>;

// Columns of ours that the source's table has with the same type, as indexes into the spec.
Result<ColumnIndexes> common_columns(Connection& source, const TableSpec& table) {
    TB_TRY(Rows rows, source.collect("SELECT column_name, data_type FROM duckdb_columns() WHERE "
                                     "database_name = current_database() AND schema_name = $1 AND "
                                     "table_name = $2",
                                     table.schema, table.name));
    std::map<std::string, std::string, std::less<>> existing;
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            break;
        }
        existing.emplace(rows.get<std::string>(0), rows.get<std::string>(1));
    }
    ColumnIndexes common;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const auto found = existing.find(table.columns[i].name);
        if (found != existing.end() && found->second == type_name(table.columns[i].type)) {
            common.push_back(i);
        }
    }
    return common;
}

bool has_required(const ColumnIndexes& columns, const TableSpec& table) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        if (!table.columns[i].nullable &&
            std::find(columns.begin(), columns.end(), i) == columns.end()) {
            return false;
        }
    }
    return true;
}

std::string select_sql(const TableSpec& table, const ColumnIndexes& columns) {
    std::string sql = "SELECT ";
    for (const std::size_t i : columns) {
        sql += fmt::format("{}\"{}\"", i == columns.front() ? "" : ", ", table.columns[i].name);
    }
    // In the order of storage, which the engine keeps without being asked; sorting would mean that
    // nothing arrives before everything has been read.
    return fmt::format("{} FROM \"{}\".\"{}\"", sql, table.schema, table.name);
}

void copy_cell(const ColumnView& from, std::size_t row, DataChunk& to, std::size_t column) {
    if (from.is_null(row)) {
        return;
    }
    switch (from.type()) {
        case TypeId::kVarchar:
            return to.set_string_ref(column, row, from.string(row));
        case TypeId::kDouble:
            return to.set_double(column, row, from.doubles()[row]);
        case TypeId::kInteger:
            return to.set_int32(column, row, from.int32s()[row]);
        case TypeId::kBigInt:
            return to.set_int64(column, row, from.int64s()[row]);
        case TypeId::kDate:
            return to.set_date(column, row, Date(from.date_days()[row]));
        case TypeId::kTimestamp:
            return to.set_timestamp(column, row, Timestamp{from.timestamp_micros()[row]});
        default:
            TB_CHECK(false, "a table of history has a column type that salvage does not know");
    }
}

struct CopyOutcome {
    std::int64_t rows = 0;
    std::optional<Error> read_error;  // the rows up to there were copied
};

// Errors are those of the target.
Result<CopyOutcome> copy_rows(Connection& source, Transaction& target, const TableSpec& table,
                              const ColumnIndexes& columns) {
    CopyOutcome outcome;
    TB_TRY([[maybe_unused]] const std::int64_t emptied,
           target.connection().run(
               fmt::format("DELETE FROM \"{}\".\"{}\"", table.schema, table.name)));
    TB_TRY(Appender appender, target.appender(table.schema, table.name));
    auto rows = source.query(select_sql(table, columns));
    while (rows.has_value()) {
        const auto more = rows->next_chunk();
        if (!more.has_value()) {
            outcome.read_error = more.error();
            break;
        }
        if (!*more) {
            break;
        }
        const std::size_t count = rows->chunk().row_count();
        for (std::size_t i = 0; i < columns.size(); ++i) {
            for (std::size_t row = 0; row < count; ++row) {
                copy_cell(rows->chunk().column(i), row, appender.chunk(), columns[i]);
            }
        }
        TB_RETURN_IF_ERROR(appender.flush_chunk(count));
    }
    if (!rows.has_value()) {
        outcome.read_error = rows.error();
    }
    outcome.rows = appender.rows_appended();
    TB_RETURN_IF_ERROR(appender.close());
    return outcome;
}

// Of `columns`, those that can be read from the first row to the last.
ColumnIndexes readable_columns(Connection& source, const TableSpec& table,
                               const ColumnIndexes& columns) {
    ColumnIndexes readable;
    for (const std::size_t i : columns) {
        const std::string sql = fmt::format("SELECT count(*), max(hash(\"{}\")) FROM \"{}\".\"{}\"",
                                            table.columns[i].name, table.schema, table.name);
        if (source.execute(sql).has_value()) {
            readable.push_back(i);
        }
    }
    return readable;
}

std::string lost_columns(const TableSpec& table, const ColumnIndexes& all,
                         const ColumnIndexes& kept) {
    std::string text;
    for (const std::size_t i : all) {
        if (std::find(kept.begin(), kept.end(), i) == kept.end()) {
            text += fmt::format("{}{}", text.empty() ? "" : ", ", table.columns[i].name);
        }
    }
    return text;
}

Result<CopyOutcome> copy_committed(Connection& source, Connection& target, const TableSpec& table,
                                   const ColumnIndexes& columns) {
    TB_TRY(Transaction transaction, Transaction::begin(target));
    TB_TRY(CopyOutcome outcome, copy_rows(source, transaction, table, columns));
    TB_RETURN_IF_ERROR(transaction.commit());
    return outcome;
}

SalvagedTable salvage_table(Connection& source, Connection& target, const TableSpec& table) {
    SalvagedTable result;
    result.table = table.qualified_name();
    const auto columns = common_columns(source, table);
    if (!columns.has_value()) {
        result.problem = columns.error().message;
        return result;
    }
    if (columns->empty()) {
        result.complete = true;  // the damaged file never had this table
        return result;
    }
    if (!has_required(*columns, table)) {
        result.problem = "its columns are not ours";
        return result;
    }
    auto copied = copy_committed(source, target, table, *columns);
    if (!copied.has_value()) {
        result.problem = copied.error().to_string();
        return result;
    }
    result.rows_copied = copied->rows;
    if (!copied->read_error.has_value()) {
        result.complete = true;
        return result;
    }
    result.problem = copied->read_error->message;
    const ColumnIndexes readable = readable_columns(source, table, *columns);
    if (!has_required(readable, table) || readable.size() == columns->size()) {
        return result;
    }
    copied = copy_committed(source, target, table, readable);
    if (copied.has_value()) {
        result.rows_copied = copied->rows;
        result.problem = fmt::format("columns lost: {}", lost_columns(table, *columns, readable));
    }
    return result;
}

// Whether the rows add up to what was stored beside them; true where that is not known.
bool adds_up(Connection& source, const TableSpec& table) {
    if (sums_per(table) == SumsPer::kNothing) {
        return true;
    }
    auto stored = source.collect(
        "SELECT row_count::VARCHAR, content_sum FROM trades._row_sums WHERE table_name = $1 AND "
        "engine_version = $2",
        table.qualified_name(), engine_version());
    if (!stored.has_value() || !stored->next().value_or(false)) {
        return true;
    }
    auto now = source.collect(row_sums_sql(table));
    return !now.has_value() || !now->next().value_or(false) ||
           (now->get<std::string>(1) == stored->get<std::string>(0) &&
            now->get<std::string>(2) == stored->get<std::string>(1));
}

}  // namespace

Result<void> salvage_history(Connection& source, Connection& target, const BeforeTable& before,
                             const std::function<void(const SalvagedTable&)>& take) {
    bool market_complete = true;
    for (const TableSpec& table : all_tables()) {
        // The version table describes the file itself.
        if (table.kind != TableKind::kHistory || table.name == "_schema_info") {
            continue;
        }
        const std::string name = table.qualified_name();
        SalvagedTable result;
        if (table.schema == "market" && table.name == "_sync_metadata" && !market_complete) {
            result = {name, 0, false, "left out, so that the market files are merged again"};
        } else if (!before(name)) {
            result = {name, 0, false, "the engine breaks off over it"};
        } else if (!adds_up(source, table)) {
            result = {name, 0, false, "its rows are not those that were stored"};
        } else {
            result = salvage_table(source, target, table);
        }
        if (table.schema == "market") {
            market_complete = market_complete && result.complete;
        }
        take(result);
    }
    return {};
}

Result<std::vector<SalvagedTable>> salvage_history(Connection& source, Connection& target) {
    std::vector<SalvagedTable> tables;
    TB_RETURN_IF_ERROR(salvage_history(
        source, target, [](const std::string&) { return true; },
        [&tables](const SalvagedTable& table) { tables.push_back(table); }));
    return tables;
}

}  // namespace tb::db
