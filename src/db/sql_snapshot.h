// A copy of a store's database for worker processes (sql_worker.h): an open descriptor of a file
// that has no name any more, so nothing is left behind however this process ends. It shares its
// blocks with the database where the file system can do that.
//
// Made once for a state of the database and kept until that changes; the writer waits meanwhile.
// The copying is done by a worker process: this one must not open its database's file a second
// time, or the engine loses its lock. A stand-in in memory is written to a file first.
//
// For .cc files of src/db only. Thread-compatible.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "core/unique_fd.h"
#include "db/data_store.h"
#include "db/sql_worker.h"

namespace tb::db::detail {

struct Snapshot {
    UniqueFd file;
    std::string catalog;  // what the database is called in statements
    std::string state;    // of the database it is a copy of
};

// What the database is like now; another text once anything was committed. Empty: not to be told
// (in memory), so no snapshot can be used again.
[[nodiscard]] std::string database_state(const DataStore& store);

//   kInterrupted        cancelled, or the time is up
//   kResourceExhausted  no space for the copy; the message says how much it takes
//   kIo, kDatabase      what else stands against it
[[nodiscard]] Result<std::shared_ptr<const Snapshot>> take_snapshot(DataStore& store,
                                                                    SqlWorker& copier,
                                                                    const CancelToken& cancel,
                                                                    const Patience& patience);

}  // namespace tb::db::detail
