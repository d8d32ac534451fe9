#include "serve/greeting.h"

#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

#include "core/version.h"

namespace tb::serve {

namespace {

using Json = nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMaxGreetingBytes = 4'096;

tl::unexpected<Error> gone() {
    return make_error(ErrorCode::kIo, "the process that owns this folder has ended");
}

}  // namespace

Greeting own_greeting(Wants wants) {
    Greeting greeting;
    greeting.version = kVersion;
    greeting.pid = ::getpid();
    greeting.wants = wants;
    return greeting;
}

std::string greeting_line(const Greeting& greeting, bool from_owner) {
    Json json = {{"tradeblocks", greeting.version}, {"link", greeting.link}, {"pid", greeting.pid}};
    if (from_owner) {
        json["accepted"] = greeting.accepted;
        if (!greeting.reason.empty()) {
            json["reason"] = greeting.reason;
        }
    } else {
        json["wants"] = greeting.wants == Wants::kTools ? "tools" : "command";
        if (!greeting.import_roots.empty()) {
            json["importRoots"] = greeting.import_roots;
        }
    }
    return json.dump();
}

Result<Greeting> parse_greeting(std::string_view line) {
    const auto bad = [] {
        return make_error(ErrorCode::kParse, "not the greeting of a tradeblocks process");
    };
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) {
        return bad();
    }
    const auto version = json.find("tradeblocks");
    const auto link = json.find("link");
    if (version == json.end() || !version->is_string() || link == json.end() ||
        !link->is_number_integer()) {
        return bad();
    }
    Greeting greeting;
    greeting.version = version->get<std::string>();
    greeting.link = link->get<std::int64_t>();
    if (const auto pid = json.find("pid"); pid != json.end() && pid->is_number_integer()) {
        greeting.pid = pid->get<std::int64_t>();
    }
    if (const auto wants = json.find("wants"); wants != json.end()) {
        if (*wants != "tools" && *wants != "command") {
            return bad();
        }
        greeting.wants = *wants == "tools" ? Wants::kTools : Wants::kCommand;
    }
    // A restriction that cannot be read must not become none.
    if (const auto roots = json.find("importRoots"); roots != json.end()) {
        if (!roots->is_array()) {
            return bad();
        }
        for (const Json& root : *roots) {
            if (!root.is_string()) {
                return bad();
            }
            greeting.import_roots.push_back(root.get<std::string>());
        }
    }
    if (const auto accepted = json.find("accepted"); accepted != json.end()) {
        greeting.accepted = accepted->is_boolean() && accepted->get<bool>();
    }
    if (const auto reason = json.find("reason"); reason != json.end() && reason->is_string()) {
        greeting.reason = reason->get<std::string>();
    }
    return greeting;
}

std::string objection(const Greeting& caller) {
    const bool fits = caller.link == kLinkVersion &&
                      (caller.wants == Wants::kTools || caller.version == kVersion);
    if (fits) {
        return {};
    }
    return fmt::format(
        "tradeblocks {} (process {}) serves this folder and cannot work together with version {}; "
        "restart the assistant or server that runs it, so that all copies are of one version",
        kVersion, ::getpid(), caller.version);
}

Result<Greeting> greet_owner(int fd, const Greeting& own) {
    TB_RETURN_IF_ERROR(write_line(fd, greeting_line(own, false)));
    TB_TRY(const std::string line, read_line(fd, kMaxGreetingBytes, kGreetingTimeout));
    TB_TRY(Greeting owner, parse_greeting(line));
    if (!owner.accepted) {
        return make_error(ErrorCode::kRefused, owner.reason);
    }
    if (owner.link != kLinkVersion) {
        return make_error(ErrorCode::kRefused,
                          fmt::format("tradeblocks {} (process {}) serves this folder and this is "
                                      "version {}; restart whatever runs the older one",
                                      owner.version, owner.pid, kVersion));
    }
    return owner;
}

Result<std::string> read_line(int fd, std::size_t max_bytes, std::chrono::milliseconds timeout) {
    const auto deadline = SteadyClock::now() + timeout;
    std::string line;
    while (true) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
        pollfd waiting{fd, POLLIN, 0};
        const int ready =
            left.count() > 0 ? ::poll(&waiting, 1, static_cast<int>(left.count())) : 0;
        if (ready == 0) {
            return make_error(ErrorCode::kBusy,
                              "the process that owns this folder does not answer");
        }
        char byte = 0;
        const ssize_t got = ready < 0 ? -1 : ::recv(fd, &byte, 1, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (got <= 0) {
            return gone();
        }
        if (byte == '\n') {
            return line;
        }
        line.push_back(byte);
        if (line.size() > max_bytes) {
            return make_error(ErrorCode::kParse, "a line is too long");
        }
    }
}

Result<void> write_line(int fd, std::string_view line) {
    std::string text(line);
    text.push_back('\n');
    std::string_view rest = text;
    while (!rest.empty()) {
        const ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            return gone();
        }
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

}  // namespace tb::serve
