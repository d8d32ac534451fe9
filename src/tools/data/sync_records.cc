#include "tools/data/sync_records.h"

#include <algorithm>

#include <fmt/format.h>

#include "mcp/nearest.h"

namespace tb::tools {

namespace {

// $1 block, $2 event, $3 since: empty or NULL = all.
constexpr std::string_view kLogFilter =
    "($1 = '' OR block_id = $1) AND ($2 = '' OR event = $2) AND ($3 IS NULL OR changed_at >= $3)";

SyncLogEntry read_entry(const db::Rows& rows) {
    SyncLogEntry entry;
    entry.id = rows.get<std::int64_t>(0);
    entry.changed_at = rows.get<Timestamp>(1);
    entry.block_id = rows.get<std::string>(2);
    entry.event = rows.get<std::string>(3);
    entry.role = rows.get_optional<std::string>(4);
    entry.file_name = rows.get_optional<std::string>(5);
    entry.old_hash = rows.get_optional<std::string>(6);
    entry.new_hash = rows.get_optional<std::string>(7);
    entry.rows_added = rows.get_optional<std::int64_t>(8);
    entry.rows_removed = rows.get_optional<std::int64_t>(9);
    entry.rows_kept = rows.get_optional<std::int64_t>(10);
    entry.rows_skipped = rows.get_optional<std::int64_t>(11);
    entry.rows_repaired = rows.get_optional<std::int64_t>(12);
    entry.duration_ms = rows.get_optional<double>(13);
    entry.message = rows.get_optional<std::string>(14);
    return entry;
}

Result<void> read_issue_totals(db::Connection& connection, const DataIssueFilter& filter,
                               DataIssuePage& page) {
    TB_TRY(db::Rows stored,
           connection.collect("SELECT count(*) FROM trades._sync_issues WHERE ($1 = '' OR block_id "
                              "= $1) AND ($2 = '' OR role = $2) AND ($3 = '' OR action = $3)",
                              filter.block_id, filter.role, filter.action));
    TB_TRY([[maybe_unused]] const bool one, stored.next());
    page.total = stored.get<std::int64_t>(0);
    TB_TRY(db::Rows files,
           connection.collect(
               "SELECT block_id, file_name, coalesce(issues_total, 0), coalesce(rows_skipped, 0), "
               "coalesce(rows_repaired, 0), rejection FROM trades._sync_files WHERE ($1 = '' OR "
               "block_id = $1) AND ($2 = '' OR role = $2) ORDER BY block_id, file_name",
               filter.block_id, filter.role));
    while (true) {
        TB_TRY(const bool more, files.next());
        if (!more) {
            return {};
        }
        page.found += files.get<std::int64_t>(2);
        page.rows_skipped += files.get<std::int64_t>(3);
        page.rows_repaired += files.get<std::int64_t>(4);
        if (!files.is_null(5)) {
            page.rejected.push_back(
                {files.get<std::string>(0), files.get<std::string>(1), files.get<std::string>(5)});
        }
    }
}

}  // namespace

Result<SyncLogPage> read_sync_log(db::Connection& connection, const SyncLogFilter& filter) {
    SyncLogPage page;
    TB_TRY(db::Rows rows,
           connection.collect(
               fmt::format("SELECT id, changed_at, block_id, event, role, file_name, old_hash, "
                           "new_hash, rows_added, rows_removed, rows_kept, rows_skipped, "
                           "rows_repaired, duration_ms, message FROM trades._sync_log WHERE {} AND "
                           "($4 IS NULL OR id < $4) ORDER BY id DESC LIMIT $5",
                           kLogFilter),
               filter.block_id, filter.event, filter.since, filter.before_id, filter.limit));
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            break;
        }
        page.entries.push_back(read_entry(rows));
    }
    const std::int64_t oldest =
        page.entries.empty() ? filter.before_id.value_or(INT64_MAX) : page.entries.back().id;
    TB_TRY(db::Rows totals,
           connection.collect(fmt::format("SELECT count(*), count(*) FILTER (WHERE id < $4) FROM "
                                          "trades._sync_log WHERE {}",
                                          kLogFilter),
                              filter.block_id, filter.event, filter.since, oldest));
    TB_TRY([[maybe_unused]] const bool one, totals.next());
    page.total = totals.get<std::int64_t>(0);
    page.left = totals.get<std::int64_t>(1);
    return page;
}

Result<DataIssuePage> read_data_issues(db::Connection& connection, const DataIssueFilter& filter) {
    DataIssuePage page;
    TB_RETURN_IF_ERROR(read_issue_totals(connection, filter, page));
    TB_TRY(
        db::Rows rows,
        connection.collect(
            "SELECT block_id, role, file_name, line, column_name, value, reason, action FROM "
            "trades._sync_issues WHERE ($1 = '' OR block_id = $1) AND ($2 = '' OR role = $2) AND "
            "($3 = '' OR action = $3) ORDER BY block_id, file_name, line, column_name NULLS "
            "FIRST, value, reason LIMIT $4 OFFSET $5",
            filter.block_id, filter.role, filter.action, filter.limit, filter.offset));
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return page;
        }
        page.issues.push_back({rows.get<std::string>(0), rows.get<std::string>(1),
                               rows.get<std::string>(2), rows.get<std::int64_t>(3),
                               rows.get_optional<std::string>(4), rows.get_optional<std::string>(5),
                               rows.get<std::string>(6), rows.get<std::string>(7)});
    }
}

Result<std::vector<std::string>> remembered_block_ids(db::Connection& connection) {
    std::vector<std::string> ids;
    TB_TRY(db::Rows rows,
           connection.collect("SELECT block_id FROM trades._sync_log UNION SELECT block_id FROM "
                              "trades._sync_files UNION SELECT block_id FROM "
                              "trades._sync_metadata ORDER BY block_id"));
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return ids;
        }
        ids.push_back(rows.get<std::string>(0));
    }
}

Result<void> check_remembered(db::Connection& connection, std::string_view block_id) {
    if (block_id.empty()) {
        return {};
    }
    TB_TRY(const std::vector<std::string> known, remembered_block_ids(connection));
    if (std::find(known.begin(), known.end(), block_id) != known.end()) {
        return {};
    }
    return make_error(ErrorCode::kNotFound,
                      fmt::format("no block '{}' was ever synced here", block_id) +
                          mcp::did_you_mean(block_id, known));
}

}  // namespace tb::tools
