#include "sync/metadata.h"

#include "db/schema.h"

namespace tb::sync {

namespace {

Result<void> forget_count(Result<std::int64_t> result) {
    if (!result.has_value()) {
        return tl::unexpected<Error>(result.error());
    }
    return {};
}

}  // namespace

Result<std::optional<BlockSyncMetadata>> get_sync_metadata(db::Connection& connection,
                                                           std::string_view block_id) {
    TB_TRY(
        db::Rows rows,
        connection.query("SELECT block_id, tradelog_hash, dailylog_hash, reportinglog_hash, "
                         "synced_at, sync_version FROM trades._sync_metadata WHERE block_id = $1",
                         block_id));
    TB_TRY(const bool found, rows.next());
    if (!found) {
        return std::optional<BlockSyncMetadata>();
    }
    BlockSyncMetadata metadata;
    metadata.block_id = rows.get<std::string>(0);
    metadata.tradelog_hash = rows.get<std::string>(1);
    metadata.dailylog_hash = rows.get_optional<std::string>(2);
    metadata.reportinglog_hash = rows.get_optional<std::string>(3);
    metadata.synced_at = rows.get<Timestamp>(4);
    metadata.sync_version = rows.get_optional<std::int32_t>(5).value_or(1);
    return std::optional<BlockSyncMetadata>(std::move(metadata));
}

Result<void> upsert_sync_metadata(db::Connection& connection, const BlockSyncMetadata& metadata) {
    return forget_count(
        connection.run("INSERT OR REPLACE INTO trades._sync_metadata (block_id, tradelog_hash, "
                       "dailylog_hash, reportinglog_hash, synced_at, sync_version) "
                       "VALUES ($1, $2, $3, $4, $5, $6)",
                       metadata.block_id, metadata.tradelog_hash, metadata.dailylog_hash,
                       metadata.reportinglog_hash, metadata.synced_at, metadata.sync_version));
}

Result<void> delete_sync_metadata(db::Connection& connection, std::string_view block_id) {
    return forget_count(
        connection.run("DELETE FROM trades._sync_metadata WHERE block_id = $1", block_id));
}

Result<std::vector<std::string>> get_all_synced_block_ids(db::Connection& connection) {
    TB_TRY(db::Rows rows,
           connection.query("SELECT block_id FROM trades._sync_metadata ORDER BY block_id"));
    std::vector<std::string> ids;
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return ids;
        }
        ids.push_back(rows.get<std::string>(0));
    }
}

Result<std::optional<MarketSyncMetadata>> get_market_sync_metadata(db::Connection& connection,
                                                                   std::string_view file_name) {
    TB_TRY(db::Rows rows, connection.query("SELECT file_name, content_hash, max_date, synced_at "
                                           "FROM market._sync_metadata WHERE file_name = $1",
                                           file_name));
    TB_TRY(const bool found, rows.next());
    if (!found) {
        return std::optional<MarketSyncMetadata>();
    }
    MarketSyncMetadata metadata;
    metadata.file_name = rows.get<std::string>(0);
    metadata.content_hash = rows.get<std::string>(1);
    metadata.max_date = rows.get_optional<std::string>(2);
    metadata.synced_at = rows.get<Timestamp>(3);
    return std::optional<MarketSyncMetadata>(std::move(metadata));
}

Result<void> upsert_market_sync_metadata(db::Connection& connection,
                                         const MarketSyncMetadata& metadata) {
    return forget_count(connection.run(
        "INSERT OR REPLACE INTO market._sync_metadata (file_name, content_hash, max_date, "
        "synced_at) VALUES ($1, $2, $3, $4)",
        metadata.file_name, metadata.content_hash, metadata.max_date, metadata.synced_at));
}

Result<void> ensure_sync_tables(db::Connection& connection) {
    for (const db::TableSpec& table : db::all_tables()) {
        if (table.internal()) {
            TB_RETURN_IF_ERROR(db::ensure_table(connection, table));
        }
    }
    return {};
}

Result<void> ensure_trade_data_table(db::Connection& connection) {
    return db::ensure_table(connection, db::table_spec("trades", "trade_data"));
}

Result<void> ensure_market_data_tables(db::Connection& connection) {
    for (const db::TableSpec& table : db::all_tables()) {
        if (table.schema == "market") {
            TB_RETURN_IF_ERROR(db::ensure_table(connection, table));
        }
    }
    return {};
}

}  // namespace tb::sync
