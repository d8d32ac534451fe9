// Owner and followers in one process: each Host has its own lock, socket and connections.
#include "serve/host.h"

#include <condition_variable>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mcp/transport_memory.h"
#include "serve/claim.h"
#include "serve/command_relay.h"
#include "serve/forward.h"
#include "serve/greeting.h"
#include "serve/place.h"
#include "support/temp_dir.h"

namespace tb::serve {
namespace {

namespace fs = std::filesystem;
namespace field = mcp::field;
using mcp::Json;
using namespace std::chrono_literals;

constexpr auto kPatience = 20s;

// Holds calls until it is opened.
class Gate {
  public:
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    // As a tool waits: until opened or cancelled.
    void pass(const CancelToken& cancel) {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        while (!open_ && !cancel.cancelled()) {
            changed_.wait_for(lock, 5ms);
        }
    }
    bool wait_for_calls(int count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, [&] { return waiting_ >= count; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
    int waiting_ = 0;
};

// One server process, more or less.
class Copy {
  public:
    Copy(const test::TempDir& temp, std::string name, CommandRunner runner = nullptr)
        : name_(std::move(name)), app_(app_options(temp)) {
        HostOptions options;
        options.runtime_root = temp.path() / "run";
        options.run_command = std::move(runner);
        options.make_server = [this](const std::vector<std::string>& roots) -> Result<PeerServer> {
            const std::lock_guard lock(mutex_);
            peer_roots_.push_back(roots);
            return PeerServer{nullptr, make_server(content())};
        };
        host_ = std::make_unique<Host>(app_, std::move(options));
        auto forwarded_content = forwarded(content(), *host_);
        EXPECT_TRUE(forwarded_content.has_value());
        server_ = make_server(std::move(*forwarded_content));
        host_->set_change_listener([this](const auto& ids) {
            const std::lock_guard lock(mutex_);
            changes_.insert(changes_.end(), ids.begin(), ids.end());
            changed_.notify_all();
        });
        host_->start();
    }
    ~Copy() { end(); }
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;

    void end() {
        if (host_ != nullptr) {
            EXPECT_TRUE(host_->send_away(kPatience));
            EXPECT_TRUE(server_->shutdown(kPatience));
            host_->stop();
            server_.reset();
            host_.reset();
        }
    }
    bool becomes(Role role) {
        const auto until = std::chrono::steady_clock::now() + kPatience;
        while (host_->role() != role && std::chrono::steady_clock::now() < until) {
            std::this_thread::sleep_for(2ms);
        }
        return host_->role() == role;
    }
    bool hears_of(const std::string& block) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, [&] {
            return std::find(changes_.begin(), changes_.end(), block) != changes_.end();
        });
    }
    std::vector<std::vector<std::string>> peer_roots() {
        const std::lock_guard lock(mutex_);
        return peer_roots_;
    }
    mcp::Server& server() { return *server_; }
    Host& host() { return *host_; }
    Gate& gate() { return gate_; }

  private:
    static tools::AppOptions app_options(const test::TempDir& temp) {
        tools::AppOptions options;
        options.data_dir = temp.path() / "data";
        return options;
    }
    static std::unique_ptr<mcp::Server> make_server(mcp::ServerContent content) {
        mcp::ServerOptions options;
        options.identity = {"copy", "Copy", "1", "", {}};
        auto server = mcp::Server::make(std::move(options), std::move(content));
        EXPECT_TRUE(server.has_value());
        return std::move(*server);
    }
    static mcp::ResourceInfo info(std::string uri, std::string name) {
        mcp::ResourceInfo info;
        info.uri = std::move(uri);
        info.name = std::move(name);
        return info;
    }
    mcp::ToolSpec tool(const std::string& name, bool reads, mcp::ToolHandler handler) {
        mcp::ToolSpec spec;
        spec.name = name;
        spec.title = name;
        spec.description = "For tests.";
        spec.toolset = "core";
        spec.annotations = reads ? mcp::Annotations::reads() : mcp::Annotations::adds(false);
        spec.arguments = {field::text("say", "Anything").default_value("")};
        spec.results = {field::text("by", "Who ran it"), field::text("said", "What came")};
        spec.handler = std::move(handler);
        return spec;
    }
    mcp::ToolResult answer(const Json& arguments) const {
        const std::string said = arguments["say"].get<std::string>();
        return {.text = name_ + ": " + said,
                .structured = Json{{"by", name_}, {"said", said}},
                .extra = {mcp::ContentItem::resource_link("tradeblocks://result/" + said, "link",
                                                          "", "")},
                .meta = Json{{"note", name_}}};
    }
    mcp::ServerContent content() {
        const auto plain = [this](mcp::ToolContext&, const Json& arguments) {
            return mcp::Outcome<mcp::ToolResult>(answer(arguments));
        };
        const auto slow = [this](mcp::ToolContext& context, const Json& arguments) {
            gate_.pass(context.token());
            return mcp::Outcome<mcp::ToolResult>(answer(arguments));
        };
        const auto fails = [this](mcp::ToolContext&, const Json&) -> mcp::Outcome<mcp::ToolResult> {
            return mcp::tool_error("no luck with " + name_);
        };
        const auto asks = [this](mcp::ToolContext& context,
                                 const Json& arguments) -> mcp::Outcome<mcp::ToolResult> {
            context.report({1, 2, "steps", "half way"});
            context.log(mcp::LoggingLevel::kInfo, "about to ask");
            TB_TRY_TOOL(const bool yes, context.confirm("confirm", "Really?"));
            Json given = arguments;
            given["say"] = yes ? "yes" : "no";
            return answer(given);
        };
        mcp::ServerContent content;
        auto registry =
            mcp::ToolRegistry::make({tool("plain", true, plain), tool("read_slowly", true, slow),
                                     tool("write_slowly", false, slow), tool("fails", true, fails),
                                     tool("asks", false, asks)});
        EXPECT_TRUE(registry.has_value());
        content.tools = std::move(*registry);
        mcp::ResourceSpec fixed;
        fixed.info = info("test://fixed", "fixed");
        fixed.read = [this](mcp::ToolContext&) -> mcp::Outcome<mcp::ResourceContents> {
            return mcp::ResourceContents{{"test://fixed", "text/plain", name_, ""}};
        };
        content.resources = {fixed};
        content.dynamic_resources = [this](mcp::ToolContext&) {
            return std::vector<mcp::ResourceInfo>{info("test://of/" + name_, name_)};
        };
        mcp::ResourceTemplateSpec rows;
        rows.uri_template = "test://rows/{id}";
        rows.name = "rows";
        rows.completers["id"] = [this](mcp::ToolContext&, std::string_view,
                                       const mcp::UriVariables&) {
            return std::vector<std::string>{name_ + "-1", name_ + "-2"};
        };
        rows.read = [this](
                        mcp::ToolContext&, const std::string& uri,
                        const mcp::UriVariables& variables) -> mcp::Outcome<mcp::ResourceContents> {
            if (variables.at("id") == "none") {
                return tl::unexpected<mcp::ToolError>(mcp::resource_not_found(uri));
            }
            return mcp::ResourceContents{{uri, "", name_ + variables.at("id"), ""}};
        };
        // What every answer links to.
        mcp::ResourceTemplateSpec stored;
        stored.uri_template = "tradeblocks://result/{id}";
        stored.name = "stored";
        stored.read = [this](mcp::ToolContext&, const std::string& uri, const mcp::UriVariables&) {
            return mcp::Outcome<mcp::ResourceContents>(
                mcp::ResourceContents{{uri, "", "stored by " + name_, ""}});
        };
        content.templates = {rows, stored};
        mcp::PromptSpec prompt;
        prompt.name = "look";
        prompt.arguments = {{"at", "", "", true, nullptr}};
        prompt.handler =
            [this](mcp::ToolContext&,
                   const mcp::UriVariables& arguments) -> mcp::Outcome<mcp::PromptResult> {
            return mcp::PromptResult{
                name_, {{"user", mcp::ContentItem::text("look at " + arguments.at("at"))}}};
        };
        content.prompts = {prompt};
        return content;
    }

    const std::string name_;
    tools::App app_;
    Gate gate_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> changes_;
    std::vector<std::vector<std::string>> peer_roots_;
    std::unique_ptr<Host> host_;
    std::unique_ptr<mcp::Server> server_;
};

// A modern client of one copy.
class Client {
  public:
    explicit Client(Copy& copy, mcp::Principal principal = {})
        : client_(copy.server(), std::move(principal)) {}

    std::string send(const std::string& method, Json params, Json capabilities = Json::object()) {
        const int id = ++next_;
        params["_meta"] = {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                           {"io.modelcontextprotocol/clientCapabilities", capabilities},
                           {"io.modelcontextprotocol/logLevel", "info"},
                           {"progressToken", id}};
        client_.send(
            Json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}}.dump());
        return std::to_string(id);
    }
    Json answer(const std::string& id) {
        const auto message = client_.outlet().wait_for(
            [&](const mcp::OutMessage& out) {
                return out.kind == mcp::OutMessage::Kind::kResponse &&
                       Json::parse(out.text)["id"].dump() == id;
            },
            kPatience);
        EXPECT_TRUE(message.has_value()) << "no answer to " << id;
        return message.has_value() ? Json::parse(message->text) : Json();
    }
    Json request(const std::string& method, Json params, Json capabilities = Json::object()) {
        return answer(send(method, std::move(params), std::move(capabilities)));
    }
    Json call(const std::string& tool, const std::string& say = "") {
        return request("tools/call", {{"name", tool}, {"arguments", {{"say", say}}}});
    }
    std::string start(const std::string& tool, const std::string& say) {
        return send("tools/call", {{"name", tool}, {"arguments", {{"say", say}}}});
    }
    void cancel(const std::string& id) {
        client_.send(
            R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" + id +
            "}}");
    }
    mcp::MemoryClient& memory() { return client_; }

  private:
    mcp::MemoryClient client_;
    int next_ = 0;
};

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
