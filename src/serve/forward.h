// Server content whose handlers run where the database is: here when this process owns the data
// directory, else in the owner, with the same arguments, deadlines, progress and questions.
//
// When the owner goes while a call is out, the call is repeated with the next owner (which may be
// this process) if it only reads, and twice at most: a call that ends one owner after the other is
// what ended them. SQL is never repeated, for the same reason. Any other call ends with an error
// that says that it may or may not have been done. Lists, handshakes and subscriptions never leave
// this process, so a change of owner cannot be seen in them.
//
// Thread-safe.
#pragma once

#include "mcp/server.h"
#include "serve/host.h"

namespace tb::serve {

// `host` outlives the content. Order, names and schemas stay as they are.
[[nodiscard]] Result<mcp::ServerContent> forwarded(mcp::ServerContent content, Host& host);

// Options of the server in the owner that answers followers: their own servers cut lists into
// pages, and need them whole for that.
[[nodiscard]] mcp::ServerOptions whole_lists(mcp::ServerOptions options);

}  // namespace tb::serve
