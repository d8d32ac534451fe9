// Access tokens, key sets and URLs from strangers. Whatever comes in, nothing is accepted that was
// not signed, text that is taken apart goes together again, and a refused URL is never used.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base64.h"
#include "mcp/oauth_json.h"
#include "mcp/oauth_jwt.h"
#include "mcp/oauth_keys.h"
#include "mcp/oauth_url.h"

namespace {

using namespace tb::mcp;  // NOLINT(google-build-using-namespace): a program of its own

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

// RFC 7515 A.3; nobody here has the private key.
const KeySet& keys() {
    static const KeySet set = *KeySet::parse(
        R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
        R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})");
    return set;
}

constexpr std::string_view kKnownText =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ";

void check_token(std::string_view text) {
    const auto token = split_token(text);
    if (!token.has_value()) {
        return;
    }
    require(std::string(token->signed_text) + "." + tb::base64url_encode(token->signature) == text);
    const auto verdict =
        keys().verify(token->algorithm, token->key_id, token->signed_text, token->signature);
    require(verdict != KeySet::Verdict::kGood || token->signed_text == kKnownText);
    const auto principal = check_claims(*token->claims, {"joe", {"us"}}, 1'300'819'380);
    if (principal.has_value()) {
        require(!principal->unrestricted && principal->name.starts_with("oauth:"));
        require(principal->name.find_first_of("\n\r\t \"\\") == std::string::npos);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_token(text);
    if (const auto newline = text.find('\n'); newline != std::string_view::npos) {
        // Header and claims as plain text, so that the fuzzer need not learn base64.
        check_token(tb::base64url_encode(text.substr(0, newline)) + "." +
                    tb::base64url_encode(text.substr(newline + 1)) + "." + std::string(86, 'A'));
    }
    static_cast<void>(KeySet::parse(text));
    if (const auto json = parse_oauth_json(text); json.has_value()) {
        static_cast<void>(check_claims(*json, {"joe", {"us"}}, 0));
    }
    if (const auto url = parse_oauth_url(text); url.has_value()) {
        require(url->port != 0 && !url->host.empty());
        require(parse_oauth_url(url->origin() + url->target()).has_value());
        for (const std::string& place :
             text.size() < 1'900 ? issuer_metadata_urls(*url) : std::vector<std::string>()) {
            require(parse_oauth_url(place).has_value());
        }
    }
    return 0;
}
