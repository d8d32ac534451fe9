#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/tool_call.h"
#include "cli/tool_command.h"
#include "report/report.h"
#include "tools/app.h"
#include "tools/portfolio/tools.h"
#include "tools/registry.h"

namespace tb::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultFile = "report.html";

// The tool whose refusal ends the report, and what its arguments are called here.
const ToolCommand& first_question() {
    static const ToolCommand kCommand = {
        .name = "report",
        .summary = {},
        .description = {},
        .tool = tools::get_statistics_tool,
        .positionals = {{"BLOCK", "blockId", ""}},
        .aliases = {{"--from", "startDate", "DAY", ""}, {"--to", "endDate", "DAY", ""}}};
    return kCommand;
}

// Here, in the process of the user: the default is a file in the user's folder, not in that of a
// server the command may run in.
Result<void> prepare(Invocation& invocation) {
    if (!invocation.has("--output")) {
        invocation.set("--output", kDefaultFile);
    }
    if (invocation.has("--simulations")) {
        const auto simulations = invocation.number("--simulations").value_or(0);
        if (simulations < 100 || simulations > 10'000) {
            return make_error(ErrorCode::kInvalidArgument,
                              "--simulations wants a number from 100 to 10000");
        }
    }
    return {};
}

std::optional<std::string> given(const Invocation& invocation, const std::string& name) {
    return invocation.has(name) ? std::optional(invocation.text(name)) : std::nullopt;
}

report::ReportRequest request_of(const Invocation& invocation, const Clock& clock) {
    report::ReportRequest request;
    request.block_id = invocation.text("BLOCK");
    request.strategy = given(invocation, "--strategy");
    request.from = given(invocation, "--from");
    request.to = given(invocation, "--to");
    request.reference = invocation.text("--conventions") == "reference";
    if (const auto seed = invocation.number("--seed")) {
        request.seed = static_cast<std::uint64_t>(*seed);
    }
    if (const auto simulations = invocation.number("--simulations")) {
        request.simulations = static_cast<std::int32_t>(*simulations);
    }
    request.made_on = Date::from_iso(clock.now().to_rfc3339().substr(0, 10));
    return request;
}

// Where the page really goes: a link keeps leading to its file. What is there and is no file (a
// device, a folder) must not be replaced by one.
Result<fs::path> target_of(const fs::path& path) {
    std::error_code failed;
    const fs::file_status status = fs::status(path, failed);
    if (!fs::exists(status)) {
        return path;
    }
    if (!fs::is_regular_file(status)) {
        return make_error(ErrorCode::kInvalidArgument,
                          "is not a file: name one that the report may replace", path.string());
    }
    fs::path real = fs::canonical(path, failed);
    return failed ? path : real;
}

// Whole or not at all: a page that is open in a browser is never half a page.
Result<void> write_page(const fs::path& path, const std::string& html) {
    const fs::path partial = path.string() + ".partial";
    {
        std::ofstream out(partial, std::ios::binary | std::ios::trunc);
        out.write(html.data(), static_cast<std::streamsize>(html.size()));
        out.close();
        if (!out) {
            const std::string reason = std::generic_category().message(errno);
            std::error_code ignored;
            fs::remove(partial, ignored);
            return make_error(ErrorCode::kIo, "cannot write the report: " + reason, path.string());
        }
    }
    std::error_code failed;
    fs::rename(partial, path, failed);
    if (failed) {
        std::error_code ignored;
        fs::remove(partial, ignored);
        return make_error(ErrorCode::kIo, "cannot write the report: " + failed.message(),
                          path.string());
    }
    return {};
}

Result<ExitCode> write_report(tools::App& app, const Invocation& invocation, Session& session) {
    TB_TRY(const mcp::ToolRegistry registry, tools::make_registry(app));
    mcp::ContextOptions options;
    options.cancel = session.cancel;
    options.budget_chars = 0;  // complete (00 §5)
    mcp::ToolContext context(std::move(options));
    auto page = report::make_report(registry, context, request_of(invocation, app.clock()));
    if (!page.has_value()) {
        return make_error(
            session.cancel.cancelled() ? ErrorCode::kInterrupted : ErrorCode::kInvalidArgument,
            in_words_of(first_question(), page.error().message));
    }
    TB_TRY(const fs::path path, target_of(invocation.text("--output")));
    TB_RETURN_IF_ERROR(write_page(path, *page));
    session.terminal.out().write(
        fmt::format("wrote {} ({} kB)\n", printable(path.string()), page->size() / 1000));
    return ExitCode::kDone;
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    return with_app(invocation, session,
                    [&](tools::App& app) { return write_report(app, invocation, session); });
}

}  // namespace

Command report_command() {
    return {
        .name = "report",
        .summary = "write the report of a block as one HTML page",
        .description =
            "Key figures, equity and drawdown, months, distribution, rolling metrics, strategies "
            "and a Monte Carlo fan on one page that prints well and needs no network. The figures "
            "are those of stats, returns, compare and montecarlo.\n\n"
            "The simulation uses a fixed seed, so that the same data makes the same page; --seed "
            "takes another.",
        .arguments = {{"DIR", ValueKind::kDirectory, "the data directory"},
                      {"BLOCK", ValueKind::kBlock, "the block (its folder name)"}},
        .options =
            {{"--output", ValueKind::kFile, "FILE", "where to write it", {}, kDefaultFile, "-o"},
             {"--strategy", ValueKind::kText, "NAME", "only this strategy", {}, ""},
             {"--from", ValueKind::kText, "DAY", "first day realized, YYYY-MM-DD", {}, ""},
             {"--to", ValueKind::kText, "DAY", "last day realized, YYYY-MM-DD", {}, ""},
             {"--conventions",
              ValueKind::kChoice,
              "WORD",
              "reference: the original program's figures, known mistakes included",
              {"correct", "reference"},
              "correct"},
             {"--seed", ValueKind::kNumber, "N", "of the simulation", {}, "1"},
             {"--simulations", ValueKind::kNumber, "N", "paths, 100 to 10000", {}, "1000"}},
        .examples = {{"report ~/Trades MEIC -o meic.html", "then open meic.html in a browser"},
                     {"report ~/Trades MEIC --from 2025-01-01 --strategy Morning",
                      "one strategy, from that day"}},
        .run = run,
        .prepare = prepare,
        .relay = Relay::kRepeat};
}

}  // namespace tb::cli
