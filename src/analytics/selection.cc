#include "analytics/selection.h"

#include <algorithm>
#include <optional>

#include "analytics/equity.h"
#include "analytics/numerics.h"
#include "analytics/realization.h"
#include "analytics/statistics.h"
#include "analytics/statistics_tally.h"

namespace tb::analytics {

namespace {

bool unranked(const Trade& t) {
    return t.realization_rank == Trade::kUnranked;
}

// What the block realized around the days of a part.
struct Surroundings {
    std::int64_t inside = 0;
    std::optional<Date> last_before;
    bool any_after = false;
};

Surroundings surroundings(std::span<const Trade> block, Date first, Date last) {
    Surroundings found;
    for (const Trade& t : block) {
        const Date day = t.realized_on();
        if (day < first) {
            found.last_before = std::max(found.last_before.value_or(day), day);
        }
        found.any_after = found.any_after || day > last;
        found.inside += day >= first && day <= last ? 1 : 0;
    }
    return found;
}

}  // namespace

Selection select_part(const TradeSet& block, std::span<const DailyLogEntry> log,
                      const TradeFilter& filter) {
    if (std::any_of(block.trades.begin(), block.trades.end(), unranked)) {
        TradeSet ranked = block;
        rank_realizations(ranked.trades);
        return select_part(ranked, log, filter);
    }
    Selection part;
    part.trades = filter_trades(block, filter);
    const auto& trades = part.trades.trades;
    if (trades.empty()) {
        return part;
    }
    Date first = trades.front().realized_on();
    Date last = first;
    Date opened = trades.front().date_opened;
    for (const Trade& t : trades) {
        first = std::min(first, t.realized_on());
        last = std::max(last, t.realized_on());
        opened = std::min(opened, t.date_opened);
    }
    const Surroundings around = surroundings(block.trades, first, last);
    part.whole_account = around.inside == static_cast<std::int64_t>(trades.size());
    if (part.whole_account) {
        DateRange stretch;
        if (around.last_before) {
            stretch.from = std::min(first, std::max(opened, around.last_before->plus_days(1)));
        }
        if (around.any_after) {
            stretch.to = last;
        }
        part.log = filter_log(log, stretch);
    }
    return part;
}

Capital part_capital(const TradeSet& block, std::span<const DailyLogEntry> log,
                     const Selection& part) {
    const auto& trades = part.trades.trades;
    Capital capital = account_capital(trades, part.log, Conventions::kCorrect);
    if (capital.dollars || trades.empty()) {
        return capital;
    }
    capital = account_capital(block.trades, log, Conventions::kCorrect);
    if (!capital.dollars) {
        return capital;
    }
    // Nothing states the part's own balance: the block's start and what came before.
    const auto first = std::min_element(
        trades.begin(), trades.end(),
        [](const Trade& a, const Trade& b) { return a.realization_rank < b.realization_rank; });
    CompensatedSum balance(*capital.dollars);
    const TradeOrder order = realization_order(block.trades);
    for (const std::uint32_t index : order) {
        const Trade& t = block.trades[index];
        const bool ranked = !unranked(t);
        if (ranked ? t.realization_rank >= first->realization_rank
                   : t.source_line == first->source_line) {
            break;
        }
        balance.add(is_usable(t) ? t.net_pl() : 0);
    }
    capital.dollars = balance.value();
    return capital;
}

Capital fund_part(const TradeSet& block, std::span<const DailyLogEntry> log, Selection& part) {
    const Capital capital = part_capital(block, log, part);
    auto& trades = part.trades.trades;
    const bool stated = std::any_of(trades.begin(), trades.end(),
                                    [](const Trade& t) { return t.funds_at_close.has_value(); });
    if (capital.dollars && !(part.whole_account && stated)) {
        chain_funds(trades, *capital.dollars);
    }
    return capital;
}

}  // namespace tb::analytics
