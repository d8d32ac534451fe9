// Eigenvalues of small symmetric matrices and the nearest correlation matrix.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstddef>
#include <vector>

#include "core/cancel.h"
#include "core/result.h"

namespace tb::analytics {

// Row-major square matrix.
class SquareMatrix {
  public:
    SquareMatrix() = default;
    explicit SquareMatrix(std::size_t n) : n_(n), data_(n * n, 0.0) {}
    [[nodiscard]] std::size_t size() const { return n_; }
    [[nodiscard]] double& at(std::size_t row, std::size_t column) {
        return data_[row * n_ + column];
    }
    [[nodiscard]] double at(std::size_t row, std::size_t column) const {
        return data_[row * n_ + column];
    }

  private:
    std::size_t n_ = 0;
    std::vector<double> data_;
};

struct Eigen {
    std::vector<double> values;  // descending
    SquareMatrix vectors;        // row k = unit eigenvector of values[k]; its sign is arbitrary
};

// Cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, 8.5): every eigenvalue to a few
// roundings of the largest one. Cost about 10 n^3, hence the limit of its callers. The matrix must
// be finite and symmetric; only cancellation fails.
[[nodiscard]] Result<Eigen> symmetric_eigen(SquareMatrix matrix, const CancelToken& cancel);

// The positive semi-definite matrix with unit diagonal made from `eigen` by setting negative
// eigenvalues to zero and rescaling rows and columns (Rebonato and Jäckel 1999, spectral method):
// a correlation matrix, but not the nearest one.
[[nodiscard]] SquareMatrix clip_to_correlation(const Eigen& eigen);

// The correlation matrix nearest to a symmetric one in the Frobenius norm: alternating projections
// on the positive semi-definite matrices and on those with unit diagonal, with Dykstra's correction
// of the first (Higham, IMA J. Numer. Anal. 22, 2002, algorithm 3.3). Ends when the two projections
// differ by less than 1e-9 of the norm, or after a number of steps that bounds the work
// (kMaxNearestWork); clip_to_correlation then removes what is left of negative eigenvalues.
struct NearestCorrelation {
    SquareMatrix matrix;
    double distance = 0;  // Frobenius norm of the change
    std::size_t steps = 0;
    bool converged = false;  // else the nearest one is approached only
};
inline constexpr double kMaxNearestWork = 2e9;  // steps * 10 n^3
inline constexpr std::size_t kMaxNearestSteps = 1'000;
[[nodiscard]] Result<NearestCorrelation> nearest_correlation(const SquareMatrix& matrix,
                                                             const CancelToken& cancel);

}  // namespace tb::analytics
