#include "csv/decoder.h"

#include <array>

#include <fmt/format.h>

namespace tb::csv {

namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr std::uint32_t kReplacement = 0xFFFD;

// Code points of the bytes 80..9F (WHATWG index windows-1252); the others are their own number.
constexpr std::array<std::uint16_t, 32> kWindows1252 = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void Decoder::append_code_point(std::uint32_t code) {
    const auto put = [this](std::uint32_t byte) { out_.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0U | (code >> 6U));
        put(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
        put(0xE0U | (code >> 12U));
        put(0x80U | ((code >> 6U) & 0x3FU));
        put(0x80U | (code & 0x3FU));
    } else {
        put(0xF0U | (code >> 18U));
        put(0x80U | ((code >> 12U) & 0x3FU));
        put(0x80U | ((code >> 6U) & 0x3FU));
        put(0x80U | (code & 0x3FU));
    }
}

void Decoder::append_utf16_unit(std::uint32_t unit) {
    const bool first = at_start_;
    at_start_ = false;
    if (first && unit == 0xFEFF) {
        return;
    }
    const bool low = unit >= 0xDC00 && unit <= 0xDFFF;
    if (high_surrogate_ != 0) {
        const std::uint32_t high = high_surrogate_;
        high_surrogate_ = 0;
        if (low) {
            append_code_point(0x10000 + ((high - 0xD800) << 10U) + (unit - 0xDC00));
            return;
        }
        ++replaced_;
        append_code_point(kReplacement);
    }
    if (unit >= 0xD800 && unit <= 0xDBFF) {
        high_surrogate_ = unit;
    } else if (low) {
        ++replaced_;
        append_code_point(kReplacement);
    } else {
        append_code_point(unit);
    }
}

Result<std::string_view> Decoder::decode_bytes(std::span<const std::byte> bytes) {
    switch (encoding_) {
        case Encoding::kUtf8:
            return as_text(bytes);
        case Encoding::kWindows1252:
            for (const std::byte value : bytes) {
                const auto byte = std::to_integer<std::uint32_t>(value);
                append_code_point(byte >= 0x80 && byte < 0xA0 ? kWindows1252[byte - 0x80] : byte);
            }
            return std::string_view(out_);
        case Encoding::kUtf16Le:
        case Encoding::kUtf16Be:
            break;
    }
    for (const std::byte value : bytes) {
        const auto byte = std::to_integer<int>(value);
        if (odd_byte_ < 0) {
            odd_byte_ = byte;
            continue;
        }
        const int unit =
            encoding_ == Encoding::kUtf16Le ? odd_byte_ | (byte << 8) : (odd_byte_ << 8) | byte;
        odd_byte_ = -1;
        append_utf16_unit(static_cast<std::uint32_t>(unit));
    }
    return std::string_view(out_);
}

Result<std::string_view> Decoder::decode(std::span<const std::byte> bytes) {
    out_.clear();
    if (encoding_ == Encoding::kUtf8) {
        utf8_.update(bytes);
        if (!utf8_.valid_utf8_so_far()) {
            return make_error(
                ErrorCode::kBusy,
                fmt::format("byte sequence within the first {} bytes is not UTF-8 although the "
                            "file was taken for UTF-8; it seems to have changed while being read",
                            utf8_.bytes_seen()));
        }
    }
    const bool single_bytes = encoding_ == Encoding::kUtf8 || encoding_ == Encoding::kWindows1252;
    if (head_done_ || !single_bytes) {
        return decode_bytes(bytes);
    }
    // Until three bytes are there, or the first ones differ from the mark.
    while (!bytes.empty() && head_.size() < kUtf8Mark.size() &&
           kUtf8Mark.substr(0, head_.size()) == head_) {
        head_.push_back(static_cast<char>(bytes.front()));
        bytes = bytes.subspan(1);
    }
    if (head_.size() < kUtf8Mark.size() && kUtf8Mark.substr(0, head_.size()) == head_) {
        return std::string_view();
    }
    head_done_ = true;
    if (head_ == kUtf8Mark) {
        return decode_bytes(bytes);
    }
    if (encoding_ == Encoding::kUtf8) {
        out_.append(head_);
        out_.append(as_text(bytes));
        return std::string_view(out_);
    }
    TB_TRY([[maybe_unused]] const auto head_text, decode_bytes(std::as_bytes(std::span(head_))));
    return decode_bytes(bytes);
}

Result<std::string_view> Decoder::finish() {
    out_.clear();
    if (odd_byte_ >= 0 || high_surrogate_ != 0) {
        cut_ = true;
        ++replaced_;
        append_code_point(kReplacement);
        odd_byte_ = -1;
        high_surrogate_ = 0;
        return std::string_view(out_);
    }
    if (encoding_ == Encoding::kUtf8 && !utf8_.valid_utf8()) {
        return make_error(ErrorCode::kBusy,
                          "the file ends inside a character although it was taken for UTF-8; it "
                          "seems to have changed while being read");
    }
    if (!head_done_) {
        head_done_ = true;
        return decode_bytes(std::as_bytes(std::span(head_)));
    }
    return std::string_view();
}

}  // namespace tb::csv
