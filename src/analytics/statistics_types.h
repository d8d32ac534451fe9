// Small types shared by the results of the statistics, charts and comparisons.
//
// Thread-compatible.
#pragma once

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

}  // namespace tb::analytics
