#include "analytics/exposure.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analytics/numerics.h"
#include "analytics/returns_order.h"

namespace tb::analytics {

namespace {

constexpr std::int32_t kLastMinute = 23 * 60 + 59;

bool has_margin(const Trade& t) {
    return std::isfinite(t.margin_req) && t.margin_req > 0;
}

std::int32_t open_minute(const Trade& t) {
    return t.time_opened.value_or(TimeOfDay()).minutes();
}
std::int32_t close_minute(const Trade& t) {
    return t.time_closed ? t.time_closed->minutes() : kLastMinute;
}

// Openings and closings as parallel arrays in sweep order.
struct Events {
    std::vector<std::int32_t> days;
    std::vector<std::int32_t> keys;     // minute * 4 + phase
    std::vector<std::uint32_t> trades;  // index into the span
    std::vector<char> opening;
    void add(Date day, std::int32_t minute, std::int32_t phase, std::uint32_t trade, bool is_open) {
        days.push_back(day.days());
        keys.push_back(minute * 4 + phase);
        trades.push_back(trade);
        opening.push_back(is_open ? 1 : 0);
    }
};

// Phases within a minute. Reference: opens (1) before closes (2). Ours: closes of earlier positions
// (0), opens (1), closes of positions opened in this very minute (2).
Events margin_events(std::span<const Trade> trades, Conventions conventions,
                     std::int64_t& reversed) {
    Events events;
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        if (!has_margin(t)) {
            continue;
        }
        const auto index = static_cast<std::uint32_t>(i);
        const std::int32_t opened = open_minute(t);
        events.add(t.date_opened, opened, 1, index, true);
        if (!t.date_closed) {
            continue;
        }
        std::int32_t closed = close_minute(t);
        if (conventions == Conventions::kReference) {
            events.add(*t.date_closed, closed, 2, index, false);
            continue;
        }
        Date day = *t.date_closed;
        if (day < t.date_opened || (day == t.date_opened && closed < opened)) {
            day = t.date_opened;
            closed = opened;
            ++reversed;
        }
        const bool same_minute = day == t.date_opened && closed == opened;
        events.add(day, closed, same_minute ? 2 : 0, index, false);
    }
    return events;
}

// Equity of ascending days, asked in ascending order.
class EquityLookup {
  public:
    EquityLookup(const EquityByDay& equity, Conventions conventions)
        : equity_(equity), conventions_(conventions) {}

    std::optional<double> percent(double exposure, Date day) {
        const double base = conventions_ == Conventions::kReference ? end_of(day) : start_of(day);
        if (base > 0) {
            return 100 * exposure / base;
        }
        return conventions_ == Conventions::kReference ? std::optional(0.0) : std::nullopt;
    }

  private:
    double end_of(Date day) {
        for (; next_ < equity_.dates.size() && equity_.dates[next_] <= day; ++next_) {
            if (equity_.end_of_day[next_] > 0) {
                known_ = equity_.end_of_day[next_];
            }
        }
        return known_;
    }
    double start_of(Date day) {
        while (next_ < equity_.dates.size() && equity_.dates[next_] < day) {
            ++next_;
        }
        return next_ == 0 ? equity_.start.value_or(0) : equity_.end_of_day[next_ - 1];
    }

    const EquityByDay& equity_;
    Conventions conventions_;
    std::size_t next_ = 0;
    double known_ = 0;
};

void summarize(DailyExposure& result) {
    CompensatedSum dollars;
    CompensatedSum percents;
    CompensatedSum positions;
    std::size_t with_percent = 0;
    for (const ExposureDay& day : result.days) {
        const ExposurePeak peak{day.date, day.exposure, day.exposure_percent};
        if (!result.by_dollars || day.exposure > result.by_dollars->exposure) {
            result.by_dollars = peak;
        }
        if (day.exposure_percent &&
            (!result.by_percent || *day.exposure_percent > *result.by_percent->exposure_percent)) {
            result.by_percent = peak;
        }
        dollars.add(day.exposure);
        positions.add(static_cast<double>(day.open_positions));
        if (day.exposure_percent) {
            percents.add(*day.exposure_percent);
            ++with_percent;
        }
    }
    const auto n = static_cast<double>(result.days.size());
    if (result.days.empty()) {
        result.avg_exposure_percent = 0;
        return;
    }
    result.avg_exposure = dollars.value() / n;
    result.avg_open_positions = positions.value() / n;
    if (with_percent > 0) {
        result.avg_exposure_percent = percents.value() / static_cast<double>(with_percent);
    }
}

}  // namespace

std::string ExposureDay::peak_time() const {
    return fmt::format("{:02}:{:02}:00", peak_minute / 60, peak_minute % 60);
}

EquityByDay equity_by_day(std::span<const Trade> trades, std::optional<double> start,
                          Conventions conventions) {
    EquityByDay equity;
    equity.start = start;
    const bool closed_only = conventions == Conventions::kReference;
    CompensatedSum balance(start.value_or(0));
    for (const std::uint32_t index : realday_order(trades)) {
        const Trade& t = trades[index];
        if (closed_only && !t.date_closed) {
            continue;
        }
        balance.add(t.net_pl());
        if (equity.dates.empty() || equity.dates.back() != t.realized_on()) {
            equity.dates.push_back(t.realized_on());
            equity.end_of_day.push_back(0);
        }
        equity.end_of_day.back() = balance.value();
    }
    if (!start) {
        // Without a start there is no equity to relate to.
        equity.dates.clear();
        equity.end_of_day.clear();
    }
    return equity;
}

EquityByDay equity_by_day(const EquityCurve& curve) {
    EquityByDay equity;
    if (!curve.points.empty()) {
        equity.start = curve.start;
    }
    for (const EquityPoint& point : curve.points) {
        if (equity.dates.empty() || equity.dates.back() != point.date) {
            equity.dates.push_back(point.date);
            equity.end_of_day.push_back(0);
        }
        equity.end_of_day.back() = point.equity;
    }
    return equity;
}

DailyExposure daily_exposure(std::span<const Trade> trades, const EquityByDay& equity,
                             Conventions conventions) {
    DailyExposure result;
    std::int64_t reversed = 0;
    const Events events = margin_events(trades, conventions, reversed);
    if (reversed > 0) {
        result.warnings.push_back(
            fmt::format("{} trades close before they open by their time stamps; they count in "
                        "their opening minute only",
                        reversed));
    }
    const TradeOrder order = order_by_day_and_seconds(events.days, events.keys);
    EquityLookup lookup(equity, conventions);
    double running = 0;
    std::int64_t positions = 0;
    for (std::size_t i = 0; i < order.size();) {
        const std::int32_t day = events.days[order[i]];
        ExposureDay peak{Date(day), running, std::nullopt, positions, 0};
        for (; i < order.size() && events.days[order[i]] == day; ++i) {
            const std::uint32_t e = order[i];
            const double margin = trades[events.trades[e]].margin_req;
            running += events.opening[e] != 0 ? margin : -margin;
            positions += events.opening[e] != 0 ? 1 : -1;
            if (positions == 0 && conventions == Conventions::kCorrect) {
                running = 0;  // no residue of rounding once everything is closed
            }
            if (running > peak.exposure) {
                peak.exposure = running;
                peak.open_positions = positions;
                peak.peak_minute = events.keys[e] / 4;
            }
        }
        // Days without events between this one and the next only carry over.
        const std::int32_t next = i < order.size() ? events.days[order[i]] : day + 1;
        for (std::int32_t d = day; d < next; ++d) {
            ExposureDay out = d == day ? peak : ExposureDay{Date(d), running, {}, positions, 0};
            if (out.exposure > 0) {
                out.exposure_percent = lookup.percent(out.exposure, out.date);
                result.days.push_back(out);
            }
        }
    }
    summarize(result);
    return result;
}

std::vector<ExposureAtOpen> exposure_at_open(std::span<const Trade> trades,
                                             std::optional<double> start_capital) {
    // Closes of earlier positions, opens, closes within the opening minute: as in daily_exposure,
    // but with all trades, since each has an opening.
    Events events;
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        const auto index = static_cast<std::uint32_t>(i);
        const std::int32_t opened = open_minute(t);
        events.add(t.date_opened, opened, 1, index, true);
        if (t.date_closed) {
            const std::int32_t closed = close_minute(t);
            const bool own = *t.date_closed < t.date_opened ||
                             (*t.date_closed == t.date_opened && closed <= opened);
            events.add(own ? t.date_opened : *t.date_closed, own ? opened : closed, own ? 2 : 0,
                       index, false);
        }
    }
    std::vector<ExposureAtOpen> result(trades.size());
    CompensatedSum running;
    CompensatedSum equity(start_capital.value_or(0));
    for (const std::uint32_t e : order_by_day_and_seconds(events.days, events.keys)) {
        const std::uint32_t index = events.trades[e];
        const Trade& t = trades[index];
        const double margin = has_margin(t) ? t.margin_req : 0;
        if (events.opening[e] == 0) {
            running.add(-margin);
            equity.add(t.net_pl());
            continue;
        }
        ExposureAtOpen& at = result[index];
        at.before = running.value();
        running.add(margin);
        at.after = running.value();
        if (start_capital && equity.value() > 0) {
            at.before_percent = 100 * at.before / equity.value();
            at.after_percent = 100 * at.after / equity.value();
        }
    }
    return result;
}

}  // namespace tb::analytics
