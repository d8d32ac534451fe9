#include "analytics/exposure.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "analytics/log_flows.h"
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

// An opening or closing. Phases within a minute; reference: opens (1) before closes (2). Ours:
// closes of earlier positions (0), opens (1), closes of positions opened in this very minute (2).
using Event = ExposureSweep::Event;
constexpr std::int64_t kInstantsPerDay = 24 * 60 * 4;

std::int64_t instant_of(Date day, std::int32_t minute, std::int32_t phase) {
    return day.days() * kInstantsPerDay + minute * 4 + phase;
}
std::int32_t day_of(std::int64_t instant) {
    // Floor: days before 1970 are negative.
    const std::int64_t day = instant / kInstantsPerDay;
    return static_cast<std::int32_t>(instant % kInstantsPerDay < 0 ? day - 1 : day);
}
std::int32_t minute_of(std::int64_t instant) {
    return static_cast<std::int32_t>((instant - day_of(instant) * kInstantsPerDay) / 4);
}

template <class Key>
void counting_pass(std::vector<Event>& events, std::int64_t keys, const Key& key_of) {
    std::vector<std::uint32_t> next(static_cast<std::size_t>(keys) + 1, 0);
    for (const Event& e : events) {
        ++next[static_cast<std::size_t>(key_of(e)) + 1];
    }
    std::partial_sum(next.begin(), next.end(), next.begin());
    std::vector<Event> moved(events.size());
    for (const Event& e : events) {
        moved[next[static_cast<std::size_t>(key_of(e))]++] = e;
    }
    events.swap(moved);
}

// Stable: two counting passes, or a comparison sort for few events or a strange range of days.
void sort_events(std::vector<Event>& events) {
    const auto earlier = [](const Event& a, const Event& b) { return a.instant < b.instant; };
    if (std::is_sorted(events.begin(), events.end(), earlier)) {
        return;
    }
    constexpr std::size_t kFew = 2048;
    constexpr std::int64_t kWidestRange = 200'000;
    const auto [low, high] = std::minmax_element(events.begin(), events.end(), earlier);
    const std::int64_t first = day_of(low->instant) * kInstantsPerDay;
    const std::int64_t day_count = (high->instant - first) / kInstantsPerDay + 1;
    if (events.size() < kFew || day_count > kWidestRange) {
        std::stable_sort(events.begin(), events.end(), earlier);
        return;
    }
    counting_pass(events, kInstantsPerDay,
                  [&](const Event& e) { return (e.instant - first) % kInstantsPerDay; });
    counting_pass(events, day_count,
                  [&](const Event& e) { return (e.instant - first) / kInstantsPerDay; });
}

// Equity of ascending days, asked in ascending order. The reference knows days from `first` on.
class EquityLookup {
  public:
    EquityLookup(const EquityByDay& equity, Date first, Conventions conventions)
        : equity_(equity), first_(first), conventions_(conventions) {}

    std::optional<double> percent(double exposure, Date day) {
        const double base = conventions_ == Conventions::kReference ? end_of(day) : start_of(day);
        if (base > 0) {
            return 100 * exposure / base;
        }
        return conventions_ == Conventions::kReference ? std::optional(0.0) : std::nullopt;
    }

  private:
    double end_of(Date day) {
        double of_day = known_;
        for (; next_ < equity_.dates.size() && equity_.dates[next_] <= day; ++next_) {
            const double equity = equity_.end_of_day[next_];
            if (equity > 0 && equity_.dates[next_] >= first_) {
                known_ = equity;
            }
            of_day = equity_.dates[next_] == day ? equity : known_;
        }
        return of_day;
    }
    double start_of(Date day) {
        while (next_ < equity_.dates.size() && equity_.dates[next_] < day) {
            ++next_;
        }
        return next_ == 0 ? equity_.start.value_or(0) : equity_.end_of_day[next_ - 1];
    }

    const EquityByDay& equity_;
    Date first_;
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

EquityByDay equity_by_day(std::span<const DailyLogEntry> log) {
    EquityByDay equity;
    const LogFlows flows = log_flows(log);
    CompensatedSum withdrawn;
    for (std::size_t i = 0; i < log.size(); ++i) {
        const DailyLogEntry& entry = log[i];
        equity.start = equity.start.value_or(entry.net_liquidity - entry.daily_pl);
        // What was taken out on the first day is not in the balance the log starts from.
        withdrawn.add(flows.in_balance && i > 0 ? flows.withdrawn[i] : 0);
        equity.dates.push_back(entry.date);
        equity.end_of_day.push_back(entry.net_liquidity + withdrawn.value());
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

ExposureSweep::ExposureSweep(Conventions conventions, std::size_t trades)
    : conventions_(conventions) {
    opens_.reserve(trades);
    closes_.reserve(trades);
}

void ExposureSweep::add_event(const Trade& t) {
    const std::int32_t opened = open_minute(t);
    opens_.push_back({instant_of(t.date_opened, opened, 1), t.margin_req});
    if (!t.date_closed) {
        return;
    }
    std::int64_t closed = instant_of(*t.date_closed, close_minute(t), 2);
    if (conventions_ == Conventions::kCorrect) {
        const std::int64_t own_minute = instant_of(t.date_opened, opened, 2);
        reversed_ += closed < own_minute ? 1 : 0;
        closed = closed <= own_minute ? own_minute : closed - 2;
    }
    closes_.push_back({closed, -t.margin_req});
}

DailyExposure daily_exposure(std::span<const Trade> trades, const EquityByDay& equity,
                             Conventions conventions) {
    ExposureSweep sweep(conventions, trades.size());
    for (const Trade& t : trades) {
        sweep.add(t);
    }
    return std::move(sweep).finish(equity);
}

DailyExposure ExposureSweep::finish(const EquityByDay& equity) && {
    sort_events(opens_);
    sort_events(closes_);
    DailyExposure result;
    if (reversed_ > 0) {
        result.warnings.push_back(
            fmt::format("{} trades close before they open by their time stamps; they count in "
                        "their opening minute only",
                        reversed_));
    }
    const Conventions conventions = conventions_;
    auto open = opens_.cbegin();
    auto close = closes_.cbegin();
    // The earlier of the two heads; opens and closes never share an instant.
    const auto next_instant = [&]() -> std::optional<std::int64_t> {
        if (open != opens_.cend() && (close == closes_.cend() || open->instant < close->instant)) {
            return open->instant;
        }
        return close != closes_.cend() ? std::optional(close->instant) : std::nullopt;
    };
    EquityLookup lookup(equity, Date(next_instant() ? day_of(*next_instant()) : 0), conventions);
    double running = 0;
    std::int64_t positions = 0;
    for (auto instant = next_instant(); instant;) {
        const std::int32_t day = day_of(*instant);
        const std::int64_t midnight = (day + 1LL) * kInstantsPerDay;
        ExposureDay peak{Date(day), running, std::nullopt, positions, 0};
        for (; instant && *instant < midnight; instant = next_instant()) {
            const bool is_open = open != opens_.cend() && open->instant == *instant;
            running += (is_open ? open++ : close++)->margin;
            positions += is_open ? 1 : -1;
            if (positions == 0 && conventions == Conventions::kCorrect) {
                running = 0;  // no residue of rounding once everything is closed
            }
            if (running > peak.exposure) {
                peak.exposure = running;
                peak.open_positions = positions;
                peak.peak_minute = minute_of(*instant);
            }
        }
        // Days without events between this one and the next only carry over.
        const std::int32_t next = instant ? day_of(*instant) : day + 1;
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
    // As kCorrect of daily_exposure, but with all trades, since each has an opening; events carry
    // the trade: 2i opens, 2i+1 closes trade i.
    std::vector<std::int32_t> days;
    std::vector<std::int32_t> keys;
    std::vector<std::size_t> of_event;
    const auto add = [&](std::int64_t instant, std::size_t event) {
        days.push_back(day_of(instant));
        keys.push_back(static_cast<std::int32_t>(instant - days.back() * kInstantsPerDay));
        of_event.push_back(event);
    };
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        const std::int64_t opened = instant_of(t.date_opened, open_minute(t), 1);
        add(opened, 2 * i);
        if (t.date_closed) {
            const std::int64_t closed = instant_of(*t.date_closed, close_minute(t), 0);
            add(closed < opened ? opened + 1 : closed, 2 * i + 1);
        }
    }
    std::vector<ExposureAtOpen> result(trades.size());
    CompensatedSum running;
    CompensatedSum equity(start_capital.value_or(0));
    for (const std::uint32_t e : order_by_day_and_seconds(days, keys)) {
        const std::size_t index = of_event[e] / 2;
        const Trade& t = trades[index];
        const double margin = has_margin(t) ? t.margin_req : 0;
        if (of_event[e] % 2 == 1) {
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
