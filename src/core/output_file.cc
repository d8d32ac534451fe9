#include "core/output_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/file_system.h"

namespace tb {

namespace {

namespace fs = std::filesystem;

// What makes a folder a data directory: none of these is made by anybody else.
constexpr std::array kDataDirectoryMarks = {"analytics.duckdb", "analytics.duckdb.wal",
                                            ".tradeblocks", ".tradeblocks-sample", "_marketdata"};
constexpr int kMaxLinks = 40;  // as the system follows
constexpr int kMaxTemporaryNames = 100;

tl::unexpected<Error> io_error(std::string_view what, const fs::path& path) {
    return make_error(ErrorCode::kIo,
                      fmt::format("{}: {}", what, std::generic_category().message(errno)),
                      path.string());
}

bool same_file(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool looks_like_data_directory(const fs::path& folder) {
    return std::any_of(kDataDirectoryMarks.begin(), kDataDirectoryMarks.end(),
                       [&](const char* const mark) {
                           struct stat info {};
                           return ::lstat((folder / mark).c_str(), &info) == 0;
                       });
}

// A file or folder that belongs to a data directory.
struct Protected {
    struct stat info {};
    fs::path directory;
};

// The directories themselves and what the links in them and in their folders lead to: a block may
// lie elsewhere.
std::vector<Protected> protected_by(const std::vector<fs::path>& directories) {
    std::vector<Protected> known;
    const auto add = [&](const fs::path& path, const fs::path& directory) {
        Protected one{{}, directory};
        if (::stat(path.c_str(), &one.info) == 0) {
            known.push_back(std::move(one));
        }
    };
    for (const fs::path& directory : directories) {
        add(directory, directory);
        std::error_code failed;
        fs::recursive_directory_iterator entry(
            directory, fs::directory_options::skip_permission_denied, failed);
        while (!failed && entry != fs::recursive_directory_iterator()) {
            if (entry->is_symlink(failed)) {
                add(entry->path(), directory);
            }
            if (entry.depth() >= 1) {
                entry.disable_recursion_pending();
            }
            entry.increment(failed);
        }
    }
    return known;
}

bool lies_in(const fs::path& path, const fs::path& folder) {
    const auto [rest, ignored] =
        std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return rest == folder.end();
}

// The entry that the path names in the end, its folder resolved and links followed by hand: the
// last one may lead to nothing, and descriptors of a process must not pass for their files.
Result<fs::path> followed(const fs::path& path) {
    std::error_code failed;
    fs::path place = fs::absolute(path, failed);
    for (int links = 0; !failed && links < kMaxLinks; ++links) {
        if (!place.has_filename() || place.filename() == "." || place.filename() == "..") {
            return make_error(ErrorCode::kInvalidArgument, "is not the name of a file",
                              path.string());
        }
        const fs::path folder = fs::canonical(place.parent_path(), failed);
        if (failed) {
            const bool missing = failed == std::errc::no_such_file_or_directory ||
                                 failed == std::errc::not_a_directory;
            return make_error(missing ? ErrorCode::kNotFound : ErrorCode::kIo,
                              missing ? "there is no such folder" : failed.message(),
                              place.parent_path().string());
        }
        if (folder == "/dev" || lies_in(folder, "/dev/fd") || lies_in(folder, "/proc") ||
            lies_in(folder, "/sys")) {
            return make_error(ErrorCode::kInvalidArgument, "is not a file", path.string());
        }
        place = folder / place.filename();
        const fs::file_status status = fs::symlink_status(place, failed);
        if (failed && status.type() != fs::file_type::not_found) {
            break;
        }
        if (status.type() != fs::file_type::symlink) {
            return place;
        }
        const fs::path target = fs::read_symlink(place, failed);
        place = target.is_absolute() ? target : folder / target;
    }
    return make_error(ErrorCode::kIo,
                      failed ? failed.message() : std::string("too many links one after another"),
                      path.string());
}

// Whether this program wrote the file for this purpose, and nobody has locked it since.
bool is_own(const fs::path& file, const struct stat& info, std::string_view mark) {
    if (mark.empty() || (info.st_mode & 0222U) == 0) {
        return false;
    }
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    std::array<char, kOwnMarkBytes> head{};
    const ssize_t got = fd.valid() ? ::pread(fd.get(), head.data(), head.size(), 0) : -1;
    return got > 0 && std::string_view(head.data(), static_cast<std::size_t>(got)).find(mark) !=
                          std::string_view::npos;
}

tl::unexpected<Error> not_ours(const fs::path& path, const OutputRules& rules) {
    return make_error(
        ErrorCode::kRefused,
        fmt::format("is there already and was not written by this command; {}", rules.advice),
        path.string());
}

Result<void> write_all(int fd, std::string_view content, const fs::path& path) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno != EINTR) {
            return io_error("cannot write", path);
        }
        content.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    if (::fsync(fd) != 0) {
        return io_error("cannot flush", path);
    }
    return {};
}

// A file beside the target that goes away again unless it gets the target's name.
class Temporary {
  public:
    explicit Temporary(int folder) : folder_(folder) {}
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    ~Temporary() {
        if (!name_.empty()) {
            ::unlinkat(folder_, name_.c_str(), 0);
        }
    }

    Result<void> create(const fs::path& target) {
        for (int number = 0; number < kMaxTemporaryNames; ++number) {
            std::string name = fmt::format(".tradeblocks-{}-{}.tmp", ::getpid(), number);
            fd_.reset(::openat(folder_, name.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
            if (fd_.valid()) {
                name_ = std::move(name);
                return {};
            }
            if (errno != EEXIST) {
                break;
            }
        }
        return io_error("cannot write into this folder", target.parent_path());
    }
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] const char* name() const { return name_.c_str(); }
    void renamed() { name_.clear(); }

  private:
    int folder_;
    UniqueFd fd_;
    std::string name_;
};

Result<void> put_in_place(int folder, Temporary& fresh, const OutputTarget& target,
                          const OutputRules& rules) {
    const std::string name = target.file.filename().string();
    if (target.exists) {
        struct stat now {};
        if (::fstatat(folder, name.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0 ||
            now.st_dev != target.device || now.st_ino != target.inode) {
            return make_error(ErrorCode::kRefused, "became another file just now",
                              target.file.string());
        }
        if (::renameat(folder, fresh.name(), folder, name.c_str()) != 0) {
            return io_error("cannot replace", target.file);
        }
        fresh.renamed();
        return {};
    }
    if (::renameat2(folder, fresh.name(), folder, name.c_str(), RENAME_NOREPLACE) == 0) {
        fresh.renamed();
        return {};
    }
    // A file system without that call: a second name refuses to take the place of anything, too.
    if ((errno == EINVAL || errno == ENOSYS) &&
        ::linkat(folder, fresh.name(), folder, name.c_str(), 0) == 0) {
        return {};  // the first name goes with `fresh`
    }
    if (errno == EEXIST) {
        return not_ours(target.file, rules);
    }
    return io_error("cannot write", target.file);
}

}  // namespace

std::optional<fs::path> data_directory_around(const fs::path& path,
                                              const std::vector<fs::path>& named) {
    const std::vector<Protected> known = protected_by(named);
    std::error_code failed;
    const fs::path start = fs::weakly_canonical(fs::absolute(path, failed), failed);
    if (failed) {
        return std::nullopt;
    }
    for (fs::path place = start;; place = place.parent_path()) {
        struct stat info {};
        if (::stat(place.c_str(), &info) == 0) {
            const auto found = std::find_if(known.begin(), known.end(), [&](const Protected& one) {
                return same_file(one.info, info);
            });
            if (found != known.end()) {
                return found->directory;
            }
            if (S_ISDIR(info.st_mode) && looks_like_data_directory(place)) {
                return place;
            }
        }
        if (place == place.parent_path()) {
            return std::nullopt;
        }
    }
}

Result<OutputTarget> find_output_target(const fs::path& path, const OutputRules& rules) {
    if (path.empty() || path.native().find('\0') != std::string::npos) {
        return make_error(ErrorCode::kInvalidArgument, "is not the name of a file", path.string());
    }
    OutputTarget target;
    TB_TRY(target.file, followed(path));
    const bool led_elsewhere = fs::is_symlink(path);
    if (const auto directory = data_directory_around(target.file, rules.data_dirs)) {
        return make_error(
            ErrorCode::kRefused,
            fmt::format(
                "{}lies in the data directory {}, where nothing but your "
                "exports belongs: name a file elsewhere",
                led_elsewhere ? "is a link to " + target.file.string() + ", which " : std::string(),
                directory->string()),
            path.string());
    }
    struct stat info {};
    if (::lstat(target.file.c_str(), &info) != 0) {
        if (errno != ENOENT) {
            return io_error("cannot look at", target.file);
        }
        if (led_elsewhere) {
            return make_error(ErrorCode::kInvalidArgument,
                              "is a link that leads nowhere: to " + target.file.string(),
                              path.string());
        }
        return target;
    }
    if (!S_ISREG(info.st_mode)) {
        return make_error(
            ErrorCode::kInvalidArgument,
            S_ISDIR(info.st_mode) ? "is a folder: name a file in it" : "is not a file",
            path.string());
    }
    TB_RETURN_IF_ERROR(check_not_database(target.file));  // under another name perhaps
    if (!rules.force && !is_own(target.file, info, rules.own_mark)) {
        return not_ours(path, rules);
    }
    target.exists = true;
    target.mode = info.st_mode & 0777U;
    target.device = info.st_dev;
    target.inode = info.st_ino;
    return target;
}

Result<void> write_output_file(const fs::path& path, std::string_view content,
                               const OutputRules& rules) {
    TB_TRY(const OutputTarget target, find_output_target(path, rules));
    const UniqueFd folder(
        ::open(target.file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.valid()) {
        return io_error("cannot open this folder", target.file.parent_path());
    }
    Temporary fresh(folder.get());
    TB_RETURN_IF_ERROR(fresh.create(target.file));
    if (target.exists && ::fchmod(fresh.fd(), target.mode) != 0) {
        return io_error("cannot set permissions", target.file);
    }
    TB_RETURN_IF_ERROR(write_all(fresh.fd(), content, target.file));
    TB_RETURN_IF_ERROR(put_in_place(folder.get(), fresh, target, rules));
    // The file is there and whole; a power cut in the next seconds may still undo its name.
    (void)::fsync(folder.get());
    return {};
}

Result<UniqueFd> open_output_log(const fs::path& path, const OutputRules& rules) {
    constexpr int kFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK;
    const auto failed = [&] { return io_error("cannot write", path); };
    struct stat info {};
    const bool exists = ::stat(path.c_str(), &info) == 0;
    if (exists && (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode))) {
        UniqueFd fd(::open(path.c_str(), kFlags));
        return fd.valid() ? Result<UniqueFd>(std::move(fd)) : failed();
    }
    OutputRules allowed = rules;
    allowed.force = rules.force || (exists && S_ISREG(info.st_mode) && info.st_size == 0);
    TB_TRY(const OutputTarget target, find_output_target(path, allowed));
    UniqueFd fd(::open(target.file.c_str(),
                       kFlags | O_NOFOLLOW | (target.exists ? 0 : O_CREAT | O_EXCL), 0600));
    if (!fd.valid() || ::fstat(fd.get(), &info) != 0) {
        return failed();
    }
    if ((info.st_mode & 0777U) != 0600U && ::fchmod(fd.get(), 0600) != 0) {
        return failed();
    }
    return fd;
}

}  // namespace tb
