// How one file writes its dates and numbers, decided once from all its rows and never cell by cell:
// the same text means the same thing on every line.
//
//     LocaleSurvey survey(delimiter);
//     for (every row) { survey.see_date(cell, line); survey.see_number(cell, line); }
//     const FileLocale locale = survey.decide();
//     if (!locale.refusal.empty()) { ... the file proves both ways: refuse it ... }
//     parse_date(cell, locale.date_order); parse_number(cell, locale.number_style);
//
// Dates. One date that exists only day first (`13/1/2025`), or is written with points, makes the
// file day-first; one that exists only month first makes it month-first; both refuse it. A file
// that proves nothing is month-first, and a note says so if some of its dates would be other days.
// Numbers. A comma that can only be a decimal sign (`12,5`) makes the decimal comma hold for the
// whole file if no number proves the point; both refuse a file whose cells are separated by `;` or
// tabs. Where the comma separates the cells, two such numbers are needed (one may be a slip) and
// the point wins over them. Numbers that read one way only (`1.234,56`) contradict nothing.
//
// A file that is read while it streams by is surveyed as far as it is known, read by that decision
// while the survey goes on, and read again if the end decides otherwise (same_reading).
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "csv/cell.h"

namespace tb::csv {

struct FileLocale {
    DateOrder date_order = DateOrder::kMonthFirst;
    NumberStyle number_style = NumberStyle::kPoint;
    std::vector<std::string> notes;  // for people: what was decided, and by which line
    // Why nothing can be decided, with a line for each of the two readings; empty = it can.
    std::string refusal;

    [[nodiscard]] bool same_reading(const FileLocale& other) const {
        return date_order == other.date_order && number_style == other.number_style &&
               refusal == other.refusal;
    }
};

class LocaleSurvey {
  public:
    // `delimiter`: what separates the cells of the file.
    explicit LocaleSurvey(char delimiter = ',') : delimiter_(delimiter) {}

    // A cell of a column of dates, with or without a time, or of numbers; anything else in it says
    // nothing. `line` is for the notes.
    void see_date(std::string_view cell, std::int64_t line);
    void see_number(std::string_view cell, std::int64_t line);
    // As see_date, of a cell that parse_date has read already.
    void see_date(const DateTime& read, std::int64_t line) {
        if (read.evidence != DateEvidence::kNone || read.time) {
            count_date(read, line);
        }
    }
    // No further number changes anything that `12.5` would prove: lets callers save the look.
    [[nodiscard]] bool point_is_proven() const { return point_.first_line > 0; }

    [[nodiscard]] FileLocale decide() const;

  private:
    struct Proof {
        std::int64_t first_line = 0;  // 0 = none
        std::string example;
        std::int64_t count = 0;
    };

    static void add(Proof& proof, std::string_view cell, std::int64_t line);
    void count_date(const DateTime& read, std::int64_t line);
    void decide_dates(FileLocale& locale) const;
    void decide_numbers(FileLocale& locale) const;
    void note_zones(FileLocale& locale) const;

    char delimiter_;
    Proof month_first_;
    Proof day_first_;
    Proof point_;
    Proof comma_;
    std::int64_t self_evident_points_ = 0;
    std::int64_t self_evident_commas_ = 0;
    std::int64_t ambiguous_dates_ = 0;
    std::int64_t first_ambiguous_line_ = 0;
    std::int64_t times_with_zone_ = 0;
    std::int64_t times_without_zone_ = 0;
    std::optional<std::int16_t> foreign_offset_;  // first one that New York never has
};

}  // namespace tb::csv
