// The program without its process: everything main() does after it has its arguments.
//
// Single-thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "core/cancel.h"

namespace tb::cli {

// Parses, runs, prints; errors are printed here. No exception leaves.
[[nodiscard]] ExitCode run(const std::vector<std::string>& words, Terminal& terminal,
                           const CancelToken& cancel);

// Runs `work`, prints its error if it has one, flushes: the end of every command.
[[nodiscard]] ExitCode finish(Session& session, const std::function<Result<ExitCode>()>& work);

}  // namespace tb::cli
