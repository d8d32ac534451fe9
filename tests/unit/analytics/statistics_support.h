// Builders of trades for the analytics tests. Money, dates and fees differ from row to row, so that
// a swapped field shows.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "analytics/trade.h"

namespace tb::analytics::test {

inline Date day(std::string_view iso) {
    return Date::from_iso(iso).value();
}
inline TimeOfDay at(std::string_view iso) {
    return TimeOfDay::from_iso(iso).value();
}

// A closed trade of one contract, opened 10:00 and closed 15:00.
inline Trade make_trade(std::string_view opened, std::string_view closed, double pl) {
    Trade t;
    t.date_opened = day(opened);
    t.date_closed = day(closed);
    t.time_opened = at("10:00:00");
    t.time_closed = at("15:00:00");
    t.pl = pl;
    t.ticker = "SPX";
    return t;
}

// Funds as the account would have stated them, closing in the order of the rows.
inline std::vector<Trade> with_funds(std::vector<Trade> trades, double start) {
    for (Trade& t : trades) {
        start += t.net_pl();
        t.funds_at_close = start;
    }
    return trades;
}

inline TradeSet make_set(std::vector<Trade> trades, std::vector<std::string> strategies = {"one"}) {
    return TradeSet{std::move(trades), std::move(strategies), nullptr};
}

inline DailyLogEntry log_entry(std::string_view date, double net_liquidity, double daily_pl) {
    DailyLogEntry e;
    e.date = day(date);
    e.net_liquidity = net_liquidity;
    e.daily_pl = daily_pl;
    return e;
}

// Within 1e-9 relative (absolute below 1): 02 §8.
inline ::testing::AssertionResult close_to(std::optional<double> calculated, double expected,
                                           double tolerance = 1e-9) {
    if (!calculated) {
        return ::testing::AssertionFailure() << "no value, expected " << expected;
    }
    const double error = std::fabs(*calculated - expected);
    if (error <= tolerance * std::max(1.0, std::fabs(expected))) {
        return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure()
           << "calculated " << *calculated << ", expected " << expected << ", off by " << error;
}

}  // namespace tb::analytics::test
