#include "mcp/http_endpoint.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/log.h"
#include "core/sealer.h"
#include "core/text.h"
#include "mcp/render.h"

namespace tb::mcp {

namespace {

constexpr std::size_t kIdBytes = 16;                              // 128 bits (H8)
constexpr std::size_t kMaxKeptStreams = 16;                       // per legacy client
constexpr std::size_t kMaxReplayMemory = std::size_t{64} << 20U;  // over all clients

// Methods that run a handler: what the rate and concurrency limits are about (Q14).
bool is_call(const Message& message) {
    return message.kind == Message::Kind::kRequest &&
           (message.method == "tools/call" || message.method == "prompts/get" ||
            message.method == "resources/read" || message.method == "completion/complete");
}

// The scope that a tools/call or resources/read needs; empty: none, or there is no such thing.
std::string scope_needed(const Message& request, const ServerContent& content) {
    const auto member = [&](const char* name) {
        const auto found = request.params->find(name);
        return found != request.params->end() && found->is_string() ? found->get<std::string>()
                                                                    : std::string();
    };
    if (request.method == "tools/call") {
        const ToolSpec* spec = content.tools.find(member("name"));
        return spec == nullptr ? std::string() : spec->scope;
    }
    if (request.method != "resources/read") {
        return {};
    }
    const std::string uri = member("uri");
    for (const ResourceSpec& spec : content.resources) {
        if (spec.info.uri == uri) {
            return spec.scope;
        }
    }
    for (const ResourceTemplateSpec& spec : content.templates) {
        const auto pattern = UriTemplate::parse(spec.uri_template);
        if (pattern.has_value() && pattern->match(uri).has_value()) {
            return spec.scope;
        }
    }
    return {};
}

std::size_t count_calls(const Inbound& inbound) {
    return static_cast<std::size_t>(
        std::count_if(inbound.messages.begin(), inbound.messages.end(),
                      [](const Decoded& decoded) { return decoded && is_call(*decoded); }));
}

bool holds_request(const Inbound& inbound) {
    return std::any_of(inbound.messages.begin(), inbound.messages.end(),
                       [](const Decoded& decoded) {
                           return !decoded.has_value() || decoded->kind == Message::Kind::kRequest;
                       });
}

std::optional<RequestId> first_id(const Inbound& inbound) {
    const Decoded& first = inbound.messages.front();
    if (inbound.is_batch) {
        return std::nullopt;
    }
    return first.has_value() ? first->id : first.error().id;
}

HttpReply accepted() {
    return {202, {}, {}};
}

// The status for an error the core answered a modern request with. -32602 is the envelope's fault
// or the call's; only the first is a bad HTTP request.
int modern_status(int error_code, bool complete_envelope) {
    switch (error_code) {
        case code::kMethodNotFound:
            return 404;
        case code::kParseError:
        case code::kInvalidRequest:
        case code::kHeaderMismatch:
        case code::kMissingCapability:
        case code::kUnsupportedVersion:
            return 400;
        case code::kInvalidParams:
            return complete_envelope ? 200 : 400;
        default:
            return 200;
    }
}

std::set<std::string> offered_scopes(const ServerContent& content) {
    std::set<std::string> scopes = {std::string(kScopeBlocksRead)};
    for (const auto& tool : content.tools.tools()) {
        scopes.insert(tool->scope);
    }
    for (const ResourceSpec& resource : content.resources) {
        scopes.insert(resource.scope);
    }
    for (const auto& resource : content.templates) {
        scopes.insert(resource.scope);
    }
    scopes.erase("");
    return scopes;
}

bool is_unreadable(int error_code) {
    return error_code == code::kParseError || error_code == code::kInvalidRequest;
}

}  // namespace

// A client that opened with initialize.
struct HttpEndpoint::LegacyClient {
    std::string principal;
    std::shared_ptr<Connection> connection;
    std::shared_ptr<HttpChannel> background;  // for GET: what belongs to no request
    struct Stream {
        std::shared_ptr<HttpChannel> channel;
        std::optional<Time> finished;  // first seen so by sweep()
    };
    std::map<std::uint64_t, Stream> streams;  // by number; 0 is the background
    std::uint64_t next_stream = 1;
    Time last_used;

    [[nodiscard]] bool is_idle() const {
        return connection->calls_in_flight() == 0 && !background->has_reader() &&
               std::none_of(streams.begin(), streams.end(),
                            [](const auto& s) { return s.second.channel->has_reader(); });
    }
};

HttpEndpoint::HttpEndpoint(Server& server, const HttpOptions& options)
    : server_(server),
      options_(options),
      calls_(options.limits.calls_per_second, options.limits.calls_burst),
      auth_failures_(options.limits.auth_failures_per_second,
                     options.limits.auth_failures_per_second) {
    if (options.oauth == nullptr) {
        return;
    }
    scopes_ = offered_scopes(server.content());
    // Writing is asked for when it is wanted, by the challenge of that call.
    for (const std::string_view scope : {kScopeBlocksRead, kScopeSqlRead}) {
        if (scopes_.contains(std::string(scope))) {
            first_scopes_.emplace(scope);
        }
    }
}

HttpEndpoint::~HttpEndpoint() {
    close();
}

// ---- requests ----

HttpAnswer HttpEndpoint::handle(const HttpHead& head, std::string_view body,
                                const Principal& principal, Time now) {
    if (is_closed_) {
        return http_error(503, code::kInternalError, "The server is shutting down");
    }
    try {
        if (head.method == "GET") {
            return handle_get(head, principal, now);
        }
        if (head.method == "DELETE") {
            return handle_delete(head, principal, now);
        }
        return handle_post(head, body, principal, now);
    } catch (const std::exception&) {
        // Out of memory, or a defect of ours; what() may hold data and stays here.
        log(LogLevel::kError, "http: a request failed with an exception");
        return http_error(500, code::kInternalError, "Internal error");
    }
}

HttpAnswer HttpEndpoint::handle_post(const HttpHead& head, std::string_view body,
                                     const Principal& principal, Time now) {
    if (!is_json_content_type(head.find("Content-Type")) || head.count("Content-Type") != 1) {
        return http_error(415, code::kInvalidRequest,
                          "Unsupported content type: send application/json");
    }
    const Accepts accepts = parse_accept(head.find("Accept"));
    if (!accepts.json && !accepts.any_stream) {
        return http_error(406, code::kInvalidRequest,
                          "Not acceptable: answers are application/json or text/event-stream");
    }
    Inbound inbound = decode_text(body);
    if (!inbound.is_batch && !inbound.messages.front().has_value()) {
        const BadMessage& bad = inbound.messages.front().error();
        return http_error(400, bad.error, bad.id);
    }
    // A batch is a legacy thing; its members are not looked at one by one.
    const Message unknown;
    const EraDecision decision =
        decide_era(head, inbound.is_batch ? unknown : *inbound.messages.front());
    if (decision.error.has_value()) {
        return http_error(400, *decision.error, first_id(inbound));
    }
    const std::vector<RefusedCall> calls = calls_to_note(inbound, principal);
    HttpAnswer answer = decision.era == Era::kModern
                            ? handle_modern(head, std::move(inbound), principal, now)
                            : handle_legacy(head, std::move(inbound), principal, now);
    if (const auto* reply = std::get_if<HttpReply>(&answer);
        reply != nullptr && reply->status >= 400) {
        for (RefusedCall call : calls) {
            call.why = reply->status == 403 ? "scope" : reply->status == 429 ? "limit" : "protocol";
            server_.options().on_refused_call(call);
        }
    }
    return answer;
}

// Calls that are refused here never reach the core, which tells of all others.
std::vector<RefusedCall> HttpEndpoint::calls_to_note(const Inbound& inbound,
                                                     const Principal& principal) const {
    std::vector<RefusedCall> calls;
    if (server_.options().on_refused_call == nullptr) {
        return calls;
    }
    for (const Decoded& decoded : inbound.messages) {
        if (!decoded.has_value() || decoded->method != "tools/call") {
            continue;
        }
        const auto name = decoded->params->find("name");
        const auto arguments = decoded->params->find("arguments");
        calls.push_back({principal,
                         name != decoded->params->end() && name->is_string()
                             ? first_chars(name->get_ref<const std::string&>(), kMaxCellChars)
                             : std::string(),
                         arguments == decoded->params->end() ? Json() : *arguments, ""});
    }
    return calls;
}

std::optional<HttpReply> HttpEndpoint::check_call(const Inbound& inbound,
                                                  const Principal& principal, Time now) {
    const std::size_t calls = count_calls(inbound);
    if (calls == 0) {
        return std::nullopt;
    }
    for (const Decoded& decoded : inbound.messages) {
        const std::string scope =
            decoded.has_value() ? scope_needed(*decoded, server_.content()) : std::string();
        if (!principal.allows(scope)) {
            // Everything needed at once: what is there already and what is missing (X3).
            std::set<std::string> scopes = principal.scopes;
            scopes.insert(scope);
            HttpReply reply = challenge(403, "insufficient_scope", "", scopes);
            reply.body = encode_error(
                first_id(inbound),
                RpcError{code::kInvalidRequest,
                         "Forbidden: this " +
                             std::string(decoded->method == "tools/call" ? "tool" : "resource") +
                             " needs the scope " + scope,
                         {}});
            return reply;
        }
    }
    const auto too_many = [&](std::string why) {
        HttpReply reply = http_error(429, code::kInternalError, std::move(why), first_id(inbound));
        reply.fields.push_back({"Retry-After", "1"});
        return reply;
    };
    const auto running = in_flight_.find(principal.name);
    if (running != in_flight_.end() &&
        running->second->load() + calls > options_.limits.calls_in_flight) {
        return too_many("Too many calls at once: at most " +
                        std::to_string(options_.limits.calls_in_flight));
    }
    for (std::size_t i = 0; i < calls; ++i) {
        if (!calls_.take(principal.name, now)) {
            return too_many("Too many calls; slow down and repeat this one");
        }
    }
    return std::nullopt;
}

std::function<void()> HttpEndpoint::count_call(const Inbound& inbound, const Principal& principal) {
    const std::size_t calls = count_calls(inbound);
    if (calls == 0) {
        return nullptr;
    }
    auto& counter = in_flight_[principal.name];
    if (counter == nullptr) {
        counter = std::make_shared<std::atomic<std::size_t>>(0);
    }
    counter->fetch_add(calls);
    return [counter, calls] { counter->fetch_sub(calls); };
}

HttpAnswer HttpEndpoint::handle_modern(const HttpHead& head, Inbound inbound,
                                       const Principal& principal, Time now) {
    const Accepts accepts = parse_accept(head.find("Accept"));
    HttpExchange exchange;
    exchange.modern = true;
    if (!inbound.is_batch) {
        const Message& message = *inbound.messages.front();
        if (message.kind == Message::Kind::kResponse) {
            return accepted();  // no such thing in this era (P11)
        }
        if (auto error = check_mirrored_headers(head, message, server_.content().tools)) {
            return http_error(400, *error, message.id);
        }
        exchange.complete_envelope = has_complete_envelope(message);
        exchange.needs_stream = message.method == "subscriptions/listen";
    }
    if (exchange.needs_stream && !accepts.any_stream) {
        return http_error(406, code::kInvalidRequest,
                          "Not acceptable: a subscription is a text/event-stream",
                          first_id(inbound));
    }
    if (auto refusal = check_call(inbound, principal, now)) {
        return std::move(*refusal);
    }
    const bool answered = holds_request(inbound);
    exchange.channel = std::make_shared<HttpChannel>(HttpChannelOptions{
        .can_stream =
            head.is_http_1_1 && (accepts.stream || exchange.needs_stream || !accepts.json),
        .on_finished = count_call(inbound, principal)});
    exchange.connection = server_.connect({.background = nullptr, .principal = principal});
    exchange.connection->receive(std::move(inbound), exchange.channel, true);
    if (!answered) {
        exchange.channel->close();
        exchange.connection->close();
        return accepted();
    }
    modern_.insert(exchange.connection);
    return exchange;
}

// ---- legacy clients ----

tl::expected<HttpEndpoint::ClientMap::iterator, HttpReply> HttpEndpoint::find_client(
    const HttpHead& head, const Principal& principal, const std::optional<RequestId>& request,
    Time now) {
    const std::string* id = head.find(kClientIdHeader);
    if (id == nullptr || head.count(kClientIdHeader) != 1) {
        return tl::unexpected<HttpReply>(
            http_error(400, code::kInvalidRequest,
                       "Header Mcp-Session-Id is missing: send initialize first and repeat the "
                       "header it answers with",
                       request));
    }
    const auto found = clients_.find(*id);
    // Somebody else's id is as good as none: it is no proof of who calls (H8).
    if (found == clients_.end() || found->second->principal != principal.name) {
        return tl::unexpected<HttpReply>(http_error(
            404, code::kInvalidRequest,
            "This Mcp-Session-Id is not known or has ended: send initialize again", request));
    }
    found->second->last_used = now;
    // Another token of the same principal may allow more or less than that of initialize.
    found->second->connection->set_principal(principal);
    return found;
}

bool HttpEndpoint::make_room_for_client() {
    if (clients_.size() < options_.limits.legacy_clients) {
        return true;
    }
    auto oldest = clients_.end();
    for (auto it = clients_.begin(); it != clients_.end(); ++it) {
        if (it->second->is_idle() &&
            (oldest == clients_.end() || it->second->last_used < oldest->second->last_used)) {
            oldest = it;
        }
    }
    if (oldest == clients_.end()) {
        return false;
    }
    end_client(oldest);
    return true;
}

HttpAnswer HttpEndpoint::handle_initialize(const Accepts& accepts, Inbound inbound,
                                           const Principal& principal, Time now) {
    if (!make_room_for_client()) {
        return http_error(503, code::kInternalError, "Too many clients are connected",
                          first_id(inbound));
    }
    auto client = std::make_unique<LegacyClient>();
    client->principal = principal.name;
    client->last_used = now;
    client->background = std::make_shared<HttpChannel>(
        HttpChannelOptions{.resumable = true, .standalone = true, .stream = 0});
    client->connection =
        server_.connect({.background = client->background, .principal = principal});
    HttpExchange exchange;
    exchange.channel =
        std::make_shared<HttpChannel>(HttpChannelOptions{.can_stream = !accepts.json});
    client->connection->receive(std::move(inbound), exchange.channel, false);
    // Answered before receive() returned, because it needs no handler.
    const auto reply = exchange.channel->peek_reply();
    if (!reply.has_value() || reply->error_code != 0) {
        client->connection->close();
        return exchange;
    }
    const auto revision = client->connection->legacy_revision();
    client->background->set_primed(revision >= Revision::k2025_11_25);
    std::string id = random_hex(kIdBytes);
    exchange.fields.push_back({std::string(kClientIdHeader), id});
    clients_.emplace(std::move(id), std::move(client));
    return exchange;
}

HttpAnswer HttpEndpoint::handle_legacy(const HttpHead& head, Inbound inbound,
                                       const Principal& principal, Time now) {
    const Accepts accepts = parse_accept(head.find("Accept"));
    const bool is_initialize =
        !inbound.is_batch && inbound.messages.front()->method == "initialize";
    if (is_initialize && head.find(kClientIdHeader) == nullptr) {
        return handle_initialize(accepts, std::move(inbound), principal, now);
    }
    if (head.find(kClientIdHeader) == nullptr && head.find("MCP-Protocol-Version") == nullptr) {
        return handle_stateless(head, std::move(inbound), principal, now);
    }
    const auto found = find_client(head, principal, first_id(inbound), now);
    if (!found.has_value()) {
        return found.error();
    }
    LegacyClient& client = *(*found)->second;
    if (!holds_request(inbound)) {
        client.connection->receive(std::move(inbound), client.background, false);
        return accepted();
    }
    if (auto refusal = check_call(inbound, principal, now)) {
        return std::move(*refusal);
    }
    const auto revision = client.connection->legacy_revision();
    const std::uint64_t number = client.next_stream++;
    HttpExchange exchange;
    exchange.channel = std::make_shared<HttpChannel>(
        HttpChannelOptions{.can_stream = head.is_http_1_1 && (accepts.stream || !accepts.json),
                           .resumable = true,
                           .primed = revision >= Revision::k2025_11_25,
                           .stream = number,
                           .on_finished = count_call(inbound, principal)});
    exchange.client_id = (*found)->first;
    exchange.stream = number;
    client.streams.emplace(number, LegacyClient::Stream{exchange.channel, {}});
    client.connection->receive(std::move(inbound), exchange.channel, false);
    return exchange;
}

// A client of 2025-03-26 need not keep an id, nor name its version (H7).
HttpAnswer HttpEndpoint::handle_stateless(const HttpHead& head, Inbound inbound,
                                          const Principal& principal, Time now) {
    if (auto refusal = check_call(inbound, principal, now)) {
        return std::move(*refusal);
    }
    const Accepts accepts = parse_accept(head.find("Accept"));
    const bool answered = holds_request(inbound);
    HttpExchange exchange;
    exchange.channel = std::make_shared<HttpChannel>(
        HttpChannelOptions{.can_stream = head.is_http_1_1 && (accepts.stream || !accepts.json),
                           .on_finished = count_call(inbound, principal)});
    exchange.connection = server_.connect(
        {.background = nullptr, .principal = principal, .assume_legacy = Revision::k2025_03_26});
    exchange.connection->receive(std::move(inbound), exchange.channel, false);
    if (!answered) {
        exchange.channel->close();
        exchange.connection->close();
        return accepted();
    }
    return exchange;
}

HttpAnswer HttpEndpoint::handle_get(const HttpHead& head, const Principal& principal, Time now) {
    const auto found = find_client(head, principal, std::nullopt, now);
    if (!found.has_value()) {
        return found.error();
    }
    LegacyClient& client = *(*found)->second;
    if (!parse_accept(head.find("Accept")).any_stream || !head.is_http_1_1) {
        return http_error(406, code::kInvalidRequest,
                          "Not acceptable: GET gives text/event-stream");
    }
    HttpExchange exchange;
    exchange.needs_stream = true;
    exchange.channel = client.background;
    if (const std::string* last = head.find("Last-Event-ID")) {
        const auto id = parse_event_id(*last);
        const auto stream = id.has_value() ? client.streams.find(id->stream) : client.streams.end();
        const bool is_background = id.has_value() && id->stream == 0;
        if (!is_background && stream == client.streams.end()) {
            return http_error(
                400, code::kInvalidRequest,
                "Nothing to resume after this Last-Event-ID: it was kept too long ago");
        }
        exchange.channel = is_background ? client.background : stream->second.channel;
        exchange.resume_after = id->sequence;
    }
    return exchange;
}

HttpReply HttpEndpoint::handle_delete(const HttpHead& head, const Principal& principal, Time now) {
    const auto found = find_client(head, principal, std::nullopt, now);
    if (!found.has_value()) {
        return found.error();
    }
    end_client(*found);
    return {204, {}, {}};
}

void HttpEndpoint::end_client(ClientMap::iterator client) {
    client->second->connection->close();
    client->second->background->close();
    for (auto& [number, stream] : client->second->streams) {
        stream.channel->close();
    }
    clients_.erase(client);
}

// ---- replies and ends ----

HttpReply HttpEndpoint::reply_for(const HttpExchange& exchange, const OutMessage& message) {
    HttpReply reply{200, {{"Content-Type", "application/json"}}, message.text};
    if (message.error_code != 0) {
        reply.status = exchange.modern
                           ? modern_status(message.error_code, exchange.complete_envelope)
                           : (is_unreadable(message.error_code) ? 400 : 200);
    }
    return reply;
}

void HttpEndpoint::end(const HttpExchange& exchange) {
    if (exchange.connection != nullptr) {
        if (!exchange.modern && !exchange.channel->is_finished()) {
            // Leaving cancels nothing in that era (P13), even if nobody can come back here.
            abandoned_.push_back({exchange.connection, exchange.channel});
            return;
        }
        exchange.connection->close();
        exchange.channel->close();
        modern_.erase(exchange.connection);
        return;
    }
    const auto client = clients_.find(exchange.client_id);
    if (client == clients_.end()) {
        return;
    }
    auto& streams = client->second->streams;
    // A plain reply has no event id, so nobody can come back for it; of the others the last are
    // kept.
    if (!exchange.channel->is_stream() && exchange.channel->is_finished()) {
        streams.erase(exchange.stream);
    }
    for (auto it = streams.begin(); it != streams.end() && streams.size() > kMaxKeptStreams;) {
        const bool drop = it->second.channel->is_finished() && !it->second.channel->has_reader();
        it = drop ? streams.erase(it) : std::next(it);
    }
}

void HttpEndpoint::sweep(Time now) {
    for (auto it = clients_.begin(); it != clients_.end();) {
        LegacyClient& client = *it->second;
        for (auto stream = client.streams.begin(); stream != client.streams.end();) {
            HttpChannel& channel = *stream->second.channel;
            auto& finished = stream->second.finished;
            if (!finished.has_value() && channel.is_finished() && !channel.has_reader()) {
                finished = now;
            }
            const bool drop =
                finished.has_value() &&
                (!channel.is_stream() || now - *finished > options_.limits.replay_kept);
            stream = drop ? client.streams.erase(stream) : std::next(stream);
        }
        const auto next = std::next(it);
        if (client.is_idle() && now - client.last_used > options_.limits.legacy_idle) {
            end_client(it);
        }
        it = next;
    }
    std::erase_if(abandoned_, [](const Abandoned& call) {
        const bool is_over = call.channel->is_finished();
        if (is_over) {
            call.connection->close();
        }
        return is_over;
    });
    for (auto it = in_flight_.begin(); it != in_flight_.end();) {
        it = it->second->load() == 0 ? in_flight_.erase(it) : std::next(it);
    }
    limit_replay_memory();
}

void HttpEndpoint::limit_replay_memory() {
    std::size_t total = 0;
    for (const auto& [id, client] : clients_) {
        for (const auto& [number, stream] : client->streams) {
            total += stream.channel->buffered_bytes();
        }
    }
    for (auto client = clients_.begin(); client != clients_.end() && total > kMaxReplayMemory;
         ++client) {
        auto& streams = client->second->streams;
        for (auto stream = streams.begin(); stream != streams.end() && total > kMaxReplayMemory;) {
            const bool drop = stream->second.finished.has_value();
            total -= drop ? stream->second.channel->buffered_bytes() : 0;
            stream = drop ? streams.erase(stream) : std::next(stream);
        }
    }
}

void HttpEndpoint::end_subscriptions() {
    const auto open = modern_;
    for (const auto& connection : open) {
        connection->end_subscriptions();
    }
    for (const auto& [id, client] : clients_) {
        client->background->close();
    }
}

void HttpEndpoint::close() {
    is_closed_ = true;
    for (const auto& connection : std::exchange(modern_, {})) {
        connection->close();
    }
    for (const Abandoned& call : std::exchange(abandoned_, {})) {
        call.connection->close();
    }
    while (!clients_.empty()) {
        end_client(clients_.begin());
    }
}

}  // namespace tb::mcp
