#include <chrono>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/relay.h"
#include "cli/store_access.h"
#include "cli/sync_report.h"
#include "core/directory_watcher.h"

namespace tb::cli {

namespace {

// How often --watch looks again while files are half-written, unreadable or the database is busy:
// what ends such a state does not always cause a notification.
constexpr std::chrono::milliseconds kRetry{2'000};

Result<WholeSync> sync_once(const Invocation& invocation, db::DataStore& store, Session& session) {
    const bool verify = invocation.has("--verify");
    if (!invocation.has("--block")) {
        return sync_everything(store, session, verify);
    }
    auto block = sync_one(invocation.text("--block"), store, session, verify);
    if (!block) {
        return tl::unexpected<Error>(block.error());
    }
    return as_whole_sync(std::move(*block));
}

bool is_quiet(const WholeSync& result) {
    const auto& blocks = result.blocks;
    return blocks.synced + blocks.deleted + blocks.failed + blocks.deferred == 0 &&
           result.market.synced + result.market.failed + result.market.deferred == 0;
}

void print_result(const Invocation& invocation, const WholeSync& result, Session& session) {
    if (invocation.has("--json")) {
        session.terminal.out().write_data(sync_report_json(result, !invocation.has("--watch")));
    } else {
        print_sync_report(session.terminal, result, invocation.has("--block"));
    }
    session.terminal.out().flush();
}

// Opens the database only while syncing, so that other commands get at it in between.
Result<ExitCode> watch(const Invocation& invocation, db::DataStore& store, Session& session) {
    TB_TRY(auto watcher, DirectoryWatcher::start(store.directory()));
    session.terminal.note("watching; Ctrl-C ends it");
    bool first = true;
    while (true) {
        bool again = false;
        const auto opened = open_for_writing(store, session);
        if (opened) {
            auto result = sync_once(invocation, store, session);
            close_store(store, session);
            if (!result) {
                return tl::unexpected<Error>(result.error());
            }
            if (first || !is_quiet(*result)) {
                print_result(invocation, *result, session);
            }
            first = false;
            again = result->blocks.deferred > 0 || result->market.deferred > 0;
        } else if (opened.error().code == ErrorCode::kLocked &&
                   !is_owned_elsewhere(invocation.text("DIR"), session)) {
            session.terminal.warning(opened.error().to_string());
            again = true;
        } else {
            return tl::unexpected<Error>(opened.error());
        }
        if (session.terminal.out().closed() || session.terminal.out().error() != 0) {
            return ExitCode::kDone;  // nobody listens any more
        }
        const auto pause = again ? kRetry : std::chrono::milliseconds(-1);
        TB_TRY([[maybe_unused]] const bool changed, watcher.wait(pause, session.cancel));
    }
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    TB_TRY(const auto store, store_of(invocation.text("DIR"), Work::kLoading));
    if (invocation.has("--watch")) {
        return watch(invocation, *store, session);
    }
    TB_RETURN_IF_ERROR(open_for_writing(*store, session));
    auto result = sync_once(invocation, *store, session);
    close_store(*store, session);
    if (!result) {
        return tl::unexpected<Error>(result.error());
    }
    print_result(invocation, *result, session);
    return exit_code_of(*result);
}

}  // namespace

Command sync_command() {
    return {
        .name = "sync",
        .summary = "bring the database up to date with the CSV files",
        .description =
            "Looks at every block of the data directory, reads what is new or changed, removes "
            "what "
            "is gone, and reports what it did. Unchanged files are recognised by size and times "
            "and, where these prove nothing, by their content. Each block is replaced as a whole: "
            "the database never holds half of one.\n\n"
            "Rows that cannot be used are skipped, odd values repaired where that is safe; each "
            "case is recorded (see tradeblocks issues). A file that is still being written keeps "
            "its old rows until it is complete. One bad block never stops the others: then the "
            "exit code is 3.",
        .arguments = {{"DIR", ValueKind::kDirectory, "the data directory, one folder per block"}},
        .options =
            {{"--block", ValueKind::kBlock, "ID", "only this block (its folder name)", {}, ""},
             {"--json", ValueKind::kFlag, "", "the report as JSON", {}, ""},
             {"--verify",
              ValueKind::kFlag,
              "",
              "compare the content of every file, whatever size and times say",
              {},
              ""},
             {"--watch",
              ValueKind::kFlag,
              "",
              "keep running and sync again within a second of every change (with --json one "
              "line per sync)",
              {},
              ""}},
        .examples = {{"sync ~/Trades", "bring everything up to date"},
                     {"sync ~/Trades --block \"Iron Condor\"", "only one block"},
                     {"sync ~/Trades --watch", "leave it running while you export"},
                     {"sync ~/Trades --json | jq .rowsSkipped", "for scripts"}},
        .run = run,
        .relay = Relay::kRepeat};
}

}  // namespace tb::cli
