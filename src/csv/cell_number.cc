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

// A cell without the signs around its digits.
struct Stripped {
    bool well_formed = false;
    bool negative = false;
    std::string_view digits;
};

bool consume(std::string_view& text, std::string_view prefix) {
    if (text.substr(0, prefix.size()) != prefix) {
        return false;
    }
    text = trim(text.substr(prefix.size()));
    return true;
}

bool consume_sign(std::string_view& text, bool& negative) {
    if (consume(text, "-") || consume(text, kMinusSign)) {
        negative = true;
        return true;
    }
    return consume(text, "+");
}

Stripped strip(std::string_view cell) {
    Stripped result;
    std::string_view text = trim(cell);
    const bool parentheses = text.size() >= 2 && text.front() == '(' && text.back() == ')';
    if (parentheses) {
        text = trim(text.substr(1, text.size() - 2));
    }
    bool sign = consume_sign(text, result.negative);
    if (consume(text, "$") && !sign) {
        sign = consume_sign(text, result.negative);
    }
    if (parentheses) {
        if (sign) {
            return result;  // "(-5)" says minus twice
        }
        result.negative = true;
    }
    if (!text.empty() && text.back() == '%') {
        text = trim(text.substr(0, text.size() - 1));
    }
    result.well_formed =
        !text.empty() && (is_digit(text.front()) || text.front() == '.' || text.front() == ',');
    result.digits = text;
    return result;
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

CellValue<double> parse_cleaned(std::string_view cell, NumberStyle style) {
    cell = trim(cell);
    if (cell.empty()) {
        return {};
    }
    if (style == NumberStyle::kPoint) {
        if (const auto value = parse_double(cell)) {
            return {CellState::kValue, *value, {}};
        }
    }
    const Stripped stripped = strip(cell);
    if (!stripped.well_formed) {
        return {CellState::kInvalid, 0, kNotANumber};
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
    const Stripped stripped = strip(cell);
    if (!stripped.well_formed) {
        return std::nullopt;
    }
    const bool point = match(stripped.digits, ',', '.').matches;
    const bool comma = match(stripped.digits, '.', ',').matches;
    if (point == comma) {
        return std::nullopt;
    }
    return point ? NumberStyle::kPoint : NumberStyle::kDecimalComma;
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
