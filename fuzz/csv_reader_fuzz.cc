// The record reader against the naive one, whole and in pieces. The first byte chooses the pieces
// and the limits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "../tests/unit/csv/naive_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const tb::csv::ReaderOptions options{
        .max_record_bytes = data[0] % 2 == 0 ? std::size_t{64} : std::size_t{1} << 20,
        .max_columns = data[0] % 4 < 2 ? std::size_t{6} : std::size_t{1000}};
    const auto naive = tb::csv::test::NaiveReader(text, options).read_all();
    if (!(tb::csv::test::read_in_pieces(text, 1 + data[0] / 4, options) == naive)) {
        std::abort();
    }
    return 0;
}
