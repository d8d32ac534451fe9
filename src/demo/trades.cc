#include "demo/trades.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "demo/random.h"

namespace tb::demo {

namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t kFeePerLeg = 150;  // cents a contract
constexpr int kQuartersPerDay = kPointsPerDay - 1;

std::int64_t integer_sqrt(std::int64_t value) {
    std::int64_t root = 0;
    for (std::int64_t bit = std::int64_t{1} << 20; bit != 0; bit >>= 1) {
        if ((root + bit) * (root + bit) <= value) {
            root += bit;
        }
    }
    return root;
}

struct Leg {
    std::int64_t strike = 0;  // points
    bool is_call = false;
    bool is_short = false;
    std::int64_t price = 0;  // at entry, cents of a point
};

// Worth of one option in cents of a point: intrinsic value plus a time value that falls with the
// distance in standard deviations. Not a pricing model, only a plausible shape.
std::int64_t option_value(std::int64_t index, const Leg& leg, std::int64_t sigma) {
    const std::int64_t strike = leg.strike * 100;
    const std::int64_t in_money = leg.is_call ? index - strike : strike - index;
    std::int64_t time_value = 0;
    if (sigma > 0) {
        const std::int64_t z = std::abs(in_money) * 1000 / sigma;
        time_value = sigma * 400 / (1000 + 4 * z + 4 * z * z / 1000);
    }
    return std::max<std::int64_t>(in_money, 0) + time_value;
}

// Cost of closing all legs, rounded to the tick of five cents.
std::int64_t closing_value(std::int64_t index, const std::vector<Leg>& legs, std::int64_t sigma) {
    std::int64_t cost = 0;
    for (const Leg& leg : legs) {
        const std::int64_t value = option_value(index, leg, sigma);
        cost += leg.is_short ? value : -value;
    }
    return std::max<std::int64_t>(0, (cost + 2) / 5 * 5);
}

std::vector<Leg> make_legs(const StrategySpec& strategy, std::int64_t index, std::int64_t sigma) {
    const std::int64_t distance = sigma * strategy.distance_milli / 1000 / 100;  // points
    std::vector<Leg> legs;
    if (strategy.structure != Structure::kCallSpread) {
        const std::int64_t strike = (index / 100 - distance) / 5 * 5;
        legs.push_back({strike, false, true, 0});
        legs.push_back({strike - strategy.width_points, false, false, 0});
    }
    if (strategy.structure != Structure::kPutSpread) {
        const std::int64_t strike = (index / 100 + distance + 4) / 5 * 5;
        legs.push_back({strike, true, true, 0});
        legs.push_back({strike + strategy.width_points, true, false, 0});
    }
    for (Leg& leg : legs) {
        leg.price = std::max<std::int64_t>(5, option_value(index, leg, sigma) / 5 * 5);
        if (leg.is_short) {
            leg.price += 15;  // skew: selling pays a little more than the shape above says
        }
    }
    return legs;
}

std::string describe_legs(const std::vector<Leg>& legs, Date expiration, std::int32_t contracts) {
    const auto [year, month, day] = expiration.ymd();
    std::string text;
    for (const Leg& leg : legs) {
        fmt::format_to(std::back_inserter(text), "{}{} {} {} {} {} {} {}.{:02}",
                       text.empty() ? "" : " | ", contracts,
                       kMonths[static_cast<std::size_t>(month - 1)], day, leg.strike,
                       leg.is_call ? "C" : "P", leg.is_short ? "STO" : "BTO", leg.price / 100,
                       leg.price % 100);
    }
    return text;
}

std::int64_t short_long_ratio(const std::vector<Leg>& legs, std::int64_t index,
                              std::int64_t sigma) {
    std::int64_t short_price = 0;
    std::int64_t long_price = 0;
    for (const Leg& leg : legs) {
        (leg.is_short ? short_price : long_price) += option_value(index, leg, sigma) + 5;
    }
    return short_price * 1000 / long_price;
}

struct Exit {
    std::size_t day = 0;
    std::int32_t seconds = kCloseSeconds;
    std::int64_t cost = 0;
    std::string_view reason = "Expired";
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
};

// Walks the quarter hours after the entry until stop, target or expiration.
Exit find_exit(const MarketPath& path, const StrategySpec& strategy, const SampleTrade& trade,
               const std::vector<Leg>& legs, std::size_t entry_day, std::int64_t sigma_day) {
    const auto last_day = entry_day + static_cast<std::size_t>(strategy.hold_days);
    Exit exit;
    exit.lowest = exit.highest = trade.premium;
    for (std::size_t d = entry_day; d <= last_day; ++d) {
        for (int q = 0; q < kPointsPerDay; ++q) {
            const std::int32_t seconds = kOpenSeconds + q * 15 * 60;
            if (d == entry_day && seconds <= trade.time_opened) {
                continue;
            }
            const bool last = d == last_day && q == kPointsPerDay - 1;
            const auto left =
                static_cast<std::int64_t>(last_day - d) * kQuartersPerDay + (kQuartersPerDay - q);
            const std::int64_t sigma =
                last ? 0 : sigma_day * integer_sqrt(left * 1'000'000 / kQuartersPerDay) / 1000;
            const std::int64_t cost =
                closing_value(path.days()[d].index[static_cast<std::size_t>(q)], legs, sigma);
            exit.day = d;
            exit.seconds = seconds;
            exit.cost = cost;
            exit.lowest = std::min(exit.lowest, cost);
            exit.highest = std::max(exit.highest, cost);
            if (last) {
                return exit;
            }
            if (strategy.stop_percent > 0 && cost * 100 >= trade.premium * strategy.stop_percent) {
                exit.reason = "Stop Loss";
                return exit;
            }
            if (strategy.target_percent > 0 &&
                cost * 100 <= trade.premium * strategy.target_percent) {
                exit.reason = "Profit Target";
                return exit;
            }
        }
    }
    return exit;
}

}  // namespace

SampleTrade make_trade(const MarketPath& path, const StrategySpec& strategy, std::size_t day_index,
                       int slot, std::uint64_t seed) {
    Random random({seed, day_index, static_cast<std::uint64_t>(slot)});
    const TradingDay& day = path.days()[day_index];
    SampleTrade trade;
    trade.strategy = strategy.name;
    trade.contracts = strategy.contracts;
    trade.date_opened = day.date;
    // Entries of a day are spread from the first one to 15:00, on whole minutes.
    const auto latest = (15 * 3600 - strategy.entry_seconds) / 60;
    trade.time_opened =
        strategy.entry_seconds +
        60 * static_cast<std::int32_t>((slot * 37 + random.between(0, 12)) % std::max(1, latest));
    trade.opening_price = day.index_at(trade.time_opened);
    trade.opening_vix = day.vix_at(trade.time_opened);
    trade.gap = day_index == 0 ? 0 : day.index.front() - path.days()[day_index - 1].index.back();
    trade.movement = trade.opening_price - day.index.front();

    const std::int64_t sigma_day = trade.opening_price * trade.opening_vix / 10'000 / 16;
    const std::int64_t left =
        strategy.hold_days * kQuartersPerDay + (kCloseSeconds - trade.time_opened) / 900 + 1;
    const std::int64_t sigma = sigma_day * integer_sqrt(left * 1'000'000 / kQuartersPerDay) / 1000;
    const std::vector<Leg> legs = make_legs(strategy, trade.opening_price, sigma);
    const auto last_day = day_index + static_cast<std::size_t>(strategy.hold_days);
    trade.legs = describe_legs(legs, path.days()[last_day].date, trade.contracts);
    for (const Leg& leg : legs) {
        trade.premium += leg.is_short ? leg.price : -leg.price;
    }
    trade.premium = std::max<std::int64_t>(trade.premium, 5);

    const Exit exit = find_exit(path, strategy, trade, legs, day_index, sigma_day);
    const TradingDay& exit_day = path.days()[exit.day];
    trade.date_closed = exit_day.date;
    trade.time_closed = exit.seconds;
    trade.closing_price = exit_day.index_at(exit.seconds);
    trade.closing_vix = exit_day.vix_at(exit.seconds);
    trade.closing_cost = exit.cost;
    trade.reason = exit.reason;
    const auto leg_count = static_cast<std::int64_t>(legs.size());
    trade.opening_fees = kFeePerLeg * leg_count * trade.contracts;
    trade.closing_fees = exit.reason == "Expired" ? 0 : trade.opening_fees;
    trade.pl = trade.contracts * (trade.premium - trade.closing_cost) * 100 - trade.opening_fees -
               trade.closing_fees;
    trade.margin = trade.contracts * (strategy.width_points * 100 - trade.premium) * 100;
    trade.max_profit_bp = (trade.premium - exit.lowest) * 10'000 / trade.premium;
    trade.max_loss_bp = (trade.premium - exit.highest) * 10'000 / trade.premium;
    trade.ratio_open_milli = short_long_ratio(legs, trade.opening_price, sigma);
    trade.ratio_close_milli = short_long_ratio(legs, trade.closing_price, 0);
    return trade;
}

std::vector<SampleTrade> make_trades(const MarketPath& path,
                                     const std::vector<StrategySpec>& strategies,
                                     std::size_t first_day, std::size_t last_day, int entries,
                                     std::uint64_t seed) {
    std::vector<SampleTrade> trades;
    for (std::size_t day = first_day; day < last_day; ++day) {
        for (std::size_t s = 0; s < strategies.size(); ++s) {
            for (int entry = 0; entry < entries; ++entry) {
                // Not every strategy finds its entry every day.
                if (Random({seed, day, s, 7}).between(0, 9) < 2) {
                    continue;
                }
                trades.push_back(make_trade(path, strategies[s], day, entry, seed + s));
            }
        }
    }
    std::stable_sort(trades.begin(), trades.end(), [](const auto& a, const auto& b) {
        return std::pair(a.date_opened, a.time_opened) < std::pair(b.date_opened, b.time_opened);
    });
    return trades;
}

}  // namespace tb::demo
