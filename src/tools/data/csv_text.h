// Rows as CSV (RFC 4180); invisible characters are made visible as in every text for a reader.
//
// Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "mcp/json_box.h"

namespace tb::tools {

// The value of a cell as text: strings as they are, null empty, all else as JSON.
[[nodiscard]] std::string plain_text(const mcp::Json& value);

// A line of names and one per row; `rows` is an array of objects with their members in the order
// of the names.
[[nodiscard]] std::string csv_text(const std::vector<std::string>& names, const mcp::Json& rows);

}  // namespace tb::tools
