#include "serve/reception.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

#include "core/check.h"
#include "core/log.h"
#include "mcp/line_io.h"
#include "serve/greeting.h"
#include "serve/owner_link.h"

namespace tb::serve {

namespace {

constexpr std::size_t kMaxGreetingBytes = 4'096;
constexpr std::size_t kReadBytes = std::size_t{64} << 10U;
constexpr int kRefreshMs = 3'600'000;

class PeerOutlet final : public mcp::Outlet {
  public:
    explicit PeerOutlet(int fd) : writer_(fd, mcp::kMaxQueueBytes) {}
    void wait_for_room(const CancelToken& cancel) override { writer_.wait_for_room(cancel); }
    [[nodiscard]] bool has_room() const override { return writer_.has_room(); }
    bool send(mcp::OutMessage message) override { return writer_.write(message.text); }
    [[nodiscard]] mcp::LineWriter& writer() { return writer_; }

  private:
    mcp::LineWriter writer_;
};

enum class Event { kReadable, kStop, kFailed };

// Waits for bytes of the peer or for the end of the reception.
Event wait_for(int fd, int stop_fd) {
    while (true) {
        std::array<pollfd, 2> watched{pollfd{fd, POLLIN, 0}, pollfd{stop_fd, POLLIN, 0}};
        if (::poll(watched.data(), watched.size(), -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return Event::kFailed;
        }
        if (watched[1].revents != 0) {
            return Event::kStop;
        }
        if (watched[0].revents != 0) {
            return Event::kReadable;
        }
    }
}

void signal_event(int fd) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
}

// What is printed through these descriptors from here on goes nowhere, and their other ends see the
// end of the stream.
void silence(int out_fd, int err_fd) {
    const UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (null.valid()) {
        ::dup3(null.get(), out_fd, O_CLOEXEC);
        ::dup3(null.get(), err_fd, O_CLOEXEC);
    }
}

}  // namespace

struct Reception::Session {
    UniqueFd fd;
    std::thread thread;
    bool ended = false;                  // under the reception's mutex
    std::shared_ptr<PeerOutlet> outlet;  // of a follower; under the reception's mutex
};

Result<std::unique_ptr<Reception>> Reception::make(Claim claim, ReceptionOptions options) {
    UniqueFd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!stop.valid()) {
        return make_error(ErrorCode::kIo, std::generic_category().message(errno), "eventfd");
    }
    return std::unique_ptr<Reception>(
        new Reception(std::move(claim), std::move(options), std::move(stop)));
}

Reception::Reception(Claim claim, ReceptionOptions options, UniqueFd stop)
    : claim_(std::move(claim)), options_(std::move(options)), stop_(std::move(stop)) {
    accepting_ = std::thread([this] { accept_peers(); });
}

Reception::~Reception() {
    TB_CHECK(stop(std::chrono::seconds(30)), "the reception's work has ended");
}

void Reception::accept_peers() {
    while (true) {
        std::array<pollfd, 2> watched{pollfd{claim_.listener(), POLLIN, 0},
                                      pollfd{stop_.get(), POLLIN, 0}};
        const int ready = ::poll(watched.data(), watched.size(), kRefreshMs);
        if (ready == 0) {
            claim_.refresh();
        }
        if (ready <= 0) {
            continue;
        }
        if (watched[1].revents != 0) {
            return;
        }
        auto session = std::make_shared<Session>();
        session->fd = accept_peer(claim_.listener());
        if (!session->fd.valid()) {
            continue;
        }
        std::vector<std::shared_ptr<Session>> over;  // their threads are at their last line
        {
            const std::lock_guard lock(mutex_);
            for (auto entry = sessions_.begin(); entry != sessions_.end();) {
                if ((*entry)->ended) {
                    over.push_back(std::move(*entry));
                    entry = sessions_.erase(entry);
                } else {
                    ++entry;
                }
            }
            if (!stopping_ && sessions_.size() < kMaxPeers) {
                sessions_.push_back(session);
                session->thread = std::thread([this, peer = session.get()] { welcome(*peer); });
            } else {
                log(LogLevel::kWarning, "too many connections of other copies");
            }
        }
        for (const auto& ended : over) {
            ended->thread.join();
        }
    }
}

// The session's thread, from the greeting to the end.
void Reception::welcome(Session& session) {
    const auto line = read_line(session.fd.get(), kMaxGreetingBytes, kGreetingTimeout);
    const auto caller = line.has_value() ? parse_greeting(*line) : tl::unexpected(line.error());
    if (caller.has_value()) {
        Greeting answer = own_greeting(caller->wants);
        answer.reason = objection(*caller);
        if (answer.reason.empty() && options_.objection) {
            answer.reason = options_.objection();
        }
        if (caller->wants == Wants::kCommand && options_.run_command == nullptr) {
            answer.reason = "this process runs no commands";
        }
        answer.accepted = answer.reason.empty();
        const auto greeted = write_line(session.fd.get(), greeting_line(answer, true));
        if (greeted.has_value() && answer.accepted) {
            if (caller->wants == Wants::kTools) {
                serve_tools(session, caller->import_roots);
            } else {
                serve_command(session);
            }
        }
    }
    ::shutdown(session.fd.get(), SHUT_RDWR);
    const std::lock_guard lock(mutex_);
    session.ended = true;
    ended_.notify_all();
}

Result<mcp::Server*> Reception::server(const std::vector<std::string>& import_roots) {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
        return make_error(ErrorCode::kInterrupted, "ending");
    }
    auto found = servers_.find(import_roots);
    if (found == servers_.end()) {
        TB_TRY(PeerServer made, options_.make_server(import_roots));
        found = servers_.emplace(import_roots, std::move(made)).first;
    }
    return found->second.server.get();
}

void Reception::serve_tools(Session& session, const std::vector<std::string>& import_roots) {
    const auto server = this->server(import_roots);
    if (!server.has_value()) {
        log(LogLevel::kError, server.error().to_string());
        return;
    }
    const auto outlet = std::make_shared<PeerOutlet>(session.fd.get());
    {
        const std::lock_guard lock(mutex_);
        session.outlet = outlet;
    }
    const auto connection = (*server)->connect({outlet, mcp::Principal{}, std::nullopt});
    mcp::LineReader reader(
        mcp::kMaxLineBytes,
        {[&](std::string_view line) { connection->receive(line, outlet); },
         [] { log(LogLevel::kWarning, "another copy sent a line that is too long"); }});
    std::vector<char> buffer(kReadBytes);
    while (wait_for(session.fd.get(), stop_.get()) == Event::kReadable &&
           !outlet->writer().broken()) {
        const ssize_t got = ::recv(session.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        reader.feed({buffer.data(), static_cast<std::size_t>(got)});
    }
    connection->close();  // cancels without answering
    {
        const std::lock_guard lock(mutex_);
        session.outlet.reset();
    }
    outlet->writer().close();
}

void Reception::serve_command(Session& session) {
    auto command = receive_command(session.fd.get());
    if (!command.has_value()) {
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || commands_ >= kMaxCommands) {
            return;  // the caller takes it for a lost owner and tries again
        }
        ++commands_;
    }
    const CancelSource cancel;
    if (command->cancelled) {
        cancel.cancel();
    }
    const UniqueFd done(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    int code = 1;
    std::thread work([&] {
        code = options_.run_command(command->request, command->out.get(), command->err.get(),
                                    cancel.token());
        signal_event(done.get());
    });
    bool lost = false;
    while (true) {
        std::array<pollfd, 3> watched{pollfd{done.get(), POLLIN, 0},
                                      pollfd{lost ? -1 : session.fd.get(), POLLIN, 0},
                                      pollfd{lost ? -1 : stop_.get(), POLLIN, 0}};
        const int ready = ::poll(watched.data(), watched.size(), kAliveEvery.count());
        if (ready == 0 && !lost) {
            // A caller that does not listen is told nothing, and keeps nobody.
            const std::string line = std::string(kAliveLine) + "\n";
            [[maybe_unused]] const ssize_t told =
                ::send(session.fd.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        }
        if (ready <= 0) {
            continue;
        }
        if (watched[0].revents != 0) {
            break;
        }
        if (watched[2].revents != 0) {
            // We end, not the command: its caller is to see a lost owner, no half answer.
            lost = true;
            silence(command->out.get(), command->err.get());
            ::shutdown(session.fd.get(), SHUT_RDWR);
            cancel.cancel();
        } else if (watched[1].revents != 0) {
            std::array<char, 256> bytes{};
            const ssize_t got = ::recv(session.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
            if (got > 0 || (got < 0 && errno != EAGAIN && errno != EINTR) || got == 0) {
                lost = got <= 0;
                cancel.cancel();
            }
        }
    }
    work.join();
    command->out.reset();
    command->err.reset();
    if (!lost) {
        [[maybe_unused]] const auto told = write_line(session.fd.get(), exit_line(code));
    }
    const std::lock_guard lock(mutex_);
    --commands_;
}

void Reception::announce(const std::vector<std::string>& block_ids) {
    const std::string line = mcp::encode_notification(kBlocksChanged, {{"blockIds", block_ids}});
    const std::lock_guard lock(mutex_);
    for (const auto& session : sessions_) {
        if (session->outlet != nullptr && session->outlet->has_room()) {
            session->outlet->writer().write(line);
        }
    }
}

bool Reception::stop(std::chrono::milliseconds wait) {
    const auto deadline = std::chrono::steady_clock::now() + wait;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    signal_event(stop_.get());
    if (accepting_.joinable()) {
        accepting_.join();
    }
    claim_.stop_listening();
    std::list<std::shared_ptr<Session>> sessions;
    {
        std::unique_lock lock(mutex_);
        const bool all_ended = ended_.wait_until(lock, deadline, [&] {
            return std::all_of(sessions_.begin(), sessions_.end(),
                               [](const auto& session) { return session->ended; });
        });
        if (!all_ended) {
            return false;
        }
        sessions.swap(sessions_);
    }
    for (const auto& session : sessions) {
        session->thread.join();
    }
    bool all_ended = true;
    for (const auto& [unused, peer] : servers_) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        all_ended =
            peer.server->shutdown(std::max(left, std::chrono::milliseconds(1))) && all_ended;
    }
    return all_ended;
}

}  // namespace tb::serve
