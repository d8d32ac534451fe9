// Number cells: finite or nothing, stable under trimming, and plain ones equal to from_chars on the
// cleaned text.
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/number.h"
#include "csv/cell.h"

namespace {

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

// from_chars on a text that has only the characters it understands.
void compare_plain(std::string_view text) {
    double expected = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), expected);
    const bool valid = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() &&
                       text.find_first_of("nN") == std::string_view::npos;
    const auto got = tb::parse_double(text);
    require(got.has_value() == valid || (!text.empty() && text.front() == '+'));
    require(!got || !valid || *got == expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using tb::csv::NumberStyle;
    const std::string_view cell(reinterpret_cast<const char*>(data), size);
    compare_plain(cell);
    for (const auto style :
         {NumberStyle::kPoint, NumberStyle::kUnsure, NumberStyle::kDecimalComma}) {
        const auto got = tb::csv::parse_number(cell, style);
        require(std::isfinite(got.value));
        require(got.note.empty() == (got.state == tb::csv::CellState::kValue ||
                                     got.state == tb::csv::CellState::kEmpty));
        const auto padded = tb::csv::parse_number(" " + std::string(cell) + "\t", style);
        require(padded.state == got.state && padded.value == got.value);
    }
    std::string cleaned;
    for (const char c : cell) {
        if (c != ',' && c != '$' && c != '%' && c != ' ') {
            cleaned.push_back(c);
        }
    }
    const auto got = tb::csv::parse_number(cell);
    if (got.state == tb::csv::CellState::kValue &&
        cleaned.find_first_not_of("0123456789.-") == std::string::npos) {
        double expected = 0;
        std::from_chars(cleaned.data(), cleaned.data() + cleaned.size(), expected);
        require(got.value == expected);
    }
    const auto contracts = tb::csv::parse_contracts(cell);
    require(!contracts.has_value() || contracts.value >= 1);
    (void)tb::csv::number_evidence(cell);
    return 0;
}
