// Which columns of a market file are which columns of its table, and what to say when none are.
//
// Thread-safe; pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "market/market_files.h"

namespace tb::market {

// One column of the file that the table has.
struct Source {
    std::size_t cell = 0;    // position in the file
    std::size_t column = 0;  // position in the table
    bool integer = false;
    std::string name;  // as in the file
};

struct Header {
    std::size_t time_cell = 0;
    std::size_t cell_count = 0;
    std::vector<Source> sources;       // ordered by table column; several of one column may be
    std::vector<std::string> unknown;  // names that the table does not have
    std::vector<std::string> notes;    // about columns that stand under another name
};

// Matches names in any case. A Treasury rate is also found as a series of FRED or a column of the
// Treasury's par yield curve. nullopt: no column of times, or none of the table's.
[[nodiscard]] std::optional<Header> map_market_header(const MarketFile& file,
                                                      std::span<const std::string> cells);

// What a file without such a header lacks and which columns are wanted. Names of its own columns
// are given only where they are known ones.
[[nodiscard]] std::string wanted_columns(const MarketFile& file,
                                         std::span<const std::string> cells);

}  // namespace tb::market
