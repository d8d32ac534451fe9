#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "core/number.h"
#include "core/text.h"
#include "csv/cell.h"

namespace tb::csv {

namespace {

constexpr std::string_view kNotANumber = "not a number";
constexpr std::string_view kOutOfRange = "a number outside the range of double";
constexpr std::string_view kCommaFile = "not a number with a decimal comma, as the file has them";
constexpr std::string_view kDecimalCommaNote = "read with a decimal comma";
constexpr std::string_view kUnsureNote =
    "the file does not show which is the decimal sign; the point was taken";
constexpr std::string_view kMinusSign = "\xE2\x88\x92";  // U+2212
constexpr std::size_t kMaxNumberBytes = 400;             // any double written out plainly fits

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// A cell without what stands around its digits, its grouping blanks and apostrophes written as one
// sign.
struct Stripped {
    bool well_formed = false;
    bool negative = false;
    bool is_dash = false;       // a currency and a dash: zero
    bool other_groups = false;  // kGroup is among the digits
    std::array<char, kMaxNumberBytes> buffer;
    std::string_view digits;  // in the cell, or in `buffer`
};

constexpr char kGroup = '\'';
constexpr std::array<std::string_view, 6> kGroupSigns = {
    " ",
    "\xC2\xA0",      // no-break space
    "\xE2\x80\xAF",  // narrow no-break space
    "\xE2\x80\x89",  // thin space
    "'",
    "\xE2\x80\x99",  // right single quotation mark
};
constexpr std::array<std::string_view, 12> kCurrencies = {
    "$",   "\xE2\x82\xAC", "\xC2\xA3", "\xC2\xA5", "USD", "US$",
    "EUR", "GBP",          "CHF",      "CAD",      "AUD", "JPY"};
constexpr std::array<std::string_view, 4> kDashes = {"-", kMinusSign, "\xE2\x80\x93",
                                                     "\xE2\x80\x94"};

// As tb::trim, and the narrow blanks.
std::string_view trim_wide(std::string_view text) {
    while (true) {
        const std::size_t before = text.size();
        text = trim(text);
        for (const std::string_view blank : {kGroupSigns[2], kGroupSigns[3]}) {
            if (text.starts_with(blank)) {
                text.remove_prefix(blank.size());
            }
            if (text.ends_with(blank)) {
                text.remove_suffix(blank.size());
            }
        }
        if (text.size() == before) {
            return text;
        }
    }
}

bool consume(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text = trim_wide(text.substr(prefix.size()));
    return true;
}

bool consume_back(std::string_view& text, std::string_view suffix) {
    if (!text.ends_with(suffix)) {
        return false;
    }
    text = trim_wide(text.substr(0, text.size() - suffix.size()));
    return true;
}

// What has been taken off a cell so far; each at most once.
struct Dress {
    bool sign = false;
    bool minus = false;
    bool currency = false;
    bool percent = false;
    bool parentheses = false;
};

bool take_sign(std::string_view& text, Dress& dress) {
    if (dress.sign) {
        return false;
    }
    dress.minus = consume(text, "-") || consume(text, kMinusSign);
    dress.sign = dress.minus || consume(text, "+");
    return dress.sign;
}

bool take_currency(std::string_view& text, Dress& dress) {
    if (dress.currency) {
        return false;
    }
    dress.currency = std::any_of(
        kCurrencies.begin(), kCurrencies.end(),
        [&text](std::string_view sign) { return consume(text, sign) || consume_back(text, sign); });
    return dress.currency;
}

bool take_parentheses(std::string_view& text, Dress& dress) {
    if (dress.parentheses || text.size() < 2 || text.front() != '(' || text.back() != ')') {
        return false;
    }
    dress.parentheses = true;
    text = trim_wide(text.substr(1, text.size() - 2));
    return true;
}

Dress undress(std::string_view& text) {
    Dress dress;
    while (true) {
        const bool is_dash = dress.currency && !dress.sign &&
                             std::find(kDashes.begin(), kDashes.end(), text) != kDashes.end();
        const bool percent = !dress.percent && consume_back(text, "%");
        dress.percent = dress.percent || percent;
        if (is_dash || !(percent || take_currency(text, dress) || take_sign(text, dress) ||
                         take_parentheses(text, dress))) {
            return dress;
        }
    }
}

// Grouping blanks and apostrophes become kGroup. False: too long, or two kinds of them.
bool join_groups(std::string_view text, Stripped& result) {
    std::string_view used;
    std::size_t size = 0;
    while (!text.empty()) {
        std::string_view sign;
        for (const std::string_view candidate : kGroupSigns) {
            if (text.starts_with(candidate)) {
                sign = candidate;
            }
        }
        if (size == result.buffer.size() || (!sign.empty() && !used.empty() && sign != used)) {
            return false;
        }
        result.buffer[size++] = sign.empty() ? text.front() : kGroup;
        used = sign.empty() ? used : sign;
        text.remove_prefix(sign.empty() ? 1 : sign.size());
    }
    result.other_groups = !used.empty();
    if (result.other_groups) {
        result.digits = {result.buffer.data(), size};
    }
    return true;
}

void strip(std::string_view cell, Stripped& result) {
    std::string_view text = trim_wide(cell);
    const Dress dress = undress(text);
    if (dress.sign && dress.parentheses) {
        return;  // "(-5)" says minus twice
    }
    result.negative = dress.minus || dress.parentheses;
    result.is_dash = dress.currency && !dress.sign &&
                     std::find(kDashes.begin(), kDashes.end(), text) != kDashes.end();
    result.digits = text;
    result.well_formed =
        !text.empty() && (is_digit(text.front()) || text.front() == '.' || text.front() == ',');
    if (!result.well_formed || text.find_first_not_of("0123456789.,") == std::string_view::npos) {
        return;
    }
    // A number longer than any double written out: left to convert(), which refuses it.
    if (text.size() <= kMaxNumberBytes) {
        result.well_formed = join_groups(text, result);
    }
}

// Shape of digits with separators: `1234<decimal>5`, or `1<group>234<group>567<decimal>5`.
struct Shape {
    bool matches = false;
    bool grouped = false;
    bool has_decimals = false;
};

Shape match(std::string_view text, char group, char decimal) {
    Shape shape;
    std::size_t at = 0;
    while (at < text.size() && is_digit(text[at])) {
        ++at;
    }
    const std::size_t lead = at;
    while (at < text.size() && text[at] == group) {
        const std::string_view block = text.substr(at + 1, 3);
        if (block.size() < 3 || !is_digit(block[0]) || !is_digit(block[1]) || !is_digit(block[2])) {
            return shape;
        }
        shape.grouped = true;
        at += 4;
        if (at < text.size() && is_digit(text[at])) {
            return shape;
        }
    }
    if (shape.grouped && (lead == 0 || lead > 3)) {
        return shape;
    }
    std::size_t decimals = 0;
    if (at < text.size() && text[at] == decimal) {
        shape.has_decimals = true;
        ++at;
        while (at < text.size() && is_digit(text[at])) {
            ++at;
            ++decimals;
        }
    }
    shape.matches = at == text.size() && lead + decimals > 0;
    return shape;
}

CellValue<double> convert(const Stripped& stripped, char group, char decimal, CellState state,
                          std::string_view note) {
    std::array<char, kMaxNumberBytes> plain;
    std::size_t size = 0;
    for (const char c : stripped.digits) {
        if (c == group) {
            continue;
        }
        if (size == plain.size()) {
            return {CellState::kInvalid, 0, kOutOfRange};
        }
        plain[size++] = c == decimal ? '.' : c;
    }
    const auto value = parse_double({plain.data(), size});
    if (!value) {
        return {CellState::kInvalid, 0, kOutOfRange};
    }
    return {state, stripped.negative ? -*value : *value, note};
}

// Digits grouped by blanks or apostrophes: whatever sign else is there is the decimal one.
CellValue<double> parse_other_groups(const Stripped& stripped, NumberStyle style) {
    const std::string_view digits = stripped.digits;
    if (const Shape shape = match(digits, kGroup, '.');
        shape.matches && (style != NumberStyle::kDecimalComma || !shape.has_decimals)) {
        return convert(stripped, kGroup, '.', CellState::kValue, {});
    }
    if (match(digits, kGroup, ',').matches) {
        return convert(stripped, kGroup, ',', CellState::kRepaired, kDecimalCommaNote);
    }
    const bool point = digits.find('.') != std::string_view::npos;
    return {CellState::kInvalid, 0,
            style == NumberStyle::kDecimalComma && point ? kCommaFile : kNotANumber};
}

CellValue<double> parse_cleaned(std::string_view cell, NumberStyle style) {
    cell = trim_wide(cell);
    if (cell.empty()) {
        return {};
    }
    if (style == NumberStyle::kPoint) {
        if (const auto value = parse_double(cell)) {
            return {CellState::kValue, *value, {}};
        }
    }
    Stripped stripped;
    strip(cell, stripped);
    if (stripped.is_dash) {
        return {CellState::kValue, 0, {}};
    }
    if (!stripped.well_formed) {
        return {CellState::kInvalid, 0, kNotANumber};
    }
    if (stripped.other_groups) {
        return parse_other_groups(stripped, style);
    }
    const std::string_view digits = stripped.digits;
    if (style != NumberStyle::kDecimalComma) {
        if (const Shape shape = match(digits, ',', '.'); shape.matches) {
            if (style == NumberStyle::kUnsure && (shape.grouped || shape.has_decimals) &&
                match(digits, '.', ',').matches) {
                return convert(stripped, ',', '.', CellState::kRepaired, kUnsureNote);
            }
            return convert(stripped, ',', '.', CellState::kValue, {});
        }
    }
    if (const Shape shape = match(digits, '.', ',');
        shape.matches &&
        (style == NumberStyle::kDecimalComma || (shape.grouped && shape.has_decimals))) {
        const bool plain = !shape.grouped && !shape.has_decimals;
        return convert(stripped, '.', ',', plain ? CellState::kValue : CellState::kRepaired,
                       plain ? std::string_view() : kDecimalCommaNote);
    }
    if (style == NumberStyle::kDecimalComma && digits.find('.') != std::string_view::npos) {
        return {CellState::kInvalid, 0, kCommaFile};
    }
    // Exponents: too rare for a shape of their own.
    if (digits.find_first_of("eE") != std::string_view::npos) {
        if (const auto value = parse_double(digits)) {
            return {CellState::kValue, stripped.negative ? -*value : *value, {}};
        }
    }
    return {CellState::kInvalid, 0, kNotANumber};
}

}  // namespace

CellValue<double> parse_number(std::string_view cell, NumberStyle style) {
    if (cell.empty()) {
        return {};
    }
    if (style == NumberStyle::kPoint) {
        if (const auto value = parse_double(cell)) {
            return {CellState::kValue, *value, {}};
        }
    }
    return parse_cleaned(cell, style);
}

std::optional<NumberStyle> number_evidence(std::string_view cell) {
    Stripped stripped;
    strip(cell, stripped);
    if (!stripped.well_formed) {
        return std::nullopt;
    }
    const char point_groups = stripped.other_groups ? kGroup : ',';
    const char comma_groups = stripped.other_groups ? kGroup : '.';
    const bool point = match(stripped.digits, point_groups, '.').matches;
    const bool comma = match(stripped.digits, comma_groups, ',').matches;
    if (point == comma) {
        return std::nullopt;
    }
    return point ? NumberStyle::kPoint : NumberStyle::kDecimalComma;
}

bool is_self_evident_number(std::string_view cell) {
    Stripped stripped;
    strip(cell, stripped);
    if (!stripped.well_formed) {
        return false;
    }
    const bool point = stripped.digits.find('.') != std::string_view::npos;
    const bool comma = stripped.digits.find(',') != std::string_view::npos;
    return stripped.other_groups ? point || comma : point && comma;
}

CellValue<std::int32_t> parse_contracts(std::string_view cell, NumberStyle style) {
    const CellValue<double> number = parse_number(cell, style);
    if (number.state == CellState::kEmpty) {
        return {CellState::kRepaired, 1, "no number of contracts; 1 assumed"};
    }
    if (number.state == CellState::kInvalid) {
        return {CellState::kInvalid, 0, number.note};
    }
    const double rounded = std::floor(number.value + 0.5);
    if (rounded < 1) {
        return {CellState::kInvalid, 0, "fewer than one contract"};
    }
    if (rounded >= 2147483648.0) {
        return {CellState::kInvalid, 0, "2^31 contracts or more"};
    }
    const auto count = static_cast<std::int32_t>(rounded);
    if (rounded != number.value) {
        return {CellState::kRepaired, count, "a fraction of a contract, rounded half up"};
    }
    return {number.state, count, number.note};
}

}  // namespace tb::csv
