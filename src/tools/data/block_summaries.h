// The few figures of every stored block that lists show, computed by the database and kept as long
// as a block's files do not change: a list of a hundred unchanged blocks reads no trade.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/date.h"
#include "core/result.h"
#include "db/connection.h"
#include "sync/metadata.h"

namespace tb::tools {

struct ReportingSummary {
    std::int64_t trade_count = 0;
    std::int64_t strategy_count = 0;
    double total_pl = 0;  // as in the file, dollars
    std::optional<Date> first_opened;
    std::optional<Date> last_opened;
};

struct BlockSummary {
    sync::BlockSyncMetadata version;  // of exactly these figures
    std::int64_t trade_count = 0;
    std::optional<Date> first_opened;
    std::optional<Date> last_opened;
    double total_pl = 0;                  // sum of the file's P/L column, dollars
    double net_pl = 0;                    // the same after all fees
    std::vector<std::string> strategies;  // byte order; a blank one is the block's id
    std::optional<ReportingSummary> reporting;

    [[nodiscard]] const std::string& id() const { return version.block_id; }
    [[nodiscard]] bool has_daily_log() const { return version.dailylog_hash.has_value(); }
};

class BlockSummaries {
  public:
    // Of the blocks that are stored now, in byte order of their ids; one snapshot.
    [[nodiscard]] Result<std::vector<std::shared_ptr<const BlockSummary>>> get(
        db::Connection& connection);

  private:
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<const BlockSummary>> known_;
};

}  // namespace tb::tools
