// Setting a damaged database aside and saving what the CSV files cannot bring back.
//
// The database file and its write-ahead log are renamed together to `<file>.corrupt-<time>` and
// `<file>.corrupt-<time>.wal`; nothing of the user's is ever deleted. The tables of history
// (schema.h: TableKind::kHistory) are read from there as far as they can be read, with the log and,
// if that does not open, without it, into `<file>.rebuild`, which takes the database's name when it
// is complete. A crash anywhere on the way leaves the `.rebuild` file behind, by which the next
// opening knows that it has to start the copying again.
//
// The damaged file is read in a child process (isolated.h): nothing it holds ends this one. A table
// over which the child dies is left out of the next try.
//
// Everything happens under a lock on the directory (flock), so that of several processes that find
// the damage only one sets the file aside.
//
// Single-thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "db/database.h"

namespace tb::db {

// Which file has the name now; nullopt if there is none.
using FileIdentity = std::pair<std::uint64_t, std::uint64_t>;  // device, inode
[[nodiscard]] std::optional<FileIdentity> identity_of(const std::filesystem::path& file);

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

    // Nothing that the CSV files cannot bring back is missing.
    [[nodiscard]] bool complete() const;
    // What happened and what was lost, in a few sentences for the user.
    [[nodiscard]] std::string to_string() const;
};

// Replaces the damaged file, which must not be open in this process. nullopt if there is nothing to
// do any more: another process has replaced it meanwhile.
//   `opens`  the damage showed in the rows of a file that can be opened, so that opening it again
//            proves nothing
//   `seen`   which file the damage was found in; nothing is done to another one of that name
//   kLocked  another process is at it, or has the file open
//   kIo      the file cannot be renamed (read-only folder); nothing has changed
[[nodiscard]] Result<std::optional<RecoveryReport>> replace_damaged(
    const std::filesystem::path& file, const Error& damage, bool opens,
    const DatabaseOptions& options, Timestamp now, std::optional<FileIdentity> seen = std::nullopt);

// To be asked before the file is opened: finishes what a crash interrupted. nullopt = nothing was.
[[nodiscard]] Result<std::optional<RecoveryReport>> finish_interrupted_replacement(
    const std::filesystem::path& file, const DatabaseOptions& options, Timestamp now);

}  // namespace tb::db
