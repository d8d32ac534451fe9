// The server core: everything between a decoded message and a tool, whatever carries the bytes.
//
// A Server holds the immutable content (tools, resources, prompts) and the worker pool; a
// Connection is one client's conversation. stdio and a relayed socket have one connection for both
// eras; HTTP makes one per modern request and one per legacy id header. A transport does:
//
//     auto connection = server.connect({.background = outlet});
//     connection->receive(line, outlet);     // returns at once; answers come through the outlet
//     ...
//     connection->close();                   // client is gone: stop its work, send nothing more
//
// receive() answers handshakes, lists and errors before it returns; calls of handlers run on the
// pool and answer as they finish. For one request the order on its outlet is: notifications and
// questions, then exactly one response, then Outlet::finished(). A cancelled request gets only
// finished().
//
// Thread-safe. receive() of one connection is called from one thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "mcp/context.h"
#include "mcp/json_rpc.h"
#include "mcp/outlet.h"
#include "mcp/protocol.h"
#include "mcp/resource.h"
#include "mcp/tool.h"

namespace tb::mcp {

struct Implementation {
    std::string name;
    std::string title;
    std::string version;
    std::string website_url;  // may be empty
    JsonBox icons;            // array of icon objects, or null (06 T18)
};

struct ServerContent {
    ToolRegistry tools;
    std::vector<ResourceSpec> resources;
    // Further resources that exist at this moment (readable through a template); sorted by uri.
    std::function<std::vector<ResourceInfo>(ToolContext&)> dynamic_resources;
    std::vector<ResourceTemplateSpec> templates;
    std::vector<PromptSpec> prompts;
};

// A tools/call that no tool has seen.
struct RefusedCall {
    Principal principal;
    std::string tool;   // as the client named it, at most 200 characters; may be empty
    JsonBox arguments;  // as they came
    // protocol (no proper request, or no such revision), tool (unknown), arguments, scope, limit
    // (too many calls, or an id in use), ending (the server is shutting down)
    std::string why;
};

struct ServerOptions {
    Implementation identity;
    std::string instructions;  // <= 2,000 bytes (06 T14); never data from files

    std::size_t workers = 4;
    std::size_t queue_limit = 256;  // calls waiting for a worker; beyond: "busy"
    std::chrono::milliseconds soft_deadline{45'000};
    // Cancelled; answered 2 s later at the latest. Later where a caller allows a tool more time.
    std::chrono::milliseconds hard_deadline{55'000};
    std::size_t page_size = 1'000;          // entries per list page
    std::size_t max_completions = 100;      // values per completion (06 T15)
    std::size_t max_subscriptions = 1'024;  // open listens over all connections

    // What may change while the server runs; only these are advertised and sent.
    bool tools_list_changes = false;
    bool prompts_list_changes = false;
    bool resources_change = true;  // list and content

    bool lists_depend_on_principal = false;  // cacheScope private instead of public
    std::chrono::milliseconds resource_ttl{0};
    JsonBox extensions;  // object for capabilities.extensions, or null
    // 32 bytes that seal requestState; empty = random per process. Processes that take over from
    // each other share one, so that a question asked by the first is answered to the second.
    std::string secret;
    // Hears of every call that is refused before a tool is known or reached; any thread.
    std::function<void(const RefusedCall&)> on_refused_call;
    // Checks every structuredContent against the tool's table and answers -32603 on a mismatch:
    // for tests and debug builds (06 T8).
    bool check_results = false;
};

class ServerImpl;

struct ConnectionOptions {
    // For messages outside any request of a legacy client; null = they are dropped.
    std::shared_ptr<Outlet> background;
    Principal principal;
    // Legacy revision taken as agreed without initialize (an HTTP request that names none).
    std::optional<Revision> assume_legacy = std::nullopt;
};

class Connection {
  public:
    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    virtual ~Connection() = default;

    // One line or body. `require_modern`: the carrier says it is a modern request (HTTP header),
    // so that a missing _meta is an error even if legacy state exists.
    virtual void receive(std::string_view text, const std::shared_ptr<Outlet>& outlet) = 0;
    virtual void receive(Inbound inbound, const std::shared_ptr<Outlet>& outlet,
                         bool require_modern) = 0;
    // Cancels what is running, ends subscriptions silently, sends nothing more. Idempotent.
    virtual void close() = 0;
    // Ends subscriptions as the specification wants it: notification, then result (06 P18).
    virtual void end_subscriptions() = 0;

    // The revision agreed by initialize, if there was one.
    [[nodiscard]] virtual std::optional<Revision> legacy_revision() const = 0;
    [[nodiscard]] virtual Principal principal() const = 0;
    // For requests received from now on: the same caller with other scopes (HTTP, a new token).
    virtual void set_principal(const Principal& principal) = 0;
    // Calls that are neither answered nor cancelled (open subscriptions do not count).
    [[nodiscard]] virtual std::size_t calls_in_flight() const = 0;
    virtual void set_background(std::shared_ptr<Outlet> outlet) = 0;
};

class Server final : public Notifier {
  public:
    // kInvalidArgument: broken templates, duplicate names, instructions above 2,000 bytes.
    [[nodiscard]] static Result<std::unique_ptr<Server>> make(ServerOptions options,
                                                              ServerContent content);
    ~Server() override;  // shutdown()
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    Server(Server&&) = delete;
    Server& operator=(Server&&) = delete;

    [[nodiscard]] std::shared_ptr<Connection> connect(ConnectionOptions options);

    // Ends subscriptions gracefully, cancels every call and waits for the workers at most `wait`.
    // False if a handler is still running then: do not destroy what it uses, _exit instead.
    // Idempotent; messages that arrive later are answered "shutting down".
    bool shutdown(std::chrono::milliseconds wait = std::chrono::milliseconds(800));

    [[nodiscard]] const ServerOptions& options() const;
    [[nodiscard]] const ServerContent& content() const;

    void tools_changed() override;
    void prompts_changed() override;
    void resources_changed() override;
    void resource_updated(std::string_view uri) override;

  private:
    explicit Server(std::shared_ptr<ServerImpl> impl);
    std::shared_ptr<ServerImpl> impl_;
};

}  // namespace tb::mcp
