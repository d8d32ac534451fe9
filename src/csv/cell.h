// One trimmed cell of an export to a number, a day or a time of day. Nothing is guessed: what is
// not one of the written forms is kInvalid, and what was read with an assumption is kRepaired with
// the assumption as its note. What a cell alone cannot tell (which of two numbers is the month,
// which sign the decimal one) is decided for its whole file: file_locale.h.
//
// Thread-safe; all functions are pure and allocate nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/date.h"

namespace tb::csv {

enum class CellState : std::uint8_t {
    kEmpty,     // nothing in the cell
    kValue,     // value as written, perhaps cleaned of `$`, grouping, `%` and blanks
    kRepaired,  // value, read with the assumption in `note`
    kInvalid,   // no value; `note` says why
};

template <class T>
struct CellValue {
    CellState state = CellState::kEmpty;
    T value{};
    std::string_view note;  // static text

    [[nodiscard]] bool has_value() const {
        return state == CellState::kValue || state == CellState::kRepaired;
    }
};

// What a comma and a point mean in the numbers of a file.
enum class NumberStyle : std::uint8_t {
    kPoint,   // 1,234.56
    kUnsure,  // as kPoint, but `1,234` and `1.234` are noted: a `;` file where nothing decides
    kDecimalComma,  // 1.234,56 throughout; every number with a comma or a point is noted
};

// [+-]digits[.digits][e..] with, around it in any order and at most once each: a sign (U+2212 is
// one), a currency (`$ € £ ¥` or a code such as `USD`, in front or behind), `%`, accounting
// parentheses for minus. Grouping by threes: `,` or `.`, whichever is not the decimal sign, or `'`
// or a blank of any width, all the same within a number. A currency with a dash alone is 0, as
// spreadsheets write it. A percent sign never divides: `12.5%` is 12.5. `1.234,56` and `1 234,56`
// are read in any style, with a note; `1,23` is not a number where the comma groups. Infinity, NaN,
// hex, trailing text: invalid.
[[nodiscard]] CellValue<double> parse_number(std::string_view cell,
                                             NumberStyle style = NumberStyle::kPoint);

// What the number in a cell says about its file: kDecimalComma for `12,5` and `1.234,56`, kPoint
// for `12.5` and `1,234.56`, nullopt if it is no number or reads both ways (`12`, `1,234`).
[[nodiscard]] std::optional<NumberStyle> number_evidence(std::string_view cell);

// The number has a grouping and a decimal sign, so that it reads one way only (`1.234,56`).
[[nodiscard]] bool is_self_evident_number(std::string_view cell);

// A count of contracts: an empty cell is 1 (noted), a fraction is rounded half up (noted), below 1
// or above 2^31 - 1 is invalid.
[[nodiscard]] CellValue<std::int32_t> parse_contracts(std::string_view cell,
                                                      NumberStyle style = NumberStyle::kPoint);

// Which of the first two numbers of `1/2/2024` is the month.
enum class DateOrder : std::uint8_t { kMonthFirst, kDayFirst };

// What a date says about the order of its file.
enum class DateEvidence : std::uint8_t {
    kNone,        // reads the same in either order, or names its month, or begins with the year
    kAmbiguous,   // `1/2/2024`: another day in the other order
    kMonthFirst,  // `1/13/2024`: no day of the calendar in the other order
    kDayFirst,    // `13/1/2024`, and always with points: `1.2.2024`
};

struct DateTime {
    Date date;
    std::optional<TimeOfDay> time;  // seconds; fractions are dropped
    std::string_view fraction;      // digits after the seconds' point, view into the cell
    // Minutes east of UTC that stand behind the time; not applied. `Z` is 0.
    std::optional<std::int16_t> offset_minutes;
    DateEvidence evidence = DateEvidence::kNone;  // also of a date that is invalid in this order
};

// `2024-01-02`, `2024-1-2`, `2024/1/2`, `2024.1.2`, `1/2/2024`, `12-25-2024`, `1/2/24` (00-69 =
// 20xx), `2.1.2024` (points: day first whatever the order), `Jan 2, 2024`, `2 Jan 2024`,
// `2-Jan-24`, each perhaps with `T` or a blank and a time as in parse_time. Strict calendar; years
// `first_year`-2100. `Z` or an offset behind the time is dropped and the wall clock kept, with a
// note.
[[nodiscard]] CellValue<DateTime> parse_date(std::string_view cell,
                                             DateOrder order = DateOrder::kMonthFirst,
                                             int first_year = 1990);

// `9:35`, `09:35:00`, `09:35:00.1`, `9:35 AM`, `09:35:00pm`.
[[nodiscard]] CellValue<TimeOfDay> parse_time(std::string_view cell);

}  // namespace tb::csv
