#include "cli/parser.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/amount.h"
#include "cli/commands.h"
#include "core/number.h"
#include "mcp/http.h"
#include "mcp/render.h"

namespace tb::cli {

namespace {

// Fewest insertions, deletions and replacements that turn one word into the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] =
                std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row.back();
}

template <class Names>
std::string did_you_mean(std::string_view word, const Names& names) {
    const auto best =
        std::min_element(names.begin(), names.end(), [&](const auto& a, const auto& b) {
            return edit_distance(word, a) < edit_distance(word, b);
        });
    if (best == names.end() ||
        edit_distance(word, *best) > std::max<std::size_t>(2, word.size() / 3)) {
        return {};
    }
    return fmt::format(" Did you mean \"{}\"?", *best);
}

Result<void> check_value(const Option& option, const std::string& value) {
    const auto wrong = [&](std::string_view wanted) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("{} wants {}, not \"{}\"", option.name, wanted, value));
    };
    switch (option.kind) {
        case ValueKind::kNumber:
            if (read_whole_amount(value).value_or(-1) < 0) {
                return wrong("a whole number");
            }
            return {};
        case ValueKind::kSeconds: {
            const auto seconds = parse_double(value);
            if (!seconds || *seconds <= 0) {
                return wrong("a number of seconds above 0");
            }
            return {};
        }
        case ValueKind::kChoice:
            if (std::find(option.choices.begin(), option.choices.end(), value) ==
                option.choices.end()) {
                return wrong(fmt::format("one of {}", fmt::join(option.choices, ", ")));
            }
            return {};
        case ValueKind::kAddress:
            if (const auto address = mcp::parse_http_address(value); !address) {
                return wrong(address.error().message);
            }
            return {};
        case ValueKind::kText:
        case ValueKind::kDirectory:
        case ValueKind::kFile:
        case ValueKind::kOutputFile:
        case ValueKind::kBlock:
        case ValueKind::kTool:
            if (value.empty()) {
                return wrong("a value");
            }
            return {};
        case ValueKind::kFlag:
            return {};
    }
    return {};
}

// One subcommand of CLI11 with the variables its values land in.
struct Bound {
    const Command* command = nullptr;
    CLI::App* app = nullptr;
    std::map<std::string, std::string> texts;  // stable addresses
    std::map<std::string, bool> flags;
};

void bind(CLI::App& root, const Command& command, Bound& bound) {
    bound.command = &command;
    bound.app = root.add_subcommand(command.name, command.summary);
    bound.app->set_help_flag("-h,--help", "");
    for (const Argument& argument : command.arguments) {
        // CLI11 reports a missing one in its own words; ours are better (see parse_command_line).
        bound.app->add_option(argument.name, bound.texts[argument.name], argument.help);
    }
    for (const Option& option : command.options) {
        if (option.kind == ValueKind::kFlag) {
            bound.app->add_flag(option.name, bound.flags[option.name], option.help);
        } else {
            const std::string names =
                option.short_name.empty() ? option.name : option.short_name + "," + option.name;
            bound.app->add_option(names, bound.texts[option.name], option.help);
        }
    }
}

bool is_path(ValueKind kind) {
    return kind == ValueKind::kDirectory || kind == ValueKind::kFile ||
           kind == ValueKind::kOutputFile;
}

// Names of files may be any bytes; everything else is text.
Result<void> check_text(const std::string& name, ValueKind kind, const std::string& value) {
    if (is_path(kind) || mcp::to_valid_utf8(value) == value) {
        return {};
    }
    return make_error(
        ErrorCode::kInvalidArgument,
        fmt::format(
            "{} is not valid UTF-8: \"{}\"{}", name, mcp::to_valid_utf8(value),
            kind == ValueKind::kBlock ? "; folders with such names are ignored, rename it" : ""));
}

// A shell resolves `~` only where it stands unquoted at the beginning of a word; assistants that
// start a program never do. A folder that is really called so keeps its name.
std::string with_home(ValueKind kind, const std::string& value) {
    const char* const home = std::getenv("HOME");
    std::error_code ignored;
    if (!is_path(kind) || home == nullptr || (value != "~" && !value.starts_with("~/")) ||
        std::filesystem::exists("~", ignored)) {
        return value;
    }
    return std::string(home) + value.substr(1);
}

Result<ParsedLine> read_values(const Bound& bound) {
    ParsedLine line;
    line.command = bound.command;
    const auto given = [&](const std::string& name) { return bound.app->count(name) > 0; };
    for (const Argument& argument : bound.command->arguments) {
        if (given(argument.name)) {
            const std::string& value = bound.texts.at(argument.name);
            if (value.empty()) {
                return make_error(ErrorCode::kInvalidArgument, argument.name + " is empty");
            }
            TB_RETURN_IF_ERROR(check_text(argument.name, argument.kind, value));
            line.invocation.set(argument.name, with_home(argument.kind, value));
        } else if (argument.required) {
            return make_error(ErrorCode::kInvalidArgument,
                              fmt::format("{} is missing: {}. See tradeblocks {} --help",
                                          argument.name, argument.help, bound.command->name));
        }
    }
    for (const Option& option : bound.command->options) {
        if (!given(option.name)) {
            continue;
        }
        if (option.kind == ValueKind::kFlag) {
            line.invocation.set(option.name, "1");
            continue;
        }
        const std::string& value = bound.texts.at(option.name);
        TB_RETURN_IF_ERROR(check_text(option.name, option.kind, value));
        TB_RETURN_IF_ERROR(check_value(option, value));
        line.invocation.set(option.name, option.kind == ValueKind::kNumber
                                             ? std::to_string(read_whole_amount(value).value_or(0))
                                             : with_home(option.kind, value));
    }
    return line;
}

std::string explain(const CLI::ParseError& problem, const std::vector<std::string>& words,
                    const Command* command) {
    std::string text = problem.what();
    const auto unknown = std::find_if(words.begin(), words.end(), [&](const std::string& word) {
        return word.starts_with("-") && word.size() > 1 && text.find(word) != std::string::npos;
    });
    const std::string where = command == nullptr ? "" : command->name + " ";
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&problem) != nullptr && command != nullptr) {
        // CLI11: "--limit: 1 required TEXT missing", "--limit: At Most 1 required but received 2".
        const std::string name = text.substr(0, text.find(':'));
        for (const Option& option : command->options) {
            if (option.name == name) {
                text = text.find("received") != std::string::npos
                           ? fmt::format("{} is there more than once.", name)
                           : fmt::format("{} wants {}: {}.", name, option.value_name, option.help);
            }
        }
    }
    if (dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr) {
        if (unknown != words.end()) {
            std::vector<std::string> names{"--help"};
            if (command != nullptr) {
                for (const Option& option : command->options) {
                    names.push_back(option.name);
                }
            }
            text = fmt::format("unknown option {}.{}", *unknown, did_you_mean(*unknown, names));
        } else {
            text = "more arguments than the command takes: " +
                   text.substr(std::min(text.find(": ") + 2, text.size())) +
                   " (quote names with blanks).";
        }
    }
    return fmt::format("{} See tradeblocks {}--help", text, where);
}

}  // namespace

std::string Invocation::text(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string() : found->second;
}

std::optional<std::int64_t> Invocation::number(const std::string& name) const {
    if (!has(name)) {
        return std::nullopt;
    }
    return read_whole_amount(text(name)).value_or(0);
}

std::optional<double> Invocation::seconds(const std::string& name) const {
    return has(name) ? parse_double(text(name)) : std::nullopt;
}

namespace {

// `tradeblocks DIR` is `tradeblocks serve DIR`: the form clients are configured with.
bool names_a_folder(const std::vector<std::string>& words) {
    const std::string& first = words.front();
    std::error_code ignored;
    return find_command(first) == nullptr && !first.starts_with("-") && first != "help" &&
           (first.find('/') != std::string::npos || std::filesystem::is_directory(first, ignored));
}

// An address may be left out: gives the option its default then, so that the folder behind it is
// not taken for one.
std::vector<std::string> with_default_addresses(const std::vector<std::string>& words,
                                                const Command& command) {
    std::vector<std::string> result;
    for (std::size_t i = 0; i < words.size(); ++i) {
        result.push_back(words[i]);
        for (const Option& option : command.options) {
            if (option.kind == ValueKind::kAddress && option.name == words[i] &&
                (i + 1 == words.size() || !mcp::parse_http_address(words[i + 1]).has_value())) {
                result.push_back(option.default_text);
            }
        }
    }
    return result;
}

// Arguments in order, then everything else as it stands.
Result<ParsedLine> split_rest(const std::vector<std::string>& words, const Command& command) {
    ParsedLine line;
    line.command = &command;
    std::size_t next = 1;
    for (const Argument& argument : command.arguments) {
        if (next < words.size() && (words[next] == "--help" || words[next] == "-h")) {
            line.kind = ParsedLine::Kind::kHelp;
            return line;
        }
        if (next == words.size() || words[next].empty() || words[next].starts_with("-")) {
            return make_error(ErrorCode::kInvalidArgument,
                              fmt::format("{} is missing: {}. See tradeblocks {} --help",
                                          argument.name, argument.help, command.name));
        }
        line.invocation.set(argument.name, with_home(argument.kind, words[next++]));
    }
    line.invocation.rest.assign(words.begin() + static_cast<std::ptrdiff_t>(next), words.end());
    return line;
}

}  // namespace

Result<ParsedLine> parse_command_line(const std::vector<std::string>& given) {
    ParsedLine line;
    std::vector<std::string> words = given;
    if (!words.empty() && names_a_folder(words)) {
        words.insert(words.begin(), "serve");
    }
    if (words.empty() || words.front() == "-h" || words.front() == "--help" ||
        (words.front() == "help" && words.size() == 1)) {
        line.kind = ParsedLine::Kind::kHelp;
        return line;
    }
    if (words.front() == "--version" || words.front() == "-V") {
        line.kind = ParsedLine::Kind::kVersion;
        return line;
    }
    if (words.front() == "--man-page") {
        line.kind = ParsedLine::Kind::kManPage;
        return line;
    }
    const std::string& name = words.front() == "help" ? words[1] : words.front();
    line.command = find_command(name);
    if (line.command == nullptr) {
        std::vector<std::string> names;
        for (const Command& command : commands()) {
            names.push_back(command.name);
        }
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("unknown {} \"{}\".{} See tradeblocks --help",
                                      name.starts_with("-") ? "option" : "command", name,
                                      did_you_mean(name, names)));
    }
    if (words.front() == "help") {
        line.kind = ParsedLine::Kind::kHelp;
        return line;
    }
    if (line.command->reads_rest) {
        return split_rest(words, *line.command);
    }
    words = with_default_addresses(words, *line.command);
    CLI::App root;
    Bound bound;
    bind(root, *line.command, bound);
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    try {
        root.parse(std::move(reversed));
    } catch (const CLI::CallForHelp&) {
        line.kind = ParsedLine::Kind::kHelp;
        return line;
    } catch (const CLI::ParseError& problem) {
        return make_error(ErrorCode::kInvalidArgument, explain(problem, words, line.command));
    }
    return read_values(bound);
}

}  // namespace tb::cli
