// What long work tells its caller while it runs. Called from the working thread, at most some
// times a second; the callee must be quick and must not throw.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace tb {

struct Progress {
    std::uint64_t done = 0;   // in `unit`
    std::uint64_t total = 0;  // 0 = not known
    std::string unit;         // "blocks", "bytes", "simulations"
    std::string message;      // what is being worked on, for people
};

using ProgressCallback = std::function<void(const Progress&)>;

}  // namespace tb
