// Which tokens are for us, where keys come from, and what the documents say.
#include <sys/stat.h>

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include "core/base64.h"
#include "mcp/oauth.h"
#include "oauth_signer.h"
#include "support/temp_dir.h"

namespace tb::mcp::test {
namespace {

using tb::test::TempDir;
using Status = OauthResource::Status;

const std::string kKeySetUrl = "https://id.example.com/keys";

Json with(Json object, const char* name, Json value) {
    object[name] = std::move(value);
    return object;
}

Json without(Json object, const char* name) {
    object.erase(name);
    return object;
}

class OauthTokens : public ::testing::Test {
  protected:
    OauthTokens() {
        web_.put(kKeySetUrl, key_set_text({rsa_signer().jwk("r"), p256_signer().jwk("e"),
                                           ed25519_signer().jwk("d")}));
    }

    void make(OauthSettings settings = {kIssuer, kResource, kKeySetUrl}) {
        auto made = OauthResource::make(settings, clock_, web_.fetcher());
        ASSERT_TRUE(made.has_value()) << made.error().to_string();
        resource_ = std::move(*made);
        resource_->warm_up({});
    }
    // As the transport asks.
    OauthResource::Verdict ask(const std::string& token) {
        auto verdict = resource_->check(token);
        return verdict.status == Status::kKeysNeeded ? resource_->check_with_fetch(token, {})
                                                     : verdict;
    }
    Status status_of(const std::string& token) { return ask(token).status; }
    static std::string good_token(const Json& claims = good_claims()) {
        return p256_signer().token({{"alg", "ES256"}, {"kid", "e"}}, claims);
    }

    FixedClock clock_;
    FakeWeb web_;
    std::shared_ptr<OauthResource> resource_;
};

// ---- what is accepted ----

TEST_F(OauthTokens, X2_EveryAlgorithmIsAccepted) {
    make();
    struct Case {
        const Signer& signer;
        Json header;
    };
    for (const Case& one : {Case{rsa_signer(), {{"alg", "RS256"}, {"kid", "r"}}},
                            Case{rsa_signer(), {{"alg", "PS256"}, {"kid", "r"}}},
                            Case{p256_signer(), {{"alg", "ES256"}, {"kid", "e"}}},
                            Case{ed25519_signer(), {{"alg", "EdDSA"}, {"kid", "d"}}},
                            Case{ed25519_signer(), {{"alg", "Ed25519"}, {"typ", "at+jwt"}}},
                            Case{p256_signer(), {{"typ", "application/AT+JWT"}, {"alg", "ES256"}}},
                            Case{p256_signer(), {{"alg", "ES256"}, {"typ", "JWT"}}}}) {
        const auto verdict = ask(one.signer.token(one.header, good_claims()));
        ASSERT_EQ(verdict.status, Status::kAccepted) << one.header.dump();
        EXPECT_EQ(verdict.principal.name, "oauth:user-17/desk");
        EXPECT_FALSE(verdict.principal.unrestricted);
        EXPECT_EQ(verdict.principal.scopes, (std::set<std::string>{"blocks:read", "sql:read"}));
    }
}

TEST_F(OauthTokens, X2_AudienceIsOneOrAmongSeveral) {
    make();
    EXPECT_EQ(status_of(good_token(with(good_claims(), "aud", {"https://other", kResource}))),
              Status::kAccepted);
    for (const Json& wrong :
         {Json("https://other.example.com/mcp"), Json(kResource + "/"), Json("trades.example.com"),
          Json(kIssuer), Json::array(), Json::array({"x"}), Json({{kResource, kResource}}),
          Json(nullptr), Json(7), Json({kResource, 7}), Json("")}) {
        EXPECT_EQ(status_of(good_token(with(good_claims(), "aud", wrong))), Status::kRefused)
            << wrong.dump();
    }
    EXPECT_EQ(status_of(good_token(without(good_claims(), "aud"))), Status::kRefused);
}

TEST_F(OauthTokens, X2_AHostAloneIsWrittenInTwoWays) {
    for (const std::string resource :
         {"https://trades.example.com", "https://trades.example.com/"}) {
        make({kIssuer, resource, kKeySetUrl});
        for (const std::string audience :
             {"https://trades.example.com", "https://trades.example.com/"}) {
            EXPECT_EQ(status_of(good_token(with(good_claims(), "aud", audience))),
                      Status::kAccepted);
        }
        EXPECT_EQ(status_of(good_token(with(good_claims(), "aud", "https://trades.example.com/x"))),
                  Status::kRefused);
    }
}

TEST_F(OauthTokens, X2_TimesHaveAMinuteOfLeeway) {
    make();
    const std::string token =
        good_token(with(with(good_claims(), "exp", kNow + 100), "nbf", kNow - 100));
    const auto at = [&](std::int64_t seconds) {
        clock_.set(kNow + seconds);
        return status_of(token);
    };
    EXPECT_EQ(at(0), Status::kAccepted);
    EXPECT_EQ(at(159), Status::kAccepted);
    EXPECT_EQ(at(160), Status::kRefused);
    EXPECT_EQ(at(-160), Status::kAccepted);
    EXPECT_EQ(at(-161), Status::kRefused);
    clock_.set(kNow);
    EXPECT_EQ(status_of(good_token(without(good_claims(), "nbf"))), Status::kAccepted);
    EXPECT_EQ(status_of(good_token(with(good_claims(), "exp", kNow + 0.5))), Status::kAccepted);
    EXPECT_EQ(status_of(good_token(without(good_claims(), "exp"))), Status::kRefused);
    for (const Json& wrong : {Json(std::to_string(kNow + 300)), Json(nullptr), Json(true), Json(-1),
                              Json(0), Json::array({kNow + 300})}) {
        EXPECT_EQ(status_of(good_token(with(good_claims(), "exp", wrong))), Status::kRefused)
            << wrong.dump();
    }
    EXPECT_EQ(status_of(good_token(with(good_claims(), "nbf", "0"))), Status::kRefused);
}

TEST_F(OauthTokens, X2_NamesCannotBeMistakenForOthers) {
    make();
    const auto name_of = [&](const Json& claims) { return ask(good_token(claims)).principal.name; };
    EXPECT_EQ(name_of(without(good_claims(), "client_id")), "oauth:user-17");
    EXPECT_EQ(name_of(with(without(good_claims(), "client_id"), "azp", "web")),
              "oauth:user-17/web");
    EXPECT_EQ(name_of(with(without(good_claims(), "client_id"), "sub", "user-17/desk")),
              "oauth:user-17%2Fdesk");
    EXPECT_EQ(name_of(with(good_claims(), "sub", "a\n\xC3\xBC%")), "oauth:a%0A%C3%BC%25/desk");
    for (const Json& wrong : {Json(""), Json(nullptr), Json(17), Json(std::string(256, 's'))}) {
        EXPECT_EQ(status_of(good_token(with(good_claims(), "sub", wrong))), Status::kRefused);
        EXPECT_EQ(status_of(good_token(with(good_claims(), "client_id", wrong))), Status::kRefused);
    }
    EXPECT_EQ(status_of(good_token(without(good_claims(), "sub"))), Status::kRefused);
}

TEST_F(OauthTokens, X2_X3_ScopesComeInThreeForms) {
    make();
    using Scopes = std::set<std::string>;
    const auto scopes_of = [&](const Json& claims) {
        return ask(good_token(claims)).principal.scopes;
    };
    const Json bare = without(good_claims(), "scope");
    EXPECT_EQ(scopes_of(bare), Scopes());
    EXPECT_EQ(scopes_of(with(bare, "scp", "market:fetch")),
              (Scopes{"blocks:read", "market:fetch"}));
    EXPECT_EQ(scopes_of(with(bare, "scp", {"data:write", 7, "*"})),
              (Scopes{"blocks:read", "data:write", "sql:read"}));
    EXPECT_EQ(scopes_of(with(bare, "scope", {"blocks:read"})), Scopes{"blocks:read"});
    EXPECT_EQ(scopes_of(with(bare, "scope", "*  blocks:readx BLOCKS:READ,data:write")), Scopes());
    EXPECT_EQ(scopes_of(with(with(bare, "scp", "data:write"), "scope", "blocks:read")),
              Scopes{"blocks:read"});
    EXPECT_EQ(scopes_of(with(bare, "scope", 7)), Scopes());
}

// ---- what is refused ----

TEST_F(OauthTokens, X2_EachSingleDefectIsRefused) {
    make();
    const Json header = {{"alg", "ES256"}, {"kid", "e"}};
    const auto token = [&](const Json& with_header, const Json& claims) {
        return p256_signer().token(with_header, claims);
    };
    ASSERT_EQ(status_of(token(header, good_claims())), Status::kAccepted);
    const Signer stranger = Signer::p256();
    const std::map<std::string, std::string> refused = {
        {"another issuer", token(header, with(good_claims(), "iss", kIssuer + "/"))},
        {"issuer in other case",
         token(header, with(good_claims(), "iss", "https://ID.example.com/tenant"))},
        {"no issuer", token(header, without(good_claims(), "iss"))},
        {"issuer as a list", token(header, with(good_claims(), "iss", {kIssuer}))},
        {"bound to a key", token(header, with(good_claims(), "cnf", {{"jkt", "x"}}))},
        {"critical extension", token(with(header, "crit", {"b64"}), good_claims())},
        {"another kind of token", token(with(header, "typ", "logout+jwt"), good_claims())},
        {"typ is no text", token(with(header, "typ", 1), good_claims())},
        {"kid is no text", token(with(header, "kid", 1), good_claims())},
        {"long kid", token(with(header, "kid", std::string(2'000, 'k')), good_claims())},
        {"key of a stranger", stranger.token(header, good_claims())},
        {"own key in the header",
         stranger.token({{"alg", "ES256"}, {"kid", "new"}, {"jwk", stranger.jwk("new")}},
                        good_claims())},
        {"key of another type",
         rsa_signer().token({{"alg", "RS256"}, {"kid", "e"}}, good_claims())},
        {"algorithm of another type",
         p256_signer().token({{"alg", "RS256"}, {"kid", "e"}}, good_claims())},
        {"other padding",
         rsa_signer().token_of("PS256", R"({"alg":"RS256","kid":"r"})", good_claims().dump())},
        {"algorithm missing", token({{"kid", "e"}}, good_claims())},
        {"algorithm is no text",
         p256_signer().token_of("ES256", R"({"alg":1,"kid":"e"})", good_claims().dump())},
        {"header repeats a member",
         p256_signer().token_of("ES256", R"({"alg":"ES256","kid":"e","kid":"e"})",
                                good_claims().dump())},
        {"claims repeat a member",
         p256_signer().token_of("ES256", header.dump(),
                                R"({"sub":"root",)" + good_claims().dump().substr(1))},
        {"claims are no object", p256_signer().token_of("ES256", header.dump(), "[]")},
        {"claims are no JSON", p256_signer().token_of("ES256", header.dump(), "{")},
        {"claims are deep",
         p256_signer().token_of("ES256", header.dump(),
                                "{\"a\":" + std::string(60, '[') + std::string(60, ']') + "," +
                                    good_claims().dump().substr(1))},
        {"two JSON texts",
         p256_signer().token_of("ES256", header.dump() + header.dump(), good_claims().dump())},
        {"longer than allowed",
         token(header, with(good_claims(), "pad", std::string(kMaxAccessTokenBytes, 'x')))},
    };
    for (const auto& [what, text] : refused) {
        EXPECT_EQ(status_of(text), Status::kRefused) << what;
    }
}

TEST_F(OauthTokens, X2_NoneAndSharedSecretsAreRefused) {
    make();
    const std::string claims = base64url_encode(good_claims().dump());
    for (const std::string name : {"none", "None", "NONE", "nOnE"}) {
        const std::string text =
            base64url_encode(Json{{"alg", name}, {"kid", "e"}}.dump()) + "." + claims + ".";
        EXPECT_EQ(status_of(text), Status::kRefused);
        EXPECT_EQ(status_of(text + "AA"), Status::kRefused);
    }
    // The classic confusion: everybody knows the public key, so as a secret it is none.
    const std::string text = base64url_encode(R"({"alg":"HS256","kid":"r"})") + "." + claims;
    for (const std::string& secret :
         {rsa_signer().public_pem(),
          *base64url_decode(rsa_signer().jwk("r")["n"].get<std::string>())}) {
        unsigned char mac[32];
        unsigned size = sizeof mac;
        HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
        const std::string signature(reinterpret_cast<const char*>(mac), size);
        EXPECT_EQ(status_of(text + "." + base64url_encode(signature)), Status::kRefused);
    }
}

TEST_F(OauthTokens, X2_DamagedTextIsRefused) {
    make();
    const std::string good = good_token();
    const auto first = good.find('.');
    const auto second = good.find('.', first + 1);
    for (std::size_t size = 0; size < good.size(); size += 7) {
        EXPECT_NE(status_of(good.substr(0, size)), Status::kAccepted) << size;
    }
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string damaged = good;
        damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
        EXPECT_NE(status_of(damaged), Status::kAccepted) << i;
    }
    for (const std::string& damaged :
         {good + ".", good + ".AAAA", "." + good, good.substr(0, second), good.substr(first + 1),
          good + "=", good.substr(0, first) + "=" + good.substr(first), good + "A",
          good.substr(0, second + 1), good + " ", good + std::string(1, '\0'), std::string(".."),
          std::string("..."), std::string(), std::string("a.b.c.d.e")}) {
        EXPECT_EQ(status_of(damaged), Status::kRefused) << damaged;
    }
    // Stray bits at the end of a segment would be a second spelling of the same token.
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string stray = good;
    stray.back() = alphabet[alphabet.find(stray.back()) + 1];
    ASSERT_EQ((good.size() - second - 1) % 4, 2U);  // 64 bytes leave four bits
    EXPECT_EQ(status_of(stray), Status::kRefused);
    // The other alphabet.
    std::string standard = good;
    for (char& c : standard) {
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    if (standard != good) {
        EXPECT_EQ(status_of(standard), Status::kRefused);
    }
}

// ---- where keys come from ----

TEST_F(OauthTokens, X2_AnUnknownKeyIsLookedForOnceAMinute) {
    make();
    EXPECT_EQ(web_.asked().size(), 1U);
    const Signer rotated = Signer::p256();
    const std::string token = rotated.token({{"alg", "ES256"}, {"kid", "new"}}, good_claims());
    web_.put(kKeySetUrl, key_set_text({rotated.jwk("new")}));
    EXPECT_EQ(status_of(token), Status::kRefused);  // asked a moment ago
    EXPECT_EQ(web_.asked().size(), 1U);
    clock_.advance(61);
    EXPECT_EQ(resource_->check(token).status, Status::kKeysNeeded);
    EXPECT_EQ(web_.asked().size(), 1U);  // check() itself never asks
    EXPECT_EQ(status_of(token), Status::kAccepted);
    EXPECT_EQ(web_.asked().size(), 2U);
    EXPECT_EQ(status_of(good_token()), Status::kRefused);  // its key has gone
    const std::string other = rotated.token({{"alg", "ES256"}, {"kid", "nobody"}}, good_claims());
    for (int i = 0; i < 10; ++i) {
        clock_.advance(5);
        EXPECT_EQ(status_of(other), Status::kRefused);
    }
    EXPECT_EQ(web_.asked().size(), 2U);
    clock_.advance(11);
    EXPECT_EQ(status_of(other), Status::kRefused);
    EXPECT_EQ(web_.asked().size(), 3U);
}

TEST_F(OauthTokens, X2_TokensThatCannotBeOursFetchNothing) {
    make();
    clock_.advance(61);
    const Signer stranger = Signer::p256();
    const Json header = {{"alg", "ES256"}, {"kid", "stranger"}};
    EXPECT_EQ(status_of(stranger.token(header, with(good_claims(), "iss", "https://evil"))),
              Status::kRefused);
    EXPECT_EQ(status_of(stranger.token(header, with(good_claims(), "aud", "https://evil"))),
              Status::kRefused);
    EXPECT_EQ(web_.asked().size(), 1U);
}

TEST_F(OauthTokens, X2_KeysLiveAnHourAndThenNothingIsAcceptedWithoutThem) {
    make();
    const std::string token = good_token(with(good_claims(), "exp", kNow + 100'000));
    clock_.advance(3'599);
    EXPECT_EQ(status_of(token), Status::kAccepted);
    EXPECT_EQ(web_.asked().size(), 1U);
    web_.remove(kKeySetUrl);
    clock_.advance(1);
    EXPECT_EQ(status_of(token), Status::kUnavailable);
    EXPECT_EQ(web_.asked().size(), 2U);
    EXPECT_EQ(status_of(token), Status::kUnavailable);
    EXPECT_EQ(web_.asked().size(), 2U);  // not again within seconds
    web_.put(kKeySetUrl, "{\"keys\":[]}");
    clock_.advance(5);
    EXPECT_EQ(status_of(token), Status::kUnavailable);  // answered, but with nothing usable
    web_.put(kKeySetUrl, key_set_text({p256_signer().jwk("e")}));
    clock_.advance(5);
    EXPECT_EQ(status_of(token), Status::kAccepted);
}

TEST_F(OauthTokens, X2_AFailedLookForAnUnknownKeyKeepsTheOthers) {
    make();
    web_.remove(kKeySetUrl);
    clock_.advance(61);
    EXPECT_EQ(status_of(p256_signer().token({{"alg", "ES256"}, {"kid", "new"}}, good_claims())),
              Status::kRefused);
    EXPECT_EQ(web_.asked().size(), 2U);
    EXPECT_EQ(status_of(good_token()), Status::kAccepted);
}

TEST_F(OauthTokens, X2_TheIssuerSaysWhereItsKeysAre) {
    const Json description = {{"issuer", kIssuer}, {"jwks_uri", kKeySetUrl}};
    const std::vector<std::string> places = {
        "https://id.example.com/.well-known/oauth-authorization-server/tenant",
        "https://id.example.com/.well-known/openid-configuration/tenant",
        "https://id.example.com/tenant/.well-known/openid-configuration"};
    for (std::size_t i = 0; i < places.size(); ++i) {
        FakeWeb web;
        web.put(kKeySetUrl, key_set_text({p256_signer().jwk("e")}));
        web.put(places[i], description.dump());
        std::swap(web, web_);
        make({kIssuer, kResource, ""});
        EXPECT_EQ(status_of(good_token()), Status::kAccepted) << places[i];
        std::vector<std::string> asked(places.begin(),
                                       places.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        asked.push_back(kKeySetUrl);
        EXPECT_EQ(web_.asked(), asked);
    }
}

TEST_F(OauthTokens, X2_AWrongDescriptionOfTheIssuerIsNotFollowed) {
    const std::string place =
        "https://id.example.com/.well-known/oauth-authorization-server/tenant";
    web_.put("http://id.example.com/keys", key_set_text({p256_signer().jwk("e")}));
    web_.put("http://127.0.0.1/keys", key_set_text({p256_signer().jwk("e")}));
    for (const std::string& text :
         {Json{{"issuer", kIssuer + "2"}, {"jwks_uri", kKeySetUrl}}.dump(),
          Json{{"jwks_uri", kKeySetUrl}}.dump(), Json{{"issuer", kIssuer}}.dump(),
          Json{{"issuer", kIssuer}, {"jwks_uri", "http://id.example.com/keys"}}.dump(),
          Json{{"issuer", kIssuer}, {"jwks_uri", "http://127.0.0.1/keys"}}.dump(),
          Json{{"issuer", kIssuer}, {"jwks_uri", "file:///etc/keys"}}.dump(),
          Json{{"issuer", kIssuer}, {"jwks_uri", 7}}.dump(), std::string("<html>")}) {
        web_.put(place, text);
        make({kIssuer, kResource, ""});
        EXPECT_EQ(status_of(good_token()), Status::kUnavailable) << text;
    }
}

TEST_F(OauthTokens, X2_AKeyFileIsReadAgainWhenItChanges) {
    const TempDir dir;
    const auto file = dir.write("keys.json", key_set_text({p256_signer().jwk("e")}));
    make({kIssuer, kResource, file.string()});
    EXPECT_EQ(status_of(good_token()), Status::kAccepted);
    dir.write("other.json", key_set_text({rsa_signer().jwk("e"), rsa_signer().jwk("r")}));
    std::filesystem::rename(dir.path() / "other.json", file);
    EXPECT_EQ(status_of(good_token()), Status::kRefused);
    EXPECT_EQ(status_of(rsa_signer().token({{"alg", "RS256"}, {"kid", "r"}}, good_claims())),
              Status::kAccepted);
    dir.write("keys.json", "{\"keys\":");
    EXPECT_EQ(status_of(good_token()), Status::kUnavailable);
    std::filesystem::remove(file);
    EXPECT_EQ(status_of(good_token()), Status::kUnavailable);
    dir.write("keys.json", key_set_text({p256_signer().jwk("e")}));
    EXPECT_EQ(status_of(good_token()), Status::kAccepted);
    EXPECT_TRUE(web_.asked().empty());
}

// ---- what an operator may say ----

TEST_F(OauthTokens, X2_SettingsThatCannotBeAreErrors) {
    const TempDir dir;
    const auto open_file = dir.write("open.json", key_set_text({p256_signer().jwk("e")}));
    ::chmod(open_file.c_str(), 0666);
    const auto code_of = [&](const OauthSettings& settings) {
        const auto made = OauthResource::make(settings, clock_, web_.fetcher());
        EXPECT_FALSE(made.has_value());
        return made.has_value() ? ErrorCode::kInternal : made.error().code;
    };
    for (const std::string url :
         {"", "id.example.com", "http://id.example.com", "ftp://id.example.com", "https://",
          "https:///x", "https://a@id.example.com", "https://id.example.com/#x",
          "https://id.example.com:0", "https://id.example.com:99999", "https://id.example.com:x",
          "https://id example.com", "https://id.example.com/\"", "https://[::1", "https://[g]/",
          "https://id.example.com\n"}) {
        EXPECT_EQ(code_of({url, kResource, kKeySetUrl}), ErrorCode::kInvalidArgument) << url;
        EXPECT_EQ(code_of({kIssuer, url, kKeySetUrl}), ErrorCode::kInvalidArgument) << url;
    }
    EXPECT_EQ(code_of({kIssuer + "?a=b", kResource, ""}), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of({kIssuer, kResource, "http://id.example.com/keys"}),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of({kIssuer, kResource, (dir.path() / "none").string()}), ErrorCode::kIo);
    EXPECT_EQ(code_of({kIssuer, kResource, dir.path().string()}), ErrorCode::kIo);
    EXPECT_EQ(code_of({kIssuer, kResource, open_file.string()}), ErrorCode::kRefused);
    EXPECT_EQ(code_of({kIssuer, kResource, dir.write("x", "{}").string()}), ErrorCode::kParse);
    for (const std::string url :
         {"http://localhost:8080", "http://127.0.0.1/a", "http://[::1]:9"}) {
        EXPECT_TRUE(OauthResource::make({url, url, url}, clock_, web_.fetcher()).has_value())
            << url;
    }
}

TEST_F(OauthTokens, X2_TheDocumentOfTheResource) {
    make();
    EXPECT_EQ(resource_->metadata_url(),
              "https://trades.example.com/.well-known/oauth-protected-resource/mcp");
    const Json document = Json::parse(resource_->metadata_text({"blocks:read", "sql:read"}));
    EXPECT_EQ(document["resource"], kResource);
    EXPECT_EQ(document["authorization_servers"], Json::array({kIssuer}));
    EXPECT_EQ(document["scopes_supported"], Json::array({"blocks:read", "sql:read"}));
    EXPECT_EQ(document["bearer_methods_supported"], Json::array({"header"}));
    make({kIssuer, "https://Trades.example.com:8443/", kKeySetUrl});
    EXPECT_EQ(resource_->metadata_url(),
              "https://trades.example.com:8443/.well-known/oauth-protected-resource");
    EXPECT_EQ(resource_->authority(), "trades.example.com:8443");
}

}  // namespace
}  // namespace tb::mcp::test
