#include "analytics/log_flows.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

// Amounts per day under one reading of the column.
std::vector<double> amounts(std::span<const DailyLogEntry> log, LogFlows::Column column) {
    std::vector<double> result;
    result.reserve(log.size());
    double before = 0;
    for (const DailyLogEntry& e : log) {
        const double stated = e.withdrawn.value_or(column == LogFlows::Column::kSoFar ? before : 0);
        result.push_back(column == LogFlows::Column::kSoFar ? stated - before : stated);
        before = stated;
    }
    return result;
}

// Dollars by which the balance's own moves are not these withdrawals; the first entry has no day
// before it.
double unexplained(std::span<const DailyLogEntry> log, std::span<const double> withdrawn) {
    CompensatedSum sum;
    for (std::size_t i = 1; i < log.size(); ++i) {
        sum.add(std::fabs(balance_flow(log, i) + withdrawn[i]));
    }
    return sum.value();
}

}  // namespace

double balance_flow(std::span<const DailyLogEntry> log, std::size_t i) {
    return log[i].net_liquidity - log[i].daily_pl - log[i - 1].net_liquidity;
}

LogFlows log_flows(std::span<const DailyLogEntry> log) {
    LogFlows result;
    bool any = false;
    bool falls = false;
    double before = 0;
    for (const DailyLogEntry& e : log) {
        any = any || e.withdrawn.value_or(0) != 0;
        falls = falls || (e.withdrawn && *e.withdrawn < before);
        before = e.withdrawn.value_or(before);
    }
    if (!any) {
        result.withdrawn.assign(log.size(), 0);
        return result;
    }
    std::vector<double> so_far = amounts(log, LogFlows::Column::kSoFar);
    std::vector<double> per_day = amounts(log, LogFlows::Column::kPerDay);
    const double none = unexplained(log, std::vector<double>(log.size(), 0));
    const double left_so_far = unexplained(log, so_far);
    const double left_per_day = unexplained(log, per_day);
    result.in_balance = std::min(left_so_far, left_per_day) < none;
    const bool by_day =
        result.in_balance && left_so_far != left_per_day ? left_per_day < left_so_far : falls;
    result.column = by_day ? LogFlows::Column::kPerDay : LogFlows::Column::kSoFar;
    result.withdrawn = by_day ? std::move(per_day) : std::move(so_far);
    CompensatedSum total;
    for (std::size_t i = 0; i < log.size(); ++i) {
        if (result.withdrawn[i] > 0) {
            ++result.withdrawals;
            total.add(result.withdrawn[i]);
            result.first = result.first.value_or(log[i].date);
        }
    }
    result.total = total.value();
    return result;
}

std::vector<AccountFlow> LogFlows::flows(std::span<const DailyLogEntry> log) const {
    std::vector<AccountFlow> result;
    // What was taken out on the first day is not in the balance the log starts from.
    for (std::size_t i = 1; in_balance && i < log.size(); ++i) {
        if (withdrawn[i] != 0) {
            result.push_back({log[i].date, withdrawn[i]});
        }
    }
    return result;
}

}  // namespace tb::analytics
