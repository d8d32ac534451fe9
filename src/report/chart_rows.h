// Charts: the elements they are drawn in and the rows they come from.
//
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "mcp/json_box.h"

namespace tb::report {

// The place of a chart with its caption. `css` "low": a flat one.
[[nodiscard]] std::string figure(const char* id, std::string_view title, std::string_view about,
                                 const char* css = "");
// The rows of a series. Under the reference's conventions they may come in an envelope
// {data, truncated}.
[[nodiscard]] const mcp::Json& rows_of(const mcp::Json& charts, std::string_view name);

}  // namespace tb::report
