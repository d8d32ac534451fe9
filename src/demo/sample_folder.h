// The folder that sample data is written into. It holds nothing else: a marker file in it records
// the SHA-256 of every file that was written, so that a later run replaces those files and no
// other.
//
// Files appear under their names only when complete: a program that watches the folder never sees
// half of one.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/sha256.h"
#include "core/unique_fd.h"

namespace tb::demo {

class SampleFolder {
  public:
    // Makes the folder, or takes one that is empty or holds only what an earlier run wrote and what
    // syncing adds (our database and our own folder).
    //   kRefused  anything else is in it, also a sample file that was changed; or it lies in a data
    //             directory
    //   kIo
    [[nodiscard]] static Result<SampleFolder> claim(const std::filesystem::path& directory);

    // One file at a time: create, append, finish. `name` is relative to the folder.
    [[nodiscard]] Result<void> create(const std::filesystem::path& name);
    [[nodiscard]] Result<void> append(std::string_view text);
    // Puts the file under its name, flushed to disk; its size in bytes.
    [[nodiscard]] Result<std::int64_t> finish();

    // What was written: path -> hashes of all its versions. A run may have ended between the record
    // and the file.
    using Ledger = std::map<std::string, std::set<std::string>>;

  private:
    SampleFolder() = default;
    [[nodiscard]] tl::unexpected<Error> failure(std::string_view what) const;

    std::filesystem::path directory_;
    UniqueFd marker_;  // for appending
    Ledger recorded_;  // what it says
    std::filesystem::path name_;
    UniqueFd fd_;
    Sha256 hash_;
    std::int64_t bytes_ = 0;
};

}  // namespace tb::demo
