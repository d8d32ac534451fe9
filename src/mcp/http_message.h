// HTTP requests and replies as plain data, so that everything but the bytes on the socket can be
// tested and fuzzed without one.
//
// Thread-compatible.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mcp/json_rpc.h"

namespace tb::mcp {

struct HttpField {
    std::string name;
    std::string value;
};

// Request line and header of a request; the body travels apart.
struct HttpHead {
    std::string method;             // as sent: methods are case-sensitive
    std::string target;             // origin form, with its query
    bool is_http_1_1 = true;        // else 1.0: no chunks, hence no streams
    std::vector<HttpField> fields;  // in order; names in any case, values without outer blanks
    std::string peer;               // address of the other end, for limits and nothing else

    // The first value of a header, or null. Names are compared without case.
    [[nodiscard]] const std::string* find(std::string_view name) const;
    [[nodiscard]] std::size_t count(std::string_view name) const;
    // The target without its query.
    [[nodiscard]] std::string_view path() const;
};

struct HttpReply {
    int status = 200;
    std::vector<HttpField> fields;  // Content-Length and Connection are the transport's
    std::string body;
};

// A reply whose body is a JSON-RPC error: without an id when none could be read.
[[nodiscard]] HttpReply http_error(int status, const RpcError& error,
                                   const std::optional<RequestId>& id = std::nullopt);
[[nodiscard]] HttpReply http_error(int status, int rpc_code, std::string message,
                                   const std::optional<RequestId>& id = std::nullopt);

}  // namespace tb::mcp
