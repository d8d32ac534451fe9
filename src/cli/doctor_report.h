// What `tradeblocks doctor` looks at. Looks only: nothing is written, nothing is synced.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/client_config.h"

namespace tb::cli {

struct Problem {
    std::string what;
    std::string advice;
};

struct FileFinding {
    std::string name;
    std::string role;           // "tradelog", ...; empty = not used
    std::string recognised_by;  // "name", "header", ...
    std::string note;           // why it is not used
};

struct FolderFinding {
    std::string name;  // block id, or _marketdata
    std::vector<FileFinding> files;
    std::vector<std::string> notes;
};

struct DatabaseFinding {
    std::filesystem::path file;
    // "absent", "fine", "served", "locked", "newer", "damaged", "unusable"
    std::string state = "absent";
    std::uint64_t bytes = 0;
    std::uint64_t log_bytes = 0;  // write-ahead log beside it
    std::optional<std::int32_t> schema_version;
    std::optional<std::int64_t> holder;  // process id, when locked
};

struct OwnerFinding {
    std::int64_t pid = 0;
    std::string version;
};

struct ClientFinding {
    const ClientSpec* client = nullptr;
    std::filesystem::path file;
    bool installed = false;  // its file or folder is there
    // "configured", "other folder", "broken", "unreadable", "not configured"
    std::string state = "not configured";
    std::optional<ServerEntry> entry;
    std::string snippet;
};

struct DoctorOptions {
    std::optional<std::filesystem::path> data_dir;  // none: only program and clients
    std::filesystem::path runtime_root;             // serve/place.h
    Os os = this_os();
    Environment environment;
    std::filesystem::path program;
};

struct DoctorReport {
    std::optional<std::filesystem::path> data_dir;
    bool readable = false;
    bool writable = false;
    std::vector<FolderFinding> folders;
    std::vector<std::string> notes;
    std::optional<DatabaseFinding> database;
    std::optional<OwnerFinding> owner;
    std::vector<ClientFinding> clients;
    std::vector<Problem> problems;
};

[[nodiscard]] DoctorReport examine(const DoctorOptions& options);

}  // namespace tb::cli
