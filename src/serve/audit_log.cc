#include "serve/audit_log.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/output_file.h"
#include "core/sha256.h"
#include "mcp/json_text.h"
#include "mcp/render.h"

namespace tb::serve {

using mcp::Json;

namespace {

// In the first line of every audit log: its second member.
constexpr std::string_view kOwnMark = "\",\"principal\":\"";

std::string digest_of(const Json& arguments) {
    // This type of JSON value sorts its members.
    const std::string text =
        nlohmann::json::parse(mcp::to_json_text(arguments)).dump(-1, ' ', false);
    return sha256_hex(std::as_bytes(std::span(text)));
}

Json rows_of(const Json& structured) {
    Json rows;
    for (const Json& member : structured) {
        if (member.is_array()) {
            rows =
                std::max(rows.is_null() ? std::size_t{0} : rows.get<std::size_t>(), member.size());
        }
    }
    return rows;
}

const char* outcome_of(const mcp::ToolContext& context,
                       const mcp::Outcome<mcp::ToolResult>& outcome) {
    if (outcome.has_value()) {
        return "ok";
    }
    if (outcome.error().kind == mcp::ToolError::Kind::kInputRequired) {
        return "asked";
    }
    return context.cancelled() ? "cancelled" : "error";
}

mcp::ToolHandler audited_tool(const mcp::ToolSpec& spec, const std::shared_ptr<AuditLog>& log) {
    return [log, name = spec.name, run = spec.handler](
               mcp::ToolContext& context, const Json& arguments) -> mcp::Outcome<mcp::ToolResult> {
        const auto started = std::chrono::steady_clock::now();
        const auto record = [&](const mcp::Outcome<mcp::ToolResult>& outcome) {
            log->record(context, name, arguments,
                        std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::steady_clock::now() - started),
                        outcome);
        };
        try {
            auto outcome = run(context, arguments);
            record(outcome);
            return outcome;
        } catch (...) {  // what it was is for mcp::call_tool
            record(mcp::tool_error("threw"));
            throw;
        }
    };
}

}  // namespace

Result<std::shared_ptr<AuditLog>> AuditLog::open(const std::filesystem::path& file,
                                                 const std::filesystem::path& data_dir) {
    OutputRules rules{.own_mark = kOwnMark, .advice = "name another file"};
    if (!data_dir.empty()) {
        rules.data_dirs = {data_dir};
    }
    auto fd = open_output_log(file, rules);
    if (!fd.has_value()) {
        return with_context(fd.error(), "audit log");
    }
    return std::make_shared<AuditLog>(std::move(*fd));
}

void AuditLog::record(const mcp::ToolContext& context, const std::string& tool,
                      const Json& arguments, std::chrono::milliseconds took,
                      const mcp::Outcome<mcp::ToolResult>& outcome) {
    Json line = {{"time", system_clock().now().to_rfc3339()},
                 {"principal", context.principal().name},
                 {"tool", tool},
                 {"arguments", digest_of(arguments)},
                 {"rows", nullptr},
                 {"bytes", 0},
                 {"ms", took.count()},
                 {"outcome", outcome_of(context, outcome)}};
    if (outcome.has_value()) {
        const Json& structured = *outcome->structured;
        line["rows"] = rows_of(structured);
        line["bytes"] = outcome->text.size() +
                        (structured.is_null() ? 0 : mcp::to_json_text(structured).size());
    } else {
        line["bytes"] = outcome.error().message.size();
    }
    write(line);
}

void AuditLog::record(const mcp::RefusedCall& call) {
    write({{"time", system_clock().now().to_rfc3339()},
           {"principal", call.principal.name},
           {"tool", mcp::harmless_text(call.tool)},
           {"arguments", digest_of(call.arguments.is_null() ? Json::object() : *call.arguments)},
           {"rows", nullptr},
           {"bytes", 0},
           {"ms", 0},
           {"outcome", "refused"},
           {"why", call.why}});
}

void AuditLog::write(const Json& line) {
    const std::string text = mcp::to_json_text(line) + "\n";
    const ssize_t written = ::write(fd_.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size()) && !complained_.exchange(true)) {
        log(LogLevel::kError,
            "the audit log is incomplete: " + (written < 0 ? std::generic_category().message(errno)
                                                           : std::string("a line was cut")));
    }
}

Result<mcp::ServerContent> audited(mcp::ServerContent content,
                                   const std::shared_ptr<AuditLog>& log) {
    std::vector<mcp::ToolSpec> table;
    for (const auto& tool : content.tools.tools()) {
        mcp::ToolSpec spec = *tool;
        spec.handler = audited_tool(*tool, log);
        table.push_back(std::move(spec));
    }
    TB_TRY(content.tools, mcp::ToolRegistry::make(std::move(table)));
    return content;
}

}  // namespace tb::serve
