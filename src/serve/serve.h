// The server program: `tradeblocks serve`, on standard input and output or over HTTP.
//
// The first answer needs neither the database nor the data directory: both are looked at when a
// call needs them, and what is wrong with them becomes the answer of that call (06 S6). The process
// ends within two seconds of being told to (06 S5), except for a database that is being written
// back.
//
// One call per process.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/result.h"
#include "mcp/http.h"
#include "mcp/server.h"
#include "mcp/tool.h"
#include "serve/host.h"
#include "tools/app.h"

namespace tb::serve {

struct ServeOptions {
    tools::AppOptions app;
    mcp::ToolSelection selection;
    std::optional<mcp::HttpOptions> http;  // else standard input and output
    std::function<void(const std::vector<std::string>& urls)> on_listening;  // HTTP only
    std::filesystem::path runtime_root;                                      // serve/place.h
    std::filesystem::path audit_log;  // serve/audit_log.h; empty = none
    // Makes what runs command lines of other processes. Its App is on this one's database, without
    // the restrictions that `app` puts on clients: who gives commands is the user.
    std::function<CommandRunner(tools::App&)> command_runner;
    // Ends the process at once, with status 0: called when work cannot be stopped in time and
    // nothing that it uses may be destroyed. Must not return.
    std::function<void()> end_process;
};

// Returns when the client has gone or `cancel` fires.
//   kInvalidArgument  unknown toolsets or tools
//   kIo, kRefused     the HTTP address (mcp/http.h)
[[nodiscard]] Result<void> serve(const ServeOptions& options, const CancelToken& cancel);

}  // namespace tb::serve
