// "Did you mean": the known names nearest to a misspelt one.
//
// Thread-safe (no state).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tb::mcp {

// At most `limit` candidates, best first: equal but for case, then containing or contained, then by
// edit distance (insert, delete, replace, swap of neighbours) as long as that is at most half the
// longer name. Ties keep the order of `candidates`.
[[nodiscard]] std::vector<std::string> nearest_names(std::string_view name,
                                                     const std::vector<std::string>& candidates,
                                                     std::size_t limit = 3);

// "; did you mean 'EMA Test Data' or 'MEIC Test Data'?", or nothing when no name is near.
[[nodiscard]] std::string did_you_mean(std::string_view name,
                                       const std::vector<std::string>& candidates,
                                       std::size_t limit = 3);

}  // namespace tb::mcp
