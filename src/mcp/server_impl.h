// Inside of the server core; not for transports or tools.
//
// Who locks what: ServerImpl::mutex_ guards the list of connections, ConnectionImpl::mutex_ the
// state of one conversation, Call::mutex_ whether a call may still send. A lock is never held while
// waiting for room on an outlet, while a handler runs, or while taking one earlier in this list;
// Outlet::send never blocks and may be called under any of them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/cancel.h"
#include "core/sealer.h"
#include "mcp/list_pages.h"
#include "mcp/progress_gate.h"
#include "mcp/server.h"
#include "mcp/worker_pool.h"

namespace tb::mcp {

using SteadyClock = std::chrono::steady_clock;

class ConnectionImpl;
class ServerImpl;

// What a request's _meta (modern) or its connection (legacy) says about it.
struct RequestInfo {
    Revision revision = kModern;
    Json capabilities = Json::object();
    Json progress_token;                    // null = no progress wanted
    std::optional<LoggingLevel> log_level;  // empty = no log messages wanted
    std::string trace;                      // traceparent, checked; may be empty
};

// One request on its way through the pool.
class Call final : public ClientChannel, public std::enable_shared_from_this<Call> {
  public:
    Call(std::shared_ptr<ConnectionImpl> owner, Message request, RequestInfo request_info,
         std::shared_ptr<Outlet> where);

    // ---- ClientChannel ----
    void progress(const Progress& progress) override;
    void log(LoggingLevel level, std::string_view logger, const Json& data) override;
    [[nodiscard]] bool can_ask(InputKind kind) const override;
    Outcome<std::vector<InputAnswer>> ask(const std::vector<InputRequest>& requests) override;
    void close_stream() override;

    // ---- for the server ----
    // Sends the one answer; later calls do nothing.
    void answer_result(const Json& result);
    void answer_text(std::string_view result_text);
    void answer_error(const RpcError& error);
    // Cancelled by the client: nothing more is sent, not even an answer.
    void drop();
    // Stops the work but still wants an answer (deadline, shutdown).
    void interrupt();
    // Opens the sealed state of an earlier round; false (and -32602 sent) if it is not ours.
    [[nodiscard]] bool open_rounds();
    // From here on answers may wait for a client that does not read.
    void set_on_worker() { on_worker_.store(true); }
    // The result that asks the client, after ask() returned input_required.
    [[nodiscard]] Json input_required_result(const std::string& handler_state);
    [[nodiscard]] ContextOptions context_options();
    // From the timer: keep-alive progress, deadline. True once the call needs no more ticks.
    bool tick(SteadyClock::time_point now);
    // The hard deadline has fired.
    [[nodiscard]] bool timed_out() const { return timed_out_.load(); }
    // From the request to the hard deadline.
    [[nodiscard]] std::chrono::milliseconds time_limit() const { return time_limit_; }

    [[nodiscard]] const Message& request() const { return request_; }
    // Under which the connection keeps it: the text of its id, unless that is taken.
    void set_key(std::string key) { key_ = std::move(key); }
    [[nodiscard]] const std::string& key() const { return key_; }
    [[nodiscard]] const std::shared_ptr<Outlet>& outlet() const { return outlet_; }
    [[nodiscard]] const RequestInfo& info() const { return info_; }
    [[nodiscard]] ConnectionImpl& connection() { return *connection_; }
    [[nodiscard]] const Principal& principal() const { return principal_; }
    [[nodiscard]] Era era() const { return era_of(info_.revision); }
    [[nodiscard]] SteadyClock::time_point received() const { return received_; }
    [[nodiscard]] const CancelToken& token() const { return token_; }

  private:
    void emit(OutMessage message, bool is_answer);
    void finish();
    void send_progress(const ProgressGate::Frame& frame);  // under the lock
    void answer_gave_up();
    [[nodiscard]] std::string seal_context() const;
    Outcome<std::vector<InputAnswer>> ask_legacy(const std::vector<InputRequest>& requests);
    Outcome<std::vector<InputAnswer>> ask_modern(const std::vector<InputRequest>& requests);

    const std::shared_ptr<ConnectionImpl> connection_;
    const Principal principal_;  // as of the moment the request came
    const Message request_;
    const RequestInfo info_;
    const std::shared_ptr<Outlet> outlet_;
    const SteadyClock::time_point received_ = SteadyClock::now();
    const std::chrono::milliseconds time_limit_;
    std::string key_;  // set before anybody else knows this call
    CancelSource cancel_;
    const CancelToken token_ = cancel_.token();
    std::atomic<bool> timed_out_{false};
    std::atomic<bool> on_worker_{false};

    std::mutex mutex_;
    bool done_ = false;                      // answered or dropped
    SteadyClock::time_point hard_deadline_;  // moved on by the time spent waiting for the user
    bool waiting_for_user_ = false;
    ProgressGate gate_;

    // Worker thread only.
    std::string handler_state_;         // of the round before
    Json answers_ = Json::object();     // of all rounds so far, by key
    std::set<std::string> used_;        // keys of answers a question was asked for
    std::vector<InputRequest> needed_;  // asked in this round and not answered yet
};

// Resources that a client wants to hear of: as it names them, and as they are announced.
using WatchedUris = std::map<std::string, std::string>;

// One open subscriptions/listen.
struct Listen {
    RequestId id;
    std::shared_ptr<Outlet> outlet;
    bool tools = false;
    bool prompts = false;
    bool resources = false;
    WatchedUris uris;
};

// What happened, for everybody who asked to hear of it.
struct News {
    enum class Kind { kTools, kPrompts, kResources, kResourceUpdated };
    Kind kind = Kind::kTools;
    std::string uri;
};

class ConnectionImpl final : public Connection,
                             public std::enable_shared_from_this<ConnectionImpl> {
  public:
    ConnectionImpl(std::shared_ptr<ServerImpl> server, ConnectionOptions options);

    void receive(std::string_view text, const std::shared_ptr<Outlet>& outlet) override;
    void receive(Inbound inbound, const std::shared_ptr<Outlet>& outlet,
                 bool require_modern) override;
    void close() override;
    void end_subscriptions() override;
    [[nodiscard]] std::optional<Revision> legacy_revision() const override;
    [[nodiscard]] Principal principal() const override;
    void set_principal(const Principal& principal) override;
    [[nodiscard]] std::size_t calls_in_flight() const override;
    void set_background(std::shared_ptr<Outlet> outlet) override;

    // ---- for calls and the server ----
    [[nodiscard]] ServerImpl& server() { return *server_; }
    // An answered (or dropped) call: first its id can be used again, then it is out of the way.
    void free_id(const std::string& key);
    void forget_call();
    void interrupt_calls();
    void tell(const News& news);
    // Registers a question to a legacy client; its answer (a response message) goes to `deliver`.
    RequestId open_question(std::function<void(Message)> deliver);
    void close_question(const RequestId& id);

  private:
    void handle(Message message, const std::shared_ptr<Outlet>& outlet, bool require_modern,
                bool in_batch);
    void handle_response(Message message);
    void handle_notification(const Message& message);
    void handle_request(Message message, const std::shared_ptr<Outlet>& outlet, bool require_modern,
                        bool in_batch);
    // The request's era and what comes with it, or the error that answers it.
    tl::expected<RequestInfo, RpcError> classify(const Message& message, bool require_modern);
    void initialize(const Message& message, Outlet& outlet);
    // Answers with an error and tells who keeps a log of calls.
    void refuse(const Message& message, Outlet& outlet, const RpcError& error, const char* why);
    // Methods that change the conversation; false if the method is none of them.
    bool handle_legacy_method(const Message& message, Outlet& outlet);
    // Where to keep a call; nothing if its id is in use. Some clients send everything with one id:
    // where each request has an answer of its own (HTTP) that does no harm, only cancellation
    // means the first of them.
    [[nodiscard]] std::optional<std::string> key_for(const RequestId& id,
                                                     const std::shared_ptr<Outlet>& outlet);
    void listen(const Message& message, const std::shared_ptr<Outlet>& outlet);
    void run(const std::shared_ptr<Call>& call);

    const std::shared_ptr<ServerImpl> server_;
    mutable std::mutex principal_mutex_;  // innermost
    Principal principal_;

    mutable std::mutex mutex_;
    bool closed_ = false;
    std::shared_ptr<Outlet> background_;
    std::optional<Revision> legacy_;
    Json legacy_capabilities_ = Json::object();
    LoggingLevel legacy_level_ = LoggingLevel::kInfo;
    WatchedUris legacy_uris_;
    std::map<std::string, std::shared_ptr<Call>> calls_;  // by id text
    std::size_t answering_ = 0;                           // calls out of `calls_`, not yet gone
    std::map<std::string, Listen> listens_;               // by id text
    std::map<std::string, std::function<void(Message)>> questions_;
    std::int64_t next_question_ = 1;
    std::int64_t next_twin_ = 1;
};

class ServerImpl final : public Notifier, public std::enable_shared_from_this<ServerImpl> {
  public:
    ServerImpl(ServerOptions options, ServerContent content, std::vector<UriTemplate> templates);
    ~ServerImpl() override;
    ServerImpl(const ServerImpl&) = delete;
    ServerImpl& operator=(const ServerImpl&) = delete;

    [[nodiscard]] const ServerOptions& options() const { return options_; }
    [[nodiscard]] const ServerContent& content() const { return content_; }
    [[nodiscard]] const Sealer& sealer() const { return sealer_; }
    [[nodiscard]] bool stopping() const { return stopping_.load(); }

    std::shared_ptr<Connection> connect(ConnectionOptions options);
    bool shutdown(std::chrono::milliseconds wait);
    void tell(const News& news);
    void tools_changed() override;
    void prompts_changed() override;
    void resources_changed() override;
    void resource_updated(std::string_view uri) override;
    // The uri as resource_updated() gets it, whichever way it is escaped; empty if there can be no
    // such resource.
    [[nodiscard]] std::optional<std::string> canonical_uri(std::string_view uri) const;
    [[nodiscard]] bool submit(std::function<void()> job) { return pool_.submit(std::move(job)); }
    void watch(const std::shared_ptr<Call>& call);
    // Marks a sealed state as used until it expires (seconds since 1970); false if it was before,
    // or if so many are remembered that no more can be.
    [[nodiscard]] bool use_state(std::string_view sealed, std::int64_t expires, std::int64_t now);
    // Counts open listens over all connections; false at the limit.
    [[nodiscard]] bool take_listen_slot();
    void give_listen_slots(std::size_t count);

    // ---- results ----
    [[nodiscard]] Json capabilities() const;
    [[nodiscard]] Json identity() const;
    [[nodiscard]] Json initialize_result(Revision revision) const;
    // resultType, caching hints and identity of a modern list or read.
    [[nodiscard]] Json modern_members(std::chrono::milliseconds ttl, bool is_private) const;
    [[nodiscard]] const std::string& discover_text() const { return discover_text_; }
    // Adds what every modern result carries: resultType and identity.
    void finish_result(Json& result, Era era) const;

    // True if `method` is served in this era by this content (06 P6).
    [[nodiscard]] bool serves(std::string_view method, Era era) const;
    // For the log of calls; nothing if `message` is no call.
    void note_refused(const Message& message, const Principal& principal, const char* why) const;
    // Answers without a worker; false if the method needs one.
    bool answer_inline(Call& call);
    // On a worker; answers the call.
    void run(const std::shared_ptr<Call>& call);

  private:
    void build_lists();
    [[nodiscard]] ListPages tool_pages(const Principal& principal) const;
    [[nodiscard]] ListPages resource_pages(ToolContext* context) const;
    void answer_list(Call& call, const ListPages& pages) const;
    void dispatch(Call& call, ToolContext& context);
    void call_tool(Call& call, ToolContext& context);
    void read_resource(Call& call, ToolContext& context);
    void get_prompt(Call& call, ToolContext& context);
    void complete(Call& call, ToolContext& context);
    [[nodiscard]] Outcome<ResourceContents> read_contents(const std::string& uri,
                                                          ToolContext& context) const;
    [[nodiscard]] Outcome<std::vector<std::string>> completions(const Json& params,
                                                                ToolContext& context) const;
    void answer_failure(Call& call, const ToolError& error, const ToolContext& context) const;
    void run_timer();

    const ServerOptions options_;
    const ServerContent content_;
    const std::vector<UriTemplate> templates_;
    const Sealer sealer_;
    WorkerPool pool_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::size_t> listens_{0};

    std::string discover_text_;
    ListPages tools_;
    ListPages resources_;
    ListPages resource_templates_;
    ListPages prompts_;

    std::mutex states_mutex_;
    std::map<std::string, std::int64_t> used_states_;  // digest, when it expires

    std::mutex mutex_;
    std::vector<std::weak_ptr<ConnectionImpl>> connections_;
    std::condition_variable timer_wake_;
    std::vector<std::shared_ptr<Call>> watched_;
    bool timer_stop_ = false;
    std::thread timer_;  // started with the first watched call
};

}  // namespace tb::mcp
