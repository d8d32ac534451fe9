#include "sync/file_progress.h"

#include <algorithm>

#include <fmt/format.h>

namespace tb::sync {

namespace {

std::string grouped(std::uint64_t value) {
    std::string digits = std::to_string(value);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

std::string left_text(std::chrono::seconds left) {
    const auto seconds = left.count();
    return seconds < 60 ? fmt::format("about {} s left", seconds)
                        : fmt::format("about {} min {} s left", seconds / 60, seconds % 60);
}

}  // namespace

void FileProgress::add_rows(std::uint64_t rows, Clock::time_point now) {
    rows_ += rows;
    if (!callback_ || now - last_told_ < kInterval) {
        return;
    }
    last_told_ = now;
    // The file may have grown since it was measured.
    const std::uint64_t done = std::min(bytes_read.load(), file_bytes_);
    std::string message = fmt::format("{}, {} rows", name_, grouped(rows_));
    const auto elapsed = now - started_;
    if (done > 0 && done < file_bytes_ && elapsed >= kFirstEstimate) {
        const double rest = static_cast<double>(file_bytes_ - done) / static_cast<double>(done);
        const auto left = std::chrono::duration_cast<std::chrono::seconds>(elapsed * rest);
        message += ", " + left_text(left + std::chrono::seconds(1));
    }
    callback_({done, file_bytes_, "bytes", std::move(message)});
}

}  // namespace tb::sync
