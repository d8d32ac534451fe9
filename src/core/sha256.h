// SHA-256 over a stream of bytes (OpenSSL EVP, which uses the processor's SHA instructions).
//
// Thread-compatible: one hasher per thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace tb {

class Sha256 {
  public:
    Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    ~Sha256();

    void update(std::span<const std::byte> bytes);
    // Lower-case hex of everything so far; the hasher starts anew afterwards.
    [[nodiscard]] std::string finish_hex();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

[[nodiscard]] std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace tb
