// Any text as the `time` cell of a market file: a day of the years 1850 to 2100 or a problem; a
// number's day is the one a plain division by New York's largest or smallest lag gives.
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "market/exchange_day.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const tb::market::MarketTime time = tb::market::parse_market_time(text);
    if (time.day.has_value() == !time.problem.empty()) {
        std::abort();
    }
    if (!time.day) {
        return 0;
    }
    // The evening of 1849-12-31 in New York is 1850 in UTC.
    const std::int32_t year = time.day->plus_days(1).ymd().year;
    if (year < tb::market::kFirstYear || time.day->ymd().year > tb::market::kLastYear) {
        std::abort();
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) {
        const auto floor_div = [](std::int64_t a, std::int64_t b) {
            return a / b - (a % b < 0 ? 1 : 0);
        };
        constexpr std::int64_t kMostSeconds = 100'000'000'000;
        std::int64_t seconds = number;
        while (seconds >= kMostSeconds || seconds <= -kMostSeconds) {
            seconds = floor_div(seconds, 1000);
        }
        const std::int64_t early = floor_div(seconds - 5 * 3600, 86'400);
        const std::int64_t late = floor_div(seconds - 4 * 3600, 86'400);
        if (time.day->days() != early && time.day->days() != late) {
            std::abort();
        }
    }
    return 0;
}
