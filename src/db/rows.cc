#include "db/rows.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "db/engine_state.h"

namespace tb::db {

static_assert(sizeof(duckdb_string_t) == 16, "ColumnView::string knows the engine's layout");
static_assert(sizeof(duckdb_date) == 4 && sizeof(duckdb_timestamp) == 8 && sizeof(bool) == 1);

namespace detail {

RowsState::~RowsState() {
    duckdb_destroy_data_chunk(&chunk);
    types.clear();
    duckdb_destroy_result(&result);
}

}  // namespace detail

namespace {

template <class T>
T value_at(const void* data, std::size_t row) {
    return static_cast<const T*>(data)[row];
}

}  // namespace

std::optional<std::int64_t> ColumnView::integer(std::size_t row) const {
    TB_CHECK(row < size_, "no such row in this chunk");
    switch (type_) {
        case TypeId::kTinyInt:
            return value_at<std::int8_t>(data_, row);
        case TypeId::kSmallInt:
            return value_at<std::int16_t>(data_, row);
        case TypeId::kInteger:
            return value_at<std::int32_t>(data_, row);
        case TypeId::kBigInt:
            return value_at<std::int64_t>(data_, row);
        case TypeId::kUTinyInt:
            return value_at<std::uint8_t>(data_, row);
        case TypeId::kUSmallInt:
            return value_at<std::uint16_t>(data_, row);
        case TypeId::kUInteger:
            return value_at<std::uint32_t>(data_, row);
        case TypeId::kUBigInt: {
            const auto value = value_at<std::uint64_t>(data_, row);
            return value <= INT64_MAX ? std::optional(static_cast<std::int64_t>(value))
                                      : std::nullopt;
        }
        case TypeId::kHugeInt: {
            const auto value = value_at<duckdb_hugeint>(data_, row);
            const auto low = static_cast<std::int64_t>(value.lower);
            return value.upper == (low < 0 ? -1 : 0) ? std::optional(low) : std::nullopt;
        }
        default:
            TB_CHECK(false, "column is not an integer");
    }
}

double ColumnView::number(std::size_t row) const {
    TB_CHECK(row < size_, "no such row in this chunk");
    switch (type_) {
        case TypeId::kDouble:
            return value_at<double>(data_, row);
        case TypeId::kFloat:
            return value_at<float>(data_, row);
        case TypeId::kHugeInt:
            return duckdb_hugeint_to_double(value_at<duckdb_hugeint>(data_, row));
        case TypeId::kUBigInt:
            return static_cast<double>(value_at<std::uint64_t>(data_, row));
        case TypeId::kDecimal: {
            duckdb_decimal decimal{};
            decimal.width = 38;
            decimal.scale = decimal_scale_;
            if (physical_type_ == TypeId::kHugeInt) {
                decimal.value = value_at<duckdb_hugeint>(data_, row);
            } else {
                ColumnView whole = *this;
                whole.type_ = physical_type_;
                const std::int64_t value = whole.integer(row).value_or(0);  // at most 64 bits
                decimal.value = {static_cast<std::uint64_t>(value), value < 0 ? -1 : 0};
            }
            return duckdb_decimal_to_double(decimal);
        }
        default:
            return static_cast<double>(integer(row).value_or(0));  // the others have 64 bits
    }
}

Rows::Rows(std::unique_ptr<detail::RowsState> state) : state_(std::move(state)) {}
Rows::Rows(Rows&&) noexcept = default;
Rows& Rows::operator=(Rows&&) noexcept = default;
Rows::~Rows() = default;

const std::vector<ColumnInfo>& Rows::columns() const {
    return state_->columns;
}

Result<bool> Rows::next_chunk() {
    detail::RowsState& state = *state_;
    detail::ConnectionState& connection = *state.statement->connection;
    duckdb_destroy_data_chunk(&state.chunk);
    chunk_.row_count_ = 0;
    if (state.ended) {
        return false;
    }
    if (state.streamed && connection.statements_started != state.started_as) {
        // The engine would report the end of the rows here, as if nothing were missing.
        return make_error(ErrorCode::kInternal,
                          "another statement ran on the connection before all rows were read");
    }
    if (auto cancelled = connection.check_cancelled(); !cancelled.has_value()) {
        return connection.fail(cancelled.error());
    }
    do {
        duckdb_destroy_data_chunk(&state.chunk);
        state.chunk = duckdb_fetch_chunk(state.result);
    } while (state.chunk != nullptr && duckdb_data_chunk_get_size(state.chunk) == 0);
    if (state.chunk == nullptr) {
        if (const char* const text = duckdb_result_error(&state.result); text != nullptr) {
            return connection.fail(engine_error(text, duckdb_result_error_type(&state.result)));
        }
        state.ended = true;
        return false;
    }
    chunk_.row_count_ = duckdb_data_chunk_get_size(state.chunk);
    chunk_.columns_.resize(state.columns.size());
    for (std::size_t i = 0; i < chunk_.columns_.size(); ++i) {
        const duckdb_vector vector = duckdb_data_chunk_get_vector(state.chunk, i);
        ColumnView& column = chunk_.columns_[i];
        column.data_ = duckdb_vector_get_data(vector);
        column.validity_ = duckdb_vector_get_validity(vector);
        column.size_ = chunk_.row_count_;
        column.type_ = state.columns[i].type;
        if (column.type_ == TypeId::kDecimal) {
            column.physical_type_ = type_id(duckdb_decimal_internal_type(state.types[i].get()));
            column.decimal_scale_ = duckdb_decimal_scale(state.types[i].get());
        }
    }
    return true;
}

void Rows::note_unexpected(std::size_t column, const char* what) const {
    if (unexpected_.empty()) {
        unexpected_ = fmt::format(
            "the database holds {} in column \"{}\" where that cannot be: another program has "
            "changed the file, or it is damaged",
            what, column < columns().size() ? columns()[column].name : "?");
    }
}

Result<void> Rows::check() const {
    if (!unexpected_.empty()) {
        return make_error(ErrorCode::kDatabase, unexpected_);
    }
    return {};
}

Result<bool> Rows::next() {
    TB_RETURN_IF_ERROR(check());
    if (started_ && row_ + 1 < chunk_.row_count()) {
        ++row_;
        return true;
    }
    started_ = true;
    row_ = 0;
    return next_chunk();
}

}  // namespace tb::db
