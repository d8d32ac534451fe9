#include "csv/file_locale.h"

#include <cstdlib>

#include <fmt/format.h>

#include "core/text.h"

namespace tb::csv {

namespace {

constexpr std::size_t kExampleBytes = 40;
constexpr std::int16_t kNewYorkWinter = -300;  // minutes east of UTC
constexpr std::int16_t kNewYorkSummer = -240;
// Where the comma separates the cells, a single one inside a number may be a slip.
constexpr std::int64_t kCommasInACommaFile = 2;

std::string offset_text(std::int16_t minutes) {
    if (minutes == 0) {
        return "UTC";
    }
    const int size = std::abs(minutes);
    return fmt::format("UTC{}{:02}:{:02}", minutes < 0 ? '-' : '+', size / 60, size % 60);
}

}  // namespace

void LocaleSurvey::add(Proof& proof, std::string_view cell, std::int64_t line) {
    ++proof.count;
    if (proof.first_line == 0) {
        proof.first_line = line;
        proof.example = utf8_prefix(cell, kExampleBytes);
    }
}

void LocaleSurvey::see_date(std::string_view cell, std::int64_t line) {
    see_date(parse_date(cell).value, line);
}

void LocaleSurvey::count_date(const DateTime& read, std::int64_t line) {
    switch (read.evidence) {
        case DateEvidence::kNone:
            break;
        case DateEvidence::kAmbiguous:
            first_ambiguous_line_ = ambiguous_dates_++ == 0 ? line : first_ambiguous_line_;
            break;
        case DateEvidence::kMonthFirst:
            add(month_first_, {}, line);
            break;
        case DateEvidence::kDayFirst:
            add(day_first_, {}, line);
            break;
    }
    if (!read.time) {
        return;
    }
    if (!read.offset_minutes) {
        ++times_without_zone_;
        return;
    }
    ++times_with_zone_;
    const std::int16_t offset = *read.offset_minutes;
    if (!foreign_offset_ && offset != kNewYorkWinter && offset != kNewYorkSummer) {
        foreign_offset_ = offset;
    }
}

void LocaleSurvey::see_number(std::string_view cell, std::int64_t line) {
    const auto evidence = number_evidence(cell);
    if (!evidence) {
        return;
    }
    const bool point = *evidence == NumberStyle::kPoint;
    if (is_self_evident_number(cell)) {
        ++(point ? self_evident_points_ : self_evident_commas_);
    } else {
        add(point ? point_ : comma_, cell, line);
    }
}

void LocaleSurvey::decide_dates(FileLocale& locale) const {
    if (day_first_.count > 0 && month_first_.count > 0) {
        locale.refusal = fmt::format(
            "its dates prove both orders: line {} has a date that exists only with the day first, "
            "line {} one that exists only with the month first; write them all alike, best as "
            "2025-12-31",
            day_first_.first_line, month_first_.first_line);
    } else if (day_first_.count > 0) {
        locale.date_order = DateOrder::kDayFirst;
        locale.notes.push_back(
            fmt::format("dates read with the day first, as line {} proves", day_first_.first_line));
    } else if (ambiguous_dates_ > 0 && month_first_.count == 0) {
        locale.notes.push_back(fmt::format(
            "dates read with the month first, which nothing in the file proves: {} of them, first "
            "on line {}, would be other days with the day first",
            ambiguous_dates_, first_ambiguous_line_));
    }
}

void LocaleSurvey::decide_numbers(FileLocale& locale) const {
    const bool comma_separates = delimiter_ == ',';
    const bool proves_comma = comma_separates ? comma_.count >= kCommasInACommaFile
                                              : comma_.count + self_evident_commas_ > 0;
    const bool proves_point = point_.count > 0 || (comma_.count == 0 && self_evident_points_ > 0);
    if (!comma_separates && comma_.count > 0 && point_.count > 0) {
        if (locale.refusal.empty()) {
            locale.refusal = fmt::format(
                "its numbers prove both decimal signs: '{}' on line {} and '{}' on line {}; write "
                "them all alike",
                comma_.example, comma_.first_line, point_.example, point_.first_line);
        }
    } else if (proves_comma && !proves_point) {
        locale.number_style = NumberStyle::kDecimalComma;
        locale.notes.emplace_back("numbers read with a decimal comma");
    } else if (delimiter_ == ';' && !proves_point) {
        locale.number_style = NumberStyle::kUnsure;
    }
}

void LocaleSurvey::note_zones(FileLocale& locale) const {
    if (times_with_zone_ > 0 && times_without_zone_ > 0) {
        locale.notes.push_back(fmt::format(
            "{} times carry a time zone and {} do not: the written clock is taken for all",
            times_with_zone_, times_without_zone_));
    }
    if (foreign_offset_) {
        locale.notes.push_back(fmt::format(
            "times carry the zone {}, which is not New York's: the written clock is taken as "
            "exchange time",
            offset_text(*foreign_offset_)));
    }
}

FileLocale LocaleSurvey::decide() const {
    FileLocale locale;
    decide_dates(locale);
    decide_numbers(locale);
    note_zones(locale);
    return locale;
}

}  // namespace tb::csv
