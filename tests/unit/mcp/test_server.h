// A small server that exercises every path of the core, and a client that checks each message it
// gets against the official schema.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "mcp/server.h"
#include "mcp/transport_memory.h"

namespace tb::mcp::test {

inline constexpr std::chrono::milliseconds kWait{20'000};  // "never" for a loaded machine

// Shared between a test and the handlers of its server.
struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    int inside = 0;  // handlers of `hold` that are waiting
    bool open = false;
    int cancelled = 0;         // handlers of `hold` that saw their cancellation
    std::atomic<int> runs{0};  // of `two_rounds` and `purge`

    void release();
    bool wait_inside(int count);
    bool wait_cancelled(int count);
};

[[nodiscard]] ToolRegistry make_tools(const std::shared_ptr<Gate>& gate);
[[nodiscard]] ServerContent make_content(const std::shared_ptr<Gate>& gate);
[[nodiscard]] ServerOptions make_options();
[[nodiscard]] std::unique_ptr<Server> make_server(const std::shared_ptr<Gate>& gate,
                                                  ServerOptions options = make_options());

// Requests of both eras.
[[nodiscard]] Json modern_params(Json params = Json::object(), Json capabilities = Json::object());
[[nodiscard]] std::string request_text(const Json& id, const std::string& method,
                                       const Json& params);

// The legacy handshake, as the body of an HTTP request.
[[nodiscard]] Json initialize_message(const std::string& revision = "2025-11-25");

// A MemoryClient that speaks in JSON and checks every message at its end of life.
class Client {
  public:
    explicit Client(Server& server, Principal principal = {});
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Legacy handshake; later messages are checked against `revision`.
    Json initialize(Revision revision, Json capabilities = Json::object());
    // Messages are checked against this revision (modern unless said).
    void expect(Revision revision) { revision_ = revision; }
    // The whole answer; a test failure and null when none comes.
    Json ask(const Json& id, const std::string& method, const Json& params);
    Json ask(const std::string& method, const Json& params) {
        return ask(Json(next_id_++), method, params);
    }
    // Modern: adds _meta.
    Json ask_modern(const std::string& method, Json params = Json::object(),
                    Json capabilities = Json::object());
    void send(const std::string& text) { client_.send(text); }
    void start(const Json& id, const std::string& method, const Json& params);
    void notify(const std::string& method, const Json& params);
    // The first message with this method that the server sent; null on timeout.
    Json wait_for_method(const std::string& method);
    Json wait_for_answer(const Json& id);
    [[nodiscard]] std::vector<Json> messages();
    [[nodiscard]] std::vector<Json> with_method(const std::string& method);
    [[nodiscard]] MemoryClient& raw() { return client_; }

  private:
    MemoryClient client_;
    Revision revision_ = kModern;
    std::map<std::string, std::string> methods_;
    int next_id_ = 1000;
};

}  // namespace tb::mcp::test
