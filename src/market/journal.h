// Plain CSV journals of the merged market rows: `<data>/.tradeblocks/market-history/<table>.csv`,
// with the columns of the table. Market history cannot be rebuilt from today's exports, so it is
// kept a second time in a form that needs no program to read (00 §2).
//
// A journal is only ever appended to (and now and then rewritten shorter): the last line of a day
// is that day's row. Each line ends in `line_check`, the first 32 bits of the SHA-256 of its values
// as this program writes them, as a whole number: a spreadsheet that only saves the file changes
// nothing, a changed digit does. A line without one is taken as it stands (older journals, and
// lines that somebody has corrected by hand). A torn last line, a line that is not whole and one
// whose values are not those it was written with are left out and named; when a rewrite leaves them
// out, the file as it was is kept beside the journal (`<table>.csv.unread-<n>`), and the mark stays
// until heal() has compared with the table.
//
// Order of events, so that a crash at any point loses nothing:
//
//   journal.heal(connection)                 // at the start of a market sync; free if nothing is
//                                            // marked
//   merge_market_rows(transaction, ...)
//   journal.mark(table)                      // before the commit: "the journal may be behind"
//   transaction.commit()
//   journal.append(table, merge.changed)     // flushed to disk, then the mark is removed
//
// A crash (or an error, or a roll-back) after the mark leaves it behind; heal() then compares the
// journal with the table and appends what is missing. A database that had to be made anew is filled
// from the journals first (load_journals), before any file is read.
//
// Only the owner of the database file writes journals; an in-memory stand-in loads them and writes
// nothing. Failing to write a journal is for the caller to report as a warning: the table has the
// rows, and the mark stays.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_system.h"
#include "core/result.h"
#include "db/connection.h"
#include "db/transaction.h"
#include "market/market_files.h"

namespace tb::market {

inline constexpr std::size_t kMaxJournalBytes = 256U << 20U;

struct JournalLoad {
    std::string table;
    std::int64_t rows_loaded = 0;    // days that were not in the table
    std::int64_t rows_present = 0;   // days the table had already (they stay as they are)
    std::int64_t lines_ignored = 0;  // torn or damaged
    std::string ignored;             // which, and why: "line 7 (2024-01-03): ...; line 9: ..."
};

class MarketJournal {
  public:
    explicit MarketJournal(const std::filesystem::path& data_dir,
                           FileSystem& fs = real_file_system());

    // False when the journals' folder is a link that leads out of the data directory, or lies in
    // one: nothing is read or written there then (kRefused).
    [[nodiscard]] bool usable() const;

    // `table` is one of market_files(). Errors: kIo (with the reason), kResourceExhausted.
    [[nodiscard]] Result<void> mark(std::string_view table);
    [[nodiscard]] Result<void> append(std::string_view table, const MarketRows& changed);
    // Whether a mark was left behind, so that heal() has something to do: a few stat calls.
    [[nodiscard]] bool behind() const;
    // Whether the table has no journal; heal() makes one if it has rows.
    [[nodiscard]] bool missing(std::string_view table) const;
    // Number of rows appended to journals that were behind or missing (a folder that was deleted, a
    // database that came alone).
    [[nodiscard]] Result<std::int64_t> heal(db::Connection& connection);
    // Forgets the history of a table, for a user who purges it.
    [[nodiscard]] Result<void> remove(std::string_view table);

    // The journal's rows: the last whole line of each day. No journal = no rows.
    [[nodiscard]] Result<MarketRows> read(std::string_view table,
                                          JournalLoad* load = nullptr) const;

    [[nodiscard]] std::filesystem::path path(std::string_view table) const;

  private:
    [[nodiscard]] std::filesystem::path mark_path(std::string_view table) const;
    [[nodiscard]] Result<void> prepare_folder() const;
    // False when lines that could not be read were left out.
    [[nodiscard]] Result<bool> write_rows(std::string_view table, const MarketRows& changed) const;
    [[nodiscard]] Result<void> unmark(std::string_view table) const;

    std::filesystem::path data_dir_;
    std::filesystem::path folder_;
    FileSystem& fs_;
};

// Inserts the journals' days that the tables do not have, inside the caller's transaction. One
// entry per journal that exists.
[[nodiscard]] Result<std::vector<JournalLoad>> load_journals(db::Transaction& transaction,
                                                             const MarketJournal& journal);

}  // namespace tb::market
