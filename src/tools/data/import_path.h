// Which file an import means, and whether it may be read (06 Q7).
//
// Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace tb::tools {

struct ImportPathRequest {
    std::string path;                            // as given
    std::vector<std::string> search_folders{};   // for a bare file name; empty = the usual ones
    std::filesystem::path home{};                // of the user; empty = unknown
    std::filesystem::path data_dir{};            // always allowed
    std::vector<std::filesystem::path> roots{};  // else only below these; empty = anywhere
    std::uintmax_t max_bytes = 1ULL << 30U;
};

// The regular file that an absolute path, a path from `~`, or a bare file name (looked for in the
// search folders, else in Downloads, Desktop and Documents) means, with all links resolved.
//   kInvalidArgument  none of these forms, or not a regular file
//   kNotFound         nothing there; with roots, nothing is said of files outside of them
//   kRefused          outside of the roots
//   kResourceExhausted  larger than max_bytes
[[nodiscard]] Result<std::filesystem::path> resolve_import_path(const ImportPathRequest& request);

}  // namespace tb::tools
