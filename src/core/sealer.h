// Sealed text: something we hand to a client and get back later, unread and unchanged.
//
// AES-256-GCM (OpenSSL) with a random 96-bit nonce; `associated` data is authenticated but not
// carried, so a seal opens only in the place it was made for. One key may seal 2^32 texts.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tb {

// From the operating system's generator; aborts if that fails.
[[nodiscard]] std::string random_bytes(std::size_t count);
// The same as lower-case hex: random_hex(16) is a 128-bit id.
[[nodiscard]] std::string random_hex(std::size_t byte_count);

class Sealer {
  public:
    // `secret` of any length is hashed to the key; empty = a random key of this process.
    explicit Sealer(std::string_view secret = {});

    // URL-safe text.
    [[nodiscard]] std::string seal(std::string_view plain, std::string_view associated) const;
    // Empty if `sealed` was changed, made with another key or for other associated data.
    [[nodiscard]] std::optional<std::string> open(std::string_view sealed,
                                                  std::string_view associated) const;

  private:
    std::string key_;
};

}  // namespace tb
