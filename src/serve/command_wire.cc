#include "serve/command_wire.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <nlohmann/json.hpp>

#include "serve/greeting.h"

namespace tb::serve {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxRequestBytes = std::size_t{64} << 20U;
constexpr int kReceiveSeconds = 10;
constexpr std::size_t kDescriptors = 2;

tl::unexpected<Error> gone() {
    return make_error(ErrorCode::kIo, "the other side has ended");
}

tl::unexpected<Error> bad() {
    return make_error(ErrorCode::kParse, "not a command of a tradeblocks process");
}

Result<CommandRequest> request_of(std::string_view line) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) {
        return bad();
    }
    try {
        CommandRequest request;
        json.at("command").get_to(request.command);
        json.at("values").get_to(request.values);
        json.at("rest").get_to(request.rest);
        json.at("outColour").get_to(request.out_colour);
        json.at("errColour").get_to(request.err_colour);
        json.at("showProgress").get_to(request.show_progress);
        json.at("width").get_to(request.width);
        json.at("outWidth").get_to(request.out_width);
        return request;
    } catch (const Json::exception&) {
        return bad();
    }
}

// Takes the descriptors of one message; there are none in most.
void take_descriptors(const msghdr& message, ReceivedCommand& into) {
    for (const cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(part))) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
            UniqueFd owned(fd);
            if (!into.out.valid()) {
                into.out = std::move(owned);
            } else if (!into.err.valid()) {
                into.err = std::move(owned);
            }
        }
    }
}

// Bytes of one message appended to `text`; false at the end of the stream.
Result<bool> receive_some(int fd, std::string& text, ReceivedCommand& command) {
    std::array<char, 16'384> buffer{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptors * sizeof(int))> control{};
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) {
        return true;
    }
    if (got <= 0) {
        return gone();
    }
    take_descriptors(message, command);
    text.append(buffer.data(), static_cast<std::size_t>(got));
    return text.find('\n') == std::string::npos;
}

}  // namespace

Result<void> send_command(int fd, const CommandRequest& request, int out_fd, int err_fd) {
    const Json json = {{"command", request.command},
                       {"values", request.values},
                       {"rest", request.rest},
                       {"outColour", request.out_colour},
                       {"errColour", request.err_colour},
                       {"showProgress", request.show_progress},
                       {"width", request.width},
                       {"outWidth", request.out_width}};
    // Names of files may hold any bytes; those that are no UTF-8 cannot be named this way.
    std::string text;
    try {
        text = json.dump();
    } catch (const Json::exception&) {
        return make_error(ErrorCode::kInvalidArgument, "the command line is not valid UTF-8");
    }
    // The descriptors ride on the first byte, the rest follows as it fits.
    const std::array<int, kDescriptors> fds{out_fd, err_fd};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fds)> control{};
    iovec part{text.data(), 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fds);
    std::memcpy(CMSG_DATA(header), fds.data(), sizeof fds);
    while (::sendmsg(fd, &message, MSG_NOSIGNAL) != 1) {
        if (errno != EINTR) {
            return gone();
        }
    }
    return write_line(fd, std::string_view(text).substr(1));
}

Result<ReceivedCommand> receive_command(int fd) {
    const timeval limit{kReceiveSeconds, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ReceivedCommand command;
    std::string text;
    bool more = true;
    while (more) {
        TB_TRY(more, receive_some(fd, text, command));
        if (text.size() > kMaxRequestBytes) {
            return bad();
        }
    }
    const std::size_t end = text.find('\n');
    TB_TRY(command.request, request_of(std::string_view(text).substr(0, end)));
    if (!command.out.valid() || !command.err.valid()) {
        return bad();
    }
    command.cancelled = end + 1 < text.size();
    return command;
}

std::string exit_line(int code) {
    return Json{{"exit", code}}.dump();
}

Result<int> parse_exit_line(std::string_view line) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("exit") || !json["exit"].is_number_integer()) {
        return bad();
    }
    return json["exit"].get<int>();
}

}  // namespace tb::serve
