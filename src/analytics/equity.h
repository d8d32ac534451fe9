// Account balance along the trades: rebuilding the funds column for a part of a block, one-lot
// normalization, and the equity curve (02 §2.1, §2.2, §4.10).
//
// Thread-safe: all functions are pure.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "analytics/log_flows.h"
#include "analytics/returns.h"
#include "analytics/trade.h"

namespace tb::analytics {

enum class PlKind { kNet, kAsReported };

// Closed trades in CLOSE order get funds = start + running P/L; open trades keep theirs; the order
// of `trades` stays. Default start: F - P of the first closed trade that states funds, else
// 1,000,000 dollars.
void rebuild_equity(std::vector<Trade>& trades, std::optional<double> start, PlKind kind);

// Every trade, open ones too, gets funds = start + running net P/L in the order of realization
// (realization.h): initial_capital finds `start` again, also where closing times are missing or the
// earliest P/L belongs to an open trade.
void chain_funds(std::vector<Trade>& trades, double start);

// P/L and fees times `factor`, then rebuild_equity with net P/L.
void scale_trades(std::vector<Trade>& trades, double factor);

// Every trade as if made with one contract.
//   kReference: pl and fees divided by n, margin kept; start = F of the first closed trade minus
// its already divided net P/L, rebuilt with the reported P/L (02 I-9).
//   kCorrect: pl, fees and margin divided; start = initial_capital of the whole trades, from which
// chain_funds rebuilds; where no trade states its funds, none does afterwards.
void normalize_to_one_lot(std::vector<Trade>& trades, Conventions conventions);

// The snapshot's variant: divides only where n > 1, margin too; start = initial_capital_one_lot;
// funds run in order of (R, closing or opening time) with the reported P/L.
void normalize_to_one_lot_snapshot(std::vector<Trade>& trades);

// --- equity curve -------------------------------------------------------------------------------

struct EquityPoint {
    Date date;  // realization day
    double equity = 0;
    double high_water_mark = 0;
    std::int64_t trade_number = 0;  // 0 = start; then the position in realization order
    // What the start would have become without deposits and withdrawals (time-weighted): equity
    // itself where there are none.
    double balance_without_flows = 0;
};

struct EquityCurve {
    double start = 0;                     // dollars
    bool start_assumed = false;           // no usable balance in the data: 100000 was taken
    std::vector<EquityPoint> points;      // the start, then one per trade as realized, see below
    std::vector<double> equity_of_trade;  // by trade index in LOAD order: balance after that trade
};

// Running net P/L from the start capital of the trades (never the log's); 100000 where that is not
// positive or (kCorrect) not known. In the order of realization (realization.h), so that every
// balance of a complete block is one its funds column states; kReference: by realization day only.
// Empty for no trades.
//
// `flows`: money that left the account, ascending by day (kCorrect): equity does not follow it, but
// what is lost is then a larger share of what is left, and balance_without_flows compounds these
// shares. `start` replaces the capital of the trades.
[[nodiscard]] EquityCurve equity_curve(std::span<const Trade> trades, Conventions conventions,
                                       std::span<const AccountFlow> flows = {},
                                       std::optional<double> start = std::nullopt);

struct DrawdownPoint {
    Date date;
    double drawdown_pct = 0;  // 100*(balance - peak)/peak of balance_without_flows, <= 0
};
[[nodiscard]] std::vector<DrawdownPoint> drawdown_series(const EquityCurve& curve);

// --- portfolio value (library) ------------------------------------------------------------------

// Start capital plus net P/L realized on or before `day`; kByOpenDay: the older variant, IC-open
// plus the reported P/L of trades opened on or before it. nullopt without a start capital.
enum class ValueBasis { kByRealizationDay, kByOpenDay };
[[nodiscard]] std::optional<double> portfolio_value_at(std::span<const Trade> trades,
                                                       std::span<const DailyLogEntry> log, Date day,
                                                       ValueBasis basis, Conventions conventions);

struct TimelinePoint {
    Date date;
    double portfolio_value = 0;
    double cumulative_pl = 0;
    ReturnSource source = ReturnSource::kRealizedTrades;
};
// One row per log entry (value = netLiq), or without a log per day: the opening day with the
// reported P/L (kReference), the realization day with net P/L (kCorrect).
[[nodiscard]] std::vector<TimelinePoint> portfolio_timeline(std::span<const Trade> trades,
                                                            std::span<const DailyLogEntry> log,
                                                            Conventions conventions);

}  // namespace tb::analytics
