// Copies the tables of history from a damaged database, as far as they can be read. For
// recovery.cc and its tests.
//
// Single-thread.
#pragma once

#include <vector>

#include "core/result.h"
#include "db/connection.h"
#include "db/recovery.h"

namespace tb::db {

// Into `target`, whose tables are those of schema.h and are emptied first. A table that cannot be
// read, or only partly, is no error: it is in the answer. Where only some columns of a table are
// damaged the others are copied. Which market files have been merged is copied only if all of the
// market history is, so that the files are merged again otherwise.
[[nodiscard]] Result<std::vector<SalvagedTable>> salvage_history(Connection& source,
                                                                 Connection& target);

}  // namespace tb::db
