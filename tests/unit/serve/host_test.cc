// Owner and followers in one process: each Host has its own lock, socket and connections.
#include "serve/host.h"

#include <atomic>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "copy.h"
#include "serve/claim.h"
#include "serve/command_relay.h"
#include "serve/greeting.h"
#include "serve/place.h"
#include "support/temp_dir.h"

namespace tb::serve {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class HostTest : public ::testing::Test {
  protected:
    HostTest() { fs::create_directory(temp_.path() / "data"); }
    test::TempDir temp_;
};

std::string by(const Json& answer) {
    return answer["result"].value("structuredContent", Json::object()).value("by", "");
}

TEST_F(HostTest, TheFirstCopyOwnsAndTheOthersPassTheirCallsOn) {
    Copy first(temp_, "first");
    ASSERT_TRUE(first.becomes(Role::kOwner));
    Copy second(temp_, "second");
    Copy third(temp_, "third");
    ASSERT_TRUE(second.becomes(Role::kFollower));
    ASSERT_TRUE(third.becomes(Role::kFollower));
    const Json own = Client(first).call("plain", "hello");
    EXPECT_EQ(by(own), "first");
    // Nothing in an answer shows who gave it.
    EXPECT_EQ(Client(second).call("plain", "hello"), own);
    EXPECT_EQ(Client(third).call("plain", "hello"), own);
    EXPECT_EQ(own["result"]["content"].size(), 2U);
    EXPECT_EQ(own["result"]["_meta"]["note"], "first");
    const Json failure = Client(second).call("fails");
    EXPECT_TRUE(failure["result"]["isError"].get<bool>());
    EXPECT_EQ(failure["result"]["content"][0]["text"], "no luck with first");
}

TEST_F(HostTest, ResourcesPromptsAndCompletionComeFromTheOwnerToo) {
    Copy first(temp_, "first");
    ASSERT_TRUE(first.becomes(Role::kOwner));
    Copy second(temp_, "second");
    ASSERT_TRUE(second.becomes(Role::kFollower));
    Client of_first(first);
    Client of_second(second);
    const std::vector<std::pair<std::string, Json>> requests = {
        {"resources/list", Json::object()},
        {"resources/read", {{"uri", "test://fixed"}}},
        {"resources/read", {{"uri", "test://rows/7"}}},
        {"resources/read", {{"uri", "test://rows/none"}}},
        {"prompts/get", {{"name", "look"}, {"arguments", {{"at", "it"}}}}},
        {"completion/complete",
         {{"ref", {{"type", "ref/resource"}, {"uri", "test://rows/{id}"}}},
          {"argument", {{"name", "id"}, {"value", "f"}}}}}};
    for (const auto& [method, params] : requests) {
        const Json expected = of_first.request(method, params);
        EXPECT_EQ(of_second.request(method, params), expected) << method;
        EXPECT_EQ(expected.dump().find("second"), std::string::npos);
    }
}

TEST_F(HostTest, LongListsAndCompletionsAreAsLongThroughAFollower) {
    Copy first(temp_, "first");
    first.add_resources(2'500);
    ASSERT_TRUE(first.becomes(Role::kOwner));
    Copy second(temp_, "second");
    ASSERT_TRUE(second.becomes(Role::kFollower));
    Client of_first(first);
    Client of_second(second);
    const Json completion = {{"ref", {{"type", "ref/resource"}, {"uri", "test://rows/{id}"}}},
                             {"argument", {{"name", "id"}, {"value", "many"}}}};
    const Json expected = of_first.request("completion/complete", completion);
    EXPECT_EQ(expected["result"]["completion"]["total"], 150);
    EXPECT_EQ(expected["result"]["completion"]["hasMore"], true);
    EXPECT_EQ(of_second.request("completion/complete", completion), expected);
    Json cursor = Json::object();
    std::size_t seen = 0;
    for (int page = 0; page < 3; ++page) {
        const Json own = of_first.request("resources/list", cursor);
        EXPECT_EQ(of_second.request("resources/list", cursor), own) << page;
        seen += own["result"]["resources"].size();
        cursor["cursor"] = own["result"].value("nextCursor", "");
    }
    EXPECT_EQ(seen, 2'502U);
}

TEST_F(HostTest, WhatIsAskedForInFullComesInFullThroughAFollower) {
    Copy first(temp_, "first");
    ASSERT_TRUE(first.becomes(Role::kOwner));
    Copy second(temp_, "second");
    ASSERT_TRUE(second.becomes(Role::kFollower));
    const Json own = Client(first).call("in_full");
    EXPECT_EQ(by(own), "first");
    EXPECT_EQ(Client(second).call("in_full"), own);
}

TEST_F(HostTest, AnAnswerWithThousandsOfMembersComesThroughAFollower) {
    Copy first(temp_, "first");
    ASSERT_TRUE(first.becomes(Role::kOwner));
    Copy second(temp_, "second");
    ASSERT_TRUE(second.becomes(Role::kFollower));
    const Json own = Client(first).call("wide");
    ASSERT_EQ(own["result"]["structuredContent"].size(), 3'002U);
    EXPECT_EQ(Client(second).call("wide"), own);
}

TEST_F(HostTest, T12_AFollowersClientsReadOnlyTheirOwnResults) {
    Copy first(temp_, "first");
    ASSERT_TRUE(first.becomes(Role::kOwner));
    Copy second(temp_, "second");
    ASSERT_TRUE(second.becomes(Role::kFollower));
    Client alice(second, {.name = "alice", .scopes = {}});
    Client bob(second, {.name = "bob", .scopes = {}});
    const Json link = alice.call("plain", "7")["result"]["content"][1];
    ASSERT_EQ(link["uri"], "tradeblocks://result/7");
    const Json wanted = {{"uri", link["uri"]}};
    const Json read = alice.request("resources/read", wanted);
    EXPECT_EQ(read["result"]["contents"][0]["text"], "stored by first");
    const Json refused = bob.request("resources/read", wanted);
    EXPECT_EQ(refused["error"]["code"], mcp::code::kInvalidParams);
    EXPECT_NE(refused["error"]["message"].get<std::string>().find("gone"), std::string::npos);
}

TEST_F(HostTest, WhoFollowsTakesOverAndRepeatsWhatOnlyReads) {
    auto first = std::make_unique<Copy>(temp_, "first");
    ASSERT_TRUE(first->becomes(Role::kOwner));
    Copy second(temp_, "second");
    ASSERT_TRUE(second.becomes(Role::kFollower));
    Client client(second);
    const std::string reading = client.start("read_slowly", "once more");
    const std::string writing = client.start("write_slowly", "only once");
    ASSERT_TRUE(first->gate().wait_for_calls(2));
    second.gate().open();
    first.reset();
    const Json read = client.answer(reading);
    EXPECT_EQ(by(read), "second");
    EXPECT_EQ(read["result"]["structuredContent"]["said"], "once more");
    const Json written = client.answer(writing);
    ASSERT_TRUE(written["result"].value("isError", false)) << written;
    const std::string text = written["result"]["content"][0]["text"];
    EXPECT_NE(text.find("write_slowly"), std::string::npos);
    EXPECT_NE(text.find("may or may not"), std::string::npos);
    EXPECT_TRUE(second.becomes(Role::kOwner));
}

TEST_F(HostTest, AQueryIsNotRepeatedForItMayHaveEndedTheOwner) {
    auto first = std::make_unique<Copy>(temp_, "first");
    ASSERT_TRUE(first->becomes(Role::kOwner));
    Copy second(temp_, "second");
    ASSERT_TRUE(second.becomes(Role::kFollower));
    Client client(second);
    const std::string query = client.start("query_slowly", "SELECT poison()");
    ASSERT_TRUE(first->gate().wait_for_calls(1));
    second.gate().open();
    first.reset();
    const Json answer = client.answer(query);
    ASSERT_TRUE(answer["result"].value("isError", false)) << answer;
    const std::string text = answer["result"]["content"][0]["text"];
    EXPECT_NE(text.find("not tried again"), std::string::npos) << text;
    EXPECT_TRUE(second.becomes(Role::kOwner));
    EXPECT_FALSE(second.gate().wait_for_calls(1, 100ms)) << "it was run again";
    // What the dead owner never saw is asked of the next one.
    EXPECT_EQ(by(client.call("query_slowly", "SELECT 1")), "second");
}

TEST_F(HostTest, ACallThatEndsOneOwnerAfterTheOtherIsGivenUp) {
    std::vector<std::unique_ptr<Copy>> owners;
    for (const char* const name : {"first", "second", "third", "last"}) {
        owners.push_back(std::make_unique<Copy>(temp_, name));
        ASSERT_TRUE(owners.back()->becomes(owners.size() == 1 ? Role::kOwner : Role::kFollower));
    }
    const std::unique_ptr<Copy> last = std::move(owners.back());
    owners.pop_back();
    Client client(*last);
    const std::string read = client.start("read_slowly", "poison");
    while (!owners.empty()) {
        // Which of them is the owner now is seen by who got the call.
        const auto owner = [&] {
            for (int i = 0; i < 2'000; ++i) {
                for (auto copy = owners.begin(); copy != owners.end(); ++copy) {
                    if ((*copy)->gate().wait_for_calls(1, 1ms)) {
                        return copy;
                    }
                }
                if (last->gate().wait_for_calls(1, 1ms)) {
                    break;  // the client's own copy has it
                }
            }
            return owners.end();
        }();
        if (owner == owners.end()) {
            break;
        }
        owners.erase(owner);
    }
    last->gate().open();
    const Json answer = client.answer(read);
    if (owners.empty()) {
        ASSERT_TRUE(answer["result"].value("isError", false)) << answer;
        const std::string text = answer["result"]["content"][0]["text"];
        EXPECT_NE(text.find("given up"), std::string::npos) << text;
    } else {
        EXPECT_EQ(by(answer), "last");  // it came to own the folder before the others
    }
}

TEST_F(HostTest, AmongSeveralFollowersOneTakesOverAndTheOthersFollowIt) {
    auto first = std::make_unique<Copy>(temp_, "first");
    ASSERT_TRUE(first->becomes(Role::kOwner));
    std::vector<std::unique_ptr<Copy>> rest;
    for (const char* const name : {"second", "third", "fourth"}) {
        rest.push_back(std::make_unique<Copy>(temp_, name));
        ASSERT_TRUE(rest.back()->becomes(Role::kFollower));
    }
    first.reset();
    std::set<std::string> answered_by;
    for (const auto& copy : rest) {
        answered_by.insert(by(Client(*copy).call("plain")));
    }
    EXPECT_EQ(answered_by.size(), 1U);
}

// For the thread sanitizer: everything at once.
TEST_F(HostTest, ConcurrentCallsOutliveOneOwnerAfterTheOther) {
    std::vector<std::unique_ptr<Copy>> owners;
    for (const char* const name : {"first", "second", "third"}) {
        owners.push_back(std::make_unique<Copy>(temp_, name));
        ASSERT_TRUE(owners.back()->becomes(owners.size() == 1 ? Role::kOwner : Role::kFollower));
    }
    Copy last(temp_, "last");
    ASSERT_TRUE(last.becomes(Role::kFollower));
    std::atomic<bool> done{false};
    std::atomic<int> answered{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 3; ++i) {
        callers.emplace_back([&, i] {
            Client client(last);
            for (int call = 0; !done || call < 20; ++call) {
                const std::string say = std::to_string(i) + "/" + std::to_string(call);
                const Json answer = client.call("plain", say);
                EXPECT_EQ(answer["result"]["structuredContent"].value("said", ""), say) << answer;
                ++answered;
            }
        });
    }
    for (auto& owner : owners) {
        const int before = answered;
        while (answered < before + 10) {
            std::this_thread::sleep_for(1ms);
        }
        owner.reset();
    }
    EXPECT_TRUE(last.becomes(Role::kOwner));
    done = true;
    for (std::thread& caller : callers) {
        caller.join();
    }
}

TEST_F(HostTest, CancellationReachesTheOwner) {
    Copy first(temp_, "first");
    ASSERT_TRUE(first.becomes(Role::kOwner));
    Copy second(temp_, "second");
    ASSERT_TRUE(second.becomes(Role::kFollower));
    Client client(second);
    const std::string id = client.start("read_slowly", "");
    ASSERT_TRUE(first.gate().wait_for_calls(1));
    client.cancel(id);
    ASSERT_TRUE(client.memory().outlet().wait_for_finished(1, kPatience));
    // The gate was never opened: only cancelling lets the owner's worker go, and end() waits for
    // it.
    first.end();
    EXPECT_TRUE(second.becomes(Role::kOwner));
}

TEST_F(HostTest, ProgressLogsAndQuestionsTravel) {
    Copy first(temp_, "first");
    ASSERT_TRUE(first.becomes(Role::kOwner));
    Copy second(temp_, "second");
    ASSERT_TRUE(second.becomes(Role::kFollower));
    Client client(second);
    const Json can_ask = {{"elicitation", {{"form", Json::object()}}}};
    Json params = {{"name", "asks"}, {"arguments", {{"say", ""}}}};
    const Json asked = client.request("tools/call", params, can_ask)["result"];
    ASSERT_EQ(asked["resultType"], "input_required") << asked;
    EXPECT_EQ(asked["inputRequests"]["confirm"]["params"]["message"], "Really?");
    const auto has = [](const std::string& method) {
        return [method](const mcp::OutMessage& message) {
            return message.text.find(method) != std::string::npos;
        };
    };
    EXPECT_TRUE(client.memory().outlet().wait_for(has("half way"), kPatience).has_value());
    EXPECT_TRUE(client.memory().outlet().wait_for(has("about to ask"), kPatience).has_value());
    params["requestState"] = asked["requestState"];
    params["inputResponses"] = {
        {"confirm", {{"action", "accept"}, {"content", {{"confirm", true}}}}}};
    const Json answered = client.request("tools/call", params, can_ask);
    EXPECT_EQ(by(answered), "first");
    EXPECT_EQ(answered["result"]["structuredContent"]["said"], "yes");
    // Without the capability it is the same error as in the owner.
    params.erase("requestState");
    params.erase("inputResponses");
    EXPECT_EQ(client.request("tools/call", params)["error"]["code"], mcp::code::kMissingCapability);
}

TEST_F(HostTest, AnswersThatDoNotFitTheQuestionEndAsInTheOwner) {
    Copy first(temp_, "first");
    ASSERT_TRUE(first.becomes(Role::kOwner));
    Copy second(temp_, "second");
    ASSERT_TRUE(second.becomes(Role::kFollower));
    const Json can_ask = {{"elicitation", {{"form", Json::object()}}}};
    for (Copy* const copy : {&first, &second}) {
        Client client(*copy);
        const Json broken = client.request(
            "tools/call", {{"name", "asks"}, {"inputResponses", {{"confirm", 5}}}}, can_ask);
        EXPECT_EQ(broken["error"]["code"], mcp::code::kInvalidParams) << broken;

        // A legacy client that accepts without the member that was asked for.
        mcp::MemoryClient legacy(copy->server());
        ASSERT_TRUE(legacy
                        .request(Json{{"jsonrpc", "2.0"},
                                      {"id", "open"},
                                      {"method", "initialize"},
                                      {"params",
                                       {{"protocolVersion", "2025-11-25"},
                                        {"capabilities", {{"elicitation", Json::object()}}},
                                        {"clientInfo", {{"name", "t"}, {"version", "1"}}}}}}
                                     .dump())
                        .has_value());
        legacy.send(
            R"({"jsonrpc":"2.0","id":"ask","method":"tools/call","params":{"name":"asks"}})");
        const auto question = legacy.outlet().wait_for(
            [](const auto& out) { return out.kind == mcp::OutMessage::Kind::kRequest; }, kPatience);
        ASSERT_TRUE(question.has_value());
        legacy.send(Json{{"jsonrpc", "2.0"},
                         {"id", Json::parse(question->text)["id"]},
                         {"result", {{"action", "accept"}}}}
                        .dump());
        const auto answered = legacy.outlet().wait_for(
            [](const auto& out) { return out.text.find(R"("id":"ask")") != std::string::npos; },
            kPatience);
        ASSERT_TRUE(answered.has_value());
        EXPECT_EQ(Json::parse(answered->text)["result"]["content"][0]["text"],
                  "the client's answer to 'confirm' is not what was asked for");
    }
}

TEST_F(HostTest, EveryCopyHearsOfChangedBlocks) {
    Copy first(temp_, "first");
    ASSERT_TRUE(first.becomes(Role::kOwner));
    Copy second(temp_, "second");
    ASSERT_TRUE(second.becomes(Role::kFollower));
    // A call makes sure that the owner knows the follower.
    EXPECT_EQ(by(Client(second).call("plain")), "first");
    first.host().announce({"MEIC"});
    EXPECT_TRUE(first.hears_of("MEIC"));
    EXPECT_TRUE(second.hears_of("MEIC"));
}

TEST_F(HostTest, WithoutAUsableRuntimeFolderEverybodyWorksAlone) {
    temp_.write("run", "no folder");
    Copy first(temp_, "first");
    Copy second(temp_, "second");
    ASSERT_TRUE(first.becomes(Role::kAlone));
    EXPECT_NE(first.host().reason(), "");
    EXPECT_EQ(by(Client(first).call("plain")), "first");
    EXPECT_EQ(by(Client(second).call("plain")), "second");
}

TEST_F(HostTest, ADirectoryThatAppearsLaterIsOwnedThen) {
    fs::remove(temp_.path() / "data");
    Copy first(temp_, "first");
    ASSERT_TRUE(first.becomes(Role::kAlone));
    fs::create_directory(temp_.path() / "data");
    EXPECT_TRUE(first.becomes(Role::kOwner));
}

TEST_F(HostTest, AnOwnerOfAnotherLinkVersionIsNamedInTheAnswer) {
    const auto place = place_of(temp_.path() / "data", temp_.path() / "run");
    ASSERT_TRUE(place.has_value());
    auto claim = try_claim(*place);
    ASSERT_TRUE(claim.has_value() && claim->has_value());
    std::atomic<bool> done{false};
    std::thread foreign([&] {
        while (!done) {
            const UniqueFd peer = accept_peer((*claim)->listener());
            if (!peer.valid()) {
                std::this_thread::sleep_for(1ms);
                continue;
            }
            if (read_line(peer.get(), 4'096, kGreetingTimeout).has_value()) {
                [[maybe_unused]] const auto said = write_line(
                    peer.get(), R"({"tradeblocks":"7.0.0","link":99,"pid":4711,"accepted":true})");
            }
        }
    });
    {
        Copy second(temp_, "second");
        EXPECT_TRUE(second.becomes(Role::kRefused));
        const Json answer = Client(second).call("plain");
        EXPECT_TRUE(answer["result"].value("isError", false));
        const std::string text = answer["result"]["content"][0]["text"];
        EXPECT_NE(text.find("7.0.0"), std::string::npos);
        EXPECT_NE(text.find("4711"), std::string::npos);
    }
    done = true;
    foreign.join();
}

// ---- commands ----

struct Printed {
    std::string out;
    std::string err;
    RelayedCommand relayed;
};

Printed run_in_owner(const test::TempDir& temp, const std::string& command,
                     const CancelToken& cancel = {}) {
    const fs::path out = temp.path() / "out.txt";
    const fs::path err = temp.path() / "err.txt";
    const UniqueFd out_fd(::creat(out.c_str(), 0600));
    const UniqueFd err_fd(::creat(err.c_str(), 0600));
    CommandRequest request;
    request.command = command;
    Printed printed;
    printed.relayed = relay_command(temp.path() / "data", temp.path() / "run", request,
                                    {out_fd.get(), err_fd.get()}, cancel);
    printed.out = temp.read("out.txt");
    printed.err = temp.read("err.txt");
    return printed;
}

void say(int fd, std::string_view text) {
    EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

TEST_F(HostTest, ACommandRunsInTheOwnerAndPrintsHere) {
    EXPECT_EQ(run_in_owner(temp_, "status").relayed.kind, RelayedCommand::Kind::kNobody);
    Copy first(temp_, "first",
               [](const CommandRequest& request, int out, int err, const CancelToken&) {
                   say(out, std::string(200'000, 'o') + request.command);
                   say(err, "careful");
                   return 3;
               });
    ASSERT_TRUE(first.becomes(Role::kOwner));
    EXPECT_TRUE(is_served(temp_.path() / "data", temp_.path() / "run"));
    const Printed printed = run_in_owner(temp_, "status");
    EXPECT_EQ(printed.relayed.kind, RelayedCommand::Kind::kDone);
    EXPECT_EQ(printed.relayed.code, 3);
    EXPECT_TRUE(printed.relayed.printed);
    EXPECT_EQ(printed.out, std::string(200'000, 'o') + "status");
    EXPECT_EQ(printed.err, "careful");
}

TEST_F(HostTest, AnOwnerThatDoesNotAnswerIsSilentAndServesNobody) {
    // Connections wait in the queue of its socket, as those to a stopped process do.
    const auto place = place_of(temp_.path() / "data", temp_.path() / "run");
    ASSERT_TRUE(place.has_value());
    const auto claim = try_claim(*place);
    ASSERT_TRUE(claim.has_value() && claim->has_value());
    const Printed printed = run_in_owner(temp_, "status");
    EXPECT_EQ(printed.relayed.kind, RelayedCommand::Kind::kSilent);
    EXPECT_FALSE(is_served(temp_.path() / "data", temp_.path() / "run"));
}

TEST_F(HostTest, ACommandIsCancelledByItsCaller) {
    Copy first(temp_, "first", [](const CommandRequest&, int, int err, const CancelToken& cancel) {
        while (!cancel.cancelled()) {
            std::this_thread::sleep_for(1ms);
        }
        say(err, "stopped");
        return 130;
    });
    ASSERT_TRUE(first.becomes(Role::kOwner));
    const CancelSource cancel;
    std::thread user([&] {
        std::this_thread::sleep_for(20ms);
        cancel.cancel();
    });
    const Printed printed = run_in_owner(temp_, "sync", cancel.token());
    user.join();
    EXPECT_EQ(printed.relayed.kind, RelayedCommand::Kind::kDone);
    EXPECT_EQ(printed.relayed.code, 130);
    EXPECT_EQ(printed.err, "stopped");
}

TEST_F(HostTest, AnOwnerThatEndsLeavesNoHalfAnswerOfACommand) {
    Gate started;
    Copy first(temp_, "first",
               [&](const CommandRequest&, int out, int err, const CancelToken& cancel) {
                   started.pass(cancel);
                   say(err, "error: interrupted");
                   say(out, "half");
                   return 130;
               });
    ASSERT_TRUE(first.becomes(Role::kOwner));
    std::thread ending([&] {
        EXPECT_TRUE(started.wait_for_calls(1));
        first.end();
    });
    const Printed printed = run_in_owner(temp_, "sync");
    ending.join();
    EXPECT_EQ(printed.relayed.kind, RelayedCommand::Kind::kLost);
    EXPECT_FALSE(printed.relayed.printed);
    EXPECT_EQ(printed.out, "");
    EXPECT_EQ(printed.err, "");
}

}  // namespace
}  // namespace tb::serve
