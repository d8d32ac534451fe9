#include "csv/header_search.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "core/text.h"
#include "csv/reader.h"

namespace tb::csv {

namespace {

// The line at the front of `text`, without its end; `size` counts the end too.
struct Line {
    std::string_view text;
    std::size_t size = 0;
    bool terminated = false;
};

Line first_line(std::string_view text) {
    const std::size_t end = text.find_first_of("\r\n");
    if (end == std::string_view::npos) {
        return {text, text.size(), false};
    }
    const bool pair = text.substr(end, 2) == "\r\n";
    return {text.substr(0, end), end + (pair ? 2 : 1), true};
}

bool is_blank(std::string_view line) {
    return trim(line).empty();
}

// The cells of the record at the front of `text`; empty if it is not whole.
std::vector<std::string> cells_at(std::string_view text, bool complete, char delimiter) {
    RecordReader reader({.delimiter = delimiter});
    reader.feed(text);
    if (complete) {
        reader.finish();
    }
    Record record;
    if (reader.next(record) != ReadStatus::kRecord || record.open_quote) {
        return {};
    }
    return {record.cells.begin(), record.cells.end()};
}

}  // namespace

std::optional<char> named_delimiter(std::string_view line) {
    line = line.substr(0, line.find_last_not_of(" \"\r\n") + 1);
    line = line.substr(std::min(line.find_first_not_of(" \""), line.size()));
    if (line.size() < 4 || !equals_ignoring_case(line.substr(0, 4), "sep=")) {
        return std::nullopt;
    }
    const std::string_view sign = line.substr(4);
    if (sign.size() == 1 && (sign == "," || sign == ";" || sign == "\t" || sign == "|")) {
        return sign.front();
    }
    return std::nullopt;
}

std::optional<HeaderPlace> find_header(std::string_view text, bool complete,
                                       const IsHeader& is_header) {
    HeaderPlace place;
    std::vector<char> delimiters = {',', ';', '\t'};
    while (place.lines < kHeaderSearchLines && place.offset < text.size()) {
        const std::string_view rest = text.substr(place.offset);
        const Line line = first_line(rest);
        if (place.lines == 0) {
            if (const auto named = named_delimiter(line.text)) {
                delimiters = {*named};
                place.named_delimiter = true;
            }
        }
        std::sort(delimiters.begin(), delimiters.end(), [&line](char a, char b) {
            return std::count(line.text.begin(), line.text.end(), a) >
                   std::count(line.text.begin(), line.text.end(), b);
        });
        if (!is_blank(line.text)) {
            for (const char delimiter : delimiters) {
                const auto cells = cells_at(rest, complete, delimiter);
                if (!cells.empty() && is_header(cells)) {
                    place.delimiter = delimiter;
                    return place;
                }
            }
        }
        place.offset += line.size;
        ++place.lines;
    }
    return std::nullopt;
}

std::string header_note(const HeaderPlace& place, std::string_view text) {
    std::string_view above = text.substr(0, place.offset);
    std::int64_t written = 0;
    for (bool first = true; !above.empty(); first = false) {
        const Line line = first_line(above);
        const bool names_delimiter = first && place.named_delimiter;
        written += is_blank(line.text) || names_delimiter ? 0 : 1;
        above.remove_prefix(line.size);
    }
    if (written == 0) {
        return {};
    }
    return fmt::format("the header is on line {}; {} above it {} not read", place.lines + 1,
                       written == 1 ? std::string("one line") : fmt::format("{} lines", written),
                       written == 1 ? "is" : "are");
}

}  // namespace tb::csv
