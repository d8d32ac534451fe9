#include "tools/data/name_order.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace tb::tools {

namespace {

// Blank, then signs in the order of the Unicode root collation, then digits; letters follow.
constexpr std::string_view kBeforeLetters = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789";

// Control characters come first, then kBeforeLetters, letters regardless of case, the rest.
constexpr std::array<unsigned char, 256> make_ranks() {
    std::array<unsigned char, 256> ranks{};
    unsigned char next = 1;
    for (const char c : kBeforeLetters) {
        ranks[static_cast<unsigned char>(c)] = next++;
    }
    for (char c = 'a'; c <= 'z'; ++c) {
        ranks[static_cast<unsigned char>(c)] = next;
        ranks[static_cast<unsigned char>(c - 'a' + 'A')] = next++;
    }
    // UTF-8 keeps the order of code points; 128 ranks remain for its bytes.
    for (std::size_t c = 128; c < 256; ++c) {
        ranks[c] = static_cast<unsigned char>(c);
    }
    return ranks;
}

constexpr auto kRanks = make_ranks();

}  // namespace

bool name_less(std::string_view a, std::string_view b) {
    const auto rank = [](char c) { return kRanks[static_cast<unsigned char>(c)]; };
    const std::size_t common = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < common; ++i) {
        if (rank(a[i]) != rank(b[i])) {
            return rank(a[i]) < rank(b[i]);
        }
    }
    if (a.size() != b.size()) {
        return a.size() < b.size();
    }
    return a > b;  // equal but for case: 'a' is greater than 'A' as a byte and comes first
}

}  // namespace tb::tools
