// The server the official conformance suite wants to meet: tools, resources and prompts with the
// names and behaviours it calls for, on the same protocol library as the product and never in it.
//
// Functions make fresh tables; what they hold is thread-safe.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "mcp/server.h"

namespace tb::fixture {

// One red pixel (PNG), and eight silent samples (WAV), as base64.
inline constexpr std::string_view kPixelPng =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJg"
    "gg==";
inline constexpr std::string_view kSilenceWav =
    "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==";

// Tools that answer by themselves, and those that ask the client.
[[nodiscard]] std::vector<mcp::ToolSpec> plain_tools();
[[nodiscard]] std::vector<mcp::ToolSpec> asking_tools();

[[nodiscard]] std::vector<mcp::ResourceSpec> resources();
[[nodiscard]] std::vector<mcp::ResourceTemplateSpec> resource_templates();
[[nodiscard]] std::vector<mcp::PromptSpec> prompts();

// A tool without arguments and without declared results.
[[nodiscard]] mcp::ToolSpec simple_tool(std::string name, std::string description,
                                        mcp::ToolHandler handler);
[[nodiscard]] mcp::ToolResult text_result(std::string text);
// False if the call was cancelled meanwhile.
bool sleep_unless_cancelled(const mcp::ToolContext& context, std::chrono::milliseconds time);

}  // namespace tb::fixture
