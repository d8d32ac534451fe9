// Start capital, daily equity, daily returns and the ratios on them (02 §2.1, §2.3, §2.4).
//
// Returns are fractions of the equity at the start of the day (0.01 = one percent). Ratios are
// annualized with 252 observations a year. Sums are compensated.
//
// Thread-safe: all functions are pure.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "analytics/rates.h"
#include "analytics/trade.h"

namespace tb::analytics {

inline constexpr double kAnnualization = 252;
// Below this many observations an annualized figure is arithmetic, not evidence (02 I-55).
inline constexpr std::size_t kFewObservations = 20;

// --- start capital ------------------------------------------------------------------------------

enum class CapitalSource { kDailyLog, kTrades, kNone };

struct Capital {
    std::optional<double> dollars;  // nullopt: no trades, or (kCorrect) no trade states its funds
    CapitalSource source = CapitalSource::kNone;
};

// With a log: netLiq - dailyPl of its first entry. Else from the trades.
//   kReference: F - P of the first trade in CLOSEFULL order (F = 0 when blank), 0 without trades.
//   kCorrect: the balance from which the funds column chains: F - v of the trade realized first, v
// the file's P/L or the net P/L, whichever the column follows. Trades ranked on their whole block
// (realization.h) say which one that is, so that a part starts with what the account held just
// before its first result. Without ranks trades closed in the same minute stand in arbitrary order,
// and among the first ones the start is the balance F - v that is no other trade's F. Trades before
// the first stated balance are undone by their P/L. Amounts match within 0.011 dollars.
[[nodiscard]] Capital initial_capital(std::span<const Trade> trades,
                                      std::span<const DailyLogEntry> log, Conventions conventions);

// The kCorrect start capital for a caller that passes over the trades anyway: what the trades of
// the earliest realization instant say, which is enough for nearly every file. Single-thread.
class FirstInstantCapital {
  public:
    void add(const Trade& trade);
    // nullopt: ask initial_capital, which looks at all of them.
    [[nodiscard]] std::optional<double> dollars() const;

  private:
    double earliest_ = std::numeric_limits<double>::infinity();
    double first_untimed_ = std::numeric_limits<double>::infinity();
    std::vector<const Trade*> first_;  // borrowed from the caller's rows
    const Trade* first_ranked_ = nullptr;
    bool ranked_ = true;
    bool only_net_ = true;
};

// The library's older variant ("IC-open"): log as above, else F - pl of the trade that opened first
// by (date, time, funds). nullopt without trades.
[[nodiscard]] std::optional<double> initial_capital_by_open(std::span<const Trade> trades,
                                                            std::span<const DailyLogEntry> log);

// One-lot start capital of the snapshot ("IC-lot"): (F - pl)/max(1, n) of the first closed trade by
// (R, close time); 100000 if that is not positive.
[[nodiscard]] double initial_capital_one_lot(std::span<const Trade> trades);

// --- daily series -------------------------------------------------------------------------------

enum class ReturnSource { kDailyLog, kRealizedTrades };
enum class IdleDays { kAsProvided, kBusinessDays, kExchangeDays, kCalendarDays };

// Profit or loss and balance per observed day, ascending.
struct DailyEquity {
    ReturnSource source = ReturnSource::kRealizedTrades;
    IdleDays idle_days = IdleDays::kExchangeDays;
    double start = 0;  // balance before the first day
    std::vector<Date> dates;
    std::vector<double> pl;          // dollars of the day
    std::vector<double> end_of_day;  // dollars
    std::vector<double> returns;     // of each day; shorter than dates when the balance was used up
    std::optional<Date> exhausted_on;  // first day that began with a balance of 0 or less
};

// From the trades: every civil day from the first opening (kReference: min R) to max R that is an
// exchange day (kCorrect) or a weekday (kReference), or on which a trade realizes; with
// `calendar_days` every day: capital that is at risk and earns nothing is part of the record. P/L
// is net. Return = P/L over the balance at the start of the day; once that is 0 or less no further
// return is emitted (the balance series goes on).
[[nodiscard]] DailyEquity daily_equity_from_trades(std::span<const Trade> trades,
                                                   double initial_capital, Conventions conventions,
                                                   bool calendar_days = false);
// The same from columns: realization day (days since epoch) and net P/L of each trade, in any
// order, and the day of the first opening (nullopt, kReference: the first realization).
[[nodiscard]] DailyEquity daily_equity_from_columns(std::span<const std::int32_t> realized,
                                                    std::span<const double> net_pl,
                                                    double initial_capital, Conventions conventions,
                                                    bool calendar_days = false,
                                                    std::optional<Date> opened = std::nullopt);
// From the log: return = dailyPl / (netLiq - dailyPl), 0 where that base is 0 or less. Deposits and
// withdrawals fall out of the return; under kCorrect end_of_day is the start compounded with the
// returns, so that flows do not look like profit or drawdown (02 I-57); under kReference netLiq.
[[nodiscard]] DailyEquity daily_equity_from_log(std::span<const DailyLogEntry> log,
                                                Conventions conventions);

// --- ratios -------------------------------------------------------------------------------------

// r - rf(day)/100/252, and how the rates were found.
struct ExcessReturns {
    std::vector<double> values;
    ResolutionCounts resolution;
};
[[nodiscard]] ExcessReturns excess_returns(const DailyEquity& daily, const RiskFreeRates& rates,
                                           Conventions conventions);

// mean/sd*sqrt(252), sample sd (n-1). nullopt below two values or for a constant series: sd exactly
// 0 (kReference) or within rounding of 0 (kCorrect, 02 I-11).
[[nodiscard]] std::optional<double> sharpe_ratio(std::span<const double> excess,
                                                 Conventions conventions);
// mean/d*sqrt(252), d = sqrt(sum min(x,0)^2 / n) over all n. nullopt below two values, without a
// negative one, or if d < 1e-10 (kReference) or is rounding noise (kCorrect).
[[nodiscard]] std::optional<double> sortino_ratio(std::span<const double> excess,
                                                  Conventions conventions);

// Largest fall from the running peak of the balance, percent of that peak; the peak starts at
// `start` when that is positive. 0 for a series that never falls; above 100 if the balance goes
// below zero.
[[nodiscard]] double max_drawdown_pct(double start, std::span<const double> balances);
// The same of returns compounded from 1; nullopt if the product goes below 0.
[[nodiscard]] std::optional<double> max_drawdown_pct_of_returns(std::span<const double> returns);
// Mean of the returns at or below their type-7 quantile at `tail` (CVaR); nullopt when empty.
[[nodiscard]] std::optional<double> conditional_value_at_risk(std::span<const double> returns,
                                                              double tail = 0.05);
// (E^(252/n) - 1)/(UI/100), UI = root mean square of the drawdown percent of the compounded
// returns; nullopt when empty, when the product reaches 0, or when nothing ever falls (UI = 0).
[[nodiscard]] std::optional<double> ulcer_performance_index(std::span<const double> returns);

// 100*((end/start)^(1/years) - 1): percent a year; nullopt unless all three are positive.
[[nodiscard]] std::optional<double> compound_annual_growth_pct(double start, double end,
                                                               double years);

}  // namespace tb::analytics
