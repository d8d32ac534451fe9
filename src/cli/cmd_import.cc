#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "blocks/import.h"
#include "cli/commands.h"
#include "cli/store_access.h"
#include "cli/sync_report.h"

namespace tb::cli {

namespace {

using Json = nlohmann::ordered_json;

std::optional<blocks::FileRole> role_of(const std::string& name) {
    for (const auto role : {blocks::FileRole::kTradeLog, blocks::FileRole::kDailyLog,
                            blocks::FileRole::kReportingLog}) {
        if (blocks::role_name(role) == name) {
            return role;
        }
    }
    return std::nullopt;
}

std::optional<blocks::PlBasis> basis_of(const std::string& name) {
    if (name == "gross") {
        return blocks::PlBasis::kGrossBeforeFees;
    }
    return name == "net" ? std::optional(blocks::PlBasis::kNetIncludesFees) : std::nullopt;
}

std::string date_or_dash(const std::optional<Date>& date) {
    return date ? date->to_iso() : "-";
}

void print_outcome(const blocks::ImportOutcome& outcome, bool as_json, Terminal& terminal) {
    const blocks::IngestReport& report = outcome.report;
    if (as_json) {
        const Json json{{"blockId", outcome.block_id},
                        {"csvType", blocks::role_name(outcome.role)},
                        {"file", outcome.file.string()},
                        {"recordCount", report.data_rows},
                        {"rowsStored", report.rows_stored},
                        {"rowsSkipped", report.rows_skipped},
                        {"rowsRepaired", report.rows_repaired},
                        {"dateRange",
                         {{"start", report.first_date ? Json(report.first_date->to_iso()) : Json()},
                          {"end", report.last_date ? Json(report.last_date->to_iso()) : Json()}}},
                        {"notes", report.notes}};
        terminal.out().write_data(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
        return;
    }
    terminal.out().write(
        fmt::format("imported as block \"{}\": {}, {} from {} to {}, {} skipped, {} repaired\n",
                    printable(outcome.block_id), printable(outcome.file.filename().string()),
                    counted(report.rows_stored, "row"), date_or_dash(report.first_date),
                    date_or_dash(report.last_date), grouped(report.rows_skipped),
                    grouped(report.rows_repaired)));
    for (const std::string& note : report.notes) {
        terminal.out().write("  " + printable(note) + "\n");
    }
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    const bool as_json = invocation.has("--json");
    TB_TRY(const auto store, store_of(invocation.text("DIR"), Work::kLoading));
    blocks::ImportRequest request;
    request.data_dir = store->directory();
    request.source = invocation.text("FILE");
    request.name = invocation.text("--name");
    request.role = role_of(invocation.text("--type"));
    request.pl_basis = basis_of(invocation.text("--pl-basis"));
    request.cancel = session.cancel;
    TB_TRY(const blocks::ImportOutcome outcome, blocks::import_file(real_file_system(), request));
    print_outcome(outcome, as_json, session.terminal);
    if (outcome.role != blocks::FileRole::kTradeLog) {
        session.terminal.note(
            "a block needs a trade log too: copy one into the folder, named tradelog.csv");
        return ExitCode::kDone;
    }
    // The file is in place; what keeps the database from it now is cured by the next sync.
    if (const auto opened = open_for_writing(*store, session); !opened) {
        session.terminal.warning(opened.error().to_string());
        session.terminal.note("imported, but not synced yet: the next sync reads it");
        return exit_code_of(opened.error());
    }
    sync::SyncOptions options;
    options.cancel = session.cancel;
    options.progress = [&](const Progress& progress) { session.terminal.progress(progress); };
    auto synced = sync::sync_block(outcome.block_id, *store, options);
    session.terminal.clear_progress();
    close_store(*store, session);
    if (!synced) {
        return tl::unexpected<Error>(synced.error());
    }
    const WholeSync result = as_whole_sync(std::move(*synced));
    if (!as_json) {
        print_sync_report(session.terminal, result, true);
    }
    return exit_code_of(result);
}

}  // namespace

Command import_command() {
    return {
        .name = "import",
        .summary = "copy an exported CSV into a new block and sync it",
        .description =
            "Checks the file with the same parser that sync uses, copies it byte for byte into a "
            "new block folder and syncs that block. Nothing existing is ever overwritten, and a "
            "failed import leaves nothing behind. Copying the file into a folder of the data "
            "directory yourself does the same.\n\n"
            "Profit in Option Omega exports already includes fees. For a file whose profit is "
            "before fees say --pl-basis gross; it is remembered in the data directory.",
        .arguments = {{"DIR", ValueKind::kDirectory, "the data directory"},
                      {"FILE", ValueKind::kFile, "the CSV file"}},
        .options =
            {{"--name", ValueKind::kText, "NAME", "name of the new block", {}, "the file's name"},
             {"--type",
              ValueKind::kChoice,
              "TYPE",
              "what the file is",
              {"tradelog", "dailylog", "reportinglog"},
              "as its header says"},
             {"--pl-basis",
              ValueKind::kChoice,
              "BASIS",
              "whether the P/L column is after or before fees",
              {"net", "gross"},
              "net"},
             {"--json", ValueKind::kFlag, "", "the result as JSON", {}, ""}},
        .examples = {{"import ~/Trades ~/Downloads/backtest.csv --name \"Iron Condor 2024\"",
                      "makes the block iron-condor-2024"}},
        .run = run,
        .relay = Relay::kOnce};
}

}  // namespace tb::cli
