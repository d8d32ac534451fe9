// Margin in use on every day, in total and per strategy, in dollars and as a share of the account
// (library analytic, 02 §5 "Margin timeline").
//
// A trade holds its margin on every civil day from opening to closing day, both included; an open
// trade on its opening day only, as nothing says how long it stays (counted in open_trades).
//
// Cost: a sweep, linear in trades + days + (days with a trade) * strategies.
//
// Thread-safe: margin_timeline is pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/statistics_types.h"
#include "analytics/trade.h"
#include "core/result.h"

namespace tb::analytics {

inline constexpr std::size_t kMaxMarginCells = 4'000'000;  // days * strategies

enum class MarginBase {
    kFixed,        // percent of the starting capital
    kCompounding,  // percent of the account: the day's netLiq where the log has one, else starting
                   // capital + P/L of all trades closed by the end of that day
};

struct MarginTimelineOptions {
    double starting_capital = 0;  // dollars, > 0
    MarginBase base = MarginBase::kFixed;
};

struct MarginTimelinePoint {
    Date date;
    double margin = 0;                    // dollars, all strategies
    double capital = 0;                   // dollars, what the percentages refer to
    std::optional<double> margin_pct;     // nullopt while the capital is not positive
    std::vector<double> strategy_margin;  // parallel to MarginTimeline::strategies
    std::vector<std::optional<double>> strategy_margin_pct;
};

struct MarginTimeline {
    std::vector<std::string> strategies;      // with a trade, in order of first appearance
    std::vector<MarginTimelinePoint> points;  // days on which any trade is held, ascending
    std::optional<double> max_margin;         // nullopt without trades
    std::optional<double> max_margin_pct;
    std::vector<std::optional<double>> strategy_max_pct;  // maximum of each strategy's series
    std::size_t open_trades = 0;
    std::vector<Note> notes;
    std::vector<std::string> warnings;
};

// P/L is net in kCorrect, as reported in kReference (02 I-17). A trade closed before it was opened
// holds its margin on the opening day. kInvalidArgument: starting capital not positive;
// kResourceExhausted: more than kMaxMarginCells.
[[nodiscard]] Result<MarginTimeline> margin_timeline(const TradeSet& trades,
                                                     std::span<const DailyLogEntry> log,
                                                     const MarginTimelineOptions& options,
                                                     Conventions conventions);

}  // namespace tb::analytics
