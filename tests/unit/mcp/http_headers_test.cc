#include "mcp/http_headers.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>

#include "core/base64.h"
#include "mcp/http.h"
#include "mcp/render.h"
#include "test_server.h"

namespace tb::mcp {
namespace {

TEST(HttpHeaderValue, H5_ReadsTheExamplesOfTheSpecification) {
    EXPECT_EQ(decode_header_value("us-west1"), "us-west1");
    EXPECT_EQ(decode_header_value("=?base64?SGVsbG8sIOS4lueVjA==?="), "Hello, 世界");
    EXPECT_EQ(decode_header_value("=?base64?IHBhZGRlZCA=?="), " padded ");
    EXPECT_EQ(decode_header_value("=?base64?bGluZTEKbGluZTI=?="), "line1\nline2");
    EXPECT_EQ(decode_header_value("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="), "=?base64?literal?=");
    EXPECT_EQ(encode_header_value("Hello, 世界"), "=?base64?SGVsbG8sIOS4lueVjA==?=");
    EXPECT_EQ(encode_header_value("=?base64?literal?="), "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
}

TEST(HttpHeaderValue, H5_TrimsOuterBlanksAndKeepsEverythingElse) {
    EXPECT_EQ(decode_header_value(" \t tools/call\t "), "tools/call");
    EXPECT_EQ(decode_header_value("a  b"), "a  b");
    EXPECT_EQ(decode_header_value(""), "");
    // Not the whole of the sentinel: literal text.
    EXPECT_EQ(decode_header_value("=?base64?SGVsbG8="), "=?base64?SGVsbG8=");
    EXPECT_EQ(decode_header_value("SGVsbG8=?="), "SGVsbG8=?=");
    EXPECT_EQ(decode_header_value("=?BASE64?SGVsbG8=?="), "=?BASE64?SGVsbG8=?=");
    EXPECT_EQ(decode_header_value("=?base64?="), "=?base64?=");
}

TEST(HttpHeaderValue, H5_RefusesBadBase64AndCharactersNoHeaderMayHold) {
    EXPECT_EQ(decode_header_value("=?base64?SGVsbG8?="), std::nullopt);
    EXPECT_EQ(decode_header_value("=?base64?SGVs!!!bG8=?="), std::nullopt);
    EXPECT_EQ(decode_header_value("=?base64?" + base64_encode("\xFF\xFE") + "?="), std::nullopt);
    EXPECT_EQ(decode_header_value("Z\xC3\xBCrich"), std::nullopt);
    EXPECT_EQ(decode_header_value(std::string_view("a\0b", 3)), std::nullopt);
    EXPECT_EQ(decode_header_value("a\x7F"), std::nullopt);
}

TEST(HttpHeaderValue, H5_DecodingUndoesEncoding) {
    rc::check("decode(encode(text)) = text", [](const std::string& bytes) {
        const std::string text = to_valid_utf8(bytes);
        RC_ASSERT(decode_header_value(encode_header_value(text)) == text);
    });
}

TEST(HttpAccept, H4_TellsWhatTheClientCanRead) {
    struct Case {
        const char* accept;
        bool json, stream, any_stream;
    };
    for (const Case& c :
         {Case{"application/json, text/event-stream", true, true, true},
          Case{"Application/JSON", true, false, false},
          Case{"text/event-stream", false, true, true}, Case{"*/*", true, false, true},
          Case{"application/*;q=0.5", true, false, false}, Case{"text/*", false, false, true},
          Case{"text/html", false, false, false},
          Case{"application/json;q=0, text/event-stream ;q=0.1", false, true, true},
          Case{"", false, false, false}}) {
        const std::string accept = c.accept;
        const Accepts accepts = parse_accept(&accept);
        EXPECT_EQ(accepts.json, c.json) << c.accept;
        EXPECT_EQ(accepts.stream, c.stream) << c.accept;
        EXPECT_EQ(accepts.any_stream, c.any_stream) << c.accept;
    }
    EXPECT_TRUE(parse_accept(nullptr).json);
    EXPECT_FALSE(parse_accept(nullptr).stream);
}

TEST(HttpContentType, H4_IsJsonWithAnyParameters) {
    for (const std::string good : {"application/json", "Application/Json;charset=UTF-8",
                                   " application/json ; charset=utf-8"}) {
        EXPECT_TRUE(is_json_content_type(&good)) << good;
    }
    for (const std::string bad : {"text/plain", "application/json-rpc", "application/jsonp", ""}) {
        EXPECT_FALSE(is_json_content_type(&bad)) << bad;
    }
    EXPECT_FALSE(is_json_content_type(nullptr));
}

TEST(HttpSource, H2_AllowsThisMachineByItsNames) {
    for (const char* const host :
         {"localhost", "LOCALHOST:3100", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:3100"}) {
        EXPECT_TRUE(is_allowed_host(host, {})) << host;
    }
    for (const char* const host :
         {"evil.example.com", "localhost.evil.com", "localhost@evil.com", "127.0.0.1.evil.com",
          "evil.com:localhost", "localhost:", "localhost:http", "[::1", "[::1]x", "[::2]", "",
          "127.0.0.2", "localhost:123456", "local host"}) {
        EXPECT_FALSE(is_allowed_host(host, {})) << host;
    }
}

TEST(HttpSource, H2_AllowsConfiguredNamesAndOrigins) {
    const std::vector<std::string> hosts = {"desk.example.org", "mcp.example.org:8443"};
    EXPECT_TRUE(is_allowed_host("Desk.Example.org:9", hosts));
    EXPECT_TRUE(is_allowed_host("mcp.example.org:8443", hosts));
    EXPECT_FALSE(is_allowed_host("mcp.example.org:8444", hosts));
    EXPECT_FALSE(is_allowed_host("mcp.example.org", hosts));
    EXPECT_TRUE(is_allowed_origin("https://desk.example.org", hosts, {}));
    EXPECT_TRUE(is_allowed_origin("http://localhost:6274", {}, {}));
    EXPECT_TRUE(is_allowed_origin("vscode-webview://abc", {}, {"vscode-webview://abc"}));
    for (const char* const origin : {"null", "http://evil.example.com", "vscode-webview://abc",
                                     "ftp://localhost", "localhost", "http://localhost@evil.com"}) {
        EXPECT_FALSE(is_allowed_origin(origin, {}, {"null"})) << origin;
    }
}

HttpHead head_with(std::vector<HttpField> fields) {
    HttpHead head;
    head.method = "POST";
    head.fields = std::move(fields);
    return head;
}

Message message_of(const std::string& method, Json params, bool notification = false) {
    Json json = {{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}};
    if (!notification) {
        json["id"] = 7;
    }
    return *decode_message(std::move(json));
}

TEST(HttpEra, H7_NothingSaidIsLegacy) {
    const auto decision = decide_era(head_with({}), message_of("tools/list", Json::object()));
    EXPECT_EQ(decision.era, Era::kLegacy);
    EXPECT_FALSE(decision.error.has_value());
}

TEST(HttpEra, H7_MetaWithoutHeaderIsRefused) {
    const auto decision =
        decide_era(head_with({}), message_of("tools/list", test::modern_params()));
    ASSERT_TRUE(decision.error.has_value());
    EXPECT_EQ(decision.error->code, code::kHeaderMismatch);
}

TEST(HttpEra, H5_HeaderAndBodyMustNameTheSameVersion) {
    const auto era_for = [](const char* header, const Json& params) {
        return decide_era(head_with({{"mcp-protocol-version", header}}),
                          message_of("tools/list", params));
    };
    const auto good = era_for(" 2026-07-28 ", test::modern_params());
    EXPECT_EQ(good.era, Era::kModern);
    EXPECT_FALSE(good.error.has_value());
    EXPECT_EQ(era_for("2025-11-25", test::modern_params()).error->code, code::kHeaderMismatch);
    // The header alone: the core then misses the envelope (-32602).
    EXPECT_EQ(era_for("2026-07-28", Json::object()).era, Era::kModern);
    EXPECT_EQ(era_for("2025-06-18", Json::object()).era, Era::kLegacy);
    const auto unknown = era_for("1999-01-01", Json::object());
    EXPECT_EQ(unknown.error->code, code::kUnsupportedVersion);
    EXPECT_EQ((*unknown.error->data)["requested"], "1999-01-01");
    EXPECT_EQ((*unknown.error->data)["supported"], Json::array({"2026-07-28"}));
    const auto twice = decide_era(
        head_with({{"MCP-Protocol-Version", "2026-07-28"}, {"mcp-protocol-version", "2025-11-25"}}),
        message_of("tools/list", test::modern_params()));
    EXPECT_EQ(twice.error->code, code::kHeaderMismatch);
}

class HttpMirror : public ::testing::Test {
  protected:
    HttpMirror() {
        ToolSpec spec;
        spec.name = "query";
        spec.title = "Query";
        spec.description = "Has mirrored parameters";
        spec.arguments = {
            field::text("region", "Where").with_header("Region"),
            field::integer("limit", "How many").with_header("Limit"),
            field::boolean("dry", "Only look").with_header("Dry"),
            field::object("nested", {field::text("deep", "Inside").with_header("Deep")}, "More")};
        spec.handler = [](ToolContext&, const Json&) { return ToolResult{}; };
        tools_ = *ToolRegistry::make({std::move(spec)});
    }
    // 0 = accepted.
    int check(const std::string& method, Json params, std::vector<HttpField> fields) {
        const auto error = check_mirrored_headers(head_with(std::move(fields)),
                                                  message_of(method, params), tools_);
        return error.has_value() ? error->code : 0;
    }
    int call(Json arguments, std::vector<HttpField> fields) {
        fields.push_back({"Mcp-Method", "tools/call"});
        fields.push_back({"Mcp-Name", "query"});
        return check("tools/call", {{"name", "query"}, {"arguments", std::move(arguments)}},
                     std::move(fields));
    }
    ToolRegistry tools_;
};

TEST_F(HttpMirror, H5_MethodIsNeededAndCaseSensitive) {
    EXPECT_EQ(check("tools/list", Json::object(), {{"MCP-METHOD", "tools/list"}}), 0);
    EXPECT_EQ(check("tools/list", Json::object(), {{"Mcp-Method", " tools/list "}}), 0);
    for (const char* const wrong : {"prompts/list", "TOOLS/LIST", "", "tools/list,tools/list"}) {
        EXPECT_EQ(check("tools/list", Json::object(), {{"Mcp-Method", wrong}}),
                  code::kHeaderMismatch)
            << wrong;
    }
    EXPECT_EQ(check("tools/list", Json::object(), {}), code::kHeaderMismatch);
    EXPECT_EQ(check("tools/list", Json::object(),
                    {{"Mcp-Method", "tools/list"}, {"mcp-method", "tools/list"}}),
              code::kHeaderMismatch);
}

TEST_F(HttpMirror, H5_NameIsNeededWhereTheBodyHasOne) {
    const auto with_name = [&](const std::string& method, const Json& params, const char* name) {
        return check(method, params, {{"Mcp-Method", method}, {"Mcp-Name", name}});
    };
    EXPECT_EQ(with_name("prompts/get", {{"name", "review"}}, "review"), 0);
    EXPECT_EQ(with_name("resources/read", {{"uri", "test://a b"}}, "=?base64?dGVzdDovL2EgYg==?="),
              0);
    EXPECT_EQ(with_name("tasks/get", {{"taskId", "t1"}}, "t1"), 0);
    EXPECT_EQ(with_name("prompts/get", {{"name", "review"}}, "Review"), code::kHeaderMismatch);
    EXPECT_EQ(with_name("tasks/get", {{"taskId", "t1"}}, "t2"), code::kHeaderMismatch);
    EXPECT_EQ(check("tools/call", {{"name", "query"}}, {{"Mcp-Method", "tools/call"}}),
              code::kHeaderMismatch);
    EXPECT_EQ(with_name("tools/call", Json::object(), "query"), code::kHeaderMismatch);
    // Other methods have no name; the header means nothing to them.
    EXPECT_EQ(with_name("tools/list", Json::object(), "query"), 0);
}

TEST_F(HttpMirror, H5_NotificationsNeedNoHeadersButMustNotLie) {
    const Message message = message_of("notifications/cancelled", Json::object(), true);
    EXPECT_FALSE(check_mirrored_headers(head_with({}), message, tools_).has_value());
    EXPECT_TRUE(check_mirrored_headers(head_with({{"Mcp-Method", "tools/list"}}), message, tools_)
                    .has_value());
}

TEST_F(HttpMirror, H6_ParametersArePresentTogetherAndEqual) {
    EXPECT_EQ(call({{"region", "Zürich"}}, {{"Mcp-Param-Region", encode_header_value("Zürich")}}),
              0);
    EXPECT_EQ(call({{"limit", 42}}, {{"mcp-param-limit", "42.0"}}), 0);
    EXPECT_EQ(call({{"limit", 9007199254740993}}, {{"Mcp-Param-Limit", "9007199254740993"}}), 0);
    EXPECT_EQ(call({{"dry", true}}, {{"Mcp-Param-Dry", "true"}}), 0);
    EXPECT_EQ(call({{"nested", {{"deep", "x"}}}}, {{"Mcp-Param-Deep", "x"}}), 0);
    EXPECT_EQ(call({{"region", nullptr}}, {}), 0);
    EXPECT_EQ(call(Json::object(), {}), 0);

    EXPECT_EQ(call({{"region", "a"}}, {}), code::kHeaderMismatch);
    EXPECT_EQ(call({{"region", "a"}}, {{"Mcp-Param-Region", "b"}}), code::kHeaderMismatch);
    EXPECT_EQ(call(Json::object(), {{"Mcp-Param-Region", "b"}}), code::kHeaderMismatch);
    EXPECT_EQ(call({{"limit", 9007199254740993}}, {{"Mcp-Param-Limit", "9007199254740992"}}),
              code::kHeaderMismatch);
    EXPECT_EQ(call({{"limit", 42}}, {{"Mcp-Param-Limit", "0x2A"}}), code::kHeaderMismatch);
    EXPECT_EQ(call({{"dry", true}}, {{"Mcp-Param-Dry", "True"}}), code::kHeaderMismatch);
    EXPECT_EQ(call({{"region", "a"}}, {{"Mcp-Param-Region", "=?base64?YQ?="}}),
              code::kHeaderMismatch);
}

TEST(HttpAddressText, H1_HasAPortAndMayHaveAnAddress) {
    EXPECT_EQ(parse_http_address("3100")->host, "127.0.0.1");
    EXPECT_EQ(parse_http_address("3100")->port, 3100);
    EXPECT_EQ(parse_http_address("localhost:0")->host, "127.0.0.1");
    EXPECT_EQ(parse_http_address("0.0.0.0:8080")->host, "0.0.0.0");
    EXPECT_EQ(parse_http_address("[::1]:8080")->host, "::1");
    for (const char* const bad : {"", "http", "70000", "-1", "3100x", "host:3100", "127.0.0.1",
                                  "::1:3100", "[::1]", ":1"}) {
        const auto parsed = parse_http_address(bad);
        ASSERT_FALSE(parsed.has_value()) << bad;
        EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
    }
}

TEST(HttpAddressText, H1_KnowsLoopbackAddresses) {
    EXPECT_TRUE(is_loopback_address("127.0.0.1"));
    EXPECT_TRUE(is_loopback_address("127.9.8.7"));
    EXPECT_TRUE(is_loopback_address("::1"));
    EXPECT_FALSE(is_loopback_address("0.0.0.0"));
    EXPECT_FALSE(is_loopback_address("::"));
    EXPECT_FALSE(is_loopback_address("192.168.1.1"));
    EXPECT_FALSE(is_loopback_address("localhost.evil.com"));
}

}  // namespace
}  // namespace tb::mcp
