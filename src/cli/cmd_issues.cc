#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/record_output.h"
#include "cli/store_access.h"
#include "tools/data/sync_records.h"

namespace tb::cli {

namespace {

constexpr std::int64_t kDefaultLimit = 200;

// A file that was rejected for its header has no row to list: without a word it would look fine.
Result<void> name_rejected_files(db::Connection& connection, const std::string& block_id,
                                 Session& session) {
    TB_TRY(auto files, connection.collect("SELECT block_id, file_name, rejection FROM "
                                          "trades._sync_files WHERE rejection IS NOT NULL AND "
                                          "($1 = '' OR block_id = $1) ORDER BY ALL",
                                          block_id));
    while (true) {
        TB_TRY(const bool more, files.next());
        if (!more) {
            return {};
        }
        session.terminal.warning(fmt::format("{}: {} is not in the database: {}",
                                             files.get<std::string>(0), files.get<std::string>(1),
                                             files.get<std::string>(2)));
    }
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    const std::string directory = invocation.text("DIR");
    TB_TRY(const auto store, store_of(directory));
    // Where no database can be made, the files are read instead.
    if (!has_database(directory) && ::access(directory.c_str(), W_OK) == 0) {
        return make_error(ErrorCode::kNotFound,
                          "nothing was synced here yet: run tradeblocks sync first", directory);
    }
    TB_TRY([[maybe_unused]] const bool stand_in, open_for_reading(*store, session));
    TB_TRY(auto connection, store->reader());
    connection.cancel_with(session.cancel);
    tools::DataIssueFilter filter;
    filter.block_id = invocation.text("BLOCK");
    filter.limit = invocation.number("--limit").value_or(kDefaultLimit);
    TB_RETURN_IF_ERROR(tools::check_remembered(connection, filter.block_id));
    TB_TRY(const tools::DataIssuePage page, tools::read_data_issues(connection, filter));
    RecordOutput records({{"blockId", "BLOCK", Align::kLeft, 8},
                          {"fileName", "FILE", Align::kLeft, 8},
                          {"line", "LINE", Align::kRight},
                          {"column", "COLUMN", Align::kLeft, 8},
                          {"value", "VALUE", Align::kLeft, 8},
                          {"reason", "REASON", Align::kLeft, 24},
                          {"action", "ACTION"}});
    for (const tools::DataIssue& issue : page.issues) {
        records.add({issue.block_id, issue.file_name, issue.line, text_or_null(issue.column),
                     text_or_null(issue.value), issue.reason, issue.action},
                    issue.action == "skipped" ? Style::kYellow : Style::kPlain);
    }
    const bool as_json = invocation.has("--json");
    if (as_json || records.size() > 0) {
        records.print(session.terminal, as_json);
    }
    if (!as_json) {
        session.terminal.out().write(
            fmt::format("{}{}: {} skipped, {} repaired\n", records.size() > 0 ? "\n" : "",
                        counted(page.found, "issue"), counted(page.rows_skipped, "row"),
                        counted(page.rows_repaired, "row")));
    }
    if (static_cast<std::int64_t>(records.size()) < page.found) {
        session.terminal.note(fmt::format(
            "{} of {} shown; --limit shows more (at most 1,000 per file are kept)",
            grouped(static_cast<std::int64_t>(records.size())), counted(page.found, "issue")));
    }
    TB_RETURN_IF_ERROR(name_rejected_files(connection, filter.block_id, session));
    return ExitCode::kDone;
}

}  // namespace

Command issues_command() {
    return {.name = "issues",
            .summary = "list every skipped row and repaired value, with the reason",
            .description =
                "What the last sync could not take as it stood: file, line, column, the value as "
                "written, why it is a problem, and whether the row was skipped or the value "
                "repaired. Rows in a file = rows stored + rows skipped, always.",
            .arguments = {{"DIR", ValueKind::kDirectory, "the data directory"},
                          {"BLOCK", ValueKind::kBlock, "only this block (its folder name)", false}},
            .options = {{"--limit", ValueKind::kNumber, "N", "how many at most", {}, "200"},
                        {"--json", ValueKind::kFlag, "", "as JSON", {}, ""}},
            .examples = {{"issues ~/Trades", "all of them"},
                         {"issues ~/Trades \"Messy Export\" --json", "of one block, for scripts"}},
            .run = run,
            .relay = Relay::kRepeat};
}

}  // namespace tb::cli
