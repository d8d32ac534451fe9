// A client in the same process, for tests: messages go in as text and come out as a list.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/outlet.h"
#include "mcp/server.h"

namespace tb::mcp {

// Collects everything sent, in order.
class MemoryOutlet final : public Outlet {
  public:
    bool send(OutMessage message) override;
    void finished() override;

    // Waits until `count` responses (or `finished` calls) were seen; false on timeout.
    [[nodiscard]] bool wait_for_responses(std::size_t count,
                                          std::chrono::milliseconds timeout) const;
    [[nodiscard]] bool wait_for_finished(std::size_t count,
                                         std::chrono::milliseconds timeout) const;
    // Waits for the first message that `matches`; empty on timeout.
    [[nodiscard]] std::optional<OutMessage> wait_for(
        const std::function<bool(const OutMessage&)>& matches,
        std::chrono::milliseconds timeout) const;
    [[nodiscard]] std::vector<OutMessage> messages() const;

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::vector<OutMessage> messages_;
    std::size_t responses_ = 0;
    std::size_t finished_ = 0;
};

// One connection with one outlet for everything, as on stdio.
class MemoryClient {
  public:
    explicit MemoryClient(Server& server, Principal principal = {});
    ~MemoryClient();  // closes the connection
    MemoryClient(const MemoryClient&) = delete;
    MemoryClient& operator=(const MemoryClient&) = delete;

    void send(std::string_view text);
    // Sends one request and waits for its answer (found by id); empty on timeout.
    [[nodiscard]] std::optional<std::string> request(
        std::string_view text,
        std::chrono::milliseconds timeout = std::chrono::milliseconds(10'000));
    [[nodiscard]] MemoryOutlet& outlet() { return *outlet_; }
    [[nodiscard]] Connection& connection() { return *connection_; }

  private:
    std::shared_ptr<MemoryOutlet> outlet_;
    std::shared_ptr<Connection> connection_;
};

}  // namespace tb::mcp
