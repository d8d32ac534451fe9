#include <array>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/tool_call.h"
#include "cli/tool_command.h"
#include "core/file_system.h"
#include "core/number.h"
#include "mcp/nearest.h"
#include "tools/registry.h"

namespace tb::cli {

namespace {

using mcp::Json;

constexpr std::size_t kMaxInputBytes = std::size_t{64} << 20U;

tl::unexpected<Error> wrong(std::string text) {
    return make_error(ErrorCode::kInvalidArgument, std::move(text));
}

// "; did you mean 'x'?" ends a sentence, nothing does not.
std::string sentence_end(const std::string& suggestion) {
    return suggestion.empty() ? "." : suggestion;
}

Result<std::string> read_standard_input() {
    std::string text;
    std::array<char, 65'536> buffer{};
    while (true) {
        const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return make_error(ErrorCode::kIo, std::generic_category().message(errno),
                              "standard input");
        }
        if (got == 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > kMaxInputBytes) {
            return wrong(fmt::format("more than {} bytes on standard input", kMaxInputBytes));
        }
    }
}

// '{...}', @FILE or -.
Result<Json> read_arguments(const std::string& word) {
    std::string text = word;
    if (word == "-") {
        TB_TRY(text, read_standard_input());
    } else if (word.starts_with('@')) {
        TB_TRY(text, read_whole_file(real_file_system(), word.substr(1), kMaxInputBytes));
    }
    Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) {
        return wrong(fmt::format(
            "the arguments must be one JSON object, like '{{\"blockId\": "
            "\"MEIC\"}}', not {}",
            mcp::Json(word.substr(0, 80)).dump(-1, ' ', false, Json::error_handler_t::replace)));
    }
    return json;
}

// The value of a flag as JSON; what it may be is checked with all other arguments.
Result<Json> flag_value(const mcp::CliFlag& flag, const std::string& text) {
    switch (flag.type) {
        case mcp::JsonType::kArray:
        case mcp::JsonType::kObject:
        case mcp::JsonType::kAny: {
            Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
            if (json.is_discarded()) {
                return wrong(flag.flag + " wants JSON");
            }
            return json;
        }
        default:
            return typed_value(flag.type, flag.argument, text);
    }
}

struct Word {
    std::string name;  // "--block-id"
    std::optional<std::string> value;
};

Word split(const std::string& word) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
        return {word, std::nullopt};
    }
    return {word.substr(0, equals), word.substr(equals + 1)};
}

Result<void> add_flag(const mcp::ToolSpec& spec, const std::vector<std::string>& words,
                      std::size_t& at, Json& arguments) {
    Word word = split(words[at++]);
    std::vector<std::string> names;
    const auto flags = mcp::cli_flags(spec);
    const mcp::CliFlag* flag = nullptr;
    for (const mcp::CliFlag& entry : flags) {
        names.push_back(entry.flag);
        flag = entry.flag == word.name ? &entry : flag;
    }
    if (flag == nullptr) {
        return wrong(fmt::format("{} has no option {}{} See tradeblocks tools {}", spec.name,
                                 word.name, sentence_end(mcp::did_you_mean(word.name, names)),
                                 spec.name));
    }
    if (!word.value.has_value()) {
        const bool value_follows = at < words.size() && !words[at].starts_with("--");
        if (flag->type == mcp::JsonType::kBoolean &&
            (!value_follows || (words[at] != "true" && words[at] != "false"))) {
            word.value = "true";
        } else if (!value_follows) {
            return wrong(word.name + " wants a value");
        } else {
            word.value = words[at++];
        }
    }
    TB_TRY(Json value, flag_value(*flag, *word.value));
    if (flag->repeatable) {
        arguments[flag->argument].push_back(std::move(value));
    } else {
        arguments[flag->argument] = std::move(value);
    }
    return {};
}

tl::unexpected<Error> unknown_tool(const mcp::ToolRegistry& registry, const std::string& name) {
    return wrong(fmt::format("there is no tool \"{}\"{} See tradeblocks tools", name,
                             sentence_end(mcp::did_you_mean(name, registry.nearest(name)))));
}

// Turns flags, files and standard input into one JSON object.
Result<void> prepare(Invocation& invocation) {
    tools::AppOptions options;
    options.data_dir = invocation.text("DIR");
    tools::App app(std::move(options));  // opens nothing
    TB_TRY(const mcp::ToolRegistry registry, tools::make_registry(app));
    const std::string name = invocation.text("TOOL");
    const mcp::ToolSpec* const spec = registry.find(name);
    if (spec == nullptr) {
        return unknown_tool(registry, name);
    }
    Json arguments = Json::object();
    const std::vector<std::string> words = std::move(invocation.rest);
    std::size_t at = 0;
    if (!words.empty() && !words[0].starts_with("--")) {
        TB_TRY(arguments, read_arguments(words[0]));
        at = 1;
    }
    while (at < words.size()) {
        if (!words[at].starts_with("--")) {
            return wrong(
                fmt::format("what is \"{}\"? Arguments are one JSON object or --flag "
                            "value; see tradeblocks tools {}",
                            words[at], name));
        }
        TB_RETURN_IF_ERROR(add_flag(*spec, words, at, arguments));
    }
    invocation.rest = {arguments.dump(-1, ' ', false, Json::error_handler_t::replace)};
    invocation.repeatable = spec->annotations.read_only && spec->repeatable;
    return {};
}

Result<ExitCode> call(tools::App& app, const Invocation& invocation, Session& session) {
    TB_TRY(const mcp::ToolRegistry registry, tools::make_registry(app));
    const mcp::ToolSpec* const spec = registry.find(invocation.text("TOOL"));
    if (spec == nullptr || invocation.rest.empty()) {
        return unknown_tool(registry, invocation.text("TOOL"));
    }
    return call_tool(*spec, Json::parse(invocation.rest.front()), session,
                     [&](mcp::ToolResult result) {
                         if (result.structured->is_object()) {
                             print_structured(std::move(result), session);
                         } else {
                             session.terminal.out().write_data(result.text + "\n");
                         }
                     });
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    return with_app(invocation, session,
                    [&](tools::App& app) { return call(app, invocation, session); });
}

}  // namespace

Command call_command() {
    return {
        .name = "call",
        .summary = "call a tool, as an assistant does, and print its result as JSON",
        .description =
            "Every tool of the MCP server is also a command: this prints what the assistant gets "
            "as structured content, complete, so that any of its answers can be checked or used in "
            "a script. Arguments are one JSON object ('{...}', @FILE, or - for standard input), or "
            "flags as shown by tradeblocks tools TOOL, or both. What is wrong goes to standard "
            "error, with exit code 1.",
        .arguments = {{"DIR", ValueKind::kDirectory, "the data directory"},
                      {"TOOL", ValueKind::kTool, "the name of the tool"}},
        .options = {},
        .examples = {{"call ~/Trades get_block_info '{\"blockId\": \"MEIC\"}'", "as JSON"},
                     {"call ~/Trades get_block_info --block-id MEIC", "the same with a flag"},
                     {"call ~/Trades list_blocks | jq .", "for scripts"}},
        .run = run,
        .prepare = prepare,
        .relay = Relay::kOnce,
        .reads_rest = true,
        .rest_syntax = "[JSON|@FILE|-] [--FLAG VALUE]..."};
}

}  // namespace tb::cli
