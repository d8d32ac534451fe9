#include "analytics/drawdowns.h"

#include <algorithm>
#include <utility>

#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

// Follows the balances and closes a drawdown when its peak is reached again.
class Episodes {
  public:
    Episodes(double start, Date first_day) : peak_(start), peak_day_(first_day), last_(start) {}

    void add(Date day, double balance, double pl) {
        if (balance >= peak_) {
            close(day);
            // The first day of a stretch at the peak is the one that reached it.
            if (balance > peak_ || last_ < peak_) {
                peak_day_ = day;
            }
            peak_ = balance;
            since_peak_ = CompensatedSum();
        } else {
            since_peak_.add(pl);
            if (!open_ || balance < open_->trough_balance) {
                if (!open_) {
                    open_ = Drawdown();
                    open_->peak_day = peak_day_;
                    open_->peak_balance = peak_;
                }
                open_->trough_day = day;
                open_->trough_balance = balance;
                open_->percent = 100 * ((peak_ - balance) / peak_);
                open_->dollars = -since_peak_.value();
            }
        }
        last_ = balance;
    }
    [[nodiscard]] std::vector<Drawdown> finish() && {
        close(std::nullopt);
        std::stable_sort(found_.begin(), found_.end(), [](const Drawdown& a, const Drawdown& b) {
            return a.percent > b.percent;
        });
        found_.resize(std::min(found_.size(), kWorstDrawdowns));
        return std::move(found_);
    }

  private:
    void close(std::optional<Date> recovered) {
        if (open_) {
            open_->recovery_day = recovered;
            found_.push_back(*open_);
            open_.reset();
        }
    }

    double peak_;
    Date peak_day_;
    double last_;
    CompensatedSum since_peak_;
    std::optional<Drawdown> open_;
    std::vector<Drawdown> found_;
};

}  // namespace

DrawdownTable worst_drawdowns(DrawdownBasis basis, double start, Date first_day,
                              std::span<const Date> days, std::span<const double> balances,
                              std::span<const double> pl) {
    DrawdownTable table{basis, {}};
    if (!(start > 0)) {
        return table;
    }
    Episodes episodes(start, first_day);
    for (std::size_t i = 0; i < balances.size(); ++i) {
        episodes.add(days[i], balances[i], pl[i]);
    }
    table.worst = std::move(episodes).finish();
    return table;
}

DrawdownTable worst_drawdowns(const DailyEquity& daily) {
    const DrawdownBasis basis = daily.source == ReturnSource::kDailyLog
                                    ? DrawdownBasis::kDailyLog
                                    : DrawdownBasis::kTradesByDay;
    if (daily.dates.empty()) {
        return {basis, {}};
    }
    return worst_drawdowns(basis, daily.start, daily.dates.front(), daily.dates, daily.end_of_day,
                           daily.pl);
}

DrawdownTable worst_drawdowns(const EquityCurve& curve) {
    if (curve.points.empty()) {
        return {DrawdownBasis::kEachTrade, {}};
    }
    std::vector<Date> days;
    std::vector<double> balances;
    std::vector<double> pl;
    double before = curve.start;
    for (std::size_t i = 1; i < curve.points.size(); ++i) {
        const EquityPoint& point = curve.points[i];
        days.push_back(point.date);
        balances.push_back(point.balance_without_flows);
        pl.push_back(point.equity - before);
        before = point.equity;
    }
    return worst_drawdowns(DrawdownBasis::kEachTrade, curve.start, curve.points.front().date, days,
                           balances, pl);
}

}  // namespace tb::analytics
