#include "mcp/line_io.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <utility>

#include <poll.h>

namespace tb::mcp {

// ---- LineReader ----

void LineReader::emit(std::string_view line) {
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    if (line.find_first_not_of(" \t") != std::string_view::npos) {
        sink_.line(line);
    }
}

void LineReader::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        if (!skipping_ && pending_.size() + part.size() > max_line_bytes_) {
            skipping_ = true;
            pending_ = {};
            sink_.too_long();
        }
        if (end == std::string_view::npos) {
            if (!skipping_) {
                pending_.append(part);
            }
            return;
        }
        if (!skipping_) {
            if (pending_.empty()) {
                emit(part);
            } else {
                pending_.append(part);
                // The buffer is given up before the line is handled: it may be large.
                const std::string line = std::exchange(pending_, {});
                emit(line);
            }
        }
        skipping_ = false;
        bytes.remove_prefix(end + 1);
    }
}

void LineReader::finish() {
    if (!skipping_ && !pending_.empty()) {
        const std::string line = std::exchange(pending_, {});
        emit(line);
    }
    skipping_ = false;
}

// ---- LineWriter ----

LineWriter::LineWriter(int fd, std::size_t max_queue_bytes)
    : fd_(fd), max_queue_bytes_(max_queue_bytes), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    struct stat status {};
    is_socket_ = ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
    thread_ = std::thread([this] { run(); });
}

LineWriter::~LineWriter() {
    close();
    thread_.join();
}

bool LineWriter::write(std::string_view line) {
    std::string text;
    text.reserve(line.size() + 1);
    text.append(line).push_back('\n');
    const std::lock_guard lock(mutex_);
    if (closed_ || broken_) {
        return false;
    }
    queued_bytes_ += text.size();
    queue_.push_back(std::move(text));
    changed_.notify_all();
    return true;
}

bool LineWriter::has_room() const {
    const std::lock_guard lock(mutex_);
    return queued_bytes_ < max_queue_bytes_;
}

std::size_t LineWriter::queued_bytes() const {
    const std::lock_guard lock(mutex_);
    return queued_bytes_;
}

void LineWriter::wait_for_room(const CancelToken& cancel) {
    if (has_room()) {
        return;
    }
    // Declared before the lock: its end waits for a running callback, which wants the lock.
    const auto registration = cancel.on_cancel([this] {
        const std::lock_guard lock(mutex_);
        changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
        return queued_bytes_ < max_queue_bytes_ || closed_ || broken_ || cancel.cancelled();
    });
}

bool LineWriter::drain(int milliseconds) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(milliseconds),
                      [&] { return (queue_.empty() && !writing_) || closed_ || broken_; });
    return queue_.empty() && !writing_;
}

void LineWriter::close() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        changed_.notify_all();
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_; });
}

bool LineWriter::broken() const {
    const std::lock_guard lock(mutex_);
    return broken_;
}

void LineWriter::run() {
    std::unique_lock lock(mutex_);
    while (!broken_) {
        changed_.wait(lock, [&] { return closed_ || !queue_.empty(); });
        if (closed_) {
            break;
        }
        const std::string text = std::move(queue_.front());
        queue_.pop_front();
        writing_ = true;
        lock.unlock();
        const bool written = write_all(text);
        lock.lock();
        writing_ = false;
        queued_bytes_ -= text.size();
        if (!written) {
            broken_ = true;
            queue_.clear();
            queued_bytes_ = 0;
        }
        changed_.notify_all();
    }
    ended_ = true;
    changed_.notify_all();
}

// The descriptor may be shared with our parent (a terminal, an inherited pipe), so it must stay in
// blocking mode. A writable pipe takes PIPE_BUF bytes without blocking, a socket can be told.
bool LineWriter::write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        std::array<pollfd, 2> fds = {{{fd_, POLLOUT, 0}, {wake_.get(), POLLIN, 0}}};
        if (::poll(fds.data(), fds.size(), -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return false;
        }
        if (fds[1].revents != 0) {
            return false;  // closing
        }
        if ((fds[0].revents & (POLLERR | POLLNVAL)) != 0) {
            return false;
        }
        const ssize_t count =
            is_socket_ ? ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                       : ::write(fd_, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    return true;
}

}  // namespace tb::mcp
