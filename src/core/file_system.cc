#include "core/file_system.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <set>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/unique_fd.h"

namespace tb {

namespace {

tl::unexpected<Error> system_error(int error, std::string_view what,
                                   const std::filesystem::path& path) {
    const auto code = error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo;
    return make_error(code, fmt::format("{}: {}", what, std::generic_category().message(error)),
                      path.string());
}

std::int64_t nanoseconds(const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

FileStat convert(const struct stat& info) {
    FileStat result;
    result.size = static_cast<std::uint64_t>(info.st_size);
    result.mtime_ns = nanoseconds(info.st_mtim);
    result.ctime_ns = nanoseconds(info.st_ctim);
    result.inode = info.st_ino;
    result.device = info.st_dev;
    result.is_directory = S_ISDIR(info.st_mode);
    result.is_regular = S_ISREG(info.st_mode);
    return result;
}

// ---- files that only the engine opens ----

struct GuardedFiles {
    std::mutex mutex;
    std::multiset<std::filesystem::path> databases;
};

GuardedFiles& guarded_files() {
    // Never destroyed: a database may be closed while the program ends, by an object of static
    // storage that was made before this one.
    static GuardedFiles& files = *new GuardedFiles;
    return files;
}

bool is_same_file(const std::filesystem::path& path, const FileStat& file) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && info.st_ino == file.inode &&
           info.st_dev == file.device;
}

Result<void> require_not_database(const FileStat& file, const std::filesystem::path& path) {
    if (!is_database_file(file)) {
        return {};
    }
    return make_error(ErrorCode::kRefused,
                      "this is the program's own database (or its log), not an export",
                      path.string());
}

// ---- where a descriptor leads ----

// A handle that says what and where something is without opening it: closing it drops no lock, and
// a FIFO or a device does not notice.
UniqueFd handle_of(const std::filesystem::path& path) {
    return UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC));
}

std::string descriptor_name(int fd) {
    return fmt::format("/proc/self/fd/{}", fd);
}

// The path of what a descriptor is open on, without links. Where /proc is missing the path it was
// opened by is resolved instead and has to name the same file.
std::optional<std::filesystem::path> real_path(int fd, const std::filesystem::path& opened_by) {
    std::error_code failed;
    auto real = std::filesystem::read_symlink(descriptor_name(fd), failed);
    if (!failed) {
        return real;
    }
    real = std::filesystem::canonical(opened_by, failed);
    struct stat info {};
    if (failed || ::fstat(fd, &info) != 0 || !is_same_file(real, convert(info))) {
        return std::nullopt;
    }
    return real;
}

Result<void> require_inside(int fd, const std::filesystem::path& path,
                            const std::filesystem::path& root) {
    const UniqueFd root_handle = handle_of(root);
    if (!root_handle.valid()) {
        return system_error(errno, "cannot open", root);
    }
    const auto real = real_path(fd, path);
    const auto real_root = real_path(root_handle.get(), root);
    if (real.has_value() && real_root.has_value() && *real != *real_root) {
        const auto rest =
            std::mismatch(real_root->begin(), real_root->end(), real->begin(), real->end());
        if (rest.first == real_root->end()) {
            return {};
        }
    }
    return make_error(ErrorCode::kRefused, "it leads out of the data directory", path.string());
}

// Opens for reading exactly the file that `handle` is open on.
Result<UniqueFd> open_again(const UniqueFd& handle, const FileStat& known,
                            const std::filesystem::path& path) {
    // O_NONBLOCK changes nothing for a regular file, and this is one.
    constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
    UniqueFd fd(::open(descriptor_name(handle.get()).c_str(), kFlags));
    if (fd.valid()) {
        return fd;
    }
    if (errno != ENOENT && errno != ENOTDIR) {
        return system_error(errno, "cannot open", path);
    }
    // No /proc here: by the path again, which may name another file by now.
    fd.reset(::open(path.c_str(), kFlags | O_NOCTTY));
    if (!fd.valid()) {
        return system_error(errno, "cannot open", path);
    }
    struct stat info {};
    const bool told = ::fstat(fd.get(), &info) == 0;
    if (told && info.st_ino == known.inode && info.st_dev == known.device) {
        return fd;
    }
    if (!told || is_database_file(convert(info))) {
        static_cast<void>(fd.release());  // open for ever: closing it would drop the engine's lock
    }
    return make_error(ErrorCode::kBusy, "the file was exchanged while it was being opened",
                      path.string());
}

class PosixFile final : public File {
  public:
    PosixFile(UniqueFd fd, std::filesystem::path path)
        : fd_(std::move(fd)), path_(std::move(path)) {}

    Result<std::size_t> read(std::span<std::byte> buffer) override {
        std::size_t filled = 0;
        while (filled < buffer.size()) {
            const ssize_t got = ::read(fd_.get(), buffer.data() + filled, buffer.size() - filled);
            if (got < 0) {
                if (errno == EINTR) {
                    continue;
                }
                return system_error(errno, "cannot read", path_);
            }
            if (got == 0) {
                break;
            }
            filled += static_cast<std::size_t>(got);
        }
        return filled;
    }

    Result<FileStat> stat() override {
        struct stat info {};
        if (::fstat(fd_.get(), &info) != 0) {
            return system_error(errno, "cannot stat", path_);
        }
        return convert(info);
    }

    Result<void> rewind() override {
        if (::lseek(fd_.get(), 0, SEEK_SET) != 0) {
            return system_error(errno, "cannot rewind", path_);
        }
        return {};
    }

  private:
    UniqueFd fd_;
    std::filesystem::path path_;
};

class PosixFileSystem final : public FileSystem {
  public:
    Result<std::unique_ptr<File>> open(const std::filesystem::path& path) override {
        return open_below(nullptr, path);
    }

    Result<std::unique_ptr<File>> open_inside(const std::filesystem::path& root,
                                              const std::filesystem::path& path) override {
        return open_below(&root, path);
    }

    Result<FileStat> stat(const std::filesystem::path& path) override {
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0) {
            return system_error(errno, "cannot stat", path);
        }
        return convert(info);
    }

    Result<std::vector<DirectoryEntry>> list(const std::filesystem::path& directory) override {
        return list_below(nullptr, directory);
    }

    Result<std::vector<DirectoryEntry>> list_inside(
        const std::filesystem::path& root, const std::filesystem::path& directory) override {
        return list_below(&root, directory);
    }

  private:
    static Result<std::unique_ptr<File>> open_below(const std::filesystem::path* root,
                                                    const std::filesystem::path& path) {
        const UniqueFd handle = handle_of(path);
        struct stat info {};
        if (!handle.valid() || ::fstat(handle.get(), &info) != 0) {
            return system_error(errno, "cannot open", path);
        }
        const FileStat stat = convert(info);
        if (!stat.is_regular) {
            return make_error(ErrorCode::kIo, "not a regular file", path.string());
        }
        TB_RETURN_IF_ERROR(require_not_database(stat, path));
        if (root != nullptr) {
            TB_RETURN_IF_ERROR(require_inside(handle.get(), path, *root));
        }
        TB_TRY(UniqueFd fd, open_again(handle, stat, path));
        return std::make_unique<PosixFile>(std::move(fd), path);
    }

    static Result<std::vector<DirectoryEntry>> list_below(const std::filesystem::path* root,
                                                          const std::filesystem::path& directory) {
        constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK;
        // A folder of the root that is no link lies inside, whatever the root is: the usual case.
        const std::filesystem::path last = directory.filename();
        const bool of_root = root != nullptr && directory.parent_path() == *root && !last.empty() &&
                             last != "." && last != "..";
        UniqueFd fd(::open(directory.c_str(), kFlags | (of_root ? O_NOFOLLOW : 0)));
        const bool proven = of_root && fd.valid();
        if (of_root && !fd.valid() && (errno == ELOOP || errno == ENOTDIR)) {
            fd.reset(::open(directory.c_str(), kFlags));
        }
        if (!fd.valid()) {
            return system_error(errno, "cannot list", directory);
        }
        if (root != nullptr && !proven) {
            TB_RETURN_IF_ERROR(require_inside(fd.get(), directory, *root));
        }
        DIR* const handle = ::fdopendir(fd.get());
        if (handle == nullptr) {
            return system_error(errno, "cannot list", directory);
        }
        static_cast<void>(fd.release());  // the stream's from here on
        const std::unique_ptr<DIR, int (*)(DIR*)> closer(handle, ::closedir);
        std::vector<DirectoryEntry> entries;
        while (true) {
            errno = 0;
            const dirent* const item = ::readdir(handle);
            if (item == nullptr) {
                if (errno != 0) {
                    return system_error(errno, "cannot list", directory);
                }
                break;
            }
            const std::string_view name = item->d_name;
            if (name == "." || name == "..") {
                continue;
            }
            entries.push_back(classify(*item, ::dirfd(handle)));
        }
        std::sort(entries.begin(), entries.end(),
                  [](const auto& a, const auto& b) { return a.name < b.name; });
        return entries;
    }

    static DirectoryEntry classify(const dirent& item, int directory_fd) {
        DirectoryEntry entry;
        entry.name = item.d_name;
        if (item.d_type == DT_DIR || item.d_type == DT_REG) {
            entry.is_directory = item.d_type == DT_DIR;
            entry.is_regular = item.d_type == DT_REG;
            return entry;
        }
        struct stat info {};
        if (::fstatat(directory_fd, item.d_name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
            entry.is_symlink = S_ISLNK(info.st_mode);
        }
        if (::fstatat(directory_fd, item.d_name, &info, 0) == 0) {
            entry.is_directory = S_ISDIR(info.st_mode);
            entry.is_regular = S_ISREG(info.st_mode);
        }
        return entry;
    }
};

Result<void> write_all(int fd, std::string_view content, const std::filesystem::path& path) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return system_error(errno, "cannot write", path);
        }
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(fd) != 0) {
        return system_error(errno, "cannot flush", path);
    }
    return {};
}

}  // namespace

FileSystem& real_file_system() {
    static PosixFileSystem fs;
    return fs;
}

Result<std::unique_ptr<File>> FileSystem::open_inside(const std::filesystem::path& root,
                                                      const std::filesystem::path& path) {
    TB_RETURN_IF_ERROR(check_inside(root, path));
    return open(path);
}

Result<std::vector<DirectoryEntry>> FileSystem::list_inside(
    const std::filesystem::path& root, const std::filesystem::path& directory) {
    TB_RETURN_IF_ERROR(check_inside(root, directory));
    return list(directory);
}

Result<void> check_inside(const std::filesystem::path& root, const std::filesystem::path& path) {
    const UniqueFd handle = handle_of(path);
    if (!handle.valid()) {
        return system_error(errno, "cannot open", path);
    }
    return require_inside(handle.get(), path, root);
}

Result<void> make_folders_inside(const std::filesystem::path& root,
                                 const std::filesystem::path& relative) {
    std::filesystem::path folder = root;
    for (const std::filesystem::path& part : relative) {
        folder /= part;
        if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
            return make_error(
                ErrorCode::kIo,
                fmt::format("cannot create: {}", std::generic_category().message(errno)),
                folder.string());
        }
        TB_RETURN_IF_ERROR(check_inside(root, folder));
    }
    return {};
}

DatabaseFileGuard::DatabaseFileGuard(std::filesystem::path database_file)
    : database_file_(std::move(database_file)) {
    GuardedFiles& files = guarded_files();
    const std::lock_guard lock(files.mutex);
    files.databases.insert(database_file_);
}

DatabaseFileGuard::~DatabaseFileGuard() {
    GuardedFiles& files = guarded_files();
    const std::lock_guard lock(files.mutex);
    files.databases.erase(files.databases.find(database_file_));
}

bool is_database_file(const FileStat& file) {
    GuardedFiles& files = guarded_files();
    const std::lock_guard lock(files.mutex);
    return std::any_of(
        files.databases.begin(), files.databases.end(), [&](const std::filesystem::path& database) {
            return is_same_file(database, file) || is_same_file(database.string() + ".wal", file);
        });
}

Result<void> check_not_database(const std::filesystem::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? require_not_database(convert(info), path)
                                            : Result<void>{};
}

Result<std::string> read_whole_file(FileSystem& fs, const std::filesystem::path& path,
                                    std::uint64_t max_bytes) {
    TB_TRY(const std::unique_ptr<File> file, fs.open(path));
    return read_whole_file(*file, path, max_bytes);
}

Result<std::string> read_whole_file(File& file, const std::filesystem::path& path,
                                    std::uint64_t max_bytes) {
    TB_TRY(const FileStat info, file.stat());
    if (info.size > max_bytes) {
        return make_error(ErrorCode::kResourceExhausted,
                          fmt::format("{} bytes, more than the limit of {}", info.size, max_bytes),
                          path.string());
    }
    std::string content;
    constexpr std::size_t kStep = 1U << 16U;
    while (true) {
        const std::size_t before = content.size();
        if (before > max_bytes) {
            return make_error(ErrorCode::kResourceExhausted,
                              fmt::format("more than the limit of {} bytes", max_bytes),
                              path.string());
        }
        const std::size_t want =
            before == 0 ? static_cast<std::size_t>(info.size) + 1 : std::max(before / 2, kStep);
        content.resize(before + want);
        TB_TRY(const std::size_t got,
               file.read(std::as_writable_bytes(std::span(content.data() + before, want))));
        content.resize(before + got);
        if (got < want) {
            return content;
        }
    }
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content) {
    TB_RETURN_IF_ERROR(check_not_database(path));
    const std::filesystem::path temporary = path.string() + ".tmp~" + std::to_string(::getpid());
    // Left by a process of this number, or put there: never written through.
    ::unlink(temporary.c_str());
    UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd.valid()) {
        return system_error(errno, "cannot create", temporary);
    }
    if (auto result = write_all(fd.get(), content, temporary); !result) {
        ::unlink(temporary.c_str());
        return result;
    }
    fd.reset();
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        const int error = errno;
        ::unlink(temporary.c_str());
        return system_error(error, "cannot rename over", path);
    }
    const UniqueFd directory(::open(path.parent_path().empty() ? "." : path.parent_path().c_str(),
                                    O_RDONLY | O_CLOEXEC));
    if (directory.valid()) {
        ::fsync(directory.get());
    }
    return {};
}

}  // namespace tb
