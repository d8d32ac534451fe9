#include "cli/terminal.h"

#include <array>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/record_output.h"
#include "cli/table.h"
#include "core/unique_fd.h"

namespace tb::cli {
namespace {

// A terminal whose streams end in pipes.
class Pipes {
  public:
    Pipes() {
        open(out_read_, settings.out_fd);
        open(err_read_, settings.err_fd);
    }
    Pipes(const Pipes&) = delete;
    Pipes& operator=(const Pipes&) = delete;
    ~Pipes() {
        ::close(settings.out_fd);
        ::close(settings.err_fd);
    }
    [[nodiscard]] std::string out() const { return read(out_read_.get()); }
    [[nodiscard]] std::string err() const { return read(err_read_.get()); }
    void close_reader() { out_read_.reset(); }

    TerminalSettings settings;

  private:
    static void open(UniqueFd& reader, int& writer) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
        reader.reset(ends[0]);
        writer = ends[1];
    }
    static std::string read(int fd) {
        std::string text(1 << 16, '\0');
        const ssize_t got = ::read(fd, text.data(), text.size());
        text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        return text;
    }
    UniqueFd out_read_;
    UniqueFd err_read_;
};

TEST(Output, WritesEverythingOnFlush) {
    Pipes pipes;
    Terminal terminal(pipes.settings);
    terminal.out().write("one ");
    terminal.out().write("two");
    EXPECT_EQ(pipes.out(), "");
    terminal.out().flush();
    EXPECT_EQ(pipes.out(), "one two");
}

TEST(Output, AReaderThatWentAwayIsNoError) {
    ::signal(SIGPIPE, SIG_IGN);
    Pipes pipes;
    Terminal terminal(pipes.settings);
    pipes.close_reader();
    terminal.out().write("nobody reads this");
    terminal.out().flush();
    EXPECT_TRUE(terminal.out().closed());
    EXPECT_EQ(terminal.out().error(), 0);
}

TEST(Output, AFullDiskIsAnError) {
    const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    if (!full.valid()) {
        GTEST_SKIP() << "needs /dev/full";
    }
    Output out(full.get());
    out.write("text");
    out.flush();
    EXPECT_EQ(out.error(), ENOSPC);
}

TEST(Output, ATerminalGetsNoControlCharacters) {
    constexpr std::string_view kEvil =
        "a\x1b[2Jb\x1b]0;owned\x07"
        "c\rd\x08\x7f\u009b31me\u202Ef\n\tg\x1b[31mh\xff";
    Pipes pipes;
    {
        Terminal terminal(pipes.settings);
        terminal.out().write_data(kEvil);
        terminal.out().write(kEvil);
    }
    EXPECT_EQ(pipes.out(), std::string(kEvil) + std::string(kEvil));  // a pipe: byte for byte
    pipes.settings.out_width = 80;
    {
        Terminal terminal(pipes.settings);
        terminal.out().write_data(kEvil);
    }
    EXPECT_EQ(pipes.out(), "a␛[2Jb␛]0;owned␇c␍d␈␡\uFFFD31me\uFFFDf\n\tg␛[31mh\uFFFD");
    pipes.settings.out_colour = true;
    {
        Terminal terminal(pipes.settings);
        terminal.out().write(terminal.paint(Style::kRed, "x") + "\x1b[5m\n");
    }
    EXPECT_EQ(pipes.out(), "\x1b[31mx\x1b[0m␛[5m\n");
}

TEST(Output, CharactersMayComeInPieces) {
    Pipes pipes;
    pipes.settings.out_width = 80;
    Terminal terminal(pipes.settings);
    for (const char c : std::string_view("é€😀\u009b")) {
        terminal.out().write_data({&c, 1});
    }
    terminal.out().write_data("\xe2\x82");  // never ends
    terminal.out().write("!");
    terminal.out().flush();
    EXPECT_EQ(pipes.out(), "é€😀\uFFFD\uFFFD\uFFFD!");
}

TEST(Terminal, MessagesGoToStandardErrorWithoutColourInAPipe) {
    Pipes pipes;
    Terminal terminal(pipes.settings);
    terminal.error({ErrorCode::kNotFound, "no such folder", "/data"});
    terminal.warning("odd");
    EXPECT_EQ(pipes.err(),
              "tradeblocks: error: /data: no such folder\ntradeblocks: warning: odd\n");
    EXPECT_EQ(pipes.out(), "");
}

TEST(Terminal, EveryLineOfAMessageSaysWhoSpeaks) {
    Pipes pipes;
    Terminal terminal(pipes.settings);
    terminal.error(
        {ErrorCode::kInvalidArgument, "no such table\n\nLINE 1: SELECT\x1b[2J\n  ^", ""});
    EXPECT_EQ(pipes.err(),
              "tradeblocks: error: no such table\n"
              "tradeblocks:   LINE 1: SELECT␛[2J\n"
              "tradeblocks:     ^\n");
}

TEST(Terminal, ColoursOnlyWhereSettingsSaySo) {
    Pipes pipes;
    EXPECT_EQ(Terminal(pipes.settings).paint(Style::kRed, "x"), "x");
    pipes.settings.out_colour = true;
    EXPECT_EQ(Terminal(pipes.settings).paint(Style::kRed, "x"), "\x1b[31mx\x1b[0m");
    EXPECT_EQ(Terminal(pipes.settings).paint(Style::kPlain, "x"), "x");
}

TEST(Terminal, ProgressWithinAFileIsAShareOfIt) {
    Pipes pipes;
    pipes.settings.show_progress = true;
    Terminal terminal(pipes.settings);
    terminal.progress({50'000'000, 200'000'000, "bytes", "MEIC: tradelog.csv, 250,000 rows"});
    EXPECT_NE(pipes.err().find("[######..................] 25%  MEIC: tradelog.csv, 250,000 rows"),
              std::string::npos);
}

TEST(Terminal, ProgressIsQuietInAPipeAndClearedOnATerminal) {
    Pipes pipes;
    {
        Terminal terminal(pipes.settings);
        terminal.progress({3, 10, "blocks", "MEIC"});
        EXPECT_EQ(pipes.err(), "");
    }
    pipes.settings.show_progress = true;
    pipes.settings.width = 60;
    Terminal terminal(pipes.settings);
    terminal.progress({3, 12, "blocks", "Iron\x1b[2J Condor"});
    const std::string line = pipes.err();
    EXPECT_EQ(line.substr(0, 41), "\r[######..................] 3/12 blocks  ");
    EXPECT_EQ(line.find("\x1b[2J"), std::string::npos) << "names cannot control the terminal";
    terminal.note("done");
    EXPECT_EQ(pipes.err(), "\r\x1b[Ktradeblocks: done\n");
}

TEST(Printable, ShowsControlCharactersInsteadOfObeyingThem) {
    EXPECT_EQ(printable("a\x1b[31mb\n\tc"), "a␛[31mb␊␉c");
    EXPECT_EQ(printable("caf\xE9"), "caf\uFFFD");
    EXPECT_EQ(printable("x\u202Ey"), "x\uFFFDy");
    EXPECT_EQ(printable("żółw 日本 🎯"), "żółw 日本 🎯");
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
    EXPECT_EQ(display_width("abc"), 3U);
    EXPECT_EQ(display_width("żó"), 2U);
    EXPECT_EQ(display_width("日本"), 4U);
    EXPECT_EQ(display_width("e\u0301"), 1U);
}

TEST(Shorten, CutsAtCharactersAndSaysSo) {
    EXPECT_EQ(shorten("abcdef", 6), "abcdef");
    EXPECT_EQ(shorten("abcdef", 4), "abc…");
    EXPECT_EQ(shorten("日本語", 5), "日本…");
    EXPECT_EQ(shorten("日本語", 4), "日…");
    EXPECT_EQ(shorten("abc", 0), "");
}

TEST(Numbers, AreGroupedAndCounted) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1'000), "1,000");
    EXPECT_EQ(grouped(-1'234'567), "-1,234,567");
    EXPECT_EQ(counted(1, "block"), "1 block");
    EXPECT_EQ(counted(2'000, "row"), "2,000 rows");
    EXPECT_EQ(duration_text(12.4), "12 ms");
    EXPECT_EQ(duration_text(1'234), "1.23 s");
    EXPECT_EQ(duration_text(125'000), "2 min 5 s");
}

TEST(Table, AlignsAndNeverCutsInAPipe) {
    Pipes pipes;
    Terminal terminal(pipes.settings);
    Table table({{"NAME"}, {"ROWS", Align::kRight}});
    table.add({"a rather long name of a block", "7"});
    table.add({"b", "1,234"});
    table.print(terminal);
    terminal.out().flush();
    EXPECT_EQ(pipes.out(),
              "NAME                            ROWS\n"
              "a rather long name of a block      7\n"
              "b                              1,234\n");
}

TEST(Table, ShrinksTheWidestColumnOnANarrowTerminal) {
    Pipes pipes;
    const Terminal terminal(pipes.settings);
    Table table({{"NAME", Align::kLeft, 6}, {"ROWS", Align::kRight}});
    table.add({"a rather long name", "7"});
    EXPECT_EQ(table.render(16, terminal), "NAME        ROWS\na rather …     7\n");
    // Never below the least width, even if that does not fit.
    EXPECT_EQ(table.render(4, terminal), "NAME  a rat…\nROWS  7\n");
}

// "$19,73…" would be another amount.
TEST(Table, NumbersAreNeverShortened) {
    const Terminal terminal{TerminalSettings{}};
    Table table({{"BLOCK"}, {"NET P/L", Align::kRight, 4}, {"NOTE"}});
    table.add({"a long name of a block", "$1,234,567.89", "a long note"});
    const std::string text = table.render(34, terminal);
    EXPECT_NE(text.find("$1,234,567.89"), std::string::npos) << text;
    for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1) {
        EXPECT_LE(display_width(text.substr(begin, text.find('\n', begin) - begin)), 34U) << text;
    }
}

TEST(Table, WhatDoesNotFitStandsRowByRow) {
    const Terminal terminal{TerminalSettings{}};
    Table table({{"BLOCK"}, {"NET P/L", Align::kRight}, {"FEES", Align::kRight}});
    table.add({"MEIC", "$1,234,567.89", "$2,283.92"});
    table.add({"Flies", "-$12.00", "$0.00"});
    EXPECT_EQ(table.render(24, terminal),
              "BLOCK    MEIC\n"
              "NET P/L  $1,234,567.89\n"
              "FEES     $2,283.92\n"
              "\n"
              "BLOCK    Flies\n"
              "NET P/L  -$12.00\n"
              "FEES     $0.00\n");
}

TEST(Table, AFewWideRowsAreTurnedAndStandSideBySide) {
    const Terminal terminal{TerminalSettings{}};
    Table table({{"Strategy"},
                 {"Trades", Align::kRight},
                 {"Net P/L", Align::kRight},
                 {"Best", Align::kRight},
                 {"Note"}});
    table.add({"Morning", "12", "$1,234.00", "$500.00", "-"});
    table.add({"A rather long name", "3", "-$5.00", "$12.00", "-"});
    EXPECT_EQ(table.render(32, terminal),
              "Strategy    Morning  A rather l…\n"
              "Trades           12            3\n"
              "Net P/L   $1,234.00       -$5.00\n"
              "Best        $500.00       $12.00\n");
    EXPECT_EQ(table.render(0, terminal).substr(0, 8), "Strategy");
}

TEST(Table, ColumnsOfNamesThatDoNotFitGoBelow) {
    const Terminal terminal{TerminalSettings{}};
    Table table({{"Figure"},
                 {"MEIC", Align::kRight},
                 {"Weekly Put Spread", Align::kRight},
                 {"Flies", Align::kRight}});
    table.set_titles_are_names();
    table.add({"Net P/L", "$1,234.00", "-$5.00", "$7.00"});
    EXPECT_EQ(table.render(29, terminal),
              "Figure        MEIC  Weekly P…\n"
              "Net P/L  $1,234.00     -$5.00\n"
              "\n"
              "Figure   Flies\n"
              "Net P/L  $7.00\n");
}

TEST(Table, ColumnsWithoutAnyValueGiveWayFirst) {
    const Terminal terminal{TerminalSettings{}};
    Table table({{"BLOCK"}, {"FILE", Align::kLeft, 12}, {"MESSAGE", Align::kLeft, 10}});
    table.add({"MEIC", "tradelog.csv", "-"});
    EXPECT_EQ(table.render(24, terminal), "BLOCK  FILE\nMEIC   tradelog.csv\n");
    EXPECT_NE(table.render(40, terminal).find("MESSAGE"), std::string::npos);
}

TEST(Table, OptionalColumnsGiveWayAndALineSaysSo) {
    const Terminal terminal{TerminalSettings{}};
    Table table({{"BLOCK"}, {"ROWS", Align::kRight}, {"SYNCED", Align::kLeft, 19, true}});
    table.add({"MEIC", "788", "2026-11-28 04:05:52"});
    EXPECT_EQ(table.render(24, terminal),
              "BLOCK  ROWS\n"
              "MEIC    788\n"
              "(no room for SYNCED; --json has all)\n");
    EXPECT_NE(table.render(0, terminal).find("SYNCED"), std::string::npos);
}

TEST(RecordOutput, JsonKeepsTypesAndNulls) {
    Pipes pipes;
    Terminal terminal(pipes.settings);
    RecordOutput records(
        {{"id", "ID"}, {"count", "COUNT", Align::kRight}, {"note", ""}, {"", "X"}});
    records.add(
        {std::string("a\"b\xFF"), std::int64_t{12'345}, RecordValue(), std::string("only")});
    records.print(terminal, true);
    terminal.out().flush();
    EXPECT_EQ(pipes.out(),
              "[\n  {\n    \"id\": \"a\\\"b\uFFFD\",\n    \"count\": 12345,\n"
              "    \"note\": null\n  }\n]\n");
    records.print(terminal, false);
    terminal.out().flush();
    EXPECT_EQ(pipes.out(), "ID     COUNT  X\na\"b\uFFFD  12,345  only\n");
}

TEST(RecordOutput, NoRecordsAreAnEmptyArray) {
    Pipes pipes;
    Terminal terminal(pipes.settings);
    const RecordOutput none(std::vector<RecordField>{{"id", "ID"}});
    none.print(terminal, true);
    terminal.out().flush();
    EXPECT_EQ(pipes.out(), "[]\n");
}

}  // namespace
}  // namespace tb::cli
