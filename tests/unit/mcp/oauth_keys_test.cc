// Key sets and signatures; the fixed vectors are those of the RFCs.
#include "mcp/oauth_keys.h"

#include <gtest/gtest.h>

#include "core/base64.h"
#include "oauth_signer.h"

namespace tb::mcp::test {
namespace {

using Verdict = KeySet::Verdict;

// RFC 7515 A.2 and A.3 sign the same payload.
const std::string kRfc7515Payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";
const std::string kRfc7515A2Modulus =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4"
    "QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdb"
    "BYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-D"
    "WNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const std::string kRfc7515A2Signature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5ju"
    "jGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07"
    "Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipU"
    "TI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const std::string kRfc7515A3Signature =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

KeySet keys_of(const std::vector<Json>& keys) {
    auto set = KeySet::parse(key_set_text(keys));
    EXPECT_TRUE(set.has_value()) << set.error().to_string();
    return set.value_or(KeySet());
}

Verdict verify(const KeySet& keys, JwsAlgorithm algorithm, const std::string& text,
               const std::string& signature) {
    return keys.verify(algorithm, std::nullopt, text, *base64url_decode(signature));
}

// The signature with one bit flipped.
std::string flipped(const std::string& signature) {
    std::string bytes = *base64url_decode(signature);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    return base64url_encode(bytes);
}

TEST(OauthKeys, X2_Rfc7515A2Rs256) {
    const KeySet keys = keys_of({{{"kty", "RSA"}, {"n", kRfc7515A2Modulus}, {"e", "AQAB"}}});
    const std::string text = "eyJhbGciOiJSUzI1NiJ9." + kRfc7515Payload;
    EXPECT_EQ(verify(keys, JwsAlgorithm::kRs256, text, kRfc7515A2Signature), Verdict::kGood);
    EXPECT_EQ(verify(keys, JwsAlgorithm::kPs256, text, kRfc7515A2Signature), Verdict::kBad);
    EXPECT_EQ(verify(keys, JwsAlgorithm::kRs256, text, flipped(kRfc7515A2Signature)),
              Verdict::kBad);
    EXPECT_EQ(verify(keys, JwsAlgorithm::kRs256, text + "A", kRfc7515A2Signature), Verdict::kBad);
}

TEST(OauthKeys, X2_Rfc7515A3Es256) {
    const KeySet keys = keys_of({{{"kty", "EC"},
                                  {"crv", "P-256"},
                                  {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
                                  {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}}});
    const std::string text = "eyJhbGciOiJFUzI1NiJ9." + kRfc7515Payload;
    EXPECT_EQ(verify(keys, JwsAlgorithm::kEs256, text, kRfc7515A3Signature), Verdict::kGood);
    EXPECT_EQ(verify(keys, JwsAlgorithm::kEs256, text, flipped(kRfc7515A3Signature)),
              Verdict::kBad);
    // Another length is no pair of numbers; neither is r = s = 0 a signature.
    const std::string bytes = *base64url_decode(kRfc7515A3Signature);
    for (const std::string& wrong : {bytes + '\0', bytes.substr(1), std::string(64, '\0')}) {
        EXPECT_EQ(keys.verify(JwsAlgorithm::kEs256, std::nullopt, text, wrong), Verdict::kBad);
    }
}

TEST(OauthKeys, X2_Rfc8037A4Ed25519) {
    const KeySet keys = keys_of({{{"kty", "OKP"},
                                  {"crv", "Ed25519"},
                                  {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}});
    const std::string text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const std::string signature =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    EXPECT_EQ(verify(keys, JwsAlgorithm::kEd25519, text, signature), Verdict::kGood);
    EXPECT_EQ(verify(keys, JwsAlgorithm::kEd25519, text, flipped(signature)), Verdict::kBad);
}

TEST(OauthKeys, X2_EveryAlgorithmWithKeysOfOurOwn) {
    const KeySet keys =
        keys_of({rsa_signer().jwk("r"), p256_signer().jwk("e"), ed25519_signer().jwk("d")});
    ASSERT_EQ(keys.size(), 3U);
    struct Case {
        const Signer& signer;
        std::string key_id;
        std::string name;
    };
    for (const Case& one : {Case{rsa_signer(), "r", "RS256"}, Case{rsa_signer(), "r", "PS256"},
                            Case{p256_signer(), "e", "ES256"}, Case{ed25519_signer(), "d", "EdDSA"},
                            Case{ed25519_signer(), "d", "Ed25519"}}) {
        const auto algorithm = parse_jws_algorithm(one.name);
        ASSERT_TRUE(algorithm.has_value()) << one.name;
        const std::string signature = one.signer.sign(one.name, "a.b");
        EXPECT_EQ(keys.verify(*algorithm, one.key_id, "a.b", signature), Verdict::kGood)
            << one.name;
        EXPECT_EQ(keys.verify(*algorithm, one.key_id, "a.c", signature), Verdict::kBad);
        EXPECT_EQ(keys.verify(*algorithm, "other", "a.b", signature), Verdict::kUnknownKey);
    }
    // The algorithm of one type with the key of another.
    const std::string signature = rsa_signer().sign("RS256", "a.b");
    EXPECT_EQ(keys.verify(JwsAlgorithm::kRs256, "e", "a.b", signature), Verdict::kUnknownKey);
    EXPECT_EQ(keys.verify(JwsAlgorithm::kEs256, "r", "a.b", signature), Verdict::kUnknownKey);
    EXPECT_EQ(keys.verify(JwsAlgorithm::kEd25519, "r", "a.b", signature), Verdict::kUnknownKey);
    EXPECT_EQ(keys.verify(JwsAlgorithm::kPs256, "r", "a.b", signature), Verdict::kBad);
}

TEST(OauthKeys, X2_OtherAlgorithmsDoNotExist) {
    for (const char* const name : {"none", "None", "HS256", "HS384", "HS512", "RS384", "rs256",
                                   "ES384", "ES256K", "Ed448", "RSA1_5", "dir", "", " RS256"}) {
        EXPECT_EQ(parse_jws_algorithm(name), std::nullopt) << name;
    }
}

TEST(OauthKeys, X2_AKeyForOneAlgorithmChecksNoOther) {
    Json jwk = rsa_signer().jwk("r");
    jwk["alg"] = "PS256";
    const KeySet keys = keys_of({jwk});
    EXPECT_EQ(keys.verify(JwsAlgorithm::kPs256, "r", "t", rsa_signer().sign("PS256", "t")),
              Verdict::kGood);
    EXPECT_EQ(keys.verify(JwsAlgorithm::kRs256, "r", "t", rsa_signer().sign("RS256", "t")),
              Verdict::kUnknownKey);
}

TEST(OauthKeys, X2_WithoutAKeyIdTheChoiceMustBePlain) {
    const Signer second = Signer::p256();
    const std::string signature = p256_signer().sign("ES256", "t");
    const KeySet one = keys_of({p256_signer().jwk("a"), rsa_signer().jwk("b")});
    EXPECT_EQ(one.verify(JwsAlgorithm::kEs256, std::nullopt, "t", signature), Verdict::kGood);
    const KeySet two = keys_of({p256_signer().jwk("a"), second.jwk("b")});
    EXPECT_EQ(two.verify(JwsAlgorithm::kEs256, std::nullopt, "t", signature), Verdict::kUnknownKey);
    EXPECT_EQ(two.verify(JwsAlgorithm::kEs256, "b", "t", signature), Verdict::kBad);
}

TEST(OauthKeys, X2_KeysThatCannotBeUsedAreLeftOut) {
    const auto with = [](Json jwk, const char* name, const Json& value) {
        jwk[name] = value;
        return jwk;
    };
    const Json good = p256_signer().jwk("good");
    const Json ed = ed25519_signer().jwk("d");
    const Json rsa = rsa_signer().jwk("r");
    const std::vector<Json> bad = {
        with(good, "use", "enc"),
        with(good, "key_ops", {"sign"}),
        with(good, "alg", "ES384"),
        with(good, "crv", "P-384"),
        with(good, "kid", 7),
        with(good, "x", base64url_encode(std::string(32, '\x01'))),  // not on the curve
        with(good, "y", ""),
        with(ed, "x", base64url_encode(std::string(31, '\x01'))),
        with(ed, "crv", "X25519"),
        with(rsa, "e", "AQ"),    // 1
        with(rsa, "e", "Ag"),    // even
        with(rsa, "n", "AQAB"),  // 17 bits
        with(rsa, "n", rsa["n"].get<std::string>() + "="),
        Signer::rsa(1'024).jwk("small"),
        {{"kty", "oct"}, {"k", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"}},
        Json("text"),
        Json::object(),
    };
    for (const Json& jwk : bad) {
        const auto alone = KeySet::parse(key_set_text({jwk}));
        ASSERT_FALSE(alone.has_value()) << jwk.dump();
        EXPECT_EQ(alone.error().code, ErrorCode::kInvalidArgument) << jwk.dump();
        EXPECT_EQ(keys_of({jwk, good}).size(), 1U) << jwk.dump();
    }
}

TEST(OauthKeys, X2_HostileKeySetsAreErrors) {
    const std::string deep = std::string(40, '[') + std::string(40, ']');
    std::vector<Json> many(kMaxKeys + 1, p256_signer().jwk("k"));
    std::string wide = "{\"keys\":[]";
    for (int i = 0; i < 300; ++i) {
        wide += ",\"m" + std::to_string(i) + "\":0";
    }
    const std::string good = key_set_text({p256_signer().jwk("k")});
    for (const std::string& text :
         {std::string(), std::string("null"), std::string("[]"), std::string("{}"),
          std::string("{\"keys\":{}}"), "{\"keys\":" + deep + "}", key_set_text(many), wide + "}",
          good.substr(0, good.size() - 1), good + good, "{\"keys\":[]," + good.substr(1),
          good.substr(0, good.size() - 1) + ",\"x\":1e999}",
          good.substr(0, good.size() - 1) + ",\"x\":\"\xFF\"}",
          good + std::string(kMaxKeySetBytes, ' ')}) {
        const auto set = KeySet::parse(text);
        EXPECT_FALSE(set.has_value()) << text.substr(0, 200);
    }
}

}  // namespace
}  // namespace tb::mcp::test
