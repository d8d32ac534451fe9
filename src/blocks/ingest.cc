#include "blocks/ingest.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "blocks/columns.h"
#include "blocks/convert.h"
#include "blocks/rows.h"
#include "core/text.h"
#include "csv/cell.h"
#include "csv/decoder.h"
#include "csv/reader.h"

namespace tb::blocks {

namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;  // decoded and split at a time
constexpr std::size_t kProbeBytes = 256 * 1024;  // text that decides about decimal commas
constexpr std::size_t kReasonsShown = 5;
constexpr std::size_t kNamesShown = 12;

// Bytes of a source as records.
class RecordSource {
  public:
    RecordSource(ByteSource& source, const IngestOptions& options)
        : source_(source),
          options_(options),
          decoder_(options.encoding),
          reader_({.max_record_bytes = kMaxRecordBytes, .max_columns = kMaxColumns}) {}

    // kRecord, kEnd or kLimit.
    Result<csv::ReadStatus> next(csv::Record& record) {
        while (true) {
            const csv::ReadStatus status = reader_.next(record);
            if (status != csv::ReadStatus::kNeedMore) {
                return status;
            }
            TB_RETURN_IF_ERROR(fill());
        }
    }
    // Text behind the last record: `bytes` of it unless the file ends before.
    Result<std::string_view> look_ahead(std::size_t bytes) {
        while (reader_.unread().size() < bytes && !ended_) {
            TB_RETURN_IF_ERROR(fill());
        }
        return reader_.unread().substr(0, bytes);
    }
    [[nodiscard]] bool all_read() const { return ended_; }
    [[nodiscard]] const csv::RecordReader& reader() const { return reader_; }
    [[nodiscard]] const csv::Decoder& decoder() const { return decoder_; }

  private:
    Result<void> fill() {
        if (options_.cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled", options_.file_name);
        }
        if (piece_.empty()) {
            TB_TRY(piece_, source_.next());
        }
        if (piece_.empty()) {
            TB_TRY(const std::string_view rest, decoder_.finish());
            reader_.feed(rest);
            reader_.finish();
            ended_ = true;
            return {};
        }
        const auto part = piece_.subspan(0, std::min(piece_.size(), kPieceBytes));
        piece_ = piece_.subspan(part.size());
        TB_TRY(const std::string_view text, decoder_.decode(part));
        reader_.feed(text);
        return {};
    }

    ByteSource& source_;
    const IngestOptions& options_;
    csv::Decoder decoder_;
    csv::RecordReader reader_;
    std::span<const std::byte> piece_;
    bool ended_ = false;
};

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size() && i < kNamesShown; ++i) {
        text += i == 0 ? "" : ", ";
        text += names[i];
    }
    if (names.size() > kNamesShown) {
        text += fmt::format(" and {} more", names.size() - kNamesShown);
    }
    return text;
}

// A number written with a grouping comma outside quotes falls apart into two cells: `1` `234.56`.
bool looks_split(std::string_view left, std::string_view right) {
    const auto digits = [](std::string_view text) {
        return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    constexpr std::string_view kMinusSign = "\xE2\x88\x92";  // U+2212
    constexpr std::string_view kInFront = "-+$( ";
    constexpr std::string_view kBehind = ".)% ";
    while (!left.empty()) {
        const bool minus_sign = left.starts_with(kMinusSign);
        if (!minus_sign && kInFront.find(left.front()) == std::string_view::npos) {
            break;
        }
        left.remove_prefix(minus_sign ? kMinusSign.size() : 1);
    }
    return !left.empty() && left.size() <= 3 && digits(left) && right.size() >= 3 &&
           digits(right.substr(0, 3)) &&
           (right.size() == 3 || kBehind.find(right[3]) != std::string_view::npos);
}

// One file on its way in.
class FileIngest {
  public:
    FileIngest(ByteSource& source, const IngestOptions& options)
        : options_(options), records_(source, options) {}

    // False when the file ends the ingest already here; the report says why.
    Result<bool> read_header();
    [[nodiscard]] const std::vector<std::string>& header_cells() const { return header_cells_; }
    // Finds the columns; false as above.
    Result<bool> use_columns(std::span<const ColumnSpec> specs, Preference preference);
    template <class Converter>
    Result<IngestReport> run(RecordSink<typename Converter::Record>& sink);
    [[nodiscard]] IngestReport take_report();

  private:
    void give_up(IngestOutcome outcome, std::string why) {
        report_.outcome = outcome;
        report_.rejection = std::move(why);
    }
    [[nodiscard]] std::string what_is_missing() const;
    Result<void> choose_number_style();
    [[nodiscard]] bool accept(const csv::Record& record, RowCells& row);
    void judge_cell_count(RowCells& row) const;
    [[nodiscard]] bool cut_off(const csv::Record& record);
    void account(const RowCells& row);
    void note_decoding();
    void reject_if_mostly_bad();

    const IngestOptions& options_;
    RecordSource records_;
    std::vector<std::string> header_cells_;
    std::int64_t header_line_ = 1;
    bool header_terminated_ = false;
    HeaderMap header_;
    csv::NumberStyle style_ = csv::NumberStyle::kPoint;
    IssueLog issues_;
    std::int64_t empty_rows_ = 0;
    IngestReport report_;
};

IngestReport FileIngest::take_report() {
    note_decoding();
    report_.issues_total = issues_.total();
    report_.issues = issues_.take();
    return std::move(report_);
}

void FileIngest::note_decoding() {
    if (options_.encoding != csv::Encoding::kUtf8) {
        report_.notes.push_back(
            fmt::format("decoded as {}", csv::encoding_name(options_.encoding)));
    }
    if (records_.decoder().replaced() > 0) {
        report_.notes.push_back(
            fmt::format("{} damaged characters replaced by U+FFFD", records_.decoder().replaced()));
    }
}

Result<bool> FileIngest::read_header() {
    csv::Record record;
    TB_TRY(const csv::ReadStatus status, records_.next(record));
    if (status == csv::ReadStatus::kEnd) {
        give_up(IngestOutcome::kIncomplete,
                "the file is empty: perhaps it is just being written; it will be tried again");
        return false;
    }
    if (status == csv::ReadStatus::kLimit) {
        give_up(IngestOutcome::kRejected, records_.reader().error().message);
        return false;
    }
    header_cells_.assign(record.cells.begin(), record.cells.end());
    header_line_ = record.line;
    header_terminated_ = record.terminated;
    if (record.open_quote) {
        give_up(IngestOutcome::kIncomplete,
                fmt::format("the file ends inside a quote that opens in the header on line {}: "
                            "perhaps it is still being written; it will be tried again",
                            header_line_));
        return false;
    }
    return true;
}

// Names what is wanted and which of it is there, nothing else of the line: in a file that is no log
// at all it may be a secret, and whoever asked for the import has not seen it.
std::string FileIngest::what_is_missing() const {
    std::vector<std::string> known;
    for (std::size_t column = 0; column < header_.names.size(); ++column) {
        if (std::find(header_.extra_columns.begin(), header_.extra_columns.end(),
                      static_cast<int>(column)) == header_.extra_columns.end()) {
            known.push_back(header_.names[column]);
        }
    }
    const std::size_t count = header_.names.size();
    return fmt::format(
        "line {} is no usable header: it lacks {}; of its {} column{} {} known{}{}. "
        "Export the file again, or rename the columns",
        header_line_, listed(header_.missing), count, count == 1 ? "" : "s",
        known.empty() ? "none is" : "only these are", known.empty() ? "" : ": ", listed(known));
}

Result<bool> FileIngest::use_columns(std::span<const ColumnSpec> specs, Preference preference) {
    header_ = map_header(header_cells_, specs, preference);
    const bool last_unknown =
        !header_.extra_columns.empty() &&
        header_.extra_columns.back() + 1 == static_cast<int>(header_cells_.size());
    if (!header_terminated_ && (last_unknown || !header_.missing.empty()) &&
        looks_cut_off(header_cells_, specs)) {
        give_up(IngestOutcome::kIncomplete,
                fmt::format("the file ends within its header on line {}: perhaps it is still being "
                            "written; it will be tried again",
                            header_line_));
        return false;
    }
    if (!header_.missing.empty()) {
        give_up(IngestOutcome::kRejected, what_is_missing());
        return false;
    }
    for (const std::string& note : header_.notes) {
        issues_.add(header_line_, {}, {}, note, IssueAction::kRepaired);
    }
    report_.unterminated_header = !header_terminated_;
    if (records_.reader().delimiter() != ',') {
        report_.notes.emplace_back(records_.reader().delimiter() == ';'
                                       ? "cells are separated by semicolons"
                                       : "cells are separated by tabs");
    }
    TB_RETURN_IF_ERROR(choose_number_style());
    return true;
}

// Files separated by `;` mostly come from places where the comma is the decimal sign. The first
// numbers decide for the whole file; later ones that contradict are invalid, never misread.
Result<void> FileIngest::choose_number_style() {
    if (records_.reader().delimiter() != ';') {
        return {};
    }
    TB_TRY(const std::string_view text, records_.look_ahead(kProbeBytes));
    csv::RecordReader probe(
        {.max_record_bytes = kMaxRecordBytes, .max_columns = kMaxColumns, .delimiter = ';'});
    probe.feed(text);
    if (records_.all_read() && text.size() < kProbeBytes) {
        probe.finish();
    }
    bool commas = false;
    bool points = false;
    csv::Record record;
    while (probe.next(record) == csv::ReadStatus::kRecord) {
        for (std::size_t field = 0; field < header_.specs.size(); ++field) {
            const int column = header_.column_of[field];
            if (!header_.specs[field].is_number || column == HeaderMap::kNone ||
                static_cast<std::size_t>(column) >= record.cells.size()) {
                continue;
            }
            const auto evidence =
                csv::number_evidence(record.cells[static_cast<std::size_t>(column)]);
            commas = commas || evidence == csv::NumberStyle::kDecimalComma;
            points = points || evidence == csv::NumberStyle::kPoint;
        }
    }
    if (commas && !points) {
        style_ = csv::NumberStyle::kDecimalComma;
        report_.notes.emplace_back("numbers read with a decimal comma");
    } else if (commas == points) {
        style_ = csv::NumberStyle::kUnsure;
    }
    return {};
}

// The last record, if its end is missing: fewer cells than the header or a quote left open.
bool FileIngest::cut_off(const csv::Record& record) {
    const bool inside_character = records_.all_read() && records_.decoder().cut_inside_character();
    if (record.terminated ||
        !(record.open_quote || inside_character || record.cells.size() < header_cells_.size())) {
        return false;
    }
    give_up(IngestOutcome::kIncomplete,
            fmt::format("the last record, on line {}, is half-written ({} of {} cells{}, no line "
                        "end): perhaps the file is still being written; it will be tried again",
                        record.line, record.cells.size(), header_cells_.size(),
                        record.open_quote ? ", a quote left open" : ""));
    return true;
}

// False if the record as such is no row; the reason is in `row`.
bool FileIngest::accept(const csv::Record& record, RowCells& row) {
    if (record.has_nul) {
        row.skip({}, row.joined(), "a NUL byte in the row");
    } else if (record.misplaced_quote) {
        row.skip({}, row.joined(),
                 "text behind a closing quote: a quote is out of place and rows may be joined");
    } else if (std::all_of(record.cells.begin(), record.cells.end(),
                           [](std::string_view cell) { return cell.empty(); })) {
        ++empty_rows_;
        row.skip({}, {}, "all cells are empty");
    }
    return !row.skipped();
}

void FileIngest::judge_cell_count(RowCells& row) const {
    const auto& cells = row.record().cells;
    const std::size_t expected = header_cells_.size();
    if (cells.size() == expected || row.skipped()) {
        return;
    }
    if (cells.size() < expected) {
        row.repaired_row(
            row.joined(),
            fmt::format("{} of {} cells: the missing ones taken as empty", cells.size(), expected));
        return;
    }
    const bool only_blanks =
        std::all_of(cells.begin() + static_cast<std::ptrdiff_t>(expected), cells.end(),
                    [](std::string_view cell) { return cell.empty(); });
    bool shifted = row.has_broken_values();
    for (std::size_t field = 0; field < header_.specs.size() && !shifted; ++field) {
        const int column = header_.column_of[field];
        if (header_.specs[field].is_number && column != HeaderMap::kNone) {
            const auto at = static_cast<std::size_t>(column);
            shifted = at + 1 < cells.size() && looks_split(cells[at], cells[at + 1]);
        }
    }
    const std::string count = fmt::format("{} cells, the header has {}", cells.size(), expected);
    if (shifted && !only_blanks) {
        row.skip({}, row.joined(), count + ": the values are shifted");
    } else {
        row.repaired_row(row.joined(), count);
    }
}

void FileIngest::account(const RowCells& row) {
    row.write_issues(issues_);
    if (row.skipped()) {
        ++report_.rows_skipped;
    } else {
        ++report_.rows_stored;
        report_.rows_repaired += row.has_repairs() ? 1 : 0;
    }
}

// Rows without anything in them do not count as bad: spreadsheets add them by the hundred.
void FileIngest::reject_if_mostly_bad() {
    const std::int64_t bad = report_.rows_skipped - empty_rows_;
    const std::int64_t rows = report_.data_rows - empty_rows_;
    if (bad * 2 <= rows) {
        return;
    }
    std::string reasons;
    std::size_t shown = 0;
    for (const RowIssue& issue : issues_.stored()) {
        if (issue.action == IssueAction::kSkipped && shown < kReasonsShown) {
            ++shown;
            reasons += fmt::format("; line {}: {}{}{}", issue.line, issue.column,
                                   issue.column.empty() ? "" : ": ", issue.reason);
        }
    }
    give_up(IngestOutcome::kRejected,
            fmt::format("{} of {} rows are unusable, more than half{}", bad, rows, reasons));
}

template <class Converter>
Result<IngestReport> FileIngest::run(RecordSink<typename Converter::Record>& sink) {
    Converter converter(header_, options_);
    for (std::string& note : converter.file_notes()) {
        report_.notes.push_back(std::move(note));
    }
    RowCells row(header_, style_);
    TextArena arena;
    RecordBatch<typename Converter::Record> batch;
    const auto flush = [&]() -> Result<void> {
        if (options_.cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled", options_.file_name);
        }
        return batch.records.empty() ? Result<void>() : sink.on_batch(std::move(batch));
    };
    const auto begin_batch = [&] {
        batch = {};
        batch.records.reserve(kBatchRows);
        arena.bind(batch.text);
    };
    begin_batch();
    csv::Record record;
    while (true) {
        TB_TRY(const csv::ReadStatus status, records_.next(record));
        if (status == csv::ReadStatus::kEnd) {
            break;
        }
        if (status == csv::ReadStatus::kLimit) {
            give_up(IngestOutcome::kRejected, records_.reader().error().message);
            return take_report();
        }
        report_.unterminated_header = false;
        if (cut_off(record)) {
            return take_report();
        }
        ++report_.data_rows;
        row.start(record);
        if (accept(record, row)) {
            auto& target = batch.records.emplace_back();
            target.source_line = record.line;
            converter.convert(row, arena, target);
            judge_cell_count(row);
            if (row.skipped()) {
                batch.records.pop_back();
            } else {
                const Date day = Converter::day(target);
                report_.first_date = std::min(report_.first_date.value_or(day), day);
                report_.last_date = std::max(report_.last_date.value_or(day), day);
            }
        }
        account(row);
        if (batch.records.size() == kBatchRows) {
            TB_RETURN_IF_ERROR(flush());
            begin_batch();
        }
    }
    TB_RETURN_IF_ERROR(flush());
    reject_if_mostly_bad();
    return take_report();
}

template <class Converter>
Result<IngestReport> run_with_columns(FileIngest& file, std::span<const ColumnSpec> specs,
                                      Preference preference,
                                      RecordSink<typename Converter::Record>& sink) {
    TB_TRY(const bool usable, file.use_columns(specs, preference));
    if (!usable) {
        return file.take_report();
    }
    return file.run<Converter>(sink);
}

}  // namespace

Result<IngestReport> ingest_trade_log(ByteSource& source, const IngestOptions& options,
                                      RecordSink<TradeRecord>& sink) {
    FileIngest file(source, options);
    TB_TRY(const bool has_header, file.read_header());
    if (!has_header) {
        return file.take_report();
    }
    return run_with_columns<TradeConverter>(file, trade_columns(), Preference::kCanonical, sink);
}

Result<IngestReport> ingest_daily_log(ByteSource& source, const IngestOptions& options,
                                      RecordSink<DailyRecord>& sink) {
    FileIngest file(source, options);
    TB_TRY(const bool has_header, file.read_header());
    if (!has_header) {
        return file.take_report();
    }
    return run_with_columns<DailyConverter>(file, daily_columns(), Preference::kCanonical, sink);
}

Result<IngestReport> ingest_reporting_log(ByteSource& source, const IngestOptions& options,
                                          RecordSink<ReportingRecord>& sink) {
    FileIngest file(source, options);
    TB_TRY(const bool has_header, file.read_header());
    if (!has_header) {
        return file.take_report();
    }
    if (is_tat_header(file.header_cells())) {
        return run_with_columns<TatConverter>(file, tat_columns(), Preference::kCanonical, sink);
    }
    return run_with_columns<ReportingConverter>(file, reporting_columns(), Preference::kAlias,
                                                sink);
}

}  // namespace tb::blocks
