// One trimmed cell of an export to a number, a day or a time of day, by the cell table of
// 00 §2. Nothing is guessed: what is not one of the written forms is kInvalid, and what was read
// with an assumption is kRepaired with the assumption as its note.
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

// [$][+-]digits[.digits][e..][%], grouping by threes, accounting parentheses and U+2212 as minus.
// A percent sign never divides: `12.5%` is 12.5. `1.234,56` is read in any style, with a note;
// `1,23` is not a number where the comma groups. Infinity, NaN, hex, trailing text: invalid.
[[nodiscard]] CellValue<double> parse_number(std::string_view cell,
                                             NumberStyle style = NumberStyle::kPoint);

// What the number in a cell says about its file: kDecimalComma for `12,5` and `1.234,56`, kPoint
// for `12.5` and `1,234.56`, nullopt if it is no number or reads both ways (`12`, `1,234`).
[[nodiscard]] std::optional<NumberStyle> number_evidence(std::string_view cell);

// A count of contracts: an empty cell is 1 (noted), a fraction is rounded half up (noted), below 1
// or above 2^31 - 1 is invalid.
[[nodiscard]] CellValue<std::int32_t> parse_contracts(std::string_view cell,
                                                      NumberStyle style = NumberStyle::kPoint);

struct DateTime {
    Date date;
    std::optional<TimeOfDay> time;  // seconds; fractions are dropped
    std::string_view fraction;      // digits after the seconds' point, view into the cell
};

// `2024-01-02`, `2024-1-2`, `2024/1/2`, `1/2/2024`, `12-25-2024`, `1/2/24` (00-69 = 20xx),
// `Jan 2, 2024`, each perhaps with `T` or a blank and a time as in parse_time. Month first; strict
// calendar; years 1990-2100. `Z` or an offset behind the time is dropped and the wall clock kept,
// with a note.
[[nodiscard]] CellValue<DateTime> parse_date(std::string_view cell);

// `9:35`, `09:35:00`, `09:35:00.1`, `9:35 AM`, `09:35:00pm`.
[[nodiscard]] CellValue<TimeOfDay> parse_time(std::string_view cell);

}  // namespace tb::csv
