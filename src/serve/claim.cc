#include "serve/claim.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "core/log.h"

namespace tb::serve {

namespace fs = std::filesystem;

namespace {

constexpr int kBacklog = 64;
constexpr int kDialSeconds = 1;

tl::unexpected<Error> system_error(const fs::path& where) {
    return make_error(ErrorCode::kIo, std::generic_category().message(errno), where.string());
}

// The place checked that the path fits.
sockaddr_un address_of(const fs::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string& text = path.native();
    std::copy_n(text.c_str(), std::min(text.size(), sizeof(address.sun_path) - 1),
                std::begin(address.sun_path));
    return address;
}

bool is_same_user(int fd) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

void set_send_timeout(int fd, int seconds) {
    const timeval limit{seconds, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

// The lock, taken on the file that has the name now. Invalid when somebody else holds it.
Result<UniqueFd> take_lock(const fs::path& file) {
    while (true) {
        UniqueFd lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!lock.valid()) {
            return system_error(file);
        }
        if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK) {
                return UniqueFd();
            }
            return system_error(file);
        }
        struct stat held {};
        struct stat named {};
        if (::fstat(lock.get(), &held) == 0 && ::stat(file.c_str(), &named) == 0 &&
            held.st_dev == named.st_dev && held.st_ino == named.st_ino) {
            return lock;
        }
        // The file was replaced between opening and locking: what we hold means nothing.
    }
}

// Under its own name first, so that whoever finds the socket by its real name finds it listening.
Result<UniqueFd> listen_on(const fs::path& socket) {
    fs::path fresh = socket;
    fresh += ".new";
    ::unlink(fresh.c_str());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_un address = address_of(fresh);
    if (!fd.valid() ||
        ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(fresh.c_str(), 0600) != 0 || ::listen(fd.get(), kBacklog) != 0 ||
        ::rename(fresh.c_str(), socket.c_str()) != 0) {
        return system_error(socket);
    }
    return fd;
}

}  // namespace

Claim::~Claim() {
    stop_listening();
}

void Claim::stop_listening() {
    if (listener_.valid()) {
        ::unlink(socket_.c_str());
        listener_.reset();
    }
}

void Claim::refresh() const {
    ::futimens(lock_.get(), nullptr);
    ::utimensat(AT_FDCWD, socket_.c_str(), nullptr, 0);
}

Result<std::optional<Claim>> try_claim(const Place& place) {
    TB_TRY(UniqueFd lock, take_lock(place.lock_file()));
    if (!lock.valid()) {
        return std::optional<Claim>();
    }
    // Somebody may have removed the lock file of a living owner: it still answers.
    if (dial(place).has_value()) {
        return std::optional<Claim>();
    }
    TB_TRY(UniqueFd listener, listen_on(place.socket()));
    return std::optional<Claim>(Claim(std::move(lock), std::move(listener), place.socket()));
}

Result<UniqueFd> dial(const Place& place) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid()) {
        return system_error(place.socket());
    }
    // An owner that is stopped (SIGSTOP) with a full queue must not stop us too.
    set_send_timeout(fd.get(), kDialSeconds);
    const sockaddr_un address = address_of(place.socket());
    while (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        if (errno == EINTR) {
            continue;
        }
        if (errno == ENOENT || errno == ECONNREFUSED) {
            return make_error(ErrorCode::kNotFound, "nobody serves this folder");
        }
        return system_error(place.socket());
    }
    set_send_timeout(fd.get(), 0);
    if (!is_same_user(fd.get())) {
        return make_error(ErrorCode::kRefused, "the socket is another user's",
                          place.socket().string());
    }
    return fd;
}

UniqueFd accept_peer(int listener) {
    UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (fd.valid() && !is_same_user(fd.get())) {
        log(LogLevel::kWarning, "refused a connection of another user");
        fd.reset();
    }
    return fd;
}

}  // namespace tb::serve
