// The bytes of Streamable HTTP. Boost's headers cost 20 CPU seconds per file: this is the only one.
#include "mcp/http.h"

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "core/log.h"
#include "mcp/http_endpoint.h"
#include "mcp/http_slots.h"
#include "mcp/http_token_checks.h"

namespace tb::mcp {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

using Clock = std::chrono::steady_clock;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr milliseconds kStopGrace{500};      // for running calls and for the ends of streams
constexpr milliseconds kSweepEvery{10'000};  // expiry of legacy clients and replay buffers
constexpr milliseconds kAcceptPause{100};    // after an accept() that failed (no descriptors left)
constexpr milliseconds kLingerTimeout{1'000};
constexpr std::size_t kReadBufferBytes = std::size_t{64} << 10U;

// Posts to the I/O thread as long as there is one. Channels may outlive the transport.
class Gate {
  public:
    explicit Gate(asio::io_context& io) : io_(&io) {}
    template <class Function>
    void post(Function function) {
        const std::lock_guard lock(mutex_);
        if (io_ != nullptr) {
            asio::post(*io_, std::move(function));
        }
    }
    void shut() {
        const std::lock_guard lock(mutex_);
        io_ = nullptr;
    }

  private:
    std::mutex mutex_;
    asio::io_context* io_;
};

// What the coroutine of a connection sleeps on while a call runs. I/O thread only.
struct Waiter {
    explicit Waiter(asio::io_context& io) : timer(io) {}
    asio::steady_timer timer;
    bool is_watching = true;
    bool is_peer_gone = false;
    void wake() { timer.cancel(); }
};

// Ends the wait when the peer closes. Bytes of a next request are left alone; with them waiting
// nothing more can be learnt, and a later write will tell.
void watch_peer(beast::tcp_stream& stream, const std::shared_ptr<Waiter>& waiter) {
    stream.socket().async_wait(tcp::socket::wait_read, [&stream, waiter](error_code ec) {
        if (!waiter->is_watching) {
            return;
        }
        char byte = 0;
        const auto got =
            ec ? 0 : ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (got > 0) {
            return;
        }
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
            watch_peer(stream, waiter);
            return;
        }
        waiter->is_peer_gone = true;
        waiter->wake();
    });
}

// The watch must not outlive the connection's coroutine frame, which owns the stream.
class PeerWatch {
  public:
    PeerWatch(beast::tcp_stream& stream, std::shared_ptr<Waiter> waiter)
        : stream_(stream), waiter_(std::move(waiter)) {
        watch_peer(stream_, waiter_);
    }
    ~PeerWatch() {
        waiter_->is_watching = false;
        error_code ignored;
        stream_.socket().cancel(ignored);  // nothing else is pending on it
    }
    PeerWatch(const PeerWatch&) = delete;
    PeerWatch& operator=(const PeerWatch&) = delete;

  private:
    beast::tcp_stream& stream_;
    std::shared_ptr<Waiter> waiter_;
};

HttpHead to_head(const http::request<http::empty_body>& request, const tcp::socket& socket) {
    HttpHead head;
    head.method = std::string(request.method_string());
    head.target = std::string(request.target());
    head.is_http_1_1 = request.version() >= 11;
    for (const auto& field : request) {
        head.fields.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    error_code ignored;
    head.peer = socket.remote_endpoint(ignored).address().to_string();
    return head;
}

http::response<http::string_body> to_response(HttpReply reply, const std::vector<HttpField>& common,
                                              unsigned version, bool keep_alive) {
    http::response<http::string_body> response;
    response.version(version);
    response.result(static_cast<unsigned>(reply.status));
    for (const std::vector<HttpField>* fields : {&common, &std::as_const(reply.fields)}) {
        for (const HttpField& field : *fields) {
            response.insert(field.name, field.value);
        }
    }
    response.body() = std::move(reply.body);
    response.keep_alive(keep_alive);
    if (reply.status != 204) {
        response.content_length(response.body().size());
    }
    return response;
}

}  // namespace

struct HttpTransport::Impl {
    Impl(Server& the_server, HttpOptions the_options)
        : options(std::move(the_options)),
          endpoint(the_server, options),
          slots({options.limits.connections, options.limits.unproven_connections,
                 options.limits.unproven_per_address}),
          gate(std::make_shared<Gate>(io)),
          sweep_timer(io),
          stop_timer(io) {}

    struct Peer;  // one connection

    Result<void> bind();
    Result<void> listen_on(const HttpAddress& address);
    void run();
    void begin_stop();
    void close_peer(std::optional<HttpSlots::Id> id);

    asio::awaitable<void> accept_loop(tcp::acceptor& acceptor);
    asio::awaitable<void> sweep_loop();
    asio::awaitable<void> serve(tcp::socket socket);
    asio::awaitable<bool> serve_one(Peer& peer, bool is_first);
    asio::awaitable<HttpEndpoint::Admission> admit(Peer& peer);
    asio::awaitable<bool> read_head(Peer& peer, bool is_first);
    asio::awaitable<bool> read_body(Peer& peer, std::string& body);
    asio::awaitable<bool> answer(Peer& peer, HttpReply reply, bool keep_alive);
    asio::awaitable<bool> run_exchange(Peer& peer, HttpExchange exchange);
    asio::awaitable<bool> run_channel(Peer& peer, HttpExchange& exchange, std::uint64_t reader,
                                      Waiter& waiter);
    asio::awaitable<bool> begin_stream(Peer& peer, const HttpExchange& exchange);
    asio::awaitable<bool> write_chunk(Peer& peer, std::string_view bytes);
    asio::awaitable<void> linger(beast::tcp_stream& stream);

    // The members below io are used by coroutine frames that io may still hold when it goes.
    HttpOptions options;
    HttpEndpoint endpoint;
    HttpSlots slots;
    std::set<Peer*> peers;
    std::size_t streams = 0;
    bool is_stopping = false;
    std::uint16_t port = 0;
    std::vector<std::string> urls;
    asio::io_context io{1};
    std::shared_ptr<Gate> gate;
    std::vector<tcp::acceptor> acceptors;
    asio::steady_timer sweep_timer;
    asio::steady_timer stop_timer;
    std::optional<TokenChecks> token_checks;  // with OAuth
    std::thread thread;
};

struct HttpTransport::Impl::Peer {
    explicit Peer(tcp::socket socket) : stream(std::move(socket)) {}
    beast::tcp_stream stream;
    beast::flat_buffer buffer{kReadBufferBytes};
    std::optional<http::request_parser<http::empty_body>> parser;
    HttpHead head;
    bool is_streaming = false;  // counts as a stream, not as a connection

    [[nodiscard]] unsigned version() const { return head.is_http_1_1 ? 11 : 10; }
};

// ---- listening ----

Result<void> HttpTransport::Impl::listen_on(const HttpAddress& address) {
    error_code ec;
    const tcp::endpoint where(asio::ip::make_address(address.host, ec), address.port);
    if (ec) {
        return make_error(ErrorCode::kInvalidArgument, "not an IP address", address.host);
    }
    tcp::acceptor acceptor(io);
    acceptor.open(where.protocol(), ec);
    if (!ec && where.address().is_v6()) {
        acceptor.set_option(asio::ip::v6_only(true), ec);
    }
    if (!ec) {
        acceptor.set_option(asio::socket_base::reuse_address(true), ec);
    }
    if (!ec) {
        acceptor.bind(where, ec);
    }
    if (!ec) {
        acceptor.listen(asio::socket_base::max_listen_connections, ec);
    }
    const bool is_v6 = where.address().is_v6();
    const std::string host = is_v6 ? "[" + address.host + "]" : address.host;
    if (ec) {
        return make_error(ErrorCode::kIo,
                          "cannot listen: " + ec.message() +
                              "; choose another port or stop the "
                              "program that uses it",
                          host + ":" + std::to_string(address.port));
    }
    port = acceptor.local_endpoint(ec).port();
    urls.push_back("http://" + host + ":" + std::to_string(port) + options.path);
    acceptors.push_back(std::move(acceptor));
    return {};
}

Result<void> HttpTransport::Impl::bind() {
    if (options.path.empty() || options.path.front() != '/') {
        return make_error(ErrorCode::kInvalidArgument, "the path must start with '/'",
                          options.path);
    }
    const bool loopback = is_loopback_address(options.address.host);
    const bool anonymous = options.tokens.empty() && options.oauth == nullptr;
    if (!loopback && anonymous && !options.allow_anonymous_network) {
        return make_error(ErrorCode::kRefused,
                          "listening beyond this machine needs bearer tokens, or the explicit "
                          "choice to do without",
                          options.address.host);
    }
    if (options.oauth != nullptr) {
        options.allowed_hosts.push_back(options.oauth->authority());
    }
    TB_RETURN_IF_ERROR(listen_on(options.address));
    error_code ec;
    const auto address = asio::ip::make_address(options.address.host, ec);
    if (!loopback && !address.is_unspecified()) {
        options.allowed_hosts.push_back(address.is_v6() ? "[" + options.address.host + "]"
                                                        : options.address.host);
    }
    // The default address is both loopbacks (H1); a machine without IPv6 does with one.
    if (options.address.host == "127.0.0.1") {
        if (const auto second = listen_on({"::1", port}); !second.has_value()) {
            log(LogLevel::kInfo, "http: not listening on [::1]: " + second.error().message);
        }
    }
    return {};
}

void HttpTransport::Impl::run() {
    if (options.oauth != nullptr) {
        token_checks.emplace(options.oauth);
    }
    for (tcp::acceptor& acceptor : acceptors) {
        asio::co_spawn(io, accept_loop(acceptor), asio::detached);
    }
    asio::co_spawn(io, sweep_loop(), asio::detached);
    thread = std::thread([this] { io.run(); });
}

void HttpTransport::Impl::begin_stop() {
    is_stopping = true;
    for (tcp::acceptor& acceptor : acceptors) {
        error_code ignored;
        acceptor.close(ignored);
    }
    sweep_timer.cancel();
    if (token_checks.has_value()) {
        token_checks->cancel();
    }
    endpoint.end_subscriptions();
    for (Peer* peer : peers) {
        if (slots.is_idle(peer)) {
            peer->stream.close();
        }
    }
    stop_timer.expires_after(kStopGrace);
    stop_timer.async_wait([this](error_code) {
        endpoint.close();
        for (Peer* peer : peers) {
            peer->stream.close();
        }
    });
    if (peers.empty()) {
        stop_timer.cancel();
    }
}

asio::awaitable<void> HttpTransport::Impl::sweep_loop() {
    while (!is_stopping) {
        sweep_timer.expires_after(kSweepEvery);
        co_await sweep_timer.async_wait(kAwait);
        endpoint.sweep(Clock::now());
    }
}

asio::awaitable<void> HttpTransport::Impl::accept_loop(tcp::acceptor& acceptor) {
    while (!is_stopping) {
        auto [ec, socket] = co_await acceptor.async_accept(kAwait);
        if (is_stopping) {
            break;
        }
        if (ec) {
            log(LogLevel::kWarning, "http: accept failed: " + ec.message());
            asio::steady_timer pause(io, kAcceptPause);
            co_await pause.async_wait(kAwait);
            continue;
        }
        asio::co_spawn(io, serve(std::move(socket)), asio::detached);
    }
}

// ---- connections ----

// Its coroutine ends with the error this gives it.
void HttpTransport::Impl::close_peer(std::optional<HttpSlots::Id> id) {
    for (Peer* peer : peers) {
        if (id == peer) {
            peer->stream.close();
        }
    }
}

// Lets the peer read the answer to a request that was not read to its end: closing with unread
// bytes would reset the connection and may destroy what is still on its way.
asio::awaitable<void> HttpTransport::Impl::linger(beast::tcp_stream& stream) {
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream.expires_after(kLingerTimeout);
    std::string scratch(kReadBufferBytes, '\0');
    while (!is_stopping) {
        const auto [ec, size] = co_await stream.async_read_some(asio::buffer(scratch), kAwait);
        if (ec || size == 0) {
            break;
        }
    }
}

asio::awaitable<void> HttpTransport::Impl::serve(tcp::socket socket) {
    {
        error_code ignored;
        const auto address = socket.remote_endpoint(ignored).address();
        Peer peer(std::move(socket));
        close_peer(slots.arrive(&peer, address.to_string(), Clock::now()));
        peers.insert(&peer);
        peer.stream.socket().set_option(tcp::no_delay(true), ignored);
        bool is_first = true;
        while (!is_stopping && co_await serve_one(peer, is_first)) {
            is_first = false;
            slots.set_idle(&peer, Clock::now());
        }
        if (!is_stopping && peer.stream.socket().is_open()) {
            slots.set_idle(&peer, Clock::now());
            co_await linger(peer.stream);
        }
        peers.erase(&peer);
        slots.leave(&peer);
    }
    if (is_stopping && peers.empty()) {
        stop_timer.cancel();
    }
}

asio::awaitable<bool> HttpTransport::Impl::read_head(Peer& peer, bool is_first) {
    peer.parser.emplace();
    peer.parser->header_limit(static_cast<std::uint32_t>(options.limits.header_bytes));
    peer.parser->body_limit(boost::none);
    if (!is_first && peer.buffer.size() == 0) {
        peer.stream.expires_after(options.limits.keep_alive);
        const auto [ec, size] =
            co_await peer.stream.async_read_some(peer.buffer.prepare(4096), kAwait);
        if (ec) {
            co_return false;
        }
        peer.buffer.commit(size);
    }
    peer.stream.expires_after(options.limits.header_timeout);
    const auto [ec, size] =
        co_await http::async_read_header(peer.stream, peer.buffer, *peer.parser, kAwait);
    slots.set_busy(&peer);
    if (!ec) {
        peer.head = to_head(peer.parser->get(), peer.stream.socket());
        co_return true;
    }
    peer.head = HttpHead{};
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow) {
        co_await answer(peer, HttpEndpoint::too_large("the header"), false);
    } else if (ec == beast::error::timeout) {
        // The stream has been closed by the timeout; nothing can be said any more.
    } else if (ec.category() == http::make_error_code(http::error::bad_version).category() &&
               ec != http::error::end_of_stream && ec != http::error::partial_message) {
        co_await answer(peer, http_error(400, code::kInvalidRequest, "Bad request: not HTTP/1.1"),
                        false);
    }
    co_return false;
}

asio::awaitable<bool> HttpTransport::Impl::read_body(Peer& peer, std::string& body) {
    const auto length = peer.parser->content_length();
    if (length.has_value() && *length > options.limits.body_bytes) {
        co_await answer(peer, HttpEndpoint::too_large("the body"), false);
        co_return false;
    }
    peer.stream.expires_after(options.limits.body_timeout);
    if (const std::string* expect = peer.head.find("Expect");
        expect != nullptr && beast::iequals(*expect, "100-continue")) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        const auto [ec, size] = co_await asio::async_write(
            peer.stream, asio::buffer(kContinue.data(), kContinue.size()), kAwait);
        if (ec) {
            co_return false;
        }
    }
    http::request_parser<http::string_body> parser(std::move(*peer.parser));
    parser.body_limit(options.limits.body_bytes);
    const auto [ec, size] = co_await http::async_read(peer.stream, peer.buffer, parser, kAwait);
    if (ec == http::error::body_limit) {
        co_await answer(peer, HttpEndpoint::too_large("the body"), false);
    }
    if (ec) {
        co_return false;
    }
    body = std::move(parser.get().body());
    co_return true;
}

asio::awaitable<HttpEndpoint::Admission> HttpTransport::Impl::admit(Peer& peer) {
    HttpEndpoint::Admission admission = endpoint.admit(peer.head, Clock::now());
    if (!admission.token.has_value()) {
        co_return admission;
    }
    const auto waiter = std::make_shared<Waiter>(io);
    std::optional<OauthResource::Verdict> verdict;  // lives as long as the waiter
    token_checks->check(
        std::move(*admission.token),
        [gate = gate, &verdict, weak = std::weak_ptr(waiter)](OauthResource::Verdict result) {
            gate->post([&verdict, weak, result = std::move(result)] {
                if (const auto alive = weak.lock()) {
                    verdict = result;
                    alive->wake();
                }
            });
        });
    while (!verdict.has_value()) {
        waiter->timer.expires_at(Clock::time_point::max());
        co_await waiter->timer.async_wait(kAwait);
    }
    co_return endpoint.admit_checked(peer.head, std::move(*verdict), Clock::now());
}

// One request and its answer; false when the connection is not to be used again.
asio::awaitable<bool> HttpTransport::Impl::serve_one(Peer& peer, bool is_first) {
    if (!co_await read_head(peer, is_first)) {
        co_return false;
    }
    const bool keep_alive = peer.parser->keep_alive();
    HttpEndpoint::Admission admission = co_await admit(peer);
    if (!admission.refusal.has_value()) {
        const HttpSlots::Admission slot = slots.prove(&peer);
        close_peer(slot.to_close);
        if (!slot.is_let_in) {
            admission.refusal = http_error(503, code::kInternalError, "Too many connections");
            admission.refusal->fields.push_back({"Retry-After", "1"});
        }
    }
    if (admission.refusal.has_value()) {
        // Only a request without a body leaves the connection in a known place.
        const bool is_empty =
            peer.parser->is_done() ||
            (!peer.parser->chunked() && peer.parser->content_length().value_or(0) == 0);
        const bool clean = is_empty && !has_doubtful_length(peer.head);
        co_return co_await answer(peer, std::move(*admission.refusal), keep_alive && clean);
    }
    std::string body;
    if (!co_await read_body(peer, body)) {
        co_return false;
    }
    peer.stream.expires_never();
    HttpAnswer result = endpoint.handle(peer.head, body, admission.principal, Clock::now());
    body = std::string();
    if (auto* reply = std::get_if<HttpReply>(&result)) {
        co_return co_await answer(peer, std::move(*reply), keep_alive);
    }
    const bool sent = co_await run_exchange(peer, std::move(std::get<HttpExchange>(result)));
    co_return sent&& keep_alive;
}

asio::awaitable<bool> HttpTransport::Impl::answer(Peer& peer, HttpReply reply, bool keep_alive) {
    const bool is_head = peer.head.method == "HEAD";
    const bool again = keep_alive && peer.parser->keep_alive() && !is_stopping;
    auto response =
        to_response(std::move(reply), endpoint.common_fields(peer.head), peer.version(), again);
    if (is_head) {
        response.body().clear();
    }
    peer.stream.expires_after(options.limits.write_timeout);
    const auto [ec, size] = co_await http::async_write(peer.stream, response, kAwait);
    co_return !ec && again;
}

// ---- running calls ----

asio::awaitable<bool> HttpTransport::Impl::run_exchange(Peer& peer, HttpExchange exchange) {
    if (exchange.needs_stream && streams >= options.limits.streams) {
        endpoint.end(exchange);
        HttpReply reply = http_error(503, code::kInternalError, "Too many streams are open");
        reply.fields.push_back({"Retry-After", "5"});
        co_return co_await answer(peer, std::move(reply), true);
    }
    auto waiter = std::make_shared<Waiter>(io);
    const std::uint64_t reader = exchange.channel->attach(
        [gate = gate, weak = std::weak_ptr(waiter)] {
            gate->post([weak] {
                if (const auto alive = weak.lock()) {
                    alive->wake();
                }
            });
        },
        exchange.resume_after);
    bool usable = false;
    {
        const PeerWatch watch(peer.stream, waiter);
        usable = co_await run_channel(peer, exchange, reader, *waiter);
    }
    if (peer.is_streaming) {
        peer.is_streaming = false;
        --streams;
        slots.set_streaming(&peer, false);
    }
    exchange.channel->detach(reader);
    endpoint.end(exchange);
    co_return usable;
}

// Sends what the channel gives until it has ended or the client has gone. True if the connection
// can be used again.
asio::awaitable<bool> HttpTransport::Impl::run_channel(Peer& peer, HttpExchange& exchange,
                                                       std::uint64_t reader, Waiter& waiter) {
    const auto stream_at = Clock::now() + options.limits.stream_after;
    auto next_heartbeat = Clock::time_point::max();
    while (!waiter.is_peer_gone) {
        const bool may_stream = exchange.needs_stream || Clock::now() >= stream_at;
        HttpChannel::Step step = exchange.channel->next(reader, may_stream);
        bool is_sent = true;
        switch (step.kind) {
            case HttpChannel::Kind::kReply: {
                HttpReply reply = HttpEndpoint::reply_for(exchange, step.reply);
                reply.fields.insert(reply.fields.end(), exchange.fields.begin(),
                                    exchange.fields.end());
                co_return co_await answer(peer, std::move(reply), true);
            }
            case HttpChannel::Kind::kNothing: {
                HttpReply reply;
                reply.status = 204;
                co_return co_await answer(peer, std::move(reply), true);
            }
            case HttpChannel::Kind::kStream:
                if (streams >= options.limits.streams && !exchange.needs_stream &&
                    !exchange.resume_after.has_value()) {
                    exchange.channel->forbid_stream();
                    continue;
                }
                is_sent = co_await begin_stream(peer, exchange);
                break;
            case HttpChannel::Kind::kEvents:
                is_sent = co_await write_chunk(peer, step.events);
                break;
            case HttpChannel::Kind::kEnd: {
                const auto [ec, size] =
                    co_await asio::async_write(peer.stream, http::make_chunk_last(), kAwait);
                co_return !ec;
            }
            case HttpChannel::Kind::kWait:
                if (Clock::now() >= next_heartbeat) {
                    is_sent = co_await write_chunk(peer, ":\n\n");
                    next_heartbeat = Clock::now() + options.limits.heartbeat;
                    break;
                }
                waiter.timer.expires_at(peer.is_streaming ? next_heartbeat
                                        : may_stream      ? Clock::time_point::max()
                                                          : stream_at);
                co_await waiter.timer.async_wait(kAwait);
                continue;
        }
        if (!is_sent) {
            co_return false;
        }
        if (peer.is_streaming) {
            next_heartbeat = Clock::now() + options.limits.heartbeat;
        }
    }
    co_return false;
}

asio::awaitable<bool> HttpTransport::Impl::begin_stream(Peer& peer, const HttpExchange& exchange) {
    peer.is_streaming = true;
    ++streams;
    slots.set_streaming(&peer, true);
    http::response<http::empty_body> response{http::status::ok, peer.version()};
    response.set(http::field::content_type, "text/event-stream");
    response.set("X-Accel-Buffering", "no");
    for (const HttpField& field : endpoint.common_fields(peer.head)) {
        response.insert(field.name, field.value);
    }
    for (const HttpField& field : exchange.fields) {
        response.insert(field.name, field.value);
    }
    response.chunked(true);
    http::response_serializer<http::empty_body> serializer(response);
    peer.stream.expires_after(options.limits.write_timeout);
    const auto [ec, size] = co_await http::async_write_header(peer.stream, serializer, kAwait);
    peer.stream.expires_never();
    co_return !ec;
}

asio::awaitable<bool> HttpTransport::Impl::write_chunk(Peer& peer, std::string_view bytes) {
    peer.stream.expires_after(options.limits.write_timeout);
    const auto [ec, size] = co_await asio::async_write(
        peer.stream, http::make_chunk(asio::buffer(bytes.data(), bytes.size())), kAwait);
    peer.stream.expires_never();
    co_return !ec;
}

// ---- public face ----

HttpTransport::HttpTransport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpTransport::~HttpTransport() {
    stop();
}

Result<std::unique_ptr<HttpTransport>> HttpTransport::start(Server& server, HttpOptions options) {
    auto impl = std::make_unique<Impl>(server, std::move(options));
    TB_RETURN_IF_ERROR(impl->bind());
    impl->run();
    return std::unique_ptr<HttpTransport>(new HttpTransport(std::move(impl)));
}

std::uint16_t HttpTransport::port() const {
    return impl_->port;
}

std::vector<std::string> HttpTransport::urls() const {
    return impl_->urls;
}

void HttpTransport::stop() {
    if (!impl_->thread.joinable()) {
        return;
    }
    impl_->gate->post([impl = impl_.get()] { impl->begin_stop(); });
    impl_->thread.join();
    impl_->token_checks.reset();
    impl_->gate->shut();
    impl_->endpoint.close();
}

}  // namespace tb::mcp
