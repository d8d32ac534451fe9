#include <fmt/format.h>

#include "db/schema.h"

namespace tb::db {

namespace {

std::string key_text(const TableSpec& table, const ColumnSpec& column) {
    for (const std::string_view key : table.key) {
        if (key == column.name) {
            return "primary key";
        }
    }
    std::string text = column.nullable ? "" : "not null";
    if (!column.default_sql.empty()) {
        text += fmt::format("{}default {}", text.empty() ? "" : ", ", column.default_sql);
    }
    return text;
}

}  // namespace

std::string render_schema_markdown() {
    std::string text = fmt::format(
        "# Database schema\n\n"
        "Made from `src/db/schema_tables.cc` by `render_schema_markdown()`; a test compares the "
        "two.\n"
        "Schema version {}. The file is `analytics.duckdb` in the data directory, readable with "
        "any\n"
        "DuckDB of version 1.4 or 1.5 while no TradeBlocks process has it open.\n\n"
        "*Cache* tables are rebuilt from the CSV files whenever needed. *History* tables cannot "
        "be:\n"
        "they are never emptied by the program and are salvaged from a damaged file.\n\n"
        "Dates are exchange days, times of day exchange time (New York), instants UTC. Money is "
        "in\n"
        "dollars unless a column says otherwise; percentages are per cent points (12.5 = 12.5 "
        "%).\n",
        kSchemaVersion);
    for (const TableSpec& table : all_tables()) {
        text += fmt::format(
            "\n## {} ({})\n\n{}\n\n| # | Column | Type | | Meaning |\n|---|---|---|---|---|\n",
            table.qualified_name(), table.kind == TableKind::kCache ? "cache" : "history",
            table.description);
        int number = 0;
        for (const ColumnSpec& column : table.columns) {
            text +=
                fmt::format("| {} | `{}` | {} | {} | {} |\n", ++number, column.name,
                            type_name(column.type), key_text(table, column), column.description);
        }
    }
    return text;
}

}  // namespace tb::db
