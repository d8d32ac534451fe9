#include "cli/relay.h"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <unistd.h>

#include "cli/commands.h"
#include "cli/run.h"
#include "serve/command_relay.h"
#include "serve/place.h"

namespace tb::cli {

namespace fs = std::filesystem;

namespace {

// Between two owners: the next one is there within a second, or there is none any more.
constexpr std::chrono::milliseconds kHandover{50};
constexpr int kMaxAttempts = 200;
// An owner that answers none of so many greetings is stopped or hangs: after six seconds.
constexpr int kMaxSilences = 3;

// Names of files mean what they mean where the user is.
Result<void> make_paths_absolute(const Command& command, Invocation& invocation) {
    const auto make_absolute = [&](const std::string& name, ValueKind kind) -> Result<void> {
        const bool is_path = kind == ValueKind::kDirectory || kind == ValueKind::kFile ||
                             kind == ValueKind::kOutputFile;
        if (!is_path || !invocation.has(name) ||
            (kind == ValueKind::kOutputFile && invocation.text(name) == kStandardStream)) {
            return {};
        }
        std::error_code failed;
        const fs::path path = fs::absolute(invocation.text(name), failed);
        if (failed) {
            return make_error(ErrorCode::kIo, failed.message(), invocation.text(name));
        }
        invocation.set(name, path.string());
        return {};
    };
    for (const Argument& argument : command.arguments) {
        TB_RETURN_IF_ERROR(make_absolute(argument.name, argument.kind));
    }
    for (const Option& option : command.options) {
        TB_RETURN_IF_ERROR(make_absolute(option.name, option.kind));
    }
    return {};
}

serve::CommandRequest request_of(const Command& command, const Invocation& invocation,
                                 const TerminalSettings& settings) {
    serve::CommandRequest request;
    request.command = command.name;
    request.values = invocation.values();
    request.rest = invocation.rest;
    request.out_colour = settings.out_colour;
    request.err_colour = settings.err_colour;
    request.show_progress = settings.show_progress;
    request.width = settings.width;
    request.out_width = settings.out_width;
    return request;
}

Result<ExitCode> answer_of(const serve::RelayedCommand& relayed, Relay relay) {
    switch (relayed.kind) {
        case serve::RelayedCommand::Kind::kRefused:
            return make_error(ErrorCode::kLocked, relayed.reason);
        case serve::RelayedCommand::Kind::kSilent:
            return make_error(ErrorCode::kBusy, relayed.reason);
        case serve::RelayedCommand::Kind::kDone:
            return static_cast<ExitCode>(relayed.code);
        default:
            if (!relayed.reason.empty()) {
                return make_error(ErrorCode::kBusy, relayed.reason);
            }
            if (relay == Relay::kQuery) {
                return make_error(
                    ErrorCode::kBusy,
                    "the server that owns this folder ended while it ran the query, which is not "
                    "tried again: the query itself may have ended it. Nothing was changed");
            }
            return make_error(ErrorCode::kBusy,
                              "the server that owns this folder ended while the command ran; it "
                              "may or may not have been carried out, look before you repeat it");
    }
}

int run_for_other(tools::App& app, const serve::CommandRequest& request, int out_fd, int err_fd,
                  const CancelToken& cancel) {
    TerminalSettings settings;
    settings.out_fd = out_fd;
    settings.err_fd = err_fd;
    settings.out_colour = request.out_colour;
    settings.err_colour = request.err_colour;
    settings.show_progress = request.show_progress;
    settings.width = request.width;
    settings.out_width = request.out_width;
    Terminal terminal(settings);
    Session session{terminal, cancel, &app};
    return static_cast<int>(finish(session, [&]() -> Result<ExitCode> {
        const Command* const command = find_command(request.command);
        if (command == nullptr || command->relay == Relay::kNever) {
            return make_error(ErrorCode::kInvalidArgument, "no such command", request.command);
        }
        Invocation invocation;
        for (const auto& [name, value] : request.values) {
            invocation.set(name, value);
        }
        invocation.rest = request.rest;
        return command->run(invocation, session);
    }));
}

}  // namespace

fs::path runtime_root() {
    return serve::runtime_root([](std::string_view name) {
        const char* const value = std::getenv(std::string(name).c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    });
}

bool is_owned_elsewhere(const std::string& directory, const Session& session) {
    return session.app == nullptr && serve::is_served(directory, runtime_root());
}

Result<ExitCode> run_where_the_database_is(const Command& command, const Invocation& invocation,
                                           Session& session) {
    if (command.relay == Relay::kNever || session.app != nullptr) {
        return command.run(invocation, session);
    }
    const std::string directory = invocation.text("DIR");
    const fs::path root = runtime_root();
    Invocation absolute = invocation;
    TB_RETURN_IF_ERROR(make_paths_absolute(command, absolute));
    const TerminalSettings& settings = session.terminal.settings();
    const serve::CommandRequest request = request_of(command, absolute, settings);
    const bool may_repeat = command.relay == Relay::kRepeat || invocation.repeatable;
    // What never ends by itself goes on, whatever it has printed already.
    const bool endless = invocation.has("--watch");
    int silences = 0;
    for (int attempt = 1;; attempt += endless ? 0 : 1) {
        const serve::RelayedCommand relayed = serve::relay_command(
            directory, root, request, {settings.out_fd, settings.err_fd}, session.cancel);
        const bool silent = relayed.kind == serve::RelayedCommand::Kind::kSilent;
        silences = silent ? silences + 1 : 0;
        if (silent && silences == kMaxSilences) {
            session.terminal.warning(relayed.reason +
                                     ": it is stopped or hangs; going on without it");
        }
        if (silent && session.cancel.cancelled()) {
            return answer_of(relayed, command.relay);
        }
        if (relayed.kind == serve::RelayedCommand::Kind::kNobody || silences >= kMaxSilences) {
            auto result = command.run(invocation, session);
            const bool locked = !result && result.error().code == ErrorCode::kLocked;
            if (!locked || attempt >= kMaxAttempts || session.cancel.cancelled() ||
                !is_owned_elsewhere(directory, session)) {
                return result;
            }
        } else if (!silent && (relayed.kind != serve::RelayedCommand::Kind::kLost ||
                               (relayed.printed && !endless) || !may_repeat ||
                               attempt >= kMaxAttempts || session.cancel.cancelled())) {
            return answer_of(relayed, command.relay);
        }
        std::this_thread::sleep_for(kHandover);
    }
}

serve::CommandRunner command_runner(tools::App& app) {
    // Kept as long as the server lives: a command must find the store that the App has or will
    // have, not open and close one of its own.
    auto store = std::make_shared<std::shared_ptr<db::DataStore>>();  // made with the first command
    auto mutex = std::make_shared<std::mutex>();
    return [&app, store, mutex](const serve::CommandRequest& request, int out_fd, int err_fd,
                                const CancelToken& cancel) {
        {
            const std::lock_guard lock(*mutex);
            if (*store == nullptr) {
                auto opened =
                    db::DataStore::for_directory(app.options().data_dir, app.options().store);
                *store = opened.has_value() ? std::move(*opened) : nullptr;
            }
        }
        return run_for_other(app, request, out_fd, err_fd, cancel);
    };
}

}  // namespace tb::cli
