// P/L by month, week or day (02 §4.11), by the day results are realized.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/filters.h"
#include "analytics/statistics_types.h"
#include "analytics/trade.h"

namespace tb::analytics {

enum class PeriodType { kMonthly, kWeekly, kDaily };

// "2025-03", "2025-W07", "2025-03-14". A week is named by ISO year and ISO week under kCorrect; the
// reference writes the calendar year before the ISO week, so that 2024-12-31 becomes 2024-W01
// (02 I-15).
[[nodiscard]] std::string period_key(Date day, PeriodType type, Conventions conventions);

struct PeriodSums {
    double reported_pl = 0;  // as in the file
    double gross_pl = 0;     // before fees
    double commissions = 0;
    double net_pl = 0;  // after fees
    std::int64_t trade_count = 0;
};

struct PeriodReturn {
    std::string period;
    PeriodSums sums;
};

struct PeriodReturns {
    std::vector<PeriodReturn> periods;  // sorted by key; periods without trades are absent
    PeriodSums totals;
    std::int64_t trades_analyzed = 0;
    std::vector<Note> notes;  // sums too large for a double
};

struct PeriodReturnsRequest {
    std::optional<std::string> strategy;
    PeriodType type = PeriodType::kMonthly;
    std::optional<std::int32_t> year;  // of the realization day; ignored when `dates` is given
    std::optional<DateRange> dates;
    bool one_lot = false;  // divide by contracts first
    Conventions conventions = Conventions::kCorrect;
};

// nullopt when no trade is left. Linear in trades.
[[nodiscard]] std::optional<PeriodReturns> period_returns(const TradeSet& set,
                                                          const PeriodReturnsRequest& request);

}  // namespace tb::analytics
