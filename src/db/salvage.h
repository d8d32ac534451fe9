// Copies the tables of history from a damaged database, as far as they can be read. For
// recovery.cc and its tests.
//
// Single-thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "db/connection.h"
#include "db/recovery.h"

namespace tb::db {

// Told of a table before it is read, so that a reader whose process dies over it leaves it out the
// next time: false = leave it out.
using BeforeTable = std::function<bool(const std::string& table)>;

// Into `target`, whose tables are those of schema.h and are emptied first. A table that cannot be
// read, or only partly, is no error: it is in the answer. Where only some columns of a table are
// damaged the others are copied. Which market files have been merged is copied only if all of the
// market history is, so that the files are merged again otherwise. `take` gets each table as soon
// as it is done.
[[nodiscard]] Result<void> salvage_history(Connection& source, Connection& target,
                                           const BeforeTable& before,
                                           const std::function<void(const SalvagedTable&)>& take);
// All of them, one after the other.
[[nodiscard]] Result<std::vector<SalvagedTable>> salvage_history(Connection& source,
                                                                 Connection& target);

}  // namespace tb::db
