// A part of a block as an account of its own: which trades, what they start with, which stretch of
// the daily log speaks of them. Every tool asks here, so that the same trades have the same figures
// by whatever filter they were selected.
//
// Start capital: what the account held just before the first of the trades was realized - of the
// funds column, else of the block's start capital plus the net P/L realized before. Horizon: from
// the first opening to the last realization. Where the trades are all that the block realized from
// their first day to their last, they are the whole account for that time and the log speaks of
// them: from its first day, or after the last result before theirs (not before their first
// opening), to the last realization, or to its end after the block's last result.
//
// Thread-safe: all functions are pure. kCorrect only.
#pragma once

#include <span>

#include "analytics/filters.h"
#include "analytics/returns.h"
#include "analytics/trade.h"

namespace tb::analytics {

struct Selection {
    TradeSet trades;  // ranked
    bool whole_account = false;
    std::span<const DailyLogEntry> log;  // borrowed; empty unless whole_account
};
[[nodiscard]] Selection select_part(const TradeSet& block, std::span<const DailyLogEntry> log,
                                    const TradeFilter& filter);

// The capital the trades of `part` start with: of its stretch of the log where that matches them
// (account_capital of statistics.h), else as above.
[[nodiscard]] Capital part_capital(const TradeSet& block, std::span<const DailyLogEntry> log,
                                   const Selection& part);
// The same, and funds that run from it: where the part is not the whole account, whose stated
// balances are not its own, or where no trade states any.
[[nodiscard]] Capital fund_part(const TradeSet& block, std::span<const DailyLogEntry> log,
                                Selection& part);

}  // namespace tb::analytics
