#include "mcp/progress_gate.h"

#include <algorithm>
#include <cmath>

#include "mcp/render.h"

namespace tb::mcp {

namespace {

constexpr std::size_t kMaxFramesPerSecond = 10;
constexpr std::chrono::seconds kKeepAlive{9};  // with a margin below the required 10 s
constexpr std::size_t kMaxMessageChars = 200;

// `frame` at a value just above `value`: says something new without claiming progress. A total
// that would be overtaken is left out.
ProgressGate::Frame beyond(double value, ProgressGate::Frame frame) {
    frame.progress = value + std::max(std::abs(value), 1.0) * 1e-6;
    frame.total = frame.progress > frame.total ? 0 : frame.total;
    return frame;
}

}  // namespace

bool ProgressGate::too_many(Time now) const {
    return recent_.size() >= kMaxFramesPerSecond &&
           now - recent_[recent_.size() - kMaxFramesPerSecond] < std::chrono::seconds(1);
}

ProgressGate::Frame ProgressGate::send(Frame frame, Time now) {
    recent_.push_back(now);
    while (recent_.size() > kMaxFramesPerSecond) {
        recent_.pop_front();
    }
    last_sent_ = now;
    held_.reset();
    last_ = frame;
    return frame;
}

std::optional<ProgressGate::Frame> ProgressGate::report(const Progress& progress, Time now) {
    Frame frame{static_cast<double>(progress.done), static_cast<double>(progress.total),
                first_chars(visible_text(progress.message), kMaxMessageChars)};
    if (last_.has_value() && frame.progress <= last_->progress) {
        if (frame.message == last_->message) {
            return std::nullopt;
        }
        frame = beyond(last_->progress, frame);  // another phase of the work
    }
    if (too_many(now)) {
        held_ = std::move(frame);
        return std::nullopt;
    }
    return send(std::move(frame), now);
}

std::optional<ProgressGate::Frame> ProgressGate::tick(Time now) {
    if (too_many(now)) {
        return std::nullopt;
    }
    if (held_.has_value()) {
        return send(*held_, now);
    }
    if (now - last_sent_ < kKeepAlive) {
        return std::nullopt;
    }
    return send(last_.has_value() ? beyond(last_->progress, *last_) : Frame{}, now);
}

}  // namespace tb::mcp
