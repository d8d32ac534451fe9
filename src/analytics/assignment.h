// Pairing of two groups one to one at least total cost: the linear assignment problem, solved by
// shortest augmenting paths (Kuhn 1955; Jonker and Volgenant 1987, without their initialisation) in
// O(rows² (rows + columns)).
//
// Costs are compared part by part from the left, and add up part by part: a difference in one part
// is never outweighed by those after it. Integers, so that no rounding decides.
//
// Thread-safe: pure.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/cancel.h"
#include "core/result.h"

namespace tb::analytics {

struct AssignmentCost {
    static constexpr std::size_t kParts = 3;
    std::array<std::int64_t, kParts> parts{};

    AssignmentCost& operator+=(const AssignmentCost& other);
    AssignmentCost& operator-=(const AssignmentCost& other);
    auto operator<=>(const AssignmentCost&) const = default;
};

// nullopt: the two must not be paired. Sums of `rows + columns` costs must stay below 2^62.
using AssignmentCosts =
    std::function<std::optional<AssignmentCost>(std::size_t row, std::size_t column)>;

// For each row its column: as many pairs as the forbidden ones allow, and among those the least
// total cost. kInterrupted when cancelled (looked at for every row).
[[nodiscard]] Result<std::vector<std::optional<std::size_t>>> least_cost_assignment(
    std::size_t rows, std::size_t columns, const AssignmentCosts& costs,
    const CancelToken& cancel = {});

}  // namespace tb::analytics
