// Rolling windows and recent-against-past figures for edge-decay analysis (02 §5 "Rolling
// metrics").
//
// Windows are consecutive trades as realized (realization.h; kReference: in LOAD order). P/L is the
// reported one under kReference, net under kCorrect (02 I-17).
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/statistics.h"
#include "analytics/trade.h"

namespace tb::analytics {

struct WindowMetrics {
    std::int64_t trades = 0;
    double win_rate = 0;                  // fraction
    std::optional<double> profit_factor;  // nullopt: no loss, but a profit (infinite)
    double kelly_pct = 0;                 // 0 when not valid
    std::optional<double> sharpe_ratio;   // of the window's daily returns
    double avg_return = 0;                // mean P/L of a trade
    double net_pl = 0;                    // sum of P/L
    double avg_win = 0;
    double avg_loss = 0;  // positive
};
[[nodiscard]] WindowMetrics window_metrics(std::span<const Trade> trades,
                                           const StatisticsOptions& options);

struct RollingWindowPoint {
    Date date;  // realization day (kReference: opening day) of the window's last trade
    std::int64_t trade_number = 0;
    WindowMetrics metrics;
};
struct SeasonalAverage {
    std::int32_t quarter = 1;  // calendar quarter of the window's date
    std::int64_t windows = 0;
    std::optional<double> win_rate;  // means over the windows with a value
    std::optional<double> profit_factor;
    std::optional<double> kelly_pct;
    std::optional<double> sharpe_ratio;
    std::optional<double> avg_return;
    std::optional<double> net_pl;
};
struct RollingEdge {
    std::size_t window = 0;
    std::vector<RollingWindowPoint> points;  // empty with fewer trades than the window
    std::vector<SeasonalAverage> seasons;    // quarters with windows
};
// Window: as given, else round(n/5) within 20..200. `step` trades between windows (at least 1).
// Cost: O(n/step * window log window), since every window has statistics of its own.
[[nodiscard]] RollingEdge rolling_edge(std::span<const Trade> trades,
                                       std::optional<std::size_t> window, std::size_t step,
                                       const StatisticsOptions& options);

struct RecentOptions {
    std::optional<std::size_t> trades;  // the last so many
    std::optional<std::int32_t> days;   // or those realized (kReference: opened) within so many
                                        // days of the last one
};                                      // default: round(n/5) within 20..200, at most n
struct MetricChange {
    std::string metric;  // "winRate", "profitFactor", "kellyPercent", ...
    std::optional<double> recent;
    std::optional<double> historical;
    std::optional<double> delta;           // recent - historical
    std::optional<double> percent_change;  // of |historical|; nullopt where that is 0
};
struct RecentComparison {
    std::int64_t recent_trades = 0;
    std::int64_t historical_trades = 0;
    WindowMetrics recent;
    WindowMetrics historical;
    // kReference compares the sums of P/L of parts of different length and takes an undefined
    // Sharpe ratio as 0; kCorrect compares net P/L per trade (02 I-50) and leaves undefined values
    // out.
    std::vector<MetricChange> changes;
    // The recent part crosses a line the past did not.
    bool payoff_inversion = false;  // mean loss above mean win
    bool win_rate_below_half = false;
    bool profit_factor_below_one = false;
    bool kelly_negative = false;
};
// nullopt unless trades remain on both sides.
[[nodiscard]] std::optional<RecentComparison> compare_recent(std::span<const Trade> trades,
                                                             const RecentOptions& recent,
                                                             const StatisticsOptions& options);

}  // namespace tb::analytics
