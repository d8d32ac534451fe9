// JSON-RPC 2.0: request ids, messages in, messages out.
//
// Decoding classifies one message and keeps what could be read of a bad one, so that its error can
// echo the id. Encoding gives one line of text without a newline. What the methods mean is the
// server's business.
//
// Thread-safe (no state).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "mcp/json_box.h"
#include "mcp/protocol.h"

namespace tb::mcp {

// A request id: string or integer, never null or fractional; type and exact value are kept (any
// 64-bit integer survives; 1 and "1" are different ids).
class RequestId {
  public:
    explicit RequestId(std::int64_t number) : value_(number) {}
    explicit RequestId(std::string text) : value_(std::move(text)) {}
    // Empty for null, booleans, fractions, integers beyond 64 bits, arrays and objects.
    [[nodiscard]] static std::optional<RequestId> from_json(const Json& json);

    [[nodiscard]] Json to_json() const;
    // As JSON: 7 or "7", quotes included. Unique per id, hence good as a map key.
    [[nodiscard]] std::string to_text() const;
    bool operator==(const RequestId&) const = default;

  private:
    struct Unsigned {
        std::uint64_t number;
    };
    explicit RequestId(Unsigned value);
    std::variant<std::int64_t, std::uint64_t, std::string> value_;
};

// A JSON-RPC error object, sent as the answer to a request (a "protocol error"; a tool that failed
// is a result, see ToolError).
struct RpcError {
    int code = code::kInternalError;
    std::string message;
    JsonBox data;  // null = no `data` member
};

struct Message {
    enum class Kind { kRequest, kNotification, kResponse };
    Kind kind = Kind::kNotification;
    std::optional<RequestId> id;  // requests and responses (a response to us may lack it)
    std::string method;           // requests and notifications
    JsonBox params;               // always an object for requests and notifications ({} if absent)
    JsonBox result;               // responses: one of result and error is set
    JsonBox error;
};

// Why a message could not be decoded, with its id if that much was readable.
struct BadMessage {
    RpcError error;
    std::optional<RequestId> id;
};

using Decoded = tl::expected<Message, BadMessage>;

// Everything one line or one HTTP body held.
struct Inbound {
    bool is_batch = false;          // a JSON array: legal in revision 2025-03-26 alone
    std::vector<Decoded> messages;  // one unless is_batch; an empty array is one bad message
};

[[nodiscard]] Decoded decode_message(Json json);
[[nodiscard]] Inbound decode_text(std::string_view text);
// True if params._meta names a protocol version: the mark of a modern request.
[[nodiscard]] bool has_modern_meta(const Message& message);

[[nodiscard]] std::string encode_result(const RequestId& id, const Json& result);
// `result_text` is JSON already; used for lists serialised once.
[[nodiscard]] std::string encode_result_text(const RequestId& id, std::string_view result_text);
// Without an id the member is left out (06 S4).
[[nodiscard]] std::string encode_error(const std::optional<RequestId>& id, const RpcError& error);
[[nodiscard]] std::string encode_notification(std::string_view method, const Json& params);
[[nodiscard]] std::string encode_request(const RequestId& id, std::string_view method,
                                         const Json& params);

}  // namespace tb::mcp
