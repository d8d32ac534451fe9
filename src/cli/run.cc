#include "cli/run.h"

#include <exception>
#include <system_error>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/parser.h"
#include "cli/relay.h"
#include "core/version.h"
#include "db/database.h"

namespace tb::cli {

namespace {

// The command line, understood and completed.
struct Prepared {
    const Command* command = nullptr;  // null: answered already
    Invocation invocation;
};

Result<Prepared> prepare(const std::vector<std::string>& words, Session& session) {
    TB_TRY(ParsedLine line, parse_command_line(words));
    Output& out = session.terminal.out();
    switch (line.kind) {
        case ParsedLine::Kind::kHelp:
            out.write(line.command == nullptr ? program_help() : command_help(*line.command));
            return Prepared{};
        case ParsedLine::Kind::kVersion:
            out.write(fmt::format("tradeblocks {} (DuckDB {})\n", kVersion, db::engine_version()));
            return Prepared{};
        case ParsedLine::Kind::kManPage:
            out.write(man_page());
            return Prepared{};
        case ParsedLine::Kind::kRun:
            break;
    }
    if (line.command->prepare != nullptr) {
        TB_RETURN_IF_ERROR(line.command->prepare(line.invocation));
    }
    return Prepared{line.command, std::move(line.invocation)};
}

}  // namespace

ExitCode finish(Session& session, const std::function<Result<ExitCode>()>& work) {
    Terminal& terminal = session.terminal;
    ExitCode code = ExitCode::kFailed;
    try {
        auto result = work();
        if (result) {
            code = *result;
        } else {
            code = exit_code_of(result.error());
            if (code == ExitCode::kInterrupted) {
                // Whatever the engine was doing when it was stopped is no news.
                terminal.note("interrupted; the database is consistent");
            } else {
                terminal.error(result.error());
            }
        }
    } catch (const std::exception& problem) {
        terminal.error({ErrorCode::kInternal, problem.what(), "unexpected"});
    }
    terminal.clear_progress();
    terminal.out().flush();
    if (terminal.out().error() != 0) {
        terminal.error(
            {ErrorCode::kIo,
             "cannot write the answer: " + std::generic_category().message(terminal.out().error()),
             ""});
        return code == ExitCode::kDone || code == ExitCode::kPartly ? ExitCode::kFailed : code;
    }
    return code;
}

ExitCode run(const std::vector<std::string>& words, Terminal& terminal, const CancelToken& cancel) {
    Session session{terminal, cancel};
    return finish(session, [&]() -> Result<ExitCode> {
        if (words.empty()) {
            terminal.error({ErrorCode::kInvalidArgument,
                            "which command? tradeblocks --help lists them; tradeblocks demo shows "
                            "what this program does",
                            ""});
            return ExitCode::kUsage;
        }
        auto prepared = prepare(words, session);
        if (!prepared) {
            terminal.error(prepared.error());
            return prepared.error().code == ErrorCode::kInvalidArgument
                       ? ExitCode::kUsage
                       : exit_code_of(prepared.error());
        }
        if (prepared->command == nullptr) {
            return ExitCode::kDone;
        }
        return run_where_the_database_is(*prepared->command, prepared->invocation, session);
    });
}

}  // namespace tb::cli
