// Results that were too large for one answer, kept for a while so that a client can fetch them
// whole (06 T12): the answer links to tradeblocks://result/{id}, and resources/read of that gives
// the rows as CSV, or with ?format=json as JSON.
//
// An id is 128 random bits and works only for who asked for the result; everybody else is told the
// same as after the result's life. Results live in the memory of the process that made them: when
// that process has ended they are gone, and the query is to be run again.
//
//     if (auto link = link_to_rows(app, context, {names, rows, "sql:read", "All 812 rows"})) {
//         result.extra.push_back(std::move(*link));
//     }
//
// Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/content.h"
#include "mcp/context.h"
#include "mcp/resource.h"
#include "tools/app.h"

namespace tb::tools {

inline constexpr std::string_view kResultUri = "tradeblocks://result/";

struct StoredResult {
    std::vector<std::string> columns;
    std::string rows;   // JSON array of objects
    std::string scope;  // that reading needs, like the tool that made it
    [[nodiscard]] std::size_t bytes() const;
};

struct ResultLimits {
    std::chrono::seconds life = std::chrono::minutes(30);
    std::size_t results = 64;
    std::size_t bytes = std::size_t{32} << 20U;  // of all
    std::size_t bytes_each = std::size_t{8} << 20U;
};

class ResultStore {
  public:
    using Now = std::function<std::chrono::steady_clock::time_point()>;
    explicit ResultStore(
        ResultLimits limits = {}, Now now = [] { return std::chrono::steady_clock::now(); });

    // The id, or nothing for a result that is too large. The oldest ones go to make room.
    [[nodiscard]] std::optional<std::string> keep(std::string owner, StoredResult result);
    // Null when there is none of that id for that owner (any more).
    [[nodiscard]] std::shared_ptr<const StoredResult> find(std::string_view id,
                                                           std::string_view owner);

    // One for all Apps of a process, so that the limits are the process's.
    [[nodiscard]] static ResultStore& of_process();

  private:
    struct Entry {
        std::string id;
        std::string owner;
        std::chrono::steady_clock::time_point until;
        std::shared_ptr<const StoredResult> result;
    };
    void forget_oldest();
    void forget_expired();

    const ResultLimits limits_;
    const Now now_;
    std::mutex mutex_;
    std::deque<Entry> entries_;  // oldest first
    std::size_t bytes_ = 0;
};

struct RowsToLink {
    std::vector<std::string> columns;
    const mcp::Json& rows;  // array of objects
    std::string scope;
    std::string what;  // "All 812 rows"
};

// Keeps the rows for the caller. Nothing when they are too many to keep.
[[nodiscard]] std::optional<mcp::ContentItem> link_to_rows(App& app,
                                                           const mcp::ToolContext& context,
                                                           const RowsToLink& rows);

// tradeblocks://result/{id}{?format}
[[nodiscard]] mcp::ResourceTemplateSpec result_template(App& app);
// What reading answers when there is no such result for the caller.
[[nodiscard]] mcp::ToolError result_gone(std::string uri);

}  // namespace tb::tools
