// Turns a clean trade log into one as spreadsheets and broken downloads leave it behind.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <vector>

#include "demo/exports.h"

namespace tb::demo {

// What the cell table of the documentation makes of the edits of make_messy.
inline constexpr std::int64_t kMessySkippedRows = 8;
inline constexpr std::int64_t kMessyRepairedRows = 11;

// Edits `rows` (header first) in place; false when there are too few of them.
[[nodiscard]] bool make_messy(std::vector<Row>& rows);

}  // namespace tb::demo
