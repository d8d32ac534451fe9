#include "analytics/assignment.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tb::analytics {
namespace {

using Matrix = std::vector<std::vector<std::optional<AssignmentCost>>>;

struct Total {
    std::size_t pairs = 0;
    AssignmentCost cost;
};

// More pairs first, then less cost.
bool better(const Total& a, const Total& b) {
    return a.pairs != b.pairs ? a.pairs > b.pairs : a.cost < b.cost;
}

Total total_of(const Matrix& matrix, const std::vector<std::optional<std::size_t>>& columns) {
    Total total;
    for (std::size_t row = 0; row < columns.size(); ++row) {
        if (columns[row]) {
            ++total.pairs;
            total.cost += *matrix[row][*columns[row]];
        }
    }
    return total;
}

// Every way to pair, by permutation of the columns with room for rows that stay alone.
Total by_permutation(const Matrix& matrix, std::size_t columns) {
    const std::size_t rows = matrix.size();
    std::vector<std::size_t> order(std::max(rows, columns));
    std::iota(order.begin(), order.end(), 0U);
    Total best;
    bool first = true;
    do {
        std::vector<std::optional<std::size_t>> column_of(rows);
        for (std::size_t row = 0; row < rows; ++row) {
            if (order[row] < columns && matrix[row][order[row]]) {
                column_of[row] = order[row];
            }
        }
        const Total total = total_of(matrix, column_of);
        if (first || better(total, best)) {
            best = total;
            first = false;
        }
    } while (std::next_permutation(order.begin(), order.end()));
    return best;
}

std::vector<std::optional<std::size_t>> assign(const Matrix& matrix, std::size_t columns) {
    const auto result = least_cost_assignment(
        matrix.size(), columns,
        [&](std::size_t row, std::size_t column) { return matrix[row][column]; });
    EXPECT_TRUE(result.has_value());
    return *result;
}

AssignmentCost cost(std::int64_t first, std::int64_t second = 0, std::int64_t third = 0) {
    return AssignmentCost{{first, second, third}};
}

TEST(Assignment, LeastTotalIsNotTheClosestPairFirst) {
    // Taking 1 first leaves 100: 101 in all, against 2 + 3.
    const auto columns = assign({{cost(1), cost(2)}, {cost(3), cost(100)}}, 2);
    EXPECT_EQ(columns[0], 1U);
    EXPECT_EQ(columns[1], 0U);
}

TEST(Assignment, AsManyPairsAsAreAllowed) {
    // Row 0 could have either; row 1 only column 0.
    const auto columns = assign({{cost(0), cost(50)}, {cost(7), std::nullopt}}, 2);
    EXPECT_EQ(columns[0], 1U);
    EXPECT_EQ(columns[1], 0U);
    EXPECT_FALSE(assign({{std::nullopt}}, 1)[0]);
    EXPECT_TRUE(assign({}, 3).empty());
    EXPECT_FALSE(assign({{}}, 0)[0]);
}

TEST(Assignment, AFirstPartIsNeverOutweighedByLaterOnes) {
    const auto columns =
        assign({{cost(0, 1'000'000), cost(1, 0)}, {cost(1, 0), cost(0, 1'000'000)}}, 2);
    EXPECT_EQ(columns[0], 0U);
    EXPECT_EQ(columns[1], 1U);
}

TEST(Assignment, AgreesWithEveryPermutationOnSmallCases) {
    rc::check("least total cost", [] {
        const auto rows = *rc::gen::inRange<std::size_t>(1, 7);
        const auto columns = *rc::gen::inRange<std::size_t>(0, 7);
        Matrix matrix(rows, std::vector<std::optional<AssignmentCost>>(columns));
        for (auto& row : matrix) {
            for (auto& cell : row) {
                if (*rc::gen::inRange(0, 4) != 0) {
                    cell = cost(*rc::gen::inRange<std::int64_t>(0, 4),
                                *rc::gen::inRange<std::int64_t>(0, 9),
                                *rc::gen::inRange<std::int64_t>(0, 3));
                }
            }
        }
        const auto found = assign(matrix, columns);
        std::vector<char> used(columns, 0);
        for (std::size_t row = 0; row < rows; ++row) {
            if (found[row]) {
                RC_ASSERT(matrix[row][*found[row]].has_value());
                RC_ASSERT(used[*found[row]] == 0);
                used[*found[row]] = 1;
            }
        }
        const Total ours = total_of(matrix, found);
        const Total best = by_permutation(matrix, columns);
        RC_ASSERT(ours.pairs == best.pairs);
        RC_ASSERT(ours.cost == best.cost);
    });
}

TEST(Assignment, StopsWhenCancelled) {
    CancelSource source;
    source.cancel();
    const auto result = least_cost_assignment(
        2, 2, [](std::size_t, std::size_t) { return AssignmentCost(); }, source.token());
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace tb::analytics
