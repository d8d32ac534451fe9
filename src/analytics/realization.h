// The order in which results were realized: the one order of everything that follows them (equity
// curve, drawdown by trade, streaks, runs test, rolling windows, block bootstrap).
//
// Trades are ordered by closing day and closing minute (the opening where a trade is still open).
// Within a minute the file's own funds column decides: the next trade is the one whose stated funds
// are the balance before it plus its P/L. Trades that close in one minute are edges from the
// balance before to the balance after, so the order sought is an Eulerian trail from the balance at
// hand; Hierholzer's algorithm finds it in linear time (Hierholzer 1873), neighbours tried in the
// order of closing second, opening and file. A day whose trades have no closing times is one such
// group; a day on which only some have them is, too, where the trail keeps the stated minutes in
// order. Where the column proves nothing, closing second, opening and file order decide.
//
// Amounts match within 0.011 dollars: cents, off by one rounded cent. The column may follow the P/L
// of the file or the P/L after fees; which one is decided by counting the steps that fit.
//
// Cost: sorting plus linear; the search for detours inside one minute is bounded by a fixed
// multiple of the trades in it. Deterministic.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "analytics/returns_order.h"
#include "analytics/trade.h"

namespace tb::analytics {

// Numbers the trades of a whole block (Trade::realization_rank) from 0 on.
void rank_realizations(std::span<Trade> trades);

// The trades by their ranks; where one has none, the order proven on these trades alone.
[[nodiscard]] TradeOrder realization_order(std::span<const Trade> trades);

// Whether the funds column follows the net P/L rather than the number in the file, by the steps of
// `order` that fit; true without rows of P/L before fees, where both are the same.
[[nodiscard]] bool funds_follow_net(std::span<const Trade> trades, const TradeOrder& order);
// Whether two account balances are the same, see above.
[[nodiscard]] bool same_balance(double a, double b);

// How far the funds column is a running balance of the trades.
struct FundsChain {
    struct Break {
        Date date;  // realization day of the first trade that does not fit
        std::int64_t source_line = 0;
        double expected = 0;  // dollars: balance before it plus its P/L
        double stated = 0;
    };
    std::int64_t steps = 0;  // trades with stated funds and a known balance before them
    std::int64_t broken = 0;
    std::optional<Break> first;
    // One sentence; empty for an unbroken chain.
    [[nodiscard]] std::string warning() const;
};
// `order`: realization_order of the trades. After a break the stated balance is taken on.
[[nodiscard]] FundsChain check_funds_chain(std::span<const Trade> trades, const TradeOrder& order);

}  // namespace tb::analytics
