#include "db/data_chunk.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "db/engine_state.h"

namespace tb::db {

DataChunk::DataChunk(DataChunk&&) noexcept = default;
DataChunk& DataChunk::operator=(DataChunk&&) noexcept = default;
DataChunk::~DataChunk() = default;

Result<DataChunk> DataChunk::create(std::span<const TypeId> types) {
    if (duckdb_vector_size() != kCapacity) {
        return make_error(ErrorCode::kInternal,
                          fmt::format("the engine's chunks hold {} rows, this program expects {}",
                                      duckdb_vector_size(), kCapacity));
    }
    DataChunk chunk;
    std::vector<UniqueLogicalType> owned;
    std::vector<duckdb_logical_type> handles;
    for (const TypeId type : types) {
        switch (type) {
            case TypeId::kBoolean:
            case TypeId::kInteger:
            case TypeId::kBigInt:
            case TypeId::kDouble:
            case TypeId::kVarchar:
            case TypeId::kDate:
            case TypeId::kTimestamp:
                break;
            default:
                return make_error(
                    ErrorCode::kInvalidArgument,
                    fmt::format("cannot append to a column of type {}", type_name(type)));
        }
        owned.emplace_back(duckdb_create_logical_type(engine_type(type)));
        handles.push_back(owned.back().get());
        chunk.columns_.emplace_back().type = type;
    }
    chunk.handle_ = std::make_unique<detail::ChunkHandle>();
    chunk.handle_->chunk = duckdb_create_data_chunk(handles.data(), handles.size());
    if (chunk.handle_->chunk == nullptr) {
        return make_error(ErrorCode::kResourceExhausted, "the engine gave no data chunk");
    }
    chunk.fetch_vectors();
    return chunk;
}

void DataChunk::fetch_vectors() {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        columns_[i].data = duckdb_vector_get_data(duckdb_data_chunk_get_vector(handle_->chunk, i));
    }
}

void DataChunk::set_string(std::size_t column, std::size_t row, std::string_view value) {
    if (value.size() <= 12) {
        set_string_ref(column, row, value);  // held in the cell itself
        return;
    }
    cell(column, row, TypeId::kVarchar);
    duckdb_vector_assign_string_element_len(duckdb_data_chunk_get_vector(handle_->chunk, column),
                                            row, value.data(), value.size());
}

void DataChunk::clear() {
    duckdb_data_chunk_reset(handle_->chunk);
    fetch_vectors();
    for (Column& column : columns_) {
        column.set.fill(0);
    }
    row_count_ = 0;
}

void DataChunk::publish() {
    duckdb_data_chunk_set_size(handle_->chunk, row_count_);
    const std::size_t words = (row_count_ + 63) / 64;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const Column& column = columns_[i];
        std::size_t set_rows = 0;
        for (std::size_t word = 0; word < words; ++word) {
            std::uint64_t bits = column.set[word];
            if (word + 1 == words && row_count_ % 64 != 0) {
                bits &= (std::uint64_t{1} << (row_count_ % 64)) - 1;
            }
            set_rows += static_cast<std::size_t>(__builtin_popcountll(bits));
        }
        const duckdb_vector vector = duckdb_data_chunk_get_vector(handle_->chunk, i);
        if (set_rows == row_count_ && duckdb_vector_get_validity(vector) == nullptr) {
            continue;  // no NULL in the column: without a mask the engine skips its checks
        }
        duckdb_vector_ensure_validity_writable(vector);
        std::memcpy(duckdb_vector_get_validity(vector), column.set.data(),
                    words * sizeof(std::uint64_t));
    }
}

}  // namespace tb::db
