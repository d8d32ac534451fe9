#include "market/header.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/text.h"

namespace tb::market {

namespace {

// Names that exports give their column of times.
constexpr std::array<std::string_view, 5> kTimeNames{"time", "date", "datetime", "timestamp",
                                                     "observation_date"};

struct Alias {
    std::string_view table;
    std::string_view name;    // in the file
    std::string_view column;  // of the table
    std::string_view remark;
};

constexpr std::array<Alias, 5> kAliases{{
    {"treasury_rates", "DTB3", "rate_percent", ""},
    {"treasury_rates", "TB3MS", "rate_percent", "a monthly average"},
    {"treasury_rates", "DGS3MO", "rate_percent",
     "a yield, some tenths of a per cent above the bill's discount rate when rates are high"},
    {"treasury_rates", "3 Mo", "rate_percent",
     "a yield, some tenths of a per cent above the bill's discount rate when rates are high"},
    {"treasury_rates", "close", "rate_percent", "the close of a chart"},
}};

std::optional<std::size_t> find_time(const MarketFile& file, std::span<const std::string> cells) {
    const auto find = [&](std::string_view wanted) -> std::optional<std::size_t> {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (equals_ignoring_case(cells[i], wanted)) {
                return i;
            }
        }
        return std::nullopt;
    };
    auto found = find(file.time_column);
    for (std::size_t i = 0; i < kTimeNames.size() && !found; ++i) {
        found = find(kTimeNames[i]);
    }
    return found;
}

std::optional<std::size_t> find_column(const db::TableSpec& table, std::string_view name) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        if (table.columns[i].name != "date" && equals_ignoring_case(table.columns[i].name, name)) {
            return i;
        }
    }
    return std::nullopt;
}

const Alias* find_alias(const MarketFile& file, std::string_view name) {
    const auto found = std::find_if(kAliases.begin(), kAliases.end(), [&](const Alias& alias) {
        return alias.table == file.table && equals_ignoring_case(alias.name, name);
    });
    return found == kAliases.end() ? nullptr : &*found;
}

}  // namespace

std::optional<Header> map_market_header(const MarketFile& file,
                                        std::span<const std::string> cells) {
    const db::TableSpec& table = market_table(file);
    const auto time = find_time(file, cells);
    Header header;
    header.cell_count = cells.size();
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i == time) {
            continue;
        }
        if (const auto column = find_column(table, cells[i])) {
            header.sources.push_back(
                {i, *column, table.columns[*column].type == db::TypeId::kInteger, cells[i]});
        } else if (!cells[i].empty()) {
            header.unknown.push_back(cells[i]);
        }
    }
    // A column under another name only where the table's own is missing: the first of the list.
    for (const Alias& alias : kAliases) {
        const auto cell = std::find_if(cells.begin(), cells.end(), [&](const std::string& name) {
            return find_alias(file, name) == &alias;
        });
        if (!header.sources.empty() || cell == cells.end()) {
            continue;
        }
        const auto at = static_cast<std::size_t>(cell - cells.begin());
        header.sources.push_back({at, table.column_index(alias.column), false, *cell});
        header.unknown.erase(std::find(header.unknown.begin(), header.unknown.end(), *cell));
        header.notes.push_back(fmt::format("{} is read from the column \"{}\"{}{}", alias.column,
                                           alias.name, alias.remark.empty() ? "" : ": ",
                                           alias.remark));
    }
    std::stable_sort(header.sources.begin(), header.sources.end(),
                     [](const Source& a, const Source& b) { return a.column < b.column; });
    if (!time || header.sources.empty()) {
        return std::nullopt;
    }
    header.time_cell = *time;
    return header;
}

std::string wanted_columns(const MarketFile& file, std::span<const std::string> cells) {
    const db::TableSpec& table = market_table(file);
    constexpr std::size_t kNamed = 6;
    std::string wanted;
    std::size_t count = 0;
    for (const db::ColumnSpec& column : table.columns) {
        if (column.name != "date" && count++ < kNamed) {
            wanted += fmt::format(", {}", column.name);
        }
    }
    if (count > kNamed) {
        wanted += fmt::format(" (and {} more, see describe_database)", count - kNamed);
    }
    if (file.table == "treasury_rates") {
        wanted += " (or DTB3, DGS3MO or \"3 Mo\")";
    }
    std::string has;
    for (const std::string& cell : cells) {
        if (find_column(table, cell) && has.size() < 200) {
            has += fmt::format("{}{}", has.empty() ? "" : ", ", cell);
        }
    }
    return fmt::format(
        "{}: the first line has to name columns, and market.{} takes {}{}{}. See "
        "docs/market-data.md "
        "for where such a file comes from",
        find_time(file, cells) ? fmt::format("no column of the table market.{}", file.table)
                               : fmt::format("no column named \"{}\"", file.time_column),
        file.table, file.time_column, wanted,
        has.empty() ? std::string() : fmt::format("; of these it has {}", has));
}

}  // namespace tb::market
