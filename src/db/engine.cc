#include "db/engine.h"

#include <array>
#include <cstddef>
#include <utility>

#include <dlfcn.h>
#include <fmt/format.h>

#include "db/engine_state.h"

namespace tb::db {

duckdb_connection raw(const Connection& connection) {
    return connection.state()->handle;
}
duckdb_prepared_statement raw(const Statement& statement) {
    return statement.state()->handle;
}
duckdb_data_chunk raw_chunk(Rows& rows) {
    return rows.state().chunk;
}
duckdb_logical_type raw_column_type(Rows& rows, std::size_t column) {
    return rows.state().types[column].get();
}

namespace {

constexpr std::array<std::pair<duckdb_type, TypeId>, 28> kTypes = {{
    {DUCKDB_TYPE_BOOLEAN, TypeId::kBoolean},
    {DUCKDB_TYPE_TINYINT, TypeId::kTinyInt},
    {DUCKDB_TYPE_SMALLINT, TypeId::kSmallInt},
    {DUCKDB_TYPE_INTEGER, TypeId::kInteger},
    {DUCKDB_TYPE_BIGINT, TypeId::kBigInt},
    {DUCKDB_TYPE_UTINYINT, TypeId::kUTinyInt},
    {DUCKDB_TYPE_USMALLINT, TypeId::kUSmallInt},
    {DUCKDB_TYPE_UINTEGER, TypeId::kUInteger},
    {DUCKDB_TYPE_UBIGINT, TypeId::kUBigInt},
    {DUCKDB_TYPE_HUGEINT, TypeId::kHugeInt},
    {DUCKDB_TYPE_UHUGEINT, TypeId::kUHugeInt},
    {DUCKDB_TYPE_FLOAT, TypeId::kFloat},
    {DUCKDB_TYPE_DOUBLE, TypeId::kDouble},
    {DUCKDB_TYPE_DECIMAL, TypeId::kDecimal},
    {DUCKDB_TYPE_DATE, TypeId::kDate},
    {DUCKDB_TYPE_TIME, TypeId::kTime},
    {DUCKDB_TYPE_TIMESTAMP, TypeId::kTimestamp},
    {DUCKDB_TYPE_TIMESTAMP_TZ, TypeId::kTimestampTz},
    {DUCKDB_TYPE_INTERVAL, TypeId::kInterval},
    {DUCKDB_TYPE_VARCHAR, TypeId::kVarchar},
    {DUCKDB_TYPE_BLOB, TypeId::kBlob},
    {DUCKDB_TYPE_UUID, TypeId::kUuid},
    {DUCKDB_TYPE_ENUM, TypeId::kEnum},
    {DUCKDB_TYPE_LIST, TypeId::kList},
    {DUCKDB_TYPE_ARRAY, TypeId::kArray},
    {DUCKDB_TYPE_STRUCT, TypeId::kStruct},
    {DUCKDB_TYPE_MAP, TypeId::kMap},
    {DUCKDB_TYPE_UNION, TypeId::kUnion},
}};

std::string quoted(std::string_view text, char quote) {
    std::string result(1, quote);
    for (const char c : text) {
        result.append(c == quote ? 2 : 1, c);
    }
    return result + quote;
}

std::string quoted_if_needed(std::string_view name) {
    bool plain = !name.empty() && (name[0] < '0' || name[0] > '9');
    for (const char c : name) {
        plain = plain && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
    }
    if (plain) {
        return std::string(name);
    }
    return quoted(name, '"');
}

std::string members_text(idx_t count, duckdb_logical_type type,
                         char* (*name)(duckdb_logical_type, idx_t),
                         duckdb_logical_type (*member)(duckdb_logical_type, idx_t)) {
    std::string text;
    for (idx_t i = 0; i < count; ++i) {
        const EngineString member_name(name(type, i));
        const UniqueLogicalType member_type(member(type, i));
        text += fmt::format("{}{} {}", i == 0 ? "" : ", ", quoted_if_needed(member_name.get()),
                            logical_type_name(member_type.get()));
    }
    return text;
}

}  // namespace

void release_unused_memory() {
    // jemalloc's control function, inside the engine's library; other builds of it have none.
    using Control = int (*)(const char*, void*, std::size_t*, void*, std::size_t);
    static const auto control =
        reinterpret_cast<Control>(::dlsym(RTLD_DEFAULT, "duckdb_je_mallctl"));
    if (control != nullptr) {
        static_cast<void>(control("thread.tcache.flush", nullptr, nullptr, nullptr, 0));
        // 4096 stands for all arenas (MALLCTL_ARENAS_ALL).
        static_cast<void>(control("arena.4096.purge", nullptr, nullptr, nullptr, 0));
    }
}

TypeId type_id(duckdb_type type) {
    for (const auto& [engine, ours] : kTypes) {
        if (engine == type) {
            return ours;
        }
    }
    return TypeId::kOther;
}

duckdb_type engine_type(TypeId type) {
    for (const auto& [engine, ours] : kTypes) {
        if (ours == type) {
            return engine;
        }
    }
    return DUCKDB_TYPE_INVALID;
}

std::string logical_type_name(duckdb_logical_type type) {
    const duckdb_type id = duckdb_get_type_id(type);
    if (const EngineString alias(duckdb_logical_type_get_alias(type)); alias != nullptr) {
        return alias.get();
    }
    switch (id) {
        case DUCKDB_TYPE_DECIMAL:
            return fmt::format("DECIMAL({},{})", duckdb_decimal_width(type),
                               duckdb_decimal_scale(type));
        case DUCKDB_TYPE_LIST:
            return logical_type_name(UniqueLogicalType(duckdb_list_type_child_type(type)).get()) +
                   "[]";
        case DUCKDB_TYPE_ARRAY:
            return fmt::format(
                "{}[{}]",
                logical_type_name(UniqueLogicalType(duckdb_array_type_child_type(type)).get()),
                duckdb_array_type_array_size(type));
        case DUCKDB_TYPE_MAP:
            return fmt::format(
                "MAP({}, {})",
                logical_type_name(UniqueLogicalType(duckdb_map_type_key_type(type)).get()),
                logical_type_name(UniqueLogicalType(duckdb_map_type_value_type(type)).get()));
        case DUCKDB_TYPE_STRUCT:
            return fmt::format("STRUCT({})", members_text(duckdb_struct_type_child_count(type),
                                                          type, duckdb_struct_type_child_name,
                                                          duckdb_struct_type_child_type));
        case DUCKDB_TYPE_UNION:
            return fmt::format("UNION({})", members_text(duckdb_union_type_member_count(type), type,
                                                         duckdb_union_type_member_name,
                                                         duckdb_union_type_member_type));
        case DUCKDB_TYPE_TIMESTAMP_S:
            return "TIMESTAMP_S";
        case DUCKDB_TYPE_TIMESTAMP_MS:
            return "TIMESTAMP_MS";
        case DUCKDB_TYPE_TIMESTAMP_NS:
            return "TIMESTAMP_NS";
        case DUCKDB_TYPE_TIME_TZ:
            return "TIME WITH TIME ZONE";
        case DUCKDB_TYPE_BIT:
            return "BIT";
        case DUCKDB_TYPE_BIGNUM:
            return "BIGNUM";
        case DUCKDB_TYPE_SQLNULL:
            return "NULL";
        default:
            return std::string(type_name(type_id(id)));
    }
}

std::string quoted_text(std::string_view text) {
    return quoted(text, '\'');
}
std::string quoted_name(std::string_view name) {
    return quoted(name, '"');
}

Error engine_error(std::string_view text, duckdb_error_type type) {
    Error error = error_from_text(text);
    if (error.code == ErrorCode::kDatabase && type == DUCKDB_ERROR_INTERRUPT) {
        error.code = ErrorCode::kInterrupted;
    } else if (error.code == ErrorCode::kDatabase && type == DUCKDB_ERROR_OUT_OF_MEMORY) {
        error.code = ErrorCode::kResourceExhausted;
    }
    return error;
}

}  // namespace tb::db
