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
    const auto text = [&](std::size_t column) {
        return rows.get_optional<std::string>(column).value_or("");
    };
    // What another program has taken out counts as nothing; without a hash the file is read again.
    const auto number = [&](std::size_t column) {
        return rows.get_optional<std::int64_t>(column).value_or(0);
    };
    StoredFile file;
    file.report.role = role;
    file.report.file_name = text(2);
    // Stamps are stored bit for bit: inode and device numbers may use all 64 bits.
    file.stat.size = static_cast<std::uint64_t>(number(3));
    file.stat.mtime_ns = number(4);
    file.stat.ctime_ns = number(5);
    file.stat.inode = static_cast<std::uint64_t>(number(6));
    file.stat.device = static_cast<std::uint64_t>(number(7));
    file.stat.is_regular = true;
    file.content_hash = rows.is_null(10) ? std::string() : text(8);
    file.report.data_rows = number(9);
    file.report.rows_stored = number(10);
    file.report.rows_skipped = number(11);
    file.report.rows_repaired = number(12);
    file.report.issues_total = number(13);
    file.report.recognised_by = text(14);
    file.report.rejection = text(15);
    file.settings = text(16);
    file.looked_at = rows.get_optional<Timestamp>(17).value_or(Timestamp{});
    return file;
}

Result<void> add_files(db::Rows rows, StoredState& state) {
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return {};
        }
        const auto role =
            role_from_name(rows.get_optional<std::string_view>(1).value_or(std::string_view()));
        if (role.has_value() && !rows.is_null(0)) {
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
    TB_TRY(std::vector<BlockSyncMetadata> all, get_all_sync_metadata(connection));
    for (BlockSyncMetadata& metadata : all) {
        std::string id = metadata.block_id;
        state[std::move(id)].metadata = std::move(metadata);
    }
    return state;
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
        files.insert_or_assign(rows.get_optional<std::string>(2).value_or(""),
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
