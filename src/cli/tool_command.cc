#include "cli/tool_command.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/amount.h"
#include "cli/help.h"
#include "cli/table.h"
#include "cli/tool_call.h"
#include "core/text.h"
#include "tools/registry.h"

namespace tb::cli {

namespace {

using mcp::CliFlag;
using mcp::Json;

// The tool's table entry, only to be looked at: nothing is opened.
mcp::ToolSpec description_of(const ToolCommand& spec) {
    tools::AppOptions options;
    options.data_dir = ".";
    tools::App app(std::move(options));
    mcp::ToolSpec tool = spec.tool(app);
    tool.handler = nullptr;  // it refers to the App
    return tool;
}

// "dateRange.from" and "blockIds[]" fill dateRange and blockIds.
std::string argument_of(const std::string& target) {
    return target.substr(0, target.find_first_of(".["));
}

bool is_filled(const ToolCommand& spec, const std::string& argument) {
    const auto fills = [&](const auto& entry) { return argument_of(entry.target) == argument; };
    return std::any_of(spec.positionals.begin(), spec.positionals.end(), fills) ||
           std::any_of(spec.aliases.begin(), spec.aliases.end(), fills);
}

std::vector<CliFlag> own_flags(const ToolCommand& spec, const mcp::ToolSpec& tool) {
    std::vector<CliFlag> flags;
    for (CliFlag& flag : mcp::cli_flags(tool)) {
        const bool shortens = flag.argument == "maxChars" || flag.argument == "offset";
        if (!shortens && !is_filled(spec, flag.argument)) {
            flags.push_back(std::move(flag));
        }
    }
    return flags;
}

std::string value_name_of(const CliFlag& flag) {
    if (flag.repeatable) {
        return "A,B";
    }
    switch (flag.type) {
        case mcp::JsonType::kNumber:
        case mcp::JsonType::kInteger:
            return "N";
        case mcp::JsonType::kObject:
        case mcp::JsonType::kAny:
            return "JSON";
        default:
            return "TEXT";
    }
}

// ---- the tool's words in those of the command ----

// What a user writes for an argument of the tool: "blockId" -> "BLOCK", "dateRange" ->
// "--from/--to".
std::string words_for(const ToolCommand& spec, const mcp::ToolSpec& tool,
                      const std::string& argument) {
    std::string words;
    const auto add = [&](const std::string& word) { words += (words.empty() ? "" : "/") + word; };
    for (const ToolPositional& word : spec.positionals) {
        if (argument_of(word.target) == argument && words.empty()) {
            add(word.name);
        }
    }
    for (const ToolAlias& alias : spec.aliases) {
        if (argument_of(alias.target) == argument) {
            add(alias.option);
        }
    }
    for (const CliFlag& flag : own_flags(spec, tool)) {
        if (flag.argument == argument) {
            add(flag.flag);
        }
    }
    return words;
}

// Names of other tools in advice, and where a command line finds the same.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kToolWords = {{
    {"list_blocks", "tradeblocks status"},
    {"get_block_info", "tradeblocks compare"},
    {"get_data_issues", "tradeblocks issues"},
    {"get_sync_history", "tradeblocks history"},
    {"get_statistics", "tradeblocks stats"},
}};

// Replaces the names of arguments ("startDate") and tools; a word of ordinary English, as an
// argument may be called too ("limit"), stays unless it is quoted.
std::string rephrased(const ToolCommand& spec, const mcp::ToolSpec& tool, std::string_view text) {
    std::string result;
    const auto is_word = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    };
    while (!text.empty()) {
        std::size_t size = 0;
        while (size < text.size() && is_word(text[size])) {
            ++size;
        }
        const std::string word(text.substr(0, size));
        const bool is_name =
            std::any_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; }) ||
            result.ends_with("parameter '");
        std::string words = is_name ? words_for(spec, tool, word) : std::string();
        for (const auto& [name, command] : kToolWords) {
            words = word == name ? std::string(command) : words;
        }
        result += words.empty() ? word : words;
        text.remove_prefix(size);
        if (size == 0) {
            result += text.front();
            text.remove_prefix(1);
        }
    }
    return result;
}

// "0 to 1", "at least 2" for help; limits that nobody meets by accident are not worth a word.
std::string range_text(const mcp::Schema& schema) {
    constexpr double kFar = 100'000;
    if (schema.minimum && schema.maximum && *schema.maximum <= kFar) {
        return fmt::format("{} to {}", *schema.minimum, *schema.maximum);
    }
    return schema.minimum && *schema.minimum > 1 ? fmt::format("at least {}", *schema.minimum) : "";
}

std::string help_of(const CliFlag& flag, const mcp::Schema& schema, const ToolCommand& spec,
                    const mcp::ToolSpec& tool) {
    std::string help = rephrased(spec, tool, schema.description);
    // Help of commands is written in small letters; "P/L" and "ISO" stay as they are.
    if (help.size() > 1 && help[1] >= 'a' && help[1] <= 'z') {
        help[0] = ascii_lower(help[0]);
    }
    const bool is_number =
        flag.type == mcp::JsonType::kNumber || flag.type == mcp::JsonType::kInteger;
    const std::string range = is_number && !flag.repeatable ? range_text(schema) : std::string();
    return range.empty() ? help : help + ", " + range;
}

Option option_of(const CliFlag& flag, const ToolCommand& spec, const mcp::ToolSpec& tool) {
    const auto field = std::find_if(tool.arguments.begin(), tool.arguments.end(),
                                    [&](const auto& entry) { return entry.name == flag.argument; });
    const mcp::Schema& schema = field->schema;
    Option option{flag.flag, ValueKind::kText, value_name_of(flag), "", {}, ""};
    option.help = help_of(flag, schema, spec, tool);
    if (!schema.default_value.is_null()) {
        option.default_text = schema.default_value->is_string()
                                  ? schema.default_value->get<std::string>()
                                  : schema.default_value->dump();
    }
    if (flag.repeatable) {
        return option;
    }
    if (!schema.enum_values.empty()) {
        option.kind = ValueKind::kChoice;
        option.choices = schema.enum_values;
        option.value_name = "WORD";
    } else if (flag.type == mcp::JsonType::kBoolean) {
        // What is on unless said otherwise needs a way to be switched off.
        const bool is_off = option.default_text == "false";
        option.kind = is_off ? ValueKind::kFlag : ValueKind::kChoice;
        option.value_name = is_off ? "" : "BOOL";
        option.default_text = is_off ? "" : option.default_text;
        if (!is_off) {
            option.choices = {"true", "false"};
        }
    }
    return option;
}

// A list as 'a,b' or as JSON; objects as JSON; numbers and booleans are read by the tool's check.
Result<Json> value_of(const CliFlag& flag, const std::string& text) {
    const bool wants_json = flag.type == mcp::JsonType::kObject ||
                            flag.type == mcp::JsonType::kAny || flag.type == mcp::JsonType::kArray;
    if (wants_json || (flag.repeatable && text.starts_with('['))) {
        Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
        if (json.is_discarded()) {
            return make_error(ErrorCode::kInvalidArgument,
                              fmt::format("{} wants JSON, not \"{}\"", flag.flag, text));
        }
        return json;
    }
    if (!flag.repeatable) {
        return typed_value(flag.type, flag.argument, text);
    }
    Json list = Json::array();
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        list.push_back(typed_value(flag.type, flag.argument, text.substr(begin, end - begin)));
        begin = end + 1;
    }
    return list;
}

void put(Json& arguments, const std::string& target, Json value) {
    if (const std::size_t dot = target.find('.'); dot != std::string::npos) {
        arguments[target.substr(0, dot)][target.substr(dot + 1)] = std::move(value);
    } else if (target.ends_with("[]")) {
        arguments[target.substr(0, target.size() - 2)].push_back(std::move(value));
    } else {
        arguments[target] = std::move(value);
    }
}

Result<Json> arguments_of(const ToolCommand& spec, const mcp::ToolSpec& tool,
                          const Invocation& invocation) {
    Json arguments = Json::object();
    for (const ToolPositional& word : spec.positionals) {
        if (invocation.has(word.name)) {
            put(arguments, word.target, invocation.text(word.name));
        }
    }
    const std::vector<CliFlag> flags = mcp::cli_flags(tool);
    for (const ToolAlias& alias : spec.aliases) {
        if (invocation.has(alias.option)) {
            const auto flag = std::find_if(flags.begin(), flags.end(), [&](const CliFlag& entry) {
                return entry.argument == alias.target;
            });
            put(arguments, alias.target,
                alias.value_name.empty()
                    ? Json(true)
                    : typed_value(flag == flags.end() ? mcp::JsonType::kString : flag->type,
                                  alias.target, invocation.text(alias.option)));
        }
    }
    for (const CliFlag& flag : own_flags(spec, tool)) {
        if (!invocation.has(flag.flag)) {
            continue;
        }
        if (flag.type == mcp::JsonType::kBoolean && !flag.repeatable) {
            arguments[flag.argument] = invocation.text(flag.flag) != "false";
        } else {
            TB_TRY(arguments[flag.argument], value_of(flag, invocation.text(flag.flag)));
        }
    }
    return arguments;
}

Result<ExitCode> call(tools::App& app, const ToolCommand& spec, const Invocation& invocation,
                      Session& session) {
    TB_TRY(const mcp::ToolRegistry registry, tools::make_registry(app));
    const std::string name = description_of(spec).name;
    const mcp::ToolSpec* const tool = registry.find(name);
    if (tool == nullptr) {
        return make_error(ErrorCode::kInternal, "no such tool", name);
    }
    TB_TRY(const Json arguments, arguments_of(spec, *tool, invocation));
    const Rephrase rephrase = [&](const std::string& text) { return rephrased(spec, *tool, text); };
    if (const auto checked = mcp::check_arguments(tool->arguments, arguments);
        !checked.has_value()) {
        session.terminal.error({ErrorCode::kInvalidArgument, rephrase(checked.error()), ""});
        return ExitCode::kUsage;
    }
    std::vector<std::string> failures;
    const PrintResult print = [&](mcp::ToolResult result) {
        if (spec.failures != nullptr) {
            failures = spec.failures(*result.structured);
        }
        if (invocation.has("--json")) {
            print_structured(std::move(result), session);
        } else {
            session.terminal.out().write(terminal_text(result.text, session.terminal));
        }
    };
    const ExitCode code = call_tool(*tool, arguments, session, print, rephrase);
    for (const std::string& failure : failures) {
        session.terminal.error({ErrorCode::kNotFound, rephrase(failure), ""});
    }
    return code == ExitCode::kDone && !failures.empty() ? ExitCode::kFailed : code;
}

// ---- text for a terminal ----

// The cells of "| a | b\|c |", with what mcp::cell_text escaped undone.
std::vector<std::string> cells_of(std::string_view line) {
    std::vector<std::string> cells;
    std::string cell;
    for (std::size_t i = 1; i < line.size(); ++i) {
        if (line[i] == '\\' && i + 1 < line.size()) {
            cell += line[++i];
        } else if (line[i] == '|') {
            const std::size_t first = cell.find_first_not_of(' ');
            const std::size_t last = cell.find_last_not_of(' ');
            cells.push_back(first == std::string::npos ? std::string()
                                                       : cell.substr(first, last - first + 1));
            cell.clear();
        } else {
            cell += line[i];
        }
    }
    return cells;
}

bool is_word_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Names of tools in advice become those of commands.
std::string with_commands(std::string_view line) {
    std::string text(line);
    for (const auto& [name, command] : kToolWords) {
        for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;) {
            const std::size_t end = at + name.size();
            if ((at > 0 && is_word_char(text[at - 1])) ||
                (end < text.size() && is_word_char(text[end]))) {
                at = end;
                continue;
            }
            text.replace(at, name.size(), command);
            at += command.size();
        }
    }
    return text;
}

// A line outside of tables: a name in it may have been written as for a cell.
std::string without_escapes(std::string_view line) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
        i += line.substr(i, 2) == "\\|" ? 1 : 0;
        text += line[i];
    }
    return text;
}

// Amounts, counts and shares stand at the right.
bool looks_like_a_number(const std::string& cell) {
    const std::size_t digit = cell.find_first_not_of("+-$");
    return digit != std::string::npos && std::isdigit(static_cast<unsigned char>(cell[digit])) != 0;
}

std::string table_text(const std::vector<std::vector<std::string>>& rows,
                       const Terminal& terminal) {
    const std::vector<std::string>& titles = rows.front();
    std::vector<TableColumn> columns;
    for (std::size_t column = 0; column < titles.size(); ++column) {
        bool numbers = rows.size() > 1 && column > 0;  // the first says what the row is about
        for (std::size_t row = 1; row < rows.size(); ++row) {
            const std::string cell = column < rows[row].size() ? rows[row][column] : "";
            numbers = numbers && (cell.empty() || cell == "n/a" || cell == "N/A" || cell == "-" ||
                                  cell == "infinite" || looks_like_a_number(cell));
        }
        columns.push_back({titles[column], numbers ? Align::kRight : Align::kLeft});
    }
    Table table(std::move(columns));
    if (!titles.empty() && titles.front() == "Figure") {
        table.set_titles_are_names();
    }
    for (std::size_t row = 1; row < rows.size(); ++row) {
        std::vector<std::string> cells = rows[row];
        cells.resize(titles.size());
        table.add(std::move(cells));
    }
    return table.render(terminal.out_width(), terminal);
}

}  // namespace

Json typed_value(mcp::JsonType type, const std::string& argument, const std::string& text) {
    std::string_view number = trim(text);
    if (number.ends_with('%') && argument.ends_with("Pct")) {
        number.remove_suffix(1);
    }
    if (type == mcp::JsonType::kInteger) {
        const auto whole = read_whole_amount(number);
        return whole.has_value() ? Json(*whole) : Json(text);
    }
    if (type == mcp::JsonType::kNumber) {
        const auto value = read_amount(number);
        return value.has_value() ? Json(*value) : Json(text);
    }
    return Json(text);
}

std::string in_words_of(const ToolCommand& spec, std::string_view text) {
    return rephrased(spec, description_of(spec), text);
}

std::string terminal_text(std::string_view markdown, const Terminal& terminal) {
    std::string out;
    std::vector<std::vector<std::string>> table;
    const auto finish_table = [&] {
        if (!table.empty()) {
            out += table_text(table, terminal);
            table.clear();
        }
    };
    bool first = true;
    std::size_t begin = 0;
    while (begin < markdown.size()) {
        const std::size_t end = std::min(markdown.find('\n', begin), markdown.size());
        const std::string_view line = markdown.substr(begin, end - begin);
        begin = end + 1;
        if (line.starts_with('|')) {
            if (!line.starts_with("|---")) {
                table.push_back(cells_of(line));
            }
            continue;
        }
        finish_table();
        std::string text = printable(without_escapes(with_commands(line)));
        if (terminal.out_width() > 0 && display_width(text) > terminal.out_width()) {
            text = wrapped(text, 0, terminal.out_width());
            text.pop_back();  // its last line end
        }
        if (first) {
            out += terminal.paint(Style::kBold, text) + "\n";
        } else if (line.starts_with("Warning:") || line.starts_with("NOT UP TO DATE") ||
                   line.starts_with("FAILED")) {
            out += terminal.paint(Style::kYellow, text) + "\n";
        } else {
            out += text + "\n";
        }
        first = false;
    }
    finish_table();
    return out;
}

Command tool_command(const ToolCommand& spec, Command::Run run) {
    Command command;
    command.name = spec.name;
    command.summary = spec.summary;
    command.description = spec.description;
    command.arguments.push_back({"DIR", ValueKind::kDirectory, "the data directory"});
    for (const ToolPositional& word : spec.positionals) {
        command.arguments.push_back({word.name, ValueKind::kBlock, word.help, word.required});
    }
    for (const ToolAlias& alias : spec.aliases) {
        command.options.push_back({alias.option,
                                   alias.value_name.empty() ? ValueKind::kFlag : ValueKind::kText,
                                   alias.value_name,
                                   alias.help,
                                   {},
                                   ""});
    }
    const mcp::ToolSpec tool = description_of(spec);
    for (const CliFlag& flag : own_flags(spec, tool)) {
        command.options.push_back(option_of(flag, spec, tool));
    }
    command.options.push_back(
        {"--json", ValueKind::kFlag, "", "what an assistant gets as structured content", {}, ""});
    command.examples = spec.examples;
    command.run = run;
    command.relay = Relay::kRepeat;
    return command;
}

Result<ExitCode> run_tool_command(const ToolCommand& spec, const Invocation& invocation,
                                  Session& session) {
    return with_app(invocation, session,
                    [&](tools::App& app) { return call(app, spec, invocation, session); });
}

}  // namespace tb::cli
