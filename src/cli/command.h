// A command is one entry of the table in commands.cc: what it takes, what it says about itself and
// the function that does it. Parsing, --help, the man page and shell completion all derive from it.
//
// Adding a command: write src/cli/cmd_<name>.cc with one function `Command <name>_command()`,
// declare it in commands.h and name it in commands.cc.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "core/cancel.h"
#include "core/result.h"

namespace tb::tools {
class App;
}

namespace tb::cli {

enum class ValueKind {
    kFlag,       // no value
    kText,       // anything
    kNumber,     // whole number >= 0
    kSeconds,    // number > 0, fractions allowed
    kChoice,     // one of Option::choices
    kAddress,    // [HOST:]PORT; may be left out (the option's default then)
    kDirectory,  // completed by the shell, like all that follow
    kFile,
    kOutputFile,  // written by the command; "-" is its standard output
    kBlock,       // a block of the data directory before it
    kTool,        // a tool of the server
};

// As the value of kOutputFile.
inline constexpr const char* kStandardStream = "-";

struct Option {
    std::string name;  // "--limit"
    ValueKind kind = ValueKind::kFlag;
    std::string value_name;  // "N"
    std::string help;        // one sentence without a full stop
    std::vector<std::string> choices;
    std::string default_text;     // shown in help; the command applies it
    std::string short_name = {};  // "-o"; most have none
};

struct Argument {
    std::string name;  // "DIR"
    ValueKind kind = ValueKind::kText;
    std::string help;
    bool required = true;
    std::vector<std::string> choices = {};  // of kChoice; for completion, the command checks
};

struct Example {
    std::string command;  // after "tradeblocks "
    std::string meaning;
};

// What the user asked for, checked against the command's table entry.
class Invocation {
  public:
    void set(const std::string& name, std::string value) { values_[name] = std::move(value); }
    [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }
    // The value of an argument or option; empty if not given.
    [[nodiscard]] std::string text(const std::string& name) const;
    // Of kNumber options.
    [[nodiscard]] std::optional<std::int64_t> number(const std::string& name) const;
    // Of kSeconds options.
    [[nodiscard]] std::optional<double> seconds(const std::string& name) const;
    [[nodiscard]] const std::map<std::string, std::string>& values() const { return values_; }

    // Words after the arguments, of commands that read them themselves (Command::reads_rest).
    std::vector<std::string> rest;
    // See Relay::kRepeat; prepare() may set it.
    bool repeatable = false;

  private:
    std::map<std::string, std::string> values_;
};

// What a command may use of the outside world.
struct Session {
    Terminal& terminal;
    CancelToken cancel;  // cancelled by Ctrl-C
    // The App of the server in whose process the command runs; null = a process of its own.
    tools::App* app = nullptr;
};

// What becomes of a command on a data directory (argument DIR) that another process owns (00 §6).
enum class Relay {
    kNever,   // it has no use for the database
    kOnce,    // it runs in the owner
    kRepeat,  // the same, and again with the next owner if the first one ends: it does no harm
              // twice
    kQuery,  // once, too: it reads, but runs what the user wrote, which may be what ended the owner
};

struct Command {
    using Run = Result<ExitCode> (*)(const Invocation& invocation, Session& session);
    // Runs first, always in the process that was started: reads standard input, checks what can be
    // checked. kInvalidArgument is an error of the command line.
    using Prepare = Result<void> (*)(Invocation& invocation);

    std::string name;
    std::string summary;      // one line, for the list of commands
    std::string description;  // paragraphs separated by blank lines
    std::vector<Argument> arguments;
    std::vector<Option> options;
    std::vector<Example> examples;
    Run run = nullptr;
    Prepare prepare = nullptr;
    Relay relay = Relay::kNever;
    bool reads_rest = false;       // words after the arguments go to Invocation::rest as they are
    std::string rest_syntax = {};  // of these words, for help: "[--FLAG VALUE]..."
};

}  // namespace tb::cli
