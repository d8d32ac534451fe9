// The owner's side of the socket: lets followers use its tools and runs command lines for one-shot
// processes.
//
// Every connection has a thread; what it asks for runs on the workers of the server it shares with
// the other followers, or, for a command line, on a thread of its own. When the owner ends it
// closes the connections without answering what is open: the followers then repeat what may be
// repeated with the next owner, which is better than an error from the old one.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/cancel.h"
#include "core/result.h"
#include "core/unique_fd.h"
#include "mcp/server.h"
#include "serve/claim.h"
#include "serve/command_wire.h"

namespace tb::serve {

inline constexpr std::size_t kMaxPeers = 64;
inline constexpr std::size_t kMaxCommands = 8;  // running at once

// Runs a command line in this process; its exit code. Called on several threads at once.
using CommandRunner = std::function<int(const CommandRequest& request, int out_fd, int err_fd,
                                        const CancelToken& cancel)>;

// What followers use: all tools. One for each set of import roots, so that a follower that serves
// the network does not reach more of this machine through the owner than by itself.
struct PeerServer {
    std::shared_ptr<void> app;  // outlives the server
    std::unique_ptr<mcp::Server> server;
};
using MakePeerServer = std::function<Result<PeerServer>(const std::vector<std::string>& roots)>;

struct ReceptionOptions {
    MakePeerServer make_server;  // called when the first such follower comes
    CommandRunner run_command;   // null = command lines are refused
    // Why nobody new may be served here any more; empty: nothing is against it. Null = never.
    std::function<std::string()> objection;
};

class Reception {
  public:
    // kIo when the process has no descriptor left.
    [[nodiscard]] static Result<std::unique_ptr<Reception>> make(Claim claim,
                                                                 ReceptionOptions options);
    ~Reception();  // stop() without patience
    Reception(const Reception&) = delete;
    Reception& operator=(const Reception&) = delete;

    // Tells every follower that a sync has changed these blocks.
    void announce(const std::vector<std::string>& block_ids);

    // Takes nobody new, closes every connection, cancels their work and waits for it at most
    // `wait`. False if something still runs: then do not destroy this, _exit instead. Idempotent.
    // The claim stays held until destruction.
    [[nodiscard]] bool stop(std::chrono::milliseconds wait);

  private:
    Reception(Claim claim, ReceptionOptions options, UniqueFd stop);
    struct Session;
    void accept_peers();
    void welcome(Session& session);
    void serve_tools(Session& session, const std::vector<std::string>& import_roots);
    void serve_command(Session& session);
    [[nodiscard]] Result<mcp::Server*> server(const std::vector<std::string>& import_roots);

    Claim claim_;
    const ReceptionOptions options_;
    const UniqueFd stop_;  // eventfd, readable once stopping

    std::mutex mutex_;
    std::condition_variable ended_;
    bool stopping_ = false;
    std::size_t commands_ = 0;
    std::map<std::vector<std::string>, PeerServer> servers_;  // by import roots
    std::list<std::shared_ptr<Session>> sessions_;
    std::thread accepting_;
};

}  // namespace tb::serve
