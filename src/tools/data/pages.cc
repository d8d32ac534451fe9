#include "tools/data/pages.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "mcp/render.h"

namespace tb::tools {

namespace {

// For what stands beside the rows: totals, paging, the state of the sync.
constexpr std::size_t kBesideRows = 2'000;

std::string table_of(const mcp::Json& rows, const std::vector<std::string>& titles,
                     const RowCells& cells, std::size_t room, std::size_t& shown) {
    mcp::MarkdownTable table(titles, room);
    for (const mcp::Json& row : rows) {
        if (!table.add_row(cells(row))) {
            break;
        }
    }
    shown = table.rows_shown();
    return table.text("");
}

}  // namespace

std::string fit_page(mcp::Json& rows, const std::vector<std::string>& titles, const RowCells& cells,
                     std::size_t budget_chars, std::string_view other_text) {
    std::size_t shown = rows.size();
    if (budget_chars == 0) {
        return table_of(rows, titles, cells, 0, shown);
    }
    const std::size_t beside = kBesideRows + mcp::char_count(other_text);
    const std::size_t room =
        std::max(budget_chars / 4, budget_chars - std::min(budget_chars, beside));
    mcp::fit_rows(rows, room);
    static_cast<void>(table_of(rows, titles, cells, room, shown));
    shown = std::max<std::size_t>(shown, 1);
    if (shown < rows.size()) {
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(shown), rows.end());
    }
    return table_of(rows, titles, cells, 0, shown);
}

}  // namespace tb::tools
