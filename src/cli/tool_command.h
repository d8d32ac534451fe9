// Commands that are tools in other clothes: `tradeblocks stats DIR BLOCK --from 2024-01-02` calls
// get_statistics and shows its text for a terminal, or with --json its structured content.
//
// A command names its tool, its positional arguments and the flags it calls by shorter names; all
// other arguments of the tool are flags under their own names, so that a command never lags behind
// its tool. A list is given with commas between its values, or as a JSON array.
//
//     const ToolCommand kReturns = {.name = "returns", .tool = tools::get_period_returns_tool,
//                                   .positionals = {{"BLOCK", "blockId", "..."}},
//                                   .aliases = {{"--from", "dateRange.from", "DAY", "..."}}};
//     Result<ExitCode> run(const Invocation& invocation, Session& session) {
//         return run_tool_command(kReturns, invocation, session);
//     }
//     Command returns_command() { return tool_command(kReturns, run); }
//
// Thread-compatible.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "mcp/tool.h"
#include "tools/app.h"

namespace tb::cli {

// Where a word of the command line goes, the name of a block: a tool argument ("blockId"), a member
// of one
// ("dateRange.from"), or the end of a list ("blockIds[]").
struct ToolPositional {
    std::string name;  // "BLOCK"
    std::string target;
    std::string help;
    bool required = true;
};
struct ToolAlias {
    std::string option;  // "--from"
    std::string target;
    std::string value_name;  // empty = a flag without a value
    std::string help;
};

struct ToolCommand {
    std::string name;
    std::string summary;
    std::string description;
    mcp::ToolSpec (*tool)(tools::App&) = nullptr;
    std::vector<ToolPositional> positionals;  // after DIR
    std::vector<ToolAlias> aliases = {};
    std::vector<Example> examples = {};
    // What of the answer could not be had, one message each: said on standard error, with exit
    // code 1. Null = an answer is an answer.
    std::vector<std::string> (*failures)(const mcp::Json& structured) = nullptr;
};

// The table entry. A tool argument that an alias or a positional fills has no flag of its own;
// neither have those that only make an assistant's answers shorter (maxChars, offset).
[[nodiscard]] Command tool_command(const ToolCommand& spec, Command::Run run);

// kInvalidArgument for a value that is no JSON where the tool wants an object. A value that the
// tool's schema does not allow is a wrong command line (exit code 2); what the tool itself says
// against its arguments is printed (exit code 1). Both speak of flags, not of the tool's arguments.
[[nodiscard]] Result<ExitCode> run_tool_command(const ToolCommand& spec,
                                                const Invocation& invocation, Session& session);

// What the tool says against its arguments in the words of the command: "--from", not "startDate".
[[nodiscard]] std::string in_words_of(const ToolCommand& spec, std::string_view text);

// A typed value of an argument of this type and name: numbers as cli/amount.h reads them, those in
// percent ("...Pct") also with the sign; what is none stays text, for the tool's check to refuse.
[[nodiscard]] mcp::Json typed_value(mcp::JsonType type, const std::string& argument,
                                    const std::string& text);

// A tool's text for a terminal: Markdown tables as aligned columns, everything made printable.
[[nodiscard]] std::string terminal_text(std::string_view markdown, const Terminal& terminal);

}  // namespace tb::cli
