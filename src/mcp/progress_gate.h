// Decides which progress reports go to the client (06 P12): strictly increasing, at most 10 in any
// second, the last one held back is caught up with, and something every 10 s while the call lives.
//
// Thread-compatible: the call's lock guards it. Time is passed in.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "core/progress.h"

namespace tb::mcp {

class ProgressGate {
  public:
    using Time = std::chrono::steady_clock::time_point;
    struct Frame {
        double progress = 0;
        double total = 0;  // 0 = not known
        std::string message;
    };

    explicit ProgressGate(Time start) : last_sent_(start) {}

    // A frame to send now, or nothing (not increasing, or too many).
    [[nodiscard]] std::optional<Frame> report(const Progress& progress, Time now);
    // From the timer: what was held back, or a keep-alive.
    [[nodiscard]] std::optional<Frame> tick(Time now);

  private:
    [[nodiscard]] bool too_many(Time now) const;
    Frame send(Frame frame, Time now);

    std::deque<Time> recent_;  // of frames in the last second
    Time last_sent_;
    std::optional<Frame> last_;  // sent
    std::optional<Frame> held_;
};

}  // namespace tb::mcp
