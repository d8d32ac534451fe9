// Comparing Monte Carlo answers with recorded distributions (00 §5): the reference's figures over
// 60 unseeded calls, mean, standard deviation between calls and standard error of each. Ours, over
// some seeded calls, must lie within 4 combined standard errors.
//
// Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "golden/compare.h"

namespace tb::golden {

// `run` calls the tool once with the seed given. One line per figure that disagrees.
[[nodiscard]] std::vector<std::string> distribution_differences(
    const Json& distribution, const std::function<Json(int seed)>& run);

}  // namespace tb::golden
