// What the rows of the tables add up to, kept beside them (trades._row_sums), so that rows that are
// not the stored ones are noticed: blocks of the file that changed places, say, which the engine's
// checksums cannot tell.
//
// Per block of trades.trade_data, daily_data and reporting_data, and per table of market history:
// the number of rows and the sum of the engine's hashes over all columns. Another version of the
// engine may hash otherwise; sums of another version prove nothing. A missing sum means "not known
// (yet)".
//
//     forget_row_sums(...)      inside the transaction that changes the rows
//     complete_row_sums(...)    after the last of them: one pass over the rows that changed
//
// Thread-compatible: the connection's rule.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "db/connection.h"
#include "db/schema.h"

namespace tb::db {

enum class SumsPer { kNothing, kBlock, kTable };
[[nodiscard]] SumsPer sums_per(const TableSpec& table);

// "SELECT block, rows, sum" as texts, one row per block (or one whose block is '').
[[nodiscard]] std::string row_sums_sql(const TableSpec& table, std::string_view where = {});

[[nodiscard]] Result<void> forget_row_sums_of_table(Connection& connection,
                                                    std::string_view qualified_name);

// In a transaction of its own. Of the blocks named, whose sums have been forgotten; of all that
// have none where so many are named that one pass costs less.
[[nodiscard]] Result<void> complete_block_sums(Connection& connection,
                                               std::span<const std::string> block_ids);
[[nodiscard]] Result<void> complete_market_sums(Connection& connection);

}  // namespace tb::db
