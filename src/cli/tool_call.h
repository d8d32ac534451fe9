// A tool called for a command: progress on the terminal, what is wrong on standard error, the
// structured content as JSON.
//
// Thread-compatible.
#pragma once

#include <functional>
#include <string>

#include "cli/command.h"
#include "core/result.h"
#include "mcp/content.h"
#include "mcp/tool.h"
#include "tools/app.h"

namespace tb::cli {

// What becomes of a result that was had.
using PrintResult = std::function<void(mcp::ToolResult result)>;

// What a failure is told as; a command speaks of its flags, not of the tool's arguments.
using Rephrase = std::function<std::string(const std::string& text)>;

// Calls the tool for a complete result (00 §5). A failure is printed, one line per line of its
// text: kFailed, or kInterrupted after Ctrl-C.
[[nodiscard]] ExitCode call_tool(const mcp::ToolSpec& tool, const mcp::Json& arguments,
                                 Session& session, const PrintResult& print,
                                 const Rephrase& rephrase = {});

// Indented for a reader, compact for a program.
void print_structured(mcp::ToolResult result, Session& session);

// Runs `work` with the App of the session's server, or with one of its own on the directory DIR.
[[nodiscard]] Result<ExitCode> with_app(
    const Invocation& invocation, Session& session,
    const std::function<Result<ExitCode>(tools::App& app)>& work);

}  // namespace tb::cli
