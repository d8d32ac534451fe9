// Legacy clients over HTTP: ids, their life, and streams that can be resumed (06 H8, H9).
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mcp/http_endpoint.h"
#include "test_server.h"

namespace tb::mcp::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class HttpLegacyTest : public ::testing::Test {
  protected:
    ~HttpLegacyTest() override {
        gate_->release();
        endpoint_.close();
        server_->shutdown();
    }

    HttpAnswer post(const Json& message, const std::string& id, const Principal& who = {}) {
        return endpoint_.handle(head("POST", id), message.dump(), who, now_);
    }
    static HttpHead head(const std::string& method, const std::string& id,
                         const std::string& last_event = "") {
        HttpHead out;
        out.method = method;
        out.target = "/mcp";
        out.fields = {{"Host", "localhost"},
                      {"Content-Type", "application/json"},
                      {"Accept", "application/json, text/event-stream"}};
        if (!id.empty()) {
            out.fields.push_back({"Mcp-Session-Id", id});
        }
        if (!last_event.empty()) {
            out.fields.push_back({"Last-Event-ID", last_event});
        }
        return out;
    }
    std::string initialize(const Principal& who = {}) {
        const Json message = initialize_message();
        const HttpAnswer answer = post(message, "", who);
        const auto* exchange = std::get_if<HttpExchange>(&answer);
        return exchange != nullptr && exchange->fields.size() == 1 ? exchange->fields[0].value : "";
    }
    int status_of(const HttpAnswer& answer) {
        const auto* reply = std::get_if<HttpReply>(&answer);
        return reply == nullptr ? 200 : reply->status;
    }
    Json ping() { return {{"jsonrpc", "2.0"}, {"id", 2}, {"method", "ping"}}; }
    Json hold() {
        return {{"jsonrpc", "2.0"},
                {"id", "h"},
                {"method", "tools/call"},
                {"params", {{"name", "hold"}}}};
    }
    // What a reader of the channel gets until it has to wait.
    static std::string drain(HttpChannel& channel, std::uint64_t reader) {
        std::string out;
        while (true) {
            HttpChannel::Step step = channel.next(reader, true);
            if (step.kind == HttpChannel::Kind::kEvents) {
                out += step.events;
            } else if (step.kind != HttpChannel::Kind::kStream) {
                return out;
            }
        }
    }

    std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
    std::unique_ptr<Server> server_ = make_server(gate_);
    HttpOptions options_ = [] {
        HttpOptions options;
        options.limits.legacy_clients = 3;
        return options;
    }();
    HttpEndpoint endpoint_{*server_, options_};
    HttpEndpoint::Time now_{};
};

TEST_F(HttpLegacyTest, H8_InitializeGivesAnIdOfVisibleCharacters) {
    const std::string first = initialize();
    const std::string second = initialize();
    EXPECT_EQ(first.size(), 32U);  // 128 bits in hex
    EXPECT_EQ(first.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_NE(first, second);
    EXPECT_EQ(status_of(post(ping(), first)), 200);
}

TEST_F(HttpLegacyTest, H8_AFailedInitializeGivesNone) {
    Json message = {{"jsonrpc", "2.0"}, {"id", 1}, {"method", "initialize"}};
    const HttpAnswer answer = post(message, "");
    const auto& exchange = std::get<HttpExchange>(answer);
    EXPECT_TRUE(exchange.fields.empty());
    EXPECT_EQ(endpoint_.legacy_clients(), 0U);
}

TEST_F(HttpLegacyTest, H8_UnknownEndedAndMissingIdsAreToldApart) {
    const std::string id = initialize();
    EXPECT_EQ(status_of(post(ping(), "0123")), 404);
    HttpHead without = head("POST", "");
    without.fields.push_back({"MCP-Protocol-Version", "2025-11-25"});
    EXPECT_EQ(status_of(endpoint_.handle(without, ping().dump(), {}, now_)), 400);
    EXPECT_EQ(status_of(endpoint_.handle(head("DELETE", id), "", {}, now_)), 204);
    EXPECT_EQ(status_of(post(ping(), id)), 404);
    EXPECT_EQ(status_of(endpoint_.handle(head("DELETE", id), "", {}, now_)), 404);
    EXPECT_EQ(status_of(endpoint_.handle(head("GET", id), "", {}, now_)), 404);
}

TEST_F(HttpLegacyTest, H8_AnIdIsNoProofOfWhoCalls) {
    const Principal desk{"desk", true, {}};
    const Principal other{"other", true, {}};
    const std::string id = initialize(desk);
    EXPECT_EQ(status_of(post(ping(), id, desk)), 200);
    EXPECT_EQ(status_of(post(ping(), id, other)), 404);
    EXPECT_EQ(status_of(endpoint_.handle(head("DELETE", id), "", other, now_)), 404);
}

TEST_F(HttpLegacyTest, H8_IdleClientsExpireAndBusyOnesDoNot) {
    const std::string idle = initialize();
    const std::string busy = initialize();
    const HttpAnswer holding = post(hold(), busy);
    ASSERT_TRUE(gate_->wait_inside(1));
    now_ += minutes(29);
    endpoint_.sweep(now_);
    EXPECT_EQ(endpoint_.legacy_clients(), 2U);
    now_ += minutes(2);
    endpoint_.sweep(now_);
    EXPECT_EQ(endpoint_.legacy_clients(), 1U);
    EXPECT_EQ(status_of(post(ping(), idle)), 404);
    EXPECT_EQ(status_of(post(ping(), busy)), 200);
}

TEST_F(HttpLegacyTest, H8_TheLongestIdleClientMakesRoom) {
    const std::string oldest = initialize();
    now_ += seconds(1);
    const std::string second = initialize();
    now_ += seconds(1);
    const std::string third = initialize();
    now_ += seconds(1);
    EXPECT_EQ(status_of(post(ping(), oldest)), 200);
    now_ += seconds(1);
    const std::string fourth = initialize();
    EXPECT_EQ(endpoint_.legacy_clients(), 3U);
    EXPECT_EQ(status_of(post(ping(), second)), 404);
    EXPECT_EQ(status_of(post(ping(), oldest)), 200);
    for (const std::string& id : {oldest, third, fourth}) {
        static_cast<void>(post(hold(), id));
    }
    EXPECT_EQ(initialize(), "");  // all are busy
}

TEST_F(HttpLegacyTest, P13_ALostStreamKeepsItsCallAndIsResumed) {
    const std::string id = initialize();
    const HttpAnswer answer = post(hold(), id);
    const auto& exchange = std::get<HttpExchange>(answer);
    const auto reader = exchange.channel->attach({});
    EXPECT_EQ(drain(*exchange.channel, reader), "id: 1-0\nretry: 500\ndata: \n\n");
    ASSERT_TRUE(gate_->wait_inside(1));
    exchange.channel->detach(reader);
    endpoint_.end(exchange);
    gate_->release();
    while (!exchange.channel->is_finished()) {
        std::this_thread::yield();
    }
    EXPECT_EQ(gate_->cancelled, 0);
    const HttpAnswer resumed = endpoint_.handle(head("GET", id, "1-0"), "", {}, now_);
    const auto& again = std::get<HttpExchange>(resumed);
    const auto second = again.channel->attach({}, again.resume_after);
    const std::string events = drain(*again.channel, second);
    EXPECT_TRUE(events.starts_with("id: 1-1\nevent: message\ndata: ")) << events;
    EXPECT_NE(events.find("released"), std::string::npos);
    EXPECT_EQ(again.channel->next(second, true).kind, HttpChannel::Kind::kEnd);
}

TEST_F(HttpLegacyTest, H9_OnlyStreamsOfTheClientCanBeResumed) {
    const std::string id = initialize();
    const HttpAnswer answer = post(hold(), id);
    static_cast<void>(std::get<HttpExchange>(answer).channel->attach({}));
    const std::string other = initialize();
    EXPECT_EQ(status_of(endpoint_.handle(head("GET", other, "1-0"), "", {}, now_)), 400);
    EXPECT_EQ(status_of(endpoint_.handle(head("GET", id, "7-0"), "", {}, now_)), 400);
    EXPECT_EQ(status_of(endpoint_.handle(head("GET", id, "nonsense"), "", {}, now_)), 400);
    EXPECT_EQ(status_of(endpoint_.handle(head("GET", id, "1-0"), "", {}, now_)), 200);
}

TEST_F(HttpLegacyTest, H9_FinishedStreamsAreKeptForFiveMinutes) {
    const std::string id = initialize();
    const HttpAnswer answer = post(hold(), id);
    const auto& exchange = std::get<HttpExchange>(answer);
    const auto reader = exchange.channel->attach({});
    static_cast<void>(drain(*exchange.channel, reader));
    gate_->release();
    while (!exchange.channel->is_finished()) {
        std::this_thread::yield();
    }
    exchange.channel->detach(reader);
    endpoint_.end(exchange);
    endpoint_.sweep(now_);
    now_ += minutes(5);
    endpoint_.sweep(now_);
    EXPECT_EQ(status_of(endpoint_.handle(head("GET", id, "1-0"), "", {}, now_)), 200);
    now_ += seconds(1);
    endpoint_.sweep(now_);
    EXPECT_EQ(status_of(endpoint_.handle(head("GET", id, "1-0"), "", {}, now_)), 400);
}

TEST_F(HttpLegacyTest, H8_NewsGoToTheStreamOfTheClient) {
    const std::string id = initialize();
    const HttpAnswer answer = endpoint_.handle(head("GET", id), "", {}, now_);
    const auto& exchange = std::get<HttpExchange>(answer);
    EXPECT_TRUE(exchange.needs_stream);
    const auto reader = exchange.channel->attach({});
    server_->resources_changed();
    const std::string events = drain(*exchange.channel, reader);
    EXPECT_NE(events.find("notifications/resources/list_changed"), std::string::npos) << events;
    endpoint_.end(exchange);
    EXPECT_EQ(status_of(post(ping(), id)), 200);
}

TEST_F(HttpLegacyTest, H7_WithoutIdAndVersionARequestIsOneOf2025_03_26) {
    const HttpAnswer answer = post(Json::array({ping(), hold()}), "");
    const auto& exchange = std::get<HttpExchange>(answer);
    ASSERT_TRUE(gate_->wait_inside(1));
    endpoint_.end(exchange);  // the client leaves; its call goes on
    EXPECT_FALSE(exchange.channel->is_finished());
    gate_->release();
    while (!exchange.channel->is_finished()) {
        std::this_thread::yield();
    }
    EXPECT_EQ(gate_->cancelled, 0);
    const auto reply = exchange.channel->peek_reply();
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(Json::parse(reply->text).size(), 2U);
    endpoint_.sweep(now_);
    EXPECT_EQ(status_of(post({{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}}, "")),
              202);
}

TEST_F(HttpLegacyTest, P10_ABatchIsForItsRevisionAlone) {
    const std::string id = initialize();
    const HttpAnswer answer = post(Json::array({ping(), ping()}), id);
    const auto& exchange = std::get<HttpExchange>(answer);
    const auto reply = exchange.channel->peek_reply();
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(HttpEndpoint::reply_for(exchange, *reply).status, 400);
}

}  // namespace
}  // namespace tb::mcp::test
