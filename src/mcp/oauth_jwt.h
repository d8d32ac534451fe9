// Access tokens as JSON Web Tokens (RFC 7515, 7519, 8725, 9068): what one must look like and say
// to be for us. The signature is checked in between, by mcp/oauth_keys.h.
//
// Strict where two readings could differ: three segments, base64url without padding and stray bits,
// no member named twice, no critical extensions, a `typ` that is an access token's if there is one.
// The header's own ideas of keys (jwk, jku, x5u, x5c) are never looked at.
//
// Thread-safe (no state).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "mcp/context.h"
#include "mcp/json_box.h"
#include "mcp/oauth_keys.h"

namespace tb::mcp {

inline constexpr std::size_t kMaxAccessTokenBytes = std::size_t{16} << 10U;
inline constexpr std::int64_t kTokenLeewaySeconds = 60;

// Why a token is refused: for our log. The client learns only that it is.
enum class TokenFault {
    kMalformed,
    kAlgorithm,
    kUnknownKey,
    kSignature,
    kIssuer,
    kAudience,
    kExpired,
    kNotYetValid,
    kSubject,  // no `sub`, or one too long for a name
    kBound,    // bound to a key of the client (cnf), which a bearer token cannot prove
};
[[nodiscard]] std::string_view token_fault_text(TokenFault fault);

// A token taken apart, nothing checked yet. The views are into the token's text.
struct UncheckedToken {
    JwsAlgorithm algorithm = JwsAlgorithm::kRs256;
    std::optional<std::string> key_id;
    std::string_view signed_text;
    std::string signature;
    JsonBox claims;
};
[[nodiscard]] tl::expected<UncheckedToken, TokenFault> split_token(std::string_view token);

struct TokenRules {
    std::string issuer;                  // exactly `iss`
    std::vector<std::string> audiences;  // one of them is in `aud`
};
// Who the claims speak of: `sub` with the client (`client_id`, else `azp`), percent-encoded, as
// "oauth:SUB" or "oauth:SUB/CLIENT"; those of our scopes that `scope` (else `scp`) grants, with
// what they imply. The times are good to kTokenLeewaySeconds; `exp` must be there.
[[nodiscard]] tl::expected<Principal, TokenFault> check_claims(const Json& claims,
                                                               const TokenRules& rules,
                                                               std::int64_t now_seconds);

}  // namespace tb::mcp
