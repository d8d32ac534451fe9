#include "serve/command_relay.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "serve/claim.h"
#include "serve/greeting.h"
#include "serve/place.h"

namespace tb::serve {

namespace {

constexpr int kMostSilentBeats = 12;

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
        return make_error(ErrorCode::kIo, "no pipe");
    }
    return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR && errno != EAGAIN) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written > 0 ? written : 0));
    }
    return true;
}

// Copies what the owner prints until it has said its exit code and closed the pipes.
class Copier {
  public:
    Copier(int socket, Pipe out, Pipe err, const RelayOutput& output, int cancel_fd,
           std::int64_t owner_pid)
        : socket_(socket),
          out_(std::move(out)),
          err_(std::move(err)),
          output_(output),
          cancel_fd_(cancel_fd),
          owner_pid_(owner_pid) {}

    RelayedCommand run() {
        out_.write.reset();
        err_.write.reset();
        bool connected = true;
        while (connected || out_.read.valid() || err_.read.valid()) {
            std::array<pollfd, 4> watched{
                pollfd{out_.read.get(), POLLIN, 0}, pollfd{err_.read.get(), POLLIN, 0},
                pollfd{connected ? socket_ : -1, POLLIN, 0}, pollfd{cancel_fd_, POLLIN, 0}};
            const int ready = ::poll(watched.data(), watched.size(), kAliveEvery.count());
            if (ready < 0) {
                continue;
            }
            // Counted, not timed: a machine that slept has not lost its owner.
            silent_beats_ = ready == 0 ? silent_beats_ + 1 : 0;
            if (silent_beats_ >= kMostSilentBeats) {
                result_.kind = RelayedCommand::Kind::kLost;
                result_.reason = fmt::format(
                    "the server that owns this folder (process {0}) has not been heard of for {1} "
                    "s: it is stopped or hangs. Let it go on (kill -CONT {0}) or end it (kill -9 "
                    "{0}). The command may or may not have been carried out, look before you "
                    "repeat it",
                    owner_pid_, silent_beats_);
                break;
            }
            // Standard output first: the owner flushes it before it writes a message.
            if (watched[0].revents != 0 && copy(out_.read, output_.out_fd)) {
                result_.printed = true;
            } else if (watched[1].revents != 0) {
                copy(err_.read, output_.err_fd);
            }
            if (watched[2].revents != 0) {
                connected = hear();
            }
            if (watched[3].revents != 0) {
                [[maybe_unused]] const auto told = write_line(socket_, R"({"cancel":true})");
                cancel_fd_ = -1;
            }
        }
        return std::move(result_);
    }

  private:
    // True if something was printed. A reader of ours that has gone closes the owner's pipe.
    static bool copy(UniqueFd& from, int to) {
        std::array<char, 65'536> buffer{};
        const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            return false;
        }
        if (got <= 0 || !write_all(to, {buffer.data(), static_cast<std::size_t>(got)})) {
            from.reset();
            return false;
        }
        return true;
    }

    // False once the owner has nothing more to say.
    bool hear() {
        const auto line = read_line(socket_, 4'096, kGreetingTimeout);
        if (line.has_value() && *line == kAliveLine) {
            return true;
        }
        const auto code = line.has_value() ? parse_exit_line(*line) : tl::unexpected(line.error());
        result_.kind = code.has_value() ? RelayedCommand::Kind::kDone : RelayedCommand::Kind::kLost;
        result_.code = code.value_or(1);
        return false;
    }

    int socket_;
    Pipe out_;
    Pipe err_;
    RelayOutput output_;
    int cancel_fd_;
    std::int64_t owner_pid_;
    int silent_beats_ = 0;
    RelayedCommand result_;
};

}  // namespace

bool is_served(const std::filesystem::path& data_dir, const std::filesystem::path& runtime_root) {
    const auto place = existing_place(data_dir, runtime_root);
    const auto socket = place.has_value() ? dial(*place) : tl::unexpected(place.error());
    if (!socket.has_value()) {
        return false;
    }
    const auto greeting = greet_owner(socket->get(), own_greeting(Wants::kCommand));
    return greeting.has_value() || greeting.error().code != ErrorCode::kBusy;
}

RelayedCommand relay_command(const std::filesystem::path& data_dir,
                             const std::filesystem::path& runtime_root,
                             const CommandRequest& request, const RelayOutput& output,
                             const CancelToken& cancel) {
    const auto place = existing_place(data_dir, runtime_root);
    if (!place.has_value()) {
        return {};
    }
    const auto socket = dial(*place);
    if (!socket.has_value()) {
        return {};
    }
    const auto greeting = greet_owner(socket->get(), own_greeting(Wants::kCommand));
    if (!greeting.has_value()) {
        const ErrorCode code = greeting.error().code;
        return {code == ErrorCode::kRefused ? RelayedCommand::Kind::kRefused
                : code == ErrorCode::kBusy  ? RelayedCommand::Kind::kSilent
                                            : RelayedCommand::Kind::kLost,
                1, greeting.error().message, false};
    }
    auto out = make_pipe();
    auto err = make_pipe();
    const UniqueFd cancelled(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!out.has_value() || !err.has_value() || !cancelled.valid()) {
        return {};  // no descriptors left here: then the owner is no help either
    }
    if (const auto sent = send_command(socket->get(), request, out->write.get(), err->write.get());
        !sent.has_value()) {
        return {sent.error().code == ErrorCode::kIo ? RelayedCommand::Kind::kLost
                                                    : RelayedCommand::Kind::kRefused,
                1, sent.error().message, false};
    }
    const auto registration = cancel.on_cancel([fd = cancelled.get()] {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
    });
    return Copier(socket->get(), std::move(*out), std::move(*err), output, cancelled.get(),
                  greeting->pid)
        .run();
}

}  // namespace tb::serve
