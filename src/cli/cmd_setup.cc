#include <cstdlib>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "cli/client_config.h"
#include "cli/commands.h"
#include "core/file_system.h"
#include "core/output_file.h"

namespace tb::cli {

namespace {

namespace fs = std::filesystem;

std::optional<std::string> environment(std::string_view name) {
    const char* const value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string client_ids() {
    std::string ids;
    for (const ClientSpec& client : clients()) {
        ids += (ids.empty() ? "" : ", ") + std::string(client.id);
    }
    return ids;
}

Result<void> prepare(Invocation& invocation) {
    if (find_client(invocation.text("CLIENT")) == nullptr) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("there is no client \"{}\"; there are {}",
                                      invocation.text("CLIENT"), client_ids()));
    }
    return {};
}

Result<ServerEntry> entry_for(const Invocation& invocation) {
    const std::string directory = invocation.text("DIR");
    std::error_code failed;
    if (!fs::is_directory(directory, failed)) {
        return make_error(ErrorCode::kNotFound,
                          "no such folder; name the data directory that holds one folder per block",
                          directory);
    }
    const fs::path absolute = fs::canonical(directory, failed);
    if (failed) {
        return make_error(ErrorCode::kIo, failed.message(), directory);
    }
    TB_TRY(const fs::path program, program_path());
    ServerEntry entry{program.string(), {"serve", absolute.string()}};
    if (invocation.has("--read-only")) {
        entry.args.emplace_back("--read-only");
    }
    return entry;
}

// Variables may move the client's file to anywhere; a home folder that is itself a data directory
// is the user's wish.
Result<void> check_place(const fs::path& file, const Invocation& invocation) {
    const std::vector<fs::path> named{invocation.text("DIR")};
    const auto around = data_directory_around(file, named);
    if (around.has_value() && !data_directory_around(environment("HOME").value_or(""), named)) {
        return make_error(ErrorCode::kRefused,
                          fmt::format("lies in the data directory {}, where nothing but your "
                                      "exports belongs",
                                      around->string()),
                          file.string());
    }
    return {};
}

// What stands in the way of an entry that is in its place.
void report_obstacles(const ClientSpec& client, const fs::path& file, bool was_installed,
                      Terminal& terminal) {
    if (!was_installed) {
        terminal.note(
            fmt::format("there is no sign of {} here: neither {} nor its folder was "
                        "there. The entry waits for it",
                        client.title, file.string()));
    }
    const auto content = read_whole_file(real_file_system(), file, kMaxConfigBytes);
    if (!content.has_value()) {
        return;
    }
    if (const auto off = switched_off(client, *content)) {
        terminal.warning(
            fmt::format("the entry is switched off in {} ({}): switch it on there, or "
                        "in the settings of {}",
                        file.string(), *off, client.title));
    }
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    const ClientSpec& client = *find_client(invocation.text("CLIENT"));
    TB_TRY(const ServerEntry entry, entry_for(invocation));
    TB_TRY(const fs::path file, client_file(client, this_os(), environment));
    Output& out = session.terminal.out();
    if (invocation.has("--print")) {
        session.terminal.note(fmt::format("goes into {}", file.string()));
        out.write(client_snippet(client, entry));
        return ExitCode::kDone;
    }
    TB_RETURN_IF_ERROR(check_place(file, invocation));
    const bool was_installed = is_installed(client, file);
    const auto done = install_entry(client, file, entry, system_clock().now());
    if (!done) {
        const ErrorCode code = done.error().code;
        if (code == ErrorCode::kParse || code == ErrorCode::kRefused) {
            session.terminal.error(done.error());
            session.terminal.note("the file was left as it is; put this into it by hand:");
            out.write(client_snippet(client, entry));
            return ExitCode::kFailed;
        }
        return tl::unexpected<Error>(done.error());
    }
    if (!done->changed) {
        out.write(fmt::format("{} has this entry already: {}\n", client.title,
                              printable(done->file.string())));
        report_obstacles(client, file, was_installed, session.terminal);
        return ExitCode::kDone;
    }
    out.write(fmt::format("{} now serves {} to {}\nwritten: {}\n", kServerName,
                          printable(entry.args[1]), client.title, printable(done->file.string())));
    if (!done->backup.empty()) {
        out.write(fmt::format("backup:  {}\n", printable(done->backup.string())));
    }
    if (done->replaced.has_value()) {
        out.write(fmt::format("instead of: {}\n", printable(described(*done->replaced))));
    }
    out.write(fmt::format("next: {}\n", client.finish));
    report_obstacles(client, file, was_installed, session.terminal);
    return ExitCode::kDone;
}

}  // namespace

Command setup_command() {
    std::vector<std::string> ids;
    for (const ClientSpec& client : clients()) {
        ids.emplace_back(client.id);
    }
    return {.name = "setup",
            .summary = "enter the data directory into an assistant's configuration",
            .description =
                "Adds an entry \"tradeblocks\" to the list of MCP servers in the client's own "
                "configuration file, so that the assistant starts this program on the data "
                "directory. Everything else in the file stays; a backup is put beside it. A file "
                "that cannot be understood is left alone, and the entry is printed instead.\n\n"
                "Clients: claude-desktop, claude-code, codex, gemini, vscode, cursor.",
            .arguments = {{"CLIENT", ValueKind::kChoice, "which assistant", true, std::move(ids)},
                          {"DIR", ValueKind::kDirectory, "the data directory"}},
            .options = {{"--print",
                         ValueKind::kFlag,
                         "",
                         "only print the entry and where it goes; change nothing",
                         {},
                         ""},
                        {"--read-only",
                         ValueKind::kFlag,
                         "",
                         "the assistant gets no tool that writes",
                         {},
                         ""}},
            .examples = {{"setup claude-desktop ~/Trades", "write the entry"},
                         {"setup codex ~/Trades --print", "show it, to paste it by hand"}},
            .run = run,
            .prepare = prepare};
}

}  // namespace tb::cli
