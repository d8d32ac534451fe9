// The way back of one HTTP request: takes messages from any thread, gives them to the I/O thread
// either as one JSON reply or as a stream of server-sent events.
//
// A channel starts undecided. It becomes a plain reply if the answer is the first thing sent; it
// becomes a stream at the first notification or question, or when the I/O thread says that the
// call has lasted long enough (06 H4). Channels of legacy clients are resumable: their events carry
// ids, a copy is kept for a while, and another reader can attach where the last one was lost (H9).
// Only one reader is attached at a time; a new one replaces the old.
//
// Thread-safe. attach(), next() and detach() are for one thread, the reader's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "mcp/outlet.h"

namespace tb::mcp {

inline constexpr std::size_t kMaxReplayEvents = 256;                      // 06 H9
inline constexpr std::size_t kMaxReplayBytes = std::size_t{4} << 20U;     // 06 H9
inline constexpr std::size_t kMaxUnsentBytes = std::size_t{4} << 20U;     // then workers wait
inline constexpr std::size_t kEventBatchBytes = std::size_t{256} << 10U;  // one write

struct HttpChannelOptions {
    bool can_stream = true;    // else everything but the answer is dropped
    bool resumable = false;    // events get ids and are kept for replay
    bool primed = false;       // resumable: starts with an empty event that carries the first id
    bool standalone = false;   // a stream from the start that ends with close() alone
    std::uint64_t stream = 0;  // number within the client's state, first part of event ids
    std::function<void()> on_finished = nullptr;  // once, on any thread
};

class HttpChannel final : public Outlet {
  public:
    explicit HttpChannel(HttpChannelOptions options) : options_(std::move(options)) {}
    HttpChannel(const HttpChannel&) = delete;
    HttpChannel& operator=(const HttpChannel&) = delete;
    ~HttpChannel() override;

    // ---- for the server core ----
    void wait_for_room(const CancelToken& cancel) override;
    [[nodiscard]] bool has_room() const override;
    bool send(OutMessage message) override;
    void finished() override;
    void close_stream() override;

    // ---- for the transport ----
    // Nothing more is taken or given. Idempotent.
    void close();
    // `wake` runs on any thread when next() may have something new. `after`: replay what follows
    // that event; empty = from the first event nobody has read. Returns the reader's number.
    std::uint64_t attach(std::function<void()> wake, std::optional<std::uint64_t> after = {});
    void detach(std::uint64_t reader);

    enum class Kind {
        kWait,     // nothing yet: wake will be called
        kReply,    // `reply` is the only message: send it as a plain response
        kNothing,  // finished without any message (cancelled): send an empty response
        kStream,   // from here on it is a stream: send its header, then call again
        kEvents,   // `events` holds bytes to send
        kEnd,      // the stream is complete, broken off on purpose, or has a new reader
    };
    struct Step {
        Kind kind = Kind::kWait;
        OutMessage reply;
        std::string events;
    };
    // `may_stream`: stop waiting for a plain reply.
    [[nodiscard]] Step next(std::uint64_t reader, bool may_stream);
    // No stream after all (too many are open): only the answer will be sent.
    void forbid_stream();

    void set_primed(bool primed);
    // The plain reply if there is one already.
    [[nodiscard]] std::optional<OutMessage> peek_reply() const;
    [[nodiscard]] bool is_finished() const;
    [[nodiscard]] bool has_reader() const;
    [[nodiscard]] bool is_stream() const;
    [[nodiscard]] std::size_t buffered_bytes() const;

  private:
    struct Event {
        std::uint64_t sequence = 0;
        bool priming = false;
        OutMessage message;
    };
    void wake_locked();
    void trim_locked();
    [[nodiscard]] Step decide_locked(bool may_stream);
    [[nodiscard]] std::string take_events_locked();
    [[nodiscard]] std::string render(const Event& event) const;
    [[nodiscard]] bool full_locked() const;

    HttpChannelOptions options_;
    mutable std::mutex mutex_;
    std::condition_variable room_;
    std::function<void()> wake_;
    std::uint64_t reader_ = 0;  // 0 = none
    std::uint64_t readers_seen_ = 0;
    std::deque<Event> events_;
    std::uint64_t next_sequence_ = 1;
    std::uint64_t unread_from_ = 0;  // first sequence not given to a reader yet
    std::size_t bytes_ = 0;          // of events_
    std::size_t unread_bytes_ = 0;   // of those from unread_from_ on
    bool is_stream_ = false;
    bool was_stream_header_sent_ = false;
    bool break_off_ = false;
    bool is_finished_ = false;
    bool is_closed_ = false;
    bool lost_reader_ = false;  // a plain reply whose client has gone: nobody can ask for it again
};

struct EventId {
    std::uint64_t stream = 0;
    std::uint64_t sequence = 0;
};
// "3-17", as written in the `id:` of events and sent back in Last-Event-ID.
[[nodiscard]] std::optional<EventId> parse_event_id(std::string_view text);

}  // namespace tb::mcp
