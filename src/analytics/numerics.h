// Numerical primitives shared by all analytics: sums, moments, quantiles, rounding, the normal and
// Student distributions, ranks and the straight-line trend.
//
// Where the reference's rule differs from the right one, the function takes Conventions or has a
// twin named after the reference's method. Functions that have no value for an input (empty span,
// probability outside (0,1)) return nullopt; with finite input of moderate size (no overflow of the
// sum of squares, that is below about 1e150) every value returned is finite.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/trade.h"

namespace tb::analytics {

// --- sums and moments ---------------------------------------------------------------------------

// Running sum that carries the rounding error of every addition (Neumaier 1974): the error of the
// result is one rounding plus O(n eps^2), whatever the order and however much cancels.
class CompensatedSum {
  public:
    CompensatedSum() = default;
    explicit CompensatedSum(double start) : sum_(start) {}
    void add(double x) {
        const double t = sum_ + x;
        lost_ += std::fabs(sum_) >= std::fabs(x) ? (sum_ - t) + x : (x - t) + sum_;
        sum_ = t;
    }
    // After an overflow the plain sum (an infinity), never a NaN born of the correction.
    [[nodiscard]] double value() const { return std::isfinite(lost_) ? sum_ + lost_ : sum_; }

  private:
    double sum_ = 0;
    double lost_ = 0;
};

// 0 for an empty span.
[[nodiscard]] double compensated_sum(std::span<const double> values);
// Left to right, as the reference adds. 0 for an empty span.
[[nodiscard]] double plain_sum(std::span<const double> values);

// Arithmetic mean by a compensated sum; nullopt when empty. Safe up to 1e308: each value is scaled
// when the sum itself would overflow.
[[nodiscard]] std::optional<double> mean(std::span<const double> values);
// Two-pass standard deviations about `center` (the mean): sample has divisor n-1 (nullopt below two
// values), population divisor n (nullopt when empty). 0 for constant input. Infinite if the squares
// overflow.
[[nodiscard]] std::optional<double> sample_sd(std::span<const double> values);
[[nodiscard]] std::optional<double> population_sd(std::span<const double> values);

// True when `sd` is rounding noise beside values of size `scale`: at or below 1e-12 * scale. Ratios
// over such a deviation are undefined (02 I-11).
[[nodiscard]] bool is_negligible_deviation(double sd, double scale);
// Largest absolute value; 0 when empty.
[[nodiscard]] double max_abs(std::span<const double> values);

// --- order statistics ---------------------------------------------------------------------------

// Type 7 (position q*(n-1), linear interpolation) of ascending values; q is clamped to [0,1];
// nullopt when empty. kCorrect interpolates lo + f*(hi-lo), which never leaves [lo,hi]; kReference
// lo*(1-f) + hi*f, which can fall below a tie group by one rounding (02 I-41).
[[nodiscard]] std::optional<double> quantile_sorted(
    std::span<const double> ascending, double q, Conventions conventions = Conventions::kCorrect);
// The same of values in any order, in O(n) by selection.
[[nodiscard]] std::optional<double> quantile(std::vector<double> values, double q,
                                             Conventions conventions = Conventions::kCorrect);
// Mean of the two middle values (type 7 at one half).
[[nodiscard]] std::optional<double> median(std::vector<double> values);

// 1-based ranks in input order, ties get the mean of the ranks they span.
[[nodiscard]] std::vector<double> average_ranks(std::span<const double> values);

// --- text ---------------------------------------------------------------------------------------

// Two decimals, or what fits a sentence: an absurd cell of a file has three hundred digits.
[[nodiscard]] std::string readable_amount(double dollars);

// --- rounding -----------------------------------------------------------------------------------

// floor(x + 0.5): halves go up, also negative ones (-2.5 -> -2).
[[nodiscard]] double round_half_up(double x);
// The exact binary value rounded to `digits` decimals, exact ties away from zero ("fixed(k)" of
// 02 §1.4, JavaScript's toFixed). digits 0..20. Non-finite and |x| >= 1e21 are returned unchanged.
[[nodiscard]] double round_fixed(double x, int digits);

// --- distributions ------------------------------------------------------------------------------

// Standard normal distribution function by erfc: full double precision in both tails.
[[nodiscard]] double normal_cdf(double x);
// By Abramowitz-Stegun 7.1.26 as the reference (absolute error up to 1.5e-7; 02 I-19).
[[nodiscard]] double normal_cdf_abramowitz_stegun(double x);
// P(|Z| >= |z|): erfc, or 2(1 - Phi) with the reference's Phi.
[[nodiscard]] double normal_p_two_sided(double z, Conventions conventions);

// Inverse of normal_cdf; nullopt unless 0 < p < 1. Acklam's approximation (relative error 1.2e-9)
// is what the reference uses; normal_quantile adds one Halley step with erfc (full precision).
[[nodiscard]] std::optional<double> normal_quantile_acklam(double p);
[[nodiscard]] std::optional<double> normal_quantile(double p);

// P(|T| >= |t|) for Student's t with `dof` > 0 degrees of freedom, by the continued fraction of the
// regularized incomplete beta function I_x(dof/2, 1/2), x = dof/(dof+t^2) (Numerical Recipes 6.4).
// Infinite t gives 0; nullopt for dof <= 0 or NaN.
[[nodiscard]] std::optional<double> student_t_p_two_sided(double t, double dof);

// --- trend --------------------------------------------------------------------------------------

// Ordinary least squares y = intercept + slope*x.
struct Trend {
    double slope = 0;      // y units per x unit
    double intercept = 0;  // at x = 0
    double r_squared = 0;  // 1 - SSres/SStot, 0 for constant y
    double std_error = 0;  // of the slope: sqrt(SSres/(n-2)/Sxx), 0 for n = 2
    std::int64_t sample_size = 0;
    // kReference: t = 0 when std_error = 0, p by the normal law (2 points or a perfect line: p near
    // 1). kCorrect (02 I-21): Student t with n-2 degrees; p = 0 for a perfect line of n >= 3;
    // nullopt where nothing can be tested: n = 2, constant x, or constant y (no trend to test).
    std::optional<double> t_statistic;
    std::optional<double> p_value;
};

// x is the index 0..n-1; nullopt for n < 2.
[[nodiscard]] std::optional<Trend> ols_trend(std::span<const double> y, Conventions conventions);
// The same at given positions (same length), for series with gaps; nullopt for n < 2 or constant x.
[[nodiscard]] std::optional<Trend> ols_trend(std::span<const double> x, std::span<const double> y,
                                             Conventions conventions);

}  // namespace tb::analytics
