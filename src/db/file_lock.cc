#include "db/file_lock.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace tb::db {

namespace {

constexpr const char* kMark = "user.tradeblocks.closed";

struct flock whole_file(short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

bool same_file(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

tl::unexpected<Error> locked_by(int fd) {
    std::array<char, 32> text{};
    const ssize_t got = ::pread(fd, text.data(), text.size() - 1, 0);
    std::int64_t pid = 0;
    std::from_chars(text.data(), text.data() + (got > 0 ? got : 0), pid);
    return make_error(ErrorCode::kLocked,
                      pid > 0 ? fmt::format("the database is in use by process {}; end it or wait "
                                            "for it",
                                            pid)
                              : std::string("the database is in use by another process of this "
                                            "program"));
}

std::string mark_of(const struct stat& status) {
    return fmt::format("{} {}.{:09}", static_cast<std::int64_t>(status.st_size),
                       static_cast<std::int64_t>(status.st_mtim.tv_sec),
                       static_cast<std::int64_t>(status.st_mtim.tv_nsec));
}

bool has_log(const std::filesystem::path& database) {
    std::error_code failed;
    std::filesystem::path log = database;
    log += ".wal";
    return std::filesystem::exists(std::filesystem::symlink_status(log, failed));
}

}  // namespace

std::filesystem::path FileLock::name_for(const std::filesystem::path& database) {
    std::filesystem::path file = database;
    return file += ".lock";
}

Result<FileLock> FileLock::take(const std::filesystem::path& database) {
    FileLock lock;
    lock.file_ = name_for(database);
    while (true) {
        UniqueFd fd(::open(lock.file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!fd.valid()) {
            return lock;
        }
        struct flock wanted = whole_file(F_WRLCK);
        if (::fcntl(fd.get(), F_OFD_SETLK, &wanted) != 0) {
            if (errno == EAGAIN || errno == EACCES) {
                return locked_by(fd.get());
            }
            return lock;
        }
        struct stat held {};
        struct stat named {};
        if (::fstat(fd.get(), &held) != 0 || ::lstat(lock.file_.c_str(), &named) != 0 ||
            !same_file(held, named)) {
            continue;  // its holder removed it between our opening and locking
        }
        const std::string pid = fmt::format("{}\n", ::getpid());
        if (::ftruncate(fd.get(), 0) == 0) {
            // A full disk leaves it empty: the lock holds all the same.
            [[maybe_unused]] const ssize_t written = ::pwrite(fd.get(), pid.data(), pid.size(), 0);
        }
        lock.fd_ = std::move(fd);
        return lock;
    }
}

FileLock::~FileLock() {
    if (!fd_.valid()) {
        return;
    }
    struct stat held {};
    struct stat named {};
    if (::fstat(fd_.get(), &held) == 0 && ::lstat(file_.c_str(), &named) == 0 &&
        same_file(held, named)) {
        ::unlink(file_.c_str());
    }
}

int engine_descriptor(const std::filesystem::path& database) {
    struct stat wanted {};
    if (::stat(database.c_str(), &wanted) != 0) {
        return -1;
    }
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", failed)) {
        const std::string name = entry.path().filename().string();
        int fd = -1;
        std::from_chars(name.data(), name.data() + name.size(), fd);
        struct stat status {};
        const int flags = fd < 0 ? -1 : ::fcntl(fd, F_GETFL);
        if (flags >= 0 && (flags & O_ACCMODE) == O_RDWR && ::fstat(fd, &status) == 0 &&
            same_file(status, wanted)) {
            return fd;
        }
    }
    return -1;
}

Result<void> renew_engine_lock(int engine_descriptor) {
    if (engine_descriptor < 0) {
        return {};
    }
    struct flock wanted = whole_file(F_WRLCK);
    if (::fcntl(engine_descriptor, F_SETLK, &wanted) == 0 || (errno != EAGAIN && errno != EACCES)) {
        return {};
    }
    struct flock holder = whole_file(F_WRLCK);
    const bool known = ::fcntl(engine_descriptor, F_GETLK, &holder) == 0 && holder.l_pid > 0;
    return make_error(ErrorCode::kLocked,
                      known ? fmt::format("the database is in use by process {}; end it or wait "
                                          "for it (it took the file while we had it open)",
                                          holder.l_pid)
                            : std::string("another process has taken the database file while we "
                                          "had it open"));
}

std::int64_t foreign_lock_holder(const std::filesystem::path& database) {
    const UniqueFd fd(::open(database.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct flock asked = whole_file(F_WRLCK);
    if (!fd.valid() || ::fcntl(fd.get(), F_GETLK, &asked) != 0 || asked.l_type == F_UNLCK) {
        return 0;
    }
    return asked.l_pid > 0 ? asked.l_pid : -1;
}

void leave_mark(const std::filesystem::path& database) {
    struct stat status {};
    if (::stat(database.c_str(), &status) != 0 || has_log(database)) {
        return;
    }
    const std::string mark = mark_of(status);
    static_cast<void>(::setxattr(database.c_str(), kMark, mark.data(), mark.size(), 0));
}

bool is_as_marked(const std::filesystem::path& database) {
    struct stat status {};
    std::array<char, 64> text{};
    const ssize_t got = ::getxattr(database.c_str(), kMark, text.data(), text.size());
    if (got < 0 && errno == ENOTSUP) {
        return true;  // no marks here: the file is looked through on request only
    }
    return got > 0 && ::stat(database.c_str(), &status) == 0 && !has_log(database) &&
           std::string_view(text.data(), static_cast<std::size_t>(got)) == mark_of(status);
}

}  // namespace tb::db
