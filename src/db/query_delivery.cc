#include "db/query_delivery.h"

#include <utility>

#include <fmt/format.h>

namespace tb::db::detail {

Error stopped_error(bool cancelled, std::chrono::milliseconds timeout) {
    if (cancelled) {
        return Error{ErrorCode::kInterrupted, "the query was cancelled", {}};
    }
    return Error{
        ErrorCode::kInterrupted,
        fmt::format("the query was stopped after {:g} s, its time limit: narrow it (dates, "
                    "blocks, fewer joins) or allow more time",
                    static_cast<double>(timeout.count()) / 1000.0),
        {}};
}

Error memory_error(std::uint64_t limit) {
    return Error{ErrorCode::kResourceExhausted,
                 fmt::format("the query was stopped: with it this process became larger than {} "
                             "MB. Group by fewer values, join on more columns, or aggregate before "
                             "joining",
                             limit >> 20U),
                 {}};
}

Error row_too_large(std::size_t bytes, std::size_t limit) {
    return Error{ErrorCode::kResourceExhausted,
                 fmt::format("one row holds {} bytes, more than the limit of {}: select less of "
                             "it, for instance with left(column, 1000)",
                             bytes, limit),
                 {}};
}

Result<void> Delivery::begin(std::vector<ColumnInfo> columns) {
    outcome_.columns = std::move(columns);
    return consumer_.begin(outcome_.columns);
}

Result<bool> Delivery::take(const ValueRenderer& values, std::size_t row) {
    if (static_cast<std::size_t>(outcome_.row_count) >= limits_.max_rows) {
        outcome_.truncated = true;
        return false;
    }
    const std::size_t text = values.text_bytes(row);
    if (text > limits_.max_bytes) {
        return tl::unexpected<Error>(row_too_large(text, limits_.max_bytes));
    }
    if (bytes_ + text > limits_.max_bytes && outcome_.row_count > 0) {
        outcome_.truncated = true;
        outcome_.stopped_by_bytes = true;
        return false;
    }
    TB_TRY(const std::size_t bytes, consumer_.row(values, row));
    bytes_ += bytes;
    outcome_.non_finite += static_cast<std::int64_t>(values.non_finite_count(row));
    ++outcome_.row_count;
    return true;
}

}  // namespace tb::db::detail
