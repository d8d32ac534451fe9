#include "cli/table.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"

namespace tb::cli {

namespace {
constexpr std::string_view kGap = "  ";

std::string pad(std::string_view cell, std::size_t width, Align align, bool last) {
    const std::string text = shorten(cell, width);
    const std::string blanks(width - std::min(width, display_width(text)), ' ');
    if (align == Align::kRight) {
        return blanks + text;
    }
    return last ? text : text + blanks;
}
}  // namespace

void Table::add(std::vector<std::string> cells, Style style) {
    TB_CHECK(cells.size() == columns_.size(), "a table row has one cell a column");
    for (std::string& cell : cells) {
        cell = printable(cell);
    }
    rows_.push_back({std::move(cells), style});
}

std::string Table::render(std::size_t width, const Terminal& terminal) const {
    std::vector<std::size_t> widths;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        std::size_t widest = display_width(columns_[c].title);
        for (const Row& row : rows_) {
            widest = std::max(widest, display_width(row.cells[c]));
        }
        widths.push_back(widest);
    }
    const auto total = [&] {
        return std::accumulate(widths.begin(), widths.end(), kGap.size() * (columns_.size() - 1));
    };
    while (width > 0 && total() > width) {
        // Shrink the widest column that still may.
        std::size_t widest = columns_.size();
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            const std::size_t least =
                std::max(columns_[c].min_width, display_width(columns_[c].title));
            if (widths[c] > least && (widest == columns_.size() || widths[c] > widths[widest])) {
                widest = c;
            }
        }
        if (widest == columns_.size()) {
            break;
        }
        --widths[widest];
    }
    const auto line = [&](const auto& cell_of) {
        std::string text;
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            const bool last = c + 1 == columns_.size();
            text += pad(cell_of(c), widths[c], columns_[c].align, last);
            text += last ? std::string_view() : kGap;
        }
        return text;
    };
    std::string text =
        terminal.paint(Style::kBold, line([&](std::size_t c) { return columns_[c].title; })) + "\n";
    for (const Row& row : rows_) {
        text += terminal.paint(row.style, line([&](std::size_t c) { return row.cells[c]; })) + "\n";
    }
    return text;
}

void Table::print(Terminal& terminal) const {
    // In a pipe nothing is cut off: the next program wants all of it.
    terminal.out().write(render(terminal.out_width(), terminal));
}

}  // namespace tb::cli
