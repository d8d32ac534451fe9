#include <utility>

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

// What bash is to offer for a value: "words:a b", "directory", "block", "tool" or "file".
std::string bash_kind(ValueKind kind, const std::vector<std::string>& choices) {
    switch (kind) {
        case ValueKind::kChoice:
            return fmt::format("words:{}", fmt::join(choices, " "));
        case ValueKind::kDirectory:
            return "directory";
        case ValueKind::kBlock:
            return "block";
        case ValueKind::kTool:
            return "tool";
        default:
            return "file";
    }
}

std::string bash_case(const Command& command) {
    std::string kinds;
    for (const Argument& argument : command.arguments) {
        kinds += " " + shell_quoted(bash_kind(argument.kind, argument.choices));
    }
    std::string values;
    for (const Option& option : command.options) {
        if (option.kind != ValueKind::kFlag) {
            values += fmt::format(" [{}]={}", option.name,
                                  shell_quoted(bash_kind(option.kind, option.choices)));
        }
    }
    return fmt::format("    {}) words={} kinds=({}) values=({}) ;;\n", command.name,
                       shell_quoted(option_words(command)), kinds, values);
}

std::string bash_script() {
    std::string names;
    std::string cases;
    for (const Command& command : commands()) {
        names += command.name + " ";
        cases += bash_case(command);
    }
    return fmt::format(
        R"sh(# bash completion for tradeblocks
# The blocks of the data directory $1.
_tradeblocks_blocks() {{
    local directory=${{1//\\/}} begin=${{2//\\/}} name
    directory=${{directory#[\"\']}} begin=${{begin#[\"\']}}
    directory=${{directory%[\"\']}}
    [[ $directory == '~'* ]] && directory=$HOME${{directory#'~'}}
    while IFS= read -r name; do
        [[ $name == [._]* ]] || COMPREPLY+=("$name")
    done < <(CDPATH='' cd -- "$directory" 2>/dev/null && compgen -d -- "$begin")
}}
_tradeblocks() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
    local words='' kind='' directory='' at=0 i
    local -a kinds=()
    local -A values=()
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W '{}--help --version' -- "$current"))
        [[ -z $current || ${{#COMPREPLY[@]}} -gt 0 ]] && return
        kinds=(directory)
    fi
    case ${{COMP_WORDS[1]}} in
{}    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$current"))
        return
    fi
    for ((i = 2; i < COMP_CWORD; i++)); do
        if [[ ${{COMP_WORDS[i]}} != -* && -z ${{values[${{COMP_WORDS[i-1]:-.}}]}} ]]; then
            [[ ${{kinds[at]}} == directory ]] && directory=${{COMP_WORDS[i]}}
            ((at++))
        fi
    done
    kind=${{values[${{previous:-.}}]:-${{kinds[at]:-file}}}}
    case $kind in
    words:*) COMPREPLY=($(compgen -W "${{kind#words:}}" -- "$current")) ;;
    tool) COMPREPLY=($(compgen -W "$(tradeblocks tools 2>/dev/null |
        while read -r name rest; do [[ -n $rest ]] && echo "$name"; done)" -- "$current")) ;;
    block) compopt -o filenames 2>/dev/null; _tradeblocks_blocks "$directory" "$current" ;;
    *)
        compopt -o filenames 2>/dev/null
        local IFS=$'\n'
        COMPREPLY=($(compgen -${{kind:0:1}} -- "$current")) ;;
    esac
}}
complete -F _tradeblocks tradeblocks
)sh",
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
        case ValueKind::kOutputFile:
            return "_files";
        case ValueKind::kBlock:
            return "_tradeblocks_blocks";
        case ValueKind::kTool:
            return "_tradeblocks_tools";
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
            specs +=
                " " + shell_quoted(std::string(argument.required ? ":" : "::") + argument.name +
                                   ":" + zsh_action(argument.kind, argument.choices));
        }
        cases += fmt::format("        {}) _arguments -s{} ;;\n", command.name, specs);
    }
    return fmt::format(R"sh(#compdef tradeblocks
_tradeblocks_blocks() {{
    local directory=${{(Q)words[2]}}
    _path_files -/ -W "${{directory/#\~/$HOME}}" -F '[._]*'
}}
_tradeblocks_tools() {{
    local -a tools
    tools=(${{(f)"$(tradeblocks tools 2>/dev/null | while read -r name rest; do
        [[ -n $rest ]] && print -r -- $name; done)"}})
    compadd -a tools
}}
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
)sh",
                       list, cases);
}

// The values to offer: `closed` goes with a list of our own, `open` with files.
std::string fish_values(ValueKind kind, const std::vector<std::string>& choices,
                        std::string_view closed, std::string_view open) {
    switch (kind) {
        case ValueKind::kChoice:
            return fmt::format("{} -a {}", closed,
                               shell_quoted(fmt::format("{}", fmt::join(choices, " "))));
        case ValueKind::kBlock:
            return " -a '(__tradeblocks_blocks)'";
        case ValueKind::kTool:
            return " -a '(__tradeblocks_tools)'";
        default:
            return std::string(open);
    }
}

std::string fish_script() {
    std::string text =
        "# fish completion for tradeblocks\n"
        "complete -c tradeblocks -n __fish_use_subcommand -f -l help -d help\n"
        "complete -c tradeblocks -n __fish_use_subcommand -f -l version -d version\n"
        "# The blocks of the data directory, the first argument of most commands.\n"
        "function __tradeblocks_blocks\n"
        "    set -l words (commandline -opc)\n"
        "    test (count $words) -ge 3; or return\n"
        "    set -l directory (string replace -r '^~' $HOME (string unescape -- $words[3]))\n"
        "    for folder in $directory/*/\n"
        "        string match -rv '^[._]' (basename $folder)\n"
        "    end\n"
        "end\n"
        "function __tradeblocks_tools\n"
        "    tradeblocks tools 2>/dev/null | string replace -rf '^  (\\w+).*' '$1'\n"
        "end\n";
    for (const Command& command : commands()) {
        const std::string when = fmt::format("-n '__fish_seen_subcommand_from {}'", command.name);
        text += fmt::format("complete -c tradeblocks -n __fish_use_subcommand -f -a {} -d {}\n",
                            command.name, shell_quoted(command.summary));
        for (const Option& option : command.options) {
            text += fmt::format("complete -c tradeblocks {} -l {} -d {}", when,
                                option.name.substr(2), shell_quoted(option.help));
            if (option.kind != ValueKind::kFlag) {
                text += fish_values(option.kind, option.choices, " -x", " -r");
            }
            text += "\n";
        }
        std::string before;
        for (const Argument& argument : command.arguments) {
            const std::string values = fish_values(argument.kind, argument.choices, " -f", "");
            if (values != std::exchange(before, values) && !values.empty()) {
                text += fmt::format("complete -c tradeblocks {}{}\n", when, values);
            }
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
            "Prints a script that lets the shell complete commands, options and blocks. "
            "`./tb install` puts all three where the shells look for them.",
        .arguments =
            {{"SHELL", ValueKind::kChoice, "bash, zsh or fish", true, {"bash", "zsh", "fish"}}},
        .options = {},
        .examples = {{"completion bash > ~/.local/share/bash-completion/completions/tradeblocks",
                      "for bash, from the next shell on"},
                     {"completion fish > ~/.config/fish/completions/tradeblocks.fish", "for fish"}},
        .run = run};
}

}  // namespace tb::cli
