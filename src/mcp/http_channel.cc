#include "mcp/http_channel.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tb::mcp {

namespace {

// How soon a client should come back after a stream was broken off (SSE `retry`).
constexpr int kRetryMs = 500;

}  // namespace

HttpChannel::~HttpChannel() {
    close();
}

void HttpChannel::wake_locked() {
    if (wake_) {
        wake_();
    }
}

bool HttpChannel::full_locked() const {
    return reader_ != 0 && unread_bytes_ >= kMaxUnsentBytes;
}

void HttpChannel::wait_for_room(const CancelToken& cancel) {
    // The callback takes the mutex, so that the wake-up cannot fall between test and wait.
    const auto registration = cancel.on_cancel([this] {
        const std::lock_guard lock(mutex_);
        room_.notify_all();
    });
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return is_closed_ || cancel.cancelled() || !full_locked(); });
}

bool HttpChannel::has_room() const {
    const std::lock_guard lock(mutex_);
    return !full_locked();
}

bool HttpChannel::send(OutMessage message) {
    const std::lock_guard lock(mutex_);
    if (is_closed_) {
        return false;
    }
    const bool is_answer = message.kind == OutMessage::Kind::kResponse;
    if (!options_.can_stream && !is_answer) {
        return message.kind == OutMessage::Kind::kNotification;  // dropped; a question is refused
    }
    if (lost_reader_) {
        return true;
    }
    const std::size_t size = message.text.size();
    events_.push_back({next_sequence_++, false, std::move(message)});
    bytes_ += size;
    unread_bytes_ += size;
    trim_locked();
    wake_locked();
    return true;
}

void HttpChannel::finished() {
    std::function<void()> on_finished;
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(is_finished_, true)) {
            return;
        }
        on_finished = std::exchange(options_.on_finished, nullptr);
        wake_locked();
    }
    if (on_finished) {
        on_finished();
    }
}

void HttpChannel::close_stream() {
    const std::lock_guard lock(mutex_);
    // A quick handler may get here before the first reader has attached.
    const bool has_stream = reader_ != 0 || readers_seen_ == 0;
    if (options_.resumable && options_.primed && options_.can_stream && has_stream) {
        break_off_ = true;
        wake_locked();
    }
}

void HttpChannel::close() {
    std::function<void()> on_finished;
    {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        events_.clear();
        bytes_ = 0;
        unread_bytes_ = 0;
        on_finished = std::exchange(options_.on_finished, nullptr);
        wake_locked();
        room_.notify_all();
    }
    if (on_finished) {
        on_finished();
    }
}

std::uint64_t HttpChannel::attach(std::function<void()> wake, std::optional<std::uint64_t> after) {
    const std::lock_guard lock(mutex_);
    wake_locked();  // the reader before, to see that it has been replaced
    wake_ = std::move(wake);
    break_off_ = break_off_ && readers_seen_ == 0;
    reader_ = ++readers_seen_;
    was_stream_header_sent_ = false;
    if (after.has_value()) {
        is_stream_ = true;
        unread_from_ = *after + 1;
    }
    if (options_.standalone) {
        if (!std::exchange(is_stream_, true) && options_.primed) {
            events_.push_front({0, true, {}});
        }
    }
    unread_bytes_ = 0;
    for (const Event& event : events_) {
        unread_bytes_ += event.sequence >= unread_from_ ? event.message.text.size() : 0;
    }
    return reader_;
}

void HttpChannel::detach(std::uint64_t reader) {
    const std::lock_guard lock(mutex_);
    if (reader != reader_) {
        return;
    }
    reader_ = 0;
    wake_ = nullptr;
    lost_reader_ = !is_stream_;
    trim_locked();
    room_.notify_all();
}

HttpChannel::Step HttpChannel::decide_locked(bool may_stream) {
    const bool has_other = std::any_of(events_.begin(), events_.end(), [](const Event& event) {
        return event.message.kind != OutMessage::Kind::kResponse;
    });
    if (options_.can_stream && (has_other || break_off_ || (may_stream && !is_finished_))) {
        is_stream_ = true;
        if (options_.primed) {
            events_.push_front({0, true, {}});
        }
        return {};
    }
    if (!events_.empty()) {
        Step step{Kind::kReply, std::move(events_.back().message), {}};
        events_.clear();
        bytes_ = 0;
        unread_bytes_ = 0;
        return step;
    }
    return {is_finished_ || is_closed_ ? Kind::kNothing : Kind::kWait, {}, {}};
}

HttpChannel::Step HttpChannel::next(std::uint64_t reader, bool may_stream) {
    const std::lock_guard lock(mutex_);
    if (reader != reader_) {
        return {Kind::kEnd, {}, {}};
    }
    if (!is_stream_) {
        Step step = decide_locked(may_stream);
        if (!is_stream_) {
            return step;
        }
    }
    if (!std::exchange(was_stream_header_sent_, true)) {
        return {Kind::kStream, {}, {}};
    }
    std::string events = take_events_locked();
    if (!events.empty()) {
        return {Kind::kEvents, {}, std::move(events)};
    }
    const bool ended = is_closed_ || break_off_ || (is_finished_ && !options_.standalone);
    return {ended ? Kind::kEnd : Kind::kWait, {}, {}};
}

std::string HttpChannel::take_events_locked() {
    std::string out;
    for (const Event& event : events_) {
        if (out.size() >= kEventBatchBytes) {
            break;
        }
        if (event.sequence >= unread_from_) {
            out += render(event);
            unread_from_ = event.sequence + 1;
            unread_bytes_ -= event.message.text.size();
        }
    }
    trim_locked();
    room_.notify_all();
    return out;
}

std::string HttpChannel::render(const Event& event) const {
    std::string out;
    if (options_.resumable) {
        out +=
            "id: " + std::to_string(options_.stream) + "-" + std::to_string(event.sequence) + "\n";
    }
    if (event.priming) {
        return out + "retry: " + std::to_string(kRetryMs) + "\ndata: \n\n";
    }
    return out + "event: message\ndata: " + event.message.text + "\n\n";
}

void HttpChannel::trim_locked() {
    const auto is_read = [&](const Event& event) { return event.sequence < unread_from_; };
    while (!events_.empty()) {
        const Event& oldest = events_.front();
        const bool over =
            events_.size() > kMaxReplayEvents || (bytes_ > kMaxReplayBytes && events_.size() > 1);
        const bool drop =
            options_.resumable ? over && (is_read(oldest) || reader_ == 0) : is_read(oldest);
        if (!drop) {
            return;
        }
        bytes_ -= oldest.message.text.size();
        unread_bytes_ -= is_read(oldest) ? 0 : oldest.message.text.size();
        events_.pop_front();
    }
}

void HttpChannel::forbid_stream() {
    const std::lock_guard lock(mutex_);
    options_.can_stream = false;
    std::deque<Event> answers;
    for (Event& event : events_) {
        if (event.message.kind == OutMessage::Kind::kResponse) {
            answers.push_back(std::move(event));
        } else {
            bytes_ -= event.message.text.size();
            unread_bytes_ -= event.message.text.size();
        }
    }
    events_ = std::move(answers);
    is_stream_ = false;
    was_stream_header_sent_ = false;
}

void HttpChannel::set_primed(bool primed) {
    const std::lock_guard lock(mutex_);
    options_.primed = primed;
}

std::optional<OutMessage> HttpChannel::peek_reply() const {
    const std::lock_guard lock(mutex_);
    if (events_.size() != 1 || events_.front().message.kind != OutMessage::Kind::kResponse) {
        return std::nullopt;
    }
    return events_.front().message;
}

bool HttpChannel::is_finished() const {
    const std::lock_guard lock(mutex_);
    return is_finished_ || is_closed_;
}

bool HttpChannel::has_reader() const {
    const std::lock_guard lock(mutex_);
    return reader_ != 0;
}

bool HttpChannel::is_stream() const {
    const std::lock_guard lock(mutex_);
    return is_stream_;
}

std::size_t HttpChannel::buffered_bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

std::optional<EventId> parse_event_id(std::string_view text) {
    EventId id;
    const char* end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, id.stream);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') {
        return std::nullopt;
    }
    const auto second = std::from_chars(first.ptr + 1, end, id.sequence);
    if (second.ec != std::errc() || second.ptr != end || id.sequence == UINT64_MAX) {
        return std::nullopt;
    }
    return id;
}

}  // namespace tb::mcp
