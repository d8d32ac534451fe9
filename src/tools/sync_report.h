// The full report of a sync as JSON: what the tool `sync` and the commands' --json answer.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <vector>

#include "mcp/schema.h"
#include "sync/sync.h"

namespace tb::tools {

// kBrief: texts are cut and lists of lines end in "... and n more", as an answer to an assistant
// needs it; kWhole: everything, as `tradeblocks sync --json` gives it.
enum class ReportDetail { kBrief, kWhole };

// Counters, then one entry per block (with its files and their first issues), market files,
// warnings and errors.
[[nodiscard]] mcp::Json sync_report_json(const sync::SyncResult& blocks,
                                         const sync::MarketSyncResult& market, ReportDetail detail);
// Its declaration.
[[nodiscard]] std::vector<mcp::Field> sync_report_fields();

// A sync of one block as if it had been of the whole directory.
[[nodiscard]] sync::SyncResult as_sync_result(sync::BlockSyncResult block);

}  // namespace tb::tools
