// Who called which tool when, one JSON line per call (06 Q17); no data values.
//
//     {"time":"2026-11-22T13:08:26.123Z","principal":"local","tool":"run_sql",
//      "arguments":"9f86...","rows":12,"bytes":3456,"ms":18,"outcome":"ok"}
//
// `arguments` is the SHA-256 of the arguments as JSON with sorted members and without spaces, after
// defaults were filled in: equal calls have equal digests. `rows` counts the longest list of the
// result (null = it has none), `bytes` text and JSON of the result. Outcomes: ok, error, cancelled,
// asked (the user is to be asked first, and the client calls again), refused. What was refused
// before it reached a tool has a `why` (mcp::RefusedCall) and the tool's name and arguments as they
// came. Requests without a valid token are no calls: nobody has read what they ask for.
//
// Several processes may write one file: a line is one write to a file opened for appending.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/unique_fd.h"
#include "mcp/content.h"
#include "mcp/context.h"
#include "mcp/server.h"

namespace tb::serve {

class AuditLog {
  public:
    // Makes the file if need be; a file (not a device) is made readable for its owner alone.
    // Refused where it would lie in a data directory (`data_dir`, or any other) or holds anything
    // but earlier lines of ours (core/output_file.h).
    [[nodiscard]] static Result<std::shared_ptr<AuditLog>> open(
        const std::filesystem::path& file, const std::filesystem::path& data_dir = {});
    explicit AuditLog(UniqueFd fd) : fd_(std::move(fd)) {}

    // What cannot be written is said once on standard error; the call goes on.
    void record(const mcp::ToolContext& context, const std::string& tool,
                const mcp::Json& arguments, std::chrono::milliseconds took,
                const mcp::Outcome<mcp::ToolResult>& outcome);

    void record(const mcp::RefusedCall& call);

  private:
    void write(const mcp::Json& line);

    const UniqueFd fd_;
    std::atomic<bool> complained_{false};
};

// The same content whose tools record their calls.
[[nodiscard]] Result<mcp::ServerContent> audited(mcp::ServerContent content,
                                                 const std::shared_ptr<AuditLog>& log);

}  // namespace tb::serve
