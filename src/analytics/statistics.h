// Portfolio statistics of a block (02 §2.5) and the get_statistics report (02 §4.1).
//
// Units: win_rate is a fraction; fields ending in _pct, and the periodic win rates, are percent;
// money is dollars. A figure that has no value is nullopt and has a Note saying why; totals that
// overflow a double are infinite and have a Note too.
//
// One base for everything (kCorrect): returns, ratios, drawdown, growth and start capital all come
// from the daily log if it covers the trades' realization days and agrees with them on capital and
// realized balances (log_disagreements of statistics_checks.h), else all from the trades, with a
// warning that says what disagrees. kReference takes ratios and drawdown from any log and growth
// from the trades.
//
// One horizon (kCorrect): from the first opening, or the daily log's first day, to the last
// realization, or the log's last day; idle exchange days count. An account whose balance was 0 or
// less at any time has no growth rate: neither CAGR nor Calmar ratio.
//
// Cost: linear in trades, plus days; sums are compensated.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/drawdowns.h"
#include "analytics/exposure.h"
#include "analytics/filters.h"
#include "analytics/rates.h"
#include "analytics/returns.h"
#include "analytics/statistics_types.h"
#include "analytics/trade.h"

namespace tb::analytics {

struct PortfolioStatistics {
    std::int64_t total_trades = 0;
    std::int64_t winning_trades = 0;     // P > 0
    std::int64_t losing_trades = 0;      // P < 0
    std::int64_t break_even_trades = 0;  // closed with P = 0; all with P = 0 under kReference
    std::int64_t open_trades = 0;        // no closing day, P = 0; 0 under kReference
    double win_rate = 0;                 // winners / all, fraction; 0 without trades
    double total_pl = 0;                 // sum of the P/L in the file
    double net_pl = 0;                   // sum of P
    double total_commissions = 0;
    double avg_win = 0;   // 0 without winners
    double avg_loss = 0;  // negative; 0 without losers
    double max_win = 0;
    double max_loss = 0;  // negative
    // Gross profit / |gross loss|. Without a loss: nullopt and profit_factor_infinite if there was
    // a profit, else 0.
    std::optional<double> profit_factor;
    bool profit_factor_infinite = false;
    std::optional<double> sharpe_ratio;
    std::optional<double> sortino_ratio;
    std::optional<double> calmar_ratio;      // cagr_pct / max_drawdown_pct
    std::optional<double> max_drawdown_pct;  // positive percent of the peak
    std::optional<double> time_in_drawdown_pct;
    std::optional<double> kelly_pct;  // from P, dollars
    std::optional<double> cagr_pct;
    std::optional<double> initial_capital;
    double avg_daily_pl = 0;
    std::int64_t max_win_streak = 0;
    std::int64_t max_loss_streak = 0;
    std::int64_t current_streak = 0;
    double monthly_win_rate_pct = 0;
    double weekly_win_rate_pct = 0;
};

enum class SourceBasis { kNetIncludesFees, kGrossBeforeFees, kMixed };
enum class WinRateAttribution { kDateOpened, kRealizationDate };

struct Methodology {
    SourceBasis source_basis = SourceBasis::kNetIncludesFees;
    std::int64_t net_includes_fees = 0;  // trades by declared basis
    std::int64_t gross_before_fees = 0;
    ReturnSource return_source = ReturnSource::kRealizedTrades;
    IdleDays idle_days = IdleDays::kBusinessDays;
    std::int64_t observations = 0;  // daily returns
    std::optional<Date> first_observation;
    std::optional<Date> last_observation;
    RateMode rate_mode = RateMode::kMonthlyAverages;
    std::optional<double> fixed_rate_pct;
    std::string rate_series;  // empty when fixed
    std::optional<Date> rate_data_through;
    ResolutionCounts rate_resolution;  // over the observations
    bool rate_is_bond_equivalent = false;
    CapitalSource capital_source = CapitalSource::kNone;
    WinRateAttribution win_rate_attribution = WinRateAttribution::kDateOpened;
    // What cagr_pct compounds: dollars at the start and the end, and the years between.
    std::optional<double> growth_start;
    std::optional<double> growth_end;
    std::optional<double> growth_years;
    ReturnSource growth_source = ReturnSource::kRealizedTrades;
    // Balances behind the drawdown figures: days; kReference without a log: closed trades.
    std::int64_t balances = 0;
    // avg_daily_pl is their quotient.
    double daily_pl_total = 0;
    std::int64_t daily_pl_days = 0;
    // First day at whose end, or after one of whose trades, the balance was 0 or less (kCorrect).
    std::optional<Date> ran_out_on;
    Conventions conventions = Conventions::kCorrect;
};

struct StatisticsResult {
    PortfolioStatistics stats;
    Methodology methodology;
    std::vector<Note> notes;            // one per absent or doubtful figure
    std::vector<std::string> warnings;  // about the data and the method
    std::int64_t dropped_trades = 0;    // with a P/L or fee that is not a number
    // kCorrect: the deepest of the base, whose first is stats.max_drawdown_pct, and the deepest
    // after each trade, which see what happened within a day.
    DrawdownTable drawdowns;
    DrawdownTable drawdowns_by_trade;
};

struct StatisticsOptions {
    Conventions conventions = Conventions::kCorrect;
    RiskFreeRates rates;
};

// Figure by figure, kReference / kCorrect where they differ:
//   sharpe, sortino    on daily returns (returns.h); reference Sortino also needs two trades.
//   cagr_pct           reference: trade capital, from the first opening to the close of the trade
//                      opened last (I-12). Ours: the chosen base, to the last realized day.
//   max_drawdown_pct   reference: largest |ddPct| of the log, else from the funds column at the end
//                      of closing days. Ours: end-of-day balance of the chosen base (I-14, I-25).
//   time_in_drawdown   reference: share of log entries with ddPct < 0, else of closed trades with
//                      funds below their peak. Ours: share of observed days below the peak (I-49).
//   avg_daily_pl       reference: mean of the log, else net P/L per day with a trade. Ours: net P/L
//                      of the chosen base per observed day (I-49).
//   streaks            reference: LOAD order. Ours: as realized (realization.h). A zero result ends
//                      a streak.
//   monthly, weekly    share of months and weeks with P/L above zero; reference by opening day and
//                      weeks cut at New Year (I-15), ours by realization day and ISO week.
// No usable trade: counts 0, everything optional nullopt (reference: drawdown figures 0).
[[nodiscard]] StatisticsResult portfolio_statistics(std::span<const Trade> trades,
                                                    std::span<const DailyLogEntry> log,
                                                    const StatisticsOptions& options);

// The start capital the statistics of these trades are measured from: the daily log's, or under
// kCorrect the trades' own where portfolio_statistics would not use the log (see above).
[[nodiscard]] Capital account_capital(std::span<const Trade> trades,
                                      std::span<const DailyLogEntry> log, Conventions conventions);

// --- strategies ---------------------------------------------------------------------------------

struct StrategyStatistics {
    std::string strategy;
    std::int64_t trade_count = 0;
    double total_pl = 0;  // as in the file
    double net_pl = 0;    // P
    double win_rate = 0;  // fraction
    double avg_win = 0;
    double avg_loss = 0;  // negative
    double max_win = 0;
    double max_loss = 0;
    std::optional<double> profit_factor;  // as above
    bool profit_factor_infinite = false;
    std::optional<double> avg_days_in_trade;  // over closed trades; nullopt when none is closed
};
// In order of first appearance. Figures from P; trades with non-finite amounts are left out.
[[nodiscard]] std::vector<StrategyStatistics> strategy_statistics(const TradeSet& set);

// --- slices (library) ---------------------------------------------------------------------------

// Rounded to 2 decimals (halves up). Wins P > 0, everything else is a loss. All zero when empty.
struct SliceStatistics {
    std::int64_t trades = 0;
    double win_rate_pct = 0;
    double total_pl = 0;
    double avg_pl = 0;
    double avg_win = 0;
    double avg_loss = 0;
    std::optional<double> profit_factor;  // nullopt: wins without gross loss; 0: no wins
};
[[nodiscard]] SliceStatistics slice_statistics(std::span<const double> pl);

// Figures as fractions instead of percent. The reference's converter divides only the two drawdown
// figures and takes the others as fractions already (02 I-16); ours converts all.
struct DecimalStatistics {
    std::optional<double> max_drawdown;
    std::optional<double> time_in_drawdown;
    std::optional<double> cagr;
    double monthly_win_rate = 0;
    double weekly_win_rate = 0;
};
[[nodiscard]] DecimalStatistics to_decimal(const PortfolioStatistics& stats,
                                           Conventions conventions);

// --- get_statistics -----------------------------------------------------------------------------

struct StatisticsRequest {
    TradeFilter filter;
    StatisticsOptions options;
};

struct StatisticsReport {
    StatisticsResult result;
    std::optional<ExposurePeak> peak_by_dollars;
    std::optional<ExposurePeak> peak_by_percent;
    bool rebuilt_equity = false;  // a part of the account: funds rebuilt, log not used
};
// nullopt when the filters leave no trade. kCorrect: capital and log of the part as selection.h has
// them, funds rebuilt where it is not the whole account. kReference: a strategy or ticker filter
// rebuilds the funds of the subset from the account_capital of the whole block; otherwise the log
// is cut to the date range. Exposure percents are of the account's money: of the log's net
// liquidity, withdrawals added back, where it is the base.
[[nodiscard]] std::optional<StatisticsReport> statistics_report(const TradeSet& set,
                                                                std::span<const DailyLogEntry> log,
                                                                const StatisticsRequest& request);

}  // namespace tb::analytics
