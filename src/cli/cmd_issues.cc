#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/record_output.h"
#include "cli/store_access.h"

namespace tb::cli {

namespace {

constexpr std::int64_t kDefaultLimit = 200;

struct Totals {
    std::int64_t issues = 0;
    std::int64_t skipped = 0;
    std::int64_t repaired = 0;
};

Result<Totals> totals_of(db::Connection& connection, const std::string& block) {
    TB_TRY(auto rows,
           connection.query("SELECT coalesce(sum(issues_total), 0)::BIGINT, "
                            "coalesce(sum(rows_skipped), 0)::BIGINT, "
                            "coalesce(sum(rows_repaired), 0)::BIGINT FROM trades._sync_files "
                            "WHERE $1 = '' OR block_id = $1",
                            std::string_view(block)));
    TB_TRY([[maybe_unused]] const bool more, rows.next());
    return Totals{rows.get<std::int64_t>(0), rows.get<std::int64_t>(1), rows.get<std::int64_t>(2)};
}

Result<void> check_known(db::Connection& connection, const std::string& block) {
    TB_TRY(auto rows, connection.query(
                          "SELECT (SELECT count(*) FROM trades._sync_files WHERE block_id = $1) + "
                          "(SELECT count(*) FROM trades._sync_issues WHERE block_id = $1)",
                          std::string_view(block)));
    TB_TRY([[maybe_unused]] const bool more, rows.next());
    if (rows.get<std::int64_t>(0) > 0) {
        return {};
    }
    return make_error(ErrorCode::kNotFound,
                      "no such block is stored; tradeblocks status DIR lists the blocks", block);
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    const std::string directory = invocation.text("DIR");
    TB_TRY(const auto store, store_of(directory));
    if (!has_database(directory)) {
        return make_error(ErrorCode::kNotFound,
                          "nothing was synced here yet: run tradeblocks sync first", directory);
    }
    TB_TRY([[maybe_unused]] const bool stand_in, open_for_reading(*store, session));
    TB_TRY(auto connection, store->reader());
    connection.cancel_with(session.cancel);
    const std::string block = invocation.text("BLOCK");
    if (!block.empty()) {
        TB_RETURN_IF_ERROR(check_known(connection, block));
    }
    const std::int64_t limit = invocation.number("--limit").value_or(kDefaultLimit);
    TB_TRY(const Totals totals, totals_of(connection, block));
    TB_TRY(auto rows,
           connection.query("SELECT block_id, file_name, line, column_name, value, reason, action "
                            "FROM trades._sync_issues WHERE $1 = '' OR block_id = $1 "
                            "ORDER BY block_id, file_name, line, column_name NULLS FIRST LIMIT $2",
                            std::string_view(block), limit));
    RecordOutput records({{"blockId", "BLOCK", Align::kLeft, 10},
                          {"fileName", "FILE", Align::kLeft, 12},
                          {"line", "LINE", Align::kRight},
                          {"column", "COLUMN", Align::kLeft, 10},
                          {"value", "VALUE", Align::kLeft, 10},
                          {"reason", "REASON", Align::kLeft, 24},
                          {"action", "ACTION"}});
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            break;
        }
        const std::string action = rows.get<std::string>(6);
        records.add(
            {rows.get<std::string>(0), rows.get<std::string>(1), rows.get<std::int64_t>(2),
             text_or_null(rows.get_optional<std::string>(3)),
             text_or_null(rows.get_optional<std::string>(4)), rows.get<std::string>(5), action},
            action == "skipped" ? Style::kYellow : Style::kPlain);
    }
    const bool as_json = invocation.has("--json");
    if (as_json || records.size() > 0) {
        records.print(session.terminal, as_json);
    }
    if (!as_json) {
        session.terminal.out().write(
            fmt::format("{}{}: {} skipped, {} repaired\n", records.size() > 0 ? "\n" : "",
                        counted(totals.issues, "issue"), counted(totals.skipped, "row"),
                        counted(totals.repaired, "row")));
    }
    if (static_cast<std::int64_t>(records.size()) < totals.issues) {
        session.terminal.note(fmt::format(
            "{} of {} shown; --limit shows more (at most 1,000 per file are kept)",
            grouped(static_cast<std::int64_t>(records.size())), counted(totals.issues, "issue")));
    }
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
                          {"BLOCK", ValueKind::kText, "only this block (its folder name)", false}},
            .options = {{"--limit", ValueKind::kNumber, "N", "how many at most", {}, "200"},
                        {"--json", ValueKind::kFlag, "", "as JSON", {}, ""}},
            .examples = {{"issues ~/Trades", "all of them"},
                         {"issues ~/Trades \"Messy Export\" --json", "of one block, for scripts"}},
            .run = run,
            .relay = Relay::kRepeat};
}

}  // namespace tb::cli
