// Date and time cells: what is read lies in the allowed range, reads back from its ISO form, and
// blanks around it change nothing.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "csv/cell.h"

namespace {

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view cell(reinterpret_cast<const char*>(data), size);
    const auto date = tb::csv::parse_date(cell);
    const auto padded = tb::csv::parse_date("  " + std::string(cell) + " ");
    require(padded.state == date.state && padded.value.date == date.value.date);
    if (date.has_value()) {
        const auto year = date.value.date.ymd().year;
        require(year >= 1990 && year <= 2100);
        const auto again = tb::csv::parse_date(date.value.date.to_iso());
        require(again.state == tb::csv::CellState::kValue && again.value.date == date.value.date);
        require(date.value.fraction.find_first_not_of("0123456789") == std::string_view::npos);
    }
    const auto time = tb::csv::parse_time(cell);
    if (time.has_value()) {
        require(time.value.seconds() >= 0 && time.value.seconds() < 86400);
        require(tb::csv::parse_time(time.value.to_iso()).value == time.value);
    }
    return 0;
}
