// One client on a pair of descriptors: stdin and stdout of this process, or a connected socket.
//
//     TB_TRY(StdioChannel channel, take_stdio());    // first thing in main: fd 1 is stderr from
//     here ShutdownSignals signals;                       // SIGTERM and SIGINT become a readable
//     fd serve_lines(server, channel.in.get(), channel.out.get(),
//                 {.stop_fd = signals.fd(), .watch_parent = true});
//     server.shutdown();
//
// Reading never waits for a running call. After end of input, calls in flight get `eof_grace` to
// answer (so that a script may pipe its requests in), then they are cancelled.
//
// serve_lines runs on the calling thread until the client is gone; any number may run at once on
// different descriptors.
#pragma once

#include <chrono>

#include "core/result.h"
#include "core/unique_fd.h"
#include "mcp/line_io.h"
#include "mcp/server.h"

namespace tb::mcp {

struct LineTransportOptions {
    Principal principal;
    std::size_t max_line_bytes = kMaxLineBytes;
    std::size_t max_queue_bytes = kMaxQueueBytes;
    int stop_fd = -1;           // readable = stop now (ShutdownSignals::fd)
    bool watch_parent = false;  // stop when the process that started us disappears (06 S5)
    std::chrono::milliseconds eof_grace{800};  // with drain and Server::shutdown below 2 s
};

enum class TransportEnd {
    kEndOfInput,  // the client closed its side
    kStopped,     // stop_fd became readable
    kPeerGone,    // writing failed (EPIPE)
    kParentGone,  // see watch_parent
    kReadFailed,  // an error of read()
};

TransportEnd serve_lines(Server& server, int in_fd, int out_fd,
                         const LineTransportOptions& options);

struct StdioChannel {
    UniqueFd in;
    UniqueFd out;
};
// Moves the protocol's stdin and stdout to private descriptors, then points fd 1 at stderr and fd 0
// at /dev/null, so that nothing else in the process can touch the stream (06 S2). kIo on failure.
[[nodiscard]] Result<StdioChannel> take_stdio();

// While it lives: SIGTERM and SIGINT make fd() readable (and stay so), a second one ends the
// process at once with status 0, SIGPIPE is ignored. One per process.
class ShutdownSignals {
  public:
    ShutdownSignals();
    ~ShutdownSignals();
    ShutdownSignals(const ShutdownSignals&) = delete;
    ShutdownSignals& operator=(const ShutdownSignals&) = delete;
    [[nodiscard]] int fd() const;
    // The signal seen first, 0 = none yet.
    [[nodiscard]] int received() const;
};

}  // namespace tb::mcp
