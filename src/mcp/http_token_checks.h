// Checks access tokens away from the I/O thread. Keys are fetched on a thread of their own beside
// the checks, so that waiting for the issuer holds up nobody whose key is known.
//
// Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/cancel.h"
#include "mcp/oauth.h"
#include "mcp/worker_pool.h"

namespace tb::mcp {

class TokenChecks {
  public:
    // Starts to fetch the keys.
    explicit TokenChecks(std::shared_ptr<OauthResource> resource);
    ~TokenChecks();  // cancel(), and waits for what runs
    TokenChecks(const TokenChecks&) = delete;
    TokenChecks& operator=(const TokenChecks&) = delete;

    using Done = std::function<void(OauthResource::Verdict)>;
    // Calls `done` once, from another thread or, with too much to do (kUnavailable), from this one.
    void check(std::string token, Done done);
    // What waits for the network stops waiting and is kUnavailable.
    void cancel() const { cancel_.cancel(); }

  private:
    struct Job;
    const std::shared_ptr<OauthResource> resource_;
    const CancelSource cancel_;
    const std::shared_ptr<WorkerPool> checks_;
    const std::shared_ptr<WorkerPool> fetches_;
};

}  // namespace tb::mcp
