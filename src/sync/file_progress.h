// How far the reading of one large file is, for people who wait for it: bytes of the file, rows so
// far and an estimate of the time left.
//
// Single-thread, except bytes_read, which another thread may add to.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "core/progress.h"

namespace tb::sync {

class FileProgress {
  public:
    using Clock = std::chrono::steady_clock;

    // `name` is shown ("MEIC: tradelog.csv"). An empty callback makes all of this do nothing.
    FileProgress(const ProgressCallback& callback, std::string name, std::uint64_t file_bytes,
                 Clock::time_point now)
        : callback_(callback), name_(std::move(name)), file_bytes_(file_bytes), started_(now) {}

    // Calls back with unit "bytes", at most every kInterval.
    void add_rows(std::uint64_t rows, Clock::time_point now);

    // Of the file, by the thread that parses it.
    std::atomic<std::uint64_t> bytes_read{0};

    static constexpr std::chrono::milliseconds kInterval{100};
    // Before that nothing is said about the time left: it would be a guess.
    static constexpr std::chrono::milliseconds kFirstEstimate{1000};

  private:
    const ProgressCallback& callback_;
    std::string name_;
    std::uint64_t file_bytes_;
    Clock::time_point started_;
    Clock::time_point last_told_{};
    std::uint64_t rows_ = 0;
};

}  // namespace tb::sync
