// Column types of the embedded engine, as far as the rest of the program needs to tell them apart.
//
// Thread-safe: values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tb::db {

enum class TypeId : std::uint8_t {
    kBoolean,
    kTinyInt,
    kSmallInt,
    kInteger,
    kBigInt,
    kUTinyInt,
    kUSmallInt,
    kUInteger,
    kUBigInt,
    kHugeInt,
    kUHugeInt,
    kFloat,
    kDouble,
    kDecimal,
    kDate,  // days since 1970-01-01, as core/date.h
    kTime,
    kTimestamp,  // microseconds since 1970-01-01T00:00:00, as core/clock.h
    kTimestampTz,
    kInterval,
    kVarchar,
    kBlob,
    kUuid,
    kEnum,
    kList,
    kArray,
    kStruct,
    kMap,
    kUnion,
    kOther,  // everything else; ask for the type's name
};

// "DOUBLE", "VARCHAR", ... as written in DDL. For nested and parametrised types the bare word.
[[nodiscard]] std::string_view type_name(TypeId type);

// One column of a result.
struct ColumnInfo {
    std::string name;
    TypeId type = TypeId::kOther;
    std::string type_name;  // in full: "DECIMAL(18,3)", "INTEGER[]", "STRUCT(a INTEGER)"
};

}  // namespace tb::db
