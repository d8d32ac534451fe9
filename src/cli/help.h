// The texts derived from the command table: help, man page, shell completion.
//
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "cli/command.h"

namespace tb::cli {

[[nodiscard]] std::string program_help();
[[nodiscard]] std::string command_help(const Command& command);
// troff source of tradeblocks(1).
[[nodiscard]] std::string man_page();
// kInvalidArgument for other shells than bash, zsh, fish.
[[nodiscard]] Result<std::string> completion_script(std::string_view shell);

// "sync [--block ID] [--json] DIR".
[[nodiscard]] std::string synopsis(const Command& command);
// Words broken into lines of at most `width` characters, each after `indent` blanks.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

struct ExitCodeText {
    int code;
    std::string_view meaning;
};
[[nodiscard]] const std::vector<ExitCodeText>& exit_code_texts();
struct EnvironmentText {
    std::string_view name;
    std::string_view meaning;
};
[[nodiscard]] const std::vector<EnvironmentText>& environment_texts();

}  // namespace tb::cli
