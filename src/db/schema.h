// Every table of the database, declared once as data: name, columns in order, types, keys, since
// which schema version. DDL, migrations, docs/schema.md and the describe answers derive from it.
//
// Two kinds of tables: what can be rebuilt from the CSV files (a cache: everything in schema
// `trades` but the sync log) and what cannot (market history, the sync log). A migration may empty
// the first kind, so that the next sync fills it anew; it never touches rows of the second.
//
// Versions: `trades._schema_info` holds one row per version this file has been through. A table or
// column carries the version that brought it; a newer program adds what is missing and, where a
// cache table got a column, empties the cache. A file of a newer program is refused: its market
// history must not be written by a program that does not know all of its columns.
//
// Thread-safe: constant data and functions on the caller's connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "db/connection.h"
#include "db/types.h"

namespace tb::db {

// Version of the tables below; raise it with every new table or column.
inline constexpr std::int32_t kSchemaVersion = 2;

struct ColumnSpec {
    std::string_view name;
    TypeId type = TypeId::kVarchar;
    bool nullable = true;
    std::string_view default_sql;  // empty = none
    std::string_view description;
    std::int32_t since_version = 1;
};

enum class TableKind {
    kCache,    // can be rebuilt from the CSV files
    kHistory,  // cannot: kept, salvaged, never emptied by us
};

struct TableSpec {
    std::string_view schema;
    std::string_view name;
    TableKind kind = TableKind::kCache;
    std::string_view description;
    std::vector<ColumnSpec> columns;
    std::vector<std::string_view> key;  // primary key, empty = none
    std::int32_t since_version = 1;

    // Position of a column, for DataChunk. TB_CHECK: the column exists.
    [[nodiscard]] std::size_t column_index(std::string_view column) const;
    [[nodiscard]] std::vector<TypeId> column_types() const;
    // "trades.trade_data"
    [[nodiscard]] std::string qualified_name() const;
    // Bookkeeping tables start with an underscore and are left out of descriptions for users.
    [[nodiscard]] bool internal() const { return name.starts_with('_'); }
};

// In the order of creation.
[[nodiscard]] std::span<const TableSpec> all_tables();
// nullptr if there is no such table.
[[nodiscard]] const TableSpec* find_table(std::string_view schema, std::string_view name);
// TB_CHECK: the table exists.
[[nodiscard]] const TableSpec& table_spec(std::string_view schema, std::string_view name);

// "CREATE TABLE IF NOT EXISTS ..." for one table.
[[nodiscard]] std::string create_table_sql(const TableSpec& table);
// Creates the table (and its schema) if it is missing; does not look at an existing one.
[[nodiscard]] Result<void> ensure_table(Connection& connection, const TableSpec& table);

struct SchemaChange {
    std::int32_t version_before = 0;  // 0 = no database of ours
    bool created = false;             // there were no tables of ours at all
    bool cache_emptied = false;       // every block will be read anew by the next sync
    bool reload_history = false;      // market tables lack days that their journals may have
    std::vector<std::string> notes;   // what was done, for people; empty = nothing
};

// Brings the database to kSchemaVersion: creates what is missing, adds columns, replaces tables
// whose columns are not ours (a table of history is renamed and its rows copied as far as they fit,
// never dropped). Some milliseconds when there is nothing to do. In one transaction of its own.
//   kDatabase  the file is of a newer schema version; the message says what to do
[[nodiscard]] Result<SchemaChange> ensure_schema(Connection& connection, Timestamp now);

// Whether an error of ensure_schema says that the file is of a newer version.
[[nodiscard]] bool is_newer_schema(const Error& error);

// The text of docs/schema.md.
[[nodiscard]] std::string render_schema_markdown();

}  // namespace tb::db
