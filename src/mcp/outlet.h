// Where messages for one client, or for one HTTP response, go.
//
// The server asks for room first (which may wait, off every lock, while a client does not read) and
// then sends without ever blocking. An outlet is given with every message that comes in; what
// belongs to a request (progress, log messages, questions, the answer) leaves through the outlet
// the request came with.
//
// Thread-safe: called from worker threads, the reader and the timer.
#pragma once

#include <string>

#include "core/cancel.h"

namespace tb::mcp {

struct OutMessage {
    enum class Kind { kResponse, kRequest, kNotification };
    std::string text;  // one JSON-RPC message (or a batch answer), no newline
    Kind kind = Kind::kNotification;
    int error_code = 0;  // of a response that is a JSON-RPC error, for the HTTP status
};

class Outlet {
  public:
    Outlet() = default;
    Outlet(const Outlet&) = delete;
    Outlet& operator=(const Outlet&) = delete;
    virtual ~Outlet() = default;

    // Waits until there is room, the outlet is closed, or `cancel` fires.
    virtual void wait_for_room(const CancelToken& cancel) { static_cast<void>(cancel); }
    // For messages that may be dropped instead of waiting (news to a client that does not read).
    [[nodiscard]] virtual bool has_room() const { return true; }
    // Takes the message whole or not at all; false once closed. Never blocks.
    virtual bool send(OutMessage message) = 0;
    // The request this outlet came with needs nothing more: it was answered, or cancelled and will
    // never be. Called exactly once per Connection::receive that held a request.
    virtual void finished() {}
    // See ToolContext::close_stream.
    virtual void close_stream() {}
};

}  // namespace tb::mcp
