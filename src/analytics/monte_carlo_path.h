// One simulated path: drawing its steps and following the account along them.
//
// Thread-compatible: a PathSimulator may be shared, its buffers (PathBuffers) belong to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analytics/monte_carlo.h"

namespace tb::analytics {

// Capital beyond this is held there, so that no path becomes infinite; such paths are counted.
inline constexpr double kCapitalLimit = 1e300;

struct PathPlan {
    std::span<const double> pool;
    std::span<const double> worst_case;  // values of the synthetic losses; empty = none
    WorstCaseMode worst_case_mode = WorstCaseMode::kProbabilistic;
    double worst_case_pct = 0;
    bool iid = false;
    std::size_t mean_block_length = 1;
    std::size_t length = 0;
    std::uint64_t seed = 0;
    bool compounding = false;  // values are returns
    bool absorb_at_zero = true;
    double initial_capital = 0;
    double steps_per_year = 0;
    double risk_free_per_step = 0;
    bool zero_sharpe_without_dispersion = false;  // kReference
    double ruin_level = -1;                       // capital at or below it is ruin; < 0 = never
    std::vector<std::size_t> band_steps;          // 1-based, ascending
};

struct PathFigures {
    double final_value = 0;
    double total_return = 0;
    double annualized_return = 0;  // NaN where undefined
    double max_drawdown = 0;
    double sharpe = 0;  // NaN where undefined
    double lowest = 0;  // capital
    bool touched_zero = false;
    bool ruined = false;
    bool saturated = false;
};

struct PathBuffers {
    std::vector<double> steps;
    std::vector<double> returns;
    std::vector<std::uint32_t> slots;
};

class PathSimulator {
  public:
    explicit PathSimulator(PathPlan plan);
    // Draws path number `path` and follows it; band_values receives the cumulative return at each
    // of plan.band_steps.
    [[nodiscard]] PathFigures run(std::uint64_t path, PathBuffers& buffers,
                                  std::span<double> band_values) const;
    // Follows given steps instead of drawing them.
    [[nodiscard]] PathFigures follow(std::span<const double> steps, PathBuffers& buffers,
                                     std::span<double> band_values) const;
    [[nodiscard]] const PathPlan& plan() const { return plan_; }

  private:
    void draw(std::uint64_t path, PathBuffers& buffers) const;
    PathPlan plan_;
    std::uint64_t jump_threshold_;
    std::uint64_t worst_case_threshold_;
};

}  // namespace tb::analytics
