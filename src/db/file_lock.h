// What this process has to say to others about a database file, beside the engine's own lock.
//
// The engine locks the file with a POSIX lock, which belongs to the process: the moment anything in
// the process opens and closes the same file, the lock is gone, unnoticed. So we hold a lock of our
// own for as long as the file is open: an OFD lock, which goes with its descriptor only, on
// `<file>.lock`, where the holder's process id stands. And since other programs than ours look at
// the engine's lock alone, that one is asked for again (which costs nothing where it is still held)
// before every use of the file.
//
// After a file has been closed in order, its size and time of change are written onto it as an
// extended attribute. A file that differs from its mark was changed by somebody else, or by us
// without an end: its contents are then looked at before they are believed (file_check.h).
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "core/result.h"
#include "core/unique_fd.h"

namespace tb::db {

class FileLock {
  public:
    FileLock() = default;
    FileLock(FileLock&&) noexcept = default;
    FileLock& operator=(FileLock&&) = delete;
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    ~FileLock();  // gives the lock up and removes its file

    // Where no lock file can be made (a read-only folder, a full disk, a file system without such
    // locks) the answer is a lock that holds nothing.
    //   kLocked  another process of ours holds the file; the message names it
    [[nodiscard]] static Result<FileLock> take(const std::filesystem::path& database);
    [[nodiscard]] bool held() const { return fd_.valid(); }

    static std::filesystem::path name_for(const std::filesystem::path& database);

  private:
    UniqueFd fd_;
    std::filesystem::path file_;
};

// The descriptor by which the engine holds this file open for writing, found among those of the
// process without opening anything; -1 if there is none. It is the engine's: not to be closed.
[[nodiscard]] int engine_descriptor(const std::filesystem::path& database);

// Asks for the engine's lock on its own descriptor again.
//   kLocked  another process has it meanwhile: what is in memory must not be written any more
[[nodiscard]] Result<void> renew_engine_lock(int engine_descriptor);

// Who holds the file against us, without the engine: 0 = nobody. The file must not be open in this
// process.
[[nodiscard]] std::int64_t foreign_lock_holder(const std::filesystem::path& database);

// The mark of an orderly end. leave_mark does nothing where the file has a write-ahead log or the
// file system knows no attributes.
void leave_mark(const std::filesystem::path& database);
// True as well where no mark can be left.
[[nodiscard]] bool is_as_marked(const std::filesystem::path& database);

}  // namespace tb::db
