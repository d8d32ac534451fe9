// What a running call knows and may do: cancellation, deadlines, progress, log messages to the
// client, questions to the user, who is calling.
//
// A handler polls cancelled() in loops (or registers the engine's interrupt with token()), returns
// what it has when past_soft_deadline(), and never writes to stdout. Questions look the same for
// both eras: ask() sends a real request to a legacy client and waits; for a modern client the call
// ends with an `input_required` result, the client calls again with the answers, and the handler
// runs from its start with ask() now returning them. So: ask before acting, and make what comes
// before ask() repeatable.
//
//     if (ctx.can_ask(InputKind::kForm)) {
//         TB_TRY_TOOL(const bool yes, ctx.confirm("confirm", "Delete 1,204 rows of 'SPX'?"));
//
// Made without options (`ToolContext ctx;`) it serves a command line or a unit test: no client to
// ask, no deadline, progress and log messages go nowhere.
//
// Single-thread, except token(), report() and log(), which are thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/progress.h"
#include "mcp/content.h"
#include "mcp/json_box.h"
#include "mcp/protocol.h"

namespace tb::mcp {

// Who calls. On stdio the person who started the program, without limits.
struct Principal {
    std::string name = "local";
    bool unrestricted = true;      // else only tools whose scope is in `scopes`
    std::set<std::string> scopes;  // "blocks:read", "sql:read", "data:write", "market:fetch"
    [[nodiscard]] bool allows(const std::string& scope) const {
        return unrestricted || scope.empty() || scopes.contains(scope);
    }
};

enum class InputKind { kForm, kUrl, kSampling, kRoots };

// One question to the client. `key` names the answer and must be unique within the call.
struct InputRequest {
    std::string key;
    InputKind kind = InputKind::kForm;
    JsonBox params;  // of elicitation/create, sampling/createMessage or roots/list

    // `requested_schema`: a flat object schema of primitive properties.
    [[nodiscard]] static InputRequest form(std::string key, std::string message,
                                           Json requested_schema);
    [[nodiscard]] static InputRequest url(std::string key, std::string message, std::string url);
    [[nodiscard]] static InputRequest sampling(std::string key, Json params);
    [[nodiscard]] static InputRequest roots(std::string key);
    [[nodiscard]] std::string_view method() const;
};

// The client's result for one question, shape checked against its kind.
struct InputAnswer {
    JsonBox result;
    [[nodiscard]] bool accepted() const;        // elicitation: action == "accept"
    [[nodiscard]] std::string action() const;   // "accept", "decline", "cancel"; "" otherwise
    [[nodiscard]] const Json& content() const;  // elicitation: the filled form, else null
};

// Announces changes to every client that asked for such news. Implemented by the server.
// Thread-safe; never blocks on a slow client.
class Notifier {
  public:
    Notifier() = default;
    Notifier(const Notifier&) = delete;
    Notifier& operator=(const Notifier&) = delete;
    virtual ~Notifier() = default;
    virtual void tools_changed() = 0;
    virtual void prompts_changed() = 0;
    virtual void resources_changed() = 0;                     // the list of resources
    virtual void resource_updated(std::string_view uri) = 0;  // the content of one
};

// The client's side of a call, as the server implements it. Unit tests may implement it too.
class ClientChannel {
  public:
    ClientChannel() = default;
    ClientChannel(const ClientChannel&) = delete;
    ClientChannel& operator=(const ClientChannel&) = delete;
    virtual ~ClientChannel() = default;
    virtual void progress(const Progress& progress) = 0;
    virtual void log(LoggingLevel level, std::string_view logger, const Json& data) = 0;
    virtual bool can_ask(InputKind kind) const = 0;
    virtual Outcome<std::vector<InputAnswer>> ask(const std::vector<InputRequest>& requests) = 0;
    virtual void close_stream() = 0;
};

struct ContextOptions {
    using SteadyTime = std::chrono::steady_clock::time_point;
    CancelToken cancel;
    std::optional<SteadyTime> soft_deadline;  // return partial results from here on
    std::optional<SteadyTime> hard_deadline;  // the call is cancelled and answered for
    Principal principal;
    Revision revision = kModern;
    JsonBox client_capabilities;       // as declared; null = none
    ClientChannel* channel = nullptr;  // outlives the context; null = nobody listens
    Notifier* notifier = nullptr;      // outlives the context; null = nobody listens
    std::string state;                 // handler_state() of the round before
    // Most characters of text (and of structured JSON) to answer with; 0 = complete.
    std::size_t budget_chars = 0;
};

class ToolContext {
  public:
    ToolContext();
    explicit ToolContext(ContextOptions options);

    [[nodiscard]] const CancelToken& token() const { return options_.cancel; }
    [[nodiscard]] bool cancelled() const { return options_.cancel.cancelled(); }
    [[nodiscard]] bool past_soft_deadline() const;
    // Time left until the soft deadline (zero if past); empty = unlimited.
    [[nodiscard]] std::optional<std::chrono::milliseconds> soft_time_left() const;
    [[nodiscard]] std::optional<std::chrono::milliseconds> hard_time_left() const;

    [[nodiscard]] const Principal& principal() const { return options_.principal; }
    [[nodiscard]] Revision revision() const { return options_.revision; }
    [[nodiscard]] Era era() const { return era_of(options_.revision); }
    [[nodiscard]] const Json& client_capabilities() const;
    // 06 T9: default 24,000 over MCP, what the caller asked for by a `maxChars` argument, or 0 for
    // "complete" (command line, --json).
    [[nodiscard]] std::size_t budget_chars() const { return options_.budget_chars; }
    void set_budget_chars(std::size_t chars) { options_.budget_chars = chars; }

    // Tells the client how far the work is, if it wanted to know. Call as often as you like: it is
    // limited to 10 per second and kept strictly increasing.
    void report(const Progress& progress);
    // The same as the callback that library functions take; valid while the context lives.
    [[nodiscard]] ProgressCallback progress_callback();
    // A log message to the client if it asked for that level. No data values, no paths outside the
    // data root.
    void log(LoggingLevel level, std::string_view logger, const Json& data);
    void log(LoggingLevel level, std::string_view text);

    // True if the client declared that it can answer this kind of question on this call.
    [[nodiscard]] bool can_ask(InputKind kind) const;
    // Answers in the order of `requests`. Returns an error to be passed upwards when the client
    // must be asked first (modern), lacks the capability (-32021), was cancelled or did not answer.
    [[nodiscard]] Outcome<std::vector<InputAnswer>> ask(const std::vector<InputRequest>& requests);
    [[nodiscard]] Outcome<InputAnswer> ask(InputRequest request);
    // A form with one yes/no box; false for "no", declined and dismissed.
    [[nodiscard]] Outcome<bool> confirm(std::string key, std::string message);
    // A text of the handler's own, carried to the next round in the sealed requestState. Empty in
    // the first round and for legacy clients.
    [[nodiscard]] const std::string& handler_state() const { return options_.state; }
    void set_handler_state(std::string state) { options_.state = std::move(state); }

    // Null-safe news to all clients.
    [[nodiscard]] Notifier& notifier();
    // HTTP, legacy: ends the response stream; the client resumes it and gets the rest there. A
    // no-op elsewhere.
    void close_stream();

  private:
    ContextOptions options_;
};

}  // namespace tb::mcp

// TB_TRY for Outcome<T>: TB_TRY_TOOL(auto x, f()); -> x = value, or return the ToolError.
#define TB_TRY_TOOL(decl, expr) TB_TRY_TOOL_INNER(TB_CONCAT(tb_try_, __LINE__), decl, expr)
#define TB_TRY_TOOL_INNER(tmp, decl, expr)                      \
    auto&& tmp = (expr);                                        \
    if (!tmp.has_value()) {                                     \
        return tl::unexpected<tb::mcp::ToolError>(tmp.error()); \
    }                                                           \
    decl = std::move(*tmp)
