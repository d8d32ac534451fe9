// The parameter grid of a walk-forward analysis.
//
// Thread-safe: an Axis list is immutable once made.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/walk_forward.h"

namespace tb::analytics {

enum class ParameterKind {
    kKellyMultiplier,
    kFixedFraction,
    kFixedContracts,
    kStrategyWeight,
    kMaxDrawdown,
    kMaxDailyLoss,
    kConsecutiveLosses,
    kUnknown,  // kReference only: multiplies the grid without any effect (02 I-51)
};

struct ParameterAxis {
    std::string name;
    ParameterKind kind = ParameterKind::kUnknown;
    std::vector<std::size_t> strategies;  // kStrategyWeight: indices of the strategies so named
    std::vector<double> values;
};

struct RiskLimits {
    std::optional<double> max_drawdown_pct;
    std::optional<double> max_daily_loss_pct;
    std::optional<double> consecutive_losses;
};

// What one combination does to the trades.
struct Scenario {
    double scale = 1;             // of all P/L; > 0
    std::vector<double> weights;  // by strategy, >= 0
    RiskLimits limits;
};

class ParameterGrid {
  public:
    // See ParameterRange and run_walk_forward for the errors.
    [[nodiscard]] static Result<ParameterGrid> make(std::span<const ParameterRange> ranges,
                                                    std::span<const std::string> strategies,
                                                    Conventions conventions);

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] const std::vector<ParameterAxis>& axes() const { return axes_; }
    // Names of limits that apply as constraints instead of axes.
    [[nodiscard]] const std::vector<std::string>& constraint_names() const { return constraints_; }
    // Values of combination `index` in axis order; the last axis varies fastest.
    [[nodiscard]] std::vector<double> values(std::size_t index) const;
    // `mean_contracts`: of the IS trades, 1 where that is 0.
    [[nodiscard]] Scenario scenario(std::span<const double> values, double mean_contracts) const;

  private:
    std::vector<ParameterAxis> axes_;
    std::vector<std::string> constraints_;
    RiskLimits limits_;
    std::size_t strategy_count_ = 0;
    std::size_t size_ = 1;
};

}  // namespace tb::analytics
