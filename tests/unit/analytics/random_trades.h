// Trades for tests of the simulations: a builder with a chained funds column, and seeded random
// blocks.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analytics/random.h"
#include "analytics/trade.h"

namespace tb::analytics::test {

inline Date day(const char* iso) {
    return Date::from_iso(iso).value();
}

class TradesBuilder {
  public:
    explicit TradesBuilder(std::vector<std::string> strategies = {"Alpha"}) {
        set_.strategies = std::move(strategies);
    }
    // Opened and closed on `opened`; the caller changes the rest.
    Trade& add(Date opened, double pl, std::uint32_t strategy = 0) {
        Trade trade;
        trade.date_opened = opened;
        trade.date_closed = opened;
        trade.time_opened = TimeOfDay(9 * 3600 + 1800);
        trade.time_closed = TimeOfDay(16 * 3600);
        trade.pl = pl;
        trade.strategy = strategy;
        trade.margin_req = 2500;
        trade.ticker = "SPX";
        set_.trades.push_back(trade);
        return set_.trades.back();
    }
    // The funds column of an account that starts with `start`, trades in the order added.
    TradesBuilder& fund(double start) {
        for (Trade& trade : set_.trades) {
            start += trade.net_pl();
            trade.funds_at_close = start;
        }
        return *this;
    }
    [[nodiscard]] const TradeSet& set() const { return set_; }
    [[nodiscard]] std::vector<Trade>& trades() { return set_.trades; }

  private:
    TradeSet set_;
};

struct RandomBlock {
    std::uint64_t seed = 1;
    std::size_t trades = 200;
    std::vector<std::string> strategies = {"Alpha", "beta", "Gamma"};
    double win_rate = 0.55;
    double mean_win = 480;
    double mean_loss = 510;
    double start = 100'000;
    std::int32_t most_days_held = 3;
    bool gross_basis = false;  // every third trade states P/L before fees
};

// In LOAD order; one to three trades a weekday from 2023-01-02 on; contracts 1..4, fees, margins.
inline TradeSet random_block(const RandomBlock& spec) {
    RandomStream random(spec.seed, 99, RandomPurpose::kResample);
    TradesBuilder builder(spec.strategies);
    Date current = day("2023-01-02");
    const auto count = static_cast<std::uint32_t>(spec.strategies.size());
    std::int32_t minute = 0;
    while (builder.set().trades.size() < spec.trades) {
        const bool win = random.next_unit() < spec.win_rate;
        const double size = 0.25 + 1.5 * random.next_unit();
        Trade& trade = builder.add(current, win ? spec.mean_win * size : -spec.mean_loss * size,
                                   random.next_below(count));
        trade.time_opened = TimeOfDay(9 * 3600 + 1800 + 60 * minute++);
        trade.contracts = static_cast<std::int32_t>(1 + random.next_below(4));
        trade.margin_req = 1500.0 * trade.contracts;
        trade.opening_fees = 1.25 * trade.contracts;
        trade.closing_fees = 0.75 * trade.contracts;
        trade.opening_price = 4000 + 3.0 * static_cast<double>(builder.set().trades.size());
        if (spec.gross_basis && random.next_below(3) == 0) {
            trade.basis = PlBasis::kGrossBeforeFees;
        }
        const auto held = static_cast<std::int32_t>(
            random.next_below(static_cast<std::uint32_t>(spec.most_days_held) + 1));
        trade.date_closed = current.plus_days(held);
        trade.time_closed =
            TimeOfDay(15 * 3600 + static_cast<std::int32_t>(random.next_below(3600)));
        if (random.next_below(2) == 0) {
            do {
                current = current.plus_days(1);
            } while (current.weekday() > 4);
            minute = 0;
        }
    }
    builder.fund(spec.start);
    return builder.set();
}

}  // namespace tb::analytics::test
