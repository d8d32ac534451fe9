// The first line in each direction on an owner's socket: who is there, and what is wanted.
//
//     -> {"tradeblocks":"0.1.0","link":1,"pid":812,"wants":"tools"}
//     <- {"tradeblocks":"0.1.0","link":1,"pid":407,"accepted":true}
//
// "tools": MCP messages of revision 2026-07-28, one a line, from then on (owner_link.h).
// "command": one command line of this program is run in the owner (command_relay.h).
//
// `link` is the version of everything said on this socket. Programs of different versions get on as
// long as it is the same: tools are named and described per call. A command line is only as stable
// as the program, so there the program's versions must be equal.
//
// Thread-safe (no state).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tb::serve {

inline constexpr std::int64_t kLinkVersion = 1;
inline constexpr std::chrono::milliseconds kGreetingTimeout{2'000};

enum class Wants { kTools, kCommand };

struct Greeting {
    std::string version;  // of the program
    std::int64_t link = kLinkVersion;
    std::int64_t pid = 0;
    Wants wants = Wants::kTools;  // caller's side
    // Caller's side: where its clients may import from (tools::AppOptions); empty = anywhere.
    std::vector<std::string> import_roots;
    bool accepted = true;  // owner's side
    std::string reason;    // why not
};

[[nodiscard]] Greeting own_greeting(Wants wants);  // without import_roots
[[nodiscard]] std::string greeting_line(const Greeting& greeting, bool from_owner);
// kParse.
[[nodiscard]] Result<Greeting> parse_greeting(std::string_view line);
// Why this process, as owner, does not take the caller; empty = welcome.
[[nodiscard]] std::string objection(const Greeting& caller);

// Sends ours and reads the owner's.
//   kBusy     no answer in time
//   kIo       the connection is gone
//   kRefused  the owner is of a version we cannot talk to; the message says what to do
[[nodiscard]] Result<Greeting> greet_owner(int fd, const Greeting& own);

// Reads up to and with the next LF, byte by byte, so that nothing after it is taken. Without the
// LF. kBusy (not in time), kIo, kParse (longer than `max_bytes`).
[[nodiscard]] Result<std::string> read_line(int fd, std::size_t max_bytes,
                                            std::chrono::milliseconds timeout);
// All of it, however the descriptor is cut up. kIo.
[[nodiscard]] Result<void> write_line(int fd, std::string_view line);

}  // namespace tb::serve
