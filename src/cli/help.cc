#include "cli/help.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/commands.h"
#include "core/version.h"

namespace tb::cli {

namespace {

constexpr std::size_t kWidth = 80;

std::vector<std::string_view> paragraphs(std::string_view text) {
    std::vector<std::string_view> result;
    while (!text.empty()) {
        const std::size_t end = text.find("\n\n");
        result.push_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
    }
    return result;
}

std::string option_syntax(const Option& option) {
    if (option.kind == ValueKind::kFlag) {
        return option.name;
    }
    if (option.kind == ValueKind::kAddress) {
        return option.name + " [" + option.value_name + "]";
    }
    const std::string names =
        option.short_name.empty() ? option.name : option.short_name + ", " + option.name;
    return names + " " +
           (option.kind == ValueKind::kChoice ? fmt::format("{}", fmt::join(option.choices, "|"))
                                              : option.value_name);
}

// Two columns: what, and what it means, the second wrapped beside the first.
std::string definition(std::string_view term, std::string_view meaning) {
    constexpr std::size_t kIndent = 26;
    const std::string text = wrapped(meaning, kIndent, kWidth);
    const std::string head = "  " + std::string(term);
    if (head.size() + 2 <= kIndent) {
        return head + text.substr(std::min(head.size(), text.size()));
    }
    return head + "\n" + text;
}

std::string option_help(const Option& option) {
    return option.default_text.empty() ? option.help
                                       : option.help + " (default " + option.default_text + ")";
}

// Text for troff: a backslash, a leading dot or quote, and minus signs need care.
std::string troff(std::string_view text) {
    std::string result;
    bool line_start = true;
    for (const char c : text) {
        if (line_start && (c == '.' || c == '\'')) {
            result += "\\&";
        }
        line_start = c == '\n';
        if (c == '\\') {
            result += "\\e";
        } else if (c == '-') {
            result += "\\-";
        } else if (c == '|') {
            result += "|\\:";  // a line may end here, in a long list of choices
        } else {
            result += c;
        }
    }
    return result;
}

}  // namespace

const std::vector<ExitCodeText>& exit_code_texts() {
    static const std::vector<ExitCodeText> texts{
        {0, "done"},
        {1, "failed; the reason is on standard error"},
        {2, "the command line is wrong"},
        {3, "done, but some blocks failed or were deferred (half-written or unreadable files)"},
        {4, "the data directory is busy or its database locked by another process"},
        {130, "interrupted (Ctrl-C); the database is consistent"},
    };
    return texts;
}

const std::vector<EnvironmentText>& environment_texts() {
    static const std::vector<EnvironmentText> texts{
        {"DUCKDB_MEMORY_LIMIT", "memory the database engine may use, default 512MB"},
        {"DUCKDB_THREADS", "threads of the database engine, default 2"},
        {"TRADEBLOCKS_TOKEN",
         "tokens that clients over HTTP must have; see tradeblocks serve --help"},
        {"TRADEBLOCKS_RUNTIME_DIR",
         "folder where the processes of one data directory find each other, default "
         "/run/user/UID/tradeblocks or /tmp/tradeblocks-UID"},
        {"NO_COLOR", "when set and not empty: no colours"},
        {"TRADEBLOCKS_LOG",
         "debug, info, warning (default), error or off: log lines on standard "
         "error"},
    };
    return texts;
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
    std::string result;
    std::string line;
    const auto end_line = [&] {
        if (!line.empty()) {
            result += std::string(indent, ' ') + line + "\n";
            line.clear();
        }
    };
    while (!text.empty()) {
        const std::size_t end = text.find_first_of(" \n");
        const std::string_view word = text.substr(0, end);
        if (!line.empty() && indent + display_width(line) + 1 + display_width(word) > width) {
            end_line();
        }
        if (!word.empty()) {
            line += (line.empty() ? "" : " ") + std::string(word);
        }
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    end_line();
    return result;
}

std::string synopsis(const Command& command) {
    std::string text = command.name;
    for (const Argument& argument : command.arguments) {
        text += argument.required ? " " + argument.name : " [" + argument.name + "]";
    }
    for (const Option& option : command.options) {
        text += " [" + option_syntax(option) + "]";
    }
    if (!command.rest_syntax.empty()) {
        text += " " + command.rest_syntax;
    }
    return text;
}

std::string program_help() {
    std::string text = fmt::format(
        "tradeblocks {} - options-trading CSV folders as an always-fresh database\n\n"
        "Usage: tradeblocks COMMAND [ARGUMENTS]\n"
        "       tradeblocks DIR            the same as: tradeblocks serve DIR\n\n",
        kVersion);
    text += wrapped(
        "A data directory holds one folder per portfolio (\"block\") with the CSV files your "
        "backtester or broker exported. tradeblocks reads them into one database file beside them, "
        "analytics.duckdb, and keeps it exactly as the files are. It never changes your files.",
        0, kWidth);
    text += "\nCommands:\n";
    for (const Command& command : commands()) {
        text += fmt::format("  {:<12} {}\n", command.name, command.summary);
    }
    text +=
        "\nFirst steps:\n"
        "  tradeblocks demo               make a sample data directory and look at it\n"
        "  tradeblocks sync ~/Trades      read your own exports\n"
        "  tradeblocks issues ~/Trades    which rows were skipped or repaired, and why\n"
        "  tradeblocks COMMAND --help     what a command does, with examples\n"
        "\nExit codes:\n";
    for (const auto& [code, meaning] : exit_code_texts()) {
        text += definition(std::to_string(code), meaning);
    }
    text += "\nEnvironment:\n";
    for (const auto& [name, meaning] : environment_texts()) {
        text += definition(name, meaning);
    }
    return text;
}

std::string command_help(const Command& command) {
    std::string text =
        fmt::format("tradeblocks {} - {}\n\nUsage:\n", command.name, command.summary);
    const std::string usage = wrapped("tradeblocks " + synopsis(command), 4, kWidth);
    text += "  " + usage.substr(4) + "\n";
    for (const std::string_view paragraph : paragraphs(command.description)) {
        text += wrapped(paragraph, 0, kWidth) + "\n";
    }
    if (!command.arguments.empty()) {
        text += "Arguments:\n";
        for (const Argument& argument : command.arguments) {
            text += definition(argument.name, argument.help);
        }
        text += "\n";
    }
    text += "Options:\n";
    for (const Option& option : command.options) {
        text += definition(option_syntax(option), option_help(option));
    }
    text += definition("-h, --help", "this text");
    if (!command.examples.empty()) {
        text += "\nExamples:\n";
        for (const Example& example : command.examples) {
            text += fmt::format("  tradeblocks {}\n{}", example.command,
                                wrapped(example.meaning, 6, kWidth));
        }
    }
    return text;
}

std::string man_page() {
    std::string text = fmt::format(
        ".TH TRADEBLOCKS 1 \"\" \"tradeblocks {}\" \"User Commands\"\n"
        // Names of options are not to be broken into two lines.
        ".nh\n.ad l\n"
        ".SH NAME\ntradeblocks \\- options\\-trading CSV folders as an always\\-fresh database\n"
        ".SH SYNOPSIS\n.B tradeblocks\n.I COMMAND\n[\\fIARGUMENTS\\fR]\n"
        ".SH DESCRIPTION\n"
        "A data directory holds one folder per portfolio (block) with exported CSV files.\n"
        "tradeblocks reads them into one DuckDB file beside them, analytics.duckdb, keeps it\n"
        "exactly as the files are, and answers from it. It never changes the CSV files.\n"
        ".SH COMMANDS\n",
        troff(kVersion));
    for (const Command& command : commands()) {
        text += fmt::format(".SS \"tradeblocks {}\"\n", troff(synopsis(command)));
        for (const std::string_view paragraph : paragraphs(command.description)) {
            text += troff(wrapped(paragraph, 0, kWidth)) + ".PP\n";
        }
        for (const Argument& argument : command.arguments) {
            text +=
                fmt::format(".TP\n\\fI{}\\fR\n{}\n", troff(argument.name), troff(argument.help));
        }
        for (const Option& option : command.options) {
            text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", troff(option_syntax(option)),
                                troff(option_help(option)));
        }
        for (const Example& example : command.examples) {
            text += fmt::format(".PP\n{}\n.PP\n.RS\n.nf\ntradeblocks {}\n.fi\n.RE\n",
                                troff(example.meaning), troff(example.command));
        }
    }
    text += ".SH EXIT STATUS\n";
    for (const auto& [code, meaning] : exit_code_texts()) {
        text += fmt::format(".TP\n.B {}\n{}\n", code, troff(meaning));
    }
    text += ".SH ENVIRONMENT\n";
    for (const auto& [name, meaning] : environment_texts()) {
        text += fmt::format(".TP\n.B {}\n{}\n", name, troff(meaning));
    }
    text +=
        ".SH FILES\n.TP\n.I DIR/analytics.duckdb\nthe database; may be deleted, except that market "
        "history\nand the log of changes live only there and in .tradeblocks\n"
        ".TP\n.I DIR/.tradeblocks/\nour own side files\n";
    return text;
}

}  // namespace tb::cli
