// Headers that are not on the first line.
#include "csv/header_search.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "csv/reader.h"

namespace tb::csv {
namespace {

bool is_header(std::span<const std::string> cells) {
    return cells.size() >= 2 && cells[0] == "Date Opened" && cells[1] == "P/L";
}

struct Found {
    std::int64_t lines = -1;
    char delimiter = '\0';
    std::string note;
    std::vector<std::string> row;
    std::int64_t row_line = 0;
};

Found find(const std::string& text) {
    Found found;
    const auto place = find_header(text, true, is_header);
    if (!place) {
        return found;
    }
    found.lines = place->lines;
    found.delimiter = place->delimiter;
    found.note = header_note(*place, text);
    RecordReader reader;
    reader.feed(text);
    reader.finish();
    reader.start_at(place->offset, place->lines, place->delimiter);
    Record record;
    EXPECT_EQ(reader.next(record), ReadStatus::kRecord);
    EXPECT_TRUE(is_header(std::vector<std::string>(record.cells.begin(), record.cells.end())));
    EXPECT_EQ(record.line, place->lines + 1);
    EXPECT_EQ(reader.next(record), ReadStatus::kRecord);
    found.row.assign(record.cells.begin(), record.cells.end());
    found.row_line = record.line;
    return found;
}

TEST(HeaderSearch, TheFirstLineIsTheUsualCase) {
    const auto found = find("Date Opened,P/L\n1,2\n");
    EXPECT_EQ(found.lines, 0);
    EXPECT_EQ(found.note, "");
    EXPECT_EQ(found.row, (std::vector<std::string>{"1", "2"}));
}

TEST(HeaderSearch, ALineThatNamesTheSeparatorIsObeyed) {
    for (const std::string first : {"sep=;", "SEP=;", "\"sep=;\"", "sep=; "}) {
        const auto found = find(first + "\r\nDate Opened;P/L\r\n1;2,5\r\n");
        EXPECT_EQ(found.lines, 1) << first;
        EXPECT_EQ(found.delimiter, ';');
        EXPECT_EQ(found.note, "");
        EXPECT_EQ(found.row, (std::vector<std::string>{"1", "2,5"}));
        EXPECT_EQ(found.row_line, 3);
    }
    EXPECT_EQ(find("sep=\t\nDate Opened\tP/L\n1\t2\n").delimiter, '\t');
    EXPECT_EQ(find("sep=|\nDate Opened|P/L\n1|2\n").delimiter, '|');
    EXPECT_EQ(find("sep=,\nDate Opened,P/L\n1,2\n").delimiter, ',');
}

TEST(HeaderSearch, TitlesAndBlankLinesAreStepped) {
    const auto title = find("Table 1\nDate Opened;P/L\n1;2\n");
    EXPECT_EQ(title.lines, 1);
    EXPECT_EQ(title.delimiter, ';');
    EXPECT_EQ(title.note, "the header is on line 2; one line above it is not read");
    const auto more = find("\n  \nMy account, 12345678\n;;;\n\nDate Opened,P/L\n1,2\n");
    EXPECT_EQ(more.lines, 5);
    EXPECT_EQ(more.delimiter, ',');
    EXPECT_EQ(more.note, "the header is on line 6; 2 lines above it are not read");
    EXPECT_EQ(more.row_line, 7);
    EXPECT_EQ(find("\n\nDate Opened,P/L\n1,2\n").note, "");
}

TEST(HeaderSearch, OnlyTheFirstLinesAreLookedAt) {
    std::string text;
    for (int i = 0; i < kHeaderSearchLines - 1; ++i) {
        text += "x\n";
    }
    EXPECT_EQ(find(text + "Date Opened,P/L\n1,2\n").lines, kHeaderSearchLines - 1);
    EXPECT_EQ(find("x\n" + text + "Date Opened,P/L\n1,2\n").lines, -1);
    EXPECT_EQ(find("").lines, -1);
    EXPECT_EQ(find("foo,bar\n1,2\n").lines, -1);
}

TEST(HeaderSearch, AHeaderThatIsNotWholeYetIsNone) {
    EXPECT_FALSE(find_header("Date Opened,P/L", false, is_header).has_value());
    EXPECT_TRUE(find_header("Date Opened,P/L", true, is_header).has_value());
}

}  // namespace
}  // namespace tb::csv
