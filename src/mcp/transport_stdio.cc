#include "mcp/transport_stdio.h"

#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <poll.h>

#include "core/check.h"
#include "core/log.h"

namespace tb::mcp {

namespace {

constexpr int kPollMs = 250;   // how often the parent is looked for
constexpr int kDrainMs = 300;  // for answers that are ready when the client has gone quiet
constexpr std::size_t kInlineBytes = std::size_t{16} << 20U;  // of answers that did not wait
constexpr std::size_t kReadBytes = std::size_t{64} << 10U;

// Everything of one line connection leaves through one writer.
class LineOutlet final : public Outlet {
  public:
    LineOutlet(int fd, std::size_t max_queue_bytes) : writer_(fd, max_queue_bytes) {}
    void wait_for_room(const CancelToken& cancel) override { writer_.wait_for_room(cancel); }
    [[nodiscard]] bool has_room() const override { return writer_.has_room(); }
    bool send(OutMessage message) override { return writer_.write(message.text); }
    [[nodiscard]] LineWriter& writer() { return writer_; }

  private:
    LineWriter writer_;
};

class LineSession {
  public:
    LineSession(Server& server, int in_fd, int out_fd, const LineTransportOptions& options)
        : options_(options),
          in_fd_(in_fd),
          out_fd_(out_fd),
          outlet_(std::make_shared<LineOutlet>(out_fd, options.max_queue_bytes)),
          connection_(server.connect({outlet_, options.principal, std::nullopt})),
          reader_(options.max_line_bytes,
                  {[this](std::string_view line) { connection_->receive(line, outlet_); },
                   [this] { refuse_long_line(); }}) {}

    TransportEnd run() {
        const TransportEnd end = read_until_end();
        if (end == TransportEnd::kEndOfInput) {
            reader_.finish();
            finish_calls();
        }
        if (end != TransportEnd::kPeerGone) {
            connection_->end_subscriptions();
            outlet_->writer().drain(kDrainMs);
        }
        connection_->close();
        outlet_->writer().close();
        return end;
    }

  private:
    enum class Event { kReadable, kIdle, kEnd };

    TransportEnd read_until_end() {
        std::array<char, kReadBytes> buffer{};
        while (true) {
            TransportEnd end = TransportEnd::kEndOfInput;
            switch (wait(end, wants_input())) {
                case Event::kEnd:
                    return end;
                case Event::kIdle:
                    continue;
                case Event::kReadable:
                    break;
            }
            const ssize_t count = ::read(in_fd_, buffer.data(), buffer.size());
            if (count == 0) {
                return TransportEnd::kEndOfInput;
            }
            if (count < 0) {
                if (errno == EINTR || errno == EAGAIN) {
                    continue;
                }
                return TransportEnd::kReadFailed;
            }
            reader_.feed({buffer.data(), static_cast<std::size_t>(count)});
        }
    }

    // Answers given on the reading thread (pings, lists, errors) do not wait for room, so a client
    // that writes and never reads is stopped here; its cancellations are then the price of its own
    // silence.
    [[nodiscard]] bool wants_input() const {
        return outlet_->writer().queued_bytes() < options_.max_queue_bytes + kInlineBytes;
    }

    Event wait(TransportEnd& end, bool read_input) {
        std::array<pollfd, 3> fds = {{{in_fd_, static_cast<short>(read_input ? POLLIN : 0), 0},
                                      {options_.stop_fd, POLLIN, 0},
                                      {out_fd_, 0, 0}}};
        const int ready = ::poll(fds.data(), fds.size(), read_input ? kPollMs : kPollMs / 10);
        if (ready < 0 && errno != EINTR) {
            end = TransportEnd::kReadFailed;
            return Event::kEnd;
        }
        if (ready > 0 && fds[1].revents != 0) {
            end = TransportEnd::kStopped;
            return Event::kEnd;
        }
        // A pipe whose reader has gone reports an error even with nothing to write.
        if (outlet_->writer().broken() || (ready > 0 && (fds[2].revents & POLLERR) != 0)) {
            end = TransportEnd::kPeerGone;
            return Event::kEnd;
        }
        if (options_.watch_parent && ::getppid() != parent_) {
            end = TransportEnd::kParentGone;
            return Event::kEnd;
        }
        if (ready > 0 && fds[0].revents != 0) {
            if (read_input) {
                return Event::kReadable;
            }
            if ((fds[0].revents & (POLLHUP | POLLERR)) != 0) {
                end = TransportEnd::kPeerGone;  // closed its side and reads nothing either
                return Event::kEnd;
            }
        }
        return Event::kIdle;
    }

    // After end of input: what is running may still answer, for a while.
    void finish_calls() {
        const auto until = std::chrono::steady_clock::now() + options_.eof_grace;
        while (connection_->calls_in_flight() > 0 && std::chrono::steady_clock::now() < until &&
               !outlet_->writer().broken()) {
            pollfd stop = {options_.stop_fd, POLLIN, 0};
            if (::poll(&stop, 1, 5) > 0) {
                return;
            }
        }
    }

    void refuse_long_line() {
        const RpcError error = {
            code::kInvalidRequest,
            "Invalid request: line above " + std::to_string(options_.max_line_bytes) + " bytes",
            {}};
        outlet_->send({encode_error(std::nullopt, error), OutMessage::Kind::kResponse, error.code});
    }

    const LineTransportOptions& options_;
    const int in_fd_;
    const int out_fd_;
    const pid_t parent_ = ::getppid();
    const std::shared_ptr<LineOutlet> outlet_;
    const std::shared_ptr<Connection> connection_;
    LineReader reader_;
};

// ---- signals ----

std::atomic<int> signal_fd{-1};
std::atomic<int> first_signal{0};

// Async-signal-safe: atomics, write and _exit.
void on_signal(int number) {
    int none = 0;
    if (!first_signal.compare_exchange_strong(none, number)) {
        ::_exit(0);
    }
    const int saved = errno;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(signal_fd.load(), &one, sizeof one);
    errno = saved;
}

void set_handler(int number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, nullptr);
}

Result<UniqueFd> duplicate(int fd) {
    UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!copy.valid()) {
        return make_error(ErrorCode::kIo, std::strerror(errno), "duplicate standard stream");
    }
    return copy;
}

}  // namespace

TransportEnd serve_lines(Server& server, int in_fd, int out_fd,
                         const LineTransportOptions& options) {
    return LineSession(server, in_fd, out_fd, options).run();
}

Result<StdioChannel> take_stdio() {
    StdioChannel channel;
    TB_TRY(channel.in, duplicate(STDIN_FILENO));
    TB_TRY(channel.out, duplicate(STDOUT_FILENO));
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null.valid() || ::dup2(null.get(), STDIN_FILENO) < 0 ||
        ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        return make_error(ErrorCode::kIo, std::strerror(errno), "redirect standard streams");
    }
    return channel;
}

ShutdownSignals::ShutdownSignals() {
    TB_CHECK(signal_fd.load() < 0, "one ShutdownSignals per process");
    first_signal.store(0);
    signal_fd.store(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (signal_fd.load() >= 0) {  // else they end the process, as by default
        set_handler(SIGTERM, on_signal);
        set_handler(SIGINT, on_signal);
    }
    set_handler(SIGPIPE, SIG_IGN);
}

ShutdownSignals::~ShutdownSignals() {
    set_handler(SIGTERM, SIG_DFL);
    set_handler(SIGINT, SIG_DFL);
    ::close(signal_fd.exchange(-1));
}

int ShutdownSignals::fd() const {
    return signal_fd.load();
}
int ShutdownSignals::received() const {
    return first_signal.load();
}

}  // namespace tb::mcp
