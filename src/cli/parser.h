// The command line into a command and its values.
//
// The only user of the CLI11 library, which takes seconds to compile.
//
// Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace tb::cli {

struct ParsedLine {
    enum class Kind {
        kRun,
        kHelp,  // of `command`, or of the program if that is null
        kVersion,
        kManPage,  // hidden: --man-page, for the build
    };
    Kind kind = Kind::kRun;
    const Command* command = nullptr;
    Invocation invocation;
};

// `words` without the program's own name. kInvalidArgument with a text that says what is wrong and
// what would be right.
[[nodiscard]] Result<ParsedLine> parse_command_line(const std::vector<std::string>& words);

}  // namespace tb::cli
