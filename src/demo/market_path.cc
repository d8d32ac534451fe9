#include "demo/market_path.h"

#include <algorithm>

#include "demo/random.h"

namespace tb::demo {

namespace {

// Gregorian Easter Sunday (anonymous algorithm, Meeus: Astronomical Algorithms, chapter 8).
Date easter(std::int32_t year) {
    const std::int32_t a = year % 19;
    const std::int32_t b = year / 100;
    const std::int32_t c = year % 100;
    const std::int32_t h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    const std::int32_t l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    const std::int32_t m = (a + 11 * h + 22 * l) / 451;
    const std::int32_t n = h + l - 7 * m + 114;
    return *Date::from_ymd(year, n / 31, n % 31 + 1);
}

// A holiday on Saturday is kept on Friday, one on Sunday on Monday.
Date observed(Date date) {
    switch (date.weekday()) {
        case 5:
            return date.plus_days(-1);
        case 6:
            return date.plus_days(1);
        default:
            return date;
    }
}

bool is_nth_monday(Date date, std::int32_t day, std::int32_t n) {
    return date.weekday() == 0 && (day - 1) / 7 == n - 1;
}

bool is_holiday(Date date) {
    const auto [year, month, day] = date.ymd();
    const auto fixed = [&, y = year](std::int32_t m, std::int32_t d) {
        return observed(*Date::from_ymd(y, m, d)) == date;
    };
    switch (month) {
        case 1:  // New Year is not moved into the old year; Martin Luther King
            return fixed(1, 1) || is_nth_monday(date, day, 3);
        case 2:  // Presidents
            return is_nth_monday(date, day, 3);
        case 3:
        case 4:  // Good Friday
            return easter(year).plus_days(-2) == date;
        case 5:  // Memorial Day: last Monday
            return date.weekday() == 0 && day > 24;
        case 6:  // Juneteenth
            return year >= 2022 && fixed(6, 19);
        case 7:
            return fixed(7, 4);
        case 9:  // Labor Day
            return is_nth_monday(date, day, 1);
        case 11:  // Thanksgiving: fourth Thursday
            return date.weekday() == 3 && day > 21 && day < 29;
        case 12:
            return fixed(12, 25);
        default:
            return false;
    }
}

std::int64_t interpolate(const std::array<std::int64_t, kPointsPerDay>& points,
                         std::int32_t seconds) {
    constexpr std::int32_t kStep = 15 * 60;
    const std::int32_t offset = std::clamp(seconds, kOpenSeconds, kCloseSeconds) - kOpenSeconds;
    const auto before = static_cast<std::size_t>(offset / kStep);
    if (before + 1 >= points.size()) {
        return points.back();
    }
    return points[before] + (points[before + 1] - points[before]) * (offset % kStep) / kStep;
}

}  // namespace

std::int64_t TradingDay::index_at(std::int32_t seconds) const {
    return interpolate(index, seconds);
}
std::int64_t TradingDay::vix_at(std::int32_t seconds) const {
    return interpolate(vix, seconds);
}

bool is_exchange_day(Date date) {
    return date.weekday() < 5 && !is_holiday(date);
}

MarketPath::MarketPath(std::uint64_t seed, Date first, int day_count, std::int64_t start_cents) {
    Random random({seed, 0x4D41524BU});
    std::int64_t index = start_cents;
    std::int64_t vix = 1'600;
    days_.reserve(static_cast<std::size_t>(day_count));
    for (Date date = first; days_.size() < static_cast<std::size_t>(day_count);
         date = date.plus_days(1)) {
        if (!is_exchange_day(date)) {
            continue;
        }
        TradingDay day;
        day.date = date;
        // One standard deviation of a night and of a quarter hour, in millionths of the price:
        // VIX / sqrt(252) a day, of which about a quarter of the variance is overnight. Within the
        // day the market moves less than its options say, as markets do: selling them pays.
        const std::int64_t night = vix * 10'000 / 100 / 16 / 2;
        const std::int64_t quarter = vix * 10'000 / 100 / 16 / 8;
        index += index * (random.bell_milli() * night / 1000 + 200) / 1'000'000;
        for (std::size_t i = 0; i < day.index.size(); ++i) {
            const std::int64_t shock = random.bell_milli();
            const std::int64_t before = index;
            index += index * (shock * quarter / 1000 + 6) / 1'000'000;
            index = std::clamp<std::int64_t>(index, 100'000, 1'500'000);
            // The fear index moves against the market and returns to 16 within weeks.
            vix -= (index - before) * vix * 7 / before;
            vix += (1'600 - vix) / 400 + random.between(-6, 6);
            vix = std::clamp<std::int64_t>(vix, 950, 6'500);
            day.index[i] = index;
            day.vix[i] = vix;
        }
        days_.push_back(day);
    }
}

}  // namespace tb::demo
