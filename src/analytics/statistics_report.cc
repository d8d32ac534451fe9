// The report of get_statistics: which trades, funds and log it is measured by (statistics.h).
#include <algorithm>
#include <utility>

#include "analytics/equity.h"
#include "analytics/selection.h"
#include "analytics/statistics.h"
#include "analytics/statistics_checks.h"
#include "analytics/statistics_equity.h"
#include "analytics/statistics_tally.h"

namespace tb::analytics {

Capital account_capital(std::span<const Trade> trades, std::span<const DailyLogEntry> log,
                        Conventions conventions) {
    const Capital of_trades = initial_capital(trades, {}, conventions);
    if (log.empty()) {
        return of_trades;
    }
    const Capital of_log = initial_capital(trades, log, conventions);
    if (conventions == Conventions::kReference || trades.empty()) {
        return of_log;
    }
    std::vector<std::int32_t> opened;
    std::vector<std::int32_t> realized;
    std::vector<double> net;
    for (const Trade& t : trades) {
        if (is_usable(t)) {
            opened.push_back(t.date_opened.days());
            realized.push_back(t.realized_on().days());
            net.push_back(t.net_pl());
        }
    }
    const bool agrees =
        !net.empty() && log_disagreements({opened, realized, net, of_trades.dollars}, log).empty();
    return agrees ? of_log : of_trades;
}

namespace {

// The trades of a request with the funds and the stretch of the log they are measured by.
struct Measured {
    TradeSet filtered;  // unused for a whole block
    std::span<const Trade> trades;
    std::span<const DailyLogEntry> log;
    Capital rebuilt_from;  // of the account, where the trades are a part of it
    bool rebuilt = false;
};

void measure_as_reference(const TradeSet& set, std::span<const DailyLogEntry> log,
                          const TradeFilter& filter, Measured& measured) {
    measured.filtered = filter_trades(set, filter);
    measured.rebuilt = filter.is_subset();
    if (measured.rebuilt) {
        measured.rebuilt_from = account_capital(set.trades, log, Conventions::kReference);
        if (measured.rebuilt_from.dollars) {
            rebuild_equity(measured.filtered.trades, measured.rebuilt_from.dollars, PlKind::kNet);
        }
    }
    measured.log =
        measured.rebuilt ? std::span<const DailyLogEntry>() : filter_log(log, filter.dates);
}

void measure_part(const TradeSet& set, std::span<const DailyLogEntry> log,
                  const TradeFilter& filter, Measured& measured) {
    Selection part = select_part(set, log, filter);
    measured.rebuilt = !part.whole_account;
    measured.rebuilt_from = fund_part(set, log, part);
    measured.log = part.log;
    measured.filtered = std::move(part.trades);
}

}  // namespace

std::optional<StatisticsReport> statistics_report(const TradeSet& set,
                                                  std::span<const DailyLogEntry> log,
                                                  const StatisticsRequest& request) {
    const Conventions conventions = request.options.conventions;
    Measured measured;
    measured.trades = set.trades;
    measured.log = log;
    if (request.filter.is_subset() || request.filter.dates.bounded()) {
        (conventions == Conventions::kReference ? measure_as_reference : measure_part)(
            set, log, request.filter, measured);
        measured.trades = measured.filtered.trades;
    }
    const std::span<const Trade> trades = measured.trades;
    if (trades.empty()) {
        return std::nullopt;
    }
    StatisticsReport report;
    report.rebuilt_equity = measured.rebuilt;
    ExposureSweep sweep(conventions, trades.size());
    StatisticsWithEquity statistics =
        statistics_with_equity(trades, measured.log, request.options, &sweep);
    report.result = std::move(statistics.result);
    if (measured.rebuilt_from.dollars && conventions == Conventions::kCorrect &&
        report.result.methodology.return_source == ReturnSource::kRealizedTrades) {
        report.result.methodology.capital_source = measured.rebuilt_from.source;
    }
    const std::optional<double> start = report.result.stats.initial_capital;
    EquityByDay equity;
    if (conventions == Conventions::kReference) {
        equity = equity_by_day(trades, start, conventions);
    } else if (statistics.daily.source == ReturnSource::kDailyLog) {
        equity = equity_by_day(measured.log);
    } else if (start) {
        equity = {start, std::move(statistics.daily.dates), std::move(statistics.daily.end_of_day)};
    }
    DailyExposure exposure = report.result.dropped_trades == 0
                                 ? std::move(sweep).finish(equity)
                                 : daily_exposure(trades, equity, conventions);
    report.peak_by_dollars = exposure.by_dollars;
    report.peak_by_percent = exposure.by_percent;
    for (std::string& warning : exposure.warnings) {
        report.result.warnings.push_back(std::move(warning));
    }
    return report;
}

}  // namespace tb::analytics
