// Streamable HTTP: the server over TCP for any number of clients of both eras (06 §3).
//
//     HttpOptions options;                                   // 127.0.0.1:3100 and [::1]:3100
//     TB_TRY(auto http, HttpTransport::start(server, options));
//     log(http->urls());
//     ...                                                    // until told to stop
//     http->stop();                                          // within a second
//     server.shutdown();
//
// or, as a program does it, `serve_http(server, options, signals.fd(), on_listening)`.
//
// Requests are refused in this order: host and origin, method, path, authorization, body size,
// content type, JSON, agreement of header and body, and then what the server core refuses. Every
// refusal is a JSON-RPC error. TLS is not spoken: put a reverse proxy in front for other machines.
// The two-endpoint transport of 2024-11-05 is not served: use the bridges `mcp-remote` or
// `supergateway` for such clients (06 H13).
//
// One I/O thread per transport. start() and stop() from any thread; the Server must outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "mcp/http_auth.h"
#include "mcp/server.h"

namespace tb::mcp {

struct HttpAddress {
    std::string host = "127.0.0.1";  // an IP address, IPv6 without brackets
    std::uint16_t port = 3100;       // 0 = any free port
};
// "[HOST:]PORT" with HOST an IP address (IPv6 in brackets) or localhost. kInvalidArgument.
[[nodiscard]] Result<HttpAddress> parse_http_address(std::string_view text);
[[nodiscard]] bool is_loopback_address(std::string_view host);

// 06 H8-H11, Q14. What goes beyond is refused with 413, 429 or 503.
struct HttpLimits {
    std::size_t body_bytes = std::size_t{4} << 20U;
    std::size_t header_bytes = std::size_t{32} << 10U;
    std::size_t connections = 32;  // of clients let in before, without those that carry a stream
    std::size_t unproven_connections = 64;  // no request let in yet; the longest idle makes room
    std::size_t unproven_per_address = 32;
    std::size_t streams = 64;
    std::size_t legacy_clients = 256;  // the longest idle one makes room
    std::chrono::milliseconds header_timeout{10'000};
    std::chrono::milliseconds body_timeout{30'000};
    std::chrono::milliseconds write_timeout{30'000};
    std::chrono::milliseconds keep_alive{75'000};
    std::chrono::milliseconds stream_after{500};  // a call that lasts longer becomes a stream
    std::chrono::milliseconds heartbeat{15'000};  // comment line on quiet streams
    std::chrono::milliseconds legacy_idle{30 * 60'000};
    std::chrono::milliseconds replay_kept{5 * 60'000};  // after the answer, for Last-Event-ID
    double calls_per_second = 20;                       // per principal
    double calls_burst = 40;
    std::size_t calls_in_flight = 8;      // per principal
    double auth_failures_per_second = 5;  // per address
};

class OauthResource;  // mcp/oauth.h

struct HttpOptions {
    HttpAddress address;
    std::string path = "/mcp";
    std::vector<std::string> allowed_hosts;    // beyond this machine's names: `name` or `name:port`
    std::vector<std::string> allowed_origins;  // whole origins, beyond those of allowed hosts
    // Not empty: every request needs one of them. Empty: everybody who gets through is "local".
    TokenSet tokens;
    // Set, instead of tokens: every request needs an access token of this resource (X2).
    std::shared_ptr<OauthResource> oauth;
    // Without either only loopback addresses are bound, unless this is set on purpose (H1, X1).
    bool allow_anonymous_network = false;
    HttpLimits limits;
};

class HttpTransport {
  public:
    // Binds and listens; the default address also on [::1] where that exists. kRefused without
    // authentication on other than loopback addresses; kInvalidArgument; kIo (address in use).
    [[nodiscard]] static Result<std::unique_ptr<HttpTransport>> start(Server& server,
                                                                      HttpOptions options);
    ~HttpTransport();  // stop()
    HttpTransport(const HttpTransport&) = delete;
    HttpTransport& operator=(const HttpTransport&) = delete;
    HttpTransport(HttpTransport&&) = delete;
    HttpTransport& operator=(HttpTransport&&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::vector<std::string> urls() const;
    // Accepts nothing more, ends subscriptions gracefully, gives running calls half a second and
    // closes every connection. Idempotent; returns when the I/O thread has ended.
    void stop();

  private:
    struct Impl;
    explicit HttpTransport(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Serves until `stop_fd` becomes readable (ShutdownSignals::fd), then stops the transport (not the
// server). `on_listening` gets the URLs once.
[[nodiscard]] Result<void> serve_http(
    Server& server, HttpOptions options, int stop_fd,
    const std::function<void(const std::vector<std::string>& urls)>& on_listening);

}  // namespace tb::mcp
