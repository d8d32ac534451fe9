// Public keys of an authorization server and the signatures they check (RFC 7515, 7517, 7518, 8037,
// 9864), with OpenSSL.
//
// Signatures by a shared secret (HS*) and by nobody ("none") do not exist here, and a key checks
// only the algorithms that its own type names: what a token says about itself chooses nothing else.
//
// Immutable, thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tb::mcp {

enum class JwsAlgorithm {
    kRs256,    // RSASSA-PKCS1-v1_5 with SHA-256
    kPs256,    // RSASSA-PSS with SHA-256, salt of 32 bytes
    kEs256,    // ECDSA on P-256 with SHA-256, signature r || s
    kEd25519,  // as "EdDSA" or "Ed25519"
};
// Empty for every other name, in whatever case.
[[nodiscard]] std::optional<JwsAlgorithm> parse_jws_algorithm(std::string_view name);

inline constexpr std::size_t kMaxKeySetBytes = std::size_t{256} << 10U;
inline constexpr std::size_t kMaxKeys = 100;

class KeySet {
  public:
    KeySet() = default;
    // A JWK Set. Keys that are not for signatures or not for our algorithms are left out: RSA of
    // 2048 to 8192 bits, EC on P-256, Ed25519. kParse: not a JWK Set; kResourceExhausted: above
    // kMaxKeySetBytes or kMaxKeys; kInvalidArgument: no key of it can be used.
    [[nodiscard]] static Result<KeySet> parse(std::string_view text);

    enum class Verdict {
        kGood,
        kBad,         // a key for it is here, the signature is not by it
        kUnknownKey,  // no key with this id and type
    };
    // Without a key id the set must hold exactly one key for this algorithm.
    [[nodiscard]] Verdict verify(JwsAlgorithm algorithm, const std::optional<std::string>& key_id,
                                 std::string_view signed_text, std::string_view signature) const;
    [[nodiscard]] std::size_t size() const { return keys_.size(); }

  private:
    struct Key;
    std::vector<std::shared_ptr<const Key>> keys_;
};

}  // namespace tb::mcp
