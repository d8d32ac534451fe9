// What results are made of: content items, tool results, tool errors.
//
// A tool answers with a compact text that stands alone and the same figures as an object
// (`structured`): some clients show their model only the one, some only the other (06 T6). A tool
// that failed answers with text alone (T7). A protocol error (unknown tool, tampered state) is not
// a result at all and is the client's fault, not the tool's.
//
// Thread-compatible.
#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "core/result.h"
#include "mcp/json_box.h"
#include "mcp/json_rpc.h"

namespace tb::mcp {

// One entry of `content`, as sent. Binary data is base64 already (core/base64.h).
struct ContentItem {
    JsonBox json;

    [[nodiscard]] static ContentItem text(std::string text);
    [[nodiscard]] static ContentItem image(std::string base64, std::string mime_type);
    [[nodiscard]] static ContentItem audio(std::string base64, std::string mime_type);
    // A resource by value. The uri must be one this server really serves (06 T12).
    [[nodiscard]] static ContentItem embedded_text(std::string uri, std::string mime_type,
                                                   std::string text);
    [[nodiscard]] static ContentItem embedded_blob(std::string uri, std::string mime_type,
                                                   std::string base64);
    // A resource by reference; clients older than 2025-06-18 get it as a line of text.
    [[nodiscard]] static ContentItem resource_link(std::string uri, std::string name,
                                                   std::string description, std::string mime_type);
};

struct ToolResult {
    std::string text;    // first content item; left out when empty
    JsonBox structured;  // an object, or null = none (only if no results are declared)
    std::vector<ContentItem> extra = {};  // after the text, in order
    JsonBox meta = {};                    // object for result._meta, or null
};

// Why a call gave no result.
struct ToolError {
    enum class Kind {
        kTool,           // result with isError: message is all the caller gets, say what to do next
        kProtocol,       // JSON-RPC error: rpc.code, message, rpc.data
        kInputRequired,  // ToolContext::ask needs the client first; just return it upwards
    };
    Kind kind = Kind::kTool;
    std::string message;
    RpcError rpc;
    bool is_of_arguments = false;  // kTool: the handler was never reached

    explicit ToolError(std::string text) : message(std::move(text)) {}
    // So that TB_TRY works in handlers; kInterrupted keeps its meaning for deadline texts.
    ToolError(const Error& error);  // NOLINT(google-explicit-constructor)
    [[nodiscard]] static ToolError protocol(int code, std::string text, JsonBox data = {});
    // -32021; `capabilities` as the client would have to declare them: {"elicitation": {}}.
    [[nodiscard]] static ToolError missing_capability(JsonBox capabilities);
    [[nodiscard]] static ToolError input_required();
};

template <class T>
using Outcome = tl::expected<T, ToolError>;

[[nodiscard]] inline tl::unexpected<ToolError> tool_error(std::string text) {
    return tl::unexpected<ToolError>(ToolError(std::move(text)));
}

}  // namespace tb::mcp
