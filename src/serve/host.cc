#include "serve/host.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "core/log.h"
#include "serve/claim.h"
#include "serve/greeting.h"
#include "serve/place.h"

namespace tb::serve {

namespace {

using SteadyClock = std::chrono::steady_clock;

// Between two attempts while the place is being handed over, and while there is little hope.
constexpr std::chrono::milliseconds kSoon{10};
constexpr std::chrono::milliseconds kLater{500};
// An owner that holds the lock and cannot be reached for so long is taken for hung.
constexpr std::chrono::seconds kPatience{3};
// How long a call waits for a decision before it runs here.
constexpr std::chrono::seconds kLongestWait{5};

}  // namespace

Host::Host(tools::App& app, HostOptions options)
    : app_(app), options_(std::move(options)), undecided_since_(SteadyClock::now()) {}

Host::~Host() {
    [[maybe_unused]] const bool ended = send_away(std::chrono::seconds(30));
    stop();
}

void Host::set_change_listener(ChangeListener listener) {
    const std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
}

void Host::start() {
    app_.set_change_listener([this](const auto& block_ids) { announce(block_ids); });
    thread_ = std::thread([this] { keep_trying(); });
}

void Host::announce(const std::vector<std::string>& block_ids) {
    change_seen(block_ids);
    const std::lock_guard lock(mutex_);
    if (reception_ != nullptr) {
        reception_->announce(block_ids);
    }
}

void Host::change_seen(const std::vector<std::string>& block_ids) {
    ChangeListener listener;
    {
        const std::lock_guard lock(mutex_);
        listener = listener_;
    }
    if (listener) {
        listener(block_ids);
    }
}

void Host::become(Role role, std::string reason) {
    const std::lock_guard lock(mutex_);
    if (role == Role::kUndecided && role_ != Role::kUndecided) {
        undecided_since_ = SteadyClock::now();
    }
    if (role_ != role) {
        static constexpr const char* kNames[] = {"undecided", "owner", "follower", "alone",
                                                 "refused"};
        log(LogLevel::kInfo, std::string("role: ") + kNames[static_cast<int>(role)] +
                                 (reason.empty() ? "" : " (" + reason + ")"));
    }
    role_ = role;
    reason_ = std::move(reason);
    changed_.notify_all();
}

void Host::keep_trying() {
    while (true) {
        const auto pause = try_once();
        bool is_owner = false;
        {
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, pause, [&] { return stopping_ || role_ == Role::kOwner; });
            if (stopping_) {
                return;
            }
            is_owner = role_ == Role::kOwner;
        }
        if (is_owner) {
            watch_idleness();
            return;
        }
        app_.release_if_idle(options_.release_after);
    }
}

void Host::watch_idleness() {
    const auto look_every = std::max<std::chrono::milliseconds>(options_.release_after / 5,
                                                                std::chrono::milliseconds(10));
    while (true) {
        {
            std::unique_lock lock(mutex_);
            if (changed_.wait_for(lock, look_every, [&] { return stopping_; })) {
                return;
            }
        }
        app_.release_if_idle(options_.release_after);
    }
}

std::chrono::milliseconds Host::try_once() {
    const auto place = place_of(app_.options().data_dir, options_.runtime_root);
    if (!place.has_value()) {
        become(Role::kAlone, place.error().to_string());
        return kLater;
    }
    auto claim = try_claim(*place);
    if (!claim.has_value()) {
        become(Role::kAlone, claim.error().to_string());
        return kLater;
    }
    if (claim->has_value()) {
        own(std::move(**claim), *place);
        return kSoon;
    }
    auto fd = dial(*place);
    if (fd.has_value()) {
        Greeting own = own_greeting(Wants::kTools);
        for (const auto& root : app_.options().import_roots) {
            own.import_roots.push_back(root.string());
        }
        const auto greeting = greet_owner(fd->get(), own);
        if (greeting.has_value()) {
            follow(std::move(*fd), greeting->pid);
            return std::chrono::milliseconds(0);
        }
        if (greeting.error().code == ErrorCode::kRefused) {
            become(Role::kRefused, greeting.error().message);
            return kLater;
        }
        fd = tl::unexpected(greeting.error());
    }
    // Held by somebody who does not listen (yet, or any more): a hand-over takes milliseconds.
    bool hopeless = false;
    {
        const std::lock_guard lock(mutex_);
        hopeless = role_ != Role::kUndecided || SteadyClock::now() - undecided_since_ > kPatience;
    }
    if (hopeless) {
        become(Role::kAlone, fd.error().to_string());
        return kLater;
    }
    return kSoon;
}

void Host::own(Claim claim, const Place& place) {
    app_.close();  // a stand-in, or the file held without ownership
    // Callers come by the folder, we work by its path: if it was moved and another one has its name
    // now, they would get the figures of that one.
    const auto objection = [this, folder = place.folder]() -> std::string {
        const auto now = existing_place(app_.options().data_dir, options_.runtime_root);
        return now.has_value() && now->folder == folder
                   ? std::string()
                   : fmt::format(
                         "process {} serves this folder under the name {}, which it has no "
                         "longer; restart the assistant or server that runs it",
                         ::getpid(), app_.options().data_dir.string());
    };
    ReceptionOptions options{options_.make_server, options_.run_command, objection};
    auto reception = Reception::make(std::move(claim), std::move(options));
    if (!reception.has_value()) {
        become(Role::kAlone, reception.error().to_string());
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        reception_ = std::move(*reception);
    }
    become(Role::kOwner, "");
}

void Host::follow(UniqueFd fd, std::int64_t owner_pid) {
    app_.close();  // whoever follows keeps no database
    auto link = std::make_shared<OwnerLink>(
        std::move(fd), owner_pid,
        [this](const std::vector<std::string>& ids) { change_seen(ids); });
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) {
            return;
        }
        link_ = link;
    }
    become(Role::kFollower, "");
    link->run();
    {
        const std::lock_guard lock(mutex_);
        link_.reset();
    }
    become(Role::kUndecided, "");
}

// With the mutex held. An owner that has just gone is none, even before our thread has noticed.
bool Host::is_decided() const {
    return role_ == Role::kFollower ? link_ != nullptr && !link_->lost()
                                    : role_ != Role::kUndecided;
}

mcp::Outcome<Route> Host::route(const CancelToken& cancel) {
    const auto wake = cancel.on_cancel([this] {
        const std::lock_guard lock(mutex_);
        changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLongestWait,
                      [&] { return is_decided() || stopping_ || cancel.cancelled(); });
    if (cancel.cancelled()) {
        return tl::unexpected<mcp::ToolError>(
            Error{ErrorCode::kInterrupted, "cancelled before it was begun", ""});
    }
    if (role_ == Role::kRefused) {
        return mcp::tool_error(reason_);
    }
    return Route{role_ == Role::kFollower && is_decided() ? link_ : nullptr};
}

bool Host::send_away(std::chrono::milliseconds wait) {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
        if (link_ != nullptr) {
            link_->close();
        }
    }
    if (thread_.joinable()) {
        thread_.join();
    }
    return reception_ == nullptr || reception_->stop(wait);
}

void Host::stop() {
    app_.set_change_listener(nullptr);
    app_.close();
    std::unique_ptr<Reception> reception;  // ends, and with it the claim, after the lock
    const std::lock_guard lock(mutex_);
    reception.swap(reception_);
}

Role Host::role() const {
    const std::lock_guard lock(mutex_);
    return role_;
}

std::string Host::reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
}

}  // namespace tb::serve
