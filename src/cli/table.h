// Tables for people: columns as wide as their content, numbers to the right, names shortened when
// the terminal is too narrow. Numbers are never shortened: half of an amount is another amount.
// What does not fit even so gives up its optional columns. A table of a few rows is then turned, so
// that they still stand side by side; anything else stands row by row.
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
#include <utility>
#include <vector>

#include "cli/terminal.h"

namespace tb::cli {

enum class Align { kLeft, kRight };

struct TableColumn {
    std::string title;
    Align align = Align::kLeft;
    std::size_t min_width = 8;  // a narrow terminal may shrink a left-aligned column to this
    bool optional = false;      // may be left out where there is no room; a line says so
};

class Table {
  public:
    explicit Table(std::vector<TableColumn> columns) : columns_(std::move(columns)) {}

    // The titles but the first are names, as shortenable as those in cells, and columns that do not
    // fit go below the others, each time beside the first.
    void set_titles_are_names() { titles_are_names_ = true; }

    // One cell a column; cells are made printable here. `style` paints the whole row.
    void add(std::vector<std::string> cells, Style style = Style::kPlain);
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    // At most `width` columns wide; the widest columns are shortened first, and columns without any
    // value left out. 0 = as wide as needed.
    [[nodiscard]] std::string render(std::size_t width, const Terminal& terminal) const;
    void print(Terminal& terminal) const;

  private:
    struct Row {
        std::vector<std::string> cells;
        Style style = Style::kPlain;
    };
    [[nodiscard]] std::size_t natural_width(std::size_t column) const;
    [[nodiscard]] std::size_t least_width(std::size_t column) const;
    [[nodiscard]] bool has_values(std::size_t column) const;
    using Shown = std::vector<std::pair<std::size_t, std::size_t>>;  // column, its width
    // What of the table fits; empty if there is no room for the columns that must be there.
    [[nodiscard]] Shown fit(std::size_t width) const;
    void drop_what_need_not_be(Shown& shown, std::size_t width) const;
    [[nodiscard]] std::string left_out(const Shown& shown) const;
    [[nodiscard]] Table turned() const;
    [[nodiscard]] Table with_columns(std::size_t from, std::size_t to) const;
    // Several tables one below the other; empty if not even `least` columns fit beside the first.
    [[nodiscard]] std::string in_groups(std::size_t width, std::size_t least,
                                        const Terminal& terminal) const;
    [[nodiscard]] std::string in_lines(const Shown& shown, const Terminal& terminal) const;
    [[nodiscard]] std::string row_by_row(std::size_t width, const Terminal& terminal) const;

    std::vector<TableColumn> columns_;
    std::vector<Row> rows_;
    bool titles_are_names_ = false;
};

}  // namespace tb::cli
