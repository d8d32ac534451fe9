#include <sys/socket.h>

#include <array>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/version.h"
#include "serve/command_wire.h"
#include "serve/greeting.h"

namespace tb::serve {
namespace {

struct Pair {
    UniqueFd a;
    UniqueFd b;
    Pair() {
        std::array<int, 2> fds{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
        a.reset(fds[0]);
        b.reset(fds[1]);
    }
};

// ---- greeting ----

TEST(Greeting, SurvivesTheWay) {
    Greeting sent = own_greeting(Wants::kCommand);
    sent.import_roots = {"/data", "/home/a b"};
    const auto caller = parse_greeting(greeting_line(sent, false));
    ASSERT_TRUE(caller.has_value());
    EXPECT_EQ(caller->version, kVersion);
    EXPECT_EQ(caller->link, kLinkVersion);
    EXPECT_EQ(caller->pid, ::getpid());
    EXPECT_EQ(caller->wants, Wants::kCommand);
    EXPECT_EQ(caller->import_roots, sent.import_roots);

    Greeting refusal = own_greeting(Wants::kTools);
    refusal.accepted = false;
    refusal.reason = "go away";
    const auto owner = parse_greeting(greeting_line(refusal, true));
    ASSERT_TRUE(owner.has_value());
    EXPECT_FALSE(owner->accepted);
    EXPECT_EQ(owner->reason, "go away");
}

TEST(Greeting, WhatIsNoneIsRefused) {
    for (const char* const line :
         {"", "hello", "[]", "{}", R"({"tradeblocks":1,"link":1})",
          R"({"tradeblocks":"0.1.0","link":"1"})",
          R"({"tradeblocks":"0.1.0","link":1,"wants":"everything"})",
          // A restriction that cannot be read must not become none.
          R"({"tradeblocks":"0.1.0","link":1,"wants":"tools","importRoots":"/data"})",
          R"({"tradeblocks":"0.1.0","link":1,"wants":"tools","importRoots":[7]})"}) {
        EXPECT_FALSE(parse_greeting(line).has_value()) << line;
    }
}

TEST(Greeting, OtherVersionsMayUseToolsButNotRunCommands) {
    Greeting caller = own_greeting(Wants::kTools);
    EXPECT_EQ(objection(caller), "");
    caller.version = "9.9.9";
    EXPECT_EQ(objection(caller), "");
    caller.wants = Wants::kCommand;
    EXPECT_NE(objection(caller).find("9.9.9"), std::string::npos);
    EXPECT_NE(objection(caller).find("restart"), std::string::npos);
    caller = own_greeting(Wants::kTools);
    caller.link = kLinkVersion + 1;
    EXPECT_NE(objection(caller), "");
}

TEST(Greeting, TheOwnersRefusalIsPassedOn) {
    const Pair pair;
    std::thread owner([&] {
        ASSERT_TRUE(read_line(pair.b.get(), 4'096, kGreetingTimeout).has_value());
        ASSERT_TRUE(
            write_line(pair.b.get(),
                       R"({"tradeblocks":"0.9.0","link":7,"accepted":false,"reason":"too old"})")
                .has_value());
    });
    const auto greeted = greet_owner(pair.a.get(), own_greeting(Wants::kTools));
    owner.join();
    ASSERT_FALSE(greeted.has_value());
    EXPECT_EQ(greeted.error().code, ErrorCode::kRefused);
    EXPECT_EQ(greeted.error().message, "too old");
}

TEST(Greeting, AnOwnerThatHangsUpOrSaysTooMuchIsAnError) {
    Pair pair;
    pair.b.reset();
    EXPECT_EQ(greet_owner(pair.a.get(), own_greeting(Wants::kTools)).error().code, ErrorCode::kIo);

    const Pair chatty;
    ASSERT_TRUE(write_line(chatty.b.get(), std::string(5'000, 'x')).has_value());
    EXPECT_EQ(read_line(chatty.a.get(), 4'096, kGreetingTimeout).error().code, ErrorCode::kParse);
}

TEST(Greeting, WhatFollowsTheLineIsLeftForTheNextReader) {
    const Pair pair;
    ASSERT_TRUE(write_line(pair.b.get(), "first\nsecond").has_value());
    EXPECT_EQ(read_line(pair.a.get(), 100, kGreetingTimeout).value_or(""), "first");
    EXPECT_EQ(read_line(pair.a.get(), 100, kGreetingTimeout).value_or(""), "second");
}

TEST(Greeting, SilenceIsNotWaitedForLong) {
    const Pair pair;
    EXPECT_EQ(read_line(pair.a.get(), 100, std::chrono::milliseconds(30)).error().code,
              ErrorCode::kBusy);
}

// ---- commands ----

CommandRequest sample() {
    CommandRequest request;
    request.command = "sql";
    request.values = {{"DIR", "/data/ä"}, {"SQL", "SELECT 'a\nb'"}, {"--limit", "7"}};
    request.rest = {"{\"x\":1}", ""};
    request.out_colour = true;
    request.show_progress = true;
    request.width = 132;
    request.out_width = 131;
    return request;
}

TEST(CommandWire, CarriesTheRequestAndBothStreams) {
    const Pair pair;
    const Pair out;
    const Pair err;
    ASSERT_TRUE(send_command(pair.a.get(), sample(), out.b.get(), err.b.get()).has_value());
    auto received = receive_command(pair.b.get());
    ASSERT_TRUE(received.has_value()) << received.error().to_string();
    EXPECT_EQ(received->request.command, "sql");
    EXPECT_EQ(received->request.values, sample().values);
    EXPECT_EQ(received->request.rest, sample().rest);
    EXPECT_TRUE(received->request.out_colour);
    EXPECT_FALSE(received->request.err_colour);
    EXPECT_TRUE(received->request.show_progress);
    EXPECT_EQ(received->request.width, 132U);
    EXPECT_EQ(received->request.out_width, 131U);
    EXPECT_FALSE(received->cancelled);
    ASSERT_TRUE(write_line(received->out.get(), "answer").has_value());
    ASSERT_TRUE(write_line(received->err.get(), "message").has_value());
    EXPECT_EQ(read_line(out.a.get(), 100, kGreetingTimeout).value_or(""), "answer");
    EXPECT_EQ(read_line(err.a.get(), 100, kGreetingTimeout).value_or(""), "message");
}

TEST(CommandWire, ALongRequestArrivesWhole) {
    const Pair pair;
    CommandRequest request = sample();
    request.rest = {std::string(3'000'000, 'j')};
    std::thread sender([&] {
        ASSERT_TRUE(send_command(pair.a.get(), request, STDOUT_FILENO, STDERR_FILENO).has_value());
    });
    const auto received = receive_command(pair.b.get());
    sender.join();
    ASSERT_TRUE(received.has_value());
    EXPECT_EQ(received->request.rest, request.rest);
}

TEST(CommandWire, WithoutStreamsOrSenseItIsRefused) {
    for (const char* const line : {R"({"command":"sync"})", "nonsense", "{}"}) {
        const Pair pair;
        ASSERT_TRUE(write_line(pair.a.get(), line).has_value());
        EXPECT_EQ(receive_command(pair.b.get()).error().code, ErrorCode::kParse) << line;
    }
    Pair gone;
    gone.a.reset();
    EXPECT_EQ(receive_command(gone.b.get()).error().code, ErrorCode::kIo);
}

TEST(CommandWire, CancelledBeforeItWasReadIsNoticed) {
    const Pair pair;
    ASSERT_TRUE(send_command(pair.a.get(), sample(), STDOUT_FILENO, STDERR_FILENO).has_value());
    ASSERT_TRUE(write_line(pair.a.get(), R"({"cancel":true})").has_value());
    const auto received = receive_command(pair.b.get());
    ASSERT_TRUE(received.has_value());
    EXPECT_TRUE(received->cancelled);
}

TEST(CommandWire, WordsThatAreNoUtf8AreSaidToBe) {
    const Pair pair;
    CommandRequest request = sample();
    request.values["DIR"] = "/data/\xff";
    EXPECT_EQ(send_command(pair.a.get(), request, STDOUT_FILENO, STDERR_FILENO).error().code,
              ErrorCode::kInvalidArgument);
}

TEST(CommandWire, ExitCodes) {
    EXPECT_EQ(parse_exit_line(exit_line(130)).value_or(-1), 130);
    EXPECT_FALSE(parse_exit_line(R"({"exit":"0"})").has_value());
    EXPECT_FALSE(parse_exit_line("").has_value());
}

}  // namespace
}  // namespace tb::serve
