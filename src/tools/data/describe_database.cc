// describe_database: tables, columns, row counts and example queries (01 §5.2).
#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "db/schema.h"
#include "db/transaction.h"
#include "mcp/json_text.h"
#include "mcp/nearest.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/data/schema_guide.h"
#include "tools/data/tools.h"
#include "tools/json.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using mcp::Json;

constexpr std::size_t kBreakdownBlocks = 50;
constexpr std::size_t kBriefBlocks = 5;

std::vector<mcp::Field> argument_fields() {
    return {
        field::text("table", "Only this table, in full, as in trades.trade_data"),
        field::choice("detail", {"brief", "full"},
                      "full: meaning of every column of every table, all examples")
            .default_value("brief"),
        max_chars_argument(),
    };
}

std::vector<mcp::Field> result_fields() {
    const auto column = field::object_schema(
        {field::text("name", "Column"), field::text("type", "SQL type"),
         field::text("description", "Meaning and unit"), field::boolean("nullable", "May be NULL"),
         field::boolean("hypothesis", "Worth grouping or filtering by")});
    const auto table = field::object_schema(
        {field::text("description", "What a row is"),
         field::list("keyColumns", field::text_schema(), "The telling ones"),
         field::integer("rowCount", "Rows now"),
         field::list("blockBreakdown",
                     field::object_schema(
                         {field::text("blockId", "Block"), field::integer("rowCount", "Rows")}),
                     "Rows by block, most first")
             .optional(),
         field::list("columnNames", field::text_schema(), "When columns are left out").optional(),
         field::list("columns", column, "Empty in a brief answer, or when left out for size"),
         field::boolean("columnsOmitted", "Ask for this table alone").optional()});
    const auto examples = [](const char* name) {
        return field::list(name,
                           field::object_schema({field::text("description", "Question"),
                                                 field::text("sql", "Query for run_sql")}),
                           "Example queries");
    };
    std::vector<mcp::Field> fields = {
        field::map_of("schemas",
                      field::object_schema({field::text("description", "What is in it"),
                                            field::map_of("tables", table, "By name")}),
                      "By name"),
        field::object("examples", {examples("basic"), examples("joins"), examples("hypothesis")},
                      "By kind"),
    };
    for (mcp::Field& sync : directory_sync_fields()) {
        fields.push_back(std::move(sync));
    }
    return fields;
}

struct Counts {
    std::int64_t rows = 0;
    std::vector<std::pair<std::string, std::int64_t>> by_block;
};

Result<Counts> count_rows(db::Connection& connection, const db::TableSpec& table) {
    Counts counts;
    const bool by_block = table.schema == "trades";
    // Names of our own declarations, not of anybody's input.
    const std::string sql =
        by_block ? fmt::format(
                       "SELECT count(*) AS n, block_id FROM {} GROUP BY block_id ORDER BY n "
                       "DESC, block_id",
                       table.qualified_name())
                 : fmt::format("SELECT count(*), NULL::VARCHAR FROM {}", table.qualified_name());
    TB_TRY(db::Rows rows, connection.collect(sql));
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return counts;
        }
        counts.rows += rows.get<std::int64_t>(0);
        if (by_block) {
            counts.by_block.emplace_back(rows.get<std::string>(1), rows.get<std::int64_t>(0));
        }
    }
}

Json columns_json(const db::TableSpec& table) {
    Json columns = Json::array();
    for (const db::ColumnSpec& column : table.columns) {
        columns.push_back({{"name", column.name},
                           {"type", db::type_name(column.type)},
                           {"description", column.description},
                           {"nullable", column.nullable},
                           {"hypothesis", is_hypothesis_column(table, column.name)}});
    }
    return columns;
}

Json column_names(const db::TableSpec& table) {
    Json names = Json::array();
    for (const db::ColumnSpec& column : table.columns) {
        names.push_back(column.name);
    }
    return names;
}

// Names only, and of tables without rows the telling ones.
Json brief_table_json(const db::TableSpec& table, const Counts& counts) {
    Json json = {{"description", table.description},
                 {"keyColumns", key_columns(table)},
                 {"rowCount", counts.rows}};
    if (table.schema == "trades" && counts.rows > 0) {
        Json breakdown = Json::array();
        for (const auto& [block, rows] : counts.by_block) {
            if (breakdown.size() == kBriefBlocks) {
                break;
            }
            breakdown.push_back({{"blockId", mcp::cell_text(block)}, {"rowCount", rows}});
        }
        json["blockBreakdown"] = std::move(breakdown);
    }
    if (counts.rows > 0) {
        json["columnNames"] = column_names(table);
    }
    json["columns"] = Json::array();
    json["columnsOmitted"] = true;
    return json;
}

Json table_json(const db::TableSpec& table, const Counts& counts) {
    Json json = {{"description", table.description},
                 {"keyColumns", key_columns(table)},
                 {"rowCount", counts.rows}};
    if (table.schema == "trades") {
        Json breakdown = Json::array();
        for (const auto& [block, rows] : counts.by_block) {
            if (breakdown.size() == kBreakdownBlocks) {
                break;
            }
            breakdown.push_back({{"blockId", block}, {"rowCount", rows}});
        }
        json["blockBreakdown"] = std::move(breakdown);
    }
    json["columns"] = columns_json(table);
    return json;
}

Json examples_json(bool brief) {
    Json examples = Json::object();
    for (const ExampleGroup& group : example_groups()) {
        Json& list = examples[std::string(group.name)] = Json::array();
        for (const ExampleQuery& query : group.queries.first(brief ? 1 : group.queries.size())) {
            list.push_back({{"description", query.description}, {"sql", query.sql}});
        }
    }
    return examples;
}

std::string table_text(const std::string& name, const Json& table) {
    std::string text = fmt::format("\n## {} ({} rows): {}\n", name,
                                   mcp::count_text(table["rowCount"].get<std::int64_t>()),
                                   table["description"].get<std::string>());
    if (table.contains("blockBreakdown")) {
        std::size_t shown = 0;
        for (const Json& block : table["blockBreakdown"]) {
            if (shown++ == 10) {
                text += ", ...";
                break;
            }
            text += fmt::format("{}{} {}", shown == 1 ? "Rows by block: " : ", ",
                                mcp::cell_text(block["blockId"].get<std::string>()),
                                mcp::count_text(block["rowCount"].get<std::int64_t>()));
        }
        text += shown > 0 ? "\n" : "";
    }
    for (const Json& column : table["columns"]) {
        text += fmt::format("- {} {}{}: {}\n", column["name"].get<std::string>(),
                            column["type"].get<std::string>(),
                            column["nullable"].get<bool>() ? "" : " NOT NULL",
                            column["description"].get<std::string>());
    }
    if (table.contains("columnNames")) {
        std::string names;
        for (const Json& column : table["columnNames"]) {
            names += (names.empty() ? "" : ", ") + column.get<std::string>();
        }
        text += "Columns: " + names + "\n";
    } else if (table.contains("columnsOmitted") && table["rowCount"] != 0) {
        text += fmt::format("(columns left out here: describe_database with table {})\n", name);
    }
    return text;
}

std::vector<const db::TableSpec*> tables_for_users() {
    std::vector<const db::TableSpec*> tables;
    for (const db::TableSpec& table : db::all_tables()) {
        if (!table.internal()) {
            tables.push_back(&table);
        }
    }
    return tables;
}

mcp::Outcome<std::vector<const db::TableSpec*>> wanted_tables(const Json& arguments) {
    std::vector<const db::TableSpec*> tables = tables_for_users();
    const auto wanted = text_argument(arguments, "table");
    if (!wanted) {
        return tables;
    }
    std::vector<std::string> names;
    for (const db::TableSpec* const table : tables) {
        names.push_back(table->qualified_name());
        if (*wanted == table->qualified_name() || *wanted == table->name) {
            return std::vector{table};
        }
    }
    // The tables of bookkeeping are answered for, too, but only when named.
    for (const db::TableSpec& table : db::all_tables()) {
        if (*wanted == table.qualified_name()) {
            return std::vector{&table};
        }
    }
    return mcp::tool_error("table: there is no '" + mcp::cell_text(*wanted) + "'" +
                           mcp::did_you_mean(*wanted, names));
}

// Leaves the columns of tables out, those without rows first, until what is left fits.
void fit_tables(Json& schemas, std::size_t budget) {
    if (budget == 0) {
        return;
    }
    const std::size_t room = budget - std::min(budget / 2, std::size_t{8'000});
    std::vector<Json*> tables;
    for (Json& schema : schemas) {
        for (Json& table : schema["tables"]) {
            tables.push_back(&table);
        }
    }
    std::stable_sort(tables.begin(), tables.end(), [](const Json* a, const Json* b) {
        const auto group = [](const Json& table) {
            return table["rowCount"] == 0 ? 0 : table.contains("blockBreakdown") ? 2 : 1;
        };
        return std::pair(group(*a), a->at("columns").size()) <
               std::pair(group(*b), b->at("columns").size());
    });
    // A single table was asked for by name: it is given in full.
    for (std::size_t i = 0; tables.size() > 1 && i < tables.size(); ++i) {
        if (mcp::to_json_text(schemas).size() <= room) {
            return;
        }
        (*tables[i])["columns"] = Json::array();
        (*tables[i])["columnsOmitted"] = true;
    }
}

Result<Json> schemas_json(db::Connection& connection,
                          const std::vector<const db::TableSpec*>& tables, bool brief) {
    TB_TRY(const db::Transaction snapshot,
           db::Transaction::begin(connection, db::Access::kReadOnly));
    Json schemas = Json::object();
    for (const db::TableSpec* const table : tables) {
        TB_TRY(const Counts counts, count_rows(connection, *table));
        Json& schema = schemas[std::string(table->schema)];
        if (schema.is_null()) {
            schema = {{"description", schema_description(table->schema)},
                      {"tables", Json::object()}};
        }
        schema["tables"][std::string(table->name)] =
            brief ? brief_table_json(*table, counts) : table_json(*table, counts);
    }
    return schemas;
}

mcp::Outcome<mcp::ToolResult> describe_database(App& app, mcp::ToolContext& context,
                                                const Json& arguments) {
    TB_TRY_TOOL(const std::vector<const db::TableSpec*> tables, wanted_tables(arguments));
    TB_TRY_TOOL(const App::SyncAll sync,
                app.sync_all(context.token(), context.progress_callback()));
    TB_TRY_TOOL(db::Connection connection, app.reader(context.token()));
    connection.cancel_with(context.token());
    const bool brief = tables.size() > 1 && *text_argument(arguments, "detail") == "brief";
    TB_TRY_TOOL(Json schemas, schemas_json(connection, tables, brief));
    fit_tables(schemas, context.budget_chars());
    std::string text = sync_trouble_text(sync);
    text +=
        "DuckDB; query with run_sql. Days in `trades` are DATE, in `market` text YYYY-MM-DD "
        "(join on date_opened::VARCHAR). Short table names work too.\n";
    for (const auto& [schema_name, schema] : schemas.items()) {
        for (const auto& [name, table] : schema["tables"].items()) {
            text += table_text(schema_name + "." + name, table);
        }
    }
    const Json examples = examples_json(brief);
    if (brief) {
        text += "\nTypes, meanings and units: table with a name, or detail full.\n";
    }
    text += "\n## Examples\n";
    for (const Json& group : examples) {
        for (const Json& example : group) {
            text += fmt::format("- {}: `{}`\n", example["description"].get<std::string>(),
                                example["sql"].get<std::string>());
        }
    }
    Json result = {{"schemas", std::move(schemas)}, {"examples", examples}};
    add_directory_sync(result, sync);
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(result)};
}

}  // namespace

mcp::ToolSpec describe_database_tool(App& app) {
    return {.name = "describe_database",
            .title = "Tables and columns",
            .description =
                "Tables for run_sql: first their columns' names, rows by block and a few example "
                "queries; with table or detail full every column with type, meaning and unit.",
            .toolset = "sql",
            .annotations = mcp::Annotations::reads(),
            .scope = "sql:read",
            .arguments = argument_fields(),
            .results = result_fields(),
            .max_result_chars = mcp::kMaxRaisedResultChars,
            .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
                return describe_database(app, context, arguments);
            }};
}

}  // namespace tb::tools
