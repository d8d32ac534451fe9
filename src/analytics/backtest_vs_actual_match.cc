#include "analytics/backtest_vs_actual_match.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <tuple>

namespace tb::analytics {

namespace {

using Indices = std::vector<std::size_t>;
struct DayGroup {
    Indices backtest;
    Indices actual;
};
using DayKey = std::pair<std::int32_t, std::string_view>;

std::vector<FillPair> paired(const TradeSet& backtest, const ReportingSet& actual,
                             const std::vector<std::optional<std::size_t>>& fill_of) {
    std::vector<char> used(actual.trades.size(), 0);
    std::vector<FillPair> pairs;
    for (std::size_t i = 0; i < backtest.trades.size(); ++i) {
        pairs.push_back({i, fill_of[i]});
        if (fill_of[i]) {
            used[*fill_of[i]] = 1;
        }
    }
    for (std::size_t j = 0; j < actual.trades.size(); ++j) {
        if (used[j] == 0) {
            pairs.push_back({std::nullopt, j});
        }
    }
    return pairs;
}

std::vector<std::optional<std::size_t>> match_by_minute(const TradeSet& backtest,
                                                        const ReportingSet& actual,
                                                        bool times_unseen) {
    const auto minute = [](const std::optional<TimeOfDay>& t) { return t ? t->minutes() : 0; };
    std::map<std::tuple<std::int32_t, std::string_view, std::int32_t>, Indices> open;
    for (std::size_t j = 0; j < actual.trades.size(); ++j) {
        const ReportingTrade& a = actual.trades[j];
        open[{a.date_opened.days(), actual.strategies[a.strategy],
              times_unseen ? 0 : minute(a.time_opened)}]
            .push_back(j);
    }
    for (auto& [key, fills] : open) {
        std::reverse(fills.begin(), fills.end());  // the first one is taken from the back
    }
    std::vector<std::optional<std::size_t>> fill_of(backtest.trades.size());
    for (std::size_t i = 0; i < backtest.trades.size(); ++i) {
        const Trade& b = backtest.trades[i];
        const auto at = open.find(
            {b.date_opened.days(), backtest.strategies[b.strategy], minute(b.time_opened)});
        if (at != open.end() && !at->second.empty()) {
            fill_of[i] = at->second.back();
            at->second.pop_back();
        }
    }
    return fill_of;
}

// Cost of a pair, smaller is better; nullopt when the two cannot be the same trade.
std::optional<std::pair<std::int32_t, std::int32_t>> pair_cost(const Trade& b,
                                                               const ReportingTrade& a,
                                                               bool same_legs,
                                                               std::int32_t tolerance_minutes) {
    const std::int32_t legs = same_legs ? 0 : 1;
    if (!b.time_opened || !a.time_opened) {
        return std::pair(tolerance_minutes * 60 + 1, legs);
    }
    const std::int32_t apart = std::abs(b.time_opened->seconds() - a.time_opened->seconds());
    if (apart > tolerance_minutes * 60) {
        return std::nullopt;
    }
    return std::pair(apart, legs);
}

void match_group(const TradeSet& backtest, const ReportingSet& actual, const DayGroup& group,
                 std::int32_t tolerance_minutes, std::vector<std::optional<std::size_t>>& fill_of) {
    std::vector<std::string> backtest_legs;
    std::vector<std::string> actual_legs;
    for (const std::size_t i : group.backtest) {
        backtest_legs.push_back(leg_signature(backtest.trades[i].legs));
    }
    for (const std::size_t j : group.actual) {
        actual_legs.push_back(leg_signature(actual.trades[j].legs));
    }
    struct Candidate {
        std::pair<std::int32_t, std::int32_t> cost;
        std::size_t i;
        std::size_t j;
    };
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < group.backtest.size(); ++i) {
        for (std::size_t j = 0; j < group.actual.size(); ++j) {
            const auto cost =
                pair_cost(backtest.trades[group.backtest[i]], actual.trades[group.actual[j]],
                          backtest_legs[i] == actual_legs[j], tolerance_minutes);
            if (cost) {
                candidates.push_back({*cost, i, j});
            }
        }
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.cost < b.cost; });
    std::vector<char> taken(group.actual.size(), 0);
    for (const Candidate& c : candidates) {
        std::optional<std::size_t>& fill = fill_of[group.backtest[c.i]];
        if (!fill && taken[c.j] == 0) {
            fill = group.actual[c.j];
            taken[c.j] = 1;
        }
    }
}

std::vector<std::optional<std::size_t>> match_by_distance(const TradeSet& backtest,
                                                          const ReportingSet& actual,
                                                          std::int32_t tolerance_minutes) {
    std::map<DayKey, DayGroup> days;
    for (std::size_t i = 0; i < backtest.trades.size(); ++i) {
        const Trade& b = backtest.trades[i];
        days[{b.date_opened.days(), backtest.strategies[b.strategy]}].backtest.push_back(i);
    }
    for (std::size_t j = 0; j < actual.trades.size(); ++j) {
        const ReportingTrade& a = actual.trades[j];
        days[{a.date_opened.days(), actual.strategies[a.strategy]}].actual.push_back(j);
    }
    std::vector<std::optional<std::size_t>> fill_of(backtest.trades.size());
    for (const auto& [key, group] : days) {
        match_group(backtest, actual, group, tolerance_minutes, fill_of);
    }
    return fill_of;
}

}  // namespace

std::string leg_signature(std::string_view legs) {
    std::string signature;
    while (!legs.empty()) {
        const std::size_t bar = legs.find('|');
        std::string_view leg = legs.substr(0, bar);
        legs = bar == std::string_view::npos ? std::string_view() : legs.substr(bar + 1);
        while (!leg.empty() && leg.front() == ' ') {
            leg.remove_prefix(1);
        }
        while (!leg.empty() && leg.back() == ' ') {
            leg.remove_suffix(1);
        }
        // "... STO 4.45": the price is the word behind the order code.
        const std::size_t space = leg.rfind(' ');
        if (space != std::string_view::npos &&
            leg.find_first_not_of("0123456789.-", space + 1) == std::string_view::npos) {
            leg = leg.substr(0, space);
        }
        signature.append(signature.empty() ? "" : " | ").append(leg);
    }
    return signature;
}

std::vector<FillPair> match_trades(const TradeSet& backtest, const ReportingSet& actual,
                                   const BacktestComparisonRequest& request) {
    const bool reference = request.conventions == Conventions::kReference;
    return paired(backtest, actual,
                  reference ? match_by_minute(backtest, actual, request.fill_times_from_timestamp)
                            : match_by_distance(backtest, actual, request.match_tolerance_minutes));
}

}  // namespace tb::analytics
