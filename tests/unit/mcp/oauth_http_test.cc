// The resource server over real sockets: documents, challenges, callers.
#include <condition_variable>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/log.h"
#include "http_client.h"
#include "mcp/http.h"
#include "mcp/oauth.h"
#include "oauth_signer.h"
#include "test_server.h"

namespace tb::mcp::test {
namespace {

const std::string kKeySetUrl = "https://id.example.com/keys";
const std::string kMetadataUrl =
    "https://trades.example.com/.well-known/oauth-protected-resource/mcp";

Json modern_request(const Json& id, const std::string& method, Json params = Json::object()) {
    return {{"jsonrpc", "2.0"},
            {"id", id},
            {"method", method},
            {"params", modern_params(std::move(params))}};
}

Json call_of(const std::string& tool, Json arguments) {
    return modern_request(5, "tools/call", {{"name", tool}, {"arguments", std::move(arguments)}});
}

std::string token_for(const std::string& scope, const std::string& subject = "user-17") {
    Json claims = good_claims();
    claims["scope"] = scope;
    claims["sub"] = subject;
    return p256_signer().token({{"alg", "ES256"}, {"kid", "e"}}, claims);
}

HttpField bearer(const std::string& token) {
    return {"Authorization", "Bearer " + token};
}

std::string post_modern(const Json& message, std::vector<HttpField> more = {},
                        const std::string& path = "/mcp") {
    std::vector<HttpField> fields = modern_fields(message);
    fields.insert(fields.end(), more.begin(), more.end());
    return post_text(message.dump(), std::move(fields), path);
}

std::string echo_with(const std::string& token, const std::string& path = "/mcp") {
    return post_modern(call_of("echo", {{"text", "x"}}), {bearer(token)}, path);
}

class OauthHttp : public ::testing::Test {
  protected:
    OauthHttp() {
        options_.address.port = 0;
        options_.limits.auth_failures_per_second = 1'000;
        web_.put(kKeySetUrl, key_set_text({p256_signer().jwk("e")}));
        fetch_ = web_.fetcher();
    }
    ~OauthHttp() override {
        if (http_ != nullptr) {
            http_->stop();
        }
        server_->shutdown();
    }
    void start() {
        auto oauth = OauthResource::make({kIssuer, kResource, kKeySetUrl}, clock_, fetch_);
        ASSERT_TRUE(oauth.has_value()) << oauth.error().to_string();
        options_.oauth = *oauth;
        auto started = HttpTransport::start(*server_, options_);
        ASSERT_TRUE(started.has_value()) << started.error().to_string();
        http_ = std::move(*started);
    }
    HttpResponse exchange(const std::string& request) {
        return exchange_once(http_->port(), request);
    }
    HttpResponse get(const std::string& path, const std::string& host = "localhost") {
        return exchange("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    }

    std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
    std::unique_ptr<Server> server_ = make_server(gate_);
    FixedClock clock_;
    FakeWeb web_;
    DocumentFetcher fetch_;
    HttpOptions options_;
    std::unique_ptr<HttpTransport> http_;
};

TEST_F(OauthHttp, X2_TheDocumentIsWhereClientsLook) {
    options_.path = "/inner";  // behind a proxy the outer path may be another
    start();
    for (const std::string suffix : {"", "/mcp", "/inner"}) {
        const auto response = get("/.well-known/oauth-protected-resource" + suffix);
        EXPECT_EQ(response.status, 200) << suffix;
        EXPECT_EQ(response.field("content-type"), "application/json");
        const Json document = response.json();
        EXPECT_EQ(document["resource"], kResource);
        EXPECT_EQ(document["authorization_servers"], Json::array({kIssuer}));
        EXPECT_EQ(document["scopes_supported"], Json::array({"blocks:read", "data:write"}));
    }
    EXPECT_EQ(get("/.well-known/oauth-protected-resource", "trades.example.com").status, 200);
    EXPECT_EQ(get("/.well-known/oauth-protected-resource", "evil.example.com").status, 403);
    EXPECT_EQ(get("/.well-known/oauth-protected-resource/other").status, 405);
    EXPECT_EQ(get("/.well-known/oauth-protected-resourcex").status, 405);
    EXPECT_EQ(exchange(post_text("{}", {}, "/.well-known/oauth-protected-resource")).status, 405);
    const auto preflight = exchange(
        "OPTIONS /.well-known/oauth-protected-resource HTTP/1.1\r\nHost: localhost\r\n"
        "Origin: http://localhost:6274\r\nAccess-Control-Request-Method: GET\r\n\r\n");
    EXPECT_EQ(preflight.status, 204);
    EXPECT_EQ(preflight.field("access-control-allow-origin"), "http://localhost:6274");
}

TEST_F(OauthHttp, X2_WithoutATokenTheChallengeNamesTheDocument) {
    start();
    const auto response = exchange(post_modern(modern_request(1, "tools/list")));
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(response.field("www-authenticate"),
              R"(Bearer realm="tradeblocks", resource_metadata=")" + kMetadataUrl +
                  R"(", scope="blocks:read")");
}

TEST_F(OauthHttp, X2_EveryBadTokenGetsTheSameAnswer) {
    start();
    const std::string good = token_for("blocks:read");
    Json expired = good_claims();
    expired["exp"] = kNow - 61;
    Json foreign = good_claims();
    foreign["aud"] = "https://other.example.com";
    const Json header = {{"alg", "ES256"}, {"kid", "e"}};
    std::string body;
    for (const std::string& token :
         {std::string("abc"), good.substr(0, good.size() - 1), good + ".AAAA",
          p256_signer().token(header, expired), p256_signer().token(header, foreign),
          Signer::p256().token(header, good_claims()), std::string(20'000, 'A')}) {
        const auto response = exchange(echo_with(token));
        EXPECT_EQ(response.status, 401);
        EXPECT_EQ(response.field("www-authenticate"),
                  R"(Bearer realm="tradeblocks", error="invalid_token", resource_metadata=")" +
                      kMetadataUrl + R"(", scope="blocks:read")");
        EXPECT_TRUE(body.empty() || body == response.body) << response.body;
        body = response.body;
    }
    const Json echo = call_of("echo", {{"text", "x"}});
    EXPECT_EQ(exchange(post_modern(echo, {{"Authorization", "Basic " + good}})).status, 401);
    EXPECT_EQ(exchange(post_modern(echo, {bearer(good), bearer(good)})).status, 401);
    EXPECT_EQ(exchange(echo_with(good)).status, 200);
}

TEST_F(OauthHttp, X2_TokensInTheQueryAreNotLookedAt) {
    start();
    const std::string good = token_for("blocks:read");
    const auto response =
        exchange(post_modern(call_of("echo", {{"text", "x"}}), {}, "/mcp?access_token=" + good));
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(response.field("www-authenticate").find("error"), std::string::npos);
}

TEST_F(OauthHttp, X2_TokensAreNotLogged) {
    start();
    const std::string good = token_for("blocks:read");
    const std::string bad = Signer::p256().token({{"alg", "ES256"}, {"kid", "e"}}, good_claims());
    set_log_level(LogLevel::kDebug);
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(exchange(echo_with(good)).status, 200);
    EXPECT_EQ(exchange(echo_with(bad)).status, 401);
    const std::string logged = ::testing::internal::GetCapturedStderr();
    set_log_level(LogLevel::kWarning);
    EXPECT_NE(logged.find("a token was refused: its signature is wrong"), std::string::npos);
    for (const std::string& token : {good, bad}) {
        for (std::size_t from = 0; from < token.size(); from = token.find('.', from) + 1) {
            EXPECT_EQ(logged.find(token.substr(from, 12)), std::string::npos);
            if (token.find('.', from) == std::string::npos) {
                break;
            }
        }
    }
}

TEST_F(OauthHttp, X2_X3_AMissingScopeIsChallengedWithAllThatIsNeeded) {
    start();
    const auto refused = exchange(
        post_modern(call_of("purge", {{"table", "t"}}), {bearer(token_for("blocks:read"))}));
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.field("www-authenticate"),
              R"(Bearer realm="tradeblocks", error="insufficient_scope", resource_metadata=")" +
                  kMetadataUrl + R"(", scope="blocks:read data:write")");
    const auto none = exchange(echo_with(token_for("openid profile")));
    EXPECT_EQ(none.status, 403);
    EXPECT_EQ(none.field("www-authenticate"),
              R"(Bearer realm="tradeblocks", error="insufficient_scope", resource_metadata=")" +
                  kMetadataUrl + R"(", scope="blocks:read")");
    EXPECT_EQ(exchange(echo_with(token_for("data:write"))).status, 200);
}

TEST_F(OauthHttp, X2_H8_ALegacyClientIsItsPrincipalWithTheScopesOfEachToken) {
    start();
    const Json hello = initialize_message();
    const auto first = exchange(post_text(hello.dump(), {bearer(token_for("blocks:read"))}));
    ASSERT_EQ(first.status, 200) << first.body;
    const std::string id = first.field("mcp-session-id");
    const Json purge = {{"jsonrpc", "2.0"},
                        {"id", 2},
                        {"method", "tools/call"},
                        {"params", {{"name", "purge"}, {"arguments", {{"table", "t"}}}}}};
    const auto purge_with = [&](const std::string& token) {
        return exchange(post_text(
            purge.dump(),
            {bearer(token), {"Mcp-Session-Id", id}, {"MCP-Protocol-Version", "2025-11-25"}}));
    };
    EXPECT_EQ(purge_with(token_for("blocks:read")).status, 403);
    EXPECT_EQ(gate_->runs.load(), 0);
    // A new token of the same caller is enough: no second initialize.
    const auto stepped_up = purge_with(token_for("data:write"));
    EXPECT_EQ(stepped_up.status, 200) << stepped_up.body;
    EXPECT_EQ(gate_->runs.load(), 1) << stepped_up.body;
    EXPECT_EQ(purge_with(token_for("blocks:read")).status, 403);
    EXPECT_EQ(purge_with(token_for("data:write", "somebody-else")).status, 404);
    EXPECT_EQ(gate_->runs.load(), 1);
}

TEST_F(OauthHttp, X2_WithoutTheIssuersKeysNobodyIsLetIn) {
    web_.remove(kKeySetUrl);
    set_log_level(LogLevel::kOff);
    start();
    const auto response = exchange(echo_with(token_for("blocks:read")));
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.field("retry-after"), "5");
    web_.put(kKeySetUrl, key_set_text({p256_signer().jwk("e")}));
    clock_.advance(6);
    EXPECT_EQ(exchange(echo_with(token_for("blocks:read"))).status, 200);
    set_log_level(LogLevel::kWarning);
}

TEST_F(OauthHttp, X2_WaitingForTheIssuerHoldsUpNobodyElseAndNotTheEnd) {
    std::mutex mutex;
    std::condition_variable changed;
    int fetches = 0;
    fetch_ = [&](const OauthUrl&, const CancelToken& cancel) -> Result<std::string> {
        std::unique_lock lock(mutex);
        ++fetches;
        changed.notify_all();
        if (fetches > 1) {  // hangs until it is told to end
            lock.unlock();
            std::mutex own;
            std::condition_variable ended;
            bool over = false;
            const auto registration = cancel.on_cancel([&] {
                const std::lock_guard inner(own);
                over = true;
                ended.notify_all();
            });
            std::unique_lock wait(own);
            ended.wait(wait, [&] { return over; });
            return make_error(ErrorCode::kInterrupted, "cancelled");
        }
        return key_set_text({p256_signer().jwk("e")});
    };
    start();
    ASSERT_EQ(exchange(echo_with(token_for("blocks:read"))).status, 200);
    clock_.advance(61);
    HttpClient waiting(http_->port());
    waiting.send(echo_with(p256_signer().token({{"alg", "ES256"}, {"kid", "x"}}, good_claims())));
    {
        std::unique_lock lock(mutex);
        ASSERT_TRUE(changed.wait_for(lock, kWait, [&] { return fetches == 2; }));
    }
    EXPECT_EQ(exchange(echo_with(token_for("blocks:read"))).status, 200);
    http_->stop();
    EXPECT_EQ(fetches, 2);
}

TEST_F(OauthHttp, X1_OauthAllowsOtherAddresses) {
    options_.address.host = "0.0.0.0";
    start();
    EXPECT_EQ(exchange(post_modern(modern_request(1, "tools/list"))).status, 401);
}

TEST_F(OauthHttp, Q14_FailedAttemptsAreLimited) {
    options_.limits.auth_failures_per_second = 3;
    start();
    int refused = 0;
    for (int i = 0; i < 10; ++i) {
        refused += exchange(echo_with("abc")).status == 429 ? 1 : 0;
    }
    EXPECT_GT(refused, 0);
    EXPECT_EQ(exchange(echo_with(token_for("blocks:read"))).status, 200);
}

}  // namespace
}  // namespace tb::mcp::test
