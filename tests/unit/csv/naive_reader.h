// A second, plain implementation of the rules in csv/reader.h: one character at a time over the
// whole text, strings copied. The truth for tests and for fuzz/csv_reader_fuzz.cc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "csv/reader.h"

namespace tb::csv::test {

struct Row {
    std::int64_t line = 0;
    std::vector<std::string> cells;
    bool terminated = false;
    bool open_quote = false;
    bool misplaced_quote = false;
    bool has_nul = false;
    bool operator==(const Row&) const = default;
};

struct Rows {
    std::vector<Row> rows;
    bool hit_limit = false;
    bool operator==(const Rows&) const = default;
};

class NaiveReader {
  public:
    NaiveReader(std::string_view text, ReaderOptions options) : text_(text), options_(options) {}

    Rows read_all() {
        Rows result;
        while (true) {
            skip_line_ends();
            if (at_ == text_.size()) {
                return result;
            }
            if (options_.delimiter == '\0') {
                options_.delimiter = choose_delimiter();
            }
            const std::size_t start = at_;
            const auto row = read_record();
            if (!row || record_end_ - start > options_.max_record_bytes) {
                result.hit_limit = true;
                return result;
            }
            if (row->cells.size() > 1 || !row->cells[0].empty() || row->open_quote) {
                result.rows.push_back(*row);
            }
        }
    }

  private:
    [[nodiscard]] bool end() const { return at_ == text_.size(); }
    [[nodiscard]] bool at_line_end() const { return text_[at_] == '\n' || text_[at_] == '\r'; }
    // One line end, however written.
    void take_line_end() {
        at_ += text_.substr(at_, 2) == "\r\n" ? 2 : 1;
        ++line_;
    }
    void skip_line_ends() {
        while (!end() && at_line_end()) {
            take_line_end();
        }
    }
    char choose_delimiter() const {
        std::int64_t commas = 0;
        std::int64_t semicolons = 0;
        std::int64_t tabs = 0;
        bool content = false;
        bool quoted = false;
        bool start = true;
        const std::string_view window = text_.substr(at_, options_.max_record_bytes);
        for (const char c : window) {
            if (quoted) {
                quoted = c != '"';
                continue;
            }
            if (c == '\n' || c == '\r') {
                if (content) {
                    break;
                }
                commas = semicolons = tabs = 0;
                start = true;
                continue;
            }
            commas += c == ',';
            semicolons += c == ';';
            tabs += c == '\t';
            if (c == '"' && start) {
                quoted = true;
            }
            if (c != ' ') {
                start = c == ',' || c == ';' || c == '\t';
            }
            content |= c != ' ' && c != '\t';
        }
        if (semicolons > commas && semicolons >= tabs) {
            return ';';
        }
        return tabs > commas ? '\t' : ',';
    }
    [[nodiscard]] bool blank_here() const {
        return !end() && (text_[at_] == ' ' || (text_[at_] == '\t' && options_.delimiter != '\t'));
    }
    std::string take_until_cell_end() {
        std::string cell;
        while (!end() && !at_line_end() && text_[at_] != options_.delimiter) {
            cell.push_back(text_[at_++]);
        }
        return cell;
    }
    std::string read_quoted(Row& row) {
        const std::size_t content = ++at_;
        std::string cell;
        while (true) {
            if (end()) {
                row.open_quote = true;
                return cell;
            }
            if (text_[at_] == '"') {
                if (text_.substr(at_, 2) != "\"\"") {
                    break;
                }
                cell.push_back('"');
                at_ += 2;
            } else if (at_line_end()) {
                const std::size_t before = at_;
                take_line_end();
                cell.append(text_.substr(before, at_ - before));
            } else {
                cell.push_back(text_[at_++]);
            }
        }
        ++at_;
        while (blank_here()) {
            ++at_;
        }
        if (!take_until_cell_end().empty()) {
            row.misplaced_quote = true;
            return std::string(text_.substr(content, at_ - content));
        }
        return cell;
    }
    std::optional<Row> read_record() {
        Row row;
        row.line = line_;
        const std::size_t start = at_;
        while (true) {
            while (blank_here()) {
                ++at_;
            }
            const bool quoted = !end() && text_[at_] == '"';
            const std::string cell = quoted ? read_quoted(row) : take_until_cell_end();
            row.cells.emplace_back(trim(cell));
            if (end() || at_line_end()) {
                break;
            }
            if (row.cells.size() == options_.max_columns) {
                return std::nullopt;
            }
            ++at_;
        }
        record_end_ = at_;
        row.has_nul = text_.substr(start, at_ - start).find('\0') != std::string_view::npos;
        row.terminated = !end();
        if (row.terminated) {
            take_line_end();
        }
        return row;
    }

    std::string_view text_;
    ReaderOptions options_;
    std::size_t at_ = 0;
    std::size_t record_end_ = 0;
    std::int64_t line_ = 1;
};

// What the real reader delivers for `text` fed in pieces of `piece` bytes.
inline Rows read_in_pieces(std::string_view text, std::size_t piece, ReaderOptions options = {}) {
    RecordReader reader(options);
    Rows result;
    Record record;
    while (true) {
        switch (reader.next(record)) {
            case ReadStatus::kRecord:
                result.rows.push_back({record.line,
                                       {record.cells.begin(), record.cells.end()},
                                       record.terminated,
                                       record.open_quote,
                                       record.misplaced_quote,
                                       record.has_nul});
                break;
            case ReadStatus::kNeedMore:
                if (text.empty()) {
                    reader.finish();
                } else {
                    reader.feed(text.substr(0, piece));
                    text.remove_prefix(std::min(piece, text.size()));
                }
                break;
            case ReadStatus::kEnd:
                return result;
            case ReadStatus::kLimit:
                result.hit_limit = true;
                return result;
        }
    }
}

}  // namespace tb::csv::test
