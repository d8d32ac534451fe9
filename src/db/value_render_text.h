// Text forms of the engine's scalar values (value_render.h), apart from where they are stored. For
// .cc files of src/db only.
//
// Thread-safe; all functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <duckdb.h>

namespace tb::db::detail {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

[[nodiscard]] Int128 to_int128(duckdb_hugeint value);
[[nodiscard]] UInt128 to_uint128(duckdb_uhugeint value);

[[nodiscard]] std::string int128_text(Int128 value);
[[nodiscard]] std::string uint128_text(UInt128 value);

// Digits of a decimal with its point, without trailing zeros: 1.10 is "1.1", 5.00 is "5".
[[nodiscard]] std::string decimal_text(Int128 unscaled, std::uint8_t scale);
// Whether the nearest double is written exactly like this text.
[[nodiscard]] bool double_holds(std::string_view decimal);

// Fractions of seconds: as many digits as it takes, none if zero.
[[nodiscard]] std::string date_text(std::int32_t days);
[[nodiscard]] std::string time_text(std::int64_t nanoseconds_of_day);
[[nodiscard]] std::string time_tz_text(std::uint64_t bits);
// `ticks` since 1970 with so many ticks a second.
[[nodiscard]] std::string timestamp_text(std::int64_t ticks, std::int64_t per_second,
                                         std::string_view suffix);
[[nodiscard]] std::string interval_text(duckdb_interval value);
[[nodiscard]] std::string uuid_text(duckdb_hugeint value);
[[nodiscard]] std::string blob_text(std::string_view bytes);
[[nodiscard]] std::string bit_text(std::string_view bytes);
// The engine's encoding of integers of any size.
[[nodiscard]] std::string bignum_text(std::string_view bytes);

}  // namespace tb::db::detail
