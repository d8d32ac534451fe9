#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/help.h"

namespace tb::cli {

namespace {

// For single-quoted shell text.
std::string shell_quoted(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return result + "'";
}

std::string option_words(const Command& command) {
    std::string words;
    for (const Option& option : command.options) {
        words += option.name + " ";
    }
    return words + "--help";
}

std::string bash_script() {
    std::string names;
    std::string cases;
    for (const Command& command : commands()) {
        names += command.name + " ";
        std::string values;
        for (const Option& option : command.options) {
            if (option.kind == ValueKind::kChoice) {
                values += fmt::format(
                    "            {}) COMPREPLY=($(compgen -W {} -- \"$current\")); return ;;\n",
                    option.name, shell_quoted(fmt::format("{}", fmt::join(option.choices, " "))));
            }
        }
        std::string words = option_words(command);
        if (command.name == "completion") {
            words += " bash zsh fish";
        }
        cases += fmt::format(
            "    {})\n"
            "        case $previous in\n{}"
            "        esac\n"
            "        words={} ;;\n",
            command.name, values, shell_quoted(words));
    }
    return fmt::format(
        R"(# bash completion for tradeblocks
_tradeblocks() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words=''
    if [[ $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W '{}--help --version' -- "$current"))
        return
    fi
    case ${{COMP_WORDS[1]}} in
{}    esac
    if [[ $current == -* || ${{COMP_WORDS[1]}} == completion ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    else
        compopt -o filenames 2>/dev/null
        local IFS=$'\n'
        COMPREPLY=($(compgen -f -- "$current"))
    fi
}}
complete -F _tradeblocks tradeblocks
)",
        names, cases);
}

// Text inside the brackets of a zsh specification.
std::string zsh_text(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\') {
            result += '\\';
        }
        result += c;
    }
    return result;
}

std::string zsh_action(ValueKind kind, const std::vector<std::string>& choices) {
    switch (kind) {
        case ValueKind::kChoice:
            return fmt::format("({})", fmt::join(choices, " "));
        case ValueKind::kDirectory:
            return "_files -/";
        case ValueKind::kFile:
            return "_files";
        default:
            return " ";
    }
}

std::string zsh_script() {
    std::string list;
    std::string cases;
    for (const Command& command : commands()) {
        list += "        " + shell_quoted(command.name + ":" + zsh_text(command.summary)) + "\n";
        std::string specs = " '(- *)'{-h,--help}'[help]'";
        for (const Option& option : command.options) {
            std::string spec = option.name + "[" + zsh_text(option.help) + "]";
            if (option.kind != ValueKind::kFlag) {
                spec += ":" + zsh_text(option.value_name) + ":" +
                        zsh_action(option.kind, option.choices);
            }
            specs += " " + shell_quoted(spec);
        }
        for (const Argument& argument : command.arguments) {
            const std::vector<std::string> shells{"bash", "zsh", "fish"};
            const bool shell = command.name == "completion";
            specs += " " + shell_quoted(
                               std::string(argument.required ? ":" : "::") + argument.name + ":" +
                               zsh_action(shell ? ValueKind::kChoice : argument.kind, shells));
        }
        cases += fmt::format("        {}) _arguments -s{} ;;\n", command.name, specs);
    }
    return fmt::format(R"(#compdef tradeblocks
_tradeblocks() {{
    local -a commands
    commands=(
{}    )
    if (( CURRENT == 2 )); then
        _describe command commands
        _arguments '--help[help]' '--version[version]'
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    case $command in
{}    esac
}}
_tradeblocks "$@"
)",
                       list, cases);
}

std::string fish_script() {
    std::string text =
        "# fish completion for tradeblocks\n"
        "complete -c tradeblocks -n __fish_use_subcommand -f -l help -d help\n"
        "complete -c tradeblocks -n __fish_use_subcommand -f -l version -d version\n";
    for (const Command& command : commands()) {
        const std::string when = fmt::format("-n '__fish_seen_subcommand_from {}'", command.name);
        text += fmt::format("complete -c tradeblocks -n __fish_use_subcommand -f -a {} -d {}\n",
                            command.name, shell_quoted(command.summary));
        for (const Option& option : command.options) {
            text += fmt::format("complete -c tradeblocks {} -l {} -d {}", when,
                                option.name.substr(2), shell_quoted(option.help));
            if (option.kind == ValueKind::kChoice) {
                text += fmt::format(
                    " -x -a {}", shell_quoted(fmt::format("{}", fmt::join(option.choices, " "))));
            } else if (option.kind != ValueKind::kFlag) {
                text += " -r";
            }
            text += "\n";
        }
        if (command.name == "completion") {
            text += fmt::format("complete -c tradeblocks {} -f -a 'bash zsh fish'\n", when);
        }
    }
    return text;
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    TB_TRY(const std::string script, completion_script(invocation.text("SHELL")));
    session.terminal.out().write(script);
    return ExitCode::kDone;
}

}  // namespace

Result<std::string> completion_script(std::string_view shell) {
    if (shell == "bash") {
        return bash_script();
    }
    if (shell == "zsh") {
        return zsh_script();
    }
    if (shell == "fish") {
        return fish_script();
    }
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("no completion for \"{}\": bash, zsh or fish", shell));
}

Command completion_command() {
    return {
        .name = "completion",
        .summary = "print a completion script for your shell",
        .description =
            "Prints a script that lets the shell complete commands and options. "
            "`./tb install` puts all three where the shells look for them.",
        .arguments = {{"SHELL", ValueKind::kText, "bash, zsh or fish"}},
        .options = {},
        .examples = {{"completion bash > ~/.local/share/bash-completion/completions/tradeblocks",
                      "for bash, from the next shell on"},
                     {"completion fish > ~/.config/fish/completions/tradeblocks.fish", "for fish"}},
        .run = run};
}

}  // namespace tb::cli
