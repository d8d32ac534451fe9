// The name of a figure as a table for people prints it.
//
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace tb::tools {

// "meanFinalValue" -> "Mean final value", "netPl" -> "Net P/L". Only for names of our own.
[[nodiscard]] std::string figure_title(std::string_view name);

}  // namespace tb::tools
