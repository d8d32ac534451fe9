// Server processes and their clients, for tests of how they share a folder: each Copy has its own
// Host, lock, socket and connections, all in one process.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mcp/transport_memory.h"
#include "serve/forward.h"
#include "serve/host.h"
#include "support/temp_dir.h"

namespace tb::serve {

namespace field = mcp::field;
using mcp::Json;

inline constexpr std::chrono::milliseconds kPatience{20'000};

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
            changed_.wait_for(lock, std::chrono::milliseconds(5));
        }
    }
    bool wait_for_calls(int count, std::chrono::milliseconds patience = kPatience) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return waiting_ >= count; });
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
            return PeerServer{nullptr, make_server(content(), whole_lists({}))};
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
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
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
    void add_resources(int count) { further_resources_ = count; }
    mcp::Server& server() { return *server_; }
    Host& host() { return *host_; }
    Gate& gate() { return gate_; }

  private:
    static tools::AppOptions app_options(const test::TempDir& temp) {
        tools::AppOptions options;
        options.data_dir = temp.path() / "data";
        return options;
    }
    static std::unique_ptr<mcp::Server> make_server(mcp::ServerContent content,
                                                    mcp::ServerOptions options = {}) {
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
        const auto in_full = [this](mcp::ToolContext& context, const Json&) {
            context.set_budget_chars(0);
            return mcp::Outcome<mcp::ToolResult>(
                answer({{"say", std::string(mcp::kMaxResultChars, 'x')}}));
        };
        const auto wide = [this](mcp::ToolContext& context, const Json& arguments) {
            mcp::ToolResult result = answer(arguments);
            for (int i = 0; i < 3'000; ++i) {
                (*result.structured)["member " + std::to_string(i)] = i;
            }
            context.set_budget_chars(0);
            return mcp::Outcome<mcp::ToolResult>(std::move(result));
        };
        mcp::ServerContent content;
        mcp::ToolSpec query = tool("query_slowly", true, slow);
        query.repeatable = false;
        auto registry =
            mcp::ToolRegistry::make({tool("plain", true, plain), tool("read_slowly", true, slow),
                                     query, tool("wide", true, wide),
                                     tool("write_slowly", false, slow), tool("fails", true, fails),
                                     tool("asks", false, asks), tool("in_full", true, in_full)});
        EXPECT_TRUE(registry.has_value());
        content.tools = std::move(*registry);
        mcp::ResourceSpec fixed;
        fixed.info = info("test://fixed", "fixed");
        fixed.read = [this](mcp::ToolContext&) -> mcp::Outcome<mcp::ResourceContents> {
            return mcp::ResourceContents{{"test://fixed", "text/plain", name_, ""}};
        };
        content.resources = {fixed};
        content.dynamic_resources = [this](mcp::ToolContext&) {
            std::vector<mcp::ResourceInfo> list{info("test://of/" + name_, name_)};
            for (int i = 0; i < further_resources_; ++i) {
                list.push_back(info(fmt::format("test://of/{}/{:04}", name_, i), "further"));
            }
            return list;
        };
        mcp::ResourceTemplateSpec rows;
        rows.uri_template = "test://rows/{id}";
        rows.name = "rows";
        rows.completers["id"] = [this](mcp::ToolContext&, std::string_view typed,
                                       const mcp::UriVariables&) {
            std::vector<std::string> ids{name_ + "-1", name_ + "-2"};
            for (int i = 0; typed == "many" && i < 150; ++i) {
                ids.push_back(fmt::format("many-{}", i));
            }
            return ids;
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
    std::atomic<int> further_resources_{0};
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

}  // namespace tb::serve
