#include "analytics/returns_order.h"

#include <algorithm>
#include <numeric>

namespace tb::analytics {

TradeOrder order_by_day_and_seconds(std::span<const std::int32_t> days,
                                    std::span<const std::int32_t> seconds) {
    const std::size_t n = days.size();
    TradeOrder order(n);
    std::iota(order.begin(), order.end(), 0U);
    if (n < 2) {
        return order;
    }
    const auto earlier = [&](std::uint32_t a, std::uint32_t b) {
        return days[a] != days[b] ? days[a] < days[b] : seconds[a] < seconds[b];
    };
    if (std::is_sorted(order.begin(), order.end(), earlier)) {
        return order;
    }
    const auto [low, high] = std::minmax_element(days.begin(), days.end());
    const std::int64_t first = *low;
    const std::int64_t range = static_cast<std::int64_t>(*high) - first + 1;
    constexpr std::int64_t kWidestRange = 200'000;  // about 550 years of days
    if (range > kWidestRange) {
        std::stable_sort(order.begin(), order.end(), earlier);
        return order;
    }
    std::vector<std::uint32_t> start(static_cast<std::size_t>(range) + 1, 0);
    const auto bucket = [&](std::size_t i) { return static_cast<std::size_t>(days[i] - first); };
    for (std::size_t i = 0; i < n; ++i) {
        ++start[bucket(i) + 1];
    }
    std::partial_sum(start.begin(), start.end(), start.begin());
    std::vector<std::uint32_t> next(start.begin(), start.end() - 1);
    for (std::size_t i = 0; i < n; ++i) {
        order[next[bucket(i)]++] = static_cast<std::uint32_t>(i);
    }
    for (std::size_t b = 0; b + 1 < start.size(); ++b) {
        if (start[b + 1] - start[b] > 1) {
            std::stable_sort(
                order.begin() + start[b], order.begin() + start[b + 1],
                [&](std::uint32_t x, std::uint32_t y) { return seconds[x] < seconds[y]; });
        }
    }
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
