// JSON text, UTF-8, JSON-RPC framing and ids, lines, base64 and seals: everything below the server.
#include "mcp/json_rpc.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "core/base64.h"
#include "core/sealer.h"
#include "mcp/json_text.h"
#include "mcp/line_io.h"
#include "mcp/utf8.h"

namespace tb::mcp {
namespace {

TEST(JsonText, NumbersFollowEcmaScript) {
    const std::vector<std::pair<double, std::string>> cases = {
        {0.0, "0"},
        {-0.0, "0"},
        {1.0, "1"},
        {-19735.0, "-19735"},
        {0.1, "0.1"},
        {123.456, "123.456"},
        {-36331.386, "-36331.386"},
        {1e-6, "0.000001"},
        {1e-7, "1e-7"},
        {1.5e-7, "1.5e-7"},
        {123456789012345680000.0, "123456789012345680000"},
        {1e21, "1e+21"},
        {1.2e21, "1.2e+21"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {0.30000000000000004, "0.30000000000000004"},
        {100.0, "100"},
        {9007199254740993.0, "9007199254740992"},
    };
    for (const auto& [value, text] : cases) {
        std::string out;
        append_json_number(out, value);
        EXPECT_EQ(out, text);
    }
}

RC_GTEST_PROP(JsonText, NumbersReadBackTheSame, (double value)) {
    RC_PRE(std::isfinite(value));
    RC_ASSERT(parse_json(to_json_text(Json(value)))->get<double>() == value);
}

TEST(JsonText, S8_InvalidUtf8AndNonFiniteNumbersNeverStopAnAnswer) {
    const Json value = {{"text", std::string("a\xFF\xC3(\xED\xA0\x80z\x01\"\\\n")},
                        {"nan", std::numeric_limits<double>::quiet_NaN()},
                        {"inf", -std::numeric_limits<double>::infinity()}};
    EXPECT_EQ(to_json_text(value),
              "{\"text\":\"a\uFFFD\uFFFD(\uFFFD\uFFFD\uFFFDz\\u0001\\\"\\\\\\n\",\"nan\":null,"
              "\"inf\":null}");
    Json copy = value;
    EXPECT_EQ(replace_non_finite(copy), 2U);
    EXPECT_TRUE(copy["inf"].is_null());
}

RC_GTEST_PROP(JsonText, AnyBytesGiveTextThatTheParserTakes, (const std::string& bytes)) {
    const std::string text = to_json_text(Json(bytes));
    RC_ASSERT(parse_json(text).has_value());
    RC_ASSERT(text.find('\n') == std::string::npos);
}

TEST(JsonText, S4_DepthLimitIs128) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(parse_json(nested(128)).has_value());
    EXPECT_EQ(parse_json(nested(129)).error().code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(parse_json(std::string(1'000'000, '[')).error().code, ErrorCode::kResourceExhausted);
    // Brackets inside strings do not nest.
    EXPECT_TRUE(parse_json("\"" + std::string(1000, '[') + "\\\"" + std::string(9, '{') + "\"")
                    .has_value());
}

TEST(JsonText, ObjectsAreBoundedButArraysAreNot) {
    std::string object = "{\"k0\":0";
    for (int i = 1; i < 1024; ++i) {
        object += ",\"k" + std::to_string(i) + "\":[1,2]";
    }
    EXPECT_TRUE(parse_json(object + "}").has_value());
    EXPECT_EQ(parse_json(object + ",\"one\":1}").error().code, ErrorCode::kResourceExhausted);
    std::string array = "[0";
    for (int i = 1; i < 5000; ++i) {
        array += ",1";
    }
    EXPECT_EQ(parse_json(array + "]")->size(), 5000U);
}

TEST(Utf8, RefusesOverlongSurrogateAndTooLarge) {
    EXPECT_TRUE(utf8::decode("\xF0\x9F\x98\x80").valid);
    EXPECT_EQ(utf8::decode("\xF0\x9F\x98\x80").code_point, 0x1F600U);
    for (const char* bad : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xF5\x80\x80\x80", "\x80", "\xE2\x82"}) {
        EXPECT_FALSE(utf8::decode(bad).valid) << bad;
    }
}

TEST(JsonRpc, P8_IdsKeepTypeAndExactValue) {
    for (const char* id : {"1", "\"1\"", "0", "-7", "9223372036854775807", "-9223372036854775808",
                           "18446744073709551615", "\"\"", "\"a\\\"b\""}) {
        const std::string text =
            std::string(R"({"jsonrpc":"2.0","id":)") + id + R"(,"method":"ping"})";
        const Inbound inbound = decode_text(text);
        ASSERT_TRUE(inbound.messages.front().has_value()) << id;
        EXPECT_EQ(inbound.messages.front()->id->to_text(), id);
    }
    EXPECT_NE(RequestId(1).to_text(), RequestId(std::string("1")).to_text());
    EXPECT_EQ(*RequestId::from_json(Json(5U)), RequestId(5));
}

TEST(JsonRpc, P8_OtherIdsAreInvalidRequests) {
    for (const char* id :
         {"null", "1.5", "1.0", "1e3", "true", "[1]", "{}", "18446744073709551616"}) {
        const std::string text =
            std::string(R"({"jsonrpc":"2.0","id":)") + id + R"(,"method":"ping"})";
        const Inbound inbound = decode_text(text);
        ASSERT_FALSE(inbound.messages.front().has_value()) << id;
        EXPECT_EQ(inbound.messages.front().error().error.code, code::kInvalidRequest) << id;
        EXPECT_FALSE(inbound.messages.front().error().id.has_value()) << id;
    }
}

TEST(JsonRpc, P7_BadMessagesKeepTheIdThatCouldBeRead) {
    struct Case {
        const char* text;
        int error;
        const char* id;
    };
    for (const Case& entry : std::vector<Case>{
             {"{", code::kParseError, ""},
             {"\xEF\xBB", code::kParseError, ""},
             {"[]", code::kInvalidRequest, ""},
             {"5", code::kInvalidRequest, ""},
             {R"({"id":4,"method":"ping"})", code::kInvalidRequest, "4"},
             {R"({"jsonrpc":"1.0","id":"x","method":"ping"})", code::kInvalidRequest, "\"x\""},
             {R"({"jsonrpc":"2.0","id":6})", code::kInvalidRequest, "6"},
             {R"({"jsonrpc":"2.0","id":6,"method":7})", code::kInvalidRequest, "6"},
             {R"({"jsonrpc":"2.0","id":8,"method":"ping","params":[1]})", code::kInvalidParams,
              "8"}}) {
        const Inbound inbound = decode_text(entry.text);
        ASSERT_FALSE(inbound.messages.front().has_value()) << entry.text;
        const BadMessage& bad = inbound.messages.front().error();
        EXPECT_EQ(bad.error.code, entry.error) << entry.text;
        EXPECT_EQ(bad.id.has_value() ? bad.id->to_text() : "", entry.id) << entry.text;
    }
}

TEST(JsonRpc, S4_ErrorsWithoutIdHaveNoIdMember) {
    EXPECT_EQ(encode_error(std::nullopt, {code::kParseError, "no", {}}),
              R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}})");
    EXPECT_EQ(encode_error(RequestId(3), {code::kInvalidParams, "n\"o", Json{{"uri", "x"}}}),
              R"({"jsonrpc":"2.0","id":3,"error":{"code":-32602,"message":"n\"o",)"
              R"("data":{"uri":"x"}}})");
}

TEST(LineReader, S1_AcceptsCrLfBlankLinesAndAnyCut) {
    const std::string input = "one\r\n\n  \r\ntwo\nthree";
    for (std::size_t cut = 1; cut <= input.size(); ++cut) {
        std::vector<std::string> lines;
        LineReader reader(100, {[&](std::string_view line) { lines.emplace_back(line); }, [] {}});
        for (std::size_t at = 0; at < input.size(); at += cut) {
            reader.feed(std::string_view(input).substr(at, cut));
        }
        reader.finish();
        EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "three"})) << cut;
    }
}

TEST(LineReader, S4_LongLineIsReportedOnceAndSkipped) {
    for (const std::size_t cut : {1U, 3U, 100U}) {
        std::vector<std::string> lines;
        int too_long = 0;
        LineReader reader(
            4, {[&](std::string_view line) { lines.emplace_back(line); }, [&] { ++too_long; }});
        const std::string input = "1234\n123456789\nabc\n";
        for (std::size_t at = 0; at < input.size(); at += cut) {
            reader.feed(std::string_view(input).substr(at, cut));
        }
        EXPECT_EQ(too_long, 1) << cut;
        EXPECT_EQ(lines, (std::vector<std::string>{"1234", "abc"})) << cut;
    }
}

TEST(Base64, KnownVectorsAndStrictness) {
    EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
    EXPECT_EQ(base64_encode("fooba"), "Zm9vYmE=");
    EXPECT_EQ(base64_encode("\xFB\xFF"), "+/8=");
    EXPECT_EQ(base64url_encode("\xFB\xFF"), "-_8");
    EXPECT_EQ(base64_decode("Zm9vYmFy"), "foobar");
    for (const char* bad : {"Zm9vYg=", "Zm9vYg", "Zm9v Yg==", "Zm9vYh==", "Zm-v", "====", "Z"}) {
        EXPECT_FALSE(base64_decode(bad).has_value()) << bad;
    }
}

RC_GTEST_PROP(Base64, DecodesWhatItEncodes, (const std::string& bytes)) {
    RC_ASSERT(base64_decode(base64_encode(bytes)) == bytes);
    RC_ASSERT(base64url_decode(base64url_encode(bytes)) == bytes);
}

TEST(Sealer, OpensOnlyUnchangedTextInItsPlace) {
    const Sealer sealer("secret");
    const std::string sealed = sealer.seal("plain words", "place");
    EXPECT_EQ(sealed.find("plain"), std::string::npos);
    EXPECT_EQ(sealer.open(sealed, "place"), "plain words");
    EXPECT_EQ(Sealer("secret").open(sealed, "place"), "plain words");
    EXPECT_FALSE(sealer.open(sealed, "other place").has_value());
    EXPECT_FALSE(Sealer("other").open(sealed, "place").has_value());
    EXPECT_FALSE(Sealer().open(sealed, "place").has_value());
    EXPECT_NE(sealed, sealer.seal("plain words", "place"));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string changed = sealed;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(sealer.open(changed, "place").has_value()) << i;
    }
    EXPECT_FALSE(sealer.open("", "place").has_value());
}

}  // namespace
}  // namespace tb::mcp
