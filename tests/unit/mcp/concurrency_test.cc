// Many calls, cancellations, changes and ends at once; made to run under the thread sanitizer.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "mcp/worker_pool.h"
#include "test_server.h"

namespace tb::mcp::test {
namespace {

TEST(Concurrency, Q5_ParallelCallsEqualTheSameCallsOneByOne) {
    const auto gate = std::make_shared<Gate>();
    const auto server = make_server(gate);
    const auto request = [](int i) {
        return request_text(
            i, "tools/call",
            modern_params({{"name", i % 3 == 0 ? "nan" : "echo"},
                           {"arguments", i % 3 == 0 ? Json::object()
                                                    : Json{{"text", "t" + std::to_string(i)},
                                                           {"count", i % 7}}}}));
    };
    constexpr int kCalls = 64;
    std::vector<std::string> expected;
    {
        MemoryClient one_by_one(*server);
        for (int i = 0; i < kCalls; ++i) {
            expected.push_back(one_by_one.request(request(i)).value_or("none"));
        }
    }
    MemoryClient parallel(*server);
    for (int i = 0; i < kCalls; ++i) {
        parallel.send(request(i));
    }
    ASSERT_TRUE(parallel.outlet().wait_for_responses(kCalls, kWait));
    std::vector<std::string> got(kCalls);
    for (const OutMessage& message : parallel.outlet().messages()) {
        got[Json::parse(message.text)["id"].get<std::size_t>()] = message.text;
    }
    EXPECT_EQ(got, expected);
}

TEST(Concurrency, Q5_FullQueueAnswersBusyInsteadOfGrowing) {
    const auto gate = std::make_shared<Gate>();
    ServerOptions options = make_options();
    options.workers = 1;
    options.queue_limit = 2;
    const auto server = make_server(gate, options);
    Client client(*server);
    client.start("held", "tools/call", modern_params({{"name", "hold"}}));
    ASSERT_TRUE(gate->wait_inside(1));
    client.start("queued 1", "tools/call", modern_params({{"name", "chatty"}}));
    client.start("queued 2", "resources/read", modern_params({{"uri", "test://static"}}));
    const Json busy = client.ask_modern("tools/call", {{"name", "chatty"}});
    EXPECT_EQ(busy["result"]["isError"], true);
    EXPECT_EQ(busy["result"]["content"][0]["text"],
              "The server is busy with other calls; try again in a moment.");
    EXPECT_EQ(client.ask_modern("resources/read", {{"uri", "test://static"}})["error"]["code"],
              code::kInternalError);
    EXPECT_TRUE(client.ask_modern("tools/list").contains("result")) << "lists need no worker";
    gate->release();
    EXPECT_EQ(client.wait_for_answer("queued 1")["result"]["content"][0]["text"], "logged");
}

TEST(Concurrency, HardDeadlineStopsTheCallAndSaysSo) {
    const auto gate = std::make_shared<Gate>();
    ServerOptions options = make_options();
    options.hard_deadline = std::chrono::milliseconds(50);
    const auto server = make_server(gate, options);
    Client client(*server);
    const Json answer = client.ask_modern("tools/call", {{"name", "hold"}});
    EXPECT_EQ(answer["result"]["isError"], true);
    EXPECT_TRUE(answer["result"]["content"][0]["text"].get<std::string>().starts_with("Stopped"));
    EXPECT_EQ(gate->cancelled, 1);
}

TEST(Concurrency, Q4_ALongerTimeLimitIsGivenWhereTheToolOffersOne) {
    std::vector<ToolSpec> table(1);
    table[0].name = "query";
    table[0].title = "Query";
    table[0].description = "Tells how much time it has.";
    table[0].arguments = {
        field::integer("timeoutSeconds", "Time limit").range(1, 300).default_value(30)};
    table[0].results = {field::integer("seconds", "Left")};
    table[0].handler = [](ToolContext& ctx, const Json&) {
        const auto left = std::chrono::round<std::chrono::seconds>(*ctx.hard_time_left());
        return ToolResult{.text = "t", .structured = Json{{"seconds", left.count()}}};
    };
    ServerContent content;
    content.tools = *ToolRegistry::make(std::move(table));
    ServerOptions options = make_options();
    options.hard_deadline = std::chrono::seconds(100);
    const auto server = std::move(*Server::make(options, std::move(content)));
    Client client(*server);
    const auto seconds = [&](Json arguments) {
        return client
            .ask_modern("tools/call",
                        {{"name", "query"},
                         {"arguments", arguments}})["result"]["structuredContent"]["seconds"]
            .get<int>();
    };
    EXPECT_NEAR(seconds(Json::object()), 100, 10);
    EXPECT_NEAR(seconds({{"timeoutSeconds", 1}}), 100, 10) << "other work takes its time";
    EXPECT_NEAR(seconds({{"timeoutSeconds", 300}}), 370, 10);
    EXPECT_NEAR(seconds({{"timeoutSeconds", "130"}}), 200, 10);
}

TEST(Concurrency, HandlerThatIgnoresItsDeadlineIsAnsweredFor) {
    const auto gate = std::make_shared<Gate>();
    std::vector<ToolSpec> table(1);
    table[0].name = "deaf";
    table[0].title = "Deaf";
    table[0].description = "Hears no cancellation.";
    table[0].handler = [gate](ToolContext&, const Json&) {
        std::unique_lock lock(gate->mutex);
        gate->changed.wait(lock, [&] { return gate->open; });
        return ToolResult{};
    };
    ServerContent content;
    content.tools = *ToolRegistry::make(std::move(table));
    ServerOptions options = make_options();
    options.hard_deadline = std::chrono::milliseconds(10);
    auto server = std::move(*Server::make(options, std::move(content)));
    Client client(*server);
    const Json answer = client.ask_modern("tools/call", {{"name", "deaf"}});
    EXPECT_EQ(answer["result"]["isError"], true);
    EXPECT_FALSE(server->shutdown(std::chrono::milliseconds(5))) << "it is still running";
    gate->release();
    EXPECT_TRUE(server->shutdown(kWait));
    EXPECT_EQ(client.messages().size(), 1U) << "its late result is dropped";
}

TEST(Concurrency, ShutdownAnswersOrDropsEverythingAndReturns) {
    const auto gate = std::make_shared<Gate>();
    const auto server = make_server(gate);
    Client client(*server);
    for (int i = 0; i < 12; ++i) {
        client.start(i, "tools/call", modern_params({{"name", "hold"}}));
    }
    ASSERT_TRUE(gate->wait_inside(4));
    EXPECT_TRUE(server->shutdown(kWait));
    EXPECT_TRUE(client.raw().outlet().wait_for_finished(12, kWait));
    EXPECT_EQ(client.raw().connection().calls_in_flight(), 0U);
}

TEST(Concurrency, StormOfCallsCancelsNewsAndClosesLeavesNothingBehind) {
    const auto gate = std::make_shared<Gate>();
    ServerOptions options = make_options();
    options.queue_limit = 1'000;
    const auto server = make_server(gate, options);
    std::atomic<bool> done{false};
    std::thread news([&] {
        while (!done) {
            server->tools_changed();
            server->resource_updated("test://static");
            std::this_thread::yield();
        }
    });
    std::vector<std::thread> clients;
    for (int c = 0; c < 4; ++c) {
        clients.emplace_back([&, c] {
            for (int round = 0; round < 5; ++round) {
                MemoryClient client(*server);
                client.send(
                    request_text("sub", "subscriptions/listen",
                                 modern_params({{"notifications", {{"toolsListChanged", true}}}})));
                for (int i = 0; i < 20; ++i) {
                    const char* name = i % 2 == 0 ? "hold" : "count";
                    Json params = modern_params({{"name", name}});
                    if (i % 2 == 1) {
                        params["arguments"] = {{"steps", 20}};
                        params["_meta"]["progressToken"] = i;
                    }
                    client.send(request_text(i, "tools/call", params));
                }
                for (int i = 0; i < 20; i += 2) {
                    client.send(Json{{"jsonrpc", "2.0"},
                                     {"method", "notifications/cancelled"},
                                     {"params", {{"requestId", i}}}}
                                    .dump());
                }
                if ((round + c) % 2 == 0) {
                    EXPECT_TRUE(client.outlet().wait_for_finished(20, kWait));
                }
            }
        });
    }
    for (std::thread& client : clients) {
        client.join();
    }
    done = true;
    news.join();
    EXPECT_TRUE(server->shutdown(kWait));
    EXPECT_EQ(gate->inside, 0);
}

TEST(Concurrency, PeopleWhoThinkDoNotStarveOtherCalls) {
    const auto gate = std::make_shared<Gate>();
    ServerOptions options = make_options();
    options.workers = 1;
    const auto server = make_server(gate, options);
    Client client(*server);
    client.initialize(Revision::k2025_11_25, {{"elicitation", Json::object()}});
    for (int i = 0; i < 3; ++i) {
        client.start(i, "tools/call", {{"name", "purge"}, {"arguments", {{"table", "t"}}}});
    }
    EXPECT_EQ(client.ask("tools/call", {{"name", "chatty"}})["result"]["content"][0]["text"],
              "logged");
    EXPECT_TRUE(server->shutdown(kWait));
}

TEST(WorkerPool, RunsEverythingThatWasTaken) {
    std::atomic<int> ran{0};
    int taken = 0;
    WorkerPool pool(3, 50);
    for (int i = 0; i < 500; ++i) {
        taken += pool.submit([&ran] { ++ran; }) ? 1 : 0;
    }
    EXPECT_TRUE(pool.stop(kWait));
    EXPECT_EQ(ran, taken);
    EXPECT_GE(taken, 50);
    EXPECT_FALSE(pool.submit([] {}));
}

}  // namespace
}  // namespace tb::mcp::test
