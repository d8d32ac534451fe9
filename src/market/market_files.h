// The market data files of `<data>/_marketdata`: which there are, what their bytes say, and how
// that is merged with what the database already knows.
//
// A file is a rolling window over history: a new export starts later than the one before. So rows
// are merged and never removed:
// - a day the table does not have is inserted;
// - from the day before the table's newest day on, the file wins (the newest bar is still moving);
// - older days are history: stored numbers stay, only NULLs are filled (a column that was added to
//   the export later), and days on which the file disagrees are counted and named;
// - a stored day that cannot have been (plausible.h) is no history: a possible row of the file
// takes
//   its place, and stored prices of 0 or below become NULL;
// - columns a file does not have keep what is stored.
//
// All files are optional; a missing one is nothing to speak of. Nothing here touches the sync
// metadata or the journals (journal.h): the caller does, see there for the order.
//
// Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/date.h"
#include "core/result.h"
#include "csv/encoding.h"
#include "db/schema.h"
#include "db/transaction.h"

namespace tb::market {

inline constexpr std::string_view kMarketFolder = "_marketdata";
inline constexpr std::size_t kMaxMarketFileBytes = 64U << 20U;
inline constexpr std::size_t kMaxStoredIssues = 1000;  // per file; totals stay exact

// As blocks::kReadingRules.
inline constexpr int kReadingRules = 2;

struct MarketFile {
    std::string_view file_name;    // exact name below _marketdata
    std::string_view table;        // in schema `market`; its key is `date`
    std::string_view time_column;  // also found as "date" or "time", in any case
};

[[nodiscard]] std::span<const MarketFile> market_files();
// nullptr if it is none of them.
[[nodiscard]] const MarketFile* find_market_file(std::string_view file_name);
// The table's declaration in db/schema.h.
[[nodiscard]] const db::TableSpec& market_table(const MarketFile& file);

// The next bytes of the file (any size), valid until the next call; empty at its end.
using NextBytes = std::function<Result<std::span<const std::byte>>()>;

// One skipped row or one repaired cell, explained.
struct MarketIssue {
    std::int64_t line = 0;  // of the file, header = 1
    std::string column;     // as in the file; empty when it concerns the whole row
    std::string value;      // as written, at most 200 bytes
    std::string reason;     // for people
    bool skipped = false;   // else repaired
};

enum class ParseOutcome {
    kComplete,    // every data row is in `dates` or skipped with a reason
    kIncomplete,  // half-written: try again later
    kRejected,    // unusable header, or more than half of the rows unreadable
};

// Rows of one market table: a file's, or a journal's. `values` has one number per day and column,
// row after row; NaN is NULL. Numbers of INTEGER columns are whole.
struct MarketRows {
    std::vector<std::size_t> columns;  // positions in the table, without the key
    std::vector<Date> dates;           // ascending, distinct
    std::vector<double> values;        // dates.size() * columns.size()

    [[nodiscard]] std::span<const double> row(std::size_t index) const {
        return std::span(values).subspan(index * columns.size(), columns.size());
    }
};

struct MarketParse {
    ParseOutcome outcome = ParseOutcome::kComplete;
    std::string rejection;  // unless complete: why, and what to do
    MarketRows rows;
    // Non-blank records after the header = dates.size() + rows_merged + rows_skipped.
    std::int64_t data_rows = 0;
    std::int64_t rows_merged = 0;    // bars beyond the first of their day, taken into its row
    std::int64_t rows_skipped = 0;   // with those a later row replaces and bars left out (a note)
    std::int64_t rows_repaired = 0;  // stored rows with at least one repaired cell
    std::int64_t issues_total = 0;
    std::vector<MarketIssue> issues;  // in file order, at most kMaxStoredIssues
    std::vector<std::string> notes;   // about the whole file: unknown columns, Windows-1252...
    // Bars were merged into days or dated by the trading day; the reading rules before 2 made other
    // days of such a file.
    bool makes_days = false;
};

// Reads a whole file. `encoding` as csv::EncodingDetector decided it over the same bytes.
//   kResourceExhausted  larger than kMaxMarketFileBytes, or a record beyond the reader's limits
//   kInterrupted        cancelled
// and whatever `next` fails with.
[[nodiscard]] Result<MarketParse> parse_market_file(const MarketFile& file, csv::Encoding encoding,
                                                    const NextBytes& next,
                                                    const CancelToken& cancel = {});

// What a merge did. inserted + updated + kept = days in the rows that were merged.
struct MergeResult {
    std::int64_t rows_inserted = 0;
    std::int64_t rows_updated = 0;    // a stored row now says something else
    std::int64_t rows_filled = 0;     // of these: history that only had NULLs filled
    std::int64_t rows_kept = 0;       // unchanged
    std::int64_t rows_differing = 0;  // of these: the file disagrees with history, which was kept
    std::int64_t rows_corrected = 0;  // of the updated: impossible as they were stored
    std::int64_t rows_removed = 0;    // days that only the rules of old had made of the file
    std::optional<Date> max_date;     // newest day in the table afterwards
    std::vector<std::string> notes;
    // The inserted and updated rows as stored, with all columns of the table: for the journal.
    MarketRows changed;
};

enum class MergeRule {
    kHistory,  // as above
    // The rows are of the very file that was merged last, read by newer rules that make other days
    // of its bars. The file wins on all of its days, and stored days between its first and last
    // that are no trading days and not among them go: they are evenings under the wrong date.
    kSameFileAnew,
};

// Merges rows into the table inside the caller's transaction. `rows.columns` are positions in
// `table`. After an error the transaction can only be rolled back.
[[nodiscard]] Result<MergeResult> merge_market_rows(db::Transaction& transaction,
                                                    const db::TableSpec& table,
                                                    const MarketRows& rows,
                                                    MergeRule rule = MergeRule::kHistory);

// All rows of a market table with all its columns.
[[nodiscard]] Result<MarketRows> read_market_table(db::Connection& connection,
                                                   const db::TableSpec& table);

}  // namespace tb::market
