// Finds the header line of a table whose file does not begin with it: behind `sep=;` (Excel), the
// name of a sheet (`Table 1`, Numbers), a title, remarks or blank lines.
//
// Thread-safe; pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tb::csv {

// So far down the header is looked for.
inline constexpr std::int64_t kHeaderSearchLines = 30;

struct HeaderPlace {
    std::size_t offset = 0;  // of the header line, in the text
    std::int64_t lines = 0;  // physical lines in front of it
    char delimiter = ',';
    bool named_delimiter = false;  // by a first line `sep=;`
};

// Whether these cells, trimmed, are the header that is wanted.
using IsHeader = std::function<bool(std::span<const std::string> cells)>;

// The first of the first lines of `text` that `is_header` accepts when split at the delimiter named
// by a `sep=` line, else at `,` `;` or tab, whichever stands most often in it. nullopt if there is
// none. `complete`: the text is the whole file, so that its last line may lack a line end.
[[nodiscard]] std::optional<HeaderPlace> find_header(std::string_view text, bool complete,
                                                     const IsHeader& is_header);

// The delimiter that the first line names as Excel writes it: `sep=;`, perhaps in quotes. nullopt
// if it does not.
[[nodiscard]] std::optional<char> named_delimiter(std::string_view first_line);

// A sentence about what stands above the header, "" if nothing but blank lines does. Never quotes
// it.
[[nodiscard]] std::string header_note(const HeaderPlace& place, std::string_view text);

}  // namespace tb::csv
