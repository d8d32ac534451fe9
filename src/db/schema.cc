#include "db/schema.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "db/database.h"
#include "db/engine.h"
#include "db/transaction.h"

namespace tb::db {

namespace {

constexpr std::string_view kNewerSchema = "was written by a newer version of this program (schema ";

std::string identifier(std::string_view name) {
    return fmt::format("\"{}\"", name);
}

std::string sql_name(const TableSpec& table) {
    return fmt::format("{}.{}", identifier(table.schema), identifier(table.name));
}

std::string column_sql(const ColumnSpec& column) {
    std::string text = fmt::format("{} {}", identifier(column.name), type_name(column.type));
    if (!column.nullable) {
        text += " NOT NULL";
    }
    if (!column.default_sql.empty()) {
        text += fmt::format(" DEFAULT {}", column.default_sql);
    }
    return text;
}

struct ExistingColumn {
    std::string name;
    std::string type;
    bool operator==(const ExistingColumn&) const = default;
};
using ExistingTables = std::map<std::string, std::vector<ExistingColumn>>;

Result<ExistingTables> existing_tables(Connection& connection) {
    ExistingTables tables;
    TB_TRY(Rows rows, connection.collect(
                          "SELECT schema_name || '.' || table_name, column_name, data_type FROM "
                          "duckdb_columns() WHERE NOT internal AND database_name = "
                          "current_database() ORDER BY schema_name, table_name, column_index"));
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return tables;
        }
        tables[rows.get<std::string>(0)].push_back(
            {rows.get<std::string>(1), rows.get<std::string>(2)});
    }
}

bool same_column(const ExistingColumn& have, const ColumnSpec& want) {
    return have.name == want.name && have.type == type_name(want.type);
}

// Whether the table's columns are the first columns of ours, so that adding the rest is enough.
bool is_prefix(const std::vector<ExistingColumn>& existing, const TableSpec& table) {
    return existing.size() <= table.columns.size() &&
           std::equal(existing.begin(), existing.end(), table.columns.begin(), same_column);
}

// Whether every table is there with exactly our columns. Somebody may have changed the file with
// another tool; an appender would then write into the wrong columns. Asked at every opening, so by
// preparing a statement per table: the first look into the engine's catalogue views costs more than
// opening the file.
bool all_as_declared(Connection& connection) {
    for (const TableSpec& table : all_tables()) {
        const auto statement = connection.prepare(fmt::format("SELECT * FROM {}", sql_name(table)));
        if (!statement.has_value()) {
            return false;
        }
        const duckdb_prepared_statement handle = raw(*statement);
        if (duckdb_prepared_statement_column_count(handle) != table.columns.size()) {
            return false;
        }
        for (idx_t i = 0; i < table.columns.size(); ++i) {
            // Declared const by the engine, but ours to free.
            const EngineString name(
                const_cast<char*>(duckdb_prepared_statement_column_name(handle, i)));
            if (name == nullptr || name.get() != table.columns[i].name ||
                type_id(duckdb_prepared_statement_column_type(handle, i)) !=
                    table.columns[i].type) {
                return false;
            }
        }
    }
    return true;
}

Result<std::int32_t> newest_version(Connection& connection) {
    TB_TRY(Rows rows, connection.collect(
                          "SELECT coalesce(max(version), 0)::INTEGER FROM trades._schema_info"));
    TB_TRY([[maybe_unused]] const bool more, rows.next());
    return rows.get<std::int32_t>(0);
}

class Migration {
  public:
    Migration(Connection& connection, ExistingTables existing)
        : connection_(connection), existing_(std::move(existing)) {}

    Result<SchemaChange> run(std::int32_t version_before, Timestamp now) {
        change_.version_before = version_before;
        change_.created = existing_.empty();
        for (const TableSpec& table : all_tables()) {
            TB_RETURN_IF_ERROR(bring_up(table));
        }
        if (empty_cache_) {
            TB_RETURN_IF_ERROR(empty_cache());
        }
        if (forget_market_files_) {
            TB_RETURN_IF_ERROR(
                connection_.execute("DELETE FROM market._sync_metadata; DELETE FROM "
                                    "trades._sync_files WHERE block_id = "
                                    "'_marketdata'"));
            change_.notes.emplace_back("the market files will be merged again by the next sync");
        }
        if (version_before == kSchemaVersion) {
            return change_;
        }
        TB_TRY([[maybe_unused]] const std::int64_t written,
               connection_.run("INSERT INTO trades._schema_info VALUES ($1, $2, $3)",
                               kSchemaVersion, now, engine_version()));
        return change_;
    }

  private:
    Result<void> bring_up(const TableSpec& table) {
        const auto found = existing_.find(table.qualified_name());
        if (found == existing_.end()) {
            if (!change_.created) {
                change_.notes.push_back(fmt::format("{}: made", table.qualified_name()));
                must_be_filled(table);
            }
            return ensure_table(connection_, table);
        }
        const std::vector<ExistingColumn>& existing = found->second;
        if (!is_prefix(existing, table)) {
            return replace(table);
        }
        if (existing.size() == table.columns.size()) {
            return {};
        }
        for (std::size_t i = existing.size(); i < table.columns.size(); ++i) {
            // Rows that are there have no value for a new column, so it cannot be NOT NULL.
            ColumnSpec column = table.columns[i];
            column.nullable = true;
            TB_RETURN_IF_ERROR(connection_.execute(
                fmt::format("ALTER TABLE {} ADD COLUMN {}", sql_name(table), column_sql(column))));
        }
        change_.notes.push_back(fmt::format("{}: {} columns added", table.qualified_name(),
                                            table.columns.size() - existing.size()));
        if (table.kind == TableKind::kCache) {
            must_be_filled(table);
        }
        return {};
    }

    // What vouches for the rows of a new, empty table must go, or the next sync would find nothing
    // to do.
    void must_be_filled(const TableSpec& table) {
        if (table.kind == TableKind::kCache) {
            empty_cache_ = true;
        } else if (table.schema == "market") {
            forget_market_files_ = true;
        }
    }

    // A table of that name with columns we do not know, made by another program.
    Result<void> replace(const TableSpec& table) {
        must_be_filled(table);
        if (table.kind == TableKind::kCache) {
            TB_RETURN_IF_ERROR(
                connection_.execute(fmt::format("DROP TABLE {} CASCADE", sql_name(table))));
            change_.notes.push_back(
                fmt::format("{}: made anew, its columns were not ours", table.qualified_name()));
            return ensure_table(connection_, table);
        }
        std::string kept;
        for (int i = 1;
             kept.empty() || existing_.contains(fmt::format("{}.{}", table.schema, kept)); ++i) {
            kept = fmt::format("{}_old_{}", table.name, i);
        }
        TB_RETURN_IF_ERROR(connection_.execute(
            fmt::format("ALTER TABLE {} RENAME TO {}", sql_name(table), identifier(kept))));
        TB_RETURN_IF_ERROR(ensure_table(connection_, table));
        change_.notes.push_back(fmt::format("{}: its columns were not ours, kept as {}.{}",
                                            table.qualified_name(), table.schema, kept));
        return copy_common(table, fmt::format("{}.{}", identifier(table.schema), identifier(kept)));
    }

    // Rows of the renamed table, as far as it has the columns that make a row.
    Result<void> copy_common(const TableSpec& table, const std::string& renamed) {
        const std::vector<ExistingColumn>& existing = existing_.at(table.qualified_name());
        std::string columns;
        for (const ColumnSpec& column : table.columns) {
            const bool common =
                std::any_of(existing.begin(), existing.end(),
                            [&](const ExistingColumn& have) { return same_column(have, column); });
            if (common) {
                columns +=
                    fmt::format("{}{}", columns.empty() ? "" : ", ", identifier(column.name));
            } else if (!column.nullable) {
                return {};
            }
        }
        // A key that was not one over there keeps its first row.
        return connection_.execute(fmt::format("INSERT {} INTO {} ({}) SELECT {} FROM {}",
                                               table.key.empty() ? "" : "OR IGNORE",
                                               sql_name(table), columns, columns, renamed));
    }

    Result<void> empty_cache() {
        for (const TableSpec& table : all_tables()) {
            if (table.kind == TableKind::kCache) {
                TB_RETURN_IF_ERROR(
                    connection_.execute(fmt::format("DELETE FROM {}", sql_name(table))));
            }
        }
        change_.cache_emptied = true;
        change_.notes.emplace_back("every block will be read anew by the next sync");
        return {};
    }

    Connection& connection_;
    ExistingTables existing_;
    SchemaChange change_;
    bool empty_cache_ = false;
    bool forget_market_files_ = false;
};

}  // namespace

std::string create_table_sql(const TableSpec& table) {
    std::string sql = fmt::format("CREATE TABLE IF NOT EXISTS {} (", sql_name(table));
    for (const ColumnSpec& column : table.columns) {
        sql += fmt::format("{}{}", &column == table.columns.data() ? "" : ", ", column_sql(column));
    }
    if (!table.key.empty()) {
        sql += ", PRIMARY KEY (";
        for (const std::string_view& column : table.key) {
            sql += fmt::format("{}{}", &column == table.key.data() ? "" : ", ", identifier(column));
        }
        sql += ")";
    }
    return sql + ")";
}

Result<void> ensure_table(Connection& connection, const TableSpec& table) {
    TB_RETURN_IF_ERROR(connection.execute(
        fmt::format("CREATE SCHEMA IF NOT EXISTS {}", identifier(table.schema))));
    return connection.execute(create_table_sql(table));
}

Result<SchemaChange> ensure_schema(Connection& connection, Timestamp now) {
    const bool as_declared = all_as_declared(connection);
    ExistingTables existing;
    if (!as_declared) {
        TB_TRY(existing, existing_tables(connection));
    }
    std::int32_t version = 0;
    if (as_declared || existing.contains("trades._schema_info")) {
        TB_TRY(version, newest_version(connection));
    }
    if (as_declared && version == kSchemaVersion) {
        SchemaChange unchanged;
        unchanged.version_before = version;
        return unchanged;
    }
    if (version > kSchemaVersion) {
        return make_error(
            ErrorCode::kDatabase,
            fmt::format(
                "the database {}{}, this program knows up to {}). Use the newer program; or "
                "move the file away and sync again: trades are then read from the CSV files, "
                "market history from its journals",
                kNewerSchema, version, kSchemaVersion));
    }
    if (as_declared) {  // an older version that had every column already
        TB_TRY(existing, existing_tables(connection));
    }
    TB_TRY(Transaction transaction, Transaction::begin(connection));
    TB_TRY(SchemaChange change, Migration(connection, std::move(existing)).run(version, now));
    TB_RETURN_IF_ERROR(transaction.commit());
    return change;
}

bool is_newer_schema(const Error& error) {
    return error.code == ErrorCode::kDatabase &&
           error.message.find(kNewerSchema) != std::string::npos;
}

}  // namespace tb::db
