// The assistants this program can be entered into: where each keeps its list of MCP servers, what
// an entry looks like there, and how ours gets into it.
//
//     const ClientSpec* client = find_client("cursor");
//     TB_TRY(const auto file, client_file(*client, this_os(), environment));
//     TB_TRY(const auto done, install_entry(*client, file, entry, now));
//
// Nothing but our own entry is changed. A file that cannot be understood is left alone, and so is
// one that its owner rewrote meanwhile.
//
// Thread-safe (no state).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace tb::cli {

// The name of our entry in every client.
inline constexpr std::string_view kServerName = "tradeblocks";

// Histories of conversations are kept in some of the clients' files.
inline constexpr std::uint64_t kMaxConfigBytes = 256U << 20U;

enum class Os { kLinux, kMac, kWindows };
[[nodiscard]] Os this_os();

// Looks a variable up; nullopt when it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

enum class ConfigFormat { kJson, kToml };

struct ClientSpec {
    std::string_view id;     // "claude-desktop"
    std::string_view title;  // "Claude Desktop"
    ConfigFormat format = ConfigFormat::kJson;
    std::string_view list;    // the member (table) that holds the servers
    bool says_type = false;   // entries say "type": "stdio"
    std::string_view finish;  // what the user does afterwards
};

[[nodiscard]] std::span<const ClientSpec> clients();
// nullptr if it is none of them.
[[nodiscard]] const ClientSpec* find_client(std::string_view id);

// The file of this user. kNotFound when the environment does not say where the home folder is.
[[nodiscard]] Result<std::filesystem::path> client_file(const ClientSpec& client, Os os,
                                                        const Environment& environment);

// Whether there is any sign of the client for this user: its file, or the folder that is the
// client's own.
[[nodiscard]] bool is_installed(const ClientSpec& client, const std::filesystem::path& file);

struct ServerEntry {
    std::string command;
    std::vector<std::string> args;
    std::string url = {};  // of a server over HTTP, which the client does not start itself
    bool operator==(const ServerEntry&) const = default;
};

// The command line, or the address, for people.
[[nodiscard]] std::string described(const ServerEntry& entry);

// The entry with everything around it, to be pasted into an empty file.
[[nodiscard]] std::string client_snippet(const ClientSpec& client, const ServerEntry& entry);

// Our entry in a file's content, nullopt if there is none.
//   kParse    the content is not what the client would understand
//   kRefused  TOML written in a way that we cannot add to
[[nodiscard]] Result<std::optional<ServerEntry>> read_entry(const ClientSpec& client,
                                                            std::string_view content);

// Where the file says that our entry is not to be used, in words ("\"disabled\": true in the
// entry"); nullopt if it is used, is not there, or the content cannot be read.
[[nodiscard]] std::optional<std::string> switched_off(const ClientSpec& client,
                                                      std::string_view content);

// The content with our entry, byte for byte the same if it says so already. What else the user has
// put into our entry (env, timeouts) stays. Errors as read_entry.
[[nodiscard]] Result<std::string> merge_entry(const ClientSpec& client, std::string_view content,
                                              const ServerEntry& entry);

struct Installed {
    std::filesystem::path file;                // links resolved
    bool changed = false;                      // false = it said so already
    std::filesystem::path backup;              // of what was there before; empty = nothing was
    std::optional<ServerEntry> replaced = {};  // our entry as it was, if it was another one
};

// Writes the entry: backup beside the file, then an atomic replacement with the same permissions
// (0600 for a new file, which may come to hold secrets of other servers).
//   kParse, kRefused  see read_entry; nothing was written
//   kBusy             the client rewrote its file at the same moment; nothing was replaced
//   kIo
[[nodiscard]] Result<Installed> install_entry(const ClientSpec& client,
                                              const std::filesystem::path& file,
                                              const ServerEntry& entry, Timestamp now);

// This program as a client has to start it: absolute, links resolved. kIo.
[[nodiscard]] Result<std::filesystem::path> program_path();

}  // namespace tb::cli
