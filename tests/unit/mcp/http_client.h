// A bare HTTP/1.1 client on a socket: sends bytes as they are told, so that tests can be as wrong
// as they like, and reads plain and streamed answers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/unique_fd.h"
#include "mcp/http_message.h"

namespace tb::mcp::test {

struct HttpResponse {
    int status = 0;                             // 0 = the connection was closed
    std::map<std::string, std::string> fields;  // names in lower case
    std::string body;

    [[nodiscard]] Json json() const { return Json::parse(body, nullptr, false); }
    [[nodiscard]] int error_code() const;  // of a JSON-RPC error; 0 = none
    [[nodiscard]] std::string field(const std::string& name) const;
};

struct HttpEvent {
    std::string id;
    std::string data;
    [[nodiscard]] Json json() const { return Json::parse(data, nullptr, false); }
};

class HttpClient {
  public:
    explicit HttpClient(std::uint16_t port);
    void send(std::string_view bytes) const;
    // Status and header; then either rest() or events.
    HttpResponse head();
    // A whole answer of either framing.
    HttpResponse response();
    // The next event of a stream; empty data and id when the stream has ended.
    HttpEvent event();
    // The next bytes of a stream, comments included; empty when it has ended.
    std::string chunk();
    // True once the server has closed the connection (waits for it).
    bool closes();
    void close() { fd_.reset(); }

  private:
    bool fill();
    std::string line();
    std::string take(std::size_t count);

    UniqueFd fd_;
    std::string buffer_;
    std::string stream_;  // undecoded events
    HttpResponse current_;
};

// One request over a connection of its own.
[[nodiscard]] HttpResponse exchange_once(std::uint16_t port, std::string_view request);

// A POST to /mcp with Content-Type and Accept as clients send them; `fields` override and add.
[[nodiscard]] std::string post_text(const std::string& body, std::vector<HttpField> fields = {},
                                    const std::string& path = "/mcp");
// The headers a modern request needs for its body.
[[nodiscard]] std::vector<HttpField> modern_fields(const Json& message);

}  // namespace tb::mcp::test
