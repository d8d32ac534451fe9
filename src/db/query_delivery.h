// How rows of a query get to their consumer, and where that ends: the same for rows that the engine
// makes here and for those that come from another process. For .cc files of src/db only.
//
// Thread-compatible.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/result.h"
#include "db/query_runner.h"
#include "db/value_render.h"

namespace tb::db::detail {

// Why a query ended early, in words. `cancelled`: by its caller; else by its time limit.
[[nodiscard]] Error stopped_error(bool cancelled, std::chrono::milliseconds timeout);
// It holds more in memory than it may; with the limit, in bytes.
[[nodiscard]] Error memory_error(std::uint64_t limit);
// A row that alone is larger than the limit.
[[nodiscard]] Error row_too_large(std::size_t bytes, std::size_t limit);

class Delivery {
  public:
    // Both outlive it.
    Delivery(const QueryLimits& limits, RowConsumer& consumer)
        : limits_(limits), consumer_(consumer) {}

    [[nodiscard]] Result<void> begin(std::vector<ColumnInfo> columns);
    // False: the row was not taken, there are more rows than the limits allow.
    [[nodiscard]] Result<bool> take(const ValueRenderer& values, std::size_t row);

    [[nodiscard]] QueryOutcome& outcome() { return outcome_; }

  private:
    const QueryLimits& limits_;
    RowConsumer& consumer_;
    QueryOutcome outcome_;
    std::size_t bytes_ = 0;
};

}  // namespace tb::db::detail
