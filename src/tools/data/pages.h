// A page of rows twice, as JSON and as a Markdown table, both within the budget of the answer and
// both with the same rows (06 T6, T9).
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/json_box.h"

namespace tb::tools {

// Cells of the table row for one JSON row.
using RowCells = std::function<std::vector<std::string>(const mcp::Json& row)>;

// Shortens `rows` (an array) to the first ones whose JSON and whose table both fit
// `budget_chars` less what `other_text` and some figures beside the rows take (0 = no limit; at
// least one row is kept), and returns the table of exactly these.
[[nodiscard]] std::string fit_page(mcp::Json& rows, const std::vector<std::string>& titles,
                                   const RowCells& cells, std::size_t budget_chars,
                                   std::string_view other_text = {});

}  // namespace tb::tools
