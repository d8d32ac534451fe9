#include "core/sealer.h"

#include <array>
#include <memory>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "core/base64.h"
#include "core/check.h"

namespace tb {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

struct CipherFree {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherFree>;

unsigned char* bytes_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

Cipher start(const std::string& key, std::string_view nonce, std::string_view associated,
             int encrypting) {
    Cipher cipher(EVP_CIPHER_CTX_new());
    TB_CHECK(cipher != nullptr, "memory for a cipher context");
    TB_CHECK(EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key),
                               bytes_of(nonce), encrypting) == 1,
             "AES-256-GCM starts");
    int length = 0;
    TB_CHECK(EVP_CipherUpdate(cipher.get(), nullptr, &length, bytes_of(associated),
                              static_cast<int>(associated.size())) == 1,
             "associated data is taken");
    return cipher;
}

}  // namespace

std::string random_bytes(std::size_t count) {
    std::string out(count, '\0');
    TB_CHECK(RAND_bytes(bytes_of(out), static_cast<int>(count)) == 1,
             "the system gives randomness");
    return out;
}

std::string random_hex(std::size_t byte_count) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out;
    for (const char c : random_bytes(byte_count)) {
        const auto byte = static_cast<unsigned char>(c);
        out += kHex[byte >> 4U];
        out += kHex[byte & 15U];
    }
    return out;
}

Sealer::Sealer(std::string_view secret) {
    if (secret.empty()) {
        key_ = random_bytes(kKeyBytes);
        return;
    }
    key_.resize(kKeyBytes);
    unsigned int size = 0;
    TB_CHECK(
        EVP_Digest(secret.data(), secret.size(), bytes_of(key_), &size, EVP_sha256(), nullptr) == 1,
        "SHA-256 of the secret");
}

std::string Sealer::seal(std::string_view plain, std::string_view associated) const {
    const std::string nonce = random_bytes(kNonceBytes);
    const Cipher cipher = start(key_, nonce, associated, 1);
    std::string body(plain.size() + kTagBytes, '\0');
    int length = 0;
    TB_CHECK(EVP_CipherUpdate(cipher.get(), bytes_of(body), &length, bytes_of(plain),
                              static_cast<int>(plain.size())) == 1,
             "text is sealed");
    int rest = 0;
    TB_CHECK(EVP_CipherFinal_ex(cipher.get(), bytes_of(body) + length, &rest) == 1,
             "seal is closed");
    TB_CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTagBytes),
                                 bytes_of(body) + plain.size()) == 1,
             "seal has a tag");
    return base64url_encode(nonce + body);
}

std::optional<std::string> Sealer::open(std::string_view sealed,
                                        std::string_view associated) const {
    std::optional<std::string> raw = base64url_decode(sealed);
    if (!raw.has_value() || raw->size() < kNonceBytes + kTagBytes) {
        return std::nullopt;
    }
    const std::string_view nonce = std::string_view(*raw).substr(0, kNonceBytes);
    const std::string_view body =
        std::string_view(*raw).substr(kNonceBytes, raw->size() - kNonceBytes - kTagBytes);
    std::string tag = raw->substr(raw->size() - kTagBytes);
    const Cipher cipher = start(key_, nonce, associated, 0);
    std::string plain(body.size(), '\0');
    int length = 0;
    if (EVP_CipherUpdate(cipher.get(), bytes_of(plain), &length, bytes_of(body),
                         static_cast<int>(body.size())) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(kTagBytes),
                            tag.data()) != 1) {
        return std::nullopt;
    }
    int rest = 0;
    if (EVP_CipherFinal_ex(cipher.get(), bytes_of(plain) + length, &rest) != 1) {
        return std::nullopt;
    }
    return plain;
}

}  // namespace tb
