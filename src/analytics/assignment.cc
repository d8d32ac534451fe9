#include "analytics/assignment.h"

#include <limits>

namespace tb::analytics {

AssignmentCost& AssignmentCost::operator+=(const AssignmentCost& other) {
    for (std::size_t i = 0; i < kParts; ++i) {
        parts[i] += other.parts[i];
    }
    return *this;
}

AssignmentCost& AssignmentCost::operator-=(const AssignmentCost& other) {
    for (std::size_t i = 0; i < kParts; ++i) {
        parts[i] -= other.parts[i];
    }
    return *this;
}

namespace {

// With a part in front for rows without a column: first of all there are as few as possible.
struct Cost {
    std::int64_t alone = 0;
    AssignmentCost rest;
    auto operator<=>(const Cost&) const = default;
};

Cost plus(Cost a, const Cost& b) {
    a.alone += b.alone;
    a.rest += b.rest;
    return a;
}

Cost minus(Cost a, const Cost& b) {
    a.alone -= b.alone;
    a.rest -= b.rest;
    return a;
}

constexpr std::int64_t kAlone = 1;
constexpr std::int64_t kForbidden = 2;  // never in an optimum: two rows alone are no dearer
const Cost kInfinite = {std::numeric_limits<std::int64_t>::max(), {}};

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

// Columns `columns` .. columns+rows-1 stand for "no partner".
class Solver {
  public:
    Solver(std::size_t rows, std::size_t columns, const AssignmentCosts& costs)
        : rows_(rows),
          columns_(columns),
          width_(columns + rows),
          cost_(rows * columns),
          row_price_(rows),
          column_price_(width_),
          row_of_(width_, kNone) {
        for (std::size_t row = 0; row < rows; ++row) {
            for (std::size_t column = 0; column < columns; ++column) {
                const auto cost = costs(row, column);
                cost_[row * columns + column] = cost ? Cost{0, *cost} : Cost{kForbidden, {}};
            }
        }
    }

    // Finds a column for `row`, moving earlier rows where that is cheaper.
    void add(std::size_t row) {
        std::vector<Cost> distance(width_, kInfinite);
        std::vector<std::size_t> before(width_, kNone);
        std::vector<char> settled(width_, 0);
        std::size_t at_row = row;
        std::size_t at_column = kNone;
        Cost reached;
        while (true) {
            std::size_t next = kNone;
            for (std::size_t column = 0; column < width_; ++column) {
                if (settled[column] != 0) {
                    continue;
                }
                const Cost through = plus(reached, reduced(at_row, column));
                if (through < distance[column]) {
                    distance[column] = through;
                    before[column] = at_column;
                }
                if (next == kNone || distance[column] < distance[next]) {
                    next = column;
                }
            }
            reached = distance[next];
            at_column = next;
            settled[next] = 1;
            if (row_of_[next] == kNone) {
                break;
            }
            at_row = row_of_[next];
        }
        reprice(row, reached, distance, settled, at_column);
        while (before[at_column] != kNone) {
            row_of_[at_column] = row_of_[before[at_column]];
            at_column = before[at_column];
        }
        row_of_[at_column] = row;
    }

    [[nodiscard]] std::vector<std::optional<std::size_t>> column_of_rows() const {
        std::vector<std::optional<std::size_t>> column_of(rows_);
        for (std::size_t column = 0; column < columns_; ++column) {
            if (row_of_[column] != kNone) {
                column_of[row_of_[column]] = column;
            }
        }
        return column_of;
    }

  private:
    [[nodiscard]] Cost reduced(std::size_t row, std::size_t column) const {
        const Cost& cost = column < columns_ ? cost_[row * columns_ + column] : alone_;
        return minus(minus(cost, row_price_[row]), column_price_[column]);
    }

    // Prices keep every reduced cost non-negative and that of every pair zero.
    void reprice(std::size_t row, const Cost& reached, const std::vector<Cost>& distance,
                 const std::vector<char>& settled, std::size_t last) {
        row_price_[row] = plus(row_price_[row], reached);
        for (std::size_t column = 0; column < width_; ++column) {
            if (settled[column] == 0 || column == last) {
                continue;
            }
            const Cost saved = minus(reached, distance[column]);
            column_price_[column] = minus(column_price_[column], saved);
            row_price_[row_of_[column]] = plus(row_price_[row_of_[column]], saved);
        }
    }

    std::size_t rows_;
    std::size_t columns_;
    std::size_t width_;
    Cost alone_ = {kAlone, {}};
    std::vector<Cost> cost_;
    std::vector<Cost> row_price_;
    std::vector<Cost> column_price_;
    std::vector<std::size_t> row_of_;
};

}  // namespace

Result<std::vector<std::optional<std::size_t>>> least_cost_assignment(std::size_t rows,
                                                                      std::size_t columns,
                                                                      const AssignmentCosts& costs,
                                                                      const CancelToken& cancel) {
    Solver solver(rows, columns, costs);
    for (std::size_t row = 0; row < rows; ++row) {
        if (cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled");
        }
        solver.add(row);
    }
    return solver.column_of_rows();
}

}  // namespace tb::analytics
