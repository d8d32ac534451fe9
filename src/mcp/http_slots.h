// Who may keep a connection: places for clients that have shown who they are, apart from those of
// everybody else, so that connections without a valid request cannot lock out the others.
//
// A new connection always gets a place. When there are too many of the unproven kind, one of them
// goes: of the address that has the most, the one that has been idle for the longest time (slow and
// half-open ones first, a request that is at work last). A connection moves over to the proven kind
// with its first request that is let in; when all those places are taken, the one that has been
// idle for the longest time between two requests makes room. Connections that carry a stream are
// counted elsewhere.
//
// Single-thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>

namespace tb::mcp {

class HttpSlots {
  public:
    using Time = std::chrono::steady_clock::time_point;
    using Id = const void*;
    struct Limits {
        std::size_t proven = 32;
        std::size_t unproven = 64;
        std::size_t unproven_per_address = 32;
    };
    explicit HttpSlots(const Limits& limits) : limits_(limits) {}

    // Who has to be closed to make room, if anybody. It counts no more from here on; leave() of it
    // comes when it has ended.
    std::optional<Id> arrive(Id id, std::string address, Time now);
    // A request of it was let in. False: no place, say so and let it go as it is.
    struct Admission {
        bool is_let_in = false;
        std::optional<Id> to_close;
    };
    [[nodiscard]] Admission prove(Id id);
    void set_idle(Id id, Time now);  // between requests, or waiting for the rest of one
    void set_busy(Id id);
    void set_streaming(Id id, bool is_streaming);
    void leave(Id id);
    [[nodiscard]] bool is_idle(Id id) const;

    [[nodiscard]] std::size_t proven() const { return count(true); }
    [[nodiscard]] std::size_t unproven() const { return count(false); }

  private:
    struct Entry {
        std::string address;
        Time since;
        bool is_idle = true;
        bool is_proven = false;
        bool is_streaming = false;
        bool is_leaving = false;
        [[nodiscard]] bool counts(bool proven_kind) const {
            return !is_leaving && !is_streaming && is_proven == proven_kind;
        }
    };
    [[nodiscard]] std::size_t count(bool proven_kind) const;
    [[nodiscard]] std::optional<Id> close(std::map<Id, Entry>::iterator entry);

    const Limits limits_;
    std::map<Id, Entry> entries_;
};

}  // namespace tb::mcp
