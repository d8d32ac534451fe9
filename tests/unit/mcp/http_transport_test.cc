// The transport over real sockets: what is refused and in which order, plain and streamed answers,
// both eras, limits, and how it ends.
#include <functional>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http_client.h"
#include "mcp/http.h"
#include "support/temp_dir.h"
#include "test_server.h"

namespace tb::mcp::test {
namespace {

using std::chrono::milliseconds;

const std::string kToken = "0123456789abcdef0123456789abcdef";
const std::string kReader = "Zm9vYmFyYmF6cXV4MTIzNDU2";

Json modern_request(const Json& id, const std::string& method, Json params = Json::object()) {
    return {{"jsonrpc", "2.0"},
            {"id", id},
            {"method", method},
            {"params", modern_params(std::move(params))}};
}

Json call_of(const std::string& tool, Json arguments = Json::object()) {
    return modern_request(5, "tools/call", {{"name", tool}, {"arguments", std::move(arguments)}});
}

std::string post_modern(const Json& message, std::vector<HttpField> more = {}) {
    std::vector<HttpField> fields = modern_fields(message);
    fields.insert(fields.end(), more.begin(), more.end());
    return post_text(message.dump(), std::move(fields));
}

class HttpTransportTest : public ::testing::Test {
  protected:
    HttpTransportTest() { options_.address.port = 0; }
    ~HttpTransportTest() override {
        gate_->release();
        if (http_ != nullptr) {
            http_->stop();
        }
        server_->shutdown();
    }

    void start() {
        auto started = HttpTransport::start(*server_, options_);
        ASSERT_TRUE(started.has_value()) << started.error().to_string();
        http_ = std::move(*started);
    }
    HttpResponse exchange(const std::string& request) {
        return exchange_once(http_->port(), request);
    }
    // Legacy handshake; gives the id.
    std::string initialize(const std::vector<HttpField>& more = {},
                           const std::string& revision = "2025-11-25") {
        const Json message = initialize_message(revision);
        const HttpResponse response = exchange(post_text(message.dump(), more));
        EXPECT_EQ(response.status, 200) << response.body;
        return response.field("mcp-session-id");
    }
    static std::string post_legacy(const std::string& id, const Json& message,
                                   std::vector<HttpField> more = {}) {
        more.push_back({"Mcp-Session-Id", id});
        more.push_back({"MCP-Protocol-Version", "2025-11-25"});
        return post_text(message.dump(), std::move(more));
    }
    static Json legacy_call(const std::string& tool, Json arguments = Json::object()) {
        return {{"jsonrpc", "2.0"},
                {"id", 9},
                {"method", "tools/call"},
                {"params", {{"name", tool}, {"arguments", std::move(arguments)}}}};
    }
    static std::string get_text(const std::string& id, std::vector<HttpField> more = {}) {
        std::string text = "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n";
        more.push_back({"Mcp-Session-Id", id});
        for (const HttpField& field : more) {
            text += field.name + ": " + field.value + "\r\n";
        }
        return text + "\r\n";
    }

    std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
    std::unique_ptr<Server> server_ = make_server(gate_);
    HttpOptions options_;
    std::unique_ptr<HttpTransport> http_;
};

// ---- where it listens ----

TEST_F(HttpTransportTest, H1_RefusesOtherAddressesWithoutTokens) {
    options_.address.host = "0.0.0.0";
    const auto refused = HttpTransport::start(*server_, options_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
    options_.allow_anonymous_network = true;
    start();
}

TEST_F(HttpTransportTest, H1_X1_TokensAllowOtherAddresses) {
    options_.address.host = "0.0.0.0";
    options_.tokens = *TokenSet::parse(kToken);
    start();
    EXPECT_EQ(exchange(post_modern(modern_request(1, "tools/list"))).status, 401);
}

TEST_F(HttpTransportTest, H1_ListensOnLoopbackAlone) {
    start();
    const std::string port = std::to_string(http_->port());
    const std::vector<std::string> urls = http_->urls();
    ASSERT_GE(urls.size(), 1U);
    EXPECT_EQ(urls[0], "http://127.0.0.1:" + port + "/mcp");
    if (urls.size() > 1) {  // a machine may be without IPv6
        EXPECT_EQ(urls[1], "http://[::1]:" + port + "/mcp");
    }
    EXPECT_LE(urls.size(), 2U);
}

TEST_F(HttpTransportTest, H1_APortInUseIsAnError) {
    start();
    HttpOptions same = options_;
    same.address.port = http_->port();
    const auto second = HttpTransport::start(*server_, same);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::kIo);
}

// ---- the order of checks ----

TEST_F(HttpTransportTest, H2_H11_ChecksComeInTheirOrder) {
    options_.tokens = *TokenSet::parse(kToken);
    options_.limits.body_bytes = 1000;
    start();
    const std::string big(1001, ' ');
    const HttpField host{"Host", "evil.example.com"};
    const HttpField origin{"Origin", "http://evil.example.com"};
    const HttpField token{"Authorization", "Bearer " + kToken};
    const HttpField text{"Content-Type", "text/plain"};
    Json wrong = modern_request(3, "no/such");
    wrong["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2031-01-01";
    const auto as = [](std::string request, const std::string& method) {
        return request.replace(0, 4, method);
    };
    // Each request also breaks everything that is checked later.
    EXPECT_EQ(exchange(as(post_text(big, {host, text}, "/x"), "PUT")).status, 403);
    EXPECT_EQ(exchange(as(post_text(big, {origin, text}, "/x"), "PUT")).status, 403);
    EXPECT_EQ(exchange(as(post_text(big, {text}, "/x"), "PUT")).status, 405);
    EXPECT_EQ(exchange(post_text(big, {text}, "/x")).status, 404);
    EXPECT_EQ(exchange(post_text(big, {text})).status, 401);
    EXPECT_EQ(exchange(post_text(big, {token, text})).status, 413);
    EXPECT_EQ(exchange(post_text("{", {token, text})).status, 415);
    const auto unreadable = exchange(post_text("{", {token}));
    EXPECT_EQ(unreadable.status, 400);
    EXPECT_EQ(unreadable.error_code(), code::kParseError);
    const auto mismatch = exchange(post_text(wrong.dump(), {token}));
    EXPECT_EQ(mismatch.status, 400);
    EXPECT_EQ(mismatch.error_code(), code::kHeaderMismatch);
    EXPECT_EQ(mismatch.json()["id"], 3);
    const auto version = exchange(post_text(
        wrong.dump(), {token, {"MCP-Protocol-Version", "2031-01-01"}, {"Mcp-Method", "no/such"}}));
    EXPECT_EQ(version.status, 400);
    EXPECT_EQ(version.error_code(), code::kUnsupportedVersion);
    const auto method = exchange(post_modern(modern_request(4, "no/such"), {token}));
    EXPECT_EQ(method.status, 404);
    EXPECT_EQ(method.error_code(), code::kMethodNotFound);
    const auto capability = exchange(post_modern(call_of("needs_sampling"), {token}));
    EXPECT_EQ(capability.status, 400);
    EXPECT_EQ(capability.error_code(), code::kMissingCapability);
    EXPECT_EQ(exchange(post_modern(call_of("echo", {{"text", "x"}}), {token})).status, 200);
}

TEST_F(HttpTransportTest, H4_EveryRefusalIsAJsonRpcErrorWithoutPaths) {
    start();
    for (const std::string& request :
         {post_text("{}", {{"Host", "evil.example.com"}}), post_text("{}", {}, "/etc/passwd"),
          post_text("{}", {{"Content-Type", "-"}}), post_text("{}", {{"Accept", "text/html"}}),
          post_text("{}"), post_text("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}"),
          std::string("NONSENSE\r\n\r\n"),
          std::string("GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n")}) {
        const HttpResponse response = exchange(request);
        EXPECT_GE(response.status, 400) << request;
        EXPECT_EQ(response.field("content-type"), "application/json") << request;
        EXPECT_NE(response.error_code(), 0) << request;
        EXPECT_EQ(response.body.find(tb::test::source_dir().string()), std::string::npos);
    }
}

TEST_F(HttpTransportTest, H2_AnswersPreflightForAllowedOriginsOnly) {
    start();
    const auto preflight = [&](const std::string& origin) {
        return exchange("OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: " + origin +
                        "\r\nAccess-Control-Request-Method: POST\r\n"
                        "Access-Control-Request-Headers: mcp-param-region, x-evil\r\n\r\n");
    };
    const auto allowed = preflight("http://localhost:6274");
    EXPECT_EQ(allowed.status, 204);
    EXPECT_EQ(allowed.field("access-control-allow-origin"), "http://localhost:6274");
    EXPECT_NE(allowed.field("access-control-allow-headers").find("mcp-param-region"),
              std::string::npos);
    EXPECT_EQ(allowed.field("access-control-allow-headers").find("x-evil"), std::string::npos);
    const auto refused = preflight("http://evil.example.com");
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.field("access-control-allow-origin"), "");
}

TEST_F(HttpTransportTest, H3_OtherMethodsNameTheAllowedOne) {
    start();
    for (const std::string method : {"GET", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE"}) {
        const auto response = exchange(method + " /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n");
        EXPECT_EQ(response.status, 405) << method;
        EXPECT_EQ(response.field("allow"), "POST") << method;
    }
    const std::string id = initialize();
    EXPECT_EQ(exchange(get_text(id, {{"MCP-Protocol-Version", "2026-07-28"}})).status, 405);
}

TEST_F(HttpTransportTest, H12_HealthSaysOkAndNothingElse) {
    options_.tokens = *TokenSet::parse(kToken);
    start();
    const auto response = exchange("GET /healthz HTTP/1.1\r\nHost: 10.1.2.3\r\n\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "ok");
    EXPECT_EQ(response.field("server"), "");
}

// ---- answers ----

TEST_F(HttpTransportTest, H4_NotificationsAreAcceptedWithoutABody) {
    start();
    const Json note = {
        {"jsonrpc", "2.0"}, {"method", "notifications/unknown"}, {"params", modern_params()}};
    const auto modern = exchange(post_text(note.dump(), {{"MCP-Protocol-Version", "2026-07-28"}}));
    EXPECT_EQ(modern.status, 202);
    EXPECT_EQ(modern.body, "");
    const std::string id = initialize();
    const auto legacy =
        exchange(post_legacy(id, {{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}}));
    EXPECT_EQ(legacy.status, 202);
}

TEST_F(HttpTransportTest, H4_ShortCallsAreJsonAndReportingOnesAreStreams) {
    start();
    const auto plain = exchange(post_modern(call_of("echo", {{"text", "hi"}})));
    EXPECT_EQ(plain.field("content-type"), "application/json");
    EXPECT_EQ(plain.json()["result"]["structuredContent"]["era"], "modern");

    Json reporting = call_of("count", {{"steps", 3}});
    reporting["params"]["_meta"]["progressToken"] = "p";
    HttpClient client(http_->port());
    client.send(post_modern(reporting));
    const auto head = client.head();
    EXPECT_EQ(head.field("content-type"), "text/event-stream");
    EXPECT_EQ(head.field("x-accel-buffering"), "no");
    EXPECT_EQ(head.field("cache-control"), "no-store");
    const HttpEvent progress = client.event();
    EXPECT_EQ(progress.json()["method"], "notifications/progress");
    EXPECT_EQ(progress.id, "");  // modern streams cannot be resumed
    HttpEvent last;
    for (HttpEvent event = client.event(); !event.data.empty(); event = client.event()) {
        last = event;
    }
    EXPECT_EQ(last.json()["id"], 5);
    // The connection is good for another request.
    client.send(post_modern(call_of("echo", {{"text", "again"}})));
    EXPECT_EQ(client.response().status, 200);
}

TEST_F(HttpTransportTest, H4_LongCallsBecomeStreamsIfTheClientCanReadThem) {
    options_.limits.stream_after = milliseconds(1);
    start();
    HttpClient streaming(http_->port());
    streaming.send(post_modern(call_of("hold")));
    EXPECT_EQ(streaming.head().field("content-type"), "text/event-stream");
    HttpClient plain(http_->port());
    plain.send(post_modern(call_of("hold"), {{"Accept", "application/json"}}));
    ASSERT_TRUE(gate_->wait_inside(2));
    gate_->release();
    EXPECT_EQ(streaming.event().json()["result"]["content"][0]["text"], "released");
    const auto response = plain.response();
    EXPECT_EQ(response.field("content-type"), "application/json");
    EXPECT_EQ(response.json()["result"]["content"][0]["text"], "released");
}

TEST_F(HttpTransportTest, H10_QuietStreamsCarryCommentsAndThreeRunAtOnce) {
    options_.limits.stream_after = milliseconds(1);
    options_.limits.heartbeat = milliseconds(5);
    start();
    std::vector<std::unique_ptr<HttpClient>> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(std::make_unique<HttpClient>(http_->port()));
        clients.back()->send(post_modern(call_of("hold")));
    }
    for (const auto& client : clients) {
        EXPECT_EQ(client->head().status, 200);
        EXPECT_EQ(client->chunk(), ":\n\n");
        EXPECT_EQ(client->chunk(), ":\n\n");
    }
    gate_->release();
    for (const auto& client : clients) {
        EXPECT_EQ(client->event().json()["id"], 5);
    }
}

TEST_F(HttpTransportTest, P13_AModernClientThatLeavesCancelsItsCall) {
    start();
    {
        HttpClient client(http_->port());
        client.send(post_modern(call_of("hold")));
        ASSERT_TRUE(gate_->wait_inside(1));
    }
    EXPECT_TRUE(gate_->wait_cancelled(1));
}

// ---- subscriptions ----

TEST_F(HttpTransportTest, P18_SubscriptionsEndGracefullyWhenTheServerStops) {
    start();
    HttpClient client(http_->port());
    client.send(post_modern(modern_request("listen-1", "subscriptions/listen",
                                           {{"notifications", {{"resourcesListChanged", true}}}})));
    EXPECT_EQ(client.head().field("content-type"), "text/event-stream");
    EXPECT_EQ(client.event().json()["method"], "notifications/subscriptions/acknowledged");
    server_->resources_changed();
    const Json change = client.event().json();
    EXPECT_EQ(change["method"], "notifications/resources/list_changed");
    EXPECT_EQ(change["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "listen-1");
    std::thread stopper([&] { http_->stop(); });
    EXPECT_EQ(client.event().json()["method"], "notifications/cancelled");
    EXPECT_EQ(client.event().json()["id"], "listen-1");
    EXPECT_EQ(client.event().data, "");
    stopper.join();
}

TEST_F(HttpTransportTest, P18_ASubscriptionNeedsAStream) {
    start();
    const Json listen = modern_request(2, "subscriptions/listen",
                                       {{"notifications", {{"resourcesListChanged", true}}}});
    EXPECT_EQ(exchange(post_modern(listen, {{"Accept", "application/json"}})).status, 406);
}

// ---- limits ----

TEST_F(HttpTransportTest, H11_RefusesWhatIsTooLarge) {
    options_.limits.body_bytes = 300;
    options_.limits.header_bytes = 1000;
    start();
    EXPECT_EQ(exchange(post_text(std::string(301, ' '))).status, 413);
    const auto chunked = exchange(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n12d\r\n" +
        std::string(301, ' ') + "\r\n0\r\n\r\n");
    EXPECT_EQ(chunked.status, 413);
    EXPECT_EQ(chunked.error_code(), code::kInvalidRequest);
    const auto header = exchange(post_text("{}", {{"X-Long", std::string(1200, 'x')}}));
    EXPECT_EQ(header.status, 413);
    EXPECT_EQ(exchange(post_text(std::string(300, ' '))).error_code(), code::kParseError);
}

TEST_F(HttpTransportTest, H11_AHeaderThatDribblesIsCutOff) {
    options_.limits.header_timeout = milliseconds(30);
    start();
    HttpClient client(http_->port());
    client.send("POST /mcp HTTP/1.1\r\nHost: loc");
    EXPECT_TRUE(client.closes());
}

TEST_F(HttpTransportTest, H11_ConnectionsAndStreamsHaveLimitsOfTheirOwn) {
    options_.limits.connections = 1;
    options_.limits.streams = 1;
    start();
    const auto listen = post_modern(modern_request(
        1, "subscriptions/listen", {{"notifications", {{"resourcesListChanged", true}}}}));
    HttpClient stream(http_->port());
    stream.send(listen);
    EXPECT_EQ(stream.head().status, 200);
    HttpClient first(http_->port());
    first.send(listen);
    EXPECT_EQ(first.response().status, 503);
    // A stream is no connection in this count, and one between two requests makes room.
    HttpClient second(http_->port());
    second.send(post_modern(modern_request(2, "tools/list")));
    EXPECT_EQ(second.response().status, 200);
    EXPECT_TRUE(first.closes());
    HttpClient working(http_->port());
    working.send(post_modern(call_of("hold")));
    ASSERT_TRUE(gate_->wait_inside(1));
    const auto third = exchange(post_modern(modern_request(3, "tools/list")));
    EXPECT_EQ(third.status, 503);
    EXPECT_EQ(third.error_code(), code::kInternalError);
    gate_->release();
    EXPECT_EQ(working.response().status, 200);
}

// "chunked, identity" was read as a body of the length given: what followed it was a second
// request.
TEST_F(HttpTransportTest, H2_TwoLengthsAreNone) {
    start();
    const std::string body = modern_request(1, "tools/list").dump();
    for (const char* const field :
         {"chunked", "chunked, identity", "xchunked", "identity", "gzip, chunked", "Chunked "}) {
        const auto answer = exchange(post_text(body, {{"Transfer-Encoding", field}}));
        EXPECT_EQ(answer.status, 400) << field;
    }
    const std::string length = std::to_string(body.size());
    const auto twice =
        exchange(post_text(body, {{"Content-Length", length}, {"Content-Length", length}}));
    EXPECT_EQ(twice.status, 400);
}

// 64 connections that never finished their header had kept 231 of 232 requests out.
TEST_F(HttpTransportTest, H11_HalfOpenConnectionsLockNobodyOut) {
    options_.limits.header_timeout = std::chrono::minutes(5);
    start();
    std::vector<std::unique_ptr<HttpClient>> half_open;
    for (int i = 0; i < 150; ++i) {
        half_open.push_back(std::make_unique<HttpClient>(http_->port()));
        half_open.back()->send(i % 2 == 0 ? "" : "POST /mcp HTTP/1.1\r\nHost: loc");
    }
    HttpClient kept(http_->port());
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(exchange(post_modern(modern_request(i, "tools/list"))).status, 200) << i;
        kept.send(post_modern(modern_request(i, "tools/list")));
        EXPECT_EQ(kept.response().status, 200) << i;
        half_open.push_back(std::make_unique<HttpClient>(http_->port()));
        half_open.back()->send("POST /mcp HTTP/1.1\r\nX-Slow: ");
        // A slow one goes on, byte by byte.
        half_open.back()->send("a");
    }
    EXPECT_TRUE(half_open.front()->closes());
}

TEST_F(HttpTransportTest, H11_RequestsWithoutATokenDoNotKeepOutThoseWithOne) {
    const std::string token = "0123456789abcdef0123456789abcdef";
    auto tokens = TokenSet::parse(token + "\n");
    ASSERT_TRUE(tokens.has_value()) << tokens.error().to_string();
    options_.tokens = std::move(*tokens);
    options_.limits.connections = 4;
    start();
    std::vector<std::unique_ptr<HttpClient>> strangers;
    for (int i = 0; i < 100; ++i) {
        strangers.push_back(std::make_unique<HttpClient>(http_->port()));
        strangers.back()->send(post_modern(modern_request(i, "tools/list")));
        const int status = strangers.back()->response().status;
        EXPECT_EQ(status, 401);
    }
    const Json list = modern_request(1, "tools/list");
    std::vector<HttpField> fields = modern_fields(list);
    fields.push_back({"Authorization", "Bearer " + token});
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(exchange(post_text(list.dump(), fields)).status, 200);
    }
}

TEST_F(HttpTransportTest, H11_WithoutAFreeStreamALongCallIsAnsweredPlainly) {
    options_.limits.streams = 0;
    options_.limits.stream_after = milliseconds(1);
    start();
    HttpClient client(http_->port());
    client.send(post_modern(call_of("hold")));
    ASSERT_TRUE(gate_->wait_inside(1));
    gate_->release();
    EXPECT_EQ(client.response().field("content-type"), "application/json");
}

TEST_F(HttpTransportTest, Q14_CallsAreLimitedInRateAndNumber) {
    options_.limits.calls_per_second = 0;
    options_.limits.calls_burst = 3;
    options_.limits.calls_in_flight = 1;
    start();
    HttpClient holding(http_->port());
    holding.send(post_modern(call_of("hold")));
    ASSERT_TRUE(gate_->wait_inside(1));
    const auto busy = exchange(post_modern(call_of("echo", {{"text", "x"}})));
    EXPECT_EQ(busy.status, 429);
    EXPECT_EQ(busy.field("retry-after"), "1");
    EXPECT_EQ(busy.json()["id"], 5);
    gate_->release();
    EXPECT_EQ(holding.response().status, 200);
    EXPECT_EQ(exchange(post_modern(call_of("echo", {{"text", "x"}}))).status, 200);
    EXPECT_EQ(exchange(post_modern(call_of("echo", {{"text", "x"}}))).status, 200);
    EXPECT_EQ(exchange(post_modern(call_of("echo", {{"text", "x"}}))).status, 429);
    EXPECT_EQ(exchange(post_modern(modern_request(1, "tools/list"))).status, 200);
}

// ---- authorization ----

TEST_F(HttpTransportTest, X1_ATokenIsNeededAndOnlyInItsHeader) {
    options_.tokens = *TokenSet::parse("desk * " + kToken);
    options_.limits.auth_failures_per_second = 2;
    start();
    const Json list = modern_request(1, "tools/list");
    const auto none = exchange(post_modern(list));
    EXPECT_EQ(none.status, 401);
    EXPECT_TRUE(none.field("www-authenticate").starts_with("Bearer "));
    const auto fields = modern_fields(list);
    EXPECT_EQ(exchange(post_text(list.dump(), fields, "/mcp?access_token=" + kToken)).status, 401);
    const HttpField good{"Authorization", "Bearer " + kToken};
    EXPECT_EQ(exchange(post_modern(list, {good})).status, 200);
    const HttpField bad{"Authorization", "Bearer " + kReader};
    const auto wrong = exchange(post_modern(list, {bad}));
    EXPECT_EQ(wrong.status, 401);
    EXPECT_NE(wrong.field("www-authenticate").find("invalid_token"), std::string::npos);
    EXPECT_EQ(wrong.body.find(kReader), std::string::npos);
    int refused = 0;
    for (int i = 0; i < 20; ++i) {
        refused += exchange(post_modern(list, {bad})).status == 429 ? 1 : 0;
    }
    EXPECT_GT(refused, 0);
    EXPECT_EQ(exchange(post_modern(list, {good})).status, 200);
}

TEST_F(HttpTransportTest, X3_AMissingScopeIsChallengedWithAllThatIsNeeded) {
    ServerContent content = make_content(gate_);
    content.templates.front().scope = "sql:read";
    auto server = Server::make(make_options(), std::move(content));
    ASSERT_TRUE(server.has_value()) << server.error().to_string();
    server_ = std::move(*server);
    options_.tokens = *TokenSet::parse("reader blocks:read " + kReader);
    start();
    const HttpField token{"Authorization", "Bearer " + kReader};
    const auto refused = exchange(post_modern(call_of("purge", {{"table", "t"}}), {token}));
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.json()["id"], 5);
    EXPECT_EQ(refused.field("www-authenticate"),
              R"(Bearer realm="tradeblocks", error="insufficient_scope", )"
              R"(scope="blocks:read data:write")");
    EXPECT_EQ(exchange(post_modern(call_of("echo", {{"text", "x"}}), {token})).status, 200);
    const auto unread = exchange(
        post_modern(modern_request(6, "resources/read", {{"uri", "test://item/7"}}), {token}));
    EXPECT_EQ(unread.status, 403);
    EXPECT_EQ(unread.json()["error"]["code"], code::kInvalidRequest);
    EXPECT_EQ(unread.field("www-authenticate"),
              R"(Bearer realm="tradeblocks", error="insufficient_scope", )"
              R"(scope="blocks:read sql:read")");
    EXPECT_EQ(exchange(post_modern(modern_request(7, "resources/read", {{"uri", "test://static"}}),
                                   {token}))
                  .status,
              200);
}

TEST_F(HttpTransportTest, ACallSaysWhenItsConnectionIsNotUsedAgain) {
    start();
    HttpClient client(http_->port());
    client.send(post_modern(call_of("echo", {{"text", "x"}}), {{"Connection", "close"}}));
    const HttpResponse response = client.response();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.field("connection"), "close");
    EXPECT_TRUE(client.closes());
}

// ---- ends ----

TEST_F(HttpTransportTest, StoppingCancelsWhatRunsAndClosesEveryConnection) {
    start();
    HttpClient idle(http_->port());
    idle.send(post_modern(modern_request(1, "tools/list")));
    EXPECT_EQ(idle.response().status, 200);
    HttpClient busy(http_->port());
    busy.send(post_modern(call_of("hold")));
    ASSERT_TRUE(gate_->wait_inside(1));
    http_->stop();
    EXPECT_TRUE(idle.closes());
    EXPECT_TRUE(busy.closes());
    EXPECT_TRUE(gate_->wait_cancelled(1));
    http_->stop();
}

TEST_F(HttpTransportTest, ConcurrentClientsGetTheirOwnAnswersAndMayLeave) {
    options_.limits.calls_per_second = 1'000'000;
    options_.limits.calls_burst = 1'000'000;
    options_.limits.calls_in_flight = 100;
    start();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 25; ++i) {
                const std::string text = std::to_string(t) + ":" + std::to_string(i);
                HttpClient client(http_->port());
                client.send(post_modern(call_of("echo", {{"text", text}})));
                if (i % 5 == 4) {
                    continue;  // gone before the answer
                }
                const auto response = client.response();
                EXPECT_EQ(response.json()["result"]["structuredContent"]["text"], text);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

}  // namespace
}  // namespace tb::mcp::test
