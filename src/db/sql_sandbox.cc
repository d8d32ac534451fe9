#include "db/sql_sandbox.h"

#include <sys/resource.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <sched.h>
#endif

namespace tb::db::detail {

namespace {

// Sanitizers map terabytes, and write what they find to files of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

constexpr int kNiceness = 5;
constexpr int kEndedWithParent = 0;

template <class Resource>
void set_limit(Resource resource, std::uint64_t value) {
    const rlimit limit{value, value};
    static_cast<void>(::setrlimit(resource, &limit));
}

void be_killed_first() {
    const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        static_cast<void>(!::write(fd, "1000", 4));
        ::close(fd);
    }
}

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// What the engine and the C library need to compute with what they have. Everything else fails
// with EPERM: no open, socket, exec, fork, kill of others, rename, unlink.
constexpr auto kAllowed = std::to_array<std::uint32_t>({
    __NR_read, __NR_write, __NR_readv, __NR_writev, __NR_pread64, __NR_sendto, __NR_sendmsg,
        __NR_recvfrom, __NR_recvmsg, __NR_close, __NR_fstat, __NR_lseek, __NR_fcntl, __NR_mmap,
        __NR_munmap, __NR_mprotect, __NR_mremap, __NR_madvise, __NR_brk, __NR_futex,
        __NR_set_robust_list, __NR_get_robust_list, __NR_exit, __NR_exit_group, __NR_rt_sigaction,
        __NR_rt_sigprocmask, __NR_rt_sigreturn, __NR_sigaltstack, __NR_tgkill, __NR_getpid,
        __NR_gettid, __NR_clock_gettime, __NR_clock_getres, __NR_clock_nanosleep, __NR_nanosleep,
        __NR_gettimeofday, __NR_sched_yield, __NR_sched_getaffinity, __NR_getrandom, __NR_getrusage,
        __NR_sysinfo, __NR_uname, __NR_ppoll, __NR_getcpu, __NR_membarrier, __NR_restart_syscall,
        __NR_prctl, __NR_getuid, __NR_geteuid, __NR_getgid, __NR_getegid, __NR_setitimer,
        __NR_getrlimit, __NR_mlock, __NR_munlock, __NR_mincore,
#if defined(__NR_rseq)
        __NR_rseq,
#endif
#if defined(__x86_64__)
        __NR_poll, __NR_time, __NR_arch_prctl,
#endif
});
// A thread is made by clone3 or clone; the library falls back to the second when the first does
// not exist, and only of that can the flags be looked at: threads yes, processes no.
constexpr std::uint32_t kMissing = __NR_clone3;
constexpr std::uint32_t kThreadMaker = __NR_clone;

void deny_system_calls() {
    constexpr std::size_t kFixed = 13;
    std::array<sock_filter, kAllowed.size() + kFixed> program{};
    std::size_t at = 0;
    const auto add = [&](std::uint16_t code, std::uint8_t yes, std::uint8_t no, std::uint32_t k) {
        program[at++] = sock_filter{code, yes, no, k};
    };
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, kArchitecture);
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr));
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, kMissing);
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS);
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, kThreadMaker);
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, args));
    add(BPF_JMP | BPF_JSET | BPF_K, 1, 0, CLONE_THREAD);
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM);
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
    for (std::size_t i = 0; i < kAllowed.size(); ++i) {
        const auto to_allow = static_cast<std::uint8_t>(kAllowed.size() - i);
        add(BPF_JMP | BPF_JEQ | BPF_K, to_allow, 0, kAllowed[i]);
    }
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM);
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
    const sock_fprog filter{static_cast<unsigned short>(at), program.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return;
    }
    // For the threads that the engine has already as well.
    static_cast<void>(
        ::syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter));
}

#else

void deny_system_calls() {}

#endif

}  // namespace

std::uint64_t process_memory(ProcessMemory kind) {
    if (kSanitized) {
        return 0;  // most of it is the sanitizer's
    }
    std::ifstream statm("/proc/self/statm");
    std::uint64_t pages = 0;
    for (int field = 0; field <= static_cast<int>(kind); ++field) {
        statm >> pages;
    }
    return statm ? pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

void leave_everything_behind() {
#if defined(__linux__) && defined(__NR_close_range)
    static_cast<void>(::syscall(__NR_close_range, 3U, ~0U, 0U));
#endif
    set_limit(RLIMIT_CORE, 0);
    static_cast<void>(!::nice(kNiceness));
    be_killed_first();
}

void end_with(int socket) {
    std::thread([socket] {
        while (true) {
            pollfd wanted{socket, POLLRDHUP, 0};
            if (::poll(&wanted, 1, -1) > 0 && (wanted.revents & ~POLLIN) != 0) {
                end_process(kEndedWithParent);
            }
        }
    }).detach();
}

void end_process(int status) {
    ::_exit(status);
}

void enter_sandbox(const SandboxLimits& limits) {
    if (kSanitized) {
        return;
    }
    if (const std::uint64_t now = process_memory(ProcessMemory::kData);
        now > 0 && limits.memory_bytes > 0) {
        set_limit(RLIMIT_DATA, now + limits.memory_bytes);
    }
    if (limits.cpu.count() > 0) {
        set_limit(RLIMIT_CPU, static_cast<std::uint64_t>(limits.cpu.count()));
    }
    if (limits.wall.count() > 0) {
        // SIGALRM, which nobody handles here, ends the process.
        itimerval timer{};
        timer.it_value.tv_sec = limits.wall.count() / 1000;
        timer.it_value.tv_usec = limits.wall.count() % 1000 * 1000;
        static_cast<void>(::setitimer(ITIMER_REAL, &timer, nullptr));
    }
    deny_system_calls();
}

}  // namespace tb::db::detail
