// From the evaluated windows of a walk-forward analysis to its summary and verdict (02 §4.5,
// Aggregation).
//
// Thread-safe: all functions are pure.
#pragma once

#include "analytics/walk_forward.h"

namespace tb::analytics {

// Fills summary, verdict, recommended and their notes from periods and parameter_names.
void summarize_walk_forward(const WalkForwardOptions& options, Conventions conventions,
                            WalkForwardResult& result);

}  // namespace tb::analytics
