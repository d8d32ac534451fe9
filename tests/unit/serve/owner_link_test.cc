// A follower's link to an owner that the test plays: what becomes of a request when it says
// nothing.
#include "serve/owner_link.h"

#include <sys/socket.h>

#include <array>
#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "serve/greeting.h"

namespace tb::serve {
namespace {

using mcp::Json;
using namespace std::chrono_literals;

constexpr auto kTestBeat = 5ms;
constexpr auto kPatience = 20s;

class Link : public ::testing::Test {
  protected:
    Link() {
        std::array<int, 2> fds{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
        owner_.reset(fds[1]);
        link_ = std::make_unique<OwnerLink>(
            UniqueFd(fds[0]), 4711, [](const auto&) {}, kTestBeat);
        reader_ = std::thread([this] { link_->run(); });
    }
    ~Link() override {
        link_->close();
        reader_.join();
    }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    std::future<LinkReply> ask(bool may_give_up) {
        return std::async(std::launch::async, [this, may_give_up] {
            mcp::ToolContext context;
            return link_->request("tools/call", {{"name", "x"}}, context, may_give_up);
        });
    }
    // The next message to the owner.
    Json heard() {
        const auto line = read_line(owner_.get(), 65'536, kPatience);
        EXPECT_TRUE(line.has_value());
        return Json::parse(line.value_or("{}"));
    }
    void say(const Json& message) {
        EXPECT_TRUE(write_line(owner_.get(), message.dump()).has_value());
    }

    UniqueFd owner_;
    std::unique_ptr<OwnerLink> link_;
    std::thread reader_;
};

TEST_F(Link, SilenceEndsAReadingRequestAfterAProbe) {
    auto reply = ask(true);
    EXPECT_EQ(heard()["method"], "tools/call");
    EXPECT_EQ(heard()["method"], "server/discover");
    EXPECT_EQ(reply.get().kind, LinkReply::Kind::kSilent);
    const Json taken_back = heard();
    EXPECT_EQ(taken_back["method"], "notifications/cancelled");
    EXPECT_EQ(taken_back["params"]["requestId"], 1);
    EXPECT_EQ(link_->owner_pid(), 4711);
}

TEST_F(Link, AnOwnerThatAnswersProbesIsWaitedFor) {
    auto reply = ask(true);
    const Json request = heard();
    for (int probes = 0; probes < 5; ++probes) {  // longer than the silence allowed
        const Json probe = heard();
        ASSERT_EQ(probe["method"], "server/discover");
        say({{"jsonrpc", "2.0"}, {"id", probe["id"]}, {"result", Json::object()}});
    }
    say({{"jsonrpc", "2.0"}, {"id", request["id"]}, {"result", {{"n", 5}}}});
    const LinkReply answer = reply.get();
    ASSERT_EQ(answer.kind, LinkReply::Kind::kResult);
    EXPECT_EQ((*answer.result)["n"], 5);
}

TEST_F(Link, AWritingRequestIsNotGivenUp) {
    auto reply = ask(false);
    const Json request = heard();
    EXPECT_EQ(heard()["method"], "server/discover");
    EXPECT_EQ(reply.wait_for(kTestBeat * kSilentBeats * 3), std::future_status::timeout);
    say({{"jsonrpc", "2.0"}, {"id", request["id"]}, {"result", {{"n", 6}}}});
    EXPECT_EQ(reply.get().kind, LinkReply::Kind::kResult);
}

}  // namespace
}  // namespace tb::serve
