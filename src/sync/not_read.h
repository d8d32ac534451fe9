// What lies in a data directory and is read by nothing, with what to do about it: nothing a user
// put there is passed over without a word.
//
// Read are the CSVs of block folders and the market files; this names the rest: files of other
// kinds (workbooks, archives, unfinished downloads), CSVs in places where nothing looks (beside the
// folders, in folders within folders, in folders set aside by `_`), links that lead nowhere. CSVs
// of a block folder that play no role there are that block's own warnings (blocks/discovery.h).
// What systems and programs leave behind (`.DS_Store`, `~$name`, `.~lock…#`, `._name`, `__MACOSX`,
// ...), hidden folders, and this program's own files are nobody's business.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/file_system.h"

namespace tb::sync {

struct NotRead {
    std::string path;     // below the data directory, `/` between its parts
    std::string subject;  // the same as a sentence names it: 'x.csv', perhaps with a place
    std::string says;     // the rest of the sentence: "is not read: ..." with what to do
};

// Folders are looked into this deep, and at most this many entries are looked at; a last entry says
// so when there was more.
inline constexpr std::size_t kDeepestFolder = 8;
inline constexpr std::size_t kMostEntries = 20'000;
inline constexpr std::size_t kNotReadLines = 10;

// Of the whole data directory without `_marketdata`; in byte order of names, folder by folder. A
// block or data directory that cannot be listed is left out: whoever reads it reports that.
[[nodiscard]] std::vector<NotRead> files_not_read(FileSystem& fs,
                                                  const std::filesystem::path& data_dir);
// Of `_marketdata`.
[[nodiscard]] std::vector<NotRead> market_files_not_read(FileSystem& fs,
                                                         const std::filesystem::path& data_dir);

// A sentence for each; where more than three of a folder have the same reason, one for these
// together. At most `most` sentences, the last of which counts the files that are left.
[[nodiscard]] std::vector<std::string> not_read_lines(std::span<const NotRead> files,
                                                      std::size_t most = kNotReadLines);

}  // namespace tb::sync
