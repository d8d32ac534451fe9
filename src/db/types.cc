#include "db/types.h"

#include <array>
#include <cstddef>

namespace tb::db {

std::string_view type_name(TypeId type) {
    static constexpr std::array<std::string_view, static_cast<std::size_t>(TypeId::kOther) + 1>
        kNames = {
            "BOOLEAN",   "TINYINT",  "SMALLINT", "INTEGER", "BIGINT",    "UTINYINT",
            "USMALLINT", "UINTEGER", "UBIGINT",  "HUGEINT", "UHUGEINT",  "FLOAT",
            "DOUBLE",    "DECIMAL",  "DATE",     "TIME",    "TIMESTAMP", "TIMESTAMP WITH TIME ZONE",
            "INTERVAL",  "VARCHAR",  "BLOB",     "UUID",    "ENUM",      "LIST",
            "ARRAY",     "STRUCT",   "MAP",      "UNION",   "OTHER"};
    return kNames[static_cast<std::size_t>(type)];
}

}  // namespace tb::db
