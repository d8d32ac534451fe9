#include "serve/owner_link.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <deque>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>
#include <poll.h>

#include "core/log.h"
#include "core/version.h"
#include "mcp/json_peer.h"
#include "mcp/json_text.h"

namespace tb::serve {

using mcp::Json;

namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10U;

// What the owner may ask our client for is what the client can do.
Json capabilities_of(const mcp::ToolContext& context) {
    Json out = Json::object();
    Json elicitation = Json::object();
    if (context.can_ask(mcp::InputKind::kForm)) {
        elicitation["form"] = Json::object();
    }
    if (context.can_ask(mcp::InputKind::kUrl)) {
        elicitation["url"] = Json::object();
    }
    if (!elicitation.empty()) {
        out["elicitation"] = std::move(elicitation);
    }
    if (context.can_ask(mcp::InputKind::kSampling)) {
        out["sampling"] = Json::object();
    }
    if (context.can_ask(mcp::InputKind::kRoots)) {
        out["roots"] = Json::object();
    }
    return out;
}

// Every level: what our own client does not want is dropped here.
Json request_meta(const mcp::ToolContext& context, std::int64_t id) {
    return {{std::string(mcp::meta::kProtocolVersion), mcp::revision_name(mcp::kModern)},
            {std::string(mcp::meta::kClientCapabilities), capabilities_of(context)},
            {std::string(mcp::meta::kClientInfo),
             {{"name", "tradeblocks"}, {"version", std::string(kVersion)}}},
            {std::string(mcp::meta::kLogLevel), "debug"},
            {"progressToken", id}};
}

Progress progress_of(const Json& params) {
    Progress progress;
    const auto number = [&](const char* name) -> std::uint64_t {
        const auto found = params.find(name);
        return found != params.end() && found->is_number() && found->get<double>() > 0
                   ? static_cast<std::uint64_t>(found->get<double>())
                   : 0;
    };
    progress.done = number("progress");
    progress.total = number("total");
    if (const auto text = params.find("message"); text != params.end() && text->is_string()) {
        progress.message = text->get<std::string>();
    }
    return progress;
}

}  // namespace

// One request of ours. Guarded by its own mutex; the reader fills it, the caller empties it.
struct OwnerLink::Pending {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<LinkReply> reply;
    bool cancelled = false;
    std::deque<Json> events;  // params of progress and log notifications, in order

    void finish(LinkReply value) {
        const std::lock_guard lock(mutex);
        if (!reply.has_value()) {
            reply = std::move(value);
        }
        changed.notify_all();
    }
};

OwnerLink::OwnerLink(UniqueFd fd, std::int64_t owner_pid, ChangeListener on_change,
                     std::chrono::milliseconds beat)
    : fd_(std::move(fd)),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      owner_pid_(owner_pid),
      on_change_(std::move(on_change)),
      beat_(beat),
      writer_(fd_.get(), mcp::kMaxQueueBytes) {}

OwnerLink::~OwnerLink() {
    lose_everything();
    writer_.close();
}

void OwnerLink::close() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_.get(), &one, sizeof one);
}

bool OwnerLink::lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
}

void OwnerLink::run() {
    mcp::LineReader reader(
        mcp::kMaxLineBytes,
        {[this](std::string_view line) { take(line); },
         [] { log(LogLevel::kError, "the owner sent a line that is too long"); }});
    std::vector<char> buffer(kReadBytes);
    while (true) {
        std::array<pollfd, 2> watched{pollfd{fd_.get(), POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
        if (::poll(watched.data(), watched.size(), -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            break;
        }
        if (watched[1].revents != 0) {
            break;
        }
        const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        heard_.fetch_add(1);
        reader.feed({buffer.data(), static_cast<std::size_t>(got)});
    }
    lose_everything();
}

void OwnerLink::lose_everything() {
    std::map<std::string, std::shared_ptr<Pending>> open;
    {
        const std::lock_guard lock(mutex_);
        lost_ = true;
        open.swap(pending_);
    }
    for (const auto& [unused, pending] : open) {
        pending->finish({LinkReply::Kind::kLost, {}, {}});
    }
}

// Nothing an owner of another version may send can end this process.
void OwnerLink::take(std::string_view line) {
    try {
        take_message(line);
    } catch (const std::exception& error) {
        log(LogLevel::kWarning, std::string("dropped a message of the owner: ") + error.what());
    }
}

void OwnerLink::take_message(std::string_view line) {
    mcp::Inbound inbound = mcp::decode_peer_text(line);
    if (inbound.is_batch || !inbound.messages.front().has_value()) {
        log(LogLevel::kWarning, "dropped a line of the owner that is no message");
        return;
    }
    mcp::Message& message = *inbound.messages.front();
    if (message.kind == mcp::Message::Kind::kNotification) {
        take_notification(message);
        return;
    }
    if (message.kind != mcp::Message::Kind::kResponse || !message.id.has_value()) {
        return;
    }
    std::shared_ptr<Pending> pending;
    {
        const std::lock_guard lock(mutex_);
        const auto found = pending_.find(message.id->to_text());
        if (found == pending_.end()) {
            return;  // cancelled meanwhile
        }
        pending = std::move(found->second);
        pending_.erase(found);
    }
    LinkReply reply;
    if (message.error.is_null()) {
        reply.kind = LinkReply::Kind::kResult;
        reply.result = std::move(message.result);
    } else {
        reply.kind = LinkReply::Kind::kError;
        const Json& error = *message.error;
        reply.error.code = error.value("code", mcp::code::kInternalError);
        reply.error.message = error.value("message", "");
        if (const auto data = error.find("data"); data != error.end()) {
            reply.error.data = *data;
        }
    }
    pending->finish(std::move(reply));
}

void OwnerLink::take_notification(const mcp::Message& message) {
    const Json& params = *message.params;
    if (message.method == kBlocksChanged) {
        std::vector<std::string> blocks;
        for (const Json& id : params.value("blockIds", Json::array())) {
            if (id.is_string()) {
                blocks.push_back(id.get<std::string>());
            }
        }
        on_change_(blocks);
        return;
    }
    // Log messages do not name their request; with several open ones any may pass it on.
    const bool is_progress = message.method == "notifications/progress";
    if (!is_progress && message.method != "notifications/message") {
        return;
    }
    std::shared_ptr<Pending> pending;
    {
        const std::lock_guard lock(mutex_);
        if (is_progress) {
            const auto token = params.find("progressToken");
            const auto found =
                pending_.find(token == params.end() ? std::string() : mcp::to_json_text(*token));
            pending = found == pending_.end() ? nullptr : found->second;
        } else if (!pending_.empty()) {
            pending = pending_.begin()->second;
        }
    }
    if (pending != nullptr) {
        const std::lock_guard lock(pending->mutex);
        pending->events.push_back(params);
        pending->changed.notify_all();
    }
}

// Any answer will do; nobody waits for it.
void OwnerLink::probe() {
    const Json params = {
        {"_meta",
         {{std::string(mcp::meta::kProtocolVersion), mcp::revision_name(mcp::kModern)},
          {std::string(mcp::meta::kClientCapabilities), Json::object()}}}};
    writer_.write(
        mcp::encode_request(mcp::RequestId(std::string("alive")), "server/discover", params));
}

OwnerLink::Waited OwnerLink::wait_for(Pending& pending, mcp::ToolContext& context,
                                      bool may_give_up) {
    std::uint64_t heard = heard_.load();
    int quiet_beats = 0;
    std::unique_lock lock(pending.mutex);
    while (true) {
        const bool woken = pending.changed.wait_for(lock, beat_, [&] {
            return pending.reply.has_value() || pending.cancelled || !pending.events.empty();
        });
        while (!pending.events.empty()) {
            const Json event = std::move(pending.events.front());
            pending.events.pop_front();
            lock.unlock();
            if (event.contains("progress")) {
                context.report(progress_of(event));
            } else {
                context.log(mcp::parse_logging_level(event.value("level", "info"))
                                .value_or(mcp::LoggingLevel::kInfo),
                            event.value("logger", ""), event.value("data", Json()));
            }
            lock.lock();
        }
        if (pending.reply.has_value()) {
            return Waited::kAnswered;
        }
        if (pending.cancelled) {
            return Waited::kCancelled;
        }
        if (const std::uint64_t now = heard_.load(); woken || now != heard) {
            heard = now;
            quiet_beats = 0;
        } else if (++quiet_beats == kProbeBeats) {
            probe();
        } else if (quiet_beats >= kSilentBeats && may_give_up) {
            return Waited::kSilent;
        }
    }
}

LinkReply OwnerLink::request(std::string_view method, Json params, mcp::ToolContext& context,
                             bool may_give_up) {
    const auto pending = std::make_shared<Pending>();
    std::int64_t id = 0;
    {
        const std::lock_guard lock(mutex_);
        if (lost_) {
            return {LinkReply::Kind::kNotSent, {}, {}};
        }
        id = next_id_++;
        pending_.emplace(std::to_string(id), pending);
    }
    params["_meta"] = request_meta(context, id);
    writer_.wait_for_room(context.token());
    // A line that can no longer be written is one the owner has not seen: run() ends and says so.
    writer_.write(mcp::encode_request(mcp::RequestId(id), method, params));
    const auto registration = context.token().on_cancel([pending] {
        const std::lock_guard lock(pending->mutex);
        pending->cancelled = true;
        pending->changed.notify_all();
    });
    const Waited waited = wait_for(*pending, context, may_give_up);
    if (waited == Waited::kAnswered) {
        const std::lock_guard lock(pending->mutex);
        return std::move(*pending->reply);
    }
    {
        const std::lock_guard link_lock(mutex_);
        pending_.erase(std::to_string(id));
    }
    writer_.write(mcp::encode_notification("notifications/cancelled", {{"requestId", id}}));
    return {
        waited == Waited::kSilent ? LinkReply::Kind::kSilent : LinkReply::Kind::kCancelled, {}, {}};
}

}  // namespace tb::serve
