// Sanity of the data behind the figures: what a trader should know before believing them
// (02 I-13, I-54, I-57). Every finding is one sentence with a count; findings never change a row.
//
// Thread-safe functions; TradeSanity is single-thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/statistics_types.h"
#include "analytics/trade.h"

namespace tb::analytics {

// Rows whose result is larger than the margin they bound, and rows whose P/L before fees is not
// (premium - closing cost) * contracts, in the premium's unit, to within 1 percent or 1 dollar.
class TradeSanity {
  public:
    void add(const Trade& trade);
    [[nodiscard]] std::vector<std::string> warnings() const;

  private:
    std::int64_t trades_ = 0;
    std::int64_t beyond_margin_ = 0;
    std::int64_t bad_premium_ = 0;
    std::int64_t open_ = 0;
};

// Withdrawals, and days on which the log's balance moves by other than its P/L (by more than 0.5
// percent): deposits, withdrawals or gaps.
[[nodiscard]] std::vector<std::string> log_sanity_warnings(std::span<const DailyLogEntry> log);

// What log_disagreements compares the log with.
struct RealizedSpan {
    Date first;  // realization days
    Date last;
    double net_pl = 0;
    std::optional<double> start_capital;  // the trades' own, where known
};
// Why the log cannot stand for these trades: it does not cover their realization days, or its start
// capital or total P/L differ by more than 1 percent of its start capital. Empty when it can, and
// for an empty log.
[[nodiscard]] std::vector<std::string> log_disagreements(const RealizedSpan& trades,
                                                         std::span<const DailyLogEntry> log);

// A note for results of rows with amounts (P/L, fees, margin, premium, funds, excursions) beyond
// 1e75, below 1e-75 or not numbers: sums, squares and shares of such amounts overflow, and a figure
// that is not finite is then shown as absent. nullopt for other data, where every figure is finite.
[[nodiscard]] std::optional<Note> extreme_amounts_note(std::span<const Trade> trades);

}  // namespace tb::analytics
