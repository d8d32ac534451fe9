// Pairing of backtest trades with live fills, used by backtest_vs_actual.
//
// kReference: equal (day, strategy, opening minute); each backtest trade takes the first unused
// fill.
//
// kCorrect: nothing depends on the order of the rows. A trade and a fill can be a pair if
//   - they were opened on the same day, at most `match_tolerance_minutes` apart (where a side has
//     no time, any time will do);
//   - their strategies are named alike (letter case does not matter), or one of them has no name;
//   - their legs are of one type: the same number of puts and of calls, bought and sold in the same
//     order by expiry and strike (core/legs.h; sides that a form of legs does not say are not
//     compared; legs that cannot be read exclude nothing).
// Of all ways to pair, the one with the most pairs and among those the least total distance is
// taken (assignment.h). Distance is compared in this order: strategy (same spelling, other case,
// none), legs unreadable, whole minutes apart, strikes (points, over all legs), expiries (days),
// contracts, seconds.
//
// Groups of a day, strategy and type with more than kMaxAssignmentSide rows on a side are paired in
// order of time instead, each trade with the first possible of the next kLookAhead fills; a warning
// names them.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/backtest_vs_actual.h"
#include "analytics/trade.h"
#include "core/cancel.h"
#include "core/result.h"

namespace tb::analytics {

inline constexpr std::size_t kMaxAssignmentSide = 200;
inline constexpr std::size_t kLookAhead = 64;

// Index pairs; one side may be absent.
struct FillPair {
    std::optional<std::size_t> backtest;
    std::optional<std::size_t> actual;
    std::optional<PairEvidence> evidence;  // of pairs, kCorrect
};

struct FillMatching {
    std::vector<FillPair> pairs;  // in order of the backtest trades, then the fills left over
    std::vector<std::string> warnings;
};

// kInterrupted when cancelled.
[[nodiscard]] Result<FillMatching> match_trades(const TradeSet& backtest,
                                                const ReportingSet& actual,
                                                const BacktestComparisonRequest& request,
                                                const CancelToken& cancel = {});

// The strategy under which each row is compared: a fill whose name differs from the backtest's in
// case only gets that one's; a row without a name that of its partner, or the only name there is on
// the other side, else what stands for a blank one.
struct ComparedNames {
    std::vector<std::string_view> backtest;  // views into the sets
    std::vector<std::string_view> actual;
};
[[nodiscard]] ComparedNames compared_names(const TradeSet& backtest, const ReportingSet& actual,
                                           const std::vector<FillPair>& pairs);

}  // namespace tb::analytics
