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

    // A regular file, links followed. What it is gets decided before it is opened for reading, so
    // that neither a FIFO nor a device nor the engine's own file (see DatabaseFileGuard) is
    // touched.
    //   kNotFound  there is none
    //   kRefused   it is the database of this process, or its log
    //   kIo        not a regular file, or the system's reason
    [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::filesystem::path& path) = 0;
    [[nodiscard]] virtual Result<FileStat> stat(const std::filesystem::path& path) = 0;
    // Sorted by name in byte order; without "." and "..".
    [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> list(
        const std::filesystem::path& directory) = 0;

    // As open() and list(), for what must lie below `root` when every link on the way is resolved;
    // kRefused if it does not. The real file system asks the descriptor it reads from, so that a
    // link exchanged between a look and the opening lets nothing from outside in. Others, made for
    // tests, get a check in front of theirs.
    [[nodiscard]] virtual Result<std::unique_ptr<File>> open_inside(
        const std::filesystem::path& root, const std::filesystem::path& path);
    [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> list_inside(
        const std::filesystem::path& root, const std::filesystem::path& directory);
};

// The real file system of this process.
[[nodiscard]] FileSystem& real_file_system();

// Whether `path` names something below `root` when every link is resolved: kRefused if it leads
// out (or is `root` itself), kNotFound if there is nothing, a link that leads nowhere included.
[[nodiscard]] Result<void> check_inside(const std::filesystem::path& root,
                                        const std::filesystem::path& path);

// Makes the folders of `relative` below `root`, one after the other, following no link that leads
// out: kRefused. Folders that are there already are no error.
[[nodiscard]] Result<void> make_folders_inside(const std::filesystem::path& root,
                                               const std::filesystem::path& relative);

// While one of these lives, FileSystem::open and write_file_atomically refuse the database file it
// names and that file's log, whatever path, link or second name leads there: they compare device
// and inode. The engine's lock is a POSIX lock, which a process loses as soon as it closes any
// descriptor of the file, one opened by mistake for a moment included.
//
// The file need not exist yet. Thread-safe.
class DatabaseFileGuard {
  public:
    explicit DatabaseFileGuard(std::filesystem::path database_file);
    DatabaseFileGuard(const DatabaseFileGuard&) = delete;
    DatabaseFileGuard& operator=(const DatabaseFileGuard&) = delete;
    ~DatabaseFileGuard();

  private:
    std::filesystem::path database_file_;
};

// Whether this is a file some DatabaseFileGuard keeps, or its log.
[[nodiscard]] bool is_database_file(const FileStat& file);
// The same for what a path leads to, as an error (kRefused), for whoever opens files by himself.
[[nodiscard]] Result<void> check_not_database(const std::filesystem::path& path);

// Whole file into memory; kResourceExhausted above `max_bytes`.
[[nodiscard]] Result<std::string> read_whole_file(FileSystem& fs, const std::filesystem::path& path,
                                                  std::uint64_t max_bytes);
// The rest of an open file; `path` is for messages.
[[nodiscard]] Result<std::string> read_whole_file(File& file, const std::filesystem::path& path,
                                                  std::uint64_t max_bytes);

// Writes beside the target, flushes to disk, renames over it: readers see the old or the new file.
// kRefused over the database of this process.
[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path,
                                                 std::string_view content);

}  // namespace tb
