#include "csv/encoding.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "csv/decoder.h"

namespace tb::csv {
namespace {

using namespace std::string_view_literals;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

Encoding detect(std::string_view text, std::size_t piece = 1 << 20) {
    EncodingDetector detector;
    while (!text.empty()) {
        detector.update(bytes_of(text.substr(0, piece)));
        text.remove_prefix(std::min(piece, text.size()));
    }
    return detector.finish();
}

struct Decoded {
    std::string text;
    std::int64_t replaced = 0;
    bool cut = false;
    bool operator==(const Decoded&) const = default;
};

Decoded decode(Encoding encoding, std::string_view text, std::size_t piece = 1 << 20) {
    Decoder decoder(encoding);
    Decoded result;
    while (!text.empty()) {
        result.text += decoder.decode(bytes_of(text.substr(0, piece))).value();
        text.remove_prefix(std::min(piece, text.size()));
    }
    result.text += decoder.finish().value();
    result.replaced = decoder.replaced();
    result.cut = decoder.cut_inside_character();
    return result;
}

std::string utf16(std::u16string_view text, bool big_endian) {
    std::string bytes;
    for (const char16_t unit : text) {
        const char high = static_cast<char>(unit >> 8U);
        const char low = static_cast<char>(unit & 0xFFU);
        bytes += big_endian ? high : low;
        bytes += big_endian ? low : high;
    }
    return bytes;
}

TEST(EncodingDetector, ByteOrderMarksDecide) {
    EXPECT_EQ(detect("\xFF\xFE\x41\x00"sv), Encoding::kUtf16Le);
    EXPECT_EQ(detect("\xFE\xFF\x00\x41"sv), Encoding::kUtf16Be);
    EXPECT_EQ(detect("\xEF\xBB\xBF"
                     "a"),
              Encoding::kUtf8);
}

TEST(EncodingDetector, NulPatternSaysUtf16WithoutAMark) {
    EXPECT_EQ(detect(utf16(u"Date Opened,P/L\r\n", false)), Encoding::kUtf16Le);
    EXPECT_EQ(detect(utf16(u"Date Opened,P/L\r\n", true)), Encoding::kUtf16Be);
    EXPECT_EQ(detect("Date Opened,P/L\n2024-01-02,\0\n"sv), Encoding::kUtf8);
}

TEST(EncodingDetector, FirstInvalidByteMakesTheFileWindows1252) {
    EXPECT_EQ(detect("caf\xC3\xA9"), Encoding::kUtf8);
    EXPECT_EQ(detect("caf\xE9, and more"), Encoding::kWindows1252);
    EXPECT_EQ(detect(""), Encoding::kUtf8);
}

TEST(EncodingDetector, OnlyWellFormedSequencesAreUtf8) {
    for (const auto bad :
         {"\xC0\x80"sv, "\xE0\x80\x80"sv, "\xED\xA0\x80"sv, "\xF0\x8F\x80\x80"sv,
          "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv, "\x80"sv, "\xC3(x"sv, "cut \xE2\x82"sv}) {
        EXPECT_EQ(detect(std::string(40, 'a') + std::string(bad)), Encoding::kWindows1252);
    }
    for (const auto good : {"\xC2\x80"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv,
                            "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv}) {
        EXPECT_EQ(detect(std::string(40, 'a') + std::string(good)), Encoding::kUtf8);
    }
}

TEST(EncodingDetector, PiecesDoNotMatter) {
    EXPECT_TRUE(rc::check([] {
        const auto text = *rc::gen::container<std::string>(rc::gen::weightedOneOf<char>(
            {{8, rc::gen::inRange<char>(32, 127)}, {1, rc::gen::arbitrary<char>()}}));
        RC_ASSERT(detect(text, *rc::gen::inRange<std::size_t>(1, 9)) == detect(text));
    }));
}

TEST(Decoder, DropsTheByteOrderMarkOfEveryEncoding) {
    EXPECT_EQ(decode(Encoding::kUtf8,
                     "\xEF\xBB\xBF"
                     "a")
                  .text,
              "a");
    EXPECT_EQ(decode(Encoding::kUtf8,
                     "\xEF\xBB\xBF"
                     "a",
                     1)
                  .text,
              "a");
    EXPECT_EQ(decode(Encoding::kWindows1252,
                     "\xEF\xBB\xBF"
                     "a\xE9")
                  .text,
              "a\xC3\xA9");
    EXPECT_EQ(decode(Encoding::kUtf16Le, utf16(u"\xFEFF"
                                               u"ab",
                                               false))
                  .text,
              "ab");
    EXPECT_EQ(decode(Encoding::kUtf16Be, utf16(u"\xFEFF"
                                               u"ab",
                                               true))
                  .text,
              "ab");
}

TEST(Decoder, KeepsTextThatOnlyBeginsLikeAMark) {
    EXPECT_EQ(decode(Encoding::kUtf8, "\xEF\xBB\x80", 1).text, "\xEF\xBB\x80");
    EXPECT_EQ(decode(Encoding::kUtf8, "a", 1).text, "a");
    EXPECT_EQ(decode(Encoding::kWindows1252, "\xEF", 1).text, "\xC3\xAF");
}

TEST(Decoder, Windows1252MapsEveryByteAlsoTheFiveUndefinedOnes) {
    EXPECT_EQ(decode(Encoding::kWindows1252, "\x80 \x92 \x9F \xE9").text,
              "\xE2\x82\xAC \xE2\x80\x99 \xC5\xB8 \xC3\xA9");
    EXPECT_EQ(decode(Encoding::kWindows1252, "\x81\x8D\x8F\x90\x9D").text,
              "\xC2\x81\xC2\x8D\xC2\x8F\xC2\x90\xC2\x9D");
}

TEST(Decoder, Utf16PairsBecomeOneCharacter) {
    const std::u16string_view text = u"p\u2212\U0001F600q";
    const std::string expected = "p\xE2\x88\x92\xF0\x9F\x98\x80q";
    for (const std::size_t piece : {1U, 3U, 100U}) {
        EXPECT_EQ(decode(Encoding::kUtf16Le, utf16(text, false), piece).text, expected);
        EXPECT_EQ(decode(Encoding::kUtf16Be, utf16(text, true), piece).text, expected);
    }
}

TEST(Decoder, LoneSurrogatesAreReplacedAndCounted) {
    const char16_t units[] = {u'a', 0xD83D, u'b', 0xDE00, u'c'};
    const auto got = decode(Encoding::kUtf16Le, utf16({units, 5}, false));
    EXPECT_EQ(got.text,
              "a\xEF\xBF\xBD"
              "b\xEF\xBF\xBD"
              "c");
    EXPECT_EQ(got.replaced, 2);
    EXPECT_FALSE(got.cut);
}

TEST(Decoder, FileThatEndsInsideACharacterIsToldCut) {
    EXPECT_TRUE(decode(Encoding::kUtf16Le, "a\0b"sv).cut);
    EXPECT_TRUE(decode(Encoding::kUtf16Le, utf16(std::u16string_view(u"a\xD83D", 2), false)).cut);
}

TEST(Decoder, TextThatIsNotTheAnnouncedUtf8IsBusyNotData) {
    Decoder decoder(Encoding::kUtf8);
    const auto got = decoder.decode(bytes_of("abc\xE9 def"));
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().code, ErrorCode::kBusy);
    Decoder cut(Encoding::kUtf8);
    ASSERT_TRUE(cut.decode(bytes_of("abcd\xE2\x82")).has_value());
    EXPECT_EQ(cut.finish().error().code, ErrorCode::kBusy);
}

TEST(EncodingDetector, TheMarkOfUtf8HoldsWhateverFollows) {
    EXPECT_EQ(detect("\xEF\xBB\xBF"
                     "Caf\xC3\xA9,bad \xE9 byte"),
              Encoding::kUtf8);
    EXPECT_EQ(detect("\xEF\xBB\xBF"
                     "a\xC3",
                     1),
              Encoding::kUtf8);
    EXPECT_EQ(detect("Caf\xC3\xA9,bad \xE9 byte"), Encoding::kWindows1252);
}

TEST(Decoder, DamageInAMarkedFileIsReplacedAndTheRestKept) {
    for (const std::size_t piece : {1U, 2U, 3U, 5U, 100U}) {
        const auto got = decode(Encoding::kUtf8,
                                "\xEF\xBB\xBF"
                                "Caf\xC3\xA9,bad \xE9 byte,\xE2\x82\xAC",
                                piece);
        EXPECT_EQ(got.text, "Caf\xC3\xA9,bad \xEF\xBF\xBD byte,\xE2\x82\xAC") << piece;
        EXPECT_EQ(got.replaced, 1);
        EXPECT_FALSE(got.cut);
        const auto cut = decode(Encoding::kUtf8,
                                "\xEF\xBB\xBF"
                                "ab\xE2\x82",
                                piece);
        EXPECT_EQ(cut.text, "ab\xEF\xBF\xBD");
        EXPECT_TRUE(cut.cut);
    }
}

TEST(Decoder, MarkedFilesOfAnyBytesBecomeValidUtf8WhateverThePieces) {
    EXPECT_TRUE(rc::check([] {
        const auto bytes =
            "\xEF\xBB\xBF" + *rc::gen::container<std::string>(rc::gen::element<char>(
                                 'a', '\xC3', '\xA9', '\xE2', '\x82', '\xAC', '\xF0', '\x9F',
                                 '\x98', '\x80', '\xED', '\xBF', '\xFF', '\0'));
        const Decoded whole = decode(Encoding::kUtf8, bytes);
        RC_ASSERT(decode(Encoding::kUtf8, bytes, *rc::gen::inRange<std::size_t>(1, 6)) == whole);
        EncodingDetector check;
        check.update(bytes_of(whole.text));
        RC_ASSERT(check.valid_utf8());
        EncodingDetector source;
        source.update(bytes_of(std::string_view(bytes)));
        RC_ASSERT(source.valid_utf8() == (whole.replaced == 0));
    }));
}

TEST(Decoder, OutputIsValidUtf8AndIndependentOfPieces) {
    EXPECT_TRUE(rc::check([] {
        const auto bytes = *rc::gen::arbitrary<std::string>();
        const Encoding encoding =
            *rc::gen::element(Encoding::kWindows1252, Encoding::kUtf16Le, Encoding::kUtf16Be);
        const Decoded whole = decode(encoding, bytes);
        RC_ASSERT(decode(encoding, bytes, *rc::gen::inRange<std::size_t>(1, 6)) == whole);
        EncodingDetector check;
        check.update(bytes_of(whole.text));
        RC_ASSERT(check.valid_utf8());
    }));
}

}  // namespace
}  // namespace tb::csv
