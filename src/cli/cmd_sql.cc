#include <array>
#include <cerrno>
#include <limits>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/store_access.h"
#include "db/absent_values.h"
#include "db/query_service.h"
#include "db/sql_guard.h"
#include "db/value_render_writer.h"
#include "tools/data/sql_session.h"

namespace tb::cli {

namespace {

// Rows shown for reading. Formats for programs are never cut unless --limit says so.
constexpr std::size_t kReadableRows = 1'000;
constexpr double kMaxSeconds = 7 * 24 * 3600;

Result<std::string> read_standard_input() {
    std::string text;
    std::array<char, 4096> buffer{};
    while (true) {
        const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return make_error(ErrorCode::kIo, "cannot read the query from standard input: " +
                                                  std::generic_category().message(errno));
        }
        if (got == 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > db::kMaxSqlBytes) {
            return make_error(ErrorCode::kInvalidArgument,
                              fmt::format("the query is longer than {} bytes", db::kMaxSqlBytes));
        }
    }
}

Result<void> prepare(Invocation& invocation) {
    if (invocation.has("--safe") && invocation.text("--format") != "csv") {
        return make_error(ErrorCode::kInvalidArgument, "--safe belongs to --format csv");
    }
    if (invocation.text("SQL") == "-") {
        TB_TRY(std::string sql, read_standard_input());
        invocation.set("SQL", std::move(sql));
    }
    return {};
}

db::QueryLimits limits_of(const Invocation& invocation, bool readable) {
    db::QueryLimits limits;
    limits.max_rows = readable ? kReadableRows : std::numeric_limits<std::size_t>::max() - 1;
    if (const auto limit = invocation.number("--limit")) {
        limits.max_rows = static_cast<std::size_t>(*limit);
    }
    limits.max_bytes = std::numeric_limits<std::size_t>::max();
    const double seconds = std::min(invocation.seconds("--timeout").value_or(30), kMaxSeconds);
    limits.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000) + 1);
    return limits;
}

// The query still answers from what could be synced, but nobody may overlook what could not.
void report_problems(const WholeSync& result, Terminal& terminal) {
    for (const auto* const errors : {&result.blocks.errors, &result.market.errors}) {
        for (const sync::SyncErrorEntry& entry : *errors) {
            terminal.warning(fmt::format("{} ({}): {}", entry.block_id,
                                         sync::status_name(entry.status), entry.error.to_string()));
        }
    }
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    const std::string directory = invocation.text("DIR");
    const std::string sql = invocation.text("SQL");
    const std::string format_name =
        invocation.has("--format") ? invocation.text("--format") : std::string("table");
    const auto format = db::result_format(format_name).value_or(db::ResultFormat::kTable);
    const bool readable =
        format == db::ResultFormat::kTable || format == db::ResultFormat::kMarkdown;
    TB_TRY(const auto store, store_of(directory));
    ExitCode code = ExitCode::kDone;
    if (invocation.has("--no-sync") && !has_database(directory)) {
        return make_error(ErrorCode::kNotFound,
                          "nothing was synced here yet: run tradeblocks sync, or leave --no-sync "
                          "away",
                          directory);
    }
    TB_TRY(const bool stand_in, open_for_reading(*store, session));
    if (!stand_in && !invocation.has("--no-sync")) {
        TB_TRY(const WholeSync synced, sync_everything(*store, session, false));
        report_problems(synced, session.terminal);
        code = exit_code_of(synced);
    }
    const db::QueryLimits limits = limits_of(invocation, readable);
    Output& out = session.terminal.out();
    const auto writer = db::make_result_writer(
        format,
        [&out](std::string_view text) -> Result<void> {
            out.write_data(text);
            if (out.closed() || out.error() != 0) {
                return make_error(ErrorCode::kIo, "nobody reads the answer");
            }
            return {};
        },
        invocation.has("--safe"));
    {
        TB_TRY(auto connection, store->reader());
        TB_RETURN_IF_ERROR(tools::use_short_table_names(connection));
        const auto outcome = store->queries().run(connection, sql, limits, *writer, session.cancel);
        const auto finished = outcome ? writer->finish() : Result<void>();
        if (out.closed()) {
            return code;  // `| head` has seen enough
        }
        if (!outcome) {
            Error error = outcome.error();
            if (error.code == ErrorCode::kInterrupted && !session.cancel.cancelled()) {
                // The deadline, not the user: a failure like any other.
                error.code = ErrorCode::kResourceExhausted;
                error.message += "; --timeout S allows more";
            }
            return tl::unexpected<Error>(std::move(error));
        }
        TB_RETURN_IF_ERROR(finished);
        if (outcome->truncated) {
            session.terminal.note(fmt::format("only the first {} shown; --limit N shows more",
                                              counted(outcome->row_count, "row")));
        }
        if (outcome->non_finite > 0) {
            session.terminal.note(db::non_finite_note(outcome->non_finite));
        }
        if (const auto absent = db::absent_values(connection, sql)) {
            for (const db::AbsentValues& values : *absent) {
                session.terminal.note(values.to_string());
            }
        }
    }
    close_store(*store, session);
    return code;
}

}  // namespace

Command sql_command() {
    return {
        .name = "sql",
        .summary = "ask the database a question in SQL (read-only)",
        .description =
            "Brings the database up to date, then runs one reading statement: SELECT, WITH, FROM, "
            "VALUES, DESCRIBE, SHOW, SUMMARIZE, PIVOT or EXPLAIN. Nothing can be changed, no file "
            "outside is reachable, and the query ends at the timeout.\n\n"
            "Tables: trades.trade_data (one row per trade; net_pl is profit after fees), "
            "trades.daily_data, trades.reporting_data (live fills), market.spx_daily and the other "
            "market files, trades._sync_log, trades._sync_issues. DESCRIBE trades.trade_data "
            "lists the columns; docs/schema.md explains them all.\n\n"
            "table and markdown show at most 1,000 rows and shorten long cells; csv, json and "
            "ndjson are complete unless --limit is given. Dates are YYYY-MM-DD text; integers "
            "beyond 2^53 are text. In a pipe or file every byte is that of the data; on a terminal "
            "control characters are shown as pictures. Spreadsheets run cells that begin with =, "
            "+, - or @ as formulas: --safe puts an apostrophe before such text.",
        .arguments = {{"DIR", ValueKind::kDirectory, "the data directory"},
                      {"SQL", ValueKind::kText,
                       "the statement, or - to read it from standard input"}},
        .options =
            {{"--format",
              ValueKind::kChoice,
              "FORMAT",
              "how to print the rows; json is an array of objects, ndjson one object a line",
              {"table", "csv", "json", "ndjson", "markdown"},
              "table"},
             {"--limit", ValueKind::kNumber, "N", "print at most so many rows", {}, ""},
             {"--timeout", ValueKind::kSeconds, "S", "give up after so many seconds", {}, "30"},
             {"--safe",
              ValueKind::kFlag,
              "",
              "csv for spreadsheets: no text begins like a formula",
              {},
              ""},
             {"--no-sync",
              ValueKind::kFlag,
              "",
              "answer from what is stored, without looking at the files",
              {},
              ""}},
        .examples =
            {{"sql ~/Trades \"SELECT block_id, sum(net_pl) FROM trades.trade_data GROUP BY 1\"",
              "profit of every block"},
             {"sql ~/Trades \"SELECT date_trunc('month', date_closed) AS month, "
              "sum(net_pl) FROM trades.trade_data WHERE block_id = 'MEIC' GROUP BY 1 ORDER "
              "BY 1\" --format csv --safe > months.csv",
              "months of one block for a spreadsheet"},
             {"sql ~/Trades \"SHOW ALL TABLES\"", "what there is to ask about"}},
        .run = run,
        .prepare = prepare,
        .relay = Relay::kQuery};
}

}  // namespace tb::cli
