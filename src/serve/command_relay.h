// The caller's side of a command that runs in the owner of a data directory: what the owner prints
// comes out here.
//
// Thread-compatible.
#pragma once

#include <filesystem>
#include <string>

#include "core/cancel.h"
#include "serve/command_wire.h"

namespace tb::serve {

struct RelayedCommand {
    enum class Kind {
        kNobody,   // there is no owner: run it here
        kDone,     // `code`
        kSilent,   // the owner is stopped, hangs or is very busy: nothing was asked of it
        kRefused,  // the owner is of another version; `reason` says what to do
        kLost,     // the owner ended while the command ran
    };
    Kind kind = Kind::kNobody;
    int code = 0;
    std::string reason;
    bool printed = false;  // something went to standard output
};

// Where the caller's words go.
struct RelayOutput {
    int out_fd = 1;
    int err_fd = 2;
};

// Whether a process of this user serves the directory and answers (looks, makes nothing).
[[nodiscard]] bool is_served(const std::filesystem::path& data_dir,
                             const std::filesystem::path& runtime_root);

// Runs `request` in the owner of the directory, if there is one. `cancel` cancels it there.
[[nodiscard]] RelayedCommand relay_command(const std::filesystem::path& data_dir,
                                           const std::filesystem::path& runtime_root,
                                           const CommandRequest& request, const RelayOutput& output,
                                           const CancelToken& cancel);

}  // namespace tb::serve
