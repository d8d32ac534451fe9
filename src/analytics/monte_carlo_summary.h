// From the figures of all paths to statistics with their sampling errors.
//
// Thread-safe: all functions are pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analytics/monte_carlo.h"
#include "analytics/monte_carlo_path.h"

namespace tb::analytics {

// Every sum runs in path order, so the result does not depend on threads. `notes` receives one Note
// per absent figure, its name in front of which stands `prefix`.
[[nodiscard]] MonteCarloOutcome summarize_paths(std::span<const PathFigures> paths,
                                                const MonteCarloSettings& settings,
                                                Conventions conventions, const std::string& prefix,
                                                std::vector<Note>& notes);

// Type-7 quantiles at 5, 25, 50, 75 and 95 % in O(n); `values` must not be empty and be finite.
[[nodiscard]] BandPoint band_point(std::span<const double> values, std::size_t step);

}  // namespace tb::analytics
