// purge_market_table: forgets the history of one market table (01 §5.3, 06 Q10).
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "db/row_sums.h"
#include "db/transaction.h"
#include "market/journal.h"
#include "mcp/render.h"
#include "sync/metadata.h"
#include "tools/arguments.h"
#include "tools/data/tools.h"
#include "tools/json.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using mcp::Json;

std::vector<std::string> table_names() {
    std::vector<std::string> names;
    for (const market::MarketFile& file : market::market_files()) {
        names.emplace_back(file.table);
    }
    return names;
}

const market::MarketFile& file_of(std::string_view table) {
    const auto files = market::market_files();
    return *std::find_if(files.begin(), files.end(),
                         [&](const market::MarketFile& file) { return file.table == table; });
}

std::vector<mcp::Field> result_fields() {
    return {
        field::text("table", "The table, now empty"),
        field::text("file", "The file of _marketdata that fills it"),
        field::integer("rowsDeleted", "Days that were in it"),
        field::boolean("syncMetadataCleared", "The file counts as not yet read"),
        field::boolean("fileExists", "The file is there: the next sync reads it again"),
        field::text("nextStep", "What to do now"),
    };
}

Result<std::int64_t> count_rows(db::Connection& connection, const std::string& table) {
    TB_TRY(db::Rows rows, connection.collect(fmt::format("SELECT count(*) FROM {}", table)));
    TB_TRY([[maybe_unused]] const bool one, rows.next());
    return rows.get<std::int64_t>(0);
}

struct Purged {
    std::int64_t rows = 0;
    bool metadata = false;
};

// In this order a crash at any point leaves either everything or nothing to come back: the journal
// goes first, but marked as behind its table, from which it is made again if the rows stay.
Result<Purged> purge(App& app, const market::MarketFile& file, const CancelToken& cancel) {
    TB_TRY(const auto store, app.store(cancel));
    if (store->mode() != db::StoreMode::kFile) {
        return make_error(ErrorCode::kLocked,
                          "the database file cannot be written now (" + store->mode_reason() +
                              "), so that nothing can be purged; try again later");
    }
    market::MarketJournal journal(store->directory());
    TB_TRY(db::DataStore::Writer writer, store->writer(cancel));
    db::Connection& connection = writer.connection();
    TB_TRY(db::Transaction transaction, db::Transaction::begin(connection));
    Purged purged;
    // Names of our own declarations.
    TB_TRY(purged.rows, connection.run(fmt::format("DELETE FROM {}",
                                                   market::market_table(file).qualified_name())));
    TB_RETURN_IF_ERROR(
        db::forget_row_sums_of_table(connection, market::market_table(file).qualified_name()));
    TB_TRY(
        const std::int64_t metadata,
        connection.run("DELETE FROM market._sync_metadata WHERE file_name = $1", file.file_name));
    for (const std::string_view table : {"trades._sync_files", "trades._sync_issues"}) {
        TB_TRY([[maybe_unused]] const std::int64_t count,
               connection.run(
                   fmt::format("DELETE FROM {} WHERE role = 'market' AND file_name = $1", table),
                   file.file_name));
    }
    TB_TRY([[maybe_unused]] const std::int64_t logged,
           connection.run(
               "INSERT INTO trades._sync_log (id, changed_at, block_id, event, role, file_name, "
               "rows_added, rows_removed, rows_kept, rows_skipped, rows_repaired, message) SELECT "
               "coalesce(max(id), 0) + 1, $1, '_marketdata', 'removed', 'market', $2, 0, $3, 0, 0, "
               "0, 'purged on request' FROM trades._sync_log",
               app.clock().now(), file.file_name, purged.rows));
    purged.metadata = metadata > 0;
    const bool journaled = journal.usable();
    if (journaled) {
        TB_RETURN_IF_ERROR(journal.remove(file.table));
        TB_RETURN_IF_ERROR(journal.mark(file.table));
    }
    TB_RETURN_IF_ERROR(transaction.commit());
    if (journaled) {
        TB_RETURN_IF_ERROR(journal.remove(file.table));
    }
    return purged;
}

// A person's yes, or the token in the arguments; an assistant that cannot ask is told the token.
mcp::Outcome<bool> is_confirmed(App& app, mcp::ToolContext& context, const Json& arguments,
                                const std::string& table) {
    TB_TRY_TOOL(db::Connection connection, app.reader(context.token()));
    TB_TRY_TOOL(const std::int64_t rows, count_rows(connection, table));
    const std::string question = fmt::format(
        "Delete all {} days of {}? Days that _marketdata no longer holds cannot be brought back.",
        mcp::count_text(rows), table);
    const std::string token = "purge " + table;
    const auto given = text_argument(arguments, "confirm");
    if (given) {
        if (*given == token) {
            return true;
        }
        return mcp::tool_error(fmt::format("Nothing was deleted: confirm is '{}', wanted '{}'",
                                           mcp::cell_text(*given), token));
    }
    if (context.can_ask(mcp::InputKind::kForm)) {
        TB_TRY_TOOL(const bool yes, context.confirm("confirm_purge", question));
        if (yes) {
            return true;
        }
        return mcp::tool_error("Nothing was deleted: the user did not agree.");
    }
    return mcp::tool_error(fmt::format(
        "Nothing was deleted yet. {} Ask the user; then call again with confirm: \"{}\".", question,
        token));
}

mcp::Outcome<mcp::ToolResult> purge_market_table(App& app, mcp::ToolContext& context,
                                                 const Json& arguments) {
    if (app.options().read_only) {
        return mcp::tool_error("This server is read-only; nothing can be purged.");
    }
    const market::MarketFile& file = file_of(*text_argument(arguments, "table"));
    const std::string table = market::market_table(file).qualified_name();
    TB_TRY_TOOL([[maybe_unused]] const bool confirmed,
                is_confirmed(app, context, arguments, table));
    TB_TRY_TOOL(const Purged purged, purge(app, file, context.token()));
    app.announce_market(purged.rows);
    const bool exists = app.file_system()
                            .stat(app.options().data_dir / market::kMarketFolder / file.file_name)
                            .has_value();
    const std::string next =
        exists
            ? fmt::format(
                  "The next sync reads _marketdata/{} again; remove or replace it first "
                  "if its rows are not wanted.",
                  file.file_name)
            : fmt::format("Put a new {} into _marketdata to fill the table again.", file.file_name);
    Json result = {{"table", table},
                   {"file", file.file_name},
                   {"rowsDeleted", purged.rows},
                   {"syncMetadataCleared", purged.metadata},
                   {"fileExists", exists},
                   {"nextStep", next}};
    return mcp::ToolResult{.text = fmt::format("Deleted {} days of {}. {}\n",
                                               mcp::count_text(purged.rows), table, next),
                           .structured = std::move(result)};
}

}  // namespace

mcp::ToolSpec purge_market_table_tool(App& app) {
    return {
        .name = "purge_market_table",
        .title = "Empty a market table",
        .description =
            "Deletes one market table with its history, so that its file is read anew; days the "
            "file no longer holds are lost. Without consent it only says what would go.",
        .toolset = "admin",
        .annotations = mcp::Annotations::deletes(),
        .scope = "data:write",
        .arguments = {field::choice("table", table_names(), "Table of schema market").required(),
                      field::text("confirm", "\"purge market.<table>\", if the user agrees")},
        .results = result_fields(),
        .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
            return purge_market_table(app, context, arguments);
        }};
}

}  // namespace tb::tools
