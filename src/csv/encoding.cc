#include "csv/encoding.h"

#include <algorithm>
#include <cstring>

namespace tb::csv {

namespace {

constexpr std::uint64_t kProbeBytes = 1024;

// Bytes at the front that are plain ASCII, counted in steps of 32.
std::size_t ascii_run(const std::byte* data, std::size_t size) {
    constexpr std::uint64_t kHighBits = 0x8080808080808080U;
    std::size_t at = 0;
    while (size - at >= 32) {
        std::uint64_t words[4];
        std::memcpy(words, data + at, sizeof(words));
        if (((words[0] | words[1] | words[2] | words[3]) & kHighBits) != 0) {
            break;
        }
        at += 32;
    }
    return at;
}

}  // namespace

std::string_view encoding_name(Encoding encoding) {
    switch (encoding) {
        case Encoding::kUtf8:
            return "UTF-8";
        case Encoding::kUtf16Le:
            return "UTF-16LE";
        case Encoding::kUtf16Be:
            return "UTF-16BE";
        case Encoding::kWindows1252:
            return "Windows-1252";
    }
    return "UTF-8";
}

void EncodingDetector::update(std::span<const std::byte> bytes) {
    for (std::size_t i = 0; i < bytes.size() && position_ + i < kProbeBytes; ++i) {
        const std::uint64_t at = position_ + i;
        const auto byte = std::to_integer<std::uint8_t>(bytes[i]);
        if (at < 3) {
            first_[at] = byte;
        }
        if (byte == 0) {
            ++(at % 2 == 0 ? even_nuls_ : odd_nuls_);
        }
        ++probed_;
    }
    position_ += bytes.size();
    if (!invalid_) {
        check_utf8(bytes);
    }
}

// The well-formed byte sequences of Unicode table 3-7: the range of the second byte depends on the
// first, which keeps out overlong forms, surrogates and values above U+10FFFF.
void EncodingDetector::check_utf8(std::span<const std::byte> bytes) {
    std::size_t i = 0;
    while (i < bytes.size()) {
        if (pending_ == 0) {
            i += ascii_run(bytes.data() + i, bytes.size() - i);
            if (i == bytes.size()) {
                return;
            }
        }
        const auto byte = std::to_integer<std::uint8_t>(bytes[i]);
        ++i;
        if (pending_ > 0) {
            if (byte < next_min_ || byte > next_max_) {
                invalid_ = true;
                return;
            }
            --pending_;
            next_min_ = 0x80;
            next_max_ = 0xBF;
        } else if (byte >= 0x80) {
            if (byte < 0xC2 || byte > 0xF4) {
                invalid_ = true;
                return;
            }
            pending_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
            next_min_ = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
            next_max_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
        }
    }
}

Encoding EncodingDetector::finish() const {
    if (position_ >= 2) {
        if (first_[0] == 0xFF && first_[1] == 0xFE) {
            return Encoding::kUtf16Le;
        }
        if (first_[0] == 0xFE && first_[1] == 0xFF) {
            return Encoding::kUtf16Be;
        }
    }
    if (position_ >= 3 && first_[0] == 0xEF && first_[1] == 0xBB && first_[2] == 0xBF) {
        return Encoding::kUtf8;
    }
    // English text in UTF-16 has a NUL in nearly every unit, always on the same side; a stray NUL
    // in a text of single bytes does not reach that share.
    const std::uint32_t units = probed_ / 2;
    if (units >= 2 && even_nuls_ == 0 && odd_nuls_ * 10 >= units * 7) {
        return Encoding::kUtf16Le;
    }
    if (units >= 2 && odd_nuls_ == 0 && even_nuls_ * 10 >= units * 7) {
        return Encoding::kUtf16Be;
    }
    return invalid_ || pending_ > 0 ? Encoding::kWindows1252 : Encoding::kUtf8;
}

}  // namespace tb::csv
