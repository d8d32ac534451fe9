// From records to rows of the tables: the one place that knows which member goes into which column.
//
// Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "blocks/records.h"
#include "core/result.h"
#include "db/appender.h"
#include "db/data_chunk.h"

namespace tb::sync {

// Appends the records of one batch as rows of `block_id`; the table follows from the record type
// (trades.trade_data, trades.daily_data, trades.reporting_data). Batch and id must live until the
// call returns.
[[nodiscard]] Result<void> append_batch(db::Appender& appender, std::string_view block_id,
                                        const blocks::RecordBatch<blocks::TradeRecord>& batch);
[[nodiscard]] Result<void> append_batch(db::Appender& appender, std::string_view block_id,
                                        const blocks::RecordBatch<blocks::DailyRecord>& batch);
[[nodiscard]] Result<void> append_batch(db::Appender& appender, std::string_view block_id,
                                        const blocks::RecordBatch<blocks::ReportingRecord>& batch);

}  // namespace tb::sync
