#include "cli/table.h"

#include <algorithm>

#include "core/check.h"

namespace tb::cli {

namespace {
constexpr std::string_view kGap = "  ";
constexpr std::size_t kFewRows = 12;  // that a narrow terminal shows side by side

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

std::size_t Table::natural_width(std::size_t column) const {
    std::size_t widest = display_width(columns_[column].title);
    for (const Row& row : rows_) {
        widest = std::max(widest, display_width(row.cells[column]));
    }
    return widest;
}

std::size_t Table::least_width(std::size_t column) const {
    if (titles_are_names_ && column > 0) {
        std::size_t widest =
            std::min(columns_[column].min_width, display_width(columns_[column].title));
        for (const Row& row : rows_) {
            widest = std::max(widest, display_width(row.cells[column]));
        }
        return widest;
    }
    const std::size_t natural = natural_width(column);
    const std::size_t shrunk =
        std::max(columns_[column].min_width, display_width(columns_[column].title));
    return columns_[column].align == Align::kRight ? natural : std::min(natural, shrunk);
}

bool Table::has_values(std::size_t column) const {
    return std::any_of(rows_.begin(), rows_.end(), [&](const Row& row) {
        return !row.cells[column].empty() && row.cells[column] != "-";
    });
}

void Table::drop_what_need_not_be(Shown& shown, std::size_t width) const {
    std::erase_if(shown, [&](const auto& column) { return !has_values(column.first); });
    const auto fits = [&] {
        std::size_t total = 0;
        for (const auto& [column, wide] : shown) {
            total += least_width(column) + (total == 0 ? 0 : kGap.size());
        }
        return total <= width;
    };
    for (std::size_t c = columns_.size(); c-- > 0 && !fits();) {
        if (columns_[c].optional) {
            std::erase_if(shown, [&](const auto& column) { return column.first == c; });
        }
    }
}

Table::Shown Table::fit(std::size_t width) const {
    Shown shown;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        shown.emplace_back(c, natural_width(c));
    }
    const auto too_wide = [&] {
        std::size_t total = 0;
        for (const auto& [column, wide] : shown) {
            total += wide + (total == 0 ? 0 : kGap.size());
        }
        return total > width;
    };
    if (width == 0 || rows_.empty() || !too_wide()) {
        return shown;
    }
    drop_what_need_not_be(shown, width);
    while (too_wide()) {
        // Shrink the widest column that still may.
        std::pair<std::size_t, std::size_t>* widest = nullptr;
        for (auto& column : shown) {
            if (column.second > least_width(column.first) &&
                (widest == nullptr || column.second > widest->second)) {
                widest = &column;
            }
        }
        if (widest == nullptr) {
            return {};
        }
        --widest->second;
    }
    return shown;
}

std::string Table::left_out(const Shown& shown) const {
    std::string titles;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        const bool is_shown = std::any_of(shown.begin(), shown.end(),
                                          [&](const auto& column) { return column.first == c; });
        if (!is_shown && has_values(c)) {
            titles += (titles.empty() ? "" : ", ") + columns_[c].title;
        }
    }
    return titles.empty() ? titles : "(no room for " + titles + "; --json has all)\n";
}

std::string Table::row_by_row(std::size_t width, const Terminal& terminal) const {
    std::size_t titles = 0;
    for (const TableColumn& column : columns_) {
        titles = std::max(titles, display_width(column.title));
    }
    const std::size_t room = width - std::min(width, titles + kGap.size());
    std::string text;
    for (const Row& row : rows_) {
        text += text.empty() ? "" : "\n";
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            const bool number = columns_[c].align == Align::kRight;
            text +=
                terminal.paint(Style::kBold, pad(columns_[c].title, titles, Align::kLeft, false)) +
                std::string(kGap) +
                terminal.paint(row.style, number ? row.cells[c]
                                                 : shorten(row.cells[c],
                                                           std::max(room, columns_[c].min_width))) +
                "\n";
        }
    }
    return text;
}

// Rows become columns. What need not be, as in fit(), is left out.
Table Table::turned() const {
    std::vector<TableColumn> columns{{columns_.front().title}};
    for (const Row& row : rows_) {
        columns.push_back({row.cells.front(), Align::kRight});
    }
    Table table(std::move(columns));
    table.set_titles_are_names();
    for (std::size_t c = 1; c < columns_.size(); ++c) {
        if (!has_values(c)) {
            continue;
        }
        std::vector<std::string> cells{columns_[c].title};
        for (const Row& row : rows_) {
            cells.push_back(row.cells[c]);
        }
        table.add(std::move(cells));
    }
    return table;
}

Table Table::with_columns(std::size_t from, std::size_t to) const {
    const auto part = [&](const auto& all) {
        auto some = std::vector{all.front()};
        some.insert(some.end(), all.begin() + static_cast<std::ptrdiff_t>(from),
                    all.begin() + static_cast<std::ptrdiff_t>(to));
        return some;
    };
    Table table(part(columns_));
    table.titles_are_names_ = titles_are_names_;
    for (const Row& row : rows_) {
        table.rows_.push_back({part(row.cells), row.style});
    }
    return table;
}

std::string Table::in_groups(std::size_t width, std::size_t least, const Terminal& terminal) const {
    std::string text;
    for (std::size_t from = 1; from < columns_.size();) {
        std::size_t to = columns_.size();
        while (to > from && with_columns(from, to).fit(width).empty()) {
            --to;
        }
        if (to == from || (from == 1 && to - from < least)) {
            return {};
        }
        const Table group = with_columns(from, to);
        text += (text.empty() ? "" : "\n") + group.in_lines(group.fit(width), terminal);
        from = to;
    }
    return text;
}

std::string Table::in_lines(const Shown& shown, const Terminal& terminal) const {
    const auto line = [&](const auto& cell_of) {
        std::string text;
        for (const auto& [column, wide] : shown) {
            const bool last = column == shown.back().first;
            text += pad(cell_of(column), wide, columns_[column].align, last);
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

std::string Table::render(std::size_t width, const Terminal& terminal) const {
    const auto shown = fit(width);
    if (!shown.empty() || rows_.empty()) {
        return in_lines(shown, terminal) + left_out(shown);
    }
    std::string text;
    if (titles_are_names_) {
        text = in_groups(width, 1, terminal);
    } else if (rows_.size() > 1 && rows_.size() <= kFewRows && columns_.size() > 2) {
        text = turned().in_groups(width, 2, terminal);
    }
    return text.empty() ? row_by_row(width, terminal) : text;
}

void Table::print(Terminal& terminal) const {
    // In a pipe nothing is cut off: the next program wants all of it.
    terminal.out().write(render(terminal.out_width(), terminal));
}

}  // namespace tb::cli
