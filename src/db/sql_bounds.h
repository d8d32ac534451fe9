// Whether a query is bounded by nature: everything it calls is on a list of functions whose cost
// and memory follow from the rows it reads, which the engine counts against its memory limit and
// looks for an interrupt between. Such queries run in this process; all others run in a process of
// their own, which can be killed (sql_worker.h, docs/adr).
//
// What is not on the list is not bounded: nothing is assumed of a function that nobody looked at.
// Reasons for leaving one out: one call may run for minutes without looking for an interrupt
// (LIKE with many wildcards, regular expressions, edit distances), memory that the engine does not
// count (lists, repeat, lpad, aggregates that keep every value of a join), recursion over nested
// values (JSON, lists of lists).
//
// For .cc files of src/db only. Thread-compatible: plain values.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tb::db::detail {

// Beyond these even harmless functions are work for the other process: what the engine does before
// the first row (binding, join order, plans) grows with them and cannot be interrupted. Measured
// at these limits: below 0.1 s.
inline constexpr std::size_t kBoundedSqlBytes = 16 * 1024;
inline constexpr std::size_t kBoundedTreeDepth = 100;  // levels of the parser's tree, 2 a call
inline constexpr std::size_t kBoundedFunctions = 400;
inline constexpr std::size_t kBoundedSelects = 16;
inline constexpr std::size_t kBoundedTables = 10;
inline constexpr double kBoundedColumns = 600;
inline constexpr double kBoundedTotalColumns = 4'000;
inline constexpr double kBoundedGroupingSets = 8;      // each with tables of its own: CUBE(a, b, c)
inline constexpr double kBoundedSubqueryWeight = 120;  // 3^depth, summed
// Texts: every call that makes one does so for 2048 rows at once, uncounted.
inline constexpr std::size_t kBoundedLiteralBytes = 256;
inline constexpr std::size_t kBoundedPatternBytes = 32;  // of LIKE with a search inside
inline constexpr std::size_t kBoundedTextCalls = 24;
inline constexpr std::size_t kBoundedDoublings = 6;    // column || column: at most so many times
inline constexpr std::size_t kBoundedCollections = 2;  // string_agg, list

// A call as the parser's tree has it. Arguments that are text literals have their text.
struct CallShape {
    std::string_view name;  // lower case
    std::span<const std::optional<std::string>> text_arguments;
    bool window = false;
    bool distinct = false;
    bool ordered = false;  // agg(x ORDER BY y)
};

class Bounds {
  public:
    void call(const CallShape& call);
    void text_literal(std::size_t bytes);
    void cast_to(std::string_view type_id);
    void expression(std::string_view expression_class);
    void node(std::string_view node_type);
    void table(std::string_view table_type, std::string_view function);
    void modifier(std::string_view modifier_type);
    void depth(std::size_t levels);
    // `joined`, `columns`, ...: as sql_guard_tree.cc estimates them.
    void joined_tables(double tables);
    void columns(double of_one, double of_all);
    void subquery_weight(double weight);
    void grouping_sets(double sets);
    // Something without a rule above.
    void leave(std::string_view why);

    // Empty: bounded. Else what stands against it, for people.
    [[nodiscard]] std::string verdict(std::size_t sql_bytes) const;

  private:
    void search(const CallShape& call);
    void like(const CallShape& call, bool any_case);
    void grow(const CallShape& call);
    void replace(const CallShape& call);

    std::string why_;
    std::size_t functions_ = 0;
    std::size_t selects_ = 0;
    std::size_t tables_ = 0;
    std::size_t text_calls_ = 0;
    std::size_t doublings_ = 0;
    std::size_t collections_ = 0;
    bool keeps_values_ = false;     // an aggregate that holds on to every row's value
    bool multiplies_rows_ = false;  // joins, table functions, grouping sets
};

// Every function on the list, in lower case.
[[nodiscard]] std::vector<std::string_view> bounded_functions();

}  // namespace tb::db::detail
