#include "cli/client_config.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/toml_edit.h"
#include "core/file_system.h"
#include "core/text.h"
#include "core/unique_fd.h"

namespace tb::cli {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

constexpr mode_t kPrivate = 0600;
constexpr int kMaxBackupsASecond = 100;

constexpr std::array<ClientSpec, 6> kClients{{
    {"claude-desktop", "Claude Desktop", ConfigFormat::kJson, "mcpServers", false,
     "quit Claude Desktop completely and start it again"},
    {"claude-code", "Claude Code", ConfigFormat::kJson, "mcpServers", true,
     "start a new Claude Code session; /mcp shows the server"},
    {"codex", "Codex", ConfigFormat::kToml, "mcp_servers", false,
     "start a new Codex session; /mcp shows the server"},
    {"gemini", "Gemini CLI", ConfigFormat::kJson, "mcpServers", false,
     "start Gemini CLI anew; /mcp shows the server"},
    {"vscode", "VS Code", ConfigFormat::kJson, "servers", true,
     "in VS Code run \"MCP: List Servers\" and start tradeblocks"},
    {"cursor", "Cursor", ConfigFormat::kJson, "mcpServers", false,
     "in Cursor look at Settings, MCP: tradeblocks must be switched on"},
}};

constexpr std::array<std::string_view, 3> kUrlKeys{"url", "httpUrl", "serverUrl"};
// What marks an entry as one for a server over the network: of no use beside a command.
constexpr std::array<std::string_view, 5> kRemoteKeys{"url", "httpUrl", "serverUrl", "headers",
                                                      "bearer_token_env_var"};

tl::unexpected<Error> system_error(const fs::path& where) {
    return make_error(ErrorCode::kIo, std::generic_category().message(errno), where.string());
}

std::string non_empty(const Environment& environment, std::string_view name) {
    return environment(name).value_or("");
}

// Where programs keep settings: ~/.config and its relatives.
Result<fs::path> settings_folder(Os os, const Environment& environment, const fs::path& home) {
    if (os == Os::kMac) {
        return home / "Library" / "Application Support";
    }
    if (os == Os::kWindows) {
        const std::string roaming = non_empty(environment, "APPDATA");
        return roaming.empty() ? home / "AppData" / "Roaming" : fs::path(roaming);
    }
    const fs::path chosen = non_empty(environment, "XDG_CONFIG_HOME");
    // A relative one does not count, says the XDG specification.
    return chosen.is_absolute() ? chosen : home / ".config";
}

Json entry_json(const ClientSpec& client, const ServerEntry& entry) {
    Json json = Json::object();
    if (client.says_type) {
        json["type"] = "stdio";
    }
    json["command"] = entry.command;
    json["args"] = entry.args;
    return json;
}

std::vector<TomlSetting> entry_toml(const ServerEntry& entry) {
    std::vector<std::string> args;
    args.reserve(entry.args.size());
    for (const std::string& arg : entry.args) {
        args.push_back(toml_string(arg));
    }
    return {{"command", toml_string(entry.command)},
            {"args", fmt::format("[{}]", fmt::join(args, ", "))}};
}

TomlKey toml_key(const ClientSpec& client) {
    return {std::string(client.list), std::string(kServerName)};
}

// An empty file is as good as an empty object.
Result<Json> parse_config(const ClientSpec& client, std::string_view content) {
    if (trim(content).empty()) {
        return Json(Json::object());
    }
    Json json = Json::parse(content, nullptr, false);
    if (!json.is_object()) {
        return make_error(ErrorCode::kParse, json.is_discarded()
                                                 ? "this is not plain JSON (comments, perhaps?)"
                                                 : "this is not a JSON object");
    }
    const auto list = json.find(std::string(client.list));
    if (list != json.end()) {
        if (!list->is_object()) {
            return make_error(ErrorCode::kParse,
                              fmt::format("\"{}\" is not a JSON object", client.list));
        }
        const auto own = list->find(std::string(kServerName));
        if (own != list->end() && !own->is_object()) {
            return make_error(ErrorCode::kParse,
                              fmt::format("\"{}\" is not a JSON object", kServerName));
        }
    }
    return json;
}

const Json* own_entry(const ClientSpec& client, const Json& config) {
    const auto list = config.find(std::string(client.list));
    if (list == config.end()) {
        return nullptr;
    }
    const auto own = list->find(std::string(kServerName));
    return own == list->end() ? nullptr : &*own;
}

std::string text_member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

ServerEntry entry_of(const Json& object) {
    ServerEntry entry;
    entry.command = text_member(object, "command");
    for (const std::string_view key : kUrlKeys) {
        if (entry.url.empty()) {
            entry.url = text_member(object, std::string(key).c_str());
        }
    }
    const auto args = object.find("args");
    if (args != object.end() && args->is_array()) {
        for (const Json& arg : *args) {
            entry.args.push_back(arg.is_string() ? arg.get<std::string>() : arg.dump());
        }
    }
    return entry;
}

// As the file is written now: one tab, some blanks, or no line breaks at all.
std::string dump_like(std::string_view before, const Json& json) {
    const std::string_view trimmed = trim(before);
    int indent = 2;
    char filler = ' ';
    if (!trimmed.empty()) {
        const std::size_t line = trimmed.find('\n');
        const std::size_t first =
            line == std::string_view::npos ? line : trimmed.find_first_not_of(" \t", line + 1);
        if (line == std::string_view::npos && trimmed != "{}") {
            indent = -1;
        } else if (first != std::string_view::npos && first > line + 1) {
            filler = trimmed[line + 1];
            indent = static_cast<int>(first - line - 1);
        }
    }
    std::string text = json.dump(indent, filler, false, Json::error_handler_t::replace);
    if (trimmed.empty() || before.ends_with('\n')) {
        text += '\n';
    }
    return text;
}

Result<std::string> merge_json(const ClientSpec& client, std::string_view content,
                               const ServerEntry& entry) {
    TB_TRY(Json config, parse_config(client, content));
    const Json* const there = own_entry(client, config);
    const Json wanted = entry_json(client, entry);
    Json merged = there == nullptr ? Json(Json::object()) : *there;
    for (const std::string_view key : kRemoteKeys) {
        merged.erase(std::string(key));
    }
    if (!client.says_type && merged.contains("type")) {
        merged["type"] = "stdio";
    }
    for (const auto& [key, value] : wanted.items()) {
        merged[key] = value;
    }
    if (there != nullptr && *there == merged) {
        return std::string(content);
    }
    config[std::string(client.list)][std::string(kServerName)] = std::move(merged);
    return dump_like(content, config);
}

Result<std::string> read_if_there(const fs::path& file, bool& there) {
    auto content = read_whole_file(real_file_system(), file, kMaxConfigBytes);
    there = content.has_value();
    if (!there && content.error().code == ErrorCode::kNotFound) {
        return std::string();
    }
    return content;
}

// A file that nobody had the name of before. errno tells about the name (EEXIST).
Result<void> write_new_file(const fs::path& path, std::string_view content,
                            const struct stat* like) {
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kPrivate));
    if (!fd.valid()) {
        return system_error(path);
    }
    bool good = true;
    if (like != nullptr) {
        // Under sudo the file stays the user's. Where that is not ours to give, it does not matter.
        if (::fchown(fd.get(), like->st_uid, like->st_gid) != 0) {
            errno = 0;
        }
        good = ::fchmod(fd.get(), like->st_mode & 07777U) == 0;
    }
    while (good && !content.empty()) {
        const ssize_t written = ::write(fd.get(), content.data(), content.size());
        if (written >= 0) {
            content.remove_prefix(static_cast<std::size_t>(written));
        } else {
            good = errno == EINTR;
        }
    }
    if (!good || ::fsync(fd.get()) != 0) {
        auto failed = system_error(path);
        ::unlink(path.c_str());
        return failed;
    }
    return {};
}

Result<fs::path> write_backup(const fs::path& file, std::string_view content,
                              const struct stat& like, Timestamp now) {
    std::string time = now.to_rfc3339().substr(0, 19);
    std::replace(time.begin(), time.end(), ':', '-');
    for (int number = 1;; ++number) {
        fs::path backup = file;
        backup += ".backup-" + time + (number == 1 ? "" : fmt::format("-{}", number));
        const auto written = write_new_file(backup, content, &like);
        if (written) {
            return backup;
        }
        std::error_code ignored;
        if (number >= kMaxBackupsASecond || !fs::exists(backup, ignored)) {
            return tl::unexpected<Error>(written.error());
        }
    }
}

}  // namespace

Os this_os() {
#if defined(_WIN32)
    return Os::kWindows;
#elif defined(__APPLE__)
    return Os::kMac;
#else
    return Os::kLinux;
#endif
}

std::span<const ClientSpec> clients() {
    return kClients;
}

const ClientSpec* find_client(std::string_view id) {
    const auto* const found = std::find_if(kClients.begin(), kClients.end(),
                                           [&](const auto& client) { return client.id == id; });
    return found == kClients.end() ? nullptr : found;
}

Result<fs::path> client_file(const ClientSpec& client, Os os, const Environment& environment) {
    const char* const home_name = os == Os::kWindows ? "USERPROFILE" : "HOME";
    const fs::path home = non_empty(environment, home_name);
    if (home.empty()) {
        return make_error(ErrorCode::kNotFound,
                          fmt::format("{} is not set: where is your home folder?", home_name));
    }
    if (client.id == "claude-code") {
        const fs::path chosen = non_empty(environment, "CLAUDE_CONFIG_DIR");
        return (chosen.empty() ? home : chosen) / ".claude.json";
    }
    if (client.id == "codex") {
        const fs::path chosen = non_empty(environment, "CODEX_HOME");
        return (chosen.empty() ? home / ".codex" : chosen) / "config.toml";
    }
    if (client.id == "gemini") {
        return home / ".gemini" / "settings.json";
    }
    if (client.id == "cursor") {
        return home / ".cursor" / "mcp.json";
    }
    TB_TRY(const fs::path settings, settings_folder(os, environment, home));
    return client.id == "vscode" ? settings / "Code" / "User" / "mcp.json"
                                 : settings / "Claude" / "claude_desktop_config.json";
}

bool is_installed(const ClientSpec& client, const fs::path& file) {
    std::error_code failed;
    // The folder of claude-code's file is the home folder, which says nothing.
    const fs::path folder =
        client.id == "claude-code" ? file.parent_path() / ".claude" : file.parent_path();
    return fs::exists(file, failed) || fs::is_directory(folder, failed);
}

std::string client_snippet(const ClientSpec& client, const ServerEntry& entry) {
    if (client.format == ConfigFormat::kToml) {
        return set_in_toml_table("", toml_key(client), entry_toml(entry)).value_or("");
    }
    Json json;
    json[std::string(client.list)][std::string(kServerName)] = entry_json(client, entry);
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<std::optional<ServerEntry>> read_entry(const ClientSpec& client, std::string_view content) {
    if (client.format == ConfigFormat::kJson) {
        TB_TRY(const Json config, parse_config(client, content));
        const Json* const own = own_entry(client, config);
        return own == nullptr ? std::nullopt : std::optional(entry_of(*own));
    }
    TB_TRY(const auto table, toml_table(content, toml_key(client)));
    if (!table.has_value()) {
        return std::optional<ServerEntry>();
    }
    ServerEntry entry;
    for (const TomlStatement& statement : *table) {
        if (statement.key.back() == "command") {
            entry.command = statement.value.text.value_or("");
        } else if (statement.key.back() == "args") {
            entry.args = statement.value.texts.value_or(std::vector<std::string>());
        } else if (statement.key.back() == "url") {
            entry.url = statement.value.text.value_or("");
        }
    }
    return std::optional(std::move(entry));
}

std::optional<std::string> switched_off(const ClientSpec& client, std::string_view content) {
    if (client.format == ConfigFormat::kToml) {
        const auto table = toml_table(content, toml_key(client));
        if (table.has_value() && table->has_value()) {
            for (const TomlStatement& statement : **table) {
                const std::string_view value = content.substr(
                    statement.value_begin, statement.value_end - statement.value_begin);
                if (statement.key.back() == "enabled" && trim(value) == "false") {
                    return "enabled = false in its table";
                }
            }
        }
        return std::nullopt;
    }
    const auto config = parse_config(client, content);
    const Json* const own = config.has_value() ? own_entry(client, *config) : nullptr;
    if (own == nullptr || !own->is_object()) {
        return std::nullopt;
    }
    const auto says = [](const Json& object, const char* name, bool value) {
        const auto found = object.find(name);
        return found != object.end() && found->is_boolean() && found->get<bool>() == value;
    };
    if (says(*own, "disabled", true) || says(*own, "enabled", false)) {
        return says(*own, "disabled", true) ? "\"disabled\": true in the entry"
                                            : "\"enabled\": false in the entry";
    }
    const auto names_us = [](const Json& list) {
        return list.is_array() && std::find(list.begin(), list.end(), kServerName) != list.end();
    };
    // Gemini CLI keeps lists of servers beside the entries.
    if (const auto mcp = config->find("mcp"); mcp != config->end() && mcp->is_object()) {
        if (mcp->contains("excluded") && names_us((*mcp)["excluded"])) {
            return "it is in the list mcp.excluded";
        }
        if (mcp->contains("allowed") && !names_us((*mcp)["allowed"])) {
            return "it is missing in the list mcp.allowed";
        }
    }
    // Claude Code keeps one per project.
    if (const auto projects = config->find("projects");
        projects != config->end() && projects->is_object()) {
        for (const auto& [folder, project] : projects->items()) {
            if (project.is_object() && project.contains("disabledMcpServers") &&
                names_us(project["disabledMcpServers"])) {
                return "for the project " + folder;
            }
        }
    }
    return std::nullopt;
}

Result<std::string> merge_entry(const ClientSpec& client, std::string_view content,
                                const ServerEntry& entry) {
    if (client.format == ConfigFormat::kJson) {
        return merge_json(client, content, entry);
    }
    TB_TRY(const auto table, toml_table(content, toml_key(client)));
    const auto says = [&](std::string_view key) {
        return std::any_of(table->begin(), table->end(),
                           [&](const auto& statement) { return statement.key.back() == key; });
    };
    if (table.has_value() && std::none_of(kRemoteKeys.begin(), kRemoteKeys.end(), says)) {
        TB_TRY(const auto there, read_entry(client, content));
        if (there == entry) {
            return std::string(content);
        }
    }
    std::vector<TomlSetting> settings = entry_toml(entry);
    for (const std::string_view key : kRemoteKeys) {
        settings.push_back({std::string(key), ""});
    }
    return set_in_toml_table(content, toml_key(client), settings);
}

std::string described(const ServerEntry& entry) {
    if (entry.command.empty() && !entry.url.empty()) {
        return entry.url;
    }
    return fmt::format("{} {}", entry.command, fmt::join(entry.args, " "));
}

Result<Installed> install_entry(const ClientSpec& client, const fs::path& file,
                                const ServerEntry& entry, Timestamp now) {
    Installed done;
    std::error_code failed;
    // A link, as managers of dot files make them, stays a link.
    done.file = fs::weakly_canonical(file, failed);
    if (failed) {
        return make_error(ErrorCode::kIo, failed.message(), file.string());
    }
    bool there = false;
    TB_TRY(const std::string before, read_if_there(done.file, there));
    const auto merged = merge_entry(client, before, entry);
    if (!merged) {
        return with_context(merged.error(), done.file.string());
    }
    if (there && *merged == before) {
        return done;
    }
    TB_TRY(done.replaced, read_entry(client, before));
    fs::create_directories(done.file.parent_path(), failed);
    if (failed) {
        return make_error(ErrorCode::kIo, failed.message(), done.file.parent_path().string());
    }
    struct stat status {};
    if (there) {
        if (::stat(done.file.c_str(), &status) != 0) {
            return system_error(done.file);
        }
        TB_TRY(done.backup, write_backup(done.file, before, status, now));
    }
    fs::path fresh = done.file;
    fresh += fmt::format(".new~{}", ::getpid());
    TB_RETURN_IF_ERROR(write_new_file(fresh, *merged, there ? &status : nullptr));
    bool still_there = false;
    const auto still = read_if_there(done.file, still_there);
    if (!still || still_there != there || *still != before) {
        ::unlink(fresh.c_str());
        return make_error(
            ErrorCode::kBusy,
            fmt::format("{} rewrote this file just now; close it and try again", client.title),
            done.file.string());
    }
    if (::rename(fresh.c_str(), done.file.c_str()) != 0) {
        auto error = system_error(done.file);
        ::unlink(fresh.c_str());
        return error;
    }
    done.changed = true;
    return done;
}

Result<fs::path> program_path() {
    std::error_code failed;
    fs::path path = fs::read_symlink("/proc/self/exe", failed);
    if (failed) {
        return make_error(ErrorCode::kIo, failed.message(), "/proc/self/exe");
    }
    return path;
}

}  // namespace tb::cli
