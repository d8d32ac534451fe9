// Why a query over trades may answer "none": a column it compares has no values in the rows it
// looks at. `WHERE opening_vix > 20` finds nothing in a block whose export has no VIX, and nothing
// in the answer would say so.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "db/connection.h"

namespace tb::db {

struct AbsentValues {
    std::string table;   // "trades.trade_data"
    std::string column;  // "opening_vix"
    std::string where;   // "block_id = 'MEIC'" when the query names one block, else empty
    std::int64_t rows_with_value = 0;
    std::int64_t rows = 0;  // of the table, in that block

    // "opening_vix has a value in 0 of 384 rows of trades.trade_data where block_id = 'MEIC'; the
    // others match no comparison".
    [[nodiscard]] std::string to_string() const;
};

inline constexpr std::size_t kMaxAbsentColumns = 5;

// Columns of our tables that a query reads although no row holds a value, and such that it compares
// (WHERE, FILTER, HAVING, CASE) although some rows hold none; in the order of the query, at most
// kMaxAbsentColumns. Columns that it only tests for NULL are none of these. `sql` has run on this
// connection before: it is a statement that guard_sql allows. Empty where the statement is not
// understood; an error is only that of the counting (kDatabase, kInterrupted).
[[nodiscard]] Result<std::vector<AbsentValues>> absent_values(Connection& connection,
                                                              std::string_view sql);

}  // namespace tb::db
