// Small library figures over a block's rows (02 §5): legs entered together, and trades a year.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analytics/trade.h"

namespace tb::analytics {

enum class EntryOutcome { kAllLosses, kAllWins, kMixed, kNeutral };

// Rows of one strategy opened at the same date and time; at least two.
struct EntryGroup {
    Date date;
    std::int32_t opened_seconds = 0;  // 0 where the file has no time
    std::uint32_t strategy = 0;
    std::vector<std::uint32_t> trades;  // indices
    double combined_pl = 0;             // reported (kReference) or net (kCorrect)
    // All below zero; all above zero; both signs present; else neutral (zeros).
    EntryOutcome outcome = EntryOutcome::kNeutral;
};
struct GroupedEntries {
    std::vector<EntryGroup> groups;  // in order of their first row
    std::int64_t all_losses = 0;
    std::int64_t all_wins = 0;
    std::int64_t mixed = 0;
    std::int64_t neutral = 0;
    double all_losses_amount = 0;  // sum of |combined_pl| of the all-loss entries
};
[[nodiscard]] GroupedEntries group_entries(std::span<const Trade> trades, Conventions conventions);

// max(10, round(n / (span of opening days / 365.25))); `fallback` below two trades or when the span
// is under 0.01 years.
[[nodiscard]] double trades_per_year(std::span<const Trade> trades, double fallback);

}  // namespace tb::analytics
