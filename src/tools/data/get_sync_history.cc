// get_sync_history: what changed when, from the log of all syncs.
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/data/pages.h"
#include "tools/data/sync_records.h"
#include "tools/data/tools.h"
#include "tools/json.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using mcp::Json;

std::vector<mcp::Field> argument_fields() {
    return {
        field::text("blockId", "Only this block, also a deleted one; or _marketdata"),
        field::text("since", "Day or instant, UTC: 2026-11-22 or 2026-11-22T14:00:00Z"),
        field::choice("event", {"added", "changed", "removed", "rejected"}, "Only these"),
        field::integer("limit", "Most entries").range(1, 500).default_value(50),
        field::integer("before", "Page on: nextBefore").at_least(1),
        max_chars_argument(),
    };
}

std::vector<mcp::Field> result_fields() {
    const auto count = [](const char* name, const char* description) {
        return field::integer(name, description).nullable();
    };
    std::vector<mcp::Field> fields = {
        field::integer("total", "Entries that match"),
        field::list(
            "entries",
            field::object_schema(
                {field::integer("id", "Running number"), field::text("changedAt", "RFC 3339"),
                 field::text("blockId", "Block"),
                 field::choice("event", {"added", "changed", "removed", "rejected"}, "What"),
                 field::text("role", "Which log").nullable(),
                 field::text("fileName", "File").nullable(),
                 field::text("oldHash", "SHA-256 before").nullable(),
                 field::text("newHash", "SHA-256 after").nullable(),
                 count("rowsAdded", "Not there before"), count("rowsRemoved", "No longer there"),
                 count("rowsKept", "As before"), count("rowsSkipped", "Unusable"),
                 count("rowsRepaired", "With a repaired cell"),
                 field::text("message", "Remark").nullable()}),
            "Newest first"),
        field::integer("nextBefore", "before of the next page").nullable(),
    };
    for (mcp::Field& sync : directory_sync_fields()) {
        fields.push_back(std::move(sync));
    }
    return fields;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// A day, or an instant in UTC.
std::optional<Timestamp> parse_since(std::string_view text) {
    const auto day = Date::from_iso(text.substr(0, 10));
    if (!day) {
        return std::nullopt;
    }
    Timestamp instant{std::int64_t{day->days()} * 86'400 * 1'000'000};
    if (text.size() == 10) {
        return instant;
    }
    const auto time = text.size() >= 19 && (text[10] == 'T' || text[10] == ' ')
                          ? TimeOfDay::from_iso(text.substr(11, 8))
                          : std::nullopt;
    std::string_view rest = text.substr(std::min<std::size_t>(text.size(), 19));
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        for (std::int64_t unit = 100'000; !rest.empty() && is_digit(rest.front()); unit /= 10) {
            instant.micros += unit * (rest.front() - '0');
            rest.remove_prefix(1);
        }
    }
    if (!time || (!rest.empty() && rest != "Z" && rest != "+00:00")) {
        return std::nullopt;
    }
    instant.micros += std::int64_t{time->seconds()} * 1'000'000;
    return instant;
}

Json count_json(std::optional<std::int64_t> value) {
    return value ? Json(*value) : Json(nullptr);
}

Json entry_json(const SyncLogEntry& entry) {
    return {{"id", entry.id},
            {"changedAt", entry.changed_at.to_rfc3339()},
            {"blockId", entry.block_id},
            {"event", entry.event},
            {"role", text_json(entry.role)},
            {"fileName", text_json(entry.file_name)},
            {"oldHash", text_json(entry.old_hash)},
            {"newHash", text_json(entry.new_hash)},
            {"rowsAdded", count_json(entry.rows_added)},
            {"rowsRemoved", count_json(entry.rows_removed)},
            {"rowsKept", count_json(entry.rows_kept)},
            {"rowsSkipped", count_json(entry.rows_skipped)},
            {"rowsRepaired", count_json(entry.rows_repaired)},
            {"message", entry.message ? Json(quoted_line(*entry.message)) : Json(nullptr)}};
}

std::vector<std::string> cells(const Json& entry) {
    const auto text = [&](const char* name) {
        return entry[name].is_null() ? std::string() : entry[name].get<std::string>();
    };
    const auto count = [&](const char* name) {
        return entry[name].is_null() ? std::string()
                                     : mcp::count_text(entry[name].get<std::int64_t>());
    };
    return {std::to_string(entry["id"].get<std::int64_t>()),
            text("changedAt"),
            text("blockId"),
            text("event"),
            text("fileName"),
            count("rowsAdded"),
            count("rowsRemoved"),
            count("rowsKept"),
            count("rowsSkipped"),
            text("message")};
}

mcp::Outcome<mcp::ToolResult> get_sync_history(App& app, mcp::ToolContext& context,
                                               const Json& arguments) {
    SyncLogFilter filter;
    filter.block_id = text_argument(arguments, "blockId").value_or("");
    filter.event = text_argument(arguments, "event").value_or("");
    filter.before_id = integer_argument(arguments, "before");
    filter.limit = *integer_argument(arguments, "limit");
    if (const auto since = text_argument(arguments, "since")) {
        filter.since = parse_since(*since);
        if (!filter.since) {
            return mcp::tool_error("since: '" + mcp::cell_text(*since) +
                                   "' is neither a day (2026-11-22) nor an instant in UTC "
                                   "(2026-11-22T14:00:00Z)");
        }
    }
    TB_TRY_TOOL(const App::SyncAll sync,
                app.sync_all(context.token(), context.progress_callback()));
    TB_TRY_TOOL(db::Connection connection, app.reader(context.token()));
    connection.cancel_with(context.token());
    if (const auto known = check_remembered(connection, filter.block_id); !known) {
        return tl::unexpected<mcp::ToolError>(known.error());
    }
    TB_TRY_TOOL(const SyncLogPage page, read_sync_log(connection, filter));
    Json entries = Json::array();
    for (const SyncLogEntry& entry : page.entries) {
        entries.push_back(entry_json(entry));
    }
    const std::string trouble = sync_trouble_text(sync);
    const std::string table = fit_page(entries,
                                       {"Id", "When (UTC)", "Block", "Event", "File", "Rows added",
                                        "Removed", "Kept", "Skipped", "Message"},
                                       cells, context.budget_chars(), trouble);
    const bool more = page.left > 0 || entries.size() < page.entries.size();
    std::string text = trouble;
    text += fmt::format("{} of {} matching changes, newest first\n",
                        mcp::count_text(static_cast<std::int64_t>(entries.size())),
                        mcp::count_text(page.total));
    text += entries.empty() ? "" : table;
    const Json next = more && !entries.empty() ? entries.back()["id"] : Json(nullptr);
    if (!next.is_null()) {
        text += fmt::format("(more: before {})\n", next.get<std::int64_t>());
    }
    Json result = {{"total", page.total}, {"entries", std::move(entries)}, {"nextBefore", next}};
    add_directory_sync(result, sync);
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(result)};
}

}  // namespace

mcp::ToolSpec get_sync_history_tool(App& app) {
    return {
        .name = "get_sync_history",
        .title = "History of changes",
        .description =
            "What changed in the files and when: one entry per change of a file, with rows added, "
            "removed and kept, also for blocks that are gone. Unusable rows: get_data_issues.",
        .toolset = "core",
        .annotations = mcp::Annotations::reads(),
        .scope = "blocks:read",
        .arguments = argument_fields(),
        .results = result_fields(),
        .max_result_chars = mcp::kMaxRaisedResultChars,
        .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
            return get_sync_history(app, context, arguments);
        }};
}

}  // namespace tb::tools
