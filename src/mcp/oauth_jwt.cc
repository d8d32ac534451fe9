#include "mcp/oauth_jwt.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base64.h"
#include "core/text.h"
#include "mcp/http_auth.h"
#include "mcp/oauth_json.h"

namespace tb::mcp {

namespace {

constexpr std::size_t kMaxKeyIdBytes = 1'024;
constexpr std::size_t kMaxNameBytes = 255;  // OpenID Connect's limit of `sub`
constexpr std::size_t kMaxSignatureBytes = 1'024;

// RFC 9068 wants at+jwt; many servers write JWT or nothing. Other kinds (logout+jwt, ...) are
// signed by the same keys and are no access tokens.
bool is_access_token_type(const Json& header) {
    const auto found = header.find("typ");
    if (found == header.end()) {
        return true;
    }
    if (!found->is_string()) {
        return false;
    }
    std::string type = ascii_lower(found->get_ref<const std::string&>());
    if (type.starts_with("application/")) {
        type.erase(0, std::string_view("application/").size());
    }
    return type == "jwt" || type == "at+jwt";
}

Result<Json> decoded_object(std::string_view segment) {
    const auto bytes = base64url_decode(segment);
    if (!bytes.has_value()) {
        return make_error(ErrorCode::kParse, "not base64url");
    }
    return parse_oauth_json(*bytes);
}

bool names_audience(const Json& claims, const std::vector<std::string>& audiences) {
    const auto is_ours = [&](const Json& value) {
        return value.is_string() &&
               std::find(audiences.begin(), audiences.end(), value.get_ref<const std::string&>()) !=
                   audiences.end();
    };
    const auto found = claims.find("aud");
    if (found == claims.end()) {
        return false;
    }
    if (!found->is_array()) {
        return is_ours(*found);
    }
    const bool all_text = std::all_of(found->begin(), found->end(),
                                      [](const Json& value) { return value.is_string(); });
    return all_text && std::any_of(found->begin(), found->end(), is_ours);
}

// A NumericDate; false for any other type. Fractions are allowed (RFC 7519).
bool read_time(const Json& claims, const char* name, std::optional<double>& time) {
    const auto found = claims.find(name);
    if (found == claims.end()) {
        return true;
    }
    if (!found->is_number()) {
        return false;
    }
    time = found->get<double>();
    return true;
}

std::optional<TokenFault> check_times(const Json& claims, std::int64_t now_seconds) {
    std::optional<double> expires;
    std::optional<double> begins;
    if (!read_time(claims, "exp", expires) || !read_time(claims, "nbf", begins)) {
        return TokenFault::kMalformed;
    }
    const auto now = static_cast<double>(now_seconds);
    constexpr auto kLeeway = static_cast<double>(kTokenLeewaySeconds);
    if (!expires.has_value() || now >= *expires + kLeeway) {
        return TokenFault::kExpired;
    }
    if (begins.has_value() && now < *begins - kLeeway) {
        return TokenFault::kNotYetValid;
    }
    return std::nullopt;
}

// Names end up in logs and in keys made of several names: nothing but plain characters, and a
// slash is never part of one.
std::string percent_encoded(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') ||
                           std::string_view("-._~@|:").find(c) != std::string_view::npos;
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += kHex[byte >> 4U];
            out += kHex[byte & 15U];
        }
    }
    return out;
}

bool is_name(const std::string* text) {
    return text != nullptr && !text->empty() && text->size() <= kMaxNameBytes;
}

void add_scope(std::set<std::string>& scopes, std::string_view name) {
    constexpr std::array kOurs = {kScopeBlocksRead, kScopeSqlRead, kScopeDataWrite,
                                  kScopeMarketFetch};
    if (std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end()) {
        scopes.emplace(name);
    }
}

// A text of names between blanks, or a list of names. What is not ours is left out.
std::set<std::string> scopes_of(const Json& claims) {
    std::set<std::string> scopes;
    auto found = claims.find("scope");
    if (found == claims.end()) {
        found = claims.find("scp");
    }
    if (found == claims.end()) {
        return scopes;
    }
    if (found->is_array()) {
        for (const Json& name : *found) {
            if (name.is_string()) {
                add_scope(scopes, name.get_ref<const std::string&>());
            }
        }
    } else if (found->is_string()) {
        std::string_view rest = found->get_ref<const std::string&>();
        while (!rest.empty()) {
            const auto end = std::min(rest.find(' '), rest.size());
            add_scope(scopes, rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    return with_implied_scopes(std::move(scopes));
}

}  // namespace

std::string_view token_fault_text(TokenFault fault) {
    switch (fault) {
        case TokenFault::kMalformed:
            return "it is not a well-formed JWT access token";
        case TokenFault::kAlgorithm:
            return "its algorithm is none of RS256, PS256, ES256, EdDSA";
        case TokenFault::kUnknownKey:
            return "its key is not in the issuer's key set";
        case TokenFault::kSignature:
            return "its signature is wrong";
        case TokenFault::kIssuer:
            return "it is from another issuer than --oauth-issuer";
        case TokenFault::kAudience:
            return "it is not for --oauth-resource (aud)";
        case TokenFault::kExpired:
            return "it has expired or has no exp";
        case TokenFault::kNotYetValid:
            return "it is not valid yet (nbf)";
        case TokenFault::kSubject:
            return "it has no usable sub";
        case TokenFault::kBound:
            return "it is bound to a key of its client (cnf), which is not supported";
    }
    return "";
}

tl::expected<UncheckedToken, TokenFault> split_token(std::string_view token) {
    const auto fail = [](TokenFault fault) { return tl::unexpected<TokenFault>(fault); };
    const auto first = token.find('.');
    const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (token.size() > kMaxAccessTokenBytes || second == std::string_view::npos ||
        token.find('.', second + 1) != std::string_view::npos) {
        return fail(TokenFault::kMalformed);
    }
    const auto header = decoded_object(token.substr(0, first));
    if (!header.has_value() || header->contains("crit") || !is_access_token_type(*header)) {
        return fail(TokenFault::kMalformed);
    }
    const std::string* const algorithm = oauth_text(*header, "alg");
    const auto known = algorithm == nullptr ? std::nullopt : parse_jws_algorithm(*algorithm);
    if (!known.has_value()) {
        return fail(TokenFault::kAlgorithm);
    }
    UncheckedToken result;
    result.algorithm = *known;
    if (header->contains("kid")) {
        const std::string* const key_id = oauth_text(*header, "kid");
        if (key_id == nullptr || key_id->size() > kMaxKeyIdBytes) {
            return fail(TokenFault::kMalformed);
        }
        result.key_id = *key_id;
    }
    result.signed_text = token.substr(0, second);
    auto claims = decoded_object(token.substr(first + 1, second - first - 1));
    auto signature = base64url_decode(token.substr(second + 1));
    if (!claims.has_value() || !signature.has_value() || signature->empty() ||
        signature->size() > kMaxSignatureBytes) {
        return fail(TokenFault::kMalformed);
    }
    result.claims = std::move(*claims);
    result.signature = std::move(*signature);
    return result;
}

tl::expected<Principal, TokenFault> check_claims(const Json& claims, const TokenRules& rules,
                                                 std::int64_t now_seconds) {
    const auto fail = [](TokenFault fault) { return tl::unexpected<TokenFault>(fault); };
    const std::string* const issuer = oauth_text(claims, "iss");
    if (issuer == nullptr || *issuer != rules.issuer) {
        return fail(TokenFault::kIssuer);
    }
    if (!names_audience(claims, rules.audiences)) {
        return fail(TokenFault::kAudience);
    }
    if (const auto fault = check_times(claims, now_seconds)) {
        return fail(*fault);
    }
    if (claims.contains("cnf")) {
        return fail(TokenFault::kBound);
    }
    const std::string* const subject = oauth_text(claims, "sub");
    if (!is_name(subject)) {
        return fail(TokenFault::kSubject);
    }
    const char* const client_member = claims.contains("client_id") ? "client_id" : "azp";
    Principal principal;
    principal.name = "oauth:" + percent_encoded(*subject);
    if (claims.contains(client_member)) {
        const std::string* const client = oauth_text(claims, client_member);
        if (!is_name(client)) {
            return fail(TokenFault::kSubject);
        }
        principal.name += "/" + percent_encoded(*client);
    }
    principal.unrestricted = false;
    principal.scopes = scopes_of(claims);
    return principal;
}

}  // namespace tb::mcp
