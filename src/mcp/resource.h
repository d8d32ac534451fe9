// Resources, resource templates, prompts and completion, declared as data like tools.
//
// Lists are fixed tables except `dynamic_resources`, which is asked on every resources/list (the
// blocks that exist now). Template variables are percent-decoded once and never hold a path
// separator, "." or ".."; what they name is for the reader to check.
//
// Thread-compatible; immutable once in a server. Handlers run on worker threads, several at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/content.h"
#include "mcp/context.h"
#include "mcp/json_box.h"

namespace tb::mcp {

struct ResourceInfo {
    std::string uri;
    std::string name;
    std::string title;
    std::string description;
    std::string mime_type;
    std::optional<std::int64_t> size;   // bytes
    std::string last_modified;          // RFC 3339, or empty
    std::vector<std::string> audience;  // "user", "assistant"; empty = not said
    std::optional<double> priority;     // 0..1
};

struct ResourceContent {
    std::string uri;
    std::string mime_type;
    std::string text;    // or
    std::string base64;  // binary, when not empty
};

using ResourceContents = std::vector<ResourceContent>;  // never empty on success
using UriVariables = std::map<std::string, std::string>;

// An Outcome error that is ToolError::Kind::kTool means "could not be read" and is sent as -32603;
// resource_not_found() is sent as -32602 (legacy -32002) with data.uri.
[[nodiscard]] ToolError resource_not_found(std::string uri);

struct ResourceSpec {
    ResourceInfo info;
    std::string scope;
    std::function<Outcome<ResourceContents>(ToolContext&)> read;
};

// Gives every possible value (or the first few thousand); the server filters by what was typed:
// prefix first, then fuzzy, at most 100. `known` holds the other arguments chosen so far.
using Completer = std::function<std::vector<std::string>(ToolContext&, std::string_view typed,
                                                         const UriVariables& known)>;

struct ResourceTemplateSpec {
    std::string uri_template;  // RFC 6570: {name} within one segment and a trailing {?a,b}
    std::string name;
    std::string title;
    std::string description;
    std::string mime_type;
    std::vector<std::string> audience;
    std::string scope;
    std::map<std::string, Completer> completers;  // by variable
    std::function<Outcome<ResourceContents>(ToolContext&, const std::string& uri,
                                            const UriVariables&)>
        read;
};

struct PromptArgument {
    std::string name;
    std::string title;
    std::string description;
    bool required = false;
    Completer completer;  // may be empty
};

struct PromptMessage {
    std::string role = "user";  // or "assistant"
    ContentItem content;
};

struct PromptResult {
    std::string description;
    std::vector<PromptMessage> messages;
};

struct PromptSpec {
    std::string name;
    std::string title;
    std::string description;
    std::vector<PromptArgument> arguments;
    // The text of the first message, where it needs nothing but the arguments: a process that has
    // the rest from another one keeps its own words. May be empty.
    std::function<std::string(const UriVariables& arguments)> task = {};
    // Required arguments are present; unknown ones were refused with -32602.
    std::function<Outcome<PromptResult>(ToolContext&, const UriVariables& arguments)> handler;
};

// An RFC 6570 subset, both ways. Copyable value.
class UriTemplate {
  public:
    // kInvalidArgument for anything beyond {name} and one trailing {?a,b}.
    [[nodiscard]] static Result<UriTemplate> parse(std::string_view text);
    // Variables if `uri` matches: decoded once; refused (no match) when a value would hold '/',
    // '\\', a control character, invalid UTF-8 or be "." or "..". Query variables may be absent.
    [[nodiscard]] std::optional<UriVariables> match(std::string_view uri) const;
    [[nodiscard]] std::string expand(const UriVariables& values) const;
    [[nodiscard]] const std::vector<std::string>& variables() const { return variables_; }

  private:
    struct Piece {
        std::string literal;
        std::string variable;  // after the literal; empty for the last piece without one
    };
    std::vector<Piece> pieces_;
    std::vector<std::string> query_;
    std::vector<std::string> variables_;
};

// The candidates that fit `typed`: case-insensitive prefix first, then those that hold its
// characters in order; each group in the order given. Duplicates dropped.
[[nodiscard]] std::vector<std::string> rank_completions(const std::vector<std::string>& candidates,
                                                        std::string_view typed);

}  // namespace tb::mcp
