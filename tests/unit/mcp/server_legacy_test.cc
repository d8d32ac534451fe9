// Revisions 2024-11-05 to 2025-11-25 over the memory transport.
#include <gtest/gtest.h>

#include "mcp/json_text.h"
#include "test_server.h"

namespace tb::mcp::test {
namespace {

class Legacy : public ::testing::TestWithParam<Revision> {
  protected:
    std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
    std::unique_ptr<Server> server_ = make_server(gate_);
};

int error_of(const Json& answer) {
    return answer.contains("error") ? answer["error"]["code"].get<int>() : 0;
}

INSTANTIATE_TEST_SUITE_P(Revisions, Legacy,
                         ::testing::Values(Revision::k2024_11_05, Revision::k2025_03_26,
                                           Revision::k2025_06_18, Revision::k2025_11_25),
                         [](const auto& entry) {
                             std::string name(revision_name(entry.param));
                             std::erase(name, '-');
                             return "R" + name;
                         });

TEST_P(Legacy, P1_InitializeEchoesTheRevisionAndEverythingWorks) {
    Client client(*server_);
    const Json opened = client.initialize(GetParam());
    EXPECT_EQ(opened["result"]["protocolVersion"], revision_name(GetParam()));
    EXPECT_EQ(opened["result"]["serverInfo"]["version"], "9.8.7");
    EXPECT_EQ(opened["result"]["instructions"], "Call echo first.");
    EXPECT_FALSE(opened["result"].contains("resultType"));
    // No notifications/initialized: later requests must not wait for it.
    EXPECT_EQ(client.ask("ping", Json::object())["result"], Json::object());
    EXPECT_EQ(client.ask("tools/list", Json::object())["result"]["tools"].size(), 12U);
    const Json called =
        client.ask("tools/call", {{"name", "echo"}, {"arguments", {{"text", "a"}}}});
    EXPECT_EQ(called["result"]["structuredContent"]["era"], "legacy");
    EXPECT_FALSE(called["result"].contains("resultType"));
    EXPECT_FALSE(called["result"].contains("_meta"));
    for (const char* method : {"resources/list", "resources/templates/list", "prompts/list"}) {
        EXPECT_TRUE(client.ask(method, Json::object()).contains("result")) << method;
    }
    EXPECT_EQ(
        client.ask("resources/read", {{"uri", "test://static"}})["result"]["contents"][0]["text"],
        "hello");
    EXPECT_EQ(error_of(client.ask("resources/read", {{"uri", "test://none"}})),
              code::kLegacyResourceNotFound);
    EXPECT_EQ(error_of(client.ask("server/discover", Json::object())), code::kMethodNotFound);
    EXPECT_EQ(error_of(client.ask("subscriptions/listen", Json::object())), code::kMethodNotFound);
}

TEST_P(Legacy, T6_ContentKindsTheRevisionDoesNotKnowBecomeText) {
    Client client(*server_);
    client.initialize(GetParam());
    const Json content = client.ask("tools/call", {{"name", "mixed"}})["result"]["content"];
    ASSERT_EQ(content.size(), 5U);
    EXPECT_EQ(content[2]["type"], GetParam() >= Revision::k2025_03_26 ? "audio" : "text");
    EXPECT_EQ(content[4]["type"], GetParam() >= Revision::k2025_06_18 ? "resource_link" : "text");
    if (GetParam() < Revision::k2025_06_18) {
        EXPECT_EQ(content[4]["text"], "item 7: test://item/7");
    }
}

TEST_P(Legacy, P10_BatchesOnlyIn20250326) {
    Client client(*server_);
    client.initialize(GetParam());
    const std::string batch = "[" + request_text(1, "ping", Json::object()) + "," +
                              request_text("x", "tools/call", {{"name", "chatty"}}) +
                              R"(,{"jsonrpc":"2.0","method":"notifications/initialized"},)" +
                              request_text(2, "initialize", Json::object()) + ",7]";
    client.send(batch);
    ASSERT_TRUE(client.raw().outlet().wait_for_finished(2, kWait));  // initialize and the batch
    const Json last = client.messages().back();
    if (GetParam() != Revision::k2025_03_26) {
        EXPECT_EQ(error_of(last), code::kInvalidRequest);
        return;
    }
    ASSERT_EQ(last.size(), 4U);
    std::map<std::string, Json> by_id;
    for (const Json& part : last) {
        by_id[part.value("id", Json()).dump()] = part;
    }
    EXPECT_EQ(by_id["1"]["result"], Json::object());
    EXPECT_EQ(by_id["\"x\""]["result"]["content"][0]["text"], "logged");
    EXPECT_EQ(error_of(by_id["2"]), code::kInvalidRequest);
    EXPECT_EQ(error_of(by_id["null"]), code::kInvalidRequest);
}

TEST_P(Legacy, P19_LoggingHonoursSetLevelAndStartsAtInfo) {
    Client client(*server_);
    client.initialize(GetParam());
    client.ask("tools/call", {{"name", "chatty"}});
    EXPECT_EQ(client.with_method("notifications/message").size(), 1U);
    EXPECT_EQ(client.ask("logging/setLevel", {{"level", "debug"}})["result"], Json::object());
    client.ask("tools/call", {{"name", "chatty"}});
    EXPECT_EQ(client.with_method("notifications/message").size(), 3U);
    client.ask("logging/setLevel", {{"level", "error"}});
    client.ask("tools/call", {{"name", "chatty"}});
    EXPECT_EQ(client.with_method("notifications/message").size(), 3U);
    EXPECT_EQ(error_of(client.ask("logging/setLevel", {{"level", "loud"}})), code::kInvalidParams);
}

TEST_P(Legacy, P18_ListChangesAndSubscribedResourcesAreTold) {
    Client client(*server_);
    server_->tools_changed();  // before the handshake: silence
    client.initialize(GetParam());
    EXPECT_EQ(client.ask("resources/subscribe", {{"uri", "test://static"}})["result"],
              Json::object());
    server_->tools_changed();
    server_->prompts_changed();  // not advertised
    server_->resource_updated("test://item/1");
    server_->resource_updated("test://static");
    EXPECT_EQ(error_of(client.ask("resources/subscribe", Json::object())), code::kInvalidParams);
    EXPECT_EQ(error_of(client.ask("resources/subscribe", {{"uri", "test://none"}})),
              code::kLegacyResourceNotFound);
    client.ask("resources/unsubscribe", {{"uri", "test://static"}});
    server_->resource_updated("test://static");
    EXPECT_EQ(client.with_method("notifications/tools/list_changed").size(), 1U);
    EXPECT_TRUE(client.with_method("notifications/prompts/list_changed").empty());
    const auto updates = client.with_method("notifications/resources/updated");
    ASSERT_EQ(updates.size(), 1U);
    EXPECT_EQ(updates[0]["params"], (Json{{"uri", "test://static"}}));
}

TEST_P(Legacy, T16_SubscriptionsHoldHoweverTheUriIsEscaped) {
    Client client(*server_);
    client.initialize(GetParam());
    client.ask("resources/subscribe", {{"uri", "test://item/a(1)"}});
    server_->resource_updated("test://item/a%281%29");
    auto updates = client.with_method("notifications/resources/updated");
    ASSERT_EQ(updates.size(), 1U);
    EXPECT_EQ(updates[0]["params"]["uri"], "test://item/a(1)") << "as the client knows it";
    client.ask("resources/unsubscribe", {{"uri", "test://item/a(1)"}});
    server_->resource_updated("test://item/a%281%29");
    EXPECT_EQ(client.with_method("notifications/resources/updated").size(), 1U);
}

TEST_P(Legacy, P12_ProgressMessageOnlyWhereTheRevisionHasIt) {
    Client client(*server_);
    client.initialize(GetParam());
    client.ask(
        "tools/call",
        {{"name", "count"}, {"arguments", {{"steps", 1}}}, {"_meta", {{"progressToken", 12}}}});
    const auto frames = client.with_method("notifications/progress");
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[1]["params"]["progressToken"], 12);
    EXPECT_EQ(frames[1]["params"].contains("message"), GetParam() >= Revision::k2025_03_26);
}

TEST_P(Legacy, P17_ElicitationIsARealRequest) {
    Client client(*server_);
    client.initialize(GetParam(), {{"elicitation", Json::object()}});
    const Json params = {{"name", "purge"}, {"arguments", {{"table", "spx"}}}};
    if (GetParam() < Revision::k2025_06_18) {
        // The revision has no elicitation: said in words, whatever the client declared.
        const Json answer = client.ask("tools/call", params);
        EXPECT_EQ(answer["result"]["isError"], true);
        return;
    }
    client.start("call", "tools/call", params);
    const Json question = client.wait_for_method("elicitation/create");
    EXPECT_EQ(question["params"]["message"], "Delete spx?");
    EXPECT_EQ(question["params"].contains("mode"), GetParam() >= Revision::k2025_11_25);
    // Other requests are answered while the user thinks.
    EXPECT_EQ(client.ask("ping", Json::object())["result"], Json::object());
    client.send(Json{{"jsonrpc", "2.0"},
                     {"id", question["id"]},
                     {"result", {{"action", "accept"}, {"content", {{"confirm", true}}}}}}
                    .dump());
    EXPECT_EQ(client.wait_for_answer("call")["result"]["content"][0]["text"], "deleted");
    EXPECT_EQ(gate_->runs, 1);
}

TEST(LegacyStart, P1_UnknownRevisionGets20251125) {
    const auto gate = std::make_shared<Gate>();
    const auto server = make_server(gate);
    for (const char* version : {"2023-01-01", "2026-07-28", "draft"}) {
        Client client(*server);
        client.expect(Revision::k2025_11_25);
        const Json opened =
            client.ask("initialize", {{"protocolVersion", version},
                                      {"capabilities", Json::object()},
                                      {"clientInfo", {{"name", "t"}, {"version", "1"}}}});
        EXPECT_EQ(opened["result"]["protocolVersion"], "2025-11-25") << version;
    }
    Client client(*server);
    EXPECT_EQ(error_of(client.ask("initialize", {{"protocolVersion", 5}})), code::kInvalidParams);
}

TEST(LegacyStart, P4_ErasAndConnectionsDoNotLeak) {
    const auto gate = std::make_shared<Gate>();
    const auto server = make_server(gate);
    MemoryClient legacy(*server);
    MemoryClient other(*server);
    int id = 0;
    const auto ask = [&](MemoryClient& client, const std::string& method, const Json& params) {
        const auto answer = client.request(request_text(++id, method, params));
        return answer.has_value() ? Json::parse(*answer) : Json();
    };
    EXPECT_TRUE(ask(other, "ping", Json::object()).contains("result"));
    ask(legacy, "initialize", {{"protocolVersion", "2025-06-18"}});
    EXPECT_TRUE(ask(legacy, "tools/list", Json::object()).contains("result"));
    EXPECT_EQ(error_of(ask(other, "tools/list", Json::object())), code::kInvalidParams);
    // A modern request on the legacy connection is modern, and does not change it.
    const Json modern = ask(legacy, "tools/call",
                            modern_params({{"name", "echo"}, {"arguments", {{"text", "m"}}}}));
    EXPECT_EQ(modern["result"]["structuredContent"]["era"], "modern");
    EXPECT_EQ(error_of(ask(legacy, "ping", modern_params())), code::kMethodNotFound);
    EXPECT_EQ(legacy.connection().legacy_revision(), Revision::k2025_06_18);
    EXPECT_FALSE(other.connection().legacy_revision().has_value());
}

TEST(LegacyStart, P17_RefusedMalformedAndCancelledQuestions) {
    const auto gate = std::make_shared<Gate>();
    const auto server = make_server(gate);
    Client client(*server);
    client.initialize(Revision::k2025_11_25, {{"elicitation", Json::object()}});
    const Json params = {{"name", "purge"}, {"arguments", {{"table", "spx"}}}};
    int asked = 0;
    const auto question_id = [&] {
        // Ids of questions count up from 1.
        const Json wanted = ++asked;
        const auto found = client.raw().outlet().wait_for(
            [&](const OutMessage& message) {
                return message.kind == OutMessage::Kind::kRequest &&
                       Json::parse(message.text)["id"] == wanted;
            },
            kWait);
        EXPECT_TRUE(found.has_value());
        return wanted;
    };
    client.start("refused", "tools/call", params);
    client.send(Json{{"jsonrpc", "2.0"},
                     {"id", question_id()},
                     {"error", {{"code", -1}, {"message", "not now"}}}}
                    .dump());
    EXPECT_EQ(client.wait_for_answer("refused")["result"]["content"][0]["text"],
              "the client refused to ask: not now");
    client.start("malformed", "tools/call", params);
    client.send(
        Json{{"jsonrpc", "2.0"}, {"id", question_id()}, {"result", {{"action", "maybe"}}}}.dump());
    EXPECT_EQ(client.wait_for_answer("malformed")["result"]["isError"], true);
    client.start("incomplete", "tools/call", params);
    client.send(
        Json{{"jsonrpc", "2.0"}, {"id", question_id()}, {"result", {{"action", "accept"}}}}.dump());
    EXPECT_EQ(client.wait_for_answer("incomplete")["result"]["content"][0]["text"],
              "the client's answer to 'confirm' is not what was asked for");
    client.start("cancelled", "tools/call", params);
    question_id();
    client.notify("notifications/cancelled", {{"requestId", "cancelled"}});
    EXPECT_EQ(client.raw().connection().calls_in_flight(), 0U);
    EXPECT_TRUE(server->shutdown(kWait)) << "the worker is free";
}

}  // namespace
}  // namespace tb::mcp::test
