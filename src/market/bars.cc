#include "market/bars.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/check.h"

namespace tb::market {

namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int32_t kOpening = 9 * 3600 + 30 * 60;
// Index options trade until 16:15; closing prints of the index carry 16:00 and a little more.
constexpr std::int32_t kEnd = 16 * 3600 + 15 * 60;
// A day whose first bar comes so much later than that of the others has lost its opening.
constexpr std::int64_t kLateStart = 15 * 60;
constexpr std::size_t kDaysToCompare = 3;

bool is_regular(std::int32_t clock) {
    return clock >= kOpening && clock < kEnd;
}

std::string clock_text(std::int64_t seconds) {
    return fmt::format("{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
}

}  // namespace

BarTime BarPlan::time_of(const MarketTime& time) const {
    TB_CHECK(time.day.has_value(), "a time without a day");
    if (written_days_ && time.midnight_of) {
        return {*time.midnight_of, time.midnight_of->days() * kSecondsPerDay};
    }
    return {trading_day(time), time.day->days() * kSecondsPerDay + time.seconds.value_or(0)};
}

BarPlan::Use BarPlan::use_of(const MarketTime& time, std::int64_t line) const {
    if (replaced_.contains(line)) {
        return Use::kReplaced;
    }
    if (regular_hours_ && !is_regular(time.seconds.value_or(kOpening))) {
        return Use::kOutside;
    }
    return cut_day_ && time_of(time).day == *cut_day_ ? Use::kCutDay : Use::kTake;
}

std::int64_t BarPlan::replaced_by(std::int64_t line) const {
    return replaced_.at(line);
}

void BarSurvey::see(const MarketTime& time, std::int64_t line) {
    seen_.push_back({*time.day, time.midnight_of.value_or(Date()), time.seconds.value_or(-1),
                     time.midnight_of.has_value(), line});
}

MarketTime BarSurvey::Seen::time() const {
    MarketTime time;
    time.day = day;
    if (clock >= 0) {
        time.seconds = clock;
    }
    if (at_midnight) {
        time.midnight_of = midnight_of;
    }
    return time;
}

std::vector<BarSurvey::Bar> BarSurvey::bars_of(const BarPlan& plan) const {
    std::vector<Bar> bars;
    bars.reserve(seen_.size());
    for (const Seen& seen : seen_) {
        bars.push_back(
            {plan.time_of(seen.time()), seen.line, plan.written_days_ ? -1 : seen.clock});
    }
    std::stable_sort(bars.begin(), bars.end(),
                     [](const Bar& a, const Bar& b) { return a.time.at < b.time.at; });
    return bars;
}

// The last of several rows of one time counts.
void BarSurvey::find_replaced(std::vector<Bar>& bars, BarPlan& plan) {
    std::vector<Bar> kept;
    for (std::size_t i = 0; i < bars.size();) {
        std::size_t end = i + 1;
        std::size_t last = i;
        while (end < bars.size() && bars[end].time.at == bars[i].time.at) {
            last = bars[end].line > bars[last].line ? end : last;
            ++end;
        }
        std::vector<std::int64_t> lines;
        for (std::size_t k = i; k < end; ++k) {
            lines.push_back(bars[k].line);
        }
        std::sort(lines.begin(), lines.end());
        for (std::size_t k = 0; k + 1 < lines.size(); ++k) {
            plan.replaced_.emplace(lines[k], lines[k + 1]);
        }
        kept.push_back(bars[last]);
        i = end;
    }
    bars = std::move(kept);
}

void BarSurvey::use_regular_hours(const std::vector<Bar>& bars, BarPlan& plan) {
    const auto outside = std::count_if(bars.begin(), bars.end(), [](const Bar& bar) {
        return bar.clock >= 0 && !is_regular(bar.clock);
    });
    if (outside == 0) {
        return;
    }
    std::int64_t interval = kSecondsPerDay;
    for (std::size_t i = 1; i < bars.size(); ++i) {
        interval = std::min(interval, bars[i].time.at - bars[i - 1].time.at);
    }
    const auto spanning = std::find_if(bars.begin(), bars.end(), [&](const Bar& bar) {
        return bar.clock >= 0 && bar.clock < kOpening && bar.clock + interval > kOpening;
    });
    if (spanning != bars.end()) {
        plan.refusal = fmt::format(
            "bars of {} minutes that also cover the night: the one of {} on line {} holds prices "
            "from before and after the opening at 09:30, so the day cannot be told from the night. "
            "Export the chart with regular trading hours, or with bars of 30 minutes or less",
            interval / 60, clock_text(spanning->clock), spanning->line);
        return;
    }
    plan.regular_hours_ = true;
    plan.notes.push_back(fmt::format(
        "{} bars outside of regular hours (09:30 to 16:15 New York) were left out", outside));
}

void BarSurvey::find_cut_day(const std::vector<Bar>& bars, BarPlan& plan) {
    std::map<Date, std::int64_t> first;  // seconds since midnight of the trading day
    for (const Bar& bar : bars) {
        if (!plan.regular_hours_ || is_regular(bar.clock)) {
            const Date day = bar.time.day;
            first.try_emplace(day, bar.time.at - day.days() * kSecondsPerDay);
        }
    }
    if (first.size() < kDaysToCompare) {
        return;
    }
    std::vector<std::int64_t> others;
    for (auto day = std::next(first.begin()); day != first.end(); ++day) {
        others.push_back(day->second);
    }
    const auto middle = others.begin() + static_cast<std::ptrdiff_t>(others.size() / 2);
    std::nth_element(others.begin(), middle, others.end());
    if (first.begin()->second <= *middle + kLateStart) {
        return;
    }
    plan.cut_day_ = first.begin()->first;
    plan.notes.push_back(fmt::format(
        "the file begins in the middle of {}, at {}: that day has no open and is left out",
        plan.cut_day_->to_iso(), clock_text(std::max<std::int64_t>(first.begin()->second, 0))));
}

BarPlan BarSurvey::decide(bool index) const {
    BarPlan plan;
    const auto with_clock =
        std::count_if(seen_.begin(), seen_.end(), [](const Seen& seen) { return seen.clock >= 0; });
    const auto at_midnight = std::count_if(seen_.begin(), seen_.end(), [](const Seen& seen) {
        return seen.clock >= 0 && seen.at_midnight;
    });
    plan.written_days_ = with_clock > 0 && with_clock == at_midnight;
    std::vector<Bar> bars = bars_of(plan);
    find_replaced(bars, plan);
    std::map<Date, std::int64_t> bars_a_day;
    std::int64_t evening = 0;
    for (const Bar& bar : bars) {
        ++bars_a_day[bar.time.day];
        evening += bar.clock >= kEveningSeconds ? 1 : 0;
    }
    const auto several = std::count_if(bars_a_day.begin(), bars_a_day.end(),
                                       [](const auto& day) { return day.second > 1; });
    // A daily chart of futures has two bars on few days: the one after a holiday takes the evening
    // before it, too. These are one day, night and all.
    const bool intraday =
        several > 0 && 2 * several >= static_cast<std::int64_t>(bars_a_day.size());
    if (evening > 0) {
        plan.notes.push_back(fmt::format(
            "{} {} at 18:00 New York or later and {} for the next trading day", evening,
            evening == 1 ? "bar opens" : "bars open", evening == 1 ? "counts" : "count"));
    }
    plan.makes_days = evening > 0 || several > 0 || plan.written_days_;
    if (!intraday) {
        return plan;
    }
    if (index) {
        use_regular_hours(bars, plan);
    }
    find_cut_day(bars, plan);
    return plan;
}

DayBar::DayBar(std::size_t columns)
    : cells_(columns, Cell{std::numeric_limits<double>::quiet_NaN(), 0}) {}

void DayBar::add(std::span<const double> values, std::int64_t at, std::span<const Merge> rules) {
    ++bars_;
    for (std::size_t i = 0; i < values.size(); ++i) {
        Cell& cell = cells_[i];
        if (std::isnan(values[i])) {
            continue;
        }
        const bool empty = std::isnan(cell.value);
        const bool better = rules[i] == Merge::kHighest  ? values[i] > cell.value
                            : rules[i] == Merge::kLowest ? values[i] < cell.value
                            : rules[i] == Merge::kFirst  ? at < cell.at
                                                         : at >= cell.at;
        if (empty || better) {
            cell = {values[i], at};
        }
    }
}

std::vector<double> DayBar::values() const {
    std::vector<double> values;
    values.reserve(cells_.size());
    for (const Cell& cell : cells_) {
        values.push_back(cell.value);
    }
    return values;
}

}  // namespace tb::market
