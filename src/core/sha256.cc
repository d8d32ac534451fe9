#include "core/sha256.h"

#include <array>

#include <openssl/evp.h>

#include "core/check.h"

namespace tb {

namespace {

// Fetched once: looking the algorithm up costs more than hashing a small file (08 §3).
const EVP_MD* algorithm() {
    static const EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    TB_CHECK(md != nullptr, "OpenSSL offers SHA-256");
    return md;
}

}  // namespace

struct Sha256::Impl {
    Impl() : context(EVP_MD_CTX_new()) {
        TB_CHECK(context != nullptr, "memory for a hash context");
        restart();
    }
    ~Impl() { EVP_MD_CTX_free(context); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    Impl(Impl&&) = delete;
    Impl& operator=(Impl&&) = delete;

    void restart() const {
        TB_CHECK(EVP_DigestInit_ex(context, algorithm(), nullptr) == 1, "SHA-256 starts");
    }
    EVP_MD_CTX* context;
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
    TB_CHECK(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1, "SHA-256 runs");
}

std::string Sha256::finish_hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    TB_CHECK(EVP_DigestFinal_ex(impl_->context, digest.data(), &size) == 1, "SHA-256 ends");
    impl_->restart();
    constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    text.reserve(std::size_t{size} * 2);
    for (unsigned int i = 0; i < size; ++i) {
        text.push_back(kHex[digest[i] >> 4U]);
        text.push_back(kHex[digest[i] & 15U]);
    }
    return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
    Sha256 hasher;
    hasher.update(bytes);
    return hasher.finish_hex();
}

}  // namespace tb
