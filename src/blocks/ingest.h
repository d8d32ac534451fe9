// From the bytes of one CSV file to records: decode, split, find the header and its columns, decide
// how the file writes (reading.h), convert every cell, account for every row.
//
// The caller owns reading (so that it can hash exactly the bytes that are parsed) and storing. Rows
// are handed over in batches as they are read; nothing is final before the call returns
// kComplete: on any other outcome the caller throws away what it was given.
//
// How a file is to be read is decided from all its rows. The first 256 KiB are looked through
// before the first row is handed over, so that files up to that size are decided at once. Where the
// rest of a larger file decides otherwise, the outcome is kReadAgain: the same bytes are then given
// once more with the reading in the report.
//
// Errors: whatever the source or the sink returns; kInterrupted; kBusy when the bytes do not fit
// the encoding that was detected, that is, when they are not the bytes it was detected on.
//
// Thread-compatible: one call per thread; sinks are called on the calling thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "blocks/reading.h"
#include "blocks/records.h"
#include "core/cancel.h"
#include "core/result.h"
#include "csv/encoding.h"

namespace tb::blocks {

// Where the raw bytes come from, front to back, once.
class ByteSource {
  public:
    ByteSource() = default;
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;
    virtual ~ByteSource() = default;
    // The next bytes (any size), valid until the next call; empty at the end of the file.
    [[nodiscard]] virtual Result<std::span<const std::byte>> next() = 0;
};

// A source over bytes in memory.
class MemorySource final : public ByteSource {
  public:
    explicit MemorySource(std::span<const std::byte> bytes) : bytes_(bytes) {}
    Result<std::span<const std::byte>> next() override {
        const auto all = bytes_;
        bytes_ = {};
        return all;
    }

  private:
    std::span<const std::byte> bytes_;
};

template <class Record>
class RecordSink {
  public:
    RecordSink() = default;
    RecordSink(const RecordSink&) = delete;
    RecordSink& operator=(const RecordSink&) = delete;
    virtual ~RecordSink() = default;
    // At most kBatchRows records, in file order. An error ends the ingest with that error.
    [[nodiscard]] virtual Result<void> on_batch(RecordBatch<Record> batch) = 0;
};

// Raised whenever the same bytes give other rows or issues than before: what was stored under
// another number is read again.
inline constexpr int kReadingRules = 2;

inline constexpr std::size_t kBatchRows = 2048;          // one engine vector
inline constexpr std::size_t kMaxStoredIssues = 1000;    // per file; totals stay exact
inline constexpr std::size_t kMaxRecordBytes = 1 << 20;  // one record; longer = rejected file
inline constexpr std::size_t kMaxColumns = 1000;

enum class IngestOutcome {
    kComplete,    // every data row is stored or skipped with a reason
    kIncomplete,  // the last record is half-written: keep what was there before, try again later
    kRejected,    // no table, unusable header, two ways of writing, or more than half of the rows
                  // bad; nothing is stored, so data_rows counts what was looked at and no more
    kReadAgain,   // by `reading`, see above
};

struct IngestReport {
    IngestOutcome outcome = IngestOutcome::kComplete;
    std::string rejection;         // kRejected/kIncomplete: why, with line and what to do
    std::int64_t data_rows = 0;    // non-blank records after the header
    std::int64_t rows_stored = 0;  // data_rows == rows_stored + rows_skipped
    std::int64_t rows_skipped = 0;
    std::int64_t rows_repaired = 0;  // stored rows with at least one repaired cell
    std::int64_t issues_total = 0;   // issues.size() unless capped at kMaxStoredIssues
    std::vector<RowIssue> issues;    // in file order
    std::vector<std::string> notes;  // about the whole file: decoded as Windows-1252, `;` file...
    // The header is the only record and no line end follows it: perhaps the first bytes of a file
    // that is still being written. Whoever has older rows of this file should keep them.
    bool unterminated_header = false;
    std::optional<Date> first_date;  // over date opened (daily log: date)
    std::optional<Date> last_date;
    FileReading reading;
};

struct IngestOptions {
    std::string file_name{};  // for messages
    csv::Encoding encoding = csv::Encoding::kUtf8;
    // P/L basis of rows whose file has no `P/L Basis` column (side file of an import).
    PlBasis default_pl_basis = PlBasis::kNetIncludesFees;
    CancelToken cancel{};  // asked once per batch; cancelled = kInterrupted
    // The file may still be growing (it was changed within kStillSeconds): a last record without a
    // line end is then kIncomplete. Otherwise it is read, with a note.
    bool still_changing = false;
    std::optional<FileReading> reading{};  // of an earlier call that said kReadAgain
};

// A file that has not been changed for so long is taken for whole.
inline constexpr int kStillSeconds = 2;

[[nodiscard]] Result<IngestReport> ingest_trade_log(ByteSource& source,
                                                    const IngestOptions& options,
                                                    RecordSink<TradeRecord>& sink);
[[nodiscard]] Result<IngestReport> ingest_daily_log(ByteSource& source,
                                                    const IngestOptions& options,
                                                    RecordSink<DailyRecord>& sink);
// Option Omega live exports, TradeBlocks reporting logs and Trade Automation Toolbox files.
[[nodiscard]] Result<IngestReport> ingest_reporting_log(ByteSource& source,
                                                        const IngestOptions& options,
                                                        RecordSink<ReportingRecord>& sink);

}  // namespace tb::blocks
