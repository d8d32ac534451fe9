#include "sync/stored_state.h"

#include <fmt/format.h>

namespace tb::sync {

namespace {

constexpr std::string_view kFileColumns =
    "block_id, role, file_name, size, mtime_ns, ctime_ns, inode, device, content_hash, data_rows, "
    "rows_stored, rows_skipped, rows_repaired, issues_total, recognised_by, rejection, settings, "
    "stat_checked_at";

std::optional<blocks::FileRole> role_from_name(std::string_view name) {
    for (const blocks::FileRole role : kRoles) {
        if (blocks::role_name(role) == name) {
            return role;
        }
    }
    return std::nullopt;
}

std::optional<std::string> metadata_hash(const BlockSyncMetadata& metadata, blocks::FileRole role) {
    switch (role) {
        case blocks::FileRole::kTradeLog:
            return metadata.tradelog_hash;
        case blocks::FileRole::kDailyLog:
            return metadata.dailylog_hash;
        case blocks::FileRole::kReportingLog:
            break;
    }
    return metadata.reportinglog_hash;
}

StoredFile read_file_row(const db::Rows& rows, blocks::FileRole role) {
    StoredFile file;
    file.report.role = role;
    file.report.file_name = rows.get<std::string>(2);
    // Stamps are stored bit for bit: inode and device numbers may use all 64 bits.
    file.stat.size = static_cast<std::uint64_t>(rows.get<std::int64_t>(3));
    file.stat.mtime_ns = rows.get<std::int64_t>(4);
    file.stat.ctime_ns = rows.get<std::int64_t>(5);
    file.stat.inode = static_cast<std::uint64_t>(rows.get<std::int64_t>(6));
    file.stat.device = static_cast<std::uint64_t>(rows.get<std::int64_t>(7));
    file.stat.is_regular = true;
    file.content_hash = rows.get<std::string>(8);
    file.report.data_rows = rows.get<std::int64_t>(9);
    file.report.rows_stored = rows.get<std::int64_t>(10);
    file.report.rows_skipped = rows.get<std::int64_t>(11);
    file.report.rows_repaired = rows.get<std::int64_t>(12);
    file.report.issues_total = rows.get<std::int64_t>(13);
    file.report.recognised_by = rows.get_optional<std::string>(14).value_or("");
    file.report.rejection = rows.get_optional<std::string>(15).value_or("");
    file.settings = rows.get_optional<std::string>(16).value_or("");
    file.looked_at = rows.get<Timestamp>(17);
    return file;
}

Result<void> add_files(db::Rows rows, StoredState& state) {
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return {};
        }
        const auto role = role_from_name(rows.get<std::string_view>(1));
        if (role.has_value()) {
            state[rows.get<std::string>(0)].files.insert_or_assign(*role,
                                                                   read_file_row(rows, *role));
        }
    }
}

}  // namespace

bool StoredBlock::agrees_on(blocks::FileRole role) const {
    const auto file = files.find(role);
    const bool rows_stored = file != files.end() && file->second.report.rejection.empty();
    const std::optional<std::string> hash =
        metadata.has_value() ? metadata_hash(*metadata, role) : std::nullopt;
    return hash.has_value() == rows_stored && (!rows_stored || *hash == file->second.content_hash);
}

std::int64_t StoredBlock::trade_count() const {
    const auto file = files.find(blocks::FileRole::kTradeLog);
    return metadata.has_value() && file != files.end() ? file->second.report.rows_stored : 0;
}

std::int64_t StoredBlock::rows_skipped() const {
    std::int64_t sum = 0;
    for (const auto& [role, file] : files) {
        sum += file.report.rows_skipped;
    }
    return sum;
}

std::int64_t StoredBlock::rows_repaired() const {
    std::int64_t sum = 0;
    for (const auto& [role, file] : files) {
        sum += file.report.rows_repaired;
    }
    return sum;
}

Result<StoredState> load_stored_state(db::Connection& connection) {
    StoredState state;
    TB_TRY(db::Rows files,
           connection.query(fmt::format("SELECT {} FROM trades._sync_files", kFileColumns)));
    TB_RETURN_IF_ERROR(add_files(std::move(files), state));
    TB_TRY(db::Rows rows,
           connection.query("SELECT block_id, tradelog_hash, dailylog_hash, reportinglog_hash, "
                            "synced_at, sync_version FROM trades._sync_metadata"));
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return state;
        }
        BlockSyncMetadata metadata;
        metadata.block_id = rows.get<std::string>(0);
        metadata.tradelog_hash = rows.get<std::string>(1);
        metadata.dailylog_hash = rows.get_optional<std::string>(2);
        metadata.reportinglog_hash = rows.get_optional<std::string>(3);
        metadata.synced_at = rows.get<Timestamp>(4);
        metadata.sync_version = rows.get_optional<std::int32_t>(5).value_or(1);
        state[metadata.block_id].metadata = std::move(metadata);
    }
}

Result<std::map<std::string, StoredFile, std::less<>>> load_stored_market_files(
    db::Connection& connection) {
    std::map<std::string, StoredFile, std::less<>> files;
    TB_TRY(db::Rows rows,
           connection.query(
               fmt::format("SELECT {} FROM trades._sync_files f WHERE block_id = $1 AND "
                           "(rejection IS NOT NULL OR EXISTS (SELECT 1 FROM market._sync_metadata "
                           "m WHERE m.file_name = f.file_name AND m.content_hash = "
                           "f.content_hash))",
                           kFileColumns),
               kMarketBlockId));
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return files;
        }
        files.insert_or_assign(rows.get<std::string>(2),
                               read_file_row(rows, blocks::FileRole::kTradeLog));
    }
}

Result<StoredBlock> load_stored_block(db::Connection& connection, std::string_view block_id) {
    StoredState state;
    TB_TRY(db::Rows files,
           connection.query(
               fmt::format("SELECT {} FROM trades._sync_files WHERE block_id = $1", kFileColumns),
               block_id));
    TB_RETURN_IF_ERROR(add_files(std::move(files), state));
    StoredBlock block = std::move(state[std::string(block_id)]);
    TB_TRY(block.metadata, get_sync_metadata(connection, block_id));
    return block;
}

}  // namespace tb::sync
