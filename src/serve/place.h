// Where the processes that serve one data directory meet: a private folder below the user's
// runtime directory, named by device and inode of the data directory (so that every spelling of its
// path and every bind mount leads to the same place). It holds `lock`, which the owner keeps
// locked, and `socket`, on which the owner listens.
//
//     /run/user/1000/tradeblocks/fe01-2a7b3c/socket     or    /tmp/tradeblocks-1000/...
//
// The choice depends on the user alone, not on variables that one process may have and another not
// (XDG_RUNTIME_DIR), because two copies that meet in different places do not meet at all.
// TRADEBLOCKS_RUNTIME_DIR overrides it for odd machines and tests.
//
// Thread-safe (no state).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tb::serve {

// What fits into a socket address everywhere, with some room.
inline constexpr std::size_t kMaxSocketPathBytes = 100;

struct Place {
    std::filesystem::path folder;
    [[nodiscard]] std::filesystem::path lock_file() const { return folder / "lock"; }
    [[nodiscard]] std::filesystem::path socket() const { return folder / "socket"; }
};

// Looks a variable up; nullopt when it is not set. The environment is passed in, never read here.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// The folder of this user under which all places are; nothing is made yet.
[[nodiscard]] std::filesystem::path runtime_root(const Environment& environment);

// The place of a data directory, its folders made with mode 0700.
//   kNotFound  no such data directory
//   kRefused   the runtime folder belongs to somebody else or is no folder
//   kIo        it cannot be made, or its path is too long for a socket
[[nodiscard]] Result<Place> place_of(const std::filesystem::path& data_dir,
                                     const std::filesystem::path& root);

// The same without making or checking anything: for whoever only wants to see if somebody is there.
[[nodiscard]] Result<Place> existing_place(const std::filesystem::path& data_dir,
                                           const std::filesystem::path& root);

}  // namespace tb::serve
