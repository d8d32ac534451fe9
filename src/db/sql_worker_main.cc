#include "db/sql_worker_main.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/fs.h>
#endif

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "db/database.h"
#include "db/engine.h"
#include "db/query_delivery.h"
#include "db/query_runner.h"
#include "db/sql_sandbox.h"
#include "db/sql_wire.h"

namespace tb::db {

namespace {

using detail::Frame;
using detail::FrameType;
using nlohmann::json;

constexpr int kSocket = 0;
constexpr std::uint64_t kLeastBytes = 64U << 20U;  // with less the engine does not get far
// Seconds of processor time beyond what all threads could use within the time limit.
constexpr int kSpareSeconds = 2;
constexpr std::chrono::milliseconds kSpareWall{1500};

Error os_error(std::string_view what) {
    return Error{
        ErrorCode::kIo, fmt::format("{}: {}", what, std::generic_category().message(errno)), {}};
}

Result<void> copy_bytes(int from, int to, std::uint64_t size) {
#if defined(FICLONE)
    if (::ioctl(to, FICLONE, from) == 0) {
        return {};  // shares the blocks
    }
#endif
    std::uint64_t done = 0;
    std::vector<char> buffer;
    while (done < size) {
        ssize_t copied = -1;
#if defined(__linux__)
        if (buffer.empty()) {
            copied = ::copy_file_range(from, nullptr, to, nullptr, size - done, 0);
            if (copied <= 0) {
                buffer.resize(1U << 20U);
                continue;
            }
        }
#else
        buffer.resize(1U << 20U);
#endif
        if (!buffer.empty()) {
            const ssize_t got = ::read(from, buffer.data(), buffer.size());
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got <= 0) {
                return make_error(ErrorCode::kIo, "the database file became shorter");
            }
            for (copied = 0; copied < got;) {
                const ssize_t written =
                    ::write(to, buffer.data() + copied, static_cast<std::size_t>(got - copied));
                if (written < 0 && errno == EINTR) {
                    continue;
                }
                if (written <= 0) {
                    return tl::unexpected<Error>(os_error("cannot write the snapshot"));
                }
                copied += written;
            }
        }
        done += static_cast<std::uint64_t>(copied);
    }
    return {};
}

// Opening the owner's database is harmless here: its lock belongs to the owner's process.
Result<std::uint64_t> copy_file(const std::string& from, const std::string& to) {
    const UniqueFd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (!source.valid()) {
        return tl::unexpected<Error>(os_error("cannot read the database"));
    }
    struct stat status {};
    if (::fstat(source.get(), &status) != 0) {
        return tl::unexpected<Error>(os_error("cannot read the database"));
    }
    const UniqueFd target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!target.valid()) {
        return tl::unexpected<Error>(os_error("cannot write the snapshot"));
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    TB_RETURN_IF_ERROR(copy_bytes(source.get(), target.get(), size));
    return size;
}

class Worker {
  public:
    int run() {
        detail::leave_everything_behind();
        detail::end_with(kSocket);
        Frame frame;
        while (detail::read_frame(kSocket, {}, frame) == detail::ReadEnd::kFrame) {
            const json request = json::parse(frame.payload, nullptr, false);
            if (request.is_discarded()) {
                return 2;
            }
            Result<void> done;
            switch (frame.type) {
                case FrameType::kSetUp:
                    done = set_up(request);
                    break;
                case FrameType::kCopy:
                    done = copy(request);
                    break;
                case FrameType::kQuery:
                    answer(request, std::move(frame.passed));
                    return 0;
                default:
                    return 2;
            }
            if (!done.has_value()) {
                static_cast<void>(say(FrameType::kError, detail::json_text(done.error())));
            }
        }
        return 0;
    }

  private:
    [[nodiscard]] static bool say(FrameType type, std::string_view payload, int passed_fd = -1) {
        return detail::write_frame(kSocket, type, payload, passed_fd);
    }

    Result<void> set_up(const json& request) {
        options_.threads = request.value("threads", options_.threads);
        options_.memory_limit = request.value("memory", options_.memory_limit);
        TB_TRY(Database database, Database::open_for_worker(options_));
        TB_TRY(Connection connection, database.connect());
        connection_.emplace(std::move(connection));
        return {};
    }

    // The database as it is, its log folded in, as a file that has a name only here and now.
    Result<void> copy(const json& request) {
        const std::string source = request.value("database", "");
        const std::string target = request.value("folder", "") + "/snapshot.duckdb";
        TB_TRY([[maybe_unused]] const std::uint64_t size, copy_file(source, target));
        std::error_code none;
        if (std::filesystem::file_size(source + ".wal", none) > 0 && !none) {
            TB_TRY([[maybe_unused]] const std::uint64_t log,
                   copy_file(source + ".wal", target + ".wal"));
            if (!connection_.has_value()) {
                return make_error(ErrorCode::kInternal, "the worker process has no engine");
            }
            TB_RETURN_IF_ERROR(connection_->execute(
                fmt::format("ATTACH {} AS snapshot; CHECKPOINT snapshot; DETACH snapshot",
                            quoted_text(target))));
        }
        const UniqueFd file(::open(target.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file.valid()) {
            return tl::unexpected<Error>(os_error("cannot open the snapshot"));
        }
        static_cast<void>(say(FrameType::kCopied, "{}", file.get()));
        return {};
    }

    Result<void> open_snapshot(const json& request, int file) {
        if (!connection_.has_value()) {
            return make_error(ErrorCode::kInternal, "the worker process has no engine");
        }
        const std::string catalog = quoted_name(request.value("catalog", "analytics"));
        TB_RETURN_IF_ERROR(connection_->execute(fmt::format(
            "ATTACH '/proc/self/fd/{}' AS {} (READ_ONLY); USE {}", file, catalog, catalog)));
        // Fails where a database has other schemas, as in tests.
        static_cast<void>(connection_->execute("SET search_path = 'trades,market,main'"));
        // A part is left to what the engine does not count.
        const std::uint64_t bytes = request.value("memoryBytes", kLeastBytes);
        return connection_->execute(
            fmt::format("SET memory_limit = '{}KB'; SET enable_external_access = false; SET "
                        "lock_configuration = true",
                        std::max(bytes, kLeastBytes) / 4 * 3 / 1000));
    }

    void answer(const json& request, UniqueFd file) {
        auto outcome = answer_query(request, std::move(file));
        if (!outcome.has_value()) {
            explain_memory(outcome.error());
            static_cast<void>(say(FrameType::kError, detail::json_text(outcome.error())));
            return;
        }
        static_cast<void>(say(FrameType::kDone, json({{"truncated", outcome->truncated}}).dump()));
    }

    // The engine's advice is about settings that nobody can change here.
    static void explain_memory(Error& error) {
        const std::size_t advice = error.message.find("\nDatabase is launched in");
        if (error.code == ErrorCode::kResourceExhausted && advice != std::string::npos) {
            error.message.resize(advice);
            error.message +=
                "\nThis query holds too much in memory at once: select fewer rows or columns, or "
                "aggregate before";
        }
    }

    Result<QueryOutcome> answer_query(const json& request, UniqueFd file) {
        QueryLimits limits;
        limits.timeout =
            std::chrono::milliseconds(request.value("timeoutMs", std::int64_t{30'000}));
        limits.max_rows = request.value("maxRows", limits.max_rows);
        limits.max_bytes =
            std::min(request.value("maxBytes", limits.max_bytes), detail::kMaxWireRowBytes);
        TB_RETURN_IF_ERROR(open_snapshot(request, file.get()));
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(limits.timeout);
        detail::enter_sandbox({std::max(request.value("memoryBytes", kLeastBytes), kLeastBytes),
                               seconds * options_.threads + std::chrono::seconds(kSpareSeconds),
                               limits.timeout + kSpareWall});
        Rows rows;
        GuardedSql guarded;
        guarded.sql = request.value("sql", "");
        guarded.explain = request.value("explain", false);
        TB_TRY(QueryOutcome outcome, run_guarded(*connection_, guarded, limits, rows));
        TB_RETURN_IF_ERROR(rows.flush());
        return outcome;
    }

    class Rows final : public RowConsumer {
      public:
        Result<void> begin(const std::vector<ColumnInfo>& columns) override {
            return send(FrameType::kColumns, detail::json_text(columns));
        }
        Result<std::size_t> row(const ValueRenderer& values, std::size_t row) override {
            const std::size_t begin = buffer_.size();
            detail::append_row(buffer_, values, row);
            if (buffer_.size() - begin > detail::kMaxWireRowBytes) {
                return tl::unexpected<Error>(
                    detail::row_too_large(buffer_.size() - begin, detail::kMaxWireRowBytes));
            }
            if (buffer_.size() >= detail::kRowsFrameBytes) {
                TB_RETURN_IF_ERROR(flush());
            }
            return std::size_t{0};  // counted by the server, as its own consumer counts
        }
        Result<void> flush() {
            Result<void> sent;
            if (!buffer_.empty()) {
                sent = send(FrameType::kRows, buffer_);
                buffer_.clear();
            }
            return sent;
        }

      private:
        static Result<void> send(FrameType type, std::string_view payload) {
            return say(type, payload)
                       ? Result<void>()
                       : make_error(ErrorCode::kInterrupted, "nobody waits for the answer");
        }
        std::string buffer_;
    };

    DatabaseOptions options_;
    std::optional<Connection> connection_;
};

}  // namespace

bool is_sql_worker(int argc, const char* const* argv) {
    return argc == 2 && std::strcmp(argv[1], kSqlWorkerFlag) == 0;
}

int run_sql_worker() {
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(kSocket, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) {
        return 2;  // started by hand
    }
    detail::end_process(Worker().run());
}

}  // namespace tb::db
