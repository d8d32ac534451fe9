#include "tools/data/block_summaries.h"

#include <utility>

#include "db/transaction.h"
#include "tools/names.h"

namespace tb::tools {

namespace {

using Pending = std::map<std::string, std::shared_ptr<BlockSummary>>;

// Calls `take` with the summary and the row for every row that is about a block of `pending`, whose
// id is the first column. With one block to look at (the usual case) only that one is read.
template <class Take>
Result<void> for_blocks(db::Connection& connection, std::string_view sql, const Pending& pending,
                        const Take& take) {
    const std::optional<std::string> only =
        pending.size() == 1 ? std::optional(pending.begin()->first) : std::nullopt;
    TB_TRY(db::Rows rows, connection.query(sql, only));
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return {};
        }
        const auto found = pending.find(rows.get<std::string>(0));
        if (found != pending.end()) {
            take(*found->second, rows);
        }
    }
}

// fsum: compensated, so that the order in which the engine adds does not show in the cents.
Result<void> fill(db::Connection& connection, const Pending& pending) {
    TB_RETURN_IF_ERROR(for_blocks(
        connection,
        "SELECT block_id, count(*), min(date_opened), max(date_opened), fsum(pl), "
        "fsum(coalesce(net_pl, pl)) FROM trades.trade_data WHERE $1 IS NULL OR block_id = $1 "
        "GROUP BY block_id",
        pending, [](BlockSummary& block, const db::Rows& rows) {
            block.trade_count = rows.get<std::int64_t>(1);
            block.first_opened = rows.get_optional<Date>(2);
            block.last_opened = rows.get_optional<Date>(3);
            block.total_pl = rows.get<double>(4);
            block.net_pl = rows.get<double>(5);
        }));
    TB_RETURN_IF_ERROR(for_blocks(
        connection,
        "SELECT DISTINCT block_id, coalesce(strategy, block_id) AS name FROM trades.trade_data "
        "WHERE $1 IS NULL OR block_id = $1 ORDER BY block_id, name",
        pending, [](BlockSummary& block, const db::Rows& rows) {
            block.strategies.push_back(shown_name(rows.get<std::string>(1)));
        }));
    return for_blocks(
        connection,
        "SELECT block_id, count(*), count(DISTINCT coalesce(strategy, block_id)), fsum(pl), "
        "min(date_opened), max(date_opened) FROM trades.reporting_data "
        "WHERE $1 IS NULL OR block_id = $1 GROUP BY block_id",
        pending, [](BlockSummary& block, const db::Rows& rows) {
            block.reporting = ReportingSummary{rows.get<std::int64_t>(1), rows.get<std::int64_t>(2),
                                               rows.get<double>(3), rows.get_optional<Date>(4),
                                               rows.get_optional<Date>(5)};
        });
}

}  // namespace

Result<std::vector<std::shared_ptr<const BlockSummary>>> BlockSummaries::get(
    db::Connection& connection) {
    TB_TRY(const db::Transaction snapshot,
           db::Transaction::begin(connection, db::Access::kReadOnly));
    TB_TRY(const auto versions, sync::get_all_sync_metadata(connection));
    std::map<std::string, std::shared_ptr<const BlockSummary>> known;
    {
        const std::lock_guard lock(mutex_);
        known = known_;
    }
    std::map<std::string, std::shared_ptr<const BlockSummary>> current;
    Pending pending;
    for (const sync::BlockSyncMetadata& version : versions) {
        const auto found = known.find(version.block_id);
        if (found != known.end() && found->second->version == version) {
            current.insert(*found);
            continue;
        }
        auto fresh = std::make_shared<BlockSummary>();
        fresh->version = version;
        if (version.reportinglog_hash.has_value()) {
            fresh->reporting.emplace();  // an empty log has no row below
        }
        pending.emplace(version.block_id, std::move(fresh));
    }
    if (!pending.empty()) {
        TB_RETURN_IF_ERROR(fill(connection, pending));
        current.insert(pending.begin(), pending.end());
    }
    std::vector<std::shared_ptr<const BlockSummary>> blocks;
    for (const auto& [id, block] : current) {
        blocks.push_back(block);
    }
    const std::lock_guard lock(mutex_);
    known_ = std::move(current);
    return blocks;
}

}  // namespace tb::tools
