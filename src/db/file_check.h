// A look through a whole database file, before its contents are believed: every row of every table
// is read, and what the rows add up to is compared with what was stored beside them (row_sums.h).
//
// The look is taken in a child process (isolated.h): a file whose blocks have changed places passes
// the engine's checksums and can make it crash. So a crash there is an answer, not an accident.
//
// Thread-compatible.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "db/connection.h"
#include "db/database.h"
#include "db/schema.h"

namespace tb::db {

struct FileFindings {
    // Why the file could not be looked at (locked, no permission, of a newer engine): nothing is
    // known about its rows.
    std::optional<Error> error;
    // What the engine said of a damaged file, or how it ended over it; empty = all can be read.
    std::string damage;
    // Tables, or blocks in tables, whose rows are not those that were stored.
    struct Difference {
        std::string table;     // "trades.trade_data"
        std::string block_id;  // empty: market history
        std::string what;      // "1,000 rows were stored, 999 are there"
    };
    std::vector<Difference> differences;

    [[nodiscard]] bool in_order() const {
        return !error.has_value() && damage.empty() && differences.empty();
    }
};

// The file must not be open in this process. kInternal when no look could be taken.
[[nodiscard]] Result<FileFindings> look_through_file(const std::filesystem::path& file,
                                                     const DatabaseOptions& options);

// Makes the next sync read again what differs. Blocks: their files count as new. Market history:
// the table is kept under another name, and journals and files fill a new one. In a transaction of
// its own, after ensure_schema; what was done is added to `change`.
[[nodiscard]] Result<void> put_right(Connection& connection,
                                     const std::vector<FileFindings::Difference>& differences,
                                     SchemaChange& change);

}  // namespace tb::db
