// OAuth 2.1 resource server (06 X2): tokens of somebody else's authorization server, and the
// documents that lead a client there (RFC 9728, RFC 6750). There is no authorization server here.
//
//     OauthSettings settings{"https://id.example.com", "https://trades.example.com/mcp", ""};
//     TB_TRY(options.oauth, OauthResource::make(settings));      // HttpOptions
//
// Tokens come in the Authorization header only. They are neither logged nor sent anywhere.
//
// Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/result.h"
#include "mcp/context.h"
#include "mcp/oauth_issuer.h"
#include "mcp/oauth_jwt.h"

namespace tb::mcp {

struct OauthSettings {
    std::string issuer;    // exactly as in `iss`
    std::string resource;  // the URL clients use for this server: the audience of their tokens
    std::string key_set;   // a file or an https URL; empty = ask the issuer
};

class OauthResource {
  public:
    // kInvalidArgument for URLs that cannot be; with a file also what IssuerKeys::load_file says.
    // The network is not touched.
    [[nodiscard]] static Result<std::shared_ptr<OauthResource>> make(
        const OauthSettings& settings, const Clock& clock = system_clock(),
        DocumentFetcher fetch = default_fetcher());
    [[nodiscard]] static DocumentFetcher default_fetcher();

    enum class Status {
        kAccepted,
        kRefused,      // 401
        kKeysNeeded,   // ask check_with_fetch()
        kUnavailable,  // the issuer's keys cannot be had: 503
    };
    struct Verdict {
        Status status = Status::kRefused;
        Principal principal;  // if accepted
    };
    // Costs well below a millisecond and does not wait; still not for an I/O thread.
    [[nodiscard]] Verdict check(std::string_view token);
    // After kKeysNeeded: may wait for the network. Never kKeysNeeded.
    [[nodiscard]] Verdict check_with_fetch(std::string_view token, const CancelToken& cancel);
    // Fetches the keys if there are none yet, so that the first caller need not wait and a wrong
    // address shows in the log.
    void warm_up(const CancelToken& cancel);

    // The name and port under which clients come, as in a Host header.
    [[nodiscard]] const std::string& authority() const { return resource_.authority; }
    // Where the document about this resource is, for WWW-Authenticate.
    [[nodiscard]] const std::string& metadata_url() const { return metadata_url_; }
    // True for the paths of that document: with the resource's path, with the endpoint's, and bare.
    [[nodiscard]] bool is_metadata_path(std::string_view path,
                                        std::string_view endpoint_path) const;
    // RFC 9728.
    [[nodiscard]] std::string metadata_text(const std::set<std::string>& scopes) const;

  private:
    OauthResource(OauthUrl resource, TokenRules rules, IssuerKeys::Options keys, const Clock& clock,
                  DocumentFetcher fetch);
    [[nodiscard]] Verdict check_now(std::string_view token, bool may_ask_for_keys);

    const OauthUrl resource_;
    const std::string metadata_url_;
    const TokenRules rules_;
    const Clock& clock_;
    IssuerKeys keys_;
};

}  // namespace tb::mcp
