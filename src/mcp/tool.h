// A tool is one table entry; a registry is the checked, ordered set of them.
//
//     ToolSpec block_info(App& app) {
//         return {.name = "get_block_info",
//                 .title = "Block summary",
//                 .description = "Counts, dates and strategies of one block. Use get_trades for
//                 rows.", .toolset = "core", .annotations = Annotations::reads(), .scope =
//                 "blocks:read", .arguments = {field::text("blockId", "Block id from
//                 list_blocks").required()}, .results = {field::text("blockId", "The block"), ...},
//                 .handler = [&app](ToolContext& ctx, const Json& args) { return run(app, ctx,
//                 args); }};
//     }
//
// Handlers get arguments that match the table (coerced, defaults filled in) and return text plus
// an object that matches `results`. They run on worker threads, several at once; exceptions are
// caught at dispatch and become a tool error.
//
// ToolSpec: thread-compatible. ToolRegistry: immutable, thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "mcp/content.h"
#include "mcp/context.h"
#include "mcp/schema.h"

namespace tb::mcp {

inline constexpr std::size_t kMaxToolNameBytes = 40;           // 06 T1
inline constexpr std::size_t kMaxDescriptionBytes = 1024;      // 06 T2
inline constexpr std::size_t kDefaultResultChars = 24'000;     // 06 T9
inline constexpr std::size_t kMaxResultChars = 40'000;         // 06 T9, hard cap
inline constexpr std::size_t kMaxRaisedResultChars = 500'000;  // 06 T10
inline constexpr std::size_t kMaxErrorChars = 2'000;           // 06 T7

// Hints for the client's approval dialogue; all are always published (the specification's defaults
// are pessimistic). The fifth annotation, title, is the tool's title.
struct Annotations {
    bool read_only;    // changes nothing anywhere
    bool destructive;  // may delete or overwrite
    bool idempotent;   // calling again with the same arguments changes nothing more
    bool open_world;   // talks to the network

    [[nodiscard]] static constexpr Annotations reads() { return {true, false, true, false}; }
    [[nodiscard]] static constexpr Annotations adds(bool is_idempotent) {
        return {false, false, is_idempotent, false};
    }
    [[nodiscard]] static constexpr Annotations deletes() { return {false, true, true, false}; }
};

using ToolHandler = std::function<Outcome<ToolResult>(ToolContext&, const Json& arguments)>;

struct ToolSpec {
    std::string name;         // [a-z][a-z0-9_]{1,39}
    std::string title;        // for people
    std::string description;  // what it does and returns, when not to use it, which sibling instead
    std::string toolset;      // "core", "sql", …
    Annotations annotations = Annotations::reads();
    std::string scope;  // needed by restricted principals; empty = none
    // An argument `maxChars` raises the budget of the call, `timeoutSeconds` its time limit.
    std::vector<Field> arguments;
    std::vector<Field> results;  // empty = no outputSchema (not for product tools)
    JsonBox meta = {};           // object for the tool's _meta, or null
    // Above kMaxResultChars for tools that may legitimately return more; published as
    // _meta["anthropic/maxResultSizeChars"].
    std::size_t max_result_chars = kMaxResultChars;
    // False where the caller's own code runs (SQL): a call in whose course the process that ran it
    // died may have killed it, and is never tried again in another one.
    bool repeatable = true;
    // Published untouched instead of the schema of `arguments`, which then is not checked.
    JsonBox raw_input_schema = {};
    ToolHandler handler;
};

// The tool's entry in tools/list.
[[nodiscard]] Json tool_json(const ToolSpec& spec);

// A parameter that HTTP clients must repeat in a header (06 H6).
struct HeaderParameter {
    std::string header;             // without the Mcp-Param- prefix
    std::vector<std::string> path;  // names from the arguments object down to the value
    JsonType type = JsonType::kString;
};
[[nodiscard]] std::vector<HeaderParameter> header_parameters(const ToolSpec& spec);

// A command-line flag for one argument: `blockId` -> `--block-id`.
struct CliFlag {
    std::string flag;
    std::string argument;
    JsonType type = JsonType::kString;  // of one value, when repeatable of one element
    bool repeatable = false;
    bool required = false;
    std::string help;  // description, allowed values, default
};
[[nodiscard]] std::vector<CliFlag> cli_flags(const ToolSpec& spec);

// Which tools of a table a server offers (06 T13). Empty sets mean "all"; exclusion wins over
// inclusion, read_only over everything.
struct ToolSelection {
    std::set<std::string> toolsets;
    std::set<std::string> tools;  // in addition to those of `toolsets`
    std::set<std::string> excluded;
    bool read_only = false;  // drops every tool that is not annotations.read_only
};

class ToolRegistry {
  public:
    ToolRegistry() = default;
    // Order of the table is the order of tools/list. kInvalidArgument lists every broken rule of
    // 06 T1-T3: names, titles, descriptions, duplicate or nameless fields, missing handlers.
    // Longer names than T1 allows are for the conformance fixtures, which are given.
    [[nodiscard]] static Result<ToolRegistry> make(std::vector<ToolSpec> table,
                                                   std::size_t max_name_bytes = kMaxToolNameBytes);
    // kInvalidArgument names unknown toolsets and tools with the nearest known ones.
    [[nodiscard]] Result<ToolRegistry> select(const ToolSelection& selection) const;

    [[nodiscard]] const std::vector<std::shared_ptr<const ToolSpec>>& tools() const {
        return tools_;
    }
    [[nodiscard]] const ToolSpec* find(std::string_view name) const;
    // Up to three names near to a misspelt one.
    [[nodiscard]] std::vector<std::string> nearest(std::string_view name) const;

  private:
    std::vector<std::shared_ptr<const ToolSpec>> tools_;
};

// Checks the arguments and runs the handler; exceptions and broken arguments become a ToolError.
// The way a command line calls a tool without a server.
[[nodiscard]] Outcome<ToolResult> call_tool(const ToolSpec& spec, ToolContext& context,
                                            const Json& arguments);

}  // namespace tb::mcp
