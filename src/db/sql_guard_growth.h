// How large the values of a query may get that are made out of little: repeat('x', 4000000000) or
// range(1000000000) as a list. The engine neither counts them against its memory limit nor can be
// interrupted while it makes them (measured: gigabytes and a minute), and makes up to 2048 at once.
//
// An estimate from the literals of the text, bottom-up over the tree: numbers are bounded by what
// `+ * ** <<` and casts of literals can make of them; a count that comes from a column is taken to
// be the largest number anywhere in the query.
//
// For .cc files of src/db only. Thread-compatible: plain values.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace tb::db::detail {

// Bytes such values may take, all of the query together: times 2048 about 200 MB.
inline constexpr double kMaxGrowth = 100'000;

// Sizes with unknown factors: element k counts bytes * (largest number of the query)^k.
using GrowthSize = std::array<double, 4>;

// What is known about one expression, or about the members of a list of them.
struct Growth {
    double number = 0;         // bound of its absolute value, if it is a number
    bool from_column = false;  // ... which depends on stored values
    double digits = 0;         // largest number written inside a text literal
    bool has_lambda = false;
    GrowthSize size{};

    std::vector<Growth> members;  // of a list: numbers in order, without sizes

    void set_literal(double value);
    void set_literal(std::string_view text);
    // Takes a finished part in. Lists of members keep them apart.
    void add(const Growth& part, bool as_member);
    // The parts were the arguments of a function.
    void apply_function(std::string_view name);
};

[[nodiscard]] double total_size(const GrowthSize& size, double largest_number);

}  // namespace tb::db::detail
