// Kendall's rank correlation in O(n log n) (W. R. Knight, "A computer method for calculating
// Kendall's tau with ungrouped data", JASA 61 (1966) 436-439): sort by x, then count the exchanges
// a merge sort by y needs.
//
// A series is ranked once and then compared with many others. Thread-safe: all functions are pure;
// a KendallScratch belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tb::analytics {

// Pairs of observations by how they order. With C concordant and D discordant pairs:
// C - D = numerator(), and every pair is in exactly one of C, D, tied in x only, in y only, in
// both.
struct KendallCounts {
    std::int64_t pairs = 0;      // n(n-1)/2
    std::int64_t ties_x = 0;     // pairs tied in x, whether or not tied in y
    std::int64_t ties_y = 0;     // pairs tied in y, whether or not tied in x
    std::int64_t ties_both = 0;  // pairs tied in both
    std::int64_t discordant = 0;

    [[nodiscard]] std::int64_t numerator() const {
        return pairs - ties_x - ties_y + ties_both - 2 * discordant;
    }
    // (C-D) / (n(n-1)/2), in [-1,1]; nullopt below two observations. Ties pull it towards 0 (02
    // I-20).
    [[nodiscard]] std::optional<double> tau_a() const;
    // (C-D) / sqrt((pairs - ties_x)(pairs - ties_y)), in [-1,1]; nullopt below two observations or
    // when one side is constant.
    [[nodiscard]] std::optional<double> tau_b() const;
};

// Positions of one series on a common axis, ranked. `rank` is dense (equal values share a rank) and
// -1 where the series has no observation; `order` lists observed positions by ascending value.
struct KendallSeries {
    std::vector<std::int32_t> rank;
    std::vector<std::uint32_t> order;
};

// `present` is empty (everything observed) or as long as `values`. Values must not be NaN.
[[nodiscard]] KendallSeries rank_series(std::span<const double> values,
                                        std::span<const char> present = {});

struct KendallScratch {
    std::vector<std::int32_t> x;
    std::vector<std::int32_t> y;
    std::vector<std::int32_t> merge;
};

// Over the positions observed in both; the two series have the same axis.
[[nodiscard]] KendallCounts kendall_counts(const KendallSeries& x, const KendallSeries& y,
                                           KendallScratch& scratch);

}  // namespace tb::analytics
