// The part of a server process that knows who owns the data directory: this process, or another
// copy to which our calls are passed on (00 §6, 06 Q6).
//
// A thread of its own keeps trying: it becomes the owner when nobody is, else it connects to the
// owner, and starts anew the moment that connection ends. So a follower takes over as soon as the
// owner has gone, however it went. Handshakes and lists never wait for any of this; a call waits
// until it is known where to run it.
//
//     Host host(options);
//     host.set_change_listener(...);
//     host.start();
//     TB_TRY_TOOL(const Route route, host.route(context.token()));
//     if (route.owner == nullptr) { run it here } else { route.owner->request(...) }
//
// Where no owner can be agreed on (no usable runtime folder, a data directory that does not exist,
// an owner that does not answer) calls run here as well: the App then works on the file if it can
// and on an in-memory stand-in if another process holds it (01 §8.3 item 31).
//
// Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/cancel.h"
#include "core/result.h"
#include "core/unique_fd.h"
#include "mcp/content.h"
#include "serve/owner_link.h"
#include "serve/reception.h"
#include "tools/app.h"

namespace tb::serve {

struct HostOptions {
    std::filesystem::path runtime_root;  // serve/place.h: runtime_root()
    MakePeerServer make_server;          // see ReceptionOptions
    CommandRunner run_command;
    // The database file is let go when nobody has asked anything for so long.
    std::chrono::milliseconds release_after{5'000};
};

// Where a call is to run.
struct Route {
    std::shared_ptr<OwnerLink> owner;  // null = here
};

enum class Role {
    kUndecided,  // between two owners, for a moment
    kOwner,
    kFollower,
    kAlone,    // no owner can be agreed on; see reason
    kRefused,  // the owner is of a version we cannot work with; see reason
};

class Host {
  public:
    // `app` outlives the host. Nothing is tried yet.
    Host(tools::App& app, HostOptions options);
    ~Host();  // send_away(), stop()
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    // Called with the ids of blocks that a sync changed, in this process or in the owner.
    using ChangeListener = std::function<void(const std::vector<std::string>& block_ids)>;
    void set_change_listener(ChangeListener listener);

    // What a sync of this process has changed: told to our client and to every follower.
    void announce(const std::vector<std::string>& block_ids);

    void start();

    // Waits until it is known where calls run, at most some seconds (then: here).
    [[nodiscard]] mcp::Outcome<Route> route(const CancelToken& cancel);

    // Followers are sent away, commands of others cancelled; nothing new comes in. False if their
    // work did not end within `wait`: then _exit. Idempotent.
    [[nodiscard]] bool send_away(std::chrono::milliseconds wait);
    // After send_away() and when our own calls have ended: closes the database, gives the ownership
    // up. Idempotent.
    void stop();

    [[nodiscard]] Role role() const;
    [[nodiscard]] std::string reason() const;

  private:
    void keep_trying();
    // Until told to stop: lets the file go while nobody asks.
    void watch_idleness();
    // One attempt to own or to follow; returns how long to wait before the next one.
    std::chrono::milliseconds try_once();
    void own(Claim claim, const Place& place);
    // Until the owner has gone.
    void follow(UniqueFd fd, std::int64_t owner_pid);
    void become(Role role, std::string reason);
    void change_seen(const std::vector<std::string>& block_ids);
    [[nodiscard]] bool is_decided() const;

    tools::App& app_;
    const HostOptions options_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    Role role_ = Role::kUndecided;
    std::string reason_;
    std::chrono::steady_clock::time_point undecided_since_;
    std::shared_ptr<OwnerLink> link_;
    ChangeListener listener_;
    std::unique_ptr<Reception> reception_;
    std::thread thread_;
};

}  // namespace tb::serve
