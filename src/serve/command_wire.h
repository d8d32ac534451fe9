// A command line on its way to the owner: which command, with which values, and where its words go.
//
// The caller has parsed the line, made paths absolute and read what comes from its standard input.
// Two descriptors travel with the request: pipes whose other ends the caller copies to its own
// standard output and error, so that it knows what has been printed and nobody but the caller can
// keep the owner waiting. Answers are lines: {"exit":0}, once, and {"alive":true} every second
// until then: an owner of which nothing is heard is stopped or hangs. A line from the caller
// cancels; so does closing.
//
// Thread-safe (no state).
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/unique_fd.h"

namespace tb::serve {

struct CommandRequest {
    std::string command;
    std::map<std::string, std::string> values;  // of arguments and options
    std::vector<std::string> rest;              // words the command reads itself
    bool out_colour = false;
    bool err_colour = false;
    bool show_progress = false;
    std::size_t width = 80;
    std::size_t out_width = 0;
};

struct ReceivedCommand {
    CommandRequest request;
    UniqueFd out;
    UniqueFd err;
    bool cancelled = false;  // already
};

// kIo when the owner has gone.
[[nodiscard]] Result<void> send_command(int fd, const CommandRequest& request, int out_fd,
                                        int err_fd);
// kIo, kParse.
[[nodiscard]] Result<ReceivedCommand> receive_command(int fd);

inline constexpr std::chrono::milliseconds kAliveEvery{1'000};
inline constexpr std::string_view kAliveLine = R"({"alive":true})";

[[nodiscard]] std::string exit_line(int code);
// kParse.
[[nodiscard]] Result<int> parse_exit_line(std::string_view line);

}  // namespace tb::serve
