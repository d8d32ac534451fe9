// Text of a CSV file to records of trimmed cells (RFC 4180), fed in pieces of any size.
//
//     RecordReader reader;
//     while (more text) {
//         reader.feed(text);                       // or reader.finish() after the last piece
//         while (reader.next(record) == ReadStatus::kRecord) { ... }
//     }
//
// Beyond the RFC, because exports are edited by hand and by spreadsheets:
// - lines end with CRLF, LF or CR, mixed at will; blank lines between records are skipped;
// - the delimiter is the one of `,` `;` tab that occurs most in the first line outside quotes;
// - cells are trimmed, inside quotes too (core/text.h trim);
// - a quote opens a quoted cell only as the first thing in it; elsewhere it is an ordinary
//   character. Text after a closing quote marks the record (misplaced_quote): rows may have been
//   glued together there, and the caller must not trust the cells.
//
// Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace tb::csv {

struct ReaderOptions {
    std::size_t max_record_bytes = 1 << 20;
    std::size_t max_columns = 1000;
    char delimiter = '\0';  // '\0' = from the first line
};

// One record; views are valid until the next call of the reader.
struct Record {
    std::int64_t line = 0;  // physical line on which it starts, first line of the file = 1
    std::span<const std::string_view> cells;
    bool terminated = false;       // a line end follows (not so: last record, perhaps half-written)
    bool open_quote = false;       // the text ended inside quotes
    bool misplaced_quote = false;  // text between a closing quote and the next delimiter
    bool has_nul = false;
};

enum class ReadStatus {
    kRecord,
    kNeedMore,  // feed() or finish() first
    kEnd,
    kLimit,  // a record is longer or wider than the options allow; see error(); final
};

class RecordReader {
  public:
    explicit RecordReader(ReaderOptions options = {});

    // Copies `text` behind what is still unread. Not after finish().
    void feed(std::string_view text);
    // There is no more text.
    void finish() { finished_ = true; }
    // Leaves out the first `bytes` of what is unread, `lines` line ends among them, and takes
    // `delimiter` for what follows: for a header that header_search.h found further down. Only
    // before the first record.
    void start_at(std::size_t bytes, std::int64_t lines, char delimiter);
    [[nodiscard]] ReadStatus next(Record& record);

    // '\0' until the first line has been seen.
    [[nodiscard]] char delimiter() const { return delimiter_; }
    // Text fed but not yet read, for looking ahead.
    [[nodiscard]] std::string_view unread() const { return {data_.get() + begin_, end_ - begin_}; }
    // kResourceExhausted with the limit and the line; only after kLimit.
    [[nodiscard]] Error error() const;

  private:
    // Positions of delimiters, quotes and line ends, found a block at a time and taken in order.
    struct Marks {
        const char* block = nullptr;
        const char* end = nullptr;
        std::uint64_t bits = 0;  // of the marks in this block that are not taken yet
    };

    [[nodiscard]] bool choose_delimiter();
    [[nodiscard]] bool skip_line_ends();
    [[nodiscard]] ReadStatus parse(Record& record);
    [[nodiscard]] bool parse_cells(const char*& position, Record& record);
    [[nodiscard]] const char* quoted_cell(const char* quote, Record& record);
    void add_cell(const char* first, const char* last);
    void start_marks(const char* from);
    void load_marks();
    [[nodiscard]] const char* next_mark();
    [[nodiscard]] const char* next_mark_but_quote();
    void unescape_cells();

    ReaderOptions options_;
    std::unique_ptr<char[]> data_;  // [begin_, end_) is unread; one block more may be looked at
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    Marks marks_;
    const char* marks_from_ = nullptr;  // marks_ holds every mark from here on; nullptr = stale
    char delimiter_;
    bool finished_ = false;
    bool skip_line_feed_ = false;  // the last record ended with a CR at the end of the text
    bool too_wide_ = false;
    bool too_long_ = false;
    std::int64_t line_ = 1;         // physical line at begin_
    std::int64_t inner_lines_ = 0;  // line ends inside the record being parsed
    std::vector<std::string_view> cells_;
    std::vector<std::size_t> escaped_;  // indices of cells with doubled quotes
};

}  // namespace tb::csv
