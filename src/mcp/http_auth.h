// Who may call over HTTP: bearer tokens with names and scopes, and how often (06 X1, X3, Q14).
//
// Tokens come as text, one per line, from a file of mode 0600 or from the environment:
//
//     # name    scopes                     token
//     desk      blocks:read,sql:read       9f2c...(at least 128 bits)
//     admin     *                          1b77...
//     51c4e0...                            # a token alone may do everything
//
// TokenSet: immutable, thread-safe. RateLimiter: single-thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "mcp/context.h"

namespace tb::mcp {

inline constexpr std::string_view kScopeBlocksRead = "blocks:read";
inline constexpr std::string_view kScopeSqlRead = "sql:read";
inline constexpr std::string_view kScopeDataWrite = "data:write";
inline constexpr std::string_view kScopeMarketFetch = "market:fetch";

// `scopes` and what they imply: SQL sees every block, whoever may write may read, and whoever may
// fetch market data may look at the blocks it is for.
[[nodiscard]] std::set<std::string> with_implied_scopes(std::set<std::string> scopes);

class TokenSet {
  public:
    TokenSet() = default;
    // kInvalidArgument names the line: too few bits, characters no header can carry, unknown scope,
    // duplicate name or token. The text of a token is never part of a message.
    [[nodiscard]] static Result<TokenSet> parse(std::string_view text);
    // kRefused if others than the owner may read the file; kIo, kInvalidArgument.
    [[nodiscard]] static Result<TokenSet> load(const std::filesystem::path& file);

    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    // The principal of a token. Takes the same time whichever token it is, and whether it is one.
    [[nodiscard]] std::optional<Principal> find(std::string_view token) const;

  private:
    struct Entry {
        std::string digest;  // SHA-256 in hex: equally long for all, and no secret stays in memory
        Principal principal;
    };
    std::vector<Entry> entries_;
};

// The token of `Authorization: Bearer <token>`, scheme in any case; empty for anything else.
[[nodiscard]] std::optional<std::string_view> bearer_token(std::string_view authorization);

// A bucket per key, refilled at `per_second` up to `burst`. Keys that have been full for a while
// are forgotten, and there are never more than `max_keys` (the least used go first).
class RateLimiter {
  public:
    using Time = std::chrono::steady_clock::time_point;
    RateLimiter(double per_second, double burst, std::size_t max_keys = 1'024)
        : per_second_(per_second), burst_(burst), max_keys_(max_keys) {}
    // Takes one; false if there is none left.
    [[nodiscard]] bool take(const std::string& key, Time now);

  private:
    struct Bucket {
        double level = 0;
        Time filled;
    };
    double level_at(const Bucket& bucket, Time now) const;
    double per_second_;
    double burst_;
    std::size_t max_keys_;
    std::map<std::string, Bucket> buckets_;
};

}  // namespace tb::mcp
