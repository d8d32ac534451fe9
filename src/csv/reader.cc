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

constexpr std::size_t kPadding = 16;  // find_any looks at whole blocks of this size

// First of the three characters in [p, end), or end. Reads up to kPadding bytes past end.
inline const char* find_any(const char* p, const char* end, char a, char b, char c) {
#if defined(__SSE2__)
    const __m128i want_a = _mm_set1_epi8(a);
    const __m128i want_b = _mm_set1_epi8(b);
    const __m128i want_c = _mm_set1_epi8(c);
    while (p < end) {
        const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i hits =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, want_a), _mm_cmpeq_epi8(block, want_b)),
                         _mm_cmpeq_epi8(block, want_c));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hits));
        if (mask != 0) {
            return std::min(p + __builtin_ctz(mask), end);
        }
        p += kPadding;
    }
    return end;
#else
    while (p < end && *p != a && *p != b && *p != c) {
        ++p;
    }
    return p;
#endif
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

// What follows a cell that ended at `at`.
RecordReader::CellEnd RecordReader::end_cell(const char* at) const {
    if (at == data_.get() + end_) {
        return finished_ ? CellEnd::kRecord : CellEnd::kMissing;
    }
    return *at == delimiter_ ? CellEnd::kDelimiter : CellEnd::kRecord;
}

RecordReader::CellEnd RecordReader::parse_quoted(const char*& position, Record& record) {
    const char* const end = data_.get() + end_;
    const char* const content = position + 1;
    const char* p = content;
    bool escaped = false;
    while (true) {
        p = find_any(p, end, '"', '\n', '\r');
        if (p == end) {
            record.open_quote = true;
            break;
        }
        if (*p != '"') {
            ++inner_lines_;
            p += *p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1;
            continue;
        }
        if (p + 1 == end && !finished_) {
            return CellEnd::kMissing;
        }
        if (p + 1 == end || p[1] != '"') {
            break;
        }
        escaped = true;
        p += 2;
    }
    const char* after = record.open_quote ? end : p + 1;
    while (after < end && (*after == ' ' || (*after == '\t' && delimiter_ != '\t'))) {
        ++after;
    }
    position = find_any(after, end, delimiter_, '\n', '\r');
    if (position == after) {
        if (escaped) {
            escaped_.push_back(cells_.size());
            cells_.emplace_back(content, static_cast<std::size_t>(p - content));
        } else {
            cells_.push_back(trimmed(content, p));
        }
    } else {
        record.misplaced_quote = true;
        cells_.push_back(trimmed(content, position));
    }
    return end_cell(position);
}

RecordReader::CellEnd RecordReader::parse_cell(const char*& position, Record& record) {
    const char* const end = data_.get() + end_;
    const char* p = position;
    while (p < end && (*p == ' ' || (*p == '\t' && delimiter_ != '\t'))) {
        ++p;
    }
    if (p < end && *p == '"') {
        position = p;
        return parse_quoted(position, record);
    }
    const char* const first = p;
    position = find_any(p, end, delimiter_, '\n', '\r');
    cells_.push_back(trimmed(first, position));
    return end_cell(position);
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
    while (true) {
        const CellEnd cell_end = parse_cell(p, record);
        if (cell_end == CellEnd::kMissing) {
            too_long_ = end_ - begin_ > options_.max_record_bytes;
            return too_long_ ? ReadStatus::kLimit : ReadStatus::kNeedMore;
        }
        if (cell_end == CellEnd::kRecord) {
            break;
        }
        ++p;  // the delimiter
        if (cells_.size() == options_.max_columns) {
            too_wide_ = true;
            return ReadStatus::kLimit;
        }
    }
    const auto size = static_cast<std::size_t>(p - start);
    if (size > options_.max_record_bytes) {
        too_long_ = true;
        return ReadStatus::kLimit;
    }
    record.terminated = p < end;
    record.has_nul = std::memchr(start, '\0', size) != nullptr;
    unescape_cells();
    record.cells = cells_;
    line_ += inner_lines_;
    if (record.terminated) {
        skip_line_feed_ = *p == '\r';
        ++p;
        ++line_;
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
