// Names as people mean them: letter case and composed or decomposed characters do not matter.
// Everything that compares names of strategies, tickers or blocks goes through here.
//
// Rules of the Unicode standard (tables of the utf8proc library): canonical caseless matching
// (section 3.13, D145: NFD, full case folding, NFD), composed again (NFC) so that folded texts are
// short; nothing depends on a locale. Text that is not valid UTF-8 is compared byte by byte with
// A-Z folded.
//
// Thread-safe; all functions are pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tb {

// Canonical composition (NFC): "e" + U+0301 becomes U+00E9. Invalid UTF-8 as it is.
[[nodiscard]] std::string composed(std::string_view text);

// Equal for two texts that differ in case or composition only: "ÉCART", "écart", "STRASSE" and
// "straße".
[[nodiscard]] std::string fold_case(std::string_view text);
[[nodiscard]] bool same_folded(std::string_view a, std::string_view b);

// What of `known` a name asks for. Exact spelling (after NFC) wins: then only that. Otherwise all
// names that differ in case only.
enum class NameMatch { kNone, kFolded, kExact };
class NameWanted {
  public:
    NameWanted(std::string_view wanted, std::span<const std::string> known);
    [[nodiscard]] bool matches(std::string_view name) const;
    [[nodiscard]] NameMatch found() const { return found_; }  // among `known`

  private:
    std::string exact_;
    std::string folded_;
    NameMatch found_ = NameMatch::kNone;
};

// Order of names for people: blanks, punctuation, digits, letters; first without regard to accents
// and case, then accents, then case, lower before upper. Latin letters in the order of the root
// collation (ae, oe, ss where one letter stands for two), other scripts by code point of their
// folded base letters.
[[nodiscard]] bool name_order_less(std::string_view a, std::string_view b);

}  // namespace tb
