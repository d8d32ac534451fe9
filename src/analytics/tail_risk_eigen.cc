#include "analytics/tail_risk_eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tb::analytics {

namespace {

double off_diagonal_norm(const SquareMatrix& m) {
    double sum = 0;
    for (std::size_t i = 0; i < m.size(); ++i) {
        for (std::size_t j = i + 1; j < m.size(); ++j) {
            sum += m.at(i, j) * m.at(i, j);
        }
    }
    return std::sqrt(2 * sum);
}

// Annihilates element (p, q) and applies the same rotation to rows p and q of `vectors`.
void rotate(SquareMatrix& m, SquareMatrix& vectors, std::size_t p, std::size_t q) {
    const double apq = m.at(p, q);
    if (apq == 0) {
        return;
    }
    const double theta = (m.at(q, q) - m.at(p, p)) / (2 * apq);
    // For a huge theta the root overflows harmlessly: t becomes 0 and nothing rotates.
    const double t = std::copysign(1.0, theta) / (std::fabs(theta) + std::hypot(theta, 1.0));
    const double c = 1 / std::sqrt(t * t + 1);
    const double s = t * c;
    for (std::size_t k = 0; k < m.size(); ++k) {
        const double mkp = m.at(k, p);
        const double mkq = m.at(k, q);
        m.at(k, p) = c * mkp - s * mkq;
        m.at(k, q) = s * mkp + c * mkq;
    }
    for (std::size_t k = 0; k < m.size(); ++k) {
        const double mpk = m.at(p, k);
        const double mqk = m.at(q, k);
        m.at(p, k) = c * mpk - s * mqk;
        m.at(q, k) = s * mpk + c * mqk;
        const double vpk = vectors.at(p, k);
        const double vqk = vectors.at(q, k);
        vectors.at(p, k) = c * vpk - s * vqk;
        vectors.at(q, k) = s * vpk + c * vqk;
    }
    m.at(p, q) = 0;
    m.at(q, p) = 0;
}

}  // namespace

Result<Eigen> symmetric_eigen(SquareMatrix matrix, const CancelToken& cancel) {
    constexpr int kMaxSweeps = 60;  // convergence is quadratic: about 10 are ever needed
    const std::size_t n = matrix.size();
    SquareMatrix vectors(n);
    double scale = 0;
    for (std::size_t i = 0; i < n; ++i) {
        vectors.at(i, i) = 1;
        for (std::size_t j = 0; j < n; ++j) {
            scale = std::max(scale, std::fabs(matrix.at(i, j)));
        }
    }
    const double small = std::numeric_limits<double>::epsilon() * 0x1.0p-4 * scale;
    for (int sweep = 0; sweep < kMaxSweeps && off_diagonal_norm(matrix) > small; ++sweep) {
        if (cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled");
        }
        for (std::size_t p = 0; p < n; ++p) {
            for (std::size_t q = p + 1; q < n; ++q) {
                rotate(matrix, vectors, p, q);
            }
        }
    }

    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return matrix.at(a, a) > matrix.at(b, b);
    });
    Eigen result{std::vector<double>(n), SquareMatrix(n)};
    for (std::size_t k = 0; k < n; ++k) {
        result.values[k] = matrix.at(order[k], order[k]);
        for (std::size_t i = 0; i < n; ++i) {
            result.vectors.at(k, i) = vectors.at(order[k], i);
        }
    }
    return result;
}

namespace {

// Negative eigenvalues set to zero: the nearest positive semi-definite matrix.
SquareMatrix without_negative(const Eigen& eigen) {
    const std::size_t n = eigen.values.size();
    SquareMatrix result(n);
    for (std::size_t k = 0; k < n; ++k) {
        const double value = std::max(0.0, eigen.values[k]);
        for (std::size_t i = 0; value > 0 && i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                result.at(i, j) += value * eigen.vectors.at(k, i) * eigen.vectors.at(k, j);
            }
        }
    }
    return result;
}

double frobenius_distance(const SquareMatrix& a, const SquareMatrix& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        for (std::size_t j = 0; j < a.size(); ++j) {
            sum += (a.at(i, j) - b.at(i, j)) * (a.at(i, j) - b.at(i, j));
        }
    }
    return std::sqrt(sum);
}

}  // namespace

SquareMatrix clip_to_correlation(const Eigen& eigen) {
    const std::size_t n = eigen.values.size();
    SquareMatrix result = without_negative(eigen);
    std::vector<double> scale(n);
    for (std::size_t i = 0; i < n; ++i) {
        scale[i] = result.at(i, i) > 0 ? 1 / std::sqrt(result.at(i, i)) : 0;
    }
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            result.at(i, j) =
                i == j ? 1 : std::clamp(result.at(i, j) * scale[i] * scale[j], -1., 1.);
        }
    }
    return result;
}

Result<NearestCorrelation> nearest_correlation(const SquareMatrix& matrix,
                                               const CancelToken& cancel) {
    constexpr double kTolerance = 1e-9;
    const std::size_t n = matrix.size();
    const double size = static_cast<double>(std::max<std::size_t>(n, 1));
    const auto most = static_cast<std::size_t>(std::clamp(
        kMaxNearestWork / (10 * size * size * size), 5.0, static_cast<double>(kMaxNearestSteps)));
    NearestCorrelation result;
    SquareMatrix unit = matrix;  // Y: unit diagonal
    SquareMatrix correction(n);  // dS: of Dykstra
    const SquareMatrix zero(n);
    while (!result.converged && result.steps < most) {
        SquareMatrix shifted(n);  // R
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                shifted.at(i, j) = unit.at(i, j) - correction.at(i, j);
            }
        }
        TB_TRY(const Eigen eigen, symmetric_eigen(shifted, cancel));
        const SquareMatrix definite = without_negative(eigen);  // X
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                correction.at(i, j) = definite.at(i, j) - shifted.at(i, j);
                unit.at(i, j) = i == j ? 1 : definite.at(i, j);
            }
        }
        ++result.steps;
        result.converged =
            frobenius_distance(unit, definite) <= kTolerance * frobenius_distance(unit, zero);
    }
    TB_TRY(const Eigen eigen, symmetric_eigen(unit, cancel));
    result.matrix = clip_to_correlation(eigen);
    result.distance = frobenius_distance(result.matrix, matrix);
    return result;
}

}  // namespace tb::analytics
