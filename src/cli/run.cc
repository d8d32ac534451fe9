#include "cli/run.h"

#include <exception>
#include <system_error>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/parser.h"
#include "core/version.h"
#include "db/database.h"

namespace tb::cli {

namespace {

Result<ExitCode> answer(const std::vector<std::string>& words, Session& session) {
    TB_TRY(const ParsedLine line, parse_command_line(words));
    Output& out = session.terminal.out();
    switch (line.kind) {
        case ParsedLine::Kind::kHelp:
            out.write(line.command == nullptr ? program_help() : command_help(*line.command));
            return ExitCode::kDone;
        case ParsedLine::Kind::kVersion:
            out.write(fmt::format("tradeblocks {} (DuckDB {})\n", kVersion, db::engine_version()));
            return ExitCode::kDone;
        case ParsedLine::Kind::kManPage:
            out.write(man_page());
            return ExitCode::kDone;
        case ParsedLine::Kind::kRun:
            break;
    }
    // An error of the command itself is no error of the command line, whatever its code.
    auto result = line.command->run(line.invocation, session);
    if (!result) {
        session.terminal.error(result.error());
        return exit_code_of(result.error());
    }
    return *result;
}

}  // namespace

ExitCode run(const std::vector<std::string>& words, Terminal& terminal, const CancelToken& cancel) {
    Session session{terminal, cancel};
    ExitCode code = ExitCode::kFailed;
    try {
        if (words.empty()) {
            terminal.error({ErrorCode::kInvalidArgument,
                            "which command? tradeblocks --help lists them; tradeblocks demo shows "
                            "what this program does",
                            ""});
            return ExitCode::kUsage;
        }
        auto result = answer(words, session);
        if (result) {
            code = *result;
        } else {
            terminal.error(result.error());
            code = ExitCode::kUsage;
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

}  // namespace tb::cli
