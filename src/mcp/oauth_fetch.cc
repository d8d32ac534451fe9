// Boost's headers cost tens of CPU seconds: besides mcp/http.cc this is the only file with them.
#include "mcp/oauth_fetch.h"

#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <netdb.h>

namespace tb::mcp {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;

constexpr std::uint32_t kMaxHeaderBytes = 16'384;
constexpr std::size_t kMaxAddresses = 8;

tl::unexpected<Error> fetch_error(const OauthUrl& url, ErrorCode code, std::string message) {
    return make_error(code, std::move(message), url.text);
}

// ---- names ----

// getaddrinfo() can neither be given a time nor be stopped: it runs on a thread of its own, which
// is left behind with this state when nobody waits any more.
struct Lookup {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    bool given_up = false;
    std::vector<tcp::endpoint> found;
};

void look_up(const std::shared_ptr<Lookup>& lookup, const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    std::vector<tcp::endpoint> found;
    if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) == 0) {
        for (const addrinfo* entry = list; entry != nullptr && found.size() < kMaxAddresses;
             entry = entry->ai_next) {
            tcp::endpoint endpoint;
            if (entry->ai_addrlen <= endpoint.capacity()) {
                endpoint.resize(entry->ai_addrlen);
                std::copy_n(reinterpret_cast<const char*>(entry->ai_addr), entry->ai_addrlen,
                            reinterpret_cast<char*>(endpoint.data()));
                endpoint.port(port);
                found.push_back(endpoint);
            }
        }
        ::freeaddrinfo(list);
    }
    const std::lock_guard lock(lookup->mutex);
    lookup->found = std::move(found);
    lookup->done = true;
    lookup->changed.notify_all();
}

std::vector<tcp::endpoint> resolve(const OauthUrl& url, SteadyClock::time_point deadline,
                                   const CancelToken& cancel) {
    error_code ec;
    if (const auto address = asio::ip::make_address(url.host, ec); !ec) {
        return {tcp::endpoint(address, url.port)};
    }
    const auto lookup = std::make_shared<Lookup>();
    std::thread([lookup, host = url.host, port = url.port] {
        look_up(lookup, host, port);
    }).detach();
    const auto registration = cancel.on_cancel([lookup] {
        const std::lock_guard lock(lookup->mutex);
        lookup->given_up = true;
        lookup->changed.notify_all();
    });
    std::unique_lock lock(lookup->mutex);
    lookup->changed.wait_until(lock, deadline, [&] { return lookup->done || lookup->given_up; });
    return lookup->done ? lookup->found : std::vector<tcp::endpoint>();
}

// ---- the exchange ----

class Fetch {
  public:
    Fetch(const OauthUrl& url, const FetchLimits& limits, SteadyClock::time_point deadline,
          CancelToken cancel)
        : url_(url), limits_(limits), deadline_(deadline), cancel_(std::move(cancel)) {}

    Result<std::string> run(const std::vector<tcp::endpoint>& addresses) {
        const auto registration = cancel_.on_cancel([this] { io_.stop(); });
        if (!url_.is_https) {
            tcp::socket socket(io_);
            TB_RETURN_IF_ERROR(connect(socket, addresses));
            return exchange(socket);
        }
        ssl::context context(ssl::context::tls_client);
        error_code ec;
        context.set_default_verify_paths(ec);
        SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
        ssl::stream<tcp::socket> stream(io_, context);
        stream.set_verify_mode(ssl::verify_peer);
        stream.set_verify_callback(ssl::host_name_verification(url_.host));
        error_code is_address;
        asio::ip::make_address(url_.host, is_address);
        if (is_address) {  // a name: RFC 6066 wants no addresses there
            SSL_set_tlsext_host_name(stream.native_handle(), url_.host.c_str());
        }
        TB_RETURN_IF_ERROR(connect(stream.next_layer(), addresses));
        TB_RETURN_IF_ERROR(wait_for("the TLS handshake", [&](auto done) {
            stream.async_handshake(ssl::stream_base::client, std::move(done));
        }));
        return exchange(stream);
    }

  private:
    // Starts one operation and runs it to its end, the deadline or the cancellation.
    template <class Start>
    Result<void> wait_for(const char* what, Start start) {
        std::optional<error_code> result;
        start([&result](error_code ec, auto&&...) { result = ec; });
        io_.restart();
        if (!cancel_.cancelled()) {  // its callback may have stopped io_ before restart()
            io_.run_until(deadline_);
        }
        if (!result.has_value()) {
            return fetch_error(url_, cancel_.cancelled() ? ErrorCode::kInterrupted : ErrorCode::kIo,
                               std::string(what) + " took too long");
        }
        if (*result == http::error::body_limit || *result == http::error::buffer_overflow) {
            return fetch_error(url_, ErrorCode::kResourceExhausted,
                               "the document is above " + std::to_string(limits_.bytes) + " bytes");
        }
        if (*result) {
            return fetch_error(url_, ErrorCode::kIo,
                               std::string(what) + " failed: " + result->message());
        }
        return {};
    }

    Result<void> connect(tcp::socket& socket, const std::vector<tcp::endpoint>& addresses) {
        return wait_for("connecting", [&](auto done) {
            asio::async_connect(socket, addresses, std::move(done));
        });
    }

    template <class Stream>
    Result<std::string> exchange(Stream& stream) {
        http::request<http::empty_body> request{http::verb::get, url_.target(), 11};
        request.set(http::field::host, url_.authority);
        request.set(http::field::accept, "application/json");
        request.set(http::field::user_agent, "tradeblocks");
        request.set(http::field::connection, "close");
        TB_RETURN_IF_ERROR(wait_for("sending the request", [&](auto done) {
            http::async_write(stream, request, std::move(done));
        }));
        http::response_parser<http::string_body> parser;
        parser.header_limit(kMaxHeaderBytes);
        parser.body_limit(limits_.bytes);
        boost::beast::flat_buffer buffer(limits_.bytes + kMaxHeaderBytes);
        TB_RETURN_IF_ERROR(wait_for("reading the answer", [&](auto done) {
            http::async_read(stream, buffer, parser, std::move(done));
        }));
        const int status = static_cast<int>(parser.get().result_int());
        if (status != 200) {
            return fetch_error(url_, ErrorCode::kIo,
                               "the answer is status " + std::to_string(status) + ", not 200" +
                                   (status / 100 == 3 ? " (redirects are not followed)" : ""));
        }
        return std::move(parser.get().body());
    }

    const OauthUrl& url_;
    const FetchLimits& limits_;
    const SteadyClock::time_point deadline_;
    const CancelToken cancel_;
    asio::io_context io_;
};

}  // namespace

Result<std::string> fetch_document(const OauthUrl& url, const FetchLimits& limits,
                                   const CancelToken& cancel) {
    const auto deadline = SteadyClock::now() + limits.time;
    const auto addresses = resolve(url, deadline, cancel);
    if (addresses.empty()) {
        return fetch_error(url, cancel.cancelled() ? ErrorCode::kInterrupted : ErrorCode::kIo,
                           "the host name is not known, or its look-up took too long");
    }
    try {
        return Fetch(url, limits, deadline, cancel).run(addresses);
    } catch (const std::exception& problem) {
        return fetch_error(url, ErrorCode::kIo, problem.what());
    }
}

}  // namespace tb::mcp
