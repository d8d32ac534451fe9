#include "serve/place.h"

#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

namespace tb::serve {

namespace fs = std::filesystem;

namespace {

constexpr mode_t kOwnerOnly = 0700;

std::string reason(int problem) {
    return std::generic_category().message(problem);
}

bool is_own_folder(const fs::path& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == ::geteuid();
}

// Makes one folder that nobody else may enter, or checks that the one there is such a folder.
Result<void> private_folder(const fs::path& path) {
    if (::mkdir(path.c_str(), kOwnerOnly) != 0 && errno != EEXIST) {
        return make_error(ErrorCode::kIo, reason(errno), path.string());
    }
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        return make_error(ErrorCode::kIo, reason(errno), path.string());
    }
    if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid()) {
        return make_error(ErrorCode::kRefused, "not a folder of this user", path.string());
    }
    // Ours but open to others, for instance made under another umask. What they may have left in it
    // does no harm: whoever answers on a socket must run as this user.
    if ((status.st_mode & 077U) != 0 && ::chmod(path.c_str(), kOwnerOnly) != 0) {
        return make_error(ErrorCode::kIo, reason(errno), path.string());
    }
    return {};
}

}  // namespace

fs::path runtime_root(const Environment& environment) {
    if (const auto chosen = environment("TRADEBLOCKS_RUNTIME_DIR");
        chosen.has_value() && !chosen->empty()) {
        return *chosen;
    }
    const std::string user = std::to_string(::geteuid());
    const fs::path of_the_system = fs::path("/run/user") / user;
    return is_own_folder(of_the_system) ? of_the_system / "tradeblocks"
                                        : fs::path("/tmp/tradeblocks-" + user);
}

Result<Place> existing_place(const fs::path& data_dir, const fs::path& root) {
    struct stat status {};
    if (::stat(data_dir.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
        return make_error(ErrorCode::kNotFound, "no such folder", data_dir.string());
    }
    Place place{root / fmt::format("{:x}-{:x}", status.st_dev, status.st_ino)};
    if (place.socket().string().size() > kMaxSocketPathBytes) {
        return make_error(ErrorCode::kIo,
                          fmt::format("the path of a socket may have {} bytes; set "
                                      "TRADEBLOCKS_RUNTIME_DIR to a shorter one",
                                      kMaxSocketPathBytes),
                          place.socket().string());
    }
    return place;
}

Result<Place> place_of(const fs::path& data_dir, const fs::path& root) {
    TB_TRY(Place place, existing_place(data_dir, root));
    TB_RETURN_IF_ERROR(private_folder(root));
    TB_RETURN_IF_ERROR(private_folder(place.folder));
    return place;
}

}  // namespace tb::serve
