// import_csv: a CSV from elsewhere as a new block (01 §6.5, item 15).
#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "blocks/import.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/data/import_path.h"
#include "tools/data/tools.h"
#include "tools/json.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using blocks::FileRole;
using blocks::PlBasis;
using mcp::Json;

constexpr std::string_view kNet = "net_includes_fees";
constexpr std::string_view kGross = "gross_before_fees";

std::vector<mcp::Field> argument_fields() {
    return {
        field::text("csvPath", "Absolute, from ~, or a name in Downloads, Desktop, Documents")
            .required(),
        field::text("blockName", "Default: the file's name"),
        field::choice("csvType", {"tradelog", "dailylog", "reportinglog"},
                      "Default: as its header says"),
        field::list("searchPaths", field::text_schema(), "Folders for a bare name"),
        field::choice("plBasis", {std::string(kNet), std::string(kGross)},
                      "Of the P/L column; Option Omega is net")
            .default_value(std::string(kNet)),
    };
}

std::vector<mcp::Field> result_fields() {
    std::vector<mcp::Field> fields = {
        field::text("blockId", "The new block"),
        field::text("name", "Name as given"),
        field::choice("csvType", {"tradelog", "dailylog", "reportinglog"}, "What the file is"),
        field::text("plBasis", "What its P/L column is").nullable(),
        field::text("sourcePath", "File that was copied"),
        field::integer("recordCount", "Rows of the file"),
        field::integer("rowsStored", "Usable rows"),
        field::integer("rowsSkipped", "Rows left out (get_data_issues)"),
        field::integer("rowsRepaired", "Rows with a repaired cell"),
        field::object("dateRange",
                      {field::date("start", "First day").nullable(),
                       field::date("end", "Last day").nullable()},
                      "Days in the file"),
        field::list("strategies", field::text_schema(), "Of a trade log, sorted"),
        field::text("blockPath", "Folder of the block"),
        field::list("notes", field::text_schema(), "About the file"),
        field::list("nextSteps", field::text_schema(), "What to do now"),
    };
    for (mcp::Field& sync : block_sync_fields()) {
        fields.push_back(sync.name == "syncInfo" ? std::move(sync).optional() : std::move(sync));
    }
    return fields;
}

std::optional<FileRole> role_of(const std::optional<std::string>& name) {
    for (const FileRole role :
         {FileRole::kTradeLog, FileRole::kDailyLog, FileRole::kReportingLog}) {
        if (name && blocks::role_name(role) == *name) {
            return role;
        }
    }
    return std::nullopt;
}

mcp::Outcome<std::filesystem::path> source_of(const App& app, const Json& arguments) {
    const char* const home = std::getenv("HOME");
    ImportPathRequest request;
    request.path = *text_argument(arguments, "csvPath");
    request.search_folders = texts_argument(arguments, "searchPaths");
    request.home = home == nullptr ? "" : home;
    request.data_dir = app.options().data_dir;
    request.roots = app.options().import_roots;
    TB_TRY_TOOL(std::filesystem::path path, resolve_import_path(request));
    return path;
}

std::vector<std::string> next_steps(FileRole role, const std::string& id) {
    if (role != FileRole::kTradeLog) {
        return {
            fmt::format("Block '{}' needs a trade log too before it is listed: copy one into "
                        "its folder as tradelog.csv",
                        id)};
    }
    return {fmt::format("get_block_info and get_statistics with blockId '{}'", id),
            "get_data_issues, if rows were left out"};
}

std::string outcome_text(const Json& result) {
    const auto count = [&](const char* name) {
        return mcp::count_text(result[name].get<std::int64_t>());
    };
    const auto day = [&](const char* which) {
        const Json& date = result["dateRange"][which];
        return date.is_null() ? std::string("-") : date.get<std::string>();
    };
    std::string text = fmt::format(
        "Imported as block '{}' ({}): {} rows, {} to {}; {} stored, {} left out, {} repaired\n",
        result["blockId"].get<std::string>(), result["csvType"].get<std::string>(),
        count("recordCount"), day("start"), day("end"), count("rowsStored"), count("rowsSkipped"),
        count("rowsRepaired"));
    for (const char* const list : {"notes", "nextSteps"}) {
        for (const Json& line : result[list]) {
            text += "- " + mcp::cell_text(line.get<std::string>()) + "\n";
        }
    }
    return text;
}

// The file is in place; a sync that fails now is told, not taken as a failed import.
void add_block(App& app, const CancelToken& cancel, const std::string& id, Json& result,
               std::string& trouble) {
    const auto fresh = app.fresh_block(id, cancel);
    if (!fresh) {
        result["warnings"] =
            Json::array({"imported, but not synced: " + fresh.error().to_string()});
        trouble = "Note: " + result["warnings"][0].get<std::string>() + "\n";
        return;
    }
    std::vector<std::string> strategies = fresh->data->trades.strategies;
    std::sort(strategies.begin(), strategies.end());
    result["strategies"] = strategies;
    trouble = sync_trouble_text(fresh->sync);
    add_block_sync(result, fresh->sync);
}

mcp::Outcome<mcp::ToolResult> import_csv(App& app, mcp::ToolContext& context,
                                         const Json& arguments) {
    if (app.options().read_only) {
        return mcp::tool_error("This server is read-only; nothing can be imported.");
    }
    TB_TRY_TOOL(const std::filesystem::path source, source_of(app, arguments));
    // Before anything is written: the data directory has to be one.
    TB_TRY_TOOL(const auto store, app.store(context.token()));
    blocks::ImportRequest request;
    request.data_dir = store->directory();
    request.source = source;
    if (!app.options().import_roots.empty()) {
        request.source_roots = app.options().import_roots;
        request.source_roots.push_back(store->directory());
    }
    request.name = text_argument(arguments, "blockName").value_or("");
    request.role = role_of(text_argument(arguments, "csvType"));
    request.pl_basis = text_argument(arguments, "plBasis") == kGross ? PlBasis::kGrossBeforeFees
                                                                     : PlBasis::kNetIncludesFees;
    request.cancel = context.token();
    TB_TRY_TOOL(const blocks::ImportOutcome outcome,
                blocks::import_file(app.file_system(), request));
    const blocks::IngestReport& report = outcome.report;
    const bool is_trade_log = outcome.role == FileRole::kTradeLog;
    Json result = {
        {"blockId", outcome.block_id},
        {"name", request.name.empty() ? source.stem().string() : request.name},
        {"csvType", blocks::role_name(outcome.role)},
        {"plBasis", is_trade_log ? arguments["plBasis"] : Json(nullptr)},
        {"sourcePath", source.string()},
        {"recordCount", report.data_rows},
        {"rowsStored", report.rows_stored},
        {"rowsSkipped", report.rows_skipped},
        {"rowsRepaired", report.rows_repaired},
        {"dateRange",
         {{"start", date_json(report.first_date)}, {"end", date_json(report.last_date)}}},
        {"strategies", Json::array()},
        {"blockPath", outcome.file.parent_path().string()},
        {"notes", report.notes},
        {"nextSteps", next_steps(outcome.role, outcome.block_id)}};
    std::string trouble;
    if (is_trade_log) {
        add_block(app, context.token(), outcome.block_id, result, trouble);
    }
    context.notifier().resources_changed();
    std::string text = trouble + outcome_text(result);
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(result)};
}

}  // namespace

mcp::ToolSpec import_csv_tool(App& app) {
    return {.name = "import_csv",
            .title = "Import a CSV as a new block",
            .description =
                "Copies an exported CSV into a new block and reports its rows; overwrites nothing. "
                "Files copied into the data directory by hand are seen by themselves.",
            .toolset = "import",
            .annotations = mcp::Annotations::adds(false),
            .scope = "data:write",
            .arguments = argument_fields(),
            .results = result_fields(),
            .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
                return import_csv(app, context, arguments);
            }};
}

}  // namespace tb::tools
