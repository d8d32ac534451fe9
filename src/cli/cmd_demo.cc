#include <cstdint>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/store_access.h"
#include "cli/sync_report.h"
#include "cli/table.h"
#include "core/number.h"
#include "demo/sample_data.h"

namespace tb::cli {

namespace {

constexpr std::string_view kDefaultDirectory = "tradeblocks-demo";

constexpr std::string_view kQuery =
    "SELECT block_id, count(*) AS trades, round(sum(net_pl), 2) AS net_pl, "
    "round(100.0 * count(*) FILTER (WHERE net_pl > 0) / count(*), 1) AS win_pct "
    "FROM trades.trade_data GROUP BY block_id ORDER BY net_pl DESC";

// As a shell takes it.
std::string quoted(const std::string& word) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~+=,:@";
    if (word.find_first_not_of(kPlain) == std::string::npos) {
        return word;
    }
    std::string result = "'";
    for (const char c : word) {
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return result + "'";
}

Result<void> first_query(db::DataStore& store, const std::string& directory, Session& session) {
    Output& out = session.terminal.out();
    out.write("\nA first query:\n\n");
    out.write(fmt::format("  tradeblocks sql {} \"{}\"\n\n", printable(quoted(directory)), kQuery));
    Table table({{"block_id", Align::kLeft, 16},
                 {"trades", Align::kRight},
                 {"net_pl", Align::kRight},
                 {"win_pct", Align::kRight}});
    TB_TRY(auto connection, store.reader());
    TB_TRY(auto rows, connection.query(kQuery));
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            break;
        }
        table.add({rows.get<std::string>(0), std::to_string(rows.get<std::int64_t>(1)),
                   fixed_text(rows.get<double>(2), 2), fixed_text(rows.get<double>(3), 1)});
    }
    table.print(session.terminal);
    out.write(fmt::format("\nNext: tradeblocks issues {0}  ·  tradeblocks history {0}\n",
                          printable(quoted(directory))));
    return {};
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    const std::string directory =
        invocation.has("DIR") ? invocation.text("DIR") : std::string(kDefaultDirectory);
    const auto seed = static_cast<std::uint64_t>(invocation.number("--seed").value_or(1));
    const bool bulk = invocation.has("--trades") || invocation.has("--blocks");
    TB_TRY(const demo::SampleSummary summary,
           bulk ? demo::write_bulk_data(
                      directory, {.seed = seed,
                                  .blocks = invocation.number("--blocks").value_or(1),
                                  .trades_per_block = invocation.number("--trades").value_or(1000)})
                : demo::write_demo_data(directory, seed));
    Output& out = session.terminal.out();
    out.write(fmt::format("wrote {} with {} ({} bytes) to {}\n", counted(summary.files, "file"),
                          counted(summary.rows, "trade"), grouped(summary.bytes),
                          printable(directory)));
    if (invocation.has("--no-sync")) {
        return ExitCode::kDone;
    }
    out.flush();
    TB_TRY(const auto store, store_of(directory, Work::kLoading));
    TB_RETURN_IF_ERROR(open_for_writing(*store, session));
    TB_TRY(const WholeSync result, sync_everything(*store, session, false));
    print_sync_report(session.terminal, result, true);
    if (!bulk) {
        TB_RETURN_IF_ERROR(first_query(*store, directory, session));
    }
    close_store(*store, session);
    return exit_code_of(result);
}

}  // namespace

Command demo_command() {
    return {.name = "demo",
            .summary = "write sample exports, sync them, show a first query",
            .description =
                "Makes a data directory of invented exports to look around in: backtests, daily "
                "logs, live fills, a Trade Automation Toolbox file, market data, and one block as "
                "messy as real spreadsheets are. The same seed gives the same files. It replaces "
                "what an earlier run wrote, and nothing else: a folder with anything else in it, "
                "or with a sample file that was changed, is refused.\n\n"
                "With --trades or --blocks it writes plain blocks of any size instead, for "
                "measuring.",
            .arguments = {{"DIR", ValueKind::kDirectory,
                           "where to write (default ./tradeblocks-demo)", false}},
            .options = {{"--seed", ValueKind::kNumber, "N", "which sample", {}, "1"},
                        {"--trades", ValueKind::kNumber, "N", "trades per block", {}, "1000"},
                        {"--blocks", ValueKind::kNumber, "N", "number of blocks", {}, "1"},
                        {"--no-sync", ValueKind::kFlag, "", "only write the files", {}, ""}},
            .examples = {{"demo", "look at what the program does"},
                         {"demo /tmp/big --blocks 100 --trades 2000 --no-sync",
                          "a large data directory to measure with"}},
            .run = run};
}

}  // namespace tb::cli
