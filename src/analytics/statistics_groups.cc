#include "analytics/statistics_groups.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "analytics/numerics.h"

namespace tb::analytics {

GroupedEntries group_entries(std::span<const Trade> trades, Conventions conventions) {
    std::map<std::tuple<std::int32_t, std::int32_t, std::uint32_t>, std::size_t> known;
    std::vector<EntryGroup> groups;
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        const std::int32_t seconds = t.time_opened.value_or(TimeOfDay()).seconds();
        const auto [at, added] =
            known.try_emplace({t.date_opened.days(), seconds, t.strategy}, groups.size());
        if (added) {
            groups.push_back({t.date_opened, seconds, t.strategy, {}, 0, EntryOutcome::kNeutral});
        }
        groups[at->second].trades.push_back(static_cast<std::uint32_t>(i));
    }
    GroupedEntries result;
    CompensatedSum lost;
    for (EntryGroup& group : groups) {
        if (group.trades.size() < 2) {
            continue;
        }
        std::size_t wins = 0;
        std::size_t losses = 0;
        CompensatedSum combined;
        for (const std::uint32_t index : group.trades) {
            const Trade& t = trades[index];
            const double pl = conventions == Conventions::kReference ? t.pl : t.net_pl();
            combined.add(pl);
            wins += pl > 0 ? 1 : 0;
            losses += pl < 0 ? 1 : 0;
        }
        group.combined_pl = combined.value();
        if (losses == group.trades.size()) {
            group.outcome = EntryOutcome::kAllLosses;
            ++result.all_losses;
            lost.add(-group.combined_pl);
        } else if (wins == group.trades.size()) {
            group.outcome = EntryOutcome::kAllWins;
            ++result.all_wins;
        } else if (wins > 0 && losses > 0) {
            group.outcome = EntryOutcome::kMixed;
            ++result.mixed;
        } else {
            ++result.neutral;
        }
        result.groups.push_back(std::move(group));
    }
    result.all_losses_amount = lost.value();
    return result;
}

double trades_per_year(std::span<const Trade> trades, double fallback) {
    if (trades.size() < 2) {
        return fallback;
    }
    const auto [first, last] = std::minmax_element(
        trades.begin(), trades.end(),
        [](const Trade& a, const Trade& b) { return a.date_opened < b.date_opened; });
    const double years = (last->date_opened - first->date_opened) / 365.25;
    if (years < 0.01) {
        return fallback;
    }
    return std::max(10.0, round_half_up(static_cast<double>(trades.size()) / years));
}

}  // namespace tb::analytics
