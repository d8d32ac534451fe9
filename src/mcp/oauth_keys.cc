#include "mcp/oauth_keys.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "core/base64.h"
#include "mcp/oauth_json.h"

namespace tb::mcp {

namespace {

constexpr int kMinRsaBits = 2'048;
constexpr int kMaxRsaBits = 8'192;
constexpr std::size_t kMaxExponentBytes = 8;
constexpr std::size_t kP256Bytes = 32;
constexpr std::size_t kEd25519Bytes = 32;

template <auto Free>
struct Freer {
    template <class T>
    void operator()(T* pointer) const {
        Free(pointer);
    }
};
using Pkey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// OpenSSL keeps a list of errors for each thread; ours say all there is to say.
class QuietErrors {
  public:
    QuietErrors() = default;
    QuietErrors(const QuietErrors&) = delete;
    QuietErrors& operator=(const QuietErrors&) = delete;
    ~QuietErrors() { ERR_clear_error(); }
};

std::optional<std::string> decoded_member(const Json& jwk, const char* name) {
    const std::string* const text = oauth_text(jwk, name);
    return text == nullptr ? std::nullopt : base64url_decode(*text);
}

BigNumber big_number(std::string_view bytes) {
    return BigNumber(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

// A public key from its parameters, checked (point on the curve, sane modulus).
Pkey make_key(const char* type, OSSL_PARAM_BLD* builder) {
    const Params params(OSSL_PARAM_BLD_to_param(builder));
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* raw = nullptr;
    if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
        return nullptr;
    }
    Pkey key(raw);
    const PkeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    return check != nullptr && EVP_PKEY_public_check(check.get()) == 1 ? std::move(key) : nullptr;
}

Pkey rsa_key(const Json& jwk) {
    const auto modulus = decoded_member(jwk, "n");
    const auto exponent = decoded_member(jwk, "e");
    if (!modulus.has_value() || !exponent.has_value() || modulus->size() > kMaxRsaBits / 8 + 1 ||
        exponent->empty() || exponent->size() > kMaxExponentBytes) {
        return nullptr;
    }
    const BigNumber n = big_number(*modulus);
    const BigNumber e = big_number(*exponent);
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    if (n == nullptr || e == nullptr || builder == nullptr || BN_num_bits(n.get()) < kMinRsaBits ||
        BN_num_bits(n.get()) > kMaxRsaBits || BN_is_odd(e.get()) != 1 || BN_is_one(e.get()) == 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
        return nullptr;
    }
    return make_key("RSA", builder.get());
}

Pkey p256_key(const Json& jwk) {
    const std::string* const curve = oauth_text(jwk, "crv");
    const auto x = decoded_member(jwk, "x");
    const auto y = decoded_member(jwk, "y");
    if (curve == nullptr || *curve != "P-256" || !x.has_value() || !y.has_value() ||
        x->size() != kP256Bytes || y->size() != kP256Bytes) {
        return nullptr;
    }
    const std::string point = '\x04' + *x + *y;  // uncompressed
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    if (builder == nullptr ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) !=
            1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1) {
        return nullptr;
    }
    return make_key("EC", builder.get());
}

Pkey ed25519_key(const Json& jwk) {
    const std::string* const curve = oauth_text(jwk, "crv");
    const auto x = decoded_member(jwk, "x");
    if (curve == nullptr || *curve != "Ed25519" || !x.has_value() || x->size() != kEd25519Bytes) {
        return nullptr;
    }
    return Pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(*x), x->size()));
}

// `use` and `key_ops` may be absent, but must not say something else.
bool is_for_signatures(const Json& jwk) {
    if (const auto use = jwk.find("use"); use != jwk.end() && *use != "sig") {
        return false;
    }
    const auto operations = jwk.find("key_ops");
    return operations == jwk.end() ||
           (operations->is_array() &&
            std::find(operations->begin(), operations->end(), "verify") != operations->end());
}

// r || s as the two integers of a DER structure, which is what OpenSSL reads.
std::string der_of(std::string_view signature) {
    if (signature.size() != 2 * kP256Bytes) {
        return {};
    }
    const EcdsaSignature pair(ECDSA_SIG_new());
    BigNumber r = big_number(signature.substr(0, kP256Bytes));
    BigNumber s = big_number(signature.substr(kP256Bytes));
    if (pair == nullptr || r == nullptr || s == nullptr ||
        ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) {
        return {};
    }
    static_cast<void>(r.release());  // the pair's now
    static_cast<void>(s.release());
    unsigned char* raw = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &raw);
    if (size <= 0) {
        return {};
    }
    std::string der(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size));
    OPENSSL_free(raw);
    return der;
}

bool use_pss(EVP_PKEY_CTX* context) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool is_signed_by(EVP_PKEY* key, JwsAlgorithm algorithm, std::string_view text,
                  std::string_view signature) {
    const std::string der =
        algorithm == JwsAlgorithm::kEs256 ? der_of(signature) : std::string(signature);
    const EVP_MD* const digest = algorithm == JwsAlgorithm::kEd25519 ? nullptr : EVP_sha256();
    const DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
    return !der.empty() && context != nullptr &&
           EVP_DigestVerifyInit(context.get(), &key_context, digest, nullptr, key) == 1 &&
           (algorithm != JwsAlgorithm::kPs256 || use_pss(key_context)) &&
           EVP_DigestVerify(context.get(), bytes_of(der), der.size(), bytes_of(text),
                            text.size()) == 1;
}

}  // namespace

struct KeySet::Key {
    std::optional<std::string> id;
    std::string type;                       // kty
    std::optional<JwsAlgorithm> algorithm;  // if the key is for one only
    Pkey key;

    [[nodiscard]] bool fits(JwsAlgorithm wanted) const {
        if (algorithm.has_value() && algorithm != wanted) {
            return false;
        }
        switch (wanted) {
            case JwsAlgorithm::kRs256:
            case JwsAlgorithm::kPs256:
                return type == "RSA";
            case JwsAlgorithm::kEs256:
                return type == "EC";
            case JwsAlgorithm::kEd25519:
                return type == "OKP";
        }
        return false;
    }
};

std::optional<JwsAlgorithm> parse_jws_algorithm(std::string_view name) {
    if (name == "RS256") {
        return JwsAlgorithm::kRs256;
    }
    if (name == "PS256") {
        return JwsAlgorithm::kPs256;
    }
    if (name == "ES256") {
        return JwsAlgorithm::kEs256;
    }
    if (name == "EdDSA" || name == "Ed25519") {
        return JwsAlgorithm::kEd25519;
    }
    return std::nullopt;
}

Result<KeySet> KeySet::parse(std::string_view text) {
    if (text.size() > kMaxKeySetBytes) {
        return make_error(ErrorCode::kResourceExhausted, "the key set is above 256 kB");
    }
    TB_TRY(const Json json, parse_oauth_json(text));
    const auto list = json.find("keys");
    if (list == json.end() || !list->is_array()) {
        return make_error(ErrorCode::kParse, "not a JWK Set: it has no array \"keys\"");
    }
    if (list->size() > kMaxKeys) {
        return make_error(ErrorCode::kResourceExhausted, "the key set has more than 100 keys");
    }
    const QuietErrors quiet;
    KeySet set;
    for (const Json& jwk : *list) {
        const std::string* const type = jwk.is_object() ? oauth_text(jwk, "kty") : nullptr;
        if (type == nullptr || !is_for_signatures(jwk)) {
            continue;
        }
        Key key;
        key.type = *type;
        if (const auto id = jwk.find("kid"); id != jwk.end()) {
            if (!id->is_string()) {
                continue;
            }
            key.id = id->get<std::string>();
        }
        if (const auto algorithm = jwk.find("alg"); algorithm != jwk.end()) {
            key.algorithm = algorithm->is_string()
                                ? parse_jws_algorithm(algorithm->get_ref<const std::string&>())
                                : std::nullopt;
            if (!key.algorithm.has_value()) {
                continue;
            }
        }
        key.key = *type == "RSA"   ? rsa_key(jwk)
                  : *type == "EC"  ? p256_key(jwk)
                  : *type == "OKP" ? ed25519_key(jwk)
                                   : nullptr;
        if (key.key != nullptr) {
            set.keys_.push_back(std::make_shared<const Key>(std::move(key)));
        }
    }
    if (set.keys_.empty()) {
        return make_error(ErrorCode::kInvalidArgument,
                          "no key of the set can be used: RSA from 2048 bits, EC on P-256 or "
                          "Ed25519, for signatures");
    }
    return set;
}

KeySet::Verdict KeySet::verify(JwsAlgorithm algorithm, const std::optional<std::string>& key_id,
                               std::string_view signed_text, std::string_view signature) const {
    std::vector<const Key*> candidates;
    for (const auto& key : keys_) {
        if (key->fits(algorithm) && (!key_id.has_value() || key->id == key_id)) {
            candidates.push_back(key.get());
        }
    }
    if (candidates.empty() || (!key_id.has_value() && candidates.size() > 1)) {
        return Verdict::kUnknownKey;
    }
    const QuietErrors quiet;
    const bool good = std::any_of(candidates.begin(), candidates.end(), [&](const Key* key) {
        return is_signed_by(key->key.get(), algorithm, signed_text, signature);
    });
    return good ? Verdict::kGood : Verdict::kBad;
}

}  // namespace tb::mcp
