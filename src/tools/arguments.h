// Reading what a caller gave. Handlers get arguments that were checked against their table
// (mcp/schema.h): types are right, defaults are in, absent ones are simply not members.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "mcp/schema.h"

namespace tb::tools {

// `blockId`, required, with the same words in every tool.
[[nodiscard]] mcp::Field block_argument();
// `maxChars`: raises the budget of the answer (06 T10), clamped as in mcp/tool_result.h.
[[nodiscard]] mcp::Field max_chars_argument();

// Nothing when the caller left the argument out.
[[nodiscard]] std::optional<std::string> text_argument(const mcp::Json& arguments,
                                                       std::string_view name);
[[nodiscard]] std::optional<double> number_argument(const mcp::Json& arguments,
                                                    std::string_view name);
[[nodiscard]] std::optional<std::int64_t> integer_argument(const mcp::Json& arguments,
                                                           std::string_view name);
[[nodiscard]] std::optional<bool> flag_argument(const mcp::Json& arguments, std::string_view name);
[[nodiscard]] std::optional<Date> date_argument(const mcp::Json& arguments, std::string_view name);
// Empty when left out.
[[nodiscard]] std::vector<std::string> texts_argument(const mcp::Json& arguments,
                                                      std::string_view name);

}  // namespace tb::tools
