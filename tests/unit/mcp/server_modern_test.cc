// Revision 2026-07-28 over the memory transport. Every message is also checked against the official
// schema when the client goes (test_server.cc).
#include <set>

#include <gtest/gtest.h>

#include "core/log.h"
#include "mcp/json_text.h"
#include "test_server.h"

namespace tb::mcp::test {
namespace {

class Modern : public ::testing::Test {
  protected:
    std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
    std::unique_ptr<Server> server_ = make_server(gate_);
    Client client_{*server_};

    Json call(const std::string& name, Json arguments = Json::object(),
              Json capabilities = Json::object()) {
        return client_.ask_modern("tools/call", {{"name", name}, {"arguments", arguments}},
                                  std::move(capabilities));
    }
};

std::string text_of(const Json& answer) {
    return answer.contains("result") && !answer["result"]["content"].empty()
               ? answer["result"]["content"][0].value("text", "")
               : answer.dump();
}

int error_of(const Json& answer) {
    return answer.contains("error") ? answer["error"]["code"].get<int>() : 0;
}

TEST_F(Modern, P5_DiscoverNamesVersionsCapabilitiesAndIdentity) {
    const Json result = client_.ask_modern("server/discover")["result"];
    EXPECT_EQ(result["supportedVersions"], Json::array({"2026-07-28"}));
    EXPECT_EQ(result["resultType"], "complete");
    EXPECT_EQ(result["instructions"], "Call echo first.");
    EXPECT_EQ(result["ttlMs"], 3'600'000);
    EXPECT_EQ(result["cacheScope"], "public");
    EXPECT_EQ(result["_meta"]["io.modelcontextprotocol/serverInfo"],
              (Json{{"name", "test-server"}, {"title", "Test server"}, {"version", "9.8.7"}}));
    EXPECT_EQ(result["capabilities"].dump(),
              R"({"tools":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},)"
              R"("prompts":{"listChanged":false},"completions":{},"logging":{}})");
}

TEST_F(Modern, P6_UndeclaredCapabilitiesAreUnknownMethods) {
    auto bare = Server::make(make_options(), ServerContent{});
    ASSERT_TRUE(bare.has_value());
    Client client(**bare);
    EXPECT_EQ(client.ask_modern("server/discover")["result"]["capabilities"].dump(),
              R"({"logging":{}})");
    for (const char* method : {"tools/list", "tools/call", "resources/list", "resources/read",
                               "prompts/get", "completion/complete"}) {
        EXPECT_EQ(error_of(client.ask_modern(method)), code::kMethodNotFound) << method;
    }
}

TEST_F(Modern, P2_RequestsWithoutMetaAreInvalid) {
    EXPECT_EQ(error_of(client_.ask("tools/list", Json::object())), code::kInvalidParams);
    Json no_capabilities = modern_params();
    no_capabilities["_meta"].erase("io.modelcontextprotocol/clientCapabilities");
    EXPECT_EQ(error_of(client_.ask("tools/list", no_capabilities)), code::kInvalidParams);
    Json bad_version = modern_params();
    bad_version["_meta"]["io.modelcontextprotocol/protocolVersion"] = 20260728;
    EXPECT_EQ(error_of(client_.ask("tools/list", bad_version)), code::kInvalidParams);
}

TEST_F(Modern, P3_UnsupportedVersionNamesTheSupportedOnes) {
    for (const char* version : {"2027-01-01", "2025-11-25", ""}) {
        Json params = modern_params();
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = version;
        const Json answer = client_.ask("tools/list", params);
        EXPECT_EQ(error_of(answer), code::kUnsupportedVersion);
        EXPECT_EQ(answer["error"]["data"],
                  (Json{{"supported", {"2026-07-28"}}, {"requested", version}}));
    }
}

TEST_F(Modern, P4_LegacyMethodsDoNotExistWithModernMeta) {
    for (const char* method : {"initialize", "ping", "logging/setLevel", "resources/subscribe",
                               "resources/unsubscribe", "no/such"}) {
        EXPECT_EQ(error_of(client_.ask_modern(method)), code::kMethodNotFound) << method;
    }
}

TEST_F(Modern, P9_MissingAndNullArgumentsMeanNone) {
    EXPECT_EQ(text_of(client_.ask_modern("tools/call", {{"name", "chatty"}})), "logged");
    EXPECT_EQ(
        text_of(client_.ask_modern("tools/call", {{"name", "chatty"}, {"arguments", nullptr}})),
        "logged");
    EXPECT_EQ(error_of(client_.ask_modern("tools/call",
                                          {{"name", "chatty"}, {"arguments", Json::array({1})}})),
              code::kInvalidParams);
}

TEST_F(Modern, T6_ResultHasTextAndStructuredContent) {
    const Json answer = call("echo", {{"text", "hi"}});
    EXPECT_EQ(to_json_text(answer["result"]),
              R"({"content":[{"type":"text","text":"hi\nhi\n"}],)"
              R"("structuredContent":{"text":"hi","count":2,"budget":24000,"era":"modern"},)"
              R"("resultType":"complete",)"
              R"("_meta":{"io.modelcontextprotocol/serverInfo":)"
              R"({"name":"test-server","title":"Test server","version":"9.8.7"}}})");
}

TEST_F(Modern, T4_BadArgumentsAreToolErrorsWithoutStructuredContent) {
    const Json answer = call("echo", {{"txt", "hi"}, {"count", 0}});
    EXPECT_EQ(answer["result"]["isError"], true);
    EXPECT_FALSE(answer["result"].contains("structuredContent"));
    EXPECT_EQ(text_of(answer),
              "Invalid arguments for echo:\n"
              "unknown parameter 'txt'; did you mean 'text'?\n"
              "parameter 'text' is required: a string\n"
              "parameter 'count' is 0 but must be an integer from 1 to 50000");
}

TEST_F(Modern, T5_UnknownToolIsAProtocolErrorWithNearNames) {
    const Json answer = call("ecko");
    EXPECT_EQ(error_of(answer), code::kInvalidParams);
    EXPECT_EQ(answer["error"]["message"], "Unknown tool 'ecko'; did you mean 'echo'?");
}

TEST_F(Modern, T7_ErrorsAreTextAloneAndBounded) {
    const Json answer = call("fail");
    EXPECT_EQ(answer["result"]["isError"], true);
    EXPECT_EQ(answer["result"]["content"].size(), 1U);
    EXPECT_LE(text_of(answer).size(), 2'004U);  // the cut mark has three bytes
    EXPECT_EQ(text_of(call("throws")),
              "throws failed unexpectedly; the server's log has the reason");
}

TEST_F(Modern, T9_TextAboveTheCapIsCutAndMaxCharsRaisesIt) {
    const Json cut = call("echo", {{"text", "0123456789"}, {"count", 10'000}});
    EXPECT_LE(text_of(cut).size(), 40'000U);
    EXPECT_NE(text_of(cut).find("cut here"), std::string::npos);
    const Json raised =
        call("echo", {{"text", "0123456789"}, {"count", 10'000}, {"maxChars", 200'000}});
    EXPECT_EQ(text_of(raised).size(), 110'000U);
    EXPECT_EQ(raised["result"]["structuredContent"]["budget"], 200'000);
    const Json as_text =
        call("echo", {{"text", "0123456789"}, {"count", 10'000}, {"maxChars", "200000"}});
    EXPECT_EQ(text_of(as_text), text_of(raised)) << "numbers may be texts (T4)";
}

TEST_F(Modern, Q9_ErrorsShowCharactersThatHide) {
    const Json answer = call("echo", {{"text", 5}, {"co\xE2\x80\xAEnt\x1B", 1}});
    const std::string text = text_of(answer);
    EXPECT_NE(text.find("co<U+202E>nt\\x1B"), std::string::npos) << text;
    EXPECT_NE(text.find('\n'), std::string::npos);
    EXPECT_EQ(call("ec\x1B[31mko")["error"]["message"].get<std::string>().find('\x1B'),
              std::string::npos);
}

TEST_F(Modern, T9_AMaxCharsBelowWhatCannotBeLeftOutStillAnswers) {
    const std::string text(3'000, 'x');
    const Json answer = call("echo", {{"text", text}, {"count", 1}, {"maxChars", 1}});
    ASSERT_TRUE(answer.contains("result")) << answer.dump();
    EXPECT_EQ(answer["result"]["structuredContent"]["text"], text);
    EXPECT_EQ(answer["result"]["structuredContent"]["budget"], 1'000);
    EXPECT_LE(text_of(answer).size(), 1'000U);
}

TEST_F(Modern, T9_AnObjectAboveTheCapIsShortenedAndSaysSo) {
    const std::string text(41'000, 'x');
    const Json cut = call("echo", {{"text", text}, {"count", 1}});
    ASSERT_TRUE(cut.contains("result")) << cut.dump();
    const Json& structured = cut["result"]["structuredContent"];
    EXPECT_EQ(structured["text"].get<std::string>(), std::string(499, 'x') + "…");
    EXPECT_EQ(structured["warnings"][0].get<std::string>().find("shortened to fit"), 0U);
    EXPECT_NE(text_of(cut).find("raise maxChars"), std::string::npos) << text_of(cut);
    const Json raised = call("echo", {{"text", text}, {"count", 1}, {"maxChars", 50'000}});
    EXPECT_EQ(raised["result"]["structuredContent"]["text"], text);
}

TEST_F(Modern, S8_NonFiniteNumbersBecomeNullWithANote) {
    const Json structured = call("nan")["result"]["structuredContent"];
    EXPECT_EQ(to_json_text(structured),
              R"({"value":null,"list":[1.5,null],)"
              R"("warnings":["2 values are not finite numbers and shown as null"]})");
}

TEST_F(Modern, T8_ResultsThatBreakTheirTableAreCaughtInTests) {
    const Json answer = call("broken");
    EXPECT_EQ(error_of(answer), code::kInternalError);
    EXPECT_EQ(answer["error"]["message"],
              "broken broke its result table:\nvalue: is \"a text\", not number");
}

TEST_F(Modern, P12_ProgressOnlyWithATokenAndNeverBackwards) {
    EXPECT_EQ(text_of(call("count", {{"steps", 3}})), "counted");
    EXPECT_TRUE(client_.with_method("notifications/progress").empty());
    Json params = modern_params({{"name", "count"}, {"arguments", {{"steps", 3}}}});
    params["_meta"]["progressToken"] = "p7";
    client_.ask("tools/call", params);
    const auto frames = client_.with_method("notifications/progress");
    ASSERT_EQ(frames.size(), 4U);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        EXPECT_EQ(frames[i]["params"], (Json{{"progressToken", "p7"},
                                             {"progress", i},
                                             {"total", 3},
                                             {"message", "step " + std::to_string(i)}}));
    }
}

TEST_F(Modern, P19_LogMessagesOnlyAtTheRequestedLevel) {
    call("chatty");
    EXPECT_TRUE(client_.with_method("notifications/message").empty());
    Json params = modern_params({{"name", "chatty"}});
    params["_meta"]["io.modelcontextprotocol/logLevel"] = "info";
    client_.ask("tools/call", params);
    const auto logs = client_.with_method("notifications/message");
    ASSERT_EQ(logs.size(), 1U);
    EXPECT_EQ(logs[0]["params"],
              (Json{{"level", "warning"}, {"logger", "chatty"}, {"data", {{"rows", 3}}}}));
    params["_meta"]["io.modelcontextprotocol/logLevel"] = "loud";
    EXPECT_EQ(error_of(client_.ask("tools/call", params)), code::kInvalidParams);
}

TEST_F(Modern, P13_CancelledCallIsNeverAnswered) {
    client_.start(77, "tools/call", modern_params({{"name", "hold"}}));
    ASSERT_TRUE(gate_->wait_inside(1));
    client_.notify("notifications/cancelled", {{"requestId", "77"}});  // another id: ignored
    EXPECT_EQ(client_.raw().connection().calls_in_flight(), 1U);
    client_.notify("notifications/cancelled", {{"requestId", 77}});
    ASSERT_TRUE(gate_->wait_cancelled(1));
    EXPECT_EQ(client_.raw().connection().calls_in_flight(), 0U);
    EXPECT_EQ(text_of(call("chatty")), "logged");  // the worker is free again
    for (const Json& message : client_.messages()) {
        EXPECT_NE(message.value("id", Json()), Json(77)) << message.dump();
    }
    client_.notify("notifications/cancelled", {{"requestId", 77}});  // finished: ignored
}

TEST_F(Modern, P8_IdInUseIsRefused) {
    client_.start(5, "tools/call", modern_params({{"name", "hold"}}));
    ASSERT_TRUE(gate_->wait_inside(1));
    EXPECT_EQ(error_of(client_.ask(5, "tools/list", modern_params())), code::kInvalidRequest);
    gate_->release();
}

TEST_F(Modern, P11_UnknownThingsAreIgnored) {
    client_.notify("notifications/no_such", {{"x", 1}});
    client_.send(R"({"jsonrpc":"2.0","id":9,"result":{}})");  // nobody asked
    Json params = modern_params({{"futureMember", 1}});
    params["_meta"]["com.example/other"] = 2;
    EXPECT_TRUE(client_.ask("tools/list", params).contains("result"));
    EXPECT_EQ(client_.messages().size(), 1U);
}

TEST_F(Modern, P10_BatchesAreRefused) {
    client_.send("[" + request_text(1, "tools/list", modern_params()) + "]");
    EXPECT_EQ(client_.messages().at(0)["error"]["code"], code::kInvalidRequest);
    EXPECT_FALSE(client_.messages().at(0).contains("id"));
}

TEST_F(Modern, P15_ListsAreTheSameBytesInEveryServer) {
    const auto other = make_server(gate_);
    for (const char* method :
         {"tools/list", "resources/list", "resources/templates/list", "prompts/list"}) {
        const std::string text = request_text("same", method, modern_params());
        MemoryClient first(*server_);
        MemoryClient second(*other);
        const auto answer = first.request(text);
        ASSERT_TRUE(answer.has_value());
        EXPECT_EQ(answer, second.request(text));
        EXPECT_EQ(answer, first.request(text));
    }
}

TEST_F(Modern, P16_ListsAndReadsCarryCachingHints) {
    const Json tools = client_.ask_modern("tools/list")["result"];
    EXPECT_EQ(tools["ttlMs"], 3'600'000);
    EXPECT_EQ(tools["cacheScope"], "public");
    const Json read = client_.ask_modern("resources/read", {{"uri", "test://static"}})["result"];
    EXPECT_EQ(read["cacheScope"], "private");
    EXPECT_EQ(read["ttlMs"], 0);
    EXPECT_EQ(read["contents"][0],
              (Json{{"uri", "test://static"}, {"mimeType", "text/plain"}, {"text", "hello"}}));
}

TEST_F(Modern, P14_PagesCoverEverythingOnceAndBadCursorsAreRefused) {
    ServerOptions options = make_options();
    options.page_size = 5;
    const auto server = make_server(gate_, options);
    Client client(*server);
    std::vector<std::string> names;
    Json params = Json::object();
    std::string first_cursor;
    while (true) {
        const Json page = client.ask_modern("tools/list", params)["result"];
        EXPECT_EQ(page["cacheScope"], "public");
        for (const Json& tool : page["tools"]) {
            names.push_back(tool["name"]);
        }
        if (!page.contains("nextCursor")) {
            break;
        }
        params["cursor"] = page["nextCursor"];
        first_cursor = first_cursor.empty() ? page["nextCursor"].get<std::string>() : first_cursor;
    }
    std::vector<std::string> expected;
    for (const auto& tool : server->content().tools.tools()) {
        expected.push_back(tool->name);
    }
    EXPECT_EQ(names, expected);
    for (const Json& bad : {Json(""), Json("5"), Json(first_cursor + "x"), Json(5)}) {
        EXPECT_EQ(error_of(client.ask_modern("tools/list", {{"cursor", bad}})),
                  code::kInvalidParams)
            << bad.dump();
    }
    // A cursor belongs to its list.
    EXPECT_EQ(error_of(client.ask_modern("prompts/list", {{"cursor", first_cursor}})),
              code::kInvalidParams);
}

TEST_F(Modern, T16_UnknownResourceIsInvalidParamsWithItsUri) {
    for (const char* uri : {"test://nothing", "test://item/gone", "test://item/a%2F..", ""}) {
        const Json answer = client_.ask_modern("resources/read", {{"uri", uri}});
        EXPECT_EQ(error_of(answer), code::kInvalidParams);
        EXPECT_EQ(answer["error"]["data"]["uri"], uri);
    }
    const Json read = client_.ask_modern("resources/read", {{"uri", "test://item/a%20b"}});
    EXPECT_EQ(read["result"]["contents"][0]["text"], R"({"id":"a b"})");
}

TEST_F(Modern, T17_PromptsCheckTheirArguments) {
    const Json good =
        client_.ask_modern("prompts/get", {{"name", "greet"}, {"arguments", {{"name", "Ann"}}}});
    EXPECT_EQ(good["result"]["messages"][0]["content"]["text"], "Greet Ann");
    for (const Json& params :
         {Json{{"name", "gret"}}, Json{{"name", "greet"}},
          Json{{"name", "greet"}, {"arguments", {{"name", 5}}}},
          Json{{"name", "greet"}, {"arguments", {{"name", "A"}, {"nam", "B"}}}}}) {
        EXPECT_EQ(error_of(client_.ask_modern("prompts/get", params)), code::kInvalidParams)
            << params.dump();
    }
}

TEST_F(Modern, T15_CompletionRanksCapsAndCounts) {
    const Json item = client_.ask_modern(
        "completion/complete", {{"ref", {{"type", "ref/resource"}, {"uri", "test://item/{id}"}}},
                                {"argument", {{"name", "id"}, {"value", "ap"}}}});
    EXPECT_EQ(
        item["result"]["completion"],
        (Json{{"values", {"apple", "Apricot", "pineapple"}}, {"total", 3}, {"hasMore", false}}));
    const Json name = client_.ask_modern("completion/complete",
                                         {{"ref", {{"type", "ref/prompt"}, {"name", "greet"}}},
                                          {"argument", {{"name", "name"}, {"value", ""}}},
                                          {"context", {{"arguments", {{"title", "Dr"}}}}}});
    EXPECT_EQ(name["result"]["completion"]["values"].size(), 100U);
    EXPECT_EQ(name["result"]["completion"]["values"][0], "Dr n0");
    EXPECT_EQ(name["result"]["completion"]["total"], 150);
    EXPECT_EQ(name["result"]["completion"]["hasMore"], true);
    EXPECT_EQ(error_of(client_.ask_modern("completion/complete",
                                          {{"ref", {{"type", "ref/prompt"}, {"name", "none"}}},
                                           {"argument", {{"name", "x"}, {"value", ""}}}})),
              code::kInvalidParams);
}

TEST_F(Modern, X3_RestrictedPrincipalsAreRefused) {
    Principal reader;
    reader.name = "reader";
    reader.unrestricted = false;
    reader.scopes = {"blocks:read"};
    Client client(*server_, reader);
    const Json answer =
        client.ask_modern("tools/call", {{"name", "purge"}, {"arguments", {{"table", "t"}}}});
    EXPECT_EQ(text_of(answer), "'purge' needs the scope 'data:write'");
    EXPECT_EQ(gate_->runs, 0);
}

TEST_F(Modern, P20_TraceparentIsCopiedIntoLogLinesWhenItIsOne) {
    set_log_level(LogLevel::kInfo);
    ::testing::internal::CaptureStderr();
    Json params = modern_params({{"name", "chatty"}});
    params["_meta"]["traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    client_.ask("tools/call", params);
    params["_meta"]["traceparent"] = "forged\nline";
    client_.ask("tools/call", params);
    EXPECT_TRUE(server_->shutdown(kWait));
    const std::string log = ::testing::internal::GetCapturedStderr();
    set_log_level(LogLevel::kWarning);
    EXPECT_NE(log.find("traceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n"),
              std::string::npos)
        << log;
    EXPECT_EQ(log.find("forged"), std::string::npos);
}

// ---- rounds ----

const Json kElicitation = {{"elicitation", Json::object()}};

TEST_F(Modern, P17_ConfirmationTakesTwoRounds) {
    const Json call_params = {{"name", "purge"}, {"arguments", {{"table", "spx"}}}};
    const Json first = client_.ask_modern("tools/call", call_params, kElicitation)["result"];
    EXPECT_EQ(first["resultType"], "input_required");
    EXPECT_FALSE(first.contains("ttlMs"));
    const Json& asked = first["inputRequests"]["confirm"];
    EXPECT_EQ(asked["method"], "elicitation/create");
    EXPECT_EQ(asked["params"]["message"], "Delete spx?");

    // A state is good for one answer: each one here gets its own.
    const auto answer_with = [&](const Json& responses) {
        Json params = call_params;
        params["requestState"] =
            client_.ask_modern("tools/call", call_params, kElicitation)["result"]["requestState"];
        params["inputResponses"] = responses;
        return client_.ask_modern("tools/call", params, kElicitation);
    };
    const Json yes = {{"action", "accept"}, {"content", {{"confirm", true}}}};
    EXPECT_EQ(text_of(answer_with({{"confirm", yes}, {"extra", 1}})), "deleted");
    EXPECT_EQ(text_of(answer_with({{"confirm", {{"action", "decline"}}}})), "kept");
    EXPECT_EQ(text_of(answer_with(
                  {{"confirm", {{"action", "accept"}, {"content", {{"confirm", false}}}}}})),
              "kept");
    // Missing or unusable answers: asked again, not an error.
    for (const Json& responses :
         {Json::object(), Json{{"confirm", {{"action", "accept"}}}},
          Json{{"confirm", {{"action", "accept"}, {"content", {{"confirm", "perhaps"}}}}}}}) {
        EXPECT_EQ(answer_with(responses)["result"]["resultType"], "input_required")
            << responses.dump();
    }
    EXPECT_EQ(error_of(answer_with({{"confirm", 5}})), code::kInvalidParams);
    EXPECT_EQ(error_of(answer_with(Json::array())), code::kInvalidParams);
}

TEST_F(Modern, P17_StateIsBoundToRequestAndPrincipal) {
    const Json call_params = {{"name", "purge"}, {"arguments", {{"table", "spx"}}}};
    const std::string state =
        client_.ask_modern("tools/call", call_params, kElicitation)["result"]["requestState"];
    const Json yes = {{"confirm", {{"action", "accept"}, {"content", {{"confirm", true}}}}}};
    std::string tampered = state;
    tampered[tampered.size() / 2] = tampered[tampered.size() / 2] == 'A' ? 'B' : 'A';
    const auto run = [&](Client& client, const std::string& table, const Json& sealed) {
        return client.ask_modern("tools/call",
                                 {{"name", "purge"},
                                  {"arguments", {{"table", table}}},
                                  {"inputResponses", yes},
                                  {"requestState", sealed}},
                                 kElicitation);
    };
    const int runs = gate_->runs;
    EXPECT_EQ(error_of(run(client_, "spx", tampered)), code::kInvalidParams);
    EXPECT_EQ(error_of(run(client_, "vix", state)), code::kInvalidParams);
    EXPECT_EQ(error_of(run(client_, "spx", 5)), code::kInvalidParams);
    Principal other;
    other.name = "somebody else";
    Client stranger(*server_, other);
    EXPECT_EQ(error_of(run(stranger, "spx", state)), code::kInvalidParams);
    const auto restarted = make_server(gate_);
    Client elsewhere(*restarted);
    EXPECT_EQ(error_of(run(elsewhere, "spx", state)), code::kInvalidParams);
    EXPECT_EQ(gate_->runs, runs) << "no handler ran";
    EXPECT_EQ(text_of(run(client_, "spx", state)), "deleted");
}

TEST_F(Modern, P17_AStateIsUsedOnce) {
    const Json call_params = {{"name", "purge"}, {"arguments", {{"table", "spx"}}}};
    Json params = call_params;
    params["requestState"] =
        client_.ask_modern("tools/call", call_params, kElicitation)["result"]["requestState"];
    params["inputResponses"] = {
        {"confirm", {{"action", "accept"}, {"content", {{"confirm", true}}}}}};
    EXPECT_EQ(text_of(client_.ask_modern("tools/call", params, kElicitation)), "deleted");
    const int runs = gate_->runs;
    const Json again = client_.ask_modern("tools/call", params, kElicitation);
    EXPECT_EQ(error_of(again), code::kInvalidParams);
    EXPECT_NE(again["error"]["message"].get<std::string>().find("used already"), std::string::npos);
    Client other(*server_);  // not on another connection either
    EXPECT_EQ(error_of(other.ask_modern("tools/call", params, kElicitation)), code::kInvalidParams);
    EXPECT_EQ(gate_->runs, runs) << "the handler ran again";
}

namespace {

// Sends the next request with the same id from within the delivery of an answer.
class EagerOutlet final : public Outlet {
  public:
    explicit EagerOutlet(int requests) : left_(requests) {}
    std::weak_ptr<Connection> connection;
    std::shared_ptr<EagerOutlet> self;
    std::atomic<int> refused{0};
    std::atomic<int> answered{0};

    bool send(OutMessage message) override {
        if (message.kind != OutMessage::Kind::kResponse) {
            return true;
        }
        (message.error_code != 0 ? refused : answered) += 1;
        if (left_.fetch_sub(1) > 1) {
            if (const auto open = connection.lock()) {
                open->receive(text(), self);
            }
        }
        return true;
    }
    static std::string text() {
        return request_text(
            7, "tools/call",
            modern_params({{"name", "echo"}, {"arguments", {{"text", "x"}, {"count", 1}}}}));
    }

  private:
    std::atomic<int> left_;
};

}  // namespace

TEST_F(Modern, P8_AnIdCanBeUsedAgainAsSoonAsTheAnswerIsSeen) {
    constexpr int kRequests = 2'000;
    const auto outlet = std::make_shared<EagerOutlet>(kRequests);
    outlet->self = outlet;
    const auto connection = server_->connect({});
    outlet->connection = connection;
    connection->receive(EagerOutlet::text(), outlet);
    for (int i = 0; i < 2'000 && outlet->answered + outlet->refused < kRequests; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(outlet->answered, kRequests);
    EXPECT_EQ(outlet->refused, 0);
    connection->close();
    outlet->self.reset();
}

TEST_F(Modern, P8_IdsAndUrisOfAMegabyteAreNotCarriedAround) {
    const std::string huge(1'000'000, 'x');
    client_.send(request_text(huge, "tools/list", modern_params()));
    ASSERT_FALSE(client_.messages().empty());
    EXPECT_EQ(error_of(client_.messages().back()), code::kInvalidRequest);
    const Json missing = client_.ask_modern("resources/read", {{"uri", "test://" + huge}});
    EXPECT_LT(to_json_text(missing).size(), 3'000U);
    Json params = modern_params({{"name", "progress"}, {"arguments", Json::object()}});
    params["_meta"]["progressToken"] = huge;
    EXPECT_TRUE(client_.ask("tools/call", params).is_object());
    for (const Json& message : client_.messages()) {
        EXPECT_LT(to_json_text(message).size(), 100'000U);
    }
}

TEST_F(Modern, Q17_RefusedCallsAreToldOf) {
    ServerOptions options = make_options();
    std::mutex mutex;
    std::vector<std::string> refused;
    options.on_refused_call = [&](const RefusedCall& call) {
        const std::lock_guard lock(mutex);
        refused.push_back(call.tool + " " + call.why + " " +
                          (call.arguments.is_null() ? "null" : to_json_text(*call.arguments)));
    };
    const auto server = make_server(gate_, std::move(options));
    Client client(*server);
    client.ask_modern("tools/call", {{"name", "no_such_tool"}, {"arguments", {{"a", 1}}}});
    client.ask_modern("tools/call", Json::object());
    client.ask_modern("tools/call", {{"name", "echo"}, {"arguments", {{"text", 5}}}});
    client.ask("tools/call", {{"name", "echo"}});  // without _meta
    client.ask_modern("tools/call", {{"name", "echo"}, {"arguments", {{"text", "x"}}}});
    Principal other;
    other.name = "guest";
    other.unrestricted = false;
    Client guest(*server, other);
    guest.ask_modern("tools/call", {{"name", "purge"}, {"arguments", {{"table", "spx"}}}});
    const std::lock_guard lock(mutex);
    ASSERT_GE(refused.size(), 4U);
    EXPECT_EQ(refused[0], R"(no_such_tool tool {"a":1})");
    EXPECT_EQ(refused[1], " tool null");
    EXPECT_EQ(refused[2], R"(echo arguments {"text":5})");
    EXPECT_EQ(refused[3], "echo protocol null");
    for (std::size_t i = 4; i < refused.size(); ++i) {
        EXPECT_EQ(refused[i], R"(purge scope {"table":"spx"})");
    }
}

TEST_F(Modern, P17_LaterRoundsKeepEarlierAnswersAndHandlerState) {
    const auto filled = [](const char* name) {
        return Json{{"action", "accept"}, {"content", {{"name", name}}}};
    };
    const Json first =
        client_.ask_modern("tools/call", {{"name", "two_rounds"}}, kElicitation)["result"];
    EXPECT_EQ(first["inputRequests"].size(), 1U);
    const Json second = client_.ask_modern("tools/call",
                                           {{"name", "two_rounds"},
                                            {"inputResponses", {{"step1", filled("ann")}}},
                                            {"requestState", first["requestState"]}},
                                           kElicitation)["result"];
    EXPECT_TRUE(second["inputRequests"].contains("step2"));
    EXPECT_NE(first["requestState"], second["requestState"]);
    const Json third = client_.ask_modern("tools/call",
                                          {{"name", "two_rounds"},
                                           {"inputResponses", {{"step2", filled("bob")}}},
                                           {"requestState", second["requestState"]}},
                                          kElicitation);
    EXPECT_EQ(text_of(third), "ann+bob state=after-step1");
    EXPECT_EQ(gate_->runs, 3);
}

TEST_F(Modern, P17_SharedSecretLetsAnotherProcessGoOn) {
    ServerOptions options = make_options();
    options.secret = "shared between owner and follower";
    const auto owner = make_server(gate_, options);
    const auto follower = make_server(gate_, options);
    const Json call_params = {{"name", "purge"}, {"arguments", {{"table", "spx"}}}};
    Client before(*owner);
    Json params = call_params;
    params["requestState"] =
        before.ask_modern("tools/call", call_params, kElicitation)["result"]["requestState"];
    params["inputResponses"] = {
        {"confirm", {{"action", "accept"}, {"content", {{"confirm", true}}}}}};
    Client after(*follower);
    EXPECT_EQ(text_of(after.ask_modern("tools/call", params, kElicitation)), "deleted");
}

TEST_F(Modern, P7_MissingCapabilityNamesWhatIsNeeded) {
    const Json sampling = call("needs_sampling");
    EXPECT_EQ(error_of(sampling), code::kMissingCapability);
    EXPECT_EQ(sampling["error"]["data"],
              (Json{{"requiredCapabilities", {{"sampling", Json::object()}}}}));
    // {"url": {}} alone is not form mode.
    EXPECT_EQ(
        error_of(call("purge", {{"table", "x"}}, {{"elicitation", {{"url", Json::object()}}}})),
        code::kMissingCapability);
}

// ---- subscriptions ----

TEST_F(Modern, P18_ListenAcknowledgesFirstAndHearsOnlyWhatItAskedFor) {
    server_->tools_changed();  // before: nobody listens
    client_.start("sub-1", "subscriptions/listen",
                  modern_params({{"notifications",
                                  {{"toolsListChanged", true},
                                   {"promptsListChanged", true},
                                   {"resourceSubscriptions", {"test://static", "test://none"}}}}}));
    server_->prompts_changed();
    server_->resources_changed();
    server_->resource_updated("test://item/1");
    server_->resource_updated("test://static");
    server_->tools_changed();
    const Json tag = {{"io.modelcontextprotocol/subscriptionId", "sub-1"}};
    const auto messages = client_.messages();
    ASSERT_EQ(messages.size(), 3U);
    EXPECT_EQ(messages[0]["method"], "notifications/subscriptions/acknowledged");
    EXPECT_EQ(messages[0]["params"],
              (Json{{"_meta", tag},
                    {"notifications",
                     {{"toolsListChanged", true}, {"resourceSubscriptions", {"test://static"}}}}}));
    EXPECT_EQ(messages[1]["method"], "notifications/resources/updated");
    EXPECT_EQ(messages[1]["params"], (Json{{"_meta", tag}, {"uri", "test://static"}}));
    EXPECT_EQ(messages[2]["method"], "notifications/tools/list_changed");
    EXPECT_EQ(messages[2]["params"]["_meta"], tag);
}

TEST_F(Modern, T16_SubscriptionsHoldHoweverTheUriIsEscaped) {
    client_.start(
        1, "subscriptions/listen",
        modern_params({{"notifications", {{"resourceSubscriptions", {"test://item/a(1)"}}}}}));
    server_->resource_updated("test://item/a%281%29");
    const auto messages = client_.messages();
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_EQ(messages[0]["params"]["notifications"]["resourceSubscriptions"],
              (Json{"test://item/a(1)"}));
    EXPECT_EQ(messages[1]["params"]["uri"], "test://item/a(1)") << "as the client knows it";
}

TEST_F(Modern, P18_EndIsNotificationThenResult) {
    client_.start(4, "subscriptions/listen", modern_params({{"notifications", Json::object()}}));
    client_.start("4", "subscriptions/listen", modern_params({{"notifications", Json::object()}}));
    client_.notify("notifications/cancelled", {{"requestId", "4"}});  // ends silently
    EXPECT_TRUE(server_->shutdown());
    const auto messages = client_.messages();
    ASSERT_EQ(messages.size(), 4U);
    EXPECT_EQ(messages[2]["method"], "notifications/cancelled");
    EXPECT_EQ(messages[2]["params"]["requestId"], 4);
    EXPECT_EQ(messages[3]["id"], 4);
    EXPECT_EQ(messages[3]["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 4);
    EXPECT_TRUE(client_.raw().outlet().wait_for_finished(2, kWait));
    EXPECT_EQ(error_of(client_.ask_modern("tools/list")), code::kInternalError);
}

TEST_F(Modern, P18_NumberOfSubscriptionsIsBounded) {
    ServerOptions options = make_options();
    options.max_subscriptions = 2;
    const auto server = make_server(gate_, options);
    Client client(*server);
    const Json params = modern_params({{"notifications", Json::object()}});
    client.start(1, "subscriptions/listen", params);
    client.start(2, "subscriptions/listen", params);
    EXPECT_EQ(error_of(client.ask(3, "subscriptions/listen", params)), code::kInternalError);
    client.notify("notifications/cancelled", {{"requestId", 1}});
    client.start(4, "subscriptions/listen", params);
    EXPECT_EQ(client.with_method("notifications/subscriptions/acknowledged").size(), 3U);
}

}  // namespace
}  // namespace tb::mcp::test
