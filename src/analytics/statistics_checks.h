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

// Withdrawals (log_flows.h), and days on which the log's balance moves by other than its P/L and
// what is withdrawn (by more than 0.5 percent): deposits or gaps.
[[nodiscard]] std::vector<std::string> log_sanity_warnings(std::span<const DailyLogEntry> log);

// Trades as log_disagreements compares a log with them: columns of one length, in any order.
struct RealizedTrades {
    std::span<const std::int32_t> opened;    // days since the epoch
    std::span<const std::int32_t> realized;  // not empty
    std::span<const double> net_pl;
    std::optional<double> start_capital;  // the trades' own, where known
};
// Why the log cannot stand for these trades; empty when it can, and for an empty log. Like is
// compared with like, and always to within 1 percent of the larger of the two:
//   - it covers their realization days;
//   - its start capital is that of the trades;
//   - where it states current funds (cash, which positions held do not move), they are the start
//     plus the net P/L realized by the end of the day, less what was withdrawn if the column knows
//     of it; else the balance by its daily P/L is that, on the days that end without a position;
//   - on days that end without a position its net liquidity is its current funds, at least on half
//     of them: positions may be missing in the trade log.
// Single days may differ (one, or a twentieth), not the last: a result may be booked a day later.
[[nodiscard]] std::vector<std::string> log_disagreements(const RealizedTrades& trades,
                                                         std::span<const DailyLogEntry> log);
// For a log that can: days that end without a position although net liquidity and current funds
// differ by more than 1 percent.
[[nodiscard]] std::vector<std::string> log_position_warnings(const RealizedTrades& trades,
                                                             std::span<const DailyLogEntry> log);

// A note for results of rows with amounts (P/L, fees, margin, premium, funds, excursions) beyond
// 1e75, below 1e-75 or not numbers: sums, squares and shares of such amounts overflow, and a figure
// that is not finite is then shown as absent. nullopt for other data, where every figure is finite.
[[nodiscard]] std::optional<Note> extreme_amounts_note(std::span<const Trade> trades);

}  // namespace tb::analytics
