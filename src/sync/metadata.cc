#include "sync/metadata.h"

#include <span>

#include <fmt/format.h>

#include "core/sha256.h"
#include "db/schema.h"

namespace tb::sync {

namespace {

Result<void> forget_count(Result<std::int64_t> result) {
    if (!result.has_value()) {
        return tl::unexpected<Error>(result.error());
    }
    return {};
}

constexpr std::string_view kMetadataColumns =
    "block_id, tradelog_hash, dailylog_hash, reportinglog_hash, synced_at, sync_version";

// Once around 2^31 syncs it starts again.
std::int32_t version_of(std::optional<std::int64_t> stored) {
    return stored.has_value() && *stored > 0 && *stored < INT32_MAX
               ? static_cast<std::int32_t>(*stored)
               : 1;
}

// nullopt: a row that is no block's.
std::optional<BlockSyncMetadata> read_metadata_row(const db::Rows& rows) {
    if (rows.is_null(0)) {
        return std::nullopt;
    }
    BlockSyncMetadata metadata;
    metadata.block_id = rows.get<std::string>(0);
    metadata.tradelog_hash = rows.get_optional<std::string>(1).value_or("");
    metadata.dailylog_hash = rows.get_optional<std::string>(2);
    metadata.reportinglog_hash = rows.get_optional<std::string>(3);
    metadata.synced_at = rows.get_optional<Timestamp>(4).value_or(Timestamp{});
    metadata.sync_version = version_of(rows.get_optional<std::int64_t>(5));
    return metadata;
}

}  // namespace

std::string BlockSyncMetadata::data_version() const {
    if (!dailylog_hash.has_value() && !reportinglog_hash.has_value()) {
        return tradelog_hash;
    }
    const std::string hashes = fmt::format(
        "{}\n{}\n{}\n", tradelog_hash, dailylog_hash.value_or(""), reportinglog_hash.value_or(""));
    return sha256_hex(std::as_bytes(std::span(hashes)));
}

Result<std::optional<BlockSyncMetadata>> get_sync_metadata(db::Connection& connection,
                                                           std::string_view block_id) {
    TB_TRY(db::Rows rows,
           connection.query(fmt::format("SELECT {} FROM trades._sync_metadata WHERE block_id = $1",
                                        kMetadataColumns),
                            block_id));
    TB_TRY(const bool found, rows.next());
    return found ? read_metadata_row(rows) : std::nullopt;
}

Result<std::vector<BlockSyncMetadata>> get_all_sync_metadata(db::Connection& connection) {
    TB_TRY(db::Rows rows,
           connection.query(fmt::format("SELECT {} FROM trades._sync_metadata ORDER BY block_id",
                                        kMetadataColumns)));
    std::vector<BlockSyncMetadata> all;
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return all;
        }
        if (auto metadata = read_metadata_row(rows); metadata.has_value()) {
            all.push_back(std::move(*metadata));
        }
    }
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
    TB_TRY(const std::vector<BlockSyncMetadata> all, get_all_sync_metadata(connection));
    std::vector<std::string> ids;
    for (const BlockSyncMetadata& metadata : all) {
        ids.push_back(metadata.block_id);
    }
    return ids;
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
    metadata.file_name = file_name;
    metadata.content_hash = rows.get_optional<std::string>(1).value_or("");
    metadata.max_date = rows.get_optional<std::string>(2);
    metadata.synced_at = rows.get_optional<Timestamp>(3).value_or(Timestamp{});
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
