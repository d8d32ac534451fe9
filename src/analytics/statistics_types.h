// Small types shared by the results of the statistics, charts and comparisons.
//
// Thread-compatible.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tb::analytics {

// Why a figure is absent or must be read with care: the figure's field name in JSON form and one
// sentence for people. An absent optional<double> in a result always has a Note beside it.
struct Note {
    std::string figure;
    std::string reason;
    bool operator==(const Note&) const = default;
};

// A note may be about several figures, joined by ", ": those of them in `shown`, joined the same
// way; "" when none is. A note about "*" is about every figure.
template <class Shown>
[[nodiscard]] std::string figures_among(const Note& note, const Shown& shown) {
    std::string among;
    for (std::size_t at = 0; at < note.figure.size();) {
        const std::size_t comma = note.figure.find(", ", at);
        const std::string figure = note.figure.substr(at, comma - at);
        if (figure == "*" || shown(figure)) {
            among += (among.empty() ? "" : ", ") + figure;
        }
        at = comma == std::string::npos ? note.figure.size() : comma + 2;
    }
    return among;
}

}  // namespace tb::analytics
