#include <array>
#include <cstddef>
#include <utility>

#include "core/text.h"
#include "csv/cell.h"

namespace tb::csv {

namespace {

constexpr std::string_view kNotADate = "not a date";
constexpr std::string_view kNoSuchDay = "not a day of the calendar";
constexpr std::string_view kYearOutOfRange = "a year outside 1990-2100";  // or what was asked
constexpr std::string_view kNotATime = "not a time of day";
constexpr std::string_view kOffsetNote = "time zone dropped, the written wall clock kept";
constexpr int kLastYear = 2100;
constexpr int kPivotYear = 70;  // 00-69 = 2000-2069, 70-99 = 1970-1999

constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Reads a text from the front.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    [[nodiscard]] bool done() const { return text_.empty(); }
    [[nodiscard]] char peek() const { return text_.empty() ? '\0' : text_.front(); }
    bool take(char c) {
        if (peek() != c || done()) {
            return false;
        }
        text_.remove_prefix(1);
        return true;
    }
    void skip_blanks() {
        while (peek() == ' ') {
            text_.remove_prefix(1);
        }
    }
    // All digits at the front; views nothing if there are more than `most`.
    [[nodiscard]] std::string_view digits(std::size_t most) {
        std::size_t count = 0;
        while (count < text_.size() && is_digit(text_[count])) {
            ++count;
        }
        if (count > most) {
            return {};
        }
        return take_bytes(count);
    }
    [[nodiscard]] std::string_view letters() {
        std::size_t count = 0;
        while (count < text_.size() && ascii_lower(text_[count]) >= 'a' &&
               ascii_lower(text_[count]) <= 'z') {
            ++count;
        }
        return take_bytes(count);
    }

  private:
    std::string_view take_bytes(std::size_t count) {
        const std::string_view taken = text_.substr(0, count);
        text_.remove_prefix(count);
        return taken;
    }

    std::string_view text_;
};

int to_int(std::string_view digits) {
    int value = 0;
    for (const char c : digits) {
        value = value * 10 + (c - '0');
    }
    return value;
}

struct ScannedTime {
    TimeOfDay time;
    std::string_view fraction;
};

// Hour, minute, perhaps second with fraction, perhaps AM/PM; leaves what follows.
std::optional<ScannedTime> scan_time(Scanner& text) {
    const std::string_view hour_text = text.digits(2);
    if (hour_text.empty() || !text.take(':')) {
        return std::nullopt;
    }
    const std::string_view minute_text = text.digits(2);
    if (minute_text.size() != 2) {
        return std::nullopt;
    }
    ScannedTime result;
    int second = 0;
    if (text.take(':')) {
        const std::string_view second_text = text.digits(2);
        if (second_text.size() != 2) {
            return std::nullopt;
        }
        second = to_int(second_text);
        if (text.take('.')) {
            result.fraction = text.digits(30);
            if (result.fraction.empty()) {
                return std::nullopt;
            }
        }
    }
    int hour = to_int(hour_text);
    const int minute = to_int(minute_text);
    Scanner half = text;
    half.skip_blanks();
    const std::string_view letters = half.letters();
    if (equals_ignoring_case(letters, "am") || equals_ignoring_case(letters, "pm")) {
        if (hour < 1 || hour > 12) {
            return std::nullopt;
        }
        hour = hour % 12 + (ascii_lower(letters.front()) == 'p' ? 12 : 0);
        text = half;
    }
    if (hour > 23 || minute > 59 || second > 59) {
        return std::nullopt;
    }
    result.time = TimeOfDay(hour * 3600 + minute * 60 + second);
    return result;
}

// `Z`, `+05`, `+0530`, `-05:00` and nothing behind it, in minutes east of UTC.
std::optional<std::int16_t> scan_offset(Scanner& text) {
    if (text.take('Z') || text.take('z')) {
        return text.done() ? std::optional<std::int16_t>(0) : std::nullopt;
    }
    const bool west = text.take('-');
    if (!west && !text.take('+')) {
        return std::nullopt;
    }
    const std::string_view hours = text.digits(4);
    int minutes = 0;
    if (hours.size() == 2) {
        minutes = to_int(hours) * 60;
        if (text.take(':')) {
            const std::string_view rest = text.digits(2);
            if (rest.size() != 2) {
                return std::nullopt;
            }
            minutes += to_int(rest);
        }
    } else if (hours.size() == 4) {
        minutes = to_int(hours.substr(0, 2)) * 60 + to_int(hours.substr(2));
    } else {
        return std::nullopt;
    }
    if (!text.done()) {
        return std::nullopt;
    }
    return static_cast<std::int16_t>(west ? -minutes : minutes);
}

int month_of_name(std::string_view name) {
    if (name.size() < 3) {
        return 0;
    }
    for (std::size_t i = 0; i < kMonths.size(); ++i) {
        if (name.size() <= kMonths[i].size() &&
            equals_ignoring_case(name, kMonths[i].substr(0, name.size()))) {
            return static_cast<int>(i) + 1;
        }
    }
    return equals_ignoring_case(name, "sept") ? 9 : 0;
}

struct ScannedDate {
    int year = 0;
    int month = 0;
    int day = 0;
    DateEvidence evidence = DateEvidence::kNone;
};

int full_year(std::string_view digits) {
    const int year = to_int(digits);
    if (digits.size() == 4) {
        return year;
    }
    return year < kPivotYear ? 2000 + year : 1900 + year;
}

// `Jan 2, 2024`
std::optional<ScannedDate> scan_named_date(Scanner& text) {
    ScannedDate date;
    date.month = month_of_name(text.letters());
    text.take('.');
    text.skip_blanks();
    const std::string_view day = text.digits(2);
    const bool comma = text.take(',');
    const bool blank = text.peek() == ' ';
    text.skip_blanks();
    const std::string_view year = text.digits(4);
    if (date.month == 0 || day.empty() || (!comma && !blank) || year.size() != 4) {
        return std::nullopt;
    }
    date.day = to_int(day);
    date.year = to_int(year);
    return date;
}

// What follows the day in `2 Jan 2024`, `2-Jan-24`.
std::optional<ScannedDate> scan_after_day(Scanner& text, std::string_view day, char separator) {
    text.skip_blanks();
    ScannedDate date;
    date.month = month_of_name(text.letters());
    if (separator == ' ') {
        text.take('.');
        text.take(',');
    }
    if (date.month == 0 || day.empty() || day.size() > 2 || !text.take(separator)) {
        return std::nullopt;
    }
    text.skip_blanks();
    const std::string_view year = text.digits(4);
    if (year.size() != 4 && (year.size() != 2 || separator == ' ')) {
        return std::nullopt;
    }
    date.day = to_int(day);
    date.year = full_year(year);
    return date;
}

bool is_day(int year, int month, int day, int first_year) {
    return year >= first_year && year <= kLastYear && Date::from_ymd(year, month, day).has_value();
}

// Day and month as two numbers in front of the year.
ScannedDate order_numbers(std::string_view first, std::string_view second, std::string_view year,
                          char separator, DateOrder order, int first_year) {
    const int a = to_int(first);
    const int b = to_int(second);
    ScannedDate date{full_year(year), a, b, DateEvidence::kNone};
    const bool month_first = is_day(date.year, a, b, first_year);
    const bool day_first = is_day(date.year, b, a, first_year);
    if (separator == '.') {
        order = DateOrder::kDayFirst;
        date.evidence = day_first ? DateEvidence::kDayFirst : DateEvidence::kNone;
    } else if (month_first && day_first) {
        date.evidence = a == b ? DateEvidence::kNone : DateEvidence::kAmbiguous;
    } else if (month_first) {
        date.evidence = DateEvidence::kMonthFirst;
    } else if (day_first && (separator == '/' || year.size() == 4)) {
        date.evidence = DateEvidence::kDayFirst;  // `24-01-02` may begin with its year: no proof
    }
    if (order == DateOrder::kDayFirst) {
        std::swap(date.month, date.day);
    }
    return date;
}

std::optional<ScannedDate> scan_date(Scanner& text, DateOrder order, int first_year) {
    if (!is_digit(text.peek())) {
        return scan_named_date(text);
    }
    const std::string_view first = text.digits(4);
    const char separator = text.peek();
    if ((separator != '-' && separator != '/' && separator != '.' && separator != ' ') ||
        !text.take(separator)) {
        return std::nullopt;
    }
    if (!is_digit(text.peek())) {
        return separator == '.' ? std::nullopt : scan_after_day(text, first, separator);
    }
    const std::string_view second = text.digits(2);
    if (separator == ' ' || second.empty() || !text.take(separator)) {
        return std::nullopt;
    }
    const std::string_view third = text.digits(4);
    if (first.size() == 4 && (third.size() == 1 || third.size() == 2)) {
        return ScannedDate{to_int(first), to_int(second), to_int(third), DateEvidence::kNone};
    }
    if ((first.size() == 1 || first.size() == 2) && (third.size() == 2 || third.size() == 4)) {
        return order_numbers(first, second, third, separator, order, first_year);
    }
    return std::nullopt;
}

CellValue<DateTime> invalid_date(std::string_view why, DateEvidence evidence) {
    CellValue<DateTime> result{CellState::kInvalid, {}, why};
    result.value.evidence = evidence;
    return result;
}

CellValue<DateTime> parse_any_date(std::string_view cell, DateOrder order, int first_year) {
    Scanner text(trim(cell));
    if (text.done()) {
        return {};
    }
    const auto scanned = scan_date(text, order, first_year);
    if (!scanned) {
        return invalid_date(kNotADate, DateEvidence::kNone);
    }
    const bool time_follows = text.peek() == 'T' || text.peek() == ' ';
    if (!text.done() && !time_follows) {
        return invalid_date(kNotADate, DateEvidence::kNone);
    }
    CellValue<DateTime> result{CellState::kValue, {}, {}};
    const auto date = Date::from_ymd(scanned->year, scanned->month, scanned->day);
    if (!date) {
        return invalid_date(kNoSuchDay, scanned->evidence);
    }
    if (scanned->year < first_year || scanned->year > kLastYear) {
        return invalid_date(kYearOutOfRange, DateEvidence::kNone);
    }
    result.value.date = *date;
    result.value.evidence = scanned->evidence;
    if (text.done()) {
        return result;
    }
    text.take('T');
    text.skip_blanks();
    const auto time = scan_time(text);
    if (!time) {
        return invalid_date(kNotADate, DateEvidence::kNone);
    }
    result.value.time = time->time;
    result.value.fraction = time->fraction;
    text.skip_blanks();
    if (!text.done()) {
        result.value.offset_minutes = scan_offset(text);
        if (!result.value.offset_minutes) {
            return invalid_date(kNotADate, DateEvidence::kNone);
        }
        result.state = CellState::kRepaired;
        result.note = kOffsetNote;
    }
    return result;
}

}  // namespace

CellValue<DateTime> parse_date(std::string_view cell, DateOrder order, int first_year) {
    if (cell.size() == 10 && cell[4] == '-') {
        const auto date = Date::from_iso(cell);
        // First digits of the years 1990 to 2099; the rest takes the general way.
        if (date && (cell.substr(0, 2) == "20" || cell.substr(0, 3) == "199")) {
            CellValue<DateTime> result{CellState::kValue, {}, {}};
            result.value.date = *date;
            return result;
        }
    }
    return parse_any_date(cell, order, first_year);
}

CellValue<TimeOfDay> parse_time(std::string_view cell) {
    if (cell.empty()) {
        return {};
    }
    if (const auto time = TimeOfDay::from_iso(cell)) {
        return {CellState::kValue, *time, {}};
    }
    Scanner text(trim(cell));
    if (text.done()) {
        return {};
    }
    const auto time = scan_time(text);
    if (!time || !text.done()) {
        return {CellState::kInvalid, {}, kNotATime};
    }
    return {CellState::kValue, time->time, {}};
}

}  // namespace tb::csv
