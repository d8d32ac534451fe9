// Compact text for tool results: numbers as people read them, untrusted cells made harmless,
// Markdown tables and key/value lines inside a budget.
//
// Thread-safe functions; the builders are single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/json_box.h"

namespace tb::mcp {

// ---- numbers (01 §6) ----

// ECMAScript text of a number: shortest digits, no ".0", -0 as 0; "N/A" for NaN and infinities.
[[nodiscard]] std::string number_text(double value);
// 1234567 -> "1,234,567".
[[nodiscard]] std::string count_text(std::int64_t value);
// "[-]$1,234.56": rounded half away from zero on the shortest decimal text (1.005 -> $1.01); what
// rounds to nothing has no sign (-0.001 -> $0.00); "N/A" if not finite.
[[nodiscard]] std::string money_text(double usd);
// Two decimals by the exact binary value, as JavaScript's toFixed(2) (1.005 -> 1.00, 0.125 ->
// 0.13), except that what rounds to nothing has no sign; "N/A" if not finite or missing.
[[nodiscard]] std::string ratio_text(std::optional<double> value);
// ratio_text of a value that already is in percent, with "%" behind it.
[[nodiscard]] std::string percent_text(std::optional<double> percent);

// ---- untrusted text (06 Q9) ----

inline constexpr std::size_t kMaxCellChars = 200;

// Valid UTF-8: every invalid byte sequence becomes U+FFFD.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);
// Makes text from files harmless to show: valid UTF-8, control characters as \n, \t, \x1B, and
// bidirectional, zero-width and tag characters as <U+202E>.
[[nodiscard]] std::string visible_text(std::string_view text);
// The same for whole answers: tabs and line ends stay, everything else of that kind is <U+001B>, so
// that JSON and CSV remain what they are.
[[nodiscard]] std::string harmless_text(std::string_view text);
// visible_text on one line for a Markdown cell: `|` as \|, backslash doubled, at most
// `max_chars` characters and then "…".
[[nodiscard]] std::string cell_text(std::string_view text, std::size_t max_chars = kMaxCellChars);
// At most `max_chars` characters; a cut text ends in "…" within that limit.
[[nodiscard]] std::string first_chars(std::string_view text, std::size_t max_chars);
// Puts free text between markers that introduce it as data, not instructions.
[[nodiscard]] std::string data_block(std::string_view label, std::string_view text);

// ---- building ----

// "Key: value" lines. Values are passed through visible_text.
class KeyValueText {
  public:
    KeyValueText& add(std::string_view key, std::string_view value);
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    std::string text_;
};

// A Markdown table that stops before it would exceed a budget: whole rows only.
class MarkdownTable {
  public:
    // Titles are our own words. `budget_chars` 0 = no limit.
    explicit MarkdownTable(const std::vector<std::string>& titles, std::size_t budget_chars = 0);
    // Cells are passed through cell_text. False if the row no longer fits: it and all later rows
    // are counted, not shown.
    bool add_row(const std::vector<std::string>& cells);
    [[nodiscard]] std::size_t rows_shown() const { return shown_; }
    [[nodiscard]] std::size_t rows_total() const { return total_; }
    // The table; when rows are missing also the line
    // "(showing 20 of 384 rows; <how_to_get_the_rest>)".
    [[nodiscard]] std::string text(std::string_view how_to_get_the_rest) const;

  private:
    std::string text_;
    std::size_t budget_chars_;
    std::size_t columns_;
    std::size_t chars_ = 0;
    std::size_t shown_ = 0;
    std::size_t total_ = 0;
};

// Cuts `text` to at most `max_chars` characters at the end of a line and adds `note` as the last
// line. Text that fits is returned untouched.
[[nodiscard]] std::string cut_at_line(std::string text, std::size_t max_chars,
                                      std::string_view note);

// Drops whole elements from the end of the JSON array until its text fits `max_chars` (0 = no
// limit); returns how many are left. At least one is kept.
std::size_t fit_rows(Json& array, std::size_t max_chars);

// Characters (code points) of UTF-8 text.
[[nodiscard]] std::size_t char_count(std::string_view text);

}  // namespace tb::mcp
