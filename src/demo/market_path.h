// A made-up market: quarter-hour prices of an S&P-like index and a VIX-like index on exchange days,
// from which the sample trades and the sample market files are derived, so that they agree.
//
// Prices are integer cents. Everything is a function of the seed (demo/random.h).
//
// Thread-compatible; immutable after construction.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/date.h"

namespace tb::demo {

inline constexpr int kPointsPerDay = 27;  // 09:30, 09:45, ... 16:00
inline constexpr std::int32_t kOpenSeconds = (9 * 60 + 30) * 60;
inline constexpr std::int32_t kCloseSeconds = 16 * 60 * 60;

struct TradingDay {
    Date date;
    std::array<std::int64_t, kPointsPerDay> index{};  // cents
    std::array<std::int64_t, kPointsPerDay> vix{};    // cents

    // Between two points the price moves in a straight line.
    [[nodiscard]] std::int64_t index_at(std::int32_t seconds) const;
    [[nodiscard]] std::int64_t vix_at(std::int32_t seconds) const;
};

// Monday to Friday without the full-day holidays of the New York Stock Exchange (by rule; one-off
// closures are not known here).
[[nodiscard]] bool is_exchange_day(Date date);

class MarketPath {
  public:
    MarketPath(std::uint64_t seed, Date first, int day_count, std::int64_t start_cents = 210'000);
    [[nodiscard]] std::span<const TradingDay> days() const { return days_; }

  private:
    std::vector<TradingDay> days_;
};

}  // namespace tb::demo
