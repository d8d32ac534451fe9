// Walks the parser's tree, as JSON text, for sql_guard.h. For .cc files of src/db only.
//
// Thread-safe; pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tb::db::detail {

struct TreeReport {
    bool parsed = false;        // false: error_* say why there is no tree
    std::string error_type;     // the engine's: "parser", "not implemented"
    std::string error_message;  // the engine's
    std::size_t statements = 0;
    std::string unbounded;  // sql_bounds.h: why it must not run in this process; empty = it may
};

// The report, or the refusal (kRefused, kResourceExhausted). kInternal if the text is not what the
// engine's json_serialize_sql writes.
[[nodiscard]] Result<TreeReport> inspect_tree(std::string_view json, std::size_t sql_bytes);

}  // namespace tb::db::detail
