// Tables for people: columns as wide as their content, numbers to the right, names shortened when
// the terminal is too narrow.
//
//   Table table({{"BLOCK"}, {"TRADES", Align::kRight}});
//   table.add({"MEIC", "788"});
//   table.print(terminal);
//
// Single-thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"

namespace tb::cli {

enum class Align { kLeft, kRight };

struct TableColumn {
    std::string title;
    Align align = Align::kLeft;
    std::size_t min_width = 8;  // a narrow terminal may shrink the column to this
};

class Table {
  public:
    explicit Table(std::vector<TableColumn> columns) : columns_(std::move(columns)) {}

    // One cell a column; cells are made printable here. `style` paints the whole row.
    void add(std::vector<std::string> cells, Style style = Style::kPlain);
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    // At most `width` columns wide; the widest columns are shortened first. 0 = as wide as needed.
    [[nodiscard]] std::string render(std::size_t width, const Terminal& terminal) const;
    void print(Terminal& terminal) const;

  private:
    struct Row {
        std::vector<std::string> cells;
        Style style = Style::kPlain;
    };
    std::vector<TableColumn> columns_;
    std::vector<Row> rows_;
};

}  // namespace tb::cli
