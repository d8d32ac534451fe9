// The engine's C API, for .cc files of src/db only: everybody else goes through the other headers.
//
// What is needed beyond them: raw handles (for streaming results into value_render, for the
// statement type in the guard), error mapping, type names. Raw handles stay owned by their objects.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <duckdb.h>

#include "core/result.h"
#include "db/connection.h"
#include "db/engine_error.h"
#include "db/rows.h"
#include "db/statement.h"
#include "db/types.h"

namespace tb::db {

[[nodiscard]] duckdb_connection raw(const Connection& connection);
[[nodiscard]] duckdb_prepared_statement raw(const Statement& statement);
// The chunk that rows.next_chunk() moved to; owned by `rows`, valid until the next move.
[[nodiscard]] duckdb_data_chunk raw_chunk(Rows& rows);
[[nodiscard]] duckdb_logical_type raw_column_type(Rows& rows, std::size_t column);  // owned by rows

[[nodiscard]] TypeId type_id(duckdb_type type);
[[nodiscard]] duckdb_type engine_type(TypeId type);
// In full, as SQL would write it: "DECIMAL(18,3)", "STRUCT(a INTEGER, b VARCHAR[])".
[[nodiscard]] std::string logical_type_name(duckdb_logical_type type);

// As SQL writes them: 'it''s', "a ""b""".
[[nodiscard]] std::string quoted_text(std::string_view text);
[[nodiscard]] std::string quoted_name(std::string_view name);

// error_from_text, helped by the type where the engine gives one.
[[nodiscard]] Error engine_error(std::string_view text,
                                 duckdb_error_type type = DUCKDB_ERROR_INVALID);

// Gives memory that the engine's allocator keeps for later back to the system. What one statement
// needed counts against the next one otherwise: the allocator holds on to it for seconds, in sizes
// that the next one has no use for (measured: 540 MB grow to 1,020 MB in three statements).
void release_unused_memory();

// RAII for what the C API hands out by value.
struct LogicalTypeDeleter {
    using pointer = duckdb_logical_type;
    void operator()(duckdb_logical_type type) const { duckdb_destroy_logical_type(&type); }
};
using UniqueLogicalType = std::unique_ptr<void, LogicalTypeDeleter>;

struct EngineStringDeleter {
    void operator()(char* text) const { duckdb_free(text); }
};
using EngineString = std::unique_ptr<char, EngineStringDeleter>;

}  // namespace tb::db
