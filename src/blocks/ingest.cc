#include "blocks/ingest.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "blocks/columns.h"
#include "blocks/convert.h"
#include "blocks/head.h"
#include "blocks/record_source.h"
#include "blocks/rows.h"
#include "core/text.h"
#include "csv/cell.h"
#include "csv/reader.h"

namespace tb::blocks {

namespace {

constexpr std::size_t kProbeBytes = 256 * 1024;  // text that is looked through before it is read
constexpr std::size_t kReasonsShown = 5;
constexpr std::size_t kNamesShown = 12;

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

std::string perhaps_growing(const IngestOptions& options) {
    return options.still_changing ? "perhaps it is still being written; it will be tried again"
                                  : "export it again";
}

// Dates and numbers of a file, whatever becomes of their rows.
class CellSurvey {
  public:
    CellSurvey(const HeaderMap& header, char delimiter)
        : locale_(delimiter), comma_separates_(delimiter == ',') {
        for (std::size_t field = 0; field < header.specs.size(); ++field) {
            const int column = header.column_of[field];
            if (column == HeaderMap::kNone) {
                continue;
            }
            if (header.specs[field].is_date) {
                dates_.push_back(static_cast<std::size_t>(column));
            } else if (header.specs[field].is_number) {
                numbers_.push_back(static_cast<std::size_t>(column));
            }
        }
    }

    void see(const csv::Record& record) {
        const auto& cells = record.cells;
        for (const std::size_t column : dates_) {
            // `2024-01-02` proves nothing.
            if (column < cells.size() && !(cells[column].size() == 10 && cells[column][4] == '-')) {
                locale_.see_date(cells[column], record.line);
            }
        }
        // Where the comma separates the cells, nothing outweighs a point.
        if (comma_separates_ && locale_.point_is_proven()) {
            return;
        }
        for (const std::size_t column : numbers_) {
            if (column < cells.size() && has_separator(cells[column])) {
                locale_.see_number(cells[column], record.line);
            }
        }
    }
    [[nodiscard]] csv::FileLocale decide() const { return locale_.decide(); }

  private:
    static bool has_separator(std::string_view cell) {
        return std::any_of(cell.begin(), cell.end(), [](char c) { return c == ',' || c == '.'; });
    }

    csv::LocaleSurvey locale_;
    bool comma_separates_;
    std::vector<std::size_t> dates_;
    std::vector<std::size_t> numbers_;
};

// One file on its way in.
class FileIngest {
  public:
    FileIngest(ByteSource& source, const IngestOptions& options, FileRole role)
        : options_(options), role_(role), records_(source, options) {}

    // False when the file ends the ingest already here; the report says why.
    Result<bool> read_header(const csv::IsHeader& is_header);
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
    [[nodiscard]] bool looks_like_a_table();
    [[nodiscard]] std::string what_is_missing(std::string_view text) const;
    template <class Converter>
    Result<void> decide_reading();
    template <class Converter>
    Result<void> read_rows(RecordSink<typename Converter::Record>& sink);
    void compare_readings(const CellSurvey& cells, const ReadingSurvey& rows);
    [[nodiscard]] bool accept(const csv::Record& record, RowCells& row);
    void judge_cell_count(RowCells& row) const;
    [[nodiscard]] bool cut_off(const csv::Record& record);
    void account(const RowCells& row);
    void note_reading();
    void note_decoding();
    void reject_if_mostly_bad();

    const IngestOptions& options_;
    FileRole role_;
    RecordSource records_;
    std::vector<std::string> header_cells_;
    std::int64_t header_line_ = 1;
    bool header_terminated_ = false;
    HeaderMap header_;
    FileReading reading_;
    bool all_surveyed_ = false;  // reading_ is decided from the whole file
    IssueLog issues_;
    std::int64_t empty_rows_ = 0;
    IngestReport report_;
};

IngestReport FileIngest::take_report() {
    note_reading();
    note_decoding();
    if (report_.outcome == IngestOutcome::kRejected) {
        report_.rows_stored = 0;
        report_.rows_repaired = 0;
        report_.rows_skipped = report_.data_rows;
    }
    report_.issues_total = issues_.total();
    report_.issues = issues_.take();
    report_.reading = std::move(reading_);
    return std::move(report_);
}

void FileIngest::note_reading() {
    for (const auto* notes : {&reading_.locale.notes, &reading_.notes}) {
        report_.notes.insert(report_.notes.end(), notes->begin(), notes->end());
    }
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

bool FileIngest::looks_like_a_table() {
    const std::string other = csv::not_a_csv(csv::recognise_file(records_.first_bytes()));
    if (!other.empty()) {
        give_up(IngestOutcome::kRejected, "the file " + other);
    }
    return other.empty();
}

Result<bool> FileIngest::read_header(const csv::IsHeader& is_header) {
    TB_TRY(std::string_view text, records_.look_ahead(kHeadTextBytes));
    if (!looks_like_a_table()) {
        return false;
    }
    const bool complete = records_.all_read() && text.size() == records_.reader().unread().size();
    if (const auto place = csv::find_header(text, complete, is_header)) {
        if (const std::string note = csv::header_note(*place, text); !note.empty()) {
            report_.notes.push_back(note);
        }
        records_.reader().start_at(place->offset, place->lines, place->delimiter);
    }
    csv::Record record;
    TB_TRY(const csv::ReadStatus status, records_.next(record));
    if (status == csv::ReadStatus::kEnd) {
        give_up(IngestOutcome::kIncomplete,
                fmt::format("the file is empty: {}", perhaps_growing(options_)));
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
                fmt::format("the file ends inside a quote that opens in the header on line {}: {}",
                            header_line_, perhaps_growing(options_)));
        return false;
    }
    return true;
}

// Names what is wanted and which of it is there, nothing else of the line: in a file that is no log
// at all it may be a secret, and whoever asked for the import has not seen it.
std::string FileIngest::what_is_missing(std::string_view text) const {
    std::vector<std::string> known;
    for (std::size_t column = 0; column < header_.names.size(); ++column) {
        if (std::find(header_.extra_columns.begin(), header_.extra_columns.end(),
                      static_cast<int>(column)) == header_.extra_columns.end()) {
            known.push_back(header_.names[column]);
        }
    }
    const std::size_t count = header_.names.size();
    const std::string statement = known.empty() ? statement_words(text) : std::string();
    return fmt::format(
        "line {} is no usable header: it lacks {}; of its {} column{} {} known{}{}. None of the "
        "first {} lines has {}{}{}. Export the file again, or rename the columns",
        header_line_, listed(header_.missing), count, count == 1 ? "" : "s",
        known.empty() ? "none is" : "only these are", known.empty() ? "" : ": ", listed(known),
        csv::kHeaderSearchLines, wanted_columns(role_), statement.empty() ? "" : "; ", statement);
}

Result<bool> FileIngest::use_columns(std::span<const ColumnSpec> specs, Preference preference) {
    header_ = map_header(header_cells_, specs, preference);
    const bool last_unknown =
        !header_.extra_columns.empty() &&
        header_.extra_columns.back() + 1 == static_cast<int>(header_cells_.size());
    const bool growing = options_.still_changing && !header_.missing.empty();
    if (!header_terminated_ && (growing || ((last_unknown || !header_.missing.empty()) &&
                                            looks_cut_off(header_cells_, specs)))) {
        give_up(IngestOutcome::kIncomplete,
                fmt::format("the file ends within its header on line {}: {}", header_line_,
                            perhaps_growing(options_)));
        return false;
    }
    if (!header_.missing.empty()) {
        std::string front;
        for (const std::string& cell : header_cells_) {
            front += cell + ",";
        }
        TB_TRY(const std::string_view behind, records_.look_ahead(kHeadTextBytes));
        front += "\n";
        front += behind;
        give_up(IngestOutcome::kRejected, what_is_missing(front));
        return false;
    }
    for (const std::string& note : header_.notes) {
        issues_.add(header_line_, {}, {}, note, IssueAction::kRepaired);
    }
    report_.unterminated_header = !header_terminated_;
    const char delimiter = records_.reader().delimiter();
    if (delimiter != ',') {
        report_.notes.emplace_back(delimiter == ';'    ? "cells are separated by semicolons"
                                   : delimiter == '\t' ? "cells are separated by tabs"
                                                       : "cells are separated by bars");
    }
    return true;
}

// Decides from the front of the file, which for most files is all of it.
template <class Converter>
Result<void> FileIngest::decide_reading() {
    if (options_.reading) {
        reading_ = *options_.reading;
        all_surveyed_ = true;
        return {};
    }
    TB_TRY(const std::string_view text, records_.look_ahead(kProbeBytes));
    all_surveyed_ = records_.all_read() && text.size() == records_.reader().unread().size();
    const char delimiter = records_.reader().delimiter();
    CellSurvey cells(header_, delimiter);
    ReadingSurvey rows;
    const auto each_record = [&](const auto& see) {
        csv::RecordReader probe({.max_record_bytes = kMaxRecordBytes,
                                 .max_columns = kMaxColumns,
                                 .delimiter = delimiter});
        probe.feed(text);
        if (all_surveyed_) {
            probe.finish();
        }
        csv::Record record;
        while (probe.next(record) == csv::ReadStatus::kRecord) {
            see(record);
        }
    };
    std::int64_t header_lines = header_line_;
    for (const std::string& cell : header_cells_) {
        header_lines += std::count(cell.begin(), cell.end(), '\n');
    }
    each_record([&](csv::Record& record) {
        record.line += header_lines;
        cells.see(record);
    });
    reading_.locale = cells.decide();
    RowCells row(header_, reading_.locale);
    each_record([&](const csv::Record& record) {
        row.start(record);
        Converter::survey(row, rows);
    });
    rows.decide(reading_);
    return {};
}

// The whole of a large file may decide otherwise than its front did.
void FileIngest::compare_readings(const CellSurvey& cells, const ReadingSurvey& rows) {
    FileReading final;
    final.locale = cells.decide();
    rows.decide(final);
    const bool same = final.same_reading(reading_);
    reading_ = std::move(final);
    if (!same && reading_.locale.refusal.empty()) {
        report_.outcome = IngestOutcome::kReadAgain;
    }
}

// The last record, if its end is missing: fewer cells than the header, a quote left open, or simply
// no line end in a file that may still be growing.
bool FileIngest::cut_off(const csv::Record& record) {
    if (record.terminated) {
        return false;
    }
    const bool inside_character =
        options_.still_changing && records_.all_read() && records_.decoder().cut_inside_character();
    if (record.open_quote || inside_character || record.cells.size() < header_cells_.size()) {
        give_up(IngestOutcome::kIncomplete,
                fmt::format("the last record, on line {}, is half-written ({} of {} cells{}, no "
                            "line end): {}",
                            record.line, record.cells.size(), header_cells_.size(),
                            record.open_quote ? ", a quote left open" : "",
                            options_.still_changing
                                ? perhaps_growing(options_)
                                : "export the file again, or end the line if it is whole"));
        return true;
    }
    if (options_.still_changing) {
        give_up(IngestOutcome::kIncomplete,
                fmt::format("the last record, on line {}, has no line end, and the file was "
                            "changed less than {} seconds ago: perhaps it is still being written; "
                            "it will be read once it has been left alone for so long",
                            record.line, kStillSeconds));
        return true;
    }
    report_.notes.push_back(
        fmt::format("the last record, on line {}, has no line end: read as it is", record.line));
    return false;
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
Result<void> FileIngest::read_rows(RecordSink<typename Converter::Record>& sink) {
    Converter converter(header_, options_, reading_);
    for (std::string& note : converter.file_notes()) {
        report_.notes.push_back(std::move(note));
    }
    RowCells row(header_, reading_.locale);
    CellSurvey cells(header_, records_.reader().delimiter());
    ReadingSurvey survey;
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
            return {};
        }
        report_.unterminated_header = false;
        if (cut_off(record)) {
            return {};
        }
        ++report_.data_rows;
        row.start(record);
        if (!all_surveyed_) {
            cells.see(record);
            Converter::survey(row, survey);
        }
        if (accept(record, row)) {
            auto& target = batch.records.emplace_back();
            target.source_line = record.line;
            converter.convert(row, arena, target);
            judge_cell_count(row);
            if (records_.decoder().replaced() > 0) {
                row.note_damage();
            }
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
    if (!all_surveyed_) {
        compare_readings(cells, survey);
    }
    return {};
}

template <class Converter>
Result<IngestReport> FileIngest::run(RecordSink<typename Converter::Record>& sink) {
    TB_RETURN_IF_ERROR(decide_reading<Converter>());
    // Proof that comes from the front alone holds for the whole file.
    if (reading_.locale.refusal.empty()) {
        TB_RETURN_IF_ERROR(read_rows<Converter>(sink));
    }
    if (report_.outcome == IngestOutcome::kComplete && !reading_.locale.refusal.empty()) {
        give_up(IngestOutcome::kRejected, reading_.locale.refusal);
    }
    if (report_.outcome == IngestOutcome::kComplete) {
        reject_if_mostly_bad();
    }
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

bool has_all(std::span<const std::string> cells, std::span<const ColumnSpec> specs,
             Preference preference) {
    return map_header(cells, specs, preference).missing.empty();
}

}  // namespace

Result<IngestReport> ingest_trade_log(ByteSource& source, const IngestOptions& options,
                                      RecordSink<TradeRecord>& sink) {
    FileIngest file(source, options, FileRole::kTradeLog);
    TB_TRY(const bool has_header, file.read_header([](std::span<const std::string> cells) {
        return has_all(cells, trade_columns(), Preference::kCanonical);
    }));
    if (!has_header) {
        return file.take_report();
    }
    return run_with_columns<TradeConverter>(file, trade_columns(), Preference::kCanonical, sink);
}

Result<IngestReport> ingest_daily_log(ByteSource& source, const IngestOptions& options,
                                      RecordSink<DailyRecord>& sink) {
    FileIngest file(source, options, FileRole::kDailyLog);
    TB_TRY(const bool has_header, file.read_header([](std::span<const std::string> cells) {
        return has_all(cells, daily_columns(), Preference::kCanonical);
    }));
    if (!has_header) {
        return file.take_report();
    }
    return run_with_columns<DailyConverter>(file, daily_columns(), Preference::kCanonical, sink);
}

Result<IngestReport> ingest_reporting_log(ByteSource& source, const IngestOptions& options,
                                          RecordSink<ReportingRecord>& sink) {
    FileIngest file(source, options, FileRole::kReportingLog);
    TB_TRY(const bool has_header, file.read_header([](std::span<const std::string> cells) {
        return is_tat_header(cells) || has_all(cells, reporting_columns(), Preference::kAlias);
    }));
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
