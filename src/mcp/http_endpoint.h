// What to do with an HTTP request: everything between a parsed request and the server core, without
// a socket. The transport asks in two steps, so that a refused request need not send its body:
//
//     admit(head)        -> a refusal, or who is calling (with OAuth after admit_checked)
//     handle(head, body) -> a finished reply, or an exchange whose channel is to be read
//
// Modern requests get a connection of their own; legacy clients get one that lives as long as the
// id in Mcp-Session-Id (H8), with a stream for what belongs to no request and the streams of their
// requests kept for resumption (H9).
//
// Single-thread (the I/O thread), except the server core's callbacks inside.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mcp/http.h"
#include "mcp/http_auth.h"
#include "mcp/http_channel.h"
#include "mcp/http_headers.h"
#include "mcp/http_message.h"
#include "mcp/oauth.h"
#include "mcp/server.h"

namespace tb::mcp {

inline constexpr std::string_view kClientIdHeader = "Mcp-Session-Id";

// One request whose answer is still to come.
struct HttpExchange {
    std::shared_ptr<HttpChannel> channel;
    std::optional<std::uint64_t> resume_after;  // for HttpChannel::attach
    // A connection of this request alone: all modern ones, and legacy ones without an id.
    std::shared_ptr<Connection> connection;
    std::vector<HttpField> fields;  // to be added to the reply
    std::string client_id;          // of a legacy client's request, with the number of its stream
    std::uint64_t stream = 0;
    bool modern = false;
    bool complete_envelope = true;  // see has_complete_envelope
    bool needs_stream = false;      // cannot be answered by a plain reply: 503 if none is free
};

using HttpAnswer = std::variant<HttpReply, HttpExchange>;

// Where its body ends is not beyond doubt (RFC 9112, 6.1 and 6.3): both lengths, several, or a
// coding other than chunked. A proxy in front may see another request there than we do.
[[nodiscard]] bool has_doubtful_length(const HttpHead& head);

class HttpEndpoint {
  public:
    using Time = std::chrono::steady_clock::time_point;

    HttpEndpoint(Server& server, const HttpOptions& options);
    ~HttpEndpoint();
    HttpEndpoint(const HttpEndpoint&) = delete;
    HttpEndpoint& operator=(const HttpEndpoint&) = delete;

    struct Admission {
        std::optional<HttpReply> refusal;  // or /healthz, or the answer to a CORS preflight
        Principal principal;
        std::optional<std::string> token = std::nullopt;  // OAuth: to be checked elsewhere first
    };
    [[nodiscard]] Admission admit(const HttpHead& head, Time now);
    // What OauthResource says about the token of an admission.
    [[nodiscard]] Admission admit_checked(const HttpHead& head, OauthResource::Verdict verdict,
                                          Time now);
    // The body was too large, or the header was.
    [[nodiscard]] static HttpReply too_large(std::string what);
    [[nodiscard]] HttpAnswer handle(const HttpHead& head, std::string_view body,
                                    const Principal& principal, Time now);
    // The plain reply for what the channel of an exchange gave.
    [[nodiscard]] static HttpReply reply_for(const HttpExchange& exchange,
                                             const OutMessage& message);
    // Headers for every reply to this request: CORS, caching.
    [[nodiscard]] std::vector<HttpField> common_fields(const HttpHead& head) const;

    // The exchange is over, or its client has gone.
    void end(const HttpExchange& exchange);
    // Forgets what has been idle or kept for too long.
    void sweep(Time now);
    // Ends every subscription as the specification wants it; streams then end by themselves.
    void end_subscriptions();
    // Cancels everything.
    void close();

    [[nodiscard]] std::size_t legacy_clients() const { return clients_.size(); }

  private:
    struct LegacyClient;
    using ClientMap = std::map<std::string, std::unique_ptr<LegacyClient>, std::less<>>;

    [[nodiscard]] std::optional<HttpReply> check_source(const HttpHead& head) const;
    [[nodiscard]] std::optional<HttpReply> check_method(const HttpHead& head) const;
    [[nodiscard]] Admission authorize(const HttpHead& head, Time now);
    [[nodiscard]] Admission refuse_token(const HttpHead& head, Time now);
    [[nodiscard]] HttpReply metadata(const HttpHead& head) const;
    [[nodiscard]] HttpReply preflight(const HttpHead& head) const;
    [[nodiscard]] HttpReply challenge(int status, const std::string& error, std::string message,
                                      const std::set<std::string>& scopes) const;

    [[nodiscard]] HttpAnswer handle_post(const HttpHead& head, std::string_view body,
                                         const Principal& principal, Time now);
    [[nodiscard]] HttpAnswer handle_modern(const HttpHead& head, Inbound inbound,
                                           const Principal& principal, Time now);
    [[nodiscard]] HttpAnswer handle_legacy(const HttpHead& head, Inbound inbound,
                                           const Principal& principal, Time now);
    [[nodiscard]] HttpAnswer handle_initialize(const Accepts& accepts, Inbound inbound,
                                               const Principal& principal, Time now);
    [[nodiscard]] HttpAnswer handle_stateless(const HttpHead& head, Inbound inbound,
                                              const Principal& principal, Time now);
    [[nodiscard]] HttpAnswer handle_get(const HttpHead& head, const Principal& principal, Time now);
    [[nodiscard]] HttpReply handle_delete(const HttpHead& head, const Principal& principal,
                                          Time now);

    [[nodiscard]] tl::expected<ClientMap::iterator, HttpReply> find_client(
        const HttpHead& head, const Principal& principal, const std::optional<RequestId>& request,
        Time now);
    [[nodiscard]] std::vector<RefusedCall> calls_to_note(const Inbound& inbound,
                                                         const Principal& principal) const;
    [[nodiscard]] std::optional<HttpReply> check_call(const Inbound& inbound,
                                                      const Principal& principal, Time now);
    [[nodiscard]] std::function<void()> count_call(const Inbound& inbound,
                                                   const Principal& principal);
    [[nodiscard]] bool make_room_for_client();
    void end_client(ClientMap::iterator client);
    void limit_replay_memory();

    Server& server_;
    const HttpOptions& options_;
    std::set<std::string> scopes_;        // OAuth: what something offered here needs
    std::set<std::string> first_scopes_;  // those of them that a client asks for to begin with
    ClientMap clients_;
    std::set<std::shared_ptr<Connection>> modern_;
    struct Abandoned {
        std::shared_ptr<Connection> connection;
        std::shared_ptr<HttpChannel> channel;
    };
    std::vector<Abandoned> abandoned_;  // calls without a client id whose client has left
    RateLimiter calls_;
    RateLimiter auth_failures_;
    // Calls in flight by principal; the counters are shared with the channels that count down.
    std::map<std::string, std::shared_ptr<std::atomic<std::size_t>>> in_flight_;
    bool is_closed_ = false;
};

}  // namespace tb::mcp
