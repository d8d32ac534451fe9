// The gate in front of SQL that somebody else wrote: lets reading statements through and refuses
// everything else with a text that says what to write instead.
//
// Nothing is decided by words in the text: the engine's own parser makes a tree of it (without
// running or binding anything), and every node of that tree must be on a list. What passes is
//   - exactly one statement: SELECT, WITH, FROM, VALUES, TABLE, DESCRIBE, SHOW, SUMMARIZE, PIVOT
//     with a list of values, UNPIVOT, or EXPLAIN (not ANALYZE) of one of these;
//   - tables by plain name: no files, no views over the server's settings, logs and paths;
//   - the table functions named in table_functions(), no functions that write, change settings,
//     run SQL held in a string, or look at the server;
//   - within the limits below. Parsing, binding and optimising in the engine can be neither
//     interrupted nor bounded by its memory limit, and some short texts keep it busy for hours or
//     take gigabytes (measured: n common tables cost n^2, nested scalar subqueries 4^n, stars of
//     stars n^2, n joined tables n^5, repeat('x', 4000000000) four gigabytes); so texts that could
//     are refused first.
//
// The guard is one layer of three: the caller also runs the statement in a read-only transaction,
// on a database without external access whose settings are locked (query_runner.h does).
//
// Thread-compatible: uses the connection for the parser.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "db/connection.h"

namespace tb::db {

inline constexpr std::size_t kMaxSqlBytes = 64 * 1024;
inline constexpr std::size_t kMaxCommonTables = 64;           // WITH a AS (..), b AS (..), ...
inline constexpr std::size_t kMaxCommonTableBytes = 1 << 20;  // common tables * bytes of SQL
inline constexpr std::size_t kMaxTableReferences = 100;       // FROM and JOIN items
inline constexpr double kMaxJoinedTables = 40;                // ... of one FROM with its subqueries
inline constexpr double kMaxResultColumns = 4'000;            // of any SELECT, estimated
inline constexpr double kMaxTotalColumns = 20'000;            // of all SELECTs together, estimated
inline constexpr double kMaxSubqueryWeight = 20'000;          // 3^depth, summed: depth 9 at most

struct GuardedSql {
    std::string sql;  // what to run: the text itself
    bool explain = false;
    // Why it must run in a process of its own (query_service.h); empty: it is bounded by nature.
    std::string unbounded;
};

// The statement, if it may run.
//   kRefused          understood, but not allowed; says why and what to do instead
//   kInvalidArgument  empty, a syntax error (the engine's message with the place), not UTF-8
//   kResourceExhausted  beyond one of the limits, which the message names
[[nodiscard]] Result<GuardedSql> guard_sql(Connection& connection, std::string_view sql);

// Table functions queries may use, in lower case.
[[nodiscard]] std::span<const std::string_view> table_functions();

}  // namespace tb::db
