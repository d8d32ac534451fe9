// A follower's connection to the owner of its data directory: asks there what its own client asked
// here, and passes on progress, log messages and cancellation.
//
//     OwnerLink link(std::move(fd), owner_pid, [](const auto& blocks) { ... });
//     std::thread reader([&] { link.run(); });          // until the owner has gone
//     LinkReply reply = link.request("tools/call", params, context);
//
// Thread-safe. run() is called once, on a thread of its own; request() may be called on any number
// of threads meanwhile.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/unique_fd.h"
#include "mcp/context.h"
#include "mcp/json_box.h"
#include "mcp/json_rpc.h"
#include "mcp/line_io.h"

namespace tb::serve {

// Sent by the owner to every follower when a sync has changed blocks: params.blockIds.
inline constexpr std::string_view kBlocksChanged = "notifications/tradeblocks/blocks_changed";

struct LinkReply {
    enum class Kind {
        kResult,     // `result`, as the owner's server gave it
        kError,      // `error`: a JSON-RPC error
        kCancelled,  // by our client or its deadline; the owner was told
        kLost,       // the owner has gone without an answer
        kNotSent,    // it had gone before: it never saw the request
        kSilent,     // the owner is there and says nothing, not even that it lives
    };
    Kind kind = Kind::kLost;
    mcp::JsonBox result;
    mcp::RpcError error;
};

// An owner at work on a long call need not say anything; but it answers at once, whatever its
// workers do, when it is asked whether it is there. That is done after kProbeBeats without a byte
// from it, and it counts as silent after kSilentBeats. Beats and not times are counted, so that a
// follower that was stopped itself draws no conclusion from the time that has passed.
inline constexpr std::chrono::milliseconds kBeat{500};
inline constexpr int kProbeBeats = 4;
inline constexpr int kSilentBeats = 12;

class OwnerLink {
  public:
    using ChangeListener = std::function<void(const std::vector<std::string>& block_ids)>;
    // `fd` after the greetings. `beat` is how often a waiting request looks whether the owner has
    // said anything; see kSilentBeats.
    OwnerLink(UniqueFd fd, std::int64_t owner_pid, ChangeListener on_change,
              std::chrono::milliseconds beat = kBeat);
    ~OwnerLink();
    OwnerLink(const OwnerLink&) = delete;
    OwnerLink& operator=(const OwnerLink&) = delete;

    // Reads until the owner closes or close() is called; then every open request is lost.
    void run();
    // Ends run() from another thread.
    void close();
    // The owner has gone: every request is answered kLost at once.
    [[nodiscard]] bool lost() const;

    [[nodiscard]] std::int64_t owner_pid() const { return owner_pid_; }

    // `params` without _meta. Waits for the answer; `context` hears of progress on this thread.
    // `may_give_up`: answer kSilent (and take the request back) when the owner is stopped or hangs:
    // for requests that only read.
    [[nodiscard]] LinkReply request(std::string_view method, mcp::Json params,
                                    mcp::ToolContext& context, bool may_give_up);

  private:
    struct Pending;
    enum class Waited { kAnswered, kCancelled, kSilent };
    Waited wait_for(Pending& pending, mcp::ToolContext& context, bool may_give_up);
    void probe();
    void take(std::string_view line);
    void take_message(std::string_view line);
    void take_notification(const mcp::Message& message);
    void lose_everything();

    const UniqueFd fd_;
    const UniqueFd stop_;  // eventfd
    const std::int64_t owner_pid_;
    const ChangeListener on_change_;
    const std::chrono::milliseconds beat_;
    std::atomic<std::uint64_t> heard_{0};  // reads that brought something
    mcp::LineWriter writer_;

    mutable std::mutex mutex_;
    bool lost_ = false;
    std::int64_t next_id_ = 1;
    std::map<std::string, std::shared_ptr<Pending>> pending_;  // by id text
};

}  // namespace tb::serve
