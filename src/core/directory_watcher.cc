#include "core/directory_watcher.h"

#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <poll.h>
#include <unistd.h>

#include "core/file_system.h"
#include "core/unique_fd.h"

namespace tb {

namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::uint32_t kRootMask = IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE |
                                    IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR;
constexpr std::uint32_t kFolderMask = kRootMask | IN_MODIFY | IN_CLOSE_WRITE;

tl::unexpected<Error> watch_error(int error, const fs::path& path) {
    if (error == ENOSPC || error == EMFILE) {
        return make_error(ErrorCode::kResourceExhausted,
                          "the system's limit of watched folders is reached; raise "
                          "fs.inotify.max_user_watches or max_user_instances",
                          path.string());
    }
    return make_error(error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo,
                      "cannot watch: " + std::generic_category().message(error), path.string());
}

// The database lives in the watched directory and changes with every sync; hidden names are ours or
// an editor's.
bool is_ignored(std::string_view name) {
    return name.empty() || name.front() == '.' || name.starts_with("analytics.duckdb");
}

std::chrono::milliseconds until(Clock::time_point deadline, Clock::time_point now) {
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(deadline - now),
                    std::chrono::milliseconds(0));
}

}  // namespace

struct DirectoryWatcher::Impl {
    fs::path root;
    UniqueFd inotify;
    int root_watch = -1;
    std::map<int, std::string> folders;  // watch -> name of the sub-folder
    // Files modified but not closed since: "folder/name" -> last write.
    std::map<std::string, Clock::time_point> being_written;
    bool root_gone = false;

    Result<void> add_folder(const std::string& name) {
        const int watch = ::inotify_add_watch(inotify.get(), (root / name).c_str(), kFolderMask);
        if (watch >= 0) {
            folders[watch] = name;
            return add_targets(name);
        }
        // Gone again, a plain file, or not readable: nothing to watch, and the sync will say why.
        if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) {
            return {};
        }
        return watch_error(errno, root / name);
    }

    // Where the files lie that links in this folder lead to: a change there is one of the linked
    // file. Only inside the directory, as the links themselves are followed.
    Result<void> add_targets(const std::string& name) {
        std::error_code problem;
        for (fs::directory_iterator it(root / name, problem), end; !problem && it != end;
             it.increment(problem)) {
            TB_RETURN_IF_ERROR(add_target(it->path()));
        }
        return {};
    }

    Result<void> add_target(const fs::path& link) {
        std::error_code problem;
        if (!fs::is_symlink(link, problem) || !fs::is_regular_file(link, problem) ||
            !check_inside(root, link).has_value()) {
            return {};
        }
        const fs::path folder = fs::canonical(link, problem).parent_path();
        if (problem) {
            return {};
        }
        const int watch =
            ::inotify_add_watch(inotify.get(), folder.c_str(), kFolderMask | IN_MASK_ADD);
        if (watch < 0) {
            return errno == ENOENT || errno == ENOTDIR || errno == EACCES
                       ? Result<void>{}
                       : watch_error(errno, folder);
        }
        if (watch != root_watch) {
            folders.try_emplace(watch, folder.string());
        }
        return {};
    }

    // Folders that are not watched yet, for instance after an overflow. Links to folders count.
    Result<void> add_all_folders() {
        std::error_code problem;
        for (fs::directory_iterator it(root, problem), end; !problem && it != end;
             it.increment(problem)) {
            const std::string name = it->path().filename().string();
            std::error_code ignored;
            if (!is_ignored(name) && it->is_directory(ignored)) {
                TB_RETURN_IF_ERROR(add_folder(name));
            }
        }
        return {};
    }

    // Whether the event is a reason to look again.
    Result<bool> take(const inotify_event& event, std::string_view name) {
        if ((event.mask & IN_Q_OVERFLOW) != 0) {
            being_written.clear();
            TB_RETURN_IF_ERROR(add_all_folders());
            return true;
        }
        if (event.wd == root_watch) {
            if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) {
                root_gone = true;
                return true;
            }
            if (is_ignored(name)) {
                return false;
            }
            if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
                TB_RETURN_IF_ERROR(add_folder(std::string(name)));
            }
            return true;
        }
        const auto folder = folders.find(event.wd);
        if (folder == folders.end()) {
            return false;
        }
        if ((event.mask & IN_IGNORED) != 0) {
            folders.erase(folder);
            return true;
        }
        if (!name.empty() && name.front() == '.') {
            return false;
        }
        const std::string file = folder->second + "/" + std::string(name);
        if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
            TB_RETURN_IF_ERROR(add_target(root / file));
        }
        if ((event.mask & IN_MODIFY) != 0) {
            being_written[file] = Clock::now();
        } else if ((event.mask & (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM)) != 0) {
            being_written.erase(file);
        }
        return true;
    }

    // Everything the kernel has for us; true = a reason to look again was among it.
    Result<bool> drain() {
        alignas(inotify_event) std::array<char, 1U << 16U> buffer{};
        bool relevant = false;
        while (true) {
            const ssize_t got = ::read(inotify.get(), buffer.data(), buffer.size());
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got <= 0) {
                return relevant;
            }
            for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
                inotify_event event{};
                std::memcpy(&event, buffer.data() + at, sizeof event);
                const char* const text = buffer.data() + at + sizeof event;
                const std::string_view name(text, ::strnlen(text, event.len));
                TB_TRY(const bool changed, take(event, name));
                relevant = relevant || changed;
                at += sizeof event + event.len;
            }
        }
    }

    // When the last of the files being written counts as finished; now if none is.
    Clock::time_point writers_done(Clock::time_point now) const {
        Clock::time_point latest = now;
        for (const auto& [file, written] : being_written) {
            latest = std::max(latest, written + kWriter);
        }
        return latest;
    }
};

DirectoryWatcher::DirectoryWatcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DirectoryWatcher::DirectoryWatcher(DirectoryWatcher&&) noexcept = default;
DirectoryWatcher& DirectoryWatcher::operator=(DirectoryWatcher&&) noexcept = default;
DirectoryWatcher::~DirectoryWatcher() = default;

Result<DirectoryWatcher> DirectoryWatcher::start(const fs::path& directory) {
    auto impl = std::make_unique<Impl>();
    impl->root = directory;
    impl->inotify.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!impl->inotify.valid()) {
        return watch_error(errno, directory);
    }
    impl->root_watch = ::inotify_add_watch(impl->inotify.get(), directory.c_str(), kRootMask);
    if (impl->root_watch < 0) {
        return watch_error(errno, directory);
    }
    TB_RETURN_IF_ERROR(impl->add_all_folders());
    return DirectoryWatcher(std::move(impl));
}

Result<bool> DirectoryWatcher::wait(std::chrono::milliseconds timeout, const CancelToken& cancel) {
    const UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake.valid()) {
        return watch_error(errno, impl_->root);
    }
    const auto registration = cancel.on_cancel([fd = wake.get()] {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
    });
    const auto started = Clock::now();
    std::optional<Clock::time_point> first;
    Clock::time_point last;
    while (true) {
        if (cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "interrupted");
        }
        TB_TRY(const bool changed, impl_->drain());
        const auto now = Clock::now();
        if (impl_->root_gone) {
            return make_error(ErrorCode::kNotFound, "the data directory is gone",
                              impl_->root.string());
        }
        if (changed) {
            first = first.value_or(now);
            last = now;
        }
        std::chrono::milliseconds pause{-1};
        if (first.has_value()) {
            const auto settled =
                std::max(std::min(last + kQuiet, *first + kBurst), impl_->writers_done(now));
            const auto ready = std::min(settled, *first + kLongest);
            if (ready <= now) {
                impl_->being_written.clear();
                return true;
            }
            pause = until(ready, now);
        } else if (timeout.count() >= 0) {
            if (now - started >= timeout) {
                return false;
            }
            pause = until(started + timeout, now);
        }
        std::array<pollfd, 2> watched{pollfd{impl_->inotify.get(), POLLIN, 0},
                                      pollfd{wake.get(), POLLIN, 0}};
        if (::poll(watched.data(), watched.size(), static_cast<int>(pause.count())) < 0 &&
            errno != EINTR) {
            return watch_error(errno, impl_->root);
        }
    }
}

}  // namespace tb
