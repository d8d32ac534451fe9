// Where a command's words go: answers to standard output, everything else to standard error.
//
// Colour and progress appear only on a terminal, colour never with NO_COLOR set or TERM=dumb. Text
// that comes from files is made harmless before it reaches a terminal (printable()): an export must
// not be able to move the cursor or fake a line. What is written to a terminal is filtered once
// more on its way out; in a pipe and in a file every byte is what the command wrote.
//
// Single-thread, except Terminal::progress, which may be called from any one thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/progress.h"
#include "core/result.h"

namespace tb::cli {

// A buffered writer onto a file descriptor. After the first failure everything is dropped.
class Output {
  public:
    explicit Output(int fd, bool is_terminal = false) : fd_(fd), is_terminal_(is_terminal) {}
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    Output(Output&&) = delete;
    Output& operator=(Output&&) = delete;
    ~Output() { flush(); }

    // Our own words: on a terminal only line ends, tabs and the escapes of paint() pass as
    // controls.
    void write(std::string_view text);
    // Rows of a query, JSON, a page: on a terminal not even those escapes pass. May be called with
    // any pieces of a text, also such as end within a character.
    void write_data(std::string_view text);
    void flush();
    // The reader went away (`| head`): no failure of ours, but no reason to go on.
    [[nodiscard]] bool closed() const { return closed_; }
    // errno of the first other failure (disk full), 0 if none.
    [[nodiscard]] int error() const { return error_; }

  private:
    void append(std::string_view text);
    void end_data();
    void send();

    int fd_;
    bool is_terminal_;
    std::string buffer_;
    std::string begun_;  // the first bytes of a character of write_data, on a terminal
    bool closed_ = false;
    int error_ = 0;
};

enum class Style { kPlain, kBold, kDim, kRed, kGreen, kYellow };

struct TerminalSettings {
    int out_fd = 1;
    int err_fd = 2;
    bool out_colour = false;
    bool err_colour = false;
    bool show_progress = false;
    std::size_t width = 80;     // columns of the terminal, for progress lines
    std::size_t out_width = 0;  // columns of standard output, 0 = not a terminal: no limit

    // From the descriptors and the environment of this process.
    [[nodiscard]] static TerminalSettings detect();
};

class Terminal {
  public:
    explicit Terminal(const TerminalSettings& settings);

    // The command's answer.
    [[nodiscard]] Output& out() { return out_; }
    [[nodiscard]] std::string paint(Style style, std::string_view text) const;
    [[nodiscard]] std::size_t out_width() const { return settings_.out_width; }
    [[nodiscard]] const TerminalSettings& settings() const { return settings_; }

    // On standard error, progress bar cleared first. Every line of the text says who speaks: what
    // stands in a file cannot pass for a message of another program.
    void note(std::string_view text);     // "tradeblocks: ..."
    void warning(std::string_view text);  // "tradeblocks: warning: ..."
    void error(const Error& error);       // "tradeblocks: error: ..."

    // Draws at most ten times a second; clear_progress() removes the line.
    void progress(const Progress& progress);
    void clear_progress();

  private:
    void message(Style style, std::string_view prefix, std::string_view text);

    TerminalSettings settings_;
    Output out_;
    Output err_;
    std::chrono::steady_clock::time_point last_drawn_;
    bool progress_shown_ = false;
};

// Control characters and invalid UTF-8 replaced by visible stand-ins.
[[nodiscard]] std::string printable(std::string_view text);
// Columns a terminal uses for printable text: combining characters 0, East Asian wide ones 2.
[[nodiscard]] std::size_t display_width(std::string_view utf8);
// The longest beginning of at most `columns`, with an ellipsis if something was cut off.
[[nodiscard]] std::string shorten(std::string_view utf8, std::size_t columns);
// 1234567 -> "1,234,567".
[[nodiscard]] std::string grouped(std::int64_t value);
// "1 block", "2 blocks".
[[nodiscard]] std::string counted(std::int64_t count, std::string_view noun);
// "8 ms", "1.23 s", "2 min 5 s".
[[nodiscard]] std::string duration_text(double milliseconds);

}  // namespace tb::cli
