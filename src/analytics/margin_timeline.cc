#include "analytics/margin_timeline.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

constexpr std::size_t kNoStrategy = static_cast<std::size_t>(-1);

// A change of one strategy's margin at the start of a day.
struct MarginEvent {
    std::int32_t day;
    std::size_t strategy;
    double margin;        // negative when released
    std::int32_t trades;  // +1 opened, -1 released
};

struct ClosedPl {
    std::int32_t day;
    double pl;
};

// Per strategy, exact at rest: while no trade is held the margin is 0, whatever rounding the
// running sum gathered.
struct Held {
    CompensatedSum margin;
    std::int64_t trades = 0;
    void apply(const MarginEvent& event) {
        trades += event.trades;
        margin.add(event.margin);
        if (trades == 0) {
            margin = CompensatedSum();
        }
    }
};

std::vector<MarginEvent> make_events(const TradeSet& trades, const std::vector<std::size_t>& slots,
                                     MarginTimeline& timeline) {
    std::vector<MarginEvent> events;
    events.reserve(trades.trades.size() * 2);
    for (const Trade& trade : trades.trades) {
        timeline.open_trades += trade.date_closed ? 0U : 1U;
        const Date last =
            std::max(trade.date_opened, trade.date_closed.value_or(trade.date_opened));
        const std::size_t slot = slots[trade.strategy];
        events.push_back({trade.date_opened.days(), slot, trade.margin_req, 1});
        events.push_back({last.days() + 1, slot, -trade.margin_req, -1});
    }
    std::stable_sort(events.begin(), events.end(),
                     [](const MarginEvent& a, const MarginEvent& b) { return a.day < b.day; });
    return events;
}

// Days on which anything is held: the length of the timeline, known before it is built.
std::size_t held_days(std::span<const MarginEvent> events) {
    std::size_t days = 0;
    std::int64_t trades_held = 0;
    for (std::size_t i = 0; i + 1 < events.size(); ++i) {
        trades_held += events[i].trades;
        const std::int32_t until_next = events[i + 1].day - events[i].day;
        days += trades_held > 0 ? static_cast<std::size_t>(until_next) : 0;
    }
    return days;
}

std::vector<ClosedPl> closed_results(const TradeSet& trades, Conventions conventions) {
    std::vector<ClosedPl> closed;
    for (const Trade& trade : trades.trades) {
        if (trade.date_closed) {
            closed.push_back({trade.date_closed->days(),
                              conventions == Conventions::kCorrect ? trade.net_pl() : trade.pl});
        }
    }
    std::stable_sort(closed.begin(), closed.end(),
                     [](const ClosedPl& a, const ClosedPl& b) { return a.day < b.day; });
    return closed;
}

// The account at the end of ascending days.
class CapitalSweep {
  public:
    CapitalSweep(const TradeSet& trades, std::span<const DailyLogEntry> log,
                 const MarginTimelineOptions& options, Conventions conventions)
        : log_(log), options_(options), capital_(options.starting_capital) {
        if (options.base == MarginBase::kCompounding) {
            closed_ = closed_results(trades, conventions);
        }
    }

    [[nodiscard]] double at(std::int32_t day) {
        if (options_.base == MarginBase::kFixed) {
            return options_.starting_capital;
        }
        for (; next_ < closed_.size() && closed_[next_].day <= day; ++next_) {
            capital_.add(closed_[next_].pl);
        }
        while (entry_ < log_.size() && log_[entry_].date.days() < day) {
            ++entry_;
        }
        return entry_ < log_.size() && log_[entry_].date.days() == day ? log_[entry_].net_liquidity
                                                                       : capital_.value();
    }

  private:
    std::span<const DailyLogEntry> log_;
    const MarginTimelineOptions& options_;
    CompensatedSum capital_;
    std::vector<ClosedPl> closed_;
    std::size_t next_ = 0;
    std::size_t entry_ = 0;
};

std::optional<double> percent(double margin, double capital) {
    const double value = 100 * margin / capital;
    return capital > 0 && std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

void raise(std::optional<double>& maximum, std::optional<double> value) {
    if (value && (!maximum || *value > *maximum)) {
        maximum = value;
    }
}

void add_point(std::int32_t day, std::span<const Held> held, double capital,
               MarginTimeline& timeline) {
    MarginTimelinePoint point;
    point.date = Date(day);
    point.capital = capital;
    CompensatedSum total;
    for (std::size_t s = 0; s < held.size(); ++s) {
        const double margin = held[s].margin.value();
        total.add(margin);
        point.strategy_margin.push_back(margin);
        point.strategy_margin_pct.push_back(percent(margin, capital));
        raise(timeline.strategy_max_pct[s], point.strategy_margin_pct.back());
    }
    point.margin = total.value();
    point.margin_pct = percent(point.margin, capital);
    raise(timeline.max_margin, point.margin);
    raise(timeline.max_margin_pct, point.margin_pct);
    timeline.points.push_back(std::move(point));
}

void add_notes(MarginTimeline& timeline) {
    const auto undefined =
        std::count_if(timeline.points.begin(), timeline.points.end(),
                      [](const MarginTimelinePoint& p) { return !p.margin_pct; });
    if (timeline.points.empty()) {
        timeline.notes.push_back({"maxMargin, maxMarginPct", "there is no trade"});
    } else if (undefined > 0) {
        timeline.notes.push_back(
            {"marginPct", fmt::format("the account is not positive on {} days", undefined)});
    }
    if (timeline.max_margin && !std::isfinite(*timeline.max_margin)) {
        timeline.max_margin.reset();
        timeline.notes.push_back({"maxMargin, margin", "the sum is too large to be represented"});
    }
    if (timeline.open_trades > 0) {
        timeline.warnings.push_back(
            fmt::format("{} open trades count on their opening day only", timeline.open_trades));
    }
}

}  // namespace

Result<MarginTimeline> margin_timeline(const TradeSet& trades, std::span<const DailyLogEntry> log,
                                       const MarginTimelineOptions& options,
                                       Conventions conventions) {
    if (!(options.starting_capital > 0) || !std::isfinite(options.starting_capital)) {
        return make_error(ErrorCode::kInvalidArgument, "starting capital must be positive");
    }
    MarginTimeline timeline;
    std::vector<std::size_t> slots(trades.strategies.size(), kNoStrategy);
    for (const Trade& trade : trades.trades) {
        if (slots[trade.strategy] == kNoStrategy) {
            slots[trade.strategy] = timeline.strategies.size();
            timeline.strategies.push_back(trades.strategies[trade.strategy]);
        }
    }
    timeline.strategy_max_pct.resize(timeline.strategies.size());
    const std::vector<MarginEvent> events = make_events(trades, slots, timeline);
    if (held_days(events) * timeline.strategies.size() > kMaxMarginCells) {
        return make_error(
            ErrorCode::kResourceExhausted,
            fmt::format("margin timeline: more than {} values (days times strategies)",
                        kMaxMarginCells));
    }
    CapitalSweep capital(trades, log, options, conventions);
    std::vector<Held> held(timeline.strategies.size());
    std::int64_t trades_held = 0;
    for (std::size_t i = 0; i < events.size();) {
        const std::int32_t day = events[i].day;
        for (; i < events.size() && events[i].day == day; ++i) {
            held[events[i].strategy].apply(events[i]);
            trades_held += events[i].trades;
        }
        // What is held now stays the same until the next event.
        const std::int32_t until = i < events.size() ? events[i].day : day;
        for (std::int32_t d = day; trades_held > 0 && d < until; ++d) {
            add_point(d, held, capital.at(d), timeline);
        }
    }
    add_notes(timeline);
    return timeline;
}

}  // namespace tb::analytics
