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

unsigned char byte_at(std::string_view text, std::size_t i) {
    return static_cast<unsigned char>(text[i]);
}

// Bytes of the character that begins with `lead`; 0 if none does.
std::size_t utf8_length(unsigned char lead) {
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xC2 || lead > 0xF4) {
        return 0;
    }
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// How many bytes at the front of `text` belong to one character (Unicode table 3-7): all of it, or
// the longest part of one that could go on (`complete` false), at least 1.
struct Sequence {
    std::size_t size = 1;
    bool complete = false;
};

Sequence utf8_sequence(std::string_view text) {
    const unsigned char lead = byte_at(text, 0);
    const std::size_t length = utf8_length(lead);
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    std::size_t size = 1;
    while (size < length && size < text.size() && byte_at(text, size) >= low &&
           byte_at(text, size) <= high) {
        ++size;
        low = 0x80;
        high = 0xBF;
    }
    return {size, size == length};
}

// Bytes at the end that begin a character without ending it.
std::size_t cut_tail(std::string_view text) {
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        const std::size_t at = text.size() - back;
        const std::size_t length = utf8_length(byte_at(text, at));
        if (length > 0) {
            const Sequence sequence = utf8_sequence(text.substr(at));
            return !sequence.complete && sequence.size == back && length > back ? back : 0;
        }
    }
    return 0;
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

// Appends `text` with U+FFFD for what is no UTF-8.
void Decoder::repair_utf8(std::string_view text) {
    while (!text.empty()) {
        const Sequence sequence = utf8_sequence(text);
        if (sequence.complete) {
            out_.append(text.substr(0, sequence.size));
        } else {
            ++replaced_;
            append_code_point(kReplacement);
        }
        text.remove_prefix(sequence.size);
    }
}

std::string_view Decoder::decode_marked(std::span<const std::byte> bytes) {
    std::string_view text = as_text(bytes);
    std::string joined;
    if (!held_.empty()) {
        joined = held_;
        joined.append(text);
        text = joined;
        held_.clear();
    }
    const std::size_t tail = cut_tail(text);
    held_.assign(text.substr(text.size() - tail));
    text.remove_suffix(tail);
    EncodingDetector check;
    check.update(std::as_bytes(std::span(text)));
    if (check.valid_utf8() && joined.empty()) {
        return text;
    }
    repair_utf8(text);
    return out_;
}

Result<std::string_view> Decoder::decode_bytes(std::span<const std::byte> bytes) {
    switch (encoding_) {
        case Encoding::kUtf8:
            return marked_utf8_ ? decode_marked(bytes) : as_text(bytes);
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
    const bool single_bytes = encoding_ == Encoding::kUtf8 || encoding_ == Encoding::kWindows1252;
    if (single_bytes && !head_done_) {
        // Until three bytes are there, or the first ones differ from the mark.
        while (!bytes.empty() && head_.size() < kUtf8Mark.size() && kUtf8Mark.starts_with(head_)) {
            head_.push_back(static_cast<char>(bytes.front()));
            bytes = bytes.subspan(1);
        }
        if (head_.size() < kUtf8Mark.size() && kUtf8Mark.starts_with(head_)) {
            return std::string_view();
        }
        head_done_ = true;
        const bool mark = head_ == kUtf8Mark;
        marked_utf8_ = mark && encoding_ == Encoding::kUtf8;
        if (!mark) {
            return decode_behind_head(bytes);
        }
    }
    TB_RETURN_IF_ERROR(check_utf8(bytes));
    return decode_bytes(bytes);
}

// The first bytes were held back and are text.
Result<std::string_view> Decoder::decode_behind_head(std::span<const std::byte> bytes) {
    const auto head = std::as_bytes(std::span(head_));
    TB_RETURN_IF_ERROR(check_utf8(head));
    TB_RETURN_IF_ERROR(check_utf8(bytes));
    if (encoding_ == Encoding::kUtf8) {
        out_.append(head_);
        out_.append(as_text(bytes));
        return std::string_view(out_);
    }
    TB_TRY([[maybe_unused]] const auto head_text, decode_bytes(head));
    return decode_bytes(bytes);
}

Result<void> Decoder::check_utf8(std::span<const std::byte> bytes) {
    if (encoding_ != Encoding::kUtf8 || marked_utf8_) {
        return {};
    }
    utf8_.update(bytes);
    if (utf8_.valid_utf8_so_far()) {
        return {};
    }
    return make_error(ErrorCode::kBusy,
                      fmt::format("byte sequence within the first {} bytes is not UTF-8 although "
                                  "the file was taken for UTF-8; it seems to have changed while "
                                  "being read",
                                  utf8_.bytes_seen()));
}

Result<std::string_view> Decoder::finish() {
    out_.clear();
    if (odd_byte_ >= 0 || high_surrogate_ != 0 || !held_.empty()) {
        cut_ = true;
        ++replaced_;
        append_code_point(kReplacement);
        odd_byte_ = -1;
        high_surrogate_ = 0;
        held_.clear();
        return std::string_view(out_);
    }
    if (!head_done_ && encoding_ == Encoding::kUtf8) {
        TB_RETURN_IF_ERROR(check_utf8(std::as_bytes(std::span(head_))));
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
