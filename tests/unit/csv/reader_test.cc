#include "csv/reader.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "naive_reader.h"

namespace tb::csv {
namespace {

using test::NaiveReader;
using test::read_in_pieces;
using test::Row;
using Cells = std::vector<std::string>;

std::vector<Row> read(std::string_view text) {
    return read_in_pieces(text, 1 << 20).rows;
}

std::vector<Cells> cells_of(std::string_view text) {
    std::vector<Cells> all;
    for (const Row& row : read(text)) {
        all.push_back(row.cells);
    }
    return all;
}

TEST(RecordReader, LineEndsMayBeMixedInOneFile) {
    EXPECT_EQ(cells_of("a,b\r\nc,d\ne,f\rg,h"),
              (std::vector<Cells>{{"a", "b"}, {"c", "d"}, {"e", "f"}, {"g", "h"}}));
}

TEST(RecordReader, FilesWithCarriageReturnsAloneAreRead) {
    EXPECT_EQ(cells_of("a,b\r1,2\r3,4\r"),
              (std::vector<Cells>{{"a", "b"}, {"1", "2"}, {"3", "4"}}));
}

TEST(RecordReader, QuotedCellsMayHoldDelimitersLineEndsAndQuotes) {
    EXPECT_EQ(cells_of("\"a,b\",\"c\r\nd\",\"e\"\"f\"\n1,2,3\n"),
              (std::vector<Cells>{{"a,b", "c\r\nd", "e\"f"}, {"1", "2", "3"}}));
}

TEST(RecordReader, BlankLinesAreSkippedButCounted) {
    const auto rows = read("\n  \na,b\r\n\r\n\t\n1,2\n\n");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].line, 3);
    EXPECT_EQ(rows[1].line, 6);
}

TEST(RecordReader, LinesAreCountedThroughQuotedLineEnds) {
    const auto rows = read("h\r\n\"1\r\n2\n3\r4\"\r\nlast\r\n");
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[1].line, 2);
    EXPECT_EQ(rows[2].line, 6);
}

TEST(RecordReader, DelimiterIsTheMostFrequentOfTheHeaderLineOutsideQuotes) {
    EXPECT_EQ(cells_of("a;b\n1,5;2\n"), (std::vector<Cells>{{"a", "b"}, {"1,5", "2"}}));
    EXPECT_EQ(cells_of("a\tb\n1,5\t2\n"), (std::vector<Cells>{{"a", "b"}, {"1,5", "2"}}));
    EXPECT_EQ(cells_of("\"a;b;c\",d\n1,2\n"), (std::vector<Cells>{{"a;b;c", "d"}, {"1", "2"}}));
    EXPECT_EQ(cells_of("alone\n1,2\n"), (std::vector<Cells>{{"alone"}, {"1", "2"}}));
}

TEST(RecordReader, CellsAreTrimmedInsideQuotesToo) {
    EXPECT_EQ(cells_of(" a ,\t\" b \" ,\xC2\xA0"
                       "c\xC2\xA0\n"),
              (std::vector<Cells>{{"a", "b", "c"}}));
}

TEST(RecordReader, TabFilesKeepEmptyCells) {
    EXPECT_EQ(cells_of("a\tb\tc\n\t\tx\n"), (std::vector<Cells>{{"a", "b", "c"}, {"", "", "x"}}));
}

TEST(RecordReader, QuoteInsideAnUnquotedCellIsAnOrdinaryCharacter) {
    const auto rows = read("5\" tv,b\n");
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].cells, (Cells{"5\" tv", "b"}));
    EXPECT_FALSE(rows[0].misplaced_quote);
}

TEST(RecordReader, TextBehindAClosingQuoteMarksTheRecord) {
    const auto rows = read("\"a\"b,c\n\"d\" ,e\n");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_TRUE(rows[0].misplaced_quote);
    EXPECT_FALSE(rows[1].misplaced_quote);
    EXPECT_EQ(rows[1].cells, (Cells{"d", "e"}));
}

TEST(RecordReader, LastRecordWithoutLineEndIsDeliveredAndTold) {
    const auto rows = read("a,b\n1,2");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_TRUE(rows[0].terminated);
    EXPECT_FALSE(rows[1].terminated);
}

TEST(RecordReader, QuoteLeftOpenAtTheEndIsTold) {
    const auto rows = read("a,b\n1,\"2\n3,4\n");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_TRUE(rows[1].open_quote);
    EXPECT_FALSE(rows[1].terminated);
    EXPECT_EQ(rows[1].line, 2);
}

TEST(RecordReader, TrailingDelimiterMakesAnEmptyLastCell) {
    EXPECT_EQ(cells_of("a,b,\n1,2,"), (std::vector<Cells>{{"a", "b", ""}, {"1", "2", ""}}));
}

TEST(RecordReader, NulBytesAreToldPerRecord) {
    const auto rows = read(std::string_view("a,b\n1,\0\n3,4\n", 12));
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_FALSE(rows[0].has_nul);
    EXPECT_TRUE(rows[1].has_nul);
    EXPECT_FALSE(rows[2].has_nul);
}

TEST(RecordReader, RecordBeyondTheByteLimitStopsWithItsLine) {
    RecordReader reader({.max_record_bytes = 10});
    reader.feed("a,b\n12345,67890\n");
    reader.finish();
    Record record;
    EXPECT_EQ(reader.next(record), ReadStatus::kRecord);
    EXPECT_EQ(reader.next(record), ReadStatus::kLimit);
    EXPECT_EQ(reader.next(record), ReadStatus::kLimit);
    EXPECT_EQ(reader.error().code, ErrorCode::kResourceExhausted);
    EXPECT_NE(reader.error().message.find("line 2"), std::string::npos);
}

TEST(RecordReader, OpenQuoteInAnEndlessFileStopsAtTheByteLimit) {
    RecordReader reader({.max_record_bytes = 100});
    reader.feed("a,b\n\"1,2\n");
    Record record;
    EXPECT_EQ(reader.next(record), ReadStatus::kRecord);
    EXPECT_EQ(reader.next(record), ReadStatus::kNeedMore);
    reader.feed(std::string(200, 'x'));
    EXPECT_EQ(reader.next(record), ReadStatus::kLimit);
}

TEST(RecordReader, RecordBeyondTheColumnLimitStops) {
    EXPECT_FALSE(read_in_pieces("1,2,3\n", 100, {.max_columns = 3}).hit_limit);
    EXPECT_TRUE(read_in_pieces("1,2,3,4\n", 100, {.max_columns = 3}).hit_limit);
}

// Texts made of the characters that matter.
rc::Gen<std::string> csv_like() {
    return rc::gen::container<std::string>(rc::gen::weightedElement<char>({{6, 'a'},
                                                                           {4, '1'},
                                                                           {5, ','},
                                                                           {2, ';'},
                                                                           {2, '\t'},
                                                                           {5, '"'},
                                                                           {3, '\n'},
                                                                           {3, '\r'},
                                                                           {2, ' '},
                                                                           {1, '\0'},
                                                                           {1, '\xC2'},
                                                                           {1, '\xA0'}}));
}

TEST(RecordReader, AgreesWithTheNaiveReaderOnAnyTextInAnyPieces) {
    EXPECT_TRUE(rc::check([] {
        const std::string text = *rc::gen::scale(4.0, csv_like());
        const auto piece = *rc::gen::inRange<std::size_t>(1, 90);
        const ReaderOptions options{.max_record_bytes = *rc::gen::element<std::size_t>(40, 1000),
                                    .max_columns = *rc::gen::element<std::size_t>(5, 1000)};
        const auto naive = NaiveReader(text, options).read_all();
        RC_ASSERT(read_in_pieces(text, piece, options) == naive);
        RC_ASSERT(read_in_pieces(text, 1, options) == naive);
    }));
}

std::string quoted(const std::string& cell) {
    std::string text = "\"";
    for (const char c : cell) {
        text += c == '"' ? "\"\"" : std::string(1, c);
    }
    return text + "\"";
}

TEST(RecordReader, ReadsBackWhatIsRendered) {
    EXPECT_TRUE(rc::check([] {
        const auto table = *rc::gen::container<std::vector<Cells>>(rc::gen::container<Cells>(
            3, rc::gen::map(csv_like(),
                            [](std::string cell) { return std::string(trim("x" + cell + "y")); })));
        std::string text;
        for (const Cells& row : table) {
            text += quoted(row[0]) + "," + quoted(row[1]) + "," + quoted(row[2]) + "\r\n";
        }
        std::vector<Cells> got;
        for (const Row& row : read_in_pieces(text, 7, {.delimiter = ','}).rows) {
            got.push_back(row.cells);
        }
        RC_ASSERT(got == table);
    }));
}

}  // namespace
}  // namespace tb::csv
