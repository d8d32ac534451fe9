#include "analytics/correlation_series.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

namespace tb::analytics {

namespace {

std::optional<double> trade_value(const Trade& trade, Normalization normalization,
                                  Conventions conventions) {
    const double pl = conventions == Conventions::kCorrect ? trade.net_pl() : trade.pl;
    switch (normalization) {
        case Normalization::kRaw:
            return pl;
        case Normalization::kMargin:
            // A negative margin is no margin; the reference only tests for zero.
            if (conventions == Conventions::kCorrect ? !(trade.margin_req > 0)
                                                     : trade.margin_req == 0) {
                return std::nullopt;
            }
            return pl / trade.margin_req;
        case Normalization::kNotional: {
            const double notional = std::fabs(trade.opening_price.value_or(0) * trade.contracts);
            return notional > 0 ? std::optional<double>(pl / notional) : std::nullopt;
        }
    }
    return std::nullopt;
}

std::int32_t period_of(Date day, TimePeriod time_period) {
    switch (time_period) {
        case TimePeriod::kDaily:
            return day.days();
        case TimePeriod::kWeekly:
            // Weeks start on Monday and 1970-01-01 was a Thursday; floors before 1970 too.
            return (day.days() - day.weekday() + 3) / 7;
        case TimePeriod::kMonthly: {
            const YearMonthDay ymd = day.ymd();
            return ymd.year * 12 + ymd.month - 1;
        }
    }
    return day.days();
}

// Rank of a byte among first differing bytes so that comparison follows UTF-16: lead bytes EE and
// EF (U+E000..U+FFFF) come after F0..F4 (surrogate pairs, D800..DFFF).
int utf16_byte_rank(unsigned char byte) {
    return byte == 0xEE || byte == 0xEF ? byte + 0x10 : byte;
}

}  // namespace

bool utf16_less(std::string_view a, std::string_view b) {
    const auto [at_a, at_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    if (at_a == a.end() || at_b == b.end()) {
        return at_a == a.end() && at_b != b.end();
    }
    return utf16_byte_rank(static_cast<unsigned char>(*at_a)) <
           utf16_byte_rank(static_cast<unsigned char>(*at_b));
}

Date period_start(std::int32_t period, TimePeriod time_period) {
    switch (time_period) {
        case TimePeriod::kDaily:
            return Date(period);
        case TimePeriod::kWeekly:
            return Date(period * 7 - 3);
        case TimePeriod::kMonthly:
            return Date::from_ymd(period / 12, period % 12 + 1, 1).value_or(Date());
    }
    return Date(period);
}

StrategySeriesSet strategy_series(const TradeSet& trades, const SeriesOptions& options,
                                  Conventions conventions) {
    StrategySeriesSet result;
    struct Entry {
        std::int32_t period;
        double value;
    };
    std::vector<std::vector<Entry>> entries(trades.strategies.size());
    for (const Trade& trade : trades.trades) {
        const auto day = options.date_basis == DateBasis::kOpened
                             ? std::optional<Date>(trade.date_opened)
                             : trade.date_closed;
        const auto value = trade_value(trade, options.normalization, conventions);
        if (!day || !value) {
            ++result.trades_without_value;
            continue;
        }
        if (!std::isfinite(*value)) {
            ++result.non_finite;
            continue;
        }
        ++result.trades_used;
        entries[trade.strategy].push_back({period_of(*day, options.time_period), *value});
    }

    for (std::size_t s = 0; s < entries.size(); ++s) {
        auto& list = entries[s];
        std::stable_sort(list.begin(), list.end(),
                         [](const Entry& a, const Entry& b) { return a.period < b.period; });
        StrategySeries series;
        series.name = trades.strategies[s];
        for (std::size_t i = 0; i < list.size();) {
            const std::int32_t period = list[i].period;
            double sum = 0;
            for (; i < list.size() && list[i].period == period; ++i) {
                sum += list[i].value;
            }
            if (std::isfinite(sum)) {
                series.periods.push_back(period);
                series.values.push_back(sum);
            } else {
                ++result.non_finite;
            }
        }
        if (!series.periods.empty()) {
            result.series.push_back(std::move(series));
        }
    }
    std::stable_sort(result.series.begin(), result.series.end(),
                     [](const StrategySeries& a, const StrategySeries& b) {
                         return utf16_less(a.name, b.name);
                     });
    return result;
}

AlignedSeries align_series(const std::vector<StrategySeries>& series) {
    AlignedSeries aligned;
    for (const auto& one : series) {
        aligned.periods.insert(aligned.periods.end(), one.periods.begin(), one.periods.end());
    }
    std::sort(aligned.periods.begin(), aligned.periods.end());
    aligned.periods.erase(std::unique(aligned.periods.begin(), aligned.periods.end()),
                          aligned.periods.end());
    for (const auto& one : series) {
        std::vector<double> values(aligned.periods.size(), 0.0);
        std::vector<char> present(aligned.periods.size(), 0);
        std::size_t at = 0;
        for (std::size_t i = 0; i < one.periods.size(); ++i) {
            while (aligned.periods[at] < one.periods[i]) {
                ++at;
            }
            values[at] = one.values[i];
            present[at] = 1;
        }
        aligned.values.push_back(std::move(values));
        aligned.present.push_back(std::move(present));
    }
    return aligned;
}

}  // namespace tb::analytics
