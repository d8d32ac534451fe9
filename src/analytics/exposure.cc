#include "analytics/exposure.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

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

// An opening or closing; `key` is minute * 4 + phase, and the phase of an opening is 1.
struct Event {
    std::int32_t day;
    std::int32_t key;
    std::uint32_t trade;  // index into the span
    double margin;        // what it adds: negative for a close
    [[nodiscard]] bool is_open() const { return key % 4 == 1; }
};

class Events {
  public:
    explicit Events(std::size_t trade_count) { events_.reserve(2 * trade_count); }
    void add(Date day, std::int32_t minute, std::int32_t phase, std::size_t trade, double margin) {
        events_.push_back(
            {day.days(), minute * 4 + phase, static_cast<std::uint32_t>(trade), margin});
    }
    // By day, minute and phase, stable: two counting passes that move the events themselves, so
    // that the sweep reads them in a row; a comparison sort for few events or a strange range of
    // days.
    [[nodiscard]] std::vector<Event> sorted() && {
        constexpr std::size_t kFew = 2048;
        constexpr std::int64_t kWidestRange = 200'000;
        std::int64_t first = 0;
        std::int64_t last = -1;
        if (!events_.empty()) {
            const auto [low, high] =
                std::minmax_element(events_.begin(), events_.end(),
                                    [](const Event& a, const Event& b) { return a.day < b.day; });
            first = low->day;
            last = high->day;
        }
        if (events_.size() < kFew || last - first >= kWidestRange) {
            std::stable_sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
                return a.day != b.day ? a.day < b.day : a.key < b.key;
            });
            return std::move(events_);
        }
        counting_pass(24 * 60 * 4, [](const Event& e) { return e.key; });
        counting_pass(last - first + 1, [&](const Event& e) { return e.day - first; });
        return std::move(events_);
    }

  private:
    template <class Key>
    void counting_pass(std::int64_t keys, const Key& key_of) {
        std::vector<std::uint32_t> next(static_cast<std::size_t>(keys) + 1, 0);
        for (const Event& e : events_) {
            ++next[static_cast<std::size_t>(key_of(e)) + 1];
        }
        std::partial_sum(next.begin(), next.end(), next.begin());
        std::vector<Event> moved(events_.size());
        for (const Event& e : events_) {
            moved[next[static_cast<std::size_t>(key_of(e))]++] = e;
        }
        events_.swap(moved);
    }
    std::vector<Event> events_;
};

// Phases within a minute. Reference: opens (1) before closes (2). Ours: closes of earlier positions
// (0), opens (1), closes of positions opened in this very minute (2).
std::vector<Event> margin_events(std::span<const Trade> trades, Conventions conventions,
                                 std::int64_t& reversed) {
    Events events(trades.size());
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        if (!has_margin(t)) {
            continue;
        }
        const std::int32_t opened = open_minute(t);
        events.add(t.date_opened, opened, 1, i, t.margin_req);
        if (!t.date_closed) {
            continue;
        }
        std::int32_t closed = close_minute(t);
        if (conventions == Conventions::kReference) {
            events.add(*t.date_closed, closed, 2, i, -t.margin_req);
            continue;
        }
        Date day = *t.date_closed;
        if (day < t.date_opened || (day == t.date_opened && closed < opened)) {
            day = t.date_opened;
            closed = opened;
            ++reversed;
        }
        const bool same_minute = day == t.date_opened && closed == opened;
        events.add(day, closed, same_minute ? 2 : 0, i, -t.margin_req);
    }
    return std::move(events).sorted();
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
    const std::vector<Event> events = margin_events(trades, conventions, reversed);
    if (reversed > 0) {
        result.warnings.push_back(
            fmt::format("{} trades close before they open by their time stamps; they count in "
                        "their opening minute only",
                        reversed));
    }
    EquityLookup lookup(equity, conventions);
    double running = 0;
    std::int64_t positions = 0;
    for (std::size_t i = 0; i < events.size();) {
        const std::int32_t day = events[i].day;
        ExposureDay peak{Date(day), running, std::nullopt, positions, 0};
        for (; i < events.size() && events[i].day == day; ++i) {
            running += events[i].margin;
            positions += events[i].is_open() ? 1 : -1;
            if (positions == 0 && conventions == Conventions::kCorrect) {
                running = 0;  // no residue of rounding once everything is closed
            }
            if (running > peak.exposure) {
                peak.exposure = running;
                peak.open_positions = positions;
                peak.peak_minute = events[i].key / 4;
            }
        }
        // Days without events between this one and the next only carry over.
        const std::int32_t next = i < events.size() ? events[i].day : day + 1;
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
    Events events(trades.size());
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        const double margin = has_margin(t) ? t.margin_req : 0;
        const std::int32_t opened = open_minute(t);
        events.add(t.date_opened, opened, 1, i, margin);
        if (t.date_closed) {
            const std::int32_t closed = close_minute(t);
            const bool own = *t.date_closed < t.date_opened ||
                             (*t.date_closed == t.date_opened && closed <= opened);
            events.add(own ? t.date_opened : *t.date_closed, own ? opened : closed, own ? 2 : 0, i,
                       -margin);
        }
    }
    std::vector<ExposureAtOpen> result(trades.size());
    CompensatedSum running;
    CompensatedSum equity(start_capital.value_or(0));
    for (const Event& event : std::move(events).sorted()) {
        if (!event.is_open()) {
            running.add(event.margin);
            equity.add(trades[event.trade].net_pl());
            continue;
        }
        ExposureAtOpen& at = result[event.trade];
        at.before = running.value();
        running.add(event.margin);
        at.after = running.value();
        if (start_capital && equity.value() > 0) {
            at.before_percent = 100 * at.before / equity.value();
            at.after_percent = 100 * at.after / equity.value();
        }
    }
    return result;
}

}  // namespace tb::analytics
