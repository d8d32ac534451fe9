// The trades of one stretch of a window and their figures under any scaling.
//
// A scaling multiplies the P/L of every strategy by a factor and leaves out strategies with factor
// 0. What depends only on which strategies are left (orderings, days, rates) is worked out once per
// such set; a scaling then costs one pass over trades and days. The figures equal those of
// portfolio_statistics (no log) on the scaled trades, which the tests use as slow second
// implementation.
//
// Thread-compatible: one Segment per thread (evaluate fills its caches).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/rates.h"
#include "analytics/trade.h"
#include "analytics/walk_forward.h"
#include "analytics/walk_forward_grid.h"

namespace tb::analytics {

// See PortfolioStatistics for the meaning of each figure.
struct SegmentFigures {
    std::size_t trades = 0;
    double start_capital = 0;
    double net_pl = 0;
    double win_rate = 0;
    std::optional<double> profit_factor;
    bool profit_factor_infinite = false;
    std::optional<double> sharpe_ratio;
    std::optional<double> sortino_ratio;
    std::optional<double> cagr_pct;
    std::optional<double> calmar_ratio;
    std::optional<double> max_drawdown_pct;
    double avg_daily_pl = 0;
    std::size_t longest_losing_run = 0;  // trades in LOAD order
    double largest_daily_loss_pct = 0;   // of the start capital
};

// -infinity where the figure is undefined; +infinity for a profit factor without a loss.
[[nodiscard]] double target_value(const SegmentFigures& figures, WalkForwardTarget target);

struct PairLimits {
    double max_correlation = 0;      // largest signed pair value; 0 if undefined
    double max_tail_dependence = 0;  // largest pair value; 0 if undefined
};

class Segment {
  public:
    // `trades` in LOAD order and unscaled. kReference: the funds of the scaled trades run from
    // `start_capital` in LOAD order; kCorrect: `start_capital` is the balance before the stretch.
    // `strategies` and `rates` are borrowed. Once `cancel` is cancelled figures of pairs may be
    // missing: the caller looks at it before it uses them.
    Segment(std::vector<Trade> trades, const std::vector<std::string>& strategies,
            double start_capital, const RiskFreeRates& rates, Conventions conventions,
            CancelToken cancel);

    [[nodiscard]] const std::vector<Trade>& trades() const { return trades_; }
    // Mean of |contracts|; 1 where that is 0.
    [[nodiscard]] double mean_contracts() const;
    [[nodiscard]] SegmentFigures evaluate(const Scenario& scenario);
    // nullopt with fewer than two strategies left. Positive scaling changes no correlation, so the
    // result depends on the strategies left only (kReference: but for rounding).
    [[nodiscard]] std::optional<PairLimits> pair_limits(const Scenario& scenario,
                                                        const DiversificationOptions& options);
    // nullopt with fewer than two strategies left.
    [[nodiscard]] std::optional<DiversificationMetrics> diversification(
        const Scenario& scenario, const DiversificationOptions& options);

  private:
    // What depends on the strategies left only. Vectors over trades are in LOAD order.
    struct Layout {
        std::vector<std::uint32_t> strategy;
        std::vector<double> net;
        std::vector<double> reported;
        std::vector<double>
            opening_fees;  // kReference: those the reported P/L does not contain yet
        std::vector<double> closing_fees;
        std::vector<std::uint32_t> day;  // index into rates
        std::vector<double> rate;        // deduction per observed day, fraction
        std::size_t traded_days = 0;
        std::uint32_t first_to_close = 0;        // CLOSEFULL
        std::vector<std::uint32_t> last_of_day;  // CLOSE order: last trade of each closing day
        std::optional<std::uint32_t> first_closed;
        double years = 0;
        // By rank pattern; kCorrect: one, by the empty pattern.
        std::map<std::vector<std::uint32_t>, std::optional<PairLimits>> pair_limits;
    };

    [[nodiscard]] std::vector<char> strategies_left(const Scenario& scenario) const;
    Layout& layout_for(const Scenario& scenario);
    [[nodiscard]] Layout make_layout(const std::vector<char>& left) const;
    [[nodiscard]] double scaled_net(const Layout& layout, std::size_t trade, double factor) const;
    [[nodiscard]] TradeSet trade_set(const Scenario& scenario) const;
    void fill_ratios(const Layout& layout, SegmentFigures& figures);
    void fill_drawdown(const Layout& layout, SegmentFigures& figures);

    std::vector<Trade> trades_;
    const std::vector<std::string>& strategies_;
    double start_capital_;
    const RiskFreeRates& rates_;
    Conventions conventions_;
    RunContext alone_;  // one thread, the caller's cancel token
    std::map<std::vector<char>, Layout> layouts_;
    std::size_t layout_trades_ = 0;  // in all of layouts_
    // Of the scaling being evaluated.
    std::vector<double> pl_;
    std::vector<double> funds_;
    std::vector<double> day_pl_;
    std::vector<double> day_reported_;
    std::vector<double> balance_;
    std::vector<double> excess_;
};

}  // namespace tb::analytics
