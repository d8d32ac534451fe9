// Where a command runs: in this process, or in the one that owns its data directory (00 §6).
//
// Thread-compatible.
#pragma once

#include <filesystem>
#include <string>

#include "cli/command.h"
#include "serve/command_wire.h"
#include "serve/reception.h"
#include "tools/app.h"

namespace tb::cli {

// The folder in which processes of this user meet (serve/place.h).
[[nodiscard]] std::filesystem::path runtime_root();

// Whether another process owns the directory now.
[[nodiscard]] bool is_owned_elsewhere(const std::string& directory, const Session& session);

// Runs the command in the owner of its directory if there is one, else here. An owner that ends
// meanwhile, or appears while we start, is followed.
[[nodiscard]] Result<ExitCode> run_where_the_database_is(const Command& command,
                                                         const Invocation& invocation,
                                                         Session& session);

// The other side: runs in this process what other processes ask for, on this App's database.
[[nodiscard]] serve::CommandRunner command_runner(tools::App& app);

}  // namespace tb::cli
