// What the database knows about the files it was filled from: the metadata rows and, per file, the
// stamps and the outcome of the last look (table trades._sync_files).
//
// Thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "blocks/discovery.h"
#include "core/clock.h"
#include "core/file_system.h"
#include "db/connection.h"
#include "sync/metadata.h"
#include "sync/sync.h"

namespace tb::sync {

inline constexpr std::array<blocks::FileRole, 3> kRoles{
    blocks::FileRole::kTradeLog, blocks::FileRole::kDailyLog, blocks::FileRole::kReportingLog};

struct StoredFile {
    FileSyncReport report;  // rejection is set when the content was rejected as a whole
    FileStat stat;
    Timestamp looked_at;
    std::string content_hash;
    std::string settings;  // what else decided the rows: reading rules, default P/L basis
};

struct StoredBlock {
    std::optional<BlockSyncMetadata> metadata;
    std::map<blocks::FileRole, StoredFile> files;

    // Whether the metadata says of this role's file what its own record says: the hash, or none for
    // a rejected file. They differ when another program wrote or deleted the metadata.
    [[nodiscard]] bool agrees_on(blocks::FileRole role) const;
    [[nodiscard]] std::int64_t trade_count() const;
    [[nodiscard]] std::int64_t rows_skipped() const;
    [[nodiscard]] std::int64_t rows_repaired() const;
};

using StoredState = std::map<std::string, StoredBlock, std::less<>>;

// Market files use the same table under a block id that no folder can have.
inline constexpr std::string_view kMarketBlockId = "_marketdata";
inline constexpr std::string_view kMarketRole = "market";
// By file name; only those of which market._sync_metadata says the same.
[[nodiscard]] Result<std::map<std::string, StoredFile, std::less<>>> load_stored_market_files(
    db::Connection& connection);

[[nodiscard]] Result<StoredState> load_stored_state(db::Connection& connection);
[[nodiscard]] Result<StoredBlock> load_stored_block(db::Connection& connection,
                                                    std::string_view block_id);

}  // namespace tb::sync
