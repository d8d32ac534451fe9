// Which text encoding a file is in, decided over all of its bytes as they stream by (for instance
// while they are hashed), so that decoding never has to start over.
//
// A byte-order mark or a NUL pattern in the first kilobyte says UTF-16. A file that begins with the
// mark of UTF-8 is UTF-8, whatever follows: a bad byte in it is damage, which the decoder repairs.
// Without any mark valid UTF-8 is UTF-8 and the first invalid byte makes the file Windows-1252.
//
// Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tb::csv {

enum class Encoding { kUtf8, kUtf16Le, kUtf16Be, kWindows1252 };

[[nodiscard]] std::string_view encoding_name(Encoding encoding);

class EncodingDetector {
  public:
    // Consecutive pieces of the file, of any size.
    void update(std::span<const std::byte> bytes);
    // After the last piece. A sequence cut off at the end of the file counts as invalid.
    [[nodiscard]] Encoding finish() const;
    // No byte so far contradicts UTF-8.
    [[nodiscard]] bool valid_utf8_so_far() const { return !invalid_; }
    // The same, and no sequence is unfinished.
    [[nodiscard]] bool valid_utf8() const { return !invalid_ && pending_ == 0; }
    [[nodiscard]] std::uint64_t bytes_seen() const { return position_; }

  private:
    void check_utf8(std::span<const std::byte> bytes);

    std::uint64_t position_ = 0;
    std::uint32_t pending_ = 0;     // continuation bytes still expected
    std::uint8_t next_min_ = 0x80;  // allowed range of the next continuation byte
    std::uint8_t next_max_ = 0xBF;
    bool invalid_ = false;
    std::uint8_t first_[3] = {0, 0, 0};
    std::uint32_t even_nuls_ = 0;  // NULs at even/odd offsets of the first kilobyte
    std::uint32_t odd_nuls_ = 0;
    std::uint32_t probed_ = 0;
};

}  // namespace tb::csv
