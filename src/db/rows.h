// The rows of a result, chunk by chunk as the engine makes them: memory does not grow with the
// result.
//
// Two ways to read, not to be mixed on one result:
//
//   while (true) {                                    // row by row, for small results
//       TB_TRY(const bool more, rows.next());
//       if (!more) break;
//       use(rows.get<std::string_view>(0), rows.get_optional<double>(1));
//   }
//   while (true) {                                    // column-wise, for loading millions of rows
//       TB_TRY(const bool more, rows.next_chunk());
//       if (!more) break;
//       for (double v : rows.chunk().column(2).doubles()) ...
//   }
//
// The end of the rows is told from a failure: a query that is interrupted, runs out of memory or
// meets a damaged block half-way gives an Error, never a short result. Running another statement on
// the connection ends a streamed result; reading on then is an Error too.
//
// Asking a column for a type it does not have is a programmer error (TB_CHECK): SQL of our own
// casts where the engine's type is not obvious, and the types of our tables are compared at
// opening. What a cell holds is not ours to know: another program may have written the file. Where
// get() finds NULL or a number too large for T it answers T{} and makes the next next() (or
// check(), where there is none) an Error. SQL of users is read through value_render.h.
//
// Views (strings, spans, ColumnView) are valid until the next call of next(), next_chunk() or the
// end of the Rows. Single-thread, move-only. Keeps its statement and connection alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/check.h"
#include "core/clock.h"
#include "core/date.h"
#include "core/result.h"
#include "db/types.h"

namespace tb::db {

namespace detail {
struct RowsState;
}

// One column of one chunk: the engine's own vector, not copied. Values of NULL rows are undefined
// in the spans: ask is_null.
class ColumnView {
  public:
    [[nodiscard]] TypeId type() const { return type_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    // False = surely no NULL in this chunk.
    [[nodiscard]] bool may_have_nulls() const { return validity_ != nullptr; }
    [[nodiscard]] bool is_null(std::size_t row) const {
        return validity_ != nullptr && ((validity_[row / 64] >> (row % 64)) & 1U) == 0;
    }

    [[nodiscard]] std::span<const double> doubles() const {
        return span_of<double>(TypeId::kDouble);
    }
    [[nodiscard]] std::span<const std::int32_t> int32s() const {
        return span_of<std::int32_t>(TypeId::kInteger);
    }
    [[nodiscard]] std::span<const std::int64_t> int64s() const {
        return span_of<std::int64_t>(TypeId::kBigInt);
    }
    // Days since 1970-01-01: Date(days).
    [[nodiscard]] std::span<const std::int32_t> date_days() const {
        return span_of<std::int32_t>(TypeId::kDate);
    }
    [[nodiscard]] std::span<const std::int64_t> timestamp_micros() const {
        return span_of<std::int64_t>(TypeId::kTimestamp);
    }
    // VARCHAR only. Empty for NULL.
    [[nodiscard]] std::string_view string(std::size_t row) const {
        TB_CHECK(type_ == TypeId::kVarchar, "column is not VARCHAR");
        if (is_null(row)) {
            return {};
        }
        // The engine's string: length, then 12 bytes in place or 4 bytes of prefix and a pointer.
        const auto* const cell = static_cast<const char*>(data_) + row * 16;
        std::uint32_t length = 0;
        std::memcpy(&length, cell, sizeof length);
        if (length <= 12) {
            return {cell + 4, length};
        }
        const char* text = nullptr;
        std::memcpy(&text, cell + 8, sizeof text);
        return {text, length};
    }
    [[nodiscard]] bool boolean(std::size_t row) const {
        TB_CHECK(type_ == TypeId::kBoolean, "column is not BOOLEAN");
        return static_cast<const bool*>(data_)[row];
    }
    // Any integer type up to 128 bits; nullopt if the value does not fit.
    [[nodiscard]] std::optional<std::int64_t> integer(std::size_t row) const;
    // Any integer or floating type, and DECIMAL (nearest double).
    [[nodiscard]] double number(std::size_t row) const;

  private:
    friend class Rows;
    template <class T>
    [[nodiscard]] std::span<const T> span_of(TypeId wanted) const {
        TB_CHECK(type_ == wanted, "column has another type");
        return {static_cast<const T*>(data_), size_};
    }

    const void* data_ = nullptr;
    const std::uint64_t* validity_ = nullptr;  // nullptr = no NULLs
    std::size_t size_ = 0;
    TypeId type_ = TypeId::kOther;
    TypeId physical_type_ = TypeId::kOther;  // of DECIMAL: the integer type that holds it
    std::uint8_t decimal_scale_ = 0;
};

class ChunkView {
  public:
    [[nodiscard]] std::size_t row_count() const { return row_count_; }
    [[nodiscard]] std::size_t column_count() const { return columns_.size(); }
    [[nodiscard]] const ColumnView& column(std::size_t index) const {
        TB_CHECK(index < columns_.size(), "no such column");
        return columns_[index];
    }

  private:
    friend class Rows;
    std::vector<ColumnView> columns_;
    std::size_t row_count_ = 0;
};

class Rows {
  public:
    Rows(Rows&&) noexcept;
    Rows& operator=(Rows&&) noexcept;
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;
    ~Rows();

    [[nodiscard]] const std::vector<ColumnInfo>& columns() const;
    [[nodiscard]] std::size_t column_count() const { return columns().size(); }

    // Moves on to the next chunk of at least one row; false after the last one.
    [[nodiscard]] Result<bool> next_chunk();
    [[nodiscard]] const ChunkView& chunk() const { return chunk_; }

    // Moves on to the next row; false after the last one. kDatabase when a get() before met a value
    // that cannot be.
    [[nodiscard]] Result<bool> next();
    // The same error, for whoever reads one row only.
    [[nodiscard]] Result<void> check() const;
    [[nodiscard]] bool is_null(std::size_t column) const {
        return chunk_.column(column).is_null(row_);
    }
    // T: bool, int32_t, int64_t, double, string_view, string, Date, Timestamp. Integers and doubles
    // widen from any number type. NULL, or a number that does not fit: T{}, and see check().
    template <class T>
    [[nodiscard]] T get(std::size_t column) const {
        const ColumnView& view = chunk_.column(column);
        if (view.is_null(row_)) {
            note_unexpected(column, "NULL");
            return T{};
        }
        if constexpr (std::is_same_v<T, bool>) {
            return view.boolean(row_);
        } else if constexpr (std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t>) {
            const std::optional<std::int64_t> value = view.integer(row_);
            if (!value.has_value() || static_cast<T>(*value) != *value) {
                note_unexpected(column, "a number too large");
                return T{};
            }
            return static_cast<T>(*value);
        } else if constexpr (std::is_same_v<T, double>) {
            return view.number(row_);
        } else if constexpr (std::is_same_v<T, Date>) {
            return Date(view.date_days()[row_]);
        } else if constexpr (std::is_same_v<T, Timestamp>) {
            return Timestamp{view.timestamp_micros()[row_]};
        } else {
            static_assert(std::is_same_v<T, std::string_view> || std::is_same_v<T, std::string>,
                          "no getter for this type");
            return T(view.string(row_));
        }
    }
    template <class T>
    [[nodiscard]] std::optional<T> get_optional(std::size_t column) const {
        return is_null(column) ? std::nullopt : std::optional<T>(get<T>(column));
    }

    // For src/db only (engine.h).
    [[nodiscard]] detail::RowsState& state() { return *state_; }
    explicit Rows(std::unique_ptr<detail::RowsState> state);

  private:
    void note_unexpected(std::size_t column, const char* what) const;

    std::unique_ptr<detail::RowsState> state_;
    ChunkView chunk_;
    mutable std::string unexpected_;  // the first value that cannot be; empty = none
    std::size_t row_ = 0;
    bool started_ = false;
};

}  // namespace tb::db
