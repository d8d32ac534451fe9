// Answers that are too long for one message.
#include "mcp/fit.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mcp/json_text.h"
#include "mcp/render.h"

namespace tb::mcp {
namespace {

Json rows(std::size_t count, const std::string& text) {
    Json list = Json::array();
    for (std::size_t i = 0; i < count; ++i) {
        list.push_back({{"i", i}, {"text", text}});
    }
    return list;
}

std::size_t chars_of(const Json& value) {
    return char_count(to_json_text(value));
}

TEST(Fit, WhatFitsIsLeftAlone) {
    Json answer = {{"rows", rows(10, "x")}};
    const Json before = answer;
    EXPECT_TRUE(fit_object(answer, 1'000).empty());
    EXPECT_EQ(answer, before);
}

TEST(Fit, TheListInsideOneItemGivesWayNotTheItems) {
    Json answer = {{"blocks", rows(3, "x")}, {"count", 3}};
    for (int i = 0; i < 4'000; ++i) {
        answer["blocks"][1]["strategies"].push_back("strategy " + std::to_string(i));
    }
    const Shortened shortened = fit_object(answer, 5'000);
    ASSERT_EQ(shortened.lists.size(), 1U);
    EXPECT_EQ(shortened.lists[0].path, "blocks[].strategies");
    EXPECT_EQ(shortened.lists[0].total, 4'000U);
    EXPECT_EQ(answer["blocks"].size(), 3U);
    EXPECT_EQ(answer["blocks"][1]["strategies"].size(), shortened.lists[0].shown);
    EXPECT_GT(shortened.lists[0].shown, 100U);
    EXPECT_LE(chars_of(answer), 5'000U);
    EXPECT_EQ(answer["shortened"][0]["list"], "blocks[].strategies");
    EXPECT_EQ(answer["warnings"].size(), 1U);
}

TEST(Fit, PagesGiveWayLastAndKeepAnElement) {
    Json answer = {{"rows", rows(20, std::string(100, 'r'))}, {"names", Json::array()}};
    for (int i = 0; i < 1'000; ++i) {
        answer["names"].push_back("a name of some length");
    }
    EXPECT_FALSE(fit_object(answer, 6'000).empty());
    EXPECT_EQ(answer["rows"].size(), 20U);
    EXPECT_LE(chars_of(answer), 6'000U);
    Json wide = {{"rows", Json::array({Json::object()})}};
    for (int i = 0; i < 3'000; ++i) {
        wide["rows"][0]["column " + std::to_string(i)] = i;
    }
    EXPECT_FALSE(fit_object(wide, 4'000).empty());
    EXPECT_EQ(wide["rows"].size(), 1U);
    EXPECT_LE(chars_of(wide), 4'000U);
    Json many = {{"rows", rows(3'000, "x")}};
    EXPECT_FALSE(fit_object(many, 4'000).empty());
    EXPECT_LE(chars_of(many), 4'000U);
    EXPECT_GT(many["rows"].size(), 10U);
}

TEST(Fit, MapsAndMatricesAndTextsFit) {
    Json answer = {{"note", std::string(100'000, 'n')}};
    for (int i = 0; i < 2'000; ++i) {
        answer["by"]["strategy " + std::to_string(i)] = {{"pl", i}, {"trades", 2 * i}};
    }
    for (int i = 0; i < 200; ++i) {
        answer["matrix"].push_back(Json(std::vector<int>(200, i)));
    }
    const Shortened shortened = fit_object(answer, 20'000);
    EXPECT_EQ(shortened.texts, 1U);
    EXPECT_EQ(shortened.lists.size(), 2U);
    EXPECT_LE(chars_of(answer), 20'000U);
    EXPECT_EQ(char_count(answer["note"].get<std::string>()), kFittedTextChars);
}

TEST(Fit, CharactersThatHideOrCommandAreShown) {
    Json value = {{"a\x1b]0;x\x07",
                   {"\xE2\x80\xAE"
                    "abc",
                    "tab\tand\nline", "\xC2\x9B"}},
                  {"plain", "Grüße 😀"}};
    make_harmless(value);
    EXPECT_EQ(to_json_text(value),
              R"({"a<U+001B>]0;x<U+0007>":["<U+202E>abc","tab\tand\nline","<U+009B>"],)"
              R"("plain":"Grüße 😀"})");
    EXPECT_EQ(harmless_text("\xF3\xA0\x81\x81"), "<U+E0041>");
    EXPECT_EQ(harmless_text("\xFF"), "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace tb::mcp
