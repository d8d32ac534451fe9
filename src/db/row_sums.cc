#include "db/row_sums.h"

#include <fmt/format.h>

#include "db/database.h"
#include "db/transaction.h"

namespace tb::db {

namespace {

// More blocks than this are not named one by one.
constexpr std::size_t kMostNamed = 64;

std::string text_literal(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) {
        quoted.append(c == '\'' ? 2 : 1, c);
    }
    return quoted + "'";
}

Result<void> insert_sums(Connection& connection, const TableSpec& table, const std::string& where) {
    return connection.execute(fmt::format(
        "INSERT INTO trades._row_sums SELECT {}, s.block, s.row_count::BIGINT, s.content_sum, {} "
        "FROM ({}) s WHERE s.row_count <> '0'",
        text_literal(table.qualified_name()), text_literal(engine_version()),
        row_sums_sql(table, where)));
}

std::string not_known(const TableSpec& table) {
    return fmt::format(
        "block_id NOT IN (SELECT block_id FROM trades._row_sums WHERE table_name = {})",
        text_literal(table.qualified_name()));
}

}  // namespace

SumsPer sums_per(const TableSpec& table) {
    if (table.internal()) {
        return SumsPer::kNothing;
    }
    return table.kind == TableKind::kCache ? SumsPer::kBlock : SumsPer::kTable;
}

std::string row_sums_sql(const TableSpec& table, std::string_view where) {
    std::string columns;
    for (const ColumnSpec& column : table.columns) {
        columns += fmt::format("{}\"{}\"", columns.empty() ? "" : ", ", column.name);
    }
    const bool per_block = sums_per(table) == SumsPer::kBlock;
    return fmt::format(
        "SELECT {} AS block, count(*)::VARCHAR AS row_count, coalesce(sum(hash({})), 0)::VARCHAR "
        "AS content_sum FROM {}{}{}{}",
        per_block ? "block_id" : "''", columns, table.qualified_name(),
        where.empty() ? "" : " WHERE ", where, per_block ? " GROUP BY block_id" : "");
}

Result<void> forget_row_sums_of_table(Connection& connection, std::string_view qualified_name) {
    TB_TRY([[maybe_unused]] const std::int64_t count,
           connection.run("DELETE FROM trades._row_sums WHERE table_name = $1", qualified_name));
    return {};
}

Result<void> complete_block_sums(Connection& connection, std::span<const std::string> block_ids) {
    std::string named;
    if (block_ids.size() <= kMostNamed) {
        for (const std::string& id : block_ids) {
            named += fmt::format("{}{}", named.empty() ? "" : ", ", text_literal(id));
        }
    }
    TB_TRY(Transaction transaction, Transaction::begin(connection));
    for (const TableSpec& table : all_tables()) {
        if (sums_per(table) == SumsPer::kBlock) {
            TB_RETURN_IF_ERROR(insert_sums(
                connection, table,
                named.empty() ? not_known(table)
                              : fmt::format("block_id IN ({}) AND {}", named, not_known(table))));
        }
    }
    return transaction.commit();
}

Result<void> complete_market_sums(Connection& connection) {
    TB_TRY(Transaction transaction, Transaction::begin(connection));
    for (const TableSpec& table : all_tables()) {
        if (sums_per(table) == SumsPer::kTable) {
            TB_RETURN_IF_ERROR(insert_sums(
                connection, table,
                fmt::format("NOT EXISTS (SELECT 1 FROM trades._row_sums WHERE table_name = {})",
                            text_literal(table.qualified_name()))));
        }
    }
    return transaction.commit();
}

}  // namespace tb::db
