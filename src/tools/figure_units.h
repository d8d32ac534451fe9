// Unit and sign of every number an answer can hold.
//
// A number is known by its place: the names of the members on the way to it, without list indices
// ("summary.outlierStats.threshold"). The table holds ends of such places; of those that fit, the
// longest counts, and a "*" stands for one name that is data (a strategy, a month).
//
// Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/schema.h"
#include "mcp/tool.h"

namespace tb::tools {

struct FigureUnit {
    std::string_view place;  // as in the table
    std::string_view unit;   // "USD, + profit"
};

// nullopt for a place the table does not know.
[[nodiscard]] std::optional<FigureUnit> figure_unit(std::string_view place);

// The units of the numbers `answer` holds, as an object of table places: {"winRate": "fraction of 0
// to 1", ...}. Numbers without one, which a test finds, come in `unknown`.
[[nodiscard]] mcp::Json units_of(const mcp::Json& answer,
                                 std::vector<std::string>* unknown = nullptr);
// The same as text, at most `max_chars` long.
[[nodiscard]] std::string units_text(const mcp::Json& units, std::size_t max_chars);

// Gives every number among the tool's declared results its unit, where its declaration has none.
void declare_units(mcp::ToolSpec& tool);

}  // namespace tb::tools
