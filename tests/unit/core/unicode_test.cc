#include "core/unicode.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tb {
namespace {

TEST(Unicode, ComposedAndDecomposedAreOneName) {
    EXPECT_EQ(composed("Cafe\u0301"), "Caf\u00e9");
    EXPECT_TRUE(same_folded("Cafe\u0301 IC", "CAF\u00c9 ic"));
    EXPECT_TRUE(same_folded("\u212bngstr\u00f6m", "\u00e5ngstro\u0308m"));
    EXPECT_FALSE(same_folded("Cafe", "Caf\u00e9"));
}

TEST(Unicode, CaseFoldsBeyondAscii) {
    EXPECT_TRUE(same_folded("\u00c9CART", "\u00e9cart"));
    EXPECT_TRUE(same_folded("STRASSE", "stra\u00dfe"));
    EXPECT_TRUE(same_folded("\u041a\u041e\u041d\u0414\u041e\u0420",
                            "\u043a\u043e\u043d\u0434\u043e\u0440"));  // Cyrillic
    EXPECT_TRUE(same_folded("\u03a3\u0399\u0393\u039c\u0391\u03a3",
                            "\u03c3\u03b9\u03b3\u03bc\u03b1\u03c2"));  // final sigma
    EXPECT_TRUE(same_folded("Iron Condor", "IRON condor"));
    EXPECT_FALSE(same_folded("Iron Condor", "Iron Condors"));
}

TEST(Unicode, TextThatIsNoUtf8IsComparedByBytes) {
    EXPECT_TRUE(same_folded("A\xff", "a\xff"));
    EXPECT_FALSE(same_folded("a\xfe", "a\xff"));
    EXPECT_EQ(composed("a\xff"), "a\xff");
}

TEST(Unicode, ExactSpellingWinsOverCase) {
    const std::vector<std::string> known = {"Iron Condor", "iron condor", "RIC"};
    const NameWanted exact("iron condor", known);
    EXPECT_EQ(exact.found(), NameMatch::kExact);
    EXPECT_TRUE(exact.matches("iron condor"));
    EXPECT_FALSE(exact.matches("Iron Condor"));
    const NameWanted any("IRON CONDOR", known);
    EXPECT_EQ(any.found(), NameMatch::kFolded);
    EXPECT_TRUE(any.matches("iron condor"));
    EXPECT_TRUE(any.matches("Iron Condor"));
    EXPECT_EQ(NameWanted("other", known).found(), NameMatch::kNone);
    const std::vector<std::string> decomposed = {"Cafe\u0301"};
    EXPECT_EQ(NameWanted("Caf\u00e9", decomposed).found(), NameMatch::kExact);
    EXPECT_TRUE(NameWanted("Caf\u00e9", decomposed).matches("Cafe\u0301"));
}

TEST(Unicode, OrderPutsNamesWherePeopleLook) {
    const auto less = name_order_less;
    EXPECT_TRUE(less("alpha", "Beta"));
    EXPECT_TRUE(less("Alpha", "beta"));
    EXPECT_TRUE(less("alpha", "Alpha"));  // case only breaks ties
    EXPECT_TRUE(less("a b", "ab"));
    EXPECT_TRUE(less("a-b", "a1"));
    EXPECT_TRUE(less("9", "a"));
    EXPECT_TRUE(less("ab", "abc"));
    EXPECT_FALSE(less("same", "same"));
    EXPECT_TRUE(less("\u00c9clair", "Zebra"));
    EXPECT_TRUE(less("\u00c9clair", "Zebra") && less("E\u0301clair", "Zebra"));
    EXPECT_TRUE(less("eclair", "\u00e9clair"));
    EXPECT_TRUE(less("\u00e9clair", "eclairs"));
    EXPECT_TRUE(less("\u00c6ther", "af"));  // files under "ae"
    EXPECT_TRUE(less("zebra", "\u0430"));   // Cyrillic after Latin
    EXPECT_TRUE(less("\u0410", "\u0431"));  // and by letter, not by case
    EXPECT_TRUE(less("\u0430", "\u0411"));
    EXPECT_TRUE(less("\u0100x", "bx"));
    EXPECT_TRUE(less("na\u00efve", "naivf"));
    EXPECT_TRUE(less("\u00e9", "\u00c9"));
    EXPECT_TRUE(less("\u00c91", "e1x"));
    EXPECT_TRUE(less("strasse", "stra\u00dfe"));
    EXPECT_TRUE(less("stra\u00dfe", "strasso"));
    EXPECT_TRUE(less("\u0141\u00f3d\u017a", "Lodzx"));
}

TEST(Unicode, OrderIsThatOfAFileManager) {
    const std::vector<std::string> sorted = {"",    " a", "_a", "-a", "1a",      "2",
                                             "10x", "a",  "A",  "a1", "ab",      "Ab",
                                             "AB",  "b",  "B2", "za", "\xC3\xA9"};
    std::vector<std::string> names = sorted;
    std::sort(names.begin(), names.end(),
              [](const auto& a, const auto& b) { return name_order_less(a, b); });
    // Digit by digit: "10x" comes before "1a".
    EXPECT_EQ(names,
              (std::vector<std::string>{"", " a", "_a", "-a", "10x", "1a", "2", "a", "A", "a1",
                                        "ab", "Ab", "AB", "b", "B2", "\xC3\xA9", "za"}));
    for (std::size_t i = 0; i < names.size(); ++i) {
        EXPECT_FALSE(name_order_less(names[i], names[i]));
    }
}

TEST(Unicode, OrderIsAStrictOrderOnAnyBytes) {
    rc::check("total and transitive", [] {
        auto names = *rc::gen::container<std::vector<std::string>>(rc::gen::map(
            rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
                "a", "A", "e", "\u00e9", "e\u0301", "\u00df", "ss", "\xff", "\u0301", "1", " ")),
            [](const std::vector<std::string>& pieces) {
                std::string name;
                for (const std::string& piece : pieces) {
                    name += piece;
                }
                return name;
            }));
        std::sort(names.begin(), names.end(), name_order_less);
        for (std::size_t i = 0; i < names.size(); ++i) {
            RC_ASSERT(!name_order_less(names[i], names[i]));
            for (std::size_t j = i + 1; j < names.size(); ++j) {
                RC_ASSERT(!name_order_less(names[j], names[i]));
                RC_ASSERT((name_order_less(names[i], names[j]) || names[i] == names[j]));
            }
            RC_ASSERT(fold_case(fold_case(names[i])) == fold_case(names[i]));
        }
    });
}

}  // namespace
}  // namespace tb
