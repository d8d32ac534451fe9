#include "market/plausible.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "core/text.h"

namespace tb::market {

namespace {

constexpr double kTolerance = 1e-9;  // relative: what a text of nine digits may be off

struct Level {
    std::int32_t first_year;
    double lowest;
    double highest;
};

constexpr std::array<Level, 7> kSp500{{
    {1990, 230, 750},
    {1995, 370, 1'500},
    {1998, 540, 2'400},
    {2013, 1'150, 3'600},
    {2017, 1'700, 5'000},
    {2020, 1'750, 7'300},
    {2024, 3'700, 10'500},
}};
constexpr std::int32_t kLastSp500Year = 2025;  // from there on only a wide guess is left
constexpr Level kSp500Later{0, 2'000, 40'000};
constexpr Level kVix{0, 5, 100};
constexpr Level kRate{0, -5, 20};

const Level& level_of(std::string_view table, std::int32_t year) {
    if (table == "treasury_rates") {
        return kRate;
    }
    if (table == "vix_intraday") {
        return kVix;
    }
    if (year > kLastSp500Year) {
        return kSp500Later;
    }
    const auto after = std::find_if(kSp500.begin(), kSp500.end(),
                                    [year](const Level& level) { return level.first_year > year; });
    return *std::prev(after);
}

bool is_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool is_price_column(std::string_view name) {
    constexpr std::array<std::string_view, 13> kPrices{
        "open",         "high",         "low",         "close",       "prior_close",
        "vix_open",     "vix_close",    "vix9d_close", "vix3m_close", "intraday_high",
        "intraday_low", "vix_day_high", "vix_day_low"};
    const std::string lower = ascii_lower(name);
    if (std::find(kPrices.begin(), kPrices.end(), lower) != kPrices.end()) {
        return true;
    }
    for (const std::string_view prefix : {"p_", "vix_"}) {
        if (lower.size() == prefix.size() + 4 && lower.starts_with(prefix) &&
            is_digits(std::string_view(lower).substr(prefix.size()))) {
            return true;
        }
    }
    return false;
}

CandlePlaces CandlePlaces::among(const db::TableSpec& table, std::span<const std::size_t> columns) {
    CandlePlaces places;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const std::string lower = ascii_lower(table.columns[columns[i]].name);
        auto* const place = lower == "open"    ? &places.open
                            : lower == "high"  ? &places.high
                            : lower == "low"   ? &places.low
                            : lower == "close" ? &places.close
                                               : nullptr;
        if (place != nullptr) {
            *place = i;
        }
    }
    return places;
}

CandleFault judge_candle(const CandlePlaces& places, std::span<const double> row) {
    for (const auto& place : {places.open, places.high, places.low, places.close}) {
        if (place && row[*place] <= 0) {
            return CandleFault::kNoPrice;
        }
    }
    // Comparisons with NaN are false.
    if (places.high && places.low && row[*places.high] < row[*places.low]) {
        return CandleFault::kHighBelowLow;
    }
    for (const auto& place : {places.open, places.close}) {
        if (!place) {
            continue;
        }
        const double margin = kTolerance * std::fabs(row[*place]);
        if ((places.high && row[*place] > row[*places.high] + margin) ||
            (places.low && row[*place] < row[*places.low] - margin)) {
            return CandleFault::kOutside;
        }
    }
    return CandleFault::kNone;
}

std::string dates_text(std::span<const Date> dates, std::size_t most) {
    std::string text;
    for (std::size_t i = 0; i < std::min(dates.size(), most); ++i) {
        text += fmt::format("{}{}", i == 0 ? "" : ", ", dates[i].to_iso());
    }
    return dates.size() > most ? fmt::format("{} and {} more", text, dates.size() - most) : text;
}

std::string level_note(std::string_view table, std::span<const Date> dates,
                       std::span<const double> closes) {
    std::vector<double> judged;
    std::size_t outside = 0;
    const Level* last = nullptr;
    for (std::size_t i = 0; i < dates.size(); ++i) {
        const std::int32_t year = dates[i].ymd().year;
        if (std::isnan(closes[i]) || (year < kSp500.front().first_year)) {
            continue;
        }
        const Level& level = level_of(table, year);
        judged.push_back(closes[i]);
        if (closes[i] < level.lowest || closes[i] > level.highest) {
            ++outside;
            last = &level;
        }
    }
    if (2 * outside <= judged.size() || last == nullptr) {
        return {};
    }
    const auto middle = judged.begin() + static_cast<std::ptrdiff_t>(judged.size() / 2);
    std::nth_element(judged.begin(), middle, judged.end());
    if (table == "treasury_rates") {
        return fmt::format(
            "the rates are around {:.6g}, which is no rate in per cent: is this another series?",
            *middle);
    }
    return fmt::format(
        "the closes are around {:.6g}, where {} would stand between {} and {}: is this file saved "
        "under another one's name?",
        *middle, table == "vix_intraday" ? "the VIX" : "the S&P 500", last->lowest, last->highest);
}

}  // namespace tb::market
