#include "db/sql_worker.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "db/query_delivery.h"
#include "db/sql_wire.h"
#include "db/sql_worker_main.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): not in every <unistd.h>

namespace tb::db::detail {

namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

// The worker stops by itself at the limit; then it is given this long to say so.
constexpr std::chrono::milliseconds kGrace{400};
constexpr const char* kProgram = "/proc/self/exe";

// Nothing of what the server's environment holds, tokens for instance, is the worker's business.
std::vector<char*> worker_environment() {
    static constexpr std::array<std::string_view, 8> kKept = {
        "TZ=",           "LD_LIBRARY_PATH=", "ASAN_OPTIONS=", "UBSAN_OPTIONS=",
        "TSAN_OPTIONS=", "LSAN_OPTIONS=",    "TMPDIR=",       "LC_ALL="};
    std::vector<char*> kept;
    for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
        const std::string_view text(*variable);
        if (std::any_of(kKept.begin(), kKept.end(),
                        [&](std::string_view name) { return text.starts_with(name); })) {
            kept.push_back(*variable);
        }
    }
    kept.push_back(nullptr);
    return kept;
}

// posix_spawn's two bags, emptied at the end.
struct SpawnPlan {
    posix_spawn_file_actions_t files{};
    posix_spawnattr_t attributes{};
    SpawnPlan() {
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawnattr_init(&attributes);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    SpawnPlan(SpawnPlan&&) = delete;
    SpawnPlan& operator=(SpawnPlan&&) = delete;
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&files);
        ::posix_spawnattr_destroy(&attributes);
    }
};

Result<pid_t> spawn(int socket) {
    SpawnPlan plan;
    ::posix_spawn_file_actions_adddup2(&plan.files, socket, STDIN_FILENO);
    ::posix_spawn_file_actions_addopen(&plan.files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&plan.files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::sigdelset(&all, SIGKILL);
    ::sigdelset(&all, SIGSTOP);
    ::posix_spawnattr_setsigmask(&plan.attributes, &none);
    ::posix_spawnattr_setsigdefault(&plan.attributes, &all);
    // A group of its own: a Ctrl-C on the terminal is for the command, which ends its worker.
    ::posix_spawnattr_setpgroup(&plan.attributes, 0);
    ::posix_spawnattr_setflags(
        &plan.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::string name = "tradeblocks";
    std::string flag = kSqlWorkerFlag;
    const std::array<char*, 3> arguments = {name.data(), flag.data(), nullptr};
    const std::vector<char*> environment = worker_environment();
    pid_t pid = -1;
    const int failed = ::posix_spawn(&pid, kProgram, &plan.files, &plan.attributes,
                                     arguments.data(), environment.data());
    if (failed != 0) {
        return make_error(ErrorCode::kIo,
                          fmt::format("no process can be started for this query ({}); statements "
                                      "with ordinary functions run without one",
                                      std::generic_category().message(failed)));
    }
    return pid;
}

Error ended_error(int status) {
    std::string how;
    if (WIFSIGNALED(status)) {
        const int signal = WTERMSIG(status);
        switch (signal) {
            case SIGSEGV:
            case SIGBUS:
                how = fmt::format(
                    "signal {}: most likely something was nested too deeply for the "
                    "engine",
                    signal);
                break;
            case SIGABRT:
                how = fmt::format("signal {}: most likely its memory ran out", signal);
                break;
            case SIGKILL:
                how = "it was killed from outside, or for the system's lack of memory";
                break;
            default:
                how = fmt::format("signal {}", signal);
        }
    } else {
        how = fmt::format("it ended with status {}", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    return Error{
        ErrorCode::kDatabase,
        fmt::format("this query ended its worker process ({}); other queries are unaffected", how),
        {}};
}

Error nonsense() {
    return Error{
        ErrorCode::kInternal, "the worker process of the query sent what is no answer", {}};
}

}  // namespace

Result<Patience> Patience::until(SteadyTime deadline, const CancelToken& cancel) {
    UniqueFd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!stop.valid()) {
        return make_error(ErrorCode::kIo, "no descriptors left for a query");
    }
    Patience patience(deadline, std::move(stop));
    patience.registration_ = cancel.on_cancel([fd = patience.stop_.get()] {
        const std::uint64_t one = 1;
        static_cast<void>(!::write(fd, &one, sizeof one));
    });
    return patience;
}

Result<SqlWorker> SqlWorker::start(const DatabaseOptions& options) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return make_error(ErrorCode::kIo, "no descriptors left for a query");
    }
    UniqueFd ours(ends[0]);
    const UniqueFd theirs(ends[1]);
    TB_TRY(const pid_t pid, spawn(theirs.get()));
    SqlWorker worker(pid, std::move(ours));
    const json request = {{"memory", options.memory_limit}, {"threads", options.threads}};
    if (!write_frame(worker.socket_.get(), FrameType::kSetUp, request.dump())) {
        return tl::unexpected<Error>(worker.lost());
    }
    return worker;
}

SqlWorker::SqlWorker(SqlWorker&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), socket_(std::move(other.socket_)) {}

SqlWorker& SqlWorker::operator=(SqlWorker&& other) noexcept {
    if (this != &other) {
        end();
        pid_ = std::exchange(other.pid_, -1);
        socket_ = std::move(other.socket_);
    }
    return *this;
}

SqlWorker::~SqlWorker() {
    end();
}

void SqlWorker::end() {
    socket_.reset();
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
    }
}

bool SqlWorker::alive() {
    if (pid_ <= 0) {
        return false;
    }
    if (::waitpid(pid_, nullptr, WNOHANG) == 0) {
        return true;
    }
    pid_ = -1;
    return false;
}

// Why the socket has closed. It is the last descriptor of a process that has ended or is about to.
Error SqlWorker::lost() {
    int status = 0;
    pid_t reaped = 0;
    const auto patient_until = SteadyClock::now() + kGrace;
    while (pid_ > 0 && (reaped = ::waitpid(pid_, &status, WNOHANG)) == 0 &&
           SteadyClock::now() < patient_until) {
        ::usleep(1000);
    }
    if (reaped == pid_ && pid_ > 0) {
        pid_ = -1;
        return ended_error(status);
    }
    end();
    return nonsense();
}

Result<UniqueFd> SqlWorker::copy(const std::filesystem::path& database,
                                 const std::filesystem::path& folder, const Patience& patience) {
    const json request = {{"database", database.string()}, {"folder", folder.string()}};
    Frame frame;
    if (!write_frame(socket_.get(), FrameType::kCopy, request.dump())) {
        return tl::unexpected<Error>(lost());
    }
    switch (read_frame(socket_.get(), {patience.deadline(), patience.stop_fd()}, frame)) {
        case ReadEnd::kFrame:
            break;
        case ReadEnd::kStopped:
            end();
            return make_error(ErrorCode::kInterrupted, "the query was cancelled");
        case ReadEnd::kTimeout:
            end();
            return make_error(ErrorCode::kInterrupted,
                              "copying the database for this query took longer than the query's "
                              "time limit; it has to be done once after each change: allow more "
                              "time");
        default:
            return tl::unexpected<Error>(lost());
    }
    if (frame.type == FrameType::kError) {
        return tl::unexpected<Error>(error_of(json::parse(frame.payload, nullptr, false)));
    }
    if (frame.type != FrameType::kCopied || !frame.passed.valid()) {
        return tl::unexpected<Error>(nonsense());
    }
    return std::move(frame.passed);
}

Result<void> SqlWorker::take_rows(std::string_view rows, Delivery& delivery,
                                  ValueRenderer& values) {
    const std::size_t columns = delivery.outcome().columns.size();
    while (!rows.empty() && columns > 0) {
        auto cells = take_row(rows, columns);
        if (!cells.has_value()) {
            return tl::unexpected<Error>(nonsense());
        }
        values.load_rendered(std::move(*cells));
        TB_TRY(const bool taken, delivery.take(values, 0));
        if (!taken) {
            break;
        }
    }
    return {};
}

Result<QueryOutcome> SqlWorker::run(const Job& job, RowConsumer& consumer,
                                    const Patience& patience) {
    const auto started = SteadyClock::now();
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(patience.deadline() - started);
    const json request = {{"sql", job.sql.sql},
                          {"explain", job.sql.explain},
                          {"catalog", job.catalog},
                          {"memoryBytes", job.memory_bytes},
                          {"timeoutMs", std::max<std::int64_t>(left.count(), 1)},
                          {"maxRows", job.limits.max_rows},
                          {"maxBytes", job.limits.max_bytes}};
    if (!write_frame(socket_.get(), FrameType::kQuery,
                     request.dump(-1, ' ', false, json::error_handler_t::replace), job.snapshot)) {
        return tl::unexpected<Error>(lost());
    }
    Delivery delivery(job.limits, consumer);
    ValueRenderer values = ValueRenderer::of_rendered_rows();
    bool begun = false;
    Frame frame;
    while (true) {
        const ReadEnd end_of_read =
            read_frame(socket_.get(), {patience.deadline() + kGrace, patience.stop_fd()}, frame);
        if (end_of_read == ReadEnd::kStopped || end_of_read == ReadEnd::kTimeout) {
            end();
            return tl::unexpected<Error>(
                stopped_error(end_of_read == ReadEnd::kStopped, job.limits.timeout));
        }
        if (end_of_read != ReadEnd::kFrame) {
            return tl::unexpected<Error>(lost());
        }
        const bool is_json = frame.type != FrameType::kRows;
        const json message = is_json ? json::parse(frame.payload, nullptr, false) : json();
        if (frame.type == FrameType::kColumns && !begun) {
            auto columns = columns_of(message);
            if (!columns.has_value()) {
                return tl::unexpected<Error>(nonsense());
            }
            begun = true;
            TB_RETURN_IF_ERROR(delivery.begin(std::move(*columns)));
        } else if (frame.type == FrameType::kRows && begun) {
            TB_RETURN_IF_ERROR(take_rows(frame.payload, delivery, values));
        } else if (frame.type == FrameType::kDone && begun && message.is_object()) {
            QueryOutcome& outcome = delivery.outcome();
            const auto more = message.find("truncated");
            outcome.truncated = outcome.truncated || (more != message.end() && *more == true);
        } else if (frame.type == FrameType::kError) {
            Error error = error_of(message);
            if (error.code == ErrorCode::kInterrupted) {
                error = stopped_error(false, job.limits.timeout);
            }
            return tl::unexpected<Error>(std::move(error));
        } else {
            return tl::unexpected<Error>(nonsense());
        }
        if (frame.type == FrameType::kDone || delivery.outcome().truncated) {
            end();
            delivery.outcome().elapsed_ms =
                std::chrono::duration<double, std::milli>(SteadyClock::now() - started).count();
            return std::move(delivery.outcome());
        }
    }
}

}  // namespace tb::db::detail
