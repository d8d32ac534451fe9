// The other side of OAuth for tests: an authorization server's keys, its tokens and its addresses.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "core/clock.h"
#include "mcp/json_box.h"
#include "mcp/oauth_fetch.h"

namespace tb::mcp::test {

inline const std::string kIssuer = "https://id.example.com/tenant";
inline const std::string kResource = "https://trades.example.com/mcp";
inline constexpr std::int64_t kNow = 1'795'000'000;  // 2026-11-18

// One private key.
class Signer {
  public:
    static Signer rsa(unsigned bits = 2'048);
    static Signer p256();
    static Signer ed25519();

    // The public half, as a key set lists it.
    [[nodiscard]] Json jwk(const std::string& key_id) const;
    // The bytes of a JWS signature; `algorithm` as in a header.
    [[nodiscard]] std::string sign(const std::string& algorithm, std::string_view text) const;
    // A compact token with this header and these claims.
    [[nodiscard]] std::string token(const Json& header, const Json& claims) const;
    // The same of texts that need not be JSON.
    [[nodiscard]] std::string token_of(const std::string& algorithm, const std::string& header,
                                       const std::string& claims) const;
    // The public key as PEM: the "secret" of an algorithm confusion.
    [[nodiscard]] std::string public_pem() const;
    [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }

  private:
    explicit Signer(EVP_PKEY* key) : key_(key, EVP_PKEY_free) {}
    std::shared_ptr<EVP_PKEY> key_;
};

// Made once: RSA keys take a while.
[[nodiscard]] const Signer& rsa_signer();
[[nodiscard]] const Signer& p256_signer();
[[nodiscard]] const Signer& ed25519_signer();

// Claims that are good for kIssuer and kResource at kNow.
[[nodiscard]] Json good_claims();
[[nodiscard]] std::string key_set_text(const std::vector<Json>& keys);

class FixedClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() const override {
        const std::lock_guard lock(mutex_);
        return {seconds_ * 1'000'000};
    }
    void set(std::int64_t seconds) {
        const std::lock_guard lock(mutex_);
        seconds_ = seconds;
    }
    void advance(std::int64_t seconds) {
        const std::lock_guard lock(mutex_);
        seconds_ += seconds;
    }

  private:
    mutable std::mutex mutex_;
    std::int64_t seconds_ = kNow;
};

// Documents by address, and which were asked for.
class FakeWeb {
  public:
    void put(const std::string& url, std::string text);
    void remove(const std::string& url);
    [[nodiscard]] std::vector<std::string> asked() const;
    [[nodiscard]] DocumentFetcher fetcher();

  private:
    struct State {
        std::mutex mutex;
        std::map<std::string, std::string> documents;
        std::vector<std::string> asked;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace tb::mcp::test
