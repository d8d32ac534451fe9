// A block of rows in the engine's own column layout, filled cell by cell and handed over whole: the
// cheapest way into a table. Chunks may be filled on any thread, without a connection, and be given
// to an Appender by the one that writes.
//
//   for (row = 0; row < n; ++row) {
//       chunk.set_string_ref(0, row, block_id);
//       chunk.set_double(5, row, record.premium);      // an empty optional is NULL
//   }
//   chunk.set_row_count(n);
//
// A cell that is not set is NULL. Writing a type a column does not have, or beyond capacity() rows,
// is a programmer error (TB_CHECK). Thread-compatible, move-only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/check.h"
#include "core/clock.h"
#include "core/date.h"
#include "core/result.h"
#include "db/types.h"

namespace tb::db {

namespace detail {
struct ChunkHandle;
}

class DataChunk {
  public:
    // Rows one chunk holds; fixed by the engine and checked against it when a chunk is made.
    static constexpr std::size_t kCapacity = 2048;

    // For columns of BOOLEAN, INTEGER, BIGINT, DOUBLE, VARCHAR, DATE and TIMESTAMP;
    // kInvalidArgument for any other type.
    [[nodiscard]] static Result<DataChunk> create(std::span<const TypeId> types);
    DataChunk(DataChunk&&) noexcept;
    DataChunk& operator=(DataChunk&&) noexcept;
    DataChunk(const DataChunk&) = delete;
    DataChunk& operator=(const DataChunk&) = delete;
    ~DataChunk();

    [[nodiscard]] std::size_t column_count() const { return columns_.size(); }
    [[nodiscard]] static constexpr std::size_t capacity() { return kCapacity; }

    void set_double(std::size_t column, std::size_t row, double value) {
        write<double>(column, row, TypeId::kDouble, value);
    }
    void set_double(std::size_t column, std::size_t row, const std::optional<double>& value) {
        if (value.has_value()) {
            set_double(column, row, *value);
        } else {
            set_null(column, row);
        }
    }
    void set_int32(std::size_t column, std::size_t row, std::int32_t value) {
        write<std::int32_t>(column, row, TypeId::kInteger, value);
    }
    void set_int64(std::size_t column, std::size_t row, std::int64_t value) {
        write<std::int64_t>(column, row, TypeId::kBigInt, value);
    }
    void set_bool(std::size_t column, std::size_t row, bool value) {
        write<bool>(column, row, TypeId::kBoolean, value);
    }
    void set_date(std::size_t column, std::size_t row, Date value) {
        write<std::int32_t>(column, row, TypeId::kDate, value.days());
    }
    void set_timestamp(std::size_t column, std::size_t row, Timestamp value) {
        write<std::int64_t>(column, row, TypeId::kTimestamp, value.micros);
    }
    // Copies the text. It must be UTF-8: the engine does not check it here, and refuses the rows,
    // or worse stores them, later (see Appender).
    void set_string(std::size_t column, std::size_t row, std::string_view value);
    // Refers to the text, which must stay alive and unchanged until the chunk has been appended.
    void set_string_ref(std::size_t column, std::size_t row, std::string_view value) {
        const Column& target = cell(column, row, TypeId::kVarchar);
        std::array<char, 16> text{};
        const auto length = static_cast<std::uint32_t>(value.size());
        TB_CHECK(value.size() <= UINT32_MAX, "text is too long for one cell");
        std::memcpy(text.data(), &length, sizeof length);
        if (length <= 12) {
            std::memcpy(text.data() + 4, value.data(), length);
        } else {
            const char* const pointer = value.data();
            std::memcpy(text.data() + 4, pointer, 4);
            std::memcpy(text.data() + 8, &pointer, sizeof pointer);
        }
        std::memcpy(static_cast<char*>(target.data) + row * text.size(), text.data(), text.size());
    }
    // Back to NULL.
    void set_null(std::size_t column, std::size_t row) {
        TB_CHECK(column < columns_.size() && row < kCapacity, "no such cell in this chunk");
        columns_[column].set[row / 64] &= ~(std::uint64_t{1} << (row % 64));
    }

    // Rows 0 .. count-1 are handed over by Appender::append.
    void set_row_count(std::size_t count) {
        TB_CHECK(count <= kCapacity, "a chunk holds at most 2048 rows");
        row_count_ = count;
    }
    [[nodiscard]] std::size_t row_count() const { return row_count_; }
    // No rows, every cell NULL.
    void clear();

  private:
    friend class Appender;
    struct Column {
        void* data = nullptr;
        std::array<std::uint64_t, kCapacity / 64> set{};  // bit = 1: not NULL
        TypeId type = TypeId::kOther;
    };

    DataChunk() = default;
    Column& cell(std::size_t column, std::size_t row, TypeId type) {
        TB_CHECK(column < columns_.size() && row < kCapacity, "no such cell in this chunk");
        Column& target = columns_[column];
        TB_CHECK(target.type == type, "column has another type");
        target.set[row / 64] |= std::uint64_t{1} << (row % 64);
        return target;
    }
    template <class T>
    void write(std::size_t column, std::size_t row, TypeId type, T value) {
        static_cast<T*>(cell(column, row, type).data)[row] = value;
    }
    void fetch_vectors();
    void publish();  // row count and NULLs into the engine's vectors

    std::unique_ptr<detail::ChunkHandle> handle_;
    std::vector<Column> columns_;
    std::size_t row_count_ = 0;
};

}  // namespace tb::db
