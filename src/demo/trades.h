// Sample trades of simple premium-selling strategies on the made-up market: strikes, premium, exit
// and profit follow from the price path, so that a trader finds nothing absurd in them.
//
// Money is integer cents of a dollar, option prices integer cents of a point (a point is $100 a
// contract), so that every figure is exact and the same everywhere.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "demo/market_path.h"

namespace tb::demo {

enum class Structure { kPutSpread, kCallSpread, kIronCondor };

struct StrategySpec {
    std::string_view name;  // as written into the file; may be empty
    Structure structure = Structure::kPutSpread;
    std::int64_t distance_milli = 600;  // short strike: expected daily moves away, thousandths
    std::int64_t width_points = 50;
    std::int32_t contracts = 1;
    std::int32_t entry_seconds = kOpenSeconds + 3600;  // first entry of the day
    std::int32_t hold_days = 0;                        // exchange days to expiration
    std::int64_t stop_percent = 250;                   // of premium; 0 = no stop
    std::int64_t target_percent = 0;  // of premium that may be left when taking profit; 0 = none
};

struct SampleTrade {
    Date date_opened;
    Date date_closed;
    std::int32_t time_opened = 0;  // seconds of the day
    std::int32_t time_closed = 0;
    std::int64_t opening_price = 0;  // index, cents
    std::int64_t closing_price = 0;
    std::int64_t opening_vix = 0;  // cents
    std::int64_t closing_vix = 0;
    std::int64_t gap = 0;       // cents of index: open against previous close
    std::int64_t movement = 0;  // cents of index: entry against open
    std::string legs;
    std::int64_t premium = 0;       // cents of a point, received
    std::int64_t closing_cost = 0;  // cents of a point, paid
    std::string_view reason;
    std::int32_t contracts = 1;
    std::int64_t margin = 0;        // cents
    std::int64_t opening_fees = 0;  // cents
    std::int64_t closing_fees = 0;
    std::int64_t pl = 0;                // cents, after fees
    std::int64_t max_profit_bp = 0;     // hundredths of a percent of premium
    std::int64_t max_loss_bp = 0;       // the same, negative when under water
    std::int64_t ratio_open_milli = 0;  // short/long price ratio
    std::int64_t ratio_close_milli = 0;
    std::string_view strategy;
};

// The trade a strategy opens on `day_index` as its `slot`-th entry of that day. The path must go on
// for hold_days days after it.
[[nodiscard]] SampleTrade make_trade(const MarketPath& path, const StrategySpec& strategy,
                                     std::size_t day_index, int slot, std::uint64_t seed);

// Every trade of the strategies on days [first_day, last_day), `entries` a day each, sorted as they
// were opened.
[[nodiscard]] std::vector<SampleTrade> make_trades(const MarketPath& path,
                                                   const std::vector<StrategySpec>& strategies,
                                                   std::size_t first_day, std::size_t last_day,
                                                   int entries, std::uint64_t seed);

}  // namespace tb::demo
