#include "db/isolated.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "core/unique_fd.h"

#if defined(__SANITIZE_THREAD__)
#define TB_NO_FORK 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TB_NO_FORK 1
#endif
#endif

namespace tb::db {

namespace {

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(written > 0 ? written : 0));
    }
}

[[noreturn]] void be_the_child(int pipe, pid_t parent, const std::function<void(const Say&)>& work,
                               std::chrono::seconds processor_time) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
        ::_exit(0);
    }
    for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTERM, SIGXCPU}) {
        std::signal(number, SIG_DFL);
    }
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    const auto seconds = static_cast<rlim_t>(processor_time.count());
    const rlimit time{seconds, seconds + 1};
    ::setrlimit(RLIMIT_CPU, &time);
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        ::dup2(nowhere, standard);
    }
    try {
        work([pipe](std::string_view piece) {
            std::string text(piece);
            std::erase(text, '\0');
            write_all(pipe, text + '\0');
        });
    } catch (const std::exception&) {
        ::abort();
    }
    ::_exit(0);
}

// Until the child has ended, however long others may keep the pipe's other end.
int listen_to(pid_t child, int pipe, std::string& text) {
    int status = 0;
    bool ended = false;
    while (true) {
        pollfd watched{pipe, POLLIN, 0};
        ::poll(&watched, 1, ended ? 0 : 20);
        std::array<char, 16'384> buffer{};
        const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
        if (got > 0) {
            text.append(buffer.data(), static_cast<std::size_t>(got));
            continue;
        }
        if (ended) {
            return status;
        }
        const pid_t waited = ::waitpid(child, &status, got == 0 ? 0 : WNOHANG);
        ended = waited == child || (waited < 0 && errno != EINTR);
        if (waited < 0 && errno != EINTR) {
            status = -1;
        }
    }
}

std::vector<std::string> pieces_of(std::string_view text) {
    std::vector<std::string> pieces;
    while (!text.empty()) {
        const std::size_t end = text.find('\0');
        if (end == std::string_view::npos) {
            break;  // cut short by the crash
        }
        pieces.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return pieces;
}

}  // namespace

Result<IsolatedOutcome> run_isolated(const std::function<void(const Say&)>& work,
                                     std::chrono::seconds processor_time) {
    IsolatedOutcome outcome;
#ifdef TB_NO_FORK  // no threads in a forked child there: here, then
    work([&outcome](std::string_view piece) { outcome.said.emplace_back(piece); });
    return outcome;
#endif
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
        return make_error(ErrorCode::kInternal, "no pipe");
    }
    UniqueFd from(fds[0]);
    UniqueFd to(fds[1]);
    ::fcntl(from.get(), F_SETFL, O_NONBLOCK);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) {
        return make_error(ErrorCode::kInternal, "no child process");
    }
    if (child == 0) {
        be_the_child(to.get(), parent, work, processor_time);
    }
    to.reset();
    std::string text;
    const int status = listen_to(child, from.get(), text);
    outcome.said = pieces_of(text);
    if (status == -1 || (WIFEXITED(status) && WEXITSTATUS(status) != 0)) {
        return make_error(ErrorCode::kInternal, "the child process ended without an answer");
    }
    if (WIFSIGNALED(status)) {
        const int number = WTERMSIG(status);
        switch (number) {
            case SIGXCPU:
                outcome.crash =
                    fmt::format("no end within {} s of processor time", processor_time.count());
                break;
            case SIGSEGV:
            case SIGBUS:
            case SIGABRT:
            case SIGFPE:
            case SIGILL:
                outcome.crash = fmt::format("signal {} ({})", number, ::strsignal(number));
                break;
            default:
                return make_error(ErrorCode::kInternal,
                                  fmt::format("the child process was ended by signal {}", number));
        }
    }
    return outcome;
}

}  // namespace tb::db
