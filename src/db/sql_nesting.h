// How deeply a query is nested, told from its text alone: what the engine's parser, binder and
// functions would walk by recursion is bounded before the engine sees it.
//
// Counts brackets of every kind and CASE ... END outside of strings, quoted names and comments, and
// brackets inside each string by themselves (JSON and list texts are taken apart by recursion too).
//
// Thread-safe; pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/result.h"

namespace tb::db {

inline constexpr std::size_t kMaxNesting = 250;      // brackets and CASE inside one another
inline constexpr std::size_t kMaxTextNesting = 500;  // brackets inside one another in one string

struct Nesting {
    std::size_t code = 0;  // deepest outside of strings
    std::size_t text = 0;  // deepest inside one string
};

// Closing brackets without an opening one count nothing; what does not end reaches to the end.
[[nodiscard]] Nesting nesting_of(std::string_view sql);

// kResourceExhausted, naming the limit.
[[nodiscard]] Result<void> check_nesting(std::string_view sql);

}  // namespace tb::db
