// The data of figure_units.h. Thread-safe.
#pragma once

#include <span>

#include "tools/figure_units.h"

namespace tb::tools {

// Each place once, in no particular order.
[[nodiscard]] std::span<const FigureUnit> figure_unit_table();

}  // namespace tb::tools
