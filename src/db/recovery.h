// Setting a damaged database aside and saving what the CSV files cannot bring back.
//
// The database file and its write-ahead log are renamed together to `<file>.corrupt-<time>` and
// `<file>.corrupt-<time>.wal`; nothing is ever deleted. From there the tables of history (schema.h:
// TableKind::kHistory) are read as far as they can be read, with the log and, if that does not
// open, without it, and copied into the fresh file.
//
// Single-thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "db/connection.h"
#include "db/database.h"

namespace tb::db {

struct SalvagedTable {
    std::string table;  // "market.spx_daily"
    std::int64_t rows_copied = 0;
    bool complete = false;  // everything the damaged file held of it was copied
    std::string problem;    // why not, empty if complete
};

struct RecoveryReport {
    Timestamp recovered_at;
    std::string damage;                   // what the engine said
    std::filesystem::path set_aside;      // the renamed database file
    std::filesystem::path set_aside_wal;  // empty if there was no log
    bool readable = false;                // the damaged file could still be opened
    bool without_wal = false;             // ... but only without its log: latest changes lost
    std::vector<SalvagedTable> tables;    // tables of history, in schema order

    // Nothing that cannot be rebuilt from CSV files is missing.
    [[nodiscard]] bool complete() const;
    // What happened and what was lost, in two or three sentences for the user.
    [[nodiscard]] std::string to_string() const;
};

// Renames the file and its log. The file must not be open in this process. kIo if that fails; then
// nothing has changed.
[[nodiscard]] Result<RecoveryReport> set_aside(const std::filesystem::path& file,
                                               const Error& damage, Timestamp now);

// Copies what can be read into `fresh`, whose tables exist and are empty; fills report.tables. A
// table that cannot be read is no error: it is in the report.
[[nodiscard]] Result<void> salvage(RecoveryReport& report, Connection& fresh,
                                   const DatabaseOptions& options);

}  // namespace tb::db
