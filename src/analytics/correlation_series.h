// P/L per strategy and period: the series that correlation and tail risk compare.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/trade.h"

namespace tb::analytics {

// What a trade contributes (02 §4.7). P is the net P/L in kCorrect (02 I-17), the reported one in
// kReference.
enum class Normalization {
    kRaw,       // P, dollars
    kMargin,    // P / margin; a trade without margin is left out
    kNotional,  // P / |opening price * contracts|; left out without an opening price
};

// The day a trade belongs to; an open trade has no closing day and is then left out.
enum class DateBasis { kOpened, kClosed };

enum class TimePeriod { kDaily, kWeekly, kMonthly };  // weekly = ISO week of the ISO year

struct SeriesOptions {
    Normalization normalization = Normalization::kRaw;
    DateBasis date_basis = DateBasis::kOpened;
    TimePeriod time_period = TimePeriod::kDaily;
};

// Sums of one strategy, periods ascending and without repeats. Keys: days since 1970-01-01, the
// number of the ISO week ((days + 3) / 7), or year * 12 + month - 1.
struct StrategySeries {
    std::string name;
    std::vector<std::int32_t> periods;
    std::vector<double> values;
};

struct StrategySeriesSet {
    std::vector<StrategySeries> series;  // by name, UTF-16 code units; only those with a value
    std::size_t trades_used = 0;
    std::size_t trades_without_value = 0;  // no margin, no opening price, or still open
    // Trades whose value, or periods whose sum, is not finite (P/L near 1e308): left out.
    std::size_t non_finite = 0;
};

[[nodiscard]] StrategySeriesSet strategy_series(const TradeSet& trades,
                                                const SeriesOptions& options,
                                                Conventions conventions);

// The first day of a period key.
[[nodiscard]] Date period_start(std::int32_t period, TimePeriod time_period);

// Orders UTF-8 texts as the reference orders strings: by UTF-16 code unit, which differs from byte
// order only where a character above U+FFFF meets one of U+E000..U+FFFF.
[[nodiscard]] bool utf16_less(std::string_view a, std::string_view b);

// Series side by side on the union of their periods.
struct AlignedSeries {
    std::vector<std::int32_t> periods;        // ascending
    std::vector<std::vector<double>> values;  // [strategy][period], 0 where absent
    std::vector<std::vector<char>> present;   // [strategy][period], 1 where the strategy traded
};

[[nodiscard]] AlignedSeries align_series(const std::vector<StrategySeries>& series);

}  // namespace tb::analytics
