// The one door to the operating system's files for everything that reads a trader's exports, so
// that tests can put a failing, truncating or changing file system behind it.
//
// Thread-safe (the real one); a File is single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"

namespace tb {

// What identifies one state of a file's content as far as the file system can tell.
struct FileStat {
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_ns = 0;
    std::uint64_t inode = 0;
    std::uint64_t device = 0;
    bool is_directory = false;
    bool is_regular = false;
    bool operator==(const FileStat&) const = default;
};

// An open file, read from front to back.
class File {
  public:
    File() = default;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    virtual ~File() = default;
    // Fills `buffer` from the current position; fewer bytes than asked only at end of file; 0 =
    // end.
    [[nodiscard]] virtual Result<std::size_t> read(std::span<std::byte> buffer) = 0;
    // Of the open file itself, not of whatever its path names by now.
    [[nodiscard]] virtual Result<FileStat> stat() = 0;
    // Back to the first byte.
    [[nodiscard]] virtual Result<void> rewind() = 0;
};

struct DirectoryEntry {
    std::string name;           // bytes as the file system holds them
    bool is_directory = false;  // after following a symbolic link
    bool is_regular = false;    // after following a symbolic link
    bool is_symlink = false;
};

class FileSystem {
  public:
    FileSystem() = default;
    FileSystem(const FileSystem&) = delete;
    FileSystem& operator=(const FileSystem&) = delete;
    virtual ~FileSystem() = default;

    // kNotFound if there is none, kIo otherwise. Follows links.
    [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::filesystem::path& path) = 0;
    [[nodiscard]] virtual Result<FileStat> stat(const std::filesystem::path& path) = 0;
    // Sorted by name in byte order; without "." and "..".
    [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> list(
        const std::filesystem::path& directory) = 0;
};

// The real file system of this process.
[[nodiscard]] FileSystem& real_file_system();

// Whole file into memory; kResourceExhausted above `max_bytes`.
[[nodiscard]] Result<std::string> read_whole_file(FileSystem& fs, const std::filesystem::path& path,
                                                  std::uint64_t max_bytes);

// Writes beside the target, flushes to disk, renames over it: readers see the old or the new file.
[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path,
                                                 std::string_view content);

}  // namespace tb
