// What a reader of the database should know beyond the declarations of db/schema.h: key columns,
// columns worth forming a hypothesis about, and example queries (01 §5.2).
//
// Thread-safe: constant data.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "db/schema.h"

namespace tb::tools {

struct ExampleQuery {
    std::string_view description;
    std::string_view sql;
};

struct ExampleGroup {
    std::string_view name;  // basic, joins, hypothesis
    std::span<const ExampleQuery> queries;
};

[[nodiscard]] std::span<const ExampleGroup> example_groups();

// By which rows are told apart and joined; the most telling ones first.
[[nodiscard]] std::vector<std::string_view> key_columns(const db::TableSpec& table);

// Whether a column describes the market or the trade in a way one would group or filter by.
[[nodiscard]] bool is_hypothesis_column(const db::TableSpec& table, std::string_view column);

[[nodiscard]] std::string_view schema_description(std::string_view schema);

}  // namespace tb::tools
