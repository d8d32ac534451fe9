// Bytes of a file to UTF-8 text, piece by piece, without its byte-order mark.
//
// Text that is UTF-8 already is passed through without a copy, but checked: the engine accepts
// invalid bytes and fails much later. Windows-1252 follows the WHATWG table, which gives the five
// undefined bytes (81 8D 8F 90 9D) the control characters of the same number, so no byte is lost.
// A unit of UTF-16 that pairs with nothing becomes U+FFFD and is counted, and so does what is no
// UTF-8 in a file that says by its byte-order mark that it is (one for each maximal subpart, as
// the Unicode standard recommends).
//
// Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "csv/encoding.h"

namespace tb::csv {

class Decoder {
  public:
    explicit Decoder(Encoding encoding) : encoding_(encoding) {}

    // Text of the next bytes; valid until the next call and as long as `bytes`. Bytes of a
    // character cut off at the end wait for the next call. kBusy if text taken for UTF-8 without a
    // mark is not: the encoding was decided over other bytes than these, so the file changed in
    // between.
    [[nodiscard]] Result<std::string_view> decode(std::span<const std::byte> bytes);
    // Text still held back at the end of the file.
    [[nodiscard]] Result<std::string_view> finish();

    // After finish: the file ended in the middle of a character.
    [[nodiscard]] bool cut_inside_character() const { return cut_; }
    // Characters replaced by U+FFFD so far.
    [[nodiscard]] std::int64_t replaced() const { return replaced_; }

  private:
    [[nodiscard]] Result<std::string_view> decode_bytes(std::span<const std::byte> bytes);
    [[nodiscard]] Result<std::string_view> decode_behind_head(std::span<const std::byte> bytes);
    [[nodiscard]] Result<void> check_utf8(std::span<const std::byte> bytes);
    [[nodiscard]] std::string_view decode_marked(std::span<const std::byte> bytes);
    void repair_utf8(std::string_view text);
    void append_utf16_unit(std::uint32_t unit);
    void append_code_point(std::uint32_t code);

    Encoding encoding_;
    EncodingDetector utf8_;
    std::string out_;
    std::string head_;  // first bytes, held back while they may still become a byte-order mark
    bool head_done_ = false;
    bool marked_utf8_ = false;
    std::string held_;                  // marked UTF-8: a character cut off by the end of a piece
    int odd_byte_ = -1;                 // UTF-16: first byte of a unit cut by a piece
    std::uint32_t high_surrogate_ = 0;  // UTF-16: waiting for its partner
    bool at_start_ = true;
    bool cut_ = false;
    std::int64_t replaced_ = 0;
};

}  // namespace tb::csv
