#include "cli/signals.h"

#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <thread>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "cli/exit_code.h"
#include "core/unique_fd.h"

namespace tb::cli {

namespace {

void say(std::string_view text) {
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

struct SignalWatcher::Impl {
    UniqueFd signals;
    UniqueFd stop;
    std::thread thread;
};

SignalWatcher::SignalWatcher() : impl_(std::make_unique<Impl>()) {
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t set;
    ::sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        // A parent that ignores one (nohup) wants us to ignore it too.
        struct sigaction current {};
        if (::sigaction(number, nullptr, &current) == 0 && current.sa_handler != SIG_IGN) {
            ::sigaddset(&set, number);
        }
    }
    impl_->signals.reset(::signalfd(-1, &set, SFD_CLOEXEC));
    impl_->stop.reset(::eventfd(0, EFD_CLOEXEC));
    if (!impl_->signals.valid() || !impl_->stop.valid()) {
        return;  // no descriptors left: signals do what they do by default, they end the process
    }
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    impl_->thread = std::thread([this] {
        int received = 0;
        std::array<pollfd, 2> watched{pollfd{impl_->signals.get(), POLLIN, 0},
                                      pollfd{impl_->stop.get(), POLLIN, 0}};
        while (true) {
            if (::poll(watched.data(), watched.size(), -1) < 0) {
                continue;
            }
            if (watched[1].revents != 0) {
                return;
            }
            signalfd_siginfo info{};
            if (::read(impl_->signals.get(), &info, sizeof info) != sizeof info) {
                continue;
            }
            if (++received > 1) {
                say("tradeblocks: stopped at once\n");
                // No clean-up: what was not committed is rolled back at the next start.
                ::_exit(static_cast<int>(ExitCode::kInterrupted));
            }
            say("\ntradeblocks: stopping (once more to stop at once)\n");
            source_.cancel();
        }
    });
}

SignalWatcher::~SignalWatcher() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(impl_->stop.get(), &one, sizeof one);
    if (impl_->thread.joinable()) {
        impl_->thread.join();
    }
}

}  // namespace tb::cli
