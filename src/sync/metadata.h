// The sync metadata tables: which content of which file the stored rows came from.
//
// Plain row access on a connection; whoever writes does so inside the transaction that writes the
// rows. Names follow the original design; docs/sync.md has the table.
//
// Other programs know these tables too and write into them. Each has one reader, here, which takes
// what it finds: a block without an id is none, a missing hash is no file's, a missing count is 1.
//
// Thread-compatible: the connection's rule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "db/connection.h"

namespace tb::sync {

struct BlockSyncMetadata {
    std::string block_id;
    std::string tradelog_hash;  // lower-case hex SHA-256 of the bytes whose rows are stored
    std::optional<std::string> dailylog_hash;
    std::optional<std::string> reportinglog_hash;
    Timestamp synced_at;  // UTC
    std::int32_t sync_version = 1;

    // What is stored of all logs, 64 hex digits: the hash of the trade log; with further logs, the
    // SHA-256 of the three hashes in hex, a line each (empty: no such log).
    [[nodiscard]] std::string data_version() const;
    // The same content of the same files, written by the same sync.
    bool operator==(const BlockSyncMetadata&) const = default;
};

struct MarketSyncMetadata {
    std::string file_name;
    std::string content_hash;
    std::optional<std::string> max_date;  // YYYY-MM-DD
    Timestamp synced_at;
};

[[nodiscard]] Result<std::optional<BlockSyncMetadata>> get_sync_metadata(db::Connection& connection,
                                                                         std::string_view block_id);
// All of them, byte order of ids.
[[nodiscard]] Result<std::vector<BlockSyncMetadata>> get_all_sync_metadata(
    db::Connection& connection);
[[nodiscard]] Result<void> upsert_sync_metadata(db::Connection& connection,
                                                const BlockSyncMetadata& metadata);
[[nodiscard]] Result<void> delete_sync_metadata(db::Connection& connection,
                                                std::string_view block_id);
// Byte order.
[[nodiscard]] Result<std::vector<std::string>> get_all_synced_block_ids(db::Connection& connection);

[[nodiscard]] Result<std::optional<MarketSyncMetadata>> get_market_sync_metadata(
    db::Connection& connection, std::string_view file_name);
[[nodiscard]] Result<void> upsert_market_sync_metadata(db::Connection& connection,
                                                       const MarketSyncMetadata& metadata);

// Create what is missing; harmless when everything is there. The DataStore has done it already for
// the databases it opens: these are for programs that bring a database of their own.
[[nodiscard]] Result<void> ensure_sync_tables(db::Connection& connection);
[[nodiscard]] Result<void> ensure_trade_data_table(db::Connection& connection);
[[nodiscard]] Result<void> ensure_market_data_tables(db::Connection& connection);

}  // namespace tb::sync
