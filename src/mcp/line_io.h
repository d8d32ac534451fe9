// Lines over file descriptors: framing in, a bounded queue out.
//
// LineReader is the pure framing (bytes in, lines out) and the target of the fuzzer. LineWriter
// owns one descriptor and one thread; a reader that has stopped reading never blocks whoever asks
// has_room() first, and closing never waits for it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "core/cancel.h"
#include "core/unique_fd.h"

namespace tb::mcp {

inline constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20U;
inline constexpr std::size_t kMaxQueueBytes = std::size_t{16} << 20U;

// Splits a byte stream at LF; a CR before it is dropped, blank lines are skipped. A line above the
// limit is reported once and skipped to its end. Single-thread.
class LineReader {
  public:
    struct Sink {
        std::function<void(std::string_view line)> line;  // valid during the call
        std::function<void()> too_long;
    };
    LineReader(std::size_t max_line_bytes, Sink sink)
        : max_line_bytes_(max_line_bytes), sink_(std::move(sink)) {}
    void feed(std::string_view bytes);
    // End of input: a last line without LF counts.
    void finish();

  private:
    void emit(std::string_view line);
    std::size_t max_line_bytes_;
    Sink sink_;
    std::string pending_;
    bool skipping_ = false;
};

// Writes whole lines in the order given. Thread-safe.
class LineWriter {
  public:
    LineWriter(int fd, std::size_t max_queue_bytes);  // the descriptor must outlive the writer
    ~LineWriter();                                    // close()
    LineWriter(const LineWriter&) = delete;
    LineWriter& operator=(const LineWriter&) = delete;

    // Appends LF. Never blocks; false once closed or broken.
    bool write(std::string_view line);
    [[nodiscard]] bool has_room() const;
    // Waits for room, cancel, close or failure.
    void wait_for_room(const CancelToken& cancel);
    [[nodiscard]] std::size_t queued_bytes() const;
    // Waits until everything is written, the peer is gone, or `milliseconds` have passed.
    bool drain(int milliseconds);
    // Drops what is still queued and waits for the thread, which never blocks long: afterwards the
    // descriptor is not touched again. Idempotent.
    void close();
    // True after EPIPE or any other write error.
    [[nodiscard]] bool broken() const;

  private:
    void run();
    bool write_all(std::string_view bytes);

    int fd_;
    std::size_t max_queue_bytes_;
    bool is_socket_;
    UniqueFd wake_;  // eventfd: ends a poll on close
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> queue_;
    std::size_t queued_bytes_ = 0;
    bool writing_ = false;
    bool closed_ = false;
    bool broken_ = false;
    bool ended_ = false;  // the thread has done its last write
    std::thread thread_;
};

}  // namespace tb::mcp
