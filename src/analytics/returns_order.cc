#include "analytics/returns_order.h"

#include <algorithm>
#include <numeric>

namespace tb::analytics {

namespace {

std::int64_t key_range(std::span<const std::int32_t> keys) {
    const auto [low, high] = std::minmax_element(keys.begin(), keys.end());
    return static_cast<std::int64_t>(*high) - *low + 1;
}

// One stable pass of a least-significant-key-first sort.
void counting_pass(TradeOrder& order, std::span<const std::int32_t> keys) {
    const std::int64_t low = *std::min_element(keys.begin(), keys.end());
    std::vector<std::uint32_t> next(static_cast<std::size_t>(key_range(keys)) + 1, 0);
    const auto bucket = [&](std::uint32_t i) { return static_cast<std::size_t>(keys[i] - low); };
    for (const std::uint32_t i : order) {
        ++next[bucket(i) + 1];
    }
    std::partial_sum(next.begin(), next.end(), next.begin());
    TradeOrder sorted(order.size());
    for (const std::uint32_t i : order) {
        sorted[next[bucket(i)]++] = i;
    }
    order.swap(sorted);
}

}  // namespace

TradeOrder order_by_day_and_seconds(std::span<const std::int32_t> days,
                                    std::span<const std::int32_t> seconds) {
    TradeOrder order(days.size());
    std::iota(order.begin(), order.end(), 0U);
    const auto earlier = [&](std::uint32_t a, std::uint32_t b) {
        return days[a] != days[b] ? days[a] < days[b] : seconds[a] < seconds[b];
    };
    if (std::is_sorted(order.begin(), order.end(), earlier)) {
        return order;
    }
    // Counting pays when the keys are dense: many rows, and days within a trading career.
    constexpr std::size_t kFewRows = 2048;
    constexpr std::int64_t kWidestRange = 200'000;
    if (days.size() < kFewRows || key_range(days) > kWidestRange ||
        key_range(seconds) > kWidestRange) {
        std::stable_sort(order.begin(), order.end(), earlier);
        return order;
    }
    counting_pass(order, seconds);
    counting_pass(order, days);
    return order;
}

TradeOrder closefull_order(std::span<const Trade> trades) {
    std::vector<std::int32_t> days(trades.size());
    std::vector<std::int32_t> seconds(trades.size());
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        days[i] = t.realized_on().days();
        seconds[i] = t.time_closed.value_or(t.time_opened.value_or(TimeOfDay())).seconds();
    }
    return order_by_day_and_seconds(days, seconds);
}

TradeOrder close_order(std::span<const Trade> trades) {
    TradeOrder closed;
    std::vector<std::int32_t> days;
    std::vector<std::int32_t> seconds;
    closed.reserve(trades.size());
    days.reserve(trades.size());
    seconds.reserve(trades.size());
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        if (t.date_closed) {
            closed.push_back(static_cast<std::uint32_t>(i));
            days.push_back(t.date_closed->days());
            seconds.push_back(t.time_closed ? t.time_closed->seconds() : -1);
        }
    }
    TradeOrder order = order_by_day_and_seconds(days, seconds);
    for (std::uint32_t& index : order) {
        index = closed[index];
    }
    return order;
}

TradeOrder realday_order(std::span<const Trade> trades) {
    std::vector<std::int32_t> days(trades.size());
    for (std::size_t i = 0; i < trades.size(); ++i) {
        days[i] = trades[i].realized_on().days();
    }
    return order_by_day_and_seconds(days, std::vector<std::int32_t>(trades.size(), 0));
}

}  // namespace tb::analytics
