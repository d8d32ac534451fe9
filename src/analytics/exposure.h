// Margin at risk over time (02 §2.9): daily peaks and the exposure when a trade opens. Dollars of
// margin requirement; percents are of the account's equity.
//
// Trades without a positive, finite margin do not count. All are sweeps over sorted events, linear
// in trades plus days.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/equity.h"
#include "analytics/trade.h"

namespace tb::analytics {

// What the percents refer to: balance before the first day and at the end of each listed day,
// ascending by date, one row a day.
struct EquityByDay {
    std::optional<double> start;
    std::vector<Date> dates;
    std::vector<double> end_of_day;
};
// Running start + net P/L. kReference: closed trades by closing day (what get_statistics does);
// kCorrect: all trades by realization day.
[[nodiscard]] EquityByDay equity_by_day(std::span<const Trade> trades, std::optional<double> start,
                                        Conventions conventions);
// What the log says is in the account, deposits included; withdrawals are added back, so that money
// taken out looks like no loss here either.
[[nodiscard]] EquityByDay equity_by_day(std::span<const DailyLogEntry> log);
// The last point of each day of an equity curve (what get_performance_charts does).
[[nodiscard]] EquityByDay equity_by_day(const EquityCurve& curve);

struct ExposureDay {
    Date date;
    double exposure = 0;  // highest running margin of the day, dollars
    // nullopt (kCorrect) when the equity is not known or not positive.
    std::optional<double> exposure_percent;
    std::int64_t open_positions = 0;  // at the peak
    std::int32_t peak_minute = 0;     // minutes after midnight when the peak was first reached
    [[nodiscard]] std::string peak_time() const;  // "HH:MM:00"
};

struct ExposurePeak {
    Date date;
    double exposure = 0;
    std::optional<double> exposure_percent;
};

struct DailyExposure {
    std::vector<ExposureDay> days;               // those with a peak above zero
    std::optional<ExposurePeak> by_dollars;      // first day with the largest exposure
    std::optional<ExposurePeak> by_percent;      // first day with the largest percent
    double avg_exposure = 0;                     // means over `days`, 0 when empty
    std::optional<double> avg_exposure_percent;  // over days with a percent; 0 when `days` is empty
    double avg_open_positions = 0;
    std::vector<std::string> warnings;
};

// A trade holds its margin from its opening minute to its closing minute (23:59 where the file
// gives none; to the end when open). The running value carries over midnight.
//   kReference: at one minute opens come before closes; percent = 100*peak/equity at the end of the
// same day, else the last positive equity of a day since the first margin; 0 while there is none,
// and on a day that ends with 0 or less.
//   kCorrect: at one minute closes come first, except a trade's own close in its opening minute
// (I-22); a close stamped before its own opening counts as in the opening minute; percent is of the
// equity at the start of the day, the start capital before the first close (I-23).
[[nodiscard]] DailyExposure daily_exposure(std::span<const Trade> trades, const EquityByDay& equity,
                                           Conventions conventions);

// The same for a caller that passes over the trades anyway: rows are wide, and reading them once
// more costs as much as the sweep. Single-thread.
class ExposureSweep {
  public:
    ExposureSweep(Conventions conventions, std::size_t trades);
    void add(const Trade& trade) {
        if (std::isfinite(trade.margin_req) && trade.margin_req > 0) {
            add_event(trade);
        }
    }
    // After the last trade, once.
    [[nodiscard]] DailyExposure finish(const EquityByDay& equity) &&;

    // Instants count minutes in quarters: three phases order what happens within a minute.
    struct Event {
        std::int64_t instant;
        double margin;  // what it adds: negative for a close
    };

  private:
    void add_event(const Trade& trade);

    Conventions conventions_;
    // Openings arrive nearly sorted (LOAD order), so they are kept apart from the closes.
    std::vector<Event> opens_;
    std::vector<Event> closes_;
    std::int64_t reversed_ = 0;  // closes stamped before their own opening
};

// Exposure just before and after each trade opened, in the order of `trades`; at equal minutes
// closes come before opens. Percents are of start + net P/L of the trades closed by then, nullopt
// while that is not known or not positive. Trades without margin have equal before and after.
struct ExposureAtOpen {
    double before = 0;
    double after = 0;
    std::optional<double> before_percent;
    std::optional<double> after_percent;
};
[[nodiscard]] std::vector<ExposureAtOpen> exposure_at_open(std::span<const Trade> trades,
                                                           std::optional<double> start_capital);

}  // namespace tb::analytics
