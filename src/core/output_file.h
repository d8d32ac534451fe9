// Files that a user names for the program to write: a report, an audit log. One place decides what
// may be written where, for all of them:
//
//   - nothing lies in a data directory: what is there is the user's exports and our database. Not
//     only the data directory in use counts, but every folder that looks like one, and a name leads
//     there also through links, "..", or another spelling;
//   - a file that is there is only replaced when this program wrote it for the same purpose (a mark
//     in its head says so), or when the user said --force;
//   - only files are replaced: no device, pipe, folder or link that leads nowhere;
//   - the new content appears whole or not at all, also after a power cut.
//
//     OutputRules rules{.own_mark = kReportMark, .data_dirs = {data_dir}};
//     TB_RETURN_IF_ERROR(find_output_target(path, rules));    // before the work
//     TB_RETURN_IF_ERROR(write_output_file(path, page, rules));
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/unique_fd.h"

namespace tb {

// A mark must stand within so many bytes at the beginning of a file.
inline constexpr std::size_t kOwnMarkBytes = 2048;

struct OutputRules {
    std::string_view own_mark = {};  // empty = no file that is there is ours
    bool force = false;              // --force: replace a file of any origin
    // What to do when a file is there that is not ours.
    std::string_view advice = "name another file, or say --force to replace it";
    // Folders that are data directories whatever they look like.
    std::vector<std::filesystem::path> data_dirs = {};
};

struct OutputTarget {
    std::filesystem::path file;  // absolute, all links resolved
    bool exists = false;         // a file that may be replaced is there
    std::uint32_t mode = 0;      // permission bits of that file
    std::uint64_t device = 0;    // of that file
    std::uint64_t inode = 0;
};

// The data directory that `path` is, or lies in (its last part need not exist): one of `named`, or
// the nearest folder above that holds our database, our own folder or market data. nullopt = none.
[[nodiscard]] std::optional<std::filesystem::path> data_directory_around(
    const std::filesystem::path& path, const std::vector<std::filesystem::path>& named = {});

// Where the file would go, or why it may not.
//   kRefused          inside a data directory, or a file is there that is not ours
//   kInvalidArgument  no name of a file, or something is there that is no file
//   kNotFound         no such folder
//   kIo               the operating system refused to look
[[nodiscard]] Result<OutputTarget> find_output_target(const std::filesystem::path& path,
                                                      const OutputRules& rules);

// Judges as find_output_target, writes beside the target, flushes to disk, renames. A replaced file
// keeps its permissions. kRefused also when a file comes to be there, or becomes another one,
// meanwhile; kIo when the disk refuses, and then nothing is left behind.
[[nodiscard]] Result<void> write_output_file(const std::filesystem::path& path,
                                             std::string_view content, const OutputRules& rules);

// Opens a file to be appended to, made with permissions 0600 if it is not there. One that is there
// must be empty or ours and gets the same permissions. Pipes and terminals are taken as they are
// (non-blocking: a pipe that nobody reads must not hold up its writer). Errors as above.
[[nodiscard]] Result<UniqueFd> open_output_log(const std::filesystem::path& path,
                                               const OutputRules& rules);

}  // namespace tb
