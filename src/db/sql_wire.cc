#include "db/sql_wire.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <nlohmann/json.hpp>
#include <poll.h>

namespace tb::db::detail {

namespace {

constexpr std::size_t kHeaderBytes = 5;

bool send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

// The first bytes, with the descriptor beside them.
ssize_t send_with(int socket, std::string_view bytes, int passed_fd) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &passed_fd, sizeof passed_fd);
    while (true) {
        const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
        if (sent >= 0 || errno != EINTR) {
            return sent;
        }
    }
}

std::optional<ReadEnd> wait_for(int socket, const ReadLimits& limits) {
    while (true) {
        int timeout = -1;
        if (limits.deadline.has_value()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                *limits.deadline - std::chrono::steady_clock::now());
            if (left.count() <= 0) {
                return ReadEnd::kTimeout;
            }
            timeout = static_cast<int>(std::min<std::int64_t>(left.count(), 60'000));
        }
        std::array<pollfd, 2> wanted = {pollfd{socket, POLLIN, 0},
                                        pollfd{limits.stop_fd, POLLIN, 0}};
        const int ready = ::poll(wanted.data(), limits.stop_fd < 0 ? 1 : 2, timeout);
        if (ready < 0 && errno != EINTR) {
            return ReadEnd::kClosed;
        }
        if (ready > 0 && limits.stop_fd >= 0 && wanted[1].revents != 0) {
            return ReadEnd::kStopped;
        }
        if (ready > 0 && wanted[0].revents != 0) {
            return std::nullopt;
        }
    }
}

// At least one byte into `into`; a descriptor that comes with it is kept.
ssize_t receive(int socket, char* into, std::size_t size, UniqueFd& passed) {
    iovec part{into, size};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(4 * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got <= 0) {
        return got;
    }
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            passed.reset(fd);  // the last one; others are closed
        }
    }
    return got;
}

ReadEnd read_exactly(int socket, const ReadLimits& limits, char* into, std::size_t size,
                     UniqueFd& passed) {
    while (size > 0) {
        if (const auto end = wait_for(socket, limits); end.has_value()) {
            return *end;
        }
        const ssize_t got = receive(socket, into, size, passed);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (got <= 0) {
            return ReadEnd::kClosed;
        }
        into += got;
        size -= static_cast<std::size_t>(got);
    }
    return ReadEnd::kFrame;
}

void append_u32(std::string& out, std::size_t value) {
    const auto narrow = static_cast<std::uint32_t>(value);
    std::array<char, sizeof narrow> bytes{};
    std::memcpy(bytes.data(), &narrow, sizeof narrow);
    out.append(bytes.data(), bytes.size());
}

std::uint32_t u32_at(const char* bytes) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

}  // namespace

bool write_frame(int socket, FrameType type, std::string_view payload, int passed_fd) {
    std::string header(1, static_cast<char>(type));
    append_u32(header, payload.size());
    std::string_view rest = header;
    if (passed_fd >= 0) {
        const ssize_t sent = send_with(socket, rest, passed_fd);
        if (sent <= 0) {
            return false;
        }
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    return send_all(socket, rest) && send_all(socket, payload);
}

ReadEnd read_frame(int socket, const ReadLimits& limits, Frame& frame) {
    frame.passed.reset();
    std::array<char, kHeaderBytes> header{};
    if (const ReadEnd end =
            read_exactly(socket, limits, header.data(), header.size(), frame.passed);
        end != ReadEnd::kFrame) {
        return end;
    }
    const std::size_t size = u32_at(header.data() + 1);
    if (size > kMaxFrameBytes) {
        return ReadEnd::kNonsense;
    }
    frame.type = static_cast<FrameType>(header[0]);
    frame.payload.resize(size);
    return read_exactly(socket, limits, frame.payload.data(), size, frame.passed);
}

std::string json_text(const Error& error) {
    const nlohmann::json json = {{"code", static_cast<int>(error.code)},
                                 {"message", error.message},
                                 {"context", error.context}};
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Error error_of(const nlohmann::json& json) {
    Error error{ErrorCode::kInternal, "the worker process of the query gave no readable error", {}};
    if (!json.is_object() || !json.contains("code") || !json["code"].is_number_integer() ||
        !json.contains("message") || !json["message"].is_string()) {
        return error;
    }
    const auto code = json["code"].get<std::int64_t>();
    if (code >= 0 && code <= static_cast<std::int64_t>(ErrorCode::kInternal)) {
        error.code = static_cast<ErrorCode>(code);
    }
    error.message = json["message"].get<std::string>();
    if (json.contains("context") && json["context"].is_string()) {
        error.context = json["context"].get<std::string>();
    }
    return error;
}

std::string json_text(const std::vector<ColumnInfo>& columns) {
    nlohmann::json list = nlohmann::json::array();
    for (const ColumnInfo& column : columns) {
        list.push_back({column.name, static_cast<int>(column.type), column.type_name});
    }
    return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<std::vector<ColumnInfo>> columns_of(const nlohmann::json& json) {
    if (!json.is_array()) {
        return std::nullopt;
    }
    std::vector<ColumnInfo> columns;
    for (const auto& item : json) {
        if (!item.is_array() || item.size() != 3 || !item[0].is_string() ||
            !item[1].is_number_integer() || !item[2].is_string()) {
            return std::nullopt;
        }
        const auto type = item[1].get<std::int64_t>();
        if (type < 0 || type > static_cast<std::int64_t>(TypeId::kOther)) {
            return std::nullopt;
        }
        columns.push_back(
            {item[0].get<std::string>(), static_cast<TypeId>(type), item[2].get<std::string>()});
    }
    return columns;
}

void append_row(std::string& out, const ValueRenderer& values, std::size_t row) {
    for (std::size_t i = 0; i < values.column_count(); ++i) {
        const std::size_t header = out.size();
        out.append(kHeaderBytes, '\0');
        out[header] = static_cast<char>(values.render(out, i, row));
        const auto size = static_cast<std::uint32_t>(out.size() - header - kHeaderBytes);
        std::memcpy(out.data() + header + 1, &size, sizeof size);
    }
}

std::optional<std::vector<RenderedCell>> take_row(std::string_view& rows, std::size_t columns) {
    std::vector<RenderedCell> cells(columns);
    for (RenderedCell& cell : cells) {
        if (rows.size() < kHeaderBytes) {
            return std::nullopt;
        }
        const auto kind = static_cast<std::uint8_t>(rows[0]);
        const std::size_t size = u32_at(rows.data() + 1);
        rows.remove_prefix(kHeaderBytes);
        if (kind > static_cast<std::uint8_t>(RenderedCell::Kind::kJsonNull) || rows.size() < size) {
            return std::nullopt;
        }
        cell.kind = static_cast<RenderedCell::Kind>(kind);
        cell.text = rows.substr(0, size);
        rows.remove_prefix(size);
    }
    return cells;
}

}  // namespace tb::db::detail
