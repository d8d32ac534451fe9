// What a row of market prices cannot be, and what a file of them can hardly be.
//
// A price of 0 or below is no price: vendors write it where they have none. A high below the low is
// a broken row. An open or close outside of the day's range is impossible too, yet stands in files
// of good sources (Cboe's own VIX history has 47 such days); such a row is kept and named.
//
// Thread-safe; all functions are pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "db/schema.h"

namespace tb::market {

// Whether a column of a market table holds prices or index levels, which are always above 0.
[[nodiscard]] bool is_price_column(std::string_view name);

// Where open, high, low and close stand among some columns of a table.
struct CandlePlaces {
    std::optional<std::size_t> open, high, low, close;

    // `columns` are positions in `table`; the places are positions in `columns`.
    [[nodiscard]] static CandlePlaces among(const db::TableSpec& table,
                                            std::span<const std::size_t> columns);
    [[nodiscard]] bool any() const { return open || high || low || close; }
};

enum class CandleFault {
    kNone,
    kNoPrice,       // one of the four is 0 or below
    kHighBelowLow,  // the high is below the low
    kOutside,       // open or close is above the high or below the low
};

// `row` holds a value for each of the columns the places were found among; NaN is unknown and
// breaks no rule.
[[nodiscard]] CandleFault judge_candle(const CandlePlaces& places, std::span<const double> row);

// "2024-01-02, 2024-01-03 and 4 more"
[[nodiscard]] std::string dates_text(std::span<const Date> dates, std::size_t most = 5);

// A sentence when the closes of most days lie where the instrument of this table never was, as when
// a file was saved under another one's name; empty otherwise. Days before 1990 are not judged.
//
// Bounds for the S&P 500: lowest and highest close of the years (S&P Dow Jones Indices), widened by
// a fifth below and a half above. VIX: 5 to 100 (Cboe: 9.14 in 2017 to 82.69 in 2020). Rates in per
// cent: up to 20.
[[nodiscard]] std::string level_note(std::string_view table, std::span<const Date> dates,
                                     std::span<const double> closes);

}  // namespace tb::market
