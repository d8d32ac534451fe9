// What the headers of a request mean: content negotiation, who may talk to us from where, the
// encoding of values that mirror the body, and whether header and body agree (06 H2, H4-H7).
//
// Thread-safe (no state).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/http_message.h"
#include "mcp/tool.h"

namespace tb::mcp {

// ---- values ----

// Undoes the value encoding of Mcp-Name and Mcp-Param-*: outer blanks are dropped, the text between
// `=?base64?` and `?=` is decoded, everything else is itself. Empty for characters no header may
// hold, for bad base64, and for decoded bytes that are not UTF-8.
[[nodiscard]] std::optional<std::string> decode_header_value(std::string_view raw);
// The other way, as a client does it.
[[nodiscard]] std::string encode_header_value(std::string_view value);

// ---- content negotiation (H4) ----

struct Accepts {
    bool json = false;        // application/json, or a wildcard that covers it
    bool stream = false;      // text/event-stream, by name
    bool any_stream = false;  // the same, or a wildcard: enough where only a stream will do
};
// A missing Accept header accepts everything, but does not ask for a stream.
[[nodiscard]] Accepts parse_accept(const std::string* accept);
// True for application/json with any parameters.
[[nodiscard]] bool is_json_content_type(const std::string* content_type);

// ---- where a request may come from (H2, Q13) ----

// `allowed` holds host names or addresses, which match on any port, or `name:port`. The names of
// this machine (localhost, 127.0.0.1, [::1]) are always allowed.
[[nodiscard]] bool is_allowed_host(std::string_view host, const std::vector<std::string>& allowed);
// True if the origin's host is an allowed host, or the whole origin is one of `allowed_origins`.
// "null" never is.
[[nodiscard]] bool is_allowed_origin(std::string_view origin,
                                     const std::vector<std::string>& allowed_hosts,
                                     const std::vector<std::string>& allowed_origins);

// ---- agreement of header and body (H5-H7) ----

struct EraDecision {
    Era era = Era::kLegacy;
    std::optional<RpcError> error;  // set: refuse with 400
};
// Decides by body first (a _meta that names a version is modern), then by MCP-Protocol-Version; a
// request with neither is legacy. Errors: the two versions differ or only the body names one
// (-32020); the header alone names a version nobody knows (-32022).
[[nodiscard]] EraDecision decide_era(const HttpHead& head, const Message& message);

// Checks Mcp-Method, Mcp-Name and the Mcp-Param-* headers of the called tool against the body of a
// modern request. Notifications need no headers, but those they have must agree.
[[nodiscard]] std::optional<RpcError> check_mirrored_headers(const HttpHead& head,
                                                             const Message& message,
                                                             const ToolRegistry& tools);

// True if params._meta holds what every modern request must (06 P2): then -32602 comes from a
// handler and not from the envelope.
[[nodiscard]] bool has_complete_envelope(const Message& message);

}  // namespace tb::mcp
