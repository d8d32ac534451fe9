#include "analytics/periods.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analytics/equity.h"
#include "analytics/numerics.h"
#include "analytics/returns_order.h"

namespace tb::analytics {

namespace {

struct Sums {
    CompensatedSum reported;
    CompensatedSum gross;
    CompensatedSum commissions;
    CompensatedSum net;
    std::int64_t count = 0;

    void add(const Trade& t) {
        reported.add(t.pl);
        gross.add(t.gross_pl());
        commissions.add(t.fees());
        net.add(t.net_pl());
        ++count;
    }
    [[nodiscard]] PeriodSums values() const {
        return {reported.value(), gross.value(), commissions.value(), net.value(), count};
    }
};

void note_overflow(const PeriodSums& totals, std::vector<Note>& notes) {
    if (!std::isfinite(totals.reported_pl) || !std::isfinite(totals.gross_pl) ||
        !std::isfinite(totals.commissions) || !std::isfinite(totals.net_pl)) {
        notes.push_back({"totals", "a sum is too large to be represented"});
    }
}

}  // namespace

std::string period_key(Date day, PeriodType type, Conventions conventions) {
    const YearMonthDay ymd = day.ymd();
    switch (type) {
        case PeriodType::kDaily:
            return day.to_iso();
        case PeriodType::kWeekly: {
            const IsoWeek iso = day.iso_week();
            const bool reference = conventions == Conventions::kReference;
            return fmt::format("{:04}-W{:02}", reference ? ymd.year : iso.year, iso.week);
        }
        case PeriodType::kMonthly:
            break;
    }
    return fmt::format("{:04}-{:02}", ymd.year, ymd.month);
}

std::optional<PeriodReturns> period_returns(const TradeSet& set,
                                            const PeriodReturnsRequest& request) {
    TradeFilter filter;
    filter.strategy = request.strategy;
    filter.reference_names = request.conventions == Conventions::kReference;
    if (request.dates) {
        filter.dates = *request.dates;
    } else if (request.year) {
        // A year no calendar holds selects nothing.
        filter.dates.from = Date::from_ymd(*request.year, 1, 1);
        filter.dates.to = Date::from_ymd(*request.year, 12, 31);
        if (!filter.dates.from) {
            return std::nullopt;
        }
    }
    TradeSet filtered;
    std::span<const Trade> trades = set.trades;
    if (filter.is_subset() || filter.dates.bounded() || request.one_lot) {
        filtered = filter_trades(set, filter);
        if (request.one_lot) {
            normalize_to_one_lot(filtered.trades, request.conventions);
        }
        trades = filtered.trades;
    }
    if (trades.empty()) {
        return std::nullopt;
    }
    PeriodReturns result;
    result.trades_analyzed = static_cast<std::int64_t>(trades.size());
    // Days ascend, so a key is formatted once a day; the reference's keys may come back later.
    std::vector<std::pair<std::string, Sums>> periods;
    std::optional<Date> current;
    for (const std::uint32_t index : realday_order(trades)) {
        const Trade& t = trades[index];
        if (current != t.realized_on()) {
            current = t.realized_on();
            std::string key = period_key(*current, request.type, request.conventions);
            if (periods.empty() || periods.back().first != key) {
                periods.emplace_back(std::move(key), Sums());
            }
        }
        periods.back().second.add(t);
    }
    std::stable_sort(periods.begin(), periods.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    Sums totals;
    for (const Trade& t : trades) {
        totals.add(t);
    }
    for (const auto& [key, sums] : periods) {
        const PeriodSums values = sums.values();
        if (!result.periods.empty() && result.periods.back().period == key) {
            PeriodSums& into = result.periods.back().sums;
            into.reported_pl += values.reported_pl;
            into.gross_pl += values.gross_pl;
            into.commissions += values.commissions;
            into.net_pl += values.net_pl;
            into.trade_count += values.trade_count;
        } else {
            result.periods.push_back({key, values});
        }
    }
    result.totals = totals.values();
    note_overflow(result.totals, result.notes);
    return result;
}

}  // namespace tb::analytics
