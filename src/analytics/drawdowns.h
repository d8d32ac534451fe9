// Drawdowns as figures: how deep, from which peak, until when (get_statistics,
// get_performance_charts, report).
//
// A drawdown runs from the day its peak was reached to the first day the balance is at that peak
// again. Depth in percent of the peak: 100*(peak - balance)/peak, on a balance from which deposits
// and withdrawals are left out (time-weighted, as the returns), so that money taken out is no loss.
// Depth in dollars: the P/L between peak and trough with the sign turned. Source: Magdon-Ismail and
// Atiya 2004, Maximum drawdown.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "analytics/equity.h"
#include "analytics/returns.h"

namespace tb::analytics {

// What the balances are: the log's at the end of its days; the start capital plus net P/L realized
// by the end of the day; the same after each trade, in the order of realization.
enum class DrawdownBasis { kDailyLog, kTradesByDay, kEachTrade };

struct Drawdown {
    double percent = 0;  // of the peak, positive; above 100 when the balance falls below zero
    double dollars = 0;  // positive
    Date peak_day;       // the day its peak was reached; of a start capital the first day
    Date trough_day;     // first day with the lowest balance
    std::optional<Date> recovery_day;  // nullopt: not recovered by the last day
    double peak_balance = 0;           // dollars, flows left out
    double trough_balance = 0;
};

inline constexpr std::size_t kWorstDrawdowns = 5;

struct DrawdownTable {
    DrawdownBasis basis = DrawdownBasis::kTradesByDay;
    std::vector<Drawdown> worst;  // deepest first, ties by peak day; at most kWorstDrawdowns
};

// `start` > 0: balance before the first entry, reached on `first_day`. The spans are parallel;
// several entries a day are allowed. Empty where `start` is not positive.
[[nodiscard]] DrawdownTable worst_drawdowns(DrawdownBasis basis, double start, Date first_day,
                                            std::span<const Date> days,
                                            std::span<const double> balances,
                                            std::span<const double> pl);
[[nodiscard]] DrawdownTable worst_drawdowns(const DailyEquity& daily);
[[nodiscard]] DrawdownTable worst_drawdowns(const EquityCurve& curve);

}  // namespace tb::analytics
