#include "oauth_signer.h"

#include <array>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/base64.h"

namespace tb::mcp::test {

namespace {

std::string number_of(EVP_PKEY* key, const char* name, int bytes) {
    BIGNUM* number = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &number), 1);
    std::string text(static_cast<std::size_t>(bytes > 0 ? bytes : BN_num_bytes(number)), '\0');
    BN_bn2binpad(number, reinterpret_cast<unsigned char*>(text.data()),
                 static_cast<int>(text.size()));
    BN_free(number);
    return base64url_encode(text);
}

// DER to r || s.
std::string raw_pair(const std::string& der) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* const pair = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size()));
    std::string raw(64, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + 32, 32);
    ECDSA_SIG_free(pair);
    return raw;
}

}  // namespace

Signer Signer::rsa(unsigned bits) {
    return Signer(EVP_RSA_gen(bits));
}

Signer Signer::p256() {
    return Signer(EVP_EC_gen("P-256"));
}

Signer Signer::ed25519() {
    return Signer(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

Json Signer::jwk(const std::string& key_id) const {
    Json jwk = {{"kid", key_id}, {"use", "sig"}};
    if (EVP_PKEY_is_a(key_.get(), "RSA") == 1) {
        jwk["kty"] = "RSA";
        jwk["n"] = number_of(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0);
        jwk["e"] = number_of(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0);
    } else if (EVP_PKEY_is_a(key_.get(), "EC") == 1) {
        jwk["kty"] = "EC";
        jwk["crv"] = "P-256";
        jwk["x"] = number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32);
        jwk["y"] = number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32);
    } else {
        std::array<unsigned char, 32> raw{};
        std::size_t size = raw.size();
        EVP_PKEY_get_raw_public_key(key_.get(), raw.data(), &size);
        jwk["kty"] = "OKP";
        jwk["crv"] = "Ed25519";
        jwk["x"] = base64url_encode({reinterpret_cast<const char*>(raw.data()), raw.size()});
    }
    return jwk;
}

std::string Signer::sign(const std::string& algorithm, std::string_view text) const {
    const bool is_edwards = EVP_PKEY_is_a(key_.get(), "ED25519") == 1;
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* key_context = nullptr;
    EXPECT_EQ(EVP_DigestSignInit(context, &key_context, is_edwards ? nullptr : EVP_sha256(),
                                 nullptr, key_.get()),
              1);
    if (algorithm == "PS256") {
        EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, 32);
    }
    const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    EXPECT_EQ(EVP_DigestSign(context, nullptr, &size, bytes, text.size()), 1);
    std::string signature(size, '\0');
    EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                             bytes, text.size()),
              1);
    EVP_MD_CTX_free(context);
    signature.resize(size);
    return EVP_PKEY_is_a(key_.get(), "EC") == 1 ? raw_pair(signature) : signature;
}

std::string Signer::token_of(const std::string& algorithm, const std::string& header,
                             const std::string& claims) const {
    const std::string text = base64url_encode(header) + "." + base64url_encode(claims);
    return text + "." + base64url_encode(sign(algorithm, text));
}

std::string Signer::token(const Json& header, const Json& claims) const {
    return token_of(header.value("alg", ""), header.dump(), claims.dump());
}

std::string Signer::public_pem() const {
    BIO* const memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(memory, key_.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(memory);
    return text;
}

const Signer& rsa_signer() {
    static const Signer signer = Signer::rsa();
    return signer;
}

const Signer& p256_signer() {
    static const Signer signer = Signer::p256();
    return signer;
}

const Signer& ed25519_signer() {
    static const Signer signer = Signer::ed25519();
    return signer;
}

Json good_claims() {
    return {{"iss", kIssuer},       {"aud", kResource},
            {"sub", "user-17"},     {"client_id", "desk"},
            {"exp", kNow + 300},    {"nbf", kNow - 10},
            {"iat", kNow - 10},     {"scope", "openid blocks:read sql:read"},
            {"jti", "never-logged"}};
}

std::string key_set_text(const std::vector<Json>& keys) {
    return Json{{"keys", keys}}.dump();
}

void FakeWeb::put(const std::string& url, std::string text) {
    const std::lock_guard lock(state_->mutex);
    state_->documents[url] = std::move(text);
}

void FakeWeb::remove(const std::string& url) {
    const std::lock_guard lock(state_->mutex);
    state_->documents.erase(url);
}

std::vector<std::string> FakeWeb::asked() const {
    const std::lock_guard lock(state_->mutex);
    return state_->asked;
}

DocumentFetcher FakeWeb::fetcher() {
    return [state = state_](const OauthUrl& url, const CancelToken&) -> Result<std::string> {
        const std::lock_guard lock(state->mutex);
        state->asked.push_back(url.text);
        const auto found = state->documents.find(url.text);
        if (found == state->documents.end()) {
            return make_error(ErrorCode::kIo, "the answer is status 404, not 200", url.text);
        }
        return found->second;
    };
}

}  // namespace tb::mcp::test
