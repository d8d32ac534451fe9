// The statistics together with the balance they came from, for the report's exposure.
//
// Thread-safe: pure.
#pragma once

#include <span>

#include "analytics/exposure.h"
#include "analytics/returns.h"
#include "analytics/statistics.h"

namespace tb::analytics {

struct StatisticsWithEquity {
    StatisticsResult result;
    DailyEquity daily;
};
// `exposure` may be null; it is left half filled when a trade has a P/L that is not a number.
[[nodiscard]] StatisticsWithEquity statistics_with_equity(std::span<const Trade> trades,
                                                          std::span<const DailyLogEntry> log,
                                                          const StatisticsOptions& options,
                                                          ExposureSweep* exposure);

}  // namespace tb::analytics
