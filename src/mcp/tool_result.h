// Turns what a handler returned into the `result` of tools/call (06 T6-T9). Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "mcp/content.h"
#include "mcp/json_box.h"
#include "mcp/protocol.h"
#include "mcp/tool.h"

namespace tb::mcp {

// Budget of one call: what the caller asked for with `maxChars`, or the default.
struct ResultBudget {
    std::size_t aim = kDefaultResultChars;  // what the handler is told
    std::size_t cap = kMaxResultChars;      // where text is cut if the handler did not listen
    // Most characters of structuredContent. What is no row cannot be left out, so a `maxChars`
    // below the usual cap does not lower this one.
    std::size_t structured_cap = kMaxResultChars;
};
// Nobody reads more, and a client that tried would choke.
inline constexpr std::size_t kMaxCompleteResultChars = 16'000'000;
struct Excess {
    std::size_t chars = 0;
    std::size_t cap = 0;
};
// Shortens the structured half of a result that is above its cap (fit.h) and says so in the text.
// `complete`: the handler was asked for everything, which is given up to kMaxCompleteResultChars.
// The size and the cap of what is too long all the same.
[[nodiscard]] std::optional<Excess> fit_result(ToolResult& result, const ResultBudget& budget,
                                               bool complete);
[[nodiscard]] bool has_max_chars(const ToolSpec& spec);
[[nodiscard]] ResultBudget result_budget(const ToolSpec& spec, const Json& arguments);

// How long one call may take: `usual`, and what the caller allows with `timeoutSeconds` beyond its
// default.
[[nodiscard]] std::chrono::milliseconds time_limit(const ToolSpec& spec, const Json& arguments,
                                                   std::chrono::milliseconds usual);

// Text cut at the cap; NaN and infinities as null with a line in `warnings`; no characters that
// hide or command (harmless_text); content kinds the revision does not know as text. Without
// resultType and identity (the server adds them).
[[nodiscard]] Json tool_result_json(ToolResult result, std::size_t cap, Revision revision);
// Text of ours that quotes untrusted text (06 Q9): as visible_text, but its line ends stay.
[[nodiscard]] std::string visible_lines(std::string_view text);
// isError, text alone, at most kMaxErrorChars, visible_lines: errors quote arguments and names
// from files.
[[nodiscard]] Json tool_error_json(std::string_view text);

}  // namespace tb::mcp
