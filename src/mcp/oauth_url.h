// The few URLs of OAuth: issuer, resource and key set, and the well-known places derived from them
// (RFC 8414, RFC 9728, OpenID Connect Discovery).
//
// Thread-safe (no state).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tb::mcp {

struct OauthUrl {
    std::string text;       // as given
    std::string host;       // lower case, IPv6 without brackets
    std::string authority;  // host and port as a Host header names them, lower case
    std::string path;       // "" or from the first slash, without the query
    std::string query;      // "" or from the question mark
    std::uint16_t port = 0;
    bool is_https = true;

    // "https://host:port"
    [[nodiscard]] std::string origin() const;
    // What a request line asks for: path and query, at least "/".
    [[nodiscard]] std::string target() const;
};

// An absolute https URL without user information and fragment; http is allowed for this machine
// only (localhost, 127.0.0.0/8, ::1). kInvalidArgument says what is wrong, for an operator.
[[nodiscard]] Result<OauthUrl> parse_oauth_url(std::string_view text);

// `name` put between host and path: https://h/a -> https://h/.well-known/NAME/a. A path that is a
// slash alone counts as none.
[[nodiscard]] std::string well_known_url(const OauthUrl& url, std::string_view name);

// Where an authorization server describes itself, in the order to ask: RFC 8414, then OpenID
// Connect with the path behind and before.
[[nodiscard]] std::vector<std::string> issuer_metadata_urls(const OauthUrl& issuer);

}  // namespace tb::mcp
