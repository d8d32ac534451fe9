#include "mcp/oauth.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "core/log.h"
#include "mcp/json_text.h"

namespace tb::mcp {

namespace {

constexpr std::string_view kMetadataName = "oauth-protected-resource";
constexpr std::string_view kMetadataPath = "/.well-known/oauth-protected-resource";

Result<OauthUrl> parse_setting(std::string_view text, const char* option) {
    auto url = parse_oauth_url(text);
    if (!url.has_value()) {
        return with_context(url.error(), option);
    }
    return url;
}

bool is_url(std::string_view text) {
    return text.starts_with("https://") || text.starts_with("http://");
}

// RFC 3986 §6.2.3: a host alone and the host with a slash are one resource, and clients write both.
std::vector<std::string> audiences_of(const OauthUrl& resource) {
    std::vector<std::string> audiences = {resource.text};
    if (resource.query.empty() && resource.path.empty()) {
        audiences.push_back(resource.text + "/");
    } else if (resource.query.empty() && resource.path == "/") {
        audiences.push_back(resource.text.substr(0, resource.text.size() - 1));
    }
    return audiences;
}

}  // namespace

OauthResource::OauthResource(OauthUrl resource, TokenRules rules, IssuerKeys::Options keys,
                             const Clock& clock, DocumentFetcher fetch)
    : resource_(std::move(resource)),
      metadata_url_(well_known_url(resource_, kMetadataName) + resource_.query),
      rules_(std::move(rules)),
      clock_(clock),
      keys_(std::move(keys), clock, std::move(fetch)) {}

DocumentFetcher OauthResource::default_fetcher() {
    return [](const OauthUrl& url, const CancelToken& cancel) {
        return fetch_document(url, {}, cancel);
    };
}

Result<std::shared_ptr<OauthResource>> OauthResource::make(const OauthSettings& settings,
                                                           const Clock& clock,
                                                           DocumentFetcher fetch) {
    IssuerKeys::Options keys;
    TB_TRY(keys.issuer, parse_setting(settings.issuer, "--oauth-issuer"));
    if (!keys.issuer.query.empty()) {
        return make_error(ErrorCode::kInvalidArgument, "an issuer has no ?query", "--oauth-issuer");
    }
    TB_TRY(OauthUrl resource, parse_setting(settings.resource, "--oauth-resource"));
    if (is_url(settings.key_set)) {
        TB_TRY(keys.key_set, parse_setting(settings.key_set, "--oauth-jwks"));
    } else if (!settings.key_set.empty()) {
        keys.key_set_file = settings.key_set;
        const auto loaded = IssuerKeys::load_file(*keys.key_set_file);
        if (!loaded.has_value()) {
            return with_context(loaded.error(), "--oauth-jwks");
        }
    }
    TokenRules rules{settings.issuer, audiences_of(resource)};
    return std::shared_ptr<OauthResource>(new OauthResource(
        std::move(resource), std::move(rules), std::move(keys), clock, std::move(fetch)));
}

OauthResource::Verdict OauthResource::check_now(std::string_view token, bool may_ask_for_keys) {
    const auto refuse = [](TokenFault fault) {
        log(LogLevel::kInfo, "oauth: a token was refused: " + std::string(token_fault_text(fault)));
        return Verdict{Status::kRefused, {}};
    };
    const auto unchecked = split_token(token);
    if (!unchecked.has_value()) {
        return refuse(unchecked.error());
    }
    // What a token of ours would never say needs no key, and makes us fetch none.
    const std::int64_t now = clock_.now().micros / 1'000'000;
    auto principal = check_claims(*unchecked->claims, rules_, now);
    if (!principal.has_value()) {
        return refuse(principal.error());
    }
    const auto keys = keys_.keys();
    if (keys == nullptr) {
        return {may_ask_for_keys ? Status::kKeysNeeded : Status::kUnavailable, {}};
    }
    switch (keys->verify(unchecked->algorithm, unchecked->key_id, unchecked->signed_text,
                         unchecked->signature)) {
        case KeySet::Verdict::kGood:
            return {Status::kAccepted, std::move(*principal)};
        case KeySet::Verdict::kUnknownKey:
            if (may_ask_for_keys && keys_.may_refresh()) {
                return {Status::kKeysNeeded, {}};
            }
            return refuse(TokenFault::kUnknownKey);
        case KeySet::Verdict::kBad:
            break;
    }
    return refuse(TokenFault::kSignature);
}

OauthResource::Verdict OauthResource::check(std::string_view token) {
    return check_now(token, true);
}

OauthResource::Verdict OauthResource::check_with_fetch(std::string_view token,
                                                       const CancelToken& cancel) {
    // Others may have waited for the same keys.
    Verdict verdict = check_now(token, true);
    if (verdict.status != Status::kKeysNeeded) {
        return verdict;
    }
    if (!keys_.refresh(keys_.keys() != nullptr, cancel)) {
        return {Status::kUnavailable, {}};
    }
    return check_now(token, false);
}

void OauthResource::warm_up(const CancelToken& cancel) {
    static_cast<void>(keys_.refresh(false, cancel));
}

bool OauthResource::is_metadata_path(std::string_view path, std::string_view endpoint_path) const {
    if (!path.starts_with(kMetadataPath)) {
        return false;
    }
    path.remove_prefix(kMetadataPath.size());
    return path.empty() || path == resource_.path || path == endpoint_path;
}

std::string OauthResource::metadata_text(const std::set<std::string>& scopes) const {
    const Json json = {{"resource", resource_.text},
                       {"authorization_servers", Json::array({rules_.issuer})},
                       {"scopes_supported", scopes},
                       {"bearer_methods_supported", Json::array({"header"})},
                       {"resource_name", "TradeBlocks"}};
    return to_json_text(json);
}

}  // namespace tb::mcp
