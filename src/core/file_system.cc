#include "core/file_system.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
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
        // O_NONBLOCK so that a FIFO put into a data folder cannot hang us; refused just below.
        UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        if (!fd.valid()) {
            return system_error(errno, "cannot open", path);
        }
        auto file = std::make_unique<PosixFile>(std::move(fd), path);
        TB_TRY(const FileStat info, file->stat());
        if (!info.is_regular) {
            return make_error(ErrorCode::kIo, "not a regular file", path.string());
        }
        return file;
    }

    Result<FileStat> stat(const std::filesystem::path& path) override {
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0) {
            return system_error(errno, "cannot stat", path);
        }
        return convert(info);
    }

    Result<std::vector<DirectoryEntry>> list(const std::filesystem::path& directory) override {
        DIR* const handle = ::opendir(directory.c_str());
        if (handle == nullptr) {
            return system_error(errno, "cannot list", directory);
        }
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

  private:
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

Result<std::string> read_whole_file(FileSystem& fs, const std::filesystem::path& path,
                                    std::uint64_t max_bytes) {
    TB_TRY(const std::unique_ptr<File> file, fs.open(path));
    TB_TRY(const FileStat info, file->stat());
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
               file->read(std::as_writable_bytes(std::span(content.data() + before, want))));
        content.resize(before + got);
        if (got < want) {
            return content;
        }
    }
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content) {
    const std::filesystem::path temporary = path.string() + ".tmp~" + std::to_string(::getpid());
    UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
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
