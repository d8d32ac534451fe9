// Work on files that may make the engine crash, in a child process of its own.
//
// The child is a copy of this process (fork) that runs `work` alone and ends. It keeps no thread
// but its own, prints nothing, and must not touch what other threads may have held: it opens files
// by Database::open_private only. It dies with its parent.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tb::db {

// What the child has said, piece by piece, up to its end. Pieces hold no NUL.
struct IsolatedOutcome {
    std::vector<std::string> said;
    // How it ended, if not by itself: "signal 11 (Segmentation fault)", "no end within 30 s of
    // processor time".
    std::string crash;
};

using Say = std::function<void(std::string_view piece)>;

// kInternal when no child can be made, or when somebody else ended it: nothing is known then.
[[nodiscard]] Result<IsolatedOutcome> run_isolated(const std::function<void(const Say&)>& work,
                                                   std::chrono::seconds processor_time);

}  // namespace tb::db
