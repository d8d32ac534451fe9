#include <optional>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/tool_call.h"
#include "cli/tool_command.h"
#include "core/output_file.h"
#include "report/report.h"
#include "tools/app.h"
#include "tools/portfolio/tools.h"
#include "tools/registry.h"

namespace tb::cli {

namespace {

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

// What the user may have written over.
OutputRules rules_of(const Invocation& invocation) {
    return {.own_mark = report::kPageMark,
            .force = invocation.has("--force"),
            .data_dirs = {invocation.text("DIR")}};
}

Result<ExitCode> write_report(tools::App& app, const Invocation& invocation, Session& session) {
    const std::string file = invocation.text("--output");
    const bool to_output = file == kStandardStream;
    if (!to_output) {  // before the work, not after it
        TB_RETURN_IF_ERROR(find_output_target(file, rules_of(invocation)));
    }
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
    if (to_output) {
        session.terminal.out().write_data(*page);
        return ExitCode::kDone;
    }
    TB_RETURN_IF_ERROR(write_output_file(file, *page, rules_of(invocation)));
    session.terminal.out().write(
        fmt::format("wrote {} ({} kB)\n", printable(file), page->size() / 1000));
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
            "takes another.\n\n"
            "An earlier report is replaced, any other file only with --force, and nothing is ever "
            "written into a data directory.",
        .arguments = {{"DIR", ValueKind::kDirectory, "the data directory"},
                      {"BLOCK", ValueKind::kBlock, "the block (its folder name)"}},
        .options =
            {{"--output",
              ValueKind::kOutputFile,
              "FILE",
              "where to write it; - is standard output",
              {},
              kDefaultFile,
              "-o"},
             {"--force", ValueKind::kFlag, "", "replace a file that is no earlier report", {}, ""},
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
