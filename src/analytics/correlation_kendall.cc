#include "analytics/correlation_kendall.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tb::analytics {

namespace {

std::int64_t choose_two(std::int64_t n) {
    return n * (n - 1) / 2;
}

// Sorts ascending and returns how many pairs stood in the wrong order. Stable: equal values are
// never exchanged, so ties do not count.
std::int64_t sort_counting_inversions(std::vector<std::int32_t>& values,
                                      std::vector<std::int32_t>& buffer) {
    constexpr std::size_t kRun = 12;  // insertion sort beats merging below this
    const std::size_t n = values.size();
    std::int64_t inversions = 0;
    for (std::size_t begin = 0; begin < n; begin += kRun) {
        const std::size_t end = std::min(n, begin + kRun);
        for (std::size_t i = begin + 1; i < end; ++i) {
            const std::int32_t value = values[i];
            std::size_t at = i;
            for (; at > begin && values[at - 1] > value; --at) {
                values[at] = values[at - 1];
            }
            values[at] = value;
            inversions += static_cast<std::int64_t>(i - at);
        }
    }
    buffer.resize(n);
    for (std::size_t width = kRun; width < n; width *= 2) {
        for (std::size_t begin = 0; begin < n; begin += 2 * width) {
            const std::size_t middle = std::min(n, begin + width);
            const std::size_t end = std::min(n, begin + 2 * width);
            std::size_t left = begin;
            std::size_t right = middle;
            for (std::size_t out = begin; out < end; ++out) {
                if (right == end || (left < middle && values[left] <= values[right])) {
                    buffer[out] = values[left++];
                } else {
                    inversions += static_cast<std::int64_t>(middle - left);
                    buffer[out] = values[right++];
                }
            }
        }
        values.swap(buffer);
    }
    return inversions;
}

}  // namespace

std::optional<double> KendallCounts::tau_a() const {
    if (pairs == 0) {
        return std::nullopt;
    }
    return static_cast<double>(numerator()) / static_cast<double>(pairs);
}

std::optional<double> KendallCounts::tau_b() const {
    const double untied_x = static_cast<double>(pairs - ties_x);
    const double untied_y = static_cast<double>(pairs - ties_y);
    if (!(untied_x > 0) || !(untied_y > 0)) {
        return std::nullopt;
    }
    // One root of the product: exactly 1 for identical series.
    return std::clamp(static_cast<double>(numerator()) / std::sqrt(untied_x * untied_y), -1.0, 1.0);
}

KendallSeries rank_series(std::span<const double> values, std::span<const char> present) {
    KendallSeries result;
    result.rank.assign(values.size(), -1);
    result.order.reserve(values.size());
    for (std::uint32_t i = 0; i < values.size(); ++i) {
        if (present.empty() || present[i] != 0) {
            result.order.push_back(i);
        }
    }
    std::sort(result.order.begin(), result.order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return values[a] < values[b]; });
    std::int32_t rank = -1;
    for (std::size_t i = 0; i < result.order.size(); ++i) {
        if (i == 0 || values[result.order[i]] != values[result.order[i - 1]]) {
            ++rank;
        }
        result.rank[result.order[i]] = rank;
    }
    return result;
}

KendallCounts kendall_counts(const KendallSeries& x, const KendallSeries& y,
                             KendallScratch& scratch) {
    auto& xs = scratch.x;
    auto& ys = scratch.y;
    xs.clear();
    ys.clear();
    for (const std::uint32_t position : x.order) {
        if (y.rank[position] >= 0) {
            xs.push_back(x.rank[position]);
            ys.push_back(y.rank[position]);
        }
    }

    KendallCounts counts;
    counts.pairs = choose_two(static_cast<std::int64_t>(xs.size()));
    for (std::size_t begin = 0; begin < xs.size();) {
        std::size_t end = begin + 1;
        while (end < xs.size() && xs[end] == xs[begin]) {
            ++end;
        }
        // Inside a tie group of x the order of y must not count as discordance.
        const auto group = static_cast<std::int64_t>(end - begin);
        if (group > 1) {
            counts.ties_x += choose_two(group);
            std::sort(ys.begin() + static_cast<std::ptrdiff_t>(begin),
                      ys.begin() + static_cast<std::ptrdiff_t>(end));
            std::int64_t run = 1;
            for (std::size_t i = begin + 1; i <= end; ++i) {
                if (i < end && ys[i] == ys[i - 1]) {
                    ++run;
                } else {
                    counts.ties_both += choose_two(run);
                    run = 1;
                }
            }
        }
        begin = end;
    }
    counts.discordant = sort_counting_inversions(ys, scratch.merge);
    std::int64_t run = 1;
    for (std::size_t i = 1; i <= ys.size(); ++i) {
        if (i < ys.size() && ys[i] == ys[i - 1]) {
            ++run;
        } else {
            counts.ties_y += choose_two(run);
            run = 1;
        }
    }
    return counts;
}

}  // namespace tb::analytics
