#include "core/unicode.h"

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include <utf8proc.h>

#include "core/text.h"

namespace tb {

namespace {

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// nullopt: not UTF-8.
std::optional<std::string> mapped(std::string_view text, unsigned options) {
    struct Free {
        void operator()(utf8proc_uint8_t* memory) const { std::free(memory); }  // as documented
    };
    utf8proc_uint8_t* raw = nullptr;
    const utf8proc_ssize_t size =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                     static_cast<utf8proc_ssize_t>(text.size()), &raw,
                     static_cast<utf8proc_option_t>(options | UTF8PROC_STABLE));
    const std::unique_ptr<utf8proc_uint8_t, Free> owner(raw);
    if (size < 0 || raw == nullptr) {
        return std::nullopt;
    }
    return std::string(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size));
}

// Weights of the root collation for ASCII: whitespace, punctuation, symbols, digits, letters. Other
// characters follow in code order.
constexpr std::uint32_t kAfterLetters = 0x100;

std::array<std::uint32_t, 128> make_ascii_weights() {
    constexpr std::string_view kOrder = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789";
    std::array<std::uint32_t, 128> weights{};
    std::uint32_t next = 1;
    for (const char c : kOrder) {
        weights[static_cast<unsigned char>(c)] = next++;
    }
    for (char c = 'a'; c <= 'z'; ++c) {
        weights[static_cast<unsigned char>(c)] = next++;
    }
    return weights;
}

// Small letters without a decomposition that the root collation files under others.
struct FiledUnder {
    std::int32_t letter;
    std::string_view base;
};
constexpr std::array<FiledUnder, 11> kFiledUnder = {{{0xDF, "ss"},
                                                     {0xE6, "ae"},
                                                     {0xF0, "d"},
                                                     {0xF8, "o"},
                                                     {0x111, "d"},
                                                     {0x127, "h"},
                                                     {0x131, "i"},
                                                     {0x133, "ij"},
                                                     {0x142, "l"},
                                                     {0x153, "oe"},
                                                     {0x167, "t"}}};

// One letter as the order compares it: first all primaries, then accents, then case.
struct Element {
    std::uint32_t primary = 0;
    std::uint32_t accent = 0;  // 0 without one
    bool upper = false;
};

std::uint32_t primary_of(std::int32_t small) {
    static const std::array<std::uint32_t, 128> kWeights = make_ascii_weights();
    return small < 128 ? kWeights[static_cast<std::size_t>(small)]
                       : kAfterLetters + static_cast<std::uint32_t>(small);
}

bool is_mark(std::int32_t code) {
    const utf8proc_category_t category = utf8proc_category(code);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
}

void add_letter(std::int32_t code, std::vector<Element>& elements) {
    if (is_mark(code) && !elements.empty()) {
        // Several marks on one letter: each counts, the first most.
        Element& letter = elements.back();
        letter.accent = letter.accent * 31 + static_cast<std::uint32_t>(code);
        return;
    }
    const std::int32_t small = utf8proc_tolower(code);
    const bool upper = small != code;
    const auto* const filed =
        std::find_if(kFiledUnder.begin(), kFiledUnder.end(),
                     [&](const FiledUnder& entry) { return entry.letter == small; });
    if (filed == kFiledUnder.end()) {
        elements.push_back({primary_of(small), 0, upper});
        return;
    }
    for (const char c : filed->base) {
        elements.push_back({primary_of(c), static_cast<std::uint32_t>(small), upper});
    }
}

std::vector<Element> elements_of(std::string_view text) {
    std::vector<Element> elements;
    elements.reserve(text.size());
    const auto decomposed = is_ascii(text) ? std::nullopt : mapped(text, UTF8PROC_DECOMPOSE);
    const std::string_view source = decomposed ? std::string_view(*decomposed) : text;
    for (std::size_t at = 0; at < source.size();) {
        utf8proc_int32_t code = 0;
        const utf8proc_ssize_t size =
            utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(source.data()) + at,
                             static_cast<utf8proc_ssize_t>(source.size() - at), &code);
        if (size <= 0) {  // not UTF-8: the byte stands for itself
            elements.push_back({kAfterLetters + static_cast<unsigned char>(source[at]), 0, false});
            ++at;
            continue;
        }
        add_letter(code, elements);
        at += static_cast<std::size_t>(size);
    }
    return elements;
}

}  // namespace

std::string composed(std::string_view text) {
    if (is_ascii(text)) {
        return std::string(text);
    }
    return mapped(text, UTF8PROC_COMPOSE).value_or(std::string(text));
}

std::string fold_case(std::string_view text) {
    if (is_ascii(text)) {
        return ascii_lower(text);
    }
    return mapped(text, UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD).value_or(ascii_lower(text));
}

bool same_folded(std::string_view a, std::string_view b) {
    return a == b || fold_case(a) == fold_case(b);
}

NameWanted::NameWanted(std::string_view wanted, std::span<const std::string> known)
    : exact_(composed(wanted)), folded_(fold_case(wanted)) {
    for (const std::string& name : known) {
        if (composed(name) == exact_) {
            found_ = NameMatch::kExact;
            return;
        }
        if (fold_case(name) == folded_) {
            found_ = NameMatch::kFolded;
        }
    }
}

bool NameWanted::matches(std::string_view name) const {
    return found_ == NameMatch::kExact ? composed(name) == exact_ : fold_case(name) == folded_;
}

bool name_order_less(std::string_view a, std::string_view b) {
    const std::vector<Element> left = elements_of(a);
    const std::vector<Element> right = elements_of(b);
    const auto compare = [&](const auto& by) {
        return std::lexicographical_compare_three_way(
            left.begin(), left.end(), right.begin(), right.end(),
            [&](const Element& x, const Element& y) { return by(x) <=> by(y); });
    };
    auto order = compare([](const Element& e) { return e.primary; });
    if (order == std::strong_ordering::equal) {
        order = compare([](const Element& e) { return e.accent; });
    }
    if (order == std::strong_ordering::equal) {
        order = compare([](const Element& e) { return e.upper; });
    }
    return order == std::strong_ordering::equal ? a < b : order == std::strong_ordering::less;
}

}  // namespace tb
