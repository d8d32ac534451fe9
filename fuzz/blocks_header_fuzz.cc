// Header classification: never depends on case or surrounding blanks, and what it calls a daily log
// can be read as one. Lines of the input are the cells of the header.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "blocks/columns.h"
#include "blocks/discovery.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::string> cells(1);
    std::vector<std::string> dressed(1, " ");
    for (std::size_t i = 0; i < size && cells.size() < 64; ++i) {
        const char c = static_cast<char>(data[i]);
        if (c == '\n') {
            cells.emplace_back();
            dressed.back() += "\t";
            dressed.emplace_back(" ");
        } else {
            cells.back().push_back(c);
            dressed.back().push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
        }
    }
    const auto role = tb::blocks::classify_header(cells, {});
    if (tb::blocks::classify_header(dressed, {}) != role) {
        std::abort();
    }
    const auto map = tb::blocks::map_header(cells, tb::blocks::daily_columns(),
                                            tb::blocks::Preference::kCanonical);
    if (role == tb::blocks::FileRole::kDailyLog && !map.missing.empty()) {
        std::abort();
    }
    return 0;
}
