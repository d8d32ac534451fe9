// Tells when the CSV files of a data directory have changed and settled (Linux inotify).
//
// Watches the directory and its sub-folders, new and renamed ones included, and wherever inside the
// directory a file lies that a link in a sub-folder leads to. It says only "look again", never what
// changed: the sync compares contents anyway, so a lost or doubled notification does no harm. An
// overflow of the kernel's queue is one more reason to look.
//
// wait() returns after the first change that is followed by kQuiet without another one, or kBurst
// after the first one when they keep coming. A file that is being written (modified, not yet
// closed) is waited for up to kWriter after its last write, so that its reader seldom meets half of
// it; and never longer than kLongest after the first change.
//
// Single-thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "core/cancel.h"
#include "core/result.h"

namespace tb {

class DirectoryWatcher {
  public:
    static constexpr std::chrono::milliseconds kQuiet{200};
    static constexpr std::chrono::milliseconds kBurst{700};
    static constexpr std::chrono::milliseconds kWriter{2'000};
    static constexpr std::chrono::milliseconds kLongest{10'000};

    // Watching begins here: changes between this call and wait() are not lost.
    //   kNotFound/kIo           no such directory, not readable
    //   kResourceExhausted      the system's limit of watches (the message names the setting)
    [[nodiscard]] static Result<DirectoryWatcher> start(const std::filesystem::path& directory);

    DirectoryWatcher(DirectoryWatcher&&) noexcept;
    DirectoryWatcher& operator=(DirectoryWatcher&&) noexcept;
    DirectoryWatcher(const DirectoryWatcher&) = delete;
    DirectoryWatcher& operator=(const DirectoryWatcher&) = delete;
    ~DirectoryWatcher();

    // True = something changed; false = nothing did within `timeout` (negative = no limit).
    //   kInterrupted   cancelled
    //   kNotFound      the directory itself is gone
    [[nodiscard]] Result<bool> wait(std::chrono::milliseconds timeout, const CancelToken& cancel);

  private:
    struct Impl;
    explicit DirectoryWatcher(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace tb
