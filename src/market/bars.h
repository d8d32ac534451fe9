// From the bars of a chart to one row a day.
//
// A file with one row a day is taken as it is. A file with several bars a day is merged: the open
// of the first bar, the highest high, the lowest low, the close of the last, and of every other
// column the last value that there is. Which bars make a day:
//
// - the trading day runs from 18:00 of the evening before to 18:00 (exchange_day.h);
// - of an S&P 500 file only bars that open from 09:30 to before 16:15 count where there are others:
//   a futures chart's night is not the day of the index. If bars cannot be told apart, since one of
//   them spans the opening at 09:30, the file is refused;
// - the VIX is published around the clock, and Cboe's own daily history counts the night; all bars
//   of its trading day count;
// - where the file begins in the middle of a day, that day is left out: its open is not there.
//
// Rows whose clock stands at midnight throughout (of UTC, for Unix times) are daily rows under that
// date.
//
// Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/date.h"
#include "market/exchange_day.h"

namespace tb::market {

// What a row contributes to.
struct BarTime {
    Date day;             // the trading day
    std::int64_t at = 0;  // seconds on the New York clock, for the order within the day
};

class BarPlan {
  public:
    enum class Use {
        kTake,
        kReplaced,  // a later row is of the same time
        kOutside,   // not within regular hours
        kCutDay,    // the file begins in the middle of its day
    };

    [[nodiscard]] BarTime time_of(const MarketTime& time) const;
    [[nodiscard]] Use use_of(const MarketTime& time, std::int64_t line) const;
    // The line of the row that a replaced one gave way to.
    [[nodiscard]] std::int64_t replaced_by(std::int64_t line) const;

    // Some rows count for another day than their clock's, or several for one.
    bool makes_days = false;
    // Why such a file makes no days; empty = it does.
    std::string refusal;
    std::vector<std::string> notes;

  private:
    friend class BarSurvey;
    bool written_days_ = false;   // every clock stands at midnight
    bool regular_hours_ = false;  // bars outside are left out
    std::optional<Date> cut_day_;
    std::map<std::int64_t, std::int64_t> replaced_;  // line -> line
};

// Sees the time of every usable row, then says how to make days of them.
class BarSurvey {
  public:
    void see(const MarketTime& time, std::int64_t line);
    // `index` = of an S&P 500 file, whose day is the exchange's regular hours.
    [[nodiscard]] BarPlan decide(bool index) const;

  private:
    struct Bar {
        BarTime time;
        std::int64_t line = 0;
        std::int32_t clock = -1;  // seconds of the New York day; -1 = a date alone
    };

    [[nodiscard]] std::vector<Bar> bars_of(const BarPlan& plan) const;
    static void find_replaced(std::vector<Bar>& bars, BarPlan& plan);
    static void use_regular_hours(const std::vector<Bar>& bars, BarPlan& plan);
    static void find_cut_day(const std::vector<Bar>& bars, BarPlan& plan);

    // A MarketTime in half the space: there may be a million.
    struct Seen {
        Date day;
        Date midnight_of;
        std::int32_t clock = -1;
        bool at_midnight = false;
        std::int64_t line = 0;

        [[nodiscard]] MarketTime time() const;
    };
    std::vector<Seen> seen_;
};

enum class Merge { kFirst, kHighest, kLowest, kLast };

// One day while its bars come in, in any order.
class DayBar {
  public:
    explicit DayBar(std::size_t columns);
    void add(std::span<const double> values, std::int64_t at, std::span<const Merge> rules);
    [[nodiscard]] std::vector<double> values() const;
    [[nodiscard]] std::int64_t bars() const { return bars_; }

  private:
    struct Cell {
        double value;
        std::int64_t at;  // of the bar it is from
    };
    std::vector<Cell> cells_;
    std::int64_t bars_ = 0;
};

}  // namespace tb::market
