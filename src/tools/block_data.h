// The rows of one block as the analytics want them, loaded from the database and kept as long as
// the block's files do not change.
//
// BlockData: immutable, thread-safe. BlockCache: thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/trade.h"
#include "core/result.h"
#include "db/connection.h"
#include "sync/metadata.h"

namespace tb::tools {

struct BlockData {
    std::string block_id;
    sync::BlockSyncMetadata metadata;  // of exactly these rows
    analytics::TradeSet trades;
    std::vector<analytics::DailyLogEntry> daily_log;  // by date
    analytics::ReportingSet reporting;
    std::size_t memory_bytes = 0;

    [[nodiscard]] bool has_daily_log() const { return metadata.dailylog_hash.has_value(); }
    [[nodiscard]] bool has_reporting_log() const { return metadata.reportinglog_hash.has_value(); }
    // The version of the data an answer speaks of.
    [[nodiscard]] std::string data_version() const { return metadata.data_version(); }
};

// Reads metadata and rows in one snapshot. kNotFound when the block is not in the database.
[[nodiscard]] Result<std::shared_ptr<const BlockData>> load_block_data(db::Connection& connection,
                                                                       std::string_view block_id);

class BlockCache {
  public:
    explicit BlockCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    // The cached rows if they are of the stored version, else freshly loaded ones.
    [[nodiscard]] Result<std::shared_ptr<const BlockData>> get(db::Connection& connection,
                                                               std::string_view block_id);
    void clear();

  private:
    std::mutex mutex_;
    std::size_t max_bytes_;
    std::size_t bytes_ = 0;
    std::list<std::shared_ptr<const BlockData>> entries_;  // most recently used first
};

}  // namespace tb::tools
