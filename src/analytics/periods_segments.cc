#include "analytics/periods_segments.h"

#include <array>
#include <map>

#include <fmt/format.h>

#include "analytics/kelly.h"
#include "analytics/returns.h"

namespace tb::analytics {

namespace {

constexpr std::int64_t kFewTrades = 5;
constexpr std::array kMonthNames = {"January",   "February", "March",    "April",
                                    "May",       "June",     "July",     "August",
                                    "September", "October",  "November", "December"};

std::int32_t months_per(SegmentLength length) {
    switch (length) {
        case SegmentLength::kMonth:
            return 1;
        case SegmentLength::kQuarter:
            return 3;
        case SegmentLength::kYear:
            break;
    }
    return 12;
}

void name_segment(PeriodSegment& segment, std::int32_t year, std::int32_t month0,
                  SegmentLength length) {
    switch (length) {
        case SegmentLength::kMonth:
            segment.key = fmt::format("{:04}-{:02}", year, month0 + 1);
            segment.label =
                fmt::format("{} {}", kMonthNames[static_cast<std::size_t>(month0)], year);
            return;
        case SegmentLength::kQuarter:
            segment.key = fmt::format("{:04}-Q{}", year, month0 / 3 + 1);
            segment.label = fmt::format("Q{} {}", month0 / 3 + 1, year);
            return;
        case SegmentLength::kYear:
            break;
    }
    segment.key = fmt::format("{:04}", year);
    segment.label = segment.key;
}

std::optional<double> monthly_return(const std::vector<Trade>& trades, double net_pl,
                                     Conventions conventions) {
    std::optional<double> capital = initial_capital(trades, {}, conventions).dollars;
    if (conventions == Conventions::kReference && !(capital.value_or(0) > 0)) {
        capital = initial_capital_by_open(trades, {});
    }
    if (capital && *capital > 0) {
        return 100 * net_pl / *capital;
    }
    return conventions == Conventions::kReference ? std::optional(0.0) : std::nullopt;
}

class Segmenter {
  public:
    Segmenter(const TradeSet& set, const StatisticsOptions& options)
        : set_(set), options_(options) {}

    PeriodSegmentation run() {
        PeriodSegmentation result;
        result.months = segments(SegmentLength::kMonth);
        result.quarters = segments(SegmentLength::kQuarter);
        result.years = segments(SegmentLength::kYear);
        fill_mean_returns(result.months, result.quarters);
        fill_mean_returns(result.months, result.years);
        result.quarterly_trends = trends(result.quarters);
        result.yearly_trends = trends(result.years);
        return result;
    }

  private:
    [[nodiscard]] Date day_of(const Trade& t) const {
        return options_.conventions == Conventions::kReference ? t.date_opened : t.realized_on();
    }

    [[nodiscard]] std::vector<PeriodSegment> segments(SegmentLength length) const {
        std::map<std::int32_t, std::vector<Trade>> groups;
        const std::int32_t step = months_per(length);
        for (const Trade& t : set_.trades) {
            const YearMonthDay ymd = day_of(t).ymd();
            groups[(ymd.year * 12 + ymd.month - 1) / step].push_back(t);
        }
        std::vector<PeriodSegment> result;
        for (const auto& [index, trades] : groups) {
            PeriodSegment segment = measure(trades);
            name_segment(segment, index * step / 12, index * step % 12, length);
            segment.position = index - groups.begin()->first;
            if (length == SegmentLength::kMonth) {
                segment.avg_monthly_return_pct =
                    monthly_return(trades, segment.net_pl, options_.conventions);
            }
            if (segment.trade_count < kFewTrades) {
                segment.partial_reason = fmt::format("only {} trades", segment.trade_count);
            } else if (index == groups.begin()->first) {
                segment.partial_reason = "first period";
            } else if (index == groups.rbegin()->first) {
                segment.partial_reason = "last period";
            }
            segment.is_partial = !segment.partial_reason.empty();
            result.push_back(std::move(segment));
        }
        return result;
    }

    [[nodiscard]] PeriodSegment measure(const std::vector<Trade>& trades) const {
        PeriodSegment segment;
        const PortfolioStatistics stats = portfolio_statistics(trades, {}, options_).stats;
        KellyOptions kelly;
        kelly.conventions = options_.conventions;
        segment.start_date = day_of(trades.front());
        segment.end_date = segment.start_date;
        for (const Trade& t : trades) {
            segment.start_date = std::min(segment.start_date, day_of(t));
            segment.end_date = std::max(segment.end_date, day_of(t));
        }
        segment.trade_count = stats.total_trades;
        segment.win_rate = stats.win_rate;
        segment.profit_factor = stats.profit_factor;
        segment.profit_factor_infinite = stats.profit_factor_infinite;
        segment.kelly_pct = kelly_metrics(trades, kelly).percent;
        segment.sharpe_ratio = stats.sharpe_ratio;
        segment.net_pl = stats.net_pl;
        segment.total_pl = stats.total_pl;
        segment.total_commissions = stats.total_commissions;
        return segment;
    }

    // The months of a longer segment are those whose position falls into it.
    static void fill_mean_returns(const std::vector<PeriodSegment>& months,
                                  std::vector<PeriodSegment>& longer) {
        for (PeriodSegment& segment : longer) {
            std::vector<double> returns;
            for (const PeriodSegment& month : months) {
                const bool inside =
                    month.start_date >= segment.start_date && month.end_date <= segment.end_date;
                if (inside && month.avg_monthly_return_pct) {
                    returns.push_back(*month.avg_monthly_return_pct);
                }
            }
            segment.avg_monthly_return_pct = mean(returns);
        }
    }

    template <class Value>
    [[nodiscard]] std::optional<Trend> trend(const std::vector<PeriodSegment>& segments,
                                             const Value& value) const {
        std::vector<double> x;
        std::vector<double> y;
        for (const PeriodSegment& segment : segments) {
            if (const std::optional<double> v = value(segment)) {
                x.push_back(segment.position);
                y.push_back(*v);
            }
        }
        return options_.conventions == Conventions::kReference
                   ? ols_trend(y, options_.conventions)
                   : ols_trend(x, y, options_.conventions);
    }

    [[nodiscard]] SegmentTrends trends(const std::vector<PeriodSegment>& s) const {
        using Value = std::optional<double>;
        const bool reference = options_.conventions == Conventions::kReference;
        return {
            trend(s, [](const PeriodSegment& p) { return Value(p.win_rate); }),
            trend(s,
                  [&](const PeriodSegment& p) {
                      return reference ? Value(p.profit_factor.value_or(0)) : p.profit_factor;
                  }),
            trend(s, [](const PeriodSegment& p) { return Value(p.kelly_pct); }),
            trend(s, [](const PeriodSegment& p) { return p.avg_monthly_return_pct; }),
            trend(s, [](const PeriodSegment& p) { return Value(p.net_pl); }),
            trend(s,
                  [](const PeriodSegment& p) { return Value(static_cast<double>(p.trade_count)); }),
            trend(s, [](const PeriodSegment& p) { return p.sharpe_ratio; })};
    }

    const TradeSet& set_;
    const StatisticsOptions& options_;
};

LosingMonths losing_months(const std::vector<PeriodSegment>& months) {
    LosingMonths result;
    for (std::size_t i = 0; i < months.size(); ++i) {
        const PeriodSegment& month = months[i];
        if (!(month.net_pl < 0)) {
            continue;
        }
        const bool continues = i > 0 && months[i - 1].net_pl < 0;
        if (!continues) {
            result.runs.push_back({month.key, month.key, 0, 0});
        }
        LosingRun& run = result.runs.back();
        run.last_month = month.key;
        ++run.months;
        run.net_pl += month.net_pl;
    }
    for (const LosingRun& run : result.runs) {
        const bool worse =
            !result.worst || run.months > result.worst->months ||
            (run.months == result.worst->months && run.net_pl < result.worst->net_pl);
        if (worse) {
            result.worst = run;
        }
    }
    if (!months.empty() && !result.runs.empty() &&
        result.runs.back().last_month == months.back().key) {
        result.current = result.runs.back();
    }
    return result;
}

SegmentationQuality quality_of(const PeriodSegmentation& s, std::size_t trades) {
    SegmentationQuality q;
    q.trades = static_cast<std::int64_t>(trades);
    q.months = static_cast<std::int64_t>(s.months.size());
    q.quarters = static_cast<std::int64_t>(s.quarters.size());
    q.years = static_cast<std::int64_t>(s.years.size());
    q.sufficient_for_trends = q.years >= 3 || q.quarters >= 3;
    if (q.trades < 10) {
        q.warnings.push_back(fmt::format("only {} trades", q.trades));
    }
    if (q.months < 3) {
        q.warnings.push_back(fmt::format("only {} months with trades", q.months));
    }
    if (q.years < 3) {
        q.warnings.push_back(
            fmt::format("only {} years with trades: yearly trends are weak", q.years));
    }
    return q;
}

}  // namespace

PeriodSegmentation segment_periods(const TradeSet& set, const StatisticsOptions& options) {
    PeriodSegmentation result = Segmenter(set, options).run();
    result.losing_months = losing_months(result.months);
    result.quality = quality_of(result, set.trades.size());
    return result;
}

}  // namespace tb::analytics
