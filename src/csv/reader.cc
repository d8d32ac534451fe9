#include "csv/reader.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "core/check.h"
#include "core/text.h"

namespace tb::csv {

namespace {

constexpr std::size_t kBlock = 64;  // bytes looked at together
constexpr std::size_t kPadding = kBlock;

// Bit i is set if byte i of the block is one of the four characters. Reads all kBlock bytes.
inline std::uint64_t find_marks(const char* block, char delimiter) {
    std::uint64_t bits = 0;
#if defined(__SSE2__)
    const __m128i want_delimiter = _mm_set1_epi8(delimiter);
    const __m128i want_quote = _mm_set1_epi8('"');
    const __m128i want_cr = _mm_set1_epi8('\r');
    const __m128i want_lf = _mm_set1_epi8('\n');
    for (unsigned part = 0; part < kBlock / 16; ++part) {
        const __m128i bytes =
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + std::size_t{part} * 16));
        const __m128i hits = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, want_delimiter), _mm_cmpeq_epi8(bytes, want_quote)),
            _mm_or_si128(_mm_cmpeq_epi8(bytes, want_cr), _mm_cmpeq_epi8(bytes, want_lf)));
        bits |= std::uint64_t{static_cast<unsigned>(_mm_movemask_epi8(hits))} << (part * 16);
    }
#else
    for (unsigned i = 0; i < kBlock; ++i) {
        const char c = block[i];
        const bool hit = c == delimiter || c == '"' || c == '\r' || c == '\n';
        bits |= std::uint64_t{hit} << i;
    }
#endif
    return bits;
}

// Cells are short and mostly clean: only the rare one with a blank or a non-ASCII byte at its ends
// goes through the general trim.
inline std::string_view trimmed(const char* first, const char* last) {
    const std::string_view text(first, static_cast<std::size_t>(last - first));
    if (text.empty()) {
        return text;
    }
    const auto front = static_cast<unsigned char>(text.front());
    const auto back = static_cast<unsigned char>(text.back());
    if (front <= ' ' || back <= ' ' || front == 0xC2 || back == 0xA0) {
        return trim(text);
    }
    return text;
}

}  // namespace

RecordReader::RecordReader(ReaderOptions options)
    : options_(options), delimiter_(options.delimiter) {
    cells_.reserve(64);
}

void RecordReader::feed(std::string_view text) {
    TB_CHECK(!finished_, "feed after finish");
    marks_from_ = nullptr;
    const std::size_t unread_bytes = end_ - begin_;
    if (end_ + text.size() > capacity_) {
        const std::size_t needed = unread_bytes + text.size();
        if (needed > capacity_ / 2) {
            const std::size_t capacity = std::max<std::size_t>(2 * needed, 4096);
            auto data = std::make_unique<char[]>(capacity + kPadding);
            std::copy_n(data_.get() + begin_, unread_bytes, data.get());
            data_ = std::move(data);
            capacity_ = capacity;
        } else {
            std::memmove(data_.get(), data_.get() + begin_, unread_bytes);
        }
        begin_ = 0;
        end_ = unread_bytes;
    }
    std::copy_n(text.data(), text.size(), data_.get() + end_);
    end_ += text.size();
}

void RecordReader::start_at(std::size_t bytes, std::int64_t lines, char delimiter) {
    TB_CHECK(bytes <= end_ - begin_, "text to leave out must have been fed");
    marks_from_ = nullptr;
    begin_ += bytes;
    line_ += lines;
    delimiter_ = delimiter;
}

// True once the delimiter is known; false while the first line with anything on it is not complete.
// Looks at no more than one record's worth of text, so that the choice never depends on the pieces.
bool RecordReader::choose_delimiter() {
    const std::size_t limit = std::min(end_, begin_ + options_.max_record_bytes);
    std::int64_t commas = 0;
    std::int64_t semicolons = 0;
    std::int64_t tabs = 0;
    bool content = false;
    bool quoted = false;
    bool cell_start = true;
    bool complete = finished_ || limit < end_;
    for (std::size_t i = begin_; i < limit; ++i) {
        const char c = data_[i];
        if (quoted) {
            quoted = c != '"';
        } else if (c == '\n' || c == '\r') {
            if (content) {
                complete = true;
                break;
            }
            commas = semicolons = tabs = 0;
            cell_start = true;
        } else {
            commas += c == ',' ? 1 : 0;
            semicolons += c == ';' ? 1 : 0;
            tabs += c == '\t' ? 1 : 0;
            quoted = c == '"' && cell_start;
            cell_start = c == ',' || c == ';' || c == '\t' || (c == ' ' && cell_start);
            content = content || (c != ' ' && c != '\t');
        }
    }
    if (complete) {
        delimiter_ = semicolons > commas && semicolons >= tabs ? ';' : tabs > commas ? '\t' : ',';
    }
    return complete;
}

// Moves over line ends in front of a record. False if the text ends there.
bool RecordReader::skip_line_ends() {
    while (begin_ < end_) {
        const char c = data_[begin_];
        if (c == '\n') {
            if (!skip_line_feed_) {
                ++line_;
            }
            skip_line_feed_ = false;
        } else if (c == '\r') {
            ++line_;
            skip_line_feed_ = true;
        } else {
            skip_line_feed_ = false;
            return true;
        }
        ++begin_;
    }
    return false;
}

ReadStatus RecordReader::next(Record& record) {
    while (!too_long_ && !too_wide_) {
        if (!skip_line_ends()) {
            return finished_ ? ReadStatus::kEnd : ReadStatus::kNeedMore;
        }
        if (delimiter_ == '\0' && !choose_delimiter()) {
            return ReadStatus::kNeedMore;
        }
        const ReadStatus status = parse(record);
        const bool blank = status == ReadStatus::kRecord && cells_.size() == 1 &&
                           cells_[0].empty() && !record.open_quote;
        if (!blank) {
            return status;
        }
    }
    return ReadStatus::kLimit;
}

inline void RecordReader::load_marks() {
    marks_.bits = find_marks(marks_.block, delimiter_);
    const auto left = static_cast<std::size_t>(marks_.end - marks_.block);
    if (left < kBlock) {
        marks_.bits &= (std::uint64_t{1} << left) - 1;
    }
}

void RecordReader::start_marks(const char* from) {
    marks_ = {from, data_.get() + end_, 0};
    load_marks();
}

// The next mark, which is taken; the end of the text if there is none.
inline const char* RecordReader::next_mark() {
    while (marks_.bits == 0) {
        if (static_cast<std::size_t>(marks_.end - marks_.block) <= kBlock) {
            return marks_.end;
        }
        marks_.block += kBlock;
        load_marks();
    }
    const char* const mark = marks_.block + __builtin_ctzll(marks_.bits);
    marks_.bits &= marks_.bits - 1;
    return mark;
}

inline const char* RecordReader::next_mark_but_quote() {
    const char* mark = next_mark();
    while (mark != marks_.end && *mark == '"') {
        mark = next_mark();
    }
    return mark;
}

inline void RecordReader::add_cell(const char* first, const char* last) {
    cells_.push_back(trimmed(first, last));
}

// The cell that opens with the quote at `quote`; returns the mark that ends it, or the end of the
// text, where `record.open_quote` tells whether the quote was closed.
const char* RecordReader::quoted_cell(const char* quote, Record& record) {
    const char* const content = quote + 1;
    const char* const end = marks_.end;
    const char* mark = next_mark();  // the opening quote itself
    bool escaped = false;
    while (true) {
        mark = next_mark();
        if (mark == end) {
            record.open_quote = true;
            break;
        }
        if (*mark == '"') {
            if (mark + 1 == end || mark[1] != '"') {
                break;
            }
            escaped = true;
            mark = next_mark();
        } else if (*mark == '\r' || (*mark == '\n' && (mark == content || mark[-1] != '\r'))) {
            ++inner_lines_;
        }
    }
    const char* after = record.open_quote ? end : mark + 1;
    while (after < end && (*after == ' ' || (*after == '\t' && delimiter_ != '\t'))) {
        ++after;
    }
    const char* const cell_end = record.open_quote ? end : next_mark_but_quote();
    if (cell_end != after) {
        record.misplaced_quote = true;
        add_cell(content, cell_end);
    } else if (escaped) {
        escaped_.push_back(cells_.size());
        cells_.emplace_back(content, static_cast<std::size_t>(mark - content));
    } else {
        add_cell(content, mark);
    }
    return cell_end;
}

// All cells of the record at `position`, which moves to the mark that ends it. False if the record
// is too wide.
bool RecordReader::parse_cells(const char*& position, Record& record) {
    const char* const end = marks_.end;
    const char* p = position;
    while (true) {
        const char* first = p;
        while (first < end && (*first == ' ' || (*first == '\t' && delimiter_ != '\t'))) {
            ++first;
        }
        if (first < end && *first == '"') {
            p = quoted_cell(first, record);
        } else {
            p = next_mark_but_quote();
            add_cell(first, p);
        }
        if (p == end || *p != delimiter_) {
            position = p;
            return true;
        }
        if (cells_.size() == options_.max_columns) {
            return false;
        }
        ++p;
    }
}

// Doubled quotes become one, in place: only now that the record is complete and will not be parsed
// again.
void RecordReader::unescape_cells() {
    for (const std::size_t index : escaped_) {
        char* const first = data_.get() + (cells_[index].data() - data_.get());
        const char* const last = first + cells_[index].size();
        char* out = first;
        for (const char* p = first; p < last; ++p) {
            *out++ = *p;
            p += *p == '"' ? 1 : 0;
        }
        cells_[index] = trimmed(first, out);
    }
}

ReadStatus RecordReader::parse(Record& record) {
    const char* const start = data_.get() + begin_;
    const char* const end = data_.get() + end_;
    const char* p = start;
    cells_.clear();
    escaped_.clear();
    inner_lines_ = 0;
    record = Record{};
    record.line = line_;
    if (marks_from_ != start) {
        start_marks(start);
    }
    marks_from_ = nullptr;
    if (!parse_cells(p, record)) {
        too_wide_ = true;
        return ReadStatus::kLimit;
    }
    const auto size = static_cast<std::size_t>(p - start);
    if (size > options_.max_record_bytes) {
        too_long_ = true;
        return ReadStatus::kLimit;
    }
    if (p == end && !finished_) {
        return ReadStatus::kNeedMore;
    }
    record.terminated = p < end;
    record.has_nul = std::memchr(start, '\0', size) != nullptr;
    unescape_cells();
    record.cells = cells_;
    line_ += inner_lines_;
    if (record.terminated) {
        skip_line_feed_ = *p == '\r';
        if (skip_line_feed_ && p + 1 < end && p[1] == '\n') {
            p = next_mark();
            skip_line_feed_ = false;
        }
        ++p;
        ++line_;
        marks_from_ = p;
    }
    begin_ = static_cast<std::size_t>(p - data_.get());
    return ReadStatus::kRecord;
}

Error RecordReader::error() const {
    if (too_wide_) {
        return {ErrorCode::kResourceExhausted,
                fmt::format("the record on line {} has more than {} columns", line_,
                            options_.max_columns),
                {}};
    }
    return {ErrorCode::kResourceExhausted,
            fmt::format("the record on line {} is longer than {} bytes; perhaps a quote that opens "
                        "there is never closed",
                        line_, options_.max_record_bytes),
            {}};
}

}  // namespace tb::csv
