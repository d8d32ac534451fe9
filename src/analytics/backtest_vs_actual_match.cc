#include "analytics/backtest_vs_actual_match.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "analytics/assignment.h"
#include "core/legs.h"
#include "core/unicode.h"

namespace tb::analytics {

namespace {

using Indices = std::vector<std::size_t>;
using Partners = std::vector<std::optional<std::size_t>>;  // fill of each backtest trade

std::vector<FillPair> paired(std::size_t trades, std::size_t fills, const Partners& fill_of) {
    std::vector<char> used(fills, 0);
    std::vector<FillPair> pairs;
    for (std::size_t i = 0; i < trades; ++i) {
        pairs.push_back({i, fill_of[i], std::nullopt});
        if (fill_of[i]) {
            used[*fill_of[i]] = 1;
        }
    }
    for (std::size_t j = 0; j < fills; ++j) {
        if (used[j] == 0) {
            pairs.push_back({std::nullopt, j, std::nullopt});
        }
    }
    return pairs;
}

Partners match_by_minute(const TradeSet& backtest, const ReportingSet& actual, bool times_unseen) {
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
    Partners fill_of(backtest.trades.size());
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

// ---- rows as they are compared ----

// A row of either side.
struct Row {
    std::size_t index = 0;  // in its set
    std::int32_t day = 0;
    std::string_view strategy;
    std::string_view folded;  // strategy without case; empty: no name
    std::optional<TimeOfDay> time;
    double contracts = 0;
    double pl = 0;
    std::string_view legs_text;
    std::vector<OptionLeg> legs;  // empty: not readable; equal ones merged, in order of leg_order
    std::string type;             // of puts and calls, bought and sold; empty: not readable
    std::string rights;           // of puts and calls only
    bool side_assumed = false;
};

// Calendars differ in their expiries, whatever their strikes; all else in the strikes.
auto leg_order(const OptionLeg& leg) {
    return std::tuple(leg.right, leg.expiry, leg.strike, leg.bought);
}

void read_legs(Row& row, Date opened) {
    auto legs = parse_legs(row.legs_text, opened);
    if (!legs) {
        return;
    }
    row.side_assumed = legs->front().side_assumed;
    if (row.side_assumed) {
        for (OptionLeg& leg : *legs) {
            leg.bought = true;  // not to be compared
        }
    }
    std::sort(legs->begin(), legs->end(),
              [](const OptionLeg& a, const OptionLeg& b) { return leg_order(a) < leg_order(b); });
    if (!row.side_assumed) {
        // One leg filled in parts. Without sides, equal legs may be the two of a calendar.
        legs->erase(std::unique(legs->begin(), legs->end(),
                                [](const OptionLeg& a, const OptionLeg& b) {
                                    return leg_order(a) == leg_order(b);
                                }),
                    legs->end());
    }
    for (const OptionLeg& leg : *legs) {
        const char right = leg.right == OptionRight::kPut ? 'P' : 'C';
        row.type += {right, leg.bought ? '+' : '-'};
        row.rights += right;
    }
    row.legs = *std::move(legs);
}

// Folded names by index, empty for rows without a name.
std::vector<std::string> folded_names(const std::vector<std::string>& names,
                                      std::optional<std::uint32_t> unnamed) {
    std::vector<std::string> folded;
    for (std::size_t i = 0; i < names.size(); ++i) {
        folded.push_back(unnamed == i ? std::string() : fold_case(names[i]));
    }
    return folded;
}

double net(const Trade& t) {
    return t.net_pl();
}
double net(const ReportingTrade& t) {
    return t.pl;
}

template <class Set>
std::vector<Row> rows_of(const Set& set, const std::vector<std::string>& folded) {
    std::vector<Row> rows;
    rows.reserve(set.trades.size());
    for (std::size_t i = 0; i < set.trades.size(); ++i) {
        const auto& t = set.trades[i];
        Row row;
        row.index = i;
        row.day = t.date_opened.days();
        row.strategy = set.strategies[t.strategy];
        row.folded = folded[t.strategy];
        row.time = t.time_opened;
        row.contracts = static_cast<double>(t.contracts);
        row.pl = net(t);
        row.legs_text = t.legs;
        read_legs(row, t.date_opened);
        rows.push_back(std::move(row));
    }
    // By what they hold, so that equally good pairings do not depend on the order of the file.
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
        const auto key = [](const Row& r) {
            return std::tuple(r.day, r.time, r.legs_text, r.strategy, r.contracts, r.pl, r.index);
        };
        return key(a) < key(b);
    });
    return rows;
}

// ---- distance ----

constexpr double kStrikeUnit = 1e4;         // of a point
constexpr double kMostStrikes = 1e13;       // in that unit, of a leg
constexpr std::int64_t kMostSmall = 4'095;  // days or contracts apart

struct StrikeDistance {
    double total = 0;               // points, all legs
    double largest = 0;             // points, of a leg
    double relative = 0;            // largest share of the strike
    std::int64_t days = 0;          // between expiries, all legs
    std::int64_t largest_days = 0;  // of a leg
};

// Legs of one type, in the same order on both sides.
StrikeDistance strike_distance(const std::vector<OptionLeg>& a, const std::vector<OptionLeg>& b) {
    StrikeDistance distance;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        const double apart = std::fabs(a[i].strike - b[i].strike);
        distance.total += apart;
        distance.largest = std::max(distance.largest, apart);
        distance.relative = std::max(distance.relative, apart / a[i].strike);
        if (a[i].expiry && b[i].expiry) {
            const std::int64_t days = std::abs(*a[i].expiry - *b[i].expiry);
            distance.days += days;
            distance.largest_days = std::max(distance.largest_days, days);
        }
    }
    return distance;
}

std::vector<OptionLeg> without_sides(std::vector<OptionLeg> legs) {
    for (OptionLeg& leg : legs) {
        leg.bought = true;
    }
    std::sort(legs.begin(), legs.end(),
              [](const OptionLeg& a, const OptionLeg& b) { return leg_order(a) < leg_order(b); });
    return legs;
}

// nullopt: a side's legs cannot be read.
std::optional<StrikeDistance> leg_distance(const Row& b, const Row& a) {
    if (b.legs.empty() || a.legs.empty()) {
        return std::nullopt;
    }
    return b.side_assumed == a.side_assumed
               ? strike_distance(b.legs, a.legs)
               : strike_distance(without_sides(b.legs), without_sides(a.legs));
}

bool of_one_type(const Row& b, const Row& a) {
    if (b.legs.empty() || a.legs.empty()) {
        return true;
    }
    return b.side_assumed || a.side_assumed ? b.rights == a.rights : b.type == a.type;
}

// 0 spelled alike, 1 but for case, 2 one without a name; nullopt: different names.
std::optional<std::int64_t> name_distance(const Row& b, const Row& a) {
    if (b.strategy == a.strategy) {
        return 0;
    }
    if (b.folded.empty() || a.folded.empty()) {
        return 2;
    }
    return b.folded == a.folded ? std::optional<std::int64_t>(1) : std::nullopt;
}

std::int64_t clipped(double value, std::int64_t most) {
    return value < static_cast<double>(most) ? static_cast<std::int64_t>(std::llround(value))
                                             : most;
}

std::optional<AssignmentCost> pair_cost(const Row& b, const Row& a,
                                        std::int32_t tolerance_minutes) {
    const auto name = name_distance(b, a);
    if (!name || !of_one_type(b, a)) {
        return std::nullopt;
    }
    std::int64_t minutes = tolerance_minutes + 1;
    std::int64_t seconds = 0;
    if (b.time && a.time) {
        const std::int32_t apart = std::abs(b.time->seconds() - a.time->seconds());
        if (apart > tolerance_minutes * 60) {
            return std::nullopt;
        }
        minutes = apart / 60;
        seconds = apart % 60;
    }
    const auto legs = leg_distance(b, a);
    const StrikeDistance distance = legs.value_or(StrikeDistance());
    // Several measures share a part: each is small enough for the sum of a whole group to stay
    // below the weight of the one before it.
    constexpr std::int64_t kNameWeight = std::int64_t{1} << 40U;
    constexpr std::int64_t kUnreadWeight = std::int64_t{1} << 30U;
    constexpr std::int64_t kExpiryWeight = std::int64_t{1} << 40U;
    constexpr std::int64_t kContractWeight = std::int64_t{1} << 16U;
    AssignmentCost cost;
    cost.parts[0] = *name * kNameWeight + (legs ? 0 : 1) * kUnreadWeight + minutes;
    cost.parts[1] = clipped(std::min(distance.total * kStrikeUnit, kMostStrikes),
                            static_cast<std::int64_t>(kMostStrikes));
    cost.parts[2] = std::min(distance.days, kMostSmall) * kExpiryWeight +
                    clipped(std::fabs(b.contracts - a.contracts), kMostSmall) * kContractWeight +
                    seconds;
    return cost;
}

// ---- groups ----

struct Group {
    std::vector<const Row*> backtest;
    std::vector<const Row*> actual;
};

// Rows that may be pairs: of a day and, where every row has a name, of a strategy and, where all
// legs and sides are known, of a type of legs.
std::vector<Group> groups_of(const std::vector<Row>& backtest, const std::vector<Row>& actual) {
    std::map<std::int32_t, Group> days;
    for (const Row& row : backtest) {
        days[row.day].backtest.push_back(&row);
    }
    for (const Row& row : actual) {
        days[row.day].actual.push_back(&row);
    }
    const auto split = [](const Group& group, const auto& whole, const auto& key_of) {
        std::vector<Group> parts;
        if (std::any_of(group.backtest.begin(), group.backtest.end(), whole) ||
            std::any_of(group.actual.begin(), group.actual.end(), whole)) {
            parts.push_back(group);
            return parts;
        }
        std::map<std::string_view, Group> by_key;
        for (const Row* row : group.backtest) {
            by_key[key_of(*row)].backtest.push_back(row);
        }
        for (const Row* row : group.actual) {
            by_key[key_of(*row)].actual.push_back(row);
        }
        for (auto& [key, part] : by_key) {
            parts.push_back(std::move(part));
        }
        return parts;
    };
    std::vector<Group> groups;
    for (const auto& [day, group] : days) {
        const auto by_name = split(
            group, [](const Row* row) { return row->folded.empty(); },
            [](const Row& row) { return row.folded; });
        for (const Group& part : by_name) {
            auto by_type = split(
                part, [](const Row* row) { return row->legs.empty() || row->side_assumed; },
                [](const Row& row) { return std::string_view(row.type); });
            std::move(by_type.begin(), by_type.end(), std::back_inserter(groups));
        }
    }
    return groups;
}

// What is done where a group is too large for the assignment.
Partners pair_in_order_of_time(const Group& group, std::int32_t tolerance_minutes) {
    Partners fill_of(group.backtest.size());
    std::vector<char> taken(group.actual.size(), 0);
    std::size_t first = 0;  // all before are taken or too early
    for (std::size_t i = 0; i < group.backtest.size(); ++i) {
        const Row& b = *group.backtest[i];
        const auto too_early = [&](const Row& a) {
            return b.time && a.time &&
                   b.time->seconds() - a.time->seconds() > tolerance_minutes * 60;
        };
        while (first < group.actual.size() &&
               (taken[first] != 0 || too_early(*group.actual[first]))) {
            ++first;
        }
        std::size_t seen = 0;
        for (std::size_t j = first; j < group.actual.size() && seen < kLookAhead; ++j) {
            if (taken[j] != 0) {
                continue;
            }
            ++seen;
            if (pair_cost(b, *group.actual[j], tolerance_minutes)) {
                fill_of[i] = j;
                taken[j] = 1;
                break;
            }
        }
    }
    return fill_of;
}

// Whether the pair could as well be another one with other figures.
bool is_ambiguous(const Group& group, const Partners& fill_of, const std::vector<char>& taken,
                  std::size_t i, std::int32_t tolerance) {
    const auto cost = [&](std::size_t row, std::size_t column) {
        return pair_cost(*group.backtest[row], *group.actual[column], tolerance);
    };
    const std::size_t j = *fill_of[i];
    const auto own = cost(i, j);
    for (std::size_t other = 0; other < group.backtest.size(); ++other) {
        if (other == i || group.backtest[other]->pl == group.backtest[i]->pl) {
            continue;
        }
        const auto to_mine = cost(other, j);
        if (!to_mine) {
            continue;
        }
        if (!fill_of[other]) {
            if (*to_mine == *own) {
                return true;
            }
            continue;
        }
        const auto to_theirs = cost(i, *fill_of[other]);
        if (!to_theirs || group.actual[*fill_of[other]]->pl == group.actual[j]->pl) {
            continue;
        }
        AssignmentCost crossed = *to_mine;
        crossed += *to_theirs;
        AssignmentCost straight = *own;
        straight += *cost(other, *fill_of[other]);
        if (crossed == straight) {
            return true;
        }
    }
    for (std::size_t other = 0; other < group.actual.size(); ++other) {
        if (taken[other] == 0 && group.actual[other]->pl != group.actual[j]->pl &&
            cost(i, other) == own) {
            return true;
        }
    }
    return false;
}

PairEvidence evidence_of(const Row& b, const Row& a, bool ambiguous) {
    PairEvidence evidence;
    evidence.ambiguous = ambiguous;
    evidence.same_name = b.strategy == a.strategy || (b.folded == a.folded && !b.folded.empty());
    const auto legs = leg_distance(b, a);
    if (legs) {
        evidence.strikes_apart = legs->largest;
        evidence.expiry_days_apart = static_cast<std::int32_t>(legs->largest_days);
    }
    std::optional<std::int32_t> seconds;
    if (b.time && a.time) {
        seconds = a.time->seconds() - b.time->seconds();
        evidence.minutes_apart = a.time->minutes() - b.time->minutes();
    }
    const bool near = seconds && std::abs(*seconds) <= kSureMinutes * 60;
    const bool alike = legs && legs->relative <= kSureStrikeShare && legs->largest_days == 0;
    if (ambiguous || (!legs && !seconds)) {
        evidence.confidence = MatchConfidence::kLow;
    } else if (near && alike && evidence.same_name) {
        evidence.confidence = MatchConfidence::kHigh;
    } else {
        evidence.confidence = MatchConfidence::kMedium;
    }
    return evidence;
}

// Pairs within one group; into `fill_of` and `evidence`, both by index of the backtest's set.
Result<void> match_group(const Group& group, std::int32_t tolerance, const CancelToken& cancel,
                         Partners& fill_of, std::vector<std::optional<PairEvidence>>& evidence,
                         std::vector<std::string>& warnings) {
    if (group.backtest.empty() || group.actual.empty()) {
        return {};
    }
    const bool large = std::max(group.backtest.size(), group.actual.size()) > kMaxAssignmentSide;
    Partners partners;
    if (large) {
        partners = pair_in_order_of_time(group, tolerance);
        warnings.push_back(fmt::format(
            "{} trades and {} fills of {} could be pairs, more than the {} that are paired at "
            "least distance; they are paired in order of time",
            group.backtest.size(), group.actual.size(), Date(group.backtest.front()->day).to_iso(),
            kMaxAssignmentSide));
    } else {
        TB_TRY(partners, least_cost_assignment(
                             group.backtest.size(), group.actual.size(),
                             [&](std::size_t row, std::size_t column) {
                                 return pair_cost(*group.backtest[row], *group.actual[column],
                                                  tolerance);
                             },
                             cancel));
    }
    std::vector<char> taken(group.actual.size(), 0);
    for (const auto& partner : partners) {
        if (partner) {
            taken[*partner] = 1;
        }
    }
    for (std::size_t i = 0; i < partners.size(); ++i) {
        if (!partners[i]) {
            continue;
        }
        const Row& b = *group.backtest[i];
        const Row& a = *group.actual[*partners[i]];
        fill_of[b.index] = a.index;
        evidence[b.index] =
            evidence_of(b, a, large || is_ambiguous(group, partners, taken, i, tolerance));
    }
    return {};
}

}  // namespace

Result<FillMatching> match_trades(const TradeSet& backtest, const ReportingSet& actual,
                                  const BacktestComparisonRequest& request,
                                  const CancelToken& cancel) {
    const std::size_t trades = backtest.trades.size();
    const std::size_t fills = actual.trades.size();
    FillMatching matching;
    if (request.conventions == Conventions::kReference) {
        matching.pairs = paired(
            trades, fills, match_by_minute(backtest, actual, request.fill_times_from_timestamp));
        return matching;
    }
    const auto backtest_names = folded_names(backtest.strategies, backtest.unnamed);
    const auto actual_names = folded_names(actual.strategies, actual.unnamed);
    const std::vector<Row> left = rows_of(backtest, backtest_names);
    const std::vector<Row> right = rows_of(actual, actual_names);
    Partners fill_of(trades);
    std::vector<std::optional<PairEvidence>> evidence(trades);
    for (const Group& group : groups_of(left, right)) {
        if (cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled");
        }
        TB_RETURN_IF_ERROR(match_group(group, request.match_tolerance_minutes, cancel, fill_of,
                                       evidence, matching.warnings));
    }
    matching.pairs = paired(trades, fills, fill_of);
    for (std::size_t i = 0; i < trades; ++i) {
        matching.pairs[i].evidence = evidence[i];
    }
    return matching;
}

ComparedNames compared_names(const TradeSet& backtest, const ReportingSet& actual,
                             const std::vector<FillPair>& pairs) {
    std::map<std::string, std::string_view> spelled;  // folded name to the backtest's spelling
    std::set<std::string_view> exact;
    for (const Trade& t : backtest.trades) {
        const std::string& name = backtest.strategies[t.strategy];
        if (backtest.unnamed != t.strategy && exact.insert(name).second) {
            spelled.try_emplace(fold_case(name), name);
        }
    }
    // The fills' names by index, and the only one of a side.
    std::vector<std::string_view> fill_names(actual.strategies.begin(), actual.strategies.end());
    for (std::string_view& name : fill_names) {
        const auto found = spelled.find(fold_case(name));
        name = exact.count(name) != 0 || found == spelled.end() ? name : found->second;
    }
    std::optional<std::string_view> only_backtest;
    if (spelled.size() == 1) {
        only_backtest = spelled.begin()->second;
    }
    std::optional<std::string_view> only_actual;
    bool several = false;
    for (const ReportingTrade& t : actual.trades) {
        if (actual.unnamed != t.strategy) {
            several = several || (only_actual && *only_actual != fill_names[t.strategy]);
            only_actual = fill_names[t.strategy];
        }
    }
    if (several) {
        only_actual.reset();
    }
    ComparedNames names;
    for (const Trade& t : backtest.trades) {
        const std::string_view own = backtest.strategies[t.strategy];
        names.backtest.push_back(backtest.unnamed == t.strategy ? only_actual.value_or(own) : own);
    }
    for (const ReportingTrade& t : actual.trades) {
        const std::string_view own = fill_names[t.strategy];
        names.actual.push_back(actual.unnamed == t.strategy ? only_backtest.value_or(own) : own);
    }
    for (const FillPair& pair : pairs) {
        if (!pair.backtest || !pair.actual) {
            continue;
        }
        const bool nameless = backtest.unnamed == backtest.trades[*pair.backtest].strategy;
        const bool fill_nameless = actual.unnamed == actual.trades[*pair.actual].strategy;
        if (nameless && !fill_nameless) {
            names.backtest[*pair.backtest] = names.actual[*pair.actual];
        } else if (fill_nameless && !nameless) {
            names.actual[*pair.actual] = names.backtest[*pair.backtest];
        }
    }
    return names;
}

}  // namespace tb::analytics
