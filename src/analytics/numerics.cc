#include "analytics/numerics.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numbers>
#include <numeric>

#include <fmt/format.h>
#include <math.h>

#include "core/number.h"

namespace tb::analytics {

namespace {

constexpr double kNegligible = 1e-12;

// Continued fraction for the incomplete beta function by the modified Lentz method.
double beta_continued_fraction(double a, double b, double x) {
    constexpr double kTiny = 1e-300;
    constexpr double kEpsilon = 1e-16;
    constexpr int kMaxSteps = 10000;
    const auto away_from_zero = [](double v) { return std::fabs(v) < kTiny ? kTiny : v; };
    double c = 1;
    double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
    double h = d;
    for (int m = 1; m <= kMaxSteps; ++m) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / away_from_zero(1 + even * d);
        c = away_from_zero(1 + even / c);
        h *= d * c;
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away_from_zero(1 + odd * d);
        c = away_from_zero(1 + odd / c);
        const double step = d * c;
        h *= step;
        if (std::fabs(step - 1) < kEpsilon) {
            break;
        }
    }
    return h;
}

// std::lgamma writes a process-wide sign; the re-entrant form does not.
double log_gamma(double x) {
    int sign = 0;
    return ::lgamma_r(x, &sign);
}

double regularized_beta(double a, double b, double x) {
    if (x <= 0) {
        return 0;
    }
    if (x >= 1) {
        return 1;
    }
    const double front = std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) +
                                  b * std::log1p(-x));
    if (x < (a + 1) / (a + b + 2)) {
        return front * beta_continued_fraction(a, b, x) / a;
    }
    return 1 - front * beta_continued_fraction(b, a, 1 - x) / b;
}

double interpolate(double lo, double hi, double f, Conventions conventions) {
    if (conventions == Conventions::kReference) {
        return lo * (1 - f) + hi * f;
    }
    // hi - lo overflows only for opposite signs near the limit; weighting is then safe.
    const double width = hi - lo;
    return std::isfinite(width) ? lo + f * width : lo * (1 - f) + hi * f;
}

double erf_abramowitz_stegun(double x) {
    const double sign = x < 0 ? -1 : 1;
    x = std::fabs(x);
    const double t = 1 / (1 + 0.3275911 * x);
    const double poly =
        ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t +
         0.254829592) *
        t;
    return sign * (1 - poly * std::exp(-x * x));
}

double squared_deviations(std::span<const double> values, double center) {
    CompensatedSum squares;
    for (const double v : values) {
        squares.add((v - center) * (v - center));
    }
    return squares.value();
}

}  // namespace

double compensated_sum(std::span<const double> values) {
    CompensatedSum total;
    for (const double v : values) {
        total.add(v);
    }
    return total.value();
}

double plain_sum(std::span<const double> values) {
    double total = 0;
    for (const double v : values) {
        total += v;
    }
    return total;
}

std::optional<double> mean(std::span<const double> values) {
    if (values.empty()) {
        return std::nullopt;
    }
    const auto n = static_cast<double>(values.size());
    const double total = compensated_sum(values);
    if (std::isfinite(total)) {
        return total / n;
    }
    CompensatedSum scaled;
    for (const double v : values) {
        scaled.add(v / n);
    }
    return scaled.value();
}

std::optional<double> sample_sd(std::span<const double> values) {
    if (values.size() < 2) {
        return std::nullopt;
    }
    return std::sqrt(squared_deviations(values, *mean(values)) /
                     static_cast<double>(values.size() - 1));
}

std::optional<double> population_sd(std::span<const double> values) {
    if (values.empty()) {
        return std::nullopt;
    }
    return std::sqrt(squared_deviations(values, *mean(values)) /
                     static_cast<double>(values.size()));
}

bool is_negligible_deviation(double sd, double scale) {
    return sd <= kNegligible * std::fabs(scale);
}

double max_abs(std::span<const double> values) {
    double largest = 0;
    for (const double v : values) {
        largest = std::max(largest, std::fabs(v));
    }
    return largest;
}

std::optional<double> quantile_sorted(std::span<const double> ascending, double q,
                                      Conventions conventions) {
    if (ascending.empty()) {
        return std::nullopt;
    }
    const double position = std::clamp(q, 0.0, 1.0) * static_cast<double>(ascending.size() - 1);
    const auto lower = static_cast<std::size_t>(position);
    const std::size_t upper = std::min(lower + 1, ascending.size() - 1);
    const double fraction = position - static_cast<double>(lower);
    if (fraction == 0) {
        return ascending[lower];
    }
    return interpolate(ascending[lower], ascending[upper], fraction, conventions);
}

std::optional<double> quantile(std::vector<double> values, double q, Conventions conventions) {
    if (values.empty()) {
        return std::nullopt;
    }
    const double position = std::clamp(q, 0.0, 1.0) * static_cast<double>(values.size() - 1);
    const auto lower = static_cast<std::size_t>(position);
    const double fraction = position - static_cast<double>(lower);
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(lower);
    std::nth_element(values.begin(), at, values.end());
    const double lo = *at;
    if (fraction == 0) {
        return lo;
    }
    return interpolate(lo, *std::min_element(at + 1, values.end()), fraction, conventions);
}

std::optional<double> median(std::vector<double> values) {
    return quantile(std::move(values), 0.5);
}

std::vector<double> average_ranks(std::span<const double> values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    for (std::size_t first = 0; first < order.size();) {
        std::size_t end = first + 1;
        while (end < order.size() && values[order[end]] == values[order[first]]) {
            ++end;
        }
        // Ranks first+1 .. end, their mean.
        const double rank = (static_cast<double>(first + 1) + static_cast<double>(end)) / 2;
        for (std::size_t i = first; i < end; ++i) {
            ranks[order[i]] = rank;
        }
        first = end;
    }
    return ranks;
}

std::string readable_amount(double dollars) {
    constexpr double kReadable = 1e15;
    if (!std::isfinite(dollars)) {
        return "a number beyond all bounds";
    }
    return std::fabs(dollars) < kReadable ? fixed_text(dollars, 2) : fmt::format("{:.3e}", dollars);
}

double round_half_up(double x) {
    return std::floor(x + 0.5);
}

double round_fixed(double x, int digits) {
    if (!std::isfinite(x) || std::fabs(x) >= 1e21) {
        return x;
    }
    digits = std::clamp(digits, 0, 20);
    // x*10^k is an odd multiple of one half exactly when x*2^(k+1) is an odd integer; to_chars
    // would round such a tie to even, so the value is nudged outwards first.
    const double scaled = std::ldexp(x, digits + 1);
    if (std::fmod(std::fabs(scaled), 2.0) == 1.0) {
        x = std::nextafter(x, std::copysign(std::numeric_limits<double>::infinity(), x));
    }
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, x, std::chars_format::fixed, digits);
    double rounded = 0;
    std::from_chars(text, end.ptr, rounded);
    return rounded;
}

double normal_cdf(double x) {
    return 0.5 * std::erfc(-x * (1 / std::numbers::sqrt2));
}

double normal_cdf_abramowitz_stegun(double x) {
    return 0.5 * (1 + erf_abramowitz_stegun(x / std::numbers::sqrt2));
}

double normal_p_two_sided(double z, Conventions conventions) {
    if (conventions == Conventions::kReference) {
        return 2 * (1 - normal_cdf_abramowitz_stegun(std::fabs(z)));
    }
    return std::erfc(std::fabs(z) * (1 / std::numbers::sqrt2));
}

std::optional<double> normal_quantile_acklam(double p) {
    if (!(p > 0 && p < 1)) {
        return std::nullopt;
    }
    constexpr double kA[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                             1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
    constexpr double kB[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                             6.680131188771972e+01, -1.328068155288572e+01};
    constexpr double kC[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                             -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
    constexpr double kD[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                             3.754408661907416e+00};
    constexpr double kLow = 0.02425;
    const auto tail = [&](double q) {
        return (((((kC[0] * q + kC[1]) * q + kC[2]) * q + kC[3]) * q + kC[4]) * q + kC[5]) /
               ((((kD[0] * q + kD[1]) * q + kD[2]) * q + kD[3]) * q + 1);
    };
    if (p < kLow) {
        return tail(std::sqrt(-2 * std::log(p)));
    }
    if (p > 1 - kLow) {
        return -tail(std::sqrt(-2 * std::log(1 - p)));
    }
    const double q = p - 0.5;
    const double r = q * q;
    return (((((kA[0] * r + kA[1]) * r + kA[2]) * r + kA[3]) * r + kA[4]) * r + kA[5]) * q /
           (((((kB[0] * r + kB[1]) * r + kB[2]) * r + kB[3]) * r + kB[4]) * r + 1);
}

std::optional<double> normal_quantile(double p) {
    const std::optional<double> start = normal_quantile_acklam(p);
    if (!start) {
        return std::nullopt;
    }
    const double x = *start;
    const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    if (density == 0) {
        return x;
    }
    // Halley on Phi(x) - p. In the upper tail 1-p is exact where Phi - p would cancel.
    const double error = p > 0.5 ? (1 - p) - normal_cdf(-x) : normal_cdf(x) - p;
    const double u = error / density;
    return x - u / (1 + x * u / 2);
}

std::optional<double> student_t_p_two_sided(double t, double dof) {
    if (!(dof > 0) || std::isnan(t)) {
        return std::nullopt;
    }
    if (std::isinf(t)) {
        return 0.0;
    }
    return regularized_beta(dof / 2, 0.5, dof / (dof + t * t));
}

std::optional<Trend> ols_trend(std::span<const double> y, Conventions conventions) {
    std::vector<double> x(y.size());
    std::iota(x.begin(), x.end(), 0.0);
    return ols_trend(x, y, conventions);
}

std::optional<Trend> ols_trend(std::span<const double> x, std::span<const double> y,
                               Conventions conventions) {
    const std::size_t n = std::min(x.size(), y.size());
    if (n < 2) {
        return std::nullopt;
    }
    const double mean_x = *mean(x.first(n));
    const double mean_y = *mean(y.first(n));
    CompensatedSum sxx;
    CompensatedSum sxy;
    for (std::size_t i = 0; i < n; ++i) {
        sxx.add((x[i] - mean_x) * (x[i] - mean_x));
        sxy.add((x[i] - mean_x) * (y[i] - mean_y));
    }
    if (sxx.value() == 0) {
        return std::nullopt;
    }
    Trend trend;
    trend.sample_size = static_cast<std::int64_t>(n);
    trend.slope = sxy.value() / sxx.value();
    trend.intercept = mean_y - trend.slope * mean_x;
    CompensatedSum residual;
    CompensatedSum total;
    for (std::size_t i = 0; i < n; ++i) {
        const double e = y[i] - (trend.intercept + trend.slope * x[i]);
        residual.add(e * e);
        total.add((y[i] - mean_y) * (y[i] - mean_y));
    }
    const double ss_res = residual.value();
    const double ss_tot = total.value();
    const auto dof = static_cast<double>(n) - 2;
    trend.r_squared = ss_tot == 0 ? 0 : 1 - ss_res / ss_tot;
    trend.std_error = n == 2 ? 0 : std::sqrt(ss_res / dof / sxx.value());
    if (conventions == Conventions::kReference) {
        trend.t_statistic = trend.std_error == 0 ? 0 : trend.slope / trend.std_error;
        trend.p_value = normal_p_two_sided(*trend.t_statistic, conventions);
        return trend;
    }
    if (n == 2 || ss_tot == 0) {
        return trend;
    }
    // A residual that is only rounding noise is a perfect line.
    const double scale =
        std::max(max_abs(y.first(n)), std::fabs(trend.slope) * max_abs(x.first(n)));
    if (std::sqrt(ss_res / static_cast<double>(n)) <= kNegligible * scale) {
        trend.p_value = 0;
        return trend;
    }
    trend.t_statistic = trend.slope / trend.std_error;
    trend.p_value = student_t_p_two_sided(*trend.t_statistic, dof);
    return trend;
}

}  // namespace tb::analytics
